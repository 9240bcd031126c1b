/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip/digest.h"
#include "tests/lib/unit.h"

/* Digest authentication against the examples of the standards, and what
 * challenges are understood. */

#define NONCE  "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
#define OPAQUE "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
#define OLD    "dcd98b7102dd2f0e8b11d0f600bfb0c093"

struct example {
	const char *challenge;
	struct digest_request request;
	const char *answer;
};

static const struct example examples[] = {
	/* RFC 7616 3.9.1 */
	{ "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "
	  "algorithm=SHA-256, nonce=\"" NONCE "\", opaque=\"" OPAQUE "\"",
	  { "Mufasa", "Circle of Life", "GET", "/dir/index.html", 1, CNONCE },
	  "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "
	  "nonce=\"" NONCE "\", uri=\"/dir/index.html\", "
	  "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5"
	  "856cb6c1\", algorithm=SHA-256, opaque=\"" OPAQUE "\", qop=auth, "
	  "nc=00000001, cnonce=\"" CNONCE "\"" },
	{ "digest REALM=\"http-auth@example.org\",QOP=\"auth-int,AUTH\","
	  "algorithm=md5 , nonce = \"" NONCE "\"",
	  { "Mufasa", "Circle of Life", "GET", "/dir/index.html", 1, CNONCE },
	  "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "
	  "nonce=\"" NONCE "\", uri=\"/dir/index.html\", "
	  "response=\"8ca523f5e9506fed4657c9700eebdbec\", algorithm=MD5, "
	  "qop=auth, nc=00000001, cnonce=\"" CNONCE "\"" },
	/* RFC 2617 3.5, and as RFC 2069 had it without qop. */
	{ "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
	  "nonce=\"" OLD "\"",
	  { "Mufasa", "Circle Of Life", "GET", "/dir/index.html", 1,
	    "0a4f113b" },
	  "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
	  "nonce=\"" OLD "\", uri=\"/dir/index.html\", "
	  "response=\"6629fae49393a05397450978507c4ef1\", algorithm=MD5, "
	  "qop=auth, nc=00000001, cnonce=\"0a4f113b\"" },
	{ "Digest realm=\"testrealm@host.com\", nonce=\"" OLD "\"",
	  { "Mufasa", "Circle Of Life", "GET", "/dir/index.html", 1,
	    "0a4f113b" },
	  "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
	  "nonce=\"" OLD "\", uri=\"/dir/index.html\", "
	  "response=\"670fd8c2df070c60b045671b8b24ff02\", algorithm=MD5" },
};

static void test_examples(void)
{
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		const struct example *x = &examples[i];
		struct digest_challenge c;
		struct error e = ERROR_INIT;
		struct buf out;

		buf_init(&out, DIGEST_VALUE_MAX);
		CHECK_OK(digest_challenge_read(view_str(x->challenge), &c, &e),
			 &e);
		CHECK_OK(digest_answer(&c, &x->request, &out, &e), &e);
		if (strcmp(buf_cstr(&out), x->answer) != 0)
			unit_note("%s", buf_cstr(&out));
		CU_ASSERT_STRING_EQUAL(buf_cstr(&out), x->answer);
		buf_free(&out);
	}
}

/* Quotes and backslashes come back as they were; the count is hexadecimal. */
static void test_quotes(void)
{
	static const char in[] = "Digest realm=\"a\\\"b\\\\c, d=e\", "
				 "nonce=\"\", stale=TRUE, qop=auth";
	const struct digest_request r = { "u\"\\", "pw:\"", "REGISTER",
					  "sip:x", 0x1f,    "abc" };
	struct digest_challenge c;
	struct error e = ERROR_INIT;
	struct buf out;

	CHECK_OK(digest_challenge_read(view_str(in), &c, &e), &e);
	CU_ASSERT_STRING_EQUAL(c.realm, "a\"b\\c, d=e");
	CU_ASSERT_TRUE(c.stale);
	CU_ASSERT_TRUE(c.qop);
	CU_ASSERT_FALSE(c.has_opaque);
	buf_init(&out, DIGEST_VALUE_MAX);
	CHECK_OK(digest_answer(&c, &r, &out, &e), &e);
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(buf_cstr(&out), "username=\"u\\\"\\\\\", "
				   "realm=\"a\\\"b\\\\c, d=e\", nonce=\"\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_cstr(&out), "nc=0000001f"));
	CU_ASSERT_PTR_NULL(strstr(buf_cstr(&out), "pw:"));
	buf_free(&out);
	buf_init(&out, 30);
	CHECK_FAILS(digest_answer(&c, &r, &out, &e), &e, ERR_LIMIT, "");
	buf_free(&out);
}

static const struct {
	const char *in;
	enum error_kind kind;
} refused[] = {
	{ "", ERR_INPUT },
	{ "   ", ERR_INPUT },
	{ "\"Digest\"", ERR_INPUT },
	{ "Digest", ERR_INPUT },
	{ "Digest realm=\"x\"", ERR_INPUT },
	{ "Digest nonce=\"x\"", ERR_INPUT },
	{ "Digest realm=\"x\" nonce=\"y\"", ERR_INPUT },
	{ "Digest realm=\"x\", nonce=\"y", ERR_INPUT },
	{ "Digest realm=\"x\", nonce=\"y\\", ERR_INPUT },
	{ "Digest realm=\"x\", nonce=\"y\\\"", ERR_INPUT },
	{ "Digest realm=\"x\", nonce", ERR_INPUT },
	{ "Digest realm=\"x\", nonce=", ERR_INPUT },
	{ "Digest realm=\"x\", nonce=y z", ERR_INPUT },
	{ "Digest realm=\"x\", =y, nonce=z", ERR_INPUT },
	{ "Digest realm=\"x\", no(nce=y", ERR_INPUT },
	{ "Basic realm=\"x\"", ERR_UNSUPPORTED },
	{ "NTLM", ERR_UNSUPPORTED },
	{ "Digest realm=\"x\", nonce=\"y\", algorithm=SHA-512-256",
	  ERR_UNSUPPORTED },
	{ "Digest realm=\"x\", nonce=\"y\", algorithm=MD5-sess",
	  ERR_UNSUPPORTED },
	{ "Digest realm=\"x\", nonce=\"y\", qop=\"auth-int\"",
	  ERR_UNSUPPORTED },
	{ "Digest realm=\"x\", nonce=\"y\", qop=\"\"", ERR_UNSUPPORTED },
};

static void test_refused(void)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct digest_challenge c;
		struct error e = ERROR_INIT;

		CU_ASSERT_EQUAL(
		    digest_challenge_read(view_str(refused[i].in), &c, &e), -1);
		if (e.kind != refused[i].kind)
			unit_note("%s: %s", refused[i].in, e.text);
		CU_ASSERT_EQUAL(e.kind, refused[i].kind);
	}
}

/* A text of the longest kind passes, one byte more does not, nor does a value
 * without end. */
static void test_long(void)
{
	char in[DIGEST_VALUE_MAX + 2];
	struct digest_challenge c;
	struct error e = ERROR_INIT;

	for (int more = 0; more < 2; more++) {
		int n = DIGEST_TEXT_MAX - 1 + more;

		snprintf(in, sizeof(in), "Digest nonce=n, realm=\"%0*d\"", n,
			 7);
		CU_ASSERT_EQUAL(digest_challenge_read(view_str(in), &c, &e),
				more ? -1 : 0);
		CU_ASSERT_EQUAL(strlen(c.realm), more ? 0 : (size_t)n);
		snprintf(in, sizeof(in), "Digest nonce=n, %0*d=x, realm=r", n,
			 7);
		error_clear(&e);
		CU_ASSERT_EQUAL(digest_challenge_read(view_str(in), &c, &e),
				more ? -1 : 0);
		error_clear(&e);
	}
	memset(in, ',', sizeof(in));
	memcpy(in, "Digest realm=r,nonce=n", 22);
	CHECK_FAILS(
	    digest_challenge_read(view_of(in, DIGEST_VALUE_MAX + 1), &c, &e),
	    &e, ERR_INPUT, "");
	error_clear(&e);
	CHECK_OK(digest_challenge_read(view_of(in, DIGEST_VALUE_MAX), &c, &e),
		 &e);
}

static void test_mutated(void)
{
	static const char bytes[] = "\", =\\a\0\xff\r\n";
	unsigned seed = 7616;

	for (int round = 0; round < 4000; round++) {
		const char *base =
		    examples[(size_t)rand_r(&seed) % 4].challenge;
		size_t n = strlen(base);
		char *in = malloc(n);
		struct digest_challenge c;
		struct error e = ERROR_INIT;

		CU_ASSERT_PTR_NOT_NULL_FATAL(in);
		memcpy(in, base, n);
		for (int i = 0; i < 4; i++)
			in[(size_t)rand_r(&seed) % n] =
			    bytes[(size_t)rand_r(&seed) % (sizeof(bytes) - 1)];
		if (digest_challenge_read(view_of(in, n), &c, &e) == 0) {
			CU_ASSERT_TRUE(strlen(c.realm) < DIGEST_TEXT_MAX);
			CU_ASSERT_TRUE(strlen(c.nonce) < DIGEST_TEXT_MAX);
		} else {
			CU_ASSERT_TRUE(e.kind == ERR_INPUT ||
				       e.kind == ERR_UNSUPPORTED);
		}
		free(in);
	}
}

static const struct unit_test tests[] = {
	{ "examples of the standards", test_examples },
	{ "quotes", test_quotes },
	{ "refused", test_refused },
	{ "long texts", test_long },
	{ "challenges changed at random", test_mutated },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "sip-digest", tests, NULL, NULL);
}
