/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/refusal_meter.h"
#include "tests/lib/unit.h"

/* --- refusals that are written down */

static unsigned admit_often(struct refusal_meter *m, unsigned times, int64_t at)
{
	unsigned admitted = 0;

	for (unsigned i = 0; i < times; i++)
		admitted += refusal_meter_admit(m, at);
	return admitted;
}

static void test_refusal_meter(void)
{
	static const struct step {
		int64_t at;
		unsigned refusals;
		unsigned admitted, settled; /* settled is asked behind them */
	} steps[] = {
		{ 5000, 1, 1, 0 },
		{ 5000, 8, 8, 0 },
		{ 9000, 5, 1, 0 },
		/* Not told before the minute is over. */
		{ 64999, 1, 0, 0 },
		{ 65000, 0, 0, 5 },
		{ 65000, 0, 0, 0 },
		/* A new minute begins with the next one. */
		{ 900000, REFUSALS_PER_MINUTE, REFUSALS_PER_MINUTE, 0 },
		{ 900001, 1000, 0, 0 },
		{ 960000, 0, 0, 1000 },
	};
	struct refusal_meter m = { 0 };

	CU_ASSERT_EQUAL(refusal_meter_settle(&m, 0), 0);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		const struct step *s = &steps[i];

		CU_ASSERT_EQUAL(admit_often(&m, s->refusals, s->at),
				s->admitted);
		CU_ASSERT_EQUAL(refusal_meter_settle(&m, s->at), s->settled);
	}
}

static const struct unit_test tests[] = {
	{ "refusals that are written down", test_refusal_meter },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "app", tests, NULL, NULL);
}
