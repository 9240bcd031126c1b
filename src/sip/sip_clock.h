/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_CLOCK_H
#define SB_SIP_SIP_CLOCK_H

#include <stdint.h>

/* The time that libosip2's timers see. The library asks its own function
 * osip_gettimeofday() through the dynamic linker, so a definition in the
 * program takes its place: it gives the time set here, and each call into the
 * library sees one moment. With a library that cannot be overridden that way
 * its timers run by the system's monotonic clock, which is right, too; only
 * tests then have to wait. */

/* Milliseconds of a clock that never goes back, 0 and more. Its own value in
 * each thread. */
void sip_clock_set(int64_t now_ms);

#endif
