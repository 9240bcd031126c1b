/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "tests/unit/api_fixture.h"

/* auditlog.enumerate: batches, and the filter. */

enum { FILLERS = 450 };

static void add(enum audit_event event, const char *module, const char *user,
		const char *peer, const char *detail)
{
	const struct audit_actor actor = { module, user, peer };
	struct error e = ERROR_INIT;

	CHECK_OK(audit_append(device.services.audit, event, &actor, &e, "%s",
			      detail),
		 &e);
}

/* More records than one page of the store, with rare ones far apart. */
static void test_fill(void)
{
	char detail[40];

	add(AUDIT_KEY_GENERATED, "Web", "alice", "192.0.2.5", "ecP256 00AA");
	for (int i = 0; i < FILLERS; i++) {
		snprintf(detail, sizeof(detail), "filler %d", i);
		add(AUDIT_REQUEST_CREATED, "API", "bob", "192.0.2.6", detail);
	}
	add(AUDIT_KEY_GENERATED, "API", "alice", "2001:db8::1", "rsa2048 00BB");
	add(AUDIT_CERTIFICATE_CHANGE_FAILED, "Web", "alice", "192.0.2.5",
	    "upload: 100%_[a-z]*");
}

static struct value *ask(const char *member, const char *text)
{
	struct value *s = value_new_struct();
	struct value *filter = value_put_struct(s, "filter");

	if (member)
		value_put_string(filter, member, text);
	return s;
}

static size_t count_of(const struct answer *a)
{
	return value_count(value_member(a->response.result, "events"));
}

static bool remaining(const struct answer *a)
{
	return value_boolean(
	    value_member(a->response.result, "eventsRemaining"));
}

static void test_filter(void)
{
	static const struct {
		const char *member, *text;
		size_t count; /* in a batch of 200 */
		bool remaining;
	} rows[] = {
		{ "event", "keyGenerated", 2, false },
		{ "event", "keygenerated", 0, false },
		{ "event", "requestCreated", 200, true },
		{ "module", "Web", 2, false },
		{ "severity", "Warning", 1, false },
		{ "userName", "alice", 3, false },
		{ "userName", "ALICE", 0, false },
		{ "userName", "ali", 0, false },
		{ "peer", "2001:db8::1", 1, false },
		{ "text", "FILLER 449", 1, false },
		{ "text", "100%_[a-z]*", 1, false },
		{ "text", ".*", 0, false },
		{ "text", "", 200, true },
		{ NULL, NULL, 200, true },
		{ "userName", "' OR 1=1 --", 0, false },
	};
	struct answer a;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct value *s = ask(rows[i].member, rows[i].text);

		value_put_int(s, "numEvents", 200);
		call_by(&door_local, "auditlog.enumerate", s, &a);
		if (count_of(&a) != rows[i].count)
			unit_note("row %zu: %zu", i, count_of(&a));
		CU_ASSERT_EQUAL(count_of(&a), rows[i].count);
		CU_ASSERT_EQUAL(remaining(&a), rows[i].remaining);
		answer_free(&a);
	}
}

static void test_all_must_fit(void)
{
	struct value *s = value_new_struct();
	struct value *filter = value_put_struct(s, "filter");
	struct answer a;

	value_put_string(filter, "userName", "alice");
	value_put_string(filter, "event", "keyGenerated");
	value_put_string(filter, "text", "bb");
	call_by(&door_local, "auditlog.enumerate", s, &a);
	CU_ASSERT_EQUAL_FATAL(count_of(&a), 1);
	CU_ASSERT_STRING_EQUAL(
	    value_string(value_member(
		value_item(value_member(a.response.result, "events"), 0),
		"detail")),
	    "rsa2048 00BB");
	answer_free(&a);
}

/* From batch to batch every record once, in order. */
static void test_batches(void)
{
	int32_t next = 0;
	size_t seen = 0;
	bool more = true;

	while (more && seen <= FILLERS) {
		struct value *s = ask("event", "requestCreated");
		const struct value *events;
		struct answer a;

		value_put_int(s, "numEvents", 77);
		value_put_int(s, "index", next);
		call_by(&door_local, "auditlog.enumerate", s, &a);
		events = value_member(a.response.result, "events");
		for (size_t i = 0; i < value_count(events); i++) {
			int32_t index = value_int(
			    value_member(value_item(events, i), "index"));

			CU_ASSERT(index >= next);
			next = index + 1;
		}
		seen += value_count(events);
		more = remaining(&a);
		answer_free(&a);
	}
	CU_ASSERT_EQUAL(seen, FILLERS);
}

static void test_refused(void)
{
	static const struct {
		const char *member, *text;
		int code;
		const char *words;
	} rows[] = {
		{ "usrName", "alice", 102, "usrName" },
		{ "detail", "x", 102, "detail" },
		{ "severity", "info", 102, "filter.severity" },
		{ "module", "web", 102, "filter.module" },
		{ "userName", "a name with more than 31 characters", 102,
		  "filter.userName" },
	};
	struct value *s = value_new_struct();

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT_EQUAL(fault_of(&door_local, "auditlog.enumerate",
					 ask(rows[i].member, rows[i].text),
					 rows[i].words),
				rows[i].code);
	value_put_string(s, "filter", "keyGenerated");
	CU_ASSERT_EQUAL(
	    fault_of(&door_local, "auditlog.enumerate", s, "filter"), 103);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "fill", test_fill },
		{ "filter", test_filter },
		{ "all must fit", test_all_must_fit },
		{ "batches", test_batches },
		{ "refused", test_refused },
		{ 0 },
	};

	return unit_main(argc, argv, "auditlog.enumerate", tests,
			 api_device_open, api_device_close);
}
