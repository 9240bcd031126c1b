/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CONFIG_SETTINGS_PRIVATE_H
#define SB_CONFIG_SETTINGS_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "config/setting_values.h"
#include "config/trial.h"

/* What settings.c, settings_change.c and trial.c share. */

_Static_assert(SETTING_COUNT <= 64, "one bit a setting");
_Static_assert((int)SETTING_COUNT <= (int)TRIAL_VALUES_MAX,
	       "one trial of all settings");

/* Numbers (also of bools and choices) are read without a lock; texts change
 * under it. */
struct settings {
	struct store *store;
	pthread_mutex_t change; /* one change at a time; also of the trials */
	pthread_mutex_t texts;
	_Atomic int64_t number[SETTING_COUNT];
	char *text[SETTING_COUNT];
	char *initial[SETTING_COUNT]; /* default in force */

	/* Under change. */
	settings_before_fn *before;
	void *before_arg;
	struct {
		settings_listener_fn *fn;
		void *arg;
	} listeners[SETTINGS_LISTENERS_MAX];
	size_t listener_count;
	struct trial trials[TRIALS_MAX]; /* oldest first */
	atomic_size_t trial_count;       /* read without it */
};

struct setting_plan {
	const struct setting_change *changes;
	size_t count;
	struct trial *begin;    /* gets its former values here */
	const char *const *end; /* ids of trials */
	size_t end_count;
	/* Neither rules nor trials nor settings_before_change() can refuse it,
	 * and it is in force even when it cannot be stored. */
	bool forced;
};

/* settings_change.c; under change. */
int settings_carry_out(struct settings *s, const struct setting_plan *p,
		       struct error *e) MUST_CHECK;

/* trial.c; read what was on trial when the process ended. */
int trials_load(struct settings *s, struct error *e) MUST_CHECK;
/* The trial that a setting is on, NULL: none. */
const struct trial *trial_of_setting(const struct settings *s,
				     enum setting_id id);

#endif
