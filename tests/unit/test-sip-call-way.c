/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/call_out_fixture.h"

/* Which way our requests within a call go: over its flow, or to whoever the
 * dialog names, and back to the flow when nobody is found there. */

#define ELSEWHERE "Contact: <sip:b@c.example>\r\n"

static struct agent_flow *first(void)
{
	return &stage.flows[0];
}

static bool says(const struct agent_flow *f, const char *text)
{
	return strncmp(f->last, text, strlen(text)) == 0;
}

/* An answer to what was sent last over it. */
static void answer(struct agent_flow *f, unsigned status, const char *more)
{
	agent_answer(f, status, more);
}

/* A call over it that was taken, with that in the 2xx; its INVITE. */
static void stand(enum sip_transport over, const char *more,
		  char sent[AGENT_TEXT])
{
	out_begin(0);
	out_ring(over, sent);
	CU_ASSERT_FALSE(stage.foreign);
	out_answer(sent, 200, "theirs", more,
		   over == SIP_TLS ? out_secure : out_plain);
	CHECK_SEEN("c");
}

/* Whoever was asked for is found at another address. */
static void find(enum sip_transport over)
{
	agent_resolve_to(over, "192.0.2.9", 5061);
	agent_connect(SIP_END_NONE);
}

static void end_all(void)
{
	sip_calls_end_all(out.calls);
	CHECK_SEEN("d");
	CHECK_END(SIP_END_DISCONNECT_ALL);
}

static void finish(void)
{
	agent_run(SIP_TICK_MS);
	CU_ASSERT_EQUAL(sip_calls_count(out.calls), 0);
	out_finish();
}

/* --- who is meant */

struct way_row {
	const char *more;  /* of the 2xx */
	const char *asked; /* for whom the DNS is asked; NULL: not at all */
	const char *ack;
	const char *route; /* of it */
};

/* The INVITE went to 192.0.2.1:5061 for h.example. */
static const struct way_row ways[] = {
	{ AT, NULL, "ACK sip:b@192.0.2.1:5061;transport=tls ", "" },
	{ "Contact: <sip:b@h.example>\r\n", NULL, "ACK sip:b@h.example ", "" },
	{ "Contact: <sip:b@192.0.2.1>\r\n", NULL, "ACK sip:b@192.0.2.1 ", "" },
	{ "Contact: <sip:b@192.168.0.9>\r\n", NULL, "ACK sip:b@192.168.0.9 ",
	  "" },
	{ ELSEWHERE, "c.example", "ACK sip:b@c.example ", "" },
	{ "Contact: <sip:b@192.0.2.1:5070>\r\n", "192.0.2.1",
	  "ACK sip:b@192.0.2.1:5070 ", "" },
	{ ELSEWHERE "Record-Route: <sip:h.example;lr>\r\n", NULL,
	  "ACK sip:b@c.example ", "<sip:h.example;lr>" },
	/* The last one is the first that we pass. */
	{ AT "Record-Route: <sip:h.example;lr>, <sip:p.example;lr>\r\n",
	  "p.example", "ACK sip:b@192.0.2.1:5061;transport=tls ",
	  "<sip:p.example;lr>" },
	/* A strict one. */
	{ ELSEWHERE "Record-Route: <sip:p.example>\r\n", "p.example",
	  "ACK sip:p.example ", "<sip:b@c.example>" },
	{ ELSEWHERE "Record-Route: <sip:h.example>\r\n", NULL,
	  "ACK sip:h.example ", "<sip:b@c.example>" },
};

static void test_ways(void)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		const struct way_row *r = &ways[i];
		struct agent_flow *f;
		char sent[AGENT_TEXT];

		stand(SIP_TLS, r->more, sent);
		CU_ASSERT_EQUAL(stage.questions, r->asked ? 2 : 1);
		if (r->asked) {
			CU_ASSERT_EQUAL(first()->sent, 1);
			CU_ASSERT_STRING_EQUAL(stage.asked, r->asked);
			CU_ASSERT_TRUE(stage.foreign);
			find(SIP_TLS);
			CU_ASSERT_STRING_EQUAL(out_flow()->host, r->asked);
		}
		f = out_flow();
		CU_ASSERT_EQUAL(stage.count, r->asked ? 2 : 1);
		if (!says(f, r->ack))
			unit_note("row %zu: %.80s", i, f->last);
		CU_ASSERT_TRUE(says(f, r->ack));
		CU_ASSERT_EQUAL(strncmp(agent_field(f->last, "Route"), r->route,
					strlen(r->route)),
				0);
		/* And its end. */
		end_all();
		if (r->asked)
			find(SIP_TLS);
		CU_ASSERT_EQUAL(stage.count, r->asked ? 2 : 1);
		CU_ASSERT_TRUE(says(f, "BYE "));
		CU_ASSERT_EQUAL(
		    strncmp(f->last + 3, r->ack + 3, strlen(r->ack + 3)), 0);
		answer(f, 200, "");
		finish();
	}
}

/* --- nobody is there */

enum trouble { NO_NAME, NO_CONNECTION, NO_ANSWER, TROUBLES };

/* What was asked for leads nowhere. */
static void run_into(enum trouble trouble)
{
	switch (trouble) {
	case NO_NAME: agent_resolve(SIP_TLS, 0); break;
	case NO_CONNECTION:
		agent_resolve_to(SIP_TLS, "192.0.2.9", 5061);
		agent_connect(SIP_END_FAILED_TO_CONNECT);
		break;
	default: /* the DNS is silent */ agent_run(10100); break;
	}
	agent_run(SIP_TICK_MS);
}

static void test_falls_back(void)
{
	for (int trouble = 0; trouble < TROUBLES; trouble++) {
		char sent[AGENT_TEXT];

		stand(SIP_TLS, ELSEWHERE, sent);
		CU_ASSERT_EQUAL(first()->sent, 1);
		run_into((enum trouble)trouble);
		CU_ASSERT_EQUAL(first()->sent, 2);
		CU_ASSERT_TRUE(says(first(), "ACK sip:b@c.example "));
		end_all();
		CU_ASSERT_EQUAL(first()->sent, 2);
		CU_ASSERT_EQUAL(sip_calls_count(out.calls), 1);
		run_into((enum trouble)trouble);
		CU_ASSERT_EQUAL(first()->sent, 3);
		CU_ASSERT_TRUE(says(first(), "BYE sip:b@c.example "));
		answer(first(), 200, "");
		finish();
	}
}

/* Connected, but nothing comes back: a BYE does not wait for ever. */
static void test_silence(void)
{
	char sent[AGENT_TEXT];

	stand(SIP_UDP, ELSEWHERE, sent);
	find(SIP_UDP);
	CU_ASSERT_TRUE(says(out_flow(), "ACK sip:b@c.example "));
	end_all();
	find(SIP_UDP);
	CU_ASSERT_TRUE(says(out_flow(), "BYE sip:b@c.example "));
	CU_ASSERT_EQUAL(first()->sent, 1);
	agent_run(10100);
	CU_ASSERT_TRUE(says(first(), "BYE sip:b@c.example "));
	answer(first(), 200, "");
	CU_ASSERT_EQUAL(sip_calls_count(out.calls), 0);
	agent_run(70000);
	finish();
}

/* Who speaks from 192.0.2.1 names a place that is ours, or in his own network,
 * by a name: nobody connects there, and the flow is the way. */
static void test_inward_names(void)
{
	static const char *const rows[] = {
		"127.0.0.1", "::1",       "::ffff:127.0.0.1", "0.0.0.0",
		"::",        "10.0.0.7",  "fe80::7",          "169.254.169.254",
		"fd00::7",   "224.0.0.1", "255.255.255.255",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char sent[AGENT_TEXT];

		stand(SIP_TCP, ELSEWHERE, sent);
		agent_resolve_to(SIP_TCP, rows[i], 6379);
		CU_ASSERT_EQUAL(stage.count, 1);
		CU_ASSERT_EQUAL(first()->sent, 2);
		CU_ASSERT_TRUE(says(first(), "ACK sip:b@c.example "));
		end_all();
		agent_resolve_to(SIP_TCP, rows[i], 6379);
		CU_ASSERT_EQUAL(stage.count, 1);
		CU_ASSERT_EQUAL(first()->sent, 3);
		CU_ASSERT_TRUE(says(first(), "BYE sip:b@c.example "));
		answer(first(), 200, "");
		finish();
	}
}

/* Nor when the flow is lost, be it a name or not. */
static void test_inward_without_flow(void)
{
	static const char *const rows[] = {
		"Contact: <sip:b@127.0.0.1:6379>\r\n",
		"Contact: <sip:b@localhost:6379>\r\n",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char sent[AGENT_TEXT];

		stand(SIP_TCP, rows[i], sent);
		if (stage.question)
			agent_resolve_to(SIP_TCP, "127.0.0.1", 6379);
		CU_ASSERT_TRUE(says(first(), "ACK "));
		agent_lose(first(), SIP_END_NETWORK_ERROR);
		end_all();
		CU_ASSERT_NOT_EQUAL(stage.question, 0);
		agent_resolve_to(SIP_TCP, "127.0.0.1", 6379);
		CU_ASSERT_EQUAL(stage.count, 1);
		finish();
	}
}

/* What they name may be anybody's, a registrar's, and fail for their reasons:
 * it is not what calls of ours go by. */
static void test_no_outage_by_their_word(void)
{
	char sent[AGENT_TEXT];

	stand(SIP_UDP, "Contact: <sip:b@192.0.2.9:5061;transport=tls>\r\n",
	      sent);
	agent_resolve_to(SIP_TLS, "192.0.2.9", 5061);
	agent_connect(SIP_END_PEER_CERTIFICATE_WRONG_HOST);
	agent_run(SIP_TICK_MS);
	CU_ASSERT_TRUE(says(first(), "ACK "));
	CU_ASSERT_EQUAL(sip_agent_outages(stage.agent)->count, 0);
	end_all();
	agent_resolve_to(SIP_TLS, "192.0.2.9", 5061);
	agent_connect(SIP_END_NONE);
	answer(out_flow(), 503, "Retry-After: 1800\r\n");
	CU_ASSERT_EQUAL(sip_agent_outages(stage.agent)->count, 0);
	finish();
}

/* Neither way: it ends all the same, and nothing is tried again and again. */
static void test_no_way(void)
{
	char sent[AGENT_TEXT];

	stand(SIP_TLS, ELSEWHERE, sent);
	run_into(NO_NAME);
	end_all();
	agent_lose(first(), SIP_END_NETWORK_ERROR);
	run_into(NO_NAME);
	CU_ASSERT_EQUAL(stage.questions, 3);
	CU_ASSERT_EQUAL(stage.question, 0);
	finish();
}

/* The flow is lost under a BYE: the way is looked for, once. */
static void test_lost_under_it(void)
{
	char sent[AGENT_TEXT];

	stand(SIP_TLS, AT, sent);
	end_all();
	CU_ASSERT_TRUE(says(first(), "BYE "));
	agent_lose(first(), SIP_END_NETWORK_ERROR);
	agent_run(SIP_TICK_MS);
	run_into(NO_CONNECTION);
	CU_ASSERT_EQUAL(stage.questions, 2);
	finish();
}

/* --- ACKs */

/* The 2xx to the INVITE once more, over the flow of the call. */
static void copy_of_success(const char *sent)
{
	static const char *const copied[] = { "Via", "From", "Call-ID",
					      "CSeq" };
	char text[AGENT_TEXT] = "SIP/2.0 200 OK\r\n";
	size_t n = strlen(text);

	for (size_t i = 0; i < 4; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s: %s\r\n",
				      copied[i], agent_field(sent, copied[i]));
	snprintf(text + n, sizeof(text) - n,
		 "To: <sip:b@h.example>;tag=theirs\r\n" AT
		 "Content-Length: 0\r\n\r\n");
	sip_agent_received(stage.agent, &first()->flow, view_str(text));
}

/* A copy of the 2xx says that the ACK is not there: it goes both ways; the DNS
 * is not asked for ever. */
static void test_copies(void)
{
	char sent[AGENT_TEXT];
	unsigned questions;

	stand(SIP_UDP, ELSEWHERE, sent);
	find(SIP_UDP);
	CU_ASSERT_EQUAL(first()->sent, 1);
	for (unsigned i = 0; i < 40; i++) {
		struct agent_flow *f = out_flow();
		unsigned before = f->sent;

		copy_of_success(sent);
		CU_ASSERT_EQUAL(first()->sent, 2 + i);
		CU_ASSERT_TRUE(says(first(), "ACK sip:b@c.example "));
		if (!stage.question)
			continue;
		find(SIP_UDP);
		CU_ASSERT_EQUAL(f->sent, before + 1);
	}
	questions = stage.questions;
	CU_ASSERT(questions > 5);
	CU_ASSERT(questions < 20);
	CHECK_SEEN("");
	out_finish();
}

/* The 2xx to a re-INVITE of ours moves the target: its ACK goes there, and all
 * later requests. */
static void test_moves(void)
{
	char sent[AGENT_TEXT], again[AGENT_TEXT];

	out_begin(0);
	out_ring(SIP_TLS, sent);
	out_answer(sent, 200, "theirs",
		   AT "Session-Expires: 100;refresher=uac\r\n", out_secure);
	agent_run(50000);
	sip_calls_tick(out.calls);
	CU_ASSERT_TRUE(says(first(), "INVITE sip:b@192.0.2.1:5061;"));
	strcpy(again, first()->last);
	out_answer(again, 200, "theirs",
		   ELSEWHERE "Session-Expires: 100;refresher=uac\r\n",
		   out_secure);
	CU_ASSERT_STRING_EQUAL(stage.asked, "c.example");
	CU_ASSERT_EQUAL(first()->sent, 3);
	find(SIP_TLS);
	CU_ASSERT_TRUE(says(out_flow(), "ACK sip:b@c.example "));
	CHECK_SEEN("cc");
	end_all();
	find(SIP_TLS);
	CU_ASSERT_TRUE(says(out_flow(), "BYE sip:b@c.example "));
	answer(out_flow(), 200, "");
	finish();
}

/* Nobody has said where requests go: where the INVITE went, and the call
 * stands. */
static void test_no_contact(void)
{
	static const char *const rows[] = {
		"",
		"Contact: *\r\n",
		"Contact: <tel:+1555>\r\n",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char sent[AGENT_TEXT];

		stand(SIP_TLS, rows[i], sent);
		CU_ASSERT_TRUE(says(first(), "ACK sip:b@h.example "));
		CU_ASSERT_EQUAL(first()->sent, 2);
		out_answer(sent, 200, "theirs", rows[i], out_secure);
		CU_ASSERT_EQUAL(first()->sent, 3);
		CU_ASSERT_TRUE(says(first(), "ACK sip:b@h.example "));
		end_all();
		CU_ASSERT_TRUE(says(first(), "BYE sip:b@h.example "));
		CU_ASSERT_EQUAL(stage.questions, 1);
		answer(first(), 200, "");
		finish();
	}
}

/* --- the password */

#define CHALLENGE                                               \
	"Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", " \
	"algorithm=SHA-256, qop=\"auth\"\r\n"

/* Somebody else than who was dialled hears nothing that is made of it, and when
 * he wants that, the one who was dialled gets the request. */
static void test_password(void)
{
	char sent[AGENT_TEXT];

	out_begin(0);
	out_place("b@h.example", "us", "secret word");
	agent_resolve(SIP_TLS, 1);
	agent_connect(SIP_END_NONE);
	answer(first(), 407, CHALLENGE);
	agent_connect(SIP_END_NONE);
	strcpy(sent, first()->last);
	CU_ASSERT_PTR_NOT_NULL(strstr(sent, "\r\nProxy-Authorization: "));
	out_answer(sent, 200, "theirs", ELSEWHERE, out_secure);
	CHECK_SEEN("ac");
	find(SIP_TLS);
	CU_ASSERT_TRUE(says(out_flow(), "ACK sip:b@c.example "));
	CU_ASSERT_PTR_NULL(strstr(out_flow()->last, "Authorization"));
	end_all();
	find(SIP_TLS);
	CU_ASSERT_TRUE(says(out_flow(), "BYE "));
	answer(out_flow(), 407, CHALLENGE);
	CU_ASSERT_PTR_NULL(strstr(out_flow()->last, "Authorization"));
	CU_ASSERT_EQUAL(out_flow()->sent, 2);
	CU_ASSERT_TRUE(says(first(), "BYE sip:b@c.example "));
	answer(first(), 407, CHALLENGE);
	agent_run(1000);
	answer(first(), 407, CHALLENGE);
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(first()->last, "\r\nProxy-Authorization: "));
	answer(first(), 200, "");
	finish();
}

/* The ACK that falls back has them. */
static void test_password_falls_back(void)
{
	char sent[AGENT_TEXT];

	out_begin(0);
	out_place("b@h.example", "us", "secret word");
	agent_resolve(SIP_TLS, 1);
	agent_connect(SIP_END_NONE);
	answer(first(), 407, CHALLENGE);
	agent_connect(SIP_END_NONE);
	strcpy(sent, first()->last);
	out_answer(sent, 200, "theirs", ELSEWHERE, out_secure);
	run_into(NO_CONNECTION);
	CU_ASSERT_TRUE(says(first(), "ACK sip:b@c.example "));
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(first()->last, "\r\nProxy-Authorization: "));
	out_finish();
}

/* --- too large for a datagram */

static void test_large(void)
{
	for (int connects = 0; connects < 2; connects++) {
		char sent[AGENT_TEXT], routes[4096];
		size_t n = 0;

		for (int i = 0; i < 30; i++)
			n += (size_t)snprintf(
			    routes + n, sizeof(routes) - n,
			    "Record-Route: <sip:a-long-name-of-a-proxy-%02d"
			    ".example;lr>\r\n",
			    i);
		snprintf(routes + n, sizeof(routes) - n,
			 "Record-Route: <sip:h.example;lr>\r\n" ELSEWHERE);
		stand(SIP_UDP, routes, sent);
		for (int i = 0; i < 2; i++) {
			static const char *const methods[] = { "ACK ", "BYE " };

			if (i == 1)
				end_all();
			CU_ASSERT_STRING_EQUAL(stage.asked, "192.0.2.1");
			CU_ASSERT_EQUAL(first()->sent,
					1u + (unsigned)(!connects * i));
			agent_resolve_to(SIP_UDP, "192.0.2.1", 5061);
			CU_ASSERT_EQUAL(out_flow()->target.transport, SIP_TCP);
			/* That there is no TCP is remembered. */
			if (!connects && i == 0)
				agent_connect(SIP_END_FAILED_TO_CONNECT);
			agent_run(SIP_TICK_MS);
			agent_connect(SIP_END_NONE);
			CU_ASSERT_TRUE(
			    says(connects ? out_flow() : first(), methods[i]));
		}
		answer(connects ? out_flow() : first(), 200, "");
		CU_ASSERT_EQUAL(first()->sent, connects ? 1 : 3);
		agent_run(70000);
		finish();
	}
}

/* --- what we call ourselves */

/* Without a flow it is as before, wherever the media are by now. */
static void test_contact(void)
{
	static const char body[] = "v=0\r\no=ann 1 2 IN IP6 ::1\r\ns=-\r\n"
				   "c=IN IP6 ::1\r\nt=0 0\r\n"
				   "m=audio 40000 RTP/AVP 0\r\n";
	char sent[AGENT_TEXT], text[AGENT_TEXT], id[512];

	stand(SIP_TCP, AT "Session-Expires: 100;refresher=uac\r\n", sent);
	strcpy(id, agent_field(sent, "Call-ID"));
	snprintf(text, sizeof(text),
		 "INVITE sip:us@127.0.0.1 SIP/2.0\r\n"
		 "Via: SIP/2.0/TCP 192.0.2.1:5061;branch=z9hG4bKx\r\n"
		 "From: <sip:b@h.example>;tag=theirs\r\nTo: %s\r\n"
		 "Call-ID: %s\r\nCSeq: 1 INVITE\r\n" AT "Supported: timer\r\n"
		 "Session-Expires: 100;refresher=uas\r\n"
		 "Content-Type: application/sdp\r\n"
		 "Content-Length: %zu\r\n\r\n%s",
		 agent_field(sent, "From"), id, strlen(body), body);
	agent_local = "::1";
	sip_agent_received(stage.agent, &first()->flow, view_str(text));
	agent_local = "127.0.0.1";
	CU_ASSERT_TRUE(says(first(), "SIP/2.0 200 "));
	CU_ASSERT_PTR_NOT_NULL(strstr(first()->last, "c=IN IP6 ::1\r\n"));
	snprintf(text, sizeof(text),
		 "ACK sip:us@127.0.0.1 SIP/2.0\r\n"
		 "Via: SIP/2.0/TCP 192.0.2.1:5061;branch=z9hG4bKy\r\n"
		 "From: <sip:b@h.example>;tag=theirs\r\nTo: %s\r\n"
		 "Call-ID: %s\r\nCSeq: 1 ACK\r\n"
		 "Content-Length: 0\r\n\r\n",
		 agent_field(sent, "From"), id);
	sip_agent_received(stage.agent, &first()->flow, view_str(text));
	agent_lose(first(), SIP_END_NETWORK_ERROR);
	agent_run(50000);
	sip_calls_tick(out.calls);
	find(SIP_TCP);
	CU_ASSERT_TRUE(says(out_flow(), "INVITE sip:b@192.0.2.1:5061;"));
	CU_ASSERT_STRING_EQUAL(agent_field(out_flow()->last, "Contact"),
			       "<sip:127.0.0.1;transport=tcp>");
	out_finish();
}

/* --- how many */

/* One that answers as if it were very many, each of them somewhere else. */
static void test_many(void)
{
	char sent[AGENT_TEXT], tag[16], more[64];

	stand(SIP_TLS, AT, sent);
	for (int i = 0; i < 100; i++) {
		snprintf(tag, sizeof(tag), "fork%d", i);
		snprintf(more, sizeof(more), "Contact: <sip:b@c%d.example>\r\n",
			 i);
		out_answer(sent, 200, tag, more, out_secure);
	}
	CU_ASSERT(stage.questions < 12);
	CU_ASSERT_EQUAL(out.facts.state, SIP_CALL_CONNECTED);
	agent_run(100000);
	CU_ASSERT_EQUAL(stage.question, 0);
	CU_ASSERT_EQUAL(sip_stack_count(sip_agent_stack(stage.agent)), 0);
	out_finish();
}

/* The service ends while they are on their way. */
static void test_end(void)
{
	char sent[AGENT_TEXT];

	stand(SIP_TLS, ELSEWHERE, sent);
	end_all();
	out_finish();
	stand(SIP_TLS, ELSEWHERE, sent);
	agent_resolve_to(SIP_TLS, "192.0.2.9", 5061);
	end_all();
	out_finish();
	stand(SIP_TLS, ELSEWHERE, sent);
	find(SIP_TLS);
	out_answer(sent, 200, "other", ELSEWHERE, out_secure);
	end_all();
	while (stage.question)
		agent_resolve_to(SIP_TLS, "192.0.2.10", 5061);
	CU_ASSERT_EQUAL(first()->sent, 1);
	sip_agent_end(stage.agent);
	CU_ASSERT_EQUAL(first()->sent, 1);
	out_finish();
	/* Then they are not waited for long. */
	stand(SIP_TLS, ELSEWHERE, sent);
	find(SIP_TLS);
	end_all();
	agent_run(1100);
	CU_ASSERT_TRUE(says(first(), "BYE sip:b@c.example "));
	answer(first(), 200, "");
	finish();
}

int main(int argc, char **argv)
{
	const struct unit_test tests[] = {
		{ "who is meant", test_ways },
		{ "nobody is there", test_falls_back },
		{ "nothing comes back", test_silence },
		{ "names that lead inwards", test_inward_names },
		{ "inwards without a flow", test_inward_without_flow },
		{ "no outages by their word", test_no_outage_by_their_word },
		{ "no way at all", test_no_way },
		{ "a flow lost under a BYE", test_lost_under_it },
		{ "copies of a 2xx", test_copies },
		{ "a re-INVITE that moves the target", test_moves },
		{ "a 2xx without a Contact", test_no_contact },
		{ "whom the password is for", test_password },
		{ "credentials of an ACK", test_password_falls_back },
		{ "too large for a datagram", test_large },
		{ "what we call ourselves", test_contact },
		{ "how many", test_many },
		{ "the service ends", test_end },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "sip-call-way", tests, NULL, NULL);
}
