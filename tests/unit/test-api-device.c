/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "tests/unit/api_fixture.h"

/* What the methods answer that have no certificate in it. */

/* --- device, token, audit */

static void test_device(void)
{
	static const char *const texts[] = {
		"serial", "softwareVersion", "buildVersion",
		"model",  "apiVersion",      "hostName",
	};
	struct answer a;
	const struct value *v;

	call_by(&door_local, "device.query", NULL, &a);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		CU_ASSERT_STRING_NOT_EQUAL(text_of(&a, texts[i]), "");
	CU_ASSERT_STRING_EQUAL(text_of(&a, "model"), "Sealbridge");
	CU_ASSERT_STRING_EQUAL(text_of(&a, "softwareVersion"), "9.8.7");
	CU_ASSERT_EQUAL(strlen(text_of(&a, "serial")), 12);
	v = value_member(a.response.result, "rebootRequired");
	CU_ASSERT(value_is(v, VALUE_BOOLEAN) && !value_boolean(v));
	v = value_member(a.response.result, "currentTime");
	CU_ASSERT(value_time(v) >= device.services.started_at);
	answer_free(&a);

	call_by(&door_local, "device.health.query", NULL, &a);
	v = value_member(a.response.result, "cpuLoad");
	CU_ASSERT(value_is(v, VALUE_INT) && value_int(v) >= 0 &&
		  value_int(v) <= 100);
	CU_ASSERT_STRING_EQUAL(text_of(&a, "operationalStatus"), "active");
	CU_ASSERT_STRING_EQUAL(text_of(&a, "auditStatus"), "ok");
	answer_free(&a);

	call_by(&door_local, "device.network.query", NULL, &a);
	CU_ASSERT(
	    value_is(value_member(a.response.result, "portA"), VALUE_STRUCT));
	CU_ASSERT(
	    value_is(value_member(a.response.result, "portB"), VALUE_STRUCT));
	CU_ASSERT(
	    value_is(value_member(a.response.result, "dns"), VALUE_ARRAY));
	answer_free(&a);
}

static const char *last_reason(struct answer *a)
{
	const struct value *log;

	call_by(&door_local, "device.restartlog.query", NULL, a);
	log = value_member(a->response.result, "log");
	return value_string(
	    value_member(value_item(log, value_count(log) - 1), "reason"));
}

static void check_restart(const struct door *d, bool shut_down,
			  const char *reason, const char *module,
			  const char *user)
{
	struct value *s = value_new_struct();
	unsigned before = device.restarts;
	struct answer a;

	if (shut_down)
		value_put_boolean(s, "shutDown", true);
	CU_ASSERT_EQUAL(fault_of(d, "device.restart", s, NULL), 0);
	CU_ASSERT_EQUAL(device.restarts, before + 1);
	CU_ASSERT_EQUAL(device.restart_kind,
			shut_down ? SHUT_DOWN : RESTART_NOW);
	CU_ASSERT_STRING_EQUAL(last_reason(&a), reason);
	answer_free(&a);
	CU_ASSERT(count_audit("restartRequested", module, user, reason) >= 1);
}

static void test_restart(void)
{
	char id[SESSION_ID_SIZE], csrf[SESSION_ID_SIZE];
	struct door web = { .session_id = id, .csrf_token = csrf };
	struct door api = { .user = "admin",
			    .password = device.admin_password };
	unsigned before;

	open_session("admin", PRIVILEGE_ADMINISTRATOR, false, id, csrf);
	check_restart(&api, false, "User requested reboot from API", "API",
		      "admin");
	check_restart(&web, false, "User requested reboot from web interface",
		      "Web", "admin");
	check_restart(&door_local, false, "User requested reboot from console",
		      "System", "local");
	device.bad_config = true;
	before = device.restarts;
	CU_ASSERT_EQUAL(fault_of(&api, "device.restart", NULL, "a.conf:3"),
			201);
	CU_ASSERT_EQUAL(device.restarts, before);
	/* An end needs no configuration. */
	check_restart(&api, true, "User requested shutdown", "API", "admin");
	device.bad_config = false;
}

static void test_token_query(void)
{
	const struct value *keys, *mechanisms;
	struct answer a;

	call_by(&door_local, "token.query", NULL, &a);
	CU_ASSERT_STRING_EQUAL(text_of(&a, "state"), "ready");
	CU_ASSERT_STRING_EQUAL(text_of(&a, "label"), "sealbridge");
	keys = value_member(a.response.result, "keys");
	CU_ASSERT_EQUAL(value_count(keys), 1);
	CU_ASSERT(value_boolean(
	    value_member(value_item(keys, 0), "neverExtractable")));
	CU_ASSERT_STRING_EQUAL(
	    value_string(value_member(value_item(keys, 0), "keyType")),
	    "ecP256");
	mechanisms = value_member(a.response.result, "mechanisms");
	CU_ASSERT(value_count(mechanisms) >= 2);
	answer_free(&a);
}

static void test_audit_log(void)
{
	struct value *s = value_new_struct();
	const struct value *events;
	struct answer a;

	value_put_int(s, "numEvents", 2);
	call_by(&door_local, "auditlog.enumerate", s, &a);
	events = value_member(a.response.result, "events");
	CU_ASSERT_EQUAL(value_count(events), 2);
	CU_ASSERT(
	    value_boolean(value_member(a.response.result, "eventsRemaining")));
	answer_free(&a);
	s = value_new_struct();
	value_put_int(s, "index", 1000000);
	call_by(&door_local, "auditlog.enumerate", s, &a);
	CU_ASSERT_EQUAL(value_count(value_member(a.response.result, "events")),
			0);
	CU_ASSERT(
	    !value_boolean(value_member(a.response.result, "eventsRemaining")));
	answer_free(&a);
	call_by(&door_local, "auditlog.verify", NULL, &a);
	CU_ASSERT(value_boolean(value_member(a.response.result, "intact")));
	CU_ASSERT(value_int(value_member(a.response.result, "checked")) > 2);
	answer_free(&a);
}

/* --- users */

static struct value *user_params(const char *id, const char *password)
{
	struct value *s = value_new_struct();

	value_put_string(s, "userName", id);
	if (password)
		value_put_string(s, "password", password);
	return s;
}

static const struct value *listed(const struct answer *a, const char *id)
{
	const struct value *users = value_member(a->response.result, "users");
	const struct value *u;

	for (size_t i = 0; (u = value_item(users, i)); i++)
		if (!strcmp(value_string(value_member(u, "userName")), id))
			return u;
	return NULL;
}

static void test_users(void)
{
	struct value *s = user_params("eve", "First 1");
	const struct value *u;
	struct answer a;

	value_put_string(s, "name", "Eve \xC3\x84");
	value_put_string(s, "privilege", "conference detail");
	value_put_boolean(s, "forceChange", false);
	value_put_string(s, "e164", "+49123");
	CU_ASSERT_EQUAL(fault_of(&door_local, "user.add", s, NULL), 0);
	CU_ASSERT_EQUAL(count_audit("userAdded", "System", "local", "eve"), 1);
	CU_ASSERT_EQUAL(fault_of(&door_local, "user.add",
				 user_params("eve", "x"), "user exists"),
			1010);

	call_by(&door_local, "user.enumerate", NULL, &a);
	u = listed(&a, "eve");
	CU_ASSERT_PTR_NOT_NULL_FATAL(u);
	CU_ASSERT_STRING_EQUAL(value_string(value_member(u, "name")),
			       "Eve \xC3\x84");
	CU_ASSERT_STRING_EQUAL(value_string(value_member(u, "privilege")),
			       "conference detail");
	CU_ASSERT_STRING_EQUAL(value_string(value_member(u, "e164")), "+49123");
	CU_ASSERT(!value_boolean(value_member(u, "builtIn")));
	CU_ASSERT(value_boolean(value_member(listed(&a, "admin"), "builtIn")));
	for (size_t i = 0; i < value_count(u); i++)
		CU_ASSERT_PTR_NULL(strstr(value_item_name(u, i), "Hash"));
	answer_free(&a);

	s = user_params("eve", NULL);
	value_put_string(s, "newUserName", "eva");
	value_put_boolean(s, "disabled", true);
	CU_ASSERT_EQUAL(fault_of(&door_local, "user.modify", s, NULL), 0);
	CU_ASSERT_EQUAL(
	    count_audit("userModified", "System", "local",
			"user: eve; "
			"newUser: eva; enabledFrom: yes; enabledTo: no"),
	    1);
	s = user_params("eva", NULL);
	value_put_string(s, "privilege", "emperor");
	CU_ASSERT_EQUAL(fault_of(&door_local, "user.modify", s,
				 "invalid parameter - privilege"),
			102);
	CU_ASSERT_EQUAL(fault_of(&door_local, "user.delete",
				 user_params("eve", NULL), "no such user"),
			1009);
	CU_ASSERT_EQUAL(fault_of(&door_local, "user.delete",
				 user_params("eva", NULL), NULL),
			0);
	CU_ASSERT_EQUAL(count_audit("userDeleted", "System", "local", "eva"),
			1);
	CU_ASSERT_NOT_EQUAL(fault_of(&door_local, "user.delete",
				     user_params("admin", NULL), NULL),
			    0);
}

static struct value *password_params(const char *old, const char *new)
{
	struct value *s = value_new_struct();

	value_put_string(s, "currentPassword", old);
	value_put_string(s, "newPassword", new);
	return s;
}

static void test_change_password(void)
{
	char one[SESSION_ID_SIZE], two[SESSION_ID_SIZE], csrf[SESSION_ID_SIZE],
	    csrf2[SESSION_ID_SIZE];
	struct door d = { .session_id = one, .csrf_token = csrf };
	struct door other = { .session_id = two, .csrf_token = csrf2 };
	struct door members = { .user = "walker", .password = "Other pass 2" };
	struct answer a;

	make_user("walker", PRIVILEGE_CONFERENCE_LIST);
	open_session("walker", PRIVILEGE_CONFERENCE_LIST, true, one, csrf);
	open_session("walker", PRIVILEGE_CONFERENCE_LIST, false, two, csrf2);
	CU_ASSERT_EQUAL(fault_of(&d, "user.changePassword",
				 password_params("wrong", "Other pass 2"),
				 NULL),
			14);
	CU_ASSERT_EQUAL(fault_of(&d, "session.query", NULL, NULL), 0);
	call_by(&d, "user.changePassword",
		password_params("Right pass 1", "Other pass 2"), &a);
	CU_ASSERT_EQUAL(a.response.fault_code, 0);
	CU_ASSERT(a.clear_session);
	answer_free(&a);
	/* Every session of the account has ended. */
	CU_ASSERT_EQUAL(fault_of(&d, "session.query", NULL, NULL), 14);
	CU_ASSERT_EQUAL(fault_of(&other, "session.query", NULL, NULL), 14);
	CU_ASSERT_EQUAL(fault_of(&members, "session.query", NULL, NULL), 0);
	CU_ASSERT_EQUAL(
	    count_audit("passwordChanged", "Web", "walker", "walker"), 1);
	CU_ASSERT_EQUAL(fault_of(&door_local, "user.changePassword",
				 password_params("a", "b"), "no account"),
			1009);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "device", test_device },
		{ "restart", test_restart },
		{ "token", test_token_query },
		{ "audit log", test_audit_log },
		{ "users", test_users },
		{ "own password", test_change_password },
		{ 0 },
	};

	return unit_main(argc, argv, "api: device and users", tests,
			 api_device_open, api_device_close);
}
