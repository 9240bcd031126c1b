/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/audit_search.h"

#include <string.h>

#include "api/audit_view.h"

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
	for (size_t i = 0; i < value_count(filter); i++) {
		const char *name = value_item_name(filter, i);
		const struct param *row = audit_filter_rows;

		while (row->name && strcmp(row->name, name) != 0)
			row++;
		if (!row->name)
			return error_set(e, ERR_INPUT,
					 "filter: there is no member \"%.64s\"",
					 name);
	}
	return 0;
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

static int read_up(struct audit *a, struct batch *b, struct error *e)
{
	uint64_t first, last;

	if (audit_range(a, &first, &last, e) < 0)
		return -1;
	b->next = last + 1;
	if (audit_each(a, b->search->index, AUDIT_RECORDS_MAX, add_event, b,
		       e) < 0)
		return e->kind == ERR_CANCELLED ? 0 : -1;
	return 0;
}

/* Pages are read upward, and handed over from their end. */
enum { PAGE_RECORDS = 200 };

struct page {
	const struct value *filter;
	uint64_t top;
	struct value *events;
};

static int keep_event(void *arg, const struct audit_record *r, struct error *e)
{
	struct page *p = arg;

	(void)e;
	if (r->index <= p->top && audit_filter_passes(p->filter, r))
		audit_put_record(value_add_struct(p->events), r);
	return 0;
}

/* True when the batch is full. */
static bool move_down(struct batch *b, struct value *from)
{
	for (size_t i = value_count(from); i > 0; i--) {
		struct value *s = value_take_item(from, i - 1);

		if (b->seen++ == b->search->count) {
			b->next = (uint64_t)value_int(value_member(s, "index"));
			value_free(s);
			return true;
		}
		value_add(b->events, s);
	}
	return false;
}

static int read_down(struct audit *a, struct batch *b, struct error *e)
{
	uint64_t first, last, top = b->search->index;
	bool full = false;
	int rc = 0;

	if (audit_range(a, &first, &last, e) < 0)
		return -1;
	if (top > last)
		top = last;
	/* Also of a damaged chain no more than that is read. */
	if (top > AUDIT_RECORDS_MAX && first < top - AUDIT_RECORDS_MAX)
		first = top - AUDIT_RECORDS_MAX;
	while (rc == 0 && !full && top >= first && top > 0) {
		uint64_t low =
		    top - first < PAGE_RECORDS ? first : top - PAGE_RECORDS + 1;
		struct page page = { b->search->filter, top,
				     value_new_array() };

		rc = audit_each(a, low, PAGE_RECORDS, keep_event, &page, e);
		full = rc == 0 && move_down(b, page.events);
		value_free(page.events);
		top = low - 1;
	}
	return rc;
}

int audit_search(struct audit *a, const struct audit_search *search,
		 struct value *s, struct error *e)
{
	struct batch b = { search, value_put_array(s, "events"), 0, 0 };
	int rc = search->newest_first ? read_down(a, &b, e) : read_up(a, &b, e);

	if (rc < 0)
		return -1;
	error_clear(e);
	value_put_boolean(s, "eventsRemaining", b.seen > search->count);
	value_put_int(s, "nextIndex", (int32_t)b.next);
	return 0;
}
