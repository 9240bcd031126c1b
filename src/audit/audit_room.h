/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUDIT_AUDIT_ROOM_H
#define SB_AUDIT_AUDIT_ROOM_H

#include "audit/audit_reserve.h"
#include "store/audit_rows.h"

/* What is done about a full disk. Any thread. */

/* Bytes that must be left beside the reserve before a change begins: what it
 * writes itself (settings, accounts, objects of a software token) comes from
 * there, and a deed that ends half-way is worse than one that was refused. */
enum { AUDIT_ROOM_LEAST = 256 << 10 };

/* store_audit_append() of at most AUDIT_RECORDS_MAX records in the trail; when
 * there is no room for these, first the log of the store gives up its room and
 * then the reserve its own. */
int audit_room_append(struct store *s, struct audit_reserve *r,
		      struct audit_row *const rows[], size_t count,
		      audit_seal_fn *seal, struct error *e) MUST_CHECK;

/* Records that one transaction deletes; fewer where there is little room. */
enum { AUDIT_SLICE_MOST = 512, AUDIT_SLICE_LEAST = 4 };

/* Delete the records from first, the oldest there is, up to before. Each slice
 * leaves a whole trail. *deleted counts what is gone, also when the rest could
 * not be deleted. */
int audit_room_delete(struct store *s, struct audit_reserve *r, uint64_t first,
		      uint64_t before, uint64_t *deleted,
		      struct error *e) MUST_CHECK;

/* Is there room for a change and its records? ERR_FULL: no, the text says where
 * and what helps; ERR_IO. */
int audit_room_check(struct store *s, struct audit_reserve *r,
		     struct error *e) MUST_CHECK;

#endif
