/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/user_rows.h"

#include <string.h>

#include "store/store_private.h"

/* As in statements.def, without the key. */
enum { ACCOUNT_COLUMNS = 19 };

static void values_of(const struct user_row *u,
		      struct db_value out[ACCOUNT_COLUMNS])
{
	const struct db_value values[ACCOUNT_COLUMNS] = {
		db_text(u->id),
		db_text(u->name),
		db_text(u->password_hash),
		db_integer(u->privilege),
		db_integer(u->built_in),
		db_integer(u->disabled),
		db_integer(u->lock_password),
		db_integer(u->force_change),
		db_text(u->e164),
		db_text(u->endpoint),
		db_integer(u->password_set_at),
		db_integer(u->last_login_at),
		db_integer(u->failures),
		db_integer(u->disabled_until),
		db_integer(u->disabled_reason),
		db_integer(u->active_from),
		db_integer(u->expired_logins),
		db_integer(u->password_expired),
		db_integer(u->own_change_at),
	};

	memcpy(out, values, sizeof(values));
}

static int row_of(const struct db_cell *c, struct user_row *u, struct error *e)
{
	memset(u, 0, sizeof(*u));
	u->key = c[0].number;
	if (db_cell_copy(u->id, sizeof(u->id), &c[1], e) < 0 ||
	    db_cell_copy(u->name, sizeof(u->name), &c[2], e) < 0 ||
	    db_cell_copy(u->password_hash, sizeof(u->password_hash), &c[3], e) <
		0 ||
	    db_cell_copy(u->e164, sizeof(u->e164), &c[9], e) < 0 ||
	    db_cell_copy(u->endpoint, sizeof(u->endpoint), &c[10], e) < 0)
		return -1;
	u->privilege = (int)c[4].number;
	u->built_in = (int)c[5].number;
	u->disabled = c[6].number != 0;
	u->lock_password = c[7].number != 0;
	u->force_change = c[8].number != 0;
	u->password_set_at = c[11].number;
	u->last_login_at = c[12].number;
	u->failures = c[13].number;
	u->disabled_until = c[14].number;
	u->disabled_reason = (int)c[15].number;
	u->active_from = c[16].number;
	u->expired_logins = c[17].number;
	u->password_expired = c[18].number != 0;
	u->own_change_at = c[19].number;
	return 0;
}

int store_user_count(struct store *s, size_t *out, struct error *e)
{
	struct db_cell cells[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc;

	rc = store_rows(s, STATEMENT_ACCOUNT_COUNT, NULL, 0, &rows, e);
	if (rc == 0 && db_rows_next(&rows, cells))
		*out = (size_t)cells[0].number;
	db_rows_free(&rows);
	return rc;
}

int store_user_get(struct store *s, const char *id, struct user_row *out,
		   struct error *e)
{
	const struct db_value values[] = { db_text(id) };
	struct db_cell cells[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc;

	rc = store_rows(s, STATEMENT_ACCOUNT_GET, values, COUNT_OF(values),
			&rows, e);
	if (rc == 0)
		rc = db_rows_next(&rows, cells)
			 ? row_of(cells, out, e)
			 : error_set(e, ERR_NO_USER, "no such user");
	db_rows_free(&rows);
	return rc;
}

int store_user_each(struct store *s,
		    int (*each)(void *arg, const struct user_row *u,
				struct error *e),
		    void *arg, struct error *e)
{
	struct db_cell cells[DB_COLUMNS_MAX];
	struct db_rows rows;
	struct user_row row;
	int rc;

	rc = store_rows(s, STATEMENT_ACCOUNT_LIST, NULL, 0, &rows, e);
	while (rc == 0 && db_rows_next(&rows, cells)) {
		rc = row_of(cells, &row, e);
		if (rc == 0)
			rc = each(arg, &row, e);
	}
	db_rows_free(&rows);
	return rc;
}

static int user_exists(struct error *e)
{
	if (e->kind == ERR_EXISTS)
		error_set(e, ERR_USER_EXISTS, "user exists");
	return -1;
}

int store_user_add(struct store *s, struct user_row *u, struct error *e)
{
	struct db_value values[ACCOUNT_COLUMNS];
	struct db_cell cells[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc;

	values_of(u, values);
	rc = store_rows(s, STATEMENT_ACCOUNT_ADD, values, COUNT_OF(values),
			&rows, e);
	if (rc < 0)
		rc = user_exists(e);
	else if (db_rows_next(&rows, cells))
		u->key = cells[0].number;
	db_rows_free(&rows);
	return rc;
}

/* As in statements.def: the columns, then the key. */
static void update_values(const struct user_row *u,
			  struct db_value out[ACCOUNT_COLUMNS + 1])
{
	values_of(u, out);
	out[ACCOUNT_COLUMNS] = db_integer(u->key);
}

int store_user_update(struct store *s, const struct user_row *u,
		      struct error *e)
{
	struct db_value values[ACCOUNT_COLUMNS + 1];
	int64_t changed;

	update_values(u, values);
	if (store_run(s, STATEMENT_ACCOUNT_UPDATE, values, COUNT_OF(values),
		      &changed, e) < 0)
		return user_exists(e);
	return changed ? 0 : error_set(e, ERR_NO_USER, "no such user");
}

static int update_in(struct db *db, const struct user_row *u, struct error *e)
{
	struct db_value values[ACCOUNT_COLUMNS + 1];

	update_values(u, values);
	if (db_run(db, STATEMENT_ACCOUNT_UPDATE, values, COUNT_OF(values), NULL,
		   e) < 0)
		return user_exists(e);
	return db_changes(db) ? 0 : error_set(e, ERR_NO_USER, "no such user");
}

int store_user_update_password(struct store *s, const struct user_row *u,
			       const char *before, size_t keep, struct error *e)
{
	const struct db_value add[] = { db_integer(u->key), db_text(before) };
	const struct db_value cut[] = { db_integer(u->key), db_integer(u->key),
					db_integer((int64_t)keep) };
	struct db *db = store_begin(s, e);
	int rc;

	if (!db)
		return -1;
	rc = update_in(db, u, e);
	if (rc == 0)
		rc = db_run(db, STATEMENT_HISTORY_ADD, add, COUNT_OF(add), NULL,
			    e);
	if (rc == 0)
		rc = db_run(db, STATEMENT_HISTORY_CUT, cut, COUNT_OF(cut), NULL,
			    e);
	return store_end(s, rc, e);
}

int store_user_history(struct store *s, int64_t key, struct user_history *out,
		       struct error *e)
{
	const struct db_value values[] = { db_integer(key),
					   db_integer(USER_HISTORY_MAX) };
	struct db_cell cells[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc;

	out->count = 0;
	rc = store_rows(s, STATEMENT_HISTORY_LIST, values, COUNT_OF(values),
			&rows, e);
	while (rc == 0 && out->count < USER_HISTORY_MAX &&
	       db_rows_next(&rows, cells))
		rc = db_cell_copy(out->hashes[out->count++], USER_HASH_MAX,
				  cells, e);
	db_rows_free(&rows);
	return rc;
}

int store_user_delete(struct store *s, int64_t key, struct error *e)
{
	const struct db_value values[] = { db_integer(key) };
	struct db *db = store_begin(s, e);
	int rc;

	if (!db)
		return -1;
	rc = db_run(db, STATEMENT_HISTORY_DELETE, values, COUNT_OF(values),
		    NULL, e);
	if (rc == 0)
		rc = db_run(db, STATEMENT_ACCOUNT_DELETE, values,
			    COUNT_OF(values), NULL, e);
	if (rc == 0 && !db_changes(db))
		rc = error_set(e, ERR_NO_USER, "no such user");
	return store_end(s, rc, e);
}

int store_advanced_since(struct store *s, int64_t *out, struct error *e)
{
	struct db_cell cells[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc;

	*out = 0;
	rc = store_rows(s, STATEMENT_ADVANCED_GET, NULL, 0, &rows, e);
	if (rc == 0 && db_rows_next(&rows, cells))
		*out = cells[0].number;
	db_rows_free(&rows);
	return rc;
}

int store_advanced_begin(struct store *s, int64_t now, struct error *e)
{
	const struct db_value values[] = { db_integer(now) };
	struct db *db = store_begin(s, e);
	int rc;

	if (!db)
		return -1;
	rc = db_run(db, STATEMENT_ADVANCED_PUT, values, COUNT_OF(values), NULL,
		    e);
	if (rc == 0)
		rc = db_run(db, STATEMENT_ACCOUNT_EXPIRE_ALL, values,
			    COUNT_OF(values), NULL, e);
	return store_end(s, rc, e);
}

int store_advanced_end(struct store *s, struct error *e)
{
	const struct db_value values[] = { db_integer(0) };

	return store_run(s, STATEMENT_ADVANCED_PUT, values, COUNT_OF(values),
			 NULL, e);
}
