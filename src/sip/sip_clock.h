/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_CLOCK_H
#define SB_SIP_SIP_CLOCK_H

#include <stdint.h>
#include <sys/time.h>

/* The time that libosip2's timers see. The library asks its own function
 * osip_gettimeofday() through the dynamic linker, so a definition in the
 * program takes its place: it gives the time set here, and each call into the
 * library sees one moment. A library that cannot be overridden that way
 * fails the tests. */

/* Milliseconds of a clock that never goes back, 0 and more. Its own value in
 * each thread. */
void sip_clock_set(int64_t now_ms);
/* A time of the library's on that clock. */
int64_t sip_clock_ms(const struct timeval *library);

#endif
