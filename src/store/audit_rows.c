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
int audit_chain_read(struct db *db, struct audit_chain *out, struct error *e)
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
		db_integer(r->format),
		db_text(r->module),
		db_text(r->severity),
		db_text(r->user_name),
		db_text(r->peer),
		db_text(r->via),
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

/* Records up to that number go, and its hash becomes the anchor. Where it
 * has none, the trail is damaged and stays so: nothing is cut. */
static int cut_front(struct db *db, struct audit_chain *chain, uint64_t newest,
		     bool *cut, struct error *e)
{
	const struct db_value number[] = { db_integer((int64_t)newest) };
	struct db_cell c[DB_COLUMNS_MAX];
	uint8_t hash[SHA256_SIZE];
	struct db_rows rows;
	int rc;

	db_rows_init(&rows);
	rc = db_run(db, STATEMENT_AUDIT_HASH, number, COUNT_OF(number), &rows,
		    e);
	*cut = rc == 0 && db_rows_next(&rows, c) && take_hash(&c[0], hash);
	db_rows_free(&rows);
	if (!*cut)
		return rc;
	memcpy(chain->anchor, hash, sizeof(hash));
	chain->first = newest + 1;
	return db_run(db, STATEMENT_AUDIT_CUT, number, COUNT_OF(number), NULL,
		      e);
}

static int keep_newest(struct db *db, struct audit_chain *chain, uint64_t keep,
		       struct error *e)
{
	bool cut;

	if (chain->last < keep || chain->last - keep < chain->first)
		return 0;
	return cut_front(db, chain, chain->last - keep, &cut, e);
}

static int add_next(struct db *db, struct audit_chain *chain,
		    struct audit_row *row, audit_seal_fn *seal, struct error *e)
{
	row->number = chain->last + 1;
	seal(row, chain->last_hash);
	if (add_record(db, row, e) < 0)
		return -1;
	chain->last = row->number;
	memcpy(chain->last_hash, row->hash, sizeof(row->hash));
	return 0;
}

/* The chain, if something can follow. */
static int read_sound_chain(struct db *db, struct audit_chain *out,
			    struct error *e)
{
	if (audit_chain_read(db, out, e) < 0)
		return -1;
	return out->damaged ? error_set(e, ERR_CONFLICT,
					"the end of the audit trail is damaged")
			    : 0;
}

int store_audit_append(struct store *s, struct audit_row *const rows[],
		       size_t count, audit_seal_fn *seal, uint64_t keep,
		       struct error *e)
{
	struct db *db = store_begin(s, e);
	struct audit_chain chain;
	int rc;

	if (!db)
		return -1;
	rc = read_sound_chain(db, &chain, e);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = add_next(db, &chain, rows[i], seal, e);
	if (rc == 0)
		rc = keep_newest(db, &chain, keep, e);
	if (rc == 0)
		rc = write_chain(db, &chain, e);
	return store_end(s, rc, e);
}

static int delete_before(struct db *db, struct audit_chain *chain,
			 uint64_t number, uint64_t *deleted, struct error *e)
{
	bool cut;

	if (number > chain->last + 1)
		number = chain->last + 1;
	if (number <= chain->first)
		return 0;
	if (cut_front(db, chain, number - 1, &cut, e) < 0)
		return -1;
	if (!cut)
		return error_set(e, ERR_CONFLICT,
				 "the audit trail is damaged: record %llu is "
				 "missing, so the rest would have no beginning",
				 (unsigned long long)(number - 1));
	*deleted = (uint64_t)db_changes(db);
	return write_chain(db, chain, e);
}

int store_audit_delete_before(struct store *s, uint64_t number,
			      uint64_t *deleted, struct error *e)
{
	struct db *db = store_begin(s, e);
	struct audit_chain chain;
	int rc;

	*deleted = 0;
	if (!db)
		return -1;
	rc = read_sound_chain(db, &chain, e);
	if (rc == 0)
		rc = delete_before(db, &chain, number, deleted, e);
	return store_end(s, rc, e);
}

static struct audit_row row_of(const struct db_cell c[DB_COLUMNS_MAX])
{
	struct audit_row r = {
		.number = (uint64_t)c[0].number,
		.at = c[1].number,
		.format = c[2].number,
		.module = c[3].text,
		.severity = c[4].text,
		.user_name = c[5].text,
		.peer = c[6].text,
		.via = c[7].text,
		.event = c[8].text,
		.detail = c[9].text,
	};

	/* Bytes hidden behind a NUL would be in no hash. */
	for (int i = 3; i <= 9; i++)
		if (strlen(c[i].text) != c[i].len)
			r.damaged = true;
	if (!take_hash(&c[10], r.hash))
		r.damaged = true;
	return r;
}

int store_audit_page(struct store *s, const struct audit_page *page,
		     struct audit_chain *chain_out,
		     int (*each)(void *arg, const struct audit_row *row,
				 struct error *e),
		     void *arg, struct error *e)
{
	const struct db_value values[] = {
		db_integer(page->from),
		db_integer(page->to),
		db_integer(page->since),
		db_integer(page->until),
		db_integer(page->count > INT32_MAX ? INT32_MAX
						   : (int64_t)page->count),
	};
	struct db *db = store_begin(s, e);
	struct db_cell cells[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc;

	if (!db)
		return -1;
	db_rows_init(&rows);
	rc = audit_chain_read(db, chain_out, e);
	if (rc == 0)
		rc = db_run(db,
			    page->newest_first ? STATEMENT_AUDIT_PAGE_DOWN
					       : STATEMENT_AUDIT_PAGE_UP,
			    values, COUNT_OF(values), &rows, e);
	rc = store_end(s, rc, e);
	while (rc == 0 && db_rows_next(&rows, cells)) {
		struct audit_row row = row_of(cells);

		rc = each(arg, &row, e);
	}
	db_rows_free(&rows);
	return rc;
}

int store_audit_narrow(struct store *s, struct audit_page *page,
		       struct error *e)
{
	const struct db_value values[] = { db_integer(page->since),
					   db_integer(page->until) };
	struct db_cell c[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc;

	rc = store_rows(s, STATEMENT_AUDIT_TIME_RANGE, values, COUNT_OF(values),
			&rows, e);
	if (rc == 0 && db_rows_next(&rows, c)) {
		if (page->from < c[0].number)
			page->from = c[0].number;
		if (page->to > c[1].number)
			page->to = c[1].number;
	}
	db_rows_free(&rows);
	return rc;
}
