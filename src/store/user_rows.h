/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_STORE_USER_ROWS_H
#define SB_STORE_USER_ROWS_H

#include "store/store.h"

/* Rows of user accounts; what they mean is src/auth's business. */

enum {
	USER_ID_MAX = 128, /* bytes of UTF-8, 31 characters */
	USER_NAME_MAX = 256,
	USER_HASH_MAX = 256,
	USERS_MAX = 200
};

struct user_row {
	int64_t key; /* never reused */
	char id[USER_ID_MAX];
	char name[USER_NAME_MAX];
	char password_hash[USER_HASH_MAX]; /* crypt(5); "" = no password */
	int privilege;                     /* enum privilege of auth */
	int built_in;                      /* 0, or which built-in account */
	bool disabled;
	bool lock_password;
	bool force_change;
	char e164[64];
	char endpoint[USER_NAME_MAX];
	int64_t password_set_at; /* seconds since 1970, 0 = never */
	int64_t last_login_at;
	int64_t failures;       /* consecutive */
	int64_t disabled_until; /* 0 = not by failures */
	int disabled_reason;    /* enum account_block of auth */
	int64_t active_from;    /* idle days count from here or a log-in */
	int64_t expired_logins; /* with an expired password, since it expired */
	bool password_expired;  /* before its time */
	int64_t own_change_at;  /* the user's own last change, 0 = none */
};

/* Passwords of before, newest first. */
enum { USER_HISTORY_MAX = 10 };
struct user_history {
	size_t count;
	char hashes[USER_HISTORY_MAX][USER_HASH_MAX];
};

int store_user_count(struct store *s, size_t *out, struct error *e) MUST_CHECK;
/* ERR_NO_USER. id is compared byte by byte. */
int store_user_get(struct store *s, const char *id, struct user_row *out,
		   struct error *e) MUST_CHECK;
int store_user_each(struct store *s,
		    int (*each)(void *arg, const struct user_row *u,
				struct error *e),
		    void *arg, struct error *e) MUST_CHECK;
/* ERR_USER_EXISTS; sets u->key. */
int store_user_add(struct store *s, struct user_row *u,
		   struct error *e) MUST_CHECK;
/* By key, all columns. ERR_NO_USER, ERR_USER_EXISTS (id taken). */
int store_user_update(struct store *s, const struct user_row *u,
		      struct error *e) MUST_CHECK;
/* As store_user_update(), and in the same transaction `before` (a hash) becomes
 * the newest of the account's former passwords, of which at most keep stay. */
int store_user_update_password(struct store *s, const struct user_row *u,
			       const char *before, size_t keep,
			       struct error *e) MUST_CHECK;
/* At most USER_HISTORY_MAX. */
int store_user_history(struct store *s, int64_t key, struct user_history *out,
		       struct error *e) MUST_CHECK;
/* Its former passwords go too. */
int store_user_delete(struct store *s, int64_t key, struct error *e) MUST_CHECK;

/* Since when the rules of the advanced mode hold for the accounts; 0: they do
 * not. */
int store_advanced_since(struct store *s, int64_t *out,
			 struct error *e) MUST_CHECK;
/* In one transaction: from now on they hold, every password has expired, and
 * failures and idle days count anew. */
int store_advanced_begin(struct store *s, int64_t now,
			 struct error *e) MUST_CHECK;
int store_advanced_end(struct store *s, struct error *e) MUST_CHECK;

#endif
