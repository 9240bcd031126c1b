/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/front_private.h"
#include "tests/unit/flow_stage.h"

/* How many streams there may be, for how long in silence, and what they take.
 */

static void test_idle(void)
{
	static const struct {
		unsigned idle_ms, silent_ms;
		const char *said;
		bool ends;
	} rows[] = {
		/* Longer than until the first look. */
		{ 1500, 0, "x", true },     { 300, 0, "", true },
		{ 700, 0, "x", true },      { 0, 300, "", true },
		{ 3600000, 300, "", true }, { 3600000, 1000, "x", false },
		{ 0, 1000, "x", false },    { 0, 0, "", false },
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
		/* A handshake takes its time, in which nobody is silent. */
		tls = caller_open(g->sips, false);
		CU_ASSERT_PTR_NOT_NULL_FATAL(tls);
		tcp = client_tcp(g->sip);
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
			CU_ASSERT_EQUAL(stage_flows(g), 2);
		}
		caller_free(tls);
		close(tcp);
		stage_end(g);
	}
}

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
	CU_ASSERT_TRUE(WAIT_FOR(stage_flows(g) == 0));
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

static void move_listeners(struct front_fixture *x, void *arg)
{
	struct stage *g = arg;
	uint16_t old = g->sips;

	stage_listen(x, arg);
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
	CU_ASSERT_EQUAL(stage_flows(g), 2 * FLOWS);
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
	CU_ASSERT_EQUAL(stage_flows(g), 2 * FLOWS + 2);
	stage_end(g);
	for (int i = 0; i < FLOWS; i++)
		CU_ASSERT_EQUAL(f[i].closed, 1);
	free(f);
	tls_context_unref(tls);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "idle", test_idle },
		{ "limits", test_limits },
		{ "limit of all", test_limit_of_all },
		{ "a thousand flows", test_thousand },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "front-flows-room", tests, flow_setup,
			 flow_teardown);
}
