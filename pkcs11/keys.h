/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_PKCS11_KEYS_H
#define SB_PKCS11_KEYS_H

#include "base/key.h"
#include "pkcs11/token.h"

/* Private keys in the token. A key is a handle: it signs, shows its public half
 * and its attributes, and nothing else. Errors beside those of token.h are
 * named at each function. Any thread. */

enum { TOKEN_ID_MAX = 64, TOKEN_LABEL_MAX = 128 };

/* A CKA_ID. */
struct token_id {
	uint8_t bytes[TOKEN_ID_MAX];
	size_t len;
};

struct token_key_info {
	struct token_id id;
	char label[TOKEN_LABEL_MAX];
	struct public_key pub;
	bool sensitive, always_sensitive;
	bool extractable, never_extractable;
	bool local; /* generated inside the token */
	bool
	    supported; /* false: pub is not filled, the product cannot use it */
};

/* Every private key of the token but the audit key (audit_key.h), at most cap;
 * *count_out is how many there are (may exceed cap). */
int token_key_list(struct token *t, struct token_key_info *out, size_t cap,
		   size_t *count_out, struct error *e) MUST_CHECK;

/* A counted reference to one key. It survives outages: its handles are looked
 * up again after a reconnection, and a session copy (as protected as the
 * original) is used for signing where the token can make one. */
struct token_key;

/* By public half, whatever label and CKA_ID the key has; the audit key is not
 * found. NULL: ERR_NOT_FOUND. */
struct token_key *token_key_find(struct token *t, const struct public_key *pub,
				 struct error *e) MUST_CHECK;
struct token_key *token_key_ref(struct token_key *k);
void token_key_unref(struct token_key *k); /* NULL is fine */

const struct public_key *token_key_public(const struct token_key *k);
/* The attributes now; the key may meanwhile be gone (ERR_NOT_FOUND). */
int token_key_get_info(struct token_key *k, struct token_key_info *out,
		       struct error *e) MUST_CHECK;
/* Schemes the token can sign with for this key. */
bool token_key_can(struct token_key *k, enum sign_scheme scheme);

/* Sign a digest; see struct signer. ERR_UNSUPPORTED: no such mechanism. */
int token_key_sign(struct token_key *k, enum sign_scheme scheme,
		   enum hash_alg alg, const uint8_t *digest,
		   uint8_t sig[KEY_SIGNATURE_MAX], size_t *sig_len,
		   struct error *e) MUST_CHECK;
/* A signer over this key; borrows k, which must outlive it. */
struct signer token_key_signer(struct token_key *k);

/* C_GenerateKeyPair: sensitive, never extractable, CKA_SIGN only; the label
 * given, CKA_ID the RFC 5280 key identifier. NULL: ERR_KEY_UNSUPPORTED. */
struct token_key *token_key_generate(struct token *t, enum key_kind kind,
				     const char *label,
				     struct error *e) MUST_CHECK;

/* Put an uploaded key into the token, sensitive and not extractable, by
 * C_CreateObject, else by C_UnwrapKey under a temporary AES key; prove it by a
 * trial signature that is verified against the public half, and remove it again
 * when that fails. A key that is there already is found, not doubled. The
 * material stays the caller's to wipe. *created_out (may be NULL) tells whether
 * an object was made. */
struct token_key *token_key_import(struct token *t,
				   const struct key_material *m,
				   const char *label, bool *created_out,
				   struct error *e) MUST_CHECK;

/* Remove private and public half. ERR_NOT_FOUND. */
int token_key_delete(struct token *t, const struct public_key *pub,
		     struct error *e) MUST_CHECK;

#endif
