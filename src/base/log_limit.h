/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_BASE_LOG_LIMIT_H
#define SB_BASE_LOG_LIMIT_H

#include "base/log.h"

/* How many events are told: strangers cause some of them at will and must
 * neither fill a disk nor drown what matters. Each level of each group has a
 * bucket of its own, so a flood of one kind takes no room from another; what is
 * too much is counted, and told by one line at most once a minute. Pure; the
 * caller locks (log_at() does). */

enum {
	LOG_LIMIT_BURST = 60,     /* error, warning, info: so many at once, */
	LOG_LIMIT_EACH_MS = 6000, /* then one in so many milliseconds */
	LOG_LIMIT_TRACE_BURST = 1000,
	LOG_LIMIT_TRACE_EACH_MS = 20,
	LOG_LIMIT_TELL_MS = 60000,
	LOG_LIMIT_GROUPS = 32, /* all further ones share the last */
	LOG_LIMIT_NAME = 24    /* bytes of a group's name with its NUL */
};

struct log_bucket {
	int64_t full_at_ms; /* when it would be full again */
	int64_t told_ms;
	uint32_t suppressed; /* since it was told */
};

struct log_limit {
	unsigned groups; /* in use */
	char names[LOG_LIMIT_GROUPS][LOG_LIMIT_NAME];
	struct log_bucket buckets[LOG_LIMIT_GROUPS][LOG_LEVEL_COUNT];
	uint64_t total; /* ever suppressed */
};

/* What was suppressed and is to be told now; count 0: nothing. */
struct log_tally {
	char group[LOG_LIMIT_NAME];
	enum log_level level;
	uint32_t count;
};

/* One more event at that monotonic time: whether to tell it. *before is what to
 * tell in front of it. */
bool log_limit_admit(struct log_limit *l, enum log_level level,
		     const char *group, int64_t now_ms,
		     struct log_tally *before);
/* The next bucket that has something to tell by now, at the end (all) whether
 * or not its minute is over; false: none. */
bool log_limit_settle(struct log_limit *l, int64_t now_ms, bool all,
		      struct log_tally *out);

#endif
