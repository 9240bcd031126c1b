/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_BASE_CLOCK_H
#define SB_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* The one source of time. Wall time decides about certificates, passwords and
 * records and can be replaced in tests; monotonic time decides about deadlines
 * and cannot. Any thread. */

/* Seconds since 1970 UTC, moved by clock_set_offset(). */
time_t clock_now(void);
/* As clock_now(), in milliseconds. */
int64_t clock_now_ms(void);
/* Milliseconds since some fixed point, never going back. */
int64_t clock_monotonic_ms(void);

/* Move wall time by so many seconds (tests: sixty days in a moment). */
void clock_set_offset(int64_t seconds);

#define CLOCK_ISO8601_SIZE 24
/* "20261121T09:15:00", the XML-RPC form in UTC. */
void clock_format_xmlrpc(time_t t, char out[CLOCK_ISO8601_SIZE]);
/* "2026-11-21T09:15:00Z" (RFC 3339). */
void clock_format_rfc3339(time_t t, char out[CLOCK_ISO8601_SIZE]);

#endif
