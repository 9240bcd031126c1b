/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_calls.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sip/sip_call_private.h"
#include "sip/sip_message.h"
#include "sip/sip_net.h"

/* The table of calls, their time, and what comes to them from elsewhere. */

enum { LIMIT_TOLD_MS = 60 * 1000 };

struct sip_calls *sip_calls_new(const struct sip_calls_options *o,
				struct error *e)
{
	struct sip_calls *c = calloc(1, sizeof(*c));

	if (!c) {
		error_nomem(e);
		return NULL;
	}
	c->o = *o;
	if (!c->o.calls_max)
		c->o.calls_max = SIP_CALLS_MAX;
	if (!c->o.calls_peer_max)
		c->o.calls_peer_max = SIP_CALLS_PEER_MAX;
	c->next = -1;
	list_init(&c->all);
	for (size_t i = 0; i < CALL_BUCKETS; i++)
		list_init(&c->buckets[i]);
	/* Of each stream one may be told before the loop has looked. */
	c->silent_max = c->o.calls_max;
	c->silent = calloc(c->silent_max, sizeof(*c->silent));
	if (!c->silent) {
		error_nomem(e);
		free(c);
		return NULL;
	}
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

static void forget(struct sip_call *k)
{
	list_remove(&k->all);
	list_remove(&k->bucket);
	if (!call_is_over(k))
		k->calls->live--;
	call_media_close(k);
	buf_free(&k->media.said);
	sip_dialog_free(k->dialog);
	sip_flow_release(k->flow);
	free(k->user);
	free(k->to);
	free(k->from);
	free(k->user_name);
	free(k->routes);
	secret_free(&k->password);
	free(k);
}

void sip_calls_free(struct sip_calls *c)
{
	if (!c)
		return;
	while (!list_empty(&c->all)) {
		struct sip_call *k =
		    list_owner(c->all.next, struct sip_call, all);

		sip_exchange_drop(k->inviting);
		for (int i = 0; i < CALL_REQUESTS; i++)
			sip_exchange_drop(k->sending[i].x);
		call_errands_drop(k);
		forget(k);
	}
	pthread_mutex_destroy(&c->lock);
	free(c->silent);
	free(c);
}

void call_release(struct sip_call *k)
{
	if (--k->references == 0)
		forget(k);
}

/* --- the table */

static struct list *bucket_of(struct sip_calls *c, const char *tag)
{
	uint32_t h = 2166136261u; /* FNV-1a: the tags are our own, random */

	for (; *tag; tag++)
		h = (h ^ (uint8_t)*tag) * 16777619u;
	return &c->buckets[h % CALL_BUCKETS];
}

void call_set_tag(struct sip_call *k, const char *tag)
{
	snprintf(k->local_tag, sizeof(k->local_tag), "%s", tag);
	list_remove(&k->bucket);
	list_append(bucket_of(k->calls, tag), &k->bucket);
}

struct sip_call *call_new(struct sip_calls *c, uint64_t id, const char *tag,
			  struct error *e)
{
	struct sip_call *k = calloc(1, sizeof(*k));

	if (!k) {
		error_nomem(e);
		return NULL;
	}
	k->calls = c;
	k->references = 1;
	call_rules(c, &k->rules);
	buf_init_secret(&k->media.said, CALL_BODY_MAX);
	k->facts.id = id;
	k->facts.encryption = SIP_ENCRYPTION_UNKNOWN;
	k->facts.started = clock_now();
	list_init(&k->errands);
	call_bind(k);
	list_append(&c->all, &k->all);
	list_init(&k->bucket);
	call_set_tag(k, tag);
	c->live++;
	return k;
}

static struct sip_call *find_dialog(struct sip_calls *c,
				    const struct osip_message *request)
{
	struct list *head = bucket_of(c, sip_message_to_tag(request));

	for (struct list *l = head->next; l != head; l = l->next) {
		struct sip_call *k = list_owner(l, struct sip_call, bucket);

		if (k->dialog && sip_dialog_has(k->dialog, request))
			return k;
	}
	return NULL;
}

static struct sip_call *find_id(struct sip_calls *c, uint64_t id)
{
	for (struct list *l = c->all.next; l != &c->all; l = l->next) {
		struct sip_call *k = list_owner(l, struct sip_call, all);

		if (k->facts.id == id && !call_is_over(k))
			return k;
	}
	return NULL;
}

/* --- requests */

static unsigned with_peer(struct sip_calls *c, const char *address)
{
	char wanted[INET6_ADDRSTRLEN], net[INET6_ADDRSTRLEN];
	unsigned n = 0;

	sip_net_of(address, wanted);
	for (struct list *l = c->all.next; l != &c->all; l = l->next) {
		struct sip_call *k = list_owner(l, struct sip_call, all);

		if (call_is_over(k))
			continue;
		sip_net_of(k->facts.link.address, net);
		n += strcmp(net, wanted) == 0;
	}
	return n;
}

/* Not for each call: who has too many may go on trying. */
static void tell_limit(struct sip_calls *c, const char *address)
{
	int64_t now = call_now(c);

	if (c->limit_told && now - c->limit_told < LIMIT_TOLD_MS)
		return;
	c->limit_told = now;
	log_warning("sip", "%s has %u calls, another one is refused", address,
		    c->o.calls_peer_max);
}

static unsigned take_new(struct sip_calls *c, struct sip_transaction *t,
			 const struct osip_message *request)
{
	const struct sip_flow *flow = sip_transaction_flow(t);

	if (c->closed || c->live >= c->o.calls_max)
		return 503;
	if (with_peer(c, flow->peer_address) >= c->o.calls_peer_max) {
		tell_limit(c, flow->peer_address);
		call_refuse_later(t, 486, CALL_RETRY_AFTER_MAX);
		return 0;
	}
	return call_begin(c, t, request);
}

unsigned sip_calls_request(struct sip_calls *c, struct sip_transaction *t,
			   const struct osip_message *request)
{
	const struct sip_flow *flow = sip_transaction_flow(t);
	struct sip_call *k;

	if (!*sip_message_to_tag(request))
		return MSG_IS_INVITE(request) ? take_new(c, t, request) : 481;
	k = find_dialog(c, request);
	/* Who reads a plain transport must not be able to end a call that was
	 * begun over TLS. */
	if (!k ||
	    (k->facts.link.transport == SIP_TLS && flow->transport != SIP_TLS))
		return 481;
	return call_request(k, t, request);
}

void sip_calls_flow_lost(struct sip_calls *c, struct sip_flow *flow)
{
	for (struct list *l = c->all.next; l != &c->all; l = l->next) {
		struct sip_call *k = list_owner(l, struct sip_call, all);

		if (k->flow == flow)
			call_set_flow(k, NULL);
	}
}

/* --- time */

int64_t call_now(const struct sip_calls *c)
{
	return c->o.now_ms ? c->o.now_ms(c->o.arg) : clock_monotonic_ms();
}

void call_arm(struct sip_call *k, enum call_timer which, int64_t in_ms)
{
	struct sip_calls *c = k->calls;
	int64_t at = call_now(c) + in_ms;

	k->timers[which] = at;
	if (c->next < 0 || at < c->next)
		c->next = at;
}

void call_disarm(struct sip_call *k, enum call_timer which)
{
	k->timers[which] = 0;
}

int64_t sip_calls_next_ms(const struct sip_calls *c)
{
	return c->next;
}

static void run_timers(struct sip_call *k, int64_t now)
{
	for (int i = 0; i < CALL_TIMERS; i++) {
		if (!k->timers[i] || k->timers[i] > now)
			continue;
		k->timers[i] = 0;
		call_due(k, (enum call_timer)i);
	}
}

/* A call that is due may end, but no other one. */
static void run_all(struct sip_calls *c)
{
	int64_t now = call_now(c);
	struct list *next;

	for (struct list *l = c->all.next; l != &c->all; l = next) {
		struct sip_call *k = list_owner(l, struct sip_call, all);

		k->references++;
		run_timers(k, now);
		next = l->next;
		call_release(k);
	}
}

static void find_next(struct sip_calls *c)
{
	c->next = -1;
	for (struct list *l = c->all.next; l != &c->all; l = l->next) {
		struct sip_call *k = list_owner(l, struct sip_call, all);

		for (int i = 0; i < CALL_TIMERS; i++)
			if (k->timers[i] &&
			    (c->next < 0 || k->timers[i] < c->next))
				c->next = k->timers[i];
	}
}

/* --- streams that fell silent */

void call_silent(void *calls, media_id id)
{
	struct sip_calls *c = calls;

	pthread_mutex_lock(&c->lock);
	if (c->silent_count < c->silent_max)
		c->silent[c->silent_count++] = id;
	pthread_mutex_unlock(&c->lock);
	if (c->o.wake)
		c->o.wake(c->o.arg);
}

static bool next_silent(struct sip_calls *c, media_id *id)
{
	bool found;

	pthread_mutex_lock(&c->lock);
	found = c->silent_count > 0;
	if (found)
		*id = c->silent[--c->silent_count];
	pthread_mutex_unlock(&c->lock);
	return found;
}

static void end_silent(struct sip_calls *c)
{
	media_id id;

	while (next_silent(c, &id))
		for (struct list *l = c->all.next; l != &c->all; l = l->next) {
			struct sip_call *k =
			    list_owner(l, struct sip_call, all);

			/* One that is held now is not expected to speak. */
			if (k->media.id != id || k->facts.held)
				continue;
			call_end(k, SIP_END_NETWORK_ERROR, 0,
				 "no media came any more");
			break;
		}
}

void sip_calls_tick(struct sip_calls *c)
{
	end_silent(c);
	if (c->next < 0 || c->next > call_now(c))
		return;
	run_all(c);
	find_next(c);
}

/* --- those who look and decide */

uint64_t sip_calls_id(struct sip_calls *c)
{
	return atomic_fetch_add(&c->ids, 1) + 1;
}

int sip_calls_end(struct sip_calls *c, uint64_t id, struct error *e)
{
	struct sip_call *k = find_id(c, id);

	if (!k)
		return error_set(e, ERR_NOT_FOUND, "no such call");
	call_end(k, SIP_END_DISCONNECT_ALL, 0, "");
	return 0;
}

void sip_calls_end_all(struct sip_calls *c)
{
	struct list *next;

	c->closed = true;
	for (struct list *l = c->all.next; l != &c->all; l = next) {
		struct sip_call *k = list_owner(l, struct sip_call, all);

		k->references++;
		call_end(k, SIP_END_DISCONNECT_ALL, 0, "the service ends");
		next = l->next;
		call_release(k);
	}
}

static void copy_facts(const struct sip_call *k, struct sip_call_facts *out)
{
	*out = k->facts;
	call_media_count(k, out);
}

size_t sip_calls_list(struct sip_calls *c, struct sip_call_facts *out,
		      size_t max)
{
	size_t n = 0;

	for (struct list *l = c->all.next; l != &c->all && n < max;
	     l = l->next) {
		struct sip_call *k = list_owner(l, struct sip_call, all);

		if (!call_is_over(k))
			copy_facts(k, &out[n++]);
	}
	return n;
}

size_t sip_calls_each(struct sip_calls *c,
		      void (*fn)(void *arg, const struct sip_call_facts *f),
		      void *arg)
{
	struct sip_call_facts facts;
	size_t n = 0;

	for (struct list *l = c->all.next; l != &c->all; l = l->next) {
		struct sip_call *k = list_owner(l, struct sip_call, all);

		if (call_is_over(k))
			continue;
		copy_facts(k, &facts);
		fn(arg, &facts);
		n++;
	}
	return n;
}

bool sip_calls_find(struct sip_calls *c, uint64_t id,
		    struct sip_call_facts *out)
{
	struct sip_call *k = find_id(c, id);

	if (k)
		copy_facts(k, out);
	return k != NULL;
}

size_t sip_calls_count(struct sip_calls *c)
{
	size_t n = c->live;

	for (struct list *l = c->all.next; l != &c->all; l = l->next) {
		const struct sip_call *k = list_owner(l, struct sip_call, all);

		if (call_is_over(k) &&
		    (k->bye_owed || call_is_sending(k, CALL_BYE)))
			n++;
	}
	return n;
}
