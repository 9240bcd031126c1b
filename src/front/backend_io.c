/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "front/backend.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/log.h"

/* One request and its answer on a connection to civetweb. */

void backend_want(struct backend *b, bool input)
{
	const struct exchange *x = b->x;
	uint32_t events = input ? EPOLLIN : 0;

	if (x && !b->mute && b->sent < x->rq.head.len + x->rq.body.len)
		events |= EPOLLOUT;
	if (watch_set(&b->front->watcher, &b->watch, events) < 0) {
		log_error("front", "backend: %s", strerror(errno));
		/* No event will come. */
		deadline_set(&b->front->deadlines, &b->deadline,
			     DEADLINE_BACKEND);
	}
}

/* What is left of the request, in one call and without SIGPIPE. */
static ssize_t send_some(struct backend *b)
{
	struct buf *head = &b->x->rq.head, *body = &b->x->rq.body;
	struct iovec parts[2];
	struct msghdr m = { .msg_iov = parts };
	size_t in_body = b->sent < head->len ? 0 : b->sent - head->len;

	if (b->sent < head->len)
		parts[m.msg_iovlen++] =
		    (struct iovec){ head->ptr + b->sent, head->len - b->sent };
	if (in_body < body->len)
		parts[m.msg_iovlen++] =
		    (struct iovec){ body->ptr + in_body, body->len - in_body };
	return sendmsg(b->watch.fd, &m, MSG_NOSIGNAL);
}

void backend_send(struct backend *b)
{
	size_t all = b->x->rq.head.len + b->x->rq.body.len;

	while (!b->mute && b->sent < all) {
		ssize_t n = send_some(b);

		if (n < 0 && errno == EINTR)
			continue;
		/* An answer may be there all the same: reading decides. */
		if (n < 0 && errno != EAGAIN && errno != ENOTCONN)
			b->mute = true;
		if (n < 0)
			break;
		b->sent += (size_t)n;
	}
	backend_want(b, true);
}

static void complete(struct backend *b, bool clean)
{
	struct front *f = b->front;
	struct exchange *x = b->x;
	bool close = b->rs.client_closes;

	exchange_drop_body(x);
	backend_release(b, clean);
	backend_submit_waiting(f);
	if (x->conn)
		bridge_done(x, close);
	else
		exchange_free(x);
	front_settle(f);
}

/* A kept connection that civetweb closed just then is no fault of the
 * request: once, it may have another one. */
static bool is_stale(const struct backend *b)
{
	return b->x->conn && b->reused && !b->seen && !b->x->retried;
}

/* The kernel's word that the peer did not read everything, once: asking takes
 * it away. */
static bool take_reset(const struct backend *b)
{
	int error = 0;
	socklen_t len = sizeof(error);

	return getsockopt(b->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len) ==
		   0 &&
	       error != 0;
}

/* Requests that change something only when they were not read whole. */
static bool may_retry(const struct backend *b, bool reset)
{
	return is_stale(b) && (b->x->rq.safe || b->mute || reset);
}

void backend_fail(struct backend *b, bool reset, const char *text)
{
	struct front *f = b->front;
	struct exchange *x = b->x;
	bool retry = may_retry(b, reset || take_reset(b));

	b->x = NULL;
	x->backend = NULL;
	exchange_end_share(x);
	backend_close(b);
	if (retry) {
		x->retried = true;
		backend_submit_fresh(x);
	} else if (x->conn) {
		log_warning("front", "backend: %s", text);
		bridge_failed(x, 502, text);
	} else {
		exchange_free(x);
	}
	backend_submit_waiting(f);
	front_settle(f);
}

/* When civetweb closes while the request is on its way, the kernel may tell the
 * end first and the reset, which says that the request was not read, a moment
 * later. */
static void wait_for_reset(struct backend *b)
{
	b->ended = true;
	/* The end would be told again and again. */
	watch_forget(&b->front->watcher, &b->watch);
	deadline_set(&b->front->deadlines, &b->deadline, DEADLINE_RESET);
}

static void on_end(struct backend *b, bool reset)
{
	if (b->state != BACKEND_BUSY) {
		backend_close(b);
		backend_submit_waiting(b->front);
		front_settle(b->front);
		return;
	}
	if (!reset && http_response_end(&b->rs) == HTTP_DONE) {
		complete(b, false);
		return;
	}
	reset = reset || take_reset(b);
	if (b->ended || !is_stale(b) || may_retry(b, reset))
		backend_fail(b, reset, "the web server broke off");
	else
		wait_for_reset(b);
}

/* An answer that cannot be passed on: its connection is drained like one whose
 * client is gone. */
static void on_bad_answer(struct backend *b)
{
	struct exchange *x = b->x;
	const char *text = b->rs.refusal.text;

	log_warning("front", "backend: %s", text);
	exchange_drop_body(x);
	backend_release(b, false);
	if (x->conn)
		bridge_failed(x, 502, text);
	else
		exchange_free(x);
	front_settle(b->front);
}

static void on_answer(struct backend *b, struct view data)
{
	struct exchange *x = b->x;
	struct conn *c = x->conn;
	size_t used, before = c ? c->out.len : 0;
	enum http_step step;

	if (!b->seen) {
		b->seen = true;
		if (b->sent == x->rq.head.len + x->rq.body.len)
			exchange_drop_body(x);
	}
	step = http_response_feed(&b->rs, data, &used, c ? &c->out : NULL);
	if (c && step == HTTP_REFUSED && !x->started)
		c->out.len = before; /* nothing was sent of it yet */
	if (c && c->out.len > before) {
		b->front->outgoing += c->out.len - before;
		x->started = true;
	}
	if (step == HTTP_REFUSED) {
		on_bad_answer(b);
	} else if (step == HTTP_DONE) {
		if (used < data.len)
			log_warning("front", "backend: %zu bytes too many",
				    data.len - used);
		complete(b, used == data.len);
	} else if (c && b->rs.body_begun) {
		/* A head alone waits for the first bytes of its body. */
		bridge_output(x);
	}
}

static void pause_reading(struct backend *b, uint32_t events)
{
	bridge_paused(b->x);
	if (events & (EPOLLERR | EPOLLHUP)) /* would be told for ever */
		watch_forget(&b->front->watcher, &b->watch);
	else
		backend_want(b, false);
}

static void receive(struct backend *b, uint32_t events)
{
	struct front *f = b->front;
	ssize_t n;

	if (b->x && b->x->conn && conn_is_behind(b->x->conn)) {
		pause_reading(b, events);
		return;
	}
	n = recv(b->watch.fd, f->scratch, SCRATCH, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		on_end(b, n < 0);
	} else if (b->state == BACKEND_BUSY) {
		on_answer(b, view_of(f->scratch, (size_t)n));
	} else if (b->state == BACKEND_IDLE) {
		log_warning("front", "backend: unexpected bytes");
		backend_close(b);
	}
}

void backend_ready(struct watch *w, uint32_t events)
{
	struct backend *b = list_owner(w, struct backend, watch);

	if ((events & EPOLLOUT) && b->x)
		backend_send(b);
	if (events & ~(uint32_t)EPOLLOUT)
		receive(b, events);
}
