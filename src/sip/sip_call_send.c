/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "sip/sip_call_private.h"
#include "sip/sip_message.h"

/* What we send within a call: over its flow when that leads to the next hop of
 * the dialog (sip_call_way.c). Else, or when it is lost, the request is an
 * exchange, which finds the way by the DNS, and the flow, if there is one, is
 * what remains when that fails. A challenge is answered by an exchange, too,
 * which knows the password. */

static struct osip_message *build_bye(struct sip_call *k, struct error *e)
{
	return sip_dialog_request(k->dialog, "BYE", e);
}

/* Of a BYE nothing more is wanted than that it is said. */
static void on_bye_answer(struct sip_call *k, const struct osip_message *m)
{
	(void)k;
	(void)m;
}

static void on_bye_failure(struct sip_call *k, bool timeout)
{
	(void)timeout;
	log_trace("sip", "call %llu: the other side has not confirmed the end",
		  (unsigned long long)k->facts.id);
}

static const struct {
	struct osip_message *(*build)(struct sip_call *k, struct error *e);
	void (*answered)(struct sip_call *k, const struct osip_message *m);
	void (*failed)(struct sip_call *k, bool timeout);
	bool late; /* also heard when the call is over */
} rows[CALL_REQUESTS] = {
	[CALL_BYE] = { build_bye, on_bye_answer, on_bye_failure, true },
	[CALL_REFRESH] = { call_build_refresh, call_refreshed,
			   call_refresh_failed, false },
};

bool call_is_sending(const struct sip_call *k, enum call_request what)
{
	return k->sending[what].t || k->sending[what].x;
}

static void fail(struct call_sending *s, bool timeout)
{
	if (rows[s->what].late || !call_is_over(s->call))
		rows[s->what].failed(s->call, timeout);
}

static void answer(struct call_sending *s, const struct osip_message *m)
{
	if (rows[s->what].late || !call_is_over(s->call))
		rows[s->what].answered(s->call, m);
}

/* --- as an exchange ------------------------------------------------------- */

static struct osip_message *on_build(void *arg, const struct sip_try *t,
				     struct error *e)
{
	struct call_sending *s = arg;

	(void)t; /* the dialog has fields of its own */
	return rows[s->what].build(s->call, e);
}

static void over_flow(struct call_sending *s);

static bool is_challenge(const struct osip_message *m)
{
	return m->status_code == 401 || m->status_code == 407;
}

/* Somebody who may not hear the password wants it; the one who may is at the
 * other end of the flow. */
static bool neighbour_knows_us(const struct call_sending *s)
{
	const struct sip_call *k = s->call;

	return k->flow && !s->tried_flow &&
	       call_may_hear(k, k->flow->peer_address, true);
}

/* The one that was lost has been replaced, by a way to the next hop. */
static void take_flow(struct call_sending *s, struct sip_flow *flow)
{
	struct sip_call *k = s->call;
	struct sip_destination hop;

	s->tried_flow = true;
	call_set_flow(k, flow);
	call_next_hop(k, k->dialog, &hop);
	call_name_neighbour(k, hop.host, hop.port);
}

static void on_answered(void *arg, struct sip_exchange *x,
			struct sip_transaction *t, const struct osip_message *m)
{
	struct call_sending *s = arg;
	struct sip_call *k = s->call;

	k->references++;
	if (x == s->x && m->status_code >= 200 && !k->flow)
		take_flow(s, sip_transaction_flow(t));
	if (MSG_IS_STATUS_2XX(m) && MSG_IS_INVITE(sip_transaction_request(t)))
		call_ack_change(k, t, m);
	if (x == s->x && m->status_code >= 200) {
		s->x = NULL;
		if (is_challenge(m) && neighbour_knows_us(s))
			over_flow(s);
		else
			answer(s, m);
	}
	call_release(k);
}

/* That way led nowhere: the flow of the call, unless it was the first. */
static void go_back(struct call_sending *s, bool timeout)
{
	if (s->call->flow && !s->tried_flow && call_may_send(s->call))
		over_flow(s);
	else
		fail(s, timeout);
}

static void on_failed(void *arg, struct sip_exchange *x, enum sip_end end,
		      const char *text)
{
	struct call_sending *s = arg;
	struct sip_call *k = s->call;

	if (x != s->x)
		return;
	k->references++;
	s->x = NULL;
	log_trace("sip", "call %llu: %s", (unsigned long long)k->facts.id,
		  text);
	go_back(s, end == SIP_END_NO_ANSWER);
	call_release(k);
}

static void on_finished(void *arg, struct sip_exchange *x)
{
	struct call_sending *s = arg;

	if (x == s->x)
		s->x = NULL;
	call_release(s->call);
}

static const struct sip_exchange_ops exchange_ops = {
	.build = on_build,
	.answered = on_answered,
	.failed = on_failed,
	.finished = on_finished,
};

static void start(struct call_sending *s, struct sip_exchange_options *o,
		  struct error *e)
{
	struct sip_call *k = s->call;

	o->agent = k->calls->o.agent;
	o->ops = &exchange_ops;
	o->arg = s;
	o->secure = k->secure;
	o->user_name = k->user_name;
	if (!o->agent)
		error_set(e, ERR_NOT_FOUND,
			  "there is no way to the other "
			  "side any more");
	else
		s->x = sip_exchange_start(o, e);
	if (s->x)
		k->references++;
}

/* To whoever the dialog names, who has to be located. A flow that stands is
 * still there when nobody is: then they are not waited for so long, but for an
 * INVITE, which might be taken late. */
static void elsewhere(struct call_sending *s)
{
	struct sip_call *k = s->call;
	bool hurry = k->flow && (s->what == CALL_BYE || k->peer_updates);
	struct sip_exchange_options o = {
		.named_by = k->facts.link.address,
		.limit_ms = hurry ? call_detour_ms(k) : SIP_TIMEOUT_MS,
	};
	struct error e = ERROR_INIT;

	s->tried_elsewhere = true;
	call_next_hop(k, k->dialog, &o.to);
	if (call_may_hear(k, o.to.host, false))
		o.password = &k->password;
	start(s, &o, &e);
	if (s->x)
		return;
	log_failure(LOG_LEVEL_TRACE, "sip", &e);
	go_back(s, false);
}

/* To the other end of the flow, but with a password for its challenge, or by
 * TCP. */
static void to_neighbour(struct call_sending *s)
{
	struct sip_call *k = s->call;
	struct sip_exchange_options o = { .limit_ms = SIP_TIMEOUT_MS };
	struct error e = ERROR_INIT;

	if (s->large)
		o.to = call_neighbour_of(k->flow);
	else
		o.flow = k->flow;
	if (call_may_hear(k, k->flow->peer_address, true))
		o.password = &k->password;
	start(s, &o, &e);
	if (s->x)
		return;
	log_failure(LOG_LEVEL_TRACE, "sip", &e);
	fail(s, false);
}

/* --- over the flow of the call -------------------------------------------- */

static struct call_sending *of_transaction(struct sip_call *k,
					   const struct sip_transaction *t)
{
	for (int i = 0; i < CALL_REQUESTS; i++)
		if (k->sending[i].t == t)
			return &k->sending[i];
	return NULL;
}

static void over_flow(struct call_sending *s)
{
	struct sip_call *k = s->call;
	struct sip_way way = { .flow = k->flow };
	struct error e = ERROR_INIT;
	osip_message_t *m = rows[s->what].build(k, &e);

	s->tried_flow = true;
	s->large = m && call_needs_stream(k, k->flow, m);
	if (s->large) {
		osip_message_free(m);
		to_neighbour(s);
		return;
	}
	s->t = m ? sip_stack_request(k->calls->o.stack, &way, m, &k->owner, &e)
		 : NULL;
	if (s->t) {
		k->references++;
		return;
	}
	log_failure(LOG_LEVEL_TRACE, "sip", &e);
	fail(s, false);
}

void call_send(struct sip_call *k, enum call_request what)
{
	struct call_sending *s = &k->sending[what];

	s->tried_flow = s->tried_elsewhere = s->large = false;
	if (k->flow && call_is_near(k, k->dialog, k->flow))
		over_flow(s);
	else
		elsewhere(s);
}

bool call_sent_answered(struct sip_call *k, struct sip_transaction *t,
			const struct osip_message *m)
{
	struct call_sending *s = of_transaction(k, t);

	if (!s || m->status_code < 200)
		return false;
	s->t = NULL;
	if (is_challenge(m) && k->user_name && k->flow && k->calls->o.agent)
		to_neighbour(s);
	else
		answer(s, m);
	return true;
}

bool call_sent_failed(struct sip_call *k, struct sip_transaction *t,
		      enum sip_failure why)
{
	struct call_sending *s = of_transaction(k, t);

	if (!s)
		return false;
	s->t = NULL;
	if (why == SIP_FAILED_TIMEOUT || s->tried_elsewhere)
		fail(s, why == SIP_FAILED_TIMEOUT);
	else
		elsewhere(s);
	return true;
}

void call_sent_ended(struct sip_call *k, const struct sip_transaction *t)
{
	struct call_sending *s = of_transaction(k, t);

	if (s)
		s->t = NULL;
}

/* After a provisional answer an INVITE has no deadline: who never gives another
 * one would keep the transaction, and with it the call, for ever. */
void call_cancel_refresh(struct sip_call *k)
{
	struct call_sending *s = &k->sending[CALL_REFRESH];

	if (s->t && s->invite)
		sip_stack_cancel(s->t);
}

bool call_is_credential(const osip_header_t *h)
{
	return h->hname && (strcasecmp(h->hname, "Authorization") == 0 ||
			    strcasecmp(h->hname, "Proxy-Authorization") == 0);
}

/* RFC 3261 13.2.2.4: those of the INVITE; an ACK cannot be challenged. */
static int add_credentials(struct osip_message *m,
			   const struct osip_message *invite, struct error *e)
{
	for (int i = 0; i < osip_list_size(&invite->headers); i++) {
		const osip_header_t *h = osip_list_get(&invite->headers, i);

		if (call_is_credential(h) &&
		    sip_message_add(m, h->hname, h->hvalue, e) < 0)
			return -1;
	}
	return 0;
}

static struct osip_message *build_ack(const struct sip_dialog *d, uint32_t cseq,
				      const struct sip_transaction *invite,
				      struct error *e)
{
	osip_message_t *m = sip_dialog_ack(d, cseq, e);

	if (m && add_credentials(m, sip_transaction_request(invite), e) < 0) {
		osip_message_free(m);
		return NULL;
	}
	return m;
}

static uint32_t cseq_of(const struct osip_message *m)
{
	return (uint32_t)strtoul(m->cseq->number, NULL, 10);
}

/* How often this 2xx has come before. */
static unsigned count_copies(struct sip_call *k, const struct sip_dialog *d,
			     uint32_t cseq)
{
	if (d != k->dialog)
		return 0; /* another fork's: sip_call_out.c counts those */
	if (cseq < k->acked_cseq)
		return CALL_ACKS_MAX;
	if (cseq > k->acked_cseq)
		k->acked = 0;
	k->acked_cseq = cseq;
	return k->acked++;
}

/* A copy of the 2xx says that the ACK has not come there: from then on it goes
 * both ways, and no look for the next hop is begun for ever. */
void call_ack(struct sip_call *k, const struct sip_dialog *d,
	      const struct sip_transaction *invite,
	      const struct osip_message *response)
{
	struct sip_flow *flow = sip_transaction_flow(invite);
	uint32_t cseq = cseq_of(response);
	unsigned copies = count_copies(k, d, cseq);
	struct error e = ERROR_INIT;
	osip_message_t *m = build_ack(d, cseq, invite, &e);
	bool sent = false;

	if (m && copies < CALL_ACKS_MAX) {
		sent = call_errand(k, d, flow, m);
		if (sent || !copies)
			return;
		m = build_ack(d, cseq, invite, &e);
	}
	if (!m || sip_stack_ack(k->calls->o.stack, flow, m, &e) < 0)
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
}

void call_ack_change(struct sip_call *k, const struct sip_transaction *t,
		     const struct osip_message *response)
{
	struct error e = ERROR_INIT;

	/* RFC 3261 12.2.1.2; a copy that comes late does not put it back. */
	if (cseq_of(response) > k->acked_cseq &&
	    sip_dialog_refresh(k->dialog, response, &e) < 0)
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
	call_ack(k, k->dialog, t, response);
}
