/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_KEPT_FLOW_H
#define SB_SIP_SIP_KEPT_FLOW_H

#include "sip/sip_agent.h"

/* A connection that is kept open by CRLF (RFC 5626 4.4.1), so that the other
 * side can reach us through it, embedded in its owner. On the loop. */

enum {
	SIP_PING_MS = 25 * 1000, /* between CRLFs, and up to so much more */
	SIP_PING_SPREAD_MS = 5 * 1000,
};

struct sip_kept_flow {
	struct sip_agent *agent;
	struct sip_flow *flow; /* NULL: none is kept */
	struct sip_timer ping;
	struct sip_flow_watch watch;
	void (*lost)(struct sip_kept_flow *k);
};

/* lost: the connection is gone, and kept no longer. */
void sip_kept_flow_init(struct sip_kept_flow *k, struct sip_agent *agent,
			void (*lost)(struct sip_kept_flow *k));
/* Keeps f in place of the one before; NULL, or one over UDP: none. */
void sip_kept_flow_set(struct sip_kept_flow *k, struct sip_flow *f);
/* Keeps none, and closes the one that was kept. */
void sip_kept_flow_close(struct sip_kept_flow *k);
/* Keeps none, and hears of none any more. */
void sip_kept_flow_end(struct sip_kept_flow *k);

/* From 0 to n milliseconds, so that many devices do not act at once. */
int64_t sip_spread_ms(int64_t n);

#endif
