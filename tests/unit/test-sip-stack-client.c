/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "tests/lib/unit.h"
#include "tests/unit/sip_peer.h"

/* The state machines of clients (RFC 3261 17.1) with their timers, over UDP and
 * over what loses nothing, forks, and CANCEL. */

static const enum sip_transport all[] = { SIP_UDP, SIP_TCP, SIP_TLS };

static void test_no_answer(void)
{
	static const struct {
		const char *method;
		enum sip_transport over;
		unsigned sent;
	} rows[] = {
		{ "INVITE", SIP_UDP, 7 }, /* A: 0.5 1.5 3.5 7.5 15.5 31.5 */
		{ "INVITE", SIP_TCP, 1 },   { "INVITE", SIP_TLS, 1 },
		{ "OPTIONS", SIP_UDP, 11 }, /* E: as G */
		{ "OPTIONS", SIP_TCP, 1 },  { "OPTIONS", SIP_TLS, 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		peer_start(0, 0);
		peer_send(rows[i].over, rows[i].method);
		CHECK_SENT(rows[i].over, 1, rows[i].method);
		peer_run(31900);
		CHECK_SENT(rows[i].over, rows[i].sent, rows[i].method);
		CHECK_SEEN("");
		peer_run(300);
		CHECK_SENT(rows[i].over, rows[i].sent, rows[i].method);
		CHECK_SEEN("Te");
		peer_stop();
	}
}

static void test_request_fields(void)
{
	static const struct {
		enum sip_transport over;
		const char *via;
	} rows[] = {
		{ SIP_UDP, "SIP/2.0/UDP us.example:5060;branch=z9hG4bK" },
		{ SIP_TCP, "SIP/2.0/TCP us.example:5062;branch=z9hG4bK" },
		{ SIP_TLS, "SIP/2.0/TLS us.example:5061;branch=z9hG4bK" },
	};
	char first[1024];

	peer_start(0, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *sent = peer.flow[rows[i].over].last;

		peer_send(rows[i].over, "OPTIONS");
		strcpy(first, peer_field(sent, "Via"));
		CU_ASSERT_EQUAL(
		    strncmp(first, rows[i].via, strlen(rows[i].via)), 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(first, ";rport"));
		CU_ASSERT_STRING_EQUAL(peer_field(sent, "Max-Forwards"), "70");
		CU_ASSERT_STRING_EQUAL(peer_field(sent, "Content-Length"), "0");
		/* Each has its own branch. */
		peer_send(rows[i].over, "OPTIONS");
		CU_ASSERT_STRING_NOT_EQUAL(first, peer_field(sent, "Via"));
	}
	peer_stop();
}

/* A provisional answer ends the repetitions of an INVITE and its timer B; each
 * 2xx is handed up, from whatever fork (13.2.2.4, RFC 6026). */
static void test_invite_taken(void)
{
	for (size_t i = 0; i < 3; i++) {
		char sent[8192];

		peer_start(0, 0);
		peer_send(all[i], "INVITE");
		strcpy(sent, peer.flow[all[i]].last);
		peer_answer(all[i], 100, "");
		peer_answer(all[i], 180, "one");
		peer_answer(all[i], 180, "two");
		peer_run(60000);
		CHECK_SENT(all[i], 1, "INVITE");
		peer_answer(all[i], 200, "one");
		peer_answer(all[i], 200, "one");
		peer_answer(all[i], 200, "two");
		peer_answer(all[i], 486, "three");
		peer_answer(all[i], 180, "three");
		CHECK_SEEN("111222");
		CHECK_SENT(all[i], 1, "INVITE");
		peer_run(31900);
		CHECK_SEEN("");
		peer_run(200);
		CHECK_SEEN("e");
		peer_answer_to(all[i], sent, 200, "one");
		CHECK_SEEN("");
		peer_stop();
	}
}

/* The ACK to other final answers is the stack's: with the branch and the route
 * of the INVITE (17.1.1.3), once for each copy. */
static void test_invite_declined(void)
{
	for (size_t i = 0; i < 3; i++) {
		char sent[8192], via[1024];
		const char *last = peer.flow[all[i]].last;

		peer_start(0, 0);
		peer_send(all[i], "INVITE");
		strcpy(sent, last);
		strcpy(via, peer_field(sent, "Via"));
		peer_answer_to(all[i], sent, 486, "one");
		CHECK_SENT(all[i], 2, "ACK sip:x@h.example SIP/2.0\r\n");
		CU_ASSERT_STRING_EQUAL(peer_field(last, "Via"), via);
		CU_ASSERT_STRING_EQUAL(peer_field(last, "CSeq"), "7 ACK");
		CU_ASSERT_STRING_EQUAL(peer_field(last, "Route"),
				       "<sip:proxy.example;lr>");
		CU_ASSERT_STRING_EQUAL(peer_field(last, "To"),
				       "<sip:x@h.example>;tag=one");
		CU_ASSERT_STRING_EQUAL(peer_field(last, "Max-Forwards"), "70");
		peer_answer_to(all[i], sent, 486, "one");
		CHECK_SENT(all[i], 3, "ACK ");
		CHECK_SEEN("4");
		peer_run(100); /* timer D */
		CHECK_SEEN(all[i] == SIP_UDP ? "" : "e");
		peer_run(32100);
		CHECK_SEEN(all[i] == SIP_UDP ? "e" : "");
		CHECK_SENT(all[i], 3, "ACK ");
		peer_stop();
	}
}

/* Timer K; a provisional answer makes the repetitions rare (17.1.2.2). */
static void test_request_taken(void)
{
	for (size_t i = 0; i < 3; i++) {
		peer_start(0, 0);
		peer_send(all[i], "OPTIONS");
		peer_answer(all[i], 100, "x");
		peer_run(8100);
		CHECK_SENT(all[i], all[i] == SIP_UDP ? 3 : 1, "OPTIONS");
		peer_answer(all[i], 200, "x");
		peer_answer(all[i], 200, "x");
		CHECK_SEEN("12");
		peer_run(100);
		CHECK_SEEN(all[i] == SIP_UDP ? "" : "e");
		peer_run(5000);
		CHECK_SEEN(all[i] == SIP_UDP ? "e" : "");
		peer_stop();
	}
	peer_start(0, 0);
	peer_send(SIP_TLS, "OPTIONS");
	peer_answer(SIP_TLS, 100, "x");
	peer_run(32200); /* timer F runs on */
	CHECK_SEEN("1Te");
	peer_stop();
}

static void test_cancelling(void)
{
	struct sip_transaction *t;
	char sent[8192], via[1024];
	const char *last = peer.flow[SIP_UDP].last;

	peer_start(0, 0);
	t = peer_send(SIP_UDP, "INVITE");
	strcpy(sent, last);
	strcpy(via, peer_field(sent, "Via"));
	sip_stack_cancel(t);
	sip_stack_cancel(t);
	CHECK_SENT(SIP_UDP, 1, "INVITE"); /* not before a provisional (9.1) */
	peer_answer(SIP_UDP, 180, "x");
	CHECK_SENT(SIP_UDP, 2, "CANCEL sip:x@h.example SIP/2.0\r\n");
	CU_ASSERT_STRING_EQUAL(peer_field(last, "Via"), via);
	CU_ASSERT_STRING_EQUAL(peer_field(last, "CSeq"), "7 CANCEL");
	CU_ASSERT_STRING_EQUAL(peer_field(last, "To"), "<sip:x@h.example>");
	CU_ASSERT_STRING_EQUAL(peer_field(last, "Route"),
			       "<sip:proxy.example;lr>");
	peer_run(600);
	CHECK_SENT(SIP_UDP, 3, "CANCEL");
	peer_answer(SIP_UDP, 200, "x");
	CHECK_SEEN("1"); /* the answer to CANCEL is not the user's */
	peer_answer_to(SIP_UDP, sent, 487, "x");
	CHECK_SENT(SIP_UDP, 4, "ACK");
	peer_run(33000);
	CHECK_SENT(SIP_UDP, 4, "ACK");
	CHECK_SEEN("4e");
	peer_stop();
}

static void test_cancelling_fails(void)
{
	struct sip_transaction *t;

	peer_start(0, 0);
	t = peer_send(SIP_TLS, "INVITE");
	peer_answer(SIP_TLS, 180, "x");
	sip_stack_cancel(t);
	CHECK_SENT(SIP_TLS, 2, "CANCEL");
	peer_run(31900);
	CHECK_SEEN("1");
	peer_run(200);
	CHECK_SEEN("Te");
	CU_ASSERT_EQUAL(sip_stack_count(peer.stack), 0);
	/* A 2xx may be faster: nothing to cancel then. */
	t = peer_send(SIP_TLS, "INVITE");
	peer_answer(SIP_TLS, 200, "x");
	sip_stack_cancel(t);
	CHECK_SENT(SIP_TLS, 3, "INVITE");
	CHECK_SEEN("2");
	/* And there are things that nobody cancels. */
	sip_stack_cancel(peer_send(SIP_TLS, "OPTIONS"));
	peer_answer(SIP_TLS, 100, "x");
	CHECK_SENT(SIP_TLS, 4, "OPTIONS");
	peer_stop();
}

static void test_ack_of_ours(void)
{
	struct osip_message *ack;
	struct error e = ERROR_INIT;

	peer_start(0, 0);
	ack = peer_message("ACK");
	CHECK_OK(sip_stack_ack(peer.stack, &peer.flow[SIP_TLS].flow, ack, &e),
		 &e);
	CHECK_SENT(SIP_TLS, 1, "ACK sip:x@h.example SIP/2.0\r\n");
	CU_ASSERT_PTR_NOT_NULL(strstr(
	    peer_field(peer.flow[SIP_TLS].last, "Via"), "branch=z9hG4bK"));
	CU_ASSERT_EQUAL(sip_stack_count(peer.stack), 0);
	peer.flow[SIP_TLS].broken = true;
	ack = peer_message("ACK");
	CHECK_FAILS(
	    sip_stack_ack(peer.stack, &peer.flow[SIP_TLS].flow, ack, &e), &e,
	    ERR_IO, "gone");
	peer_stop();
}

/* The same over a flow that has to be made: sent, it is over. */
static void test_ack_far_away(void)
{
	static const struct {
		bool connects, broken;
		const char *seen;
		unsigned sent;
	} rows[] = {
		{ true, false, "e", 1 },
		{ false, false, "Ce", 0 },
		{ true, true, "Le", 0 },
	};
	struct sip_way way = { .target = { SIP_TLS, "192.0.2.9", 5061 },
			       .host = "h.example" };
	struct error e = ERROR_INIT;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sip_transaction *t;

		peer_start(0, 0);
		t = sip_stack_request(peer.stack, &way, peer_message("ACK"),
				      NULL, &e);
		CHECK_OBJECT(t, &e);
		peer.user.known[0] = t;
		CHECK_SEEN("");
		peer.flow[SIP_TLS].broken = rows[i].broken;
		sip_stack_connected(peer.stack, peer.user.ticket,
				    rows[i].connects ? &peer.flow[SIP_TLS].flow
						     : NULL,
				    "refused");
		CHECK_SEEN(rows[i].seen);
		CHECK_SENT(SIP_TLS, rows[i].sent, rows[i].sent ? "ACK " : "");
		CU_ASSERT_EQUAL(sip_stack_count(peer.stack), 0);
		/* And over one that stands. */
		peer.flow[SIP_TLS].broken = false;
		way.flow = &peer.flow[SIP_TLS].flow;
		t = sip_stack_request(peer.stack, &way, peer_message("ACK"),
				      NULL, &e);
		CHECK_OBJECT(t, &e);
		peer.user.known[0] = t;
		peer_run(100);
		CHECK_SEEN("e");
		CHECK_SENT(SIP_TLS, rows[i].sent + 1, "ACK ");
		way.flow = NULL;
		peer_stop();
	}
}

static const struct unit_test tests[] = {
	{ "no answer", test_no_answer },
	{ "fields of requests", test_request_fields },
	{ "our INVITE accepted, forks", test_invite_taken },
	{ "our INVITE declined", test_invite_declined },
	{ "our request answered", test_request_taken },
	{ "cancelling", test_cancelling },
	{ "cancelling in vain", test_cancelling_fails },
	{ "our ACK", test_ack_of_ours },
	{ "our ACK to somebody else", test_ack_far_away },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "sip-stack-client", tests, NULL, NULL);
}
