/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/audit_rows.h"

#include <string.h>

#include "store/store_private.h"

static bool take_hash(const struct db_cell *c, uint8_t out[SHA256_SIZE])
{
	memset(out, 0, SHA256_SIZE);
	if (c->len != SHA256_SIZE)
		return false;
	memcpy(out, c->text, SHA256_SIZE);
	return true;
}

/* Without a row nothing was ever written. */
static int read_chain(struct db *db, struct audit_chain *out, struct error *e)
{
	struct db_cell c[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc;

	memset(out, 0, sizeof(*out));
	out->first = 1;
	db_rows_init(&rows);
	rc = db_run(db, STATEMENT_AUDIT_CHAIN_GET, NULL, 0, &rows, e);
	if (rc == 0 && db_rows_next(&rows, c)) {
		out->first = (uint64_t)c[0].number;
		out->last = (uint64_t)c[2].number;
		out->damaged = !take_hash(&c[1], out->anchor);
		out->damaged |= !take_hash(&c[3], out->last_hash);
		out->damaged |= c[0].number < 1 || c[2].number < 1;
	}
	db_rows_free(&rows);
	return rc;
}

static int write_chain(struct db *db, const struct audit_chain *c,
		       struct error *e)
{
	const struct db_value values[] = {
		db_integer((int64_t)c->first),
		db_blob(view_of(c->anchor, sizeof(c->anchor))),
		db_integer((int64_t)c->last),
		db_blob(view_of(c->last_hash, sizeof(c->last_hash))),
	};

	return db_run(db, STATEMENT_AUDIT_CHAIN_PUT, values, COUNT_OF(values),
		      NULL, e);
}

static int add_record(struct db *db, const struct audit_row *r, struct error *e)
{
	const struct db_value values[] = {
		db_integer((int64_t)r->number),
		db_integer(r->at),
		db_text(r->module),
		db_text(r->severity),
		db_text(r->user_name),
		db_text(r->peer),
		db_text(r->event),
		db_text(r->detail),
		db_blob(view_of(r->hash, sizeof(r->hash))),
	};

	if (db_run(db, STATEMENT_AUDIT_ADD, values, COUNT_OF(values), NULL,
		   e) == 0)
		return 0;
	if (e->kind == ERR_EXISTS)
		error_set(e, ERR_CONFLICT,
			  "the audit trail is damaged: record %llu is there "
			  "already",
			  (unsigned long long)r->number);
	return -1;
}

/* The anchor is the hash of the newest record that goes. Where that record is
 * missing, the trail is damaged and stays so: nothing is cut. */
static int cut_front(struct db *db, struct audit_chain *chain, uint64_t keep,
		     struct error *e)
{
	const struct db_value newest[] = { db_integer(
	    (int64_t)(chain->last - keep)) };
	struct db_cell c[DB_COLUMNS_MAX];
	struct db_rows rows;
	bool found;
	int rc;

	if (chain->last < keep || chain->last - keep < chain->first)
		return 0;
	db_rows_init(&rows);
	rc = db_run(db, STATEMENT_AUDIT_HASH, newest, COUNT_OF(newest), &rows,
		    e);
	found = rc == 0 && db_rows_next(&rows, c) &&
		take_hash(&c[0], chain->anchor);
	db_rows_free(&rows);
	if (!found)
		return rc;
	chain->first = chain->last - keep + 1;
	return db_run(db, STATEMENT_AUDIT_CUT, newest, COUNT_OF(newest), NULL,
		      e);
}

int store_audit_append(struct store *s, struct audit_row *row,
		       audit_seal_fn *seal, uint64_t keep, struct error *e)
{
	struct db *db = store_begin(s, e);
	struct audit_chain chain;
	int rc;

	if (!db)
		return -1;
	rc = read_chain(db, &chain, e);
	if (rc == 0 && chain.damaged)
		rc = error_set(e, ERR_CONFLICT,
			       "the end of the audit trail is damaged");
	if (rc == 0) {
		row->number = chain.last + 1;
		seal(row, chain.last_hash);
		rc = add_record(db, row, e);
	}
	if (rc == 0) {
		chain.last = row->number;
		memcpy(chain.last_hash, row->hash, sizeof(row->hash));
		rc = cut_front(db, &chain, keep, e);
	}
	if (rc == 0)
		rc = write_chain(db, &chain, e);
	return store_end(s, rc, e);
}

static struct audit_row row_of(const struct db_cell c[DB_COLUMNS_MAX])
{
	struct audit_row r = {
		.number = (uint64_t)c[0].number,
		.at = c[1].number,
		.module = c[2].text,
		.severity = c[3].text,
		.user_name = c[4].text,
		.peer = c[5].text,
		.event = c[6].text,
		.detail = c[7].text,
	};

	/* Bytes hidden behind a NUL would be in no hash. */
	for (int i = 2; i <= 7; i++)
		if (strlen(c[i].text) != c[i].len)
			r.damaged = true;
	if (!take_hash(&c[8], r.hash))
		r.damaged = true;
	return r;
}

int store_audit_page(struct store *s, uint64_t from, size_t count,
		     struct audit_chain *chain_out,
		     int (*each)(void *arg, const struct audit_row *row,
				 struct error *e),
		     void *arg, struct error *e)
{
	const struct db_value values[] = {
		db_integer(from > INT64_MAX ? INT64_MAX : (int64_t)from),
		db_integer(count > INT32_MAX ? INT32_MAX : (int64_t)count)
	};
	struct db *db = store_begin(s, e);
	struct db_cell cells[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc;

	if (!db)
		return -1;
	db_rows_init(&rows);
	rc = read_chain(db, chain_out, e);
	if (rc == 0)
		rc = db_run(db, STATEMENT_AUDIT_PAGE, values, COUNT_OF(values),
			    &rows, e);
	rc = store_end(s, rc, e);
	while (rc == 0 && db_rows_next(&rows, cells)) {
		struct audit_row row = row_of(cells);

		rc = each(arg, &row, e);
	}
	db_rows_free(&rows);
	return rc;
}
