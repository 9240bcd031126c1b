/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CERT_KEY_NUMBERS_H
#define SB_CERT_KEY_NUMBERS_H

#include "base/key.h"

/* Private to src/cert: the numbers of a private key out of its plain DER, and
 * the proof that they belong together. ERR_KEY, ERR_KEY_UNSUPPORTED; what was
 * filled stays the caller's to free with key_material_free(). */

int key_numbers_rsa(struct view der, struct key_material *out,
		    struct error *e) MUST_CHECK; /* RFC 8017 A.1.2 */
int key_numbers_sec1(struct view der, struct key_material *out,
		     struct error *e) MUST_CHECK; /* RFC 5915 */
int key_numbers_pkcs8(struct view der, struct key_material *out,
		      struct error *e) MUST_CHECK; /* RFC 5958 */

/* Whether der is one whole SEQUENCE: what decryption by a wrong password does
 * not give. */
bool key_numbers_plausible(struct view der);

#endif
