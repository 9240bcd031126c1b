/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_END_H
#define SB_SIP_SIP_END_H

/* Why calls end and requests fail, in the words of the original's
 * participant.status and some of ours. Pure; any thread. */

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
	/* Ours: the service was killed or lost power, found at its next start:
	 * in call detail records only. */
	SIP_END_SERVICE_INTERRUPTED,
	SIP_END_COUNT
};
const char *sip_end_name(enum sip_end e); /* "remoteTeardown"; "" for none */
/* A sentence for people. */
const char *sip_end_label(enum sip_end e);
/* What a final answer of 300 to 699 to our INVITE means. */
enum sip_end sip_end_of_status(unsigned status);
/* What the judge's word for a certificate means (judge_reason_name()). */
enum sip_end sip_end_of_certificate(const char *reason);

#endif
