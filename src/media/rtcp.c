/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "media/rtcp.h"

#include <string.h>

enum { RTCP_SR = 200, RTCP_RR = 201, RTCP_SDES = 202, RTCP_BYE = 203 };
enum { SENDER_BYTES = 20, BLOCK_BYTES = 24, SDES_CNAME = 1 };

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

/* --- reading */

static void read_block(const uint8_t *p, struct rtp_report *out)
{
	uint32_t lost = get32(p + 4) & 0xffffff;

	out->ssrc = get32(p);
	out->fraction_lost = p[4];
	/* 24 bits with a sign */
	out->lost = (int32_t)(lost ^ 0x800000) - 0x800000;
	out->greatest = get32(p + 8);
	out->jitter = get32(p + 12);
	out->last_sr = get32(p + 16);
	out->delay = get32(p + 20);
}

/* body: behind the header and the sender's SSRC. What is said of time is taken
 * from the first packet, whose sender is remembered. */
static bool read_report(struct view body, bool sender, bool first,
			unsigned count, uint32_t ours, struct rtcp_news *out)
{
	size_t at = sender ? SENDER_BYTES : 0;

	if (body.len < at + (size_t)count * BLOCK_BYTES)
		return false;
	if (sender && first) {
		out->sender_report = true;
		out->ntp = get32(body.ptr + 2);
	}
	for (unsigned i = 0; i < count; i++, at += BLOCK_BYTES)
		if (get32(body.ptr + at) == ours) {
			read_block(body.ptr + at, &out->report);
			out->about_us = true;
		}
	return true;
}

/* One packet of a compound; *rest moves behind it. */
static bool read_one(struct view *rest, bool first, uint32_t ours,
		     struct rtcp_news *out)
{
	const uint8_t *p = rest->ptr;
	size_t length;
	bool report;

	if (rest->len < 4 || p[0] >> 6 != 2)
		return false;
	length = 4 * (((size_t)p[2] << 8 | p[3]) + 1);
	report = p[1] == RTCP_SR || p[1] == RTCP_RR;
	if (length > rest->len || (first && !report))
		return false;
	if (report && (length < 8 ||
		       !read_report(view_of(p + 8, length - 8), p[1] == RTCP_SR,
				    first, p[0] & 0x1f, ours, out)))
		return false;
	if (first)
		out->sender = get32(p + 4);
	if (p[1] == RTCP_BYE)
		out->bye = true;
	*rest = view_of(p + length, rest->len - length);
	return true;
}

bool rtcp_read(struct view data, uint32_t ours, struct rtcp_news *out)
{
	bool first = true;

	memset(out, 0, sizeof(*out));
	while (data.len || first) {
		if (!read_one(&data, first, ours, out))
			return false;
		first = false;
	}
	return true;
}

/* --- writing */

struct writer {
	uint8_t *out;
	size_t at, size;
	bool full;
};

static void add8(struct writer *w, unsigned n)
{
	if (w->at == w->size)
		w->full = true;
	else
		w->out[w->at++] = (uint8_t)n;
}

static void add32(struct writer *w, uint32_t n)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		add8(w, n >> shift & 0xff);
}

/* The header; its length is known at the end. */
static size_t begin(struct writer *w, unsigned count, unsigned type)
{
	size_t at = w->at;

	add8(w, 2u << 6 | count);
	add8(w, type);
	add8(w, 0);
	add8(w, 0);
	return at;
}

static void end(struct writer *w, size_t at)
{
	size_t words;

	if (w->full)
		return;
	words = (w->at - at) / 4 - 1;
	w->out[at + 2] = (uint8_t)(words >> 8);
	w->out[at + 3] = (uint8_t)words;
}

static void add_report(struct writer *w, uint32_t ours,
		       const struct rtcp_sent *sent,
		       const struct rtp_report *block)
{
	size_t at = begin(w, block ? 1 : 0, sent ? RTCP_SR : RTCP_RR);

	add32(w, ours);
	if (sent) {
		add32(w, (uint32_t)(sent->ntp >> 32));
		add32(w, (uint32_t)sent->ntp);
		add32(w, sent->timestamp);
		add32(w, sent->packets);
		add32(w, sent->bytes);
	}
	if (block) {
		add32(w, block->ssrc);
		add32(w, (uint32_t)block->fraction_lost << 24 |
			     ((uint32_t)block->lost & 0xffffff));
		add32(w, block->greatest);
		add32(w, block->jitter);
		add32(w, block->last_sr);
		add32(w, block->delay);
	}
	end(w, at);
}

/* 6.5: items end with a zero and fill up a word. */
static void add_name(struct writer *w, uint32_t ours, const char *cname)
{
	size_t at = begin(w, 1, RTCP_SDES), n = strnlen(cname, RTCP_CNAME_MAX);

	add32(w, ours);
	add8(w, SDES_CNAME);
	add8(w, (unsigned)n);
	for (size_t i = 0; i < n; i++)
		add8(w, (uint8_t)cname[i]);
	do
		add8(w, 0);
	while (!w->full && w->at % 4);
	end(w, at);
}

size_t rtcp_write(uint32_t ours, const struct rtcp_sent *sent,
		  const struct rtp_report *block, const char *cname, bool bye,
		  uint8_t *out, size_t size)
{
	struct writer w = { .out = out, .size = size };

	add_report(&w, ours, sent, block);
	add_name(&w, ours, cname);
	if (bye) {
		size_t at = begin(&w, 1, RTCP_BYE);

		add32(&w, ours);
		end(&w, at);
	}
	return w.full ? 0 : w.at;
}
