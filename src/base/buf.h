/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_BASE_BUF_H
#define SB_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Borrowed bytes: whoever hands out a view says how long it lives. */
struct view {
	const uint8_t *ptr;
	size_t len;
};

static inline struct view view_of(const void *ptr, size_t len)
{
	struct view v = { (const uint8_t *)ptr, len };

	return v;
}

struct view view_str(const char *s); /* without the NUL; NULL = empty */
bool view_equal(struct view a, struct view b);
bool view_is(struct view a, const char *s);

/* Growing bytes with a maximum. The content is always followed by a NUL that
 * len does not count, so that text can be used as a C string. One owner. */
struct buf {
	uint8_t *ptr;
	size_t len;
	size_t cap;  /* allocated, the NUL included */
	size_t max;  /* most content allowed, bytes */
	bool secret; /* wiped when it grows and when it is freed */
};

void buf_init(struct buf *b, size_t max);
void buf_init_secret(struct buf *b, size_t max);
void buf_free(struct buf *b);  /* ends as an empty buffer of the same max */
void buf_clear(struct buf *b); /* length 0, memory kept (wiped if secret) */
struct view buf_view(const struct buf *b);
const char *buf_cstr(const struct buf *b); /* "" when empty */

/* 0, or -1: ERR_LIMIT past max, ERR_NOMEM. The content is unchanged then. */
int buf_reserve(struct buf *b, size_t more, struct error *e) MUST_CHECK;
int buf_add(struct buf *b, const void *p, size_t n, struct error *e) MUST_CHECK;
int buf_adds(struct buf *b, const char *s, struct error *e) MUST_CHECK;
int buf_addf(struct buf *b, struct error *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4))) MUST_CHECK;

/* Drop n bytes at the front. */
void buf_consume(struct buf *b, size_t n);

/* Hand the memory to the caller (free()), the buffer ends empty. NULL when
 * nothing was ever added. */
uint8_t *buf_steal(struct buf *b, size_t *len_out);

/* Lower-case hex of n bytes into out (2 * n + 1 bytes). */
void hex_encode(const uint8_t *p, size_t n, char *out);
/* Number of bytes written, or -1 when s is not an even run of hex digits or
 * does not fit. */
int hex_decode(const char *s, uint8_t *out, size_t cap);

#endif
