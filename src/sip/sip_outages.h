/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_OUTAGES_H
#define SB_SIP_SIP_OUTAGES_H

#include "sip/sip_locate.h"

/* Targets that have failed of late, so that not every request waits for them
 * anew: those that did not answer, and those that said 503, for as long as
 * their Retry-After (RFC 3263 4.3, RFC 3261 21.5.4). They are tried last, but
 * tried: what is remembered can be wrong. Pure; one thread at a time. */

enum {
	SIP_OUTAGES_MAX = 64,        /* beyond, what ends first is forgotten */
	SIP_OUTAGE_SECONDS = 5 * 60, /* of one that did not answer */
	SIP_OUTAGE_503_SECONDS = 60, /* of a 503 without Retry-After */
	SIP_OUTAGE_MAX_SECONDS = 30 * 60 /* of one with it */
};

struct sip_outage {
	struct sip_target target;
	int64_t until_ms;
};

/* All zeros: there is none. */
struct sip_outages {
	struct sip_outage rows[SIP_OUTAGES_MAX];
	size_t count;
};

/* It has failed, and is thought to be so for that long; what was known of it
 * before counts no more. */
void sip_outages_note(struct sip_outages *o, const struct sip_target *target,
		      int64_t now_ms, uint32_t seconds);
/* The same by a 503; retry_after in seconds, 0: it named none. */
void sip_outages_note_503(struct sip_outages *o,
			  const struct sip_target *target, int64_t now_ms,
			  uint32_t retry_after);
/* It has answered. */
void sip_outages_end(struct sip_outages *o, const struct sip_target *target);
void sip_outages_clear(struct sip_outages *o);

bool sip_outages_has(const struct sip_outages *o, int64_t now_ms,
		     const struct sip_target *target);
/* Those that have failed come last; otherwise the order stays, among them,
 * too. count: at most SIP_TARGETS_MAX. */
void sip_outages_order(const struct sip_outages *o, int64_t now_ms,
		       struct sip_target *targets, size_t count);

#endif
