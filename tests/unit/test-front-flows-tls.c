/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/test_token.h"
#include "tests/unit/flow_stage.h"

/* Streams over TLS: who is let in, by us and by servers, and by which context.
 */

static const struct tls_row {
	const char *name;
	int server;     /* its identity */
	unsigned store; /* ours */
	const char *host;
	bool any;              /* any certificate will do */
	int client;            /* our identity */
	unsigned server_store; /* 0: asks for none */
	const char *reason;    /* we refuse; NULL: we do not */
	const char *broke;     /* the server refuses us: words of why */
} tls_rows[] = {
	{ "name", GOOD, 1u << GOOD, "peer.example", false, -1, 0, NULL, NULL },
	{ "address", GOOD, 1u << GOOD, "127.0.0.1", false, -1, 0, NULL, NULL },
	{ "any", STRANGER, 0, "peer.example", true, -1, 0, NULL, NULL },
	{ "any, too late", LATE, 0, "peer.example", true, -1, 0, NULL, NULL },
	{ "untrusted", GOOD, 1u << STRANGER, "peer.example", false, -1, 0,
	  "unknownAuthority", NULL },
	{ "empty store", GOOD, 0, "peer.example", false, -1, 0,
	  "unknownAuthority", NULL },
	{ "wrong host", STRANGER, 1u << STRANGER, "peer.example", false, -1, 0,
	  "wrongHost", NULL },
	{ "wrong address", GOOD, 1u << GOOD, "127.0.0.2", false, -1, 0,
	  "wrongHost", NULL },
	{ "expired", LATE, 1u << LATE, "peer.example", false, -1, 0, "expired",
	  NULL },
	{ "both", GOOD, 1u << GOOD, "peer.example", false, GOOD, 1u << GOOD,
	  NULL, NULL },
	{ "we have none", GOOD, 1u << GOOD, "peer.example", false, -1,
	  1u << GOOD, NULL, "" },
	{ "ours untrusted", GOOD, 1u << GOOD, "peer.example", false, STRANGER,
	  1u << GOOD, NULL, "unknown_ca" },
	{ "ours expired", GOOD, 1u << GOOD, "peer.example", false, LATE,
	  1u << LATE, NULL, "certificate_expired" },
};

static void check_let_in(struct stage *g, const struct tls_row *r,
			 struct flow *f)
{
	CU_ASSERT_EQUAL_FATAL(f->opened, 1);
	CU_ASSERT_EQUAL(f->peer.via, PEER_STREAM);
	CU_ASSERT(strncmp(f->peer.tls_cipher, "TLS_", 4) == 0);
	CU_ASSERT_EQUAL(f->peer.certificate.present, !r->any);
	CU_ASSERT_STRING_EQUAL(f->peer.certificate.names.subject,
			       r->any ? "" : "CN=peer");
	say(g, f, "hello", false);
	CU_ASSERT_TRUE(WAIT_FOR(f->got == 5));
	CU_ASSERT_EQUAL(g->tls.peer.certificate.present, r->server_store != 0);
	if (r->server_store)
		CU_ASSERT_STRING_EQUAL(g->tls.peer.certificate.names.subject,
				       "CN=peer");
	say(g, f, "", true);
	CU_ASSERT_TRUE(WAIT_FOR(f->closed == 1 && g->tls.closed == 1));
	CU_ASSERT_EQUAL(f->why.kind, ERR_NONE);
}

/* A server of TLS 1.2 says so instead of the end of the handshake, one of 1.3
 * after what is the end for us. */
static void check_shut_out(const struct tls_row *r, struct flow *f)
{
	CU_ASSERT_TRUE(WAIT_FOR(f->failed + f->closed == 1));
	CU_ASSERT_EQUAL(f->why.kind, ERR_TLS);
	CU_ASSERT_FALSE(f->verdict);
	if (!strstr(f->why.text, r->broke))
		unit_note("%s", f->why.text);
	CU_ASSERT_PTR_NOT_NULL(strstr(f->why.text, r->broke));
}

static void check_refused(const struct tls_row *r, struct flow *f)
{
	CU_ASSERT_EQUAL(f->failed, 1);
	CU_ASSERT_EQUAL(f->opened, 0);
	CU_ASSERT_EQUAL(f->why.kind, ERR_TLS);
	CU_ASSERT_TRUE(f->verdict);
	CU_ASSERT_STRING_EQUAL(f->reason, r->reason);
	CU_ASSERT(strncmp(f->why.text, "127.0.0.1 port ", 15) == 0);
}

static void check_tls_row(const struct tls_row *r)
{
	struct stage *g = stage_new();
	struct judge_store *ours = flow_store(r->store);
	struct judge_store *theirs = flow_store(r->server_store);
	struct tls_context *tls = flow_client(
	    r->client, ours, r->any ? TLS_SERVER_ANY : TLS_SERVER_VERIFY);
	struct front_stats stats;
	struct flow f;
	struct flow_call c;

	stage_start(g, flow_server(r->server, r->server_store ? theirs : NULL,
				   TLS_1_2));
	c = call_to(&f, g->sips, tls, r->host);
	call(g, &c);
	CU_ASSERT_TRUE_FATAL(decided(&f));
	if (r->reason)
		check_refused(r, &f);
	else if (r->broke)
		check_shut_out(r, &f);
	else
		check_let_in(g, r, &f);
	if (r->reason || r->broke)
		CU_ASSERT_EQUAL(g->tls.opened - g->tls.closed, 0);
	CU_ASSERT_TRUE(WAIT_FOR(stage_flows(g) == 0));
	front_get_stats(g->x.front, &stats);
	CU_ASSERT_EQUAL(stats.handshakes_failed > 0, r->reason || r->broke);
	stage_end(g);
	tls_context_unref(tls);
	judge_store_unref(ours);
	judge_store_unref(theirs);
}

static void test_tls_rows(void)
{
	for (size_t i = 0; i < sizeof(tls_rows) / sizeof(*tls_rows); i++) {
		unsigned failures = CU_get_number_of_failures();

		check_tls_row(&tls_rows[i]);
		if (CU_get_number_of_failures() != failures)
			unit_note("row %s", tls_rows[i].name);
	}
}

/* A server that is not ours: openssl s_server, which sends lines in reverse. */
static pid_t serve(uint16_t port, const char *version)
{
	char text[16];
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(text, sizeof(text), "127.0.0.1:%u", (unsigned)port);
	(void)!freopen("/dev/null", "w", stdout);
	(void)!freopen("/dev/null", "w", stderr);
	execlp("openssl", "openssl", "s_server", "-accept", text, "-rev",
	       version, "-cert", "server.pem", "-key", "server.pem",
	       (char *)NULL);
	_exit(127);
}

static void test_openssl(void)
{
	static const char *const versions[] = { "-tls1_2", "-tls1_3" };
	struct stage *g = stage_new();
	struct tls_context *any = flow_client(-1, NULL, TLS_SERVER_ANY);
	struct judge_store *store = flow_store(1u << GOOD);
	struct tls_context *strict = flow_client(-1, store, TLS_SERVER_VERIFY);
	struct flow f = { 0 };
	struct flow_call c;
	uint16_t port;

	CU_ASSERT_EQUAL_FATAL(chdir(unit_temp_dir()), 0);
	CU_ASSERT_EQUAL_FATAL(
	    test_run("openssl req -x509 -newkey ec -pkeyopt "
		     "ec_paramgen_curve:P-256 -nodes -subj /CN=other "
		     "-keyout server.pem -out cert.pem 2>/dev/null && "
		     "cat cert.pem >>server.pem"),
	    0);
	stage_start(g, NULL);
	for (int i = 0; i < 2; i++) {
		pid_t pid;

		close(deaf(&port, 1));
		pid = serve(port, versions[i]);
		/* Once it listens. */
		CU_ASSERT_TRUE_FATAL(
		    WAIT_FOR((c = call_to(&f, port, any, "peer.example"),
			      call(g, &c), decided(&f) && f.opened == 1)));
		CU_ASSERT_EQUAL(f.peer.tls_version, i ? TLS_1_3 : TLS_1_2);
		say(g, &f, "hello\n", false);
		CU_ASSERT_TRUE(WAIT_FOR(f.got == 6));
		CU_ASSERT_STRING_EQUAL(f.first, "olleh\n");
		say(g, &f, "", true);
		CU_ASSERT_TRUE(WAIT_FOR(f.closed == 1));
		c = call_to(&f, port, strict, "peer.example");
		call(g, &c);
		CU_ASSERT_TRUE(decided(&f));
		CU_ASSERT_STRING_EQUAL(f.reason, "unknownAuthority");
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	stage_end(g);
	tls_context_unref(any);
	tls_context_unref(strict);
	judge_store_unref(store);
}

/* Each kind of listener has its own context. */
static void set_https(struct front_fixture *x, void *arg)
{
	static const char *const v4[] = { "127.0.0.1" };
	struct error e = ERROR_INIT;

	CHECK_OK(
	    front_listen_tcp(x->front, "https", PEER_HTTPS, v4, 1, 0, NULL, &e),
	    &e);
	x->https = front_listen_port(x->front, "https");
	front_set_tls(x->front, PEER_HTTPS, arg);
}

static void server_name(uint16_t port, char name[32])
{
	struct tls_caller *c = caller_open(port, false);

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	caller_server_name(c, name, 32);
	caller_free(c);
}

static void test_kinds(void)
{
	struct stage *g = stage_new();
	struct tls_context *https = flow_server(STRANGER, NULL, TLS_1_2);
	struct front_stats stats;
	char name[32];
	int fd;

	stage_start(g, flow_server(GOOD, NULL, TLS_1_2));
	front_fixture_call(&g->x, set_https, https);
	server_name(g->x.https, name);
	CU_ASSERT_STRING_EQUAL(name, "stranger");
	server_name(g->sips, name);
	CU_ASSERT_STRING_EQUAL(name, "peer");
	/* Without one the streams wait, HTTPS goes on. */
	front_post_tls(g->x.front, PEER_STREAM, NULL);
	front_post_tls(g->x.front, PEER_HTTPS, tls_context_ref(https));
	CU_ASSERT_TRUE(WAIT_FOR(stage_flows(g) == 0));
	server_name(g->x.https, name);
	CU_ASSERT_STRING_EQUAL(name, "stranger");
	front_get_stats(g->x.front, &stats);
	fd = client_tcp(g->sips);
	client_send(fd, "\x16\x03\x01\x01\x01\x01");
	server_name(g->x.https, name);
	CU_ASSERT_EQUAL(stage_flows(g), 0);
	/* Another one: now the one that waits is accepted. */
	front_post_tls(g->x.front, PEER_STREAM,
		       flow_server(LATE, NULL, TLS_1_2));
	CU_ASSERT_TRUE(WAIT_FOR(stage_flows(g) == 1));
	close(fd);
	stage_end(g);
	tls_context_unref(https);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "TLS, who is let in", test_tls_rows },
		{ "an OpenSSL server", test_openssl },
		{ "a context for each kind", test_kinds },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "front-flows-tls", tests, flow_setup,
			 flow_teardown);
}
