/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/lib/tls_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

struct test_client {
	WOLFSSL_CTX *ctx;
	WOLFSSL *ssl;
	struct tls_conn *server;
	struct buf *capture;
};

enum { STEPS_MAX = 40 };

static int on_receive(WOLFSSL *ssl, char *p, int size, void *arg)
{
	struct test_client *c = arg;
	struct buf *from = tls_conn_output(c->server);
	size_t n = from->len < (size_t)size ? from->len : (size_t)size;

	(void)ssl;
	if (n == 0)
		return WOLFSSL_CBIO_ERR_WANT_READ;
	memcpy(p, from->ptr, n);
	buf_consume(from, n);
	return (int)n;
}

static int on_send(WOLFSSL *ssl, char *p, int size, void *arg)
{
	struct test_client *c = arg;
	struct error e = ERROR_INIT;

	(void)ssl;
	if ((c->capture ? buf_add(c->capture, p, (size_t)size, &e)
			: tls_conn_feed(c->server, p, (size_t)size, &e)) < 0)
		return WOLFSSL_CBIO_ERR_GENERAL;
	return size;
}

static int refuse(int ok, WOLFSSL_X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 0;
}

static void identify(struct test_client *c, const struct test_client_options *o)
{
	const unsigned char *chain = (const unsigned char *)o->certificate;
	const unsigned char *key = (const unsigned char *)o->key;

	if (wolfSSL_CTX_use_certificate_chain_buffer(
		c->ctx, chain, (long)strlen(o->certificate)) !=
		WOLFSSL_SUCCESS ||
	    wolfSSL_CTX_use_PrivateKey_buffer(c->ctx, key, (long)strlen(o->key),
					      WOLFSSL_FILETYPE_PEM) !=
		WOLFSSL_SUCCESS) {
		fprintf(stderr, "the client does not take its certificate\n");
		abort();
	}
}

static void set_up(struct test_client *c, const struct test_client_options *o)
{
	int minimum = o->tls11   ? WOLFSSL_TLSV1_1
		      : o->tls12 ? WOLFSSL_TLSV1_2
				 : WOLFSSL_TLSV1_3;

	wolfSSL_CTX_SetMinVersion(c->ctx, minimum);
	wolfSSL_CTX_set_options(
	    c->ctx, (o->tls12 || o->tls13 ? 0 : WOLFSSL_OP_NO_TLSv1_2) |
			(o->tls13 ? 0 : WOLFSSL_OP_NO_TLSv1_3));
	wolfSSL_CTX_set_verify(
	    c->ctx, o->trust_nobody ? WOLFSSL_VERIFY_PEER : WOLFSSL_VERIFY_NONE,
	    o->trust_nobody ? refuse : NULL);
	if (o->certificate)
		identify(c, o);
	if (o->suites)
		wolfSSL_CTX_set_cipher_list(c->ctx, o->suites);
	if (o->groups)
		wolfSSL_CTX_set1_curves_list(c->ctx, o->groups);
	if (o->signatures)
		wolfSSL_CTX_set1_sigalgs_list(c->ctx, o->signatures);
	wolfSSL_CTX_SetIORecv(c->ctx, on_receive);
	wolfSSL_CTX_SetIOSend(c->ctx, on_send);
	wolfSSL_CTX_UseSessionTicket(c->ctx);
}

struct test_client *test_client_new(const struct test_client_options *options,
				    struct tls_conn *server)
{
	struct test_client *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->server = server;
	c->ctx = wolfSSL_CTX_new(wolfSSLv23_client_method());
	if (!c->ctx)
		abort();
	set_up(c, options);
	c->ssl = wolfSSL_new(c->ctx);
	if (!c->ssl)
		abort();
	wolfSSL_SetIOReadCtx(c->ssl, c);
	wolfSSL_SetIOWriteCtx(c->ssl, c);
	return c;
}

void test_client_free(struct test_client *c)
{
	if (!c)
		return;
	wolfSSL_free(c->ssl);
	wolfSSL_CTX_free(c->ctx);
	free(c);
}

void test_client_capture(struct test_client *c, struct buf *b)
{
	c->capture = b;
}

void test_client_resume(struct test_client *c, struct test_client *from)
{
	WOLFSSL_SESSION *session = wolfSSL_get1_session(from->ssl);

	wolfSSL_set_session(c->ssl, session);
	wolfSSL_SESSION_free(session);
}

static int result(struct test_client *c, int rc)
{
	if (rc > 0)
		return rc;
	return wolfSSL_get_error(c->ssl, rc) == WOLFSSL_ERROR_WANT_READ ? 0
									: -1;
}

int test_client_handshake(struct test_client *c)
{
	return result(c, wolfSSL_connect(c->ssl));
}

int test_client_read(struct test_client *c, void *p, size_t n)
{
	return result(c, wolfSSL_read(c->ssl, p, (int)n));
}

int test_client_write(struct test_client *c, const void *p, size_t n)
{
	return result(c, wolfSSL_write(c->ssl, p, (int)n));
}

void test_client_close_notify(struct test_client *c)
{
	(void)wolfSSL_shutdown(c->ssl);
}

int test_client_alert(struct test_client *c)
{
	WOLFSSL_ALERT_HISTORY h;

	if (wolfSSL_get_alert_history(c->ssl, &h) != WOLFSSL_SUCCESS)
		return -1;
	return h.last_rx.code;
}

bool test_client_resumed(struct test_client *c)
{
	return wolfSSL_session_reused(c->ssl);
}

const char *test_client_version(struct test_client *c)
{
	return wolfSSL_get_version(c->ssl);
}

enum tls_step test_client_meet(struct test_client *c, struct tls_conn *server,
			       struct error *e)
{
	enum tls_step step = TLS_STEP_WANT_READ;
	int rc = 0;

	for (int i = 0; i < STEPS_MAX; i++) {
		if (rc == 0)
			rc = test_client_handshake(c);
		if (step == TLS_STEP_WANT_READ)
			step = tls_conn_handshake(server, e);
		if (step == TLS_STEP_FAILED) {
			if (rc == 0)
				(void)test_client_handshake(c);
			return step;
		}
		if (step == TLS_STEP_DONE && rc != 0)
			return step;
	}
	return step;
}
