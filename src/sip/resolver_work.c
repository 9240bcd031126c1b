/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/resolver_work.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "sip/resolver_hosts.h"

enum { PARTS_MAX = 2 }; /* A and AAAA */

enum part_state { PART_TO_ASK, PART_ASKED, PART_DONE };

struct part {
	enum part_state state;
	struct resolver_work *work;
	/* While it is PART_ASKED. */
	struct resolver_pending *pending;
	struct part *next; /* who waits for the same */
	struct resolver_answer answer;
};

/* A question that a server thinks about. Who wants to know the same waits for
 * the same answer: the more equal questions there are, the better are the
 * chances of somebody who guesses (RFC 5452 5). */
struct resolver_pending {
	struct resolver_tools *tools;
	struct resolver_pending *next;
	enum resolver_type type;
	char name[SIP_NAME_MAX];
	struct part *waiting; /* nobody: the cache gets it */
};

struct resolver_work {
	struct resolver_tools *tools;
	struct sip_locator *locator;
	bool failed, timed_out;

	bool asking; /* query is the locator's question */
	struct sip_query query;
	size_t part_count;
	struct part parts[PARTS_MAX];
};

struct resolver_work *resolver_work_new(struct resolver_tools *tools,
					struct sip_locator *l)
{
	struct resolver_work *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->tools = tools;
	w->locator = l;
	for (size_t i = 0; i < PARTS_MAX; i++)
		w->parts[i].work = w;
	return w;
}

static void stop_waiting(struct part *p)
{
	struct part **at = &p->pending->waiting;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	p->pending = NULL;
}

void resolver_work_free(struct resolver_work *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < PARTS_MAX; i++)
		if (w->parts[i].pending)
			stop_waiting(&w->parts[i]);
	free(w);
}

bool resolver_work_failed(const struct resolver_work *w, bool *timed_out)
{
	*timed_out = w->timed_out;
	return w->failed;
}

/* --- one question --------------------------------------------------------- */

/* Into which questions to the DNS each one falls. */
static const struct {
	size_t count;
	enum resolver_type types[PARTS_MAX];
} kinds[] = {
	[SIP_QUERY_NAPTR] = { 1, { RESOLVER_NAPTR } },
	[SIP_QUERY_SRV] = { 1, { RESOLVER_SRV } },
	[SIP_QUERY_ADDRESS] = { 2, { RESOLVER_A, RESOLVER_AAAA } },
};

static void finish_part(struct part *p)
{
	p->state = PART_DONE;
	p->pending = NULL;
}

static void begin(struct resolver_work *w)
{
	bool plain = resolver_name_is_plain(w->query.name);

	w->part_count = kinds[w->query.type].count;
	for (size_t i = 0; i < w->part_count; i++) {
		struct part *p = &w->parts[i];

		p->state = PART_TO_ASK;
		p->answer.type = kinds[w->query.type].types[i];
		p->answer.count = 0;
		/* What cannot be asked for is not there. */
		if (!plain)
			finish_part(p);
	}
	if (plain && w->query.type == SIP_QUERY_ADDRESS &&
	    resolver_hosts_find(w->tools->hosts, w->query.name,
				&w->parts[0].answer, &w->parts[1].answer))
		for (size_t i = 0; i < w->part_count; i++)
			finish_part(&w->parts[i]);
	w->asking = true;
}

static void unlink_pending(struct resolver_pending *p)
{
	struct resolver_pending **at = &p->tools->pending;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
}

static void on_answer(void *arg, const struct resolver_answer *a,
		      bool timed_out)
{
	struct resolver_pending *pending = arg;

	unlink_pending(pending);
	if (a)
		resolver_cache_put(pending->tools->cache, pending->name,
				   clock_monotonic_ms(), a);
	while (pending->waiting) {
		struct part *p = pending->waiting;

		pending->waiting = p->next;
		if (a)
			p->answer = *a;
		p->work->failed |= !a;
		p->work->timed_out |= timed_out;
		finish_part(p);
	}
	free(pending);
}

static void wait_for(struct resolver_pending *pending, struct part *p)
{
	p->state = PART_ASKED;
	p->pending = pending;
	p->next = pending->waiting;
	pending->waiting = p;
}

static struct resolver_pending *find_pending(const struct resolver_tools *t,
					     enum resolver_type type,
					     const char *name)
{
	struct resolver_pending *p = t->pending;

	while (p && (p->type != type || strcasecmp(p->name, name) != 0))
		p = p->next;
	return p;
}

/* False: there is no room to ask now. */
static bool ask_server(struct resolver_work *w, struct part *p)
{
	struct resolver_pending *pending = calloc(1, sizeof(*pending));

	if (!pending)
		return false;
	pending->tools = w->tools;
	pending->type = p->answer.type;
	memcpy(pending->name, w->query.name, sizeof(pending->name));
	pending->next = w->tools->pending;
	w->tools->pending = pending;
	/* The answer may come, and pending be gone, before this is over. */
	wait_for(pending, p);
	if (resolver_channel_ask(w->tools->channel, pending->type,
				 pending->name, on_answer, pending))
		return true;
	stop_waiting(p);
	p->state = PART_TO_ASK;
	unlink_pending(pending);
	free(pending);
	return false;
}

static bool ask(struct resolver_work *w, struct part *p)
{
	struct resolver_pending *same =
	    find_pending(w->tools, p->answer.type, w->query.name);

	if (resolver_cache_get(w->tools->cache, p->answer.type, w->query.name,
			       clock_monotonic_ms(), &p->answer)) {
		finish_part(p);
		return true;
	}
	if (!same)
		return ask_server(w, p);
	wait_for(same, p);
	return true;
}

/* --- its answer ----------------------------------------------------------- */

/* A global unicast address: 2000::/3. Those of one's own network (fc00::/7) do
 * not lead into the world. */
static bool is_global_6(const struct sockaddr *a)
{
	const struct sockaddr_in6 *in6 = (const void *)a;

	return a && a->sa_family == AF_INET6 &&
	       (in6->sin6_addr.s6_addr[0] & 0xe0) == 0x20;
}

static bool have_global_6(void)
{
	struct ifaddrs *all, *i;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (i = all; i && !found; i = i->ifa_next)
		found = is_global_6(i->ifa_addr);
	freeifaddrs(all);
	return found;
}

static bool is_6_first(const struct resolver_work *w)
{
	switch (w->tools->family) {
	case RESOLVER_FAMILY_4_FIRST: return false;
	case RESOLVER_FAMILY_6_FIRST: return true;
	case RESOLVER_FAMILY_BY_HOST: break;
	}
	return w->parts[0].answer.count && w->parts[1].answer.count &&
	       have_global_6();
}

static void give_addresses(struct resolver_work *w)
{
	size_t first = is_6_first(w) ? 1 : 0;
	char all[PARTS_MAX * SIP_RECORDS_MAX][INET6_ADDRSTRLEN];
	struct sip_records r = { .addresses =
				     (const char(*)[INET6_ADDRSTRLEN])all };

	for (size_t i = 0; i < PARTS_MAX; i++) {
		const struct resolver_answer *a = &w->parts[first ^ i].answer;

		memcpy(all[r.count], a->addresses,
		       a->count * sizeof(a->addresses[0]));
		r.count += a->count;
	}
	sip_locator_answer(w->locator, &r);
}

static void give_answer(struct resolver_work *w)
{
	const struct resolver_answer *a = &w->parts[0].answer;
	struct sip_records r = { .count = a->count };

	w->asking = false;
	if (w->query.type == SIP_QUERY_ADDRESS) {
		give_addresses(w);
		return;
	}
	if (w->query.type == SIP_QUERY_NAPTR)
		r.naptr = a->naptr;
	else
		r.srv = a->srv;
	sip_locator_answer(w->locator, &r);
}

bool resolver_work_advance(struct resolver_work *w)
{
	for (;;) {
		bool done = true;

		if (!w->asking && !sip_locator_next(w->locator, &w->query))
			return true;
		if (!w->asking)
			begin(w);
		for (size_t i = 0; i < w->part_count; i++) {
			if (w->parts[i].state == PART_TO_ASK &&
			    !ask(w, &w->parts[i]))
				return false;
			done &= w->parts[i].state == PART_DONE;
		}
		if (!done)
			return false;
		give_answer(w);
	}
}
