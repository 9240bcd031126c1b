/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_PKCS11_OBJECTS_H
#define SB_PKCS11_OBJECTS_H

#include "base/hash.h"
#include "pkcs11/keys.h"
#include "pkcs11/token.h"

/* Certificates in the token, in named sets that change all at once.
 *
 * A set (the identity, one trust store) is whatever its newest whole manifest
 * lists: a text with a generation number and the SHA-256 of each member, kept
 * as CKO_DATA (application "sealbridge", label "sealbridge manifest NAME"), or
 * in the fallback of struct token_options where the token keeps no data
 * objects. A change writes the members that are not there yet, then the
 * manifest of the next generation, then removes what no manifest of any set
 * lists any more. Killed at any point, the old or the new set is there whole.
 * Errors beside those of token.h are named. Any thread; changes of sets are
 * serialised inside. */

enum { SET_NAME_MAX = 32, SET_ROLE_MAX = 24, SET_FACT_MAX = 128 };
enum { SET_MEMBERS_MAX = 2000, SET_FACTS_MAX = 16 };

/* One member: a certificate of the token, or (role "key") the mention of a key,
 * which is neither written nor looked for: whether it is there is a question of
 * its own (keys.h). */
struct set_member {
	char role[SET_ROLE_MAX]; /* "leaf", "chain", "anchor", "key": letters */
	/* of the DER certificate; of a key: of its SubjectPublicKeyInfo */
	uint8_t sha256[SHA256_SIZE];
	/* What is written when the token does not hold it yet; after a read,
	 * the certificate found. DER; subject, issuer and serial are the DER
	 * of those fields, for CKA_SUBJECT, CKA_ISSUER, CKA_SERIAL_NUMBER
	 * (borrowed when writing and may be empty after a read). */
	struct view der, subject, issuer, serial;
	struct token_id id; /* CKA_ID */
	/* CKA_LABEL, e.g. "sealbridge trust https"; the prefix "sealbridge " is
	 * what tells our objects from those of others */
	const char *label;
};

/* A remark of the manifest, e.g. "source" = "custom". One line, no control
 * characters. */
struct set_fact {
	char name[SET_ROLE_MAX];
	char value[SET_FACT_MAX];
};

/* What a set holds. Owns the memory behind its views. */
struct object_set {
	uint64_t generation; /* 0: there never was one */
	struct set_member *members;
	size_t member_count;
	struct set_fact facts[SET_FACTS_MAX];
	size_t fact_count;
	void *memory; /* private */
};

void object_set_free(struct object_set *s);
const char *object_set_fact(const struct object_set *s, const char *name);

/* Read the set; one without manifest is empty with generation 0. ERR_CONFLICT:
 * there are manifests, but somebody has removed members of each. */
int object_set_read(struct token *t, const char *name, struct object_set *out,
		    struct error *e) MUST_CHECK;

/* Told after each member is in place, so that pages show progress; done of
 * total. May be NULL. */
typedef void object_set_progress_fn(size_t done, size_t total, void *arg);

/* Replace the whole set. Only members that the token does not hold are written
 * (fact: 31 ms each). On failure the old set stays in force, unless the token
 * was lost for good at the very moment of the commit: then a later read tells.
 * ERR_INPUT: a name, role, label or fact that a manifest cannot hold, or a
 * sha256 that is not that of der; ERR_LIMIT; ERR_NOT_FOUND: a member without
 * der that the token does not hold; ERR_UNSUPPORTED: no place for the manifest;
 * ERR_TIMEOUT: another process is changing sets. */
int object_set_replace(struct token *t, const char *name,
		       const struct set_member *members, size_t member_count,
		       const struct set_fact *facts, size_t fact_count,
		       object_set_progress_fn *progress, void *progress_arg,
		       struct error *e) MUST_CHECK;

/* Remove what an interrupted change left: certificates with a "sealbridge "
 * label that no manifest lists, old manifests, broken objects. Never touches
 * keys, nor objects with other labels. *removed_out may be NULL. */
int object_collect_leftovers(struct token *t, size_t *removed_out,
			     struct error *e) MUST_CHECK;

/* One certificate of the token that somebody else put there (pkcs11-tool): by
 * CKA_ID, e.g. beside a provisioned key. *der_out is the caller's to free(). */
int token_certificate_by_id(struct token *t, const struct token_id *id,
			    uint8_t **der_out, size_t *len_out,
			    struct error *e) MUST_CHECK;

#endif
