/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUTH_USER_RULES_H
#define SB_AUTH_USER_RULES_H

#include "auth/users.h"

/* What may be in an account and what may become of it: pure functions on rows.
 * Passwords are set by the caller. */

enum { USER_CHARACTERS_MAX = 31 };

/* The members of a change by themselves. ERR_INPUT, ERR_PASSWORD_RULES. */
int user_change_check(const struct user_change *c, struct error *e) MUST_CHECK;

/* A new ordinary account, with the defaults for what is NULL. ERR_INPUT,
 * ERR_USER_EXISTS: reserved id. */
int user_row_new(const struct user_change *c, time_t now, struct user_row *out,
		 struct error *e) MUST_CHECK;

/* Apply a change to row. ERR_CONFLICT: a rule of a built-in account,
 * ERR_USER_EXISTS: reserved id. */
int user_row_change(const struct user_change *c, time_t now,
		    struct user_row *row, struct error *e) MUST_CHECK;

/* Whether its privilege is so low that it may do without a password. */
bool user_may_lack_password(const struct user_row *row);
/* ERR_PASSWORD_RULES when it has none but needs one. */
int user_row_check_password(const struct user_row *row,
			    struct error *e) MUST_CHECK;

/* ERR_CONFLICT when it is built in. */
int user_row_may_go(const struct user_row *row, struct error *e) MUST_CHECK;

/* Whether sessions of the account must end. */
bool user_sessions_end(const struct user_row *before,
		       const struct user_row *after);

/* Counted over all accounts as they would be after a change. */
struct user_census {
	size_t all, enabled_administrators, below;
};

void user_census_add(struct user_census *census, const struct user_row *row);
/* ERR_CONFLICT, ERR_LIMIT. */
int user_census_check(const struct user_census *census,
		      struct error *e) MUST_CHECK;

#endif
