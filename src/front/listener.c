/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "front/listener.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

/* The sets of listening sockets by name. */

static void on_release(struct watch *w)
{
	free(list_owner(w, struct listener, watch));
}

static void on_pause_over(struct deadline *d)
{
	listener_arm(list_owner(d, struct listener, pause));
}

struct listen_group *listen_group_find(struct front *f, const char *name)
{
	for (struct list *l = f->groups.next; l != &f->groups; l = l->next) {
		struct listen_group *g =
		    list_owner(l, struct listen_group, node);

		if (strcmp(g->name, name) == 0)
			return g;
	}
	return NULL;
}

struct listen_group *listen_group_get(struct front *f, const char *name,
				      struct error *e)
{
	struct listen_group *g = listen_group_find(f, name);

	if (g)
		return g;
	if (strlen(name) >= sizeof(g->name)) {
		error_set(e, ERR_INPUT, "listener name too long: %s", name);
		return NULL;
	}
	g = calloc(1, sizeof(*g));
	if (!g) {
		error_nomem(e);
		return NULL;
	}
	strcpy(g->name, name);
	list_init(&g->listeners);
	list_append(&f->groups, &g->node);
	return g;
}

struct listener *listener_add(struct listen_group *g, struct front *f, int fd,
			      void (*ready)(struct watch *w, uint32_t events),
			      struct error *e)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (!l) {
		close(fd);
		error_nomem(e);
		return NULL;
	}
	watch_init(&l->watch, fd, ready, on_release);
	deadline_init(&l->pause, on_pause_over);
	l->front = f;
	l->group = g;
	l->keep = true;
	list_append(&g->listeners, &l->node);
	return l;
}

void listener_close(struct listener *l)
{
	deadline_clear(&l->pause);
	list_remove(&l->node);
	watch_close(&l->front->watcher, &l->watch);
}

void listener_arm(struct listener *l)
{
	enum peer_via via = l->group->via;
	bool waits = via_is_tls(via) && !l->front->tls[via];
	bool on = !deadline_runs(&l->pause) && !waits;

	if (watch_set(&l->front->watcher, &l->watch, on ? EPOLLIN : 0) < 0)
		log_error("front", "cannot watch listener %s", l->group->name);
}

void listeners_update(struct front *f)
{
	for (struct list *i = f->groups.next; i != &f->groups; i = i->next) {
		struct listen_group *g =
		    list_owner(i, struct listen_group, node);

		for (struct list *j = g->listeners.next; j != &g->listeners;
		     j = j->next)
			listener_arm(list_owner(j, struct listener, node));
	}
}

static void remove_path(const struct listen_group *g)
{
	struct stat st;

	if (g->path[0] && lstat(g->path, &st) == 0 && st.st_dev == g->dev &&
	    st.st_ino == g->ino)
		unlink(g->path);
}

static void group_close(struct listen_group *g)
{
	while (!list_empty(&g->listeners))
		listener_close(
		    list_owner(g->listeners.next, struct listener, node));
	remove_path(g);
	list_remove(&g->node);
	free(g);
}

void front_unlisten(struct front *f, const char *name)
{
	struct listen_group *g = listen_group_find(f, name);

	if (g)
		group_close(g);
}

void listeners_close_all(struct front *f)
{
	while (!list_empty(&f->groups))
		group_close(
		    list_owner(f->groups.next, struct listen_group, node));
}
