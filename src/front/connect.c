/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "front/connect.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "cert/host_identity.h"
#include "front/address.h"

/* From the wish to the connected socket; the handshake is the pool's. */

void dial_free(struct dial *d)
{
	if (d)
		free(d->host);
	free(d);
}

/* How long what was sent may stay without a word from the peer's kernel; then
 * the connection is lost. Who keeps a connection open by sending now and then
 * learns that its peer is gone. */
enum { UNACKNOWLEDGED_MS = 60000 };

static void tune(int fd)
{
	const unsigned silence = UNACKNOWLEDGED_MS;
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence,
		   sizeof(silence));
	/* The port is chosen for the pair of addresses, so that those of one
	 * local address do not run out. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
}

static int start(int fd, const struct sockaddr_storage *local,
		 const struct sockaddr_storage *to, struct error *e)
{
	tune(fd);
	if (local &&
	    bind(fd, (const struct sockaddr *)local, address_length(local)) < 0)
		return error_errno(e, "cannot call from that address");
	if (connect(fd, (const struct sockaddr *)to, address_length(to)) < 0 &&
	    errno != EINPROGRESS)
		return error_errno(e, "connect");
	return 0;
}

/* A socket on its way, or -1. */
static int open_socket(const struct front_connect_options *o,
		       const struct sockaddr_storage *to, struct error *e)
{
	struct sockaddr_storage local;
	int fd;

	if (o->local_address &&
	    address_parse(o->local_address, 0, &local, e) < 0)
		return -1;
	if (o->local_address && local.ss_family != to->ss_family)
		return error_set(e, ERR_INPUT,
				 "cannot call %s from %s: not of one family",
				 o->address, o->local_address);
	fd = socket(to->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	if (fd < 0)
		return error_errno(e, "socket");
	if (start(fd, o->local_address ? &local : NULL, to, e) == 0)
		return fd;
	close(fd);
	error_prefix(e, "%s port %u", o->address, (unsigned)o->port);
	return -1;
}

static int check(struct front *f, const struct front_connect_options *o,
		 const struct front_stream_ops *ops, struct error *e)
{
	struct host host;

	if (!ops->open || !ops->data || !ops->failed || !o->port)
		return error_set(e, ERR_INPUT,
				 "a connection needs a port and a handler");
	if (o->tls && !o->host)
		return error_set(e, ERR_INPUT,
				 "a TLS connection needs the host's name");
	if (o->tls && host_parse(o->host, &host, e) < 0)
		return -1;
	if (f->stopping)
		return error_set(e, ERR_CANCELLED, "the service is stopping");
	if (f->flow_count >= f->limits.flows)
		return error_set(e, ERR_LIMIT, "%u flows are open already",
				 f->flow_count);
	return 0;
}

static struct dial *dial_new(const char *host, struct error *e)
{
	struct dial *d = calloc(1, sizeof(*d));

	if (d && host)
		d->host = strdup(host);
	if (d && (d->host || !host))
		return d;
	dial_free(d);
	error_nomem(e);
	return NULL;
}

/* Counts for its address, and is never refused for it: others who call from
 * there must not be able to keep us from calling. */
static struct conn *make(struct front *f, const struct sockaddr_storage *to,
			 int fd, const struct front_stream_ops *ops,
			 struct tls_context *tls, struct error *e)
{
	struct peer p = { .connection = ++f->next_connection,
			  .opened_ms = clock_monotonic_ms(),
			  .via = tls ? PEER_STREAM : PEER_STREAM_TCP,
			  .called = true };
	struct admission_entry *entry =
	    admission_enter(&f->flows, (const struct sockaddr *)to, 0);
	struct conn *c = NULL;

	if (entry && address_text(to, p.address, &p.port))
		c = conn_make(f, fd, &p, entry, ops);
	if (c)
		return c;
	admission_leave(entry);
	close(fd);
	error_nomem(e);
	return NULL;
}

struct front_stream *front_connect(struct front *f,
				   const struct front_connect_options *o,
				   const struct front_stream_ops *ops,
				   void *arg, struct error *e)
{
	struct sockaddr_storage to;
	struct dial *dial;
	struct conn *c;
	int fd;

	if (check(f, o, ops, e) < 0 ||
	    address_parse(o->address, o->port, &to, e) < 0)
		return NULL;
	dial = dial_new(o->tls ? o->host : NULL, e);
	if (!dial)
		return NULL;
	fd = open_socket(o, &to, e);
	c = fd >= 0 ? make(f, &to, fd, ops, o->tls, e) : NULL;
	if (!c) {
		dial_free(dial);
		return NULL;
	}
	c->dial = dial;
	c->state = CONN_CONNECTING;
	c->context = o->tls ? tls_context_ref(o->tls) : NULL;
	c->stream.arg = arg;
	if (stream_prepare(c) < 0) {
		conn_close(c);
		error_nomem(e);
		return NULL;
	}
	uv_update_time(f->loop);
	deadline_set_in(&f->deadlines, &c->deadline, DEADLINE_CONNECT,
			o->limit_ms ? o->limit_ms : f->limits.handshake_ms);
	conn_arm(c);
	return c->upper;
}

/* How the kernel ended the attempt. */
static int finish(const struct conn *c, struct error *e)
{
	int cause = 0;
	socklen_t n = sizeof(cause);

	if (getsockopt(c->watch.fd, SOL_SOCKET, SO_ERROR, &cause, &n) < 0)
		cause = errno;
	errno = cause;
	return cause ? error_errno(e, "connect") : 0;
}

void connect_ready(struct conn *c)
{
	struct front *f = c->front;
	struct error *why = &c->dial->why;

	if (finish(c, why) < 0 ||
	    !address_local(c->watch.fd, c->peer.local_address,
			   &c->peer.local_port)) {
		connect_fail(c);
		return;
	}
	if (!c->context) {
		deadline_clear(&c->deadline);
		conn_open(c);
		return;
	}
	watch_forget(&f->watcher, &c->watch);
	c->state = CONN_HANDSHAKE;
	if (handshake_submit(c))
		return;
	error_set(why, ERR_LIMIT, "too many handshakes wait");
	connect_fail(c);
}

void connect_fail(struct conn *c)
{
	conn_let_go(c);
	conn_close(c);
}

const struct error *connect_failure(struct conn *c)
{
	struct error *why = &c->dial->why;

	if (c->front->stopping)
		error_set(why, ERR_CANCELLED, "the service is stopping");
	else if (c->dial->late)
		error_set(why, ERR_TIMEOUT, "not open in the time allowed");
	else if (why->kind == ERR_NONE)
		error_set(why, ERR_IO, "the peer ended the connection");
	error_prefix(why, "%s port %u", c->peer.address,
		     (unsigned)c->peer.port);
	return why;
}
