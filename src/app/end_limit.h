/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_END_LIMIT_H
#define SB_APP_END_LIMIT_H

#include <stdbool.h>

/* A PKCS#11 module may never come back from a call, and then nothing that joins
 * its callers does. So the end has a limit, after which the process writes one
 * line and ends itself with status 1. What is being written to the store or to
 * the token then is as after a kill -9: the old or the new state, whole
 * (docs/ARCHITECTURE.md); a restart that was asked for becomes an end.
 *
 * By signals and not by a thread, because what hangs may do so before any other
 * thread is there. Main thread only. */

/* Shorter than TimeoutStopSec of the unit, longer than open requests may take
 * (front.h) and a signature may wait. */
enum { END_LIMIT_SECONDS = 20 };

/* Before anything can hang: from now on, and until the event loop handles them,
 * SIGTERM and SIGINT start the limit. */
void end_limit_prepare(void);
/* A signal came before the event loop could handle it. */
bool end_limit_early(void);
/* The end begins; called again, it goes on. */
void end_limit_start(void);
/* It was reached in time, or the program is executed again. */
void end_limit_clear(void);

#endif
