/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/front_fixture.h"

/* The front at work: listeners, limits, deadlines, the control socket, the end.
 * Plain HTTP before the fixture's backend. */

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define GET_CLOSE(path) \
	"GET " path " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

static void test_get(void)
{
	struct front_fixture x;
	struct front_stats stats;
	char *a;

	front_fixture_init(&x);
	front_fixture_start(&x);
	a = client_ask(x.http, "GET /echo?a=b HTTP/1.1\r\nHost: h\r\n"
			       "Connection: close\r\nX-Mine: 1\r\n\r\n");
	CU_ASSERT_EQUAL(answer_status(a), 200);
	CU_ASSERT_PTR_NOT_NULL(strstr(a, "\r\nConnection: close\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(a, "\r\nX-Backend: yes\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(a, "peer=127.0.0.1:"));
	CU_ASSERT_PTR_NOT_NULL(strstr(a, "GET /echo?a=b HTTP/1.1\r\n"
					 "Host: h\r\nX-Mine: 1\r\n"
					 "Connection: keep-alive\r\n\r\n"));
	free(a);
	front_get_stats(x.front, &stats);
	CU_ASSERT_EQUAL(stats.accepted, 1);
	CU_ASSERT_EQUAL(stats.requests, 1);
	front_fixture_stop(&x);
	CU_ASSERT_EQUAL(x.backend.strangers, 0);
}

static void test_keep_alive(void)
{
	struct front_fixture x;
	int fd;

	front_fixture_init(&x);
	front_fixture_start(&x);
	fd = client_tcp(x.http);
	for (int i = 0; i < 20; i++) {
		char *a;

		client_send(fd, GET("/bytes/100"));
		a = client_one(fd);
		CU_ASSERT_EQUAL(answer_status(a), 200);
		CU_ASSERT_PTR_NULL(strstr(a, "\r\nConnection:"));
		free(a);
	}
	close(fd);
	CU_ASSERT_EQUAL(x.backend.requests, 20);
	CU_ASSERT_EQUAL(x.backend.connections, 1);
	front_fixture_stop(&x);
}

static void test_ipv6(void)
{
	struct front_fixture x;
	char *a;
	int fd;

	front_fixture_init(&x);
	front_fixture_start(&x);
	fd = client_tcp6(x.http6);
	CU_ASSERT_FATAL(fd >= 0);
	client_send(fd, GET_CLOSE("/echo"));
	a = client_all(fd, NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(a, "peer=::1:"));
	free(a);
	/* One family each: IPv4 does not arrive on the IPv6 socket. */
	CU_ASSERT_EQUAL(client_tcp(x.http6), -1);
	front_fixture_stop(&x);
}

static void test_control(void)
{
	struct front_fixture x;
	struct error e = ERROR_INIT;
	char want[64], *a;
	struct stat st;
	int fd;

	front_fixture_init(&x);
	x.limits.connections = 1; /* does not count here */
	front_fixture_start(&x);
	CU_ASSERT_EQUAL(stat(x.control, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0660);
	for (int i = 0; i < 3; i++) {
		fd = client_unix(x.control);
		CU_ASSERT_FATAL(fd >= 0);
		client_send(fd, GET_CLOSE("/echo"));
		a = client_all(fd, NULL);
		snprintf(want, sizeof(want), "via=%d uid=%d gid=%d ",
			 PEER_CONTROL, (int)getuid(), (int)getgid());
		CU_ASSERT_PTR_NOT_NULL(strstr(a, "peer=local:0 "));
		CU_ASSERT_PTR_NOT_NULL(strstr(a, want));
		free(a);
	}
	/* A second service on the same path is told so. */
	CHECK_FAILS(front_listen_control(x.front, x.control, &e), &e,
		    ERR_CONFLICT, "open already");
	front_fixture_stop(&x);
	CU_ASSERT_EQUAL(stat(x.control, &st), -1);
}

struct listen_arg {
	const char *name, *address;
	uint16_t port;
	int rc;
	struct error e;
};

static void listen_on_loop(struct front_fixture *x, void *arg)
{
	struct listen_arg *l = arg;
	const char *const addresses[] = { l->address, "::1" };

	l->rc = front_listen_tcp(x->front, l->name, PEER_HTTP, addresses,
				 strcmp(l->address, "both") == 0 ? 2 : 1,
				 l->port, NULL, &l->e);
}

static void unlisten_on_loop(struct front_fixture *x, void *arg)
{
	front_unlisten(x->front, arg);
}

static void port_on_loop(struct front_fixture *x, void *arg)
{
	struct listen_arg *l = arg;

	l->port = front_listen_port(x->front, l->name);
}

static void control_on_loop(struct front_fixture *x, void *arg)
{
	struct listen_arg *l = arg;

	l->rc = front_listen_control(x->front, l->address, &l->e);
}

/* What a killed process left is replaced, what lives or is no socket is not. */
static void test_control_path(void)
{
	struct front_fixture x;
	struct listen_arg l = { .address = x.control };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), file;
	char *a;

	front_fixture_init(&x);
	front_fixture_start(&x);
	front_fixture_call(&x, unlisten_on_loop, (char[]){ "control" });
	CU_ASSERT_EQUAL(client_unix(x.control), -1);
	strncpy(un.sun_path, x.control, sizeof(un.sun_path) - 1);
	CU_ASSERT_EQUAL(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	CU_ASSERT_EQUAL(listen(fd, 1), 0);
	front_fixture_call(&x, control_on_loop, &l);
	CHECK_FAILS(l.rc, &l.e, ERR_CONFLICT, "another process");
	close(fd); /* the file stays: dead */
	front_fixture_call(&x, control_on_loop, &l);
	CU_ASSERT_EQUAL(l.rc, 0);
	fd = client_unix(x.control);
	client_send(fd, GET_CLOSE("/echo"));
	a = client_all(fd, NULL);
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);
	front_fixture_call(&x, unlisten_on_loop, (char[]){ "control" });
	file = open(x.control, O_CREAT | O_WRONLY, 0600);
	close(file);
	front_fixture_call(&x, control_on_loop, &l);
	CHECK_FAILS(l.rc, &l.e, ERR_CONFLICT, "no socket");
	unlink(x.control);
	l.address = "/nowhere/at/all/control.sock";
	front_fixture_call(&x, control_on_loop, &l);
	CHECK_FAILS(l.rc, &l.e, ERR_IO, "/nowhere/at/all");
	front_fixture_stop(&x);
}

struct list_arg {
	const char *addresses[3];
	size_t count;
	uint16_t port;
	int rc;
	struct error e;
};

static void list_on_loop(struct front_fixture *x, void *arg)
{
	struct list_arg *l = arg;

	error_clear(&l->e);
	l->rc = front_listen_tcp(x->front, "list", PEER_HTTP, l->addresses,
				 l->count, l->port, NULL, &l->e);
	l->port = front_listen_port(x->front, "list");
}

/* What this host does not have is left out beside what it has; what is taken,
 * forbidden or nonsense is not. */
static void test_foreign_addresses(void)
{
	static const struct {
		struct list_arg l;
		bool taken; /* the port of the backend */
		enum error_kind kind;
		const char *words;
	} rows[] = {
		{ .l = { { "198.51.100.1", "127.0.0.1" }, 2 } },
		{ .l = { { "127.0.0.1", "198.51.100.1" }, 2 } },
		{ .l = { { "2001:db8::1", "127.0.0.1", "198.51.100.1" }, 3 } },
		{ .l = { { "198.51.100.1" }, 1 },
		  .kind = ERR_IO,
		  .words = "198.51.100.1 port" },
		{ .l = { { "198.51.100.1", "203.0.113.1" }, 2 },
		  .kind = ERR_IO,
		  .words = "203.0.113.1 port" },
		{ .l = { { "2001:db8::1" }, 1 },
		  .kind = ERR_IO,
		  .words = "2001:db8::1 port" },
		{ .l = { { "198.51.100.1", "127.0.0.1" }, 2 },
		  .taken = true,
		  .kind = ERR_CONFLICT,
		  .words = "127.0.0.1 port" },
		{ .l = { { "127.0.0.2", "198.51.100.1", "127.0.0.1" }, 3 },
		  .taken = true,
		  .kind = ERR_CONFLICT,
		  .words = "127.0.0.1 port" },
		{ .l = { { "127.0.0.1", "198.51.100.1", "localhost" }, 3 },
		  .kind = ERR_INPUT,
		  .words = "localhost" },
	};
	struct front_fixture x;

	front_fixture_init(&x);
	front_fixture_start(&x);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct list_arg l = rows[i].l;
		char *a;

		l.port = rows[i].taken ? x.backend.port : 0;
		front_fixture_call(&x, list_on_loop, &l);
		if (rows[i].kind) {
			CHECK_FAILS(l.rc, &l.e, rows[i].kind, rows[i].words);
			CU_ASSERT_EQUAL(l.port, 0);
			continue;
		}
		CU_ASSERT_EQUAL(l.rc, 0);
		a = client_ask(l.port, GET_CLOSE("/echo"));
		CU_ASSERT_EQUAL(answer_status(a), 200);
		free(a);
		front_fixture_call(&x, unlisten_on_loop, (char[]){ "list" });
	}
	front_fixture_stop(&x);
}

static void test_move_listener(void)
{
	struct front_fixture x;
	struct listen_arg l = { .name = "http", .address = "0.0.0.0" };
	uint16_t first, taken;
	char *a;
	int fd, other;

	front_fixture_init(&x);
	front_fixture_start(&x);
	first = x.http;
	fd = client_tcp(first);
	client_send(fd, GET("/echo"));
	free(client_one(fd));

	/* Another port: the old one is gone, the connection stands. */
	front_fixture_call(&x, listen_on_loop, &l);
	CU_ASSERT_EQUAL(l.rc, 0);
	front_fixture_call(&x, port_on_loop, &l);
	CU_ASSERT_NOT_EQUAL(l.port, first);
	CU_ASSERT_EQUAL(client_tcp(first), -1);
	client_send(fd, GET("/echo"));
	a = client_one(fd);
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);
	taken = l.port;

	/* From every address to one, on the same port. */
	l.address = "127.0.0.1";
	front_fixture_call(&x, listen_on_loop, &l);
	CU_ASSERT_EQUAL(l.rc, 0);
	other = client_tcp(taken);
	CU_ASSERT(other >= 0);
	client_send(other, GET_CLOSE("/echo"));
	a = client_all(other, NULL);
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);

	/* A port that is taken: refused, and all stays as it was. */
	l.port = x.backend.port;
	front_fixture_call(&x, listen_on_loop, &l);
	CHECK_FAILS(l.rc, &l.e, ERR_CONFLICT, "127.0.0.1 port");
	front_fixture_call(&x, port_on_loop, &l);
	CU_ASSERT_EQUAL(l.port, taken);

	/* An address that is not ours, in place of all of them. */
	l.address = "192.0.2.1";
	front_fixture_call(&x, listen_on_loop, &l);
	CHECK_FAILS(l.rc, &l.e, ERR_IO, "192.0.2.1");
	l.address = "localhost";
	front_fixture_call(&x, listen_on_loop, &l);
	CHECK_FAILS(l.rc, &l.e, ERR_INPUT, "localhost");
	a = client_ask(taken, GET_CLOSE("/echo"));
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);

	/* A new name that cannot be opened leaves nothing behind. */
	l.name = "other";
	l.address = "127.0.0.1";
	l.port = x.backend.port;
	front_fixture_call(&x, listen_on_loop, &l);
	CU_ASSERT_EQUAL(l.rc, -1);
	front_fixture_call(&x, port_on_loop, &l);
	CU_ASSERT_EQUAL(l.port, 0);

	front_fixture_call(&x, unlisten_on_loop, (char[]){ "http" });
	CU_ASSERT_EQUAL(client_tcp(taken), -1);
	client_send(fd, GET_CLOSE("/echo"));
	a = client_all(fd, NULL);
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);
	front_fixture_stop(&x);
}

static bool is_closed(int fd)
{
	char c;

	return recv(fd, &c, 1, 0) <= 0 && errno != EAGAIN;
}

static void test_limits(void)
{
	struct front_fixture x;
	struct front_stats stats;
	int fds[8], six;
	char *a;

	front_fixture_init(&x);
	x.limits.connections_per_peer = 4;
	x.limits.connections = 6;
	front_fixture_start(&x);
	for (int i = 0; i < 5; i++)
		fds[i] = client_tcp(x.http);
	CU_ASSERT_TRUE(is_closed(fds[4]));
	close(fds[4]);
	front_get_stats(x.front, &stats);
	CU_ASSERT_EQUAL(stats.accepted, 4);
	CU_ASSERT_EQUAL(stats.refused, 1);
	CU_ASSERT_EQUAL(stats.connections, 4);
	/* Another address has its own count, until all are too many. */
	for (int i = 4; i < 7; i++)
		fds[i] = client_tcp6(x.http6);
	CU_ASSERT_TRUE(is_closed(fds[6]));
	close(fds[6]);
	/* The control socket is beyond that. */
	fds[6] = client_unix(x.control);
	client_send(fds[6], GET_CLOSE("/echo"));
	a = client_all(fds[6], NULL);
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);
	/* Room again when one goes. */
	close(fds[0]);
	CU_ASSERT_TRUE(WAIT_FOR(
	    (front_get_stats(x.front, &stats), stats.connections == 5)));
	six = client_tcp(x.http);
	client_send(six, GET("/echo"));
	a = client_one(six);
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);
	close(six);
	for (int i = 1; i < 6; i++)
		close(fds[i]);
	front_fixture_stop(&x);
}

/* At the limit the one that has been idle longest makes room. */
static void test_evict(void)
{
	struct front_fixture x;
	int fds[3];
	char *a;

	front_fixture_init(&x);
	x.limits.connections = 2;
	front_fixture_start(&x);
	for (int i = 0; i < 3; i++) {
		fds[i] = client_tcp(x.http);
		client_send(fds[i], GET("/bytes/2"));
		a = client_one(fds[i]);
		CU_ASSERT_EQUAL(answer_status(a), 200);
		free(a);
	}
	CU_ASSERT_TRUE(is_closed(fds[0]));
	client_send(fds[1], GET("/bytes/2"));
	a = client_one(fds[1]);
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	front_fixture_stop(&x);
}

/* No descriptors left: clients are refused, nothing spins, and it recovers. */
static void test_no_descriptors(void)
{
	struct front_fixture x;
	struct rlimit old, low;
	struct rusage before, after;
	struct front_stats stats;
	int fds[64], n = 0, extra;
	char *a;

	front_fixture_init(&x);
	front_fixture_start(&x);
	a = client_ask(x.http, GET_CLOSE("/bytes/2"));
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);
	/* Accepted before it gets tight, and nothing is left that would be
	 * closed later and make room. */
	extra = client_tcp(x.http);
	client_send(extra, GET("/bytes/2"));
	a = client_one(extra);
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);
	CU_ASSERT(WAIT_FOR(
	    (front_get_stats(x.front, &stats), stats.connections == 1)));
	getrlimit(RLIMIT_NOFILE, &old);
	low = old;
	low.rlim_cur = 64;
	setrlimit(RLIMIT_NOFILE, &low);
	while (n < 64 && (fds[n] = dup(0)) >= 0)
		n++;
	/* One for a client whose other end finds nothing. */
	close(fds[--n]);
	fds[n] = client_tcp(x.http);
	CU_ASSERT_FATAL(fds[n] >= 0);
	CU_ASSERT_TRUE(is_closed(fds[n]));
	getrusage(RUSAGE_SELF, &before);
	sleep_ms(300);
	getrusage(RUSAGE_SELF, &after);
	CU_ASSERT(after.ru_utime.tv_sec * 1000 + after.ru_utime.tv_usec / 1000 -
		      before.ru_utime.tv_sec * 1000 -
		      before.ru_utime.tv_usec / 1000 <
		  150);
	n++;
	while (n > 0)
		close(fds[--n]);
	setrlimit(RLIMIT_NOFILE, &old);
	sleep_ms(200);
	client_send(extra, GET_CLOSE("/bytes/2"));
	a = client_all(extra, NULL);
	free(a);
	a = client_ask(x.http, GET_CLOSE("/bytes/2"));
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);
	front_fixture_stop(&x);
}

/* Each kind of slowness has its end, and the backend sees none of it. */
static void test_deadlines(void)
{
	static const struct {
		const char *sent;
		int status;
	} rows[] = {
		{ "", 0 },
		{ "G", 408 },
		{ "GET / HTTP/1.1\r\nHost: h\r\n", 408 },
		{ "GET /\r\n", 408 }, /* HTTP/0.9 waits for an answer */
		{ "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc",
		  408 },
		{ "POST / HTTP/1.1\r\nHost: h\r\n"
		  "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
		  408 },
		{ GET("/bytes/2"), 200 }, /* then idle */
	};
	struct front_fixture x;

	front_fixture_init(&x);
	front_fixture_short_deadlines(&x);
	front_fixture_start(&x);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *a = client_ask(x.http, rows[i].sent);

		CU_ASSERT_EQUAL(answer_status(a), rows[i].status);
		free(a);
	}
	CU_ASSERT_EQUAL(x.backend.requests, 1);
	front_fixture_stop(&x);
}

/* A sender of a byte now and then does not push its deadline ahead. */
static void test_trickling_head(void)
{
	struct front_fixture x;
	int fd, sent = 0;
	char *a, c;

	front_fixture_init(&x);
	front_fixture_short_deadlines(&x);
	front_fixture_start(&x);
	fd = client_tcp(x.http);
	client_send(fd, "GET / HTTP/1.1\r\nHost: h\r\nX: ");
	while (sent++ < 60) {
		if (send(fd, "x", 1, MSG_NOSIGNAL) < 0 ||
		    recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
			break;
		sleep_ms(50);
	}
	CU_ASSERT(sent < 60);
	a = client_all(fd, NULL);
	free(a); /* 408, or nothing when the reset was first */
	CU_ASSERT_EQUAL(x.backend.connections, 0);
	front_fixture_stop(&x);
}

static void *ask_slowly(void *arg)
{
	return client_ask(*(uint16_t *)arg, GET("/wait/400"));
}

/* Stopping: what is asked is answered, the rest is closed. */
static void test_stop_drains(void)
{
	struct front_fixture x;
	pthread_t thread;
	void *a;
	int idle, partial;

	front_fixture_init(&x);
	front_fixture_start(&x);
	idle = client_tcp(x.http);
	client_send(idle, GET("/bytes/2"));
	free(client_one(idle));
	partial = client_tcp(x.http);
	client_send(partial, "GET / HTT");
	pthread_create(&thread, NULL, ask_slowly, &x.http);
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&x.backend.requests) == 2));
	front_fixture_stop(&x);
	pthread_join(thread, &a);
	CU_ASSERT_EQUAL(answer_status(a), 200);
	CU_ASSERT_PTR_NOT_NULL(strstr(a, "\r\nContent-Length: 2\r\n"));
	free(a);
	CU_ASSERT_TRUE(is_closed(idle));
	CU_ASSERT_TRUE(is_closed(partial));
	close(idle);
	close(partial);
}

/* A request that never ends does not hold the stop for ever. */
static void test_stop_cuts(void)
{
	struct front_fixture x;
	int fd;

	front_fixture_init(&x);
	x.limits.drain_ms = 200;
	front_fixture_start(&x);
	fd = client_tcp(x.http);
	client_send(fd, GET("/hang"));
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&x.backend.requests) == 1));
	front_fixture_stop(&x);
	CU_ASSERT_TRUE(is_closed(fd));
	close(fd);
}

static void test_bad_options(void)
{
	uv_loop_t loop;
	struct error e = ERROR_INIT;
	struct front_options o = { .loop = &loop,
				   .limits = front_limits_default };

	o.limits.handshake_threads = 17;
	CU_ASSERT_PTR_NULL(front_new(&o, &e));
	CU_ASSERT_EQUAL(e.kind, ERR_INPUT);
	front_free(NULL);
}

static void test_registry(void)
{
	struct error e = ERROR_INIT;
	struct peer_registry *r = peer_registry_new(&e);
	struct peer p = { .connection = 7, .via = PEER_HTTPS }, out;

	CHECK_OBJECT(r, &e);
	CU_ASSERT_FALSE(peer_registry_get(r, 0, &out));
	CU_ASSERT_FALSE(peer_registry_get(r, 65535, &out));
	peer_registry_put(r, 65535, &p);
	CU_ASSERT_TRUE(peer_registry_get(r, 65535, &out));
	CU_ASSERT_EQUAL(out.connection, 7);
	p.connection = 8;
	peer_registry_put(r, 65535, &p);
	CU_ASSERT_TRUE(peer_registry_get(r, 65535, &out));
	CU_ASSERT_EQUAL(out.connection, 8);
	peer_registry_remove(r, 65535);
	peer_registry_remove(r, 65535);
	CU_ASSERT_FALSE(peer_registry_get(r, 65535, &out));
	peer_registry_put(r, 1, &p);
	peer_registry_free(r);
	peer_registry_free(NULL);
}

static const struct unit_test tests[] = {
	{ "registry", test_registry },
	{ "bad options", test_bad_options },
	{ "get", test_get },
	{ "keep-alive", test_keep_alive },
	{ "IPv6", test_ipv6 },
	{ "control socket", test_control },
	{ "control socket's path", test_control_path },
	{ "move a listener", test_move_listener },
	{ "addresses that are not of this host", test_foreign_addresses },
	{ "limits", test_limits },
	{ "idle ones make room", test_evict },
	{ "no descriptors left", test_no_descriptors },
	{ "deadlines", test_deadlines },
	{ "trickling head", test_trickling_head },
	{ "stop drains", test_stop_drains },
	{ "stop cuts", test_stop_cuts },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "front", tests, NULL, NULL);
}
