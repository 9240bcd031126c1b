/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store_private.h"

#include <string.h>

int store_setting_put(struct store *s, const char *name, const char *value,
		      struct error *e)
{
	const struct db_value values[] = { db_text(name), db_text(value) };

	if (!*name || strlen(name) > STORE_NAME_MAX ||
	    strlen(value) > STORE_VALUE_MAX)
		return error_set(e, ERR_LIMIT,
				 "setting longer than %d, or value longer than "
				 "%d bytes",
				 STORE_NAME_MAX, STORE_VALUE_MAX);
	return store_run(s, STATEMENT_SETTING_PUT, values, COUNT_OF(values),
			 NULL, e);
}

int store_setting_each(struct store *s,
		       int (*each)(void *arg, const char *name,
				   const char *value, struct error *e),
		       void *arg, struct error *e)
{
	struct db_cell cells[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc;

	rc = store_rows(s, STATEMENT_SETTING_LIST, NULL, 0, &rows, e);
	while (rc == 0 && db_rows_next(&rows, cells))
		rc = each(arg, cells[0].text, cells[1].text, e);
	db_rows_free(&rows);
	return rc;
}
