/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "front/connect.h"

/* Connections whose bytes go to a handler in this process. Of deadlines they
 * have one for silence, and one for what their handler says has begun: it knows
 * its protocol. They are not set again at each byte; what was heard is looked
 * up once in a while, because listeners differ in it and there are thousands of
 * streams. */

struct front_stream {
	struct conn *conn;
	void *user;
	bool opened;
	bool heard;   /* the peer has spoken */
	bool paused;  /* the handler took less than it was offered */
	bool busy;    /* inside the handler's data() */
	bool closing; /* asked for meanwhile */
	bool pending;
	uint64_t pending_since; /* ms of the loop */
};

static void stream_input(struct conn *c)
{
	struct front_stream *s = c->upper;

	s->busy = true;
	while (!s->paused && !s->closing && !c->broken) {
		size_t n;

		if (c->in.len == 0 && !(c->more && conn_fill(c) && c->in.len))
			break;
		s->heard = true;
		n = c->stream.data(s, s->user, c->in.ptr, c->in.len);
		if (n < c->in.len)
			s->paused = true;
		buf_consume(&c->in, n);
	}
	s->busy = false;
	if (c->in.len == 0)
		buf_free(&c->in);
	if (s->closing || (c->eof && c->in.len == 0)) {
		conn_finish(c, !c->eof);
		return;
	}
	conn_set_reading(c, !s->paused);
	conn_catch_up(c);
}

static int make(struct conn *c)
{
	struct front_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return -1;
	s->conn = c;
	c->upper = s;
	return 0;
}

int stream_prepare(struct conn *c)
{
	if (make(c) < 0)
		return -1;
	c->ops = &stream_conn_ops;
	return 0;
}

/* How long the peer may be silent; 0: for ever. */
static unsigned patience(const struct front_stream *s)
{
	const struct conn *c = s->conn;

	return s->heard || c->peer.called || !c->stream.silent_ms
		   ? c->stream.idle_ms
		   : c->stream.silent_ms;
}

static bool is_looked_at(const struct front_stream *s)
{
	return patience(s) || s->conn->stream.pending_ms;
}

static bool is_overdue(const struct front_stream *s)
{
	const struct conn *c = s->conn;
	uint64_t now = uv_now(c->front->loop);
	unsigned ms = patience(s), pending_ms = c->stream.pending_ms;

	return (ms && now - c->heard_ms >= ms) ||
	       (pending_ms && s->pending &&
		now - s->pending_since >= pending_ms);
}

static void stream_expired(struct conn *c, enum deadline_kind kind)
{
	struct front_stream *s = c->upper;

	if (is_overdue(s))
		front_stream_close(s);
	else if (is_looked_at(s))
		conn_set_deadline(c, kind);
}

static void stream_open(struct conn *c)
{
	struct front_stream *s;

	if (!c->upper && make(c) < 0) {
		conn_close(c);
		return;
	}
	s = c->upper;
	dial_free(c->dial);
	c->dial = NULL;
	c->heard_ms = uv_now(c->front->loop);
	s->busy = true;
	s->opened = c->stream.open(s, &c->peer, c->stream.arg, &s->user) == 0;
	s->busy = false;
	if (!s->opened)
		conn_close(c);
	else if (s->closing)
		conn_finish(c, true);
	else if (is_looked_at(s))
		conn_set_deadline(c, DEADLINE_STREAM);
}

static void stream_writable(struct conn *c)
{
	struct front_stream *s = c->upper;

	if (c->stream.writable)
		c->stream.writable(s, s->user);
}

static void stream_closed(struct conn *c)
{
	struct front_stream *s = c->upper;

	if (!s)
		return;
	if (s->opened && c->stream.closed)
		c->stream.closed(s, s->user);
	else if (c->dial && !s->closing)
		c->stream.failed(s, c->stream.arg, connect_failure(c),
				 c->tls ? tls_conn_refusal(c->tls) : NULL);
	c->upper = NULL;
	free(s);
}

bool front_stream_write(struct front_stream *s, const void *p, size_t n)
{
	struct conn *c = s->conn;

	if (c->state != CONN_OPEN || s->closing)
		return false;
	conn_write(c, p, n);
	if (!s->busy)
		conn_flush(c);
	else if (c->broken)
		conn_arm(c);
	return !conn_is_behind(c);
}

void front_stream_resume(struct front_stream *s)
{
	s->paused = false;
	if (!s->busy && s->conn->state == CONN_OPEN)
		stream_input(s->conn);
}

void front_stream_pending(struct front_stream *s, bool pending)
{
	if (pending && !s->pending)
		s->pending_since = uv_now(s->conn->front->loop);
	s->pending = pending;
}

void front_stream_close(struct front_stream *s)
{
	struct conn *c = s->conn;

	s->closing = true;
	if (c->state == CONN_HANDSHAKE)
		conn_cancel_handshake(c);
	else if (c->state == CONN_CONNECTING)
		conn_close(c);
	else if (!s->busy)
		conn_finish(c, !c->eof);
}

const struct error *front_stream_failure(const struct front_stream *s)
{
	return s->conn->failure;
}

const struct peer *front_stream_peer(const struct front_stream *s)
{
	return &s->conn->peer;
}

static void stream_stop(struct conn *c)
{
	front_stream_close(c->upper);
}

const struct conn_ops stream_conn_ops = {
	.open = stream_open,
	.input = stream_input,
	.writable = stream_writable,
	.expired = stream_expired,
	.stop = stream_stop,
	.closed = stream_closed,
};
