/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/lookup.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/dial.h"

/* getaddrinfo() waits for as long as resolv.conf says and cannot be stopped: it
 * runs in a thread that is left behind when it takes too long. */

enum { LOOKUP_STACK = 512 * 1024 };

static atomic_int running;

/* Shared by who asks and the thread; the last one frees it. */
struct question {
	atomic_int owners;
	char host[HOST_TEXT_MAX + 1], service[8];
	int flags;
	int done;             /* eventfd, readable once answered */
	atomic_bool answered; /* what follows is there to be read */
	int rc;               /* of getaddrinfo() */
	int saved_errno;
	struct addrinfo *found;
};

static void question_release(struct question *q)
{
	if (atomic_fetch_sub(&q->owners, 1) > 1)
		return;
	if (q->found)
		freeaddrinfo(q->found);
	close(q->done);
	free(q);
}

static void question_ask(struct question *q)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = q->flags };

	q->rc = getaddrinfo(q->host, q->service, &hints, &q->found);
	q->saved_errno = q->rc == EAI_SYSTEM ? errno : 0;
	atomic_store(&q->answered, true);
}

static void *run(void *arg)
{
	struct question *q = arg;

	question_ask(q);
	/* What is counted cannot overflow: this is the only write. */
	(void)eventfd_write(q->done, 1);
	question_release(q);
	atomic_fetch_sub(&running, 1);
	return NULL;
}

static struct question *question_new(const struct host_port *to,
				     struct error *e)
{
	struct question *q = calloc(1, sizeof(*q));
	struct error ignored = ERROR_INIT;
	struct host host;

	if (!q) {
		error_nomem(e);
		return NULL;
	}
	q->owners = 1;
	snprintf(q->host, sizeof(q->host), "%s", to->host);
	snprintf(q->service, sizeof(q->service), "%u", to->port);
	q->flags = AI_NUMERICSERV;
	if (host_parse(q->host, &host, &ignored) == 0 && host.ip_len)
		q->flags |= AI_NUMERICHOST;
	q->done = eventfd(0, EFD_CLOEXEC);
	if (q->done >= 0)
		return q;
	error_errno(e, "looking up %s", to->host);
	free(q);
	return NULL;
}

/* In a thread that nobody joins. */
static int ask_aside(struct question *q, struct error *e)
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	if (atomic_fetch_add(&running, 1) >= NET_LOOKUPS_MAX) {
		atomic_fetch_sub(&running, 1);
		return error_set(e, ERR_LIMIT,
				 "looking up %s: the resolver has not answered "
				 "%d earlier questions yet",
				 q->host, NET_LOOKUPS_MAX);
	}
	atomic_fetch_add(&q->owners, 1);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, LOOKUP_STACK);
	rc = pthread_create(&thread, &attr, run, q);
	pthread_attr_destroy(&attr);
	if (rc == 0)
		return 0;
	question_release(q);
	atomic_fetch_sub(&running, 1);
	return error_nomem(e);
}

static int take_answer(struct question *q,
		       struct net_address out[NET_ADDRESSES_MAX],
		       size_t *count_out, struct error *e)
{
	*count_out = 0;
	if (!atomic_load(&q->answered))
		return error_set(e, ERR_INTERNAL, "%s: no answer", q->host);
	if (q->rc != 0)
		return error_set_native(
		    e, q->rc == EAI_MEMORY ? ERR_NOMEM : ERR_NOT_FOUND,
		    q->saved_errno, "%s: %s", q->host, gai_strerror(q->rc));
	for (const struct addrinfo *a = q->found;
	     a && *count_out < NET_ADDRESSES_MAX; a = a->ai_next) {
		if (a->ai_addrlen > sizeof(out->address))
			continue;
		memcpy(&out[*count_out].address, a->ai_addr, a->ai_addrlen);
		out[(*count_out)++].length = a->ai_addrlen;
	}
	if (*count_out)
		return 0;
	return error_set(e, ERR_NOT_FOUND, "%s: has no address", q->host);
}

int net_lookup(const struct host_port *to, int64_t deadline, int cancel,
	       struct net_address out[NET_ADDRESSES_MAX], size_t *count_out,
	       struct error *e)
{
	struct question *q = question_new(to, e);
	int rc = -1;

	*count_out = 0;
	if (!q)
		return -1;
	if (q->flags & AI_NUMERICHOST)
		question_ask(q);
	else if (ask_aside(q, e) < 0)
		goto out;
	else if (net_wait(q->done, POLLIN, deadline, cancel, e) < 0) {
		error_prefix(e, "looking up %s", to->host);
		goto out;
	}
	rc = take_answer(q, out, count_out, e);
out:
	question_release(q);
	return rc;
}
