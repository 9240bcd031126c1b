/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <osip2/osip.h>

#include "base/log.h"
#include "sip/sip_auth.h"

enum { TAG_LENGTH = 16, CALL_ID_LENGTH = 24, CALL_ID_ROOM = 256 };

struct sip_exchange {
	struct sip_owner owner; /* the mark of its transactions */
	struct sip_agent *agent;
	const struct sip_exchange_ops *ops;
	void *arg;
	bool secure;
	int64_t limit_ms;
	char host[SIP_NAME_MAX];
	char *user_name;
	struct secret password;
	char from_tag[TAG_LENGTH + 1], call_id[CALL_ID_ROOM];
	uint32_t cseq;

	struct sip_resolution question;
	struct sip_target targets[SIP_TARGETS_MAX];
	size_t count, at;      /* of targets; the present one */
	struct sip_flow *only; /* held: no targets, but that */
	struct sip_flow *flow; /* held: of the last answer or failure */
	struct sip_timer limit, later;

	struct sip_transaction *t; /* the present one; no other has our mark */
	unsigned tries, challenges;
	struct sip_auth auth;
	bool ringing;          /* the present try had a provisional answer */
	bool final;            /* it has its final answer */
	bool over;             /* final or failed: finished() is next */
	bool busy;             /* in a call from above: nothing is told now */
	enum sip_end given_up; /* nobody wants it any more, and why */
	struct sip_flow_failure last; /* of the targets so far */
};

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
static void fail(struct sip_exchange *x, enum sip_end end, const char *text)
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
	fail(x, x->given_up, text_of(x->given_up));
}

static void note(struct sip_exchange *x, enum sip_end end, const char *text)
{
	x->last.end = end;
	snprintf(x->last.text, sizeof(x->last.text), "%s", text);
}

static void note_error(struct sip_exchange *x, enum sip_end end,
		       const struct error *e)
{
	x->last.end = end;
	snprintf(x->last.text, sizeof(x->last.text), "%.*s",
		 (int)sizeof(x->last.text) - 1, e->text);
}

static void keep_flow(struct sip_exchange *x, struct sip_transaction *t)
{
	struct sip_flow *flow = sip_transaction_flow(t);

	if (!flow || flow == x->flow)
		return;
	sip_flow_release(x->flow);
	x->flow = sip_flow_hold(flow);
}

/* --- one try -------------------------------------------------------------- */

/* What becomes of the present transaction is of no interest any more. */
static void forget(struct sip_exchange *x)
{
	sip_transaction_set_mark(x->t, NULL);
	x->t = NULL;
}

static bool has_credentials(const struct sip_exchange *x)
{
	return x->user_name && *x->user_name && x->password.len;
}

/* Where it goes and what it is told of that. */
static int describe(struct sip_exchange *x, struct sip_way *way,
		    struct sip_try *out, struct error *e)
{
	uint16_t port = 0;

	memset(way, 0, sizeof(*way));
	memset(out, 0, sizeof(*out));
	if (x->only) {
		way->flow = x->only;
		out->transport = x->only->transport;
		memcpy(out->local_address, x->only->local_address,
		       sizeof(out->local_address));
		port = x->only->local_port;
	} else {
		way->target = x->targets[x->at];
		way->host = x->host;
		out->transport = way->target.transport;
		if (sip_agent_local(x->agent, &way->target, out->local_address,
				    e) < 0)
			return -1;
	}
	sip_agent_contact(x->agent, out->transport, out->local_address, port,
			  x->secure, out->contact);
	out->cseq = ++x->cseq;
	out->call_id = x->call_id;
	out->from_tag = x->from_tag;
	return 0;
}

static struct osip_message *build(struct sip_exchange *x,
				  const struct sip_try *t, struct error *e)
{
	struct osip_message *m = x->ops->build(x->arg, t, e);

	if (m && has_credentials(x) &&
	    sip_auth_add(&x->auth, x->user_name, &x->password, m, e) < 0) {
		osip_message_free(m);
		return NULL;
	}
	return m;
}

/* 0: it is under way. -1: not to there; then there may be another. 1: over. */
static int try_once(struct sip_exchange *x)
{
	struct sip_way way;
	struct sip_try about;
	struct osip_message *m;
	struct error e = ERROR_INIT;

	if (++x->tries > SIP_TRIES_MAX) {
		fail(x, x->last.end, x->last.text);
		return 1;
	}
	if (describe(x, &way, &about, &e) < 0) {
		note_error(x, SIP_END_FAILED_TO_CONNECT, &e);
		return -1;
	}
	m = build(x, &about, &e);
	if (!m) {
		fail(x, SIP_END_PROTOCOL_ERROR, e.text);
		return 1;
	}
	x->ringing = false;
	x->t = sip_stack_request(sip_agent_stack(x->agent), &way, m, &x->owner,
				 &e);
	if (!x->t) {
		fail(x,
		     e.kind == ERR_LIMIT ? SIP_END_PORT_ALLOCATION
					 : SIP_END_NETWORK_ERROR,
		     e.text);
		return 1;
	}
	return 0;
}

/* From the present target on; fails when there is none any more. */
static void try_on(struct sip_exchange *x)
{
	for (; x->only ? x->at == 0 : x->at < x->count; x->at++)
		if (try_once(x) >= 0)
			return;
	fail(x, x->last.end, x->last.text);
}

static void on_resolved(struct sip_resolution *r,
			const struct sip_target *targets, size_t count,
			const struct error *why)
{
	struct sip_exchange *x = list_owner(r, struct sip_exchange, question);

	if (count) {
		memcpy(x->targets, targets, count * sizeof(*targets));
		x->count = count;
		try_on(x);
	} else {
		fail(x, SIP_END_DNS_FAILED, why->text);
	}
	settle(x);
}

/* --- what becomes of it --------------------------------------------------- */

/* True: another request is under way, or it has failed. */
static bool answers_challenge(struct sip_exchange *x,
			      const struct osip_message *m)
{
	if ((m->status_code != 401 && m->status_code != 407) || x->given_up ||
	    !has_credentials(x) || x->challenges >= SIP_CHALLENGES_MAX ||
	    !sip_auth_take(&x->auth, m))
		return false;
	x->challenges++;
	forget(x);
	/* To the same target: it knows the nonce. */
	try_on(x);
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
	forget(x);
	x->at++;
	try_on(x);
	return true;
}

static void on_response(struct sip_owner *o, struct sip_transaction *t,
			const struct osip_message *m)
{
	struct sip_exchange *x = list_owner(o, struct sip_exchange, owner);

	if (t != x->t || m->status_code == 100)
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
	note_failure(x, failure, sip_agent_failure(x->agent));
	if (x->given_up) {
		fail_given_up(x);
	} else if (x->ringing) {
		/* Somebody has it: another target would make it two. */
		fail(x, x->last.end, x->last.text);
	} else {
		forget(x);
		x->at++;
		try_on(x);
		settle(x);
	}
}

static void on_ended(struct sip_owner *o, struct sip_transaction *t)
{
	struct sip_exchange *x = list_owner(o, struct sip_exchange, owner);

	if (t != x->t)
		return;
	x->t = NULL;
	/* Cancelled before it was sent, or the agent ends. */
	if (!x->given_up)
		x->given_up = SIP_END_DISCONNECT_ALL;
	if (!x->busy)
		fail_given_up(x);
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
		forget(x);
	x->busy = false;
}

static void on_later(struct sip_timer *timer)
{
	struct sip_exchange *x = list_owner(timer, struct sip_exchange, later);

	if (x->given_up && !x->t)
		fail_given_up(x);
	else if (x->only && !x->t && !x->over)
		try_on(x);
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
	int64_t now = sip_agent_now(x->agent);

	if (!sip_agent_stack(x->agent))
		return error_set(e, ERR_CANCELLED, "the service is stopping");
	if (x->only)
		sip_timer_set(timers, &x->later, now, on_later);
	else if (sip_agent_resolve(x->agent, &o->to, &x->question, e) < 0)
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
		random_text(x->call_id, CALL_ID_LENGTH);
	random_text(x->from_tag, TAG_LENGTH);
	if (!o->flow)
		strcpy(x->host, o->to.host);
	x->user_name = strdup(o->user_name ? o->user_name : "");
	if (!x->user_name)
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
		forget(x);
	destroy(x);
}

/* --- facts ---------------------------------------------------------------- */

struct sip_flow *sip_exchange_flow(const struct sip_exchange *x)
{
	return x->flow ? x->flow : x->only;
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
