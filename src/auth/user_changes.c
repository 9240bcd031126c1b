/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "auth/password_rules.h"
#include "auth/user_rules.h"
#include "auth/users_private.h"

struct counting {
	struct user_census census;
	int64_t without; /* key of the row that changes or goes */
};

static int count_row(void *arg, const struct user_row *row, struct error *e)
{
	struct counting *c = arg;

	(void)e;
	if (row->key != c->without)
		user_census_add(&c->census, row);
	return 0;
}

/* All accounts, with `after` in place of the one of key `without`; either may
 * be none (NULL, 0). */
static int check_census(struct users *u, int64_t without,
			const struct user_row *after, struct error *e)
{
	struct counting c = { .without = without };

	if (store_user_each(u->store, count_row, &c, e) < 0)
		return -1;
	if (after)
		user_census_add(&c.census, after);
	return user_census_check(&c.census, e);
}

static int add_locked(struct users *u, struct user_row *row, struct error *e)
{
	struct user_row same;

	/* The more telling refusal first. */
	if (store_user_get(u->store, row->id, &same, e) == 0)
		return error_set(e, ERR_USER_EXISTS, "user exists");
	if (e->kind != ERR_NO_USER)
		return -1;
	error_clear(e);
	if (check_census(u, 0, row, e) < 0)
		return -1;
	return store_user_add(u->store, row, e);
}

int users_add(struct users *u, const struct user_change *c, time_t now,
	      struct error *e)
{
	const struct view wanted =
	    c->password ? *c->password : view_of(NULL, 0);
	char hash[PASSWORD_HASH_SIZE] = "";
	struct user_row row;
	int rc;

	if (user_change_check(c, e) < 0 || user_row_new(c, now, &row, e) < 0 ||
	    users_check_password(u, NULL, wanted, users_advanced(u, now), 0,
				 e) < 0)
		return -1;
	if (c->password && users_hash(*c->password, hash, e) < 0)
		return -1;
	users_set_password(&row, hash, now);
	if (user_row_check_password(&row, e) < 0)
		return -1;
	pthread_mutex_lock(&u->change);
	rc = add_locked(u, &row, e);
	pthread_mutex_unlock(&u->change);
	if (c->effect)
		c->effect->after = row;
	return rc;
}

/* A change on its way. */
struct modification {
	const char *id;
	const struct user_change *change;
	time_t now;
	bool advanced;
	/* With a password: its hash, and the row that it was compared with. */
	char hash[PASSWORD_HASH_SIZE];
	struct user_row compared;
	bool end_sessions; /* result */
};

/* Compares and computes before the lock is taken: it takes a while. */
static int prepare_password(struct users *u, struct modification *m,
			    struct error *e)
{
	const struct view *wanted = m->change->password;

	if (!wanted)
		return 0;
	if (store_user_get(u->store, m->id, &m->compared, e) < 0 ||
	    users_check_password(u, &m->compared, *wanted, m->advanced, 0, e) <
		0)
		return -1;
	return users_hash(*wanted, m->hash, e);
}

/* What the advanced mode asks of an account that is opened. */
static int check_opening(const struct modification *m,
			 const struct user_row *row, struct error *e)
{
	bool opens = m->change->disabled && !*m->change->disabled;

	if (m->advanced && opens && !row->password_hash[0])
		return error_set(e, ERR_PASSWORD_RULES,
				 "an account needs a password before it is "
				 "enabled");
	return 0;
}

static int modify_locked(struct users *u, struct modification *m,
			 struct error *e)
{
	const bool password = m->change->password != NULL;
	struct user_row before, row;

	if (store_user_get(u->store, m->id, &before, e) < 0)
		return -1;
	row = before;
	if (password && m->advanced &&
	    strcmp(before.password_hash, m->compared.password_hash) != 0)
		return error_set(e, ERR_CONFLICT,
				 "the password was changed meanwhile");
	if (user_row_change(m->change, m->now, &row, e) < 0)
		return -1;
	if (password)
		users_set_password(&row, m->hash, m->now);
	if (user_row_check_password(&row, e) < 0 ||
	    check_opening(m, &row, e) < 0 ||
	    check_census(u, row.key, &row, e) < 0)
		return -1;
	m->end_sessions = password || user_sessions_end(&before, &row);
	if (m->change->effect)
		*m->change->effect = (struct user_effect){ before, row };
	return password ? users_store_password(u, &before, &row, m->advanced, e)
			: store_user_update(u->store, &row, e);
}

int users_modify(struct users *u, const char *id, const struct user_change *c,
		 time_t now, struct error *e)
{
	struct modification m = { .id = id,
				  .change = c,
				  .now = now,
				  .advanced = users_advanced(u, now) };
	int rc;

	if (user_change_check(c, e) < 0 || prepare_password(u, &m, e) < 0)
		return -1;
	pthread_mutex_lock(&u->change);
	rc = modify_locked(u, &m, e);
	pthread_mutex_unlock(&u->change);
	if (rc == 0 && m.end_sessions)
		users_invalidate(u, id);
	return rc;
}

int users_delete(struct users *u, const char *id, struct user_row *gone,
		 struct error *e)
{
	struct user_row row;
	int rc;

	pthread_mutex_lock(&u->change);
	rc = store_user_get(u->store, id, &row, e);
	if (rc == 0)
		rc = user_row_may_go(&row, e);
	if (rc == 0)
		rc = check_census(u, row.key, NULL, e);
	if (rc == 0)
		rc = store_user_delete(u->store, row.key, e);
	pthread_mutex_unlock(&u->change);
	if (rc == 0 && gone)
		*gone = row;
	if (rc == 0)
		users_invalidate(u, id);
	return rc;
}
