/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/account_texts.h"
#include "tests/unit/accounts_fixture.h"
#include "tests/unit/tamper.h"

/* Log-ins by password, what is told of them, and a user's own change of it. */

static const bool yes = true;

static void test_login_rows(void)
{
	static const struct {
		const char *id, *password;
		const char *web, *api; /* refusal, NULL: in */
	} rows[] = {
#define WRONG "authorization failed"
		{ "bob", "right", NULL, NULL },
		{ "bob", "wrong", WRONG, WRONG },
		{ "bob", "", WRONG, WRONG },
		{ "Bob", "right", WRONG, WRONG },
		{ "bob ", "right", WRONG, WRONG },
		{ "", "", WRONG, WRONG },
		{ "nobody", "", WRONG, WRONG },
		{ "nobody", "right", WRONG, WRONG },
		{ "open", "", NULL, NULL },
		{ "open", "anything", WRONG, NULL },
		{ "shut", "s", "account is disabled", "account is disabled" },
		{ "shut", "t", WRONG, WRONG },
		{ "guest", "", "account is disabled", "account is disabled" },
		{ "guest", "x", WRONG, "account is disabled" },
		{ "' OR 1=1 --", "x", WRONG, WRONG },
		{ "a\nb\xff", "x", WRONG, WRONG },
	};
	struct error e = ERROR_INIT;

	device_make();
	add_user("bob", "right", PRIVILEGE_CONFERENCE_LIST);
	add_user("open", "", PRIVILEGE_CONFERENCE_LIST);
	add_user("shut", "s", PRIVILEGE_CONFERENCE_LIST);
	CHECK_OK(users_modify(device.users, "shut",
			      &(struct user_change){ .disabled = &yes }, NOW,
			      &e),
		 &e);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *const want[] = {
			[LOGIN_WEB] = rows[i].web, [LOGIN_API] = rows[i].api
		};

		for (int door = LOGIN_WEB; door <= LOGIN_API; door++) {
			/* Without the delays, which have their own test. */
			open_users();
			if (!want[door]) {
				CHECK_OK(try_login((enum login_door)door,
						   rows[i].id, rows[i].password,
						   &e),
					 &e);
				continue;
			}
			CHECK_FAILS(try_login((enum login_door)door, rows[i].id,
					      rows[i].password, &e),
				    &e, ERR_AUTH, want[door]);
			CU_ASSERT_STRING_EQUAL(e.text, want[door]);
		}
	}
	device_close();
}

static void test_login_hostile(void)
{
	struct error e = ERROR_INIT;
	struct identity_of_user who;
	char *big = malloc(1 << 20);

	device_make();
	add_user("open", "", PRIVILEGE_CONFERENCE_LIST);
	memset(big, 'x', 1 << 20);
	CHECK_FAILS(users_login(device.users, LOGIN_WEB, "admin",
				view_of(big, 1 << 20), "", NOW, &who, &e),
		    &e, ERR_AUTH, NULL);
	CHECK_FAILS(users_login(device.users, LOGIN_WEB, "open",
				view_of("\0", 1), "", NOW, &who, &e),
		    &e, ERR_AUTH, NULL);
	big[(1 << 20) - 1] = '\0';
	CHECK_FAILS(users_login(device.users, LOGIN_WEB, big, view_str("x"),
				big, NOW, &who, &e),
		    &e, ERR_AUTH, NULL);
	CU_ASSERT_STRING_EQUAL(who.id, "");
	CU_ASSERT_EQUAL(who.privilege, PRIVILEGE_NONE);
	free(big);
	device_close();
}

static void test_login_result(void)
{
	struct error e = ERROR_INIT;
	struct identity_of_user who;
	const struct user_change force = { .force_change = &yes };
	struct user_row row;

	device_make();
	add_user("bob", "b", PRIVILEGE_CONFERENCE_DETAIL);
	CHECK_OK(users_modify(device.users, "bob", &force, NOW, &e), &e);
	CHECK_OK(users_login(device.users, LOGIN_WEB, "bob", view_str("b"),
			     "::1", NOW + 5, &who, &e),
		 &e);
	CU_ASSERT_STRING_EQUAL(who.id, "bob");
	CU_ASSERT_EQUAL(who.privilege, PRIVILEGE_CONFERENCE_DETAIL);
	CU_ASSERT_TRUE(who.must_change_password);
	row = row_of("bob");
	CU_ASSERT_EQUAL(row.last_login_at, NOW + 5);
	CHECK_OK(users_lookup(device.users, "bob", &who, &e), &e);
	CU_ASSERT_TRUE(who.must_change_password);
	CHECK_OK(users_modify(device.users, "bob",
			      &(struct user_change){ .disabled = &yes }, NOW,
			      &e),
		 &e);
	CHECK_FAILS(users_lookup(device.users, "bob", &who, &e), &e,
		    ERR_NO_USER, NULL);
	CHECK_FAILS(users_lookup(device.users, "none", &who, &e), &e,
		    ERR_NO_USER, NULL);
	device_close();
}

static void test_password_mark(void)
{
	const struct view first = view_str("b"), none = { NULL, 0 };
	const struct user_change same = { .password = &first },
				 empty = { .password = &none },
				 name = { .name = "Bob" };
	struct identity_of_user who, then;
	struct error e = ERROR_INIT;

	device_make();
	add_user("bob", "b", PRIVILEGE_CONFERENCE_LIST);
	CHECK_OK(users_login(device.users, LOGIN_WEB, "bob", first, "::1", NOW,
			     &who, &e),
		 &e);
	CHECK_OK(users_modify(device.users, "bob", &name, NOW, &e), &e);
	CHECK_OK(users_lookup(device.users, "bob", &then, &e), &e);
#define SAME_MARK \
	!memcmp(who.password_mark, then.password_mark, PASSWORD_MARK_SIZE)
	CU_ASSERT(SAME_MARK);
	/* The same words in the same second are another password. */
	CHECK_OK(users_modify(device.users, "bob", &same, NOW, &e), &e);
	CHECK_OK(users_lookup(device.users, "bob", &then, &e), &e);
	CU_ASSERT(!SAME_MARK);
	CHECK_OK(users_modify(device.users, "bob", &empty, NOW, &e), &e);
	CHECK_OK(users_lookup(device.users, "bob", &who, &e), &e);
	CU_ASSERT(!SAME_MARK);
	/* So is that of another account under the old name. */
	CHECK_OK(users_delete(device.users, "bob", NULL, &e), &e);
	add_user("bob", "", PRIVILEGE_CONFERENCE_LIST);
	CHECK_OK(users_lookup(device.users, "bob", &then, &e), &e);
	CU_ASSERT(!SAME_MARK);
#undef SAME_MARK
	device_close();
}

struct trail {
	int failed, passed, unread;
	char last[200];
};

static int note_event(void *arg, const struct audit_record *r, struct error *e)
{
	struct trail *t = arg;

	(void)e;
	t->failed += !strcmp(r->event, "loginFailed");
	t->passed += !strcmp(r->event, "login");
	t->unread += strstr(r->detail, "unread; refused: 1") != NULL;
	snprintf(t->last, sizeof(t->last), "%s|%s|%s|%s|%s", r->module,
		 r->event, r->user_name, r->peer, r->detail);
	return 0;
}

static struct trail read_trail(void)
{
	struct error e = ERROR_INIT;
	struct trail t = { 0 };

	CHECK_OK(audit_each(device.audit, 0, 1000, note_event, &t, &e), &e);
	return t;
}

static void test_failures_are_counted(void)
{
	struct error e = ERROR_INIT;
	int64_t before;
	struct trail t;

	device_make();
	add_user("bob", "b", PRIVILEGE_CONFERENCE_LIST);
	CHECK_FAILS(try_login(LOGIN_WEB, "bob", "x", &e), &e, ERR_AUTH, NULL);
	CU_ASSERT_EQUAL(row_of("bob").failures, 1);
	t = read_trail();
	CU_ASSERT_STRING_EQUAL(
	    t.last, "Web|loginFailed|bob|192.0.2.1|reason: wrong password");
	before = clock_monotonic_ms();
	CHECK_FAILS(try_login(LOGIN_API, "bob", "x", &e), &e, ERR_AUTH, NULL);
	CU_ASSERT(clock_monotonic_ms() - before >= 250);
	CU_ASSERT_EQUAL(row_of("bob").failures, 2);
	/* The right password waits too, and wipes the slate. */
	before = clock_monotonic_ms();
	CHECK_OK(try_login(LOGIN_API, "bob", "b", &e), &e);
	CU_ASSERT(clock_monotonic_ms() - before >= 500);
	CU_ASSERT_EQUAL(row_of("bob").failures, 0);
	t = read_trail();
	CU_ASSERT(t.failed == 2 && t.passed == 1);
	CU_ASSERT_STRING_EQUAL(t.last, "API|login|bob|192.0.2.1|failures: 2");
	CHECK_OK(try_login(LOGIN_API, "bob", "b", &e), &e);
	CU_ASSERT_EQUAL(read_trail().passed, 1);
	CHECK_OK(try_login(LOGIN_WEB, "bob", "b", &e), &e);
	CU_ASSERT_EQUAL(read_trail().passed, 2);
	CHECK_FAILS(try_login(LOGIN_WEB, "nobody", "b", &e), &e, ERR_AUTH,
		    NULL);
	CU_ASSERT_STRING_EQUAL(
	    read_trail().last,
	    "Web|loginFailed|nobody|192.0.2.1|reason: no such account");
	device_close();
}

static void *guess_once(void *arg)
{
	struct error e = ERROR_INIT;

	(void)arg;
	CU_ASSERT_EQUAL(try_login(LOGIN_API, "nobody", "x", &e), -1);
	return NULL;
}

/* More at once than may wait: one record tells of the refusals. */
static void test_refusals_are_recorded(void)
{
	enum { THREADS = 8 };
	pthread_t threads[THREADS];
	struct error e = ERROR_INIT;
	struct trail t;

	device_make();
	for (int i = 0; i < 2; i++)
		CU_ASSERT_EQUAL(try_login(LOGIN_API, "nobody", "x", &e), -1);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, guess_once, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	t = read_trail();
	CU_ASSERT_EQUAL(t.unread, 1);
	CU_ASSERT(t.failed >= 2 + 4 + 1 && t.failed < 2 + THREADS);
	device_close();
}

/* A store that cannot be written lets nobody log in, and stops no program. */
static void test_login_without_disk(void)
{
	struct error e = ERROR_INIT;

	device_make();
	tamper(device.dir, "CREATE TRIGGER a BEFORE UPDATE ON account BEGIN"
			   " SELECT RAISE(FAIL, 'full'); END;"
			   "CREATE TRIGGER b BEFORE INSERT ON audit BEGIN"
			   " SELECT RAISE(FAIL, 'full'); END;");
	/* Nobody comes in without a record; calls of programs have none. */
	CHECK_FAILS(try_login(LOGIN_WEB, "admin", device.password, &e), &e,
		    ERR_IO, "no log-in without its record");
	CHECK_OK(try_login(LOGIN_API, "admin", device.password, &e), &e);
	CHECK_FAILS(try_login(LOGIN_WEB, "admin", "x", &e), &e, ERR_AUTH, NULL);
	CU_ASSERT_EQUAL(audit_lost(device.audit), 2);
	tamper(device.dir, "ALTER TABLE account RENAME TO elsewhere");
	CHECK_FAILS(try_login(LOGIN_WEB, "admin", device.password, &e), &e,
		    ERR_IO, NULL);
	device_close();
}

static void test_own_password(void)
{
	static const struct {
		const char *id, *current, *wanted;
		enum error_kind kind; /* ERR_NONE: done */
		const char *words;
	} rows[] = {
		{ "nobody", "b", "c", ERR_NO_USER, NULL },
		{ "guest", "", "c", ERR_CONFLICT, "guest" },
		{ "locked", "l", "c", ERR_CONFLICT, "locked" },
		{ "shut", "s", "c", ERR_NO_USER, NULL },
		{ "bob", "b", X31 "2", ERR_PASSWORD_RULES, "31" },
		{ "bob", "b", "b", ERR_PASSWORD_RULES, "old one" },
		{ "bob", "x", "c", ERR_AUTH, "current password" },
		{ "bob", "b", "c", ERR_NONE, NULL },
		{ "bob", "c", "c", ERR_NONE, NULL },
		{ "bob", "c", "", ERR_NONE, NULL },
		{ "bob", "x", "d", ERR_AUTH, "current password" },
		{ "bob", "", "d", ERR_NONE, NULL },
	};
	struct error e = ERROR_INIT;

	device_make();
	add_user("bob", "b", PRIVILEGE_CONFERENCE_LIST);
	add_user("locked", "l", PRIVILEGE_CONFERENCE_LIST);
	add_user("shut", "s", PRIVILEGE_CONFERENCE_LIST);
	CHECK_OK(users_modify(device.users, "bob",
			      &(struct user_change){ .force_change = &yes },
			      NOW, &e),
		 &e);
	CHECK_OK(users_modify(device.users, "locked",
			      &(struct user_change){ .lock_password = &yes },
			      NOW, &e),
		 &e);
	CHECK_OK(users_modify(device.users, "shut",
			      &(struct user_change){ .disabled = &yes }, NOW,
			      &e),
		 &e);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int rc;

		device.ended[0] = '\0';
		rc = users_change_own_password(
		    device.users, rows[i].id, view_str(rows[i].current),
		    view_str(rows[i].wanted), "::1", NOW + 9, &e);
		if (rc == 0 || rows[i].kind == ERR_NONE)
			CU_ASSERT_EQUAL(rc, rows[i].kind == ERR_NONE ? 0 : -1);
		if (rows[i].kind != ERR_NONE)
			unit_check_error(&e, rows[i].kind, rows[i].words,
					 __FILE__, __LINE__);
		CU_ASSERT_STRING_EQUAL(device.ended, rc == 0 ? "bob " : "");
		if (rc == 0)
			CU_ASSERT_FALSE(row_of("bob").force_change);
	}
	CU_ASSERT_EQUAL(row_of("bob").password_set_at, NOW + 9);
	CHECK_OK(try_login(LOGIN_WEB, "bob", "d", &e), &e);
	device_close();
}

/* --- threads */

static atomic_int wrong;

static void *login_on(void *arg)
{
	struct identity_of_user who;
	struct error e = ERROR_INIT;

	(void)arg;
	for (int i = 0; i < 6; i++)
		if (users_login(device.users, i % 2 ? LOGIN_WEB : LOGIN_API,
				"admin", view_str(device.password), "192.0.2.7",
				NOW + i, &who, &e) < 0)
			atomic_fetch_add(&wrong, 1);
	return NULL;
}

static void *fail_on(void *arg)
{
	struct identity_of_user who;
	struct error e = ERROR_INIT;

	(void)arg;
	for (int i = 0; i < 2; i++)
		if (users_login(device.users, LOGIN_WEB, "bob", view_str("x"),
				"192.0.2.8", NOW, &who, &e) == 0 ||
		    e.kind != ERR_AUTH)
			atomic_fetch_add(&wrong, 1);
	return NULL;
}

static void *change_on(void *arg)
{
	struct error e = ERROR_INIT;
	char name[16];
	struct user_change c = { .name = name };

	(void)arg;
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		if (users_modify(device.users, "admin", &c, NOW, &e) < 0 ||
		    users_modify(device.users, "bob", &c, NOW, &e) < 0)
			atomic_fetch_add(&wrong, 1);
	}
	return NULL;
}

static void test_threads(void)
{
	void *(*const work[])(void *) = { login_on, login_on, fail_on, fail_on,
					  change_on };
	pthread_t threads[5];
	struct error e = ERROR_INIT;
	struct audit_verdict v;

	device_make();
	add_user("bob", "b", PRIVILEGE_CONFERENCE_LIST);
	atomic_store(&wrong, 0);
	for (int i = 0; i < 5; i++)
		pthread_create(&threads[i], NULL, work[i], NULL);
	for (int i = 0; i < 5; i++)
		pthread_join(threads[i], NULL);
	CU_ASSERT_EQUAL(atomic_load(&wrong), 0);
	/* No change was lost under the counts of the log-ins. */
	CU_ASSERT_STRING_EQUAL(row_of("admin").name, "n19");
	CU_ASSERT_STRING_EQUAL(row_of("bob").name, "n19");
	CU_ASSERT_EQUAL(row_of("bob").failures, 4);
	CHECK_OK(audit_verify(device.audit, &v, &e), &e);
	CU_ASSERT_TRUE(v.intact);
	device_close();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "log-ins by both doors", test_login_rows },
		{ "hostile log-ins", test_login_hostile },
		{ "what a log-in gives", test_login_result },
		{ "the mark of a password", test_password_mark },
		{ "refusals are recorded", test_refusals_are_recorded },
		{ "failures are counted", test_failures_are_counted },
		{ "log-in without a disk", test_login_without_disk },
		{ "own password", test_own_password },
		{ "threads", test_threads },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "auth-login", tests, NULL, NULL);
}
