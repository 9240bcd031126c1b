/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_AUDIT_EXPORT_H
#define SB_API_AUDIT_EXPORT_H

#include "api/method.h"

/* The audit trail as an XML document (audit_xml.h), a piece a call. */

enum {
	AUDIT_EXPORT_RECORDS = 500,         /* in a piece, at most */
	AUDIT_EXPORT_BYTES = 1024 * 1024,   /* a piece ends behind so many */
	AUDIT_EXPORT_MAX = 12 * 1024 * 1024 /* bytes of a piece, heads too */
};

struct audit_export {
	uint64_t from; /* 0: the document begins */
	uint64_t to;   /* 0: the newest record */
};

/* Append a piece to out. *next_out: where the next one begins, 0: that was the
 * last; *last_out: what it has to be given as `to`. ERR_CONFLICT: records that
 * the document should go on with were deleted meanwhile. */
int audit_export_piece(const struct call *c, const struct audit_export *what,
		       struct buf *out, uint64_t *next_out, uint64_t *last_out,
		       struct error *e) MUST_CHECK;

#endif
