/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "tests/lib/unit.h"
#include "tests/unit/participants_fixture.h"
#include "tests/unit/tamper.h"

/* Participants listed batch by batch, by revision and filter. */

/* The names of a batch, "-" before one that is gone, "." where there is more.
 */
static const char *names_of(const struct participants_batch *b)
{
	static char text[PARTICIPANTS_PAGE * 8];

	text[0] = '\0';
	for (size_t i = 0; i < b->count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "%s%s ", b->views[i].gone ? "-" : "",
			 b->views[i].config.name);
	return b->enumerate_id[0] ? strcat(text, ".") : text;
}

static struct participants_batch *listed(struct participants_query q)
{
	static struct participants_batch b;
	struct error e = ERROR_INIT;

	if (!q.enumerate_id)
		q.enumerate_id = "";
	if (!q.filter)
		q.filter = "";
	CHECK_OK(participants_enumerate(people.all, &q, &b, &e), &e);
	return &b;
}

static void test_batches(void)
{
	struct participants_query q = { .filter = "" };
	struct participants_batch *b;
	char name[32], id[ENUMERATE_ID_SIZE];
	size_t seen = 0;

	people_start_anew();
	CU_ASSERT_EQUAL(listed(q)->count, 0);
	for (int i = 0; i < 2 * PARTICIPANTS_PAGE + 1; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		people_must_add(name, true, false);
	}
	b = listed(q);
	CU_ASSERT_EQUAL(b->count, PARTICIPANTS_PAGE);
	memcpy(id, b->enumerate_id, sizeof(id));
	CU_ASSERT_EQUAL(strlen(id), ENUMERATE_ID_SIZE - 1);
	q.enumerate_id = id;
	do {
		b = listed(q);
		seen += b->count;
		memcpy(id, b->enumerate_id, sizeof(id));
	} while (id[0]);
	CU_ASSERT_EQUAL(seen, PARTICIPANTS_PAGE + 1);
	CU_ASSERT_STRING_EQUAL(names_of(b), "n100 ");
	/* Exactly a page: no more is promised. */
	people_stop();
	people_start_anew();
	for (int i = 0; i < PARTICIPANTS_PAGE; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		people_must_add(name, true, false);
	}
	q.enumerate_id = "";
	b = listed(q);
	CU_ASSERT_EQUAL(b->count, PARTICIPANTS_PAGE);
	CU_ASSERT_STRING_EQUAL(b->enumerate_id, "");
	people_stop();
}

static void test_enumerate_ids(void)
{
	static const char *const wrong[] = {
		"1",
		"x",
		"0",
		"nonsense",
		"-1",
		" ",
		"000000000000000100000000000000000000000000000000",
	};
	struct participants_query q = { .filter = "" };
	struct participants_batch *b;
	struct error e = ERROR_INIT;
	char name[32], id[ENUMERATE_ID_SIZE + 8];

	people_start_anew();
	for (int i = 0; i < PARTICIPANTS_PAGE + 1; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		people_must_add(name, true, false);
	}
	b = listed(q);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		q.enumerate_id = wrong[i];
		CHECK_FAILS(participants_enumerate(people.all, &q, b, &e), &e,
			    ERR_NOT_FOUND, "not given here");
		error_clear(&e);
	}
	q.enumerate_id = "";
	b = listed(q);
	for (size_t i = 0; i < ENUMERATE_ID_SIZE - 1; i++) {
		snprintf(id, sizeof(id), "%s", b->enumerate_id);
		id[i] = id[i] == '0' ? '1' : '0';
		q.enumerate_id = id;
		struct participants_batch *other = malloc(sizeof(*other));

		CHECK_FAILS(participants_enumerate(people.all, &q, other, &e),
			    &e, ERR_NOT_FOUND, "");
		error_clear(&e);
		free(other);
	}
	snprintf(id, sizeof(id), "%s00", b->enumerate_id);
	q.enumerate_id = id;
	CHECK_FAILS(participants_enumerate(people.all, &q, b, &e), &e,
		    ERR_NOT_FOUND, "");
	error_clear(&e);
	/* Of the process before. */
	q.enumerate_id = "";
	b = listed(q);
	snprintf(id, sizeof(id), "%s", b->enumerate_id);
	people_stop();
	people_start();
	q.enumerate_id = id;
	CHECK_FAILS(participants_enumerate(people.all, &q, b, &e), &e,
		    ERR_NOT_FOUND, "");
	people_stop();
}

static void test_revisions(void)
{
	struct participants_query q = { .filter = "" };
	struct participants_batch *b;
	int32_t first;

	people_start_anew();
	people_must_add("a", true, false);
	people_must_add("b", false, false);
	b = listed(q);
	CU_ASSERT_STRING_EQUAL(names_of(b), "a b ");
	first = b->revision;
	CU_ASSERT(first > 0);
	q.last_revision = first;
	b = listed(q);
	CU_ASSERT_STRING_EQUAL(names_of(b), "");
	CU_ASSERT(b->revision > first);
	control_turn(&people.calls);
	control_connect(&people.calls, 1);
	people_must_add("c", true, false);
	/* The same revision as often as one likes. */
	for (int i = 0; i < 3; i++)
		CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "b c ");
	q.last_revision = listed(q)->revision;
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "");
	control_end_call(&people.calls, 1, SIP_END_BUSY);
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "b ");
	/* Of another life; before all time. */
	q.last_revision = INT32_MAX;
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "a b c ");
	q.last_revision = -5;
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "a b c ");
	q.last_revision = first;
	people_stop();
	people_start();
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "a b c ");
	people_stop();
}

/* Who polls more than once a second, and goes on after our restart, later than
 * others. */
static void test_revisions_over_a_restart(void)
{
	struct participants_query q = { .filter = "" };
	struct participants_query other = { .filter = "" };
	struct participant_id a = people_id("a");
	struct error e = ERROR_INIT;
	struct participants_batch *b;

	people_start_anew();
	people_must_add("a", true, false);
	people_must_add("b", true, false);
	for (int i = 0; i < 300; i++)
		q.last_revision = listed(q)->revision;
	people_stop();
	people_start();
	CHECK_OK(participants_remove(people.all, &a, &e), &e);
	people_must_add("c", true, false);
	for (int i = 0; i < 700; i++)
		other.last_revision = listed(other)->revision;
	CU_ASSERT(other.last_revision > q.last_revision);
	b = listed(q);
	CU_ASSERT_STRING_EQUAL(names_of(b), "b c ");
	CU_ASSERT(b->all);
	b = listed(other);
	CU_ASSERT_STRING_EQUAL(names_of(b), "");
	CU_ASSERT_FALSE(b->all);
	people_stop();
}

static void test_who_is_gone(void)
{
	struct participants_query q = { .filter = "" };
	const struct participant_id once = { "Room", "o", true };
	struct participant_id a = people_id("a"), b = people_id("b");
	struct error e = ERROR_INIT;
	uint64_t eve, mal;

	people_start_anew();
	people_must_add("a", true, false);
	people_must_add("b", false, false);
	people_must_add("c", true, false);
	control_turn(&people.calls);
	control_connect(&people.calls, 1);
	eve = control_incoming(&people.calls, "eve");
	mal = control_incoming(&people.calls, "mal");
	control_connect(&people.calls, eve);
	people_must_add("o", false, true);
	q.last_revision = listed(q)->revision;
	CHECK_OK(participants_remove(people.all, &a, &e), &e);
	/* At once, though it is being hung up; and not a second time then. */
	CHECK_OK(participants_remove(people.all, &b, &e), &e);
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "-a -b ");
	q.filter = "connected";
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "-a -b ");
	q.filter = "";
	q.last_revision = listed(q)->revision;
	control_end_call(&people.calls, 1, SIP_END_DISCONNECT_ALL);
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "");
	/* Callers; nobody has seen mal. */
	control_end_call(&people.calls, eve, SIP_END_REMOTE_TEARDOWN);
	control_end_call(&people.calls, mal, SIP_END_REMOTE_TEARDOWN);
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "-eve ");
	q.configured_only = true;
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "");
	q.configured_only = false;
	/* There again. */
	people_must_add("a", true, false);
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "-eve a ");
	control_connect(&people.calls, control_incoming(&people.calls, "eve"));
	control_turn(&people.calls);
	control_end_call(&people.calls, people.calls.placed[1], SIP_END_BUSY);
	people_must_add("o", false, true);
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "a eve o ");
	q.last_revision = listed(q)->revision;
	CHECK_OK(participants_remove(people.all, &once, &e), &e);
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "-o ");
	/* Who wants all hears of those that are there. */
	q.last_revision = 0;
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "c a eve ");
	CU_ASSERT(listed(q)->all);
	people_stop();
}

static void come_and_go(int count)
{
	for (int i = 0; i < count; i++) {
		uint64_t id = control_incoming(&people.calls, "eve");

		control_connect(&people.calls, id);
		control_end_call(&people.calls, id, SIP_END_REMOTE_TEARDOWN);
	}
}

static void test_too_many_are_gone(void)
{
	struct participants_query q = { .filter = "" };
	struct participants_batch *b;
	struct error e = ERROR_INIT;
	char id[ENUMERATE_ID_SIZE];
	size_t gone = 0;

	people_start_anew();
	people_must_add("a", true, false);
	q.last_revision = listed(q)->revision;
	come_and_go(PARTICIPANTS_GONE_KEPT);
	q.enumerate_id = "";
	do {
		b = listed(q);
		CU_ASSERT_FALSE(b->all);
		gone += b->count;
		memcpy(id, b->enumerate_id, sizeof(id));
		q.enumerate_id = id;
		/* The first batch counts. */
		if (gone > PARTICIPANTS_PAGE)
			q.last_revision = 0;
	} while (id[0]);
	CU_ASSERT_EQUAL(gone, PARTICIPANTS_GONE_KEPT);
	/* One more, while somebody reads. */
	q = (struct participants_query){ .filter = "" };
	b = listed(q);
	q.last_revision = b->revision - (int32_t)(gone / PARTICIPANTS_PAGE) - 2;
	b = listed(q);
	CU_ASSERT_FALSE_FATAL(b->all);
	memcpy(id, b->enumerate_id, sizeof(id));
	come_and_go(1);
	CU_ASSERT(listed(q)->all);
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "a ");
	q.enumerate_id = id;
	CHECK_FAILS(participants_enumerate(people.all, &q, b, &e), &e,
		    ERR_NOT_FOUND, "too much has changed");
	people_stop();
}

/* More queries than the numbers that are taken from the store at a time. */
static void test_many_revisions(void)
{
	struct participants_query q = { .filter = "0" };
	int32_t first, last = 0;
	int wrong = 0;

	people_start_anew();
	people_must_add("a", true, false);
	first = listed(q)->revision;
	for (int i = 0; i < 17000; i++) {
		int32_t now = listed(q)->revision;

		wrong += now <= last;
		last = now;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	q.filter = "";
	/* The oldest of this run is still known. */
	q.last_revision = first;
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "");
	CU_ASSERT_FALSE(listed(q)->all);
	q.last_revision = last;
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "");
	people_must_add("b", true, false);
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "b ");
	people_stop();
}

/* None can be taken, or those that there are are used up. */
static void test_no_revisions(void)
{
	static const char *const wrong[] = {
		"DROP TABLE participant_revision",
		"UPDATE participant_revision SET next = 2147483600",
		"UPDATE participant_revision SET next = 9223372036854775807",
		"UPDATE participant_revision SET next = -7",
	};
	struct participants_query q = { .filter = "" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		people_start_anew();
		people_must_add("a", true, false);
		q.last_revision = listed(q)->revision;
		people_stop();
		tamper(people.directory, wrong[i]);
		people_start();
		if (i > 0) /* of this run */
			q.last_revision = listed(q)->revision;
		people_must_add("b", true, false);
		CU_ASSERT_STRING_EQUAL(names_of(listed(q)),
				       i > 0 ? "b " : "a b ");
		q.last_revision = listed(q)->revision;
		people_must_add("c", true, false);
		CU_ASSERT_PTR_NOT_NULL(strstr(names_of(listed(q)), "c "));
		people_stop();
	}
}

static void count_warning(void *arg, const struct log_event *event)
{
	if (event->level == LOG_LEVEL_WARNING)
		++*(int *)arg;
}

/* Whoever polls makes a try with each question; not each is told of. */
static void test_no_revisions_for_long(void)
{
	struct participants_query q = { .filter = "" };
	int told = 0;

	people_start_anew();
	people_stop();
	tamper(people.directory, "DROP TABLE participant_revision");
	CU_ASSERT_EQUAL_FATAL(log_add_sink(count_warning, &told), 0);
	people_start();
	for (int i = 0; i < 20; i++)
		listed(q);
	CU_ASSERT_EQUAL(told, 1);
	tamper(people.directory,
	       "CREATE TABLE participant_revision (one INTEGER PRIMARY KEY,"
	       " next INTEGER NOT NULL)");
	CU_ASSERT(listed(q)->revision > 0);
	people_stop();
	CU_ASSERT_EQUAL(told, 1);
	log_remove_sink(count_warning, &told);
}

/* The clock of a device that was just unpacked. */
static void test_wrong_clock(void)
{
	static const int64_t times[] = { 0, 1767225599, 1767225600,
					 4102444800 };
	struct participants_query q = { .filter = "" };

	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		clock_set_offset(0);
		clock_set_offset(times[i] - clock_now());
		q.last_revision = 0;
		people_start_anew();
		people_must_add("a", true, false);
		q.last_revision = listed(q)->revision;
		CU_ASSERT(q.last_revision > 0);
		CU_ASSERT(q.last_revision < INT32_MAX / 2 + 10);
		CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "");
		people_must_add("b", true, false);
		CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "b ");
		people_stop();
	}
	clock_set_offset(0);
}

static const struct {
	const char *filter, *names;
} filters[] = {
	{ "", "dorm ring conn gone " },
	{ "connected", "conn " },
	{ "disconnected", "gone " },
	{ "connected || disconnected", "conn gone " },
	{ "!connected && !disconnected", "dorm ring " },
	{ "connected + disconnected == 1", "conn gone " },
	{ "(connected)", "conn " },
	{ "connected && disconnected", "" },
	{ "1", "dorm ring conn gone " },
	{ "0", "" },
};

static void test_filters(void)
{
	static const char *const wrong[] = { "active", "connected &&",
					     "Connected", "(", "x'y" };
	struct participants_query q = { .enumerate_id = "" };
	struct participants_batch b;
	struct error e = ERROR_INIT;

	people_start_anew();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		q.filter = wrong[i];
		CHECK_FAILS(participants_enumerate(people.all, &q, &b, &e), &e,
			    ERR_INPUT, "enumerateFilter: ");
		error_clear(&e);
	}
	people_must_add("dorm", true, false);
	people_must_add("ring", false, false);
	people_must_add("conn", false, false);
	people_must_add("gone", false, false);
	control_turn(&people.calls);
	control_connect(&people.calls, 2);
	control_end_call(&people.calls, 3, SIP_END_BUSY);
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		q.filter = filters[i].filter;
		CU_ASSERT_STRING_EQUAL(names_of(listed(q)), filters[i].names);
	}
	q.filter = "";
	q.configured_only = true;
	control_connect(&people.calls, control_incoming(&people.calls, "eve"));
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "dorm ring conn gone ");
	people_stop();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "batches", test_batches },
		{ "enumerate IDs", test_enumerate_ids },
		{ "revisions", test_revisions },
		{ "revisions over a restart", test_revisions_over_a_restart },
		{ "who is gone", test_who_is_gone },
		{ "too many are gone", test_too_many_are_gone },
		{ "many revisions", test_many_revisions },
		{ "no revisions", test_no_revisions },
		{ "no revisions for long", test_no_revisions_for_long },
		{ "revisions by a wrong clock", test_wrong_clock },
		{ "filters", test_filters },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "lists of participants", tests, NULL,
			 NULL);
}
