/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trust/trust_private.h"

struct counted {
	struct trust_snapshot s; /* first */
	atomic_uint refs;
};

static struct counted *counted_of(const struct trust_snapshot *s)
{
	return (struct counted *)(uintptr_t)s;
}

struct trust_snapshot *trust_snapshot_new(enum trust_source source,
					  struct cert_list *certificates,
					  const char *problem, struct error *e)
{
	struct counted *c = calloc(1, sizeof(*c));

	if (!c) {
		cert_list_free(certificates);
		error_nomem(e);
		return NULL;
	}
	atomic_init(&c->refs, 1);
	c->s.source = source;
	c->s.certificates = *certificates;
	*certificates = (struct cert_list){ NULL, 0 };
	if (problem)
		snprintf(c->s.problem, sizeof(c->s.problem), "%s", problem);
	return &c->s;
}

struct trust_snapshot *trust_snapshot_ref(const struct trust_snapshot *s)
{
	struct counted *c = counted_of(s);

	atomic_fetch_add(&c->refs, 1);
	return &c->s;
}

void trust_snapshot_unref(struct trust_snapshot *s)
{
	struct counted *c = counted_of(s);

	if (!s || atomic_fetch_sub(&c->refs, 1) != 1)
		return;
	cert_list_free(&s->certificates);
	free(c);
}

bool trust_snapshot_same(const struct trust_snapshot *a,
			 const struct trust_snapshot *b)
{
	if (a->source != b->source || strcmp(a->problem, b->problem) != 0 ||
	    a->certificates.count != b->certificates.count)
		return false;
	for (size_t i = 0; i < a->certificates.count; i++)
		if (!cert_equal(a->certificates.items[i],
				b->certificates.items[i]))
			return false;
	return true;
}

/* --- differences ---------------------------------------------------------- */

static int by_fingerprint(const void *a, const void *b)
{
	return memcmp(cert_sha256(*(struct cert *const *)a),
		      cert_sha256(*(struct cert *const *)b), SHA256_SIZE);
}

int trust_compare(const struct trust_snapshot *s, const struct cert_list *l,
		  struct trust_difference *out, struct error *e)
{
	size_t old = s ? s->certificates.count : 0;
	struct cert **sorted = calloc(old + 1, sizeof(struct cert *));

	if (!sorted)
		return error_nomem(e);
	if (old)
		memcpy(sorted, s->certificates.items,
		       old * sizeof(struct cert *));
	qsort(sorted, old, sizeof(*sorted), by_fingerprint);
	*out = (struct trust_difference){ 0, 0, 0 };
	for (size_t i = 0; i < l->count; i++) {
		if (bsearch(&l->items[i], sorted, old, sizeof(*sorted),
			    by_fingerprint))
			out->kept++;
		else
			out->added++;
	}
	out->removed = old - out->kept;
	free(sorted);
	return 0;
}

/* --- in force ------------------------------------------------------------- */

struct trust_snapshot *trust_snapshot(struct trust *t, enum trust_store_id id)
{
	struct trust_snapshot *s;

	pthread_mutex_lock(&t->lock);
	s = t->stores[id].snapshot;
	s = s ? trust_snapshot_ref(s) : NULL;
	pthread_mutex_unlock(&t->lock);
	return s;
}

void trust_publish(struct trust *t, enum trust_store_id id,
		   struct trust_snapshot *s)
{
	struct trust_state *state = &t->stores[id];
	struct trust_snapshot *old;

	pthread_mutex_lock(&t->lock);
	old = state->snapshot;
	if (old && trust_snapshot_same(old, s)) {
		pthread_mutex_unlock(&t->lock);
		trust_snapshot_unref(s);
		return;
	}
	s->generation = ++state->generation;
	state->snapshot = trust_snapshot_ref(s);
	pthread_mutex_unlock(&t->lock);
	trust_snapshot_unref(old);
	if (t->on_change)
		t->on_change(id, s, t->on_change_arg);
	trust_snapshot_unref(s);
}
