/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/pem.h"

#include <string.h>

#define DASHES "-----"
#define BEGIN  "-----BEGIN "
#define END    "-----END "

static bool starts(struct view v, const char *s)
{
	size_t n = strlen(s);

	return v.len >= n && !memcmp(v.ptr, s, n);
}

static struct view from(struct view v, size_t at)
{
	return view_of(v.ptr + at, v.len - at);
}

static struct view find(struct view v, const char *s)
{
	const uint8_t *p = v.len ? memmem(v.ptr, v.len, s, strlen(s)) : NULL;

	return p ? from(v, (size_t)(p - v.ptr)) : view_of(NULL, 0);
}

/* Length of the line end at the front of v: LF, CRLF or a lone CR. */
static size_t line_end(struct view v)
{
	if (starts(v, "\r\n"))
		return 2;
	return v.len && (v.ptr[0] == '\n' || v.ptr[0] == '\r') ? 1 : 0;
}

size_t pem_line_ends(struct view text, const uint8_t *p)
{
	size_t lines = 0, at = 0, n;

	while (at < text.len && text.ptr + at < p) {
		n = line_end(from(text, at));
		lines += n ? 1 : 0;
		at += n ? n : 1;
	}
	return lines;
}

void pem_reader_init(struct pem_reader *r, struct view text)
{
	r->text = text;
	r->at = 0;
	r->line = 1;
}

static void advance(struct pem_reader *r, size_t to)
{
	r->line += pem_line_ends(view_of(r->text.ptr + r->at, to - r->at),
				 r->text.ptr + to);
	r->at = to;
}

static void skip_line(struct pem_reader *r)
{
	size_t at = r->at;

	while (at < r->text.len && !line_end(from(r->text, at)))
		at++;
	if (at < r->text.len)
		at += line_end(from(r->text, at));
	advance(r, at);
}

static void skip_blanks(struct pem_reader *r)
{
	if (starts(from(r->text, r->at), "\xef\xbb\xbf"))
		r->at += 3;
	while (r->at < r->text.len &&
	       (r->text.ptr[r->at] == ' ' || r->text.ptr[r->at] == '\t'))
		r->at++;
}

/* "-----BEGIN LABEL-----" at the front of v: its label, and its length. 0 when
 * the closing dashes are not on the same line. */
static size_t marker(struct view v, const char *word, struct view *label)
{
	size_t start = strlen(word), at = start;

	while (at < v.len && !line_end(from(v, at)) &&
	       !starts(from(v, at), DASHES))
		at++;
	if (at >= v.len || !starts(from(v, at), DASHES))
		return 0;
	*label = view_of(v.ptr + start, at - start);
	return at + strlen(DASHES);
}

/* The reader stands on a BEGIN marker. */
static int read_block(struct pem_reader *r, struct pem_block *out,
		      struct error *e)
{
	struct view v = from(r->text, r->at), end, label;
	size_t n = marker(v, BEGIN, &out->label);

	if (!n)
		return error_set(e, ERR_INPUT, "the BEGIN line is damaged");
	v = from(v, n);
	end = find(v, DASHES);
	if (!end.ptr)
		return error_set(e, ERR_INPUT, "no END line: truncated");
	if (!starts(end, END))
		return error_set(e, ERR_INPUT,
				 "no END line before the next block");
	n = marker(end, END, &label);
	if (!n)
		return error_set(e, ERR_INPUT, "the END line is damaged");
	if (!view_equal(label, out->label))
		return error_set(e, ERR_INPUT,
				 "BEGIN and END line name different things");
	out->body = view_of(v.ptr, (size_t)(end.ptr - v.ptr));
	advance(r, (size_t)(end.ptr - r->text.ptr) + n);
	return 1;
}

int pem_next(struct pem_reader *r, struct pem_block *out, struct error *e)
{
	memset(out, 0, sizeof(*out));
	while (r->at < r->text.len) {
		skip_blanks(r);
		out->line = r->line;
		if (starts(from(r->text, r->at), BEGIN))
			return read_block(r, out, e);
		if (starts(from(r->text, r->at), END))
			return error_set(e, ERR_INPUT,
					 "END line without a BEGIN line");
		skip_line(r);
	}
	return 0;
}

void pem_split_headers(struct view body, struct view *headers,
		       struct view *base64)
{
	size_t at = 0, line_start, n;

	*headers = view_of(body.ptr, 0);
	*base64 = body;
	if (!body.len || !memchr(body.ptr, ':', body.len))
		return;
	while ((n = line_end(from(body, at))) > 0)
		at += n;
	/* Headers end at the first blank line. */
	while (at < body.len) {
		line_start = at;
		while (at < body.len && !line_end(from(body, at)))
			at++;
		if (at == line_start)
			break;
		at += line_end(from(body, at));
	}
	*headers = view_of(body.ptr, at);
	*base64 = from(body, at);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int pem_decode(struct view base64, uint8_t *out, size_t *len_out,
	       size_t *bad_out)
{
	if (base64_decode(base64, out, len_out, bad_out) < 0)
		return -1;
	return *len_out ? 0 : -1;
}

const char *pem_why_none(struct view text)
{
	size_t at = 0;

	while (at < text.len && is_blank(text.ptr[at]))
		at++;
	if (at == text.len)
		return "it is empty";
	if (starts(text, "\xff\xfe") || starts(text, "\xfe\xff"))
		return "it is UTF-16 text; save it as plain text (UTF-8)";
	if (text.ptr[0] == 0x30 && text.len > 1 && text.ptr[1] >= 0x80)
		return "it is binary (DER or PKCS#12); PEM is needed";
	if (memchr(text.ptr, '\0', text.len))
		return "it is binary; PEM is needed";
	return "it has no BEGIN line; PEM is needed";
}
