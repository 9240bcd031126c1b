/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/log_limit.h"
#include "tests/lib/unit.h"

/* What a sink has heard. */
struct ear {
	int count;
	struct log_event last;
	char group[64], text[LOG_TEXT_MAX];
	bool answers; /* logs in its turn */
};

static void hear(void *arg, const struct log_event *event)
{
	struct ear *ear = arg;

	ear->count++;
	ear->last = *event;
	snprintf(ear->group, sizeof(ear->group), "%s", event->group);
	snprintf(ear->text, sizeof(ear->text), "%s", event->text);
	if (ear->answers)
		log_error("ear", "cannot hear");
	errno = EPIPE;
}

/* Standard error goes into a file meanwhile. */
static char captured[16384];
static int real_stderr;
static FILE *capture_file;

static void capture_begin(void)
{
	fflush(stderr);
	real_stderr = dup(STDERR_FILENO);
	capture_file = tmpfile();
	CU_ASSERT_PTR_NOT_NULL_FATAL(capture_file);
	CU_ASSERT_FATAL(dup2(fileno(capture_file), STDERR_FILENO) >= 0);
}

static void capture_end(void)
{
	size_t n;

	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	rewind(capture_file);
	n = fread(captured, 1, sizeof(captured) - 1, capture_file);
	captured[n] = '\0';
	fclose(capture_file);
}

static int lines_captured(void)
{
	int n = 0;

	for (const char *p = captured; *p; p++)
		n += *p == '\n';
	return n;
}

static void test_levels(void)
{
	static const struct {
		enum log_level level;
		const char *name;
		int severity;
	} rows[] = {
		{ LOG_LEVEL_ERROR, "error", 3 },
		{ LOG_LEVEL_WARNING, "warning", 4 },
		{ LOG_LEVEL_INFO, "info", 5 },
		{ LOG_LEVEL_TRACE, "trace", 6 },
		{ LOG_LEVEL_DETAILED_TRACE, "detailedTrace", 7 },
	};

	for (size_t i = 0; i < LOG_LEVEL_COUNT; i++) {
		CU_ASSERT_STRING_EQUAL(log_level_name(rows[i].level),
				       rows[i].name);
		CU_ASSERT_EQUAL(log_level_severity(rows[i].level),
				rows[i].severity);
	}
}

/* Each level in force against each level of an event. */
static void test_threshold(void)
{
	struct ear ear = { 0 };

	CU_ASSERT_EQUAL_FATAL(log_add_sink(hear, &ear), 0);
	capture_begin();
	for (int in_force = 0; in_force < LOG_LEVEL_COUNT; in_force++) {
		log_set_level((enum log_level)in_force);
		for (int l = 0; l < LOG_LEVEL_COUNT; l++) {
			int before = ear.count;

			log_at((enum log_level)l, "test", "level %d", l);
			CU_ASSERT_EQUAL(ear.count - before, l <= in_force);
		}
	}
	capture_end();
	log_set_level(LOG_LEVEL_INFO);
	log_remove_sink(hear, &ear);
	CU_ASSERT_EQUAL(lines_captured(), 1 + 2 + 3 + 4 + 5);
}

static void test_line_and_sink(void)
{
	struct ear ear = { 0 };

	unsetenv("JOURNAL_STREAM");
	CU_ASSERT_EQUAL_FATAL(log_add_sink(hear, &ear), 0);
	capture_begin();
	errno = ENOENT;
	log_warning("front", "%s of %d", "one", 7);
	CU_ASSERT_EQUAL(errno, ENOENT);
	capture_end();
	CU_ASSERT_PTR_NOT_NULL(strstr(captured, "Z warning front: one of 7\n"));
	CU_ASSERT_EQUAL(ear.last.level, LOG_LEVEL_WARNING);
	CU_ASSERT_STRING_EQUAL(ear.group, "front");
	CU_ASSERT_STRING_EQUAL(ear.text, "one of 7");
	CU_ASSERT(ear.last.at_ms > 1500000000000);
	setenv("JOURNAL_STREAM", "1:2", 1);
	capture_begin();
	log_info("front", "two");
	capture_end();
	unsetenv("JOURNAL_STREAM");
	CU_ASSERT_STRING_EQUAL(captured, "<5>front: two\n");
	log_remove_sink(hear, &ear);
	capture_begin();
	log_warning("front", "three");
	capture_end();
	CU_ASSERT_EQUAL(ear.count, 2);
}

static void test_hostile_texts(void)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "a\nb", "a\\x0ab" },
		{ "\r\t\x1b[31m", "\\x0d\\x09\\x1b[31m" },
		{ "\x7f", "\\x7f" },
		{ "<3>error tls: forged\n", "<3>error tls: forged\\x0a" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xc3", "\\xc3" },
		{ "\xff\xfe", "\\xff\\xfe" },
		{ "\xc0\xaf", "\\xc0\\xaf" },
		{ "\xc2\x9b"
		  "2J",
		  "\\xc2\\x9b"
		  "2J" },
		{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8" },
		{ "%s%n", "%s%n" },
		{ "", "" },
	};
	struct ear ear = { 0 };

	CU_ASSERT_EQUAL_FATAL(log_add_sink(hear, &ear), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		capture_begin();
		log_error("test", "%s", rows[i].text);
		capture_end();
		CU_ASSERT_STRING_EQUAL(ear.text, rows[i].shown);
		CU_ASSERT_EQUAL(lines_captured(), 1);
	}
	log_remove_sink(hear, &ear);
}

/* Cut between characters, and never one byte too many. */
static void test_long_texts(void)
{
	static char longer[3 * LOG_TEXT_MAX];
	static const char *const units[] = { "x", "\xc3\xbc", "\n", "\xff" };
	struct ear ear = { 0 };

	CU_ASSERT_EQUAL_FATAL(log_add_sink(hear, &ear), 0);
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		size_t n = strlen(units[i]);

		longer[0] = '\0';
		for (size_t at = 0; at + n < sizeof(longer); at += n)
			memcpy(longer + at, units[i], n + 1);
		capture_begin();
		log_error("test", "%s", longer);
		capture_end();
		CU_ASSERT(strlen(ear.text) < LOG_TEXT_MAX);
		CU_ASSERT(strlen(ear.text) > LOG_TEXT_MAX - 8);
		CU_ASSERT_EQUAL(lines_captured(), 1);
	}
	log_remove_sink(hear, &ear);
}

/* What a sink logs reaches standard error and no sink. */
static void test_no_recursion(void)
{
	struct ear a = { .answers = true }, b = { .answers = true };

	CU_ASSERT_EQUAL_FATAL(log_add_sink(hear, &a), 0);
	CU_ASSERT_EQUAL_FATAL(log_add_sink(hear, &b), 0);
	capture_begin();
	log_error("test", "once");
	capture_end();
	CU_ASSERT_EQUAL(a.count, 1);
	CU_ASSERT_EQUAL(b.count, 1);
	CU_ASSERT_EQUAL(lines_captured(), 3);
	CU_ASSERT_PTR_NOT_NULL(strstr(captured, "ear: cannot hear\n"));
	log_remove_sink(hear, &a);
	log_remove_sink(hear, &b);
}

static void *work_for_a_sink(void *arg)
{
	(void)arg;
	log_keep_local();
	log_error("test", "from the thread of a sink");
	log_error("test", "and once more");
	return NULL;
}

static void test_thread_of_a_sink(void)
{
	struct ear ear = { 0 };
	pthread_t thread;

	CU_ASSERT_EQUAL_FATAL(log_add_sink(hear, &ear), 0);
	capture_begin();
	CU_ASSERT_EQUAL_FATAL(
	    pthread_create(&thread, NULL, work_for_a_sink, NULL), 0);
	pthread_join(thread, NULL);
	capture_end();
	CU_ASSERT_EQUAL(ear.count, 0);
	CU_ASSERT_EQUAL(lines_captured(), 2);
	log_remove_sink(hear, &ear);
}

static void test_room_for_sinks(void)
{
	struct ear ears[LOG_SINKS_MAX + 1] = { 0 };

	for (int i = 0; i < LOG_SINKS_MAX; i++)
		CU_ASSERT_EQUAL(log_add_sink(hear, &ears[i]), 0);
	CU_ASSERT_EQUAL(log_add_sink(hear, &ears[LOG_SINKS_MAX]), -1);
	log_remove_sink(hear, &ears[LOG_SINKS_MAX]);
	log_remove_sink(hear, &ears[1]);
	CU_ASSERT_EQUAL(log_add_sink(hear, &ears[LOG_SINKS_MAX]), 0);
	capture_begin();
	log_error("test", "all");
	capture_end();
	for (int i = 0; i <= LOG_SINKS_MAX; i++) {
		CU_ASSERT_EQUAL(ears[i].count, i == 1 ? 0 : 1);
		log_remove_sink(hear, &ears[i]);
	}
}

static bool take_errors(void *arg, const struct log_event *event)
{
	struct ear *ear = arg;

	ear->count++;
	return event->level == LOG_LEVEL_ERROR;
}

/* What the output does not take becomes a line. */
static void test_output(void)
{
	struct ear output = { 0 }, ear = { 0 };

	CU_ASSERT_EQUAL_FATAL(log_add_sink(hear, &ear), 0);
	log_set_output(take_errors, &output);
	capture_begin();
	log_error("test", "taken");
	log_info("test", "not taken");
	capture_end();
	log_set_output(NULL, NULL);
	CU_ASSERT_EQUAL(output.count, 2);
	CU_ASSERT_EQUAL(ear.count, 2);
	CU_ASSERT_EQUAL(lines_captured(), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(captured, "not taken"));
	log_remove_sink(hear, &ear);
}

static void count_only(void *arg, const struct log_event *event)
{
	(void)event;
	atomic_fetch_add((atomic_int *)arg, 1);
}

enum { THREADS = 4, LINES = 5 };

static void *talk(void *arg)
{
	for (int i = 0; i < LINES; i++)
		log_info("test", "thread %p line %d", arg, i);
	return NULL;
}

static void test_threads(void)
{
	pthread_t threads[THREADS];
	atomic_int heard = 0;

	CU_ASSERT_EQUAL_FATAL(log_add_sink(count_only, &heard), 0);
	capture_begin();
	for (int i = 0; i < THREADS; i++)
		CU_ASSERT_EQUAL_FATAL(
		    pthread_create(&threads[i], NULL, talk, &heard), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	capture_end();
	log_remove_sink(count_only, &heard);
	CU_ASSERT_EQUAL(heard, THREADS * LINES);
	CU_ASSERT_EQUAL(lines_captured(), THREADS * LINES);
}

/* --- limits ----------------------------------------------------------------
 */

static unsigned admitted(struct log_limit *l, enum log_level level,
			 const char *group, int64_t now_ms, unsigned tries)
{
	struct log_tally before;
	unsigned n = 0;

	for (unsigned i = 0; i < tries; i++)
		n += log_limit_admit(l, level, group, now_ms, &before);
	return n;
}

static void test_limit_rates(void)
{
	static const struct {
		enum log_level level;
		unsigned burst;
		int64_t each_ms;
	} rows[] = {
		{ LOG_LEVEL_ERROR, LOG_LIMIT_BURST, LOG_LIMIT_EACH_MS },
		{ LOG_LEVEL_WARNING, LOG_LIMIT_BURST, LOG_LIMIT_EACH_MS },
		{ LOG_LEVEL_INFO, LOG_LIMIT_BURST, LOG_LIMIT_EACH_MS },
		{ LOG_LEVEL_TRACE, LOG_LIMIT_TRACE_BURST,
		  LOG_LIMIT_TRACE_EACH_MS },
		{ LOG_LEVEL_DETAILED_TRACE, LOG_LIMIT_TRACE_BURST,
		  LOG_LIMIT_TRACE_EACH_MS },
	};
	static struct log_limit l;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum log_level level = rows[i].level;
		unsigned burst = rows[i].burst;
		int64_t now = 5, each = rows[i].each_ms;

		CU_ASSERT_EQUAL(admitted(&l, level, "tls", now, 5000), burst);
		now += each - 1;
		CU_ASSERT_EQUAL(admitted(&l, level, "tls", now, 9), 0);
		CU_ASSERT_EQUAL(admitted(&l, level, "tls", now + 1, 9), 1);
		now += 1 + 7 * each;
		CU_ASSERT_EQUAL(admitted(&l, level, "tls", now, 99), 7);
		now += 2 * burst * each;
		CU_ASSERT_EQUAL(admitted(&l, level, "tls", now, 5000), burst);
		/* Nobody else has paid for it. */
		CU_ASSERT_EQUAL(admitted(&l, level, "app", now, 3), 3);
	}
}

static void test_limit_tells(void)
{
	static struct log_limit l;
	struct log_tally t;

	admitted(&l, LOG_LEVEL_WARNING, "tls", 0, LOG_LIMIT_BURST);
	CU_ASSERT_FALSE(log_limit_settle(&l, 0, true, &t));
	CU_ASSERT_EQUAL(admitted(&l, LOG_LEVEL_WARNING, "tls", 0, 57), 0);
	CU_ASSERT_EQUAL(l.total, 57);
	CU_ASSERT_FALSE(log_limit_settle(&l, 59999, false, &t));
	/* With the next that is admitted, but once a minute. */
	CU_ASSERT(log_limit_admit(&l, LOG_LEVEL_WARNING, "tls", 59999, &t));
	CU_ASSERT_EQUAL(t.count, 0);
	CU_ASSERT(log_limit_admit(&l, LOG_LEVEL_WARNING, "tls", 60000, &t));
	CU_ASSERT_EQUAL(t.count, 57);
	CU_ASSERT_EQUAL(t.level, LOG_LEVEL_WARNING);
	CU_ASSERT_STRING_EQUAL(t.group, "tls");
	CU_ASSERT_FALSE(log_limit_settle(&l, 1000000, true, &t));
	admitted(&l, LOG_LEVEL_INFO, "web", 0, LOG_LIMIT_BURST + 2);
	CU_ASSERT_FALSE(log_limit_settle(&l, 1, false, &t));
	CU_ASSERT(log_limit_settle(&l, 1, true, &t));
	CU_ASSERT_EQUAL(t.count, 2);
	CU_ASSERT_STRING_EQUAL(t.group, "web");
	CU_ASSERT_FALSE(log_limit_settle(&l, 1, true, &t));
}

/* Names beyond the table, and long ones, share a place; nothing overflows. */
static void test_limit_many_groups(void)
{
	static struct log_limit l;
	unsigned n = 0;
	char name[100];

	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "group-%d%s", i,
			 i % 2 ? "" : "-with-a-name-that-has-no-end-at-all");
		n += admitted(&l, LOG_LEVEL_ERROR, name, 0, 1);
	}
	CU_ASSERT_EQUAL(l.groups, LOG_LIMIT_GROUPS);
	CU_ASSERT_EQUAL(n, LOG_LIMIT_GROUPS - 1 + LOG_LIMIT_BURST);
	CU_ASSERT_STRING_EQUAL(l.names[LOG_LIMIT_GROUPS - 1], "others");
}

/* The whole way: a flood on standard error and in a sink. */
static void test_flood(void)
{
	struct ear ear = { 0 };
	uint64_t before = log_suppressed();

	CU_ASSERT_EQUAL_FATAL(log_add_sink(hear, &ear), 0);
	capture_begin();
	for (int i = 0; i < LOG_LIMIT_BURST + 40; i++)
		log_warning("flood", "garbage");
	errno = ENOENT;
	log_tell_suppressed(true);
	CU_ASSERT_EQUAL(errno, ENOENT);
	capture_end();
	log_remove_sink(hear, &ear);
	CU_ASSERT_EQUAL(log_suppressed() - before, 40);
	CU_ASSERT_EQUAL(ear.count, LOG_LIMIT_BURST + 1);
	CU_ASSERT_EQUAL(lines_captured(), LOG_LIMIT_BURST + 1);
	CU_ASSERT_STRING_EQUAL(
	    ear.text, "40 more events of \"flood\" (warning) were suppressed");
	CU_ASSERT_EQUAL(ear.last.level, LOG_LEVEL_WARNING);
}

static const struct unit_test tests[] = {
	{ "levels", test_levels },
	{ "threshold", test_threshold },
	{ "line and sink", test_line_and_sink },
	{ "hostile texts", test_hostile_texts },
	{ "long texts", test_long_texts },
	{ "a sink does not feed itself", test_no_recursion },
	{ "threads of sinks", test_thread_of_a_sink },
	{ "room for sinks", test_room_for_sinks },
	{ "another output", test_output },
	{ "threads", test_threads },
	{ "rates", test_limit_rates },
	{ "what was suppressed is told", test_limit_tells },
	{ "many groups", test_limit_many_groups },
	{ "a flood", test_flood },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "log", tests, NULL, NULL);
}
