/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "notify/syslog_entries.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/audit_fields.h"

int syslog_of_event(const struct syslog_origin *from,
		    const struct log_event *event, uint32_t sequence,
		    struct buf *out, struct error *e)
{
	const struct syslog_entry entry = {
		.facility = SYSLOG_DAEMON,
		.severity = (unsigned)log_level_severity(event->level),
		.at_ms = event->at_ms,
		.id = event->group,
		.text = event->text,
	};

	return syslog_message(from, &entry, sequence, out, e);
}

/* --- records -------------------------------------------------------------- */

/* 0 to 2 stay unused, as for events; what is not named is a notice. */
static unsigned severity_of(const struct audit_record *r)
{
	static const struct {
		enum audit_severity severity;
		unsigned number;
	} rows[] = {
		{ AUDIT_ERROR, 3 },
		{ AUDIT_SEVERE_WARNING, 4 },
		{ AUDIT_WARNING, 4 },
		{ AUDIT_STATUS_WARNING, 4 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(r->severity, audit_severity_name(rows[i].severity)))
			return rows[i].number;
	return 5;
}

/* Names and values of the fields, as strings. */
enum { FIELDS_MAX = 16 };

struct fields {
	char text[AUDIT_FIELDS_SIZE];
	struct syslog_param params[FIELDS_MAX];
	size_t count;
};

/* Each line is as long in text as in lines, so that all of them fit. */
static void split(const char *lines, struct fields *out)
{
	struct view name, value;
	char *p = out->text, *end = out->text + sizeof(out->text);

	out->count = 0;
	while (out->count < FIELDS_MAX &&
	       audit_fields_next(&lines, &name, &value) &&
	       name.len + value.len + 2 <= (size_t)(end - p)) {
		struct syslog_param *param = &out->params[out->count++];

		param->name = p;
		memcpy(p, name.ptr, name.len);
		p += name.len;
		*p++ = '\0';
		param->value = p;
		memcpy(p, value.ptr, value.len);
		p += value.len;
		*p++ = '\0';
	}
}

/* "A setting was changed: setting: x; from: a; to: b" */
static void put_text(const struct audit_record *r, char *out, size_t size)
{
	const char *label = audit_event_label(audit_event_find(r->event));

	snprintf(out, size, "%s%s%s", *label ? label : r->event,
		 *r->detail ? ": " : "", r->detail);
}

int syslog_of_record(const struct syslog_origin *from,
		     const struct audit_record *r, uint32_t sequence,
		     struct buf *out, struct error *e)
{
	char index[24], text[AUDIT_DETAIL_MAX + 256];
	const struct syslog_param params[] = {
		{ "index", index },
		{ "module", r->module },
		{ "severity", r->severity },
		{ "user", r->user_name[0] ? r->user_name : NULL },
		{ "peer", r->peer[0] ? r->peer : NULL },
		{ "via", r->via[0] ? r->via : NULL },
	};
	struct fields fields;
	struct syslog_element elements[] = {
		{ "audit@" SYSLOG_ENTERPRISE, params,
		  sizeof(params) / sizeof(*params) },
		{ "fields@" SYSLOG_ENTERPRISE, fields.params, 0 },
	};
	const struct syslog_entry entry = {
		.facility = SYSLOG_AUTHPRIV,
		.severity = severity_of(r),
		.at_ms = (int64_t)r->time * 1000,
		.id = r->event,
		.elements = elements,
		.element_count = *r->fields ? 2 : 1,
		.text = text,
	};

	snprintf(index, sizeof(index), "%" PRIu64, r->index);
	split(r->fields, &fields);
	elements[1].count = fields.count;
	put_text(r, text, sizeof(text));
	return syslog_message(from, &entry, sequence, out, e);
}
