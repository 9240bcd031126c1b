/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audit/audit_group.h"

#include "base/clock.h"

struct audit_waiting {
	struct audit_row *row;
	struct error *e;
	int rc;
	bool done;
	struct audit_waiting *next;
};

void audit_group_init(struct audit_group *g,
		      int (*write)(void *arg, struct audit_row *const rows[],
				   size_t count, struct error *e),
		      void *arg)
{
	*g = (struct audit_group){ .write = write, .arg = arg };
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->written, NULL);
}

void audit_group_destroy(struct audit_group *g)
{
	pthread_cond_destroy(&g->written);
	pthread_mutex_destroy(&g->lock);
}

static void join(struct audit_group *g, struct audit_waiting *w)
{
	w->row->at = clock_now();
	if (g->last)
		g->last->next = w;
	else
		g->first = w;
	g->last = w;
	g->waiting++;
}

/* Those that wait, oldest first; whoever takes them writes them. */
static size_t take(struct audit_group *g,
		   struct audit_waiting *out[AUDIT_GROUP_MAX])
{
	size_t count = 0;

	while (g->first && count < AUDIT_GROUP_MAX) {
		out[count++] = g->first;
		g->first = g->first->next;
	}
	if (!g->first)
		g->last = NULL;
	g->waiting -= count;
	return count;
}

/* With the lock, which is let go while the disk works. */
static void write_group(struct audit_group *g)
{
	struct audit_waiting *members[AUDIT_GROUP_MAX];
	struct audit_row *rows[AUDIT_GROUP_MAX];
	struct error e = ERROR_INIT;
	size_t count = take(g, members);
	int rc;

	g->writing = true;
	for (size_t i = 0; i < count; i++)
		rows[i] = members[i]->row;
	pthread_mutex_unlock(&g->lock);
	rc = g->write(g->arg, rows, count, &e);
	pthread_mutex_lock(&g->lock);
	for (size_t i = 0; i < count; i++) {
		members[i]->rc = rc;
		if (rc < 0)
			*members[i]->e = e;
		members[i]->done = true;
	}
	g->writing = false;
	pthread_cond_broadcast(&g->written);
}

int audit_group_append(struct audit_group *g, struct audit_row *row,
		       struct error *e)
{
	struct audit_waiting w = { .row = row, .e = e };

	pthread_mutex_lock(&g->lock);
	join(g, &w);
	while (!w.done) {
		if (g->writing)
			pthread_cond_wait(&g->written, &g->lock);
		else
			write_group(g);
	}
	pthread_mutex_unlock(&g->lock);
	return w.rc;
}
