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

/* Datagrams at the front: who was asked answers, what is too long is dropped,
 * nobody fills the loop, and a listener moves. */

enum { RECEIVE_S = 30, LONG = 2000 };

/* Sends back what comes, the address that was asked in front of it. */
struct echo {
	struct front *front;
	atomic_uint count;
	size_t last_n;
	unsigned failed;
	bool silent;
};

static void on_datagram(void *arg, const struct sockaddr_storage *from,
			const struct sockaddr_storage *to, const uint8_t *p,
			size_t n)
{
	struct echo *echo = arg;
	struct error e = ERROR_INIT;
	char address[INET6_ADDRSTRLEN], text[70000];
	struct sockaddr_in6 in6;
	struct sockaddr_in in;
	int len;

	memcpy(&in, to, sizeof(in));
	memcpy(&in6, to, sizeof(in6));
	inet_ntop(to->ss_family,
		  to->ss_family == AF_INET6 ? (void *)&in6.sin6_addr
					    : (void *)&in.sin_addr,
		  address, sizeof(address));
	len = snprintf(text, sizeof(text), "%s %u ", address,
		       (unsigned)ntohs(in.sin_port));
	echo->last_n = n;
	if (n > 1000)
		n = 1000;
	memcpy(text + len, p, n);
	if (!echo->silent && front_udp_send(echo->front, "sip_udp", to, from,
					    text, (size_t)len + n, &e) < 0)
		echo->failed++;
	atomic_fetch_add(&echo->count, 1);
}

static struct echo echo;

/* --- on the loop */

struct wish {
	const char *addresses[4];
	size_t count;
	uint16_t port;
	size_t bytes_max;
	int rc;
	struct error e;
};

static void listen_udp(struct front_fixture *x, void *arg)
{
	struct wish *w = arg;
	const struct front_datagram_ops ops = { .datagram = on_datagram,
						.arg = &echo,
						.bytes_max = w->bytes_max };

	echo.front = x->front;
	error_clear(&w->e);
	w->rc = front_listen_udp(x->front, "sip_udp", w->addresses, w->count,
				 w->port, &ops, &w->e);
	w->port = front_listen_port(x->front, "sip_udp");
}

static void unlisten(struct front_fixture *x, void *arg)
{
	(void)arg;
	front_unlisten(x->front, "sip_udp");
}

static void start(struct front_fixture *x, struct wish *w)
{
	memset(&echo, 0, sizeof(echo));
	front_fixture_init(x);
	front_fixture_start(x);
	front_fixture_call(x, listen_udp, w);
	CHECK_OK(w->rc, &w->e);
	CU_ASSERT_NOT_EQUAL_FATAL(w->port, 0);
}

/* --- clients */

static socklen_t fill(struct sockaddr_storage *sa, const char *address,
		      uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(port) };

	memset(sa, 0, sizeof(*sa));
	if (inet_pton(AF_INET, address, &in.sin_addr) == 1) {
		memcpy(sa, &in, sizeof(in));
		return sizeof(in);
	}
	CU_ASSERT_EQUAL_FATAL(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
	memcpy(sa, &in6, sizeof(in6));
	return sizeof(in6);
}

/* Connected: hears nobody but whom it asked. */
static int client(const char *address, uint16_t port)
{
	struct timeval t = { .tv_sec = RECEIVE_S };
	struct sockaddr_storage sa;
	socklen_t len = fill(&sa, address, port);
	int fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_FATAL(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&sa, len), 0);
	return fd;
}

static void check_answer(int fd, const char *address, uint16_t port,
			 const char *sent)
{
	char wanted[100], got[2000];
	ssize_t n = recv(fd, got, sizeof(got) - 1, 0);

	snprintf(wanted, sizeof(wanted), "%s %u %s", address, (unsigned)port,
		 sent);
	CU_ASSERT_FATAL(n >= 0);
	got[n] = '\0';
	CU_ASSERT_STRING_EQUAL(got, wanted);
}

static void check_echo(const char *address, uint16_t port)
{
	int fd = client(address, port);

	CU_ASSERT_EQUAL(send(fd, "hello", 5, 0), 5);
	check_answer(fd, address, port, "hello");
	/* An empty one is one, too. */
	CU_ASSERT_EQUAL(send(fd, "", 0, 0), 0);
	check_answer(fd, address, port, "");
	close(fd);
}

/* --- tests */

static const struct row {
	const char *addresses[2]; /* listened on */
	size_t count;
	const char *asked[3];
} rows[] = {
	{ { "127.0.0.1" }, 1, { "127.0.0.1" } },
	{ { "::1" }, 1, { "::1" } },
	{ { "127.0.0.1", "127.0.0.2" }, 2, { "127.0.0.1", "127.0.0.2" } },
	/* A wildcard socket answers from where it was asked, else a connected
	 * client hears nothing. */
	{ { "0.0.0.0" }, 1, { "127.0.0.1", "127.0.0.2", "127.9.8.7" } },
	{ { "::" }, 1, { "::1" } },
	/* IPV6_V6ONLY: both may have the port. */
	{ { "0.0.0.0", "::" }, 2, { "127.0.0.3", "::1" } },
};

static uint16_t free_port(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&in, len), 0);
	getsockname(fd, (struct sockaddr *)&in, &len);
	close(fd);
	return ntohs(in.sin_port);
}

static void test_who_was_asked(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];
		struct wish w = { .count = r->count, .port = free_port() };
		struct front_fixture x;

		memcpy(w.addresses, r->addresses, sizeof(r->addresses));
		start(&x, &w);
		for (size_t j = 0; j < 3 && r->asked[j]; j++)
			check_echo(r->asked[j], w.port);
		front_fixture_stop(&x);
		CU_ASSERT_EQUAL(echo.failed, 0);
	}
}

static void test_too_long(void)
{
	static const struct {
		size_t n;
		bool taken;
	} sizes[] = {
		{ LONG - 1, true }, { LONG, true },   { LONG + 1, false },
		{ 60000, false },   { 65507, false }, { 1, true },
	};
	struct wish w = { { "127.0.0.1" }, .count = 1, .bytes_max = LONG };
	struct front_fixture x;
	struct front_stats stats;
	static char bytes[65507];
	unsigned taken = 0;
	int fd;

	start(&x, &w);
	echo.silent = true;
	fd = client("127.0.0.1", w.port);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		CU_ASSERT_EQUAL(send(fd, bytes, sizes[i].n, 0),
				(ssize_t)sizes[i].n);
		taken += sizes[i].taken;
		CU_ASSERT_TRUE(WAIT_FOR(
		    (front_get_stats(x.front, &stats),
		     stats.datagrams + stats.datagrams_dropped == i + 1)));
		CU_ASSERT_EQUAL(stats.datagrams, taken);
		/* Counted before it is handed on. */
		CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&echo.count) == taken));
		if (sizes[i].taken)
			CU_ASSERT_EQUAL(echo.last_n, sizes[i].n);
	}
	/* Without a limit of ours the longest there is. */
	w.bytes_max = 0;
	front_fixture_call(&x, listen_udp, &w);
	CHECK_OK(w.rc, &w.e);
	CU_ASSERT_EQUAL(send(fd, bytes, sizeof(bytes), 0),
			(ssize_t)sizeof(bytes));
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&echo.count) == taken + 1));
	CU_ASSERT_EQUAL(echo.last_n, sizeof(bytes));
	close(fd);
	front_fixture_stop(&x);
}

/* More than a turn takes is there when the loop looks: it takes them in
 * portions. */
struct flood {
	uint16_t port;
	int fd;
	unsigned after[3]; /* counted after so many turns */
};

static void fill_and_take(struct front_fixture *x, void *arg)
{
	struct flood *flood = arg;

	for (int i = 0; i < 2 * DATAGRAM_BATCH + 1; i++)
		CU_ASSERT_EQUAL(send(flood->fd, "x", 1, 0), 1);
	for (int i = 0; i < 3; i++) {
		struct epoll_event ev;
		struct watch *w;

		CU_ASSERT_EQUAL_FATAL(
		    epoll_wait(x->front->watcher.epoll_fd, &ev, 1, 0), 1);
		w = ev.data.ptr;
		w->ready(w, ev.events);
		flood->after[i] = atomic_load(&echo.count);
	}
}

static void test_bounded_turn(void)
{
	struct wish w = { { "127.0.0.1" }, .count = 1 };
	struct front_fixture x;
	struct flood flood;

	start(&x, &w);
	echo.silent = true;
	flood.fd = client("127.0.0.1", w.port);
	front_fixture_call(&x, fill_and_take, &flood);
	CU_ASSERT_EQUAL(flood.after[0], DATAGRAM_BATCH);
	CU_ASSERT_EQUAL(flood.after[1], 2 * DATAGRAM_BATCH);
	CU_ASSERT_EQUAL(flood.after[2], 2 * DATAGRAM_BATCH + 1);
	close(flood.fd);
	front_fixture_stop(&x);
}

/* --- sending */

struct sending {
	const char *name, *from, *to;
	uint16_t from_port, to_port; /* 0 of from: the listener's */
	size_t n;
	enum error_kind kind;
};

struct attempt {
	const struct sending *row;
	enum error_kind got;
};

static void send_one(struct front_fixture *x, void *arg)
{
	struct attempt *a = arg;
	const struct sending *s = a->row;
	struct sockaddr_storage from, to;
	struct error e = ERROR_INIT;
	static char bytes[70000];

	if (s->from)
		fill(&from, s->from,
		     s->from_port ? s->from_port
				  : front_listen_port(x->front, "sip_udp"));
	fill(&to, s->to, s->to_port);
	if (front_udp_send(x->front, s->name, s->from ? &from : NULL, &to,
			   bytes, s->n, &e) == 0)
		e.kind = ERR_NONE;
	a->got = e.kind;
}

static void test_send(void)
{
	static const struct sending sendings[] = {
		{ "sip_udp", NULL, "127.0.0.1", 0, 9, 10, ERR_NONE },
		{ "sip_udp", "127.0.0.1", "127.0.0.1", 0, 9, 10, ERR_NONE },
		{ "sip_udp", "127.0.0.1", "127.0.0.1", 0, 9, 65507, ERR_NONE },
		{ "sip_udp", "127.0.0.1", "127.0.0.1", 0, 9, 65508, ERR_IO },
		{ "sip_udp", "127.0.0.7", "127.0.0.1", 0, 9, 10,
		  ERR_NOT_FOUND },
		{ "sip_udp", "127.0.0.1", "127.0.0.1", 1, 9, 10,
		  ERR_NOT_FOUND },
		{ "sip_udp", NULL, "::1", 0, 9, 10, ERR_NOT_FOUND },
		{ "sip_udp", "127.0.0.1", "::1", 0, 9, 10, ERR_NOT_FOUND },
		{ "nobody", NULL, "127.0.0.1", 0, 9, 10, ERR_NOT_FOUND },
		{ "http", NULL, "127.0.0.1", 0, 9, 10, ERR_NOT_FOUND },
		{ "sip_udp", NULL, "127.0.0.1", 0, 0, 10, ERR_IO },
	};
	struct wish w = { { "127.0.0.1" }, .count = 1 };
	struct front_fixture x;

	struct attempt a;

	start(&x, &w);
	for (size_t i = 0; i < sizeof(sendings) / sizeof(*sendings); i++) {
		a.row = &sendings[i];
		front_fixture_call(&x, send_one, &a);
		if (a.got != a.row->kind)
			unit_note("row %zu: %d", i, (int)a.got);
		CU_ASSERT_EQUAL(a.got, a.row->kind);
	}
	front_fixture_call(&x, unlisten, NULL);
	a.row = &sendings[0];
	front_fixture_call(&x, send_one, &a);
	CU_ASSERT_EQUAL(a.got, ERR_NOT_FOUND);
	front_fixture_stop(&x);
}

/* --- moving */

static void test_move(void)
{
	struct wish w = { { "127.0.0.1" }, .count = 1 };
	struct front_fixture x;
	uint16_t first;
	int taken;

	start(&x, &w);
	first = w.port;
	check_echo("127.0.0.1", first);
	/* To all addresses of the same port, and back. */
	w.addresses[0] = "0.0.0.0";
	front_fixture_call(&x, listen_udp, &w);
	CHECK_OK(w.rc, &w.e);
	CU_ASSERT_EQUAL(w.port, first);
	check_echo("127.0.0.2", first);
	w.addresses[0] = "127.0.0.1";
	front_fixture_call(&x, listen_udp, &w);
	CHECK_OK(w.rc, &w.e);
	check_echo("127.0.0.1", first);
	/* What somebody else has: all stays as it was. */
	taken = client("127.0.0.1", 9);
	{
		struct sockaddr_in in;
		socklen_t len = sizeof(in);

		getsockname(taken, (struct sockaddr *)&in, &len);
		w.port = ntohs(in.sin_port);
	}
	front_fixture_call(&x, listen_udp, &w);
	CU_ASSERT_EQUAL(w.rc, -1);
	CU_ASSERT_EQUAL(w.e.kind, ERR_CONFLICT);
	CU_ASSERT_EQUAL(w.port, first);
	check_echo("127.0.0.1", first);
	close(taken);
	/* To another port. */
	w.port = 0;
	front_fixture_call(&x, listen_udp, &w);
	CHECK_OK(w.rc, &w.e);
	CU_ASSERT_NOT_EQUAL(w.port, first);
	check_echo("127.0.0.1", w.port);
	front_fixture_stop(&x);
	CU_ASSERT_EQUAL(echo.failed, 0);
}

static void listen_on_tcp_name(struct front_fixture *x, void *arg)
{
	static const char *const v4[] = { "127.0.0.1" };
	const struct front_datagram_ops ops = { .datagram = on_datagram,
						.arg = &echo };
	struct error e = ERROR_INIT;

	(void)arg;
	CHECK_FAILS(front_listen_udp(x->front, "http", v4, 1, 0, &ops, &e), &e,
		    ERR_CONFLICT, "another kind");
	CHECK_FAILS(front_listen_tcp(x->front, "sip_udp", PEER_HTTP, v4, 1, 0,
				     NULL, &e),
		    &e, ERR_CONFLICT, "another kind");
	CHECK_FAILS(front_listen_udp(x->front, "new", v4, 0, 0, &ops, &e), &e,
		    ERR_INPUT, "addresses");
	CHECK_FAILS(front_listen_udp(x->front, "new",
				     (const char *const[]){ "localhost" }, 1, 0,
				     &ops, &e),
		    &e, ERR_INPUT, "numeric");
	CHECK_FAILS(front_listen_udp(x->front, "new",
				     (const char *const[]){ "192.0.2.1" }, 1, 0,
				     &ops, &e),
		    &e, ERR_IO, "192.0.2.1");
	CHECK_FAILS(front_listen_udp(x->front, "new", v4, 1, 0, NULL, &e), &e,
		    ERR_INPUT, "no handler");
	CHECK_FAILS(front_listen_tcp(x->front, "new", PEER_STREAM_TCP, v4, 1, 0,
				     NULL, &e),
		    &e, ERR_INPUT, "no handler");
	CU_ASSERT_EQUAL(front_listen_port(x->front, "new"), 0);
}

static void test_refused_listeners(void)
{
	struct wish w = { { "127.0.0.1" }, .count = 1 };
	struct front_fixture x;
	char *a;

	start(&x, &w);
	front_fixture_call(&x, listen_on_tcp_name, NULL);
	check_echo("127.0.0.1", w.port);
	a = client_ask(x.http, "GET /echo HTTP/1.0\r\n\r\n");
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);
	front_fixture_stop(&x);
}

static const struct unit_test tests[] = {
	{ "who was asked answers", test_who_was_asked },
	{ "too long", test_too_long },
	{ "bounded turn", test_bounded_turn },
	{ "send", test_send },
	{ "move", test_move },
	{ "refused listeners", test_refused_listeners },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "front-udp", tests, NULL, NULL);
}
