/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUDIT_AUDIT_WALK_H
#define SB_AUDIT_AUDIT_WALK_H

#include "audit/audit.h"
#include "audit/audit_record.h"

/* Does a row of records make a chain, and what happened to it if not? Pure: no
 * store, no token; also for whoever checks an export elsewhere. Any thread, one
 * at a time for each walk.
 *
 *	audit_walk_begin(), audit_walk_to()
 *	audit_walk_record() for each record upward, as long as it gives true
 *	audit_walk_end()
 *	if (w.doubtful): audit_walk_again() for each record from the first on,
 *	audit_walk_decide()
 *
 * and w.reason and w.broken say it. */

/* A record that is kept for a second look. */
struct audit_walk_copy {
	struct audit_row row; /* number 0: none */
	char texts[AUDIT_RECORD_BYTES_MAX];
};

struct audit_walk {
	enum audit_reason reason; /* AUDIT_INTACT: nothing wrong up to here */
	uint64_t broken;          /* number of the first broken record */
	uint64_t checked;         /* records that are right */
	bool doubtful; /* a second look at all records tells more of why */

	/* Where it stands: for audit_walk.c only. */
	uint64_t first;
	uint8_t anchor[SHA256_SIZE];
	uint64_t next; /* number that the next record must have */
	uint8_t previous[SHA256_SIZE]; /* hash of the one before it */
	uint8_t before[SHA256_SIZE];   /* and of the one before that */
	bool has_last, has_last_hash;
	uint64_t last;
	uint8_t last_hash[SHA256_SIZE];
	struct audit_walk_copy suspect, behind;
	uint8_t again[SHA256_SIZE]; /* hash of the record before, as stored */
	uint64_t again_number;
	unsigned signs;
};

/* The chain begins with that number; anchor is the hash of the record before
 * it, zeros for the first of all. */
void audit_walk_begin(struct audit_walk *w, uint64_t first,
		      const uint8_t anchor[SHA256_SIZE]);
/* And ends with that one (0: there is none at all), whose hash is last_hash
 * (NULL: not known). May be called again when records were added. */
void audit_walk_to(struct audit_walk *w, uint64_t last,
		   const uint8_t *last_hash);
/* The records before number first were removed meanwhile: the walk goes on
 * there, if it has not come that far. */
void audit_walk_skip(struct audit_walk *w, uint64_t first,
		     const uint8_t anchor[SHA256_SIZE]);
/* The next record there is. False: no more are needed. */
bool audit_walk_record(struct audit_walk *w, const struct audit_row *row);
/* No record is left, or no more were needed. */
void audit_walk_end(struct audit_walk *w);

void audit_walk_again(struct audit_walk *w, const struct audit_row *row);
void audit_walk_decide(struct audit_walk *w);

/* What a second look can find out about a record whose content does not fit the
 * hash beside it, given the record before. */
enum audit_sign {
	/* It would fit in the place of the record before it, which fits too. */
	AUDIT_SIGN_DOUBLE = 1,
	/* It would fit in another place, whose own record is not there. */
	AUDIT_SIGN_ELSEWHERE = 2,
	/* A record further up would fit in its place. */
	AUDIT_SIGN_PUSHED = 4,
	/* The record behind it fits it by a higher number. */
	AUDIT_SIGN_CLOSED = 8,
	/* Another record has the same hash: it is there twice, so that fitting
	 * elsewhere says nothing. */
	AUDIT_SIGN_COPY = 16
};
/* Given any of them. */
enum audit_reason audit_sign_reason(unsigned signs);

#endif
