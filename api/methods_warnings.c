/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/method.h"

#include "api/watch_warnings.h"
#include "auth/security_warnings.h"

static struct value *warnings(struct call *c, struct error *e)
{
	struct security_warnings *w = c->services->warnings;
	const struct security_warning_row *row;
	struct value *reply = value_new_struct();
	struct value *list = value_put_array(reply, "warnings");
	unsigned applying, acknowledged;

	(void)e;
	warnings_look(c->services);
	applying = security_warnings_applying(w);
	acknowledged = security_warnings_acknowledged(w);
	for (size_t i = 0; (row = security_warning_row(i)); i++) {
		struct value *s;

		if (!(applying & 1u << i))
			continue;
		s = value_add_struct(list);
		value_put_string(s, "id", row->id);
		value_put_string(s, "warning", row->warning);
		value_put_string(s, "action", row->action);
		value_put_string(s, "page", row->page);
		value_put_string(s, "severity", row->severity);
		value_put_string(s, "state",
				 acknowledged & 1u << i ? "acknowledged"
							: "new");
	}
	return reply;
}

static struct value *acknowledge(struct call *c, struct error *e)
{
	const struct value *ids = value_member(c->params, "ids");
	const struct security_warning_row *row;
	unsigned wanted = 0, done;

	for (size_t i = 0; i < value_count(ids); i++) {
		const char *id = value_string(value_item(ids, i));
		int found = security_warning_find(id);

		if (found < 0) {
			error_set(e, ERR_INPUT, "ids: no warning \"%s\"", id);
			return NULL;
		}
		wanted |= 1u << found;
	}
	done = security_warnings_acknowledge(c->services->warnings, wanted);
	for (size_t i = 0; (row = security_warning_row(i)); i++)
		if (done & 1u << i)
			call_audit(c, AUDIT(SECURITY_WARNING_ACKNOWLEDGED,
					    .warning = row->warning));
	return result_ok();
}

static const struct param id_row = { .name = "id",
				     .type = VALUE_STRING,
				     .help = "As security.warnings gives it." };

static const struct param acknowledge_rows[] = {
	{ .name = "ids",
	  .type = VALUE_ARRAY,
	  .required = true,
	  .inside = &id_row,
	  .help = "Warnings to acknowledge." },
	{ 0 },
};

const struct method methods_warnings[] = {
	{ "security.warnings", PRIVILEGE_ADMINISTRATOR, 0, NULL, warnings,
	  "warnings array of id, warning, action, page, state (new, "
	  "acknowledged), severity (warning, info)",
	  "What makes the device less secure than it could be, and the page "
	  "that mends it." },
	{ "security.acknowledgeWarnings", PRIVILEGE_ADMINISTRATOR,
	  METHOD_CHANGES, acknowledge_rows, acknowledge, NULL,
	  "Acknowledge security warnings, until a restart or until they come "
	  "back." },
	{ 0 },
};
