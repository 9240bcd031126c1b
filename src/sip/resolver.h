/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_RESOLVER_H
#define SB_SIP_RESOLVER_H

#include "sip/resolver_work.h"

/* Destinations become lists of targets (RFC 3263): a thread of its own asks the
 * hosts file and the DNS what a locator wants to know. Names are asked for as
 * they are, no search list. */

enum {
	RESOLVER_ACTIVE_MAX = 32,   /* look-ups under way at once */
	RESOLVER_LOOKUPS_MAX = 288, /* those and what waits for them to end */
	/* Of both, what others have named: a name that nobody answers for is
	 * easily made up, and calls of ours wait for no such. */
	RESOLVER_FOREIGN_ACTIVE_MAX = 24,
	RESOLVER_FOREIGN_MAX = 256,
	RESOLVER_TIMEOUT_MS = 1000, /* what 0 in the options means */
	RESOLVER_TRIES = 2,
	RESOLVER_DEADLINE_MS = 10 * 1000
};

struct sip_resolver_options {
	const char *servers;     /* "ADDRESS[:PORT],...", an IPv6 address with
				  * a port in brackets; NULL: the system's, also
				  * when they change later */
	const char *resolv_conf; /* NULL: /etc/resolv.conf */
	const char *hosts;       /* NULL: /etc/hosts */
	uint16_t port;           /* of servers without one; 0: 53 */
	int timeout_ms, tries;   /* of one server; 0 as above */
	int deadline_ms;         /* of a whole look-up, the waiting included */
	enum resolver_family family;
};

/* On the resolver's thread, once for each look-up that was started and not
 * cancelled; it does not block, and may start and cancel others. targets is
 * borrowed while the call lasts. count is 0 when there is none, and why says
 * so: ERR_NOT_FOUND: there is no such name, or nothing of use; ERR_TIMEOUT: no
 * server answered, or not in time; ERR_IO: the servers failed; ERR_NOMEM. */
typedef void sip_resolved_fn(void *arg, uint64_t ticket,
			     const struct sip_target *targets, size_t count,
			     const struct error *why);

struct sip_resolver;

/* Texts are copied. ERR_INPUT: servers; ERR_NOMEM, ERR_IO. */
struct sip_resolver *sip_resolver_new(const struct sip_resolver_options *o,
				      sip_resolved_fn *done, void *arg,
				      struct error *e) MUST_CHECK;
/* Nobody is told any more when this returns; not from done. NULL is fine. */
void sip_resolver_free(struct sip_resolver *r);

/* d is copied. ERR_INPUT as sip_locator_new(); ERR_EXISTS: that ticket is in
 * use; ERR_LIMIT: RESOLVER_LOOKUPS_MAX, RESOLVER_FOREIGN_MAX; ERR_NOMEM. Any
 * thread. */
int sip_resolver_start(struct sip_resolver *r, const struct sip_destination *d,
		       uint64_t ticket, struct error *e) MUST_CHECK;
/* True: done will not be called for it. False: there is no such look-up, or
 * done has been called or is being called right now. Any thread. */
bool sip_resolver_cancel(struct sip_resolver *r, uint64_t ticket);

#endif
