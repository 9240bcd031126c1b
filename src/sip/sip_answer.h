/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_ANSWER_H
#define SB_SIP_SIP_ANSWER_H

#include "sip/sip_head.h"

/* The answer to a request that got no transaction, out of the request's own
 * lines: they may be such that no parser takes them (RFC 3261 8.2.6, 8.2.7).
 * Pure; any thread. */

enum {
	SIP_ANSWER_MAX = 65536,
	SIP_RETRY_AFTER_S = 5, /* said with each 503 */
};

/* Where the request came from: the kernel's word. */
struct sip_source {
	const char *address; /* numeric */
	uint16_t port;
};

/* Adds the answer to out. 0: it is there, or there is none to give and *given
 * is false (ACK, no Via or CSeq, a refusal without status). -1: ERR_LIMIT,
 * ERR_NOMEM. The tag in To is the same each time the request comes again; salt
 * makes it one that nobody else can foretell. */
int sip_answer_refusal(const struct sip_head *request,
		       const struct sip_refusal *why,
		       const struct sip_source *source, struct view salt,
		       struct buf *out, bool *given,
		       struct error *e) MUST_CHECK;

/* Where the answer to a request over UDP goes that came from that port: back
 * there when Via has rport (RFC 3581 4) or cannot be read, else to the port of
 * sent-by (RFC 3261 18.2.2). The address is the source's in any case: maddr and
 * the host of sent-by are anybody's word. */
uint16_t sip_answer_port(const struct sip_head *request, uint16_t source_port);

#endif
