/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_AGENT_FIXTURE_H
#define SB_TESTS_UNIT_AGENT_FIXTURE_H

#include "sip/sip_agent.h"

/* An agent on seams of memory: the DNS and the connections are answered by the
 * test, and what is sent is a text. Time stands still until agent_run(). */

enum { AGENT_FLOWS = 20, AGENT_TEXT = 8192, AGENT_QUESTIONS = 8 };

struct agent_flow {
	struct sip_flow flow;
	struct sip_target target;
	char host[64];
	uint64_t ticket; /* asked for, not answered yet */
	unsigned sent;
	char last[AGENT_TEXT]; /* what was sent last */
	bool open, lost, destroyed;
};

struct agent_stage {
	struct sip_agent *agent;
	int64_t now;
	/* The DNS. */
	uint64_t question; /* 0: none is open */
	unsigned questions, cancelled;
	char asked[256];
	bool foreign;
	bool several; /* questions may be open; that above is the eldest */
	struct agent_question {
		uint64_t ticket;
		char asked[256];
	} waiting[AGENT_QUESTIONS];
	unsigned waiting_count;
	bool no_route; /* the kernel knows no way */
	unsigned wakes;
	/* In the order in which they were asked for. */
	struct agent_flow flows[AGENT_FLOWS];
	unsigned count;
};

extern struct agent_stage stage; /* one at a time */
extern const char *agent_local;  /* our address; 192.0.2.100 at first */

void agent_start(void);
/* Asserts that nothing is left: every flow but those of the test released. */
void agent_stop(void);
void agent_run(int64_t ms);

/* Answers the DNS: n targets over that transport, 192.0.2.1 and up. 0: there
 * is none. */
void agent_resolve(enum sip_transport transport, unsigned n);
/* The same with that one target. */
void agent_resolve_to(enum sip_transport transport, const char *address,
		      uint16_t port);
/* Answers the flow that was asked for last. end SIP_END_NONE: it is there. */
void agent_connect(enum sip_end end);
/* A flow of the test's own, open. */
struct agent_flow *agent_flow(enum sip_transport transport);
void agent_lose(struct agent_flow *f, enum sip_end end);
/* An answer to what was sent last over f; more: header fields, each with its
 * line end, or "". */
void agent_answer(struct agent_flow *f, unsigned status, const char *more);
/* The value of a header field of a text in a static buffer; "" without it. */
const char *agent_field(const char *text, const char *name);

#endif
