/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/issue.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "cert/subject.h"
#include "cert/text.h"

/* A one in front of 64 random bits: never zero nor negative, of one length. */
enum { SERIAL_BYTES = 1 + 8 };

/* What each kind of key signs with. */
struct method {
	enum sign_scheme scheme;
	enum hash_alg hash;
	int nid;
	int parameter; /* RFC 4055: NULL for RSA; RFC 5758: none for ECDSA */
};

static const struct method method_rsa = { SIGN_RSA_PKCS1, HASH_SHA256,
					  NID_sha256WithRSAEncryption,
					  V_ASN1_NULL };
static const struct method method_p256 = { SIGN_ECDSA, HASH_SHA256,
					   NID_ecdsa_with_SHA256,
					   V_ASN1_UNDEF };
static const struct method method_p384 = { SIGN_ECDSA, HASH_SHA384,
					   NID_ecdsa_with_SHA384,
					   V_ASN1_UNDEF };

static const struct method *method_for(const struct public_key *k)
{
	if (k->type == KEY_RSA)
		return &method_rsa;
	return k->bits == 256 ? &method_p256 : &method_p384;
}

static int failed(struct error *e)
{
	return text_libcrypto_error(e, ERR_INTERNAL, "libcrypto");
}

static EVP_PKEY *public_pkey(const struct public_key *k)
{
	const unsigned char *p = k->spki;

	return d2i_PUBKEY(NULL, &p, (long)k->spki_len);
}

static int set_algorithm(X509_ALGOR *alg, const struct method *m)
{
	return X509_ALGOR_set0(alg, OBJ_nid2obj(m->nid), m->parameter, NULL);
}

/* Hash the bytes and let the signer sign them into a BIT STRING. */
static int sign_into(const struct signer *signer, const struct method *m,
		     struct view tbs, ASN1_BIT_STRING *out, struct error *e)
{
	uint8_t digest[SHA512_SIZE], sig[KEY_SIGNATURE_MAX];
	size_t len = 0;

	hash_of(m->hash, tbs, digest);
	if (signer->sign(signer->arg, m->scheme, m->hash, digest, sig, &len,
			 e) < 0)
		return -1;
	if (!ASN1_STRING_set(out, sig, (int)len))
		return error_nomem(e);
	/* No unused bits, said explicitly: else trailing zeros get lost. */
	out->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
	out->flags |= ASN1_STRING_FLAG_BITS_LEFT;
	return 0;
}

/* --- extensions --------------------------------------------------------- */

static int add_ext(STACK_OF(X509_EXTENSION) * *exts, int nid, void *value,
		   bool critical)
{
	return X509V3_add1_i2d(exts, nid, value, critical,
			       X509V3_ADD_DEFAULT) == 1
		   ? 0
		   : -1;
}

static int add_key_usage(STACK_OF(X509_EXTENSION) * *exts,
			 const struct public_key *k)
{
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
	int rc = -1;

	/* RFC 5280 4.2.1.3: digitalSignature is bit 0, keyEncipherment 2. */
	if (bits && ASN1_BIT_STRING_set_bit(bits, 0, 1) &&
	    (k->type != KEY_RSA || ASN1_BIT_STRING_set_bit(bits, 2, 1)))
		rc = add_ext(exts, NID_key_usage, bits, true);
	ASN1_BIT_STRING_free(bits);
	return rc;
}

static int add_extended_usage(STACK_OF(X509_EXTENSION) * *exts)
{
	EXTENDED_KEY_USAGE *usage = EXTENDED_KEY_USAGE_new();
	int rc = -1;

	/* Objects of the built-in table are not counted, freeing is fine. */
	if (usage && sk_ASN1_OBJECT_push(usage, OBJ_nid2obj(NID_server_auth)) &&
	    sk_ASN1_OBJECT_push(usage, OBJ_nid2obj(NID_client_auth)))
		rc = add_ext(exts, NID_ext_key_usage, usage, false);
	EXTENDED_KEY_USAGE_free(usage);
	return rc;
}

static int add_basic_constraints(STACK_OF(X509_EXTENSION) * *exts)
{
	BASIC_CONSTRAINTS *b = BASIC_CONSTRAINTS_new(); /* CA:FALSE */
	int rc = b ? add_ext(exts, NID_basic_constraints, b, true) : -1;

	BASIC_CONSTRAINTS_free(b);
	return rc;
}

static int add_key_identifier(STACK_OF(X509_EXTENSION) * *exts,
			      const struct public_key *k)
{
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	int rc = -1;

	if (id && ASN1_OCTET_STRING_set(id, k->id, sizeof(k->id)))
		rc = add_ext(exts, NID_subject_key_identifier, id, false);
	ASN1_OCTET_STRING_free(id);
	return rc;
}

/* What an end-entity certificate for TLS, or a request for one, says. RFC 5280
 * 4.2.1.6: subjectAltName is critical when the subject is empty. */
static STACK_OF(X509_EXTENSION) *
    extensions_make(const struct public_key *k, GENERAL_NAMES *alt_names,
		    bool subject_empty, struct error *e)
{
	STACK_OF(X509_EXTENSION) *exts = NULL;

	if (add_basic_constraints(&exts) == 0 && add_key_usage(&exts, k) == 0 &&
	    add_extended_usage(&exts) == 0 &&
	    add_key_identifier(&exts, k) == 0 &&
	    (sk_GENERAL_NAME_num(alt_names) == 0 ||
	     add_ext(&exts, NID_subject_alt_name, alt_names, subject_empty) ==
		 0))
		return exts;
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	failed(e);
	return NULL;
}

/* --- both documents need these ------------------------------------------ */

struct parts {
	X509_NAME *name;
	GENERAL_NAMES *alt_names;
	STACK_OF(X509_EXTENSION) * exts;
	EVP_PKEY *pkey;
};

static void parts_free(struct parts *p)
{
	X509_NAME_free(p->name);
	GENERAL_NAMES_free(p->alt_names);
	sk_X509_EXTENSION_pop_free(p->exts, X509_EXTENSION_free);
	EVP_PKEY_free(p->pkey);
}

static int parts_make(struct parts *p, const struct subject_parts *subject,
		      const char *const *alt_names, size_t alt_name_count,
		      const struct public_key *k, struct error *e)
{
	bool empty;

	p->name = subject_make(subject, e);
	if (!p->name)
		return -1;
	p->alt_names = alt_names_make(alt_names, alt_name_count, e);
	if (!p->alt_names)
		return -1;
	empty = X509_NAME_entry_count(p->name) == 0;
	if (empty && alt_name_count == 0)
		return error_set(e, ERR_INPUT,
				 "neither a subject nor an alternative name");
	p->exts = extensions_make(k, p->alt_names, empty, e);
	if (!p->exts)
		return -1;
	p->pkey = public_pkey(k);
	return p->pkey ? 0 : failed(e);
}

/* --- the self-signed certificate ---------------------------------------- */

static int set_serial(X509 *x)
{
	uint8_t bytes[SERIAL_BYTES];
	BIGNUM *bn;
	int ok;

	random_bytes(bytes, sizeof(bytes));
	bytes[0] = 1;
	bn = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x));
	BN_free(bn);
	return ok ? 0 : -1;
}

static int fill_certificate(X509 *x, const struct parts *p,
			    const struct self_signed_options *o)
{
	if (!X509_set_version(x, X509_VERSION_3) || set_serial(x) < 0 ||
	    !X509_set_subject_name(x, p->name) ||
	    !X509_set_issuer_name(x, p->name) ||
	    !ASN1_TIME_set(X509_getm_notBefore(x), o->not_before) ||
	    !ASN1_TIME_set(X509_getm_notAfter(x), o->not_after) ||
	    !X509_set_pubkey(x, p->pkey))
		return -1;
	for (int i = 0; i < sk_X509_EXTENSION_num(p->exts); i++)
		if (!X509_add_ext(x, sk_X509_EXTENSION_value(p->exts, i), -1))
			return -1;
	return 0;
}

static int sign_certificate(X509 *x, const struct signer *signer,
			    struct error *e)
{
	const struct method *m = method_for(&signer->pub);
	const ASN1_BIT_STRING *sig;
	const X509_ALGOR *outer;
	unsigned char *tbs = NULL;
	int n, rc;

	/* libcrypto has setters for a request, not for a certificate: the
	 * fields are reached through its readers. */
	X509_get0_signature(&sig, &outer, x);
	if (!set_algorithm((X509_ALGOR *)(uintptr_t)outer, m) ||
	    !set_algorithm((X509_ALGOR *)(uintptr_t)X509_get0_tbs_sigalg(x),
			   m) ||
	    (n = i2d_re_X509_tbs(x, &tbs)) <= 0)
		return failed(e);
	rc = sign_into(signer, m, view_of(tbs, (size_t)n),
		       (ASN1_BIT_STRING *)(uintptr_t)sig, e);
	OPENSSL_free(tbs);
	return rc;
}

static struct cert *encode_certificate(X509 *x, struct error *e)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);
	struct cert *c;

	if (n <= 0) {
		failed(e);
		return NULL;
	}
	c = cert_from_der(view_of(der, (size_t)n), e);
	OPENSSL_free(der);
	return c;
}

struct cert *cert_self_sign(const struct self_signed_options *options,
			    const struct signer *signer, struct error *e)
{
	struct parts p = { 0 };
	struct cert *c = NULL;
	X509 *x = X509_new();

	if (!x) {
		error_nomem(e);
		return NULL;
	}
	if (options->not_after <= options->not_before) {
		error_set(e, ERR_INPUT, "it would expire before it is valid");
		goto out;
	}
	if (parts_make(&p, &options->subject, options->alt_names,
		       options->alt_name_count, &signer->pub, e) < 0)
		goto out;
	if (fill_certificate(x, &p, options) < 0) {
		failed(e);
		goto out;
	}
	if (sign_certificate(x, signer, e) < 0)
		goto out;
	c = encode_certificate(x, e);
	if (c && !cert_is_issued_by(c, c)) {
		error_set(e, ERR_INTERNAL,
			  "the key does not verify its own signature");
		cert_unref(c);
		c = NULL;
	}
out:
	X509_free(x);
	parts_free(&p);
	return c;
}

/* --- the request -------------------------------------------------------- */

static int sign_request(X509_REQ *req, const struct signer *signer,
			struct error *e)
{
	const struct method *m = method_for(&signer->pub);
	X509_ALGOR *alg = X509_ALGOR_new();
	ASN1_BIT_STRING *sig = ASN1_BIT_STRING_new();
	unsigned char *tbs = NULL;
	int n, rc = -1;

	if (!alg || !sig || !set_algorithm(alg, m) ||
	    !X509_REQ_set1_signature_algo(req, alg) ||
	    (n = i2d_re_X509_REQ_tbs(req, &tbs)) <= 0) {
		failed(e);
		goto out;
	}
	if (sign_into(signer, m, view_of(tbs, (size_t)n), sig, e) < 0)
		goto out;
	X509_REQ_set0_signature(req, sig);
	sig = NULL;
	rc = 0;
out:
	X509_ALGOR_free(alg);
	ASN1_BIT_STRING_free(sig);
	OPENSSL_free(tbs);
	return rc;
}

static int write_request(X509_REQ *req, struct buf *out, struct error *e)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n;
	int rc;

	if (!bio || !PEM_write_bio_X509_REQ(bio, req)) {
		rc = failed(e);
	} else {
		n = BIO_get_mem_data(bio, &p);
		rc = buf_add(out, p, (size_t)n, e);
	}
	BIO_free(bio);
	return rc;
}

int cert_request_create(const struct subject_parts *subject,
			const char *const *alt_names, size_t alt_name_count,
			const struct signer *signer, struct buf *pem_out,
			struct error *e)
{
	X509_REQ *req = X509_REQ_new();
	struct parts p = { 0 };
	int rc = -1;

	if (!req)
		return error_nomem(e);
	if (parts_make(&p, subject, alt_names, alt_name_count, &signer->pub,
		       e) < 0)
		goto out;
	if (!X509_REQ_set_version(req, X509_REQ_VERSION_1) ||
	    !X509_REQ_set_subject_name(req, p.name) ||
	    !X509_REQ_set_pubkey(req, p.pkey) ||
	    !X509_REQ_add_extensions(req, p.exts)) {
		failed(e);
		goto out;
	}
	if (sign_request(req, signer, e) < 0)
		goto out;
	if (X509_REQ_verify(req, p.pkey) != 1) {
		error_set(e, ERR_INTERNAL,
			  "the key does not verify its own signature");
		goto out;
	}
	rc = write_request(req, pem_out, e);
out:
	X509_REQ_free(req);
	parts_free(&p);
	return rc;
}
