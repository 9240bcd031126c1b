/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "sip/sip_call_private.h"
#include "sip/sip_message.h"

/* What we send within a call: over its flow while there is one. When that is
 * lost, or a challenge comes, the request is made again as an exchange, which
 * finds the way by the DNS and knows the password. */

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

static void on_answered(void *arg, struct sip_exchange *x,
			struct sip_transaction *t, const struct osip_message *m)
{
	struct call_sending *s = arg;
	struct sip_call *k = s->call;

	k->references++;
	if (MSG_IS_STATUS_2XX(m) && MSG_IS_INVITE(sip_transaction_request(t)))
		call_ack(k, k->dialog, t, m);
	if (x == s->x && m->status_code >= 200) {
		s->x = NULL;
		if (!k->flow)
			call_set_flow(k, sip_transaction_flow(t));
		answer(s, m);
	}
	call_release(k);
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
	fail(s, end == SIP_END_NO_ANSWER);
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

/* A call that began over TLS stays on it, whatever the Contact says. */
static void find_way(const struct sip_call *k, struct sip_destination *out)
{
	sip_dialog_next_hop(k->dialog, out);
	if (out->has_transport && k->facts.link.transport != SIP_TLS)
		return;
	out->has_transport = true;
	out->transport = k->facts.link.transport;
}

/* Contact and Record-Route are what the other side says, and a flow may be
 * anybody's who knows the tags: only the host that was dialled hears something
 * that is made of the password. */
static bool may_challenge(const struct sip_call *k, const struct sip_flow *flow,
			  const struct sip_destination *to)
{
	const char *who = flow ? flow->peer_address : to->host;

	return k->to && k->password.len &&
	       (strcmp(who, k->answers) == 0 ||
		(!flow && strcasecmp(who, k->to->host) == 0));
}

/* flow: to answer a challenge; NULL: a way is looked for. */
static void send_anew(struct call_sending *s, struct sip_flow *flow)
{
	struct sip_call *k = s->call;
	struct sip_exchange_options o = {
		.agent = k->calls->o.agent,
		.ops = &exchange_ops,
		.arg = s,
		.flow = flow,
		.secure = k->secure,
		.user_name = k->user_name,
		.limit_ms = SIP_TIMEOUT_MS,
	};
	struct error e = ERROR_INIT;

	if (!flow)
		find_way(k, &o.to);
	if (may_challenge(k, flow, &o.to))
		o.password = &k->password;
	if (!o.agent)
		error_set(&e, ERR_NOT_FOUND,
			  "there is no way to the other "
			  "side any more");
	else
		s->x = sip_exchange_start(&o, &e);
	if (s->x) {
		k->references++;
		return;
	}
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

void call_send(struct sip_call *k, enum call_request what)
{
	struct call_sending *s = &k->sending[what];
	struct sip_way way = { .flow = k->flow };
	struct error e = ERROR_INIT;
	osip_message_t *m;

	if (!k->flow) {
		send_anew(s, NULL);
		return;
	}
	m = rows[what].build(k, &e);
	s->t = m ? sip_stack_request(k->calls->o.stack, &way, m, &k->owner, &e)
		 : NULL;
	if (s->t) {
		k->references++;
		return;
	}
	log_failure(LOG_LEVEL_TRACE, "sip", &e);
	fail(s, false);
}

bool call_sent_answered(struct sip_call *k, struct sip_transaction *t,
			const struct osip_message *m)
{
	struct call_sending *s = of_transaction(k, t);
	bool challenge = m->status_code == 401 || m->status_code == 407;

	if (!s || m->status_code < 200)
		return false;
	s->t = NULL;
	if (challenge && k->user_name && k->flow && k->calls->o.agent)
		send_anew(s, k->flow);
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
	if (why == SIP_FAILED_TIMEOUT)
		fail(s, true);
	else
		send_anew(s, NULL);
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

/* RFC 3261 13.2.2.4: those of the INVITE; an ACK cannot be challenged. */
static int add_credentials(struct osip_message *m,
			   const struct osip_message *invite, struct error *e)
{
	for (int i = 0; i < osip_list_size(&invite->headers); i++) {
		const osip_header_t *h = osip_list_get(&invite->headers, i);

		if ((strcasecmp(h->hname, "Authorization") == 0 ||
		     strcasecmp(h->hname, "Proxy-Authorization") == 0) &&
		    sip_message_add(m, h->hname, h->hvalue, e) < 0)
			return -1;
	}
	return 0;
}

void call_ack(struct sip_call *k, const struct sip_dialog *d,
	      const struct sip_transaction *invite,
	      const struct osip_message *response)
{
	struct error e = ERROR_INIT;
	uint32_t cseq = (uint32_t)strtoul(response->cseq->number, NULL, 10);
	osip_message_t *m = sip_dialog_ack(d, cseq, &e);

	if (m && add_credentials(m, sip_transaction_request(invite), &e) < 0) {
		osip_message_free(m);
		m = NULL;
	}
	if (!m || sip_stack_ack(k->calls->o.stack, sip_transaction_flow(invite),
				m, &e) < 0)
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
}
