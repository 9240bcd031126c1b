/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/host_identity.h"

#include <arpa/inet.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/utf8.h"
#include "cert/cert_private.h"

enum { LABEL_MAX = 63 };

static const char label_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

static bool parse_address(const char *text, struct host *out)
{
	size_t len = strlen(text);
	char inner[INET6_ADDRSTRLEN];

	if (inet_pton(AF_INET, text, out->ip) == 1) {
		out->ip_len = 4;
		return true;
	}
	if (len > 2 && text[0] == '[' && text[len - 1] == ']' &&
	    len - 2 < sizeof(inner)) {
		memcpy(inner, text + 1, len - 2);
		inner[len - 2] = '\0';
		text = inner;
	}
	if (inet_pton(AF_INET6, text, out->ip) != 1)
		return false;
	out->ip_len = 16;
	return true;
}

/* Labels of letters, digits, "-" and "_"; the last one not of digits only,
 * which would be an address misspelt. */
static bool parse_name(const char *text, struct host *out)
{
	size_t len = strlen(text);
	const char *label = text;

	if (len && text[len - 1] == '.')
		len--;
	if (!len || len >= sizeof(out->name))
		return false;
	for (const char *end = text + len;;) {
		size_t n = strspn(label, label_characters);

		if (n == 0 || n > LABEL_MAX)
			return false;
		if (label + n == end)
			break;
		if (label[n] != '.')
			return false;
		label += n + 1;
	}
	if (strspn(label, "0123456789") == strspn(label, label_characters))
		return false;
	memcpy(out->name, text, len);
	return true;
}

int host_parse(const char *text, struct host *out, struct error *e)
{
	char shown[100];

	memset(out, 0, sizeof(*out));
	if (parse_address(text, out) || parse_name(text, out))
		return 0;
	utf8_line(view_str(text), shown, sizeof(shown));
	return error_set(e, ERR_INPUT,
			 "\"%s\" is neither a host name nor an address", shown);
}

static bool has_alt_name(const struct cert *c, const char *kind)
{
	for (size_t i = 0; i < c->alt_name_count; i++)
		if (!strncmp(c->alt_names[i], kind, strlen(kind)))
			return true;
	return false;
}

static bool common_name_counts(const struct cert *c)
{
	const X509_NAME *subject = X509_get_subject_name(c->x509);
	int first = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	return first >= 0 &&
	       X509_NAME_get_index_by_NID(subject, NID_commonName, first) < 0 &&
	       !has_alt_name(c, "DNS:") && !has_alt_name(c, "IP:");
}

bool host_is_named_by(const struct host *h, const struct cert *c)
{
	unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
	int rc;

	if (!common_name_counts(c))
		flags |= X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
	if (h->ip_len)
		rc = X509_check_ip(c->x509, h->ip, h->ip_len, flags);
	else
		rc = X509_check_host(c->x509, h->name, strlen(h->name), flags,
				     NULL);
	ERR_clear_error();
	return rc == 1;
}
