/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/tls_contexts.h"

#include <stdlib.h>

#include "auth/certificate_mode.h"

enum {
	TICKET_LIFETIME_S = 3600 /* resumption after a longer pause is full */
};

/* In the order of the choices of verification.sip. */
enum sip_check { SIP_NOBODY, SIP_CALLEES, SIP_ALL };

/* A trust store made ready, of the snapshot with that generation. */
struct anchors {
	struct judge_store *store;
	uint64_t generation;
};

struct tls_contexts {
	struct settings *settings;
	struct trust *trust;
	/* Each use has its own: who resumes comes back by the same way. */
	struct ticket_keys *tickets[TLS_USE_COUNT];
	struct anchors anchors[TRUST_STORE_COUNT];
};

/* --- what is decided */

static bool https_verifies(struct settings *s)
{
	return certificate_mode_in_force(s) != CERTIFICATE_NOT_REQUIRED;
}

static bool callers_are_verified(struct settings *s)
{
	return settings_choice(s, SETTING_SIP_VERIFICATION) == SIP_ALL;
}

static bool callees_are_verified(struct settings *s)
{
	return settings_choice(s, SETTING_SIP_VERIFICATION) != SIP_NOBODY;
}

/* anchors are NULL when the store was not read yet. */
static struct tls_verifier https_verifier(const struct judge_store *anchors)
{
	return tls_client_verifier(anchors);
}

static struct tls_verifier caller_verifier(const struct judge_store *anchors)
{
	return tls_sip_caller_verifier(anchors);
}

static struct tls_verifier callee_verifier(const struct judge_store *anchors)
{
	return tls_sip_callee_verifier(TLS_SERVER_VERIFY, anchors);
}

enum { USE_SETTINGS_MAX = 2 };

static const struct use {
	enum trust_store_id store;
	enum setting_id settings[USE_SETTINGS_MAX]; /* that matter */
	size_t setting_count;
	bool (*verifies)(struct settings *s);
	struct tls_verifier (*verifier)(const struct judge_store *anchors);
	bool outgoing;
} uses[TLS_USE_COUNT] = {
	[TLS_FOR_HTTPS] = { TRUST_HTTPS,
			    { SETTING_CLIENT_CERTIFICATE },
			    1,
			    https_verifies,
			    https_verifier,
			    false },
	[TLS_FOR_SIP_IN] = { TRUST_SIP,
			     { SETTING_SIP_VERIFICATION },
			     1,
			     callers_are_verified,
			     caller_verifier,
			     false },
	[TLS_FOR_SIP_OUT] = { TRUST_SIP,
			      { SETTING_SIP_VERIFICATION,
				SETTING_SIP_USE_LOCAL_CERTIFICATE },
			      2,
			      callees_are_verified,
			      callee_verifier,
			      true },
};

bool tls_contexts_verifies(struct tls_contexts *c, enum tls_use use)
{
	return uses[use].verifies(c->settings);
}

unsigned tls_contexts_by_settings(uint64_t changed)
{
	unsigned bits = 0;

	if (changed & setting_bit(SETTING_TLS_MINIMUM_VERSION))
		return TLS_ALL_USES;
	for (int i = 0; i < TLS_USE_COUNT; i++)
		for (size_t k = 0; k < uses[i].setting_count; k++)
			if (changed & setting_bit(uses[i].settings[k]))
				bits |= 1u << i;
	return bits;
}

unsigned tls_contexts_by_trust(struct tls_contexts *c, enum trust_store_id id)
{
	unsigned bits = 0;

	for (int i = 0; i < TLS_USE_COUNT; i++)
		if (uses[i].store == id &&
		    tls_contexts_verifies(c, (enum tls_use)i))
			bits |= 1u << i;
	return bits;
}

/* --- how it is made */

/* The store made ready, once for each of its snapshots, in *out with
 * a reference; NULL while it was not read. */
static int anchors_now(struct tls_contexts *c, enum trust_store_id id,
		       struct judge_store **out, struct error *e)
{
	struct trust_snapshot *s = trust_snapshot(c->trust, id);
	struct anchors *a = &c->anchors[id];
	struct judge_store *made = a->store;

	*out = NULL;
	if (!s)
		return 0;
	if (!made || a->generation != s->generation) {
		made = judge_store_new(&s->certificates, e);
		if (made) {
			judge_store_unref(a->store);
			a->store = made;
			a->generation = s->generation;
		}
	}
	trust_snapshot_unref(s);
	*out = made ? judge_store_ref(made) : NULL;
	return made ? 0 : -1;
}

bool tls_contexts_sip_is_shut(struct tls_contexts *c)
{
	struct trust_snapshot *s = trust_snapshot(c->trust, TRUST_SIP);
	bool empty = s && s->certificates.count == 0;

	trust_snapshot_unref(s);
	return empty && callees_are_verified(c->settings);
}

static enum tls_version minimum(struct tls_contexts *c)
{
	return settings_choice(c->settings, SETTING_TLS_MINIMUM_VERSION) == 0
		   ? TLS_1_2
		   : TLS_1_3;
}

static struct tls_context *make_server(struct tls_contexts *c, enum tls_use use,
				       const struct local_identity *l,
				       const struct tls_verifier *verifier,
				       struct error *e)
{
	const struct tls_server_options o = {
		.identity = l,
		.minimum = minimum(c),
		.tickets = c->tickets[use],
		.ticket_lifetime_s = TICKET_LIFETIME_S,
		.verifier = verifier,
	};

	return tls_server_new(&o, e);
}

static struct tls_context *make_client(struct tls_contexts *c,
				       const struct local_identity *l,
				       const struct tls_verifier *verifier,
				       struct error *e)
{
	const struct tls_client_options o = {
		.identity = settings_bool(c->settings,
					  SETTING_SIP_USE_LOCAL_CERTIFICATE)
				? l
				: NULL,
		.minimum = minimum(c),
		.verifier = verifier,
	};

	return tls_client_new(&o, e);
}

struct tls_context *tls_contexts_make(struct tls_contexts *c, enum tls_use use,
				      const struct local_identity *l,
				      struct error *e)
{
	const struct use *u = &uses[use];
	bool verifies = u->verifies(c->settings);
	struct judge_store *anchors = NULL;
	struct tls_verifier verifier;

	if (verifies && anchors_now(c, u->store, &anchors, e) < 0)
		return NULL;
	if (verifies)
		verifier = u->verifier(anchors);
	else if (u->outgoing)
		verifier = tls_sip_callee_verifier(TLS_SERVER_ANY, NULL);
	judge_store_unref(anchors);
	if (u->outgoing)
		return make_client(c, l, &verifier, e);
	return make_server(c, use, l, verifies ? &verifier : NULL, e);
}

void tls_contexts_end_tickets(struct tls_contexts *c, enum tls_use use)
{
	if (c->tickets[use])
		ticket_keys_rotate(c->tickets[use]);
}

/* --- the whole */

struct tls_contexts *tls_contexts_new(struct settings *settings,
				      struct trust *trust, struct error *e)
{
	struct tls_contexts *c = calloc(1, sizeof(*c));

	if (!c) {
		error_nomem(e);
		return NULL;
	}
	c->settings = settings;
	c->trust = trust;
	for (int i = 0; i < TLS_USE_COUNT; i++) {
		if (uses[i].outgoing)
			continue;
		c->tickets[i] = ticket_keys_new(e);
		if (!c->tickets[i]) {
			tls_contexts_free(c);
			return NULL;
		}
	}
	return c;
}

void tls_contexts_free(struct tls_contexts *c)
{
	if (!c)
		return;
	for (int i = 0; i < TLS_USE_COUNT; i++)
		ticket_keys_free(c->tickets[i]);
	for (int i = 0; i < TRUST_STORE_COUNT; i++)
		judge_store_unref(c->anchors[i].store);
	free(c);
}
