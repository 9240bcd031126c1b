/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_AGENT_H
#define SB_SIP_SIP_AGENT_H

#include "sip/resolver.h"
#include "sip/sip_outages.h"
#include "sip/sip_owner.h"
#include "sip/sip_timers.h"
#include "sip/sip_transport.h"

/* The SIP user agent: puts transports, transactions and the DNS together, and
 * hands what comes to those who own it. By itself it answers OPTIONS outside of
 * dialogs (RFC 3261 11) and refuses what nobody here does. On the loop, except
 * where it says any thread. */

enum {
	/* A connection whose peer says nothing is ended: longer than the
	 * session timers and registrations that may run over it. */
	SIP_IDLE_MS = 2 * 60 * 60 * 1000,
	/* The same for one that was accepted and never said anything. */
	SIP_SILENT_MS = 2 * 60 * 1000,
	/* Until a connection that we open is there, handshake included. */
	SIP_CONNECT_MS = 10 * 1000,
	SIP_CONTACT_SIZE = 128
};

struct sip_agent;

/* What it stands on. Tests put something of their own in place of transports
 * and resolver; NULL is the real ones. */
struct sip_agent_seams {
	void (*connect)(void *arg, const struct sip_target *target,
			const char *host, uint64_t ticket);
	/* As sip_resolver_start() and sip_resolver_cancel(); answered by
	 * sip_agent_resolved(). */
	int (*resolve)(void *arg, const struct sip_destination *d,
		       uint64_t ticket, struct error *e);
	bool (*resolve_cancel)(void *arg, uint64_t ticket);
	/* The address of ours from which that target is reached. False: there
	 * is no way there. */
	bool (*route)(void *arg, const struct sip_target *target,
		      char out[INET6_ADDRSTRLEN]);
	int64_t (*now_ms)(void *arg);
	void *arg;
};

struct sip_agent_options {
	struct front *front;
	struct sip_resolver_options resolver;
	/* Any thread: sip_agent_tick() is wanted now. */
	void (*wake)(void *arg);
	void *wake_arg;
	const struct sip_agent_seams *seams; /* NULL: none; copied */
};

/* NULL: ERR_INPUT (the DNS servers), ERR_NOMEM, ERR_IO. */
struct sip_agent *sip_agent_new(const struct sip_agent_options *o,
				struct error *e) MUST_CHECK;
/* Once the front has stopped: every transaction ends without a word to peers,
 * ended() comes for each. Its users go after that, and before
 * sip_agent_free(). NULL is fine. */
void sip_agent_end(struct sip_agent *a);
void sip_agent_free(struct sip_agent *a); /* NULL is fine */

/* When sip_agent_tick() is wanted, of clock_monotonic_ms(); -1: nothing waits.
 * To be asked at the end of each turn of the loop. */
int64_t sip_agent_next_ms(const struct sip_agent *a);
void sip_agent_tick(struct sip_agent *a, int64_t now_ms);
/* To be called before anything that does not come from the agent itself (what
 * another thread wants, a timer of the loop): the stack learns the time, which
 * is returned. */
int64_t sip_agent_now(struct sip_agent *a);

/* --- listeners */

/* As sip_transports_listen(). */
int sip_agent_listen(struct sip_agent *a, enum sip_transport kind,
		     const char *const *addresses, size_t count, uint16_t port,
		     struct error *e) MUST_CHECK;
void sip_agent_unlisten(struct sip_agent *a, enum sip_transport kind);
/* As sip_transports_set_client(). */
void sip_agent_set_client(struct sip_agent *a, struct tls_context *client);
/* As sip_transports_close_tls(). */
void sip_agent_close_tls(struct sip_agent *a);

/* --- for those above */

struct sip_stack *sip_agent_stack(struct sip_agent *a);
struct sip_timers *sip_agent_timers(struct sip_agent *a);
/* Who takes the requests that begin or belong to a call: INVITE, and whatever
 * names a dialog. As struct sip_user_ops.request; NULL: nobody. */
void sip_agent_set_callee(
    struct sip_agent *a,
    unsigned (*request)(void *arg, struct sip_transaction *t,
			const struct osip_message *request),
    void *arg);
/* Where we listen, by enum sip_transport; 0: nowhere. As long as the agent. */
const uint16_t *sip_agent_ports(const struct sip_agent *a);

/* Who wants to hear of lost flows, embedded in its owner; fill in lost. It may
 * add and remove watches. */
struct sip_flow_watch {
	struct list node;
	void (*lost)(struct sip_flow_watch *w, struct sip_flow *flow);
};
void sip_agent_watch(struct sip_agent *a, struct sip_flow_watch *w);
void sip_agent_unwatch(struct sip_flow_watch *w);

/* Inside timed_out() of an owner: why its connection did not come about or was
 * lost; NULL when nothing is known of that. As long as the call. */
const struct sip_flow_failure *sip_agent_failure(const struct sip_agent *a);

/* What is known of targets that have failed, for whoever tries some. */
struct sip_outages *sip_agent_outages(struct sip_agent *a);

/* Answers t with a status and nothing more than RFC 3261 wants with it; what
 * cannot be sent is logged. */
void sip_agent_reply(struct sip_transaction *t, unsigned status);

/* Contact for messages over that transport with that local address of ours
 * (RFC 3261 8.1.1.8): "<sip:ADDRESS:PORT;transport=tls>", or "<sips:...>" for
 * what must be secure (RFC 5630). local_port: of the flow, named when nobody
 * listens for that transport. */
void sip_agent_contact(const struct sip_agent *a, enum sip_transport transport,
		       const char *local_address, uint16_t local_port,
		       bool secure, char out[SIP_CONTACT_SIZE]);
/* The address of ours from which the target is reached, by asking the kernel
 * for the route. a NULL: whoever listens. ERR_IO: there is no way there. */
int sip_agent_local(const struct sip_agent *a, const struct sip_target *target,
		    char out[INET6_ADDRSTRLEN], struct error *e) MUST_CHECK;

/* A question to the DNS, embedded in its owner. */
struct sip_resolution {
	struct list node; /* to itself or zeros: nothing is asked */
	uint64_t ticket;
	/* As sip_resolved_fn, on the loop, not from within the start. */
	void (*done)(struct sip_resolution *r, const struct sip_target *targets,
		     size_t count, const struct error *why);
};
/* Errors of sip_resolver_start(). */
int sip_agent_resolve(struct sip_agent *a, const struct sip_destination *d,
		      struct sip_resolution *r, struct error *e) MUST_CHECK;
/* done() does not come any more. One that is not asked is fine. */
void sip_agent_resolve_cancel(struct sip_agent *a, struct sip_resolution *r);

/* --- what the seams answer; the real ones do so by themselves */

void sip_agent_received(struct sip_agent *a, struct sip_flow *f,
			struct view message);
void sip_agent_lost(struct sip_agent *a, struct sip_flow *f);
void sip_agent_connected(struct sip_agent *a, uint64_t ticket,
			 struct sip_flow *f,
			 const struct sip_flow_failure *why);
/* Any thread: heard at the next tick. */
void sip_agent_resolved(struct sip_agent *a, uint64_t ticket,
			const struct sip_target *targets, size_t count,
			const struct error *why);

#endif
