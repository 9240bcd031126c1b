/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/dial.h"

enum {
	WRITE_MAX = 16384, /* of tls_conn_write() */
	READ_BYTES = 16384,
	EARLY_MAX = 256, /* of the first words of a server, kept for read */
	/* A server that talks without end is heard so many times after the
	 * deadline (one look is always allowed). */
	FEEDS_MAX = 16
};

struct net_stream {
	int fd, cancel;
	struct tls_conn *tls; /* NULL: plain */
	uint64_t sent;
	uint8_t early[EARLY_MAX];
	size_t early_len;
};

static int64_t deadline_in(unsigned ms)
{
	return clock_monotonic_ms() + ms;
}

/* --- the socket ----------------------------------------------------------- */

/* One send(2): how many bytes went, 0 when there is no room. */
static int send_some(struct net_stream *s, const void *p, size_t n,
		     size_t *went_out, struct error *e)
{
	ssize_t went = send(s->fd, p, n, MSG_NOSIGNAL);

	*went_out = 0;
	if (went < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (went < 0)
		return error_errno(e, "send");
	s->sent += (uint64_t)went;
	*went_out = (size_t)went;
	return 0;
}

static int send_all(struct net_stream *s, const uint8_t *p, size_t n,
		    int64_t deadline, struct error *e)
{
	while (n) {
		size_t went;

		if (send_some(s, p, n, &went, e) < 0 ||
		    (!went &&
		     net_wait(s->fd, POLLOUT, deadline, s->cancel, e) < 0))
			return -1;
		p += went;
		n -= went;
	}
	return 0;
}

/* What there is, *got_out 0 at the end; waits for it. Who has given up is not
 * kept by a server that talks without end. */
static int receive(struct net_stream *s, void *p, size_t n, int64_t deadline,
		   size_t *got_out, struct error *e)
{
	while (net_wait(s->fd, POLLIN, deadline, s->cancel, e) == 0) {
		ssize_t got = recv(s->fd, p, n, 0);

		if (got >= 0) {
			*got_out = (size_t)got;
			return 0;
		}
		if (errno != EAGAIN && errno != EINTR)
			return error_errno(e, "recv");
	}
	return -1;
}

/* --- TLS over it ---------------------------------------------------------- */

static int flush(struct net_stream *s, int64_t deadline, struct error *e)
{
	struct buf *out = tls_conn_output(s->tls);

	if (send_all(s, out->ptr, out->len, deadline, e) < 0)
		return -1;
	buf_consume(out, out->len);
	return 0;
}

/* Some ciphertext of the server, or its end. */
static int feed(struct net_stream *s, int64_t deadline, struct error *e)
{
	uint8_t bytes[READ_BYTES];
	size_t got;

	if (receive(s, bytes, sizeof(bytes), deadline, &got, e) < 0)
		return -1;
	if (got)
		return tls_conn_feed(s->tls, bytes, got, e);
	tls_conn_feed_eof(s->tls);
	return 0;
}

/* Alerts of ours go out also where a failure is what is told. */
static void flush_last_words(struct net_stream *s)
{
	struct error ignored = ERROR_INIT;

	if (flush(s, 0, &ignored) < 0)
		return;
}

static int time_over(struct error *e)
{
	return error_set(e, ERR_TIMEOUT, "no end in the time allowed");
}

static int shake_hands(struct net_stream *s, int64_t deadline, struct error *e)
{
	enum tls_step step;

	while ((step = tls_conn_handshake(s->tls, e)) == TLS_STEP_WANT_READ) {
		if (flush(s, deadline, e) < 0 || feed(s, deadline, e) < 0)
			return -1;
		if (clock_monotonic_ms() > deadline)
			return time_over(e);
	}
	if (step == TLS_STEP_DONE)
		return flush(s, deadline, e);
	flush_last_words(s);
	if (step == TLS_STEP_CLOSED)
		error_set(e, ERR_TLS,
			  "the server closed the connection instead of the "
			  "TLS handshake");
	return -1;
}

/* As net_stream_read(). */
static int read_tls(struct net_stream *s, void *p, size_t n, int64_t deadline,
		    size_t *got_out, struct error *e)
{
	*got_out = 0;
	for (int feeds = 0;; feeds++) {
		switch (tls_conn_read(s->tls, p, n, got_out, e)) {
		case TLS_STEP_DONE: return 0;
		case TLS_STEP_CLOSED: *got_out = 0; return 0;
		case TLS_STEP_FAILED: flush_last_words(s); return -1;
		case TLS_STEP_WANT_READ: break;
		}
		if (feeds >= FEEDS_MAX && clock_monotonic_ms() >= deadline)
			return time_over(e);
		if (flush(s, deadline, e) < 0 || feed(s, deadline, e) < 0)
			return -1;
	}
}

/* The connection broke under a write: what the server said before, an alert
 * above all, explains it better than the kernel does. */
static void explain(struct net_stream *s, struct error *e)
{
	struct error said = ERROR_INIT;
	uint8_t bytes[512];
	size_t got = 1;
	int rc = 0;

	for (int i = 0; i < FEEDS_MAX && rc == 0 && got; i++)
		rc = read_tls(s, bytes, sizeof(bytes), 0, &got, &said);
	if (rc < 0 && said.kind == ERR_TLS)
		*e = said;
}

static int write_tls(struct net_stream *s, const uint8_t *p, size_t n,
		     int64_t deadline, struct error *e)
{
	while (n) {
		size_t part = n < WRITE_MAX ? n : WRITE_MAX;

		if (tls_conn_write(s->tls, p, part, e) < 0)
			return -1;
		if (flush(s, deadline, e) < 0) {
			if (e->kind == ERR_IO)
				explain(s, e);
			return -1;
		}
		p += part;
		n -= part;
	}
	return 0;
}

/* --- the whole ------------------------------------------------------------ */

static int connect_and_greet(struct net_stream *s,
			     const struct net_stream_options *o,
			     struct error *e)
{
	int64_t deadline = deadline_in(o->limit_ms);

	s->fd = net_dial(o->to, deadline, o->cancel, e);
	if (s->fd < 0)
		return -1;
	if (!o->tls)
		return 0;
	s->tls = tls_conn_new_to(o->tls, o->to->host, e);
	return s->tls ? shake_hands(s, deadline, e) : -1;
}

struct net_stream *net_stream_open(const struct net_stream_options *o,
				   struct error *e)
{
	struct net_stream *s = calloc(1, sizeof(*s));

	if (!s) {
		error_nomem(e);
		return NULL;
	}
	s->fd = -1;
	s->cancel = o->cancel;
	if (connect_and_greet(s, o, e) == 0)
		return s;
	error_prefix(e, "%s port %u", o->to->host, o->to->port);
	net_stream_close(s);
	return NULL;
}

void net_stream_close(struct net_stream *s)
{
	if (!s)
		return;
	if (s->tls && s->fd >= 0) {
		tls_conn_close_notify(s->tls);
		flush_last_words(s);
	}
	tls_conn_free(s->tls);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

int net_stream_settle(struct net_stream *s, unsigned limit_ms, struct error *e)
{
	int64_t deadline = deadline_in(limit_ms);
	struct tls_info info;
	int rc;

	if (!s->tls)
		return 0;
	tls_conn_info(s->tls, &info);
	if (info.version != TLS_1_3)
		return 0;
	rc = net_wait(s->fd, POLLIN, deadline, s->cancel, e);
	if (rc == 0) {
		rc = read_tls(s, s->early, sizeof(s->early), 0, &s->early_len,
			      e);
		if (rc == 0 && !s->early_len)
			return error_set(e, ERR_IO,
					 "the server closed the connection "
					 "right after the handshake");
	}
	if (rc < 0 && e->kind == ERR_TIMEOUT) {
		error_clear(e);
		rc = 0;
	}
	return rc;
}

int net_stream_write(struct net_stream *s, const void *p, size_t n,
		     unsigned limit_ms, struct error *e)
{
	int64_t deadline = deadline_in(limit_ms);

	return s->tls ? write_tls(s, p, n, deadline, e)
		      : send_all(s, p, n, deadline, e);
}

int net_stream_read(struct net_stream *s, void *p, size_t n, unsigned limit_ms,
		    size_t *got_out, struct error *e)
{
	int64_t deadline = deadline_in(limit_ms);

	if (s->early_len) {
		*got_out = n < s->early_len ? n : s->early_len;
		memcpy(p, s->early, *got_out);
		s->early_len -= *got_out;
		memmove(s->early, s->early + *got_out, s->early_len);
		return 0;
	}
	return s->tls ? read_tls(s, p, n, deadline, got_out, e)
		      : receive(s, p, n, deadline, got_out, e);
}

int net_stream_fd(const struct net_stream *s)
{
	return s->fd;
}

uint64_t net_stream_sent(const struct net_stream *s)
{
	return s->sent;
}

uint64_t net_stream_acknowledged(const struct net_stream *s)
{
	int unacknowledged = 0;

	if (ioctl(s->fd, SIOCOUTQ, &unacknowledged) < 0 || unacknowledged < 0 ||
	    (uint64_t)unacknowledged > s->sent)
		return s->sent;
	return s->sent - (uint64_t)unacknowledged;
}
