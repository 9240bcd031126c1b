/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "auth/security_warnings.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static bool simple_passwords(const struct security_facts *f)
{
	return !f->advanced_accounts;
}

static bool open_console(const struct security_facts *f)
{
	return !f->console_login;
}

static bool open_guest(const struct security_facts *f)
{
	return f->guest_enabled;
}

static bool default_name(const struct security_facts *f)
{
	return f->admin_has_default_name;
}

/* By password the user is asked; by certificate nobody asks him. */
static bool silent_expiry(const struct security_facts *f)
{
	return f->certificate_login && f->expired_passwords > 0;
}

static bool plain_http(const struct security_facts *f)
{
	return f->http && !f->redirect_http;
}

static bool default_certificate(const struct security_facts *f)
{
	return f->default_certificate;
}

static bool no_audit_room(const struct security_facts *f)
{
	return f->no_audit_room;
}

static bool sip_misnamed(const struct security_facts *f)
{
	return f->sip_misnamed;
}

static bool sip_shut(const struct security_facts *f)
{
	return f->sip_shut;
}

#define SECURITY "/settings/security.html"
#define USERS    "/users/users.html"

/* In the original's order and words, then ours. */
static const struct security_warning_row rows[] = {
	{ "advancedAccounts", "Advanced password security is disabled",
	  "Enable advanced account security mode in security settings",
	  SECURITY, "warning", simple_passwords },
	{ "consoleLogin", "Require administrator login to console is disabled",
	  "Enable require administrator login in console settings", SECURITY,
	  "warning", open_console },
	{ "guestEnabled", "Guest account is enabled",
	  "Disable the guest account", USERS, "warning", open_guest },
	{ "adminName", "Admin account has default username",
	  "Change the admin account username", USERS, "warning", default_name },
	{ "expiredPasswords",
	  "Passwords of users who may log in by certificate have expired",
	  "Let these users change their passwords, or set new ones", USERS,
	  "warning", silent_expiry },
	{ "plainHttp", "HTTP is open without redirect to HTTPS",
	  "Enable redirect HTTP requests to HTTPS in security settings",
	  SECURITY, "warning", plain_http },
	{ "defaultCertificate",
	  "The certificate in service is the device's own, which no browser "
	  "knows",
	  "Upload a certificate of an authority that your users trust",
	  "/network/ssl-certificates.html", "info", default_certificate },
	{ "auditRoom",
	  "No room for audit records: changes are refused until there is room",
	  "Delete old audit records, or free space on the disk of the service",
	  "/logs/audit-log.html", "warning", no_audit_room },
	{ "sipCertificateNames",
	  "The certificate in service does not name this device as SIP peers "
	  "know it: those that verify whom they call will refuse it",
	  "Upload a certificate whose subjectAltName has the outbound domain, "
	  "or the host name and address of this device",
	  "/network/ssl-certificates.html", "warning", sip_misnamed },
	{ "sipTrustStoreEmpty",
	  "The certificates of SIP peers are verified, but the SIP trust store "
	  "is empty: no such call over TLS comes about",
	  "Upload the certificates of your SIP peers' authorities to the SIP "
	  "trust store, or choose No verification",
	  "/network/ssl-certificates.html", "warning", sip_shut },
};

enum { ROWS = sizeof(rows) / sizeof(*rows) };
_Static_assert((int)ROWS <= (int)SECURITY_WARNINGS_MAX, "a bit for each row");

const struct security_warning_row *security_warning_row(size_t i)
{
	return i < ROWS ? &rows[i] : NULL;
}

int security_warning_find(const char *id)
{
	for (size_t i = 0; i < ROWS; i++)
		if (!strcmp(rows[i].id, id))
			return (int)i;
	return -1;
}

unsigned security_warnings_of(const struct security_facts *f)
{
	unsigned bits = 0;

	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].applies(f))
			bits |= 1u << i;
	return bits;
}

struct security_warnings {
	pthread_mutex_t lock;
	uint64_t given, applied; /* tickets */
	unsigned applying, acknowledged;
};

struct security_warnings *security_warnings_new(struct error *e)
{
	struct security_warnings *w = calloc(1, sizeof(*w));

	if (!w) {
		error_nomem(e);
		return NULL;
	}
	pthread_mutex_init(&w->lock, NULL);
	return w;
}

void security_warnings_free(struct security_warnings *w)
{
	if (!w)
		return;
	pthread_mutex_destroy(&w->lock);
	free(w);
}

uint64_t security_warnings_ticket(struct security_warnings *w)
{
	uint64_t ticket;

	pthread_mutex_lock(&w->lock);
	ticket = ++w->given;
	pthread_mutex_unlock(&w->lock);
	return ticket;
}

unsigned security_warnings_update(struct security_warnings *w, uint64_t ticket,
				  unsigned applying)
{
	unsigned fixed = 0;

	pthread_mutex_lock(&w->lock);
	if (ticket > w->applied) {
		w->applied = ticket;
		fixed = w->applying & ~applying;
		w->applying = applying;
		w->acknowledged &= applying;
	}
	pthread_mutex_unlock(&w->lock);
	return fixed;
}

unsigned security_warnings_applying(struct security_warnings *w)
{
	unsigned bits;

	pthread_mutex_lock(&w->lock);
	bits = w->applying;
	pthread_mutex_unlock(&w->lock);
	return bits;
}

unsigned security_warnings_acknowledged(struct security_warnings *w)
{
	unsigned bits;

	pthread_mutex_lock(&w->lock);
	bits = w->acknowledged;
	pthread_mutex_unlock(&w->lock);
	return bits;
}

unsigned security_warnings_acknowledge(struct security_warnings *w,
				       unsigned bits)
{
	unsigned done;

	pthread_mutex_lock(&w->lock);
	done = bits & w->applying & ~w->acknowledged;
	w->acknowledged |= done;
	pthread_mutex_unlock(&w->lock);
	return done;
}
