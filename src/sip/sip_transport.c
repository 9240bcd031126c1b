/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_transport_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"

const char *const sip_listener_names[] = {
	[SIP_UDP] = "sip_udp", [SIP_TCP] = "sip_tcp", [SIP_TLS] = "sips_tcp"
};

const char *sip_transport_listener(enum sip_transport kind)
{
	return sip_listener_names[kind];
}

struct sip_transports *sip_transports_new(const struct sip_transport_options *o,
					  struct error *e)
{
	struct sip_transports *t = calloc(1, sizeof(*t));

	if (!t) {
		error_nomem(e);
		return NULL;
	}
	t->o = *o;
	if (!o->message_ms)
		t->o.message_ms = SIP_MESSAGE_MS;
	if (!o->unread_max)
		t->o.unread_max = SIP_UNREAD_ALL_MAX;
	random_bytes(t->salt, sizeof(t->salt));
	list_init(&t->opened);
	list_init(&t->accepted);
	list_init(&t->lost);
	list_init(&t->answers);
	for (int i = 0; i < SIP_DATAGRAM_BUCKETS; i++)
		list_init(&t->datagrams[i]);
	return t;
}

static void ticket_free(struct sip_transports *t, struct sip_ticket *k)
{
	list_remove(&k->node);
	sip_flow_release(k->flow);
	free(k);
	t->tickets--;
}

void sip_transports_free(struct sip_transports *t)
{
	if (!t)
		return;
	front_later_cancel(&t->later);
	while (!list_empty(&t->answers))
		ticket_free(
		    t, list_owner(t->answers.next, struct sip_ticket, node));
	tls_context_unref(t->client);
	free(t);
}

static int listen_stream(struct sip_transports *t, enum sip_transport kind,
			 const char *const *addresses, size_t count,
			 uint16_t port, struct error *e)
{
	struct front_stream_ops ops = sip_stream_ops(t);

	return front_listen_tcp(t->o.front, sip_listener_names[kind],
				kind == SIP_TLS ? PEER_STREAM : PEER_STREAM_TCP,
				addresses, count, port, &ops, e);
}

int sip_transports_listen(struct sip_transports *t, enum sip_transport kind,
			  const char *const *addresses, size_t count,
			  uint16_t port, struct error *e)
{
	const struct front_datagram_ops ops = { .datagram =
						    sip_datagram_received,
						.arg = t };

	if (kind != SIP_UDP)
		return listen_stream(t, kind, addresses, count, port, e);
	return front_listen_udp(t->o.front, sip_listener_names[kind], addresses,
				count, port, &ops, e);
}

void sip_transports_unlisten(struct sip_transports *t, enum sip_transport kind)
{
	front_unlisten(t->o.front, sip_listener_names[kind]);
}

void sip_transports_set_client(struct sip_transports *t,
			       struct tls_context *client)
{
	struct tls_context *old = t->client;

	t->client = client ? tls_context_ref(client) : NULL;
	t->generation++;
	tls_context_unref(old);
}

static void tell_answers(struct sip_transports *t)
{
	struct list now;

	list_init(&now);
	list_move(&t->answers, &now);
	while (!list_empty(&now)) {
		struct sip_ticket *k =
		    list_owner(now.next, struct sip_ticket, node);

		t->o.sink.connected(t->o.sink.arg, k->number, k->flow,
				    k->flow ? NULL : &k->why);
		ticket_free(t, k);
	}
}

static void run(struct front_later *l)
{
	struct sip_transports *t = list_owner(l, struct sip_transports, later);

	/* A flow that stood when it was asked for may be lost since: first the
	 * answer, then the loss. */
	tell_answers(t);
	sip_streams_lost(t);
}

void sip_transports_wake(struct sip_transports *t)
{
	front_later(t->o.front, &t->later, run);
}

void sip_ticket_answer(struct sip_transports *t, struct sip_ticket *k,
		       struct sip_flow *flow,
		       const struct sip_flow_failure *why)
{
	k->flow = flow ? sip_flow_hold(flow) : NULL;
	if (why)
		k->why = *why;
	list_remove(&k->node);
	list_append(&t->answers, &k->node);
	sip_transports_wake(t);
}

/* Alerts by which a peer says that it does not want our certificate, or that it
 * wants one (RFC 8446 6.2), as src/tls names them. */
static bool is_about_ours(const char *text)
{
	static const char *const alerts[] = {
		"bad_certificate",     "unsupported_certificate",
		"certificate_revoked", "certificate_expired",
		"certificate_unknown", "unknown_ca",
		"access_denied",       "certificate_required",
		"no_certificate",
	};
	static const char said[] = "peer sent alert ";
	const char *at = strstr(text, said);

	for (size_t i = 0; at && i < sizeof(alerts) / sizeof(*alerts); i++)
		if (strncmp(at + sizeof(said) - 1, alerts[i],
			    strlen(alerts[i])) == 0)
			return true;
	return false;
}

struct sip_flow_failure sip_failure_of(const struct error *why,
				       const struct tls_verdict *verdict)
{
	struct sip_flow_failure f = { .end = SIP_END_FAILED_TO_CONNECT };

	if (verdict)
		f.end = sip_end_of_certificate(verdict->reason);
	else if (why->kind == ERR_TLS)
		f.end = is_about_ours(why->text)
			    ? SIP_END_OWN_CERTIFICATE_REFUSED
			    : SIP_END_TLS_FAILED;
	snprintf(f.text, sizeof(f.text), "%.*s", SIP_FAILURE_TEXT - 1,
		 why->text);
	return f;
}

static void connect_udp(struct sip_transports *t,
			const struct sip_target *target, struct sip_ticket *k)
{
	struct error e = ERROR_INIT;
	struct sip_flow *flow = sip_datagram_flow(t, target, &e);
	struct sip_flow_failure why = sip_failure_of(&e, NULL);

	sip_ticket_answer(t, k, flow, &why);
	sip_flow_release(flow);
}

void sip_transports_connect(struct sip_transports *t,
			    const struct sip_target *target, const char *host,
			    uint64_t ticket)
{
	struct sip_ticket *k =
	    t->tickets < SIP_TICKETS_MAX ? calloc(1, sizeof(*k)) : NULL;

	if (!k) {
		log_warning("sip", "no room for a connection to %s",
			    target->address);
		return;
	}
	t->tickets++;
	list_init(&k->node);
	k->number = ticket;
	if (target->transport == SIP_UDP)
		connect_udp(t, target, k);
	else
		sip_stream_connect(t, target, host, k);
}
