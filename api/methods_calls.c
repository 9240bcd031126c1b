/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/method.h"
#include "api/participant_value.h"
#include "base/clock.h"

/* The calls under way, whoever is in them. */

enum { CALL_ID_CHARS = 20 };

static int32_t seconds_of(const struct sip_call_facts *f)
{
	int64_t end = f->ended_ms ? f->ended_ms : clock_monotonic_ms();

	if (!f->connected || end <= f->connected_ms)
		return 0;
	return audit_int((uint64_t)(end - f->connected_ms) / 1000);
}

static void put_link(struct value *s, const struct sip_link_facts *l)
{
	value_put_string(s, "transport", cdr_transport_word(l));
	value_put_string(s, "tlsVersion", l->tls_version);
	put_line(s, "cipher", l->cipher);
	put_line(s, "peerIdentity", l->peer_identity);
	value_put_boolean(s, "verified", l->verified);
}

static void put_call(const struct call *c, struct value *s,
		     const struct sip_call_facts *f)
{
	struct participant_names names = { "", "" };

	participants_of_call(c->services->participants, f->id, &names);
	put_call_id(s, f->id);
	value_put_string(s, "direction", f->incoming ? "incoming" : "outgoing");
	put_line(s, "peer", f->peer);
	put_line(s, "peerName", f->peer_name);
	put_link(s, &f->link);
	value_put_string(s, "state", sip_call_state_name(f->state));
	value_put_boolean(s, "held", f->held);
	value_put_time(s, "startTime", f->started);
	put_time_if(s, "connectTime", f->connected);
	value_put_int(s, "durationSeconds", seconds_of(f));
	value_put_string(s, "mediaEncryption",
			 sip_encryption_name(f->encryption));
	put_line(s, "codec", f->codec);
	value_put_int(s, "packetsReceived", audit_int(f->packets_in));
	value_put_int(s, "packetsSent", audit_int(f->packets_out));
	value_put_int(s, "packetsLost", f->packets_lost);
	value_put_string(s, "conferenceName", names.conference);
	value_put_string(s, "participantName", names.name);
}

static struct value *enumerate(struct call *c, struct error *e)
{
	struct sip_call_facts *f = calloc(SIP_CALLS_MAX, sizeof(*f));
	struct value *s, *list;
	size_t count;

	if (!f) {
		error_nomem(e);
		return NULL;
	}
	count = sip_control_calls(c->services->sip, f, SIP_CALLS_MAX);
	s = value_new_struct();
	list = value_put_array(s, "calls");
	for (size_t i = 0; i < count && i < SIP_CALLS_MAX; i++)
		put_call(c, value_add_struct(list), &f[i]);
	free(f);
	return s;
}

/* 0: no number that a call could have. */
static uint64_t read_call_id(const char *text)
{
	unsigned long long n;
	char *end;

	if (text[strspn(text, "0123456789")])
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	return errno || *end ? 0 : n;
}

static struct value *disconnect(struct call *c, struct error *e)
{
	const char *text = value_string(value_member(c->params, "callId"));
	uint64_t id = read_call_id(text);
	struct sip_call_facts f;

	if (!id || !sip_control_call(c->services->sip, id, &f) ||
	    sip_control_end(c->services->sip, id, e) < 0) {
		error_set(e, ERR_NOT_FOUND, "callId: there is no such call");
		return NULL;
	}
	call_audit(c,
		   AUDIT(CALL_DISCONNECTED, .callId = text, .address = f.peer));
	return result_ok();
}

static const struct param disconnect_rows[] = {
	{ .name = "callId",
	  .type = VALUE_STRING,
	  .chars = CALL_ID_CHARS,
	  .required = true,
	  .help = "As calls.enumerate gives it." },
	{ 0 },
};

const struct method methods_calls[] = {
	{ "calls.enumerate", PRIVILEGE_ADMINISTRATOR,
	  METHOD_WITHOUT_CSRF | METHOD_WITHOUT_TOUCH, NULL, enumerate,
	  "calls array of callId, direction (incoming, outgoing), peer, "
	  "peerName, transport, tlsVersion, cipher, peerIdentity, verified, "
	  "state (alerting, connected), held, startTime, connectTime, "
	  "durationSeconds, mediaEncryption, codec, packetsReceived, "
	  "packetsSent, packetsLost, conferenceName, participantName",
	  "The calls under way, the oldest first." },
	{ "calls.disconnect", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES,
	  disconnect_rows, disconnect, NULL, "End a call." },
	{ 0 },
};
