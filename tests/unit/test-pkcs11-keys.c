/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "pkcs11/internal.h"
#include "tests/lib/test_token.h"
#include "tests/lib/unit.h"
#include "tests/unit/pkcs11_helpers.h"
#include "tests/unit/pkcs11_wrapper.h"

static struct test_token place;
static struct token *token;
static struct wrapper_knobs *knobs;

static int setup(void)
{
	struct token_options o;
	struct error e = ERROR_INIT;

	knobs = wrapper_load();
	test_token_make(&place);
	o = test_token_options(&place);
	o.module = wrapper_path();
	token = token_new(&o, &e);
	if (token && token_start(token, &e) == 0)
		return 0;
	fprintf(stderr, "%s\n", e.text);
	return -1;
}

static int teardown(void)
{
	token_free(token);
	return 0;
}

static size_t count_keys(void)
{
	struct error e = ERROR_INIT;
	size_t n = 0;

	CHECK_OK(token_key_list(token, NULL, 0, &n, &e), &e);
	return n;
}

static const enum hash_alg hashes[] = { HASH_SHA256, HASH_SHA384, HASH_SHA512 };

static void check_signs(struct token_key *k)
{
	struct error e = ERROR_INIT;

	for (size_t i = 0; i < 3; i++) {
		if (token_key_public(k)->type == KEY_EC) {
			CHECK_OK(sign_and_verify(k, SIGN_ECDSA, hashes[i], &e),
				 &e);
			continue;
		}
		CHECK_OK(sign_and_verify(k, SIGN_RSA_PKCS1, hashes[i], &e), &e);
		CHECK_OK(sign_and_verify(k, SIGN_RSA_PSS, hashes[i], &e), &e);
	}
}

static void check_protection(struct token_key *k, bool generated)
{
	struct error e = ERROR_INIT;
	struct token_key_info info;

	CHECK_OK(token_key_get_info(k, &info, &e), &e);
	CU_ASSERT(info.sensitive);
	CU_ASSERT(!info.extractable);
	CU_ASSERT_EQUAL(info.local, generated);
	CU_ASSERT_EQUAL(info.always_sensitive, generated);
	CU_ASSERT_EQUAL(info.never_extractable, generated);
	CU_ASSERT(info.supported);
	CU_ASSERT(public_key_equal(&info.pub, token_key_public(k)));
	CU_ASSERT_EQUAL(info.id.len, SHA1_SIZE);
	CU_ASSERT_EQUAL(memcmp(info.id.bytes, info.pub.id, SHA1_SIZE), 0);
	CU_ASSERT_STRING_EQUAL(info.label, "sealbridge local key");
}

static void test_generate_each_kind(void)
{
	for (int kind = 0; kind < KEY_KIND_COUNT; kind++) {
		struct error e = ERROR_INIT;
		struct token_key *k = token_key_generate(
		    token, (enum key_kind)kind, "sealbridge local key", &e);
		bool ec = key_kind_type((enum key_kind)kind) == KEY_EC;

		CHECK_OBJECT(k, &e);
		CU_ASSERT_EQUAL(token_key_public(k)->bits,
				key_kind_bits((enum key_kind)kind));
		CU_ASSERT_EQUAL(token_key_can(k, SIGN_ECDSA), ec);
		CU_ASSERT_EQUAL(token_key_can(k, SIGN_RSA_PKCS1), !ec);
		CU_ASSERT_EQUAL(token_key_can(k, SIGN_RSA_PSS), !ec);
		check_signs(k);
		check_protection(k, true);
		token_key_unref(k);
	}
}

static const struct {
	enum key_type type;
	unsigned bits;
} imports[] = {
	{ KEY_RSA, 2048 },
	{ KEY_RSA, 3072 },
	{ KEY_EC, 256 },
	{ KEY_EC, 384 },
};

static void test_import_each_kind(void)
{
	for (size_t i = 0; i < sizeof(imports) / sizeof(imports[0]); i++) {
		struct error e = ERROR_INIT;
		struct token_key *k, *again;
		struct key_material m;
		bool created = false;

		make_material(&m, imports[i].type, imports[i].bits);
		k = token_key_import(token, &m, "sealbridge local key",
				     &created, &e);
		CHECK_OBJECT(k, &e);
		CU_ASSERT(created);
		check_signs(k);
		check_protection(k, false);
		again = token_key_import(token, &m, "other", &created, &e);
		CHECK_OBJECT(again, &e);
		CU_ASSERT(!created);
		CU_ASSERT_PTR_EQUAL(again, k);
		token_key_unref(again);
		token_key_unref(k);
		key_material_free(&m);
	}
}

/* --- the other ways in */

static void import_and_sign(enum key_type type, unsigned bits)
{
	struct error e = ERROR_INIT;
	struct key_material m;
	struct token_key *k;

	make_material(&m, type, bits);
	k = token_key_import(token, &m, "sealbridge local key", NULL, &e);
	CHECK_OBJECT(k, &e);
	check_signs(k);
	check_protection(k, false);
	token_key_unref(k);
	CHECK_OK(token_key_delete(token, &m.pub, &e), &e);
	key_material_free(&m);
}

static void test_import_by_unwrapping(void)
{
	atomic_store(&knobs->refuse_private, 1);
	for (size_t i = 0; i < sizeof(imports) / sizeof(imports[0]); i++)
		import_and_sign(imports[i].type, imports[i].bits);
	atomic_store(&knobs->refuse_secret, 1); /* then by RSA-OAEP */
	import_and_sign(KEY_RSA, 2048);
	import_and_sign(KEY_EC, 384);
	atomic_store(&knobs->refuse_secret, 0);
	atomic_store(&knobs->refuse_private, 0);
}

static void test_import_refused(void)
{
	size_t keys = count_keys();
	int publics = listed("Public Key Object");
	struct error e = ERROR_INIT;
	struct key_material m;

	make_material(&m, KEY_EC, 256);
	atomic_store(&knobs->refuse_private, 1);
	atomic_store(&knobs->refuse_unwrap, 1);
	CU_ASSERT_PTR_NULL(token_key_import(token, &m, "x", NULL, &e));
	unit_check_error(&e, ERR_UNSUPPORTED, "importing the key", __FILE__,
			 __LINE__);
	atomic_store(&knobs->refuse_private, 0);
	atomic_store(&knobs->refuse_unwrap, 0);
	CU_ASSERT_EQUAL(count_keys(), keys);
	CU_ASSERT_EQUAL(listed("Public Key Object"), publics);
	key_material_free(&m);
}

/* Private numbers that are not those of the public half: the trial signature
 * tells, and nothing stays behind. */
static void test_import_mismatch(void)
{
	size_t keys = count_keys();
	int publics = listed("Public Key Object");
	struct error e = ERROR_INIT;
	struct key_material a, b;
	bool created = true;

	make_material(&a, KEY_EC, 256);
	make_material(&b, KEY_EC, 256);
	memcpy(a.d.ptr, b.d.ptr, a.d.len < b.d.len ? a.d.len : b.d.len);
	CU_ASSERT_PTR_NULL(token_key_import(token, &a, "x", &created, &e));
	CU_ASSERT_EQUAL(e.kind, ERR_KEY_MISMATCH);
	CU_ASSERT(!created);
	CU_ASSERT_EQUAL(count_keys(), keys);
	CU_ASSERT_EQUAL(listed("Public Key Object"), publics);
	key_material_free(&a);
	key_material_free(&b);
}

/* --- finding and deleting */

static void test_delete(void)
{
	struct error e = ERROR_INIT;
	struct key_material m;
	struct token_key_info info;
	struct token_key *k, *again;
	size_t keys = count_keys();
	int publics = listed("Public Key Object");

	make_material(&m, KEY_EC, 256);
	k = token_key_import(token, &m, "x", NULL, &e);
	CHECK_OBJECT(k, &e);
	CHECK_OK(sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e), &e);
	CHECK_OK(token_key_delete(token, &m.pub, &e), &e);
	CU_ASSERT_EQUAL(count_keys(), keys);
	CU_ASSERT_EQUAL(listed("Public Key Object"), publics);
	CHECK_FAILS(sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e), &e,
		    ERR_NOT_FOUND, "no such key");
	CHECK_FAILS(token_key_get_info(k, &info, &e), &e, ERR_NOT_FOUND, NULL);
	CHECK_FAILS(token_key_delete(token, &m.pub, &e), &e, ERR_NOT_FOUND,
		    NULL);
	CU_ASSERT_PTR_NULL(token_key_find(token, &m.pub, &e));
	CU_ASSERT_EQUAL(e.kind, ERR_NOT_FOUND);
	/* the same key comes back: the old reference serves again */
	again = token_key_import(token, &m, "x", NULL, &e);
	CHECK_OBJECT(again, &e);
	CHECK_OK(sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e), &e);
	CHECK_OK(token_key_delete(token, &m.pub, &e), &e);
	token_key_unref(again);
	token_key_unref(token_key_ref(k));
	token_key_unref(k);
	key_material_free(&m);
}

static int keypairgen(const char *type, const char *id, const char *label)
{
	return test_run("pkcs11-tool --module %s --login --pin %s --keypairgen "
			"--key-type %s --id %s --label '%s' >/dev/null 2>&1",
			TEST_TOKEN_MODULE, TEST_TOKEN_PIN, type, id, label);
}

/* Keys that somebody else provisioned, with a CKA_ID of their own choice. */
static void test_foreign_keys(void)
{
	static struct token_key_info infos[64];
	struct error e = ERROR_INIT;
	unsigned seen = 0;
	size_t n, few;

	CU_ASSERT_EQUAL_FATAL(keypairgen("EC:prime256v1", "a1", "mine"), 0);
	CU_ASSERT_EQUAL_FATAL(keypairgen("rsa:2048", "a2", "mine"), 0);
	CU_ASSERT_EQUAL_FATAL(keypairgen("rsa:1024", "a3", "short"), 0);
	CU_ASSERT_EQUAL_FATAL(keypairgen("EC:secp521r1", "a4", "curve"), 0);
	CHECK_OK(token_key_list(token, infos, 64, &n, &e), &e);
	for (size_t i = 0; i < n && i < 64; i++) {
		const struct token_key_info *info = &infos[i];
		struct token_key *k;

		if (info->id.len != 1)
			continue;
		seen++;
		CU_ASSERT_EQUAL(info->supported, info->id.bytes[0] <= 0xa2);
		if (!info->supported)
			continue;
		CU_ASSERT_STRING_EQUAL(info->label, "mine");
		k = token_key_find(token, &info->pub, &e);
		CHECK_OBJECT(k, &e);
		check_signs(k);
		token_key_unref(k);
	}
	CU_ASSERT_EQUAL(seen, 4);
	CHECK_OK(token_key_list(token, infos, 1, &few, &e), &e);
	CU_ASSERT_EQUAL(few, n);
}

/* --- session copies */

static struct token_key *fresh_key(void)
{
	struct error e = ERROR_INIT;
	struct token_key *k = token_key_generate(token, KEY_KIND_EC_P256,
						 "sealbridge local key", &e);

	CHECK_OBJECT(k, &e);
	CHECK_OK(sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e), &e);
	return k;
}

static void test_session_copy(void)
{
	int before = atomic_load(&knobs->copies);
	struct token_key *k = fresh_key();

	CU_ASSERT_EQUAL(atomic_load(&knobs->copies), before + 1);
	token_key_unref(k);
	CU_ASSERT_EQUAL(atomic_load(&knobs->copies), before);
}

static void test_no_session_copy(void)
{
	int before = atomic_load(&knobs->copies);
	struct token_key *k;

	atomic_store(&knobs->refuse_copy, 1);
	k = fresh_key();
	CU_ASSERT_EQUAL(atomic_load(&knobs->copies), before);
	token_key_unref(k);
	atomic_store(&knobs->refuse_copy, 0);
	/* one that could be extracted is not used */
	atomic_store(&knobs->naked_copy, 1);
	k = fresh_key();
	CU_ASSERT_EQUAL(atomic_load(&knobs->copies), before);
	token_key_unref(k);
	atomic_store(&knobs->naked_copy, 0);
}

/* --- what a token cannot do */

static void test_scheme_refused(void)
{
	struct error e = ERROR_INIT;
	struct token_key *k;

	atomic_store(&knobs->refuse_pss, 1);
	k = token_key_generate(token, KEY_KIND_RSA2048, "x", &e);
	CHECK_OBJECT(k, &e);
	CU_ASSERT(token_key_can(k, SIGN_RSA_PKCS1));
	CU_ASSERT(!token_key_can(k, SIGN_RSA_PSS));
	CU_ASSERT(!token_key_can(k, SIGN_ECDSA));
	CHECK_FAILS(sign_and_verify(k, SIGN_RSA_PSS, HASH_SHA256, &e), &e,
		    ERR_UNSUPPORTED, "CKM_RSA_PKCS_PSS");
	CHECK_FAILS(sign_and_verify(k, SIGN_ECDSA, HASH_SHA256, &e), &e,
		    ERR_UNSUPPORTED, "CKM_ECDSA");
	CHECK_OK(sign_and_verify(k, SIGN_RSA_PKCS1, HASH_SHA256, &e), &e);
	atomic_store(&knobs->refuse_pss, 0);
	token_key_unref(k);
}

/* Asked for its private value, the token refuses; another program sees why. */
static void test_not_extractable(void)
{
	static const CK_ATTRIBUTE_TYPE secrets[] = { CKA_VALUE,
						     CKA_PRIVATE_EXPONENT,
						     CKA_PRIME_1 };
	struct token_key *k = fresh_key();
	char id[2 * SHA1_SIZE + 1];
	struct error e = ERROR_INIT;
	CK_OBJECT_HANDLE o;
	struct session s;

	CHECK_OK(pool_take(token, &s, &e), &e);
	CHECK_OK(key_find_private(&s, token_key_public(k), &o, &e), &e);
	for (size_t i = 0; i < 3; i++) {
		uint8_t value[512];
		CK_ATTRIBUTE a = { secrets[i], value, sizeof(value) };

		CU_ASSERT_NOT_EQUAL(
		    CALL(s.c, C_GetAttributeValue, s.h, o, &a, 1), CKR_OK);
	}
	pool_give(token, &s);
	hex_encode(token_key_public(k)->id, SHA1_SIZE, id);
	CU_ASSERT_EQUAL(
	    test_run("pkcs11-tool --module %s --login --pin %s --list-objects "
		     "--type privkey --id %s 2>/dev/null | "
		     "grep -q 'Access:.*sensitive, always sensitive, "
		     "never extract'",
		     TEST_TOKEN_MODULE, TEST_TOKEN_PIN, id),
	    0);
	token_key_unref(k);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "generate-each-kind", test_generate_each_kind },
		{ "import-each-kind", test_import_each_kind },
		{ "import-by-unwrapping", test_import_by_unwrapping },
		{ "import-refused", test_import_refused },
		{ "import-mismatch", test_import_mismatch },
		{ "delete", test_delete },
		{ "foreign-keys", test_foreign_keys },
		{ "session-copy", test_session_copy },
		{ "no-session-copy", test_no_session_copy },
		{ "scheme-refused", test_scheme_refused },
		{ "not-extractable", test_not_extractable },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "pkcs11-keys", tests, setup, teardown);
}
