/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_clock.h"

#include <osip2/osip_time.h>

#include "base/clock.h"

/* The library takes a second of -1 for a timer that does not run. */
enum { AHEAD_MS = 1000 };

static _Thread_local int64_t set_ms = -1;

void sip_clock_set(int64_t now_ms)
{
	set_ms = now_ms;
}

int64_t sip_clock_ms(const struct timeval *library)
{
	return (int64_t)library->tv_sec * 1000 + library->tv_usec / 1000 -
	       AHEAD_MS;
}

/* Visible, else the linker would not show it to the library. */
__attribute__((visibility("default"))) int osip_gettimeofday(struct timeval *tp,
							     void *tz)
{
	int64_t ms = (set_ms < 0 ? clock_monotonic_ms() : set_ms) + AHEAD_MS;

	(void)tz;
	tp->tv_sec = (time_t)(ms / 1000);
	tp->tv_usec = (suseconds_t)(ms % 1000 * 1000);
	return 0;
}
