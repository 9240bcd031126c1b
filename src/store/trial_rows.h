/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_STORE_TRIAL_ROWS_H
#define SB_STORE_TRIAL_ROWS_H

#include "store/store.h"

/* Changes of settings, several at once, and what must be put back when a change
 * on trial is not confirmed. Any thread. */

struct setting_pair {
	const char *name, *value;
};

enum {
	TRIAL_ID_SIZE = 17,    /* with the NUL, as the other sizes */
	TRIAL_BOOT_SIZE = 40,  /* which run of the kernel */
	TRIAL_USER_SIZE = 128, /* who asked */
	TRIAL_PEER_SIZE = 64,  /* from where */
	TRIAL_VALUES_MAX = 64  /* settings of one trial */
};

struct trial_row {
	char id[TRIAL_ID_SIZE];
	char user_name[TRIAL_USER_SIZE], peer[TRIAL_PEER_SIZE];
	char boot[TRIAL_BOOT_SIZE];
	int64_t started_at, started_ms; /* wall s; monotonic ms of that boot */
	int64_t seconds;                /* until it reverts */
};

/* What one transaction does. */
struct setting_changes {
	const struct setting_pair *values; /* to be in force */
	size_t count;
	/* A trial that begins with it: its values go back to these. */
	const struct trial_row *begin; /* NULL: none */
	const struct setting_pair *from;
	size_t from_count;
	/* Trials that end with it, by id. */
	const char *const *end;
	size_t end_count;
};

/* All or nothing. ERR_LIMIT as store_setting_put(). */
int store_settings_change(struct store *s, const struct setting_changes *c,
			  struct error *e) MUST_CHECK;

/* The trials that have not ended, oldest first. */
int store_trial_each(struct store *s,
		     int (*each)(void *arg, const struct trial_row *t,
				 struct error *e),
		     void *arg, struct error *e) MUST_CHECK;
/* What one of them began with. */
int store_trial_value_each(struct store *s, const char *id,
			   int (*each)(void *arg, const char *name,
				       const char *from, struct error *e),
			   void *arg, struct error *e) MUST_CHECK;

#endif
