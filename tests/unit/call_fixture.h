/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_CALL_FIXTURE_H
#define SB_TESTS_UNIT_CALL_FIXTURE_H

#include "sip/sip_calls.h"

/* Calls on a real stack and a real media engine, and the other side of them at
 * the ends of flows in memory. Time stands until wire_run() moves it. */

struct wire {
	struct sip_flow flow;
	bool broken;
	unsigned sent;
	char last[8192]; /* what was sent last */
	char all[65536]; /* all of it since the last look */
};

struct call_fixture {
	struct sip_stack *stack;
	struct sip_calls *calls;
	struct media *media;
	struct wire wire[3]; /* by transport */
	int64_t now;
	char seen[64]; /* a alerting, c connected, d disconnected; a word for
			* each change */
	struct sip_call_facts facts; /* of the last change */
	char tag[64];                /* ours, of the last answer with one */
	char branch[64];             /* of the last request of theirs */
	char body[4096];             /* of the last message with one */
	struct sip_call_rules rules;
	struct sip_calls_options options; /* before wire_start() */
	unsigned streams;                 /* the same; 0: 64 */
	unsigned requests;
	const char *contact; /* a field of their requests; NULL: the usual */
	unsigned call;       /* in their Call-ID */
};

extern struct call_fixture fixture;

void wire_start(void);
void wire_stop(void);

void wire_write(enum sip_transport over, const char *text);
/* A request of theirs in that call, with further fields and a body (or ""); the
 * tag in To is ours once it is known. */
void wire_request(enum sip_transport over, const char *method, unsigned cseq,
		  const char *more, const char *body);
/* To what we sent last over it. */
void wire_answer(enum sip_transport over, unsigned status, const char *more,
		 const char *body);
void wire_cancel(enum sip_transport over, unsigned cseq);
/* Another call of theirs, with its own Call-ID. */
void wire_invite_as(enum sip_transport over, const char *id, const char *body);
void wire_run(int64_t ms);
/* Until the media's thread has said something, at most that long. */
bool wire_wait(const char *seen, int ms);

/* Session descriptions. */
extern const char sdp_plain[], sdp_held[], sdp_inactive[], sdp_srtp[],
    sdp_video[], sdp_g729[];

/* Status of the last message, 0: it is a request. */
unsigned wire_status(enum sip_transport over);
/* Its method. */
const char *wire_method(enum sip_transport over);
const char *wire_field(enum sip_transport over, const char *name);
bool wire_has(enum sip_transport over, const char *text);

#define CHECK_STATUS(over, wanted) wire_check_status(over, wanted, __LINE__)
void wire_check_status(enum sip_transport over, unsigned wanted, int line);
#define CHECK_METHOD(over, wanted) wire_check_method(over, wanted, __LINE__)
void wire_check_method(enum sip_transport over, const char *wanted, int line);
#define CHECK_SEEN(wanted) wire_check_seen(wanted, __LINE__)
void wire_check_seen(const char *wanted, int line);
#define CHECK_END(why) wire_check_end(why, __LINE__)
void wire_check_end(enum sip_end why, int line);

/* A call that stands. */
void wire_call(enum sip_transport over, const char *offer);

#endif
