/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

enum { FIRST_CAPACITY = 64 };

struct view view_str(const char *s)
{
	return view_of(s, s ? strlen(s) : 0);
}

bool view_equal(struct view a, struct view b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.ptr, b.ptr, a.len));
}

bool view_is(struct view a, const char *s)
{
	return view_equal(a, view_str(s));
}

void buf_init(struct buf *b, size_t max)
{
	memset(b, 0, sizeof(*b));
	b->max = max;
}

void buf_init_secret(struct buf *b, size_t max)
{
	buf_init(b, max);
	b->secret = true;
}

void buf_free(struct buf *b)
{
	if (b->ptr && b->secret)
		secret_wipe(b->ptr, b->cap);
	free(b->ptr);
	b->ptr = NULL;
	b->len = b->cap = 0;
}

void buf_clear(struct buf *b)
{
	if (b->ptr && b->secret)
		secret_wipe(b->ptr, b->cap);
	b->len = 0;
	if (b->ptr)
		b->ptr[0] = '\0';
}

struct view buf_view(const struct buf *b)
{
	return view_of(b->ptr, b->len);
}

const char *buf_cstr(const struct buf *b)
{
	return b->ptr ? (const char *)b->ptr : "";
}

int buf_reserve(struct buf *b, size_t more, struct error *e)
{
	size_t need, cap;
	uint8_t *p;

	if (more > b->max || b->len > b->max - more)
		return error_set(e, ERR_LIMIT, "more than %zu bytes", b->max);
	need = b->len + more + 1;
	if (need <= b->cap)
		return 0;
	cap = b->cap ? b->cap : FIRST_CAPACITY;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	/* Not realloc(): it would leave an unwiped copy of a secret. */
	p = malloc(cap);
	if (!p)
		return error_nomem(e);
	if (b->len)
		memcpy(p, b->ptr, b->len);
	p[b->len] = '\0';
	if (b->ptr && b->secret)
		secret_wipe(b->ptr, b->cap);
	free(b->ptr);
	b->ptr = p;
	b->cap = cap;
	return 0;
}

int buf_add(struct buf *b, const void *p, size_t n, struct error *e)
{
	if (buf_reserve(b, n, e) < 0)
		return -1;
	if (n)
		memcpy(b->ptr + b->len, p, n);
	b->len += n;
	b->ptr[b->len] = '\0';
	return 0;
}

int buf_adds(struct buf *b, const char *s, struct error *e)
{
	return buf_add(b, s, strlen(s), e);
}

int buf_addf(struct buf *b, struct error *e, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return error_set(e, ERR_INTERNAL, "format \"%s\"", fmt);
	if (buf_reserve(b, (size_t)n, e) < 0)
		return -1;
	va_start(ap, fmt);
	vsnprintf((char *)b->ptr + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

void buf_consume(struct buf *b, size_t n)
{
	if (n >= b->len) {
		buf_clear(b);
		return;
	}
	memmove(b->ptr, b->ptr + n, b->len - n);
	if (b->secret)
		secret_wipe(b->ptr + b->len - n, n);
	b->len -= n;
	b->ptr[b->len] = '\0';
}

uint8_t *buf_steal(struct buf *b, size_t *len_out)
{
	uint8_t *p = b->ptr;

	if (len_out)
		*len_out = b->len;
	b->ptr = NULL;
	b->len = b->cap = 0;
	return p;
}

void hex_encode(const uint8_t *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * n] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(const char *s, uint8_t *out, size_t cap)
{
	size_t n = strlen(s);

	if (n % 2 || n / 2 > cap || n / 2 > INT32_MAX)
		return -1;
	for (size_t i = 0; i < n / 2; i++) {
		int hi = hex_value(s[2 * i]), lo = hex_value(s[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -1;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return (int)(n / 2);
}
