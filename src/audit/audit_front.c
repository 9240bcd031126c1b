/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audit/audit_front.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/audit_fields.h"

enum { DIGITS_MAX = 18 };

static uint64_t number_of(struct view v)
{
	uint64_t n = 0;

	if (v.len > DIGITS_MAX)
		return 0;
	for (size_t i = 0; i < v.len; i++) {
		if (v.ptr[i] < '0' || v.ptr[i] > '9')
			return 0;
		n = 10 * n + (uint64_t)(v.ptr[i] - '0');
	}
	return n;
}

uint64_t audit_front_deleted(const char *event, const char *fields)
{
	struct view name, value;

	if (strcmp(event, audit_event_name(AUDIT_AUDIT_LOG_DELETED)) != 0)
		return 0;
	while (audit_fields_next(&fields, &name, &value))
		if (view_is(name, "last"))
			return number_of(value);
	return 0;
}

bool audit_front_is_fair(uint64_t first, uint64_t count, uint64_t deleted)
{
	return first <= deleted + 1 || count >= AUDIT_RECORDS_MAX;
}

void audit_front_blame(uint64_t first, uint64_t deleted, uint64_t *broken_out,
		       char problem[AUDIT_PROBLEM_MAX])
{
	*broken_out = deleted + 1;
	snprintf(problem, AUDIT_PROBLEM_MAX,
		 "The records from %" PRIu64 " to %" PRIu64
		 " are missing, and no record tells of their deletion.",
		 deleted + 1, first - 1);
}

static int take(void *arg, const struct audit_record *r, struct error *e)
{
	uint64_t *deleted = arg, n = audit_front_deleted(r->event, r->fields);

	(void)e;
	if (n > *deleted)
		*deleted = n;
	return 0;
}

int audit_front_verify(struct audit *a, struct audit_verdict *out,
		       struct error *e)
{
	uint64_t first, last, deleted = 0;

	if (!out->intact)
		return 0;
	if (audit_range(a, &first, &last, e) < 0)
		return -1;
	if (audit_front_is_fair(first, last - first + 1, 0))
		return 0;
	if (audit_each(a, first, AUDIT_RECORDS_MAX, take, &deleted, e) < 0)
		return -1;
	if (audit_front_is_fair(first, last - first + 1, deleted))
		return 0;
	out->intact = false;
	out->reason = AUDIT_BROKEN_MISSING;
	audit_front_blame(first, deleted, &out->first_broken, out->problem);
	return 0;
}
