/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "auth/user_rules.h"

#include <stdio.h>
#include <string.h>

#include "auth/account_security.h"
#include "auth/password_rules.h"
#include "base/utf8.h"

#define ADMIN_ID "admin"

static const char *const reserved[] = { ADMIN_ID, "guest", "invalid", "system",
					"unknown" };

static int check_text(const char *what, const char *text, struct error *e)
{
	struct view v = view_str(text);

	if (!text)
		return 0;
	if (utf8_count(v) < 0)
		return error_set(e, ERR_INPUT, "the %s is not valid UTF-8",
				 what);
	if (!utf8_is_plain(v))
		return error_set(e, ERR_INPUT, "the %s has control characters",
				 what);
	if (utf8_count(v) > USER_CHARACTERS_MAX)
		return error_set(e, ERR_INPUT,
				 "the %s has more than %d characters", what,
				 USER_CHARACTERS_MAX);
	return 0;
}

static int check_id(const char *id, struct error *e)
{
	if (!id)
		return 0;
	if (check_text("user ID", id, e) < 0)
		return -1;
	if (!*id)
		return error_set(e, ERR_INPUT, "the user ID is empty");
	if (*id == ' ' || id[strlen(id) - 1] == ' ')
		return error_set(e, ERR_INPUT,
				 "the user ID begins or ends with a space");
	return 0;
}

static int check_e164(const char *number, struct error *e)
{
	if (!number || strspn(number, "0123456789*#+") == strlen(number))
		return 0;
	return error_set(e, ERR_INPUT,
			 "the E.164 phone number has other characters than "
			 "digits, * # +");
}

int user_change_check(const struct user_change *c, struct error *e)
{
	if (check_id(c->id, e) < 0 || check_text("name", c->name, e) < 0 ||
	    check_text("E.164 phone number", c->e164, e) < 0 ||
	    check_e164(c->e164, e) < 0 ||
	    check_text("associated video endpoint", c->endpoint, e) < 0)
		return -1;
	if (c->privilege && (*c->privilege <= PRIVILEGE_NONE ||
			     *c->privilege >= PRIVILEGE_COUNT))
		return error_set(e, ERR_INPUT, "no such privilege level");
	if (c->password && password_text_check(*c->password, e) < 0)
		return -1;
	return 0;
}

/* Renamed accounts may go back to the name they came with. */
static int check_reserved(const char *id, int built_in, struct error *e)
{
	if (built_in == USER_ADMIN && !strcmp(id, ADMIN_ID))
		return 0;
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (!strcmp(id, reserved[i]))
			return error_set(e, ERR_USER_EXISTS,
					 "the user ID \"%s\" is reserved", id);
	return 0;
}

static void put(char *out, size_t size, const char *text)
{
	if (text)
		snprintf(out, size, "%s", text);
}

/* What holds for any account, whoever set it. */
static int apply(const struct user_change *c, time_t now, struct user_row *row,
		 struct error *e)
{
	put(row->id, sizeof(row->id), c->id);
	put(row->name, sizeof(row->name), c->name);
	put(row->e164, sizeof(row->e164), c->e164);
	put(row->endpoint, sizeof(row->endpoint), c->endpoint);
	if (c->privilege)
		row->privilege = (int)*c->privilege;
	if (c->disabled && *c->disabled)
		account_disable(row);
	else if (c->disabled)
		account_enable(row, now);
	if (c->lock_password)
		row->lock_password = *c->lock_password;
	if (c->force_change)
		row->force_change = *c->force_change;
	if (!row->lock_password)
		return 0;
	if (row->privilege == PRIVILEGE_ADMINISTRATOR)
		return error_set(e, ERR_CONFLICT,
				 "the password of an administrator cannot be "
				 "locked");
	if (c->force_change && *c->force_change)
		return error_set(e, ERR_CONFLICT,
				 "a user whose password is locked cannot be "
				 "made to change it");
	row->force_change = false;
	return 0;
}

int user_row_new(const struct user_change *c, time_t now, struct user_row *out,
		 struct error *e)
{
	memset(out, 0, sizeof(*out));
	if (!c->id)
		return error_set(e, ERR_INPUT, "the user ID is missing");
	if (check_reserved(c->id, USER_ORDINARY, e) < 0)
		return -1;
	out->privilege = PRIVILEGE_CONFERENCE_LIST;
	out->force_change = true;
	out->active_from = now;
	if (apply(c, now, out, e) == 0)
		return 0;
	e->kind = ERR_INPUT;
	return -1;
}

static int built_in_rules(const struct user_row *before,
			  const struct user_row *after, struct error *e)
{
	bool renamed = strcmp(before->id, after->id) != 0;

	if (before->built_in == USER_GUEST && renamed)
		return error_set(e, ERR_CONFLICT,
				 "the guest account cannot be renamed");
	if (before->built_in != USER_ADMIN)
		return 0;
	if (after->privilege != PRIVILEGE_ADMINISTRATOR)
		return error_set(e, ERR_CONFLICT,
				 "the privilege of the built-in administrator "
				 "is fixed");
	if (after->disabled)
		return error_set(e, ERR_CONFLICT,
				 "the built-in administrator cannot be "
				 "disabled");
	return 0;
}

int user_row_change(const struct user_change *c, time_t now,
		    struct user_row *row, struct error *e)
{
	const struct user_row before = *row;

	if (apply(c, now, row, e) < 0 || built_in_rules(&before, row, e) < 0)
		return -1;
	if (strcmp(before.id, row->id) != 0)
		return check_reserved(row->id, row->built_in, e);
	return 0;
}

/* The API takes any password for an account that has none: no more than the
 * guest may do is open to everybody. */
bool user_may_lack_password(const struct user_row *row)
{
	return row->privilege <= PRIVILEGE_CONFERENCE_LIST;
}

int user_row_check_password(const struct user_row *row, struct error *e)
{
	if (row->password_hash[0] || user_may_lack_password(row))
		return 0;
	return error_set(e, ERR_PASSWORD_RULES,
			 "an account above \"%s\" needs a password",
			 privilege_name(PRIVILEGE_CONFERENCE_LIST));
}

int user_row_may_go(const struct user_row *row, struct error *e)
{
	if (row->built_in == USER_ORDINARY)
		return 0;
	return error_set(e, ERR_CONFLICT,
			 "the built-in account \"%s\" cannot be deleted",
			 row->id);
}

bool user_sessions_end(const struct user_row *before,
		       const struct user_row *after)
{
	return strcmp(before->id, after->id) != 0 ||
	       strcmp(before->password_hash, after->password_hash) != 0 ||
	       before->privilege != after->privilege ||
	       (after->disabled && !before->disabled);
}

void user_census_add(struct user_census *census, const struct user_row *row)
{
	census->all++;
	if (row->privilege != PRIVILEGE_ADMINISTRATOR)
		census->below++;
	else if (!row->disabled)
		census->enabled_administrators++;
}

int user_census_check(const struct user_census *census, struct error *e)
{
	if (census->all > USERS_MAX)
		return error_set(e, ERR_LIMIT, "there are %d accounts already",
				 USERS_MAX);
	if (census->enabled_administrators == 0)
		return error_set(e, ERR_CONFLICT,
				 "no enabled administrator would be left");
	if (census->below == 0)
		return error_set(e, ERR_CONFLICT,
				 "no account below administrator would be "
				 "left");
	return 0;
}
