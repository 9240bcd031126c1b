/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/refusal_meter.h"

static bool is_over(const struct refusal_meter *m, int64_t now_ms)
{
	return !m->running || now_ms - m->began_ms >= REFUSALS_MINUTE_MS;
}

bool refusal_meter_admit(struct refusal_meter *m, int64_t now_ms)
{
	if (is_over(m, now_ms)) {
		m->running = true;
		m->began_ms = now_ms;
		m->recorded = 0;
	}
	if (m->recorded == REFUSALS_PER_MINUTE) {
		m->suppressed++;
		return false;
	}
	m->recorded++;
	return true;
}

unsigned refusal_meter_settle(struct refusal_meter *m, int64_t now_ms)
{
	unsigned n = m->suppressed;

	if (!is_over(m, now_ms))
		return 0;
	m->suppressed = 0;
	return n;
}
