/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "sip/sip_call_private.h"

/* The life of a call: what is known of it, how it ends, and whom the events of
 * its transactions go to. */

bool call_is_over(const struct sip_call *k)
{
	return k->facts.state == SIP_CALL_DISCONNECTED;
}

void call_changed(struct sip_call *k)
{
	const struct sip_calls_options *o = &k->calls->o;

	if (o->changed)
		o->changed(o->arg, &k->facts);
}

/* --- the connection that signals it */

void call_set_flow(struct sip_call *k, struct sip_flow *flow)
{
	if (flow == k->flow)
		return;
	sip_flow_release(k->flow);
	k->flow = flow ? sip_flow_hold(flow) : NULL;
	if (!flow)
		return;
	sip_link_facts_of(flow, &k->facts.link);
	memcpy(k->here, flow->local_address, sizeof(k->here));
}

/* --- states */

void call_connected(struct sip_call *k)
{
	if (k->facts.state != SIP_CALL_ALERTING)
		return;
	k->facts.state = SIP_CALL_CONNECTED;
	k->facts.connected = clock_now();
	k->facts.connected_ms = call_now(k->calls);
	log_info("sip", "call %llu with %s is connected",
		 (unsigned long long)k->facts.id, k->facts.peer);
	call_changed(k);
}

static void set_end(struct sip_call *k, enum sip_end why, unsigned status,
		    const char *text)
{
	struct sip_call_facts *f = &k->facts;

	call_media_count(k, f);
	call_media_close(k);
	f->state = SIP_CALL_DISCONNECTED;
	k->calls->live--;
	f->ended = clock_now();
	f->ended_ms = call_now(k->calls);
	f->end = why;
	f->status = status;
	f->held = false;
	utf8_line(view_str(text), f->end_text, sizeof(f->end_text));
	for (int i = 0; i < CALL_TIMERS; i++)
		call_disarm(k, (enum call_timer)i);
	log_info("sip", "call %llu with %s has ended: %s%s%s",
		 (unsigned long long)f->id, f->peer, sip_end_name(why),
		 *f->end_text ? ", " : "", f->end_text);
}

/* What their INVITE is answered with that is not answered yet. */
static unsigned status_of(enum sip_end why)
{
	switch (why) {
	case SIP_END_REMOTE_TEARDOWN: return 487;
	case SIP_END_PORT_ALLOCATION: return 503;
	default: return 480;
	}
}

static void end(struct sip_call *k, enum sip_end why, unsigned status,
		const char *text, bool bye)
{
	if (call_is_over(k))
		return;
	k->references++;
	set_end(k, why, status, text);
	call_cancel_refresh(k);
	if (k->invite && !k->answered)
		call_refuse(k->invite, status_of(why), NULL);
	else if (bye && k->invite)
		k->bye_owed = true;
	else if (bye && k->dialog)
		call_send(k, CALL_BYE);
	else if (!k->dialog)
		call_cancel(k);
	call_changed(k);
	call_release(k); /* the table's */
	call_release(k);
}

void call_end(struct sip_call *k, enum sip_end why, unsigned status,
	      const char *text)
{
	end(k, why, status, text, true);
}

void call_end_without_bye(struct sip_call *k, enum sip_end why, unsigned status,
			  const char *text)
{
	end(k, why, status, text, false);
}

/* --- time */

static void on_expiry(struct sip_call *k)
{
	call_end(k, SIP_END_NETWORK_ERROR, 0,
		 "the session was not refreshed in time");
}

void call_due(struct sip_call *k, enum call_timer which)
{
	static void (*const rows[CALL_TIMERS])(struct sip_call *) = {
		[CALL_RINGS] = call_answer_now,
		[CALL_REFRESHES] = call_refresh,
		[CALL_EXPIRES] = on_expiry,
	};

	if (!call_is_over(k))
		rows[which](k);
}

/* --- events of its transactions */

static struct sip_call *of(struct sip_owner *o)
{
	return list_owner(o, struct sip_call, owner);
}

static void on_response(struct sip_owner *o, struct sip_transaction *t,
			const struct osip_message *response)
{
	struct sip_call *k = of(o);

	k->references++;
	if (MSG_IS_STATUS_2XX(response) &&
	    MSG_IS_INVITE(sip_transaction_request(t)))
		call_ack_change(k, t, response);
	(void)call_sent_answered(k, t, response);
	/* Of an INVITE copies of the 2xx may come. */
	if (response->status_code >= 200 &&
	    !MSG_IS_INVITE(sip_transaction_request(t)))
		call_disown(k, t);
	call_release(k);
}

static void on_timed_out(struct sip_owner *o, struct sip_transaction *t,
			 enum sip_failure why)
{
	struct sip_call *k = of(o);

	k->references++;
	if (t == k->invite) {
		/* RFC 3261 13.3.1.4; and there is no ACK to wait for. */
		k->invite = NULL;
		if (k->bye_owed)
			call_send(k, CALL_BYE);
		else
			call_end(k, SIP_END_NETWORK_ERROR, 0,
				 "the other side did not confirm the call");
		k->bye_owed = false;
	} else {
		(void)call_sent_failed(k, t, why);
	}
	call_release(k);
}

static void on_ended(struct sip_owner *o, struct sip_transaction *t)
{
	struct sip_call *k = of(o);

	if (t == k->invite) {
		k->invite = NULL;
		/* While it rings; later timed_out() has told. */
		if (!k->answered)
			call_end_without_bye(k, SIP_END_NETWORK_ERROR, 0,
					     "the connection was lost");
	}
	call_sent_ended(k, t);
	call_release(k);
}

static void on_ack(struct sip_owner *o, struct sip_transaction *t,
		   const struct osip_message *ack)
{
	call_acked(of(o), t, ack);
}

static void on_cancelled(struct sip_owner *o, struct sip_transaction *t)
{
	struct sip_call *k = of(o);

	if (t != k->invite)
		return;
	k->invite = NULL; /* it has its answer */
	if (k->facts.state == SIP_CALL_ALERTING)
		call_end_without_bye(k, SIP_END_REMOTE_TEARDOWN, 487,
				     "the caller gave up");
}

static const struct sip_owner_ops call_ops = {
	.response = on_response,
	.timed_out = on_timed_out,
	.ended = on_ended,
	.ack = on_ack,
	.cancelled = on_cancelled,
};

void call_bind(struct sip_call *k)
{
	k->owner.ops = &call_ops;
	for (int i = 0; i < CALL_REQUESTS; i++) {
		k->sending[i].call = k;
		k->sending[i].what = (enum call_request)i;
	}
}

void call_own(struct sip_call *k, struct sip_transaction *t)
{
	k->references++;
	sip_transaction_set_mark(t, &k->owner);
}

void call_disown(struct sip_call *k, struct sip_transaction *t)
{
	sip_transaction_set_mark(t, NULL);
	call_release(k);
}
