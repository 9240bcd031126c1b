/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/flow_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cert/issue.h"
#include "tests/lib/test_token.h"

static struct test_token home;
static struct token *token;
struct local_identity flow_identities[IDENTITIES];

/* Identities made by hand, which live as long as the suite. */
struct local_identity *local_identity_ref(const struct local_identity *l)
{
	return &flow_identities[l - flow_identities];
}

void local_identity_unref(struct local_identity *l)
{
	(void)l;
}

static int make_identity(int which, struct error *e)
{
	static const char *const peer[] = { "DNS:peer.example", "IP:127.0.0.1",
					    "IP:::1" };
	static const char *const stranger[] = { "DNS:stranger.example" };
	const struct self_signed_options o = {
		.subject = { .cn = which == STRANGER ? "stranger" : "peer" },
		.alt_names = which == STRANGER ? stranger : peer,
		.alt_name_count = which == STRANGER ? 1 : 3,
		.not_before = clock_now() - 7200,
		.not_after = clock_now() + (which == LATE ? -3600 : 86400),
	};
	struct local_identity *l = &flow_identities[which];
	char label[16];
	struct signer signer;
	struct cert *cert;
	int rc;

	snprintf(label, sizeof(label), "key%d", which);
	l->key = token_key_generate(token, KEY_KIND_EC_P256, label, e);
	if (!l->key)
		return -1;
	signer = token_key_signer(l->key);
	cert = cert_self_sign(&o, &signer, e);
	rc = cert ? cert_list_add(&l->chain, cert, e) : -1;
	cert_unref(cert);
	return rc;
}

int flow_setup(void)
{
	struct error e = ERROR_INIT;

	test_token_make(&home);
	token = test_token_open(&home);
	if (tls_global_init(&e) < 0)
		return 1;
	for (int i = 0; i < IDENTITIES; i++)
		if (make_identity(i, &e) < 0) {
			unit_note("%s", e.text);
			return 1;
		}
	return 0;
}

int flow_teardown(void)
{
	for (int i = 0; i < IDENTITIES; i++) {
		cert_list_free(&flow_identities[i].chain);
		token_key_unref(flow_identities[i].key);
	}
	token_free(token);
	tls_global_cleanup();
	return 0;
}

struct judge_store *flow_store(unsigned set)
{
	struct error e = ERROR_INIT;
	struct cert_list anchors = { 0 };
	struct judge_store *s;

	for (int i = 0; i < IDENTITIES; i++)
		if (set & 1u << i)
			CHECK_OK(cert_list_add(
				     &anchors,
				     flow_identities[i].chain.items[0], &e),
				 &e);
	s = judge_store_new(&anchors, &e);
	CHECK_OBJECT(s, &e);
	cert_list_free(&anchors);
	return s;
}

struct tls_context *flow_server(int identity, const struct judge_store *store,
				enum tls_version minimum)
{
	struct tls_verifier v = { 0 };
	const struct tls_server_options o = { .identity =
						  &flow_identities[identity],
					      .minimum = minimum,
					      .verifier = store ? &v : NULL };
	struct error e = ERROR_INIT;
	struct tls_context *c;

	if (store)
		v = tls_client_verifier(store);
	c = tls_server_new(&o, &e);
	CHECK_OBJECT(c, &e);
	return c;
}

struct tls_context *flow_client(int identity, const struct judge_store *store,
				enum tls_server_check check)
{
	struct tls_verifier v = tls_server_verifier(check, store);
	const struct tls_client_options o = {
		.identity = identity < 0 ? NULL : &flow_identities[identity],
		.minimum = TLS_1_2,
		.verifier = &v
	};
	struct error e = ERROR_INIT;
	struct tls_context *c = tls_client_new(&o, &e);

	CHECK_OBJECT(c, &e);
	return c;
}

/* --- handlers */

static int on_open(struct front_stream *s, const struct peer *p, void *arg,
		   void **user)
{
	struct flow *f = arg;

	f->stream = s;
	f->peer = *p;
	CU_ASSERT_PTR_EQUAL(front_stream_peer(s), p);
	*user = f;
	atomic_fetch_add(&f->opened, 1);
	return 0;
}

static size_t on_data(struct front_stream *s, void *user, const uint8_t *p,
		      size_t n)
{
	struct flow *f = user;
	size_t have = atomic_load(&f->got), room = sizeof(f->first) - 1;

	(void)s;
	if (have < room)
		memcpy(f->first + have, p, n < room - have ? n : room - have);
	atomic_fetch_add(&f->got, n);
	return n;
}

static void on_closed(struct front_stream *s, void *user)
{
	struct flow *f = user;
	const struct error *why = front_stream_failure(s);

	f->stream = NULL;
	if (why)
		f->why = *why;
	atomic_fetch_add(&f->closed, 1);
}

static void on_failed(struct front_stream *s, void *arg,
		      const struct error *why,
		      const struct tls_verdict *verdict)
{
	struct flow *f = arg;

	(void)s;
	f->stream = NULL;
	f->why = *why;
	f->verdict = verdict != NULL;
	if (verdict)
		snprintf(f->reason, sizeof(f->reason), "%s", verdict->reason);
	atomic_fetch_add(&f->failed, 1);
}

const struct front_stream_ops flow_ops = { .open = on_open,
					   .data = on_data,
					   .closed = on_closed,
					   .failed = on_failed };

static size_t on_echo(struct front_stream *s, void *user, const uint8_t *p,
		      size_t n)
{
	static const char many[200000];

	on_data(s, user, p, n);
	if (n >= 3 && !memcmp(p, "all", 3))
		front_stream_write(s, many, sizeof(many));
	else
		front_stream_write(s, p, n);
	if (n >= 3 && (!memcmp(p, "all", 3) || !memcmp(p, "bye", 3)))
		front_stream_close(s);
	return n;
}

struct front_stream_ops flow_echo_ops(struct flow *all)
{
	return (struct front_stream_ops){ .open = on_open,
					  .data = on_echo,
					  .closed = on_closed,
					  .arg = all };
}

/* --- on the loop */

void flow_connect(struct front_fixture *x, void *arg)
{
	struct flow_call *c = arg;

	error_clear(&c->e);
	c->stream =
	    front_connect(x->front, &c->options, &flow_ops, c->flow, &c->e);
	if (c->flow)
		c->flow->stream = c->stream;
	/* Nothing is heard before it returns. */
	if (c->flow)
		CU_ASSERT_EQUAL(c->flow->opened + c->flow->failed, 0);
}

void flow_say(struct front_fixture *x, void *arg)
{
	struct flow_say *say = arg;

	(void)x;
	if (!say->flow->stream)
		return;
	if (say->n)
		front_stream_write(say->flow->stream, say->bytes, say->n);
	if (say->close)
		front_stream_close(say->flow->stream);
}
