/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/tls_policy.h"

#include <stdlib.h>
#include <string.h>

#include "auth/certificate_mode.h"
#include "tests/lib/unit.h"
#include "tests/unit/judge_fixture.h"

/* The policy between stand-ins for everything around it: which context it makes
 * when, and what happens when it cannot. */

/* --- stand-ins */

struct tls_context {
	unsigned refs;
	struct tls_verifier verifier;
	enum tls_version minimum;
	const struct local_identity *identity;
	struct ticket_keys *tickets;
};

struct settings {
	int mode, minimum, sip;
	bool no_local; /* certificate for servers */
};

struct ticket_keys {
	unsigned rotations;
};

static struct {
	struct settings settings;
	/* generation 0: not read yet */
	struct trust_snapshot stores[TRUST_STORE_COUNT];
	bool failing, failing_client; /* contexts cannot be made */
	/* What the policy has registered. */
	struct identity_presenter presenter;
	settings_listener_fn *on_settings;
	void (*on_trust)(enum trust_store_id, const struct trust_snapshot *,
			 void *);
	void *on_settings_arg, *on_trust_arg;
	/* What it did. */
	struct tls_context *posted[PEER_VIA_COUNT]; /* the last ones */
	unsigned posts[PEER_VIA_COUNT], records, tellings;
	struct ticket_keys keys[4];
	unsigned keys_made;
	char last_record[256], last_module[8];
	const char *last_direction, *last_host;
	enum audit_event last_event;
} around;

static struct cert_list chain;
static struct local_identity one, other;

int settings_choice(struct settings *s, enum setting_id id)
{
	if (id == SETTING_SIP_VERIFICATION)
		return s->sip;
	CU_ASSERT_EQUAL(id, SETTING_TLS_MINIMUM_VERSION);
	return s->minimum;
}

bool settings_bool(struct settings *s, enum setting_id id)
{
	CU_ASSERT_EQUAL(id, SETTING_SIP_USE_LOCAL_CERTIFICATE);
	return !s->no_local;
}

enum certificate_mode certificate_mode_in_force(struct settings *s)
{
	return (enum certificate_mode)s->mode;
}

void settings_on_change(struct settings *s, settings_listener_fn *fn, void *arg)
{
	(void)s;
	around.on_settings = fn;
	around.on_settings_arg = arg;
}

void trust_on_change(struct trust *t,
		     void (*fn)(enum trust_store_id id,
				const struct trust_snapshot *s, void *arg),
		     void *arg)
{
	(void)t;
	around.on_trust = fn;
	around.on_trust_arg = arg;
}

struct trust_snapshot *trust_snapshot(struct trust *t, enum trust_store_id id)
{
	(void)t;
	return around.stores[id].generation ? &around.stores[id] : NULL;
}

void trust_snapshot_unref(struct trust_snapshot *s)
{
	CU_ASSERT(!s || s == &around.stores[TRUST_HTTPS] ||
		  s == &around.stores[TRUST_SIP]);
}

void identity_set_presenter(struct identity *id,
			    const struct identity_presenter *presenter)
{
	(void)id;
	around.presenter = *presenter;
}

struct local_identity *local_identity_ref(const struct local_identity *l)
{
	return l == &one ? &one : &other;
}

void local_identity_unref(struct local_identity *l)
{
	(void)l;
}

struct ticket_keys *ticket_keys_new(struct error *e)
{
	(void)e;
	return &around.keys[around.keys_made++];
}

void ticket_keys_free(struct ticket_keys *k)
{
	(void)k;
}

void ticket_keys_rotate(struct ticket_keys *k)
{
	k->rotations++;
}

static void end_verifier(const struct tls_verifier *v)
{
	if (v->release)
		v->release(v->arg);
}

static struct tls_context *make(bool failing,
				const struct local_identity *identity,
				enum tls_version minimum,
				const struct tls_verifier *verifier,
				struct error *e)
{
	struct tls_context *c;

	if (failing) {
		if (verifier)
			end_verifier(verifier);
		error_set(e, ERR_TLS, "a stand-in refuses");
		return NULL;
	}
	c = calloc(1, sizeof(*c));
	c->refs = 1;
	if (verifier)
		c->verifier = *verifier;
	c->minimum = minimum;
	c->identity = identity;
	return c;
}

struct tls_context *tls_server_new(const struct tls_server_options *o,
				   struct error *e)
{
	struct tls_context *c =
	    make(around.failing, o->identity, o->minimum, o->verifier, e);

	if (c)
		c->tickets = o->tickets;
	return c;
}

struct tls_context *tls_client_new(const struct tls_client_options *o,
				   struct error *e)
{
	return make(around.failing || around.failing_client, o->identity,
		    o->minimum, o->verifier, e);
}

struct tls_context *tls_context_ref(struct tls_context *c)
{
	c->refs++;
	return c;
}

void tls_context_unref(struct tls_context *c)
{
	if (!c || --c->refs > 0)
		return;
	end_verifier(&c->verifier);
	free(c);
}

void front_post_tls(struct front *f, enum peer_via via, struct tls_context *c)
{
	CU_ASSERT(via == PEER_HTTPS || via == PEER_STREAM);
	CU_ASSERT_PTR_EQUAL(f, (struct front *)&around);
	tls_context_unref(around.posted[via]);
	around.posted[via] = c;
	around.posts[via]++;
}

const char *audit_number(int64_t n, char out[AUDIT_NUMBER_SIZE])
{
	snprintf(out, AUDIT_NUMBER_SIZE, "%d", (int)n);
	return out;
}

static void record_sip(const char *const *what)
{
	const struct audit_values_SIP_PEER_REFUSED *values = (const void *)what;

	snprintf(around.last_record, sizeof(around.last_record), "%s",
		 values->reason);
	around.last_direction = values->direction;
	around.last_host = values->host;
	CU_ASSERT(!values->subject || !strcmp(values->subject, "CN=eve"));
	CU_ASSERT(!values->issuer || !strcmp(values->issuer, "CN=nobody"));
	CU_ASSERT(!values->serialNumber || !strcmp(values->serialNumber, "2a"));
	around.records++;
}

int audit_append(struct audit *a, struct audit_what what,
		 const struct audit_actor *actor, struct error *e)
{
	const struct audit_values_CERTIFICATE_REFUSED *values =
	    (const void *)what.values;

	(void)a;
	(void)e;
	around.last_event = what.event;
	CU_ASSERT_STRING_EQUAL(actor->peer, "192.0.2.1");
	snprintf(around.last_module, sizeof(around.last_module), "%s",
		 actor->module);
	if (what.event == AUDIT_SIP_PEER_REFUSED) {
		record_sip(what.values);
		return 0;
	}
	snprintf(around.last_record, sizeof(around.last_record), "%s",
		 values->reason);
	CU_ASSERT(!values->serialNumber || !strcmp(values->serialNumber, "2a"));
	CU_ASSERT(!values->subject || !strcmp(values->subject, "CN=eve"));
	CU_ASSERT(!values->issuer || !strcmp(values->issuer, "CN=nobody"));
	around.records++;
	return 0;
}

/* --- a policy with its world */

static struct world w;

static void sip_changed(void *arg)
{
	(void)arg;
	around.tellings++;
}

static struct tls_policy *policy_open(void)
{
	struct error e = ERROR_INIT;
	struct tls_policy *p;

	memset(&around, 0, sizeof(around));
	world_list(&w, "D", &chain);
	one.chain = other.chain = chain;
	p = tls_policy_new(&around.settings, NULL, NULL, NULL, &e);
	CHECK_OBJECT(p, &e);
	tls_policy_set_front(p, (struct front *)&around);
	tls_policy_on_sip_change(p, sip_changed, NULL);
	return p;
}

static void policy_close(struct tls_policy *p)
{
	tls_policy_free(p);
	for (int i = 0; i < PEER_VIA_COUNT; i++)
		tls_context_unref(around.posted[i]);
	for (int i = 0; i < TRUST_STORE_COUNT; i++)
		cert_list_free(&around.stores[i].certificates);
	cert_list_free(&chain);
	world_end(&w);
}

static int present(const struct local_identity *l)
{
	struct error e = ERROR_INIT;

	return around.presenter.present(l, around.presenter.arg, &e);
}

static void set_mode(enum certificate_mode mode)
{
	around.settings.mode = mode;
	around.on_settings(setting_bit(SETTING_CLIENT_CERTIFICATE),
			   around.on_settings_arg);
}

static void set_store(enum trust_store_id id, const char *letters)
{
	struct trust_snapshot *s = &around.stores[id];

	cert_list_free(&s->certificates);
	world_list(&w, letters, &s->certificates);
	s->generation++;
	around.on_trust(id, s, around.on_trust_arg);
}

static void set_trust(const char *letters)
{
	set_store(TRUST_HTTPS, letters);
}

/* Whether the context would let these in. */
static struct tls_verdict verdict_of(const struct tls_context *c,
				     const char *letters, const char *host)
{
	struct tls_verdict verdict = { .accepted = true };
	struct cert_list sent;

	if (!c->verifier.verify)
		return verdict;
	world_list(&w, letters, &sent);
	c->verifier.verify(c->verifier.arg, &sent, host, &verdict);
	cert_list_free(&sent);
	return verdict;
}

static bool lets_in(const char *letters)
{
	return verdict_of(around.posted[PEER_HTTPS], letters, NULL).accepted;
}

static bool asks(void)
{
	return around.posted[PEER_HTTPS] &&
	       around.posted[PEER_HTTPS]->verifier.verify;
}

/* --- */

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

	w.changes = parts;
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
	w.changes = NULL;
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
