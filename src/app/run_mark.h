/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_RUN_MARK_H
#define SB_APP_RUN_MARK_H

#include "store/store.h"

/* A file in the state directory ("running") that is there while the service
 * runs and gets another name ("last-run") when it ends by itself: found at a
 * start, it says that the run before broke off. It holds the version and the
 * boot of that run, so that the restart log can say what it was. */

enum { RUN_VERSION_SIZE = 32, RUN_BOOT_SIZE = 40 };

/* What an earlier run has left. */
struct run_mark {
	enum run_before { RUN_NONE, RUN_ENDED, RUN_BROKE_OFF } before;
	char version[RUN_VERSION_SIZE], boot[RUN_BOOT_SIZE]; /* "": not known */
};

/* The line of the restart log for a start of that version in that boot: the
 * reason in the words of the original's device.restartlog.query and what there
 * is to say about it. False: none; a restart in the same process wrote its own
 * already, unless it brought another version. Pure. */
bool run_mark_judge(const struct run_mark *mark, const char *version,
		    const char *boot, bool restarted, const char **reason_out,
		    char detail[STORE_NAME_MAX + 1]);

/* Writes that line, then sets the mark. *unclean_out: the run before broke off.
 */
int run_mark_set(const char *state_directory, bool restarted, struct store *s,
		 bool *unclean_out, struct error *e) MUST_CHECK;
void run_mark_clear(const char *state_directory);

#endif
