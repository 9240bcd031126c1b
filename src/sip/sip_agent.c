/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_agent_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <osip2/osip.h>

#include "base/clock.h"
#include "base/log.h"
#include "sip/sip_message.h"

/* --- what the stack says -------------------------------------------------- */

static struct sip_owner *owner_of(const struct sip_transaction *t)
{
	return sip_transaction_mark(t);
}

static void reply(struct sip_transaction *t, unsigned status,
		  int (*add)(struct osip_message *m, struct error *e))
{
	struct error e = ERROR_INIT;
	struct osip_message *m = sip_stack_answer(t, status, &e);

	if (m && add && add(m, &e) < 0) {
		osip_message_free(m);
		m = NULL;
	}
	if (!m || sip_stack_reply(t, m, &e) < 0)
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
}

static int add_allow(struct osip_message *m, struct error *e)
{
	return sip_message_add(m, "Allow", SIP_ALLOW, e);
}

void sip_agent_reply(struct sip_transaction *t, unsigned status)
{
	reply(t, status, status == 405 ? add_allow : NULL);
}

/* RFC 3261 11.2, 12.2.2: in a dialog it is the dialog's, and what begins none
 * and belongs to none has no place here. */
static unsigned on_request(void *user, struct sip_transaction *t,
			   const struct osip_message *request)
{
	struct sip_agent *a = user;
	bool in_dialog = *sip_message_to_tag(request) != '\0';

	if (in_dialog || MSG_IS_INVITE(request)) {
		if (a->request)
			return a->request(a->request_arg, t, request);
		return in_dialog ? 481 : 480;
	}
	if (MSG_IS_OPTIONS(request))
		reply(t, 200, sip_message_add_abilities);
	else
		sip_agent_reply(t, 405);
	return 0;
}

static void on_ack(void *user, struct sip_transaction *t,
		   const struct osip_message *ack)
{
	struct sip_owner *o = owner_of(t);

	(void)user;
	if (o && o->ops->ack)
		o->ops->ack(o, t, ack);
}

static void on_cancelled(void *user, struct sip_transaction *t)
{
	struct sip_owner *o = owner_of(t);

	(void)user;
	if (o && o->ops->cancelled)
		o->ops->cancelled(o, t);
}

static void on_response(void *user, struct sip_transaction *t,
			const struct osip_message *response)
{
	struct sip_owner *o = owner_of(t);

	(void)user;
	if (o && o->ops->response)
		o->ops->response(o, t, response);
}

/* What is known of the way that failed. */
static const struct sip_flow_failure *failure_of(
    const struct sip_agent *a, const struct sip_transaction *t,
    enum sip_failure failure)
{
	const struct sip_flow *flow = sip_transaction_flow(t);

	if (failure == SIP_FAILED_CONNECT)
		return a->connect_failure;
	if (failure == SIP_FAILED_TRANSPORT && flow &&
	    flow->failure.end != SIP_END_NONE)
		return &flow->failure;
	return NULL;
}

static void on_timed_out(void *user, struct sip_transaction *t,
			 enum sip_failure failure)
{
	struct sip_agent *a = user;
	struct sip_owner *o = owner_of(t);

	if (!o || !o->ops->timed_out)
		return;
	a->failure = failure_of(a, t, failure);
	o->ops->timed_out(o, t, failure);
	a->failure = NULL;
}

static void on_flow_lost(void *user, struct sip_flow *flow)
{
	struct sip_agent *a = user;
	struct list told;

	/* Each once, whatever they add and remove. */
	list_init(&told);
	while (!list_empty(&a->watches)) {
		struct sip_flow_watch *w =
		    list_owner(a->watches.next, struct sip_flow_watch, node);

		list_remove(&w->node);
		list_append(&told, &w->node);
		w->lost(w, flow);
	}
	list_move(&told, &a->watches);
}

static void on_ended(void *user, struct sip_transaction *t)
{
	struct sip_owner *o = owner_of(t);

	(void)user;
	if (o && o->ops->ended)
		o->ops->ended(o, t);
}

static const struct sip_user_ops user_ops = {
	.request = on_request,
	.ack = on_ack,
	.cancelled = on_cancelled,
	.response = on_response,
	.timed_out = on_timed_out,
	.flow_lost = on_flow_lost,
	.ended = on_ended,
};

const struct sip_flow_failure *sip_agent_failure(const struct sip_agent *a)
{
	return a->failure;
}

/* --- what the transports say ---------------------------------------------- */

int64_t sip_agent_now(struct sip_agent *a)
{
	int64_t now = a->seams.now_ms(a->seams.arg);

	if (a->stack)
		sip_stack_now(a->stack, now);
	return now;
}

void sip_agent_received(struct sip_agent *a, struct sip_flow *f,
			struct view message)
{
	(void)sip_agent_now(a);
	if (a->stack)
		sip_stack_received(a->stack, f, message);
}

void sip_agent_lost(struct sip_agent *a, struct sip_flow *f)
{
	(void)sip_agent_now(a);
	if (a->stack)
		sip_stack_flow_lost(a->stack, f);
}

void sip_agent_connected(struct sip_agent *a, uint64_t ticket,
			 struct sip_flow *f, const struct sip_flow_failure *why)
{
	(void)sip_agent_now(a);
	if (!a->stack)
		return;
	a->connect_failure = why;
	sip_stack_connected(a->stack, ticket, f, why ? why->text : NULL);
	a->connect_failure = NULL;
}

static void on_received(void *arg, struct sip_flow *f, struct view message)
{
	sip_agent_received(arg, f, message);
}

static void on_lost(void *arg, struct sip_flow *f)
{
	sip_agent_lost(arg, f);
}

static void on_connected(void *arg, uint64_t ticket, struct sip_flow *f,
			 const struct sip_flow_failure *why)
{
	sip_agent_connected(arg, ticket, f, why);
}

/* --- time ----------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

int64_t sip_agent_next_ms(const struct sip_agent *a)
{
	if (!a->stack)
		return -1;
	return earlier(sip_stack_next_ms(a->stack),
		       sip_timers_wanted(&a->timers));
}

void sip_agent_tick(struct sip_agent *a, int64_t now_ms)
{
	int64_t next;

	if (!a->stack)
		return;
	sip_stack_now(a->stack, now_ms);
	sip_agent_dns_run(a);
	next = sip_stack_next_ms(a->stack);
	if (next >= 0 && next <= now_ms)
		sip_stack_tick(a->stack);
	sip_timers_run(&a->timers, now_ms);
}

static int64_t real_now(void *arg)
{
	(void)arg;
	return clock_monotonic_ms();
}

/* --- listeners ------------------------------------------------------------ */

int sip_agent_listen(struct sip_agent *a, enum sip_transport kind,
		     const char *const *addresses, size_t count, uint16_t port,
		     struct error *e)
{
	if (sip_transports_listen(a->transports, kind, addresses, count, port,
				  e) < 0)
		return -1;
	a->ports[kind] =
	    front_listen_port(a->o.front, sip_transport_listener(kind));
	sip_stack_set_port(a->stack, kind, a->ports[kind]);
	return 0;
}

void sip_agent_unlisten(struct sip_agent *a, enum sip_transport kind)
{
	sip_transports_unlisten(a->transports, kind);
	a->ports[kind] = 0;
	sip_stack_set_port(a->stack, kind, 0);
}

void sip_agent_set_client(struct sip_agent *a, struct tls_context *client)
{
	sip_transports_set_client(a->transports, client);
}

void sip_agent_close_tls(struct sip_agent *a)
{
	sip_transports_close_tls(a->transports);
}

const uint16_t *sip_agent_ports(const struct sip_agent *a)
{
	return a->ports;
}

/* --- for those above ------------------------------------------------------ */

struct sip_stack *sip_agent_stack(struct sip_agent *a)
{
	return a->stack;
}

struct sip_timers *sip_agent_timers(struct sip_agent *a)
{
	return &a->timers;
}

struct sip_outages *sip_agent_outages(struct sip_agent *a)
{
	return &a->outages;
}

void sip_agent_set_callee(
    struct sip_agent *a,
    unsigned (*request)(void *arg, struct sip_transaction *t,
			const struct osip_message *request),
    void *arg)
{
	a->request = request;
	a->request_arg = arg;
}

void sip_agent_watch(struct sip_agent *a, struct sip_flow_watch *w)
{
	list_append(&a->watches, &w->node);
}

void sip_agent_unwatch(struct sip_flow_watch *w)
{
	if (w->node.next)
		list_remove(&w->node);
}

/* --- life ----------------------------------------------------------------- */

static void real_connect(void *arg, const struct sip_target *target,
			 const char *host, uint64_t ticket)
{
	struct sip_agent *a = arg;

	sip_transports_connect(a->transports, target, host, ticket);
}

static int new_transports(struct sip_agent *a, struct error *e)
{
	const struct sip_transport_options o = {
		.front = a->o.front,
		.sink = { .received = on_received,
			  .lost = on_lost,
			  .connected = on_connected,
			  .arg = a },
		.idle_ms = SIP_IDLE_MS,
		.silent_ms = SIP_SILENT_MS,
		.connect_ms = SIP_CONNECT_MS,
	};

	a->transports = sip_transports_new(&o, e);
	return a->transports ? 0 : -1;
}

static void on_connect(void *arg, const struct sip_target *target,
		       const char *host, uint64_t ticket)
{
	struct sip_agent *a = arg;

	a->seams.connect(a->seams.arg, target, host, ticket);
}

static int new_stack(struct sip_agent *a, struct error *e)
{
	const struct sip_stack_config c = { .ops = &user_ops,
					    .user = a,
					    .connect = on_connect,
					    .connect_arg = a };

	a->stack = sip_stack_new(&c, e);
	return a->stack ? 0 : -1;
}

struct sip_agent *sip_agent_new(const struct sip_agent_options *o,
				struct error *e)
{
	struct sip_agent *a = calloc(1, sizeof(*a));

	if (!a) {
		error_nomem(e);
		return NULL;
	}
	a->o = *o;
	list_init(&a->watches);
	list_init(&a->questions);
	list_init(&a->answers);
	sip_timers_init(&a->timers);
	pthread_mutex_init(&a->lock, NULL);
	if (o->seams)
		a->seams = *o->seams;
	else
		a->seams = (struct sip_agent_seams){ .connect = real_connect,
						     .now_ms = real_now,
						     .arg = a };
	if ((!o->seams &&
	     (new_transports(a, e) < 0 || sip_agent_dns_new(a, e) < 0)) ||
	    new_stack(a, e) < 0) {
		sip_agent_end(a);
		sip_agent_free(a);
		return NULL;
	}
	(void)sip_agent_now(a);
	return a;
}

void sip_agent_end(struct sip_agent *a)
{
	struct sip_stack *stack = a ? a->stack : NULL;

	if (!stack)
		return;
	a->stack = NULL;
	sip_stack_free(stack);
}

void sip_agent_free(struct sip_agent *a)
{
	if (!a)
		return;
	sip_agent_dns_free(a);
	sip_transports_free(a->transports);
	pthread_mutex_destroy(&a->lock);
	free(a);
}
