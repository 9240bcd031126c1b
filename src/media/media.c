/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "media/media.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"
#include "media/media_private.h"

/* The engine and its streams: opened, looked at, closed. */

enum { SLOT_BITS = 16, MILLI = 1000 };

static const char *const drop_names[MEDIA_DROP_COUNT] = {
	[MEDIA_MALFORMED] = "malformed", [MEDIA_STRANGER] = "stranger",
	[MEDIA_LOOPED] = "looped",       [MEDIA_UNASKED] = "unasked",
	[MEDIA_EXCESS] = "excess",       [MEDIA_FOREIGN] = "foreign",
	[MEDIA_STALE] = "stale",         [MEDIA_FORGED] = "forged",
	[MEDIA_REPLAYED] = "replayed",   [MEDIA_SPENT] = "spent",
};

const char *media_drop_name(enum media_drop d)
{
	return (unsigned)d < MEDIA_DROP_COUNT ? drop_names[d] : "unknown";
}

int64_t media_now_ms(const struct media *m)
{
	if (m->options.now_ms)
		return m->options.now_ms(m->options.now_arg);
	return clock_monotonic_ms();
}

bool media_bucket_take(struct media_bucket *b, unsigned rate, int64_t now_ms)
{
	uint64_t most = (uint64_t)rate * MILLI;
	int64_t passed = now_ms - b->at_ms;

	if (passed > MILLI)
		passed = MILLI;
	if (passed > 0) {
		b->milli += (uint64_t)passed * rate;
		b->at_ms = now_ms;
	}
	if (b->milli > most)
		b->milli = most;
	if (b->milli < MILLI)
		return false;
	b->milli -= MILLI;
	return true;
}

/* --- the engine ----------------------------------------------------------- */

static int check_options(const struct media_options *o, struct error *e)
{
	if (o->streams == 0 || o->streams > MEDIA_STREAMS_MAX)
		return error_set(e, ERR_INPUT, "media streams: 1 to %d",
				 MEDIA_STREAMS_MAX);
	if (o->packets_per_second == 0)
		return error_set(e, ERR_INPUT,
				 "no packets per second for a media stream");
	return 0;
}

static int open_poll(struct media *m, struct error *e)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 0 };

	m->poll = epoll_create1(EPOLL_CLOEXEC);
	m->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->poll < 0 || m->wake < 0 ||
	    epoll_ctl(m->poll, EPOLL_CTL_ADD, m->wake, &ev) < 0)
		return error_errno(e, "media engine");
	return 0;
}

/* All but the thread. */
static void destroy(struct media *m)
{
	if (m->poll >= 0)
		close(m->poll);
	if (m->wake >= 0)
		close(m->wake);
	free(m->ports.users);
	free(m->slots);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static void wake(struct media *m)
{
	/* Only fails when as many wait already. */
	if (eventfd_write(m->wake, 1) < 0)
		return;
}

struct media *media_new(const struct media_options *o, struct error *e)
{
	struct media *m;
	int rc;

	if (check_options(o, e) < 0 || srtp_start(e) < 0)
		return NULL;
	m = calloc(1, sizeof(*m));
	if (!m) {
		error_nomem(e);
		return NULL;
	}
	m->options = *o;
	m->poll = m->wake = -1;
	pthread_mutex_init(&m->lock, NULL);
	m->slots = calloc(o->streams, sizeof(*m->slots));
	if (!m->slots) {
		error_nomem(e);
		goto fail;
	}
	if (media_ports_init(&m->ports, o, e) < 0 || open_poll(m, e) < 0)
		goto fail;
	rc = pthread_create(&m->thread, NULL, media_thread, m);
	if (rc != 0) {
		error_set_native(e, ERR_INTERNAL, rc, "media thread");
		goto fail;
	}
	return m;
fail:
	destroy(m);
	return NULL;
}

void media_free(struct media *m)
{
	if (!m)
		return;
	pthread_mutex_lock(&m->lock);
	m->stopping = true;
	pthread_mutex_unlock(&m->lock);
	wake(m);
	pthread_join(m->thread, NULL);
	for (unsigned i = 0; i < m->options.streams; i++)
		if (m->slots[i].stream)
			media_end(m->slots[i].stream);
	destroy(m);
}

unsigned media_count(struct media *m)
{
	unsigned n;

	pthread_mutex_lock(&m->lock);
	n = m->count;
	pthread_mutex_unlock(&m->lock);
	return n;
}

/* --- streams -------------------------------------------------------------- */

struct media_stream *media_find(struct media *m, media_id id)
{
	uint64_t slot = id & ((1u << SLOT_BITS) - 1);
	struct media_stream *s;

	if (slot == 0 || slot > m->options.streams)
		return NULL;
	s = m->slots[slot - 1].stream;
	return s && s->id == id ? s : NULL;
}

static struct media_slot *free_slot(struct media *m)
{
	for (unsigned i = 0; i < m->options.streams; i++)
		if (!m->slots[i].stream)
			return &m->slots[i];
	return NULL;
}

static struct media_stream *make_stream(struct media *m,
					const struct media_stream_options *o,
					const struct media_address *local,
					struct error *e)
{
	struct media_stream *s = calloc(1, sizeof(*s));

	if (!s) {
		error_nomem(e);
		return NULL;
	}
	s->media = m;
	s->options = *o;
	s->options.address = NULL;
	if (!s->options.sink)
		s->options.sink = &media_echo;
	s->local = *local;
	s->fd[MEDIA_RTP] = s->fd[MEDIA_RTCP] = -1;
	random_bytes(&s->start, sizeof(s->start));
	random_text(s->cname, MEDIA_CNAME_CHARACTERS);
	return s;
}

int media_watch(struct media_stream *s, const int fd[MEDIA_SOCKETS], int op,
		struct error *e)
{
	for (unsigned i = 0; i < MEDIA_SOCKETS; i++) {
		struct epoll_event ev = { .events = EPOLLIN,
					  .data.u64 = s->id << 1 | i };

		if (epoll_ctl(s->media->poll, op, fd[i], &ev) < 0)
			return error_errno(e, "media socket");
	}
	return 0;
}

/* Locked. */
static int add_stream(struct media *m, const struct media_stream_options *o,
		      const struct media_address *local,
		      struct media_local *out, struct error *e)
{
	struct media_slot *slot = free_slot(m);
	struct media_stream *s;

	if (!slot)
		return error_set(e, ERR_LIMIT, "%u media streams are open",
				 m->count);
	s = make_stream(m, o, local, e);
	if (!s)
		return -1;
	if (media_ports_bind(&m->ports, s, e) < 0) {
		free(s);
		return -1;
	}
	slot->uses++;
	s->id =
	    (uint64_t)slot->uses << SLOT_BITS | (uint64_t)(slot - m->slots + 1);
	if (media_watch(s, s->fd, EPOLL_CTL_ADD, e) < 0) {
		media_ports_release(&m->ports, s);
		free(s);
		return -1;
	}
	slot->stream = s;
	if (m->count++ == 0)
		wake(m); /* to look at the time now and then */
	*out = (struct media_local){ s->id, media_address_port(&s->local) };
	return 0;
}

int media_open(struct media *m, const struct media_stream_options *o,
	       struct media_local *out, struct error *e)
{
	struct media_address local;
	int rc;

	if (media_address_parse(o->address, 0, &local, e) < 0)
		return -1;
	if (media_address_is_any(&local) || media_address_is_many(&local))
		return error_set(e, ERR_INPUT,
				 "media needs an address of its own");
	pthread_mutex_lock(&m->lock);
	rc = add_stream(m, o, &local, out, e);
	pthread_mutex_unlock(&m->lock);
	return rc;
}

/* Closing the descriptors takes them out of epoll. An event that the thread has
 * in hand already finds no stream of that number any more. */
void media_end(struct media_stream *s)
{
	struct media *m = s->media;

	if (s->stats.packets_out || s->stats.rtcp_out)
		media_report(s, true, media_now_ms(m));
	media_ports_release(&m->ports, s);
	srtp_lane_free(s->in);
	srtp_lane_free(s->out);
	m->slots[(s->id & ((1u << SLOT_BITS) - 1)) - 1].stream = NULL;
	m->count--;
	free(s);
}

void media_close(struct media *m, media_id id)
{
	struct media_stream *s;

	pthread_mutex_lock(&m->lock);
	s = media_find(m, id);
	if (s)
		media_end(s);
	pthread_mutex_unlock(&m->lock);
}

/* --- statistics ----------------------------------------------------------- */

static void read_stats(const struct media_stream *s, struct media_stats *out)
{
	struct rtp_reception copy = s->reception; /* a report begins anew */
	struct rtp_report report;
	const struct media_address *a = &s->latch.source;

	rtp_reception_report(&copy, &report);
	*out = s->stats;
	out->lost = report.lost;
	out->jitter = report.jitter;
	out->latched = s->latch.latched;
	if (!s->latch.latched)
		return;
	out->source_port = media_address_port(a);
	if (a->u.any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &a->u.v6.sin6_addr, out->source,
			  sizeof(out->source));
	else
		inet_ntop(AF_INET, &a->u.v4.sin_addr, out->source,
			  sizeof(out->source));
}

int media_stats(struct media *m, media_id id, struct media_stats *out,
		struct error *e)
{
	const struct media_stream *s;
	int rc = 0;

	pthread_mutex_lock(&m->lock);
	s = media_find(m, id);
	if (s)
		read_stats(s, out);
	else
		rc = error_set(e, ERR_NOT_FOUND, "no such media stream");
	pthread_mutex_unlock(&m->lock);
	return rc;
}
