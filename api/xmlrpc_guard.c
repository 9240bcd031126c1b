/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/xmlrpc_guard.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/xmlrpc.h"

static const struct {
	const char *name; /* as declared */
	bool latin1;      /* else UTF-8, of which ASCII is a part */
} encodings[] = {
	{ "utf-8", false }, { "utf8", false },  { "us-ascii", false },
	{ "ascii", false }, { "latin1", true }, { "iso-8859-1", true },
};

static int encoding_find(const char *name, bool *latin1_out)
{
	for (size_t i = 0; i < sizeof(encodings) / sizeof(*encodings); i++)
		if (!strcasecmp(encodings[i].name, name)) {
			*latin1_out = encodings[i].latin1;
			return 0;
		}
	return -1;
}

static unsigned line_of(struct view body, size_t at)
{
	unsigned line = 1;

	for (size_t i = 0; i < at && i < body.len; i++)
		line += body.ptr[i] == '\n';
	return line;
}

static size_t find(struct view body, size_t from, const char *what)
{
	const uint8_t *p =
	    memmem(body.ptr + from, body.len - from, what, strlen(what));

	return p ? (size_t)(p - body.ptr) : body.len;
}

static bool starts(struct view body, size_t at, const char *what)
{
	size_t n = strlen(what);

	return body.len >= at + n && !memcmp(body.ptr + at, what, n);
}

/* The quoted value behind "encoding" in the declaration, "" without. */
static void declared_encoding(struct view body, char *out, size_t cap)
{
	struct view head = { body.ptr, find(body, 0, "?>") };
	size_t i = find(head, 0, "encoding"), n = 0;
	uint8_t quote;

	out[0] = '\0';
	while (i < head.len && head.ptr[i] != '"' && head.ptr[i] != '\'')
		i++;
	if (i == head.len)
		return;
	quote = head.ptr[i++];
	while (i < head.len && head.ptr[i] != quote && n + 1 < cap)
		out[n++] = (char)head.ptr[i++];
	out[n] = '\0';
}

/* The mark wins over the declaration, the declaration over the header. */
static int choose_encoding(struct view body, bool marked, const char *charset,
			   bool *latin1_out, bool *utf8_out, struct error *e)
{
	char name[32] = "";
	int found = 0;

	*latin1_out = *utf8_out = false;
	if (starts(body, 0, "<?xml"))
		declared_encoding(body, name, sizeof(name));
	if (name[0])
		*utf8_out = !strncasecmp(name, "utf", 3);
	else if (charset)
		snprintf(name, sizeof(name), "%s", charset);
	if (name[0])
		found = encoding_find(name, latin1_out);
	if (found < 0 || (marked && *latin1_out))
		return error_set(e, ERR_INPUT,
				 "line 1: encoding %s is not taken", name);
	return 0;
}

static int add_latin1(struct buf *out, struct view body, struct error *e)
{
	for (size_t i = 0; i < body.len; i++) {
		uint8_t c = body.ptr[i];
		uint8_t two[2] = { (uint8_t)(0xC0 | c >> 6),
				   (uint8_t)(0x80 | (c & 0x3F)) };

		if (buf_add(out, c < 0x80 ? &c : two, c < 0x80 ? 1 : 2, e) < 0)
			return -1;
	}
	return 0;
}

/* The end of a tag that starts at "<", honouring quotes. */
static size_t tag_end(struct view body, size_t at)
{
	uint8_t quote = 0;

	for (; at < body.len; at++) {
		uint8_t c = body.ptr[at];

		if (quote)
			quote = c == quote ? 0 : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '>')
			break;
	}
	return at;
}

/* The next byte to look at behind the markup at "<", or body.len. */
static int skip_markup(struct view body, size_t at, size_t *next_out,
		       struct error *e)
{
	size_t end;

	if (starts(body, at, "<!--")) {
		*next_out = find(body, at + 4, "-->");
	} else if (starts(body, at, "<![CDATA[")) {
		*next_out = find(body, at + 9, "]]>");
	} else if (starts(body, at, "<!")) {
		return error_set(e, ERR_INPUT,
				 "line %u: a document type is not taken",
				 line_of(body, at));
	} else if (starts(body, at, "<?")) {
		*next_out = find(body, at + 2, "?>");
	} else {
		end = tag_end(body, at);
		if (end - at > XMLRPC_TAG_MAX)
			return error_set(e, ERR_LIMIT,
					 "line %u: a tag of more than %d bytes",
					 line_of(body, at), XMLRPC_TAG_MAX);
		*next_out = end;
	}
	return 0;
}

static int look_through(struct view body, struct error *e)
{
	const uint8_t *nul = memchr(body.ptr, 0, body.len), *p;
	size_t at = 0;

	if (nul)
		return error_set(e, ERR_INPUT, "line %u: a NUL byte",
				 line_of(body, (size_t)(nul - body.ptr)));
	while ((p = memchr(body.ptr + at, '<', body.len - at)))
		if (skip_markup(body, (size_t)(p - body.ptr), &at, e) < 0)
			return -1;
	return 0;
}

int xmlrpc_guard(struct view body, const char *charset, struct buf *out,
		 bool *utf8_out, struct error *e)
{
	bool marked = starts(body, 0, "\xEF\xBB\xBF"), latin1;

	if (marked)
		body = view_of(body.ptr + 3, body.len - 3);
	if (body.len == 0)
		return error_set(e, ERR_INPUT, "an empty document");
	if (look_through(body, e) < 0 ||
	    choose_encoding(body, marked, charset, &latin1, utf8_out, e) < 0)
		return -1;
	return latin1 ? add_latin1(out, body, e)
		      : buf_add(out, body.ptr, body.len, e);
}
