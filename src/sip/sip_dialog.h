/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_DIALOG_H
#define SB_SIP_SIP_DIALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "sip/sip_locate.h"

/* Dialogs (RFC 3261 12): what two sides know of each other in a call. Values:
 * they send nothing and hold no transaction or flow. Messages are libosip2's,
 * checked by sip_check.h; they stay the caller's. One thread at a time. */

struct osip_message;
struct sip_dialog;

enum { SIP_ROUTES_MAX = 32 };

/* Of an INVITE that came, with the tag in To that we answer it with (12.1.1).
 * NULL: ERR_INPUT (no usable Contact, too many routes: 400), ERR_NOMEM. */
struct sip_dialog *sip_dialog_new_uas(const struct osip_message *invite,
				      const char *local_tag,
				      struct error *e) MUST_CHECK;
/* Of an answer 101 to 299 to an INVITE of ours (12.1.2); each tag in To is a
 * dialog of its own. A 2xx without a usable Contact, which has to have one
 * (13.3.1.4), is taken all the same, with our Request-URI for the target. As
 * above. */
struct sip_dialog *sip_dialog_new_uac(const struct osip_message *invite,
				      const struct osip_message *response,
				      struct error *e) MUST_CHECK;
void sip_dialog_free(struct sip_dialog *d);

/* The 2xx after a provisional answer that made d: its routes and its target
 * are those that count (13.2.2.4). 0, or -1: ERR_INPUT, ERR_NOMEM; d is then
 * as before. */
int sip_dialog_confirm(struct sip_dialog *d,
		       const struct osip_message *response,
		       struct error *e) MUST_CHECK;
/* A request that came or an answer to one of ours: is it d's? */
bool sip_dialog_has(const struct sip_dialog *d, const struct osip_message *m);

/* A request of d's that came, not ACK or CANCEL: 0, or what it is refused with;
 * 500 when its CSeq is not above the last one (12.2.2). */
unsigned sip_dialog_take(struct sip_dialog *d,
			 const struct osip_message *request);
/* INVITE or UPDATE, theirs or the answer to ours, has got its 2xx: the peer may
 * have moved (12.2). Without a Contact nothing happens. 0, or -1 as above. */
int sip_dialog_refresh(struct sip_dialog *d, const struct osip_message *m,
		       struct error *e) MUST_CHECK;

/* A request within d, with the next CSeq, all but Via, Max-Forwards, Contact
 * and a body (12.2.1.1; routes loose and strict). NULL: ERR_LIMIT (no CSeq is
 * left), ERR_NOMEM, ERR_INPUT. */
struct osip_message *sip_dialog_request(struct sip_dialog *d,
					const char *method,
					struct error *e) MUST_CHECK;
/* The ACK to a 2xx to the INVITE with that CSeq (13.2.2.4). */
struct osip_message *sip_dialog_ack(const struct sip_dialog *d, uint32_t cseq,
				    struct error *e) MUST_CHECK;

/* Where its requests go first, for sip_locate.h: the first route, else the
 * target (12.2.1.1), whose "maddr" counts for its host (RFC 3263 4). The host
 * lives until d changes. */
void sip_dialog_next_hop(const struct sip_dialog *d,
			 struct sip_destination *out);
/* False: nobody has said where that is, the Request-URI of our INVITE is taken
 * for it. */
bool sip_dialog_knows_hop(const struct sip_dialog *d);
/* Began with a sips: Request-URI: every further hop is TLS (12.1.1). */
bool sip_dialog_is_secure(const struct sip_dialog *d);
const char *sip_dialog_local_tag(const struct sip_dialog *d);
const char *sip_dialog_remote_tag(const struct sip_dialog *d);
uint32_t sip_dialog_local_cseq(const struct sip_dialog *d);

#endif
