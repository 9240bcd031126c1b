/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/key_x509.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static const struct {
	const char *name;
	enum key_type type;
	unsigned bits;
} kinds[KEY_KIND_COUNT] = {
	[KEY_KIND_RSA2048] = { "rsa2048", KEY_RSA, 2048 },
	[KEY_KIND_RSA3072] = { "rsa3072", KEY_RSA, 3072 },
	[KEY_KIND_RSA4096] = { "rsa4096", KEY_RSA, 4096 },
	[KEY_KIND_EC_P256] = { "ecP256", KEY_EC, 256 },
	[KEY_KIND_EC_P384] = { "ecP384", KEY_EC, 384 },
};

const char *key_kind_name(enum key_kind kind)
{
	return (unsigned)kind < KEY_KIND_COUNT ? kinds[kind].name : NULL;
}

int key_kind_from_name(const char *name, enum key_kind *out)
{
	for (int i = 0; i < KEY_KIND_COUNT; i++)
		if (!strcmp(kinds[i].name, name)) {
			*out = (enum key_kind)i;
			return 0;
		}
	return -1;
}

enum key_type key_kind_type(enum key_kind kind)
{
	return kinds[kind].type;
}

unsigned key_kind_bits(enum key_kind kind)
{
	return kinds[kind].bits;
}

static int check_ec(const EVP_PKEY *pkey, struct public_key *out,
		    struct error *e)
{
	char group[32] = "";

	EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group,
				       sizeof(group), NULL);
	out->type = KEY_EC;
	if (!strcmp(group, "prime256v1"))
		out->bits = 256;
	else if (!strcmp(group, "secp384r1"))
		out->bits = 384;
	else
		return error_set(e, ERR_KEY_UNSUPPORTED,
				 "EC curve %s: only P-256 and P-384 are used",
				 group[0] ? group : "with own parameters");
	return 0;
}

static int check_rsa(const EVP_PKEY *pkey, struct public_key *out,
		     struct error *e)
{
	int bits = EVP_PKEY_get_bits(pkey);

	out->type = KEY_RSA;
	out->bits = (unsigned)bits;
	if (bits < KEY_RSA_BITS_MIN)
		return error_set(e, ERR_KEY_UNSUPPORTED,
				 "RSA %d bits: at least %d are needed", bits,
				 KEY_RSA_BITS_MIN);
	if (bits > KEY_RSA_BITS_MAX)
		return error_set(e, ERR_KEY_UNSUPPORTED,
				 "RSA %d bits: at most %d are used", bits,
				 KEY_RSA_BITS_MAX);
	return 0;
}

static int check(const EVP_PKEY *pkey, struct public_key *out, struct error *e)
{
	const char *name = EVP_PKEY_get0_type_name(pkey);

	memset(out, 0, sizeof(*out));
	if (EVP_PKEY_is_a(pkey, "RSA"))
		return check_rsa(pkey, out, e);
	if (EVP_PKEY_is_a(pkey, "EC"))
		return check_ec(pkey, out, e);
	return error_set(e, ERR_KEY_UNSUPPORTED,
			 "%s keys are not used; RSA or EC is needed",
			 name ? name : "such");
}

/* Fill SPKI and identifier. */
static int encode(const X509_PUBKEY *xpub, struct public_key *out,
		  struct error *e)
{
	unsigned char *der = NULL;
	const unsigned char *bits;
	int len = i2d_X509_PUBKEY(xpub, &der), bits_len, rc = 0;

	if (len <= 0 || (size_t)len > sizeof(out->spki) ||
	    !X509_PUBKEY_get0_param(NULL, &bits, &bits_len, NULL, xpub)) {
		rc = error_set(e, ERR_KEY, "public key cannot be encoded");
	} else {
		memcpy(out->spki, der, (size_t)len);
		out->spki_len = (size_t)len;
		hash_of(HASH_SHA1, view_of(bits, (size_t)bits_len), out->id);
	}
	OPENSSL_free(der);
	return rc;
}

/* The same key under the usual algorithm identifier: rsaEncryption with NULL,
 * id-ecPublicKey with a named curve. */
static X509_PUBKEY *usual_form(const X509_PUBKEY *xpub,
			       const struct public_key *k)
{
	bool rsa = k->type == KEY_RSA;
	int curve = k->bits == 256 ? NID_X9_62_prime256v1 : NID_secp384r1;
	X509_PUBKEY *usual = X509_PUBKEY_new();
	const unsigned char *bits;
	unsigned char *copy = NULL;
	int len;

	if (usual && X509_PUBKEY_get0_param(NULL, &bits, &len, NULL, xpub))
		copy = OPENSSL_memdup(bits, (size_t)len);
	if (copy &&
	    X509_PUBKEY_set0_param(
		usual,
		OBJ_nid2obj(rsa ? NID_rsaEncryption : NID_X9_62_id_ecPublicKey),
		rsa ? V_ASN1_NULL : V_ASN1_OBJECT,
		rsa ? NULL : OBJ_nid2obj(curve), copy, len))
		return usual;
	OPENSSL_free(copy);
	X509_PUBKEY_free(usual);
	return NULL;
}

/* libcrypto's way from an EVP_PKEY to its encoding takes the better part of a
 * millisecond, as does decoding one; here the bits are at hand. */
int public_key_from_x509(const X509_PUBKEY *xpub, struct public_key *out,
			 struct error *e)
{
	const EVP_PKEY *pkey = X509_PUBKEY_get0(xpub);
	X509_PUBKEY *usual;
	int rc;

	if (!pkey)
		return error_set(e, ERR_KEY, "not a public key");
	if (check(pkey, out, e) < 0)
		return -1;
	usual = usual_form(xpub, out);
	rc = usual ? encode(usual, out, e) : error_nomem(e);
	X509_PUBKEY_free(usual);
	return rc;
}

/* Fill *out from an EVP_PKEY: kind check, SPKI, identifier. */
static int describe(EVP_PKEY *pkey, struct public_key *out, struct error *e)
{
	X509_PUBKEY *xpub = NULL;
	int rc;

	if (check(pkey, out, e) < 0)
		return -1;
	if (!X509_PUBKEY_set(&xpub, pkey))
		rc = error_set(e, ERR_KEY, "public key cannot be encoded");
	else
		rc = encode(xpub, out, e);
	X509_PUBKEY_free(xpub);
	return rc;
}

int public_key_from_spki(struct view spki, struct public_key *out,
			 struct error *e)
{
	const unsigned char *p = spki.ptr;
	X509_PUBKEY *xpub;
	int rc;

	if (spki.len > LONG_MAX ||
	    !(xpub = d2i_X509_PUBKEY(NULL, &p, (long)spki.len)))
		return error_set(e, ERR_KEY, "not a public key");
	if ((size_t)(p - spki.ptr) != spki.len)
		rc = error_set(e, ERR_KEY, "bytes behind the public key");
	else
		rc = public_key_from_x509(xpub, out, e);
	X509_PUBKEY_free(xpub);
	return rc;
}

static int from_params(const char *type, OSSL_PARAM *params,
		       struct public_key *out, struct error *e)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;
	int rc;

	if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		rc = error_set(e, ERR_KEY, "not a valid %s public key", type);
	else
		rc = describe(pkey, out, e);
	EVP_PKEY_free(pkey);
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

int public_key_from_rsa(struct view modulus, struct view exponent,
			struct public_key *out, struct error *e)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *n = NULL, *x = NULL;
	OSSL_PARAM *params = NULL;
	int rc = -1;

	if (modulus.len > KEY_SPKI_MAX || exponent.len > KEY_SPKI_MAX) {
		error_set(e, ERR_KEY_UNSUPPORTED, "RSA key too large");
		goto done;
	}
	n = BN_bin2bn(modulus.ptr, (int)modulus.len, NULL);
	x = BN_bin2bn(exponent.ptr, (int)exponent.len, NULL);
	if (!bld || !n || !x ||
	    !OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) ||
	    !OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, x) ||
	    !(params = OSSL_PARAM_BLD_to_param(bld))) {
		error_nomem(e);
		goto done;
	}
	rc = from_params("RSA", params, out, e);
done:
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	BN_free(n);
	BN_free(x);
	return rc;
}

int public_key_from_ec(unsigned bits, struct view point, struct public_key *out,
		       struct error *e)
{
	char group[16];
	OSSL_PARAM params[3];

	snprintf(group, sizeof(group), "%s",
		 bits == 256 ? "prime256v1" : "secp384r1");
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						     group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(
	    OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point.ptr, point.len);
	params[2] = OSSL_PARAM_construct_end();
	return from_params("EC", params, out, e);
}

bool public_key_equal(const struct public_key *a, const struct public_key *b)
{
	return view_equal(view_of(a->spki, a->spki_len),
			  view_of(b->spki, b->spki_len));
}

void public_key_describe(const struct public_key *k, char out[16])
{
	if (k->type == KEY_EC)
		snprintf(out, 16, "EC P-%u", k->bits);
	else
		snprintf(out, 16, "RSA %u", k->bits);
}

static const EVP_MD *hash_md(enum hash_alg alg)
{
	static const EVP_MD *(*const mds[])(void) = {
		[HASH_SHA1] = EVP_sha1,
		[HASH_SHA256] = EVP_sha256,
		[HASH_SHA384] = EVP_sha384,
		[HASH_SHA512] = EVP_sha512,
	};

	return mds[alg]();
}

static bool verify_setup(EVP_PKEY_CTX *ctx, enum sign_scheme scheme,
			 enum hash_alg alg)
{
	if (!ctx || EVP_PKEY_verify_init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, hash_md(alg)) <= 0)
		return false;
	if (scheme == SIGN_RSA_PKCS1)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
	if (scheme == SIGN_RSA_PSS)
		return EVP_PKEY_CTX_set_rsa_padding(
			   ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(
			   ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
	return true;
}

static int verify(EVP_PKEY *pkey, enum sign_scheme scheme, enum hash_alg alg,
		  const uint8_t *digest, struct view sig, struct error *e)
{
	EVP_PKEY_CTX *ctx = pkey ? EVP_PKEY_CTX_new(pkey, NULL) : NULL;
	int rc = -1;

	if (!verify_setup(ctx, scheme, alg))
		error_set(e, ERR_INTERNAL, "the signature cannot be checked");
	else if (EVP_PKEY_verify(ctx, sig.ptr, sig.len, digest,
				 hash_size(alg)) != 1)
		error_set(e, ERR_KEY_MISMATCH,
			  "the signature is not one of this key");
	else
		rc = 0;
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

static EVP_PKEY *decode(const struct public_key *k)
{
	const unsigned char *p = k->spki;

	return d2i_PUBKEY(NULL, &p, (long)k->spki_len);
}

int public_key_verify(const struct public_key *k, enum sign_scheme scheme,
		      enum hash_alg alg, const uint8_t *digest, struct view sig,
		      struct error *e)
{
	EVP_PKEY *pkey = decode(k);
	int rc = verify(pkey, scheme, alg, digest, sig, e);

	EVP_PKEY_free(pkey);
	return rc;
}

struct key_check {
	struct public_key pub;
	EVP_PKEY *pkey;
};

struct key_check *key_check_new(const struct public_key *k, struct error *e)
{
	struct key_check *c = calloc(1, sizeof(*c));

	if (!c) {
		error_nomem(e);
		return NULL;
	}
	c->pub = *k;
	c->pkey = decode(k);
	if (c->pkey)
		return c;
	error_set(e, ERR_INTERNAL, "the public key cannot be decoded");
	free(c);
	return NULL;
}

void key_check_free(struct key_check *c)
{
	if (!c)
		return;
	EVP_PKEY_free(c->pkey);
	free(c);
}

const struct public_key *key_check_key(const struct key_check *c)
{
	return &c->pub;
}

int key_check_signature(const struct key_check *c, enum sign_scheme scheme,
			enum hash_alg alg, const uint8_t *digest,
			struct view sig, struct error *e)
{
	return verify(c->pkey, scheme, alg, digest, sig, e);
}

void key_material_free(struct key_material *m)
{
	secret_free(&m->n);
	secret_free(&m->e);
	secret_free(&m->d);
	secret_free(&m->p);
	secret_free(&m->q);
	secret_free(&m->dp);
	secret_free(&m->dq);
	secret_free(&m->qi);
	secret_free(&m->point);
	memset(&m->pub, 0, sizeof(m->pub));
}
