/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/registration_fixture.h"

/* A registration from its first request to its last, with a registrar that the
 * test is. */

static void test_off(void)
{
	registration_begin();
	sip_registration_settings(reg.registration);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTRATION_OFF);
	registration_set(SETTING_SIP_OUTBOUND_ADDRESS, "pbx.example");
	registration_set(SETTING_SIP_OUTBOUND, "useTrunk");
	sip_registration_settings(reg.registration);
	sip_registration_now(reg.registration);
	agent_run(DAY);
	CU_ASSERT_EQUAL(stage.questions, 0);
	CU_ASSERT_FALSE(
	    sip_registration_leave(reg.registration, registration_done, &reg));
	registration_end();
	CU_ASSERT_EQUAL(reg.done, 0);
}

static void test_registers(void)
{
	struct agent_flow *f;
	char call_id[256];
	unsigned cseq;
	time_t before = clock_now();

	registration_begin();
	registration_use("pbx.example:5071");
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERING);
	CU_ASSERT_STRING_EQUAL(reg.facts.registered_as,
			       "sip:bridge@example.org");
	CU_ASSERT_STRING_EQUAL(stage.asked, "pbx.example");
	f = registration_reach(SIP_TLS);
	CU_ASSERT_STRING_EQUAL(f->host, "pbx.example");
	CU_ASSERT_EQUAL(
	    strncmp(f->last, "REGISTER sip:example.org SIP/2.0", 32), 0);
	CU_ASSERT_TRUE(registration_sent(f, "To", "<sip:bridge@example.org>"));
	CU_ASSERT_TRUE(registration_sent(f, "Expires", "3600"));
	CU_ASSERT_TRUE(strstr(agent_field(f->last, "Contact"),
			      "<sip:bridge@192.0.2.100") != NULL);
	CU_ASSERT_TRUE(registration_sent(f, "Authorization", ""));
	snprintf(call_id, sizeof(call_id), "%s",
		 agent_field(f->last, "Call-ID"));
	cseq = registration_cseq(f);
	agent_answer(f, 401, registration_challenge);
	agent_connect(SIP_END_NONE);
	agent_run(0);
	CU_ASSERT_EQUAL(f->sent, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(agent_field(f->last, "Authorization"),
				      "username=\"bridge\""));
	CU_ASSERT_PTR_NULL(strstr(f->last, "secret"));
	CU_ASSERT_TRUE(registration_sent(f, "Call-ID", call_id));
	CU_ASSERT_EQUAL(registration_cseq(f), cseq + 1);
	agent_answer(f, 200, "Expires: 1800\r\n");
	agent_run(0);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERED);
	CU_ASSERT_STRING_EQUAL(reg.facts.problem, "");
	CU_ASSERT_TRUE(reg.facts.expires >= before + 1800 &&
		       reg.facts.expires <= clock_now() + 1800);
	CU_ASSERT_TRUE(reg.facts.link.known);
	CU_ASSERT_STRING_EQUAL(reg.facts.link.address, "192.0.2.1");
	/* The refresh: the same conversation over the same connection. */
	agent_run(1499 * SECOND);
	CU_ASSERT_EQUAL(registration_cseq(f), 0); /* CRLFs only, since then */
	CU_ASSERT_STRING_EQUAL(f->last, "\r\n\r\n");
	CU_ASSERT_TRUE(f->sent >= 2 + 49 && f->sent <= 2 + 60);
	agent_run(1 * SECOND);
	CU_ASSERT_TRUE(registration_sent(f, "Call-ID", call_id));
	CU_ASSERT_EQUAL(registration_cseq(f), cseq + 2);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERED);
	CU_ASSERT_EQUAL(stage.questions, 1);
	agent_answer(f, 200, "");
	agent_run(0);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERED);
	CU_ASSERT_TRUE(reg.facts.expires >= before + 3600);
	registration_end();
}

static void test_no_crlf_over_udp(void)
{
	struct agent_flow *f;

	registration_begin();
	registration_set(SETTING_SIP_OUTGOING_TRANSPORT, "udp");
	f = registration_stand(SIP_UDP, "Expires: 600\r\n");
	agent_run(299 * SECOND);
	CU_ASSERT_EQUAL(f->sent, 1);
	agent_run(1 * SECOND);
	/* Where the registrar is, is asked again; it stands meanwhile. */
	CU_ASSERT_EQUAL(stage.questions, 2);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERED);
	registration_end();
}

static void test_takes_back(void)
{
	struct error e = ERROR_INIT;
	struct agent_flow *f;
	char contact[256];

	registration_begin();
	registration_use("pbx.example");
	f = registration_reach(SIP_TLS);
	snprintf(contact, sizeof(contact), "%s",
		 agent_field(f->last, "Contact"));
	agent_answer(f, 200, "");
	agent_run(0);
	/* With the password that it was made with. */
	CHECK_OK(sip_credentials_set(reg.credentials, "", &e), &e);
	registration_set(SETTING_SIP_OUTBOUND, "callDirect");
	sip_registration_settings(reg.registration);
	agent_run(0);
	CU_ASSERT_TRUE(registration_sent(f, "Expires", "0"));
	CU_ASSERT_TRUE(registration_sent(f, "Contact", contact));
	agent_answer(f, 401, registration_challenge);
	agent_run(0);
	CU_ASSERT_TRUE(registration_sent(f, "Expires", "0"));
	CU_ASSERT_NOT_EQUAL(agent_field(f->last, "Authorization")[0], '\0');
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERED);
	agent_answer(f, 200, "");
	agent_run(DAY);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTRATION_OFF);
	CU_ASSERT_STRING_EQUAL(reg.facts.registered_as, "");
	CU_ASSERT_EQUAL(stage.questions, 1);
	CU_ASSERT_EQUAL(f->flow.references, 1);
	registration_end();
}

/* To another registrar: nobody waits for the former one for long. */
static void test_moves(void)
{
	struct agent_flow *f;

	registration_begin();
	f = registration_stand(SIP_TLS, "");
	registration_use("other.example");
	agent_run(0);
	CU_ASSERT_TRUE(registration_sent(f, "Expires", "0"));
	CU_ASSERT_EQUAL(stage.questions, 1);
	/* A change of mind meanwhile. */
	registration_use("third.example");
	agent_run(REGISTRATION_LEAVE_MS);
	CU_ASSERT_EQUAL(stage.questions, 2);
	CU_ASSERT_STRING_EQUAL(stage.asked, "third.example");
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERING);
	registration_end();
}

static void test_leaves(void)
{
	static const bool answers[] = { true, false };

	for (size_t i = 0; i < 2; i++) {
		struct agent_flow *f;

		registration_begin();
		f = registration_stand(SIP_TLS, "");
		CU_ASSERT_TRUE(sip_registration_leave(reg.registration,
						      registration_done, &reg));
		agent_run(0);
		CU_ASSERT_TRUE(registration_sent(f, "Expires", "0"));
		CU_ASSERT_EQUAL(reg.done, 0);
		if (answers[i])
			agent_answer(f, 200, "");
		agent_run(answers[i] ? 0 : REGISTRATION_LEAVE_MS);
		CU_ASSERT_EQUAL(reg.done, 1);
		/* No other begins. */
		sip_registration_now(reg.registration);
		sip_registration_settings(reg.registration);
		agent_run(DAY);
		CU_ASSERT_EQUAL(stage.questions, 1);
		CU_ASSERT_EQUAL(reg.done, 1);
		registration_end();
	}
}

/* While it is still taken back for another reason; while it is asked for. */
static void test_leaves_at_bad_times(void)
{
	registration_begin();
	(void)registration_stand(SIP_TLS, "");
	registration_set(SETTING_SIP_OUTBOUND, "callDirect");
	sip_registration_settings(reg.registration);
	CU_ASSERT_TRUE(
	    sip_registration_leave(reg.registration, registration_done, &reg));
	agent_run(REGISTRATION_LEAVE_MS);
	CU_ASSERT_EQUAL(reg.done, 1);
	registration_end();
	registration_begin();
	registration_use("pbx.example");
	CU_ASSERT_FALSE(
	    sip_registration_leave(reg.registration, registration_done, &reg));
	agent_run(DAY);
	CU_ASSERT_EQUAL(stage.cancelled, 1);
	registration_end();
}

static void test_no_user_name(void)
{
	registration_begin();
	registration_set(SETTING_SIP_OUTBOUND_ADDRESS, "pbx.example");
	registration_set(SETTING_SIP_OUTBOUND, "useRegistrar");
	sip_registration_settings(reg.registration);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTRATION_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(reg.facts.problem, "no user name"));
	CU_ASSERT_EQUAL(reg.facts.next_try, 0);
	sip_registration_now(reg.registration);
	agent_run(DAY);
	CU_ASSERT_EQUAL(stage.questions, 0);
	registration_set(SETTING_SIP_USER_NAME, "bridge");
	sip_registration_settings(reg.registration);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERING);
	CU_ASSERT_STRING_EQUAL(reg.facts.registered_as,
			       "sip:bridge@pbx.example");
	registration_end();
}

/* What does not concern the registration does not disturb it; another interval
 * is asked for at once. */
static void test_unchanged(void)
{
	struct agent_flow *f;
	unsigned before;

	registration_begin();
	f = registration_stand(SIP_TLS, "");
	before = f->sent;
	sip_registration_settings(reg.registration);
	agent_run(0);
	CU_ASSERT_EQUAL(f->sent, before);
	registration_set(SETTING_SIP_REGISTRATION_SECONDS, "120");
	sip_registration_settings(reg.registration);
	agent_run(0);
	CU_ASSERT_TRUE(registration_sent(f, "Expires", "120"));
	CU_ASSERT_EQUAL(f->sent, before + 1);
	registration_end();
}

/* The contact names the port that we listen at for that transport. */
static void test_own_port(void)
{
	struct agent_flow *f;
	unsigned before;

	registration_begin();
	f = registration_stand(SIP_TLS, "");
	before = f->sent;
	registration_set(SETTING_SIP_TCP_PORT, "5090");
	sip_registration_settings(reg.registration);
	agent_run(0);
	CU_ASSERT_EQUAL(f->sent, before);
	registration_set(SETTING_SIPS_TCP_PORT, "5091");
	sip_registration_settings(reg.registration);
	agent_run(0);
	CU_ASSERT_TRUE(registration_sent(f, "Expires", "0"));
	agent_answer(f, 200, "");
	agent_run(0);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERING);
	CU_ASSERT_EQUAL(stage.questions, 2);
	registration_end();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "off", test_off },
		{ "registers and refreshes", test_registers },
		{ "no CRLF over UDP", test_no_crlf_over_udp },
		{ "takes back", test_takes_back },
		{ "moves", test_moves },
		{ "leaves", test_leaves },
		{ "leaves at bad times", test_leaves_at_bad_times },
		{ "no user name", test_no_user_name },
		{ "nothing has changed", test_unchanged },
		{ "a port of ours", test_own_port },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "sip-registration", tests,
			 registration_set_up, registration_tear_down);
}
