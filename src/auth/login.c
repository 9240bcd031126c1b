/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "auth/password_rules.h"
#include "auth/user_rules.h"
#include "auth/users_private.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

#define REFUSED  "authorization failed"
#define DISABLED "account is disabled"

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
	struct user_row row;
	bool known, right;
};

/* What the attempt did is decided already: a trail that cannot be written is
 * logged and counted by audit_append(), and closes no door to the
 * administrator who could mend it. */
static void record(const struct attempt *a, enum audit_event event,
		   const char *detail)
{
	const struct audit_actor actor = { modules[a->door], a->id, a->peer };
	struct error e = ERROR_INIT;

	(void)audit_append(a->u->audit, event, &actor, &e, "%s", detail);
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
	char detail[80];
	unsigned count = login_guard_refused(a->u->guard, clock_monotonic_ms());

	if (count == 0)
		return;
	snprintf(detail, sizeof(detail),
		 "too many log-ins wait: %u refused unread", count);
	record(a, AUDIT_LOGIN_FAILED, detail);
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

/* Counted in the row too, where an administrator sees it. */
static void note_failure(struct attempt *a)
{
	struct error e = ERROR_INIT;
	struct user_row row;

	login_guard_failed(a->u->guard, a->id, a->peer, clock_monotonic_ms());
	record(a, AUDIT_LOGIN_FAILED,
	       a->known ? "wrong password" : "no such account");
	if (!a->known)
		return;
	pthread_mutex_lock(&a->u->change);
	if (store_user_get(a->u->store, a->id, &row, &e) == 0) {
		row.failures++;
		if (store_user_update(a->u->store, &row, &e) < 0)
			log_failure(LOG_LEVEL_ERROR, "auth", &e);
	}
	pthread_mutex_unlock(&a->u->change);
}

/* The account may have changed while the password was checked. */
static bool still_the_same(const struct attempt *a, const struct user_row *now)
{
	return now->key == a->row.key &&
	       !strcmp(now->password_hash, a->row.password_hash);
}

/* ERR_AUTH when the account is another one by now. A disk that is full keeps
 * nobody out. */
static int note_success(struct attempt *a, time_t now, struct error *e)
{
	struct error write_error = ERROR_INIT;
	struct user_row row;
	bool stale;
	int rc = -1;

	pthread_mutex_lock(&a->u->change);
	if (store_user_get(a->u->store, a->id, &row, e) < 0) {
		if (e->kind == ERR_NO_USER)
			refuse(e);
		goto out;
	}
	if (!still_the_same(a, &row) || row.disabled) {
		refuse(e);
		goto out;
	}
	a->row = row;
	stale = row.failures || a->door == LOGIN_WEB ||
		now < row.last_login_at ||
		now - row.last_login_at >= LOGIN_TIME_GRAIN_SECONDS;
	row.failures = 0;
	row.last_login_at = now;
	if (stale && store_user_update(a->u->store, &row, &write_error) < 0)
		log_failure(LOG_LEVEL_ERROR, "auth", &write_error);
	rc = 0;
out:
	pthread_mutex_unlock(&a->u->change);
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
	struct attempt a = {
		.u = u, .door = door, .id = id, .peer = peer_address
	};

	memset(out, 0, sizeof(*out));
	if (check_password(&a, password, e) < 0)
		return e->kind == ERR_AUTH ? refuse(e) : -1;
	if (!a.right) {
		note_failure(&a);
		return refuse(e);
	}
	login_guard_passed(u->guard, id, peer_address);
	if (a.row.disabled) {
		record(&a, AUDIT_LOGIN_FAILED, DISABLED);
		return error_set(e, ERR_AUTH, DISABLED);
	}
	if (note_success(&a, now, e) < 0)
		return -1;
	/* The API logs in with every call: only what stands out is recorded. */
	if (door == LOGIN_WEB || a.row.failures)
		record(&a, AUDIT_LOGIN, "");
	users_describe(&a.row, out);
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
		return error_set(e, ERR_NO_USER, DISABLED);
	users_describe(&row, out);
	return 0;
}

static int may_change(const struct user_row *row, struct error *e)
{
	if (row->built_in == USER_GUEST)
		return error_set(e, ERR_CONFLICT,
				 "the guest account cannot change its "
				 "password");
	if (row->lock_password)
		return error_set(e, ERR_CONFLICT, "the password is locked");
	if (row->disabled)
		return error_set(e, ERR_NO_USER, DISABLED);
	return 0;
}

static int store_own_password(struct attempt *a, const char *hash, time_t now,
			      struct error *e)
{
	struct user_row row;
	int rc;

	pthread_mutex_lock(&a->u->change);
	rc = store_user_get(a->u->store, a->id, &row, e);
	if (rc == 0 && !still_the_same(a, &row))
		rc = refuse(e);
	if (rc == 0)
		rc = may_change(&row, e);
	if (rc == 0) {
		users_set_password(&row, hash, now);
		row.force_change = false;
		rc = user_row_check_password(&row, e);
	}
	if (rc == 0)
		rc = store_user_update(a->u->store, &row, e);
	pthread_mutex_unlock(&a->u->change);
	return rc;
}

int users_change_own_password(struct users *u, const char *id,
			      struct view current, struct view wanted,
			      const char *peer_address, time_t now,
			      struct error *e)
{
	struct attempt a = {
		.u = u, .door = LOGIN_WEB, .id = id, .peer = peer_address
	};
	char hash[PASSWORD_HASH_SIZE];

	if (store_user_get(u->store, id, &a.row, e) < 0 ||
	    may_change(&a.row, e) < 0 || password_rules_check(wanted, e) < 0)
		return -1;
	if (check_password(&a, current, e) < 0)
		return e->kind == ERR_AUTH ? refuse(e) : -1;
	if (!a.right) {
		note_failure(&a);
		return error_set(e, ERR_AUTH, "the current password is wrong");
	}
	login_guard_passed(u->guard, id, peer_address);
	if (a.row.force_change && view_equal(current, wanted))
		return error_set(e, ERR_PASSWORD_RULES,
				 "the new password is the old one");
	if (users_hash(wanted, hash, e) < 0 ||
	    store_own_password(&a, hash, now, e) < 0)
		return -1;
	users_invalidate(u, id);
	return 0;
}
