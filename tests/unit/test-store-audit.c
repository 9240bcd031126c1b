/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "tests/unit/store_fixture.h"
#include "tests/unit/tamper.h"

/* Audit records in the store: formats, pages, several at once, deletion. */

static struct audit_row a_row(int64_t at)
{
	return (struct audit_row){ .at = at,
				   .format = AUDIT_FORMAT_FIELDS,
				   .module = "Web",
				   .severity = "Info",
				   .user_name = "admin",
				   .peer = "::1",
				   .via = "session",
				   .event = "login",
				   .detail = "a=b" };
}

enum { BATCH_MAX = 64 };

/* Records at those times, in one transaction. */
static int append(struct store *s, const int64_t *times, size_t count,
		  uint64_t keep, struct error *e)
{
	struct audit_row rows[BATCH_MAX], *list[BATCH_MAX];

	for (size_t i = 0; i < count; i++) {
		rows[i] = a_row(times[i]);
		list[i] = &rows[i];
	}
	return store_audit_append(s, list, count, seal, keep, e);
}

static void fill(struct store *s, size_t count)
{
	int64_t times[BATCH_MAX];
	struct error e = ERROR_INIT;

	for (size_t i = 0; i < count; i++)
		times[i] = (int64_t)(i + 1) * 10;
	CHECK_OK(append(s, times, count, 1000, &e), &e);
}

struct seen {
	uint64_t numbers[BATCH_MAX];
	size_t count;
	struct audit_row last; /* without its texts */
	char via[20], detail[20];
};

static int see(void *arg, const struct audit_row *row, struct error *e)
{
	struct seen *s = arg;

	if (s->count == BATCH_MAX)
		return error_set(e, ERR_LIMIT, "too many");
	s->numbers[s->count++] = row->number;
	s->last = *row;
	snprintf(s->via, sizeof(s->via), "%s", row->via);
	snprintf(s->detail, sizeof(s->detail), "%s", row->detail);
	return 0;
}

/* What the first release made, as far as audit records go. */
static const char first_release[] =
    "CREATE TABLE account (account_key INTEGER PRIMARY KEY,"
    " disabled INTEGER NOT NULL) STRICT;"
    "CREATE TABLE restart (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " happened_at INTEGER NOT NULL, reason TEXT NOT NULL) STRICT;"
    "CREATE TABLE audit ("
    " number INTEGER PRIMARY KEY,"
    " happened_at INTEGER NOT NULL,"
    " module TEXT NOT NULL,"
    " severity TEXT NOT NULL,"
    " user_name TEXT NOT NULL,"
    " peer TEXT NOT NULL,"
    " event TEXT NOT NULL,"
    " detail TEXT NOT NULL,"
    " hash BLOB NOT NULL) STRICT;"
    "CREATE TABLE audit_chain ("
    " one INTEGER PRIMARY KEY CHECK (one = 1),"
    " first_number INTEGER NOT NULL,"
    " anchor BLOB NOT NULL,"
    " last_number INTEGER NOT NULL,"
    " last_hash BLOB NOT NULL) STRICT;"
    "INSERT INTO audit VALUES"
    " (1, 5, 'Web', 'Info', 'admin', '::1', 'login', 'text', zeroblob(32));"
    "INSERT INTO audit_chain VALUES"
    " (1, 1, zeroblob(32), 1, zeroblob(32));"
    "CREATE TABLE schema_version (version INTEGER NOT NULL);"
    "INSERT INTO schema_version VALUES (1)";

static void test_upgrade(void)
{
	const struct audit_page all = AUDIT_PAGE_ALL;
	const char *dir = unit_temp_dir();
	const int64_t at = 8;
	struct error e = ERROR_INIT;
	struct audit_chain chain;
	struct seen seen = { 0 };
	struct store *s;

	tamper(dir, first_release);
	s = open_store(dir);
	CHECK_OK(store_audit_page(s, &all, &chain, see, &seen, &e), &e);
	CU_ASSERT(seen.count == 1 && seen.last.format == AUDIT_FORMAT_TEXT);
	CU_ASSERT_STRING_EQUAL(seen.via, "");
	CU_ASSERT_STRING_EQUAL(seen.detail, "text");
	CHECK_OK(append(s, &at, 1, 100, &e), &e);
	CHECK_OK(store_audit_page(s, &all, &chain, see, &seen, &e), &e);
	CU_ASSERT(seen.last.number == 2 && seen.last.at == 8);
	CU_ASSERT_EQUAL(seen.last.format, AUDIT_FORMAT_FIELDS);
	CU_ASSERT_STRING_EQUAL(seen.via, "session");
	CU_ASSERT_STRING_EQUAL(seen.detail, "a=b");
	CU_ASSERT_FALSE(seen.last.damaged);
	store_close(s);
}

/* Thirty records, number n at 10 * n. */
static void test_pages(void)
{
	const int64_t least = INT64_MIN, most = INT64_MAX;
	const struct {
		struct audit_page page;
		size_t count;
		uint64_t first, last; /* as handed out */
	} rows[] = {
		{ { least, most, least, most, 99, false }, 30, 1, 30 },
		{ { least, most, least, most, 99, true }, 30, 30, 1 },
		{ { least, most, least, most, 4, false }, 4, 1, 4 },
		{ { least, most, least, most, 4, true }, 4, 30, 27 },
		{ { 5, 7, least, most, 99, false }, 3, 5, 7 },
		{ { 5, 7, least, most, 2, true }, 2, 7, 6 },
		{ { 7, 5, least, most, 99, false }, 0, 0, 0 },
		{ { 31, most, least, most, 99, false }, 0, 0, 0 },
		{ { most, most, least, most, 99, true }, 0, 0, 0 },
		{ { least, most, 95, most, 99, false }, 21, 10, 30 },
		{ { least, most, 100, 100, 99, false }, 1, 10, 10 },
		{ { least, most, 101, 109, 99, false }, 0, 0, 0 },
		{ { least, most, least, 55, 3, true }, 3, 5, 3 },
		{ { 4, most, least, 55, 99, true }, 2, 5, 4 },
		{ { least, most, 301, most, 99, false }, 0, 0, 0 },
		{ { least, most, least, most, 0, false }, 0, 0, 0 },
	};
	struct store *s = open_store(unit_temp_dir());
	struct error e = ERROR_INIT;
	struct audit_chain chain;

	fill(s, 30);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct audit_page narrow = rows[i].page;

		CHECK_OK(store_audit_narrow(s, &narrow, &e), &e);
		for (int narrowed = 0; narrowed < 2; narrowed++) {
			struct seen seen = { 0 };

			CHECK_OK(store_audit_page(
				     s, narrowed ? &narrow : &rows[i].page,
				     &chain, see, &seen, &e),
				 &e);
			unit_note("row %zu: %zu", i, seen.count);
			CU_ASSERT_EQUAL(seen.count, rows[i].count);
			if (!seen.count)
				continue;
			CU_ASSERT_EQUAL(seen.numbers[0], rows[i].first);
			CU_ASSERT_EQUAL(seen.last.number, rows[i].last);
		}
	}
	store_close(s);
}

/* The clock went back: records out of time stay in order of their numbers. */
static void test_clock_that_went_back(void)
{
	const int64_t times[] = { 50, 60, 10, 20, 70 };
	struct audit_page page = AUDIT_PAGE_ALL;
	struct store *s = open_store(unit_temp_dir());
	struct error e = ERROR_INIT;
	struct audit_chain chain;
	struct seen seen = { 0 };

	CHECK_OK(append(s, times, 5, 100, &e), &e);
	page.since = 50;
	CHECK_OK(store_audit_narrow(s, &page, &e), &e);
	CU_ASSERT(page.from == 1 && page.to == 5);
	CHECK_OK(store_audit_page(s, &page, &chain, see, &seen, &e), &e);
	CU_ASSERT(seen.count == 3 && seen.numbers[0] == 1 &&
		  seen.numbers[1] == 2 && seen.numbers[2] == 5);
	store_close(s);
}

static void check_chain(struct store *s, uint64_t first, uint64_t last)
{
	const struct audit_page all = AUDIT_PAGE_ALL;
	struct error e = ERROR_INIT;
	struct audit_chain chain;
	struct seen seen = { 0 };

	CHECK_OK(store_audit_page(s, &all, &chain, see, &seen, &e), &e);
	CU_ASSERT_EQUAL(chain.first, first);
	CU_ASSERT_EQUAL(chain.last, last);
	CU_ASSERT_EQUAL(chain.anchor[0], (uint8_t)(first - 1));
	CU_ASSERT_EQUAL(chain.last_hash[0], (uint8_t)last);
	CU_ASSERT_EQUAL(seen.count, last + 1 - first);
	for (size_t i = 0; i < seen.count; i++)
		CU_ASSERT_EQUAL(seen.numbers[i], first + i);
}

/* Several in one transaction, and the oldest go. */
static void test_several(void)
{
	const int64_t times[40] = { 0 };
	static const struct {
		size_t count;
		uint64_t keep, first, last;
	} rows[] = {
		{ 5, 10, 1, 5 },   { 5, 10, 1, 10 },   { 1, 10, 2, 11 },
		{ 7, 10, 9, 18 },  { 40, 10, 49, 58 }, { 0, 10, 49, 58 },
		{ 1, 50, 49, 59 }, { 1, 1, 60, 60 },   { 2, 1, 62, 62 },
	};
	struct store *s = open_store(unit_temp_dir());
	struct error e = ERROR_INIT;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_OK(append(s, times, rows[i].count, rows[i].keep, &e), &e);
		check_chain(s, rows[i].first, rows[i].last);
	}
	store_close(s);
}

/* One that cannot be added takes the others of its transaction along. */
static void test_all_or_none(void)
{
	const char *dir = unit_temp_dir();
	const int64_t times[5] = { 0 };
	struct store *s = open_store(dir);
	struct error e = ERROR_INIT;

	fill(s, 10);
	tamper(dir, "INSERT INTO audit SELECT 13, happened_at, module,"
		    " severity, user_name, peer, event, detail, hash, format,"
		    " via FROM audit WHERE number = 10");
	CHECK_FAILS(append(s, times, 5, 100, &e), &e, ERR_CONFLICT,
		    "record 13 is there already");
	tamper(dir, "DELETE FROM audit WHERE number = 13");
	check_chain(s, 1, 10);
	store_close(s);
}

static void test_delete_before(void)
{
	static const struct {
		uint64_t number, deleted, first;
	} rows[] = {
		{ 0, 0, 1 },
		{ 1, 0, 1 },
		{ 4, 3, 4 },
		{ 4, 0, 4 },
		{ 2, 0, 4 },
		{ 20, 16, 20 },
		{ UINT64_MAX, 11, 31 },
		{ 31, 0, 31 },
	};
	struct store *s = open_store(unit_temp_dir());
	struct error e = ERROR_INIT;
	const int64_t at = 5;
	uint64_t deleted;

	CHECK_OK(store_audit_delete_before(s, 5, &deleted, &e), &e);
	CU_ASSERT_EQUAL(deleted, 0);
	fill(s, 30);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_OK(
		    store_audit_delete_before(s, rows[i].number, &deleted, &e),
		    &e);
		CU_ASSERT_EQUAL(deleted, rows[i].deleted);
		check_chain(s, rows[i].first, 30);
	}
	CHECK_OK(append(s, &at, 1, 100, &e), &e);
	check_chain(s, 31, 31);
	store_close(s);
}

/* Without the hash of the last one that goes the rest would have no anchor. */
static void test_delete_refused(void)
{
	const char *dir = unit_temp_dir();
	struct store *s = open_store(dir);
	struct error e = ERROR_INIT;
	uint64_t deleted;

	fill(s, 10);
	tamper(dir, "DELETE FROM audit WHERE number = 4;"
		    "UPDATE audit SET hash = x'00' WHERE number = 6");
	CHECK_FAILS(store_audit_delete_before(s, 5, &deleted, &e), &e,
		    ERR_CONFLICT, "record 4 is missing");
	CHECK_FAILS(store_audit_delete_before(s, 7, &deleted, &e), &e,
		    ERR_CONFLICT, "record 6");
	CHECK_OK(store_audit_delete_before(s, 4, &deleted, &e), &e);
	CU_ASSERT_EQUAL(deleted, 3);
	tamper(dir, "UPDATE audit_chain SET anchor = x'1234'");
	CHECK_FAILS(store_audit_delete_before(s, 6, &deleted, &e), &e,
		    ERR_CONFLICT, "damaged");
	store_close(s);
}

static void test_chain(void)
{
	struct error e = ERROR_INIT;
	const char *dir = unit_temp_dir();
	struct store *s = open_store(dir);
	struct audit_chain chain;
	struct walk w = { 0 };
	uint64_t n;

	CHECK_OK(walk_from(s, 0, 100, &chain, &w, &e), &e);
	CU_ASSERT(chain.first == 1 && chain.last == 0 && w.count == 0);
	for (uint64_t i = 1; i <= 30; i++) {
		CHECK_OK(append_record(s, 10, &n, &e), &e);
		CU_ASSERT_EQUAL(n, i);
	}
	CHECK_OK(walk_from(s, 0, 100, &chain, &w, &e), &e);
	CU_ASSERT_EQUAL(w.count, 10);
	CU_ASSERT_FALSE(w.broken);
	CU_ASSERT(chain.first == 21 && chain.last == 30);
	CU_ASSERT(chain.anchor[0] == 20 && chain.last_hash[0] == 30);
	w = (struct walk){ 0 };
	CHECK_OK(walk_from(s, 25, 3, &chain, &w, &e), &e);
	CU_ASSERT(w.count == 3 && w.next == 28);
	w = (struct walk){ 0 };
	CHECK_OK(walk_from(s, INT64_MAX, SIZE_MAX, &chain, &w, &e), &e);
	CU_ASSERT_EQUAL(w.count, 0);
	tamper(dir, "UPDATE audit SET hash = x'00' WHERE number = 22;"
		    "UPDATE audit SET detail = 'a' || char(0) || 'b'"
		    " WHERE number = 23");
	CHECK_OK(walk_from(s, 0, 100, &chain, &w, &e), &e);
	CU_ASSERT_EQUAL(w.damaged, 2);
	tamper(dir,
	       "INSERT INTO audit SELECT 31, happened_at, module, severity,"
	       " user_name, peer, event, detail, hash, format, via FROM audit"
	       " WHERE number = 30");
	CHECK_FAILS(append_record(s, 10, &n, &e), &e, ERR_CONFLICT, "damaged");
	tamper(dir, "DELETE FROM audit WHERE number = 31;"
		    "UPDATE audit_chain SET last_hash = x'1234'");
	CHECK_FAILS(append_record(s, 10, &n, &e), &e, ERR_CONFLICT, "damaged");
	store_close(s);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "records of the first release", test_upgrade },
		{ "the chain", test_chain },
		{ "pages", test_pages },
		{ "a clock that went back", test_clock_that_went_back },
		{ "several at once", test_several },
		{ "all or none", test_all_or_none },
		{ "deletion", test_delete_before },
		{ "a deletion that is refused", test_delete_refused },
		{ 0 },
	};

	return unit_main(argc, argv, "audit rows", tests, NULL, NULL);
}
