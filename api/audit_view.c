/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/audit_view.h"

#include <string.h>

#include "audit/audit_fields.h"

/* A name that is there already, or too long, was not written by us. */
static void put_fields(struct value *s, const char *lines)
{
	struct view name, value;

	while (audit_fields_next(&lines, &name, &value)) {
		char key[64];

		if (name.len >= sizeof(key))
			continue;
		memcpy(key, name.ptr, name.len);
		key[name.len] = '\0';
		if (!value_member(s, key))
			value_put(s, key, value_new_text(value));
	}
}

void audit_put_record(struct value *s, const struct audit_record *r)
{
	char hash[2 * SHA256_SIZE + 1];

	value_put_int(s, "index", (int32_t)r->index);
	value_put_time(s, "time", r->time);
	value_put_string(s, "module", r->module);
	value_put_string(s, "severity", r->severity);
	value_put_string(s, "userName", r->user_name);
	value_put_string(s, "peer", r->peer);
	value_put_string(s, "via", r->via);
	value_put_string(s, "event", r->event);
	value_put_string(s, "label",
			 audit_event_label(audit_event_find(r->event)));
	value_put_string(s, "detail", r->detail);
	put_fields(value_put_struct(s, "fields"), r->fields);
	value_put_int(s, "format", r->format);
	hex_encode(r->hash, SHA256_SIZE, hash);
	value_put_string(s, "hash", hash);
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
