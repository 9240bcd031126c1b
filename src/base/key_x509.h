/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_BASE_KEY_X509_H
#define SB_BASE_KEY_X509_H

#include <openssl/x509.h>

#include "base/key.h"

/* For src/cert: as public_key_from_spki(), of a key that libcrypto has decoded
 * already, which is most of the work. */
int public_key_from_x509(const X509_PUBKEY *xpub, struct public_key *out,
			 struct error *e) MUST_CHECK;

#endif
