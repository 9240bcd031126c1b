/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store_private.h"

#include <string.h>

int store_restart_add(struct store *s, time_t at, const char *reason,
		      const char *detail, struct error *e)
{
	const struct db_value add[] = { db_integer(at), db_text(reason),
					db_text(detail) };
	const struct db_value cut[] = { db_integer(STORE_RESTARTS_MAX) };
	struct db *db;
	int rc;

	if (strlen(reason) > STORE_NAME_MAX || strlen(detail) > STORE_NAME_MAX)
		return error_set(e, ERR_LIMIT,
				 "reason or detail longer than %d bytes",
				 STORE_NAME_MAX);
	db = store_begin(s, e);
	if (!db)
		return -1;
	rc = db_run(db, STATEMENT_RESTART_ADD, add, COUNT_OF(add), NULL, e);
	if (rc == 0)
		rc = db_run(db, STATEMENT_RESTART_CUT, cut, COUNT_OF(cut), NULL,
			    e);
	return store_end(s, rc, e);
}

int store_restart_each(struct store *s,
		       int (*each)(void *arg, time_t at, const char *reason,
				   const char *detail, struct error *e),
		       void *arg, struct error *e)
{
	struct db_cell cells[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc;

	rc = store_rows(s, STATEMENT_RESTART_LIST, NULL, 0, &rows, e);
	while (rc == 0 && db_rows_next(&rows, cells))
		rc = each(arg, (time_t)cells[0].number, cells[1].text,
			  cells[2].text, e);
	db_rows_free(&rows);
	return rc;
}
