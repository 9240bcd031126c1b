/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "api/method.h"
#include "base/clock.h"
#include "tests/unit/api_fixture.h"

/* user.* in the advanced account security mode, and the security warnings. */

#define GOOD  "Ab3$Ab3$Ab3$Ab3"
#define OTHER "Xy7!Xy7!Xy7!Xy7"

enum { DAY = 24 * 60 * 60 };

static void set(enum setting_id id, const char *value)
{
	struct error e = ERROR_INIT;

	CHECK_OK(settings_set(device.services.settings, id, value, &e), &e);
}

static struct value *user(const char *id, const char *password)
{
	struct value *s = value_new_struct();

	value_put_string(s, "userName", id);
	if (password)
		value_put_string(s, "password", password);
	return s;
}

static struct value *flag(const char *id, const char *name, bool on)
{
	struct value *s = user(id, NULL);

	value_put_boolean(s, name, on);
	return s;
}

#define LOCAL(method, params, words) \
	fault_of(&door_local, method, params, words)
#define CHECK_FAULT(code, method, params, words) \
	CU_ASSERT_EQUAL(LOCAL(method, params, words), code)

/* Element of an array of structs whose member says so; NULL without. */
static const struct value *listed(const struct answer *a, const char *array,
				  const char *name, const char *text)
{
	const struct value *list = value_member(a->response.result, array);

	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *s = value_item(list, i);

		if (!strcmp(value_string(value_member(s, name)), text))
			return s;
	}
	return NULL;
}

static const char *text(const struct value *s, const char *name)
{
	const struct value *v = value_member(s, name);

	return v ? value_string(v) : "absent";
}

static void test_rules(void)
{
	struct answer a;

	call_by(&door_local, "user.passwordRules", NULL, &a);
	CU_ASSERT_FALSE(
	    value_boolean(value_member(a.response.result, "advanced")));
	CU_ASSERT_PTR_NOT_NULL(listed(&a, "rules", "id", "maximum"));
	CU_ASSERT_PTR_NULL(listed(&a, "rules", "id", "minimum"));
	answer_free(&a);
	set(SETTING_ADVANCED_ACCOUNTS, "yes");
	call_by(&door_local, "user.passwordRules", NULL, &a);
	CU_ASSERT_TRUE(
	    value_boolean(value_member(a.response.result, "advanced")));
	CU_ASSERT_STRING_EQUAL(
	    text(listed(&a, "rules", "id", "minimum"), "text"),
	    "at least 15 characters");
	CU_ASSERT_EQUAL(value_int(value_member(
			    listed(&a, "rules", "id", "minimum"), "number")),
			15);
	CU_ASSERT_PTR_NOT_NULL(listed(&a, "rules", "id", "history"));
	answer_free(&a);
	set(SETTING_ADVANCED_ACCOUNTS, "no");
}

static void test_password_faults(void)
{
	struct value *s;

	set(SETTING_ADVANCED_ACCOUNTS, "yes");
	CHECK_FAULT(1011, "user.add", user("ann", NULL), "15 characters");
	CHECK_FAULT(1011, "user.add", user("ann", "aaa"), "times in a row");
	CHECK_FAULT(0, "user.add", user("ann", GOOD), NULL);
	CHECK_FAULT(1011, "user.modify", user("ann", GOOD), "last 10");
	CHECK_FAULT(1011, "user.modify", user("ann", ""), "15 characters");
	CHECK_FAULT(0, "user.modify", user("ann", OTHER), NULL);
	/* A new account must change it, also within 24 hours of that. */
	for (int i = 0; i < 2; i++) {
		const struct door ann = { .user = "ann",
					  .password = i ? GOOD "z" : OTHER };

		s = value_new_struct();
		value_put_string(s, "currentPassword", ann.password);
		value_put_string(s, "newPassword", i ? GOOD "y" : GOOD "z");
		CU_ASSERT_EQUAL(fault_of(&ann, "user.changePassword", s,
					 i ? "24 hours" : NULL),
				i ? 1011 : 0);
	}
	CHECK_FAULT(0, "user.delete", user("ann", NULL), NULL);
	set(SETTING_ADVANCED_ACCOUNTS, "no");
}

static void test_states(void)
{
	const struct door wrong = { .user = "ben", .password = "x" };
	const struct value *u;
	struct value *s;
	struct answer a;

	set(SETTING_ADVANCED_ACCOUNTS, "yes");
	s = user("ben", GOOD);
	value_put_boolean(s, "forceChange", false);
	CHECK_FAULT(0, "user.add", s, NULL);
#define STATE(reason, is_disabled)                                  \
	call_by(&door_local, "user.enumerate", NULL, &a);           \
	u = listed(&a, "users", "userName", "ben");                 \
	CU_ASSERT_PTR_NOT_NULL_FATAL(u);                            \
	CU_ASSERT_STRING_EQUAL(text(u, "disabledReason"), reason);  \
	CU_ASSERT_EQUAL(value_boolean(value_member(u, "disabled")), \
			is_disabled);
	STATE("", false);
	CU_ASSERT_FALSE(value_boolean(value_member(u, "mustChangePassword")));
	CU_ASSERT_FALSE(value_boolean(value_member(u, "passwordExpired")));
	CU_ASSERT_PTR_NOT_NULL(value_member(u, "passwordExpires"));
	CU_ASSERT_PTR_NULL(value_member(u, "lastLogin"));
	/* All that stood there before have expired. */
	u = listed(&a, "users", "userName", "admin");
	CU_ASSERT_TRUE(value_boolean(value_member(u, "mustChangePassword")));
	answer_free(&a);
	/* Idle for so long that nobody had to write it down. */
	clock_set_offset(30 * DAY);
	STATE("inactivity", true);
	answer_free(&a);
	CHECK_FAULT(0, "user.modify", flag("ben", "disabled", false), NULL);
	STATE("", false);
	answer_free(&a);
	clock_set_offset(60 * DAY - 60);
	CHECK_FAULT(0, "user.modify", flag("ben", "disabled", false), NULL);
	clock_set_offset(60 * DAY + 60);
	STATE("", false);
	CU_ASSERT_TRUE(value_boolean(value_member(u, "passwordExpired")));
	CU_ASSERT_TRUE(value_boolean(value_member(u, "mustChangePassword")));
	answer_free(&a);
	clock_set_offset(0);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(fault_of(&wrong, "device.query", NULL, NULL),
				14);
	STATE("failures", true);
	answer_free(&a);
	CHECK_FAULT(0, "user.modify", flag("ben", "disabled", true), NULL);
	STATE("administrator", true);
	answer_free(&a);
	set(SETTING_ADVANCED_ACCOUNTS, "no");
	STATE("administrator", true);
	CU_ASSERT_PTR_NULL(value_member(u, "passwordExpires"));
	CU_ASSERT_FALSE(value_boolean(value_member(u, "passwordExpired")));
	answer_free(&a);
	CHECK_FAULT(0, "user.delete", user("ben", NULL), NULL);
#undef STATE
}

static void check_warning_by(const struct door *d, const char *id,
			     const char *state)
{
	const struct value *w;
	struct answer a;

	call_by(d, "security.warnings", NULL, &a);
	w = listed(&a, "warnings", "id", id);
	if (!state) {
		CU_ASSERT_PTR_NULL(w);
	} else {
		CU_ASSERT_PTR_NOT_NULL_FATAL(w);
		CU_ASSERT_STRING_EQUAL(text(w, "state"), state);
		CU_ASSERT(strlen(text(w, "warning")) > 10);
		CU_ASSERT(strlen(text(w, "action")) > 10);
		CU_ASSERT_EQUAL(text(w, "page")[0], '/');
	}
	answer_free(&a);
}

static void check_warning(const char *id, const char *state)
{
	check_warning_by(&door_local, id, state);
}

static struct value *ids(const char *one, const char *two)
{
	struct value *s = value_new_struct();
	struct value *list = value_put_array(s, "ids");

	if (one)
		value_add_string(list, one);
	if (two)
		value_add_string(list, two);
	return s;
}

#define ACKNOWLEDGE "security.acknowledgeWarnings"

static void test_warnings(void)
{
	const struct door admin = { .user = "admin",
				    .password = device.admin_password };
	const char *guest = "Guest account is enabled";
	struct value *s;

	check_warning("advancedAccounts", "new");
	check_warning("adminName", "new");
	check_warning("guestEnabled", NULL);
	check_warning("defaultCertificate", "new");
	CHECK_FAULT(0, ACKNOWLEDGE, ids("adminName", "consoleLogin"), NULL);
	check_warning("adminName", "acknowledged");
	check_warning("consoleLogin", "acknowledged");
	check_warning("advancedAccounts", "new");
	CU_ASSERT_EQUAL(count_audit("securityWarningAcknowledged", "System",
				    "local", "default username"),
			1);
	/* It appears, is fixed, and appears as new. */
	CHECK_FAULT(0, "user.modify", flag("guest", "disabled", false), NULL);
	check_warning("guestEnabled", "new");
	CHECK_FAULT(0, ACKNOWLEDGE, ids("guestEnabled", NULL), NULL);
	CHECK_FAULT(0, "user.modify", flag("guest", "disabled", true), NULL);
	CU_ASSERT_EQUAL(
	    count_audit("securityWarningFixed", "System", "local", guest), 1);
	check_warning("guestEnabled", NULL);
	CHECK_FAULT(0, "user.modify", flag("guest", "disabled", false), NULL);
	check_warning("guestEnabled", "new");
	CHECK_FAULT(0, "user.modify", flag("guest", "disabled", true), NULL);
	/* Another name for admin, and back. */
	s = user("admin", NULL);
	value_put_string(s, "newUserName", "root");
	CHECK_FAULT(0, "user.modify", s, NULL);
	check_warning("adminName", NULL);
	s = user("root", NULL);
	value_put_string(s, "newUserName", "admin");
	CHECK_FAULT(0, "user.modify", s, NULL);
	check_warning("adminName", "new");
	/* By no call: found at the next look, as nobody's deed. */
	set(SETTING_CONSOLE_REQUIRE_LOGIN, "yes");
	check_warning_by(&admin, "consoleLogin", NULL);
	CU_ASSERT_EQUAL(count_audit("securityWarningFixed", "System", "",
				    "administrator login"),
			1);
	set(SETTING_CONSOLE_REQUIRE_LOGIN, "no");
	check_warning("consoleLogin", "new");
	set(SETTING_REDIRECT_HTTP, "yes");
	check_warning("plainHttp", NULL);
	set(SETTING_REDIRECT_HTTP, "no");
	check_warning("plainHttp", "new");
}

static void test_expired_passwords_warn(void)
{
	set(SETTING_ADVANCED_ACCOUNTS, "yes");
	check_warning("expiredPasswords", NULL);
	set(SETTING_CLIENT_CERTIFICATE, "allowed");
	CHECK_FAULT(0, "user.add", user("cat", GOOD), NULL);
	check_warning("expiredPasswords", "new"); /* admin's */
	CHECK_FAULT(0, "user.modify", user("admin", OTHER), NULL);
	check_warning("expiredPasswords", NULL);
	clock_set_offset(60 * DAY);
	CHECK_FAULT(0, "user.modify", user("admin", GOOD), NULL);
	/* Who is disabled logs in by nothing. */
	check_warning("expiredPasswords", NULL);
	CHECK_FAULT(0, "user.modify", flag("cat", "disabled", false), NULL);
	check_warning("expiredPasswords", "new");
	clock_set_offset(0);
	CHECK_FAULT(0, "user.delete", user("cat", NULL), NULL);
	set(SETTING_CLIENT_CERTIFICATE, "notRequired");
	set(SETTING_ADVANCED_ACCOUNTS, "no");
}

static void test_hostile_acknowledgements(void)
{
	struct value *s;
	char longer[400];

	CHECK_FAULT(102, ACKNOWLEDGE, ids("nonsense", NULL), "no warning");
	CHECK_FAULT(102, ACKNOWLEDGE, ids("", NULL), "no warning");
	CHECK_FAULT(102, ACKNOWLEDGE, ids("adminname", NULL), "no warning");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	CHECK_FAULT(102, ACKNOWLEDGE, ids(longer, NULL), NULL);
	CHECK_FAULT(0, ACKNOWLEDGE, ids(NULL, NULL), NULL);
	CHECK_FAULT(0, ACKNOWLEDGE, ids("plainHttp", "plainHttp"), NULL);
	CU_ASSERT(LOCAL(ACKNOWLEDGE, NULL, NULL) != 0);
	s = value_new_struct();
	value_put_string(s, "ids", "adminName");
	CU_ASSERT(LOCAL(ACKNOWLEDGE, s, NULL) != 0);
	s = value_new_struct();
	value_add_struct(value_put_array(s, "ids"));
	CU_ASSERT(LOCAL(ACKNOWLEDGE, s, NULL) != 0);
	/* One wrong one, and nothing is done. */
	CHECK_FAULT(102, ACKNOWLEDGE, ids("advancedAccounts", "x"), NULL);
	check_warning("advancedAccounts", "new");
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "rules in words", test_rules },
		{ "passwords refused", test_password_faults },
		{ "states of accounts", test_states },
		{ "warnings", test_warnings },
		{ "expired passwords", test_expired_passwords_warn },
		{ "hostile acknowledgements", test_hostile_acknowledgements },
		{ 0 },
	};

	return unit_main(argc, argv, "api-accounts", tests, api_device_open,
			 api_device_close);
}
