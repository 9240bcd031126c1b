/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_exchange_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <osip2/osip.h>

#include "sip/sip_hop.h"
#include "sip/sip_message.h"

/* --- the end -------------------------------------------------------------- */

static void destroy(struct sip_exchange *x)
{
	sip_agent_resolve_cancel(x->agent, &x->question);
	sip_timer_stop(&x->limit);
	sip_timer_stop(&x->later);
	sip_flow_release(x->only);
	sip_flow_release(x->flow);
	secret_free(&x->password);
	free(x->user_name);
	free(x->routes);
	free(x);
}

/* The last thing in whatever calls it. */
static void settle(struct sip_exchange *x)
{
	if (x->busy || !x->over || x->t)
		return;
	x->ops->finished(x->arg, x);
	destroy(x);
}

/* Once, and not after a final answer. */
void sip_exchange_fail(struct sip_exchange *x, enum sip_end end,
		       const char *text)
{
	if (x->over)
		return;
	x->over = true;
	sip_timer_stop(&x->limit);
	sip_agent_resolve_cancel(x->agent, &x->question);
	x->ops->failed(x->arg, x, end, text);
}

static const char *text_of(enum sip_end given_up)
{
	return given_up == SIP_END_NO_ANSWER ? "no answer in time"
					     : "it was ended here";
}

static void fail_given_up(struct sip_exchange *x)
{
	sip_exchange_fail(x, x->given_up, text_of(x->given_up));
}

static void note(struct sip_exchange *x, enum sip_end end, const char *text)
{
	x->last.end = end;
	snprintf(x->last.text, sizeof(x->last.text), "%s", text);
}

static void keep_flow(struct sip_exchange *x, struct sip_transaction *t)
{
	struct sip_flow *flow = sip_transaction_flow(t);

	if (!flow || flow == x->flow)
		return;
	sip_flow_release(x->flow);
	x->flow = sip_flow_hold(flow);
}

static void take_targets(struct sip_exchange *x,
			 const struct sip_target *targets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!*x->named_by ||
		    sip_hop_is_common(targets[i].address, x->named_by))
			x->targets[x->count++] = targets[i];
	sip_outages_order(sip_agent_outages(x->agent), sip_agent_now(x->agent),
			  x->targets, x->count);
}

static void on_resolved(struct sip_resolution *r,
			const struct sip_target *targets, size_t count,
			const struct error *why)
{
	struct sip_exchange *x = list_owner(r, struct sip_exchange, question);

	if (count) {
		take_targets(x, targets, count);
		sip_exchange_try(x);
	} else {
		sip_exchange_fail(x, SIP_END_DNS_FAILED, why->text);
	}
	settle(x);
}

/* --- what is remembered of targets -----------------------------------------
 */

static void learn_answer(struct sip_exchange *x, const struct osip_message *m)
{
	struct sip_outages *o = sip_agent_outages(x->agent);

	if (x->only)
		return;
	if (m->status_code != 503)
		sip_outages_end(o, &x->targets[x->at]);
	else if (!*x->named_by)
		sip_outages_note_503(
		    o, &x->targets[x->at], sip_agent_now(x->agent),
		    sip_message_seconds(m, "retry-after", UINT32_MAX));
}

/* A connection that is lost says little of a target, and costs no time. */
static void learn_failure(struct sip_exchange *x, enum sip_failure failure)
{
	if (x->only || *x->named_by || x->ringing ||
	    failure == SIP_FAILED_TRANSPORT)
		return;
	sip_outages_note(sip_agent_outages(x->agent), &x->targets[x->at],
			 sip_agent_now(x->agent), SIP_OUTAGE_SECONDS);
}

/* --- what becomes of it --------------------------------------------------- */

/* True: another request is under way, or it has failed. */
static bool answers_challenge(struct sip_exchange *x,
			      const struct osip_message *m)
{
	if ((m->status_code != 401 && m->status_code != 407) || x->given_up ||
	    !sip_exchange_has_credentials(x) ||
	    x->challenges >= SIP_CHALLENGES_MAX || !sip_auth_take(&x->auth, m))
		return false;
	x->challenges++;
	sip_exchange_forget(x);
	/* To the same target: it knows the nonce. */
	sip_exchange_try(x);
	return true;
}

static bool is_last_target(const struct sip_exchange *x)
{
	return x->only || x->at + 1 >= x->count;
}

/* RFC 3263 4.3: a 503 means that another server may be able to. */
static bool goes_on(struct sip_exchange *x, const struct osip_message *m)
{
	if (m->status_code != 503 || x->given_up || is_last_target(x))
		return false;
	note(x, SIP_END_SERVICE_UNAVAILABLE, "503 Service Unavailable");
	sip_exchange_forget(x);
	x->at++;
	sip_exchange_try(x);
	return true;
}

static void on_response(struct sip_owner *o, struct sip_transaction *t,
			const struct osip_message *m)
{
	struct sip_exchange *x = list_owner(o, struct sip_exchange, owner);

	if (t != x->t)
		return;
	learn_answer(x, m);
	if (m->status_code == 100)
		return;
	keep_flow(x, t);
	if (m->status_code < 200) {
		x->ringing = true;
		if (!x->over)
			x->ops->answered(x->arg, x, t, m);
		return;
	}
	if (!x->over && (answers_challenge(x, m) || goes_on(x, m))) {
		settle(x);
		return;
	}
	if (x->over && !x->final)
		return;
	x->final = x->over = true;
	sip_timer_stop(&x->limit);
	x->ops->answered(x->arg, x, t, m);
}

static void note_failure(struct sip_exchange *x, enum sip_failure failure,
			 const struct sip_flow_failure *why)
{
	if (why && why->end != SIP_END_NONE)
		x->last = *why;
	else if (failure == SIP_FAILED_TIMEOUT)
		note(x, SIP_END_NO_ANSWER, "no answer in time");
	else if (failure == SIP_FAILED_CONNECT)
		note(x, SIP_END_FAILED_TO_CONNECT, "no connection");
	else
		note(x, SIP_END_NETWORK_ERROR, "the connection was lost");
}

static void on_timed_out(struct sip_owner *o, struct sip_transaction *t,
			 enum sip_failure failure)
{
	struct sip_exchange *x = list_owner(o, struct sip_exchange, owner);

	if (t != x->t || x->over)
		return;
	keep_flow(x, t);
	learn_failure(x, failure);
	note_failure(x, failure, sip_agent_failure(x->agent));
	if (x->given_up) {
		fail_given_up(x);
	} else if (x->ringing) {
		/* Somebody has it: another target would make it two. */
		sip_exchange_fail(x, x->last.end, x->last.text);
	} else {
		sip_exchange_forget(x);
		x->at++;
		sip_exchange_try(x);
		settle(x);
	}
}

static void on_ended(struct sip_owner *o, struct sip_transaction *t)
{
	struct sip_exchange *x = list_owner(o, struct sip_exchange, owner);

	if (t != x->t)
		return;
	x->t = NULL;
	/* It was sent, and that is all (RFC 3261 13.2.2.4). */
	if (MSG_IS_ACK(sip_transaction_request(t)))
		x->over = true;
	/* Cancelled before it was sent, or the agent ends. */
	if (!x->given_up)
		x->given_up = SIP_END_DISCONNECT_ALL;
	if (!x->busy)
		fail_given_up(x); /* not what is over */
	settle(x);
}

static const struct sip_owner_ops owner_ops = { .response = on_response,
						.timed_out = on_timed_out,
						.ended = on_ended };

/* --- nobody wants it ------------------------------------------------------ */

/* An INVITE that was sent is cancelled, and its end is waited for; for all the
 * rest there is nothing to wait for. */
static void give_up(struct sip_exchange *x, enum sip_end why)
{
	x->given_up = why;
	sip_agent_resolve_cancel(x->agent, &x->question);
	if (!x->t)
		return;
	x->busy = true;
	if (MSG_IS_INVITE(sip_transaction_request(x->t)))
		sip_stack_cancel(x->t);
	else
		sip_exchange_forget(x);
	x->busy = false;
}

static void on_later(struct sip_timer *timer)
{
	struct sip_exchange *x = list_owner(timer, struct sip_exchange, later);

	if (x->given_up && !x->t)
		fail_given_up(x);
	else if (x->only && !x->t && !x->over)
		sip_exchange_try(x);
	settle(x);
}

static void on_limit(struct sip_timer *timer)
{
	struct sip_exchange *x = list_owner(timer, struct sip_exchange, limit);

	if (x->over || x->given_up)
		return;
	give_up(x, SIP_END_NO_ANSWER);
	if (!x->t)
		fail_given_up(x);
	settle(x);
}

void sip_exchange_cancel(struct sip_exchange *x)
{
	if (x->over || x->given_up)
		return;
	give_up(x, SIP_END_DISCONNECT_ALL);
	if (!x->t)
		sip_timer_set(sip_agent_timers(x->agent), &x->later,
			      sip_agent_now(x->agent), on_later);
}

/* --- life ----------------------------------------------------------------- */

static int begin(struct sip_exchange *x, const struct sip_exchange_options *o,
		 struct error *e)
{
	struct sip_timers *timers = sip_agent_timers(x->agent);
	struct sip_destination to = o->to;
	int64_t now = sip_agent_now(x->agent);

	to.foreign = *x->named_by != '\0';
	if (!sip_agent_stack(x->agent))
		return error_set(e, ERR_CANCELLED, "the service is stopping");
	if (x->only)
		sip_timer_set(timers, &x->later, now, on_later);
	else if (sip_agent_resolve(x->agent, &to, &x->question, e) < 0)
		return -1;
	if (x->limit_ms)
		sip_timer_set(timers, &x->limit, now + x->limit_ms, on_limit);
	return 0;
}

static int copy(struct sip_exchange *x, const struct sip_exchange_options *o,
		struct error *e)
{
	if (o->call_id && strlen(o->call_id) >= sizeof(x->call_id))
		return error_set(e, ERR_INPUT, "the Call-ID is too long");
	if (!o->flow && strlen(o->to.host) >= sizeof(x->host))
		return error_set(e, ERR_INPUT,
				 "the name of the host is too "
				 "long");
	if (o->call_id)
		strcpy(x->call_id, o->call_id);
	else
		random_text(x->call_id, SIP_CALL_ID_LENGTH);
	random_text(x->from_tag, SIP_TAG_LENGTH);
	snprintf(x->named_by, sizeof(x->named_by), "%s",
		 o->named_by ? o->named_by : "");
	if (!o->flow)
		strcpy(x->host, o->to.host);
	x->user_name = strdup(o->user_name ? o->user_name : "");
	x->routes = strdup(o->routes ? o->routes : "");
	if (!x->user_name || !x->routes)
		return error_nomem(e);
	if (o->password && o->password->len)
		return secret_copy(&x->password,
				   view_of(o->password->ptr, o->password->len),
				   e);
	return 0;
}

struct sip_exchange *sip_exchange_start(const struct sip_exchange_options *o,
					struct error *e)
{
	struct sip_exchange *x = calloc(1, sizeof(*x));

	if (!x) {
		error_nomem(e);
		return NULL;
	}
	x->owner.ops = &owner_ops;
	x->agent = o->agent;
	x->ops = o->ops;
	x->arg = o->arg;
	x->secure = o->secure;
	x->limit_ms = o->limit_ms;
	x->cseq = o->cseq;
	x->question.done = on_resolved;
	x->only = o->flow ? sip_flow_hold(o->flow) : NULL;
	note(x, SIP_END_FAILED_TO_CONNECT, "no way to the other side");
	if (copy(x, o, e) == 0 && begin(x, o, e) == 0)
		return x;
	destroy(x);
	return NULL;
}

void sip_exchange_drop(struct sip_exchange *x)
{
	if (!x)
		return;
	if (x->t)
		sip_exchange_forget(x);
	destroy(x);
}

/* --- facts ---------------------------------------------------------------- */

struct sip_flow *sip_exchange_flow(const struct sip_exchange *x)
{
	return x->flow ? x->flow : x->only;
}

unsigned sip_exchange_challenges(const struct sip_exchange *x)
{
	return x->challenges;
}

uint32_t sip_exchange_cseq(const struct sip_exchange *x)
{
	return x->cseq;
}

const char *sip_exchange_call_id(const struct sip_exchange *x)
{
	return x->call_id;
}

const char *sip_exchange_from_tag(const struct sip_exchange *x)
{
	return x->from_tag;
}
