/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/secret.h"
#include "front/address.h"
#include "front/listener.h"

/* Datagrams in and out. Whoever was asked answers: a socket on the wildcard
 * address learns from the kernel which of our addresses a datagram was sent to,
 * and tells it from which one the answer is to come. */

/* No SO_REUSEADDR: for UDP it would let another program share the port. */
int udp_open(const struct sockaddr_storage *sa, const char *text, uint16_t port,
	     struct error *e)
{
	int one = 1, room = DATAGRAM_ROOM;
	bool v6 = sa->ss_family == AF_INET6;
	int fd =
	    socket(sa->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return listen_failed(fd, text, port, e);
	/* As much of it as the kernel allows. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (v6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
		       v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, &one,
		       sizeof(one)) < 0 ||
	    bind(fd, (const struct sockaddr *)sa, address_length(sa)) < 0)
		return listen_failed(fd, text, port, e);
	return fd;
}

/* Room for the one message of control that we ask for. */
union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* Which of our addresses was asked: the socket's, unless the kernel says more.
 */
static void note_local(struct msghdr *m, struct sockaddr_storage *to)
{
	struct in_pktinfo info;
	struct in6_pktinfo info6;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (to->ss_family == AF_INET && c->cmsg_level == IPPROTO_IP &&
		    c->cmsg_type == IP_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			memcpy(&in, to, sizeof(in));
			in.sin_addr = info.ipi_spec_dst;
			memcpy(to, &in, sizeof(in));
		} else if (to->ss_family == AF_INET6 &&
			   c->cmsg_level == IPPROTO_IPV6 &&
			   c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info6, CMSG_DATA(c), sizeof(info6));
			memcpy(&in6, to, sizeof(in6));
			in6.sin6_addr = info6.ipi6_addr;
			if (IN6_IS_ADDR_LINKLOCAL(&info6.ipi6_addr))
				in6.sin6_scope_id = info6.ipi6_ifindex;
			memcpy(to, &in6, sizeof(in6));
		}
	}
}

/* One datagram. False: there is none. */
static bool receive_one(struct listener *l)
{
	const struct front_datagram_ops *ops = &l->group->datagram;
	struct front *f = l->front;
	size_t most = ops->bytes_max && ops->bytes_max < DATAGRAM_MAX
			  ? ops->bytes_max
			  : DATAGRAM_MAX;
	struct iovec iov = { f->datagram, most };
	struct sockaddr_storage from = { 0 }, to = l->addr;
	union control control;
	struct msghdr m = { .msg_name = &from,
			    .msg_namelen = sizeof(from),
			    .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(l->watch.fd, &m, 0);

	if (n < 0)
		return errno != EAGAIN;
	if (m.msg_flags & MSG_TRUNC) {
		atomic_fetch_add(&f->stats.datagrams_dropped, 1);
	} else {
		note_local(&m, &to);
		atomic_fetch_add(&f->stats.datagrams, 1);
		ops->datagram(ops->arg, &from, &to, f->datagram, (size_t)n);
	}
	/* Nothing of it stays: it may have brought the keys of a call. */
	secret_wipe(f->datagram, (size_t)n);
	return true;
}

void udp_ready(struct watch *w, uint32_t events)
{
	struct listener *l = list_owner(w, struct listener, watch);

	(void)events;
	for (int i = 0; i < DATAGRAM_BATCH && w->fd >= 0; i++)
		if (!receive_one(l))
			return;
}

/* 2: it is bound to that address; 1: to the wildcard; 0: it cannot. */
static int fits(const struct listener *l, const struct sockaddr_storage *from,
		const struct sockaddr_storage *to)
{
	if (l->addr.ss_family != to->ss_family)
		return 0;
	if (!from)
		return 1;
	if (from->ss_family != to->ss_family ||
	    address_port(from) != address_port(&l->addr))
		return 0;
	if (address_same_host(from, &l->addr))
		return 2;
	return address_is_wildcard(&l->addr) ? 1 : 0;
}

static struct listener *find_socket(const struct listen_group *g,
				    const struct sockaddr_storage *from,
				    const struct sockaddr_storage *to)
{
	struct listener *best = NULL;
	int most = 0;

	for (struct list *i = g->listeners.next; i != &g->listeners;
	     i = i->next) {
		struct listener *l = list_owner(i, struct listener, node);
		int fit = fits(l, from, to);

		if (fit > most) {
			most = fit;
			best = l;
		}
	}
	return best;
}

static void put_control(struct msghdr *m, union control *space, int level,
			int type, const void *info, size_t size)
{
	struct cmsghdr *c;

	memset(space, 0, sizeof(*space));
	m->msg_control = space;
	m->msg_controllen = CMSG_SPACE(size);
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), info, size);
}

/* Send from there. */
static void put_local(struct msghdr *m, union control *space,
		      const struct sockaddr_storage *from)
{
	struct in_pktinfo info = { 0 };
	struct in6_pktinfo info6 = { 0 };
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (from->ss_family == AF_INET) {
		memcpy(&in, from, sizeof(in));
		info.ipi_spec_dst = in.sin_addr;
		put_control(m, space, IPPROTO_IP, IP_PKTINFO, &info,
			    sizeof(info));
		return;
	}
	memcpy(&in6, from, sizeof(in6));
	info6.ipi6_addr = in6.sin6_addr;
	info6.ipi6_ifindex = in6.sin6_scope_id;
	put_control(m, space, IPPROTO_IPV6, IPV6_PKTINFO, &info6,
		    sizeof(info6));
}

int front_udp_send(struct front *f, const char *name,
		   const struct sockaddr_storage *from,
		   const struct sockaddr_storage *to, const void *p, size_t n,
		   struct error *e)
{
	struct listen_group *g = listen_group_find(f, name);
	struct listener *l = g && g->udp ? find_socket(g, from, to) : NULL;
	struct sockaddr_storage there = *to;
	/* sendmsg() only reads it. */
	struct iovec iov = { (void *)(uintptr_t)p, n };
	struct msghdr m = { .msg_name = &there,
			    .msg_namelen = address_length(to),
			    .msg_iov = &iov,
			    .msg_iovlen = 1 };
	union control space;
	ssize_t sent;

	if (!l)
		return error_set(e, ERR_NOT_FOUND,
				 "%s: no UDP socket can send that", name);
	if (from && !address_is_wildcard(from) && address_is_wildcard(&l->addr))
		put_local(&m, &space, from);
	do
		sent = sendmsg(l->watch.fd, &m, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return 0;
	if (errno == EAGAIN || errno == ENOBUFS)
		return error_set_native(e, ERR_LIMIT, errno,
					"%s: the kernel takes no more now",
					name);
	return error_errno(e, "%s: sendmsg", name);
}

/* The kernel's choice, as it would be for a socket of its own. */
static int ask_kernel(const struct sockaddr_storage *to,
		      struct sockaddr_storage *from_out, struct error *e)
{
	socklen_t len = sizeof(*from_out);
	int fd = socket(to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc = -1;

	if (fd < 0)
		return error_errno(e, "socket");
	memset(from_out, 0, sizeof(*from_out));
	if (connect(fd, (const struct sockaddr *)to, address_length(to)) < 0 ||
	    getsockname(fd, (struct sockaddr *)from_out, &len) < 0)
		error_errno(e, "no way there");
	else
		rc = 0;
	close(fd);
	return rc;
}

int front_udp_local(struct front *f, const char *name,
		    const struct sockaddr_storage *to,
		    struct sockaddr_storage *from_out, struct error *e)
{
	struct listen_group *g = listen_group_find(f, name);
	struct listener *l = g && g->udp ? find_socket(g, NULL, to) : NULL;

	if (!l)
		return error_set(e, ERR_NOT_FOUND,
				 "%s: no UDP socket can send that", name);
	*from_out = l->addr;
	if (!address_is_wildcard(&l->addr))
		return 0;
	if (ask_kernel(to, from_out, e) < 0)
		return -1;
	address_set_port(from_out, address_port(&l->addr));
	return 0;
}
