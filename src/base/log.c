/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_limit.h"
#include "base/utf8.h"

enum { ESCAPE_BYTES = 4 /* of \xNN */ };

static atomic_int threshold = LOG_LEVEL_INFO;

static const struct {
	const char *name;
	int severity;
} levels[LOG_LEVEL_COUNT] = {
	[LOG_LEVEL_ERROR] = { "error", 3 },
	[LOG_LEVEL_WARNING] = { "warning", 4 },
	[LOG_LEVEL_INFO] = { "info", 5 },
	[LOG_LEVEL_TRACE] = { "trace", 6 },
	[LOG_LEVEL_DETAILED_TRACE] = { "detailedTrace", 7 },
};

/* Held for reading while sinks run, for writing while they change. */
static pthread_rwlock_t outlets_lock = PTHREAD_RWLOCK_INITIALIZER;
static struct {
	log_sink_fn *fn;
	void *arg;
} sinks[LOG_SINKS_MAX];
static log_output_fn *output;
static void *output_arg;

static pthread_mutex_t limit_lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_limit limit;

/* This thread is inside a sink, or works for one. */
static _Thread_local bool local_only;

const char *log_level_name(enum log_level level)
{
	return levels[level].name;
}

int log_level_severity(enum log_level level)
{
	return levels[level].severity;
}

void log_set_level(enum log_level level)
{
	atomic_store(&threshold, (int)level);
}

enum log_level log_level(void)
{
	return (enum log_level)atomic_load(&threshold);
}

/* --- the text ------------------------------------------------------------- */

/* Copies text (out takes at least its first character) with whatever is no
 * plain character made visible; cut between characters. */
static void put_visible(char *out, size_t size, const char *text)
{
	struct view s = view_str(text);
	uint32_t code;

	while (s.len) {
		size_t n = utf8_next(s, &code);
		bool plain = n > 0 && !utf8_is_control(code);
		size_t room = plain ? n : ESCAPE_BYTES;

		if (room >= size)
			break;
		if (plain)
			memcpy(out, s.ptr, n);
		else
			snprintf(out, size, "\\x%02x", s.ptr[0]);
		out += room;
		size -= room;
		n = plain ? n : 1;
		s = view_of(s.ptr + n, s.len - n);
	}
	*out = '\0';
}

static size_t put_head(char *out, size_t cap, const struct log_event *event)
{
	time_t seconds = (time_t)(event->at_ms / 1000);
	struct tm tm;
	size_t n;

	if (getenv("JOURNAL_STREAM"))
		return (size_t)snprintf(out, cap, "<%d>",
					levels[event->level].severity);
	gmtime_r(&seconds, &tm);
	n = strftime(out, cap, "%Y-%m-%dT%H:%M:%S", &tm);
	return n + (size_t)snprintf(out + n, cap - n, ".%03dZ %s ",
				    (int)(event->at_ms % 1000),
				    levels[event->level].name);
}

static void write_line(const struct log_event *event)
{
	char line[LOG_TEXT_MAX + 128];
	size_t n = put_head(line, sizeof(line), event);

	n += (size_t)snprintf(line + n, sizeof(line) - n, "%.64s: %s\n",
			      event->group, event->text);
	/* One write keeps lines of several threads apart. There is nowhere left
	 * to say that it failed. */
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}

/* --- where it goes -------------------------------------------------------- */

static void hand_out(const struct log_event *event)
{
	bool written = false;

	if (local_only) {
		write_line(event);
		return;
	}
	pthread_rwlock_rdlock(&outlets_lock);
	local_only = true;
	if (output)
		written = output(output_arg, event);
	if (!written)
		write_line(event);
	for (int i = 0; i < LOG_SINKS_MAX; i++)
		if (sinks[i].fn)
			sinks[i].fn(sinks[i].arg, event);
	local_only = false;
	pthread_rwlock_unlock(&outlets_lock);
}

static void tell(const struct log_tally *tally)
{
	char text[128];
	const struct log_event event = { .at_ms = clock_now_ms(),
					 .level = tally->level,
					 .group = tally->group,
					 .text = text };

	snprintf(text, sizeof(text),
		 "%u more events of \"%s\" (%s) were suppressed", tally->count,
		 tally->group, levels[tally->level].name);
	hand_out(&event);
}

static bool is_admitted(enum log_level level, const char *group)
{
	struct log_tally before;
	bool admitted;

	if ((int)level > atomic_load(&threshold))
		return false;
	pthread_mutex_lock(&limit_lock);
	admitted = log_limit_admit(&limit, level, group, clock_monotonic_ms(),
				   &before);
	pthread_mutex_unlock(&limit_lock);
	if (before.count)
		tell(&before);
	return admitted;
}

void log_tell_suppressed(bool all)
{
	struct log_tally tally;
	int saved = errno;
	bool found;

	do {
		pthread_mutex_lock(&limit_lock);
		found =
		    log_limit_settle(&limit, clock_monotonic_ms(), all, &tally);
		pthread_mutex_unlock(&limit_lock);
		if (found)
			tell(&tally);
	} while (found);
	errno = saved;
}

uint64_t log_suppressed(void)
{
	uint64_t total;

	pthread_mutex_lock(&limit_lock);
	total = limit.total;
	pthread_mutex_unlock(&limit_lock);
	return total;
}

void log_at(enum log_level level, const char *group, const char *fmt, ...)
{
	char raw[LOG_TEXT_MAX], text[LOG_TEXT_MAX];
	struct log_event event = { .level = level,
				   .group = group,
				   .text = text };
	int saved = errno;
	va_list ap;

	if (!is_admitted(level, group)) {
		errno = saved;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	put_visible(text, sizeof(text), raw);
	event.at_ms = clock_now_ms();
	hand_out(&event);
	errno = saved;
}

void log_failure(enum log_level level, const char *group, const struct error *e)
{
	if (e->native)
		log_at(level, group, "%s [%s %#lx]", e->text,
		       error_kind_name(e->kind), (unsigned long)e->native);
	else
		log_at(level, group, "%s [%s]", e->text,
		       error_kind_name(e->kind));
}

/* --- who listens ---------------------------------------------------------- */

int log_add_sink(log_sink_fn *fn, void *arg)
{
	int rc = -1;

	pthread_rwlock_wrlock(&outlets_lock);
	for (int i = 0; i < LOG_SINKS_MAX && rc < 0; i++) {
		if (sinks[i].fn)
			continue;
		sinks[i].fn = fn;
		sinks[i].arg = arg;
		rc = 0;
	}
	pthread_rwlock_unlock(&outlets_lock);
	return rc;
}

void log_remove_sink(log_sink_fn *fn, void *arg)
{
	pthread_rwlock_wrlock(&outlets_lock);
	for (int i = 0; i < LOG_SINKS_MAX; i++)
		if (sinks[i].fn == fn && sinks[i].arg == arg)
			sinks[i].fn = NULL;
	pthread_rwlock_unlock(&outlets_lock);
}

void log_keep_local(void)
{
	local_only = true;
}

void log_set_output(log_output_fn *fn, void *arg)
{
	pthread_rwlock_wrlock(&outlets_lock);
	output = fn;
	output_arg = arg;
	pthread_rwlock_unlock(&outlets_lock);
}
