/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/audit_view.h"

void audit_put_record(struct value *s, const struct audit_record *r)
{
	value_put_int(s, "index", (int32_t)r->index);
	value_put_time(s, "time", r->time);
	value_put_string(s, "module", r->module);
	value_put_string(s, "severity", r->severity);
	value_put_string(s, "userName", r->user_name);
	value_put_string(s, "peer", r->peer);
	value_put_string(s, "event", r->event);
	value_put_string(s, "label",
			 audit_event_label(audit_event_find(r->event)));
	value_put_string(s, "detail", r->detail);
}

void audit_put_events(struct value *array)
{
	for (int i = 0; i < AUDIT_EVENT_COUNT; i++) {
		enum audit_event event = (enum audit_event)i;
		struct value *s = value_add_struct(array);

		value_put_string(s, "event", audit_event_name(event));
		value_put_string(
		    s, "severity",
		    audit_severity_name(audit_event_severity(event)));
		value_put_string(s, "label", audit_event_label(event));
	}
}
