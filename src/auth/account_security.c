/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "auth/account_security.h"

static const struct {
	const char *name, *text;
} blocks[ACCOUNT_BLOCK_COUNT] = {
	[ACCOUNT_OPEN] = { "", "" },
	[ACCOUNT_BY_ADMINISTRATOR] = { "administrator", "account is disabled" },
	[ACCOUNT_BY_FAILURES] = { "failures", "account is disabled after wrong "
					      "passwords" },
	[ACCOUNT_BY_INACTIVITY] = { "inactivity",
				    "account is disabled: it was not used for "
				    "30 days" },
	[ACCOUNT_BY_EXPIRED_PASSWORD] = { "expiredPassword",
					  "account is disabled: its expired "
					  "password was not changed" },
};

static bool in_table(int block)
{
	return block >= 0 && block < ACCOUNT_BLOCK_COUNT;
}

const char *account_block_name(enum account_block b)
{
	return in_table((int)b) ? blocks[b].name : "";
}

const char *account_block_text(enum account_block b)
{
	return in_table((int)b) ? blocks[b].text : "";
}

static bool is_administrator(const struct user_row *row)
{
	return row->privilege == PRIVILEGE_ADMINISTRATOR;
}

/* The lock of an administrator. One that lies further ahead than a lock lasts
 * was set by a clock that was wrong, and keeps nobody out for ever. */
static bool is_locked(const struct user_row *row, time_t now)
{
	return now < row->disabled_until &&
	       row->disabled_until - now <= ACCOUNT_LOCK_SECONDS;
}

static bool is_idle(const struct user_row *row, time_t now)
{
	int64_t from = row->last_login_at > row->active_from
			   ? row->last_login_at
			   : row->active_from;

	return !is_administrator(row) && now - from >= ACCOUNT_IDLE_SECONDS;
}

/* Why, as the row has it. */
static enum account_block stored_reason(const struct user_row *row)
{
	return row->disabled_reason > ACCOUNT_OPEN &&
		       in_table(row->disabled_reason)
		   ? (enum account_block)row->disabled_reason
		   : ACCOUNT_BY_ADMINISTRATOR;
}

enum account_block account_block(const struct user_row *row, bool advanced,
				 time_t now)
{
	if (row->disabled)
		return stored_reason(row);
	if (!advanced)
		return ACCOUNT_OPEN;
	if (is_locked(row, now))
		return stored_reason(row);
	return is_idle(row, now) ? ACCOUNT_BY_INACTIVITY : ACCOUNT_OPEN;
}

time_t password_expires_at(const struct user_row *row, bool advanced)
{
	if (!advanced || !row->password_hash[0])
		return 0;
	return (time_t)row->password_set_at + PASSWORD_AGE_SECONDS;
}

bool password_is_expired(const struct user_row *row, bool advanced, time_t now)
{
	if (!advanced)
		return false;
	return row->password_expired || !row->password_hash[0] ||
	       now >= password_expires_at(row, advanced);
}

bool password_must_change(const struct user_row *row, bool advanced, time_t now)
{
	return (row->force_change && !row->lock_password) ||
	       password_is_expired(row, advanced, now);
}

bool password_may_change_again(const struct user_row *row, bool advanced,
			       time_t now)
{
	int64_t age = now - row->own_change_at;

	return !advanced || is_administrator(row) || !row->own_change_at ||
	       password_must_change(row, advanced, now) || age < 0 ||
	       age >= PASSWORD_CHANGE_SECONDS;
}

static void forget_failures(struct user_row *row)
{
	row->failures = 0;
	row->disabled_until = 0;
	if (!row->disabled)
		row->disabled_reason = ACCOUNT_OPEN;
}

void account_logged_in(struct user_row *row, time_t now)
{
	forget_failures(row);
	row->last_login_at = now;
}

void account_logged_in_by_certificate(struct user_row *row, time_t now)
{
	account_logged_in(row, now);
	row->expired_logins = 0;
}

/* Nobody could bring back the last administrator, so time does. */
static void block(struct user_row *row, enum account_block why, time_t now)
{
	row->disabled_reason = (int)why;
	if (is_administrator(row))
		row->disabled_until = now + ACCOUNT_LOCK_SECONDS;
	else
		row->disabled = true;
}

bool account_failed(struct user_row *row, bool advanced, time_t now)
{
	if (advanced && account_block(row, advanced, now) != ACCOUNT_OPEN)
		return false;
	if (advanced && row->disabled_until)
		forget_failures(row); /* a lock that has passed */
	row->failures++;
	if (!advanced || row->failures < ACCOUNT_FAILURES_MAX)
		return false;
	block(row, ACCOUNT_BY_FAILURES, now);
	return true;
}

bool account_offered_change(struct user_row *row, time_t now)
{
	row->expired_logins++;
	if (row->expired_logins <= EXPIRED_LOGINS_MAX)
		return true;
	row->expired_logins = 0;
	block(row, ACCOUNT_BY_EXPIRED_PASSWORD, now);
	return false;
}

void account_note_inactivity(struct user_row *row)
{
	row->disabled = true;
	row->disabled_reason = ACCOUNT_BY_INACTIVITY;
}

void account_enable(struct user_row *row, time_t now)
{
	row->disabled = false;
	forget_failures(row);
	row->expired_logins = 0;
	row->active_from = now;
}

void account_disable(struct user_row *row)
{
	row->disabled = true;
	row->disabled_until = 0;
	row->disabled_reason = ACCOUNT_BY_ADMINISTRATOR;
}
