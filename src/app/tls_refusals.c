/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/tls_refusals.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

static void record(struct tls_refusals *r, const char *module,
		   const char *address, struct audit_what what)
{
	const struct audit_actor actor = { module, "", address, "certificate" };
	struct error e = ERROR_INIT;

	if (audit_append(r->audit, what, &actor, &e) < 0)
		log_failure(LOG_LEVEL_ERROR, "audit", &e);
}

/* --- HTTPS */

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

/* The fields of these events are the same. */
static void record_client(struct tls_refusals *r, const char *address,
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
	record(r, "Web", address, what);
}

/* --- SIP */

static const char *direction_of(enum tls_use use)
{
	return use == TLS_FOR_SIP_OUT ? "outgoing" : "incoming";
}

static void record_sip_peer(struct tls_refusals *r, enum tls_use use,
			    const char *address, const char *host,
			    const struct tls_verdict *why)
{
	record(r, "SIP", address,
	       AUDIT(SIP_PEER_REFUSED, .cause = why->reason,
		     .direction = direction_of(use),
		     .serialNumber = why->names.serial, .host = host,
		     .reason = why->text, .subject = why->names.subject,
		     .issuer = why->names.issuer));
}

/* --- both */

static const char counted_only[] =
    "more within a minute, not recorded one by one";

static void record_suppressed(struct tls_refusals *r, enum tls_use use)
{
	unsigned n;

	pthread_mutex_lock(&r->lock);
	n = refusal_meter_settle(&r->meters[use], clock_monotonic_ms());
	pthread_mutex_unlock(&r->lock);
	if (!n)
		return;
	if (use == TLS_FOR_HTTPS)
		record(r, "Web", "",
		       AUDIT(CERTIFICATE_REFUSED, .reason = counted_only,
			     .more = AUDIT_NUMBER(n)));
	else
		record(r, "SIP", "",
		       AUDIT(SIP_PEER_REFUSED, .direction = direction_of(use),
			     .reason = counted_only, .more = AUDIT_NUMBER(n)));
}

void tls_refusals_note(struct tls_refusals *r, enum tls_use use,
		       const char *address, const char *host,
		       const struct tls_verdict *why)
{
	bool admitted;

	record_suppressed(r, use);
	pthread_mutex_lock(&r->lock);
	admitted = refusal_meter_admit(&r->meters[use], clock_monotonic_ms());
	pthread_mutex_unlock(&r->lock);
	if (!admitted)
		return;
	if (use == TLS_FOR_HTTPS)
		record_client(r, address, why);
	else
		record_sip_peer(r, use, address, host, why);
}

void tls_refusals_settle(struct tls_refusals *r)
{
	for (int i = 0; i < TLS_USE_COUNT; i++)
		record_suppressed(r, (enum tls_use)i);
}

void tls_refusals_init(struct tls_refusals *r, struct audit *audit)
{
	memset(r, 0, sizeof(*r));
	r->audit = audit;
	pthread_mutex_init(&r->lock, NULL);
}

void tls_refusals_end(struct tls_refusals *r)
{
	pthread_mutex_destroy(&r->lock);
}
