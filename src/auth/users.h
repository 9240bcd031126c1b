/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUTH_USERS_H
#define SB_AUTH_USERS_H

#include "audit/audit.h"
#include "config/settings.h"
#include "store/user_rows.h"

/* Accounts, passwords and their rules. Any thread. Log-ins are written to the
 * audit trail here (of successful ones by LOGIN_API only those after failures,
 * since the API logs in with every call); changes of accounts by the caller,
 * who knows who asked for them. */

/* Lowest first, so that >= compares. Names as the original prints them
 * ("administrator", "conference list only"). */
enum privilege {
	PRIVILEGE_NONE, /* nobody */
	PRIVILEGE_CONFERENCE_LIST,
	PRIVILEGE_CONFERENCE_LIST_STREAMING,
	PRIVILEGE_CONFERENCE_DETAIL,
	PRIVILEGE_CONFERENCE_CREATION,
	PRIVILEGE_LIMITED_CONTROL,
	PRIVILEGE_FULL_CONTROL,
	PRIVILEGE_ADMINISTRATOR,
	PRIVILEGE_COUNT
};

const char *privilege_name(enum privilege p);
/* -1 when there is none. */
int privilege_from_name(const char *name, enum privilege *out);

enum built_in_user { USER_ORDINARY = 0, USER_ADMIN = 1, USER_GUEST = 2 };

struct users;

/* On an empty store, makes "admin" (an administrator) and "guest" (disabled,
 * "conference list only", password locked) as the original has them, with one
 * difference: admin gets the password in initial_password_file, which is
 * generated (0600, its directory 0700) when it is not there, since a device
 * that lets everybody in at first cannot prove anything later. */
struct users *users_new(struct store *s, struct settings *settings,
			struct audit *audit, const char *initial_password_file,
			struct error *e) MUST_CHECK;
void users_free(struct users *u);

/* Whoever passed: what the rest of the service knows about him. */
enum { PASSWORD_MARK_SIZE = 16 };
struct identity_of_user {
	char id[USER_ID_MAX];
	enum privilege privilege;
	bool must_change_password;
	/* Another one after each setting of a password. */
	uint8_t password_mark[PASSWORD_MARK_SIZE];
};

/* How a password was offered: the API accepts any password for an account that
 * has none (so it was in the original), the web login does not. Accounts above
 * "conference list only" always have one. */
enum login_door { LOGIN_WEB, LOGIN_API };

/* Check a password. Failures are delayed and counted, per account and per peer
 * address; the delay blocks the caller, bounded: too many waiting callers are
 * refused at once. Every refusal is ERR_AUTH with one and the same text unless
 * the password was right ("account is disabled"); the audit trail has the real
 * reason. */
int users_login(struct users *u, enum login_door door, const char *id,
		struct view password, const char *peer_address, time_t now,
		struct identity_of_user *out, struct error *e) MUST_CHECK;

/* Still there, enabled, and with which privilege: for sessions. ERR_NO_USER. */
int users_lookup(struct users *u, const char *id, struct identity_of_user *out,
		 struct error *e) MUST_CHECK;

/* An account before (not of users_add()) and after a change, for its record. */
struct user_effect {
	struct user_row before, after;
};

/* NULL members of a change stay as they are. */
struct user_change {
	const char *id; /* new id (admin may be renamed, guest not) */
	const char *name;
	const struct view *password;
	const enum privilege *privilege;
	const bool *disabled, *lock_password, *force_change;
	const char *e164, *endpoint;
	struct user_effect *effect; /* filled when not NULL */
};

/* ERR_INPUT, ERR_USER_EXISTS (also reserved ids), ERR_PASSWORD_RULES,
 * ERR_LIMIT (200). What is NULL gets the default of user.add. */
int users_add(struct users *u, const struct user_change *c, time_t now,
	      struct error *e) MUST_CHECK;
/* Also ERR_NO_USER; ERR_CONFLICT when no enabled administrator or nobody below
 * would be left, or a rule of a built-in account forbids it (text says). */
int users_modify(struct users *u, const char *id, const struct user_change *c,
		 time_t now, struct error *e) MUST_CHECK;
/* *gone (may be NULL): what the account was. */
int users_delete(struct users *u, const char *id, struct user_row *gone,
		 struct error *e) MUST_CHECK;
/* The user himself; current must be right (ERR_AUTH). ERR_CONFLICT when his
 * password is locked or he is the guest. Clears "must change", which asks for
 * another password than before (ERR_PASSWORD_RULES, as an empty one above
 * "conference list only"). */
int users_change_own_password(struct users *u, const char *id,
			      struct view current, struct view wanted,
			      const char *peer_address, time_t now,
			      struct error *e) MUST_CHECK;
int users_each(struct users *u,
	       int (*each)(void *arg, const struct user_row *row,
			   struct error *e),
	       void *arg, struct error *e) MUST_CHECK;

/* The setting security.advancedAccounts changed. Turned on, every password
 * expires. Calling it is a matter of promptness: it is also found at the next
 * log-in or change, and at the start. */
void users_advanced_mode_enabled(struct users *u);

/* Told the id of an account whose sessions must end: password changed,
 * disabled, renamed, deleted, privilege changed. Called from the changing
 * thread. */
void users_on_invalidate(struct users *u, void (*fn)(const char *id, void *arg),
			 void *arg);

#endif
