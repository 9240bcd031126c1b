/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/log.h"
#include "media/media_private.h"

/* The engine's thread. It sleeps for ever while there is no stream. */

enum { EVENTS = 64 };

/* One socket's turn; calls of others get theirs in between. */
static void serve(struct media *m, uint64_t what)
{
	struct media_stream *s;
	eventfd_t n;

	pthread_mutex_lock(&m->lock);
	s = media_find(m, what >> 1);
	if (what == 0 && eventfd_read(m->wake, &n) < 0 && errno != EAGAIN)
		log_error("media", "wake-up: %s", strerrordesc_np(errno));
	if (s)
		media_receive(s, (int)(what & 1));
	pthread_mutex_unlock(&m->lock);
}

static void tick(struct media *m)
{
	int64_t now = media_now_ms(m);

	pthread_mutex_lock(&m->lock);
	for (unsigned i = 0; i < m->options.streams; i++)
		if (m->slots[i].stream)
			media_tick(m->slots[i].stream, now);
	pthread_mutex_unlock(&m->lock);
}

/* Milliseconds to sleep, -1: until something comes, -2: the end. */
static int rest(struct media *m, int64_t next_tick)
{
	int64_t left = next_tick - clock_monotonic_ms();
	int ms;

	pthread_mutex_lock(&m->lock);
	if (m->stopping)
		ms = -2;
	else if (m->count == 0)
		ms = -1;
	else
		ms = left > 0 ? (int)left : 0;
	pthread_mutex_unlock(&m->lock);
	return ms;
}

void *media_thread(void *media)
{
	struct media *m = media;
	struct epoll_event events[EVENTS];
	int64_t next_tick = 0;

	for (;;) {
		int ms = rest(m, next_tick);
		int n;

		if (ms == -2)
			return NULL;
		n = epoll_wait(m->poll, events, EVENTS, ms);
		for (int i = 0; i < n; i++)
			serve(m, events[i].data.u64);
		if (clock_monotonic_ms() >= next_tick) {
			next_tick = clock_monotonic_ms() + MEDIA_TICK_MS;
			tick(m);
		}
	}
}
