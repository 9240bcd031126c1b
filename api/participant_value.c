/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/participant_value.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/utf8.h"

const char *participant_type_name(bool ad_hoc)
{
	return ad_hoc ? "ad_hoc" : "by_address";
}

void put_line(struct value *s, const char *name, const char *text)
{
	char line[ERROR_TEXT_MAX];

	utf8_line(view_str(text), line, sizeof(line));
	value_put_string(s, name, line);
}

void put_time_if(struct value *s, const char *name, time_t t)
{
	if (t)
		value_put_time(s, name, t);
}

void put_call_id(struct value *s, uint64_t id)
{
	char text[24] = "";

	if (id)
		snprintf(text, sizeof(text), "%" PRIu64, id);
	value_put_string(s, "callId", text);
}

static const char *transport_word(int transport)
{
	static const char *const words[] = {
		[SIP_UDP] = "udp", [SIP_TCP] = "tcp", [SIP_TLS] = "tls"
	};

	return transport >= 0 && transport < 3 ? words[transport] : "default";
}

static void put_configured(struct value *s, const struct participant_view *v)
{
	const struct participant_row *c = &v->config;

	value_put_boolean(s, "useSIPRegistrar", c->use_registrar);
	value_put_string(s, "transportProtocol", transport_word(c->transport));
	value_put_boolean(s, "deferConnection", c->defer);
	value_put_boolean(s, "displayNameOverrideStatus", c->display_override);
	value_put_string(s, "displayNameOverrideValue", c->display_name);
}

static void put_end(struct value *s, const struct sip_call_facts *f)
{
	put_time_if(s, "disconnectTime", f->ended);
	value_put_string(s, "disconnectReason", sip_end_name(f->end));
	put_line(s, "disconnectText",
		 f->end_text[0] ? f->end_text : sip_end_label(f->end));
}

static void put_current(struct value *s, const struct participant_view *v)
{
	const struct sip_call_facts *f = &v->call;

	value_put_string(s, "callState", participant_state_name(v->state));
	if (v->state == PARTICIPANT_CONNECTED)
		put_line(s, "displayName",
			 v->config.display_override ? v->config.display_name
						    : f->peer_name);
	put_time_if(s, "connectTime", f->connected);
	if (v->state == PARTICIPANT_DISCONNECTED)
		put_end(s, f);
	value_put_string(s, "mediaEncryption",
			 sip_encryption_name(f->id ? f->encryption
						   : SIP_ENCRYPTION_UNKNOWN));
	put_call_id(s, f->id);
}

void participant_put(struct value *s, const struct participant_view *v,
		     unsigned scope)
{
	const char *address = v->config.address;
	struct value *inner;

	value_put_string(s, "conferenceName", v->config.conference);
	value_put_string(s, "participantName", v->config.name);
	value_put_string(s, "participantProtocol", "sip");
	value_put_string(s, "participantType",
			 participant_type_name(v->ad_hoc));
	if (v->gone) {
		value_put_boolean(s, "dead", true);
		return;
	}
	if (scope == SCOPE_FLAT) {
		value_put_string(s, "address", address);
		put_current(s, v);
		if (v->added)
			put_configured(s, v);
		return;
	}
	if (scope & SCOPE_CURRENT) {
		inner = value_put_struct(s, "currentState");
		value_put_string(inner, "address", address);
		put_current(inner, v);
	}
	if ((scope & SCOPE_CONFIGURED) && v->added) {
		inner = value_put_struct(s, "configuredState");
		value_put_string(inner, "address", address);
		put_configured(inner, v);
	}
}
