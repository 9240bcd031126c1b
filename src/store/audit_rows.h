/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_STORE_AUDIT_ROWS_H
#define SB_STORE_AUDIT_ROWS_H

#include "base/hash.h"
#include "store/store.h"

/* Rows of the audit trail; what they mean and how they are hashed is
 * src/audit's business. */

struct audit_row {
	uint64_t number; /* from 1, without gaps */
	int64_t at;      /* seconds since 1970 */
	const char *module, *severity, *user_name, *peer, *event, *detail;
	uint8_t hash[SHA256_SIZE];
	bool damaged; /* a text or the hash cannot have been written by us */
};

/* Where the chain begins and ends. Kept in a row of its own, in the same
 * transaction as each record. */
struct audit_chain {
	uint64_t first; /* number of the oldest record kept */
	uint8_t
	    anchor[SHA256_SIZE]; /* hash of the record before it, or zeros */
	uint64_t last;           /* 0: no record was ever written */
	uint8_t last_hash[SHA256_SIZE];
	bool damaged; /* not as we write it: nothing can follow */
};

/* Fill row->hash, given the hash of the record before. A pure function: it runs
 * inside the transaction. */
typedef void audit_seal_fn(struct audit_row *row,
			   const uint8_t previous[SHA256_SIZE]);

/* Number, seal and add the record; the oldest beyond keep (at least 1) go,
 * their last hash becomes the anchor. Safe against other processes.
 * ERR_CONFLICT: the chain is damaged so that nothing can follow. */
int store_audit_append(struct store *s, struct audit_row *row,
		       audit_seal_fn *seal, uint64_t keep,
		       struct error *e) MUST_CHECK;

/* Records with number >= from in order, at most count, and the chain as it was
 * at the same moment. each may be called after other threads wrote on. */
int store_audit_page(struct store *s, uint64_t from, size_t count,
		     struct audit_chain *chain_out,
		     int (*each)(void *arg, const struct audit_row *row,
				 struct error *e),
		     void *arg, struct error *e) MUST_CHECK;

#endif
