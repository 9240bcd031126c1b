/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <glob.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "pkcs11/keys.h"
#include "tests/lib/test_token.h"
#include "tests/lib/unit.h"
#include "tests/unit/pkcs11_helpers.h"
#include "tests/unit/pkcs11_wrapper.h"

/* The life of a token: options, login, pool, outages. Each test has a token of
 * its own. */

static struct wrapper_knobs *knobs;

static int setup(void)
{
	knobs = wrapper_load();
	return 0;
}

static struct token_options wrapped(struct test_token *place)
{
	struct token_options o;

	memset(knobs, 0, sizeof(*knobs));
	test_token_make(place);
	o = test_token_options(place);
	o.module = wrapper_path();
	return o;
}

static struct token *open_with(const struct token_options *o)
{
	struct error e = ERROR_INIT;
	struct token *t = token_new(o, &e);

	CHECK_OBJECT(t, &e);
	CHECK_OK(token_start(t, &e), &e);
	return t;
}

static void write_pin(const struct test_token *place, const char *pin)
{
	FILE *f = fopen(place->pin_file, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fprintf(f, "%s\n", pin);
	fclose(f);
}

static struct token_key *make_key(struct token *t)
{
	struct error e = ERROR_INIT;
	struct token_key *k =
	    token_key_generate(t, KEY_KIND_EC_P256, "sealbridge local key", &e);

	CHECK_OBJECT(k, &e);
	return k;
}

/* --- options */

static void test_bad_options(void)
{
	static const struct {
		const char *uri, *words;
	} rows[] = {
		{ "", "uri" },
		{ "token=sealbridge", "token uri" },
		{ "pkcs11:token", "token uri" },
		{ "pkcs11:token=%zz", "token uri" },
		{ "pkcs11:token=a;bogus=1", "unknown part" },
		{ "pkcs11:token=a;slot-id=1", "slot numbers change" },
		{ "pkcs11:token=a;object=key", "unknown part" },
		{ "pkcs11:token=a?pin-value=1234", "PIN file" },
		{ "http://example.com/", "token uri" },
	};
	struct test_token place;
	struct token_options o;

	test_token_make(&place);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error e = ERROR_INIT;

		o = test_token_options(&place);
		o.uri = rows[i].uri;
		CU_ASSERT_PTR_NULL(token_new(&o, &e));
		unit_check_error(&e, ERR_CONFIG, rows[i].words, __FILE__,
				 __LINE__);
		CU_ASSERT_PTR_NULL(strstr(e.text, "1234"));
	}
}

static void test_bad_module(void)
{
	static const char *const paths[] = { "", "libsofthsm2.so",
					     "/nonexistent/module.so", "/tmp" };
	struct error e = ERROR_INIT;
	struct test_token place;
	struct token_options o;
	struct token *t;

	test_token_make(&place);
	o = test_token_options(&place);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		o.module = paths[i];
		CU_ASSERT_PTR_NULL(token_new(&o, &e));
		unit_check_error(&e, ERR_CONFIG, "token module", __FILE__,
				 __LINE__);
	}
	/* a file, but not a module */
	o.module = place.conf;
	t = token_new(&o, &e);
	CHECK_OBJECT(t, &e);
	CHECK_FAILS(token_start(t, &e), &e, ERR_TOKEN, "cannot be loaded");
	token_free(t);
	token_free(NULL);
}

static void test_session_limits(void)
{
	static const unsigned rows[] = { 0, 257 };
	struct error e = ERROR_INIT;
	struct test_token place;
	struct token_options o = wrapped(&place);

	for (size_t i = 0; i < 2; i++) {
		o.max_sessions = rows[i];
		CU_ASSERT_PTR_NULL(token_new(&o, &e));
		unit_check_error(&e, ERR_CONFIG, "max-sessions", __FILE__,
				 __LINE__);
	}
	for (unsigned n = 1; n <= 3; n++) {
		struct token_info info;
		struct token_key *k;
		struct token *t;

		o.max_sessions = n;
		t = open_with(&o);
		token_get_info(t, &info);
		CU_ASSERT_EQUAL(info.sessions_open, n);
		CU_ASSERT_EQUAL(info.sessions_max, n);
		k = make_key(t);
		CHECK_OK(sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e), &e);
		token_key_unref(k);
		token_free(t);
	}
}

static void test_info_and_mechanisms(void)
{
	const char *names[8];
	struct error e = ERROR_INIT;
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct token *t = open_with(&o);
	struct token_info info;

	token_get_info(t, &info);
	CU_ASSERT_EQUAL(info.state, TOKEN_READY);
	CU_ASSERT_STRING_EQUAL(info.reason, "");
	CU_ASSERT_STRING_EQUAL(info.label, "sealbridge");
	CU_ASSERT_STRING_EQUAL(info.manufacturer, "SoftHSM project");
	CU_ASSERT_STRING_EQUAL(info.model, "SoftHSM v2");
	CU_ASSERT_EQUAL(strlen(info.serial), 16);
	CU_ASSERT_EQUAL(info.sessions_open, 8);
	CU_ASSERT_EQUAL(info.generation, 1);
	CU_ASSERT(info.data_objects);
	CHECK_OK(token_mechanisms(t, names, 8, &e), &e);
	CU_ASSERT_STRING_EQUAL(names[0], "CKM_RSA_PKCS");
	CU_ASSERT_STRING_EQUAL(names[1], "CKM_RSA_PKCS_PSS");
	CU_ASSERT_STRING_EQUAL(names[2], "CKM_ECDSA");
	CU_ASSERT_PTR_NULL(names[3]);
	CHECK_OK(token_mechanisms(t, names, 2, &e), &e);
	CU_ASSERT_PTR_NULL(names[1]);
	CU_ASSERT_STRING_EQUAL(token_state_name(TOKEN_READY), "ready");
	CU_ASSERT_STRING_EQUAL(token_state_name(TOKEN_PIN_REFUSED),
			       "pinRefused");
	token_free(t);
}

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

/* --- absence */

static void test_absent_token_comes(void)
{
	struct error e = ERROR_INIT;
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct token_info info;
	struct token *t;

	o.uri = "pkcs11:token=later";
	t = token_new(&o, &e);
	CHECK_OBJECT(t, &e);
	CHECK_FAILS(token_start(t, &e), &e, ERR_TOKEN, "no token fits");
	token_get_info(t, &info);
	CU_ASSERT_EQUAL(info.state, TOKEN_UNAVAILABLE);
	CU_ASSERT_PTR_NOT_NULL(strstr(info.reason, "no token fits"));
	CU_ASSERT_PTR_NULL(token_key_generate(t, KEY_KIND_EC_P256, "x", &e));
	unit_check_error(&e, ERR_TOKEN, "no token fits", __FILE__, __LINE__);
	CU_ASSERT_EQUAL(
	    test_run("softhsm2-util --init-token --free --label later "
		     "--so-pin %s --pin %s >/dev/null",
		     TEST_TOKEN_SO_PIN, TEST_TOKEN_PIN),
	    0);
	CU_ASSERT(wait_for_state(t, TOKEN_READY));
	token_key_unref(make_key(t));
	token_free(t);
}

static void test_two_tokens_fit(void)
{
	struct error e = ERROR_INIT;
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct token *t;

	CU_ASSERT_EQUAL(
	    test_run("softhsm2-util --init-token --free --label sealbridge "
		     "--so-pin %s --pin %s >/dev/null",
		     TEST_TOKEN_SO_PIN, TEST_TOKEN_PIN),
	    0);
	t = token_new(&o, &e);
	CHECK_OBJECT(t, &e);
	CHECK_FAILS(token_start(t, &e), &e, ERR_TOKEN, "2 tokens fit");
	CU_ASSERT_EQUAL(atomic_load(&knobs->logins), 0);
	token_free(t);
}

/* --- the pool */

struct signing {
	struct token_key *key;
	int count;
	int failures;
	struct error e;
};

static void *sign_many(void *arg)
{
	struct signing *s = arg;

	for (int i = 0; i < s->count; i++)
		if (sign_and_verify(s->key, SIGN_ECDSA, HASH_SHA256, &s->e) < 0)
			s->failures++;
	return NULL;
}

static void run_signers(struct signing *s, int threads, struct token_key *k,
			int count)
{
	pthread_t ids[32];

	for (int i = 0; i < threads; i++) {
		memset(&s[i], 0, sizeof(s[i]));
		s[i].key = k;
		s[i].count = count;
		CU_ASSERT_EQUAL_FATAL(
		    pthread_create(&ids[i], NULL, sign_many, &s[i]), 0);
	}
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
}

static void test_exhausted_pool(void)
{
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct signing s[3];
	struct token_key *k;
	struct token *t;
	int failures = 0;

	o.max_sessions = 2; /* one of them is the keeper */
	o.wait_ms = 150;
	t = open_with(&o);
	k = make_key(t);
	atomic_store(&knobs->sign_delay_ms, 600);
	run_signers(s, 3, k, 1);
	for (int i = 0; i < 3; i++)
		if (s[i].failures) {
			failures++;
			CU_ASSERT_EQUAL(s[i].e.kind, ERR_TIMEOUT);
			CU_ASSERT_PTR_NOT_NULL(strstr(s[i].e.text, "150 ms"));
		}
	CU_ASSERT_EQUAL(failures, 2);
	atomic_store(&knobs->sign_delay_ms, 0);
	token_key_unref(k);
	token_free(t);
}

static void test_more_threads_than_sessions(void)
{
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct signing s[16];
	struct token_info info;
	struct token_key *k;
	struct token *t;

	o.max_sessions = 4;
	o.wait_ms = 20000;
	t = open_with(&o);
	k = make_key(t);
	run_signers(s, 16, k, 40);
	for (int i = 0; i < 16; i++) {
		if (s[i].failures)
			unit_note("%s", s[i].e.text);
		CU_ASSERT_EQUAL(s[i].failures, 0);
	}
	token_get_info(t, &info);
	CU_ASSERT_EQUAL(info.signatures, 16 * 40);
	CU_ASSERT_EQUAL(info.sessions_open, 4);
	token_key_unref(k);
	token_free(t);
}

/* A token with fewer sessions than allowed: those must do. */
static void test_scarce_sessions(void)
{
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct error e = ERROR_INIT;
	struct signing s[6];
	struct token_key *k;
	struct token *t;

	atomic_store(&knobs->sessions_max, 3);
	t = open_with(&o);
	k = make_key(t);
	run_signers(s, 6, k, 10);
	for (int i = 0; i < 6; i++)
		CU_ASSERT_EQUAL(s[i].failures, 0);
	CHECK_OK(sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e), &e);
	token_key_unref(k);
	token_free(t);
}

/* --- outages */

static void on_state(enum token_state state, void *arg)
{
	char *seen = arg;
	size_t n = strlen(seen);

	if (n < 15)
		seen[n] = state == TOKEN_READY ? 'R' : 'u';
}

static void lose(unsigned long rv, int times, bool reconnects)
{
	char seen[16] = "";
	struct error e = ERROR_INIT;
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct token *t = token_new(&o, &e);
	struct token_info info;
	struct token_key *k;

	CHECK_OBJECT(t, &e);
	token_on_state(t, on_state, seen);
	CHECK_OK(token_start(t, &e), &e);
	k = make_key(t);
	atomic_store(&knobs->fail_with, rv);
	atomic_store(&knobs->fail_signs, times);
	/* the one failure is not seen: another session did it */
	CHECK_OK(sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e), &e);
	CU_ASSERT(wait_for_state(t, TOKEN_READY));
	for (int i = 0; i < 20; i++)
		CHECK_OK(sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e), &e);
	token_get_info(t, &info);
	CU_ASSERT_EQUAL(info.generation, reconnects ? 2 : 1);
	CU_ASSERT_EQUAL(info.sessions_open, 8);
	CU_ASSERT_STRING_EQUAL(seen, reconnects ? "RuR" : "R");
	CU_ASSERT_EQUAL(atomic_load(&knobs->logins), reconnects ? 2 : 1);
	token_key_unref(k);
	token_free(t);
}

static void test_lost_connection(void)
{
	lose(0x32, 1, true);  /* CKR_DEVICE_REMOVED */
	lose(0xe0, 1, true);  /* CKR_TOKEN_NOT_PRESENT */
	lose(0x190, 1, true); /* CKR_CRYPTOKI_NOT_INITIALIZED */
}

static void test_doubtful_answers(void)
{
	lose(0x30, 1, false); /* CKR_DEVICE_ERROR, but the session is sound */
	lose(0x05, 1, false); /* CKR_GENERAL_ERROR */
}

static void test_spent_session(void)
{
	lose(0xb3, 1, false); /* CKR_SESSION_HANDLE_INVALID */
	lose(0xb0, 1, false); /* CKR_SESSION_CLOSED */
}

/* Doubts that do not end are an outage. */
static void test_many_doubts(void)
{
	struct error e = ERROR_INIT;
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct token *t = open_with(&o);
	struct token_key *k = make_key(t);
	struct token_info info;

	atomic_store(&knobs->fail_with, 0x30);
	atomic_store(&knobs->fail_signs, 6);
	while (atomic_load(&knobs->fail_signs) > 0)
		if (sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e) < 0)
			CU_ASSERT_EQUAL(e.kind, ERR_TOKEN);
	CU_ASSERT(wait_for_state(t, TOKEN_READY));
	CHECK_OK(sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e), &e);
	token_get_info(t, &info);
	CU_ASSERT_EQUAL(info.generation, 2);
	token_key_unref(k);
	token_free(t);
}

/* Other errors are the caller's and change nothing. */
static void test_caller_error(void)
{
	struct error e = ERROR_INIT;
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct token *t = open_with(&o);
	struct token_key *k = make_key(t);
	struct token_info info;

	atomic_store(&knobs->fail_with, 0x21); /* CKR_DATA_LEN_RANGE */
	atomic_store(&knobs->fail_signs, 1);
	CHECK_FAILS(sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e), &e,
		    ERR_TOKEN, "C_Sign");
	CU_ASSERT_EQUAL(e.native, 0x21);
	token_get_info(t, &info);
	CU_ASSERT_EQUAL(info.generation, 1);
	CU_ASSERT_EQUAL(info.signatures, 0);
	token_key_unref(k);
	token_free(t);
}

/* Losing the connection again and again while many threads sign. */
static void test_losses_under_load(void)
{
	struct error e = ERROR_INIT;
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct timespec nap = { 0, 80000000L };
	struct signing s[6];
	pthread_t ids[6];
	struct token_info info;
	struct token_key *k;
	struct token *t;
	int failures = 0;

	o.wait_ms = 10000;
	t = open_with(&o);
	k = make_key(t);
	atomic_store(&knobs->fail_with, 0x32);
	for (int i = 0; i < 6; i++) {
		memset(&s[i], 0, sizeof(s[i]));
		s[i].key = k;
		s[i].count = 1000;
		pthread_create(&ids[i], NULL, sign_many, &s[i]);
	}
	for (int i = 0; i < 8; i++) {
		atomic_store(&knobs->fail_signs, 1);
		nanosleep(&nap, NULL);
	}
	for (int i = 0; i < 6; i++) {
		pthread_join(ids[i], NULL);
		failures += s[i].failures;
	}
	CU_ASSERT_EQUAL(failures, 0);
	CU_ASSERT(wait_for_state(t, TOKEN_READY));
	CHECK_OK(sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e), &e);
	token_get_info(t, &info);
	CU_ASSERT(info.generation > 2);
	token_key_unref(k);
	token_free(t);
}

/* --- other processes */

static int second_process(const struct token_options *o)
{
	struct error e = ERROR_INIT;
	struct token *t = token_new(o, &e);
	struct token_key *k = NULL;
	int rc = 1;

	if (t && token_start(t, &e) == 0)
		k = token_key_generate(t, KEY_KIND_EC_P256, "second", &e);
	if (k && sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e) == 0)
		rc = 0;
	if (rc)
		fprintf(stderr, "# second process: %s\n", e.text);
	token_key_unref(k);
	token_free(t);
	return rc;
}

/* Several at once: the lock keeps their logins apart. */
static void test_other_processes(void)
{
	enum { PROCESSES = 4 };
	struct test_token place;
	struct token_options o;
	struct error e = ERROR_INIT;
	struct token_key *k;
	struct token *t;
	pid_t pids[PROCESSES];

	test_token_make(&place);
	o = test_token_options(&place);
	fflush(stdout);
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(second_process(&o));
	}
	t = open_with(&o);
	k = make_key(t);
	for (int i = 0; i < PROCESSES; i++) {
		int status = -1;

		waitpid(pids[i], &status, 0);
		CU_ASSERT_EQUAL(status, 0);
		CHECK_OK(sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e), &e);
	}
	token_key_unref(k);
	token_free(t);
}

static void test_lock_held_elsewhere(void)
{
	struct error e = ERROR_INIT;
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct token *t;
	pid_t pid = fork();

	if (pid == 0) {
		execlp("flock", "flock", place.lock_file, "sleep", "10.5",
		       (char *)NULL);
		_exit(127);
	}
	sleep(1);
	t = token_new(&o, &e);
	CHECK_OBJECT(t, &e);
	CHECK_OK(token_start(t, &e), &e); /* after nine seconds or so */
	CU_ASSERT_EQUAL(atomic_load(&knobs->logins), 1);
	token_free(t);
	waitpid(pid, NULL, 0);
}

/* --- the guarded token.object */

static void damage(const struct test_token *place, off_t size)
{
	char pattern[300];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/tokens/*/token.object",
		 place->dir);
	CU_ASSERT_EQUAL_FATAL(glob(pattern, 0, NULL, &found), 0);
	CU_ASSERT_EQUAL(truncate(found.gl_pathv[0], size), 0);
	globfree(&found);
}

static void test_emptied_token_object(void)
{
	static const off_t sizes[] = { 0, 1, 8, 100, 200, 319 };
	struct error e = ERROR_INIT;
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct token *t = open_with(&o);
	struct token_key *k = make_key(t);
	struct public_key pub = *token_key_public(k);

	token_key_unref(k);
	token_free(t);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		damage(&place, sizes[i]);
		t = open_with(&o);
		k = token_key_find(t, &pub, &e);
		CHECK_OBJECT(k, &e);
		CHECK_OK(sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e), &e);
		token_key_unref(k);
		token_free(t);
	}
	/* without the guard it is lost: the test can fail */
	damage(&place, 0);
	o.softhsm_conf = NULL;
	t = token_new(&o, &e);
	CHECK_OBJECT(t, &e);
	CHECK_FAILS(token_start(t, &e), &e, ERR_TOKEN, "no token");
	token_free(t);
}

/* Killed while logging in, again and again: the token is there afterwards. */
static void test_killed_in_login(void)
{
	enum { ROUNDS = 25 };
	struct test_token place;
	struct token_options o;
	unsigned emptied = 0;

	test_token_make(&place);
	o = test_token_options(&place);
	token_free(open_with(&o));
	fflush(stdout);
	for (int i = 0; i < ROUNDS; i++) {
		struct timespec nap = { 0, (i * 700 + 500) * 1000L };
		pid_t pid = fork();

		if (pid == 0)
			for (;;) {
				struct error e = ERROR_INIT;
				struct token *t = token_new(&o, &e);

				if (!t || token_start(t, &e) < 0)
					_exit(1);
				token_free(t);
			}
		nanosleep(&nap, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		emptied += test_run("find %s/tokens -name token.object "
				    "-size 0 | grep -q .",
				    place.dir) == 0;
		token_free(open_with(&o));
	}
	unit_note("token.object emptied in %u of %d rounds", emptied, ROUNDS);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "bad-options", test_bad_options },
		{ "bad-module", test_bad_module },
		{ "session-limits", test_session_limits },
		{ "info-and-mechanisms", test_info_and_mechanisms },
		{ "one-login", test_one_login },
		{ "wrong-pin-is-tried-once", test_wrong_pin_is_tried_once },
		{ "wrong-pin-in-new-files", test_wrong_pin_in_new_files },
		{ "damaged-mark", test_damaged_mark },
		{ "mark-cannot-be-written", test_mark_cannot_be_written },
		{ "credential-is-told", test_credential_is_told },
		{ "mended-pin-is-noticed", test_mended_pin_is_noticed },
		{ "pin-file-rows", test_pin_file_rows },
		{ "absent-token-comes", test_absent_token_comes },
		{ "two-tokens-fit", test_two_tokens_fit },
		{ "exhausted-pool", test_exhausted_pool },
		{ "more-threads-than-sessions",
		  test_more_threads_than_sessions },
		{ "scarce-sessions", test_scarce_sessions },
		{ "lost-connection", test_lost_connection },
		{ "doubtful-answers", test_doubtful_answers },
		{ "spent-session", test_spent_session },
		{ "many-doubts", test_many_doubts },
		{ "caller-error", test_caller_error },
		{ "losses-under-load", test_losses_under_load },
		{ "other-processes", test_other_processes },
		{ "lock-held-elsewhere", test_lock_held_elsewhere },
		{ "emptied-token-object", test_emptied_token_object },
		{ "killed-in-login", test_killed_in_login },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "pkcs11-token", tests, setup, NULL);
}
