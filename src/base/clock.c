/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"

#include <stdatomic.h>

static _Atomic int64_t offset_s;

int64_t clock_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 +
	       atomic_load(&offset_s) * 1000;
}

time_t clock_now(void)
{
	return (time_t)(clock_now_ms() / 1000);
}

int64_t clock_monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void clock_set_offset(int64_t seconds)
{
	atomic_store(&offset_s, seconds);
}

static void format(time_t t, const char *fmt, char out[CLOCK_ISO8601_SIZE])
{
	struct tm tm;

	gmtime_r(&t, &tm);
	if (strftime(out, CLOCK_ISO8601_SIZE, fmt, &tm) == 0)
		out[0] = '\0';
}

void clock_format_xmlrpc(time_t t, char out[CLOCK_ISO8601_SIZE])
{
	format(t, "%Y%m%dT%H:%M:%S", out);
}

void clock_format_rfc3339(time_t t, char out[CLOCK_ISO8601_SIZE])
{
	format(t, "%Y-%m-%dT%H:%M:%SZ", out);
}
