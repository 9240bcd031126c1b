/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/faults.h"
#include "api/method.h"
#include "api/params.h"
#include "base/clock.h"
#include "tests/unit/api_fixture.h"

/* Dispatch: rights, parameters, documents, introspection. */

static const struct door nobody;

/* --- from the table: every row */

static bool is_open_to_all(const struct method *m)
{
	return m->privilege == PRIVILEGE_NONE;
}

static void test_rows_are_whole(void)
{
	const struct method *m;

	for (size_t i = 0; (m = method_at(i)); i++) {
		CU_ASSERT(m->handle && m->help && m->help[0]);
		CU_ASSERT_PTR_EQUAL(method_find(m->name), m);
		CU_ASSERT(strlen(m->name) <= XMLRPC_METHOD_MAX);
		CU_ASSERT(m->privilege < PRIVILEGE_COUNT);
		for (const struct param *p = m->params; p && p->name; p++)
			CU_ASSERT(p->type < VALUE_TYPE_COUNT);
		/* Only these are open to all. */
		CU_ASSERT(!is_open_to_all(m) ||
			  !strncmp(m->name, "system.", 7) ||
			  !strcmp(m->name, "session.login") ||
			  !strcmp(m->name, "session.loginWay"));
	}
	CU_ASSERT_PTR_NULL(method_find("no.such"));
	CU_ASSERT_PTR_NULL(method_find(""));
}

static void test_rows_without_identity(void)
{
	const struct door stranger = { .via = PEER_CONTROL,
				       .uid = 65534,
				       .gid = 65534,
				       .address = "local" };
	const struct door cookie = { .session_id = "x" };
	const struct method *m;

	for (size_t i = 0; (m = method_at(i)); i++) {
		if (is_open_to_all(m))
			continue;
		CU_ASSERT_EQUAL(
		    fault_of(&nobody, m->name, NULL, "authorization failed"),
		    14);
		CU_ASSERT_EQUAL(fault_of(&cookie, m->name, NULL, NULL), 14);
		CU_ASSERT_EQUAL(fault_of(&stranger, m->name, NULL, NULL), 14);
	}
	CU_ASSERT_EQUAL(device.restarts, 0);
}

static void test_rows_without_privilege(void)
{
	char id[SESSION_ID_SIZE], csrf[SESSION_ID_SIZE];
	struct door d = { .session_id = id, .csrf_token = csrf };
	const struct method *m;
	size_t refused = 0;

	make_user("low", PRIVILEGE_FULL_CONTROL);
	open_session("low", PRIVILEGE_ADMINISTRATOR, false, id, csrf);
	for (size_t i = 0; (m = method_at(i)); i++) {
		if (m->privilege != PRIVILEGE_ADMINISTRATOR)
			continue;
		CU_ASSERT_EQUAL(
		    fault_of(&d, m->name, NULL, "insufficient privileges"), 15);
		refused++;
	}
	CU_ASSERT(refused > 15);
	CU_ASSERT_EQUAL(count_audit("accessDenied", "Web", "low", ""), refused);
	CU_ASSERT_EQUAL(device.restarts, 0);
}

static void test_rows_before_password_change(void)
{
	char id[SESSION_ID_SIZE], csrf[SESSION_ID_SIZE];
	struct door d = { .session_id = id, .csrf_token = csrf };
	const struct method *m;

	open_session("admin", PRIVILEGE_ADMINISTRATOR, true, id, csrf);
	for (size_t i = 0; (m = method_at(i)); i++)
		if (!is_open_to_all(m) &&
		    !(m->flags & METHOD_BEFORE_PASSWORD_CHANGE))
			CU_ASSERT_EQUAL(fault_of(&d, m->name, NULL,
						 "must be changed first"),
					15);
	CU_ASSERT_EQUAL(fault_of(&d, "session.query", NULL, NULL), 0);
	CU_ASSERT_EQUAL(fault_of(&d, "user.changePassword", NULL, "missing"),
			101);
	CU_ASSERT_EQUAL(fault_of(&d, "session.logout", NULL, NULL), 0);
}

static void force_change(const char *id)
{
	const bool yes = true;
	const struct user_change c = { .force_change = &yes };
	struct error e = ERROR_INIT;

	CHECK_OK(users_modify(device.services.users, id, &c, clock_now(), &e),
		 &e);
}

/* By members it is no way around. */
static void test_members_before_password_change(void)
{
	struct door d = { .user = "fresh", .password = "Right pass 1" };
	struct value *s = value_new_struct();

	make_user("fresh", PRIVILEGE_ADMINISTRATOR);
	CU_ASSERT_EQUAL(fault_of(&d, "device.query", NULL, NULL), 0);
	force_change("fresh");
	CU_ASSERT_EQUAL(
	    fault_of(&d, "device.query", NULL, "must be changed first"), 15);
	CU_ASSERT_EQUAL(
	    fault_of(&d, "user.enumerate", NULL, "must be changed first"), 15);
	CU_ASSERT_EQUAL(fault_of(&d, "session.query", NULL, NULL), 0);
	value_put_string(s, "currentPassword", "Right pass 1");
	value_put_string(s, "newPassword", "Other pass 2");
	CU_ASSERT_EQUAL(fault_of(&d, "user.changePassword", s, NULL), 0);
	d.password = "Other pass 2";
	CU_ASSERT_EQUAL(fault_of(&d, "user.enumerate", NULL, NULL), 0);
}

static void test_rows_without_csrf_token(void)
{
	char id[SESSION_ID_SIZE], csrf[SESSION_ID_SIZE], wrong[100];
	struct door d = { .session_id = id };
	const struct method *m;

	open_session("admin", PRIVILEGE_ADMINISTRATOR, false, id, csrf);
	for (size_t i = 0; (m = method_at(i)); i++) {
		if (is_open_to_all(m) || (m->flags & METHOD_WITHOUT_CSRF))
			continue;
		d.csrf_token = NULL;
		CU_ASSERT_EQUAL(fault_of(&d, m->name, NULL, NULL), 14);
		d.csrf_token = "";
		CU_ASSERT_EQUAL(fault_of(&d, m->name, NULL, NULL), 14);
		snprintf(wrong, sizeof(wrong), "%sx", csrf);
		d.csrf_token = wrong;
		CU_ASSERT_EQUAL(fault_of(&d, m->name, NULL, NULL), 14);
		wrong[0] = wrong[0] == 'A' ? 'B' : 'A';
		wrong[strlen(wrong) - 1] = '\0';
		CU_ASSERT_EQUAL(fault_of(&d, m->name, NULL, NULL), 14);
		d.csrf_token = id;
		CU_ASSERT_EQUAL(fault_of(&d, m->name, NULL, NULL), 14);
	}
	CU_ASSERT_EQUAL(device.restarts, 0);
	/* The one that only says who he is. */
	d.csrf_token = NULL;
	CU_ASSERT_EQUAL(fault_of(&d, "session.query", NULL, NULL), 0);
}

static struct value *valid_for(const struct param *p)
{
	struct value *v;

	switch (p->type) {
	case VALUE_INT: return value_new_int(p->least);
	case VALUE_BOOLEAN: return value_new_boolean(false);
	case VALUE_STRUCT:
		v = value_new_struct();
		for (p = p->inside; p && p->name; p++)
			if (p->required)
				value_put(v, p->name, valid_for(p));
		return v;
	case VALUE_ARRAY:
		v = value_new_array();
		if (p->inside)
			value_add(v, valid_for(p->inside));
		return v;
	default:
		if (p->choices)
			return value_new_text(
			    view_of(p->choices, strcspn(p->choices, "|")));
		return value_new_string("x");
	}
}

static struct value *wrong_for(const struct param *p)
{
	return p->type == VALUE_BOOLEAN ? value_new_string("1")
					: value_new_boolean(true);
}

/* All parameters of the row valid but one, which is odd, or left out. */
static struct value *params_but(const struct method *m, const struct param *one,
				struct value *odd)
{
	struct value *s = value_new_struct();

	for (const struct param *p = m->params; p->name; p++)
		if (p != one)
			value_put(s, p->name, valid_for(p));
	if (odd)
		value_put(s, one->name, odd);
	return s;
}

static struct value *long_text(unsigned chars)
{
	struct value *v;
	char *p = malloc(2 * (size_t)chars + 1);

	for (unsigned i = 0; i < chars; i++)
		memcpy(p + 2 * i, "\xC3\xA4", 2);
	v = value_new_text(view_of(p, 2 * (size_t)chars));
	free(p);
	return v;
}

static void check_param(const struct method *m, const struct param *p)
{
	char words[128];
	unsigned most = p->chars ? p->chars : PARAM_CHARS_MAX;

	snprintf(words, sizeof(words), "malformed parameter - %s", p->name);
	CU_ASSERT_EQUAL(fault_of(&door_local, m->name,
				 params_but(m, p, wrong_for(p)), words),
			103);
	if (p->required) {
		snprintf(words, sizeof(words), "missing parameter - %s",
			 p->name);
		CU_ASSERT_EQUAL(fault_of(&door_local, m->name,
					 params_but(m, p, NULL), words),
				101);
	}
	snprintf(words, sizeof(words), "invalid parameter - %s", p->name);
	if (p->type == VALUE_STRING && most < 10000)
		CU_ASSERT_EQUAL(fault_of(&door_local, m->name,
					 params_but(m, p, long_text(most + 1)),
					 words),
				102);
	if (p->type == VALUE_STRING && p->choices)
		CU_ASSERT_EQUAL(
		    fault_of(&door_local, m->name,
			     params_but(m, p, value_new_string("odd")), words),
		    102);
	if (p->type == VALUE_INT && p->least > INT32_MIN && p->least != p->most)
		CU_ASSERT_EQUAL(
		    fault_of(&door_local, m->name,
			     params_but(m, p, value_new_int(p->least - 1)),
			     words),
		    102);
}

static void test_rows_with_wrong_parameters(void)
{
	const struct method *m;

	for (size_t i = 0; (m = method_at(i)); i++)
		for (const struct param *p = m->params; p && p->name; p++)
			check_param(m, p);
	CU_ASSERT_EQUAL(device.restarts, 0);
}

/* --- parameters, pure */

static void test_params_inside(void)
{
	static const struct param element = { .name = "x",
					      .type = VALUE_STRING,
					      .chars = 3 };
	static const struct param inner[] = {
		{ .name = "a",
		  .type = VALUE_INT,
		  .required = true,
		  .least = -5,
		  .most = 5 },
		{ 0 },
	};
	static const struct param rows[] = {
		{ .name = "s", .type = VALUE_STRUCT, .inside = inner },
		{ .name = "l", .type = VALUE_ARRAY, .inside = &element },
		{ 0 },
	};
	struct error e = ERROR_INIT;
	struct value *s = value_new_struct(), *in, *list;
	enum fault_code fault = 0;

	CHECK_OK(params_check(rows, s, &fault, &e), &e);
	in = value_put_struct(s, "s");
	CHECK_FAILS(params_check(rows, s, &fault, &e), &e, ERR_INPUT, "s.a");
	CU_ASSERT_EQUAL(fault, FAULT_MISSING_PARAMETER);
	value_put_int(in, "a", 5);
	list = value_put_array(s, "l");
	value_add_string(list, "abc");
	value_put_string(s, "unknown", "is passed over");
	CHECK_OK(params_check(rows, s, &fault, &e), &e);
	value_add_string(list, "abcd");
	CHECK_FAILS(params_check(rows, s, &fault, &e), &e, ERR_INPUT, "l[1]");
	CU_ASSERT_EQUAL(fault, FAULT_INVALID_PARAMETER);
	value_free(s);
	CHECK_OK(params_check(NULL, NULL, &fault, &e), &e);
}

static void test_faults_table(void)
{
	static const struct {
		enum error_kind kind;
		const char *cause, *text;
		int32_t code;
	} rows[] = {
		{ ERR_AUTH, "authorization failed", "authorization failed",
		  14 },
		{ ERR_AUTH, "account is disabled",
		  "authorization failed - account is disabled", 14 },
		{ ERR_PRIVILEGE, "", "insufficient privileges", 15 },
		{ ERR_CERTIFICATE, "certificate 3 of 5 (line 61): bad base64",
		  "invalid certificate - certificate 3 of 5 (line 61): bad "
		  "base64",
		  1001 },
		{ ERR_KEY, "x", "invalid private key - x", 1002 },
		{ ERR_KEY_PASSWORD, "", "wrong private key password", 1003 },
		{ ERR_KEY_MISMATCH, "",
		  "private key does not match certificate", 1004 },
		{ ERR_KEY_UNSUPPORTED, "", "unsupported key", 1005 },
		{ ERR_TOKEN, "", "token unavailable", 1006 },
		{ ERR_TOKEN_PIN, "", "token unavailable", 1006 },
		{ ERR_LOCK_OUT, "", "change would lock out the caller", 1007 },
		{ ERR_NO_CHANGE, "", "no such change", 1008 },
		{ ERR_NO_USER, "", "no such user", 1009 },
		{ ERR_USER_EXISTS, "", "user exists", 1010 },
		{ ERR_PASSWORD_RULES, "", "password does not meet the rules",
		  1011 },
		{ ERR_TRUST_EMPTY, "", "trust store empty", 1012 },
		{ ERR_FULL, "no room on the file system /x",
		  "disk full - no room on the file system /x", 1013 },
		{ ERR_PORT_CONFLICT, "http", "port conflict - http", 42 },
		{ ERR_CONFLICT, "x", "operation failed - x", 201 },
	};
	char text[FAULT_TEXT_MAX];
	struct error e = ERROR_INIT;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		error_set(&e, rows[i].kind, "%s", rows[i].cause);
		CU_ASSERT_EQUAL(fault_of_error(&e, text), rows[i].code);
		CU_ASSERT_STRING_EQUAL(text, rows[i].text);
	}
	for (int k = 1; k < ERR_KIND_COUNT; k++) {
		e.kind = (enum error_kind)k;
		CU_ASSERT(fault_of_error(&e, text) > 0);
	}
	CU_ASSERT_EQUAL(
	    fault_with_code(FAULT_METHOD_NOT_SUPPORTED, "a.b", text), 1);
	CU_ASSERT_STRING_EQUAL(text, "method not supported - a.b");
}

/* --- documents */

static void check_raw(const char *body, int code, const char *words)
{
	struct answer a;

	call_raw(&door_local, view_str(body), &a);
	CU_ASSERT_EQUAL(a.response.fault_code, code);
	CU_ASSERT(!words || (a.response.fault_text &&
			     strstr(a.response.fault_text, words)));
	answer_free(&a);
}

#define CALL(name, params)                                   \
	"<?xml version='1.0'?><methodCall><methodName>" name \
	"</methodName><params>" params "</params></methodCall>"

static void test_documents(void)
{
	check_raw("", 103, "malformed parameter - an empty document");
	check_raw("<a>", 103, "line 1");
	check_raw("<!DOCTYPE a>", 103, "document type");
	check_raw(CALL("no.such", ""), 1, "method not supported - no.such");
	check_raw(CALL("device.query", ""), 0, NULL);
	check_raw(CALL("device.query", "<param><value><struct/></value>"
				       "</param>"),
		  0, NULL);
	check_raw(CALL("device.query", "<param><value>x</value></param>"), 103,
		  "one struct");
	check_raw(CALL("device.query",
		       "<param><value><struct/></value></param>"
		       "<param><value><struct/></value></param>"),
		  103, "one struct");
	check_raw(CALL("device.query", "<param><value><nil/></value></param>"),
		  103, "nil");
}

static void test_too_large(void)
{
	struct error e = ERROR_INIT;
	struct answer a;
	struct buf b;

	buf_init(&b, XMLRPC_BYTES_MAX + 1);
	while (b.len <= XMLRPC_BYTES_MAX)
		CHECK_OK(buf_adds(&b, " ", &e), &e);
	call_raw(&door_local, buf_view(&b), &a);
	CU_ASSERT_EQUAL(a.response.fault_code, 105);
	answer_free(&a);
	buf_free(&b);
}

static void test_encoding_of_the_reply(void)
{
	struct answer a;

	call_raw(&door_local, view_str(CALL("device.query", "")), &a);
	CU_ASSERT(!a.utf8);
	answer_free(&a);
	call_raw(&door_local,
		 view_str("<?xml version='1.0' encoding='UTF-8'?><methodCall>"
			  "<methodName>device.query</methodName></methodCall>"),
		 &a);
	CU_ASSERT(a.utf8);
	answer_free(&a);
}

/* --- introspection */

static void test_introspection_in_structs(void)
{
	struct value *s = value_new_struct();
	const struct value *list, *row;
	bool found = false, inner = false;
	struct answer a;

	call_by(&nobody, "system.listMethods", NULL, &a);
	list = value_member(a.response.result, "methods");
	CU_ASSERT(value_count(list) > 25);
	answer_free(&a);

	value_put_string(s, "methodName", "certificate.createRequest");
	call_by(&nobody, "system.methodSignature", s, &a);
	list = value_member(a.response.result, "parameters");
	for (size_t i = 0; (row = value_item(list, i)); i++) {
		const char *name = value_string(value_member(row, "name"));

		found |= !strcmp(name, "subject.cn");
		inner |= !strcmp(name, "subjectAltNames[]");
	}
	CU_ASSERT(found && inner);
	CU_ASSERT_STRING_EQUAL(text_of(&a, "privilege"), "administrator");
	CU_ASSERT_TRUE(
	    value_boolean(value_member(a.response.result, "changes")));
	answer_free(&a);

	s = value_new_struct();
	value_put_string(s, "methodName", "user.enumerate");
	call_by(&nobody, "system.methodSignature", s, &a);
	CU_ASSERT_TRUE(value_is(value_member(a.response.result, "changes"),
				VALUE_BOOLEAN));
	CU_ASSERT_FALSE(
	    value_boolean(value_member(a.response.result, "changes")));
	answer_free(&a);

	s = value_new_struct();
	value_put_string(s, "methodName", "user.add");
	call_by(&nobody, "system.methodHelp", s, &a);
	CU_ASSERT_PTR_NOT_NULL(strstr(text_of(&a, "help"), "userName (string"));
	answer_free(&a);
	s = value_new_struct();
	value_put_string(s, "methodName", "no.such");
	CU_ASSERT_EQUAL(fault_of(&nobody, "system.methodHelp", s, "no.such"),
			102);
	CU_ASSERT_EQUAL(fault_of(&nobody, "system.methodHelp", NULL, "missing"),
			101);
}

static void test_introspection_by_convention(void)
{
	struct answer a;

	call_raw(&nobody, view_str(CALL("system.listMethods", "")), &a);
	CU_ASSERT(value_is(a.response.result, VALUE_ARRAY));
	answer_free(&a);
	call_raw(&nobody,
		 view_str(CALL("system.methodHelp",
			       "<param><value>device.query</value></param>")),
		 &a);
	CU_ASSERT(value_is(a.response.result, VALUE_STRING));
	answer_free(&a);
	call_raw(&nobody,
		 view_str(CALL("system.methodSignature",
			       "<param><value>device.query</value></param>")),
		 &a);
	CU_ASSERT_EQUAL(value_count(value_item(a.response.result, 0)), 2);
	answer_free(&a);
}

/* --- several calls in one */

static struct value *batch_of(struct value **calls_out)
{
	struct value *s = value_new_struct();

	*calls_out = value_put_array(s, "calls");
	return s;
}

static struct value *add_call(struct value *calls, const char *method)
{
	struct value *one = value_add_struct(calls);

	value_put_string(one, "methodName", method);
	return one;
}

static int32_t fault_in(const struct answer *a, size_t i)
{
	const struct value *list = value_member(a->response.result, "results");

	return value_int(value_member(value_item(list, i), "faultCode"));
}

static const char *text_in(const struct answer *a, size_t i, const char *name)
{
	const struct value *list = value_member(a->response.result, "results");
	const struct value *one = value_item(list, i);

	return value_string(value_member(value_member(one, "result"), name));
}

static void test_batch(void)
{
	struct value *calls, *s = batch_of(&calls);
	struct answer a;

	add_call(calls, "device.query");
	add_call(calls, "no.such");
	add_call(calls, "trustStore.progress");
	value_put_string(
	    value_put_struct(add_call(calls, "trustStore.query"), "params"),
	    "trustStore", "sip");
	/* Not for a batch. */
	add_call(calls, "system.batch");
	add_call(calls, "session.login");
	add_call(calls, "token.query");
	call_by(&door_local, "system.batch", s, &a);
	CU_ASSERT_EQUAL(value_count(value_member(a.response.result, "results")),
			7);
	CU_ASSERT_STRING_EQUAL(text_in(&a, 0, "model"), "Sealbridge");
	CU_ASSERT_EQUAL(fault_in(&a, 1), 1);
	CU_ASSERT_EQUAL(fault_in(&a, 2), 101);
	CU_ASSERT_STRING_EQUAL(text_in(&a, 3, "source"), "none");
	CU_ASSERT_EQUAL(fault_in(&a, 4), 102);
	CU_ASSERT_EQUAL(fault_in(&a, 5), 102);
	CU_ASSERT_STRING_NOT_EQUAL(text_in(&a, 6, "state"), "");
	CU_ASSERT_EQUAL(a.set_session[0], '\0');
	answer_free(&a);
}

/* What somebody may not do alone, he may not do in a batch. */
static void test_batch_rights(void)
{
	char id[SESSION_ID_SIZE], csrf[SESSION_ID_SIZE];
	struct door d = { .session_id = id, .csrf_token = csrf };
	struct value *calls, *s = batch_of(&calls);
	struct answer a;

	make_user("batcher", PRIVILEGE_CONFERENCE_LIST);
	open_session("batcher", PRIVILEGE_CONFERENCE_LIST, false, id, csrf);
	add_call(calls, "session.query");
	add_call(calls, "token.query");
	add_call(calls, "device.restart");
	call_by(&d, "system.batch", s, &a);
	CU_ASSERT_STRING_EQUAL(text_in(&a, 0, "userName"), "batcher");
	CU_ASSERT_EQUAL(fault_in(&a, 1), 15);
	CU_ASSERT_EQUAL(fault_in(&a, 2), 15);
	CU_ASSERT_EQUAL(device.restarts, 0);
	answer_free(&a);
}

static void test_batch_limits(void)
{
	struct value *calls, *s = batch_of(&calls);

	CU_ASSERT_EQUAL(fault_of(&door_local, "system.batch", s, NULL), 0);
	s = batch_of(&calls);
	for (size_t i = 0; i < 16; i++)
		add_call(calls, "device.query");
	CU_ASSERT_EQUAL(fault_of(&door_local, "system.batch", s, NULL), 0);
	s = batch_of(&calls);
	for (size_t i = 0; i < 17; i++)
		add_call(calls, "device.query");
	CU_ASSERT_EQUAL(
	    fault_of(&door_local, "system.batch", s, "more than 16"), 102);
	s = batch_of(&calls);
	value_add_struct(calls);
	CU_ASSERT_EQUAL(
	    fault_of(&door_local, "system.batch", s, "calls[0].methodName"),
	    101);
	s = batch_of(&calls);
	value_put_string(add_call(calls, "device.query"), "params", "x");
	CU_ASSERT_EQUAL(
	    fault_of(&door_local, "system.batch", s, "calls[0].params"), 103);
}

static void test_help_of_every_row(void)
{
	const struct method *m;

	for (size_t i = 0; (m = method_at(i)); i++) {
		struct value *s = value_new_struct();
		struct answer a;

		value_put_string(s, "methodName", m->name);
		call_by(&nobody, "system.methodHelp", s, &a);
		CU_ASSERT_PTR_NOT_NULL(strstr(text_of(&a, "help"), m->help));
		answer_free(&a);
	}
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "rows are whole", test_rows_are_whole },
		{ "rows without identity", test_rows_without_identity },
		{ "rows without privilege", test_rows_without_privilege },
		{ "rows before a password change",
		  test_rows_before_password_change },
		{ "members before a password change",
		  test_members_before_password_change },
		{ "rows without CSRF token", test_rows_without_csrf_token },
		{ "rows with wrong parameters",
		  test_rows_with_wrong_parameters },
		{ "parameters inside parameters", test_params_inside },
		{ "table of faults", test_faults_table },
		{ "documents", test_documents },
		{ "too large", test_too_large },
		{ "encoding of the reply", test_encoding_of_the_reply },
		{ "introspection in structs", test_introspection_in_structs },
		{ "introspection by convention",
		  test_introspection_by_convention },
		{ "batch", test_batch },
		{ "rights in a batch", test_batch_rights },
		{ "limits of a batch", test_batch_limits },
		{ "help of every row", test_help_of_every_row },
		{ 0 },
	};

	return unit_main(argc, argv, "api", tests, api_device_open,
			 api_device_close);
}
