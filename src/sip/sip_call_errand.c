/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "sip/sip_call_private.h"
#include "sip/sip_message.h"

/* What is sent within a call and whose answer nobody waits for: ACKs to 2xx,
 * and the BYE for a fork that is not wanted. Where it goes is decided as for
 * the other requests; when nothing is found there, it goes over the flow. */

struct errand {
	struct list node;
	struct sip_call *call; /* a reference */
	struct sip_exchange *x;
	struct osip_message *message;
	struct sip_flow *flow; /* held */
	bool trusted; /* who is found may hear what the password made */
};

static void errand_free(struct errand *r)
{
	list_remove(&r->node);
	r->call->errands_count--;
	osip_message_free(r->message);
	sip_flow_release(r->flow);
	free(r);
}

/* Takes m. */
static void deliver(struct sip_call *k, struct sip_flow *flow,
		    struct osip_message *m)
{
	struct sip_stack *stack = k->calls->o.stack;
	struct sip_way way = { .flow = flow };
	struct error e = ERROR_INIT;
	bool sent = MSG_IS_ACK(m)
			? sip_stack_ack(stack, flow, m, &e) == 0
			: sip_stack_request(stack, &way, m, NULL, &e) != NULL;

	if (!sent)
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
}

/* --- as an exchange ------------------------------------------------------- */

static void remove_credentials(struct osip_message *m)
{
	for (int i = osip_list_size(&m->headers) - 1; i >= 0; i--) {
		osip_header_t *h = osip_list_get(&m->headers, i);

		if (!call_is_credential(h))
			continue;
		osip_list_remove(&m->headers, i);
		osip_header_free(h);
	}
}

static struct osip_message *on_build(void *arg, const struct sip_try *t,
				     struct error *e)
{
	struct errand *r = arg;
	osip_message_t *m = NULL;

	(void)t; /* the dialog has fields of its own */
	if (osip_message_clone(r->message, &m) != 0) {
		error_nomem(e);
		return NULL;
	}
	if (!r->trusted)
		remove_credentials(m);
	return m;
}

static void on_answered(void *arg, struct sip_exchange *x,
			struct sip_transaction *t, const struct osip_message *m)
{
	(void)arg;
	(void)x;
	(void)t;
	(void)m;
}

static void on_failed(void *arg, struct sip_exchange *x, enum sip_end end,
		      const char *text)
{
	struct errand *r = arg;
	osip_message_t *m = r->message;

	(void)x;
	(void)end;
	if (!call_may_send(r->call))
		return;
	log_trace("sip", "call %llu: %s: over the flow of the call then",
		  (unsigned long long)r->call->facts.id, text);
	r->message = NULL;
	deliver(r->call, r->flow, m);
}

static void on_finished(void *arg, struct sip_exchange *x)
{
	struct errand *r = arg;
	struct sip_call *k = r->call;

	(void)x;
	errand_free(r);
	call_release(k);
}

static const struct sip_exchange_ops exchange_ops = {
	.build = on_build,
	.answered = on_answered,
	.failed = on_failed,
	.finished = on_finished,
};

/* named_by: as sip_exchange.h has it. False: it cannot be; m is the caller's as
 * before. */
static bool start(struct sip_call *k, const struct sip_destination *to,
		  const char *named_by, struct sip_flow *flow,
		  struct osip_message *m, struct error *e)
{
	struct errand *r = calloc(1, sizeof(*r));
	struct sip_exchange_options o = {
		.agent = k->calls->o.agent,
		.ops = &exchange_ops,
		.arg = r,
		.to = *to,
		.named_by = named_by,
		.secure = k->secure,
		.limit_ms = call_detour_ms(k),
	};

	if (!r) {
		error_nomem(e);
		return false;
	}
	r->call = k;
	r->trusted = call_may_hear(k, to->host, false);
	r->x = sip_exchange_start(&o, e);
	if (!r->x) {
		free(r);
		return false;
	}
	r->message = m;
	r->flow = sip_flow_hold(flow);
	list_append(&k->errands, &r->node);
	k->errands_count++;
	k->references++;
	return true;
}

bool call_errand(struct sip_call *k, const struct sip_dialog *d,
		 struct sip_flow *flow, struct osip_message *m)
{
	struct sip_destination to;
	struct error e = ERROR_INIT;
	bool near = call_is_near(k, d, flow);

	if (near && !call_needs_stream(k, flow, m)) {
		deliver(k, flow, m);
		return true;
	}
	if (near)
		to = call_neighbour_of(flow);
	else
		call_next_hop(k, d, &to);
	if (k->errands_count < CALL_ERRANDS_MAX &&
	    start(k, &to, near ? NULL : flow->peer_address, flow, m, &e))
		return near;
	if (e.kind != ERR_NONE)
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
	deliver(k, flow, m);
	return true;
}

void call_errands_drop(struct sip_call *k)
{
	while (!list_empty(&k->errands)) {
		struct errand *r =
		    list_owner(k->errands.next, struct errand, node);

		sip_exchange_drop(r->x);
		errand_free(r);
	}
}
