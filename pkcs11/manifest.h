/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_PKCS11_MANIFEST_H
#define SB_PKCS11_MANIFEST_H

#include "pkcs11/objects.h"

/* The text of a manifest. Pure: no token, no file.
 *
 *	sealbridge manifest 1
 *	set trust https
 *	token 0123456789abcdef
 *	generation 12
 *	fact source custom
 *	member anchor SHA256 ID sealbridge trust https
 *	sum SHA256
 *
 * The sum covers every line before it: a manifest that a kill has cut or
 * mangled is none. */

enum { MANIFEST_TEXT_MAX = 1024 * 1024, MANIFEST_SERIAL_MAX = 33 };

struct manifest_member {
	char role[SET_ROLE_MAX];
	uint8_t sha256[SHA256_SIZE];
	struct token_id id;
	char label[TOKEN_LABEL_MAX];
};

struct manifest {
	char name[SET_NAME_MAX];
	char serial[MANIFEST_SERIAL_MAX]; /* of the token it speaks of */
	uint64_t generation;
	struct set_fact facts[SET_FACTS_MAX];
	size_t fact_count;
	struct manifest_member *members; /* owned */
	size_t member_count;
	uint8_t sum[SHA256_SIZE];
};

void manifest_free(struct manifest *m);
/* ERR_INPUT: damaged, or not a manifest; ERR_NOMEM. */
int manifest_parse(struct view text, struct manifest *out,
		   struct error *e) MUST_CHECK;
/* members: as for object_set_replace. out is an empty buffer of at least
 * MANIFEST_TEXT_MAX. ERR_INPUT: a name, role, label or fact that the format
 * cannot hold; ERR_LIMIT. */
int manifest_format(const char *name, const char *serial, uint64_t generation,
		    const struct set_member *members, size_t member_count,
		    const struct set_fact *facts, size_t fact_count,
		    struct buf *out, struct error *e) MUST_CHECK;
/* Order by generation, then by sum, so that all readers agree: > 0 when a is
 * the newer. */
int manifest_compare(const struct manifest *a, const struct manifest *b);
/* A member that is the mention of a key. */
bool manifest_role_is_key(const char *role);

#endif
