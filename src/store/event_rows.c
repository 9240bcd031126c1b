/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/event_rows.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "store/store_private.h"

#define DATABASE_FILE "events.db"

struct event_store {
	pthread_mutex_t lock;
	struct db *db;
	unsigned since_cut; /* rows added */
};

/* --- open ----------------------------------------------------------------- */

static int make_path(const char *directory, char out[PATH_MAX], struct error *e)
{
	if (snprintf(out, PATH_MAX, "%s/" DATABASE_FILE, directory) < PATH_MAX)
		return 0;
	return error_set(e, ERR_CONFIG, "state directory: path too long");
}

/* The database and its companions. */
static void remove_files(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char name[PATH_MAX + 16];

	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
}

bool event_store_is_damaged(const struct error *e)
{
	return db_is_damaged(e);
}

void event_store_discard(const char *directory)
{
	struct error e = ERROR_INIT;
	char path[PATH_MAX];

	if (make_path(directory, path, &e) == 0)
		remove_files(path);
}

static struct db *open_or_replace(const char *path, struct error *replaced,
				  struct error *e)
{
	struct db *db = db_open(path, DB_EVENTS, e);

	if (db || !db_is_damaged(e))
		return db;
	*replaced = *e;
	error_clear(e);
	remove_files(path);
	return db_open(path, DB_EVENTS, e);
}

struct event_store *event_store_open(const char *directory,
				     struct error *replaced, struct error *e)
{
	char path[PATH_MAX];
	struct event_store *s;

	error_clear(replaced);
	if (make_path(directory, path, e) < 0)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s) {
		error_nomem(e);
		return NULL;
	}
	pthread_mutex_init(&s->lock, NULL);
	s->db = open_or_replace(path, replaced, e);
	if (!s->db) {
		event_store_close(s);
		return NULL;
	}
	return s;
}

void event_store_close(struct event_store *s)
{
	if (!s)
		return;
	db_close(s->db);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* --- write ---------------------------------------------------------------- */

static int add_row(struct db *db, const struct event_row *row, struct error *e)
{
	char group[EVENT_GROUP_MAX + 1], text[EVENT_TEXT_MAX + 1];

	utf8_line(view_str(row->group), group, sizeof(group));
	utf8_line(view_str(row->text), text, sizeof(text));
	const struct db_value values[] = {
		db_integer(row->at_ms),
		db_integer(row->level),
		db_integer(row->level >= LOG_LEVEL_TRACE),
		db_text(group),
		db_text(text),
	};

	return db_run(db, STATEMENT_EVENT_ADD, values, COUNT_OF(values), NULL,
		      e);
}

static int cut(struct db *db, struct error *e)
{
	for (int trace = 0; trace <= 1; trace++) {
		const struct db_value values[] = {
			db_integer(trace),
			db_integer(trace),
			db_integer(EVENTS_KEPT / 2),
		};

		if (db_run(db, STATEMENT_EVENT_CUT, values, COUNT_OF(values),
			   NULL, e) < 0)
			return -1;
	}
	return 0;
}

static int add_rows(struct event_store *s, const struct event_row *rows,
		    size_t count, struct error *e)
{
	for (size_t i = 0; i < count; i++) {
		if (add_row(s->db, &rows[i], e) < 0)
			return -1;
		if (++s->since_cut < EVENTS_CUT_EVERY)
			continue;
		s->since_cut = 0;
		if (cut(s->db, e) < 0)
			return -1;
	}
	return 0;
}

int event_store_add(struct event_store *s, const struct event_row *rows,
		    size_t count, struct error *e)
{
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = db_begin(s->db, e);
	if (rc == 0)
		rc = add_rows(s, rows, count, e);
	if (rc == 0)
		rc = db_commit(s->db, e);
	if (rc < 0)
		db_rollback(s->db);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

int event_store_clear(struct event_store *s, uint64_t *deleted_out,
		      struct error *e)
{
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = db_run(s->db, STATEMENT_EVENT_CLEAR, NULL, 0, NULL, e);
	if (rc == 0)
		*deleted_out = (uint64_t)db_changes(s->db);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* --- read ----------------------------------------------------------------- */

/* Its rows, copied, so that callbacks run without the lock. */
static int read_rows(struct event_store *s, enum statement id,
		     const struct db_value *values, size_t count,
		     struct db_rows *rows, struct error *e)
{
	int rc;

	db_rows_init(rows);
	pthread_mutex_lock(&s->lock);
	rc = db_run(s->db, id, values, count, rows, e);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

int event_store_range(struct event_store *s, struct event_range *out,
		      struct error *e)
{
	struct db_cell c[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc = read_rows(s, STATEMENT_EVENT_RANGE, NULL, 0, &rows, e);

	memset(out, 0, sizeof(*out));
	if (rc == 0 && db_rows_next(&rows, c)) {
		out->first = (uint64_t)c[0].number;
		out->last = (uint64_t)c[1].number;
		out->count = (uint64_t)c[2].number;
	}
	if (out->count == 0)
		out->first = out->last + 1;
	db_rows_free(&rows);
	return rc;
}

/* A file that somebody has written in shows what it can show. */
static enum log_level level_of(int64_t n)
{
	return n >= 0 && n < LOG_LEVEL_COUNT ? (enum log_level)n
					     : LOG_LEVEL_ERROR;
}

int event_store_page(struct event_store *s, uint64_t from, bool downward,
		     size_t count,
		     int (*each)(void *arg, const struct event_row *row,
				 struct error *e),
		     void *arg, struct error *e)
{
	const struct db_value values[] = {
		db_integer(from > INT64_MAX ? INT64_MAX : (int64_t)from),
		db_integer(count > EVENTS_KEPT ? EVENTS_KEPT : (int64_t)count),
	};
	struct db_cell c[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc =
	    read_rows(s, downward ? STATEMENT_EVENT_DOWN : STATEMENT_EVENT_UP,
		      values, COUNT_OF(values), &rows, e);

	while (rc == 0 && db_rows_next(&rows, c)) {
		const struct event_row row = {
			.number = (uint64_t)c[0].number,
			.at_ms = c[1].number,
			.level = level_of(c[2].number),
			.group = c[3].text,
			.text = c[4].text,
		};

		rc = each(arg, &row, e);
	}
	db_rows_free(&rows);
	return rc;
}

int event_store_groups(struct event_store *s,
		       int (*each)(void *arg, const char *group,
				   struct error *e),
		       void *arg, struct error *e)
{
	const struct db_value values[] = { db_integer(EVENT_GROUPS_MAX) };
	struct db_cell c[DB_COLUMNS_MAX];
	struct db_rows rows;
	int rc = read_rows(s, STATEMENT_EVENT_GROUPS, values, COUNT_OF(values),
			   &rows, e);

	while (rc == 0 && db_rows_next(&rows, c))
		rc = each(arg, c[0].text, e);
	db_rows_free(&rows);
	return rc;
}
