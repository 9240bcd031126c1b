/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/tls_policy_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- stand-ins */

struct policy_world around;

static struct cert_list chain;

struct local_identity one, other;

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

struct world world;

static void sip_changed(void *arg)
{
	(void)arg;
	around.tellings++;
}

struct tls_policy *policy_open(void)
{
	struct error e = ERROR_INIT;
	struct tls_policy *p;

	memset(&around, 0, sizeof(around));
	world_list(&world, "D", &chain);
	one.chain = other.chain = chain;
	p = tls_policy_new(&around.settings, NULL, NULL, NULL, &e);
	CHECK_OBJECT(p, &e);
	tls_policy_set_front(p, (struct front *)&around);
	tls_policy_on_sip_change(p, sip_changed, NULL);
	return p;
}

void policy_close(struct tls_policy *p)
{
	tls_policy_free(p);
	for (int i = 0; i < PEER_VIA_COUNT; i++)
		tls_context_unref(around.posted[i]);
	for (int i = 0; i < TRUST_STORE_COUNT; i++)
		cert_list_free(&around.stores[i].certificates);
	cert_list_free(&chain);
	world_end(&world);
}

int present(const struct local_identity *l)
{
	struct error e = ERROR_INIT;

	return around.presenter.present(l, around.presenter.arg, &e);
}

void set_mode(enum certificate_mode mode)
{
	around.settings.mode = mode;
	around.on_settings(setting_bit(SETTING_CLIENT_CERTIFICATE),
			   around.on_settings_arg);
}

void set_store(enum trust_store_id id, const char *letters)
{
	struct trust_snapshot *s = &around.stores[id];

	cert_list_free(&s->certificates);
	world_list(&world, letters, &s->certificates);
	s->generation++;
	around.on_trust(id, s, around.on_trust_arg);
}

void set_trust(const char *letters)
{
	set_store(TRUST_HTTPS, letters);
}

struct tls_verdict verdict_of(const struct tls_context *c, const char *letters,
			      const char *host)
{
	struct tls_verdict verdict = { .accepted = true };
	struct cert_list sent;

	if (!c->verifier.verify)
		return verdict;
	world_list(&world, letters, &sent);
	c->verifier.verify(c->verifier.arg, &sent, host, &verdict);
	cert_list_free(&sent);
	return verdict;
}

bool lets_in(const char *letters)
{
	return verdict_of(around.posted[PEER_HTTPS], letters, NULL).accepted;
}

bool asks(void)
{
	return around.posted[PEER_HTTPS] &&
	       around.posted[PEER_HTTPS]->verifier.verify;
}
