/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_head.h"

#include <string.h>
#include <strings.h>

/* RFC 3261 7.3.3 and 20: names and short names of the fields that matter
 * here. */
static const struct {
	enum sip_field_id id;
	const char *name, *compact;
} known[] = {
	{ SIP_CALL_ID, "Call-ID", "i" },
	{ SIP_CONTACT, "Contact", "m" },
	{ SIP_CONTENT_ENCODING, "Content-Encoding", "e" },
	{ SIP_CONTENT_LENGTH, "Content-Length", "l" },
	{ SIP_CONTENT_TYPE, "Content-Type", "c" },
	{ SIP_CSEQ, "CSeq", NULL },
	{ SIP_FROM, "From", "f" },
	{ SIP_MAX_FORWARDS, "Max-Forwards", NULL },
	{ SIP_REQUIRE, "Require", NULL },
	{ SIP_TO, "To", "t" },
	{ SIP_VIA, "Via", "v" },
};

static const struct {
	unsigned status;
	const char *reason;
} reasons[] = {
	{ 100, "Trying" },
	{ 180, "Ringing" },
	{ 183, "Session Progress" },
	{ 200, "OK" },
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 413, "Request Entity Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Unsupported URI Scheme" },
	{ 420, "Bad Extension" },
	{ 422, "Session Interval Too Small" },
	{ 480, "Temporarily Unavailable" },
	{ 481, "Call/Transaction Does Not Exist" },
	{ 482, "Loop Detected" },
	{ 486, "Busy Here" },
	{ 487, "Request Terminated" },
	{ 488, "Not Acceptable Here" },
	{ 491, "Request Pending" },
	{ 500, "Server Internal Error" },
	{ 503, "Service Unavailable" },
	{ 505, "Version Not Supported" },
	{ 513, "Message Too Large" },
};

const char *sip_reason(unsigned status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return NULL;
}

int sip_refuse(struct sip_refusal *why, unsigned status, const char *text,
	       struct view offender)
{
	why->status = status;
	why->reason = sip_reason(status);
	why->why = text;
	why->offender = offender;
	return -1;
}

/* --- texts */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static bool is_space(uint8_t c)
{
	return is_blank(c) || c == '\r' || c == '\n';
}

struct view sip_trim(struct view v)
{
	while (v.len && is_space(v.ptr[0]))
		v = view_of(v.ptr + 1, v.len - 1);
	while (v.len && is_space(v.ptr[v.len - 1]))
		v.len--;
	return v;
}

bool sip_text_is(struct view v, const char *wanted)
{
	return v.len == strlen(wanted) &&
	       strncasecmp((const char *)v.ptr, wanted, v.len) == 0;
}

bool sip_is_token(struct view v)
{
	for (size_t i = 0; i < v.len; i++) {
		uint8_t c = v.ptr[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		      (c >= 'a' && c <= 'z') || (c && strchr("-.!%*_+`'~", c))))
			return false;
	}
	return v.len > 0;
}

bool sip_number(struct view v, uint64_t most, uint64_t *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < v.len; i++) {
		uint64_t digit;

		if (v.ptr[i] < '0' || v.ptr[i] > '9')
			return false;
		digit = (uint64_t)(v.ptr[i] - '0');
		if (n > (most - digit) / 10 || digit > most)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return v.len > 0;
}

/* --- lines */

size_t sip_head_length(struct view data, size_t *scanned)
{
	/* The end may straddle what was looked at before. */
	size_t at = *scanned > 3 ? *scanned - 3 : 0;
	const uint8_t *end = NULL;

	if (data.len > at)
		end = memmem(data.ptr + at, data.len - at, "\r\n\r\n", 4);
	*scanned = data.len;
	return end ? (size_t)(end - data.ptr) + 4 : 0;
}

const char *sip_head_fault(struct view head)
{
	for (size_t i = 0; i < head.len; i++) {
		uint8_t c = head.ptr[i];

		if (c == '\0')
			return "NUL in the head";
		if (c == '\r' && (i + 1 == head.len || head.ptr[i + 1] != '\n'))
			return "CR without LF";
		if (c == '\n' && (i == 0 || head.ptr[i - 1] != '\r'))
			return "LF without CR";
	}
	return NULL;
}

/* The line at *at, with the folded ones that belong to it when fold is set,
 * without its last CRLF; *at moves behind that. False at the empty line. */
static bool next_line(struct view head, bool fold, size_t *at, struct view *out)
{
	size_t begin = *at, from = begin;

	while (from < head.len) {
		const uint8_t *end =
		    memmem(head.ptr + from, head.len - from, "\r\n", 2);
		size_t line = end ? (size_t)(end - head.ptr) : head.len;

		if (line == begin)
			return false;
		from = line + 2 < head.len ? line + 2 : head.len;
		if (!fold || from >= head.len || !is_blank(head.ptr[from])) {
			*out = view_of(head.ptr + begin, line - begin);
			*at = from;
			return true;
		}
	}
	return false;
}

/* Up to the first blank; *rest is what follows that one blank. */
static struct view first_word(struct view line, struct view *rest)
{
	const uint8_t *blank = memchr(line.ptr, ' ', line.len);
	size_t n = blank ? (size_t)(blank - line.ptr) : line.len;

	*rest = blank ? view_of(blank + 1, line.len - n - 1) : view_of("", 0);
	return view_of(line.ptr, n);
}

static bool is_version(struct view v)
{
	return v.len >= 4 && strncasecmp((const char *)v.ptr, "SIP/", 4) == 0;
}

static int split_status_line(struct view line, struct sip_head *out,
			     struct sip_refusal *why)
{
	struct view rest, code;
	uint64_t status;

	out->version = first_word(line, &rest);
	code = first_word(rest, &rest);
	if (code.len != 3 || !sip_number(code, 699, &status) || status < 100)
		return sip_refuse(why, 0, "no status code", code);
	out->status = (unsigned)status;
	return 0;
}

/* Method SP Request-URI SP SIP-Version, one blank each (RFC 3261 7.1). */
static int split_request_line(struct view line, struct sip_head *out,
			      struct sip_refusal *why)
{
	struct view rest;

	out->request = true;
	out->method = first_word(line, &rest);
	out->uri = first_word(rest, &rest);
	out->version = rest;
	if (!sip_is_token(out->method))
		return sip_refuse(why, 400, "the start line is no request line",
				  out->method);
	if (!out->uri.len || !is_version(out->version) ||
	    memchr(out->version.ptr, ' ', out->version.len))
		return sip_refuse(why, 400,
				  "the request line is not METHOD URI SIP/2.0",
				  line);
	return 0;
}

static enum sip_field_id find_id(struct view name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (sip_text_is(name, known[i].name) ||
		    (known[i].compact && sip_text_is(name, known[i].compact)))
			return known[i].id;
	return SIP_OTHER_FIELD;
}

static int add_field(struct view line, struct sip_head *out,
		     struct sip_refusal *why)
{
	const uint8_t *colon = memchr(line.ptr, ':', line.len);
	struct sip_field *f = &out->fields[out->count];

	if (!colon)
		return sip_refuse(why, 400, "a header field without a colon",
				  line);
	if (out->count == SIP_FIELDS_MAX)
		return sip_refuse(why, 513, "too many header fields", line);
	f->name = sip_trim(view_of(line.ptr, (size_t)(colon - line.ptr)));
	f->value = sip_trim(
	    view_of(colon + 1, line.len - (size_t)(colon - line.ptr) - 1));
	/* A folded line cannot stand before the first field. */
	if (is_blank(line.ptr[0]) || !sip_is_token(f->name))
		return sip_refuse(why, 400, "not the name of a header field",
				  f->name);
	f->id = find_id(f->name);
	out->count++;
	return 0;
}

/* Goes on behind a field that is wrong: the others may serve the answer. */
static int split_fields(struct view head, size_t at, struct sip_head *out,
			struct sip_refusal *why)
{
	struct sip_refusal later;
	struct view line;
	int rc = 0;

	while (next_line(head, true, &at, &line))
		if (add_field(line, out, rc ? &later : why) < 0)
			rc = -1;
	return rc;
}

int sip_head_split(struct view message, struct sip_head *out,
		   struct sip_refusal *why)
{
	size_t scanned = 0, n = sip_head_length(message, &scanned), at = 0;
	struct sip_refusal later;
	struct view head, line;
	const char *fault;
	int rc;

	memset(out, 0, sizeof(*out));
	if (!n)
		return sip_refuse(why, 400, "the head has no end", message);
	head = view_of(message.ptr, n);
	out->body = view_of(message.ptr + n, message.len - n);
	fault = sip_head_fault(head);
	if (fault)
		return sip_refuse(why, 400, fault, view_of("", 0));
	if (!next_line(head, false, &at, &line))
		return sip_refuse(why, 400, "no start line", view_of("", 0));
	rc = is_version(line) ? split_status_line(line, out, why)
			      : split_request_line(line, out, why);
	if (split_fields(head, at, out, rc ? &later : why) < 0)
		rc = -1;
	return rc;
}

size_t sip_head_find(const struct sip_head *h, enum sip_field_id id,
		     struct view *first)
{
	size_t n = 0;

	if (first)
		*first = view_of("", 0);
	for (size_t i = 0; i < h->count; i++)
		if (h->fields[i].id == id && n++ == 0 && first)
			*first = h->fields[i].value;
	return n;
}

static bool is_digits(struct view v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.ptr[i] < '0' || v.ptr[i] > '9')
			return false;
	return v.len > 0;
}

int sip_head_content_length(const struct sip_head *h, size_t *out,
			    struct sip_refusal *why)
{
	struct view value;
	size_t n = sip_head_find(h, SIP_CONTENT_LENGTH, &value);
	uint64_t number;

	*out = 0;
	if (n > 1)
		return sip_refuse(why, 400, "more than one Content-Length",
				  value);
	if (n == 1 && !is_digits(value))
		return sip_refuse(why, 400, "Content-Length is not a number",
				  value);
	if (n == 1)
		*out = sip_number(value, SIZE_MAX, &number) ? (size_t)number
							    : SIZE_MAX;
	return (int)n;
}
