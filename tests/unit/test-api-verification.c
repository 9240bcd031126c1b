/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/test_certs.h"
#include "tests/unit/api_fixture.h"

/* verification.test: the rules themselves are the judge's, with tests of its
 * own; here is what goes in, what comes out, and what the account adds. */

enum { SENT_MAX = 20, DAY = 86400 };

/* Root, Issuing below it, and what they issued, by letter. */
static char *pems[128];

static const struct test_key *key_of(char id)
{
	return test_key("ecP256", (unsigned)id);
}

static void make(char id, const char *subject, char issuer,
		 const char *issuer_name, struct test_cert_options o)
{
	o.subject = subject;
	o.key = key_of(id);
	o.issuer = issuer_name;
	o.issuer_key = issuer == id ? NULL : key_of(issuer);
	pems[(int)id] = test_cert_pem(&o);
}

#define PLAIN     ((struct test_cert_options){ .ca = false })
#define WITH(...) ((struct test_cert_options){ __VA_ARGS__ })

static int make_all(void)
{
	time_t now = time(NULL);

	make('R', "/CN=Root", 'R', NULL, WITH(.ca = true));
	make('I', "/CN=Issuing", 'R', "/CN=Root", WITH(.ca = true));
	make('S', "/CN=Stranger", 'S', NULL, WITH(.ca = true));
	make('A', "/CN=alice", 'I', "/CN=Issuing", PLAIN);
	make('N', "/CN=nobody", 'I', "/CN=Issuing", PLAIN);
	make('D', "/CN=dora", 'I', "/CN=Issuing", PLAIN);
	make('2', "/CN=alice/CN=bob", 'I', "/CN=Issuing", PLAIN);
	make('0', "/O=nameless", 'I', "/CN=Issuing", PLAIN);
	make('U', "/CN=alice", 'S', "/CN=Stranger", PLAIN);
	make('E', "/CN=alice", 'R', "/CN=Root",
	     WITH(.not_before = now - 9 * DAY, .not_after = now - DAY));
	make('F', "/CN=alice", 'R', "/CN=Root",
	     WITH(.not_before = now + DAY, .not_after = now + 9 * DAY));
	make('W', "/CN=alice", 'R', "/CN=Root",
	     WITH(.extended_usage = "serverAuth"));
	make('H', "/CN=host", 'R', "/CN=Root",
	     WITH(.alt_names = "DNS:host.example,IP:192.0.2.1",
		  .extended_usage = "serverAuth"));
	make('C', "/CN=host", 'R', "/CN=Root",
	     WITH(.alt_names = "DNS:host.example",
		  .extended_usage = "clientAuth"));
	make('B', "/CN=Broken <b>&amp;\"", 'S', "/CN=Stranger", PLAIN);
	return 0;
}

static char *pem_of(const char *letters)
{
	char *all = test_join("", NULL);

	for (; *letters; letters++) {
		char *more = test_join(all, pems[(int)*letters], NULL);

		free(all);
		all = more;
	}
	return all;
}

static struct value *text_param(const char *name, const char *text)
{
	struct value *s = value_new_struct();

	value_put_string(s, name, text);
	return s;
}

static void upload(const char *store, const char *letters)
{
	char *pem = pem_of(letters);
	struct value *s = text_param("certificates", pem);

	value_put_string(s, "trustStore", store);
	CU_ASSERT_EQUAL(fault_of(&door_local, "trustStore.upload", s, NULL), 0);
	free(pem);
}

static int set_up(void)
{
	return make_all() || api_device_open();
}

static int tear_down(void)
{
	for (size_t i = 0; i < sizeof(pems) / sizeof(*pems); i++)
		free(pems[i]);
	return api_device_close();
}

static void put_optional(struct value *s, const char *name, const char *text)
{
	if (text)
		value_put_string(s, name, text);
}

static struct value *question(const char *letters, const char *store,
			      const char *role, const char *host)
{
	char *pem = pem_of(letters);
	struct value *s = text_param("certificate", pem);

	put_optional(s, "trustStore", store);
	put_optional(s, "role", role);
	put_optional(s, "host", host);
	free(pem);
	return s;
}

struct row {
	const char *sent, *store, *role, *host;
	const char *path; /* common names, each with a "/" behind it */
	const char *reason_name, *words;
	const char *user, *user_words;
};

static void check_path(const struct value *chain, const char *wanted)
{
	char found[400] = "";

	for (size_t i = 0; i < value_count(chain); i++) {
		const struct value *c = value_item(chain, i);
		size_t n = strlen(found);

		snprintf(found + n, sizeof(found) - n, "%s/",
			 value_string(
			     value_member(value_member(c, "subject"), "cn")));
		CU_ASSERT_STRING_NOT_EQUAL(value_string(value_member(c, "pem")),
					   "");
	}
	CU_ASSERT_STRING_EQUAL(found, wanted);
}

static void check_words(const struct answer *a, const char *member,
			const char *words)
{
	if (!words)
		return;
	if (!strstr(text_of(a, member), words))
		unit_note("%s \"%s\", wanted \"%s\"", member,
			  text_of(a, member), words);
	CU_ASSERT_PTR_NOT_NULL(strstr(text_of(a, member), words));
}

static void check_row(const struct row *r, const char *verdict)
{
	struct answer a;

	call_by(&door_local, "verification.test",
		question(r->sent, r->store, r->role, r->host), &a);
	CU_ASSERT_EQUAL(a.response.fault_code, 0);
	if (strcmp(text_of(&a, "verdict"), verdict) != 0)
		unit_note("%s: %s %s", r->sent, text_of(&a, "verdict"),
			  text_of(&a, "reason"));
	CU_ASSERT_STRING_EQUAL(text_of(&a, "verdict"), verdict);
	CU_ASSERT_STRING_EQUAL(text_of(&a, "reasonName"), r->reason_name);
	check_words(&a, "reason", r->words);
	if (r->path)
		check_path(value_member(a.response.result, "chain"), r->path);
	CU_ASSERT_STRING_EQUAL(text_of(&a, "userName"), r->user ? r->user : "");
	check_words(&a, "userReason", r->user_words);
	CU_ASSERT_EQUAL(text_of(&a, "userReason")[0] == '\0', r->user != NULL);
	answer_free(&a);
}

static void make_accounts(void)
{
	struct error e = ERROR_INIT;
	bool yes = true;
	struct user_change off = { .disabled = &yes };

	make_user("alice", PRIVILEGE_FULL_CONTROL);
	make_user("dora", PRIVILEGE_FULL_CONTROL);
	CHECK_OK(
	    users_modify(device.services.users, "dora", &off, time(NULL), &e),
	    &e);
	upload("https", "R");
	upload("sip", "S");
}

static void test_accepted(void)
{
	static const struct row rows[] = {
		{ "AI", NULL, NULL, NULL, "alice/Issuing/Root/", "accepted",
		  "CN=Root in the HTTPS trust store", "alice", NULL },
		{ "AI", "https", "client", "passed.over", "alice/Issuing/Root/",
		  "accepted", NULL, "alice", NULL },
		/* behind the leaf any order, and strangers */
		{ "ASRI", NULL, NULL, NULL, "alice/Issuing/Root/", "accepted",
		  NULL, "alice", NULL },
		{ "NI", NULL, NULL, NULL, "nobody/Issuing/Root/", "accepted",
		  NULL, NULL, "no user is named \"nobody\"" },
		{ "DI", NULL, NULL, NULL, "dora/Issuing/Root/", "accepted",
		  NULL, NULL, "user \"dora\": " },
		{ "2I", NULL, NULL, NULL, NULL, "accepted", NULL, NULL,
		  "common name" },
		{ "0I", NULL, NULL, NULL, NULL, "accepted", NULL, NULL,
		  "common name" },
		{ "U", "sip", NULL, NULL, "alice/Stranger/", "accepted",
		  "in the SIP trust store", NULL, "HTTPS trust store" },
		{ "H", NULL, "server", "host.example", "host/Root/", "accepted",
		  NULL, NULL, "servers do not log in" },
		{ "H", NULL, "server", "192.0.2.1", "host/Root/", "accepted",
		  NULL, NULL, "servers" },
		{ "R", NULL, NULL, NULL, NULL, "accepted", NULL, NULL,
		  "\"Root\"" },
	};

	make_accounts();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check_row(&rows[i], "accepted");
}

static void test_refused(void)
{
	static const struct row rows[] = {
		{ "A", NULL, NULL, NULL, "alice/", "unknownAuthority",
		  "CN=alice", NULL, "refused" },
		{ "U", NULL, NULL, NULL, NULL, "unknownAuthority", "CN=alice",
		  NULL, "refused" },
		{ "B", NULL, NULL, NULL, NULL, "unknownAuthority",
		  "CN=Broken \\<b\\>", NULL, "refused" },
		{ "AI", "sip", NULL, NULL, NULL, "unknownAuthority", NULL, NULL,
		  "HTTPS trust store" },
		{ "E", NULL, NULL, NULL, NULL, "expired", "CN=alice", NULL,
		  "refused" },
		{ "F", NULL, NULL, NULL, NULL, "notYetValid", "CN=alice", NULL,
		  "refused" },
		{ "W", NULL, NULL, NULL, NULL, "wrongUse", "CN=alice", NULL,
		  "refused" },
		{ "C", NULL, "server", "host.example", NULL, "wrongUse", NULL,
		  NULL, "servers" },
		{ "H", NULL, "server", "other.example", NULL, "wrongHost",
		  "other.example", NULL, "servers" },
		{ "H", NULL, "server", "192.0.2.2", NULL, "wrongHost", NULL,
		  NULL, "servers" },
		/* an authority in front is the one that is tested */
		{ "IA", "sip", NULL, NULL, NULL, "unknownAuthority",
		  "CN=Issuing", NULL, "HTTPS" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check_row(&rows[i], "refused");
}

/* More than a peer may send: judged like that, not read as a bundle. */
static void test_seventeen(void)
{
	struct row r = { .reason_name = "tooMany",
			 .words = "16",
			 .user_words = "refused" };
	char letters[SENT_MAX + 1] = "";

	for (int i = 0; i < 17; i++) {
		char subject[32];

		letters[i] = (char)('a' + i);
		snprintf(subject, sizeof(subject), "/CN=crowd %d", i);
		make(letters[i], subject, letters[i], NULL, PLAIN);
	}
	r.sent = letters;
	check_row(&r, "refused");
}

/* A fault, not a verdict. */
static void test_faults(void)
{
	static const char key[] = "-----BEGIN PRIVATE KEY-----\nAAAA\n"
				  "-----END PRIVATE KEY-----\n";
	static const char broken[] = "-----BEGIN CERTIFICATE-----\nA!AA\n"
				     "-----END CERTIFICATE-----\n";
	const struct {
		const char *front, *behind; /* of a good certificate */
		const char *store, *role, *host;
		int code;
		const char *words;
	} rows[] = {
		{ "", broken, NULL, NULL, NULL, 1001,
		  "certificate 2 of 2 (line " },
		{ broken, "", NULL, NULL, NULL, 1001,
		  "certificate 1 of 2 (line 1): not valid base64 at line 2" },
		{ "", key, NULL, NULL, NULL, 1001, "private key" },
		{ "-----BEGIN CERTIFICATE-----\nAAAA\n", NULL, NULL, NULL, NULL,
		  1001, "certificate 1 of 1 (line 1)" },
		{ "nothing", NULL, NULL, NULL, NULL, 1001, "no certificate" },
		{ "", NULL, NULL, NULL, NULL, 1001, "it is empty" },
		{ "", "", "feedback", NULL, NULL, 102, "trustStore" },
		{ "", "", NULL, "peer", NULL, 102, "role" },
		{ "", "", NULL, "server", NULL, 102, "host" },
		{ "", "", NULL, "server", "", 102, "host" },
		{ "", "", NULL, "server", "no host", 102, "host" },
		{ "", "", NULL, "server", "https://host.example/", 102,
		  "host" },
		{ "", "", NULL, "server", "*.example", 102, "host" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *pem =
		    test_join(rows[i].front, rows[i].behind ? pems['A'] : "",
			      rows[i].behind ? rows[i].behind : "", NULL);
		struct value *s = text_param("certificate", pem);

		put_optional(s, "trustStore", rows[i].store);
		put_optional(s, "role", rows[i].role);
		put_optional(s, "host", rows[i].host);
		CU_ASSERT_EQUAL(fault_of(&door_local, "verification.test", s,
					 rows[i].words),
				rows[i].code);
		free(pem);
	}
	CU_ASSERT_EQUAL(
	    fault_of(&door_local, "verification.test", NULL, "certificate"),
	    101);
}

/* At the limit of a parameter, and beyond: refused without long work. */
static void test_huge(void)
{
	enum { CHARS = 3 * 1024 * 1024 };
	char *text = malloc(CHARS + 2);
	struct value *s;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	memset(text, 'A', CHARS + 1);
	text[CHARS + 1] = '\0';
	s = text_param("certificate", text);
	CU_ASSERT_EQUAL(
	    fault_of(&door_local, "verification.test", s, "certificate"), 102);
	text[CHARS] = '\0';
	memcpy(text, "-----BEGIN CERTIFICATE-----\n", 28);
	s = text_param("certificate", text);
	CU_ASSERT_EQUAL(fault_of(&door_local, "verification.test", s,
				 "certificate 1 of 1 (line 1)"),
			1001);
	free(text);
}

static void test_rights(void)
{
	const struct door nobody = { .via = PEER_HTTPS };
	const struct door user = { .via = PEER_HTTPS,
				   .user = "alice",
				   .password = "Right pass 1" };

	CU_ASSERT_EQUAL(fault_of(&nobody, "verification.test",
				 question("AI", NULL, NULL, NULL), NULL),
			14);
	CU_ASSERT_EQUAL(fault_of(&user, "verification.test",
				 question("AI", NULL, NULL, NULL), NULL),
			15);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "accepted", test_accepted },
		{ "refused", test_refused },
		{ "seventeen certificates", test_seventeen },
		{ "faults", test_faults },
		{ "huge", test_huge },
		{ "rights", test_rights },
		{ 0 },
	};

	return unit_main(argc, argv, "verification.test", tests, set_up,
			 tear_down);
}
