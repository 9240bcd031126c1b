/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/subject.h"

#include <arpa/inet.h>
#include <string.h>

#include "cert/text.h"

/* Most alternative names of one request, and bytes of one of them. */
enum { ALT_NAMES_MAX = 100, ALT_NAME_MAX = 512 };
enum { DNS_NAME_MAX = 253, DNS_LABEL_MAX = 63 };

/* Upper bounds in characters: RFC 5280 A.1. */
static const struct part {
	const char *name;
	size_t offset;
	int nid;
	size_t max;
} parts_known[] = {
	{ "C", offsetof(struct subject_parts, c), NID_countryName, 2 },
	{ "ST", offsetof(struct subject_parts, st), NID_stateOrProvinceName,
	  128 },
	{ "L", offsetof(struct subject_parts, l), NID_localityName, 128 },
	{ "O", offsetof(struct subject_parts, o), NID_organizationName, 64 },
	{ "OU", offsetof(struct subject_parts, ou), NID_organizationalUnitName,
	  64 },
	{ "CN", offsetof(struct subject_parts, cn), NID_commonName, 64 },
};

static const char *part_value(const struct subject_parts *parts,
			      const struct part *row)
{
	return *(const char *const *)((const char *)parts + row->offset);
}

static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((uint8_t)*s & 0xc0) != 0x80;
	return n;
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static int check_part(const struct part *row, const char *value,
		      struct error *e)
{
	if (!text_is_plain(view_str(value)))
		return error_set(e, ERR_INPUT,
				 "subject part %s holds control characters or "
				 "is not UTF-8",
				 row->name);
	if (characters(value) > row->max)
		return error_set(e, ERR_INPUT,
				 "subject part %s is longer than %zu "
				 "characters",
				 row->name, row->max);
	if (row->nid == NID_countryName &&
	    (strlen(value) != 2 || !is_letter(value[0]) ||
	     !is_letter(value[1])))
		return error_set(e, ERR_INPUT,
				 "subject part C must be a country code of two "
				 "letters");
	return 0;
}

X509_NAME *subject_make(const struct subject_parts *parts, struct error *e)
{
	X509_NAME *name = X509_NAME_new();

	if (!name) {
		error_nomem(e);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(parts_known) / sizeof(*parts_known);
	     i++) {
		const struct part *row = &parts_known[i];
		const char *value = part_value(parts, row);

		if (!value || !*value)
			continue;
		if (check_part(row, value, e) < 0)
			goto fail;
		if (!X509_NAME_add_entry_by_NID(name, row->nid, MBSTRING_UTF8,
						(const unsigned char *)value,
						-1, -1, 0)) {
			text_libcrypto_error(e, ERR_INPUT, "subject");
			error_prefix(e, "subject part %s", row->name);
			goto fail;
		}
	}
	return name;
fail:
	X509_NAME_free(name);
	return NULL;
}

/* Letters, digits, hyphens and (as some name hosts) underscores in labels; a
 * first label "*" is the requester's business with the CA. */
static bool is_dns_name(const char *s)
{
	size_t label = 0, len = strlen(s);

	if (len == 0 || len > DNS_NAME_MAX)
		return false;
	if (!strncmp(s, "*.", 2))
		s += 2;
	for (; *s; s++) {
		if (*s == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!is_letter(*s) && (*s < '0' || *s > '9') && *s != '-' &&
		    *s != '_')
			return false;
		if (++label > DNS_LABEL_MAX)
			return false;
	}
	return label > 0;
}

/* Visible ASCII with a scheme in front. */
static bool is_uri(const char *s)
{
	const char *colon = strchr(s, ':');

	if (!is_letter(*s) || !colon || !colon[1])
		return false;
	for (; *s; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

static ASN1_STRING *make_text(int type, const char *s)
{
	ASN1_STRING *v = ASN1_STRING_type_new(type);

	if (v && !ASN1_STRING_set(v, s, -1)) {
		ASN1_STRING_free(v);
		v = NULL;
	}
	return v;
}

static ASN1_STRING *make_address(const char *s)
{
	uint8_t bytes[16];
	ASN1_STRING *v;
	int n = inet_pton(AF_INET, s, bytes) == 1    ? 4
		: inet_pton(AF_INET6, s, bytes) == 1 ? 16
						     : 0;

	if (!n)
		return NULL;
	v = ASN1_STRING_type_new(V_ASN1_OCTET_STRING);
	if (v && !ASN1_STRING_set(v, bytes, n)) {
		ASN1_STRING_free(v);
		v = NULL;
	}
	return v;
}

/* NULL when the entry is none of the three kinds or wrong. */
static ASN1_STRING *make_value(const char *entry, int *type)
{
	if (!strncmp(entry, "DNS:", 4) && is_dns_name(entry + 4)) {
		*type = GEN_DNS;
		return make_text(V_ASN1_IA5STRING, entry + 4);
	}
	if (!strncmp(entry, "URI:", 4) && is_uri(entry + 4)) {
		*type = GEN_URI;
		return make_text(V_ASN1_IA5STRING, entry + 4);
	}
	if (!strncmp(entry, "IP:", 3)) {
		*type = GEN_IPADD;
		return make_address(entry + 3);
	}
	return NULL;
}

static int add_alt_name(GENERAL_NAMES *out, const char *entry, struct error *e)
{
	GENERAL_NAME *name;
	ASN1_STRING *value;
	int type = 0;

	if (strlen(entry) > ALT_NAME_MAX)
		return error_set(e, ERR_INPUT,
				 "subject alternative name longer than %d "
				 "bytes",
				 ALT_NAME_MAX);
	if (!text_is_plain(view_str(entry)))
		return error_set(e, ERR_INPUT,
				 "subject alternative name with control "
				 "characters");
	value = make_value(entry, &type);
	if (!value)
		return error_set(e, ERR_INPUT,
				 "subject alternative name \"%s\" is not "
				 "DNS:name, IP:address or URI:scheme:...",
				 entry);
	name = GENERAL_NAME_new();
	if (!name) {
		ASN1_STRING_free(value);
		return error_nomem(e);
	}
	GENERAL_NAME_set0_value(name, type, value);
	if (!sk_GENERAL_NAME_push(out, name)) {
		GENERAL_NAME_free(name);
		return error_nomem(e);
	}
	return 0;
}

GENERAL_NAMES *alt_names_make(const char *const *names, size_t count,
			      struct error *e)
{
	GENERAL_NAMES *out;

	if (count > ALT_NAMES_MAX) {
		error_set(e, ERR_INPUT,
			  "%zu subject alternative names: at most %d", count,
			  ALT_NAMES_MAX);
		return NULL;
	}
	out = sk_GENERAL_NAME_new_null();
	if (!out) {
		error_nomem(e);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		if (add_alt_name(out, names[i], e) < 0) {
			GENERAL_NAMES_free(out);
			return NULL;
		}
	return out;
}
