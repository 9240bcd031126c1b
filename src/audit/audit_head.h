/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUDIT_AUDIT_HEAD_H
#define SB_AUDIT_AUDIT_HEAD_H

#include "base/hash.h"
#include "base/key.h"

/* A signed head: what the chain of records was at one moment, attested by the
 * audit key, which never leaves the token. Who rewrites records and their
 * hashes cannot rewrite this. Pure: no token, no store; also for whoever checks
 * an export elsewhere. Any thread. */

enum {
	/* ECDSA P-256 in DER (X9.62): two INTEGERs of at most 33 bytes. */
	AUDIT_HEAD_SIGNATURE_MAX = 72,
	AUDIT_HEAD_SIGNED_SIZE =
	    24 + 8 + 8 + SHA256_SIZE + 8 + SHA256_SIZE + 8 + SHA1_SIZE,
	AUDIT_HEAD_ENCODED_MAX =
	    AUDIT_HEAD_SIGNED_SIZE + AUDIT_HEAD_SIGNATURE_MAX
};

struct audit_head {
	uint64_t counter;            /* of heads, from 1, without gaps */
	uint64_t record;             /* the newest record then */
	uint8_t hash[SHA256_SIZE];   /* of that record */
	uint64_t first;              /* where the chain began then */
	uint8_t anchor[SHA256_SIZE]; /* hash of the record before, or zeros */
	int64_t at;                  /* seconds since 1970 */
	uint8_t key_id[SHA1_SIZE];   /* public_key.id of the audit key */
	uint8_t signature[AUDIT_HEAD_SIGNATURE_MAX];
	size_t signature_len;
};

/* The bytes that are signed, fixed for ever:
 *   "sealbridge audit head 1" NUL, counter, record (8 bytes each, big-endian),
 *   hash, first (8), anchor, at (8), key_id. */
void audit_head_signed_bytes(const struct audit_head *h,
			     uint8_t out[AUDIT_HEAD_SIGNED_SIZE]);
/* SHA-256 of them: what the token gets. */
void audit_head_digest(const struct audit_head *h, uint8_t out[SHA256_SIZE]);

/* Is the head signed by that key? 0, or -1: ERR_KEY_MISMATCH (another key, no
 * EC P-256 key, or not its signature), ERR_INTERNAL when that cannot be told.
 */
int audit_head_check(const struct audit_head *h, const struct public_key *key,
		     struct error *e) MUST_CHECK;

/* The same with a key that is decoded already, for many heads. */
int audit_head_check_with(const struct audit_head *h, const struct key_check *c,
			  struct error *e) MUST_CHECK;

/* The head whole, as the token keeps it: the signed bytes, then the signature.
 * Returns the length. */
size_t audit_head_encode(const struct audit_head *h,
			 uint8_t out[AUDIT_HEAD_ENCODED_MAX]);
/* ERR_INPUT: not such bytes. The signature is not checked. */
int audit_head_decode(struct view bytes, struct audit_head *out,
		      struct error *e) MUST_CHECK;

#endif
