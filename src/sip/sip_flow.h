/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_FLOW_H
#define SB_SIP_SIP_FLOW_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sip/sip_check.h"
#include "sip/sip_end.h"

/* The seam between what moves bytes and what understands them. A flow is one
 * way to a peer: a TLS or TCP connection, or the UDP socket and the address of
 * one peer. A transport makes it, fills it in before anybody else sees it, and
 * changes nothing but impl and, when it is lost, failure afterwards. Counted;
 * the loop's thread only. */

enum { SIP_SUBJECT_MAX = 256, SIP_CIPHER_MAX = 48, SIP_FAILURE_TEXT = 200 };

/* Why there is no flow, or none any more. */
struct sip_flow_failure {
	enum sip_end end;            /* SIP_END_NONE: it ended in good form */
	char text[SIP_FAILURE_TEXT]; /* one line for people */
};

struct sip_flow;

struct sip_flow_ops {
	/* n bytes of whole messages; the transport copies what it cannot send
	 * at once. False: the flow is gone, or so far behind that it has to
	 * go. Never calls back into the stack. */
	bool (*send)(struct sip_flow *f, const void *bytes, size_t n);
	/* The stack wants it ended; sip_stack_flow_lost() follows, not from
	 * within the call. */
	void (*close)(struct sip_flow *f);
	/* The last reference is gone: free it. */
	void (*destroy)(struct sip_flow *f);
};

struct sip_flow {
	uint64_t id; /* never used twice; 0 is none */
	enum sip_transport transport;
	/* Numeric, without brackets; what the kernel says. */
	char peer_address[INET6_ADDRSTRLEN];
	uint16_t peer_port;
	char local_address[INET6_ADDRSTRLEN];
	uint16_t local_port;
	bool verified; /* TLS: the peer's certificate passed the judge */
	char peer_subject[SIP_SUBJECT_MAX]; /* "" without a certificate */
	char tls_version[8];                /* "TLSv1.3"; "" without TLS */
	char tls_cipher[SIP_CIPHER_MAX];    /* RFC name, or "" */

	struct sip_flow_failure failure; /* set when it is lost */

	const struct sip_flow_ops *ops;
	void *impl;          /* the transport's */
	unsigned references; /* starts at 1, the transport's own */
};

static inline struct sip_flow *sip_flow_hold(struct sip_flow *f)
{
	f->references++;
	return f;
}

/* NULL is fine. */
static inline void sip_flow_release(struct sip_flow *f)
{
	if (f && --f->references == 0)
		f->ops->destroy(f);
}

/* Retransmissions are for flows that lose messages (RFC 3261 17.1.1.1). */
static inline bool sip_flow_is_reliable(const struct sip_flow *f)
{
	return f->transport != SIP_UDP;
}

#endif
