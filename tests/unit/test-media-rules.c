/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "media/media_private.h"
#include "tests/lib/unit.h"

/* Decisions of the media engine that need no socket. */

/* --- addresses */

static const struct {
	const char *text;
	bool ok, any, many;
} addresses[] = {
	{ "192.0.2.1", true, false, false },
	{ "2001:db8::1", true, false, false },
	{ "fe80::1%lo", true, false, false },
	{ "0.0.0.0", true, true, false },
	{ "::", true, true, false },
	{ "224.0.0.1", true, false, true },
	{ "239.255.255.255", true, false, true },
	{ "255.255.255.255", true, false, true },
	{ "ff02::1", true, false, true },
	{ "", false, false, false },
	{ "example.com", false, false, false },
	{ "192.0.2", false, false, false },
	{ "192.0.2.256", false, false, false },
	{ "192.0.2.1 ", false, false, false },
	{ "[::1]", false, false, false },
	{ "::1/64", false, false, false },
	{ "::ffff:192.0.2.1", false, false, false },
	{ "fe80::1%", false, false, false },
	{ "fe80::1%no-such-link", false, false, false },
	{ "2001:db8::1:2001:db8::1:2001:db8::1:2001:db8::1:2001", false, false,
	  false },
};

static void test_addresses(void)
{
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct error e = ERROR_INIT;
		struct media_address a;
		int rc = media_address_parse(addresses[i].text, 4000, &a, &e);

		if (rc != (addresses[i].ok ? 0 : -1))
			unit_note("address %s", addresses[i].text);
		CU_ASSERT_EQUAL(rc, addresses[i].ok ? 0 : -1);
		CU_ASSERT_EQUAL(media_address_is_set(&a), addresses[i].ok);
		CU_ASSERT_EQUAL(media_address_is_any(&a), addresses[i].any);
		CU_ASSERT_EQUAL(media_address_is_many(&a), addresses[i].many);
		CU_ASSERT_EQUAL(rc == 0 ? media_address_port(&a) : 0,
				addresses[i].ok ? 4000 : 0);
		CU_ASSERT_EQUAL(e.kind, addresses[i].ok ? ERR_NONE : ERR_INPUT);
	}
}

static struct media_address at(const char *text, uint16_t port)
{
	struct media_address a;
	struct error e = ERROR_INIT;

	CHECK_OK(media_address_parse(text, port, &a, &e), &e);
	return a;
}

static void test_same(void)
{
	struct media_address a = at("192.0.2.1", 1), none = { 0 };
	struct media_address six = at("2001:db8::1", 1);
	struct media_address b = at("192.0.2.1", 2), c = at("192.0.2.2", 1);

	CU_ASSERT_TRUE(media_address_equal(&a, &a));
	CU_ASSERT_TRUE(media_address_equal(&six, &six));
	CU_ASSERT_TRUE(media_address_same_host(&a, &b));
	CU_ASSERT_FALSE(media_address_equal(&a, &b));
	CU_ASSERT_FALSE(media_address_same_host(&a, &c));
	CU_ASSERT_FALSE(media_address_same_host(&a, &six));
	CU_ASSERT_FALSE(media_address_equal(&none, &none));
	CU_ASSERT_FALSE(media_address_equal(&none, &a));
}

/* --- the latch */

enum who { ANNOUNCED, OTHER, THIRD };

static const struct {
	enum who who;
	int64_t at;
	enum latch_source looked;
	bool valid; /* its packet was */
	enum who target;
} steps[] = {
	/* Before anything valid: as announced, whoever tries. */
	{ THIRD, 0, LATCH_OTHER, false, ANNOUNCED },
	{ ANNOUNCED, 0, LATCH_HOME, false, ANNOUNCED },
	{ OTHER, 10, LATCH_OTHER, true, OTHER },
	{ ANNOUNCED, 20, LATCH_OTHER, false, OTHER },
	{ THIRD, 10 + LATCH_SILENCE_MS - 1, LATCH_STRANGER, false, OTHER },
	{ THIRD, 10 + LATCH_SILENCE_MS, LATCH_OTHER, false, OTHER },
	{ OTHER, 3000, LATCH_HOME, true, OTHER },
	{ THIRD, 3001, LATCH_STRANGER, false, OTHER },
	{ ANNOUNCED, 3000 + LATCH_SILENCE_MS, LATCH_OTHER, true, ANNOUNCED },
	{ OTHER, 3001 + LATCH_SILENCE_MS, LATCH_STRANGER, false, ANNOUNCED },
	{ OTHER, 9000, LATCH_OTHER, true, OTHER },
	/* Who was faster does not keep out the one that was named. */
	{ ANNOUNCED, 9001, LATCH_OTHER, true, ANNOUNCED },
	{ OTHER, 9002, LATCH_STRANGER, false, ANNOUNCED },
};

static void test_latch(void)
{
	struct media_address who[] = { at("192.0.2.1", 4000),
				       at("192.0.2.1", 4002),
				       at("192.0.2.9", 4000) };
	struct latch l = { 0 };

	CU_ASSERT_PTR_NULL(latch_target(&l));
	latch_announce(&l, &who[ANNOUNCED]);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		const struct media_address *from = &who[steps[i].who];

		if (latch_look(&l, from, steps[i].at) != steps[i].looked)
			unit_note("step %zu", i);
		CU_ASSERT_EQUAL(latch_look(&l, from, steps[i].at),
				steps[i].looked);
		if (steps[i].valid)
			latch_take(&l, from, steps[i].at);
		CU_ASSERT_TRUE(media_address_equal(latch_target(&l),
						   &who[steps[i].target]));
	}
}

static void test_announce(void)
{
	struct media_address a = at("192.0.2.1", 4000), b = at("::1", 4000);
	struct media_address none = { 0 };
	struct latch l = { 0 };

	/* Nowhere until something comes. */
	latch_announce(&l, &none);
	CU_ASSERT_EQUAL(latch_look(&l, &a, 0), LATCH_OTHER);
	latch_take(&l, &a, 0);
	CU_ASSERT_TRUE(media_address_equal(latch_target(&l), &a));
	latch_announce(&l, &none);
	CU_ASSERT_TRUE(l.latched);
	/* Another one lets go, the same one again does not. */
	latch_announce(&l, &b);
	CU_ASSERT_FALSE(l.latched);
	CU_ASSERT_TRUE(media_address_equal(latch_target(&l), &b));
	latch_take(&l, &a, 0);
	latch_announce(&l, &b);
	CU_ASSERT_TRUE(l.latched);
	latch_announce(&l, &none);
	CU_ASSERT_PTR_NULL(latch_target(&l));
}

/* --- timestamps of the echo */

static const struct {
	uint32_t source, timestamp;
	int64_t at;
	uint32_t expected;
} stamps[] = {
	{ 1, 0xffffff60, 0, 5000 },
	{ 1, 0x00000000, 20, 5160 }, /* theirs wraps */
	{ 1, 0x00000140, 60, 5480 }, /* one is missing */
	{ 1, 0x00000140, 80, 5480 }, /* an event goes on */
	{ 2, 777, 100, 5640 },       /* another source: by our clock */
	{ 2, 937, 120, 5800 },
	{ 2, 937 + 8000000, 140, 5960 }, /* its clock was set */
	{ 2, 937 + 8000160, 160, 6120 },
	{ 2, 100, 180, 6280 }, /* and back */
	{ 1, 0, 170, 6280 },   /* our clock does not go back */
	{ 1, 160, 10180, 6440 },
};

static void test_echo(void)
{
	struct echo c = { 0 };

	for (size_t i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++) {
		uint32_t t =
		    echo_timestamp(&c, stamps[i].source, stamps[i].timestamp,
				   5000, stamps[i].at);

		if (t != stamps[i].expected)
			unit_note("stamp %zu: %u", i, t);
		CU_ASSERT_EQUAL(t, stamps[i].expected);
	}
}

/* --- packets per second */

static unsigned take_all(struct media_bucket *b, unsigned rate, int64_t now)
{
	unsigned n = 0;

	while (n < 100000 && media_bucket_take(b, rate, now))
		n++;
	return n;
}

static void test_bucket(void)
{
	struct media_bucket b = { 0 };

	CU_ASSERT_EQUAL(take_all(&b, 50, 1000000), 50);
	CU_ASSERT_EQUAL(take_all(&b, 50, 1000000), 0);
	CU_ASSERT_EQUAL(take_all(&b, 50, 1000019), 0);
	CU_ASSERT_EQUAL(take_all(&b, 50, 1000020), 1);
	CU_ASSERT_EQUAL(take_all(&b, 50, 1000120), 5);
	CU_ASSERT_EQUAL(take_all(&b, 50, 1000100), 0); /* back in time */
	CU_ASSERT_EQUAL(take_all(&b, 50, 9000000), 50);
	CU_ASSERT_EQUAL(take_all(&b, 50, INT64_MAX), 50);
}

static void test_report_wait(void)
{
	int64_t least = MEDIA_RTCP_MS * 10, most = 0;

	for (int i = 0; i < 10000; i++) {
		int64_t ms = media_report_wait_ms();

		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
	}
	CU_ASSERT_TRUE(least >= MEDIA_RTCP_MS / 2);
	CU_ASSERT_TRUE(least < MEDIA_RTCP_MS / 2 + MEDIA_RTCP_MS / 10);
	CU_ASSERT_TRUE(most <= MEDIA_RTCP_MS / 2 + MEDIA_RTCP_MS);
	CU_ASSERT_TRUE(most > MEDIA_RTCP_MS + MEDIA_RTCP_MS / 4);
}

static void test_names(void)
{
	for (int i = 0; i < MEDIA_DROP_COUNT; i++)
		CU_ASSERT_STRING_NOT_EQUAL(media_drop_name((enum media_drop)i),
					   "unknown");
	CU_ASSERT_STRING_EQUAL(media_drop_name(MEDIA_DROP_COUNT), "unknown");
}

static const struct unit_test tests[] = {
	{ "addresses", test_addresses },
	{ "equal addresses", test_same },
	{ "the latch", test_latch },
	{ "announced addresses", test_announce },
	{ "timestamps of the echo", test_echo },
	{ "packets per second", test_bucket },
	{ "time between reports", test_report_wait },
	{ "names", test_names },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "media-rules", tests, NULL, NULL);
}
