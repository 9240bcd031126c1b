/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_REFUSAL_METER_H
#define SB_APP_REFUSAL_METER_H

#include <stdbool.h>
#include <stdint.h>

/* How many refusals are written down: strangers cause them, and must not be
 * able to fill the audit trail. Pure; whoever shares one locks. */

enum { REFUSALS_PER_MINUTE = 10, REFUSALS_MINUTE_MS = 60000 };

struct refusal_meter {
	bool running;
	int64_t began_ms; /* of the minute that runs */
	unsigned recorded, suppressed;
};

/* One more: whether to write it down. */
bool refusal_meter_admit(struct refusal_meter *m, int64_t now_ms);
/* How many were not, in a minute that is over; each is told once. */
unsigned refusal_meter_settle(struct refusal_meter *m, int64_t now_ms);

#endif
