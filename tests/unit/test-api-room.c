/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/method.h"
#include "audit/audit_reserve.h"
#include "tests/unit/api_fixture.h"
#include "tests/unit/tamper.h"

/* What callers hear when records find no room, or cannot be written. */

static const char *state(void)
{
	return store_directory(device.services.store);
}

static const char *reserve_path(void)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/" AUDIT_RESERVE_FILE, state());
	return path;
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* No reserve, and none can be made. */
static void take_room(void)
{
	unlink(reserve_path());
	limit_files(4096);
}

static void give_room(void)
{
	limit_files(RLIM_INFINITY);
}

static struct value *user_named(const char *name)
{
	struct value *s = value_new_struct();

	value_put_string(s, "userName", name);
	return s;
}

static bool is_refused_for_room(const char *method)
{
	struct answer a;
	bool refused;

	call_by(&door_local, method, NULL, &a);
	refused = a.response.fault_code == 1013 &&
		  strstr(a.response.fault_text, "no room on the file system");
	answer_free(&a);
	return refused;
}

/* Each method that changes something, and no other; parameters are not even
 * looked at. */
static void test_changes_are_refused(void)
{
	const struct method *m;
	size_t refused = 0;
	struct answer a;

	take_room();
	for (size_t i = 0; (m = method_at(i)); i++) {
		bool wants_room = m->flags & METHOD_CHANGES;

		if (m->flags & METHOD_WITHOUT_ROOM)
			continue;
		if (is_refused_for_room(m->name) != wants_room) {
			unit_note("%s", m->name);
			CU_FAIL("refused, or not");
		}
		refused += wants_room;
	}
	CU_ASSERT(refused > 15);
	call_by(&door_local, "device.health.query", NULL, &a);
	CU_ASSERT_STRING_EQUAL(text_of(&a, "auditStatus"), "critical");
	answer_free(&a);
	CU_ASSERT_EQUAL(device.restarts, 0);
	give_room();
	CU_ASSERT_FALSE(is_refused_for_room("user.delete"));
	CU_ASSERT_EQUAL(access(reserve_path(), F_OK), 0);
}

/* What takes back what was done, and what makes room. */
static void test_exempt(void)
{
	static const char *const rows[] = { "auditlog.delete", "change.revert",
					    "eventlog.delete" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct method *m = method_find(rows[i]);

		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		CU_ASSERT(m->flags & METHOD_CHANGES);
		CU_ASSERT(m->flags & METHOD_WITHOUT_ROOM);
	}
}

static void test_inside_a_batch(void)
{
	struct value *params = value_new_struct();
	struct value *one = value_add_struct(value_put_array(params, "calls"));
	const struct value *result;
	struct answer a;

	value_put_string(one, "methodName", "user.delete");
	value_put_string(value_put_struct(one, "params"), "userName", "guest");
	take_room();
	call_by(&door_local, "system.batch", params, &a);
	result = value_item(value_member(a.response.result, "results"), 0);
	CU_ASSERT_EQUAL(value_int(value_member(result, "faultCode")), 1013);
	answer_free(&a);
	give_room();
	CU_ASSERT_EQUAL(count_audit("userDeleted", "System", "local", ""), 0);
}

/* A directory that cannot be written to is no full disk. */
static void test_other_causes(void)
{
	unlink(reserve_path());
	CU_ASSERT_EQUAL(mkdir(reserve_path(), 0700), 0);
	CU_ASSERT_EQUAL(fault_of(&door_local, "user.delete",
				 user_named("guest"), AUDIT_RESERVE_FILE),
			201);
	rmdir(reserve_path());
	CU_ASSERT_EQUAL(
	    fault_of(&door_local, "user.delete", user_named("nobody"), ""),
	    1009);
}

#define REFUSE_RECORDS                             \
	"CREATE TRIGGER t BEFORE INSERT ON audit " \
	"BEGIN SELECT RAISE(FAIL, 'no'); END"

/* The record is lost in spite of all: nobody hears that all is well. */
static void test_unrecorded(void)
{
	struct door api = { .user = "admin",
			    .password = device.admin_password };
	struct value *login = user_named("admin");

	value_put_string(login, "password", device.admin_password);
	make_user("late", PRIVILEGE_CONFERENCE_LIST);
	tamper(state(), REFUSE_RECORDS);
	CU_ASSERT_EQUAL(fault_of(&door_local, "user.delete", user_named("late"),
				 "it is done and in force, but could not be "
				 "recorded: audit record \"userDeleted\" lost"),
			201);
	CU_ASSERT_EQUAL(fault_of(&(struct door){ 0 }, "session.login", login,
				 "no log-in without its record"),
			201);
	CU_ASSERT_EQUAL(fault_of(&api, "device.query", NULL, NULL), 0);
	CU_ASSERT_EQUAL(fault_of(&door_local, "auditlog.query", NULL, NULL), 0);
	tamper(state(), "DROP TRIGGER t");
	CU_ASSERT_EQUAL(
	    fault_of(&door_local, "user.delete", user_named("late"), NULL),
	    1009);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "changes are refused", test_changes_are_refused },
		{ "exempt", test_exempt },
		{ "inside a batch", test_inside_a_batch },
		{ "other causes", test_other_causes },
		{ "unrecorded", test_unrecorded },
		{ 0 },
	};

	signal(SIGXFSZ, SIG_IGN);
	return unit_main(argc, argv, "room for records", tests, api_device_open,
			 api_device_close);
}
