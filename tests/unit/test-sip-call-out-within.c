/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/call_out_fixture.h"

/* Calls that we place: challenges, what happens within them, and those who
 * keep to nothing. */

/* --- challenges and session timers */

static void test_challenge(void)
{
	char sent[AGENT_TEXT], credentials[1024];

	out_begin(0);
	out_place("b@h.example", "us", "secret word");
	agent_resolve(SIP_TLS, 1);
	agent_connect(SIP_END_NONE);
	CU_ASSERT_PTR_NOT_NULL(strstr(agent_field(out_flow()->last, "From"),
				      "<sip:us@d.example>;tag="));
	out_answer(out_flow()->last, 407, "x",
		   "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", "
		   "algorithm=SHA-256, qop=\"auth\"\r\n",
		   "");
	agent_connect(SIP_END_NONE);
	CU_ASSERT_TRUE(out_says("INVITE "));
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(out_flow()->last, "Proxy-Authorization: "));
	CU_ASSERT_PTR_NULL(strstr(out_flow()->last, "secret word"));
	strcpy(sent, out_flow()->last);
	strcpy(credentials, agent_field(sent, "Proxy-Authorization"));
	out_answer(sent, 200, "theirs", AT, out_secure);
	CHECK_SEEN("ac");
	CU_ASSERT_TRUE(out_says("ACK "));
	CU_ASSERT_STRING_EQUAL(
	    agent_field(out_flow()->last, "Proxy-Authorization"), credentials);
	/* In the call, too. */
	sip_calls_end_all(out.calls);
	CU_ASSERT_TRUE(out_says("BYE "));
	out_answer(out_flow()->last, 407, "theirs",
		   "Proxy-Authenticate: Digest realm=\"r\", nonce=\"m\", "
		   "algorithm=SHA-256, qop=\"auth\"\r\n",
		   "");
	agent_run(1000);
	out_answer(out_flow()->last, 407, "theirs",
		   "Proxy-Authenticate: Digest realm=\"r\", nonce=\"m\", "
		   "algorithm=SHA-256, qop=\"auth\"\r\n",
		   "");
	CU_ASSERT_TRUE(out_says("BYE "));
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(out_flow()->last, "Proxy-Authorization: "));
	out_answer(out_flow()->last, 200, "theirs", "", "");
	CU_ASSERT_EQUAL(sip_calls_count(out.calls), 0);
	out_finish();
}

static void test_session(void)
{
	char sent[AGENT_TEXT];

	out_begin(0);
	out_ring(SIP_TLS, sent);
	out_answer(sent, 422, "x", "Min-SE: 2400\r\n", "");
	agent_resolve(SIP_TLS, 1);
	agent_connect(SIP_END_NONE);
	CU_ASSERT_TRUE(out_says("INVITE "));
	CU_ASSERT_STRING_EQUAL(agent_field(out_flow()->last, "Session-Expires"),
			       "2400");
	CU_ASSERT_STRING_EQUAL(agent_field(out_flow()->last, "Min-SE"), "2400");
	CHECK_SEEN("");
	/* Once is enough. */
	strcpy(sent, out_flow()->last);
	out_answer(sent, 422, "x", "Min-SE: 9000\r\n", "");
	CHECK_SEEN("d");
	CHECK_END(SIP_END_PROTOCOL_ERROR);
	out_finish();
}

/* The connection is lost: the next request asks for another one, over TLS. */
static void test_lost_flow(void)
{
	char sent[AGENT_TEXT];

	out_begin(0);
	out_ring(SIP_TLS, sent);
	out_answer(sent, 200, "theirs", "Contact: <sip:b@c.example>\r\n",
		   out_secure);
	CHECK_SEEN("c");
	agent_resolve(SIP_TLS, 1);
	agent_connect(SIP_END_NONE);
	CU_ASSERT_TRUE(out_says("ACK sip:b@c.example "));
	agent_lose(out_flow(), SIP_END_NETWORK_ERROR);
	CHECK_SEEN("");
	sip_calls_end_all(out.calls);
	CHECK_SEEN("d");
	CU_ASSERT_STRING_EQUAL(stage.asked, "c.example");
	agent_resolve(SIP_TLS, 1);
	agent_connect(SIP_END_NONE);
	CU_ASSERT_TRUE(out_says("BYE sip:b@c.example "));
	out_answer(out_flow()->last, 200, "theirs", "", "");
	CU_ASSERT_EQUAL(sip_calls_count(out.calls), 0);
	out_finish();
}

struct hears_row {
	const char *contact; /* where the other side wants the BYE */
	bool hears;
};

/* Whom the other side names as its Contact must not get to know what is made of
 * the password for the host that was dialled. */
static void test_who_challenges(void)
{
	const struct hears_row rows[] = {
		{ "Contact: <sip:b@c.example>\r\n", false },
		{ "Contact: <sip:b@h.example.c.example>\r\n", false },
		{ "Contact: <sip:b@H.example>\r\n", true },
		{ "Contact: <sip:b@c.example>\r\n"
		  "Record-Route: <sip:h.example;lr>\r\n",
		  true },
		{ "Contact: <sip:b@h.example>\r\n"
		  "Record-Route: <sip:c.example;lr>\r\n",
		  false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool heard;

		out_begin(0);
		out_place("b@h.example", "us", "secret word");
		agent_resolve(SIP_TLS, 1);
		agent_connect(SIP_END_NONE);
		out_answer(out_flow()->last, 200, "theirs", rows[i].contact,
			   out_secure);
		CHECK_SEEN("ac");
		if (stage.question) {
			agent_resolve(SIP_TLS, 1);
			agent_connect(SIP_END_NONE);
		}
		CU_ASSERT_TRUE(out_says("ACK "));
		agent_lose(out_flow(), SIP_END_NETWORK_ERROR);
		sip_calls_end_all(out.calls);
		agent_resolve(SIP_TLS, 1);
		agent_connect(SIP_END_NONE);
		CU_ASSERT_TRUE(out_says("BYE "));
		out_answer(
		    out_flow()->last, 401, "theirs",
		    "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n",
		    "");
		/* It is over, or sent once more. */
		CU_ASSERT_EQUAL(sip_calls_count(out.calls), rows[i].hears);
		if (rows[i].hears)
			agent_connect(SIP_END_NONE);
		heard = strstr(out_flow()->last, "\r\nAuthorization: ") != NULL;
		if (heard != rows[i].hears)
			unit_note("row %zu", i);
		CU_ASSERT_EQUAL(heard, rows[i].hears);
		out_finish();
	}
}

/* The same for a challenge that comes over a connection of somebody else who
 * knows the call. */
static void test_who_has_moved(void)
{
	char sent[AGENT_TEXT];

	out_begin(0);
	out_place("b@h.example", "us", "secret word");
	agent_resolve(SIP_TLS, 1);
	agent_connect(SIP_END_NONE);
	strcpy(sent, out_flow()->last);
	out_answer(sent, 200, "theirs", "Contact: <sip:b@192.168.0.9>\r\n",
		   out_secure);
	strcpy(out_flow()->flow.peer_address, "203.0.113.9");
	out_request(sent, "OPTIONS");
	sip_calls_end_all(out.calls);
	CU_ASSERT_TRUE(out_says("BYE "));
	for (int i = 0; i < 2; i++) {
		out_answer(
		    out_flow()->last, 401, "theirs",
		    "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n",
		    "");
		agent_run(1000);
	}
	CU_ASSERT_PTR_NULL(strstr(out_flow()->last, "\r\nAuthorization: "));
	CU_ASSERT_EQUAL(sip_calls_count(out.calls), 0);
	out_finish();
}

/* --- those who keep to nothing */

static uint32_t state;

static unsigned chance(unsigned of)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % of;
}

static void answer_anything(const char *sent)
{
	static const unsigned statuses[] = { 100, 180, 183, 200, 200, 299,
					     302, 401, 422, 486, 503, 699 };
	static const char *const tags[] = { "theirs", "one", "two" };
	static const char *const more[] = {
		AT,
		"",
		"Contact: *\r\n",
		AT "Session-Expires: x\r\n",
		AT "Session-Expires: 0;refresher=uac\r\n",
		AT "Record-Route: <sip:p.example>, <sip:q.example;lr>\r\n",
		"Min-SE: 4294967295\r\n",
		"WWW-Authenticate: Digest realm=\r\n",
	};
	static const char *const bodies[] = { "", out_plain, out_secure,
					      "v=0\r\n" };

	if (chance(6) == 0)
		out_answer(sent, 200, tags[chance(3)], AT, out_secure);
	out_answer(sent, statuses[chance(12)], tags[chance(3)], more[chance(8)],
		   bodies[chance(4)]);
}

/* Whatever is answered, and whatever is wanted meanwhile: nothing is left. */
static void test_hostile(void)
{
	unsigned stood = 0;

	for (unsigned run = 0; run < 150; run++) {
		char sent[AGENT_TEXT];
		struct error e = ERROR_INIT;

		state = run;
		out_begin(0);
		out_ring(SIP_TLS, sent);
		for (unsigned i = 0; i < 8; i++) {
			if (chance(3) == 0)
				strcpy(sent, out_flow()->last);
			switch (chance(8)) {
			case 0: agent_run(1000 * (int64_t)chance(70)); break;
			case 1:
				out_request(sent, chance(2) ? "BYE" : "INVITE");
				break;
			case 2:
				(void)!sip_calls_end(out.calls, out.facts.id,
						     &e);
				break;
			default:
				if (strncmp(sent, "SIP/2.0", 7) != 0)
					answer_anything(sent);
			}
			stood += strchr(out.seen, 'c') != NULL;
			out.seen[0] = '\0';
		}
		out_finish();
	}
	CU_ASSERT(stood > 10);
}

int main(int argc, char **argv)
{
	const struct unit_test tests[] = {
		{ "challenges", test_challenge },
		{ "422", test_session },
		{ "a lost flow", test_lost_flow },
		{ "whom the password is for", test_who_challenges },
		{ "whom it is not for", test_who_has_moved },
		{ "answers in any order", test_hostile },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "sip-call-out-within", tests, NULL, NULL);
}
