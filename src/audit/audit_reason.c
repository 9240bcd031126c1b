/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "audit/audit.h"

static const struct {
	const char *name, *before, *behind; /* the number stands between */
} reasons[AUDIT_REASON_COUNT] = {
	[AUDIT_INTACT] = { "", "", "" },
	[AUDIT_BROKEN_CHANGED] = { "changed", "Record ",
				   " was changed: its content does not fit the "
				   "hash that was made of it." },
	[AUDIT_BROKEN_MISSING] = { "missing", "Record ", " is missing." },
	[AUDIT_BROKEN_INSERTED] = { "inserted", "Record ",
				    " was put in: the service never gave it "
				    "that number." },
	[AUDIT_BROKEN_MOVED] = { "moved", "Record ",
				 " was exchanged: its content belongs to "
				 "another number." },
	[AUDIT_BROKEN_REWRITTEN] = { "rewritten", "The records up to ",
				     " were rewritten: they are not those that "
				     "were signed." },
	[AUDIT_BROKEN_HEAD_SIGNATURE] = { "headSignature",
					  "The signed head at record ",
					  " was not signed by the audit key of "
					  "this device." },
	[AUDIT_BROKEN_ROLLED_BACK] = { "rolledBack",
				       "The database was put back to an older "
				       "state: the token has signed records "
				       "beyond record ",
				       "." },
	[AUDIT_BROKEN_END] = { "end",
			       "Where the records begin or end was changed: it "
			       "does not fit record ",
			       "." },
	[AUDIT_BROKEN_UNREADABLE] = { "unreadable", "Record ",
				      " cannot be read: it is nothing that the "
				      "service could have written." },
};

const char *audit_reason_name(enum audit_reason r)
{
	return (unsigned)r < AUDIT_REASON_COUNT ? reasons[r].name : "";
}

void audit_reason_sentence(enum audit_reason r, uint64_t number,
			   char out[AUDIT_PROBLEM_MAX])
{
	out[0] = '\0';
	if (r > AUDIT_INTACT && r < AUDIT_REASON_COUNT)
		snprintf(out, AUDIT_PROBLEM_MAX, "%s%" PRIu64 "%s",
			 reasons[r].before, number, reasons[r].behind);
}

const char *audit_rollback_name(enum audit_rollback r)
{
	static const char *const names[] = {
		[AUDIT_ROLLBACK_RULED_OUT] = "ruledOut",
		[AUDIT_ROLLBACK_TOKEN_UNAVAILABLE] = "tokenUnavailable",
		[AUDIT_ROLLBACK_NOT_SUPPORTED] = "notSupported",
		[AUDIT_ROLLBACK_DETECTED] = "detected",
	};

	return (unsigned)r <= AUDIT_ROLLBACK_DETECTED ? names[r] : "";
}
