/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/unit.h"
#include "tests/unit/pkcs11_helpers.h"
#include "tests/unit/pkcs11_place.h"

/* The life of a token: options, absence. Each test has a token of its own. */

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

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "bad-options", test_bad_options },
		{ "bad-module", test_bad_module },
		{ "session-limits", test_session_limits },
		{ "info-and-mechanisms", test_info_and_mechanisms },
		{ "absent-token-comes", test_absent_token_comes },
		{ "two-tokens-fit", test_two_tokens_fit },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "pkcs11-token", tests, place_setup, NULL);
}
