/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "cert/bundle.h"
#include "cert/issue.h"
#include "tests/lib/test_certs.h"
#include "tests/lib/unit.h"

/* The first certificate of a PEM text. */
static struct cert *cert_of(const char *pem)
{
	struct error e = ERROR_INIT;
	struct cert_list list;
	struct cert *c;

	CHECK_OK(cert_bundle_parse(view_str(pem), &list, &e), &e);
	c = cert_ref(list.items[0]);
	cert_list_free(&list);
	return c;
}

static struct cert *make(const struct test_cert_options *o)
{
	char *pem = test_cert_pem(o);
	struct cert *c = cert_of(pem);

	free(pem);
	return c;
}

static void test_fields(void)
{
	struct error e = ERROR_INIT;
	struct cert *c = make(&(struct test_cert_options){
	    .subject = "/C=GB/ST=Surrey/L=Byfleet/O=A/O=B/OU=x/OU=y/OU=z"
		       "/CN=host.example/emailAddress=a@b.example",
	    .key = test_key("rsa2048", 0),
	    .issuer = "/CN=CA",
	    .issuer_key = test_key("ecP256", 0),
	    .not_before = 1700000000,
	    .not_after = 1900000000,
	    .serial = 0x1234ab,
	    .alt_names = "DNS:host.example,IP:192.0.2.7,IP:2001:db8::7,"
			 "URI:sips:host.example,email:a@b.example,"
			 "RID:1.2.3.4",
	});
	static const char *const alt[] = {
		"DNS:host.example",      "IP:192.0.2.7",      "IP:2001:db8::7",
		"URI:sips:host.example", "email:a@b.example", "RID:1.2.3.4"
	};
	const struct cert_name *n = cert_subject(c);
	const struct public_key *k = cert_public_key(c, &e);
	struct buf pem;
	struct cert *again;

	CU_ASSERT_STRING_EQUAL(n->c, "GB");
	CU_ASSERT_STRING_EQUAL(n->st, "Surrey");
	CU_ASSERT_STRING_EQUAL(n->l, "Byfleet");
	CU_ASSERT_STRING_EQUAL(n->o, "A, B");
	CU_ASSERT_STRING_EQUAL(n->ou, "x, y, z");
	CU_ASSERT_STRING_EQUAL(n->cn, "host.example");
	CU_ASSERT_STRING_EQUAL(
	    n->text, "emailAddress=a@b.example,CN=host.example,OU=z,OU=y,OU=x,"
		     "O=B,O=A,L=Byfleet,ST=Surrey,C=GB");
	CU_ASSERT_STRING_EQUAL(cert_issuer(c)->cn, "CA");
	CU_ASSERT_STRING_EQUAL(cert_issuer(c)->o, "");
	CU_ASSERT_STRING_EQUAL(cert_serial_text(c), "1234ab");
	CU_ASSERT_EQUAL(cert_serial_der(c).len, 5);
	CU_ASSERT_EQUAL(cert_not_before(c), 1700000000);
	CU_ASSERT_EQUAL(cert_not_after(c), 1900000000);
	CU_ASSERT_EQUAL_FATAL(cert_alt_name_count(c), 6);
	for (size_t i = 0; i < 6; i++)
		CU_ASSERT_STRING_EQUAL(cert_alt_name(c, i), alt[i]);
	CU_ASSERT_PTR_NOT_NULL_FATAL(k);
	CU_ASSERT_STRING_EQUAL(cert_key_text(c), "RSA 2048");
	CU_ASSERT(
	    view_equal(cert_key_identifier(c), view_of(k->id, sizeof(k->id))));
	CU_ASSERT_STRING_EQUAL(cert_signature_text(c), "ecdsa-with-SHA256");
	CU_ASSERT_EQUAL(cert_signature_strength(c), CERT_SIGNATURE_GOOD);
	CU_ASSERT(!cert_is_ca(c));
	CU_ASSERT(!cert_is_self_issued(c));
	CU_ASSERT(cert_allows(c, CERT_USE_SERVER));
	buf_init(&pem, 65536);
	CHECK_OK(cert_to_pem(c, &pem, &e), &e);
	again = cert_of(buf_cstr(&pem));
	CU_ASSERT(cert_equal(c, again));
	CU_ASSERT_EQUAL(memcmp(cert_sha256(c), cert_sha256(again), SHA256_SIZE),
			0);
	buf_free(&pem);
	cert_unref(again);
	cert_unref(c);
	cert_unref(NULL);
}

static void test_keys(void)
{
	static const struct {
		const char *kind, *text, *words; /* words: why not usable */
	} rows[] = {
		{ "rsa2048", "RSA 2048", NULL },
		{ "ecP256", "EC P-256", NULL },
		{ "ecP384", "EC P-384", NULL },
		{ "rsa1024", "RSA 1024", "at least 2048" },
		{ "ecP521", "EC secp521r1", "only P-256 and P-384" },
		{ "ed25519", "Ed25519", "not used" },
		{ "rsapss2048", "RSA-PSS 2048", "RSA-PSS" },
		{ "dsa1024", "DSA 1024", "DSA" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct error e = ERROR_INIT;
		struct cert *c = make(&(struct test_cert_options){
		    .subject = "/CN=x", .key = test_key(rows[i].kind, 0) });
		const struct public_key *k = cert_public_key(c, &e);

		CU_ASSERT_STRING_EQUAL(cert_key_text(c), rows[i].text);
		CU_ASSERT_EQUAL(k == NULL, rows[i].words != NULL);
		if (rows[i].words)
			unit_check_error(&e, ERR_KEY_UNSUPPORTED, rows[i].words,
					 __FILE__, __LINE__);
		CU_ASSERT(cert_is_issued_by(c, c));
		cert_unref(c);
	}
}

static void test_kind_of_certificate(void)
{
	struct test_key *ca_key = test_key("ecP256", 1);
	struct cert *ca = make(&(struct test_cert_options){
	    .subject = "/CN=CA", .key = ca_key, .ca = true });
	struct cert *v1 =
	    make(&(struct test_cert_options){ .subject = "/CN=host",
					      .key = test_key("ecP256", 0),
					      .issuer = "/CN=CA",
					      .issuer_key = ca_key,
					      .v1 = true });
	struct cert *fake = make(&(struct test_cert_options){
	    .subject = "/CN=CA", .key = test_key("ecP256", 2), .ca = true });
	struct cert *client =
	    make(&(struct test_cert_options){ .subject = "/CN=c",
					      .key = test_key("ecP256", 0),
					      .extended_usage = "clientAuth" });
	struct cert *crl =
	    make(&(struct test_cert_options){ .subject = "/CN=c",
					      .key = test_key("ecP256", 0),
					      .usage = "cRLSign" });

	CU_ASSERT(cert_is_ca(ca));
	CU_ASSERT(cert_is_self_issued(ca));
	CU_ASSERT(cert_is_issued_by(ca, ca));
	CU_ASSERT(!cert_is_ca(v1));
	CU_ASSERT(cert_is_issued_by(v1, ca));
	CU_ASSERT(!cert_is_issued_by(v1, fake));
	CU_ASSERT(!cert_is_issued_by(ca, v1));
	CU_ASSERT_EQUAL(cert_key_identifier(v1).len, SHA1_SIZE);
	CU_ASSERT(cert_allows(v1, CERT_USE_SERVER));
	CU_ASSERT(cert_allows(v1, CERT_USE_CLIENT));
	CU_ASSERT(!cert_allows(client, CERT_USE_SERVER));
	CU_ASSERT(cert_allows(client, CERT_USE_CLIENT));
	CU_ASSERT(!cert_allows(crl, CERT_USE_SERVER));
	CU_ASSERT(!cert_equal(ca, fake));
	cert_unref(ca);
	cert_unref(v1);
	cert_unref(fake);
	cert_unref(client);
	cert_unref(crl);
}

static void test_signature_strength(void)
{
	static const struct {
		const char *digest, *text;
		enum cert_signature_strength want;
	} rows[] = {
		{ "MD5", "md5WithRSAEncryption", CERT_SIGNATURE_BROKEN },
		{ "SHA1", "sha1WithRSAEncryption", CERT_SIGNATURE_WEAK },
		{ "SHA224", "sha224WithRSAEncryption", CERT_SIGNATURE_GOOD },
		{ "SHA512", "sha512WithRSAEncryption", CERT_SIGNATURE_GOOD },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cert *c = make(
		    &(struct test_cert_options){ .subject = "/CN=x",
						 .key = test_key("rsa2048", 0),
						 .digest = rows[i].digest });

		CU_ASSERT_EQUAL(cert_signature_strength(c), rows[i].want);
		CU_ASSERT_STRING_EQUAL(cert_signature_text(c), rows[i].text);
		cert_unref(c);
	}
}

/* --- hostile content, put together with libcrypto directly --------------- */

struct value {
	int type;
	const char *bytes;
	int len;
};

static struct cert *with_cn(const struct value *cn, const char *dns,
			    int dns_len)
{
	struct error e = ERROR_INIT;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_NAME *name = X509_NAME_new();
	unsigned char *der = NULL;
	struct cert *c;
	int n;

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 1000);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_NID(name, NID_commonName, cn->type,
				   (const unsigned char *)cn->bytes, cn->len,
				   -1, 0);
	X509_set_subject_name(x, name);
	X509_set_issuer_name(x, name);
	if (dns) {
		GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
		GENERAL_NAME *g = GENERAL_NAME_new();
		ASN1_IA5STRING *s = ASN1_IA5STRING_new();

		ASN1_STRING_set(s, dns, dns_len);
		GENERAL_NAME_set0_value(g, GEN_DNS, s);
		sk_GENERAL_NAME_push(names, g);
		X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0);
		GENERAL_NAMES_free(names);
	}
	X509_sign(x, key, EVP_sha256());
	n = i2d_X509(x, &der);
	c = cert_from_der(view_of(der, (size_t)n), &e);
	CHECK_OBJECT(c, &e);
	OPENSSL_free(der);
	X509_NAME_free(name);
	X509_free(x);
	EVP_PKEY_free(key);
	return c;
}

static void test_strings(void)
{
	static const struct {
		struct value cn;
		const char *want;
	} rows[] = {
		{ { V_ASN1_PRINTABLESTRING, "plain", 5 }, "plain" },
		{ { V_ASN1_UTF8STRING, "Z\xc3\xbcrich", 7 }, "Z\xc3\xbcrich" },
		{ { V_ASN1_BMPSTRING, "\0A\x20\xac", 4 }, "A\xe2\x82\xac" },
		{ { V_ASN1_T61STRING, "Z\xfcrich", 6 }, "Z\xc3\xbcrich" },
		{ { V_ASN1_UNIVERSALSTRING, "\0\0\0A\0\1\xf6\0", 8 },
		  "A\xf0\x9f\x98\x80" },
		{ { V_ASN1_UTF8STRING, "good\0evil", 9 }, "good\\00evil" },
		{ { V_ASN1_PRINTABLESTRING, "a\0", 2 }, "a\\00" },
		{ { V_ASN1_BMPSTRING, "\0a\0\0\0b", 6 }, "a\\00b" },
		{ { V_ASN1_UTF8STRING, "a\r\nb\x1b[2J", 8 },
		  "a\\0D\\0Ab\\1B[2J" },
		{ { V_ASN1_UTF8STRING, "DOM\\user", 8 }, "DOM\\\\user" },
		{ { V_ASN1_UTF8STRING, "\xe2\x80\xaetxt", 6 },
		  "\\E2\\80\\AEtxt" },
		{ { V_ASN1_UTF8STRING, "\xef\xbb\xbfx", 4 }, "\\EF\\BB\\BFx" },
		{ { V_ASN1_UTF8STRING, "\xc2\x9bx", 3 }, "\\C2\\9Bx" },
		{ { V_ASN1_UTF8STRING, "<&\">", 4 }, "<&\">" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cert *c = with_cn(&rows[i].cn, NULL, 0);

		if (strcmp(cert_subject(c)->cn, rows[i].want))
			unit_note("row %zu: %s", i, cert_subject(c)->cn);
		CU_ASSERT_STRING_EQUAL(cert_subject(c)->cn, rows[i].want);
		CU_ASSERT(strlen(cert_subject(c)->text) > 3);
		for (const char *p = cert_subject(c)->text; *p; p++)
			CU_ASSERT((unsigned char)*p >= ' ');
		cert_unref(c);
	}
}

/* libcrypto would not write strings that are not what their type says, so they
 * are put into the finished DER. Such a certificate is refused or shown as
 * bytes, never taken at its word. */
static void test_broken_strings(void)
{
	static const char *const rows[] = { "a\xff..", "\xc0\x80..",
					    "\xed\xa0\x80.", "...\xe2" };
	const struct value placeholder = { V_ASN1_UTF8STRING, "~~~~", 4 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct error e = ERROR_INIT;
		struct cert *good = with_cn(&placeholder, NULL, 0), *c;
		size_t n = cert_der(good).len;
		uint8_t *der = malloc(n), *at = der;

		memcpy(der, cert_der(good).ptr, n);
		while ((at = memmem(der, n, "~~~~", 4)) != NULL)
			memcpy(at, rows[i], 4);
		c = cert_from_der(view_of(der, n), &e);
		if (c)
			CU_ASSERT(strchr("#\\", cert_subject(c)->cn[0]) ||
				  strstr(cert_subject(c)->cn, "\\"));
		if (!c)
			CU_ASSERT_EQUAL(e.kind, ERR_CERTIFICATE);
		cert_unref(c);
		cert_unref(good);
		free(der);
	}
}

static void test_alt_name_nul(void)
{
	const struct value cn = { V_ASN1_UTF8STRING, "x", 1 };
	struct cert *c = with_cn(&cn, "bank.example\0.evil.example", 26);

	CU_ASSERT_STRING_EQUAL(cert_alt_name(c, 0),
			       "DNS:bank.example\\00.evil.example");
	cert_unref(c);
}

static void test_bad_der(void)
{
	struct error e = ERROR_INIT;
	struct cert *c = make(&(struct test_cert_options){
	    .subject = "/CN=x", .key = test_key("ecP256", 0) });
	struct view der = cert_der(c);
	uint8_t *copy = malloc(der.len + 1);

	memcpy(copy, der.ptr, der.len);
	copy[der.len] = 0;
	CU_ASSERT_PTR_NULL(cert_from_der(view_of(copy, der.len + 1), &e));
	unit_check_error(&e, ERR_CERTIFICATE, "bytes behind", __FILE__,
			 __LINE__);
	for (size_t n = 0; n < der.len; n++) {
		CU_ASSERT_PTR_NULL(cert_from_der(view_of(copy, n), &e));
		CU_ASSERT_EQUAL(e.kind, ERR_CERTIFICATE);
	}
	for (size_t i = 0; i < der.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			struct cert *other;

			copy[i] ^= (uint8_t)(1 << bit);
			other = cert_from_der(view_of(copy, der.len), &e);
			copy[i] ^= (uint8_t)(1 << bit);
			if (other)
				CU_ASSERT(!cert_equal(other, c));
			cert_unref(other);
		}
	free(copy);
	cert_unref(c);
}

/* --- what the device makes ---------------------------------------------- */

static const char *const alt_names[] = { "DNS:box.example", "IP:192.0.2.1",
					 "IP:2001:db8::1",
					 "URI:sip:box.example" };

static void test_self_sign(void)
{
	static const struct {
		const char *kind, *signature;
		uint32_t usage;
	} rows[] = {
		{ "rsa2048", "sha256WithRSAEncryption",
		  KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT },
		{ "rsa3072", "sha256WithRSAEncryption",
		  KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT },
		{ "ecP256", "ecdsa-with-SHA256", KU_DIGITAL_SIGNATURE },
		{ "ecP384", "ecdsa-with-SHA384", KU_DIGITAL_SIGNATURE },
	};
	struct self_signed_options o = {
		.subject = { .c = "GB", .o = "M\xc3\xbcller", .cn = "box" },
		.alt_names = alt_names,
		.alt_name_count = 4,
		.not_before = 1700000000,
		.not_after = 4000000000,
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct error e = ERROR_INIT;
		struct signer s = test_key_signer(test_key(rows[i].kind, 0));
		struct cert *c = cert_self_sign(&o, &s, &e);
		const unsigned char *p;
		X509 *x;

		CHECK_OBJECT(c, &e);
		p = cert_der(c).ptr;
		x = d2i_X509(NULL, &p, (long)cert_der(c).len);
		CU_ASSERT_EQUAL(X509_verify(x, X509_get0_pubkey(x)), 1);
		CU_ASSERT_EQUAL(X509_get_version(x), X509_VERSION_3);
		CU_ASSERT_EQUAL(X509_get_key_usage(x), rows[i].usage);
		CU_ASSERT_EQUAL(X509_get_extended_key_usage(x),
				XKU_SSL_SERVER | XKU_SSL_CLIENT);
		CU_ASSERT_EQUAL(X509_check_ca(x), 0);
		CU_ASSERT_EQUAL(
		    X509_check_purpose(x, X509_PURPOSE_SSL_SERVER, 0), 1);
		CU_ASSERT_EQUAL(X509_check_host(x, "box.example", 0, 0, NULL),
				1);
		CU_ASSERT_EQUAL(X509_check_ip_asc(x, "2001:db8::1", 0), 1);
		CU_ASSERT_EQUAL(X509_check_ip_asc(x, "192.0.2.2", 0), 0);
		CU_ASSERT(X509_get_extension_flags(x) & EXFLAG_SS);
		CU_ASSERT(!(X509_get_extension_flags(x) & EXFLAG_INVALID));
		X509_free(x);
		CU_ASSERT_STRING_EQUAL(cert_signature_text(c),
				       rows[i].signature);
		CU_ASSERT_STRING_EQUAL(cert_subject(c)->o, "M\xc3\xbcller");
		CU_ASSERT_EQUAL(cert_not_before(c), 1700000000);
		CU_ASSERT_EQUAL(cert_not_after(c), 4000000000);
		CU_ASSERT_EQUAL(strlen(cert_serial_text(c)), 18);
		CU_ASSERT(view_equal(cert_key_identifier(c),
				     view_of(s.pub.id, sizeof(s.pub.id))));
		cert_unref(c);
	}
}

static X509_REQ *read_request(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509_REQ *req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return req;
}

static void test_request(void)
{
	static const char *const kinds[] = { "rsa2048", "ecP256", "ecP384" };
	const struct subject_parts subject = { "GB",  "St",   "Loc",
					       "Org", "Unit", "box.example" };

	for (int i = 0; i < 3; i++) {
		struct error e = ERROR_INIT;
		struct signer s = test_key_signer(test_key(kinds[i], 0));
		STACK_OF(X509_EXTENSION) * exts;
		struct buf pem;
		char path[300];
		X509_REQ *req;

		buf_init(&pem, 65536);
		CHECK_OK(
		    cert_request_create(&subject, alt_names, 4, &s, &pem, &e),
		    &e);
		req = read_request(buf_cstr(&pem));
		CU_ASSERT_PTR_NOT_NULL_FATAL(req);
		CU_ASSERT_EQUAL(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)),
				1);
		CU_ASSERT_EQUAL(
		    X509_NAME_entry_count(X509_REQ_get_subject_name(req)), 6);
		exts = X509_REQ_get_extensions(req);
		CU_ASSERT(
		    X509v3_get_ext_by_NID(exts, NID_subject_alt_name, -1) >= 0);
		sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
		X509_REQ_free(req);
		/* The program takes it, too. */
		snprintf(path, sizeof(path), "%s/r.csr", unit_temp_dir());
		test_write_file(path, buf_cstr(&pem));
		test_openssl("req -in %s -verify -noout", path);
		buf_free(&pem);
	}
}

static void test_request_faults(void)
{
	static const struct {
		struct subject_parts subject;
		const char *alt, *words;
	} rows[] = {
		{ { .c = "GBR", .cn = "x" }, NULL, "subject part C" },
		{ { .c = "1!", .cn = "x" }, NULL, "subject part C" },
		{ { .cn = "a\nb" }, NULL, "subject part CN holds control" },
		{ { .o = "\xff", .cn = "x" }, NULL, "subject part O holds" },
		{ { .o = "0123456789012345678901234567890123456789"
			 "0123456789012345678901234" },
		  NULL,
		  "subject part O is longer than 64" },
		{ { NULL }, NULL, "neither a subject" },
		{ { "", "", "", "", "", "" }, NULL, "neither a subject" },
		{ { .cn = "x" }, "box.example", "\"box.example\"" },
		{ { .cn = "x" }, "DNS:", "is not DNS" },
		{ { .cn = "x" }, "DNS:a b", "is not DNS" },
		{ { .cn = "x" }, "DNS:a..b", "is not DNS" },
		{ { .cn = "x" }, "DNS:a*.b", "is not DNS" },
		{ { .cn = "x" }, "DNS:b\xc3\xbcx", "is not DNS" },
		{ { .cn = "x" }, "DNS:a\x01", "control characters" },
		{ { .cn = "x" }, "IP:192.0.2.256", "is not DNS" },
		{ { .cn = "x" }, "IP:192.0.2.0/24", "is not DNS" },
		{ { .cn = "x" }, "IP:", "is not DNS" },
		{ { .cn = "x" }, "URI:box", "is not DNS" },
		{ { .cn = "x" }, "URI:sip:a b", "is not DNS" },
		{ { .cn = "x" }, "email:a@b", "is not DNS" },
		{ { .cn = "x" }, "", "is not DNS" },
	};
	struct signer s = test_key_signer(test_key("ecP256", 0));
	const char *many[101];
	char longest[600] = "DNS:", *p = longest + 4;
	const char *one = longest;
	struct error e = ERROR_INIT;
	struct buf pem;

	buf_init(&pem, 65536);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK_FAILS(cert_request_create(&rows[i].subject, &rows[i].alt,
						rows[i].alt ? 1 : 0, &s, &pem,
						&e),
			    &e, ERR_INPUT, rows[i].words);
	for (size_t i = 0; i < 101; i++)
		many[i] = "DNS:a.example";
	CHECK_FAILS(
	    cert_request_create(&rows[7].subject, many, 101, &s, &pem, &e), &e,
	    ERR_INPUT, "at most 100");
	memset(p, 'a', 580);
	CHECK_FAILS(
	    cert_request_create(&rows[7].subject, &one, 1, &s, &pem, &e), &e,
	    ERR_INPUT, "longer than 512");
	CU_ASSERT_EQUAL(pem.len, 0);
	buf_free(&pem);
}

/* A subject may be empty when there is a name; *.domain may be requested. */
static void test_request_without_subject(void)
{
	static const char *const names[] = { "DNS:*.example", "DNS:a_b.x" };
	const struct subject_parts none = { NULL };
	struct signer s = test_key_signer(test_key("ecP256", 0));
	struct error e = ERROR_INIT;
	struct buf pem;

	buf_init(&pem, 65536);
	CHECK_OK(cert_request_create(&none, names, 2, &s, &pem, &e), &e);
	buf_free(&pem);
}

static int broken_sign(void *arg, enum sign_scheme scheme, enum hash_alg alg,
		       const uint8_t *digest, uint8_t sig[KEY_SIGNATURE_MAX],
		       size_t *sig_len, struct error *e)
{
	(void)scheme;
	(void)alg;
	(void)digest;
	if (!arg)
		return error_set(e, ERR_TOKEN, "the token is gone");
	memset(sig, 1, 64);
	*sig_len = 64;
	return 0;
}

static void test_broken_signer(void)
{
	struct signer s = test_key_signer(test_key("ecP256", 0));
	const struct subject_parts subject = { .cn = "x" };
	struct self_signed_options o = { .subject = subject,
					 .not_before = 1,
					 .not_after = 2 };
	struct error e = ERROR_INIT;
	struct buf pem;

	buf_init(&pem, 65536);
	s.sign = broken_sign;
	s.arg = NULL;
	CU_ASSERT_PTR_NULL(cert_self_sign(&o, &s, &e));
	unit_check_error(&e, ERR_TOKEN, "gone", __FILE__, __LINE__);
	CHECK_FAILS(cert_request_create(&subject, NULL, 0, &s, &pem, &e), &e,
		    ERR_TOKEN, "gone");
	s.arg = &s;
	CU_ASSERT_PTR_NULL(cert_self_sign(&o, &s, &e));
	unit_check_error(&e, ERR_INTERNAL, "verify", __FILE__, __LINE__);
	CHECK_FAILS(cert_request_create(&subject, NULL, 0, &s, &pem, &e), &e,
		    ERR_INTERNAL, "verify");
	o.not_after = 1;
	CU_ASSERT_PTR_NULL(cert_self_sign(&o, &s, &e));
	unit_check_error(&e, ERR_INPUT, "expire", __FILE__, __LINE__);
	buf_free(&pem);
}

static const struct unit_test tests[] = {
	{ "fields", test_fields },
	{ "keys", test_keys },
	{ "CA, version 1, usage, signatures", test_kind_of_certificate },
	{ "signature strength", test_signature_strength },
	{ "strings of all types and hostile ones", test_strings },
	{ "strings that are not what they say", test_broken_strings },
	{ "NUL in an alternative name", test_alt_name_nul },
	{ "damaged DER", test_bad_der },
	{ "self-signed certificate", test_self_sign },
	{ "signing request", test_request },
	{ "signing request, wrong input", test_request_faults },
	{ "signing request without subject", test_request_without_subject },
	{ "broken signer", test_broken_signer },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "cert", tests, NULL, NULL);
}
