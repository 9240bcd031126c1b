/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/media_fixture.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/lib/unit.h"

/* Programs that run at the same time have ports of their own, below those that
 * the kernel gives. */
enum { LOWEST = 10000, PORTS = 400, RANGES = 50 };

static atomic_llong now = 1000000;
static atomic_ullong looks;

int64_t fixture_now(void *arg)
{
	(void)arg;
	looks++;
	return now;
}

void fixture_pass(int64_t ms)
{
	now += ms;
}

static bool patient(int64_t since)
{
	usleep(1000);
	return clock_monotonic_ms() - since < 10 * PEER_WAIT_MS;
}

/* The first look may have been before the clock was moved, and what follows
 * from the second one is done before the third. */
void fixture_settle(void)
{
	unsigned long long before = looks;
	int64_t since = clock_monotonic_ms();

	while (looks < before + 3 && patient(since))
		;
	CU_ASSERT_TRUE(looks >= before + 3);
}

void fixture_start(struct fixture *f, unsigned streams, unsigned rate)
{
	uint16_t first =
	    (uint16_t)(LOWEST + (unsigned)getpid() % RANGES * PORTS);
	struct error e = ERROR_INIT;
	const struct media_options o = {
		.first_port = first,
		.last_port = (uint16_t)(first + PORTS - 1),
		.streams = streams ? streams : 10,
		.packets_per_second = rate ? rate : 1000,
		.now_ms = fixture_now,
	};

	memset(f, 0, sizeof(*f));
	f->media = media_new(&o, &e);
	CHECK_OBJECT(f->media, &e);
}

void fixture_end(struct fixture *f)
{
	media_free(f->media);
}

struct media_remote fixture_remote(const struct peer *p)
{
	return (struct media_remote){
		.address = p->address,
		.port = p->port,
		.payload_types = { 0, 8, 101 },
		.payload_count = 3,
		.send = true,
		.receive = true,
	};
}

void fixture_agree(struct fixture *f, const struct media_remote *r)
{
	struct error e = ERROR_INIT;

	CHECK_OK(media_set_remote(f->media, f->local.id, r, &e), &e);
}

void fixture_call(struct fixture *f, struct peer *p, const char *address)
{
	struct error e = ERROR_INIT;
	struct media_remote r;

	f->options.address = address;
	CHECK_OK(media_open(f->media, &f->options, &f->local, &e), &e);
	peer_open(p, address, f->local.port);
	r = fixture_remote(p);
	fixture_agree(f, &r);
}

struct media_stats fixture_stats(struct fixture *f)
{
	struct error e = ERROR_INIT;
	struct media_stats s;

	CHECK_OK(media_stats(f->media, f->local.id, &s, &e), &e);
	return s;
}

static uint64_t all_drops(const struct media_stats *s)
{
	uint64_t n = 0;

	for (int i = 0; i < MEDIA_DROP_COUNT; i++)
		n += s->dropped[i];
	return n;
}

void fixture_received(struct fixture *f, uint64_t n)
{
	int64_t since = clock_monotonic_ms();

	while (fixture_stats(f).packets_in < n && patient(since))
		;
	CU_ASSERT_EQUAL(fixture_stats(f).packets_in, n);
}

void fixture_dropped(struct fixture *f, enum media_drop why, uint64_t n)
{
	struct media_stats before = fixture_stats(f), s = before;
	int64_t since = clock_monotonic_ms();

	while (s.dropped[why] < n && patient(since))
		s = fixture_stats(f);
	if (s.dropped[why] != n)
		unit_note("%s: %llu, not %llu", media_drop_name(why),
			  (unsigned long long)s.dropped[why],
			  (unsigned long long)n);
	CU_ASSERT_EQUAL(s.dropped[why], n);
	CU_ASSERT_EQUAL(all_drops(&s) - all_drops(&before),
			s.dropped[why] - before.dropped[why]);
}

void fixture_echo(struct peer *p, struct rtp_packet *heard)
{
	uint8_t bytes[PEER_BYTES];
	struct rtp_packet packet = { 0 };

	peer_say(p, 0, false, view_of("sound", 5), NULL);
	CU_ASSERT_TRUE_FATAL(peer_hear_rtp(p, &packet, bytes));
	CU_ASSERT_TRUE(view_is(packet.payload, "sound"));
	packet.payload = view_of(NULL, 0);
	if (heard)
		*heard = packet;
}
