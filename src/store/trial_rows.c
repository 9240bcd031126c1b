/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/trial_rows.h"

#include <string.h>

#include "store/store_private.h"

static int check_pairs(const struct setting_pair *p, size_t count,
		       struct error *e)
{
	for (size_t i = 0; i < count; i++)
		if (!*p[i].name || strlen(p[i].name) > STORE_NAME_MAX ||
		    strlen(p[i].value) > STORE_VALUE_MAX)
			return error_set(e, ERR_LIMIT,
					 "setting longer than %d, or value "
					 "longer than %d bytes",
					 STORE_NAME_MAX, STORE_VALUE_MAX);
	return 0;
}

static int put_values(struct db *db, const struct setting_changes *c,
		      struct error *e)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct db_value values[] = {
			db_text(c->values[i].name), db_text(c->values[i].value)
		};

		if (db_run(db, STATEMENT_SETTING_PUT, values, COUNT_OF(values),
			   NULL, e) < 0)
			return -1;
	}
	return 0;
}

static int begin_trial(struct db *db, const struct setting_changes *c,
		       struct error *e)
{
	const struct trial_row *t = c->begin;
	const struct db_value values[] = {
		db_text(t->id),
		db_text(t->user_name),
		db_text(t->peer),
		db_text(t->boot),
		db_integer(t->started_at),
		db_integer(t->started_ms),
		db_integer(t->seconds),
	};

	if (db_run(db, STATEMENT_TRIAL_ADD, values, COUNT_OF(values), NULL, e) <
	    0)
		return -1;
	for (size_t i = 0; i < c->from_count; i++) {
		const struct db_value from[] = { db_text(t->id),
						 db_text(c->from[i].name),
						 db_text(c->from[i].value) };

		if (db_run(db, STATEMENT_TRIAL_VALUE_ADD, from, COUNT_OF(from),
			   NULL, e) < 0)
			return -1;
	}
	return 0;
}

static int end_trials(struct db *db, const struct setting_changes *c,
		      struct error *e)
{
	for (size_t i = 0; i < c->end_count; i++) {
		const struct db_value id[] = { db_text(c->end[i]) };

		if (db_run(db, STATEMENT_TRIAL_VALUE_DELETE, id, COUNT_OF(id),
			   NULL, e) < 0 ||
		    db_run(db, STATEMENT_TRIAL_DELETE, id, COUNT_OF(id), NULL,
			   e) < 0)
			return -1;
	}
	return 0;
}

int store_settings_change(struct store *s, const struct setting_changes *c,
			  struct error *e)
{
	struct db *db;
	int rc;

	if (check_pairs(c->values, c->count, e) < 0 ||
	    check_pairs(c->from, c->from_count, e) < 0)
		return -1;
	db = store_begin(s, e);
	if (!db)
		return -1;
	rc = put_values(db, c, e);
	if (rc == 0 && c->begin)
		rc = begin_trial(db, c, e);
	if (rc == 0)
		rc = end_trials(db, c, e);
	return store_end(s, rc, e);
}

static int row_of(const struct db_cell *c, struct trial_row *t, struct error *e)
{
	memset(t, 0, sizeof(*t));
	if (db_cell_copy(t->id, sizeof(t->id), &c[0], e) < 0 ||
	    db_cell_copy(t->user_name, sizeof(t->user_name), &c[1], e) < 0 ||
	    db_cell_copy(t->peer, sizeof(t->peer), &c[2], e) < 0 ||
	    db_cell_copy(t->boot, sizeof(t->boot), &c[3], e) < 0)
		return -1;
	t->started_at = c[4].number;
	t->started_ms = c[5].number;
	t->seconds = c[6].number;
	return 0;
}

int store_trial_each(struct store *s,
		     int (*each)(void *arg, const struct trial_row *t,
				 struct error *e),
		     void *arg, struct error *e)
{
	struct db_cell cells[DB_COLUMNS_MAX];
	struct db_rows rows;
	struct trial_row row;
	int rc;

	rc = store_rows(s, STATEMENT_TRIAL_LIST, NULL, 0, &rows, e);
	while (rc == 0 && db_rows_next(&rows, cells)) {
		rc = row_of(cells, &row, e);
		if (rc == 0)
			rc = each(arg, &row, e);
	}
	db_rows_free(&rows);
	return rc;
}

int store_trial_value_each(struct store *s, const char *id,
			   int (*each)(void *arg, const char *name,
				       const char *from, struct error *e),
			   void *arg, struct error *e)
{
	const struct db_value values[] = { db_text(id) };
	struct db_cell cells[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc;

	rc = store_rows(s, STATEMENT_TRIAL_VALUE_LIST, values, COUNT_OF(values),
			&rows, e);
	while (rc == 0 && db_rows_next(&rows, cells))
		rc = each(arg, cells[0].text, cells[1].text, e);
	db_rows_free(&rows);
	return rc;
}
