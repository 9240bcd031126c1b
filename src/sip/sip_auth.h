/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_AUTH_H
#define SB_SIP_SIP_AUTH_H

#include "base/secret.h"
#include "sip/digest.h"

/* What is answered to challenges within one exchange of requests (RFC 3261 22,
 * RFC 8760): a value; which challenge of a message counts, whether it is a new
 * one, and the fields of the next request. One thread at a time. */

struct osip_message;

enum { SIP_AUTH_SERVER, SIP_AUTH_PROXY, SIP_AUTH_SIDES };

/* Zeros at first. */
struct sip_auth {
	struct {
		bool known;
		struct digest_challenge challenge;
		unsigned count; /* of answers to that nonce */
	} sides[SIP_AUTH_SIDES];
};

/* The best challenge that a 401 or 407 has, by algorithm. False: none of use,
 * or one that was answered already: the password is wrong. One with a new
 * nonce in the same realm is new only when it says that the old one was stale
 * (RFC 7616 3.3). */
bool sip_auth_take(struct sip_auth *a, const struct osip_message *response);

/* What it has against the last answer is its age only, not the password. */
bool sip_auth_is_stale(const struct osip_message *response);

/* Authorization and Proxy-Authorization into a request that has its method and
 * URI. 0, or -1: ERR_INPUT, ERR_LIMIT, ERR_NOMEM. */
int sip_auth_add(struct sip_auth *a, const char *user_name,
		 const struct secret *password, struct osip_message *request,
		 struct error *e) MUST_CHECK;

#endif
