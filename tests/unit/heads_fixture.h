/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_HEADS_FIXTURE_H
#define SB_TESTS_UNIT_HEADS_FIXTURE_H

#include "audit/audit.h"
#include "audit/audit_heads.h"
#include "tests/unit/pkcs11_place.h"

/* An audit trail with signed heads on a token of its own, behind the module
 * with knobs. */
struct box {
	struct test_token place;
	struct token_options options;
	const char *dir; /* of the store */
	struct token *token;
	struct store *store;
	struct audit *audit;
	struct audit_heads *heads;
};

/* A new token and a new store, open; nothing is signed. */
void box_make(struct box *b);
/* What a restart does; box_close() keeps token and store for a
 * box_open(). */
void box_close(struct box *b);
void box_open(struct box *b);
/* The same with a token that is away, whatever is in it. */
void box_open_without_token(struct box *b);

/* So many records, then a head. */
void box_add(struct box *b, int records);
void box_sign(struct box *b);
/* Run SQL behind the store's back. */
void box_tamper(struct box *b, const char *sql);
/* Records from that number on get another user name and hashes that fit, to
 * the end of the chain: what only a head tells. */
void box_rewrite(struct box *b, uint64_t from);
/* Copy the database aside, and put the copy in the place of the database. The
 * box is closed. */
void box_save(struct box *b);
void box_put_back(struct box *b);

/* The check of the heads gives that reason ("" for none), first record in doubt
 * and rollback. */
void box_expect(struct box *b, const char *reason, uint64_t first_broken,
		enum audit_rollback rollback);
/* How many objects of that type ("privkey", "data") with that label the token
 * holds, as pkcs11-tool sees them. The box is closed. */
int box_count_objects(struct box *b, const char *type, const char *label);

#endif
