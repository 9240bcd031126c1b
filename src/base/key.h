/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_BASE_KEY_H
#define SB_BASE_KEY_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/secret.h"

/* Keys as values, without a token and without a file: the language in which
 * pkcs11/, src/cert/ and src/tls/ speak about them. */

enum key_type { KEY_RSA, KEY_EC };

/* What this product makes and accepts. RSA keys of other sizes between 2048 and
 * 4096 bits are accepted too and have no row of their own. */
enum key_kind {
	KEY_KIND_RSA2048,
	KEY_KIND_RSA3072,
	KEY_KIND_RSA4096,
	KEY_KIND_EC_P256,
	KEY_KIND_EC_P384,
	KEY_KIND_COUNT
};

/* "rsa2048" ... "ecP384", as the API and the programs name them. NULL for a bad
 * kind. */
const char *key_kind_name(enum key_kind kind);
/* 0, or -1 when the name is none of them (no error object: a question). */
int key_kind_from_name(const char *name, enum key_kind *out);
enum key_type key_kind_type(enum key_kind kind);
unsigned key_kind_bits(enum key_kind kind);

enum { KEY_RSA_BITS_MIN = 2048, KEY_RSA_BITS_MAX = 4096 };
enum { KEY_SPKI_MAX = 1024, KEY_SIGNATURE_MAX = 640 };

/* A public key. A plain value: copy it freely. */
struct public_key {
	enum key_type type;
	unsigned bits;              /* modulus or field size */
	uint8_t spki[KEY_SPKI_MAX]; /* DER SubjectPublicKeyInfo */
	size_t spki_len;
	uint8_t id[SHA1_SIZE]; /* SHA-1 of the key bits: RFC 5280 4.2.1.2 (1) */
};

/* From a DER SubjectPublicKeyInfo. ERR_KEY: not parsable; ERR_KEY_UNSUPPORTED:
 * neither RSA of 2048-4096 bits nor P-256 nor P-384; the text says what it is.
 */
int public_key_from_spki(struct view spki, struct public_key *out,
			 struct error *e) MUST_CHECK;
/* From big-endian modulus and exponent. Errors as above. */
int public_key_from_rsa(struct view modulus, struct view exponent,
			struct public_key *out, struct error *e) MUST_CHECK;
/* From an uncompressed point (0x04 X Y) of P-256 (256) or P-384 (384). */
int public_key_from_ec(unsigned bits, struct view point, struct public_key *out,
		       struct error *e) MUST_CHECK;
bool public_key_equal(const struct public_key *a, const struct public_key *b);
/* "RSA 2048", "EC P-256": for pages and messages. out has 16 bytes. */
void public_key_describe(const struct public_key *k, char out[16]);

/* An uploaded private key on its way into the token: big-endian numbers in
 * locked memory. RSA: n, e, d, p, q, dp, dq, qi. EC: scalar in d, point in
 * point. Always wiped with key_material_free(). */
struct key_material {
	struct public_key pub;
	struct secret n, e, d, p, q, dp, dq, qi;
	struct secret point; /* 0x04 X Y */
};

void key_material_free(struct key_material *m);

/* How a signature is made. PSS: MGF1 with the same hash, salt as long as it. */
enum sign_scheme { SIGN_RSA_PKCS1, SIGN_RSA_PSS, SIGN_ECDSA };

/* Check a signature in the form of struct signer. 0, or -1: ERR_KEY_MISMATCH
 * when it is not one of this key, ERR_INTERNAL when that cannot be told. */
int public_key_verify(const struct public_key *k, enum sign_scheme scheme,
		      enum hash_alg alg, const uint8_t *digest, struct view sig,
		      struct error *e) MUST_CHECK;

/* The same for many signatures of one key: decoding it takes much longer than
 * checking one. Any thread. NULL: ERR_INTERNAL,
 * ERR_NOMEM. */
struct key_check;
struct key_check *key_check_new(const struct public_key *k,
				struct error *e) MUST_CHECK;
void key_check_free(struct key_check *c); /* NULL is fine */
const struct public_key *key_check_key(const struct key_check *c);
int key_check_signature(const struct key_check *c, enum sign_scheme scheme,
			enum hash_alg alg, const uint8_t *digest,
			struct view sig, struct error *e) MUST_CHECK;

/* Something that signs with one private key; in the product always a token key.
 * digest is the plain hash. The signature is as X.509 and TLS carry it: RSA raw
 * bytes, ECDSA a DER SEQUENCE of r and s. Any thread. */
struct signer {
	int (*sign)(void *arg, enum sign_scheme scheme, enum hash_alg alg,
		    const uint8_t *digest, uint8_t sig[KEY_SIGNATURE_MAX],
		    size_t *sig_len, struct error *e);
	void *arg;
	struct public_key pub;
};

#endif
