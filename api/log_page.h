/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_LOG_PAGE_H
#define SB_API_LOG_PAGE_H

#include "api/method.h"

/* What auditlog.enumerate and eventlog.enumerate have in common: a batch of a
 * log, from an index on, upward or downward, of what passes a filter. */

enum { LOG_PAGE_MAX = 200, LOG_PAGE_DEFAULT = 20 };
#define LOG_PAGE_NEWEST UINT64_MAX

/* Rows of the parameters of such a method. thing: "record" or "event". */
#define LOG_PAGE_INDEX(thing)                                              \
	.name = "index", .type = VALUE_INT, .least = 0, .most = INT32_MAX, \
	.help = "The first " thing " wanted; default the oldest, or "      \
		"the newest with newestFirst."
#define LOG_PAGE_COUNT                                      \
	.name = "numEvents", .type = VALUE_INT, .least = 1, \
	.most = LOG_PAGE_MAX, .help = "How many at most; default 20."
#define LOG_PAGE_DIRECTION                            \
	.name = "newestFirst", .type = VALUE_BOOLEAN, \
	.help = "From index down; default false."
/* The struct in "filter", whose members these are rows of. */
#define LOG_PAGE_FILTER(thing, rows)                              \
	.name = "filter", .type = VALUE_STRUCT, .inside = (rows), \
	.help = "Only " thing "s with these values; all of them must fit."
#define LOG_FILTER_SINCE                     \
	.name = "since", .type = VALUE_TIME, \
	.help = "Not before this moment (UTC)."
#define LOG_FILTER_UNTIL                     \
	.name = "until", .type = VALUE_TIME, \
	.help = "Not after this moment (UTC)."

/* Those parameters of a call; borrowed from it. */
struct log_page {
	const struct value *filter; /* NULL: none */
	bool newest_first;          /* downward */
	uint64_t index; /* the first one wanted; LOG_PAGE_NEWEST: none is named,
			 * with newest_first */
	size_t count;   /* how many at most */
};

struct log_page log_page_of(const struct call *c);
bool log_filter_is_in_time(const struct value *filter, time_t t);

/* The answer as it grows. One more than wanted is looked for, to know of the
 * rest. */
struct log_batch {
	struct value *events;
	size_t most, seen;
	uint64_t next; /* where the next batch begins */
};

/* An empty one, the member events of s. next: for when this one is not full. */
struct log_batch log_batch_new(struct value *s, const struct log_page *page,
			       uint64_t next);
/* The struct for what has that number and is wanted, in out. ERR_CANCELLED: the
 * batch is full, so look no further. */
int log_batch_add(struct log_batch *b, uint64_t number, struct value **out,
		  struct error *e) MUST_CHECK;
/* Puts eventsRemaining and nextIndex into s. */
void log_batch_end(const struct log_batch *b, struct value *s);

#endif
