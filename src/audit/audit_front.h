/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUDIT_AUDIT_FRONT_H
#define SB_AUDIT_AUDIT_FRONT_H

#include "audit/audit.h"

/* Where a trail may begin. Records go in two ways only: the oldest when there
 * are AUDIT_RECORDS_MAX, and those of a deletion, which is in the trail itself
 * before they go. Any other beginning was made by somebody else, however well
 * the anchor fits. */

/* The last record that went when the record of that event was written; 0: it is
 * no record of a deletion. Pure. fields: as stored. */
uint64_t audit_front_deleted(const char *event, const char *fields);

/* May a trail of so many records begin there, when the records up to deleted
 * are known to have been deleted? Pure. */
bool audit_front_is_fair(uint64_t first, uint64_t count, uint64_t deleted);

/* The verdict for a trail that does not: AUDIT_BROKEN_MISSING. Pure. */
void audit_front_blame(uint64_t first, uint64_t deleted, uint64_t *broken_out,
		       char problem[AUDIT_PROBLEM_MAX]);

/* Of a trail that was found intact; else out stays. Errors: of the store. */
int audit_front_verify(struct audit *a, struct audit_verdict *out,
		       struct error *e) MUST_CHECK;

#endif
