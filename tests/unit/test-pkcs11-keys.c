/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "pkcs11/keys.h"
#include "tests/lib/test_token.h"
#include "tests/lib/unit.h"
#include "tests/unit/pkcs11_helpers.h"

static struct test_token place;
static struct token *token;

static int setup(void)
{
	test_token_make(&place);
	token = test_token_open(&place);
	return 0;
}

static int teardown(void)
{
	token_free(token);
	return 0;
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

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "generate-each-kind", test_generate_each_kind },
		{ "import-each-kind", test_import_each_kind },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "pkcs11-keys", tests, setup, teardown);
}
