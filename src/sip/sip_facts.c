/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_facts.h"

#include <stdio.h>
#include <string.h>

const char *sip_call_state_name(enum sip_call_state s)
{
	static const char *const names[SIP_CALL_STATE_COUNT] = {
		[SIP_CALL_ALERTING] = "alerting",
		[SIP_CALL_CONNECTED] = "connected",
		[SIP_CALL_DISCONNECTED] = "disconnected",
	};

	return (unsigned)s < SIP_CALL_STATE_COUNT ? names[s] : "";
}

const char *sip_encryption_name(enum sip_encryption e)
{
	static const char *const names[SIP_ENCRYPTION_COUNT] = {
		[SIP_UNENCRYPTED] = "unencrypted",
		[SIP_ENCRYPTED] = "encrypted",
		[SIP_ENCRYPTION_UNKNOWN] = "unknown",
	};

	return (unsigned)e < SIP_ENCRYPTION_COUNT ? names[e] : "";
}

const char *sip_registration_state_name(enum sip_registration_state s)
{
	static const char *const names[SIP_REGISTRATION_STATE_COUNT] = {
		[SIP_REGISTRATION_OFF] = "off",
		[SIP_REGISTERING] = "registering",
		[SIP_REGISTERED] = "registered",
		[SIP_REGISTRATION_FAILED] = "failed",
	};

	return (unsigned)s < SIP_REGISTRATION_STATE_COUNT ? names[s] : "";
}

void sip_link_facts_of(const struct sip_flow *flow, struct sip_link_facts *out)
{
	memset(out, 0, sizeof(*out));
	if (!flow)
		return;
	out->known = true;
	out->transport = flow->transport;
	memcpy(out->address, flow->peer_address, sizeof(out->address));
	out->port = flow->peer_port;
	memcpy(out->tls_version, flow->tls_version, sizeof(out->tls_version));
	memcpy(out->cipher, flow->tls_cipher, sizeof(out->cipher));
	snprintf(out->peer_identity, sizeof(out->peer_identity), "%s",
		 flow->peer_subject);
	out->verified = flow->verified;
}
