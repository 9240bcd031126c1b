/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_CALLS_H
#define SB_SIP_SIP_CALLS_H

#include "base/secret.h"
#include "media/media.h"
#include "sip/sip_agent.h"
#include "sip/sip_facts.h"
#include "sip/sip_uri.h"

/* The calls (RFC 3261 13 to 15): INVITE with offer and answer (RFC 3264), also
 * late, changes of a call that stands, session timers (RFC 4028), and their
 * media. All of it on the loop, unless it is said. */

enum {
	SIP_CALLS_MAX = 1024,       /* at the same time */
	SIP_CALLS_PEER_MAX = 512,   /* with one address: 486 */
	SIP_CALL_ANSWER_MS = 60000, /* as long we let it ring at others */
};

struct sip_calls;

/* What of the settings counts for a call, as it begins. */
struct sip_call_rules {
	unsigned session_seconds; /* RFC 4028: what we ask for; 90 at least */
	unsigned media_seconds;   /* no media for so long ends it; 0: never */
};

struct sip_calls_options {
	struct sip_stack *stack;
	/* For calls of ours, and for requests in a call whose connection is
	 * lost; NULL: there are none. */
	struct sip_agent *agent;
	struct media *media;
	/* Where we listen, by enum sip_transport, for Contact; 0: the port of
	 * the flow. Read each time. NULL: all 0. */
	const uint16_t *ports;
	/* A call has begun, or what is known of it is another. */
	void (*changed)(void *arg, const struct sip_call_facts *f);
	/* sip_calls_tick() is wanted at once. From any thread, must not block
	 * nor call anything here. */
	void (*wake)(void *arg);
	/* NULL: 1800 and 60. */
	void (*rules)(void *arg, struct sip_call_rules *out);
	void *arg;
	/* Milliseconds that never go back; NULL: clock_monotonic_ms(). */
	int64_t (*now_ms)(void *arg);
	unsigned ring_ms; /* 180 for so long before a call is answered; 0: 200
			   * at once */
	unsigned calls_max, calls_peer_max; /* 0: as above */
};

/* NULL: ERR_NOMEM. */
struct sip_calls *sip_calls_new(const struct sip_calls_options *o,
				struct error *e) MUST_CHECK;
/* After the stack has gone, before transports and media; nobody is told. NULL
 * is fine. */
void sip_calls_free(struct sip_calls *c);

/* --- from the stack's user */

/* An INVITE, or a request in a dialog: sip_user_ops.request. The rest comes by
 * the mark (sip_owner.h), which is NULL when the answer was given at once. */
unsigned sip_calls_request(struct sip_calls *c, struct sip_transaction *t,
			   const struct osip_message *request);
/* Calls over it go on: their next request asks for another. */
void sip_calls_flow_lost(struct sip_calls *c, struct sip_flow *flow);

/* When sip_calls_tick() is wanted; -1: nothing waits. To be asked again after
 * each call here or into the stack. */
int64_t sip_calls_next_ms(const struct sip_calls *c);
void sip_calls_tick(struct sip_calls *c);

/* --- from those who look and decide */

/* For a call that begins here, before it does. Any thread. */
uint64_t sip_calls_id(struct sip_calls *c);

struct sip_call_wish {
	const struct sip_dialled *to;
	const char *from; /* URI in From; NULL: our address */
	/* For challenges; NULL: there are none. */
	const char *user_name;
	const struct secret *password;
	/* The way of its INVITE (sip_service_route.h); NULL: no other. */
	const char *routes;
};
/* Calls somebody. What becomes of it is told by changed(), from within for the
 * first time, also when it cannot be done. Texts are copied. ERR_NOMEM: nothing
 * is told. */
int sip_calls_place(struct sip_calls *c, uint64_t id,
		    const struct sip_call_wish *w, struct error *e) MUST_CHECK;
/* Hangs up; changed() comes from within. ERR_NOT_FOUND. */
int sip_calls_end(struct sip_calls *c, uint64_t id, struct error *e) MUST_CHECK;
/* All of them, and no new ones from here on: the service ends. They are gone
 * when sip_calls_count() is 0; how long to wait for that is the caller's. */
void sip_calls_end_all(struct sip_calls *c);

/* Calls that are not ended, the eldest first, with what is counted now; how
 * many there are in out. */
size_t sip_calls_list(struct sip_calls *c, struct sip_call_facts *out,
		      size_t max);
/* false: it has ended, or there was none. */
bool sip_calls_find(struct sip_calls *c, uint64_t id,
		    struct sip_call_facts *out);
/* Calls fn for each that has not ended, with what is counted now; how many
 * there were. fn calls nothing here. */
size_t sip_calls_each(struct sip_calls *c,
		      void (*fn)(void *arg, const struct sip_call_facts *f),
		      void *arg);
/* Those that have not been told disconnected, and those whose BYE is under
 * way. */
size_t sip_calls_count(struct sip_calls *c);

#endif
