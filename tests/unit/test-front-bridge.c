/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/front_private.h"
#include "tests/unit/front_fixture.h"

/* The bridge between clients and backend, with both of them misbehaving. Above
 * all: no request is ever answered for another peer than the one who asked. */

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define GET_CLOSE(path) \
	"GET " path " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static void test_pipelining(void)
{
	struct front_fixture x;
	char *a, *b;

	front_fixture_init(&x);
	front_fixture_start(&x);
	a = client_ask(x.http, GET("/bytes/1") GET("/wait/50") "\r\n" GET(
				   "/chunks/3000") GET_CLOSE("/bytes/4"));
	b = strstr(a, "\r\n\r\na");
	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	b = strstr(b, "\r\n\r\nab");
	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	b = strstr(b, "Transfer-Encoding: chunked\r\n\r\n3e8\r\nabc");
	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	CU_ASSERT_TRUE(ends_with(b, "0\r\n\r\nHTTP/1.1 200 OK\r\n"
				    "Content-Length: 4\r\n"
				    "Connection: close\r\n\r\nabcd"));
	free(a);
	CU_ASSERT_EQUAL(x.backend.requests, 4);
	front_fixture_stop(&x);
}

static void test_byte_by_byte(void)
{
	static const char request[] =
	    "\r\nPOST /echo HTTP/1.1\r\nHost: h\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n"
	    "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n" GET_CLOSE("/bytes/3");
	struct front_fixture x;
	char *a;
	int fd;

	front_fixture_init(&x);
	front_fixture_start(&x);
	fd = client_tcp(x.http);
	for (size_t i = 0; i < strlen(request); i++) {
		client_send_n(fd, request + i, 1);
		if (i % 10 == 0)
			sleep_ms(1);
	}
	a = client_all(fd, NULL);
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(a, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n"
		      "Connection: close\r\n\r\nhello world"));
	CU_ASSERT_TRUE(ends_with(a, "\r\n\r\nabc"));
	free(a);
	front_fixture_stop(&x);
}

/* Nothing of a request that is refused reaches the backend, nor anything that
 * stands behind it. */
static void test_refused(void)
{
	static const struct {
		const char *in;
		int status;
	} rows[] = {
		{ "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 30\r\n"
		  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" GET("/echo"),
		  400 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n"
		  "Content-Length: 30\r\n\r\n" GET("/echo"),
		  400 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: x\r\n\r\n"
		  "0\r\n\r\n" GET("/echo"),
		  501 },
		{ "GET / HTTP/1.1\nHost: h\n\n" GET("/echo"), 400 },
		{ "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n" GET("/e"),
		  400 },
		{ "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n" GET("/echo"), 405 },
		{ "GET /\r\n\r\n" GET("/echo"), 400 },
		{ "\x16\x03\x01\x02", 400 },
	};
	struct front_fixture x;

	front_fixture_init(&x);
	front_fixture_start(&x);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *a = client_ask(x.http, rows[i].in);

		CU_ASSERT_EQUAL(answer_status(a), rows[i].status);
		CU_ASSERT_PTR_NOT_NULL(strstr(a, "\r\nConnection: close\r\n"));
		CU_ASSERT_PTR_NULL(strstr(answer_body(a), "HTTP/1.1 "));
		free(a);
	}
	CU_ASSERT_EQUAL(x.backend.connections, 0);
	front_fixture_stop(&x);
}

static char *post(size_t n, const char *path)
{
	char *r = malloc(n + 200);
	int head = sprintf(r,
			   "POST %s HTTP/1.1\r\nHost: h\r\n"
			   "Connection: close\r\nContent-Length: %zu\r\n\r\n",
			   path, n);

	memset(r + head, 'x', n);
	r[(size_t)head + n] = '\0';
	return r;
}

static void test_bodies(void)
{
	static const struct {
		size_t n;
		int status;
	} rows[] = { { 0, 200 },       { 1, 200 },       { 100000, 200 },
		     { 4194304, 200 }, { 4194305, 413 }, { 6000000, 413 } };
	struct front_fixture x;
	char *r, *a;
	size_t len;

	front_fixture_init(&x);
	front_fixture_start(&x);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = client_tcp(x.http);

		r = post(rows[i].n, "/echo");
		client_send(fd, r);
		a = client_all(fd, &len);
		CU_ASSERT_EQUAL(answer_status(a), rows[i].status);
		if (rows[i].status == 200)
			CU_ASSERT(len > rows[i].n);
		free(a);
		free(r);
	}
	/* A body of which the handler takes nothing is no second request. */
	a = client_ask(x.http, "POST /bytes/2 HTTP/1.1\r\nHost: h\r\n"
			       "Content-Length: 33\r\n\r\n" GET("/poison")
				   GET_CLOSE("/bytes/3"));
	CU_ASSERT_TRUE(ends_with(a, "abc"));
	free(a);
	CU_ASSERT_EQUAL(x.front->buffered, 0);
	front_fixture_stop(&x);
}

static void read_buffered(struct front_fixture *x, void *arg)
{
	*(size_t *)arg = x->front->buffered;
}

/* All bodies together have a limit. */
static void test_buffered(void)
{
	struct front_fixture x;
	size_t buffered;
	char *a;
	int fds[3];

	front_fixture_init(&x);
	x.limits.buffered_bytes = 300000;
	front_fixture_start(&x);
	for (int i = 0; i < 2; i++) {
		char *r = post(200000, "/echo");

		r[strlen(r) - 100000] = '\0';
		fds[i] = client_tcp(x.http);
		client_send(fds[i], r);
		free(r);
	}
	CU_ASSERT_TRUE(
	    WAIT_FOR((front_fixture_call(&x, read_buffered, &buffered),
		      buffered >= 200000)));
	fds[2] = client_tcp(x.http);
	{
		char *r = post(200000, "/echo");

		client_send(fds[2], r);
		free(r);
	}
	a = client_all(fds[2], NULL);
	CU_ASSERT_EQUAL(answer_status(a), 503);
	CU_ASSERT_PTR_NOT_NULL(strstr(a, "\r\nRetry-After: "));
	free(a);
	close(fds[0]);
	close(fds[1]);
	CU_ASSERT_TRUE(WAIT_FOR(
	    (front_fixture_call(&x, read_buffered, &buffered), buffered == 0)));
	{
		char *r = post(200000, "/echo");

		a = client_ask(x.http, r);
		free(r);
	}
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);
	front_fixture_stop(&x);
}

static void test_continue(void)
{
	struct front_fixture x;
	char *a;
	int fd;

	front_fixture_init(&x);
	front_fixture_start(&x);
	fd = client_tcp(x.http);
	client_send(fd,
		    "POST /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
		    "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	a = client_one(fd);
	CU_ASSERT_STRING_EQUAL(a, "HTTP/1.1 100 Continue\r\n\r\n");
	free(a);
	client_send(fd, "hi");
	a = client_all(fd, NULL);
	CU_ASSERT_EQUAL(answer_status(a), 200);
	CU_ASSERT_TRUE(ends_with(a, "hi"));
	CU_ASSERT_PTR_NULL(strstr(a, "Expect"));
	free(a);
	/* Too much is said before it is sent. */
	a = client_ask(x.http, "POST / HTTP/1.1\r\nHost: h\r\n"
			       "Expect: 100-continue\r\n"
			       "Content-Length: 99999999\r\n\r\n");
	CU_ASSERT_EQUAL(answer_status(a), 413);
	free(a);
	front_fixture_stop(&x);
}

static void test_answers(void)
{
	static const struct {
		const char *request;
		int status;
		const char *end;
	} rows[] = {
		{ GET_CLOSE("/bytes/0"), 200, "\r\n\r\n" },
		{ GET_CLOSE("/bytes/26"), 200, "xyz" },
		{ GET_CLOSE("/chunks/26"), 200, "xyz\r\n0\r\n\r\n" },
		{ GET("/end/26"), 200, "xyz" }, /* ends by itself */
		{ "GET /chunks/26 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		  200, "\r\n\r\nabcdefghijklmnopqrstuvwxyz" },
		{ "GET /bytes/26 HTTP/1.0\r\n\r\n", 200, "xyz" },
		{ "HEAD /bytes/26 HTTP/1.1\r\nHost: h\r\n"
		  "Connection: close\r\n\r\n",
		  200, "Content-Length: 26\r\nConnection: close\r\n\r\n" },
		{ GET_CLOSE("/split"), 200, "body" },
		{ GET_CLOSE("/trickle/26"), 200, "xyz" },
		{ GET_CLOSE("/close"), 200, "ok" },
		{ GET_CLOSE("/extra"), 200, "\r\n\r\nok" },
		{ GET("/die"), 502, "\n" },
		{ GET("/broken/1000"), 200, "a" },
		{ GET_CLOSE("/raw/interim"), 200, "ok" },
		{ GET_CLOSE("/raw/empty"), 204, "\r\n\r\n" },
		{ GET_CLOSE("/raw/not-modified"), 304, "\r\n\r\n" },
		{ GET("/raw/no-status"), 502, "\n" },
		{ GET("/raw/not-http"), 502, "\n" },
		{ GET("/raw/two-lengths"), 502, "\n" },
		{ GET("/raw/length-and-chunks"), 502, "\n" },
		{ GET("/raw/bad-chunk"), 502, "\n" },
		{ GET("/raw/switching"), 502, "\n" },
		{ GET("/raw/bare-lf"), 502, "\n" },
		{ GET("/raw/head-cut"), 502, "\n" },
		{ GET_CLOSE("/raw/hops"), 200,
		  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Kept: yes\r\n"
		  "Connection: close\r\n\r\nok" },
	};
	struct front_fixture x;

	front_fixture_init(&x);
	front_fixture_start(&x);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *a = client_ask(x.http, rows[i].request);

		if (answer_status(a) != rows[i].status ||
		    (strcmp(rows[i].end, "a") != 0 &&
		     !ends_with(a, rows[i].end)))
			unit_note("%s: %s", rows[i].request, a);
		CU_ASSERT_EQUAL(answer_status(a), rows[i].status);
		if (strcmp(rows[i].end, "a") != 0)
			CU_ASSERT_TRUE(ends_with(a, rows[i].end));
		CU_ASSERT_PTR_NULL(strstr(a, "poison"));
		free(a);
	}
	CU_ASSERT_EQUAL(x.backend.strangers, 0);
	front_fixture_stop(&x);
}

/* What may be used again is, what may not is not. */
static void test_reuse(void)
{
	static const struct {
		const char *request;
		bool reused;
	} rows[] = {
		{ GET_CLOSE("/bytes/10"), true },
		{ GET_CLOSE("/chunks/5000"), true },
		{ GET_CLOSE("/raw/not-modified"), true },
		{ "OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
		  false },
		{ "HEAD /bytes/10 HTTP/1.1\r\nHost: h\r\n"
		  "Connection: close\r\n\r\n",
		  false },
		{ "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"
		  "Connection: close\r\n\r\nx",
		  false },
		{ "GET /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"
		  "Connection: close\r\n\r\nx",
		  false },
		{ GET_CLOSE("/close"), false },
		{ GET("/end/10"), false },
		{ GET_CLOSE("/extra"), false },
		{ GET("/raw/two-lengths"), false },
	};
	struct front_fixture x;

	front_fixture_init(&x);
	front_fixture_start(&x);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned before = x.backend.connections;

		for (int j = 0; j < 3; j++)
			free(client_ask(x.http, rows[i].request));
		if ((x.backend.connections <= before + 1) != rows[i].reused)
			unit_note("%s", rows[i].request);
		CU_ASSERT_EQUAL(x.backend.connections <= before + 1,
				rows[i].reused);
	}
	front_fixture_stop(&x);
}

#define POST_CLOSE(path)                                             \
	"POST " path " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" \
	"Content-Length: 1\r\n\r\nx"

static void check_status(struct front_fixture *x, const char *request,
			 int status)
{
	char *a = client_ask(x->http, request);

	if (answer_status(a) != status)
		unit_note("%d for %.12s, %u requests", answer_status(a),
			  request, (unsigned)x->backend.requests);
	CU_ASSERT_EQUAL(answer_status(a), status);
	free(a);
}

/* A kept connection that the backend has closed costs nobody anything. */
static void test_stale(void)
{
	struct front_fixture x;

	front_fixture_init(&x);
	front_fixture_start(&x);
	for (int i = 0; i < 50; i++) {
		check_status(&x, GET_CLOSE("/leave"), 200);
		check_status(&x, POST_CLOSE("/echo"), 200);
	}
	CU_ASSERT_EQUAL(x.backend.requests, 100);
	/* The end is seen before the reset. */
	for (int i = 0; i < 5; i++) {
		check_status(&x, GET_CLOSE("/late"), 200);
		check_status(&x, POST_CLOSE("/echo"), 200);
	}
	CU_ASSERT_EQUAL(x.backend.requests, 110);
	/* A request that was read is not made twice. */
	for (int i = 0; i < 5; i++) {
		check_status(&x, GET_CLOSE("/echo"), 200);
		check_status(&x, POST_CLOSE("/die"), 502);
	}
	CU_ASSERT_EQUAL(x.backend.requests, 120);
	CU_ASSERT_EQUAL(x.backend.strangers, 0);
	front_fixture_stop(&x);
}

/* The client is gone, the backend still works for it: that connection is
 * nobody else's until it has answered. */
static void test_abandoned(void)
{
	struct front_fixture x;
	struct linger hard = { 1, 0 };

	front_fixture_init(&x);
	x.limits.backend_connections = 3;
	front_fixture_start(&x);
	for (int i = 0; i < 9; i++) {
		int fd = client_tcp(x.http);
		char *a;

		client_send(fd,
			    i % 3 ? GET("/wait/100") : GET("/bytes/900000"));
		sleep_ms(20);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		close(fd);
		a = client_ask(x.http, GET_CLOSE("/echo"));
		CU_ASSERT_EQUAL(answer_status(a), 200);
		free(a);
	}
	CU_ASSERT_EQUAL(x.backend.strangers, 0);
	CU_ASSERT(x.backend.connections <= 12);
	front_fixture_stop(&x);
}

static void set_durations(struct front_fixture *x, void *arg)
{
	const unsigned *ms = arg;

	x->front->deadlines.duration_ms[DEADLINE_RESPONSE] = ms[0];
	x->front->deadlines.duration_ms[DEADLINE_QUEUE] = ms[1];
}

static bool is_answered(struct front_fixture *x)
{
	char *a = client_ask(x->http, GET_CLOSE("/echo"));
	bool answered = answer_status(a) == 200;

	free(a);
	return answered;
}

static void test_response_deadline(void)
{
	struct front_fixture x;
	unsigned ms[2] = { 200, 200 };
	char *a;

	front_fixture_init(&x);
	x.limits.backend_connections = 1;
	front_fixture_start(&x);
	front_fixture_call(&x, set_durations, ms);
	a = client_ask(x.http, GET("/wait/900"));
	CU_ASSERT_EQUAL(answer_status(a), 504);
	free(a);
	/* Its connection is busy still: the next one waits, in vain. */
	a = client_ask(x.http, GET_CLOSE("/echo"));
	CU_ASSERT_EQUAL(answer_status(a), 503);
	free(a);
	CU_ASSERT_EQUAL(x.backend.connections, 1);
	/* The administrator at the machine gets through all the same. */
	{
		int fd = client_unix(x.control);

		client_send(fd, GET_CLOSE("/echo"));
		a = client_all(fd, NULL);
		CU_ASSERT_EQUAL(answer_status(a), 200);
		CU_ASSERT_PTR_NOT_NULL(strstr(a, "peer=local"));
		free(a);
	}
	/* When it is done, the others get through again. */
	CU_ASSERT(WAIT_FOR(is_answered(&x)));
	CU_ASSERT_EQUAL(x.backend.strangers, 0);
	front_fixture_stop(&x);
}

static void test_queue(void)
{
	struct front_fixture x;
	int fds[12];

	front_fixture_init(&x);
	x.limits.backend_connections = 2;
	front_fixture_start(&x);
	for (int i = 0; i < 12; i++) {
		fds[i] = client_tcp(x.http);
		client_send(fds[i], GET("/wait/30"));
	}
	close(fds[5]); /* one loses patience */
	for (int i = 0; i < 12; i++) {
		char *a;

		if (i == 5)
			continue;
		a = client_one(fds[i]);
		CU_ASSERT_EQUAL(answer_status(a), 200);
		free(a);
		close(fds[i]);
	}
	CU_ASSERT(x.backend.connections <= 2);
	front_fixture_stop(&x);
}

static void wait_in_line(struct front_fixture *x, void *arg)
{
	(void)arg;
	x->front->deadlines.duration_ms[DEADLINE_QUEUE] = 60000;
}

/* One address cannot have all of the backend, not even by going away. */
static void test_share(void)
{
	struct front_fixture x;
	char *a;
	int fd;

	front_fixture_init(&x);
	x.limits.backend_connections = 4;
	front_fixture_start(&x);
	front_fixture_call(&x, wait_in_line, NULL);
	for (int i = 0; i < 6; i++) {
		fd = client_tcp(x.http);
		client_send(fd, GET("/wait/3000"));
		if (i < 2)
			CU_ASSERT_TRUE(
			    WAIT_FOR(x.backend.requests == (unsigned)i + 1));
		sleep_ms(10);
		close(fd);
	}
	fd = client_tcp(x.http);
	client_send(fd, GET("/wait/10"));
	sleep_ms(50);
	CU_ASSERT_EQUAL(x.backend.requests, 2);
	for (int i = 0; i < 5; i++) {
		int six = client_tcp6(x.http6);

		client_send(six, GET_CLOSE("/bytes/2"));
		a = client_all(six, NULL);
		CU_ASSERT_EQUAL(answer_status(a), 200);
		free(a);
	}
	CU_ASSERT_EQUAL(x.backend.requests, 7);
	a = client_one(fd);
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);
	close(fd);
	front_fixture_stop(&x);
}

static void read_outgoing(struct front_fixture *x, void *arg)
{
	size_t *most = arg;

	if (x->front->outgoing > *most)
		*most = x->front->outgoing;
}

/* A large answer for a slow reader stays with the backend, not in memory. */
static void test_slow_reader(void)
{
	enum { BYTES = 30000000 };
	struct front_fixture x;
	size_t most = 0, got = 0;
	char *part = malloc(1 << 20);
	int fd, small = 65536;
	ssize_t n;

	front_fixture_init(&x);
	front_fixture_start(&x);
	fd = client_tcp(x.http);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	client_send(fd, GET_CLOSE("/bytes/30000000"));
	for (int i = 0; i < 10; i++) {
		sleep_ms(20);
		front_fixture_call(&x, read_outgoing, &most);
		got += (size_t)recv(fd, part, 10000, 0);
	}
	while ((n = recv(fd, part, 1 << 20, 0)) > 0) {
		got += (size_t)n;
		front_fixture_call(&x, read_outgoing, &most);
	}
	CU_ASSERT_EQUAL(n, 0);
	CU_ASSERT(got > BYTES && got < BYTES + 200);
	CU_ASSERT(most > 0);
	CU_ASSERT(most <= OUT_HIGH + SCRATCH + 200);
	close(fd);
	free(part);
	front_fixture_stop(&x);
	CU_ASSERT_EQUAL(x.backend.requests, 1);
}

/* One that takes nothing at all is cut off, and its backend connection is
 * free again. */
static void test_no_reader(void)
{
	struct front_fixture x;
	struct front_stats stats;
	char *a;
	int fd;

	front_fixture_init(&x);
	x.limits.write_ms = 300;
	x.limits.backend_connections = 1;
	front_fixture_start(&x);
	fd = client_tcp(x.http);
	client_send(fd, GET("/bytes/30000000"));
	sleep_ms(100);
	CU_ASSERT_TRUE(WAIT_FOR(
	    (front_get_stats(x.front, &stats), stats.connections == 0)));
	a = client_ask(x.http, GET_CLOSE("/echo"));
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);
	close(fd);
	front_fixture_stop(&x);
}

/* Many requests, no answer read: neither requests nor answers pile up. */
static void test_greedy_pipelining(void)
{
	struct front_fixture x;
	struct timeval t = { .tv_usec = 300000 };
	size_t most = 0;
	int fd, i;

	front_fixture_init(&x);
	front_fixture_start(&x);
	fd = client_tcp(x.http);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	for (i = 0; i < 1000000; i++) {
		if (send(fd, GET("/bytes/100000"), strlen(GET("/bytes/100000")),
			 MSG_NOSIGNAL) < 0)
			break;
		if (i % 1000 == 0)
			front_fixture_call(&x, read_outgoing, &most);
	}
	CU_ASSERT(i < 1000000);
	CU_ASSERT(x.backend.requests < 200);
	CU_ASSERT(most <= OUT_HIGH + SCRATCH + 100200);
	close(fd);
	front_fixture_stop(&x);
}

static void test_half_closed(void)
{
	struct front_fixture x;
	int fd;
	char *a;

	front_fixture_init(&x);
	front_fixture_start(&x);
	fd = client_tcp(x.http);
	client_send(fd, GET("/wait/50"));
	shutdown(fd, SHUT_WR);
	a = client_all(fd, NULL);
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);
	/* The end in the middle of a request. */
	fd = client_tcp(x.http);
	client_send(fd,
		    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n");
	shutdown(fd, SHUT_WR);
	a = client_all(fd, NULL);
	CU_ASSERT_EQUAL(answer_status(a), 0);
	free(a);
	CU_ASSERT_EQUAL(x.backend.requests, 1);
	front_fixture_stop(&x);
}

static void forget_backend(struct front_fixture *x, void *arg)
{
	x->front->backend_port = *(uint16_t *)arg;
	(void)arg;
}

static void test_no_backend(void)
{
	struct front_fixture x;
	uint16_t nobody = 1;
	char *a;

	front_fixture_init(&x);
	front_fixture_start(&x);
	front_fixture_call(&x, forget_backend, &nobody);
	for (int i = 0; i < 3; i++) {
		a = client_ask(x.http, GET("/echo"));
		CU_ASSERT_EQUAL(answer_status(a), 502);
		free(a);
	}
	front_fixture_stop(&x);
}

/* --- who is who --- */

struct crowd {
	struct front_fixture *x;
	unsigned seed, wrong, answered;
};

static uint16_t own_port(int fd)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);

	getsockname(fd, (struct sockaddr *)&in, &len);
	return ntohs(in.sin_port);
}

/* Asks who it is, among requests that do everything to confuse the bridge. */
static void *mingle(void *arg)
{
	static const char *const noise[] = {
		GET("/bytes/1000"),
		GET("/extra"),
		GET("/leave"),
		GET("/close"),
		GET("/end/100"),
		GET("/die"),
		GET("/broken/100"),
		GET("/chunks/2500"),
		GET("/raw/two-lengths"),
		"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 41\r\n\r\n"
		"GET /poison HTTP/1.1\r\nHost: h\r\n\r\nxxxxxxxx",
		"HEAD /bytes/10 HTTP/1.1\r\nHost: h\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		GET("/bytes/300000"),
	};
	enum { NOISES = sizeof(noise) / sizeof(noise[0]) };
	struct crowd *c = arg;

	for (int i = 0; i < 150; i++) {
		int fd = client_tcp(c->x->http);
		unsigned pick = (unsigned)rand_r(&c->seed);
		char want[64], *a;

		if (fd < 0)
			continue;
		snprintf(want, sizeof(want), "peer=127.0.0.1:%u ",
			 (unsigned)own_port(fd));
		if (pick % 2 == 0) {
			client_send(fd, noise[pick / 2 % NOISES]);
			if (pick % 8 == 0)
				shutdown(fd, SHUT_RDWR); /* gone */
			close(fd);
			continue;
		}
		client_send(fd, GET("/echo") GET_CLOSE("/echo"));
		a = client_all(fd, NULL);
		for (char *at = a; (at = strstr(at, "peer=")); at++) {
			c->answered++;
			if (strncmp(at, want, strlen(want)) != 0)
				c->wrong++;
		}
		if (strstr(a, "poison"))
			c->wrong++;
		free(a);
	}
	return NULL;
}

static void test_identity(void)
{
	struct front_fixture x;
	struct crowd crowd[6];
	pthread_t threads[6];
	unsigned answered = 0;

	front_fixture_init(&x);
	x.limits.backend_connections = 4;
	front_fixture_start(&x);
	for (unsigned i = 0; i < 6; i++) {
		crowd[i] = (struct crowd){ .x = &x, .seed = i + 1 };
		pthread_create(&threads[i], NULL, mingle, &crowd[i]);
	}
	for (int i = 0; i < 6; i++) {
		pthread_join(threads[i], NULL);
		CU_ASSERT_EQUAL(crowd[i].wrong, 0);
		answered += crowd[i].answered;
	}
	CU_ASSERT(answered > 800);
	CU_ASSERT_EQUAL(x.backend.strangers, 0);
	unit_note("%u answers, %u requests, %u backend connections", answered,
		  (unsigned)x.backend.requests,
		  (unsigned)x.backend.connections);
	front_fixture_stop(&x);
}

static const struct unit_test tests[] = {
	{ "pipelining", test_pipelining },
	{ "byte by byte", test_byte_by_byte },
	{ "refused requests", test_refused },
	{ "bodies", test_bodies },
	{ "all bodies together", test_buffered },
	{ "100 Continue", test_continue },
	{ "answers", test_answers },
	{ "reuse of backend connections", test_reuse },
	{ "stale backend connections", test_stale },
	{ "abandoned requests", test_abandoned },
	{ "response deadline", test_response_deadline },
	{ "queue", test_queue },
	{ "share of an address", test_share },
	{ "slow reader", test_slow_reader },
	{ "no reader", test_no_reader },
	{ "greedy pipelining", test_greedy_pipelining },
	{ "half-closed clients", test_half_closed },
	{ "no backend", test_no_backend },
	{ "identity", test_identity },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "front-bridge", tests, NULL, NULL);
}
