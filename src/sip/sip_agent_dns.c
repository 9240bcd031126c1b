/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "sip/sip_agent_private.h"

/* Questions to the DNS: asked on the loop, answered on the resolver's thread,
 * heard on the loop again. */

struct answer {
	struct list node;
	uint64_t ticket;
	struct sip_target targets[SIP_TARGETS_MAX];
	size_t count;
	struct error why;
};

/* Without memory for it the question stays open; who asked has a deadline. */
void sip_agent_resolved(struct sip_agent *a, uint64_t ticket,
			const struct sip_target *targets, size_t count,
			const struct error *why)
{
	struct answer *n = calloc(1, sizeof(*n));

	if (!n)
		return;
	n->ticket = ticket;
	n->count = count < SIP_TARGETS_MAX ? count : SIP_TARGETS_MAX;
	if (n->count)
		memcpy(n->targets, targets, n->count * sizeof(*targets));
	else
		n->why = *why;
	pthread_mutex_lock(&a->lock);
	list_append(&a->answers, &n->node);
	pthread_mutex_unlock(&a->lock);
	a->o.wake(a->o.wake_arg);
}

static void on_resolved(void *arg, uint64_t ticket,
			const struct sip_target *targets, size_t count,
			const struct error *why)
{
	sip_agent_resolved(arg, ticket, targets, count, why);
}

static struct sip_resolution *question(struct sip_agent *a, uint64_t ticket)
{
	for (struct list *l = a->questions.next; l != &a->questions;
	     l = l->next) {
		struct sip_resolution *r =
		    list_owner(l, struct sip_resolution, node);

		if (r->ticket == ticket)
			return r;
	}
	return NULL;
}

static struct answer *next_answer(struct sip_agent *a)
{
	struct answer *n = NULL;

	pthread_mutex_lock(&a->lock);
	if (!list_empty(&a->answers)) {
		n = list_owner(a->answers.next, struct answer, node);
		list_remove(&n->node);
	}
	pthread_mutex_unlock(&a->lock);
	return n;
}

void sip_agent_dns_run(struct sip_agent *a)
{
	struct answer *n;

	while ((n = next_answer(a))) {
		struct sip_resolution *r = question(a, n->ticket);

		if (r) {
			list_remove(&r->node);
			r->done(r, n->targets, n->count, &n->why);
		}
		free(n);
	}
}

int sip_agent_resolve(struct sip_agent *a, const struct sip_destination *d,
		      struct sip_resolution *r, struct error *e)
{
	r->ticket = ++a->tickets;
	if (a->seams.resolve(a->seams.arg, d, r->ticket, e) < 0)
		return -1;
	list_append(&a->questions, &r->node);
	return 0;
}

void sip_agent_resolve_cancel(struct sip_agent *a, struct sip_resolution *r)
{
	if (!r->node.next || list_empty(&r->node))
		return;
	list_remove(&r->node);
	(void)a->seams.resolve_cancel(a->seams.arg, r->ticket);
}

static int real_resolve(void *arg, const struct sip_destination *d,
			uint64_t ticket, struct error *e)
{
	struct sip_agent *a = arg;

	return sip_resolver_start(a->resolver, d, ticket, e);
}

static bool real_cancel(void *arg, uint64_t ticket)
{
	struct sip_agent *a = arg;

	return sip_resolver_cancel(a->resolver, ticket);
}

int sip_agent_dns_new(struct sip_agent *a, struct error *e)
{
	a->seams.resolve = real_resolve;
	a->seams.resolve_cancel = real_cancel;
	a->resolver = sip_resolver_new(&a->o.resolver, on_resolved, a, e);
	return a->resolver ? 0 : -1;
}

void sip_agent_dns_free(struct sip_agent *a)
{
	struct answer *n;

	sip_resolver_free(a->resolver);
	while ((n = next_answer(a)))
		free(n);
}
