/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "media/media_private.h"

/* What goes out: audio, reports; and what time does to a stream. */

enum {
	UNITS_PER_MS = MEDIA_CLOCK_HZ / 1000,
	ROOM = RTP_PACKET_MAX + SRTP_TRAILER_MAX,
	PORT_MAX = 65535,
};

/* Seconds from 1900 to 1970, RFC 3550 4. */
static const uint64_t ntp_epoch = 2208988800u;

/* --- packets -------------------------------------------------------------- */

/* Where RTCP goes: whence it came; else as announced, or beside the audio when
 * that came from elsewhere. False: nowhere. */
static bool control_target(const struct media_stream *s,
			   struct media_address *out)
{
	bool moved =
	    s->latch.latched &&
	    !media_address_equal(&s->latch.source, &s->latch.announced);
	const struct media_address *a = latch_target(&s->control);
	unsigned port = media_address_port(&s->latch.source);

	if (!s->control.latched && moved) {
		*out = s->latch.source;
		media_address_set_port(out, (uint16_t)(port + 1));
		return port < PORT_MAX;
	}
	if (a)
		*out = *a;
	return a;
}

static bool find_target(const struct media_stream *s, int which,
			struct media_address *out)
{
	const struct media_address *a = latch_target(&s->latch);

	if (which == MEDIA_RTCP)
		return control_target(s, out);
	if (a)
		*out = *a;
	return a;
}

bool media_transmit(struct media_stream *s, int which, uint8_t *packet,
		    size_t n)
{
	struct media_address to;

	if (!find_target(s, which, &to))
		return false;
	if ((s->secure && !srtp_lane_protect(
			      s->out, which == MEDIA_RTP ? SRTP_RTP : SRTP_RTCP,
			      packet, &n, ROOM)) ||
	    sendto(s->fd[which], packet, n, MSG_NOSIGNAL, &to.u.any,
		   media_address_size(&to)) < 0) {
		s->stats.send_failures++;
		return false;
	}
	return true;
}

bool media_put(struct media_stream *s, const struct media_frame *f,
	       int64_t now_ms)
{
	_Alignas(8) uint8_t bytes[ROOM];
	struct rtp_packet p = {
		.marker = f->marker,
		.payload_type = f->payload_type,
		.sequence = s->sent.sequence,
		.timestamp = f->timestamp,
		.ssrc = s->sent.ssrc,
		.payload = f->payload,
	};
	size_t n;

	if (!s->ready || !s->send || !latch_target(&s->latch))
		return false;
	n = rtp_write(&p, bytes, RTP_PACKET_MAX);
	if (n == 0) {
		s->stats.send_failures++;
		return false;
	}
	/* Also of one that the kernel does not take: once it is sealed nothing
	 * else may be sealed by that number (RFC 3711 9.1), and never is. */
	s->sent.sequence++;
	if (!media_transmit(s, MEDIA_RTP, bytes, n))
		return false;
	s->sent.timestamp = f->timestamp;
	s->sent.at_ms = now_ms;
	s->sent.packets++;
	s->sent.bytes += (uint32_t)f->payload.len;
	s->stats.packets_out++;
	s->stats.bytes_out += f->payload.len;
	return true;
}

/* --- the echo ------------------------------------------------------------- */

static void echo_received(void *arg, struct media_stream *s,
			  const struct rtp_packet *p, int64_t now_ms)
{
	const struct media_frame f = {
		.marker = p->marker,
		.payload_type = p->payload_type,
		.timestamp = echo_timestamp(&s->echo, p->ssrc, p->timestamp,
					    s->start, now_ms),
		.payload = p->payload,
	};

	(void)arg;
	media_put(s, &f, now_ms);
}

const struct media_sink media_echo = { echo_received };

/* --- reports -------------------------------------------------------------- */

int64_t media_report_wait_ms(void)
{
	uint32_t r;

	random_bytes(&r, sizeof(r));
	return MEDIA_RTCP_MS / 2 + r % (MEDIA_RTCP_MS + 1);
}

static uint64_t ntp_now(void)
{
	uint64_t ms = (uint64_t)clock_now_ms();

	return (ms / 1000 + ntp_epoch) << 32 | (ms % 1000 << 32) / 1000;
}

/* False: nothing was received since the report before. */
static bool fill_block(struct media_stream *s, int64_t now_ms,
		       struct rtp_report *out)
{
	if (s->stats.packets_in == s->reported_in)
		return false;
	s->reported_in = s->stats.packets_in;
	rtp_reception_report(&s->reception, out);
	if (s->report_ntp && s->report_source == out->ssrc) {
		out->last_sr = s->report_ntp;
		out->delay = (uint32_t)((uint64_t)(now_ms - s->report_at_ms) *
					65536 / 1000);
	}
	return true;
}

void media_report(struct media_stream *s, bool bye, int64_t now_ms)
{
	_Alignas(8) uint8_t bytes[ROOM];
	struct rtp_report block;
	bool sender =
	    s->sent.packets && now_ms - s->sent.at_ms <= MEDIA_SENDER_MS;
	const struct rtcp_sent sent = {
		.ntp = ntp_now(),
		.timestamp = s->sent.timestamp +
			     (uint32_t)(now_ms - s->sent.at_ms) * UNITS_PER_MS,
		.packets = s->sent.packets,
		.bytes = s->sent.bytes,
	};
	bool received = fill_block(s, now_ms, &block);
	size_t n = rtcp_write(s->sent.ssrc, sender ? &sent : NULL,
			      received ? &block : NULL, s->cname, bye, bytes,
			      RTP_PACKET_MAX);

	if (n && media_transmit(s, MEDIA_RTCP, bytes, n))
		s->stats.rtcp_out++;
}

/* --- time ----------------------------------------------------------------- */

static bool is_silent(const struct media_stream *s, int64_t now_ms)
{
	return s->receive && s->options.silent && s->options.silence_ms &&
	       !s->told_silent &&
	       now_ms - s->expected_ms >= s->options.silence_ms;
}

void media_tick(struct media_stream *s, int64_t now_ms)
{
	if (!s->ready)
		return;
	if (now_ms >= s->report_due_ms) {
		s->report_due_ms = now_ms + media_report_wait_ms();
		media_report(s, false, now_ms);
	}
	if (is_silent(s, now_ms)) {
		s->told_silent = true;
		s->options.silent(s->options.arg, s->id);
	}
}
