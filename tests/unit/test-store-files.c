/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/store_fixture.h"
#include "tests/unit/tamper.h"

/* The files of the store: who may read them, what is no database, their size.
 */

static void check_refused(const char *directory, enum error_kind kind,
			  const char *words)
{
	struct error e = ERROR_INIT;
	struct store *s = store_open(directory, &e);

	CU_ASSERT_PTR_NULL(s);
	unit_check_error(&e, kind, words, __FILE__, __LINE__);
	store_close(s);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static void test_files_are_private(void)
{
	char directory[PATH_MAX], path[PATH_MAX + 32], db[PATH_MAX + 16];
	struct store *s;
	mode_t mask = umask(0);

	snprintf(directory, sizeof(directory), "%s/state", unit_temp_dir());
	s = open_store(directory);
	CU_ASSERT_EQUAL(mode_of(directory), 0700);
	database_path(directory, db);
	CU_ASSERT_EQUAL(mode_of(db), 0600);
	snprintf(path, sizeof(path), "%s-wal", db);
	CU_ASSERT_EQUAL(mode_of(path), 0600);
	snprintf(path, sizeof(path), "%s-shm", db);
	CU_ASSERT_EQUAL(mode_of(path), 0600);
	store_close(s);
	CU_ASSERT_EQUAL(chmod(db, 0666), 0);
	store_close(open_store(directory));
	CU_ASSERT_EQUAL(mode_of(db), 0600);
	umask(mask);
}

static void test_bad_places(void)
{
	const char *dir = unit_temp_dir();
	char path[PATH_MAX + 16], longer[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/a/b/c", dir);
	check_refused(path, ERR_IO, "No such file");
	check_refused("/dev/null", ERR_IO, "Not a directory");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	check_refused(longer, ERR_CONFIG, "too long");
	database_path(dir, path);
	CU_ASSERT_EQUAL(symlink("/etc/passwd", path), 0);
	check_refused(dir, ERR_IO, "not a regular file");
	unlink(path);
	CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
	check_refused(dir, ERR_IO, "not a regular file");
	rmdir(path);
}

static void test_newer_schema(void)
{
	const char *dir = unit_temp_dir();

	store_close(open_store(dir));
	tamper(dir, "UPDATE schema_version SET version = 99");
	check_refused(dir, ERR_CONFIG, "newer release (schema 99");
	tamper(dir, "UPDATE schema_version SET version = -1");
	check_refused(dir, ERR_CONFIG, "no valid version");
}

static void write_bytes(const char *path, off_t at, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(pwrite(fd, p, n, at), (ssize_t)n);
	close(fd);
}

static int ignore_setting(void *arg, const char *name, const char *value,
			  struct error *e)
{
	(void)name;
	(void)value;
	(void)e;
	++*(int *)arg;
	return 0;
}

static void test_damaged_file(void)
{
	const char *dir = unit_temp_dir();
	struct error e = ERROR_INIT;
	char path[PATH_MAX + 16], name[32], junk[16384];
	struct store *s;
	int count = 0;

	database_path(dir, path);
	memset(junk, 'j', sizeof(junk));
	write_bytes(path, 0, junk, sizeof(junk));
	check_refused(dir, ERR_IO, "damaged");
	unlink(path);

	s = open_store(dir);
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "name %d", i);
		CHECK_OK(
		    store_setting_put(s, name, "a value of some length", &e),
		    &e);
	}
	store_close(s);
	/* The tables behind the first page are junk now. */
	for (off_t at = 4096; at < 65536; at += sizeof(junk))
		write_bytes(path, at, junk, sizeof(junk));
	s = store_open(dir, &e);
	if (s) {
		CU_ASSERT_EQUAL(
		    store_setting_each(s, ignore_setting, &count, &e), -1);
		store_close(s);
	}
	unit_check_error(&e, ERR_IO, "damaged", __FILE__, __LINE__);
}

static void test_truncated_file(void)
{
	const char *dir = unit_temp_dir();
	char path[PATH_MAX + 16];

	database_path(dir, path);
	store_close(open_store(dir));
	CU_ASSERT_EQUAL(truncate(path, 5000), 0);
	check_refused(dir, ERR_IO, "damaged");
	/* Killed between the making of the file and the first step. */
	CU_ASSERT_EQUAL(truncate(path, 0), 0);
	store_close(open_store(dir));
}

static off_t size_of(const char *directory, const char *file)
{
	char path[PATH_MAX + 32];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	return stat(path, &st) == 0 ? st.st_size : -1;
}

/* What was deleted makes the files smaller, and what was not is still there. */
static void test_room_is_given_back(void)
{
	enum { BLOB = 1 << 20 };
	const char *dir = unit_temp_dir();
	struct store *s = open_store(dir);
	struct error e = ERROR_INIT;
	struct found f = { .name = "kept" };
	char *blob = calloc(1, BLOB);
	off_t full;

	CU_ASSERT_STRING_EQUAL(store_directory(s), dir);
	CHECK_OK(store_setting_put(s, "kept", "value", &e), &e);
	for (int i = 0; i < 3; i++)
		CHECK_OK(store_manifest_put(s, "big", view_of(blob, BLOB), &e),
			 &e);
	CU_ASSERT(size_of(dir, "sealbridge.db-wal") > BLOB);
	CHECK_OK(store_fold_log(s, &e), &e);
	CU_ASSERT_EQUAL(size_of(dir, "sealbridge.db-wal"), 0);
	full = size_of(dir, "sealbridge.db");
	CU_ASSERT(full > BLOB);
	CHECK_OK(store_manifest_prune(s, "big", view_of("x", 1), &e), &e);
	CHECK_OK(store_shrink(s, &e), &e);
	CU_ASSERT_EQUAL(size_of(dir, "sealbridge.db-wal"), 0);
	CU_ASSERT(size_of(dir, "sealbridge.db") < full - BLOB);
	CHECK_OK(store_shrink(s, &e), &e);
	CHECK_OK(store_setting_each(s, find_setting, &f, &e), &e);
	CU_ASSERT_STRING_EQUAL(f.value, "value");
	free(blob);
	store_close(s);
}

static int64_t pragma(const char *directory, const char *sql)
{
	char path[PATH_MAX + 16];
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int64_t number = -1;

	database_path(directory, path);
	if (sqlite3_open(path, &db) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		number = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return number;
}

/* A database of a build that could not shrink it learns to, and loses nothing.
 */
static void test_older_file_learns_to_shrink(void)
{
	const char *dir = unit_temp_dir();
	struct found f = { .name = "kept" };
	struct error e = ERROR_INIT;
	struct store *s = open_store(dir);
	uint64_t n;

	CHECK_OK(store_setting_put(s, "kept", "value", &e), &e);
	CHECK_OK(append_record(s, 10, &n, &e), &e);
	store_close(s);
	CU_ASSERT_EQUAL(pragma(dir, "PRAGMA auto_vacuum"), 2);
	tamper(dir, "PRAGMA auto_vacuum = NONE; VACUUM");
	CU_ASSERT_EQUAL(pragma(dir, "PRAGMA auto_vacuum"), 0);
	s = open_store(dir);
	CHECK_OK(store_setting_each(s, find_setting, &f, &e), &e);
	CU_ASSERT_STRING_EQUAL(f.value, "value");
	CHECK_OK(append_record(s, 10, &n, &e), &e);
	CU_ASSERT_EQUAL(n, 2);
	store_close(s);
	CU_ASSERT_EQUAL(pragma(dir, "PRAGMA auto_vacuum"), 2);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "files are private", test_files_are_private },
		{ "bad places are refused", test_bad_places },
		{ "a newer schema is refused", test_newer_schema },
		{ "a damaged file is named", test_damaged_file },
		{ "a truncated file is named", test_truncated_file },
		{ "room is given back", test_room_is_given_back },
		{ "an older file learns to shrink",
		  test_older_file_learns_to_shrink },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "store-files", tests, NULL, NULL);
}
