/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/lookup.h"

enum {
	/* A peer that acknowledges nothing for so long is gone. */
	PEER_SILENCE_MS = 30000,
	KEEPALIVE_IDLE_S = 30,
	KEEPALIVE_EACH_S = 10,
	POLL_MAX_MS = 3600 * 1000
};

static int poll_time(int64_t deadline)
{
	int64_t left = deadline - clock_monotonic_ms();

	if (left < 0)
		return 0;
	return left > POLL_MAX_MS ? POLL_MAX_MS : (int)left;
}

int net_wait(int fd, short events, int64_t deadline, int cancel,
	     struct error *e)
{
	for (;;) {
		/* poll(2) passes a negative descriptor over. */
		struct pollfd fds[] = { { .fd = fd, .events = events },
					{ .fd = cancel, .events = POLLIN } };
		int n = poll(fds, 2, poll_time(deadline));

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return error_errno(e, "poll");
		if (n > 0 && fds[1].revents)
			return error_set(e, ERR_CANCELLED, "given up");
		if (n > 0 && fds[0].revents)
			return 0;
		if (clock_monotonic_ms() >= deadline)
			return error_set(e, ERR_TIMEOUT,
					 "no answer in the time allowed");
	}
}

/* Small messages go at once, and a peer that has vanished is noticed. Best
 * effort: an old kernel does without. */
static void tune(int fd)
{
	const int on = 1, idle = KEEPALIVE_IDLE_S, each = KEEPALIVE_EACH_S;
	const unsigned silence = PEER_SILENCE_MS;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &each, sizeof(each));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence,
		   sizeof(silence));
}

/* How the kernel ended the attempt. */
static int finish(int fd, struct error *e)
{
	int cause = 0;
	socklen_t n = sizeof(cause);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &cause, &n) == 0 && !cause)
		return 0;
	errno = cause ? cause : errno;
	return error_errno(e, "connect");
}

static int connect_to(const struct net_address *a, int64_t deadline, int cancel,
		      struct error *e)
{
	int fd = socket(a->address.ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return error_errno(e, "socket");
	tune(fd);
	if (connect(fd, (const struct sockaddr *)&a->address, a->length) == 0)
		return fd;
	if (errno != EINPROGRESS)
		error_errno(e, "connect");
	else if (net_wait(fd, POLLOUT, deadline, cancel, e) == 0 &&
		 finish(fd, e) == 0)
		return fd;
	close(fd);
	return -1;
}

static void say_where(const struct net_address *a, struct error *e)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (getnameinfo((const struct sockaddr *)&a->address, a->length, host,
			sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		error_prefix(e, "%s port %s", host, port);
}

int net_dial(const struct host_port *to, int64_t deadline, int cancel,
	     struct error *e)
{
	struct net_address found[NET_ADDRESSES_MAX];
	size_t count;
	int fd = -1;

	if (net_lookup(to, deadline, cancel, found, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count && fd < 0; i++) {
		int64_t now = clock_monotonic_ms();
		int64_t share = (deadline - now) / (int64_t)(count - i);

		error_clear(e);
		fd = connect_to(&found[i], now + share, cancel, e);
		if (fd < 0 && e->kind == ERR_CANCELLED)
			return -1;
		if (fd < 0)
			say_where(&found[i], e);
	}
	if (fd >= 0)
		error_clear(e);
	return fd;
}
