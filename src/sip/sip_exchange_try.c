/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <osip2/osip.h>

#include "sip/sip_exchange_private.h"
#include "sip/sip_message.h"
#include "sip/sip_service_route.h"

/* One request to one target. */

static void note_error(struct sip_exchange *x, enum sip_end end,
		       const struct error *e)
{
	x->last.end = end;
	snprintf(x->last.text, sizeof(x->last.text), "%.*s",
		 (int)sizeof(x->last.text) - 1, e->text);
}

void sip_exchange_forget(struct sip_exchange *x)
{
	sip_transaction_set_mark(x->t, NULL);
	x->t = NULL;
}

bool sip_exchange_has_credentials(const struct sip_exchange *x)
{
	return x->user_name && *x->user_name && x->password.len;
}

/* Where it goes and what it is told of that. */
static int describe(struct sip_exchange *x, struct sip_way *way,
		    struct sip_try *out, struct error *e)
{
	uint16_t port = 0;

	memset(way, 0, sizeof(*way));
	memset(out, 0, sizeof(*out));
	if (x->only) {
		way->flow = x->only;
		out->transport = x->only->transport;
		memcpy(out->local_address, x->only->local_address,
		       sizeof(out->local_address));
		port = x->only->local_port;
	} else {
		way->target = x->targets[x->at];
		way->host = x->host;
		out->transport = way->target.transport;
		if (sip_agent_local(x->agent, &way->target, out->local_address,
				    e) < 0)
			return -1;
	}
	sip_agent_contact(x->agent, out->transport, out->local_address, port,
			  x->secure, out->contact);
	out->cseq = ++x->cseq;
	out->call_id = x->call_id;
	out->from_tag = x->from_tag;
	return 0;
}

static struct osip_message *build(struct sip_exchange *x,
				  const struct sip_try *t, struct error *e)
{
	struct osip_message *m = x->ops->build(x->arg, t, e);

	if (m &&
	    (sip_service_route_add(m, x->routes, e) < 0 ||
	     (sip_exchange_has_credentials(x) &&
	      sip_auth_add(&x->auth, x->user_name, &x->password, m, e) < 0))) {
		osip_message_free(m);
		return NULL;
	}
	return m;
}

/* TCP led nowhere there just now, or of late. */
static bool has_no_tcp(struct sip_exchange *x)
{
	const struct sip_target *now = &x->targets[x->at];
	struct sip_target tcp = *now;

	tcp.transport = SIP_TCP;
	return (x->at > 0 && now[-1].transport == SIP_TCP &&
		now[-1].port == now->port &&
		!strcmp(now[-1].address, now->address)) ||
	       sip_outages_has(sip_agent_outages(x->agent),
			       sip_agent_now(x->agent), &tcp);
}

/* RFC 3261 18.1.1: what may be too large for the datagrams of the way there
 * goes over TCP, and as a datagram when that fails. True: the present target is
 * another now. */
static bool put_tcp_first(struct sip_exchange *x, struct osip_message *m)
{
	struct sip_target *now = &x->targets[x->at];

	if (now->transport != SIP_UDP || x->count == SIP_TARGETS_MAX ||
	    has_no_tcp(x) || !sip_message_is_large(m))
		return false;
	memmove(now + 1, now, (x->count - x->at) * sizeof(*now));
	x->count++;
	now->transport = SIP_TCP;
	return true;
}

/* 0: it is under way. -1: not to there; then there may be another. 1: over. */
static int try_once(struct sip_exchange *x)
{
	struct sip_way way;
	struct sip_try about;
	struct osip_message *m;
	struct error e = ERROR_INIT;

	if (++x->tries > SIP_TRIES_MAX) {
		sip_exchange_fail(x, x->last.end, x->last.text);
		return 1;
	}
	if (describe(x, &way, &about, &e) < 0) {
		note_error(x, SIP_END_FAILED_TO_CONNECT, &e);
		return -1;
	}
	m = build(x, &about, &e);
	if (!m) {
		sip_exchange_fail(x,
				  e.kind == ERR_LIMIT ? SIP_END_PORT_ALLOCATION
						      : SIP_END_PROTOCOL_ERROR,
				  e.text);
		return 1;
	}
	if (!x->only && put_tcp_first(x, m)) {
		osip_message_free(m);
		return try_once(x);
	}
	x->ringing = false;
	x->t = sip_stack_request(sip_agent_stack(x->agent), &way, m, &x->owner,
				 &e);
	if (!x->t) {
		sip_exchange_fail(x,
				  e.kind == ERR_LIMIT ? SIP_END_PORT_ALLOCATION
						      : SIP_END_NETWORK_ERROR,
				  e.text);
		return 1;
	}
	return 0;
}

void sip_exchange_try(struct sip_exchange *x)
{
	for (; x->only ? x->at == 0 : x->at < x->count; x->at++)
		if (try_once(x) >= 0)
			return;
	sip_exchange_fail(x, x->last.end, x->last.text);
}
