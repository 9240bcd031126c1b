/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "eventlog/eventlog.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"

#define OWN_GROUP "eventlog"

struct entry {
	int64_t at_ms;
	enum log_level level;
	char group[EVENT_GROUP_MAX + 1], text[EVENT_TEXT_MAX + 1];
};

struct eventlog {
	const char *directory;
	pthread_t thread;

	/* The queue: a ring. Entries from head on, as many as a batch has, are
	 * the writer's while it writes: others only add behind the last. */
	pthread_mutex_t lock;
	pthread_cond_t more, done;
	struct entry *ring;
	size_t head, count;
	uint64_t taken, finished; /* events ever queued; written or dropped */
	bool hurried;
	atomic_bool stopping;

	_Atomic uint64_t dropped;

	/* The file; written under the lock by the writer alone. */
	pthread_rwlock_t store_lock;
	struct event_store *store;
	struct error why; /* there is none */
	/* Somebody found it damaged; the writer replaces it. */
	atomic_bool unreadable;

	/* The writer's own. */
	int64_t tried_ms;
	uint64_t told;   /* of dropped */
	bool in_trouble; /* and it has been said */
};

/* --- the sink ------------------------------------------------------------- */

static void take_event(void *arg, const struct log_event *event)
{
	struct eventlog *l = arg;
	struct entry *to;

	pthread_mutex_lock(&l->lock);
	if (l->count == EVENTLOG_QUEUE) {
		l->dropped++;
	} else {
		to = &l->ring[(l->head + l->count++) % EVENTLOG_QUEUE];
		to->at_ms = event->at_ms;
		to->level = event->level;
		utf8_line(view_str(event->group), to->group, sizeof(to->group));
		utf8_line(view_str(event->text), to->text, sizeof(to->text));
		l->taken++;
		pthread_cond_signal(&l->more);
	}
	pthread_mutex_unlock(&l->lock);
}

/* --- the file ------------------------------------------------------------- */

/* What the writer has to say stands on standard error at once (its lines reach
 * no sink) and in the log with the next batch. */
static void say(struct eventlog *l, enum log_level level, const char *text)
{
	const struct log_event event = { clock_now_ms(), level, OWN_GROUP,
					 text };

	log_at(level, OWN_GROUP, "%s", text);
	take_event(l, &event);
}

static void say_replaced(struct eventlog *l, const struct error *why)
{
	char text[ERROR_TEXT_MAX + 96];

	if (why->kind == ERR_NONE)
		return;
	snprintf(text, sizeof(text),
		 "the file of the event log was replaced by a new one: %s",
		 why->text);
	say(l, LOG_LEVEL_WARNING, text);
}

static void say_trouble(struct eventlog *l, const struct error *why)
{
	if (l->in_trouble)
		return;
	l->in_trouble = true;
	log_warning(OWN_GROUP, "events are not kept: %s", why->text);
}

/* Takes the store over, NULL with the error *why. */
static void set_store(struct eventlog *l, struct event_store *store,
		      const struct error *why)
{
	pthread_rwlock_wrlock(&l->store_lock);
	event_store_close(l->store);
	l->store = store;
	l->why = *why;
	pthread_rwlock_unlock(&l->store_lock);
}

static void open_store(struct eventlog *l)
{
	struct error e = ERROR_INIT, replaced = ERROR_INIT;
	struct event_store *store;

	l->tried_ms = clock_monotonic_ms();
	store = event_store_open(l->directory, &replaced, &e);
	say_replaced(l, &replaced);
	if (!store)
		say_trouble(l, &e);
	set_store(l, store, &e);
}

/* What stands in it cannot be used. */
static void replace_store(struct eventlog *l, const struct error *why)
{
	struct error copy = *why;

	set_store(l, NULL, &copy);
	event_store_discard(l->directory);
	say_replaced(l, &copy);
	open_store(l);
}

/* --- the writer ----------------------------------------------------------- */

/* What could not be kept, once it can be again. */
static void say_dropped(struct eventlog *l)
{
	uint64_t n = l->dropped - l->told;
	char text[96];

	l->in_trouble = false;
	if (n == 0)
		return;
	l->told += n;
	snprintf(text, sizeof(text), "%" PRIu64 " events were not kept", n);
	say(l, LOG_LEVEL_WARNING, text);
}

/* ERR_FULL: what room is left is not for events. */
static int check_room(const struct eventlog *l, struct error *e)
{
	struct statvfs fs;

	if (statvfs(l->directory, &fs) < 0 ||
	    (uint64_t)fs.f_bavail * fs.f_frsize >= EVENTLOG_SPARE_BYTES)
		return 0;
	return error_set(e, ERR_FULL,
			 "%s: less than %d MiB are free; make room there",
			 l->directory, EVENTLOG_SPARE_BYTES >> 20);
}

static int try_to_write(struct eventlog *l, const struct event_row *rows,
			size_t count)
{
	struct error e = ERROR_INIT;

	/* The end does not wait for a file that is not to be had. */
	if (l->in_trouble && atomic_load(&l->stopping))
		return -1;
	if (atomic_exchange(&l->unreadable, false))
		replace_store(
		    l, &(struct error){ .kind = ERR_IO,
					.text = "it could not be read" });
	if (!l->store &&
	    clock_monotonic_ms() - l->tried_ms >= EVENTLOG_REOPEN_MS)
		open_store(l);
	if (!l->store)
		return -1;
	if (check_room(l, &e) == 0 &&
	    event_store_add(l->store, rows, count, &e) == 0)
		return 0;
	if (event_store_is_damaged(&e)) {
		replace_store(l, &e);
		if (l->store && event_store_add(l->store, rows, count, &e) == 0)
			return 0;
	}
	say_trouble(l, &e);
	return -1;
}

/* The first count entries of the queue, which stay there meanwhile. */
static bool write_batch(struct eventlog *l, size_t count)
{
	struct event_row rows[EVENTLOG_BATCH];

	for (size_t i = 0; i < count; i++) {
		const struct entry *from =
		    &l->ring[(l->head + i) % EVENTLOG_QUEUE];

		rows[i] = (struct event_row){ .at_ms = from->at_ms,
					      .level = from->level,
					      .group = from->group,
					      .text = from->text };
	}
	if (try_to_write(l, rows, count) == 0)
		return true;
	l->dropped += count;
	return false;
}

/* Under the lock: a batch gathers for a moment unless somebody waits. */
static void gather(struct eventlog *l)
{
	struct timespec end;

	while (l->count == 0 && !l->stopping)
		pthread_cond_wait(&l->more, &l->lock);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += EVENTLOG_GATHER_MS * 1000000L;
	end.tv_sec += end.tv_nsec / 1000000000;
	end.tv_nsec %= 1000000000;
	while (l->count < EVENTLOG_BATCH && !l->stopping && !l->hurried)
		if (pthread_cond_timedwait(&l->more, &l->lock, &end) != 0)
			break;
}

static void *run(void *arg)
{
	struct eventlog *l = arg;
	bool written;
	size_t n;

	log_keep_local();
	pthread_mutex_lock(&l->lock);
	while (gather(l), l->count > 0) {
		n = l->count < EVENTLOG_BATCH ? l->count : EVENTLOG_BATCH;
		pthread_mutex_unlock(&l->lock);
		written = write_batch(l, n);
		pthread_mutex_lock(&l->lock);
		l->head = (l->head + n) % EVENTLOG_QUEUE;
		l->count -= n;
		pthread_mutex_unlock(&l->lock);
		if (written)
			say_dropped(l);
		pthread_mutex_lock(&l->lock);
		l->finished += n;
		pthread_cond_broadcast(&l->done);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

void eventlog_flush(struct eventlog *l)
{
	uint64_t wanted;

	pthread_mutex_lock(&l->lock);
	wanted = l->taken;
	l->hurried = true;
	pthread_cond_signal(&l->more);
	while (l->finished < wanted)
		pthread_cond_wait(&l->done, &l->lock);
	l->hurried = false;
	pthread_mutex_unlock(&l->lock);
}

/* --- the whole ------------------------------------------------------------ */

static int make_locks(struct eventlog *l, struct error *e)
{
	pthread_condattr_t attr;

	l->ring = calloc(EVENTLOG_QUEUE, sizeof(*l->ring));
	if (!l->ring)
		return error_nomem(e);
	pthread_mutex_init(&l->lock, NULL);
	pthread_rwlock_init(&l->store_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->more, &attr);
	pthread_cond_init(&l->done, NULL);
	pthread_condattr_destroy(&attr);
	return 0;
}

static void discard(struct eventlog *l)
{
	event_store_close(l->store);
	pthread_cond_destroy(&l->done);
	pthread_cond_destroy(&l->more);
	pthread_rwlock_destroy(&l->store_lock);
	pthread_mutex_destroy(&l->lock);
	free(l->ring);
	free(l);
}

struct eventlog *eventlog_open(const char *directory, struct error *e)
{
	struct eventlog *l = calloc(1, sizeof(*l));

	if (!l || make_locks(l, e) < 0) {
		free(l);
		error_nomem(e);
		return NULL;
	}
	l->directory = directory;
	open_store(l);
	if (pthread_create(&l->thread, NULL, run, l) != 0) {
		error_set(e, ERR_LIMIT, "event log: no thread");
		discard(l);
		return NULL;
	}
	if (log_add_sink(take_event, l) < 0) {
		error_set(e, ERR_LIMIT, "event log: too many sinks");
		eventlog_close(l);
		return NULL;
	}
	return l;
}

void eventlog_close(struct eventlog *l)
{
	if (!l)
		return;
	log_remove_sink(take_event, l);
	pthread_mutex_lock(&l->lock);
	l->stopping = true;
	pthread_cond_signal(&l->more);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->thread, NULL);
	discard(l);
}

uint64_t eventlog_dropped(struct eventlog *l)
{
	return l->dropped;
}

/* --- reading -------------------------------------------------------------- */

/* With the lock held for reading, to be let go; -1: there is none (and none is
 * held). */
static int hold_store(struct eventlog *l, struct error *e)
{
	pthread_rwlock_rdlock(&l->store_lock);
	if (l->store)
		return 0;
	error_set(e, ERR_IO, "the event log cannot be read: %s", l->why.text);
	pthread_rwlock_unlock(&l->store_lock);
	return -1;
}

static int let_go(struct eventlog *l, int rc, const struct error *e)
{
	if (rc < 0 && event_store_is_damaged(e))
		atomic_store(&l->unreadable, true);
	pthread_rwlock_unlock(&l->store_lock);
	return rc;
}

int eventlog_range(struct eventlog *l, struct event_range *out, struct error *e)
{
	if (hold_store(l, e) < 0)
		return -1;
	return let_go(l, event_store_range(l->store, out, e), e);
}

int eventlog_groups(struct eventlog *l,
		    int (*each)(void *arg, const char *group, struct error *e),
		    void *arg, struct error *e)
{
	if (hold_store(l, e) < 0)
		return -1;
	return let_go(l, event_store_groups(l->store, each, arg, e), e);
}

int eventlog_clear(struct eventlog *l, uint64_t *deleted_out, struct error *e)
{
	eventlog_flush(l);
	if (hold_store(l, e) < 0)
		return -1;
	return let_go(l, event_store_clear(l->store, deleted_out, e), e);
}

struct walk {
	int (*each)(void *arg, const struct event_row *row, struct error *e);
	void *arg;
	uint64_t last;
	size_t in_page;
};

static int hand_out(void *arg, const struct event_row *row, struct error *e)
{
	struct walk *w = arg;

	w->last = row->number;
	w->in_page++;
	return w->each(w->arg, row, e);
}

int eventlog_each(struct eventlog *l, uint64_t from, bool downward,
		  int (*each)(void *arg, const struct event_row *row,
			      struct error *e),
		  void *arg, struct error *e)
{
	struct walk w = { .each = each, .arg = arg };
	int rc;

	do {
		w.in_page = 0;
		if (hold_store(l, e) < 0)
			return -1;
		rc = let_go(l,
			    event_store_page(l->store, from, downward,
					     EVENTLOG_PAGE_EVENTS, hand_out, &w,
					     e),
			    e);
		from = downward ? w.last - 1 : w.last + 1;
	} while (rc == 0 && w.in_page == EVENTLOG_PAGE_EVENTS && from > 0);
	return rc;
}
