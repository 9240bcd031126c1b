/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/sip_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>
#include <osip2/osip.h>

#include "tests/lib/unit.h"

struct peer peer;

/* --- flows */

static bool flow_send(struct sip_flow *f, const void *bytes, size_t n)
{
	struct peer_flow *p = f->impl;
	size_t line;

	if (p->broken)
		return false;
	CU_ASSERT_FATAL(n < sizeof(p->last));
	memcpy(p->last, bytes, n);
	p->last[n] = '\0';
	line = strcspn(p->last, "\r");
	snprintf(p->lines[p->sent++ % PEER_SENT_MAX], sizeof(p->lines[0]),
		 "%.*s", (int)line, p->last);
	return true;
}

static void flow_close(struct sip_flow *f)
{
	(void)f;
}

static void flow_destroy(struct sip_flow *f)
{
	struct peer_flow *p = f->impl;

	p->destroyed = true;
}

static const struct sip_flow_ops flow_ops = { flow_send, flow_close,
					      flow_destroy };

static void flow_init(struct peer_flow *p, enum sip_transport transport)
{
	memset(p, 0, sizeof(*p));
	p->flow.id = 1 + (uint64_t)transport;
	p->flow.transport = transport;
	strcpy(p->flow.peer_address, "192.0.2.7");
	p->flow.peer_port = 5070;
	strcpy(p->flow.local_address, "192.0.2.1");
	p->flow.local_port = 5060;
	p->flow.ops = &flow_ops;
	p->flow.impl = p;
	p->flow.references = 1;
}

/* --- the user */

static void note(char c)
{
	size_t n = strlen(peer.user.seen);

	CU_ASSERT_FATAL(n + 1 < sizeof(peer.user.seen));
	peer.user.seen[n] = c;
	peer.user.seen[n + 1] = '\0';
}

static void know(struct sip_transaction *t)
{
	for (int i = 0; i < PEER_KNOWN_MAX; i++)
		if (!peer.user.known[i]) {
			peer.user.known[i] = t;
			return;
		}
}

static bool is_known(const struct sip_transaction *t)
{
	for (int i = 0; i < PEER_KNOWN_MAX; i++)
		if (peer.user.known[i] == t)
			return true;
	return false;
}

static void keep_body(struct peer_user *u, const struct osip_message *m)
{
	const osip_body_t *b = osip_list_get(&m->bodies, 0);

	u->bodies = (size_t)osip_list_size(&m->bodies);
	u->body_length = b ? b->length : 0;
	CU_ASSERT_FATAL(u->body_length <= sizeof(u->body));
	if (b)
		memcpy(u->body, b->body, b->length);
}

static unsigned on_request(void *user, struct sip_transaction *t,
			   const struct osip_message *request)
{
	struct peer_user *u = user;

	CU_ASSERT_PTR_NOT_NULL(request);
	CU_ASSERT_PTR_EQUAL(request, sip_transaction_request(t));
	note('r');
	keep_body(u, request);
	u->last = t;
	know(t);
	if (!u->reply && !u->late)
		peer_reply(t, u->status);
	return u->reply;
}

static void on_ack(void *user, struct sip_transaction *t,
		   const struct osip_message *ack)
{
	struct sip_way way = { .flow = &peer.flow[SIP_TCP].flow };
	struct peer_user *u = user;
	struct error e = ERROR_INIT;

	CU_ASSERT_TRUE(is_known(t));
	CU_ASSERT_STRING_EQUAL(ack->sip_method, "ACK");
	note('a');
	if (u->hangs_up)
		(void)!sip_stack_request(peer.stack, &way, peer_message("BYE"),
					 NULL, &e);
	/* Whatever that needs room for. */
	CU_ASSERT_TRUE(is_known(t));
}

static void on_cancelled(void *user, struct sip_transaction *t)
{
	(void)user;
	CU_ASSERT_TRUE(is_known(t));
	note('c');
}

static void on_response(void *user, struct sip_transaction *t,
			const struct osip_message *response)
{
	(void)user;
	CU_ASSERT_TRUE(is_known(t));
	note((char)('0' + response->status_code / 100));
}

static void on_timed_out(void *user, struct sip_transaction *t,
			 enum sip_failure why)
{
	(void)user;
	CU_ASSERT_TRUE(is_known(t));
	note("TCL"[why]);
}

static void on_flow_lost(void *user, struct sip_flow *flow)
{
	(void)user;
	CU_ASSERT_PTR_NOT_NULL(flow);
	note('f');
}

static void on_ended(void *user, struct sip_transaction *t)
{
	struct sip_way way = { .flow = &peer.flow[SIP_TCP].flow };
	struct error e = ERROR_INIT;
	struct peer_user *u = user;

	CU_ASSERT_TRUE(is_known(t));
	note('e');
	for (int i = 0; i < PEER_KNOWN_MAX; i++)
		if (u->known[i] == t) {
			u->known[i] = NULL;
			break;
		}
	if (u->asks) {
		struct sip_transaction *ours;

		u->asks = false;
		ours = sip_stack_request(peer.stack, &way,
					 peer_message("OPTIONS"), NULL, &e);
		if (ours) {
			note('o');
			know(ours);
		}
	}
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

static void on_connect(void *arg, const struct sip_target *target,
		       const char *host, uint64_t ticket)
{
	struct peer_user *u = arg;

	CU_ASSERT_EQUAL(target->port, 5061);
	CU_ASSERT_STRING_EQUAL(target->address, "192.0.2.9");
	snprintf(u->host, sizeof(u->host), "%s", host);
	u->ticket = ticket;
}

void peer_start(unsigned most, unsigned most_of_peer)
{
	struct sip_stack_config config = {
		.ops = &user_ops,
		.user = &peer.user,
		.connect = on_connect,
		.connect_arg = &peer.user,
		.sent_by = "us.example",
		.port = { 0, 5062, 5061 },
		.transactions_max = most,
		.transactions_peer_max = most_of_peer,
	};
	struct error e = ERROR_INIT;

	memset(&peer, 0, sizeof(peer));
	for (int i = 0; i < 3; i++)
		flow_init(&peer.flow[i], (enum sip_transport)i);
	peer.user.status = 200;
	peer.stack = sip_stack_new(&config, &e);
	CHECK_OBJECT(peer.stack, &e);
	peer.now = 1000000;
	sip_stack_now(peer.stack, peer.now);
}

void peer_stop(void)
{
	sip_stack_free(peer.stack);
	for (int i = 0; i < PEER_KNOWN_MAX; i++)
		CU_ASSERT_PTR_NULL(peer.user.known[i]);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(peer.flow[i].flow.references, 1);
		CU_ASSERT_FALSE(peer.flow[i].destroyed);
	}
}

/* --- messages of the peer */

void peer_write(enum sip_transport over, const char *text)
{
	sip_stack_received(peer.stack, &peer.flow[over].flow, view_str(text));
}

static const char *const names[] = { "UDP", "TCP", "TLS" };

void peer_request(enum sip_transport over, const char *method,
		  const char *branch, const char *to_tag)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "%s sip:b@us.example SIP/2.0\r\n"
		 "Via: SIP/2.0/%s h.example:5070;rport%s%s\r\n"
		 "From: <sip:a@h.example>;tag=from\r\n"
		 "To: <sip:b@us.example>%s%s\r\n"
		 "Call-ID: call@h.example\r\n"
		 "CSeq: 1 %s\r\n"
		 "Max-Forwards: 70\r\n"
		 "Record-Route: <sip:proxy.example;lr>\r\n"
		 "Timestamp: 54\r\n"
		 "Content-Length: 0\r\n\r\n",
		 method, names[over], branch ? ";branch=" : "",
		 branch ? branch : "", *to_tag ? ";tag=" : "", to_tag, method);
	peer_write(over, text);
}

const char *peer_field(const char *text, const char *name)
{
	static char value[1024];
	const char *at = text;
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

void peer_answer_to(enum sip_transport over, const char *sent, unsigned status,
		    const char *to_tag)
{
	static const char *const copied[] = { "Via", "From", "Call-ID",
					      "CSeq" };
	char text[4096];
	size_t n = (size_t)snprintf(text, sizeof(text),
				    "SIP/2.0 %u Some Reason\r\n", status);

	for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s: %s\r\n",
				      copied[i], peer_field(sent, copied[i]));
	snprintf(text + n, sizeof(text) - n,
		 "To: <sip:x@h.example>;tag=%s\r\nContent-Length: 0\r\n\r\n",
		 to_tag);
	peer_write(over, text);
}

void peer_answer(enum sip_transport over, unsigned status, const char *to_tag)
{
	char sent[8192];

	strcpy(sent, peer.flow[over].last);
	peer_answer_to(over, sent, status, to_tag);
}

void peer_run(int64_t ms)
{
	int64_t end = peer.now + ms;

	for (;;) {
		int64_t next = sip_stack_next_ms(peer.stack);

		if (next < 0 || next > end)
			break;
		peer.now = next > peer.now ? next : peer.now;
		sip_stack_now(peer.stack, peer.now);
		sip_stack_tick(peer.stack);
		if (sip_stack_next_ms(peer.stack) == peer.now) {
			CU_FAIL("the stack wants a tick again and again");
			break;
		}
	}
	peer.now = end;
	sip_stack_now(peer.stack, peer.now);
}

/* --- messages of ours */

struct osip_message *peer_message(const char *method)
{
	char text[1024];
	osip_message_t *m = NULL;

	snprintf(text, sizeof(text),
		 "%s sip:x@h.example SIP/2.0\r\n"
		 "From: <sip:us@us.example>;tag=ours\r\n"
		 "To: <sip:x@h.example>\r\n"
		 "Call-ID: ours@us.example\r\n"
		 "CSeq: 7 %s\r\n"
		 "Route: <sip:proxy.example;lr>\r\n"
		 "Content-Length: 0\r\n\r\n",
		 method, method);
	CU_ASSERT_EQUAL_FATAL(osip_message_init(&m), 0);
	CU_ASSERT_EQUAL_FATAL(osip_message_parse(m, text, strlen(text)), 0);
	return m;
}

struct osip_message *peer_empty_message(void)
{
	osip_message_t *m = NULL;

	CU_ASSERT_EQUAL_FATAL(osip_message_init(&m), 0);
	return m;
}

struct sip_transaction *peer_send(enum sip_transport over, const char *method)
{
	struct sip_way way = { .flow = &peer.flow[over].flow };
	struct error e = ERROR_INIT;
	struct sip_transaction *t = sip_stack_request(
	    peer.stack, &way, peer_message(method), &peer, &e);

	CHECK_OBJECT(t, &e);
	CU_ASSERT_PTR_EQUAL(sip_transaction_mark(t), &peer);
	know(t);
	peer.user.last = t;
	return t;
}

void peer_reply(struct sip_transaction *t, unsigned status)
{
	struct error e = ERROR_INIT;
	struct osip_message *m = sip_stack_answer(t, status, &e);

	CHECK_OBJECT(m, &e);
	CHECK_OK(sip_stack_reply(t, m, &e), &e);
}

/* --- assertions */

void peer_check_seen(const char *wanted, int line)
{
	if (strcmp(peer.user.seen, wanted) != 0)
		unit_note("line %d: saw \"%s\", not \"%s\"", line,
			  peer.user.seen, wanted);
	CU_ASSERT_STRING_EQUAL(peer.user.seen, wanted);
	peer.user.seen[0] = '\0';
}

void peer_check_sent(enum sip_transport over, unsigned count, const char *begin,
		     int line)
{
	struct peer_flow *p = &peer.flow[over];
	bool right =
	    p->sent == count && strncmp(p->last, begin, strlen(begin)) == 0;

	if (!right)
		unit_note("line %d: %u messages, the last %.40s, not %u, %s",
			  line, p->sent, p->last, count, begin);
	CU_ASSERT_TRUE(right);
}
