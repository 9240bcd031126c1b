/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "api/method.h"
#include "api/params.h"
#include "api/setting_call.h"
#include "base/log.h"

enum { EVENTS_MAX = 200, EVENTS_DEFAULT = 20 };

#define LEVELS "error|warning|info|trace|detailedTrace"

static const struct param filter_rows[] = {
	{ .name = "level",
	  .type = VALUE_STRING,
	  .choices = LEVELS,
	  .help = "This level and graver ones." },
	{ .name = "group", .type = VALUE_STRING, .chars = EVENT_GROUP_MAX },
	{ .name = "text",
	  .type = VALUE_STRING,
	  .chars = 255,
	  .help = "Somewhere in the message, in capitals or small letters." },
	{ .name = "since",
	  .type = VALUE_TIME,
	  .help = "Not before this moment (UTC)." },
	{ .name = "until",
	  .type = VALUE_TIME,
	  .help = "Not after this moment (UTC)." },
	{ 0 },
};

/* --- which events are wanted ---------------------------------------------- */

/* A member that is left out lets everything through. */
struct wanted {
	enum log_level level; /* the least grave */
	const char *group;    /* NULL: any */
	const char *text;     /* "": any */
	const struct value *since, *until;
};

/* Any other word is the last one: everything. */
static enum log_level level_named(const char *name)
{
	int level = LOG_LEVEL_ERROR;

	while (level < LOG_LEVEL_COUNT - 1 &&
	       strcmp(name, log_level_name((enum log_level)level)) != 0)
		level++;
	return (enum log_level)level;
}

static struct wanted read_filter(const struct value *filter)
{
	const struct value *group = value_member(filter, "group");

	return (struct wanted){
		.level =
		    level_named(value_string(value_member(filter, "level"))),
		.group = group ? value_string(group) : NULL,
		.text = value_string(value_member(filter, "text")),
		.since = value_member(filter, "since"),
		.until = value_member(filter, "until"),
	};
}

static bool passes(const struct wanted *w, const struct event_row *row)
{
	int64_t at = row->at_ms / 1000;

	return row->level <= w->level &&
	       (!w->group || !strcmp(w->group, row->group)) &&
	       (!w->since || at >= value_time(w->since)) &&
	       (!w->until || at <= value_time(w->until)) &&
	       (!w->text[0] || strcasestr(row->text, w->text));
}

/* --- reading -------------------------------------------------------------- */

/* One event more than wanted is looked for, to know of the rest. */
struct batch {
	struct wanted wanted;
	struct value *events;
	size_t most, seen;
	uint64_t next; /* where the next batch begins */
};

static int add_event(void *arg, const struct event_row *row, struct error *e)
{
	struct batch *b = arg;
	struct value *s;

	if (!passes(&b->wanted, row))
		return 0;
	if (b->seen++ == b->most) {
		b->next = row->number;
		return error_set(e, ERR_CANCELLED, "the batch is full");
	}
	s = value_add_struct(b->events);
	value_put_int(s, "index", (int32_t)row->number);
	value_put_time(s, "time", (time_t)(row->at_ms / 1000));
	value_put_int(s, "milliseconds", (int32_t)(row->at_ms % 1000));
	value_put_string(s, "level", log_level_name(row->level));
	value_put_string(s, "group", row->group);
	value_put_string(s, "message", row->text);
	return 0;
}

static int read_batch(struct call *c, struct batch *b, struct error *e)
{
	const struct value *index = value_member(c->params, "index");
	bool downward = value_boolean(value_member(c->params, "newestFirst"));
	uint64_t from = (uint64_t)value_int(index);
	struct event_range range;

	if (params_check_names(filter_rows, value_member(c->params, "filter"),
			       "filter", e) < 0 ||
	    eventlog_range(c->services->eventlog, &range, e) < 0)
		return -1;
	if (downward && !index)
		from = range.last;
	/* What comes while we read is for the next call. */
	b->next = downward ? 0 : range.last + 1;
	if (eventlog_each(c->services->eventlog, from, downward, add_event, b,
			  e) < 0 &&
	    e->kind != ERR_CANCELLED)
		return -1;
	error_clear(e);
	return 0;
}

static struct value *enumerate(struct call *c, struct error *e)
{
	const struct value *number = value_member(c->params, "numEvents");
	struct value *s = value_new_struct();
	struct batch b = {
		.wanted = read_filter(value_member(c->params, "filter")),
		.events = value_put_array(s, "events"),
		.most = number ? (size_t)value_int(number) : EVENTS_DEFAULT,
	};

	if (read_batch(c, &b, e) < 0) {
		value_free(s);
		return NULL;
	}
	value_put_boolean(s, "eventsRemaining", b.seen > b.most);
	value_put_int(s, "nextIndex", (int32_t)b.next);
	return s;
}

static int add_group(void *arg, const char *group, struct error *e)
{
	(void)e;
	value_add(arg, value_new_string(group));
	return 0;
}

static struct value *query(struct call *c, struct error *e)
{
	struct eventlog *l = c->services->eventlog;
	struct value *s = value_new_struct();
	struct event_range range;

	setting_put_value(c->services->settings, SETTING_EVENTLOG_LEVEL, s);
	if (eventlog_range(l, &range, e) < 0 ||
	    eventlog_groups(l, add_group, value_put_array(s, "groups"), e) <
		0) {
		value_free(s);
		return NULL;
	}
	value_put_int(s, "firstIndex", (int32_t)range.first);
	value_put_int(s, "lastIndex", (int32_t)range.last);
	value_put_int(s, "numEvents", (int32_t)range.count);
	value_put_int(s, "suppressed",
		      (int32_t)(log_suppressed() + eventlog_dropped(l)));
	setting_describe(c->services->settings, SETTING_EVENTLOG_LEVEL,
			 value_put_array(s, "settings"));
	return s;
}

/* --- changing ------------------------------------------------------------- */

static struct value *configure(struct call *c, struct error *e)
{
	struct setting_wishes w = { .count = 0 };

	if (setting_wish(&w, SETTING_EVENTLOG_LEVEL,
			 value_member(c->params, "level"), e) < 0)
		return NULL;
	return setting_call_apply(c, &w, e);
}

static struct value *delete_all(struct call *c, struct error *e)
{
	struct value *s;
	uint64_t deleted;

	if (eventlog_clear(c->services->eventlog, &deleted, e) < 0)
		return NULL;
	call_audit(c,
		   AUDIT(EVENT_LOG_DELETED, .deleted = AUDIT_NUMBER(deleted)));
	s = result_ok();
	value_put_int(s, "deleted", (int32_t)deleted);
	return s;
}

static const struct param enumerate_rows[] = {
	{ .name = "index",
	  .type = VALUE_INT,
	  .least = 0,
	  .most = INT32_MAX,
	  .help = "The first event wanted; default the oldest, or the newest "
		  "with newestFirst." },
	{ .name = "numEvents",
	  .type = VALUE_INT,
	  .least = 1,
	  .most = EVENTS_MAX,
	  .help = "How many at most; default 20." },
	{ .name = "newestFirst",
	  .type = VALUE_BOOLEAN,
	  .help = "From index down; default false." },
	{ .name = "filter",
	  .type = VALUE_STRUCT,
	  .inside = filter_rows,
	  .help = "Only events with these values; all of them must fit." },
	{ 0 },
};

static const struct param configure_rows[] = {
	{ .name = "level",
	  .type = VALUE_STRING,
	  .required = true,
	  .choices = LEVELS,
	  .help = "What is less grave is not logged." },
	{ 0 },
};

const struct method methods_events[] = {
	{ "eventlog.enumerate", PRIVILEGE_ADMINISTRATOR, METHOD_WITHOUT_TOUCH,
	  enumerate_rows, enumerate,
	  "events array of index, time, milliseconds, level, group, message; "
	  "eventsRemaining boolean, nextIndex int",
	  "What the service said of itself, oldest first unless asked "
	  "otherwise; while eventsRemaining, and to hear of later events, the "
	  "next batch begins at nextIndex." },
	{ "eventlog.query", PRIVILEGE_ADMINISTRATOR, METHOD_WITHOUT_TOUCH, NULL,
	  query,
	  "level; groups array of string; firstIndex, lastIndex, numEvents, "
	  "suppressed int; settings array",
	  "How much is in the event log, and how much is logged; suppressed "
	  "counts what was too much since the start." },
	{ "eventlog.configure", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES,
	  configure_rows, configure, NULL, "Set how much is logged." },
	{ "eventlog.delete", PRIVILEGE_ADMINISTRATOR,
	  METHOD_CHANGES | METHOD_WITHOUT_ROOM, NULL, delete_all, "deleted int",
	  "Empty the event log." },
	{ 0 },
};
