/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/resolver.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"

#define SYSTEM_HOSTS "/etc/hosts"

enum { RESOLVER_STACK = 512 * 1024 };

/* Known by its ticket until its end is told; only the thread looks at what
 * stands below the line. */
struct lookup {
	struct lookup *next_known; /* under the lock */
	struct lookup *next;       /* of incoming, under the lock; then mine */
	uint64_t ticket;
	atomic_bool cancelled;
	/* --- */
	char host[SIP_NAME_MAX];
	bool foreign; /* as of its destination; never changes */
	int64_t deadline;
	struct sip_locator *locator;
	struct resolver_work *work; /* NULL: it waits */
};

struct sip_resolver {
	sip_resolved_fn *done;
	void *arg;
	int64_t deadline_ms;
	char *hosts;
	int wake; /* eventfd */
	pthread_t thread;
	bool running;

	pthread_mutex_t lock;
	bool stop;
	struct lookup *known, *incoming, **incoming_end;
	size_t known_count, known_foreign;

	/* The thread's. */
	struct resolver_tools tools;
	struct lookup *mine; /* in the order in which they came */
	size_t active, active_foreign;
};

static void lookup_free(struct lookup *l)
{
	resolver_work_free(l->work);
	sip_locator_free(l->locator);
	free(l);
}

/* --- ends ----------------------------------------------------------------- */

static void forget(struct sip_resolver *r, struct lookup *l)
{
	pthread_mutex_lock(&r->lock);
	for (struct lookup **at = &r->known; *at; at = &(*at)->next_known)
		if (*at == l) {
			*at = l->next_known;
			r->known_count--;
			r->known_foreign -= l->foreign;
			break;
		}
	pthread_mutex_unlock(&r->lock);
}

static void say_why(const struct lookup *l, bool late, struct error *why)
{
	bool timed_out = false;
	bool failed = l->work && resolver_work_failed(l->work, &timed_out);

	if (late)
		error_set(why, ERR_TIMEOUT, "%s: looking it up took too long",
			  l->host);
	else if (!l->work)
		error_nomem(why);
	else if (timed_out)
		error_set(why, ERR_TIMEOUT, "%s: no DNS server answers",
			  l->host);
	else if (failed)
		error_set(why, ERR_IO, "%s: the DNS servers fail", l->host);
	else
		error_set(why, ERR_NOT_FOUND, "%s: there is no such host",
			  l->host);
}

/* Tells what came of it, unless it is cancelled, and frees it. What was found
 * before it was too late is good enough. */
static void end(struct sip_resolver *r, struct lookup *l, bool late)
{
	const struct sip_target *targets;
	size_t count = sip_locator_targets(l->locator, &targets);
	struct error why = ERROR_INIT;

	if (l->work) {
		r->active--;
		r->active_foreign -= l->foreign;
	}
	if (!count)
		say_why(l, late, &why);
	/* From here on nobody can cancel it. */
	forget(r, l);
	if (!atomic_load(&l->cancelled))
		r->done(r->arg, l->ticket, targets, count, &why);
	lookup_free(l);
}

/* --- the thread ----------------------------------------------------------- */

/* False: it is time to stop. */
static bool take_incoming(struct sip_resolver *r)
{
	struct lookup **last = &r->mine;
	bool stop;

	while (*last)
		last = &(*last)->next;
	pthread_mutex_lock(&r->lock);
	*last = r->incoming;
	r->incoming = NULL;
	r->incoming_end = &r->incoming;
	stop = r->stop;
	pthread_mutex_unlock(&r->lock);
	return !stop;
}

static bool has_place(const struct sip_resolver *r, const struct lookup *l)
{
	return r->active < RESOLVER_ACTIVE_MAX &&
	       (!l->foreign || r->active_foreign < RESOLVER_FOREIGN_ACTIVE_MAX);
}

/* True: it is over. */
static bool advance(struct sip_resolver *r, struct lookup *l, int64_t now,
		    bool *late)
{
	*late = false;
	if (atomic_load(&l->cancelled))
		return true;
	if (l->deadline <= now) {
		*late = true;
		return true;
	}
	if (!l->work) {
		if (!has_place(r, l))
			return false;
		l->work = resolver_work_new(&r->tools, l->locator);
		if (!l->work)
			return true;
		r->active++;
		r->active_foreign += l->foreign;
	}
	return resolver_work_advance(l->work);
}

/* Returns the milliseconds until the next deadline, -1: there is none. */
static int advance_all(struct sip_resolver *r)
{
	int64_t now = clock_monotonic_ms(), first = INT64_MAX;
	struct lookup **at = &r->mine;

	if (r->mine && resolver_channel_refresh(r->tools.channel))
		resolver_cache_clear(r->tools.cache);
	while (*at) {
		struct lookup *l = *at;
		bool late;

		if (advance(r, l, now, &late)) {
			*at = l->next;
			end(r, l, late);
			continue;
		}
		if (l->deadline < first)
			first = l->deadline;
		at = &l->next;
	}
	if (first == INT64_MAX)
		return -1;
	return first - now < INT32_MAX ? (int)(first - now) : INT32_MAX;
}

/* The shorter wait; -1 is for ever. */
static int shorter(int a, int b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

static void *run(void *arg)
{
	struct sip_resolver *r = arg;
	struct pollfd fds[1 + RESOLVER_FDS_MAX];

	while (take_incoming(r)) {
		int wait = advance_all(r);
		size_t n = resolver_channel_fds(r->tools.channel, fds + 1);
		eventfd_t ignored;

		wait =
		    shorter(wait, resolver_channel_wait_ms(r->tools.channel));
		fds[0] = (struct pollfd){ .fd = r->wake, .events = POLLIN };
		if (poll(fds, 1 + n, wait) < 0)
			for (size_t i = 0; i <= n; i++)
				fds[i].revents = 0;
		if (fds[0].revents)
			(void)eventfd_read(r->wake, &ignored);
		resolver_channel_process(r->tools.channel, fds + 1, n);
	}
	return NULL;
}

/* --- the resolver --------------------------------------------------------- */

static int start_thread(struct sip_resolver *r, struct error *e)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int rc;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, RESOLVER_STACK);
	/* Signals are for the thread that waits for them. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	rc = pthread_create(&r->thread, &attr, run, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (rc != 0) {
		errno = rc;
		return error_errno(e, "starting the resolver's thread");
	}
	r->running = true;
	return 0;
}

static int open_tools(struct sip_resolver *r,
		      const struct sip_resolver_options *o, struct error *e)
{
	const struct resolver_channel_options c = {
		.servers = o->servers,
		.resolv_conf = o->resolv_conf,
		.port = o->port,
		.timeout_ms =
		    o->timeout_ms > 0 ? o->timeout_ms : RESOLVER_TIMEOUT_MS,
		.tries = o->tries > 0 ? o->tries : RESOLVER_TRIES,
	};

	r->hosts = strdup(o->hosts ? o->hosts : SYSTEM_HOSTS);
	if (!r->hosts)
		return error_nomem(e);
	r->tools.hosts = r->hosts;
	r->tools.family = o->family;
	r->tools.channel = resolver_channel_new(&c, e);
	if (!r->tools.channel)
		return -1;
	r->tools.cache = resolver_cache_new(RESOLVER_CACHE_MAX, e);
	if (!r->tools.cache)
		return -1;
	r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return r->wake < 0 ? error_errno(e, "starting the resolver") : 0;
}

struct sip_resolver *sip_resolver_new(const struct sip_resolver_options *o,
				      sip_resolved_fn *done, void *arg,
				      struct error *e)
{
	struct sip_resolver *r = calloc(1, sizeof(*r));

	if (!r) {
		error_nomem(e);
		return NULL;
	}
	r->done = done;
	r->arg = arg;
	r->deadline_ms =
	    o->deadline_ms > 0 ? o->deadline_ms : RESOLVER_DEADLINE_MS;
	r->wake = -1;
	r->incoming_end = &r->incoming;
	pthread_mutex_init(&r->lock, NULL);
	if (open_tools(r, o, e) == 0 && start_thread(r, e) == 0)
		return r;
	sip_resolver_free(r);
	return NULL;
}

static void wake(struct sip_resolver *r)
{
	/* What is counted cannot overflow before it is read. */
	(void)eventfd_write(r->wake, 1);
}

void sip_resolver_free(struct sip_resolver *r)
{
	if (!r)
		return;
	if (r->running) {
		pthread_mutex_lock(&r->lock);
		r->stop = true;
		pthread_mutex_unlock(&r->lock);
		wake(r);
		pthread_join(r->thread, NULL);
	}
	while (r->known) {
		struct lookup *l = r->known;

		r->known = l->next_known;
		lookup_free(l);
	}
	/* Answers that are given up still go through the cache. */
	resolver_channel_free(r->tools.channel);
	resolver_cache_free(r->tools.cache);
	if (r->wake >= 0)
		close(r->wake);
	free(r->hosts);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* --- look-ups ------------------------------------------------------------- */

static uint32_t chance(void *arg)
{
	uint32_t n;

	(void)arg;
	random_bytes(&n, sizeof(n));
	return n;
}

static struct lookup *lookup_new(const struct sip_resolver *r,
				 const struct sip_destination *d,
				 uint64_t ticket, struct error *e)
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (!l) {
		error_nomem(e);
		return NULL;
	}
	l->ticket = ticket;
	l->deadline = clock_monotonic_ms() + r->deadline_ms;
	atomic_init(&l->cancelled, false);
	snprintf(l->host, sizeof(l->host), "%s", d->host);
	l->foreign = d->foreign;
	l->locator = sip_locator_new(d, chance, NULL, e);
	if (l->locator)
		return l;
	free(l);
	return NULL;
}

static struct lookup *find(const struct sip_resolver *r, uint64_t ticket)
{
	struct lookup *l = r->known;

	while (l && l->ticket != ticket)
		l = l->next_known;
	return l;
}

/* Under the lock. */
static int add(struct sip_resolver *r, struct lookup *l, struct error *e)
{
	if (find(r, l->ticket))
		return error_set(e, ERR_EXISTS,
				 "%s: its ticket is in use already", l->host);
	if (r->known_count == RESOLVER_LOOKUPS_MAX ||
	    (l->foreign && r->known_foreign == RESOLVER_FOREIGN_MAX))
		return error_set(e, ERR_LIMIT,
				 "%s: %zu names are being looked up already",
				 l->host, r->known_count);
	l->next_known = r->known;
	r->known = l;
	r->known_count++;
	r->known_foreign += l->foreign;
	*r->incoming_end = l;
	r->incoming_end = &l->next;
	return 0;
}

int sip_resolver_start(struct sip_resolver *r, const struct sip_destination *d,
		       uint64_t ticket, struct error *e)
{
	struct lookup *l = lookup_new(r, d, ticket, e);
	int rc;

	if (!l)
		return -1;
	pthread_mutex_lock(&r->lock);
	rc = add(r, l, e);
	pthread_mutex_unlock(&r->lock);
	if (rc < 0)
		lookup_free(l);
	else
		wake(r);
	return rc;
}

bool sip_resolver_cancel(struct sip_resolver *r, uint64_t ticket)
{
	struct lookup *l;
	bool found;

	pthread_mutex_lock(&r->lock);
	l = find(r, ticket);
	found = l && !atomic_exchange(&l->cancelled, true);
	pthread_mutex_unlock(&r->lock);
	if (found)
		wake(r);
	return found;
}
