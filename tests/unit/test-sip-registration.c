/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sip/sip_registration.h"
#include "tests/lib/unit.h"
#include "tests/unit/agent_fixture.h"

/* A registration from its first request to its last, with a registrar that the
 * test is. */

enum { SECOND = 1000, DAY = 86400 * SECOND };

static struct config *config;
static struct store *store;
static struct settings *settings;
static struct sip_credentials *credentials;
static struct sip_registration *registration;
static struct sip_registration_facts facts;
static unsigned told, done;

static int set_up(void)
{
	struct error e = ERROR_INIT;

	config = config_load("/dev/null", NULL, 0, &e);
	store = config ? store_open(unit_temp_dir(), &e) : NULL;
	settings = store ? settings_new(config, store, &e) : NULL;
	credentials = settings ? sip_credentials_new(store, &e) : NULL;
	return credentials ? 0 : -1;
}

static int tear_down(void)
{
	sip_credentials_free(credentials);
	settings_free(settings);
	store_close(store);
	config_free(config);
	return 0;
}

static void on_changed(void *arg, const struct sip_registration_facts *f)
{
	CU_ASSERT_PTR_EQUAL(arg, &facts);
	facts = *f;
	told++;
}

static void on_done(void *arg)
{
	CU_ASSERT_PTR_EQUAL(arg, &done);
	done++;
}

static void set(enum setting_id id, const char *value)
{
	struct error e = ERROR_INIT;

	CHECK_OK(settings_set(settings, id, value, &e), &e);
}

static void begin(void)
{
	struct error e = ERROR_INIT;
	struct sip_registration_options o = { .settings = settings,
					      .credentials = credentials,
					      .changed = on_changed,
					      .arg = &facts };

	for (int i = 0; i < SETTING_COUNT; i++)
		set((enum setting_id)i,
		    settings_default(settings, (enum setting_id)i));
	CHECK_OK(sip_credentials_set(credentials, "secret", &e), &e);
	agent_start();
	memset(&facts, 0, sizeof(facts));
	told = done = 0;
	o.agent = stage.agent;
	registration = sip_registration_new(&o, &e);
	CHECK_OBJECT(registration, &e);
}

static void end(void)
{
	sip_agent_end(stage.agent);
	sip_registration_free(registration);
	agent_stop();
}

/* --- what the registrar sees and says */

static void use_registrar(const char *address)
{
	set(SETTING_SIP_USER_NAME, "bridge");
	set(SETTING_SIP_OUTBOUND_DOMAIN, "example.org");
	set(SETTING_SIP_OUTBOUND_ADDRESS, address);
	set(SETTING_SIP_OUTBOUND, "useRegistrar");
	sip_registration_settings(registration);
}

static struct agent_flow *newest(void)
{
	CU_ASSERT_FATAL(stage.count > 0);
	return &stage.flows[stage.count - 1];
}

/* Up to the request, which is there then. */
static struct agent_flow *reach(enum sip_transport transport)
{
	agent_resolve(transport, 1);
	agent_connect(SIP_END_NONE);
	agent_run(0);
	return newest();
}

static bool sent(const struct agent_flow *f, const char *name,
		 const char *wanted)
{
	const char *value = agent_field(f->last, name);

	if (strcmp(value, wanted) != 0)
		unit_note("%s: \"%s\", not \"%s\"", name, value, wanted);
	return strcmp(value, wanted) == 0;
}

static unsigned cseq_of(const struct agent_flow *f)
{
	return (unsigned)strtoul(agent_field(f->last, "CSeq"), NULL, 10);
}

static const char challenge[] =
    "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"abc\", "
    "qop=\"auth\", algorithm=MD5\r\n";

/* Registered for that long. */
static struct agent_flow *stand(enum sip_transport transport,
				const char *fields)
{
	struct agent_flow *f;

	use_registrar("pbx.example");
	f = reach(transport);
	agent_answer(f, 200, fields);
	agent_run(0);
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTERED);
	return f;
}

/* --- the cases */

static void test_off(void)
{
	begin();
	sip_registration_settings(registration);
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTRATION_OFF);
	set(SETTING_SIP_OUTBOUND_ADDRESS, "pbx.example");
	set(SETTING_SIP_OUTBOUND, "useTrunk");
	sip_registration_settings(registration);
	sip_registration_now(registration);
	agent_run(DAY);
	CU_ASSERT_EQUAL(stage.questions, 0);
	CU_ASSERT_FALSE(sip_registration_leave(registration, on_done, &done));
	end();
	CU_ASSERT_EQUAL(done, 0);
}

static void test_registers(void)
{
	struct agent_flow *f;
	char call_id[256];
	unsigned cseq;
	time_t before = clock_now();

	begin();
	use_registrar("pbx.example:5071");
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTERING);
	CU_ASSERT_STRING_EQUAL(facts.registered_as, "sip:bridge@example.org");
	CU_ASSERT_STRING_EQUAL(stage.asked, "pbx.example");
	f = reach(SIP_TLS);
	CU_ASSERT_STRING_EQUAL(f->host, "pbx.example");
	CU_ASSERT_EQUAL(
	    strncmp(f->last, "REGISTER sip:example.org SIP/2.0", 32), 0);
	CU_ASSERT_TRUE(sent(f, "To", "<sip:bridge@example.org>"));
	CU_ASSERT_TRUE(sent(f, "Expires", "3600"));
	CU_ASSERT_TRUE(strstr(agent_field(f->last, "Contact"),
			      "<sip:bridge@192.0.2.100") != NULL);
	CU_ASSERT_TRUE(sent(f, "Authorization", ""));
	snprintf(call_id, sizeof(call_id), "%s",
		 agent_field(f->last, "Call-ID"));
	cseq = cseq_of(f);
	agent_answer(f, 401, challenge);
	agent_connect(SIP_END_NONE);
	agent_run(0);
	CU_ASSERT_EQUAL(f->sent, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(agent_field(f->last, "Authorization"),
				      "username=\"bridge\""));
	CU_ASSERT_PTR_NULL(strstr(f->last, "secret"));
	CU_ASSERT_TRUE(sent(f, "Call-ID", call_id));
	CU_ASSERT_EQUAL(cseq_of(f), cseq + 1);
	agent_answer(f, 200, "Expires: 1800\r\n");
	agent_run(0);
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTERED);
	CU_ASSERT_STRING_EQUAL(facts.problem, "");
	CU_ASSERT_TRUE(facts.expires >= before + 1800 &&
		       facts.expires <= clock_now() + 1800);
	CU_ASSERT_TRUE(facts.link.known);
	CU_ASSERT_STRING_EQUAL(facts.link.address, "192.0.2.1");
	/* The refresh: the same conversation over the same connection. */
	agent_run(1499 * SECOND);
	CU_ASSERT_EQUAL(cseq_of(f), 0); /* CRLFs only, since then */
	CU_ASSERT_STRING_EQUAL(f->last, "\r\n\r\n");
	CU_ASSERT_TRUE(f->sent >= 2 + 49 && f->sent <= 2 + 60);
	agent_run(1 * SECOND);
	CU_ASSERT_TRUE(sent(f, "Call-ID", call_id));
	CU_ASSERT_EQUAL(cseq_of(f), cseq + 2);
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTERED);
	CU_ASSERT_EQUAL(stage.questions, 1);
	agent_answer(f, 200, "");
	agent_run(0);
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTERED);
	CU_ASSERT_TRUE(facts.expires >= before + 3600);
	end();
}

static void test_no_crlf_over_udp(void)
{
	struct agent_flow *f;

	begin();
	set(SETTING_SIP_OUTGOING_TRANSPORT, "udp");
	f = stand(SIP_UDP, "Expires: 600\r\n");
	agent_run(299 * SECOND);
	CU_ASSERT_EQUAL(f->sent, 1);
	agent_run(1 * SECOND);
	/* Where the registrar is, is asked again; it stands meanwhile. */
	CU_ASSERT_EQUAL(stage.questions, 2);
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTERED);
	end();
}

static void test_lost_connection(void)
{
	struct agent_flow *f, *g;

	begin();
	f = stand(SIP_TLS, "");
	agent_lose(f, SIP_END_NETWORK_ERROR);
	CU_ASSERT_EQUAL(stage.questions, 1);
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTERING);
	agent_run(2 * REGISTRATION_LOST_MS);
	CU_ASSERT_EQUAL(stage.questions, 2);
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTERING);
	g = reach(SIP_TLS);
	CU_ASSERT_PTR_NOT_EQUAL(f, g);
	agent_answer(g, 200, "");
	agent_run(0);
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTERED);
	end();
}

/* Nothing comes back: another connection is made, and where to is asked. */
static void test_dead_connection(void)
{
	struct agent_flow *f;

	begin();
	f = stand(SIP_TCP, "Expires: 600\r\n");
	agent_run(300 * SECOND);
	CU_ASSERT_TRUE(cseq_of(f) > 0);
	agent_run(33 * SECOND);
	CU_ASSERT_EQUAL(stage.questions, 2);
	agent_resolve(SIP_TCP, 0);
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTRATION_FAILED);
	CU_ASSERT_EQUAL(facts.end, SIP_END_DNS_FAILED);
	CU_ASSERT_NOT_EQUAL(facts.problem[0], '\0');
	end();
}

/* One that was good is refused at a refresh: its connection is let go. */
static void test_refused_later(void)
{
	struct agent_flow *f;

	begin();
	f = stand(SIP_TLS, "Expires: 600\r\n");
	agent_run(300 * SECOND);
	agent_answer(f, 403, "");
	agent_run(14 * 60 * SECOND);
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTRATION_FAILED);
	CU_ASSERT_EQUAL(f->flow.references, 1);
	CU_ASSERT_TRUE(cseq_of(f) > 0); /* no CRLF after it */
	CU_ASSERT_FALSE(sip_registration_leave(registration, on_done, &done));
	end();
}

/* As long as nobody answers, and not all the time. */
static void test_backs_off(void)
{
	static const int64_t most[] = { 10, 20, 40, 80, 160, 320, 600, 600 };

	begin();
	use_registrar("pbx.example");
	for (unsigned i = 0; i < sizeof(most) / sizeof(*most); i++) {
		int64_t waited = 0;

		CU_ASSERT_EQUAL(stage.questions, i + 1);
		agent_resolve(SIP_TLS, 0);
		CU_ASSERT_EQUAL(facts.state, SIP_REGISTRATION_FAILED);
		while (stage.questions == i + 1 && waited++ <= 600)
			agent_run(SECOND);
		CU_ASSERT_TRUE(waited >= most[i] / 2 && waited <= most[i] + 1);
	}
	end();
}

/* Seconds until where to is asked again, at most that many. */
static int64_t wait_for_question(int64_t most)
{
	int64_t seconds = 0;

	while (!stage.question && seconds < most) {
		agent_run(SECOND);
		seconds++;
	}
	CU_ASSERT_NOT_EQUAL(stage.question, 0);
	return seconds;
}

static void refuse(unsigned status, const char *fields)
{
	struct agent_flow *f = reach(SIP_TLS);

	agent_answer(f, status, fields);
	agent_run(0);
}

static void test_refused(void)
{
	static const struct {
		unsigned status;
		const char *words;
		int64_t most; /* until the next try, in seconds */
	} rows[] = { { 403, "forbids the registration", 1800 },
		     { 404, "does not know", 60 },
		     { 603, "refuses the registration", 60 },
		     { 401, "user name or the password", 43200 },
		     { 407, "user name or the password", 43200 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		time_t before = clock_now();
		int64_t waited;

		begin();
		use_registrar("pbx.example");
		refuse(rows[i].status, "");
		CU_ASSERT_EQUAL(facts.state, SIP_REGISTRATION_FAILED);
		CU_ASSERT_PTR_NOT_NULL(strstr(facts.problem, rows[i].words));
		CU_ASSERT_PTR_NULL(strstr(facts.problem, "secret"));
		CU_ASSERT_EQUAL(facts.expires, 0);
		CU_ASSERT_TRUE(facts.next_try >= before + rows[i].most / 2);
		CU_ASSERT_TRUE(facts.next_try <=
			       clock_now() + rows[i].most + 1);
		waited = wait_for_question(rows[i].most);
		CU_ASSERT_TRUE(waited >= rows[i].most / 2);
		CU_ASSERT_EQUAL(stage.questions, 2);
		CU_ASSERT_EQUAL(facts.state, SIP_REGISTERING);
		CU_ASSERT_EQUAL(facts.next_try, 0);
		refuse(rows[i].status, "");
		/* Or as soon as somebody does something about it. */
		set(SETTING_SIP_USE_LOCAL_CERTIFICATE, "no");
		sip_registration_settings(registration);
		CU_ASSERT_EQUAL(facts.state, SIP_REGISTERING);
		agent_run(0);
		CU_ASSERT_EQUAL(stage.questions, 3);
		refuse(rows[i].status, "");
		sip_registration_now(registration);
		agent_run(0);
		CU_ASSERT_EQUAL(stage.questions, 4);
		end();
	}
}

/* Each try has one answer to a challenge in it, and is one for a registrar that
 * counts. */
static void test_wrong_password(void)
{
	int64_t waited = 0;

	begin();
	use_registrar("pbx.example");
	for (unsigned i = 1; i <= 4; i++) {
		struct agent_flow *f = reach(SIP_TLS);

		agent_answer(f, 401, challenge);
		agent_connect(SIP_END_NONE);
		agent_run(0);
		CU_ASSERT_NOT_EQUAL(agent_field(f->last, "Authorization")[0],
				    '\0');
		agent_answer(f, 401, challenge);
		CU_ASSERT_EQUAL(facts.state, SIP_REGISTRATION_FAILED);
		CU_ASSERT_EQUAL(f->sent, 2 * i);
		waited += wait_for_question(DAY / 2 / SECOND);
		CU_ASSERT_EQUAL(stage.questions, i + 1);
	}
	CU_ASSERT_TRUE(waited >= DAY / SECOND);
	end();
}

/* One that the newest try was made with is not tried twice because it was given
 * together with the settings. */
static void test_password_with_settings(void)
{
	struct error e = ERROR_INIT;

	begin();
	CHECK_OK(sip_credentials_set(credentials, "wrong", &e), &e);
	use_registrar("pbx.example");
	refuse(401, "");
	sip_registration_password(registration);
	agent_run(60 * SECOND);
	CU_ASSERT_EQUAL(stage.questions, 1);
	CHECK_OK(sip_credentials_set(credentials, "right", &e), &e);
	sip_registration_password(registration);
	sip_registration_password(registration);
	CU_ASSERT_EQUAL(stage.questions, 2);
	agent_answer(reach(SIP_TLS), 200, "");
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTERED);
	/* A refresh by the one after that, at once. */
	CHECK_OK(sip_credentials_set(credentials, "other", &e), &e);
	sip_registration_password(registration);
	agent_run(0);
	CU_ASSERT_EQUAL(cseq_of(newest()), 3);
	end();
}

/* Pauses grow with failures of one kind. */
static void test_other_failure(void)
{
	begin();
	use_registrar("pbx.example");
	for (unsigned i = 0; i < 7; i++) {
		agent_resolve(SIP_TLS, 0);
		(void)wait_for_question(600);
	}
	refuse(404, "");
	CU_ASSERT_TRUE(wait_for_question(60) >= 30);
	agent_resolve(SIP_TLS, 1);
	agent_connect(SIP_END_PEER_CERTIFICATE_EXPIRED);
	CU_ASSERT_TRUE(wait_for_question(120) >= 60);
	agent_resolve(SIP_TLS, 0);
	CU_ASSERT_TRUE(wait_for_question(10) >= 5);
	end();
}

static void test_password_changed_meanwhile(void)
{
	struct error e = ERROR_INIT;
	struct agent_flow *f;

	begin();
	use_registrar("pbx.example");
	f = reach(SIP_TLS);
	sip_registration_now(registration);
	agent_answer(f, 403, "");
	agent_run(0);
	CU_ASSERT_EQUAL(stage.questions, 1);
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTRATION_FAILED);
	sip_registration_now(registration);
	f = reach(SIP_TLS);
	CHECK_OK(sip_credentials_set(credentials, "another", &e), &e);
	sip_registration_now(registration);
	agent_answer(f, 403, "");
	agent_run(0);
	CU_ASSERT_EQUAL(stage.questions, 3);
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTERING);
	end();
}

static void test_retry_after(void)
{
	begin();
	use_registrar("pbx.example");
	refuse(503, "Retry-After: 100\r\n");
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTRATION_FAILED);
	agent_run(99 * SECOND);
	CU_ASSERT_EQUAL(stage.questions, 1);
	agent_run(1 * SECOND);
	CU_ASSERT_EQUAL(stage.questions, 2);
	end();
}

static void test_too_brief(void)
{
	struct agent_flow *f;

	begin();
	set(SETTING_SIP_REGISTRATION_SECONDS, "60");
	use_registrar("pbx.example");
	f = reach(SIP_TLS);
	agent_answer(f, 423, "Min-Expires: 300\r\n");
	agent_run(0);
	agent_resolve(SIP_TLS, 1);
	agent_connect(SIP_END_NONE);
	agent_run(0);
	CU_ASSERT_TRUE(sent(f, "Expires", "300"));
	/* Who wants more each time is refused in the end. */
	agent_answer(f, 423, "Min-Expires: 400\r\n");
	agent_run(0);
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTRATION_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(facts.problem, "interval"));
	CU_ASSERT_EQUAL(stage.questions, 2);
	end();
}

static void test_redirections(void)
{
	begin();
	use_registrar("pbx.example");
	refuse(302, "Contact: <sip:evil.example>\r\n");
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTRATION_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(facts.problem, "not followed"));
	agent_run(60 * SECOND);
	CU_ASSERT_EQUAL(stage.questions, 2);
	CU_ASSERT_STRING_EQUAL(stage.asked, "pbx.example");
	end();
}

static void test_takes_back(void)
{
	struct error e = ERROR_INIT;
	struct agent_flow *f;
	char contact[256];

	begin();
	use_registrar("pbx.example");
	f = reach(SIP_TLS);
	snprintf(contact, sizeof(contact), "%s",
		 agent_field(f->last, "Contact"));
	agent_answer(f, 200, "");
	agent_run(0);
	/* With the password that it was made with. */
	CHECK_OK(sip_credentials_set(credentials, "", &e), &e);
	set(SETTING_SIP_OUTBOUND, "callDirect");
	sip_registration_settings(registration);
	agent_run(0);
	CU_ASSERT_TRUE(sent(f, "Expires", "0"));
	CU_ASSERT_TRUE(sent(f, "Contact", contact));
	agent_answer(f, 401, challenge);
	agent_run(0);
	CU_ASSERT_TRUE(sent(f, "Expires", "0"));
	CU_ASSERT_NOT_EQUAL(agent_field(f->last, "Authorization")[0], '\0');
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTERED);
	agent_answer(f, 200, "");
	agent_run(DAY);
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTRATION_OFF);
	CU_ASSERT_STRING_EQUAL(facts.registered_as, "");
	CU_ASSERT_EQUAL(stage.questions, 1);
	CU_ASSERT_EQUAL(f->flow.references, 1);
	end();
}

/* To another registrar: nobody waits for the former one for long. */
static void test_moves(void)
{
	struct agent_flow *f;

	begin();
	f = stand(SIP_TLS, "");
	use_registrar("other.example");
	agent_run(0);
	CU_ASSERT_TRUE(sent(f, "Expires", "0"));
	CU_ASSERT_EQUAL(stage.questions, 1);
	/* A change of mind meanwhile. */
	use_registrar("third.example");
	agent_run(REGISTRATION_LEAVE_MS);
	CU_ASSERT_EQUAL(stage.questions, 2);
	CU_ASSERT_STRING_EQUAL(stage.asked, "third.example");
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTERING);
	end();
}

static void test_leaves(void)
{
	static const bool answers[] = { true, false };

	for (size_t i = 0; i < 2; i++) {
		struct agent_flow *f;

		begin();
		f = stand(SIP_TLS, "");
		CU_ASSERT_TRUE(
		    sip_registration_leave(registration, on_done, &done));
		agent_run(0);
		CU_ASSERT_TRUE(sent(f, "Expires", "0"));
		CU_ASSERT_EQUAL(done, 0);
		if (answers[i])
			agent_answer(f, 200, "");
		agent_run(answers[i] ? 0 : REGISTRATION_LEAVE_MS);
		CU_ASSERT_EQUAL(done, 1);
		/* No other begins. */
		sip_registration_now(registration);
		sip_registration_settings(registration);
		agent_run(DAY);
		CU_ASSERT_EQUAL(stage.questions, 1);
		CU_ASSERT_EQUAL(done, 1);
		end();
	}
}

/* While it is still taken back for another reason; while it is asked for. */
static void test_leaves_at_bad_times(void)
{
	begin();
	(void)stand(SIP_TLS, "");
	set(SETTING_SIP_OUTBOUND, "callDirect");
	sip_registration_settings(registration);
	CU_ASSERT_TRUE(sip_registration_leave(registration, on_done, &done));
	agent_run(REGISTRATION_LEAVE_MS);
	CU_ASSERT_EQUAL(done, 1);
	end();
	begin();
	use_registrar("pbx.example");
	CU_ASSERT_FALSE(sip_registration_leave(registration, on_done, &done));
	agent_run(DAY);
	CU_ASSERT_EQUAL(stage.cancelled, 1);
	end();
}

static void test_no_user_name(void)
{
	begin();
	set(SETTING_SIP_OUTBOUND_ADDRESS, "pbx.example");
	set(SETTING_SIP_OUTBOUND, "useRegistrar");
	sip_registration_settings(registration);
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTRATION_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(facts.problem, "no user name"));
	CU_ASSERT_EQUAL(facts.next_try, 0);
	sip_registration_now(registration);
	agent_run(DAY);
	CU_ASSERT_EQUAL(stage.questions, 0);
	set(SETTING_SIP_USER_NAME, "bridge");
	sip_registration_settings(registration);
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTERING);
	CU_ASSERT_STRING_EQUAL(facts.registered_as, "sip:bridge@pbx.example");
	end();
}

/* What does not concern the registration does not disturb it; another interval
 * is asked for at once. */
static void test_unchanged(void)
{
	struct agent_flow *f;
	unsigned before;

	begin();
	f = stand(SIP_TLS, "");
	before = f->sent;
	sip_registration_settings(registration);
	agent_run(0);
	CU_ASSERT_EQUAL(f->sent, before);
	set(SETTING_SIP_REGISTRATION_SECONDS, "120");
	sip_registration_settings(registration);
	agent_run(0);
	CU_ASSERT_TRUE(sent(f, "Expires", "120"));
	CU_ASSERT_EQUAL(f->sent, before + 1);
	end();
}

/* The contact names the port that we listen at for that transport. */
static void test_own_port(void)
{
	struct agent_flow *f;
	unsigned before;

	begin();
	f = stand(SIP_TLS, "");
	before = f->sent;
	set(SETTING_SIP_TCP_PORT, "5090");
	sip_registration_settings(registration);
	agent_run(0);
	CU_ASSERT_EQUAL(f->sent, before);
	set(SETTING_SIPS_TCP_PORT, "5091");
	sip_registration_settings(registration);
	agent_run(0);
	CU_ASSERT_TRUE(sent(f, "Expires", "0"));
	agent_answer(f, 200, "");
	agent_run(0);
	CU_ASSERT_EQUAL(facts.state, SIP_REGISTERING);
	CU_ASSERT_EQUAL(stage.questions, 2);
	end();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "off", test_off },
		{ "registers and refreshes", test_registers },
		{ "no CRLF over UDP", test_no_crlf_over_udp },
		{ "a lost connection", test_lost_connection },
		{ "a dead connection", test_dead_connection },
		{ "backs off", test_backs_off },
		{ "refused", test_refused },
		{ "a wrong password", test_wrong_password },
		{ "a password with settings", test_password_with_settings },
		{ "another kind of failure", test_other_failure },
		{ "refused later", test_refused_later },
		{ "a password meanwhile", test_password_changed_meanwhile },
		{ "Retry-After", test_retry_after },
		{ "too brief", test_too_brief },
		{ "redirections", test_redirections },
		{ "takes back", test_takes_back },
		{ "moves", test_moves },
		{ "leaves", test_leaves },
		{ "leaves at bad times", test_leaves_at_bad_times },
		{ "no user name", test_no_user_name },
		{ "nothing has changed", test_unchanged },
		{ "a port of ours", test_own_port },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "sip-registration", tests, set_up,
			 tear_down);
}
