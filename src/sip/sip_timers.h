/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_TIMERS_H
#define SB_SIP_SIP_TIMERS_H

#include <stdint.h>

#include "front/list.h"

/* Timers of those above the stack, embedded in their owners. One thread; the
 * time is handed in. */

struct sip_timer {
	struct list node; /* to itself, or zeros: not set */
	int64_t at;
	void (*run)(struct sip_timer *t);
};

struct sip_timers {
	struct list all;
	int64_t next; /* not later than the first of all; -1: none */
};

void sip_timers_init(struct sip_timers *s);
/* Sets it, or sets it anew; run is called once, by sip_timers_run(). */
void sip_timer_set(struct sip_timers *s, struct sip_timer *t, int64_t at,
		   void (*run)(struct sip_timer *t));
/* A timer that is not set is fine. */
void sip_timer_stop(struct sip_timer *t);
/* Runs those that are due; they may set and stop any, and those that they set
 * run at the next call at the earliest. */
void sip_timers_run(struct sip_timers *s, int64_t now_ms);
/* When sip_timers_run() is wanted; -1: nothing is set. */
int64_t sip_timers_wanted(const struct sip_timers *s);

#endif
