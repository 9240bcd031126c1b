/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/trial.h"

#include <string.h>

/* When a trial is over, and who may confirm it. */

static bool same_boot(const struct trial_row *t, const struct trial_clock *now)
{
	return t->boot[0] && !strcmp(t->boot, now->boot);
}

int64_t trial_ms_left(const struct trial_row *t, const struct trial_clock *now)
{
	int64_t all = t->seconds * 1000;
	int64_t passed = same_boot(t, now) ? now->monotonic_ms - t->started_ms
					   : (now->wall - t->started_at) * 1000;

	return passed < 0 || passed >= all ? 0 : all - passed;
}

bool trial_may_confirm(const struct trial *t, const struct trial_clock *now,
		       int64_t opened_ms)
{
	return !same_boot(&t->row, now) || opened_ms > t->in_force_ms;
}
