/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <osip2/osip.h>

#include "sip/sip_registration_rules.h"
#include "tests/lib/unit.h"

/* What answers to a REGISTER mean, and when the next one is due. */

static const char contact[] = "<sip:bridge@192.0.2.1:5061;transport=tls>";

static int set_up(void)
{
	return parser_init() == 0 ? 0 : -1;
}

/* --- when */

static void test_refresh(void)
{
	static const struct {
		uint32_t granted;
		int64_t seconds;
	} rows[] = {
		{ 3600, 3300 },
		{ 86400, 86100 },
		{ 601, 301 },
		{ 600, 300 },
		{ 599, 0 },
		{ 60, 30 },
		{ 10, 5 },
		{ 9, 5 },
		{ 1, 5 },
		{ 7 * 86400, 7 * 86400 - 300 },
		{ UINT32_MAX, (int64_t)UINT32_MAX - 300 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t ms = registration_refresh_ms(rows[i].granted);

		CU_ASSERT_EQUAL(ms, rows[i].seconds ? rows[i].seconds * 1000
						    : 299500);
	}
}

static void test_pauses(void)
{
	static const struct {
		enum registration_step step;
		unsigned failures;
		int64_t most; /* seconds */
	} rows[] = {
		{ REGISTRATION_LATER, 1, 10 },
		{ REGISTRATION_LATER, 2, 20 },
		{ REGISTRATION_LATER, 3, 40 },
		{ REGISTRATION_LATER, 6, 320 },
		{ REGISTRATION_LATER, 7, 600 },
		{ REGISTRATION_LATER, 8, 600 },
		{ REGISTRATION_LATER, 0, 10 },
		{ REGISTRATION_LATER, 1u << 31, 600 },
		{ REGISTRATION_REFUSED, 1, 60 },
		{ REGISTRATION_REFUSED, 5, 960 },
		{ REGISTRATION_REFUSED, 6, 1800 },
		{ REGISTRATION_REFUSED, UINT_MAX, 1800 },
		{ REGISTRATION_FORBIDDEN, 1, 1800 },
		{ REGISTRATION_FORBIDDEN, 9, 1800 },
		{ REGISTRATION_PASSWORD, 1, 43200 },
		{ REGISTRATION_PASSWORD, UINT_MAX, 43200 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum registration_step s = rows[i].step;
		unsigned n = rows[i].failures;

		CU_ASSERT_EQUAL(registration_pause_ms(s, n, 255),
				rows[i].most * 1000);
		CU_ASSERT_EQUAL(registration_pause_ms(s, n, 0),
				rows[i].most * 500);
	}
}

/* What never came to an answer. */
static void test_ends(void)
{
	static const struct {
		enum sip_end end;
		enum registration_step step;
	} rows[] = {
		{ SIP_END_NO_ANSWER, REGISTRATION_LATER },
		{ SIP_END_DNS_FAILED, REGISTRATION_LATER },
		{ SIP_END_FAILED_TO_CONNECT, REGISTRATION_LATER },
		{ SIP_END_NETWORK_ERROR, REGISTRATION_LATER },
		{ SIP_END_TLS_FAILED, REGISTRATION_LATER },
		{ SIP_END_MOVED, REGISTRATION_LATER },
		{ SIP_END_PEER_CERTIFICATE_MISSING, REGISTRATION_REFUSED },
		{ SIP_END_PEER_CERTIFICATE_UNTRUSTED, REGISTRATION_REFUSED },
		{ SIP_END_PEER_CERTIFICATE_EXPIRED, REGISTRATION_REFUSED },
		{ SIP_END_PEER_CERTIFICATE_WRONG_HOST, REGISTRATION_REFUSED },
		{ SIP_END_PEER_CERTIFICATE_REFUSED, REGISTRATION_REFUSED },
		{ SIP_END_OWN_CERTIFICATE_REFUSED, REGISTRATION_REFUSED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum registration_step s =
		    registration_step_of_end(rows[i].end);

		CU_ASSERT_EQUAL(s, rows[i].step);
		CU_ASSERT_FALSE(registration_step_lets_go(s));
	}
}

/* --- answers */

static void read_answer(unsigned status, const char *reason, const char *fields,
			uint32_t asked, struct registration_answer *out)
{
	char text[8192];
	osip_message_t *m = NULL;

	snprintf(text, sizeof(text),
		 "SIP/2.0 %u %s\r\n"
		 "Via: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1\r\n"
		 "From: <sip:bridge@example.org>;tag=1\r\n"
		 "To: <sip:bridge@example.org>;tag=2\r\n"
		 "Call-ID: 1\r\nCSeq: 1 REGISTER\r\n%sContent-Length: "
		 "0\r\n\r\n",
		 status, reason, fields);
	CU_ASSERT_EQUAL_FATAL(osip_message_init(&m), 0);
	CU_ASSERT_EQUAL_FATAL(osip_message_parse(m, text, strlen(text)), 0);
	registration_answer_read(m, contact, asked, out);
	osip_message_free(m);
}

#define OURS   "sip:bridge@192.0.2.1:5061;transport=tls"
#define OTHERS "sip:bridge@192.0.2.9:5061;transport=tls"

static void test_granted(void)
{
	static const struct {
		const char *fields;
		uint32_t granted;
	} rows[] = {
		{ "", 600 },
		{ "Expires: 120\r\n", 120 },
		{ "Contact: <" OURS ">;expires=90\r\n", 90 },
		{ "Expires: 120\r\nContact: <" OURS ">;expires=90\r\n", 90 },
		{ "Expires: 120\r\nContact: <" OURS ">\r\n", 120 },
		{ "Contact: <" OTHERS ">;expires=5, <" OURS ">;q=0.5;"
		  "expires=91\r\n",
		  91 },
		{ "Contact: <" OTHERS ">;expires=5\r\n"
		  "Contact: \"B\" <" OURS ">;expires=92\r\n",
		  92 },
		{ "Contact: <" OTHERS ">;expires=5\r\n", 600 },
		{ "Contact: <sip:bridge@192.0.2.1:5061;transport=TLS>;"
		  "expires=93\r\n",
		  93 },
		{ "Contact: <sip:Bridge@192.0.2.1:5061;transport=tls>;"
		  "expires=93\r\n",
		  600 },
		{ "Contact: <sip:bridge@192.0.2.1;transport=tls>;expires=93"
		  "\r\n",
		  600 },
		{ "Contact: <sip:bridge@192.0.2.1:5061>;expires=93\r\n", 600 },
		{ "Contact: *\r\n", 600 },
		{ "Contact: <" OURS ">;expires=0\r\n", 0 },
		{ "Contact: <" OURS ">;expires=soon\r\nExpires: 94\r\n", 94 },
		{ "Contact: <" OURS ">;expires\r\n", 600 },
		{ "Expires: never\r\n", 600 },
		{ "Expires: 0\r\n", 0 },
		{ "Expires: 4294967295\r\n", 604800 },
		{ "Expires: 99999999999999999999\r\n", 0 },
		{ "Contact: <" OURS ">;expires=4294967296\r\n", 604800 },
		{ "Contact: <" OURS ">;expires=-1\r\n", 600 },
	};
	struct registration_answer a;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		read_answer(200, "OK", rows[i].fields, 600, &a);
		CU_ASSERT_EQUAL(a.granted, rows[i].granted);
		if (a.granted != rows[i].granted)
			printf("# row %zu: %u\n", i, a.granted);
		CU_ASSERT_EQUAL(registration_step(&a, 600),
				rows[i].granted ? REGISTRATION_STANDS
						: REGISTRATION_LATER);
	}
}

static void test_steps(void)
{
	static const struct {
		unsigned status;
		const char *fields;
		enum registration_step step;
		uint32_t min_expires, retry_after;
	} rows[] = {
		{ 200, "", REGISTRATION_STANDS, 0, 0 },
		{ 202, "", REGISTRATION_STANDS, 0, 0 },
		{ 301, "Contact: <sip:b@evil.example>\r\n",
		  REGISTRATION_REFUSED, 0, 0 },
		{ 302, "", REGISTRATION_REFUSED, 0, 0 },
		{ 399, "", REGISTRATION_REFUSED, 0, 0 },
		{ 400, "", REGISTRATION_REFUSED, 0, 0 },
		{ 401, "", REGISTRATION_REFUSED, 0, 0 },
		{ 403, "Retry-After: 5\r\n", REGISTRATION_FORBIDDEN, 0, 5 },
		{ 404, "", REGISTRATION_REFUSED, 0, 0 },
		{ 407, "Retry-After: 90\r\n", REGISTRATION_REFUSED, 0, 90 },
		{ 408, "", REGISTRATION_LATER, 0, 0 },
		{ 480, "", REGISTRATION_LATER, 0, 0 },
		{ 499, "", REGISTRATION_REFUSED, 0, 0 },
		{ 423, "Min-Expires: 7200\r\n", REGISTRATION_LONGER, 7200, 0 },
		{ 423, "Min-Expires: 600\r\n", REGISTRATION_LATER, 600, 0 },
		{ 423, "Min-Expires: 60\r\n", REGISTRATION_LATER, 60, 0 },
		{ 423, "", REGISTRATION_LATER, 0, 0 },
		{ 423, "Min-Expires: x\r\n", REGISTRATION_LATER, 0, 0 },
		{ 423, "Min-Expires: 604801\r\n", REGISTRATION_LATER, 604801,
		  0 },
		{ 500, "Retry-After: 60\r\n", REGISTRATION_LATER, 0, 60 },
		{ 503, "Retry-After: 18 (maintenance);duration=3600\r\n",
		  REGISTRATION_LATER, 0, 18 },
		{ 503, "Retry-After: 18;duration=3600\r\n", REGISTRATION_LATER,
		  0, 18 },
		{ 503, "Retry-After: 4000000000\r\n", REGISTRATION_LATER, 0,
		  86400 },
		{ 503, "Retry-After: 18x\r\n", REGISTRATION_LATER, 0, 0 },
		{ 503, "Retry-After: -18\r\n", REGISTRATION_LATER, 0, 0 },
		{ 503, "Retry-After: 111111111111\r\n", REGISTRATION_LATER, 0,
		  0 },
		{ 504, "", REGISTRATION_LATER, 0, 0 },
		{ 599, "", REGISTRATION_LATER, 0, 0 },
		{ 603, "", REGISTRATION_REFUSED, 0, 0 },
		{ 699, "", REGISTRATION_REFUSED, 0, 0 },
	};
	struct registration_answer a;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		read_answer(rows[i].status, "x", rows[i].fields, 600, &a);
		CU_ASSERT_EQUAL(a.status, rows[i].status);
		CU_ASSERT_EQUAL(registration_step(&a, 600), rows[i].step);
		CU_ASSERT_EQUAL(a.min_expires, rows[i].min_expires);
		CU_ASSERT_EQUAL(a.retry_after, rows[i].retry_after);
	}
}

/* Whether the request had a password matters to those who ask for one only. */
static void test_password(void)
{
	static const struct {
		unsigned status;
		enum registration_step step;
		const char *words;
	} rows[] = {
		{ 401, REGISTRATION_PASSWORD, "refuses the user name or" },
		{ 407, REGISTRATION_PASSWORD, "refuses the user name or" },
		{ 402, REGISTRATION_REFUSED, "refuses the registration" },
		{ 403, REGISTRATION_FORBIDDEN, "forbids the registration" },
		{ 503, REGISTRATION_LATER, "out of service" },
		{ 200, REGISTRATION_STANDS, "keeps no registration" },
	};
	struct registration_answer a;
	char text[ERROR_TEXT_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		read_answer(rows[i].status, "x", "", 600, &a);
		CU_ASSERT_FALSE(a.had_password);
		a.had_password = true;
		CU_ASSERT_EQUAL(registration_step(&a, 600), rows[i].step);
		registration_problem(&a, "pbx", text, sizeof(text));
		CU_ASSERT_PTR_NOT_NULL(strstr(text, rows[i].words));
	}
	CU_ASSERT_TRUE(registration_step_lets_go(REGISTRATION_PASSWORD));
	CU_ASSERT_TRUE(registration_step_lets_go(REGISTRATION_FORBIDDEN));
}

static void check_problem(unsigned status, const char *reason,
			  const char *words)
{
	struct registration_answer a;
	char text[ERROR_TEXT_MAX];

	read_answer(status, reason, "", 600, &a);
	registration_problem(&a, "pbx.example", text, sizeof(text));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, words));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "pbx.example"));
	CU_ASSERT_PTR_NULL(strpbrk(text, "\r\n\x1b"));
}

static void test_problems(void)
{
	char longer[4000];

	check_problem(401, "Unauthorized",
		      "asks for a user name and password, and none is set, or "
		      "it asks in a way that this device cannot answer (401 "
		      "Unauthorized).");
	check_problem(403, "Forbidden", "forbids the registration");
	check_problem(404, "Not Found", "does not know");
	check_problem(302, "Moved", "which is not followed");
	check_problem(503, "Later", "out of service");
	check_problem(423, "Brief", "another registration interval");
	check_problem(200, "OK", "keeps no registration");
	check_problem(488, "No", "refuses the registration (488 No).");
	check_problem(500, "a\x1b[31mb", "(500 a [31mb)");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	check_problem(500, longer, "xxx");
}

/* --- requests */

static void test_contacts(void)
{
	static const struct {
		const char *contact, *user, *wanted; /* NULL: refused */
	} rows[] = {
		{ "<sip:192.0.2.1:5061;transport=tls>", "bridge", contact },
		{ "<sip:[2001:db8::1]:5060;transport=tcp>", "a%20b",
		  "<sip:a%20b@[2001:db8::1]:5060;transport=tcp>" },
		{ "<sips:192.0.2.1:5061>", "bridge", NULL },
		{ "", "bridge", NULL },
	};
	struct error e = ERROR_INIT;
	char out[128], longer[200];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int rc = registration_contact(rows[i].contact, rows[i].user,
					      out, sizeof(out), &e);

		CU_ASSERT_EQUAL(rc, rows[i].wanted ? 0 : -1);
		if (rc == 0)
			CU_ASSERT_STRING_EQUAL(out, rows[i].wanted);
		error_clear(&e);
	}
	memset(longer, 'u', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	CHECK_FAILS(
	    registration_contact(rows[0].contact, longer, out, sizeof(out), &e),
	    &e, ERR_LIMIT, "too long");
}

static void check_request(const struct registration_request *rq,
			  const char *expires)
{
	struct error e = ERROR_INIT;
	osip_message_t *m = registration_request(rq, &e);
	char *text = NULL, wanted[1000];
	size_t n = 0;

	CHECK_OBJECT(m, &e);
	CU_ASSERT_EQUAL_FATAL(osip_message_to_str(m, &text, &n), 0);
	snprintf(wanted, sizeof(wanted), "REGISTER %s SIP/2.0\r\n", rq->uri);
	CU_ASSERT_EQUAL(strncmp(text, wanted, strlen(wanted)), 0);
	snprintf(wanted, sizeof(wanted), "To: <%s>\r\n", rq->aor);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, wanted));
	snprintf(wanted, sizeof(wanted), "From: <%s>;tag=%s\r\n", rq->aor,
		 rq->from_tag);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, wanted));
	snprintf(wanted, sizeof(wanted), "Contact: %s\r\n", rq->contact);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, wanted));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "Call-ID: abc@here\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "CSeq: 7 REGISTER\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, expires));
	osip_free(text);
	osip_message_free(m);
}

static void test_requests(void)
{
	struct registration_request rq = { .uri = "sip:example.org",
					   .aor = "sip:bridge@example.org",
					   .contact = contact,
					   .call_id = "abc@here",
					   .from_tag = "t1",
					   .cseq = 7,
					   .seconds = 3600 };
	struct error e = ERROR_INIT;

	check_request(&rq, "Expires: 3600\r\n");
	rq.seconds = 0;
	check_request(&rq, "Expires: 0\r\n");
	rq.contact = "<sip:";
	CU_ASSERT_PTR_NULL(registration_request(&rq, &e));
	CU_ASSERT_EQUAL(e.kind, ERR_INPUT);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "when to refresh", test_refresh },
		{ "pauses", test_pauses },
		{ "without an answer", test_ends },
		{ "what is granted", test_granted },
		{ "what comes next", test_steps },
		{ "with a password", test_password },
		{ "what people read", test_problems },
		{ "contacts", test_contacts },
		{ "requests", test_requests },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "sip-registration-rules", tests, set_up,
			 NULL);
}
