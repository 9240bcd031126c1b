/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_MEDIA_PEER_H
#define SB_TESTS_UNIT_MEDIA_PEER_H

#include <srtp2/srtp.h>

#include "media/media.h"
#include "media/rtcp.h"

/* The other side of a media stream: a pair of UDP sockets and, when it has
 * keys, libsrtp2 by itself. */

enum { PEER_RTP, PEER_RTCP, PEER_WAIT_MS = 5000, PEER_BYTES = 2048 };

struct peer {
	char address[64];
	int fd[2];
	uint16_t port; /* RTP; the other is the next one */
	uint16_t to;   /* port of the stream */
	uint32_t ssrc, timestamp;
	uint16_t sequence;
	srtp_t in, out;
};

void peer_open(struct peer *p, const char *address, uint16_t to);
void peer_close(struct peer *p);
/* Keys as the peer sees them: in is what it receives with. */
void peer_set_keys(struct peer *p, const struct srtp_key *in,
		   const struct srtp_key *out);
/* An independent session, for packets of any SSRC. */
srtp_t peer_session(const struct srtp_key *key, bool inbound);

/* As they are. */
void peer_send(struct peer *p, int which, const void *bytes, size_t n);
/* The next packet, 20 ms after the one before; into out when it is not NULL
 * (PEER_BYTES), as it went over the wire. Returns its length. */
size_t peer_say(struct peer *p, uint8_t type, bool marker, struct view payload,
		uint8_t *out);
/* A compound packet, protected when there are keys. */
void peer_report(struct peer *p, const uint8_t *bytes, size_t n);

/* The next datagram, opened when there are keys: its length, -1: none came. */
int peer_hear(struct peer *p, int which, uint8_t *out, int wait_ms);
/* The next RTP packet; false: none, or no packet. Its payload is in bytes. */
bool peer_hear_rtp(struct peer *p, struct rtp_packet *out,
		   uint8_t bytes[PEER_BYTES]);

#endif
