/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <ctype.h>
#include <string.h>

#include "cert/judge.h"
#include "sip/sip_facts.h"
#include "sip/sip_timers.h"
#include "tests/lib/unit.h"

/* The words for what becomes of calls, and the timers. */

/* A word of the interface: it stays, and fits between quotes. */
static void check_word(const char *word)
{
	CU_ASSERT_NOT_EQUAL(word[0], '\0');
	for (const char *p = word; *p; p++)
		CU_ASSERT_TRUE(isalpha((unsigned char)*p));
}

static void test_names(void)
{
	static const struct {
		enum sip_end end;
		const char *name;
	} rows[] = {
		{ SIP_END_NONE, "" },
		{ SIP_END_REMOTE_TEARDOWN, "remoteTeardown" },
		{ SIP_END_DISCONNECT_ALL, "disconnectAll" },
		{ SIP_END_NO_ANSWER, "noAnswer" },
		{ SIP_END_DNS_FAILED, "dnsFailed" },
		{ SIP_END_FAILED_TO_CONNECT, "failedToConnectToServer" },
		{ SIP_END_CAPABILITY, "capabilityNegotiationError" },
		{ SIP_END_PORT_ALLOCATION, "portAllocationExceeded" },
		{ SIP_END_PEER_CERTIFICATE_WRONG_HOST,
		  "peerCertificateWrongHost" },
		{ SIP_END_OWN_CERTIFICATE_REFUSED, "ownCertificateRefused" },
		{ SIP_END_SERVICE_INTERRUPTED, "serviceInterrupted" },
		{ SIP_END_COUNT, "" },
		{ (enum sip_end) - 1, "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT_STRING_EQUAL(sip_end_name(rows[i].end), rows[i].name);
	for (int i = 1; i < SIP_END_COUNT; i++) {
		const char *label = sip_end_label((enum sip_end)i);

		check_word(sip_end_name((enum sip_end)i));
		CU_ASSERT_NOT_EQUAL(label[0], '\0');
		CU_ASSERT_EQUAL(label[strlen(label) - 1], '.');
		for (int k = 1; k < i; k++)
			CU_ASSERT_STRING_NOT_EQUAL(
			    sip_end_name((enum sip_end)i),
			    sip_end_name((enum sip_end)k));
	}
	CU_ASSERT_STRING_EQUAL(sip_end_label(SIP_END_COUNT), "");
}

static void test_states(void)
{
	static const char *const calls[] = { "alerting", "connected",
					     "disconnected" };
	static const char *const media[] = { "unencrypted", "encrypted",
					     "unknown" };
	static const char *const registrations[] = { "off", "registering",
						     "registered", "failed" };

	for (int i = 0; i < SIP_CALL_STATE_COUNT; i++)
		CU_ASSERT_STRING_EQUAL(
		    sip_call_state_name((enum sip_call_state)i), calls[i]);
	for (int i = 0; i < SIP_ENCRYPTION_COUNT; i++)
		CU_ASSERT_STRING_EQUAL(
		    sip_encryption_name((enum sip_encryption)i), media[i]);
	for (int i = 0; i < SIP_REGISTRATION_STATE_COUNT; i++)
		CU_ASSERT_STRING_EQUAL(
		    sip_registration_state_name((enum sip_registration_state)i),
		    registrations[i]);
	CU_ASSERT_STRING_EQUAL(sip_call_state_name(SIP_CALL_STATE_COUNT), "");
	CU_ASSERT_STRING_EQUAL(sip_encryption_name(SIP_ENCRYPTION_COUNT), "");
	CU_ASSERT_STRING_EQUAL(
	    sip_registration_state_name(SIP_REGISTRATION_STATE_COUNT), "");
}

static void test_statuses(void)
{
	static const struct {
		unsigned status;
		enum sip_end end;
	} rows[] = {
		{ 300, SIP_END_MOVED },
		{ 302, SIP_END_MOVED },
		{ 400, SIP_END_PROTOCOL_ERROR },
		{ 401, SIP_END_AUTHENTICATION_FAILED },
		{ 403, SIP_END_REJECTED },
		{ 404, SIP_END_DESTINATION_UNREACHABLE },
		{ 405, SIP_END_PROTOCOL_ERROR },
		{ 407, SIP_END_AUTHENTICATION_FAILED },
		{ 408, SIP_END_NO_ANSWER },
		{ 410, SIP_END_DESTINATION_UNREACHABLE },
		{ 415, SIP_END_CAPABILITY },
		{ 480, SIP_END_NO_ANSWER },
		{ 481, SIP_END_PROTOCOL_ERROR },
		{ 484, SIP_END_DESTINATION_UNREACHABLE },
		{ 485, SIP_END_DESTINATION_UNREACHABLE },
		{ 486, SIP_END_BUSY },
		{ 487, SIP_END_NO_ANSWER },
		{ 488, SIP_END_CAPABILITY },
		{ 500, SIP_END_SERVICE_UNAVAILABLE },
		{ 503, SIP_END_SERVICE_UNAVAILABLE },
		{ 600, SIP_END_BUSY },
		{ 603, SIP_END_REJECTED },
		{ 604, SIP_END_DESTINATION_UNREACHABLE },
		{ 606, SIP_END_CAPABILITY },
		{ 607, SIP_END_REJECTED },
		{ 699, SIP_END_REJECTED },
		{ 0, SIP_END_PROTOCOL_ERROR },
		{ 200, SIP_END_PROTOCOL_ERROR },
		{ 700, SIP_END_PROTOCOL_ERROR },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (sip_end_of_status(rows[i].status) != rows[i].end)
			unit_note("%u", rows[i].status);
		CU_ASSERT_EQUAL(sip_end_of_status(rows[i].status), rows[i].end);
	}
}

static void test_certificates(void)
{
	static const struct {
		enum judge_reason reason;
		enum sip_end end;
	} rows[] = {
		{ JUDGE_NOTHING_SENT, SIP_END_PEER_CERTIFICATE_MISSING },
		{ JUDGE_UNKNOWN_AUTHORITY, SIP_END_PEER_CERTIFICATE_UNTRUSTED },
		{ JUDGE_EXPIRED, SIP_END_PEER_CERTIFICATE_EXPIRED },
		{ JUDGE_NOT_YET_VALID, SIP_END_PEER_CERTIFICATE_EXPIRED },
		{ JUDGE_WRONG_HOST, SIP_END_PEER_CERTIFICATE_WRONG_HOST },
		{ JUDGE_REVOKED, SIP_END_PEER_CERTIFICATE_REFUSED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT_EQUAL(
		    sip_end_of_certificate(judge_reason_name(rows[i].reason)),
		    rows[i].end);
	CU_ASSERT_EQUAL(sip_end_of_certificate("somethingNew"),
			SIP_END_PEER_CERTIFICATE_REFUSED);
	CU_ASSERT_EQUAL(sip_end_of_certificate(NULL),
			SIP_END_PEER_CERTIFICATE_REFUSED);
}

static void test_links(void)
{
	struct sip_flow flow = { .transport = SIP_TLS,
				 .peer_address = "192.0.2.1",
				 .peer_port = 5061,
				 .verified = true,
				 .peer_subject = "CN=peer",
				 .tls_version = "TLSv1.3",
				 .tls_cipher = "TLS_AES_128_GCM_SHA256" };
	struct sip_link_facts link;

	sip_link_facts_of(&flow, &link);
	CU_ASSERT_TRUE(link.known && link.verified);
	CU_ASSERT_EQUAL(link.transport, SIP_TLS);
	CU_ASSERT_EQUAL(link.port, 5061);
	CU_ASSERT_STRING_EQUAL(link.address, "192.0.2.1");
	CU_ASSERT_STRING_EQUAL(link.peer_identity, "CN=peer");
	CU_ASSERT_STRING_EQUAL(link.tls_version, "TLSv1.3");
	CU_ASSERT_STRING_EQUAL(link.cipher, "TLS_AES_128_GCM_SHA256");
	sip_link_facts_of(NULL, &link);
	CU_ASSERT_FALSE(link.known);
	CU_ASSERT_STRING_EQUAL(link.address, "");
}

/* --- timers */

static struct sip_timers timers;
static struct sip_timer a, b, c;
static char ran[16];

static void run_a(struct sip_timer *t)
{
	CU_ASSERT_PTR_EQUAL(t, &a);
	strcat(ran, "a");
	sip_timer_stop(&b);
	sip_timer_set(&timers, &a, 0, run_a);
}

static void run_b(struct sip_timer *t)
{
	CU_ASSERT_PTR_EQUAL(t, &b);
	strcat(ran, "b");
}

static void run_c(struct sip_timer *t)
{
	CU_ASSERT_PTR_EQUAL(t, &c);
	strcat(ran, "c");
}

static void test_timers(void)
{
	sip_timers_init(&timers);
	CU_ASSERT_EQUAL(sip_timers_wanted(&timers), -1);
	sip_timer_stop(&a); /* never set */
	sip_timer_set(&timers, &a, 100, run_a);
	sip_timer_set(&timers, &b, 100, run_b);
	sip_timer_set(&timers, &c, 200, run_c);
	sip_timer_set(&timers, &c, 150, run_c);
	CU_ASSERT_EQUAL(sip_timers_wanted(&timers), 100);
	sip_timers_run(&timers, 99);
	CU_ASSERT_STRING_EQUAL(ran, "");
	/* a stops b, which is due, too, and sets itself for the next time. */
	sip_timers_run(&timers, 100);
	CU_ASSERT_STRING_EQUAL(ran, "a");
	CU_ASSERT_EQUAL(sip_timers_wanted(&timers), 0);
	sip_timers_run(&timers, 149);
	CU_ASSERT_STRING_EQUAL(ran, "aa");
	sip_timer_stop(&a);
	sip_timers_run(&timers, 1000);
	CU_ASSERT_STRING_EQUAL(ran, "aac");
	CU_ASSERT_EQUAL(sip_timers_wanted(&timers), -1);
	sip_timers_run(&timers, 2000);
	CU_ASSERT_STRING_EQUAL(ran, "aac");
}

static const struct unit_test tests[] = {
	{ "names of ends", test_names },
	{ "names of states", test_states },
	{ "what a status means", test_statuses },
	{ "what a certificate means", test_certificates },
	{ "facts of a flow", test_links },
	{ "timers", test_timers },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "sip-facts", tests, NULL, NULL);
}
