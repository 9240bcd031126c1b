/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/room.h"
#include "base/secret.h"
#include "tests/lib/unit.h"

static void test_error_prefix(void)
{
	struct error e = ERROR_INIT;

	CU_ASSERT_EQUAL(error_set_native(&e, ERR_TOKEN, 0x30, "gone"), -1);
	error_prefix(&e, "signing %s", "x");
	CU_ASSERT_STRING_EQUAL(e.text, "signing x: gone");
	CU_ASSERT_EQUAL(e.kind, ERR_TOKEN);
	CU_ASSERT_EQUAL(e.native, 0x30);
}

static void test_error_kinds_have_names(void)
{
	for (int k = 0; k < ERR_KIND_COUNT; k++)
		CU_ASSERT_STRING_NOT_EQUAL(error_kind_name((enum error_kind)k),
					   "unknown");
	CU_ASSERT_STRING_EQUAL(error_kind_name(ERR_KIND_COUNT), "unknown");
}

static void test_error_long_text(void)
{
	struct error e = ERROR_INIT;
	char longer[2 * ERROR_TEXT_MAX];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	error_set(&e, ERR_INPUT, "%s", longer);
	CU_ASSERT_EQUAL(strlen(e.text), ERROR_TEXT_MAX - 1);
	error_prefix(&e, "%s", longer);
	CU_ASSERT_EQUAL(strlen(e.text), ERROR_TEXT_MAX - 1);
}

static void test_error_from_errno(void)
{
	static const struct {
		int number;
		enum error_kind kind;
	} rows[] = {
		{ ENOMEM, ERR_NOMEM }, { ENOSPC, ERR_FULL },
		{ EDQUOT, ERR_FULL },  { EIO, ERR_IO },
		{ EACCES, ERR_IO },
	};
	struct error e = ERROR_INIT;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		errno = rows[i].number;
		CU_ASSERT_EQUAL(error_errno(&e, "file %d", 7), -1);
		CU_ASSERT_EQUAL(e.kind, rows[i].kind);
		CU_ASSERT_EQUAL(e.native, rows[i].number);
		CU_ASSERT_EQUAL(strncmp(e.text, "file 7: ", 8), 0);
	}
}

/* Cause and cure, for a directory, a file in it, and what is not there. */
static void test_room(void)
{
	struct error e = ERROR_INIT;
	uint64_t left = 0;

	CHECK_OK(room_left("/", &left, &e), &e);
	CU_ASSERT(left > 0);
	CHECK_FAILS(room_left("/no/such/place", &left, &e), &e, ERR_IO,
		    "/no/such/place");
	CHECK_FAILS(room_error("/proc/self/status", ENOSPC, &e), &e, ERR_FULL,
		    "no room on the file system /proc");
	CU_ASSERT_EQUAL(e.native, ENOSPC);
	CHECK_FAILS(room_error(unit_temp_dir(), 13, &e), &e, ERR_FULL,
		    " kB left): free space there");
	CHECK_FAILS(room_error("/no/such/place", 13, &e), &e, ERR_FULL,
		    "no room at /no/such/place: free space there or delete "
		    "old audit records");
}

static void test_buf_limit(void)
{
	struct error e = ERROR_INIT;
	struct buf b;

	buf_init(&b, 8);
	CHECK_OK(buf_adds(&b, "12345678", &e), &e);
	CHECK_FAILS(buf_adds(&b, "9", &e), &e, ERR_LIMIT, "8 bytes");
	CU_ASSERT_STRING_EQUAL(buf_cstr(&b), "12345678");
	buf_consume(&b, 3);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&b), "45678");
	CHECK_OK(buf_addf(&b, &e, "%d", 12), &e);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&b), "4567812");
	buf_consume(&b, 100);
	CU_ASSERT_EQUAL(b.len, 0);
	buf_free(&b);
	CHECK_FAILS(buf_reserve(&b, SIZE_MAX, &e), &e, ERR_LIMIT, NULL);
}

static void test_hex(void)
{
	static const struct {
		const char *text;
		int want;
	} rows[] = {
		{ "", 0 },    { "00ff", 2 }, { "00FF", 2 },        { "0", -1 },
		{ "0g", -1 }, { "g0", -1 },  { "0011223344", -1 },
	};
	uint8_t out[4];
	char back[9];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT_EQUAL(hex_decode(rows[i].text, out, sizeof(out)),
				rows[i].want);
	hex_encode((const uint8_t *)"\x00\xff\x10\x9a", 4, back);
	CU_ASSERT_STRING_EQUAL(back, "00ff109a");
}

static void test_secret_file(void)
{
	struct error e = ERROR_INIT;
	struct secret s = { 0 };
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/pin", unit_temp_dir());
	CHECK_FAILS(secret_read_file(&s, path, 16, &e), &e, ERR_IO, path);
	f = fopen(path, "w");
	fputs("1234\r\nsecond line\n", f);
	fclose(f);
	chmod(path, 0644);
	CHECK_FAILS(secret_read_file(&s, path, 16, &e), &e, ERR_INPUT,
		    "others may read");
	chmod(path, 0600);
	CHECK_OK(secret_read_file(&s, path, 16, &e), &e);
	CU_ASSERT_EQUAL(s.len, 4);
	CU_ASSERT_STRING_EQUAL((char *)s.ptr, "1234");
	secret_free(&s);
	secret_free(&s);
	CHECK_FAILS(secret_read_file(&s, path, 3, &e), &e, ERR_INPUT,
		    "longer than 3");
	CU_ASSERT_PTR_NULL(s.ptr);
}

static void test_random_text(void)
{
	char a[44], b[44];

	random_text(a, 43);
	random_text(b, 43);
	CU_ASSERT_EQUAL(strlen(a), 43);
	CU_ASSERT_STRING_NOT_EQUAL(a, b);
	CU_ASSERT_EQUAL(strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
				  "stuvwxyz0123456789-_"),
			43);
}

static void test_clock(void)
{
	char out[CLOCK_ISO8601_SIZE];
	time_t before = clock_now();

	clock_format_xmlrpc(1795252500, out);
	CU_ASSERT_STRING_EQUAL(out, "20261121T09:15:00");
	clock_format_rfc3339(1795252500, out);
	CU_ASSERT_STRING_EQUAL(out, "2026-11-21T09:15:00Z");
	clock_set_offset(60 * 86400);
	CU_ASSERT(clock_now() - before >= 60 * 86400);
	clock_set_offset(0);
	CU_ASSERT(clock_now() - before < 86400);
}

static void test_digest_info(void)
{
	/* The DER must say the algorithm and end in the digest itself. */
	static const enum hash_alg algs[] = { HASH_SHA1, HASH_SHA256,
					      HASH_SHA384, HASH_SHA512 };
	uint8_t digest[SHA512_SIZE], out[DIGEST_INFO_MAX];

	for (size_t i = 0; i < sizeof(algs) / sizeof(*algs); i++) {
		size_t n, size = hash_size(algs[i]);

		hash_of(algs[i], view_str("abc"), digest);
		n = digest_info(algs[i], digest, out);
		CU_ASSERT_EQUAL(out[0], 0x30);
		CU_ASSERT_EQUAL(out[1], n - 2);
		CU_ASSERT_EQUAL(out[n - size - 1], size);
		CU_ASSERT(!memcmp(out + n - size, digest, size));
	}
}

static void test_hash_secret(void)
{
	uint8_t salt[HASH_SALT_SIZE] = { 1 }, other[HASH_SALT_SIZE] = { 2 };
	uint8_t first[SHA256_SIZE], again[SHA256_SIZE];
	struct error e = ERROR_INIT;

	CHECK_OK(hash_secret(view_str("4711"), salt, first, &e), &e);
	CHECK_OK(hash_secret(view_str("4711"), salt, again, &e), &e);
	CU_ASSERT(secret_equal(first, again, SHA256_SIZE));
	CHECK_OK(hash_secret(view_str("4712"), salt, again, &e), &e);
	CU_ASSERT(!secret_equal(first, again, SHA256_SIZE));
	CHECK_OK(hash_secret(view_str("4711"), other, again, &e), &e);
	CU_ASSERT(!secret_equal(first, again, SHA256_SIZE));
	CU_ASSERT(secret_equal("ab", "ac", 1));
	CU_ASSERT(!secret_equal("ab", "ac", 2));
	CU_ASSERT(secret_equal("a", "b", 0));
}

static void test_public_key_values(void)
{
	static const uint8_t f4[] = { 1, 0, 1 };
	struct error e = ERROR_INIT;
	struct public_key k, again;
	uint8_t n[256], bad_point[65] = { 4 };
	char text[16];

	memset(n, 0xc3, sizeof(n));
	CHECK_OK(
	    public_key_from_rsa(view_of(n, sizeof(n)), view_of(f4, 3), &k, &e),
	    &e);
	CU_ASSERT_EQUAL(k.bits, 2048);
	public_key_describe(&k, text);
	CU_ASSERT_STRING_EQUAL(text, "RSA 2048");
	CHECK_OK(public_key_from_spki(view_of(k.spki, k.spki_len), &again, &e),
		 &e);
	CU_ASSERT(public_key_equal(&k, &again));
	CU_ASSERT(!memcmp(k.id, again.id, SHA1_SIZE));
	CHECK_FAILS(
	    public_key_from_rsa(view_of(n, 128), view_of(f4, 3), &k, &e), &e,
	    ERR_KEY_UNSUPPORTED, "1024 bits");
	CHECK_FAILS(public_key_from_spki(view_of("x", 1), &k, &e), &e, ERR_KEY,
		    "not a public key");
	CHECK_FAILS(public_key_from_ec(256, view_of(bad_point, 65), &k, &e), &e,
		    ERR_KEY, "EC");
}

/* The NULL behind rsaEncryption left out, or bytes behind: the same key must
 * compare equal whoever encoded it, and no other thing must pass for it. */
static void test_public_key_forms(void)
{
	enum { OUTER = 4, ALGORITHM = 15 };
	static const uint8_t f4[] = { 1, 0, 1 };
	struct error e = ERROR_INIT;
	struct public_key k, again;
	uint8_t n[256], der[KEY_SPKI_MAX];

	memset(n, 0xc3, sizeof(n));
	CHECK_OK(
	    public_key_from_rsa(view_of(n, sizeof(n)), view_of(f4, 3), &k, &e),
	    &e);
	CU_ASSERT(!memcmp(k.spki, "\x30\x82\1\x22\x30\x0d\6\x09", 8));
	memcpy(der, k.spki, OUTER + ALGORITHM - 2);
	der[3] -= 2;
	der[5] -= 2;
	memcpy(der + OUTER + ALGORITHM - 2, k.spki + OUTER + ALGORITHM,
	       k.spki_len - OUTER - ALGORITHM);
	CHECK_OK(public_key_from_spki(view_of(der, k.spki_len - 2), &again, &e),
		 &e);
	CU_ASSERT(public_key_equal(&k, &again));
	memcpy(der, k.spki, k.spki_len);
	der[k.spki_len] = 0;
	CHECK_FAILS(
	    public_key_from_spki(view_of(der, k.spki_len + 1), &again, &e), &e,
	    ERR_KEY, "bytes behind");
	CHECK_FAILS(
	    public_key_from_spki(view_of(der, k.spki_len - 1), &again, &e), &e,
	    ERR_KEY, "not a public key");
	der[OUTER + 12] ^= 1; /* another algorithm */
	CHECK_FAILS(public_key_from_spki(view_of(der, k.spki_len), &again, &e),
		    &e, ERR_KEY, "not a public key");
}

static void test_base64(void)
{
	static const struct {
		const char *bytes, *text; /* RFC 4648, 10 */
	} rows[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xff\xfe\xfd", "//79" },
		{ "\xfb\xf0", "+/A=" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct error e = ERROR_INIT;
		uint8_t out[64];
		size_t len = 99, bad = 99;
		struct buf text;

		buf_init(&text, 64);
		CHECK_OK(base64_encode(view_str(rows[i].bytes), &text, &e), &e);
		CU_ASSERT_STRING_EQUAL(buf_cstr(&text), rows[i].text);
		buf_free(&text);
		CU_ASSERT_EQUAL(
		    base64_decode(view_str(rows[i].text), out, &len, &bad), 0);
		CU_ASSERT(view_is(view_of(out, len), rows[i].bytes));
		CU_ASSERT(len <= base64_decoded_max(strlen(rows[i].text)));
	}
}

static void test_base64_spaces(void)
{
	static const char text[] = "\r\n Zm 9v\tYg\n=\n= \n";
	uint8_t out[sizeof(text)];
	size_t len, bad;

	CU_ASSERT_EQUAL(base64_decode(view_str(text), out, &len, &bad), 0);
	CU_ASSERT(view_is(view_of(out, len), "foob"));
}

static void test_base64_refused(void)
{
	static const struct {
		const char *text;
		size_t bad;
	} rows[] = {
		{ "Z", 1 },
		{ "Zm", 2 },
		{ "Zm9", 3 },
		{ "Zm9vY", 5 },
		{ "=", 0 },
		{ "Z===", 1 },
		{ "Zg=", 3 },
		{ "Zg===", 4 },
		{ "Zm8==", 4 },
		{ "Zm9v=", 4 },
		{ "Zg==Zg==", 4 },
		{ "Zm8=v", 4 },
		{ "Zm*v", 2 },
		{ "Zm9v-_", 4 },
		{ "Zm\x0b"
		  "9v",
		  2 },
		{ "Zm9v\xc3\xa4", 4 },
		{ "Z=g=", 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint8_t out[64];
		size_t len, bad = 99;

		CU_ASSERT_EQUAL(
		    base64_decode(view_str(rows[i].text), out, &len, &bad), -1);
		if (bad != rows[i].bad)
			unit_note("row %zu: %zu", i, bad);
		CU_ASSERT_EQUAL(bad, rows[i].bad);
	}
}

static const struct unit_test tests[] = {
	{ "error prefix", test_error_prefix },
	{ "error kinds have names", test_error_kinds_have_names },
	{ "error texts are cut", test_error_long_text },
	{ "error from errno", test_error_from_errno },
	{ "room on file systems", test_room },
	{ "buffer keeps its limit", test_buf_limit },
	{ "hex", test_hex },
	{ "base64", test_base64 },
	{ "base64 with spaces", test_base64_spaces },
	{ "base64 refused", test_base64_refused },
	{ "secret from a file", test_secret_file },
	{ "random text", test_random_text },
	{ "clock", test_clock },
	{ "DigestInfo", test_digest_info },
	{ "hash-secret", test_hash_secret },
	{ "public keys as values", test_public_key_values },
	{ "public keys in other forms", test_public_key_forms },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "base", tests, NULL, NULL);
}
