/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CERT_DER_H
#define SB_CERT_DER_H

#include "base/buf.h"
#include "base/secret.h"

/* Private to src/cert: walking DER without copying. libcrypto's own decoders
 * leave unwiped copies of a private key behind; here its numbers go from the
 * decoded text straight into locked memory. */

enum {
	DER_INTEGER = 0x02,
	DER_BITS = 0x03,
	DER_OCTETS = 0x04,
	DER_OID = 0x06,
	DER_SEQUENCE = 0x30,
	DER_CONTEXT_0 = 0xa0,
	DER_CONTEXT_1 = 0xa1
};

/* Take the element of that tag off the front of *in; its content to *out (may
 * be NULL). -1: another tag, or damaged. */
int der_take(struct view *in, int tag, struct view *out);
/* Whether the next element has that tag. */
bool der_next_is(struct view in, int tag);
/* An INTEGER that is not negative, without leading zeros. */
int der_take_unsigned(struct view *in, struct view *out);
/* A small one. */
int der_take_small(struct view *in, unsigned long *out);

#endif
