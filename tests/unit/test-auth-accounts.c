/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "tests/lib/test_certs.h"
#include "tests/unit/account_texts.h"
#include "tests/unit/accounts_fixture.h"
#include "tests/unit/tamper.h"

/* What may be in an account and what may become of it. */

static void test_privileges(void)
{
	enum privilege p;

	for (int i = PRIVILEGE_NONE + 1; i < PRIVILEGE_COUNT; i++) {
		CU_ASSERT_EQUAL(
		    privilege_from_name(privilege_name((enum privilege)i), &p),
		    0);
		CU_ASSERT_EQUAL((int)p, i);
	}
	CU_ASSERT_STRING_EQUAL(privilege_name(PRIVILEGE_CONFERENCE_LIST),
			       "conference list only");
	CU_ASSERT_EQUAL(privilege_from_name("none", &p), -1);
	CU_ASSERT_EQUAL(privilege_from_name("Administrator", &p), -1);
	CU_ASSERT_EQUAL(privilege_from_name("", &p), -1);
	CU_ASSERT_STRING_EQUAL(privilege_name(PRIVILEGE_COUNT), "none");
}

static void test_built_in(void)
{
	struct error e = ERROR_INIT;
	struct user_row admin, guest, after;
	size_t count;

	device_make();
	admin = row_of("admin");
	guest = row_of("guest");
	CU_ASSERT_EQUAL(admin.privilege, PRIVILEGE_ADMINISTRATOR);
	CU_ASSERT(!admin.disabled && !admin.lock_password);
	CU_ASSERT_EQUAL(guest.privilege, PRIVILEGE_CONFERENCE_LIST);
	CU_ASSERT(guest.disabled && guest.lock_password && !guest.force_change);
	CU_ASSERT_STRING_EQUAL(guest.password_hash, "");
	CHECK_OK(try_login(LOGIN_WEB, "admin", device.password, &e), &e);
	device_close();
	/* A second start changes nothing, even with another file. */
	test_write_file(device.password_file, "other\n");
	device_open(device.dir);
	after = row_of("admin");
	CU_ASSERT_STRING_EQUAL(after.password_hash, admin.password_hash);
	CHECK_FAILS(try_login(LOGIN_WEB, "admin", "other", &e), &e, ERR_AUTH,
		    "authorization failed");
	device_close();
	/* Killed between the two accounts. */
	tamper(device.dir, "DELETE FROM account WHERE id = 'admin'");
	device_open(device.dir);
	CHECK_OK(store_user_count(device.store, &count, &e), &e);
	CU_ASSERT_EQUAL(count, 2);
	CHECK_OK(try_login(LOGIN_WEB, "admin", "other", &e), &e);
	device_close();
}

static const bool yes = true, no = false;
static const enum privilege administrator = PRIVILEGE_ADMINISTRATOR,
			    list_only = PRIVILEGE_CONFERENCE_LIST,
			    nobody = PRIVILEGE_NONE, too_much = PRIVILEGE_COUNT;

static void test_add_refusals(void)
{
	static const struct view long_password = { (const uint8_t *)X31 "2",
						   32 };
	static const struct {
		struct user_change c;
		enum error_kind kind;
		const char *words;
	} rows[] = {
		{ { .id = NULL }, ERR_INPUT, "user ID is missing" },
		{ { .id = "" }, ERR_INPUT, "user ID is empty" },
		{ { .id = " x" }, ERR_INPUT, "space" },
		{ { .id = "x " }, ERR_INPUT, "space" },
		{ { .id = X31 "2" }, ERR_INPUT, "user ID has more than 31" },
		{ { .id = EURO31 "x" }, ERR_INPUT, "more than 31" },
		{ { .id = "a\nb" }, ERR_INPUT, "control" },
		{ { .id = "a\xff" }, ERR_INPUT, "UTF-8" },
		{ { .id = "admin" }, ERR_USER_EXISTS, "reserved" },
		{ { .id = "guest" }, ERR_USER_EXISTS, "reserved" },
		{ { .id = "invalid" }, ERR_USER_EXISTS, "reserved" },
		{ { .id = "system" }, ERR_USER_EXISTS, "reserved" },
		{ { .id = "unknown" }, ERR_USER_EXISTS, "reserved" },
		{ { .id = "taken" }, ERR_USER_EXISTS, "user exists" },
		{ { .id = "x", .name = X31 "2" }, ERR_INPUT, "name" },
		{ { .id = "x", .name = "\x01" }, ERR_INPUT, "name" },
		{ { .id = "x", .e164 = "12a" }, ERR_INPUT, "E.164" },
		{ { .id = "x", .e164 = X31 "2" }, ERR_INPUT, "E.164" },
		{ { .id = "x", .endpoint = X31 "2" }, ERR_INPUT, "endpoint" },
		{ { .id = "x", .privilege = &nobody }, ERR_INPUT, "level" },
		{ { .id = "x", .privilege = &too_much }, ERR_INPUT, "level" },
		{ { .id = "x", .password = &long_password },
		  ERR_PASSWORD_RULES,
		  "31" },
		{ { .id = "x", .lock_password = &yes, .force_change = &yes },
		  ERR_INPUT,
		  "locked" },
		{ { .id = "x",
		    .lock_password = &yes,
		    .privilege = &administrator },
		  ERR_INPUT,
		  "locked" },
	};
	struct error e = ERROR_INIT;
	size_t count;

	device_make();
	add_user("taken", "", PRIVILEGE_CONFERENCE_LIST);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK_FAILS(users_add(device.users, &rows[i].c, NOW, &e), &e,
			    rows[i].kind, rows[i].words);
	CHECK_OK(store_user_count(device.store, &count, &e), &e);
	CU_ASSERT_EQUAL(count, 3);
	device_close();
}

/* What is open to everybody over the API is no more than the guest's. */
static void test_password_is_needed(void)
{
	static const struct view none = { NULL, 0 };
	struct error e = ERROR_INIT;
	char id[16];

	device_make();
	for (int p = PRIVILEGE_CONFERENCE_LIST; p < PRIVILEGE_COUNT; p++) {
		const enum privilege level = (enum privilege)p;
		struct user_change c = { .id = id, .privilege = &level };
		const struct user_change up = { .privilege = &level };
		bool fine = p == PRIVILEGE_CONFERENCE_LIST;

		for (int given = 0; given < 2; given++) {
			snprintf(id, sizeof(id), "u%d%d", p, given);
			c.password = given ? &none : NULL;
			if (fine)
				CHECK_OK(users_add(device.users, &c, NOW, &e),
					 &e);
			else
				CHECK_FAILS(
				    users_add(device.users, &c, NOW, &e), &e,
				    ERR_PASSWORD_RULES, "needs a password");
		}
		if (fine)
			continue;
		CHECK_FAILS(users_modify(device.users, "u10", &up, NOW, &e), &e,
			    ERR_PASSWORD_RULES, "needs a password");
		snprintf(id, sizeof(id), "with%d", p);
		add_user(id, "p", level);
		CHECK_FAILS(
		    users_modify(device.users, id,
				 &(struct user_change){ .password = &none },
				 NOW, &e),
		    &e, ERR_PASSWORD_RULES, "needs a password");
		CHECK_FAILS(users_change_own_password(device.users, id,
						      view_str("p"), none,
						      "::1", NOW, &e),
			    &e, ERR_PASSWORD_RULES, "needs a password");
		CHECK_OK(try_login(LOGIN_API, id, "p", &e), &e);
	}
	/* One of before this rule. */
	tamper(device.dir, "UPDATE account SET privilege = 7 WHERE id = 'u10'");
	CHECK_FAILS(try_login(LOGIN_API, "u10", "anything", &e), &e, ERR_AUTH,
		    NULL);
	CHECK_FAILS(try_login(LOGIN_WEB, "u10", "", &e), &e, ERR_AUTH, NULL);
	device_close();
}

static void test_add_defaults(void)
{
	const struct user_change plain = { .id = "plain" };
	const struct user_change locked = { .id = EURO31,
					    .name = EURO31,
					    .e164 = "+49*#",
					    .endpoint = X31,
					    .lock_password = &yes };
	struct error e = ERROR_INIT;
	struct user_row row;

	device_make();
	CHECK_OK(users_add(device.users, &plain, NOW, &e), &e);
	row = row_of("plain");
	CU_ASSERT_EQUAL(row.privilege, PRIVILEGE_CONFERENCE_LIST);
	CU_ASSERT(!row.disabled && !row.lock_password && row.force_change);
	CU_ASSERT_EQUAL(row.built_in, USER_ORDINARY);
	CU_ASSERT_STRING_EQUAL(row.password_hash, "");
	CU_ASSERT_EQUAL(row.password_set_at, NOW);
	CHECK_OK(users_add(device.users, &locked, NOW, &e), &e);
	row = row_of(EURO31);
	CU_ASSERT(row.lock_password && !row.force_change);
	CU_ASSERT_STRING_EQUAL(row.name, EURO31);
	CU_ASSERT_STRING_EQUAL(row.e164, "+49*#");
	CU_ASSERT_STRING_EQUAL(row.endpoint, X31);
	device_close();
}

static void test_at_most_200(void)
{
	struct error e = ERROR_INIT;
	struct user_change c = { .id = "last" };

	device_make();
	tamper(device.dir,
	       "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n"
	       " WHERE x < 197) INSERT INTO account (id, name, password_hash,"
	       " privilege, built_in, disabled, lock_password, force_change,"
	       " e164, endpoint, password_set_at, last_login_at, failures,"
	       " disabled_until) SELECT 'u' || x, '',"
	       " '', 1, 0, 0, 0, 0, '', '', 0, 0, 0, 0 FROM n");
	CHECK_OK(users_add(device.users, &c, NOW, &e), &e);
	CHECK_FAILS(users_add(device.users, &c, NOW, &e), &e, ERR_USER_EXISTS,
		    NULL);
	c.id = "one-more";
	CHECK_FAILS(users_add(device.users, &c, NOW, &e), &e, ERR_LIMIT, "200");
	CHECK_OK(users_delete(device.users, "last", NULL, &e), &e);
	CHECK_OK(users_add(device.users, &c, NOW, &e), &e);
	device_close();
}

static void test_modify(void)
{
	static const struct view none = { NULL, 0 };
	static const struct {
		const char *id;
		struct user_change c;
		enum error_kind kind; /* ERR_NONE: done */
		const char *words;
		const char *ended; /* sessions */
	} rows[] = {
		{ "nobody", { .name = "x" }, ERR_NO_USER, NULL, "" },
		{ "bob", { .name = X31 "2" }, ERR_INPUT, "name", "" },
		{ "bob", { .id = "admin" }, ERR_USER_EXISTS, "reserved", "" },
		{ "bob", { .id = "system" }, ERR_USER_EXISTS, "reserved", "" },
		{ "bob", { .id = "eve" }, ERR_USER_EXISTS, "exists", "" },
		{ "bob",
		  { .name = "Bob", .e164 = "1", .endpoint = "b" },
		  ERR_NONE,
		  NULL,
		  "" },
		{ "bob", { .force_change = &yes }, ERR_NONE, NULL, "" },
		{ "bob", { .lock_password = &yes }, ERR_NONE, NULL, "" },
		{ "bob", { .force_change = &yes }, ERR_CONFLICT, "locked", "" },
		{ "bob",
		  { .privilege = &administrator },
		  ERR_CONFLICT,
		  "locked",
		  "" },
		{ "bob", { .lock_password = &no }, ERR_NONE, NULL, "" },
		{ "bob",
		  { .privilege = &administrator },
		  ERR_NONE,
		  NULL,
		  "bob " },
		{ "bob", { .privilege = &administrator }, ERR_NONE, NULL, "" },
		{ "bob", { .privilege = &list_only }, ERR_NONE, NULL, "bob " },
		{ "bob", { .disabled = &yes }, ERR_NONE, NULL, "bob " },
		{ "bob", { .disabled = &no }, ERR_NONE, NULL, "" },
		{ "bob", { .password = &none }, ERR_NONE, NULL, "bob " },
		{ "bob", { .id = "robert" }, ERR_NONE, NULL, "bob " },
		{ "bob", { .name = "x" }, ERR_NO_USER, NULL, "" },
		{ "guest", { .id = "visitor" }, ERR_CONFLICT, "renamed", "" },
		{ "guest",
		  { .id = "guest", .disabled = &no },
		  ERR_NONE,
		  NULL,
		  "" },
		{ "admin", { .disabled = &yes }, ERR_CONFLICT, "disabled", "" },
		{ "admin",
		  { .privilege = &list_only },
		  ERR_CONFLICT,
		  "fixed",
		  "" },
		{ "admin",
		  { .lock_password = &yes },
		  ERR_CONFLICT,
		  "locked",
		  "" },
		{ "admin", { .id = "guest" }, ERR_USER_EXISTS, NULL, "" },
		{ "admin",
		  { .id = "unknown" },
		  ERR_USER_EXISTS,
		  "reserved",
		  "" },
		{ "admin", { .id = "root" }, ERR_NONE, NULL, "admin " },
		{ "root", { .id = "admin" }, ERR_NONE, NULL, "root " },
	};
	struct error e = ERROR_INIT;

	device_make();
	add_user("bob", "b", PRIVILEGE_CONFERENCE_LIST);
	add_user("eve", "e", PRIVILEGE_CONFERENCE_LIST);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		device.ended[0] = '\0';
		if (rows[i].kind == ERR_NONE)
			CHECK_OK(users_modify(device.users, rows[i].id,
					      &rows[i].c, NOW, &e),
				 &e);
		else
			CHECK_FAILS(users_modify(device.users, rows[i].id,
						 &rows[i].c, NOW, &e),
				    &e, rows[i].kind, rows[i].words);
		CU_ASSERT_STRING_EQUAL(device.ended, rows[i].ended);
	}
	device_close();
}

static void test_invariants(void)
{
	const struct view password = view_str("p");
	const struct user_change up = { .password = &password,
					.privilege = &administrator,
					.lock_password = &no };
	struct error e = ERROR_INIT;

	device_make();
	/* Nobody below would be left. */
	CHECK_FAILS(users_modify(device.users, "guest", &up, NOW, &e), &e,
		    ERR_CONFLICT, "below");
	add_user("bob", "", PRIVILEGE_CONFERENCE_LIST);
	CHECK_OK(users_modify(device.users, "guest", &up, NOW, &e), &e);
	CHECK_FAILS(users_delete(device.users, "bob", NULL, &e), &e,
		    ERR_CONFLICT, "below");
	CHECK_FAILS(users_delete(device.users, "admin", NULL, &e), &e,
		    ERR_CONFLICT, "built-in");
	CHECK_FAILS(users_delete(device.users, "guest", NULL, &e), &e,
		    ERR_CONFLICT, "built-in");
	CHECK_FAILS(users_delete(device.users, "none", NULL, &e), &e,
		    ERR_NO_USER, NULL);
	add_user("eve", "e", PRIVILEGE_CONFERENCE_DETAIL);
	device.ended[0] = '\0';
	CHECK_OK(users_delete(device.users, "bob", NULL, &e), &e);
	CU_ASSERT_STRING_EQUAL(device.ended, "bob ");
	/* An administrator that only the database could have disabled. */
	tamper(device.dir,
	       "UPDATE account SET disabled = 1 WHERE id = 'admin'");
	CHECK_FAILS(users_modify(device.users, "eve",
				 &(struct user_change){ .name = "x" }, NOW, &e),
		    &e, ERR_CONFLICT, "no enabled administrator");
	device_close();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "privileges", test_privileges },
		{ "built-in accounts", test_built_in },
		{ "refused accounts", test_add_refusals },
		{ "a password is needed", test_password_is_needed },
		{ "defaults of an account", test_add_defaults },
		{ "at most 200 accounts", test_at_most_200 },
		{ "changes of accounts", test_modify },
		{ "somebody is left", test_invariants },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "auth-accounts", tests, NULL, NULL);
}
