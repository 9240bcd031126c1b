/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/lib/test_certs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/conf.h>
#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

enum { KEYS_MAX = 64 };

struct test_key {
	char kind[24];
	unsigned n;
	EVP_PKEY *pkey;
};

static struct test_key keys[KEYS_MAX];

static void fail(const char *what)
{
	fprintf(stderr, "test_certs: %s\n", what);
	ERR_print_errors_fp(stderr);
	exit(99);
}

static void *must(void *p, const char *what)
{
	if (!p)
		fail(what);
	return p;
}

static EVP_PKEY *make_rsa(const char *type, unsigned bits, unsigned primes)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (!ctx || EVP_PKEY_keygen_init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_keygen_primes(ctx, (int)primes) <= 0 ||
	    EVP_PKEY_generate(ctx, &pkey) <= 0)
		fail(type);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* A public key of any size, at once: nobody knows the private one. */
static EVP_PKEY *make_modulus(unsigned bits)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *build = must(OSSL_PARAM_BLD_new(), "parameters");
	BIGNUM *n = BN_new(), *e = BN_new();
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *params;

	if (!BN_rand(n, (int)bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD) ||
	    !BN_set_word(e, RSA_F4) ||
	    !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) ||
	    !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e))
		fail("modulus");
	params = must(OSSL_PARAM_BLD_to_param(build), "parameters");
	if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		fail("modulus");
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static EVP_PKEY *make_dsa(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
	EVP_PKEY *params = NULL, *pkey = NULL;

	if (!ctx || EVP_PKEY_paramgen_init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_dsa_paramgen_bits(ctx, 1024) <= 0 ||
	    EVP_PKEY_generate(ctx, &params) <= 0)
		fail("DSA parameters");
	EVP_PKEY_CTX_free(ctx);
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, params, NULL);
	if (!ctx || EVP_PKEY_keygen_init(ctx) <= 0 ||
	    EVP_PKEY_generate(ctx, &pkey) <= 0)
		fail("DSA key");
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(params);
	return pkey;
}

static void set_explicit(EVP_PKEY *pkey)
{
	if (!EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_ENCODING,
					    OSSL_PKEY_EC_ENCODING_EXPLICIT))
		fail("explicit parameters");
}

/* "curve-secp256k1", "explicit-prime256v1". */
static EVP_PKEY *make_curve(const char *kind)
{
	EVP_PKEY *pkey = must(EVP_EC_gen(strchr(kind, '-') + 1), kind);

	if (!strncmp(kind, "explicit-", 9))
		set_explicit(pkey);
	return pkey;
}

static EVP_PKEY *make_pkey(const char *kind)
{
	unsigned bits = 0;

	if (strchr(kind, '-'))
		return make_curve(kind);
	if (sscanf(kind, "modulus%u", &bits) == 1)
		return make_modulus(bits);
	if (sscanf(kind, "rsapss%u", &bits) == 1)
		return make_rsa("RSA-PSS", bits, 2);
	if (sscanf(kind, "multiprime%u", &bits) == 1)
		return make_rsa("RSA", bits, 3);
	if (sscanf(kind, "rsa%u", &bits) == 1)
		return make_rsa("RSA", bits, 2);
	if (sscanf(kind, "ecP%u", &bits) == 1)
		return must(EVP_EC_gen(bits == 256   ? "P-256"
				       : bits == 384 ? "P-384"
						     : "P-521"),
			    kind);
	if (!strcmp(kind, "dsa1024"))
		return make_dsa();
	return must(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), kind);
}

struct test_key *test_key(const char *kind, unsigned n)
{
	for (int i = 0; i < KEYS_MAX; i++) {
		struct test_key *k = &keys[i];

		if (k->pkey && k->n == n && !strcmp(k->kind, kind))
			return k;
		if (k->pkey)
			continue;
		snprintf(k->kind, sizeof(k->kind), "%s", kind);
		k->n = n;
		k->pkey = make_pkey(kind);
		return k;
	}
	fail("too many keys");
	return NULL;
}

void test_key_public(const struct test_key *k, struct public_key *out)
{
	struct error e = ERROR_INIT;
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(k->pkey, &der);

	if (n <= 0 ||
	    public_key_from_spki(view_of(der, (size_t)n), out, &e) < 0)
		fail(e.text);
	OPENSSL_free(der);
}

static int sign(void *arg, enum sign_scheme scheme, enum hash_alg alg,
		const uint8_t *digest, uint8_t sig[KEY_SIGNATURE_MAX],
		size_t *sig_len, struct error *e)
{
	static const char *const names[] = { "SHA1", "SHA256", "SHA384",
					     "SHA512" };
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, arg, NULL);
	EVP_MD *md = EVP_MD_fetch(NULL, names[alg], NULL);
	int rc = 0;

	*sig_len = KEY_SIGNATURE_MAX;
	if (!ctx || EVP_PKEY_sign_init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, md) <= 0 ||
	    (scheme == SIGN_RSA_PSS &&
	     (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) <= 0 ||
	      EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) <=
		  0)) ||
	    EVP_PKEY_sign(ctx, sig, sig_len, digest, hash_size(alg)) <= 0)
		rc = error_set(e, ERR_TOKEN, "software signature failed");
	EVP_MD_free(md);
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

struct signer test_key_signer(const struct test_key *k)
{
	struct signer s = { .sign = sign, .arg = k->pkey };

	test_key_public(k, &s.pub);
	return s;
}

/* The content of a memory BIO as a string; frees it. */
static char *take_text(BIO *bio)
{
	char *p = NULL, *copy;
	long n = BIO_get_mem_data(bio, &p);

	copy = must(strndup(p, (size_t)n), "memory");
	BIO_free(bio);
	return copy;
}

/* PKCS#8 under a scheme that PEM_write_bio_PKCS8PrivateKey cannot choose. */
static void write_pkcs8(BIO *bio, EVP_PKEY *pkey, const char *scheme,
			const char *password)
{
	PKCS8_PRIV_KEY_INFO *p8 = must(EVP_PKEY2PKCS8(pkey), "PKCS#8");
	uint8_t salt[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	X509_ALGOR *alg;
	X509_SIG *sig;

	if (!strcmp(scheme, "scrypt"))
		alg = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt,
					    sizeof(salt), NULL, 16384, 8, 1);
	else if (!strcmp(scheme, "pbes1-3des"))
		alg = PKCS5_pbe_set(NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
				    2048, salt, sizeof(salt));
	else
		alg = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), atoi(scheme), salt,
					sizeof(salt), NULL, -1);
	must(alg, scheme);
	sig = must(PKCS8_set0_pbe(password, (int)strlen(password), p8, alg),
		   scheme);
	if (!PEM_write_bio_PKCS8(bio, sig))
		fail(scheme);
	X509_SIG_free(sig);
	PKCS8_PRIV_KEY_INFO_free(p8);
}

char *test_key_pem(const struct test_key *k, const char *format,
		   const char *cipher, const char *password)
{
	BIO *bio = must(BIO_new(BIO_s_mem()), "BIO");
	EVP_PKEY *pkey = EVP_PKEY_dup(k->pkey);
	const EVP_CIPHER *c = NULL;
	bool own = cipher && (!strcmp(cipher, "scrypt") || atoi(cipher) > 0 ||
			      !strcmp(cipher, "pbes1-3des"));
	int len = password ? (int)strlen(password) : 0, ok = 1;

	if (cipher && !own)
		c = must((void *)(uintptr_t)EVP_get_cipherbyname(cipher),
			 cipher);
	if (!strncmp(format, "explicit", 8))
		set_explicit(pkey);
	if (!strcmp(format, "public"))
		ok = PEM_write_bio_PUBKEY(bio, pkey);
	else if (own)
		write_pkcs8(bio, pkey, cipher, password);
	else if (!strcmp(format, "pkcs8") || !strcmp(format, "explicit8"))
		ok = PEM_write_bio_PKCS8PrivateKey(bio, pkey, c, password, len,
						   NULL, NULL);
	else
		ok = PEM_write_bio_PrivateKey_traditional(
		    bio, pkey, c, (const unsigned char *)password, len, NULL,
		    NULL);
	if (!ok)
		fail(format);
	EVP_PKEY_free(pkey);
	return take_text(bio);
}

/* "/C=GB/CN=x": values are UTF-8 and hold no slash. */
static X509_NAME *parse_name(const char *text)
{
	X509_NAME *name = must(X509_NAME_new(), "name");
	char copy[1024], *save = NULL, *part;

	snprintf(copy, sizeof(copy), "%s", text ? text : "");
	for (part = strtok_r(copy, "/", &save); part;
	     part = strtok_r(NULL, "/", &save)) {
		char *value = strchr(part, '=');

		must(value, part);
		*value++ = '\0';
		if (!X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8,
						(unsigned char *)value, -1, -1,
						0))
			fail(part);
	}
	return name;
}

static void add_ext(X509 *x, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *ext;

	if (!value)
		return;
	ext = must(X509V3_EXT_conf_nid(NULL, ctx, nid, value), value);
	if (!X509_add_ext(x, ext, -1))
		fail(value);
	X509_EXTENSION_free(ext);
}

/* Lines of an openssl configuration, sections for dirName and so on included.
 */
static void add_lines(X509 *x, X509V3_CTX *ctx, const char *lines)
{
	BIO *bio = must(BIO_new(BIO_s_mem()), "BIO");
	CONF *conf = must(NCONF_new(NULL), "configuration");

	BIO_printf(bio, "[extensions]\n%s\n", lines);
	if (NCONF_load_bio(conf, bio, NULL) <= 0)
		fail(lines);
	X509V3_set_nconf(ctx, conf);
	if (!X509V3_EXT_add_nconf(conf, ctx, "extensions", x))
		fail(lines);
	NCONF_free(conf);
	BIO_free(bio);
}

static void add_authority(X509 *x, const struct test_key *k)
{
	AUTHORITY_KEYID *akid = must(AUTHORITY_KEYID_new(), "memory");
	struct public_key pub;

	test_key_public(k, &pub);
	akid->keyid = must(ASN1_OCTET_STRING_new(), "memory");
	ASN1_OCTET_STRING_set(akid->keyid, pub.id, SHA1_SIZE);
	if (!X509_add1_ext_i2d(x, NID_authority_key_identifier, akid, 0, 0))
		fail("authorityKeyIdentifier");
	AUTHORITY_KEYID_free(akid);
}

static void add_exts(X509 *x, const struct test_cert_options *o)
{
	const char *constraints = o->ca ? "critical,CA:TRUE" : "CA:FALSE";
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	if (o->constraints)
		constraints = *o->constraints ? o->constraints : NULL;
	add_ext(x, &ctx, NID_basic_constraints, constraints);
	add_ext(x, &ctx, NID_subject_key_identifier, "hash");
	add_ext(x, &ctx, NID_subject_alt_name, o->alt_names);
	add_ext(x, &ctx, NID_ext_key_usage, o->extended_usage);
	add_ext(x, &ctx, NID_key_usage, o->usage);
	if (o->authority)
		add_authority(x, o->authority);
	if (o->extensions)
		add_lines(x, &ctx, o->extensions);
}

static void add_common_names(X509_NAME *name, const struct test_cert_options *o)
{
	for (size_t i = 0; i < o->common_name_count; i++) {
		const struct test_common_name *n = &o->common_names[i];

		if (!X509_NAME_add_entry_by_NID(name, NID_commonName, n->type,
						(const unsigned char *)n->bytes,
						(int)n->len, -1, 0))
			fail("common name");
	}
}

char *test_cert_pem(const struct test_cert_options *o)
{
	static long serial = 1000;
	EVP_PKEY *signer = (o->issuer_key ? o->issuer_key : o->key)->pkey;
	X509 *x = must(X509_new(), "certificate");
	X509_NAME *subject = parse_name(o->subject);
	X509_NAME *issuer = parse_name(o->issuer ? o->issuer : o->subject);
	BIO *bio = must(BIO_new(BIO_s_mem()), "BIO");
	time_t now = time(NULL);
	const EVP_MD *md = NULL;

	X509_set_version(x, o->v1 ? X509_VERSION_1 : X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x),
			 o->serial ? o->serial : ++serial);
	add_common_names(subject, o);
	if (!X509_set_subject_name(x, subject) ||
	    !X509_set_issuer_name(x, issuer))
		fail("names");
	ASN1_TIME_set(X509_getm_notBefore(x),
		      o->not_before ? o->not_before : now - 3600);
	ASN1_TIME_set(X509_getm_notAfter(x),
		      o->not_after ? o->not_after : now + 365 * 86400);
	X509_set_pubkey(x, o->key->pkey);
	if (!o->v1)
		add_exts(x, o);
	if (!EVP_PKEY_is_a(signer, "ED25519"))
		md = EVP_get_digestbyname(o->digest ? o->digest : "SHA256");
	if (!X509_sign(x, signer, md) || !PEM_write_bio_X509(bio, x))
		fail("certificate");
	X509_NAME_free(subject);
	X509_NAME_free(issuer);
	X509_free(x);
	return take_text(bio);
}

char *test_pem(const char *label, const void *p, size_t n)
{
	BIO *bio = must(BIO_new(BIO_s_mem()), "BIO");

	if (!PEM_write_bio(bio, label, "", p, (long)n))
		fail(label);
	return take_text(bio);
}

char *test_join(const char *first, ...)
{
	va_list ap;
	size_t n = 0;
	char *out;

	va_start(ap, first);
	for (const char *s = first; s; s = va_arg(ap, const char *))
		n += strlen(s);
	va_end(ap);
	out = must(calloc(1, n + 1), "memory");
	va_start(ap, first);
	for (const char *s = first; s; s = va_arg(ap, const char *))
		strcat(out, s);
	va_end(ap);
	return out;
}

void test_openssl(const char *fmt, ...)
{
	char arguments[2048], command[2200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(arguments, sizeof(arguments), fmt, ap);
	va_end(ap);
	snprintf(command, sizeof(command), "openssl %s 2>/dev/null", arguments);
	if (system(command) != 0)
		fail(command);
}

char *test_read_file(const char *path)
{
	enum { FILE_MAX = 1024 * 1024 };
	FILE *f = must(fopen(path, "re"), path);
	char *text = must(calloc(1, FILE_MAX), path);

	if (!fread(text, 1, FILE_MAX - 1, f))
		fail(path);
	fclose(f);
	return text;
}

void test_write_file(const char *path, const char *text)
{
	FILE *f = must(fopen(path, "we"), path);

	if (fputs(text, f) < 0 || fclose(f) != 0)
		fail(path);
}
