/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "sip/sip_control.h"
#include "sip/sip_credentials.h"
#include "tests/unit/api_fixture.h"

/* sip.query, sip.modify, sip.register: what goes in and comes out. */

static unsigned registered; /* how often it was asked for */

static void on_register(void *arg)
{
	(void)arg;
	registered++;
}

static void on_wake(void *arg)
{
	(void)arg;
}

static uint64_t no_id(void *arg)
{
	(void)arg;
	return 1;
}

/* Lets the loop that is not there do what was asked of it. */
static unsigned registrations(void)
{
	unsigned before = registered;

	sip_control_run(device.services.sip);
	return registered - before;
}

static struct value *one(const char *name, struct value *v)
{
	struct value *s = value_new_struct();

	value_put(s, name, v);
	return s;
}

static struct value *text(const char *name, const char *value)
{
	return one(name, value_new_string(value));
}

static int modify(struct value *params, const char *words)
{
	return fault_of(&door_local, "sip.modify", params,
			*words ? words : NULL);
}

static void reset(void)
{
	static const struct sip_control_ops ops = { .new_id = no_id,
						    .wake = on_wake,
						    .register_now = on_register,
						    .password_changed =
							on_register };
	struct error e = ERROR_INIT;

	sip_control_attach(device.services.sip, &ops);
	for (int i = 0; i < SETTING_COUNT; i++)
		CHECK_OK(settings_set(device.services.settings,
				      (enum setting_id)i,
				      settings_default(device.services.settings,
						       (enum setting_id)i),
				      &e),
			 &e);
	CHECK_OK(sip_credentials_set(device.services.credentials, "", &e), &e);
	registrations();
}

static void check_text(const struct answer *a, const char *name,
		       const char *wanted)
{
	CU_ASSERT_STRING_EQUAL(text_of(a, name), wanted);
}

static bool is_yes(const struct answer *a, const char *name)
{
	return value_boolean(value_member(a->response.result, name));
}

/* --- sip.query */

static void test_query(void)
{
	struct answer a;

	reset();
	call_by(&door_local, "sip.query", NULL, &a);
	check_text(&a, "configuredRegistrar", "");
	check_text(&a, "configuredProxy", "");
	check_text(&a, "outboundConfiguration", "callDirect");
	check_text(&a, "outboundAddress", "");
	check_text(&a, "outboundDomain", "");
	check_text(&a, "userName", "");
	check_text(&a, "outgoingTransport", "tls");
	check_text(&a, "registrationState", "off");
	check_text(&a, "registeredAs", "");
	check_text(&a, "registrationProblem", "");
	check_text(&a, "certificateProblem", "");
	CU_ASSERT_FALSE(is_yes(&a, "passwordSet"));
	CU_ASSERT_TRUE(is_yes(&a, "useLocalCertificate"));
	CU_ASSERT_FALSE(is_yes(&a, "closeConnections"));
	CU_ASSERT_EQUAL(
	    value_int(value_member(a.response.result, "registrationSeconds")),
	    3600);
	CU_ASSERT_PTR_NULL(
	    value_member(a.response.result, "registrationExpires"));
	CU_ASSERT_PTR_NULL(
	    value_member(a.response.result, "registrationNextTry"));
	CU_ASSERT_PTR_NULL(value_member(a.response.result, "password"));
	CU_ASSERT_EQUAL(
	    value_count(value_member(a.response.result, "settings")), 10);
	answer_free(&a);
}

static void test_registration(void)
{
	struct sip_registration_facts f = { .state = SIP_REGISTERED,
					    .registered_as = "sip:b@pbx",
					    .expires = 1800000000 };
	struct answer a;

	reset();
	sip_control_registered(device.services.sip, &f);
	call_by(&door_local, "sip.query", NULL, &a);
	check_text(&a, "registrationState", "registered");
	check_text(&a, "registeredAs", "sip:b@pbx");
	CU_ASSERT_EQUAL(
	    value_time(value_member(a.response.result, "registrationExpires")),
	    1800000000);
	answer_free(&a);
	f = (struct sip_registration_facts){ .state = SIP_REGISTRATION_FAILED,
					     .problem = "It is not there.",
					     .next_try = 1800000060 };
	sip_control_registered(device.services.sip, &f);
	call_by(&door_local, "sip.query", NULL, &a);
	check_text(&a, "registrationState", "failed");
	check_text(&a, "registrationProblem", "It is not there.");
	CU_ASSERT_EQUAL(
	    value_time(value_member(a.response.result, "registrationNextTry")),
	    1800000060);
	answer_free(&a);
}

/* As the original names them. */
static void test_configured(void)
{
	static const struct {
		const char *mode, *registrar, *proxy;
	} rows[] = {
		{ "useTrunk", "", "pbx.example:5071" },
		{ "useRegistrar", "pbx.example:5071", "" },
		{ "callDirect", "", "" },
	};
	struct answer a;

	reset();
	CU_ASSERT_EQUAL(modify(text("outboundAddress", "pbx.example:5071"), ""),
			0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CU_ASSERT_EQUAL(
		    modify(text("outboundConfiguration", rows[i].mode), ""), 0);
		call_by(&door_local, "sip.query", NULL, &a);
		check_text(&a, "configuredRegistrar", rows[i].registrar);
		check_text(&a, "configuredProxy", rows[i].proxy);
		check_text(&a, "outboundAddress", "pbx.example:5071");
		answer_free(&a);
	}
}

/* --- sip.modify */

static void test_refused(void)
{
	static const struct {
		const char *name, *value;
		int fault;
		const char *words;
	} rows[] = {
		{ "outboundConfiguration", "useTrunk", 201,
		  "outbound address" },
		{ "outboundConfiguration", "", 102, "" },
		{ "outboundConfiguration", "trunk", 102, "" },
		{ "outboundAddress", "a b", 102, "sip.outboundAddress: " },
		{ "outboundAddress", "pbx\r\nRoute: <sip:evil>", 102, "" },
		{ "outboundAddress", "pbx:70000", 102, "65535" },
		{ "outboundDomain", "pbx:5060", 102, "sip.outboundDomain: " },
		{ "userName", "a@b", 102, "sip.userName: " },
		{ "userName", "a\nb", 102, "" },
		{ "password", "a\nb", 102, "password: " },
		{ "outgoingTransport", "sctp", 102, "" },
	};
	struct answer a;
	char longer[2000];

	reset();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int fault =
		    modify(text(rows[i].name, rows[i].value), rows[i].words);

		CU_ASSERT_EQUAL(fault, rows[i].fault);
	}
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	CU_ASSERT_NOT_EQUAL(modify(text("password", longer), ""), 0);
	CU_ASSERT_NOT_EQUAL(modify(text("userName", longer), ""), 0);
	CU_ASSERT_NOT_EQUAL(modify(text("outboundAddress", longer), ""), 0);
	CU_ASSERT_NOT_EQUAL(modify(NULL, "no setting is named"), 0);
	CU_ASSERT_NOT_EQUAL(modify(text("useLocalCertificate", "yes"), ""), 0);
	CU_ASSERT_NOT_EQUAL(
	    modify(one("sessionSeconds", value_new_int(89)), ""), 0);
	CU_ASSERT_NOT_EQUAL(
	    modify(one("registrationSeconds", value_new_int(86401)), ""), 0);
	CU_ASSERT_NOT_EQUAL(modify(one("password", value_new_int(1)), ""), 0);
	call_by(&door_local, "sip.query", NULL, &a);
	check_text(&a, "outboundConfiguration", "callDirect");
	check_text(&a, "outboundAddress", "");
	check_text(&a, "userName", "");
	CU_ASSERT_FALSE(is_yes(&a, "passwordSet"));
	answer_free(&a);
}

static struct value *all_of_a_registrar(const char *password)
{
	struct value *s = text("outboundConfiguration", "useRegistrar");

	value_put_string(s, "outboundAddress", "pbx.example");
	value_put_string(s, "outboundDomain", "example.org");
	value_put_string(s, "userName", "bridge");
	value_put_string(s, "outgoingTransport", "tcp");
	value_put_boolean(s, "useLocalCertificate", false);
	value_put_boolean(s, "closeConnections", true);
	value_put_int(s, "mediaTimeoutSeconds", 10);
	value_put_int(s, "sessionSeconds", 90);
	value_put_int(s, "registrationSeconds", 60);
	if (password)
		value_put_string(s, "password", password);
	return s;
}

static bool has_text(const struct value *v, const char *words)
{
	if (strstr(value_string(v), words))
		return true;
	for (size_t i = 0; i < value_count(v); i++)
		if (has_text(value_item(v, i), words))
			return true;
	return false;
}

static void test_modify(void)
{
	struct error e = ERROR_INIT;
	struct secret password;
	struct answer a;

	reset();
	CU_ASSERT_EQUAL(modify(all_of_a_registrar("Unmistakable \"1\""), ""),
			0);
	call_by(&door_local, "sip.query", NULL, &a);
	check_text(&a, "outboundDomain", "example.org");
	check_text(&a, "outgoingTransport", "tcp");
	CU_ASSERT_FALSE(is_yes(&a, "useLocalCertificate"));
	CU_ASSERT_TRUE(is_yes(&a, "passwordSet"));
	CU_ASSERT_FALSE(has_text(a.response.result, "Unmistakable"));
	answer_free(&a);
	CHECK_OK(
	    sip_credentials_get(device.services.credentials, &password, &e),
	    &e);
	CU_ASSERT_STRING_EQUAL((const char *)password.ptr,
			       "Unmistakable \"1\"");
	secret_free(&password);
	CU_ASSERT_EQUAL(
	    count_audit("sipPasswordChanged", "System", "local", "set"), 1);
	CU_ASSERT_EQUAL(count_audit("settingChanged", "System", "local",
				    "sip.closeConnections"),
			1);
	CU_ASSERT_EQUAL(modify(text("password", ""), ""), 0);
	CU_ASSERT_FALSE(sip_credentials_given(device.services.credentials));
	CU_ASSERT_EQUAL(
	    count_audit("sipPasswordChanged", "System", "local", "removed"), 1);
	for (int i = 0; i < 2; i++)
		CU_ASSERT_EQUAL(
		    count_audit(i ? "changeRefused" : "sipPasswordChanged",
				"System", "local", "Unmistakable"),
		    0);
}

/* All of a change or nothing; and what reverts has no password in it. */
static void test_together(void)
{
	struct value *trial = all_of_a_registrar("Unmistakable");
	struct value *bad = all_of_a_registrar("Unmistak\nable");
	struct answer a;

	reset();
	value_put_int(trial, "confirmWithinSeconds", 60);
	CU_ASSERT_NOT_EQUAL(modify(trial, "password: it cannot be on trial"),
			    0);
	CU_ASSERT_NOT_EQUAL(modify(bad, "password: "), 0);
	CU_ASSERT_FALSE(sip_credentials_given(device.services.credentials));
	bad = text("userName", "<>");
	value_put_string(bad, "password", "Unmistakable");
	value_put_string(bad, "outboundDomain", "example.org");
	CU_ASSERT_NOT_EQUAL(modify(bad, "sip.userName"), 0);
	CU_ASSERT_FALSE(sip_credentials_given(device.services.credentials));
	call_by(&door_local, "sip.query", NULL, &a);
	check_text(&a, "outboundConfiguration", "callDirect");
	check_text(&a, "outboundDomain", "");
	answer_free(&a);
}

/* --- sip.register, and registering with another password */

static int ask(void)
{
	return fault_of(&door_local, "sip.register", NULL, NULL);
}

static void test_register(void)
{
	reset();
	CU_ASSERT_NOT_EQUAL(fault_of(&door_local, "sip.register", NULL,
				     "no registrar is in use"),
			    0);
	CU_ASSERT_EQUAL(modify(text("password", "Unmistakable"), ""), 0);
	CU_ASSERT_EQUAL(registrations(), 0);
	CU_ASSERT_EQUAL(modify(all_of_a_registrar(NULL), ""), 0);
	CU_ASSERT_EQUAL(ask(), 0);
	CU_ASSERT_EQUAL(registrations(), 1);
	CU_ASSERT_EQUAL(count_audit("sipRegistrationRequested", "System",
				    "local", "pbx.example"),
			1);
	CU_ASSERT_EQUAL(modify(text("password", "Another"), ""), 0);
	CU_ASSERT_EQUAL(registrations(), 1);
	CU_ASSERT_EQUAL(modify(text("outboundConfiguration", "useTrunk"), ""),
			0);
	CU_ASSERT_NOT_EQUAL(ask(), 0);
	CU_ASSERT_EQUAL(registrations(), 0);
}

static void test_rights(void)
{
	static const char *const methods[] = { "sip.query", "sip.modify",
					       "sip.register" };
	const struct door user = { .user = "ann", .password = "Right pass 1" };
	const struct door nobody = { .user = NULL };

	reset();
	make_user("ann", PRIVILEGE_CONFERENCE_CREATION);
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		CU_ASSERT_EQUAL(
		    fault_of(&user, methods[i], text("password", "x"), ""), 15);
		CU_ASSERT_EQUAL(
		    fault_of(&nobody, methods[i], text("password", "x"), ""),
		    14);
	}
	CU_ASSERT_FALSE(sip_credentials_given(device.services.credentials));
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "query", test_query },
		{ "how the registration goes", test_registration },
		{ "registrar and proxy", test_configured },
		{ "refused values", test_refused },
		{ "modify", test_modify },
		{ "all or nothing", test_together },
		{ "register", test_register },
		{ "rights", test_rights },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "api-sip", tests, api_device_open,
			 api_device_close);
}
