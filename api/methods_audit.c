/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/audit_search.h"
#include "api/audit_view.h"
#include "api/method.h"

enum { EVENTS_MAX = 200, EVENTS_DEFAULT = 20 };

static struct value *enumerate(struct call *c, struct error *e)
{
	const struct value *number = value_member(c->params, "numEvents");
	const struct value *index = value_member(c->params, "index");
	struct audit_search search = {
		.filter = value_member(c->params, "filter"),
		.newest_first =
		    value_boolean(value_member(c->params, "newestFirst")),
		.index = (uint64_t)value_int(index),
		.count = number ? (size_t)value_int(number) : EVENTS_DEFAULT,
	};
	struct value *s = value_new_struct();

	if (search.newest_first && !index)
		search.index = UINT64_MAX;
	if (audit_filter_check(search.filter, e) == 0 &&
	    audit_search(c->services->audit, &search, s, e) == 0)
		return s;
	value_free(s);
	return NULL;
}

static struct value *query(struct call *c, struct error *e)
{
	uint64_t first, last, count;
	struct value *s;

	if (audit_range(c->services->audit, &first, &last, e) < 0)
		return NULL;
	count = last >= first ? last - first + 1 : 0;
	s = value_new_struct();
	value_put_int(s, "firstIndex", (int32_t)first);
	value_put_int(s, "lastIndex", (int32_t)last);
	value_put_int(s, "numEvents", (int32_t)count);
	value_put_int(s, "deleteableIndex", (int32_t)last);
	value_put_int(s, "percentageCapacity",
		      (int32_t)(count * 100 / AUDIT_RECORDS_MAX));
	value_put_int(s, "lost", (int32_t)audit_lost(c->services->audit));
	audit_put_events(value_put_array(s, "events"));
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
	  .help = "The first record wanted; default the oldest, or the newest "
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
	  .inside = audit_filter_rows,
	  .help = "Only records with these values; all of them must fit." },
	{ 0 },
};

const struct method methods_audit[] = {
	{ "auditlog.enumerate", PRIVILEGE_ADMINISTRATOR, 0, enumerate_rows,
	  enumerate,
	  "events array of index, time, module, severity, userName, peer, via, "
	  "event, label, detail, fields struct, format int, hash; "
	  "eventsRemaining boolean, nextIndex int",
	  "Records of the audit trail, oldest first unless asked otherwise; "
	  "while eventsRemaining, the next batch begins at nextIndex." },
	{ "auditlog.query", PRIVILEGE_ADMINISTRATOR, 0, NULL, query,
	  "firstIndex, lastIndex, numEvents, deleteableIndex, "
	  "percentageCapacity, lost int; events array of event, severity, "
	  "label",
	  "How much is in the audit trail, and which events there are." },
	{ "auditlog.verify", PRIVILEGE_ADMINISTRATOR, 0, NULL, verify,
	  "intact boolean, checked int, firstBroken int",
	  "Check the chain of the audit trail." },
	{ 0 },
};
