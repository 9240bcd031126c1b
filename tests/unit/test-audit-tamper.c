/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "audit/audit_walk.h"
#include "tests/lib/unit.h"
#include "tests/unit/tamper.h"

/* What audit_verify() says of a trail after somebody who can write the database
 * file has been at it. */

struct trail {
	char dir[300];
	struct store *store;
	struct audit *audit;
};

static void choose_dir(struct trail *t, const char *base, size_t i)
{
	snprintf(t->dir, sizeof(t->dir), "%s/%zu", base, i);
}

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

static void seal(struct audit_row *row, const uint8_t previous[SHA256_SIZE])
{
	CU_ASSERT(audit_record_hash(row, previous, row->hash));
}

/* Records of both formats in turn, all different. */
static void add(struct trail *t, int count, uint64_t keep)
{
	static int n;
	struct error e = ERROR_INIT;
	char detail[32];
	struct audit_row row = { .module = "Web",
				 .severity = "Info",
				 .user_name = "admin",
				 .peer = "192.0.2.1",
				 .event = "settingChanged",
				 .detail = detail };
	struct audit_row *const one[] = { &row };

	for (int i = 0; i < count; i++) {
		row.at = 1700000000 + n;
		row.format = n % 2 ? AUDIT_FORMAT_TEXT : AUDIT_FORMAT_FIELDS;
		row.via = n % 2 ? "" : "session";
		snprintf(detail, sizeof(detail), "setting=%d", n++);
		CHECK_OK(store_audit_append(t->store, one, 1, seal, keep, &e),
			 &e);
	}
}

static void check(struct trail *t, uint64_t checked, uint64_t broken,
		  const char *reason)
{
	struct error e = ERROR_INIT;
	struct audit_verdict v;
	char number[24];

	CHECK_OK(audit_verify(t->audit, &v, &e), &e);
	if (v.first_broken != broken ||
	    strcmp(audit_reason_name(v.reason), reason) != 0)
		unit_note("got: checked %llu, broken %llu, %s",
			  (unsigned long long)v.checked,
			  (unsigned long long)v.first_broken,
			  audit_reason_name(v.reason));
	CU_ASSERT_EQUAL(v.intact, broken == 0);
	CU_ASSERT_EQUAL(v.checked, checked);
	CU_ASSERT_EQUAL(v.first_broken, broken);
	CU_ASSERT_STRING_EQUAL(audit_reason_name(v.reason), reason);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)broken);
	CU_ASSERT(broken ? strstr(v.problem, number) != NULL : !v.problem[0]);
}

struct tampering {
	const char *sql;
	uint64_t checked, broken;
	const char *reason;
};

#define SET(what, number) \
	"UPDATE audit SET " what " WHERE number = " #number ";"
#define COLUMNS                                                            \
	" happened_at, module, severity, user_name, peer, event, detail, " \
	"hash,"                                                            \
	" format, via FROM audit WHERE number = "
/* All of a record but the hash, or with it, becomes that of another one. */
#define CONTENT "happened_at, format, via, detail"
#define COPY(columns, from, to)                                              \
	"UPDATE audit SET (" columns ") = (SELECT " columns " FROM audit o " \
	"WHERE o.number = " #from ") WHERE number = " #to ";"
/* Numbers of the records from one on move by steps; PUSH by one up. */
#define RENUMBER(from, by)                                                     \
	"UPDATE audit SET number = -number - (" #by ") WHERE number >= " #from \
	";UPDATE audit SET number = -number WHERE number < 0;"
#define END(number) "UPDATE audit_chain SET last_number = " #number ";"

/* Each row does one thing to a trail of ten records. */
static const struct tampering on_ten[] = {
	{ "SELECT 1", 10, 0, "" },
	/* one column */
	{ SET("detail = 'x'", 4), 3, 4, "changed" },
	{ SET("happened_at = 1", 1), 0, 1, "changed" },
	{ SET("user_name = 'eve'", 10), 9, 10, "changed" },
	{ SET("severity = 'Error'", 5), 4, 5, "changed" },
	{ SET("peer = ''", 5), 4, 5, "changed" },
	{ SET("event = 'login'", 5), 4, 5, "changed" },
	{ SET("via = 'local'", 3), 2, 3, "changed" },
	{ SET("via = 'local'", 4), 3, 4, "changed" },
	{ SET("format = 3 - format", 4), 3, 4, "changed" },
	{ SET("format = 3 - format", 5), 4, 5, "changed" },
	{ SET("detail = detail || '.'", 4) SET("detail = detail || '.'", 8), 3,
	  4, "changed" },
	/* the same bytes, cut differently into fields */
	{ SET("module = 'Weba', user_name = 'dmin'", 6), 5, 6, "changed" },
	{ SET("hash = zeroblob(32)", 7), 6, 7, "changed" },
	{ SET("hash = zeroblob(32)", 10), 9, 10, "changed" },
	{ COPY("hash", 3, 7), 6, 7, "changed" },
	/* a copy of another record in its place */
	{ COPY(CONTENT, 7, 4), 3, 4, "changed" },
	{ COPY(CONTENT ", hash", 7, 4), 3, 4, "changed" },
	{ COPY(CONTENT ", hash", 3, 4), 3, 4, "changed" },
	{ COPY(CONTENT, 3, 4), 3, 4, "changed" },
	/* nothing of ours */
	{ SET("format = 3", 5), 4, 5, "unreadable" },
	{ SET("format = 0", 5), 4, 5, "unreadable" },
	{ SET("hash = zeroblob(31)", 7), 6, 7, "unreadable" },
	{ SET("hash = x''", 1), 0, 1, "unreadable" },
	{ SET("detail = detail || char(0) || 'x'", 3), 2, 3, "unreadable" },
	{ SET("via = char(0) || 'x'", 4), 3, 4, "unreadable" },
	{ SET("detail = hex(zeroblob(5000))", 3), 2, 3, "unreadable" },
	/* gone */
	{ "DELETE FROM audit WHERE number = 5", 4, 5, "missing" },
	{ "DELETE FROM audit WHERE number IN (5, 6, 9)", 4, 5, "missing" },
	{ "DELETE FROM audit WHERE number = 1", 0, 1, "missing" },
	{ "DELETE FROM audit WHERE number = 10", 9, 10, "missing" },
	{ "DELETE FROM audit WHERE number > 3", 3, 4, "missing" },
	{ "DELETE FROM audit", 0, 1, "missing" },
	{ SET("number = 11", 4), 3, 4, "missing" },
	{ SET("number = 9000000000", 10), 9, 10, "missing" },
	{ SET("number = -4", 4), 0, 1, "inserted" },
	/* gone, and the numbers closed up */
	{ "DELETE FROM audit WHERE number = 5;" RENUMBER(6, -1) END(9), 4, 5,
	  "missing" },
	{ "DELETE FROM audit WHERE number IN (5, 6, 7);" RENUMBER(8, -3) END(7),
	  4, 5, "missing" },
	{ "DELETE FROM audit WHERE number = 1;" RENUMBER(2, -1) END(9), 0, 1,
	  "missing" },
	/* put in */
	{ "INSERT INTO audit SELECT 11," COLUMNS "10", 10, 11, "inserted" },
	{ "INSERT INTO audit SELECT 12," COLUMNS "10", 10, 12, "inserted" },
	{ "INSERT INTO audit SELECT 0," COLUMNS "1", 0, 1, "inserted" },
	{ "INSERT INTO audit SELECT -7," COLUMNS "1", 0, 1, "inserted" },
	{ "INSERT INTO audit SELECT 9223372036854775807," COLUMNS "1", 10,
	  9223372036854775807, "inserted" },
	{ RENUMBER(5, 1) "INSERT INTO audit SELECT 5," COLUMNS "3;" END(11), 4,
	  5, "inserted" },
	{ RENUMBER(5, 1) "INSERT INTO audit SELECT 5," COLUMNS "4;" END(11), 4,
	  5, "inserted" },
	{ RENUMBER(5, 2) "INSERT INTO audit SELECT 5," COLUMNS
			 "3;INSERT INTO audit SELECT 6," COLUMNS "2;" END(12),
	  4, 5, "inserted" },
	{ RENUMBER(1, 1) "INSERT INTO audit SELECT 1," COLUMNS "9;" END(11), 0,
	  1, "inserted" },
	/* exchanged, with their hashes and without them */
	{ SET("number = 11", 4) SET("number = 4", 5) SET("number = 5", 11), 3,
	  4, "moved" },
	{ SET("number = 11", 4) SET("number = 4", 8) SET("number = 8", 11), 3,
	  4, "moved" },
	{ SET("number = 11", 1) SET("number = 1", 10) SET("number = 10", 11), 0,
	  1, "moved" },
	{ SET("number = 11", 9) SET("number = 9", 10) SET("number = 10", 11), 8,
	  9, "moved" },
	{ "CREATE TABLE o AS SELECT * FROM audit;" COPY(
	      CONTENT, 5, 4) "UPDATE audit SET (" CONTENT ") = (SELECT " CONTENT
			     " FROM o WHERE o.number = 4) WHERE number = 5",
	  3, 4, "moved" },
	{ "CREATE TABLE o AS SELECT * FROM audit;" COPY(
	      CONTENT, 9, 2) "UPDATE audit SET (" CONTENT ") = (SELECT " CONTENT
			     " FROM o WHERE o.number = 2) WHERE number = 9",
	  1, 2, "moved" },
	/* three in a circle, either way round */
	{ SET("number = 11", 4) SET("number = 4", 5) SET("number = 5", 6)
	      SET("number = 6", 11),
	  3, 4, "moved" },
	{ SET("number = 11", 6) SET("number = 6", 5) SET("number = 5", 4)
	      SET("number = 4", 11),
	  3, 4, "moved" },
	/* the two ends */
	{ "DELETE FROM audit_chain", 0, 1, "end" },
	{ END(9), 9, 10, "end" },
	{ END(12), 10, 11, "end" },
	{ "UPDATE audit_chain SET last_hash = zeroblob(32)", 10, 10, "end" },
	{ "UPDATE audit_chain SET last_hash = x'00'", 0, 1, "end" },
	{ "UPDATE audit_chain SET anchor = randomblob(32)", 0, 1, "end" },
	{ "UPDATE audit_chain SET anchor = x''", 0, 1, "end" },
	{ "UPDATE audit_chain SET first_number = 0", 0, 1, "end" },
	{ "UPDATE audit_chain SET first_number = 3", 0, 1, "inserted" },
	{ END(-1), 0, 1, "end" },
};

static void test_ten(void)
{
	const char *base = unit_temp_dir();

	for (size_t i = 0; i < sizeof(on_ten) / sizeof(*on_ten); i++) {
		const struct tampering *row = &on_ten[i];
		struct trail t;

		choose_dir(&t, base, i);
		trail_open(&t);
		add(&t, 10, 100);
		trail_close(&t);
		tamper(t.dir, row->sql);
		trail_open(&t);
		unit_note("%s", row->sql);
		check(&t, row->checked, row->broken, row->reason);
		trail_close(&t);
	}
}

/* Over several pages, and behind a front that was cut off. */
static void test_long(void)
{
	static const struct tampering rows[] = {
		{ "SELECT 1", 1100, 0, "" },
		{ "UPDATE audit SET (" CONTENT ") = (SELECT " CONTENT
		  " FROM audit o WHERE o.number = 1301)"
		  " WHERE number = 400",
		  99, 400, "changed" },
		{ SET("detail = 'x'", 301), 0, 301, "changed" },
		{ SET("detail = 'x'", 1400), 1099, 1400, "changed" },
		{ SET("number = 1401", 400) SET("number = 400", 1300)
		      SET("number = 1300", 1401),
		  99, 400, "moved" },
		{ SET("number = 1401", 301) SET("number = 301", 302)
		      SET("number = 302", 1401),
		  0, 301, "moved" },
		{ RENUMBER(800, 1) "INSERT INTO audit SELECT 800," COLUMNS
				   "301;" END(1401),
		  499, 800, "inserted" },
		{ "DELETE FROM audit WHERE number BETWEEN 400 AND "
		  "999;" RENUMBER(1000, -600) END(800),
		  99, 400, "missing" },
		{ "DELETE FROM audit WHERE number = 301", 0, 301, "missing" },
		{ "INSERT INTO audit SELECT 300," COLUMNS "301", 0, 300,
		  "inserted" },
		{ "UPDATE audit_chain SET anchor = zeroblob(32)", 0, 301,
		  "changed" },
	};
	const char *base = unit_temp_dir();

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct trail t;

		choose_dir(&t, base, i);
		trail_open(&t);
		add(&t, 1400, 1100);
		tamper(t.dir, rows[i].sql);
		unit_note("%s", rows[i].sql);
		check(&t, rows[i].checked, rows[i].broken, rows[i].reason);
		trail_close(&t);
	}
}

/* --- the walk by itself --- */

static void test_signs(void)
{
	static const struct {
		unsigned signs;
		enum audit_reason reason;
	} rows[] = {
		{ 0, AUDIT_BROKEN_CHANGED },
		{ AUDIT_SIGN_DOUBLE, AUDIT_BROKEN_INSERTED },
		{ AUDIT_SIGN_ELSEWHERE, AUDIT_BROKEN_MOVED },
		{ AUDIT_SIGN_PUSHED, AUDIT_BROKEN_INSERTED },
		{ AUDIT_SIGN_CLOSED, AUDIT_BROKEN_MISSING },
		{ AUDIT_SIGN_ELSEWHERE | AUDIT_SIGN_PUSHED,
		  AUDIT_BROKEN_MOVED },
		{ AUDIT_SIGN_PUSHED | AUDIT_SIGN_CLOSED,
		  AUDIT_BROKEN_INSERTED },
		{ AUDIT_SIGN_DOUBLE | AUDIT_SIGN_ELSEWHERE,
		  AUDIT_BROKEN_INSERTED },
		{ AUDIT_SIGN_ELSEWHERE | AUDIT_SIGN_CLOSED,
		  AUDIT_BROKEN_MOVED },
		{ AUDIT_SIGN_COPY, AUDIT_BROKEN_CHANGED },
		{ AUDIT_SIGN_COPY | AUDIT_SIGN_ELSEWHERE,
		  AUDIT_BROKEN_CHANGED },
		{ AUDIT_SIGN_COPY | AUDIT_SIGN_ELSEWHERE | AUDIT_SIGN_PUSHED,
		  AUDIT_BROKEN_INSERTED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT_EQUAL(audit_sign_reason(rows[i].signs),
				rows[i].reason);
}

enum { RECORDS = 6 };

static void make(struct audit_row rows[RECORDS], uint64_t first,
		 const uint8_t anchor[SHA256_SIZE])
{
	const struct audit_row row = { .format = AUDIT_FORMAT_FIELDS,
				       .module = "API",
				       .severity = "Info",
				       .user_name = "",
				       .peer = "",
				       .via = "",
				       .event = "login",
				       .detail = "" };

	for (size_t i = 0; i < RECORDS; i++) {
		rows[i] = row;
		rows[i].number = first + i;
		rows[i].at = (int64_t)i;
		CU_ASSERT(audit_record_hash(
		    &rows[i], i ? rows[i - 1].hash : anchor, rows[i].hash));
	}
}

/* Somebody who computes the hash of what was put in: the service wrote the one
 * behind it for that place, so that it shows. */
static void test_inserted_with_its_hash(void)
{
	const uint8_t anchor[SHA256_SIZE] = { 7 };
	struct audit_row rows[RECORDS + 1];
	struct audit_walk *w = calloc(1, sizeof(*w));

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	make(rows, 11, anchor);
	memmove(&rows[4], &rows[3], 3 * sizeof(*rows));
	for (int i = 4; i <= RECORDS; i++)
		rows[i].number++;
	rows[3].detail = "put=in";
	CU_ASSERT(audit_record_hash(&rows[3], rows[2].hash, rows[3].hash));
	audit_walk_begin(w, 11, anchor);
	for (int i = 0; i <= RECORDS && audit_walk_record(w, &rows[i]); i++)
		;
	audit_walk_end(w);
	CU_ASSERT(w->doubtful);
	for (int i = 0; i <= RECORDS; i++)
		audit_walk_again(w, &rows[i]);
	audit_walk_decide(w);
	CU_ASSERT_EQUAL(w->reason, AUDIT_BROKEN_INSERTED);
	CU_ASSERT(w->broken == 14 && w->checked == 3 && !w->doubtful);
	free(w);
}

/* As an export has it: a piece of the chain, whose last hash is not known. */
static void test_piece(void)
{
	const uint8_t anchor[SHA256_SIZE] = { 7 }, none[SHA256_SIZE] = { 0 };
	const struct {
		uint64_t first;
		const uint8_t *anchor;
		size_t from, count; /* of the six records */
		uint64_t last;
		const uint8_t *last_hash;
		uint64_t checked, broken;
		enum audit_reason reason;
	} rows[] = {
		{ 11, anchor, 0, 6, 16, NULL, 6, 0, AUDIT_INTACT },
		{ 11, anchor, 0, 6, 16, none, 6, 16, AUDIT_BROKEN_END },
		{ 11, anchor, 0, 5, 16, NULL, 5, 16, AUDIT_BROKEN_MISSING },
		{ 11, anchor, 0, 6, 15, NULL, 5, 16, AUDIT_BROKEN_INSERTED },
		{ 11, anchor, 0, 0, 16, NULL, 0, 11, AUDIT_BROKEN_MISSING },
		{ 11, anchor, 0, 0, 10, NULL, 0, 0, AUDIT_INTACT },
		{ 11, anchor, 0, 0, 9, NULL, 0, 11, AUDIT_BROKEN_END },
		{ 11, anchor, 1, 5, 16, NULL, 0, 11, AUDIT_BROKEN_MISSING },
		{ 12, anchor, 0, 6, 16, NULL, 0, 11, AUDIT_BROKEN_INSERTED },
		{ 11, none, 0, 6, 16, NULL, 0, 11, AUDIT_BROKEN_CHANGED },
		{ 1, anchor, 0, 6, 16, NULL, 0, 1, AUDIT_BROKEN_END },
		{ 0, none, 0, 6, 16, NULL, 0, 1, AUDIT_BROKEN_END },
	};
	struct audit_row records[RECORDS];
	struct audit_walk *w = calloc(1, sizeof(*w));

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	make(records, 11, anchor);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		audit_walk_begin(w, rows[i].first, rows[i].anchor);
		audit_walk_to(w, rows[i].last, rows[i].last_hash);
		for (size_t n = rows[i].from; n < rows[i].count + rows[i].from;
		     n++)
			if (!audit_walk_record(w, &records[n]))
				break;
		audit_walk_end(w);
		unit_note("row %zu", i);
		CU_ASSERT_EQUAL(w->reason, rows[i].reason);
		CU_ASSERT_EQUAL(w->broken, rows[i].broken);
		CU_ASSERT_EQUAL(w->checked, rows[i].checked);
	}
	free(w);
}

/* The number of a record that somebody put in may be any. */
static void test_numbers(void)
{
	CU_ASSERT_EQUAL(audit_int(0), 0);
	CU_ASSERT_EQUAL(audit_int(INT32_MAX), INT32_MAX);
	CU_ASSERT_EQUAL(audit_int((uint64_t)INT32_MAX + 1), INT32_MAX);
	CU_ASSERT_EQUAL(audit_int(9000000000), INT32_MAX);
	CU_ASSERT_EQUAL(audit_int(UINT64_MAX), INT32_MAX);
}

static void test_words(void)
{
	char text[AUDIT_PROBLEM_MAX];

	for (int r = AUDIT_INTACT; r < AUDIT_REASON_COUNT; r++) {
		const char *name = audit_reason_name((enum audit_reason)r);

		audit_reason_sentence((enum audit_reason)r, 4711, text);
		CU_ASSERT_EQUAL(name[0] == '\0', r == AUDIT_INTACT);
		CU_ASSERT_EQUAL(text[0] == '\0', r == AUDIT_INTACT);
		CU_ASSERT(r == AUDIT_INTACT || (strstr(text, "4711") &&
						text[strlen(text) - 1] == '.'));
		for (int other = AUDIT_INTACT; other < r; other++)
			CU_ASSERT_STRING_NOT_EQUAL(
			    audit_reason_name((enum audit_reason)other), name);
	}
	CU_ASSERT_STRING_EQUAL(audit_reason_name(AUDIT_REASON_COUNT), "");
	audit_reason_sentence(AUDIT_REASON_COUNT, 1, text);
	CU_ASSERT_STRING_EQUAL(text, "");
	CU_ASSERT_STRING_EQUAL(audit_rollback_name(AUDIT_ROLLBACK_RULED_OUT),
			       "ruledOut");
	CU_ASSERT_STRING_EQUAL(audit_rollback_name(AUDIT_ROLLBACK_DETECTED),
			       "detected");
	CU_ASSERT_STRING_EQUAL(audit_rollback_name((enum audit_rollback)9), "");
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "ten records", test_ten },
		{ "more than a page", test_long },
		{ "signs", test_signs },
		{ "inserted with its hash", test_inserted_with_its_hash },
		{ "a piece", test_piece },
		{ "numbers", test_numbers },
		{ "words", test_words },
		{ 0 },
	};

	return unit_main(argc, argv, "tampering with the audit trail", tests,
			 NULL, NULL);
}
