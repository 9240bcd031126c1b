/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_BASE_HASH_H
#define SB_BASE_HASH_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum { SHA1_SIZE = 20, SHA256_SIZE = 32, SHA384_SIZE = 48, SHA512_SIZE = 64 };

/* Hash functions that a signature or a fingerprint may name. */
enum hash_alg { HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512 };

size_t hash_size(enum hash_alg alg); /* bytes */

/* Hash of the bytes into out (hash_size() bytes). Computed by libcrypto, whose
 * failure here can only be a broken installation and ends the process. */
void hash_of(enum hash_alg alg, struct view data, uint8_t *out);
void sha256_of(struct view data, uint8_t out[SHA256_SIZE]);

/* For digest authentication with registrars that know nothing better (RFC 7616
 * 3.2), and for nothing else. */
enum { MD5_SIZE = 16 };
void md5_of(struct view data, uint8_t out[MD5_SIZE]);

/* Digest by which a short secret is recognised again: scrypt (RFC 7914), slow
 * and with 16 MiB of memory, so that whoever reads salt and digest cannot try
 * out many guesses. The salt is random and of the caller. 0, or -1: ERR_NOMEM.
 * Any thread; some tens of milliseconds. */
enum { HASH_SALT_SIZE = 32 };
int hash_secret(struct view secret, const uint8_t salt[HASH_SALT_SIZE],
		uint8_t out[SHA256_SIZE], struct error *e) MUST_CHECK;

/* DER DigestInfo (RFC 8017 9.2) of a digest: what CKM_RSA_PKCS signs. out has
 * room for DIGEST_INFO_MAX bytes. Returns the length. */
enum { DIGEST_INFO_MAX = 19 + SHA512_SIZE };
size_t digest_info(enum hash_alg alg, const uint8_t *digest, uint8_t *out);

#endif
