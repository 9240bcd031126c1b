/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/call_out_fixture.h"

/* Calls that we place: answers, ends, ways that fail. */

static void test_connects(void)
{
	char sent[AGENT_TEXT];
	struct sip_call_facts f;

	out_begin(0);
	out_ring(SIP_TLS, sent);
	CU_ASSERT_STRING_EQUAL(stage.asked, "h.example");
	CU_ASSERT_STRING_EQUAL(out_flow()->host, "h.example");
	CU_ASSERT_PTR_NOT_NULL(strstr(sent, " RTP/SAVP 0 8 101\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(sent, "a=crypto:1 AES_CM_128_HMAC_SHA1_80"
					    " inline:"));
	CU_ASSERT_PTR_NOT_NULL(strstr(sent, "c=IN IP4 127.0.0.1\r\n"));
	CU_ASSERT_STRING_EQUAL(agent_field(sent, "To"), "<sip:b@h.example>");
	CU_ASSERT_STRING_EQUAL(agent_field(sent, "Session-Expires"), "1800");
	CU_ASSERT_STRING_EQUAL(agent_field(sent, "Allow"), SIP_ALLOW);
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(agent_field(sent, "Contact"), "127.0.0.1"));
	out_answer(sent, 180, "theirs", AT, "");
	CHECK_SEEN("a");
	CU_ASSERT_EQUAL(out.facts.link.transport, SIP_TLS);
	out_answer(sent, 200, "theirs",
		   AT "Session-Expires: 600;refresher=uac\r\n", out_secure);
	CU_ASSERT_TRUE(out_says("ACK sip:b@192.0.2.1:5061;transport=tls "));
	CHECK_SEEN("c");
	CU_ASSERT_FALSE(out.facts.incoming);
	CU_ASSERT_EQUAL(out.facts.encryption, SIP_ENCRYPTED);
	CU_ASSERT_STRING_EQUAL(out.facts.codec, "PCMA");
	CU_ASSERT_STRING_EQUAL(out.facts.peer, "sip:b@h.example");
	CU_ASSERT_TRUE(sip_calls_find(out.calls, out.facts.id, &f));
	/* Its copy is acknowledged again. */
	out_flow()->last[0] = '\0';
	out_answer(sent, 200, "theirs", AT, out_secure);
	CU_ASSERT_TRUE(out_says("ACK "));
	CHECK_SEEN("");
	out_request(sent, "BYE");
	CU_ASSERT_TRUE(out_says("SIP/2.0 200 "));
	CHECK_SEEN("d");
	CHECK_END(SIP_END_REMOTE_TEARDOWN);
	out_finish();
}

/* Without TLS there is nobody to keep a key from. */
static void test_plain(void)
{
	char sent[AGENT_TEXT];
	struct error e = ERROR_INIT;

	out_begin(0);
	out_ring(SIP_TCP, sent);
	CU_ASSERT_PTR_NOT_NULL(strstr(sent, " RTP/AVP 0 8 101\r\n"));
	CU_ASSERT_PTR_NULL(strstr(sent, "a=crypto"));
	out_answer(sent, 200, "theirs", "Contact: <sip:b@192.0.2.1>\r\n",
		   out_plain);
	CHECK_SEEN("c");
	CU_ASSERT_EQUAL(out.facts.encryption, SIP_UNENCRYPTED);
	CHECK_OK(sip_calls_end(out.calls, out.facts.id, &e), &e);
	CU_ASSERT_TRUE(out_says("BYE sip:b@192.0.2.1 "));
	CHECK_SEEN("d");
	CHECK_END(SIP_END_DISCONNECT_ALL);
	CU_ASSERT_EQUAL(sip_calls_count(out.calls), 1);
	out_answer(out_flow()->last, 200, "theirs", "", "");
	CU_ASSERT_EQUAL(sip_calls_count(out.calls), 0);
	out_finish();
}

/* --- answers that end it */

static void test_refusals(void)
{
	const struct refusal_row {
		unsigned status;
		enum sip_end end;
	} rows[] = {
		{ 302, SIP_END_MOVED },
		{ 403, SIP_END_REJECTED },
		{ 404, SIP_END_DESTINATION_UNREACHABLE },
		{ 407, SIP_END_AUTHENTICATION_FAILED },
		{ 480, SIP_END_NO_ANSWER },
		{ 486, SIP_END_BUSY },
		{ 488, SIP_END_CAPABILITY },
		{ 503, SIP_END_SERVICE_UNAVAILABLE },
		{ 603, SIP_END_REJECTED },
		{ 400, SIP_END_PROTOCOL_ERROR },
	};
	char sent[AGENT_TEXT];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		out_begin(0);
		out_ring(SIP_TLS, sent);
		out_answer(sent, rows[i].status, "theirs",
			   "Contact: <sip:elsewhere@h.example>\r\n", "");
		CU_ASSERT_TRUE(out_says("ACK "));
		CHECK_SEEN("d");
		out_check_end(rows[i].end, (int)i);
		CU_ASSERT_EQUAL(out.facts.status, rows[i].status);
		CU_ASSERT_PTR_NOT_NULL(
		    strstr(out.facts.end_text, "Some Reason"));
		CU_ASSERT_EQUAL(stage.count, 1);
		CU_ASSERT_EQUAL(stage.questions, 1);
		out_finish();
	}
}

/* A 2xx that does not fit is confirmed, and ended. */
static void test_bad_answers(void)
{
	static const char other_tag[] =
	    OUT_HEAD "m=audio 40000 RTP/SAVP 8\r\n"
		     "a=crypto:2 AES_CM_128_HMAC_SHA1_80 "
		     "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";
	static const char *const bodies[] = {
		"",
		out_plain,
		"rubbish",
		other_tag,
		OUT_HEAD "m=audio 0 RTP/SAVP 8\r\n",
		OUT_HEAD "m=video 40000 RTP/AVP 99\r\n",
	};
	char sent[AGENT_TEXT];

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		out_begin(0);
		out_ring(SIP_TLS, sent);
		out_answer(sent, 200, "theirs", AT, bodies[i]);
		CU_ASSERT_EQUAL(out_flow()->sent, 3); /* INVITE, ACK, BYE */
		CU_ASSERT_TRUE(out_says("BYE "));
		CHECK_SEEN("d");
		out_check_end(SIP_END_CAPABILITY, (int)i);
		out_finish();
	}
	/* No way that could be followed. */
	out_begin(0);
	out_ring(SIP_TLS, sent);
	out_answer(sent, 200, "theirs", AT "Record-Route: <tel:+15551212>\r\n",
		   out_secure);
	CHECK_SEEN("d");
	CHECK_END(SIP_END_PROTOCOL_ERROR);
	out_finish();
}

/* The first stands, the others are confirmed and ended. */
static void test_forks(void)
{
	char sent[AGENT_TEXT];

	out_begin(0);
	out_ring(SIP_TLS, sent);
	out_answer(sent, 180, "one", AT, "");
	out_answer(sent, 180, "theirs", AT, "");
	out_answer(sent, 200, "theirs", AT, out_secure);
	CHECK_SEEN("ac");
	out_answer(sent, 200, "one", "Contact: <sip:other@192.0.2.9>\r\n",
		   out_secure);
	/* ACK and BYE go where that one is. */
	agent_resolve_to(SIP_TLS, "192.0.2.9", 5061);
	agent_connect(SIP_END_NONE);
	CU_ASSERT_TRUE(out_says("ACK sip:other@192.0.2.9 "));
	agent_resolve_to(SIP_TLS, "192.0.2.9", 5061);
	agent_connect(SIP_END_NONE);
	CU_ASSERT_TRUE(out_says("BYE sip:other@192.0.2.9 "));
	CU_ASSERT_EQUAL(stage.count, 2);
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(agent_field(out_flow()->last, "To"), "tag=one"));
	CHECK_SEEN("");
	CU_ASSERT_EQUAL(out.facts.state, SIP_CALL_CONNECTED);
	out_finish();
}

/* One that answers as if it were very many. */
static void test_endless_forks(void)
{
	struct sip_stack *stack;
	char sent[AGENT_TEXT], tag[16];

	out_begin(0);
	out_ring(SIP_TLS, sent);
	stack = sip_agent_stack(stage.agent);
	out_answer(sent, 200, "theirs", AT, out_secure);
	for (int i = 0; i < 200; i++) {
		snprintf(tag, sizeof(tag), "fork%d", i);
		out_answer(sent, 200, tag, AT, out_secure);
	}
	CU_ASSERT(sip_stack_count(stack) > 10);
	CU_ASSERT(sip_stack_count(stack) < 50);
	CU_ASSERT_EQUAL(out.facts.state, SIP_CALL_CONNECTED);
	agent_run(70000);
	CU_ASSERT_EQUAL(sip_stack_count(stack), 0);
	out_finish();
}

/* --- ended here */

static void test_cancel(void)
{
	char sent[AGENT_TEXT];
	struct error e = ERROR_INIT;

	out_begin(0);
	out_ring(SIP_TLS, sent);
	out_answer(sent, 180, "theirs", AT, "");
	CHECK_SEEN("a");
	CHECK_OK(sip_calls_end(out.calls, out.facts.id, &e), &e);
	CHECK_SEEN("d");
	CHECK_END(SIP_END_DISCONNECT_ALL);
	CU_ASSERT_TRUE(out_says("CANCEL sip:b@h.example "));
	out_answer(out_flow()->last, 200, "theirs", "", "");
	out_answer(sent, 487, "theirs", "", "");
	CU_ASSERT_TRUE(out_says("ACK "));
	CHECK_SEEN("");
	CU_ASSERT_EQUAL(sip_calls_count(out.calls), 0);
	out_finish();
}

/* Their 200 and our CANCEL cross. */
static void test_late_success(void)
{
	char sent[AGENT_TEXT];
	struct error e = ERROR_INIT;

	out_begin(0);
	out_ring(SIP_TLS, sent);
	out_answer(sent, 180, "theirs", AT, "");
	CHECK_OK(sip_calls_end(out.calls, out.facts.id, &e), &e);
	out_answer(sent, 200, "theirs", AT, out_secure);
	CU_ASSERT_TRUE(out_says("BYE "));
	CHECK_SEEN("ad");
	CHECK_END(SIP_END_DISCONNECT_ALL);
	out_finish();
}

/* Before anything was sent. */
static void test_end_early(void)
{
	struct error e = ERROR_INIT;

	out_begin(0);
	out_place("sip:b@h.example", NULL, NULL);
	CHECK_OK(sip_calls_end(out.calls, out.facts.id, &e), &e);
	CHECK_SEEN("ad");
	agent_run(1000);
	CU_ASSERT_EQUAL(stage.cancelled, 1);
	CU_ASSERT_EQUAL(stage.count, 0);
	out_finish();
}

static void test_no_answer(void)
{
	char sent[AGENT_TEXT];

	out_begin(0);
	out_ring(SIP_TLS, sent);
	out_answer(sent, 180, "theirs", AT, "");
	CHECK_SEEN("a");
	agent_run(SIP_CALL_ANSWER_MS);
	CU_ASSERT_TRUE(out_says("CANCEL "));
	out_answer(sent, 487, "theirs", "", "");
	CHECK_SEEN("d");
	CHECK_END(SIP_END_NO_ANSWER);
	out_finish();
}

/* --- ways that fail */

static void test_failures(void)
{
	const enum sip_end ends[] = {
		SIP_END_FAILED_TO_CONNECT,
		SIP_END_PEER_CERTIFICATE_WRONG_HOST,
		SIP_END_PEER_CERTIFICATE_UNTRUSTED,
		SIP_END_TLS_FAILED,
		SIP_END_OWN_CERTIFICATE_REFUSED,
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		out_begin(0);
		out_place("b@h.example", NULL, NULL);
		agent_resolve(SIP_TLS, 1);
		agent_connect(ends[i]);
		agent_run(SIP_TICK_MS);
		CHECK_SEEN("ad");
		out_check_end(ends[i], (int)i);
		CU_ASSERT_PTR_NOT_NULL(strstr(out.facts.end_text, "refused"));
		out_finish();
	}
	out_begin(0);
	out_place("b@h.example", NULL, NULL);
	agent_resolve(SIP_TLS, 0);
	CHECK_SEEN("ad");
	CHECK_END(SIP_END_DNS_FAILED);
	out_finish();
	/* No way in the kernel's tables; no room for questions. */
	out_begin(0);
	stage.no_route = true;
	out_place("b@h.example", NULL, NULL);
	agent_resolve(SIP_TLS, 1);
	CHECK_SEEN("ad");
	CHECK_END(SIP_END_FAILED_TO_CONNECT);
	out_place("b@full.example", NULL, NULL);
	CHECK_SEEN("ad");
	CHECK_END(SIP_END_PORT_ALLOCATION);
	out_finish();
}

static void test_limit(void)
{
	out_begin(1);
	out_place("b@h.example", NULL, NULL);
	CHECK_SEEN("a");
	out_place("c@h.example", NULL, NULL);
	CHECK_SEEN("ad");
	CHECK_END(SIP_END_PORT_ALLOCATION);
	out_finish();
}

/* No ports are left for its media. */
static void test_no_ports(void)
{
	out_begin(0);
	for (int i = 0; i < OUT_STREAMS; i++) {
		out_place("b@h.example", NULL, NULL);
		agent_resolve(SIP_TLS, 1);
		CHECK_SEEN("a");
	}
	out_place("c@h.example", NULL, NULL);
	agent_resolve(SIP_TLS, 1);
	CHECK_SEEN("ad");
	CHECK_END(SIP_END_PORT_ALLOCATION);
	out_finish();
}

/* The second target gets an offer of its own. */
static void test_failover(void)
{
	char sent[AGENT_TEXT];

	out_begin(0);
	out_place("b@h.example", NULL, NULL);
	agent_resolve(SIP_TLS, 2);
	agent_connect(SIP_END_FAILED_TO_CONNECT);
	agent_run(SIP_TICK_MS);
	agent_connect(SIP_END_NONE);
	CU_ASSERT_TRUE(out_says("INVITE "));
	strcpy(sent, out_flow()->last);
	out_answer(sent, 200, "theirs", AT, out_secure);
	CHECK_SEEN("ac");
	out_finish();
}

static void key_of(const char *message, char key[41])
{
	const char *at = strstr(message, "inline:");

	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	snprintf(key, 41, "%s", at + strlen("inline:"));
}

/* Who was asked in vain does not know the next one's key. */
static void test_keys(void)
{
	char sent[AGENT_TEXT], first[41], second[41];

	out_begin(0);
	out_place("b@h.example", NULL, NULL);
	agent_resolve(SIP_TLS, 2);
	agent_connect(SIP_END_NONE);
	strcpy(sent, out_flow()->last);
	key_of(sent, first);
	out_answer(sent, 503, "theirs", "", "");
	agent_run(SIP_TICK_MS);
	agent_connect(SIP_END_NONE);
	CU_ASSERT_TRUE(out_says("INVITE "));
	strcpy(sent, out_flow()->last);
	key_of(sent, second);
	CU_ASSERT_STRING_NOT_EQUAL(first, second);
	out_answer(sent, 200, "theirs", AT, out_secure);
	CHECK_SEEN("ac");
	out_finish();
}

int main(int argc, char **argv)
{
	const struct unit_test tests[] = {
		{ "connects over TLS", test_connects },
		{ "connects over TCP", test_plain },
		{ "refusals", test_refusals },
		{ "answers that do not fit", test_bad_answers },
		{ "forks", test_forks },
		{ "forks without end", test_endless_forks },
		{ "CANCEL", test_cancel },
		{ "a 2xx after CANCEL", test_late_success },
		{ "ended before it was sent", test_end_early },
		{ "nobody answers", test_no_answer },
		{ "no way there", test_failures },
		{ "limit", test_limit },
		{ "the next target", test_failover },
		{ "the next target's key", test_keys },
		{ "no ports", test_no_ports },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "sip-call-out", tests, NULL, NULL);
}
