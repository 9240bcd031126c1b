/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "front/deadline.h"

static void on_timer(uv_timer_t *timer);

static void arm(struct deadlines *all, uint64_t due_ms)
{
	uint64_t now = uv_now(all->timer.loop);
	uint64_t wait = due_ms > now ? due_ms - now : 0;

	if (wait < DEADLINE_TICK_MS)
		wait = DEADLINE_TICK_MS;
	all->armed_ms = now + wait;
	uv_timer_start(&all->timer, on_timer, wait, 0);
}

static void expire(struct list *kind, uint64_t now)
{
	while (!list_empty(kind)) {
		struct deadline *d =
		    list_owner(kind->next, struct deadline, node);

		if (d->due_ms > now)
			return;
		list_remove(&d->node);
		d->expired(d);
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct deadlines *all = list_owner(timer, struct deadlines, timer);
	uint64_t now = uv_now(timer->loop);
	uint64_t next = UINT64_MAX;

	all->armed_ms = 0; /* what is set meanwhile needs no timer of its own */
	for (int i = 0; i < DEADLINE_KINDS; i++)
		expire(&all->kinds[i], now);
	for (int i = 0; i < DEADLINE_KINDS; i++) {
		struct list *first = all->kinds[i].next;

		if (first == &all->kinds[i])
			continue;
		if (list_owner(first, struct deadline, node)->due_ms < next)
			next = list_owner(first, struct deadline, node)->due_ms;
	}
	all->armed_ms = UINT64_MAX;
	if (next != UINT64_MAX)
		arm(all, next);
	all->after(all);
}

void deadlines_start(struct deadlines *all, uv_loop_t *loop,
		     void (*after)(struct deadlines *all))
{
	uv_timer_init(loop, &all->timer);
	all->armed_ms = UINT64_MAX;
	all->after = after;
	for (int i = 0; i < DEADLINE_KINDS; i++)
		list_init(&all->kinds[i]);
}

void deadlines_stop(struct deadlines *all, uv_close_cb closed)
{
	uv_timer_stop(&all->timer);
	uv_close((uv_handle_t *)&all->timer, closed);
}

void deadline_init(struct deadline *d, void (*expired)(struct deadline *d))
{
	list_init(&d->node);
	d->expired = expired;
	d->kind = DEADLINE_KINDS;
	d->due_ms = 0;
}

void deadline_set(struct deadlines *all, struct deadline *d,
		  enum deadline_kind kind)
{
	deadline_set_in(all, d, kind, all->duration_ms[kind]);
}

/* The first from behind that is due no later than d: with one duration for all,
 * that is the last. */
static struct list *place(struct list *kind, const struct deadline *d)
{
	struct list *l = kind->prev;

	while (l != kind &&
	       list_owner(l, struct deadline, node)->due_ms > d->due_ms)
		l = l->prev;
	return l;
}

void deadline_set_in(struct deadlines *all, struct deadline *d,
		     enum deadline_kind kind, unsigned ms)
{
	list_remove(&d->node);
	d->kind = kind;
	d->due_ms = uv_now(all->timer.loop) + ms;
	list_prepend(place(&all->kinds[kind], d), &d->node);
	if (d->due_ms < all->armed_ms)
		arm(all, d->due_ms);
}

void deadline_clear(struct deadline *d)
{
	list_remove(&d->node);
}

bool deadline_runs(const struct deadline *d)
{
	return !list_empty(&d->node);
}
