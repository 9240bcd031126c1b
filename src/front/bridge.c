/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "front/bridge.h"

#include <stdlib.h>

#include "base/log.h"
#include "front/http_answer.h"

/* The client's side of HTTP: requests are collected whole before anything
 * reaches the backend, so a slow client costs a buffer and never one of
 * civetweb's threads. */

void exchange_drop_body(struct exchange *x)
{
	buf_free(&x->rq.body);
	x->front->buffered -= x->charged;
	x->charged = 0;
}

void exchange_end_share(struct exchange *x)
{
	admission_end_request(x->address);
	x->address = NULL;
}

void exchange_free(struct exchange *x)
{
	if (!x)
		return;
	exchange_drop_body(x);
	exchange_end_share(x);
	http_request_free(&x->rq);
	free(x);
}

static struct exchange *exchange_new(struct conn *c)
{
	const struct front_limits *limits = &c->front->limits;
	struct exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->front = c->front;
	x->conn = c;
	x->control = c->peer.via == PEER_CONTROL;
	list_init(&x->wait);
	http_request_init(&x->rq, limits->head_bytes, limits->body_bytes);
	c->upper = x;
	return x;
}

/* Take the exchange off its connection. */
static void part(struct exchange *x)
{
	x->conn->upper = NULL;
	x->conn = NULL;
}

/* A last answer of our own. The client may still be sending. */
static void refuse(struct conn *c, unsigned status, const char *text)
{
	log_trace("front", "%s: %u %s", c->peer.address, status, text);
	http_answer(c, status, text);
	conn_finish(c, true);
}

static void charge(struct exchange *x)
{
	x->front->buffered += x->rq.body.cap - x->charged;
	x->charged = x->rq.body.cap;
}

static void forward(struct exchange *x)
{
	struct conn *c = x->conn;
	struct error e = ERROR_INIT;

	/* Reused only after requests that leave nothing behind: a handler that
	 * ignores a body would let civetweb read it as the next request, an
	 * answer to HEAD could bring a body that nobody announced. */
	x->keep = x->rq.get && x->rq.body.len == 0;
	if (http_request_close_head(&x->rq, x->keep, &e) < 0) {
		part(x);
		exchange_free(x);
		refuse(c, 503, "out of memory");
		return;
	}
	conn_set_reading(c, false);
	atomic_fetch_add(&c->front->stats.requests, 1);
	backend_submit(x);
}

static void await_more(struct conn *c)
{
	struct exchange *x = c->upper;
	enum deadline_kind kind;

	if (c->eof) {
		conn_finish(c, false);
		return;
	}
	if (!x || (!x->rq.head_done && c->in.len == 0)) {
		/* The first request has to come soon. */
		kind = deadline_runs(&c->deadline) ? c->deadline.kind
						   : DEADLINE_IDLE;
		buf_free(&c->in);
	} else {
		kind = x->rq.head_done ? DEADLINE_BODY : DEADLINE_HEAD;
	}
	if (!deadline_runs(&c->deadline) || c->deadline.kind != kind)
		conn_set_deadline(c, kind);
	conn_set_reading(c, true);
	conn_flush(c);
}

/* One step with what is there. True: there may be another one. */
static bool advance(struct conn *c)
{
	struct exchange *x = c->upper ? c->upper : exchange_new(c);
	enum http_step step;
	size_t used;

	if (!x) {
		refuse(c, 503, "out of memory");
		return false;
	}
	step = http_request_feed(&x->rq, buf_view(&c->in), &used);
	buf_consume(&c->in, used);
	charge(x);
	if (step != HTTP_REFUSED &&
	    c->front->buffered > c->front->limits.buffered_bytes) {
		step = HTTP_REFUSED;
		x->rq.refusal.status = 503;
		x->rq.refusal.text = "too many uploads at once";
	}
	switch (step) {
	case HTTP_MORE: return false;
	case HTTP_CONTINUE: http_answer_continue(c); return false;
	case HTTP_DONE: forward(x); return true;
	case HTTP_REFUSED: break;
	}
	part(x);
	refuse(c, x->rq.refusal.status, x->rq.refusal.text);
	exchange_free(x);
	return false;
}

static bool in_flight(const struct conn *c)
{
	const struct exchange *x = c->upper;

	return x && x->state != EXCHANGE_REQUEST;
}

static void bridge_input(struct conn *c)
{
	while (c->state == CONN_OPEN && !c->broken && !in_flight(c)) {
		if (conn_is_behind(c)) {
			/* It sends requests and reads no answers. */
			conn_set_reading(c, false);
			return;
		}
		if (c->in.len > 0 && advance(c))
			continue;
		if (c->state != CONN_OPEN)
			return;
		if (c->more && conn_fill(c))
			continue;
		await_more(c);
		return;
	}
}

static void bridge_open(struct conn *c)
{
	conn_set_deadline(c, DEADLINE_HEAD);
}

static void bridge_writable(struct conn *c)
{
	if (!in_flight(c)) {
		bridge_input(c);
		return;
	}
	conn_set_deadline(c, DEADLINE_RESPONSE);
	backend_resume(c->upper);
}

static void leave(struct conn *c)
{
	struct exchange *x = c->upper;

	if (!x)
		return;
	part(x);
	if (x->state == EXCHANGE_REQUEST)
		exchange_free(x);
	else
		backend_abandon(x);
}

static void bridge_expired(struct conn *c, enum deadline_kind kind)
{
	struct exchange *x = c->upper;
	bool begun = x != NULL || c->in.len > 0, started = x && x->started;

	leave(c);
	if (started)
		conn_close(c); /* the client sees that it broke off */
	else if (kind == DEADLINE_RESPONSE)
		refuse(c, 504, "the request took too long");
	else if (kind == DEADLINE_QUEUE)
		refuse(c, 503, "too many requests");
	else if (begun && kind != DEADLINE_IDLE)
		refuse(c, 408, "the request did not arrive in time");
	else
		conn_finish(c, false);
}

void bridge_output(struct exchange *x)
{
	conn_set_deadline(x->conn, DEADLINE_RESPONSE);
	conn_flush(x->conn);
}

void bridge_paused(struct exchange *x)
{
	/* Now it is the client who is slow: the write deadline runs. */
	deadline_clear(&x->conn->deadline);
}

void bridge_done(struct exchange *x, bool close)
{
	struct conn *c = x->conn;

	part(x);
	exchange_free(x);
	deadline_clear(&c->deadline);
	if (close || c->eof || c->front->stopping) {
		conn_finish(c, c->in.len > 0 || c->more);
		return;
	}
	conn_flush(c);
	bridge_input(c);
}

void bridge_failed(struct exchange *x, unsigned status, const char *text)
{
	struct conn *c = x->conn;
	bool started = x->started;

	part(x);
	exchange_free(x);
	if (started)
		conn_close(c);
	else
		refuse(c, status, text);
}

static void bridge_stop(struct conn *c)
{
	if (!in_flight(c)) /* else bridge_done() ends it */
		conn_finish(c, c->in.len > 0 || c->upper);
}

const struct conn_ops bridge_ops = {
	.open = bridge_open,
	.input = bridge_input,
	.writable = bridge_writable,
	.expired = bridge_expired,
	.stop = bridge_stop,
	.closed = leave,
};
