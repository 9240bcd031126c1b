/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "sip/sip_calls.h"
#include "tests/lib/unit.h"
#include "tests/unit/agent_fixture.h"

/* Calls that we place, up to their end. */

enum { STREAMS = 8 };

static struct sip_calls *calls;
static struct media *media;
static char seen[64];
static struct sip_call_facts facts;
static struct sip_flow_watch watch;
static unsigned in_call;

#define HEAD                                    \
	"v=0\r\no=ann 1 1 IN IP4 127.0.0.1\r\n" \
	"s=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"

static const char plain[] = HEAD "m=audio 40000 RTP/AVP 0 101\r\n"
				 "a=rtpmap:101 telephone-event/8000\r\n";
static const char secure[] =
    HEAD "m=audio 40000 RTP/SAVP 8\r\n"
	 "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
	 "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";

#define AT "Contact: <sip:b@192.0.2.1:5061;transport=tls>\r\n"

static void on_changed(void *arg, const struct sip_call_facts *f)
{
	size_t n = strlen(seen);

	(void)arg;
	CU_ASSERT_FATAL(n + 1 < sizeof(seen));
	seen[n] = "acd"[f->state];
	seen[n + 1] = '\0';
	facts = *f;
}

static int64_t on_now(void *arg)
{
	(void)arg;
	return stage.now;
}

static unsigned on_request(void *arg, struct sip_transaction *t,
			   const struct osip_message *request)
{
	(void)arg;
	return sip_calls_request(calls, t, request);
}

static void on_lost(struct sip_flow_watch *w, struct sip_flow *flow)
{
	(void)w;
	sip_calls_flow_lost(calls, flow);
}

static void begin(unsigned most)
{
	const struct media_options mo = { .first_port = 16384,
					  .last_port = 32767,
					  .streams = STREAMS,
					  .packets_per_second = 200 };
	struct sip_calls_options o = { .changed = on_changed,
				       .now_ms = on_now,
				       .calls_max = most };
	struct error e = ERROR_INIT;

	agent_local = "127.0.0.1";
	agent_start();
	media = media_new(&mo, &e);
	CHECK_OBJECT(media, &e);
	o.agent = stage.agent;
	o.stack = sip_agent_stack(stage.agent);
	o.media = media;
	o.ports = sip_agent_ports(stage.agent);
	calls = sip_calls_new(&o, &e);
	CHECK_OBJECT(calls, &e);
	sip_agent_set_callee(stage.agent, on_request, NULL);
	watch.lost = on_lost;
	sip_agent_watch(stage.agent, &watch);
	seen[0] = '\0';
	memset(&facts, 0, sizeof(facts));
	in_call = 0;
}

static void finish(void)
{
	sip_agent_unwatch(&watch);
	for (unsigned i = 0; i < stage.count; i++)
		CU_ASSERT(stage.flows[i].flow.references >= 1);
	/* The agent's users go between its end and its memory. */
	sip_agent_end(stage.agent);
	sip_calls_free(calls);
	agent_stop();
	CU_ASSERT_EQUAL(media_count(media), 0);
	media_free(media);
}

static void place(const char *text, const char *user, const char *password)
{
	const struct sip_outbound_settings rules = { .transport = SIP_TLS };
	const struct sip_dial what = { .text = text };
	struct sip_dialled to;
	struct secret p = { 0 };
	struct sip_call_wish w = { .to = &to,
				   .user_name = user,
				   .password = &p,
				   .from = user ? "sip:us@d.example" : NULL };
	struct error e = ERROR_INIT;

	CHECK_OK(sip_dial(&what, &rules, &to, &e), &e);
	if (password)
		CHECK_OK(secret_copy(&p, view_str(password), &e), &e);
	CHECK_OK(sip_calls_place(calls, sip_calls_id(calls), &w, &e), &e);
	secret_free(&p);
}

static void check_seen(const char *wanted, int line)
{
	if (strcmp(seen, wanted) != 0)
		unit_note("line %d: saw \"%s\", not \"%s\"", line, seen,
			  wanted);
	CU_ASSERT_STRING_EQUAL(seen, wanted);
	seen[0] = '\0';
}
#define CHECK_SEEN(wanted) check_seen(wanted, __LINE__)

static void check_end(enum sip_end why, int line)
{
	CU_ASSERT_EQUAL(facts.state, SIP_CALL_DISCONNECTED);
	if (facts.end != why)
		unit_note("line %d: %s (%s), not %s", line,
			  sip_end_name(facts.end), facts.end_text,
			  sip_end_name(why));
	CU_ASSERT_EQUAL(facts.end, why);
}
#define CHECK_END(why) check_end(why, __LINE__)

static struct agent_flow *flow(void)
{
	return &stage.flows[stage.count - 1];
}

static bool says(const char *text)
{
	return strncmp(flow()->last, text, strlen(text)) == 0;
}

/* Answers sent with a tag of theirs and a body. */
static void answer(const char *sent, unsigned status, const char *tag,
		   const char *more, const char *body)
{
	static const char *const copied[] = { "Via", "From", "Call-ID",
					      "CSeq" };
	char text[AGENT_TEXT];
	size_t n = (size_t)snprintf(text, sizeof(text),
				    "SIP/2.0 %u Some Reason\r\n", status);

	for (size_t i = 0; i < 4; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s: %s\r\n",
				      copied[i], agent_field(sent, copied[i]));
	snprintf(text + n, sizeof(text) - n,
		 "To: <sip:b@h.example>;tag=%s\r\n%s%sContent-Length: %zu\r\n"
		 "\r\n%s",
		 tag, more, *body ? "Content-Type: application/sdp\r\n" : "",
		 strlen(body), body);
	sip_agent_received(stage.agent, &flow()->flow, view_str(text));
	agent_run(SIP_TICK_MS);
}

/* A request of theirs in the call that invite began. */
static void request(const char *invite, const char *method)
{
	char text[AGENT_TEXT], from[512], id[512];

	in_call++;
	snprintf(from, sizeof(from), "%s", agent_field(invite, "From"));
	snprintf(id, sizeof(id), "%s", agent_field(invite, "Call-ID"));
	snprintf(text, sizeof(text),
		 "%s sip:us@127.0.0.1 SIP/2.0\r\n"
		 "Via: SIP/2.0/TLS h.example;branch=z9hG4bK%u\r\n"
		 "From: <sip:b@h.example>;tag=theirs\r\nTo: %s\r\n"
		 "Call-ID: %s\r\nCSeq: %u %s\r\nContent-Length: 0\r\n\r\n",
		 method, in_call, from, id, in_call, method);
	sip_agent_received(stage.agent, &flow()->flow, view_str(text));
	agent_run(SIP_TICK_MS);
}

/* Placed, and its INVITE has gone out. */
static void ring(enum sip_transport transport, char sent[AGENT_TEXT])
{
	place("sip:b@h.example", NULL, NULL);
	CHECK_SEEN("a");
	agent_resolve(transport, 1);
	agent_connect(SIP_END_NONE);
	CU_ASSERT_TRUE(says("INVITE sip:b@h.example SIP/2.0\r\n"));
	strcpy(sent, flow()->last);
}

static void test_connects(void)
{
	char sent[AGENT_TEXT];
	struct sip_call_facts f;

	begin(0);
	ring(SIP_TLS, sent);
	CU_ASSERT_STRING_EQUAL(stage.asked, "h.example");
	CU_ASSERT_STRING_EQUAL(flow()->host, "h.example");
	CU_ASSERT_PTR_NOT_NULL(strstr(sent, " RTP/SAVP 0 8 101\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(sent, "a=crypto:1 AES_CM_128_HMAC_SHA1_80"
					    " inline:"));
	CU_ASSERT_PTR_NOT_NULL(strstr(sent, "c=IN IP4 127.0.0.1\r\n"));
	CU_ASSERT_STRING_EQUAL(agent_field(sent, "To"), "<sip:b@h.example>");
	CU_ASSERT_STRING_EQUAL(agent_field(sent, "Session-Expires"), "1800");
	CU_ASSERT_STRING_EQUAL(agent_field(sent, "Allow"), SIP_ALLOW);
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(agent_field(sent, "Contact"), "127.0.0.1"));
	answer(sent, 180, "theirs", AT, "");
	CHECK_SEEN("a");
	CU_ASSERT_EQUAL(facts.link.transport, SIP_TLS);
	answer(sent, 200, "theirs", AT "Session-Expires: 600;refresher=uac\r\n",
	       secure);
	CU_ASSERT_TRUE(says("ACK sip:b@192.0.2.1:5061;transport=tls "));
	CHECK_SEEN("c");
	CU_ASSERT_FALSE(facts.incoming);
	CU_ASSERT_EQUAL(facts.encryption, SIP_ENCRYPTED);
	CU_ASSERT_STRING_EQUAL(facts.codec, "PCMA");
	CU_ASSERT_STRING_EQUAL(facts.peer, "sip:b@h.example");
	CU_ASSERT_TRUE(sip_calls_find(calls, facts.id, &f));
	/* Its copy is acknowledged again. */
	flow()->last[0] = '\0';
	answer(sent, 200, "theirs", AT, secure);
	CU_ASSERT_TRUE(says("ACK "));
	CHECK_SEEN("");
	request(sent, "BYE");
	CU_ASSERT_TRUE(says("SIP/2.0 200 "));
	CHECK_SEEN("d");
	CHECK_END(SIP_END_REMOTE_TEARDOWN);
	finish();
}

/* Without TLS there is nobody to keep a key from. */
static void test_plain(void)
{
	char sent[AGENT_TEXT];
	struct error e = ERROR_INIT;

	begin(0);
	ring(SIP_TCP, sent);
	CU_ASSERT_PTR_NOT_NULL(strstr(sent, " RTP/AVP 0 8 101\r\n"));
	CU_ASSERT_PTR_NULL(strstr(sent, "a=crypto"));
	answer(sent, 200, "theirs", "Contact: <sip:b@192.0.2.1>\r\n", plain);
	CHECK_SEEN("c");
	CU_ASSERT_EQUAL(facts.encryption, SIP_UNENCRYPTED);
	CHECK_OK(sip_calls_end(calls, facts.id, &e), &e);
	CU_ASSERT_TRUE(says("BYE sip:b@192.0.2.1 "));
	CHECK_SEEN("d");
	CHECK_END(SIP_END_DISCONNECT_ALL);
	CU_ASSERT_EQUAL(sip_calls_count(calls), 1);
	answer(flow()->last, 200, "theirs", "", "");
	CU_ASSERT_EQUAL(sip_calls_count(calls), 0);
	finish();
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
		begin(0);
		ring(SIP_TLS, sent);
		answer(sent, rows[i].status, "theirs",
		       "Contact: <sip:elsewhere@h.example>\r\n", "");
		CU_ASSERT_TRUE(says("ACK "));
		CHECK_SEEN("d");
		check_end(rows[i].end, (int)i);
		CU_ASSERT_EQUAL(facts.status, rows[i].status);
		CU_ASSERT_PTR_NOT_NULL(strstr(facts.end_text, "Some Reason"));
		CU_ASSERT_EQUAL(stage.count, 1);
		CU_ASSERT_EQUAL(stage.questions, 1);
		finish();
	}
}

/* A 2xx that does not fit is confirmed, and ended. */
static void test_bad_answers(void)
{
	static const char other_tag[] =
	    HEAD "m=audio 40000 RTP/SAVP 8\r\n"
		 "a=crypto:2 AES_CM_128_HMAC_SHA1_80 "
		 "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";
	static const char *const bodies[] = {
		"",
		plain,
		"rubbish",
		other_tag,
		HEAD "m=audio 0 RTP/SAVP 8\r\n",
		HEAD "m=video 40000 RTP/AVP 99\r\n",
	};
	char sent[AGENT_TEXT];

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		begin(0);
		ring(SIP_TLS, sent);
		answer(sent, 200, "theirs", AT, bodies[i]);
		CU_ASSERT_EQUAL(flow()->sent, 3); /* INVITE, ACK, BYE */
		CU_ASSERT_TRUE(says("BYE "));
		CHECK_SEEN("d");
		check_end(SIP_END_CAPABILITY, (int)i);
		finish();
	}
	/* Nobody to talk to. */
	begin(0);
	ring(SIP_TLS, sent);
	answer(sent, 200, "theirs", "", secure);
	CHECK_SEEN("d");
	CHECK_END(SIP_END_PROTOCOL_ERROR);
	finish();
}

/* The first stands, the others are confirmed and ended. */
static void test_forks(void)
{
	char sent[AGENT_TEXT];

	begin(0);
	ring(SIP_TLS, sent);
	answer(sent, 180, "one", AT, "");
	answer(sent, 180, "theirs", AT, "");
	answer(sent, 200, "theirs", AT, secure);
	CHECK_SEEN("ac");
	answer(sent, 200, "one", "Contact: <sip:other@192.0.2.9>\r\n", secure);
	CU_ASSERT_TRUE(says("BYE sip:other@192.0.2.9 "));
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(agent_field(flow()->last, "To"), "tag=one"));
	CHECK_SEEN("");
	CU_ASSERT_EQUAL(facts.state, SIP_CALL_CONNECTED);
	finish();
}

/* One that answers as if it were very many. */
static void test_endless_forks(void)
{
	struct sip_stack *stack;
	char sent[AGENT_TEXT], tag[16];

	begin(0);
	ring(SIP_TLS, sent);
	stack = sip_agent_stack(stage.agent);
	answer(sent, 200, "theirs", AT, secure);
	for (int i = 0; i < 200; i++) {
		snprintf(tag, sizeof(tag), "fork%d", i);
		answer(sent, 200, tag, AT, secure);
	}
	CU_ASSERT(sip_stack_count(stack) > 10);
	CU_ASSERT(sip_stack_count(stack) < 50);
	CU_ASSERT_EQUAL(facts.state, SIP_CALL_CONNECTED);
	agent_run(70000);
	CU_ASSERT_EQUAL(sip_stack_count(stack), 0);
	finish();
}

/* --- ended here */

static void test_cancel(void)
{
	char sent[AGENT_TEXT];
	struct error e = ERROR_INIT;

	begin(0);
	ring(SIP_TLS, sent);
	answer(sent, 180, "theirs", AT, "");
	CHECK_SEEN("a");
	CHECK_OK(sip_calls_end(calls, facts.id, &e), &e);
	CHECK_SEEN("d");
	CHECK_END(SIP_END_DISCONNECT_ALL);
	CU_ASSERT_TRUE(says("CANCEL sip:b@h.example "));
	answer(flow()->last, 200, "theirs", "", "");
	answer(sent, 487, "theirs", "", "");
	CU_ASSERT_TRUE(says("ACK "));
	CHECK_SEEN("");
	CU_ASSERT_EQUAL(sip_calls_count(calls), 0);
	finish();
}

/* Their 200 and our CANCEL cross. */
static void test_late_success(void)
{
	char sent[AGENT_TEXT];
	struct error e = ERROR_INIT;

	begin(0);
	ring(SIP_TLS, sent);
	answer(sent, 180, "theirs", AT, "");
	CHECK_OK(sip_calls_end(calls, facts.id, &e), &e);
	answer(sent, 200, "theirs", AT, secure);
	CU_ASSERT_TRUE(says("BYE "));
	CHECK_SEEN("ad");
	CHECK_END(SIP_END_DISCONNECT_ALL);
	finish();
}

/* Before anything was sent. */
static void test_end_early(void)
{
	struct error e = ERROR_INIT;

	begin(0);
	place("sip:b@h.example", NULL, NULL);
	CHECK_OK(sip_calls_end(calls, facts.id, &e), &e);
	CHECK_SEEN("ad");
	agent_run(1000);
	CU_ASSERT_EQUAL(stage.cancelled, 1);
	CU_ASSERT_EQUAL(stage.count, 0);
	finish();
}

static void test_no_answer(void)
{
	char sent[AGENT_TEXT];

	begin(0);
	ring(SIP_TLS, sent);
	answer(sent, 180, "theirs", AT, "");
	CHECK_SEEN("a");
	agent_run(SIP_CALL_ANSWER_MS);
	CU_ASSERT_TRUE(says("CANCEL "));
	answer(sent, 487, "theirs", "", "");
	CHECK_SEEN("d");
	CHECK_END(SIP_END_NO_ANSWER);
	finish();
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
		begin(0);
		place("b@h.example", NULL, NULL);
		agent_resolve(SIP_TLS, 1);
		agent_connect(ends[i]);
		agent_run(SIP_TICK_MS);
		CHECK_SEEN("ad");
		check_end(ends[i], (int)i);
		CU_ASSERT_PTR_NOT_NULL(strstr(facts.end_text, "refused"));
		finish();
	}
	begin(0);
	place("b@h.example", NULL, NULL);
	agent_resolve(SIP_TLS, 0);
	CHECK_SEEN("ad");
	CHECK_END(SIP_END_DNS_FAILED);
	finish();
	/* No way in the kernel's tables; no room for questions. */
	begin(0);
	stage.no_route = true;
	place("b@h.example", NULL, NULL);
	agent_resolve(SIP_TLS, 1);
	CHECK_SEEN("ad");
	CHECK_END(SIP_END_FAILED_TO_CONNECT);
	place("b@full.example", NULL, NULL);
	CHECK_SEEN("ad");
	CHECK_END(SIP_END_PORT_ALLOCATION);
	finish();
}

static void test_limit(void)
{
	begin(1);
	place("b@h.example", NULL, NULL);
	CHECK_SEEN("a");
	place("c@h.example", NULL, NULL);
	CHECK_SEEN("ad");
	CHECK_END(SIP_END_PORT_ALLOCATION);
	finish();
}

/* No ports are left for its media. */
static void test_no_ports(void)
{
	begin(0);
	for (int i = 0; i < STREAMS; i++) {
		place("b@h.example", NULL, NULL);
		agent_resolve(SIP_TLS, 1);
		CHECK_SEEN("a");
	}
	place("c@h.example", NULL, NULL);
	agent_resolve(SIP_TLS, 1);
	CHECK_SEEN("ad");
	CHECK_END(SIP_END_PORT_ALLOCATION);
	finish();
}

/* The second target gets an offer of its own. */
static void test_failover(void)
{
	char sent[AGENT_TEXT];

	begin(0);
	place("b@h.example", NULL, NULL);
	agent_resolve(SIP_TLS, 2);
	agent_connect(SIP_END_FAILED_TO_CONNECT);
	agent_run(SIP_TICK_MS);
	agent_connect(SIP_END_NONE);
	CU_ASSERT_TRUE(says("INVITE "));
	strcpy(sent, flow()->last);
	answer(sent, 200, "theirs", AT, secure);
	CHECK_SEEN("ac");
	finish();
}

/* --- challenges and session timers */

static void test_challenge(void)
{
	char sent[AGENT_TEXT], credentials[1024];

	begin(0);
	place("b@h.example", "us", "secret word");
	agent_resolve(SIP_TLS, 1);
	agent_connect(SIP_END_NONE);
	CU_ASSERT_PTR_NOT_NULL(strstr(agent_field(flow()->last, "From"),
				      "<sip:us@d.example>;tag="));
	answer(flow()->last, 407, "x",
	       "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", "
	       "algorithm=SHA-256, qop=\"auth\"\r\n",
	       "");
	agent_connect(SIP_END_NONE);
	CU_ASSERT_TRUE(says("INVITE "));
	CU_ASSERT_PTR_NOT_NULL(strstr(flow()->last, "Proxy-Authorization: "));
	CU_ASSERT_PTR_NULL(strstr(flow()->last, "secret word"));
	strcpy(sent, flow()->last);
	strcpy(credentials, agent_field(sent, "Proxy-Authorization"));
	answer(sent, 200, "theirs", AT, secure);
	CHECK_SEEN("ac");
	CU_ASSERT_TRUE(says("ACK "));
	CU_ASSERT_STRING_EQUAL(agent_field(flow()->last, "Proxy-Authorization"),
			       credentials);
	/* In the call, too. */
	sip_calls_end_all(calls);
	CU_ASSERT_TRUE(says("BYE "));
	answer(flow()->last, 407, "theirs",
	       "Proxy-Authenticate: Digest realm=\"r\", nonce=\"m\", "
	       "algorithm=SHA-256, qop=\"auth\"\r\n",
	       "");
	agent_run(1000);
	answer(flow()->last, 407, "theirs",
	       "Proxy-Authenticate: Digest realm=\"r\", nonce=\"m\", "
	       "algorithm=SHA-256, qop=\"auth\"\r\n",
	       "");
	CU_ASSERT_TRUE(says("BYE "));
	CU_ASSERT_PTR_NOT_NULL(strstr(flow()->last, "Proxy-Authorization: "));
	answer(flow()->last, 200, "theirs", "", "");
	CU_ASSERT_EQUAL(sip_calls_count(calls), 0);
	finish();
}

static void test_session(void)
{
	char sent[AGENT_TEXT];

	begin(0);
	ring(SIP_TLS, sent);
	answer(sent, 422, "x", "Min-SE: 2400\r\n", "");
	agent_resolve(SIP_TLS, 1);
	agent_connect(SIP_END_NONE);
	CU_ASSERT_TRUE(says("INVITE "));
	CU_ASSERT_STRING_EQUAL(agent_field(flow()->last, "Session-Expires"),
			       "2400");
	CU_ASSERT_STRING_EQUAL(agent_field(flow()->last, "Min-SE"), "2400");
	CHECK_SEEN("");
	/* Once is enough. */
	strcpy(sent, flow()->last);
	answer(sent, 422, "x", "Min-SE: 9000\r\n", "");
	CHECK_SEEN("d");
	CHECK_END(SIP_END_PROTOCOL_ERROR);
	finish();
}

/* The connection is lost: the next request asks for another one, over TLS. */
static void test_lost_flow(void)
{
	char sent[AGENT_TEXT];

	begin(0);
	ring(SIP_TLS, sent);
	answer(sent, 200, "theirs", "Contact: <sip:b@c.example>\r\n", secure);
	CHECK_SEEN("c");
	agent_lose(flow(), SIP_END_NETWORK_ERROR);
	CHECK_SEEN("");
	sip_calls_end_all(calls);
	CHECK_SEEN("d");
	CU_ASSERT_STRING_EQUAL(stage.asked, "c.example");
	agent_resolve(SIP_TLS, 1);
	agent_connect(SIP_END_NONE);
	CU_ASSERT_TRUE(says("BYE sip:b@c.example "));
	answer(flow()->last, 200, "theirs", "", "");
	CU_ASSERT_EQUAL(sip_calls_count(calls), 0);
	finish();
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

		begin(0);
		place("b@h.example", "us", "secret word");
		agent_resolve(SIP_TLS, 1);
		agent_connect(SIP_END_NONE);
		answer(flow()->last, 200, "theirs", rows[i].contact, secure);
		CHECK_SEEN("ac");
		agent_lose(flow(), SIP_END_NETWORK_ERROR);
		sip_calls_end_all(calls);
		agent_resolve(SIP_TLS, 1);
		agent_connect(SIP_END_NONE);
		CU_ASSERT_TRUE(says("BYE "));
		answer(flow()->last, 401, "theirs",
		       "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n",
		       "");
		/* It is over, or sent once more. */
		CU_ASSERT_EQUAL(sip_calls_count(calls), rows[i].hears);
		if (rows[i].hears)
			agent_connect(SIP_END_NONE);
		heard = strstr(flow()->last, "\r\nAuthorization: ") != NULL;
		if (heard != rows[i].hears)
			unit_note("row %zu", i);
		CU_ASSERT_EQUAL(heard, rows[i].hears);
		finish();
	}
}

/* The same for a challenge that comes over a connection of somebody else who
 * knows the call. */
static void test_who_has_moved(void)
{
	char sent[AGENT_TEXT];

	begin(0);
	place("b@h.example", "us", "secret word");
	agent_resolve(SIP_TLS, 1);
	agent_connect(SIP_END_NONE);
	strcpy(sent, flow()->last);
	answer(sent, 200, "theirs", AT, secure);
	strcpy(flow()->flow.peer_address, "203.0.113.9");
	request(sent, "OPTIONS");
	sip_calls_end_all(calls);
	CU_ASSERT_TRUE(says("BYE "));
	for (int i = 0; i < 2; i++) {
		answer(flow()->last, 401, "theirs",
		       "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n",
		       "");
		agent_run(1000);
	}
	CU_ASSERT_PTR_NULL(strstr(flow()->last, "\r\nAuthorization: "));
	CU_ASSERT_EQUAL(sip_calls_count(calls), 0);
	finish();
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
	static const char *const bodies[] = { "", plain, secure, "v=0\r\n" };

	if (chance(6) == 0)
		answer(sent, 200, tags[chance(3)], AT, secure);
	answer(sent, statuses[chance(12)], tags[chance(3)], more[chance(8)],
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
		begin(0);
		ring(SIP_TLS, sent);
		for (unsigned i = 0; i < 8; i++) {
			if (chance(3) == 0)
				strcpy(sent, flow()->last);
			switch (chance(8)) {
			case 0: agent_run(1000 * (int64_t)chance(70)); break;
			case 1:
				request(sent, chance(2) ? "BYE" : "INVITE");
				break;
			case 2:
				(void)!sip_calls_end(calls, facts.id, &e);
				break;
			default:
				if (strncmp(sent, "SIP/2.0", 7) != 0)
					answer_anything(sent);
			}
			stood += strchr(seen, 'c') != NULL;
			seen[0] = '\0';
		}
		finish();
	}
	CU_ASSERT(stood > 10);
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
		{ "challenges", test_challenge },
		{ "422", test_session },
		{ "a lost flow", test_lost_flow },
		{ "no ports", test_no_ports },
		{ "whom the password is for", test_who_challenges },
		{ "whom it is not for", test_who_has_moved },
		{ "answers in any order", test_hostile },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "sip-call-out", tests, NULL, NULL);
}
