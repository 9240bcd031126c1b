/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "audit/audit_head.h"
#include "base/key_pem.h"
#include "tests/lib/test_certs.h"
#include "tests/lib/unit.h"

static struct audit_head example(const struct test_key *k)
{
	struct signer s = test_key_signer(k);
	struct error e = ERROR_INIT;
	uint8_t digest[SHA256_SIZE], sig[KEY_SIGNATURE_MAX];
	struct audit_head h = {
		.counter = 3,
		.record = 0x0102030405060708,
		.first = 17,
		.at = 1764000000,
	};

	memset(h.hash, 0xaa, sizeof(h.hash));
	memset(h.anchor, 0xbb, sizeof(h.anchor));
	memcpy(h.key_id, s.pub.id, sizeof(h.key_id));
	audit_head_digest(&h, digest);
	CHECK_OK(s.sign(s.arg, SIGN_ECDSA, HASH_SHA256, digest, sig,
			&h.signature_len, &e),
		 &e);
	CU_ASSERT_FATAL(h.signature_len <= sizeof(h.signature));
	memcpy(h.signature, sig, h.signature_len);
	return h;
}

/* What others may have checked or built must never change. */
static void test_signed_bytes(void)
{
	struct audit_head h = { .counter = 3,
				.record = 0x0102030405060708,
				.first = 17,
				.at = 1764000000 };
	uint8_t bytes[AUDIT_HEAD_SIGNED_SIZE];
	char hex[2 * AUDIT_HEAD_SIGNED_SIZE + 1];

	memset(h.hash, 0xaa, sizeof(h.hash));
	memset(h.anchor, 0xbb, sizeof(h.anchor));
	memset(h.key_id, 0xcc, sizeof(h.key_id));
	audit_head_signed_bytes(&h, bytes);
	hex_encode(bytes, sizeof(bytes), hex);
	CU_ASSERT_STRING_EQUAL(
	    hex,
	    "7365616c6272696467652061756469742068656164203100"
	    "0000000000000003"
	    "0102030405060708"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "0000000000000011"
	    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	    "0000000069248100"

	    "cccccccccccccccccccccccccccccccccccccccc");
}

static void test_every_byte_counts(void)
{
	const struct test_key *k = test_key("ecP256", 0);
	struct audit_head h = example(k), bad;
	uint8_t bytes[AUDIT_HEAD_ENCODED_MAX];
	struct error e = ERROR_INIT;
	struct public_key pub;
	size_t n = audit_head_encode(&h, bytes);

	test_key_public(k, &pub);
	CHECK_OK(audit_head_check(&h, &pub, &e), &e);
	for (size_t i = 24; i < n; i++) {
		bytes[i] ^= 1;
		if (audit_head_decode(view_of(bytes, n), &bad, &e) == 0)
			CU_ASSERT_EQUAL(audit_head_check(&bad, &pub, &e), -1);
		bytes[i] ^= 1;
	}
	CHECK_OK(audit_head_decode(view_of(bytes, n), &bad, &e), &e);
	CHECK_OK(audit_head_check(&bad, &pub, &e), &e);
	CU_ASSERT_EQUAL(bad.counter, 3);
	CU_ASSERT_EQUAL(bad.record, 0x0102030405060708);
	CU_ASSERT_EQUAL(bad.first, 17);
	CU_ASSERT_EQUAL(bad.at, 1764000000);
}

static void test_other_keys(void)
{
	static const char *const kinds[] = { "ecP256", "ecP384", "rsa2048" };
	struct audit_head h = example(test_key("ecP256", 0));
	struct error e = ERROR_INIT;
	struct public_key pub;

	for (size_t i = 0; i < 3; i++) {
		test_key_public(test_key(kinds[i], 5), &pub);
		CHECK_FAILS(audit_head_check(&h, &pub, &e), &e,
			    ERR_KEY_MISMATCH, "key");
		/* who claims the other's name */
		memcpy(pub.id, h.key_id, sizeof(pub.id));
		CHECK_FAILS(audit_head_check(&h, &pub, &e), &e,
			    ERR_KEY_MISMATCH, "key");
	}
	h.signature_len = 0;
	test_key_public(test_key("ecP256", 0), &pub);
	CHECK_FAILS(audit_head_check(&h, &pub, &e), &e, ERR_KEY_MISMATCH,
		    "signature");
}

static void test_decode_refuses(void)
{
	struct audit_head h = example(test_key("ecP256", 0)), out;
	uint8_t good[AUDIT_HEAD_ENCODED_MAX], bytes[400] = { 0 };
	size_t n = audit_head_encode(&h, good);
	static const struct {
		size_t at;
		uint8_t value;
	} numbers[] = { { 24, 0x80 }, { 32, 0xff } };
	struct error e = ERROR_INIT;

	memcpy(bytes, good, n);
	for (size_t len = 0; len <= AUDIT_HEAD_SIGNED_SIZE; len++)
		CHECK_FAILS(audit_head_decode(view_of(bytes, len), &out, &e),
			    &e, ERR_INPUT, "not a head");
	CHECK_FAILS(audit_head_decode(
			view_of(bytes, AUDIT_HEAD_ENCODED_MAX + 1), &out, &e),
		    &e, ERR_INPUT, "not a head");
	bytes[0] ^= 0x20;
	CHECK_FAILS(audit_head_decode(view_of(bytes, n), &out, &e), &e,
		    ERR_INPUT, "not a head");
	for (size_t i = 0; i < 2; i++) {
		memcpy(bytes, good, n);
		bytes[numbers[i].at] = numbers[i].value;
		CHECK_FAILS(audit_head_decode(view_of(bytes, n), &out, &e), &e,
			    ERR_INPUT, "impossible");
		memset(bytes + numbers[i].at, 0, 8);
		CHECK_FAILS(audit_head_decode(view_of(bytes, n), &out, &e), &e,
			    ERR_INPUT, "impossible");
	}
}

/* --- the key as text */

static void test_pem_there_and_back(void)
{
	static const char *const kinds[] = { "ecP256", "ecP384", "rsa2048",
					     "rsa4096" };
	struct error e = ERROR_INIT;

	for (size_t i = 0; i < 4; i++) {
		const struct test_key *k = test_key(kinds[i], 0);
		char *theirs = test_key_pem(k, "public", NULL, NULL);
		struct public_key pub, back;
		struct buf text;

		buf_init(&text, PUBLIC_KEY_PEM_MAX);
		test_key_public(k, &pub);
		CHECK_OK(public_key_to_pem(&pub, &text, &e), &e);
		CU_ASSERT_STRING_EQUAL(buf_cstr(&text), theirs);
		CHECK_OK(public_key_from_pem(buf_view(&text), &back, &e), &e);
		CU_ASSERT(public_key_equal(&pub, &back));
		buf_free(&text);
		free(theirs);
	}
}

static void test_pem_refuses(void)
{
	static const struct {
		const char *text, *words;
		enum error_kind kind;
	} rows[] = {
		{ "", "BEGIN", ERR_INPUT },
		{ "-----BEGIN CERTIFICATE-----\nAAAA\n"
		  "-----END CERTIFICATE-----\n",
		  "BEGIN", ERR_INPUT },
		{ "-----BEGIN PUBLIC KEY-----\nAAAA", "END", ERR_INPUT },
		{ "-----BEGIN PUBLIC KEY-----\n!!\n-----END PUBLIC KEY-----",
		  "Base64", ERR_INPUT },
		{ "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
		  "public key", ERR_KEY },
		{ "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
		  "public key", ERR_KEY },
		{ "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"
		  "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
		  "more than one", ERR_INPUT },
	};
	struct public_key out;
	char *ed, *longer;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error e = ERROR_INIT;

		CHECK_FAILS(
		    public_key_from_pem(view_str(rows[i].text), &out, &e), &e,
		    rows[i].kind, rows[i].words);
	}
	ed = test_key_pem(test_key("ed25519", 0), "public", NULL, NULL);
	longer = calloc(1, 5000);
	CU_ASSERT_PTR_NOT_NULL_FATAL(longer);
	strcpy(longer, "-----BEGIN PUBLIC KEY-----\n");
	memset(longer + strlen(longer), 'A', 4800);
	strcat(longer, "-----END PUBLIC KEY-----\n");
	{
		struct error e = ERROR_INIT;

		CHECK_FAILS(public_key_from_pem(view_str(ed), &out, &e), &e,
			    ERR_KEY_UNSUPPORTED, "not used");
		CHECK_FAILS(public_key_from_pem(view_str(longer), &out, &e), &e,
			    ERR_INPUT, "too long");
	}
	free(ed);
	free(longer);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "what is signed never changes", test_signed_bytes },
		{ "every byte of a head counts", test_every_byte_counts },
		{ "heads of other keys are refused", test_other_keys },
		{ "bytes that are no head are refused", test_decode_refuses },
		{ "public keys as text, there and back",
		  test_pem_there_and_back },
		{ "texts that hold no public key", test_pem_refuses },
		{ NULL, NULL }
	};

	return unit_main(argc, argv, "audit head", tests, NULL, NULL);
}
