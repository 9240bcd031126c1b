/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "front/address.h"
#include "front/listener.h"

/* Opening and moving the listening sockets. */

/* Seconds the kernel keeps a TLS connection to itself while the client has not
 * spoken: the ClientHello is there when we accept, one turn of the loop less.
 */
enum { DEFER_S = 1 };

int listen_failed(int fd, const char *text, uint16_t port, struct error *e)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	error_errno(e, "cannot listen on %s port %u", text, (unsigned)port);
	if (saved == EADDRINUSE)
		e->kind = ERR_CONFLICT;
	return -1;
}

static int open_tcp(const struct sockaddr_storage *sa, const char *text,
		    uint16_t port, struct error *e)
{
	int one = 1;
	int fd = socket(sa->ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return listen_failed(fd, text, port, e);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* Inherited by what is accepted. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	if (sa->ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)sa, address_length(sa)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return listen_failed(fd, text, port, e);
	return fd;
}

static int open_tls(const struct sockaddr_storage *sa, const char *text,
		    uint16_t port, struct error *e)
{
	int seconds = DEFER_S, fd = open_tcp(sa, text, port, e);

	if (fd >= 0)
		setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds,
			   sizeof(seconds));
	return fd;
}

static struct listener *find_kept(struct listen_group *g,
				  const struct sockaddr_storage *sa)
{
	for (struct list *i = g->listeners.next; i != &g->listeners;
	     i = i->next) {
		struct listener *l = list_owner(i, struct listener, node);

		if (memcmp(&l->addr, sa, sizeof(*sa)) == 0)
			return l;
	}
	return NULL;
}

/* Close those that are not wanted any more. */
static void sweep(struct listen_group *g)
{
	struct list *next;

	for (struct list *i = g->listeners.next; i != &g->listeners; i = next) {
		struct listener *l = list_owner(i, struct listener, node);

		next = i->next;
		if (!l->keep)
			listener_close(l);
	}
}

static void mark_all(struct listen_group *g, bool keep)
{
	for (struct list *i = g->listeners.next; i != &g->listeners;
	     i = i->next) {
		struct listener *l = list_owner(i, struct listener, node);

		l->keep = keep;
		l->fresh = false;
	}
}

/* Another socket of the same name on the same family and port is in the way
 * when one of both is the wildcard address. */
static struct listener *find_in_the_way(struct listen_group *g,
					const struct sockaddr_storage *sa)
{
	for (struct list *i = g->listeners.next; i != &g->listeners;
	     i = i->next) {
		struct listener *l = list_owner(i, struct listener, node);
		struct sockaddr_in a, b; /* the port is in the same place */

		memcpy(&a, &l->addr, sizeof(a));
		memcpy(&b, sa, sizeof(b));
		if (!l->keep && a.sin_family == b.sin_family &&
		    a.sin_port == b.sin_port && l->watch.fd >= 0)
			return l;
	}
	return NULL;
}

struct moving {
	struct front *front;
	struct listen_group *group;
	/* The descriptor, or -1. */
	int (*open)(const struct sockaddr_storage *sa, const char *text,
		    uint16_t port, struct error *e);
	void (*ready)(struct watch *w, uint32_t events);
	uint16_t port;
	/* Per address of the list: the errno for which it was left out, or 0 */
	int left_out[LISTEN_ADDRESSES_MAX];
	/* Old sockets that had to make room. */
	struct sockaddr_storage lost[LISTEN_ADDRESSES_MAX];
	size_t lost_count;
};

static int add_address(struct moving *m, const struct sockaddr_storage *sa,
		       const char *text, uint16_t port, struct error *e)
{
	struct listener *l;
	socklen_t len = sizeof(l->addr);
	int fd;

	for (;;) {
		fd = m->open(sa, text, port, e);
		if (fd >= 0)
			break;
		l = e->kind == ERR_CONFLICT ? find_in_the_way(m->group, sa)
					    : NULL;
		if (!l || m->lost_count == LISTEN_ADDRESSES_MAX)
			return -1;
		/* What has come to it already is served. */
		m->ready(&l->watch, EPOLLIN);
		m->lost[m->lost_count++] = l->addr;
		listener_close(l);
	}
	l = listener_add(m->group, m->front, fd, m->ready, e);
	if (!l)
		return -1;
	l->fresh = true;
	/* With the port that the kernel chose for port 0. */
	getsockname(fd, (struct sockaddr *)&l->addr, &len);
	return 0;
}

/* Give up: what is new goes, what had to go comes back. */
static void roll_back(struct moving *m)
{
	struct listen_group *g = m->group;
	struct list *next;

	for (struct list *i = g->listeners.next; i != &g->listeners; i = next) {
		struct listener *l = list_owner(i, struct listener, node);

		next = i->next;
		if (l->fresh)
			listener_close(l);
	}
	for (size_t i = 0; i < m->lost_count; i++) {
		struct error e = ERROR_INIT;

		if (add_address(m, &m->lost[i], "the former address",
				address_port(&m->lost[i]), &e) < 0)
			log_failure(LOG_LEVEL_ERROR, "front", &e);
	}
	mark_all(g, true);
	listeners_update(m->front);
	if (list_empty(&g->listeners))
		front_unlisten(m->front, g->name);
}

/* Nothing that is in the way or forbidden: this host has no such address, as
 * with "::" where IPv6 is switched off. */
static bool is_foreign(const struct error *e)
{
	return e->native == EAFNOSUPPORT || e->native == EADDRNOTAVAIL;
}

static int add_or_keep(struct moving *m, const char *text, struct error *e)
{
	struct sockaddr_storage sa;
	struct listener *l;

	if (address_parse(text, m->port, &sa, e) < 0)
		return -1;
	l = find_kept(m->group, &sa);
	if (!l)
		return add_address(m, &sa, text, m->port, e);
	l->keep = true;
	return 0;
}

/* All, but for those that are not of this host, unless none is. */
static int add_all(struct moving *m, const char *const *addresses, size_t count,
		   struct error *e)
{
	struct error foreign = ERROR_INIT;
	size_t open = 0;

	for (size_t i = 0; i < count; i++) {
		struct error why = ERROR_INIT;

		if (add_or_keep(m, addresses[i], &why) == 0) {
			open++;
			continue;
		}
		if (!is_foreign(&why)) {
			*e = why;
			return -1;
		}
		m->left_out[i] = (int)why.native;
		foreign = why;
	}
	if (open == 0) {
		*e = foreign;
		return -1;
	}
	return 0;
}

/* Only when the others are open: what fails as a whole is tried again and again
 * by the caller, who says so once. */
static void warn_left_out(const struct moving *m, const char *const *addresses,
			  size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (m->left_out[i])
			log_warning(m->group->name,
				    "not listening on %s port %u: %s",
				    addresses[i], (unsigned)m->port,
				    strerrordesc_np(m->left_out[i]));
}

/* The sockets of that name; those that are not in the list are closed. */
static int move(struct moving *m, const char *name, bool udp,
		const char *const *addresses, size_t count, struct error *e)
{
	if (count == 0 || count > LISTEN_ADDRESSES_MAX)
		return error_set(e, ERR_INPUT, "listener %s: %zu addresses",
				 name, count);
	if (m->front->stopping)
		return error_set(e, ERR_CANCELLED, "the service is stopping");
	m->group = listen_group_get(m->front, name, e);
	if (!m->group)
		return -1;
	if (list_empty(&m->group->listeners))
		m->group->udp = udp;
	if (m->group->udp != udp || m->group->path[0])
		return error_set(e, ERR_CONFLICT,
				 "listener %s is of another kind", name);
	mark_all(m->group, false);
	if (add_all(m, addresses, count, e) < 0) {
		roll_back(m);
		return -1;
	}
	warn_left_out(m, addresses, count);
	sweep(m->group);
	mark_all(m->group, true);
	return 0;
}

int front_listen_tcp(struct front *f, const char *name, enum peer_via via,
		     const char *const *addresses, size_t address_count,
		     uint16_t port, const struct front_stream_ops *stream,
		     struct error *e)
{
	struct moving m = { .front = f,
			    .open = via_is_tls(via) ? open_tls : open_tcp,
			    .ready = accept_ready,
			    .port = port };

	if (via_is_stream(via) && !(stream && stream->open && stream->data))
		return error_set(e, ERR_INPUT, "listener %s: no handler", name);
	if (move(&m, name, false, addresses, address_count, e) < 0)
		return -1;
	m.group->via = via;
	memset(&m.group->stream, 0, sizeof(m.group->stream));
	if (stream)
		m.group->stream = *stream;
	listeners_update(f);
	return 0;
}

int front_listen_udp(struct front *f, const char *name,
		     const char *const *addresses, size_t address_count,
		     uint16_t port, const struct front_datagram_ops *ops,
		     struct error *e)
{
	struct moving m = {
		.front = f, .open = udp_open, .ready = udp_ready, .port = port
	};

	if (!ops || !ops->datagram)
		return error_set(e, ERR_INPUT, "listener %s: no handler", name);
	if (move(&m, name, true, addresses, address_count, e) < 0)
		return -1;
	m.group->datagram = *ops;
	listeners_update(f);
	return 0;
}

uint16_t front_listen_port(struct front *f, const char *name)
{
	struct listen_group *g = listen_group_find(f, name);

	if (!g || list_empty(&g->listeners))
		return 0;
	return address_port(
	    &list_owner(g->listeners.next, struct listener, node)->addr);
}
