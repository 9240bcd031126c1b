/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CONFIG_TRIAL_H
#define SB_CONFIG_TRIAL_H

#include "config/settings.h"
#include "store/trial_rows.h"

/* Changes on trial: in force at once, and taken back unless somebody confirms
 * them in time on a connection that was opened after the change - which shows
 * that one still gets in. What to go back to is stored in the same transaction
 * as the change, so that neither a crash nor a restart makes a trial permanent
 * or longer. A setting that is on trial cannot be changed otherwise until the
 * trial has ended. Any thread, except where a settings listener runs. */

enum { TRIALS_MAX = 16, TRIAL_SECONDS_MIN = 10, TRIAL_SECONDS_MAX = 3600 };

struct trial_value {
	enum setting_id id;
	char *from, *to;
};

/* One trial as a value; trial_clear() frees what is inside. */
struct trial {
	struct trial_row row;
	int64_t in_force_ms; /* monotonic; connections before it prove nothing
			      */
	size_t count;
	struct trial_value *values;
};

void trial_clear(struct trial *t);
/* "change 0123456789abcdef of admin: tls.minimumVersion: 1.2 -> 1.3", cut to
 * fit. */
void trial_describe(const struct trial *t, char *out, size_t size);

/* --- decisions, pure --- */

struct trial_clock {
	int64_t wall;         /* seconds */
	int64_t monotonic_ms; /* of this run of the kernel */
	char boot[TRIAL_BOOT_SIZE];
};

/* Milliseconds until it reverts, 0 when that is due. In the run of the kernel
 * that it began in, monotonic time decides and a clock that is set does not
 * matter; after another boot the wall clock does, and a clock that cannot be
 * right (before the beginning, more left than there was) means: due. */
int64_t trial_ms_left(const struct trial_row *t, const struct trial_clock *now);

/* Whether a connection opened at that (monotonic) time shows that one still
 * gets in. After another boot every one does. */
bool trial_may_confirm(const struct trial *t, const struct trial_clock *now,
		       int64_t opened_ms);

/* --- with the settings --- */

void trial_clock_now(struct trial_clock *out);

struct trial_request {
	const char *user_name, *peer; /* who asks; cut to fit */
	int64_t seconds;              /* 10-3600, else ERR_INPUT */
};

/* As settings_change(), on trial. ERR_INPUT: nothing would change; ERR_LIMIT:
 * TRIALS_MAX run. */
int settings_try(struct settings *s, const struct setting_change *changes,
		 size_t count, const struct trial_request *rq,
		 char id_out[TRIAL_ID_SIZE], struct error *e) MUST_CHECK;

/* The trial ends and its values stay. *out: what it was, the caller's to clear.
 * ERR_NO_CHANGE; ERR_CONFLICT: the connection is older than the change. */
int settings_confirm(struct settings *s, const char *id, int64_t opened_ms,
		     struct trial *out, struct error *e) MUST_CHECK;
/* The former values are in force again, whatever else speaks against them.
 * ERR_NO_CHANGE; ERR_IO: they are in force, but could not be stored; the trial
 * stays in the list. */
int settings_revert(struct settings *s, const char *id, struct trial *out,
		    struct error *e) MUST_CHECK;
/* The same with one whose time is over: 1 and *out, 0: there is none. */
int settings_revert_due(struct settings *s, struct trial *out,
			struct error *e) MUST_CHECK;
/* All trials revert, and these changes on top of it, whatever speaks against
 * them, in one transaction. *reverted_out: how many trials. */
int settings_rescue(struct settings *s, const struct setting_change *changes,
		    size_t count, size_t *reverted_out,
		    struct error *e) MUST_CHECK;

/* Whether any runs; without a lock, for timers. */
bool settings_has_trials(struct settings *s);
/* Oldest first, under the lock: each must not change settings. */
int settings_trial_each(struct settings *s,
			int (*each)(void *arg, const struct trial *t,
				    const struct trial_clock *now,
				    struct error *e),
			void *arg, struct error *e) MUST_CHECK;

#endif
