/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/audit_rows.h"
#include "store/sip_password_row.h"
#include "store/store.h"
#include "store/user_rows.h"
#include "tests/lib/unit.h"
#include "tests/unit/tamper.h"

static struct store *open_store(const char *directory)
{
	struct error e = ERROR_INIT;
	struct store *s = store_open(directory, &e);

	CHECK_OBJECT(s, &e);
	return s;
}

static void check_refused(const char *directory, enum error_kind kind,
			  const char *words)
{
	struct error e = ERROR_INIT;
	struct store *s = store_open(directory, &e);

	CU_ASSERT_PTR_NULL(s);
	unit_check_error(&e, kind, words, __FILE__, __LINE__);
	store_close(s);
}

static void database_path(const char *directory, char out[PATH_MAX + 16])
{
	snprintf(out, PATH_MAX + 16, "%s/sealbridge.db", directory);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static void test_files_are_private(void)
{
	char directory[PATH_MAX], path[PATH_MAX + 32], db[PATH_MAX + 16];
	struct store *s;
	mode_t mask = umask(0);

	snprintf(directory, sizeof(directory), "%s/state", unit_temp_dir());
	s = open_store(directory);
	CU_ASSERT_EQUAL(mode_of(directory), 0700);
	database_path(directory, db);
	CU_ASSERT_EQUAL(mode_of(db), 0600);
	snprintf(path, sizeof(path), "%s-wal", db);
	CU_ASSERT_EQUAL(mode_of(path), 0600);
	snprintf(path, sizeof(path), "%s-shm", db);
	CU_ASSERT_EQUAL(mode_of(path), 0600);
	store_close(s);
	CU_ASSERT_EQUAL(chmod(db, 0666), 0);
	store_close(open_store(directory));
	CU_ASSERT_EQUAL(mode_of(db), 0600);
	umask(mask);
}

static void test_bad_places(void)
{
	const char *dir = unit_temp_dir();
	char path[PATH_MAX + 16], longer[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/a/b/c", dir);
	check_refused(path, ERR_IO, "No such file");
	check_refused("/dev/null", ERR_IO, "Not a directory");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	check_refused(longer, ERR_CONFIG, "too long");
	database_path(dir, path);
	CU_ASSERT_EQUAL(symlink("/etc/passwd", path), 0);
	check_refused(dir, ERR_IO, "not a regular file");
	unlink(path);
	CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
	check_refused(dir, ERR_IO, "not a regular file");
	rmdir(path);
}

static void test_newer_schema(void)
{
	const char *dir = unit_temp_dir();

	store_close(open_store(dir));
	tamper(dir, "UPDATE schema_version SET version = 99");
	check_refused(dir, ERR_CONFIG, "newer release (schema 99");
	tamper(dir, "UPDATE schema_version SET version = -1");
	check_refused(dir, ERR_CONFIG, "no valid version");
}

static void write_bytes(const char *path, off_t at, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(pwrite(fd, p, n, at), (ssize_t)n);
	close(fd);
}

static int ignore_setting(void *arg, const char *name, const char *value,
			  struct error *e)
{
	(void)name;
	(void)value;
	(void)e;
	++*(int *)arg;
	return 0;
}

static void test_damaged_file(void)
{
	const char *dir = unit_temp_dir();
	struct error e = ERROR_INIT;
	char path[PATH_MAX + 16], name[32], junk[16384];
	struct store *s;
	int count = 0;

	database_path(dir, path);
	memset(junk, 'j', sizeof(junk));
	write_bytes(path, 0, junk, sizeof(junk));
	check_refused(dir, ERR_IO, "damaged");
	unlink(path);

	s = open_store(dir);
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "name %d", i);
		CHECK_OK(
		    store_setting_put(s, name, "a value of some length", &e),
		    &e);
	}
	store_close(s);
	/* The tables behind the first page are junk now. */
	for (off_t at = 4096; at < 65536; at += sizeof(junk))
		write_bytes(path, at, junk, sizeof(junk));
	s = store_open(dir, &e);
	if (s) {
		CU_ASSERT_EQUAL(
		    store_setting_each(s, ignore_setting, &count, &e), -1);
		store_close(s);
	}
	unit_check_error(&e, ERR_IO, "damaged", __FILE__, __LINE__);
}

static void test_truncated_file(void)
{
	const char *dir = unit_temp_dir();
	char path[PATH_MAX + 16];

	database_path(dir, path);
	store_close(open_store(dir));
	CU_ASSERT_EQUAL(truncate(path, 5000), 0);
	check_refused(dir, ERR_IO, "damaged");
	/* Killed between the making of the file and the first step. */
	CU_ASSERT_EQUAL(truncate(path, 0), 0);
	store_close(open_store(dir));
}

struct found {
	char name[256], value[8192];
	int count;
};

static int find_setting(void *arg, const char *name, const char *value,
			struct error *e)
{
	struct found *f = arg;

	(void)e;
	if (!strcmp(name, f->name)) {
		snprintf(f->value, sizeof(f->value), "%s", value);
		f->count++;
	}
	return 0;
}

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

static void test_users(void)
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

/* A stand-in for the hash of src/audit: number and first byte before. */
static void seal(struct audit_row *row, const uint8_t previous[SHA256_SIZE])
{
	memset(row->hash, 0, SHA256_SIZE);
	row->hash[0] = (uint8_t)row->number;
	row->hash[1] = previous[0];
}

static int append(struct store *s, uint64_t keep, uint64_t *number,
		  struct error *e)
{
	struct audit_row row = { .at = 7,
				 .module = "Web",
				 .severity = "Info",
				 .user_name = "admin",
				 .peer = "::1",
				 .via = "",
				 .event = "login",
				 .format = AUDIT_FORMAT_TEXT,
				 .detail = "d" };
	struct audit_row *const one[] = { &row };

	if (store_audit_append(s, one, 1, seal, keep, e) < 0)
		return -1;
	*number = row.number;
	return 0;
}

struct walk {
	uint64_t next;
	size_t count, damaged;
	uint8_t before;
	bool broken;
};

static int step(void *arg, const struct audit_row *row, struct error *e)
{
	struct walk *w = arg;

	(void)e;
	if (w->count++ && (row->number != w->next || row->hash[1] != w->before))
		w->broken = true;
	w->next = row->number + 1;
	w->before = row->hash[0];
	w->damaged += row->damaged;
	return 0;
}

/* From that number on; the others of struct walk are as before. */
static int walk_from(struct store *s, int64_t from, size_t count,
		     struct audit_chain *chain, struct walk *w, struct error *e)
{
	struct audit_page page = AUDIT_PAGE_ALL;

	page.from = from;
	page.count = count;
	return store_audit_page(s, &page, chain, step, w, e);
}

static void test_audit_rows(void)
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
		CHECK_OK(append(s, 10, &n, &e), &e);
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
	CHECK_FAILS(append(s, 10, &n, &e), &e, ERR_CONFLICT, "damaged");
	tamper(dir, "DELETE FROM audit WHERE number = 31;"
		    "UPDATE audit_chain SET last_hash = x'1234'");
	CHECK_FAILS(append(s, 10, &n, &e), &e, ERR_CONFLICT, "damaged");
	store_close(s);
}

/* In a child: append and say each acknowledged number into the pipe. */
static void append_for_ever(const char *dir, int to)
{
	struct error e = ERROR_INIT;
	struct store *s = store_open(dir, &e);
	char value[32];
	uint64_t n;

	for (;;) {
		if (!s || append(s, 1000000, &n, &e) < 0)
			_exit(1);
		snprintf(value, sizeof(value), "%llu", (unsigned long long)n);
		if (store_setting_put(s, "last", value, &e) < 0 ||
		    write(to, &n, sizeof(n)) != (ssize_t)sizeof(n))
			_exit(1);
	}
}

/* The last number that a child acknowledged before it was killed. */
static uint64_t kill_in_mid_write(const char *dir, int round)
{
	uint64_t n, last = 0;
	int fds[2], status;
	pid_t child;

	CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
	child = fork();
	if (child == 0)
		append_for_ever(dir, fds[1]);
	close(fds[1]);
	/* Begun for sure, then a moment that differs each time. */
	if (read(fds[0], &n, sizeof(n)) == (ssize_t)sizeof(n))
		last = n;
	usleep((useconds_t)(3000 + round * 1700));
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	CU_ASSERT(WIFSIGNALED(status));
	while (read(fds[0], &n, sizeof(n)) == (ssize_t)sizeof(n))
		last = n;
	close(fds[0]);
	return last;
}

static void test_kill_keeps_what_was_acknowledged(void)
{
	const char *dir = unit_temp_dir();

	for (int round = 0; round < 12; round++) {
		uint64_t acknowledged = kill_in_mid_write(dir, round);
		struct found f = { .name = "last" };
		struct error e = ERROR_INIT;
		struct store *s = open_store(dir);
		struct audit_chain chain;
		struct walk w = { 0 };

		CU_ASSERT(acknowledged > 0);
		CHECK_OK(walk_from(s, 0, 1000000, &chain, &w, &e), &e);
		CU_ASSERT(chain.last >= acknowledged);
		CU_ASSERT_EQUAL(w.count, chain.last);
		CU_ASSERT_FALSE(w.broken);
		CHECK_OK(store_setting_each(s, find_setting, &f, &e), &e);
		CU_ASSERT(strtoull(f.value, NULL, 10) >= acknowledged);
		store_close(s);
	}
}

static int is_full(const struct error *e)
{
	return e->kind == ERR_FULL && e->native &&
	       strstr(e->text, "no room on the file system");
}

/* In a child with a limit on file sizes: 0 when every door of the store says
 * that the disk is full, and what was there can still be read. */
static int fill_disk(const char *dir)
{
	struct rlimit limit = { 200000, 200000 };
	struct error e = ERROR_INIT;
	struct store *s = store_open(dir, &e);
	struct user_row u = a_user("late");
	char value[4000], name[32];
	struct found f = { .name = "first" };
	uint64_t n;
	int rc = 0;

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	signal(SIGXFSZ, SIG_IGN);
	if (!s || store_setting_put(s, "first", "kept", &e) < 0 ||
	    setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 1;
	for (int i = 0; i < 1000 && rc == 0; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		rc = store_setting_put(s, name, value, &e);
	}
	if (rc == 0 || !is_full(&e))
		return 2;
	/* Small records may still have fitted. */
	limit.rlim_cur = 4096;
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 1;
	if (append(s, 10, &n, &e) == 0 || !is_full(&e))
		return 3;
	if (store_user_add(s, &u, &e) == 0 || !is_full(&e))
		return 4;
	if (store_setting_each(s, find_setting, &f, &e) < 0 ||
	    strcmp(f.value, "kept") != 0)
		return 5;
	return 0;
}

static void test_full_disk(void)
{
	const char *dir = unit_temp_dir();
	struct error e = ERROR_INIT;
	struct store *s;
	uint64_t n;
	int status;
	pid_t child = fork();

	if (child == 0) {
		status = fill_disk(dir);
		_exit(status);
	}
	waitpid(child, &status, 0);
	CU_ASSERT(WIFEXITED(status));
	CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
	/* With room again everything goes on. */
	s = open_store(dir);
	CHECK_OK(append(s, 10, &n, &e), &e);
	CU_ASSERT_EQUAL(n, 1);
	store_close(s);
}

enum { WRITERS = 3, WRITES = 40 };

static void *write_many(void *arg)
{
	struct error e = ERROR_INIT;
	uint64_t n;

	for (int i = 0; i < WRITES; i++)
		if (append(arg, 1000, &n, &e) < 0)
			return (void *)1;
	return NULL;
}

static void check_no_gaps(const char *dir)
{
	struct error e = ERROR_INIT;
	struct store *s = open_store(dir);
	struct audit_chain chain;
	struct walk w = { 0 };

	CHECK_OK(walk_from(s, 0, 1000, &chain, &w, &e), &e);
	CU_ASSERT_EQUAL(w.count, WRITERS * WRITES);
	CU_ASSERT_FALSE(w.broken);
	store_close(s);
}

static off_t size_of(const char *directory, const char *file)
{
	char path[PATH_MAX + 32];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	return stat(path, &st) == 0 ? st.st_size : -1;
}

/* What was deleted makes the files smaller, and what was not is still there. */
static void test_room_is_given_back(void)
{
	enum { BLOB = 1 << 20 };
	const char *dir = unit_temp_dir();
	struct store *s = open_store(dir);
	struct error e = ERROR_INIT;
	struct found f = { .name = "kept" };
	char *blob = calloc(1, BLOB);
	off_t full;

	CU_ASSERT_STRING_EQUAL(store_directory(s), dir);
	CHECK_OK(store_setting_put(s, "kept", "value", &e), &e);
	for (int i = 0; i < 3; i++)
		CHECK_OK(store_manifest_put(s, "big", view_of(blob, BLOB), &e),
			 &e);
	CU_ASSERT(size_of(dir, "sealbridge.db-wal") > BLOB);
	CHECK_OK(store_fold_log(s, &e), &e);
	CU_ASSERT_EQUAL(size_of(dir, "sealbridge.db-wal"), 0);
	full = size_of(dir, "sealbridge.db");
	CU_ASSERT(full > BLOB);
	CHECK_OK(store_manifest_prune(s, "big", view_of("x", 1), &e), &e);
	CHECK_OK(store_shrink(s, &e), &e);
	CU_ASSERT_EQUAL(size_of(dir, "sealbridge.db-wal"), 0);
	CU_ASSERT(size_of(dir, "sealbridge.db") < full - BLOB);
	CHECK_OK(store_shrink(s, &e), &e);
	CHECK_OK(store_setting_each(s, find_setting, &f, &e), &e);
	CU_ASSERT_STRING_EQUAL(f.value, "value");
	free(blob);
	store_close(s);
}

static int64_t pragma(const char *directory, const char *sql)
{
	char path[PATH_MAX + 16];
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int64_t number = -1;

	database_path(directory, path);
	if (sqlite3_open(path, &db) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		number = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return number;
}

/* A database of a build that could not shrink it learns to, and loses nothing.
 */
static void test_older_file_learns_to_shrink(void)
{
	const char *dir = unit_temp_dir();
	struct found f = { .name = "kept" };
	struct error e = ERROR_INIT;
	struct store *s = open_store(dir);
	uint64_t n;

	CHECK_OK(store_setting_put(s, "kept", "value", &e), &e);
	CHECK_OK(append(s, 10, &n, &e), &e);
	store_close(s);
	CU_ASSERT_EQUAL(pragma(dir, "PRAGMA auto_vacuum"), 2);
	tamper(dir, "PRAGMA auto_vacuum = NONE; VACUUM");
	CU_ASSERT_EQUAL(pragma(dir, "PRAGMA auto_vacuum"), 0);
	s = open_store(dir);
	CHECK_OK(store_setting_each(s, find_setting, &f, &e), &e);
	CU_ASSERT_STRING_EQUAL(f.value, "value");
	CHECK_OK(append(s, 10, &n, &e), &e);
	CU_ASSERT_EQUAL(n, 2);
	store_close(s);
	CU_ASSERT_EQUAL(pragma(dir, "PRAGMA auto_vacuum"), 2);
}

static void test_threads(void)
{
	const char *dir = unit_temp_dir();
	struct store *s = open_store(dir);
	pthread_t threads[WRITERS];
	void *result;

	for (int i = 0; i < WRITERS; i++)
		pthread_create(&threads[i], NULL, write_many, s);
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(threads[i], &result);
		CU_ASSERT_PTR_NULL(result);
	}
	store_close(s);
	check_no_gaps(dir);
}

static void test_processes(void)
{
	const char *dir = unit_temp_dir();
	pid_t children[WRITERS];
	int status;

	for (int i = 0; i < WRITERS; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct error e = ERROR_INIT;
			struct store *s = store_open(dir, &e);

			_exit(!s || write_many(s) ? 1 : 0);
		}
	}
	for (int i = 0; i < WRITERS; i++) {
		waitpid(children[i], &status, 0);
		CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	check_no_gaps(dir);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "files are private", test_files_are_private },
		{ "bad places are refused", test_bad_places },
		{ "a newer schema is refused", test_newer_schema },
		{ "a damaged file is named", test_damaged_file },
		{ "a truncated file is named", test_truncated_file },
		{ "settings", test_settings },
		{ "a callback may use the store", test_callback_may_use_store },
		{ "manifests", test_manifests },
		{ "restart log", test_restarts },
		{ "the password for a registrar", test_sip_password },
		{ "users", test_users },
		{ "audit rows", test_audit_rows },
		{ "kill -9 keeps what was acknowledged",
		  test_kill_keeps_what_was_acknowledged },
		{ "a full disk is named", test_full_disk },
		{ "room is given back", test_room_is_given_back },
		{ "an older file learns to shrink",
		  test_older_file_learns_to_shrink },
		{ "threads", test_threads },
		{ "processes", test_processes },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "store", tests, NULL, NULL);
}
