/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/journal_fields.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_fields.h"
#include "base/utf8.h"

#define IDENTIFIER "sealbridged"

enum { NAME_MAX_BYTES = 64 /* the journal takes no longer one */ };

/* As one line: a value brings no further field. What does not fit is cut, or
 * left out. */
static void add(struct journal_entry *out, const char *name, struct view value)
{
	size_t n = strlen(name), room = sizeof(out->bytes) - out->used;
	char *at = out->bytes + out->used;

	if (value.len == 0 || out->count == JOURNAL_FIELDS_MAX || room < n + 3)
		return;
	memcpy(at, name, n);
	at[n++] = '=';
	utf8_line(value, at + n, room - n);
	n += strlen(at + n);
	out->fields[out->count++] = (struct iovec){ at, n };
	out->used += n + 1;
}

static void add_text(struct journal_entry *out, const char *name,
		     const char *text)
{
	add(out, name, view_str(text));
}

static void add_number(struct journal_entry *out, const char *name, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	add_text(out, name, text);
}

static void begin(struct journal_entry *out, const char *message, int priority)
{
	out->count = out->used = 0;
	add_text(out, "MESSAGE", message);
	add_number(out, "PRIORITY", (uint64_t)priority);
	add_text(out, "SYSLOG_IDENTIFIER", IDENTIFIER);
}

void journal_of_event(struct journal_entry *out, const struct log_event *event)
{
	char message[LOG_TEXT_MAX + 64];

	snprintf(message, sizeof(message), "%.48s: %s", event->group,
		 event->text);
	begin(out, message, log_level_severity(event->level));
	add_text(out, "SEALBRIDGE_GROUP", event->group);
	add_text(out, "SEALBRIDGE_LEVEL", log_level_name(event->level));
}

static int priority_of(const char *severity)
{
	if (!strcmp(severity, "Error"))
		return 3;
	return strcmp(severity, "Info") ? 4 : 5;
}

/* "serialNumber" becomes SEALBRIDGE_FIELD_SERIAL_NUMBER. */
static void add_field(struct journal_entry *out, struct view name,
		      struct view value)
{
	char text[NAME_MAX_BYTES + 1] = "SEALBRIDGE_FIELD_";
	size_t n = strlen(text);

	for (size_t i = 0; i < name.len && n + 2 < sizeof(text); i++) {
		unsigned char c = name.ptr[i];

		if (c >= 'A' && c <= 'Z')
			text[n++] = '_';
		text[n++] = isalnum(c) && c < 0x80 ? (char)toupper(c) : '_';
	}
	text[n] = '\0';
	add(out, text, value);
}

void journal_of_record(struct journal_entry *out, const struct audit_record *r)
{
	char message[AUDIT_DETAIL_MAX + 128];
	const char *lines = r->fields;
	struct view name, value;

	snprintf(message, sizeof(message), "%.100s%s%s", r->event,
		 r->detail[0] ? ": " : "", r->detail);
	begin(out, message, priority_of(r->severity));
	add_text(out, "MESSAGE_ID", JOURNAL_AUDIT_ID);
	add_text(out, "SEALBRIDGE_EVENT", r->event);
	add_number(out, "SEALBRIDGE_INDEX", r->index);
	add_text(out, "SEALBRIDGE_MODULE", r->module);
	add_text(out, "SEALBRIDGE_SEVERITY", r->severity);
	add_text(out, "SEALBRIDGE_USER", r->user_name);
	add_text(out, "SEALBRIDGE_PEER", r->peer);
	add_text(out, "SEALBRIDGE_VIA", r->via);
	while (audit_fields_next(&lines, &name, &value))
		add_field(out, name, value);
}

bool journal_stream_is(const char *stream, dev_t device, ino_t inode)
{
	uintmax_t numbers[2];
	char *end;

	for (int i = 0; i < 2; i++) {
		if (!stream || !isdigit((unsigned char)*stream))
			return false;
		errno = 0;
		numbers[i] = strtoumax(stream, &end, 10);
		if (errno || *end != (i == 0 ? ':' : '\0'))
			return false;
		stream = end + 1;
	}
	return numbers[0] == device && numbers[1] == inode;
}
