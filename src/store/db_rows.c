/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "store/db_rows.h"

void db_rows_init(struct db_rows *r)
{
	memset(r, 0, sizeof(*r));
	buf_init(&r->cells, DB_ROWS_BYTES_MAX);
}

void db_rows_free(struct db_rows *r)
{
	buf_free(&r->cells);
	r->columns = r->count = r->at = 0;
}

int db_rows_add_cell(struct db_rows *r, int64_t number, struct view text,
		     struct error *e)
{
	struct db_cell head = { .number = number, .len = text.len };

	if (buf_add(&r->cells, &head, sizeof(head), e) < 0 ||
	    buf_add(&r->cells, text.ptr, text.len, e) < 0 ||
	    buf_add(&r->cells, "", 1, e) < 0)
		return error_prefix(e, "rows of the database");
	return 0;
}

bool db_rows_next(struct db_rows *r, struct db_cell cells[DB_COLUMNS_MAX])
{
	if (r->count == 0)
		return false;
	r->count--;
	for (size_t i = 0; i < r->columns; i++) {
		const uint8_t *p = r->cells.ptr + r->at;

		/* Cells follow each other unaligned. */
		memcpy(&cells[i], p, sizeof(cells[i]));
		cells[i].text = (const char *)p + sizeof(cells[i]);
		r->at += sizeof(cells[i]) + cells[i].len + 1;
	}
	return true;
}

int db_cell_copy(char *out, size_t size, const struct db_cell *c,
		 struct error *e)
{
	if (c->len >= size || strlen(c->text) != c->len)
		return error_set(e, ERR_IO,
				 "the database is damaged: a text of %zu bytes",
				 c->len);
	memcpy(out, c->text, c->len + 1);
	return 0;
}
