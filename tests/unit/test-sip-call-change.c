/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "tests/lib/unit.h"
#include "tests/unit/call_fixture.h"

/* Changes of calls that stand, asked for by the other side. */

static void check_direction(const char *wanted)
{
	char line[32];

	snprintf(line, sizeof(line), "a=%s\r\n", wanted);
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.body, line));
}

static void test_hold(void)
{
	static const char *const methods[] = { "INVITE", "UPDATE" };
	struct hold_row {
		const char *offer, *answer;
		bool held;
	} rows[] = {
		{ sdp_held, "recvonly", true },
		{ sdp_inactive, "inactive", true },
		{ sdp_plain, "sendrecv", false },
	};

	for (size_t m = 0; m < 2; m++) {
		unsigned cseq = 2;

		wire_start();
		wire_call(SIP_TCP, sdp_plain);
		for (size_t i = 0; i < 3; i++, cseq++) {
			wire_request(SIP_TCP, methods[m], cseq, "",
				     rows[i].offer);
			CHECK_STATUS(SIP_TCP, 200);
			check_direction(rows[i].answer);
			CU_ASSERT_EQUAL(fixture.facts.held, rows[i].held);
			if (m == 0)
				wire_request(SIP_TCP, "ACK", cseq, "", "");
		}
		CU_ASSERT_EQUAL(fixture.facts.state, SIP_CALL_CONNECTED);
		wire_stop();
	}
}

/* "o=" keeps its session and counts its versions. */
static void test_versions(void)
{
	unsigned long long session[2], version[2];

	wire_start();
	wire_call(SIP_TCP, sdp_plain);
	CU_ASSERT_EQUAL(sscanf(strstr(fixture.body, "o=- "), "o=- %llu %llu",
			       &session[0], &version[0]),
			2);
	wire_request(SIP_TCP, "UPDATE", 2, "", sdp_held);
	CU_ASSERT_EQUAL(sscanf(strstr(fixture.body, "o=- "), "o=- %llu %llu",
			       &session[1], &version[1]),
			2);
	CU_ASSERT_EQUAL(session[0], session[1]);
	CU_ASSERT_EQUAL(version[0] + 1, version[1]);
	wire_stop();
}

/* An offer that does not fit changes nothing. */
static void test_refused(void)
{
	static const char *const offers[] = { sdp_video, sdp_g729, "x" };
	static const unsigned statuses[] = { 488, 488, 400 };

	wire_start();
	wire_call(SIP_TCP, sdp_plain);
	for (unsigned i = 0; i < 3; i++) {
		wire_request(SIP_TCP, "INVITE", 2 + i, "", offers[i]);
		CHECK_STATUS(SIP_TCP, statuses[i]);
		wire_request(SIP_TCP, "UPDATE", 10 + i, "", offers[i]);
		CHECK_STATUS(SIP_TCP, statuses[i]);
		wire_request(SIP_TCP, "INVITE", 20 + i,
			     "Supported: timer\r\nSession-Expires: 5\r\n",
			     sdp_plain);
		CHECK_STATUS(SIP_TCP, 422);
		/* CSeq went on with each. */
		wire_request(SIP_TCP, "UPDATE", 2, "", "");
		CHECK_STATUS(SIP_TCP, 500);
		CHECK_SEEN("");
		wire_request(SIP_TCP, "UPDATE", 30 + i, "", "");
		CHECK_STATUS(SIP_TCP, 200);
		fixture.seen[0] = '\0';
		wire_stop();
		wire_start();
		wire_call(SIP_TCP, sdp_plain);
	}
	CU_ASSERT_EQUAL(fixture.facts.state, SIP_CALL_CONNECTED);
	CU_ASSERT_STRING_EQUAL(fixture.facts.codec, "PCMA");
	wire_stop();
}

/* A late offer in the middle; and no answer to it ends the call. */
static void test_late(void)
{
	wire_start();
	wire_call(SIP_TCP, sdp_plain);
	wire_request(SIP_TCP, "INVITE", 2, "", "");
	CHECK_STATUS(SIP_TCP, 200);
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.body, " RTP/AVP 0 8 101\r\n"));
	/* Ours is open: glare. */
	wire_request(SIP_TCP, "UPDATE", 3, "", sdp_plain);
	CHECK_STATUS(SIP_TCP, 491);
	wire_request(SIP_TCP, "INVITE", 4, "", sdp_plain);
	CHECK_STATUS(SIP_TCP, 491);
	wire_request(SIP_TCP, "ACK", 2, "", sdp_held);
	CU_ASSERT_TRUE(fixture.facts.held);
	wire_request(SIP_TCP, "INVITE", 5, "", "");
	CHECK_STATUS(SIP_TCP, 200);
	wire_request(SIP_TCP, "ACK", 5, "", "");
	CHECK_END(SIP_END_PROTOCOL_ERROR);
	CHECK_METHOD(SIP_TCP, "BYE");
	wire_stop();
}

/* A call that began encrypted stays it when we offer. */
static void test_late_secure(void)
{
	wire_start();
	wire_call(SIP_TLS, sdp_srtp);
	wire_request(SIP_TLS, "INVITE", 2, "", "");
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.body, " RTP/SAVP 0 8 101\r\n"));
	wire_request(SIP_TLS, "ACK", 2, "", sdp_plain);
	CHECK_END(SIP_END_CAPABILITY);
	wire_stop();
	/* And one that is offered without is without. */
	wire_start();
	wire_call(SIP_TLS, sdp_srtp);
	wire_request(SIP_TLS, "UPDATE", 2, "", sdp_plain);
	CHECK_STATUS(SIP_TLS, 200);
	CU_ASSERT_EQUAL(fixture.facts.encryption, SIP_UNENCRYPTED);
	wire_stop();
}

struct target_row {
	const char *method, *body;
	const char *contact;
	unsigned status;
	const char *bye;
};

/* The peer moves: requests of ours follow it, unless what it asked for was
 * refused, or it was not to say so (RFC 3261 12.2). */
static void test_target(void)
{
	static const struct target_row rows[] = {
		{ "UPDATE", "", "Contact: <sip:ann@192.0.2.8>\r\n", 200,
		  "BYE sip:ann@192.0.2.8 " },
		{ "UPDATE", sdp_held, "Contact: <sip:ann@192.0.2.8>\r\n", 200,
		  "BYE sip:ann@192.0.2.8 " },
		{ "INVITE", sdp_plain, "m: <sip:x@192.0.2.9:1>\r\n", 200,
		  "BYE sip:x@192.0.2.9:1 " },
		{ "INVITE", "", "m: <sip:x@192.0.2.9:1>\r\n", 200,
		  "BYE sip:x@192.0.2.9:1 " },
		{ "UPDATE", "", "", 200, "BYE sip:ann@192.0.2.7:5070 " },
		{ "INVITE", sdp_video, "Contact: <sip:ann@192.0.2.8>\r\n", 488,
		  "BYE sip:ann@192.0.2.7:5070 " },
		{ "UPDATE", "", "Contact: *\r\n", 200,
		  "BYE sip:ann@192.0.2.7:5070 " },
		{ "INFO", "", "Contact: <sip:ann@192.0.2.8>\r\n", 200,
		  "BYE sip:ann@192.0.2.7:5070 " },
		{ "OPTIONS", "", "Contact: <sip:ann@192.0.2.8>\r\n", 200,
		  "BYE sip:ann@192.0.2.7:5070 " },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct target_row *r = &rows[i];

		wire_start();
		wire_call(SIP_TCP, sdp_plain);
		fixture.contact = r->contact;
		wire_request(SIP_TCP, r->method, 2, "", r->body);
		CHECK_STATUS(SIP_TCP, r->status);
		if (strcmp(r->method, "INVITE") == 0 && r->status == 200)
			wire_request(SIP_TCP, "ACK", 2, "", sdp_plain);
		sip_calls_end_all(fixture.calls);
		if (!wire_has(SIP_TCP, r->bye))
			unit_note("row %zu: %.80s", i,
				  fixture.wire[SIP_TCP].last);
		CU_ASSERT_TRUE(wire_has(SIP_TCP, r->bye));
		wire_stop();
	}
}

static void test_others(void)
{
	wire_start();
	wire_call(SIP_TCP, sdp_plain);
	wire_request(SIP_TCP, "INFO", 2, "", "");
	CHECK_STATUS(SIP_TCP, 200);
	wire_request(SIP_TCP, "INFO", 3, "", "Signal=5\r\n");
	CHECK_STATUS(SIP_TCP, 415);
	wire_request(SIP_TCP, "OPTIONS", 4, "", "");
	CHECK_STATUS(SIP_TCP, 200);
	CU_ASSERT_STRING_EQUAL(wire_field(SIP_TCP, "Allow"), SIP_ALLOW);
	wire_request(SIP_TCP, "PRACK", 5, "", "");
	CHECK_STATUS(SIP_TCP, 405);
	CHECK_SEEN("");
	wire_stop();
}

/* Tags of another dialog, another Call-ID, and a plain connection for a call
 * that began over TLS. */
static void test_strangers(void)
{
	char tag[64];

	wire_start();
	wire_call(SIP_TLS, sdp_plain);
	wire_request(SIP_TCP, "BYE", 2, "", "");
	CHECK_STATUS(SIP_TCP, 481);
	wire_request(SIP_UDP, "INVITE", 2, "", sdp_plain);
	CHECK_STATUS(SIP_UDP, 481);
	strcpy(tag, fixture.tag);
	strcpy(fixture.tag, "another");
	wire_request(SIP_TLS, "BYE", 2, "", "");
	CHECK_STATUS(SIP_TLS, 481);
	CHECK_SEEN("");
	strcpy(fixture.tag, tag);
	wire_request(SIP_TLS, "BYE", 2, "", "");
	CHECK_STATUS(SIP_TLS, 200);
	CHECK_SEEN("d");
	wire_stop();
}

/* Both hang up at the same time. */
static void test_crossing_byes(void)
{
	char ours[8192];

	wire_start();
	wire_call(SIP_TCP, sdp_plain);
	sip_calls_end_all(fixture.calls);
	CHECK_METHOD(SIP_TCP, "BYE");
	strcpy(ours, fixture.wire[SIP_TCP].last);
	wire_request(SIP_TCP, "INVITE", 2, "", sdp_plain);
	CHECK_STATUS(SIP_TCP, 481);
	wire_request(SIP_TCP, "BYE", 3, "", "");
	CHECK_STATUS(SIP_TCP, 200);
	strcpy(fixture.wire[SIP_TCP].last, ours);
	wire_answer(SIP_TCP, 481, "", "");
	CHECK_SEEN("d");
	CU_ASSERT_EQUAL(sip_calls_count(fixture.calls), 0);
	wire_stop();
}

int main(int argc, char **argv)
{
	const struct unit_test tests[] = {
		{ "hold and resume", test_hold },
		{ "versions of descriptions", test_versions },
		{ "what does not fit", test_refused },
		{ "late offers", test_late },
		{ "late offers of encrypted calls", test_late_secure },
		{ "the target", test_target },
		{ "INFO, OPTIONS, PRACK", test_others },
		{ "strangers", test_strangers },
		{ "BYE from both sides", test_crossing_byes },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "sip-call-change", tests, NULL, NULL);
}
