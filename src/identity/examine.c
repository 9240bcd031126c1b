/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "cert/key_file.h"
#include "identity/identity_private.h"

/* Judging an upload: everything that can be said without the token. */

enum { EXPIRES_SOON_DAYS = 30, DAY_S = 86400, DROPPED_NAMED_MAX = 2 };

static void warn(struct identity_warnings *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void warn(struct identity_warnings *w, const char *fmt, ...)
{
	va_list ap;

	if (w->count == IDENTITY_WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(w->text[w->count++], IDENTITY_WARNING_TEXT, fmt, ap);
	va_end(ap);
}

static const char *name_of(const struct cert *c)
{
	const char *text = cert_subject(c)->text;

	return *text ? text : "(no subject)";
}

/* --- the leaf ------------------------------------------------------------- */

static int check_dates(const struct cert *leaf, time_t now,
		       struct identity_warnings *w, struct error *e)
{
	char text[CLOCK_ISO8601_SIZE];

	if (now > cert_not_after(leaf)) {
		clock_format_rfc3339(cert_not_after(leaf), text);
		return error_set(e, ERR_CERTIFICATE,
				 "the certificate expired on %s", text);
	}
	if (now < cert_not_before(leaf)) {
		clock_format_rfc3339(cert_not_before(leaf), text);
		warn(w, "the certificate is not valid before %s", text);
	} else if (cert_not_after(leaf) - now < EXPIRES_SOON_DAYS * DAY_S) {
		clock_format_rfc3339(cert_not_after(leaf), text);
		warn(w, "the certificate expires soon, on %s", text);
	}
	return 0;
}

static bool names_host(const struct cert *leaf, const char *kind,
		       const char *value)
{
	size_t n = strlen(kind);

	for (size_t i = 0; i < cert_alt_name_count(leaf); i++) {
		const char *name = cert_alt_name(leaf, i);

		if (!strncmp(name, kind, n) && !strcasecmp(name + n, value))
			return true;
	}
	return cert_alt_name_count(leaf) == 0 &&
	       !strcasecmp(cert_subject(leaf)->cn, value);
}

static bool names_device(const struct identity *id, const struct cert *leaf)
{
	if (names_host(leaf, "DNS:", id->host_name) ||
	    names_host(leaf, "IP:", id->host_name))
		return true;
	for (size_t i = 0; i < id->address_count; i++)
		if (names_host(leaf, "IP:", id->addresses[i]))
			return true;
	return false;
}

static void check_names(const struct identity *id, const struct cert *leaf,
			struct identity_warnings *w)
{
	if (cert_alt_name_count(leaf) == 0)
		warn(w, "the certificate has no subjectAltName: current "
			"browsers do not accept a common name alone");
	if (!names_device(id, leaf))
		warn(w,
		     "the certificate names neither the host name %.100s nor "
		     "an address of this device",
		     id->host_name);
}

static void check_use(const struct cert *leaf, struct identity_warnings *w)
{
	if (cert_is_ca(leaf))
		warn(w, "the certificate is one of a certification authority");
	if (!cert_allows(leaf, CERT_USE_SERVER))
		warn(w, "the certificate does not allow use as a TLS server "
			"(HTTPS, incoming SIP calls)");
	if (!cert_allows(leaf, CERT_USE_CLIENT))
		warn(w, "the certificate does not allow use as a TLS client "
			"(outgoing SIP calls, OCSP, feedback)");
}

/* --- the chain ------------------------------------------------------------ */

/* MD5 signatures can be forged by anybody and no current client takes them: a
 * certificate with one is refused. SHA-1 only weakens what others think of us,
 * and old equipment may know nothing else: a warning. What a self-signed
 * certificate says about itself proves nothing in either case. */
static int check_signature(const struct cert *c, struct identity_warnings *w,
			   struct error *e)
{
	if (cert_is_self_issued(c))
		return 0;
	switch (cert_signature_strength(c)) {
	case CERT_SIGNATURE_BROKEN:
		return error_set(e, ERR_CERTIFICATE,
				 "certificate %.150s is signed with %.60s, "
				 "which can be forged",
				 name_of(c), cert_signature_text(c));
	case CERT_SIGNATURE_WEAK:
		warn(w,
		     "certificate %.100s is signed with %.60s, which current "
		     "clients refuse",
		     name_of(c), cert_signature_text(c));
		break;
	case CERT_SIGNATURE_GOOD: break;
	}
	return 0;
}

static int check_chain(const struct cert_chain *chain, time_t now,
		       struct identity_warnings *w, struct error *e)
{
	const struct cert_list *l = &chain->chain;
	const struct cert *last = l->items[l->count - 1];
	char text[CLOCK_ISO8601_SIZE];

	for (size_t i = 0; i < l->count; i++) {
		if (check_signature(l->items[i], w, e) < 0)
			return -1;
		if (i && now > cert_not_after(l->items[i])) {
			clock_format_rfc3339(cert_not_after(l->items[i]), text);
			warn(w, "the issuer's certificate %.100s expired on %s",
			     name_of(l->items[i]), text);
		}
	}
	if (chain->reordered)
		warn(w, "the certificates were put in order: the device's "
			"first, then its issuers");
	for (size_t i = 0; i < chain->dropped.count && i < DROPPED_NAMED_MAX;
	     i++)
		warn(w, "left out, since it is not in the chain: %.180s",
		     name_of(chain->dropped.items[i]));
	if (chain->dropped.count > DROPPED_NAMED_MAX)
		warn(w, "%zu more certificates were left out",
		     chain->dropped.count - DROPPED_NAMED_MAX);
	if (l->count == 1 && !cert_is_self_issued(last))
		warn(w,
		     "no issuer's certificate was uploaded: clients must know "
		     "%.150s themselves",
		     cert_issuer(last)->text);
	return 0;
}

/* --- the upload ----------------------------------------------------------- */

static int read_parts(struct view certificates, struct view private_key,
		      struct view password, struct upload *out, struct error *e)
{
	struct cert_list certs;
	int rc = -1;

	if (cert_bundle_parse(certificates, &certs, e) < 0)
		return -1;
	out->has_key = private_key.len > 0;
	if (out->has_key &&
	    key_file_parse(private_key, password, &out->key, e) < 0)
		out->has_key = false;
	else
		rc = cert_chain_build(&certs,
				      out->has_key ? &out->key.pub : NULL,
				      &out->chain, e);
	cert_list_free(&certs);
	return rc;
}

static int judge(const struct identity *id, struct upload *u, time_t now,
		 struct identity_warnings *w, struct error *e)
{
	const struct cert *leaf = u->chain.chain.items[0];

	if (!cert_public_key(leaf, e))
		return error_prefix(e, "the certificate's key");
	if (check_dates(leaf, now, w, e) < 0)
		return -1;
	check_names(id, leaf, w);
	check_use(leaf, w);
	return check_chain(&u->chain, now, w, e);
}

int upload_read(const struct identity *id, struct view certificates,
		struct view private_key, struct view password, time_t now,
		struct upload *out, struct identity_warnings *warnings,
		struct error *e)
{
	memset(out, 0, sizeof(*out));
	memset(warnings, 0, sizeof(*warnings));
	if (read_parts(certificates, private_key, password, out, e) == 0 &&
	    judge(id, out, now, warnings, e) == 0)
		return 0;
	upload_free(out);
	return -1;
}

void upload_warn_no_key(const struct cert *leaf, struct identity_warnings *w)
{
	warn(w,
	     "the token does not hold the private key (%s): upload its file "
	     "too",
	     cert_key_text(leaf));
}

void upload_free(struct upload *u)
{
	cert_chain_free(&u->chain);
	if (u->has_key)
		key_material_free(&u->key);
	u->has_key = false;
}
