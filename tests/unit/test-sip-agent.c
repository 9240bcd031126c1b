/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <osip2/osip.h>

#include "tests/lib/unit.h"
#include "tests/unit/agent_fixture.h"

/* Who hears what: the agent itself, the calls, the owner of a transaction. */

static struct {
	struct sip_owner owner;
	char seen[64]; /* r request, a ack, c cancelled, e ended, digits */
	unsigned reply;
	struct sip_transaction *t;
	struct sip_flow_watch watch, other;
	unsigned lost, other_lost;
} user;

static void heard(char what)
{
	size_t n = strlen(user.seen);

	CU_ASSERT_FATAL(n + 1 < sizeof(user.seen));
	user.seen[n] = what;
	user.seen[n + 1] = '\0';
}

static void on_ack(struct sip_owner *o, struct sip_transaction *t,
		   const struct osip_message *ack)
{
	CU_ASSERT_PTR_EQUAL(o, &user.owner);
	CU_ASSERT_PTR_EQUAL(t, user.t);
	CU_ASSERT_STRING_EQUAL(ack->sip_method, "ACK");
	heard('a');
}

static void on_cancelled(struct sip_owner *o, struct sip_transaction *t)
{
	CU_ASSERT_PTR_EQUAL(o, &user.owner);
	CU_ASSERT_PTR_EQUAL(t, user.t);
	heard('c');
}

static void on_ended(struct sip_owner *o, struct sip_transaction *t)
{
	CU_ASSERT_PTR_EQUAL(o, &user.owner);
	CU_ASSERT_PTR_EQUAL(t, user.t);
	heard('e');
}

static const struct sip_owner_ops all = { .ack = on_ack,
					  .cancelled = on_cancelled,
					  .ended = on_ended };
static const struct sip_owner_ops none = { .ack = NULL };

static unsigned on_request(void *arg, struct sip_transaction *t,
			   const struct osip_message *request)
{
	CU_ASSERT_PTR_EQUAL(arg, &user);
	CU_ASSERT_PTR_EQUAL(request, sip_transaction_request(t));
	heard('r');
	user.t = t;
	sip_transaction_set_mark(t, &user.owner);
	return user.reply;
}

static void begin(void)
{
	memset(&user, 0, sizeof(user));
	user.owner.ops = &all;
	agent_start();
	sip_agent_set_callee(stage.agent, on_request, &user);
}

static void say(struct agent_flow *f, const char *method, const char *branch,
		const char *to_tag)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "%s sip:b@us.example SIP/2.0\r\n"
		 "Via: SIP/2.0/TCP h.example;branch=z9hG4bK%s\r\n"
		 "From: <sip:a@h.example>;tag=from\r\n"
		 "To: <sip:b@us.example>%s%s\r\n"
		 "Call-ID: call%s@h.example\r\n"
		 "CSeq: 1 %s\r\nMax-Forwards: 70\r\n"
		 "Contact: <sip:a@h.example>\r\nContent-Length: 0\r\n\r\n",
		 method, branch, *to_tag ? ";tag=" : "", to_tag, branch,
		 method);
	sip_agent_received(stage.agent, &f->flow, view_str(text));
}

static void check_status(const struct agent_flow *f, unsigned status)
{
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "SIP/2.0 %u ", status);
	if (strncmp(f->last, wanted, strlen(wanted)) != 0)
		unit_note("not %u: %.60s", status, f->last);
	CU_ASSERT_EQUAL(strncmp(f->last, wanted, strlen(wanted)), 0);
}

static void test_what_it_answers_itself(void)
{
	static const struct {
		const char *method, *to_tag;
		unsigned status;
		const char *seen;
	} rows[] = {
		{ "OPTIONS", "", 200, "" }, { "REGISTER", "", 405, "" },
		{ "MESSAGE", "", 405, "" }, { "OPTIONS", "x", 481, "re" },
		{ "BYE", "x", 481, "re" },  { "BYE", "", 481, "" },
		{ "INVITE", "", 481, "r" },
	};
	struct agent_flow *f;
	char branch[8];

	begin();
	f = agent_flow(SIP_TCP);
	user.reply = 481;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		user.seen[0] = '\0';
		snprintf(branch, sizeof(branch), "b%zu", i);
		say(f, rows[i].method, branch, rows[i].to_tag);
		agent_run(SIP_TICK_MS);
		check_status(f, rows[i].status);
		CU_ASSERT_STRING_EQUAL(user.seen, rows[i].seen);
		CU_ASSERT_EQUAL(*agent_field(f->last, "Allow") != '\0',
				rows[i].status == 405 || rows[i].status == 200);
	}
	CU_ASSERT_STRING_EQUAL(agent_field(f->last, "Accept"), "");
	agent_stop();
}

static void test_without_calls(void)
{
	struct agent_flow *f;

	begin();
	sip_agent_set_callee(stage.agent, NULL, NULL);
	f = agent_flow(SIP_TCP);
	say(f, "INVITE", "1", "");
	check_status(f, 480);
	say(f, "INVITE", "2", "x");
	check_status(f, 481);
	say(f, "BYE", "3", "x");
	check_status(f, 481);
	agent_stop();
}

static void answer(unsigned status)
{
	struct error e = ERROR_INIT;
	struct osip_message *m = sip_stack_answer(user.t, status, &e);

	CHECK_OBJECT(m, &e);
	CHECK_OK(sip_stack_reply(user.t, m, &e), &e);
}

static void test_owner(void)
{
	struct agent_flow *f;
	char to_tag[64];

	begin();
	f = agent_flow(SIP_TCP);
	say(f, "INVITE", "1", "");
	answer(200);
	snprintf(to_tag, sizeof(to_tag), "%s", sip_transaction_to_tag(user.t));
	say(f, "ACK", "1", to_tag);
	CU_ASSERT_STRING_EQUAL(user.seen, "ra");
	agent_run(2 * SIP_TIMEOUT_MS);
	CU_ASSERT_STRING_EQUAL(user.seen, "rae");

	user.seen[0] = '\0';
	say(f, "INVITE", "2", "");
	say(f, "CANCEL", "2", "");
	check_status(f, 487);
	CU_ASSERT_STRING_EQUAL(user.seen, "rc");
	agent_stop();
	CU_ASSERT_STRING_EQUAL(user.seen, "rce");
}

/* Nothing is asked of an owner that does not want to hear. */
static void test_deaf_owner(void)
{
	struct agent_flow *f;

	begin();
	user.owner.ops = &none;
	f = agent_flow(SIP_TCP);
	say(f, "INVITE", "1", "");
	say(f, "CANCEL", "1", "");
	agent_run(2 * SIP_TIMEOUT_MS);
	say(f, "INVITE", "2", "");
	answer(200);
	say(f, "ACK", "2", sip_transaction_to_tag(user.t));
	agent_run(2 * SIP_TIMEOUT_MS);
	say(f, "INVITE", "3", "");
	answer(200);
	agent_run(2 * SIP_TIMEOUT_MS); /* no ACK */
	CU_ASSERT_STRING_EQUAL(user.seen, "rrr");
	CU_ASSERT_EQUAL(sip_stack_count(sip_agent_stack(stage.agent)), 0);
	agent_stop();
}

static void on_lost(struct sip_flow_watch *w, struct sip_flow *flow)
{
	CU_ASSERT_PTR_EQUAL(w, &user.watch);
	CU_ASSERT_PTR_NOT_NULL(flow);
	user.lost++;
	/* One that comes and goes meanwhile. */
	sip_agent_unwatch(&user.other);
}

static void on_other_lost(struct sip_flow_watch *w, struct sip_flow *flow)
{
	CU_ASSERT_PTR_EQUAL(w, &user.other);
	(void)flow;
	user.other_lost++;
}

static void test_watches(void)
{
	begin();
	user.watch.lost = on_lost;
	user.other.lost = on_other_lost;
	sip_agent_unwatch(&user.watch); /* was not there */
	sip_agent_watch(stage.agent, &user.watch);
	sip_agent_watch(stage.agent, &user.other);
	agent_lose(agent_flow(SIP_TCP), SIP_END_NONE);
	CU_ASSERT_EQUAL(user.lost, 1);
	CU_ASSERT_EQUAL(user.other_lost, 0);
	sip_agent_watch(stage.agent, &user.other);
	sip_agent_unwatch(&user.watch);
	agent_lose(agent_flow(SIP_TLS), SIP_END_NONE);
	CU_ASSERT_EQUAL(user.lost, 1);
	CU_ASSERT_EQUAL(user.other_lost, 1);
	sip_agent_unwatch(&user.other);
	agent_stop();
}

static void test_contact(void)
{
	static const struct {
		enum sip_transport transport;
		const char *address;
		uint16_t port;
		bool secure;
		const char *contact;
	} rows[] = {
		{ SIP_UDP, "192.0.2.1", 5070, false, "<sip:192.0.2.1:5070>" },
		{ SIP_UDP, "2001:db8::1", 5070, false,
		  "<sip:[2001:db8::1]:5070>" },
		{ SIP_TCP, "192.0.2.1", 0, false,
		  "<sip:192.0.2.1;transport=tcp>" },
		{ SIP_TLS, "192.0.2.1", 5061, false,
		  "<sip:192.0.2.1:5061;transport=tls>" },
		{ SIP_TLS, "2001:db8::1", 5061, true,
		  "<sips:[2001:db8::1]:5061>" },
		{ SIP_TLS, "2001:db8:1111:2222:3333:4444:5555:6666", 65535,
		  false,
		  "<sip:[2001:db8:1111:2222:3333:4444:5555:6666]:65535;"
		  "transport=tls>" },
	};
	char contact[SIP_CONTACT_SIZE];

	begin();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		sip_agent_contact(stage.agent, rows[i].transport,
				  rows[i].address, rows[i].port, rows[i].secure,
				  contact);
		CU_ASSERT_STRING_EQUAL(contact, rows[i].contact);
	}
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(sip_agent_ports(stage.agent)[i], 0);
	agent_stop();
}

/* --- the DNS */

static unsigned answers;
static size_t last_count;

static void on_done(struct sip_resolution *r, const struct sip_target *targets,
		    size_t count, const struct error *why)
{
	(void)r;
	answers++;
	last_count = count;
	CU_ASSERT_TRUE(count ? !strcmp(targets[0].address, "192.0.2.1")
			     : why->kind == ERR_NOT_FOUND);
}

static void test_questions(void)
{
	const struct sip_destination d = { .host = "a.example" };
	struct sip_resolution r = { .done = on_done };
	struct error e = ERROR_INIT;
	uint64_t first;

	begin();
	sip_agent_resolve_cancel(stage.agent, &r); /* was not asked */
	CU_ASSERT_EQUAL(stage.cancelled, 0);
	CHECK_OK(sip_agent_resolve(stage.agent, &d, &r, &e), &e);
	agent_resolve(SIP_TCP, SIP_TARGETS_MAX);
	CU_ASSERT_EQUAL(answers, 1);
	CU_ASSERT_EQUAL(last_count, SIP_TARGETS_MAX);
	CHECK_OK(sip_agent_resolve(stage.agent, &d, &r, &e), &e);
	agent_resolve(SIP_TCP, 0);
	CU_ASSERT_EQUAL(answers, 2);
	/* An answer to one that was taken back, and to none. */
	CHECK_OK(sip_agent_resolve(stage.agent, &d, &r, &e), &e);
	first = stage.question;
	sip_agent_resolve_cancel(stage.agent, &r);
	sip_agent_resolve_cancel(stage.agent, &r);
	CU_ASSERT_EQUAL(stage.cancelled, 1);
	e.kind = ERR_NOT_FOUND;
	sip_agent_resolved(stage.agent, first, NULL, 0, &e);
	sip_agent_resolved(stage.agent, 77, NULL, 0, &e);
	agent_run(0);
	CU_ASSERT_EQUAL(answers, 2);
	/* One that nobody heard any more. */
	sip_agent_resolved(stage.agent, first, NULL, 0, &e);
	agent_stop();
}

static const struct unit_test tests[] = {
	{ "what it answers itself", test_what_it_answers_itself },
	{ "without calls", test_without_calls },
	{ "the owner of a transaction", test_owner },
	{ "an owner that hears nothing", test_deaf_owner },
	{ "who wants to hear of lost flows", test_watches },
	{ "contacts", test_contact },
	{ "questions to the DNS", test_questions },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "sip-agent", tests, NULL, NULL);
}
