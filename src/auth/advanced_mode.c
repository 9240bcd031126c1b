/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "auth/users_private.h"
#include "base/clock.h"
#include "base/log.h"

/* Turning the advanced account security mode on has an effect on all accounts.
 * Whether it was carried out is in the store, beside the accounts and written
 * with them in one transaction: a kill between the setting and the accounts is
 * made up for at the next look. */

int users_advanced_load(struct users *u, struct error *e)
{
	int64_t since;

	if (store_advanced_since(u->store, &since, e) < 0)
		return -1;
	atomic_store(&u->advanced, since != 0);
	return 0;
}

static void carry_out(struct users *u, bool wanted, time_t now)
{
	struct error e = ERROR_INIT;
	int rc = 0;

	pthread_mutex_lock(&u->change);
	if (atomic_load(&u->advanced) != wanted) {
		rc = wanted ? store_advanced_begin(u->store, now, &e)
			    : store_advanced_end(u->store, &e);
		if (rc == 0)
			atomic_store(&u->advanced, wanted);
	}
	pthread_mutex_unlock(&u->change);
	if (rc < 0) {
		error_prefix(&e, "advanced account security mode");
		log_failure(LOG_LEVEL_ERROR, "auth", &e);
	}
}

bool users_advanced(struct users *u, time_t now)
{
	bool wanted = settings_bool(u->settings, SETTING_ADVANCED_ACCOUNTS);

	if (atomic_load(&u->advanced) != wanted)
		carry_out(u, wanted, now);
	return wanted;
}

void users_advanced_mode_enabled(struct users *u)
{
	(void)users_advanced(u, clock_now());
}
