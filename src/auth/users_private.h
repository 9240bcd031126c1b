/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUTH_USERS_PRIVATE_H
#define SB_AUTH_USERS_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "auth/login_guard.h"
#include "auth/password_hash.h"
#include "auth/users.h"
#include "base/hash.h"

/* Shared by users.c, user_changes.c, login.c and certificate_login.c. */

/* A certificate whose refusal was recorded lately. */
enum { CERTIFICATE_TOLD_MAX = 64 };
struct certificate_told {
	int door; /* enum login_door + 1, 0 = free */
	uint8_t sha256[SHA256_SIZE];
	int64_t at_ms;
};

struct users {
	struct store *store;
	struct settings *settings;
	/* Whether the accounts are held to the advanced mode already. */
	atomic_bool advanced;
	struct audit *audit;
	struct login_guard *guard;
	/* Worked on when there is no hash of an account, so that the time tells
	 * nothing. */
	char dummy_hash[PASSWORD_HASH_SIZE];
	pthread_mutex_t change; /* read, decide and write of rows */
	struct certificate_told told[CERTIFICATE_TOLD_MAX];
	pthread_mutex_t told_lock;
	pthread_mutex_t listener_lock;
	void (*listener)(const char *id, void *arg);
	void *listener_arg;
};

/* Tell the listener; called without a lock. */
void users_invalidate(struct users *u, const char *id);

/* Whether the advanced account security mode is on; what turning it on or off
 * does to the accounts is done when it was not. Without the lock `change`. */
bool users_advanced(struct users *u, time_t now);
int users_advanced_load(struct users *u, struct error *e) MUST_CHECK;
/* "Web", "API": module of its audit records. */
const char *users_login_module(enum login_door door);
/* What the rest of the service knows of an account. */
void users_describe(const struct user_row *row, struct identity_of_user *out);

/* Set or clear a password in a row. */
void users_set_password(struct user_row *row, const char *hash, time_t now);
/* Whether wanted may become the password of an account; row NULL: of a new one.
 * broken: bits of rules that are broken anyhow. ERR_PASSWORD_RULES names all
 * that are; ERR_LIMIT: too many compute. */
int users_check_password(struct users *u, const struct user_row *row,
			 struct view wanted, bool advanced, unsigned broken,
			 struct error *e) MUST_CHECK;
/* Store a row with a new password; in the advanced mode the one before becomes
 * one of its former passwords. */
int users_store_password(struct users *u, const struct user_row *before,
			 const struct user_row *row, bool advanced,
			 struct error *e) MUST_CHECK;
/* "" for an empty password, which means none. */
int users_hash(struct view password, char out[PASSWORD_HASH_SIZE],
	       struct error *e) MUST_CHECK;

#endif
