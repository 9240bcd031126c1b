/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/tls_policy_world.h"

/* Which context the policy makes when, and what happens when it cannot. */

static void test_modes(void)
{
	struct tls_policy *p = policy_open();

	/* Nothing to present yet: nothing to make. */
	set_mode(CERTIFICATE_NOT_REQUIRED);
	CU_ASSERT_EQUAL(around.posts[PEER_HTTPS], 0);
	CU_ASSERT_EQUAL(present(&one), 0);
	CU_ASSERT_EQUAL(around.posts[PEER_HTTPS], 1);
	CU_ASSERT_FALSE(asks());
	for (int mode = CERTIFICATE_VERIFY; mode < CERTIFICATE_MODE_COUNT;
	     mode++) {
		unsigned rotations = around.keys[0].rotations;

		set_mode(CERTIFICATE_NOT_REQUIRED);
		CU_ASSERT_FALSE(asks());
		set_mode((enum certificate_mode)mode);
		CU_ASSERT_TRUE(asks());
		CU_ASSERT_EQUAL(around.keys[0].rotations, rotations + 2);
	}
	CU_ASSERT_EQUAL(around.keys[0].rotations, around.posts[PEER_HTTPS]);
	around.settings.minimum = 1;
	around.on_settings(setting_bit(SETTING_TLS_MINIMUM_VERSION),
			   around.on_settings_arg);
	CU_ASSERT_EQUAL(around.posted[PEER_HTTPS]->minimum, TLS_1_3);
	CU_ASSERT_EQUAL(present(&other), 0);
	CU_ASSERT_TRUE(asks());
	policy_close(p);
}

static void test_what_does_not_matter(void)
{
	struct tls_policy *p = policy_open();

	CU_ASSERT_EQUAL(present(&one), 0);
	around.on_settings(~(setting_bit(SETTING_CLIENT_CERTIFICATE) |
			     setting_bit(SETTING_SIP_VERIFICATION) |
			     setting_bit(SETTING_SIP_USE_LOCAL_CERTIFICATE) |
			     setting_bit(SETTING_TLS_MINIMUM_VERSION)),
			   around.on_settings_arg);
	set_trust("D"); /* nobody is asked for a certificate */
	CU_ASSERT_EQUAL(around.posts[PEER_HTTPS], 1);
	set_mode(CERTIFICATE_VERIFY);
	CU_ASSERT_EQUAL(around.posts[PEER_HTTPS], 2);
	around.on_trust(TRUST_SIP, &around.stores[TRUST_HTTPS],
			around.on_trust_arg);
	around.on_trust(TRUST_CALL_HOME, &around.stores[TRUST_HTTPS],
			around.on_trust_arg);
	tls_policy_housekeeping(p);
	CU_ASSERT_EQUAL(around.posts[PEER_HTTPS], 2);
	CU_ASSERT_EQUAL(around.records, 0);
	policy_close(p);
}

static void test_trust(void)
{
	struct tls_policy *p = policy_open();
	void *anchors;

	set_mode(CERTIFICATE_VERIFY);
	CU_ASSERT_EQUAL(present(&one), 0);
	CU_ASSERT_TRUE(asks());
	CU_ASSERT_FALSE(lets_in("D")); /* the store was not read yet */
	set_trust("");
	CU_ASSERT_FALSE(lets_in("D"));
	set_trust("D");
	CU_ASSERT_EQUAL(around.posts[PEER_HTTPS], 3);
	CU_ASSERT_TRUE(lets_in("D"));
	CU_ASSERT_FALSE(lets_in("O"));
	/* Made ready once for each content. */
	anchors = around.posted[PEER_HTTPS]->verifier.arg;
	set_mode(CERTIFICATE_REQUIRED);
	CU_ASSERT_EQUAL(present(&other), 0);
	CU_ASSERT_PTR_EQUAL(around.posted[PEER_HTTPS]->verifier.arg, anchors);
	set_trust("O");
	CU_ASSERT_FALSE(lets_in("D"));
	CU_ASSERT_TRUE(lets_in("O"));
	policy_close(p);
}

/* A change that cannot be carried out must not leave a door open that was to be
 * closed. */
static void test_failing(void)
{
	struct tls_policy *p = policy_open();
	struct error e = ERROR_INIT;

	CU_ASSERT_EQUAL(present(&one), 0);
	around.failing = true;
	/* The identity in force stays when another one cannot be presented. */
	CU_ASSERT_EQUAL(
	    around.presenter.check(&other, around.presenter.arg, &e), -1);
	CU_ASSERT_EQUAL(e.kind, ERR_CERTIFICATE);
	CU_ASSERT_EQUAL(present(&other), -1);
	CU_ASSERT_EQUAL(around.posts[PEER_HTTPS], 1);
	/* Nobody is asked, before and after: the old context stays. */
	around.on_settings(setting_bit(SETTING_TLS_MINIMUM_VERSION),
			   around.on_settings_arg);
	CU_ASSERT_PTR_NOT_NULL(around.posted[PEER_HTTPS]);
	/* Everybody is to be asked: nobody comes in. */
	set_mode(CERTIFICATE_VERIFY);
	CU_ASSERT_EQUAL(around.posts[PEER_HTTPS], 2);
	CU_ASSERT_PTR_NULL(around.posted[PEER_HTTPS]);
	tls_policy_housekeeping(p);
	CU_ASSERT_PTR_NULL(around.posted[PEER_HTTPS]);
	around.failing = false;
	tls_policy_housekeeping(p);
	CU_ASSERT_TRUE(asks());
	policy_close(p);
}

static void test_refusals(void)
{
	const struct peer peer = { .address = "192.0.2.1", .via = PEER_HTTPS };
	struct tls_verdict why = { .reason = "expired",
				   .text = "expired on a day",
				   .names = { "CN=eve", "CN=nobody", "2a" } };
	struct tls_policy *p = policy_open();

	tls_policy_refused(p, &peer, NULL, &why);
	CU_ASSERT_EQUAL(around.records, 1);
	CU_ASSERT_STRING_EQUAL(around.last_record, "expired on a day");
	CU_ASSERT_EQUAL(around.last_event, AUDIT_CERTIFICATE_EXPIRED);
	for (int i = 0; i < 500; i++)
		tls_policy_refused(p, &peer, NULL, &why);
	CU_ASSERT(around.records < 100);
	policy_close(p);
}

/* Which event a refusal becomes. */
static void test_kinds_of_refusals(void)
{
	static const struct {
		enum judge_reason cause;
		enum audit_event event;
	} rows[] = {
		{ JUDGE_NOTHING_SENT, AUDIT_CERTIFICATE_MISSING },
		{ JUDGE_UNKNOWN_AUTHORITY, AUDIT_CERTIFICATE_UNTRUSTED },
		{ JUDGE_NOT_YET_VALID, AUDIT_CERTIFICATE_EXPIRED },
		{ JUDGE_REVOKED, AUDIT_CERTIFICATE_REVOKED },
		{ JUDGE_WEAK_KEY, AUDIT_CERTIFICATE_REFUSED },
		{ JUDGE_NOT_JUDGED, AUDIT_CERTIFICATE_REFUSED },
	};
	const struct peer peer = { .address = "192.0.2.1", .via = PEER_HTTPS };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct tls_verdict why = {
			.reason = judge_reason_name(rows[i].cause),
			.names = { "CN=eve", "CN=nobody", "2a" },
		};
		struct tls_policy *p = policy_open();

		tls_policy_refused(p, &peer, NULL, &why);
		CU_ASSERT_EQUAL(around.last_event, rows[i].event);
		policy_close(p);
	}
}

/* --- SIP */

static void set_sip(int choice)
{
	around.settings.sip = choice;
	around.on_settings(setting_bit(SETTING_SIP_VERIFICATION),
			   around.on_settings_arg);
}

/* What becomes of the device "D" and the stranger "O", in either direction. */
static void check_sip(struct tls_policy *p, int choice, const char *in,
		      const char *out)
{
	unsigned before, after, rotations = around.keys[1].rotations;
	struct tls_context *client = tls_policy_sip_client(p, &before);
	const struct tls_context *server;

	tls_context_unref(client);
	set_sip(choice);
	client = tls_policy_sip_client(p, &after);
	server = around.posted[PEER_STREAM];
	CU_ASSERT(after > before);
	CU_ASSERT(around.keys[1].rotations > rotations);
	CU_ASSERT_EQUAL(server->verifier.verify != NULL, choice == 2);
	CU_ASSERT_PTR_EQUAL(server->tickets, &around.keys[1]);
	CU_ASSERT_PTR_NOT_NULL(client->verifier.verify);
	for (const char *c = "DO"; *c; c++) {
		const char letter[] = { *c, '\0' };

		CU_ASSERT_EQUAL(verdict_of(server, letter, NULL).accepted,
				strchr(in, *c) != NULL);
		CU_ASSERT_EQUAL(
		    verdict_of(client, letter, "a.example").accepted,
		    strchr(out, *c) != NULL);
	}
	CU_ASSERT_EQUAL(verdict_of(client, "D", "b.example").accepted,
			choice == 0);
	tls_context_unref(client);
}

static void test_sip(void)
{
	static const struct part parts[PARTS_MAX] = {
		{ 'D', .alt = "URI:sip:a.example" },
		{ 'O', .alt = "URI:sip:a.example" },
	};
	struct tls_policy *p;
	unsigned changes;

	world.changes = parts;
	p = policy_open();
	CU_ASSERT_PTR_NULL(tls_policy_sip_client(p, &changes));
	set_sip(2);
	CU_ASSERT_EQUAL(around.tellings, 0);
	CU_ASSERT_EQUAL(present(&one), 0);
	CU_ASSERT_EQUAL(around.tellings, 1);
	check_sip(p, 2, "", ""); /* not read yet */
	check_sip(p, 1, "DO", "");
	check_sip(p, 0, "DO", "DO");
	set_store(TRUST_SIP, ""); /* nobody is asked: nothing to make */
	CU_ASSERT_EQUAL(around.tellings, 4);
	check_sip(p, 2, "", "");
	set_store(TRUST_SIP, "D");
	CU_ASSERT_EQUAL(around.tellings, 6);
	check_sip(p, 2, "D", "D");
	check_sip(p, 1, "DO", "D");
	CU_ASSERT_EQUAL(around.posts[PEER_HTTPS], 1);
	set_store(TRUST_SIP, "O");
	check_sip(p, 2, "O", "O");
	policy_close(p);
	world.changes = NULL;
}

/* Nobody is let through, and it is said why. */
static void test_sip_shut(void)
{
	struct tls_policy *p = policy_open();
	struct tls_verdict v;

	CU_ASSERT_EQUAL(present(&one), 0);
	set_sip(2);
	v = verdict_of(around.posted[PEER_STREAM], "D", NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(v.text, "not read yet"));
	CU_ASSERT_STRING_EQUAL(v.reason, "unknownAuthority");
	set_store(TRUST_SIP, "");
	v = verdict_of(around.posted[PEER_STREAM], "D", NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(v.text, "SIP trust store is empty"));
	CU_ASSERT_STRING_EQUAL(v.reason, "unknownAuthority");
	CU_ASSERT_PTR_NOT_NULL(strstr(v.names.subject, "CN=device"));
	policy_close(p);
}

/* One change swaps all; nothing changes where one of them cannot be made. */
static void test_one_identity(void)
{
	struct tls_policy *p = policy_open();
	struct error e = ERROR_INIT;
	struct tls_context *client;
	unsigned changes;

	CU_ASSERT_EQUAL(present(&one), 0);
	around.failing_client = true;
	CU_ASSERT_EQUAL(
	    around.presenter.check(&other, around.presenter.arg, &e), -1);
	CU_ASSERT_EQUAL(present(&other), -1);
	CU_ASSERT_PTR_EQUAL(around.posted[PEER_HTTPS]->identity, &one);
	CU_ASSERT_PTR_EQUAL(around.posted[PEER_STREAM]->identity, &one);
	around.failing_client = false;
	CU_ASSERT_EQUAL(present(&other), 0);
	CU_ASSERT_PTR_EQUAL(around.posted[PEER_HTTPS]->identity, &other);
	CU_ASSERT_PTR_EQUAL(around.posted[PEER_STREAM]->identity, &other);
	client = tls_policy_sip_client(p, &changes);
	CU_ASSERT_PTR_EQUAL(client->identity, &other);
	tls_context_unref(client);
	around.settings.no_local = true;
	around.on_settings(setting_bit(SETTING_SIP_USE_LOCAL_CERTIFICATE),
			   around.on_settings_arg);
	CU_ASSERT_EQUAL(around.posts[PEER_STREAM], 2);
	client = tls_policy_sip_client(p, &changes);
	CU_ASSERT_PTR_NULL(client->identity);
	tls_context_unref(client);
	policy_close(p);
}

/* A client context that cannot be made after a change to one that verifies:
 * nobody is called. */
static void test_sip_failing(void)
{
	struct tls_policy *p = policy_open();
	struct tls_context *client;
	unsigned changes;

	CU_ASSERT_EQUAL(present(&one), 0);
	around.failing_client = true;
	around.settings.no_local = true;
	around.on_settings(setting_bit(SETTING_SIP_USE_LOCAL_CERTIFICATE),
			   around.on_settings_arg);
	client = tls_policy_sip_client(p, &changes);
	CU_ASSERT_PTR_NOT_NULL(client);
	tls_context_unref(client);
	set_sip(1);
	CU_ASSERT_PTR_NULL(tls_policy_sip_client(p, &changes));
	CU_ASSERT_PTR_NOT_NULL(around.posted[PEER_STREAM]);
	around.failing_client = false;
	tls_policy_housekeeping(p);
	client = tls_policy_sip_client(p, &changes);
	CU_ASSERT_PTR_NOT_NULL(client);
	tls_context_unref(client);
	policy_close(p);
}

static void test_sip_refusals(void)
{
	const struct peer peer = { .address = "192.0.2.1", .via = PEER_STREAM };
	const struct peer callee = { .address = "192.0.2.1",
				     .via = PEER_STREAM,
				     .called = true };
	const struct peer web = { .address = "192.0.2.1", .via = PEER_HTTPS };
	struct tls_verdict why = { .reason = "wrongHost",
				   .text = "is not for a.example",
				   .names = { "CN=eve", "CN=nobody", "2a" } };
	struct tls_policy *p = policy_open();
	unsigned before;

	tls_policy_refused(p, &peer, NULL, &why);
	CU_ASSERT_EQUAL(around.last_event, AUDIT_SIP_PEER_REFUSED);
	CU_ASSERT_STRING_EQUAL(around.last_module, "SIP");
	CU_ASSERT_STRING_EQUAL(around.last_direction, "incoming");
	CU_ASSERT_PTR_NULL(around.last_host);
	tls_policy_refused(p, &callee, "a.example", &why);
	CU_ASSERT_STRING_EQUAL(around.last_direction, "outgoing");
	CU_ASSERT_STRING_EQUAL(around.last_host, "a.example");
	CU_ASSERT_STRING_EQUAL(around.last_record, "is not for a.example");
	for (int i = 0; i < 500; i++)
		tls_policy_refused(p, &peer, NULL, &why);
	before = around.records;
	CU_ASSERT(before < 100);
	/* Those of others are written down nevertheless. */
	tls_policy_refused(p, &web, NULL, &why);
	tls_policy_refused(p, &callee, "a.example", &why);
	CU_ASSERT_EQUAL(around.records, before + 2);
	policy_close(p);
}

static const struct unit_test tests[] = {
	{ "modes", test_modes },
	{ "what does not matter", test_what_does_not_matter },
	{ "trust", test_trust },
	{ "contexts that cannot be made", test_failing },
	{ "refusals", test_refusals },
	{ "kinds of refusals", test_kinds_of_refusals },
	{ "SIP", test_sip },
	{ "SIP with nobody trusted", test_sip_shut },
	{ "one identity", test_one_identity },
	{ "SIP contexts that cannot be made", test_sip_failing },
	{ "SIP refusals", test_sip_refusals },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "tls-policy", tests, NULL, NULL);
}
