/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUDIT_AUDIT_RESERVE_H
#define SB_AUDIT_AUDIT_RESERVE_H

#include <stdbool.h>

#include "base/error.h"

/* Room kept for the records of what is in hand when the disk gets full: a file
 * that is really allocated and can be given up. Any thread. */

#define AUDIT_RESERVE_FILE "audit.reserve"
enum { AUDIT_RESERVE_BYTES = 1 << 20 };

struct audit_reserve;

/* Touches no file yet. */
struct audit_reserve *audit_reserve_new(const char *directory,
					struct error *e) MUST_CHECK;
/* The file stays. */
void audit_reserve_free(struct audit_reserve *r);

/* Is it there? If not it is made. ERR_FULL: no room for it, the text says where
 * and what helps; ERR_IO: the directory cannot be written to, or something else
 * has that name. */
int audit_reserve_hold(struct audit_reserve *r, struct error *e) MUST_CHECK;

/* Its room is free for others. False: it was not there. */
bool audit_reserve_give_up(struct audit_reserve *r);
/* The same for a directory whose store cannot be opened for want of room. */
bool audit_reserve_give_up_in(const char *directory);

#endif
