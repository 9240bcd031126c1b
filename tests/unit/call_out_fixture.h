/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_CALL_OUT_FIXTURE_H
#define SB_TESTS_UNIT_CALL_OUT_FIXTURE_H

#include "sip/sip_calls.h"
#include "tests/lib/unit.h"
#include "tests/unit/agent_fixture.h"

/* Calls that we place, on an agent without sockets; audio has real ones. */

enum { OUT_STREAMS = 8 }; /* audio, at a time */

extern struct out_stage {
	struct sip_calls *calls;
	struct media *media;
	char seen[64];               /* states since the last look: "acd" */
	struct sip_call_facts facts; /* of the call that changed last */
} out;

/* What descriptions of the other side begin with, and two of them. */
#define OUT_HEAD                                \
	"v=0\r\no=ann 1 1 IN IP4 127.0.0.1\r\n" \
	"s=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
extern const char out_plain[], out_secure[];

#define AT "Contact: <sip:b@192.0.2.1:5061;transport=tls>\r\n"

/* most: calls at a time, 0 for the usual. */
void out_begin(unsigned most);
void out_finish(void);

/* A call to what somebody types; user and password may be NULL. */
void out_place(const char *text, const char *user, const char *password);
/* Placed, and its INVITE has gone out: sent. */
void out_ring(enum sip_transport transport, char sent[AGENT_TEXT]);
/* Answers sent with a tag of theirs and a body. */
void out_answer(const char *sent, unsigned status, const char *tag,
		const char *more, const char *body);
/* A request of theirs in the call that invite began. */
void out_request(const char *invite, const char *method);

struct agent_flow *out_flow(void); /* the newest */
/* What was sent last over it begins so. */
bool out_says(const char *text);

void out_check_seen(const char *wanted, int line);
#define CHECK_SEEN(wanted) out_check_seen(wanted, __LINE__)
void out_check_end(enum sip_end why, int line);
#define CHECK_END(why) out_check_end(why, __LINE__)

#endif
