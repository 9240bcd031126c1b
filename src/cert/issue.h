/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CERT_ISSUE_H
#define SB_CERT_ISSUE_H

#include <time.h>

#include "cert/cert.h"

/* What this device makes itself: its self-signed default certificate and
 * signing requests, signed through a struct signer (the token). RSA keys sign
 * sha256WithRSAEncryption, P-256 ecdsa-with-SHA256, P-384 ecdsa-with-SHA384. */

/* UTF-8 parts of a subject; NULL or "" leaves the part out. */
struct subject_parts {
	const char *c, *st, *l, *o, *ou, *cn;
};

/* names: "DNS:host", "IP:192.0.2.1", "IP:2001:db8::1", "URI:sip:host". All
 * functions: ERR_INPUT naming the part or the entry that is wrong; any error of
 * the signer. */

struct self_signed_options {
	struct subject_parts subject;
	const char *const *alt_names;
	size_t alt_name_count;
	time_t not_before, not_after;
};

/* An end-entity certificate for TLS server and client use, serial of 64 random
 * bits. NULL on error. */
struct cert *cert_self_sign(const struct self_signed_options *options,
			    const struct signer *signer,
			    struct error *e) MUST_CHECK;

/* PKCS#10 (RFC 2986) as PEM, subjectAltName as extensionRequest. */
int cert_request_create(const struct subject_parts *subject,
			const char *const *alt_names, size_t alt_name_count,
			const struct signer *signer, struct buf *pem_out,
			struct error *e) MUST_CHECK;

#endif
