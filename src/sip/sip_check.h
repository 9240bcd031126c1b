/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_CHECK_H
#define SB_SIP_SIP_CHECK_H

#include "sip/sip_head.h"

/* Which messages are taken at all: what RFC 3261 8.2, 18.3 and 20 and RFC 4475
 * say about wrong ones, as far as it needs no dialog. Pure; any thread. */

enum sip_transport { SIP_UDP, SIP_TCP, SIP_TLS };

#define SIP_ALLOW     "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO"
#define SIP_SUPPORTED "timer"

enum { SIP_CSEQ_MAX = INT32_MAX }; /* RFC 3261 8.1.1.5: below 2^31 */

/* 0, or -1 and *why is the answer. The body of a datagram is cut to its
 * Content-Length (18.3). */
int sip_check_request(struct sip_head *h, enum sip_transport transport,
		      struct sip_refusal *why);
/* 0, or -1: drop it, there is nothing to say to an answer. */
int sip_check_answer(struct sip_head *h, enum sip_transport transport,
		     struct sip_refusal *why);

/* Walks over a list of words with commas between them: the next one without
 * the blanks around it; *rest, at first the whole value, moves on. False at the
 * end. */
bool sip_next_word(struct view *rest, struct view *word);
/* Is that option tag one of SIP_SUPPORTED? */
bool sip_is_supported(struct view option_tag);

#endif
