/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_MEDIA_RTCP_H
#define SB_MEDIA_RTCP_H

#include "media/rtp.h"

/* RTCP packets (RFC 3550 6): what we say of a stream that we receive, and what
 * of the other side's reports matters to us. Pure. */

enum { RTCP_BLOCKS_MAX = 31, RTCP_CNAME_MAX = 255, RTCP_PACKET_MAX = 1472 };

/* What a compound packet tells. */
struct rtcp_news {
	uint32_t sender;    /* SSRC of the first packet */
	bool sender_report; /* the first packet is one */
	uint32_t ntp;       /* middle 32 bits of its NTP time */
	bool bye;
	/* About us, when there is such a block. */
	bool about_us;
	struct rtp_report report;
};

/* A compound packet (6.1). ours: our SSRC. False: none, or cut short; RTP. */
bool rtcp_read(struct view data, uint32_t ours, struct rtcp_news *out);

/* Sender's part of a report: what we sent. */
struct rtcp_sent {
	uint64_t ntp; /* now, RFC 3550 4 */
	uint32_t timestamp;
	uint32_t packets, bytes;
};

/* A report, sent NULL: a receiver report, with one block or none (NULL), and
 * our name (SDES CNAME); with bye, a BYE behind it. Returns the length, 0 when
 * it does not fit. */
size_t rtcp_write(uint32_t ours, const struct rtcp_sent *sent,
		  const struct rtp_report *block, const char *cname, bool bye,
		  uint8_t *out, size_t size);

#endif
