/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_TRANSPORT_H
#define SB_SIP_SIP_TRANSPORT_H

#include "front/front.h"
#include "sip/sip_flow.h"
#include "sip/sip_locate.h"

/* Flows out of the front's streams and datagrams (RFC 3261 18): messages are
 * framed, pings answered (RFC 5626 3.5.1), what cannot be framed is refused and
 * its connection ended. A flow that we opened serves later calls to the same
 * host, too (RFC 5923), as long as the client context is the same. All on the
 * loop. */

enum {
	/* Unread bytes of one stream: a head and a body. */
	SIP_UNREAD_MAX = 16384 + 65536,
	/* Of all streams: beyond it the one with most is ended. */
	SIP_UNREAD_ALL_MAX = 64 << 20,
	SIP_MESSAGE_MS = 30000, /* from the first byte of one to its last */
	SIP_TICKETS_MAX = 4096, /* connections wished for at a time */
	/* Peers over UDP that somebody holds a flow of, in all. */
	SIP_DATAGRAM_FLOWS_MAX = 8192,
};

struct sip_transports;

/* Who is told. Flows are borrowed: hold what is kept. */
struct sip_transport_sink {
	/* One message, whole; a datagram as it came. */
	void (*received)(void *arg, struct sip_flow *f, struct view message);
	/* Nothing goes through it any more. Not from within any call. */
	void (*lost)(void *arg, struct sip_flow *f);
	/* The answer to sip_transports_connect(), not from within it. f NULL:
	 * why says so, borrowed for the call. */
	void (*connected)(void *arg, uint64_t ticket, struct sip_flow *f,
			  const struct sip_flow_failure *why);
	void *arg;
};

struct sip_transport_options {
	struct front *front;
	struct sip_transport_sink sink;
	unsigned idle_ms;   /* a stream whose peer says nothing; 0: for ever */
	unsigned silent_ms; /* one that has not said anything yet; 0: idle_ms */
	unsigned connect_ms; /* until a stream is open; 0: the front's own */
	unsigned message_ms; /* 0: SIP_MESSAGE_MS */
	size_t unread_max;   /* 0: SIP_UNREAD_ALL_MAX */
};

/* NULL: ERR_NOMEM. */
struct sip_transports *sip_transports_new(const struct sip_transport_options *o,
					  struct error *e) MUST_CHECK;
/* After the front has stopped, and after the last reference to a flow. */
void sip_transports_free(struct sip_transports *t);

/* Open or move the listener of that transport: "sip_udp", "sip_tcp",
 * "sips_tcp". Errors of front_listen_tcp(). */
int sip_transports_listen(struct sip_transports *t, enum sip_transport kind,
			  const char *const *addresses, size_t count,
			  uint16_t port, struct error *e) MUST_CHECK;
/* The name of its listener in the front. */
const char *sip_transport_listener(enum sip_transport kind);
/* Its flows stand. */
void sip_transports_unlisten(struct sip_transports *t, enum sip_transport kind);

/* The client context for flows that are opened from now on; those that stand go
 * on, for what they are used for already. A reference is taken. NULL: TLS flows
 * cannot be opened. */
void sip_transports_set_client(struct sip_transports *t,
			       struct tls_context *client);

/* All TLS flows that stand, in both directions, are ended in good form: what
 * was sent is written first. Their loss is told as always. Handshakes that
 * began under the policy of before do not become flows, either: those of
 * callers are given up, ours begin again with the client context of now. */
void sip_transports_close_tls(struct sip_transports *t);

/* Which address of ours datagrams to there come from. ERR_NOT_FOUND: we do not
 * listen for any, so we send none; ERR_IO: no way there. */
int sip_transports_udp_local(struct sip_transports *t,
			     const struct sockaddr_storage *to,
			     struct sockaddr_storage *out,
			     struct error *e) MUST_CHECK;

/* A flow to that target, one that stands or a new one. host: what was dialled,
 * which the certificate has to prove. More than SIP_TICKETS_MAX at a time get
 * no answer: their transactions run into their time-out. */
void sip_transports_connect(struct sip_transports *t,
			    const struct sip_target *target, const char *host,
			    uint64_t ticket);

#endif
