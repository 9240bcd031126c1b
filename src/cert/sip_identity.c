/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/sip_identity.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "cert/cert_private.h"

enum { PORT_MAX = 65535, PORT_DIGITS_MAX = 5 };

static bool same(const struct host *a, const struct host *b)
{
	if (a->ip_len != b->ip_len)
		return false;
	if (a->ip_len)
		return !memcmp(a->ip, b->ip, a->ip_len);
	return !strcasecmp(a->name, b->name);
}

/* A NUL or anything beyond ASCII is in no host name. */
static int read_host(const char *p, size_t n, struct host *out)
{
	char text[HOST_TEXT_MAX + 1];
	struct error ignored;

	if (n == 0 || n >= sizeof(text) || memchr(p, '\0', n))
		return -1;
	memcpy(text, p, n);
	text[n] = '\0';
	return host_parse(text, out, &ignored);
}

static bool is_visible(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] <= ' ' || p[i] > '~')
			return false;
	return true;
}

/* Length of "sip:" or "sips:", 0 without. */
static size_t scheme_length(const char *p, size_t n)
{
	if (n >= 4 && !strncasecmp(p, "sip:", 4))
		return 4;
	return n >= 5 && !strncasecmp(p, "sips:", 5) ? 5 : 0;
}

static bool is_port(const char *p, size_t n)
{
	unsigned port = 0;
	size_t i = 0;

	for (; i < n && p[i] >= '0' && p[i] <= '9'; i++) {
		if (i == PORT_DIGITS_MAX)
			return false;
		port = port * 10 + (unsigned)(p[i] - '0');
	}
	return n > 0 && i == n && port > 0 && port <= PORT_MAX;
}

int sip_identity_of_uri(const char *p, size_t n, struct host *out)
{
	size_t scheme = scheme_length(p, n), end, host = 0;

	/* Nothing behind the user part holds an "@" that is not escaped. */
	if (!scheme || !is_visible(p, n) || memchr(p, '@', n))
		return -1;
	p += scheme;
	n -= scheme;
	for (end = 0; end < n && p[end] != ';' && p[end] != '?'; end++)
		;
	if (end && p[0] == '[')
		while (host < end && p[host++] != ']')
			;
	else
		while (host < end && p[host] != ':')
			host++;
	if (host < end &&
	    (p[host] != ':' || !is_port(p + host + 1, end - host - 1)))
		return -1;
	if (read_host(p, host, out) < 0)
		return -1;
	/* Brackets and nothing else are around IPv6. */
	return (p[0] == '[') == (out->ip_len == 16) ? 0 : -1;
}

static bool entry_names(const GENERAL_NAME *entry, const struct host *h)
{
	struct host named;
	const char *p;
	size_t n;

	if (entry->type == GEN_IPADD) {
		const ASN1_OCTET_STRING *ip = entry->d.iPAddress;

		return h->ip_len &&
		       (size_t)ASN1_STRING_length(ip) == h->ip_len &&
		       !memcmp(ASN1_STRING_get0_data(ip), h->ip, h->ip_len);
	}
	if (entry->type != GEN_DNS && entry->type != GEN_URI)
		return false;
	p = (const char *)ASN1_STRING_get0_data(entry->d.ia5);
	n = (size_t)ASN1_STRING_length(entry->d.ia5);
	return (entry->type == GEN_URI ? sip_identity_of_uri(p, n, &named)
				       : read_host(p, n, &named)) == 0 &&
	       same(&named, h);
}

static bool common_name_is(const struct cert *c, const struct host *h)
{
	const X509_NAME *subject = X509_get_subject_name(c->x509);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	unsigned char *text = NULL;
	struct host named;
	bool is;
	int n;

	if (at < 0 ||
	    X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
		return false;
	n = ASN1_STRING_to_UTF8(
	    &text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	is = n > 0 && read_host((const char *)text, (size_t)n, &named) == 0 &&
	     same(&named, h);
	OPENSSL_free(text);
	return is;
}

bool sip_host_is_named_by(const struct host *h, const struct cert *c)
{
	enum { ABSENT = -1 }; /* what X509_get_ext_d2i() says of it */
	int state = 0;
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(c->x509, NID_subject_alt_name, &state, NULL);
	bool is = !names && state == ABSENT && common_name_is(c, h);

	for (int i = 0; !is && i < sk_GENERAL_NAME_num(names); i++)
		is = entry_names(sk_GENERAL_NAME_value(names, i), h);
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	return is;
}
