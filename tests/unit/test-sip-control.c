/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "sip/sip_control.h"
#include "tests/lib/unit.h"

/* The door between the loop and all other threads. */

enum { THREADS = 4, CALLS = 200 /* of each thread */ };

static struct config *config;
static struct store *store;
static struct settings *settings;
static struct sip_control *control;

/* What was wanted of the loop, and what followers heard. */
static struct {
	atomic_uint_fast64_t last_id;
	atomic_uint wakes;
	unsigned placed, ended, registered, passwords;
	uint64_t last_placed, last_ended;
	char uri[SIP_URI_SIZE];
	bool answers; /* place: is connected at once, and end ends it */
	unsigned heard;
	struct sip_call_facts last;
} loop;

static uint64_t on_new_id(void *arg)
{
	CU_ASSERT_PTR_EQUAL(arg, &loop);
	return atomic_fetch_add(&loop.last_id, 1) + 1;
}

static void on_wake(void *arg)
{
	CU_ASSERT_PTR_EQUAL(arg, &loop);
	atomic_fetch_add(&loop.wakes, 1);
}

static struct sip_call_facts facts_of(uint64_t id, enum sip_call_state state)
{
	struct sip_call_facts f = { .id = id, .state = state };

	if (state == SIP_CALL_DISCONNECTED)
		f.end = SIP_END_REMOTE_TEARDOWN;
	return f;
}

static void tell(uint64_t id, enum sip_call_state state)
{
	struct sip_call_facts f = facts_of(id, state);

	sip_control_changed(control, &f);
}

static void on_place(void *arg, uint64_t id, const struct sip_dialled *to)
{
	CU_ASSERT_PTR_EQUAL(arg, &loop);
	loop.placed++;
	loop.last_placed = id;
	memcpy(loop.uri, to->uri, sizeof(loop.uri));
	if (loop.answers)
		tell(id, SIP_CALL_CONNECTED);
}

static void on_end(void *arg, uint64_t id)
{
	CU_ASSERT_PTR_EQUAL(arg, &loop);
	loop.ended++;
	loop.last_ended = id;
	if (loop.answers)
		tell(id, SIP_CALL_DISCONNECTED);
}

static void on_register_now(void *arg)
{
	CU_ASSERT_PTR_EQUAL(arg, &loop);
	loop.registered++;
}

static void on_password(void *arg)
{
	CU_ASSERT_PTR_EQUAL(arg, &loop);
	loop.passwords++;
}

static const struct sip_control_ops ops = {
	on_new_id,       on_wake,     on_place, on_end,
	on_register_now, on_password, &loop
};

static void on_changed(void *arg, const struct sip_call_facts *f)
{
	CU_ASSERT_PTR_EQUAL(arg, &loop);
	loop.heard++;
	loop.last = *f;
}

static void begin(void)
{
	const struct sip_control_options o = { .settings = settings };
	struct error e = ERROR_INIT;

	memset(&loop, 0, sizeof(loop));
	control = sip_control_new(&o, &e);
	CHECK_OBJECT(control, &e);
	CHECK_OK(sip_control_follow(control, on_changed, &loop, &e), &e);
	sip_control_attach(control, &ops);
}

static uint64_t place(const char *address)
{
	const struct sip_place p = { .address = address };
	struct error e = ERROR_INIT;
	uint64_t id = 0;

	CHECK_OK(sip_control_place(control, &p, &id, &e), &e);
	CU_ASSERT_NOT_EQUAL(id, 0);
	return id;
}

static enum sip_call_state state_of(uint64_t id)
{
	struct sip_call_facts f;

	CU_ASSERT_TRUE_FATAL(sip_control_call(control, id, &f));
	CU_ASSERT_EQUAL(f.id, id);
	return f.state;
}

static void test_one_call(void)
{
	struct error e = ERROR_INIT;
	struct sip_call_facts f[2];
	uint64_t id;

	begin();
	id = place("peer@192.0.2.1");
	CU_ASSERT_EQUAL(loop.wakes, 1);
	CU_ASSERT_EQUAL(loop.placed, 0); /* by the loop, not by us */
	CU_ASSERT_EQUAL(state_of(id), SIP_CALL_ALERTING);
	CU_ASSERT_EQUAL(sip_control_calls(control, f, 2), 1);
	CU_ASSERT_STRING_EQUAL(f[0].peer, "sip:peer@192.0.2.1");
	CU_ASSERT_FALSE(f[0].incoming);
	CU_ASSERT_NOT_EQUAL(f[0].started, 0);
	sip_control_run(control);
	sip_control_run(control);
	CU_ASSERT_EQUAL(loop.placed, 1);
	CU_ASSERT_EQUAL(loop.last_placed, id);
	CU_ASSERT_STRING_EQUAL(loop.uri, "sip:peer@192.0.2.1");
	tell(id, SIP_CALL_CONNECTED);
	CU_ASSERT_EQUAL(state_of(id), SIP_CALL_CONNECTED);
	CU_ASSERT_EQUAL(loop.heard, 1);
	f[0] = facts_of(id, SIP_CALL_CONNECTED);
	f[0].packets_in = 17;
	sip_control_counted(control, &f[0]);
	CU_ASSERT_EQUAL(loop.heard, 1);
	CU_ASSERT_TRUE(sip_control_call(control, id, &f[1]));
	CU_ASSERT_EQUAL(f[1].packets_in, 17);
	CHECK_OK(sip_control_end(control, id, &e), &e);
	CHECK_OK(sip_control_end(control, id, &e), &e);
	sip_control_run(control);
	CU_ASSERT_EQUAL(loop.ended, 1);
	CU_ASSERT_EQUAL(loop.last_ended, id);
	tell(id, SIP_CALL_DISCONNECTED);
	CU_ASSERT_EQUAL(loop.last.end, SIP_END_REMOTE_TEARDOWN);
	CU_ASSERT_EQUAL(sip_control_calls(control, f, 2), 0);
	CU_ASSERT_EQUAL(state_of(id), SIP_CALL_DISCONNECTED);
	CHECK_FAILS(sip_control_end(control, id, &e), &e, ERR_NOT_FOUND,
		    "no such call");
	/* What comes too late changes nothing. */
	sip_control_counted(control, &f[0]);
	CU_ASSERT_EQUAL(state_of(id), SIP_CALL_DISCONNECTED);
	sip_control_free(control);
}

static void test_refusals(void)
{
	static const struct {
		struct sip_place place;
		enum error_kind kind;
	} rows[] = {
		{ { .address = "" }, ERR_INPUT },
		{ { .address = "a b@host" }, ERR_INPUT },
		{ { .address = "+49 30 1234" }, ERR_INPUT },
		{ { .address = "sips:host",
		    .has_transport = true,
		    .transport = SIP_UDP },
		  ERR_INPUT },
	};
	struct sip_call_facts f;
	struct error e = ERROR_INIT;
	uint64_t id;

	begin();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK_FAILS(sip_control_place(control, &rows[i].place, &id, &e),
			    &e, rows[i].kind, "");
	CU_ASSERT_EQUAL(loop.wakes, 0);
	CHECK_FAILS(sip_control_end(control, 0, &e), &e, ERR_NOT_FOUND, "");
	CHECK_FAILS(sip_control_end(control, 12, &e), &e, ERR_NOT_FOUND, "");
	CU_ASSERT_FALSE(sip_control_call(control, 12, &f));
	for (int i = 1; i < SIP_FOLLOWERS_MAX; i++)
		CHECK_OK(sip_control_follow(control, on_changed, &loop, &e),
			 &e);
	CHECK_FAILS(sip_control_follow(control, on_changed, &loop, &e), &e,
		    ERR_LIMIT, "");
	sip_control_free(control);
	sip_control_free(NULL);
}

/* By the settings, or directly whatever they say. */
static void test_by_registrar(void)
{
	struct sip_place p = { .address = "1234" };
	struct error e = ERROR_INIT;
	uint64_t id;

	begin();
	CHECK_OK(settings_set(settings, SETTING_SIP_OUTBOUND_ADDRESS,
			      "trunk.example", &e),
		 &e);
	CHECK_OK(settings_set(settings, SETTING_SIP_OUTBOUND, "useTrunk", &e),
		 &e);
	p.use_registrar = true;
	CHECK_OK(sip_control_place(control, &p, &id, &e), &e);
	sip_control_run(control);
	CU_ASSERT_STRING_EQUAL(loop.uri, "sip:1234@trunk.example");
	p.use_registrar = false;
	CHECK_FAILS(sip_control_place(control, &p, &id, &e), &e, ERR_INPUT, "");
	CHECK_OK(settings_set(settings, SETTING_SIP_OUTBOUND, "callDirect", &e),
		 &e);
	sip_control_free(control);
}

static void test_limits(void)
{
	const struct sip_place p = { .address = "peer@192.0.2.1" };
	static uint64_t ids[SIP_CALLS_MAX];
	struct error e = ERROR_INIT;
	struct sip_call_facts f[3];
	uint64_t id;

	begin();
	for (int i = 0; i < SIP_CALLS_MAX; i++)
		ids[i] = place("peer@192.0.2.1");
	CHECK_FAILS(sip_control_place(control, &p, &id, &e), &e, ERR_LIMIT,
		    "1024");
	sip_control_run(control);
	CU_ASSERT_EQUAL(loop.placed, SIP_CALLS_MAX);
	CU_ASSERT_EQUAL(sip_control_calls(control, f, 3), SIP_CALLS_MAX);
	CU_ASSERT_EQUAL(f[2].id, ids[2]);
	for (int i = 0; i < SIP_CALLS_MAX; i++)
		tell(ids[i], SIP_CALL_DISCONNECTED);
	/* The oldest of those that ended are forgotten. */
	for (int i = 0; i < SIP_CALLS_MAX; i++)
		CU_ASSERT_EQUAL(sip_control_call(control, ids[i], &f[0]),
				i >= SIP_CALLS_MAX - SIP_ENDED_KEPT);
	place("peer@192.0.2.1");
	sip_control_free(control);
}

/* Calls that come are known by what is told of them. */
static void test_incoming(void)
{
	struct sip_call_facts f[3];

	begin();
	tell(77, SIP_CALL_ALERTING);
	tell(78, SIP_CALL_CONNECTED);
	tell(79, SIP_CALL_DISCONNECTED); /* refused at once */
	CU_ASSERT_EQUAL(sip_control_calls(control, f, 3), 2);
	CU_ASSERT_EQUAL(f[0].id, 77);
	CU_ASSERT_EQUAL(state_of(79), SIP_CALL_DISCONNECTED);
	CU_ASSERT_EQUAL(loop.heard, 3);
	sip_control_free(control);
}

static void test_nobody_there(void)
{
	const struct sip_control_ops no_calls = { .new_id = on_new_id,
						  .wake = on_wake,
						  .arg = &loop };
	const struct sip_place p = { .address = "peer@192.0.2.1" };
	struct error e = ERROR_INIT;
	uint64_t id, ended;

	begin();
	sip_control_attach(control, &no_calls);
	id = place("peer@192.0.2.1");
	sip_control_run(control);
	CU_ASSERT_EQUAL(loop.last.id, id);
	CU_ASSERT_EQUAL(loop.last.end, SIP_END_SERVICE_UNAVAILABLE);
	CU_ASSERT_EQUAL(state_of(id), SIP_CALL_DISCONNECTED);
	sip_control_attach(control, &ops);
	/* Hung up before the loop has seen it. */
	id = place("peer@192.0.2.1");
	CHECK_OK(sip_control_end(control, id, &e), &e);
	ended = loop.heard;
	sip_control_run(control);
	CU_ASSERT_EQUAL(loop.heard, ended + 1);
	CU_ASSERT_EQUAL(loop.last.end, SIP_END_DISCONNECT_ALL);
	CU_ASSERT_EQUAL(loop.placed + loop.ended, 0);
	/* Wanted when the service stops. */
	id = place("peer@192.0.2.1");
	sip_control_attach(control, NULL);
	CU_ASSERT_EQUAL(loop.last.id, id);
	CU_ASSERT_EQUAL(loop.last.state, SIP_CALL_DISCONNECTED);
	CHECK_FAILS(sip_control_place(control, &p, &id, &e), &e, ERR_CANCELLED,
		    "");
	sip_control_register_now(control);
	sip_control_password_changed(control);
	sip_control_run(control);
	CU_ASSERT_EQUAL(loop.registered + loop.passwords, 0);
	sip_control_free(control);
}

static void test_registration(void)
{
	struct sip_registration_facts f = { .state = SIP_REGISTERED,
					    .expires = 123,
					    .registered_as = "sip:a@b" },
				      found;

	begin();
	sip_control_registration(control, &found);
	CU_ASSERT_EQUAL(found.state, SIP_REGISTRATION_OFF);
	sip_control_registered(control, &f);
	sip_control_registration(control, &found);
	CU_ASSERT_EQUAL(found.state, SIP_REGISTERED);
	CU_ASSERT_EQUAL(found.expires, 123);
	CU_ASSERT_STRING_EQUAL(found.registered_as, "sip:a@b");
	sip_control_register_now(control);
	sip_control_register_now(control);
	sip_control_run(control);
	sip_control_run(control);
	CU_ASSERT_EQUAL(loop.registered, 1);
	CU_ASSERT_EQUAL(loop.passwords, 0);
	sip_control_password_changed(control);
	sip_control_password_changed(control);
	sip_control_run(control);
	sip_control_run(control);
	CU_ASSERT_EQUAL(loop.registered, 1);
	CU_ASSERT_EQUAL(loop.passwords, 1);
	sip_control_free(control);
}

/* --- many threads */

static void *busy(void *arg)
{
	const struct sip_place p = { .address = "peer@192.0.2.1" };
	struct error e = ERROR_INIT;
	struct sip_call_facts f[8];
	struct sip_registration_facts r;
	size_t *failed = arg;
	uint64_t id;

	for (int i = 0; i < CALLS; i++) {
		if (sip_control_place(control, &p, &id, &e) < 0 ||
		    !sip_control_call(control, id, f) ||
		    sip_control_end(control, id, &e) < 0)
			++*failed;
		sip_control_calls(control, f, 8);
		sip_control_registration(control, &r);
		sip_control_register_now(control);
	}
	return NULL;
}

static void test_threads(void)
{
	const struct sip_registration_facts r = { .state = SIP_REGISTERING };
	pthread_t threads[THREADS];
	size_t failed[THREADS] = { 0 };
	struct sip_call_facts f;

	begin();
	loop.answers = true;
	for (int i = 0; i < THREADS; i++)
		CU_ASSERT_EQUAL_FATAL(
		    pthread_create(&threads[i], NULL, busy, &failed[i]), 0);
	/* The loop meanwhile, until all is done that was wanted. */
	do {
		sip_control_run(control);
		sip_control_registered(control, &r);
	} while (atomic_load(&loop.last_id) < THREADS * CALLS);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	sip_control_run(control);
	for (int i = 0; i < THREADS; i++)
		CU_ASSERT_EQUAL(failed[i], 0);
	CU_ASSERT_EQUAL(sip_control_calls(control, &f, 1), 0);
	CU_ASSERT(loop.heard >= THREADS * CALLS);
	sip_control_free(control);
}

/* --- */

static int set_up(void)
{
	struct error e = ERROR_INIT;

	config = config_load("/dev/null", NULL, 0, &e);
	store = config ? store_open(unit_temp_dir(), &e) : NULL;
	settings = store ? settings_new(config, store, &e) : NULL;
	return settings ? 0 : -1;
}

static int tear_down(void)
{
	settings_free(settings);
	store_close(store);
	config_free(config);
	return 0;
}

static const struct unit_test tests[] = {
	{ "one call", test_one_call },
	{ "refusals", test_refusals },
	{ "by trunk or directly", test_by_registrar },
	{ "limits", test_limits },
	{ "calls that come", test_incoming },
	{ "nobody is there", test_nobody_there },
	{ "the registration", test_registration },
	{ "many threads", test_threads },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "sip-control", tests, set_up, tear_down);
}
