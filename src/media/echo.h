/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_MEDIA_ECHO_H
#define SB_MEDIA_ECHO_H

#include "media/rtp.h"

/* Timestamps of an echo: those of the other side moved by a distance, which
 * changes when its source or its clock does, so that ours go on evenly (RFC
 * 3550 5.1). Pure. */

struct echo {
	bool begun;
	uint32_t source;   /* SSRC whose timestamps are moved */
	uint32_t distance; /* added to them */
	uint32_t last;     /* what we sent last */
	int64_t last_at_ms;
};

/* What a timestamp of source becomes. start: our first one ever, random. */
uint32_t echo_timestamp(struct echo *c, uint32_t source, uint32_t timestamp,
			uint32_t start, int64_t now_ms);

#endif
