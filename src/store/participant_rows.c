/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/participant_rows.h"

#include <string.h>

#include "store/store_private.h"

int store_participant_add(struct store *s, struct participant_row *r,
			  struct error *e)
{
	const struct db_value values[] = {
		db_text(r->conference),
		db_text(r->name),
		db_text(r->address),
		db_integer(r->use_registrar),
		db_integer(r->transport),
		db_integer(r->defer),
		db_integer(r->display_override),
		db_text(r->display_name),
	};
	struct db_cell c[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc = store_rows(s, STATEMENT_PARTICIPANT_ADD, values,
			    COUNT_OF(values), &rows, e);

	if (rc == 0 && db_rows_next(&rows, c))
		r->key = c[0].number;
	db_rows_free(&rows);
	return rc;
}

int store_participant_delete(struct store *s, int64_t key, struct error *e)
{
	const struct db_value values[] = { db_integer(key) };

	return store_run(s, STATEMENT_PARTICIPANT_DELETE, values,
			 COUNT_OF(values), NULL, e);
}

static int row_of(const struct db_cell *c, struct participant_row *r,
		  struct error *e)
{
	memset(r, 0, sizeof(*r));
	r->key = c[0].number;
	r->use_registrar = c[4].number != 0;
	r->transport = (int)c[5].number;
	r->defer = c[6].number != 0;
	r->display_override = c[7].number != 0;
	if (db_cell_copy(r->conference, sizeof(r->conference), &c[1], e) < 0 ||
	    db_cell_copy(r->name, sizeof(r->name), &c[2], e) < 0 ||
	    db_cell_copy(r->address, sizeof(r->address), &c[3], e) < 0)
		return -1;
	return db_cell_copy(r->display_name, sizeof(r->display_name), &c[8], e);
}

int store_participant_each(struct store *s,
			   int (*each)(void *arg,
				       const struct participant_row *r,
				       struct error *e),
			   void *arg, struct error *e)
{
	struct db_cell cells[DB_COLUMNS_MAX];
	struct db_rows rows;
	struct participant_row row;
	int rc = store_rows(s, STATEMENT_PARTICIPANT_LIST, NULL, 0, &rows, e);

	while (rc == 0 && db_rows_next(&rows, cells)) {
		rc = row_of(cells, &row, e);
		if (rc == 0)
			rc = each(arg, &row, e);
	}
	db_rows_free(&rows);
	return rc;
}

/* --- revisions ------------------------------------------------------------ */

static int take_revisions(struct db *db, int32_t count, int32_t *first_out,
			  struct error *e)
{
	struct db_value values[1];
	struct db_cell c[DB_COLUMNS_MAX];
	struct db_rows rows;
	int64_t next = 1;
	int rc;

	db_rows_init(&rows);
	rc = db_run(db, STATEMENT_REVISION_GET, NULL, 0, &rows, e);
	if (rc == 0 && db_rows_next(&rows, c))
		next = c[0].number;
	db_rows_free(&rows);
	if (rc < 0)
		return -1;
	if (next < 1 || next > INT32_MAX - count)
		next = 1;
	*first_out = (int32_t)next;
	values[0] = db_integer(next + count);
	return db_run(db, STATEMENT_REVISION_PUT, values, COUNT_OF(values),
		      NULL, e);
}

int store_revisions_take(struct store *s, int32_t count, int32_t *first_out,
			 struct error *e)
{
	struct db *db = store_begin(s, e);

	*first_out = 0;
	if (!db)
		return -1;
	return store_end(s, take_revisions(db, count, first_out, e), e);
}
