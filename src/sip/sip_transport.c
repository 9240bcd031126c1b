/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_transport_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/secret.h"

const char *const sip_listener_names[] = {
	[SIP_UDP] = "sip_udp", [SIP_TCP] = "sip_tcp", [SIP_TLS] = "sips_tcp"
};

struct sip_transports *sip_transports_new(const struct sip_transport_options *o,
					  struct error *e)
{
	struct sip_transports *t = calloc(1, sizeof(*t));

	if (!t) {
		error_nomem(e);
		return NULL;
	}
	t->o = *o;
	random_bytes(t->salt, sizeof(t->salt));
	list_init(&t->opened);
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
				    k->flow ? NULL : k->reason);
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
		       struct sip_flow *flow, const char *reason)
{
	k->flow = flow ? sip_flow_hold(flow) : NULL;
	snprintf(k->reason, sizeof(k->reason), "%s", reason ? reason : "");
	list_remove(&k->node);
	list_append(&t->answers, &k->node);
	sip_transports_wake(t);
}

static void connect_udp(struct sip_transports *t,
			const struct sip_target *target, struct sip_ticket *k)
{
	struct error e = ERROR_INIT;
	struct sip_flow *flow = sip_datagram_flow(t, target, &e);

	sip_ticket_answer(t, k, flow, e.text);
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
