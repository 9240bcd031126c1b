/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "auth/login_guard.h"
#include "base/clock.h"
#include "tests/lib/unit.h"

/* How long whoever failed has to wait, and how many may. */

static void test_delays(void)
{
	static const unsigned rows[][2] = {
		{ 0, 0 },    { 1, 250 },   { 2, 500 },
		{ 3, 1000 }, { 4, 2000 },  { 5, 4000 },
		{ 6, 4000 }, { 60, 4000 }, { 4000000000u, 4000 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT_EQUAL(login_delay_ms(rows[i][0]), rows[i][1]);
}

/* No two names of these tests share a bucket. */
static const uint8_t guard_key[LOGIN_GUARD_KEY_SIZE] = { 1 };

static void test_guard_counts(void)
{
	struct error e = ERROR_INIT;
	struct login_guard *g = login_guard_new(guard_key, &e);
	int64_t t = 1000;

	CHECK_OBJECT(g, &e);
	CU_ASSERT_EQUAL(login_guard_delay(g, "admin", "192.0.2.1", t), 0);
	login_guard_failed(g, "admin", "192.0.2.1", t);
	login_guard_failed(g, "admin", "192.0.2.1", t);
	/* The account from anywhere, the peer with any account. */
	CU_ASSERT_EQUAL(login_guard_delay(g, "admin", "192.0.2.1", t), 500);
	CU_ASSERT_EQUAL(login_guard_delay(g, "admin", "198.51.100.1", t), 500);
	CU_ASSERT_EQUAL(login_guard_delay(g, "bob", "192.0.2.1", t), 500);
	CU_ASSERT_EQUAL(login_guard_delay(g, "bob", "198.51.100.1", t), 0);
	/* Bob's own success does not wash the peer clean. */
	login_guard_passed(g, "bob", "192.0.2.1");
	CU_ASSERT_EQUAL(login_guard_delay(g, "bob", "192.0.2.1", t), 500);
	login_guard_passed(g, "admin", "192.0.2.1");
	CU_ASSERT_EQUAL(login_guard_delay(g, "bob", "192.0.2.1", t), 0);
	/* One /64 is one peer. */
	login_guard_failed(g, "x", "2001:db8::1", t);
	CU_ASSERT_EQUAL(login_guard_delay(g, "y", "2001:db8::ffff:2", t), 250);
	CU_ASSERT_EQUAL(login_guard_delay(g, "y", "2001:db8:0:1::1", t), 0);
	/* Forgotten after a quarter of an hour. */
	t += LOGIN_FORGET_MS;
	CU_ASSERT_EQUAL(login_guard_delay(g, "x", "2001:db8::1", t), 250);
	CU_ASSERT_EQUAL(login_guard_delay(g, "x", "2001:db8::1", t + 1), 0);
	for (int i = 0; i < 70000; i++)
		login_guard_failed(g, "", "", t);
	CU_ASSERT_EQUAL(login_guard_delay(g, "", "", t), LOGIN_DELAY_MAX_MS);
	login_guard_free(g);
}

struct waiter {
	struct login_guard *guard;
	char peer[32];
	int rc;
};

/* Those that are about to wait, or have waited. */
static atomic_int begun;

static void *wait_once(void *arg)
{
	struct waiter *w = arg;
	struct error e = ERROR_INIT;

	atomic_fetch_add(&begun, 1);
	w->rc = login_guard_wait(w->guard, "admin", w->peer, &e);
	return NULL;
}

/* Until so many wait, who do so for 2 s at least: what is left to do for one
 * that has begun takes no time, unless it is not its turn. */
static void wait_for_waiters(int count)
{
	while (atomic_load(&begun) < count)
		usleep(1000);
	usleep(500000);
}

/* Starts count waiters from peers of that pattern; gives how many of a further
 * two from other and same were refused at once. */
static void fill_guard(int count, const char *pattern, int want_other,
		       int want_same)
{
	struct error e = ERROR_INIT;
	struct login_guard *g = login_guard_new(guard_key, &e);
	struct waiter waiters[LOGIN_WAITING_MAX], other = { g, "other", 0 };
	pthread_t threads[LOGIN_WAITING_MAX], last;

	CHECK_OBJECT(g, &e);
	for (int i = 0; i < 4; i++)
		login_guard_failed(g, "admin", "", clock_monotonic_ms());
	atomic_store(&begun, 0);
	for (int i = 0; i < count; i++) {
		waiters[i].guard = g;
		snprintf(waiters[i].peer, sizeof(waiters[i].peer), pattern, i);
		pthread_create(&threads[i], NULL, wait_once, &waiters[i]);
	}
	wait_for_waiters(count);
	if (want_same)
		CHECK_FAILS(login_guard_wait(g, "admin", waiters[0].peer, &e),
			    &e, ERR_AUTH, NULL);
	pthread_create(&last, NULL, wait_once, &other);
	pthread_join(last, NULL);
	CU_ASSERT_EQUAL(other.rc, want_other);
	for (int i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		CU_ASSERT_EQUAL(waiters[i].rc, 0);
	}
	login_guard_free(g);
}

static void test_guard_waiting(void)
{
	fill_guard(LOGIN_WAITING_MAX, "192.0.2.%d", -1, -1);
	fill_guard(LOGIN_WAITING_PER_PEER_MAX, "192.0.2.1", 0, -1);
}

/* Two guessing peers keep four attempts each at the account; its owner comes
 * from elsewhere, with one attempt that has failed nowhere. */
static void test_guard_keeps_places(void)
{
	struct error e = ERROR_INIT;
	struct login_guard *g = login_guard_new(guard_key, &e);
	struct waiter guessers[LOGIN_WAITING_MAX], owner = { g, "owner", -1 };
	pthread_t threads[LOGIN_WAITING_MAX];
	int passed = 0;

	CHECK_OBJECT(g, &e);
	for (int round = 0; round < 2; round++) {
		/* The first round from peers that have not failed yet. */
		for (int i = 0; i < 4; i++)
			login_guard_failed(g, "admin",
					   round && i % 2 ? "192.0.2.1"
					   : round        ? "192.0.2.0"
							  : "",
					   clock_monotonic_ms());
		atomic_store(&begun, 0);
		for (int i = 0; i < LOGIN_WAITING_MAX; i++) {
			guessers[i].guard = g;
			snprintf(guessers[i].peer, sizeof(guessers[i].peer),
				 "192.0.2.%d", i % 2);
			pthread_create(&threads[i], NULL, wait_once,
				       &guessers[i]);
		}
		wait_for_waiters(LOGIN_WAITING_MAX);
		owner.rc = -1;
		wait_once(&owner);
		CU_ASSERT_EQUAL(owner.rc, 0);
		passed = 0;
		for (int i = 0; i < LOGIN_WAITING_MAX; i++) {
			pthread_join(threads[i], NULL);
			passed += guessers[i].rc == 0;
		}
		CU_ASSERT_EQUAL(passed, LOGIN_WAITING_MAX -
					    LOGIN_WAITING_RESERVED +
					    (round ? 0 : 2));
	}
	login_guard_free(g);
}

static void test_guard_tells_refusals(void)
{
	static const struct {
		int64_t at;
		unsigned told;
	} rows[] = {
		{ 5, 1 },
		{ 6, 0 },
		{ 5 + LOGIN_TELL_MS - 1, 0 },
		{ 5 + LOGIN_TELL_MS, 3 },
		{ 6 + LOGIN_TELL_MS, 0 },
		{ 5 + 3 * LOGIN_TELL_MS, 2 },
	};
	struct error e = ERROR_INIT;
	struct login_guard *g = login_guard_new(guard_key, &e);

	CHECK_OBJECT(g, &e);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT_EQUAL(login_guard_refused(g, rows[i].at),
				rows[i].told);
	login_guard_free(g);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "delays grow", test_delays },
		{ "the guard counts", test_guard_counts },
		{ "few may wait", test_guard_waiting },
		{ "places are kept", test_guard_keeps_places },
		{ "refusals are told", test_guard_tells_refusals },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "auth-guard", tests, NULL, NULL);
}
