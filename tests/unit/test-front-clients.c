/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <netinet/in.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/lib/test_token.h"
#include "tests/unit/front_client.h"
#include "tests/unit/front_fixture.h"
#include "tests/unit/judge_fixture.h"

/* Client certificates at the front: who the request handler hears of, and who
 * is told of those that do not come in. */

static struct test_token home;
static struct token *token;
static struct local_identity identity;

/* Made by hand, lives as long as the suite. */
struct local_identity *local_identity_ref(const struct local_identity *l)
{
	(void)l;
	return &identity;
}

void local_identity_unref(struct local_identity *l)
{
	(void)l;
}

static int setup(void)
{
	struct error e = ERROR_INIT;
	struct self_signed_options o = { .subject = { .cn = "front" } };
	struct signer signer;
	struct cert *cert = NULL;
	int rc = -1;

	/* The worlds of the judge's tests live around a day of their own. */
	clock_set_offset(NOW - clock_now());
	o.not_before = clock_now() - 60;
	o.not_after = clock_now() + DAY;
	test_token_make(&home);
	token = test_token_open(&home);
	if (tls_global_init(&e) < 0)
		return 1;
	identity.key = token_key_generate(token, KEY_KIND_EC_P256, "front", &e);
	if (identity.key) {
		signer = token_key_signer(identity.key);
		cert = cert_self_sign(&o, &signer, &e);
	}
	if (cert)
		rc = cert_list_add(&identity.chain, cert, &e);
	cert_unref(cert);
	if (rc < 0)
		unit_note("%s", e.text);
	return rc < 0;
}

static int teardown(void)
{
	cert_list_free(&identity.chain);
	token_key_unref(identity.key);
	token_free(token);
	tls_global_cleanup();
	return 0;
}

/* --- what the hook hears */

struct refusals {
	atomic_uint count;
	char reason[32], address[64];
	bool certified; /* of the peer it was told about */
};

static void on_refused(void *arg, const struct peer *p, const char *host,
		       const struct tls_verdict *why)
{
	struct refusals *r = arg;

	CU_ASSERT_PTR_NULL(host);
	CU_ASSERT_FALSE(p->called);
	snprintf(r->reason, sizeof(r->reason), "%s", why->reason);
	snprintf(r->address, sizeof(r->address), "%s", p->address);
	r->certified = r->certified || p->certificate.present;
	atomic_fetch_add(&r->count, 1);
}

/* --- a front that verifies its clients */

static struct tls_context *make_context(const struct judge_store *store)
{
	struct tls_verifier v = { 0 };
	const struct tls_server_options o = { .identity = &identity,
					      .minimum = TLS_1_2,
					      .verifier = store ? &v : NULL };
	struct error e = ERROR_INIT;
	struct tls_context *c;

	if (store)
		v = tls_client_verifier(store);
	c = tls_server_new(&o, &e);
	CHECK_OBJECT(c, &e);
	return c;
}

static void listen_tls(struct front_fixture *x, void *arg)
{
	static const char *const v4[] = { "127.0.0.1" };
	struct error e = ERROR_INIT;

	CHECK_OK(
	    front_listen_tcp(x->front, "https", PEER_HTTPS, v4, 1, 0, NULL, &e),
	    &e);
	x->https = front_listen_port(x->front, "https");
	front_set_tls(x->front, PEER_HTTPS, arg);
}

static void start(struct front_fixture *x, struct refusals *r,
		  struct tls_context *context)
{
	memset(r, 0, sizeof(*r));
	front_fixture_init(x);
	x->refused = on_refused;
	x->refused_arg = r;
	front_fixture_start(x);
	front_fixture_call(x, listen_tls, context);
}

/* --- clients */

struct papers {
	char *chain, *key;
};

static struct papers papers_of(struct world *w, const char *letters)
{
	struct papers p = { 0 };
	struct error e = ERROR_INIT;
	struct buf text;

	buf_init(&text, 1 << 20);
	for (const char *c = letters; *c; c++)
		CHECK_OK(cert_to_pem(world_cert(w, *c), &text, &e), &e);
	CHECK_OK(buf_add(&text, "", 1, &e), &e);
	p.chain = strdup((char *)text.ptr);
	buf_free(&text);
	p.key = test_key_pem(world_key(w, letters[0]), "pkcs8", NULL, NULL);
	return p;
}

static void papers_free(struct papers *p)
{
	free(p->chain);
	free(p->key);
}

/* What comes back, "" for nothing; *alert_out the one that ended it, -1. */
static char *ask(uint16_t port, bool tls12, const struct papers *p,
		 int *alert_out)
{
	static const char request[] = "GET /echo HTTP/1.1\r\nHost: h\r\n"
				      "Connection: close\r\n\r\n";
	struct tls_caller *c = caller_new(port, tls12);
	char *a = NULL;

	if (p)
		caller_identify(c, p->chain, p->key);
	if (caller_handshake(c)) {
		caller_write(c, request, sizeof(request) - 1);
		a = caller_all(c, NULL);
	}
	*alert_out = caller_alert(c);
	caller_free(c);
	return a ? a : strdup("");
}

static const struct visit {
	const char *sent; /* NULL: no certificate */
	const char *login;
	const char *reason;
	int alert, alert12;
} visits[] = {
	{ "LI", "login=alice\n", NULL, 0, 0 },
	{ "MJI", "login=alice\n", NULL, 0, 0 },
	{ NULL, NULL, "nothingSent", 116, 40 },
	{ "D", NULL, "unknownAuthority", 48, 48 },
	{ "L", NULL, "unknownAuthority", 48, 48 },
	{ "A", NULL, "expired", 45, 45 },
	{ "B", NULL, "wrongUse", 43, 43 },
};

static const struct part parts[PARTS_MAX] = {
	{ 'A', "/CN=late", "ecP256:3", 'R', .to = -DAY },
	{ 'B', "/CN=server", "ecP256:3", 'R', .extended = "serverAuth" },
	{ 0 },
};

static void check_visit(const struct front_fixture *x, struct refusals *r,
			struct world *w, const struct visit *v, bool tls12)
{
	struct papers p = { 0 };
	unsigned before = r->count;
	int alert;
	char *a;

	if (v->sent)
		p = papers_of(w, v->sent);
	a = ask(x->https, tls12, v->sent ? &p : NULL, &alert);
	if (v->login) {
		CU_ASSERT_PTR_NOT_NULL(strstr(a, v->login));
		CU_ASSERT_EQUAL(r->count, before);
	} else {
		CU_ASSERT_STRING_EQUAL(a, "");
		CU_ASSERT_EQUAL(alert, tls12 ? v->alert12 : v->alert);
		CU_ASSERT_TRUE(WAIT_FOR(r->count == before + 1));
		CU_ASSERT_STRING_EQUAL(r->reason, v->reason);
		CU_ASSERT_STRING_EQUAL(r->address, "127.0.0.1");
	}
	free(a);
	papers_free(&p);
}

static void test_visits(void)
{
	struct world w = { .changes = parts };
	struct judge_store *store = world_store(&w, "R");
	struct tls_context *context = make_context(store);
	struct front_fixture x;
	struct refusals r;

	start(&x, &r, context);
	for (size_t i = 0; i < sizeof(visits) / sizeof(*visits); i++) {
		check_visit(&x, &r, &w, &visits[i], true);
		check_visit(&x, &r, &w, &visits[i], false);
	}
	front_fixture_stop(&x);
	CU_ASSERT_FALSE(r.certified);
	CU_ASSERT_EQUAL(x.backend.strangers, 0);
	tls_context_unref(context);
	judge_store_unref(store);
	world_end(&w);
}

/* Where nobody is asked, a certificate is not looked at and tells nothing. */
static void test_not_asked(void)
{
	struct world w = { 0 };
	struct tls_context *context = make_context(NULL);
	struct papers p = papers_of(&w, "LI");
	struct front_fixture x;
	struct refusals r;
	int alert;
	char *a;

	start(&x, &r, context);
	a = ask(x.https, false, &p, &alert);
	CU_ASSERT_PTR_NOT_NULL(strstr(a, "login=-\n"));
	free(a);
	front_fixture_stop(&x);
	CU_ASSERT_EQUAL(r.count, 0);
	papers_free(&p);
	tls_context_unref(context);
	world_end(&w);
}

static void set_context(struct front_fixture *x, void *arg)
{
	front_set_tls(x->front, PEER_HTTPS, arg);
}

/* A connection that stands keeps what it has when the context changes. */
static void test_change(void)
{
	static const char request[] = "GET /echo HTTP/1.1\r\nHost: h\r\n"
				      "Connection: close\r\n\r\n";
	struct world w = { 0 };
	struct judge_store *store = world_store(&w, "R");
	struct tls_context *open = make_context(NULL);
	struct tls_context *closed = make_context(store);
	struct papers p = papers_of(&w, "LI");
	struct tls_caller *stands;
	struct front_fixture x;
	struct refusals r;
	int alert;
	char *a;

	start(&x, &r, closed);
	stands = caller_new(x.https, false);
	caller_identify(stands, p.chain, p.key);
	CU_ASSERT_TRUE_FATAL(caller_handshake(stands));
	front_fixture_call(&x, set_context, open);
	a = ask(x.https, false, &p, &alert);
	CU_ASSERT_PTR_NOT_NULL(strstr(a, "login=-\n"));
	free(a);
	front_fixture_call(&x, set_context, closed);
	a = ask(x.https, false, NULL, &alert);
	CU_ASSERT_EQUAL(alert, 116);
	free(a);
	caller_write(stands, request, sizeof(request) - 1);
	a = caller_all(stands, NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(a, "login=alice\n"));
	free(a);
	caller_free(stands);
	front_fixture_stop(&x);
	papers_free(&p);
	tls_context_unref(open);
	tls_context_unref(closed);
	judge_store_unref(store);
	world_end(&w);
}

/* --- many at once, while the trust store changes and changes back */

enum { CALLERS = 6, CALLS = 8 };

struct crowd {
	uint16_t port;
	struct papers papers;
	atomic_uint calls, let_in;
};

static void *call_often(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < CALLS; i++) {
		int alert;
		char *a = ask(c->port, i % 2, &c->papers, &alert);

		if (strstr(a, "login=alice\n"))
			atomic_fetch_add(&c->let_in, 1);
		free(a);
		atomic_fetch_add(&c->calls, 1);
	}
	return NULL;
}

static void test_crowd(void)
{
	static const char *const stores[] = { "RO", "SR" };
	struct world w = { 0 };
	struct crowd c = { .papers = papers_of(&w, "LI") };
	struct front_fixture x;
	struct refusals r;
	pthread_t threads[CALLERS];

	start(&x, &r, NULL);
	c.port = x.https;
	for (int i = 0; i < CALLERS; i++)
		CU_ASSERT_EQUAL_FATAL(
		    pthread_create(&threads[i], NULL, call_often, &c), 0);
	for (int i = 0; atomic_load(&c.calls) < CALLERS * CALLS; i++) {
		struct judge_store *store = world_store(&w, stores[i % 2]);
		struct tls_context *context = make_context(store);

		/* Those who use them hold them. */
		judge_store_unref(store);
		front_fixture_call(&x, set_context, context);
		tls_context_unref(context);
		sleep_ms(5);
	}
	for (int i = 0; i < CALLERS; i++)
		pthread_join(threads[i], NULL);
	CU_ASSERT_EQUAL(atomic_load(&c.let_in), CALLERS * CALLS);
	front_fixture_stop(&x);
	CU_ASSERT_EQUAL(atomic_load(&r.count), 0);
	papers_free(&c.papers);
	world_end(&w);
}

/* --- one address that wants the pool for itself */

/* On the thread of the pool, which waits there. */
static void hold_refused(void *arg, const struct peer *p, const char *host,
			 const struct tls_verdict *why)
{
	sem_t *sems = arg;

	(void)p;
	(void)host;
	(void)why;
	sem_post(&sems[0]);
	while (sem_wait(&sems[1]) != 0)
		;
}

/* A ClientHello, as it travels. */
static ssize_t catch_hello(void *out, size_t size)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	struct tls_caller *c;
	ssize_t n;

	CU_ASSERT_EQUAL_FATAL(bind(listener, (struct sockaddr *)&in, len), 0);
	CU_ASSERT_EQUAL_FATAL(listen(listener, 1), 0);
	getsockname(listener, (struct sockaddr *)&in, &len);
	c = caller_new(ntohs(in.sin_port), false);
	caller_hello(c);
	fd = accept(listener, NULL, NULL);
	n = recv(fd, out, size, 0);
	CU_ASSERT_FATAL(n > 5);
	close(fd);
	close(listener);
	caller_free(c);
	return n;
}

/* From 127.0.0.2. */
static int say_hello(uint16_t port, const void *hello, size_t n)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr =
				      htonl(INADDR_LOOPBACK + 1) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(port);
	CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&in, sizeof(in)),
			      0);
	client_send_n(fd, hello, n);
	return fd;
}

static void turn(struct front_fixture *x, void *arg)
{
	(void)x;
	(void)arg;
}

/* The last quarter of the queue is for those who have few places there. */
static void test_greedy_address(void)
{
	enum { WAITING = 16, PLACES = WAITING - WAITING / 4 };
	struct world w = { 0 };
	struct judge_store *store = world_store(&w, "R");
	struct tls_context *context = make_context(store);
	struct papers p = papers_of(&w, "LI");
	struct tls_caller *fair;
	struct front_fixture x;
	struct front_stats stats;
	uint8_t hello[4096];
	size_t n = (size_t)catch_hello(hello, sizeof(hello));
	int alert, greedy[WAITING];
	sem_t sems[2];

	sem_init(&sems[0], 0, 0);
	sem_init(&sems[1], 0, 0);
	front_fixture_init(&x);
	x.refused = hold_refused;
	x.refused_arg = sems;
	x.limits.handshake_threads = 1;
	x.limits.handshakes_waiting = WAITING;
	front_fixture_start(&x);
	front_fixture_call(&x, listen_tls, context);
	free(ask(x.https, false, NULL, &alert));
	while (sem_wait(&sems[0]) != 0)
		;
	for (int i = 0; i < WAITING; i++)
		greedy[i] = say_hello(x.https, hello, n);
	CU_ASSERT_TRUE(
	    WAIT_FOR((front_get_stats(x.front, &stats),
		      stats.refused == (uint64_t)(WAITING - PLACES))));
	fair = caller_new(x.https, false);
	caller_identify(fair, p.chain, p.key);
	caller_hello(fair);
	CU_ASSERT_TRUE(WAIT_FOR(
	    (front_get_stats(x.front, &stats), stats.accepted == WAITING + 2)));
	front_fixture_call(&x, turn, NULL);
	sem_post(&sems[1]);
	CU_ASSERT_TRUE(caller_handshake(fair));
	front_get_stats(x.front, &stats);
	CU_ASSERT_EQUAL(stats.refused, WAITING - PLACES);
	caller_free(fair);
	for (int i = 0; i < WAITING; i++)
		close(greedy[i]);
	/* What has ended counts no more. */
	CU_ASSERT_TRUE(WAIT_FOR(
	    (front_get_stats(x.front, &stats), stats.connections == 0)));
	free(ask(x.https, false, &p, &alert));
	CU_ASSERT_EQUAL(alert, -1);
	front_fixture_stop(&x);
	sem_destroy(&sems[0]);
	sem_destroy(&sems[1]);
	papers_free(&p);
	tls_context_unref(context);
	judge_store_unref(store);
	world_end(&w);
}

static const struct unit_test tests[] = {
	{ "visits", test_visits },
	{ "not asked", test_not_asked },
	{ "change of the context", test_change },
	{ "many while the store changes", test_crowd },
	{ "one address that wants the pool for itself", test_greedy_address },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "front-clients", tests, setup, teardown);
}
