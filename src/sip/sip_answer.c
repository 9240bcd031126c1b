/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_answer.h"

#include <string.h>

#include "base/hash.h"
#include "sip/sip_check.h"

enum { TAG_BYTES = 8, TAG_INPUT_MAX = 20000, DEFAULT_PORT = 5060 };

/* A value on one line: the line ends of folding go, the blank behind stays. */
static int add_unfolded(struct buf *out, struct view v, struct error *e)
{
	size_t from = 0;

	for (size_t i = 0; i < v.len; i++) {
		if (v.ptr[i] != '\r' && v.ptr[i] != '\n')
			continue;
		if (buf_add(out, v.ptr + from, i - from, e) < 0)
			return -1;
		from = i + 1;
	}
	return buf_add(out, v.ptr + from, v.len - from, e);
}

/* The first element of a Via value: commas within quotes do not end it. */
static size_t first_element(struct view v)
{
	bool quoted = false;
	size_t i = 0;

	for (; i < v.len && (quoted || v.ptr[i] != ','); i++) {
		if (quoted && v.ptr[i] == '\\')
			i++;
		else if (v.ptr[i] == '"')
			quoted = !quoted;
	}
	return i < v.len ? i : v.len;
}

/* The next ";name=value" of v from *at on, which moves behind it; begin is
 * where its ";" stands. */
static bool next_parameter(struct view v, size_t *at, size_t *begin,
			   struct view *name, bool *has_value)
{
	size_t end;
	const uint8_t *equals;

	while (*at < v.len && v.ptr[*at] != ';')
		(*at)++;
	if (*at == v.len)
		return false;
	*begin = *at;
	for (end = *begin + 1; end < v.len && v.ptr[end] != ';';)
		end++;
	*name = view_of(v.ptr + *begin + 1, end - *begin - 1);
	equals = memchr(name->ptr, '=', name->len);
	*has_value = equals != NULL;
	if (equals)
		name->len = (size_t)(equals - name->ptr);
	*name = sip_trim(*name);
	*at = end;
	return true;
}

/* Is there a parameter rport without a value (RFC 3581 3)? */
static bool asks_for_rport(struct view via, size_t *begin, size_t *length)
{
	struct view name;
	bool has_value;
	size_t at = 0;

	while (next_parameter(via, &at, begin, &name, &has_value))
		if (!has_value && sip_text_is(name, "rport")) {
			*length = at - *begin;
			return true;
		}
	return false;
}

/* RFC 3261 18.2.1 and RFC 3581 4: what the sender cannot know of himself. The
 * address is always given: that it equals sent-by would have to be proved by
 * parsing a name that may be anything. */
static int add_top_via(struct buf *out, struct view value,
		       const struct sip_source *source, struct error *e)
{
	size_t n = first_element(value), at, length = 0;
	struct view top = sip_trim(view_of(value.ptr, n));
	struct view rest = view_of(value.ptr + n, value.len - n);
	bool rport = asks_for_rport(top, &at, &length);

	if (!rport)
		at = top.len;
	if (add_unfolded(out, view_of(top.ptr, at), e) < 0 ||
	    buf_addf(out, e, ";received=%s", source->address) < 0 ||
	    (rport &&
	     buf_addf(out, e, ";rport=%u", (unsigned)source->port) < 0) ||
	    add_unfolded(out,
			 view_of(top.ptr + at + length, top.len - at - length),
			 e) < 0)
		return -1;
	return add_unfolded(out, rest, e);
}

static int add_vias(struct buf *out, const struct sip_head *h,
		    const struct sip_source *source, struct error *e)
{
	bool top = true;

	for (size_t i = 0; i < h->count; i++) {
		const struct sip_field *f = &h->fields[i];

		if (f->id != SIP_VIA)
			continue;
		if (buf_adds(out, "Via: ", e) < 0 ||
		    (top ? add_top_via(out, f->value, source, e)
			 : add_unfolded(out, f->value, e)) < 0 ||
		    buf_adds(out, "\r\n", e) < 0)
			return -1;
		top = false;
	}
	return 0;
}

/* Behind the address in <>, or anywhere when there are none. */
static bool has_tag(struct view to)
{
	const uint8_t *angle = memrchr(to.ptr, '>', to.len);
	size_t at = angle ? (size_t)(angle - to.ptr) : 0, begin;
	struct view name;
	bool has_value;

	while (next_parameter(to, &at, &begin, &name, &has_value))
		if (has_value && sip_text_is(name, "tag"))
			return true;
	return false;
}

/* Of what identifies the request, so that its copies get the same. */
static int add_tag(struct buf *out, const struct sip_head *h, struct view salt,
		   struct error *e)
{
	static const enum sip_field_id ids[] = { SIP_CALL_ID, SIP_FROM,
						 SIP_CSEQ, SIP_VIA };
	uint8_t digest[SHA256_SIZE];
	char hex[2 * TAG_BYTES + 1];
	struct buf in;
	struct view value;
	int rc = -1;

	buf_init(&in, TAG_INPUT_MAX + SIP_ANSWER_MAX);
	if (buf_add(&in, salt.ptr, salt.len, e) < 0)
		goto out;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		(void)sip_head_find(h, ids[i], &value);
		if (buf_add(&in, value.ptr, value.len, e) < 0 ||
		    buf_add(&in, "", 1, e) < 0)
			goto out;
	}
	sha256_of(buf_view(&in), digest);
	hex_encode(digest, TAG_BYTES, hex);
	rc = buf_addf(out, e, ";tag=%s", hex);
out:
	buf_free(&in);
	return rc;
}

static int add_field(struct buf *out, const struct sip_head *h,
		     enum sip_field_id id, const char *name, struct view salt,
		     struct error *e)
{
	struct view value;

	if (!sip_head_find(h, id, &value))
		return 0;
	if (buf_addf(out, e, "%s: ", name) < 0 ||
	    add_unfolded(out, value, e) < 0)
		return -1;
	if (id == SIP_TO && !has_tag(value) && add_tag(out, h, salt, e) < 0)
		return -1;
	return buf_adds(out, "\r\n", e);
}

static int add_unsupported(struct buf *out, const struct sip_head *h,
			   struct error *e)
{
	const char *before = "Unsupported: ";
	struct view rest, word;

	for (size_t i = 0; i < h->count; i++) {
		if (h->fields[i].id != SIP_REQUIRE)
			continue;
		rest = h->fields[i].value;
		while (sip_next_word(&rest, &word)) {
			if (!sip_is_token(word) || sip_is_supported(word))
				continue;
			if (buf_adds(out, before, e) < 0 ||
			    buf_add(out, word.ptr, word.len, e) < 0)
				return -1;
			before = ", ";
		}
	}
	return buf_adds(out, "\r\n", e);
}

/* What the status obliges to say (RFC 3261 21.4). */
static int add_cure(struct buf *out, const struct sip_head *h, unsigned status,
		    struct error *e)
{
	if (status == 405 && buf_adds(out, "Allow: " SIP_ALLOW "\r\n", e) < 0)
		return -1;
	if (status == 415 && buf_adds(out,
				      "Accept: application/sdp\r\n"
				      "Accept-Encoding: identity\r\n",
				      e) < 0)
		return -1;
	if (status == 503 &&
	    buf_addf(out, e, "Retry-After: %d\r\n", SIP_RETRY_AFTER_S) < 0)
		return -1;
	return status == 420 ? add_unsupported(out, h, e) : 0;
}

int sip_answer_refusal(const struct sip_head *request,
		       const struct sip_refusal *why,
		       const struct sip_source *source, struct view salt,
		       struct buf *out, bool *given, struct error *e)
{
	size_t before = out->len;

	*given = request->request && why->status && why->reason &&
		 !view_is(request->method, "ACK") &&
		 sip_head_find(request, SIP_VIA, NULL) &&
		 sip_head_find(request, SIP_CSEQ, NULL);
	if (!*given)
		return 0;
	if (buf_addf(out, e, "SIP/2.0 %u %s\r\n", why->status, why->reason) <
		0 ||
	    add_vias(out, request, source, e) < 0 ||
	    add_field(out, request, SIP_FROM, "From", salt, e) < 0 ||
	    add_field(out, request, SIP_TO, "To", salt, e) < 0 ||
	    add_field(out, request, SIP_CALL_ID, "Call-ID", salt, e) < 0 ||
	    add_field(out, request, SIP_CSEQ, "CSeq", salt, e) < 0 ||
	    add_cure(out, request, why->status, e) < 0 ||
	    buf_addf(out, e, "Warning: 399 sealbridge \"%s\"\r\n", why->why) <
		0 ||
	    buf_adds(out, "Content-Length: 0\r\n\r\n", e) < 0) {
		out->len = before;
		*given = false;
		return -1;
	}
	return 0;
}

/* --- where to */

static struct view behind(struct view v, size_t n)
{
	return sip_trim(view_of(v.ptr + n, v.len - n));
}

/* How many bytes of v stand before the first c; all of them without one. */
static size_t before(struct view v, char c)
{
	const uint8_t *at = memchr(v.ptr, c, v.len);

	return at ? (size_t)(at - v.ptr) : v.len;
}

/* "host:port" out of "SIP/2.0/UDP host:port;parameters". */
static struct view sent_by(struct view via)
{
	struct view rest = sip_trim(view_of(via.ptr, before(via, ';')));

	for (int slashes = 0; slashes < 2 && rest.len; slashes++) {
		size_t n = before(rest, '/');

		rest = behind(rest, n < rest.len ? n + 1 : n);
	}
	return behind(rest, before(rest, ' '));
}

uint16_t sip_answer_port(const struct sip_head *request, uint16_t source_port)
{
	struct view via, name, rest;
	size_t at = 0, begin;
	bool has_value;
	uint64_t port;

	if (!request->request || !sip_head_find(request, SIP_VIA, &via))
		return source_port;
	via = view_of(via.ptr, first_element(via));
	while (next_parameter(via, &at, &begin, &name, &has_value))
		if (sip_text_is(name, "rport"))
			return source_port;
	rest = sent_by(via);
	if (!rest.len)
		return source_port;
	rest = behind(rest, rest.ptr[0] == '[' ? before(rest, ']')
					       : before(rest, ':'));
	if (rest.len && rest.ptr[0] == ']')
		rest = behind(rest, 1);
	if (!rest.len)
		return DEFAULT_PORT;
	if (rest.ptr[0] != ':' ||
	    !sip_number(behind(rest, 1), UINT16_MAX, &port) || port == 0)
		return source_port;
	return (uint16_t)port;
}
