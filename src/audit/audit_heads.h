/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUDIT_AUDIT_HEADS_H
#define SB_AUDIT_AUDIT_HEADS_H

#include "audit/audit.h"
#include "audit/audit_head.h"
#include "pkcs11/audit_key.h"
#include "store/store.h"

/* Signs heads of the audit trail with the audit key in the token, keeps them in
 * the store, the newest also in the token, and checks the trail against them.
 * A thread of its own does it, so that no record ever waits for the token:
 * while the token is away signing is put off and tried again.
 *
 * A head goes into the store first, then into the token, so the store's newest
 * is never older than the token's unless an older database was put back. All
 * functions: any thread, unless said otherwise. */

/* The token's data object that holds the newest head. */
#define AUDIT_HEAD_LABEL "sealbridge audit head"

enum {
	AUDIT_HEAD_EVERY_RECORDS = 1000,
	AUDIT_HEAD_EVERY_MS = 15 * 60 * 1000,
	AUDIT_HEAD_RETRY_MS = 10 * 1000,
	AUDIT_HEADS_KEPT = 10000 /* in the store; the oldest go */
};

/* When to sign: what is known of the last attempt. A plain value. */
struct audit_head_plan {
	bool signed_once;      /* by this process */
	bool failing;          /* the last attempt did not succeed */
	uint64_t record;       /* newest record that a head attests */
	int64_t signed_at_ms;  /* monotonic */
	int64_t attempt_at_ms; /* monotonic */
};

/* Is it time for a head when the newest record is last? Pure. At the start at
 * once; then after so many records, or so much time when there is a new one;
 * after a failure not before AUDIT_HEAD_RETRY_MS. */
bool audit_head_due(const struct audit_head_plan *p, uint64_t last,
		    int64_t now_ms);

struct audit_heads;

/* Nothing is signed yet. All three must outlive it; what signing finds out (an
 * older database, another key) is recorded in a. */
struct audit_heads *audit_heads_new(struct store *s, struct audit *a,
				    struct token *t,
				    struct error *e) MUST_CHECK;
/* Start the thread, which signs a first head at once. Once. */
int audit_heads_start(struct audit_heads *h, struct error *e) MUST_CHECK;
/* Sign what is new once more, when the token can, and join the thread. Before
 * the token goes. NULL is fine. */
void audit_heads_stop(struct audit_heads *h);
void audit_heads_free(struct audit_heads *h); /* NULL is fine; stopped */

/* Have a head now that attests the newest record: before records are deleted or
 * exported. Waits for the token. Nothing to sign is fine. Errors: those of
 * token.h while it is away, ERR_KEY_UNSUPPORTED, those of the store,
 * ERR_CONFLICT when the trail is damaged so that it has no end. */
int audit_heads_sign(struct audit_heads *h, struct error *e) MUST_CHECK;

struct audit_heads_info {
	struct audit_head newest; /* of the store; counter 0: none */
	uint64_t unattested;      /* records after it */
	bool has_key;
	struct public_key key; /* the one last used */
};

/* From the store alone: does not wait for the token. */
int audit_heads_info(struct audit_heads *h, struct audit_heads_info *out,
		     struct error *e) MUST_CHECK;

/* The heads that attest a record between from and to, in order. Unchecked;
 * damaged ones are left out. each()'s -1 ends the walk. */
int audit_heads_each(struct audit_heads *h, uint64_t from, uint64_t to,
		     int (*each)(void *arg, const struct audit_head *head,
				 struct error *e),
		     void *arg, struct error *e) MUST_CHECK;

struct audit_heads_verdict {
	/* "" when all heads fit; "rewritten", "headSignature", "rolledBack",
	 * "end", "missing" */
	const char *reason;
	char problem[320];      /* a sentence, "" when all fit */
	uint64_t first_broken;  /* the first record in doubt, 0: none */
	uint64_t checked;       /* heads found good */
	uint64_t attested_upto; /* record of the last of them, 0: none */
	enum audit_rollback rollback;
};

/* Hold the records, whose hashes audit_verify() has found to be in order,
 * against the heads: each kept head carries a good signature of the audit key
 * and names a record that is there with that hash; counters have no gaps; a
 * head attests where the trail begins; the token's head is none that the store
 * lacks. Without the token, signatures are checked by the key last known, and
 * rollback says so. Others may append meanwhile. Errors: those of the store. */
int audit_heads_check(struct audit_heads *h, struct audit_heads_verdict *out,
		      struct error *e) MUST_CHECK;

/* audit_verify(), then the records against the heads: the whole verdict. What
 * the chain itself shows comes first. */
int audit_heads_verify(struct audit_heads *h, struct audit *a,
		       struct audit_verdict *out, struct error *e) MUST_CHECK;

#endif
