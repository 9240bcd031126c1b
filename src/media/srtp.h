/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_MEDIA_SRTP_H
#define SB_MEDIA_SRTP_H

#include <stdbool.h>

#include "base/buf.h"

/* SRTP and SRTCP (RFC 3711) with keys from session descriptions (RFC 4568),
 * one lane a direction. libsrtp2 stays behind this file. A lane is used by one
 * thread at a time; different lanes by any. */

/* AES_CM_128_HMAC_SHA1_80 and _32 (RFC 4568 6.2); SRTCP has 80 in both. */
enum srtp_suite { SRTP_SHA1_80, SRTP_SHA1_32, SRTP_SUITE_COUNT };

enum {
	SRTP_KEY_BYTES = 30,    /* master key and salt, RFC 4568 6.1 */
	SRTP_TRAILER_MAX = 14,  /* what protection adds at most: index, tag */
	SRTP_SOURCES_MAX = 64,  /* SSRCs under one key: each costs memory */
	SRTP_PACKET_MAX = 1500, /* longer ones are refused */
};

/* Secret; wiped by who holds it. */
struct srtp_key {
	enum srtp_suite suite;
	uint8_t bytes[SRTP_KEY_BYTES];
};

enum srtp_direction { SRTP_INBOUND, SRTP_OUTBOUND };
enum srtp_kind { SRTP_RTP, SRTP_RTCP };

enum srtp_verdict {
	SRTP_GENUINE,
	SRTP_FORGED,   /* not made with this key, or changed on its way */
	SRTP_REPLAYED, /* a copy, or too old to tell */
	SRTP_BROKEN,   /* no packet of this kind */
	SRTP_SPENT,    /* too many sources, or the key's life is over */
	SRTP_VERDICT_COUNT
};

struct srtp_lane;

/* Set the library up, once in a process: takes some 50 ms, which the first call
 * should not have to wait for. Done by the first lane otherwise. ERR_NOMEM,
 * ERR_INTERNAL. */
int srtp_start(struct error *e) MUST_CHECK;

/* The key is copied. NULL: ERR_INPUT (no such suite), ERR_NOMEM,
 * ERR_INTERNAL. */
struct srtp_lane *srtp_lane_new(enum srtp_direction direction,
				const struct srtp_key *key,
				struct error *e) MUST_CHECK;
/* Wipes the keys. NULL is fine. */
void srtp_lane_free(struct srtp_lane *l);

/* Is it that key? Then a new description goes on with the lane: counters and
 * what was seen must not begin anew under an old key. NULL: false. */
bool srtp_lane_has_key(const struct srtp_lane *l, const struct srtp_key *key);

/* In place; packet is aligned to 4 bytes, *n becomes the new length. False:
 * size bytes are too few, the lane is inbound, or libsrtp2 refuses. */
bool srtp_lane_protect(struct srtp_lane *l, enum srtp_kind kind,
		       uint8_t *packet, size_t *n, size_t size);
/* In place, packet aligned to 4 bytes. What is not SRTP_GENUINE is to be thrown
 * away: its bytes may have changed. */
enum srtp_verdict srtp_lane_unprotect(struct srtp_lane *l, enum srtp_kind kind,
				      uint8_t *packet, size_t *n);

#endif
