/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_NOTIFY_SYSLOG_ENTRIES_H
#define SB_NOTIFY_SYSLOG_ENTRIES_H

#include "audit/audit.h"
#include "base/log.h"
#include "notify/syslog_message.h"

/* What an event of the log and a record of the audit trail become. Pure. */

/* Facility daemon, severity 3 to 7 by level, MSGID the group. */
int syslog_of_event(const struct syslog_origin *from,
		    const struct log_event *event, uint32_t sequence,
		    struct buf *out, struct error *e) MUST_CHECK;

/* Facility authpriv, MSGID the event's name. The record's members stand in
 * element audit@32473 (index, module, severity, user, peer, via), its fields in
 * element fields@32473 under their own names, and the text is for people. */
int syslog_of_record(const struct syslog_origin *from,
		     const struct audit_record *record, uint32_t sequence,
		     struct buf *out, struct error *e) MUST_CHECK;

#endif
