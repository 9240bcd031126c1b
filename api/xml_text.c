/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/xml_text.h"

#include <inttypes.h>

struct writer {
	struct buf *out;
	bool utf8;
	struct error *e;
};

enum { REPLACEMENT = 0xFFFD };

/* The code point at p of n bytes and its length; REPLACEMENT and 1 for what is
 * not UTF-8 (RFC 3629). */
static uint32_t decode_utf8(const uint8_t *p, size_t n, size_t *len_out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c = p[0];
	size_t len = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : 4;

	*len_out = 1;
	if (c < 0x80)
		return c;
	if (len > n || c < 0xC2 || c > 0xF4)
		return REPLACEMENT;
	c &= 0xFFU >> (len + 1);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return REPLACEMENT;
		c = c << 6 | (p[i] & 0x3F);
	}
	if (c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
		return REPLACEMENT;
	*len_out = len;
	return c;
}

/* XML 1.0 production 2. */
static bool xml_can_carry(uint32_t c)
{
	if (c < 0x20)
		return c == '\t' || c == '\n' || c == '\r';
	return c != 0xFFFE && c != 0xFFFF;
}

static const char *entity_of(uint32_t c)
{
	switch (c) {
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '&': return "&amp;";
	case '\r': return "&#13;"; /* else read as a line feed */
	default: return NULL;
	}
}

static int write_special(struct writer *w, uint32_t c, const uint8_t *p,
			 size_t len)
{
	const char *entity = entity_of(c);

	if (entity)
		return buf_adds(w->out, entity, w->e);
	if (!xml_can_carry(c))
		c = REPLACEMENT;
	if (c == REPLACEMENT && w->utf8)
		return buf_adds(w->out, "\xEF\xBF\xBD", w->e);
	if (!w->utf8)
		return buf_addf(w->out, w->e, "&#%" PRIu32 ";", c);
	return buf_add(w->out, p, len, w->e);
}

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x80 && c != '<' && c != '>' && c != '&';
}

int xml_add_text(struct buf *out, struct view text, bool utf8, struct error *e)
{
	struct writer w = { out, utf8, e };
	size_t i = 0;

	while (i < text.len) {
		size_t run = i, len;
		uint32_t c;

		while (run < text.len && is_plain(text.ptr[run]))
			run++;
		if (buf_add(out, text.ptr + i, run - i, e) < 0)
			return -1;
		i = run;
		if (i == text.len)
			break;
		c = decode_utf8(text.ptr + i, text.len - i, &len);
		if (write_special(&w, c, text.ptr + i, len) < 0)
			return -1;
		i += len;
	}
	return 0;
}
