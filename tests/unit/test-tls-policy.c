/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/tls_policy.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/unit.h"
#include "tests/unit/judge_fixture.h"

/* The policy between stand-ins for everything around it: which context it makes
 * when, and what happens when it cannot. */

/* --- stand-ins */

struct tls_context {
	struct tls_verifier verifier;
	enum tls_version minimum;
};

struct settings {
	int mode, minimum;
};

static struct {
	struct settings settings;
	struct trust_snapshot https; /* generation 0: not read yet */
	bool failing;                /* contexts cannot be made */
	/* What the policy has registered. */
	struct identity_presenter presenter;
	settings_listener_fn *on_settings;
	void (*on_trust)(enum trust_store_id, const struct trust_snapshot *,
			 void *);
	void *on_settings_arg, *on_trust_arg;
	/* What it did. */
	struct tls_context *posted; /* the last one */
	unsigned posts, rotations, records;
	char last_record[256];
	enum audit_event last_event;
} around;

static struct cert_list chain;
static struct local_identity one, other;

int settings_choice(struct settings *s, enum setting_id id)
{
	CU_ASSERT_EQUAL(id, SETTING_TLS_MINIMUM_VERSION);
	return s->minimum;
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
	CU_ASSERT_EQUAL(id, TRUST_HTTPS);
	return around.https.generation ? &around.https : NULL;
}

void trust_snapshot_unref(struct trust_snapshot *s)
{
	CU_ASSERT_PTR_EQUAL(s, &around.https);
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
	return (struct ticket_keys *)&around;
}

void ticket_keys_free(struct ticket_keys *k)
{
	(void)k;
}

void ticket_keys_rotate(struct ticket_keys *k)
{
	(void)k;
	around.rotations++;
}

static void end_verifier(const struct tls_verifier *v)
{
	if (v->release)
		v->release(v->arg);
}

struct tls_context *tls_server_new(const struct tls_server_options *o,
				   struct error *e)
{
	struct tls_context *c;

	if (around.failing) {
		if (o->verifier)
			end_verifier(o->verifier);
		error_set(e, ERR_TLS, "a stand-in refuses");
		return NULL;
	}
	c = calloc(1, sizeof(*c));
	if (o->verifier)
		c->verifier = *o->verifier;
	c->minimum = o->minimum;
	return c;
}

void tls_context_unref(struct tls_context *c)
{
	if (c)
		end_verifier(&c->verifier);
	free(c);
}

void front_post_tls(struct front *f, enum peer_via via, struct tls_context *c)
{
	CU_ASSERT_EQUAL(via, PEER_HTTPS);
	CU_ASSERT_PTR_EQUAL(f, (struct front *)&around);
	tls_context_unref(around.posted);
	around.posted = c;
	around.posts++;
}

const char *audit_number(int64_t n, char out[AUDIT_NUMBER_SIZE])
{
	snprintf(out, AUDIT_NUMBER_SIZE, "%d", (int)n);
	return out;
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
	return p;
}

static void policy_close(struct tls_policy *p)
{
	tls_policy_free(p);
	tls_context_unref(around.posted);
	cert_list_free(&around.https.certificates);
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

static void set_trust(const char *letters)
{
	cert_list_free(&around.https.certificates);
	world_list(&w, letters, &around.https.certificates);
	around.https.generation++;
	around.on_trust(TRUST_HTTPS, &around.https, around.on_trust_arg);
}

/* Whether the context in force would let these in. */
static bool lets_in(const char *letters)
{
	const struct tls_verifier *v = &around.posted->verifier;
	struct tls_verdict verdict = { 0 };
	struct cert_list sent;

	if (!v->verify)
		return true;
	world_list(&w, letters, &sent);
	v->verify(v->arg, &sent, NULL, &verdict);
	cert_list_free(&sent);
	return verdict.accepted;
}

static bool asks(void)
{
	return around.posted && around.posted->verifier.verify;
}

/* --- */

static void test_modes(void)
{
	struct tls_policy *p = policy_open();

	/* Nothing to present yet: nothing to make. */
	set_mode(CERTIFICATE_NOT_REQUIRED);
	CU_ASSERT_EQUAL(around.posts, 0);
	CU_ASSERT_EQUAL(present(&one), 0);
	CU_ASSERT_EQUAL(around.posts, 1);
	CU_ASSERT_FALSE(asks());
	for (int mode = CERTIFICATE_VERIFY; mode < CERTIFICATE_MODE_COUNT;
	     mode++) {
		unsigned rotations = around.rotations;

		set_mode(CERTIFICATE_NOT_REQUIRED);
		CU_ASSERT_FALSE(asks());
		set_mode((enum certificate_mode)mode);
		CU_ASSERT_TRUE(asks());
		CU_ASSERT_EQUAL(around.rotations, rotations + 2);
	}
	CU_ASSERT_EQUAL(around.rotations, around.posts);
	around.settings.minimum = 1;
	around.on_settings(setting_bit(SETTING_TLS_MINIMUM_VERSION),
			   around.on_settings_arg);
	CU_ASSERT_EQUAL(around.posted->minimum, TLS_1_3);
	CU_ASSERT_EQUAL(present(&other), 0);
	CU_ASSERT_TRUE(asks());
	policy_close(p);
}

static void test_what_does_not_matter(void)
{
	struct tls_policy *p = policy_open();

	CU_ASSERT_EQUAL(present(&one), 0);
	around.on_settings(~(setting_bit(SETTING_CLIENT_CERTIFICATE) |
			     setting_bit(SETTING_TLS_MINIMUM_VERSION)),
			   around.on_settings_arg);
	set_trust("D"); /* nobody is asked for a certificate */
	CU_ASSERT_EQUAL(around.posts, 1);
	set_mode(CERTIFICATE_VERIFY);
	CU_ASSERT_EQUAL(around.posts, 2);
	around.on_trust(TRUST_SIP, &around.https, around.on_trust_arg);
	around.on_trust(TRUST_CALL_HOME, &around.https, around.on_trust_arg);
	tls_policy_housekeeping(p);
	CU_ASSERT_EQUAL(around.posts, 2);
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
	CU_ASSERT_EQUAL(around.posts, 3);
	CU_ASSERT_TRUE(lets_in("D"));
	CU_ASSERT_FALSE(lets_in("O"));
	/* Made ready once for each content. */
	anchors = around.posted->verifier.arg;
	set_mode(CERTIFICATE_REQUIRED);
	CU_ASSERT_EQUAL(present(&other), 0);
	CU_ASSERT_PTR_EQUAL(around.posted->verifier.arg, anchors);
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
	CU_ASSERT_EQUAL(around.posts, 1);
	/* Nobody is asked, before and after: the old context stays. */
	around.on_settings(setting_bit(SETTING_TLS_MINIMUM_VERSION),
			   around.on_settings_arg);
	CU_ASSERT_PTR_NOT_NULL(around.posted);
	/* Everybody is to be asked: nobody comes in. */
	set_mode(CERTIFICATE_VERIFY);
	CU_ASSERT_EQUAL(around.posts, 2);
	CU_ASSERT_PTR_NULL(around.posted);
	tls_policy_housekeeping(p);
	CU_ASSERT_PTR_NULL(around.posted);
	around.failing = false;
	tls_policy_housekeeping(p);
	CU_ASSERT_TRUE(asks());
	policy_close(p);
}

static void test_refusals(void)
{
	const struct peer peer = { .address = "192.0.2.1" };
	struct tls_verdict why = { .reason = "expired",
				   .text = "expired on a day",
				   .names = { "CN=eve", "CN=nobody", "2a" } };
	struct tls_policy *p = policy_open();

	tls_policy_refused(p, &peer, &why);
	CU_ASSERT_EQUAL(around.records, 1);
	CU_ASSERT_STRING_EQUAL(around.last_record, "expired on a day");
	CU_ASSERT_EQUAL(around.last_event, AUDIT_CERTIFICATE_EXPIRED);
	for (int i = 0; i < 500; i++)
		tls_policy_refused(p, &peer, &why);
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
	const struct peer peer = { .address = "192.0.2.1" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct tls_verdict why = {
			.reason = judge_reason_name(rows[i].cause),
			.names = { "CN=eve", "CN=nobody", "2a" },
		};
		struct tls_policy *p = policy_open();

		tls_policy_refused(p, &peer, &why);
		CU_ASSERT_EQUAL(around.last_event, rows[i].event);
		policy_close(p);
	}
}

static const struct unit_test tests[] = {
	{ "modes", test_modes },
	{ "what does not matter", test_what_does_not_matter },
	{ "trust", test_trust },
	{ "contexts that cannot be made", test_failing },
	{ "refusals", test_refusals },
	{ "kinds of refusals", test_kinds_of_refusals },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "tls-policy", tests, NULL, NULL);
}
