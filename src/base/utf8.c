/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/utf8.h"

#include <string.h>

/* By the leading byte: bits of it, total length, least code point. */
static const struct {
	uint8_t mask, lead;
	uint32_t least;
} forms[] = {
	{ 0x80, 0x00, 0 },
	{ 0xe0, 0xc0, 0x80 },
	{ 0xf0, 0xe0, 0x800 },
	{ 0xf8, 0xf0, 0x10000 },
};

size_t utf8_next(struct view s, uint32_t *code_out)
{
	uint32_t code;
	size_t n;

	for (n = 0; n < sizeof(forms) / sizeof(*forms); n++)
		if (s.len && (s.ptr[0] & forms[n].mask) == forms[n].lead)
			break;
	if (n == sizeof(forms) / sizeof(*forms) || s.len < n + 1)
		return 0;
	code = s.ptr[0] & (uint8_t)~forms[n].mask;
	for (size_t i = 1; i <= n; i++) {
		if ((s.ptr[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s.ptr[i] & 0x3f);
	}
	if (code < forms[n].least || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*code_out = code;
	return n + 1;
}

long utf8_count(struct view s)
{
	uint32_t code;
	long count = 0;

	for (size_t n; s.len; s = view_of(s.ptr + n, s.len - n), count++)
		if ((n = utf8_next(s, &code)) == 0)
			return -1;
	return count;
}

bool utf8_is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 ||
	       code == 0x2029 || code == 0xfffe || code == 0xffff;
}

bool utf8_is_plain(struct view s)
{
	uint32_t code;

	for (size_t n; s.len; s = view_of(s.ptr + n, s.len - n))
		if ((n = utf8_next(s, &code)) == 0 || utf8_is_control(code))
			return false;
	return true;
}

void utf8_line(struct view s, char *out, size_t size)
{
	uint32_t code;
	size_t n;

	while (s.len) {
		bool valid = (n = utf8_next(s, &code)) > 0;
		bool control = valid && utf8_is_control(code);
		size_t room = valid && !control ? n : 1;

		if (room >= size)
			break;
		if (valid && !control)
			memcpy(out, s.ptr, n);
		else
			*out = valid ? ' ' : '?';
		out += room;
		size -= room;
		n = valid ? n : 1;
		s = view_of(s.ptr + n, s.len - n);
	}
	*out = '\0';
}
