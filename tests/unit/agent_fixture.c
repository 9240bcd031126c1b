/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/agent_fixture.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tests/lib/unit.h"

struct agent_stage stage;
const char *agent_local = "192.0.2.100";

/* --- flows */

static bool flow_send(struct sip_flow *flow, const void *bytes, size_t n)
{
	struct agent_flow *f = flow->impl;

	if (f->lost)
		return false;
	CU_ASSERT_FATAL(n < sizeof(f->last));
	memcpy(f->last, bytes, n);
	f->last[n] = '\0';
	f->sent++;
	return true;
}

static void flow_close(struct sip_flow *flow)
{
	(void)flow;
}

static void flow_destroy(struct sip_flow *flow)
{
	struct agent_flow *f = flow->impl;

	f->destroyed = true;
}

static const struct sip_flow_ops flow_ops = { flow_send, flow_close,
					      flow_destroy };

static struct agent_flow *add_flow(const struct sip_target *target)
{
	struct agent_flow *f = &stage.flows[stage.count];

	CU_ASSERT_FATAL(stage.count < AGENT_FLOWS);
	memset(f, 0, sizeof(*f));
	f->target = *target;
	f->flow.id = ++stage.count;
	f->flow.transport = target->transport;
	memcpy(f->flow.peer_address, target->address,
	       sizeof(f->flow.peer_address));
	f->flow.peer_port = target->port;
	strcpy(f->flow.local_address, agent_local);
	f->flow.local_port = 5070;
	f->flow.ops = &flow_ops;
	f->flow.impl = f;
	f->flow.references = 1;
	return f;
}

struct agent_flow *agent_flow(enum sip_transport transport)
{
	struct sip_target target = { transport, "192.0.2.1", 5061 };
	struct agent_flow *f = add_flow(&target);

	f->open = true;
	return f;
}

void agent_lose(struct agent_flow *f, enum sip_end end)
{
	f->lost = true;
	f->flow.failure.end = end;
	snprintf(f->flow.failure.text, sizeof(f->flow.failure.text), "lost: %s",
		 sip_end_name(end));
	sip_agent_lost(stage.agent, &f->flow);
}

/* --- seams */

static void on_connect(void *arg, const struct sip_target *target,
		       const char *host, uint64_t ticket)
{
	struct agent_flow *f = NULL;

	CU_ASSERT_PTR_EQUAL(arg, &stage);
	/* A flow that stands serves again. */
	for (unsigned i = 0; i < stage.count && !f; i++)
		if (stage.flows[i].open && !stage.flows[i].lost &&
		    stage.flows[i].target.transport == target->transport &&
		    !strcmp(stage.flows[i].target.address, target->address))
			f = &stage.flows[i];
	if (!f)
		f = add_flow(target);
	snprintf(f->host, sizeof(f->host), "%s", host);
	f->ticket = ticket;
}

void agent_connect(enum sip_end end)
{
	struct sip_flow_failure why = { .end = end };
	struct agent_flow *f = NULL;
	uint64_t ticket;

	for (unsigned i = 0; i < stage.count && !f; i++)
		if (stage.flows[i].ticket)
			f = &stage.flows[i];
	CU_ASSERT_PTR_NOT_NULL(f);
	if (!f)
		return;
	ticket = f->ticket;
	f->ticket = 0;
	f->open = end == SIP_END_NONE;
	snprintf(why.text, sizeof(why.text), "refused: %s", sip_end_name(end));
	sip_agent_connected(stage.agent, ticket, f->open ? &f->flow : NULL,
			    f->open ? NULL : &why);
}

static int on_resolve(void *arg, const struct sip_destination *d,
		      uint64_t ticket, struct error *e)
{
	CU_ASSERT_PTR_EQUAL(arg, &stage);
	if (!strcmp(d->host, "full.example"))
		return error_set(e, ERR_LIMIT, "too many questions");
	if (stage.question && stage.several) {
		struct agent_question *q = &stage.waiting[stage.waiting_count];

		CU_ASSERT_FATAL(stage.waiting_count < AGENT_QUESTIONS);
		stage.waiting_count++;
		stage.questions++;
		q->ticket = ticket;
		snprintf(q->asked, sizeof(q->asked), "%s", d->host);
		return 0;
	}
	CU_ASSERT_EQUAL(stage.question, 0);
	snprintf(stage.asked, sizeof(stage.asked), "%s", d->host);
	stage.foreign = d->foreign;
	stage.question = ticket;
	stage.questions++;
	return 0;
}

static void drop_question(unsigned at)
{
	stage.waiting_count--;
	memmove(&stage.waiting[at], &stage.waiting[at + 1],
		(stage.waiting_count - at) * sizeof(stage.waiting[0]));
}

static void next_question(void)
{
	stage.question = stage.waiting_count ? stage.waiting[0].ticket : 0;
	if (!stage.question)
		return;
	strcpy(stage.asked, stage.waiting[0].asked);
	drop_question(0);
}

static bool on_resolve_cancel(void *arg, uint64_t ticket)
{
	CU_ASSERT_PTR_EQUAL(arg, &stage);
	stage.cancelled++;
	if (ticket == stage.question) {
		next_question();
		return true;
	}
	for (unsigned i = 0; i < stage.waiting_count; i++)
		if (stage.waiting[i].ticket == ticket) {
			drop_question(i);
			return true;
		}
	CU_FAIL("such a question is not open");
	return true;
}

static void tell(const struct sip_target *targets, unsigned n)
{
	struct error why = { .kind = ERR_NOT_FOUND };
	uint64_t question = stage.question;

	snprintf(why.text, sizeof(why.text), "%s: no such name", stage.asked);
	CU_ASSERT_NOT_EQUAL(question, 0);
	next_question();
	sip_agent_resolved(stage.agent, question, n ? targets : NULL, n, &why);
	CU_ASSERT_NOT_EQUAL(stage.wakes, 0);
	agent_run(0);
}

void agent_resolve_to(enum sip_transport transport, const char *address,
		      uint16_t port)
{
	struct sip_target target = { .transport = transport, .port = port };

	snprintf(target.address, sizeof(target.address), "%s", address);
	tell(&target, 1);
}

void agent_resolve(enum sip_transport transport, unsigned n)
{
	struct sip_target targets[SIP_TARGETS_MAX];

	for (unsigned i = 0; i < n; i++) {
		targets[i].transport = transport;
		targets[i].port = 5061;
		snprintf(targets[i].address, sizeof(targets[i].address),
			 "192.0.2.%u", i + 1);
	}
	tell(targets, n);
}

static bool on_route(void *arg, const struct sip_target *target,
		     char out[INET6_ADDRSTRLEN])
{
	CU_ASSERT_PTR_EQUAL(arg, &stage);
	(void)target;
	strcpy(out, agent_local);
	return !stage.no_route;
}

static int64_t on_now(void *arg)
{
	(void)arg;
	return stage.now;
}

static void on_wake(void *arg)
{
	(void)arg;
	stage.wakes++;
}

/* --- life */

void agent_start(void)
{
	static const struct sip_agent_seams seams = {
		.connect = on_connect,
		.resolve = on_resolve,
		.resolve_cancel = on_resolve_cancel,
		.route = on_route,
		.now_ms = on_now,
		.arg = &stage,
	};
	const struct sip_agent_options o = { .seams = &seams, .wake = on_wake };
	struct error e = ERROR_INIT;

	memset(&stage, 0, sizeof(stage));
	stage.now = 1000000;
	stage.agent = sip_agent_new(&o, &e);
	CHECK_OBJECT(stage.agent, &e);
}

void agent_stop(void)
{
	sip_agent_end(stage.agent);
	CU_ASSERT_EQUAL(sip_agent_next_ms(stage.agent), -1);
	sip_agent_free(stage.agent);
	for (unsigned i = 0; i < stage.count; i++) {
		CU_ASSERT_EQUAL(stage.flows[i].flow.references, 1);
		CU_ASSERT_FALSE(stage.flows[i].destroyed);
	}
}

void agent_run(int64_t ms)
{
	int64_t end = stage.now + ms;
	unsigned at_once = 0;

	sip_agent_tick(stage.agent, stage.now);
	for (;;) {
		int64_t next = sip_agent_next_ms(stage.agent);

		if (next < 0 || next > end)
			break;
		stage.now = next > stage.now ? next : stage.now;
		sip_agent_tick(stage.agent, stage.now);
		/* What a timer begins may have one of its own. */
		at_once = sip_agent_next_ms(stage.agent) == stage.now
			      ? at_once + 1
			      : 0;
		if (at_once > 2) {
			CU_FAIL("a tick is wanted again and again");
			break;
		}
	}
	stage.now = end;
	sip_agent_tick(stage.agent, stage.now);
}

/* --- texts */

const char *agent_field(const char *text, const char *name)
{
	static char value[1024];
	const char *at = text;
	size_t n = strlen(name);

	value[0] = '\0';
	while ((at = strstr(at, "\r\n")) != NULL) {
		at += 2;
		if (strncasecmp(at, name, n) == 0 && at[n] == ':') {
			at += n + 1 + (at[n + 1] == ' ');
			snprintf(value, sizeof(value), "%.*s",
				 (int)strcspn(at, "\r"), at);
			break;
		}
	}
	return value;
}

void agent_answer(struct agent_flow *f, unsigned status, const char *more)
{
	static const char *const copied[] = { "Via", "From", "Call-ID",
					      "CSeq" };
	char text[AGENT_TEXT];
	size_t n = (size_t)snprintf(text, sizeof(text),
				    "SIP/2.0 %u Some Reason\r\n", status);

	for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s: %s\r\n",
				      copied[i],
				      agent_field(f->last, copied[i]));
	snprintf(text + n, sizeof(text) - n,
		 "To: <sip:x@peer.example>;tag=theirs\r\n%s"
		 "Content-Length: 0\r\n\r\n",
		 more);
	sip_agent_received(stage.agent, &f->flow, view_str(text));
	/* What has ended goes with the next look. */
	agent_run(SIP_TICK_MS);
}
