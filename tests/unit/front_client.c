/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/ecc.h>

#include "tests/unit/front_client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int client_tcp(uint16_t port); /* front_fixture.h */

struct tls_caller {
	WOLFSSL_CTX *ctx;
	WOLFSSL *ssl;
	int fd;
	bool bytewise, mute, clean;
};

static int on_send(WOLFSSL *ssl, char *p, int n, void *arg)
{
	struct tls_caller *c = arg;

	(void)ssl;
	if (!c->bytewise) {
		ssize_t sent = send(c->fd, p, (size_t)n, MSG_NOSIGNAL);

		return sent > 0 ? (int)sent : WOLFSSL_CBIO_ERR_CONN_RST;
	}
	for (int i = 0; i < n; i++) {
		if (send(c->fd, p + i, 1, MSG_NOSIGNAL) != 1)
			return WOLFSSL_CBIO_ERR_CONN_RST;
		if (i % 20 == 0)
			usleep(1000);
	}
	return n;
}

static int on_receive(WOLFSSL *ssl, char *p, int n, void *arg)
{
	struct tls_caller *c = arg;
	ssize_t got;

	(void)ssl;
	if (c->mute)
		return WOLFSSL_CBIO_ERR_WANT_READ;
	got = recv(c->fd, p, (size_t)n, 0);
	if (got == 0)
		return WOLFSSL_CBIO_ERR_CONN_CLOSE;
	return got > 0 ? (int)got : WOLFSSL_CBIO_ERR_CONN_RST;
}

struct tls_caller *caller_new(uint16_t port, bool tls12)
{
	struct tls_caller *c = calloc(1, sizeof(*c));

	c->fd = client_tcp(port);
	c->ctx = wolfSSL_CTX_new(tls12 ? wolfTLSv1_2_client_method()
				       : wolfTLSv1_3_client_method());
	wolfSSL_CTX_set_verify(c->ctx, WOLFSSL_VERIFY_NONE, NULL);
	wolfSSL_CTX_SetIOSend(c->ctx, on_send);
	wolfSSL_CTX_SetIORecv(c->ctx, on_receive);
	c->ssl = wolfSSL_new(c->ctx);
	wolfSSL_SetIOReadCtx(c->ssl, c);
	wolfSSL_SetIOWriteCtx(c->ssl, c);
	return c;
}

void caller_identify(struct tls_caller *c, const char *chain, const char *key)
{
	(void)wolfSSL_use_certificate_chain_buffer(
	    c->ssl, (const unsigned char *)chain, (long)strlen(chain));
	(void)wolfSSL_use_PrivateKey_buffer(c->ssl, (const unsigned char *)key,
					    (long)strlen(key),
					    WOLFSSL_FILETYPE_PEM);
}

bool caller_handshake(struct tls_caller *c)
{
	return c->fd >= 0 && wolfSSL_connect(c->ssl) == WOLFSSL_SUCCESS;
}

struct tls_caller *caller_open(uint16_t port, bool tls12)
{
	struct tls_caller *c = caller_new(port, tls12);

	if (caller_handshake(c))
		return c;
	caller_free(c);
	return NULL;
}

void caller_hello(struct tls_caller *c)
{
	c->mute = true;
	(void)wolfSSL_connect(c->ssl);
	c->mute = false;
}

void caller_only_rsa(struct tls_caller *c)
{
	wolfSSL_set_cipher_list(c->ssl, "ECDHE-RSA-AES128-GCM-SHA256");
}

void caller_bytewise(struct tls_caller *c)
{
	c->bytewise = true;
}

int caller_fd(const struct tls_caller *c)
{
	return c->fd;
}

bool caller_write(struct tls_caller *c, const void *p, size_t n)
{
	return wolfSSL_write(c->ssl, p, (int)n) == (int)n;
}

int caller_read(struct tls_caller *c, void *p, size_t n)
{
	int got = wolfSSL_read(c->ssl, p, (int)n);

	if (got > 0)
		return got;
	c->clean = wolfSSL_get_error(c->ssl, got) == WOLFSSL_ERROR_ZERO_RETURN;
	return c->clean ? 0 : -1;
}

bool caller_ended_cleanly(const struct tls_caller *c)
{
	return c->clean;
}

char *caller_all(struct tls_caller *c, size_t *len_out)
{
	size_t len = 0, cap = 65536;
	char *all = malloc(cap + 1);
	int n;

	while ((n = caller_read(c, all + len, cap - len)) > 0) {
		len += (size_t)n;
		if (len == cap) {
			cap *= 2;
			all = realloc(all, cap + 1);
		}
	}
	all[len] = '\0';
	if (len_out)
		*len_out = len;
	return all;
}

int caller_alert(struct tls_caller *c)
{
	WOLFSSL_ALERT_HISTORY h;

	memset(&h, 0, sizeof(h));
	wolfSSL_get_alert_history(c->ssl, &h);
	return h.last_rx.level == alert_fatal ? h.last_rx.code : -1;
}

void caller_server_name(struct tls_caller *c, char *out, size_t size)
{
	WOLFSSL_X509 *x509 = wolfSSL_get_peer_certificate(c->ssl);
	const char *cn = x509 ? wolfSSL_X509_get_subjectCN(x509) : NULL;

	strncpy(out, cn ? cn : "", size - 1);
	out[size - 1] = '\0';
	if (x509)
		wolfSSL_X509_free(x509);
}

void caller_close_notify(struct tls_caller *c)
{
	(void)wolfSSL_shutdown(c->ssl);
}

void caller_free(struct tls_caller *c)
{
	if (!c)
		return;
	wolfSSL_free(c->ssl);
	wolfSSL_CTX_free(c->ctx);
	if (c->fd >= 0)
		close(c->fd);
	free(c);
	wc_ecc_fp_free(); /* this thread's tables */
}
