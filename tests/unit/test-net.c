/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/dial.h"
#include "net/lookup.h"
#include "net/stream.h"
#include "tests/lib/unit.h"
#include "tests/unit/tls_fixture.h"

/* Connections that we open, to servers that behave and servers that do not. */

enum { LONG_MS = 20000, SHORT_MS = 150 };

static int open_suite(void)
{
	signal(SIGPIPE, SIG_IGN);
	return fixture_open();
}

static int64_t soon(unsigned ms)
{
	return clock_monotonic_ms() + ms;
}

/* --- servers ------------------------------------------------------------- */

/* A listening socket; nobody accepts unless the test does. */
static int listen_on(int backlog, int receive_bytes, uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (receive_bytes)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes,
			   sizeof(receive_bytes));
	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&a, size), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, backlog), 0);
	CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

/* One connection: say something, then end or wait for the other to do so. */
struct rude {
	int fd;
	const char *says;
	bool stays;
	pthread_t thread;
	struct host_port at;
};

static void *be_rude(void *arg)
{
	struct rude *r = arg;
	int fd = accept(r->fd, NULL, NULL);
	char ignored[4096];

	if (fd < 0)
		return NULL;
	if (send(fd, r->says, strlen(r->says), MSG_NOSIGNAL) < 0)
		unit_note("send: %s", strerror(errno));
	if (!r->stays)
		shutdown(fd, SHUT_WR);
	while (recv(fd, ignored, sizeof(ignored), 0) > 0)
		;
	close(fd);
	return NULL;
}

static void rude_begin(struct rude *r)
{
	strcpy(r->at.host, "127.0.0.1");
	r->fd = listen_on(4, 0, &r->at.port);
	pthread_create(&r->thread, NULL, be_rude, r);
}

static void rude_end(struct rude *r)
{
	shutdown(r->fd, SHUT_RDWR);
	pthread_join(r->thread, NULL);
	close(r->fd);
}

/* --- addresses ----------------------------------------------------------- */

static void test_lookup(void)
{
	static const struct {
		const char *host;
		int family;
	} rows[] = {
		{ "127.0.0.1", AF_INET },
		{ "::1", AF_INET6 },
		{ "localhost", 0 },
	};
	struct net_address found[NET_ADDRESSES_MAX];
	struct error e = ERROR_INIT;
	struct host_port to = { "", 6514 };
	size_t count;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		strcpy(to.host, rows[i].host);
		CHECK_OK(net_lookup(&to, soon(LONG_MS), -1, found, &count, &e),
			 &e);
		CU_ASSERT(count >= 1 && count <= NET_ADDRESSES_MAX);
		CU_ASSERT(!rows[i].family ||
			  found[0].address.ss_family == rows[i].family);
		CU_ASSERT_EQUAL(
		    ntohs(((struct sockaddr_in *)&found[0].address)->sin_port),
		    6514);
	}
	strcpy(to.host, "no-such-host.invalid");
	CHECK_FAILS(net_lookup(&to, soon(LONG_MS), -1, found, &count, &e), &e,
		    ERR_NOT_FOUND, "no-such-host.invalid: ");
	CU_ASSERT_EQUAL(count, 0);
}

/* The name is looked up aside, so that nobody waits for it. */
static void test_lookup_given_up(void)
{
	struct net_address found[NET_ADDRESSES_MAX];
	struct host_port to = { "localhost", 1 };
	struct error e = ERROR_INIT;
	int cancel = eventfd(1, EFD_CLOEXEC);
	size_t count;

	CHECK_FAILS(net_lookup(&to, soon(LONG_MS), cancel, found, &count, &e),
		    &e, ERR_CANCELLED, "looking up localhost");
	close(cancel);
}

static void test_dial(void)
{
	struct host_port to = { "127.0.0.1", 0 };
	struct error e = ERROR_INIT;
	int cancel = eventfd(1, EFD_CLOEXEC), fds[4];
	int fd = listen_on(0, 0, &to.port), got;
	char words[64];

	got = net_dial(&to, soon(LONG_MS), -1, &e);
	CU_ASSERT(got >= 0);
	close(got);
	/* Until the queue of the listener is full and nobody answers. */
	for (int i = 0; i < 4; i++)
		fds[i] = net_dial(&to, soon(SHORT_MS), -1, &e);
	CU_ASSERT_EQUAL(fds[3], -1);
	unit_check_error(&e, ERR_TIMEOUT, "127.0.0.1 port", __FILE__, __LINE__);
	CHECK_FAILS(net_dial(&to, soon(LONG_MS), cancel, &e), &e, ERR_CANCELLED,
		    NULL);
	for (int i = 0; i < 4; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	close(fd);
	snprintf(words, sizeof(words), "127.0.0.1 port %u: connect: Conn",
		 to.port);
	CHECK_FAILS(net_dial(&to, soon(LONG_MS), -1, &e), &e, ERR_IO, words);
	CU_ASSERT_EQUAL(e.native, ECONNREFUSED);
	close(cancel);
}

/* --- streams ------------------------------------------------------------- */

static struct net_stream *open_to(const struct host_port *to,
				  struct tls_context *tls, unsigned ms,
				  int cancel, struct error *e)
{
	const struct net_stream_options o = { to, tls, ms, cancel };

	return net_stream_open(&o, e);
}

static struct tls_context *calling(void)
{
	return fixture_calling(KEY_KIND_EC_P256,
			       tls_server_verifier(TLS_SERVER_ANY, NULL));
}

/* All of it comes back. */
static void check_there_and_back(struct net_stream *s, size_t n)
{
	char *out = calloc(1, n), *in = calloc(1, n);
	struct error e = ERROR_INIT;
	size_t have = 0, got;

	for (size_t i = 0; i < n; i++)
		out[i] = (char)(i * 7);
	CHECK_OK(net_stream_write(s, out, n, LONG_MS, &e), &e);
	while (have < n) {
		CHECK_OK(
		    net_stream_read(s, in + have, n - have, LONG_MS, &got, &e),
		    &e);
		CU_ASSERT_FATAL(got > 0);
		have += got;
	}
	CU_ASSERT(!memcmp(in, out, n));
	CU_ASSERT(net_stream_sent(s) >= n);
	CU_ASSERT_EQUAL(net_stream_acknowledged(s), net_stream_sent(s));
	CHECK_FAILS(net_stream_read(s, in, n, 0, &got, &e), &e, ERR_TIMEOUT,
		    NULL);
	free(out);
	free(in);
}

static void test_echo(void)
{
	struct tls_context *server =
	    fixture_context(KEY_KIND_EC_P256, TLS_1_2, NULL);
	struct tls_context *ours = calling();
	struct error e = ERROR_INIT;
	struct host_port to = { "127.0.0.1", 0 };
	struct net_stream *s;

	to.port = (uint16_t)fixture_serve(server);
	s = open_to(&to, ours, LONG_MS, -1, &e);
	CHECK_OBJECT(s, &e);
	CHECK_OK(net_stream_settle(s, SHORT_MS, &e), &e);
	check_there_and_back(s, 1);
	check_there_and_back(s, 10000);
	/* Still good after a read that found nothing. */
	check_there_and_back(s, 16384);
	net_stream_close(s);
	fixture_serve_end();
	tls_context_unref(server);
	tls_context_unref(ours);
}

/* Without TLS, and how its end looks. */
static void test_plain(void)
{
	struct rude server = { .says = "hello", .stays = false };
	struct error e = ERROR_INIT;
	struct net_stream *s;
	char in[64];
	size_t got;

	rude_begin(&server);
	s = open_to(&server.at, NULL, LONG_MS, -1, &e);
	CHECK_OBJECT(s, &e);
	CHECK_OK(net_stream_settle(s, LONG_MS, &e), &e);
	CHECK_OK(net_stream_read(s, in, 2, LONG_MS, &got, &e), &e);
	CU_ASSERT(got == 2 && !memcmp(in, "he", 2));
	CHECK_OK(net_stream_read(s, in, sizeof(in), LONG_MS, &got, &e), &e);
	CU_ASSERT(got == 3 && !memcmp(in, "llo", 3));
	CHECK_OK(net_stream_read(s, in, sizeof(in), LONG_MS, &got, &e), &e);
	CU_ASSERT_EQUAL(got, 0);
	net_stream_close(s);
	rude_end(&server);
}

static void test_no_tls_there(void)
{
	static const struct {
		const char *says;
		bool stays;
		enum error_kind kind;
		const char *words;
	} rows[] = {
		{ "", false, ERR_TLS, "closed the connection" },
		{ "<13>1 hello this is plain text, not TLS\n", true, ERR_TLS,
		  NULL },
		{ "HTTP/1.1 400 Bad Request\r\n\r\n", false, ERR_TLS, NULL },
		{ "\x16\x03\x03\xff\xff", true, ERR_TLS, "too long" },
		/* A record whose end never comes. */
		{ "\x15\x03\x03\x01\x02\x02\x28", true, ERR_TIMEOUT,
		  "in the time allowed" },
		{ "", true, ERR_TIMEOUT, "in the time allowed" },
	};
	struct tls_context *ours = calling();

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rude server = { .says = rows[i].says,
				       .stays = rows[i].stays };
		struct error e = ERROR_INIT;

		rude_begin(&server);
		CU_ASSERT_PTR_NULL(open_to(
		    &server.at, ours,
		    rows[i].kind == ERR_TIMEOUT ? SHORT_MS : LONG_MS, -1, &e));
		unit_check_error(&e, rows[i].kind, rows[i].words, __FILE__,
				 __LINE__);
		CU_ASSERT(strstr(e.text, "127.0.0.1 port ") == e.text);
		rude_end(&server);
	}
	tls_context_unref(ours);
}

static void test_cancelled(void)
{
	struct rude server = { .says = "", .stays = true };
	struct tls_context *ours = calling();
	struct error e = ERROR_INIT;
	int cancel = eventfd(0, EFD_CLOEXEC);
	struct net_stream *s;
	char in[4];
	size_t got;

	rude_begin(&server);
	s = open_to(&server.at, NULL, LONG_MS, cancel, &e);
	CHECK_OBJECT(s, &e);
	CHECK_FAILS(net_stream_read(s, in, sizeof(in), SHORT_MS, &got, &e), &e,
		    ERR_TIMEOUT, NULL);
	CU_ASSERT_EQUAL(eventfd_write(cancel, 1), 0);
	CHECK_FAILS(net_stream_read(s, in, sizeof(in), LONG_MS, &got, &e), &e,
		    ERR_CANCELLED, NULL);
	net_stream_close(s);
	rude_end(&server);
	rude_begin(&server);
	CU_ASSERT_PTR_NULL(open_to(&server.at, ours, LONG_MS, cancel, &e));
	CU_ASSERT_EQUAL(e.kind, ERR_CANCELLED);
	rude_end(&server);
	close(cancel);
	tls_context_unref(ours);
}

/* The server is refused before anything is said to it. */
static void test_untrusted(void)
{
	struct tls_context *server =
	    fixture_context(KEY_KIND_EC_P256, TLS_1_2, NULL);
	struct tls_context *ours = fixture_calling(
	    KEY_KIND_EC_P256, tls_server_verifier(TLS_SERVER_VERIFY, NULL));
	struct host_port to = { "localhost", 0 };
	struct error e = ERROR_INIT;

	to.port = (uint16_t)fixture_serve(server);
	CU_ASSERT_PTR_NULL(open_to(&to, ours, LONG_MS, -1, &e));
	unit_check_error(&e, ERR_TLS, "localhost port ", __FILE__, __LINE__);
	unit_note("%s", e.text);
	fixture_serve_end();
	tls_context_unref(server);
	tls_context_unref(ours);
}

static void refuse(void *arg, const struct cert_list *sent, const char *host,
		   struct tls_verdict *out)
{
	(void)arg;
	(void)sent;
	(void)host;
	out->accepted = false;
	out->alert = 48;
	out->reason = "unknownAuthority";
	strcpy(out->text, "nobody is welcome");
}

/* The server does not like us. In TLS 1.3 that comes after we are done. */
static void test_refused(void)
{
	const struct tls_verifier nobody = { .verify = refuse };
	struct tls_context *server =
	    fixture_verifying(KEY_KIND_EC_P256, nobody, NULL);
	struct tls_context *ours = calling();
	struct host_port to = { "127.0.0.1", 0 };
	struct error e = ERROR_INIT;
	struct net_stream *s;

	to.port = (uint16_t)fixture_serve(server);
	s = open_to(&to, ours, LONG_MS, -1, &e);
	if (s)
		CU_ASSERT_EQUAL(net_stream_settle(s, LONG_MS, &e), -1);
	unit_check_error(&e, ERR_TLS, "unknown_ca", __FILE__, __LINE__);
	net_stream_close(s);
	fixture_serve_end();
	tls_context_unref(server);
	tls_context_unref(ours);
}

/* Nothing is read there: the write has an end all the same, and it is known how
 * much has not arrived. */
static void test_never_reads(void)
{
	enum { BYTES = 16 << 20 };
	struct host_port to = { "127.0.0.1", 0 };
	struct error e = ERROR_INIT;
	struct net_stream *s;
	int fd = listen_on(4, 4096, &to.port);
	char *bytes = calloc(1, BYTES);

	s = open_to(&to, NULL, LONG_MS, -1, &e);
	CHECK_OBJECT(s, &e);
	CHECK_FAILS(net_stream_write(s, bytes, BYTES, SHORT_MS, &e), &e,
		    ERR_TIMEOUT, NULL);
	CU_ASSERT(net_stream_sent(s) > 0 && net_stream_sent(s) < BYTES);
	CU_ASSERT(net_stream_acknowledged(s) < net_stream_sent(s));
	net_stream_close(s);
	close(fd);
	free(bytes);
}

/* A server that resets the connection under a write. */
static void test_reset(void)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	struct host_port to = { "127.0.0.1", 0 };
	struct error e = ERROR_INIT;
	struct pollfd p = { .events = POLLIN };
	struct net_stream *s;
	int fd = listen_on(4, 0, &to.port), there;

	s = open_to(&to, NULL, LONG_MS, -1, &e);
	CHECK_OBJECT(s, &e);
	there = accept(fd, NULL, NULL);
	setsockopt(there, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(there);
	p.fd = net_stream_fd(s);
	CU_ASSERT_EQUAL(poll(&p, 1, LONG_MS), 1);
	CHECK_FAILS(net_stream_write(s, "x", 1, LONG_MS, &e), &e, ERR_IO, NULL);
	net_stream_close(s);
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "look-ups", test_lookup },
		{ "a look-up given up", test_lookup_given_up },
		{ "connections", test_dial },
		{ "there and back", test_echo },
		{ "without TLS", test_plain },
		{ "no TLS there", test_no_tls_there },
		{ "given up", test_cancelled },
		{ "a server that we do not trust", test_untrusted },
		{ "a server that does not trust us", test_refused },
		{ "a server that never reads", test_never_reads },
		{ "a server that resets", test_reset },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "net", tests, open_suite, fixture_close);
}
