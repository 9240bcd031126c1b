/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_JOURNAL_FIELDS_H
#define SB_APP_JOURNAL_FIELDS_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "audit/audit.h"
#include "base/log.h"

/* Events of the log and records of the audit trail as entries of the journal
 * (systemd.journal-fields(7)): one field an element, "NAME=value". Pure. */

enum { JOURNAL_FIELDS_MAX = 32, JOURNAL_BYTES_MAX = 8192 };

/* journalctl MESSAGE_ID=... finds the records of the audit trail. */
#define JOURNAL_AUDIT_ID "7d0a3c5f1b8e4a6f9c2d50b1e86f7a34"

struct journal_entry {
	struct iovec fields[JOURNAL_FIELDS_MAX]; /* into bytes */
	size_t count, used;
	char bytes[JOURNAL_BYTES_MAX];
};

/* MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, SEALBRIDGE_GROUP, SEALBRIDGE_LEVEL. */
void journal_of_event(struct journal_entry *out, const struct log_event *event);
/* MESSAGE ("loginFailed: reason: ..."), PRIORITY, SYSLOG_IDENTIFIER,
 * MESSAGE_ID, SEALBRIDGE_EVENT, _INDEX, _MODULE, _SEVERITY, _USER, _PEER, _VIA,
 * and SEALBRIDGE_FIELD_SERIAL_NUMBER for a field "serialNumber". What is empty
 * is left out. */
void journal_of_record(struct journal_entry *out, const struct audit_record *r);

/* Whether $JOURNAL_STREAM ("device:inode", NULL without) names that file. */
bool journal_stream_is(const char *stream, dev_t device, ino_t inode);

#endif
