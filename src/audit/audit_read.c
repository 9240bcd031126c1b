/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audit/audit_fields.h"
#include "audit/audit_private.h"

static int no_row(void *arg, const struct audit_row *row, struct error *e)
{
	(void)arg;
	(void)row;
	(void)e;
	return 0;
}

int audit_range(struct audit *a, uint64_t *first_out, uint64_t *last_out,
		struct error *e)
{
	const struct audit_page none = { .count = 0 };
	struct audit_chain chain;

	if (store_audit_page(a->store, &none, &chain, no_row, NULL, e) < 0)
		return error_prefix(e, "audit trail");
	*first_out = chain.first;
	*last_out = chain.last;
	return 0;
}

struct reading {
	int (*each)(void *arg, const struct audit_record *r, struct error *e);
	void *arg;
	struct audit_page page;
	size_t left, in_page;
};

struct audit_record audit_record_of(const struct audit_row *row,
				    char rendered[AUDIT_DETAIL_MAX + 1])
{
	const bool is_text = row->format == AUDIT_FORMAT_TEXT;

	if (!is_text)
		audit_fields_render(row->detail, rendered,
				    AUDIT_DETAIL_MAX + 1);
	return (struct audit_record){
		.index = row->number,
		.time = (time_t)row->at,
		.module = row->module,
		.severity = row->severity,
		.user_name = row->user_name,
		.peer = row->peer,
		.via = row->via,
		.event = row->event,
		.fields = is_text ? "" : row->detail,
		.detail = is_text ? row->detail : rendered,
		.format = (int)row->format,
		.hash = row->hash,
	};
}

static int hand_out(void *arg, const struct audit_row *row, struct error *e)
{
	struct reading *reading = arg;
	char rendered[AUDIT_DETAIL_MAX + 1];
	const struct audit_record r = audit_record_of(row, rendered);

	reading->in_page++;
	reading->left--;
	if (reading->page.newest_first)
		reading->page.to = (int64_t)row->number - 1;
	else if ((int64_t)row->number < INT64_MAX)
		reading->page.from = (int64_t)row->number + 1;
	else
		reading->left = 0;
	return reading->each(reading->arg, &r, e);
}

static int64_t bounded(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

int audit_read(struct audit *a, const struct audit_selection *what,
	       int (*each)(void *arg, const struct audit_record *r,
			   struct error *e),
	       void *arg, struct error *e)
{
	struct reading r = {
		.each = each,
		.arg = arg,
		.page = { .from = bounded(what->from),
			  .to = what->to ? bounded(what->to) : INT64_MAX,
			  .since = what->since ? what->since : INT64_MIN,
			  .until = what->until ? what->until : INT64_MAX,
			  .newest_first = what->newest_first },
		.left = what->count,
	};
	struct audit_chain chain;

	if ((what->since || what->until) &&
	    store_audit_narrow(a->store, &r.page, e) < 0)
		return error_prefix(e, "audit trail");
	do {
		r.in_page = 0;
		r.page.count =
		    r.left < AUDIT_PAGE_RECORDS ? r.left : AUDIT_PAGE_RECORDS;
		if (store_audit_page(a->store, &r.page, &chain, hand_out, &r,
				     e) < 0)
			return -1;
	} while (r.left && r.in_page == r.page.count);
	return 0;
}

int audit_each(struct audit *a, uint64_t from, size_t count,
	       int (*each)(void *arg, const struct audit_record *r,
			   struct error *e),
	       void *arg, struct error *e)
{
	const struct audit_selection what = { .from = from, .count = count };

	return audit_read(a, &what, each, arg, e);
}
