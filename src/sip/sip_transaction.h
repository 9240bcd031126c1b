/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_TRANSACTION_H
#define SB_SIP_SIP_TRANSACTION_H

#include <sys/time.h>
#include <osip2/osip.h>

#include "front/list.h"
#include "sip/sip_stack.h"

/* Private to sip_stack.c and sip_transaction*.c. A transaction is found by
 * keyed digests of what identifies it, so that strangers cannot choose where it
 * lies; libosip2's state machine is run by hand, and what its callbacks say is
 * noted in flags and acted upon when the machine is at rest: it changes its
 * state after its callbacks, and what is sent from within would be lost. */

enum {
	SIP_KEY_SIZE = 16,
	SIP_BUCKETS = 4096,
	SIP_PEERS = 4096, /* counters that addresses are hashed to */
	SIP_TAG_SIZE = 17,
	SIP_BRANCH_BYTES = 12,
};

enum sip_slot_kind {
	SIP_SLOT_MAIN,  /* branch, sent-by, method (17.1.3, 17.2.3) */
	SIP_SLOT_ACK,   /* what the ACK to our 2xx will hold */
	SIP_SLOT_MERGE, /* the same request on another way (8.2.2.2) */
	SIP_SLOTS
};

struct sip_slot {
	struct list link; /* to itself: not in the table */
	uint8_t key[SIP_KEY_SIZE];
	struct sip_transaction *owner;
};

struct sip_transaction {
	struct sip_stack *stack;
	struct list all, dirty;
	struct list done; /* server: waits for copies only */
	struct sip_slot slots[SIP_SLOTS];
	bool server, invite;
	bool known;    /* to the user: ended() is owed */
	bool rests;    /* the machine has terminated */
	bool accepted; /* INVITE with a 2xx (RFC 6026) */
	bool acked;    /* server: and its ACK */
	bool final;    /* server: sent; client: given to the user */
	bool took;     /* client: the machine took the answer */
	bool failing;  /* to be told, and why: */
	bool over;     /* to be ended */
	bool cancelling, cancelled; /* client: wanted; CANCEL was sent */
	enum sip_failure failure;
	osip_transaction_t *machine; /* NULL: no flow yet, or accepted */
	osip_message_t *request;     /* while there is no machine */
	struct sip_flow *flow;
	uint64_t ticket; /* 0: no flow was asked for */
	void *mark;
	char to_tag[SIP_TAG_SIZE];
	unsigned peer;      /* server: index of its address's counter */
	int64_t until;      /* 0, or when it is given up */
	int64_t again;      /* 0, or when the 2xx is sent again */
	int64_t again_gap;  /* and how long after the last time */
	struct buf success; /* server: the 2xx as it was sent */
};

struct sip_stack {
	struct sip_stack_config config;
	char *sent_by;
	osip_t *osip;
	int64_t now, next;
	unsigned depth; /* calls within calls */
	size_t count;
	uint64_t tickets;
	uint8_t salt[32];
	struct list all, dirty;
	struct list done; /* the eldest first: they give way to new ones */
	struct list buckets[SIP_BUCKETS];
	uint16_t peers[SIP_PEERS];
};

/* Around whatever may run a machine; what has ended goes when the outermost
 * one is left. */
void sip_stack_enter(struct sip_stack *s);
void sip_stack_leave(struct sip_stack *s);
/* A tick is wanted then. */
void sip_stack_wake(struct sip_stack *s, int64_t when);

/* sip_transaction.c */
int sip_machines_new(struct sip_stack *s, struct error *e) MUST_CHECK;
int sip_key_main(struct sip_stack *s, const struct sip_flow *flow,
		 const osip_message_t *request, const char *method,
		 uint8_t key[SIP_KEY_SIZE]) MUST_CHECK;
int sip_key_client(struct sip_stack *s, const char *branch, const char *method,
		   uint8_t key[SIP_KEY_SIZE]) MUST_CHECK;
int sip_key_ack(struct sip_stack *s, const osip_message_t *m,
		uint8_t key[SIP_KEY_SIZE]) MUST_CHECK;
int sip_key_merge(struct sip_stack *s, const osip_message_t *request,
		  uint8_t key[SIP_KEY_SIZE]) MUST_CHECK;
unsigned sip_peer_index(const struct sip_stack *s, const char *address);
struct sip_transaction *sip_find(struct sip_stack *s, enum sip_slot_kind kind,
				 const uint8_t key[SIP_KEY_SIZE]);
void sip_put(struct sip_transaction *t, enum sip_slot_kind kind,
	     const uint8_t key[SIP_KEY_SIZE]);
struct sip_transaction *sip_transaction_new(struct sip_stack *s, bool server,
					    struct error *e) MUST_CHECK;
/* Gives t its machine for the request, which stays the caller's. */
int sip_transaction_start(struct sip_transaction *t, osip_fsm_type_t type,
			  osip_message_t *request, struct error *e) MUST_CHECK;
/* Takes the event. */
void sip_transaction_run(struct sip_transaction *t, osip_event_t *event);
int sip_flow_write(struct sip_flow *flow, osip_message_t *m, struct buf *copy,
		   struct error *e) MUST_CHECK;

/* sip_transaction_server.c: take the event. False: nobody was charged with the
 * request, and *status says what it is answered with, 0 for nothing. */
bool sip_take_request(struct sip_stack *s, struct sip_flow *flow,
		      osip_event_t *event, unsigned *status);

/* sip_transaction_client.c */
void sip_take_answer(struct sip_stack *s, struct sip_flow *flow,
		     osip_event_t *event);

/* sip_transaction_end.c */
void sip_transaction_soil(
    struct sip_transaction *t); /* look at it at the end */
void sip_transaction_fail(struct sip_transaction *t, enum sip_failure why);
void sip_transaction_end(struct sip_transaction *t);
void sip_accept(struct sip_transaction *t);
/* The 2xx has found its ACK. */
void sip_accepted_done(struct sip_transaction *t);
/* Is there room for another one, of that address when it is a server's? peer:
 * SIP_PEERS for one of ours. What waits for copies only is ended for it. */
bool sip_make_room(struct sip_stack *s, unsigned peer);
void sip_sweep(struct sip_stack *s);

/* sip_transaction_timers.c */
void sip_transactions_tick(struct sip_stack *s);
int64_t sip_transactions_next(const struct sip_stack *s); /* -1: none runs */

#endif
