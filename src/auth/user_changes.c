/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

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
	char hash[PASSWORD_HASH_SIZE] = "";
	struct user_row row;
	int rc;

	if (user_change_check(c, e) < 0 || user_row_new(c, &row, e) < 0)
		return -1;
	if (c->password && users_hash(*c->password, hash, e) < 0)
		return -1;
	users_set_password(&row, hash, now);
	if (user_row_check_password(&row, e) < 0)
		return -1;
	pthread_mutex_lock(&u->change);
	rc = add_locked(u, &row, e);
	pthread_mutex_unlock(&u->change);
	return rc;
}

static int modify_locked(struct users *u, const char *id,
			 const struct user_change *c, const char *hash,
			 time_t now, bool *end_sessions, struct error *e)
{
	struct user_row before, row;

	if (store_user_get(u->store, id, &row, e) < 0)
		return -1;
	before = row;
	if (user_row_change(c, &row, e) < 0)
		return -1;
	if (hash)
		users_set_password(&row, hash, now);
	if (user_row_check_password(&row, e) < 0 ||
	    check_census(u, row.key, &row, e) < 0)
		return -1;
	*end_sessions = hash || user_sessions_end(&before, &row);
	return store_user_update(u->store, &row, e);
}

int users_modify(struct users *u, const char *id, const struct user_change *c,
		 time_t now, struct error *e)
{
	char hash[PASSWORD_HASH_SIZE];
	bool end_sessions = false;
	int rc;

	if (user_change_check(c, e) < 0 ||
	    (c->password && users_hash(*c->password, hash, e) < 0))
		return -1;
	pthread_mutex_lock(&u->change);
	rc = modify_locked(u, id, c, c->password ? hash : NULL, now,
			   &end_sessions, e);
	pthread_mutex_unlock(&u->change);
	if (rc == 0 && end_sessions)
		users_invalidate(u, id);
	return rc;
}

int users_delete(struct users *u, const char *id, struct error *e)
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
	if (rc == 0)
		users_invalidate(u, id);
	return rc;
}
