/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/setting_rules.h"
#include "config/trial.h"
#include "tests/lib/unit.h"
#include "tests/unit/tamper.h"

/* Settings that change together, the rules between them, and trials. */

static struct {
	char dir[256];
	struct config *config;
	struct store *store;
	struct settings *s;
} t;

static struct error e;

static void open_settings(void)
{
	t.store = store_open(t.dir, &e);
	CHECK_OBJECT(t.store, &e);
	t.s = settings_new(t.config, t.store, &e);
	CHECK_OBJECT(t.s, &e);
}

static void close_settings(void)
{
	settings_free(t.s);
	store_close(t.store);
}

static void begin(void)
{
	snprintf(t.dir, sizeof(t.dir), "%s", unit_temp_dir());
	t.config = config_load("/dev/null", NULL, 0, &e);
	CHECK_OBJECT(t.config, &e);
	open_settings();
}

static void end(void)
{
	close_settings();
	config_free(t.config);
	clock_set_offset(0);
}

static void again(void)
{
	close_settings();
	open_settings();
}

static void check_text(enum setting_id id, const char *want)
{
	char *text = settings_text(t.s, id);

	CU_ASSERT_STRING_EQUAL(text, want);
	free(text);
}

static int change2(enum setting_id a, const char *av, enum setting_id b,
		   const char *bv)
{
	const struct setting_change c[] = { { a, av }, { b, bv } };

	return settings_change(t.s, c, 2, &e);
}

static uint64_t told;
static unsigned told_count;

static void listen(uint64_t changed, void *arg)
{
	(void)arg;
	told |= changed;
	told_count++;
}

/* --- changes --- */

static void test_change(void)
{
	begin();
	told = told_count = 0;
	settings_on_change(t.s, listen, NULL);
	settings_on_change(t.s, listen, NULL);
	CHECK_OK(change2(SETTING_HTTPS_PORT, "8443", SETTING_HTTP_PORT, "80"),
		 &e);
	CU_ASSERT_EQUAL(told, setting_bit(SETTING_HTTPS_PORT));
	CU_ASSERT_EQUAL(told_count, 2);
	CHECK_OK(settings_set(t.s, SETTING_HTTPS_PORT, "8443", &e), &e);
	CU_ASSERT_EQUAL(told_count, 2);
	again();
	CU_ASSERT_EQUAL(settings_int(t.s, SETTING_HTTPS_PORT), 8443);
	CU_ASSERT_STRING_EQUAL(settings_default(t.s, SETTING_HTTPS_PORT),
			       "443");
	end();
}

static void test_all_or_nothing(void)
{
	const struct setting_change many[SETTING_COUNT + 1] = {
		{ SETTING_HTTP_PORT, "1" }
	};

	begin();
	told = told_count = 0;
	settings_on_change(t.s, listen, NULL);
	CHECK_FAILS(change2(SETTING_HTTPS_PORT, "8443",
			    SETTING_CLIENT_CERTIFICATE, "verfy"),
		    &e, ERR_INPUT,
		    "none of: notRequired verify allowed required");
	CHECK_FAILS(
	    change2(SETTING_HTTPS_PORT, "8443", SETTING_HTTPS_PORT, "8444"), &e,
	    ERR_INPUT, "services.https.port stands there twice");
	CHECK_FAILS(settings_change(t.s, many, SETTING_COUNT + 1, &e), &e,
		    ERR_INPUT, "more settings");
	/* The second of two rows cannot be written. */
	tamper(t.dir, "CREATE TRIGGER full BEFORE INSERT ON setting WHEN "
		      "NEW.name = 'services.http.port' BEGIN SELECT "
		      "RAISE(FAIL, 'disk full'); END");
	CHECK_FAILS(
	    change2(SETTING_HTTPS_PORT, "8443", SETTING_HTTP_PORT, "8080"), &e,
	    ERR_IO, NULL);
	CU_ASSERT_EQUAL(settings_int(t.s, SETTING_HTTPS_PORT), 443);
	again();
	CU_ASSERT_EQUAL(settings_int(t.s, SETTING_HTTPS_PORT), 443);
	CU_ASSERT_EQUAL(told_count, 0);
	end();
}

struct asked {
	unsigned count;
	bool refuse;
	int64_t last_port;
};

static int ask(const struct setting_numbers *n, uint64_t changed, void *arg,
	       struct error *err)
{
	struct asked *a = arg;

	(void)changed;
	a->count++;
	a->last_port = n->of[SETTING_HTTPS_PORT];
	return a->refuse ? error_set(err, ERR_PORT_CONFLICT, "port is taken")
			 : 0;
}

/* Asked before, and asked again with the old when storing fails. */
static void test_before(void)
{
	struct asked a = { .refuse = true };

	begin();
	settings_before_change(t.s, ask, &a);
	CHECK_FAILS(settings_set(t.s, SETTING_HTTPS_PORT, "8443", &e), &e,
		    ERR_PORT_CONFLICT, "port is taken");
	CU_ASSERT_EQUAL(settings_int(t.s, SETTING_HTTPS_PORT), 443);
	CU_ASSERT_EQUAL(a.last_port, 8443);
	a = (struct asked){ .refuse = false };
	tamper(t.dir, "ALTER TABLE setting RENAME TO gone");
	CHECK_FAILS(settings_set(t.s, SETTING_HTTPS_PORT, "8443", &e), &e,
		    ERR_IO, NULL);
	CU_ASSERT_EQUAL(a.count, 2);
	CU_ASSERT_EQUAL(a.last_port, 443);
	end();
}

static void test_rules(void)
{
	static const struct {
		enum setting_id id;
		const char *value;
		enum error_kind kind;
		const char *words;
	} rows[] = {
		{ SETTING_HTTP_PORT, "443", ERR_PORT_CONFLICT,
		  "HTTP and HTTPS would both use tcp port 443" },
		{ SETTING_SIPS_TCP_PORT, "80", ERR_PORT_CONFLICT,
		  "HTTP and SIP (TLS)" },
		{ SETTING_SIP_TCP_PORT, "443", 0, NULL }, /* is off */
		{ SETTING_SIP_TCP_ENABLED, "yes", ERR_PORT_CONFLICT,
		  "HTTPS and SIP (TCP)" },
		{ SETTING_SIP_UDP_PORT, "443", 0, NULL },
		{ SETTING_SIP_UDP_ENABLED, "yes", 0, NULL }, /* UDP */
		{ SETTING_REDIRECT_HTTP, "yes", 0, NULL },
		{ SETTING_HTTPS_ENABLED, "no", ERR_CONFLICT,
		  "switch it off first" },
		{ SETTING_HTTP_ENABLED, "no", ERR_CONFLICT,
		  "needs the services HTTP and HTTPS" },
		{ SETTING_REDIRECT_HTTP, "no", 0, NULL },
		{ SETTING_HTTP_ENABLED, "no", 0, NULL },
		{ SETTING_REDIRECT_HTTP, "yes", ERR_CONFLICT,
		  "switch both on first" },
		{ SETTING_HTTP_PORT, "443", 0, NULL }, /* is off */
		{ SETTING_HTTP_ENABLED, "yes", ERR_PORT_CONFLICT, "443" },
	};

	begin();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].kind)
			CHECK_FAILS(
			    settings_set(t.s, rows[i].id, rows[i].value, &e),
			    &e, rows[i].kind, rows[i].words);
		else
			CHECK_OK(
			    settings_set(t.s, rows[i].id, rows[i].value, &e),
			    &e);
	/* A swap is one change. */
	CHECK_OK(
	    change2(SETTING_HTTP_PORT, "8080", SETTING_HTTP_ENABLED, "yes"),
	    &e);
	CHECK_OK(change2(SETTING_HTTP_PORT, "443", SETTING_HTTPS_PORT, "8080"),
		 &e);
	end();
}

/* --- trials: decisions --- */

static void test_decisions(void)
{
	static const struct {
		const char *boot;
		int64_t wall, ms, left;
	} rows[] = {
		/* began at wall 1000, 5000 ms of boot "a", for 60 s */
		{ "a", 1000, 5000, 60000 },
		{ "a", 1000, 64999, 1 },
		{ "a", 1000, 65000, 0 },
		{ "a", 1000, 900000, 0 },
		{ "a", 900000, 5001, 59999 }, /* clock set: does not matter */
		{ "a", 0, 5001, 59999 },
		{ "a", 1000, 4999, 0 },  /* cannot be */
		{ "b", 1000, 0, 60000 }, /* the machine started again */
		{ "b", 1059, 0, 1000 },
		{ "b", 1060, 5000, 0 },
		{ "b", 999, 5000, 0 }, /* the clock went back: no more time */
		{ "b", 0, 5000, 0 },
		{ "b", 900000, 5000, 0 },
		{ "", 1001, 5000, 59000 },
	};
	struct trial tr = { .row = { .boot = "a",
				     .started_at = 1000,
				     .started_ms = 5000,
				     .seconds = 60 },
			    .in_force_ms = 5010 };
	struct trial_clock now = { .wall = 1000 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		now.wall = rows[i].wall;
		now.monotonic_ms = rows[i].ms;
		strcpy(now.boot, rows[i].boot);
		CU_ASSERT_EQUAL(trial_ms_left(&tr.row, &now), rows[i].left);
	}
	strcpy(now.boot, "a");
	CU_ASSERT_FALSE(trial_may_confirm(&tr, &now, 0));
	CU_ASSERT_FALSE(trial_may_confirm(&tr, &now, 5000));
	CU_ASSERT_FALSE(trial_may_confirm(&tr, &now, 5010));
	CU_ASSERT_TRUE(trial_may_confirm(&tr, &now, 5011));
	strcpy(now.boot, "b");
	CU_ASSERT_TRUE(trial_may_confirm(&tr, &now, 0));
	/* Without a name for the boot, no two are the same. */
	tr.row.boot[0] = now.boot[0] = '\0';
	now.wall = 1001;
	CU_ASSERT_TRUE(trial_may_confirm(&tr, &now, 0));
	CU_ASSERT_EQUAL(trial_ms_left(&tr.row, &now), 59000);
}

/* --- trials: with the settings --- */

static int try_one(enum setting_id id, const char *value, int64_t seconds,
		   char *trial_id)
{
	const struct trial_request rq = { "admin", "192.0.2.1", seconds };
	const struct setting_change c = { id, value };
	char ignored[TRIAL_ID_SIZE];

	return settings_try(t.s, &c, 1, &rq, trial_id ? trial_id : ignored, &e);
}

/* As if it had begun so many seconds earlier. */
static void age(const char *id, int seconds)
{
	char sql[200];

	close_settings();
	snprintf(sql, sizeof(sql),
		 "UPDATE trial SET started_ms = started_ms - %d, "
		 "started_at = started_at - %d WHERE id = '%s'",
		 seconds * 1000, seconds, id);
	tamper(t.dir, sql);
	open_settings();
}

static void test_trial_reverts(void)
{
	char id[TRIAL_ID_SIZE];
	struct trial out;

	begin();
	told = told_count = 0;
	settings_on_change(t.s, listen, NULL);
	CHECK_OK(try_one(SETTING_CLIENT_CERTIFICATE, "required", 60, id), &e);
	check_text(SETTING_CLIENT_CERTIFICATE, "required");
	CU_ASSERT_EQUAL(told, setting_bit(SETTING_CLIENT_CERTIFICATE));
	CU_ASSERT_TRUE(settings_has_trials(t.s));
	CU_ASSERT_EQUAL(settings_revert_due(t.s, &out, &e), 0);
	again(); /* a restart before its time: it goes on counting */
	check_text(SETTING_CLIENT_CERTIFICATE, "required");
	CU_ASSERT_EQUAL(settings_revert_due(t.s, &out, &e), 0);
	age(id, 60);
	CU_ASSERT_EQUAL_FATAL(settings_revert_due(t.s, &out, &e), 1);
	CU_ASSERT_STRING_EQUAL(out.row.id, id);
	CU_ASSERT_STRING_EQUAL(out.row.user_name, "admin");
	CU_ASSERT_EQUAL(out.count, 1);
	CU_ASSERT_STRING_EQUAL(out.values[0].from, "notRequired");
	CU_ASSERT_STRING_EQUAL(out.values[0].to, "required");
	trial_clear(&out);
	check_text(SETTING_CLIENT_CERTIFICATE, "notRequired");
	CU_ASSERT_EQUAL(settings_revert_due(t.s, &out, &e), 0);
	CU_ASSERT_FALSE(settings_has_trials(t.s));
	again();
	check_text(SETTING_CLIENT_CERTIFICATE, "notRequired");
	CHECK_FAILS(settings_revert(t.s, id, &out, &e), &e, ERR_NO_CHANGE,
		    "no change of that name");
	end();
}

static void test_trial_confirmed(void)
{
	char id[TRIAL_ID_SIZE];
	struct trial out;

	begin();
	CHECK_OK(try_one(SETTING_HTTPS_PORT, "8443", 60, id), &e);
	CHECK_FAILS(settings_confirm(t.s, "", 0, &out, &e), &e, ERR_NO_CHANGE,
		    NULL);
	CHECK_FAILS(settings_confirm(t.s, "0123456789abcdef", 0, &out, &e), &e,
		    ERR_NO_CHANGE, NULL);
	CHECK_FAILS(settings_confirm(t.s, id, 1, &out, &e), &e, ERR_CONFLICT,
		    "opened before the change");
	CHECK_OK(settings_confirm(t.s, id, clock_monotonic_ms() + 1, &out, &e),
		 &e);
	trial_clear(&out);
	CHECK_FAILS(
	    settings_confirm(t.s, id, clock_monotonic_ms() + 1, &out, &e), &e,
	    ERR_NO_CHANGE, NULL);
	again();
	CU_ASSERT_FALSE(settings_has_trials(t.s));
	CU_ASSERT_EQUAL(settings_int(t.s, SETTING_HTTPS_PORT), 8443);
	end();
}

static void test_trial_refusals(void)
{
	char id[TRIAL_ID_SIZE];
	struct trial out;

	begin();
	CHECK_FAILS(try_one(SETTING_HTTPS_PORT, "8443", 9, NULL), &e, ERR_INPUT,
		    "not from 10 to 3600");
	CHECK_FAILS(try_one(SETTING_HTTPS_PORT, "8443", 3601, NULL), &e,
		    ERR_INPUT, "not from 10 to 3600");
	CHECK_FAILS(try_one(SETTING_HTTPS_PORT, "443", 10, NULL), &e, ERR_INPUT,
		    "nothing would change");
	CHECK_FAILS(try_one(SETTING_HTTPS_PORT, "80", 10, NULL), &e,
		    ERR_PORT_CONFLICT, NULL);
	CHECK_OK(try_one(SETTING_HTTPS_PORT, "8443", 10, id), &e);
	/* What is on trial stays as it is, other things change. */
	CHECK_FAILS(try_one(SETTING_HTTPS_PORT, "9443", 10, NULL), &e,
		    ERR_CONFLICT, id);
	CHECK_FAILS(settings_set(t.s, SETTING_HTTPS_PORT, "443", &e), &e,
		    ERR_CONFLICT, "on trial");
	CHECK_OK(settings_set(t.s, SETTING_HTTPS_PORT, "8443", &e), &e);
	/* 443 is where HTTPS goes back to. */
	CHECK_FAILS(settings_set(t.s, SETTING_HTTP_PORT, "443", &e), &e,
		    ERR_PORT_CONFLICT, "once the change on trial reverts");
	CHECK_OK(settings_set(t.s, SETTING_HTTP_PORT, "8080", &e), &e);
	CHECK_OK(settings_revert(t.s, id, &out, &e), &e);
	trial_clear(&out);
	CU_ASSERT_EQUAL(settings_int(t.s, SETTING_HTTPS_PORT), 443);
	CU_ASSERT_EQUAL(settings_int(t.s, SETTING_HTTP_PORT), 8080);
	end();
}

/* Neither refusal nor a full disk keeps the former values away. */
static void test_revert_is_forced(void)
{
	struct asked a = { .refuse = false };
	char id[TRIAL_ID_SIZE];
	struct trial out;

	begin();
	settings_before_change(t.s, ask, &a);
	CHECK_OK(try_one(SETTING_HTTPS_PORT, "8443", 10, id), &e);
	a.refuse = true;
	tamper(t.dir, "ALTER TABLE trial RENAME TO gone");
	CHECK_FAILS(settings_revert(t.s, id, &out, &e), &e, ERR_IO, NULL);
	CU_ASSERT_EQUAL(settings_int(t.s, SETTING_HTTPS_PORT), 443);
	CU_ASSERT_TRUE(settings_has_trials(t.s));
	tamper(t.dir, "ALTER TABLE gone RENAME TO trial");
	CHECK_OK(settings_revert(t.s, id, &out, &e), &e);
	trial_clear(&out);
	again();
	CU_ASSERT_EQUAL(settings_int(t.s, SETTING_HTTPS_PORT), 443);
	CU_ASSERT_FALSE(settings_has_trials(t.s));
	end();
}

/* A trial that cannot be stored does not begin. */
static void test_trial_needs_store(void)
{
	begin();
	tamper(t.dir, "ALTER TABLE trial_value RENAME TO gone");
	CHECK_FAILS(try_one(SETTING_HTTPS_PORT, "8443", 10, NULL), &e, ERR_IO,
		    NULL);
	CU_ASSERT_EQUAL(settings_int(t.s, SETTING_HTTPS_PORT), 443);
	CU_ASSERT_FALSE(settings_has_trials(t.s));
	tamper(t.dir, "ALTER TABLE gone RENAME TO trial_value");
	again();
	CU_ASSERT_EQUAL(settings_int(t.s, SETTING_HTTPS_PORT), 443);
	end();
}

static void test_trial_limit(void)
{
	static const enum setting_id ids[] = {
		SETTING_HTTP_PORT,     SETTING_HTTPS_PORT,
		SETTING_SIP_TCP_PORT,  SETTING_SIP_UDP_PORT,
		SETTING_SIPS_TCP_PORT,
	};
	char value[16];

	begin();
	for (size_t i = 0; i < 5; i++) {
		snprintf(value, sizeof(value), "%zu", 9000 + i);
		CHECK_OK(try_one(ids[i], value, 3600, NULL), &e);
	}
	CHECK_OK(try_one(SETTING_HTTP_ENABLED, "no", 10, NULL), &e);
	CHECK_OK(try_one(SETTING_SIP_TCP_ENABLED, "yes", 10, NULL), &e);
	CHECK_OK(try_one(SETTING_SIP_UDP_ENABLED, "yes", 10, NULL), &e);
	CHECK_OK(try_one(SETTING_SIPS_TCP_ENABLED, "no", 10, NULL), &e);
	CHECK_OK(try_one(SETTING_CLIENT_CERTIFICATE, "verify", 10, NULL), &e);
	CHECK_OK(try_one(SETTING_SERVER_CERTIFICATE, "verify", 10, NULL), &e);
	CHECK_OK(try_one(SETTING_SIP_VERIFICATION, "outgoing", 10, NULL), &e);
	CHECK_OK(try_one(SETTING_ADVANCED_ACCOUNTS, "yes", 10, NULL), &e);
	CHECK_OK(try_one(SETTING_WEB_SESSION_TIMEOUT_MINUTES, "9", 10, NULL),
		 &e);
	CHECK_OK(try_one(SETTING_CONSOLE_REQUIRE_LOGIN, "yes", 10, NULL), &e);
	CHECK_OK(try_one(SETTING_CONSOLE_TIMEOUT_MINUTES, "9", 10, NULL), &e);
	CHECK_FAILS(try_one(SETTING_TLS_MINIMUM_VERSION, "1.3", 10, NULL), &e,
		    ERR_LIMIT, "16 changes are on trial");
	end();
}

static void test_rescue(void)
{
	static const struct setting_change back[] = {
		{ SETTING_CLIENT_CERTIFICATE, "notRequired" },
		{ SETTING_HTTP_ENABLED, "yes" },
		{ SETTING_HTTPS_ENABLED, "yes" },
		{ SETTING_REDIRECT_HTTP, "no" },
	};
	size_t reverted;

	begin();
	CHECK_OK(settings_set(t.s, SETTING_CLIENT_CERTIFICATE, "required", &e),
		 &e);
	CHECK_OK(try_one(SETTING_HTTPS_PORT, "8443", 60, NULL), &e);
	CHECK_OK(try_one(SETTING_HTTP_ENABLED, "no", 60, NULL), &e);
	CHECK_OK(settings_rescue(t.s, back, 4, &reverted, &e), &e);
	CU_ASSERT_EQUAL(reverted, 2);
	again();
	CU_ASSERT_FALSE(settings_has_trials(t.s));
	check_text(SETTING_CLIENT_CERTIFICATE, "notRequired");
	check_text(SETTING_HTTPS_PORT, "443");
	check_text(SETTING_HTTP_ENABLED, "yes");
	CHECK_OK(settings_rescue(t.s, back, 4, &reverted, &e), &e);
	CU_ASSERT_EQUAL(reverted, 0);
	end();
}

/* Rows of another release, or written by somebody else. */
static void test_strange_rows(void)
{
	struct trial out;

	begin();
	tamper(t.dir,
	       "INSERT INTO trial (id, user_name, peer, boot, started_at,"
	       " started_ms, seconds) VALUES ('x', 'u', 'p', 'b', 1, 1, 10);"
	       "INSERT INTO trial_value VALUES ('x', 'of.tomorrow', '1');"
	       "INSERT INTO trial_value VALUES ('x', 'services.https.port',"
	       " '99999');"
	       "INSERT INTO trial_value VALUES ('x', 'services.http.port',"
	       " '81');");
	again();
	CU_ASSERT_EQUAL_FATAL(settings_revert_due(t.s, &out, &e), 1);
	CU_ASSERT_EQUAL(out.count, 1);
	trial_clear(&out);
	CU_ASSERT_EQUAL(settings_int(t.s, SETTING_HTTP_PORT), 81);
	CU_ASSERT_EQUAL(settings_int(t.s, SETTING_HTTPS_PORT), 443);
	end();
}

/* --- threads --- */

enum { ROUNDS = 40 };

static atomic_uint lost;

static void *trying(void *arg)
{
	const struct trial_request rq = { "admin", "192.0.2.1", 60 };
	struct error err = ERROR_INIT;
	char id[TRIAL_ID_SIZE], value[16];
	struct setting_change c = { SETTING_HTTPS_PORT, value };
	struct trial out;

	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		int rc;

		snprintf(value, sizeof(value), "%d", 9000 + i);
		if (settings_try(t.s, &c, 1, &rq, id, &err) < 0)
			continue;
		rc = i % 2 ? settings_revert(t.s, id, &out, &err)
			   : settings_confirm(t.s, id, INT64_MAX, &out, &err);
		if (rc == 0)
			trial_clear(&out);
		else if (err.kind != ERR_NO_CHANGE) /* rescued meanwhile */
			atomic_fetch_add(&lost, 1);
	}
	return NULL;
}

static void *rescuing(void *arg)
{
	const struct setting_change c = { SETTING_HTTP_ENABLED, "yes" };
	struct error err = ERROR_INIT;
	size_t ignored;

	(void)arg;
	for (int i = 0; i < ROUNDS; i++)
		if (settings_rescue(t.s, &c, 1, &ignored, &err) < 0)
			atomic_fetch_add(&lost, 1);
	return NULL;
}

static int look(void *arg, const struct trial *tr,
		const struct trial_clock *now, struct error *err)
{
	unsigned *bad = arg;

	(void)err;
	*bad += tr->count != 1 || trial_ms_left(&tr->row, now) <= 0;
	return 0;
}

static void *looking(void *arg)
{
	struct error err = ERROR_INIT;
	unsigned bad = 0;

	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		free(settings_text(t.s, SETTING_HTTPS_PORT));
		if (settings_has_trials(t.s) &&
		    settings_trial_each(t.s, look, &bad, &err) < 0)
			bad++;
	}
	atomic_fetch_add(&lost, bad);
	return NULL;
}

static void test_threads(void)
{
	static void *(*const work[])(void *) = { trying, trying, rescuing,
						 looking };
	pthread_t threads[4];
	int64_t port;

	begin();
	atomic_store(&lost, 0);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, work[i], NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CU_ASSERT_EQUAL(atomic_load(&lost), 0);
	CU_ASSERT_FALSE(settings_has_trials(t.s));
	port = settings_int(t.s, SETTING_HTTPS_PORT);
	again(); /* what was in force is what was stored */
	CU_ASSERT_EQUAL(settings_int(t.s, SETTING_HTTPS_PORT), port);
	CU_ASSERT_FALSE(settings_has_trials(t.s));
	end();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "several settings at once", test_change },
		{ "all of a change or nothing", test_all_or_nothing },
		{ "asked before", test_before },
		{ "rules between settings", test_rules },
		{ "when a trial is over", test_decisions },
		{ "a trial reverts", test_trial_reverts },
		{ "a trial is confirmed", test_trial_confirmed },
		{ "refused trials", test_trial_refusals },
		{ "a revert cannot be refused", test_revert_is_forced },
		{ "a trial needs the store", test_trial_needs_store },
		{ "the most trials", test_trial_limit },
		{ "rescue", test_rescue },
		{ "strange rows", test_strange_rows },
		{ "threads", test_threads },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "trial", tests, NULL, NULL);
}
