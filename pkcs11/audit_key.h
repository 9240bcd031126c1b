/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_PKCS11_AUDIT_KEY_H
#define SB_PKCS11_AUDIT_KEY_H

#include "pkcs11/keys.h"

/* The key that signs heads of the audit trail, and nothing else: known by its
 * label. token_key_list() and token_key_find() do not show it, so that no
 * certificate, request or handshake can come to use it. Any thread. */

#define TOKEN_AUDIT_KEY_LABEL "sealbridge audit key"

/* The audit key, made (P-256, sensitive, never extractable) when the token has
 * none; by a lock file only once however many processes start. Where there are
 * several, the one with the key identifier preferred (NULL: none is), else the
 * smallest: every start takes the same. Keys with that label that could leave
 * the token do not count. NULL: errors of token.h, ERR_KEY_UNSUPPORTED (the
 * token makes no such keys), ERR_TIMEOUT (another process makes one now). The
 * reference is the caller's. */
struct token_key *token_audit_key(struct token *t,
				  const uint8_t preferred[SHA1_SIZE],
				  struct error *e) MUST_CHECK;

#endif
