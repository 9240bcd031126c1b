/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "tests/lib/unit.h"
#include "tests/unit/pkcs11_helpers.h"
#include "tests/unit/pkcs11_place.h"

/* Sessions that are scarce, and connections that are lost. Each test has a
 * token of its own. */

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
	/* Long enough for all of them to come meanwhile. */
	atomic_store(&knobs->sign_delay_ms, 3000);
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
	CU_ASSERT(wait_for_sessions(t, 8)); /* they come back one by one */
	token_get_info(t, &info);
	CU_ASSERT_EQUAL(info.generation, reconnects ? 2 : 1);
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

static uint64_t signatures(struct token *t)
{
	struct token_info info;

	token_get_info(t, &info);
	return info.signatures;
}

/* One signature fails and takes the connection with it. Returns once so many
 * have been made since that whoever it hit has his: a signature survives few
 * losses in a row. */
static void lose_connection(struct token *t)
{
	enum { MADE_SINCE = 100 };
	struct timespec nap = { 0, 5000000L };
	int64_t deadline = clock_monotonic_ms() + 60000;
	uint64_t made;

	atomic_store(&knobs->fail_signs, 1);
	while (atomic_load(&knobs->fail_signs) > 0 &&
	       clock_monotonic_ms() < deadline)
		nanosleep(&nap, NULL);
	made = signatures(t);
	while (signatures(t) < made + MADE_SINCE &&
	       clock_monotonic_ms() < deadline)
		nanosleep(&nap, NULL);
	CU_ASSERT(signatures(t) >= made + MADE_SINCE);
}

/* Losing the connection again and again while many threads sign. */
static void test_losses_under_load(void)
{
	struct error e = ERROR_INIT;
	struct test_token place;
	struct token_options o = wrapped(&place);
	struct signing s[6];
	pthread_t ids[6];
	struct token_info info;
	struct token_key *k;
	struct token *t;
	int failures = 0;

	o.wait_ms = 60000;
	t = open_with(&o);
	k = make_key(t);
	atomic_store(&knobs->fail_with, 0x32);
	for (int i = 0; i < 6; i++) {
		memset(&s[i], 0, sizeof(s[i]));
		s[i].key = k;
		s[i].count = 1000;
		pthread_create(&ids[i], NULL, sign_many, &s[i]);
	}
	for (int i = 0; i < 8; i++)
		lose_connection(t);
	for (int i = 0; i < 6; i++) {
		pthread_join(ids[i], NULL);
		if (s[i].failures)
			unit_note("%d: %s", s[i].failures, s[i].e.text);
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

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
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
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "pkcs11-pool", tests, place_setup, NULL);
}
