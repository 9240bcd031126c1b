/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/authenticate.h"
#include "base/clock.h"
#include "tests/unit/api_fixture.h"

/* Who calls: by members, by the control socket, by a session. */

static const struct door nobody;

/* --- identities */

static void test_by_members(void)
{
	struct door d = { .user = "admin", .password = device.admin_password };
	struct answer a;

	call_by(&d, "session.query", NULL, &a);
	CU_ASSERT_STRING_EQUAL(text_of(&a, "userName"), "admin");
	CU_ASSERT_STRING_EQUAL(text_of(&a, "privilege"), "administrator");
	CU_ASSERT_STRING_EQUAL(text_of(&a, "via"), "password");
	CU_ASSERT_STRING_EQUAL(text_of(&a, "csrfToken"), "");
	answer_free(&a);
	d.password = "wrong";
	CU_ASSERT_EQUAL(fault_of(&d, "device.query", NULL, NULL), 14);
	d.password = NULL;
	CU_ASSERT_EQUAL(fault_of(&d, "device.query", NULL,
				 "missing parameter - authenticationPassword"),
			101);
	d.user = NULL;
	d.password = "x";
	CU_ASSERT_EQUAL(fault_of(&d, "device.query", NULL,
				 "missing parameter - authenticationUser"),
			101);
	/* Members count more than the socket they come over. */
	d = door_local;
	d.user = "admin";
	d.password = device.admin_password;
	call_by(&d, "session.query", NULL, &a);
	CU_ASSERT_STRING_EQUAL(text_of(&a, "userName"), "admin");
	answer_free(&a);
}

static void test_members_of_wrong_type(void)
{
	struct value *s = value_new_struct();

	value_put_int(s, "authenticationUser", 1);
	value_put_string(s, "authenticationPassword", "x");
	CU_ASSERT_EQUAL(fault_of(&nobody, "device.query", s,
				 "malformed parameter - authenticationUser"),
			103);
	s = value_new_struct();
	value_put_string(s, "authenticationUser", "admin");
	value_put(s, "authenticationPassword", value_new_array());
	CU_ASSERT_EQUAL(fault_of(&door_local, "device.query", s, "malformed"),
			103);
}

static void test_control_peers(void)
{
	struct peer p = { .via = PEER_CONTROL, .uid = 0, .gid = 12345 };

	CU_ASSERT(control_peer_is_trusted(&p));
	p.uid = geteuid();
	CU_ASSERT(control_peer_is_trusted(&p));
	p.uid = 65534;
	CU_ASSERT(!control_peer_is_trusted(&p));
	p.gid = getegid();
	CU_ASSERT(control_peer_is_trusted(&p));
	p.uid = 4000000000U; /* nobody knows it */
	p.gid = 4000000000U;
	CU_ASSERT(!control_peer_is_trusted(&p));
	p.via = PEER_HTTPS;
	p.uid = 0;
	CU_ASSERT(!control_peer_is_trusted(&p));
}

static void test_session(void)
{
	struct value *s = value_new_struct();
	char id[SESSION_ID_SIZE], csrf[SESSION_ID_SIZE];
	size_t logouts = count_audit("logout", "Web", "admin", "");
	struct door d = { 0 };
	struct answer a;

	value_put_string(s, "userName", "admin");
	value_put_string(s, "password", device.admin_password);
	call_by(&d, "session.login", s, &a);
	CU_ASSERT_EQUAL(a.response.fault_code, 0);
	CU_ASSERT_STRING_EQUAL(text_of(&a, "userName"), "admin");
	CU_ASSERT_STRING_EQUAL(text_of(&a, "privilege"), "administrator");
	CU_ASSERT_EQUAL(strlen(a.set_session), SESSION_ID_SIZE - 1);
	CU_ASSERT_PTR_NOT_NULL(
	    value_member(a.response.result, "mustChangePassword"));
	strcpy(id, a.set_session);
	snprintf(csrf, sizeof(csrf), "%s", text_of(&a, "csrfToken"));
	answer_free(&a);
	CU_ASSERT_EQUAL(count_audit("login", "Web", "admin", ""), 1);

	d.session_id = id;
	call_by(&d, "session.query", NULL, &a);
	CU_ASSERT_STRING_EQUAL(text_of(&a, "via"), "session");
	CU_ASSERT_STRING_EQUAL(text_of(&a, "csrfToken"), csrf);
	CU_ASSERT_STRING_EQUAL(a.set_session, "");
	answer_free(&a);

	d.csrf_token = csrf;
	CU_ASSERT_EQUAL(fault_of(&d, "device.query", NULL, NULL), 0);
	d.address = "192.0.2.2";
	CU_ASSERT_EQUAL(fault_of(&d, "device.query", NULL, NULL), 14);
	d.address = NULL;
	call_by(&d, "session.logout", NULL, &a);
	CU_ASSERT(a.clear_session);
	answer_free(&a);
	CU_ASSERT_EQUAL(fault_of(&d, "session.query", NULL, NULL), 14);
	CU_ASSERT_EQUAL(count_audit("logout", "Web", "admin", ""), logouts + 1);
}

static void test_login_refused(void)
{
	struct value *s = value_new_struct();
	struct answer a;

	value_put_string(s, "userName", "admin");
	value_put_string(s, "password", "wrong");
	call_by(&nobody, "session.login", s, &a);
	CU_ASSERT_EQUAL(a.response.fault_code, 14);
	CU_ASSERT_STRING_EQUAL(a.response.fault_text, "authorization failed");
	CU_ASSERT_STRING_EQUAL(a.set_session, "");
	answer_free(&a);
}

static void test_login_again(void)
{
	char id[SESSION_ID_SIZE], csrf[SESSION_ID_SIZE];
	struct door d = { .session_id = id };
	struct value *s = value_new_struct();
	struct answer a;

	open_session("admin", PRIVILEGE_ADMINISTRATOR, false, id, csrf);
	value_put_string(s, "userName", "admin");
	value_put_string(s, "password", device.admin_password);
	call_by(&d, "session.login", s, &a);
	CU_ASSERT_EQUAL(strlen(a.set_session), SESSION_ID_SIZE - 1);
	CU_ASSERT_STRING_NOT_EQUAL(a.set_session, id);
	answer_free(&a);
	CU_ASSERT_EQUAL(fault_of(&d, "session.query", NULL, NULL), 14);
}

static void test_session_of_a_deleted_user(void)
{
	char id[SESSION_ID_SIZE], csrf[SESSION_ID_SIZE];
	struct door d = { .session_id = id, .csrf_token = csrf };

	open_session("never was", PRIVILEGE_ADMINISTRATOR, false, id, csrf);
	CU_ASSERT_EQUAL(fault_of(&d, "device.query", NULL, NULL), 14);
}

/* The password changes between the check of the old one and the opening: the
 * closing of all sessions finds none yet. */
static void test_session_of_an_old_password(void)
{
	char id[SESSION_ID_SIZE];
	struct view changed = view_str("Other pass 2");
	const struct user_change c = { .password = &changed };
	struct users *users = device.services.users;
	struct identity_of_user who;
	struct session_info info;
	struct error e = ERROR_INIT;
	struct door d = { .session_id = id, .csrf_token = info.csrf_token };

	make_user("racer", PRIVILEGE_ADMINISTRATOR);
	CHECK_OK(users_login(users, LOGIN_WEB, "racer",
			     view_str("Right pass 1"), "192.0.2.1", clock_now(),
			     &who, &e),
		 &e);
	CHECK_OK(users_modify(users, "racer", &c, clock_now(), &e), &e);
	CHECK_OK(sessions_open(device.services.sessions, &who, "192.0.2.1",
			       NULL, id, &info, &e),
		 &e);
	CU_ASSERT_EQUAL(fault_of(&d, "device.query", NULL, NULL), 14);
	CHECK_FAILS(sessions_find(device.services.sessions, id, "192.0.2.1",
				  false, &info, &e),
		    &e, ERR_AUTH, NULL);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "identity by members", test_by_members },
		{ "members of a wrong type", test_members_of_wrong_type },
		{ "peers of the control socket", test_control_peers },
		{ "session", test_session },
		{ "log-in refused", test_login_refused },
		{ "log-in again", test_login_again },
		{ "session of a deleted user", test_session_of_a_deleted_user },
		{ "session of an old password",
		  test_session_of_an_old_password },
		{ 0 },
	};

	return unit_main(argc, argv, "api: log in", tests, api_device_open,
			 api_device_close);
}
