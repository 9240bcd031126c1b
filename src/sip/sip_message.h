/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_MESSAGE_H
#define SB_SIP_SIP_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* What libosip2's messages lack. Whoever builds messages includes
 * <osip2/osip.h> beside this. One thread at a time. */

struct osip_message;

/* An answer to the request with what RFC 3261 8.2.6.2 copies: Via, From, To,
 * Call-ID, CSeq; Timestamp into a 100, Record-Route into those that make a
 * dialog (12.1.1). A To without tag gets to_tag, unless the status is 100.
 * reason NULL: RFC 3261's. NULL: ERR_NOMEM, ERR_INPUT (the library took
 * something that it cannot copy). To be freed by osip_message_free(). */
struct osip_message *sip_message_answer(const struct osip_message *request,
					unsigned status, const char *reason,
					const char *to_tag,
					struct error *e) MUST_CHECK;

/* A CANCEL (9.1) for the request, which has its Via already. As above. */
struct osip_message *sip_message_cancel(const struct osip_message *request,
					struct error *e) MUST_CHECK;

/* Adds a header field by name; 0, or -1: ERR_NOMEM, ERR_INPUT. */
int sip_message_add(struct osip_message *m, const char *name, const char *value,
		    struct error *e) MUST_CHECK;

/* Says in an answer to OPTIONS (11.2), or in a 2xx to INVITE, what there is
 * here: Allow, Accept, Accept-Encoding, Supported. As above. */
int sip_message_add_abilities(struct osip_message *m,
			      struct error *e) MUST_CHECK;

/* Adds the message as it is sent; a request gets Max-Forwards if it has none
 * (8.1.1.6). 0, or -1: ERR_INPUT, ERR_NOMEM, ERR_LIMIT. */
int sip_message_write(struct osip_message *m, struct buf *out,
		      struct error *e) MUST_CHECK;

/* Too large for a datagram, which is what it would go as (RFC 3261 18.1.1)? It
 * has no Via yet, and may get its Max-Forwards. */
bool sip_message_is_large(struct osip_message *m);

/* Parts; "" for what is not there. Borrowed from the message. */
const char *sip_message_from_tag(const struct osip_message *m);
const char *sip_message_to_tag(const struct osip_message *m);
const char *sip_message_branch(const struct osip_message *m); /* top Via */

/* Seconds that a text begins with, at most so many; behind blanks, ";" or "("
 * others may follow (20.33). 0: NULL, or none, or more than ten digits. */
uint32_t sip_seconds(const char *text, uint32_t most);
/* Those of a header field by its name in small letters. 0: as above. */
uint32_t sip_message_seconds(const struct osip_message *m, const char *name,
			     uint32_t most);

#endif
