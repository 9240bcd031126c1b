/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"
#include "calls/participants_private.h"

/* What has changed since when. A revision is the number of a query; a change
 * has that of the next one. The numbers come from the store, so a run never
 * gives those of another: whoever kept one over our restart is told all. */

/* --- numbers -------------------------------------------------------------- */

/* Under the lock. Before any participant was touched in this range; those that
 * came about earlier have been seen by whoever was given one of it. */
static void begin_range(struct participants *p, int32_t first)
{
	for (struct list *l = p->all.next; l != &p->all; l = l->next)
		list_owner(l, struct participant, node)->revision = first;
	p->first_revision = p->revision = p->gone_forgotten = first;
	p->end_revision = first + REVISIONS_TAKEN;
}

/* Under the lock. */
static bool is_needed(const struct participants *p)
{
	return p->end_revision - p->revision < REVISIONS_TAKEN / 2;
}

static void take(struct participants *p)
{
	struct error e = ERROR_INIT;
	int32_t first;

	if (store_revisions_take(p->o.store, REVISIONS_TAKEN, &first, &e) < 0) {
		/* Each query tries, and a full disk stays full for long. */
		if (!p->has_told)
			log_failure(LOG_LEVEL_WARNING, "calls", &e);
		p->has_told = true;
		return;
	}
	p->has_told = false;
	pthread_mutex_lock(&p->lock);
	if (first == p->end_revision)
		p->end_revision += REVISIONS_TAKEN;
	else
		begin_range(p, first);
	pthread_mutex_unlock(&p->lock);
}

static bool look(struct participants *p)
{
	bool needed;

	pthread_mutex_lock(&p->lock);
	needed = is_needed(p);
	pthread_mutex_unlock(&p->lock);
	return needed;
}

void participants_need_revisions(struct participants *p)
{
	if (!look(p))
		return;
	pthread_mutex_lock(&p->changing);
	if (look(p))
		take(p);
	pthread_mutex_unlock(&p->changing);
}

void participant_touch(struct participants *p, struct participant *one)
{
	one->revision = p->revision + 1;
}

/* Where there are no more (the disk is full), the same one again: what has
 * changed is told twice then, and nothing is missed. */
int32_t participants_next_revision(struct participants *p)
{
	if (p->revision + 2 < p->end_revision)
		p->revision++;
	return p->revision;
}

bool participants_know_since(const struct participants *p, int32_t revision)
{
	return p->first_revision > 0 && revision >= p->first_revision &&
	       revision <= p->revision && revision >= p->gone_forgotten;
}

/* --- who is gone ---------------------------------------------------------- */

static void forget_first_gone(struct participants *p)
{
	struct participant *one =
	    list_owner(p->gone.next, struct participant, call_node);

	if (one->revision > p->gone_forgotten)
		p->gone_forgotten = one->revision;
	p->gone_count--;
	participant_free(p, one);
}

void participant_bury(struct participants *p, struct participant *one)
{
	if (!one->listed && !one->removed) {
		participant_free(p, one);
		return;
	}
	if (one->config.key)
		p->kept--;
	one->config.key = 0;
	if (!one->removed)
		participant_touch(p, one);
	one->listed = false;
	one->gone = true;
	list_remove(&one->name_node);
	list_remove(&one->call_node);
	list_append(&p->gone, &one->call_node);
	if (++p->gone_count > PARTICIPANTS_GONE_KEPT)
		forget_first_gone(p);
}
