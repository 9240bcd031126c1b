/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "front/front_private.h"
#include "tests/lib/test_token.h"
#include "tests/unit/flow_fixture.h"

/* Streams over TCP and TLS that are accepted and opened. The front mostly calls
 * itself: both ends are then seen. */

struct stage {
	struct front_fixture x;
	struct flow tls, tcp; /* what is accepted */
	uint16_t sips, sip, sips6, sip6;
	unsigned idle_ms, silent_ms;
	struct tls_context *server;
};

static void listen_all(struct front_fixture *x, void *arg)
{
	static const char *const v4[] = { "127.0.0.1" };
	static const char *const v6[] = { "::1" };
	struct stage *g = arg;
	struct front_stream_ops tls = flow_echo_ops(&g->tls);
	struct front_stream_ops tcp = flow_echo_ops(&g->tcp);
	struct {
		const char *name;
		enum peer_via via;
		const char *const *addresses;
		const struct front_stream_ops *ops;
		uint16_t *port;
	} rows[] = {
		{ "sips", PEER_STREAM, v4, &tls, &g->sips },
		{ "sip", PEER_STREAM_TCP, v4, &tcp, &g->sip },
		{ "sips6", PEER_STREAM, v6, &tls, &g->sips6 },
		{ "sip6", PEER_STREAM_TCP, v6, &tcp, &g->sip6 },
	};
	struct error e = ERROR_INIT;

	tls.idle_ms = tcp.idle_ms = g->idle_ms;
	tls.silent_ms = tcp.silent_ms = g->silent_ms;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_OK(front_listen_tcp(x->front, rows[i].name, rows[i].via,
					  rows[i].addresses, 1, 0, rows[i].ops,
					  &e),
			 &e);
		*rows[i].port = front_listen_port(x->front, rows[i].name);
	}
	front_set_tls(x->front, PEER_STREAM, g->server);
}

/* Takes the context. */
static void stage_start(struct stage *g, struct tls_context *server)
{
	g->server = server;
	front_fixture_start(&g->x);
	front_fixture_call(&g->x, listen_all, g);
	tls_context_unref(server);
}

static struct stage *stage_new(void)
{
	struct stage *g = calloc(1, sizeof(*g));

	front_fixture_init(&g->x);
	return g;
}

static void stage_end(struct stage *g)
{
	front_fixture_stop(&g->x);
	CU_ASSERT_EQUAL(g->tls.opened, g->tls.closed);
	CU_ASSERT_EQUAL(g->tcp.opened, g->tcp.closed);
	free(g);
}

static unsigned flows_now(struct stage *g)
{
	struct front_stats s;

	front_get_stats(g->x.front, &s);
	return s.flows;
}

static struct flow_call call_to(struct flow *f, uint16_t port,
				struct tls_context *tls, const char *host)
{
	memset(f, 0, sizeof(*f));
	return (struct flow_call){ .options = { .address = "127.0.0.1",
						.port = port,
						.tls = tls,
						.host = host },
				   .flow = f };
}

static void call(struct stage *g, struct flow_call *c)
{
	front_fixture_call(&g->x, flow_connect, c);
	CHECK_OBJECT(c->stream, &c->e);
}

static bool decided(struct flow *f)
{
	return WAIT_FOR(f->opened + f->failed > 0);
}

static void say(struct stage *g, struct flow *f, const char *text, bool close)
{
	struct flow_say s = { f, text, strlen(text), close };

	front_fixture_call(&g->x, flow_say, &s);
}

/* --- plain TCP */

static void test_tcp_accepted(void)
{
	struct stage *g = stage_new();
	char *a, wanted[16];

	stage_start(g, NULL);
	for (int v6 = 0; v6 < 2; v6++) {
		int fd = v6 ? client_tcp6(g->sip6) : client_tcp(g->sip);

		CU_ASSERT_FATAL(fd >= 0);
		/* Open before a byte came. */
		CU_ASSERT_TRUE(WAIT_FOR(g->tcp.opened == (unsigned)v6 + 1));
		client_send(fd, "one");
		CU_ASSERT_EQUAL(recv(fd, wanted, 3, MSG_WAITALL), 3);
		client_send(fd, "bye");
		a = client_all(fd, NULL);
		CU_ASSERT_STRING_EQUAL(a, "bye");
		free(a);
		CU_ASSERT_TRUE(WAIT_FOR(g->tcp.closed == (unsigned)v6 + 1));
		CU_ASSERT_EQUAL(g->tcp.peer.via, PEER_STREAM_TCP);
		CU_ASSERT_FALSE(g->tcp.peer.called);
		CU_ASSERT_STRING_EQUAL(g->tcp.peer.local_address,
				       v6 ? "::1" : "127.0.0.1");
		CU_ASSERT_EQUAL(g->tcp.peer.local_port, v6 ? g->sip6 : g->sip);
		CU_ASSERT_STRING_EQUAL(g->tcp.peer.address,
				       v6 ? "::1" : "127.0.0.1");
		CU_ASSERT_FALSE(g->tcp.peer.certificate.present);
	}
	stage_end(g);
}

/* Of our connection to that port, however it came to be; 0: the kernel's. */
static unsigned unacknowledged_ms(uint16_t port)
{
	for (int fd = 0; fd < 1024; fd++) {
		struct sockaddr_in to;
		socklen_t n = sizeof(to);
		unsigned ms;

		if (getpeername(fd, (struct sockaddr *)&to, &n) < 0 ||
		    to.sin_family != AF_INET || ntohs(to.sin_port) != port)
			continue;
		n = sizeof(ms);
		CU_ASSERT_EQUAL(
		    getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, &n), 0);
		return ms;
	}
	return 0;
}

static void test_tcp_called(void)
{
	struct stage *g = stage_new();
	struct flow f;
	struct flow_call c;

	stage_start(g, NULL);
	c = call_to(&f, g->sip, NULL, NULL);
	c.options.local_address = "127.0.0.9";
	call(g, &c);
	CU_ASSERT_TRUE_FATAL(decided(&f));
	CU_ASSERT_EQUAL_FATAL(f.opened, 1);
	CU_ASSERT_TRUE(f.peer.called);
	CU_ASSERT_EQUAL(f.peer.via, PEER_STREAM_TCP);
	CU_ASSERT_STRING_EQUAL(f.peer.address, "127.0.0.1");
	CU_ASSERT_EQUAL(f.peer.port, g->sip);
	CU_ASSERT_STRING_EQUAL(f.peer.local_address, "127.0.0.9");
	CU_ASSERT_TRUE(WAIT_FOR(g->tcp.opened == 1));
	CU_ASSERT_STRING_EQUAL(g->tcp.peer.address, "127.0.0.9");
	CU_ASSERT_EQUAL(g->tcp.peer.port, f.peer.local_port);
	/* A peer that is gone without a word is found out. */
	CU_ASSERT_EQUAL(unacknowledged_ms(g->sip), 60000);
	say(g, &f, "hello", false);
	CU_ASSERT_TRUE(WAIT_FOR(f.got == 5));
	CU_ASSERT_STRING_EQUAL(f.first, "hello");
	/* The other side ends it. */
	say(g, &f, "bye", false);
	CU_ASSERT_TRUE(WAIT_FOR(f.closed == 1));
	CU_ASSERT_EQUAL(f.got, 8);
	CU_ASSERT_EQUAL(f.why.kind, ERR_NONE);
	CU_ASSERT_EQUAL(f.failed, 0);
	c = call_to(&f, g->sip6, NULL, NULL);
	c.options.address = "::1";
	call(g, &c);
	CU_ASSERT_TRUE(decided(&f));
	CU_ASSERT_STRING_EQUAL(f.peer.local_address, "::1");
	say(g, &f, "", true);
	CU_ASSERT_TRUE(WAIT_FOR(f.closed == 1));
	CU_ASSERT_TRUE(WAIT_FOR(flows_now(g) == 0));
	stage_end(g);
}

/* A name for each row of what is never begun. */
static void test_not_begun(void)
{
	struct stage *g = stage_new();
	struct judge_store *store = flow_store(1u << GOOD);
	struct tls_context *tls = flow_client(-1, store, TLS_SERVER_VERIFY);
	const struct {
		struct front_connect_options options;
		enum error_kind kind;
	} rows[] = {
		{ { .address = "localhost", .port = 5 }, ERR_INPUT },
		{ { .address = "", .port = 5 }, ERR_INPUT },
		{ { .address = "127.0.0.1", .port = 0 }, ERR_INPUT },
		{ { .address = "127.0.0.1", .port = 5, .local_address = "x" },
		  ERR_INPUT },
		{ { .address = "127.0.0.1", .port = 5, .local_address = "::1" },
		  ERR_INPUT },
		{ { .address = "127.0.0.1",
		    .port = 5,
		    .local_address = "192.0.2.1" },
		  ERR_IO },
		{ { .address = "127.0.0.1", .port = 5, .tls = tls },
		  ERR_INPUT },
		{ { .address = "127.0.0.1",
		    .port = 5,
		    .tls = tls,
		    .host = "no host!" },
		  ERR_INPUT },
	};

	stage_start(g, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct flow f = { 0 };
		struct flow_call c = { .options = rows[i].options, .flow = &f };

		front_fixture_call(&g->x, flow_connect, &c);
		CU_ASSERT_PTR_NULL(c.stream);
		if (c.e.kind != rows[i].kind)
			unit_note("row %zu: %s", i, c.e.text);
		CU_ASSERT_EQUAL(c.e.kind, rows[i].kind);
		CU_ASSERT_NOT_EQUAL(c.e.text[0], '\0');
	}
	CU_ASSERT_EQUAL(flows_now(g), 0);
	stage_end(g);
	tls_context_unref(tls);
	judge_store_unref(store);
}

/* --- TLS, who is let in */

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
	CU_ASSERT_TRUE(WAIT_FOR(flows_now(g) == 0));
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

/* A socket that accepts nothing, with so many connections in front of it. */
static int deaf(uint16_t *port, int backlog)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&in, len), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, backlog), 0);
	getsockname(fd, (struct sockaddr *)&in, &len);
	*port = ntohs(in.sin_port);
	return fd;
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
	CU_ASSERT_TRUE(WAIT_FOR(flows_now(g) == 0));
	server_name(g->x.https, name);
	CU_ASSERT_STRING_EQUAL(name, "stranger");
	front_get_stats(g->x.front, &stats);
	fd = client_tcp(g->sips);
	client_send(fd, "\x16\x03\x01\x01\x01\x01");
	server_name(g->x.https, name);
	CU_ASSERT_EQUAL(flows_now(g), 0);
	/* Another one: now the one that waits is accepted. */
	front_post_tls(g->x.front, PEER_STREAM,
		       flow_server(LATE, NULL, TLS_1_2));
	CU_ASSERT_TRUE(WAIT_FOR(flows_now(g) == 1));
	close(fd);
	stage_end(g);
	tls_context_unref(https);
}

/* --- ends */

static void test_no_way(void)
{
	struct stage *g = stage_new();
	struct flow f;
	struct flow_call c;
	uint16_t port;

	stage_start(g, NULL);
	close(deaf(&port, 1));
	c = call_to(&f, port, NULL, NULL);
	call(g, &c);
	CU_ASSERT_TRUE_FATAL(decided(&f));
	CU_ASSERT_EQUAL(f.failed, 1);
	CU_ASSERT_EQUAL(f.why.kind, ERR_IO);
	CU_ASSERT_EQUAL(f.why.native, ECONNREFUSED);
	CU_ASSERT_TRUE(WAIT_FOR(flows_now(g) == 0));
	stage_end(g);
}

/* What is never answered: a full backlog for TCP, an open one for TLS. */
struct silence {
	int fd, filler;
	uint16_t tcp_port, tls_port;
	int tls_fd;
};

static void silence_make(struct silence *s)
{
	s->fd = deaf(&s->tcp_port, 0);
	s->filler = client_tcp(s->tcp_port);
	s->tls_fd = deaf(&s->tls_port, 10);
}

static void silence_end(const struct silence *s)
{
	close(s->fd);
	close(s->filler);
	close(s->tls_fd);
}

static void test_deadline(void)
{
	struct stage *g = stage_new();
	struct tls_context *tls = flow_client(-1, NULL, TLS_SERVER_ANY);
	struct silence quiet;
	struct flow f[3];
	struct flow_call c[3];

	stage_start(g, NULL);
	silence_make(&quiet);
	c[0] = call_to(&f[0], quiet.tcp_port, NULL, NULL);
	c[1] = call_to(&f[1], quiet.tls_port, tls, "peer.example");
	/* A long one before short ones does not hold them up. */
	c[2] = call_to(&f[2], quiet.tls_port, tls, "peer.example");
	c[2].options.limit_ms = 3600000;
	c[0].options.limit_ms = c[1].options.limit_ms = 300;
	call(g, &c[2]);
	for (int i = 0; i < 2; i++)
		call(g, &c[i]);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_TRUE_FATAL(decided(&f[i]));
		CU_ASSERT_EQUAL(f[i].failed, 1);
		CU_ASSERT_EQUAL(f[i].why.kind, ERR_TIMEOUT);
		CU_ASSERT_FALSE(f[i].verdict);
	}
	CU_ASSERT_TRUE(WAIT_FOR(flows_now(g) == 1));
	CU_ASSERT_EQUAL(f[2].failed + f[2].opened, 0);
	stage_end(g);
	CU_ASSERT_EQUAL(f[2].failed, 1);
	CU_ASSERT_EQUAL(f[2].why.kind, ERR_CANCELLED);
	silence_end(&quiet);
	tls_context_unref(tls);
}

static void test_given_up(void)
{
	struct stage *g = stage_new();
	struct tls_context *tls = flow_client(-1, NULL, TLS_SERVER_ANY);
	struct silence quiet;
	struct flow f[3];
	struct flow_call c[3];

	stage_start(g, flow_server(GOOD, NULL, TLS_1_2));
	silence_make(&quiet);
	c[0] = call_to(&f[0], quiet.tcp_port, NULL, NULL);
	c[1] = call_to(&f[1], quiet.tls_port, tls, "peer.example");
	c[2] = call_to(&f[2], g->sips, tls, "peer.example");
	for (int i = 0; i < 3; i++)
		call(g, &c[i]);
	CU_ASSERT_TRUE(decided(&f[2]));
	for (int i = 0; i < 3; i++)
		say(g, &f[i], "", true);
	CU_ASSERT_TRUE(WAIT_FOR(flows_now(g) == 0));
	for (int i = 0; i < 2; i++)
		CU_ASSERT_EQUAL(f[i].opened + f[i].failed + f[i].closed, 0);
	CU_ASSERT_TRUE(WAIT_FOR(f[2].closed == 1));
	/* The service stops while some are on their way. */
	for (int i = 0; i < 2; i++) {
		f[i] = (struct flow){ 0 };
		call(g, &c[i]);
	}
	stage_end(g);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(f[i].failed, 1);
		CU_ASSERT_EQUAL(f[i].why.kind, ERR_CANCELLED);
	}
	silence_end(&quiet);
	tls_context_unref(tls);
}

/* Whoever closes, what was said before arrives. */
static void test_data_in_flight(void)
{
	static char many[200000];
	struct stage *g = stage_new();
	struct tls_context *tls = flow_client(-1, NULL, TLS_SERVER_ANY);

	stage_start(g, flow_server(GOOD, NULL, TLS_1_2));
	for (int plain = 0; plain < 2; plain++) {
		struct flow *there = plain ? &g->tcp : &g->tls;
		struct flow f;
		struct flow_call c =
		    call_to(&f, plain ? g->sip : g->sips, plain ? NULL : tls,
			    plain ? NULL : "peer.example");
		struct flow_say s = { &f, many, sizeof(many), true };

		/* We close; the echo that still comes is nobody's. */
		call(g, &c);
		CU_ASSERT_TRUE(decided(&f));
		front_fixture_call(&g->x, flow_say, &s);
		CU_ASSERT_TRUE(WAIT_FOR(there->closed == 1));
		CU_ASSERT_EQUAL(there->got, sizeof(many));
		CU_ASSERT_TRUE(WAIT_FOR(f.closed == 1));
		/* They close. */
		c = call_to(&f, c.options.port, c.options.tls, c.options.host);
		call(g, &c);
		CU_ASSERT_TRUE(decided(&f));
		say(g, &f, "all", false);
		CU_ASSERT_TRUE(WAIT_FOR(f.closed == 1));
		CU_ASSERT_EQUAL(f.got, sizeof(many));
		CU_ASSERT_EQUAL(f.why.kind, ERR_NONE);
	}
	CU_ASSERT_TRUE(WAIT_FOR(flows_now(g) == 0));
	stage_end(g);
	tls_context_unref(tls);
}

/* A reset is an end with a reason. */
static void test_reset(void)
{
	struct stage *g = stage_new();
	struct linger hard = { 1, 0 };
	struct flow f;
	struct flow_call c;
	uint16_t port;
	int listening, fd;

	stage_start(g, NULL);
	listening = deaf(&port, 5);
	c = call_to(&f, port, NULL, NULL);
	call(g, &c);
	CU_ASSERT_TRUE(decided(&f));
	fd = accept(listening, NULL, NULL);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fd);
	CU_ASSERT_TRUE(WAIT_FOR(f.closed == 1));
	CU_ASSERT_EQUAL(f.why.kind, ERR_IO);
	CU_ASSERT_EQUAL(f.why.native, ECONNRESET);
	close(listening);
	stage_end(g);
}

/* --- silence */

static void test_idle(void)
{
	static const struct {
		unsigned idle_ms, silent_ms;
		const char *said;
		bool ends;
	} rows[] = {
		/* Longer than until the first look. */
		{ 1500, 0, "x", true },     { 300, 0, "", true },
		{ 300, 0, "x", true },      { 0, 300, "", true },
		{ 3600000, 300, "", true }, { 3600000, 300, "x", false },
		{ 0, 300, "x", false },     { 0, 0, "", false },
		{ 3600000, 0, "", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct stage *g = stage_new();
		struct tls_caller *tls;
		char got[8];
		int tcp;

		g->idle_ms = rows[i].idle_ms;
		g->silent_ms = rows[i].silent_ms;
		stage_start(g, flow_server(GOOD, NULL, TLS_1_2));
		tcp = client_tcp(g->sip);
		tls = caller_open(g->sips, false);
		CU_ASSERT_PTR_NOT_NULL_FATAL(tls);
		client_send(tcp, rows[i].said);
		if (*rows[i].said) {
			caller_write(tls, rows[i].said, 1);
			CU_ASSERT_EQUAL(caller_read(tls, got, 1), 1);
			CU_ASSERT_EQUAL(recv(tcp, got, 1, 0), 1);
		}
		if (rows[i].ends) {
			CU_ASSERT_EQUAL(caller_read(tls, got, 1), 0);
			CU_ASSERT_TRUE(caller_ended_cleanly(tls));
			CU_ASSERT_EQUAL(recv(tcp, got, 1, 0), 0);
		} else {
			/* Longer than two looks. */
			sleep_ms(2 * STREAM_LOOK_MS + 300);
			CU_ASSERT_EQUAL(flows_now(g), 2);
		}
		caller_free(tls);
		close(tcp);
		stage_end(g);
	}
}

/* --- limits */

static void test_limits(void)
{
	struct stage *g = stage_new();
	struct front_stats stats;
	struct flow f;
	struct flow_call c;
	int fd[3], more;
	char *a, b;

	g->x.limits.flows = 4;
	g->x.limits.flows_per_peer = 3;
	g->x.limits.connections = 1;
	stage_start(g, NULL);
	for (int i = 0; i < 3; i++)
		fd[i] = client_tcp(g->sip);
	CU_ASSERT_TRUE(WAIT_FOR(g->tcp.opened == 3));
	/* The fourth of one address. */
	more = client_tcp(g->sip);
	CU_ASSERT_EQUAL(recv(more, &b, 1, 0), 0);
	close(more);
	/* HTTP has a count of its own. */
	a = client_ask(g->x.http, "GET /echo HTTP/1.0\r\n\r\n");
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);
	/* We may call that address all the same, up to the limit of all. */
	{
		uint16_t port;
		int listening = deaf(&port, 5);

		c = call_to(&f, port, NULL, NULL);
		call(g, &c);
		CU_ASSERT_TRUE(decided(&f));
		CU_ASSERT_EQUAL(f.opened, 1);
		c.flow = NULL;
		front_fixture_call(&g->x, flow_connect, &c);
		CU_ASSERT_PTR_NULL(c.stream);
		CU_ASSERT_EQUAL(c.e.kind, ERR_LIMIT);
		close(listening);
	}
	CU_ASSERT_TRUE(WAIT_FOR(f.closed == 1));
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	CU_ASSERT_TRUE(WAIT_FOR(flows_now(g) == 0));
	front_get_stats(g->x.front, &stats);
	CU_ASSERT_EQUAL(stats.refused, 1);
	/* Room again. */
	more = client_tcp(g->sip);
	client_send(more, "bye");
	a = client_all(more, NULL);
	CU_ASSERT_STRING_EQUAL(a, "bye");
	free(a);
	stage_end(g);
}

/* Whoever calls when all are taken is refused, from wherever. */
static void test_limit_of_all(void)
{
	struct stage *g = stage_new();
	struct front_stats stats;
	int fd[2], more;
	char b;

	g->x.limits.flows = 2;
	g->x.limits.flows_per_peer = 0;
	stage_start(g, NULL);
	for (int i = 0; i < 2; i++)
		fd[i] = client_tcp(g->sip);
	CU_ASSERT_TRUE(WAIT_FOR(g->tcp.opened == 2));
	more = client_tcp(g->sip);
	CU_ASSERT_EQUAL(recv(more, &b, 1, 0), 0);
	close(more);
	front_get_stats(g->x.front, &stats);
	CU_ASSERT_EQUAL(stats.refused, 1);
	CU_ASSERT_EQUAL(stats.flows, 2);
	for (int i = 0; i < 2; i++)
		close(fd[i]);
	stage_end(g);
}

/* --- a thousand */

static void move_listeners(struct front_fixture *x, void *arg)
{
	struct stage *g = arg;
	uint16_t old = g->sips;

	listen_all(x, arg);
	CU_ASSERT_NOT_EQUAL(g->sips, old);
}

static long resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long total = 0, resident = 0;

	if (!f || fscanf(f, "%ld %ld", &total, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return resident * sysconf(_SC_PAGESIZE);
}

/* What an idle one takes, once it has given back what it can. */
static void check_memory(long before, unsigned ends)
{
/* Sanitizers keep freed memory, or their own beside it. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	long each;

	sleep_ms(TRIM_MS + 500);
	each = (resident_bytes() - before) / (long)ends;
	unit_note("%ld bytes resident for each end of an idle flow", each);
	CU_ASSERT(each < 60 * 1024);
#else
	(void)before;
	(void)ends;
#endif
}

static void test_thousand(void)
{
	enum { FLOWS = 1000, AT_ONCE = 100 };
	struct stage *g = stage_new();
	struct tls_context *tls = flow_client(-1, NULL, TLS_SERVER_ANY);
	struct flow *f = calloc(FLOWS, sizeof(*f)), late;
	struct flow_call c;
	unsigned whole = 0;
	long before;

	g->x.limits.flows_per_peer = 0;
	stage_start(g, flow_server(GOOD, NULL, TLS_1_2));
	before = resident_bytes();
	for (int i = 0; i < FLOWS; i++) {
		c = call_to(&f[i], g->sips, tls, "peer.example");
		call(g, &c);
		if (i % AT_ONCE == AT_ONCE - 1)
			for (int j = i + 1 - AT_ONCE; j <= i; j++)
				CU_ASSERT_TRUE(decided(&f[j]));
	}
	for (int i = 0; i < FLOWS; i++)
		whole += f[i].opened == 1;
	CU_ASSERT_EQUAL(whole, FLOWS);
	CU_ASSERT_EQUAL(flows_now(g), 2 * FLOWS);
	check_memory(before, 2 * FLOWS);
	/* The listener goes elsewhere: none is dropped, new ones come there. */
	c = call_to(&late, g->sips, tls, "peer.example");
	front_fixture_call(&g->x, move_listeners, g);
	call(g, &c);
	CU_ASSERT_TRUE(decided(&late));
	CU_ASSERT_EQUAL(late.why.native, ECONNREFUSED);
	for (int i = 0; i < FLOWS; i++)
		say(g, &f[i], "hello", false);
	whole = 0;
	for (int i = 0; i < FLOWS; i++)
		whole += WAIT_FOR(f[i].got == 5) && f[i].closed == 0;
	CU_ASSERT_EQUAL(whole, FLOWS);
	c = call_to(&late, g->sips, tls, "peer.example");
	call(g, &c);
	CU_ASSERT_TRUE(decided(&late));
	CU_ASSERT_EQUAL(late.opened, 1);
	CU_ASSERT_EQUAL(flows_now(g), 2 * FLOWS + 2);
	stage_end(g);
	for (int i = 0; i < FLOWS; i++)
		CU_ASSERT_EQUAL(f[i].closed, 1);
	free(f);
	tls_context_unref(tls);
}

static const struct unit_test tests[] = {
	{ "TCP, accepted", test_tcp_accepted },
	{ "TCP, called", test_tcp_called },
	{ "not begun", test_not_begun },
	{ "TLS, who is let in", test_tls_rows },
	{ "an OpenSSL server", test_openssl },
	{ "a context for each kind", test_kinds },
	{ "no way there", test_no_way },
	{ "deadline", test_deadline },
	{ "given up", test_given_up },
	{ "data in flight", test_data_in_flight },
	{ "reset", test_reset },
	{ "idle", test_idle },
	{ "limits", test_limits },
	{ "limit of all", test_limit_of_all },
	{ "a thousand flows", test_thousand },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "front-flows", tests, flow_setup,
			 flow_teardown);
}
