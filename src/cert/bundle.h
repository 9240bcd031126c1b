/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CERT_BUNDLE_H
#define SB_CERT_BUNDLE_H

#include "cert/cert.h"

/* PEM texts with any number of certificates (RFC 7468, laxly: comments, CRLF,
 * blank lines and text dumps between blocks are passed over). Pure. */

enum { BUNDLE_BYTES_MAX = 4 * 1024 * 1024, BUNDLE_CERTS_MAX = 1000 };

/* Every CERTIFICATE block, in order, duplicates kept once. Blocks of other
 * kinds are passed over except a private key, which is refused so that it does
 * not end up in a trust store. ERR_CERTIFICATE: the text names the block's
 * number, of how many, and its line, e.g. "certificate 3 of 5 (line 61): not
 * valid base64"; an empty text says that it holds no certificate. ERR_LIMIT. */
int cert_bundle_parse(struct view pem, struct cert_list *out,
		      struct error *e) MUST_CHECK;

/* Put an upload in order: the leaf is the certificate that carries the key,
 * or, without a key, the one that issued none of the others. */
struct cert_chain {
	struct cert_list chain;   /* leaf first, then its issuers in order */
	struct cert_list dropped; /* foreign certificates, self-issued roots
				   * stay in the chain */
	bool reordered;           /* the order differed from the upload */
};

/* key may be NULL. ERR_KEY_MISMATCH: no certificate carries the key (the text
 * names what the leaf's key and the given key are); ERR_CERTIFICATE: no single
 * leaf can be told. */
int cert_chain_build(const struct cert_list *in, const struct public_key *key,
		     struct cert_chain *out, struct error *e) MUST_CHECK;
void cert_chain_free(struct cert_chain *c);

#endif
