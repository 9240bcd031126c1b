/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/account_security.h"
#include "auth/password_rules.h"
#include "base/clock.h"
#include "tests/unit/accounts_fixture.h"
#include "tests/unit/tamper.h"

/* The advanced account security mode with a store under it. */

enum { MINUTE = 60, DAY = 24 * 60 * 60 };

#define GOOD  "Ab3$Ab3$Ab3$Ab3"
#define OTHER "Xy7!Xy7!Xy7!Xy7"

static void set_mode(bool on)
{
	struct error e = ERROR_INIT;

	CHECK_OK(settings_set(device.settings, SETTING_ADVANCED_ACCOUNTS,
			      on ? "yes" : "no", &e),
		 &e);
}

static void pass_time(int64_t seconds)
{
	device.now += seconds;
	clock_set_offset(device.now - time(NULL));
}

static struct identity_of_user who;

/* The text of the refusal, "" when he got in. */
static const char *login_by(enum login_door door, const char *id,
			    const char *password)
{
	static struct error e;

	error_clear(&e);
	open_users();
	if (users_login(device.users, door, id, view_str(password), "192.0.2.1",
			device.now, &who, &e) == 0)
		return "";
	CU_ASSERT_EQUAL(e.kind, ERR_AUTH);
	return e.text;
}

static const char *login(const char *id, const char *password)
{
	return login_by(LOGIN_WEB, id, password);
}

#define WRONG                  "authorization failed"
#define CHECK_IN(id, password) CU_ASSERT_STRING_EQUAL(login(id, password), "")
#define CHECK_OUT(id, password, text) \
	CU_ASSERT_STRING_EQUAL(login(id, password), text)

static int change_own(const char *id, const char *current, const char *wanted,
		      struct error *e)
{
	open_users();
	return users_change_own_password(device.users, id, view_str(current),
					 view_str(wanted), "192.0.2.1",
					 device.now, e);
}

static int reset(const char *id, const char *wanted, struct error *e)
{
	const struct view v = view_str(wanted);

	return users_modify(device.users, id,
			    &(struct user_change){ .password = &v }, device.now,
			    e);
}

static void enable(const char *id)
{
	const bool no = false;
	struct error e = ERROR_INIT;

	CHECK_OK(users_modify(device.users, id,
			      &(struct user_change){ .disabled = &no },
			      device.now, &e),
		 &e);
}

static int count_event(void *arg, const struct audit_record *r, struct error *e)
{
	(void)e;
	*(int *)arg += !strcmp(r->event, "accountDisabled");
	return 0;
}

static int disabled_records(void)
{
	struct error e = ERROR_INIT;
	int count = 0;

	CHECK_OK(audit_each(device.audit, 0, 1000, count_event, &count, &e),
		 &e);
	return count;
}

/* Bob (list only), adm2 (administrator), both with GOOD; the mode is on. */
static void device_with_users(void)
{
	device_make();
	set_mode(true);
	add_user("bob", GOOD, PRIVILEGE_CONFERENCE_LIST);
	add_user("adm2", GOOD, PRIVILEGE_ADMINISTRATOR);
}

static void test_enabling(void)
{
	struct error e = ERROR_INIT;

	device_make();
	add_user("bob", "b", PRIVILEGE_CONFERENCE_DETAIL);
	CHECK_IN("bob", "b");
	CU_ASSERT_FALSE(who.must_change_password);
	set_mode(true);
	users_advanced_mode_enabled(device.users);
	CU_ASSERT_TRUE(row_of("bob").password_expired);
	CU_ASSERT_TRUE(row_of("admin").password_expired);
	/* The right one, to change it; a program is let in for that too. */
	CHECK_IN("bob", "b");
	CU_ASSERT_TRUE(who.must_change_password);
	CU_ASSERT_STRING_EQUAL(login_by(LOGIN_API, "bob", "b"), "");
	CU_ASSERT_TRUE(who.must_change_password);
	CHECK_FAILS(change_own("bob", "b", "b", &e), &e, ERR_PASSWORD_RULES,
		    "at least 15 characters");
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "last 10 passwords"));
	CHECK_OK(change_own("bob", "b", GOOD, &e), &e);
	CHECK_IN("bob", GOOD);
	CU_ASSERT_FALSE(who.must_change_password);
	/* Off: as if it had never been; on again: all anew. */
	set_mode(false);
	CHECK_OK(reset("bob", "b", &e), &e);
	CHECK_IN("bob", "b");
	CU_ASSERT_FALSE(who.must_change_password);
	set_mode(true);
	CHECK_IN("bob", "b");
	CU_ASSERT_TRUE(who.must_change_password);
	device_close();
}

/* Killed between the setting and the accounts, and the other way round. */
static void test_enabling_survives_a_kill(void)
{
	const char *dir = unit_temp_dir();

	device_open(dir);
	add_user("bob", "b", PRIVILEGE_CONFERENCE_DETAIL);
	set_mode(true);
	CU_ASSERT_FALSE(row_of("bob").password_expired);
	device_close();
	device_open(dir);
	CU_ASSERT_TRUE(row_of("bob").password_expired);
	set_mode(false);
	device_close();
	device_open(dir);
	set_mode(true);
	CHECK_IN("bob", "b");
	CU_ASSERT_TRUE(who.must_change_password);
	/* Not once more without being turned off. */
	device_close();
	tamper(dir, "UPDATE account SET password_expired = 0");
	device_open(dir);
	CU_ASSERT_FALSE(row_of("bob").password_expired);
	device_close();
}

static void test_failures_disable(void)
{
	struct error e = ERROR_INIT;

	device_with_users();
	CHECK_OUT("bob", "x", WRONG);
	CHECK_OUT("bob", "x", WRONG);
	CHECK_IN("bob", GOOD);
	CHECK_OUT("bob", "x", WRONG);
	CU_ASSERT_STRING_EQUAL(login_by(LOGIN_API, "bob", "x"), WRONG);
	CU_ASSERT_STRING_EQUAL(device.ended, "");
	CHECK_OUT("bob", "x", WRONG);
	CU_ASSERT_STRING_EQUAL(device.ended, "bob ");
	CU_ASSERT_EQUAL(disabled_records(), 1);
	/* The right one looks like any other from now on: no oracle. */
	CHECK_OUT("bob", GOOD, WRONG);
	CHECK_OUT("bob", "x", WRONG);
	CHECK_FAILS(change_own("bob", GOOD, OTHER, &e), &e, ERR_NO_USER,
		    "wrong passwords");
	CHECK_FAILS(users_lookup(device.users, "bob", &who, &e), &e,
		    ERR_NO_USER, NULL);
	pass_time(365 * DAY);
	CHECK_OUT("bob", GOOD, WRONG);
	CU_ASSERT_EQUAL(row_of("bob").disabled_reason, ACCOUNT_BY_FAILURES);
	enable("bob");
	CHECK_OK(reset("bob", OTHER, &e), &e);
	CHECK_IN("bob", OTHER);
	CU_ASSERT_EQUAL(disabled_records(), 1);
	device_close();
}

/* Thirty minutes, and never more, also for the only one. */
static void test_failures_of_administrators(void)
{
	struct error e = ERROR_INIT;

	device_with_users();
	CHECK_IN("adm2", GOOD);
	device.ended[0] = '\0';
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 3; i++)
			CHECK_OUT("adm2", "x", WRONG);
		CU_ASSERT_EQUAL(disabled_records(), round + 1);
		CHECK_OUT("adm2", GOOD, WRONG);
		pass_time(29 * MINUTE);
		CHECK_OUT("adm2", "x", WRONG);
		CHECK_OUT("adm2", GOOD, WRONG);
		/* Whoever guesses throws nobody out who is in. */
		CHECK_OK(users_lookup(device.users, "adm2", &who, &e), &e);
		pass_time(MINUTE);
	}
	CHECK_IN("adm2", GOOD);
	CU_ASSERT_EQUAL(row_of("adm2").disabled_until, 0);
	CU_ASSERT_STRING_EQUAL(device.ended, "");
	CU_ASSERT_FALSE(row_of("adm2").disabled);
	/* Another administrator ends it before its time. */
	for (int i = 0; i < 3; i++)
		CHECK_OUT("adm2", "x", WRONG);
	enable("adm2");
	CHECK_IN("adm2", GOOD);
	device_close();
}

/* The count is in the store before the answer is out. */
static void test_failures_survive_a_kill(void)
{
	const char *dir = unit_temp_dir();

	device_open(dir);
	set_mode(true);
	add_user("bob", GOOD, PRIVILEGE_CONFERENCE_LIST);
	device_close();
	for (int i = 0; i < 3; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			device_open(dir);
			login("bob", "x");
			_exit(7); /* nothing is closed */
		}
		CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
		CU_ASSERT_EQUAL(WEXITSTATUS(status), 7);
	}
	device_open(dir);
	CU_ASSERT_EQUAL(row_of("bob").failures, 3);
	CU_ASSERT_TRUE(row_of("bob").disabled);
	device_close();
}

static void *guess(void *arg)
{
	struct identity_of_user out;
	struct error e = ERROR_INIT;

	if (users_login(device.users, LOGIN_API, "bob", view_str("x"),
			"192.0.2.9", device.now, &out, &e) == 0)
		return arg;
	return NULL;
}

/* Side by side they count as one after the other. */
static void test_failures_at_once(void)
{
	pthread_t threads[4];

	device_with_users();
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, guess, &device);
	for (int i = 0; i < 4; i++) {
		void *got_in;

		pthread_join(threads[i], &got_in);
		CU_ASSERT_PTR_NULL(got_in);
	}
	CU_ASSERT_TRUE(row_of("bob").disabled);
	CU_ASSERT_EQUAL(disabled_records(), 1);
	device_close();
}

static void test_expiry(void)
{
	struct error e = ERROR_INIT;

	device_with_users();
	pass_time(29 * DAY);
	CHECK_IN("bob", GOOD);
	pass_time(29 * DAY);
	CHECK_IN("bob", GOOD);
	pass_time(2 * DAY - 1);
	CHECK_IN("bob", GOOD);
	CU_ASSERT_FALSE(who.must_change_password);
	pass_time(1);
	/* Asked, and two more. Programs are asked nothing. */
	for (int i = 0; i < 3; i++) {
		CHECK_IN("bob", GOOD);
		CU_ASSERT_TRUE(who.must_change_password);
		CU_ASSERT_STRING_EQUAL(login_by(LOGIN_API, "bob", GOOD), "");
		CU_ASSERT_TRUE(who.must_change_password);
	}
	CU_ASSERT_STRING_EQUAL(device.ended, "");
	CHECK_OUT("bob", GOOD,
		  "account is disabled: its expired password was not changed");
	CU_ASSERT_STRING_EQUAL(device.ended, "bob ");
	CU_ASSERT_EQUAL(disabled_records(), 1);
	CHECK_OUT("bob", GOOD,
		  "account is disabled: its expired password was not changed");
	CU_ASSERT_EQUAL(disabled_records(), 1);
	CHECK_OUT("bob", "x", WRONG);
	enable("bob");
	CHECK_IN("bob", GOOD);
	CU_ASSERT_TRUE(who.must_change_password);
	CHECK_FAILS(change_own("bob", GOOD, GOOD, &e), &e, ERR_PASSWORD_RULES,
		    "last 10");
	CHECK_OK(change_own("bob", GOOD, OTHER, &e), &e);
	CHECK_IN("bob", OTHER);
	CU_ASSERT_FALSE(who.must_change_password);
	/* An administrator who declines is back after half an hour. */
	for (int i = 0; i < 3; i++)
		CHECK_IN("adm2", GOOD);
	CHECK_OUT("adm2", GOOD,
		  "account is disabled: its expired password was not changed");
	pass_time(30 * MINUTE);
	CHECK_IN("adm2", GOOD);
	CU_ASSERT_TRUE(who.must_change_password);
	device_close();
}

/* Whoever cannot change it needs an administrator. */
static void test_expired_and_locked(void)
{
	const bool yes = true;
	struct error e = ERROR_INIT;

	device_with_users();
	CHECK_OK(users_modify(device.users, "bob",
			      &(struct user_change){ .lock_password = &yes },
			      device.now, &e),
		 &e);
	pass_time(29 * DAY);
	CHECK_IN("bob", GOOD);
	pass_time(29 * DAY);
	CHECK_IN("bob", GOOD);
	pass_time(2 * DAY);
	CHECK_OUT("bob", GOOD,
		  "the password has expired; an administrator must set "
		  "another");
	CHECK_OK(reset("bob", OTHER, &e), &e);
	CHECK_IN("bob", OTHER);
	CU_ASSERT_FALSE(who.must_change_password);
	device_close();
}

static void test_one_change_a_day(void)
{
	struct error e = ERROR_INIT;

	device_with_users();
	CHECK_OK(change_own("bob", GOOD, OTHER, &e), &e);
	pass_time(DAY - 1);
	CHECK_FAILS(change_own("bob", OTHER, "short", &e), &e,
		    ERR_PASSWORD_RULES, "24 hours");
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "15 characters"));
	/* An administrator's is not limited, and frees the user's. */
	CHECK_OK(reset("bob", OTHER "1", &e), &e);
	CHECK_OK(change_own("bob", OTHER "1", OTHER "2", &e), &e);
	CHECK_FAILS(change_own("bob", OTHER "2", OTHER "3", &e), &e,
		    ERR_PASSWORD_RULES, "24 hours");
	pass_time(DAY);
	CHECK_OK(change_own("bob", OTHER "2", OTHER "3", &e), &e);
	/* Administrators may any time. */
	CHECK_OK(change_own("adm2", GOOD, OTHER, &e), &e);
	CHECK_OK(change_own("adm2", OTHER, OTHER "1", &e), &e);
	device_close();
}

static void test_history(void)
{
	struct error e = ERROR_INIT;
	char password[32];
	struct user_history h;

	device_with_users();
	for (int i = 0; i < 9; i++) {
		snprintf(password, sizeof(password), OTHER "%d", i);
		CHECK_OK(reset("adm2", password, &e), &e);
		CHECK_FAILS(reset("adm2", password, &e), &e, ERR_PASSWORD_RULES,
			    "last 10");
		CHECK_FAILS(reset("adm2", GOOD, &e), &e, ERR_PASSWORD_RULES,
			    "last 10");
	}
	CHECK_FAILS(change_own("adm2", password, OTHER "3", &e), &e,
		    ERR_PASSWORD_RULES, "last 10");
	/* The tenth lets the first go. */
	CHECK_OK(reset("adm2", OTHER "9", &e), &e);
	CHECK_OK(reset("adm2", GOOD, &e), &e);
	CHECK_FAILS(reset("adm2", OTHER "1", &e), &e, ERR_PASSWORD_RULES, NULL);
	CHECK_OK(reset("adm2", OTHER "0", &e), &e);
	CHECK_OK(store_user_history(device.store, row_of("adm2").key, &h, &e),
		 &e);
	CU_ASSERT_EQUAL(h.count, ADVANCED_PASSWORD_HISTORY - 1);
	/* Each account has its own. */
	CHECK_OK(reset("bob", OTHER "5", &e), &e);
	device_close();
}

static void test_inactivity(void)
{
#define IDLE "account is disabled: it was not used for 30 days"
	struct error e = ERROR_INIT;

	device_with_users();
	pass_time(30 * DAY - 1);
	CHECK_IN("bob", GOOD);
	pass_time(30 * DAY);
	CHECK_OUT("bob", "x", WRONG);
	CHECK_OUT("bob", GOOD, IDLE);
	CHECK_OUT("bob", GOOD, IDLE);
	CU_ASSERT_EQUAL(disabled_records(), 1);
	CU_ASSERT_EQUAL(row_of("bob").disabled_reason, ACCOUNT_BY_INACTIVITY);
	CHECK_OK(reset("bob", OTHER, &e), &e);
	CHECK_OUT("bob", OTHER, IDLE);
	enable("bob");
	pass_time(30 * DAY - 1);
	CHECK_IN("bob", OTHER);
	/* Administrators rest as long as they like. */
	pass_time(300 * DAY);
	CHECK_IN("adm2", GOOD);
	/* Without the mode nobody is disabled for it. */
	set_mode(false);
	CHECK_IN("bob", OTHER);
	pass_time(300 * DAY);
	CHECK_IN("bob", OTHER);
	/* Turned on after long rest, the days count from then. */
	pass_time(300 * DAY);
	set_mode(true);
	CHECK_IN("bob", OTHER);
	device_close();
#undef IDLE
}

static void test_new_accounts(void)
{
	static const struct {
		const char *password; /* NULL: left out */
		const char *words;    /* NULL: taken */
	} rows[] = {
		{ NULL, "15 characters" },
		{ "", "15 characters" },
		{ "Ab3$", "15 characters" },
		{ "ab3$ab3$ab3$ab3$", "capital letters" },
		{ GOOD "xxx", "2 times in a row" },
		{ GOOD, NULL },
	};
	const bool no = false;
	struct error e = ERROR_INIT;

	device_with_users();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct view v = view_str(rows[i].password);
		const struct view *given = rows[i].password ? &v : NULL;
		struct user_change c = { .id = "eve", .password = given };

		if (!rows[i].words) {
			CHECK_OK(users_add(device.users, &c, device.now, &e),
				 &e);
			continue;
		}
		CHECK_FAILS(users_add(device.users, &c, device.now, &e), &e,
			    ERR_PASSWORD_RULES, rows[i].words);
		if (rows[i].password)
			CHECK_FAILS(reset("bob", rows[i].password, &e), &e,
				    ERR_PASSWORD_RULES, rows[i].words);
	}
	CHECK_IN("eve", GOOD);
	CU_ASSERT_TRUE(who.must_change_password);
	/* The guest comes without a password. */
	CHECK_FAILS(users_modify(device.users, "guest",
				 &(struct user_change){ .disabled = &no },
				 device.now, &e),
		    &e, ERR_PASSWORD_RULES, "needs a password");
	CHECK_OK(reset("guest", GOOD, &e), &e);
	enable("guest");
	CHECK_IN("guest", GOOD);
	device_close();
}

/* An account without a password may be used to choose one, and for no more;
 * with a locked one, for nothing. */
static void test_without_password(void)
{
	const bool yes = true;
	struct error e = ERROR_INIT;

	device_make();
	add_user("open", "", PRIVILEGE_CONFERENCE_LIST);
	add_user("shut", "", PRIVILEGE_CONFERENCE_LIST);
	CHECK_OK(users_modify(device.users, "shut",
			      &(struct user_change){ .lock_password = &yes },
			      device.now, &e),
		 &e);
	set_mode(true);
	CHECK_IN("open", "");
	CU_ASSERT_TRUE(who.must_change_password);
	CHECK_OUT("shut", "",
		  "the password has expired; an administrator must set "
		  "another");
	CU_ASSERT_STRING_EQUAL(login_by(LOGIN_API, "shut", "anything"),
			       "the password has expired; an administrator "
			       "must set another");
	CHECK_OK(change_own("open", "", GOOD, &e), &e);
	CHECK_IN("open", GOOD);
	CU_ASSERT_FALSE(who.must_change_password);
	device_close();
}

/* Accounts that cannot be written keep nobody out, and the mode is tried again.
 */
static void test_without_disk(void)
{
	device_make();
	add_user("bob", GOOD, PRIVILEGE_CONFERENCE_LIST);
	tamper(device.dir, "CREATE TRIGGER a BEFORE UPDATE ON account BEGIN"
			   " SELECT RAISE(FAIL, 'full'); END;");
	set_mode(true);
	CHECK_IN("bob", GOOD);
	CHECK_OUT("bob", "x", WRONG);
	tamper(device.dir, "DROP TRIGGER a");
	CHECK_IN("bob", GOOD);
	CU_ASSERT_TRUE(who.must_change_password);
	device_close();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "turning it on", test_enabling },
		{ "turning it on, killed", test_enabling_survives_a_kill },
		{ "three failures", test_failures_disable },
		{ "administrators", test_failures_of_administrators },
		{ "failures, killed", test_failures_survive_a_kill },
		{ "failures at once", test_failures_at_once },
		{ "sixty days", test_expiry },
		{ "expired and locked", test_expired_and_locked },
		{ "one change a day", test_one_change_a_day },
		{ "ten passwords", test_history },
		{ "thirty days of rest", test_inactivity },
		{ "new accounts", test_new_accounts },
		{ "without a password", test_without_password },
		{ "without a disk", test_without_disk },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "advanced-accounts", tests, NULL, NULL);
}
