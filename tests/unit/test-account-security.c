/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "auth/account_security.h"
#include "auth/password_rules.h"
#include "tests/lib/unit.h"

/* The rules of the advanced account security mode one by one: no store, no
 * clock. */

enum { NOW = 1800000000, DAY = 24 * 60 * 60 };

#define EURO "\xe2\x82\xac"
#define GOOD "Ab3$Ab3$Ab3$Ab3" /* 15 characters */

static void test_characters(void)
{
#define BIT(rule) (1u << PASSWORD_RULE_##rule)
	static const struct {
		const char *password;
		unsigned broken;
	} rows[] = {
		{ GOOD, 0 },
		{ "Ab3$Ab3$Ab3$Ab", BIT(MINIMUM) },
		{ GOOD GOOD "x", 0 },
		{ GOOD GOOD "xy", BIT(MAXIMUM) },
		{ "AAbb33$$cdefghi", 0 },
		{ "Aabb33$$cdefghi", BIT(CAPITALS) },
		{ "aabb33$$cdefghi", BIT(CAPITALS) },
		{ "AABB33$$CDEFGHI", BIT(SMALL) },
		{ "AABb33$$CDEFGHI", BIT(SMALL) },
		{ "AABbb3$$CDEFGHI", BIT(DIGITS) },
		{ "AABbbc$$CDEFGHI", BIT(DIGITS) },
		{ "AABbb33$CDEFGHI", BIT(OTHERS) },
		{ "AABbb334CDEFGHI", BIT(OTHERS) },
		{ "AABbb33  CDEFGH", 0 },
		{ "AAAbb33$$cdefgh", BIT(REPEATS) },
		{ "AAAAbb33$$cdefg", BIT(REPEATS) },
		{ "AABbb33$$$cdefg", BIT(REPEATS) },
		{ "bbAAbb33$$bbAAc", 0 },
		{ "AAaAbb33$$cdefg", 0 },
		/* Letters and digits are those of ASCII; the rest counts for
		 * the length, once a character. */
		{ "AAbb33$$" EURO EURO "x" EURO EURO "yz", 0 },
		{ "AAbb33$$" EURO EURO "x" EURO EURO "y", BIT(MINIMUM) },
		{ "AAbb33$$xyzz" EURO EURO EURO, BIT(REPEATS) },
		{ "AAbb33\xc3\xa4\xc3\xa4xyzzyxz", BIT(OTHERS) },
		{ "AAbb\xd9\xa3\xd9\xa3$$xyzzyxz", BIT(DIGITS) },
		{ "", BIT(MINIMUM) | BIT(CAPITALS) | BIT(SMALL) | BIT(DIGITS) |
			  BIT(OTHERS) },
		{ "aaa", BIT(MINIMUM) | BIT(CAPITALS) | BIT(DIGITS) |
			     BIT(OTHERS) | BIT(REPEATS) },
		{ "correct horse battery", BIT(CAPITALS) | BIT(DIGITS) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct view v = view_str(rows[i].password);

		CU_ASSERT_EQUAL(password_rules_broken(v, true), rows[i].broken);
		/* Without the mode only the field ends somewhere. */
		CU_ASSERT_EQUAL(password_rules_broken(v, false),
				rows[i].broken & BIT(MAXIMUM));
	}
	/* Hostile bytes are read to their end and no further. */
	(void)password_rules_broken(view_of("\xe2\x82", 2), true);
	(void)password_rules_broken(view_of("AA\xff", 3), true);
	(void)password_rules_broken(view_of(NULL, 0), true);
#undef BIT
}

static void test_refusals_name_all(void)
{
	struct error e = ERROR_INIT;
	const struct password_rule_row *row;
	size_t count = 0;

	CHECK_OK(password_rules_refuse(0, &e), &e);
	CHECK_FAILS(password_rules_refuse(~0u, &e), &e, ERR_PASSWORD_RULES,
		    NULL);
	for (; (row = password_rule_row(count)); count++) {
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, row->text));
		CU_ASSERT(strlen(row->id) > 0);
	}
	CU_ASSERT_EQUAL(count, PASSWORD_RULE_COUNT);
	CHECK_FAILS(password_rules_check(view_str("aaa"), true, &e), &e,
		    ERR_PASSWORD_RULES, "at least 15 characters");
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "capital letters"));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "2 times in a row"));
	CU_ASSERT_PTR_NULL(strstr(e.text, "small letters"));
	CU_ASSERT_PTR_NULL(strstr(e.text, "aaa"));
	CHECK_OK(password_rules_check(view_str("aaa"), false, &e), &e);
	CHECK_FAILS(password_rules_check(view_str("\xff"), true, &e), &e,
		    ERR_PASSWORD_RULES, "UTF-8");
	CHECK_OK(password_rules_check(view_str(GOOD), true, &e), &e);
}

static struct user_row a_user(enum privilege p)
{
	struct user_row row = {
		.privilege = (int)p,
		.password_hash = "$y$hash",
		.password_set_at = NOW,
		.last_login_at = NOW,
		.active_from = NOW,
	};

	strcpy(row.id, "somebody");
	return row;
}

static const enum privilege levels[] = { PRIVILEGE_ADMINISTRATOR,
					 PRIVILEGE_FULL_CONTROL,
					 PRIVILEGE_CONFERENCE_LIST };
enum { LEVELS = sizeof(levels) / sizeof(*levels) };

static void test_age(void)
{
	struct user_row row = a_user(PRIVILEGE_ADMINISTRATOR);
	const time_t end = NOW + 60 * DAY;

	CU_ASSERT_EQUAL(password_expires_at(&row, true), end);
	CU_ASSERT_EQUAL(password_expires_at(&row, false), 0);
	CU_ASSERT_FALSE(password_is_expired(&row, true, NOW));
	CU_ASSERT_FALSE(password_is_expired(&row, true, end - 1));
	CU_ASSERT_TRUE(password_is_expired(&row, true, end));
	CU_ASSERT_FALSE(password_is_expired(&row, false, end));
	CU_ASSERT_FALSE(password_must_change(&row, true, end - 1));
	CU_ASSERT_TRUE(password_must_change(&row, true, end));
	CU_ASSERT_FALSE(password_must_change(&row, false, end));
	/* Before its time, by the mode being turned on. */
	row.password_expired = true;
	CU_ASSERT_TRUE(password_is_expired(&row, true, NOW));
	CU_ASSERT_FALSE(password_is_expired(&row, false, NOW));
	row.password_expired = false;
	row.force_change = true;
	CU_ASSERT_TRUE(password_must_change(&row, false, NOW));
	row.lock_password = true;
	CU_ASSERT_FALSE(password_must_change(&row, false, NOW));
	row.password_hash[0] = '\0';
	CU_ASSERT_EQUAL(password_expires_at(&row, true), 0);
	CU_ASSERT_TRUE(password_is_expired(&row, true, NOW));
	CU_ASSERT_FALSE(password_is_expired(&row, false, NOW));
}

static void test_frequency(void)
{
	for (int i = 0; i < LEVELS; i++) {
		bool free = levels[i] == PRIVILEGE_ADMINISTRATOR;
		struct user_row row = a_user(levels[i]);

		/* Never by himself: the administrator's does not count. */
		CU_ASSERT_TRUE(password_may_change_again(&row, true, NOW));
		row.own_change_at = NOW;
#define MAY(advanced, now) password_may_change_again(&row, advanced, now)
		CU_ASSERT_EQUAL(MAY(true, NOW), free);
		CU_ASSERT_EQUAL(MAY(true, NOW + DAY - 1), free);
		CU_ASSERT_TRUE(MAY(true, NOW + DAY));
		CU_ASSERT_TRUE(MAY(false, NOW));
		/* A clock that went back does not hold him for ever. */
		CU_ASSERT_TRUE(MAY(true, NOW - 1));
		row.force_change = true;
		CU_ASSERT_TRUE(MAY(true, NOW));
#undef MAY
	}
}

static void test_failures(void)
{
	for (int i = 0; i < LEVELS; i++) {
		bool admin = levels[i] == PRIVILEGE_ADMINISTRATOR;
		struct user_row row = a_user(levels[i]);
		const time_t end = NOW + 30 * 60;

		CU_ASSERT_FALSE(account_failed(&row, true, NOW));
		CU_ASSERT_FALSE(account_failed(&row, true, NOW));
		CU_ASSERT_EQUAL(account_block(&row, true, NOW), ACCOUNT_OPEN);
		CU_ASSERT_TRUE(account_failed(&row, true, NOW));
		CU_ASSERT_EQUAL(row.disabled, !admin);
#define BLOCK(now) account_block(&row, true, now)
		CU_ASSERT_EQUAL(BLOCK(NOW), ACCOUNT_BY_FAILURES);
		CU_ASSERT_EQUAL(BLOCK(end - 1), ACCOUNT_BY_FAILURES);
		CU_ASSERT_EQUAL(BLOCK(end),
				admin ? ACCOUNT_OPEN : ACCOUNT_BY_FAILURES);
		/* Further ones neither count nor prolong. */
		CU_ASSERT_FALSE(account_failed(&row, true, end - 1));
		CU_ASSERT_EQUAL(BLOCK(end),
				admin ? ACCOUNT_OPEN : ACCOUNT_BY_FAILURES);
		if (admin) {
			CU_ASSERT_FALSE(account_failed(&row, true, end));
			CU_ASSERT_FALSE(account_failed(&row, true, end));
			CU_ASSERT_TRUE(account_failed(&row, true, end));
			CU_ASSERT_EQUAL(BLOCK(end), ACCOUNT_BY_FAILURES);
			/* A lock set by a clock that was years ahead. */
			CU_ASSERT_EQUAL(BLOCK(NOW - DAY), ACCOUNT_OPEN);
		}
		account_enable(&row, NOW + DAY);
		CU_ASSERT_EQUAL(BLOCK(NOW + DAY), ACCOUNT_OPEN);
		CU_ASSERT(row.failures == 0 && row.disabled_reason == 0);
#undef BLOCK
	}
}

static void test_failures_are_consecutive(void)
{
	struct user_row row = a_user(PRIVILEGE_CONFERENCE_LIST);

	for (int i = 0; i < 10; i++) {
		CU_ASSERT_FALSE(account_failed(&row, true, NOW));
		CU_ASSERT_FALSE(account_failed(&row, true, NOW));
		if (i % 2)
			account_logged_in(&row, NOW + i);
		else
			account_logged_in_by_certificate(&row, NOW + i);
		CU_ASSERT_EQUAL(row.failures, 0);
		CU_ASSERT_EQUAL(row.last_login_at, NOW + i);
	}
	/* Without the mode they are counted and do nothing. */
	for (int i = 0; i < 10; i++)
		CU_ASSERT_FALSE(account_failed(&row, false, NOW));
	CU_ASSERT_EQUAL(row.failures, 10);
	CU_ASSERT_EQUAL(account_block(&row, false, NOW), ACCOUNT_OPEN);
}

static void test_inactivity(void)
{
	static const struct {
		int64_t login, from; /* days before NOW */
		bool idle;
	} rows[] = {
		{ 0, 0, false },   { 29, 29, false }, { 30, 30, true },
		{ 300, 0, false }, { 0, 300, false }, { 300, 31, true },
		{ 31, 300, true }, { -1, -1, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (int k = 0; k < LEVELS; k++) {
			struct user_row row = a_user(levels[k]);
			bool idle = rows[i].idle && k > 0;

			row.last_login_at = NOW - rows[i].login * DAY;
			row.active_from = NOW - rows[i].from * DAY;
			CU_ASSERT_EQUAL(account_block(&row, true, NOW),
					idle ? ACCOUNT_BY_INACTIVITY
					     : ACCOUNT_OPEN);
			CU_ASSERT_EQUAL(account_block(&row, false, NOW),
					ACCOUNT_OPEN);
			if (!idle)
				continue;
			/* Noted, it stays so until the box is cleared, which
			 * gives thirty days more. */
			account_note_inactivity(&row);
			CU_ASSERT_EQUAL(account_block(&row, false, NOW),
					ACCOUNT_BY_INACTIVITY);
			account_enable(&row, NOW);
			CU_ASSERT_EQUAL(
			    account_block(&row, true, NOW + 30 * DAY - 1),
			    ACCOUNT_OPEN);
			CU_ASSERT_EQUAL(
			    account_block(&row, true, NOW + 30 * DAY),
			    ACCOUNT_BY_INACTIVITY);
		}
}

static void test_declined_changes(void)
{
	for (int i = 0; i < LEVELS; i++) {
		bool admin = levels[i] == PRIVILEGE_ADMINISTRATOR;
		struct user_row row = a_user(levels[i]);

		/* Asked, and two more log-ins. */
		for (int k = 0; k < 3; k++)
			CU_ASSERT_TRUE(account_offered_change(&row, NOW));
		CU_ASSERT_EQUAL(account_block(&row, true, NOW), ACCOUNT_OPEN);
		CU_ASSERT_FALSE(account_offered_change(&row, NOW));
		CU_ASSERT_EQUAL(account_block(&row, true, NOW),
				ACCOUNT_BY_EXPIRED_PASSWORD);
		CU_ASSERT_EQUAL(account_block(&row, true, NOW + 30 * 60),
				admin ? ACCOUNT_OPEN
				      : ACCOUNT_BY_EXPIRED_PASSWORD);
		account_enable(&row, NOW);
		CU_ASSERT_TRUE(account_offered_change(&row, NOW));
		/* A log-in by certificate has declined nothing. */
		account_logged_in(&row, NOW);
		CU_ASSERT_EQUAL(row.expired_logins, 1);
		account_logged_in_by_certificate(&row, NOW);
		CU_ASSERT_EQUAL(row.expired_logins, 0);
	}
}

static void test_by_administrator(void)
{
	struct user_row row = a_user(PRIVILEGE_ADMINISTRATOR);

	account_disable(&row);
	for (int advanced = 0; advanced < 2; advanced++)
		CU_ASSERT_EQUAL(account_block(&row, advanced, NOW + 3600),
				ACCOUNT_BY_ADMINISTRATOR);
	account_logged_in(&row, NOW);
	CU_ASSERT_EQUAL(account_block(&row, true, NOW),
			ACCOUNT_BY_ADMINISTRATOR);
	/* A reason of a later release, or of none. */
	for (int reason = -1; reason < 9; reason += 9) {
		row.disabled_reason = reason;
		CU_ASSERT_EQUAL(account_block(&row, true, NOW),
				ACCOUNT_BY_ADMINISTRATOR);
	}
	for (int b = 0; b < ACCOUNT_BLOCK_COUNT; b++) {
		CU_ASSERT_EQUAL(!account_block_name(b)[0], b == ACCOUNT_OPEN);
		CU_ASSERT_EQUAL(!account_block_text(b)[0], b == ACCOUNT_OPEN);
	}
	CU_ASSERT_STRING_EQUAL(account_block_name(ACCOUNT_BLOCK_COUNT), "");
	CU_ASSERT_STRING_EQUAL(account_block_name(-1), "");
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "characters of a password", test_characters },
		{ "refusals name every rule", test_refusals_name_all },
		{ "sixty days", test_age },
		{ "one change a day", test_frequency },
		{ "three failures", test_failures },
		{ "in a row", test_failures_are_consecutive },
		{ "thirty days of rest", test_inactivity },
		{ "declined changes", test_declined_changes },
		{ "disabled by an administrator", test_by_administrator },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "account-security", tests, NULL, NULL);
}
