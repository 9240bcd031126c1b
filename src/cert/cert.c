/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/cert_private.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "cert/cert_key.h"
#include "cert/text.h"

/* Room for one alternative name of the longest certificate, all escaped. */
enum { ALT_NAME_TEXT_MAX = 4 * CERT_BYTES_MAX };

static int to_time(const ASN1_TIME *t, time_t *out)
{
	struct tm tm;

	if (!t || !ASN1_TIME_to_tm(t, &tm))
		return -1;
	*out = timegm(&tm);
	return 0;
}

static int fill_times(struct cert *c, struct error *e)
{
	if (to_time(X509_get0_notBefore(c->x509), &c->not_before) < 0 ||
	    to_time(X509_get0_notAfter(c->x509), &c->not_after) < 0) {
		ERR_clear_error();
		return error_set(e, ERR_CERTIFICATE,
				 "its validity dates cannot be read");
	}
	return 0;
}

static char *hex_of_serial(const ASN1_INTEGER *serial)
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(serial, NULL);
	char *hex = bn ? BN_bn2hex(bn) : NULL, *copy = NULL;

	if (hex)
		copy = strdup(hex);
	for (char *p = copy; p && *p; p++)
		if (*p >= 'A' && *p <= 'F')
			*p = (char)(*p + ('a' - 'A'));
	OPENSSL_free(hex);
	BN_free(bn);
	return copy;
}

static int fill_serial(struct cert *c, struct error *e)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(c->x509);
	int n = i2d_ASN1_INTEGER(serial, &c->serial_der);

	c->serial_text = hex_of_serial(serial);
	if (n <= 0 || !c->serial_text)
		return text_libcrypto_error(e, ERR_CERTIFICATE,
					    "serial number");
	c->serial_der_len = (size_t)n;
	return 0;
}

static int fill_names(struct cert *c, struct error *e)
{
	const X509_NAME *subject = X509_get_subject_name(c->x509);
	const X509_NAME *issuer = X509_get_issuer_name(c->x509);
	int subject_len = i2d_X509_NAME(subject, &c->subject_der);
	int issuer_len = i2d_X509_NAME(issuer, &c->issuer_der);

	if (subject_len <= 0 || issuer_len <= 0)
		return text_libcrypto_error(e, ERR_CERTIFICATE, "name");
	c->subject_der_len = (size_t)subject_len;
	c->issuer_der_len = (size_t)issuer_len;
	if (names_fill(&c->subject, subject, e) < 0)
		return -1;
	return names_fill(&c->issuer, issuer, e);
}

static int fill_alt_names(struct cert *c, struct error *e)
{
	int found = -1, count, rc = -1;
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(c->x509, NID_subject_alt_name, &found, NULL);
	struct buf b;

	if (!names) {
		ERR_clear_error();
		if (found == -1)
			return 0;
		return error_set(e, ERR_CERTIFICATE,
				 "its subjectAltName cannot be read");
	}
	buf_init(&b, ALT_NAME_TEXT_MAX);
	count = sk_GENERAL_NAME_num(names);
	c->alt_names = calloc((size_t)count + 1, sizeof(*c->alt_names));
	if (!c->alt_names) {
		error_nomem(e);
		goto out;
	}
	for (int i = 0; i < count; i++) {
		if (text_add_general_name(&b, sk_GENERAL_NAME_value(names, i),
					  e) < 0)
			goto out;
		c->alt_names[c->alt_name_count++] = (char *)buf_steal(&b, NULL);
	}
	rc = 0;
out:
	buf_free(&b);
	GENERAL_NAMES_free(names);
	return rc;
}

static int fill_signature(struct cert *c, struct error *e)
{
	const X509_ALGOR *alg;
	const ASN1_OBJECT *oid;
	char text[128];

	X509_get0_signature(NULL, &alg, c->x509);
	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	if (OBJ_obj2txt(text, sizeof(text), oid, 0) <= 0)
		snprintf(text, sizeof(text), "unknown");
	c->signature_text = strdup(text);
	return c->signature_text ? 0 : error_nomem(e);
}

static void fill_key_identifier(struct cert *c)
{
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(c->x509);
	const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(c->x509);
	int n = ski ? ASN1_STRING_length(ski) : 0;

	if (n > 0 && (size_t)n <= sizeof(c->key_identifier)) {
		memcpy(c->key_identifier, ASN1_STRING_get0_data(ski),
		       (size_t)n);
		c->key_identifier_len = (size_t)n;
		return;
	}
	hash_of(HASH_SHA1,
		view_of(ASN1_STRING_get0_data(bits),
			(size_t)ASN1_STRING_length(bits)),
		c->key_identifier);
	c->key_identifier_len = SHA1_SIZE;
}

static int fill(struct cert *c, struct view der, struct error *e)
{
	const unsigned char *p = der.ptr;

	c->x509 = d2i_X509(NULL, &p, (long)der.len);
	if (!c->x509) {
		ERR_clear_error();
		return error_set(e, ERR_CERTIFICATE,
				 "not a certificate: its DER cannot be read");
	}
	if (p != der.ptr + der.len)
		return error_set(e, ERR_CERTIFICATE,
				 "bytes behind the certificate");
	c->der = malloc(der.len);
	if (!c->der)
		return error_nomem(e);
	memcpy(c->der, der.ptr, der.len);
	c->der_len = der.len;
	sha256_of(der, c->sha256);
	/* Reads the extensions now; libcrypto does it once, under a lock. */
	(void)X509_check_purpose(c->x509, -1, 0);
	ERR_clear_error();
	if (fill_times(c, e) < 0 || fill_serial(c, e) < 0 ||
	    fill_names(c, e) < 0 || fill_alt_names(c, e) < 0 ||
	    fill_signature(c, e) < 0)
		return -1;
	cert_key_fill(c);
	fill_key_identifier(c);
	return 0;
}

struct cert *cert_from_der(struct view der, struct error *e)
{
	struct cert *c;

	if (der.len > CERT_BYTES_MAX) {
		error_set(e, ERR_LIMIT, "certificate of %zu bytes: at most %d",
			  der.len, CERT_BYTES_MAX);
		return NULL;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		error_nomem(e);
		return NULL;
	}
	atomic_init(&c->refs, 1);
	if (fill(c, der, e) < 0) {
		cert_unref(c);
		return NULL;
	}
	return c;
}

struct cert *cert_ref(const struct cert *c)
{
	struct cert *mine = (struct cert *)(uintptr_t)c;

	atomic_fetch_add(&mine->refs, 1);
	return mine;
}

void cert_unref(struct cert *c)
{
	if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
		return;
	X509_free(c->x509);
	OPENSSL_free(c->subject_der);
	OPENSSL_free(c->issuer_der);
	OPENSSL_free(c->serial_der);
	names_free(&c->subject);
	names_free(&c->issuer);
	for (size_t i = 0; i < c->alt_name_count; i++)
		free(c->alt_names[i]);
	free(c->alt_names);
	free(c->serial_text);
	free(c->signature_text);
	free(c->der);
	free(c);
}

struct view cert_der(const struct cert *c)
{
	return view_of(c->der, c->der_len);
}

const uint8_t *cert_sha256(const struct cert *c)
{
	return c->sha256;
}

bool cert_equal(const struct cert *a, const struct cert *b)
{
	return view_equal(cert_der(a), cert_der(b));
}

int cert_to_pem(const struct cert *c, struct buf *out, struct error *e)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n;
	int rc;

	if (!bio || !PEM_write_bio_X509(bio, c->x509)) {
		rc = text_libcrypto_error(e, ERR_INTERNAL, "PEM");
	} else {
		n = BIO_get_mem_data(bio, &p);
		rc = buf_add(out, p, (size_t)n, e);
	}
	BIO_free(bio);
	return rc;
}

const struct cert_name *cert_subject(const struct cert *c)
{
	return &c->subject;
}

const struct cert_name *cert_issuer(const struct cert *c)
{
	return &c->issuer;
}

struct view cert_subject_der(const struct cert *c)
{
	return view_of(c->subject_der, c->subject_der_len);
}

struct view cert_issuer_der(const struct cert *c)
{
	return view_of(c->issuer_der, c->issuer_der_len);
}

struct view cert_serial_der(const struct cert *c)
{
	return view_of(c->serial_der, c->serial_der_len);
}

const char *cert_serial_text(const struct cert *c)
{
	return c->serial_text;
}

time_t cert_not_before(const struct cert *c)
{
	return c->not_before;
}

time_t cert_not_after(const struct cert *c)
{
	return c->not_after;
}

size_t cert_alt_name_count(const struct cert *c)
{
	return c->alt_name_count;
}

const char *cert_alt_name(const struct cert *c, size_t i)
{
	return c->alt_names[i];
}

const char *cert_signature_text(const struct cert *c)
{
	return c->signature_text;
}

struct view cert_key_identifier(const struct cert *c)
{
	return view_of(c->key_identifier, c->key_identifier_len);
}

void cert_list_free(struct cert_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		cert_unref(l->items[i]);
	free(l->items);
	l->items = NULL;
	l->count = 0;
}

int cert_list_add(struct cert_list *l, const struct cert *c, struct error *e)
{
	/* Grows at powers of two, which count alone tells. */
	if ((l->count & (l->count - 1)) == 0) {
		size_t room = l->count ? 2 * l->count : 1;
		struct cert **items = realloc(l->items, room * sizeof(*items));

		if (!items)
			return error_nomem(e);
		l->items = items;
	}
	l->items[l->count++] = cert_ref(c);
	return 0;
}
