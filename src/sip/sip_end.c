/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_end.h"

#include <stddef.h>
#include <string.h>

#include "cert/judge.h"

static const struct {
	const char *name, *label;
} ends[SIP_END_COUNT] = {
	[SIP_END_NONE] = { "", "" },
	[SIP_END_REMOTE_TEARDOWN] = { "remoteTeardown",
				      "The other side hung up." },
	[SIP_END_DISCONNECT_ALL] = { "disconnectAll", "It was ended here." },
	[SIP_END_BUSY] = { "busy", "The other side is busy." },
	[SIP_END_REJECTED] = { "rejected", "The other side declined." },
	[SIP_END_NO_ANSWER] = { "noAnswer", "Nobody answered." },
	[SIP_END_DESTINATION_UNREACHABLE] = { "destinationUnreachable",
					      "There is nobody at that "
					      "address." },
	[SIP_END_DNS_FAILED] = { "dnsFailed",
				 "The name of the host was not found in the "
				 "DNS." },
	[SIP_END_FAILED_TO_CONNECT] = { "failedToConnectToServer",
					"No connection could be made." },
	[SIP_END_AUTHENTICATION_FAILED] = { "authenticationFailed",
					    "User name or password was not "
					    "accepted." },
	[SIP_END_CAPABILITY] = { "capabilityNegotiationError",
				 "Both sides have no codec or encryption in "
				 "common." },
	[SIP_END_NETWORK_ERROR] = { "networkError",
				    "The connection or the media stopped." },
	[SIP_END_PROTOCOL_ERROR] = { "protocolError",
				     "The other side broke the rules of "
				     "SIP." },
	[SIP_END_SERVICE_UNAVAILABLE] = { "serviceUnavailable",
					  "The other side cannot take calls "
					  "now." },
	[SIP_END_PORT_ALLOCATION] = { "portAllocationExceeded",
				      "There is no room for another call "
				      "here." },
	[SIP_END_MOVED] = { "moved", "The other side has another address." },
	[SIP_END_PEER_CERTIFICATE_MISSING] = { "peerCertificateMissing",
					       "The other side has no "
					       "certificate." },
	[SIP_END_PEER_CERTIFICATE_UNTRUSTED] = { "peerCertificateUntrusted",
						 "The certificate of the other "
						 "side does not lead to the "
						 "SIP trust store." },
	[SIP_END_PEER_CERTIFICATE_EXPIRED] = { "peerCertificateExpired",
					       "The certificate of the other "
					       "side is not valid now." },
	[SIP_END_PEER_CERTIFICATE_WRONG_HOST] = { "peerCertificateWrongHost",
						  "The certificate of the "
						  "other side is for another "
						  "host than the one that was "
						  "called." },
	[SIP_END_PEER_CERTIFICATE_REFUSED] = { "peerCertificateRefused",
					       "The certificate of the other "
					       "side cannot be accepted." },
	[SIP_END_OWN_CERTIFICATE_REFUSED] = { "ownCertificateRefused",
					      "The other side did not accept "
					      "the certificate of this "
					      "device." },
	[SIP_END_TLS_FAILED] = { "tlsFailed",
				 "No secure connection could be agreed." },
	[SIP_END_SERVICE_INTERRUPTED] = { "serviceInterrupted",
					  "The service here was killed, "
					  "crashed or lost power." },
};

const char *sip_end_name(enum sip_end e)
{
	return (unsigned)e < SIP_END_COUNT ? ends[e].name : "";
}

const char *sip_end_label(enum sip_end e)
{
	return (unsigned)e < SIP_END_COUNT ? ends[e].label : "";
}

enum sip_end sip_end_of_status(unsigned status)
{
	static const struct {
		unsigned from, to;
		enum sip_end end;
	} rows[] = {
		/* The first row that fits counts. */
		{ 300, 399, SIP_END_MOVED },
		{ 401, 401, SIP_END_AUTHENTICATION_FAILED },
		{ 403, 403, SIP_END_REJECTED },
		{ 407, 407, SIP_END_AUTHENTICATION_FAILED },
		{ 404, 404, SIP_END_DESTINATION_UNREACHABLE },
		{ 408, 408, SIP_END_NO_ANSWER },
		{ 410, 410, SIP_END_DESTINATION_UNREACHABLE },
		{ 415, 415, SIP_END_CAPABILITY },
		{ 480, 480, SIP_END_NO_ANSWER },
		{ 484, 485, SIP_END_DESTINATION_UNREACHABLE },
		{ 486, 486, SIP_END_BUSY },
		{ 487, 487, SIP_END_NO_ANSWER },
		{ 488, 488, SIP_END_CAPABILITY },
		{ 502, 504, SIP_END_SERVICE_UNAVAILABLE },
		{ 600, 600, SIP_END_BUSY },
		{ 603, 603, SIP_END_REJECTED },
		{ 604, 604, SIP_END_DESTINATION_UNREACHABLE },
		{ 606, 606, SIP_END_CAPABILITY },
		{ 607, 608, SIP_END_REJECTED },
		{ 400, 499, SIP_END_PROTOCOL_ERROR },
		{ 500, 599, SIP_END_SERVICE_UNAVAILABLE },
		{ 600, 699, SIP_END_REJECTED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (status >= rows[i].from && status <= rows[i].to)
			return rows[i].end;
	return SIP_END_PROTOCOL_ERROR;
}

enum sip_end sip_end_of_certificate(const char *reason)
{
	static const struct {
		enum judge_reason reason;
		enum sip_end end;
	} rows[] = {
		{ JUDGE_NOTHING_SENT, SIP_END_PEER_CERTIFICATE_MISSING },
		{ JUDGE_UNKNOWN_AUTHORITY, SIP_END_PEER_CERTIFICATE_UNTRUSTED },
		{ JUDGE_BAD_SIGNATURE, SIP_END_PEER_CERTIFICATE_UNTRUSTED },
		{ JUDGE_NOT_AUTHORITY, SIP_END_PEER_CERTIFICATE_UNTRUSTED },
		{ JUDGE_NOT_YET_VALID, SIP_END_PEER_CERTIFICATE_EXPIRED },
		{ JUDGE_EXPIRED, SIP_END_PEER_CERTIFICATE_EXPIRED },
		{ JUDGE_WRONG_HOST, SIP_END_PEER_CERTIFICATE_WRONG_HOST },
	};

	for (size_t i = 0; reason && i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(reason, judge_reason_name(rows[i].reason)))
			return rows[i].end;
	return SIP_END_PEER_CERTIFICATE_REFUSED;
}
