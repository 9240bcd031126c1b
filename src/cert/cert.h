/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CERT_CERT_H
#define SB_CERT_CERT_H

#include <stdbool.h>
#include <time.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/key.h"

/* X.509 certificates (RFC 5280) as immutable counted values. Pure: no I/O, no
 * clock of its own. libcrypto stays behind this folder. Any thread. */

struct cert;

enum { CERT_BYTES_MAX = 64 * 1024 }; /* of DER */

/* From DER, which must be used up exactly. NULL: ERR_CERTIFICATE, ERR_LIMIT. */
struct cert *cert_from_der(struct view der, struct error *e) MUST_CHECK;
struct cert *cert_ref(const struct cert *c);
void cert_unref(struct cert *c); /* NULL is fine */

struct view cert_der(const struct cert *c); /* lives as long as c */
const uint8_t *cert_sha256(const struct cert *c);
bool cert_equal(const struct cert *a, const struct cert *b);
/* PEM block with line ends. */
int cert_to_pem(const struct cert *c, struct buf *out,
		struct error *e) MUST_CHECK;

/* The parts of a name that administrators know, as UTF-8, several values of one
 * kind joined by ", "; "" when absent. text is RFC 4514. All strings live as
 * long as the certificate.
 *
 * All texts of a certificate are for showing: control, direction and invisible
 * characters (a NUL, too) and broken bytes appear as \XX, a backslash in a
 * part as \\, a string that cannot be converted as #hex; nothing is cut. */
struct cert_name {
	const char *c, *st, *l, *o, *ou, *cn;
	const char *text;
};

const struct cert_name *cert_subject(const struct cert *c);
const struct cert_name *cert_issuer(const struct cert *c);
/* DER of subject, issuer and serialNumber, for token attributes. */
struct view cert_subject_der(const struct cert *c);
struct view cert_issuer_der(const struct cert *c);
struct view cert_serial_der(const struct cert *c);

const char *cert_serial_text(const struct cert *c); /* lower-case hex */
time_t cert_not_before(const struct cert *c);
time_t cert_not_after(const struct cert *c);
/* subjectAltNames as "DNS:...", "IP:...", "URI:...", "email:..."; rarer kinds
 * as "dirName:...", "RID:1.2.3", "other:1.2.3". */
size_t cert_alt_name_count(const struct cert *c);
const char *cert_alt_name(const struct cert *c, size_t i);

/* The key; NULL with the reason in *e (ERR_KEY_UNSUPPORTED) when it is of a
 * kind that this product does not use. */
const struct public_key *cert_public_key(const struct cert *c, struct error *e);
/* "RSA 2048", "EC P-256", "Ed25519", also for kinds it does not use. */
const char *cert_key_text(const struct cert *c);
/* Its subject key identifier: the extension, else RFC 5280 4.2.1.2 (1). */
struct view cert_key_identifier(const struct cert *c);
bool cert_is_ca(const struct cert *c);          /* basicConstraints CA:TRUE */
bool cert_is_self_issued(const struct cert *c); /* issuer equals subject */
/* Whether issuer's name and key really signed c (signature verified). */
bool cert_is_issued_by(const struct cert *c, const struct cert *issuer);
/* Name of the signature algorithm, e.g. "sha256WithRSAEncryption". */
const char *cert_signature_text(const struct cert *c);
/* How far the hash under that signature can still be relied on: MD5 and older
 * can be forged by anybody, SHA-1 by the rich. */
enum cert_signature_strength {
	CERT_SIGNATURE_BROKEN,
	CERT_SIGNATURE_WEAK,
	CERT_SIGNATURE_GOOD
};
enum cert_signature_strength cert_signature_strength(const struct cert *c);

/* Whether sig is a signature over that plain digest by c's key. */
bool cert_key_verifies(const struct cert *c, enum sign_scheme scheme,
		       enum hash_alg alg, const uint8_t *digest,
		       struct view sig);

/* Whether extendedKeyUsage and keyUsage, where present, allow it. */
enum cert_use { CERT_USE_SERVER, CERT_USE_CLIENT };
bool cert_allows(const struct cert *c, enum cert_use use);

/* An owned list, leaf first where order matters. */
struct cert_list {
	struct cert **items;
	size_t count;
};

void cert_list_free(struct cert_list *l);
/* Takes a reference of its own. */
int cert_list_add(struct cert_list *l, const struct cert *c,
		  struct error *e) MUST_CHECK;

#endif
