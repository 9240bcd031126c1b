/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "audit/audit_record.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "tests/lib/unit.h"
#include "tests/unit/tamper.h"

static const struct audit_actor admin = { "Web", "admin", "192.0.2.1",
					  "session" };

struct trail {
	const char *dir;
	struct store *store;
	struct audit *audit;
};

static void trail_open(struct trail *t)
{
	struct error e = ERROR_INIT;

	t->store = store_open(t->dir, &e);
	CHECK_OBJECT(t->store, &e);
	t->audit = audit_new(t->store, &e);
	CHECK_OBJECT(t->audit, &e);
}

static void trail_close(struct trail *t)
{
	audit_free(t->audit);
	store_close(t->store);
}

static void add(struct trail *t, int count)
{
	struct error e = ERROR_INIT;

	for (int i = 0; i < count; i++)
		CHECK_OK(audit_append(t->audit,
				      AUDIT(SETTING_CHANGED, .setting = "a.b",
					    .to = AUDIT_NUMBER(i)),
				      &admin, &e),
			 &e);
}

static void check_verdict(struct trail *t, uint64_t checked, uint64_t broken)
{
	struct error e = ERROR_INIT;
	struct audit_verdict v;

	CHECK_OK(audit_verify(t->audit, &v, &e), &e);
	if (v.checked != checked || v.first_broken != broken)
		unit_note("checked %llu, broken %llu",
			  (unsigned long long)v.checked,
			  (unsigned long long)v.first_broken);
	CU_ASSERT_EQUAL(v.intact, broken == 0);
	CU_ASSERT_EQUAL(v.checked, checked);
	CU_ASSERT_EQUAL(v.first_broken, broken);
}

/* --- the listener */

struct heard {
	struct audit *audit;
	unsigned count;
	bool found; /* the record could be read */
	char text[512];
};

static int find(void *arg, const struct audit_record *r, struct error *e)
{
	(void)e;
	((struct heard *)arg)->found = !strcmp(r->event, "settingChanged");
	return 0;
}

static void hear(void *arg, const struct audit_record *r)
{
	struct error e = ERROR_INIT;
	struct heard *h = arg;

	h->count++;
	snprintf(h->text, sizeof(h->text), "%llu %s %s %s %s %s %s (%s) %d",
		 (unsigned long long)r->index, r->module, r->severity,
		 r->user_name, r->peer, r->via, r->event, r->fields, r->format);
	CHECK_OK(audit_each(h->audit, r->index, 1, find, h, &e), &e);
}

static void test_listener(void)
{
	struct trail t = { .dir = unit_temp_dir() };
	struct error e = ERROR_INIT;
	struct heard h = { .count = 0 };

	trail_open(&t);
	h.audit = t.audit;
	add(&t, 1);
	CU_ASSERT_EQUAL(audit_add_listener(t.audit, hear, &h), 0);
	add(&t, 1);
	CU_ASSERT_EQUAL(h.count, 1);
	CU_ASSERT_STRING_EQUAL(h.text, "2 Web Info admin 192.0.2.1 session "
				       "settingChanged (setting=a.b\nto=0) 2");
	CU_ASSERT(h.found);
	/* What is not on disk is not told. */
	tamper(t.dir, "DROP TABLE audit");
	CU_ASSERT_EQUAL(audit_append(t.audit,
				     AUDIT(SETTING_CHANGED, .setting = "c"),
				     &admin, &e),
			-1);
	CU_ASSERT_EQUAL(h.count, 1);
	CU_ASSERT_EQUAL(audit_add_listener(t.audit, hear, NULL), 0);
	CU_ASSERT_EQUAL(audit_add_listener(t.audit, hear, &t), -1);
	audit_remove_listener(t.audit, hear, &t);
	audit_remove_listener(t.audit, hear, &h);
	CU_ASSERT_EQUAL(audit_add_listener(t.audit, hear, &h), 0);
	trail_close(&t);
}

static void test_names(void)
{
	CU_ASSERT_STRING_EQUAL(audit_severity_name(AUDIT_SEVERE_WARNING),
			       "Severe Warning");
	CU_ASSERT_STRING_EQUAL(audit_severity_name(AUDIT_STATUS_WARNING),
			       "Status Warning");
	CU_ASSERT_STRING_EQUAL(audit_severity_name((enum audit_severity)99),
			       "");
	CU_ASSERT_STRING_EQUAL(audit_event_name(AUDIT_LOGIN_FAILED),
			       "loginFailed");
	CU_ASSERT_STRING_EQUAL(audit_event_name(AUDIT_EVENT_COUNT), "");
	CU_ASSERT_STRING_EQUAL(audit_event_label(AUDIT_LOGIN),
			       "A user logged in");
	CU_ASSERT_STRING_EQUAL(audit_event_label(AUDIT_EVENT_COUNT), "");
	CU_ASSERT_EQUAL(audit_event_find("loginFailed"), AUDIT_LOGIN_FAILED);
	CU_ASSERT_EQUAL(audit_event_find("LoginFailed"), AUDIT_EVENT_COUNT);
	CU_ASSERT_EQUAL(audit_event_find(""), AUDIT_EVENT_COUNT);
	for (int a = 0; a < AUDIT_EVENT_COUNT; a++)
		for (int b = 0; b < a; b++)
			CU_ASSERT_STRING_NOT_EQUAL(
			    audit_event_name((enum audit_event)a),
			    audit_event_name((enum audit_event)b));
}

struct seen {
	size_t count;
	uint64_t first, last;
	time_t time;
	char user[300], detail[1100], line[200];
};

static int see(void *arg, const struct audit_record *r, struct error *e)
{
	struct seen *s = arg;

	(void)e;
	if (s->count++ == 0)
		s->first = r->index;
	s->last = r->index;
	s->time = r->time;
	snprintf(s->user, sizeof(s->user), "%s", r->user_name);
	snprintf(s->detail, sizeof(s->detail), "%s", r->detail);
	snprintf(s->line, sizeof(s->line), "%s|%s|%s|%s", r->module,
		 r->severity, r->peer, r->event);
	return 0;
}

static void test_records(void)
{
	struct trail t = { .dir = unit_temp_dir() };
	struct error e = ERROR_INIT;
	struct seen s = { 0 };
	time_t before = clock_now();

	trail_open(&t);
	check_verdict(&t, 0, 0);
	CHECK_OK(audit_append(t.audit,
			      AUDIT(LOGIN_FAILED, .refused = AUDIT_NUMBER(7),
				    .reason = "why"),
			      &admin, &e),
		 &e);
	CHECK_OK(audit_each(t.audit, 0, 10, see, &s, &e), &e);
	CU_ASSERT(s.count == 1 && s.first == 1);
	CU_ASSERT(s.time >= before && s.time <= clock_now());
	CU_ASSERT_STRING_EQUAL(s.line, "Web|Warning|192.0.2.1|loginFailed");
	CU_ASSERT_STRING_EQUAL(s.user, "admin");
	CU_ASSERT_STRING_EQUAL(s.detail, "reason: why; refused: 7");
	trail_close(&t);
	trail_open(&t);
	add(&t, 3);
	check_verdict(&t, 4, 0);
	trail_close(&t);
}

static void test_pages(void)
{
	static const struct {
		uint64_t from;
		size_t count, want;
		uint64_t first, last;
	} rows[] = {
		{ 0, 0, 0, 0, 0 },
		{ 0, 3, 3, 1, 3 },
		{ 1, 3, 3, 1, 3 },
		{ 600, 50, 50, 600, 649 },
		{ 1, SIZE_MAX, 1100, 1, 1100 },
		{ 2, 500, 500, 2, 501 },
		{ 2, 501, 501, 2, 502 },
		{ 1100, 9, 1, 1100, 1100 },
		{ 1101, 9, 0, 0, 0 },
		{ UINT64_MAX, 9, 0, 0, 0 },
	};
	struct trail t = { .dir = unit_temp_dir() };
	struct error e = ERROR_INIT;

	trail_open(&t);
	add(&t, 1100);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct seen s = { 0 };

		CHECK_OK(audit_each(t.audit, rows[i].from, rows[i].count, see,
				    &s, &e),
			 &e);
		CU_ASSERT_EQUAL(s.count, rows[i].want);
		CU_ASSERT_EQUAL(s.first, rows[i].first);
		CU_ASSERT_EQUAL(s.last, rows[i].last);
	}
	check_verdict(&t, 1100, 0);
	trail_close(&t);
}

/* Either way and by time, over several pages of the store. */
static void test_selections(void)
{
	static const struct {
		struct audit_selection what; /* times count from the first */
		size_t want;
		uint64_t first, last; /* as handed out */
	} rows[] = {
		{ { .count = 20, .newest_first = true }, 20, 1100, 1081 },
		{ { .count = 5000, .newest_first = true }, 1100, 1100, 1 },
		{ { .count = 500, .to = 1000 }, 500, 1, 500 },
		{ { .from = 10, .to = 900, .count = 999 }, 891, 10, 900 },
		{ { .from = 10, .to = 900, .count = 501, .newest_first = true },
		  501,
		  900,
		  400 },
		{ { .from = 10, .to = 9, .count = 5 }, 0, 0, 0 },
		{ { .since = 1, .count = 5000 }, 100, 1001, 1100 },
		{ { .until = -1, .count = 5000 }, 1000, 1, 1000 },
		{ { .until = -1, .count = 2, .newest_first = true },
		  2,
		  1000,
		  999 },
		{ { .since = 99999, .count = 5000 }, 0, 0, 0 },
		{ { .from = UINT64_MAX, .count = 5 }, 0, 0, 0 },
		{ { .to = UINT64_MAX, .count = 1, .newest_first = true },
		  1,
		  1100,
		  1100 },
	};
	struct trail t = { .dir = unit_temp_dir() };
	struct error e = ERROR_INIT;
	time_t middle;

	trail_open(&t);
	add(&t, 1000);
	middle = clock_now() + 500;
	clock_set_offset(1000);
	add(&t, 100);
	clock_set_offset(0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct audit_selection what = rows[i].what;
		struct seen s = { 0 };

		what.since = what.since ? middle + what.since : 0;
		what.until = what.until ? middle + what.until : 0;
		CHECK_OK(audit_read(t.audit, &what, see, &s, &e), &e);
		unit_note("row %zu", i);
		CU_ASSERT_EQUAL(s.count, rows[i].want);
		CU_ASSERT_EQUAL(s.first, rows[i].first);
		CU_ASSERT_EQUAL(s.last, rows[i].last);
	}
	trail_close(&t);
}

static void test_hostile_texts(void)
{
	struct trail t = { .dir = unit_temp_dir() };
	struct error e = ERROR_INIT;
	struct seen s = { 0 };
	char longer[5000];
	struct audit_actor who = { "API", "a\nb\x1b[2J\xff\xc0\xaf\xe2\x82",
				   "'); DROP TABLE audit; --", "" };

	trail_open(&t);
	CHECK_OK(audit_append(t.audit,
			      AUDIT(LOGIN_FAILED, .reason = "one\r\ntwo"), &who,
			      &e),
		 &e);
	CHECK_OK(audit_each(t.audit, 1, 1, see, &s, &e), &e);
	CU_ASSERT_STRING_EQUAL(s.user, "a b [2J?????");
	CU_ASSERT_STRING_EQUAL(s.detail, "reason: one  two");
	/* Cut between characters: 3 bytes each, 400 = 133 * 3 + 1. */
	for (size_t i = 0; i + 3 < sizeof(longer); i += 3)
		memcpy(longer + i, "\xe2\x82\xac", 4);
	who.user_name = who.module = longer;
	CHECK_OK(audit_append(t.audit, AUDIT(LOGIN_FAILED, .reason = longer),
			      &who, &e),
		 &e);
	CHECK_OK(audit_each(t.audit, 2, 1, see, &s, &e), &e);
	CU_ASSERT_EQUAL(strlen(s.detail), strlen("reason: ") + 399);
	CU_ASSERT(utf8_is_plain(view_str(s.detail)));
	CU_ASSERT_EQUAL(strlen(s.user), 255);
	check_verdict(&t, 2, 0);
	trail_close(&t);
}

static void seal(struct audit_row *row, const uint8_t previous[SHA256_SIZE])
{
	CU_ASSERT(audit_record_hash(row, previous, row->hash));
}

/* The chain of a trail whose front was cut off begins at its anchor. */
static void test_pruned(void)
{
	struct trail t = { .dir = unit_temp_dir() };
	struct error e = ERROR_INIT;
	struct audit_row row = { .module = "Web",
				 .severity = "Info",
				 .user_name = "",
				 .peer = "",
				 .event = "login",
				 .via = "",
				 .format = AUDIT_FORMAT_TEXT,
				 .detail = "" };
	struct audit_row *const one[] = { &row };

	trail_open(&t);
	add(&t, 5);
	for (int i = 0; i < 20; i++)
		CHECK_OK(store_audit_append(t.store, one, 1, seal, 7, &e), &e);
	check_verdict(&t, 7, 0);
	add(&t, 3);
	check_verdict(&t, 10, 0);
	tamper(t.dir, "DELETE FROM audit WHERE number = 19");
	check_verdict(&t, 0, 19);
	trail_close(&t);
}

/* The encodings are fixed for ever. */
static void test_known_hashes(void)
{
	static const struct {
		int format;
		const char *via, *detail, *hex; /* NULL: refused */
	} rows[] = {
		{ 1, "", "",
		  "8cb83b44f65f05e5511199b8de679840"
		  "61fa9e148bc1894afd74e01cfbf38fbd" },
		{ 2, "password", "subject=CN=a\nissuer=CN=b",
		  "7275c506929721f130c0ff0238578387"
		  "8d253a783c9ec498d41dfb51baed4f3e" },
		{ 2, "", "",
		  "456aa36d0d185cc23c1c0c18acfa2b3e"
		  "b9338811c441a73c628379bee8e114d5" },
		{ 0, "", "", NULL },
		{ 3, "", "", NULL },
	};
	const uint8_t none[SHA256_SIZE] = { 0 };
	struct audit_row row = { .number = 1,
				 .at = 1700000000,
				 .module = "Web",
				 .severity = "Info",
				 .user_name = "admin",
				 .peer = "::1",
				 .event = "login" };
	uint8_t hash[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool done;

		row.format = rows[i].format;
		row.via = rows[i].via;
		row.detail = rows[i].detail;
		done = audit_record_hash(&row, none, hash);
		CU_ASSERT_EQUAL(done, rows[i].hex != NULL);
		hex_encode(hash, sizeof(hash), hex);
		if (rows[i].hex)
			CU_ASSERT_STRING_EQUAL(hex, rows[i].hex);
	}
}

/* What can be in the hash of a record of one format only must be empty in
 * another. */
static void test_via_of_format_1(void)
{
	struct audit_row row = { .number = 1,
				 .format = AUDIT_FORMAT_TEXT,
				 .module = "",
				 .severity = "",
				 .user_name = "",
				 .peer = "",
				 .via = "",
				 .event = "",
				 .detail = "" };
	const uint8_t none[SHA256_SIZE] = { 0 };
	uint8_t without[SHA256_SIZE], with[SHA256_SIZE];

	CU_ASSERT(audit_record_hash(&row, none, without));
	row.via = "password";
	CU_ASSERT(audit_record_hash(&row, none, with));
	CU_ASSERT_NOT_EQUAL(memcmp(with, without, sizeof(with)), 0);
}

static void test_lost_records(void)
{
	struct trail t = { .dir = unit_temp_dir() };
	struct error e = ERROR_INIT;

	trail_open(&t);
	tamper(t.dir, "DROP TABLE audit_chain");
	CHECK_FAILS(audit_append(t.audit, AUDIT(LOGIN), &admin, &e), &e, ERR_IO,
		    "audit record \"login\" lost (1 so far)");
	CHECK_FAILS(audit_append(t.audit, AUDIT(LOGIN), &admin, &e), &e, ERR_IO,
		    "(2 so far)");
	CU_ASSERT_EQUAL(audit_lost(t.audit), 2);
	trail_close(&t);
}

static atomic_bool stop;

static void *verify_on(void *arg)
{
	struct trail *t = arg;
	struct error e = ERROR_INIT;
	struct audit_verdict v;

	while (!atomic_load(&stop))
		if (audit_verify(t->audit, &v, &e) < 0 || !v.intact)
			return (void *)1;
	return NULL;
}

static void *append_on(void *arg)
{
	struct trail *t = arg;
	struct error e = ERROR_INIT;
	struct audit_row row = { .module = "",
				 .severity = "",
				 .user_name = "",
				 .peer = "",
				 .via = "",
				 .event = "",
				 .format = AUDIT_FORMAT_TEXT,
				 .detail = "" };
	struct audit_row *const one[] = { &row };

	/* A short trail, so that its front goes while it is verified. */
	for (int i = 0; i < 150; i++)
		if (store_audit_append(t->store, one, 1, seal, 30, &e) < 0)
			return (void *)1;
	return NULL;
}

static void test_verify_while_appending(void)
{
	struct trail t = { .dir = unit_temp_dir() };
	pthread_t verifier, writers[2];
	void *result;

	trail_open(&t);
	atomic_store(&stop, false);
	pthread_create(&verifier, NULL, verify_on, &t);
	for (int i = 0; i < 2; i++)
		pthread_create(&writers[i], NULL, append_on, &t);
	for (int i = 0; i < 2; i++) {
		pthread_join(writers[i], &result);
		CU_ASSERT_PTR_NULL(result);
	}
	atomic_store(&stop, true);
	pthread_join(verifier, &result);
	CU_ASSERT_PTR_NULL(result);
	check_verdict(&t, 30, 0);
	trail_close(&t);
}

static void test_utf8(void)
{
	static const struct {
		const char *text;
		long count;
		bool plain;
		const char *line;
	} rows[] = {
		{ "", 0, true, "" },
		{ "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91", 4, true,
		  "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91" },
		{ "a\tb", 3, false, "a b" },
		{ "\x7f", 1, false, " " },
		{ "\xc2\x85", 1, false, " " },
		{ "\xe2\x80\xa8", 1, false, " " },
		{ "\xc0\x80", -1, false, "??" }, /* overlong */
		{ "\xe0\x80\x80", -1, false, "???" },
		{ "\xed\xa0\x80", -1, false, "???" }, /* surrogate */
		{ "\xf4\x90\x80\x80", -1, false, "????" },
		{ "\xf8\x88\x80\x80\x80", -1, false, "?????" },
		{ "x\xe2\x82", -1, false, "x??" }, /* cut short */
		{ "\x80", -1, false, "?" },
	};
	char out[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct view v = view_str(rows[i].text);

		CU_ASSERT_EQUAL(utf8_count(v), rows[i].count);
		CU_ASSERT_EQUAL(utf8_is_plain(v), rows[i].plain);
		utf8_line(v, out, sizeof(out));
		CU_ASSERT_STRING_EQUAL(out, rows[i].line);
	}
	utf8_line(view_str("a\xe2\x82\xac"), out, 4);
	CU_ASSERT_STRING_EQUAL(out, "a");
	utf8_line(view_str("abc"), out, 1);
	CU_ASSERT_STRING_EQUAL(out, "");
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "UTF-8", test_utf8 },
		{ "names", test_names },
		{ "the listener", test_listener },
		{ "records", test_records },
		{ "pages", test_pages },
		{ "selections", test_selections },
		{ "hostile texts", test_hostile_texts },
		{ "a pruned trail", test_pruned },
		{ "the encodings are fixed", test_known_hashes },
		{ "format 1 has no via", test_via_of_format_1 },
		{ "lost records are counted", test_lost_records },
		{ "verify while appending", test_verify_while_appending },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "audit", tests, NULL, NULL);
}
