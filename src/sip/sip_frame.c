/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_frame.h"

#include <string.h>
#include <strings.h>

enum { DIGITS_MAX = 9 }; /* of a length: more would be past every limit */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* Length of the head, the empty line included; 0 while it has no end. */
static size_t find_head(struct sip_framer *f, struct view data)
{
	/* The end may straddle what was looked at before. */
	size_t at = f->scanned > 3 ? f->scanned - 3 : 0;
	const uint8_t *end = NULL;

	if (data.len > at)
		end = memmem(data.ptr + at, data.len - at, "\r\n\r\n", 4);
	f->scanned = data.len;
	return end ? (size_t)(end - data.ptr) + 4 : 0;
}

/* The header field that begins at *at, folded lines included, without its last
 * CRLF; *at moves behind it. False at the empty line. */
static bool next_field(struct view head, size_t *at, struct view *field)
{
	size_t begin = *at, from = begin;

	while (from < head.len) {
		const uint8_t *end =
		    memmem(head.ptr + from, head.len - from, "\r\n", 2);
		size_t line = end ? (size_t)(end - head.ptr) : head.len;

		from = line + 2 < head.len ? line + 2 : head.len;
		if (line == begin)
			return false;
		if (from >= head.len || !is_blank(head.ptr[from])) {
			*field = view_of(head.ptr + begin, line - begin);
			*at = from;
			return true;
		}
	}
	return false;
}

/* Blanks and the line ends of folding around a value. */
static struct view trimmed(struct view v)
{
	while (v.len &&
	       (is_blank(v.ptr[0]) || v.ptr[0] == '\r' || v.ptr[0] == '\n'))
		v = view_of(v.ptr + 1, v.len - 1);
	while (v.len && (is_blank(v.ptr[v.len - 1]) ||
			 v.ptr[v.len - 1] == '\r' || v.ptr[v.len - 1] == '\n'))
		v.len--;
	return v;
}

static bool name_is(struct view name, const char *wanted)
{
	return name.len == strlen(wanted) &&
	       strncasecmp((const char *)name.ptr, wanted, name.len) == 0;
}

static bool is_content_length(struct view field, struct view *value)
{
	const uint8_t *colon = memchr(field.ptr, ':', field.len);
	struct view name;

	if (!colon)
		return false;
	name = trimmed(view_of(field.ptr, (size_t)(colon - field.ptr)));
	*value = trimmed(
	    view_of(colon + 1, field.len - (size_t)(colon - field.ptr) - 1));
	return name_is(name, "content-length") || name_is(name, "l");
}

static int read_length(struct view value, size_t *out, const char **why)
{
	*out = 0;
	*why = "Content-Length is not a number";
	if (!value.len)
		return -1;
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] < '0' || value.ptr[i] > '9')
			return -1;
		if (value.len <= DIGITS_MAX)
			*out = *out * 10 + (size_t)(value.ptr[i] - '0');
	}
	if (value.len > DIGITS_MAX)
		*out = SIZE_MAX;
	*why = NULL;
	return 1;
}

int sip_frame_content_length(struct view head, size_t *out, const char **why)
{
	struct view field, value;
	size_t at = 0;
	int found = 0;

	*out = 0;
	*why = NULL;
	/* The start line has no name. */
	if (!next_field(head, &at, &field))
		return 0;
	while (next_field(head, &at, &field)) {
		if (!is_content_length(field, &value))
			continue;
		if (found) {
			*why = "more than one Content-Length";
			return -1;
		}
		found = read_length(value, out, why);
		if (found < 0)
			return -1;
	}
	return found;
}

/* CR and LF come as a pair, and there is no NUL. */
static const char *find_fault(struct view head)
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

static enum sip_frame_step refuse(struct sip_frame *out, unsigned status,
				  const char *why)
{
	out->status = status;
	out->why = why;
	return SIP_FRAME_REFUSED;
}

/* What stands before a message; MESSAGE: nothing does. */
static enum sip_frame_step blank_step(struct view data, struct sip_frame *out)
{
	if (data.ptr[0] != '\r')
		return SIP_FRAME_MESSAGE;
	/* A lone CRLF may be the first half of a ping. */
	if (memcmp(data.ptr, "\r\n\r\n", data.len < 4 ? data.len : 4) == 0) {
		if (data.len < 4)
			return SIP_FRAME_MORE;
		out->length = 4;
		return SIP_FRAME_PING;
	}
	if (data.ptr[1] != '\n')
		return refuse(out, 400, "CR without LF");
	out->length = 2;
	return SIP_FRAME_BLANK;
}

/* The head is whole: how long is the message? MORE: f->total says. */
static enum sip_frame_step measure(struct sip_framer *f, struct view head,
				   struct sip_frame *out)
{
	size_t body;
	int found;

	out->head = head.len;
	out->why = find_fault(head);
	if (out->why)
		return refuse(out, 400, out->why);
	found = sip_frame_content_length(head, &body, &out->why);
	if (found < 0)
		return refuse(out, 400, out->why);
	if (found == 0)
		return refuse(out, 400, "no Content-Length over a stream");
	if (body > SIP_BODY_MAX)
		return refuse(out, 513, "body too large");
	f->head = head.len;
	f->total = head.len + body;
	return SIP_FRAME_MORE;
}

static enum sip_frame_step message_step(struct sip_framer *f, struct view data,
					struct sip_frame *out)
{
	enum sip_frame_step step;
	size_t head;

	if (!f->total) {
		head = find_head(f, data);
		if (head > SIP_HEAD_MAX || (!head && data.len > SIP_HEAD_MAX))
			return refuse(out, 513, "head too large");
		if (!head)
			return SIP_FRAME_MORE;
		step = measure(f, view_of(data.ptr, head), out);
		if (step != SIP_FRAME_MORE)
			return step;
	}
	if (data.len < f->total)
		return SIP_FRAME_MORE;
	out->head = f->head;
	out->length = f->total;
	return SIP_FRAME_MESSAGE;
}

enum sip_frame_step sip_framer_next(struct sip_framer *f, struct view data,
				    struct sip_frame *out)
{
	enum sip_frame_step step = SIP_FRAME_MESSAGE;

	memset(out, 0, sizeof(*out));
	if (!data.len)
		return SIP_FRAME_MORE;
	if (!f->scanned)
		step = blank_step(data, out);
	if (step == SIP_FRAME_MESSAGE)
		step = message_step(f, data, out);
	if (step != SIP_FRAME_MORE)
		memset(f, 0, sizeof(*f));
	return step;
}
