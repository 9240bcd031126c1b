/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_TRANSPORT_PRIVATE_H
#define SB_SIP_SIP_TRANSPORT_PRIVATE_H

#include "sip/sip_transport.h"

/* Shared by sip_transport*.c. */

enum { SIP_DATAGRAM_BUCKETS = 1024, SIP_SALT = 16 };

struct sip_transports {
	struct sip_transport_options o;
	struct tls_context *client;
	unsigned generation; /* of client */
	uint64_t next_id;
	uint8_t salt[SIP_SALT]; /* of tags in answers without a transaction */

	struct list opened;   /* streams that we opened or are opening */
	struct list accepted; /* streams that others opened */
	struct list lost;     /* streams whose loss is still to be told */
	struct list answers;  /* tickets whose answer is still to be told */
	unsigned tickets;
	size_t unread; /* bytes of all streams */
	struct front_later later;

	struct list datagrams[SIP_DATAGRAM_BUCKETS];
	unsigned datagram_flows;
};

/* One wish for a flow. */
struct sip_ticket {
	struct list node; /* of the stream being opened, or answers */
	uint64_t number;
	struct sip_flow *flow; /* held; NULL: failed */
	struct sip_flow_failure why;
};

extern const char *const sip_listener_names[]; /* by enum sip_transport */

/* sip_transport.c */
/* Look after lost and answers soon. */
void sip_transports_wake(struct sip_transports *t);
/* Takes the ticket; why counts when flow is NULL. */
void sip_ticket_answer(struct sip_transports *t, struct sip_ticket *k,
		       struct sip_flow *flow,
		       const struct sip_flow_failure *why);
/* What an error of the front means; verdict: of the peer's certificate, or
 * NULL. */
struct sip_flow_failure sip_failure_of(const struct error *why,
				       const struct tls_verdict *verdict);

/* sip_transport_stream.c */
struct front_stream_ops sip_stream_ops(struct sip_transports *t);
/* Takes the ticket. */
void sip_stream_connect(struct sip_transports *t,
			const struct sip_target *target, const char *host,
			struct sip_ticket *k);
/* Tell those above. */
void sip_streams_lost(struct sip_transports *t);

/* sip_transport_udp.c */
void sip_datagram_received(void *arg, const struct sockaddr_storage *from,
			   const struct sockaddr_storage *to, const uint8_t *p,
			   size_t n);
/* Held; NULL: *e says why. */
struct sip_flow *sip_datagram_flow(struct sip_transports *t,
				   const struct sip_target *target,
				   struct error *e) MUST_CHECK;

#endif
