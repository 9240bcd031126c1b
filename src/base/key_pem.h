/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_BASE_KEY_PEM_H
#define SB_BASE_KEY_PEM_H

#include "base/key.h"

/* Public keys as text, "-----BEGIN PUBLIC KEY-----" (RFC 7468 13). Pure. */

enum { PUBLIC_KEY_PEM_MAX = 2048 };

/* Appends the block with its line ends. ERR_LIMIT, ERR_NOMEM. */
int public_key_to_pem(const struct public_key *k, struct buf *out,
		      struct error *e) MUST_CHECK;
/* The one block of the text; what stands around it is passed over. ERR_INPUT:
 * no such block, several, or none that is whole; ERR_KEY, ERR_KEY_UNSUPPORTED:
 * as public_key_from_spki(). */
int public_key_from_pem(struct view text, struct public_key *out,
			struct error *e) MUST_CHECK;

#endif
