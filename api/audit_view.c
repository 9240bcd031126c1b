/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/audit_view.h"

#include <string.h>

/* The first of the texts behind the severity of a row of events.def. */
#define LABEL(help, ...) help
static const struct {
	const char *name;
	enum audit_severity severity;
	const char *label;
} events[] = {
#define EVENT(id, name, severity, ...) { name, severity, LABEL(__VA_ARGS__, ) },
#include "audit/events.def"
#undef EVENT
};
enum { EVENT_COUNT = sizeof(events) / sizeof(*events) };

const char *audit_event_label(const char *event)
{
	for (int i = 0; i < EVENT_COUNT; i++)
		if (!strcmp(events[i].name, event))
			return events[i].label;
	return "";
}

void audit_put_record(struct value *s, const struct audit_record *r)
{
	value_put_int(s, "index", (int32_t)r->index);
	value_put_time(s, "time", r->time);
	value_put_string(s, "module", r->module);
	value_put_string(s, "severity", r->severity);
	value_put_string(s, "userName", r->user_name);
	value_put_string(s, "peer", r->peer);
	value_put_string(s, "event", r->event);
	value_put_string(s, "label", audit_event_label(r->event));
	value_put_string(s, "detail", r->detail);
}

void audit_put_events(struct value *array)
{
	for (int i = 0; i < EVENT_COUNT; i++) {
		struct value *s = value_add_struct(array);

		value_put_string(s, "event", events[i].name);
		value_put_string(s, "severity",
				 audit_severity_name(events[i].severity));
		value_put_string(s, "label", events[i].label);
	}
}
