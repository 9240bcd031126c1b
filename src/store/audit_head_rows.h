/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_STORE_AUDIT_HEAD_ROWS_H
#define SB_STORE_AUDIT_HEAD_ROWS_H

#include "store/audit_rows.h"

/* Rows of the signed heads of the audit trail and of the public key that they
 * were last signed with; what they say is src/audit's business. */

enum { STORE_AUDIT_HEAD_MAX = 256, STORE_AUDIT_KEY_MAX = 1024 };

struct audit_head_row {
	uint64_t counter; /* of heads; 0: there is none */
	uint64_t record;  /* what it attests */
	uint8_t bytes[STORE_AUDIT_HEAD_MAX];
	size_t len;
};

/* A head and what is kept of the record that it names. */
struct audit_head_found {
	struct audit_head_row row;
	bool has_record; /* there is such a record, with a hash */
	uint8_t hash[SHA256_SIZE];
};

/* Add the head. Of the former ones those go that attest nothing which is kept
 * (their record lies before the one that the chain begins behind), and the
 * oldest beyond keep (at least 1). ERR_EXISTS: there is one with that counter;
 * ERR_LIMIT: more bytes than a row has. */
int store_audit_head_add(struct store *s, const struct audit_head_row *row,
			 uint64_t keep, struct error *e) MUST_CHECK;

/* The one with the greatest counter; none: counter 0. */
int store_audit_head_newest(struct store *s, struct audit_head_row *out,
			    struct error *e) MUST_CHECK;

/* Heads with counter > after in order, at most count, and the chain as it was
 * at the same moment. One that does not fit a row comes with len 0. */
int store_audit_head_page(struct store *s, uint64_t after, size_t count,
			  struct audit_chain *chain_out,
			  int (*each)(void *arg,
				      const struct audit_head_found *head,
				      struct error *e),
			  void *arg, struct error *e) MUST_CHECK;

/* Where the chain begins and ends now. */
int store_audit_chain(struct store *s, struct audit_chain *out,
		      struct error *e) MUST_CHECK;

/* The public key (DER). get: *len_out 0 when none was ever put. */
int store_audit_key_put(struct store *s, struct view spki,
			struct error *e) MUST_CHECK;
int store_audit_key_get(struct store *s, uint8_t out[STORE_AUDIT_KEY_MAX],
			size_t *len_out, struct error *e) MUST_CHECK;

#endif
