/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "base/log.h"
#include "front/address.h"
#include "sip/sip_answer.h"
#include "sip/sip_transport_private.h"

/* Flows over UDP: a pair of addresses. There is one as long as somebody holds
 * it; the next datagram of the pair finds it then. */

struct datagram_flow {
	struct sip_flow flow;
	struct sip_transports *transports;
	struct list node; /* of its bucket */
	struct sockaddr_storage peer, local;
};

static bool on_send(struct sip_flow *flow, const void *bytes, size_t n)
{
	struct datagram_flow *f = flow->impl;
	struct error e = ERROR_INIT;

	if (front_udp_send(f->transports->o.front, sip_listener_names[SIP_UDP],
			   &f->local, &f->peer, bytes, n, &e) == 0)
		return true;
	log_trace("sip", "%s: %s", flow->peer_address, e.text);
	/* What the kernel has no room for is lost as on any way: it is sent
	 * again by its timer. */
	return e.kind == ERR_LIMIT;
}

/* Nothing stands that could end. */
static void on_close(struct sip_flow *flow)
{
	(void)flow;
}

static void on_destroy(struct sip_flow *flow)
{
	struct datagram_flow *f = flow->impl;

	list_remove(&f->node);
	f->transports->datagram_flows--;
	free(f);
}

static const struct sip_flow_ops datagram_ops = { on_send, on_close,
						  on_destroy };

static struct list *bucket(struct sip_transports *t, const struct sip_flow *key)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ t->salt[0] ^
		     ((uint64_t)t->salt[1] << 40);

	for (const char *p = key->peer_address; *p; p++)
		h = (h ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	h = (h ^ key->peer_port ^ t->salt[2]) * UINT64_C(0x100000001b3);
	h ^= h >> 29;
	return &t->datagrams[h % SIP_DATAGRAM_BUCKETS];
}

static struct datagram_flow *find(const struct list *head,
				  const struct sockaddr_storage *peer,
				  const struct sockaddr_storage *local)
{
	for (struct list *l = head->next; l != head; l = l->next) {
		struct datagram_flow *f =
		    list_owner(l, struct datagram_flow, node);

		if (address_same_host(&f->peer, peer) &&
		    address_port(&f->peer) == address_port(peer) &&
		    address_same_host(&f->local, local) &&
		    address_port(&f->local) == address_port(local))
			return f;
	}
	return NULL;
}

static struct datagram_flow *make(struct sip_transports *t,
				  const struct sip_flow *key,
				  const struct sockaddr_storage *peer,
				  const struct sockaddr_storage *local,
				  struct error *e)
{
	struct datagram_flow *f = NULL;

	if (t->datagram_flows >= SIP_DATAGRAM_FLOWS_MAX) {
		error_set(e, ERR_LIMIT, "%d peers over UDP are there already",
			  SIP_DATAGRAM_FLOWS_MAX);
		return NULL;
	}
	f = calloc(1, sizeof(*f));
	if (!f) {
		error_nomem(e);
		return NULL;
	}
	f->flow = *key;
	f->flow.id = ++t->next_id;
	f->flow.transport = SIP_UDP;
	f->flow.ops = &datagram_ops;
	f->flow.impl = f;
	f->flow.references = 1;
	f->transports = t;
	f->peer = *peer;
	f->local = *local;
	t->datagram_flows++;
	list_prepend(bucket(t, key), &f->node);
	return f;
}

/* Held. */
static struct sip_flow *get(struct sip_transports *t,
			    const struct sockaddr_storage *peer,
			    const struct sockaddr_storage *local,
			    struct error *e)
{
	struct sip_flow key = { 0 };
	struct datagram_flow *f;

	if (!address_text(peer, key.peer_address, &key.peer_port) ||
	    !address_text(local, key.local_address, &key.local_port)) {
		error_set(e, ERR_INTERNAL, "an address without a text");
		return NULL;
	}
	f = find(bucket(t, &key), peer, local);
	if (f)
		return sip_flow_hold(&f->flow);
	f = make(t, &key, peer, local, e);
	return f ? &f->flow : NULL;
}

int sip_transports_udp_local(struct sip_transports *t,
			     const struct sockaddr_storage *to,
			     struct sockaddr_storage *out, struct error *e)
{
	if (front_udp_local(t->o.front, sip_listener_names[SIP_UDP], to, out,
			    e) == 0)
		return 0;
	if (e->kind == ERR_NOT_FOUND)
		error_set(e, ERR_NOT_FOUND,
			  "SIP over UDP is off here (Network > Services), or "
			  "has no address of that family");
	return -1;
}

struct sip_flow *sip_datagram_flow(struct sip_transports *t,
				   const struct sip_target *target,
				   struct error *e)
{
	struct sockaddr_storage peer, local;

	if (address_parse(target->address, target->port, &peer, e) < 0 ||
	    sip_transports_udp_local(t, &peer, &local, e) < 0)
		return NULL;
	return get(t, &peer, &local, e);
}

/* What keeps bindings of routers alive: nothing, line ends, zeros. */
static bool is_keep_alive(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != '\r' && p[i] != '\n' && p[i] != 0)
			return false;
	return true;
}

/* Where the peer wants to be answered. */
static struct sockaddr_storage way_back(const struct sockaddr_storage *from,
					const uint8_t *p, size_t n)
{
	struct sockaddr_storage back = *from;
	struct sip_refusal ignored;
	struct sip_head head;

	(void)sip_head_split(view_of(p, n), &head, &ignored);
	address_set_port(&back, sip_answer_port(&head, address_port(from)));
	return back;
}

void sip_datagram_received(void *arg, const struct sockaddr_storage *from,
			   const struct sockaddr_storage *to, const uint8_t *p,
			   size_t n)
{
	struct sip_transports *t = arg;
	struct sockaddr_storage back;
	struct error e = ERROR_INIT;
	struct sip_flow *flow;

	/* Nobody can be answered on port 0. */
	if (is_keep_alive(p, n) || address_port(from) == 0)
		return;
	back = way_back(from, p, n);
	flow = get(t, &back, to, &e);
	if (!flow) {
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
		return;
	}
	t->o.sink.received(t->o.sink.arg, flow, view_of(p, n));
	sip_flow_release(flow);
}
