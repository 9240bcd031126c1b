/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "media/media_private.h"

/* Pairs of UDP ports (RFC 3550 11): RTP on an even one, RTCP on the next. */

int media_ports_init(struct media_ports *p, const struct media_options *o,
		     struct error *e)
{
	unsigned first = o->first_port + (o->first_port & 1u);

	if (o->first_port == 0 || o->last_port < first + 1)
		return error_set(e, ERR_INPUT, "no pair of ports from %u to %u",
				 o->first_port, o->last_port);
	p->first = (uint16_t)first;
	p->count = (o->last_port - first + 1) / 2;
	p->next = 0;
	p->users = calloc(p->count, sizeof(struct media_stream *));
	return p->users ? 0 : error_nomem(e);
}

/* Descriptor, or -1 with errno. */
static int bind_socket(const struct media_address *a)
{
	const int on = 1;
	int saved;
	int fd = socket(a->u.any.sa_family,
			SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if ((a->u.any.sa_family != AF_INET6 ||
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
	    bind(fd, &a->u.any, media_address_size(a)) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int bind_pair(struct media_stream *s, uint16_t port)
{
	struct media_address a = s->local;
	int saved;

	for (int i = 0; i < MEDIA_SOCKETS; i++) {
		media_address_set_port(&a, (uint16_t)(port + i));
		s->fd[i] = bind_socket(&a);
		if (s->fd[i] >= 0)
			continue;
		saved = errno;
		if (i)
			close(s->fd[0]);
		s->fd[0] = s->fd[1] = -1;
		errno = saved;
		return -1;
	}
	media_address_set_port(&s->local, port);
	return 0;
}

int media_ports_bind(struct media_ports *p, struct media_stream *s,
		     struct error *e)
{
	for (unsigned tried = 0; tried < p->count; tried++) {
		unsigned pair = (p->next + tried) % p->count;

		if (p->users[pair])
			continue;
		if (bind_pair(s, (uint16_t)(p->first + 2 * pair)) == 0) {
			p->users[pair] = s;
			p->next = (pair + 1) % p->count;
			return 0;
		}
		if (errno != EADDRINUSE && errno != EACCES)
			return error_errno(e, "media socket");
	}
	return error_set(e, ERR_LIMIT, "no free pair of media ports");
}

static struct media_stream **user_of(const struct media_ports *p,
				     const struct media_stream *s)
{
	return &p->users[(unsigned)(media_address_port(&s->local) - p->first) /
			 2];
}

void media_ports_swap(struct media_ports *p, struct media_stream *a,
		      struct media_stream *b)
{
	struct media_address local = a->local;

	*user_of(p, a) = b;
	*user_of(p, b) = a;
	a->local = b->local;
	b->local = local;
	for (int i = 0; i < MEDIA_SOCKETS; i++) {
		int fd = a->fd[i];

		a->fd[i] = b->fd[i];
		b->fd[i] = fd;
	}
}

void media_ports_release(struct media_ports *p, struct media_stream *s)
{
	*user_of(p, s) = NULL;
	for (int i = 0; i < MEDIA_SOCKETS; i++) {
		close(s->fd[i]);
		s->fd[i] = -1;
	}
}

bool media_ports_is_ours(const struct media_ports *p,
			 const struct media_address *a)
{
	unsigned port = media_address_port(a);
	const struct media_stream *user;

	if (port < p->first || port >= p->first + 2 * p->count)
		return false;
	user = p->users[(port - p->first) / 2];
	return user && media_address_same_host(a, &user->local);
}
