/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_STORE_EVENT_ROWS_H
#define SB_STORE_EVENT_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log.h"

/* The events of the log, in a file of their own (DIRECTORY/events.db) so that
 * nothing of what must last waits for them or shares their fate. What was
 * acknowledged survives the end of the process, not the loss of power
 * (synchronous=NORMAL). The newest EVENTS_KEPT stay, half of them for traces,
 * half for the rest, so that tracing pushes out no warning; the file is never
 * larger than EVENTS_FILE_BYTES. Any thread. */

enum {
	EVENTS_KEPT = 20000,
	EVENTS_CUT_EVERY = 100, /* so many more may stand there meanwhile */
	EVENT_GROUP_MAX = 63,   /* bytes; what is longer is cut */
	EVENT_TEXT_MAX = 1024,
	EVENT_GROUPS_MAX = 100, /* names that event_store_groups() gives */
	EVENTS_FILE_BYTES = 64 << 20
};

struct event_store;

struct event_row {
	uint64_t number; /* given by the store, ascending, never twice */
	int64_t at_ms;
	enum log_level level;
	const char *group, *text;
};

/* Opens or makes the file. One that is damaged or of a newer release is
 * replaced by an empty one; why is then in *replaced (a line, else ""). */
struct event_store *event_store_open(const char *directory,
				     struct error *replaced,
				     struct error *e) MUST_CHECK;
void event_store_close(struct event_store *s);

/* Whether a failure of a function below is one of what stands in the file,
 * which is then to be closed, discarded and opened anew. */
bool event_store_is_damaged(const struct error *e);
void event_store_discard(const char *directory);

/* In one transaction; the numbers of rows are not looked at. */
int event_store_add(struct event_store *s, const struct event_row *rows,
		    size_t count, struct error *e) MUST_CHECK;

/* first..last: what was given away so far and is still there; first is last + 1
 * when none is. */
struct event_range {
	uint64_t first, last, count;
};
int event_store_range(struct event_store *s, struct event_range *out,
		      struct error *e) MUST_CHECK;

/* At most count rows from number from on, upward or downward. each is called
 * without a lock; its -1 ends the walk and is returned. */
int event_store_page(struct event_store *s, uint64_t from, bool downward,
		     size_t count,
		     int (*each)(void *arg, const struct event_row *row,
				 struct error *e),
		     void *arg, struct error *e) MUST_CHECK;
/* The names of groups that have events. */
int event_store_groups(struct event_store *s,
		       int (*each)(void *arg, const char *group,
				   struct error *e),
		       void *arg, struct error *e) MUST_CHECK;
/* All of them; numbers go on. */
int event_store_clear(struct event_store *s, uint64_t *deleted_out,
		      struct error *e) MUST_CHECK;

#endif
