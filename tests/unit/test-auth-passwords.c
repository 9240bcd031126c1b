/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/initial_password.h"
#include "auth/password_hash.h"
#include "auth/password_rules.h"
#include "tests/lib/unit.h"
#include "tests/unit/account_texts.h"

/* Passwords by themselves: which may be set, their hashes, the first one. */

static void test_password_rules(void)
{
	static const struct {
		const char *password;
		const char *refused; /* NULL: fine */
	} rows[] = {
		{ "", NULL },
		{ "x", NULL },
		{ X31, NULL },
		{ X31 "2", "more than 31" },
		{ EURO31, NULL },
		{ EURO31 "x", "more than 31" },
		{ "a b", NULL },
		{ "a\tb", "control characters" },
		{ "a\nb", "control characters" },
		{ "a\x7f", "control characters" },
		{ "a\xc2\x80", "control characters" },
		{ "a\xff", "not valid UTF-8" },
		{ "\xc0\xaf", "not valid UTF-8" },
		{ "\xe2\x82", "not valid UTF-8" },
	};
	struct error e = ERROR_INIT;
	char *big = calloc(1, 1 << 20);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct view v = view_str(rows[i].password);

		if (!rows[i].refused)
			CHECK_OK(password_rules_check(v, false, &e), &e);
		else
			CHECK_FAILS(password_rules_check(v, false, &e), &e,
				    ERR_PASSWORD_RULES, rows[i].refused);
	}
	CHECK_FAILS(password_rules_check(view_of("a\0b", 3), false, &e), &e,
		    ERR_PASSWORD_RULES, "control");
	memset(big, 'x', 1 << 20);
	CHECK_FAILS(password_rules_check(view_of(big, 1 << 20), false, &e), &e,
		    ERR_PASSWORD_RULES, "more than 31");
	free(big);
}

static void test_password_hash(void)
{
	static const struct {
		const char *tried;
		size_t len;
		bool right;
	} rows[] = {
		{ "secret", 6, true },
		{ "Secret", 6, false },
		{ "secre", 5, false },
		{ "secret ", 7, false },
		{ "", 0, false },
		{ "secret\0", 7, false },
		{ "secret\0more", 11, false },
		{ NULL, 0, false },
	};
	struct error e = ERROR_INIT;
	char hash[PASSWORD_HASH_SIZE], other[PASSWORD_HASH_SIZE];
	char longer[5000];
	bool right;

	CHECK_OK(password_hash(view_str("secret"), hash, &e), &e);
	CHECK_OK(password_hash(view_str("secret"), other, &e), &e);
	CU_ASSERT_EQUAL(strncmp(hash, "$y$", 3), 0);
	CU_ASSERT_STRING_NOT_EQUAL(hash, other);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_OK(password_verify(view_of(rows[i].tried, rows[i].len),
					 hash, &right, &e),
			 &e);
		CU_ASSERT_EQUAL(right, rows[i].right);
	}
	memset(longer, 'x', sizeof(longer));
	CHECK_OK(
	    password_verify(view_of(longer, sizeof(longer)), hash, &right, &e),
	    &e);
	CU_ASSERT_FALSE(right);
	CHECK_FAILS(password_hash(view_of(longer, sizeof(longer)), other, &e),
		    &e, ERR_INPUT, NULL);
	CHECK_FAILS(password_hash(view_of("a\0b", 3), other, &e), &e, ERR_INPUT,
		    NULL);
	CHECK_FAILS(password_hash(view_str(""), other, &e), &e, ERR_INPUT,
		    NULL);
	CHECK_FAILS(password_verify(view_str("x"), "*", &right, &e), &e,
		    ERR_INTERNAL, NULL);
	CHECK_FAILS(password_verify(view_str("x"), "$nonsense$", &right, &e),
		    &e, ERR_INTERNAL, NULL);
	CU_ASSERT_FALSE(right);
	/* The longest password is not cut. */
	CHECK_OK(password_hash(view_str(EURO31), hash, &e), &e);
	CHECK_OK(password_verify(view_str(EURO31), hash, &right, &e), &e);
	CU_ASSERT_TRUE(right);
	CHECK_OK(
	    password_verify(view_str(EURO30 "\xe2\x82\xad"), hash, &right, &e),
	    &e);
	CU_ASSERT_FALSE(right);
}

static void *hash_many(void *arg)
{
	char hash[PASSWORD_HASH_SIZE];
	struct error e = ERROR_INIT;
	bool right;

	(void)arg;
	if (password_hash(view_str("p"), hash, &e) < 0)
		return e.kind == ERR_LIMIT ? NULL : (void *)1;
	if (password_verify(view_str("p"), hash, &right, &e) < 0)
		return e.kind == ERR_LIMIT ? NULL : (void *)1;
	return right ? NULL : (void *)1;
}

/* More callers than run and wait: some may be refused, none hangs. */
static void test_many_hashes(void)
{
	enum { THREADS = 40 };
	pthread_t threads[THREADS];
	void *result;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, hash_many, NULL);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		CU_ASSERT_PTR_NULL(result);
	}
}

static void put_file(const char *path, const char *text, mode_t mode)
{
	FILE *out = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	fputs(text, out);
	fclose(out);
	chmod(path, mode);
}

static void test_initial_password(void)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *words; /* NULL: taken */
	} rows[] = {
		{ "chosen\nby hand\n", 0600, NULL },
		{ EURO31 "\n", 0640, NULL },
		{ "chosen\n", 0644, "others may read" },
		{ "chosen\n", 0660, "others may read or write" },
		{ "", 0600, "no password in it" },
		{ "\nsecond line\n", 0600, "no password in it" },
		{ X31 "2\n", 0600, "more than 31" },
		{ "a\tb\n", 0600, "control characters" },
		{ "\xff\n", 0600, "UTF-8" },
	};
	const char *dir = unit_temp_dir();
	struct error e = ERROR_INIT;
	struct secret s = { 0 }, again = { 0 };
	char path[400], secrets[300];
	struct stat st;

	snprintf(secrets, sizeof(secrets), "%s/secrets", dir);
	snprintf(path, sizeof(path), "%s/admin-password", secrets);
	CHECK_OK(initial_password_get(path, &s, &e), &e);
	CU_ASSERT(s.len >= 16);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
	CU_ASSERT_EQUAL(stat(secrets, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0700);
	CHECK_OK(initial_password_get(path, &again, &e), &e);
	CU_ASSERT(
	    view_equal(view_of(s.ptr, s.len), view_of(again.ptr, again.len)));
	secret_free(&again);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		put_file(path, rows[i].text, rows[i].mode);
		if (!rows[i].words) {
			CHECK_OK(initial_password_get(path, &again, &e), &e);
			secret_free(&again);
			continue;
		}
		CU_ASSERT_EQUAL(initial_password_get(path, &again, &e), -1);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, rows[i].words));
		CU_ASSERT_PTR_NULL(again.ptr);
	}
	unlink(path);
	CU_ASSERT_EQUAL(symlink("/nonexistent", path), 0);
	CHECK_FAILS(initial_password_get(path, &again, &e), &e, ERR_IO, NULL);
	unlink(path);
	chmod(secrets, 0770);
	CHECK_FAILS(initial_password_get(path, &again, &e), &e, ERR_CONFIG,
		    "chmod 0700");
	chmod(secrets, 0700);
	CHECK_FAILS(initial_password_get("/none/none/x", &again, &e), &e,
		    ERR_IO, NULL);
	secret_free(&s);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "password rules", test_password_rules },
		{ "password hashes", test_password_hash },
		{ "many hashes at once", test_many_hashes },
		{ "initial password", test_initial_password },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "auth-passwords", tests, NULL, NULL);
}
