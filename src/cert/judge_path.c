/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/judge_private.h"

#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

/* Past these a certificate is not worth the time that it costs. */
enum { EXTENSIONS_MAX = 64, RSA_BITS_MAX = 8192 };

/* One certificate of a path. */
struct step {
	const struct cert *c;
	enum judge_role role;
	bool leaf, anchor;
	struct judge_fault *fault;
};

static bool fault(const struct step *s, enum judge_reason reason,
		  const char *words)
{
	s->fault->reason = reason;
	snprintf(s->fault->words, sizeof(s->fault->words), "%s", words);
	return false;
}

static bool has_doubles(const X509 *x, int count)
{
	for (int i = 1; i < count; i++) {
		const ASN1_OBJECT *o =
		    X509_EXTENSION_get_object(X509_get_ext(x, i));

		for (int k = 0; k < i; k++)
			if (!OBJ_cmp(o, X509_EXTENSION_get_object(
					    X509_get_ext(x, k))))
				return true;
	}
	return false;
}

static bool check_extensions(const struct step *s)
{
	int count = X509_get_ext_count(s->c->x509);

	if (count > EXTENSIONS_MAX)
		return fault(s, JUDGE_MALFORMED, "has too many extensions");
	if (has_doubles(s->c->x509, count))
		return fault(s, JUDGE_MALFORMED, "has an extension twice");
	if (X509_get_extension_flags(s->c->x509) & EXFLAG_INVALID)
		return fault(s, JUDGE_MALFORMED,
			     "has an extension that cannot be read");
	return true;
}

bool judge_cert_readable(const struct cert *c, struct judge_fault *out)
{
	struct step s = { .c = c, .fault = out };

	return check_extensions(&s);
}

/* libcrypto reads more than DER. Around the signed part that would make many
 * certificates of one, with as many fingerprints. */
static bool check_encoding(const struct step *s)
{
	unsigned char *der = NULL;
	bool same;
	int n;

	if (s->anchor)
		return true;
	n = i2d_X509(s->c->x509, &der);
	same = n > 0 && view_equal(cert_der(s->c), view_of(der, (size_t)n));
	OPENSSL_free(der);
	ERR_clear_error();
	if (!same)
		return fault(s, JUDGE_MALFORMED, "is not in DER");
	return true;
}

static bool is_curve(const EVP_PKEY *pkey)
{
	static const char *const curves[] = { "prime256v1", "secp384r1",
					      "secp521r1" };
	char name[32] = "";
	int own = 0;

	EVP_PKEY_get_int_param(
	    pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &own);
	if (own ||
	    EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME,
					   name, sizeof(name), NULL) != 1)
		return false;
	for (size_t i = 0; i < sizeof(curves) / sizeof(*curves); i++)
		if (!strcmp(name, curves[i]))
			return true;
	return false;
}

/* JUDGE_ACCEPTED, JUDGE_WEAK_KEY, JUDGE_UNSUPPORTED_KEY. */
static enum judge_reason key_reason(const struct cert *c)
{
	const EVP_PKEY *pkey = X509_get0_pubkey(c->x509);
	enum judge_reason r = JUDGE_UNSUPPORTED_KEY;
	int bits;

	if (!pkey) {
		r = JUDGE_UNSUPPORTED_KEY;
	} else if (EVP_PKEY_is_a(pkey, "RSA") ||
		   EVP_PKEY_is_a(pkey, "RSA-PSS")) {
		bits = EVP_PKEY_get_bits(pkey);
		r = bits < KEY_RSA_BITS_MIN ? JUDGE_WEAK_KEY
		    : bits > RSA_BITS_MAX   ? JUDGE_UNSUPPORTED_KEY
					    : JUDGE_ACCEPTED;
	} else if ((EVP_PKEY_is_a(pkey, "EC") && is_curve(pkey)) ||
		   EVP_PKEY_is_a(pkey, "ED25519") ||
		   EVP_PKEY_is_a(pkey, "ED448")) {
		r = JUDGE_ACCEPTED;
	}
	ERR_clear_error();
	return r;
}

bool judge_key_usable(const struct cert *c)
{
	return key_reason(c) == JUDGE_ACCEPTED;
}

static bool check_key(const struct step *s)
{
	enum judge_reason r = key_reason(s->c);
	char words[128];

	if (r == JUDGE_ACCEPTED)
		return true;
	if (r == JUDGE_WEAK_KEY)
		snprintf(words, sizeof(words),
			 "has a key that is too short (%s, at least %d bits)",
			 s->c->key_text, KEY_RSA_BITS_MIN);
	else
		snprintf(words, sizeof(words),
			 "has a key of a kind that is not accepted (%s)",
			 s->c->key_text);
	return fault(s, r, words);
}

static bool check_signature_strength(const struct step *s)
{
	char words[192];

	if (cert_signature_strength(s->c) == CERT_SIGNATURE_GOOD)
		return true;
	if (s->anchor && X509_get_extension_flags(s->c->x509) & EXFLAG_SS)
		return true;
	snprintf(words, sizeof(words), "is signed by a weak algorithm (%s)",
		 s->c->signature_text);
	return fault(s, JUDGE_WEAK_SIGNATURE, words);
}

/* id-kp-sipDomain (RFC 5924 3), which libcrypto does not know. */
static bool is_for_sip_domains(const struct cert *c)
{
	static const char oid[] = "1.3.6.1.5.5.7.3.20";
	EXTENDED_KEY_USAGE *uses =
	    X509_get_ext_d2i(c->x509, NID_ext_key_usage, NULL, NULL);
	bool found = false;
	char text[32];

	for (int i = 0; !found && i < sk_ASN1_OBJECT_num(uses); i++)
		found = OBJ_obj2txt(text, sizeof(text),
				    sk_ASN1_OBJECT_value(uses, i), 1) > 0 &&
			!strcmp(text, oid);
	EXTENDED_KEY_USAGE_free(uses);
	return found;
}

/* An extendedKeyUsage of an authority limits what it issues. */
static bool check_extended_usage(const struct step *s)
{
	static const struct {
		uint32_t bits;
		const char *name;
	} roles[] = {
		[JUDGE_CLIENT] = { XKU_SSL_CLIENT, "TLS clients" },
		[JUDGE_SERVER] = { XKU_SSL_SERVER, "TLS servers" },
		[JUDGE_SIP] = { XKU_SSL_CLIENT | XKU_SSL_SERVER, "SIP peers" },
	};
	/* All bits set without the extension. */
	uint32_t usage = X509_get_extended_key_usage(s->c->x509);
	char words[128];

	if (usage & (XKU_ANYEKU | roles[s->role].bits) ||
	    (s->role == JUDGE_SIP && is_for_sip_domains(s->c)))
		return true;
	snprintf(words, sizeof(words), "is not %s %s (extendedKeyUsage)",
		 s->leaf ? "for" : "allowed to issue for", roles[s->role].name);
	return fault(s, JUDGE_WRONG_USE, words);
}

static bool check_usage(const struct step *s)
{
	uint32_t usage = X509_get_key_usage(s->c->x509);

	if (s->leaf && !(usage & KU_DIGITAL_SIGNATURE))
		return fault(s, JUDGE_WRONG_USE,
			     "may not be used for signatures (keyUsage has no "
			     "digitalSignature)");
	return true;
}

static bool check_authority(const struct step *s)
{
	/* What X509_check_ca() says: certainly; by its age only. */
	enum { NO = 0, CA = 1, SELF_SIGNED_V1 = 3 };
	int is_ca;

	if (s->leaf)
		return true;
	is_ca = X509_check_ca(s->c->x509);
	if (is_ca == CA || (is_ca == SELF_SIGNED_V1 && s->anchor))
		return true;
	if (is_ca == NO && X509_get_extension_flags(s->c->x509) & EXFLAG_CA)
		return fault(s, JUDGE_NOT_AUTHORITY,
			     "may not sign certificates (keyUsage has no "
			     "keyCertSign)");
	return fault(s, JUDGE_NOT_AUTHORITY,
		     "issued the one before, but is no authority "
		     "(basicConstraints)");
}

bool judge_path_check(const struct judge_path *p, struct judge_fault *out)
{
	static bool (*const checks[])(const struct step *s) = {
		check_extensions, check_encoding,
		check_key,        check_signature_strength,
		check_authority,  check_extended_usage,
		check_usage,
	};

	for (size_t i = 0; i < p->count; i++) {
		struct step s = { .c = p->certs[i],
				  .role = p->role,
				  .leaf = i == 0,
				  .anchor = i + 1 == p->count,
				  .fault = out };

		out->at = i;
		for (size_t k = 0; k < sizeof(checks) / sizeof(*checks); k++)
			if (!checks[k](&s))
				return false;
	}
	return true;
}
