/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_FRONT_LIST_H
#define SB_FRONT_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* Doubly linked ring of members embedded in their owners; the head is a member
 * that belongs to nobody. A member that is in no list points to itself. */
struct list {
	struct list *prev, *next;
};

#define list_owner(member, type, field) \
	((type *)(void *)((char *)(member)-offsetof(type, field)))

static inline void list_init(struct list *l)
{
	l->prev = l->next = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_remove(struct list *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}

/* Put m in front of at: with the head as at, that is the end of the list. */
static inline void list_insert(struct list *at, struct list *m)
{
	m->prev = at->prev;
	m->next = at;
	at->prev->next = m;
	at->prev = m;
}

static inline void list_append(struct list *head, struct list *m)
{
	list_insert(head, m);
}

static inline void list_prepend(struct list *head, struct list *m)
{
	list_insert(head->next, m);
}

/* Move everything of one list to an empty other one. */
static inline void list_move(struct list *from, struct list *to)
{
	if (list_empty(from))
		return;
	list_insert(from, to);
	list_remove(from);
}

#endif
