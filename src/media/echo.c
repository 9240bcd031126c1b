/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "media/echo.h"

enum {
	UNITS_PER_MS = 8,      /* 8000 Hz */
	JUMP_MAX = 60 * 8000,  /* more, either way, is another clock */
	STEP_MAX_MS = 1 << 24, /* silence counts up to this */
};

/* Where we would be by our own clock. */
static uint32_t due(const struct echo *c, int64_t now_ms)
{
	int64_t passed = now_ms - c->last_at_ms;

	if (passed < 0)
		passed = 0;
	if (passed > STEP_MAX_MS)
		passed = STEP_MAX_MS;
	return c->last + (uint32_t)passed * UNITS_PER_MS;
}

static bool is_jump(const struct echo *c, uint32_t timestamp, int64_t now_ms)
{
	int32_t off = (int32_t)(timestamp + c->distance - due(c, now_ms));

	return off > JUMP_MAX || off < -JUMP_MAX;
}

uint32_t echo_timestamp(struct echo *c, uint32_t source, uint32_t timestamp,
			uint32_t start, int64_t now_ms)
{
	if (!c->begun)
		c->distance = start - timestamp;
	else if (source != c->source || is_jump(c, timestamp, now_ms))
		c->distance = due(c, now_ms) - timestamp;
	c->begun = true;
	c->source = source;
	c->last = timestamp + c->distance;
	c->last_at_ms = now_ms;
	return c->last;
}
