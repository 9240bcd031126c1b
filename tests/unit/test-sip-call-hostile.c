/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/unit.h"
#include "tests/unit/call_fixture.h"

/* Calls with those who keep to nothing: whatever comes, in whatever order,
 * nothing is left behind. The sequences are the same in each run. */

static uint32_t state;
static unsigned said; /* the last CSeq */

static unsigned chance(unsigned of)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % of;
}

static const char *const bodies[] = {
	sdp_plain,
	sdp_held,
	sdp_inactive,
	sdp_srtp,
	sdp_video,
	sdp_g729,
	"",
	"v=0\r\n",
	"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\n"
	"t=0 0\r\nm=audio 40000 RTP/AVP 0\r\n",
	"v=0\r\no=- 1 1 IN IP6 ::1\r\ns=-\r\nc=IN IP6 ::1\r\n"
	"t=0 0\r\nm=audio 40000 RTP/AVP 0\r\n",
	"v=0\r\ns=-\r\nt=0 0\r\nm=audio 40000 RTP/SAVP 0\r\n"
	"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:short\r\n",
};

static const char *const fields[] = {
	"",
	"Session-Expires: 1\r\nSupported: timer\r\n",
	"Session-Expires: 4294967295;refresher=uac\r\nSupported: timer\r\n",
	"Session-Expires: -1\r\n",
	"Session-Expires: ;refresher\r\nMin-SE: ;\r\n",
	"Min-SE: 4294967295\r\nSupported: timer\r\n",
	"Allow: UPDATE\r\nSupported: ,,,\r\n",
	"Record-Route: <sip:p.example;lr>, <sip:q.example>\r\n",
	"Contact: <tel:5>\r\n",
	"Contact: *\r\n",
	"Content-Type: text/plain\r\n",
};

static const char *const methods[] = {
	"INVITE", "ACK",   "BYE",     "UPDATE", "CANCEL",
	"INFO",   "PRACK", "OPTIONS", "INVITE", "UPDATE",
};

/* Answers 2xx and others to whatever was sent last, request or not. */
static void answer_something(enum sip_transport over)
{
	static const unsigned statuses[] = { 100, 180, 200, 202, 302, 401,
					     408, 422, 481, 491, 500, 603 };

	if (wire_status(over) == 0 && fixture.wire[over].sent)
		wire_answer(over, statuses[chance(12)], fields[chance(11)],
			    bodies[chance(11)]);
}

static unsigned connected, ended;

static void note(void)
{
	connected += strchr(fixture.seen, 'c') != NULL;
	ended += strchr(fixture.seen, 'd') != NULL;
	fixture.seen[0] = '\0';
}

/* Numbers go up mostly, and most ACKs fit. */
static void say_something(enum sip_transport over)
{
	unsigned cseq = chance(8) ? ++said : chance(said + 2);

	wire_request(over, *fixture.tag ? methods[chance(10)] : "INVITE", cseq,
		     chance(2) ? "" : fields[chance(11)],
		     chance(2) ? sdp_plain : bodies[chance(11)]);
	if (chance(3))
		wire_request(over, "ACK", cseq, "",
			     chance(2) ? "" : bodies[chance(11)]);
}

static void do_something(void)
{
	enum sip_transport over = (enum sip_transport)chance(3);
	struct error e = ERROR_INIT;

	switch (chance(16)) {
	case 0: wire_run(1000 * (int64_t)chance(200)); break;
	case 1: answer_something(over); break;
	case 2:
		fixture.tag[0] = '\0';
		fixture.call++;
		break;
	case 3: wire_cancel(over, 1 + chance(4)); break;
	case 4: fixture.wire[over].broken = true; break;
	case 5:
		sip_stack_flow_lost(fixture.stack, &fixture.wire[over].flow);
		break;
	case 6:
		if (fixture.facts.id)
			(void)!sip_calls_end(fixture.calls, fixture.facts.id,
					     &e);
		break;
	default: say_something(over); fixture.wire[over].broken = false;
	}
	note();
}

static void test_any_order(void)
{
	connected = ended = 0;
	for (unsigned run = 0; run < 40; run++) {
		state = run;
		said = 0;
		fixture.options.ring_ms = run % 3 ? 0 : 2000;
		fixture.options.calls_max = 6;
		wire_start();
		for (unsigned i = 0; i < 120; i++) {
			do_something();
			CU_ASSERT_FATAL(media_count(fixture.media) <= 6);
		}
		wire_stop();
	}
	unit_note("%u calls stood, %u ended", connected, ended);
	CU_ASSERT(connected > 40 && ended > 40);
}

/* One byte, or a run of them, of a good INVITE is another. */
static void test_broken_bytes(void)
{
	char text[4096];
	size_t n;

	wire_start();
	for (unsigned run = 0; run < 1500; run++) {
		state = run;
		n = (size_t)snprintf(
		    text, sizeof(text),
		    "INVITE sip:echo@us.example SIP/2.0\r\n"
		    "Via: SIP/2.0/UDP h.example;branch=z9hG4bKx%u\r\n"
		    "From: \"A\" <sip:ann@h.example>;tag=f\r\n"
		    "To: <sip:echo@us.example>\r\nCall-ID: x%u\r\n"
		    "CSeq: 1 INVITE\r\nContact: <sip:ann@192.0.2.7>\r\n"
		    "Session-Expires: 90;refresher=uas\r\nSupported: timer\r\n"
		    "Record-Route: <sip:p.example;lr>\r\n"
		    "Content-Type: application/sdp\r\n"
		    "Content-Length: %zu\r\n\r\n%s",
		    run, run, strlen(sdp_srtp), sdp_srtp);
		for (unsigned i = chance(4); i < 4; i++)
			text[chance((unsigned)n)] = (char)(1 + chance(255));
		if (chance(4) == 0)
			text[chance((unsigned)n)] = '\0';
		wire_write(SIP_UDP, text);
		wire_run(chance(40000));
		fixture.seen[0] = '\0';
		fixture.wire[SIP_UDP].all[0] = '\0';
	}
	wire_stop();
}

/* Answers to requests of ours, broken likewise. */
static void test_broken_answers(void)
{
	for (unsigned run = 0; run < 200; run++) {
		char ours[8192];

		state = run;
		wire_start();
		wire_request(SIP_TCP, "INVITE", 1,
			     run % 2 ? "Allow: UPDATE\r\nSupported: timer\r\n"
				       "Session-Expires: 90\r\n"
				     : "Supported: timer\r\n"
				       "Session-Expires: 90\r\n",
			     sdp_plain);
		wire_request(SIP_TCP, "ACK", 1, "", "");
		for (unsigned i = 0; i < 4; i++) {
			wire_run(45000);
			strcpy(ours, fixture.wire[SIP_TCP].last);
			ours[chance((unsigned)strlen(ours))] =
			    (char)(1 + chance(255));
			if (chance(2))
				strcpy(fixture.wire[SIP_TCP].last, ours);
			answer_something(SIP_TCP);
			fixture.wire[SIP_TCP].all[0] = '\0';
		}
		wire_stop();
	}
}

/* The connection takes nothing any more, from the first byte or a later one. */
static void test_deaf(void)
{
	for (unsigned at = 0; at < 4; at++) {
		wire_start();
		fixture.wire[SIP_TCP].broken = at == 0;
		wire_request(SIP_TCP, "INVITE", 1, "", sdp_plain);
		if (at > 0) {
			fixture.wire[SIP_TCP].broken = at == 1;
			wire_request(SIP_TCP, "ACK", 1, "", "");
			fixture.wire[SIP_TCP].broken = true;
			wire_request(SIP_TCP, "UPDATE", 2, "", sdp_held);
		}
		if (at == 3)
			sip_stack_flow_lost(fixture.stack,
					    &fixture.wire[SIP_TCP].flow);
		sip_calls_end_all(fixture.calls);
		wire_run(100000);
		CU_ASSERT_EQUAL(sip_calls_count(fixture.calls), 0);
		wire_stop();
	}
}

int main(int argc, char **argv)
{
	const struct unit_test tests[] = {
		{ "in any order", test_any_order },
		{ "broken bytes", test_broken_bytes },
		{ "broken answers", test_broken_answers },
		{ "connections that take nothing", test_deaf },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "sip-call-hostile", tests, NULL, NULL);
}
