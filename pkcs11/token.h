/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_PKCS11_TOKEN_H
#define SB_PKCS11_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* The token: one module, one slot found by RFC 7512 URI, one login in the life
 * of the process, one fixed pool of sessions, one way back after an outage.
 * All functions: any thread, unless said otherwise. Errors of all functions:
 * ERR_TOKEN (unavailable or failed, native = CK_RV), ERR_TOKEN_PIN (the PIN was
 * refused and is not tried again until its file changes), ERR_TIMEOUT (no
 * session became free in time), ERR_NOMEM.
 *
 * A module called p11-kit-client.so is loaded several times, one connection to
 * the p11-kit server each, since the server answers one call at a time per
 * connection (fact: platform-facts, p11-kit remoting). */

struct token;

enum token_state {
	TOKEN_READY,       /* logged in, sessions open */
	TOKEN_UNAVAILABLE, /* absent, broken or not yet there */
	TOKEN_PIN_REFUSED, /* the token said the PIN is wrong or locked */
	TOKEN_STATE_COUNT
};

/* "ready", "unavailable", "pinRefused": state of token.query. */
const char *token_state_name(enum token_state state);

/* Where manifests live when the token keeps no data objects: rows of the store.
 * value is the whole manifest text. list calls each() for every kept manifest
 * of that name, or of all names when name is NULL, and ends with -1 when each()
 * did. All return 0 or -1 with ERR_IO. */
struct manifest_fallback {
	int (*put)(void *arg, const char *name, struct view value,
		   struct error *e);
	int (*list)(void *arg, const char *name,
		    int (*each)(void *each_arg, struct view value,
				struct error *e),
		    void *each_arg, struct error *e);
	/* remove every manifest of that name but the one equal to keep
	 * (empty: all of that name) */
	int (*prune)(void *arg, const char *name, struct view keep,
		     struct error *e);
	void *arg;
};

/* Strings are copied by token_new(). */
struct token_options {
	const char *module;   /* path of the PKCS#11 module */
	const char *uri;      /* RFC 7512, e.g. "pkcs11:token=sealbridge" */
	const char *pin_file; /* its first line is the user PIN */
	const char *state_directory; /* keeps the mark of a refused PIN */
	const char *lock_file;       /* flock(2)ed around initialise + login by
				      * every process and script; NULL: none */
	/* softhsm2.conf of the SoftHSM behind the module, whose token.object
	 * files are guarded by verified backups; NULL: not a SoftHSM, or not
	 * reachable from this process */
	const char *softhsm_conf;
	unsigned max_sessions; /* 1-256, in all connections together */
	unsigned wait_ms;      /* most waiting for a free session */
	struct manifest_fallback fallback;
};

/* Make the object; nothing is touched yet. NULL: ERR_CONFIG for a bad URI or
 * module path. */
struct token *token_new(const struct token_options *options,
			struct error *e) MUST_CHECK;

/* Load, find, log in, open the sessions. Waits for the lock file that scripts
 * and other processes honour around logins (at most 10 s). On success, starts
 * watching: after an outage the token is tried again in the background, at
 * growing intervals up to 30 s, and after that every user goes on as before. On
 * failure too; after a refused PIN only once another stands in its file.
 * SIGPIPE is ignored from here on unless the process handles it. Call once. */
int token_start(struct token *t, struct error *e) MUST_CHECK;

/* Stop the background work, close sessions, C_Finalize. The caller has joined
 * every thread that could use the token (fact: exit while threads sign crashes
 * SoftHSM). NULL is fine. */
void token_free(struct token *t);

/* Called after each change of state, from the thread that noticed; must not
 * block nor call back into the token. Set before token_start(). */
void token_on_state(struct token *t,
		    void (*fn)(enum token_state state, void *arg), void *arg);

struct token_info {
	enum token_state state;
	char reason[256]; /* why it is not ready, "" when it is */
	char label[33];   /* the last known ones when unavailable */
	char manufacturer[33];
	char model[17];
	char serial[17];
	unsigned sessions_open;
	unsigned sessions_max;
	uint64_t signatures; /* made since the start */
	uint64_t generation; /* rises with each (re)connection */
	bool data_objects;   /* CKO_DATA kept by the token */
};

void token_get_info(struct token *t, struct token_info *out);

/* Names of the signing mechanisms that the token offers, "CKM_RSA_PKCS", ...,
 * as an array that ends with NULL; valid for the life of the process. */
int token_mechanisms(struct token *t, const char *names_out[], size_t cap,
		     struct error *e) MUST_CHECK;

#endif
