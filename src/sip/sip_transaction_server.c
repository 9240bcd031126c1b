/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_transaction.h"

#include <string.h>

#include "base/log.h"
#include "sip/sip_answer.h"
#include "sip/sip_message.h"

/* Requests that come (RFC 3261 8.2, 9.2, 17.2). */

/* --- answers */

struct osip_message *sip_stack_answer(const struct sip_transaction *t,
				      unsigned status, struct error *e)
{
	const osip_message_t *request = sip_transaction_request(t);
	osip_message_t *m =
	    sip_message_answer(request, status, NULL, t->to_tag, e);
	char seconds[16];

	if (!m || status != 503)
		return m;
	snprintf(seconds, sizeof(seconds), "%d", SIP_RETRY_AFTER_S);
	if (sip_message_add(m, "Retry-After", seconds, e) < 0) {
		osip_message_free(m);
		return NULL;
	}
	return m;
}

/* The ACK to a 2xx is a transaction of its own: it is known by the dialog. */
static int expect_ack(struct sip_transaction *t, const osip_message_t *answer,
		      struct error *e)
{
	uint8_t key[SIP_KEY_SIZE];

	if (!t->invite || !MSG_IS_STATUS_2XX(answer))
		return 0;
	if (sip_key_ack(t->stack, answer, key) < 0)
		return error_nomem(e);
	sip_put(t, SIP_SLOT_ACK, key);
	return 0;
}

int sip_stack_reply(struct sip_transaction *t, struct osip_message *answer,
		    struct error *e)
{
	struct sip_stack *s = t->stack;
	osip_event_t *event;
	bool final = answer->status_code >= 200;
	int rc = 0;

	if (!t->server || !t->machine || t->final || t->over || t->rests) {
		osip_message_free(answer);
		return error_set(e, ERR_CONFLICT,
				 "the request has its final answer");
	}
	event = expect_ack(t, answer, e) < 0
		    ? NULL
		    : osip_new_outgoing_sipmessage(answer);
	if (!event) {
		osip_message_free(answer);
		return error_nomem(e);
	}
	sip_stack_enter(s);
	t->final = final;
	sip_transaction_run(t, event);
	if (final)
		sip_transaction_soil(t);
	if (t->failing)
		rc = error_set(e, ERR_CONFLICT, "the way to %s is gone",
			       t->flow->peer_address);
	sip_stack_leave(s);
	return rc;
}

static void reply_status(struct sip_transaction *t, unsigned status)
{
	struct error e = ERROR_INIT;
	osip_message_t *m = sip_stack_answer(t, status, &e);

	if (!m || sip_stack_reply(t, m, &e) < 0)
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
}

/* --- new ones */

static struct sip_transaction *begin(struct sip_stack *s, struct sip_flow *flow,
				     osip_message_t *request,
				     const uint8_t key[SIP_KEY_SIZE],
				     struct error *e)
{
	struct sip_transaction *t = sip_transaction_new(s, true, e);
	uint8_t merge[SIP_KEY_SIZE];

	if (!t)
		return NULL;
	t->invite = MSG_IS_INVITE(request);
	t->flow = sip_flow_hold(flow);
	t->peer = sip_peer_index(s, flow->peer_address);
	s->peers[t->peer]++;
	if (sip_transaction_start(t, t->invite ? IST : NIST, request, e) < 0 ||
	    sip_key_merge(s, request, merge) < 0) {
		sip_transaction_end(t);
		return NULL;
	}
	sip_put(t, SIP_SLOT_MAIN, key);
	if (!MSG_IS_CANCEL(request))
		sip_put(t, SIP_SLOT_MERGE, merge);
	return t;
}

/* RFC 3261 8.2.2.2: a proxy forked it, and both branches ended here. */
static bool is_merged(struct sip_stack *s, const osip_message_t *request)
{
	uint8_t key[SIP_KEY_SIZE];
	struct sip_transaction *other;

	if (*sip_message_to_tag(request) || sip_key_merge(s, request, key) < 0)
		return false;
	other = sip_find(s, SIP_SLOT_MERGE, key);
	return other && (!other->final || other->accepted);
}

/* 0, or what a new request is refused with. */
static unsigned admit(struct sip_stack *s, const struct sip_flow *flow,
		      const osip_message_t *request)
{
	if (!sip_make_room(s, sip_peer_index(s, flow->peer_address)))
		return 503;
	if (MSG_IS_CANCEL(request))
		return 0;
	/* They make sense within a dialog only. */
	if ((MSG_IS_BYE(request) || MSG_IS_UPDATE(request)) &&
	    !*sip_message_to_tag(request))
		return 481;
	return is_merged(s, request) ? 482 : 0;
}

/* RFC 3261 9.2. */
static void cancel(struct sip_stack *s, struct sip_transaction *t,
		   struct sip_transaction *invite)
{
	memcpy(t->to_tag, invite->to_tag, sizeof(t->to_tag));
	reply_status(t, 200);
	if (invite->final || invite->over || invite->rests)
		return;
	reply_status(invite, 487);
	s->config.ops->cancelled(s->config.user, invite);
}

static void hand_up(struct sip_stack *s, struct sip_transaction *t)
{
	unsigned status;

	if (t->invite)
		reply_status(t, 100);
	if (t->over)
		return;
	t->known = true;
	status = s->config.ops->request(s->config.user, t,
					sip_transaction_request(t));
	if (status)
		reply_status(t, status);
}

static bool take_new(struct sip_stack *s, struct sip_flow *flow,
		     osip_event_t *event, const uint8_t key[SIP_KEY_SIZE],
		     unsigned *status)
{
	struct sip_transaction *t, *invite = NULL;
	struct error e = ERROR_INIT;
	uint8_t other[SIP_KEY_SIZE];

	*status = admit(s, flow, event->sip);
	if (*status == 0 && MSG_IS_CANCEL(event->sip)) {
		if (sip_key_main(s, flow, event->sip, "INVITE", other) == 0)
			invite = sip_find(s, SIP_SLOT_MAIN, other);
		*status = invite ? 0 : 481;
	}
	if (*status)
		return false;
	t = begin(s, flow, event->sip, key, &e);
	if (!t) {
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
		*status = e.kind == ERR_INPUT ? 400 : 500;
		return false;
	}
	sip_transaction_run(t, event);
	if (invite)
		cancel(s, t, invite);
	else
		hand_up(s, t);
	return true;
}

/* To another answer than 2xx it is part of the INVITE's transaction; to a 2xx
 * it is found by the dialog, and by the branch when the peer errs. */
static void take_ack(struct sip_stack *s, struct sip_transaction *t,
		     osip_event_t *event)
{
	uint8_t key[SIP_KEY_SIZE];

	if (t && t->machine && !t->rests) {
		sip_transaction_run(t, event);
		return;
	}
	if (sip_key_ack(s, event->sip, key) == 0)
		t = sip_find(s, SIP_SLOT_ACK, key);
	if (t && t->accepted && !t->acked && !t->over) {
		sip_accepted_done(t);
		s->config.ops->ack(s->config.user, t, event->sip);
	}
	osip_event_free(event);
}

/* RFC 3581 4: with rport there is always a received, too, which the library
 * leaves out when it says what sent-by says. */
static int note_source(osip_message_t *m, const struct sip_flow *flow)
{
	static char rport[] = "rport", received[] = "received";
	osip_via_t *via = osip_list_get(&m->vias, 0);
	osip_generic_param_t *asked = NULL, *given = NULL;
	char *name, *value;

	if (osip_message_fix_last_via_header(m, flow->peer_address,
					     flow->peer_port) != 0)
		return -1;
	osip_via_param_get_byname(via, rport, &asked);
	osip_via_param_get_byname(via, received, &given);
	if (!asked || given)
		return 0;
	name = osip_strdup(received);
	value = osip_strdup(flow->peer_address);
	if (name && value && osip_via_param_add(via, name, value) == 0)
		return 0;
	osip_free(name);
	osip_free(value);
	return -1;
}

bool sip_take_request(struct sip_stack *s, struct sip_flow *flow,
		      osip_event_t *event, unsigned *status)
{
	bool is_ack = MSG_IS_ACK(event->sip), taken = true;
	struct sip_transaction *t;
	uint8_t key[SIP_KEY_SIZE];

	*status = 500;
	if (sip_key_main(s, flow, event->sip,
			 is_ack ? "INVITE" : event->sip->sip_method, key) < 0 ||
	    note_source(event->sip, flow) < 0) {
		osip_event_free(event);
		return false;
	}
	t = sip_find(s, SIP_SLOT_MAIN, key);
	if (is_ack)
		take_ack(s, t, event);
	else if (t && t->machine && !t->rests)
		sip_transaction_run(t, event); /* a copy */
	else if (t)
		osip_event_free(event);
	else if (!(taken = take_new(s, flow, event, key, status)))
		osip_event_free(event);
	return taken;
}
