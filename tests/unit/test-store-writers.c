/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/user_rows.h"
#include "tests/unit/store_fixture.h"

/* Whoever writes is killed, finds no room, or is not alone. */

/* In a child: append and say each acknowledged number into the pipe. */
static void append_for_ever(const char *dir, int to)
{
	struct error e = ERROR_INIT;
	struct store *s = store_open(dir, &e);
	char value[32];
	uint64_t n;

	for (;;) {
		if (!s || append_record(s, 1000000, &n, &e) < 0)
			_exit(1);
		snprintf(value, sizeof(value), "%llu", (unsigned long long)n);
		if (store_setting_put(s, "last", value, &e) < 0 ||
		    write(to, &n, sizeof(n)) != (ssize_t)sizeof(n))
			_exit(1);
	}
}

/* The last number that a child acknowledged before it was killed. */
static uint64_t kill_in_mid_write(const char *dir, int round)
{
	uint64_t n, last = 0;
	int fds[2], status;
	pid_t child;

	CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
	child = fork();
	if (child == 0)
		append_for_ever(dir, fds[1]);
	close(fds[1]);
	/* Begun for sure, then a moment that differs each time. */
	if (read(fds[0], &n, sizeof(n)) == (ssize_t)sizeof(n))
		last = n;
	usleep((useconds_t)(3000 + round * 1700));
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	CU_ASSERT(WIFSIGNALED(status));
	while (read(fds[0], &n, sizeof(n)) == (ssize_t)sizeof(n))
		last = n;
	close(fds[0]);
	return last;
}

static void test_kill_keeps_what_was_acknowledged(void)
{
	const char *dir = unit_temp_dir();

	for (int round = 0; round < 12; round++) {
		uint64_t acknowledged = kill_in_mid_write(dir, round);
		struct found f = { .name = "last" };
		struct error e = ERROR_INIT;
		struct store *s = open_store(dir);
		struct audit_chain chain;
		struct walk w = { 0 };

		CU_ASSERT(acknowledged > 0);
		CHECK_OK(walk_from(s, 0, 1000000, &chain, &w, &e), &e);
		CU_ASSERT(chain.last >= acknowledged);
		CU_ASSERT_EQUAL(w.count, chain.last);
		CU_ASSERT_FALSE(w.broken);
		CHECK_OK(store_setting_each(s, find_setting, &f, &e), &e);
		CU_ASSERT(strtoull(f.value, NULL, 10) >= acknowledged);
		store_close(s);
	}
}

static int is_full(const struct error *e)
{
	return e->kind == ERR_FULL && e->native &&
	       strstr(e->text, "no room on the file system");
}

/* In a child with a limit on file sizes: 0 when every door of the store says
 * that the disk is full, and what was there can still be read. */
static int fill_disk(const char *dir)
{
	struct rlimit limit = { 200000, 200000 };
	struct error e = ERROR_INIT;
	struct store *s = store_open(dir, &e);
	struct user_row u = { .id = "late", .privilege = 1 };
	char value[4000], name[32];
	struct found f = { .name = "first" };
	uint64_t n;
	int rc = 0;

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	signal(SIGXFSZ, SIG_IGN);
	if (!s || store_setting_put(s, "first", "kept", &e) < 0 ||
	    setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 1;
	for (int i = 0; i < 1000 && rc == 0; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		rc = store_setting_put(s, name, value, &e);
	}
	if (rc == 0 || !is_full(&e))
		return 2;
	/* Small records may still have fitted. */
	limit.rlim_cur = 4096;
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 1;
	if (append_record(s, 10, &n, &e) == 0 || !is_full(&e))
		return 3;
	if (store_user_add(s, &u, &e) == 0 || !is_full(&e))
		return 4;
	if (store_setting_each(s, find_setting, &f, &e) < 0 ||
	    strcmp(f.value, "kept") != 0)
		return 5;
	return 0;
}

static void test_full_disk(void)
{
	const char *dir = unit_temp_dir();
	struct error e = ERROR_INIT;
	struct store *s;
	uint64_t n;
	int status;
	pid_t child = fork();

	if (child == 0) {
		status = fill_disk(dir);
		_exit(status);
	}
	waitpid(child, &status, 0);
	CU_ASSERT(WIFEXITED(status));
	CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
	/* With room again everything goes on. */
	s = open_store(dir);
	CHECK_OK(append_record(s, 10, &n, &e), &e);
	CU_ASSERT_EQUAL(n, 1);
	store_close(s);
}

enum { WRITERS = 3, WRITES = 40 };

static void *write_many(void *arg)
{
	struct error e = ERROR_INIT;
	uint64_t n;

	for (int i = 0; i < WRITES; i++)
		if (append_record(arg, 1000, &n, &e) < 0)
			return (void *)1;
	return NULL;
}

static void check_no_gaps(const char *dir)
{
	struct error e = ERROR_INIT;
	struct store *s = open_store(dir);
	struct audit_chain chain;
	struct walk w = { 0 };

	CHECK_OK(walk_from(s, 0, 1000, &chain, &w, &e), &e);
	CU_ASSERT_EQUAL(w.count, WRITERS * WRITES);
	CU_ASSERT_FALSE(w.broken);
	store_close(s);
}

static void test_threads(void)
{
	const char *dir = unit_temp_dir();
	struct store *s = open_store(dir);
	pthread_t threads[WRITERS];
	void *result;

	for (int i = 0; i < WRITERS; i++)
		pthread_create(&threads[i], NULL, write_many, s);
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(threads[i], &result);
		CU_ASSERT_PTR_NULL(result);
	}
	store_close(s);
	check_no_gaps(dir);
}

static void test_processes(void)
{
	const char *dir = unit_temp_dir();
	pid_t children[WRITERS];
	int status;

	for (int i = 0; i < WRITERS; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct error e = ERROR_INIT;
			struct store *s = store_open(dir, &e);

			_exit(!s || write_many(s) ? 1 : 0);
		}
	}
	for (int i = 0; i < WRITERS; i++) {
		waitpid(children[i], &status, 0);
		CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	check_no_gaps(dir);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "kill -9 keeps what was acknowledged",
		  test_kill_keeps_what_was_acknowledged },
		{ "a full disk is named", test_full_disk },
		{ "threads", test_threads },
		{ "processes", test_processes },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "store-writers", tests, NULL, NULL);
}
