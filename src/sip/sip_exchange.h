/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_EXCHANGE_H
#define SB_SIP_SIP_EXCHANGE_H

#include "base/secret.h"
#include "sip/sip_agent.h"

/* One request of ours until its final answer: the DNS is asked, the targets are
 * tried one after the other (RFC 3263 4.3), and a challenge is answered (RFC
 * 3261 22). All on the loop; nothing is heard from within the start. */

enum {
	/* Failures of targets and challenges together: each is a request. */
	SIP_TRIES_MAX = 24,
	/* Challenges of one exchange: a proxy's, a server's, stale ones. */
	SIP_CHALLENGES_MAX = 4
};

struct sip_exchange;

/* One attempt, for who builds the request. */
struct sip_try {
	/* For Contact and SDP. */
	char local_address[INET6_ADDRSTRLEN];
	char contact[SIP_CONTACT_SIZE]; /* as sip_agent_contact() */
	enum sip_transport transport;
	uint32_t cseq;       /* above that of the try before */
	const char *call_id; /* the same in all of them (22.2, 8.1.3.5) */
	const char *from_tag;
};

struct sip_exchange_ops {
	/* The request with all but Via, Max-Forwards and credentials, from the
	 * fields of that try; NULL: it fails as SIP_END_PROTOCOL_ERROR with
	 * the text of *e. */
	struct osip_message *(*build)(void *arg, const struct sip_try *t,
				      struct error *e);
	/* Provisional (not 100) and final answers, but none that led to
	 * another try. For an INVITE also each 2xx that comes later (another
	 * fork's, a copy): t and the flow of t are for the ACK. After a final
	 * one finished() comes when its transaction has ended. */
	void (*answered)(void *arg, struct sip_exchange *x,
			 struct sip_transaction *t,
			 const struct osip_message *response);
	/* There is no final answer, and no further target. An ACK to a 2xx has
	 * no answer: it was sent when finished() comes without this. */
	void (*failed)(void *arg, struct sip_exchange *x, enum sip_end end,
		       const char *text);
	/* The last that is heard; the exchange is gone with the return. */
	void (*finished)(void *arg, struct sip_exchange *x);
};

struct sip_exchange_options {
	struct sip_agent *agent;
	const struct sip_exchange_ops *ops;
	void *arg;
	/* Where it goes. Texts are copied. */
	struct sip_destination to;
	/* The address of who named that place, if it was the other side of a
	 * call; NULL: a setting or a person. What is no common host for both
	 * (sip_hop.h) is left out, and failures are not remembered: that is
	 * what others go by, and no stranger's word. The look-up is a foreign
	 * one (resolver.h). */
	const char *named_by;
	/* Or over that flow, which is held; no other way is tried. */
	struct sip_flow *flow;
	bool secure; /* sips: Contact is one, too */
	const char
	    *routes; /* as sip_service_route_read(); NULL: none; copied */
	/* NULL or "", or no password: challenges are not answered, they are
	 * final. Copied; the password is wiped at the end. */
	const char *user_name;
	const struct secret *password;
	/* Until the final answer, in ms: SIP_END_NO_ANSWER then; 0: none. An
	 * INVITE is cancelled. */
	int64_t limit_ms;
	/* Continued from an exchange before: a registration keeps both (10.2).
	 * NULL and 0: new ones. */
	const char *call_id;
	uint32_t cseq; /* of the first try is one more */
};

/* NULL: ERR_INPUT, ERR_LIMIT (questions to the DNS), ERR_NOMEM, ERR_CANCELLED
 * (the agent has ended). */
struct sip_exchange *sip_exchange_start(const struct sip_exchange_options *o,
					struct error *e) MUST_CHECK;
/* Nobody wants it any more: an INVITE that was sent is cancelled, and a final
 * answer to it may still come by answered(); else failed() comes with
 * SIP_END_DISCONNECT_ALL. Then finished(); none of it from within. */
void sip_exchange_cancel(struct sip_exchange *x);
/* It is gone at once, and nothing is heard of it any more; not from within its
 * operations. NULL is fine. */
void sip_exchange_drop(struct sip_exchange *x);

/* The flow of the present or last try, NULL without one. Borrowed. */
struct sip_flow *sip_exchange_flow(const struct sip_exchange *x);
/* Challenges that were answered with the password. */
unsigned sip_exchange_challenges(const struct sip_exchange *x);
uint32_t sip_exchange_cseq(const struct sip_exchange *x);
const char *sip_exchange_call_id(const struct sip_exchange *x);
const char *sip_exchange_from_tag(const struct sip_exchange *x);

#endif
