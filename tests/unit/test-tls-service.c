/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/lib/test_token.h"
#include "tests/lib/tls_client.h"
#include "tests/lib/unit.h"
#include "tests/unit/tls_fixture.h"

/* --- tickets */

/* A second connection with the ticket of the first. */
static bool resumes(struct pair *first, struct tls_context *ctx)
{
	const struct test_client_options o = { .tls13 = true };
	struct error e = ERROR_INIT;
	struct tls_conn *server = open_conn(ctx);
	struct test_client *client = test_client_new(&o, server);
	struct tls_info info;
	bool resumed;

	test_client_resume(client, first->client);
	CU_ASSERT_EQUAL(test_client_meet(client, server, &e), TLS_STEP_DONE);
	tls_conn_info(server, &info);
	resumed = test_client_resumed(client);
	CU_ASSERT_EQUAL(resumed, info.resumed);
	check_echo(client, server);
	test_client_free(client);
	tls_conn_free(server);
	return resumed;
}

static struct ticket_keys *make_tickets(void)
{
	struct error e = ERROR_INIT;
	struct ticket_keys *k = ticket_keys_new(&e);

	CHECK_OBJECT(k, &e);
	return k;
}

static void test_tickets(void)
{
	struct ticket_keys *keys = make_tickets();
	struct pair p = pair_open(keys);
	struct tls_context *next;

	check_echo(p.client, p.server); /* reads the ticket too */
	CU_ASSERT_TRUE(resumes(&p, p.ctx));
	CU_ASSERT_TRUE(resumes(&p, p.ctx));
	/* Another context with the same keys, as after a settings change. */
	next = fixture_context(KEY_KIND_EC_P256, TLS_1_2, keys);
	CU_ASSERT_TRUE(resumes(&p, next));
	ticket_keys_rotate(keys);
	CU_ASSERT_FALSE(resumes(&p, p.ctx));
	CU_ASSERT_FALSE(resumes(&p, next));
	tls_context_unref(next);
	pair_close(&p);
	ticket_keys_free(keys);
	ticket_keys_free(NULL);
}

static void test_tickets_off(void)
{
	struct ticket_keys *keys = make_tickets();
	struct pair with = pair_open(keys), without = pair_open(NULL);

	check_echo(with.client, with.server);
	check_echo(without.client, without.server);
	CU_ASSERT_FALSE(resumes(&with, without.ctx));
	CU_ASSERT_FALSE(resumes(&without, with.ctx));
	CU_ASSERT_FALSE(resumes(&without, without.ctx));
	pair_close(&with);
	pair_close(&without);
	ticket_keys_free(keys);
}

static void test_ticket_age(void)
{
	static const struct {
		int64_t at;
		bool resumed;
	} steps[] = {
		{ 3599, true }, { 3700, true }, { 7100, true }, { 7300, false }
	};
	struct ticket_keys *keys = make_tickets();
	struct pair p = pair_open(keys);

	check_echo(p.client, p.server);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		clock_set_offset(steps[i].at);
		CU_ASSERT_EQUAL(resumes(&p, p.ctx), steps[i].resumed);
	}
	/* Back in time: the age of the keys is unknown, they are renewed. */
	clock_set_offset(-100000);
	CU_ASSERT_FALSE(resumes(&p, p.ctx));
	clock_set_offset(0);
	pair_close(&p);
	ticket_keys_free(keys);
}

/* --- openssl s_client, over the loopback */

static const struct session {
	const char *arguments; /* of s_client */
	bool rotate;           /* the ticket keys, first */
	const char *expected;  /* a line of its output holds this */
} sessions[] = {
	{ "-tls1_3", false, "New, TLSv1.3, Cipher is TLS_CHACHA20" },
	{ "-tls1_3 -sess_out s13", false, "New, TLSv1.3" },
	{ "-tls1_3 -sess_in s13", false, "Reused, TLSv1.3" },
	{ "-tls1_3 -sess_in s13", true, "New, TLSv1.3" },
	{ "-tls1_2 -sess_out s12", false, "New, TLSv1.2, Cipher is ECDHE" },
	{ "-tls1_2 -sess_in s12", false, "Reused, TLSv1.2" },
	{ "-tls1_2 -sess_in s12", true, "New, TLSv1.2" },
	{ "-tls1_2 -no_ticket", false, "New, TLSv1.2" },
	{ "-tls1_1 -cipher ALL:@SECLEVEL=0", false, "alert protocol version" },
	{ "-tls1_2 -cipher AES128-GCM-SHA256", false,
	  "alert handshake failure" },
	{ "-groups P-384", false, "Server Temp Key: ECDH, secp384r1" },
	{ "-groups X448:P-256", false, "Server Temp Key: ECDH, prime256v1" },
	{ "-tls1_2 -groups P-521:P-256", false,
	  "Server Temp Key: ECDH, prime256v1" },
	{ "-servername other.example -alpn h2,http/1.1 -status", false,
	  "No ALPN negotiated" },
};

static void check_session(const struct session *s, enum key_kind kind,
			  struct ticket_keys *keys, unsigned port)
{
	const char *dir = fixture_directory();
	bool fails = strstr(s->expected, "alert") != NULL;
	int rc;

	if (s->rotate)
		ticket_keys_rotate(keys);
	/* s_client ends with its input, which therefore stays open until the
	 * echo is there; a ticket comes before it. */
	rc = test_run("cd %s && rm -f out && (echo to server; %s) |"
		      " openssl s_client -connect 127.0.0.1:%u %s >out 2>&1;"
		      " grep -q '%s' out",
		      dir,
		      fails ? ":"
			    : "for i in $(seq 100); do sleep 0.05;"
			      " ! grep -q 'to server' out || exit; done",
		      port, s->arguments, s->expected);
	if (rc == 0 && !fails)
		rc = test_run("grep -q 'to server' %s/out", dir);
	if (rc != 0) {
		unit_note("%s: s_client %s", key_kind_name(kind), s->arguments);
		test_run("sed 's/^/# /' %s/out", dir);
	}
	CU_ASSERT_EQUAL(rc, 0);
}

static void test_s_client(void)
{
	static const enum key_kind kinds[] = { KEY_KIND_RSA2048,
					       KEY_KIND_EC_P256 };

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		struct ticket_keys *keys = make_tickets();
		struct tls_context *ctx =
		    fixture_context(kinds[k], TLS_1_2, keys);
		unsigned port = fixture_serve(ctx);

		for (size_t i = 0; i < sizeof(sessions) / sizeof(sessions[0]);
		     i++)
			check_session(&sessions[i], kinds[k], keys, port);
		fixture_serve_end();
		tls_context_unref(ctx);
		ticket_keys_free(keys);
	}
}

/* --- many at once */

enum { THREADS = 8, ROUNDS = 12 };

static void *meet_often(void *arg)
{
	const struct test_client_options o = { .tls12 = true, .tls13 = true };
	struct tls_context *ctx = arg;
	size_t met = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct error e = ERROR_INIT;
		struct tls_conn *server = tls_conn_new(ctx, &e);
		struct test_client *client;

		if (!server)
			break;
		client = test_client_new(&o, server);
		if (test_client_meet(client, server, &e) == TLS_STEP_DONE)
			met++;
		else
			unit_note("%s", e.text);
		test_client_free(client);
		tls_conn_free(server);
	}
	return (void *)met;
}

static void test_threads(void)
{
	struct ticket_keys *keys = make_tickets();
	struct tls_context *ctx =
	    fixture_context(KEY_KIND_EC_P256, TLS_1_2, keys);
	pthread_t threads[THREADS];
	size_t met = 0;

	for (int i = 0; i < THREADS; i++)
		CU_ASSERT_EQUAL_FATAL(
		    pthread_create(&threads[i], NULL, meet_often, ctx), 0);
	ticket_keys_rotate(keys);
	for (int i = 0; i < THREADS; i++) {
		void *one = NULL;

		pthread_join(threads[i], &one);
		met += (size_t)one;
	}
	CU_ASSERT_EQUAL(met, THREADS * ROUNDS);
	tls_context_unref(ctx);
	ticket_keys_free(keys);
}

static void test_memory(void)
{
	enum { CONNS = 100 };
	const struct test_client_options o = { .tls13 = true };
	struct tls_context *ctx =
	    fixture_context(KEY_KIND_EC_P256, TLS_1_2, NULL);
	struct tls_conn *conns[CONNS];
	struct error e = ERROR_INIT;
	long before = fixture_resident_bytes(), after;

	for (int i = 0; i < CONNS; i++) {
		struct test_client *client;

		conns[i] = open_conn(ctx);
		client = test_client_new(&o, conns[i]);
		CU_ASSERT_EQUAL(test_client_meet(client, conns[i], &e),
				TLS_STEP_DONE);
		buf_clear(tls_conn_output(conns[i]));
		test_client_free(client);
		tls_conn_trim(conns[i]);
	}
	after = fixture_resident_bytes();
#ifndef __SANITIZE_ADDRESS__ /* which keeps freed memory */
	unit_note("%ld bytes resident for each idle connection",
		  (after - before) / CONNS);
#else
	(void)before;
	(void)after;
#endif
	for (int i = 0; i < CONNS; i++)
		tls_conn_free(conns[i]);
	tls_context_unref(ctx);
}

/* --- the token goes away */

static void check_token(struct tls_context *ctx, bool tls12, bool gone,
			int alert)
{
	const struct test_client_options o = { .tls12 = tls12,
					       .tls13 = !tls12 };
	struct tls_conn *server = open_conn(ctx);
	struct test_client *client = test_client_new(&o, server);
	struct error e = ERROR_INIT;

	CU_ASSERT_EQUAL(test_client_meet(client, server, &e),
			gone ? TLS_STEP_FAILED : TLS_STEP_DONE);
	unit_check_error(&e, gone ? ERR_TOKEN : ERR_NONE, "", __FILE__,
			 __LINE__);
	CU_ASSERT_EQUAL(test_client_alert(client), alert);
	test_client_free(client);
	tls_conn_free(server);
}

static void test_token_gone(void)
{
	struct tls_context *ctx = fixture_remote_open();

	check_token(ctx, true, false, -1);
	check_token(ctx, false, false, -1);
	fixture_remote_kill();
	check_token(ctx, true, true, 80);
	check_token(ctx, false, true, 0);
	tls_context_unref(ctx);
	fixture_remote_close();
}

static const struct unit_test tests[] = {
	{ "memory", test_memory }, /* first, while little is free to reuse */
	{ "tickets", test_tickets },
	{ "tickets off", test_tickets_off },
	{ "age of ticket keys", test_ticket_age },
	{ "openssl s_client", test_s_client },
	{ "threads", test_threads },
	{ "token gone", test_token_gone },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "tls-service", tests, fixture_open,
			 fixture_close);
}
