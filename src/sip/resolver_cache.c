/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/resolver_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct entry {
	char name[SIP_NAME_MAX];
	enum resolver_type type;
	int64_t until;
	size_t count;
	void *records; /* as many as there are, not as there could be */
};

struct resolver_cache {
	size_t limit, count;
	struct entry entries[]; /* in no order */
};

struct resolver_cache *resolver_cache_new(size_t limit, struct error *e)
{
	struct resolver_cache *c;

	if (limit < 1 || limit > RESOLVER_CACHE_MAX)
		limit = RESOLVER_CACHE_MAX;
	c = calloc(1, sizeof(*c) + limit * sizeof(c->entries[0]));
	if (!c) {
		error_nomem(e);
		return NULL;
	}
	c->limit = limit;
	return c;
}

void resolver_cache_clear(struct resolver_cache *c)
{
	while (c->count)
		free(c->entries[--c->count].records);
}

void resolver_cache_free(struct resolver_cache *c)
{
	if (!c)
		return;
	resolver_cache_clear(c);
	free(c);
}

size_t resolver_cache_count(const struct resolver_cache *c)
{
	return c->count;
}

/* c->count when it is not there. */
static size_t find(const struct resolver_cache *c, enum resolver_type type,
		   const char *name)
{
	size_t i = 0;

	while (i < c->count && (c->entries[i].type != type ||
				strcasecmp(c->entries[i].name, name) != 0))
		i++;
	return i;
}

bool resolver_cache_get(const struct resolver_cache *c, enum resolver_type type,
			const char *name, int64_t now,
			struct resolver_answer *out)
{
	size_t at = find(c, type, name);
	const struct entry *found = &c->entries[at];

	if (at == c->count || found->until <= now)
		return false;
	out->type = type;
	out->ttl = (uint32_t)((found->until - now) / 1000);
	out->count = found->count;
	if (found->count)
		memcpy(out->naptr, found->records,
		       found->count * resolver_type_size(type));
	return true;
}

static void drop(struct resolver_cache *c, size_t at)
{
	free(c->entries[at].records);
	c->entries[at] = c->entries[--c->count];
}

static void make_room(struct resolver_cache *c)
{
	size_t first = 0;

	if (c->count < c->limit)
		return;
	for (size_t i = 1; i < c->count; i++)
		if (c->entries[i].until < c->entries[first].until)
			first = i;
	drop(c, first);
}

void resolver_cache_put(struct resolver_cache *c, const char *name, int64_t now,
			const struct resolver_answer *a)
{
	uint32_t most = a->count ? RESOLVER_TTL_MAX : RESOLVER_NEGATIVE_TTL_MAX;
	size_t bytes = a->count * resolver_type_size(a->type);
	size_t at = find(c, a->type, name);
	void *records = NULL;
	struct entry *new;

	if (at < c->count)
		drop(c, at);
	if (!a->ttl || strlen(name) >= SIP_NAME_MAX)
		return;
	if (bytes && !(records = malloc(bytes)))
		return;
	if (bytes)
		memcpy(records, a->naptr, bytes);
	make_room(c);
	new = &c->entries[c->count++];
	snprintf(new->name, sizeof(new->name), "%s", name);
	new->type = a->type;
	new->until = now + (int64_t)(a->ttl < most ? a->ttl : most) * 1000;
	new->count = a->count;
	new->records = records;
}
