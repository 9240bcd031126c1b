/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_FACTS_H
#define SB_SIP_SIP_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "sip/sip_flow.h"

/* What others may know of a call: plain values, copied freely. Pure; any
 * thread. */

enum {
	SIP_TEXT_MAX = 256 /* of a name or an address, the NUL included; cut */
};

enum sip_call_state {
	SIP_CALL_ALERTING, /* no final answer yet */
	SIP_CALL_CONNECTED,
	SIP_CALL_DISCONNECTED, /* for ever */
	SIP_CALL_STATE_COUNT
};
const char *sip_call_state_name(enum sip_call_state s); /* "alerting" */

enum sip_encryption {
	SIP_UNENCRYPTED,
	SIP_ENCRYPTED,
	SIP_ENCRYPTION_UNKNOWN, /* no media is agreed yet */
	SIP_ENCRYPTION_COUNT
};
const char *sip_encryption_name(enum sip_encryption e);

/* What is known of the connection that signals a call or a registration. */
struct sip_link_facts {
	bool known; /* there was one */
	enum sip_transport transport;
	char address[INET6_ADDRSTRLEN];
	uint16_t port;
	char tls_version[8]; /* "TLSv1.3"; "" without TLS */
	char cipher[SIP_CIPHER_MAX];
	char peer_identity[SIP_TEXT_MAX]; /* subject of the certificate that was
					   * accepted */
	bool verified; /* that certificate passed the judge */
};
/* Of a flow; NULL: nothing is known. */
void sip_link_facts_of(const struct sip_flow *flow, struct sip_link_facts *out);

struct sip_call_facts {
	uint64_t id; /* never used twice in the life of the process; 0: none */
	bool incoming;
	char peer[SIP_TEXT_MAX];      /* URI of the other side */
	char peer_name[SIP_TEXT_MAX]; /* as it calls itself, or "" */
	struct sip_link_facts link;
	enum sip_call_state state;
	bool held;                        /* by the other side */
	time_t started, connected, ended; /* wall clock; 0: not yet */
	int64_t connected_ms, ended_ms;   /* clock_monotonic_ms(), to count */
	enum sip_end end;
	unsigned status;               /* of the final answer, 0: none */
	char end_text[ERROR_TEXT_MAX]; /* what happened, one line, or "" */
	enum sip_encryption encryption;
	char codec[16]; /* "PCMU", "" without */
	uint64_t packets_in, packets_out;
	int32_t packets_lost;
};

enum sip_registration_state {
	SIP_REGISTRATION_OFF, /* no registrar is in use */
	SIP_REGISTERING,      /* no answer yet */
	SIP_REGISTERED,
	SIP_REGISTRATION_FAILED, /* tried again at next_try */
	SIP_REGISTRATION_STATE_COUNT
};
const char *sip_registration_state_name(
    enum sip_registration_state s); /* "registered" */

struct sip_registration_facts {
	enum sip_registration_state state;
	char registered_as[SIP_TEXT_MAX]; /* the address of record, or "" */
	enum sip_end end;                 /* why it failed */
	char problem[ERROR_TEXT_MAX];     /* the same for people, or "" */
	time_t expires;                   /* wall clock; 0: not registered */
	time_t next_try; /* after a failure, wall clock; 0: not by itself */
	struct sip_link_facts link;
};

#endif
