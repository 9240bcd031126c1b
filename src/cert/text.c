/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/text.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* Most text of one name: a certificate of CERT_BYTES_MAX, all escaped. */
enum { NAME_TEXT_MAX = 4 * CERT_BYTES_MAX };

/* Characters that change how the text around them looks, or that XML 1.0 does
 * not allow. */
static const struct {
	uint32_t first, last;
} hidden[] = {
	{ 0x00, 0x1f },     { 0x7f, 0x9f },     { 0xad, 0xad },
	{ 0x061c, 0x061c }, { 0x200b, 0x200f }, { 0x2028, 0x202e },
	{ 0x2060, 0x206f }, { 0xd800, 0xdfff }, { 0xfeff, 0xfeff },
	{ 0xfff9, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0xe0fff },
};

static bool is_hidden(uint32_t c)
{
	for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
		if (c >= hidden[i].first && c <= hidden[i].last)
			return true;
	return false;
}

/* Length of the UTF-8 character at the front (RFC 3629); 0 when broken. */
static size_t utf8_char(struct view v, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t c = v.ptr[0];
	size_t n = c < 0x80           ? 1
		   : (c >> 5) == 0x06 ? 2
		   : (c >> 4) == 0x0e ? 3
		   : (c >> 3) == 0x1e ? 4
				      : 0;

	if (!n || v.len < n)
		return 0;
	*out = n == 1 ? c : c & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((v.ptr[i] & 0xc0) != 0x80)
			return 0;
		*out = *out << 6 | (v.ptr[i] & 0x3f);
	}
	return *out < least[n] || *out > 0x10ffff ? 0 : n;
}

bool text_is_plain(struct view v)
{
	uint32_t c = 0;
	size_t n;

	for (size_t at = 0; at < v.len; at += n) {
		n = utf8_char(view_of(v.ptr + at, v.len - at), &c);
		if (!n || is_hidden(c))
			return false;
	}
	return true;
}

static int add_escaped(struct buf *b, struct view v, struct error *e)
{
	for (size_t i = 0; i < v.len; i++)
		if (buf_addf(b, e, "\\%02X", v.ptr[i]) < 0)
			return -1;
	return 0;
}

int text_add_safe(struct buf *b, struct view v, bool escape_backslash,
		  struct error *e)
{
	uint32_t c = 0;
	size_t n;
	int rc;

	for (size_t at = 0; at < v.len; at += n) {
		n = utf8_char(view_of(v.ptr + at, v.len - at), &c);
		if (!n || is_hidden(c)) {
			n = n ? n : 1;
			rc = add_escaped(b, view_of(v.ptr + at, n), e);
		} else if (c == '\\' && escape_backslash) {
			rc = buf_adds(b, "\\\\", e);
		} else {
			rc = buf_add(b, v.ptr + at, n, e);
		}
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int add_hex(struct buf *b, const ASN1_STRING *s, struct error *e)
{
	const uint8_t *p = ASN1_STRING_get0_data(s);
	int n = ASN1_STRING_length(s);

	if (buf_adds(b, "#", e) < 0)
		return -1;
	for (int i = 0; i < n; i++)
		if (buf_addf(b, e, "%02x", p[i]) < 0)
			return -1;
	return 0;
}

int text_add_asn1(struct buf *b, const ASN1_STRING *s, struct error *e)
{
	unsigned char *utf8 = NULL;
	int rc, n = ASN1_STRING_to_UTF8(&utf8, s);

	if (n < 0) {
		ERR_clear_error();
		return add_hex(b, s, e);
	}
	rc = text_add_safe(b, view_of(utf8, (size_t)n), true, e);
	OPENSSL_free(utf8);
	return rc;
}

int text_add_name(struct buf *b, const X509_NAME *n, struct error *e)
{
	const unsigned long flags =
	    XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long len;
	int rc = -1;

	if (!bio)
		return error_nomem(e);
	/* A string that is not what its type says is shown as hex. */
	if (X509_NAME_print_ex(bio, n, 0, flags) < 0 &&
	    (BIO_reset(bio) != 1 ||
	     X509_NAME_print_ex(bio, n, 0, flags | ASN1_STRFLGS_DUMP_ALL) <
		 0)) {
		text_libcrypto_error(e, ERR_CERTIFICATE, "name");
		goto out;
	}
	ERR_clear_error();
	len = BIO_get_mem_data(bio, &p);
	rc = text_add_safe(b, view_of(p, (size_t)len), false, e);
out:
	BIO_free(bio);
	return rc;
}

static int add_address(struct buf *b, const ASN1_STRING *s, struct error *e)
{
	char text[INET6_ADDRSTRLEN];
	int n = ASN1_STRING_length(s);

	if (n != 4 && n != 16)
		return add_hex(b, s, e);
	inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(s), text,
		  sizeof(text));
	return buf_adds(b, text, e);
}

static int add_object(struct buf *b, const ASN1_OBJECT *o, struct error *e)
{
	char oid[128];

	OBJ_obj2txt(oid, sizeof(oid), o, 1);
	return buf_adds(b, oid, e);
}

int text_add_general_name(struct buf *b, const GENERAL_NAME *n, struct error *e)
{
	static const char *const names[] = {
		[GEN_OTHERNAME] = "other:", [GEN_EMAIL] = "email:",
		[GEN_DNS] = "DNS:",         [GEN_X400] = "X400:",
		[GEN_DIRNAME] = "dirName:", [GEN_EDIPARTY] = "EDI:",
		[GEN_URI] = "URI:",         [GEN_IPADD] = "IP:",
		[GEN_RID] = "RID:",
	};
	int type;
	const void *value = GENERAL_NAME_get0_value(n, &type);

	if (type < 0 || type > GEN_RID || buf_adds(b, names[type], e) < 0)
		return -1;
	switch (type) {
	case GEN_EMAIL:
	case GEN_DNS:
	case GEN_URI: return text_add_asn1(b, value, e);
	case GEN_IPADD: return add_address(b, value, e);
	case GEN_DIRNAME: return text_add_name(b, value, e);
	case GEN_RID: return add_object(b, value, e);
	case GEN_OTHERNAME:
		return add_object(b, ((const OTHERNAME *)value)->type_id, e);
	default: return 0;
	}
}

/* All values of one kind, joined by ", ". */
static const char *name_part(const X509_NAME *n, int nid, struct error *e)
{
	struct buf b;
	int at = -1;

	buf_init(&b, NAME_TEXT_MAX);
	if (buf_adds(&b, "", e) < 0)
		goto fail;
	while ((at = X509_NAME_get_index_by_NID(n, nid, at)) >= 0) {
		const ASN1_STRING *s =
		    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(n, at));

		if ((b.len && buf_adds(&b, ", ", e) < 0) ||
		    text_add_asn1(&b, s, e) < 0)
			goto fail;
	}
	return (char *)buf_steal(&b, NULL);
fail:
	buf_free(&b);
	return NULL;
}

int names_fill(struct cert_name *out, const X509_NAME *n, struct error *e)
{
	struct buf text;

	buf_init(&text, NAME_TEXT_MAX);
	if (!(out->c = name_part(n, NID_countryName, e)) ||
	    !(out->st = name_part(n, NID_stateOrProvinceName, e)) ||
	    !(out->l = name_part(n, NID_localityName, e)) ||
	    !(out->o = name_part(n, NID_organizationName, e)) ||
	    !(out->ou = name_part(n, NID_organizationalUnitName, e)) ||
	    !(out->cn = name_part(n, NID_commonName, e)) ||
	    buf_adds(&text, "", e) < 0 || text_add_name(&text, n, e) < 0) {
		buf_free(&text);
		return -1;
	}
	out->text = (char *)buf_steal(&text, NULL);
	return 0;
}

static void free_text(const char *s)
{
	free((void *)(uintptr_t)s);
}

void names_free(struct cert_name *n)
{
	free_text(n->c);
	free_text(n->st);
	free_text(n->l);
	free_text(n->o);
	free_text(n->ou);
	free_text(n->cn);
	free_text(n->text);
}

int text_libcrypto_error(struct error *e, enum error_kind kind,
			 const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	if (code && ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
		error_nomem(e);
	else
		error_set(e, kind, "%s: %s", what,
			  reason ? reason : "refused by libcrypto");
	ERR_clear_error();
	return -1;
}
