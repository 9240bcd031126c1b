/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/refusal_meter.h"
#include "app/run_mark.h"
#include "app/system_records.h"
#include "tests/lib/unit.h"

/* --- refusals that are written down */

static unsigned admit_often(struct refusal_meter *m, unsigned times, int64_t at)
{
	unsigned admitted = 0;

	for (unsigned i = 0; i < times; i++)
		admitted += refusal_meter_admit(m, at);
	return admitted;
}

static void test_refusal_meter(void)
{
	static const struct step {
		int64_t at;
		unsigned refusals;
		unsigned admitted, settled; /* settled is asked behind them */
	} steps[] = {
		{ 5000, 1, 1, 0 },
		{ 5000, 8, 8, 0 },
		{ 9000, 5, 1, 0 },
		/* Not told before the minute is over. */
		{ 64999, 1, 0, 0 },
		{ 65000, 0, 0, 5 },
		{ 65000, 0, 0, 0 },
		/* A new minute begins with the next one. */
		{ 900000, REFUSALS_PER_MINUTE, REFUSALS_PER_MINUTE, 0 },
		{ 900001, 1000, 0, 0 },
		{ 960000, 0, 0, 1000 },
	};
	struct refusal_meter m = { 0 };

	CU_ASSERT_EQUAL(refusal_meter_settle(&m, 0), 0);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		const struct step *s = &steps[i];

		CU_ASSERT_EQUAL(admit_often(&m, s->refusals, s->at),
				s->admitted);
		CU_ASSERT_EQUAL(refusal_meter_settle(&m, s->at), s->settled);
	}
}

/* --- what a start was */

static void test_run_marks(void)
{
	static const struct {
		struct run_mark mark;
		bool restarted;
		const char *reason, *detail; /* NULL: no line */
	} rows[] = {
		{ { RUN_NONE, "", "" }, false, "Cold boot", "the first start" },
		{ { RUN_ENDED, "2", "b" },
		  false,
		  "Cold boot",
		  "the service was started" },
		{ { RUN_ENDED, "2", "a" },
		  false,
		  "Cold boot",
		  "the machine was started" },
		{ { RUN_BROKE_OFF, "2", "b" },
		  false,
		  "unknown",
		  "the service crashed or was killed" },
		{ { RUN_BROKE_OFF, "2", "a" },
		  false,
		  "unknown",
		  "the machine lost power or was reset while the service ran" },
		{ { RUN_BROKE_OFF, "", "" },
		  false,
		  "unknown",
		  "the run before broke off" },
		{ { RUN_BROKE_OFF, "1", "b" },
		  false,
		  "unknown",
		  "the service crashed or was killed; 1 -> 2" },
		{ { RUN_ENDED, "1", "b" },
		  false,
		  "User requested upgrade",
		  "1 -> 2" },
		{ { RUN_ENDED, "1", "a" },
		  false,
		  "User requested upgrade",
		  "1 -> 2" },
		{ { RUN_ENDED, "1", "b" },
		  true,
		  "User requested upgrade",
		  "1 -> 2" },
		{ { RUN_ENDED, "2", "b" }, true, NULL, NULL },
		{ { RUN_NONE, "", "" }, true, NULL, NULL },
		{ { RUN_BROKE_OFF, "2", "b" }, true, NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char detail[STORE_NAME_MAX + 1];
		const char *reason;
		bool told = run_mark_judge(&rows[i].mark, "2", "b",
					   rows[i].restarted, &reason, detail);

		CU_ASSERT_EQUAL(told, rows[i].reason != NULL);
		if (!told || !rows[i].reason)
			continue;
		CU_ASSERT_STRING_EQUAL(reason, rows[i].reason);
		CU_ASSERT_STRING_EQUAL(detail, rows[i].detail);
	}
}

struct last_line {
	int count;
	char text[2 * STORE_NAME_MAX];
};

static int keep_line(void *arg, time_t at, const char *reason,
		     const char *detail, struct error *e)
{
	struct last_line *l = arg;

	(void)at;
	(void)e;
	l->count++;
	snprintf(l->text, sizeof(l->text), "%s: %s", reason, detail);
	return 0;
}

static void check_start(struct store *s, const char *dir, int count,
			const char *text)
{
	struct last_line l = { 0 };
	struct error e = ERROR_INIT;
	bool unclean;

	CHECK_OK(run_mark_set(dir, false, s, &unclean, &e), &e);
	CU_ASSERT_EQUAL(unclean, !strncmp(text, "unknown", 7));
	CHECK_OK(store_restart_each(s, keep_line, &l, &e), &e);
	CU_ASSERT_EQUAL(l.count, count);
	if (strncmp(l.text, text, strlen(text)) != 0)
		unit_note("%s", l.text);
	CU_ASSERT_EQUAL(strncmp(l.text, text, strlen(text)), 0);
}

/* What somebody has put into the file of the mark. */
static void spoil_mark(const char *dir, const char *text, size_t times)
{
	char path[400];
	FILE *f;

	snprintf(path, sizeof(path), "%s/running", dir);
	f = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	while (times--)
		fputs(text, f);
	fclose(f);
}

static void test_run_mark_files(void)
{
	const char *dir = unit_temp_dir();
	struct error e = ERROR_INIT;
	struct store *s = store_open(dir, &e);

	CHECK_OBJECT(s, &e);
	check_start(s, dir, 1, "Cold boot: the first start");
	check_start(s, dir, 2, "unknown: the service crashed or was killed");
	run_mark_clear(dir);
	check_start(s, dir, 3, "Cold boot: the service was started");
	spoil_mark(dir, "", 1);
	check_start(s, dir, 4, "unknown: the run before broke off");
	spoil_mark(dir, "x\x1b[2J", 5000);
	check_start(s, dir, 5,
		    "unknown: the machine lost power or was reset while the "
		    "service ran; x [2J");
	run_mark_clear(dir);
	run_mark_clear(dir);
	check_start(s, dir, 6, "Cold boot: the service was started");
	store_close(s);
}

/* --- what is recorded without anybody asking */

struct last {
	char text[300];
};

static int note(void *arg, const struct audit_record *r, struct error *e)
{
	struct last *last = arg;

	(void)e;
	snprintf(last->text, sizeof(last->text), "%s|%s|%s|%s|%s|%s",
		 r->severity, r->user_name, r->peer, r->via, r->event,
		 r->detail);
	return 0;
}

static void check_last(struct audit *a, const char *text)
{
	struct error e = ERROR_INIT;
	struct last last = { "" };

	CHECK_OK(audit_each(a, 0, 1000, note, &last, &e), &e);
	CU_ASSERT_STRING_EQUAL(last.text, text);
}

static void test_token_events(void)
{
	static const struct {
		enum token_state state;
		bool was_ready;
		enum audit_event event;
	} rows[] = {
		{ TOKEN_READY, false, AUDIT_TOKEN_READY },
		{ TOKEN_READY, true, AUDIT_TOKEN_READY },
		{ TOKEN_UNAVAILABLE, false, AUDIT_TOKEN_STATE },
		{ TOKEN_UNAVAILABLE, true, AUDIT_TOKEN_LOST },
		{ TOKEN_PIN_REFUSED, false, AUDIT_TOKEN_PIN_REFUSED },
		{ TOKEN_PIN_REFUSED, true, AUDIT_TOKEN_PIN_REFUSED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT_EQUAL(token_event(rows[i].state, rows[i].was_ready),
				rows[i].event);
}

static void test_system_records(void)
{
	const struct session_end ends[] = {
		{ "ann", "192.0.2.1", SESSION_IDLE },
		{ "bob", "::1", SESSION_REPLACED },
	};
	const struct token_id id = { .bytes = { 0xab, 0x01 }, .len = 2 };
	struct token_info token = { .label = "t",
				    .serial = "7",
				    .state = TOKEN_READY };
	struct error e = ERROR_INIT;
	struct store *store = store_open(unit_temp_dir(), &e);
	struct audit *a = audit_new(store, &e);
	bool was_ready = false;

	CHECK_OBJECT(a, &e);
	record_session_end(&ends[0], a);
	check_last(a, "Info|ann|192.0.2.1|session|sessionEnded|"
		      "reason: idle for too long");
	record_session_end(&ends[1], a);
	check_last(a, "Info|bob|::1|session|sessionEnded|"
		      "reason: the user opened too many others");
	record_token(a, &token, &was_ready);
	check_last(a, "Info||||tokenReady|state: ready; label: t; "
		      "serialNumber: 7");
	token.state = TOKEN_UNAVAILABLE;
	strcpy(token.reason, "gone");
	record_token(a, &token, &was_ready);
	check_last(a, "Severe Warning||||tokenLost|state: unavailable; "
		      "label: t; serialNumber: 7; reason: gone");
	record_token(a, &token, &was_ready);
	check_last(a, "Warning||||tokenState|state: unavailable; label: t; "
		      "serialNumber: 7; reason: gone");
	record_own_key(a, &id, KEY_KIND_EC_P256);
	check_last(a, "Info||||keyGenerated|keyId: ab01; keyType: ecP256");
	record_stopped(a, true);
	check_last(a, "Info||||serviceStopped|reason: restart");
	record_stopped(a, false);
	check_last(a, "Info||||serviceStopped|reason: end");
	audit_free(a);
	store_close(store);
}

static const struct unit_test tests[] = {
	{ "refusals that are written down", test_refusal_meter },
	{ "what a start was", test_run_marks },
	{ "marks of runs", test_run_mark_files },
	{ "events of the token", test_token_events },
	{ "records of the system", test_system_records },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "app", tests, NULL, NULL);
}
