/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "sip/sip_clock.h"
#include "sip/sip_transaction.h"

/* The timers of the machines and our own. The library would look for them in
 * its lists, which it also walks for each transaction that begins or ends; so
 * its lists stay empty, and its timers, which are open in its structures, are
 * looked at here. */

/* Of several that are due the first one runs (17.1.1.2: B before A). */
static const struct {
	state_t state;
	type_t event;
	size_t context, start;
} timers[] = {
#define TIMER(state, event, kind, timer)                                    \
	{                                                                   \
		state, event, offsetof(osip_transaction_t, kind##_context), \
		    offsetof(osip_##kind##_t, timer##_start)                \
	}
	TIMER(ICT_CALLING, TIMEOUT_B, ict, timer_b),
	TIMER(ICT_CALLING, TIMEOUT_A, ict, timer_a),
	TIMER(ICT_COMPLETED, TIMEOUT_D, ict, timer_d),
	TIMER(IST_CONFIRMED, TIMEOUT_I, ist, timer_i),
	TIMER(IST_COMPLETED, TIMEOUT_H, ist, timer_h),
	TIMER(IST_COMPLETED, TIMEOUT_G, ist, timer_g),
	TIMER(NICT_COMPLETED, TIMEOUT_K, nict, timer_k),
	TIMER(NICT_TRYING, TIMEOUT_F, nict, timer_f),
	TIMER(NICT_PROCEEDING, TIMEOUT_F, nict, timer_f),
	TIMER(NICT_TRYING, TIMEOUT_E, nict, timer_e),
	TIMER(NICT_PROCEEDING, TIMEOUT_E, nict, timer_e),
	TIMER(NIST_COMPLETED, TIMEOUT_J, nist, timer_j),
#undef TIMER
};

enum { TIMERS = sizeof(timers) / sizeof(timers[0]) };

/* When that timer of the machine is due; -1: it does not run. */
static int64_t due_at(const osip_transaction_t *m, size_t i)
{
	const char *context;
	struct timeval start;

	if (m->state != timers[i].state)
		return -1;
	memcpy(&context, (const char *)m + timers[i].context, sizeof(context));
	memcpy(&start, context + timers[i].start, sizeof(start));
	return start.tv_sec == -1 ? -1 : sip_clock_ms(&start);
}

static void run_machine(struct sip_transaction *t)
{
	osip_event_t *event;

	for (size_t i = 0; i < TIMERS; i++) {
		int64_t due = due_at(t->machine, i);

		if (due < 0 || due > t->stack->now)
			continue;
		event = osip_malloc(sizeof(*event));
		if (!event)
			return; /* the next tick tries again */
		memset(event, 0, sizeof(*event));
		event->type = timers[i].event;
		event->transactionid = t->machine->transactionid;
		sip_transaction_run(t, event);
		return;
	}
}

static void send_again(struct sip_transaction *t)
{
	if (!t->flow->ops->send(t->flow, t->success.ptr, t->success.len)) {
		sip_transaction_fail(t, SIP_FAILED_TRANSPORT);
		return;
	}
	t->again_gap =
	    t->again_gap * 2 < SIP_T2_MS ? t->again_gap * 2 : SIP_T2_MS;
	t->again = t->stack->now + t->again_gap;
}

/* An accepted one that was ACKed has simply lived its time. */
static void give_up(struct sip_transaction *t)
{
	t->until = 0;
	if (t->accepted && (!t->server || t->acked)) {
		t->over = true;
		sip_transaction_soil(t);
	} else {
		sip_transaction_fail(t, SIP_FAILED_TIMEOUT);
	}
}

static void run_own(struct sip_transaction *t)
{
	int64_t now = t->stack->now;

	if (t->until && t->until <= now)
		give_up(t);
	else if (t->again && !t->acked && t->again <= now)
		send_again(t);
}

void sip_transactions_tick(struct sip_stack *s)
{
	for (struct list *l = s->all.next; l != &s->all; l = l->next) {
		struct sip_transaction *t =
		    list_owner(l, struct sip_transaction, all);

		if (t->machine && !t->rests && !t->over)
			run_machine(t);
		if (!t->over)
			run_own(t);
	}
}

static int64_t sooner(int64_t a, int64_t b)
{
	return b >= 0 && (a < 0 || b < a) ? b : a;
}

static int64_t next_of(const struct sip_transaction *t)
{
	int64_t next = t->until ? t->until : -1;

	if (t->again && !t->acked)
		next = sooner(next, t->again);
	for (size_t i = 0; t->machine && i < TIMERS; i++)
		next = sooner(next, due_at(t->machine, i));
	return next;
}

int64_t sip_transactions_next(const struct sip_stack *s)
{
	int64_t next = -1, soonest = s->now + SIP_TICK_MS;

	for (struct list *l = s->all.next; l != &s->all; l = l->next)
		next = sooner(
		    next, next_of(list_owner(l, struct sip_transaction, all)));
	return next >= 0 && next < soonest ? soonest : next;
}
