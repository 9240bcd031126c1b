/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_transaction.h"

#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "sip/sip_message.h"

/* Requests that we send (RFC 3261 8.1, 9.1, 17.1). */

static const char *const protocols[] = {
	[SIP_UDP] = "UDP",
	[SIP_TCP] = "TCP",
	[SIP_TLS] = "TLS",
};

/* RFC 3261 8.1.1.7 and 18.1.1, RFC 3581 3. */
static int add_via(struct sip_stack *s, const struct sip_flow *flow,
		   osip_message_t *m, struct error *e)
{
	const char *host = s->sent_by ? s->sent_by : flow->local_address;
	bool v6 = strchr(host, ':') && *host != '[';
	uint16_t port = s->config.port[flow->transport];
	uint8_t random[SIP_BRANCH_BYTES];
	char branch[2 * SIP_BRANCH_BYTES + 1];
	struct buf via;
	int rc;

	random_bytes(random, sizeof(random));
	hex_encode(random, sizeof(random), branch);
	buf_init(&via, 1024);
	rc = buf_addf(&via, e, "SIP/2.0/%s %s%s%s:%u;branch=z9hG4bK%s;rport",
		      protocols[flow->transport], v6 ? "[" : "", host,
		      v6 ? "]" : "", (unsigned)(port ? port : flow->local_port),
		      branch);
	if (rc == 0 && osip_message_set_via(m, buf_cstr(&via)) != 0)
		rc = error_set(e, ERR_INPUT, "no Via can be made");
	buf_free(&via);
	return rc;
}

/* Sends t's request, which has its Via, over t's flow. */
static int begin(struct sip_transaction *t, struct error *e)
{
	osip_message_t *m = t->request;
	uint8_t key[SIP_KEY_SIZE];
	osip_event_t *event;

	if (sip_key_client(t->stack, sip_message_branch(m), m->sip_method,
			   key) < 0)
		return error_nomem(e);
	if (sip_transaction_start(t, t->invite ? ICT : NICT, m, e) < 0)
		return -1;
	event = osip_new_outgoing_sipmessage(m);
	if (!event)
		return error_nomem(e);
	t->request = NULL; /* the machine's from here on */
	sip_put(t, SIP_SLOT_MAIN, key);
	sip_transaction_run(t, event);
	return 0;
}

/* The ACK to a 2xx has no answer to wait for (13.2.2.4). */
static int pass_on(struct sip_transaction *t, struct error *e)
{
	if (sip_flow_write(t->flow, t->request, NULL, e) < 0)
		return -1;
	t->over = true;
	sip_transaction_soil(t);
	return 0;
}

static int launch(struct sip_transaction *t, struct sip_flow *flow,
		  struct error *e)
{
	t->flow = sip_flow_hold(flow);
	if (add_via(t->stack, flow, t->request, e) < 0)
		return -1;
	return MSG_IS_ACK(t->request) ? pass_on(t, e) : begin(t, e);
}

static bool is_whole(const osip_message_t *m)
{
	return m->sip_method && m->req_uri && m->from && m->to && m->call_id &&
	       m->cseq && m->cseq->method && osip_list_size(&m->vias) == 0 &&
	       !MSG_IS_CANCEL(m);
}

static void ask_for_flow(struct sip_transaction *t, const struct sip_way *way)
{
	struct sip_stack *s = t->stack;

	t->ticket = ++s->tickets;
	s->config.connect(s->config.connect_arg, &way->target, way->host,
			  t->ticket);
}

struct sip_transaction *sip_stack_request(struct sip_stack *s,
					  const struct sip_way *way,
					  struct osip_message *request,
					  void *mark, struct error *e)
{
	struct sip_transaction *t = NULL;

	if (!is_whole(request))
		error_set(e, ERR_INPUT, "the request is not whole");
	else if (!sip_make_room(s, SIP_PEERS))
		error_set(e, ERR_LIMIT, "too many transactions");
	else
		t = sip_transaction_new(s, false, e);
	if (!t) {
		osip_message_free(request);
		return NULL;
	}
	t->invite = MSG_IS_INVITE(request);
	t->request = request;
	t->mark = mark;
	sip_stack_enter(s);
	if (!way->flow) {
		ask_for_flow(t, way);
	} else if (launch(t, way->flow, e) < 0) {
		sip_transaction_end(t);
		t = NULL;
	}
	s->depth--; /* what failed at once is told by the next tick */
	if (!t)
		return NULL;
	t->known = true;
	if (t->over)
		sip_stack_wake(s, s->now);
	return t;
}

static struct sip_transaction *by_ticket(struct sip_stack *s, uint64_t ticket)
{
	for (struct list *l = s->all.next; l != &s->all; l = l->next) {
		struct sip_transaction *t =
		    list_owner(l, struct sip_transaction, all);

		if (ticket && t->ticket == ticket)
			return t;
	}
	return NULL;
}

void sip_stack_connected(struct sip_stack *s, uint64_t ticket,
			 struct sip_flow *flow, const char *reason)
{
	struct sip_transaction *t = by_ticket(s, ticket);
	struct error e = ERROR_INIT;

	if (!t || t->flow || t->over)
		return;
	sip_stack_enter(s);
	t->ticket = 0;
	if (!flow) {
		log_trace("sip", "no connection: %s", reason ? reason : "");
		sip_transaction_fail(t, SIP_FAILED_CONNECT);
	} else if (launch(t, flow, &e) < 0) {
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
		sip_transaction_fail(t, SIP_FAILED_TRANSPORT);
	}
	sip_stack_leave(s);
}

int sip_stack_ack(struct sip_stack *s, struct sip_flow *flow,
		  struct osip_message *ack, struct error *e)
{
	int rc = -1;

	if (osip_list_size(&ack->vias) != 0)
		error_set(e, ERR_INPUT, "the ACK has a Via");
	else if (add_via(s, flow, ack, e) == 0)
		rc = sip_flow_write(flow, ack, NULL, e);
	osip_message_free(ack);
	return rc;
}

/* --- CANCEL */

static void send_cancel(struct sip_transaction *invite)
{
	struct sip_stack *s = invite->stack;
	struct error e = ERROR_INIT;
	struct sip_transaction *t = sip_transaction_new(s, false, &e);

	invite->cancelled = true;
	invite->until = s->now + SIP_TIMEOUT_MS;
	if (!t)
		goto out;
	t->flow = sip_flow_hold(invite->flow);
	t->request = sip_message_cancel(invite->machine->orig_request, &e);
	if (t->request && begin(t, &e) == 0)
		return;
	sip_transaction_end(t);
out:
	log_failure(LOG_LEVEL_WARNING, "sip", &e);
}

void sip_stack_cancel(struct sip_transaction *t)
{
	struct sip_stack *s = t->stack;

	if (t->server || !t->invite || t->final || t->over || t->cancelling)
		return;
	sip_stack_enter(s);
	t->cancelling = true;
	if (!t->machine) { /* nothing was sent */
		t->over = true;
		sip_transaction_soil(t);
	} else if (t->machine->state == ICT_PROCEEDING) {
		send_cancel(t);
	}
	sip_stack_leave(s);
}

/* --- answers */

static struct sip_transaction *find(struct sip_stack *s, struct sip_flow *flow,
				    const osip_message_t *m)
{
	struct sip_transaction *t;
	uint8_t key[SIP_KEY_SIZE];

	/* A second Via: it is not for us (8.1.3.3). */
	if (osip_list_size(&m->vias) != 1 || !m->cseq || !m->cseq->method ||
	    sip_key_client(s, sip_message_branch(m), m->cseq->method, key) < 0)
		return NULL;
	t = sip_find(s, SIP_SLOT_MAIN, key);
	if (!t || t->over || t->flow->transport != flow->transport)
		return NULL;
	return sip_flow_is_reliable(flow) && t->flow != flow ? NULL : t;
}

static void tell(struct sip_transaction *t, const osip_message_t *m)
{
	struct sip_stack *s = t->stack;

	if (m->status_code >= 200) {
		t->final = true;
		if (!t->accepted)
			t->until = 0;
	}
	if (t->known)
		s->config.ops->response(s->config.user, t, m);
}

void sip_take_answer(struct sip_stack *s, struct sip_flow *flow,
		     osip_event_t *event)
{
	struct sip_transaction *t = find(s, flow, event->sip);

	if (!t || !t->machine || t->rests) {
		/* Another fork's 2xx, or a copy. */
		if (t && t->accepted && MSG_IS_STATUS_2XX(event->sip))
			tell(t, event->sip);
		osip_event_free(event);
		return;
	}
	sip_transaction_run(t, event);
	if (!t->took)
		return;
	tell(t, t->machine->last_response);
	if (t->cancelling && !t->cancelled && !t->final && !t->over)
		send_cancel(t);
}
