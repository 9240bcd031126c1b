/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/lib/unit.h"
#include "web/sessions.h"

static struct config *config;
static struct store *store;
static struct settings *settings;
static struct sessions *s;

static int set_up(void)
{
	struct error e = ERROR_INIT;

	config = config_load("/dev/null", NULL, 0, &e);
	store = config ? store_open(unit_temp_dir(), &e) : NULL;
	settings = store ? settings_new(config, store, &e) : NULL;
	if (!settings)
		unit_note("%s", e.text);
	return !settings;
}

static int tear_down(void)
{
	settings_free(settings);
	store_close(store);
	config_free(config);
	return 0;
}

static void begin(void)
{
	struct error e = ERROR_INIT;

	s = sessions_new(settings, &e);
	CHECK_OBJECT(s, &e);
}

static void end(void)
{
	sessions_free(s);
	clock_set_offset(0);
}

static struct identity_of_user user_named(const char *id)
{
	struct identity_of_user u = { .privilege = PRIVILEGE_FULL_CONTROL };

	snprintf(u.id, sizeof(u.id), "%s", id);
	return u;
}

static void open_one(const char *user, const char *address,
		     char id[SESSION_ID_SIZE], struct session_info *info)
{
	struct identity_of_user u = user_named(user);
	struct error e = ERROR_INIT;

	CHECK_OK(sessions_open(s, &u, address, NULL, id, info, &e), &e);
}

static bool is_there(const char *id, const char *address)
{
	struct error e = ERROR_INIT;
	struct session_info info;

	if (sessions_find(s, id, address, false, &info, &e) == 0)
		return true;
	CU_ASSERT_EQUAL(e.kind, ERR_AUTH);
	return false;
}

static void test_life(void)
{
	char one[SESSION_ID_SIZE], two[SESSION_ID_SIZE];
	struct session_info a, b;
	struct error e = ERROR_INIT;

	begin();
	open_one("ann", "192.0.2.1", one, &a);
	open_one("ann", "192.0.2.1", two, &b);
	CU_ASSERT_EQUAL(strlen(one), SESSION_ID_SIZE - 1);
	CU_ASSERT_STRING_NOT_EQUAL(one, two);
	CU_ASSERT_STRING_NOT_EQUAL(a.csrf_token, b.csrf_token);
	CU_ASSERT_STRING_NOT_EQUAL(a.csrf_token, one);
	CHECK_OK(sessions_find(s, one, "192.0.2.1", true, &b, &e), &e);
	CU_ASSERT_STRING_EQUAL(b.user_id, "ann");
	CU_ASSERT_STRING_EQUAL(b.csrf_token, a.csrf_token);
	CU_ASSERT(b.idle_seconds_left > 1790 && b.idle_seconds_left <= 1800);
	sessions_close(s, one);
	CU_ASSERT(!is_there(one, "192.0.2.1"));
	CU_ASSERT(is_there(two, "192.0.2.1"));
	sessions_close(s, one);
	end();
}

static void test_refused(void)
{
	static const char *const ids[] = {
		"", "x", "0123456789012345678901234567890123456789012",
		"01234567890123456789012345678901234567890123", "\xFF\xFF"
	};
	char id[SESSION_ID_SIZE], other[2 * SESSION_ID_SIZE];
	struct session_info info;

	begin();
	CU_ASSERT(!is_there("0123456789012345678901234567890123456789012",
			    "192.0.2.1"));
	open_one("ann", "192.0.2.1", id, &info);
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		CU_ASSERT(!is_there(ids[i], "192.0.2.1"));
		sessions_close(s, ids[i]);
	}
	CU_ASSERT(!is_there(id, "192.0.2.2"));
	CU_ASSERT(!is_there(id, ""));
	/* Each character counts. */
	for (size_t i = 0; i < SESSION_ID_SIZE - 1; i++) {
		strcpy(other, id);
		other[i] = other[i] == 'A' ? 'B' : 'A';
		CU_ASSERT(!is_there(other, "192.0.2.1"));
	}
	strcat(strcpy(other, id), "x");
	CU_ASSERT(!is_there(other, "192.0.2.1"));
	CU_ASSERT(is_there(id, "192.0.2.1"));
	end();
}

static void test_idle(void)
{
	char used[SESSION_ID_SIZE], idle[SESSION_ID_SIZE];
	struct session_info info;
	struct error e = ERROR_INIT;

	begin();
	CHECK_OK(settings_set(settings, SETTING_WEB_SESSION_TIMEOUT_MINUTES,
			      "5", &e),
		 &e);
	open_one("ann", "192.0.2.1", used, &info);
	open_one("ann", "192.0.2.1", idle, &info);
	clock_set_offset(290);
	CHECK_OK(sessions_find(s, used, "192.0.2.1", true, &info, &e), &e);
	CU_ASSERT(info.idle_seconds_left > 290);
	/* looked at without use */
	CHECK_OK(sessions_find(s, idle, "192.0.2.1", false, &info, &e), &e);
	CU_ASSERT(info.idle_seconds_left <= 10);
	clock_set_offset(301);
	CU_ASSERT(is_there(used, "192.0.2.1"));
	CU_ASSERT(!is_there(idle, "192.0.2.1"));
	/* A clock that is set back revives nothing. */
	clock_set_offset(0);
	CU_ASSERT(!is_there(idle, "192.0.2.1"));
	/* A shorter limit is in force at once. */
	CHECK_OK(settings_set(settings, SETTING_WEB_SESSION_TIMEOUT_MINUTES,
			      "1", &e),
		 &e);
	clock_set_offset(290 + 61);
	CU_ASSERT(!is_there(used, "192.0.2.1"));
	CHECK_OK(settings_set(settings, SETTING_WEB_SESSION_TIMEOUT_MINUTES,
			      "30", &e),
		 &e);
	end();
}

static void test_limits(void)
{
	char first[SESSION_ID_SIZE], id[SESSION_ID_SIZE], name[24];
	struct identity_of_user late = user_named("late");
	struct session_info info;
	struct error e = ERROR_INIT;

	begin();
	open_one("ann", "192.0.2.1", first, &info);
	for (int i = 1; i < SESSIONS_PER_USER_MAX; i++)
		open_one("ann", "192.0.2.1", id, &info);
	CU_ASSERT(is_there(first, "192.0.2.1"));
	open_one("ann", "192.0.2.1", id, &info);
	CU_ASSERT(is_there(id, "192.0.2.1"));
	/* Of equal age one gives way, whichever. */
	for (int i = SESSIONS_PER_USER_MAX; i < SESSIONS_MAX; i++) {
		snprintf(name, sizeof(name), "user %d", i);
		open_one(name, "192.0.2.1", id, &info);
	}
	CHECK_FAILS(sessions_open(s, &late, "192.0.2.1", NULL, id, &info, &e),
		    &e, ERR_LIMIT, "no free sessions");
	/* Idle ones make room. */
	clock_set_offset(31 * 60);
	CHECK_OK(sessions_open(s, &late, "192.0.2.1", NULL, id, &info, &e), &e);
	end();
}

static void test_close_user(void)
{
	char ann[3][SESSION_ID_SIZE], bob[SESSION_ID_SIZE];
	struct session_info info;

	begin();
	for (int i = 0; i < 3; i++)
		open_one("ann", "192.0.2.1", ann[i], &info);
	open_one("bob", "192.0.2.1", bob, &info);
	sessions_close_user(s, "ann", ann[1]);
	CU_ASSERT(!is_there(ann[0], "192.0.2.1"));
	CU_ASSERT(is_there(ann[1], "192.0.2.1"));
	CU_ASSERT(!is_there(ann[2], "192.0.2.1"));
	sessions_close_user(s, "ann", NULL);
	CU_ASSERT(!is_there(ann[1], "192.0.2.1"));
	CU_ASSERT(is_there(bob, "192.0.2.1"));
	sessions_close_user(s, "nobody", NULL);
	sessions_close_user(s, "", NULL);
	CU_ASSERT(is_there(bob, "192.0.2.1"));
	end();
}

static void test_password_changed(void)
{
	struct identity_of_user u = user_named("ann");
	char id[SESSION_ID_SIZE];
	struct session_info info;
	struct error e = ERROR_INIT;

	begin();
	u.must_change_password = true;
	u.password_mark[PASSWORD_MARK_SIZE - 1] = 7;
	CHECK_OK(sessions_open(s, &u, "192.0.2.1", NULL, id, &info, &e), &e);
	CU_ASSERT(info.must_change_password);
	sessions_password_changed(s, id);
	CHECK_OK(sessions_find(s, id, "192.0.2.1", true, &info, &e), &e);
	CU_ASSERT(!info.must_change_password);
	CU_ASSERT_EQUAL(
	    memcmp(info.password_mark, u.password_mark, PASSWORD_MARK_SIZE), 0);
	sessions_password_changed(s, "unknown");
	end();
}

static void *open_and_close(void *arg)
{
	const char *name = arg;
	struct identity_of_user u = user_named(name);
	struct error e = ERROR_INIT;

	for (int i = 0; i < 200; i++) {
		char id[SESSION_ID_SIZE];
		struct session_info info;

		if (sessions_open(s, &u, "192.0.2.1", NULL, id, &info, &e) <
			0 ||
		    sessions_find(s, id, "192.0.2.1", true, &info, &e) < 0 ||
		    strcmp(info.user_id, name) != 0)
			return NULL;
		sessions_close(s, id);
	}
	return arg;
}

static void test_threads(void)
{
	static char names[4][8] = { "ann", "bob", "cid", "dan" };
	pthread_t threads[4];
	void *result;

	begin();
	for (int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL_FATAL(
		    pthread_create(&threads[i], NULL, open_and_close, names[i]),
		    0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &result);
		CU_ASSERT_PTR_EQUAL(result, names[i]);
	}
	end();
}

/* --- ends that are told */

static struct {
	size_t idle, replaced;
	struct session_end last;
} told;

static void note_end(const struct session_end *e, void *arg)
{
	struct error ignored = ERROR_INIT;
	struct session_info info;

	CU_ASSERT_PTR_EQUAL(arg, &told);
	told.idle += e->why == SESSION_IDLE;
	told.replaced += e->why == SESSION_REPLACED;
	told.last = *e;
	/* No lock is held. */
	CU_ASSERT_EQUAL(
	    sessions_find(s, "x", "192.0.2.1", false, &info, &ignored), -1);
}

static void check_told(size_t idle, size_t replaced)
{
	CU_ASSERT_EQUAL(told.idle, idle);
	CU_ASSERT_EQUAL(told.replaced, replaced);
}

static void test_ends_are_told(void)
{
	enum { MANY = 40, TIMEOUT_S = 30 * 60 };
	char id[SESSION_ID_SIZE], other[SESSION_ID_SIZE];
	struct session_info info;

	begin();
	memset(&told, 0, sizeof(told));
	sessions_on_end(s, note_end, &told);
	/* By a log-out or a change of the account: somebody knows. */
	open_one("ann", "192.0.2.1", id, &info);
	sessions_close(s, id);
	open_one("ann", "192.0.2.1", id, &info);
	sessions_close_user(s, "ann", NULL);
	CU_ASSERT(!is_there(id, "192.0.2.1"));
	check_told(0, 0);
	/* Found to be idle by whoever comes with it, once. */
	open_one("ann", "192.0.2.7", id, &info);
	clock_set_offset(TIMEOUT_S + 1);
	CU_ASSERT(!is_there(id, "192.0.2.7"));
	CU_ASSERT(!is_there(id, "192.0.2.7"));
	check_told(1, 0);
	CU_ASSERT_STRING_EQUAL(told.last.user_id, "ann");
	CU_ASSERT_STRING_EQUAL(told.last.address, "192.0.2.7");
	/* By looking, more at a time than are told at a time. */
	clock_set_offset(0);
	sessions_end_idle(s);
	check_told(1, 0);
	for (int i = 0; i < MANY; i++)
		open_one("bob", "192.0.2.1", other, &info);
	clock_set_offset(TIMEOUT_S + 1);
	sessions_end_idle(s);
	check_told(1 + MANY, 0);
	/* By too many of one account. */
	for (int i = 0; i < SESSIONS_PER_USER_MAX + 2; i++)
		open_one("eve", "192.0.2.1", other, &info);
	check_told(1 + MANY, 2);
	CU_ASSERT_STRING_EQUAL(told.last.user_id, "eve");
	end();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "life of a session", test_life },
		{ "refused", test_refused },
		{ "idle sessions end", test_idle },
		{ "limits", test_limits },
		{ "sessions of one account", test_close_user },
		{ "password changed", test_password_changed },
		{ "ends are told", test_ends_are_told },
		{ "threads", test_threads },
		{ 0 },
	};

	return unit_main(argc, argv, "sessions", tests, set_up, tear_down);
}
