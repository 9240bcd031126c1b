/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <osip2/osip.h>

#include "sip/digest.h"
#include "sip/sip_exchange.h"
#include "tests/lib/unit.h"
#include "tests/unit/agent_fixture.h"

/* Requests of ours over several targets, challenges, and their ends. */

/* What the user has heard, in order: b built, one digit for the class of an
 * answer, F failed, E finished. */
static struct user {
	char seen[128];
	enum sip_end end;
	char text[256];
	unsigned status;
	const char *method;
	char contact[SIP_CONTACT_SIZE];
	uint32_t cseq;
	bool builds_nothing;
	bool cancels;     /* from within the first answer */
	unsigned subject; /* bytes more in the request */
	struct sip_exchange *x;
} user;

static void heard(char c)
{
	size_t n = strlen(user.seen);

	CU_ASSERT_FATAL(n + 1 < sizeof(user.seen));
	user.seen[n] = c;
	user.seen[n + 1] = '\0';
}

static struct osip_message *on_build(void *arg, const struct sip_try *t,
				     struct error *e)
{
	char text[2048];
	osip_message_t *m = NULL;

	CU_ASSERT_PTR_EQUAL(arg, &user);
	heard('b');
	if (user.builds_nothing) {
		error_set(e, ERR_NOMEM, "nothing can be built");
		return NULL;
	}
	CU_ASSERT(t->cseq > user.cseq);
	user.cseq = t->cseq;
	strcpy(user.contact, t->contact);
	snprintf(text, sizeof(text),
		 "%s sip:x@peer.example SIP/2.0\r\n"
		 "From: <sip:us@us.example>;tag=%s\r\n"
		 "To: <sip:x@peer.example>\r\n"
		 "Call-ID: %s\r\nCSeq: %u %s\r\nContact: %s\r\n"
		 "Subject: %0*d\r\nContent-Length: 0\r\n\r\n",
		 user.method, t->from_tag, t->call_id, t->cseq, user.method,
		 t->contact, (int)user.subject, 1);
	CU_ASSERT_EQUAL_FATAL(osip_message_init(&m), 0);
	CU_ASSERT_EQUAL_FATAL(osip_message_parse(m, text, strlen(text)), 0);
	return m;
}

static void on_answered(void *arg, struct sip_exchange *x,
			struct sip_transaction *t, const struct osip_message *m)
{
	CU_ASSERT_PTR_EQUAL(arg, &user);
	CU_ASSERT_PTR_EQUAL(x, user.x);
	CU_ASSERT_PTR_NOT_NULL(t);
	heard((char)('0' + m->status_code / 100));
	user.status = (unsigned)m->status_code;
	CU_ASSERT_PTR_NOT_NULL(sip_exchange_flow(x));
	if (user.cancels)
		sip_exchange_cancel(x);
}

static void on_failed(void *arg, struct sip_exchange *x, enum sip_end end,
		      const char *text)
{
	CU_ASSERT_PTR_EQUAL(arg, &user);
	CU_ASSERT_PTR_EQUAL(x, user.x);
	heard('F');
	user.end = end;
	snprintf(user.text, sizeof(user.text), "%s", text);
	CU_ASSERT_NOT_EQUAL(user.text[0], '\0');
}

static void on_finished(void *arg, struct sip_exchange *x)
{
	CU_ASSERT_PTR_EQUAL(arg, &user);
	CU_ASSERT_PTR_EQUAL(x, user.x);
	heard('E');
	user.x = NULL;
}

static const struct sip_exchange_ops ops = { on_build, on_answered, on_failed,
					     on_finished };

static void check_seen(const char *wanted, int line)
{
	if (strcmp(user.seen, wanted) != 0)
		unit_note("line %d: saw \"%s\", not \"%s\"", line, user.seen,
			  wanted);
	CU_ASSERT_STRING_EQUAL(user.seen, wanted);
	user.seen[0] = '\0';
}
#define SEEN(wanted) check_seen(wanted, __LINE__)

/* Options with all that a case does not say. */
static void start_with(const char *method, struct sip_exchange_options o)
{
	struct error e = ERROR_INIT;

	memset(&user, 0, sizeof(user));
	user.method = method;
	o.agent = stage.agent;
	o.ops = &ops;
	o.arg = &user;
	if (!o.to.host)
		o.to.host = "peer.example";
	user.x = sip_exchange_start(&o, &e);
	CHECK_OBJECT(user.x, &e);
	SEEN("");
}

static void start(const char *method)
{
	start_with(method, (struct sip_exchange_options){ 0 });
}

static struct secret password;

static void start_with_password(const char *method)
{
	start_with(method, (struct sip_exchange_options){
			       .user_name = "us", .password = &password });
}

static struct agent_flow *flow(unsigned i)
{
	CU_ASSERT_FATAL(i < stage.count);
	return &stage.flows[i];
}

/* --- where it goes */

static void test_answer(void)
{
	agent_start();
	start("OPTIONS");
	CU_ASSERT_STRING_EQUAL(stage.asked, "peer.example");
	agent_resolve(SIP_TLS, 2);
	SEEN("b");
	CU_ASSERT_STRING_EQUAL(flow(0)->host, "peer.example");
	CU_ASSERT_STRING_EQUAL(user.contact, "<sip:192.0.2.100;transport=tls>");
	agent_connect(SIP_END_NONE);
	CU_ASSERT_EQUAL(flow(0)->sent, 1);
	agent_answer(flow(0), 100, "");
	SEEN("");
	agent_answer(flow(0), 183, "");
	SEEN("1");
	agent_answer(flow(0), 404, "");
	SEEN("4E");
	CU_ASSERT_EQUAL(user.status, 404);
	CU_ASSERT_EQUAL(stage.count, 1);
	agent_stop();
}

static void test_no_name(void)
{
	agent_start();
	start("OPTIONS");
	agent_resolve(SIP_TLS, 0);
	SEEN("FE");
	CU_ASSERT_EQUAL(user.end, SIP_END_DNS_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(user.text, "no such name"));
	agent_stop();
}

static void test_refused_at_once(void)
{
	struct sip_exchange_options o = { .ops = &ops, .arg = &user };
	char long_text[600];
	struct error e = ERROR_INIT;

	agent_start();
	o.agent = stage.agent;
	o.to.host = "full.example";
	CU_ASSERT_PTR_NULL(sip_exchange_start(&o, &e));
	CU_ASSERT_EQUAL(e.kind, ERR_LIMIT);
	memset(long_text, 'a', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	o.to.host = long_text;
	CU_ASSERT_PTR_NULL(sip_exchange_start(&o, &e));
	CU_ASSERT_EQUAL(e.kind, ERR_INPUT);
	o.to.host = "peer.example";
	o.call_id = long_text;
	CU_ASSERT_PTR_NULL(sip_exchange_start(&o, &e));
	CU_ASSERT_EQUAL(e.kind, ERR_INPUT);
	CU_ASSERT_EQUAL(stage.questions, 0);
	sip_agent_end(stage.agent);
	o.call_id = NULL;
	CU_ASSERT_PTR_NULL(sip_exchange_start(&o, &e));
	CU_ASSERT_EQUAL(e.kind, ERR_CANCELLED);
	agent_stop();
}

/* Each target fails in a way of its own; the last one's is told. */
static void test_failover(void)
{
	char call_id[64];

	agent_start();
	start("OPTIONS");
	agent_resolve(SIP_TCP, 5);
	agent_connect(SIP_END_FAILED_TO_CONNECT);
	SEEN("bb");
	agent_connect(SIP_END_NONE);
	snprintf(call_id, sizeof(call_id), "%s",
		 agent_field(flow(1)->last, "Call-ID"));
	agent_answer(flow(1), 503, "Retry-After: 5\r\n");
	SEEN("b");
	agent_connect(SIP_END_NONE);
	agent_lose(flow(2), SIP_END_OWN_CERTIFICATE_REFUSED);
	SEEN("b");
	agent_connect(SIP_END_NONE);
	agent_run(SIP_TIMEOUT_MS + 1000);
	SEEN("b");
	agent_connect(SIP_END_PEER_CERTIFICATE_WRONG_HOST);
	SEEN("FE");
	CU_ASSERT_EQUAL(user.end, SIP_END_PEER_CERTIFICATE_WRONG_HOST);
	CU_ASSERT_PTR_NOT_NULL(strstr(user.text, "refused: "));
	CU_ASSERT_EQUAL(user.cseq, 5);
	CU_ASSERT_STRING_EQUAL(agent_field(flow(3)->last, "Call-ID"), call_id);
	CU_ASSERT_STRING_EQUAL(flow(3)->target.address, "192.0.2.4");
	agent_stop();
}

/* What the only or last target says is the answer. */
static void test_last_503(void)
{
	agent_start();
	start("OPTIONS");
	agent_resolve(SIP_TCP, 1);
	agent_connect(SIP_END_NONE);
	agent_answer(flow(0), 503, "");
	SEEN("b5E");
	CU_ASSERT_EQUAL(user.status, 503);
	agent_stop();
}

static void test_ends_of_failures(void)
{
	static const struct {
		bool connected;
		enum sip_end how, told;
	} rows[] = {
		{ false, SIP_END_PEER_CERTIFICATE_EXPIRED,
		  SIP_END_PEER_CERTIFICATE_EXPIRED },
		{ false, SIP_END_TLS_FAILED, SIP_END_TLS_FAILED },
		{ true, SIP_END_OWN_CERTIFICATE_REFUSED,
		  SIP_END_OWN_CERTIFICATE_REFUSED },
		{ true, SIP_END_NETWORK_ERROR, SIP_END_NETWORK_ERROR },
		/* In good form, but without an answer. */
		{ true, SIP_END_NONE, SIP_END_NETWORK_ERROR },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		agent_start();
		start("OPTIONS");
		agent_resolve(SIP_TLS, 1);
		agent_connect(rows[i].connected ? SIP_END_NONE : rows[i].how);
		if (rows[i].connected)
			agent_lose(flow(0), rows[i].how);
		SEEN("bFE");
		CU_ASSERT_EQUAL(user.end, rows[i].told);
		agent_stop();
	}
	agent_start();
	start("OPTIONS");
	agent_resolve(SIP_UDP, 1);
	agent_connect(SIP_END_NONE);
	agent_run(SIP_TIMEOUT_MS + 1000);
	SEEN("bFE");
	CU_ASSERT_EQUAL(user.end, SIP_END_NO_ANSWER);
	CU_ASSERT(flow(0)->sent > 5); /* said again, over UDP */
	agent_stop();
}

/* Another target would make two calls of it. */
static void test_no_failover_once_it_rings(void)
{
	agent_start();
	start("INVITE");
	agent_resolve(SIP_TCP, 2);
	agent_connect(SIP_END_NONE);
	agent_answer(flow(0), 180, "");
	agent_lose(flow(0), SIP_END_NETWORK_ERROR);
	SEEN("b1FE");
	CU_ASSERT_EQUAL(user.end, SIP_END_NETWORK_ERROR);
	CU_ASSERT_EQUAL(stage.count, 1);
	agent_stop();
}

static void test_no_route(void)
{
	agent_start();
	start("OPTIONS");
	stage.no_route = true;
	agent_resolve(SIP_TCP, 3);
	SEEN("FE");
	CU_ASSERT_EQUAL(user.end, SIP_END_FAILED_TO_CONNECT);
	CU_ASSERT_EQUAL(stage.count, 0);
	agent_stop();
}

static void test_nothing_built(void)
{
	agent_start();
	start("OPTIONS");
	user.builds_nothing = true;
	agent_resolve(SIP_TCP, 3);
	SEEN("bFE");
	CU_ASSERT_EQUAL(user.end, SIP_END_PROTOCOL_ERROR);
	CU_ASSERT_STRING_EQUAL(user.text, "nothing can be built");
	agent_stop();
}

/* RFC 3261 18.1.1. */
static void test_large_request(void)
{
	agent_start();
	start("INVITE");
	user.subject = 600;
	agent_resolve(SIP_UDP, 2);
	SEEN("b");
	CU_ASSERT_EQUAL(flow(0)->target.transport, SIP_UDP);
	agent_stop();

	agent_start();
	start("INVITE");
	user.subject = 1000;
	agent_resolve(SIP_UDP, 2);
	SEEN("bb"); /* once more, with another Contact */
	CU_ASSERT_EQUAL(flow(0)->target.transport, SIP_TCP);
	CU_ASSERT_STRING_EQUAL(user.contact, "<sip:192.0.2.100;transport=tcp>");
	agent_connect(SIP_END_FAILED_TO_CONNECT);
	SEEN("b"); /* there is no TCP: as it is */
	CU_ASSERT_EQUAL(flow(1)->target.transport, SIP_UDP);
	CU_ASSERT_STRING_EQUAL(flow(1)->target.address, "192.0.2.1");
	agent_connect(SIP_END_FAILED_TO_CONNECT);
	SEEN("bb"); /* and the same with the next target */
	CU_ASSERT_EQUAL(flow(2)->target.transport, SIP_TCP);
	CU_ASSERT_STRING_EQUAL(flow(2)->target.address, "192.0.2.2");
	agent_connect(SIP_END_NONE);
	agent_answer(flow(2), 486, "");
	SEEN("4E");
	agent_stop();
}

/* Where TCP leads nowhere is remembered: the next one does not wait for it. */
static void test_large_request_again(void)
{
	agent_start();
	for (int i = 0; i < 2; i++) {
		start("OPTIONS");
		user.subject = 1000;
		agent_resolve(SIP_UDP, 1);
		if (i == 0)
			agent_connect(SIP_END_FAILED_TO_CONNECT);
		CU_ASSERT_EQUAL(flow(1)->target.transport, SIP_UDP);
		agent_connect(SIP_END_NONE);
		CU_ASSERT_EQUAL(flow(1)->sent, 1 + (unsigned)i);
		agent_answer(flow(1), 486, "");
		agent_run(SIP_T4_MS + SIP_TICK_MS);
		CU_ASSERT_PTR_NULL(user.x);
	}
	CU_ASSERT_EQUAL(stage.count, 2);
	agent_stop();
}

/* As many targets as there may be leave no room for others. */
static void test_large_request_to_many(void)
{
	unsigned n = 0;

	agent_start();
	start("OPTIONS");
	user.subject = 1000;
	agent_resolve(SIP_UDP, SIP_TARGETS_MAX);
	while (user.x && n++ < 100)
		agent_connect(SIP_END_FAILED_TO_CONNECT);
	CU_ASSERT_EQUAL(n, SIP_TARGETS_MAX);
	agent_stop();
}

static void test_given_flow(void)
{
	struct agent_flow *f;

	agent_start();
	f = agent_flow(SIP_TLS);
	start_with("OPTIONS", (struct sip_exchange_options){
				  .flow = &f->flow,
				  .secure = true,
				  .call_id = "kept@us",
				  .cseq = 7,
			      });
	agent_run(0);
	SEEN("b");
	CU_ASSERT_EQUAL(stage.questions, 0);
	CU_ASSERT_EQUAL(user.cseq, 8);
	CU_ASSERT_STRING_EQUAL(user.contact, "<sips:192.0.2.100:5070>");
	CU_ASSERT_STRING_EQUAL(agent_field(f->last, "Call-ID"), "kept@us");
	agent_lose(f, SIP_END_NETWORK_ERROR);
	SEEN("FE");
	agent_stop();
}

/* --- challenges */

#define MD5 \
	"WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\"\r\n"
#define SHA                                                    \
	"WWW-Authenticate: Digest realm=\"r\", nonce=\"n2\", " \
	"algorithm=SHA-256, qop=\"auth\"\r\n"
#define STALE                                                  \
	"WWW-Authenticate: Digest realm=\"r\", nonce=\"n3\", " \
	"stale=true, qop=\"auth\"\r\n"
#define PROXY                                                    \
	"Proxy-Authenticate: Digest realm=\"p\", nonce=\"n4\", " \
	"qop=\"auth\"\r\n"
#define ODD                                                    \
	"WWW-Authenticate: Digest realm=\"r\", nonce=\"n5\", " \
	"algorithm=SHA-512-256\r\n"

static void ready(void (*with)(const char *method))
{
	agent_start();
	with("REGISTER");
	agent_resolve(SIP_TCP, 2);
	agent_connect(SIP_END_NONE);
	SEEN("b");
	CU_ASSERT_STRING_EQUAL(agent_field(flow(0)->last, "Authorization"), "");
}

/* The answer is what digest.h makes of it; here: to the right challenge, with
 * the right count. */
static void check_credentials(const char *field, const char *nonce,
			      const char *count)
{
	char wanted[64];
	const char *value = agent_field(flow(0)->last, field);

	snprintf(wanted, sizeof(wanted), "nonce=\"%s\"", nonce);
	CU_ASSERT_PTR_NOT_NULL(strstr(value, wanted));
	snprintf(wanted, sizeof(wanted), "nc=%s", count);
	CU_ASSERT_PTR_NOT_NULL(strstr(value, wanted));
	CU_ASSERT_PTR_NOT_NULL(strstr(value, "username=\"us\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(value, "uri=\"sip:x@peer.example\""));
	CU_ASSERT_PTR_NULL(strstr(flow(0)->last, "secret word"));
}

static void test_challenge(void)
{
	ready(start_with_password);
	agent_answer(flow(0), 401, MD5);
	SEEN("b");
	agent_connect(SIP_END_NONE); /* the same flow */
	CU_ASSERT_EQUAL(stage.count, 1);
	check_credentials("Authorization", "n1", "00000001");
	CU_ASSERT_EQUAL(user.cseq, 2);
	agent_answer(flow(0), 200, "");
	SEEN("2E");
	agent_stop();
}

static void test_better_algorithm(void)
{
	ready(start_with_password);
	agent_answer(flow(0), 401, MD5 SHA ODD);
	agent_connect(SIP_END_NONE);
	check_credentials("Authorization", "n2", "00000001");
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(agent_field(flow(0)->last, "Authorization"), "SHA-256"));
	agent_answer(flow(0), 401, SHA);
	SEEN("b4E"); /* the password is wrong */
	CU_ASSERT_EQUAL(user.status, 401);
	agent_stop();
}

static void test_proxy_then_server_then_stale(void)
{
	ready(start_with_password);
	agent_answer(flow(0), 407, PROXY);
	agent_connect(SIP_END_NONE);
	check_credentials("Proxy-Authorization", "n4", "00000001");
	agent_answer(flow(0), 401, MD5);
	agent_connect(SIP_END_NONE);
	check_credentials("Proxy-Authorization", "n4", "00000002");
	check_credentials("Authorization", "n1", "00000001");
	agent_answer(flow(0), 401, STALE);
	agent_connect(SIP_END_NONE);
	check_credentials("Authorization", "n3", "00000001");
	check_credentials("Proxy-Authorization", "n4", "00000003");
	SEEN("bbb");
	agent_answer(flow(0), 200, "");
	SEEN("2E");
	agent_stop();
}

/* One who says "stale" for ever. */
static void test_too_many_challenges(void)
{
	unsigned n = 0;

	ready(start_with_password);
	while (user.x && n < 100) {
		agent_answer(flow(0), 401, STALE);
		n++;
		if (user.x)
			agent_connect(SIP_END_NONE);
	}
	CU_ASSERT_EQUAL(n, SIP_CHALLENGES_MAX + 1);
	SEEN("bbbb4E");
	agent_stop();
}

static void test_challenges_without_an_answer(void)
{
	static const char *const rows[] = {
		ODD,
		"",
		"WWW-Authenticate: Basic realm=\"r\"\r\n",
		/* One for the other side. */
		PROXY,
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ready(start_with_password);
		agent_answer(flow(0), 401, rows[i]);
		SEEN("4E");
		agent_stop();
	}
	ready(start); /* neither name nor password */
	agent_answer(flow(0), 401, MD5);
	SEEN("4E");
	agent_stop();
}

/* --- nobody wants it */

static void test_cancel_while_asking(void)
{
	agent_start();
	start("INVITE");
	sip_exchange_cancel(user.x);
	SEEN("");
	CU_ASSERT_EQUAL(stage.cancelled, 1);
	agent_run(0);
	SEEN("FE");
	CU_ASSERT_EQUAL(user.end, SIP_END_DISCONNECT_ALL);
	agent_stop();
}

static void test_cancel_while_connecting(void)
{
	static const char *const methods[] = { "INVITE", "OPTIONS" };

	for (int i = 0; i < 2; i++) {
		agent_start();
		start(methods[i]);
		agent_resolve(SIP_TCP, 2);
		sip_exchange_cancel(user.x);
		sip_exchange_cancel(user.x);
		SEEN("b");
		agent_run(0);
		SEEN("FE");
		CU_ASSERT_EQUAL(user.end, SIP_END_DISCONNECT_ALL);
		agent_stop();
	}
}

static void test_cancel_while_ringing(void)
{
	agent_start();
	start("INVITE");
	agent_resolve(SIP_TCP, 2);
	agent_connect(SIP_END_NONE);
	agent_answer(flow(0), 180, "");
	sip_exchange_cancel(user.x);
	CU_ASSERT_EQUAL(strncmp(flow(0)->last, "CANCEL ", 7), 0);
	SEEN("b1");
	/* No other target after that, and nobody answers for ever. */
	agent_run(2 * SIP_TIMEOUT_MS);
	SEEN("FE");
	CU_ASSERT_EQUAL(user.end, SIP_END_DISCONNECT_ALL);
	agent_stop();
}

/* An answer that was faster counts. */
static void test_cancel_from_within(void)
{
	char invite[AGENT_TEXT];

	agent_start();
	start("INVITE");
	agent_resolve(SIP_TCP, 1);
	agent_connect(SIP_END_NONE);
	strcpy(invite, flow(0)->last);
	user.cancels = true;
	agent_answer(flow(0), 180, "");
	SEEN("b1");
	strcpy(flow(0)->last, invite);
	agent_answer(flow(0), 200, "Contact: <sip:x@192.0.2.1>\r\n");
	SEEN("2");
	agent_run(SIP_TIMEOUT_MS + 1000);
	SEEN("E");
	agent_stop();
}

static void test_limit(void)
{
	agent_start();
	start_with("OPTIONS",
		   (struct sip_exchange_options){ .limit_ms = 3000 });
	agent_resolve(SIP_TCP, 2);
	agent_connect(SIP_END_NONE);
	agent_run(2999);
	SEEN("b");
	agent_run(1);
	SEEN("FE");
	CU_ASSERT_EQUAL(user.end, SIP_END_NO_ANSWER);
	agent_stop();

	agent_start();
	start_with("INVITE", (struct sip_exchange_options){ .limit_ms = 3000 });
	agent_run(3000);
	SEEN("FE");
	CU_ASSERT_EQUAL(user.end, SIP_END_NO_ANSWER);
	agent_stop();
}

static void test_limit_of_an_invite(void)
{
	char invite[AGENT_TEXT];

	agent_start();
	start_with("INVITE", (struct sip_exchange_options){ .limit_ms = 3000 });
	agent_resolve(SIP_TCP, 2);
	agent_connect(SIP_END_NONE);
	agent_answer(flow(0), 180, "");
	strcpy(invite, flow(0)->last);
	agent_run(3000);
	CU_ASSERT_EQUAL(strncmp(flow(0)->last, "CANCEL ", 7), 0);
	strcpy(flow(0)->last, invite);
	agent_answer(flow(0), 487, "");
	agent_run(SIP_TIMEOUT_MS);
	SEEN("b14E");
	CU_ASSERT_EQUAL(user.status, 487);
	agent_stop();
}

static void test_drop(void)
{
	agent_start();
	start("OPTIONS");
	sip_exchange_drop(user.x);
	CU_ASSERT_EQUAL(stage.cancelled, 1);
	start("OPTIONS");
	agent_resolve(SIP_TCP, 2);
	agent_connect(SIP_END_NONE);
	sip_exchange_drop(user.x);
	agent_answer(flow(0), 503, "");
	SEEN("b");
	sip_exchange_drop(NULL);
	agent_stop();
}

static void test_end_of_the_agent(void)
{
	agent_start();
	start("OPTIONS");
	agent_resolve(SIP_TCP, 2);
	agent_connect(SIP_END_NONE);
	agent_stop();
	SEEN("bFE");
	CU_ASSERT_EQUAL(user.end, SIP_END_DISCONNECT_ALL);
}

static int setup(void)
{
	struct error e = ERROR_INIT;

	return secret_copy(&password, view_str("secret word"), &e) < 0;
}

static int teardown(void)
{
	secret_free(&password);
	return 0;
}

static const struct unit_test tests[] = {
	{ "an answer", test_answer },
	{ "no such name", test_no_name },
	{ "refused at once", test_refused_at_once },
	{ "one target after the other", test_failover },
	{ "503 of the last target", test_last_503 },
	{ "ends of failures", test_ends_of_failures },
	{ "no other target once it rings", test_no_failover_once_it_rings },
	{ "no route", test_no_route },
	{ "nothing built", test_nothing_built },
	{ "too large for a datagram", test_large_request },
	{ "too large, once more", test_large_request_again },
	{ "too large, and many targets", test_large_request_to_many },
	{ "a given flow", test_given_flow },
	{ "a challenge", test_challenge },
	{ "the better algorithm", test_better_algorithm },
	{ "proxy, server, stale", test_proxy_then_server_then_stale },
	{ "too many challenges", test_too_many_challenges },
	{ "challenges without an answer", test_challenges_without_an_answer },
	{ "cancel while asking", test_cancel_while_asking },
	{ "cancel while connecting", test_cancel_while_connecting },
	{ "cancel while ringing", test_cancel_while_ringing },
	{ "cancel from within", test_cancel_from_within },
	{ "the limit", test_limit },
	{ "the limit of an INVITE", test_limit_of_an_invite },
	{ "drop", test_drop },
	{ "the end of the agent", test_end_of_the_agent },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "sip-exchange", tests, setup, teardown);
}
