/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_BASE_KEY_WRAP_H
#define SB_BASE_KEY_WRAP_H

#include "base/key.h"

/* How key material travels into a token that takes no key in the clear. */

enum { KEY_WRAP_KEK_SIZE = 32 };

/* AES-256 key wrap with padding (RFC 5649) of plain; out is the caller's to
 * secret_free(). 0, or -1: ERR_NOMEM, ERR_INTERNAL. Any thread. */
int key_wrap_pad(const uint8_t kek[KEY_WRAP_KEK_SIZE], struct view plain,
		 struct secret *out, struct error *e) MUST_CHECK;

/* RSA-OAEP with SHA-1 and MGF1-SHA-1 and no label: the parameters that every
 * token with CKM_RSA_PKCS_OAEP takes. out has KEY_SIGNATURE_MAX bytes. 0, or
 * -1: ERR_INTERNAL (also a key that is not RSA). Any thread. */
int key_wrap_oaep(const struct public_key *k, struct view plain, uint8_t *out,
		  size_t *out_len, struct error *e) MUST_CHECK;

#endif
