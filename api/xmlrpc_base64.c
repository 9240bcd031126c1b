/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/xmlrpc.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_encode(struct view bytes, struct buf *out, struct error *e)
{
	const uint8_t *p = bytes.ptr;

	if (buf_reserve(out, (bytes.len + 2) / 3 * 4, e) < 0)
		return -1;
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t n = bytes.len - i;
		uint32_t group = (uint32_t)p[i] << 16;
		char text[4];

		if (n > 1)
			group |= (uint32_t)p[i + 1] << 8;
		if (n > 2)
			group |= p[i + 2];
		text[0] = alphabet[group >> 18];
		text[1] = alphabet[group >> 12 & 63];
		text[2] = n > 1 ? alphabet[group >> 6 & 63] : '=';
		text[3] = n > 2 ? alphabet[group & 63] : '=';
		if (buf_add(out, text, sizeof(text), e) < 0)
			return -1;
	}
	return 0;
}

static int digit_of(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* n digits of one group, the missing ones as zero bits. */
static int add_group(struct buf *out, uint32_t group, unsigned n,
		     struct error *e)
{
	uint8_t bytes[3] = { (uint8_t)(group >> 16), (uint8_t)(group >> 8),
			     (uint8_t)group };

	return buf_add(out, bytes, n - 1, e);
}

int base64_decode(struct view text, struct buf *out, struct error *e)
{
	unsigned digits = 0, padding = 0;
	uint32_t group = 0;

	for (size_t i = 0; i < text.len; i++) {
		int d = digit_of(text.ptr[i]);

		if (is_space(text.ptr[i]))
			continue;
		if (text.ptr[i] == '=' && digits + padding >= 2 &&
		    digits + padding < 4) {
			padding++;
			continue;
		}
		if (d < 0 || padding)
			return error_set(e, ERR_INPUT, "not valid base64");
		group |= (uint32_t)d << (18 - 6 * digits);
		if (++digits < 4)
			continue;
		if (add_group(out, group, digits, e) < 0)
			return -1;
		group = 0;
		digits = 0;
	}
	if (digits == 0 && padding == 0)
		return 0;
	if (digits + padding != 4)
		return error_set(e, ERR_INPUT, "base64 is cut short");
	return add_group(out, group, digits, e);
}
