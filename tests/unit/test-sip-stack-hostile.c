/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/unit.h"
#include "tests/unit/sip_messages.h"
#include "tests/unit/sip_peer.h"

/* What strangers can do to the stack, and what happens when ways are lost. */

#define B1 "z9hG4bK1"
#define B2 "z9hG4bK2"

/* --- the table of test-sip-check, through the stack */

/* What a message that is taken leads to: these need a dialog or an INVITE. */
static unsigned status_of_taken(const char *in)
{
	if (strncmp(in, "BYE", 3) == 0 || strncmp(in, "UPDATE", 6) == 0 ||
	    strncmp(in, "CANCEL", 6) == 0)
		return 481;
	return strncmp(in, "ACK", 3) == 0 ? 0 : 200;
}

/* Without its end, Via or CSeq there is nothing to make an answer of. */
static bool is_answered(const char *in)
{
	return strstr(in, "\r\n\r\n") && strcasestr(in, "\r\nVia") &&
	       strcasestr(in, "\r\nCSeq:");
}

static void check_row(const struct row *row)
{
	const struct peer_flow *p = &peer.flow[SIP_UDP];
	unsigned wanted = row->status ? row->status : status_of_taken(row->in);
	unsigned got = 0;

	peer_start(0, 0);
	peer_write(SIP_UDP, row->in);
	if (p->sent)
		got = (unsigned)atoi(p->last + strlen("SIP/2.0 "));
	if (!is_answered(row->in))
		wanted = 0;
	if (got != wanted)
		unit_note("%s: %u, not %u", row->in, got, wanted);
	CU_ASSERT_EQUAL(got, wanted);
	CHECK_SEEN(wanted == 200 ? "r" : "");
	if (wanted != 200)
		CU_ASSERT_EQUAL(sip_stack_count(peer.stack), 0);
	peer_stop();
}

static void test_requests(void)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		check_row(&requests[i]);
}

/* Nobody asked for them. */
static void test_answers(void)
{
	peer_start(0, 0);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		peer_write(SIP_UDP, answers[i].in);
	CHECK_SENT(SIP_UDP, 0, "");
	CHECK_SEEN("");
	CU_ASSERT_EQUAL(sip_stack_count(peer.stack), 0);
	peer_stop();
}

static void test_cut(void)
{
	static const char text[] =
	    INV "Via: SIP/2.0/UDP h;branch=z9hG4bK1;rport;x=\"y\"\r\n"
		"From: \"A \\\" B\" <sip:a@h.example;p=1>;tag=f1\r\n" TO ID ICS
		"Contact: <sip:a@[2001:db8::1]:5070;lr>;q=0.5\r\n"
		"Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n" SDP
		"l: 5\r\n\r\nv=0\r\n";

	for (size_t n = 0; n <= sizeof(text) - 1; n++) {
		char *in = malloc(n);

		CU_ASSERT_FATAL(n == 0 || in != NULL);
		peer_start(0, 0);
		if (n)
			memcpy(in, text, n);
		sip_stack_received(peer.stack, &peer.flow[SIP_UDP].flow,
				   view_of(in, n));
		CHECK_SEEN(n == sizeof(text) - 1 ? "r" : "");
		peer_stop();
		free(in);
	}
}

/* Bodies are bytes: nobody looks into them, and they end where Content-Length
 * says. */
static void test_bodies(void)
{
	static const char part[] = "--x\r\nContent-Type: text/plain\r\n\r\n"
				   "a\r\n--x--\r\n";
	static const struct {
		const char *type;
		const char *body;
		size_t length, announced;
	} rows[] = {
		{ "application/sdp", "v=0\r\n", 5, 5 },
		{ "text/plain", "a\0b\r\n\r\n\xff", 8, 8 },
		{ "text/plain", "abcdef", 6, 2 },
		{ "multipart/mixed;boundary=x", part, sizeof(part) - 1,
		  sizeof(part) - 1 },
		{ "multipart/mixed;boundary=x", "--x", 3, 3 },
		{ "multipart/mixed;boundary=", "--\r\n:", 5, 5 },
		{ "multipart/mixed;boundary=\"", "--\r\n--", 6, 6 },
		{ "multipart/mixed", "--x\r\n", 5, 5 },
		{ "multipart/mixed;boundary=x", "", 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[1024];
		size_t n = (size_t)snprintf(
		    text, sizeof(text),
		    OPT REST OCS "Content-Type: %s\r\nl: %zu\r\n\r\n",
		    rows[i].type, rows[i].announced);

		memcpy(text + n, rows[i].body, rows[i].length);
		peer_start(0, 0);
		sip_stack_received(peer.stack, &peer.flow[SIP_UDP].flow,
				   view_of(text, n + rows[i].length));
		CHECK_SEEN("r");
		CU_ASSERT_EQUAL(peer.user.bodies, rows[i].announced > 0);
		CU_ASSERT_EQUAL(peer.user.body_length, rows[i].announced);
		CU_ASSERT_EQUAL(
		    memcmp(peer.user.body, rows[i].body, rows[i].announced), 0);
		peer_stop();
	}
}

/* Whatever bytes come, each transaction ends, and with the first look at the
 * limit no more is held than that. */
static void test_mutated(void)
{
	static const char bytes[] = "\r\n: \t;,<>@[]%?&=\"\\/0aZ\0\xff";
	const size_t count = sizeof(requests) / sizeof(requests[0]);
	unsigned seed = 3261;

	peer_start(20, 0);
	peer.user.reply = 404;
	for (int round = 0; round < 6000; round++) {
		const char *base = requests[(size_t)rand_r(&seed) % count].in;
		size_t n = strlen(base);
		char *in = malloc(n + 1);

		CU_ASSERT_PTR_NOT_NULL_FATAL(in);
		memcpy(in, base, n);
		for (int i = 0; n && i < 4; i++)
			in[(size_t)rand_r(&seed) % n] =
			    bytes[(size_t)rand_r(&seed) % (sizeof(bytes) - 1)];
		sip_stack_received(peer.stack, &peer.flow[SIP_TCP].flow,
				   view_of(in, n));
		free(in);
		CU_ASSERT_TRUE_FATAL(sip_stack_count(peer.stack) <= 20);
		if (round % 10 == 0)
			peer_run(33000);
		peer.user.seen[0] = '\0';
	}
	peer_run(70000);
	CU_ASSERT_EQUAL(sip_stack_count(peer.stack), 0);
	CU_ASSERT_EQUAL(sip_stack_next_ms(peer.stack), -1);
	peer_stop();
}

/* --- refusals */

static void test_limits(void)
{
	static const struct {
		unsigned all, peer, taken;
	} rows[] = { { 3, 100, 3 }, { 100, 2, 2 }, { 100, 100, 5 } };
	char branch[32];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		peer_start(rows[i].all, rows[i].peer);
		peer.user.late = true;
		for (unsigned n = 0; n < 5; n++) {
			snprintf(branch, sizeof(branch), "z9hG4bKn%u", n);
			peer_request(SIP_UDP, "OPTIONS", branch, "dialog");
		}
		CU_ASSERT_EQUAL(strlen(peer.user.seen), rows[i].taken);
		CU_ASSERT_EQUAL(peer.flow[SIP_UDP].sent, 5 - rows[i].taken);
		if (rows[i].taken < 5) {
			CHECK_SENT(SIP_UDP, 5 - rows[i].taken,
				   "SIP/2.0 503 Service Unavailable\r\n");
			CU_ASSERT_STRING_EQUAL(
			    peer_field(peer.flow[SIP_UDP].last, "Retry-After"),
			    "5");
		}
		peer_stop();
	}
}

/* Another address has its own measure, and what has ended counts no more. */
static void test_limit_of_a_peer(void)
{
	struct sip_transaction *first;

	peer_start(0, 1);
	strcpy(peer.flow[SIP_TLS].flow.peer_address, "2001:db8::7");
	peer.user.late = true;
	peer_request(SIP_TCP, "OPTIONS", B1, "dialog");
	first = peer.user.last;
	peer.user.late = false;
	peer_request(SIP_TCP, "OPTIONS", B2, "dialog");
	CHECK_SENT(SIP_TCP, 1, "SIP/2.0 503");
	peer_request(SIP_TLS, "OPTIONS", B2, "dialog");
	CHECK_SENT(SIP_TLS, 1, "SIP/2.0 200");
	peer_reply(first, 200);
	peer_run(100);
	CU_ASSERT_EQUAL(sip_stack_count(peer.stack), 0);
	peer_request(SIP_TCP, "OPTIONS", B2, "dialog");
	CHECK_SENT(SIP_TCP, 3, "SIP/2.0 200");
	CHECK_SEEN("rreer");
	peer_stop();
}

/* Who has one address of an IPv6 /64 has all of them, and one measure. */
static void test_limit_of_a_net(void)
{
	static const struct {
		const char *address;
		const char *answer; /* to the second request */
	} rows[] = {
		{ "2001:db8:1:2::7", "SIP/2.0 503" },
		{ "2001:db8:1:2::8", "SIP/2.0 503" },
		{ "2001:db8:1:2:ffff:ffff:ffff:ffff", "SIP/2.0 503" },
		{ "2001:db8:1:3::7", "SIP/2.0 200" },
		{ "2001:db8:1:2:7::", "SIP/2.0 503" },
		{ "192.0.2.8", "SIP/2.0 200" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		peer_start(0, 1);
		strcpy(peer.flow[SIP_TCP].flow.peer_address, rows[0].address);
		strcpy(peer.flow[SIP_TLS].flow.peer_address, rows[i].address);
		peer.user.late = true;
		peer_request(SIP_TCP, "OPTIONS", B1, "d1");
		peer.user.late = false;
		peer_request(SIP_TLS, "OPTIONS", B2, "d2");
		CHECK_SENT(SIP_TLS, 1, rows[i].answer);
		peer_stop();
	}
}

/* Calls that stand cost no room: an INVITE whose ACK has come goes before a new
 * one is refused, the eldest first, one of another address only when the limit
 * of all is met. */
static void test_room_for_calls(void)
{
	peer_start(0, 2);
	strcpy(peer.flow[SIP_UDP].flow.peer_address, "2001:db8::7");
	peer_request(SIP_UDP, "INVITE", B1, "d0");
	peer_request(SIP_UDP, "ACK", B2, "d0");
	CHECK_SEEN("ra");
	peer_request(SIP_TLS, "INVITE", B1, "d1");
	peer_request(SIP_TLS, "INVITE", B2, "d2");
	peer_request(SIP_TLS, "INVITE", "z9hG4bK3", "d3");
	CHECK_SENT(SIP_TLS, 5, "SIP/2.0 503");
	CHECK_SEEN("rr");
	peer_request(SIP_TLS, "ACK", "z9hG4bK4", "d1");
	peer_request(SIP_TLS, "INVITE", "z9hG4bK3", "d3");
	CHECK_SENT(SIP_TLS, 7, "SIP/2.0 200");
	CHECK_SEEN("aer");
	CU_ASSERT_EQUAL(sip_stack_count(peer.stack), 3);
	peer_request(SIP_TLS, "INVITE", "z9hG4bK5", "d5");
	CHECK_SENT(SIP_TLS, 8, "SIP/2.0 503");
	/* What gave way is gone, the others are not. */
	peer_request(SIP_TLS, "ACK", "z9hG4bK6", "d1");
	CHECK_SEEN("");
	peer_request(SIP_TLS, "ACK", "z9hG4bK6", "d2");
	peer_request(SIP_TLS, "ACK", "z9hG4bK6", "d3");
	CHECK_SEEN("aa");
	peer_run(33000);
	CHECK_SEEN("eee");
	peer_stop();

	peer_start(1, 0);
	peer_request(SIP_UDP, "INVITE", B1, "d0");
	CU_ASSERT_EQUAL(sip_stack_count(peer.stack), 1);
	peer_request(SIP_TLS, "OPTIONS", B2, "d1");
	CHECK_SENT(SIP_TLS, 1, "SIP/2.0 503");
	peer_request(SIP_UDP, "ACK", B2, "d0");
	/* One of ours needs room, too. */
	peer_send(SIP_TLS, "OPTIONS");
	CHECK_SEEN("rae");
	CU_ASSERT_EQUAL(sip_stack_count(peer.stack), 1);
	peer_stop();

	/* But not while its user is told of the ACK. */
	peer_start(1, 0);
	peer.user.hangs_up = true;
	peer_request(SIP_UDP, "INVITE", B1, "d0");
	peer_request(SIP_UDP, "ACK", B2, "d0");
	CHECK_SEEN("ra");
	CHECK_SENT(SIP_TCP, 0, "");
	peer_send(SIP_TLS, "OPTIONS");
	CHECK_SEEN("e");
	peer_stop();
}

/* Nor do calls that have ended: over UDP the answer to a BYE waits 64*T1 for
 * copies of it. */
static void test_room_after_calls(void)
{
	peer_start(0, 2);
	peer_request(SIP_UDP, "OPTIONS", B1, "d1");
	peer_request(SIP_UDP, "OPTIONS", B2, "d2");
	CHECK_SEEN("rr");
	CU_ASSERT_EQUAL(sip_stack_count(peer.stack), 2);
	peer_request(SIP_UDP, "OPTIONS", B1, "d1");
	CHECK_SENT(SIP_UDP, 3, "SIP/2.0 200");
	CHECK_SEEN(""); /* a copy */
	peer_request(SIP_UDP, "OPTIONS", "z9hG4bK3", "d3");
	CHECK_SENT(SIP_UDP, 4, "SIP/2.0 200");
	CHECK_SEEN("er");
	CU_ASSERT_EQUAL(sip_stack_count(peer.stack), 2);
	peer_request(SIP_UDP, "OPTIONS", B2, "d2");
	CHECK_SEEN(""); /* the eldest has gone */
	/* An INVITE that was refused, and waits for its ACK. */
	peer.user.status = 486;
	peer_request(SIP_UDP, "INVITE", "z9hG4bK7", "d7");
	peer_request(SIP_UDP, "INVITE", "z9hG4bK8", "d8");
	CHECK_SENT(SIP_UDP, 9, "SIP/2.0 486");
	CHECK_SEEN("erer");
	peer_request(SIP_UDP, "OPTIONS", "z9hG4bK9", "d9");
	CHECK_SENT(SIP_UDP, 10, "SIP/2.0 486");
	CHECK_SEEN("er");
	/* An INVITE without an answer does not give way. */
	peer.user.late = true;
	peer_request(SIP_UDP, "INVITE", "z9hG4bK4", "d4");
	peer_request(SIP_UDP, "INVITE", "z9hG4bK5", "d5");
	CHECK_SEEN("erer");
	peer_request(SIP_UDP, "OPTIONS", "z9hG4bK6", "d6");
	CHECK_SEEN("");
	peer_stop();
}

/* What is just ending does not give way once more for what its user wants to
 * send then. */
static void test_room_at_the_end(void)
{
	for (unsigned most = 1; most <= 2; most++) {
		peer_start(most, 0);
		peer_request(SIP_UDP, "OPTIONS", B1, "d1");
		CHECK_SEEN("r");
		peer.user.asks = true;
		peer_run(33000);
		CHECK_SEEN(most == 1 ? "e" : "eo");
		peer_stop();

		peer_start(most, 0);
		peer_request(SIP_UDP, "OPTIONS", B1, "d1");
		if (most == 2)
			peer_request(SIP_UDP, "OPTIONS", B2, "d2");
		peer.user.asks = true;
		peer_request(SIP_TLS, "OPTIONS", "z9hG4bK3", "d3");
		CHECK_SENT(SIP_TLS, 1, "SIP/2.0 200");
		CU_ASSERT(sip_stack_count(peer.stack) <= most + 1);
		peer_stop();
	}
}

static void test_limit_of_ours(void)
{
	struct sip_way way = { .flow = &peer.flow[SIP_UDP].flow };
	struct error e = ERROR_INIT;

	peer_start(1, 0);
	peer_send(SIP_UDP, "OPTIONS");
	CU_ASSERT_PTR_NULL(sip_stack_request(
	    peer.stack, &way, peer_message("OPTIONS"), NULL, &e));
	CU_ASSERT_EQUAL(e.kind, ERR_LIMIT);
	/* What is no request, or none of this kind. */
	CU_ASSERT_PTR_NULL(sip_stack_request(peer.stack, &way,
					     peer_message("CANCEL"), NULL, &e));
	CU_ASSERT_EQUAL(e.kind, ERR_INPUT);
	CU_ASSERT_PTR_NULL(sip_stack_request(peer.stack, &way,
					     peer_empty_message(), NULL, &e));
	CU_ASSERT_EQUAL(e.kind, ERR_INPUT);
	peer_stop();
}

static void test_outside_of_dialogs(void)
{
	static const struct {
		const char *method, *to_tag;
		unsigned reply; /* the user's */
		const char *answer, *seen;
	} rows[] = {
		{ "BYE", "", 0, "SIP/2.0 481 ", "" },
		{ "UPDATE", "", 0, "SIP/2.0 481 ", "" },
		{ "BYE", "unknown", 481, "SIP/2.0 481 ", "r" },
		{ "INVITE", "unknown", 481, "SIP/2.0 481 ", "r" },
		{ "OPTIONS", "", 404, "SIP/2.0 404 Not Found", "r" },
		{ "INVITE", "", 503, "SIP/2.0 503 ", "r" },
		{ "BYE", "known", 0, "SIP/2.0 200 ", "r" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct peer_flow *p = &peer.flow[SIP_TLS];

		peer_start(0, 0);
		peer.user.reply = rows[i].reply;
		peer_request(SIP_TLS, rows[i].method, B1, rows[i].to_tag);
		CHECK_SENT(SIP_TLS, p->sent, rows[i].answer);
		CU_ASSERT_TRUE(p->sent > 0);
		CHECK_SEEN(rows[i].seen);
		CU_ASSERT_STRING_EQUAL(peer_field(p->last, "Retry-After"),
				       rows[i].reply == 503 ? "5" : "");
		peer_stop();
	}
}

/* RFC 3261 8.2.2.2: the same request by two ways. */
static void test_merged(void)
{
	peer_start(0, 0);
	peer_request(SIP_UDP, "INVITE", B1, "");
	peer_request(SIP_UDP, "INVITE", B2, "");
	CHECK_SENT(SIP_UDP, 3, "SIP/2.0 482 Loop Detected\r\n");
	CHECK_SEEN("r");
	/* With a tag in To it is in a dialog. */
	peer_request(SIP_UDP, "INVITE", "z9hG4bK3", "dialog");
	CHECK_SENT(SIP_UDP, 5, "SIP/2.0 200");
	CHECK_SEEN("r");
	peer_stop();
}

/* A sequence number is a number: 0001 is found again as 1. */
static void test_zeros(void)
{
	static const char invite[] =
	    "INVITE sip:b@us.example SIP/2.0\r\n"
	    "Via: SIP/2.0/TCP h.example:5070;branch=" B1 "\r\n"
	    "From: <sip:a@h.example>;tag=from\r\n"
	    "To: <sip:b@us.example>;tag=dialog\r\n"
	    "Call-ID: call@h.example\r\n"
	    "CSeq: 0001 INVITE\r\nContent-Length: 0\r\n\r\n";

	peer_start(0, 0);
	peer_write(SIP_TCP, invite);
	CHECK_SENT(SIP_TCP, 2, "SIP/2.0 200");
	peer_request(SIP_TCP, "ACK", B2, "dialog");
	CHECK_SEEN("ra");
	peer_stop();
}

/* Clients of RFC 2543 are known by the whole of the request. */
static void test_old_branches(void)
{
	static const char *const branches[] = { NULL, "1", "z9hG4bK" };

	for (size_t i = 0; i < 3; i++) {
		peer_start(0, 0);
		peer.user.status = 486;
		peer_request(SIP_UDP, "INVITE", branches[i], "");
		peer_request(SIP_UDP, "INVITE", branches[i], "");
		CHECK_SENT(SIP_UDP, 3, "SIP/2.0 486");
		peer_request(SIP_UDP, "ACK", branches[i], "x");
		peer_run(5200);
		CHECK_SENT(SIP_UDP, 3, "SIP/2.0 486");
		CHECK_SEEN("re");
		peer_stop();
	}
}

/* --- answers that are not ours to take */

static void test_foreign_answers(void)
{
	static const struct {
		const char *from, *to; /* replaced in what was sent */
		enum sip_transport over;
		const char *seen;
	} rows[] = {
		{ "", "", SIP_TLS, "2" },
		{ "", "", SIP_TCP, "" },
		{ "", "", SIP_UDP, "" },
		{ "z9hG4bK", "z9hG4bKx", SIP_TLS, "" },
		{ ";branch=", ";bronch=", SIP_TLS, "" },
		{ "7 OPTIONS", "7 INVITE", SIP_TLS, "" },
		{ "Via: ", "Via: SIP/2.0/TLS x;branch=z9hG4bK1, ", SIP_TLS,
		  "" },
		{ ";rport", ";rport, SIP/2.0/TLS x;branch=z9hG4bK1", SIP_TLS,
		  "" },
		{ ";rport", ";rport=99999999999;received=[", SIP_TLS, "2" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char sent[8192];
		const char *at, *last = peer.flow[SIP_TLS].last;

		peer_start(0, 0);
		peer_send(SIP_TLS, "OPTIONS");
		at = strstr(last, rows[i].from);
		CU_ASSERT_PTR_NOT_NULL_FATAL(at);
		snprintf(sent, sizeof(sent), "%.*s%s%s", (int)(at - last), last,
			 rows[i].to, at + strlen(rows[i].from));
		peer_answer_to(rows[i].over, sent, 200, "x");
		CHECK_SEEN(rows[i].seen);
		peer_stop();
	}
}

/* Another connection of the same peer is another flow. */
static void test_answer_on_another_flow(void)
{
	struct peer_flow other;
	char sent[8192];

	peer_start(0, 0);
	other = peer.flow[SIP_TLS];
	other.flow.id = 99;
	other.flow.impl = &other;
	peer_send(SIP_TLS, "OPTIONS");
	strcpy(sent, peer.flow[SIP_TLS].last);
	snprintf(sent + strlen(sent), sizeof(sent) - strlen(sent), " ");
	{
		char text[2048];

		snprintf(text, sizeof(text), "SIP/2.0 200 OK\r\nVia: %s\r\n",
			 peer_field(sent, "Via"));
		strcat(text, "From: <sip:us@us.example>;tag=ours\r\n"
			     "To: <sip:x@h.example>;tag=1\r\n"
			     "Call-ID: ours@us.example\r\n"
			     "CSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n");
		sip_stack_received(peer.stack, &other.flow, view_str(text));
		CHECK_SEEN("");
		peer_write(SIP_TLS, text);
		CHECK_SEEN("2");
	}
	CU_ASSERT_EQUAL(other.flow.references, 1);
	peer_stop();
}

/* --- ways that are lost */

static void test_flow_lost(void)
{
	peer_start(0, 0);
	peer.user.late = true;
	peer_request(SIP_TLS, "INVITE", B1, "");
	peer_send(SIP_TLS, "INVITE");
	peer_send(SIP_TCP, "OPTIONS");
	CHECK_SEEN("r");
	sip_stack_flow_lost(peer.stack, &peer.flow[SIP_TLS].flow);
	CHECK_SEEN("eLef");
	CU_ASSERT_EQUAL(sip_stack_count(peer.stack), 1);
	CU_ASSERT_EQUAL(peer.flow[SIP_TLS].flow.references, 1);
	sip_stack_flow_lost(peer.stack, &peer.flow[SIP_UDP].flow);
	CHECK_SEEN("f");
	peer_stop();
}

/* A call that stands is not told as a failed request. */
static void test_flow_lost_after_answers(void)
{
	peer_start(0, 0);
	peer_send(SIP_TLS, "INVITE");
	peer_answer(SIP_TLS, 200, "x");
	peer_request(SIP_TLS, "INVITE", B1, ""); /* 200, and no ACK yet */
	CHECK_SEEN("2r");
	sip_stack_flow_lost(peer.stack, &peer.flow[SIP_TLS].flow);
	CHECK_SEEN("eLef");
	CU_ASSERT_EQUAL(sip_stack_count(peer.stack), 0);
	peer_stop();
}

static void test_sending_fails(void)
{
	struct error e = ERROR_INIT;
	struct sip_transaction *t;

	peer_start(0, 0);
	/* A request of ours: told, but not before there is a transaction. */
	peer.flow[SIP_TLS].broken = true;
	peer_send(SIP_TLS, "INVITE");
	peer_send(SIP_TLS, "OPTIONS");
	CHECK_SEEN("");
	CU_ASSERT_EQUAL(sip_stack_next_ms(peer.stack), peer.now);
	peer_run(1);
	CHECK_SEEN("LeLe");
	/* A new request: it cannot even be answered with 100. */
	peer_request(SIP_TLS, "INVITE", B1, "");
	CHECK_SEEN("");
	/* An answer later. */
	peer.flow[SIP_TLS].broken = false;
	peer.user.late = true;
	peer_request(SIP_TLS, "INVITE", B1, "");
	t = peer.user.last;
	peer.flow[SIP_TLS].broken = true;
	CHECK_FAILS(sip_stack_reply(t, sip_stack_answer(t, 200, &e), &e), &e,
		    ERR_CONFLICT, "gone");
	CHECK_SEEN("re");
	/* The 2xx again. */
	peer.flow[SIP_TLS].broken = false;
	peer.user.late = false;
	peer_request(SIP_TLS, "INVITE", B2, "");
	peer.flow[SIP_TLS].broken = true;
	peer_run(600);
	CHECK_SEEN("rLe");
	CU_ASSERT_EQUAL(sip_stack_count(peer.stack), 0);
	peer_stop();
}

/* --- flows that are asked for */

static struct sip_transaction *dial(void)
{
	struct sip_way way = {
		.target = { SIP_TLS, "192.0.2.9", 5061 },
		.host = "h.example",
	};
	struct error e = ERROR_INIT;
	struct sip_transaction *t = sip_stack_request(
	    peer.stack, &way, peer_message("INVITE"), NULL, &e);

	CHECK_OBJECT(t, &e);
	peer.user.known[0] = t;
	CU_ASSERT_STRING_EQUAL(peer.user.host, "h.example");
	CU_ASSERT_PTR_NULL(sip_transaction_flow(t));
	CU_ASSERT_PTR_NOT_NULL(sip_transaction_request(t));
	return t;
}

static void test_connecting(void)
{
	struct sip_flow *flow = &peer.flow[SIP_TLS].flow;
	struct sip_transaction *t;

	peer_start(0, 0);
	t = dial();
	peer_run(60000); /* that deadline is the transport's */
	sip_stack_connected(peer.stack, peer.user.ticket + 1, flow, NULL);
	sip_stack_connected(peer.stack, 0, flow, NULL);
	CHECK_SENT(SIP_TLS, 0, "");
	sip_stack_connected(peer.stack, peer.user.ticket, flow, NULL);
	CHECK_SENT(SIP_TLS, 1, "INVITE");
	CU_ASSERT_PTR_EQUAL(sip_transaction_flow(t), flow);
	sip_stack_connected(peer.stack, peer.user.ticket, flow, NULL);
	sip_stack_connected(peer.stack, peer.user.ticket, NULL, "late");
	CHECK_SENT(SIP_TLS, 1, "INVITE");
	CHECK_SEEN("");
	peer_run(32200);
	CHECK_SEEN("Te");
	peer_stop();
}

static void test_connecting_fails(void)
{
	struct sip_flow *flow = &peer.flow[SIP_TLS].flow;

	peer_start(0, 0);
	dial();
	sip_stack_connected(peer.stack, peer.user.ticket, NULL, "refused");
	CHECK_SEEN("Ce");
	/* The next target is a new request. */
	dial();
	peer.flow[SIP_TLS].broken = true;
	sip_stack_connected(peer.stack, peer.user.ticket, flow, NULL);
	CHECK_SEEN("Le");
	/* Given up before there was a way. */
	sip_stack_cancel(dial());
	CHECK_SEEN("e");
	sip_stack_connected(peer.stack, peer.user.ticket, flow, NULL);
	CHECK_SENT(SIP_TLS, 0, "");
	CU_ASSERT_EQUAL(sip_stack_count(peer.stack), 0);
	dial();
	peer_stop();
	CHECK_SEEN("e");
}

static const struct unit_test tests[] = {
	{ "table of requests", test_requests },
	{ "table of answers", test_answers },
	{ "cut at every byte", test_cut },
	{ "bodies", test_bodies },
	{ "changed at random", test_mutated },
	{ "limits", test_limits },
	{ "limit of a peer", test_limit_of_a_peer },
	{ "limit of a net", test_limit_of_a_net },
	{ "room for calls", test_room_for_calls },
	{ "room after calls", test_room_after_calls },
	{ "room at the end", test_room_at_the_end },
	{ "limit of our own, and what is none", test_limit_of_ours },
	{ "outside of dialogs", test_outside_of_dialogs },
	{ "merged requests", test_merged },
	{ "zeros before a number", test_zeros },
	{ "branches of RFC 2543", test_old_branches },
	{ "foreign answers", test_foreign_answers },
	{ "answer on another flow", test_answer_on_another_flow },
	{ "flow lost", test_flow_lost },
	{ "flow lost after answers", test_flow_lost_after_answers },
	{ "sending fails", test_sending_fails },
	{ "connecting", test_connecting },
	{ "connecting fails", test_connecting_fails },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "sip-stack-hostile", tests, NULL, NULL);
}
