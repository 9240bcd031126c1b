/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/unit.h"
#include "tests/unit/pkcs11_helpers.h"
#include "tests/unit/pkcs11_place.h"

/* One login, and what becomes of a PIN that is refused. Each test has a token
 * of its own. */

/* --- login */

static void test_one_login(void)
{
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct token *t = open_with(&o);

	for (int i = 0; i < 10; i++)
		token_key_unref(make_key(t));
	CU_ASSERT_EQUAL(atomic_load(&knobs->logins), 1);
	CU_ASSERT_EQUAL(atomic_load(&knobs->initializations), 1);
	token_free(t);
}

/* Refused, then across restarts: one C_Login in all. */
static void test_wrong_pin_is_tried_once(void)
{
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct timespec nap = { 1, 500000000L };

	write_pin(&place, "9999");
	for (int start = 0; start < 3; start++) {
		struct error e = ERROR_INIT;
		struct token *t = token_new(&o, &e);
		struct token_info info;

		CHECK_OBJECT(t, &e);
		CHECK_FAILS(token_start(t, &e), &e, ERR_TOKEN_PIN, "refused");
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, place.pin_file));
		CU_ASSERT_PTR_NULL(strstr(e.text, "9999"));
		token_get_info(t, &info);
		CU_ASSERT_EQUAL(info.state, TOKEN_PIN_REFUSED);
		CU_ASSERT_PTR_NULL(
		    token_key_generate(t, KEY_KIND_EC_P256, "x", &e));
		CU_ASSERT_EQUAL(e.kind, ERR_TOKEN_PIN);
		if (start == 0)
			nanosleep(&nap, NULL); /* the watcher's turn */
		token_free(t);
	}
	CU_ASSERT_EQUAL(atomic_load(&knobs->logins), 1);
}

/* A file like those that systemd makes at each start. */
static void replace_pin_file(const struct test_token *place, const char *pin)
{
	char old[400];

	snprintf(old, sizeof(old), "%s.old", place->pin_file);
	CU_ASSERT_EQUAL(rename(place->pin_file, old), 0);
	write_pin(place, pin);
	CU_ASSERT_EQUAL(chmod(place->pin_file, 0600), 0);
}

/* One start that ends with a refusal. */
static void refused_start(const struct token_options *o, const char *words)
{
	struct error e = ERROR_INIT;
	struct token *t = token_new(o, &e);

	CHECK_OBJECT(t, &e);
	CHECK_FAILS(token_start(t, &e), &e, ERR_TOKEN_PIN, words);
	token_free(t);
}

/* The PIN is what was refused, not its file: over restarts and in one life. */
static void test_wrong_pin_in_new_files(void)
{
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct timespec nap = { 2, 500000000L };
	struct error e = ERROR_INIT;
	struct token *t;

	write_pin(&place, "9999");
	refused_start(&o, "was refused and is not tried");
	for (int start = 0; start < 3; start++) {
		replace_pin_file(&place, "9999");
		refused_start(&o, "was refused before");
	}
	CU_ASSERT_EQUAL(atomic_load(&knobs->logins), 1);
	t = token_new(&o, &e);
	CHECK_OBJECT(t, &e);
	CHECK_FAILS(token_start(t, &e), &e, ERR_TOKEN_PIN, "before");
	replace_pin_file(&place, "9999");
	nanosleep(&nap, NULL);
	CU_ASSERT_EQUAL(atomic_load(&knobs->logins), 1);
	token_free(t);
	replace_pin_file(&place, "9998");
	refused_start(&o, "was refused and is not tried");
	CU_ASSERT_EQUAL(atomic_load(&knobs->logins), 2);
	replace_pin_file(&place, TEST_TOKEN_PIN);
	token_free(open_with(&o));
	CU_ASSERT_EQUAL(atomic_load(&knobs->logins), 3);
}

/* A mark that cannot be read costs one attempt, not the token. */
static void test_damaged_mark(void)
{
	static const char *const rows[] = {
		"",
		"garbage",
		"sealbridge refused PIN 2\ntoken 00\nsalt 00\nscrypt 00\n",
		/* as it was when it knew the file only */
		"token 0011 dev 1 ino 2 mtime 3.000000004 size 5\n",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct test_token place;
		struct token_options o = wrapped(&place);
		char mark[400];
		FILE *f;

		snprintf(mark, sizeof(mark), "%s/pin-refused", place.state);
		f = fopen(mark, "w");
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		fputs(rows[i], f);
		fclose(f);
		write_pin(&place, "9999");
		refused_start(&o, "was refused and is not tried");
		refused_start(&o, "was refused before");
		CU_ASSERT_EQUAL(atomic_load(&knobs->logins), 1);
		f = fopen(mark, "w");
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		fputs(rows[i], f);
		fclose(f);
		write_pin(&place, TEST_TOKEN_PIN);
		token_free(open_with(&o));
		CU_ASSERT_EQUAL(atomic_load(&knobs->logins), 2);
		CU_ASSERT_NOT_EQUAL(access(mark, F_OK), 0);
	}
}

/* The mark cannot be kept: said so, and in this life there is one attempt. */
static void test_mark_cannot_be_written(void)
{
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct timespec nap = { 2, 500000000L };
	struct error e = ERROR_INIT;
	struct token *t;
	char mark[400];

	snprintf(mark, sizeof(mark), "%s/pin-refused", place.state);
	CU_ASSERT_EQUAL(mkdir(mark, 0700), 0);
	write_pin(&place, "9999");
	t = token_new(&o, &e);
	CHECK_OBJECT(t, &e);
	CHECK_FAILS(token_start(t, &e), &e, ERR_TOKEN_PIN,
		    "a restart would try it again");
	replace_pin_file(&place, "9999");
	nanosleep(&nap, NULL);
	CU_ASSERT_EQUAL(atomic_load(&knobs->logins), 1);
	token_free(t);
	CU_ASSERT_EQUAL(rmdir(mark), 0);
}

/* A copy by systemd does not follow its source: the reason says so. */
static void test_credential_is_told(void)
{
	struct test_token place;
	struct token_options o = wrapped(&place);
	char directory[400];

	snprintf(directory, sizeof(directory), "%s", place.pin_file);
	*strrchr(directory, '/') = '\0';
	write_pin(&place, "9999");
	setenv("CREDENTIALS_DIRECTORY", directory, 1);
	refused_start(&o, "correct its source, then restart");
	refused_start(&o, "correct its source, then restart");
	setenv("CREDENTIALS_DIRECTORY", "/nowhere", 1);
	refused_start(&o, "until the PIN in it changes");
	unsetenv("CREDENTIALS_DIRECTORY");
	CU_ASSERT_EQUAL(atomic_load(&knobs->logins), 1);
}

static void test_mended_pin_is_noticed(void)
{
	struct error e = ERROR_INIT;
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct token *t;
	char mark[400];

	write_pin(&place, "9999");
	t = token_new(&o, &e);
	CHECK_OBJECT(t, &e);
	CHECK_FAILS(token_start(t, &e), &e, ERR_TOKEN_PIN, "refused");
	write_pin(&place, TEST_TOKEN_PIN);
	CU_ASSERT(wait_for_state(t, TOKEN_READY));
	CU_ASSERT_EQUAL(atomic_load(&knobs->logins), 2);
	token_key_unref(make_key(t));
	snprintf(mark, sizeof(mark), "%s/pin-refused", place.state);
	CU_ASSERT_NOT_EQUAL(access(mark, F_OK), 0);
	token_free(t);
	token_free(open_with(&o));
}

static void test_pin_file_rows(void)
{
	static const struct {
		const char *text;
		mode_t mode;
		enum error_kind kind;
		const char *words;
	} rows[] = {
		{ NULL, 0, ERR_IO, "PIN file" },
		{ "", 0600, ERR_CONFIG, "empty" },
		{ "\n4711\n", 0600, ERR_CONFIG, "empty" },
		{ "4711\n", 0644, ERR_INPUT, "others may read" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error e = ERROR_INIT;
		struct test_token place;
		struct token_options o = wrapped(&place);
		struct token *t;

		unlink(place.pin_file);
		if (rows[i].text) {
			FILE *f = fopen(place.pin_file, "w");

			fputs(rows[i].text, f);
			fclose(f);
			chmod(place.pin_file, rows[i].mode);
		}
		t = token_new(&o, &e);
		CHECK_OBJECT(t, &e);
		CHECK_FAILS(token_start(t, &e), &e, rows[i].kind,
			    rows[i].words);
		CU_ASSERT_EQUAL(atomic_load(&knobs->logins), 0);
		token_free(t);
	}
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "one-login", test_one_login },
		{ "wrong-pin-is-tried-once", test_wrong_pin_is_tried_once },
		{ "wrong-pin-in-new-files", test_wrong_pin_in_new_files },
		{ "damaged-mark", test_damaged_mark },
		{ "mark-cannot-be-written", test_mark_cannot_be_written },
		{ "credential-is-told", test_credential_is_told },
		{ "mended-pin-is-noticed", test_mended_pin_is_noticed },
		{ "pin-file-rows", test_pin_file_rows },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "pkcs11-login", tests, place_setup, NULL);
}
