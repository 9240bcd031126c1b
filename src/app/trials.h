/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_TRIALS_H
#define SB_APP_TRIALS_H

#include <uv.h>

#include "audit/audit.h"
#include "config/trial.h"

/* Takes back changes on trial whose time is over: those of a process before
 * this one at once, the others by a timer. */

struct trials {
	struct settings *settings;
	struct audit *audit;
	uv_timer_t timer;
	uv_work_t work;
	bool started, busy, failed;
};

/* Loop, before anything listens. *t stays where it is until the loop's handles
 * are closed. */
void trials_start(struct trials *t, uv_loop_t *loop, struct settings *settings,
		  struct audit *audit);
/* Loop. Nothing is taken back any more by time; the next start goes on. */
void trials_stop(struct trials *t);

#endif
