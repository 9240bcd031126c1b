/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/login_name.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "cert/cert_private.h"
#include "cert/text.h"

static size_t count_of(const X509_NAME *subject, int nid)
{
	size_t n = 0;
	int at = -1;

	while ((at = X509_NAME_get_index_by_NID(subject, nid, at)) >= 0)
		n++;
	return n;
}

static bool is_ascii(struct view v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.ptr[i] >= 0x80)
			return false;
	return true;
}

/* NULL: it is fine. */
static const char *why_not(int type, struct view v)
{
	if (type != V_ASN1_UTF8STRING && type != V_ASN1_PRINTABLESTRING)
		return "the common name is neither a UTF8String nor a "
		       "PrintableString";
	if (!v.len)
		return "the common name is empty";
	if (type == V_ASN1_PRINTABLESTRING && !is_ascii(v))
		return "the common name is not what its type says";
	if (utf8_count(v) < 0)
		return "the common name is not valid UTF-8";
	if (!utf8_is_plain(v) || !text_is_plain(v))
		return "the common name holds control or invisible characters";
	return NULL;
}

static bool refuse(struct login_name *out, const char *why)
{
	snprintf(out->reason, sizeof(out->reason), "%s", why);
	return false;
}

bool login_name_of(const struct cert *c, struct login_name *out)
{
	const X509_NAME *subject = X509_get_subject_name(c->x509);
	size_t count = count_of(subject, NID_commonName);
	const ASN1_STRING *s;
	const char *why;
	struct view v;

	memset(out, 0, sizeof(*out));
	if (count == 0)
		return refuse(out, "the subject has no common name");
	if (count > 1) {
		snprintf(out->reason, sizeof(out->reason),
			 "the subject has %zu common names", count);
		return false;
	}
	s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(
	    subject, X509_NAME_get_index_by_NID(subject, NID_commonName, -1)));
	v = view_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
	why = why_not(ASN1_STRING_type(s), v);
	if (why)
		return refuse(out, why);
	if (utf8_count(v) > LOGIN_NAME_CHARACTERS_MAX) {
		snprintf(out->reason, sizeof(out->reason),
			 "the common name has more than %d characters",
			 LOGIN_NAME_CHARACTERS_MAX);
		return false;
	}
	memcpy(out->name, v.ptr, v.len);
	return true;
}
