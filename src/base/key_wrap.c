/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/key_wrap.h"

#include <limits.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

/* What RFC 5649 adds at most: the prefix and the padding. */
enum { WRAP_EXTRA = 8 + 7 };

int key_wrap_pad(const uint8_t kek[KEY_WRAP_KEK_SIZE], struct view plain,
		 struct secret *out, struct error *e)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, last = 0, rc = -1;

	if (!ctx || plain.len > INT_MAX - WRAP_EXTRA) {
		EVP_CIPHER_CTX_free(ctx);
		return error_nomem(e);
	}
	if (secret_alloc(out, plain.len + WRAP_EXTRA, e) < 0)
		goto out;
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	if (EVP_EncryptInit_ex2(ctx, EVP_aes_256_wrap_pad(), kek, NULL, NULL) !=
		1 ||
	    EVP_EncryptUpdate(ctx, out->ptr, &n, plain.ptr, (int)plain.len) !=
		1 ||
	    EVP_EncryptFinal_ex(ctx, out->ptr + n, &last) != 1) {
		secret_free(out);
		error_set(e, ERR_INTERNAL, "AES key wrap failed");
		goto out;
	}
	out->len = (size_t)(n + last);
	rc = 0;
out:
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

int key_wrap_oaep(const struct public_key *k, struct view plain, uint8_t *out,
		  size_t *out_len, struct error *e)
{
	const unsigned char *p = k->spki;
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, (long)k->spki_len);
	EVP_PKEY_CTX *ctx = pkey ? EVP_PKEY_CTX_new(pkey, NULL) : NULL;
	int rc = -1;

	*out_len = KEY_SIGNATURE_MAX;
	if (!ctx || EVP_PKEY_encrypt_init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) <= 0 ||
	    EVP_PKEY_encrypt(ctx, out, out_len, plain.ptr, plain.len) <= 0)
		error_set(e, ERR_INTERNAL, "RSA-OAEP failed");
	else
		rc = 0;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return rc;
}
