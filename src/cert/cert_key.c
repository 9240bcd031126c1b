/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/cert_key.h"

#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/key_x509.h"
#include "cert/cert_private.h"

/* The key of a certificate, and what it and its holder may do. */

/* Names as people write them. */
static const struct {
	const char *type, *text;
	bool sized;
} types[] = {
	{ "RSA", "RSA", true },      { "RSA-PSS", "RSA-PSS", true },
	{ "DSA", "DSA", true },      { "ED25519", "Ed25519", false },
	{ "ED448", "Ed448", false }, { "X25519", "X25519", false },
	{ "X448", "X448", false },   { "DH", "DH", true },
};

static void describe_known(const EVP_PKEY *pkey, char *out, size_t size)
{
	char group[32] = "";

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (!EVP_PKEY_is_a(pkey, types[i].type))
			continue;
		if (types[i].sized)
			snprintf(out, size, "%s %d", types[i].text,
				 EVP_PKEY_get_bits(pkey));
		else
			snprintf(out, size, "%s", types[i].text);
		return;
	}
	if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME,
					   group, sizeof(group), NULL) == 1)
		snprintf(out, size, "EC %s", group);
	else
		snprintf(out, size, "EC with own parameters");
}

static void describe_any(const EVP_PKEY *pkey, const X509_PUBKEY *xpub,
			 char *out, size_t size)
{
	ASN1_OBJECT *oid = NULL;

	if (pkey) {
		describe_known(pkey, out, size);
		return;
	}
	X509_PUBKEY_get0_param(&oid, NULL, NULL, NULL, xpub);
	if (!oid || OBJ_obj2txt(out, (int)size, oid, 0) <= 0)
		snprintf(out, size, "unknown");
}

/* Forms of a P-256 or P-384 key that other software may not read, and whose
 * encoding would not compare equal to the same key in the token. */
static int check_ec_form(const EVP_PKEY *pkey, struct error *e)
{
	char form[32] = "";
	int own = 0;

	if (!EVP_PKEY_is_a(pkey, "EC"))
		return 0;
	EVP_PKEY_get_int_param(
	    pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &own);
	if (own)
		return error_set(e, ERR_KEY_UNSUPPORTED,
				 "EC key with its own curve parameters: a "
				 "named curve is needed");
	EVP_PKEY_get_utf8_string_param(
	    pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, form,
	    sizeof(form), NULL);
	if (form[0] && strcmp(form, "uncompressed"))
		return error_set(e, ERR_KEY_UNSUPPORTED,
				 "EC key with a %s point: an uncompressed "
				 "one is needed",
				 form);
	return 0;
}

static int fill_public_key(struct cert *c, const X509_PUBKEY *xpub,
			   const EVP_PKEY *pkey)
{
	int rc;

	if (!pkey)
		return error_set(&c->key_error, ERR_KEY_UNSUPPORTED,
				 "%s keys are not used; RSA or EC is needed",
				 c->key_text);
	if (check_ec_form(pkey, &c->key_error) < 0)
		return -1;
	rc = public_key_from_x509(xpub, &c->key, &c->key_error);
	c->key_error.kind = ERR_KEY_UNSUPPORTED;
	return rc;
}

void cert_key_fill(struct cert *c)
{
	const X509_PUBKEY *xpub = X509_get_X509_PUBKEY(c->x509);
	const EVP_PKEY *pkey = X509_get0_pubkey(c->x509);

	describe_any(pkey, xpub, c->key_text, sizeof(c->key_text));
	c->key_usable = fill_public_key(c, xpub, pkey) == 0;
	if (c->key_usable && c->key.type == KEY_EC)
		snprintf(c->key_text, sizeof(c->key_text), "EC P-%u",
			 c->key.bits);
	ERR_clear_error();
}

const struct public_key *cert_public_key(const struct cert *c, struct error *e)
{
	if (c->key_usable)
		return &c->key;
	*e = c->key_error;
	return NULL;
}

const char *cert_key_text(const struct cert *c)
{
	return c->key_text;
}

bool cert_is_ca(const struct cert *c)
{
	return (X509_get_extension_flags(c->x509) & EXFLAG_CA) != 0;
}

bool cert_is_self_issued(const struct cert *c)
{
	return cert_names_fit(c, c);
}

bool cert_names_fit(const struct cert *c, const struct cert *issuer)
{
	return X509_NAME_cmp(X509_get_issuer_name(c->x509),
			     X509_get_subject_name(issuer->x509)) == 0;
}

bool cert_is_issued_by(const struct cert *c, const struct cert *issuer)
{
	EVP_PKEY *pkey = X509_get0_pubkey(issuer->x509);
	bool yes = pkey && cert_names_fit(c, issuer) &&
		   X509_verify(c->x509, pkey) == 1;

	ERR_clear_error();
	return yes;
}

enum cert_signature_strength cert_signature_strength(const struct cert *c)
{
	int md = NID_undef, bits = 0;

	if (!X509_get_signature_info(c->x509, &md, NULL, &bits, NULL)) {
		ERR_clear_error();
		return CERT_SIGNATURE_BROKEN;
	}
	switch (md) {
	case NID_md2:
	case NID_md4:
	case NID_md5:
	case NID_md5_sha1: return CERT_SIGNATURE_BROKEN;
	case NID_sha1:
	case NID_ripemd160: return CERT_SIGNATURE_WEAK;
	default: return CERT_SIGNATURE_GOOD;
	}
}

static bool set_up_verify(EVP_PKEY_CTX *ctx, enum sign_scheme scheme,
			  enum hash_alg alg)
{
	static const EVP_MD *(*const mds[])(void) = {
		[HASH_SHA1] = EVP_sha1,
		[HASH_SHA256] = EVP_sha256,
		[HASH_SHA384] = EVP_sha384,
		[HASH_SHA512] = EVP_sha512,
	};

	if (EVP_PKEY_verify_init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, mds[alg]()) <= 0)
		return false;
	return scheme != SIGN_RSA_PSS ||
	       (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) >
		    0);
}

bool cert_key_verifies(const struct cert *c, enum sign_scheme scheme,
		       enum hash_alg alg, const uint8_t *digest,
		       struct view sig)
{
	EVP_PKEY *pkey = X509_get0_pubkey(c->x509);
	EVP_PKEY_CTX *ctx =
	    pkey ? EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL) : NULL;
	bool yes =
	    ctx && set_up_verify(ctx, scheme, alg) &&
	    EVP_PKEY_verify(ctx, sig.ptr, sig.len, digest, hash_size(alg)) == 1;

	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return yes;
}

bool cert_allows(const struct cert *c, enum cert_use use)
{
	uint32_t extended = X509_get_extended_key_usage(c->x509);
	uint32_t usage = X509_get_key_usage(c->x509);
	uint32_t wanted =
	    use == CERT_USE_SERVER ? XKU_SSL_SERVER : XKU_SSL_CLIENT;

	return (extended & wanted) && (usage & KU_DIGITAL_SIGNATURE);
}
