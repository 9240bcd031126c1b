/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/internal.h"

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/chacha20_poly1305.h>

/* Alerts that wolfSSL cannot be told to send: it has no call for one, and its
 * own choice for certificates knows four words. */

enum { CONTENT_ALERT = 21, CONTENT_DATA = 23, INTERNAL_ERROR = 80 };
enum { NONCE_SIZE = 12, TAG_SIZE = 16, CHACHA20_POLY1305 = 0x1303 };
/* Level, description and the true content type (RFC 8446 5.2). */
enum { PLAIN_SIZE = 3 };

static void put(struct tls_conn *c, const uint8_t *record, size_t n)
{
	struct error ignored; /* the peer is left without a reason */

	if (buf_add(&c->out, record, n, &ignored) < 0)
		return;
}

static void put_plain(struct tls_conn *c, unsigned code)
{
	const uint8_t record[] = { CONTENT_ALERT, 3, 3, 0, 2, alert_fatal,
				   (uint8_t)code };

	put(c, record, sizeof(record));
}

static int seal_aes(const uint8_t *key, word32 key_size, const uint8_t *iv,
		    const uint8_t *header, const uint8_t *plain, uint8_t *out)
{
	Aes aes;
	int rc = wc_AesInit(&aes, NULL, INVALID_DEVID);

	if (rc != 0)
		return rc;
	rc = wc_AesGcmSetKey(&aes, key, key_size);
	if (rc == 0)
		rc = wc_AesGcmEncrypt(&aes, out, plain, PLAIN_SIZE, iv,
				      NONCE_SIZE, out + PLAIN_SIZE, TAG_SIZE,
				      header, TLS_RECORD_HEADER);
	wc_AesFree(&aes);
	return rc;
}

/* A record of TLS 1.3. As the server: under the key of our application data,
 * which is in force since our Finished. Nothing is sent under it before the
 * client's Finished (there are no tickets where clients are verified). As the
 * client: under the key of our handshake, under which our Finished would be the
 * first. What wolfSSL says after a refusal is thrown away, so this is record
 * number 0 and the last one: the nonce is the IV as it is (RFC 8446 5.3), and
 * used once. */
static void put_sealed(struct tls_conn *c, unsigned code)
{
	const uint8_t plain[PLAIN_SIZE] = { alert_fatal, (uint8_t)code,
					    CONTENT_ALERT };
	uint8_t record[TLS_RECORD_HEADER + PLAIN_SIZE + TAG_SIZE] = {
		CONTENT_DATA, 3, 3, 0, PLAIN_SIZE + TAG_SIZE
	};
	uint8_t *sealed = record + TLS_RECORD_HEADER;
	bool outgoing = c->context->outgoing;
	const uint8_t *key = outgoing ? wolfSSL_GetClientWriteKey(c->ssl)
				      : wolfSSL_GetServerWriteKey(c->ssl);
	const uint8_t *iv = outgoing ? wolfSSL_GetClientWriteIV(c->ssl)
				     : wolfSSL_GetServerWriteIV(c->ssl);
	int rc;

	if (wolfSSL_get_current_cipher_suite(c->ssl) == CHACHA20_POLY1305)
		rc = wc_ChaCha20Poly1305_Encrypt(
		    key, iv, record, TLS_RECORD_HEADER, plain, PLAIN_SIZE,
		    sealed, sealed + PLAIN_SIZE);
	else
		rc = seal_aes(key, (word32)wolfSSL_GetKeySize(c->ssl), iv,
			      record, plain, sealed);
	if (rc == 0)
		put(c, record, sizeof(record));
}

/* wolfSSL sends no alert when a signature fails. Before the keys are in force,
 * which in TLS 1.2 is all of the time in which a server signs, this is an
 * internal_error in the clear; after that a close_notify of wolfSSL will do. */
void tls_alert_unsigned(struct tls_conn *c)
{
	if (wolfSSL_GetVersion(c->ssl) == WOLFSSL_TLSV1_3)
		(void)wolfSSL_shutdown(c->ssl);
	else
		put_plain(c, INTERNAL_ERROR);
}

static bool said_by_wolfssl(const struct tls_conn *c)
{
	WOLFSSL_ALERT_HISTORY h;

	return !c->muted &&
	       wolfSSL_get_alert_history(c->ssl, &h) == WOLFSSL_SUCCESS &&
	       h.last_tx.level == alert_fatal;
}

/* In TLS 1.2 certificates come before anything is encrypted. */
void tls_alert_refused(struct tls_conn *c)
{
	if (said_by_wolfssl(c))
		return;
	if (wolfSSL_GetVersion(c->ssl) == WOLFSSL_TLSV1_3)
		put_sealed(c, c->refusal->alert);
	else
		put_plain(c, c->refusal->alert);
}
