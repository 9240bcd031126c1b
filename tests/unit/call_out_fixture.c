/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "tests/unit/call_out_fixture.h"

struct out_stage out;

static struct sip_flow_watch watch;
static unsigned in_call;

const char out_plain[] = OUT_HEAD "m=audio 40000 RTP/AVP 0 101\r\n"
				  "a=rtpmap:101 telephone-event/8000\r\n";
const char out_secure[] =
    OUT_HEAD "m=audio 40000 RTP/SAVP 8\r\n"
	     "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
	     "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";

static void on_changed(void *arg, const struct sip_call_facts *f)
{
	size_t n = strlen(out.seen);

	(void)arg;
	CU_ASSERT_FATAL(n + 1 < sizeof(out.seen));
	out.seen[n] = "acd"[f->state];
	out.seen[n + 1] = '\0';
	out.facts = *f;
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
	return sip_calls_request(out.calls, t, request);
}

static void on_lost(struct sip_flow_watch *w, struct sip_flow *flow)
{
	(void)w;
	sip_calls_flow_lost(out.calls, flow);
}

void out_begin(unsigned most)
{
	const struct media_options mo = { .first_port = 16384,
					  .last_port = 32767,
					  .streams = OUT_STREAMS,
					  .packets_per_second = 200 };
	struct sip_calls_options o = { .changed = on_changed,
				       .now_ms = on_now,
				       .calls_max = most };
	struct error e = ERROR_INIT;

	agent_local = "127.0.0.1";
	agent_start();
	stage.several = true;
	out.media = media_new(&mo, &e);
	CHECK_OBJECT(out.media, &e);
	o.agent = stage.agent;
	o.stack = sip_agent_stack(stage.agent);
	o.media = out.media;
	o.ports = sip_agent_ports(stage.agent);
	out.calls = sip_calls_new(&o, &e);
	CHECK_OBJECT(out.calls, &e);
	sip_agent_set_callee(stage.agent, on_request, NULL);
	watch.lost = on_lost;
	sip_agent_watch(stage.agent, &watch);
	out.seen[0] = '\0';
	memset(&out.facts, 0, sizeof(out.facts));
	in_call = 0;
}

void out_finish(void)
{
	sip_agent_unwatch(&watch);
	for (unsigned i = 0; i < stage.count; i++)
		CU_ASSERT(stage.flows[i].flow.references >= 1);
	/* The agent's users go between its end and its memory. */
	sip_agent_end(stage.agent);
	sip_calls_free(out.calls);
	agent_stop();
	CU_ASSERT_EQUAL(media_count(out.media), 0);
	media_free(out.media);
}

void out_place(const char *text, const char *user, const char *password)
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
	CHECK_OK(sip_calls_place(out.calls, sip_calls_id(out.calls), &w, &e),
		 &e);
	secret_free(&p);
}

void out_check_seen(const char *wanted, int line)
{
	if (strcmp(out.seen, wanted) != 0)
		unit_note("line %d: saw \"%s\", not \"%s\"", line, out.seen,
			  wanted);
	CU_ASSERT_STRING_EQUAL(out.seen, wanted);
	out.seen[0] = '\0';
}

void out_check_end(enum sip_end why, int line)
{
	CU_ASSERT_EQUAL(out.facts.state, SIP_CALL_DISCONNECTED);
	if (out.facts.end != why)
		unit_note("line %d: %s (%s), not %s", line,
			  sip_end_name(out.facts.end), out.facts.end_text,
			  sip_end_name(why));
	CU_ASSERT_EQUAL(out.facts.end, why);
}

struct agent_flow *out_flow(void)
{
	return &stage.flows[stage.count - 1];
}

bool out_says(const char *text)
{
	return strncmp(out_flow()->last, text, strlen(text)) == 0;
}

void out_answer(const char *sent, unsigned status, const char *tag,
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
	sip_agent_received(stage.agent, &out_flow()->flow, view_str(text));
	agent_run(SIP_TICK_MS);
}

void out_request(const char *invite, const char *method)
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
	sip_agent_received(stage.agent, &out_flow()->flow, view_str(text));
	agent_run(SIP_TICK_MS);
}

void out_ring(enum sip_transport transport, char sent[AGENT_TEXT])
{
	out_place("sip:b@h.example", NULL, NULL);
	CHECK_SEEN("a");
	agent_resolve(transport, 1);
	agent_connect(SIP_END_NONE);
	CU_ASSERT_TRUE(out_says("INVITE sip:b@h.example SIP/2.0\r\n"));
	strcpy(sent, out_flow()->last);
}
