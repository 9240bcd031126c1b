/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "auth/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/initial_password.h"
#include "auth/users_private.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"

void users_invalidate(struct users *u, const char *id)
{
	void (*fn)(const char *, void *);
	void *arg;

	pthread_mutex_lock(&u->listener_lock);
	fn = u->listener;
	arg = u->listener_arg;
	pthread_mutex_unlock(&u->listener_lock);
	if (fn)
		fn(id, arg);
}

void users_on_invalidate(struct users *u, void (*fn)(const char *id, void *arg),
			 void *arg)
{
	pthread_mutex_lock(&u->listener_lock);
	u->listener = fn;
	u->listener_arg = arg;
	pthread_mutex_unlock(&u->listener_lock);
}

int users_hash(struct view password, char out[PASSWORD_HASH_SIZE],
	       struct error *e)
{
	out[0] = '\0';
	return password.len ? password_hash(password, out, e) : 0;
}

void users_set_password(struct user_row *row, const char *hash, time_t now)
{
	snprintf(row->password_hash, sizeof(row->password_hash), "%s", hash);
	row->password_set_at = now;
	row->failures = 0;
	row->disabled_until = 0;
	row->password_expired = false;
	row->expired_logins = 0;
	row->own_change_at = 0;
}

/* Which built-in accounts are there, by enum built_in_user. */
static int note_built_in(void *arg, const struct user_row *row, struct error *e)
{
	bool *found = arg;

	(void)e;
	if (row->built_in == USER_ADMIN || row->built_in == USER_GUEST)
		found[row->built_in] = true;
	return 0;
}

static int make_guest(struct users *u, struct error *e)
{
	struct user_row row = {
		.id = "guest",
		.name = "Guest",
		.privilege = PRIVILEGE_CONFERENCE_LIST,
		.built_in = USER_GUEST,
		.disabled = true,
		.lock_password = true,
	};

	return store_user_add(u->store, &row, e);
}

static int make_admin(struct users *u, const char *password_file,
		      struct error *e)
{
	struct user_row row = {
		.id = "admin",
		.name = "Administrator",
		.privilege = PRIVILEGE_ADMINISTRATOR,
		.built_in = USER_ADMIN,
	};
	struct secret password = { 0 };
	char hash[PASSWORD_HASH_SIZE];
	int rc = -1;

	if (initial_password_get(password_file, &password, e) < 0)
		goto out;
	if (users_hash(view_of(password.ptr, password.len), hash, e) < 0)
		goto out;
	users_set_password(&row, hash, clock_now());
	rc = store_user_add(u->store, &row, e);
	if (rc == 0)
		log_info("auth",
			 "made the account \"admin\"; its password is "
			 "in %s",
			 password_file);
out:
	secret_free(&password);
	return rc;
}

/* Each by itself, since a kill may come between the two. */
static int make_built_in(struct users *u, const char *password_file,
			 struct error *e)
{
	bool found[USER_GUEST + 1] = { false };

	if (store_user_each(u->store, note_built_in, found, e) < 0)
		return -1;
	if (!found[USER_GUEST] && make_guest(u, e) < 0)
		return error_prefix(e, "account \"guest\"");
	if (!found[USER_ADMIN] && make_admin(u, password_file, e) < 0)
		return error_prefix(e, "account \"admin\"");
	return 0;
}

static int make_dummy(struct users *u, struct error *e)
{
	char text[24];

	random_text(text, sizeof(text) - 1);
	return password_hash(view_str(text), u->dummy_hash, e);
}

struct users *users_new(struct store *s, struct settings *settings,
			struct audit *audit, const char *initial_password_file,
			struct error *e)
{
	struct users *u = calloc(1, sizeof(*u));

	if (!u) {
		error_nomem(e);
		return NULL;
	}
	u->store = s;
	u->settings = settings;
	u->audit = audit;
	pthread_mutex_init(&u->change, NULL);
	pthread_mutex_init(&u->told_lock, NULL);
	pthread_mutex_init(&u->listener_lock, NULL);
	u->guard = login_guard_new(NULL, e);
	if (!u->guard || make_dummy(u, e) < 0 ||
	    make_built_in(u, initial_password_file, e) < 0 ||
	    users_advanced_load(u, e) < 0) {
		users_free(u);
		return NULL;
	}
	users_advanced_mode_enabled(u);
	return u;
}

void users_free(struct users *u)
{
	if (!u)
		return;
	login_guard_free(u->guard);
	pthread_mutex_destroy(&u->listener_lock);
	pthread_mutex_destroy(&u->told_lock);
	pthread_mutex_destroy(&u->change);
	free(u);
}

int users_each(struct users *u,
	       int (*each)(void *arg, const struct user_row *row,
			   struct error *e),
	       void *arg, struct error *e)
{
	return store_user_each(u->store, each, arg, e);
}
