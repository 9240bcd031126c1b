/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/method.h"

#include <string.h>

enum { EVENTS_MAX = 200, EVENTS_DEFAULT = 20 };

/* One batch: one record more than wanted is asked for, to know of the rest. */
struct batch {
	struct value *events;
	size_t wanted, seen;
};

static int add_event(void *arg, const struct audit_record *r, struct error *e)
{
	struct batch *b = arg;
	struct value *s;

	(void)e;
	if (b->seen++ == b->wanted)
		return 0;
	s = value_add_struct(b->events);
	value_put_int(s, "index", (int32_t)r->index);
	value_put_time(s, "time", r->time);
	value_put_string(s, "module", r->module);
	value_put_string(s, "severity", r->severity);
	value_put_string(s, "userName", r->user_name);
	value_put_string(s, "peer", r->peer);
	value_put_string(s, "event", r->event);
	value_put_string(s, "detail", r->detail);
	return 0;
}

static struct value *enumerate(struct call *c, struct error *e)
{
	const struct value *number = value_member(c->params, "numEvents");
	struct value *s = value_new_struct();
	struct batch b = {
		.events = value_put_array(s, "events"),
		.wanted = number ? (size_t)value_int(number) : EVENTS_DEFAULT,
	};

	if (audit_each(c->services->audit,
		       (uint64_t)value_int(value_member(c->params, "index")),
		       b.wanted + 1, add_event, &b, e) < 0) {
		value_free(s);
		return NULL;
	}
	value_put_boolean(s, "eventsRemaining", b.seen > b.wanted);
	return s;
}

static struct value *verify(struct call *c, struct error *e)
{
	struct audit_verdict verdict;
	struct value *s;

	if (audit_verify(c->services->audit, &verdict, e) < 0)
		return NULL;
	s = value_new_struct();
	value_put_boolean(s, "intact", verdict.intact);
	value_put_int(s, "checked", (int32_t)verdict.checked);
	value_put_int(s, "firstBroken", (int32_t)verdict.first_broken);
	return s;
}

static const struct param enumerate_rows[] = {
	{ .name = "index",
	  .type = VALUE_INT,
	  .least = 0,
	  .most = INT32_MAX,
	  .help = "The first record wanted; default the oldest." },
	{ .name = "numEvents",
	  .type = VALUE_INT,
	  .least = 1,
	  .most = EVENTS_MAX,
	  .help = "How many at most; default 20." },
	{ 0 },
};

const struct method methods_audit[] = {
	{ "auditlog.enumerate", PRIVILEGE_ADMINISTRATOR, 0, enumerate_rows,
	  enumerate,
	  "events array of index, time, module, severity, userName, peer, "
	  "event, detail; eventsRemaining boolean",
	  "Records of the audit trail, oldest first." },
	{ "auditlog.verify", PRIVILEGE_ADMINISTRATOR, 0, NULL, verify,
	  "intact boolean, checked int, firstBroken int",
	  "Check the chain of the audit trail." },
	{ 0 },
};
