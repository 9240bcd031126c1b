/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUDIT_AUDIT_GROUP_H
#define SB_AUDIT_AUDIT_GROUP_H

#include <pthread.h>

#include "store/audit_rows.h"

/* Records that several threads append at the same time go to the disk in one
 * transaction: a transaction costs what the disk takes to sync, however many
 * records are in it. The first of those that wait writes for all of them, while
 * the next ones gather. Any thread. */

enum { AUDIT_GROUP_MAX = 128 }; /* records of one transaction */

struct audit_waiting; /* on the stack of a thread that waits */

struct audit_group {
	pthread_mutex_t lock;
	pthread_cond_t written;
	struct audit_waiting *first, *last;
	size_t waiting; /* for the next transaction */
	bool writing;
	int (*write)(void *arg, struct audit_row *const rows[], size_t count,
		     struct error *e);
	void *arg;
};

/* write() puts the rows on disk in that order, all or none; one thread at a
 * time calls it, without a lock. */
void audit_group_init(struct audit_group *g,
		      int (*write)(void *arg, struct audit_row *const rows[],
				   size_t count, struct error *e),
		      void *arg);
void audit_group_destroy(struct audit_group *g);

/* Comes back when this row is on disk, or with the error of the write() that it
 * was in. Sets row->at: times go up as numbers do, as long as the clock does.
 * What the row points to must last until then. */
int audit_group_append(struct audit_group *g, struct audit_row *row,
		       struct error *e) MUST_CHECK;

#endif
