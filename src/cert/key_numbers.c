/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/key_numbers.h"

#include <limits.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "cert/der.h"

static int damaged(struct error *e, const char *what)
{
	ERR_clear_error();
	return error_set(e, ERR_KEY, "the private key is damaged: %s", what);
}

static int inconsistent(struct error *e)
{
	ERR_clear_error();
	return error_set(e, ERR_KEY,
			 "the private key is damaged: its numbers do not "
			 "belong together");
}

bool key_numbers_plausible(struct view der)
{
	return der_take(&der, DER_SEQUENCE, NULL) == 0 && der.len == 0;
}

/* --- RSA ---------------------------------------------------------------- */

/* Which field takes which number, in the order of RFC 8017 A.1.2. */
static const struct {
	size_t offset;
	bool half; /* as long as a prime */
} rsa_numbers[] = {
	{ offsetof(struct key_material, n), false },
	{ offsetof(struct key_material, e), false },
	{ offsetof(struct key_material, d), false },
	{ offsetof(struct key_material, p), true },
	{ offsetof(struct key_material, q), true },
	{ offsetof(struct key_material, dp), true },
	{ offsetof(struct key_material, dq), true },
	{ offsetof(struct key_material, qi), true },
};

enum { RSA_NUMBERS = sizeof(rsa_numbers) / sizeof(*rsa_numbers) };
/* Primes may differ in length by this many bytes; longer ones would make the
 * test of primality dear. Public exponents are short for the same reason. */
enum { PRIME_SLACK = 8, EXPONENT_BYTES_MAX = 8 };

static struct secret *rsa_field(struct key_material *m, size_t i)
{
	return (struct secret *)((uint8_t *)m + rsa_numbers[i].offset);
}

static int rsa_copy(const struct view v[RSA_NUMBERS], struct key_material *out,
		    struct error *e)
{
	size_t n = v[0].len;

	if (v[1].len > EXPONENT_BYTES_MAX)
		return error_set(e, ERR_KEY_UNSUPPORTED,
				 "RSA public exponent of %zu bytes: at most %d",
				 v[1].len, EXPONENT_BYTES_MAX);
	for (size_t i = 0; i < RSA_NUMBERS; i++)
		if (v[i].len > (rsa_numbers[i].half ? n / 2 + PRIME_SLACK : n))
			return inconsistent(e);
	if (public_key_from_rsa(v[0], v[1], &out->pub, e) < 0)
		return -1;
	for (size_t i = 0; i < RSA_NUMBERS; i++)
		if (secret_copy(rsa_field(out, i), v[i], e) < 0)
			return -1;
	return 0;
}

/* Places of the numbers in rsa_numbers[]. */
enum { RSA_N, RSA_E, RSA_D, RSA_P, RSA_Q, RSA_DP, RSA_DQ, RSA_QI };

/* exponent is d modulo (prime - 1), and undoes e there. */
static bool exponent_fits(BIGNUM *const bn[], const BIGNUM *prime,
			  const BIGNUM *exponent, BN_CTX *ctx)
{
	BIGNUM *less = BN_CTX_get(ctx), *t = BN_CTX_get(ctx);

	return t && BN_sub(less, prime, BN_value_one()) &&
	       BN_mod(t, bn[RSA_D], less, ctx) && BN_cmp(t, exponent) == 0 &&
	       BN_mod_mul(t, exponent, bn[RSA_E], less, ctx) && BN_is_one(t);
}

/* RFC 8017 3.2: n = p q, both prime, and the exponents and the coefficient are
 * what follows from them. */
static bool rsa_fits(BIGNUM *const bn[], BN_CTX *ctx)
{
	BIGNUM *t = BN_CTX_get(ctx);

	return t && BN_is_odd(bn[RSA_E]) && !BN_is_one(bn[RSA_E]) &&
	       BN_is_odd(bn[RSA_P]) && BN_is_odd(bn[RSA_Q]) &&
	       !BN_is_one(bn[RSA_P]) && !BN_is_one(bn[RSA_Q]) &&
	       BN_cmp(bn[RSA_P], bn[RSA_Q]) != 0 &&
	       BN_mul(t, bn[RSA_P], bn[RSA_Q], ctx) &&
	       BN_cmp(t, bn[RSA_N]) == 0 &&
	       exponent_fits(bn, bn[RSA_P], bn[RSA_DP], ctx) &&
	       exponent_fits(bn, bn[RSA_Q], bn[RSA_DQ], ctx) &&
	       BN_cmp(bn[RSA_QI], bn[RSA_P]) < 0 &&
	       BN_mod_mul(t, bn[RSA_QI], bn[RSA_Q], bn[RSA_P], ctx) &&
	       BN_is_one(t) && BN_check_prime(bn[RSA_P], ctx, NULL) == 1 &&
	       BN_check_prime(bn[RSA_Q], ctx, NULL) == 1;
}

/* Not by EVP_PKEY_check(), which leaves the coefficient behind in memory that
 * it does not wipe; everything that lives in a BN_CTX is wiped with it. */
static int rsa_check(struct key_material *m, struct error *e)
{
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *bn[RSA_NUMBERS];
	int rc = 0;

	if (!ctx)
		return error_nomem(e);
	BN_CTX_start(ctx);
	for (size_t i = 0; rc == 0 && i < RSA_NUMBERS; i++) {
		const struct secret *s = rsa_field(m, i);

		bn[i] = BN_CTX_get(ctx);
		if (!bn[i] || !BN_bin2bn(s->ptr, (int)s->len, bn[i]))
			rc = error_nomem(e);
		else if (i >= RSA_D)
			BN_set_flags(bn[i], BN_FLG_CONSTTIME);
	}
	if (rc == 0 && !rsa_fits(bn, ctx))
		rc = inconsistent(e);
	BN_CTX_end(ctx);
	BN_CTX_free(ctx);
	return rc;
}

int key_numbers_rsa(struct view der, struct key_material *out, struct error *e)
{
	struct view seq, v[RSA_NUMBERS];
	unsigned long version;

	if (der_take(&der, DER_SEQUENCE, &seq) < 0 || der.len ||
	    der_take_small(&seq, &version) < 0)
		return damaged(e, "it is no RSAPrivateKey");
	if (version == 1)
		return error_set(e, ERR_KEY_UNSUPPORTED,
				 "RSA key of more than two primes");
	if (version != 0)
		return damaged(e, "it is no RSAPrivateKey");
	for (size_t i = 0; i < RSA_NUMBERS; i++)
		if (der_take_unsigned(&seq, &v[i]) < 0)
			return damaged(e, "a number of the RSA key is missing");
	if (seq.len)
		return damaged(e, "bytes behind the RSA numbers");
	if (rsa_copy(v, out, e) < 0)
		return -1;
	return rsa_check(out, e);
}

/* --- EC ----------------------------------------------------------------- */

static const struct curve {
	int nid;
	unsigned bits;
} curves[] = { { NID_X9_62_prime256v1, 256 }, { NID_secp384r1, 384 } };

static void oid_text(struct view oid, char *out, size_t size)
{
	const unsigned char *p = oid.ptr;
	ASN1_OBJECT *o = NULL;
	uint8_t der[2 + 64];
	int nid;

	snprintf(out, size, "an unknown kind");
	if (oid.len > 64)
		return;
	der[0] = DER_OID;
	der[1] = (uint8_t)oid.len;
	memcpy(der + 2, oid.ptr, oid.len);
	p = der;
	o = d2i_ASN1_OBJECT(NULL, &p, (long)oid.len + 2);
	nid = o ? OBJ_obj2nid(o) : NID_undef;
	if (nid != NID_undef)
		snprintf(out, size, "%s", OBJ_nid2sn(nid));
	else if (o)
		OBJ_obj2txt(out, (int)size, o, 1);
	ASN1_OBJECT_free(o);
	ERR_clear_error();
}

static const struct curve *find_curve(struct view oid, struct error *e)
{
	char text[80];

	for (size_t i = 0; i < sizeof(curves) / sizeof(*curves); i++) {
		const ASN1_OBJECT *o = OBJ_nid2obj(curves[i].nid);

		if (view_equal(oid, view_of(OBJ_get0_data(o), OBJ_length(o))))
			return &curves[i];
	}
	oid_text(oid, text, sizeof(text));
	error_set(e, ERR_KEY_UNSUPPORTED,
		  "EC curve %s: only P-256 and P-384 are used", text);
	return NULL;
}

/* The point that belongs to d, and that a given one is the same. libcrypto
 * multiplies by a secret number in constant time. */
static int ec_point(const struct curve *curve, const struct secret *d,
		    struct view given, struct secret *out, struct error *e)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(curve->nid);
	EC_POINT *point = group ? EC_POINT_new(group) : NULL;
	EC_POINT *other = group ? EC_POINT_new(group) : NULL;
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *bn = BN_secure_new();
	size_t len = 1 + 2 * (size_t)curve->bits / 8;
	int rc = -1;

	if (!point || !other || !ctx || !bn ||
	    !BN_bin2bn(d->ptr, (int)d->len, bn)) {
		error_nomem(e);
		goto out;
	}
	BN_set_flags(bn, BN_FLG_CONSTTIME);
	if (BN_is_zero(bn) || BN_cmp(bn, EC_GROUP_get0_order(group)) >= 0 ||
	    !EC_POINT_mul(group, point, bn, NULL, NULL, ctx) ||
	    (given.len &&
	     (!EC_POINT_oct2point(group, other, given.ptr, given.len, ctx) ||
	      EC_POINT_cmp(group, point, other, ctx) != 0))) {
		inconsistent(e);
		goto out;
	}
	if (secret_alloc(out, len, e) < 0)
		goto out;
	if (EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED,
			       out->ptr, len, ctx) != len) {
		inconsistent(e);
		goto out;
	}
	rc = 0;
out:
	BN_clear_free(bn);
	BN_CTX_free(ctx);
	EC_POINT_clear_free(point);
	EC_POINT_free(other);
	EC_GROUP_free(group);
	return rc;
}

/* d at the full length of the field, whatever zeros the file had or left out.
 */
static int ec_scalar(const struct curve *curve, struct view v,
		     struct secret *out, struct error *e)
{
	size_t len = curve->bits / 8;

	while (v.len && v.ptr[0] == 0)
		v = view_of(v.ptr + 1, v.len - 1);
	if (v.len > len)
		return inconsistent(e);
	if (secret_alloc(out, len, e) < 0)
		return -1;
	if (v.len)
		memcpy(out->ptr + len - v.len, v.ptr, v.len);
	return 0;
}

/* The [0] parameters and the [1] public point of RFC 5915, both optional. */
static int ec_options(struct view *seq, struct view *oid, struct view *point,
		      struct error *e)
{
	struct view inner, own;

	if (der_next_is(*seq, DER_CONTEXT_0)) {
		if (der_take(seq, DER_CONTEXT_0, &inner) < 0)
			return damaged(e, "its EC parameters");
		if (der_next_is(inner, DER_SEQUENCE))
			return error_set(e, ERR_KEY_UNSUPPORTED,
					 "EC key with its own curve "
					 "parameters: a named curve is needed");
		if (der_take(&inner, DER_OID, &own) < 0 || inner.len)
			return damaged(e, "its EC parameters");
		if (oid->len && !view_equal(own, *oid))
			return inconsistent(e);
		*oid = own;
	}
	if (!der_next_is(*seq, DER_CONTEXT_1))
		return 0;
	if (der_take(seq, DER_CONTEXT_1, &inner) < 0 ||
	    der_take(&inner, DER_BITS, point) < 0 || inner.len ||
	    point->len < 2 || point->ptr[0] != 0)
		return damaged(e, "its EC public point");
	*point = view_of(point->ptr + 1, point->len - 1);
	return 0;
}

/* oid: the curve that PKCS#8 named around it, or empty. */
static int ec_numbers(struct view der, struct view oid,
		      struct key_material *out, struct error *e)
{
	struct view seq, scalar, point = { 0 };
	const struct curve *curve;
	unsigned long version;

	if (der_take(&der, DER_SEQUENCE, &seq) < 0 || der.len ||
	    der_take_small(&seq, &version) < 0 || version != 1 ||
	    der_take(&seq, DER_OCTETS, &scalar) < 0)
		return damaged(e, "it is no ECPrivateKey");
	if (ec_options(&seq, &oid, &point, e) < 0)
		return -1;
	if (seq.len)
		return damaged(e, "bytes behind the EC numbers");
	if (!oid.len)
		return error_set(e, ERR_KEY_UNSUPPORTED,
				 "EC key that names no curve");
	curve = find_curve(oid, e);
	if (!curve || ec_scalar(curve, scalar, &out->d, e) < 0 ||
	    ec_point(curve, &out->d, point, &out->point, e) < 0)
		return -1;
	return public_key_from_ec(
	    curve->bits, view_of(out->point.ptr, out->point.len), &out->pub, e);
}

int key_numbers_sec1(struct view der, struct key_material *out, struct error *e)
{
	return ec_numbers(der, view_of(NULL, 0), out, e);
}

/* --- PKCS#8 ------------------------------------------------------------- */

static bool oid_is(struct view oid, int nid)
{
	const ASN1_OBJECT *o = OBJ_nid2obj(nid);

	return view_equal(oid, view_of(OBJ_get0_data(o), OBJ_length(o)));
}

static int pkcs8_ec(struct view key, struct view params,
		    struct key_material *out, struct error *e)
{
	struct view oid;

	if (der_next_is(params, DER_SEQUENCE))
		return error_set(e, ERR_KEY_UNSUPPORTED,
				 "EC key with its own curve parameters: a "
				 "named curve is needed");
	if (der_take(&params, DER_OID, &oid) < 0 || params.len)
		return damaged(e, "its EC parameters");
	return ec_numbers(key, oid, out, e);
}

int key_numbers_pkcs8(struct view der, struct key_material *out,
		      struct error *e)
{
	struct view seq, alg, oid, key;
	unsigned long version;
	char text[80];

	if (der_take(&der, DER_SEQUENCE, &seq) < 0 || der.len ||
	    der_take_small(&seq, &version) < 0 || version > 1 ||
	    der_take(&seq, DER_SEQUENCE, &alg) < 0 ||
	    der_take(&alg, DER_OID, &oid) < 0 ||
	    der_take(&seq, DER_OCTETS, &key) < 0)
		return damaged(e, "it is no PKCS#8 PrivateKeyInfo");
	/* Attributes and the public key that may follow are not used. */
	if (oid_is(oid, NID_rsaEncryption))
		return key_numbers_rsa(key, out, e);
	if (oid_is(oid, NID_X9_62_id_ecPublicKey))
		return pkcs8_ec(key, alg, out, e);
	oid_text(oid, text, sizeof(text));
	return error_set(e, ERR_KEY_UNSUPPORTED,
			 "%s keys are not used; RSA or EC is needed", text);
}
