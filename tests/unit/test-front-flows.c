/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/flow_stage.h"

/* Streams that are accepted and opened: how they come to be and how they end.
 */

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
	CU_ASSERT_TRUE(WAIT_FOR(stage_flows(g) == 0));
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
	CU_ASSERT_EQUAL(stage_flows(g), 0);
	stage_end(g);
	tls_context_unref(tls);
	judge_store_unref(store);
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
	CU_ASSERT_TRUE(WAIT_FOR(stage_flows(g) == 0));
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
	CU_ASSERT_TRUE(WAIT_FOR(stage_flows(g) == 1));
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
	CU_ASSERT_TRUE(WAIT_FOR(stage_flows(g) == 0));
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
	CU_ASSERT_TRUE(WAIT_FOR(stage_flows(g) == 0));
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

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "TCP, accepted", test_tcp_accepted },
		{ "TCP, called", test_tcp_called },
		{ "not begun", test_not_begun },
		{ "no way there", test_no_way },
		{ "deadline", test_deadline },
		{ "given up", test_given_up },
		{ "data in flight", test_data_in_flight },
		{ "reset", test_reset },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "front-flows", tests, flow_setup,
			 flow_teardown);
}
