/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/unit.h"
#include "tests/unit/media_fixture.h"

/* Many streams at once, many threads at once. */

enum {
	CALLS = 200,
	ROUNDS = 100, /* packets of each: two seconds at 50 a second */
	ROUND_US = 20000,
	PAYLOAD = 160,
	THREADS = 4,
	TIMES = 40,
};

static const struct srtp_key key = { SRTP_SHA1_80,
				     "abcdefghijklmnopqrstuvwxyz1234" };
static const struct srtp_key other_key = { SRTP_SHA1_32,
					   "zyxwvutsrqponmlkjihgfedcba4321" };

static struct fixture f;

/* --- 200 calls ------------------------------------------------------------ */

static struct peer peers[CALLS];
static media_id ids[CALLS];
static unsigned heard[CALLS];

static void fill(uint8_t *sound, unsigned call, unsigned round)
{
	for (unsigned i = 0; i < PAYLOAD; i++)
		sound[i] = (uint8_t)(call * 31 + round * 7 + i);
}

/* Every other one has keys. */
static void open_calls(void)
{
	for (unsigned i = 0; i < CALLS; i++) {
		fixture_call(&f, &peers[i], i % 4 < 2 ? "127.0.0.1" : "::1");
		ids[i] = f.local.id;
		if (i % 2) {
			struct media_remote r = fixture_remote(&peers[i]);

			r.secure = true;
			r.in = key;
			r.out = other_key;
			fixture_agree(&f, &r);
			peer_set_keys(&peers[i], &other_key, &key);
		}
	}
}

/* Whatever has come back by now, bit for bit and in order. */
static void hear_call(unsigned i, int wait_ms)
{
	uint8_t bytes[PEER_BYTES], sound[PAYLOAD];
	struct rtp_packet p;
	int n;

	while (heard[i] < ROUNDS &&
	       (n = peer_hear(&peers[i], PEER_RTP, bytes, wait_ms)) >= 0) {
		fill(sound, i, heard[i]);
		if (!rtp_read(view_of(bytes, (size_t)n), &p) ||
		    !view_equal(p.payload, view_of(sound, PAYLOAD)))
			CU_FAIL("another echo");
		heard[i]++;
	}
}

static void test_calls(void)
{
	struct error e = ERROR_INIT;
	unsigned all = 0;

	fixture_start(&f, CALLS, 0);
	open_calls();
	CU_ASSERT_EQUAL(media_count(f.media), CALLS);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < CALLS; i++) {
			uint8_t sound[PAYLOAD];

			fill(sound, i, round);
			peer_say(&peers[i], 0, false, view_of(sound, PAYLOAD),
				 NULL);
		}
		usleep(ROUND_US);
		fixture_pass(20);
		for (unsigned i = 0; i < CALLS; i++)
			hear_call(i, 0);
	}
	for (unsigned i = 0; i < CALLS; i++) {
		struct media_stats s;

		hear_call(i, PEER_WAIT_MS);
		all += heard[i];
		CHECK_OK(media_stats(f.media, ids[i], &s, &e), &e);
		CU_ASSERT_EQUAL(s.packets_in, ROUNDS);
		CU_ASSERT_EQUAL(s.packets_out, ROUNDS);
		CU_ASSERT_EQUAL(s.lost, 0);
		peer_close(&peers[i]);
	}
	CU_ASSERT_EQUAL(all, CALLS * ROUNDS);
	fixture_end(&f);
}

/* --- many threads --------------------------------------------------------- */

static atomic_uint failures, calls_told;

static void count_silent(void *arg, media_id id)
{
	(void)arg;
	calls_told += id != 0;
}

static void say_hello(int fd, uint16_t port)
{
	const struct rtp_packet p = { .ssrc = 1 };
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	uint8_t bytes[RTP_HEADER];

	rtp_write(&p, bytes, sizeof(bytes));
	for (int i = 0; i < 3; i++)
		failures += sendto(fd, bytes, sizeof(bytes), 0,
				   (struct sockaddr *)&a, sizeof(a)) < 0;
}

/* Calls come and go while their packets are under way. */
static void *live(void *arg)
{
	const struct media_stream_options o = { .address = "127.0.0.1",
						.silence_ms = 1,
						.silent = count_silent };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (int i = 0; i < TIMES; i++) {
		struct media_remote r = { .address = "127.0.0.1",
					  .port = 9,
					  .payload_count = 1,
					  .send = true,
					  .receive = true,
					  .secure = i % 2,
					  .in = key,
					  .out = other_key };
		struct error e = ERROR_INIT;
		struct media_local l;
		struct media_stats s;

		if (media_open(f.media, &o, &l, &e) < 0) {
			failures++;
			continue;
		}
		failures += media_set_remote(f.media, l.id, &r, &e) < 0;
		say_hello(fd, l.port);
		fixture_pass(1);
		failures += media_stats(f.media, l.id, &s, &e) < 0;
		r.secure = !r.secure;
		failures += media_set_remote(f.media, l.id, &r, &e) < 0;
		say_hello(fd, l.port);
		media_close(f.media, l.id);
		failures += media_stats(f.media, l.id, &s, &e) == 0;
	}
	close(fd);
	return arg;
}

static void test_threads(void)
{
	pthread_t threads[THREADS];

	fixture_start(&f, 10, 0);
	for (int i = 0; i < THREADS; i++)
		CU_ASSERT_EQUAL_FATAL(
		    pthread_create(&threads[i], NULL, live, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CU_ASSERT_EQUAL(failures, 0);
	CU_ASSERT_EQUAL(media_count(f.media), 0);
	fixture_end(&f);
}

/* An engine that ends with streams open and packets under way. */
static void test_end(void)
{
	static struct peer p[5];

	fixture_start(&f, 5, 0);
	for (int i = 0; i < 5; i++) {
		fixture_call(&f, &p[i], "127.0.0.1");
		for (int k = 0; k < 20; k++)
			peer_say(&p[i], 0, false, view_of("x", 1), NULL);
	}
	fixture_end(&f);
	for (int i = 0; i < 5; i++)
		peer_close(&p[i]);
}

static const struct unit_test tests[] = {
	{ "200 calls for two seconds", test_calls },
	{ "calls from many threads", test_threads },
	{ "the end with open streams", test_end },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "media-many", tests, NULL, NULL);
}
