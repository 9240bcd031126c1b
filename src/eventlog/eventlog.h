/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_EVENTLOG_EVENTLOG_H
#define SB_EVENTLOG_EVENTLOG_H

#include "store/event_rows.h"

/* The event log: a sink of base/log that keeps events in the state directory.
 * A thread writes them in batches from a bounded queue, so that whoever logs
 * never waits for a disk. Trouble with the file stops nothing: events are
 * dropped and counted, and told by one line when they can be kept again; a
 * damaged file is replaced by a new one. Any thread. */

enum {
	EVENTLOG_QUEUE = 512,       /* events that wait; more are dropped */
	EVENTLOG_BATCH = 128,       /* events a transaction */
	EVENTLOG_GATHER_MS = 100,   /* a batch waits so long for more */
	EVENTLOG_REOPEN_MS = 10000, /* from one try to the next */
	/* With less room on the disk nothing is kept: the last of it is for
	 * what must not be lost. */
	EVENTLOG_SPARE_BYTES = 2 << 20,
	EVENTLOG_PAGE_EVENTS = 500 /* read at once by eventlog_each() */
};

struct eventlog;

/* ERR_NOMEM, ERR_LIMIT (no thread, no room for a sink): nothing that concerns
 * the file. directory is borrowed. */
struct eventlog *eventlog_open(const char *directory,
			       struct error *e) MUST_CHECK;
/* Writes what still waits. */
void eventlog_close(struct eventlog *l);

/* Returns when what was logged before is kept or dropped. */
void eventlog_flush(struct eventlog *l);
/* Events that were not kept since the start: queue full, disk full. */
uint64_t eventlog_dropped(struct eventlog *l);

/* As the functions of store/event_rows.h. ERR_IO with the cause while there is
 * no file. */
int eventlog_range(struct eventlog *l, struct event_range *out,
		   struct error *e) MUST_CHECK;
int eventlog_groups(struct eventlog *l,
		    int (*each)(void *arg, const char *group, struct error *e),
		    void *arg, struct error *e) MUST_CHECK;
int eventlog_clear(struct eventlog *l, uint64_t *deleted_out,
		   struct error *e) MUST_CHECK;
/* All rows from number from on, upward or downward; each() may log but not call
 * functions of this folder, its -1 ends the walk and is returned. */
int eventlog_each(struct eventlog *l, uint64_t from, bool downward,
		  int (*each)(void *arg, const struct event_row *row,
			      struct error *e),
		  void *arg, struct error *e) MUST_CHECK;

#endif
