/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Client certificate security: who may call, in every mode, by every way in and
 * with every certificate. */
#include <string.h>

#include "api/authenticate.h"
#include "tests/unit/modes_fixture.h"

/* Who the service takes the caller for: a by certificate, b by password, l the
 * local administrator, - refused (fault 14). */
static char caller_of(const struct door *d)
{
	struct answer a;
	char who = '?';

	call_by(d, "session.query", NULL, &a);
	if (a.response.fault_code == 14)
		who = '-';
	else if (a.response.fault_code == 0)
		who = text_of(&a, "userName")[0];
	if (who == 'a')
		CU_ASSERT_STRING_EQUAL(text_of(&a, "via"), "certificate");
	if (who == 'b')
		CU_ASSERT_STRING_EQUAL(text_of(&a, "via"), "password");
	answer_free(&a);
	return who;
}

static void test_calls(void)
{
	reset();
	for (size_t i = 0; i < CALL_ROWS; i++) {
		set_mode(call_rows[i].mode);
		for (int b = 0; b < BEARERS; b++)
			check_row(&call_rows[i], b, caller_of);
	}
}

/* Methods that need no log-in: everywhere but where nobody gets in; the
 * control socket serves them always. */
static char answers(const struct door *d)
{
	return fault_of(d, "system.listMethods", NULL, NULL) == 0 ? 'y' : '-';
}

static void test_open_methods(void)
{
	static const struct call_row rows[] = {
		{ CERTIFICATE_NOT_REQUIRED,
		  HTTP,
		  { "yyy", "yyy", "yyy", "yyy", "yyy", "yyy" } },
		{ CERTIFICATE_NOT_REQUIRED,
		  HTTPS,
		  { "yyy", "yyy", "yyy", "yyy", "yyy", "yyy" } },
		{ CERTIFICATE_VERIFY,
		  HTTPS,
		  { "---", "yyy", "yyy", "yyy", "yyy", "---" } },
		{ CERTIFICATE_ALLOWED,
		  HTTP,
		  { "yyy", "yyy", "yyy", "yyy", "yyy", "yyy" } },
		{ CERTIFICATE_ALLOWED,
		  HTTPS,
		  { "---", "yyy", "yyy", "yyy", "yyy", "---" } },
		{ CERTIFICATE_REQUIRED,
		  HTTP,
		  { "---", "---", "---", "---", "---", "---" } },
		{ CERTIFICATE_REQUIRED,
		  HTTPS,
		  { "---", "---", "yyy", "yyy", "---", "---" } },
		{ CERTIFICATE_REQUIRED,
		  LOCAL_LOGIN,
		  { "yyy", "yyy", "yyy", "yyy", "yyy", "yyy" } },
	};

	reset();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		set_mode(rows[i].mode);
		for (int b = 0; b < BEARERS; b++)
			check_row(&rows[i], b, answers);
	}
}

static void test_texts(void)
{
	static const struct {
		enum certificate_mode mode;
		enum doorway way;
		enum bearer bearer;
		const char *words;
		bool closes;
	} rows[] = {
		{ CERTIFICATE_VERIFY, HTTPS, NONE, "no client certificate",
		  true },
		{ CERTIFICATE_ALLOWED, HTTPS, NONE, "no client certificate",
		  true },
		{ CERTIFICATE_REQUIRED, HTTPS, NONE, "no client certificate",
		  true },
		{ CERTIFICATE_VERIFY, HTTPS, EXPIRED, "has expired", true },
		{ CERTIFICATE_REQUIRED, HTTP, NONE, "plain HTTP are blocked",
		  false },
		{ CERTIFICATE_REQUIRED, HTTPS, STRANGER,
		  "no user is named \"stranger\"", false },
		{ CERTIFICATE_REQUIRED, HTTPS, UNNAMED, "2 common names",
		  false },
		{ CERTIFICATE_REQUIRED, HTTPS, DISABLED, "disabled", false },
		{ CERTIFICATE_ALLOWED, HTTPS, STRANGER,
		  "user name and a password are needed", false },
		{ CERTIFICATE_ALLOWED, HTTPS, UNNAMED, "2 common names",
		  false },
		{ CERTIFICATE_ALLOWED, HTTPS, DISABLED, "disabled", false },
		{ CERTIFICATE_VERIFY, HTTPS, STRANGER, "authorization failed",
		  false },
		{ CERTIFICATE_VERIFY, LOCAL_LOGIN, NONE,
		  "Require administrator login", false },
		{ CERTIFICATE_REQUIRED, LOCAL_LOGIN, NONE, "rescue", false },
	};

	reset();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct client_certificate c = certificate(rows[i].bearer);
		struct door d = door_for(rows[i].way, NO_MEMBERS, &c);
		struct answer a;

		set_mode(rows[i].mode);
		CU_ASSERT_EQUAL(
		    fault_of(&d, "device.query", NULL, rows[i].words), 14);
		call_by(&d, "device.query", NULL, &a);
		CU_ASSERT_EQUAL(a.close, rows[i].closes);
		answer_free(&a);
	}
}

/* A foreign page can make a browser send its certificate along, but not with
 * the content type of XML. */
static void test_needs_content_type(void)
{
	struct client_certificate c = certificate(ANN);
	struct door d = { .certificate = &c, .without_type = true };

	reset();
	set_mode(CERTIFICATE_ALLOWED);
	CU_ASSERT_EQUAL(fault_of(&d, "device.query", NULL, "Content-Type"), 14);
	set_mode(CERTIFICATE_NOT_REQUIRED);
	d.user = "bob";
	d.password = RIGHT;
	CU_ASSERT_EQUAL(fault_of(&d, "device.query", NULL, NULL), 0);
}

/* The account decides what its bearer may do, and a password that must be
 * changed is no matter. */
static void test_rights(void)
{
	struct client_certificate ann = certificate(ANN);
	struct client_certificate low = certificate_of("low", 40);
	struct door d = { .certificate = &ann };
	const bool yes = true, no = false;
	const struct user_change force = { .force_change = &yes };
	const struct user_change unforce = { .force_change = &no };

	reset();
	set_mode(CERTIFICATE_REQUIRED);
	CU_ASSERT_EQUAL(fault_of(&d, "user.enumerate", NULL, NULL), 0);
	modify("ann", &force);
	CU_ASSERT_EQUAL(fault_of(&d, "user.enumerate", NULL, NULL), 0);
	modify("ann", &unforce);
	d.certificate = &low;
	CU_ASSERT_EQUAL(
	    fault_of(&d, "user.enumerate", NULL, "insufficient privileges"),
	    15);
	CU_ASSERT_EQUAL(count_audit("accessDenied", "API", "low", ""), 1);
}

/* Root's own methods, whatever is asked of others. */
static void test_local_root(void)
{
	static const struct method row = {
		.name = "x",
		.privilege = PRIVILEGE_ADMINISTRATOR,
		.flags = METHOD_LOCAL_ROOT,
	};
	struct web_request rq = { .peer = { .via = PEER_CONTROL } };
	struct value *none = value_new_struct();
	struct web_reply reply = { 0 };
	struct call c = { .services = &device.services,
			  .request = &rq,
			  .reply = &reply,
			  .method = &row,
			  .params = none };
	enum fault_code code = 0;
	struct error e = ERROR_INIT;

	reset();
	set(SETTING_CONSOLE_REQUIRE_LOGIN, "yes");
	set_mode(CERTIFICATE_REQUIRED);
	CHECK_OK(entry_find(&c, &e), &e);
	CHECK_OK(authenticate(&c, &code, &e), &e);
	CU_ASSERT_EQUAL(c.caller.via, VIA_LOCAL);
	rq.peer.uid = 1;
	CHECK_FAILS(authenticate(&c, &code, &e), &e, ERR_AUTH, NULL);
	rq.peer.uid = 0;
	rq.peer.via = PEER_HTTPS;
	CHECK_OK(entry_find(&c, &e), &e);
	CHECK_FAILS(authenticate(&c, &code, &e), &e, ERR_AUTH, NULL);
	value_free(none);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "calls", test_calls },
		{ "methods that need no log-in", test_open_methods },
		{ "texts", test_texts },
		{ "content type", test_needs_content_type },
		{ "rights", test_rights },
		{ "root's own methods", test_local_root },
		{ 0 },
	};

	return unit_main(argc, argv, "api-modes", tests, api_device_open,
			 api_device_close);
}
