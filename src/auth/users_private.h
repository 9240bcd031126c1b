/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUTH_USERS_PRIVATE_H
#define SB_AUTH_USERS_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "auth/login_guard.h"
#include "auth/password_hash.h"
#include "auth/users.h"

/* Shared by users.c, user_changes.c and login.c. */

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

/* Set or clear a password in a row. */
void users_set_password(struct user_row *row, const char *hash, time_t now);
/* "" for an empty password, which means none. */
int users_hash(struct view password, char out[PASSWORD_HASH_SIZE],
	       struct error *e) MUST_CHECK;

#endif
