/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdatomic.h>
#include <string.h>

#include "tests/lib/unit.h"
#include "tests/unit/media_fixture.h"

/* Streams without keys, with real sockets. */

/* --- the echo */

/* Bytes, payload type, marker and the distance of timestamps come back; source
 * and sequence are ours. */
static void echo_on(const char *address)
{
	static const uint8_t types[] = { 0, 8, 101 };
	struct fixture f;
	struct peer p;
	struct rtp_packet before = { 0 };

	fixture_start(&f, 0, 0);
	fixture_call(&f, &p, address);
	for (unsigned i = 0; i < 40; i++) {
		uint8_t sound[RTP_PACKET_MAX - RTP_HEADER], bytes[PEER_BYTES];
		size_t n = i == 39 ? sizeof(sound) : i * 5;
		struct rtp_packet heard;

		for (size_t k = 0; k < n; k++)
			sound[k] = (uint8_t)(k * 7 + i);
		peer_say(&p, types[i % 3], i % 4 == 0, view_of(sound, n), NULL);
		CU_ASSERT_TRUE_FATAL(peer_hear_rtp(&p, &heard, bytes));
		CU_ASSERT_TRUE(view_equal(heard.payload, view_of(sound, n)));
		CU_ASSERT_EQUAL(heard.payload_type, types[i % 3]);
		CU_ASSERT_EQUAL(heard.marker, i % 4 == 0);
		CU_ASSERT_NOT_EQUAL(heard.ssrc, p.ssrc);
		if (i) {
			CU_ASSERT_EQUAL(heard.ssrc, before.ssrc);
			CU_ASSERT_EQUAL(heard.sequence,
					(uint16_t)(before.sequence + 1));
			CU_ASSERT_EQUAL(heard.timestamp,
					before.timestamp + 160);
		}
		before = heard;
	}
	CU_ASSERT_EQUAL(fixture_stats(&f).packets_in, 40);
	CU_ASSERT_EQUAL(fixture_stats(&f).packets_out, 40);
	CU_ASSERT_EQUAL(fixture_stats(&f).bytes_in,
			fixture_stats(&f).bytes_out);
	CU_ASSERT_EQUAL(fixture_stats(&f).lost, 0);
	CU_ASSERT_STRING_EQUAL(fixture_stats(&f).source, address);
	CU_ASSERT_EQUAL(fixture_stats(&f).source_port, p.port);
	peer_close(&p);
	fixture_end(&f);
}

static void test_echo_v4(void)
{
	echo_on("127.0.0.1");
}

static void test_echo_v6(void)
{
	echo_on("::1");
}

/* Another sink takes the echo's place. */
struct heard {
	atomic_uint packets;
	atomic_uint bytes;
};

static void answer(void *arg, struct media_stream *s,
		   const struct rtp_packet *p, int64_t now_ms)
{
	static uint8_t huge[RTP_PACKET_MAX];
	struct heard *h = arg;
	struct media_frame f = { .payload_type = 8,
				 .timestamp = 42,
				 .payload = view_of(huge, sizeof(huge)) };

	h->packets++;
	h->bytes += (unsigned)p->payload.len;
	CU_ASSERT_FALSE(media_put(s, &f, now_ms));
	f.payload = view_of("mixed", 5);
	CU_ASSERT_TRUE(media_put(s, &f, now_ms));
}

static void test_sink(void)
{
	static const struct media_sink sink = { answer };
	struct heard h = { 0 };
	struct fixture f;
	struct peer p;
	struct rtp_packet packet;
	uint8_t bytes[PEER_BYTES];

	fixture_start(&f, 0, 0);
	f.options.sink = &sink;
	f.options.arg = &h;
	fixture_call(&f, &p, "127.0.0.1");
	peer_say(&p, 0, false, view_of("abc", 3), NULL);
	CU_ASSERT_TRUE_FATAL(peer_hear_rtp(&p, &packet, bytes));
	CU_ASSERT_TRUE(view_is(packet.payload, "mixed"));
	CU_ASSERT_EQUAL(packet.timestamp, 42);
	CU_ASSERT_EQUAL(packet.payload_type, 8);
	CU_ASSERT_EQUAL(h.packets, 1);
	CU_ASSERT_EQUAL(h.bytes, 3);
	CU_ASSERT_EQUAL(fixture_stats(&f).send_failures, 1);
	peer_close(&p);
	fixture_end(&f);
}

/* --- hostile packets */

#define HEAD "\x12\x34\x00\x00\x00\xa0\xde\xad\xbe\xef"

static const struct {
	const char *in;
	size_t n;
	enum media_drop why;
} hostile[] = {
	{ "", 0, MEDIA_MALFORMED },
	{ "\x80", 1, MEDIA_MALFORMED },
	{ "\x80\x00" HEAD, 11, MEDIA_MALFORMED },
	{ "\x00\x00" HEAD "abcd", 16, MEDIA_MALFORMED },
	{ "\x40\x00" HEAD "abcd", 16, MEDIA_MALFORMED },
	{ "\x8f\x00" HEAD "abcd", 16, MEDIA_MALFORMED },
	{ "\x90\x00" HEAD "\xbe\xde\xff\xff", 16, MEDIA_MALFORMED },
	{ "\xa0\x00" HEAD "abc\x00", 16, MEDIA_MALFORMED },
	{ "\xa0\x00" HEAD "abc\xff", 16, MEDIA_MALFORMED },
	{ "\x80\xc9\x00\x01\0\0\0\1", 8, MEDIA_MALFORMED },
	{ "\x80\xc8" HEAD "abcdefgh", 20, MEDIA_MALFORMED },
	{ "GET / HTTP/1.1\r\n\r\n", 18, MEDIA_MALFORMED },
	{ "\x80\x0e" HEAD "abcd", 16, MEDIA_FOREIGN },
	{ "\x80\x7f" HEAD "abcd", 16, MEDIA_FOREIGN },
	{ "\x80\x64" HEAD "abcd", 16, MEDIA_FOREIGN },
};

static void test_hostile(void)
{
	static uint8_t huge[9000] = { 0x80 };
	static const size_t sizes[] = { RTP_PACKET_MAX + 1, 9000 };
	uint64_t counts[MEDIA_DROP_COUNT] = { 0 };
	struct fixture f;
	struct peer p;

	fixture_start(&f, 0, 0);
	fixture_call(&f, &p, "127.0.0.1");
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		peer_send(&p, PEER_RTP, hostile[i].in, hostile[i].n);
		fixture_dropped(&f, hostile[i].why, ++counts[hostile[i].why]);
	}
	for (size_t i = 0; i < 2; i++) {
		peer_send(&p, PEER_RTP, huge, sizes[i]);
		fixture_dropped(&f, MEDIA_MALFORMED, ++counts[MEDIA_MALFORMED]);
	}
	/* None of that is anybody's voice. */
	CU_ASSERT_FALSE(fixture_stats(&f).latched);
	CU_ASSERT_EQUAL(fixture_stats(&f).packets_in, 0);
	fixture_echo(&p, NULL);
	peer_close(&p);
	fixture_end(&f);
}

/* Our own SSRC back, copies, late ones. */
static void test_copies(void)
{
	struct fixture f;
	struct peer p;
	struct rtp_packet heard;
	uint8_t sent[PEER_BYTES];
	uint32_t theirs;
	size_t n;

	fixture_start(&f, 0, 0);
	fixture_call(&f, &p, "127.0.0.1");
	fixture_echo(&p, &heard);
	theirs = p.ssrc;
	p.ssrc = heard.ssrc;
	peer_say(&p, 0, false, view_of("x", 1), NULL);
	fixture_dropped(&f, MEDIA_LOOPED, 1);
	p.ssrc = theirs;
	n = peer_say(&p, 0, false, view_of("x", 1), sent);
	peer_send(&p, PEER_RTP, sent, n);
	fixture_dropped(&f, MEDIA_STALE, 1);
	p.sequence += 20000;
	peer_say(&p, 0, false, view_of("x", 1), NULL);
	fixture_dropped(&f, MEDIA_STALE, 2);
	CU_ASSERT_EQUAL(fixture_stats(&f).packets_out, 2);
	peer_close(&p);
	fixture_end(&f);
}

/* --- directions */

static const struct {
	bool send, receive;
	unsigned in, out; /* of one packet */
} directions[] = {
	{ true, true, 1, 1 },   { true, false, 0, 0 }, { false, true, 1, 0 },
	{ false, false, 0, 0 }, { true, true, 1, 1 },
};

static void test_directions(void)
{
	struct fixture f;
	struct peer p;
	uint64_t in = 0, out = 0, unasked = 0;

	fixture_start(&f, 0, 0);
	fixture_call(&f, &p, "127.0.0.1");
	for (size_t i = 0; i < sizeof(directions) / sizeof(directions[0]);
	     i++) {
		struct media_remote r = fixture_remote(&p);

		r.send = directions[i].send;
		r.receive = directions[i].receive;
		fixture_agree(&f, &r);
		if (r.send && r.receive) {
			fixture_echo(&p, NULL);
		} else {
			peer_say(&p, 0, false, view_of("sound", 5), NULL);
			unasked += !r.receive;
			if (!r.receive)
				fixture_dropped(&f, MEDIA_UNASKED, unasked);
		}
		in += directions[i].in;
		out += directions[i].out;
		fixture_received(&f, in);
		CU_ASSERT_EQUAL(fixture_stats(&f).packets_out, out);
	}
	peer_close(&p);
	fixture_end(&f);
}

/* Before anything is agreed on, nothing is taken. */
static void test_not_agreed(void)
{
	struct fixture f;
	struct peer p;
	struct error e = ERROR_INIT;

	fixture_start(&f, 0, 0);
	f.options.address = "127.0.0.1";
	CHECK_OK(media_open(f.media, &f.options, &f.local, &e), &e);
	CU_ASSERT_EQUAL(f.local.port % 2, 0);
	peer_open(&p, "127.0.0.1", f.local.port);
	peer_say(&p, 0, false, view_of("x", 1), NULL);
	fixture_dropped(&f, MEDIA_UNASKED, 1);
	peer_send(&p, PEER_RTCP, "\x80\xc9\x00\x01\0\0\0\1", 8);
	fixture_dropped(&f, MEDIA_UNASKED, 2);
	peer_close(&p);
	fixture_end(&f);
}

/* --- where it goes */

static void test_latching(void)
{
	struct fixture f;
	struct peer announced, other, third;
	struct media_remote r;

	fixture_start(&f, 0, 0);
	fixture_call(&f, &announced, "127.0.0.1");
	peer_open(&other, "127.0.0.1", f.local.port);
	peer_open(&third, "127.0.0.2", f.local.port);
	fixture_echo(&other, NULL);
	peer_say(&third, 0, false, view_of("x", 1), NULL);
	fixture_dropped(&f, MEDIA_STRANGER, 1);
	fixture_pass(1999);
	peer_say(&third, 0, false, view_of("x", 1), NULL);
	fixture_dropped(&f, MEDIA_STRANGER, 2);
	fixture_echo(&other, NULL);
	/* The one that was announced is let in at any time, and stays. */
	fixture_echo(&announced, NULL);
	peer_say(&other, 0, false, view_of("x", 1), NULL);
	fixture_dropped(&f, MEDIA_STRANGER, 3);
	fixture_pass(2000);
	/* One that is not valid does not take over. */
	peer_say(&other, 14, false, view_of("x", 1), NULL);
	fixture_dropped(&f, MEDIA_FOREIGN, 1);
	CU_ASSERT_EQUAL(fixture_stats(&f).source_port, announced.port);
	fixture_echo(&third, NULL);
	CU_ASSERT_STRING_EQUAL(fixture_stats(&f).source, "127.0.0.2");
	/* The same description again changes nothing, another one does. */
	r = fixture_remote(&announced);
	fixture_agree(&f, &r);
	peer_say(&other, 0, false, view_of("x", 1), NULL);
	fixture_dropped(&f, MEDIA_STRANGER, 4);
	r = fixture_remote(&other);
	fixture_agree(&f, &r);
	CU_ASSERT_FALSE(fixture_stats(&f).latched);
	fixture_echo(&other, NULL);
	peer_close(&announced);
	peer_close(&other);
	peer_close(&third);
	fixture_end(&f);
}

/* A description of old that says "nowhere": the echo follows the sender. */
static void test_nowhere(void)
{
	static const char *const addresses[] = { "", "0.0.0.0", "::", NULL };
	struct fixture f;
	struct peer p;

	for (int i = 0; i < 4; i++) {
		struct media_remote r;

		fixture_start(&f, 0, 0);
		fixture_call(&f, &p, "127.0.0.1");
		r = fixture_remote(&p);
		r.address = addresses[i];
		fixture_agree(&f, &r);
		fixture_pass(20000);
		fixture_settle();
		CU_ASSERT_EQUAL(fixture_stats(&f).rtcp_out, 0);
		fixture_echo(&p, NULL);
		peer_close(&p);
		fixture_end(&f);
	}
}

/* --- limits */

static void test_rate(void)
{
	struct fixture f;
	struct peer p, stranger;

	fixture_start(&f, 0, 50);
	fixture_call(&f, &p, "127.0.0.1");
	peer_open(&stranger, "127.0.0.1", f.local.port);
	for (int i = 0; i < 80; i++)
		peer_say(&p, 0, false, view_of("x", 1), NULL);
	fixture_dropped(&f, MEDIA_EXCESS, 30);
	CU_ASSERT_EQUAL(fixture_stats(&f).packets_in, 50);
	/* Others have their own allowance, also when they may take over. */
	fixture_pass(5000);
	for (int i = 0; i < 50; i++)
		peer_say(&stranger, 14, false, view_of("x", 1), NULL);
	fixture_dropped(&f, MEDIA_FOREIGN, 50);
	for (int i = 0; i < 30; i++)
		peer_say(&stranger, 14, false, view_of("x", 1), NULL);
	fixture_dropped(&f, MEDIA_EXCESS, 60);
	for (int i = 0; i < 50; i++)
		peer_hear(&p, PEER_RTP, (uint8_t[PEER_BYTES]){ 0 }, 1000);
	fixture_echo(&p, NULL);
	peer_close(&p);
	peer_close(&stranger);
	fixture_end(&f);
}

static const struct {
	const char *what;
	struct media_remote r;
	enum error_kind kind;
} refused[] = {
	{ "a name", { .address = "example.com", .port = 4000 }, ERR_INPUT },
	{ "multicast", { .address = "224.1.1.1", .port = 4000 }, ERR_INPUT },
	{ "all", { .address = "255.255.255.255", .port = 4000 }, ERR_INPUT },
	{ "IPv6", { .address = "::1", .port = 4000 }, ERR_UNSUPPORTED },
	{ "no suite",
	  { .address = "127.0.0.1",
	    .port = 4000,
	    .secure = true,
	    .in = { .suite = SRTP_SUITE_COUNT } },
	  ERR_INPUT },
	{ "no suite to send with",
	  { .address = "127.0.0.1",
	    .port = 4000,
	    .secure = true,
	    .out = { .suite = SRTP_SUITE_COUNT } },
	  ERR_INPUT },
	{ "payload type",
	  { .address = "127.0.0.1",
	    .port = 4000,
	    .payload_types = { 128 },
	    .payload_count = 1 },
	  ERR_INPUT },
	{ "payload types",
	  { .address = "127.0.0.1",
	    .port = 4000,
	    .payload_count = MEDIA_PAYLOADS_MAX + 1 },
	  ERR_INPUT },
};

static void test_refused(void)
{
	struct error e = ERROR_INIT;
	struct media_remote r;
	struct media_stats s;
	struct fixture f;
	struct peer p;

	fixture_start(&f, 0, 0);
	fixture_call(&f, &p, "127.0.0.1");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		r = refused[i].r;
		if (!r.payload_count)
			r.payload_count = 1;
		error_clear(&e);
		CU_ASSERT_EQUAL(media_set_remote(f.media, f.local.id, &r, &e),
				-1);
		if (e.kind != refused[i].kind)
			unit_note("%s: %s", refused[i].what, e.text);
		CU_ASSERT_EQUAL(e.kind, refused[i].kind);
	}
	r = fixture_remote(&p);
	r.payload_count = 0;
	CHECK_FAILS(media_set_remote(f.media, f.local.id, &r, &e), &e,
		    ERR_INPUT, "payload");
	r = fixture_remote(&p);
	r.port = f.local.port;
	CHECK_FAILS(media_set_remote(f.media, f.local.id, &r, &e), &e,
		    ERR_INPUT, "ours");
	/* The stream is as it was. */
	fixture_echo(&p, NULL);
	r = fixture_remote(&p);
	media_close(f.media, f.local.id);
	media_close(f.media, f.local.id);
	media_close(f.media, 0);
	CHECK_FAILS(media_set_remote(f.media, f.local.id, &r, &e), &e,
		    ERR_NOT_FOUND, "stream");
	CHECK_FAILS(media_stats(f.media, f.local.id, &s, &e), &e, ERR_NOT_FOUND,
		    "stream");
	CHECK_FAILS(media_stats(f.media, UINT64_MAX, &s, &e), &e, ERR_NOT_FOUND,
		    "stream");
	peer_close(&p);
	fixture_end(&f);
}

static const struct unit_test tests[] = {
	{ "echo over IPv4", test_echo_v4 },
	{ "echo over IPv6", test_echo_v6 },
	{ "another sink", test_sink },
	{ "hostile packets", test_hostile },
	{ "copies and our own", test_copies },
	{ "directions", test_directions },
	{ "before anything is agreed on", test_not_agreed },
	{ "latching", test_latching },
	{ "nowhere", test_nowhere },
	{ "packets per second", test_rate },
	{ "refused descriptions", test_refused },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "media-stream", tests, NULL, NULL);
}
