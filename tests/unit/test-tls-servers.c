/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/lib/unit.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/tls_fixture.h"

/* Connections that we open, to real servers: openssl s_server, which sends each
 * line back in reverse. */

static int open_suite(void)
{
	clock_set_offset(NOW - clock_now());
	signal(SIGPIPE, SIG_IGN);
	return fixture_open();
}

struct row {
	const char *name;
	struct part parts[PARTS_MAX];
	const char *store, *sent; /* store NULL: was not read yet */
	const char *host;
	enum tls_server_check check;
	bool sip;
	/* Of a refusal; alert NULL: whatever the server heard. */
	const char *reason, *words, *alert;
};

/* --- a server */

struct server {
	pid_t pid;
	uint16_t port;
};

static void write_file(const char *name, const char *text)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", fixture_directory(), name);
	test_write_file(path, text);
}

static void write_certs(const char *name, struct world *w, const char *letters)
{
	struct error e = ERROR_INIT;
	struct buf text;

	buf_init(&text, 1 << 20);
	for (const char *p = letters; *p; p++)
		CHECK_OK(cert_to_pem(world_cert(w, *p), &text, &e), &e);
	CHECK_OK(buf_add(&text, "", 1, &e), &e);
	write_file(name, (char *)text.ptr);
	buf_free(&text);
}

/* The port that it announces, 0 while it has not. */
static uint16_t announced(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[256], *colon;
	unsigned port = 0;

	while (f && fgets(line, sizeof(line), f)) {
		colon = strrchr(line, ':');
		if (!strncmp(line, "ACCEPT", 6) && colon)
			port = (unsigned)atoi(colon + 1);
	}
	if (f)
		fclose(f);
	return (uint16_t)port;
}

/* In the directory of the suite, with server.pem, chain.pem and server.key. */
static struct server serve(const char *version, const char *more)
{
	struct server s = { 0 };
	char path[300], command[700];

	snprintf(path, sizeof(path), "%s/server.out", fixture_directory());
	unlink(path);
	snprintf(command, sizeof(command),
		 "cd %s && exec openssl s_server -accept 127.0.0.1:0 -rev %s"
		 " -cert server.pem -key server.key -cert_chain chain.pem"
		 " -cipher ALL:@SECLEVEL=0 %s >server.out 2>&1",
		 fixture_directory(), version, more);
	s.pid = fork();
	if (s.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 1000 && !(s.port = announced(path)); i++)
		usleep(10000);
	CU_ASSERT_NOT_EQUAL_FATAL(s.port, 0);
	return s;
}

static void serve_end(struct server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
}

/* --- a call */

static int dial(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static enum tls_step shake_hands(struct tls_conn *c, int fd, struct error *e)
{
	enum tls_step step;

	do {
		step = tls_conn_handshake(c, e);
		(void)fixture_flush(c, fd);
	} while (step == TLS_STEP_WANT_READ && fixture_feed(c, fd, e));
	return step;
}

/* A line there and back: also the server has let us in. */
static enum tls_step say(struct tls_conn *c, int fd, const char *line,
			 char got[64], struct error *e)
{
	enum tls_step step;
	size_t n = 0;

	if (tls_conn_write(c, line, strlen(line), e) < 0)
		return TLS_STEP_FAILED;
	(void)fixture_flush(c, fd);
	while ((step = tls_conn_read(c, got, 63, &n, e)) ==
		   TLS_STEP_WANT_READ &&
	       fixture_feed(c, fd, e))
		;
	got[n] = '\0';
	return step;
}

struct call {
	struct error e;
	enum tls_step step;
	char said[64];
	bool refusal;
	struct tls_verdict why;
	struct tls_info info;
};

static struct call call(struct tls_context *ctx, const char *host,
			uint16_t port)
{
	struct call r = { .e = ERROR_INIT };
	struct tls_conn *c = tls_conn_new_to(ctx, host, &r.e);
	int fd = dial(port);

	CHECK_OBJECT(c, &r.e);
	r.step = shake_hands(c, fd, &r.e);
	r.refusal = tls_conn_refusal(c) != NULL;
	if (r.refusal)
		r.why = *tls_conn_refusal(c);
	if (r.step == TLS_STEP_DONE) {
		tls_conn_info(c, &r.info);
		r.step = say(c, fd, "hello\n", r.said, &r.e);
	}
	CU_ASSERT_PTR_NULL(tls_conn_client(c));
	tls_conn_free(c);
	close(fd);
	return r;
}

/* --- rows */

/* The server has, or will. */
static bool hears(const char *alert)
{
	char path[300];
	bool found = false;

	snprintf(path, sizeof(path), "%s/server.out", fixture_directory());
	for (int i = 0; i < 3000 && !found; i++) {
		char *text = test_read_file(path);

		found = strstr(text, alert) != NULL;
		free(text);
		if (!found)
			usleep(10000);
	}
	return found;
}

static void check_call(const struct row *r, struct world *w,
		       const char *version)
{
	struct judge_store *store = r->store ? world_store(w, r->store) : NULL;
	struct tls_context *ctx = fixture_calling(
	    KEY_KIND_COUNT, r->sip ? tls_sip_callee_verifier(r->check, store)
				   : tls_server_verifier(r->check, store));
	struct server s = serve(version, "");
	struct call c = call(ctx, r->host, s.port);
	bool right = !strcmp(c.said, "olleh\n") && !c.refusal;

	if (r->reason)
		right = c.step == TLS_STEP_FAILED && !*c.said &&
			c.e.kind == ERR_TLS && c.refusal &&
			!strcmp(c.why.reason, r->reason) &&
			strstr(c.why.text, r->words) &&
			strstr(c.e.text, r->words);
	if (r->alert && !hears(r->alert)) {
		unit_note("%s, %s: not \"%s\"", r->name, version, r->alert);
		right = false;
	}
	if (!right)
		unit_note("%s, %s: step %d %s; %s", r->name, version,
			  (int)c.step, c.e.text,
			  c.refusal ? c.why.reason : "-");
	CU_ASSERT(right);
	serve_end(&s);
	tls_context_unref(ctx);
	judge_store_unref(store);
}

static void check_row(const struct row *r)
{
	struct world w = { .changes = r->parts };
	char leaf[] = { r->sent[0], '\0' };
	char *key =
	    test_key_pem(world_key(&w, r->sent[0]), "pkcs8", NULL, NULL);

	write_certs("server.pem", &w, leaf);
	write_certs("chain.pem", &w, r->sent);
	write_file("server.key", key);
	free(key);
	check_call(r, &w, "-tls1_2");
	check_call(r, &w, "-tls1_3");
	world_end(&w);
}

#define CHECK_ROWS(rows)                                                     \
	do {                                                                 \
		for (size_t i_ = 0; i_ < sizeof(rows) / sizeof(*rows); i_++) \
			check_row(&rows[i_]);                                \
	} while (0)

#define VERIFY .check = TLS_SERVER_VERIFY

static void test_accepted(void)
{
	static const struct row rows[] = {
		{ "name",
		  { { 'L', .alt = "DNS:ocsp.example" } },
		  .store = "R",
		  .sent = "LI",
		  .host = "ocsp.example",
		  VERIFY },
		{ "another case, final dot",
		  { { 'L', .alt = "DNS:a.example,DNS:OCSP.Example" } },
		  .store = "R",
		  .sent = "LI",
		  .host = "ocsp.example.",
		  VERIFY },
		{ "wildcard",
		  { { 'L', .alt = "DNS:*.example.com" } },
		  .store = "R",
		  .sent = "LI",
		  .host = "www.example.com",
		  VERIFY },
		{ "address",
		  { { 'L', .alt = "IP:192.0.2.7" } },
		  .store = "R",
		  .sent = "LI",
		  .host = "192.0.2.7",
		  VERIFY },
		{ "address of version 6",
		  { { 'L', .alt = "IP:2001:db8::7" } },
		  .store = "R",
		  .sent = "LI",
		  .host = "[2001:db8::7]",
		  VERIFY },
		{ "is a member itself",
		  { { 'D', .alt = "DNS:device.example" } },
		  .store = "D",
		  .sent = "D",
		  .host = "device.example",
		  VERIFY },
		{ "RSA",
		  { { 'L', .key = "rsa2048:0", .alt = "DNS:ocsp.example",
		      .extended = "serverAuth" } },
		  .store = "R",
		  .sent = "LI",
		  .host = "ocsp.example",
		  VERIFY },
		{ "not verified: untrusted",
		  { { 'L', .alt = "DNS:ocsp.example" } },
		  .store = "O",
		  .sent = "LI",
		  .host = "ocsp.example" },
		{ "not verified: another host, expired, for clients",
		  { { 'L', .alt = "DNS:a.example", .to = -DAY,
		      .extended = "clientAuth" } },
		  .store = "R",
		  .sent = "LI",
		  .host = "ocsp.example" },
		{ "not verified: the store was not read yet", .sent = "D",
		  .host = "ocsp.example" },
	};

	CHECK_ROWS(rows);
}

static const struct row refused[] = {
	{ "another host",
	  { { 'L', .alt = "DNS:www.example" } },
	  .store = "R",
	  .sent = "LI",
	  .host = "ocsp.example",
	  VERIFY,
	  .reason = "wrongHost",
	  .alert = "alert bad certificate",
	  .words = "ocsp.example" },
	{ "wildcard for two labels",
	  { { 'L', .alt = "DNS:*.example.com" } },
	  .store = "R",
	  .sent = "LI",
	  .host = "a.b.example.com",
	  VERIFY,
	  .reason = "wrongHost",
	  .alert = "alert bad certificate",
	  .words = "a.b.example.com" },
	{ "wildcard for a top level",
	  { { 'L', .alt = "DNS:*.com" } },
	  .store = "R",
	  .sent = "LI",
	  .host = "example.com",
	  VERIFY,
	  .reason = "wrongHost",
	  .alert = "alert bad certificate",
	  .words = "example.com" },
	{ "address as a name",
	  { { 'L', .alt = "DNS:192.0.2.7" } },
	  .store = "R",
	  .sent = "LI",
	  .host = "192.0.2.7",
	  VERIFY,
	  .reason = "wrongHost",
	  .alert = "alert bad certificate",
	  .words = "192.0.2.7" },
	{ "another address",
	  { { 'L', .alt = "IP:192.0.2.8" } },
	  .store = "R",
	  .sent = "LI",
	  .host = "192.0.2.7",
	  VERIFY,
	  .reason = "wrongHost",
	  .alert = "alert bad certificate",
	  .words = "192.0.2.7" },
	{ "untrusted",
	  { { 'L', .alt = "DNS:ocsp.example" } },
	  .store = "O",
	  .sent = "LI",
	  .host = "ocsp.example",
	  VERIFY,
	  .reason = "unknownAuthority",
	  .alert = "alert unknown ca",
	  .words = "CN=Root" },
	{ "nobody is trusted",
	  { { 'L', .alt = "DNS:ocsp.example" } },
	  .store = "",
	  .sent = "LI",
	  .host = "ocsp.example",
	  VERIFY,
	  .reason = "unknownAuthority",
	  .alert = "alert unknown ca",
	  .words = "" },
	{ "the store was not read yet",
	  { { 'L', .alt = "DNS:ocsp.example" } },
	  .sent = "LI",
	  .host = "ocsp.example",
	  VERIFY,
	  .reason = "unknownAuthority",
	  .alert = "alert unknown ca",
	  .words = "not read yet" },
	{ "self-signed",
	  { { 'D', .alt = "DNS:ocsp.example" } },
	  .store = "R",
	  .sent = "D",
	  .host = "ocsp.example",
	  VERIFY,
	  .reason = "unknownAuthority",
	  .alert = "alert unknown ca",
	  .words = "CN=device" },
	{ "expired",
	  { { 'L', .alt = "DNS:ocsp.example", .to = -DAY } },
	  .store = "R",
	  .sent = "LI",
	  .host = "ocsp.example",
	  VERIFY,
	  .reason = "expired",
	  .alert = "alert certificate expired",
	  .words = "CN=alice" },
	{ "not yet valid",
	  { { 'L', .alt = "DNS:ocsp.example", .from = DAY } },
	  .store = "R",
	  .sent = "LI",
	  .host = "ocsp.example",
	  VERIFY,
	  .reason = "notYetValid",
	  .alert = "alert certificate expired",
	  .words = "CN=alice" },
	{ "for clients only",
	  { { 'L', .alt = "DNS:ocsp.example", .extended = "clientAuth" } },
	  .store = "R",
	  .sent = "LI",
	  .host = "ocsp.example",
	  VERIFY,
	  .reason = "wrongUse",
	  .alert = "alert unsupported certificate",
	  .words = "CN=alice" },
	{ "weak key",
	  { { 'L', .alt = "DNS:ocsp.example", .key = "rsa1024:0" } },
	  .store = "R",
	  .sent = "LI",
	  .host = "ocsp.example",
	  VERIFY,
	  .reason = "weakKey",
	  .alert = "alert bad certificate",
	  .words = "CN=alice" },
	{ "the intermediate is missing",
	  { { 'L', .alt = "DNS:ocsp.example" } },
	  .store = "R",
	  .sent = "L",
	  .host = "ocsp.example",
	  VERIFY,
	  .reason = "unknownAuthority",
	  .alert = "alert unknown ca",
	  .words = "CN=Issuing" },
};

static void test_refused(void)
{
	CHECK_ROWS(refused);
}

/* --- the decision alone */

#define SIP .sip = true, .sent = "LI", .host = "sip.example"

/* SIP servers: other names, other uses. */
static void test_sip(void)
{
	static const struct row rows[] = {
		{ "URI",
		  { { 'L', .alt = "URI:sip:sip.example" } },
		  .store = "R",
		  SIP,
		  VERIFY },
		{ "for clients only",
		  { { 'L', .alt = "DNS:sip.example",
		      .extended = "clientAuth" } },
		  .store = "R",
		  SIP,
		  VERIFY },
		{ "for SIP domains only",
		  { { 'L', .alt = "DNS:sip.example",
		      .extended = "1.3.6.1.5.5.7.3.20" } },
		  .store = "R",
		  SIP,
		  VERIFY },
		{ "not verified", { { 'L', .alt = "DNS:a.example" } }, SIP },
		{ "a wildcard",
		  { { 'L', .alt = "DNS:*.example" } },
		  .store = "R",
		  SIP,
		  VERIFY,
		  .reason = "wrongHost",
		  .alert = "alert bad certificate",
		  .words = "sip.example" },
		{ "the right common name beside another subjectAltName",
		  { { 'L', .subject = "/CN=sip.example",
		      .alt = "DNS:a.example" } },
		  .store = "R",
		  SIP,
		  VERIFY,
		  .reason = "wrongHost",
		  .alert = "alert bad certificate",
		  .words = "DNS:a.example" },
		{ "somebody's URI",
		  { { 'L', .alt = "URI:sip:bob@sip.example" } },
		  .store = "R",
		  SIP,
		  VERIFY,
		  .reason = "wrongHost",
		  .alert = "alert bad certificate",
		  .words = "sip.example" },
		{ "the store was not read yet",
		  { { 'L', .alt = "DNS:sip.example" } },
		  SIP,
		  VERIFY,
		  .reason = "unknownAuthority",
		  .alert = "alert unknown ca",
		  .words = "not read yet" },
	};

	CHECK_ROWS(rows);
}

/* What a server hears that is refused is sealed by us in TLS 1.3. */
static void test_suites(void)
{
	static const char *const suites[] = { "TLS_AES_128_GCM_SHA256",
					      "TLS_AES_256_GCM_SHA384",
					      "TLS_CHACHA20_POLY1305_SHA256" };
	static const struct part parts[PARTS_MAX] = {
		{ 'D', .alt = "DNS:sip.example" },
	};
	struct world w = { .changes = parts };
	struct judge_store *store = world_store(&w, "D");
	char *key = test_key_pem(world_key(&w, 'D'), "pkcs8", NULL, NULL);

	write_certs("server.pem", &w, "D");
	write_certs("chain.pem", &w, "D");
	write_file("server.key", key);
	free(key);
	for (size_t i = 0; i < sizeof(suites) / sizeof(*suites); i++) {
		struct tls_context *ctx = fixture_calling(
		    KEY_KIND_COUNT,
		    tls_sip_callee_verifier(TLS_SERVER_VERIFY, store));
		char more[80];
		struct server s;

		snprintf(more, sizeof(more), "-ciphersuites %s", suites[i]);
		s = serve("-tls1_3", more);
		CU_ASSERT_EQUAL(call(ctx, "sip.example", s.port).step,
				TLS_STEP_DONE);
		CU_ASSERT_EQUAL(call(ctx, "other.example", s.port).step,
				TLS_STEP_FAILED);
		CU_ASSERT_TRUE(hears("alert bad certificate"));
		serve_end(&s);
		tls_context_unref(ctx);
	}
	judge_store_unref(store);
	world_end(&w);
}

static void test_decision(void)
{
	struct world w = { 0 };
	struct judge_store *store = world_store(&w, "D");
	struct cert_list sent, none = { 0 };
	struct tls_verdict v;

	world_list(&w, "D", &sent);
	tls_verdict_of_server(TLS_SERVER_VERIFY, store, &sent, NULL, NOW, &v);
	CU_ASSERT_FALSE(v.accepted); /* nobody asks about no host */
	CU_ASSERT_STRING_EQUAL(v.reason, "notJudged");
	tls_verdict_of_server(TLS_SERVER_VERIFY, store, &sent, "no host!", NOW,
			      &v);
	CU_ASSERT_FALSE(v.accepted);
	CU_ASSERT(*v.text != '\0');
	tls_verdict_of_server(TLS_SERVER_ANY, NULL, &none, "a", NOW, &v);
	CU_ASSERT_FALSE(v.accepted);
	CU_ASSERT_STRING_EQUAL(v.reason, "nothingSent");
	tls_verdict_of_server(TLS_SERVER_ANY, NULL, &sent, NULL, NOW, &v);
	CU_ASSERT_TRUE(v.accepted);
	CU_ASSERT_FALSE(v.certificate.present);
	cert_list_free(&sent);
	judge_store_unref(store);
	world_end(&w);
}

/* --- our own certificate */

static const struct own {
	enum key_kind kind; /* KEY_KIND_COUNT: none */
	bool accepted;
} owns[] = {
	{ KEY_KIND_RSA2048, true },
	{ KEY_KIND_EC_P256, true },
	{ KEY_KIND_EC_P384, true },
	{ KEY_KIND_COUNT, false },
};

/* A server that wants a certificate of ours and trusts it. */
static void check_own(const struct own *o, const char *version)
{
	static const char more[] =
	    "-Verify 2 -verify_return_error -CAfile own.pem -no_check_time";
	struct tls_context *ctx =
	    fixture_calling(o->kind, tls_server_verifier(TLS_SERVER_ANY, NULL));
	struct error e = ERROR_INIT;
	struct server s;
	struct buf own;
	struct call c;
	bool right;

	buf_init(&own, 65536);
	CHECK_OK(cert_to_pem(fixture_certificate(
				 o->accepted ? o->kind : KEY_KIND_EC_P256),
			     &own, &e),
		 &e);
	CHECK_OK(buf_add(&own, "", 1, &e), &e);
	write_file("own.pem", (char *)own.ptr);
	buf_free(&own);
	s = serve(version, more);
	c = call(ctx, "localhost", s.port);
	right = o->accepted ? !strcmp(c.said, "olleh\n")
			    : c.step == TLS_STEP_FAILED && !*c.said;
	if (!right)
		unit_note("own certificate %d, %s: step %d %s", (int)o->kind,
			  version, (int)c.step, c.e.text);
	CU_ASSERT(right);
	serve_end(&s);
	tls_context_unref(ctx);
}

static void test_own(void)
{
	struct world w = { 0 };
	char *key = test_key_pem(world_key(&w, 'D'), "pkcs8", NULL, NULL);

	write_certs("server.pem", &w, "D");
	write_certs("chain.pem", &w, "D");
	write_file("server.key", key);
	free(key);
	for (size_t i = 0; i < sizeof(owns) / sizeof(*owns); i++) {
		check_own(&owns[i], "-tls1_2");
		check_own(&owns[i], "-tls1_3");
	}
	world_end(&w);
}

/* --- the name that the server is told, and what is no name */

static void test_host(void)
{
	static const struct {
		const char *host;
		bool told;
	} hosts[] = { { "ocsp.example", true }, { "127.0.0.1", false } };
	struct tls_context *ctx = fixture_calling(
	    KEY_KIND_COUNT, tls_server_verifier(TLS_SERVER_ANY, NULL));
	struct error e = ERROR_INIT;

	for (size_t i = 0; i < 2; i++) {
		struct tls_conn *c = tls_conn_new_to(ctx, hosts[i].host, &e);
		struct buf *out;

		CHECK_OBJECT(c, &e);
		CU_ASSERT_EQUAL(tls_conn_handshake(c, &e), TLS_STEP_WANT_READ);
		out = tls_conn_output(c);
		CU_ASSERT_EQUAL(memmem(out->ptr, out->len, hosts[i].host,
				       strlen(hosts[i].host)) != NULL,
				hosts[i].told);
		tls_conn_free(c);
	}
	CU_ASSERT_PTR_NULL(tls_conn_new_to(ctx, "no host!", &e));
	CU_ASSERT_EQUAL(e.kind, ERR_INPUT);
	tls_context_unref(ctx);
}

static const struct unit_test tests[] = {
	{ "servers that are accepted", test_accepted },
	{ "servers that are refused", test_refused },
	{ "SIP servers", test_sip },
	{ "refused under each suite", test_suites },
	{ "decision", test_decision },
	{ "our own certificate", test_own },
	{ "host", test_host },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "tls-servers", tests, open_suite,
			 fixture_close);
}
