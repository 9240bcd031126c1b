/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_HOP_H
#define SB_SIP_SIP_HOP_H

#include "sip/sip_flow.h"
#include "sip/sip_locate.h"

/* Where a request within a call goes (RFC 3261 12.2.1.1, 8.1.2): over the flow
 * that signals the call, or to somebody else, who has to be located. Pure; any
 * thread. */

/* What the other end of a flow is called. */
struct sip_hop_name {
	const char *host; /* NULL or "": none; an IPv6 address may be in [] */
	uint16_t port;    /* 0: none was given */
};

enum { SIP_HOP_NAMES = 2 };

/* The other end of the flow of a call: its address and port, the host that was
 * dialled if it answers there, and the sent-by of the topmost Via of its newest
 * request, by which somebody behind a NAT calls itself. */
struct sip_neighbour {
	const struct sip_flow *flow;
	struct sip_hop_name names[SIP_HOP_NAMES];
};

/* Is the next hop (the first route, else the remote target) that neighbour? So
 * is each one that cannot be anybody else: an address that means something in
 * the neighbour's network only (a private one while the neighbour's is public,
 * our own loopback), or that is nobody's. Transport and certificate are not
 * looked at: who came over this flow hears over this flow. */
bool sip_hop_is_near(const struct sip_destination *next,
		     const struct sip_neighbour *n);

/* Is that the same host here and for who named it and has that address? Seen
 * from here it is not when it is an address of his network only, our own
 * loopback, or nobody's. A name may be, and so may what it leads to. */
bool sip_hop_is_common(const char *host, const char *named_by);

#endif
