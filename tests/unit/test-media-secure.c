/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/unit.h"
#include "tests/unit/media_fixture.h"

/* Streams with keys, against libsrtp2 in the hands of the peer. */

static const struct srtp_key theirs[SRTP_SUITE_COUNT] = {
	{ SRTP_SHA1_80, "abcdefghijklmnopqrstuvwxyz1234" },
	{ SRTP_SHA1_32, "ABCDEFGHIJKLMNOPQRSTUVWXYZ5678" },
};
static const struct srtp_key ours[SRTP_SUITE_COUNT] = {
	{ SRTP_SHA1_80, "zyxwvutsrqponmlkjihgfedcba4321" },
	{ SRTP_SHA1_32, "ZYXWVUTSRQPONMLKJIHGFEDCBA8765" },
};

/* Linked with --wrap: the kernel takes nothing from the engine. */
static atomic_bool no_way;
static pthread_t test_thread;

ssize_t __real_sendto(int fd, const void *p, size_t n, int flags,
		      const struct sockaddr *to, socklen_t size);
ssize_t __wrap_sendto(int fd, const void *p, size_t n, int flags,
		      const struct sockaddr *to, socklen_t size);

ssize_t __wrap_sendto(int fd, const void *p, size_t n, int flags,
		      const struct sockaddr *to, socklen_t size)
{
	if (!no_way || pthread_equal(pthread_self(), test_thread))
		return __real_sendto(fd, p, n, flags, to, size);
	errno = ENETUNREACH;
	return -1;
}

/* The stream's side of the description; the peer gets the same keys. */
static void secure(struct fixture *f, struct peer *p, const struct srtp_key *in,
		   const struct srtp_key *out)
{
	struct media_remote r = fixture_remote(p);

	r.secure = true;
	r.in = *in;
	r.out = *out;
	fixture_agree(f, &r);
}

static void call(struct fixture *f, struct peer *p, int suite)
{
	fixture_start(f, 0, 0);
	fixture_call(f, p, "127.0.0.1");
	secure(f, p, &theirs[suite], &ours[suite]);
	peer_set_keys(p, &ours[suite], &theirs[suite]);
}

static void end(struct fixture *f, struct peer *p)
{
	peer_close(p);
	fixture_end(f);
}

/* Also over the end of the sequence. */
static void test_echo(void)
{
	for (int i = 0; i < SRTP_SUITE_COUNT; i++) {
		struct fixture f;
		struct peer p;

		call(&f, &p, i);
		for (int k = 0; k < 20; k++)
			fixture_echo(&p, NULL);
		CU_ASSERT_EQUAL(fixture_stats(&f).packets_out, 20);
		end(&f, &p);
	}
}

/* Suites may differ by direction. */
static void test_mixed(void)
{
	struct fixture f;
	struct peer p;

	fixture_start(&f, 0, 0);
	fixture_call(&f, &p, "::1");
	secure(&f, &p, &theirs[0], &ours[1]);
	peer_set_keys(&p, &ours[1], &theirs[0]);
	fixture_echo(&p, NULL);
	end(&f, &p);
}

static void test_forged(void)
{
	struct fixture f;
	struct peer p, liar;
	uint8_t sent[PEER_BYTES];
	size_t n;

	call(&f, &p, SRTP_SHA1_80);
	peer_open(&liar, "127.0.0.1", f.local.port);
	/* In the clear, with another key, sent back to us: nobody latches. */
	peer_say(&liar, 0, false, view_of("long enough", 11), NULL);
	fixture_dropped(&f, MEDIA_FORGED, 1);
	peer_set_keys(&liar, &theirs[0], &ours[0]);
	peer_say(&liar, 0, false, view_of("long enough", 11), NULL);
	fixture_dropped(&f, MEDIA_FORGED, 2);
	peer_send(&liar, PEER_RTP, "\x80\x00\0\0", 4);
	fixture_dropped(&f, MEDIA_MALFORMED, 1);
	CU_ASSERT_FALSE(fixture_stats(&f).latched);
	CU_ASSERT_EQUAL(fixture_stats(&f).packets_out, 0);
	fixture_echo(&p, NULL);
	CU_ASSERT_EQUAL(fixture_stats(&f).source_port, p.port);
	/* Copies, changed ones; the echo goes on behind them. */
	n = peer_say(&p, 0, false, view_of("x", 1), sent);
	peer_send(&p, PEER_RTP, sent, n);
	fixture_dropped(&f, MEDIA_REPLAYED, 1);
	sent[n - 1] ^= 1;
	sent[3] += 1;
	peer_send(&p, PEER_RTP, sent, n);
	fixture_dropped(&f, MEDIA_FORGED, 3);
	CU_ASSERT_TRUE(peer_hear(&p, PEER_RTP, sent, PEER_WAIT_MS) > 0);
	fixture_echo(&p, NULL);
	peer_close(&liar);
	end(&f, &p);
}

/* A copy from elsewhere takes nothing over, even after silence. */
static void test_replayed_from_elsewhere(void)
{
	struct fixture f;
	struct peer p, liar;
	uint8_t sent[PEER_BYTES], heard[PEER_BYTES];
	size_t n;

	call(&f, &p, SRTP_SHA1_32);
	peer_open(&liar, "127.0.0.1", f.local.port);
	n = peer_say(&p, 0, false, view_of("x", 1), sent);
	CU_ASSERT_TRUE(peer_hear(&p, PEER_RTP, heard, PEER_WAIT_MS) > 0);
	peer_send(&liar, PEER_RTP, sent, n);
	fixture_dropped(&f, MEDIA_STRANGER, 1);
	fixture_pass(60000);
	peer_send(&liar, PEER_RTP, sent, n);
	fixture_dropped(&f, MEDIA_REPLAYED, 1);
	CU_ASSERT_EQUAL(fixture_stats(&f).source_port, p.port);
	fixture_echo(&p, NULL);
	peer_close(&liar);
	end(&f, &p);
}

/* The same keys again go on; new ones count from then on, and what we send gets
 * a new source. */
static void test_new_keys(void)
{
	struct fixture f;
	struct peer p;
	struct rtp_packet before, after;
	uint8_t sent[PEER_BYTES], heard[PEER_BYTES];
	size_t n;

	call(&f, &p, SRTP_SHA1_80);
	fixture_echo(&p, &before);
	n = peer_say(&p, 0, false, view_of("x", 1), sent);
	CU_ASSERT_TRUE(peer_hear(&p, PEER_RTP, heard, PEER_WAIT_MS) > 0);
	secure(&f, &p, &theirs[0], &ours[0]);
	peer_send(&p, PEER_RTP, sent, n);
	fixture_dropped(&f, MEDIA_REPLAYED, 1);
	for (int i = 0; i < 10; i++)
		fixture_echo(&p, &after);
	CU_ASSERT_EQUAL(after.ssrc, before.ssrc);
	CU_ASSERT_EQUAL(after.sequence, (uint16_t)(before.sequence + 11));
	/* Another key to send with. */
	secure(&f, &p, &theirs[0], &ours[1]);
	srtp_dealloc(p.in);
	p.in = peer_session(&ours[1], true);
	fixture_echo(&p, &before);
	CU_ASSERT_NOT_EQUAL(after.ssrc, before.ssrc);
	CU_ASSERT_EQUAL(before.timestamp, after.timestamp + 160);
	/* Another one to receive with: the one before is worth nothing. */
	secure(&f, &p, &theirs[1], &ours[1]);
	peer_say(&p, 0, false, view_of("x", 1), NULL);
	fixture_dropped(&f, MEDIA_FORGED, 1);
	srtp_dealloc(p.out);
	p.out = peer_session(&theirs[1], false);
	fixture_echo(&p, &after);
	CU_ASSERT_EQUAL(after.ssrc, before.ssrc);
	end(&f, &p);
}

/* Held for so long that their sequence has wrapped: what comes meanwhile is
 * thrown away, but the roll-over counter follows it. */
static void test_long_hold(void)
{
	enum { STEP = 16384 };
	struct media_remote r;
	struct fixture f;
	struct peer p;
	uint64_t unasked = 0;

	call(&f, &p, SRTP_SHA1_80);
	fixture_echo(&p, NULL);
	r = fixture_remote(&p);
	r.secure = true;
	r.in = theirs[SRTP_SHA1_80];
	r.out = ours[SRTP_SHA1_80];
	r.receive = false;
	fixture_agree(&f, &r);
	for (int i = 0; i < 2 * 65536 / STEP; i++) {
		p.sequence += STEP - 1;
		peer_say(&p, 0, false, view_of("music", 5), NULL);
		fixture_dropped(&f, MEDIA_UNASKED, ++unasked);
	}
	/* Forged ones are told from them. */
	peer_send(&p, PEER_RTP, "\x80\0\0\1\0\0\0\2\0\0\0\3 is no seal", 23);
	fixture_dropped(&f, MEDIA_FORGED, 1);
	CU_ASSERT_EQUAL(fixture_stats(&f).packets_in, 1);
	r.receive = true;
	fixture_agree(&f, &r);
	fixture_echo(&p, NULL);
	end(&f, &p);
}

/* What the kernel does not take for a moment is lost, and the rest is not. */
static void test_no_way(void)
{
	struct rtp_packet before, behind;
	struct fixture f;
	struct peer p;

	test_thread = pthread_self();
	call(&f, &p, SRTP_SHA1_80);
	fixture_echo(&p, &before);
	no_way = true;
	for (int i = 0; i < 3; i++)
		peer_say(&p, 0, false, view_of("x", 1), NULL);
	fixture_received(&f, 4);
	CU_ASSERT_EQUAL(fixture_stats(&f).send_failures, 3);
	CU_ASSERT_EQUAL(fixture_stats(&f).packets_out, 1);
	no_way = false;
	fixture_echo(&p, &behind);
	CU_ASSERT_EQUAL(behind.sequence, (uint16_t)(before.sequence + 4));
	end(&f, &p);
}

/* To another family, with all that it knows of the other side. */
static void test_move(void)
{
	struct error e = ERROR_INIT;
	struct media_stream_options o = { .address = "::1" };
	struct media_local next;
	struct media_remote r;
	struct fixture f;
	struct peer p, there;
	struct rtp_packet before, behind;
	uint8_t sent[PEER_BYTES], heard[PEER_BYTES];
	size_t n;

	call(&f, &p, SRTP_SHA1_80);
	fixture_echo(&p, &before);
	n = peer_say(&p, 0, false, view_of("x", 1), sent);
	CU_ASSERT_TRUE(peer_hear(&p, PEER_RTP, heard, PEER_WAIT_MS) > 0);
	CHECK_OK(media_open(f.media, &o, &next, &e), &e);
	peer_open(&there, "::1", next.port);
	peer_set_keys(&there, &ours[0], &theirs[0]);
	r = fixture_remote(&there);
	r.secure = true;
	r.in = theirs[0];
	r.out = ours[0];
	r.place = next.id;
	fixture_agree(&f, &r);
	CU_ASSERT_EQUAL(media_count(f.media), 1);
	/* A copy is one there, too. */
	peer_send(&there, PEER_RTP, sent, n);
	fixture_dropped(&f, MEDIA_REPLAYED, 1);
	there.ssrc = p.ssrc;
	there.sequence = p.sequence;
	there.timestamp = p.timestamp;
	fixture_echo(&there, &behind);
	CU_ASSERT_EQUAL(behind.ssrc, before.ssrc);
	CU_ASSERT_EQUAL(behind.sequence, (uint16_t)(before.sequence + 2));
	CU_ASSERT_EQUAL(fixture_stats(&f).packets_in, 3);
	CU_ASSERT_STRING_EQUAL(fixture_stats(&f).source, "::1");
	/* Nobody is left where it was; its number is the old one. */
	peer_say(&p, 0, false, view_of("x", 1), NULL);
	media_close(f.media, next.id);
	CU_ASSERT_EQUAL(media_count(f.media), 1);
	fixture_echo(&there, NULL);
	media_close(f.media, f.local.id);
	CU_ASSERT_EQUAL(media_count(f.media), 0);
	peer_close(&there);
	end(&f, &p);
}

/* Places that are none. */
static void test_no_move(void)
{
	struct error e = ERROR_INIT;
	struct media_stream_options o = { .address = "127.0.0.1" };
	struct media_local next;
	struct media_remote r;
	struct fixture f;
	struct peer p;

	fixture_start(&f, 0, 0);
	fixture_call(&f, &p, "127.0.0.1");
	CHECK_OK(media_open(f.media, &o, &next, &e), &e);
	r = fixture_remote(&p);
	r.place = f.local.id;
	CHECK_FAILS(media_set_remote(f.media, f.local.id, &r, &e), &e,
		    ERR_INPUT, "in use");
	CHECK_FAILS(media_set_remote(f.media, next.id, &r, &e), &e, ERR_INPUT,
		    "in use");
	r.place = next.id + ((media_id)1 << 16);
	CHECK_FAILS(media_set_remote(f.media, f.local.id, &r, &e), &e,
		    ERR_NOT_FOUND, "");
	r.place = next.id;
	r.address = "::1";
	CHECK_FAILS(media_set_remote(f.media, f.local.id, &r, &e), &e,
		    ERR_UNSUPPORTED, "IPv4");
	CU_ASSERT_EQUAL(media_count(f.media), 2);
	fixture_echo(&p, NULL);
	peer_close(&p);
	fixture_end(&f);
}

/* A refused description leaves the keys alone. */
static void test_refused(void)
{
	struct error e = ERROR_INIT;
	struct fixture f;
	struct peer p;
	struct media_remote r;

	call(&f, &p, SRTP_SHA1_80);
	fixture_echo(&p, NULL);
	r = fixture_remote(&p);
	r.secure = true;
	r.in = theirs[1];
	r.out = ours[1];
	r.out.suite = SRTP_SUITE_COUNT;
	CHECK_FAILS(media_set_remote(f.media, f.local.id, &r, &e), &e,
		    ERR_INPUT, "suite");
	fixture_echo(&p, NULL);
	end(&f, &p);
}

/* More sources than memory is given for. */
static void test_sources(void)
{
	struct fixture f;
	struct peer p;

	call(&f, &p, SRTP_SHA1_80);
	for (int i = 0; i < SRTP_SOURCES_MAX; i++) {
		p.ssrc++;
		fixture_echo(&p, NULL);
	}
	p.ssrc++;
	peer_say(&p, 0, false, view_of("x", 1), NULL);
	fixture_dropped(&f, MEDIA_SPENT, 1);
	p.ssrc--;
	fixture_echo(&p, NULL);
	end(&f, &p);
}

/* Reports both ways; those without the key are none. */
static void test_reports(void)
{
	for (int i = 0; i < SRTP_SUITE_COUNT; i++) {
		struct fixture f;
		struct peer p;
		struct rtcp_news news;
		uint8_t bytes[PEER_BYTES];
		int n;

		call(&f, &p, i);
		fixture_echo(&p, NULL);
		fixture_pass(8000);
		n = peer_hear(&p, PEER_RTCP, bytes, PEER_WAIT_MS);
		CU_ASSERT_TRUE_FATAL(n > 0);
		CU_ASSERT_TRUE(
		    rtcp_read(view_of(bytes, (size_t)n), p.ssrc, &news));
		CU_ASSERT_TRUE(news.about_us);
		peer_send(&p, PEER_RTCP, bytes, (size_t)n);
		fixture_dropped(&f, n < 22 ? MEDIA_MALFORMED : MEDIA_FORGED, 1);
		n = (int)rtcp_write(p.ssrc, NULL, NULL, "peer", false, bytes,
				    sizeof(bytes));
		peer_report(&p, bytes, (size_t)n);
		peer_report(&p, (const uint8_t *)"\x80\xca\0\1\0\0\0\1", 8);
		fixture_dropped(&f, MEDIA_MALFORMED, 1);
		CU_ASSERT_EQUAL(fixture_stats(&f).rtcp_in, 1);
		end(&f, &p);
	}
}

static uint64_t all_drops(struct fixture *f)
{
	struct media_stats s = fixture_stats(f);
	uint64_t n = 0;

	for (int i = 0; i < MEDIA_DROP_COUNT; i++)
		n += s.dropped[i];
	return n;
}

/* Bytes that begin like a packet, at both ports: all are counted, none is
 * answered. */
static void test_random(void)
{
	enum { MANY = 400 };
	struct fixture f;
	struct peer p;
	unsigned seed = 3711;

	call(&f, &p, SRTP_SHA1_32);
	for (int i = 0; i < MANY; i++) {
		uint8_t bytes[64];
		size_t n = (size_t)rand_r(&seed) % sizeof(bytes);

		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = (uint8_t)(rand_r(&seed) >> 7);
		bytes[0] = (uint8_t)(0x80 | (bytes[0] & 0x3f));
		peer_send(&p, i % 2 ? PEER_RTP : PEER_RTCP, bytes, n);
	}
	for (int i = 0; i < 10000 && all_drops(&f) < MANY; i++)
		usleep(1000);
	CU_ASSERT_EQUAL(all_drops(&f), MANY);
	CU_ASSERT_EQUAL(fixture_stats(&f).rtcp_in, 0);
	CU_ASSERT_EQUAL(fixture_stats(&f).packets_in, 0);
	CU_ASSERT_EQUAL(fixture_stats(&f).packets_out, 0);
	fixture_echo(&p, NULL);
	end(&f, &p);
}

static const struct unit_test tests[] = {
	{ "echo in both suites", test_echo },
	{ "a suite for each direction", test_mixed },
	{ "forged packets", test_forged },
	{ "copies from elsewhere", test_replayed_from_elsewhere },
	{ "new keys", test_new_keys },
	{ "a long hold", test_long_hold },
	{ "no way out for a moment", test_no_way },
	{ "another family", test_move },
	{ "places that are none", test_no_move },
	{ "refused keys", test_refused },
	{ "many sources", test_sources },
	{ "reports", test_reports },
	{ "any bytes", test_random },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "media-secure", tests, NULL, NULL);
}
