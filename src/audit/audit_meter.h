/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUDIT_AUDIT_METER_H
#define SB_AUDIT_AUDIT_METER_H

#include "audit/audit.h"

/* Some records are caused by strangers at will, who must not be able to push
 * the others out of the trail: refused log-ins and calls, log-ins to accounts
 * without a password, and log-outs. Each such event has a
 * rate for each peer and one for all; what is too much is counted, and told by
 * one record a minute. A peer falls into a bucket by a keyed hash of its
 * address (an IPv6 peer is its /64), so no flood of addresses pushes another
 * one out. Pure; the caller locks. */

enum {
	AUDIT_METER_PEER_BURST = 100,     /* so many at once from one peer, */
	AUDIT_METER_PEER_EACH_MS = 10000, /* then one in ten seconds */
	AUDIT_METER_ALL_BURST = 300,
	AUDIT_METER_ALL_EACH_MS = 6000,
	AUDIT_METER_TELL_MS = 60000,
	AUDIT_METER_PEERS = 256,
	AUDIT_METER_EVENTS = 4,
	AUDIT_METER_KEY = 16
};

struct audit_meter {
	uint8_t key[AUDIT_METER_KEY]; /* random */
	struct audit_meter_rates {
		int64_t peers[AUDIT_METER_PEERS]; /* when each is full again */
		int64_t all;
		int64_t began_ms; /* with the first that was not written */
		uint32_t suppressed;
	} events[AUDIT_METER_EVENTS];
};

/* One more: whether to write it down. Always for other events and for the
 * control socket ("local"). */
bool audit_meter_admit(struct audit_meter *m, enum audit_event event,
		       const struct audit_actor *actor, int64_t now_ms);
/* An event of which some were not written in a minute that is over (all:
 * whether or not it is), and how many; each is told once. */
bool audit_meter_settle(struct audit_meter *m, int64_t now_ms, bool all,
			enum audit_event *event_out, uint32_t *count_out);

#endif
