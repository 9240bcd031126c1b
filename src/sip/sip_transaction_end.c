/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_transaction.h"

#include <stdlib.h>

/* How transactions end, and what happens to an INVITE between its 2xx and its
 * end (RFC 6026 7, RFC 3261 13.3.1.4), which libosip2 does not know. */

void sip_transaction_soil(struct sip_transaction *t)
{
	if (list_empty(&t->dirty))
		list_append(&t->stack->dirty, &t->dirty);
}

void sip_transaction_fail(struct sip_transaction *t, enum sip_failure why)
{
	if (!t->failing) {
		t->failing = true;
		t->failure = why;
	}
	t->over = true;
	sip_transaction_soil(t);
}

/* It stays for 64*T1: copies of the INVITE and of its answers find it. */
void sip_accept(struct sip_transaction *t)
{
	t->accepted = true;
	t->until = t->stack->now + SIP_TIMEOUT_MS;
	if (t->server) {
		t->again_gap = SIP_T1_MS;
		t->again = t->stack->now + t->again_gap;
	}
}

static void give_way(struct sip_transaction *t)
{
	if (list_empty(&t->done))
		list_append(&t->stack->done, &t->done);
}

/* It gives way later: its user is still to be told, and may send something. */
void sip_accepted_done(struct sip_transaction *t)
{
	t->acked = true;
	sip_transaction_soil(t);
}

static struct sip_transaction *eldest_done(struct sip_stack *s, bool any,
					   unsigned peer)
{
	for (struct list *l = s->done.next; l != &s->done; l = l->next) {
		struct sip_transaction *t =
		    list_owner(l, struct sip_transaction, done);

		if (any || t->peer == peer)
			return t;
	}
	return NULL;
}

/* Calls would else use up all the room: 64*T1 of each transaction are long when
 * many begin and end, and copies of what has been answered are rare. */
bool sip_make_room(struct sip_stack *s, unsigned peer)
{
	bool peer_full = peer < SIP_PEERS &&
			 s->peers[peer] >= s->config.transactions_peer_max;
	struct sip_transaction *t;

	if (!peer_full && s->count < s->config.transactions_max)
		return true;
	t = eldest_done(s, !peer_full, peer);
	if (!t)
		return false;
	sip_transaction_end(t);
	return s->count < s->config.transactions_max;
}

/* The machine goes, the request stays. */
static void stop_machine(struct sip_transaction *t)
{
	if (!t->machine)
		return;
	if (t->machine->orig_request)
		t->request = t->machine->orig_request;
	t->machine->orig_request = NULL;
	osip_transaction_free2(t->machine);
	t->machine = NULL;
	t->rests = false;
}

void sip_transaction_end(struct sip_transaction *t)
{
	struct sip_stack *s = t->stack;

	stop_machine(t);
	/* Its user may send something then, and want room for that. */
	list_remove(&t->done);
	if (t->known) {
		t->known = false;
		s->config.ops->ended(s->config.user, t);
	}
	for (int i = 0; i < SIP_SLOTS; i++)
		list_remove(&t->slots[i].link);
	list_remove(&t->all);
	list_remove(&t->dirty);
	if (t->server)
		s->peers[t->peer]--;
	s->count--;
	osip_message_free(t->request);
	sip_flow_release(t->flow);
	buf_free(&t->success);
	free(t);
}

/* A client's failure is told as long as no final answer was, a server's when
 * its 2xx got no ACK. */
static void tell_failure(struct sip_transaction *t)
{
	struct sip_stack *s = t->stack;

	if (t->failing && t->known &&
	    (t->server ? t->accepted && !t->acked : !t->final))
		s->config.ops->timed_out(s->config.user, t, t->failure);
	t->failing = false;
}

static void settle(struct sip_transaction *t)
{
	list_remove(&t->dirty);
	if (t->over || (t->rests && !t->accepted)) {
		tell_failure(t);
		sip_transaction_end(t);
		return;
	}
	if (t->rests)
		stop_machine(t);
	if (t->server && t->final && (!t->accepted || t->acked))
		give_way(t);
}

/* Callbacks may soil others, which are then in the list, too. */
void sip_sweep(struct sip_stack *s)
{
	s->depth++;
	while (!list_empty(&s->dirty))
		settle(
		    list_owner(s->dirty.next, struct sip_transaction, dirty));
	s->depth--;
}

void sip_stack_flow_lost(struct sip_stack *s, struct sip_flow *flow)
{
	sip_stack_enter(s);
	sip_flow_hold(flow);
	for (struct list *l = s->all.next; l != &s->all; l = l->next) {
		struct sip_transaction *t =
		    list_owner(l, struct sip_transaction, all);

		if (t->flow == flow)
			sip_transaction_fail(t, SIP_FAILED_TRANSPORT);
	}
	if (s->depth == 1)
		sip_sweep(s);
	s->config.ops->flow_lost(s->config.user, flow);
	sip_flow_release(flow);
	sip_stack_leave(s);
}
