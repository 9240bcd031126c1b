/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_MEDIA_RTP_H
#define SB_MEDIA_RTP_H

#include <stdbool.h>

#include "base/buf.h"

/* RTP packets and what a receiver knows of a stream (RFC 3550 5, 6.4, A). Bytes
 * and numbers only: no socket, no clock, no key. One thread at a time for each
 * struct. */

enum {
	RTP_HEADER = 12,       /* bytes without sources and extensions */
	RTP_PACKET_MAX = 1472, /* what fits a datagram of Ethernet */
	/* What stands for silence, RFC 3389 4: some send it unasked. */
	RTP_COMFORT_NOISE = 13,
};

struct rtp_packet {
	bool marker;
	uint8_t payload_type; /* 0-127 */
	uint16_t sequence;
	uint32_t timestamp, ssrc;
	struct view payload; /* into the packet, without padding */
};

/* False: not an RTP packet of version 2, or cut short. RTCP on the same port
 * (RFC 5761: types 64 to 95 with the marker) is none either. */
bool rtp_read(struct view data, struct rtp_packet *out);
/* Header and payload into out, which has size bytes. Returns the length, 0 when
 * it does not fit. */
size_t rtp_write(const struct rtp_packet *p, uint8_t *out, size_t size);

/* What was received from one source (A.1, A.3, A.8). Zeros: nothing yet. */
struct rtp_reception {
	bool begun;
	uint32_t ssrc;
	uint16_t greatest;        /* sequence number */
	uint32_t cycles;          /* how often it wrapped, times 65536 */
	uint32_t first, next_bad; /* A.1: base_seq, bad_seq */
	uint64_t received;
	uint64_t expected_before, received_before; /* at the last report */
	int64_t transit;
	uint32_t jitter; /* in units of the timestamp, times 16 */
};

enum rtp_verdict {
	RTP_TAKEN,
	RTP_STRANGE, /* far away from the others; two in a row begin anew */
	RTP_OLD,     /* a copy, or late: counted and not to be played */
};

/* arrival: the local time in units of the stream's timestamps. Another source
 * than before begins anew. */
enum rtp_verdict rtp_reception_take(struct rtp_reception *r,
				    const struct rtp_packet *p,
				    uint32_t arrival);

/* A report block (6.4.1). */
struct rtp_report {
	uint32_t ssrc;
	uint8_t fraction_lost; /* of 256, since the report before */
	int32_t lost;          /* in all, at most 24 bits */
	uint32_t greatest;     /* sequence number with its cycles */
	uint32_t jitter;       /* units of the timestamp */
	uint32_t last_sr;      /* middle 32 bits of its NTP time, 0: none */
	uint32_t delay;        /* since then, in 1/65536 s */
};

/* ssrc to jitter; what it says of losses begins anew behind it. */
void rtp_reception_report(struct rtp_reception *r, struct rtp_report *out);

#endif
