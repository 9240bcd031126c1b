/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_RESOLVER_WORK_H
#define SB_SIP_RESOLVER_WORK_H

#include "sip/resolver_cache.h"
#include "sip/resolver_channel.h"

/* One look-up under way: the questions of a locator, each answered by the hosts
 * file, the cache, or the servers. One thread at a time. */

/* Which addresses of a host come first (RFC 6724, as far as a program can tell
 * without trying): IPv6 if we have a global address of it ourselves. */
enum resolver_family {
	RESOLVER_FAMILY_BY_HOST,
	RESOLVER_FAMILY_4_FIRST,
	RESOLVER_FAMILY_6_FIRST
};

struct resolver_pending;

/* Shared by all; must outlive them. At first pending is NULL. */
struct resolver_tools {
	struct resolver_channel *channel;
	struct resolver_cache *cache;
	const char *hosts; /* path */
	enum resolver_family family;
	struct resolver_pending *pending; /* what the channel is asked */
};

struct resolver_work;

/* l is borrowed. NULL: no memory. */
struct resolver_work *resolver_work_new(struct resolver_tools *tools,
					struct sip_locator *l);
/* Answers still to come go to the cache only. NULL is fine. */
void resolver_work_free(struct resolver_work *w);

/* As far as it goes without waiting; call it after every round of the channel.
 * True: there is no question any more. */
bool resolver_work_advance(struct resolver_work *w);
/* Whether a question had no answer, and whether because of silence. */
bool resolver_work_failed(const struct resolver_work *w, bool *timed_out);

#endif
