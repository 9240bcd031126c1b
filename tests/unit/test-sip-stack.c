/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "tests/lib/unit.h"
#include "tests/unit/sip_peer.h"

/* The state machines of servers (RFC 3261 17.2) with their timers, over UDP and
 * over what loses nothing, and what RFC 6026 adds. */

#define B1 "z9hG4bK1"
#define B2 "z9hG4bK2"

static const enum sip_transport all[] = { SIP_UDP, SIP_TCP, SIP_TLS };

/* --- servers */

/* Timer G: 0.5, 1.5, 3.5, 7.5, 11.5 .. 31.5 s; timer H at 32 s. */
static void test_invite_refused(void)
{
	for (size_t i = 0; i < 3; i++) {
		peer_start(0, 0);
		peer.user.status = 486;
		peer_request(all[i], "INVITE", B1, "");
		CHECK_SEEN("r");
		CU_ASSERT_STRING_EQUAL(peer.flow[all[i]].lines[0],
				       "SIP/2.0 100 Trying");
		CHECK_SENT(all[i], 2, "SIP/2.0 486 Busy Here\r\n");
		/* A copy gets the answer again. */
		peer_request(all[i], "INVITE", B1, "");
		CHECK_SENT(all[i], 3, "SIP/2.0 486");
		peer_run(31000);
		CHECK_SENT(all[i], all[i] == SIP_UDP ? 12 : 3, "SIP/2.0 486");
		CHECK_SEEN("");
		peer_run(1200);
		CHECK_SENT(all[i], all[i] == SIP_UDP ? 13 : 3, "SIP/2.0 486");
		CHECK_SEEN("e");
		CU_ASSERT_EQUAL(sip_stack_next_ms(peer.stack), -1);
		peer_stop();
	}
}

/* The ACK ends the repetitions, and is absorbed; timer I. */
static void test_invite_refused_and_acked(void)
{
	for (size_t i = 0; i < 3; i++) {
		peer_start(0, 0);
		peer.user.status = 486;
		peer_request(all[i], "INVITE", B1, "");
		peer_request(all[i], "ACK", B1, "x");
		peer_request(all[i], "ACK", B1, "x");
		CHECK_SEEN("r");
		peer_run(4900);
		CHECK_SENT(all[i], 2, "SIP/2.0 486");
		CHECK_SEEN(all[i] == SIP_UDP ? "" : "e");
		peer_run(300);
		CHECK_SEEN(all[i] == SIP_UDP ? "e" : "");
		CU_ASSERT_EQUAL(sip_stack_count(peer.stack), 0);
		/* Afterwards it is nobody's. */
		peer_request(all[i], "ACK", B1, "x");
		CHECK_SENT(all[i], 2, "SIP/2.0 486");
		peer_stop();
	}
}

static void ack_success(enum sip_transport over, const char *branch)
{
	char to[256], *tag;

	snprintf(to, sizeof(to), "%s", peer_field(peer.flow[over].last, "To"));
	tag = strstr(to, "tag=");
	CU_ASSERT_PTR_NOT_NULL_FATAL(tag);
	peer_request(over, "ACK", branch, tag + 4);
}

/* RFC 6026: the INVITE stays known, its copies are not answered anew; the 2xx
 * is repeated on every transport (13.3.1.4) until the ACK comes. */
static void test_invite_accepted(void)
{
	for (size_t i = 0; i < 3; i++) {
		peer_start(0, 0);
		peer_request(all[i], "INVITE", B1, "");
		CHECK_SENT(all[i], 2, "SIP/2.0 200 OK\r\n");
		peer_request(all[i], "INVITE", B1, "");
		CHECK_SENT(all[i], 2, "SIP/2.0 200 OK\r\n");
		peer_run(1600); /* 0.5 s, 1.5 s */
		CHECK_SENT(all[i], 4, "SIP/2.0 200 OK\r\n");
		CHECK_SEEN("r");
		peer_request(all[i], "ACK", B2, "nobody");
		CHECK_SEEN("");
		ack_success(all[i], B2);
		ack_success(all[i], B2);
		CHECK_SEEN("a");
		peer_run(30000);
		CHECK_SENT(all[i], 4, "SIP/2.0 200 OK\r\n");
		CHECK_SEEN("");
		peer_run(1000);
		CHECK_SEEN("e");
		peer_stop();
	}
}

static void test_invite_without_ack(void)
{
	peer_start(0, 0);
	peer_request(SIP_TLS, "INVITE", B1, "");
	peer_run(31900); /* as timer G */
	CHECK_SENT(SIP_TLS, 12, "SIP/2.0 200 OK\r\n");
	CHECK_SEEN("r");
	peer_run(200);
	CHECK_SEEN("Te");
	peer_stop();
}

/* Timer J. */
static void test_request_answered(void)
{
	for (size_t i = 0; i < 3; i++) {
		peer_start(0, 0);
		peer_request(all[i], "OPTIONS", B1, "");
		peer_request(all[i], "OPTIONS", B1, "");
		CHECK_SENT(all[i], 2, "SIP/2.0 200 OK\r\n");
		CHECK_SEEN("r");
		peer_run(100);
		CHECK_SEEN(all[i] == SIP_UDP ? "" : "e");
		peer_run(31800);
		CHECK_SEEN("");
		peer_run(300);
		CHECK_SEEN(all[i] == SIP_UDP ? "e" : "");
		CHECK_SENT(all[i], 2, "SIP/2.0 200 OK\r\n");
		peer_stop();
	}
}

/* Copies of what is not answered yet: nothing, then the provisional answer. */
static void test_answered_late(void)
{
	struct error e = ERROR_INIT;

	peer_start(0, 0);
	peer.user.late = true;
	peer_request(SIP_UDP, "OPTIONS", B1, "");
	peer_request(SIP_UDP, "OPTIONS", B1, "");
	CHECK_SENT(SIP_UDP, 0, "");
	peer_reply(peer.user.last, 200);
	CHECK_SENT(SIP_UDP, 1, "SIP/2.0 200");
	CHECK_FAILS(sip_stack_reply(peer.user.last,
				    sip_stack_answer(peer.user.last, 404, &e),
				    &e),
		    &e, ERR_CONFLICT, "final answer");
	peer_request(SIP_TCP, "INVITE", B2, "dialog");
	CHECK_SENT(SIP_TCP, 1, "SIP/2.0 100 Trying");
	peer_request(SIP_TCP, "INVITE", B2, "dialog");
	CHECK_SENT(SIP_TCP, 2, "SIP/2.0 100 Trying");
	peer_reply(peer.user.last, 180);
	peer_request(SIP_TCP, "INVITE", B2, "dialog");
	CHECK_SENT(SIP_TCP, 4, "SIP/2.0 180 Ringing");
	CHECK_SEEN("rr");
	peer_stop();
}

static void test_answer_fields(void)
{
	static const struct {
		const char *name, *value;
		unsigned message; /* 0: the 100, 1: the 200 */
	} rows[] = {
		{ "From", "<sip:a@h.example>;tag=from", 0 },
		{ "Call-ID", "call@h.example", 0 },
		{ "CSeq", "1 INVITE", 0 },
		{ "To", "<sip:b@us.example>", 0 },
		{ "Timestamp", "54", 0 },
		{ "Record-Route", "", 0 },
		{ "Content-Length", "0", 0 },
		{ "Record-Route", "<sip:proxy.example;lr>", 1 },
		{ "Timestamp", "", 1 },
		{ "Max-Forwards", "", 1 },
	};
	char text[2][8192];

	peer_start(0, 0);
	peer.user.late = true;
	peer_request(SIP_TLS, "INVITE", B1, "");
	strcpy(text[0], peer.flow[SIP_TLS].last);
	peer_reply(peer.user.last, 200);
	strcpy(text[1], peer.flow[SIP_TLS].last);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CU_ASSERT_STRING_EQUAL(
		    peer_field(text[rows[i].message], rows[i].name),
		    rows[i].value);
	CU_ASSERT_PTR_NOT_NULL(strstr(peer_field(text[1], "To"),
				      sip_transaction_to_tag(peer.user.last)));
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(peer_field(text[1], "Via"), ";received=192.0.2.7"));
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(peer_field(text[1], "Via"), "rport=5070"));
	peer_stop();
}

/* A peer's Via may say what it likes: what is repeated depends on the flow. */
static void test_via_of_another_transport(void)
{
	static const char text[] =
	    "INVITE sip:b@us.example SIP/2.0\r\n"
	    "Via: SIP/2.0/%s h.example;branch=z9hG4bK1\r\n"
	    "From: <sip:a@h.example>;tag=1\r\nTo: <sip:b@us.example>\r\n"
	    "Call-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
	static const struct {
		const char *via;
		enum sip_transport over;
		unsigned sent;
	} rows[] = {
		{ "UDP", SIP_TLS, 2 },
		{ "XYZ", SIP_TCP, 2 },
		{ "TLS", SIP_UDP, 12 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char in[512];

		peer_start(0, 0);
		peer.user.status = 486;
		snprintf(in, sizeof(in), text, rows[i].via);
		peer_write(rows[i].over, in);
		peer_run(33000);
		CHECK_SENT(rows[i].over, rows[i].sent, "SIP/2.0 486");
		CHECK_SEEN("re");
		peer_stop();
	}
}

/* --- CANCEL */

static void test_cancel(void)
{
	for (size_t i = 0; i < 3; i++) {
		peer_start(0, 0);
		peer.user.late = true;
		peer_request(all[i], "INVITE", B1, "");
		peer_request(all[i], "CANCEL", B1, "");
		CU_ASSERT_STRING_EQUAL(peer.flow[all[i]].lines[1],
				       "SIP/2.0 200 OK");
		CHECK_SENT(all[i], 3, "SIP/2.0 487 Request Terminated\r\n");
		CU_ASSERT_STRING_EQUAL(
		    peer_field(peer.flow[all[i]].last, "CSeq"), "1 INVITE");
		CHECK_SEEN("rc");
		/* A copy: the same answer, nothing else. */
		peer_request(all[i], "CANCEL", B1, "");
		CHECK_SENT(all[i], 4, "SIP/2.0 200 OK");
		CU_ASSERT_STRING_EQUAL(
		    peer_field(peer.flow[all[i]].last, "CSeq"), "1 CANCEL");
		peer_request(all[i], "ACK", B1, "x");
		peer_run(32200);
		CHECK_SENT(all[i], 4, "SIP/2.0 200 OK");
		CHECK_SEEN("e");
		CU_ASSERT_EQUAL(sip_stack_count(peer.stack), 0);
		peer_stop();
	}
}

/* Too late: it changes nothing (9.2). */
static void test_cancel_late(void)
{
	static const unsigned statuses[] = { 200, 486 };

	for (size_t i = 0; i < 2; i++) {
		peer_start(0, 0);
		peer.user.status = statuses[i];
		peer_request(SIP_TCP, "INVITE", B1, "");
		peer_request(SIP_TCP, "CANCEL", B1, "");
		CHECK_SENT(SIP_TCP, 3, "SIP/2.0 200 OK");
		CHECK_SEEN("r");
		peer_stop();
	}
}

/* What is not to be cancelled: nothing, something else, somebody else's. */
static void test_cancel_nothing(void)
{
	peer_start(0, 0);
	peer.user.late = true;
	peer_request(SIP_TCP, "CANCEL", B1, "");
	CHECK_SENT(SIP_TCP, 1, "SIP/2.0 481 ");
	peer_request(SIP_TCP, "OPTIONS", B1, "");
	peer_request(SIP_TCP, "CANCEL", B1, "");
	CHECK_SENT(SIP_TCP, 2, "SIP/2.0 481 ");
	peer_request(SIP_TCP, "INVITE", B2, "");
	CHECK_SENT(SIP_TCP, 3, "SIP/2.0 100 ");
	peer_request(SIP_TLS, "CANCEL", B2, "");
	CHECK_SENT(SIP_TLS, 1, "SIP/2.0 481 ");
	peer_request(SIP_UDP, "CANCEL", B2, "");
	CHECK_SENT(SIP_UDP, 1, "SIP/2.0 481 ");
	peer_request(SIP_TCP, "CANCEL", "z9hG4bK3", "");
	CHECK_SENT(SIP_TCP, 4, "SIP/2.0 481 ");
	CHECK_SEEN("rr");
	peer_stop();
}

static const struct unit_test tests[] = {
	{ "INVITE refused", test_invite_refused },
	{ "INVITE refused, with ACK", test_invite_refused_and_acked },
	{ "INVITE accepted", test_invite_accepted },
	{ "INVITE accepted, no ACK", test_invite_without_ack },
	{ "request answered", test_request_answered },
	{ "answered late", test_answered_late },
	{ "fields of answers", test_answer_fields },
	{ "Via of another transport", test_via_of_another_transport },
	{ "CANCEL", test_cancel },
	{ "CANCEL too late", test_cancel_late },
	{ "CANCEL of nothing", test_cancel_nothing },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "sip-stack", tests, NULL, NULL);
}
