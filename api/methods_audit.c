/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/method.h"

#include <string.h>

enum { EVENTS_MAX = 200, EVENTS_DEFAULT = 20 };

/* --- which records are wanted --- */

static const struct param filter_rows[] = {
	{ .name = "module",
	  .type = VALUE_STRING,
	  .choices = "Web|Serial|API|System" },
	{ .name = "severity",
	  .type = VALUE_STRING,
	  .choices = "Error|Severe Warning|Warning|Info|Status Warning" },
	{ .name = "userName", .type = VALUE_STRING },
	{ .name = "peer", .type = VALUE_STRING, .chars = 63 },
	{ .name = "event", .type = VALUE_STRING, .chars = 63 },
	{ .name = "text",
	  .type = VALUE_STRING,
	  .chars = 255,
	  .help = "Somewhere in the detail, in capitals or small letters." },
	{ 0 },
};

/* A member that is misspelt would otherwise let everything through. */
static int check_filter(const struct value *filter, struct error *e)
{
	for (size_t i = 0; i < value_count(filter); i++) {
		const char *name = value_item_name(filter, i);
		const struct param *row = filter_rows;

		while (row->name && strcmp(row->name, name) != 0)
			row++;
		if (!row->name)
			return error_set(e, ERR_INPUT,
					 "filter: there is no member \"%.64s\"",
					 name);
	}
	return 0;
}

/* A member that is left out lets everything through. */
static bool is_wanted(const struct value *filter, const char *member,
		      const char *text)
{
	const struct value *wanted = value_member(filter, member);

	return !wanted || !strcmp(value_string(wanted), text);
}

static bool passes(const struct value *filter, const struct audit_record *r)
{
	const char *text = value_string(value_member(filter, "text"));

	return is_wanted(filter, "module", r->module) &&
	       is_wanted(filter, "severity", r->severity) &&
	       is_wanted(filter, "userName", r->user_name) &&
	       is_wanted(filter, "peer", r->peer) &&
	       is_wanted(filter, "event", r->event) &&
	       (!text[0] || strcasestr(r->detail, text));
}

/* --- reading --- */

/* One batch: one record more than wanted is looked for, to know of the rest. */
struct batch {
	const struct value *filter; /* NULL: every record */
	struct value *events;
	size_t wanted, seen;
};

static int add_event(void *arg, const struct audit_record *r, struct error *e)
{
	struct batch *b = arg;
	struct value *s;

	if (!passes(b->filter, r))
		return 0;
	if (b->seen++ == b->wanted)
		return error_set(e, ERR_CANCELLED, "the batch is full");
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
		.filter = value_member(c->params, "filter"),
		.events = value_put_array(s, "events"),
		.wanted = number ? (size_t)value_int(number) : EVENTS_DEFAULT,
	};

	if (check_filter(b.filter, e) < 0 ||
	    (audit_each(c->services->audit,
			(uint64_t)value_int(value_member(c->params, "index")),
			AUDIT_RECORDS_MAX, add_event, &b, e) < 0 &&
	     e->kind != ERR_CANCELLED)) {
		value_free(s);
		return NULL;
	}
	error_clear(e);
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
	{ .name = "filter",
	  .type = VALUE_STRUCT,
	  .inside = filter_rows,
	  .help = "Only records with these values; all of them must fit." },
	{ 0 },
};

const struct method methods_audit[] = {
	{ "auditlog.enumerate", PRIVILEGE_ADMINISTRATOR, 0, enumerate_rows,
	  enumerate,
	  "events array of index, time, module, severity, userName, peer, "
	  "event, detail; eventsRemaining boolean",
	  "Records of the audit trail, oldest first; the next batch begins "
	  "behind the index of the last one." },
	{ "auditlog.verify", PRIVILEGE_ADMINISTRATOR, 0, NULL, verify,
	  "intact boolean, checked int, firstBroken int",
	  "Check the chain of the audit trail." },
	{ 0 },
};
