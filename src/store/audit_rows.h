/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_STORE_AUDIT_ROWS_H
#define SB_STORE_AUDIT_ROWS_H

#include "base/hash.h"
#include "store/store.h"

/* Rows of the audit trail; what they mean and how they are hashed is
 * src/audit's business. */

/* What `detail` holds: a line for a person, or the fields of the event. */
enum { AUDIT_FORMAT_TEXT = 1, AUDIT_FORMAT_FIELDS = 2 };

struct audit_row {
	uint64_t number; /* from 1, without gaps */
	int64_t at;      /* seconds since 1970 */
	int64_t format;
	const char *module, *severity, *user_name, *peer, *via, *event, *detail;
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

/* Number, seal and add count records in that order, all or none, and together
 * on disk; the oldest beyond keep (at least 1) go, their last hash becomes the
 * anchor. Safe against other processes. ERR_CONFLICT: the chain is damaged so
 * that nothing can follow. */
int store_audit_append(struct store *s, struct audit_row *const rows[],
		       size_t count, audit_seal_fn *seal, uint64_t keep,
		       struct error *e) MUST_CHECK;

/* Which records, those with all of these marks. */
struct audit_page {
	int64_t from, to;     /* numbers, both included */
	int64_t since, until; /* seconds since 1970, both included */
	size_t count;         /* at most */
	bool newest_first;    /* from the greatest number down */
};
/* Every record there is, upward. */
#define AUDIT_PAGE_ALL                                                       \
	{                                                                    \
		.from = INT64_MIN, .to = INT64_MAX, .since = INT64_MIN,      \
		.until = INT64_MAX, .count = SIZE_MAX, .newest_first = false \
	}

/* Those records, and the chain as it was at the same moment. each may be called
 * after other threads wrote on. */
int store_audit_page(struct store *s, const struct audit_page *page,
		     struct audit_chain *chain_out,
		     int (*each)(void *arg, const struct audit_row *row,
				 struct error *e),
		     void *arg, struct error *e) MUST_CHECK;

/* Narrow from and to down to the numbers that since and until leave; without
 * such a record from is greater than to. */
int store_audit_narrow(struct store *s, struct audit_page *page,
		       struct error *e) MUST_CHECK;

/* Remove the records with a smaller number, at most all; the hash of the last
 * of them becomes the anchor. ERR_CONFLICT: that one is missing or damaged, so
 * nothing was removed. */
int store_audit_delete_before(struct store *s, uint64_t number,
			      uint64_t *deleted, struct error *e) MUST_CHECK;

#endif
