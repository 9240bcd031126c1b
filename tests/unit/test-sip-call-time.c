/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "tests/lib/unit.h"
#include "tests/unit/call_fixture.h"

/* Session timers (RFC 4028), and media that stop. */

struct agreed_row {
	const char *asked; /* fields of the INVITE */
	const char *expires, *require;
	unsigned refresh_s, end_s; /* 0: not by us, not at all */
};

static void test_agreed(void)
{
	const struct agreed_row rows[] = {
		{ "", "1800;refresher=uas", "", 900, 1768 },
		{ "Supported: timer\r\n", "1800;refresher=uas", "", 900, 1768 },
		{ "Supported: timer\r\nSession-Expires: 90\r\n",
		  "90;refresher=uas", "", 45, 60 },
		{ "Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n",
		  "600;refresher=uac", "timer", 0, 568 },
		{ "k: timer\r\nx: 600;refresher=uas\r\n", "600;refresher=uas",
		  "", 300, 568 },
		{ "Supported: timer\r\nMin-SE: 7200\r\n", "7200;refresher=uas",
		  "", 3600, 7168 },
		/* Too short, by one who would not understand a 422. */
		{ "Session-Expires: 60\r\n", "", "", 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct agreed_row *r = &rows[i];
		unsigned sent;

		wire_start();
		wire_request(SIP_TCP, "INVITE", 1, r->asked, sdp_plain);
		CU_ASSERT_STRING_EQUAL(wire_field(SIP_TCP, "Session-Expires"),
				       r->expires);
		CU_ASSERT_STRING_EQUAL(wire_field(SIP_TCP, "Require"),
				       r->require);
		wire_request(SIP_TCP, "ACK", 1, "", "");
		CHECK_SEEN("ac");
		sent = fixture.wire[SIP_TCP].sent;
		if (r->refresh_s) {
			wire_run(1000 * (int64_t)r->refresh_s - 1);
			CU_ASSERT_EQUAL(fixture.wire[SIP_TCP].sent, sent);
			wire_run(1);
			CHECK_METHOD(SIP_TCP, "INVITE");
		} else if (r->end_s) {
			wire_run(1000 * (int64_t)r->end_s - 1);
			CHECK_SEEN("");
			wire_run(1);
			CHECK_END(SIP_END_NETWORK_ERROR);
			CHECK_METHOD(SIP_TCP, "BYE");
		} else {
			wire_run(86400000);
			CHECK_SEEN("");
		}
		wire_stop();
	}
}

#define UPDATES "Allow: INVITE, ACK, UPDATE, BYE\r\n"
#define TIMER   "Supported: timer\r\nSession-Expires: 100\r\n"

/* We refresh by UPDATE, without a description. */
static void test_update(void)
{
	wire_start();
	wire_request(SIP_TCP, "INVITE", 1, UPDATES TIMER, sdp_plain);
	wire_request(SIP_TCP, "ACK", 1, "", "");
	for (int i = 0; i < 3; i++) {
		wire_run(50000);
		CHECK_METHOD(SIP_TCP, "UPDATE");
		CU_ASSERT_STRING_EQUAL(wire_field(SIP_TCP, "Session-Expires"),
				       "100;refresher=uac");
		CU_ASSERT_STRING_EQUAL(wire_field(SIP_TCP, "Min-SE"), "90");
		CU_ASSERT_STRING_EQUAL(wire_field(SIP_TCP, "Content-Length"),
				       "0");
		CU_ASSERT_STRING_EQUAL(
		    wire_field(SIP_TCP, "Contact"),
		    "<sip:echo@127.0.0.1:5062;transport=tcp>");
		wire_answer(SIP_TCP, 200,
			    "Session-Expires: 100;refresher=uac\r\n", "");
	}
	CU_ASSERT_EQUAL(fixture.facts.state, SIP_CALL_CONNECTED);
	wire_stop();
}

/* By INVITE with the description that was said last, when it knows no UPDATE,
 * be it only when it is asked. */
static void test_invite(void)
{
	char said[4096];

	wire_start();
	wire_request(SIP_TCP, "INVITE", 1, UPDATES TIMER, sdp_plain);
	wire_request(SIP_TCP, "ACK", 1, "", "");
	strcpy(said, fixture.body);
	wire_run(50000);
	CHECK_METHOD(SIP_TCP, "UPDATE");
	wire_answer(SIP_TCP, 405, "", "");
	CHECK_METHOD(SIP_TCP, "INVITE");
	CU_ASSERT_STRING_EQUAL(fixture.body, said);
	wire_answer(SIP_TCP, 200,
		    "Contact: <sip:ann@192.0.2.7:5072>\r\n"
		    "Session-Expires: 100;refresher=uac\r\n",
		    sdp_plain);
	/* To where it is now. */
	CU_ASSERT_TRUE(wire_has(SIP_TCP, "ACK sip:ann@192.0.2.7:5072 "));
	wire_run(50000);
	CU_ASSERT_TRUE(wire_has(SIP_TCP, "INVITE sip:ann@192.0.2.7:5072 "));
	/* Its answer does not fit. */
	wire_answer(SIP_TCP, 200, "Contact: <sip:ann@192.0.2.7:5070>\r\n",
		    sdp_srtp);
	CHECK_END(SIP_END_CAPABILITY);
	CHECK_METHOD(SIP_TCP, "BYE");
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.wire[SIP_TCP].all, "ACK sip:"));
	wire_stop();
}

struct answer_row {
	unsigned status;
	const char *more;
	int64_t again_ms; /* as late as that there is another */
	enum sip_end end;
};

static void test_refresh_answers(void)
{
	const struct answer_row rows[] = {
		{ 481, "", 0, SIP_END_NETWORK_ERROR },
		{ 408, "", 0, SIP_END_NETWORK_ERROR },
		{ 491, "", 2000, SIP_END_NONE },
		{ 500, "", 5000, SIP_END_NONE },
		{ 488, "", 5000, SIP_END_NONE },
		{ 422, "Min-SE: 300\r\n", 0, SIP_END_NONE },
		{ 422, "", 5000, SIP_END_NONE },
		{ 422, "Min-SE: much\r\n", 5000, SIP_END_NONE },
		{ 501, "", 0, SIP_END_NONE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct answer_row *r = &rows[i];
		unsigned sent;

		wire_start();
		wire_request(SIP_TCP, "INVITE", 1, UPDATES TIMER, sdp_plain);
		wire_request(SIP_TCP, "ACK", 1, "", "");
		CHECK_SEEN("ac");
		wire_run(50000);
		CHECK_METHOD(SIP_TCP, "UPDATE");
		sent = fixture.wire[SIP_TCP].sent;
		wire_answer(SIP_TCP, r->status, r->more, "");
		if (r->end != SIP_END_NONE) {
			wire_check_end(r->end, (int)i);
			CU_ASSERT_EQUAL(fixture.facts.status, r->status);
		} else {
			wire_run(r->again_ms);
			CU_ASSERT_EQUAL(fixture.wire[SIP_TCP].sent, sent + 1);
			CHECK_METHOD(SIP_TCP,
				     r->status == 501 ? "INVITE" : "UPDATE");
			if (strstr(r->more, "300"))
				CU_ASSERT_STRING_EQUAL(
				    wire_field(SIP_TCP, "Session-Expires"),
				    "300;refresher=uac");
			/* Nothing else comes of it: the end. */
			wire_run(60000);
			CHECK_END(SIP_END_NETWORK_ERROR);
		}
		wire_stop();
	}
}

/* Theirs keep it alive, with and without a description. */
static void test_theirs(void)
{
	wire_start();
	wire_request(SIP_TCP, "INVITE", 1,
		     UPDATES "Supported: timer\r\n"
			     "Session-Expires: 100;refresher=uac\r\n",
		     sdp_plain);
	wire_request(SIP_TCP, "ACK", 1, "", "");
	CHECK_SEEN("ac");
	for (unsigned i = 0; i < 4; i++) {
		wire_run(60000);
		wire_request(SIP_TCP, i % 2 ? "INVITE" : "UPDATE", 2 + i,
			     "Supported: timer\r\n"
			     "Session-Expires: 100;refresher=uac\r\n",
			     i % 2 ? sdp_plain : "");
		CHECK_STATUS(SIP_TCP, 200);
		CU_ASSERT_STRING_EQUAL(wire_field(SIP_TCP, "Session-Expires"),
				       "100;refresher=uac");
		if (i % 2)
			wire_request(SIP_TCP, "ACK", 2 + i, "", "");
	}
	CU_ASSERT_EQUAL(fixture.facts.state, SIP_CALL_CONNECTED);
	wire_run(68000);
	CHECK_END(SIP_END_NETWORK_ERROR);
	wire_stop();
}

/* Their offer while ours is under way, and ours that waits for theirs. */
static void test_glare(void)
{
	char ours[8192];

	wire_start();
	wire_request(SIP_TCP, "INVITE", 1, TIMER, sdp_plain);
	wire_request(SIP_TCP, "ACK", 1, "", "");
	wire_run(50000);
	CHECK_METHOD(SIP_TCP, "INVITE");
	strcpy(ours, fixture.wire[SIP_TCP].last);
	wire_request(SIP_TCP, "INVITE", 2, "", sdp_held);
	CHECK_STATUS(SIP_TCP, 491);
	wire_request(SIP_TCP, "UPDATE", 3, "", sdp_held);
	CHECK_STATUS(SIP_TCP, 491);
	wire_request(SIP_TCP, "UPDATE", 4, "", "");
	CHECK_STATUS(SIP_TCP, 200);
	CU_ASSERT_FALSE(fixture.facts.held);
	strcpy(fixture.wire[SIP_TCP].last, ours);
	wire_answer(SIP_TCP, 491, "", "");
	wire_request(SIP_TCP, "INVITE", 5, TIMER, sdp_held);
	CHECK_STATUS(SIP_TCP, 200);
	CU_ASSERT_TRUE(fixture.facts.held);
	wire_stop();
}

/* One that answers our INVITE with 180 and no more: nothing is kept of it when
 * the call has ended. */
static void test_ringing_refresh(void)
{
	for (int they = 0; they < 2; they++) {
		wire_start();
		wire_request(SIP_UDP, "INVITE", 1, TIMER, sdp_plain);
		wire_request(SIP_UDP, "ACK", 1, "", "");
		wire_run(50000);
		CHECK_METHOD(SIP_UDP, "INVITE");
		wire_answer(SIP_UDP, 180, "", "");
		fixture.wire[SIP_UDP].all[0] = '\0';
		if (they)
			wire_request(SIP_UDP, "BYE", 2, "", "");
		else
			sip_calls_end_all(fixture.calls);
		CU_ASSERT_PTR_NOT_NULL(
		    strstr(fixture.wire[SIP_UDP].all, "CANCEL sip:"));
		wire_run(100000);
		CU_ASSERT_EQUAL(sip_stack_count(fixture.stack), 0);
		wire_stop();
	}
}

/* The flow is lost: the call stands until its time is over. */
static void test_lost_flow(void)
{
	wire_start();
	wire_call(SIP_TCP, sdp_plain);
	sip_stack_flow_lost(fixture.stack, &fixture.wire[SIP_TCP].flow);
	CHECK_SEEN("");
	/* It comes back on another one. */
	wire_request(SIP_TLS, "UPDATE", 2, "", "");
	CHECK_STATUS(SIP_TLS, 200);
	fixture.seen[0] = '\0';
	sip_calls_end_all(fixture.calls);
	CHECK_METHOD(SIP_TLS, "BYE");
	wire_stop();
}

/* Nothing is heard of the media; a call that is held may be silent. */
static void test_silence(void)
{
	fixture.rules = (struct sip_call_rules){ 1800, 1 };
	wire_start();
	wire_call(SIP_TCP, sdp_plain);
	CU_ASSERT_TRUE(wire_wait("d", 5000));
	CHECK_END(SIP_END_NETWORK_ERROR);
	CHECK_METHOD(SIP_TCP, "BYE");
	wire_stop();

	fixture.rules = (struct sip_call_rules){ 1800, 1 };
	wire_start();
	wire_call(SIP_TCP, sdp_held);
	CU_ASSERT_FALSE(wire_wait("d", 1500));
	wire_request(SIP_TCP, "UPDATE", 2, "", sdp_plain);
	CHECK_SEEN("c");
	CU_ASSERT_TRUE(wire_wait("d", 5000));
	wire_stop();
}

int main(int argc, char **argv)
{
	const struct unit_test tests[] = {
		{ "what is agreed", test_agreed },
		{ "we refresh by UPDATE", test_update },
		{ "we refresh by INVITE", test_invite },
		{ "answers to a refresh", test_refresh_answers },
		{ "they refresh", test_theirs },
		{ "glare", test_glare },
		{ "a refresh that rings for ever", test_ringing_refresh },
		{ "a lost flow", test_lost_flow },
		{ "media that stop", test_silence },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "sip-call-time", tests, NULL, NULL);
}
