/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/audit_head_rows.h"

#include <string.h>

#include "store/store_private.h"

static struct audit_head_row row_of(const struct db_cell c[DB_COLUMNS_MAX])
{
	struct audit_head_row r = {
		.counter = (uint64_t)c[0].number,
		.record = (uint64_t)c[1].number,
	};

	if (c[2].len <= sizeof(r.bytes)) {
		r.len = c[2].len;
		memcpy(r.bytes, c[2].text, r.len);
	}
	return r;
}

/* --- adding */

static int cut(struct db *db, uint64_t newest, uint64_t keep, struct error *e)
{
	uint64_t oldest = newest > keep ? newest - keep : 0;
	struct audit_chain chain;

	if (audit_chain_read(db, &chain, e) < 0)
		return -1;
	const struct db_value values[] = {
		db_integer((int64_t)newest),
		db_integer((int64_t)oldest),
		db_integer((int64_t)chain.first - 1),
	};

	return db_run(db, STATEMENT_AUDIT_HEAD_CUT, values, COUNT_OF(values),
		      NULL, e);
}

int store_audit_head_add(struct store *s, const struct audit_head_row *row,
			 uint64_t keep, struct error *e)
{
	const struct db_value values[] = {
		db_integer((int64_t)row->counter),
		db_integer((int64_t)row->record),
		db_blob(view_of(row->bytes, row->len)),
	};
	struct db *db;
	int rc;

	if (row->len > sizeof(row->bytes))
		return error_set(e, ERR_LIMIT, "a head of more than %d bytes",
				 (int)STORE_AUDIT_HEAD_MAX);
	db = store_begin(s, e);
	if (!db)
		return -1;
	rc = db_run(db, STATEMENT_AUDIT_HEAD_ADD, values, COUNT_OF(values),
		    NULL, e);
	if (rc == 0)
		rc = cut(db, row->counter, keep, e);
	return store_end(s, rc, e);
}

/* --- reading */

int store_audit_head_newest(struct store *s, struct audit_head_row *out,
			    struct error *e)
{
	struct db_cell c[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = store_rows(s, STATEMENT_AUDIT_HEAD_NEWEST, NULL, 0, &rows, e);
	if (rc == 0 && db_rows_next(&rows, c))
		*out = row_of(c);
	db_rows_free(&rows);
	return rc;
}

static int hand_out(struct db_rows *rows,
		    int (*each)(void *arg, const struct audit_head_found *head,
				struct error *e),
		    void *arg, struct error *e)
{
	struct db_cell c[DB_COLUMNS_MAX];
	int rc = 0;

	while (rc == 0 && db_rows_next(rows, c)) {
		struct audit_head_found head = { .row = row_of(c) };

		head.has_record = c[3].len == SHA256_SIZE;
		if (head.has_record)
			memcpy(head.hash, c[3].text, SHA256_SIZE);
		rc = each(arg, &head, e);
	}
	return rc;
}

int store_audit_head_page(struct store *s, uint64_t after, size_t count,
			  struct audit_chain *chain_out,
			  int (*each)(void *arg,
				      const struct audit_head_found *head,
				      struct error *e),
			  void *arg, struct error *e)
{
	const struct db_value values[] = {
		db_integer(after > INT64_MAX ? INT64_MAX : (int64_t)after),
		db_integer(count > INT32_MAX ? INT32_MAX : (int64_t)count)
	};
	struct db *db = store_begin(s, e);
	struct db_rows rows;
	int rc;

	if (!db)
		return -1;
	db_rows_init(&rows);
	rc = audit_chain_read(db, chain_out, e);
	if (rc == 0)
		rc = db_run(db, STATEMENT_AUDIT_HEAD_PAGE, values,
			    COUNT_OF(values), &rows, e);
	rc = store_end(s, rc, e);
	if (rc == 0)
		rc = hand_out(&rows, each, arg, e);
	db_rows_free(&rows);
	return rc;
}

int store_audit_chain(struct store *s, struct audit_chain *out, struct error *e)
{
	struct db *db = store_begin(s, e);

	if (!db)
		return -1;
	return store_end(s, audit_chain_read(db, out, e), e);
}

/* --- the key */

int store_audit_key_put(struct store *s, struct view spki, struct error *e)
{
	const struct db_value values[] = { db_blob(spki) };

	if (spki.len > STORE_AUDIT_KEY_MAX)
		return error_set(e, ERR_LIMIT, "a key of more than %d bytes",
				 (int)STORE_AUDIT_KEY_MAX);
	return store_run(s, STATEMENT_AUDIT_KEY_PUT, values, COUNT_OF(values),
			 NULL, e);
}

int store_audit_key_get(struct store *s, uint8_t out[STORE_AUDIT_KEY_MAX],
			size_t *len_out, struct error *e)
{
	struct db_cell c[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc;

	*len_out = 0;
	rc = store_rows(s, STATEMENT_AUDIT_KEY_GET, NULL, 0, &rows, e);
	if (rc == 0 && db_rows_next(&rows, c) &&
	    c[0].len <= STORE_AUDIT_KEY_MAX) {
		*len_out = c[0].len;
		memcpy(out, c[0].text, c[0].len);
	}
	db_rows_free(&rows);
	return rc;
}
