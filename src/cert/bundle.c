/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/bundle.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "cert/pem.h"
#include "cert/text.h"

/* The labels that libcrypto reads as certificates. */
static const char *const cert_labels[] = { "CERTIFICATE", "X509 CERTIFICATE",
					   "TRUSTED CERTIFICATE" };

enum { LABEL_COUNT = sizeof(cert_labels) / sizeof(*cert_labels) };

static bool is_cert(struct view label)
{
	for (size_t i = 0; i < LABEL_COUNT; i++)
		if (view_is(label, cert_labels[i]))
			return true;
	return false;
}

static bool ends_in(struct view v, const char *s)
{
	size_t n = strlen(s);

	return v.len >= n && !memcmp(v.ptr + v.len - n, s, n);
}

/* BEGIN markers of certificates, so that a fault can say "3 of 5". */
static size_t count_certs(struct view text)
{
	static const char begin[] = "-----BEGIN ";
	const uint8_t *p = text.ptr, *end = text.ptr + text.len;
	size_t count = 0;

	while (p < end && (p = memmem(p, (size_t)(end - p), begin,
				      sizeof(begin) - 1)) != NULL) {
		p += sizeof(begin) - 1;
		for (size_t i = 0; i < LABEL_COUNT; i++) {
			size_t n = strlen(cert_labels[i]);

			if ((size_t)(end - p) >= n + 2 &&
			    !memcmp(p, cert_labels[i], n) &&
			    !memcmp(p + n, "--", 2))
				count++;
		}
	}
	return count;
}

struct parse {
	struct view text;
	size_t number; /* of the certificate at hand */
	size_t total;
	struct cert_list *out;
	uint8_t *der;            /* room for the largest block */
	struct view passed_over; /* label of the last block of another kind */
};

/* Length of the certificate at the front of a TRUSTED CERTIFICATE, whose rest
 * is libcrypto's own remarks. */
static size_t without_trust(const uint8_t *der, size_t len)
{
	const unsigned char *p = der;
	long n;
	int tag, class;

	if (ASN1_get_object(&p, &n, &tag, &class, (long)len) & 0x80)
		return len;
	return (size_t)(p - der) + (size_t)n;
}

static int keep(struct cert_list *out, const struct cert *c, struct error *e)
{
	for (size_t i = 0; i < out->count; i++)
		if (cert_equal(out->items[i], c))
			return 0;
	return cert_list_add(out, c, e);
}

static int add_cert(struct parse *p, const struct pem_block *b, struct error *e)
{
	struct view headers, base64;
	struct cert *c;
	size_t len = 0, bad = 0;
	int rc;

	pem_split_headers(b->body, &headers, &base64);
	if (base64_decoded_max(base64.len) > 2 * CERT_BYTES_MAX)
		return error_set(e, ERR_LIMIT, "larger than %d bytes",
				 CERT_BYTES_MAX);
	if (pem_decode(base64, p->der, &len, &bad) < 0)
		return error_set(e, ERR_CERTIFICATE,
				 "not valid base64 at line %zu",
				 1 + pem_line_ends(p->text, base64.ptr + bad));
	if (view_is(b->label, "TRUSTED CERTIFICATE"))
		len = without_trust(p->der, len);
	c = cert_from_der(view_of(p->der, len), e);
	if (!c)
		return -1;
	rc = keep(p->out, c, e);
	cert_unref(c);
	return rc;
}

static int add_block(struct parse *p, const struct pem_block *b,
		     struct error *e)
{
	if (ends_in(b->label, "PRIVATE KEY"))
		return error_set(e, ERR_CERTIFICATE,
				 "line %zu: a private key stands among the "
				 "certificates; it belongs into its own field",
				 b->line);
	if (!is_cert(b->label)) {
		p->passed_over = b->label;
		return 0;
	}
	p->number++;
	if (add_cert(p, b, e) < 0)
		return error_prefix(e, "certificate %zu of %zu (line %zu)",
				    p->number, p->total, b->line);
	return 0;
}

/* A fault of the armour itself. */
static int block_fault(struct parse *p, const struct pem_block *b,
		       struct error *e)
{
	e->kind = ERR_CERTIFICATE;
	if (is_cert(b->label))
		return error_prefix(e, "certificate %zu of %zu (line %zu)",
				    p->number + 1, p->total, b->line);
	return error_prefix(e, "line %zu", b->line);
}

static int parse_blocks(struct parse *p, struct error *e)
{
	struct pem_reader r;
	struct pem_block b;
	int rc;

	pem_reader_init(&r, p->text);
	while ((rc = pem_next(&r, &b, e)) > 0)
		if (add_block(p, &b, e) < 0)
			return -1;
	return rc < 0 ? block_fault(p, &b, e) : 0;
}

static int holds_none(const struct parse *p, struct error *e)
{
	static const char none[] = "the certificate file holds no certificate";

	if (p->passed_over.len && text_is_plain(p->passed_over))
		return error_set(e, ERR_CERTIFICATE, "%s but a %.*s", none,
				 (int)p->passed_over.len,
				 (const char *)p->passed_over.ptr);
	return error_set(e, ERR_CERTIFICATE, "%s: %s", none,
			 pem_why_none(p->text));
}

int cert_bundle_parse(struct view pem, struct cert_list *out, struct error *e)
{
	struct parse p = { .text = pem, .out = out };
	int rc;

	out->items = NULL;
	out->count = 0;
	if (pem.len > BUNDLE_BYTES_MAX)
		return error_set(e, ERR_LIMIT,
				 "certificate file of %zu bytes: at most %d",
				 pem.len, BUNDLE_BYTES_MAX);
	p.total = pem.len ? count_certs(pem) : 0;
	if (p.total > BUNDLE_CERTS_MAX)
		return error_set(e, ERR_LIMIT,
				 "%zu certificates: at most %d in one file",
				 p.total, BUNDLE_CERTS_MAX);
	p.der = malloc(2 * CERT_BYTES_MAX);
	if (!p.der)
		return error_nomem(e);
	rc = parse_blocks(&p, e);
	free(p.der);
	if (rc == 0 && out->count == 0)
		rc = holds_none(&p, e);
	if (rc < 0)
		cert_list_free(out);
	return rc;
}
