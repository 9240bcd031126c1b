/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "calls/participants.h"
#include "tests/lib/unit.h"
#include "tests/unit/control_fixture.h"
#include "tests/unit/tamper.h"

static struct {
	char directory[PATH_MAX - 32];
	struct config *config;
	struct store *store;
	struct settings *settings;
	struct cdr *cdr;
	struct control_fixture calls;
	struct participants *all;
} here;

static void start(void)
{
	struct error e = ERROR_INIT;
	struct participants_options o;

	here.config = config_load("/dev/null", NULL, 0, &e);
	CHECK_OBJECT(here.config, &e);
	here.store = store_open(here.directory, &e);
	CHECK_OBJECT(here.store, &e);
	here.settings = settings_new(here.config, here.store, &e);
	CHECK_OBJECT(here.settings, &e);
	here.cdr = cdr_open(here.store, &e);
	CHECK_OBJECT(here.cdr, &e);
	control_open(&here.calls, here.settings);
	o = (struct participants_options){ here.store, here.calls.control,
					   here.cdr };
	here.all = participants_new(&o, &e);
	CHECK_OBJECT(here.all, &e);
}

static void stop(void)
{
	control_close(&here.calls);
	participants_free(here.all);
	cdr_close(here.cdr);
	settings_free(here.settings);
	store_close(here.store);
	config_free(here.config);
}

/* On a new database. */
static void start_anew(void)
{
	static unsigned n;

	snprintf(here.directory, sizeof(here.directory), "%s/state%u",
		 unit_temp_dir(), n++);
	start();
}

static struct participant_row row_of(const char *name, const char *address)
{
	struct participant_row r = { .use_registrar = true, .transport = -1 };

	snprintf(r.conference, sizeof(r.conference), "Room");
	snprintf(r.name, sizeof(r.name), "%s", name);
	snprintf(r.address, sizeof(r.address), "%s", address);
	return r;
}

static struct participant_id id_of(const char *name)
{
	return (struct participant_id){ "Room", name, false };
}

static int add(const char *name, bool defer, bool ad_hoc, struct error *e)
{
	struct participant_row r = row_of(name, "ann@example.com");
	struct participant_view v;

	r.defer = defer;
	return participants_add(here.all, &r, ad_hoc, &v, e);
}

static void must_add(const char *name, bool defer, bool ad_hoc)
{
	struct error e = ERROR_INIT;

	CHECK_OK(add(name, defer, ad_hoc, &e), &e);
}

static struct participant_view found(struct participant_id id)
{
	struct error e = ERROR_INIT;
	struct participant_view v = { .state = PARTICIPANT_DORMANT };

	CHECK_OK(participants_find(here.all, &id, &v, &e), &e);
	return v;
}

static bool is_there(struct participant_id id)
{
	struct error e = ERROR_INIT;
	struct participant_view v;

	if (participants_find(here.all, &id, &v, &e) == 0)
		return true;
	CU_ASSERT_EQUAL(e.kind, ERR_NOT_FOUND);
	return false;
}

/* "J:name L:name/reason/seconds " of all records. */
static const char *records(void)
{
	static char text[8192];
	const struct cdr_query q = { .kinds = CDR_ALL_KINDS, .most = 20 };
	struct error e = ERROR_INIT;
	struct cdr_batch b;

	CHECK_OK(cdr_read(here.cdr, &q, &b, &e), &e);
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
	struct participant_id id = id_of("ann");
	struct error e = ERROR_INIT;
	struct participant_view v;
	struct participant_names names;

	start_anew();
	must_add("ann", false, false);
	CU_ASSERT_EQUAL(found(id).state, PARTICIPANT_ALERTING);
	control_turn(&here.calls);
	CU_ASSERT_EQUAL_FATAL(here.calls.placed_count, 1);
	CU_ASSERT_STRING_EQUAL(here.calls.dialled.uri, "sip:ann@example.com");
	control_connect(&here.calls, 1);
	v = found(id);
	CU_ASSERT_EQUAL(v.state, PARTICIPANT_CONNECTED);
	CU_ASSERT(v.added && !v.ad_hoc && v.config.key > 0);
	CU_ASSERT_STRING_EQUAL(v.call.peer_name, "Ann Other");
	CU_ASSERT(participants_of_call(here.all, 1, &names));
	CU_ASSERT_STRING_EQUAL(names.name, "ann");
	CU_ASSERT_STRING_EQUAL(names.conference, "Room");
	CU_ASSERT_FALSE(participants_of_call(here.all, 2, &names));
	CHECK_FAILS(participants_connect(here.all, &id, &e), &e, ERR_CONFLICT,
		    "already");
	error_clear(&e);
	CHECK_OK(participants_disconnect(here.all, &id, &e), &e);
	control_turn(&here.calls);
	CU_ASSERT_EQUAL(here.calls.ended[0], 1);
	control_end_call(&here.calls, 1, SIP_END_DISCONNECT_ALL);
	v = found(id);
	CU_ASSERT_EQUAL(v.state, PARTICIPANT_DISCONNECTED);
	CU_ASSERT_EQUAL(v.call.end, SIP_END_DISCONNECT_ALL);
	CHECK_FAILS(participants_disconnect(here.all, &id, &e), &e,
		    ERR_CONFLICT, "no call");
	error_clear(&e);
	/* And again; busy now. */
	CHECK_OK(participants_connect(here.all, &id, &e), &e);
	CU_ASSERT_EQUAL(found(id).state, PARTICIPANT_ALERTING);
	control_turn(&here.calls);
	control_end_call(&here.calls, 2, SIP_END_BUSY);
	CU_ASSERT_EQUAL(found(id).call.end, SIP_END_BUSY);
	CU_ASSERT_STRING_EQUAL(records(), "J:Room/ann "
					  "L:Room/ann/disconnectAll "
					  "L:Room/ann/busy ");
	stop();
}

static void test_deferred(void)
{
	struct participant_id id = id_of("ann");
	struct error e = ERROR_INIT;

	start_anew();
	must_add("ann", true, false);
	control_turn(&here.calls);
	CU_ASSERT_EQUAL(here.calls.placed_count, 0);
	CU_ASSERT_EQUAL(found(id).state, PARTICIPANT_DORMANT);
	CHECK_FAILS(participants_disconnect(here.all, &id, &e), &e,
		    ERR_CONFLICT, "no call");
	error_clear(&e);
	CHECK_OK(participants_connect(here.all, &id, &e), &e);
	control_turn(&here.calls);
	CU_ASSERT_EQUAL(here.calls.placed_count, 1);
	stop();
}

/* What cannot be called is not kept either. */
static void test_bad_address(void)
{
	struct participant_row r = row_of("ann", "sip:bob@");
	struct error e = ERROR_INIT;
	struct participant_view v;

	start_anew();
	CU_ASSERT_EQUAL(participants_add(here.all, &r, false, &v, &e), -1);
	CU_ASSERT_EQUAL(e.kind, ERR_INPUT);
	CU_ASSERT_FALSE(is_there(id_of("ann")));
	error_clear(&e);
	must_add("ann", false, false);
	/* Nobody is there to call. */
	sip_control_attach(here.calls.control, NULL);
	CU_ASSERT_EQUAL(add("bob", false, false, &e), -1);
	CU_ASSERT_FALSE(is_there(id_of("bob")));
	stop();
	start();
	CU_ASSERT(is_there(id_of("ann")));
	CU_ASSERT_FALSE(is_there(id_of("bob")));
	stop();
}

/* --- names and numbers ---------------------------------------------------- */

static void test_unique(void)
{
	struct participant_row r = row_of("ann", "ann@example.com");
	struct error e = ERROR_INIT;
	struct participant_view v;

	start_anew();
	must_add("ann", true, false);
	CHECK_FAILS(add("ann", true, false, &e), &e, ERR_EXISTS, "ann in Room");
	error_clear(&e);
	/* Another type, another conference, another name. */
	must_add("ann", false, true);
	CHECK_FAILS(add("ann", false, true, &e), &e, ERR_EXISTS, "ann in Room");
	error_clear(&e);
	must_add("Ann", true, false);
	snprintf(r.conference, sizeof(r.conference), "room");
	r.defer = true;
	CHECK_OK(participants_add(here.all, &r, false, &v, &e), &e);
	stop();
}

static void test_most(void)
{
	struct participant_id id = id_of("n7");
	struct error e = ERROR_INIT;
	char name[32];

	start_anew();
	for (int i = 0; i < PARTICIPANTS_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		must_add(name, true, false);
	}
	CHECK_FAILS(add("more", true, false, &e), &e, ERR_LIMIT, "500");
	error_clear(&e);
	must_add("once", false, true); /* is not kept */
	CHECK_OK(participants_remove(here.all, &id, &e), &e);
	must_add("more", true, false);
	stop();
	start();
	CHECK_FAILS(add("another", true, false, &e), &e, ERR_LIMIT, "500");
	CU_ASSERT(is_there(id_of("n499")));
	CU_ASSERT_FALSE(is_there(id));
	CU_ASSERT_FALSE(
	    is_there((struct participant_id){ "Room", "once", true }));
	stop();
}

/* They are there after a restart, and nobody calls them. */
static void test_restart(void)
{
	struct participant_row r = row_of("ann", "sips:ann@example.com");
	struct error e = ERROR_INIT;
	struct participant_view v;

	start_anew();
	r.use_registrar = false;
	r.transport = SIP_TLS;
	r.display_override = true;
	snprintf(r.display_name, sizeof(r.display_name), "Sh\xc3\xb8w");
	CHECK_OK(participants_add(here.all, &r, false, &v, &e), &e);
	control_turn(&here.calls);
	control_connect(&here.calls, 1);
	stop();
	start();
	control_turn(&here.calls);
	CU_ASSERT_EQUAL(here.calls.placed_count, 0);
	v = found(id_of("ann"));
	CU_ASSERT_EQUAL(v.state, PARTICIPANT_DORMANT);
	CU_ASSERT_FALSE(v.config.use_registrar);
	CU_ASSERT_EQUAL(v.config.transport, SIP_TLS);
	CU_ASSERT(v.config.display_override);
	CU_ASSERT_STRING_EQUAL(v.config.display_name, "Sh\xc3\xb8w");
	CU_ASSERT_STRING_EQUAL(v.config.address, "sips:ann@example.com");
	stop();
}

/* --- removal -------------------------------------------------------------- */

static void test_removal(void)
{
	struct participant_id id = id_of("ann");
	struct error e = ERROR_INIT;

	start_anew();
	must_add("ann", false, false);
	control_turn(&here.calls);
	control_connect(&here.calls, 1);
	CHECK_OK(participants_remove(here.all, &id, &e), &e);
	CU_ASSERT_FALSE(is_there(id));
	CHECK_FAILS(participants_remove(here.all, &id, &e), &e, ERR_NOT_FOUND,
		    "ann in Room");
	error_clear(&e);
	CHECK_FAILS(participants_connect(here.all, &id, &e), &e, ERR_NOT_FOUND,
		    "");
	error_clear(&e);
	CHECK_FAILS(participants_disconnect(here.all, &id, &e), &e,
		    ERR_NOT_FOUND, "");
	error_clear(&e);
	/* The name is free while the call is being ended. */
	must_add("ann", true, false);
	control_turn(&here.calls);
	CU_ASSERT_EQUAL(here.calls.ended_count, 1);
	control_end_call(&here.calls, 1, SIP_END_DISCONNECT_ALL);
	CU_ASSERT_EQUAL(found(id).state, PARTICIPANT_DORMANT);
	CU_ASSERT_STRING_EQUAL(records(),
			       "J:Room/ann L:Room/ann/disconnectAll ");
	stop();
	start();
	CU_ASSERT(is_there(id));
	CHECK_OK(participants_remove(here.all, &id, &e), &e);
	stop();
	start();
	CU_ASSERT_FALSE(is_there(id));
	stop();
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

	start_anew();
	first = control_incoming(&here.calls, "sip:eve@x");
	CU_ASSERT_FALSE(is_there(id)); /* not connected yet */
	control_connect(&here.calls, first);
	v = found(id);
	CU_ASSERT(v.ad_hoc && !v.added && v.config.key == 0);
	CU_ASSERT_EQUAL(v.state, PARTICIPANT_CONNECTED);
	second = control_incoming(&here.calls, "sip:eve@x");
	third = control_incoming(&here.calls, "");
	control_connect(&here.calls, second);
	control_connect(&here.calls, third);
	CU_ASSERT(is_there(caller("sip:eve@x (2)")));
	CU_ASSERT(is_there(caller("unknown")));
	CHECK_FAILS(participants_connect(here.all, &id, &e), &e, ERR_CONFLICT,
		    "called us");
	error_clear(&e);
	CHECK_OK(participants_disconnect(here.all, &id, &e), &e);
	control_turn(&here.calls);
	CU_ASSERT_EQUAL(here.calls.ended[0], first);
	control_end_call(&here.calls, first, SIP_END_DISCONNECT_ALL);
	CU_ASSERT_FALSE(is_there(id));
	id = caller("sip:eve@x (2)");
	CHECK_OK(participants_remove(here.all, &id, &e), &e);
	CU_ASSERT_FALSE(is_there(id));
	control_turn(&here.calls);
	CU_ASSERT_EQUAL(here.calls.ended[1], second);
	control_end_call(&here.calls, second, SIP_END_DISCONNECT_ALL);
	control_end_call(&here.calls, third, SIP_END_REMOTE_TEARDOWN);
	/* One that never got through. */
	first = control_incoming(&here.calls, "sip:mal@x");
	control_end_call(&here.calls, first, SIP_END_CAPABILITY);
	CU_ASSERT_STRING_EQUAL(
	    records(), "J:Echo/sip:eve@x J:Echo/sip:eve@x (2) J:Echo/unknown "
		       "L:Echo/sip:eve@x/disconnectAll "
		       "L:Echo/sip:eve@x (2)/disconnectAll "
		       "L:Echo/unknown/remoteTeardown "
		       "L:Echo/sip:mal@x/capabilityNegotiationError ");
	stop();
}

/* Names of any bytes and any length stay texts, and differ. */
static void test_hostile_callers(void)
{
	static const struct participants_query all = { "", 0, "", false };
	char longest[SIP_TEXT_MAX];
	struct error e = ERROR_INIT;
	struct participants_batch *b = calloc(1, sizeof(*b));

	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	start_anew();
	memset(longest, 0xc3, sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (int i = 0; i < 3; i++) {
		control_connect(&here.calls,
				control_incoming(&here.calls, longest));
		control_connect(&here.calls,
				control_incoming(&here.calls, "\n\x01\xff"));
	}
	CHECK_OK(participants_enumerate(here.all, &all, b, &e), &e);
	CU_ASSERT_EQUAL_FATAL(b->count, 6);
	for (size_t i = 0; i < b->count; i++) {
		CU_ASSERT(utf8_is_plain(view_str(b->views[i].config.name)));
		CU_ASSERT(utf8_is_plain(view_str(b->views[i].config.address)));
		for (size_t k = 0; k < i; k++)
			CU_ASSERT(strcmp(b->views[i].config.name,
					 b->views[k].config.name) != 0);
	}
	stop();
	free(b);
}

/* Who was called once can be looked at for a while. */
static void test_called_once(void)
{
	char name[32];

	start_anew();
	for (int i = 0; i < PARTICIPANTS_ENDED_KEPT + 5; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		must_add(name, false, true);
		control_turn(&here.calls);
		control_end_call(&here.calls, here.calls.last_id, SIP_END_BUSY);
	}
	CU_ASSERT_FALSE(
	    is_there((struct participant_id){ "Room", "n4", true }));
	CU_ASSERT(is_there((struct participant_id){ "Room", "n5", true }));
	/* The name of one that has ended can be used again. */
	must_add("n5", false, true);
	CU_ASSERT_EQUAL(
	    found((struct participant_id){ "Room", "n5", true }).state,
	    PARTICIPANT_ALERTING);
	stop();
	start();
	CU_ASSERT_FALSE(
	    is_there((struct participant_id){ "Room", "n9", true }));
	stop();
}

/* --- all of them ---------------------------------------------------------- */

/* The names of a batch, with "." where there is more. */
static const char *names_of(const struct participants_batch *b)
{
	static char text[PARTICIPANTS_PAGE * 8];

	text[0] = '\0';
	for (size_t i = 0; i < b->count; i++)
		strcat(strcat(text, b->views[i].config.name), " ");
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
	CHECK_OK(participants_enumerate(here.all, &q, &b, &e), &e);
	return &b;
}

static void test_batches(void)
{
	struct participants_query q = { .filter = "" };
	struct participants_batch *b;
	char name[32], id[ENUMERATE_ID_SIZE];
	size_t seen = 0;

	start_anew();
	CU_ASSERT_EQUAL(listed(q)->count, 0);
	for (int i = 0; i < 2 * PARTICIPANTS_PAGE + 1; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		must_add(name, true, false);
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
	stop();
	start_anew();
	for (int i = 0; i < PARTICIPANTS_PAGE; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		must_add(name, true, false);
	}
	q.enumerate_id = "";
	b = listed(q);
	CU_ASSERT_EQUAL(b->count, PARTICIPANTS_PAGE);
	CU_ASSERT_STRING_EQUAL(b->enumerate_id, "");
	stop();
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

	start_anew();
	for (int i = 0; i < PARTICIPANTS_PAGE + 1; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		must_add(name, true, false);
	}
	b = listed(q);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		q.enumerate_id = wrong[i];
		CHECK_FAILS(participants_enumerate(here.all, &q, b, &e), &e,
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

		CHECK_FAILS(participants_enumerate(here.all, &q, other, &e), &e,
			    ERR_NOT_FOUND, "");
		error_clear(&e);
		free(other);
	}
	snprintf(id, sizeof(id), "%s00", b->enumerate_id);
	q.enumerate_id = id;
	CHECK_FAILS(participants_enumerate(here.all, &q, b, &e), &e,
		    ERR_NOT_FOUND, "");
	error_clear(&e);
	/* Of the process before. */
	q.enumerate_id = "";
	b = listed(q);
	snprintf(id, sizeof(id), "%s", b->enumerate_id);
	stop();
	start();
	q.enumerate_id = id;
	CHECK_FAILS(participants_enumerate(here.all, &q, b, &e), &e,
		    ERR_NOT_FOUND, "");
	stop();
}

static void test_revisions(void)
{
	struct participants_query q = { .filter = "" };
	struct participants_batch *b;
	int32_t first;

	start_anew();
	must_add("a", true, false);
	must_add("b", false, false);
	b = listed(q);
	CU_ASSERT_STRING_EQUAL(names_of(b), "a b ");
	first = b->revision;
	CU_ASSERT(first > 0);
	q.last_revision = first;
	b = listed(q);
	CU_ASSERT_STRING_EQUAL(names_of(b), "");
	CU_ASSERT(b->revision > first);
	control_turn(&here.calls);
	control_connect(&here.calls, 1);
	must_add("c", true, false);
	/* The same revision as often as one likes. */
	for (int i = 0; i < 3; i++)
		CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "b c ");
	q.last_revision = listed(q)->revision;
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "");
	control_end_call(&here.calls, 1, SIP_END_BUSY);
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "b ");
	/* Of another life; before all time. */
	q.last_revision = INT32_MAX;
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "a b c ");
	q.last_revision = -5;
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "a b c ");
	q.last_revision = first;
	stop();
	start();
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "a b c ");
	stop();
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
		start_anew();
		must_add("a", true, false);
		q.last_revision = listed(q)->revision;
		CU_ASSERT(q.last_revision > 0);
		CU_ASSERT(q.last_revision < INT32_MAX / 2 + 10);
		CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "");
		must_add("b", true, false);
		CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "b ");
		stop();
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

	start_anew();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		q.filter = wrong[i];
		CHECK_FAILS(participants_enumerate(here.all, &q, &b, &e), &e,
			    ERR_INPUT, "enumerateFilter: ");
		error_clear(&e);
	}
	must_add("dorm", true, false);
	must_add("ring", false, false);
	must_add("conn", false, false);
	must_add("gone", false, false);
	control_turn(&here.calls);
	control_connect(&here.calls, 2);
	control_end_call(&here.calls, 3, SIP_END_BUSY);
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		q.filter = filters[i].filter;
		CU_ASSERT_STRING_EQUAL(names_of(listed(q)), filters[i].names);
	}
	q.filter = "";
	q.configured_only = true;
	control_connect(&here.calls, control_incoming(&here.calls, "eve"));
	CU_ASSERT_STRING_EQUAL(names_of(listed(q)), "dorm ring conn gone ");
	stop();
}

/* --- the store ------------------------------------------------------------ */

static void test_older_database(void)
{
	start_anew();
	stop();
	tamper(here.directory, "DROP TABLE participant; UPDATE schema_version"
			       " SET version = 8");
	start();
	must_add("ann", true, false);
	stop();
	start();
	CU_ASSERT(is_there(id_of("ann")));
	stop();
}

/* --- threads -------------------------------------------------------------- */

static void *add_and_remove(void *arg)
{
	const char *prefix = arg;
	struct error e = ERROR_INIT;
	char name[32];

	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "%s%d", prefix, i);
		struct participant_id id = id_of(name);

		if (add(name, i % 2, false, &e) < 0 ||
		    participants_remove(here.all, &id, &e) < 0)
			return arg;
	}
	return NULL;
}

static void test_threads(void)
{
	static char prefixes[][2] = { "a", "b", "c" };
	struct participants_query q = { .filter = "" };
	pthread_t threads[3];
	void *failed;

	start_anew();
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL,
						     add_and_remove,
						     prefixes[i]),
				      0);
	for (int i = 0; i < 200; i++) {
		uint64_t id = control_incoming(&here.calls, "sip:eve@x");

		control_connect(&here.calls, id);
		control_end_call(&here.calls, id, SIP_END_REMOTE_TEARDOWN);
		control_turn(&here.calls);
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], &failed);
		CU_ASSERT_PTR_NULL(failed);
	}
	control_turn(&here.calls);
	CU_ASSERT_EQUAL(listed(q)->count, 0);
	stop();
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
		{ "batches", test_batches },
		{ "enumerate IDs", test_enumerate_ids },
		{ "revisions", test_revisions },
		{ "revisions by a wrong clock", test_wrong_clock },
		{ "filters", test_filters },
		{ "a database without them", test_older_database },
		{ "threads", test_threads },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "participants", tests, NULL, NULL);
}
