/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/audit_certificate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a record says of a certificate. */
struct named {
	const char *subject, *issuer, *serial;
	char fingerprint[2 * SHA256_SIZE + 1];
};

static struct named name_of(const struct local_identity *l)
{
	const struct cert *leaf = l ? l->chain.items[0] : NULL;
	struct named n = { "", "", "", "" };

	if (!leaf)
		return n;
	n.subject = cert_subject(leaf)->text;
	n.issuer = cert_issuer(leaf)->text;
	n.serial = cert_serial_text(leaf);
	hex_encode(cert_sha256(leaf), SHA256_SIZE, n.fingerprint);
	return n;
}

void audit_certificate_uploaded(const struct call *c,
				const struct local_identity *now,
				const struct local_identity *former)
{
	const struct named n = name_of(now), f = name_of(former);

	call_audit(c, AUDIT(CERTIFICATE_UPLOADED, .serialNumber = n.serial,
			    .fingerprint = n.fingerprint,
			    .formerSerialNumber = f.serial,
			    .formerFingerprint = f.fingerprint,
			    .subject = n.subject, .issuer = n.issuer,
			    .formerSubject = f.subject));
}

void audit_certificate_activated(const struct call *c,
				 const struct local_identity *now,
				 const struct local_identity *former)
{
	const struct named n = name_of(now), f = name_of(former);

	call_audit(c, AUDIT(CERTIFICATE_ACTIVATED, .serialNumber = n.serial,
			    .fingerprint = n.fingerprint,
			    .formerSerialNumber = f.serial,
			    .formerFingerprint = f.fingerprint,
			    .subject = n.subject, .issuer = n.issuer,
			    .formerSubject = f.subject));
}

void audit_certificate_deleted(const struct call *c,
			       const struct local_identity *gone,
			       const struct local_identity *now)
{
	const struct named g = name_of(gone), n = name_of(now);

	call_audit(
	    c, AUDIT(CERTIFICATE_DELETED, .serialNumber = g.serial,
		     .fingerprint = g.fingerprint, .newSerialNumber = n.serial,
		     .newFingerprint = n.fingerprint, .subject = g.subject,
		     .issuer = g.issuer, .newSubject = n.subject));
}

/* Appends "a, b" as far as there is room. */
static void join(char *out, size_t size, const char *prefix, const char *text)
{
	size_t used = strlen(out);

	if (text && *text)
		snprintf(out + used, size - used, "%s%s%s", used ? ", " : "",
			 prefix, text);
}

void audit_request_created(const struct call *c, const char *key_id,
			   const struct subject_parts *s,
			   const char *const *names, size_t count)
{
	char subject[AUDIT_LIST_SIZE] = "", list[AUDIT_LIST_SIZE] = "";

	join(subject, sizeof(subject), "CN=", s->cn);
	join(subject, sizeof(subject), "OU=", s->ou);
	join(subject, sizeof(subject), "O=", s->o);
	join(subject, sizeof(subject), "L=", s->l);
	join(subject, sizeof(subject), "ST=", s->st);
	join(subject, sizeof(subject), "C=", s->c);
	for (size_t i = 0; i < count; i++)
		join(list, sizeof(list), "", names[i]);
	call_audit(c, AUDIT(REQUEST_CREATED, .keyId = key_id,
			    .subject = subject, .names = list));
}

/* --- lists --- */

static int compare(const void *a, const void *b)
{
	return memcmp(cert_sha256(*(struct cert *const *)a),
		      cert_sha256(*(struct cert *const *)b), SHA256_SIZE);
}

/* The same certificates in the order of their fingerprints; free() it. */
static struct cert **sorted(const struct cert_list *l)
{
	size_t count = l ? l->count : 0;
	struct cert **items = calloc(count + 1, sizeof(struct cert *));

	if (items && count) {
		memcpy(items, l->items, count * sizeof(struct cert *));
		qsort(items, count, sizeof(struct cert *), compare);
	}
	return items;
}

/* Room for "and 1000 more" stays free. */
enum { FINGERPRINTS_SHOWN_MAX = 5 };

void audit_list_difference(const struct cert_list *of,
			   const struct cert_list *without,
			   char out[AUDIT_LIST_SIZE])
{
	size_t count = of ? of->count : 0, shown = 0, more = 0, used = 0;
	struct cert **others = sorted(without);

	out[0] = '\0';
	for (size_t i = 0; others && i < count; i++) {
		char text[2 * SHA256_SIZE + 1];

		if (without && bsearch(&of->items[i], others, without->count,
				       sizeof(struct cert *), compare))
			continue;
		if (shown++ >= FINGERPRINTS_SHOWN_MAX) {
			more++;
			continue;
		}
		hex_encode(cert_sha256(of->items[i]), SHA256_SIZE, text);
		used += (size_t)snprintf(out + used, AUDIT_LIST_SIZE - used,
					 "%s%s", used ? " " : "", text);
	}
	if (more)
		snprintf(out + used, AUDIT_LIST_SIZE - used, " and %zu more",
			 more);
	free(others);
}
