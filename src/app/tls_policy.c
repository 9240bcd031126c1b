/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/tls_policy.h"

#include <pthread.h>
#include <stdlib.h>

#include "app/tls_contexts.h"
#include "app/tls_refusals.h"
#include "base/log.h"

struct tls_policy {
	struct front *front;
	struct tls_refusals refusals;
	void (*sip_changed)(void *arg);
	void *sip_changed_arg;

	/* Held while contexts are made, so that the last ones that are handed
	 * on are from the newest state. */
	pthread_mutex_t lock;
	struct tls_contexts *contexts;
	struct local_identity *presented;
	unsigned failed; /* uses to be tried again */
	struct tls_context *sip_client;
	unsigned sip_changes;
	bool sip_was_shut;
};

/* --- contexts ------------------------------------------------------------- */

/* Takes the context, NULL: nobody comes through. Locked. */
static void put(struct tls_policy *p, enum tls_use use, struct tls_context *c)
{
	tls_contexts_end_tickets(p->contexts, use);
	if (use == TLS_FOR_SIP_OUT) {
		tls_context_unref(p->sip_client);
		p->sip_client = c;
	} else {
		front_post_tls(p->front,
			       use == TLS_FOR_HTTPS ? PEER_HTTPS : PEER_STREAM,
			       c);
	}
}

static void tell_when_shut(struct tls_policy *p)
{
	bool shut = tls_contexts_sip_is_shut(p->contexts);

	if (shut && !p->sip_was_shut)
		log_warning("tls",
			    "the certificates of SIP peers are verified, and "
			    "the SIP trust store is empty: no call over TLS "
			    "comes about until certificates are uploaded");
	p->sip_was_shut = shut;
}

/* After the lock. */
static void tell_sip(struct tls_policy *p, unsigned uses)
{
	if (uses & TLS_SIP_USES && p->sip_changed)
		p->sip_changed(p->sip_changed_arg);
}

static void remake(struct tls_policy *p, enum tls_use use)
{
	struct error e = ERROR_INIT;
	struct tls_context *context =
	    tls_contexts_make(p->contexts, use, p->presented, &e);
	unsigned bit = 1u << use;

	p->failed = context ? p->failed & ~bit : p->failed | bit;
	if (context || tls_contexts_verifies(p->contexts, use))
		put(p, use, context);
	if (!context)
		log_failure(LOG_LEVEL_ERROR, "tls", &e);
}

/* Something has changed that the contexts in force do not know. */
static void apply(struct tls_policy *p, unsigned uses)
{
	bool ready;

	if (!uses)
		return;
	pthread_mutex_lock(&p->lock);
	ready = p->front && p->presented;
	for (int i = 0; ready && i < TLS_USE_COUNT; i++)
		if (uses & (1u << i))
			remake(p, (enum tls_use)i);
	if (ready && uses & TLS_SIP_USES) {
		p->sip_changes++;
		tell_when_shut(p);
	}
	pthread_mutex_unlock(&p->lock);
	if (ready)
		tell_sip(p, uses);
}

/* --- who tells us --------------------------------------------------------- */

static void forget(struct tls_context *made[TLS_USE_COUNT])
{
	for (int i = 0; i < TLS_USE_COUNT; i++)
		tls_context_unref(made[i]);
}

/* All of them, or none. Locked. */
static int make_all(struct tls_policy *p, const struct local_identity *l,
		    struct tls_context *made[TLS_USE_COUNT], struct error *e)
{
	for (int i = 0; i < TLS_USE_COUNT; i++)
		made[i] = NULL;
	for (int i = 0; i < TLS_USE_COUNT; i++) {
		made[i] = tls_contexts_make(p->contexts, (enum tls_use)i, l, e);
		if (!made[i]) {
			forget(made);
			return -1;
		}
	}
	return 0;
}

/* Would TLS take this certificate? Runs on the thread that makes the change. */
static int check_identity(const struct local_identity *l, void *arg,
			  struct error *e)
{
	struct tls_context *made[TLS_USE_COUNT];
	struct tls_policy *p = arg;
	int rc;

	pthread_mutex_lock(&p->lock);
	rc = make_all(p, l, made, e);
	pthread_mutex_unlock(&p->lock);
	if (rc < 0 && e->kind == ERR_TLS)
		e->kind = ERR_CERTIFICATE;
	if (rc < 0)
		return error_prefix(e, "it cannot be presented");
	forget(made);
	return 0;
}

/* Runs on the thread that makes the change. */
static int present_identity(const struct local_identity *l, void *arg,
			    struct error *e)
{
	struct tls_context *made[TLS_USE_COUNT];
	struct tls_policy *p = arg;
	int rc;

	pthread_mutex_lock(&p->lock);
	rc = make_all(p, l, made, e);
	if (rc == 0) {
		local_identity_unref(p->presented);
		p->presented = local_identity_ref(l);
		p->failed = 0;
		for (int i = 0; i < TLS_USE_COUNT; i++)
			put(p, (enum tls_use)i, made[i]);
		p->sip_changes++;
		tell_when_shut(p);
	}
	pthread_mutex_unlock(&p->lock);
	if (rc < 0)
		return -1;
	tell_sip(p, TLS_SIP_USES);
	log_info("tls", "in service: %s",
		 cert_subject(l->chain.items[0])->text);
	return 0;
}

static void on_settings(uint64_t changed, void *arg)
{
	apply(arg, tls_contexts_by_settings(changed));
}

static void on_trust(enum trust_store_id id, const struct trust_snapshot *s,
		     void *arg)
{
	struct tls_policy *p = arg;

	(void)s;
	apply(p, tls_contexts_by_trust(p->contexts, id));
}

/* --- SIP */

void tls_policy_on_sip_change(struct tls_policy *p, void (*changed)(void *arg),
			      void *arg)
{
	p->sip_changed = changed;
	p->sip_changed_arg = arg;
}

struct tls_context *tls_policy_sip_client(struct tls_policy *p,
					  unsigned *changes_out)
{
	struct tls_context *c;

	pthread_mutex_lock(&p->lock);
	c = p->sip_client ? tls_context_ref(p->sip_client) : NULL;
	*changes_out = p->sip_changes;
	pthread_mutex_unlock(&p->lock);
	return c;
}

/* --- refusals ------------------------------------------------------------- */

void tls_policy_refused(void *policy, const struct peer *peer, const char *host,
			const struct tls_verdict *why)
{
	struct tls_policy *p = policy;
	enum tls_use use = TLS_FOR_HTTPS;

	if (peer->via == PEER_STREAM)
		use = peer->called ? TLS_FOR_SIP_OUT : TLS_FOR_SIP_IN;
	tls_refusals_note(&p->refusals, use, peer->address, host, why);
}

void tls_policy_housekeeping(struct tls_policy *p)
{
	unsigned again;

	tls_refusals_settle(&p->refusals);
	pthread_mutex_lock(&p->lock);
	again = p->failed;
	pthread_mutex_unlock(&p->lock);
	apply(p, again);
}

/* --- the whole ------------------------------------------------------------ */

struct tls_policy *tls_policy_new(struct settings *settings,
				  struct identity *identity,
				  struct trust *trust, struct audit *audit,
				  struct error *e)
{
	struct tls_policy *p = calloc(1, sizeof(*p));

	if (!p) {
		error_nomem(e);
		return NULL;
	}
	p->contexts = tls_contexts_new(settings, trust, e);
	if (!p->contexts) {
		free(p);
		return NULL;
	}
	pthread_mutex_init(&p->lock, NULL);
	tls_refusals_init(&p->refusals, audit);
	identity_set_presenter(
	    identity, &(struct identity_presenter){ check_identity,
						    present_identity, p });
	settings_on_change(settings, on_settings, p);
	trust_on_change(trust, on_trust, p);
	return p;
}

void tls_policy_set_front(struct tls_policy *p, struct front *f)
{
	p->front = f;
}

void tls_policy_free(struct tls_policy *p)
{
	if (!p)
		return;
	tls_context_unref(p->sip_client);
	local_identity_unref(p->presented);
	tls_contexts_free(p->contexts);
	tls_refusals_end(&p->refusals);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
