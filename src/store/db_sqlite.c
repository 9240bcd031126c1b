/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/db_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/room.h"
#include "store/db_rows.h"

/* Another process (an older service that ends, a backup) may hold the file. */
enum { BUSY_TIMEOUT_MS = 5000 };
/* The write-ahead log is cut back to this after a checkpoint. */
#define JOURNAL_LIMIT "4194304"

/* Events need not survive a power cut, and must not fill the disk: 64 MiB in
 * pages of 4 KiB (EVENTS_FILE_BYTES). */
#define EVENTS_SET_UP \
	"PRAGMA synchronous = NORMAL; PRAGMA max_page_count = 16384"

static const char *const sql[STATEMENT_COUNT] = {
#define STATEMENT(id, text) [STATEMENT_##id] = text,
#include "store/statements.def"
#undef STATEMENT
};

struct db {
	sqlite3 *sqlite;
	sqlite3_stmt *statements[STATEMENT_COUNT];
};

/* Beside SQLITE_FULL there are write errors whose cause is the same.
 * sqlite3_system_errno() knows the cause of some failures only (not of a
 * failing commit), so errno is cleared before each call into SQLite and looked
 * at too. */
static bool disk_full(sqlite3 *db, int code, int saved_errno)
{
	const int causes[] = { sqlite3_system_errno(db), saved_errno };

	if ((code & 0xff) == SQLITE_FULL)
		return true;
	if ((code & 0xff) != SQLITE_IOERR)
		return false;
	for (int i = 0; i < 2; i++)
		if (causes[i] == ENOSPC || causes[i] == EDQUOT ||
		    causes[i] == EFBIG)
			return true;
	return false;
}

int sqlite_error(sqlite3 *db, int code, const char *what, struct error *e)
{
	int saved_errno = errno;
	const char *text = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);

	if (db && disk_full(db, code, saved_errno))
		return room_error(sqlite3_db_filename(db, "main"), code, e);
	switch (code & 0xff) {
	case SQLITE_NOMEM: return error_nomem(e);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return error_set_native(e, ERR_IO, code,
					"the database is damaged: %s: %s", what,
					text);
	case SQLITE_CONSTRAINT:
		if (code == SQLITE_CONSTRAINT_UNIQUE ||
		    code == SQLITE_CONSTRAINT_PRIMARYKEY)
			return error_set_native(e, ERR_EXISTS, code, "%s: %s",
						what, text);
		break;
	}
	return error_set_native(e, ERR_IO, code, "%s: %s", what, text);
}

/* What SQLite calls a plain error is a table that is not there or is another
 * one than ours. */
bool db_is_damaged(const struct error *e)
{
	int code = (int)e->native & 0xff;

	if (e->kind == ERR_CONFIG)
		return true;
	return e->kind == ERR_IO &&
	       (code == SQLITE_CORRUPT || code == SQLITE_NOTADB ||
		code == SQLITE_ERROR);
}

int sqlite_exec(sqlite3 *db, const char *text, struct error *e)
{
	int code;

	errno = 0;
	code = sqlite3_exec(db, text, NULL, NULL, NULL);
	return code == SQLITE_OK ? 0 : sqlite_error(db, code, "database", e);
}

static int sync_directory(const char *path, struct error *e)
{
	char *copy = strdup(path);
	int fd, rc = 0;

	if (!copy)
		return error_nomem(e);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		rc = error_errno(e, "directory of %s", path);
	if (fd >= 0)
		close(fd);
	free(copy);
	return rc;
}

/* The file exists with mode 0600 before SQLite sees it: its companions (-wal,
 * -shm) take their mode from it. A file that is there is never opened here,
 * since closing a descriptor would drop the locks of another connection of this
 * process (fcntl(2)). */
static int prepare_file(const char *path, struct error *e)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0) {
		close(fd);
		return sync_directory(path, e);
	}
	if (errno != EEXIST)
		return error_errno(e, "%s", path);
	if (lstat(path, &st) < 0)
		return error_errno(e, "%s", path);
	if (!S_ISREG(st.st_mode))
		return error_set(e, ERR_IO, "%s: not a regular file", path);
	if ((st.st_mode & 07777) != 0600 && chmod(path, 0600) < 0)
		return error_errno(e, "%s: chmod 0600", path);
	return 0;
}

/* WAL: readers and one writer without waiting for each other; FULL: what is
 * committed survives a power cut. A hostile file gets no extra powers. */
static int set_up(sqlite3 *db, struct error *e)
{
	sqlite3_stmt *mode = NULL;
	int code, rc;

	sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
	/* Takes effect on a file without tables only: unused pages can be given
	 * back bit by bit. */
	if (sqlite_exec(db, "PRAGMA auto_vacuum = INCREMENTAL", e) < 0)
		return -1;
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	code = sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &mode,
				  NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(mode);
	if (code != SQLITE_ROW)
		rc = sqlite_error(db, code, "database", e);
	else if (strcmp((const char *)sqlite3_column_text(mode, 0), "wal") != 0)
		rc = error_set(e, ERR_IO,
			       "the file system cannot keep a "
			       "write-ahead log");
	else
		rc = 0;
	sqlite3_finalize(mode);
	if (rc < 0)
		return -1;
	return sqlite_exec(db,
			   "PRAGMA synchronous = FULL;"
			   "PRAGMA foreign_keys = ON;"
			   /* What is replaced is overwritten: passwords. */
			   "PRAGMA secure_delete = FAST;"
			   "PRAGMA cell_size_check = ON;"
			   "PRAGMA journal_size_limit = " JOURNAL_LIMIT,
			   e);
}

static int pragma_number(sqlite3 *db, const char *pragma, int64_t *out,
			 struct error *e)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(db, pragma, -1, &st, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	if (code == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return code == SQLITE_ROW ? 0 : sqlite_error(db, code, pragma, e);
}

/* A file of an earlier build never shrinks: written anew, once, it can. It does
 * without where there is little room, or somebody else has it open. */
static void let_shrink(sqlite3 *db)
{
	enum { INCREMENTAL = 2, COPIES = 3 };
	const char *path = sqlite3_db_filename(db, "main");
	struct error e = ERROR_INIT;
	int64_t mode = INCREMENTAL, pages = 0, page_size = 0;
	uint64_t left;

	if (pragma_number(db, "PRAGMA auto_vacuum", &mode, &e) < 0 ||
	    mode == INCREMENTAL ||
	    pragma_number(db, "PRAGMA page_count", &pages, &e) < 0 ||
	    pragma_number(db, "PRAGMA page_size", &page_size, &e) < 0 ||
	    room_left(path, &left, &e) < 0 ||
	    left / COPIES < (uint64_t)(pages * page_size))
		return;
	/* What it holds is nothing for other places. */
	(void)!sqlite_exec(db,
			   "PRAGMA temp_store = MEMORY;"
			   "PRAGMA auto_vacuum = INCREMENTAL;"
			   "VACUUM;"
			   "PRAGMA wal_checkpoint(TRUNCATE)",
			   &e);
}

struct db *db_open(const char *path, enum db_kind kind, struct error *e)
{
	struct db *db = calloc(1, sizeof(*db));
	int code;

	if (!db) {
		error_nomem(e);
		return NULL;
	}
	if (prepare_file(path, e) < 0)
		goto fail;
	code = sqlite3_open_v2(path, &db->sqlite,
			       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
				   SQLITE_OPEN_EXRESCODE,
			       NULL);
	if (code != SQLITE_OK) {
		sqlite_error(db->sqlite, code, "open", e);
		error_prefix(e, "%s", path);
		goto fail;
	}
	if (set_up(db->sqlite, e) < 0 ||
	    (kind == DB_EVENTS &&
	     sqlite_exec(db->sqlite, EVENTS_SET_UP, e) < 0) ||
	    schema_upgrade(db->sqlite, kind, e) < 0) {
		error_prefix(e, "%s", path);
		goto fail;
	}
	let_shrink(db->sqlite);
	return db;
fail:
	db_close(db);
	return NULL;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(db->statements[i]);
	sqlite3_close(db->sqlite);
	free(db);
}

static int bind(sqlite3_stmt *st, int at, const struct db_value *v)
{
	/* A zero-length view may have no pointer, which would bind NULL. */
	const char *p = v->bytes.len ? (const char *)v->bytes.ptr : "";

	switch (v->type) {
	case DB_INTEGER: return sqlite3_bind_int64(st, at, v->number);
	case DB_TEXT:
		return sqlite3_bind_text64(st, at, p, v->bytes.len,
					   SQLITE_STATIC, SQLITE_UTF8);
	case DB_BLOB:
		return sqlite3_bind_blob64(st, at, p, v->bytes.len,
					   SQLITE_STATIC);
	}
	return SQLITE_MISUSE;
}

static int take_row(sqlite3_stmt *st, struct db_rows *rows, struct error *e)
{
	int columns = sqlite3_column_count(st);

	if (!rows)
		return 0;
	if (columns > DB_COLUMNS_MAX)
		return error_set(e, ERR_INTERNAL, "%d columns", columns);
	rows->columns = (size_t)columns;
	for (int i = 0; i < columns; i++) {
		bool integer = sqlite3_column_type(st, i) == SQLITE_INTEGER;
		const void *p = integer ? NULL : sqlite3_column_blob(st, i);
		int len = integer ? 0 : sqlite3_column_bytes(st, i);

		if (db_rows_add_cell(rows,
				     integer ? sqlite3_column_int64(st, i) : 0,
				     view_of(p, (size_t)len), e) < 0)
			return -1;
	}
	rows->count++;
	return 0;
}

/* NULL when it cannot be. */
static sqlite3_stmt *prepared(struct db *db, enum statement id, struct error *e)
{
	int code = SQLITE_OK;

	if (!db->statements[id])
		code = sqlite3_prepare_v3(db->sqlite, sql[id], -1,
					  SQLITE_PREPARE_PERSISTENT,
					  &db->statements[id], NULL);
	if (code != SQLITE_OK)
		sqlite_error(db->sqlite, code, "database", e);
	return db->statements[id];
}

int db_run(struct db *db, enum statement id, const struct db_value *values,
	   size_t count, struct db_rows *rows, struct error *e)
{
	sqlite3_stmt *st = prepared(db, id, e);
	int code = SQLITE_OK, rc = 0;

	if (!st)
		return -1;
	for (size_t i = 0; i < count && code == SQLITE_OK; i++)
		code = bind(st, (int)i + 1, &values[i]);
	while (code == SQLITE_OK || code == SQLITE_ROW) {
		errno = 0;
		code = sqlite3_step(st);
		if (code == SQLITE_ROW && (rc = take_row(st, rows, e)) < 0)
			break;
	}
	if (rc == 0 && code != SQLITE_DONE)
		rc = sqlite_error(db->sqlite, code, "database", e);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return rc;
}

int64_t db_changes(struct db *db)
{
	return sqlite3_changes64(db->sqlite);
}

int db_begin(struct db *db, struct error *e)
{
	return sqlite_exec(db->sqlite, "BEGIN IMMEDIATE", e);
}

int db_commit(struct db *db, struct error *e)
{
	return sqlite_exec(db->sqlite, "COMMIT", e);
}

int db_fold_log(struct db *db, struct error *e)
{
	int code;

	errno = 0;
	code = sqlite3_wal_checkpoint_v2(
	    db->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	return code == SQLITE_OK
		   ? 0
		   : sqlite_error(db->sqlite, code, "write-ahead log", e);
}

int db_give_back(struct db *db, int pages, int64_t *left_out, struct error *e)
{
	char vacuum[64];

	snprintf(vacuum, sizeof(vacuum), "PRAGMA incremental_vacuum(%d)",
		 pages);
	if (sqlite_exec(db->sqlite, vacuum, e) < 0)
		return -1;
	return pragma_number(db->sqlite, "PRAGMA freelist_count", left_out, e);
}

void db_rollback(struct db *db)
{
	/* Some failures (a full disk) have rolled back already. */
	if (!sqlite3_get_autocommit(db->sqlite))
		sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
}
