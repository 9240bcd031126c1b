/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/unit.h"
#include "tests/unit/media_fixture.h"

/* What time does to a stream, and reports. The clock is the test's. */

/* --- silence */

struct told {
	atomic_uint times;
	_Atomic media_id id;
};

static void silent(void *arg, media_id id)
{
	struct told *t = arg;

	t->times++;
	t->id = id;
}

static void call(struct fixture *f, struct peer *p, struct told *t,
		 unsigned silence_ms)
{
	fixture_start(f, 0, 0);
	f->options.silence_ms = silence_ms;
	f->options.silent = silent;
	f->options.arg = t;
	fixture_call(f, p, "127.0.0.1");
}

static unsigned after(struct told *t, int64_t ms)
{
	fixture_pass(ms);
	fixture_settle();
	return t->times;
}

static void test_silence(void)
{
	struct told t = { 0 };
	struct fixture f;
	struct peer p;
	struct media_remote r;

	call(&f, &p, &t, 30000);
	CU_ASSERT_EQUAL(after(&t, 29999), 0);
	fixture_echo(&p, NULL);
	CU_ASSERT_EQUAL(after(&t, 29999), 0);
	/* What is not valid is no sign of life. */
	peer_say(&p, 14, false, view_of("x", 1), NULL);
	fixture_dropped(&f, MEDIA_FOREIGN, 1);
	/* Nor is a description that changes nothing. */
	r = fixture_remote(&p);
	fixture_agree(&f, &r);
	CU_ASSERT_EQUAL(after(&t, 1), 1);
	CU_ASSERT_EQUAL(t.id, f.local.id);
	CU_ASSERT_EQUAL(after(&t, 100000), 1); /* told once */
	fixture_echo(&p, NULL);
	CU_ASSERT_EQUAL(after(&t, 29999), 1);
	CU_ASSERT_EQUAL(after(&t, 1), 2);
	media_close(f.media, f.local.id);
	CU_ASSERT_EQUAL(t.times, 2);
	peer_close(&p);
	fixture_end(&f);
}

static void wait_for_reports(struct fixture *f, uint64_t n)
{
	for (int i = 0; i < 10000 && fixture_stats(f).rtcp_in < n; i++)
		usleep(1000);
	CU_ASSERT_EQUAL(fixture_stats(f).rtcp_in, n);
}

/* A receiver report of that source; bye: it says good-bye. */
static void report(struct peer *p, uint32_t ssrc, bool bye)
{
	uint8_t bytes[PEER_BYTES];
	size_t n =
	    rtcp_write(ssrc, NULL, NULL, "peer", bye, bytes, sizeof(bytes));

	peer_report(p, bytes, n);
}

/* Who says nothing for a long time still reports (RFC 3550 6.2). */
static void test_reports_are_life(void)
{
	struct told t = { 0 };
	struct fixture f;
	struct peer p;

	call(&f, &p, &t, 30000);
	for (uint64_t i = 1; i <= 4; i++) {
		CU_ASSERT_EQUAL(after(&t, 29999), 0);
		report(&p, p.ssrc, false);
		wait_for_reports(&f, i);
	}
	/* A good-bye is none, nor is what cannot be read. */
	CU_ASSERT_EQUAL(after(&t, 29999), 0);
	report(&p, p.ssrc, true);
	wait_for_reports(&f, 5);
	peer_send(&p, PEER_RTCP, "\x80\xc9\x00\x02\0\0\0\1", 8);
	fixture_dropped(&f, MEDIA_MALFORMED, 1);
	CU_ASSERT_EQUAL(after(&t, 1), 1);
	/* It is told again after a sign of life. */
	report(&p, p.ssrc, false);
	wait_for_reports(&f, 6);
	CU_ASSERT_EQUAL(after(&t, 29999), 1);
	CU_ASSERT_EQUAL(after(&t, 1), 2);
	peer_close(&p);
	fixture_end(&f);
}

static const struct srtp_key keys[] = {
	{ SRTP_SHA1_80, "abcdefghijklmnopqrstuvwxyz1234" },
	{ SRTP_SHA1_80, "zyxwvutsrqponmlkjihgfedcba4321" },
	{ SRTP_SHA1_80, "another key of somebody else's" },
};

/* Forged ones are of nobody who counts: from another host, in the clear or with
 * another key where there is one, and a copy. */
static void test_forged_reports_are_no_life(void)
{
	struct told t = { 0 };
	struct media_remote r;
	struct fixture f;
	struct peer p, liar;
	uint8_t heard[PEER_BYTES];
	size_t n;

	call(&f, &p, &t, 30000);
	peer_open(&liar, "127.0.0.2", f.local.port);
	CU_ASSERT_EQUAL(after(&t, 29999), 0);
	report(&liar, p.ssrc, false);
	fixture_dropped(&f, MEDIA_STRANGER, 1);
	CU_ASSERT_EQUAL(after(&t, 1), 1);
	r = fixture_remote(&p);
	r.secure = true;
	r.in = keys[0];
	r.out = keys[1];
	fixture_agree(&f, &r);
	peer_set_keys(&p, &keys[1], &keys[0]);
	/* Whoever has the key may have another address. */
	peer_set_keys(&liar, &keys[1], &keys[0]);
	report(&liar, p.ssrc, false);
	wait_for_reports(&f, 1);
	CU_ASSERT_EQUAL(after(&t, 29999), 1);
	n = rtcp_write(p.ssrc, NULL, NULL, "peer", false, heard, sizeof(heard));
	peer_send(&p, PEER_RTCP, heard, n);
	fixture_dropped(&f, MEDIA_FORGED, 1);
	srtp_dealloc(p.out);
	p.out = peer_session(&keys[2], false);
	report(&p, p.ssrc + 1, false);
	fixture_dropped(&f, MEDIA_FORGED, 2);
	CU_ASSERT_EQUAL(after(&t, 1), 2);
	peer_close(&liar);
	peer_close(&p);
	fixture_end(&f);
}

/* What stands for silence: a sign of life that has its number in the sequence,
 * and no sound to be given back. */
static void test_comfort_noise(void)
{
	struct told t = { 0 };
	struct rtp_packet before, behind;
	struct fixture f;
	struct peer p;

	call(&f, &p, &t, 30000);
	fixture_echo(&p, &before);
	for (uint64_t i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(after(&t, 29999), 0);
		peer_say(&p, RTP_COMFORT_NOISE, false, view_of("\x40", 1),
			 NULL);
		fixture_received(&f, 2 + i);
	}
	CU_ASSERT_EQUAL(fixture_stats(&f).packets_out, 1);
	fixture_echo(&p, &behind);
	CU_ASSERT_EQUAL(behind.sequence, (uint16_t)(before.sequence + 1));
	CU_ASSERT_EQUAL(fixture_stats(&f).lost, 0);
	CU_ASSERT_EQUAL(after(&t, 29999), 0);
	CU_ASSERT_EQUAL(after(&t, 1), 1);
	peer_close(&p);
	fixture_end(&f);
}

/* On hold nothing is expected; afterwards it is counted anew. */
static void test_hold(void)
{
	struct told t = { 0 };
	struct fixture f;
	struct peer p;
	struct media_remote r;

	call(&f, &p, &t, 30000);
	r = fixture_remote(&p);
	r.receive = false;
	fixture_agree(&f, &r);
	CU_ASSERT_EQUAL(after(&t, 3600000), 0);
	r.receive = true;
	fixture_agree(&f, &r);
	CU_ASSERT_EQUAL(after(&t, 29999), 0);
	CU_ASSERT_EQUAL(after(&t, 1), 1);
	peer_close(&p);
	fixture_end(&f);
}

static void test_never(void)
{
	struct told t = { 0 };
	struct fixture f;
	struct peer p;

	call(&f, &p, &t, 0);
	CU_ASSERT_EQUAL(after(&t, 3600000), 0);
	peer_close(&p);
	fixture_end(&f);
}

/* --- reports */

static bool next_report(struct peer *p, uint32_t about, struct rtcp_news *out)
{
	uint8_t bytes[PEER_BYTES];
	int n = peer_hear(p, PEER_RTCP, bytes, PEER_WAIT_MS);

	return n > 0 && rtcp_read(view_of(bytes, (size_t)n), about, out);
}

static void test_reports(void)
{
	struct fixture f;
	struct peer p;
	struct rtp_packet heard;
	struct rtcp_news news;

	fixture_start(&f, 0, 0);
	fixture_call(&f, &p, "127.0.0.1");
	/* The first one not before a quarter of the mean time. */
	fixture_pass(MEDIA_RTCP_MS / 4 - 1);
	fixture_settle();
	CU_ASSERT_EQUAL(fixture_stats(&f).rtcp_out, 0);
	fixture_pass(MEDIA_RTCP_MS);
	CU_ASSERT_TRUE_FATAL(next_report(&p, p.ssrc, &news));
	CU_ASSERT_FALSE(news.sender_report || news.about_us || news.bye);
	/* Five sent, three of them lost in between. */
	for (int i = 0; i < 5; i++) {
		fixture_echo(&p, &heard);
		p.sequence += i == 2 ? 3 : 0;
	}
	fixture_pass(2 * MEDIA_RTCP_MS);
	CU_ASSERT_TRUE_FATAL(next_report(&p, p.ssrc, &news));
	CU_ASSERT_TRUE(news.sender_report);
	CU_ASSERT_EQUAL(news.sender, heard.ssrc);
	CU_ASSERT_TRUE_FATAL(news.about_us);
	CU_ASSERT_EQUAL(news.report.lost, 3);
	CU_ASSERT_EQUAL(news.report.fraction_lost, 3 * 256 / 8);
	CU_ASSERT_EQUAL(news.report.greatest,
			p.sequence - 1 + (p.sequence < 100 ? 65536 : 0));
	CU_ASSERT_EQUAL(news.report.last_sr, 0);
	CU_ASSERT_EQUAL(fixture_stats(&f).lost, 3);
	/* Nothing more came, and long ago we sent. */
	fixture_pass(2 * MEDIA_RTCP_MS);
	CU_ASSERT_TRUE_FATAL(next_report(&p, p.ssrc, &news));
	CU_ASSERT_FALSE(news.sender_report || news.about_us);
	/* The end is said. */
	media_close(f.media, f.local.id);
	CU_ASSERT_TRUE_FATAL(next_report(&p, p.ssrc, &news));
	CU_ASSERT_TRUE(news.bye);
	peer_close(&p);
	fixture_end(&f);
}

/* What the other side reports: its time is given back, its losses are shown. */
static void test_heard(void)
{
	const struct rtcp_sent sent = { .ntp = 0x1122334455667788ULL };
	struct rtp_report block = { .lost = 7, .jitter = 11 };
	uint8_t bytes[PEER_BYTES];
	struct rtp_packet heard;
	struct rtcp_news news;
	struct fixture f;
	struct peer p;
	size_t n;

	fixture_start(&f, 0, 0);
	fixture_call(&f, &p, "127.0.0.1");
	fixture_echo(&p, &heard);
	block.ssrc = heard.ssrc;
	n = rtcp_write(p.ssrc, &sent, &block, "peer", false, bytes,
		       sizeof(bytes));
	peer_report(&p, bytes, n);
	wait_for_reports(&f, 1);
	CU_ASSERT_TRUE(fixture_stats(&f).remote_reported);
	CU_ASSERT_EQUAL(fixture_stats(&f).remote_lost, 7);
	CU_ASSERT_EQUAL(fixture_stats(&f).remote_jitter, 11);
	fixture_pass(2 * MEDIA_RTCP_MS);
	CU_ASSERT_TRUE_FATAL(next_report(&p, p.ssrc, &news));
	CU_ASSERT_EQUAL(news.report.last_sr, 0x33445566);
	CU_ASSERT_EQUAL(news.report.delay, 2 * MEDIA_RTCP_MS / 1000 * 65536);
	peer_close(&p);
	fixture_end(&f);
}

static const struct {
	const char *in;
	size_t n;
} broken[] = {
	{ "", 0 },
	{ "\x80\xc9\x00", 3 },
	{ "\x40\xc9\x00\x01\0\0\0\1", 8 },
	{ "\x80\xc9\x00\x02\0\0\0\1", 8 },
	{ "\x80\xc9\xff\xff\0\0\0\1", 8 },
	{ "\x9f\xc9\x00\x01\0\0\0\1", 8 },
	{ "\x80\xcb\x00\x01\0\0\0\1", 8 },
	{ "\x80\xc9\x00\x01\0\0\0\1\x80", 9 },
	{ "\x80\x00\0\1\0\0\0\1\0\0\0\1sound", 17 },
};

static void test_hostile(void)
{
	static uint8_t huge[9000];
	struct fixture f;
	struct peer p, liar;
	struct rtp_packet heard;
	uint8_t bytes[PEER_BYTES];
	uint64_t bad = 0;
	size_t n;

	fixture_start(&f, 0, 0);
	fixture_call(&f, &p, "127.0.0.1");
	fixture_echo(&p, &heard);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		peer_send(&p, PEER_RTCP, broken[i].in, broken[i].n);
		fixture_dropped(&f, MEDIA_MALFORMED, ++bad);
	}
	peer_send(&p, PEER_RTCP, huge, sizeof(huge));
	fixture_dropped(&f, MEDIA_MALFORMED, ++bad);
	n = rtcp_write(heard.ssrc, NULL, NULL, "us", true, bytes,
		       sizeof(bytes));
	peer_report(&p, bytes, n);
	fixture_dropped(&f, MEDIA_LOOPED, 1);
	/* Another host than the audio's. */
	peer_open(&liar, "127.0.0.2", f.local.port);
	n = rtcp_write(7, NULL, NULL, "other", true, bytes, sizeof(bytes));
	peer_report(&liar, bytes, n);
	fixture_dropped(&f, MEDIA_STRANGER, 1);
	/* A BYE does not end the call, SIP does. */
	peer_report(&p, bytes, n);
	wait_for_reports(&f, 1);
	fixture_echo(&p, NULL);
	peer_close(&liar);
	peer_close(&p);
	fixture_end(&f);
}

/* As announced; audio from elsewhere than that: beside it, until some come,
 * then whence they come. */
static void test_where_reports_go(void)
{
	struct fixture f;
	struct peer announced, p, third;
	struct rtcp_news news;
	struct media_remote r;

	fixture_start(&f, 0, 0);
	fixture_call(&f, &announced, "127.0.0.1");
	fixture_pass(2 * MEDIA_RTCP_MS);
	CU_ASSERT_TRUE(next_report(&announced, 0, &news));
	peer_open(&third, "127.0.0.1", f.local.port);
	r = fixture_remote(&announced);
	r.rtcp_port = (uint16_t)(third.port + 1);
	fixture_agree(&f, &r);
	fixture_pass(2 * MEDIA_RTCP_MS);
	CU_ASSERT_TRUE(next_report(&third, 0, &news));
	peer_open(&p, "127.0.0.2", f.local.port);
	fixture_echo(&p, NULL);
	fixture_pass(2 * MEDIA_RTCP_MS);
	CU_ASSERT_TRUE(next_report(&p, 0, &news));
	peer_close(&third);
	peer_open(&third, "127.0.0.2", f.local.port);
	peer_report(&third, (const uint8_t *)"\x80\xc9\x00\x01\0\0\0\1", 8);
	wait_for_reports(&f, 1);
	fixture_pass(2 * MEDIA_RTCP_MS);
	CU_ASSERT_TRUE(next_report(&third, 0, &news));
	peer_close(&announced);
	peer_close(&third);
	peer_close(&p);
	fixture_end(&f);
}

/* Two streams of ours that are told to send to each other answer nothing. */
static void test_loop(void)
{
	struct error e = ERROR_INIT;
	struct media_remote r;
	struct fixture f;
	struct peer p;
	media_id first;

	fixture_start(&f, 0, 0);
	fixture_call(&f, &p, "127.0.0.1");
	first = f.local.id;
	r = fixture_remote(&p);
	r.port = (uint16_t)(f.local.port + 2); /* not ours yet */
	fixture_agree(&f, &r);
	CHECK_OK(media_open(f.media, &f.options, &f.local, &e), &e);
	CU_ASSERT_EQUAL_FATAL(f.local.port, r.port);
	CHECK_FAILS(media_set_remote(f.media, first, &r, &e), &e, ERR_INPUT,
		    "ours");
	r = fixture_remote(&p);
	fixture_agree(&f, &r);
	fixture_pass(MEDIA_RTCP_MS);
	fixture_dropped(&f, MEDIA_LOOPED, 1);
	peer_close(&p);
	fixture_end(&f);
}

static const struct unit_test tests[] = {
	{ "silence is told", test_silence },
	{ "reports are a sign of life", test_reports_are_life },
	{ "forged reports are none", test_forged_reports_are_no_life },
	{ "comfort noise", test_comfort_noise },
	{ "silence on hold", test_hold },
	{ "silence that nobody asks for", test_never },
	{ "our reports", test_reports },
	{ "their reports", test_heard },
	{ "hostile reports", test_hostile },
	{ "where reports go", test_where_reports_go },
	{ "a loop", test_loop },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "media-time", tests, NULL, NULL);
}
