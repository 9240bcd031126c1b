/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media/rtcp.h"
#include "media/rtp.h"
#include "tests/lib/unit.h"

/* RTP and RTCP packets, and what a receiver counts. */

/* --- packets */

#define HEAD "\x12\x34\x00\x00\x00\xa0\xde\xad\xbe\xef"

static const struct {
	const char *in;
	size_t n;
	bool ok;
	const char *payload;
} packets[] = {
	{ "\x80\x00" HEAD "abc", 15, true, "abc" },
	{ "\x80\x88" HEAD, 12, true, "" },
	{ "\x82\x00" HEAD "CCCCDDDDabc", 23, true, "abc" },
	{ "\x90\x00" HEAD "\xbe\xde\x00\x01XXXXabc", 23, true, "abc" },
	{ "\x90\x00" HEAD "\xbe\xde\x00\x00"
	  "abc",
	  19, true, "abc" },
	{ "\xa0\x00" HEAD "abc\x00\x02", 17, true, "abc" },
	{ "\xa0\x00" HEAD "\x01", 13, true, "" },
	{ "\xb1\x00" HEAD "CCCC\xbe\xde\x00\x01XXXXab\x01", 27, true, "ab" },
	/* Cut short, or not what it says. */
	{ "", 0, false, NULL },
	{ "\x80\x00" HEAD, 11, false, NULL },
	{ "\x40\x00" HEAD, 12, false, NULL },
	{ "\xc0\x00" HEAD, 12, false, NULL },
	{ "\x82\x00" HEAD "CCCCDDD", 19, false, NULL },
	{ "\x90\x00" HEAD "\xbe\xde\x00", 15, false, NULL },
	{ "\x90\x00" HEAD "\xbe\xde\x00\x02XXXX", 20, false, NULL },
	{ "\x90\x00" HEAD "\xbe\xde\xff\xffXXXX", 20, false, NULL },
	{ "\xa0\x00" HEAD, 12, false, NULL },
	{ "\xa0\x00" HEAD "abc\x00", 16, false, NULL },
	{ "\xa0\x00" HEAD "ab\x04", 15, false, NULL },
	/* RTCP. */
	{ "\x80\xc8" HEAD, 12, false, NULL },
	{ "\x80\xcb" HEAD, 12, false, NULL },
};

/* In memory of its own length, so that the sanitizer sees a byte too far. */
static uint8_t *exact(const void *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	if (n)
		memcpy(copy, p, n);
	return copy;
}

static void test_packets(void)
{
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		uint8_t *in = exact(packets[i].in, packets[i].n);
		struct rtp_packet p;
		bool ok = rtp_read(view_of(in, packets[i].n), &p);

		if (ok != packets[i].ok)
			unit_note("packet %zu", i);
		CU_ASSERT_EQUAL(ok, packets[i].ok);
		if (ok && packets[i].ok) {
			CU_ASSERT_EQUAL(p.sequence, 0x1234);
			CU_ASSERT_EQUAL(p.timestamp, 0xa0);
			CU_ASSERT_EQUAL(p.ssrc, 0xdeadbeef);
			CU_ASSERT_TRUE(view_is(p.payload, packets[i].payload));
		}
		free(in);
	}
}

static void test_write(void)
{
	const struct rtp_packet p = {
		.marker = true,
		.payload_type = 101,
		.sequence = 0xfffe,
		.timestamp = 0x89abcdef,
		.ssrc = 1,
		.payload = view_of("xyz", 3),
	};
	struct rtp_packet again;
	uint8_t out[15];

	CU_ASSERT_EQUAL(rtp_write(&p, out, 14), 0);
	CU_ASSERT_EQUAL(rtp_write(&p, out, 11), 0);
	CU_ASSERT_EQUAL(rtp_write(&p, out, sizeof(out)), 15);
	CU_ASSERT_EQUAL(
	    memcmp(out, "\x80\xe5\xff\xfe\x89\xab\xcd\xef\0\0\0\1xyz", 15), 0);
	CU_ASSERT_TRUE(rtp_read(view_of(out, 15), &again));
	CU_ASSERT_TRUE(again.marker);
	CU_ASSERT_EQUAL(again.payload_type, 101);
}

/* --- reception */

struct step {
	uint32_t ssrc;
	uint16_t sequence;
	enum rtp_verdict verdict;
};

static enum rtp_verdict take(struct rtp_reception *r, uint32_t ssrc,
			     uint16_t sequence, uint32_t timestamp,
			     uint32_t arrival)
{
	const struct rtp_packet p = { .ssrc = ssrc,
				      .sequence = sequence,
				      .timestamp = timestamp };

	return rtp_reception_take(r, &p, arrival);
}

static void test_sequence(void)
{
	static const struct step steps[] = {
		{ 1, 65534, RTP_TAKEN },
		{ 1, 65535, RTP_TAKEN },
		{ 1, 65535, RTP_OLD }, /* a copy */
		{ 1, 1, RTP_TAKEN },   /* wrapped, 0 is missing */
		{ 1, 0, RTP_OLD },     /* late */
		{ 1, 2, RTP_TAKEN },
		{ 1, 2999, RTP_TAKEN },    /* a gap */
		{ 1, 20000, RTP_STRANGE }, /* a jump */
		{ 1, 3000, RTP_TAKEN },
		{ 1, 20000, RTP_STRANGE },
		{ 1, 20001, RTP_TAKEN }, /* twice in a row: a new start */
		{ 1, 20000, RTP_OLD },
		{ 2, 5, RTP_TAKEN }, /* another source */
		{ 2, 6, RTP_TAKEN },
	};
	struct rtp_reception r = { 0 };
	struct rtp_report report;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		enum rtp_verdict v =
		    take(&r, steps[i].ssrc, steps[i].sequence, 0, 0);

		if (v != steps[i].verdict)
			unit_note("step %zu: %d", i, (int)v);
		CU_ASSERT_EQUAL(v, steps[i].verdict);
	}
	rtp_reception_report(&r, &report);
	CU_ASSERT_EQUAL(report.ssrc, 2);
	CU_ASSERT_EQUAL(report.greatest, 6);
	CU_ASSERT_EQUAL(report.lost, 0);
}

/* Lost since the report before, and in all; copies count against losses. */
static void test_losses(void)
{
	struct rtp_reception r = { 0 };
	struct rtp_report report;

	rtp_reception_report(&r, &report);
	CU_ASSERT_EQUAL(report.lost, 0);
	CU_ASSERT_EQUAL(report.fraction_lost, 0);
	for (uint32_t i = 0; i < 100; i++)
		if (i % 4 != 3)
			take(&r, 7, (uint16_t)(65500 + i), 0, 0);
	rtp_reception_report(&r, &report);
	/* 0 to 98 expected, 24 of them missing */
	CU_ASSERT_EQUAL(report.greatest, 65536 + 62);
	CU_ASSERT_EQUAL(report.lost, 24);
	CU_ASSERT_EQUAL(report.fraction_lost, 24 * 256 / 99);
	for (uint32_t i = 99; i < 110; i++)
		take(&r, 7, (uint16_t)(65500 + i), 0, 0);
	rtp_reception_report(&r, &report);
	CU_ASSERT_EQUAL(report.lost, 24);
	CU_ASSERT_EQUAL(report.fraction_lost, 0);
	for (int i = 0; i < 30; i++)
		take(&r, 7, (uint16_t)(65500 + 109), 0, 0);
	rtp_reception_report(&r, &report);
	CU_ASSERT_EQUAL(report.lost, -6);
	CU_ASSERT_EQUAL(report.fraction_lost, 0);
}

/* A.8: packets that arrive as they were sent have no jitter, also when
 * timestamps wrap; one that comes 160 late adds a sixteenth of that. */
static void test_jitter(void)
{
	struct rtp_reception r = { 0 };
	struct rtp_report report;
	uint32_t t = 0xffffff00;

	for (uint16_t i = 0; i < 20; i++, t += 160)
		take(&r, 1, i, t, t + 4711);
	rtp_reception_report(&r, &report);
	CU_ASSERT_EQUAL(report.jitter, 0);
	take(&r, 1, 20, t, t + 4711 + 160);
	rtp_reception_report(&r, &report);
	CU_ASSERT_EQUAL(report.jitter, 10);
	take(&r, 1, 21, t + 160, t + 160 + 4711);
	rtp_reception_report(&r, &report);
	CU_ASSERT_EQUAL(report.jitter, 19);
}

/* --- RTCP */

static void test_rtcp_written(void)
{
	static const struct rtcp_sent sent = { 0x0123456789abcdefULL, 160, 5,
					       800 };
	static const struct rtp_report block = {
		.ssrc = 9,
		.fraction_lost = 64,
		.lost = -2,
		.greatest = 70000,
		.jitter = 3,
		.last_sr = 0x456789ab,
		.delay = 65536,
	};
	static const uint8_t receiver[] =
	    "\x81\xc9\x00\x07\0\0\0\1"
	    "\0\0\0\x09\x40\xff\xff\xfe\0\x01\x11\x70\0\0\0\3"
	    "\x45\x67\x89\xab\0\1\0\0"
	    "\x81\xca\x00\x03\0\0\0\1\1\4a@b.\0\0";
	uint8_t out[RTCP_PACKET_MAX];
	struct rtcp_news news;
	size_t n;

	n = rtcp_write(1, NULL, &block, "a@b.", false, out, sizeof(out));
	CU_ASSERT_EQUAL_FATAL(n, sizeof(receiver) - 1);
	CU_ASSERT_EQUAL(memcmp(out, receiver, n), 0);
	for (size_t less = 0; less < n; less++)
		CU_ASSERT_EQUAL(
		    rtcp_write(1, NULL, &block, "a@b.", false, out, less), 0);
	/* What we write, the other side reads. */
	n = rtcp_write(1, &sent, &block, "abc", true, out, sizeof(out));
	CU_ASSERT_TRUE(rtcp_read(view_of(out, n), 9, &news));
	CU_ASSERT_TRUE(news.sender_report);
	CU_ASSERT_TRUE(news.bye);
	CU_ASSERT_TRUE(news.about_us);
	CU_ASSERT_EQUAL(news.sender, 1);
	CU_ASSERT_EQUAL(news.ntp, 0x456789ab);
	CU_ASSERT_EQUAL(memcmp(&news.report, &block, sizeof(block)), 0);
	CU_ASSERT_TRUE(rtcp_read(view_of(out, n), 8, &news));
	CU_ASSERT_FALSE(news.about_us);
	/* Nothing received yet. */
	n = rtcp_write(1, NULL, NULL, "", false, out, sizeof(out));
	CU_ASSERT_TRUE(rtcp_read(view_of(out, n), 9, &news));
	CU_ASSERT_FALSE(news.sender_report || news.bye || news.about_us);
}

static const struct {
	const char *in;
	size_t n;
	bool ok;
} compounds[] = {
	{ "\x80\xc9\x00\x01\0\0\0\1", 8, true },
	{ "\x80\xc9\x00\x01\0\0\0\1\x80\xcb\x00\x00", 12, true },
	{ "\x80\xc9\x00\x01\0\0\0\1\x80\xff\x00\x00", 12, true },
	{ "", 0, false },
	{ "\x80\xc9\x00", 3, false },
	{ "\x40\xc9\x00\x01\0\0\0\1", 8, false },
	{ "\x80\xc9\x00\x02\0\0\0\1", 8, false },
	{ "\x80\xc9\xff\xff\0\0\0\1", 8, false },
	{ "\x80\xc9\x00\x00", 4, false },
	{ "\x81\xc9\x00\x01\0\0\0\1", 8, false },
	{ "\x80\xc8\x00\x01\0\0\0\1", 8, false },
	{ "\x80\xca\x00\x01\0\0\0\1", 8, false }, /* no report first */
	{ "\x80\xc9\x00\x01\0\0\0\1\x80\xcb\x00", 11, false },
	{ "\x80\x00" HEAD "abcd", 16, false },
};

static void test_rtcp_read(void)
{
	for (size_t i = 0; i < sizeof(compounds) / sizeof(compounds[0]); i++) {
		uint8_t *in = exact(compounds[i].in, compounds[i].n);
		struct rtcp_news news;

		if (rtcp_read(view_of(in, compounds[i].n), 1, &news) !=
		    compounds[i].ok)
			unit_note("compound %zu", i);
		CU_ASSERT_EQUAL(
		    rtcp_read(view_of(in, compounds[i].n), 1, &news),
		    compounds[i].ok);
		free(in);
	}
}

/* A mixer's second report tells of another's time. */
static void test_second_report(void)
{
	const struct rtcp_sent sent[] = { { .ntp = 0x1111222233334444ULL },
					  { .ntp = 0x5555666677778888ULL } };
	uint8_t out[256];
	size_t n = rtcp_write(1, &sent[0], NULL, "a", false, out, sizeof(out));
	struct rtcp_news news;

	n +=
	    rtcp_write(2, &sent[1], NULL, "b", false, out + n, sizeof(out) - n);
	CU_ASSERT_TRUE(rtcp_read(view_of(out, n), 9, &news));
	CU_ASSERT_EQUAL(news.sender, 1);
	CU_ASSERT_EQUAL(news.ntp, 0x22223333);
}

/* Any bytes: read to the end of the memory and not behind it. */
static void test_random(void)
{
	unsigned seed = 3550, read = 0;

	for (int round = 0; round < 20000; round++) {
		uint8_t bytes[64];
		size_t n = (size_t)rand_r(&seed) % sizeof(bytes);
		struct rtcp_news news;
		struct rtp_packet p;
		uint8_t *in;

		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)(rand_r(&seed) >> 7);
		bytes[0] = (uint8_t)(0x80 | (bytes[0] & 0x33));
		if (round % 2) {
			bytes[1] = 201;
			bytes[2] = 0;
			bytes[3] &= 0x0f;
		}
		in = exact(bytes, n);
		read += rtp_read(view_of(in, n), &p);
		read += rtcp_read(view_of(in, n), 1, &news);
		free(in);
	}
	CU_ASSERT_TRUE(read > 1000);
}

static const struct unit_test tests[] = {
	{ "RTP packets", test_packets },
	{ "an RTP packet of ours", test_write },
	{ "sequence numbers", test_sequence },
	{ "losses", test_losses },
	{ "jitter", test_jitter },
	{ "RTCP of ours", test_rtcp_written },
	{ "RTCP packets", test_rtcp_read },
	{ "two senders in one packet", test_second_report },
	{ "any bytes", test_random },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "media", tests, NULL, NULL);
}
