/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_DIGEST_H
#define SB_SIP_DIGEST_H

#include <stdbool.h>

#include "base/buf.h"

/* Digest authentication as a client (RFC 3261 22, RFC 8760, RFC 7616): what a
 * registrar or proxy asks, and our answer to it. Pure; any thread. */

enum { DIGEST_TEXT_MAX = 512, DIGEST_VALUE_MAX = 8192 };

/* Better ones last. */
enum digest_algorithm { DIGEST_MD5, DIGEST_SHA256, DIGEST_ALGORITHM_COUNT };
const char *digest_algorithm_name(enum digest_algorithm a); /* "SHA-256" */

/* Texts without quotes and backslashes, as they are hashed. */
struct digest_challenge {
	enum digest_algorithm algorithm;
	char realm[DIGEST_TEXT_MAX], nonce[DIGEST_TEXT_MAX];
	char opaque[DIGEST_TEXT_MAX];
	bool has_opaque;
	bool qop;   /* "auth" is offered; else as RFC 2069 had it */
	bool stale; /* the nonce is too old, the password was right */
};

/* The value of WWW-Authenticate or Proxy-Authenticate. ERR_INPUT: no challenge;
 * ERR_UNSUPPORTED: another scheme, algorithm or quality of protection (there
 * may be another challenge beside it). */
int digest_challenge_read(struct view value, struct digest_challenge *out,
			  struct error *e) MUST_CHECK;

struct digest_request {
	const char *user_name, *password;
	const char *method, *uri; /* as on the request line */
	unsigned count;           /* of this nonce's uses, from 1 */
	const char *cnonce;       /* random, of letters and digits */
};

/* The value of Authorization or Proxy-Authorization into out. ERR_LIMIT,
 * ERR_NOMEM. */
int digest_answer(const struct digest_challenge *c,
		  const struct digest_request *r, struct buf *out,
		  struct error *e) MUST_CHECK;

#endif
