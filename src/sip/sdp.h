/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SDP_H
#define SB_SIP_SDP_H

#include <stdbool.h>

#include "base/buf.h"

/* Session descriptions (RFC 4566) in offers and answers (RFC 3264) of one audio
 * stream: PCMU or PCMA at 8 kHz, telephone-event (RFC 4733), keys by SDES (RFC
 * 4568). A pure table of who says what; sockets and keys come from outside. Any
 * thread. */

enum {
	SDP_BYTES_MAX = 16384,
	SDP_MEDIA_MAX = 16,
	SDP_ADDRESS_MAX = 64, /* an address in figures, the NUL included */
	SDP_SRTP_KEY = 30, /* master key and salt of AES_CM_128, RFC 4568 6.1 */
};

/* What we speak, best first for an offer of ours. */
enum sdp_codec { SDP_PCMU, SDP_PCMA, SDP_CODEC_COUNT };
const char *sdp_codec_name(enum sdp_codec c); /* "PCMU" */
int sdp_codec_payload(enum sdp_codec c);      /* 0, 8: static, RFC 3551 6 */

enum sdp_direction {
	SDP_SENDRECV,
	SDP_SENDONLY,
	SDP_RECVONLY,
	SDP_INACTIVE,
	SDP_DIRECTION_COUNT
};
const char *sdp_direction_name(enum sdp_direction d); /* "sendrecv" */

/* AES_CM_128_HMAC_SHA1_80 and _32. */
enum sdp_suite { SDP_SHA1_80, SDP_SHA1_32, SDP_SUITE_COUNT };
const char *sdp_suite_name(enum sdp_suite s);

struct sdp_crypto {
	bool present;
	unsigned tag; /* 1 to 999999999 */
	enum sdp_suite suite;
	uint8_t key[SDP_SRTP_KEY]; /* secret; wiped by who holds it */
};

/* One line "m=" of the other side, as far as an answer must repeat it. */
struct sdp_line {
	char media[16], proto[32];
	char format[16]; /* the first */
};

/* What the other side says. A plain value. */
struct sdp_remote {
	struct sdp_line lines[SDP_MEDIA_MAX];
	size_t count;
	size_t audio; /* number of the line that is our stream */
	char address[SDP_ADDRESS_MAX]; /* "" or a name: media goes nowhere
					* until some has come */
	uint16_t port;
	uint16_t rtcp_port;           /* 0: the next one */
	bool srtp;                    /* RTP/SAVP, not RTP/AVP */
	int payload[SDP_CODEC_COUNT]; /* payload type, -1: not spoken */
	enum sdp_codec first;         /* of those, in the sender's order */
	int event;                    /* telephone-event, -1 */
	enum sdp_direction direction; /* as the sender sees it */
	struct sdp_crypto crypto;     /* the first that we can take */
};

/* Read an offer, or the answer to ours. ERR_INPUT: no session description;
 * ERR_UNSUPPORTED: none that we can take part in (488): no audio over RTP, no
 * codec of ours, SRTP without a key that we can use. */
int sdp_read(struct view text, struct sdp_remote *out,
	     struct error *e) MUST_CHECK;

/* What we say. */
struct sdp_local {
	const char *address; /* in figures, of our socket */
	uint16_t port;
	uint64_t session, version; /* "o=": same session, version + 1 for each
				    * new description (RFC 3264 8) */
	enum sdp_direction direction;
	/* An offer with a key is RTP/SAVP; an answer follows the offer, whose
	 * tag and suite it repeats, and needs the key alone. */
	struct sdp_crypto crypto;
};

/* Our offer: all codecs and telephone-event. */
int sdp_write_offer(const struct sdp_local *l, struct buf *out,
		    struct error *e) MUST_CHECK;
/* Our answer: every line of the offer, all but the audio declined; its first
 * codec that is ours, its payload types, its tag of the key. l->direction is
 * what we want; what is said is what of it the offer lets us. */
int sdp_write_answer(const struct sdp_remote *offer, const struct sdp_local *l,
		     struct buf *out, struct error *e) MUST_CHECK;

/* What of the wanted direction remains when the other side says theirs (RFC
 * 3264 6.1), as we see it. */
enum sdp_direction sdp_agree(enum sdp_direction wanted,
			     enum sdp_direction theirs);

#endif
