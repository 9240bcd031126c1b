/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/registration_fixture.h"

/* What becomes of a registration that is refused, lost or not answered. */

static void test_lost_connection(void)
{
	struct agent_flow *f, *g;

	registration_begin();
	f = registration_stand(SIP_TLS, "Service-Route: <sip:a;lr>\r\n");
	CU_ASSERT_STRING_EQUAL(sip_registration_routes(reg.registration),
			       "<sip:a;lr>\n");
	agent_lose(f, SIP_END_NETWORK_ERROR);
	CU_ASSERT_STRING_EQUAL(sip_registration_routes(reg.registration), "");
	CU_ASSERT_EQUAL(stage.questions, 1);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERING);
	agent_run(2 * REGISTRATION_LOST_MS);
	CU_ASSERT_EQUAL(stage.questions, 2);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERING);
	g = registration_reach(SIP_TLS);
	CU_ASSERT_PTR_NOT_EQUAL(f, g);
	agent_answer(g, 200, "");
	agent_run(0);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERED);
	registration_end();
}

/* Nothing comes back: another connection is made, and where to is asked. */
static void test_dead_connection(void)
{
	struct agent_flow *f;

	registration_begin();
	f = registration_stand(SIP_TCP, "Expires: 600\r\n");
	agent_run(300 * SECOND);
	CU_ASSERT_TRUE(registration_cseq(f) > 0);
	agent_run(33 * SECOND);
	CU_ASSERT_EQUAL(stage.questions, 2);
	agent_resolve(SIP_TCP, 0);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTRATION_FAILED);
	CU_ASSERT_EQUAL(reg.facts.end, SIP_END_DNS_FAILED);
	CU_ASSERT_NOT_EQUAL(reg.facts.problem[0], '\0');
	registration_end();
}

/* One that was good is refused at a refresh: its connection is let go. */
static void test_refused_later(void)
{
	struct agent_flow *f;

	registration_begin();
	f = registration_stand(SIP_TLS, "Expires: 600\r\n");
	agent_run(300 * SECOND);
	agent_answer(f, 403, "");
	agent_run(14 * 60 * SECOND);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTRATION_FAILED);
	CU_ASSERT_EQUAL(f->flow.references, 1);
	CU_ASSERT_TRUE(registration_cseq(f) > 0); /* no CRLF after it */
	CU_ASSERT_FALSE(
	    sip_registration_leave(reg.registration, registration_done, &reg));
	registration_end();
}

/* As long as nobody answers, and not all the time. */
static void test_backs_off(void)
{
	static const int64_t most[] = { 10, 20, 40, 80, 160, 320, 600, 600 };

	registration_begin();
	registration_use("pbx.example");
	for (unsigned i = 0; i < sizeof(most) / sizeof(*most); i++) {
		int64_t waited = 0;

		CU_ASSERT_EQUAL(stage.questions, i + 1);
		agent_resolve(SIP_TLS, 0);
		CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTRATION_FAILED);
		while (stage.questions == i + 1 && waited++ <= 600)
			agent_run(SECOND);
		CU_ASSERT_TRUE(waited >= most[i] / 2 && waited <= most[i] + 1);
	}
	registration_end();
}

/* Seconds until where to is asked again, at most that many. */
static int64_t wait_for_question(int64_t most)
{
	int64_t seconds = 0;

	while (!stage.question && seconds < most) {
		agent_run(SECOND);
		seconds++;
	}
	CU_ASSERT_NOT_EQUAL(stage.question, 0);
	return seconds;
}

static void refuse(unsigned status, const char *fields)
{
	struct agent_flow *f = registration_reach(SIP_TLS);

	agent_answer(f, status, fields);
	agent_run(0);
}

static void test_refused(void)
{
	static const struct {
		unsigned status;
		const char *words;
		int64_t most; /* until the next try, in seconds */
	} rows[] = { { 403, "forbids the registration", 1800 },
		     { 404, "does not know", 60 },
		     { 603, "refuses the registration", 60 },
		     { 401, "none is set", 60 },
		     { 407, "none is set", 60 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		time_t before = clock_now();
		int64_t waited;

		registration_begin();
		registration_use("pbx.example");
		refuse(rows[i].status, "");
		CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTRATION_FAILED);
		CU_ASSERT_PTR_NOT_NULL(
		    strstr(reg.facts.problem, rows[i].words));
		CU_ASSERT_PTR_NULL(strstr(reg.facts.problem, "secret"));
		CU_ASSERT_EQUAL(reg.facts.expires, 0);
		CU_ASSERT_TRUE(reg.facts.next_try >= before + rows[i].most / 2);
		CU_ASSERT_TRUE(reg.facts.next_try <=
			       clock_now() + rows[i].most + 1);
		waited = wait_for_question(rows[i].most);
		CU_ASSERT_TRUE(waited >= rows[i].most / 2);
		CU_ASSERT_EQUAL(stage.questions, 2);
		CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERING);
		CU_ASSERT_EQUAL(reg.facts.next_try, 0);
		refuse(rows[i].status, "");
		/* Or as soon as somebody does something about it. */
		registration_set(SETTING_SIP_USE_LOCAL_CERTIFICATE, "no");
		sip_registration_settings(reg.registration);
		CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERING);
		agent_run(0);
		CU_ASSERT_EQUAL(stage.questions, 3);
		refuse(rows[i].status, "");
		sip_registration_now(reg.registration);
		agent_run(0);
		CU_ASSERT_EQUAL(stage.questions, 4);
		registration_end();
	}
}

/* Each try has one answer to a challenge in it, and is one for a registrar that
 * counts. */
static void test_wrong_password(void)
{
	int64_t waited = 0;

	registration_begin();
	registration_use("pbx.example");
	for (unsigned i = 1; i <= 4; i++) {
		struct agent_flow *f = registration_reach(SIP_TLS);

		agent_answer(f, 401, registration_challenge);
		agent_connect(SIP_END_NONE);
		agent_run(0);
		CU_ASSERT_NOT_EQUAL(agent_field(f->last, "Authorization")[0],
				    '\0');
		agent_answer(f, 401, registration_challenge);
		CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTRATION_FAILED);
		CU_ASSERT_EQUAL(f->sent, 2 * i);
		waited += wait_for_question(DAY / 2 / SECOND);
		CU_ASSERT_EQUAL(stage.questions, i + 1);
	}
	CU_ASSERT_TRUE(waited >= DAY / SECOND);
	registration_end();
}

/* One that the newest try was made with is not tried twice because it was given
 * together with the settings. */
static void test_password_with_settings(void)
{
	struct error e = ERROR_INIT;

	registration_begin();
	CHECK_OK(sip_credentials_set(reg.credentials, "wrong", &e), &e);
	registration_use("pbx.example");
	refuse(403, "");
	sip_registration_password(reg.registration);
	agent_run(60 * SECOND);
	CU_ASSERT_EQUAL(stage.questions, 1);
	CHECK_OK(sip_credentials_set(reg.credentials, "right", &e), &e);
	sip_registration_password(reg.registration);
	sip_registration_password(reg.registration);
	CU_ASSERT_EQUAL(stage.questions, 2);
	agent_answer(registration_reach(SIP_TLS), 200, "");
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERED);
	/* A refresh by the one after that, at once. */
	CHECK_OK(sip_credentials_set(reg.credentials, "other", &e), &e);
	sip_registration_password(reg.registration);
	agent_run(0);
	CU_ASSERT_EQUAL(registration_cseq(registration_flow()), 3);
	registration_end();
}

/* Pauses grow with failures of one kind. */
static void test_other_failure(void)
{
	registration_begin();
	registration_use("pbx.example");
	for (unsigned i = 0; i < 7; i++) {
		agent_resolve(SIP_TLS, 0);
		(void)wait_for_question(600);
	}
	refuse(404, "");
	CU_ASSERT_TRUE(wait_for_question(60) >= 30);
	agent_resolve(SIP_TLS, 1);
	agent_connect(SIP_END_PEER_CERTIFICATE_EXPIRED);
	CU_ASSERT_TRUE(wait_for_question(120) >= 60);
	agent_resolve(SIP_TLS, 0);
	CU_ASSERT_TRUE(wait_for_question(10) >= 5);
	registration_end();
}

static void test_password_changed_meanwhile(void)
{
	struct error e = ERROR_INIT;
	struct agent_flow *f;

	registration_begin();
	registration_use("pbx.example");
	f = registration_reach(SIP_TLS);
	sip_registration_now(reg.registration);
	agent_answer(f, 403, "");
	agent_run(0);
	CU_ASSERT_EQUAL(stage.questions, 1);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTRATION_FAILED);
	sip_registration_now(reg.registration);
	f = registration_reach(SIP_TLS);
	CHECK_OK(sip_credentials_set(reg.credentials, "another", &e), &e);
	sip_registration_now(reg.registration);
	agent_answer(f, 403, "");
	agent_run(0);
	CU_ASSERT_EQUAL(stage.questions, 3);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERING);
	registration_end();
}

static void test_retry_after(void)
{
	registration_begin();
	registration_use("pbx.example");
	refuse(503, "Retry-After: 100\r\n");
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTRATION_FAILED);
	agent_run(99 * SECOND);
	CU_ASSERT_EQUAL(stage.questions, 1);
	agent_run(1 * SECOND);
	CU_ASSERT_EQUAL(stage.questions, 2);
	registration_end();
}

static void test_too_brief(void)
{
	struct agent_flow *f;

	registration_begin();
	registration_set(SETTING_SIP_REGISTRATION_SECONDS, "60");
	registration_use("pbx.example");
	f = registration_reach(SIP_TLS);
	agent_answer(f, 423, "Min-Expires: 300\r\n");
	agent_run(0);
	agent_resolve(SIP_TLS, 1);
	agent_connect(SIP_END_NONE);
	agent_run(0);
	CU_ASSERT_TRUE(registration_sent(f, "Expires", "300"));
	/* Who wants more each time is refused in the end. */
	agent_answer(f, 423, "Min-Expires: 400\r\n");
	agent_run(0);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTRATION_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(reg.facts.problem, "interval"));
	CU_ASSERT_EQUAL(stage.questions, 2);
	registration_end();
}

static void test_redirections(void)
{
	registration_begin();
	registration_use("pbx.example");
	refuse(302, "Contact: <sip:evil.example>\r\n");
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTRATION_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(reg.facts.problem, "not followed"));
	agent_run(60 * SECOND);
	CU_ASSERT_EQUAL(stage.questions, 2);
	CU_ASSERT_STRING_EQUAL(stage.asked, "pbx.example");
	registration_end();
}

/* The registrar restarts while it is asked for a refresh: before it answers,
 * and after it has asked for the password. It is asked anew, and no word is
 * lost that it stands no more. */
static void test_lost_at_refresh(void)
{
	static const bool challenged[] = { false, true };

	for (size_t i = 0; i < 2; i++) {
		struct agent_flow *f, *g;

		registration_begin();
		f = registration_stand(SIP_TLS, "Expires: 600\r\n");
		agent_run(300 * SECOND);
		CU_ASSERT_TRUE(registration_cseq(f) > 1);
		if (challenged[i])
			agent_answer(f, 401, registration_challenge);
		agent_lose(f, SIP_END_NETWORK_ERROR);
		agent_run(0);
		CU_ASSERT_EQUAL(stage.questions, 2);
		CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERING);
		/* Not up yet: later, and then all is as before. */
		agent_resolve(SIP_TLS, 1);
		agent_connect(SIP_END_FAILED_TO_CONNECT);
		CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTRATION_FAILED);
		CU_ASSERT_TRUE(wait_for_question(10) >= 5);
		g = registration_reach(SIP_TLS);
		CU_ASSERT_PTR_NOT_EQUAL(f, g);
		agent_answer(g, 200, "Expires: 600\r\n");
		CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERED);
		CU_ASSERT_EQUAL(reg.facts.next_try, 0);
		agent_run(300 * SECOND);
		CU_ASSERT_TRUE(registration_cseq(g) > 1);
		registration_end();
	}
}

/* Somebody presses the button again and again. */
static void test_by_hand(void)
{
	struct agent_flow *f;
	unsigned before;

	registration_begin();
	registration_use("pbx.example");
	for (unsigned i = 0; i < 20; i++)
		sip_registration_now(reg.registration);
	f = registration_reach(SIP_TLS);
	for (unsigned i = 0; i < 20; i++)
		sip_registration_now(reg.registration);
	agent_run(0);
	CU_ASSERT_EQUAL(f->sent, 1);
	CU_ASSERT_EQUAL(stage.questions, 1);
	agent_answer(f, 200, "");
	agent_run(0);
	CU_ASSERT_EQUAL(f->sent, 1);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERED);
	/* One refresh at a time, while it stands. */
	before = f->sent;
	for (unsigned i = 0; i < 20; i++)
		sip_registration_now(reg.registration);
	agent_run(0);
	CU_ASSERT_EQUAL(f->sent, before + 1);
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTERED);
	agent_answer(f, 200, "");
	agent_run(0);
	CU_ASSERT_EQUAL(f->sent, before + 1);
	registration_end();
}

/* Answers that only look like a registration. */
static void test_keeps_nothing(void)
{
	static const char *const rows[] = {
		"Expires: 0\r\n",
		"Contact: <sip:bridge@192.0.2.100;transport=tls>;expires=0\r\n",
		"Expires: 99999999999999999999\r\n",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		registration_begin();
		registration_use("pbx.example");
		refuse(200, rows[i]);
		CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTRATION_FAILED);
		CU_ASSERT_PTR_NOT_NULL(
		    strstr(reg.facts.problem, "keeps no registration"));
		CU_ASSERT_EQUAL(reg.facts.expires, 0);
		CU_ASSERT_TRUE(wait_for_question(10) >= 5);
		/* Nothing of it is taken back, either. */
		CU_ASSERT_FALSE(sip_registration_leave(
		    reg.registration, registration_done, &reg));
		registration_end();
	}
}

/* Whatever interval it is asked for, another one is wanted: the pauses grow. */
static void test_never_long_enough(void)
{
	int64_t waited = 0;

	registration_begin();
	registration_use("pbx.example");
	for (unsigned i = 0; i < 7; i++) {
		refuse(423, "Min-Expires: 7200\r\n");
		CU_ASSERT_EQUAL(stage.questions, 2 * i + 2);
		refuse(423, "Min-Expires: 14400\r\n");
		CU_ASSERT_EQUAL(stage.questions, 2 * i + 2);
		CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTRATION_FAILED);
		waited += wait_for_question(600);
	}
	CU_ASSERT_TRUE(waited >= (10 + 20 + 40 + 80 + 160 + 320 + 600) / 2);
	registration_end();
}

/* Each nonce is too old when it comes back: not the password's fault. */
static void test_stale_for_ever(void)
{
	static const char stale[] =
	    "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"abc\", "
	    "qop=\"auth\", stale=true, algorithm=MD5\r\n";
	struct agent_flow *f;

	registration_begin();
	registration_use("pbx.example");
	f = registration_reach(SIP_TLS);
	for (unsigned i = 0; i < 20; i++) {
		if (reg.facts.state == SIP_REGISTERING)
			agent_answer(f, 401, stale);
		if (reg.facts.state == SIP_REGISTERING)
			agent_connect(SIP_END_NONE);
		agent_run(0);
	}
	CU_ASSERT_EQUAL(reg.facts.state, SIP_REGISTRATION_FAILED);
	CU_ASSERT_TRUE(f->sent <= 5);
	CU_ASSERT_TRUE(wait_for_question(60) >= 30);
	registration_end();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "a lost connection", test_lost_connection },
		{ "a dead connection", test_dead_connection },
		{ "backs off", test_backs_off },
		{ "refused", test_refused },
		{ "a wrong password", test_wrong_password },
		{ "a password with settings", test_password_with_settings },
		{ "another kind of failure", test_other_failure },
		{ "refused later", test_refused_later },
		{ "a password meanwhile", test_password_changed_meanwhile },
		{ "Retry-After", test_retry_after },
		{ "too brief", test_too_brief },
		{ "redirections", test_redirections },
		{ "lost at a refresh", test_lost_at_refresh },
		{ "by hand", test_by_hand },
		{ "keeps nothing", test_keeps_nothing },
		{ "423 for ever", test_never_long_enough },
		{ "stale for ever", test_stale_for_ever },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "sip-registration-failures", tests,
			 registration_set_up, registration_tear_down);
}
