/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "calls/cdr.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/room.h"

#define GROUP "cdr"

enum { RING = CDR_QUEUE + CDR_ENDS };

struct cdr {
	struct store *store;
	int alive_ms; /* that calls are still up is noted so often */
	pthread_t thread;

	/* The queue: a ring. Records from head on, as many as a batch has, are
	 * the writer's while it writes: others only add behind the last. */
	pthread_mutex_t lock;
	pthread_cond_t more, done;
	struct cdr_row *ring;
	size_t head, count;
	uint64_t taken, finished; /* ever queued; written */
	uint64_t tries;           /* of the writer, also those that failed */
	bool hurried, stopping;
	bool failed; /* the last try: the disk takes nothing */

	_Atomic uint64_t lost;

	/* The writer's own. */
	uint64_t told;    /* of lost */
	time_t opened_at; /* the end of the calls of an earlier run, */
	bool settled;     /* which have their records */
	bool watching;    /* calls may be up: */
	struct timespec look;
};

/* --- the queue ------------------------------------------------------------ */

/* A call whose end is lost would pass for one that is still up. */
static size_t room_for(const struct cdr_row *row)
{
	return row->kind == CDR_LEFT && row->call ? RING : CDR_QUEUE;
}

void cdr_add(struct cdr *c, const struct cdr_row *row)
{
	pthread_mutex_lock(&c->lock);
	if (c->count >= room_for(row)) {
		if (c->lost++ == c->told)
			log_error(GROUP,
				  "call detail records are lost: %d wait to be "
				  "written already",
				  CDR_QUEUE);
	} else {
		c->ring[(c->head + c->count++) % RING] = *row;
		c->taken++;
		pthread_cond_signal(&c->more);
	}
	pthread_mutex_unlock(&c->lock);
}

uint64_t cdr_lost(struct cdr *c)
{
	return c->lost;
}

void cdr_flush(struct cdr *c)
{
	uint64_t wanted, tries;

	pthread_mutex_lock(&c->lock);
	wanted = c->taken;
	tries = c->tries;
	c->hurried = true;
	pthread_cond_signal(&c->more);
	while (c->finished < wanted && !(c->failed && c->tries > tries))
		pthread_cond_wait(&c->done, &c->lock);
	c->hurried = false;
	pthread_mutex_unlock(&c->lock);
}

/* --- the writer ----------------------------------------------------------- */

/* ERR_FULL: what room is left is not for these records. */
static int check_room(const struct cdr *c, struct error *e)
{
	const char *directory = store_directory(c->store);
	uint64_t left;

	if (room_left(directory, &left, e) < 0)
		return -1;
	return left >= CDR_SPARE ? 0 : room_error(directory, 0, e);
}

/* The first count records of the queue, which stay there meanwhile. */
static int write_batch(struct cdr *c, size_t count, struct error *e)
{
	size_t first = RING - c->head;
	struct cdr_row *rows = malloc(count * sizeof(*rows));
	int rc = rows ? check_room(c, e) : error_nomem(e);

	if (rc == 0) {
		first = first < count ? first : count;
		memcpy(rows, &c->ring[c->head], first * sizeof(*rows));
		memcpy(&rows[first], c->ring, (count - first) * sizeof(*rows));
		rc = store_cdr_add(c->store, rows, count, e);
	}
	free(rows);
	return rc;
}

static struct timespec in_ms(long ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000L;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

/* Under the lock. False: it is time to note that calls are still up. */
static bool wait_for_work(struct cdr *c)
{
	int code = 0;

	while (c->settled && c->count == 0 && !c->stopping && code == 0)
		code = c->watching ? pthread_cond_timedwait(&c->more, &c->lock,
							    &c->look)
				   : pthread_cond_wait(&c->more, &c->lock);
	return code == 0;
}

/* Under the lock: a batch gathers for a moment unless somebody waits; after a
 * failure the next try is not at once. False: it is the end. */
static bool gather(struct cdr *c)
{
	struct timespec end;

	if (!wait_for_work(c))
		return true;
	end = in_ms(c->failed ? CDR_RETRY_MS : CDR_GATHER_MS);
	while ((c->count < CDR_BATCH || c->failed) && !c->stopping &&
	       !c->hurried)
		if (pthread_cond_timedwait(&c->more, &c->lock, &end) != 0)
			break;
	return c->count > 0 || !c->settled;
}

static void say_lost(struct cdr *c)
{
	uint64_t n = c->lost - c->told;

	if (n == 0)
		return;
	c->told += n;
	log_error(GROUP, "%" PRIu64 " call detail records were lost", n);
}

/* Under the lock. */
static void note(struct cdr *c, size_t written, const struct error *e)
{
	bool failed = e->kind != ERR_NONE;

	if (failed && !c->failed)
		log_error(GROUP,
			  "call detail records cannot be written; they wait: "
			  "%s",
			  e->text);
	c->failed = failed;
	c->tries++;
	c->hurried = c->hurried && !failed;
	c->look = in_ms(c->alive_ms);
	if (!failed && !c->settled) {
		c->settled = true;
		c->finished++;
	} else if (!failed) {
		c->head = (c->head + written) % RING;
		c->count -= written;
		c->finished += written;
		say_lost(c);
	}
	pthread_cond_broadcast(&c->done);
}

/* Calls that were up when an earlier run broke off. */
static int settle(struct cdr *c, struct error *e)
{
	uint64_t count;

	if (store_cdr_end_open(c->store, c->opened_at,
			       sip_end_name(SIP_END_SERVICE_INTERRUPTED),
			       &count, e) < 0)
		return -1;
	if (count > 0)
		log_warning(GROUP,
			    "%" PRIu64 " calls had not ended when the service "
			    "was killed, crashed or lost power",
			    count);
	return 0;
}

static int note_alive(struct cdr *c, struct error *e)
{
	uint64_t open = 0;
	int rc = check_room(c, e);

	if (rc == 0)
		rc = store_cdr_alive(c->store, clock_monotonic_ms(), &open, e);
	c->watching = rc < 0 || open > 0;
	return rc;
}

/* The writer's next step, without the lock. */
static int step(struct cdr *c, size_t count, struct error *e)
{
	if (!c->settled)
		return settle(c, e);
	if (count == 0)
		return note_alive(c, e);
	c->watching = true;
	return write_batch(c, count, e);
}

static void *run(void *arg)
{
	struct cdr *c = arg;
	bool last = false;
	struct error e;
	size_t n;

	pthread_mutex_lock(&c->lock);
	while (gather(c) && !(last && c->failed)) {
		last = c->stopping;
		error_clear(&e);
		n = c->count < CDR_BATCH ? c->count : CDR_BATCH;
		if (!c->settled)
			n = 0;
		pthread_mutex_unlock(&c->lock);
		(void)!step(c, n, &e);
		pthread_mutex_lock(&c->lock);
		note(c, n, &e);
	}
	c->lost += c->count;
	say_lost(c);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* --- the whole ------------------------------------------------------------ */

static void discard(struct cdr *c)
{
	pthread_cond_destroy(&c->done);
	pthread_cond_destroy(&c->more);
	pthread_mutex_destroy(&c->lock);
	free(c->ring);
	free(c);
}

struct cdr *cdr_open(struct store *s, int alive_ms, struct error *e)
{
	struct cdr *c = calloc(1, sizeof(*c));
	pthread_condattr_t attr;

	if (!c || !(c->ring = calloc(RING, sizeof(*c->ring)))) {
		free(c);
		error_nomem(e);
		return NULL;
	}
	c->store = s;
	c->alive_ms = alive_ms;
	c->opened_at = clock_now();
	c->taken = 1; /* what is settled first */
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->more, &attr);
	pthread_cond_init(&c->done, NULL);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&c->thread, NULL, run, c) != 0) {
		error_set(e, ERR_LIMIT, "call detail records: no thread");
		discard(c);
		return NULL;
	}
	return c;
}

void cdr_close(struct cdr *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	pthread_cond_signal(&c->more);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	discard(c);
}

/* --- records of calls ----------------------------------------------------- */

#define COPY(to, from) snprintf((to), sizeof(to), "%s", (from))

const char *cdr_transport_word(const struct sip_link_facts *l)
{
	static const char *const words[] = {
		[SIP_UDP] = "UDP", [SIP_TCP] = "TCP", [SIP_TLS] = "TLS"
	};

	return l->known ? words[l->transport] : "";
}

void cdr_of_call(const struct sip_call_facts *f, enum cdr_kind kind,
		 const char *conference, const char *participant,
		 struct cdr_row *out)
{
	memset(out, 0, sizeof(*out));
	out->kind = kind;
	out->at = kind == CDR_JOINED ? f->connected : f->ended;
	if (out->at == 0)
		out->at = clock_now();
	COPY(out->conference, conference);
	COPY(out->participant, participant);
	COPY(out->address, f->peer);
	out->incoming = f->incoming;
	COPY(out->transport, cdr_transport_word(&f->link));
	COPY(out->encryption, sip_encryption_name(f->encryption));
	COPY(out->tls_version, f->link.tls_version);
	COPY(out->cipher, f->link.cipher);
	COPY(out->peer_identity, f->link.peer_identity);
	out->verified = f->link.verified;
	out->call = f->connected ? f->id : 0;
	out->since_ms = f->connected_ms;
	if (kind != CDR_LEFT)
		return;
	COPY(out->reason, sip_end_name(f->end));
	if (f->connected && f->ended_ms > f->connected_ms)
		out->seconds = (f->ended_ms - f->connected_ms) / 1000;
}

/* --- reading -------------------------------------------------------------- */

static uint64_t begin_at(const struct cdr_query *q, const struct cdr_range *r)
{
	uint64_t index = (uint64_t)q->index;

	if (!q->has_index || q->index < 0 || index >= r->last + 2 ||
	    index < r->first)
		return r->first;
	return index;
}

static uint64_t begin_down_at(const struct cdr_query *q,
			      const struct cdr_range *r)
{
	uint64_t index = (uint64_t)q->index;

	if (!q->has_index || q->index < 0 || index > r->last)
		return r->last;
	return index;
}

struct filling {
	struct cdr_batch *batch;
	size_t most;
};

static int add_found(void *arg, const struct cdr_row *row, struct error *e)
{
	struct filling *f = arg;
	struct cdr_batch *b = f->batch;

	(void)e;
	if (b->count == f->most) {
		b->next = row->number;
		b->more = true;
	} else {
		b->rows[b->count++] = *row;
	}
	return 0;
}

int cdr_read(struct cdr *c, const struct cdr_query *q, struct cdr_batch *out,
	     struct error *e)
{
	struct filling f = { out, q->most < CDR_READ_MOST ? q->most
							  : CDR_READ_MOST };
	struct cdr_selection what = { .kinds = q->kinds, .count = f.most + 1 };
	struct cdr_range range;

	memset(out, 0, sizeof(*out));
	if (cdr_range(c, &range, e) < 0)
		return -1;
	/* What comes while we read is for the next call. */
	what.downward = q->newest_first;
	if (q->newest_first) {
		out->start = what.to = begin_down_at(q, &range);
	} else {
		out->start = what.from = begin_at(q, &range);
		out->next = range.last + 1;
		what.to = range.last;
	}
	return store_cdr_each(c->store, &what, add_found, &f, e);
}

int cdr_range(struct cdr *c, struct cdr_range *out, struct error *e)
{
	cdr_flush(c);
	return store_cdr_range(c->store, out, e);
}

int cdr_delete(struct cdr *c, uint64_t before, uint64_t *deleted_out,
	       struct error *e)
{
	cdr_flush(c);
	return store_cdr_delete(c->store, before, deleted_out, e);
}
