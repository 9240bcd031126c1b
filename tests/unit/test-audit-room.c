/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/audit.h"
#include "audit/audit_reserve.h"
#include "tests/lib/unit.h"

/* The disk is made full by a limit on the size of files, which needs no rights;
 * a file system that is really full is tests/e2e/test_audit_durability.py. */

static const struct audit_actor admin = { "Web", "admin", "192.0.2.1", "" };

static const char *reserve_path(const char *dir)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/" AUDIT_RESERVE_FILE, dir);
	return path;
}

static off_t blocks_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_blocks * 512 : -1;
}

static struct audit_reserve *reserve_in(const char *dir)
{
	struct error e = ERROR_INIT;
	struct audit_reserve *r = audit_reserve_new(dir, &e);

	CHECK_OBJECT(r, &e);
	return r;
}

static void test_reserve(void)
{
	const char *dir = unit_temp_dir();
	struct audit_reserve *r = reserve_in(dir);
	struct error e = ERROR_INIT;
	struct stat st;

	CU_ASSERT_FALSE(audit_reserve_give_up(r));
	CU_ASSERT_FALSE(audit_reserve_give_up_in(dir));
	CHECK_OK(audit_reserve_hold(r, &e), &e);
	CU_ASSERT(blocks_of(reserve_path(dir)) >= AUDIT_RESERVE_BYTES);
	CU_ASSERT_EQUAL(stat(reserve_path(dir), &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
	CHECK_OK(audit_reserve_hold(r, &e), &e);
	CU_ASSERT(audit_reserve_give_up(r));
	CU_ASSERT_FALSE(audit_reserve_give_up(r));
	CHECK_OK(audit_reserve_hold(r, &e), &e);
	CU_ASSERT(audit_reserve_give_up_in(dir));
	/* What another process removed or cut is made again. */
	CHECK_OK(audit_reserve_hold(r, &e), &e);
	CU_ASSERT_EQUAL(truncate(reserve_path(dir), 17), 0);
	CHECK_OK(audit_reserve_hold(r, &e), &e);
	CU_ASSERT(blocks_of(reserve_path(dir)) >= AUDIT_RESERVE_BYTES);
	audit_reserve_free(r);
	audit_reserve_free(NULL);
}

static void test_reserve_refused(void)
{
	const char *dir = unit_temp_dir();
	char elsewhere[PATH_MAX], longer[PATH_MAX];
	struct audit_reserve *r = reserve_in(dir);
	struct error e = ERROR_INIT;

	/* What has its name is not followed and not written to. */
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", dir);
	CU_ASSERT_EQUAL(symlink(elsewhere, reserve_path(dir)), 0);
	CHECK_FAILS(audit_reserve_hold(r, &e), &e, ERR_IO, AUDIT_RESERVE_FILE);
	CU_ASSERT_EQUAL(access(elsewhere, F_OK), -1);
	unlink(reserve_path(dir));
	CU_ASSERT_EQUAL(mkdir(reserve_path(dir), 0700), 0);
	CHECK_FAILS(audit_reserve_hold(r, &e), &e, ERR_IO, AUDIT_RESERVE_FILE);
	CU_ASSERT_FALSE(audit_reserve_give_up(r));
	rmdir(reserve_path(dir));
	audit_reserve_free(r);

	r = reserve_in("/no/such/directory");
	CHECK_FAILS(audit_reserve_hold(r, &e), &e, ERR_IO,
		    "/no/such/directory");
	audit_reserve_free(r);

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	CU_ASSERT_PTR_NULL(audit_reserve_new(longer, &e));
	CU_ASSERT_EQUAL(e.kind, ERR_CONFIG);
}

static void set_limit(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	setrlimit(RLIMIT_FSIZE, &limit);
}

static int count(void *arg, const struct audit_record *r, struct error *e)
{
	(void)r, (void)e;
	++*(int *)arg;
	return 0;
}

/* The steps of fill_disk(), by the number of the one that failed. */
#define STEP(n, condition) \
	if (!(condition))  \
	return n

static int append(struct audit *a, struct error *e)
{
	return audit_append(a, AUDIT(SETTING_CHANGED, .setting = "x"), &admin,
			    e);
}

static int fill_disk(struct audit *a, const char *dir)
{
	struct audit_verdict v;
	struct error e = ERROR_INIT;
	int seen = 0;

	STEP(1, audit_ready(a, &e) == 0 && append(a, &e) == 0);
	set_limit(4096);
	/* The reserve is there: what is in hand would have its record. */
	STEP(2, audit_ready(a, &e) == 0);
	STEP(3, append(a, &e) < 0 && e.kind == ERR_FULL);
	STEP(4, access(reserve_path(dir), F_OK) < 0 && audit_lost(a) == 1);
	/* No room to make it again, and no half of it is left. */
	STEP(5, audit_ready(a, &e) < 0 && e.kind == ERR_FULL &&
		    strstr(e.text, "delete old audit records"));
	STEP(6, access(reserve_path(dir), F_OK) < 0);
	STEP(7, audit_each(a, 0, 10, count, &seen, &e) == 0 && seen == 1);
	STEP(8, audit_verify(a, &v, &e) == 0 && v.intact);
	set_limit(RLIM_INFINITY);
	STEP(9, audit_ready(a, &e) == 0 && append(a, &e) == 0);
	STEP(10, blocks_of(reserve_path(dir)) >= AUDIT_RESERVE_BYTES);
	STEP(11, audit_verify(a, &v, &e) == 0 && v.intact && v.checked == 2);
	return 0;
}

static int in_child(const char *dir)
{
	struct error e = ERROR_INIT;
	struct store *s = store_open(dir, &e);
	struct audit *a = s ? audit_new(s, &e) : NULL;
	int rc;

	signal(SIGXFSZ, SIG_IGN);
	rc = a ? fill_disk(a, dir) : 100;
	audit_free(a);
	store_close(s);
	return rc;
}

static void test_full_disk(void)
{
	const char *dir = unit_temp_dir();
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(in_child(dir));
	waitpid(child, &status, 0);
	CU_ASSERT(WIFEXITED(status));
	CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
	if (WEXITSTATUS(status))
		unit_note("step %d", WEXITSTATUS(status));
}

/* In slices, over more than one, and never more than there is. */
static void test_deletion(void)
{
	static const struct {
		uint64_t before, deleted, left;
	} rows[] = {
		{ 0, 0, 1300 },   { 1, 0, 1300 },
		{ 2, 1, 1299 },   { 1201, 1199, 100 },
		{ 1201, 0, 100 }, { UINT64_MAX - 1, 100, 0 },
	};
	struct error e = ERROR_INIT;
	struct audit_verdict v;
	uint64_t deleted;
	struct store *s = store_open(unit_temp_dir(), &e);
	struct audit *a;

	CHECK_OBJECT(s, &e);
	a = audit_new(s, &e);
	CHECK_OBJECT(a, &e);
	for (int i = 0; i < 1300; i++)
		CHECK_OK(append(a, &e), &e);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_OK(audit_delete(a, rows[i].before, &deleted, &e), &e);
		CU_ASSERT_EQUAL(deleted, rows[i].deleted);
		CHECK_OK(audit_verify(a, &v, &e), &e);
		CU_ASSERT(v.intact);
		CU_ASSERT_EQUAL(v.checked, rows[i].left);
	}
	CHECK_OK(append(a, &e), &e);
	CHECK_OK(audit_verify(a, &v, &e), &e);
	CU_ASSERT(v.intact && v.checked == 1);
	audit_free(a);
	store_close(s);
}

/* A directory that takes no reserve stops no start. */
static void test_start_without(void)
{
	const char *dir = unit_temp_dir();
	struct error e = ERROR_INIT;
	struct store *s = store_open(dir, &e);
	struct audit *a;

	CHECK_OBJECT(s, &e);
	CU_ASSERT_EQUAL(mkdir(reserve_path(dir), 0700), 0);
	a = audit_new(s, &e);
	CHECK_OBJECT(a, &e);
	CHECK_FAILS(audit_ready(a, &e), &e, ERR_IO, AUDIT_RESERVE_FILE);
	CHECK_OK(append(a, &e), &e);
	rmdir(reserve_path(dir));
	CHECK_OK(audit_ready(a, &e), &e);
	audit_free(a);
	audit_free(NULL);
	store_close(s);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "reserve", test_reserve },
		{ "reserve refused", test_reserve_refused },
		{ "full disk", test_full_disk },
		{ "deletion", test_deletion },
		{ "start without a reserve", test_start_without },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "audit-room", tests, NULL, NULL);
}
