/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "store/user_rows.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/tamper.h"

static struct user_row get(struct store *s, const char *id)
{
	struct error e = ERROR_INIT;
	struct user_row row = { 0 };

	CHECK_OK(store_user_get(s, id, &row, &e), &e);
	return row;
}

static void add(struct store *s, const char *id)
{
	struct user_row row = { .privilege = 1, .failures = 2 };
	struct error e = ERROR_INIT;

	snprintf(row.id, sizeof(row.id), "%s", id);
	CHECK_OK(store_user_add(s, &row, &e), &e);
}

static struct user_row a_user(const char *id)
{
	struct user_row u = { .name = "N\xc3\xa4me",
			      .password_hash = "$y$j9T$x",
			      .privilege = 3,
			      .lock_password = true,
			      .e164 = "123",
			      .endpoint = "room",
			      .password_set_at = 1LL << 40,
			      .failures = 2,
			      .disabled_until = -1 };

	snprintf(u.id, sizeof(u.id), "%s", id);
	return u;
}

static void check_same(const struct user_row *a, const struct user_row *b)
{
	CU_ASSERT_EQUAL(a->key, b->key);
	CU_ASSERT_STRING_EQUAL(a->id, b->id);
	CU_ASSERT_STRING_EQUAL(a->name, b->name);
	CU_ASSERT_STRING_EQUAL(a->password_hash, b->password_hash);
	CU_ASSERT_EQUAL(a->privilege, b->privilege);
	CU_ASSERT_EQUAL(a->built_in, b->built_in);
	CU_ASSERT_EQUAL(a->disabled, b->disabled);
	CU_ASSERT_EQUAL(a->lock_password, b->lock_password);
	CU_ASSERT_EQUAL(a->force_change, b->force_change);
	CU_ASSERT_STRING_EQUAL(a->e164, b->e164);
	CU_ASSERT_STRING_EQUAL(a->endpoint, b->endpoint);
	CU_ASSERT_EQUAL(a->password_set_at, b->password_set_at);
	CU_ASSERT_EQUAL(a->last_login_at, b->last_login_at);
	CU_ASSERT_EQUAL(a->failures, b->failures);
	CU_ASSERT_EQUAL(a->disabled_until, b->disabled_until);
}

static int count_user(void *arg, const struct user_row *u, struct error *e)
{
	(void)u;
	(void)e;
	++*(int *)arg;
	return 0;
}

static void test_accounts(void)
{
	struct error e = ERROR_INIT;
	const char *dir = unit_temp_dir();
	struct store *s = open_store(dir);
	struct user_row a = a_user("alice"), b = a_user("bob"), got;
	size_t n = 9;
	int64_t gone;
	int calls = 0;

	CHECK_OK(store_user_count(s, &n, &e), &e);
	CU_ASSERT_EQUAL(n, 0);
	CHECK_OK(store_user_add(s, &a, &e), &e);
	CHECK_OK(store_user_add(s, &b, &e), &e);
	CU_ASSERT(a.key > 0 && b.key > a.key);
	CHECK_FAILS(store_user_add(s, &a, &e), &e, ERR_USER_EXISTS, NULL);
	store_close(s);
	s = open_store(dir);
	CHECK_OK(store_user_get(s, "alice", &got, &e), &e);
	check_same(&got, &a);
	CHECK_FAILS(store_user_get(s, "Alice", &got, &e), &e, ERR_NO_USER,
		    NULL);
	CHECK_FAILS(store_user_get(s, "", &got, &e), &e, ERR_NO_USER, NULL);
	snprintf(b.id, sizeof(b.id), "alice");
	CHECK_FAILS(store_user_update(s, &b, &e), &e, ERR_USER_EXISTS, NULL);
	snprintf(b.id, sizeof(b.id), "robert");
	b.disabled = b.force_change = true;
	CHECK_OK(store_user_update(s, &b, &e), &e);
	CHECK_OK(store_user_get(s, "robert", &got, &e), &e);
	check_same(&got, &b);
	CHECK_OK(store_user_each(s, count_user, &calls, &e), &e);
	CU_ASSERT_EQUAL(calls, 2);
	gone = b.key;
	CHECK_OK(store_user_delete(s, gone, &e), &e);
	CHECK_FAILS(store_user_delete(s, gone, &e), &e, ERR_NO_USER, NULL);
	CHECK_FAILS(store_user_update(s, &b, &e), &e, ERR_NO_USER, NULL);
	CHECK_OK(store_user_add(s, &b, &e), &e);
	CU_ASSERT(b.key > gone);
	tamper(dir, "UPDATE account SET name = hex(zeroblob(400))");
	CHECK_FAILS(store_user_get(s, "alice", &got, &e), &e, ERR_IO,
		    "damaged");
	store_close(s);
}

/* What the first release made, as far as accounts go (audit records:
 * test-store-audit). */
static const char first_release[] =
    "CREATE TABLE account ("
    " account_key INTEGER PRIMARY KEY AUTOINCREMENT,"
    " id TEXT NOT NULL UNIQUE,"
    " name TEXT NOT NULL,"
    " password_hash TEXT NOT NULL,"
    " privilege INTEGER NOT NULL,"
    " built_in INTEGER NOT NULL,"
    " disabled INTEGER NOT NULL,"
    " lock_password INTEGER NOT NULL,"
    " force_change INTEGER NOT NULL,"
    " e164 TEXT NOT NULL,"
    " endpoint TEXT NOT NULL,"
    " password_set_at INTEGER NOT NULL,"
    " last_login_at INTEGER NOT NULL,"
    " failures INTEGER NOT NULL,"
    " disabled_until INTEGER NOT NULL) STRICT;"
    "INSERT INTO account VALUES"
    " (1, 'a', '', 'hash', 7, 0, 0, 0, 0, '', '', 5, 6, 2, 0),"
    " (2, 'b', '', '', 1, 0, 1, 0, 0, '', '', 0, 0, 0, 0);"
    "CREATE TABLE restart (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " happened_at INTEGER NOT NULL, reason TEXT NOT NULL) STRICT;"
    "CREATE TABLE audit (number INTEGER PRIMARY KEY,"
    " happened_at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE schema_version (version INTEGER NOT NULL);"
    "INSERT INTO schema_version VALUES (1)";

static void test_upgrade(void)
{
	const char *dir = unit_temp_dir();
	struct error e = ERROR_INIT;
	struct store *s;
	struct user_row row;
	int64_t since = 7;

	tamper(dir, first_release);
	s = open_store(dir);
	row = get(s, "a");
	CU_ASSERT(row.key == 1 && row.privilege == 7 && row.failures == 2 &&
		  row.password_set_at == 5 && row.last_login_at == 6);
	CU_ASSERT_STRING_EQUAL(row.password_hash, "hash");
	CU_ASSERT(row.disabled_reason == 0 && row.active_from == 0 &&
		  row.expired_logins == 0 && !row.password_expired &&
		  row.own_change_at == 0);
	/* Who was disabled was so by an administrator. */
	row = get(s, "b");
	CU_ASSERT(row.disabled && row.disabled_reason == 1);
	CHECK_OK(store_advanced_since(s, &since, &e), &e);
	CU_ASSERT_EQUAL(since, 0);
	store_close(s);
}

static void test_columns(void)
{
	const char *dir = unit_temp_dir();
	struct error e = ERROR_INIT;
	struct store *s = open_store(dir);
	struct user_row row;

	add(s, "a");
	row = get(s, "a");
	row.disabled_reason = 3;
	row.active_from = 4;
	row.expired_logins = 5;
	row.password_expired = true;
	row.own_change_at = 6;
	CHECK_OK(store_user_update(s, &row, &e), &e);
	store_close(s);
	s = open_store(dir);
	row = get(s, "a");
	CU_ASSERT(row.disabled_reason == 3 && row.active_from == 4 &&
		  row.expired_logins == 5 && row.password_expired &&
		  row.own_change_at == 6);
	store_close(s);
}

static void test_history(void)
{
	const char *dir = unit_temp_dir();
	struct error e = ERROR_INIT;
	struct store *s = open_store(dir);
	struct user_history h;
	struct user_row a, b;
	char hash[16];

	add(s, "a");
	add(s, "b");
	a = get(s, "a");
	b = get(s, "b");
	for (int i = 0; i < 12; i++) {
		snprintf(hash, sizeof(hash), "h%d", i);
		CHECK_OK(store_user_update_password(s, &a, hash, 9, &e), &e);
	}
	CHECK_OK(store_user_update_password(s, &b, "other", 9, &e), &e);
	CHECK_OK(store_user_history(s, a.key, &h, &e), &e);
	CU_ASSERT_EQUAL(h.count, 9);
	CU_ASSERT_STRING_EQUAL(h.hashes[0], "h11");
	CU_ASSERT_STRING_EQUAL(h.hashes[8], "h3");
	/* All or nothing: neither row nor history of who is not there. */
	b.key = 99;
	CHECK_FAILS(store_user_update_password(s, &b, "x", 9, &e), &e,
		    ERR_NO_USER, NULL);
	snprintf(a.id, sizeof(a.id), "b");
	CHECK_FAILS(store_user_update_password(s, &a, "x", 9, &e), &e,
		    ERR_USER_EXISTS, NULL);
	CHECK_OK(store_user_history(s, a.key, &h, &e), &e);
	CU_ASSERT_STRING_EQUAL(h.hashes[0], "h11");
	CHECK_OK(store_user_history(s, 99, &h, &e), &e);
	CU_ASSERT_EQUAL(h.count, 0);
	/* It goes with the account. */
	CHECK_OK(store_user_delete(s, a.key, &e), &e);
	CHECK_FAILS(store_user_delete(s, a.key, &e), &e, ERR_NO_USER, NULL);
	CHECK_OK(store_user_history(s, a.key, &h, &e), &e);
	CU_ASSERT_EQUAL(h.count, 0);
	store_close(s);
	tamper(dir, "UPDATE former_password SET password_hash ="
		    " hex(zeroblob(200))");
	s = open_store(dir);
	b = get(s, "b");
	CHECK_FAILS(store_user_history(s, b.key, &h, &e), &e, ERR_IO,
		    "damaged");
	store_close(s);
}

static void test_advanced(void)
{
	const char *dir = unit_temp_dir();
	struct error e = ERROR_INIT;
	struct store *s = open_store(dir);
	struct user_row row;
	int64_t since;

	add(s, "a");
	CHECK_OK(store_advanced_begin(s, 1000, &e), &e);
	row = get(s, "a");
	CU_ASSERT(row.password_expired && row.failures == 0 &&
		  row.active_from == 1000);
	CHECK_OK(store_advanced_since(s, &since, &e), &e);
	CU_ASSERT_EQUAL(since, 1000);
	CHECK_OK(store_advanced_end(s, &e), &e);
	CHECK_OK(store_advanced_since(s, &since, &e), &e);
	CU_ASSERT_EQUAL(since, 0);
	CU_ASSERT_TRUE(get(s, "a").password_expired);
	store_close(s);
	/* All or nothing. */
	tamper(dir, "CREATE TRIGGER t BEFORE UPDATE ON account BEGIN"
		    " SELECT RAISE(FAIL, 'full'); END;");
	s = open_store(dir);
	CHECK_FAILS(store_advanced_begin(s, 2000, &e), &e, ERR_IO, "full");
	CHECK_OK(store_advanced_since(s, &since, &e), &e);
	CU_ASSERT_EQUAL(since, 0);
	store_close(s);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "accounts", test_accounts },
		{ "accounts of an older release", test_upgrade },
		{ "columns of the advanced mode", test_columns },
		{ "former passwords", test_history },
		{ "turning the advanced mode on", test_advanced },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "store-accounts", tests, NULL, NULL);
}
