/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_RESOLVER_CACHE_H
#define SB_SIP_RESOLVER_CACHE_H

#include "sip/resolver_answer.h"

/* Answers of DNS servers for as long as they hold, also that there is nothing
 * (RFC 2308). c-ares 1.18 keeps none. The time is handed in: milliseconds of a
 * clock that never goes back. One thread at a time. */

enum {
	RESOLVER_CACHE_MAX = 256,       /* answers */
	RESOLVER_TTL_MAX = 3600,        /* seconds that one is believed */
	RESOLVER_NEGATIVE_TTL_MAX = 300 /* and that there is nothing */
};

struct resolver_cache;

/* limit: answers kept, 1 to RESOLVER_CACHE_MAX. ERR_NOMEM. */
struct resolver_cache *resolver_cache_new(size_t limit,
					  struct error *e) MUST_CHECK;
void resolver_cache_free(struct resolver_cache *c); /* NULL is fine */

/* False: nothing is known. out->ttl is what is left of it, rounded down. */
bool resolver_cache_get(const struct resolver_cache *c, enum resolver_type type,
			const char *name, int64_t now,
			struct resolver_answer *out);

/* In the place of what was known. Without a ttl, what was known is forgotten.
 * When there is no room, what has the shortest time left goes; without memory,
 * nothing is kept. */
void resolver_cache_put(struct resolver_cache *c, const char *name, int64_t now,
			const struct resolver_answer *a);

/* Other servers, other answers. */
void resolver_cache_clear(struct resolver_cache *c);
/* How many there are, those included that hold no longer. */
size_t resolver_cache_count(const struct resolver_cache *c);

#endif
