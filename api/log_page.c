/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/log_page.h"

struct log_page log_page_of(const struct call *c)
{
	const struct value *number = value_member(c->params, "numEvents");
	const struct value *index = value_member(c->params, "index");
	struct log_page page = {
		.filter = value_member(c->params, "filter"),
		.newest_first =
		    value_boolean(value_member(c->params, "newestFirst")),
		.index = (uint64_t)value_int(index),
		.count = number ? (size_t)value_int(number) : LOG_PAGE_DEFAULT,
	};

	if (page.newest_first && !index)
		page.index = LOG_PAGE_NEWEST;
	return page;
}

bool log_filter_is_in_time(const struct value *filter, time_t t)
{
	const struct value *since = value_member(filter, "since");
	const struct value *until = value_member(filter, "until");

	return (!since || t >= value_time(since)) &&
	       (!until || t <= value_time(until));
}

struct log_batch log_batch_new(struct value *s, const struct log_page *page,
			       uint64_t next)
{
	return (struct log_batch){ .events = value_put_array(s, "events"),
				   .most = page->count,
				   .next = next };
}

int log_batch_add(struct log_batch *b, uint64_t number, struct value **out,
		  struct error *e)
{
	if (b->seen++ == b->most) {
		b->next = number;
		return error_set(e, ERR_CANCELLED, "the batch is full");
	}
	*out = value_add_struct(b->events);
	return 0;
}

void log_batch_end(const struct log_batch *b, struct value *s)
{
	value_put_boolean(s, "eventsRemaining", b->seen > b->most);
	value_put_int(s, "nextIndex", (int32_t)b->next);
}
