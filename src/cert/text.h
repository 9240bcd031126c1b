/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CERT_TEXT_H
#define SB_CERT_TEXT_H

#include <openssl/x509v3.h>

#include "base/buf.h"
#include "cert/cert.h"

/* Private to src/cert: what strangers wrote into a certificate, as text that
 * can be shown, stored in XML and logged. Always valid UTF-8 without control,
 * direction or invisible characters: these and broken bytes become \XX. */

/* Whether v is UTF-8 throughout and nothing in it would be escaped. */
bool text_is_plain(struct view v);
/* escape_backslash: as "\\", so that the result can be told from an escape. */
int text_add_safe(struct buf *b, struct view v, bool escape_backslash,
		  struct error *e) MUST_CHECK;
/* An ASN.1 string of any type. */
int text_add_asn1(struct buf *b, const ASN1_STRING *s,
		  struct error *e) MUST_CHECK;
/* RFC 4514. */
int text_add_name(struct buf *b, const X509_NAME *n,
		  struct error *e) MUST_CHECK;
/* "DNS:...", "IP:...", ... */
int text_add_general_name(struct buf *b, const GENERAL_NAME *n,
			  struct error *e) MUST_CHECK;

/* A name's parts; strings are owned and go with names_free(). */
int names_fill(struct cert_name *out, const X509_NAME *n,
	       struct error *e) MUST_CHECK;
void names_free(struct cert_name *n);

/* Turn what libcrypto left in its error queue into text; the queue ends empty.
 * Returns -1. */
int text_libcrypto_error(struct error *e, enum error_kind kind,
			 const char *what);

#endif
