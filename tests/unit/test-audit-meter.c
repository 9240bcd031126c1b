/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "audit/audit.h"
#include "audit/audit_meter.h"
#include "tests/lib/unit.h"

/* How many of so many are written down. */
static unsigned admitted(struct audit_meter *m, enum audit_event event,
			 const char *peer, int64_t now_ms, unsigned times)
{
	const struct audit_actor actor = { "API", "x", peer, "" };
	unsigned n = 0;

	for (unsigned i = 0; i < times; i++)
		n += audit_meter_admit(m, event, &actor, now_ms);
	return n;
}

static void test_one_peer(void)
{
	static struct audit_meter m;
	const char *peer = "192.0.2.1";
	const enum audit_event event = AUDIT_LOGIN_FAILED;

	CU_ASSERT_EQUAL(admitted(&m, event, peer, 7, 1000),
			AUDIT_METER_PEER_BURST);
	CU_ASSERT_EQUAL(
	    admitted(&m, event, peer, 6 + AUDIT_METER_PEER_EACH_MS, 10), 0);
	CU_ASSERT_EQUAL(
	    admitted(&m, event, peer, 7 + AUDIT_METER_PEER_EACH_MS, 10), 1);
	CU_ASSERT_EQUAL(
	    admitted(&m, event, peer, 7 + 6 * AUDIT_METER_PEER_EACH_MS, 10), 5);
	/* Others have their own, and so has another event. */
	CU_ASSERT_EQUAL(admitted(&m, event, "192.0.2.2", 7, 10), 10);
	CU_ASSERT_EQUAL(admitted(&m, AUDIT_ACCESS_DENIED, peer, 7, 10), 10);
}

static void test_all_peers(void)
{
	static struct audit_meter m;
	unsigned n = 0;
	char peer[32];

	for (int i = 0; i < 2000; i++) {
		snprintf(peer, sizeof(peer), "198.51.%d.%d", i / 250, i % 250);
		n += admitted(&m, AUDIT_ACCESS_DENIED, peer, 0, 1);
	}
	CU_ASSERT_EQUAL(n, AUDIT_METER_ALL_BURST);
	CU_ASSERT_EQUAL(admitted(&m, AUDIT_LOGIN_FAILED, "192.0.2.1", 0, 1), 1);
}

/* Whoever has one address of a /64 has all of them; an address of IPv4 in the
 * clothes of IPv6 is one address. */
static void test_nets(void)
{
	static struct audit_meter m;
	unsigned n = 0;
	char peer[64];

	for (int i = 0; i < 1000; i++) {
		snprintf(peer, sizeof(peer), "2001:db8::%x", i);
		n += admitted(&m, AUDIT_LOGIN_FAILED, peer, 0, 1);
	}
	CU_ASSERT_EQUAL(n, AUDIT_METER_PEER_BURST);
}

/* What strangers do not cause, and the control socket, go without limit. */
static void test_not_metered(void)
{
	static struct audit_meter m;

	for (int i = 0; i < AUDIT_EVENT_COUNT; i++) {
		enum audit_event event = (enum audit_event)i;
		bool stranger = event == AUDIT_LOGIN_FAILED ||
				event == AUDIT_ACCESS_DENIED ||
				event == AUDIT_LOGIN || event == AUDIT_LOGOUT;

		CU_ASSERT_EQUAL(admitted(&m, event, "192.0.2.1", 0, 1000),
				stranger ? AUDIT_METER_PEER_BURST : 1000);
		CU_ASSERT_EQUAL(admitted(&m, event, "local", 0, 1000), 1000);
	}
}

/* Who has proved who he is leaves a record of each log-in. */
static void test_known(void)
{
	const struct audit_actor admin = { "Web", "admin", "192.0.2.1",
					   "password" };
	static struct audit_meter m;
	unsigned logins = 0, logouts = 0;

	for (int i = 0; i < 1000; i++) {
		logins += audit_meter_admit(&m, AUDIT_LOGIN, &admin, 0);
		logouts += audit_meter_admit(&m, AUDIT_LOGOUT, &admin, 0);
	}
	CU_ASSERT_EQUAL(logins, 1000);
	CU_ASSERT_EQUAL(logouts, AUDIT_METER_PEER_BURST);
}

static void test_settles(void)
{
	static struct audit_meter m;
	enum audit_event event;
	uint32_t count;

	CU_ASSERT_FALSE(audit_meter_settle(&m, 0, true, &event, &count));
	admitted(&m, AUDIT_LOGIN_FAILED, "192.0.2.1", 5,
		 AUDIT_METER_PEER_BURST + 7);
	CU_ASSERT_FALSE(audit_meter_settle(&m, 60004, false, &event, &count));
	CU_ASSERT_TRUE(audit_meter_settle(&m, 60005, false, &event, &count));
	CU_ASSERT_EQUAL(event, AUDIT_LOGIN_FAILED);
	CU_ASSERT_EQUAL(count, 7);
	CU_ASSERT_FALSE(audit_meter_settle(&m, 99999, true, &event, &count));
	admitted(&m, AUDIT_ACCESS_DENIED, "192.0.2.1", 5,
		 AUDIT_METER_PEER_BURST + 1);
	CU_ASSERT_FALSE(audit_meter_settle(&m, 6, false, &event, &count));
	CU_ASSERT_TRUE(audit_meter_settle(&m, 6, true, &event, &count));
	CU_ASSERT_EQUAL(event, AUDIT_ACCESS_DENIED);
	CU_ASSERT_EQUAL(count, 1);
}

struct seen {
	unsigned records;
	char last[64], detail[128];
};

static int see(void *arg, const struct audit_record *r, struct error *e)
{
	struct seen *s = arg;

	(void)e;
	s->records++;
	snprintf(s->last, sizeof(s->last), "%s", r->event);
	snprintf(s->detail, sizeof(s->detail), "%s", r->detail);
	return 0;
}

/* The whole way into a trail. */
static void test_trail(void)
{
	const struct audit_actor stranger = { "API", "x", "192.0.2.1", "" };
	const struct audit_selection everything = { .count = SIZE_MAX };
	struct error e = ERROR_INIT;
	struct store *store = store_open(unit_temp_dir(), &e);
	struct audit *a = store ? audit_new(store, &e) : NULL;
	struct seen seen = { 0 };

	CHECK_OBJECT(a, &e);
	for (int i = 0; i < AUDIT_METER_PEER_BURST + 50; i++)
		CHECK_OK(audit_append(
			     a, AUDIT(LOGIN_FAILED, .reason = "wrong password"),
			     &stranger, &e),
			 &e);
	audit_tell_suppressed(a, false);
	audit_tell_suppressed(a, true);
	audit_tell_suppressed(a, true);
	CHECK_OK(audit_read(a, &everything, see, &seen, &e), &e);
	CU_ASSERT_EQUAL(seen.records, AUDIT_METER_PEER_BURST + 1);
	CU_ASSERT_STRING_EQUAL(seen.last, "recordsSuppressed");
	CU_ASSERT_STRING_EQUAL(seen.detail, "event: loginFailed; count: 50");
	CU_ASSERT_EQUAL(audit_lost(a), 0);
	audit_free(a);
	store_close(store);
}

static const struct unit_test tests[] = {
	{ "one peer", test_one_peer },
	{ "all peers", test_all_peers },
	{ "nets", test_nets },
	{ "what is not metered", test_not_metered },
	{ "who is known", test_known },
	{ "what was suppressed", test_settles },
	{ "a trail", test_trail },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "audit-meter", tests, NULL, NULL);
}
