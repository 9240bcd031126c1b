/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "tests/lib/unit.h"
#include "tests/unit/participants_fixture.h"
#include "tests/unit/tamper.h"

/* "J:name L:name/reason/seconds " of all records. */
static const char *records(void)
{
	static char text[8192];
	const struct cdr_query q = { .kinds = CDR_ALL_KINDS, .most = 20 };
	struct error e = ERROR_INIT;
	struct cdr_batch b;

	CHECK_OK(cdr_read(people.cdr, &q, &b, &e), &e);
	text[0] = '\0';
	for (size_t i = 0; i < b.count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 b.rows[i].kind == CDR_JOINED ? "J:%s/%s "
						      : "L:%s/%s/%s ",
			 b.rows[i].conference, b.rows[i].participant,
			 b.rows[i].reason);
	return text;
}

/* --- one call ------------------------------------------------------------- */

static void test_life_of_one(void)
{
	struct participant_id id = people_id("ann");
	struct error e = ERROR_INIT;
	struct participant_view v;
	struct participant_names names;

	people_start_anew();
	people_must_add("ann", false, false);
	CU_ASSERT_EQUAL(people_found(id).state, PARTICIPANT_ALERTING);
	control_turn(&people.calls);
	CU_ASSERT_EQUAL_FATAL(people.calls.placed_count, 1);
	CU_ASSERT_STRING_EQUAL(people.calls.dialled.uri, "sip:ann@example.com");
	control_connect(&people.calls, 1);
	v = people_found(id);
	CU_ASSERT_EQUAL(v.state, PARTICIPANT_CONNECTED);
	CU_ASSERT(v.added && !v.ad_hoc && v.config.key > 0);
	CU_ASSERT_STRING_EQUAL(v.call.peer_name, "Ann Other");
	CU_ASSERT(participants_of_call(people.all, 1, &names));
	CU_ASSERT_STRING_EQUAL(names.name, "ann");
	CU_ASSERT_STRING_EQUAL(names.conference, "Room");
	CU_ASSERT_FALSE(participants_of_call(people.all, 2, &names));
	CHECK_FAILS(participants_connect(people.all, &id, &e), &e, ERR_CONFLICT,
		    "already");
	error_clear(&e);
	CHECK_OK(participants_disconnect(people.all, &id, &e), &e);
	control_turn(&people.calls);
	CU_ASSERT_EQUAL(people.calls.ended[0], 1);
	control_end_call(&people.calls, 1, SIP_END_DISCONNECT_ALL);
	v = people_found(id);
	CU_ASSERT_EQUAL(v.state, PARTICIPANT_DISCONNECTED);
	CU_ASSERT_EQUAL(v.call.end, SIP_END_DISCONNECT_ALL);
	CHECK_FAILS(participants_disconnect(people.all, &id, &e), &e,
		    ERR_CONFLICT, "no call");
	error_clear(&e);
	/* And again; busy now. */
	CHECK_OK(participants_connect(people.all, &id, &e), &e);
	CU_ASSERT_EQUAL(people_found(id).state, PARTICIPANT_ALERTING);
	control_turn(&people.calls);
	control_end_call(&people.calls, 2, SIP_END_BUSY);
	CU_ASSERT_EQUAL(people_found(id).call.end, SIP_END_BUSY);
	CU_ASSERT_STRING_EQUAL(records(), "J:Room/ann "
					  "L:Room/ann/disconnectAll "
					  "L:Room/ann/busy ");
	people_stop();
}

static void test_deferred(void)
{
	struct participant_id id = people_id("ann");
	struct error e = ERROR_INIT;

	people_start_anew();
	people_must_add("ann", true, false);
	control_turn(&people.calls);
	CU_ASSERT_EQUAL(people.calls.placed_count, 0);
	CU_ASSERT_EQUAL(people_found(id).state, PARTICIPANT_DORMANT);
	CHECK_FAILS(participants_disconnect(people.all, &id, &e), &e,
		    ERR_CONFLICT, "no call");
	error_clear(&e);
	CHECK_OK(participants_connect(people.all, &id, &e), &e);
	control_turn(&people.calls);
	CU_ASSERT_EQUAL(people.calls.placed_count, 1);
	people_stop();
}

/* What cannot be called is not kept either. */
static void test_bad_address(void)
{
	struct participant_row r = people_row("ann", "sip:bob@");
	struct error e = ERROR_INIT;
	struct participant_view v;

	people_start_anew();
	CU_ASSERT_EQUAL(participants_add(people.all, &r, false, &v, &e), -1);
	CU_ASSERT_EQUAL(e.kind, ERR_INPUT);
	CU_ASSERT_FALSE(people_has(people_id("ann")));
	error_clear(&e);
	people_must_add("ann", false, false);
	/* Nobody is there to call. */
	sip_control_attach(people.calls.control, NULL);
	CU_ASSERT_EQUAL(people_add("bob", false, false, &e), -1);
	CU_ASSERT_FALSE(people_has(people_id("bob")));
	people_stop();
	people_start();
	CU_ASSERT(people_has(people_id("ann")));
	CU_ASSERT_FALSE(people_has(people_id("bob")));
	people_stop();
}

/* --- names and numbers ---------------------------------------------------- */

static void test_unique(void)
{
	struct participant_row r = people_row("ann", "ann@example.com");
	struct error e = ERROR_INIT;
	struct participant_view v;

	people_start_anew();
	people_must_add("ann", true, false);
	CHECK_FAILS(people_add("ann", true, false, &e), &e, ERR_EXISTS,
		    "ann in Room");
	error_clear(&e);
	/* Another type, another conference, another name. */
	people_must_add("ann", false, true);
	CHECK_FAILS(people_add("ann", false, true, &e), &e, ERR_EXISTS,
		    "ann in Room");
	error_clear(&e);
	people_must_add("Ann", true, false);
	snprintf(r.conference, sizeof(r.conference), "room");
	r.defer = true;
	CHECK_OK(participants_add(people.all, &r, false, &v, &e), &e);
	people_stop();
}

static void test_most(void)
{
	struct participant_id id = people_id("n7");
	struct error e = ERROR_INIT;
	char name[32];

	people_start_anew();
	for (int i = 0; i < PARTICIPANTS_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		people_must_add(name, true, false);
	}
	CHECK_FAILS(people_add("more", true, false, &e), &e, ERR_LIMIT, "500");
	error_clear(&e);
	people_must_add("once", false, true); /* is not kept */
	CHECK_OK(participants_remove(people.all, &id, &e), &e);
	people_must_add("more", true, false);
	people_stop();
	people_start();
	CHECK_FAILS(people_add("another", true, false, &e), &e, ERR_LIMIT,
		    "500");
	CU_ASSERT(people_has(people_id("n499")));
	CU_ASSERT_FALSE(people_has(id));
	CU_ASSERT_FALSE(
	    people_has((struct participant_id){ "Room", "once", true }));
	people_stop();
}

/* They are there after a restart, and nobody calls them. */
static void test_restart(void)
{
	struct participant_row r = people_row("ann", "sips:ann@example.com");
	struct error e = ERROR_INIT;
	struct participant_view v;

	people_start_anew();
	r.use_registrar = false;
	r.transport = SIP_TLS;
	r.display_override = true;
	snprintf(r.display_name, sizeof(r.display_name), "Sh\xc3\xb8w");
	CHECK_OK(participants_add(people.all, &r, false, &v, &e), &e);
	control_turn(&people.calls);
	control_connect(&people.calls, 1);
	people_stop();
	people_start();
	control_turn(&people.calls);
	CU_ASSERT_EQUAL(people.calls.placed_count, 0);
	v = people_found(people_id("ann"));
	CU_ASSERT_EQUAL(v.state, PARTICIPANT_DORMANT);
	CU_ASSERT_FALSE(v.config.use_registrar);
	CU_ASSERT_EQUAL(v.config.transport, SIP_TLS);
	CU_ASSERT(v.config.display_override);
	CU_ASSERT_STRING_EQUAL(v.config.display_name, "Sh\xc3\xb8w");
	CU_ASSERT_STRING_EQUAL(v.config.address, "sips:ann@example.com");
	people_stop();
}

/* --- removal -------------------------------------------------------------- */

static void test_removal(void)
{
	struct participant_id id = people_id("ann");
	struct error e = ERROR_INIT;

	people_start_anew();
	people_must_add("ann", false, false);
	control_turn(&people.calls);
	control_connect(&people.calls, 1);
	CHECK_OK(participants_remove(people.all, &id, &e), &e);
	CU_ASSERT_FALSE(people_has(id));
	CHECK_FAILS(participants_remove(people.all, &id, &e), &e, ERR_NOT_FOUND,
		    "ann in Room");
	error_clear(&e);
	CHECK_FAILS(participants_connect(people.all, &id, &e), &e,
		    ERR_NOT_FOUND, "");
	error_clear(&e);
	CHECK_FAILS(participants_disconnect(people.all, &id, &e), &e,
		    ERR_NOT_FOUND, "");
	error_clear(&e);
	/* The name is free while the call is being ended. */
	people_must_add("ann", true, false);
	control_turn(&people.calls);
	CU_ASSERT_EQUAL(people.calls.ended_count, 1);
	control_end_call(&people.calls, 1, SIP_END_DISCONNECT_ALL);
	CU_ASSERT_EQUAL(people_found(id).state, PARTICIPANT_DORMANT);
	CU_ASSERT_STRING_EQUAL(records(),
			       "J:Room/ann L:Room/ann/disconnectAll ");
	people_stop();
	people_start();
	CU_ASSERT(people_has(id));
	CHECK_OK(participants_remove(people.all, &id, &e), &e);
	people_stop();
	people_start();
	CU_ASSERT_FALSE(people_has(id));
	people_stop();
}

/* --- ad hoc ones ---------------------------------------------------------- */

static struct participant_id caller(const char *name)
{
	return (struct participant_id){ "Echo", name, true };
}

static void test_callers(void)
{
	struct participant_id id = caller("sip:eve@x");
	struct error e = ERROR_INIT;
	uint64_t first, second, third;
	struct participant_view v;

	people_start_anew();
	first = control_incoming(&people.calls, "sip:eve@x");
	CU_ASSERT_FALSE(people_has(id)); /* not connected yet */
	control_connect(&people.calls, first);
	v = people_found(id);
	CU_ASSERT(v.ad_hoc && !v.added && v.config.key == 0);
	CU_ASSERT_EQUAL(v.state, PARTICIPANT_CONNECTED);
	second = control_incoming(&people.calls, "sip:eve@x");
	third = control_incoming(&people.calls, "");
	control_connect(&people.calls, second);
	control_connect(&people.calls, third);
	CU_ASSERT(people_has(caller("sip:eve@x (2)")));
	CU_ASSERT(people_has(caller("unknown")));
	CHECK_FAILS(participants_connect(people.all, &id, &e), &e, ERR_CONFLICT,
		    "called us");
	error_clear(&e);
	CHECK_OK(participants_disconnect(people.all, &id, &e), &e);
	control_turn(&people.calls);
	CU_ASSERT_EQUAL(people.calls.ended[0], first);
	control_end_call(&people.calls, first, SIP_END_DISCONNECT_ALL);
	CU_ASSERT_FALSE(people_has(id));
	id = caller("sip:eve@x (2)");
	CHECK_OK(participants_remove(people.all, &id, &e), &e);
	CU_ASSERT_FALSE(people_has(id));
	control_turn(&people.calls);
	CU_ASSERT_EQUAL(people.calls.ended[1], second);
	control_end_call(&people.calls, second, SIP_END_DISCONNECT_ALL);
	control_end_call(&people.calls, third, SIP_END_REMOTE_TEARDOWN);
	/* One that never got through. */
	first = control_incoming(&people.calls, "sip:mal@x");
	control_end_call(&people.calls, first, SIP_END_CAPABILITY);
	CU_ASSERT_STRING_EQUAL(
	    records(), "J:Echo/sip:eve@x J:Echo/sip:eve@x (2) J:Echo/unknown "
		       "L:Echo/sip:eve@x/disconnectAll "
		       "L:Echo/sip:eve@x (2)/disconnectAll "
		       "L:Echo/unknown/remoteTeardown "
		       "L:Echo/sip:mal@x/capabilityNegotiationError ");
	people_stop();
}

/* Names of any bytes and any length stay texts, and differ. */
static void test_hostile_callers(void)
{
	static const struct participants_query all = { "", 0, "", false };
	char longest[SIP_TEXT_MAX];
	struct error e = ERROR_INIT;
	struct participants_batch *b = calloc(1, sizeof(*b));

	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	people_start_anew();
	memset(longest, 0xc3, sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (int i = 0; i < 3; i++) {
		control_connect(&people.calls,
				control_incoming(&people.calls, longest));
		control_connect(&people.calls,
				control_incoming(&people.calls, "\n\x01\xff"));
	}
	CHECK_OK(participants_enumerate(people.all, &all, b, &e), &e);
	CU_ASSERT_EQUAL_FATAL(b->count, 6);
	for (size_t i = 0; i < b->count; i++) {
		CU_ASSERT(utf8_is_plain(view_str(b->views[i].config.name)));
		CU_ASSERT(utf8_is_plain(view_str(b->views[i].config.address)));
		for (size_t k = 0; k < i; k++)
			CU_ASSERT(strcmp(b->views[i].config.name,
					 b->views[k].config.name) != 0);
	}
	people_stop();
	free(b);
}

/* Who was called once can be looked at for a while. */
static void test_called_once(void)
{
	char name[32];

	people_start_anew();
	for (int i = 0; i < PARTICIPANTS_ENDED_KEPT + 5; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		people_must_add(name, false, true);
		control_turn(&people.calls);
		control_end_call(&people.calls, people.calls.last_id,
				 SIP_END_BUSY);
	}
	CU_ASSERT_FALSE(
	    people_has((struct participant_id){ "Room", "n4", true }));
	CU_ASSERT(people_has((struct participant_id){ "Room", "n5", true }));
	/* The name of one that has ended can be used again. */
	people_must_add("n5", false, true);
	CU_ASSERT_EQUAL(
	    people_found((struct participant_id){ "Room", "n5", true }).state,
	    PARTICIPANT_ALERTING);
	people_stop();
	people_start();
	CU_ASSERT_FALSE(
	    people_has((struct participant_id){ "Room", "n9", true }));
	people_stop();
}

/* Its name is another's only when that one is being called. */
static void test_name_is_kept(void)
{
	struct participant_id id = { "Room", "ann", true };
	struct participant_row r = people_row("ann", "sip:bob@");
	struct participant_view v;
	struct error e = ERROR_INIT;

	people_start_anew();
	people_must_add("ann", false, true);
	control_turn(&people.calls);
	control_end_call(&people.calls, 1, SIP_END_BUSY);
	CU_ASSERT_EQUAL(participants_add(people.all, &r, true, &v, &e), -1);
	CU_ASSERT_EQUAL(e.kind, ERR_INPUT);
	CU_ASSERT_EQUAL(people_found(id).call.end, SIP_END_BUSY);
	/* Nobody is there to call. */
	error_clear(&e);
	sip_control_attach(people.calls.control, NULL);
	CU_ASSERT_EQUAL(people_add("ann", false, true, &e), -1);
	CU_ASSERT_EQUAL(people_found(id).call.end, SIP_END_BUSY);
	people_stop();
}

/* --- the store ------------------------------------------------------------ */

static void test_older_database(void)
{
	people_start_anew();
	people_stop();
	tamper(people.directory, "DROP TABLE participant; DROP TABLE cdr_open;"
				 " DROP TABLE cdr_alive;"
				 " DROP TABLE participant_revision;"
				 " UPDATE schema_version"
				 " SET version = 8");
	people_start();
	people_must_add("ann", true, false);
	people_stop();
	people_start();
	CU_ASSERT(people_has(people_id("ann")));
	people_stop();
}

/* Somebody has written in it. */
static void test_damaged_rows(void)
{
	static const char *const wrong[] = {
		"UPDATE participant SET transport = 3",
		"UPDATE participant SET transport = -2",
		"UPDATE participant SET transport = 4294967297000",
	};
	const struct participant_id id = people_id("ann");
	struct error e = ERROR_INIT;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		people_start_anew();
		people_must_add("ann", true, false);
		people_stop();
		tamper(people.directory, wrong[i]);
		people_start();
		CU_ASSERT_EQUAL(people_found(id).config.transport, -1);
		CHECK_OK(participants_connect(people.all, &id, &e), &e);
		control_turn(&people.calls);
		CU_ASSERT_EQUAL(people.calls.placed_count, 1);
		CU_ASSERT(people.calls.dialled.transport <= SIP_TLS);
		people_stop();
	}
}

/* --- threads -------------------------------------------------------------- */

static void *add_and_remove(void *arg)
{
	const char *prefix = arg;
	struct error e = ERROR_INIT;
	char name[32];

	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "%s%d", prefix, i);
		struct participant_id id = people_id(name);

		if (people_add(name, i % 2, false, &e) < 0 ||
		    participants_remove(people.all, &id, &e) < 0)
			return arg;
	}
	return NULL;
}

static void test_threads(void)
{
	static char prefixes[][2] = { "a", "b", "c" };
	static struct participants_batch b;
	static const struct participants_query q = { "", 0, "", false };
	struct error e = ERROR_INIT;
	pthread_t threads[3];
	void *failed;

	people_start_anew();
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL,
						     add_and_remove,
						     prefixes[i]),
				      0);
	for (int i = 0; i < 200; i++) {
		uint64_t id = control_incoming(&people.calls, "sip:eve@x");

		control_connect(&people.calls, id);
		control_end_call(&people.calls, id, SIP_END_REMOTE_TEARDOWN);
		control_turn(&people.calls);
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], &failed);
		CU_ASSERT_PTR_NULL(failed);
	}
	control_turn(&people.calls);
	CHECK_OK(participants_enumerate(people.all, &q, &b, &e), &e);
	CU_ASSERT_EQUAL(b.count, 0);
	people_stop();
}

enum { RACES = 300 };

/* Under the name of somebody who calls. */
static void *add_eve(void *arg)
{
	struct participant_row r = people_row("sip:eve@x", "ann@example.com");
	const struct participant_id id = caller("sip:eve@x");
	struct participant_view v;
	struct error e = ERROR_INIT;

	snprintf(r.conference, sizeof(r.conference), "Echo");
	for (int i = 0; i < RACES / 2; i++) {
		error_clear(&e);
		if (participants_add(people.all, &r, true, &v, &e) < 0 &&
		    e.kind != ERR_EXISTS)
			return arg;
		error_clear(&e);
		if (participants_remove(people.all, &id, &e) < 0 &&
		    e.kind != ERR_NOT_FOUND)
			return arg;
	}
	return NULL;
}

/* How many are called so. */
static int count_eves(struct participants_batch *b)
{
	static const struct participants_query all = { "", 0, "", false };
	struct error e = ERROR_INIT;
	int n = 0;

	if (participants_enumerate(people.all, &all, b, &e) < 0)
		return -1;
	for (size_t i = 0; i < b->count; i++)
		n += !strcmp(b->views[i].config.name, "sip:eve@x");
	return n;
}

/* Somebody calls while somebody of his name is added. */
static void test_names_in_a_race(void)
{
	static struct participants_batch b;
	pthread_t threads[2];
	void *failed;
	int twice = 0;

	people_start_anew();
	for (int i = 0; i < 2; i++)
		CU_ASSERT_EQUAL_FATAL(
		    pthread_create(&threads[i], NULL, add_eve, &people), 0);
	for (int i = 0; i < RACES; i++) {
		uint64_t id = control_incoming(&people.calls, "sip:eve@x");

		control_connect(&people.calls, id);
		twice += count_eves(&b) > 1;
		control_end_call(&people.calls, id, SIP_END_REMOTE_TEARDOWN);
		control_turn(&people.calls);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], &failed);
		CU_ASSERT_PTR_NULL(failed);
	}
	CU_ASSERT_EQUAL(twice, 0);
	people_stop();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "one from its adding to its end", test_life_of_one },
		{ "called later", test_deferred },
		{ "what cannot be called", test_bad_address },
		{ "names are unique", test_unique },
		{ "how many", test_most },
		{ "a restart", test_restart },
		{ "removal", test_removal },
		{ "who calls us", test_callers },
		{ "who calls us with odd names", test_hostile_callers },
		{ "who is called once", test_called_once },
		{ "its name is kept until another is called",
		  test_name_is_kept },
		{ "a database without them", test_older_database },
		{ "damaged rows", test_damaged_rows },
		{ "threads", test_threads },
		{ "names in a race", test_names_in_a_race },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "participants", tests, NULL, NULL);
}
