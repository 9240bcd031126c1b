/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/base64.h"

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

size_t base64_decoded_max(size_t chars)
{
	return chars / 4 * 3 + 3;
}

/* The bytes of a group of n digits, the missing ones as zero bits. */
static size_t put_group(uint8_t *out, uint32_t group, unsigned digits)
{
	for (unsigned i = 0; i + 1 < digits; i++)
		out[i] = (uint8_t)(group >> (16 - 8 * i));
	return digits ? digits - 1 : 0;
}

int base64_decode(struct view text, uint8_t *out, size_t *len_out,
		  size_t *bad_out)
{
	unsigned digits = 0, padding = 0;
	uint32_t group = 0;
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		int d = digit_of(c);

		if (is_space(c))
			continue;
		*bad_out = i;
		if (c == '=' && digits >= 2 && digits + padding < 4) {
			padding++;
			continue;
		}
		if (d < 0 || padding)
			return -1;
		group |= (uint32_t)d << (18 - 6 * digits);
		if (++digits < 4)
			continue;
		len += put_group(out + len, group, digits);
		group = 0;
		digits = 0;
	}
	*bad_out = text.len;
	if (digits && digits + padding != 4)
		return -1;
	*len_out = len + put_group(out + len, group, digits);
	return 0;
}
