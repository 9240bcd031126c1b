/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_PKCS11_HELPERS_H
#define SB_TESTS_UNIT_PKCS11_HELPERS_H

#include "base/key.h"
#include "pkcs11/keys.h"
#include "pkcs11/objects.h"

/* What several suites about the token need. */

/* A fresh private key made outside the token ("RSA" or "EC", bits). */
void make_material(struct key_material *m, enum key_type type, unsigned bits);

/* One signature over a random digest, checked against the public half. */
int sign_and_verify(struct token_key *k, enum sign_scheme scheme,
		    enum hash_alg alg, struct error *e);

/* A member with made-up bytes as its certificate: the token folder never looks
 * inside. room holds what the member points to. */
enum { FAKE_DER_SIZE = 700 };
struct fake_certificate {
	uint8_t der[FAKE_DER_SIZE];
	char label[TOKEN_LABEL_MAX];
};
void make_member(struct set_member *m, struct fake_certificate *room,
		 const char *role, const char *label, unsigned seed);

/* How many lines of pkcs11-tool's list of the token hold the words; -1 without
 * an answer. */
int listed(const char *words);

/* Wait until the state is the wanted one, at most 20 s; false: it is not. */
bool wait_for_state(struct token *t, enum token_state wanted);
/* The same with the number of open sessions. */
bool wait_for_sessions(struct token *t, unsigned wanted);

#endif
