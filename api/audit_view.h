/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_AUDIT_VIEW_H
#define SB_API_AUDIT_VIEW_H

#include "api/value.h"
#include "audit/audit.h"

/* Records of the audit trail as auditlog.* shows them. Pure, any thread. */

/* The members of a record, into an empty struct. */
void audit_put_record(struct value *s, const struct audit_record *r);
/* { event, severity, label } of all events, in the order of events.def. */
void audit_put_events(struct value *array);

#endif
