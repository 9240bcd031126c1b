/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/cdr_rows.h"

#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "store/store_private.h"

/* --- write ---------------------------------------------------------------- */

/* A copy of the texts of a row as they may be stored. */
struct clean {
	char texts[9][CDR_TEXT_MAX];
	size_t count;
};

static struct db_value text_of(struct clean *c, const char *text, size_t size)
{
	char *to = c->texts[c->count++];

	utf8_line(view_of(text, strnlen(text, size)), to, size);
	return db_text(to);
}

enum { CALL_COLUMNS = 10 };

/* What the tables of records and of open calls both say of a call, in the order
 * of their columns. */
static void put_call(struct db_value to[CALL_COLUMNS], struct clean *c,
		     const struct cdr_row *r)
{
	const struct db_value values[CALL_COLUMNS] = {
		text_of(c, r->conference, sizeof(r->conference)),
		text_of(c, r->participant, sizeof(r->participant)),
		text_of(c, r->address, sizeof(r->address)),
		db_integer(r->incoming),
		text_of(c, r->transport, sizeof(r->transport)),
		text_of(c, r->encryption, sizeof(r->encryption)),
		text_of(c, r->tls_version, sizeof(r->tls_version)),
		text_of(c, r->cipher, sizeof(r->cipher)),
		text_of(c, r->peer_identity, sizeof(r->peer_identity)),
		db_integer(r->verified),
	};

	memcpy(to, values, sizeof(values));
}

static int open_call(struct db *db, const struct cdr_row *r, struct error *e)
{
	struct clean c = { .count = 0 };
	struct db_value values[2 + CALL_COLUMNS] = {
		db_integer((int64_t)r->call),
		db_integer(r->since_ms),
	};

	put_call(values + 2, &c, r);
	return db_run(db, STATEMENT_CDR_OPEN_ADD, values, COUNT_OF(values),
		      NULL, e);
}

/* What the record means for the calls that are open. */
static int follow_call(struct db *db, const struct cdr_row *r, struct error *e)
{
	const struct db_value call[] = { db_integer((int64_t)r->call) };

	if (r->call == 0)
		return 0;
	if (r->kind == CDR_JOINED)
		return open_call(db, r, e);
	return db_run(db, STATEMENT_CDR_OPEN_DELETE, call, COUNT_OF(call), NULL,
		      e);
}

static int put_alive(struct db *db, int64_t now_ms, struct error *e)
{
	const struct db_value values[] = { db_integer(now_ms) };

	return db_run(db, STATEMENT_CDR_ALIVE_PUT, values, COUNT_OF(values),
		      NULL, e);
}

static int add_row(struct db *db, const struct cdr_row *r, struct error *e)
{
	struct clean c = { .count = 0 };
	struct db_value values[2 + CALL_COLUMNS + 2] = {
		db_integer(r->at),
		db_integer(r->kind),
	};
	struct db_value *last = values + 2 + CALL_COLUMNS;

	put_call(values + 2, &c, r);
	last[0] = db_integer(r->seconds);
	last[1] = text_of(&c, r->reason, sizeof(r->reason));
	return db_run(db, STATEMENT_CDR_ADD, values, COUNT_OF(values), NULL, e);
}

/* Numbers have no gaps: they are given in transactions, and only the front is
 * ever deleted. */
static int read_range(struct db *db, struct cdr_range *out, struct error *e)
{
	struct db_cell c[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc;

	memset(out, 0, sizeof(*out));
	db_rows_init(&rows);
	rc = db_run(db, STATEMENT_CDR_RANGE, NULL, 0, &rows, e);
	if (rc == 0 && db_rows_next(&rows, c)) {
		out->first = (uint64_t)c[0].number;
		out->last = (uint64_t)c[1].number;
	}
	if (out->first == 0)
		out->first = out->last + 1;
	out->count = out->last + 1 - out->first;
	db_rows_free(&rows);
	return rc;
}

static int cut(struct db *db, struct error *e)
{
	struct cdr_range range;

	if (read_range(db, &range, e) < 0)
		return -1;
	if (range.count < CDR_KEPT + CDR_CUT_EVERY)
		return 0;
	const struct db_value values[] = {
		db_integer((int64_t)(range.last + 1 - CDR_KEPT)),
	};

	return db_run(db, STATEMENT_CDR_DELETE, values, COUNT_OF(values), NULL,
		      e);
}

static int add_rows(struct db *db, const struct cdr_row *rows, size_t count,
		    struct error *e)
{
	for (size_t i = 0; i < count; i++)
		if (add_row(db, &rows[i], e) < 0 ||
		    follow_call(db, &rows[i], e) < 0)
			return -1;
	if (put_alive(db, clock_monotonic_ms(), e) < 0)
		return -1;
	return cut(db, e);
}

int store_cdr_add(struct store *s, const struct cdr_row *rows, size_t count,
		  struct error *e)
{
	struct db *db = store_begin(s, e);

	if (!db)
		return -1;
	return store_end(s, add_rows(db, rows, count, e), e);
}

/* --- calls without an end ------------------------------------------------- */

static int end_open(struct db *db, time_t at, const char *reason,
		    uint64_t *count_out, struct error *e)
{
	const struct db_value values[] = { db_integer(at), db_integer(CDR_LEFT),
					   db_text(reason) };

	if (db_run(db, STATEMENT_CDR_OPEN_END, values, COUNT_OF(values), NULL,
		   e) < 0)
		return -1;
	*count_out = (uint64_t)db_changes(db);
	if (db_run(db, STATEMENT_CDR_OPEN_CLEAR, NULL, 0, NULL, e) < 0)
		return -1;
	return cut(db, e);
}

int store_cdr_end_open(struct store *s, time_t at, const char *reason,
		       uint64_t *count_out, struct error *e)
{
	struct db *db = store_begin(s, e);
	int rc;

	*count_out = 0;
	if (!db)
		return -1;
	rc = store_end(s, end_open(db, at, reason, count_out, e), e);
	if (rc < 0)
		*count_out = 0;
	return rc;
}

static int count_open(struct db *db, uint64_t *out, struct error *e)
{
	struct db_cell c[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc;

	*out = 0;
	db_rows_init(&rows);
	rc = db_run(db, STATEMENT_CDR_OPEN_COUNT, NULL, 0, &rows, e);
	if (rc == 0 && db_rows_next(&rows, c))
		*out = (uint64_t)c[0].number;
	db_rows_free(&rows);
	return rc;
}

int store_cdr_alive(struct store *s, int64_t now_ms, uint64_t *open_out,
		    struct error *e)
{
	struct db *db = store_begin(s, e);
	int rc;

	*open_out = 0;
	if (!db)
		return -1;
	rc = count_open(db, open_out, e);
	if (rc == 0 && *open_out > 0)
		rc = put_alive(db, now_ms, e);
	return store_end(s, rc, e);
}

int store_cdr_delete(struct store *s, uint64_t before, uint64_t *deleted_out,
		     struct error *e)
{
	const struct db_value values[] = {
		db_integer(before > INT64_MAX ? INT64_MAX : (int64_t)before),
	};
	int64_t changed = 0;
	int rc = store_run(s, STATEMENT_CDR_DELETE, values, COUNT_OF(values),
			   &changed, e);

	*deleted_out = rc == 0 ? (uint64_t)changed : 0;
	return rc;
}

/* --- read ----------------------------------------------------------------- */

int store_cdr_range(struct store *s, struct cdr_range *out, struct error *e)
{
	struct db *db = store_begin(s, e);

	memset(out, 0, sizeof(*out));
	if (!db)
		return -1;
	return store_end(s, read_range(db, out, e), e);
}

static int row_of(const struct db_cell *c, struct cdr_row *r, struct error *e)
{
	memset(r, 0, sizeof(*r));
	r->number = (uint64_t)c[0].number;
	r->at = (time_t)c[1].number;
	r->kind = c[2].number == CDR_JOINED ? CDR_JOINED : CDR_LEFT;
	r->incoming = c[6].number != 0;
	r->verified = c[12].number != 0;
	r->seconds = c[13].number;
	if (db_cell_copy(r->conference, sizeof(r->conference), &c[3], e) < 0 ||
	    db_cell_copy(r->participant, sizeof(r->participant), &c[4], e) <
		0 ||
	    db_cell_copy(r->address, sizeof(r->address), &c[5], e) < 0 ||
	    db_cell_copy(r->transport, sizeof(r->transport), &c[7], e) < 0 ||
	    db_cell_copy(r->encryption, sizeof(r->encryption), &c[8], e) < 0 ||
	    db_cell_copy(r->tls_version, sizeof(r->tls_version), &c[9], e) <
		0 ||
	    db_cell_copy(r->cipher, sizeof(r->cipher), &c[10], e) < 0 ||
	    db_cell_copy(r->peer_identity, sizeof(r->peer_identity), &c[11],
			 e) < 0)
		return -1;
	return db_cell_copy(r->reason, sizeof(r->reason), &c[14], e);
}

static struct db_value number_of(uint64_t n)
{
	return db_integer(n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

int store_cdr_each(struct store *s, const struct cdr_selection *what,
		   int (*each)(void *arg, const struct cdr_row *row,
			       struct error *e),
		   void *arg, struct error *e)
{
	const struct db_value values[] = {
		number_of(what->from),
		number_of(what->to),
		db_integer((what->kinds & 1 << CDR_JOINED) ? CDR_JOINED : -1),
		db_integer((what->kinds & 1 << CDR_LEFT) ? CDR_LEFT : -1),
		number_of(what->count),
	};
	struct db_cell cells[DB_COLUMNS_MAX];
	struct db_rows rows;
	struct cdr_row row;
	int rc = store_rows(
	    s, what->downward ? STATEMENT_CDR_DOWN : STATEMENT_CDR_UP, values,
	    COUNT_OF(values), &rows, e);

	while (rc == 0 && db_rows_next(&rows, cells)) {
		rc = row_of(cells, &row, e);
		if (rc == 0)
			rc = each(arg, &row, e);
	}
	db_rows_free(&rows);
	return rc;
}
