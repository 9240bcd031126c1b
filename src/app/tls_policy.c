/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/tls_policy.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "app/refusal_meter.h"
#include "base/clock.h"
#include "base/log.h"

enum {
	TICKET_LIFETIME_S = 3600 /* resumption after a longer pause is full */
};

struct tls_policy {
	struct settings *settings;
	struct trust *trust;
	struct audit *audit;
	struct front *front;
	struct ticket_keys *tickets;

	/* Held while a context is made, so that the last one that the front
	 * gets is from the newest state. */
	pthread_mutex_t lock;
	struct local_identity *presented;
	struct judge_store *anchors; /* of the snapshot with that generation */
	uint64_t generation;
	bool failed; /* to be tried again */

	pthread_mutex_t meter_lock;
	struct refusal_meter meter;
};

/* --- contexts ------------------------------------------------------------- */

/* The HTTPS trust store made ready, once for each of its snapshots; nobody is
 * trusted before it was read. Locked. NULL: ERR_NOMEM, ERR_INTERNAL. */
static struct judge_store *anchors_now(struct tls_policy *p, struct error *e)
{
	static const struct cert_list nobody;
	struct trust_snapshot *s = trust_snapshot(p->trust, TRUST_HTTPS);
	struct judge_store *made = p->anchors;

	if (!s)
		return judge_store_new(&nobody, e);
	if (!made || p->generation != s->generation) {
		made = judge_store_new(&s->certificates, e);
		if (made) {
			judge_store_unref(p->anchors);
			p->anchors = made;
			p->generation = s->generation;
		}
	}
	trust_snapshot_unref(s);
	return made ? judge_store_ref(made) : NULL;
}

static bool verifies(struct tls_policy *p)
{
	return certificate_mode_in_force(p->settings) !=
	       CERTIFICATE_NOT_REQUIRED;
}

/* Locked. */
static struct tls_context *make_context(struct tls_policy *p,
					const struct local_identity *l,
					struct error *e)
{
	struct tls_server_options o = {
		.identity = l,
		.minimum = settings_choice(p->settings,
					   SETTING_TLS_MINIMUM_VERSION) == 0
			       ? TLS_1_2
			       : TLS_1_3,
		.tickets = p->tickets,
		.ticket_lifetime_s = TICKET_LIFETIME_S,
	};
	struct tls_verifier verifier;
	struct judge_store *anchors;

	if (!verifies(p))
		return tls_server_new(&o, e);
	anchors = anchors_now(p, e);
	if (!anchors)
		return NULL;
	verifier = tls_client_verifier(anchors);
	judge_store_unref(anchors);
	o.verifier = &verifier;
	return tls_server_new(&o, e);
}

/* Locked. Nobody resumes into what was before. */
static void post(struct tls_policy *p, struct tls_context *context)
{
	ticket_keys_rotate(p->tickets);
	front_post_tls(p->front, PEER_HTTPS, context);
}

/* Something has changed that the context in force does not know. */
static void apply(struct tls_policy *p)
{
	struct error e = ERROR_INIT;
	struct tls_context *context;

	pthread_mutex_lock(&p->lock);
	if (p->front && p->presented) {
		context = make_context(p, p->presented, &e);
		p->failed = !context;
		if (context || verifies(p))
			post(p, context);
		if (!context)
			log_failure(LOG_LEVEL_ERROR, "tls", &e);
	}
	pthread_mutex_unlock(&p->lock);
}

/* --- who tells us --------------------------------------------------------- */

/* Would TLS take this certificate? Runs on the thread that makes the change. */
static int check_identity(const struct local_identity *l, void *arg,
			  struct error *e)
{
	struct tls_policy *p = arg;
	struct tls_context *context;

	pthread_mutex_lock(&p->lock);
	context = make_context(p, l, e);
	pthread_mutex_unlock(&p->lock);
	if (!context && e->kind == ERR_TLS)
		e->kind = ERR_CERTIFICATE;
	if (!context)
		return error_prefix(e, "it cannot be presented");
	tls_context_unref(context);
	return 0;
}

/* Runs on the thread that makes the change. */
static int present_identity(const struct local_identity *l, void *arg,
			    struct error *e)
{
	struct tls_policy *p = arg;
	struct tls_context *context;

	pthread_mutex_lock(&p->lock);
	context = make_context(p, l, e);
	if (context) {
		local_identity_unref(p->presented);
		p->presented = local_identity_ref(l);
		p->failed = false;
		post(p, context);
	}
	pthread_mutex_unlock(&p->lock);
	if (!context)
		return -1;
	log_info("tls", "in service: %s",
		 cert_subject(l->chain.items[0])->text);
	return 0;
}

static void on_settings(uint64_t changed, void *arg)
{
	if (changed & (setting_bit(SETTING_CLIENT_CERTIFICATE) |
		       setting_bit(SETTING_TLS_MINIMUM_VERSION)))
		apply(arg);
}

static void on_trust(enum trust_store_id id, const struct trust_snapshot *s,
		     void *arg)
{
	(void)s;
	if (id == TRUST_HTTPS && verifies(arg))
		apply(arg);
}

/* --- refusals ------------------------------------------------------------- */

static void record(struct tls_policy *p, const char *address,
		   struct audit_what what)
{
	const struct audit_actor actor = { "Web", "", address, "certificate" };
	struct error e = ERROR_INIT;

	if (audit_append(p->audit, what, &actor, &e) < 0)
		log_failure(LOG_LEVEL_ERROR, "audit", &e);
}

static void record_suppressed(struct tls_policy *p)
{
	unsigned n;

	pthread_mutex_lock(&p->meter_lock);
	n = refusal_meter_settle(&p->meter, clock_monotonic_ms());
	pthread_mutex_unlock(&p->meter_lock);
	if (n)
		record(p, "",
		       AUDIT(CERTIFICATE_REFUSED,
			     .reason = "more within a minute, not recorded "
				       "one by one",
			     .more = AUDIT_NUMBER(n)));
}

/* What has an event of its own; all the rest is certificateRefused. */
static enum audit_event event_of(const char *cause)
{
	static const struct {
		enum judge_reason cause;
		enum audit_event event;
	} rows[] = {
		{ JUDGE_NOTHING_SENT, AUDIT_CERTIFICATE_MISSING },
		{ JUDGE_UNKNOWN_AUTHORITY, AUDIT_CERTIFICATE_UNTRUSTED },
		{ JUDGE_BAD_SIGNATURE, AUDIT_CERTIFICATE_UNTRUSTED },
		{ JUDGE_NOT_AUTHORITY, AUDIT_CERTIFICATE_UNTRUSTED },
		{ JUDGE_NOT_YET_VALID, AUDIT_CERTIFICATE_EXPIRED },
		{ JUDGE_EXPIRED, AUDIT_CERTIFICATE_EXPIRED },
		{ JUDGE_REVOKED, AUDIT_CERTIFICATE_REVOKED },
	};

	for (size_t i = 0; cause && i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(cause, judge_reason_name(rows[i].cause)))
			return rows[i].event;
	return AUDIT_CERTIFICATE_REFUSED;
}

/* Their fields are the same. */
static void record_refusal(struct tls_policy *p, const char *address,
			   const struct tls_verdict *why)
{
	const struct audit_values_CERTIFICATE_REFUSED values = {
		.cause = why->reason,
		.reason = why->text,
		.serialNumber = why->names.serial,
		.subject = why->names.subject,
		.issuer = why->names.issuer,
	};
	struct audit_what what = AUDIT_OF(CERTIFICATE_REFUSED, values);

	what.event = event_of(why->reason);
	record(p, address, what);
}

void tls_policy_refused(void *policy, const struct peer *peer,
			const struct tls_verdict *why)
{
	struct tls_policy *p = policy;
	bool admitted;

	record_suppressed(p);
	pthread_mutex_lock(&p->meter_lock);
	admitted = refusal_meter_admit(&p->meter, clock_monotonic_ms());
	pthread_mutex_unlock(&p->meter_lock);
	if (admitted)
		record_refusal(p, peer->address, why);
}

void tls_policy_housekeeping(struct tls_policy *p)
{
	bool again;

	record_suppressed(p);
	pthread_mutex_lock(&p->lock);
	again = p->failed;
	pthread_mutex_unlock(&p->lock);
	if (again)
		apply(p);
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
	p->tickets = ticket_keys_new(e);
	if (!p->tickets) {
		free(p);
		return NULL;
	}
	pthread_mutex_init(&p->lock, NULL);
	pthread_mutex_init(&p->meter_lock, NULL);
	p->settings = settings;
	p->trust = trust;
	p->audit = audit;
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
	local_identity_unref(p->presented);
	judge_store_unref(p->anchors);
	ticket_keys_free(p->tickets);
	pthread_mutex_destroy(&p->lock);
	pthread_mutex_destroy(&p->meter_lock);
	free(p);
}
