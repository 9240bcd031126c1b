/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_BASE_LOG_H
#define SB_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* What the service says of itself: log_at() is the one call. An event goes to
 * standard error as one line, "<N>group: text" with the syslog severity in
 * front when the journal reads it (JOURNAL_STREAM is set), else with a UTC time
 * stamp and the level's name; and to every sink. Any thread; errno is kept.
 * Control characters and bytes that are no UTF-8 are shown as \xNN, so that
 * nobody can forge a line. Secrets are never logged. */

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_TRACE,
	LOG_LEVEL_DETAILED_TRACE,
	LOG_LEVEL_COUNT
};

/* "error", "warning", "info", "trace", "detailedTrace". */
const char *log_level_name(enum log_level level);
/* Syslog severities: 3, 4, 5 (info is a notice), 6 and 7. */
int log_level_severity(enum log_level level);

/* What is above this level is dropped. Default LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);
enum log_level log_level(void);

void log_at(enum log_level level, const char *group, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Not more than base/log_limit.h admits is told; the rest is counted, and told
 * by one line when the next event of that group and level comes or by this,
 * which the application calls now and then: those whose minute is over, at the
 * end (all) whatever there is. */
void log_tell_suppressed(bool all);
/* How many there were since the start. */
uint64_t log_suppressed(void);

#define log_error(group, ...)   log_at(LOG_LEVEL_ERROR, group, __VA_ARGS__)
#define log_warning(group, ...) log_at(LOG_LEVEL_WARNING, group, __VA_ARGS__)
#define log_info(group, ...)    log_at(LOG_LEVEL_INFO, group, __VA_ARGS__)
#define log_trace(group, ...)   log_at(LOG_LEVEL_TRACE, group, __VA_ARGS__)

/* One line for a failure that is handled here. */
void log_failure(enum log_level level, const char *group,
		 const struct error *e);

/* --- sinks ---------------------------------------------------------------- */

enum { LOG_SINKS_MAX = 4, LOG_TEXT_MAX = 2048 /* bytes with the NUL */ };

/* As it is shown: text is one line of UTF-8 without control characters. */
struct log_event {
	int64_t at_ms; /* clock_now_ms() */
	enum log_level level;
	const char *group, *text; /* borrowed while the call lasts */
};

/* Called by whatever thread logs, with whatever locks it holds, several at the
 * same time: a sink does not block (it copies the event into a queue of its
 * own) and takes no lock under which anything is logged. What is logged inside
 * a sink goes to standard error only, so that a sink that fails cannot feed
 * itself; a thread that works for a sink says log_keep_local() for the same
 * reason. */
typedef void log_sink_fn(void *arg, const struct log_event *event);

/* -1: there are LOG_SINKS_MAX already. */
int log_add_sink(log_sink_fn *fn, void *arg) MUST_CHECK;
/* The pair that was added; unknown ones are fine. No call of it runs any more
 * when this returns; never from inside a sink. */
void log_remove_sink(log_sink_fn *fn, void *arg);
/* What this thread logs from now on goes to standard error only. */
void log_keep_local(void);

/* In the place of the line on standard error, as a sink; false: it could not be
 * done, the line is written. NULL: the line again. */
typedef bool log_output_fn(void *arg, const struct log_event *event);
void log_set_output(log_output_fn *fn, void *arg);

#endif
