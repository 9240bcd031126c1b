/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "media/media_private.h"

/* What comes in: whatever is not in order is counted and dropped, the cheap
 * checks first. */

enum {
	TURN = 16,              /* datagrams of one socket, then others */
	FINE = MEDIA_DROP_COUNT /* no reason to drop it */
};

static const enum media_drop by_verdict[SRTP_VERDICT_COUNT] = {
	[SRTP_GENUINE] = (enum media_drop)FINE,
	[SRTP_FORGED] = MEDIA_FORGED,
	[SRTP_REPLAYED] = MEDIA_REPLAYED,
	[SRTP_BROKEN] = MEDIA_MALFORMED,
	[SRTP_SPENT] = MEDIA_SPENT,
};

struct datagram {
	uint8_t *bytes;
	size_t n;
	struct media_address from;
	int64_t now_ms;
};

static bool is_agreed(const struct media_stream *s, uint8_t payload_type)
{
	for (unsigned i = 0; i < s->payload_count; i++)
		if (s->payload_types[i] == payload_type)
			return true;
	return false;
}

/* The other side lives. */
static void note_life(struct media_stream *s, int64_t now_ms)
{
	s->expected_ms = now_ms;
	s->told_silent = false;
}

/* Who sent it, and may he? Those that we listen to and those that might take
 * over have an allowance each, so that these cannot use up that of the others.
 */
static unsigned admit(struct media_stream *s, struct latch *latch,
		      struct media_bucket *home, const struct datagram *d)
{
	enum latch_source source;

	if (d->n > RTP_PACKET_MAX)
		return MEDIA_MALFORMED;
	if (media_ports_is_ours(&s->media->ports, &d->from))
		return MEDIA_LOOPED;
	source = latch_look(latch, &d->from, d->now_ms);
	if (source == LATCH_STRANGER)
		return MEDIA_STRANGER;
	if (!media_bucket_take(source == LATCH_HOME ? home : &s->others,
			       s->media->options.packets_per_second, d->now_ms))
		return MEDIA_EXCESS;
	return FINE;
}

static unsigned open_seal(struct media_stream *s, enum srtp_kind kind,
			  struct datagram *d)
{
	if (!s->secure)
		return FINE;
	return by_verdict[srtp_lane_unprotect(s->in, kind, d->bytes, &d->n)];
}

static unsigned take_rtp(struct media_stream *s, struct datagram *d)
{
	struct rtp_packet p;
	bool agreed;
	unsigned drop;

	if (!s->ready || (!s->receive && !s->secure))
		return MEDIA_UNASKED;
	drop = admit(s, &s->latch, &s->home, d);
	if (drop == FINE)
		drop = open_seal(s, SRTP_RTP, d);
	if (drop != FINE)
		return drop;
	/* Sealed ones are opened all the same: the roll-over counter (RFC 3711
	 * 3.3.1) would be another after some minutes of music on hold. */
	if (!s->receive)
		return MEDIA_UNASKED;
	if (!rtp_read(view_of(d->bytes, d->n), &p))
		return MEDIA_MALFORMED;
	if (p.ssrc == s->sent.ssrc)
		return MEDIA_LOOPED;
	agreed = is_agreed(s, p.payload_type);
	if (!agreed && p.payload_type != RTP_COMFORT_NOISE)
		return MEDIA_FOREIGN;
	latch_take(&s->latch, &d->from, d->now_ms);
	note_life(s, d->now_ms);
	if (rtp_reception_take(&s->reception, &p,
			       (uint32_t)d->now_ms * (MEDIA_CLOCK_HZ / 1000)) !=
	    RTP_TAKEN)
		return MEDIA_STALE;
	s->stats.packets_in++;
	s->stats.bytes_in += p.payload.len;
	/* Comfort noise has its place in the sequence, but is no sound. */
	if (agreed)
		s->options.sink->received(s->options.arg, s, &p, d->now_ms);
	return FINE;
}

static void learn(struct media_stream *s, const struct rtcp_news *news,
		  int64_t now_ms)
{
	s->stats.rtcp_in++;
	if (news->sender_report) {
		s->report_ntp = news->ntp;
		s->report_at_ms = now_ms;
		s->report_source = news->sender;
	}
	if (news->about_us) {
		s->stats.remote_reported = true;
		s->stats.remote_lost = news->report.lost;
		s->stats.remote_jitter = news->report.jitter;
	}
}

/* Without a key only the host that audio goes to is believed. */
static bool is_their_host(const struct media_stream *s,
			  const struct media_address *from)
{
	const struct media_address *target = latch_target(&s->latch);

	return s->secure || (target && media_address_same_host(target, from));
}

static unsigned take_rtcp(struct media_stream *s, struct datagram *d)
{
	struct rtcp_news news;
	unsigned drop;

	if (!s->ready)
		return MEDIA_UNASKED;
	if (!is_their_host(s, &d->from))
		return MEDIA_STRANGER;
	drop = admit(s, &s->control, &s->control_home, d);
	if (drop == FINE)
		drop = open_seal(s, SRTP_RTCP, d);
	if (drop != FINE)
		return drop;
	if (!rtcp_read(view_of(d->bytes, d->n), s->sent.ssrc, &news))
		return MEDIA_MALFORMED;
	if (news.sender == s->sent.ssrc)
		return MEDIA_LOOPED;
	latch_take(&s->control, &d->from, d->now_ms);
	/* One that says good-bye is none that lives, but SIP ends calls. */
	if (!news.bye)
		note_life(s, d->now_ms);
	learn(s, &news, d->now_ms);
	return FINE;
}

void media_receive(struct media_stream *s, int which)
{
	_Alignas(8) uint8_t bytes[RTP_PACKET_MAX + 1];

	for (int i = 0; i < TURN; i++) {
		struct datagram d = { .bytes = bytes };
		socklen_t size = sizeof(d.from);
		ssize_t n = recvfrom(s->fd[which], bytes, sizeof(bytes), 0,
				     &d.from.u.any, &size);
		unsigned drop;

		if (n < 0)
			return;
		d.n = (size_t)n;
		d.now_ms = media_now_ms(s->media);
		drop = which == MEDIA_RTP ? take_rtp(s, &d) : take_rtcp(s, &d);
		if (drop != FINE)
			s->stats.dropped[drop]++;
	}
}
