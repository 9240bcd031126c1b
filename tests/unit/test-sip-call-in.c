/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "tests/lib/unit.h"
#include "tests/unit/call_fixture.h"

/* Calls that come: until they stand, and why they do not. */

static void test_answers(void)
{
	struct sip_call_facts f;

	wire_start();
	wire_request(SIP_TCP, "INVITE", 1, "", sdp_plain);
	CHECK_STATUS(SIP_TCP, 200);
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.wire[SIP_TCP].all, "100 Trying"));
	CU_ASSERT_STRING_EQUAL(wire_field(SIP_TCP, "Contact"),
			       "<sip:echo@127.0.0.1:5062;transport=tcp>");
	CU_ASSERT_STRING_EQUAL(wire_field(SIP_TCP, "Allow"), SIP_ALLOW);
	CU_ASSERT_STRING_EQUAL(wire_field(SIP_TCP, "Supported"), "timer");
	CU_ASSERT_STRING_EQUAL(wire_field(SIP_TCP, "Content-Type"),
			       "application/sdp");
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.body, " RTP/AVP 8 101\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.body, "c=IN IP4 127.0.0.1\r\n"));
	CHECK_SEEN("a");
	CU_ASSERT_TRUE(fixture.facts.incoming);
	CU_ASSERT_STRING_EQUAL(fixture.facts.peer, "sip:ann@h.example");
	CU_ASSERT_STRING_EQUAL(fixture.facts.peer_name, "Ann \"x\"");
	CU_ASSERT_EQUAL(fixture.facts.link.transport, SIP_TCP);
	CU_ASSERT_STRING_EQUAL(fixture.facts.link.address, "192.0.2.7");
	wire_request(SIP_TCP, "ACK", 1, "", "");
	CHECK_SEEN("c");
	CU_ASSERT_EQUAL(fixture.facts.encryption, SIP_UNENCRYPTED);
	CU_ASSERT_STRING_EQUAL(fixture.facts.codec, "PCMA");
	CU_ASSERT_EQUAL(sip_calls_list(fixture.calls, &f, 1), 1);
	CU_ASSERT_EQUAL(f.id, fixture.facts.id);
	wire_request(SIP_TCP, "BYE", 2, "", "");
	CHECK_STATUS(SIP_TCP, 200);
	CHECK_SEEN("d");
	CHECK_END(SIP_END_REMOTE_TEARDOWN);
	CU_ASSERT_EQUAL(sip_calls_list(fixture.calls, &f, 1), 0);
	CU_ASSERT_EQUAL(sip_calls_count(fixture.calls), 0);
	wire_request(SIP_TCP, "BYE", 3, "", "");
	CHECK_STATUS(SIP_TCP, 481);
	wire_stop();
}

/* Its key comes back with the tag and suite of theirs. */
static void test_secure(void)
{
	static const enum sip_transport over[] = { SIP_TLS, SIP_UDP };

	for (size_t i = 0; i < 2; i++) {
		wire_start();
		wire_call(over[i], sdp_srtp);
		CU_ASSERT_EQUAL(fixture.facts.encryption, SIP_ENCRYPTED);
		CU_ASSERT_PTR_NOT_NULL(
		    strstr(fixture.body, " RTP/SAVP 0 101\r\n"));
		CU_ASSERT_PTR_NOT_NULL(
		    strstr(fixture.body, "a=crypto:3 AES_CM_128_HMAC_SHA1_32 "
					 "inline:"));
		CU_ASSERT_PTR_NULL(strstr(fixture.body, "WVNfX19z"));
		wire_stop();
	}
}

struct refusal_row {
	enum sip_transport over;
	const char *more, *body;
	unsigned status;
	const char *field, *value;
};

static void test_refusals(void)
{
	const struct refusal_row rows[] = {
		{ SIP_UDP, "", sdp_video, 488, "Warning", "305 sealbridge" },
		{ SIP_UDP, "", sdp_g729, 488, "Warning", "305" },
		{ SIP_UDP, "", "v=1\r\n", 400, "Warning", "399" },
		{ SIP_UDP, "", "nonsense", 400, "Warning", "399" },
		/* Not with our own, nor with many. */
		{ SIP_UDP, "",
		  "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 "
		  "224.0.0.5\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n",
		  488, "Warning", "305" },
		{ SIP_UDP, "",
		  "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 "
		  "224.0.0.5/127\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n",
		  488, "Warning", "305" },
		{ SIP_UDP, "Require: 100rel\r\n", sdp_plain, 420, "Unsupported",
		  "100rel" },
		{ SIP_TCP, "Supported: timer\r\nSession-Expires: 89\r\n",
		  sdp_plain, 422, "Min-SE", "90" },
		{ SIP_TCP, "Session-Expires: soon\r\n", sdp_plain, 400, "To",
		  "" },
		{ SIP_TCP, "Record-Route: <sips:p.example;lr>\r\n", sdp_plain,
		  480, "Warning", "380" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct refusal_row *r = &rows[i];

		wire_start();
		wire_request(r->over, "INVITE", 1, r->more, r->body);
		wire_check_status(r->over, r->status, (int)i);
		if (!strstr(wire_field(r->over, r->field), r->value))
			unit_note("row %zu: %s: %s", i, r->field,
				  wire_field(r->over, r->field));
		CU_ASSERT_PTR_NOT_NULL(
		    strstr(wire_field(r->over, r->field), r->value));
		CHECK_SEEN("");
		CU_ASSERT_EQUAL(sip_calls_count(fixture.calls), 0);
		CU_ASSERT_EQUAL(media_count(fixture.media), 0);
		wire_stop();
	}
}

/* A Contact that nothing can be sent to makes no dialog. */
static void test_no_contact(void)
{
	wire_start();
	wire_write(SIP_UDP,
		   "INVITE sip:x@us.example SIP/2.0\r\n"
		   "Via: SIP/2.0/UDP h.example;branch=z9hG4bKq\r\n"
		   "From: <sip:a@h.example>;tag=f\r\nTo: <sip:x@us.example>\r\n"
		   "Call-ID: q\r\nCSeq: 1 INVITE\r\n"
		   "Content-Length: 0\r\n\r\n");
	CHECK_STATUS(SIP_UDP, 400);
	wire_write(SIP_UDP,
		   "INVITE sip:x@us.example SIP/2.0\r\n"
		   "Via: SIP/2.0/UDP h.example;branch=z9hG4bKr\r\n"
		   "From: <sip:a@h.example>;tag=f\r\nTo: <sip:x@us.example>\r\n"
		   "Call-ID: r\r\nCSeq: 1 INVITE\r\nContact: *\r\n"
		   "Content-Length: 0\r\n\r\n");
	CHECK_STATUS(SIP_UDP, 400);
	CU_ASSERT_EQUAL(sip_calls_count(fixture.calls), 0);
	wire_stop();
}

/* RFC 5630: what came for sips: is answered with one. */
static void test_sips(void)
{
	wire_start();
	wire_request(SIP_TLS, "INVITE", 1,
		     "Record-Route: <sips:p.example;lr>\r\n", sdp_plain);
	CHECK_STATUS(SIP_TLS, 200);
	CU_ASSERT_STRING_EQUAL(wire_field(SIP_TLS, "Contact"),
			       "<sips:echo@127.0.0.1:5061>");
	CU_ASSERT_STRING_EQUAL(wire_field(SIP_TLS, "Record-Route"),
			       "<sips:p.example;lr>");
	wire_stop();
	wire_start();
	wire_request(SIP_TLS, "INVITE", 1, "", sdp_plain);
	CU_ASSERT_STRING_EQUAL(wire_field(SIP_TLS, "Contact"),
			       "<sip:echo@127.0.0.1:5061;transport=tls>");
	wire_stop();
}

/* What was written with escapes is no line of ours, nor of others. */
static void test_escapes(void)
{
	static const char user[] = "a%0d%0aEvil%3A%20yes%3C%22%00";
	char text[2048];

	wire_start();
	snprintf(
	    text, sizeof(text),
	    "INVITE sip:%s@us.example SIP/2.0\r\n"
	    "Via: SIP/2.0/TCP h.example;branch=z9hG4bKe\r\n"
	    "From: \"x\\\r\n y\" <sip:%s@h.example>;tag=from\r\n"
	    "To: <sip:%s@us.example>\r\n"
	    "Call-ID: c0@h.example\r\nCSeq: 1 INVITE\r\n"
	    "Contact: <sip:%s@192.0.2.7>\r\n"
	    "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
	    user, user, user, user, strlen(sdp_plain), sdp_plain);
	wire_write(SIP_TCP, text);
	CHECK_STATUS(SIP_TCP, 200);
	CU_ASSERT_FALSE(wire_has(SIP_TCP, "\nEvil"));
	CU_ASSERT_PTR_NULL(strpbrk(fixture.facts.peer, "\r\n\"<>"));
	CU_ASSERT_PTR_NULL(strpbrk(fixture.facts.peer_name, "\r\n"));
	snprintf(fixture.tag, sizeof(fixture.tag), "%s",
		 strstr(wire_field(SIP_TCP, "To"), ";tag=") + 5);
	wire_request(SIP_TCP, "ACK", 1, "", "");
	sip_calls_end_all(fixture.calls);
	CHECK_METHOD(SIP_TCP, "BYE");
	CU_ASSERT_FALSE(wire_has(SIP_TCP, "\nEvil"));
	wire_stop();
}

static const char sdp_v6[] = "v=0\r\no=- 1 1 IN IP6 ::1\r\ns=-\r\n"
			     "c=IN IP6 ::1\r\nt=0 0\r\n"
			     "m=audio 40000 RTP/AVP 0\r\n";

static const char sdp_far[] = "v=0\r\no=- 1 1 IN IP6 ::1\r\ns=-\r\n"
			      "c=IN IP6 fe80::1\r\nt=0 0\r\n"
			      "m=audio 40000 RTP/AVP 0\r\n";

static void be_at(enum sip_transport over, const char *address)
{
	struct sip_flow *flow = &fixture.wire[over].flow;

	strcpy(flow->local_address, address);
	strcpy(flow->peer_address, address);
}

static void check_place(const char *wanted)
{
	char line[64];

	snprintf(line, sizeof(line), "c=IN %s\r\n", wanted);
	if (!strstr(fixture.body, line))
		unit_note("no %s in %s", wanted, fixture.body);
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.body, line));
	CU_ASSERT_EQUAL(media_count(fixture.media), 1);
}

/* Media go by the offer's family, whatever the signalling has; it may change,
 * and a refused change changes nothing. */
static void test_families(void)
{
	static const struct {
		const char *signalling, *contact, *offer, *place;
		const char *then, *then_place;
	} rows[] = {
		{ "::1", "<sip:echo@[::1]:5062;transport=tcp>", sdp_v6,
		  "IP6 ::1", sdp_plain, "IP4 127.0.0.1" },
		{ "::1", "<sip:echo@[::1]:5062;transport=tcp>", sdp_plain,
		  "IP4 127.0.0.1", sdp_v6, "IP6 ::1" },
		{ "127.0.0.1", "<sip:echo@127.0.0.1:5062;transport=tcp>",
		  sdp_v6, "IP6 ::1", sdp_plain, "IP4 127.0.0.1" },
		{ "127.0.0.1", "<sip:echo@127.0.0.1:5062;transport=tcp>",
		  sdp_plain, "IP4 127.0.0.1", sdp_v6, "IP6 ::1" },
		/* An offer of ours is of the signalling's. */
		{ "::1", "<sip:echo@[::1]:5062;transport=tcp>", "", "IP6 ::1",
		  "", "IP6 ::1" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		wire_start();
		be_at(SIP_TCP, rows[i].signalling);
		wire_request(SIP_TCP, "INVITE", 1, "", rows[i].offer);
		CHECK_STATUS(SIP_TCP, 200);
		CU_ASSERT_STRING_EQUAL(wire_field(SIP_TCP, "Contact"),
				       rows[i].contact);
		check_place(rows[i].place);
		wire_request(SIP_TCP, "ACK", 1, "",
			     *rows[i].offer ? "" : sdp_v6);
		CHECK_SEEN("ac");
		/* A link-local address is reached from nowhere. */
		wire_request(SIP_TCP, "UPDATE", 2, "",
			     i % 2 ? sdp_far : sdp_g729);
		CHECK_STATUS(SIP_TCP, 488);
		CU_ASSERT_EQUAL(media_count(fixture.media), 1);
		wire_request(SIP_TCP, "UPDATE", 3, "", rows[i].then);
		CHECK_STATUS(SIP_TCP, 200);
		check_place(rows[i].then_place);
		wire_stop();
	}
}

/* 488 only where no address of ours reaches theirs, and with the reason. */
static void test_no_family(void)
{
	wire_start();
	wire_request(SIP_TCP, "INVITE", 1, "", sdp_far);
	CHECK_STATUS(SIP_TCP, 488);
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(wire_field(SIP_TCP, "Warning"), "301 sealbridge"));
	CU_ASSERT_EQUAL(media_count(fixture.media), 0);
	wire_stop();
}

/* No pair of ports: later, for a call, and for a move of one that stands. */
static void test_no_ports(void)
{
	fixture.streams = 1;
	wire_start();
	wire_call(SIP_TCP, sdp_plain);
	wire_request(SIP_TCP, "UPDATE", 2, "", sdp_v6);
	CHECK_STATUS(SIP_TCP, 500);
	CU_ASSERT_STRING_NOT_EQUAL(wire_field(SIP_TCP, "Retry-After"), "");
	for (int late = 0; late < 2; late++) {
		fixture.call++;
		fixture.tag[0] = '\0';
		wire_request(SIP_TCP, "INVITE", 1, "", late ? "" : sdp_plain);
		CHECK_STATUS(SIP_TCP, 503);
		CU_ASSERT_STRING_NOT_EQUAL(wire_field(SIP_TCP, "Retry-After"),
					   "");
	}
	CU_ASSERT_EQUAL(media_count(fixture.media), 1);
	CU_ASSERT_EQUAL(sip_calls_count(fixture.calls), 1);
	wire_stop();
}

/* --- the offer comes from us */

struct late_row {
	enum sip_transport over;
	const char *answer; /* in the ACK */
	enum sip_end end;   /* SIP_END_NONE: it stands */
	enum sip_encryption encryption;
};

static const char sdp_answer_srtp[] =
    "v=0\r\no=ann 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
    "t=0 0\r\nm=audio 40000 RTP/SAVP 0\r\n"
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
    "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";

static void test_late(void)
{
	const struct late_row rows[] = {
		{ SIP_UDP, sdp_plain, SIP_END_NONE, SIP_UNENCRYPTED },
		{ SIP_TLS, sdp_answer_srtp, SIP_END_NONE, SIP_ENCRYPTED },
		{ SIP_TLS, sdp_plain, SIP_END_CAPABILITY,
		  SIP_ENCRYPTION_UNKNOWN },
		{ SIP_TLS, sdp_srtp, SIP_END_CAPABILITY,
		  SIP_ENCRYPTION_UNKNOWN },
		{ SIP_UDP, sdp_srtp, SIP_END_CAPABILITY,
		  SIP_ENCRYPTION_UNKNOWN },
		{ SIP_UDP, sdp_video, SIP_END_CAPABILITY,
		  SIP_ENCRYPTION_UNKNOWN },
		{ SIP_UDP, "rubbish", SIP_END_CAPABILITY,
		  SIP_ENCRYPTION_UNKNOWN },
		{ SIP_UDP, "", SIP_END_PROTOCOL_ERROR, SIP_ENCRYPTION_UNKNOWN },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct late_row *r = &rows[i];

		wire_start();
		wire_request(r->over, "INVITE", 1, "", "");
		CHECK_STATUS(r->over, 200);
		CU_ASSERT_PTR_NOT_NULL(strstr(
		    fixture.body, r->over == SIP_TLS ? " RTP/SAVP 0 8 101\r\n"
						     : " RTP/AVP 0 8 101\r\n"));
		wire_request(r->over, "ACK", 1, "", r->answer);
		CU_ASSERT_EQUAL(fixture.facts.encryption, r->encryption);
		if (r->end == SIP_END_NONE) {
			CHECK_SEEN("ac");
		} else {
			CHECK_SEEN("ad");
			wire_check_end(r->end, (int)i);
			CHECK_METHOD(r->over, "BYE");
			wire_answer(r->over, 200, "", "");
			CU_ASSERT_EQUAL(sip_calls_count(fixture.calls), 0);
		}
		wire_stop();
	}
}

/* --- ends before it stands */

static void test_cancel(void)
{
	fixture.options.ring_ms = 3000;
	wire_start();
	wire_request(SIP_TCP, "INVITE", 1, "", sdp_plain);
	CHECK_STATUS(SIP_TCP, 180);
	CHECK_SEEN("a");
	wire_cancel(SIP_TCP, 1);
	CHECK_STATUS(SIP_TCP, 487);
	CHECK_SEEN("d");
	CHECK_END(SIP_END_REMOTE_TEARDOWN);
	CU_ASSERT_EQUAL(media_count(fixture.media), 0);
	wire_run(40000);
	CU_ASSERT_EQUAL(sip_calls_count(fixture.calls), 0);
	wire_stop();

	/* Too late: it stands. */
	wire_start();
	wire_request(SIP_TCP, "INVITE", 1, "", sdp_plain);
	wire_cancel(SIP_TCP, 1);
	CHECK_STATUS(SIP_TCP, 200);
	wire_request(SIP_TCP, "ACK", 1, "", "");
	CHECK_SEEN("ac");
	wire_stop();
}

static void test_rings(void)
{
	fixture.options.ring_ms = 3000;
	wire_start();
	wire_request(SIP_TCP, "INVITE", 1, "", sdp_plain);
	CHECK_STATUS(SIP_TCP, 180);
	/* A change has to wait, and so has a hang-up of theirs not to. */
	wire_request(SIP_TCP, "INVITE", 2, "", sdp_plain);
	CHECK_STATUS(SIP_TCP, 500);
	CU_ASSERT_STRING_NOT_EQUAL(wire_field(SIP_TCP, "Retry-After"), "");
	wire_request(SIP_TCP, "UPDATE", 3, "", sdp_plain);
	CHECK_STATUS(SIP_TCP, 500);
	wire_run(3000);
	CHECK_STATUS(SIP_TCP, 200);
	wire_request(SIP_TCP, "ACK", 1, "", "");
	CHECK_SEEN("ac");
	wire_stop();

	fixture.options.ring_ms = 3000;
	wire_start();
	wire_request(SIP_TCP, "INVITE", 1, "", sdp_plain);
	wire_request(SIP_TCP, "BYE", 2, "", "");
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(fixture.wire[SIP_TCP].all, "SIP/2.0 487"));
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(fixture.wire[SIP_TCP].all, "SIP/2.0 200"));
	CHECK_SEEN("ad");
	wire_stop();
}

/* There is nothing any more to answer. */
static void test_rings_lost(void)
{
	fixture.options.ring_ms = 3000;
	wire_start();
	wire_request(SIP_TCP, "INVITE", 1, "", sdp_plain);
	CHECK_SEEN("a");
	sip_stack_flow_lost(fixture.stack, &fixture.wire[SIP_TCP].flow);
	CHECK_SEEN("d");
	CHECK_END(SIP_END_NETWORK_ERROR);
	wire_run(5000);
	CU_ASSERT_EQUAL(sip_calls_count(fixture.calls), 0);
	wire_stop();
}

/* RFC 3261 13.3.1.4; the 2xx is repeated until then. */
static void test_no_ack(void)
{
	wire_start();
	wire_request(SIP_UDP, "INVITE", 1, "", sdp_plain);
	CHECK_STATUS(SIP_UDP, 200);
	wire_run(31000);
	CHECK_SEEN("a");
	wire_run(2000);
	CHECK_SEEN("d");
	CHECK_END(SIP_END_NETWORK_ERROR);
	CHECK_METHOD(SIP_UDP, "BYE");
	wire_run(40000);
	CU_ASSERT_EQUAL(sip_calls_count(fixture.calls), 0);
	wire_stop();
}

/* No BYE before the ACK (15): it is sent then. */
static void test_end_before_ack(void)
{
	struct error e = ERROR_INIT;

	wire_start();
	wire_request(SIP_TCP, "INVITE", 1, "", sdp_plain);
	CHECK_OK(sip_calls_end(fixture.calls, fixture.facts.id, &e), &e);
	CHECK_SEEN("ad");
	CHECK_STATUS(SIP_TCP, 200);
	CHECK_FAILS(sip_calls_end(fixture.calls, fixture.facts.id, &e), &e,
		    ERR_NOT_FOUND, "no such call");
	wire_request(SIP_TCP, "ACK", 1, "", "");
	CHECK_METHOD(SIP_TCP, "BYE");
	CHECK_SEEN("");
	wire_stop();
}

/* --- limits */

static void test_limits(void)
{
	fixture.options.calls_max = 3;
	fixture.options.calls_peer_max = 2;
	wire_start();
	strcpy(fixture.wire[SIP_TLS].flow.peer_address, "192.0.2.8");
	wire_invite_as(SIP_TCP, "a", sdp_plain);
	CHECK_STATUS(SIP_TCP, 200);
	wire_invite_as(SIP_UDP, "b", sdp_plain);
	CHECK_STATUS(SIP_UDP, 200);
	wire_invite_as(SIP_UDP, "c", sdp_plain);
	CHECK_STATUS(SIP_UDP, 486);
	CU_ASSERT_STRING_NOT_EQUAL(wire_field(SIP_UDP, "Retry-After"), "");
	wire_invite_as(SIP_TLS, "d", sdp_plain);
	CHECK_STATUS(SIP_TLS, 200);
	wire_invite_as(SIP_TLS, "e", sdp_plain);
	CHECK_STATUS(SIP_TLS, 503);
	CU_ASSERT_STRING_NOT_EQUAL(wire_field(SIP_TLS, "Retry-After"), "");
	CHECK_SEEN("aaa");
	wire_stop();
}

/* Who has one address of an IPv6 /64 has all of them. */
static void test_limit_of_a_net(void)
{
	fixture.options.calls_peer_max = 1;
	wire_start();
	strcpy(fixture.wire[SIP_TCP].flow.peer_address, "2001:db8:1:2::7");
	strcpy(fixture.wire[SIP_UDP].flow.peer_address, "2001:db8:1:2:9::8");
	strcpy(fixture.wire[SIP_TLS].flow.peer_address, "2001:db8:1:3::7");
	wire_invite_as(SIP_TCP, "a", sdp_plain);
	CHECK_STATUS(SIP_TCP, 200);
	wire_invite_as(SIP_UDP, "b", sdp_plain);
	CHECK_STATUS(SIP_UDP, 486);
	wire_invite_as(SIP_TLS, "c", sdp_plain);
	CHECK_STATUS(SIP_TLS, 200);
	wire_stop();
}

static void test_service_ends(void)
{
	wire_start();
	wire_call(SIP_TCP, sdp_plain);
	sip_calls_end_all(fixture.calls);
	CHECK_SEEN("d");
	CHECK_END(SIP_END_DISCONNECT_ALL);
	CHECK_METHOD(SIP_TCP, "BYE");
	CU_ASSERT_EQUAL(sip_calls_count(fixture.calls), 1);
	wire_answer(SIP_TCP, 200, "", "");
	CU_ASSERT_EQUAL(sip_calls_count(fixture.calls), 0);
	wire_invite_as(SIP_TCP, "new", sdp_plain);
	CHECK_STATUS(SIP_TCP, 503);
	wire_stop();
}

int main(int argc, char **argv)
{
	const struct unit_test tests[] = {
		{ "answers", test_answers },
		{ "keys are answered with ours", test_secure },
		{ "what does not fit is refused", test_refusals },
		{ "no Contact, no dialog", test_no_contact },
		{ "sips: is answered with sips:", test_sips },
		{ "escapes", test_escapes },
		{ "IPv4 and IPv6", test_families },
		{ "media that are out of reach", test_no_family },
		{ "no ports", test_no_ports },
		{ "late offers", test_late },
		{ "CANCEL", test_cancel },
		{ "while it rings", test_rings },
		{ "lost while it rings", test_rings_lost },
		{ "no ACK", test_no_ack },
		{ "ended here before the ACK", test_end_before_ack },
		{ "limits", test_limits },
		{ "limit of a net", test_limit_of_a_net },
		{ "the service ends", test_service_ends },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "sip-call-in", tests, NULL, NULL);
}
