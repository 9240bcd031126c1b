/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_RUN_MARK_H
#define SB_APP_RUN_MARK_H

#include "store/store.h"

/* A file in the state directory that is there while the service runs: found at
 * a start, it says that the run before did not end by itself. */

/* Writes the restart log's line for this start: "Cold boot" after a clean end
 * or on the first start, "unknown" when the mark of an earlier run is still
 * there, none when a method restarted the process (it wrote its own). Then sets
 * the mark. */
int run_mark_set(const char *state_directory, bool restarted, struct store *s,
		 struct error *e) MUST_CHECK;
void run_mark_clear(const char *state_directory);

#endif
