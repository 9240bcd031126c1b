/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <osip2/osip.h>

#include "sip/sip_exchange.h"
#include "tests/lib/unit.h"
#include "tests/unit/agent_fixture.h"

/* What is remembered of targets that failed, and in which order they are tried.
 * Targets are letters here: small ones over TCP, large ones the same over UDP.
 */

enum { SECOND = 1000, NOW = 5000 };

static struct sip_outages outages;

static struct sip_target target(char letter)
{
	struct sip_target t = { .transport = letter >= 'a' ? SIP_TCP : SIP_UDP,
				.port = 5060 };

	snprintf(t.address, sizeof(t.address), "192.0.2.%d", letter & 31);
	return t;
}

static void note(char letter, int64_t now, uint32_t seconds)
{
	struct sip_target t = target(letter);

	sip_outages_note(&outages, &t, now, seconds);
}

static void note_503(char letter, int64_t now, uint32_t retry_after)
{
	struct sip_target t = target(letter);

	sip_outages_note_503(&outages, &t, now, retry_after);
}

static void answer(char letter)
{
	struct sip_target t = target(letter);

	sip_outages_end(&outages, &t);
}

static void check_order(int64_t now, const char *before, const char *after,
			int line)
{
	struct sip_target targets[SIP_TARGETS_MAX], wanted;
	size_t n = strlen(before);

	CU_ASSERT_EQUAL_FATAL(strlen(after), n);
	for (size_t i = 0; i < n; i++)
		targets[i] = target(before[i]);
	sip_outages_order(&outages, now, targets, n);
	for (size_t i = 0; i < n; i++) {
		wanted = target(after[i]);
		if (targets[i].transport != wanted.transport ||
		    strcmp(targets[i].address, wanted.address) != 0) {
			unit_note("line %d: place %zu: %s", line, i,
				  targets[i].address);
			CU_FAIL("another order");
		}
	}
}
#define ORDER(now, before, after) check_order(now, before, after, __LINE__)

static void test_order(void)
{
	static const struct {
		const char *failed, *before, *after;
	} rows[] = {
		{ "", "", "" },
		{ "", "abc", "abc" },
		{ "a", "abc", "bca" },
		{ "b", "abc", "acb" },
		{ "c", "abc", "abc" },
		{ "ab", "abc", "cab" },
		{ "ba", "abc", "cab" },
		{ "abc", "abc", "abc" },
		{ "x", "abc", "abc" },
		{ "a", "a", "a" },
		/* The same address by another transport is another target. */
		{ "a", "aA", "Aa" },
		{ "A", "aA", "aA" },
		{ "ac", "abcdefghijklmnop", "bdefghijklmnopac" },
		{ "abcdefghijklmno", "abcdefghijklmnop", "pabcdefghijklmno" },
		/* One that is named twice. */
		{ "a", "aba", "baa" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		sip_outages_clear(&outages);
		for (const char *f = rows[i].failed; *f; f++)
			note(*f, NOW, 60);
		ORDER(NOW, rows[i].before, rows[i].after);
	}
}

static void test_another_port(void)
{
	struct sip_target both[2] = { target('a'), target('a') };

	sip_outages_clear(&outages);
	note('a', NOW, 60);
	both[1].port = 5070;
	sip_outages_order(&outages, NOW, both, 2);
	CU_ASSERT_EQUAL(both[0].port, 5070);
	CU_ASSERT_EQUAL(both[1].port, 5060);
}

static void test_time(void)
{
	sip_outages_clear(&outages);
	note('a', NOW, SIP_OUTAGE_SECONDS);
	ORDER(NOW + SIP_OUTAGE_SECONDS * SECOND - 1, "ab", "ba");
	ORDER(NOW + SIP_OUTAGE_SECONDS * SECOND, "ab", "ab");
	/* The newest word counts, be it shorter or longer. */
	note('b', NOW, 600);
	note('b', NOW, 10);
	ORDER(NOW + 10 * SECOND, "bc", "bc");
	note('b', NOW + 10 * SECOND, 600);
	ORDER(NOW + 609 * SECOND, "bc", "cb");
}

static void test_503(void)
{
	static const struct {
		uint32_t retry_after;
		int64_t seconds;
	} rows[] = {
		{ 0, 60 },      { 1, 1 },       { 59, 59 },
		{ 1800, 1800 }, { 1801, 1800 }, { UINT32_MAX, 1800 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		sip_outages_clear(&outages);
		note_503('a', NOW, rows[i].retry_after);
		ORDER(NOW + rows[i].seconds * SECOND - 1, "ab", "ba");
		ORDER(NOW + rows[i].seconds * SECOND, "ab", "ab");
	}
}

static void test_ends(void)
{
	sip_outages_clear(&outages);
	answer('a');
	note('a', NOW, 60);
	note('b', NOW, 60);
	note('c', NOW, 60);
	answer('A');
	ORDER(NOW, "abcd", "dabc");
	answer('a');
	ORDER(NOW, "abcd", "adbc");
	answer('a');
	answer('c');
	answer('b');
	CU_ASSERT_EQUAL(outages.count, 0);
	note('a', NOW, 60);
	sip_outages_clear(&outages);
	ORDER(NOW, "ab", "ab");
}

/* The table is full: what would end first is forgotten. */
static void test_full(void)
{
	struct sip_target t = { .transport = SIP_TLS,
				.address = "192.0.2.200" };

	sip_outages_clear(&outages);
	note('a', NOW, 10);
	note('b', NOW, 30);
	for (unsigned i = 0; i < 10 * SIP_OUTAGES_MAX; i++) {
		t.port = (uint16_t)(i + 1);
		sip_outages_note(&outages, &t, NOW, 20);
		CU_ASSERT_TRUE(outages.count <= SIP_OUTAGES_MAX);
	}
	CU_ASSERT_EQUAL(outages.count, SIP_OUTAGES_MAX);
	ORDER(NOW, "abc", "acb");
	/* One that stands in it takes no other's place. */
	note('b', NOW, 40);
	note('b', NOW, 50);
	CU_ASSERT_EQUAL(outages.count, SIP_OUTAGES_MAX);
	ORDER(NOW + 45 * SECOND, "abc", "acb");
}

/* --- what requests remember */

static struct sip_exchange *x;

static struct osip_message *on_build(void *arg, const struct sip_try *t,
				     struct error *e)
{
	char text[1024];
	osip_message_t *m = NULL;

	(void)arg;
	(void)e;
	snprintf(text, sizeof(text),
		 "OPTIONS sip:x@peer.example SIP/2.0\r\n"
		 "From: <sip:us@us.example>;tag=%s\r\n"
		 "To: <sip:x@peer.example>\r\n"
		 "Call-ID: %s\r\nCSeq: %u OPTIONS\r\nContact: %s\r\n"
		 "Content-Length: 0\r\n\r\n",
		 t->from_tag, t->call_id, t->cseq, t->contact);
	CU_ASSERT_EQUAL_FATAL(osip_message_init(&m), 0);
	CU_ASSERT_EQUAL_FATAL(osip_message_parse(m, text, strlen(text)), 0);
	return m;
}

static void on_answered(void *arg, struct sip_exchange *which,
			struct sip_transaction *t,
			const struct osip_message *response)
{
	(void)arg;
	(void)which;
	(void)t;
	(void)response;
}

static void on_failed(void *arg, struct sip_exchange *which, enum sip_end end,
		      const char *text)
{
	(void)arg;
	(void)which;
	(void)end;
	(void)text;
}

static void on_finished(void *arg, struct sip_exchange *which)
{
	(void)arg;
	CU_ASSERT_PTR_EQUAL(which, x);
	x = NULL;
}

static void start(void)
{
	static const struct sip_exchange_ops ops = { on_build, on_answered,
						     on_failed, on_finished };
	struct sip_exchange_options o = { .agent = stage.agent,
					  .ops = &ops,
					  .to.host = "peer.example" };
	struct error e = ERROR_INIT;

	x = sip_exchange_start(&o, &e);
	CHECK_OBJECT(x, &e);
}

/* Nobody wants it any more, if it is still under way. */
static void drop(void)
{
	sip_exchange_drop(x);
	x = NULL;
}

/* The target of the request that is under way, as the last byte of its address;
 * it begins now. */
static int first_of(unsigned targets)
{
	unsigned before = stage.count;

	start();
	agent_resolve(SIP_TCP, targets);
	CU_ASSERT_EQUAL(stage.count, before + 1);
	return atoi(strrchr(stage.flows[before].target.address, '.') + 1);
}

static void lose_all(void)
{
	for (unsigned i = 0; i < stage.count; i++)
		if (stage.flows[i].open && !stage.flows[i].lost)
			agent_lose(&stage.flows[i], SIP_END_NETWORK_ERROR);
}

/* Each way to fail: what is tried first the next time, and so much later. */
static void test_remembers_failures(void)
{
	static const struct {
		bool connects;
		unsigned status; /* 0: it does not answer */
		const char *fields;
		int64_t seconds; /* 0: it is not remembered */
	} rows[] = {
		{ false, 0, "", SIP_OUTAGE_SECONDS },
		{ true, 0, "", SIP_OUTAGE_SECONDS },
		{ true, 503, "", SIP_OUTAGE_503_SECONDS },
		{ true, 503, "Retry-After: 7 (soon)\r\n", 7 },
		{ true, 503, "Retry-After: 86400\r\n", SIP_OUTAGE_MAX_SECONDS },
		{ true, 503, "Retry-After: -7\r\n", SIP_OUTAGE_503_SECONDS },
		{ true, 503, "Retry-After: later\r\n", SIP_OUTAGE_503_SECONDS },
		{ true, 500, "Retry-After: 99\r\n", 0 },
		{ true, 486, "", 0 },
		{ true, 200, "", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool times_out = rows[i].connects && !rows[i].status;
		int64_t until;

		agent_start();
		CU_ASSERT_EQUAL(first_of(3), 1);
		agent_connect(rows[i].connects ? SIP_END_NONE
					       : SIP_END_FAILED_TO_CONNECT);
		until = stage.now + rows[i].seconds * 1000 +
			(times_out ? SIP_TIMEOUT_MS : 0);
		if (times_out)
			agent_run(SIP_TIMEOUT_MS);
		else if (rows[i].connects)
			agent_answer(&stage.flows[0], rows[i].status,
				     rows[i].fields);
		drop();
		lose_all();
		if (rows[i].seconds) {
			CU_ASSERT_EQUAL(first_of(3), 2);
			drop();
			agent_run(until - stage.now - 1);
			CU_ASSERT_EQUAL(first_of(3), 2);
			drop();
			agent_run(1);
		}
		CU_ASSERT_EQUAL(first_of(3), 1);
		drop();
		agent_stop();
	}
}

/* What has failed is tried when the others have, too, and is as good as before
 * when it answers, be it with a 100. */
static void test_recovers(void)
{
	agent_start();
	CU_ASSERT_EQUAL(first_of(2), 1);
	agent_connect(SIP_END_FAILED_TO_CONNECT);
	agent_connect(SIP_END_FAILED_TO_CONNECT);
	/* Both: the order stays. */
	CU_ASSERT_EQUAL(first_of(2), 1);
	agent_connect(SIP_END_FAILED_TO_CONNECT);
	agent_connect(SIP_END_NONE);
	agent_answer(&stage.flows[3], 100, "");
	CU_ASSERT_EQUAL(stage.count, 4);
	drop();
	agent_lose(&stage.flows[3], SIP_END_NETWORK_ERROR);
	CU_ASSERT_EQUAL(first_of(2), 2);
	drop();
	/* Somebody says that all is different now. */
	sip_outages_clear(sip_agent_outages(stage.agent));
	CU_ASSERT_EQUAL(first_of(2), 1);
	drop();
	agent_stop();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "the order", test_order },
		{ "another port", test_another_port },
		{ "for a time", test_time },
		{ "Retry-After", test_503 },
		{ "answers", test_ends },
		{ "a full table", test_full },
		{ "failures of requests", test_remembers_failures },
		{ "recovery", test_recovers },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "sip-outages", tests, NULL, NULL);
}
