/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store_private.h"

#include <string.h>

/* A commit leaves one; kills in between leave few. More than these are dropped,
 * oldest first. */
enum { MANIFESTS_KEPT = 16 };

int store_manifest_put(struct store *s, const char *name, struct view value,
		       struct error *e)
{
	const struct db_value put[] = { db_text(name), db_blob(value) };
	const struct db_value cut[] = { db_text(name), db_text(name),
					db_integer(MANIFESTS_KEPT) };
	struct db *db;
	int rc;

	if (!*name || strlen(name) > STORE_NAME_MAX ||
	    value.len > STORE_MANIFEST_MAX)
		return error_set(e, ERR_LIMIT, "manifest longer than %d bytes",
				 STORE_MANIFEST_MAX);
	db = store_begin(s, e);
	if (!db)
		return -1;
	rc = db_run(db, STATEMENT_MANIFEST_PUT, put, COUNT_OF(put), NULL, e);
	if (rc == 0)
		rc = db_run(db, STATEMENT_MANIFEST_CUT, cut, COUNT_OF(cut),
			    NULL, e);
	return store_end(s, rc, e);
}

int store_manifest_list(struct store *s, const char *name,
			int (*each)(void *arg, struct view value,
				    struct error *e),
			void *arg, struct error *e)
{
	/* The empty name, which no manifest has, stands for all of them. */
	const char *wanted = name ? name : "";
	const struct db_value values[] = { db_text(wanted), db_text(wanted) };
	struct db_cell cells[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc;

	rc = store_rows(s, STATEMENT_MANIFEST_LIST, values, COUNT_OF(values),
			&rows, e);
	while (rc == 0 && db_rows_next(&rows, cells))
		rc = each(arg, view_of(cells[0].text, cells[0].len), e);
	db_rows_free(&rows);
	return rc;
}

int store_manifest_prune(struct store *s, const char *name, struct view keep,
			 struct error *e)
{
	const struct db_value values[] = { db_text(name), db_blob(keep) };

	return store_run(s, STATEMENT_MANIFEST_PRUNE, values, COUNT_OF(values),
			 NULL, e);
}
