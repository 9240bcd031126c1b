/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "auth/account_security.h"
#include "auth/password_rules.h"
#include "auth/user_rules.h"
#include "auth/users_private.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

#define REFUSED "authorization failed"
#define EXPIRED_LOCKED \
	"the password has expired; an administrator must set another"

/* The API logs in with every call; its time of log-in is written at most so
 * often. */
enum { LOGIN_TIME_GRAIN_SECONDS = 60 };

static const char *const modules[] = {
	[LOGIN_WEB] = "Web", [LOGIN_API] = "API"
};

const char *users_login_module(enum login_door door)
{
	return modules[door];
}

/* One attempt, as it goes through the steps below. */
struct attempt {
	struct users *u;
	enum login_door door;
	const char *id, *peer;
	time_t now;
	bool advanced; /* account security mode */
	struct user_row row;
	bool known, right;
};

/* Who comes in without a password has proved nothing. */
static int write_record(const struct attempt *a, struct audit_what what,
			struct error *e)
{
	const char *via =
	    a->known && !a->row.password_hash[0] ? "" : "password";
	const struct audit_actor actor = { modules[a->door], a->id, a->peer,
					   via };

	return audit_append(a->u->audit, what, &actor, e);
}

/* Of what is refused in any case: a trail that cannot be written is logged and
 * counted by audit_append(). */
static void record(const struct attempt *a, struct audit_what what)
{
	struct error e = ERROR_INIT;

	(void)write_record(a, what, &e);
}

/* Nobody comes in without the record of it, which a full disk has the reserve
 * for. Sessions that stand and the control socket need none. The API logs in
 * with every call: only what stands out is recorded. */
static int record_login(const struct attempt *a, struct error *e)
{
	const char *failures =
	    a->row.failures ? AUDIT_NUMBER(a->row.failures) : "";

	if (a->door != LOGIN_WEB && !a->row.failures)
		return 0;
	if (write_record(a, AUDIT(LOGIN, .failures = failures), e) == 0)
		return 0;
	return error_prefix(e, "no log-in without its record");
}

static int refuse(struct error *e)
{
	return error_set(e, ERR_AUTH, REFUSED);
}

static int read_row(struct attempt *a, struct error *e)
{
	if (store_user_get(a->u->store, a->id, &a->row, e) == 0) {
		a->known = true;
		return 0;
	}
	if (e->kind != ERR_NO_USER)
		return -1;
	error_clear(e);
	return 0;
}

/* A password that was not looked at. A flood of them makes few records. */
static void note_unread(const struct attempt *a)
{
	unsigned count = login_guard_refused(a->u->guard, clock_monotonic_ms());

	if (count)
		record(a, AUDIT(LOGIN_FAILED,
				.reason = "too many log-ins wait, refused "
					  "unread",
				.refused = AUDIT_NUMBER(count)));
}

/* An account that should have a password but has none (a database from before
 * that rule) lets nobody in. */
static bool passes_without(const struct attempt *a, struct view password)
{
	return user_may_lack_password(&a->row) &&
	       (a->door == LOGIN_API || password.len == 0);
}

/* Waits, then does the same work whether or not the account exists and has a
 * password. */
static int check_password(struct attempt *a, struct view password,
			  struct error *e)
{
	const char *hash;

	if (login_guard_wait(a->u->guard, a->id, a->peer, e) < 0) {
		note_unread(a);
		return -1;
	}
	if (read_row(a, e) < 0)
		return -1;
	hash =
	    a->row.password_hash[0] ? a->row.password_hash : a->u->dummy_hash;
	if (password_verify(password, hash, &a->right, e) < 0) {
		if (e->kind == ERR_LIMIT) {
			note_unread(a);
			e->kind = ERR_AUTH;
		}
		return -1;
	}
	if (!a->known)
		a->right = false;
	else if (!a->row.password_hash[0])
		a->right = passes_without(a, password);
	return 0;
}

/* Wrong passwords have closed the account: the right one must not show itself
 * by another answer, or guessing could go on. */
static bool is_closed_to_guesses(const struct attempt *a)
{
	return a->known && account_block(&a->row, a->advanced, a->now) ==
			       ACCOUNT_BY_FAILURES;
}

static void record_block(const struct attempt *a, const struct user_row *row)
{
	record(a, AUDIT(ACCOUNT_DISABLED,
			.reason = account_block_text(
			    (enum account_block)row->disabled_reason),
			.minutes = row->disabled ? "" : "30"));
	/* An administrator who is at work stays: whoever guesses at his
	 * password must not be able to throw him out. */
	if (row->disabled)
		users_invalidate(a->u, row->id);
}

/* Counted in the row too, where an administrator sees it. */
static void note_failure(struct attempt *a)
{
	struct error e = ERROR_INIT;
	bool blocked = false;
	struct user_row row;

	login_guard_failed(a->u->guard, a->id, a->peer, clock_monotonic_ms());
	record(a, AUDIT(LOGIN_FAILED,
			.reason = !a->known ? "no such account"
				  : is_closed_to_guesses(a)
				      ? account_block_text(ACCOUNT_BY_FAILURES)
				      : "wrong password"));
	if (!a->known)
		return;
	pthread_mutex_lock(&a->u->change);
	if (store_user_get(a->u->store, a->id, &row, &e) == 0) {
		blocked = account_failed(&row, a->advanced, a->now);
		if (store_user_update(a->u->store, &row, &e) < 0)
			log_failure(LOG_LEVEL_ERROR, "auth", &e);
	}
	pthread_mutex_unlock(&a->u->change);
	if (blocked)
		record_block(a, &row);
}

/* The account may have changed while the password was checked. */
static bool still_the_same(const struct attempt *a, const struct user_row *now)
{
	return now->key == a->row.key &&
	       !strcmp(now->password_hash, a->row.password_hash);
}

/* What the row says of somebody whose password is right. NULL: he may come in;
 * otherwise why not. The row may have changed and is to be stored then. */
static const char *admit(const struct attempt *a, struct user_row *row)
{
	enum account_block block = account_block(row, a->advanced, a->now);

	if (block == ACCOUNT_BY_INACTIVITY && !row->disabled)
		account_note_inactivity(row);
	if (block != ACCOUNT_OPEN)
		return account_block_text(block);
	if (!password_is_expired(row, a->advanced, a->now))
		return NULL;
	if (row->lock_password)
		return EXPIRED_LOCKED;
	/* Nobody asks a program to change it: it is refused until then. */
	if (a->door == LOGIN_WEB && !account_offered_change(row, a->now))
		return account_block_text(ACCOUNT_BY_EXPIRED_PASSWORD);
	return NULL;
}

/* Whether the row as it was found is worth a write. */
static bool is_stale(const struct attempt *a, const struct user_row *row)
{
	return row->failures || a->door == LOGIN_WEB ||
	       a->now < row->last_login_at ||
	       a->now - row->last_login_at >= LOGIN_TIME_GRAIN_SECONDS;
}

static bool is_blocked_anew(const struct user_row *before,
			    const struct user_row *after)
{
	return (after->disabled && !before->disabled) ||
	       after->disabled_until > before->disabled_until;
}

/* Decide by the row as it is now, and keep it. The row before stays in a, the
 * one after is in *out. ERR_AUTH with the reason in *why_out, which is NULL
 * when the account is another one by now. A disk that is full keeps nobody
 * out. */
static int enter_locked(struct attempt *a, struct user_row *out,
			const char **why_out, struct error *e)
{
	struct error write_error = ERROR_INIT;
	bool stale;

	*why_out = NULL;
	if (store_user_get(a->u->store, a->id, out, e) < 0)
		return e->kind == ERR_NO_USER ? refuse(e) : -1;
	if (!still_the_same(a, out))
		return refuse(e);
	a->row = *out;
	*why_out = admit(a, out);
	stale = *why_out ? is_blocked_anew(&a->row, out) : is_stale(a, out);
	if (!*why_out)
		account_logged_in(out, a->now);
	if (stale && store_user_update(a->u->store, out, &write_error) < 0)
		log_failure(LOG_LEVEL_ERROR, "auth", &write_error);
	if (!*why_out)
		return 0;
	/* Closed by others while this password was looked at: it must not show
	 * that it is right. */
	if (account_block(out, a->advanced, a->now) == ACCOUNT_BY_FAILURES)
		return refuse(e);
	return error_set(e, ERR_AUTH, "%s", *why_out);
}

static int enter(struct attempt *a, struct error *e)
{
	struct user_row after;
	const char *why;
	int rc;

	pthread_mutex_lock(&a->u->change);
	rc = enter_locked(a, &after, &why, e);
	pthread_mutex_unlock(&a->u->change);
	if (why)
		record(a, AUDIT(LOGIN_FAILED, .reason = why));
	if (why && is_blocked_anew(&a->row, &after))
		record_block(a, &after);
	return rc;
}

/* The salt makes each hash another one, the key tells an account from a later
 * one of the same id. */
static void mark_password(const struct user_row *row,
			  uint8_t out[PASSWORD_MARK_SIZE])
{
	char text[USER_HASH_MAX + 64];
	uint8_t hash[SHA256_SIZE];
	int n =
	    snprintf(text, sizeof(text), "%lld %lld %s", (long long)row->key,
		     (long long)row->password_set_at, row->password_hash);

	sha256_of(view_of(text, (size_t)n), hash);
	memcpy(out, hash, PASSWORD_MARK_SIZE);
}

void users_describe(const struct user_row *row, struct identity_of_user *out)
{
	memset(out, 0, sizeof(*out));
	snprintf(out->id, sizeof(out->id), "%s", row->id);
	out->privilege = (enum privilege)row->privilege;
	out->must_change_password = row->force_change && !row->lock_password;
	mark_password(row, out->password_mark);
}

int users_login(struct users *u, enum login_door door, const char *id,
		struct view password, const char *peer_address, time_t now,
		struct identity_of_user *out, struct error *e)
{
	struct attempt a = { .u = u,
			     .door = door,
			     .id = id,
			     .peer = peer_address,
			     .now = now,
			     .advanced = users_advanced(u, now) };

	memset(out, 0, sizeof(*out));
	if (check_password(&a, password, e) < 0)
		return e->kind == ERR_AUTH ? refuse(e) : -1;
	if (!a.right || is_closed_to_guesses(&a)) {
		note_failure(&a);
		return refuse(e);
	}
	login_guard_passed(u->guard, id, peer_address);
	if (enter(&a, e) < 0)
		return -1;
	if (record_login(&a, e) < 0)
		return -1;
	users_describe(&a.row, out);
	out->must_change_password =
	    password_must_change(&a.row, a.advanced, now);
	return 0;
}

int users_lookup(struct users *u, const char *id, struct identity_of_user *out,
		 struct error *e)
{
	struct user_row row;

	memset(out, 0, sizeof(*out));
	if (store_user_get(u->store, id, &row, e) < 0)
		return -1;
	if (row.disabled)
		return error_set(e, ERR_NO_USER, "account is disabled");
	users_describe(&row, out);
	return 0;
}

static int may_change(const struct attempt *a, const struct user_row *row,
		      struct error *e)
{
	enum account_block block = account_block(row, a->advanced, a->now);

	if (row->built_in == USER_GUEST)
		return error_set(e, ERR_CONFLICT,
				 "the guest account cannot change its "
				 "password");
	if (row->lock_password)
		return error_set(e, ERR_CONFLICT, "the password is locked");
	if (block != ACCOUNT_OPEN)
		return error_set(e, ERR_NO_USER, "%s",
				 account_block_text(block));
	return 0;
}

/* All rules at once; the row is as it was when the password was right. */
static int check_wanted(const struct attempt *a, struct view current,
			struct view wanted, struct error *e)
{
	bool again = password_may_change_again(&a->row, a->advanced, a->now);
	unsigned broken = again ? 0 : 1u << PASSWORD_RULE_FREQUENCY;

	if (users_check_password(a->u, &a->row, wanted, a->advanced, broken,
				 e) < 0)
		return -1;
	if (a->row.force_change && view_equal(current, wanted))
		return error_set(e, ERR_PASSWORD_RULES,
				 "the new password is the old one");
	return 0;
}

static int store_own_password(struct attempt *a, const char *hash,
			      struct error *e)
{
	struct user_row before, row;
	int rc;

	pthread_mutex_lock(&a->u->change);
	rc = store_user_get(a->u->store, a->id, &before, e);
	if (rc == 0 && !still_the_same(a, &before))
		rc = refuse(e);
	if (rc == 0)
		rc = may_change(a, &before, e);
	if (rc == 0) {
		row = before;
		users_set_password(&row, hash, a->now);
		row.own_change_at = a->now;
		row.force_change = false;
		rc = user_row_check_password(&row, e);
	}
	if (rc == 0)
		rc = users_store_password(a->u, &before, &row, a->advanced, e);
	pthread_mutex_unlock(&a->u->change);
	return rc;
}

int users_change_own_password(struct users *u, const char *id,
			      struct view current, struct view wanted,
			      const char *peer_address, time_t now,
			      struct error *e)
{
	struct attempt a = { .u = u,
			     .door = LOGIN_WEB,
			     .id = id,
			     .peer = peer_address,
			     .now = now,
			     .advanced = users_advanced(u, now) };
	char hash[PASSWORD_HASH_SIZE];

	if (store_user_get(u->store, id, &a.row, e) < 0 ||
	    may_change(&a, &a.row, e) < 0 || password_text_check(wanted, e) < 0)
		return -1;
	if (check_password(&a, current, e) < 0)
		return e->kind == ERR_AUTH ? refuse(e) : -1;
	if (!a.right || is_closed_to_guesses(&a)) {
		note_failure(&a);
		return error_set(e, ERR_AUTH, "the current password is wrong");
	}
	login_guard_passed(u->guard, id, peer_address);
	if (check_wanted(&a, current, wanted, e) < 0 ||
	    users_hash(wanted, hash, e) < 0 ||
	    store_own_password(&a, hash, e) < 0)
		return -1;
	users_invalidate(u, id);
	return 0;
}
