/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_STACK_H
#define SB_SIP_SIP_STACK_H

#include "base/buf.h"
#include "sip/sip_flow.h"
#include "sip/sip_locate.h"

/* SIP transactions (RFC 3261 17, RFC 6026) on libosip2 between flows below and
 * a user above. Everything here, and every callback, on one thread; nothing
 * waits. Time is handed in: sip_stack_now() with each turn of the loop. */

struct osip_message;
struct sip_stack;
struct sip_transaction;

enum {
	/* In all; some 18 KB each. An INVITE whose 2xx has found its ACK, and
	 * any request that has another answer, give way to new ones: whoever
	 * sends INVITEs and no ACKs keeps nobody out. */
	SIP_TRANSACTIONS_MAX = 4096,
	SIP_TRANSACTIONS_PEER_MAX = 1024, /* that one net began (sip_net.h) */
	SIP_T1_MS = 500,
	SIP_T2_MS = 4000,
	SIP_T4_MS = 5000,
	SIP_TIMEOUT_MS = 64 * SIP_T1_MS,
	SIP_TICK_MS = 50, /* timers are looked after not more often */
};

/* Why a transaction got no (further) answer. */
enum sip_failure {
	SIP_FAILED_TIMEOUT,   /* no answer within 64*T1 (as if 408), or no ACK
				 to a 2xx (13.3.1.4: end the call) */
	SIP_FAILED_CONNECT,   /* no flow: try the next target (as if 503) */
	SIP_FAILED_TRANSPORT, /* its flow was lost: the same */
};

/* What the user does. None may free the stack. A transaction is the user's to
 * name from request() or sip_stack_request() until ended(), which comes once
 * for each, possibly from within any call to the stack but
 * sip_stack_request(). Messages are borrowed for the call. */
struct sip_user_ops {
	/* A new request, not ACK, and CANCEL only in so far as it is none of
	 * the user's business. 0: it is answered now or later by
	 * sip_stack_reply(). Else the status of the answer, e.g. 481 when it
	 * names a dialog that is unknown; ended() comes all the same. */
	unsigned (*request)(void *user, struct sip_transaction *t,
			    const struct osip_message *request);
	/* The ACK to the 2xx that t was answered with, once. */
	void (*ack)(void *user, struct sip_transaction *t,
		    const struct osip_message *ack);
	/* The INVITE t was cancelled and answered with 487. */
	void (*cancelled)(void *user, struct sip_transaction *t);
	/* An answer to what sip_stack_request() sent: provisional ones, the
	 * final one, and each 2xx to an INVITE that comes, be it another
	 * fork's or a copy, for which the ACK is sent again (13.2.2.4). An ACK
	 * to others was sent already. */
	void (*response)(void *user, struct sip_transaction *t,
			 const struct osip_message *response);
	/* A client transaction has failed, or a server's 2xx found no ACK. */
	void (*timed_out)(void *user, struct sip_transaction *t,
			  enum sip_failure why);
	void (*flow_lost)(void *user, struct sip_flow *flow);
	void (*ended)(void *user, struct sip_transaction *t);
};

struct sip_stack_config {
	const struct sip_user_ops *ops;
	void *user;
	/* Asks for a flow; answered, not from within, by sip_stack_connected()
	 * with the ticket, in each case: the deadline is the transport's. host
	 * is what was dialled: the name that the peer's
	 * certificate has to prove (RFC 5922). */
	void (*connect)(void *arg, const struct sip_target *target,
			const char *host, uint64_t ticket);
	void *connect_arg;
	/* Our name in Via (18.1.1); NULL: the local address of the flow. */
	const char *sent_by;
	/* Where we listen, by enum sip_transport; 0: the port of the flow. */
	uint16_t port[3];
	unsigned transactions_max, transactions_peer_max; /* 0: as above */
};

/* NULL: ERR_NOMEM. The strings of the configuration are copied. */
struct sip_stack *sip_stack_new(const struct sip_stack_config *c,
				struct error *e) MUST_CHECK;
/* Ends every transaction without a word to peers; ended() comes for each. */
void sip_stack_free(struct sip_stack *s);

/* --- from the loop and the transports */

/* We listen elsewhere from now on; 0: the port of the flow. */
void sip_stack_set_port(struct sip_stack *s, enum sip_transport transport,
			uint16_t port);

/* Milliseconds of a monotonic clock: before anything else in a turn. */
void sip_stack_now(struct sip_stack *s, int64_t now_ms);
/* When sip_stack_tick() is wanted; -1: nothing waits. */
int64_t sip_stack_next_ms(const struct sip_stack *s);
void sip_stack_tick(struct sip_stack *s);

/* A whole message: what sip_frame.h framed, or a datagram. */
void sip_stack_received(struct sip_stack *s, struct sip_flow *flow,
			struct view message);
/* Nothing goes through it any more. */
void sip_stack_flow_lost(struct sip_stack *s, struct sip_flow *flow);
/* The answer to connect(). flow NULL: there is none, and reason, one line for
 * the log, says why. Unknown tickets are of transactions that ended. */
void sip_stack_connected(struct sip_stack *s, uint64_t ticket,
			 struct sip_flow *flow, const char *reason);

/* --- from the user */

/* How a request gets to its peer: over that flow, or one to be made. */
struct sip_way {
	struct sip_flow *flow;
	struct sip_target target; /* flow NULL */
	const char *host;
};

/* Sends a request (not CANCEL) with all but Via and Max-Forwards in it, and
 * takes the message whatever happens. What becomes of it comes by response() or
 * timed_out(), not from within the call. The next target of several is tried
 * with a new request. An INVITE that rings waits until the user cancels it. An
 * ACK to a 2xx, which needs a flow to be made, ends as soon as it is sent.
 * NULL: ERR_LIMIT, ERR_NOMEM, ERR_INPUT. */
struct sip_transaction *sip_stack_request(struct sip_stack *s,
					  const struct sip_way *way,
					  struct osip_message *request,
					  void *mark,
					  struct error *e) MUST_CHECK;
/* The ACK to a 2xx (13.2.2.4), no transaction; takes the message. 0, or -1:
 * ERR_IO (the flow is gone), ERR_NOMEM, ERR_INPUT. */
int sip_stack_ack(struct sip_stack *s, struct sip_flow *flow,
		  struct osip_message *ack, struct error *e) MUST_CHECK;
/* Cancels an INVITE of ours: the CANCEL goes out as soon as there is a
 * provisional answer (9.1), and 64*T1 after it the INVITE fails if there is
 * still no final one. A 2xx may come first. */
void sip_stack_cancel(struct sip_transaction *t);

/* An answer to t with what is copied from the request and the tag in To that t
 * gives to all of them; a 503 has its Retry-After. NULL: ERR_NOMEM, ERR_INPUT.
 */
struct osip_message *sip_stack_answer(const struct sip_transaction *t,
				      unsigned status,
				      struct error *e) MUST_CHECK;
/* Sends such an answer and takes it. 0, or -1: ERR_CONFLICT, t has its final
 * answer (a CANCEL was faster) or its flow is gone. */
int sip_stack_reply(struct sip_transaction *t, struct osip_message *answer,
		    struct error *e) MUST_CHECK;

/* --- of a transaction */

const struct osip_message *sip_transaction_request(
    const struct sip_transaction *t);
/* NULL until there is one. Borrowed. */
struct sip_flow *sip_transaction_flow(const struct sip_transaction *t);
const char *sip_transaction_to_tag(const struct sip_transaction *t);
/* The user's own pointer; NULL at first for incoming requests. */
void sip_transaction_set_mark(struct sip_transaction *t, void *mark);
void *sip_transaction_mark(const struct sip_transaction *t);

size_t sip_stack_count(const struct sip_stack *s); /* transactions */

#endif
