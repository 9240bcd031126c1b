/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "front/listener.h"

/* Opening and moving the listening sockets. */

/* Seconds the kernel keeps a TLS connection to itself while the client has not
 * spoken: the ClientHello is there when we accept, one turn of the loop less.
 */
enum { DEFER_S = 1 };

static int parse_address(const char *text, uint16_t port,
			 struct sockaddr_storage *out, struct error *e)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(port) };

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		memcpy(out, &in, sizeof(in));
	else if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
		memcpy(out, &in6, sizeof(in6));
	else
		return error_set(e, ERR_INPUT, "not a numeric address: %s",
				 text);
	return 0;
}

static socklen_t address_length(const struct sockaddr_storage *sa)
{
	return sa->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					 : sizeof(struct sockaddr_in);
}

static int bind_failed(int fd, struct error *e, const char *text, uint16_t port)
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

/* The descriptor, or -1. */
static int open_tcp(const struct sockaddr_storage *sa, bool defer,
		    const char *text, uint16_t port, struct error *e)
{
	int one = 1, seconds = DEFER_S;
	int fd = socket(sa->ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return bind_failed(fd, e, text, port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* Inherited by what is accepted. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	if (defer)
		setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds,
			   sizeof(seconds));
	if (sa->ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)sa, address_length(sa)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return bind_failed(fd, e, text, port);
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
	bool defer;
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
		fd = open_tcp(sa, m->defer, text, port, e);
		if (fd >= 0)
			break;
		l = e->kind == ERR_CONFLICT ? find_in_the_way(m->group, sa)
					    : NULL;
		if (!l || m->lost_count == LISTEN_ADDRESSES_MAX)
			return -1;
		/* What has connected to it already is served. */
		accept_ready(&l->watch, EPOLLIN);
		m->lost[m->lost_count++] = l->addr;
		listener_close(l);
	}
	l = listener_add(m->group, m->front, fd, e);
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
		struct sockaddr_in in;
		struct error e = ERROR_INIT;

		memcpy(&in, &m->lost[i], sizeof(in));
		if (add_address(m, &m->lost[i], "the former address",
				ntohs(in.sin_port), &e) < 0)
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

	if (parse_address(text, m->port, &sa, e) < 0)
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

int front_listen_tcp(struct front *f, const char *name, enum peer_via via,
		     const char *const *addresses, size_t address_count,
		     uint16_t port, const struct front_stream_ops *stream,
		     struct error *e)
{
	struct moving m = { .front = f,
			    .defer = via == PEER_HTTPS || via == PEER_STREAM,
			    .port = port };

	if (address_count == 0 || address_count > LISTEN_ADDRESSES_MAX)
		return error_set(e, ERR_INPUT, "listener %s: %zu addresses",
				 name, address_count);
	if (f->stopping)
		return error_set(e, ERR_CANCELLED, "the service is stopping");
	m.group = listen_group_get(f, name, e);
	if (!m.group)
		return -1;
	mark_all(m.group, false);
	if (add_all(&m, addresses, address_count, e) < 0) {
		roll_back(&m);
		return -1;
	}
	warn_left_out(&m, addresses, address_count);
	sweep(m.group);
	mark_all(m.group, true);
	m.group->via = via;
	memset(&m.group->stream, 0, sizeof(m.group->stream));
	if (stream)
		m.group->stream = *stream;
	listeners_update(f);
	return 0;
}

uint16_t front_listen_port(struct front *f, const char *name)
{
	struct listen_group *g = listen_group_find(f, name);
	struct sockaddr_in in; /* the port is in the same place in IPv6's */

	if (!g || list_empty(&g->listeners))
		return 0;
	memcpy(&in, &list_owner(g->listeners.next, struct listener, node)->addr,
	       sizeof(in));
	return ntohs(in.sin_port);
}

/* A socket that nobody answers on is what a killed process left. */
static int remove_dead(const struct sockaddr_un *un, struct error *e)
{
	struct stat st;
	int fd, rc;

	if (lstat(un->sun_path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return error_set(e, ERR_CONFLICT, "%s is there and no socket",
				 un->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_errno(e, "control socket");
	rc = connect(fd, (const struct sockaddr *)un, sizeof(*un));
	close(fd);
	if (rc == 0)
		return error_set(e, ERR_CONFLICT,
				 "another process answers on %s", un->sun_path);
	if (unlink(un->sun_path) < 0 && errno != ENOENT)
		return error_errno(e, "%s", un->sun_path);
	return 0;
}

static int open_control(const struct sockaddr_un *un, struct stat *st,
			struct error *e)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return error_errno(e, "control socket");
	/* The mode of the descriptor is what bind() gives the file: there is
	 * no moment at which it is wider. */
	if (fchmod(fd, 0660) < 0 ||
	    bind(fd, (const struct sockaddr *)un, sizeof(*un)) < 0 ||
	    chmod(un->sun_path, 0660) < 0 || listen(fd, BACKLOG) < 0 ||
	    lstat(un->sun_path, st) < 0) {
		error_errno(e, "%s", un->sun_path);
		close(fd);
		return -1;
	}
	return fd;
}

int front_listen_control(struct front *f, const char *path, struct error *e)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct listen_group *g;
	struct listener *l;
	struct stat st;
	int fd;

	if (strlen(path) >= sizeof(un.sun_path))
		return error_set(e, ERR_CONFIG, "socket path too long: %s",
				 path);
	strcpy(un.sun_path, path);
	if (listen_group_find(f, "control"))
		return error_set(e, ERR_CONFLICT,
				 "the control socket is open already");
	if (remove_dead(&un, e) < 0)
		return -1;
	fd = open_control(&un, &st, e);
	if (fd < 0)
		return -1;
	g = listen_group_get(f, "control", e);
	if (!g) {
		close(fd);
		return -1;
	}
	g->via = PEER_CONTROL;
	strcpy(g->path, path);
	g->dev = st.st_dev;
	g->ino = st.st_ino;
	l = listener_add(g, f, fd, e);
	if (!l) {
		front_unlisten(f, "control");
		return -1;
	}
	listener_arm(l);
	return 0;
}
