/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/call_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "sip/sip_owner.h"
#include "tests/lib/unit.h"

struct call_fixture fixture;

#define HEAD                             \
	"v=0\r\n"                        \
	"o=ann 1 1 IN IP4 127.0.0.1\r\n" \
	"s=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"

const char sdp_plain[] = HEAD "m=audio 40000 RTP/AVP 8 0 101\r\n"
			      "a=rtpmap:101 telephone-event/8000\r\n";
const char sdp_held[] = HEAD "m=audio 40000 RTP/AVP 8 0\r\na=sendonly\r\n";
const char sdp_inactive[] = HEAD "m=audio 40000 RTP/AVP 8 0\r\na=inactive\r\n";
const char sdp_srtp[] =
    HEAD "m=audio 40000 RTP/SAVP 0 101\r\n"
	 "a=rtpmap:101 telephone-event/8000\r\n"
	 "a=crypto:3 AES_CM_128_HMAC_SHA1_32 "
	 "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";
const char sdp_video[] = HEAD "m=video 40000 RTP/AVP 99\r\n";
const char sdp_g729[] = HEAD "m=audio 40000 RTP/AVP 18\r\n";

/* --- flows */

static bool flow_send(struct sip_flow *f, const void *bytes, size_t n)
{
	struct wire *w = f->impl;
	const char *end;
	size_t old = strlen(w->all);

	if (w->broken)
		return false;
	CU_ASSERT_FATAL(n < sizeof(w->last));
	memcpy(w->last, bytes, n);
	w->last[n] = '\0';
	if (old + n + 1 < sizeof(w->all))
		memcpy(w->all + old, w->last, n + 1);
	w->sent++;
	end = strstr(w->last, "\r\n\r\n");
	if (end && end[4])
		snprintf(fixture.body, sizeof(fixture.body), "%s", end + 4);
	return true;
}

static void flow_close(struct sip_flow *f)
{
	(void)f;
}

static void flow_destroy(struct sip_flow *f)
{
	(void)f;
	CU_FAIL("a flow was released once too often");
}

static const struct sip_flow_ops flow_ops = { flow_send, flow_close,
					      flow_destroy };

static void flow_init(struct wire *w, enum sip_transport transport)
{
	memset(w, 0, sizeof(*w));
	w->flow.id = 1 + (uint64_t)transport;
	w->flow.transport = transport;
	strcpy(w->flow.peer_address, "192.0.2.7");
	w->flow.peer_port = 5070;
	strcpy(w->flow.local_address, "127.0.0.1");
	w->flow.local_port = 5060;
	w->flow.ops = &flow_ops;
	w->flow.impl = w;
	w->flow.references = 1;
}

/* --- the stack's user: what the agent does */

static struct sip_owner *owner(const struct sip_transaction *t)
{
	return sip_transaction_mark(t);
}

static unsigned on_request(void *user, struct sip_transaction *t,
			   const struct osip_message *request)
{
	(void)user;
	return sip_calls_request(fixture.calls, t, request);
}

static void on_ack(void *user, struct sip_transaction *t,
		   const struct osip_message *ack)
{
	(void)user;
	if (owner(t))
		owner(t)->ops->ack(owner(t), t, ack);
}

static void on_cancelled(void *user, struct sip_transaction *t)
{
	(void)user;
	if (owner(t))
		owner(t)->ops->cancelled(owner(t), t);
}

static void on_response(void *user, struct sip_transaction *t,
			const struct osip_message *response)
{
	(void)user;
	if (owner(t))
		owner(t)->ops->response(owner(t), t, response);
}

static void on_timed_out(void *user, struct sip_transaction *t,
			 enum sip_failure why)
{
	(void)user;
	if (owner(t))
		owner(t)->ops->timed_out(owner(t), t, why);
}

static void on_flow_lost(void *user, struct sip_flow *flow)
{
	(void)user;
	sip_calls_flow_lost(fixture.calls, flow);
}

static void on_ended(void *user, struct sip_transaction *t)
{
	(void)user;
	if (owner(t))
		owner(t)->ops->ended(owner(t), t);
}

static const struct sip_user_ops user_ops = {
	.request = on_request,
	.ack = on_ack,
	.cancelled = on_cancelled,
	.response = on_response,
	.timed_out = on_timed_out,
	.flow_lost = on_flow_lost,
	.ended = on_ended,
};

static void no_connect(void *arg, const struct sip_target *target,
		       const char *host, uint64_t ticket)
{
	(void)arg;
	(void)target;
	(void)host;
	(void)ticket;
	CU_FAIL("no connection is wanted here");
}

static void on_changed(void *arg, const struct sip_call_facts *f)
{
	size_t n = strlen(fixture.seen);

	(void)arg;
	CU_ASSERT_FATAL(n + 1 < sizeof(fixture.seen));
	fixture.seen[n] = "acd"[f->state];
	fixture.seen[n + 1] = '\0';
	fixture.facts = *f;
}

static int64_t on_now(void *arg)
{
	(void)arg;
	return fixture.now;
}

static void on_rules(void *arg, struct sip_call_rules *out)
{
	(void)arg;
	*out = fixture.rules;
}

static void start_media(void)
{
	struct media_options o = {
		.first_port = 16384,
		.last_port = 32767,
		.streams = fixture.streams ? fixture.streams : 64,
		.packets_per_second = 400,
	};
	struct error e = ERROR_INIT;

	fixture.media = media_new(&o, &e);
	CHECK_OBJECT(fixture.media, &e);
}

void wire_start(void)
{
	struct sip_stack_config config = { .ops = &user_ops,
					   .connect = no_connect,
					   .port = { 0, 5062, 5061 } };
	struct sip_calls_options o = fixture.options;
	struct sip_call_rules rules = fixture.rules;
	unsigned streams = fixture.streams;
	static const uint16_t ports[3] = { 0, 5062, 5061 };
	struct error e = ERROR_INIT;

	memset(&fixture, 0, sizeof(fixture));
	fixture.rules = rules;
	fixture.streams = streams;
	if (!fixture.rules.session_seconds)
		fixture.rules = (struct sip_call_rules){ 1800, 60 };
	for (int i = 0; i < 3; i++)
		flow_init(&fixture.wire[i], (enum sip_transport)i);
	fixture.now = 1000000;
	fixture.stack = sip_stack_new(&config, &e);
	CHECK_OBJECT(fixture.stack, &e);
	sip_stack_now(fixture.stack, fixture.now);
	start_media();
	o.stack = fixture.stack;
	o.media = fixture.media;
	o.ports = ports;
	o.changed = on_changed;
	o.rules = on_rules;
	o.now_ms = on_now;
	fixture.calls = sip_calls_new(&o, &e);
	CHECK_OBJECT(fixture.calls, &e);
}

void wire_stop(void)
{
	sip_stack_free(fixture.stack);
	sip_calls_free(fixture.calls);
	CU_ASSERT_EQUAL(media_count(fixture.media), 0);
	media_free(fixture.media);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(fixture.wire[i].flow.references, 1);
	memset(&fixture.options, 0, sizeof(fixture.options));
	memset(&fixture.rules, 0, sizeof(fixture.rules));
	fixture.streams = 0;
}

/* --- what they say */

void wire_write(enum sip_transport over, const char *text)
{
	sip_stack_received(fixture.stack, &fixture.wire[over].flow,
			   view_str(text));
}

static void note_tag(enum sip_transport over)
{
	const char *to = wire_field(over, "To");
	const char *tag = strstr(to, ";tag=");

	if (tag)
		snprintf(fixture.tag, sizeof(fixture.tag), "%s", tag + 5);
}

static const char *const names[] = { "UDP", "TCP", "TLS" };

static void put_request(enum sip_transport over, const char *method,
			const char *id, const char *tag, unsigned cseq,
			const char *more, const char *body)
{
	char text[16384];

	if (strcmp(method, "CANCEL") != 0)
		snprintf(fixture.branch, sizeof(fixture.branch), "z9hG4bK%u",
			 ++fixture.requests);
	snprintf(text, sizeof(text),
		 "%s sip:echo@us.example SIP/2.0\r\n"
		 "Via: SIP/2.0/%s h.example:5070;rport;branch=%s\r\n"
		 "From: \"Ann \\\"x\\\"\" <sip:ann@h.example>;tag=from\r\n"
		 "To: <sip:echo@us.example>%s%s\r\n"
		 "Call-ID: %s@h.example\r\nCSeq: %u %s\r\n"
		 "%sMax-Forwards: 70\r\n%s%s"
		 "Content-Length: %zu\r\n\r\n%s",
		 method, names[over], fixture.branch, *tag ? ";tag=" : "", tag,
		 id, cseq, method,
		 fixture.contact ? fixture.contact
				 : "Contact: <sip:ann@192.0.2.7:5070>\r\n",
		 more, *body ? "Content-Type: application/sdp\r\n" : "",
		 strlen(body), body);
	wire_write(over, text);
}

void wire_request(enum sip_transport over, const char *method, unsigned cseq,
		  const char *more, const char *body)
{
	char id[16];

	snprintf(id, sizeof(id), "c%u", fixture.call);
	put_request(over, method, id, fixture.tag, cseq, more, body);
	if (!*fixture.tag && wire_status(over))
		note_tag(over);
}

void wire_cancel(enum sip_transport over, unsigned cseq)
{
	char id[16];

	snprintf(id, sizeof(id), "c%u", fixture.call);
	put_request(over, "CANCEL", id, "", cseq, "", "");
}

void wire_invite_as(enum sip_transport over, const char *id, const char *body)
{
	put_request(over, "INVITE", id, "", 1, "", body);
	note_tag(over);
}

void wire_answer(enum sip_transport over, unsigned status, const char *more,
		 const char *body)
{
	static const char *const copied[] = { "Via", "From", "To", "Call-ID",
					      "CSeq" };
	char text[16384];
	size_t n = (size_t)snprintf(text, sizeof(text),
				    "SIP/2.0 %u Some Reason\r\n", status);

	for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s: %s\r\n",
				      copied[i], wire_field(over, copied[i]));
	snprintf(text + n, sizeof(text) - n,
		 "%s%sContent-Length: %zu\r\n\r\n%s", more,
		 *body ? "Content-Type: application/sdp\r\n" : "", strlen(body),
		 body);
	wire_write(over, text);
}

static int64_t sooner(int64_t a, int64_t b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

void wire_run(int64_t ms)
{
	int64_t end = fixture.now + ms;

	for (;;) {
		int64_t next = sooner(sip_stack_next_ms(fixture.stack),
				      sip_calls_next_ms(fixture.calls));

		if (next < 0 || next > end)
			break;
		fixture.now = next > fixture.now ? next : fixture.now;
		sip_stack_now(fixture.stack, fixture.now);
		sip_stack_tick(fixture.stack);
		sip_calls_tick(fixture.calls);
	}
	fixture.now = end;
	sip_stack_now(fixture.stack, fixture.now);
}

bool wire_wait(const char *seen, int ms)
{
	for (; ms > 0; ms -= 10) {
		sip_calls_tick(fixture.calls);
		if (strcmp(fixture.seen, seen) == 0)
			return true;
		usleep(10000);
	}
	return false;
}

void wire_call(enum sip_transport over, const char *offer)
{
	wire_request(over, "INVITE", 1, "", offer);
	CHECK_STATUS(over, 200);
	wire_request(over, "ACK", 1, "", "");
	CHECK_SEEN("ac");
}

/* --- what we said */

unsigned wire_status(enum sip_transport over)
{
	const char *text = fixture.wire[over].last;

	return strncmp(text, "SIP/2.0 ", 8) == 0
		   ? (unsigned)strtoul(text + 8, NULL, 10)
		   : 0;
}

const char *wire_method(enum sip_transport over)
{
	static char method[32];

	snprintf(method, sizeof(method), "%.*s",
		 (int)strcspn(fixture.wire[over].last, " "),
		 fixture.wire[over].last);
	return method;
}

const char *wire_field(enum sip_transport over, const char *name)
{
	static char value[1024];
	const char *at = fixture.wire[over].last;
	size_t n = strlen(name);

	value[0] = '\0';
	while ((at = strstr(at, "\r\n")) != NULL) {
		at += 2;
		if (strncasecmp(at, name, n) == 0 && at[n] == ':') {
			at += n + 1 + (at[n + 1] == ' ');
			snprintf(value, sizeof(value), "%.*s",
				 (int)strcspn(at, "\r"), at);
			break;
		}
	}
	return value;
}

bool wire_has(enum sip_transport over, const char *text)
{
	return strstr(fixture.wire[over].last, text) != NULL;
}

/* --- assertions */

void wire_check_status(enum sip_transport over, unsigned wanted, int line)
{
	unsigned status = wire_status(over);

	if (status != wanted)
		unit_note("line %d: status %u, not %u: %.300s", line, status,
			  wanted, fixture.wire[over].last);
	CU_ASSERT_EQUAL(status, wanted);
}

void wire_check_method(enum sip_transport over, const char *wanted, int line)
{
	const char *method = wire_method(over);

	if (strcmp(method, wanted) != 0)
		unit_note("line %d: %s, not %s", line, method, wanted);
	CU_ASSERT_STRING_EQUAL(method, wanted);
}

void wire_check_seen(const char *wanted, int line)
{
	if (strcmp(fixture.seen, wanted) != 0)
		unit_note("line %d: saw \"%s\", not \"%s\"", line, fixture.seen,
			  wanted);
	CU_ASSERT_STRING_EQUAL(fixture.seen, wanted);
	fixture.seen[0] = '\0';
}

void wire_check_end(enum sip_end why, int line)
{
	CU_ASSERT_EQUAL(fixture.facts.state, SIP_CALL_DISCONNECTED);
	if (fixture.facts.end != why)
		unit_note("line %d: ended by %s (%s), not %s", line,
			  sip_end_name(fixture.facts.end),
			  fixture.facts.end_text, sip_end_name(why));
	CU_ASSERT_EQUAL(fixture.facts.end, why);
}
