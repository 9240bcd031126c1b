/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "front/front_private.h"
#include "tests/lib/test_token.h"
#include "tests/unit/front_client.h"
#include "tests/unit/front_fixture.h"

/* TLS at the front: the pool, the bridge and streams over it, new contexts
 * under load, clients that are slow, wrong or gone. */

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define GET_CLOSE(path) \
	"GET " path " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

enum { FIRST, SECOND, RSA, IDENTITIES };

static struct test_token home;
static struct token *token;
static struct local_identity identities[IDENTITIES];
static struct tls_context *contexts[IDENTITIES];
static struct ticket_keys *tickets;

/* Identities made by hand, which live as long as the suite. */
struct local_identity *local_identity_ref(const struct local_identity *l)
{
	return &identities[l - identities];
}

void local_identity_unref(struct local_identity *l)
{
	(void)l;
}

static int make_identity(int which, enum key_kind kind, const char *name,
			 struct error *e)
{
	const struct self_signed_options o = {
		.subject = { .cn = name },
		.not_before = clock_now() - 60,
		.not_after = clock_now() + 86400,
	};
	struct local_identity *l = &identities[which];
	const struct tls_server_options t = { .identity = l,
					      .minimum = TLS_1_2,
					      .tickets = tickets,
					      .ticket_lifetime_s = 3600 };
	struct signer signer;
	struct cert *cert;

	l->key = token_key_generate(token, kind, name, e);
	if (!l->key)
		return -1;
	signer = token_key_signer(l->key);
	cert = cert_self_sign(&o, &signer, e);
	if (!cert || cert_list_add(&l->chain, cert, e) < 0)
		return -1;
	cert_unref(cert);
	contexts[which] = tls_server_new(&t, e);
	return contexts[which] ? 0 : -1;
}

static int setup(void)
{
	struct error e = ERROR_INIT;

	test_token_make(&home);
	token = test_token_open(&home);
	if (tls_global_init(&e) < 0)
		return 1;
	tickets = ticket_keys_new(&e);
	if (!tickets || make_identity(FIRST, KEY_KIND_EC_P256, "first", &e) ||
	    make_identity(SECOND, KEY_KIND_EC_P256, "second", &e) ||
	    make_identity(RSA, KEY_KIND_RSA2048, "rsa", &e)) {
		unit_note("%s", e.text);
		return 1;
	}
	return 0;
}

static int teardown(void)
{
	for (int i = 0; i < IDENTITIES; i++) {
		tls_context_unref(contexts[i]);
		cert_list_free(&identities[i].chain);
		token_key_unref(identities[i].key);
	}
	ticket_keys_free(tickets);
	token_free(token);
	tls_global_cleanup();
	return 0;
}

/* --- a stream handler: an echo that can be told to be slow --- */

struct echo {
	atomic_uint opened, closed, writables;
	atomic_bool refuse;
	atomic_bool
	    one_by_one;      /* takes a byte at a time, resumed by writable */
	atomic_size_t burst; /* answers "burst" with so many bytes */
	struct front_stream *last;
};

static struct echo echo;

static void echo_reset(void)
{
	atomic_store(&echo.opened, 0);
	atomic_store(&echo.closed, 0);
	atomic_store(&echo.writables, 0);
	atomic_store(&echo.refuse, false);
	atomic_store(&echo.one_by_one, false);
	atomic_store(&echo.burst, 0);
}

static int echo_open(struct front_stream *s, const struct peer *p, void *arg,
		     void **user)
{
	CU_ASSERT_PTR_EQUAL(arg, &echo);
	CU_ASSERT_EQUAL(p->via, PEER_STREAM);
	CU_ASSERT(strncmp(p->tls_cipher, "TLS_", 4) == 0);
	*user = &echo;
	echo.last = s;
	atomic_fetch_add(&echo.opened, 1);
	return echo.refuse ? -1 : 0;
}

static size_t echo_data(struct front_stream *s, void *user, const uint8_t *p,
			size_t n)
{
	CU_ASSERT_PTR_EQUAL(user, &echo);
	if (echo.one_by_one && n > 1)
		n = 1;
	if (n >= 3 && memcmp(p, "bye", 3) == 0) {
		front_stream_write(s, "bye", 3);
		front_stream_close(s);
		return 3;
	}
	if (echo.burst) {
		char *bytes = malloc(echo.burst);

		memset(bytes, 'b', echo.burst);
		if (!front_stream_write(s, bytes, echo.burst))
			echo.burst = 0;
		free(bytes);
		return n;
	}
	front_stream_write(s, p, n);
	return n;
}

static void echo_writable(struct front_stream *s, void *user)
{
	CU_ASSERT_PTR_EQUAL(user, &echo);
	atomic_fetch_add(&echo.writables, 1);
	(void)s;
}

static void echo_closed(struct front_stream *s, void *user)
{
	CU_ASSERT_PTR_EQUAL(user, &echo);
	atomic_fetch_add(&echo.closed, 1);
	(void)s;
}

static void listen_tls(struct front_fixture *x, void *arg)
{
	static const char *const v4[] = { "127.0.0.1" };
	static const struct front_stream_ops ops = { .open = echo_open,
						     .data = echo_data,
						     .writable = echo_writable,
						     .closed = echo_closed,
						     .arg = &echo };
	struct error e = ERROR_INIT;

	CHECK_OK(
	    front_listen_tcp(x->front, "https", PEER_HTTPS, v4, 1, 0, NULL, &e),
	    &e);
	CHECK_OK(front_listen_tcp(x->front, "sips_tcp", PEER_STREAM, v4, 1, 0,
				  &ops, &e),
		 &e);
	x->https = front_listen_port(x->front, "https");
	x->echo = front_listen_port(x->front, "sips_tcp");
	front_set_tls(x->front, PEER_HTTPS, arg);
	front_set_tls(x->front, PEER_STREAM, arg);
}

static void start(struct front_fixture *x, struct tls_context *context)
{
	echo_reset();
	front_fixture_start(x);
	front_fixture_call(x, listen_tls, context);
}

static char *ask(uint16_t port, bool tls12, const char *request)
{
	struct tls_caller *c = caller_open(port, tls12);
	char *a;

	if (!c)
		return strdup("");
	caller_write(c, request, strlen(request));
	a = caller_all(c, NULL);
	CU_ASSERT_TRUE(caller_ended_cleanly(c));
	caller_free(c);
	return a;
}

static void test_get(void)
{
	static const struct {
		int which;
		bool tls12;
		const char *cipher;
	} rows[] = {
		{ FIRST, false, "cipher=TLS_" },
		{ FIRST, true, "cipher=TLS_ECDHE_ECDSA_" },
		{ RSA, false, "cipher=TLS_" },
		{ RSA, true, "cipher=TLS_ECDHE_RSA_" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct front_fixture x;
		struct front_stats stats;
		char *a;

		front_fixture_init(&x);
		start(&x, contexts[rows[i].which]);
		a = ask(x.https, rows[i].tls12, GET_CLOSE("/echo"));
		CU_ASSERT_EQUAL(answer_status(a), 200);
		CU_ASSERT_PTR_NOT_NULL(strstr(a, " via=1 "));
		if (!strstr(a, rows[i].cipher))
			unit_note("%s", a);
		CU_ASSERT_PTR_NOT_NULL(strstr(a, rows[i].cipher));
		free(a);
		front_get_stats(x.front, &stats);
		CU_ASSERT_EQUAL(stats.handshakes, 1);
		CU_ASSERT_EQUAL(stats.handshakes_failed, 0);
		front_fixture_stop(&x);
	}
}

static void test_long_talk(void)
{
	struct front_fixture x;
	struct tls_caller *c;
	char *body = malloc(4 << 20), head[200], *a;
	size_t len;
	int n;

	front_fixture_init(&x);
	start(&x, contexts[FIRST]);
	c = caller_open(x.https, false);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	for (int i = 0; i < 10; i++) {
		char part[4096];

		caller_write(c, GET("/bytes/100"), strlen(GET("/bytes/100")));
		n = caller_read(c, part, sizeof(part) - 1);
		CU_ASSERT_FATAL(n > 0);
		part[n] = '\0';
		CU_ASSERT_EQUAL(answer_status(part), 200);
		CU_ASSERT_EQUAL(strlen(answer_body(part)), 100);
	}
	/* Memory that was given back meanwhile comes again. */
	sleep_ms(100);
	n = snprintf(head, sizeof(head),
		     "POST /echo HTTP/1.1\r\nHost: h\r\n"
		     "Content-Length: %d\r\nConnection: close\r\n\r\n",
		     4 << 20);
	memset(body, 'x', 4 << 20);
	caller_write(c, head, (size_t)n);
	CU_ASSERT_TRUE(caller_write(c, body, 4 << 20));
	a = caller_all(c, &len);
	CU_ASSERT_EQUAL(answer_status(a), 200);
	CU_ASSERT(len > 4 << 20);
	CU_ASSERT(memcmp(a + len - (4 << 20), body, 4 << 20) == 0);
	free(a);
	free(body);
	caller_free(c);
	front_fixture_stop(&x);
	CU_ASSERT_EQUAL(x.backend.strangers, 0);
}

static void read_outgoing(struct front_fixture *x, void *arg)
{
	size_t *most = arg;

	if (x->front->outgoing > *most)
		*most = x->front->outgoing;
}

static void test_slow_reader(void)
{
	enum { BYTES = 20000000 };
	struct front_fixture x;
	struct tls_caller *c;
	char part[30000];
	size_t got = 0, most = 0;
	int n, i = 0;

	front_fixture_init(&x);
	start(&x, contexts[FIRST]);
	c = caller_open(x.https, false);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	caller_write(c, GET_CLOSE("/bytes/20000000"),
		     strlen(GET_CLOSE("/bytes/20000000")));
	while ((n = caller_read(c, part, sizeof(part))) > 0) {
		got += (size_t)n;
		if (i++ % 100 == 0) {
			sleep_ms(10);
			front_fixture_call(&x, read_outgoing, &most);
		}
	}
	CU_ASSERT_EQUAL(n, 0);
	CU_ASSERT(got > BYTES && got < BYTES + 200);
	CU_ASSERT(most <= OUT_HIGH + SCRATCH + 200);
	caller_free(c);
	front_fixture_stop(&x);
}

static void test_bytewise(void)
{
	struct front_fixture x;
	struct tls_caller *c;
	char *a;

	front_fixture_init(&x);
	start(&x, contexts[FIRST]);
	for (int tls12 = 0; tls12 < 2; tls12++) {
		c = caller_new(x.https, tls12);
		caller_bytewise(c);
		CU_ASSERT_TRUE_FATAL(caller_handshake(c));
		caller_write(c, GET_CLOSE("/echo"), strlen(GET_CLOSE("/echo")));
		a = caller_all(c, NULL);
		CU_ASSERT_EQUAL(answer_status(a), 200);
		free(a);
		caller_free(c);
	}
	front_fixture_stop(&x);
}

/* What arrives on the TLS port and is no TLS. */
static void test_not_tls(void)
{
	struct front_fixture x;
	char *a;

	front_fixture_init(&x);
	start(&x, contexts[FIRST]);
	a = client_ask(x.https, GET("/"));
	CU_ASSERT_EQUAL(answer_status(a), 400);
	CU_ASSERT_PTR_NOT_NULL(strstr(a, "this port speaks HTTPS"));
	free(a);
	a = client_ask(x.https, "SSH-2.0-OpenSSH_9\r\n");
	CU_ASSERT_STRING_EQUAL(a, "");
	free(a);
	a = client_ask(x.https, "\x16\x03\x01\x7f\xff garbage");
	CU_ASSERT_STRING_EQUAL(a, "");
	free(a);
	/* A record that says it is a ClientHello and is not. */
	a = client_ask(
	    x.https,
	    "\x16\x03\x01\x01\x01\x01" /* 257 bytes */
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	free(a);
	a = ask(x.https, false, GET_CLOSE("/echo"));
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);
	CU_ASSERT_EQUAL(x.backend.requests, 1);
	front_fixture_stop(&x);
}

static void set_patience(struct front_fixture *x, void *arg)
{
	const unsigned *ms = arg;

	x->front->deadlines.duration_ms[DEADLINE_HANDSHAKE] = ms[0];
	x->front->deadlines.duration_ms[DEADLINE_IDLE] = ms[1];
}

static void test_deadlines(void)
{
	struct front_fixture x;
	struct front_stats stats;
	struct tls_caller *c;
	unsigned ms[2] = { 30000, 500 };
	char *a, b;
	int fd;

	front_fixture_init(&x);
	front_fixture_short_deadlines(&x);
	start(&x, contexts[FIRST]);
	/* Part of a ClientHello. */
	fd = client_tcp(x.https);
	client_send(fd, "\x16\x03\x01\x01\x01\x01");
	a = client_all(fd, NULL);
	CU_ASSERT_STRING_EQUAL(a, "");
	free(a);
	/* A ClientHello, and no more. */
	c = caller_new(x.https, false);
	caller_hello(c);
	while (recv(caller_fd(c), &b, 1, 0) > 0)
		;
	CU_ASSERT_NOT_EQUAL(errno, EAGAIN);
	caller_free(c);
	CU_ASSERT_TRUE(WAIT_FOR(
	    (front_get_stats(x.front, &stats), stats.handshakes_failed == 2)));
	CU_ASSERT_EQUAL(stats.handshakes, 0);
	/* A handshake, and no request: ends in good form. From here on only
	 * what is meant may come too late. */
	front_fixture_call(&x, set_patience, ms);
	c = caller_open(x.https, false);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_EQUAL(caller_read(c, &b, 1), 0);
	caller_free(c);
	/* Half a request. */
	ms[1] = 30000;
	front_fixture_call(&x, set_patience, ms);
	c = caller_open(x.https, false);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	caller_write(c, "GET ", 4);
	a = caller_all(c, NULL);
	CU_ASSERT_EQUAL(answer_status(a), 408);
	CU_ASSERT_TRUE(caller_ended_cleanly(c));
	free(a);
	caller_free(c);
	front_fixture_stop(&x);
}

/* A client that can do nothing of what we offer is told so. */
static void test_alert(void)
{
	struct front_fixture x;
	struct tls_caller *c;

	front_fixture_init(&x);
	start(&x, contexts[FIRST]);
	c = caller_new(x.https, true);
	caller_only_rsa(c);
	CU_ASSERT_FALSE(caller_handshake(c));
	CU_ASSERT_EQUAL(caller_alert(c), 40); /* handshake_failure */
	caller_free(c);
	front_fixture_stop(&x);
}

static void set_context(struct front_fixture *x, void *arg)
{
	front_set_tls(x->front, PEER_HTTPS, arg);
}

/* Without a certificate nothing is accepted; who waits is served once there is
 * one. */
static void *connect_early(void *arg)
{
	return ask(*(uint16_t *)arg, false, GET_CLOSE("/echo"));
}

static void test_no_context(void)
{
	struct front_fixture x;
	struct front_stats stats;
	pthread_t thread;
	void *a;

	front_fixture_init(&x);
	start(&x, NULL);
	pthread_create(&thread, NULL, connect_early, &x.https);
	sleep_ms(200);
	front_get_stats(x.front, &stats);
	CU_ASSERT_EQUAL(stats.accepted, 0);
	front_post_tls(x.front, PEER_HTTPS, tls_context_ref(contexts[FIRST]));
	pthread_join(thread, &a);
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);
	/* And away again. */
	front_fixture_call(&x, set_context, NULL);
	pthread_create(&thread, NULL, connect_early, &x.https);
	sleep_ms(100);
	front_get_stats(x.front, &stats);
	CU_ASSERT_EQUAL(stats.accepted, 1);
	front_fixture_call(&x, set_context, contexts[RSA]);
	pthread_join(thread, &a);
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);
	front_fixture_stop(&x);
}

struct crowd {
	struct front_fixture *x;
	atomic_bool *stop;
	atomic_uint first, second, failed;
};

static void *connect_all_the_time(void *arg)
{
	struct crowd *crowd = arg;

	while (!atomic_load(crowd->stop)) {
		struct tls_caller *c = caller_open(crowd->x->https, false);
		char name[32], *a;

		if (!c) {
			crowd->failed++;
			continue;
		}
		caller_server_name(c, name, sizeof(name));
		caller_write(c, GET_CLOSE("/bytes/10"),
			     strlen(GET_CLOSE("/bytes/10")));
		a = caller_all(c, NULL);
		if (answer_status(a) != 200)
			crowd->failed++;
		else if (strcmp(name, "first") == 0)
			crowd->first++;
		else if (strcmp(name, "second") == 0)
			crowd->second++;
		free(a);
		caller_free(c);
	}
	return NULL;
}

static bool both_seen(const struct crowd *crowd)
{
	unsigned first = 0, second = 0;

	for (int i = 0; i < 4; i++) {
		first += atomic_load(&crowd[i].first);
		second += atomic_load(&crowd[i].second);
	}
	return first && second;
}

/* A new certificate under load: nobody notices but by its name. */
static void test_swap(void)
{
	struct front_fixture x;
	struct crowd crowd[4];
	pthread_t threads[4];
	atomic_bool stop = false;
	struct tls_caller *old;
	unsigned first = 0, second = 0;
	char name[32], part[2000];

	front_fixture_init(&x);
	start(&x, contexts[FIRST]);
	old = caller_open(x.https, false);
	for (int i = 0; i < 4; i++) {
		crowd[i] = (struct crowd){ .x = &x, .stop = &stop };
		pthread_create(&threads[i], NULL, connect_all_the_time,
			       &crowd[i]);
	}
	for (int i = 0; i < 20 || (i < 1000 && !both_seen(crowd)); i++) {
		sleep_ms(20);
		front_post_tls(
		    x.front, PEER_HTTPS,
		    tls_context_ref(contexts[i % 2 ? FIRST : SECOND]));
	}
	front_post_tls(x.front, PEER_HTTPS, tls_context_ref(contexts[SECOND]));
	sleep_ms(100);
	atomic_store(&stop, true);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		CU_ASSERT_EQUAL(crowd[i].failed, 0);
		first += crowd[i].first;
		second += crowd[i].second;
	}
	CU_ASSERT(first > 0);
	CU_ASSERT(second > 0);
	/* The connection from before all that goes on. */
	caller_server_name(old, name, sizeof(name));
	CU_ASSERT_STRING_EQUAL(name, "first");
	caller_write(old, GET("/bytes/10"), strlen(GET("/bytes/10")));
	CU_ASSERT(caller_read(old, part, sizeof(part)) > 10);
	caller_free(old);
	front_fixture_stop(&x);
}

/* More ClientHellos than the pool may owe: some are refused, all are counted,
 * and the others get through. */
static void *connect_once(void *arg)
{
	struct tls_caller *c = caller_open(*(uint16_t *)arg, false);
	bool ok = c != NULL;

	caller_free(c);
	return ok ? arg : NULL;
}

static void test_too_many(void)
{
	enum { CALLERS = 30 };
	struct front_fixture x;
	struct front_stats stats;
	pthread_t threads[CALLERS];
	unsigned ok = 0;

	front_fixture_init(&x);
	x.limits.handshake_threads = 1;
	x.limits.handshakes_waiting = 1;
	start(&x, contexts[RSA]);
	for (int i = 0; i < CALLERS; i++)
		pthread_create(&threads[i], NULL, connect_once, &x.https);
	for (int i = 0; i < CALLERS; i++) {
		void *rc;

		pthread_join(threads[i], &rc);
		ok += rc != NULL;
	}
	CU_ASSERT_TRUE(WAIT_FOR(
	    (front_get_stats(x.front, &stats), stats.handshakes == ok)));
	CU_ASSERT(ok > 0);
	CU_ASSERT_EQUAL(stats.handshakes + stats.refused, CALLERS);
	front_fixture_stop(&x);
}

/* Clients that go away at every stage. */
static void test_gone(void)
{
	struct front_fixture x;
	struct front_stats stats;
	struct linger hard = { 1, 0 };
	char *a;

	front_fixture_init(&x);
	start(&x, contexts[FIRST]);
	for (int i = 0; i < 40; i++) {
		struct tls_caller *c = caller_new(x.https, i & 1);

		if (i % 4 == 1)
			caller_hello(c);
		if (i % 4 >= 2)
			CU_ASSERT_TRUE(caller_handshake(c));
		if (i % 4 == 3)
			caller_write(c, GET("/wait/50"),
				     strlen(GET("/wait/50")));
		if (i & 8)
			setsockopt(caller_fd(c), SOL_SOCKET, SO_LINGER, &hard,
				   sizeof(hard));
		if (i & 16)
			caller_close_notify(c);
		caller_free(c);
	}
	CU_ASSERT_TRUE(WAIT_FOR(
	    (front_get_stats(x.front, &stats), stats.connections == 0)));
	a = ask(x.https, false, GET_CLOSE("/echo"));
	CU_ASSERT_EQUAL(answer_status(a), 200);
	free(a);
	front_fixture_stop(&x);
	CU_ASSERT_EQUAL(x.backend.strangers, 0);
}

/* Stopping in the middle of handshakes. */
static void test_stop(void)
{
	struct front_fixture x;
	struct tls_caller *half[5], *open;
	char b;

	front_fixture_init(&x);
	start(&x, contexts[FIRST]);
	open = caller_open(x.https, false);
	for (int i = 0; i < 5; i++) {
		half[i] = caller_new(x.https, false);
		caller_hello(half[i]);
	}
	sleep_ms(50);
	front_fixture_stop(&x);
	CU_ASSERT_EQUAL(caller_read(open, &b, 1), 0);
	for (int i = 0; i < 5; i++)
		caller_free(half[i]);
	caller_free(open);
}

static void test_stream(void)
{
	struct front_fixture x;
	struct tls_caller *c;
	char part[64], *big = malloc(300000), *back = malloc(300000);
	size_t got = 0;

	front_fixture_init(&x);
	start(&x, contexts[FIRST]);
	for (int tls12 = 0; tls12 < 2; tls12++) {
		c = caller_open(x.echo, tls12);
		CU_ASSERT_PTR_NOT_NULL_FATAL(c);
		CU_ASSERT_TRUE(caller_write(c, "hello", 5));
		CU_ASSERT_EQUAL(caller_read(c, part, sizeof(part)), 5);
		CU_ASSERT(memcmp(part, "hello", 5) == 0);
		sleep_ms(700); /* no deadline between messages */
		CU_ASSERT_TRUE(caller_write(c, "again", 5));
		CU_ASSERT_EQUAL(caller_read(c, part, sizeof(part)), 5);
		CU_ASSERT_TRUE(caller_write(c, "bye", 3));
		CU_ASSERT_EQUAL(caller_read(c, part, sizeof(part)), 3);
		CU_ASSERT_EQUAL(caller_read(c, part, sizeof(part)), 0);
		caller_free(c);
	}
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&echo.closed) == 2));
	/* More than any buffer holds, and back. */
	c = caller_open(x.echo, false);
	for (int i = 0; i < 300000; i++)
		big[i] = (char)('A' + i % 50);
	for (size_t at = 0; at < 300000; at += 50000)
		CU_ASSERT_TRUE(caller_write(c, big + at, 50000));
	while (got < 300000) {
		int n = caller_read(c, back + got, 300000 - got);

		CU_ASSERT_FATAL(n > 0);
		got += (size_t)n;
	}
	CU_ASSERT(memcmp(big, back, 300000) == 0);
	caller_close_notify(c);
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&echo.closed) == 3));
	caller_free(c);
	/* The service ends: so do they. */
	c = caller_open(x.echo, false);
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&echo.opened) == 4));
	front_fixture_stop(&x);
	CU_ASSERT_EQUAL(caller_read(c, part, 1), 0);
	caller_free(c);
	CU_ASSERT_EQUAL(echo.closed, 4);
	free(big);
	free(back);
}

static void resume_on_loop(struct front_fixture *x, void *arg)
{
	(void)x, (void)arg;
	front_stream_resume(echo.last);
}

static void test_stream_flow(void)
{
	struct front_fixture x;
	struct tls_caller *c;
	char part[200000];
	size_t got = 0;

	front_fixture_init(&x);
	start(&x, contexts[FIRST]);
	/* A handler that takes a byte, and the next when it is resumed. */
	echo.one_by_one = true;
	c = caller_open(x.echo, false);
	CU_ASSERT_TRUE(caller_write(c, "abc", 3));
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(caller_read(c, part, 10), 1);
		CU_ASSERT_EQUAL(part[0], 'a' + i);
		front_fixture_call(&x, resume_on_loop, NULL);
	}
	caller_free(c);
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&echo.closed) == 1));
	/* One that has said enough is told when to go on, also when the kernel
	 * takes all of it at once. */
	echo.one_by_one = false;
	echo.burst = OUT_HIGH;
	c = caller_open(x.echo, false);
	CU_ASSERT_TRUE(caller_write(c, "x", 1));
	while (got < OUT_HIGH) {
		int n = caller_read(c, part, sizeof(part));

		CU_ASSERT_FATAL(n > 0);
		got += (size_t)n;
	}
	CU_ASSERT_EQUAL(echo.burst, 0);
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&echo.writables) == 1));
	caller_free(c);
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&echo.closed) == 2));
	/* One that says more than is read is told once it is. */
	atomic_store(&echo.writables, 0);
	got = 0;
	echo.burst = 200000;
	c = caller_open(x.echo, false);
	while (echo.burst) {
		CU_ASSERT_TRUE(caller_write(c, "x", 1));
		sleep_ms(5);
	}
	while (atomic_load(&echo.writables) == 0 || got <= 200000) {
		int n = caller_read(c, part, sizeof(part));

		CU_ASSERT_FATAL(n > 0);
		got += (size_t)n;
	}
	caller_free(c);
	CU_ASSERT_TRUE(WAIT_FOR(atomic_load(&echo.closed) == 3));
	/* One that refuses everybody. */
	echo.refuse = true;
	c = caller_open(x.echo, false);
	CU_ASSERT(!c || caller_read(c, part, 1) <= 0);
	caller_free(c);
	front_fixture_stop(&x);
	CU_ASSERT_EQUAL(echo.closed, 3);
}

static void test_s_client(void)
{
	struct front_fixture x;

	front_fixture_init(&x);
	start(&x, contexts[RSA]);
	for (int v = 2; v <= 3; v++)
		CU_ASSERT_EQUAL(
		    test_run(
			"printf 'GET /echo HTTP/1.1\\r\\nHost: h\\r\\n"
			"Connection: close\\r\\n\\r\\n' | openssl s_client "
			"-connect 127.0.0.1:%u -tls1_%d -quiet "
			"-ign_eof 2>/dev/null | grep -q 'via=1'",
			(unsigned)x.https, v),
		    0);
	front_fixture_stop(&x);
}

static const struct unit_test tests[] = {
	{ "get", test_get },
	{ "a long talk", test_long_talk },
	{ "slow reader", test_slow_reader },
	{ "byte by byte", test_bytewise },
	{ "what is no TLS", test_not_tls },
	{ "deadlines", test_deadlines },
	{ "alert", test_alert },
	{ "no context yet", test_no_context },
	{ "new context under load", test_swap },
	{ "too many handshakes", test_too_many },
	{ "clients that are gone", test_gone },
	{ "stop", test_stop },
	{ "stream", test_stream },
	{ "stream back-pressure", test_stream_flow },
	{ "openssl s_client", test_s_client },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "front-tls", tests, setup, teardown);
}
