/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Records a second of the audit trail, with what the disk gives beside it.
 *
 *	audit [RECORDS [ROUNDS [DIRECTORY]]]
 *
 * Each row appends so many records (10,000) to a trail of its own below
 * DIRECTORY ($TMPDIR, /tmp), which is removed at the end: a real database,
 * synchronous=FULL, each call back when its record is on disk. */

#define _XOPEN_SOURCE 700 /* nftw() */
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audit/audit.h"
#include "audit/audit_record.h"
#include "base/log.h"

enum {
	RECORDS_LEAST = 10000,
	RECORDS_MOST = 1000000,
	ROUNDS_MOST = 9,
	THREADS_MOST = 48,
	SECONDS_MOST = 3600,
	BYTES_SYNCED = 4096,
	BATCH = 500
};

static char top[4096];
static long records = RECORDS_LEAST;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "audit: %s: %s\n", what, why);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- records in time --- */

static atomic_long left;
static double began;
static atomic_long by_second[SECONDS_MOST];

static bool take_one(void)
{
	return atomic_fetch_sub(&left, 1) > 0;
}

static void count_one(void)
{
	double seconds = now() - began;

	if (seconds < SECONDS_MOST)
		atomic_fetch_add(&by_second[(size_t)seconds], 1);
}

static void start_clock(void)
{
	for (int i = 0; i < SECONDS_MOST; i++)
		atomic_store(&by_second[i], 0);
	atomic_store(&left, records);
	began = now();
}

/* The slowest whole second; the whole, when it took no longer than one. */
static double slowest(double seconds)
{
	double least = (double)records / seconds;

	for (int i = 0; i + 1 < (int)seconds && i < SECONDS_MOST; i++)
		if ((double)by_second[i] < least)
			least = (double)by_second[i];
	return least;
}

/* --- rows: each gives records a second --- */

static struct audit *audit;

static void *append_on(void *arg)
{
	const struct audit_actor actor = { "API", "admin", "192.0.2.17",
					   "session" };
	struct error e = ERROR_INIT;

	(void)arg;
	while (take_one()) {
		if (audit_append(audit,
				 AUDIT(SETTING_CHANGED,
				       .setting = "session.idleMinutes",
				       .from = "10", .to = "30"),
				 &actor, &e) < 0)
			die("append", e.text);
		count_one();
	}
	return NULL;
}

static void seal(struct audit_row *row, const uint8_t previous[SHA256_SIZE])
{
	if (!audit_record_hash(row, previous, row->hash))
		die("seal", "too long");
}

/* A trail that is at its limit already: each new record takes an old one away.
 */
static void fill(struct store *s)
{
	struct audit_row rows[BATCH], *list[BATCH];
	struct error e = ERROR_INIT;

	for (size_t done = 0; done < AUDIT_RECORDS_MAX; done += BATCH) {
		for (size_t i = 0; i < BATCH; i++) {
			rows[i] = (struct audit_row){
				.at = time(NULL),
				.format = AUDIT_FORMAT_FIELDS,
				.module = "API",
				.severity = "Info",
				.user_name = "admin",
				.peer = "192.0.2.17",
				.via = "session",
				.event = "settingChanged",
				.detail = "setting=session.idleMinutes\n"
					  "from=10\nto=30"
			};
			list[i] = &rows[i];
		}
		if (store_audit_append(s, list, BATCH, seal, AUDIT_RECORDS_MAX,
				       &e) < 0)
			die("fill", e.text);
	}
}

struct result {
	double rate, slowest;
};

static struct result run_trail(const char *dir, int threads, bool full)
{
	struct error e = ERROR_INIT;
	struct store *store = store_open(dir, &e);
	pthread_t workers[THREADS_MOST];
	struct audit_verdict verdict;
	double seconds;

	audit = store ? audit_new(store, &e) : NULL;
	if (!audit)
		die(dir, e.text);
	if (full)
		fill(store);
	start_clock();
	for (int i = 0; i < threads; i++)
		if (pthread_create(&workers[i], NULL, append_on, NULL) != 0)
			die("thread", "cannot be made");
	for (int i = 0; i < threads; i++)
		pthread_join(workers[i], NULL);
	seconds = now() - began;
	if (audit_verify(audit, &verdict, &e) < 0)
		die("verify", e.text);
	if (!verdict.intact || (!full && verdict.checked != (uint64_t)records))
		die("verify", verdict.problem);
	audit_free(audit);
	store_close(store);
	return (struct result){ (double)records / seconds, slowest(seconds) };
}

static void sql(sqlite3 *db, const char *text)
{
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		die(text, sqlite3_errmsg(db));
}

/* One row a transaction and no chain: what SQLite alone makes of the disk. */
static struct result run_sqlite(const char *dir)
{
	char path[4200];
	sqlite3 *db;
	double seconds;

	snprintf(path, sizeof(path), "%s.db", dir);
	if (sqlite3_open(path, &db) != SQLITE_OK)
		die(path, "cannot be opened");
	sql(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		"CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT, hash BLOB)");
	start_clock();
	while (take_one()) {
		sql(db, "INSERT INTO t (text, hash) VALUES ('API Info admin"
			" 192.0.2.17 session settingChanged setting="
			"session.idleMinutes from=10 to=30', randomblob(32))");
		count_one();
	}
	seconds = now() - began;
	sqlite3_close(db);
	return (struct result){ (double)records / seconds, slowest(seconds) };
}

/* As much as a page of the database, behind the last one, and on disk. */
static struct result run_sync(const char *dir)
{
	static const char bytes[BYTES_SYNCED];
	char path[4200];
	double seconds;
	int fd;

	snprintf(path, sizeof(path), "%s.bytes", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		die(path, "cannot be made");
	start_clock();
	while (take_one()) {
		if (write(fd, bytes, sizeof(bytes)) != sizeof(bytes) ||
		    fdatasync(fd) < 0)
			die(path, "cannot be written");
		count_one();
	}
	seconds = now() - began;
	close(fd);
	return (struct result){ (double)records / seconds, slowest(seconds) };
}

/* --- the table --- */

enum { TRAIL, TRAIL_FULL, SQLITE, SYNC };

static const struct {
	int kind, threads;
	const char *name;
} rows[] = {
	{ SYNC, 1, "fdatasync() of 4 KiB" },
	{ SQLITE, 1, "SQLite, a row a transaction" },
	{ TRAIL, 1, "audit trail, 1 thread" },
	{ TRAIL, 8, "audit trail, 8 threads" },
	{ TRAIL, 48, "audit trail, 48 threads" },
	{ TRAIL_FULL, 48, "the same, 100,000 records kept" },
};

enum { ROWS = sizeof(rows) / sizeof(*rows), ROW_SYNC = 0, ROW_SQLITE = 1 };

static struct result run_row(size_t row, int round)
{
	char dir[4160];

	snprintf(dir, sizeof(dir), "%s/%zu-%d", top, row, round);
	switch (rows[row].kind) {
	case SQLITE: return run_sqlite(dir);
	case SYNC: return run_sync(dir);
	default:
		return run_trail(dir, rows[row].threads,
				 rows[row].kind == TRAIL_FULL);
	}
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(const double *values, int count)
{
	double sorted[ROUNDS_MOST];

	memcpy(sorted, values, (size_t)count * sizeof(*sorted));
	qsort(sorted, (size_t)count, sizeof(*sorted), by_size);
	return sorted[count / 2];
}

static void print_row(size_t row, struct result results[ROWS][ROUNDS_MOST],
		      int rounds)
{
	double rate[ROUNDS_MOST], sqlite[ROUNDS_MOST], sync[ROUNDS_MOST];
	double least[ROUNDS_MOST];

	for (int i = 0; i < rounds; i++) {
		rate[i] = results[row][i].rate;
		least[i] = results[row][i].slowest;
		sqlite[i] = rate[i] / results[ROW_SQLITE][i].rate;
		sync[i] = rate[i] / results[ROW_SYNC][i].rate;
	}
	printf("| %-30s | %8.0f | %8.0f | %6.2f | %6.2f |\n", rows[row].name,
	       median(rate, rounds), median(least, rounds),
	       median(sqlite, rounds), median(sync, rounds));
}

static int remove_entry(const char *path, const struct stat *st, int flag,
			struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void remove_top(void)
{
	nftw(top, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int main(int argc, char **argv)
{
	static struct result results[ROWS][ROUNDS_MOST];
	const char *base = getenv("TMPDIR");
	int rounds = argc > 2 ? atoi(argv[2]) : 3;

	if (argc > 1)
		records = atol(argv[1]);
	if (argc > 3)
		base = argv[3];
	if (argc > 4 || records < RECORDS_LEAST || records > RECORDS_MOST ||
	    rounds < 1 || rounds > ROUNDS_MOST) {
		fprintf(stderr,
			"usage: audit [RECORDS (%d or more) [ROUNDS "
			"[DIRECTORY]]]\n",
			RECORDS_LEAST);
		return 2;
	}
	log_set_level(LOG_LEVEL_ERROR);
	snprintf(top, sizeof(top), "%s/sb-bench-audit-XXXXXX",
		 base ? base : "/tmp");
	if (!mkdtemp(top))
		die(top, "cannot be made");
	atexit(remove_top);
	for (int round = 0; round < rounds; round++)
		for (size_t i = 0; i < ROWS; i++) {
			/* The order turns from round to round. */
			size_t row = round % 2 ? ROWS - 1 - i : i;

			results[row][round] = run_row(row, round);
		}
	printf("| %-30s | a second | slowest  | SQLite | sync   |\n", "");
	for (size_t i = 0; i < ROWS; i++)
		print_row(i, results, rounds);
	return 0;
}
