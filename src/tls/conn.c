/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/internal.h"

#include <stdlib.h>
#include <string.h>

#include <wolfssl/error-ssl.h>

#include "cert/host_identity.h"

enum { WRITE_MAX = 16384, WRITE_OVERHEAD = 256 };

static void keep_tail(struct tls_conn *c, const uint8_t *p, size_t n)
{
	if (n >= sizeof(c->tail)) {
		memcpy(c->tail, p + n - sizeof(c->tail), sizeof(c->tail));
		return;
	}
	memmove(c->tail, c->tail + n, sizeof(c->tail) - n);
	memcpy(c->tail + sizeof(c->tail) - n, p, n);
}

/* wolfSSL asks for a header, then for what it announces. */
static int on_receive(WOLFSSL *ssl, char *p, int size, void *arg)
{
	struct tls_conn *c = arg;
	size_t n = c->in.len - c->in_pos;

	(void)ssl;
	if (n == 0 && c->in_eof) {
		c->eof_seen = true;
		c->eof_in_record = size != TLS_RECORD_HEADER;
		return WOLFSSL_CBIO_ERR_CONN_CLOSE;
	}
	if (n == 0)
		return WOLFSSL_CBIO_ERR_WANT_READ;
	if (n > (size_t)size)
		n = (size_t)size;
	memcpy(p, c->in.ptr + c->in_pos, n);
	if (!c->established)
		keep_tail(c, c->in.ptr + c->in_pos, n);
	c->in_pos += n;
	if (c->in_pos == c->in.len) {
		buf_free(&c->in);
		c->in_pos = 0;
	}
	return (int)n;
}

static int on_send(WOLFSSL *ssl, char *p, int size, void *arg)
{
	struct tls_conn *c = arg;
	struct error e = ERROR_INIT;

	(void)ssl;
	c->out_any = true;
	if (c->muted) /* an alert of ours follows: alert.c */
		return size;
	if (buf_add(&c->out, p, (size_t)size, &e) < 0) {
		error_prefix(&e, "output of a TLS connection");
		c->failure = e;
		return WOLFSSL_CBIO_ERR_GENERAL;
	}
	return size;
}

void tls_conn_set_context(WOLFSSL_CTX *ctx)
{
	wolfSSL_CTX_SetIORecv(ctx, on_receive);
	wolfSSL_CTX_SetIOSend(ctx, on_send);
}

struct tls_conn *tls_conn_new(struct tls_context *context, struct error *e)
{
	struct tls_conn *c = calloc(1, sizeof(*c));

	if (!c) {
		error_nomem(e);
		return NULL;
	}
	buf_init(&c->in, TLS_INPUT_MAX);
	buf_init(&c->out, TLS_OUTPUT_MAX);
	tls_thread_enter();
	tls_roomy_begin();
	c->ssl = wolfSSL_new(context->ctx);
	c->roomy = tls_roomy_end(&c->roomy_size);
	if (!c->ssl) {
		free(c);
		error_nomem(e);
		return NULL;
	}
	c->context = tls_context_ref(context);
	wolfSSL_SetIOReadCtx(c->ssl, c);
	wolfSSL_SetIOWriteCtx(c->ssl, c);
	tls_sign_set_conn(c->ssl, c);
	tls_peer_set_conn(c->ssl, c);
	return c;
}

/* A name goes to the server, too (RFC 6066 3: never an address). */
static int call_host(struct tls_conn *c, const char *text, struct error *e)
{
	struct host host;

	if (host_parse(text, &host, e) < 0)
		return -1;
	c->host = strdup(text);
	if (!c->host ||
	    (!host.ip_len &&
	     wolfSSL_UseSNI(c->ssl, WOLFSSL_SNI_HOST_NAME, host.name,
			    (unsigned short)strlen(host.name)) !=
		 WOLFSSL_SUCCESS))
		return error_nomem(e);
	return 0;
}

struct tls_conn *tls_conn_new_to(struct tls_context *context, const char *host,
				 struct error *e)
{
	struct tls_conn *c = tls_conn_new(context, e);

	if (c && call_host(c, host, e) < 0) {
		tls_conn_free(c);
		return NULL;
	}
	return c;
}

void tls_conn_free(struct tls_conn *c)
{
	if (!c)
		return;
	wolfSSL_free(c->ssl);
	tls_context_unref(c->context);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c->host);
	free(c->certificate);
	free(c->refusal);
	free(c);
}

int tls_conn_feed(struct tls_conn *c, const void *p, size_t n, struct error *e)
{
	buf_consume(&c->in, c->in_pos);
	c->in_pos = 0;
	c->in_any = c->in_any || n > 0;
	if (buf_add(&c->in, p, n, e) < 0)
		return error_prefix(e, "input of a TLS connection");
	return 0;
}

void tls_conn_feed_eof(struct tls_conn *c)
{
	c->in_eof = true;
}

struct buf *tls_conn_output(struct tls_conn *c)
{
	return &c->out;
}

/* What a call of wolfSSL that did not succeed means. */
static enum tls_step step_of(struct tls_conn *c, int rc, struct error *e)
{
	int native = wolfSSL_get_error(c->ssl, rc);

	wolfSSL_ERR_clear_error();
	if (native == WOLFSSL_ERROR_WANT_READ)
		return TLS_STEP_WANT_READ;
	tls_peer_note_failure(c, native);
	if (c->failure.kind == ERR_NONE &&
	    (native == WOLFSSL_ERROR_ZERO_RETURN ||
	     (c->eof_seen && !c->eof_in_record &&
	      (c->established || !c->in_any))))
		return TLS_STEP_CLOSED;
	tls_failure(c, native, e);
	return TLS_STEP_FAILED;
}

static void note_info(struct tls_conn *c)
{
	c->info.version =
	    wolfSSL_GetVersion(c->ssl) == WOLFSSL_TLSV1_3 ? TLS_1_3 : TLS_1_2;
	c->info.cipher =
	    tls_suite_name(wolfSSL_get_current_cipher_suite(c->ssl));
	c->info.resumed = wolfSSL_session_reused(c->ssl);
}

enum tls_step tls_conn_handshake(struct tls_conn *c, struct error *e)
{
	enum tls_step step;
	int rc;

	if (c->established)
		return TLS_STEP_DONE;
	tls_thread_enter();
	rc = c->context->outgoing ? wolfSSL_connect(c->ssl)
				  : wolfSSL_accept(c->ssl);
	if (rc == WOLFSSL_SUCCESS && tls_peer_complete(c) == 0) {
		c->established = true;
		note_info(c);
		return TLS_STEP_DONE;
	}
	step = step_of(c, rc, e);
	if (step != TLS_STEP_FAILED)
		return step;
	/* As the calling side wolfSSL speaks for itself of what comes behind
	 * the certificate. */
	if (c->refusal && (c->muted || !c->context->outgoing))
		tls_alert_refused(c);
	else if (!c->refusal && c->failure.kind != ERR_NONE)
		tls_alert_unsigned(c);
	return step;
}

enum tls_step tls_conn_read(struct tls_conn *c, void *p, size_t n,
			    size_t *got_out, struct error *e)
{
	int rc;

	*got_out = 0;
	if (n > TLS_RECORD_MAX)
		n = TLS_RECORD_MAX;
	rc = wolfSSL_read(c->ssl, p, (int)n);
	if (rc <= 0)
		return step_of(c, rc, e);
	*got_out = (size_t)rc;
	return TLS_STEP_DONE;
}

int tls_conn_write(struct tls_conn *c, const void *p, size_t n, struct error *e)
{
	int rc;

	if (n == 0)
		return 0;
	if (n > WRITE_MAX)
		return error_set(e, ERR_INPUT, "more than %d bytes in a write",
				 WRITE_MAX);
	if (c->out.len + n + WRITE_OVERHEAD > c->out.max)
		return error_set(e, ERR_LIMIT,
				 "more than %zu bytes wait for the peer",
				 c->out.max);
	rc = wolfSSL_write(c->ssl, p, (int)n);
	if (rc == (int)n)
		return 0;
	return tls_failure(c, wolfSSL_get_error(c->ssl, rc), e);
}

void tls_conn_close_notify(struct tls_conn *c)
{
	(void)wolfSSL_shutdown(c->ssl);
	wolfSSL_ERR_clear_error();
}

void tls_conn_trim(struct tls_conn *c)
{
	if (!c->established)
		return;
	if (c->out.len == 0)
		buf_free(&c->out);
	if (c->roomy)
		tls_roomy_release(c->roomy, c->roomy_size);
}

const struct client_certificate *tls_conn_client(const struct tls_conn *c)
{
	return c->context->outgoing ? NULL : tls_conn_peer(c);
}

const struct client_certificate *tls_conn_peer(const struct tls_conn *c)
{
	return c->established ? c->certificate : NULL;
}

const struct tls_verdict *tls_conn_refusal(const struct tls_conn *c)
{
	return c->refusal;
}

void tls_conn_info(const struct tls_conn *c, struct tls_info *out)
{
	*out = c->info;
}
