/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "front/conn.h"

#include <stdlib.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "front/connect.h"
#include "front/http_answer.h"
#include "front/sniff.h"

/* The life of a connection, from accept to the end. */

/* A connection that nobody above knows (any more). */
static const struct conn_ops nobody = { 0 };

void conn_set_deadline(struct conn *c, enum deadline_kind kind)
{
	deadline_set(&c->front->deadlines, &c->deadline, kind);
}

static void on_release(struct watch *w)
{
	struct conn *c = list_owner(w, struct conn, watch);

	tls_conn_free(c->tls);
	tls_context_unref(c->context);
	dial_free(c->dial);
	free(c->failure);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
}

static void note_counts(struct front *f)
{
	atomic_store(&f->stats.connections, f->conn_count);
	atomic_store(&f->stats.flows, f->flow_count);
}

void conn_let_go(struct conn *c)
{
	const struct conn_ops *ops = c->ops;

	c->ops = &nobody;
	if (ops->closed)
		ops->closed(c);
}

void conn_close(struct conn *c)
{
	struct front *f = c->front;

	if (c->state == CONN_CLOSED)
		return;
	c->state = CONN_CLOSED;
	f->outgoing -= c->out.len - c->out_at;
	c->out_at = c->out.len;
	deadline_clear(&c->deadline);
	deadline_clear(&c->write_deadline);
	deadline_clear(&c->trim);
	list_remove(&c->node);
	admission_leave(c->admitted);
	f->conn_count--;
	if (c->peer.via == PEER_CONTROL)
		f->control_count--;
	if (via_is_stream(c->peer.via))
		f->flow_count--;
	note_counts(f);
	watch_close(&f->watcher, &c->watch);
	conn_let_go(c);
	front_settle(f);
}

/* Everything is sent. */
static void end(struct conn *c)
{
	if (!c->linger || c->eof || c->front->stopping) {
		conn_close(c);
		return;
	}
	c->state = CONN_LINGER;
	shutdown(c->watch.fd, SHUT_WR);
	conn_set_deadline(c, DEADLINE_LINGER);
	conn_arm(c);
}

void conn_finish(struct conn *c, bool linger)
{
	if (c->state != CONN_OPEN)
		return;
	c->state = CONN_FINISHING;
	c->reading = false;
	c->linger = linger;
	deadline_clear(&c->deadline);
	conn_flush(c);
	if (!c->broken && conn_pending(c) == 0)
		end(c);
}

/* What still comes is thrown away, for as long as the deadline allows. */
static void linger(struct conn *c)
{
	if (recv(c->watch.fd, c->front->scratch, SCRATCH, 0) <= 0)
		conn_close(c);
}

static void on_plain_http(struct conn *c)
{
	log_trace("front", "plain HTTP on a TLS port from %s", c->peer.address);
	c->state = CONN_OPEN;
	buf_free(&c->in);
	http_answer(c, 400, "this port speaks HTTPS");
	conn_finish(c, true);
}

/* The context is that of this moment: who takes his time with a greeting is not
 * let in by an earlier policy. */
static void on_hello(struct conn *c)
{
	struct front *f = c->front;

	watch_forget(&f->watcher, &c->watch);
	c->state = CONN_HANDSHAKE;
	if (f->tls[c->peer.via]) {
		c->context = tls_context_ref(f->tls[c->peer.via]);
		if (handshake_submit(c))
			return;
	}
	atomic_fetch_add(&f->stats.refused, 1);
	conn_close(c);
}

static void on_hello_bytes(struct conn *c)
{
	if (!conn_fill(c)) {
		if (c->broken)
			conn_close(c);
		return;
	}
	switch (sniff_first_bytes(buf_view(&c->in))) {
	case SNIFF_HELLO: on_hello(c); return;
	case SNIFF_HTTP:
		/* A hint for browsers; others would not know what it is. */
		if (c->peer.via == PEER_HTTPS)
			on_plain_http(c);
		else
			conn_close(c);
		return;
	case SNIFF_NOISE: conn_close(c); return;
	case SNIFF_MORE: break;
	}
	if (c->eof)
		conn_close(c);
	else
		conn_arm(c);
}

static void on_input(struct conn *c)
{
	if (conn_fill(c) && !c->broken && c->ops->input)
		c->ops->input(c);
}

void conn_catch_up(struct conn *c)
{
	conn_flush(c);
	if (!c->broken && c->state == CONN_OPEN && c->behind &&
	    !conn_is_behind(c) && c->ops->writable)
		c->ops->writable(c);
}

static void on_writable(struct conn *c)
{
	if (c->state != CONN_FINISHING) {
		conn_catch_up(c);
		return;
	}
	conn_flush(c);
	if (!c->broken && conn_pending(c) == 0)
		end(c);
}

static void on_ready(struct watch *w, uint32_t events)
{
	struct conn *c = list_owner(w, struct conn, watch);

	if (c->state == CONN_CONNECTING) {
		connect_ready(c);
		return;
	}
	if (c->state == CONN_HELLO) {
		on_hello_bytes(c);
		return;
	}
	/* Nothing can be read or sent any more, or nobody wants to read. */
	if (c->broken ||
	    ((events & (EPOLLERR | EPOLLHUP)) && !(w->interest & EPOLLIN))) {
		if (c->state == CONN_OPEN && c->ops == &stream_conn_ops)
			conn_last_words(c);
		conn_close(c);
		return;
	}
	if (events & EPOLLOUT)
		on_writable(c);
	if (c->state == CONN_LINGER && (events & ~(uint32_t)EPOLLOUT))
		linger(c);
	else if (c->state == CONN_OPEN && (events & ~(uint32_t)EPOLLOUT))
		on_input(c);
	if (c->broken)
		conn_close(c);
	else
		conn_arm(c);
}

/* The pool gives it back once it sees the end. */
void conn_cancel_handshake(struct conn *c)
{
	atomic_store(&c->cancelled, true);
	shutdown(c->watch.fd, SHUT_RDWR);
}

void conn_stop(struct conn *c)
{
	if (c->state == CONN_HANDSHAKE)
		conn_cancel_handshake(c);
	else if (c->state == CONN_CONNECTING || c->state == CONN_HELLO ||
		 c->state == CONN_LINGER)
		conn_close(c);
	else if (c->state == CONN_OPEN && c->ops->stop)
		c->ops->stop(c);
}

bool conn_evict_idle(struct front *f)
{
	struct list *idle = &f->deadlines.kinds[DEADLINE_IDLE];

	if (list_empty(idle))
		return false;
	conn_close(list_owner(idle->next, struct conn, deadline.node));
	return true;
}

static void on_deadline(struct deadline *d)
{
	struct conn *c = list_owner(d, struct conn, deadline);

	if (c->dial)
		c->dial->late = true;
	if (c->state == CONN_HELLO)
		atomic_fetch_add(&c->front->stats.handshakes_failed, 1);
	if (c->state == CONN_HANDSHAKE) {
		conn_cancel_handshake(c);
	} else if (c->state == CONN_OPEN && !c->broken && c->ops->expired) {
		c->ops->expired(c, d->kind);
	} else {
		conn_close(c);
	}
}

static void on_write_deadline(struct deadline *d)
{
	struct conn *c = list_owner(d, struct conn, write_deadline);

	log_trace("front", "%s takes nothing: closed", c->peer.address);
	conn_close(c);
}

static void on_quiet(struct deadline *d)
{
	struct conn *c = list_owner(d, struct conn, trim);

	if (c->state == CONN_OPEN)
		tls_conn_trim(c->tls);
}

struct conn *conn_make(struct front *f, int fd, const struct peer *peer,
		       struct admission_entry *admitted,
		       const struct front_stream_ops *stream)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	watch_init(&c->watch, fd, on_ready, on_release);
	c->front = f;
	c->peer = *peer;
	c->admitted = admitted;
	c->ops = &nobody;
	c->reading = true;
	c->stream = *stream;
	buf_init_secret(&c->in, f->limits.head_bytes + SNIFF_RECORD_MAX);
	/* Descriptions of calls hold keys. */
	if (stream->open)
		buf_init_secret(&c->out, OUT_MAX);
	else
		buf_init(&c->out, OUT_MAX);
	deadline_init(&c->deadline, on_deadline);
	deadline_init(&c->write_deadline, on_write_deadline);
	deadline_init(&c->trim, on_quiet);
	list_init(&c->done);
	list_append(&f->conns, &c->node);
	f->conn_count++;
	if (peer->via == PEER_CONTROL)
		f->control_count++;
	if (via_is_stream(peer->via))
		f->flow_count++;
	note_counts(f);
	return c;
}

void conn_open(struct conn *c)
{
	c->state = CONN_OPEN;
	c->ops = c->stream.open ? &stream_conn_ops : &bridge_ops;
	c->ops->open(c);
	if (c->state == CONN_OPEN && (c->in.len > 0 || c->eof))
		c->ops->input(c);
	else if (c->state == CONN_OPEN)
		conn_catch_up(c);
	if (c->broken)
		conn_close(c);
	else
		conn_arm(c);
}

void conn_new(struct front *f, int fd, const struct peer *peer,
	      struct admission_entry *admitted,
	      const struct front_stream_ops *stream)
{
	struct conn *c = conn_make(f, fd, peer, admitted, stream);

	if (!c) {
		close(fd);
		admission_leave(admitted);
		atomic_fetch_add(&f->stats.refused, 1);
		return;
	}
	if (!via_is_tls(peer->via)) {
		conn_open(c);
		return;
	}
	c->state = CONN_HELLO;
	conn_set_deadline(c, DEADLINE_HANDSHAKE);
	on_hello_bytes(c);
	if (c->state == CONN_HELLO)
		conn_arm(c);
}

static void adopt_failed(struct conn *c)
{
	atomic_fetch_add(&c->front->stats.handshakes_failed, 1);
	if (c->dial)
		conn_let_go(c);
	if (!c->tls || c->eof || c->broken) {
		conn_close(c);
		return;
	}
	/* Let the alert arrive. */
	c->notified = true;
	c->state = CONN_OPEN;
	conn_finish(c, true);
}

static void note_tls(struct conn *c)
{
	const struct client_certificate *certificate = tls_conn_peer(c->tls);
	struct tls_info info;

	tls_conn_info(c->tls, &info);
	c->peer.tls_version = info.version;
	snprintf(c->peer.tls_cipher, sizeof(c->peer.tls_cipher), "%s",
		 info.cipher);
	if (certificate)
		c->peer.certificate = *certificate;
}

void conn_adopt(struct conn *c)
{
	struct front *f = c->front;

	deadline_clear(&c->deadline);
	/* What was given up meanwhile does not come back. */
	if (!c->established || f->stopping || atomic_load(&c->cancelled)) {
		adopt_failed(c);
		return;
	}
	atomic_fetch_add(&f->stats.handshakes, 1);
	deadline_set(&f->deadlines, &c->trim, DEADLINE_TRIM);
	note_tls(c);
	conn_open(c);
}
