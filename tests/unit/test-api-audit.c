/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/api_fixture.h"

/* auditlog.enumerate: batches, and the filter. */

enum { FILLERS = 450 };

static void add(struct audit_what what, const char *module, const char *user,
		const char *peer)
{
	const struct audit_actor actor = { module, user, peer, "session" };
	struct error e = ERROR_INIT;

	CHECK_OK(audit_append(device.services.audit, what, &actor, &e), &e);
}

/* More records than one page of the store, with rare ones far apart. */
static void test_fill(void)
{
	char detail[40];

	add(AUDIT(KEY_GENERATED, .keyId = "00AA", .keyType = "ecP256"), "Web",
	    "alice", "192.0.2.5");
	for (int i = 0; i < FILLERS; i++) {
		snprintf(detail, sizeof(detail), "filler %d", i);
		add(AUDIT(REQUEST_CREATED, .keyId = detail), "API", "bob",
		    "192.0.2.6");
	}
	add(AUDIT(KEY_GENERATED, .keyId = "00BB", .keyType = "rsa2048"), "API",
	    "alice", "2001:db8::1");
	add(AUDIT(CERTIFICATE_CHANGE_FAILED, .action = "upload",
		  .reason = "100%_[a-z]*"),
	    "Web", "alice", "192.0.2.5");
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
	    "keyId: 00BB; keyType: rsa2048");
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

/* The index of the i-th event, 0 without. */
static int32_t index_at(const struct answer *a, size_t i)
{
	return value_int(value_member(
	    value_item(value_member(a->response.result, "events"), i),
	    "index"));
}

static int32_t next_of(const struct answer *a)
{
	return value_int(value_member(a->response.result, "nextIndex"));
}

/* From the newest down, every record once. */
static void test_downward(void)
{
	int32_t next = INT32_MAX, before = INT32_MAX;
	size_t seen = 0;
	bool more = true;

	while (more && seen <= FILLERS) {
		struct value *s = ask("event", "requestCreated");
		struct answer a;

		value_put_boolean(s, "newestFirst", true);
		value_put_int(s, "numEvents", 77);
		if (next != INT32_MAX)
			value_put_int(s, "index", next);
		call_by(&door_local, "auditlog.enumerate", s, &a);
		for (size_t i = 0; i < count_of(&a); i++) {
			CU_ASSERT(index_at(&a, i) < before);
			before = index_at(&a, i);
		}
		seen += count_of(&a);
		more = remaining(&a);
		next = next_of(&a);
		CU_ASSERT(more ? next < before && next > 0 : next == 0);
		answer_free(&a);
	}
	CU_ASSERT_EQUAL(seen, FILLERS);
}

/* What a record shows of itself. */
static void test_members(void)
{
	struct value *s = ask("event", "certificateChangeFailed");
	const struct value *r;
	struct answer a;

	call_by(&door_local, "auditlog.enumerate", s, &a);
	CU_ASSERT_EQUAL_FATAL(count_of(&a), 1);
	r = value_item(value_member(a.response.result, "events"), 0);
	CU_ASSERT_STRING_EQUAL(
	    value_string(value_member(r, "label")),
	    audit_event_label(AUDIT_CERTIFICATE_CHANGE_FAILED));
	CU_ASSERT_EQUAL(strlen(value_string(value_member(r, "hash"))), 64);
	CU_ASSERT(value_is(value_member(r, "fields"), VALUE_STRUCT));
	CU_ASSERT(value_is(value_member(r, "via"), VALUE_STRING));
	CU_ASSERT(value_int(value_member(r, "format")) > 0);
	answer_free(&a);
}

static void test_next_index(void)
{
	static const struct {
		bool down;
		int32_t index, number;
		size_t count;
		int32_t first, next; /* counted from the newest, 0, down */
	} rows[] = {
		{ false, 2, 2, 2, 2, 0 },   { false, 0, 5, 1, 0, -1 },
		{ false, -1, 5, 0, 0, -1 }, { true, 0, 3, 3, 0, 3 },
		{ true, -9, 3, 3, 0, 3 },   { true, 4, 1, 1, 4, 5 },
	};
	struct answer a;
	int32_t newest;

	call_by(&door_local, "auditlog.query", NULL, &a);
	newest = value_int(value_member(a.response.result, "lastIndex"));
	answer_free(&a);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct value *s = value_new_struct();

		value_put_boolean(s, "newestFirst", rows[i].down);
		value_put_int(s, "index", newest - rows[i].index);
		value_put_int(s, "numEvents", rows[i].number);
		call_by(&door_local, "auditlog.enumerate", s, &a);
		CU_ASSERT_EQUAL(count_of(&a), rows[i].count);
		if (rows[i].count)
			CU_ASSERT_EQUAL(index_at(&a, 0),
					newest - rows[i].first);
		CU_ASSERT_EQUAL(next_of(&a), newest - rows[i].next);
		answer_free(&a);
	}
}

static void test_times(void)
{
	static const struct {
		const char *member;
		int seconds;
		bool any;
	} rows[] = {
		{ "since", -3600, true },      { "since", 3600, false },
		{ "until", -3600, false },     { "until", 3600, true },
		{ "since", INT32_MAX, false },
	};
	struct answer a;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct value *s = value_new_struct();
		struct value *filter = value_put_struct(s, "filter");

		value_put_time(filter, rows[i].member,
			       clock_now() + rows[i].seconds);
		call_by(&door_local, "auditlog.enumerate", s, &a);
		CU_ASSERT_EQUAL(count_of(&a) > 0, rows[i].any);
		answer_free(&a);
	}
}

static int32_t int_of(const struct answer *a, const char *name)
{
	return value_int(value_member(a->response.result, name));
}

static void test_query(void)
{
	const struct value *events, *login;
	struct answer a;

	call_by(&door_local, "auditlog.query", NULL, &a);
	CU_ASSERT_EQUAL(int_of(&a, "firstIndex"), 1);
	CU_ASSERT(int_of(&a, "lastIndex") > FILLERS);
	CU_ASSERT_EQUAL(int_of(&a, "numEvents"), int_of(&a, "lastIndex"));
	CU_ASSERT_EQUAL(int_of(&a, "deleteableIndex"), int_of(&a, "lastIndex"));
	CU_ASSERT_EQUAL(int_of(&a, "percentageCapacity"), 0);
	events = value_member(a.response.result, "events");
	CU_ASSERT_EQUAL(value_count(events), AUDIT_EVENT_COUNT);
	login = value_item(events, AUDIT_LOGIN);
	CU_ASSERT_STRING_EQUAL(value_string(value_member(login, "event")),
			       "login");
	CU_ASSERT_STRING_EQUAL(value_string(value_member(login, "severity")),
			       "Info");
	CU_ASSERT_STRING_EQUAL(value_string(value_member(login, "label")),
			       "A user logged in");
	answer_free(&a);
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
		{ "newest first", test_downward },
		{ "members", test_members },
		{ "next index", test_next_index },
		{ "since and until", test_times },
		{ "query", test_query },
		{ "refused", test_refused },
		{ 0 },
	};

	return unit_main(argc, argv, "auditlog.enumerate, query", tests,
			 api_device_open, api_device_close);
}
