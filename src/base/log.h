/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_BASE_LOG_H
#define SB_BASE_LOG_H

#include "base/error.h"

/* Log lines go to standard error, one each, "<N>group: text" with the syslog
 * priority in front when the journal reads it (JOURNAL_STREAM is set), else
 * with a UTC time stamp and the level's name. Any thread; errno is kept.
 * Control characters from outside are shown as \xNN, so that nobody can forge a
 * line. Secrets are never logged. */

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_TRACE
};

/* What is above this level is dropped. Default LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);
enum log_level log_level(void);

void log_at(enum log_level level, const char *group, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(group, ...)   log_at(LOG_LEVEL_ERROR, group, __VA_ARGS__)
#define log_warning(group, ...) log_at(LOG_LEVEL_WARNING, group, __VA_ARGS__)
#define log_info(group, ...)    log_at(LOG_LEVEL_INFO, group, __VA_ARGS__)
#define log_trace(group, ...)   log_at(LOG_LEVEL_TRACE, group, __VA_ARGS__)

/* One line for a failure that is handled here. */
void log_failure(enum log_level level, const char *group,
		 const struct error *e);

#endif
