/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_check.h"

#include <string.h>

enum { MAX_FORWARDS_MAX = 255 };

bool sip_next_word(struct view *rest, struct view *word)
{
	const uint8_t *comma;
	size_t n;

	if (!rest->len)
		return false;
	comma = memchr(rest->ptr, ',', rest->len);
	n = comma ? (size_t)(comma - rest->ptr) : rest->len;
	*word = sip_trim(view_of(rest->ptr, n));
	*rest = comma ? view_of(comma + 1, rest->len - n - 1) : view_of("", 0);
	return true;
}

static bool is_in_list(struct view word, const char *list)
{
	struct view rest = view_str(list), one;

	while (sip_next_word(&rest, &one))
		if (view_equal(word, one))
			return true;
	return false;
}

bool sip_is_supported(struct view option_tag)
{
	return is_in_list(option_tag, SIP_SUPPORTED);
}

/* --- one check each: 0, or -1 with the answer in *why */

static int check_version(const struct sip_head *h, struct sip_refusal *why)
{
	/* Without regard to case (RFC 3261 7.1). */
	if (sip_text_is(h->version, "SIP/2.0"))
		return 0;
	return sip_refuse(why, 505, "not SIP/2.0", h->version);
}

static const struct {
	enum sip_field_id id;
	const char *missing; /* NULL: may be */
	const char *repeated;
} once[] = {
	{ SIP_FROM, "no From", "more than one From" },
	{ SIP_TO, "no To", "more than one To" },
	{ SIP_CALL_ID, "no Call-ID", "more than one Call-ID" },
	{ SIP_CSEQ, "no CSeq", "more than one CSeq" },
	{ SIP_MAX_FORWARDS, NULL, "more than one Max-Forwards" },
	{ SIP_CONTENT_TYPE, NULL, "more than one Content-Type" },
};

static int check_presence(const struct sip_head *h, struct sip_refusal *why)
{
	struct view value;

	if (!sip_head_find(h, SIP_VIA, NULL))
		return sip_refuse(why, 400, "no Via", view_of("", 0));
	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
		size_t n = sip_head_find(h, once[i].id, &value);

		if ((n == 0 || !value.len) && once[i].missing)
			return sip_refuse(why, 400, once[i].missing,
					  view_of("", 0));
		if (n > 1)
			return sip_refuse(why, 400, once[i].repeated, value);
	}
	return 0;
}

/* Quoted texts have an end, and <> are a pair outside of them (RFC 4475
 * 3.1.2.6). */
static bool is_balanced(struct view v)
{
	bool quoted = false, angle = false;

	for (size_t i = 0; i < v.len; i++) {
		uint8_t c = v.ptr[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && c == '<' && angle)
			return false;
		else if (!quoted && c == '>' && !angle)
			return false;
		else if (!quoted && (c == '<' || c == '>'))
			angle = c == '<';
	}
	return !quoted && !angle;
}

static int check_addresses(const struct sip_head *h, struct sip_refusal *why)
{
	for (size_t i = 0; i < h->count; i++) {
		const struct sip_field *f = &h->fields[i];

		if ((f->id == SIP_FROM || f->id == SIP_TO ||
		     f->id == SIP_CONTACT) &&
		    !is_balanced(f->value))
			return sip_refuse(why, 400,
					  "an address with an open quote or <>",
					  f->value);
	}
	return 0;
}

static int check_cseq(const struct sip_head *h, struct sip_refusal *why)
{
	struct view value, number, method;
	uint64_t n;
	size_t i = 0;

	(void)sip_head_find(h, SIP_CSEQ, &value);
	while (i < value.len && value.ptr[i] >= '0' && value.ptr[i] <= '9')
		i++;
	number = view_of(value.ptr, i);
	method = sip_trim(view_of(value.ptr + i, value.len - i));
	if (!sip_number(number, SIP_CSEQ_MAX, &n) || !sip_is_token(method) ||
	    method.len + number.len == value.len)
		return sip_refuse(why, 400,
				  "CSeq is not a number below 2^31 and a "
				  "method",
				  value);
	if (h->request && !view_equal(method, h->method))
		return sip_refuse(why, 400,
				  "the method of CSeq is not that of the "
				  "request",
				  value);
	return 0;
}

static int check_max_forwards(const struct sip_head *h, struct sip_refusal *why)
{
	struct view value;
	uint64_t n;

	if (sip_head_find(h, SIP_MAX_FORWARDS, &value) == 0 ||
	    sip_number(value, MAX_FORWARDS_MAX, &n))
		return 0;
	return sip_refuse(why, 400, "Max-Forwards is not a number up to 255",
			  value);
}

/* SIP/2.0/TRANSPORT sent-by, with blanks allowed around the slashes. Which
 * transport it names does not matter (RFC 4475 3.1.1.10). */
static int check_via(const struct sip_head *h, struct sip_refusal *why)
{
	struct view value, rest;
	const uint8_t *slash;

	for (size_t i = 0; i < h->count; i++) {
		if (h->fields[i].id != SIP_VIA)
			continue;
		value = h->fields[i].value;
		slash = memchr(value.ptr, '/', value.len);
		rest =
		    slash ? view_of(slash + 1,
				    value.len - (size_t)(slash + 1 - value.ptr))
			  : view_of("", 0);
		if (!slash || !memchr(rest.ptr, '/', rest.len) ||
		    !sip_text_is(sip_trim(view_of(value.ptr,
						  (size_t)(slash - value.ptr))),
				 "SIP"))
			return sip_refuse(why, 400, "Via is not SIP/2.0/...",
					  value);
	}
	return 0;
}

/* The parser of libosip2 looks at what follows the scheme. */
static int check_uri(const struct sip_head *h, struct sip_refusal *why)
{
	const uint8_t *colon = memchr(h->uri.ptr, ':', h->uri.len), *at;
	struct view scheme;
	size_t host;

	if (!colon)
		return sip_refuse(why, 400, "the Request-URI has no scheme",
				  h->uri);
	scheme = view_of(h->uri.ptr, (size_t)(colon - h->uri.ptr));
	for (size_t i = 0; i < h->uri.len; i++)
		if (h->uri.ptr[i] <= ' ' || h->uri.ptr[i] == 0x7f ||
		    strchr("<>\"", h->uri.ptr[i]))
			return sip_refuse(why, 400,
					  "the Request-URI holds what no URI "
					  "can",
					  h->uri);
	if (!sip_is_token(scheme))
		return sip_refuse(why, 400, "the Request-URI has no scheme",
				  h->uri);
	if (!sip_text_is(scheme, "sip") && !sip_text_is(scheme, "sips"))
		return sip_refuse(why, 416, "neither sip: nor sips:", scheme);
	/* RFC 3261 19.1.1, table 1: no header fields there. Before the host a
	 * question mark is part of the user. */
	at = memrchr(h->uri.ptr, '@', h->uri.len);
	host = at ? (size_t)(at - h->uri.ptr) : 0;
	if (memchr(h->uri.ptr + host, '?', h->uri.len - host))
		return sip_refuse(
		    why, 400, "the Request-URI brings header fields", h->uri);
	return 0;
}

static int check_method(const struct sip_head *h, struct sip_refusal *why)
{
	if (is_in_list(h->method, SIP_ALLOW))
		return 0;
	return sip_refuse(why, 405, "the method is not served here", h->method);
}

/* RFC 3261 8.2.2.3; not for ACK and CANCEL. The answer names all of them. */
static int check_require(const struct sip_head *h, struct sip_refusal *why)
{
	struct view rest, word;

	if (view_is(h->method, "ACK") || view_is(h->method, "CANCEL"))
		return 0;
	for (size_t i = 0; i < h->count; i++) {
		if (h->fields[i].id != SIP_REQUIRE)
			continue;
		rest = h->fields[i].value;
		while (sip_next_word(&rest, &word))
			if (!sip_is_token(word))
				return sip_refuse(why, 400,
						  "Require is no list of "
						  "option tags",
						  h->fields[i].value);
			else if (!sip_is_supported(word))
				return sip_refuse(why, 420,
						  "an extension that is not "
						  "there is required",
						  word);
	}
	return 0;
}

static int check_length(struct sip_head *h, enum sip_transport transport,
			struct sip_refusal *why)
{
	size_t length;
	int found = sip_head_content_length(h, &length, why);

	if (found < 0)
		return -1;
	if (found == 0 && transport != SIP_UDP)
		return sip_refuse(why, 400, "no Content-Length over a stream",
				  view_of("", 0));
	if (found == 0)
		return 0;
	if (length > h->body.len)
		return sip_refuse(why, 400,
				  "Content-Length is more than there is",
				  view_of("", 0));
	h->body.len = length;
	return 0;
}

/* "application/sdp" and nothing but blanks or parameters behind it. */
static bool is_sdp(struct view type)
{
	const uint8_t *end = memchr(type.ptr, ';', type.len);
	size_t n = end ? (size_t)(end - type.ptr) : type.len;

	return sip_text_is(sip_trim(view_of(type.ptr, n)), "application/sdp");
}

/* Bodies matter where an offer or an answer may stand. */
static int check_body(const struct sip_head *h, struct sip_refusal *why)
{
	struct view value;

	if (!h->body.len || !is_in_list(h->method, "INVITE, UPDATE"))
		return 0;
	if (sip_head_find(h, SIP_CONTENT_ENCODING, &value) &&
	    !sip_text_is(value, "identity"))
		return sip_refuse(why, 415, "an encoding of the body", value);
	if (!sip_head_find(h, SIP_CONTENT_TYPE, &value))
		return sip_refuse(why, 400, "a body without Content-Type",
				  view_of("", 0));
	if (!is_sdp(value))
		return sip_refuse(why, 415, "not application/sdp", value);
	return 0;
}

int sip_check_request(struct sip_head *h, enum sip_transport transport,
		      struct sip_refusal *why)
{
	if (check_version(h, why) < 0 || check_presence(h, why) < 0 ||
	    check_via(h, why) < 0 || check_cseq(h, why) < 0 ||
	    check_addresses(h, why) < 0 || check_max_forwards(h, why) < 0 ||
	    check_length(h, transport, why) < 0 || check_method(h, why) < 0 ||
	    check_uri(h, why) < 0 || check_require(h, why) < 0 ||
	    check_body(h, why) < 0)
		return -1;
	return 0;
}

int sip_check_answer(struct sip_head *h, enum sip_transport transport,
		     struct sip_refusal *why)
{
	if (check_version(h, why) < 0 || check_presence(h, why) < 0 ||
	    check_via(h, why) < 0 || check_cseq(h, why) < 0 ||
	    check_addresses(h, why) < 0 ||
	    check_length(h, transport, why) < 0) {
		why->status = 0;
		return -1;
	}
	return 0;
}
