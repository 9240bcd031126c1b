/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CERT_KEY_DECRYPT_H
#define SB_CERT_KEY_DECRYPT_H

#include "base/secret.h"

/* Private to src/cert: the two ways to encrypt a PEM key. The errors are those
 * of key_file_parse(). On success *out holds the plain DER in locked memory. */

/* RFC 1421 headers (Proc-Type, DEK-Info) and the decoded body. */
int key_decrypt_legacy(struct view headers, struct view body,
		       struct view password, struct secret *out,
		       struct error *e) MUST_CHECK;
/* EncryptedPrivateKeyInfo (RFC 5958). */
int key_decrypt_pkcs8(struct view der, struct view password, struct secret *out,
		      struct error *e) MUST_CHECK;

#endif
