/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/tls.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/tls_client.h"
#include "tests/lib/unit.h"
#include "tests/unit/tls_fixture.h"

/* --- what must work */

static const struct meeting {
	enum key_kind key;
	bool tls12, tls13;
	const char *suites, *groups;
	enum tls_version version;
	const char *cipher;
} meetings[] = {
	{ KEY_KIND_RSA2048, true, true, NULL, NULL, TLS_1_3,
	  "TLS_CHACHA20_POLY1305_SHA256" },
	{ KEY_KIND_RSA2048, true, false, NULL, NULL, TLS_1_2,
	  "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" },
	{ KEY_KIND_RSA2048, true, false, "ECDHE-RSA-AES256-GCM-SHA384", "P-256",
	  TLS_1_2, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" },
	{ KEY_KIND_RSA2048, false, true, "TLS13-AES256-GCM-SHA384", "P-384",
	  TLS_1_3, "TLS_AES_256_GCM_SHA384" },
	{ KEY_KIND_EC_P256, true, true, NULL, NULL, TLS_1_3,
	  "TLS_CHACHA20_POLY1305_SHA256" },
	{ KEY_KIND_EC_P256, true, false, NULL, NULL, TLS_1_2,
	  "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" },
	{ KEY_KIND_EC_P256, true, false, "ECDHE-ECDSA-AES128-GCM-SHA256",
	  "P-384", TLS_1_2, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" },
	{ KEY_KIND_EC_P256, false, true, "TLS13-AES128-GCM-SHA256", "P-256",
	  TLS_1_3, "TLS_AES_128_GCM_SHA256" },
	{ KEY_KIND_EC_P384, false, true, NULL, NULL, TLS_1_3,
	  "TLS_CHACHA20_POLY1305_SHA256" },
	{ KEY_KIND_EC_P384, true, false, NULL, "P-384", TLS_1_2,
	  "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" },
};

static void check_meeting(const struct meeting *m)
{
	const struct test_client_options o = { .tls12 = m->tls12,
					       .tls13 = m->tls13,
					       .suites = m->suites,
					       .groups = m->groups };
	struct error e = ERROR_INIT;
	struct tls_context *ctx = fixture_context(m->key, TLS_1_2, NULL);
	struct tls_conn *server = open_conn(ctx);
	struct test_client *client = test_client_new(&o, server);
	struct tls_info info;
	size_t n;
	char byte;

	CU_ASSERT_EQUAL(test_client_meet(client, server, &e), TLS_STEP_DONE);
	tls_conn_info(server, &info);
	CU_ASSERT_EQUAL(info.version, m->version);
	CU_ASSERT_STRING_EQUAL(info.cipher, m->cipher);
	CU_ASSERT_FALSE(info.resumed);
	check_echo(client, server);
	tls_conn_trim(server);
	check_echo(client, server);
	test_client_close_notify(client);
	CU_ASSERT_EQUAL(tls_conn_read(server, &byte, 1, &n, &e),
			TLS_STEP_CLOSED);
	test_client_free(client);
	tls_conn_free(server);
	tls_context_unref(ctx);
}

static void test_meetings(void)
{
	for (size_t i = 0; i < sizeof(meetings) / sizeof(meetings[0]); i++)
		check_meeting(&meetings[i]);
}

static void test_large_data(void)
{
	const struct test_client_options o = { .tls13 = true };
	struct tls_context *ctx =
	    fixture_context(KEY_KIND_EC_P256, TLS_1_2, NULL);
	struct tls_conn *server = open_conn(ctx);
	struct test_client *client = test_client_new(&o, server);
	static uint8_t sent[16384], got[16384];
	struct error e = ERROR_INIT;
	size_t at, n;

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 7);
	CU_ASSERT_EQUAL(test_client_meet(client, server, &e), TLS_STEP_DONE);
	CU_ASSERT_EQUAL(test_client_write(client, sent, sizeof(sent)),
			sizeof(sent));
	for (at = 0; at < sizeof(got); at += n)
		if (tls_conn_read(server, got + at, 1000, &n, &e) !=
		    TLS_STEP_DONE)
			break;
	CU_ASSERT_EQUAL(at, sizeof(got));
	CU_ASSERT(!memcmp(sent, got, sizeof(got)));
	CHECK_OK(tls_conn_write(server, sent, sizeof(sent), &e), &e);
	CU_ASSERT_EQUAL(test_client_read(client, got, sizeof(got)),
			sizeof(got));
	CHECK_FAILS(tls_conn_write(server, sent, sizeof(sent) + 1, &e), &e,
		    ERR_INPUT, "16384");
	test_client_free(client);
	tls_conn_free(server);
	tls_context_unref(ctx);
}

/* --- what must be refused */

static const struct refusal {
	enum tls_version minimum;
	struct test_client_options client;
	int alert; /* that the client gets, -1: none */
	const char *words;
} refusals[] = {
	{ TLS_1_2, { .tls11 = true }, 70, "no TLS version in common" },
	{ TLS_1_3, { .tls12 = true }, 70, "no TLS version in common" },
	{ TLS_1_2,
	  { .tls12 = true, .suites = "ECDHE-RSA-AES128-SHA256" },
	  40,
	  "no cipher suite in common" },
	{ TLS_1_2,
	  { .tls12 = true, .suites = "DHE-RSA-AES128-GCM-SHA256" },
	  40,
	  "no cipher suite in common" },
	{ TLS_1_2,
	  { .tls12 = true, .suites = "ECDHE-ECDSA-AES128-GCM-SHA256" },
	  40,
	  "no cipher suite in common" },
	{ TLS_1_2,
	  { .tls13 = true, .trust_nobody = true },
	  -1,
	  "peer sent alert bad_certificate" },
	{ TLS_1_2,
	  { .tls12 = true, .trust_nobody = true },
	  -1,
	  "peer sent alert bad_certificate" },
};

static void check_refusal(const struct refusal *r)
{
	struct error e = ERROR_INIT;
	struct tls_context *ctx =
	    fixture_context(KEY_KIND_RSA2048, r->minimum, NULL);
	struct tls_conn *server = open_conn(ctx);
	struct test_client *client = test_client_new(&r->client, server);

	CU_ASSERT_EQUAL(test_client_meet(client, server, &e), TLS_STEP_FAILED);
	unit_check_error(&e, ERR_TLS, r->words, __FILE__, __LINE__);
	CU_ASSERT_EQUAL(test_client_alert(client), r->alert);
	test_client_free(client);
	tls_conn_free(server);
	tls_context_unref(ctx);
}

static void test_refusals(void)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		check_refusal(&refusals[i]);
}

#define BYTES(s)                 \
	{                        \
		s, sizeof(s) - 1 \
	}

/* First words of strangers. */
static const struct first_words {
	struct {
		const char *ptr;
		size_t len;
	} sent;
	bool eof;
	enum tls_step step;
	const char *words; /* NULL: no failure */
} first_words[] = {
	{ BYTES(""), false, TLS_STEP_WANT_READ, NULL },
	{ BYTES(""), true, TLS_STEP_CLOSED, NULL },
	{ BYTES("\x16"), false, TLS_STEP_WANT_READ, NULL },
	{ BYTES("\x16"), true, TLS_STEP_FAILED,
	  "in the middle of the handshake" },
	{ BYTES("\x16\x03\x01\x00\x40\x01\x00"), true, TLS_STEP_FAILED,
	  "in the middle of the handshake" },
	{ BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), false, TLS_STEP_FAILED,
	  "" },
	{ BYTES("\0\0\0\0\0\0\0\0\0\0"), false, TLS_STEP_FAILED, "" },
	{ BYTES("\x16\x03\x01\xff\xff\x01\x00\x00\x04"), false, TLS_STEP_FAILED,
	  "too long" },
	{ BYTES("\x16\x03\x01\x00\x04\x01\xff\xff\xff"), false, TLS_STEP_FAILED,
	  "" },
	{ BYTES("\x16\x03\x01\x00\x04\x01\x00\x00\x00"), false, TLS_STEP_FAILED,
	  "" },
	{ BYTES("\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03"), false,
	  TLS_STEP_FAILED, "" },
	{ BYTES("\x16\x03\x01\x00\x04\x02\x00\x00\x00"), false, TLS_STEP_FAILED,
	  "" },
	{ BYTES("\x17\x03\x03\x00\x02hi"), false, TLS_STEP_FAILED, "" },
	{ BYTES("\x15\x03\x01\x00\x02\x02\x28"), false, TLS_STEP_FAILED,
	  "peer sent alert handshake_failure" },
	{ BYTES("\x15\x03\x01\x00\x02\x02\xc8"), false, TLS_STEP_FAILED,
	  "peer sent alert 200" },
	{ BYTES("\x15\x03\x01\x00\x02\x01\x00"), false, TLS_STEP_CLOSED, NULL },
	{ BYTES("\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10"), true,
	  TLS_STEP_FAILED, "" },
};

static void test_first_words(void)
{
	struct tls_context *ctx =
	    fixture_context(KEY_KIND_EC_P256, TLS_1_2, NULL);

	for (size_t i = 0; i < sizeof(first_words) / sizeof(first_words[0]);
	     i++) {
		const struct first_words *w = &first_words[i];
		struct tls_conn *c = open_conn(ctx);
		struct error e = ERROR_INIT;
		enum tls_step step;

		CHECK_OK(tls_conn_feed(c, w->sent.ptr, w->sent.len, &e), &e);
		if (w->eof)
			tls_conn_feed_eof(c);
		step = tls_conn_handshake(c, &e);
		if (step != w->step)
			unit_note("row %zu: step %d: %s", i, (int)step, e.text);
		CU_ASSERT_EQUAL(step, w->step);
		unit_check_error(&e, w->words ? ERR_TLS : ERR_NONE, w->words,
				 __FILE__, __LINE__);
		tls_conn_free(c);
	}
	tls_context_unref(ctx);
}

/* A real ClientHello, cut at each length, and with bytes changed. */
static struct buf hello(struct tls_context *ctx)
{
	const struct test_client_options o = { .tls12 = true, .tls13 = true };
	struct tls_conn *server = open_conn(ctx);
	struct test_client *client = test_client_new(&o, server);
	struct buf b;

	buf_init(&b, 4096);
	test_client_capture(client, &b);
	CU_ASSERT_EQUAL(test_client_handshake(client), 0);
	CU_ASSERT_FATAL(b.len > 100);
	test_client_free(client);
	tls_conn_free(server);
	return b;
}

static void test_truncated_hello(void)
{
	struct tls_context *ctx =
	    fixture_context(KEY_KIND_EC_P256, TLS_1_2, NULL);
	struct buf bytes = hello(ctx);

	for (size_t cut = 0; cut < bytes.len; cut++) {
		struct tls_conn *c = open_conn(ctx);
		struct error e = ERROR_INIT;

		CHECK_OK(tls_conn_feed(c, bytes.ptr, cut, &e), &e);
		CU_ASSERT_EQUAL(tls_conn_handshake(c, &e), TLS_STEP_WANT_READ);
		tls_conn_feed_eof(c);
		CU_ASSERT_EQUAL(tls_conn_handshake(c, &e),
				cut ? TLS_STEP_FAILED : TLS_STEP_CLOSED);
		tls_conn_free(c);
	}
	buf_free(&bytes);
	tls_context_unref(ctx);
}

static void test_altered_hello(void)
{
	struct tls_context *ctx =
	    fixture_context(KEY_KIND_EC_P256, TLS_1_2, NULL);
	struct buf bytes = hello(ctx);
	unsigned seed = 20, rounds = 600, ended = 0;

	for (unsigned round = 0; round < rounds; round++) {
		struct tls_conn *c = open_conn(ctx);
		struct error e = ERROR_INIT;
		uint8_t copy[4096];
		enum tls_step step;

		memcpy(copy, bytes.ptr, bytes.len);
		for (unsigned i = 0; i <= round % 3; i++)
			copy[(unsigned)rand_r(&seed) % bytes.len] =
			    (uint8_t)rand_r(&seed);
		CHECK_OK(tls_conn_feed(c, copy, bytes.len, &e), &e);
		tls_conn_feed_eof(c);
		step = tls_conn_handshake(c, &e);
		/* Nobody answers, so it can never be done. */
		CU_ASSERT_EQUAL(step, TLS_STEP_FAILED);
		ended += step == TLS_STEP_FAILED;
		tls_conn_free(c);
	}
	CU_ASSERT_EQUAL(ended, rounds);
	buf_free(&bytes);
	tls_context_unref(ctx);
}

/* What a TLS 1.3 client says before it encrypts. */
static void test_plain_alert(void)
{
	static const uint8_t alert[] = { 21, 3, 3, 0, 2, 2, 48 };
	struct tls_context *ctx =
	    fixture_context(KEY_KIND_EC_P256, TLS_1_2, NULL);
	struct tls_conn *c = open_conn(ctx);
	struct error e = ERROR_INIT;
	struct buf bytes = hello(ctx);

	CHECK_OK(tls_conn_feed(c, bytes.ptr, bytes.len, &e), &e);
	CU_ASSERT_EQUAL(tls_conn_handshake(c, &e), TLS_STEP_WANT_READ);
	CHECK_OK(tls_conn_feed(c, alert, sizeof(alert), &e), &e);
	CU_ASSERT_EQUAL(tls_conn_handshake(c, &e), TLS_STEP_FAILED);
	unit_check_error(&e, ERR_TLS, "peer sent alert unknown_ca", __FILE__,
			 __LINE__);
	buf_free(&bytes);
	tls_conn_free(c);
	tls_context_unref(ctx);
}

/* --- tokens that cannot sign with every scheme */

#define DENY(scheme) (1u << (scheme))

static const struct denial {
	enum key_kind key;
	enum tls_version minimum;
	unsigned schemes;
	bool tls12, tls13; /* what is left */
} denials[] = {
	{ KEY_KIND_RSA2048, TLS_1_2, 0, true, true },
	{ KEY_KIND_RSA2048, TLS_1_2, DENY(SIGN_RSA_PSS), true, false },
	{ KEY_KIND_RSA2048, TLS_1_2, DENY(SIGN_RSA_PKCS1), false, true },
	{ KEY_KIND_RSA2048, TLS_1_2, DENY(SIGN_ECDSA), true, true },
	{ KEY_KIND_RSA2048, TLS_1_3, DENY(SIGN_RSA_PKCS1), false, true },
	{ KEY_KIND_RSA2048, TLS_1_3, DENY(SIGN_RSA_PSS), false, false },
	{ KEY_KIND_RSA2048, TLS_1_2, DENY(SIGN_RSA_PSS) | DENY(SIGN_RSA_PKCS1),
	  false, false },
	{ KEY_KIND_EC_P256, TLS_1_2, DENY(SIGN_RSA_PSS), true, true },
	{ KEY_KIND_EC_P256, TLS_1_2, DENY(SIGN_ECDSA), false, false },
};

static void check_version(struct tls_context *ctx, bool tls13, bool meets)
{
	const struct test_client_options o = {
		.tls12 = !tls13,
		.tls13 = tls13,
		/* In TLS 1.2 a client that puts PSS first would get it. */
		.signatures = tls13 ? NULL : "RSA+SHA256:ECDSA+SHA256",
	};
	struct tls_conn *server = open_conn(ctx);
	struct test_client *client = test_client_new(&o, server);
	struct error e = ERROR_INIT;

	CU_ASSERT_EQUAL(test_client_meet(client, server, &e),
			meets ? TLS_STEP_DONE : TLS_STEP_FAILED);
	CU_ASSERT_EQUAL(e.kind == ERR_NONE, meets);
	test_client_free(client);
	tls_conn_free(server);
}

static void check_denial(const struct denial *d)
{
	struct error e = ERROR_INIT;
	struct tls_context *ctx = fixture_try_context(d->key, d->minimum, &e);

	if (!d->tls12 && !d->tls13) {
		CU_ASSERT_PTR_NULL(ctx);
		unit_check_error(&e, ERR_TLS, "the token cannot sign", __FILE__,
				 __LINE__);
		return;
	}
	CHECK_OBJECT(ctx, &e);
	check_version(ctx, false, d->tls12);
	check_version(ctx, true, d->tls13);
	tls_context_unref(ctx);
}

static void test_denials(void)
{
	for (size_t i = 0; i < sizeof(denials) / sizeof(denials[0]); i++) {
		fixture_deny_schemes(denials[i].schemes);
		check_denial(&denials[i]);
	}
	fixture_deny_schemes(0);
}

/* --- the end of a connection, and damage on the way */

static void test_ends(void)
{
	struct pair p = pair_open(NULL);
	struct error e = ERROR_INIT;
	char byte;
	size_t n;

	tls_conn_feed_eof(p.server);
	CU_ASSERT_EQUAL(tls_conn_read(p.server, &byte, 1, &n, &e),
			TLS_STEP_CLOSED);
	pair_close(&p);

	p = pair_open(NULL);
	CHECK_OK(tls_conn_feed(p.server, "\x17\x03\x03\x00\x20half", 9, &e),
		 &e);
	CU_ASSERT_EQUAL(tls_conn_read(p.server, &byte, 1, &n, &e),
			TLS_STEP_WANT_READ);
	tls_conn_feed_eof(p.server);
	CU_ASSERT_EQUAL(tls_conn_read(p.server, &byte, 1, &n, &e),
			TLS_STEP_FAILED);
	unit_check_error(&e, ERR_TLS, "in the middle of a record", __FILE__,
			 __LINE__);
	pair_close(&p);

	p = pair_open(NULL);
	tls_conn_close_notify(p.server);
	CU_ASSERT_EQUAL(test_client_read(p.client, &byte, 1), -1);
	CU_ASSERT_EQUAL(test_client_alert(p.client), 0);
	pair_close(&p);
}

static void test_altered_record(void)
{
	struct pair p = pair_open(NULL);
	struct error e = ERROR_INIT;
	struct buf bytes;
	char got[64];
	size_t n;

	buf_init(&bytes, 256);
	test_client_capture(p.client, &bytes);
	CU_ASSERT_EQUAL(test_client_write(p.client, "hello", 5), 5);
	CU_ASSERT_FATAL(bytes.len > 5 + 5);
	bytes.ptr[7] ^= 1;
	CHECK_OK(tls_conn_feed(p.server, bytes.ptr, bytes.len, &e), &e);
	CU_ASSERT_EQUAL(tls_conn_read(p.server, got, sizeof(got), &n, &e),
			TLS_STEP_FAILED);
	unit_check_error(&e, ERR_TLS, "altered on the way", __FILE__, __LINE__);
	CU_ASSERT_EQUAL(test_client_read(p.client, got, sizeof(got)), -1);
	CU_ASSERT_EQUAL(test_client_alert(p.client), 20);
	buf_free(&bytes);
	pair_close(&p);
}

static void test_limits(void)
{
	static const uint8_t zeros[16384];
	struct pair p = pair_open(NULL);
	struct error e = ERROR_INIT;
	int fed = 0, written = 0;

	while (fed < 100 &&
	       tls_conn_feed(p.server, zeros, sizeof(zeros), &e) == 0)
		fed++;
	CU_ASSERT(fed >= 4 && fed < 8);
	unit_check_error(&e, ERR_LIMIT, "input", __FILE__, __LINE__);
	pair_close(&p);
	p = pair_open(NULL);
	error_clear(&e);
	while (written < 100 &&
	       tls_conn_write(p.server, zeros, sizeof(zeros), &e) == 0)
		written++;
	CU_ASSERT(written >= 8 && written < 20);
	unit_check_error(&e, ERR_LIMIT, "wait for the peer", __FILE__,
			 __LINE__);
	/* Nothing of the refused write got out: all of it is readable. */
	for (int i = 0; i < written; i++) {
		static uint8_t got[16384];

		CU_ASSERT_EQUAL(test_client_read(p.client, got, sizeof(got)),
				sizeof(got));
	}
	check_echo(p.client, p.server);
	pair_close(&p);
}

static const struct unit_test tests[] = {
	{ "meetings", test_meetings },
	{ "large data", test_large_data },
	{ "refusals", test_refusals },
	{ "schemes that the token lacks", test_denials },
	{ "first words of strangers", test_first_words },
	{ "truncated ClientHello", test_truncated_hello },
	{ "altered ClientHello", test_altered_hello },
	{ "alert before encryption", test_plain_alert },
	{ "ends of a connection", test_ends },
	{ "altered record", test_altered_record },
	{ "limits", test_limits },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "tls", tests, fixture_open, fixture_close);
}
