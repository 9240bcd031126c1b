/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sip/sip_call_private.h"
#include "sip/sip_hop.h"
#include "sip/sip_message.h"

/* Which way our requests within a call go: what sip_hop.h says of the dialog
 * and the flow of the call. */

void call_name_neighbour(struct sip_call *k, const char *host, uint16_t port)
{
	snprintf(k->neighbour, sizeof(k->neighbour), "%s",
		 strlen(host) < sizeof(k->neighbour) ? host : "");
	k->neighbour_port = port;
}

void call_note_via(struct sip_call *k, const struct osip_message *request)
{
	const osip_via_t *via = osip_list_get(&request->vias, 0);
	uint64_t port = 0;

	if (!via || !via->host)
		return;
	if (via->port && !sip_number(view_str(via->port), UINT16_MAX, &port))
		port = 0;
	call_name_neighbour(k, via->host, (uint16_t)port);
}

/* A call that began over TLS stays on it, whatever the Contact says. Otherwise
 * who names no transport may have told the DNS (RFC 3263 4.1); if not, that of
 * the call is the best guess. */
void call_next_hop(const struct sip_call *k, const struct sip_dialog *d,
		   struct sip_destination *out)
{
	sip_dialog_next_hop(d, out);
	if (out->secure || k->facts.link.transport == SIP_TLS) {
		out->has_transport = true;
		out->transport = SIP_TLS;
	} else if (!out->has_transport) {
		out->transport = k->facts.link.transport;
	}
}

bool call_is_near(const struct sip_call *k, const struct sip_dialog *d,
		  const struct sip_flow *flow)
{
	struct sip_neighbour n = {
		.flow = flow,
	};
	struct sip_destination next;

	if (!k->calls->o.agent || !sip_dialog_knows_hop(d))
		return true;
	sip_dialog_next_hop(d, &next);
	if (flow == k->flow)
		n.names[0] =
		    (struct sip_hop_name){ k->neighbour, k->neighbour_port };
	if (k->to && strcmp(flow->peer_address, k->answers) == 0)
		n.names[1] = (struct sip_hop_name){ k->to->host, k->to->port };
	return sip_hop_is_near(&next, &n);
}

bool call_needs_stream(const struct sip_call *k, const struct sip_flow *flow,
		       struct osip_message *m)
{
	return flow->transport == SIP_UDP && k->calls->o.agent &&
	       sip_message_is_large(m);
}

struct sip_destination call_neighbour_of(const struct sip_flow *flow)
{
	return (struct sip_destination){
		.host = flow->peer_address,
		.port = flow->peer_port,
		.has_transport = true,
		.transport = flow->transport,
	};
}

/* Contact and Record-Route are what the other side says, and a flow may be
 * anybody's who knows the tags. */
bool call_may_hear(const struct sip_call *k, const char *who, bool address)
{
	return k->to && k->password.len &&
	       (strcmp(who, k->answers) == 0 ||
		(!address && strcasecmp(who, k->to->host) == 0));
}

int64_t call_detour_ms(const struct sip_call *k)
{
	return k->calls->closed ? CALL_HURRY_MS : CALL_DETOUR_MS;
}

bool call_may_send(const struct sip_call *k)
{
	return !k->calls->o.agent || sip_agent_stack(k->calls->o.agent);
}
