/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/audit_search.h"

#include <string.h>

#include "api/audit_view.h"
#include "api/params.h"

const struct param audit_filter_rows[] = {
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
	{ .name = "since",
	  .type = VALUE_TIME,
	  .help = "Not before this moment (UTC)." },
	{ .name = "until",
	  .type = VALUE_TIME,
	  .help = "Not after this moment (UTC)." },
	{ 0 },
};

int audit_filter_check(const struct value *filter, struct error *e)
{
	return params_check_names(audit_filter_rows, filter, "filter", e);
}

static bool is_wanted(const struct value *filter, const char *member,
		      const char *text)
{
	const struct value *wanted = value_member(filter, member);

	return !wanted || !strcmp(value_string(wanted), text);
}

static bool is_in_time(const struct value *filter, time_t t)
{
	const struct value *since = value_member(filter, "since");
	const struct value *until = value_member(filter, "until");

	return (!since || t >= value_time(since)) &&
	       (!until || t <= value_time(until));
}

bool audit_filter_passes(const struct value *filter,
			 const struct audit_record *r)
{
	const char *text = value_string(value_member(filter, "text"));

	return is_wanted(filter, "module", r->module) &&
	       is_wanted(filter, "severity", r->severity) &&
	       is_wanted(filter, "userName", r->user_name) &&
	       is_wanted(filter, "peer", r->peer) &&
	       is_wanted(filter, "event", r->event) &&
	       is_in_time(filter, r->time) &&
	       (!text[0] || strcasestr(r->detail, text));
}

/* One record more than wanted is looked for, to know of the rest. */
struct batch {
	const struct audit_search *search;
	struct value *events;
	size_t seen;
	uint64_t next; /* where the next batch begins */
};

static int add_event(void *arg, const struct audit_record *r, struct error *e)
{
	struct batch *b = arg;

	if (!audit_filter_passes(b->search->filter, r))
		return 0;
	if (b->seen++ == b->search->count) {
		b->next = r->index;
		return error_set(e, ERR_CANCELLED, "the batch is full");
	}
	audit_put_record(value_add_struct(b->events), r);
	return 0;
}

int audit_search(struct audit *a, const struct audit_search *search,
		 struct value *s, struct error *e)
{
	const struct audit_selection what = {
		.from = search->newest_first ? 0 : search->index,
		.to = search->newest_first ? search->index : 0,
		.since = value_time(value_member(search->filter, "since")),
		.until = value_time(value_member(search->filter, "until")),
		.count = SIZE_MAX,
		.newest_first = search->newest_first,
	};
	struct batch b = { search, value_put_array(s, "events"), 0, 0 };
	uint64_t first, last;

	if (audit_range(a, &first, &last, e) < 0)
		return -1;
	if (!search->newest_first)
		b.next = last + 1;
	/* To 0 would be without an end. */
	if (!(search->newest_first && search->index == 0) &&
	    audit_read(a, &what, add_event, &b, e) < 0 &&
	    e->kind != ERR_CANCELLED)
		return -1;
	error_clear(e);
	value_put_boolean(s, "eventsRemaining", b.seen > search->count);
	value_put_int(s, "nextIndex", (int32_t)b.next);
	return 0;
}
