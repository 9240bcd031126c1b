/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/sip_password_row.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/tamper.h"

/* Settings, manifests, the restart log, the password for a registrar. */

static void test_settings(void)
{
	static const char *const rows[][2] = {
		{ "services.https.port", "8443" },
		{ "services.https.port", "443" },
		{ "x", "" },
		{ "'; DROP TABLE setting; --", "\"'%s?1$1" },
		{ "\xc3\xa9", "\xff\xfe no UTF-8" },
	};
	const char *dir = unit_temp_dir();
	struct error e = ERROR_INIT;
	char longer[8192];
	struct store *s = open_store(dir);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct found f = { .count = 0 };

		CHECK_OK(store_setting_put(s, rows[i][0], rows[i][1], &e), &e);
		store_close(s);
		s = open_store(dir);
		snprintf(f.name, sizeof(f.name), "%s", rows[i][0]);
		CHECK_OK(store_setting_each(s, find_setting, &f, &e), &e);
		CU_ASSERT_EQUAL(f.count, 1);
		CU_ASSERT_STRING_EQUAL(f.value, rows[i][1]);
	}
	memset(longer, 'x', sizeof(longer));
	longer[STORE_VALUE_MAX + 1] = '\0';
	CHECK_FAILS(store_setting_put(s, "x", longer, &e), &e, ERR_LIMIT, NULL);
	longer[STORE_VALUE_MAX] = '\0';
	CHECK_OK(store_setting_put(s, "x", longer, &e), &e);
	longer[STORE_NAME_MAX + 1] = '\0';
	CHECK_FAILS(store_setting_put(s, longer, "", &e), &e, ERR_LIMIT, NULL);
	CHECK_FAILS(store_setting_put(s, "", "", &e), &e, ERR_LIMIT, NULL);
	store_close(s);
}

static int write_back(void *arg, const char *name, const char *value,
		      struct error *e)
{
	(void)value;
	return store_setting_put(arg, name, "from the callback", e);
}

static int stop_at_once(void *arg, const char *name, const char *value,
			struct error *e)
{
	(void)name;
	(void)value;
	++*(int *)arg;
	return error_set(e, ERR_CANCELLED, "enough");
}

static void test_callback_may_use_store(void)
{
	struct error e = ERROR_INIT;
	struct store *s = open_store(unit_temp_dir());
	struct found f = { .name = "b" };
	int calls = 0;

	CHECK_OK(store_setting_put(s, "a", "1", &e), &e);
	CHECK_OK(store_setting_put(s, "b", "2", &e), &e);
	CHECK_OK(store_setting_each(s, write_back, s, &e), &e);
	CHECK_OK(store_setting_each(s, find_setting, &f, &e), &e);
	CU_ASSERT_STRING_EQUAL(f.value, "from the callback");
	CHECK_FAILS(store_setting_each(s, stop_at_once, &calls, &e), &e,
		    ERR_CANCELLED, "enough");
	CU_ASSERT_EQUAL(calls, 1);
	store_close(s);
}

static int gather(void *arg, struct view value, struct error *e)
{
	struct buf *b = arg;

	if (buf_add(b, value.ptr, value.len, e) < 0)
		return -1;
	return buf_adds(b, "|", e);
}

static void check_manifests(struct store *s, const char *name, const void *want,
			    size_t n)
{
	struct error e = ERROR_INIT;
	struct buf b;

	buf_init(&b, 1 << 20);
	CHECK_OK(store_manifest_list(s, name, gather, &b, &e), &e);
	CU_ASSERT(view_equal(buf_view(&b), view_of(want, n)));
	buf_free(&b);
}

static void test_manifests(void)
{
	struct error e = ERROR_INIT;
	struct store *s = open_store(unit_temp_dir());
	uint8_t *big = calloc(1, STORE_MANIFEST_MAX + 1);
	char text[16];

	CHECK_OK(store_manifest_put(s, "identity", view_str("one"), &e), &e);
	CHECK_OK(store_manifest_put(s, "identity", view_of("t\0o", 3), &e), &e);
	CHECK_OK(store_manifest_put(s, "trust", view_str("other"), &e), &e);
	check_manifests(s, "identity", "one|t\0o|", 8);
	CHECK_OK(store_manifest_prune(s, "identity", view_of("t\0o", 3), &e),
		 &e);
	check_manifests(s, "identity", "t\0o|", 4);
	check_manifests(s, "trust", "other|", 6);
	CHECK_OK(store_manifest_prune(s, "identity", view_str("none"), &e), &e);
	check_manifests(s, "identity", "", 0);
	CHECK_FAILS(store_manifest_put(s, "identity",
				       view_of(big, STORE_MANIFEST_MAX + 1),
				       &e),
		    &e, ERR_LIMIT, NULL);
	CHECK_FAILS(store_manifest_put(s, "", view_str("x"), &e), &e, ERR_LIMIT,
		    NULL);
	for (int i = 0; i < 40; i++) {
		snprintf(text, sizeof(text), "%02d", i);
		CHECK_OK(store_manifest_put(s, "identity", view_str(text), &e),
			 &e);
	}
	check_manifests(s, "identity",
			"24|25|26|27|28|29|30|31|32|33|34|35|36|37|38|39|", 48);
	free(big);
	store_close(s);
}

struct restarts {
	int count;
	time_t first, last;
	char reason[64];
};

static int note_restart(void *arg, time_t at, const char *reason,
			const char *detail, struct error *e)
{
	struct restarts *r = arg;

	(void)e;
	if (r->count++ == 0)
		r->first = at;
	r->last = at;
	snprintf(r->reason, sizeof(r->reason), "%s (%s)", reason, detail);
	return 0;
}

static void test_restarts(void)
{
	struct error e = ERROR_INIT;
	const char *dir = unit_temp_dir();
	struct store *s = open_store(dir);
	struct restarts r = { 0 };
	char longer[STORE_NAME_MAX + 2];

	CHECK_OK(store_restart_each(s, note_restart, &r, &e), &e);
	CU_ASSERT_EQUAL(r.count, 0);
	CHECK_OK(store_restart_add(s, 5, "Cold boot", "", &e), &e);
	tamper(dir, "WITH RECURSIVE n(x) AS (SELECT 6 UNION ALL SELECT x + 1 "
		    "FROM n WHERE x < 1006) INSERT INTO restart (happened_at, "
		    "reason) SELECT x, 'unknown' FROM n");
	CHECK_OK(
	    store_restart_add(s, 2000, "User requested upgrade", "1 -> 2", &e),
	    &e);
	CHECK_OK(store_restart_each(s, note_restart, &r, &e), &e);
	CU_ASSERT_EQUAL(r.count, STORE_RESTARTS_MAX);
	CU_ASSERT_EQUAL(r.first, 8);
	CU_ASSERT_EQUAL(r.last, 2000);
	CU_ASSERT_STRING_EQUAL(r.reason, "User requested upgrade (1 -> 2)");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	CHECK_FAILS(store_restart_add(s, 1, longer, "", &e), &e, ERR_LIMIT,
		    NULL);
	CHECK_FAILS(store_restart_add(s, 1, "", longer, &e), &e, ERR_LIMIT,
		    NULL);
	store_close(s);
}

/* --- the password for a trunk or registrar */

static void check_password(struct store *s, const char *wanted)
{
	struct error e = ERROR_INIT;
	struct secret got;

	CHECK_OK(sip_password_get(s, &got, &e), &e);
	CU_ASSERT_EQUAL(got.len, strlen(wanted));
	CU_ASSERT_STRING_EQUAL(got.ptr ? (const char *)got.ptr : "", wanted);
	secret_free(&got);
}

/* Bytes of the database's files that are the same as these. */
static bool is_on_disk(const char *dir, const char *bytes)
{
	static const char *const suffixes[] = { "", "-wal" };
	char path[PATH_MAX + 32], db[PATH_MAX + 16], *all = NULL;
	bool found = false;
	size_t n;

	database_path(dir, db);
	for (size_t i = 0; i < 2 && !found; i++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s%s", db, suffixes[i]);
		f = fopen(path, "r");
		if (!f)
			continue;
		all = malloc(1 << 20);
		n = all ? fread(all, 1, 1 << 20, f) : 0;
		found = n && memmem(all, n, bytes, strlen(bytes));
		free(all);
		fclose(f);
	}
	return found;
}

static void test_sip_password(void)
{
	struct error e = ERROR_INIT;
	const char *dir = unit_temp_dir();
	struct store *s = open_store(dir);
	char longer[SIP_PASSWORD_MAX + 2];

	check_password(s, "");
	CHECK_OK(sip_password_set(s, "", &e), &e);
	check_password(s, "");
	CHECK_OK(sip_password_set(s, "Unmistakable \"1\"", &e), &e);
	check_password(s, "Unmistakable \"1\"");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	CHECK_FAILS(sip_password_set(s, longer, &e), &e, ERR_LIMIT,
		    "longer than 255");
	CU_ASSERT_PTR_NULL(strstr(e.text, "xx"));
	check_password(s, "Unmistakable \"1\"");
	longer[SIP_PASSWORD_MAX] = '\0';
	CHECK_OK(sip_password_set(s, longer, &e), &e);
	store_close(s);
	s = open_store(dir);
	check_password(s, longer);
	CHECK_OK(sip_password_set(s, "Of-Before", &e), &e);
	CU_ASSERT_TRUE(is_on_disk(dir, "Of-Before"));
	CHECK_OK(sip_password_set(s, "Of-Now", &e), &e);
	CU_ASSERT_FALSE(is_on_disk(dir, "Of-Before"));
	CHECK_OK(sip_password_set(s, "", &e), &e);
	CU_ASSERT_FALSE(is_on_disk(dir, "Of-Now"));
	store_close(s);
	CU_ASSERT_FALSE(is_on_disk(dir, "Of-"));
	s = open_store(dir);
	check_password(s, "");
	store_close(s);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "settings", test_settings },
		{ "a callback may use the store", test_callback_may_use_store },
		{ "manifests", test_manifests },
		{ "restart log", test_restarts },
		{ "the password for a registrar", test_sip_password },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "store", tests, NULL, NULL);
}
