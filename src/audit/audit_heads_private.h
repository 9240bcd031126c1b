/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUDIT_AUDIT_HEADS_PRIVATE_H
#define SB_AUDIT_AUDIT_HEADS_PRIVATE_H

#include <pthread.h>

#include "audit/audit_heads.h"
#include "store/audit_head_rows.h"

/* Private to audit_heads*.c. */

struct audit_heads {
	struct store *store;
	struct audit *audit;
	struct token *token;

	/* Held through signing and checking, over calls of the token: so no
	 * head comes or goes while they are checked. */
	pthread_mutex_t lock;
	struct token_key *key; /* NULL: not looked for yet */
	bool object_failed;    /* the token did not take the last head */
	bool rollback_told;
	struct audit_head_plan plan;

	/* Of the thread. Never held over a call. */
	pthread_mutex_t wake_lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool runs, stopping;
};

/* What the token holds. */
struct token_heads {
	enum audit_rollback state; /* RULED_OUT: it could be asked */
	struct audit_head newest;  /* with a good signature; counter 0: none */
};

/* A row as a head; false: damaged. */
bool head_of_row(const struct audit_head_row *row, struct audit_head *out);
/* The key last known. *has_out false: none. */
int heads_known_key(struct store *s, struct public_key *out, bool *has_out,
		    struct error *e) MUST_CHECK;
/* Under lock: the key in the token, made when there is none. */
int heads_token_key(struct audit_heads *h, struct error *e) MUST_CHECK;
/* Under lock: the newest head in the token that key has signed. */
int heads_read_token(struct audit_heads *h, const struct public_key *key,
		     struct audit_head *out, struct error *e) MUST_CHECK;

#endif
