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
	{ LOG_FILTER_SINCE },
	{ LOG_FILTER_UNTIL },
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

bool audit_filter_passes(const struct value *filter,
			 const struct audit_record *r)
{
	const char *text = value_string(value_member(filter, "text"));

	return is_wanted(filter, "module", r->module) &&
	       is_wanted(filter, "severity", r->severity) &&
	       is_wanted(filter, "userName", r->user_name) &&
	       is_wanted(filter, "peer", r->peer) &&
	       is_wanted(filter, "event", r->event) &&
	       log_filter_is_in_time(filter, r->time) &&
	       (!text[0] || strcasestr(r->detail, text));
}

struct search {
	const struct value *filter;
	struct log_batch batch;
};

static int add_event(void *arg, const struct audit_record *r, struct error *e)
{
	struct search *search = arg;
	struct value *s;

	if (!audit_filter_passes(search->filter, r))
		return 0;
	if (log_batch_add(&search->batch, r->index, &s, e) < 0)
		return -1;
	audit_put_record(s, r);
	return 0;
}

int audit_search(struct audit *a, const struct log_page *page, struct value *s,
		 struct error *e)
{
	const struct audit_selection what = {
		.from = page->newest_first ? 0 : page->index,
		.to = page->newest_first ? page->index : 0,
		.since = value_time(value_member(page->filter, "since")),
		.until = value_time(value_member(page->filter, "until")),
		.count = SIZE_MAX,
		.newest_first = page->newest_first,
	};
	struct search search = { .filter = page->filter };
	uint64_t first, last;

	if (audit_range(a, &first, &last, e) < 0)
		return -1;
	search.batch =
	    log_batch_new(s, page, page->newest_first ? 0 : last + 1);
	/* To 0 would be without an end. */
	if (!(page->newest_first && page->index == 0) &&
	    audit_read(a, &what, add_event, &search, e) < 0 &&
	    e->kind != ERR_CANCELLED)
		return -1;
	error_clear(e);
	log_batch_end(&search.batch, s);
	return 0;
}
