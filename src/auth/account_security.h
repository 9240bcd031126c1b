/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUTH_ACCOUNT_SECURITY_H
#define SB_AUTH_ACCOUNT_SECURITY_H

#include "auth/users.h"

/* What time, failures and log-ins make of an account: pure functions on rows,
 * the time handed in. advanced: whether the advanced account security mode is
 * on; without it only an administrator disables accounts, and nothing
 * expires. */

enum {
	ACCOUNT_FAILURES_MAX = 3, /* consecutive wrong passwords */
	ACCOUNT_LOCK_SECONDS = 30 * 60,
	ACCOUNT_IDLE_SECONDS = 30 * 24 * 60 * 60,
	PASSWORD_AGE_SECONDS = 60 * 24 * 60 * 60,
	PASSWORD_CHANGE_SECONDS = 24 * 60 * 60,
	/* With an expired password: the first, and two more. */
	EXPIRED_LOGINS_MAX = 3
};

/* Why nobody gets in; numbers are stored in rows. */
enum account_block {
	ACCOUNT_OPEN = 0,
	ACCOUNT_BY_ADMINISTRATOR = 1,
	ACCOUNT_BY_FAILURES = 2,
	ACCOUNT_BY_INACTIVITY = 3,
	ACCOUNT_BY_EXPIRED_PASSWORD = 4,
	ACCOUNT_BLOCK_COUNT
};

/* "", "administrator", "failures", "inactivity", "expiredPassword". */
const char *account_block_name(enum account_block b);
/* A sentence for somebody who knew the password. */
const char *account_block_text(enum account_block b);

/* Whether a log-in by whatever means is refused. An account that nobody has
 * used for too long is blocked before any row says so. */
enum account_block account_block(const struct user_row *row, bool advanced,
				 time_t now);

/* When it expires of age, 0: never (not in this mode, or there is none). */
time_t password_expires_at(const struct user_row *row, bool advanced);
bool password_is_expired(const struct user_row *row, bool advanced, time_t now);
/* Whether who logs in by password must change it first. */
bool password_must_change(const struct user_row *row, bool advanced,
			  time_t now);
/* Not within 24 hours of the user's own last change, unless he must change it
 * or is an administrator. */
bool password_may_change_again(const struct user_row *row, bool advanced,
			       time_t now);

/* What becomes of the row; each is to be stored by the caller.
 *
 * A log-in that let somebody in, by password or certificate: idle days and
 * failures count anew. */
void account_logged_in(struct user_row *row, time_t now);
/* By certificate also: who never sees the question has declined nothing. */
void account_logged_in_by_certificate(struct user_row *row, time_t now);
/* A wrong password. True when the account is blocked from now on. */
bool account_failed(struct user_row *row, bool advanced, time_t now);
/* Let in with an expired password, to change it. False when that was offered
 * often enough: the account is blocked from now on. */
bool account_offered_change(struct user_row *row, time_t now);
/* Blocked by its idleness: write that down. */
void account_note_inactivity(struct user_row *row);
/* An administrator cleared or set the box. */
void account_enable(struct user_row *row, time_t now);
void account_disable(struct user_row *row);

#endif
