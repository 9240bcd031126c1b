/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "api/log_page.h"
#include "api/params.h"
#include "api/setting_call.h"
#include "base/log.h"

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
	{ LOG_FILTER_SINCE },
	{ LOG_FILTER_UNTIL },
	{ 0 },
};

/* --- which events are wanted ---------------------------------------------- */

/* A member that is left out lets everything through. */
struct wanted {
	enum log_level level; /* the least grave */
	const char *group;    /* NULL: any */
	const char *text;     /* "": any */
	const struct value *filter;
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
		.filter = filter,
	};
}

static bool passes(const struct wanted *w, const struct event_row *row)
{
	return row->level <= w->level &&
	       (!w->group || !strcmp(w->group, row->group)) &&
	       log_filter_is_in_time(w->filter, (time_t)(row->at_ms / 1000)) &&
	       (!w->text[0] || strcasestr(row->text, w->text));
}

/* --- reading -------------------------------------------------------------- */

struct reading {
	struct wanted wanted;
	struct log_batch batch;
};

static int add_event(void *arg, const struct event_row *row, struct error *e)
{
	struct reading *r = arg;
	struct value *s;

	if (!passes(&r->wanted, row))
		return 0;
	if (log_batch_add(&r->batch, row->number, &s, e) < 0)
		return -1;
	value_put_int(s, "index", (int32_t)row->number);
	value_put_time(s, "time", (time_t)(row->at_ms / 1000));
	value_put_int(s, "milliseconds", (int32_t)(row->at_ms % 1000));
	value_put_string(s, "level", log_level_name(row->level));
	value_put_string(s, "group", row->group);
	value_put_string(s, "message", row->text);
	return 0;
}

static int read_page(struct eventlog *l, const struct log_page *page,
		     struct value *s, struct error *e)
{
	struct reading r = { .wanted = read_filter(page->filter) };
	struct event_range range;
	uint64_t from = page->index;

	if (params_check_names(filter_rows, page->filter, "filter", e) < 0 ||
	    eventlog_range(l, &range, e) < 0)
		return -1;
	if (from == LOG_PAGE_NEWEST)
		from = range.last;
	/* What comes while we read is for the next call. */
	r.batch =
	    log_batch_new(s, page, page->newest_first ? 0 : range.last + 1);
	if (eventlog_each(l, from, page->newest_first, add_event, &r, e) < 0 &&
	    e->kind != ERR_CANCELLED)
		return -1;
	error_clear(e);
	log_batch_end(&r.batch, s);
	return 0;
}

static struct value *enumerate(struct call *c, struct error *e)
{
	const struct log_page page = log_page_of(c);
	struct value *s = value_new_struct();

	if (read_page(c->services->eventlog, &page, s, e) == 0)
		return s;
	value_free(s);
	return NULL;
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
	{ LOG_PAGE_INDEX("event") },
	{ LOG_PAGE_COUNT },
	{ LOG_PAGE_DIRECTION },
	{ LOG_PAGE_FILTER("event", filter_rows) },
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
