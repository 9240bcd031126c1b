/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/internal.h"

#include <string.h>

#include <wolfssl/wolfcrypt/error-crypt.h>

/* wolfSSL's sign callbacks, carried out by the token. A failure is kept in the
 * connection, since wolfSSL passes on no more than a number. */

static const enum hash_alg hashes[] = { HASH_SHA256, HASH_SHA384, HASH_SHA512,
					HASH_SHA1 };
enum { HASH_COUNT = sizeof(hashes) / sizeof(hashes[0]) };

static int sign(struct tls_conn *c, enum sign_scheme scheme, enum hash_alg alg,
		const uint8_t *digest, uint8_t *out, word32 *out_size)
{
	uint8_t sig[KEY_SIGNATURE_MAX];
	size_t n = 0;

	if (token_key_sign(c->context->identity->key, scheme, alg, digest, sig,
			   &n, &c->failure) < 0)
		return WC_HW_E;
	if (n > *out_size) {
		error_set(&c->failure, ERR_INTERNAL,
			  "signature of %zu bytes, room for %u", n,
			  (unsigned)*out_size);
		return BUFFER_E;
	}
	memcpy(out, sig, n);
	*out_size = (word32)n;
	return 0;
}

static int unknown_digest(struct tls_conn *c, unsigned size)
{
	error_set(&c->failure, ERR_INTERNAL,
		  "wolfSSL asks to sign %u bytes that are no known digest",
		  size);
	return BAD_FUNC_ARG;
}

/* RSASSA-PKCS1-v1_5: in is a DER DigestInfo. */
static int sign_pkcs1(WOLFSSL *ssl, const unsigned char *in,
		      unsigned int in_size, unsigned char *out,
		      word32 *out_size, const unsigned char *key,
		      unsigned int key_size, void *ctx)
{
	struct tls_conn *c = ctx;

	(void)ssl;
	(void)key;
	(void)key_size;
	for (size_t i = 0; i < HASH_COUNT; i++) {
		uint8_t info[DIGEST_INFO_MAX];
		size_t size = hash_size(hashes[i]);

		if (in_size < size)
			continue;
		if (digest_info(hashes[i], in + in_size - size, info) ==
			in_size &&
		    !memcmp(info, in, in_size))
			return sign(c, SIGN_RSA_PKCS1, hashes[i],
				    in + in_size - size, out, out_size);
	}
	return unknown_digest(c, in_size);
}

/* The lengths of the hashes that TLS signs with tell them apart. */
static int sign_digest(struct tls_conn *c, enum sign_scheme scheme,
		       const uint8_t *in, unsigned in_size, uint8_t *out,
		       word32 *out_size)
{
	for (size_t i = 0; i < HASH_COUNT; i++)
		if (hash_size(hashes[i]) == in_size)
			return sign(c, scheme, hashes[i], in, out, out_size);
	return unknown_digest(c, in_size);
}

static int sign_pss(WOLFSSL *ssl, const unsigned char *in, unsigned int in_size,
		    unsigned char *out, unsigned int *out_size, int hash,
		    int mgf, const unsigned char *key, unsigned int key_size,
		    void *ctx)
{
	(void)ssl;
	(void)hash;
	(void)mgf;
	(void)key;
	(void)key_size;
	return sign_digest(ctx, SIGN_RSA_PSS, in, in_size, out, out_size);
}

static int sign_ecdsa(WOLFSSL *ssl, const unsigned char *in,
		      unsigned int in_size, unsigned char *out,
		      word32 *out_size, const unsigned char *key,
		      unsigned int key_size, void *ctx)
{
	(void)ssl;
	(void)key;
	(void)key_size;
	return sign_digest(ctx, SIGN_ECDSA, in, in_size, out, out_size);
}

void tls_sign_set_context(WOLFSSL_CTX *ctx)
{
	wolfSSL_CTX_SetRsaSignCb(ctx, sign_pkcs1);
	wolfSSL_CTX_SetRsaPssSignCb(ctx, sign_pss);
	wolfSSL_CTX_SetEccSignCb(ctx, sign_ecdsa);
}

void tls_sign_set_conn(WOLFSSL *ssl, struct tls_conn *c)
{
	wolfSSL_SetRsaSignCtx(ssl, c);
	wolfSSL_SetRsaPssSignCtx(ssl, c);
	wolfSSL_SetEccSignCtx(ssl, c);
}
