/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/lib/test_token.h"
#include "tests/lib/tls_client.h"
#include "tests/lib/unit.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/tls_fixture.h"

/* Servers that verify their clients. */

#define CA "critical,CA:TRUE"

static int open_suite(void)
{
	/* The worlds of the judge's tests live around a day of their own. */
	clock_set_offset(0);
	clock_set_offset(NOW - clock_now());
	return fixture_open();
}

static const enum key_kind server_keys[] = { KEY_KIND_RSA2048,
					     KEY_KIND_EC_P256 };

struct row {
	const char *name;
	struct part parts[PARTS_MAX];
	bool sip;
	const char *store, *sent; /* sent "": no certificate */
	const char *wrong_key;    /* instead of the leaf's */
	const char *junk;         /* a PEM block behind the list */
	const char *suite13;      /* the only one of TLS 1.3 */
	/* Of a refusal. */
	const char *reason, *words;
	int alert, alert12; /* alert12 0: the same */
};

/* --- one meeting */

struct meeting {
	struct tls_conn *server;
	struct test_client *client;
	struct error e;
	enum tls_step step;
};

static char *chain_pem(struct world *w, const struct row *r)
{
	struct error e = ERROR_INIT;
	struct buf text;
	char *copy;

	buf_init(&text, 1 << 20);
	for (const char *p = r->sent; *p; p++)
		CHECK_OK(cert_to_pem(world_cert(w, *p), &text, &e), &e);
	CHECK_OK(buf_add(&text, r->junk ? r->junk : "",
			 strlen(r->junk ? r->junk : "") + 1, &e),
		 &e);
	copy = strdup((char *)text.ptr);
	buf_free(&text);
	return copy;
}

static struct test_key *client_key(struct world *w, const struct row *r)
{
	unsigned n = 0;
	char kind[24];

	if (!r->wrong_key)
		return world_key(w, r->sent[0]);
	CU_ASSERT_EQUAL_FATAL(sscanf(r->wrong_key, "%23[^:]:%u", kind, &n), 2);
	return test_key(kind, n);
}

static struct meeting meet(struct tls_context *ctx, struct world *w,
			   const struct row *r, bool tls13)
{
	struct meeting m = { .e = ERROR_INIT };
	struct test_client_options o = { .tls12 = !tls13, .tls13 = tls13 };
	char *chain = chain_pem(w, r);
	char *key = NULL;
	char byte;

	if (tls13)
		o.suites = r->suite13;

	if (*r->sent) {
		key = test_key_pem(client_key(w, r), "pkcs8", NULL, NULL);
		o.certificate = chain;
		o.key = key;
	}
	m.server = open_conn(ctx);
	m.client = test_client_new(&o, m.server);
	CU_ASSERT_PTR_NULL(tls_conn_client(m.server));
	m.step = test_client_meet(m.client, m.server, &m.e);
	if (m.step == TLS_STEP_FAILED) /* in 1.3 it was done before */
		(void)test_client_read(m.client, &byte, 1);
	free(chain);
	free(key);
	return m;
}

static void part_ways(struct meeting *m)
{
	test_client_free(m->client);
	tls_conn_free(m->server);
}

/* --- rows */

static void check_accepted(const struct meeting *m, struct world *w,
			   const struct row *r)
{
	const struct client_certificate *c = tls_conn_client(m->server);
	const struct cert *leaf = world_cert(w, r->sent[0]);

	CU_ASSERT_EQUAL(m->step, TLS_STEP_DONE);
	CU_ASSERT_PTR_NOT_NULL(c);
	CU_ASSERT_PTR_NULL(tls_conn_refusal(m->server));
	if (!c)
		return;
	check_echo(m->client, m->server);
	CU_ASSERT_TRUE(c->present);
	CU_ASSERT_STRING_EQUAL(c->login.name, r->sip ? "" : "alice");
	CU_ASSERT_STRING_EQUAL(c->names.subject, cert_subject(leaf)->text);
	CU_ASSERT(!memcmp(c->sha256, cert_sha256(leaf), SHA256_SIZE));
	CU_ASSERT_EQUAL(c->expires, cert_not_after(leaf));
}

static bool refused_so(const struct meeting *m, const struct row *r, bool tls13)
{
	const struct tls_verdict *v = tls_conn_refusal(m->server);
	int alert = !tls13 && r->alert12 ? r->alert12 : r->alert;

	return m->step == TLS_STEP_FAILED && !tls_conn_client(m->server) &&
	       m->e.kind == ERR_TLS && v && !strcmp(v->reason, r->reason) &&
	       strstr(v->text, r->words) && strstr(m->e.text, r->words) &&
	       test_client_alert(m->client) == alert;
}

static void check_row(const struct row *r, enum key_kind kind, bool tls13)
{
	struct world w = { .changes = r->parts };
	struct judge_store *store = world_store(&w, r->store);
	struct tls_context *ctx =
	    fixture_verifying(kind,
			      r->sip ? tls_sip_caller_verifier(store)
				     : tls_client_verifier(store),
			      NULL);
	struct meeting m = meet(ctx, &w, r, tls13);
	const struct tls_verdict *v = tls_conn_refusal(m.server);
	bool right =
	    r->reason ? refused_so(&m, r, tls13) : m.step == TLS_STEP_DONE;

	judge_store_unref(store);
	if (!right)
		unit_note("%s, server %s, TLS 1.%d: %s; %s; alert %d", r->name,
			  key_kind_name(kind), tls13 ? 3 : 2, m.e.text,
			  v ? v->reason : "-", test_client_alert(m.client));
	CU_ASSERT(right);
	if (!r->reason)
		check_accepted(&m, &w, r);
	part_ways(&m);
	tls_context_unref(ctx);
	world_end(&w);
}

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < 4; k++)
			check_row(&rows[i], server_keys[k / 2], k % 2);
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof(*(rows)))

static void test_accepted(void)
{
	static const struct row rows[] = {
		{ "by the intermediate that is sent", .store = "R",
		  .sent = "LI" },
		{ "by the issuer itself", .store = "I", .sent = "L" },
		{ "two intermediates", .store = "R", .sent = "MJI" },
		{ "out of order, with a stranger", .store = "R",
		  .sent = "MOIJ" },
		{ "the root sent too", .store = "R", .sent = "LIR" },
		{ "is a member itself",
		  { { 'D', .subject = "/CN=alice" } },
		  .store = "D",
		  .sent = "D" },
		{ "RSA",
		  { { 'L', .key = "rsa2048:0" } },
		  .store = "R",
		  .sent = "LI" },
		{ "RSA 4096",
		  { { 'L', .key = "rsa4096:0" } },
		  .store = "R",
		  .sent = "LI" },
		{ "P-384",
		  { { 'L', .key = "ecP384:0" } },
		  .store = "R",
		  .sent = "LI" },
		{ "P-521",
		  { { 'L', .key = "ecP521:0" } },
		  .store = "R",
		  .sent = "LI" },
		{ "Ed25519",
		  { { 'L', .key = "ed25519:0" } },
		  .store = "R",
		  .sent = "LI" },
		{ "RSA 3072 authorities and Ed25519",
		  { { 'R', .key = "ed25519:1" }, { 'I', .key = "rsa3072:0" } },
		  .store = "R",
		  .sent = "LI" },
		{ "RSA authorities",
		  { { 'R', .key = "rsa2048:1" }, { 'I', .key = "rsa2048:2" } },
		  .store = "R",
		  .sent = "LI" },
		{ "for clients",
		  { { 'L', .usage = "digitalSignature",
		      .extended = "clientAuth" } },
		  .store = "R",
		  .sent = "LI" },
		{ "for clients and servers",
		  { { 'L', .extended = "serverAuth,clientAuth" } },
		  .store = "R",
		  .sent = "LI" },
		{ "one of several roots", .store = "OSR", .sent = "LI" },
	};

	CHECK_ROWS(rows);
}

static const struct row refused_rows[] = {
	{ "none", .store = "R", .sent = "", .reason = "nothingSent",
	  .words = "no certificate was sent", .alert = 116, .alert12 = 40 },
	{ "untrusted", .store = "O", .sent = "LI", .reason = "unknownAuthority",
	  .words = "CN=Root", .alert = 48 },
	{ "the intermediate is missing", .store = "R", .sent = "L",
	  .reason = "unknownAuthority", .words = "CN=Issuing", .alert = 48 },
	{ "nobody is trusted", .store = "", .sent = "LI",
	  .reason = "unknownAuthority", .words = "", .alert = 48 },
	{ "self-signed", .store = "R", .sent = "D",
	  .reason = "unknownAuthority", .words = "CN=device", .alert = 48 },
	{ "a root of the same name", .store = "S", .sent = "LI",
	  .reason = "badSignature", .words = "", .alert = 42 },
	{ "expired",
	  { { 'L', .to = -DAY } },
	  .store = "R",
	  .sent = "LI",
	  .reason = "expired",
	  .words = "CN=alice",
	  .alert = 45 },
	{ "not yet valid",
	  { { 'L', .from = DAY } },
	  .store = "R",
	  .sent = "LI",
	  .reason = "notYetValid",
	  .words = "CN=alice",
	  .alert = 45 },
	{ "expired intermediate",
	  { { 'I', .to = -DAY } },
	  .store = "R",
	  .sent = "LI",
	  .reason = "expired",
	  .words = "CN=Issuing",
	  .alert = 45 },
	{ "expired root",
	  { { 'R', .to = -DAY } },
	  .store = "R",
	  .sent = "LI",
	  .reason = "expired",
	  .words = "CN=Root",
	  .alert = 45 },
	{ "for servers only",
	  { { 'L', .extended = "serverAuth" } },
	  .store = "R",
	  .sent = "LI",
	  .reason = "wrongUse",
	  .words = "CN=alice",
	  .alert = 43 },
	{ "may not sign",
	  { { 'L', .usage = "keyEncipherment" } },
	  .store = "R",
	  .sent = "LI",
	  .reason = "wrongUse",
	  .words = "CN=alice",
	  .alert = 43 },
	{ "issued by no authority",
	  { { 'I', .constraints = "CA:FALSE" } },
	  .store = "R",
	  .sent = "LI",
	  .reason = "notAuthority",
	  .words = "CN=Issuing",
	  .alert = 48 },
	{ "too long a path",
	  { { 'R', .constraints = CA ",pathlen:0" } },
	  .store = "R",
	  .sent = "MJI",
	  .reason = "pathLength",
	  .words = "",
	  .alert = 48 },
	{ "weak key",
	  { { 'L', .key = "rsa1024:0" } },
	  .store = "R",
	  .sent = "LI",
	  .reason = "weakKey",
	  .words = "CN=alice",
	  .alert = 42 },
	{ "weak signature",
	  { { 'L', .digest = "SHA1" } },
	  .store = "R",
	  .sent = "LI",
	  .reason = "weakSignature",
	  .words = "CN=alice",
	  .alert = 42 },
	{ "unknown critical extension",
	  { { 'L', .extensions = "1.2.3.4=critical,DER:0500\n" } },
	  .store = "R",
	  .sent = "LI",
	  .reason = "criticalExtension",
	  .words = "critical extension",
	  .alert = 43 },
};

static void test_refused(void)
{
	CHECK_ROWS(refused_rows);
}

/* The alert of TLS 1.3 is sealed by us, so under each suite. */
/* SIP peers that call: whoever they are, and servers, too. */
static void test_sip(void)
{
	static const struct row rows[] = {
		{ "any name",
		  { { 'L', .alt = "URI:sip:bob@a.example" } },
		  .sip = true,
		  .store = "R",
		  .sent = "LI" },
		{ "for servers only",
		  { { 'L', .extended = "serverAuth" } },
		  .sip = true,
		  .store = "R",
		  .sent = "LI" },
		{ "for SIP domains only",
		  { { 'L', .extended = "1.3.6.1.5.5.7.3.20" } },
		  .sip = true,
		  .store = "R",
		  .sent = "LI" },
		{ "for mail",
		  { { 'L', .extended = "emailProtection" } },
		  .sip = true,
		  .store = "R",
		  .sent = "LI",
		  .reason = "wrongUse",
		  .words = "not for SIP peers",
		  .alert = 43 },
		{ "none", .sip = true, .store = "R", .sent = "",
		  .reason = "nothingSent", .words = "no certificate was sent",
		  .alert = 116, .alert12 = 40 },
		{ "untrusted", .sip = true, .store = "O", .sent = "LI",
		  .reason = "unknownAuthority", .words = "CN=Root",
		  .alert = 48 },
		{ "expired",
		  { { 'L', .to = -DAY } },
		  .sip = true,
		  .store = "R",
		  .sent = "LI",
		  .reason = "expired",
		  .words = "CN=alice",
		  .alert = 45 },
	};

	CHECK_ROWS(rows);
}

static void test_suites(void)
{
	static const struct row rows[] = {
		{ "AES-128", .store = "O", .sent = "LI",
		  .suite13 = "TLS13-AES128-GCM-SHA256",
		  .reason = "unknownAuthority", .words = "CN=Root",
		  .alert = 48 },
		{ "AES-256", .store = "O", .sent = "LI",
		  .suite13 = "TLS13-AES256-GCM-SHA384",
		  .reason = "unknownAuthority", .words = "CN=Root",
		  .alert = 48 },
		{ "ChaCha20", .store = "O", .sent = "LI",
		  .suite13 = "TLS13-CHACHA20-POLY1305-SHA256",
		  .reason = "unknownAuthority", .words = "CN=Root",
		  .alert = 48 },
		{ "AES-256 and none", .store = "O", .sent = "",
		  .suite13 = "TLS13-AES256-GCM-SHA384", .reason = "nothingSent",
		  .words = "no certificate", .alert = 116, .alert12 = 40 },
	};

	CHECK_ROWS(rows);
}

/* A certificate that others can have, too: it is public. */
static void test_not_proved(void)
{
	static const struct row rows[] = {
		{ "another key", .store = "R", .sent = "LI",
		  .wrong_key = "ecP256:9", .reason = "badSignature",
		  .words = "did not prove", .alert = 51 },
		{ "another RSA key",
		  { { 'L', .key = "rsa2048:0" } },
		  .store = "R",
		  .sent = "LI",
		  .wrong_key = "rsa2048:3",
		  .reason = "badSignature",
		  .words = "did not prove",
		  .alert = 51 },
	};

	CHECK_ROWS(rows);
}

/* --- hostile lists */

static void test_hostile(void)
{
	static char huge_extension[80000];
	size_t at =
	    (size_t)sprintf(huge_extension, "1.2.3.4=DER:0482%04x", 30000);
	struct row rows[] = {
		{ "huge",
		  { { 'L', .extensions = huge_extension } },
		  .store = "R",
		  .sent = "LI",
		  .reason = "tooMany",
		  .words = "more bytes",
		  .alert = 42 },
		{ "nine", .store = "R", .sent = "LIOSXYKJR",
		  .reason = "tooMany", .words = "more certificates",
		  .alert = 42 },
		{ "junk", .store = "R", .sent = "LI", .reason = "malformed",
		  .words = "certificate", .alert = 42 },
		{ "cut short", .store = "R", .sent = "LI",
		  .reason = "malformed", .words = "certificate", .alert = 42 },
	};
	struct world w = { 0 };
	struct view der = cert_der(world_cert(&w, 'O'));
	char *junk = test_pem("CERTIFICATE", "\x30\x03\x02\x01\x01", 5);
	char *cut = test_pem("CERTIFICATE", der.ptr, der.len - 1);

	for (size_t i = 0; i < 30000; i++, at += 2)
		memcpy(huge_extension + at, "00", 3);
	memcpy(huge_extension + at, "\n", 2);
	rows[2].junk = junk;
	rows[3].junk = cut;
	CHECK_ROWS(rows);
	free(junk);
	free(cut);
	world_end(&w);
}

/* The client's second flight of TLS 1.2, in the clear, with bytes changed. */
static void test_altered(void)
{
	static const struct row row = { "altered", .store = "R", .sent = "LI" };
	unsigned seed = 7, rounds = 300, ended = 0;
	struct world w = { 0 };
	struct judge_store *store = world_store(&w, "R");
	struct tls_context *ctx = fixture_verifying(
	    KEY_KIND_EC_P256, tls_client_verifier(store), NULL);
	char *chain = chain_pem(&w, &row);
	char *key = test_key_pem(world_key(&w, 'L'), "pkcs8", NULL, NULL);
	struct test_client_options o = { .tls12 = true,
					 .certificate = chain,
					 .key = key };

	for (unsigned round = 0; round < rounds; round++) {
		struct tls_conn *server = open_conn(ctx);
		struct test_client *client = test_client_new(&o, server);
		struct error e = ERROR_INIT;
		struct buf bytes;
		enum tls_step step;

		buf_init(&bytes, 65536);
		CU_ASSERT_EQUAL(test_client_handshake(client), 0);
		CU_ASSERT_EQUAL(tls_conn_handshake(server, &e),
				TLS_STEP_WANT_READ);
		test_client_capture(client, &bytes);
		CU_ASSERT_EQUAL(test_client_handshake(client), 0);
		CU_ASSERT_FATAL(bytes.len > 600);
		/* Never the same byte as before; mostly in the list. */
		bytes.ptr[5 + (unsigned)rand_r(&seed) % (bytes.len - 5)] ^=
		    (uint8_t)(1 + (unsigned)rand_r(&seed) % 255);
		CHECK_OK(tls_conn_feed(server, bytes.ptr, bytes.len, &e), &e);
		tls_conn_feed_eof(server);
		step = tls_conn_handshake(server, &e);
		CU_ASSERT_EQUAL(step, TLS_STEP_FAILED);
		CU_ASSERT_PTR_NULL(tls_conn_client(server));
		ended += step == TLS_STEP_FAILED;
		buf_free(&bytes);
		test_client_free(client);
		tls_conn_free(server);
	}
	CU_ASSERT_EQUAL(ended, rounds);
	free(chain);
	free(key);
	tls_context_unref(ctx);
	judge_store_unref(store);
	world_end(&w);
}

/* --- resumption: the way around a check that must not be there */

static bool resumes_from(struct test_client *from, struct tls_context *ctx,
			 bool tls13, enum tls_step *step)
{
	const struct test_client_options o = { .tls12 = !tls13,
					       .tls13 = tls13 };
	struct error e = ERROR_INIT;
	struct tls_conn *server = open_conn(ctx);
	struct test_client *client = test_client_new(&o, server);
	bool resumed;

	test_client_resume(client, from);
	*step = test_client_meet(client, server, &e);
	resumed = test_client_resumed(client) && *step == TLS_STEP_DONE;
	test_client_free(client);
	tls_conn_free(server);
	return resumed;
}

static void check_no_way_around(bool tls13)
{
	static const struct row row = { "resumed", .store = "R", .sent = "LI" },
				anonymous = { "none", .sent = "" };
	struct error e = ERROR_INIT;
	struct ticket_keys *keys = ticket_keys_new(&e);
	struct world w = { 0 };
	struct judge_store *store = world_store(&w, "R");
	struct tls_context *open =
	    fixture_context(KEY_KIND_EC_P256, TLS_1_2, keys);
	struct tls_context *closed = fixture_verifying(
	    KEY_KIND_EC_P256, tls_client_verifier(store), keys);
	struct meeting with = meet(closed, &w, &row, tls13);
	struct meeting without = meet(open, &w, &anonymous, tls13);
	enum tls_step step;

	check_echo(with.client, with.server);
	check_echo(without.client, without.server);
	/* The ticket is good where it came from ... */
	CU_ASSERT_TRUE(resumes_from(without.client, open, tls13, &step));
	/* ... and of no use where a certificate is needed. */
	CU_ASSERT_FALSE(resumes_from(without.client, closed, tls13, &step));
	CU_ASSERT_EQUAL(step, TLS_STEP_FAILED);
	/* One who was let in comes in by his certificate only. */
	CU_ASSERT_FALSE(resumes_from(with.client, closed, tls13, &step));
	CU_ASSERT_EQUAL(step, TLS_STEP_FAILED);
	CU_ASSERT_FALSE(resumes_from(with.client, open, tls13, &step));
	CU_ASSERT_EQUAL(step, TLS_STEP_DONE);
	part_ways(&with);
	part_ways(&without);
	tls_context_unref(open);
	tls_context_unref(closed);
	judge_store_unref(store);
	ticket_keys_free(keys);
	world_end(&w);
}

static void test_resumption(void)
{
	check_no_way_around(false);
	check_no_way_around(true);
}

/* --- other verifiers */

static unsigned released;

static void note_release(void *arg)
{
	CU_ASSERT_PTR_EQUAL(arg, &released);
	released++;
}

static void say_nothing(void *arg, const struct cert_list *sent,
			const char *host, struct tls_verdict *out)
{
	CU_ASSERT_PTR_NULL(host);
	CU_ASSERT_PTR_EQUAL(arg, &released);
	CU_ASSERT_EQUAL(sent->count, 2);
	CU_ASSERT_FALSE(out->accepted);
}

/* One that comes to no decision lets nobody in. */
static void test_no_verdict(void)
{
	static const struct row row = { "no verdict", .sent = "LI" };
	struct world w = { 0 };
	struct tls_context *ctx = fixture_verifying(
	    KEY_KIND_EC_P256,
	    (struct tls_verifier){ say_nothing, note_release, &released },
	    NULL);
	struct meeting m = meet(ctx, &w, &row, true);

	CU_ASSERT_EQUAL(m.step, TLS_STEP_FAILED);
	CU_ASSERT_EQUAL(test_client_alert(m.client), 80);
	tls_context_unref(ctx);
	CU_ASSERT_EQUAL(released, 0);
	part_ways(&m);
	CU_ASSERT_EQUAL(released, 1);
	world_end(&w);
}

/* A context that does not come about takes it over, too. */
static void test_release(void)
{
	static const struct tls_verifier v = { say_nothing, note_release,
					       &released };
	struct error e = ERROR_INIT;

	fixture_deny_schemes(~0U);
	released = 0;
	CU_ASSERT_PTR_NULL(fixture_try_verifying(KEY_KIND_EC_P256, v, &e));
	CU_ASSERT_EQUAL(released, 1);
	fixture_deny_schemes(0);
}

static const struct unit_test tests[] = {
	{ "accepted", test_accepted },
	{ "refused", test_refused },
	{ "sip", test_sip },
	{ "refused under each suite", test_suites },
	{ "key not proved", test_not_proved },
	{ "hostile lists", test_hostile },
	{ "altered on the way", test_altered },
	{ "resumption", test_resumption },
	{ "no verdict", test_no_verdict },
	{ "release of a verifier", test_release },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "tls-clients", tests, open_suite,
			 fixture_close);
}
