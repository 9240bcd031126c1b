/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "front/conn.h"

/* Connections whose bytes go to a handler in this process. They have no
 * deadline of their own between messages: the handler knows its protocol. */

struct front_stream {
	struct conn *conn;
	void *user;
	bool opened;
	bool paused;  /* the handler took less than it was offered */
	bool busy;    /* inside the handler's data() */
	bool closing; /* asked for meanwhile */
};

static void stream_input(struct conn *c)
{
	struct front_stream *s = c->upper;

	s->busy = true;
	while (!s->paused && !s->closing && !c->broken) {
		size_t n;

		if (c->in.len == 0 && !(c->more && conn_fill(c) && c->in.len))
			break;
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
	conn_flush(c);
}

static void stream_open(struct conn *c)
{
	struct front_stream *s = calloc(1, sizeof(*s));

	if (!s) {
		conn_close(c);
		return;
	}
	s->conn = c;
	c->upper = s;
	s->busy = true;
	s->opened = c->stream.open(s, &c->peer, c->stream.arg, &s->user) == 0;
	s->busy = false;
	if (!s->opened)
		conn_close(c);
	else if (s->closing)
		conn_finish(c, true);
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

	c->upper = NULL;
	if (s && s->opened && c->stream.closed)
		c->stream.closed(s, s->user);
	free(s);
}

bool front_stream_write(struct front_stream *s, const void *p, size_t n)
{
	struct conn *c = s->conn;

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

void front_stream_close(struct front_stream *s)
{
	s->closing = true;
	if (!s->busy)
		conn_finish(s->conn, !s->conn->eof);
}

static void stream_stop(struct conn *c)
{
	front_stream_close(c->upper);
}

const struct conn_ops stream_conn_ops = {
	.open = stream_open,
	.input = stream_input,
	.writable = stream_writable,
	.stop = stream_stop,
	.closed = stream_closed,
};
