/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store_private.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DATABASE_FILE "sealbridge.db"

/* Pages of 4 KiB that one transaction gives back. */
enum { SHRINK_PAGES = 64 };

struct store {
	pthread_mutex_t lock;
	char *directory;
	struct db *db;
};

struct store *store_open(const char *directory, struct error *e)
{
	char path[PATH_MAX];
	struct store *s;

	if (snprintf(path, sizeof(path), "%s/" DATABASE_FILE, directory) >=
	    (int)sizeof(path)) {
		error_set(e, ERR_CONFIG, "state directory: path too long");
		return NULL;
	}
	if (mkdir(directory, 0700) < 0 && errno != EEXIST) {
		error_errno(e, "state directory %s", directory);
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		error_nomem(e);
		return NULL;
	}
	pthread_mutex_init(&s->lock, NULL);
	s->directory = strdup(directory);
	if (s->directory)
		s->db = db_open(path, DB_RECORDS, e);
	else
		error_nomem(e);
	if (!s->db) {
		store_close(s);
		return NULL;
	}
	return s;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	db_close(s->db);
	pthread_mutex_destroy(&s->lock);
	free(s->directory);
	free(s);
}

const char *store_directory(const struct store *s)
{
	return s->directory;
}

int store_fold_log(struct store *s, struct error *e)
{
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = db_fold_log(s->db, e);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

int store_shrink(struct store *s, struct error *e)
{
	int64_t left = INT64_MAX, before;
	int rc;

	do {
		before = left;
		pthread_mutex_lock(&s->lock);
		rc = db_give_back(s->db, SHRINK_PAGES, &left, e);
		if (rc == 0)
			rc = db_fold_log(s->db, e);
		pthread_mutex_unlock(&s->lock);
	} while (rc == 0 && left > 0 && left < before);
	return rc;
}

int store_run(struct store *s, enum statement id, const struct db_value *values,
	      size_t count, int64_t *changed, struct error *e)
{
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = db_run(s->db, id, values, count, NULL, e);
	if (rc == 0 && changed)
		*changed = db_changes(s->db);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

int store_rows(struct store *s, enum statement id,
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

int store_secret_rows(struct store *s, enum statement id, struct db_rows *rows,
		      struct error *e)
{
	int rc;

	db_rows_init(rows);
	rows->cells.secret = true;
	pthread_mutex_lock(&s->lock);
	rc = db_run(s->db, id, NULL, 0, rows, e);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

struct db *store_begin(struct store *s, struct error *e)
{
	pthread_mutex_lock(&s->lock);
	if (db_begin(s->db, e) == 0)
		return s->db;
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int store_end(struct store *s, int rc, struct error *e)
{
	if (rc == 0)
		rc = db_commit(s->db, e);
	if (rc < 0)
		db_rollback(s->db);
	pthread_mutex_unlock(&s->lock);
	return rc;
}
