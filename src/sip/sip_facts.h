/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_FACTS_H
#define SB_SIP_SIP_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "sip/sip_flow.h"

/* What others may know of a call: plain values, copied freely; and why calls
 * end, in the words of the original's participant.status. Pure; any thread. */

enum {
	SIP_TEXT_MAX = 256, /* of a name or an address, the NUL included; cut */
	SIP_CIPHER_MAX = 48
};

enum sip_call_state {
	SIP_CALL_ALERTING, /* no final answer yet */
	SIP_CALL_CONNECTED,
	SIP_CALL_DISCONNECTED, /* for ever */
	SIP_CALL_STATE_COUNT
};
const char *sip_call_state_name(enum sip_call_state s); /* "alerting" */

/* Why a call has ended. */
enum sip_end {
	SIP_END_NONE,            /* it has not */
	SIP_END_REMOTE_TEARDOWN, /* the other side hung up */
	SIP_END_DISCONNECT_ALL,  /* somebody here did, or the service ends */
	SIP_END_BUSY,
	SIP_END_REJECTED,
	SIP_END_NO_ANSWER,
	SIP_END_DESTINATION_UNREACHABLE,
	SIP_END_DNS_FAILED,
	SIP_END_FAILED_TO_CONNECT,
	SIP_END_AUTHENTICATION_FAILED,
	SIP_END_CAPABILITY,    /* no codec or transport of media in common */
	SIP_END_NETWORK_ERROR, /* the connection or the media went away */
	SIP_END_PROTOCOL_ERROR,
	SIP_END_SERVICE_UNAVAILABLE,
	SIP_END_PORT_ALLOCATION, /* no room for another call here */
	SIP_END_MOVED,
	/* Ours: what TLS had against a certificate. */
	SIP_END_PEER_CERTIFICATE_MISSING,
	SIP_END_PEER_CERTIFICATE_UNTRUSTED,
	SIP_END_PEER_CERTIFICATE_EXPIRED,
	SIP_END_PEER_CERTIFICATE_WRONG_HOST,
	SIP_END_PEER_CERTIFICATE_REFUSED,
	SIP_END_OWN_CERTIFICATE_REFUSED, /* the other side did not want ours */
	SIP_END_TLS_FAILED,
	SIP_END_COUNT
};
const char *sip_end_name(enum sip_end e); /* "remoteTeardown"; "" for none */
/* A sentence for people. */
const char *sip_end_label(enum sip_end e);
/* What a final answer of 300 to 699 to our INVITE means. */
enum sip_end sip_end_of_status(unsigned status);
/* What the judge's word for a certificate means (judge_reason_name()). */
enum sip_end sip_end_of_certificate(const char *reason);

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

#endif
