/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/secret.h"
#include "front/conn.h"

/* Bytes of a connection: plain or TLS, bounded both ways. */

/* One TLS record's worth; also the most ciphertext taken in one read. */
enum { RECORD = 16384, CIPHERTEXT = RECORD + 512 };

size_t conn_pending(const struct conn *c)
{
	size_t n = c->out.len - c->out_at;

	if (c->tls && c->state != CONN_HANDSHAKE)
		n += tls_conn_output(c->tls)->len;
	return n;
}

bool conn_is_behind(struct conn *c)
{
	size_t waits = c->out.len - c->out_at;
	size_t high =
	    c->front->outgoing > OUT_ALL_MAX ? OUT_HIGH_CROWDED : OUT_HIGH;

	/* Once behind, it has to catch up a good deal. */
	c->behind = waits >= (c->behind ? high / 4 : high);
	return c->behind;
}

static void out_taken(struct conn *c, size_t n)
{
	c->out_at += n;
	c->front->outgoing -= n;
	if (c->out_at == c->out.len) {
		buf_free(&c->out);
		c->out_at = 0;
	} else if (c->out_at > OUT_HIGH) {
		buf_consume(&c->out, c->out_at);
		c->out_at = 0;
	}
}

void conn_write(struct conn *c, const void *p, size_t n)
{
	struct error e = ERROR_INIT;

	if (c->broken || n == 0)
		return;
	if (buf_add(&c->out, p, n, &e) < 0) {
		c->broken = true;
		return;
	}
	c->front->outgoing += n;
}

/* The next bytes for the socket: false when there are none. */
static bool next_bytes(struct conn *c, struct view *v)
{
	struct error e = ERROR_INIT;
	struct view plain =
	    view_of(c->out.ptr + c->out_at, c->out.len - c->out_at);
	struct buf *o;

	if (!c->tls) {
		*v = plain;
		return v->len > 0;
	}
	o = tls_conn_output(c->tls);
	if (plain.len > 0 && o->len < RECORD) {
		size_t n = plain.len < RECORD ? plain.len : RECORD;

		if (tls_conn_write(c->tls, plain.ptr, n, &e) < 0) {
			c->broken = true;
			return false;
		}
		out_taken(c, n);
	}
	if (c->state == CONN_FINISHING && c->out.len == 0 && !c->notified) {
		tls_conn_close_notify(c->tls);
		c->notified = true;
	}
	*v = buf_view(o);
	return v->len > 0;
}

static void watch_progress(struct conn *c, size_t sent)
{
	if (c->tls && sent > 0)
		deadline_set(&c->front->deadlines, &c->trim, DEADLINE_TRIM);
	c->moved += sent;
	if (conn_pending(c) == 0) {
		deadline_clear(&c->write_deadline);
		c->moved = 0;
	} else if (!deadline_runs(&c->write_deadline) ||
		   c->moved >= WRITE_PROGRESS_MIN) {
		deadline_set(&c->front->deadlines, &c->write_deadline,
			     DEADLINE_WRITE);
		c->moved = 0;
	}
}

void conn_flush(struct conn *c)
{
	struct view v;
	size_t sent = 0;

	c->blocked = false;
	while (!c->broken && next_bytes(c, &v)) {
		ssize_t n = send(c->watch.fd, v.ptr, v.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			c->blocked = errno == EAGAIN;
			c->broken = !c->blocked;
			break;
		}
		if (c->tls)
			buf_consume(tls_conn_output(c->tls), (size_t)n);
		else
			out_taken(c, (size_t)n);
		sent += (size_t)n;
		if ((size_t)n < v.len) {
			c->blocked = true;
			break;
		}
	}
	watch_progress(c, sent);
	conn_arm(c);
}

/* Tell the event loop what this connection waits for. A broken one waits for
 * writability, which comes at once: it is closed from there. */
void conn_arm(struct conn *c)
{
	uint32_t wanted = 0;

	if (c->state == CONN_HANDSHAKE || c->state == CONN_CLOSED)
		return;
	if (c->broken || c->blocked || c->state == CONN_CONNECTING)
		wanted |= EPOLLOUT;
	if (c->state == CONN_HELLO || c->state == CONN_LINGER ||
	    (c->state == CONN_OPEN && c->reading && !c->eof &&
	     c->in.len < c->in.max))
		wanted |= EPOLLIN;
	if (!wanted && !c->watch.added)
		return;
	if (watch_set(&c->front->watcher, &c->watch, wanted) < 0) {
		/* No event will come: the deadline ends it. */
		c->broken = true;
		conn_set_deadline(c, DEADLINE_LINGER);
	}
}

void conn_set_reading(struct conn *c, bool reading)
{
	c->reading = reading;
	conn_arm(c);
}

/* The n bytes in the scratch area are the peer's words: a request may bring a
 * private key, so nothing of it stays there. */
static void take_scratch(struct conn *c, size_t n)
{
	struct error e = ERROR_INIT;

	if (buf_add(&c->in, c->front->scratch, n, &e) < 0)
		c->broken = true;
	c->heard_ms = uv_now(c->front->loop);
	secret_wipe(c->front->scratch, n);
}

/* Remember it for those above. Without memory nobody hears of it. */
static void note_failure(struct conn *c, const struct error *e)
{
	if (e->kind == ERR_NONE || c->failure)
		return;
	c->failure = malloc(sizeof(*c->failure));
	if (c->failure)
		*c->failure = *e;
}

static void fail_socket(struct conn *c, const char *what)
{
	struct error e = ERROR_INIT;

	c->broken = true;
	error_errno(&e, "%s", what);
	note_failure(c, &e);
}

/* One read from the socket into the scratch area. 0: nothing or the end. */
static size_t receive(struct conn *c, size_t most)
{
	ssize_t n;

	do
		n = recv(c->watch.fd, c->front->scratch, most, 0);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		c->eof = true;
	else if (n < 0 && errno != EAGAIN)
		fail_socket(c, "recv");
	return n > 0 ? (size_t)n : 0;
}

/* Decrypt into c->in as far as there is room. */
static void drain_tls(struct conn *c)
{
	struct error e = ERROR_INIT;

	c->more = false;
	while (!c->broken && !c->eof) {
		size_t room = c->in.max - c->in.len, got = 0;
		enum tls_step step;

		if (room == 0) {
			c->more = true;
			return;
		}
		step = tls_conn_read(c->tls, c->front->scratch,
				     room < SCRATCH ? room : SCRATCH, &got, &e);
		if (step == TLS_STEP_DONE)
			take_scratch(c, got);
		else if (step == TLS_STEP_CLOSED)
			c->eof = true;
		else if (step == TLS_STEP_WANT_READ)
			return;
		else
			c->broken = true;
	}
	if (c->broken)
		note_failure(c, &e);
}

static void fill_tls(struct conn *c)
{
	struct error e = ERROR_INIT;
	size_t n;

	if (c->more)
		drain_tls(c);
	if (c->more || c->eof || c->broken)
		return;
	n = receive(c, CIPHERTEXT);
	if (c->eof) {
		tls_conn_feed_eof(c->tls);
		return;
	}
	if (n == 0)
		return;
	if (tls_conn_feed(c->tls, c->front->scratch, n, &e) < 0) {
		c->broken = true;
		return;
	}
	deadline_set(&c->front->deadlines, &c->trim, DEADLINE_TRIM);
	drain_tls(c);
	/* Reading may answer: a key update, an alert. */
	if (tls_conn_output(c->tls)->len > 0)
		conn_flush(c);
}

void conn_last_words(struct conn *c)
{
	enum tls_step step = TLS_STEP_WANT_READ;
	struct error e = ERROR_INIT;
	size_t n, got = 0;

	if (!c->tls || c->failure || c->eof)
		return;
	n = receive(c, CIPHERTEXT);
	if (n > 0 && tls_conn_feed(c->tls, c->front->scratch, n, &e) == 0)
		do
			step = tls_conn_read(c->tls, c->front->scratch, SCRATCH,
					     &got, &e);
		while (step == TLS_STEP_DONE);
	secret_wipe(c->front->scratch, SCRATCH);
	if (step == TLS_STEP_FAILED)
		note_failure(c, &e);
}

bool conn_fill(struct conn *c)
{
	size_t before = c->in.len, room = c->in.max - c->in.len, n;

	if (c->eof || c->broken || room == 0)
		return false;
	if (c->tls) {
		fill_tls(c);
	} else {
		n = receive(c, room < SCRATCH ? room : SCRATCH);
		if (n > 0)
			take_scratch(c, n);
	}
	return c->in.len > before || c->eof;
}
