/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_STORE_DB_H
#define SB_STORE_DB_H

#include "base/buf.h"
#include "base/error.h"

/* What the rows functions of this folder need of a database engine, and no
 * more: run a numbered statement with values, get rows as plain memory, a
 * transaction. db_sqlite.c and schema_sqlite.c are the only files that know
 * SQLite. One connection; the caller serialises. */

enum statement {
#define STATEMENT(id, sql) STATEMENT_##id,
#include "store/statements.def"
#undef STATEMENT
	STATEMENT_COUNT
};

struct db;

/* What must last, and the events of the log: schema and care differ. */
enum db_kind { DB_RECORDS, DB_EVENTS };

/* Opens or makes the file (0600); its schema is brought up to date.
 * ERR_CONFIG: schema of a newer version. */
struct db *db_open(const char *path, enum db_kind kind,
		   struct error *e) MUST_CHECK;
/* Whether a failure is one of what stands in the file (damaged, not ours, of a
 * newer version), as opposed to the disk and its rights. */
bool db_is_damaged(const struct error *e);
void db_close(struct db *db);

enum db_type { DB_INTEGER, DB_TEXT, DB_BLOB };

/* A value for a "?" of a statement, borrowed while the call lasts. */
struct db_value {
	enum db_type type;
	int64_t number;
	struct view bytes;
};

static inline struct db_value db_integer(int64_t n)
{
	return (struct db_value){ .type = DB_INTEGER, .number = n };
}

static inline struct db_value db_blob(struct view bytes)
{
	return (struct db_value){ .type = DB_BLOB, .bytes = bytes };
}

static inline struct db_value db_text(const char *s)
{
	return (struct db_value){ .type = DB_TEXT, .bytes = view_str(s) };
}

/* Rows as copied out of the engine, so that no callback runs inside it. */
enum { DB_COLUMNS_MAX = 24, DB_ROWS_BYTES_MAX = 64 << 20 };

struct db_rows {
	struct buf cells;
	size_t columns, count, at;
};

/* number of an integer column; text (followed by a NUL) and len of others. */
struct db_cell {
	int64_t number;
	const char *text;
	size_t len;
};

void db_rows_init(struct db_rows *r);
void db_rows_free(struct db_rows *r);
/* Takes the next row; false when there is none. The texts live as long as r. */
bool db_rows_next(struct db_rows *r, struct db_cell cells[DB_COLUMNS_MAX]);
/* A text into an array of that size. ERR_IO: it does not fit or holds a NUL,
 * which nobody here has written. */
int db_cell_copy(char *out, size_t size, const struct db_cell *c,
		 struct error *e) MUST_CHECK;

/* ERR_EXISTS: a unique column has that value. Otherwise ERR_IO, ERR_FULL and
 * ERR_NOMEM. rows may be NULL where a statement gives none; rows are added to
 * it. */
int db_run(struct db *db, enum statement id, const struct db_value *values,
	   size_t count, struct db_rows *rows, struct error *e) MUST_CHECK;
/* Rows that the last statement changed. */
int64_t db_changes(struct db *db);

int db_begin(struct db *db, struct error *e) MUST_CHECK;
int db_commit(struct db *db, struct error *e) MUST_CHECK;
void db_rollback(struct db *db);

/* Outside a transaction. What waits in a log of the engine goes into its file,
 * and the log's room back to the file system. */
int db_fold_log(struct db *db, struct error *e) MUST_CHECK;
/* At most so many unused pages go back to the file system; *left_out is how
 * many there still are. */
int db_give_back(struct db *db, int pages, int64_t *left_out,
		 struct error *e) MUST_CHECK;

#endif
