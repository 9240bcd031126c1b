/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_timers.h"

void sip_timers_init(struct sip_timers *s)
{
	list_init(&s->all);
	s->next = -1;
}

void sip_timer_stop(struct sip_timer *t)
{
	if (t->node.next)
		list_remove(&t->node);
}

void sip_timer_set(struct sip_timers *s, struct sip_timer *t, int64_t at,
		   void (*run)(struct sip_timer *t))
{
	sip_timer_stop(t);
	t->at = at;
	t->run = run;
	list_append(&s->all, &t->node);
	if (s->next < 0 || at < s->next)
		s->next = at;
}

void sip_timers_run(struct sip_timers *s, int64_t now_ms)
{
	struct list due;

	if (s->next < 0 || s->next > now_ms)
		return;
	list_init(&due);
	s->next = -1;
	for (struct list *l = s->all.next, *after; l != &s->all; l = after) {
		struct sip_timer *t = list_owner(l, struct sip_timer, node);

		after = l->next;
		if (t->at <= now_ms) {
			list_remove(l);
			list_append(&due, l);
		} else if (s->next < 0 || t->at < s->next) {
			s->next = t->at;
		}
	}
	/* One that is stopped by another is in neither list any more. */
	while (!list_empty(&due)) {
		struct sip_timer *t =
		    list_owner(due.next, struct sip_timer, node);

		list_remove(&t->node);
		t->run(t);
	}
}

int64_t sip_timers_wanted(const struct sip_timers *s)
{
	return list_empty(&s->all) ? -1 : s->next;
}
