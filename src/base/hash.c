/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

enum { DIGEST_INFO_PREFIX_MAX = 19 };
/* 128 * N * R bytes of memory, below libcrypto's limit of 32 MiB. */
enum { SCRYPT_N = 1 << 14, SCRYPT_R = 8, SCRYPT_P = 1 };

/* RFC 8017 9.2 note 1: the DER in front of each digest. */
static const struct {
	const EVP_MD *(*md)(void);
	size_t size;
	size_t prefix_len;
	uint8_t prefix[DIGEST_INFO_PREFIX_MAX];
} algs[] = {
	[HASH_SHA1] = { EVP_sha1,
			SHA1_SIZE,
			15,
			{ 0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03,
			  0x02, 0x1a, 0x05, 0x00, 0x04, 0x14 } },
	[HASH_SHA256] = { EVP_sha256,
			  SHA256_SIZE,
			  19,
			  { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86,
			    0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
			    0x00, 0x04, 0x20 } },
	[HASH_SHA384] = { EVP_sha384,
			  SHA384_SIZE,
			  19,
			  { 0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86,
			    0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05,
			    0x00, 0x04, 0x30 } },
	[HASH_SHA512] = { EVP_sha512,
			  SHA512_SIZE,
			  19,
			  { 0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86,
			    0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05,
			    0x00, 0x04, 0x40 } },
};

size_t hash_size(enum hash_alg alg)
{
	return algs[alg].size;
}

void hash_of(enum hash_alg alg, struct view data, uint8_t *out)
{
	if (!EVP_Digest(data.ptr, data.len, out, NULL, algs[alg].md(), NULL))
		abort();
}

void sha256_of(struct view data, uint8_t out[SHA256_SIZE])
{
	hash_of(HASH_SHA256, data, out);
}

void md5_of(struct view data, uint8_t out[MD5_SIZE])
{
	if (EVP_Digest(data.ptr, data.len, out, NULL, EVP_md5(), NULL) != 1)
		abort();
}

int hash_secret(struct view secret, const uint8_t salt[HASH_SALT_SIZE],
		uint8_t out[SHA256_SIZE], struct error *e)
{
	if (EVP_PBE_scrypt((const char *)secret.ptr, secret.len, salt,
			   HASH_SALT_SIZE, SCRYPT_N, SCRYPT_R, SCRYPT_P, 0, out,
			   SHA256_SIZE) == 1)
		return 0;
	return error_nomem(e);
}

size_t digest_info(enum hash_alg alg, const uint8_t *digest, uint8_t *out)
{
	memcpy(out, algs[alg].prefix, algs[alg].prefix_len);
	memcpy(out + algs[alg].prefix_len, digest, algs[alg].size);
	return algs[alg].prefix_len + algs[alg].size;
}
