/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "media/rtp.h"

#include <string.h>

enum {
	DROPOUT_MAX = 3000, /* A.1: a gap that is still the same stream */
	MISORDER_MAX = 100, /* A.1: so much behind is only late */
	WRAP = 1 << 16,
	LOST_MAX = 0x7fffff,
	RTCP_FIRST = 192, /* types on a shared port, RFC 5761 4 */
	RTCP_LAST = 223,
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put16(uint8_t *p, uint16_t n)
{
	p[0] = (uint8_t)(n >> 8);
	p[1] = (uint8_t)n;
}

static void put32(uint8_t *p, uint32_t n)
{
	put16(p, (uint16_t)(n >> 16));
	put16(p + 2, (uint16_t)n);
}

bool rtp_read(struct view data, struct rtp_packet *out)
{
	size_t at = RTP_HEADER, padding = 0;
	const uint8_t *p = data.ptr;

	if (data.len < RTP_HEADER || p[0] >> 6 != 2 ||
	    (p[1] >= RTCP_FIRST && p[1] <= RTCP_LAST))
		return false;
	at += 4u * (p[0] & 0x0f); /* contributing sources */
	if (p[0] & 0x10) {
		if (data.len < at + 4)
			return false;
		at += 4u + 4u * get16(p + at + 2);
	}
	if (data.len < at)
		return false;
	if (p[0] & 0x20) {
		padding = data.len > at ? p[data.len - 1] : 0;
		if (padding == 0 || padding > data.len - at)
			return false;
	}
	*out = (struct rtp_packet){
		.marker = p[1] & 0x80,
		.payload_type = p[1] & 0x7f,
		.sequence = get16(p + 2),
		.timestamp = get32(p + 4),
		.ssrc = get32(p + 8),
		.payload = view_of(p + at, data.len - at - padding),
	};
	return true;
}

size_t rtp_write(const struct rtp_packet *p, uint8_t *out, size_t size)
{
	if (size < RTP_HEADER || p->payload.len > size - RTP_HEADER)
		return 0;
	out[0] = 2 << 6;
	out[1] = (uint8_t)((p->marker ? 0x80 : 0) | (p->payload_type & 0x7f));
	put16(out + 2, p->sequence);
	put32(out + 4, p->timestamp);
	put32(out + 8, p->ssrc);
	if (p->payload.len)
		memmove(out + RTP_HEADER, p->payload.ptr, p->payload.len);
	return RTP_HEADER + p->payload.len;
}

static void begin(struct rtp_reception *r, const struct rtp_packet *p)
{
	*r = (struct rtp_reception){
		.begun = true,
		.ssrc = p->ssrc,
		.greatest = p->sequence,
		.first = p->sequence,
		.next_bad = WRAP + 1,
	};
}

/* A.1, with probation left out: who may send is decided before. */
static enum rtp_verdict take_sequence(struct rtp_reception *r,
				      const struct rtp_packet *p)
{
	uint16_t ahead = (uint16_t)(p->sequence - r->greatest);

	if (ahead == 0 && r->received)
		return RTP_OLD;
	if (ahead < DROPOUT_MAX) {
		if (p->sequence < r->greatest)
			r->cycles += WRAP;
		r->greatest = p->sequence;
		return RTP_TAKEN;
	}
	if (ahead > WRAP - MISORDER_MAX)
		return RTP_OLD;
	if (p->sequence == r->next_bad) {
		begin(r, p);
		return RTP_TAKEN;
	}
	r->next_bad = (uint16_t)(p->sequence + 1);
	return RTP_STRANGE;
}

/* A.8 */
static void take_transit(struct rtp_reception *r, const struct rtp_packet *p,
			 uint32_t arrival)
{
	int64_t transit = (int32_t)(arrival - p->timestamp);
	int64_t d = transit - r->transit;

	if (r->received > 1) {
		d = (int32_t)(uint32_t)d; /* timestamps wrap */
		if (d < 0)
			d = -d;
		r->jitter += (uint32_t)d - ((r->jitter + 8) >> 4);
	}
	r->transit = transit;
}

enum rtp_verdict rtp_reception_take(struct rtp_reception *r,
				    const struct rtp_packet *p,
				    uint32_t arrival)
{
	enum rtp_verdict verdict;

	if (!r->begun || r->ssrc != p->ssrc)
		begin(r, p);
	verdict = take_sequence(r, p);
	if (verdict == RTP_STRANGE)
		return verdict;
	r->received++;
	if (verdict == RTP_TAKEN)
		take_transit(r, p, arrival);
	return verdict;
}

/* A.3 */
void rtp_reception_report(struct rtp_reception *r, struct rtp_report *out)
{
	uint64_t greatest = (uint64_t)r->cycles + r->greatest;
	uint64_t expected = r->begun ? greatest - r->first + 1 : 0;
	int64_t lost = (int64_t)expected - (int64_t)r->received;
	int64_t since = (int64_t)(expected - r->expected_before);
	int64_t lost_since =
	    since - (int64_t)(r->received - r->received_before);

	memset(out, 0, sizeof(*out));
	out->ssrc = r->ssrc;
	out->greatest = (uint32_t)greatest;
	out->jitter = r->jitter >> 4;
	if (lost > LOST_MAX)
		lost = LOST_MAX;
	if (lost < -LOST_MAX - 1)
		lost = -LOST_MAX - 1;
	out->lost = (int32_t)lost;
	if (since > 0 && lost_since > 0)
		out->fraction_lost =
		    (uint8_t)(lost_since >= since ? 255
						  : lost_since * 256 / since);
	r->expected_before = expected;
	r->received_before = r->received;
}
