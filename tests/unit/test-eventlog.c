/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "eventlog/eventlog.h"
#include "tests/lib/unit.h"

/* A state directory of a test's own. */
static const char *fresh_dir(void)
{
	static char paths[32][PATH_MAX];
	static unsigned n;
	char *path = paths[n];

	CU_ASSERT_FATAL(n < 32);
	snprintf(path, PATH_MAX, "%s/state%u", unit_temp_dir(), n++);
	CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
	return path;
}

static const char *file_in(const char *directory)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/events.db", directory);
	return path;
}

static struct eventlog *opened(const char *directory)
{
	struct error e = ERROR_INIT;
	struct eventlog *l = eventlog_open(directory, &e);

	CHECK_OBJECT(l, &e);
	return l;
}

/* What a walk found: texts joined by "|". */
struct found {
	size_t count;
	uint64_t first, last;
	char joined[4096];
	size_t most; /* 0: all */
};

static int add_found(void *arg, const struct event_row *row, struct error *e)
{
	struct found *f = arg;
	size_t n = strlen(f->joined);

	if (!f->count++)
		f->first = row->number;
	f->last = row->number;
	snprintf(f->joined + n, sizeof(f->joined) - n, "%s/%s: %s|",
		 log_level_name(row->level), row->group, row->text);
	if (f->most && f->count == f->most)
		return error_set(e, ERR_CANCELLED, "enough");
	return 0;
}

static struct found all_of(struct eventlog *l)
{
	struct found f = { 0 };
	struct error e = ERROR_INIT;

	eventlog_flush(l);
	CHECK_OK(eventlog_each(l, 0, false, add_found, &f, &e), &e);
	return f;
}

static void test_keeps_events(void)
{
	const char *dir = fresh_dir();
	struct eventlog *l = opened(dir);
	struct event_range range;
	struct error e = ERROR_INIT;
	struct found f;
	struct stat st;

	log_set_level(LOG_LEVEL_DETAILED_TRACE);
	log_error("tls", "one");
	log_warning("app", "two");
	log_info("app", "three");
	log_trace("app", "four");
	log_at(LOG_LEVEL_DETAILED_TRACE, "app", "five");
	log_set_level(LOG_LEVEL_INFO);
	log_trace("app", "not wanted");
	f = all_of(l);
	CU_ASSERT_STRING_EQUAL(
	    f.joined, "error/tls: one|warning/app: two|info/app: "
		      "three|trace/app: four|detailedTrace/app: five|");
	CHECK_OK(eventlog_range(l, &range, &e), &e);
	CU_ASSERT_EQUAL(range.first, 1);
	CU_ASSERT_EQUAL(range.last, 5);
	CU_ASSERT_EQUAL(range.count, 5);
	/* What still waits at the end is written. */
	log_info("app", "six");
	eventlog_close(l);
	log_info("app", "nobody hears this");
	CU_ASSERT_EQUAL(stat(file_in(dir), &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
	l = opened(dir);
	log_info("app", "seven");
	f = all_of(l);
	CU_ASSERT_EQUAL(f.count, 7);
	CU_ASSERT_EQUAL(f.last, 7);
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(f.joined, "info/app: six|info/app: seven"));
	CU_ASSERT_EQUAL(eventlog_dropped(l), 0);
	eventlog_close(l);
}

static int add_group(void *arg, const char *group, struct error *e)
{
	(void)e;
	strcat(strcat(arg, group), " ");
	return 0;
}

static void test_groups_and_clear(void)
{
	struct eventlog *l = opened(fresh_dir());
	char groups[256] = "";
	struct event_range range;
	struct error e = ERROR_INIT;
	uint64_t deleted = 0;
	struct found f;

	log_info("web", "a");
	log_info("app", "b");
	log_info("web", "c");
	eventlog_flush(l);
	CHECK_OK(eventlog_groups(l, add_group, groups, &e), &e);
	CU_ASSERT_STRING_EQUAL(groups, "app web ");
	log_info("web", "still in the queue");
	CHECK_OK(eventlog_clear(l, &deleted, &e), &e);
	CU_ASSERT_EQUAL(deleted, 4);
	CHECK_OK(eventlog_range(l, &range, &e), &e);
	CU_ASSERT_EQUAL(range.first, 5);
	CU_ASSERT_EQUAL(range.last, 4);
	CU_ASSERT_EQUAL(range.count, 0);
	log_info("web", "next");
	f = all_of(l);
	CU_ASSERT_EQUAL(f.count, 1);
	CU_ASSERT_EQUAL(f.first, 5);
	eventlog_close(l);
}

static void add_many(struct event_store *s, enum log_level level, int count)
{
	struct event_row rows[500];
	struct error e = ERROR_INIT;

	for (int i = 0; i < 500; i++)
		rows[i] = (struct event_row){ .at_ms = 1700000000000,
					      .level = level,
					      .group = "flood",
					      .text = "garbage" };
	for (; count > 0; count -= 500)
		CHECK_OK(event_store_add(s, rows, 500, &e), &e);
}

static int count_level(void *arg, const struct event_row *row, struct error *e)
{
	(void)e;
	((unsigned *)arg)[row->level]++;
	return 0;
}

/* Traces push out no warnings, warnings no traces. */
static void test_size_is_bounded(void)
{
	const char *dir = fresh_dir();
	struct error e = ERROR_INIT, replaced = ERROR_INIT;
	struct event_store *s = event_store_open(dir, &replaced, &e);
	unsigned counts[LOG_LEVEL_COUNT] = { 0 };
	struct event_range range;
	struct eventlog *l;

	CHECK_OBJECT(s, &e);
	CU_ASSERT_EQUAL(replaced.kind, ERR_NONE);
	add_many(s, LOG_LEVEL_WARNING, 3000);
	add_many(s, LOG_LEVEL_TRACE, 15000);
	CHECK_OK(event_store_range(s, &range, &e), &e);
	CU_ASSERT_EQUAL(range.count, 3000 + EVENTS_KEPT / 2);
	add_many(s, LOG_LEVEL_INFO, 12000);
	CHECK_OK(event_store_range(s, &range, &e), &e);
	CU_ASSERT_EQUAL(range.count, EVENTS_KEPT);
	CU_ASSERT_EQUAL(range.last, 30000);
	event_store_close(s);
	l = opened(dir);
	CHECK_OK(eventlog_each(l, 0, false, count_level, counts, &e), &e);
	CU_ASSERT_EQUAL(counts[LOG_LEVEL_WARNING], 0);
	CU_ASSERT_EQUAL(counts[LOG_LEVEL_TRACE], EVENTS_KEPT / 2);
	CU_ASSERT_EQUAL(counts[LOG_LEVEL_INFO], EVENTS_KEPT / 2);
	eventlog_close(l);
}

static void test_walks(void)
{
	static const struct {
		uint64_t from;
		bool downward;
		size_t most, count;
		uint64_t first, last;
	} rows[] = {
		{ 0, false, 0, 1500, 1, 1500 },
		{ 0, true, 0, 0, 0, 0 },
		{ 1, true, 0, 1, 1, 1 },
		{ 1500, false, 0, 1, 1500, 1500 },
		{ 1501, false, 0, 0, 0, 0 },
		{ 600, false, 3, 3, 600, 602 },
		{ 600, true, 3, 3, 600, 598 },
		{ 999, true, 0, 999, 999, 1 },
		{ UINT64_MAX, true, 0, 1500, 1500, 1 },
		{ UINT64_MAX, false, 0, 0, 0, 0 },
	};
	const char *dir = fresh_dir();
	struct error e = ERROR_INIT, replaced = ERROR_INIT;
	struct event_store *s = event_store_open(dir, &replaced, &e);
	struct eventlog *l;

	CHECK_OBJECT(s, &e);
	add_many(s, LOG_LEVEL_INFO, 1500);
	event_store_close(s);
	l = opened(dir);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct found f = { .most = rows[i].most };
		int rc = eventlog_each(l, rows[i].from, rows[i].downward,
				       add_found, &f, &e);

		CU_ASSERT_EQUAL(rc, rows[i].most ? -1 : 0);
		CU_ASSERT_EQUAL(f.count, rows[i].count);
		CU_ASSERT_EQUAL(f.first, rows[i].first);
		CU_ASSERT_EQUAL(f.last, rows[i].last);
	}
	eventlog_close(l);
}

static void test_long_and_hostile(void)
{
	struct eventlog *l = opened(fresh_dir());
	char text[LOG_TEXT_MAX];
	struct found f;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info(
	    "a-group-with-a-name-that-has-no-end-at-all-and-goes-on-and-on-"
	    "and-on",
	    "%s", text);
	f = all_of(l);
	CU_ASSERT_EQUAL(f.count, 1);
	CU_ASSERT_EQUAL(strlen(f.joined), strlen("info/") + EVENT_GROUP_MAX +
					      strlen(": |") + EVENT_TEXT_MAX);
	log_info("web", "<script>\n'; DROP TABLE event; --\x1b[2J\xff");
	f = all_of(l);
	CU_ASSERT_EQUAL(f.count, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(f.joined,
				      "info/web: <script>\\x0a'; DROP TABLE "
				      "event; --\\x1b[2J\\xff|"));
	eventlog_close(l);
}

static void sql_on(const char *directory, const char *sql)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	CU_ASSERT_EQUAL_FATAL(sqlite3_open(file_in(directory), &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		unit_note("%s: %s", sql, why);
	CU_ASSERT_PTR_NULL(why);
	sqlite3_free(why);
	sqlite3_close(db);
}

static void put_garbage(const char *directory)
{
	FILE *f = fopen(file_in(directory), "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	for (int i = 0; i < 1000; i++)
		fputs("no database at all\n", f);
	fclose(f);
}

static void cut_in_half(const char *directory)
{
	CU_ASSERT_EQUAL(truncate(file_in(directory), 5000), 0);
}

static void make_newer(const char *directory)
{
	sql_on(directory, "UPDATE schema_version SET version = 99");
}

static void make_foreign(const char *directory)
{
	sql_on(directory, "DROP TABLE event; CREATE TABLE event (x)");
}

/* The service comes up whatever stands there, says so once and keeps events. */
static void test_damaged_files(void)
{
	static const struct {
		void (*damage)(const char *directory);
		bool at_first_write;
	} rows[] = {
		{ put_garbage, false },
		{ cut_in_half, false },
		{ make_newer, false },
		{ make_foreign, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *dir = fresh_dir();
		struct eventlog *l = opened(dir);
		struct found f;

		log_info("app", "before");
		eventlog_close(l);
		rows[i].damage(dir);
		l = opened(dir);
		log_info("app", "after");
		f = all_of(l);
		f = all_of(l);
		if (!strstr(f.joined, "was replaced by a new one"))
			unit_note("row %zu: %s", i, f.joined);
		CU_ASSERT_EQUAL(f.count, 2);
		CU_ASSERT_PTR_NOT_NULL(
		    strstr(f.joined, "warning/eventlog: the file of the event "
				     "log was replaced by a new one: "));
		CU_ASSERT_PTR_NOT_NULL(strstr(f.joined, "info/app: after|"));
		CU_ASSERT_PTR_NULL(strstr(f.joined, "before"));
		eventlog_close(l);
	}
}

/* Somebody breaks it while it is in use. */
static void test_damaged_in_use(void)
{
	const char *dir = fresh_dir();
	struct eventlog *l = opened(dir);
	struct found f;

	log_info("app", "before");
	eventlog_flush(l);
	sql_on(dir, "DROP TABLE event");
	log_info("app", "after");
	eventlog_flush(l);
	f = all_of(l);
	CU_ASSERT_PTR_NOT_NULL(strstr(f.joined, "info/app: after|"));
	CU_ASSERT_PTR_NOT_NULL(strstr(f.joined, "was replaced by a new one"));
	CU_ASSERT_EQUAL(eventlog_dropped(l), 0);
	eventlog_close(l);
}

/* Where no file can be, events are dropped and counted, and reading says why.
 */
static void test_no_file(void)
{
	const char *dir = fresh_dir();
	struct error e = ERROR_INIT;
	struct event_range range;
	struct eventlog *l;
	uint64_t n;

	CU_ASSERT_EQUAL_FATAL(mkdir(file_in(dir), 0700), 0);
	l = opened(dir);
	log_info("app", "one");
	log_info("app", "two");
	eventlog_flush(l);
	CU_ASSERT_EQUAL(eventlog_dropped(l), 2);
	CHECK_FAILS(eventlog_range(l, &range, &e), &e, ERR_IO,
		    "not a regular file");
	CHECK_FAILS(eventlog_clear(l, &n, &e), &e, ERR_IO, "cannot be read");
	eventlog_close(l);
}

/* While somebody holds the file, events gather; what is too much is dropped,
 * nobody waits, and it is told afterwards. */
static void test_queue_is_bounded(void)
{
	const char *dir = fresh_dir();
	struct eventlog *l = opened(dir);
	sqlite3 *db = NULL;
	struct found f;

	CU_ASSERT_EQUAL_FATAL(sqlite3_open(file_in(dir), &db), SQLITE_OK);
	CU_ASSERT_EQUAL_FATAL(
	    sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	log_set_level(LOG_LEVEL_TRACE);
	for (int i = 0; i < EVENTLOG_QUEUE + 88; i++)
		log_trace("queue", "event %d", i);
	log_set_level(LOG_LEVEL_INFO);
	CU_ASSERT(eventlog_dropped(l) >= 88);
	CU_ASSERT_EQUAL(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL),
			SQLITE_OK);
	sqlite3_close(db);
	f = all_of(l);
	f = all_of(l);
	CU_ASSERT_EQUAL(f.count + eventlog_dropped(l), EVENTLOG_QUEUE + 88 + 1);
	eventlog_close(l);
}

static const char *full_dir;

/* In a child: no file may grow. */
static int behave_on_full_disk(void)
{
	struct rlimit limit = { 0, 0 };
	struct error e = ERROR_INIT;
	struct event_range range;
	struct eventlog *l = eventlog_open(full_dir, &e);

	signal(SIGXFSZ, SIG_IGN);
	if (!l)
		return 1;
	log_info("app", "before");
	eventlog_flush(l);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = 4096;
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 2;
	log_info("app", "while it is full");
	eventlog_flush(l);
	if (eventlog_dropped(l) != 1)
		return 3;
	if (eventlog_range(l, &range, &e) < 0 || range.count != 1)
		return 4;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 5;
	log_info("app", "afterwards");
	eventlog_flush(l);
	eventlog_close(l);
	return 0;
}

static void test_full_disk(void)
{
	struct eventlog *l;
	struct found f;
	int status = -1;
	pid_t child;

	full_dir = fresh_dir();
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(behave_on_full_disk());
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_EQUAL(status, 0);
	l = opened(full_dir);
	f = all_of(l);
	CU_ASSERT_STRING_EQUAL(f.joined,
			       "info/app: before|info/app: afterwards|"
			       "warning/eventlog: 1 events were not kept|");
	eventlog_close(l);
}

/* What was written is there after a kill -9. */
static void test_kill(void)
{
	const char *dir = fresh_dir();
	struct eventlog *l;
	struct found f;
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		l = opened(dir);
		for (int i = 0; i < 40; i++)
			log_info("app", "event %d", i);
		eventlog_flush(l);
		kill(getpid(), SIGKILL);
	}
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	l = opened(dir);
	f = all_of(l);
	CU_ASSERT_EQUAL(f.count, 40);
	CU_ASSERT_PTR_NULL(strstr(f.joined, "replaced"));
	eventlog_close(l);
}

enum { THREADS = 4, LINES = 100 };

static void *talk(void *arg)
{
	for (int i = 0; i < LINES; i++)
		log_trace("threads", "line %d", i);
	eventlog_flush(arg);
	return NULL;
}

static void *read_along(void *arg)
{
	for (int i = 0; i < 20; i++) {
		struct error e = ERROR_INIT;
		struct found f = { 0 };

		CHECK_OK(eventlog_each(arg, 0, i % 2, add_found, &f, &e), &e);
	}
	return NULL;
}

static void test_threads(void)
{
	struct eventlog *l = opened(fresh_dir());
	pthread_t threads[THREADS + 1];
	struct found f;

	log_set_level(LOG_LEVEL_TRACE);
	for (int i = 0; i <= THREADS; i++)
		CU_ASSERT_EQUAL_FATAL(
		    pthread_create(&threads[i], NULL,
				   i < THREADS ? talk : read_along, l),
		    0);
	for (int i = 0; i <= THREADS; i++)
		pthread_join(threads[i], NULL);
	log_set_level(LOG_LEVEL_INFO);
	f = all_of(l);
	CU_ASSERT_EQUAL(f.count, THREADS * LINES);
	eventlog_close(l);
}

static const struct unit_test tests[] = {
	{ "keeps events", test_keeps_events },
	{ "groups and clearing", test_groups_and_clear },
	{ "its size is bounded", test_size_is_bounded },
	{ "walks", test_walks },
	{ "long and hostile texts", test_long_and_hostile },
	{ "damaged files", test_damaged_files },
	{ "damaged in use", test_damaged_in_use },
	{ "no file", test_no_file },
	{ "the queue is bounded", test_queue_is_bounded },
	{ "a full disk", test_full_disk },
	{ "kill -9", test_kill },
	{ "threads", test_threads },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "eventlog", tests, NULL, NULL);
}
