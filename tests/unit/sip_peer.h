/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_SIP_PEER_H
#define SB_TESTS_UNIT_SIP_PEER_H

#include "sip/sip_stack.h"

/* A stack with a user that notes what it is told, and peers at the ends of
 * flows in memory that write and read texts. Time stands still until peer_run()
 * moves it. */

enum { PEER_SENT_MAX = 64, PEER_KNOWN_MAX = 32 };

struct peer_flow {
	struct sip_flow flow;
	bool broken, destroyed;        /* broken: send says that it is gone */
	unsigned sent;                 /* since the start */
	char last[8192];               /* what was sent last */
	char lines[PEER_SENT_MAX][96]; /* the first line of each */
};

/* What the user saw: letters, in order. r request, a ack, c cancelled, one
 * digit for each answer (its class), T timed out, C no connection, L transport
 * lost, f flow lost, e ended. */
struct peer_user {
	char seen[512];
	char body[256]; /* of the last request */
	size_t body_length, bodies;
	unsigned reply;  /* what request() gives back */
	bool late;       /* request() answers nothing */
	bool hangs_up;   /* ack() sends a BYE */
	bool asks;       /* ended() sends OPTIONS, once */
	unsigned status; /* else request() replies with that */
	struct sip_transaction *last, *known[PEER_KNOWN_MAX];
	uint64_t ticket; /* of connect() */
	char host[64];
};

struct peer {
	struct sip_stack *stack;
	struct peer_user user;
	struct peer_flow flow[3]; /* by transport */
	int64_t now;
};

extern struct peer peer; /* one at a time */

void peer_start(unsigned most, unsigned most_of_peer);
void peer_stop(void); /* asserts that nothing is left */

void peer_write(enum sip_transport over, const char *text);
/* A request with those parts; branch NULL: no Via parameter. cseq_method NULL:
 * the method. to_tag "" for none. */
void peer_request(enum sip_transport over, const char *method,
		  const char *branch, const char *to_tag);
/* An answer to what was sent last over that flow, with its Via, From, Call-ID
 * and CSeq. */
void peer_answer(enum sip_transport over, unsigned status, const char *to_tag);
void peer_answer_to(enum sip_transport over, const char *sent, unsigned status,
		    const char *to_tag);
/* Lets so much time pass, with the ticks that the stack wants. */
void peer_run(int64_t ms);

/* Sends a request of ours. */
struct sip_transaction *peer_send(enum sip_transport over, const char *method);
struct osip_message *peer_message(const char *method);
struct osip_message *peer_empty_message(void);

void peer_reply(struct sip_transaction *t, unsigned status);

/* Assertions: what the user has seen since the last call, and how many
 * messages went over the flow, of which the last begins so. */
#define CHECK_SEEN(wanted) peer_check_seen(wanted, __LINE__)
void peer_check_seen(const char *wanted, int line);
#define CHECK_SENT(over, count, begin) \
	peer_check_sent(over, count, begin, __LINE__)
void peer_check_sent(enum sip_transport over, unsigned count, const char *begin,
		     int line);
/* The value of a header field of a text, in a static buffer; "" without it. */
const char *peer_field(const char *text, const char *name);

#endif
