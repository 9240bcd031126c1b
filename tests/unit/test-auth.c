/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/initial_password.h"
#include "auth/login_guard.h"
#include "auth/password_hash.h"
#include "auth/password_rules.h"
#include "auth/users.h"
#include "base/clock.h"
#include "tests/lib/unit.h"
#include "tests/unit/tamper.h"

enum { NOW = 1800000000 };

#define EURO3  "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
#define EURO30 EURO3 EURO3 EURO3 EURO3 EURO3 EURO3 EURO3 EURO3 EURO3 EURO3
#define EURO31 EURO30 "\xe2\x82\xac"
#define X31    "1234567890123456789012345678901"

/* --- one device */

static struct {
	const char *dir;
	char password_file[300];
	char password[64]; /* of admin */
	struct config *config;
	struct store *store;
	struct settings *settings;
	struct audit *audit;
	struct users *users;
	/* ids whose sessions were told to end, each with a blank behind it */
	char ended[1024];
} d;

static void end_sessions(const char *id, void *arg)
{
	(void)arg;
	strcat(strcat(d.ended, id), " ");
}

static void device_open(void)
{
	struct error e = ERROR_INIT;
	struct secret s = { 0 };

	d.ended[0] = '\0';
	d.config = config_load("/dev/null", NULL, 0, &e);
	CHECK_OBJECT(d.config, &e);
	d.store = store_open(d.dir, &e);
	CHECK_OBJECT(d.store, &e);
	d.settings = settings_new(d.config, d.store, &e);
	CHECK_OBJECT(d.settings, &e);
	d.audit = audit_new(d.store, &e);
	CHECK_OBJECT(d.audit, &e);
	snprintf(d.password_file, sizeof(d.password_file),
		 "%s/secrets/admin-password", d.dir);
	d.users = users_new(d.store, d.settings, d.audit, d.password_file, &e);
	CHECK_OBJECT(d.users, &e);
	users_on_invalidate(d.users, end_sessions, NULL);
	CHECK_OK(secret_read_file(&s, d.password_file, 60, &e), &e);
	snprintf(d.password, sizeof(d.password), "%s", (char *)s.ptr);
	secret_free(&s);
}

static void device_close(void)
{
	users_free(d.users);
	audit_free(d.audit);
	settings_free(d.settings);
	store_close(d.store);
	config_free(d.config);
}

static void device_make(void)
{
	d.dir = unit_temp_dir();
	device_open();
}

static struct user_row row_of(const char *id)
{
	struct error e = ERROR_INIT;
	struct user_row row = { 0 };

	CHECK_OK(store_user_get(d.store, id, &row, &e), &e);
	return row;
}

static int login(enum login_door door, const char *id, const char *password,
		 struct error *e)
{
	struct identity_of_user out;

	return users_login(d.users, door, id, view_str(password), "192.0.2.1",
			   NOW, &out, e);
}

static void add_user(const char *id, const char *password, enum privilege p)
{
	struct error e = ERROR_INIT;
	struct view v = view_str(password);
	bool no = false;
	struct user_change c = {
		.id = id, .password = &v, .privilege = &p, .force_change = &no
	};

	CHECK_OK(users_add(d.users, &c, NOW, &e), &e);
}

/* --- parts */

static void test_password_rules(void)
{
	static const struct {
		const char *password;
		const char *refused; /* NULL: fine */
	} rows[] = {
		{ "", NULL },
		{ "x", NULL },
		{ X31, NULL },
		{ X31 "2", "more than 31" },
		{ EURO31, NULL },
		{ EURO31 "x", "more than 31" },
		{ "a b", NULL },
		{ "a\tb", "control characters" },
		{ "a\nb", "control characters" },
		{ "a\x7f", "control characters" },
		{ "a\xc2\x80", "control characters" },
		{ "a\xff", "not valid UTF-8" },
		{ "\xc0\xaf", "not valid UTF-8" },
		{ "\xe2\x82", "not valid UTF-8" },
	};
	struct error e = ERROR_INIT;
	char *big = calloc(1, 1 << 20);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct view v = view_str(rows[i].password);

		if (!rows[i].refused)
			CHECK_OK(password_rules_check(v, false, &e), &e);
		else
			CHECK_FAILS(password_rules_check(v, false, &e), &e,
				    ERR_PASSWORD_RULES, rows[i].refused);
	}
	CHECK_FAILS(password_rules_check(view_of("a\0b", 3), false, &e), &e,
		    ERR_PASSWORD_RULES, "control");
	memset(big, 'x', 1 << 20);
	CHECK_FAILS(password_rules_check(view_of(big, 1 << 20), false, &e), &e,
		    ERR_PASSWORD_RULES, "more than 31");
	free(big);
}

static void test_password_hash(void)
{
	static const struct {
		const char *tried;
		size_t len;
		bool right;
	} rows[] = {
		{ "secret", 6, true },
		{ "Secret", 6, false },
		{ "secre", 5, false },
		{ "secret ", 7, false },
		{ "", 0, false },
		{ "secret\0", 7, false },
		{ "secret\0more", 11, false },
		{ NULL, 0, false },
	};
	struct error e = ERROR_INIT;
	char hash[PASSWORD_HASH_SIZE], other[PASSWORD_HASH_SIZE];
	char longer[5000];
	bool right;

	CHECK_OK(password_hash(view_str("secret"), hash, &e), &e);
	CHECK_OK(password_hash(view_str("secret"), other, &e), &e);
	CU_ASSERT_EQUAL(strncmp(hash, "$y$", 3), 0);
	CU_ASSERT_STRING_NOT_EQUAL(hash, other);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_OK(password_verify(view_of(rows[i].tried, rows[i].len),
					 hash, &right, &e),
			 &e);
		CU_ASSERT_EQUAL(right, rows[i].right);
	}
	memset(longer, 'x', sizeof(longer));
	CHECK_OK(
	    password_verify(view_of(longer, sizeof(longer)), hash, &right, &e),
	    &e);
	CU_ASSERT_FALSE(right);
	CHECK_FAILS(password_hash(view_of(longer, sizeof(longer)), other, &e),
		    &e, ERR_INPUT, NULL);
	CHECK_FAILS(password_hash(view_of("a\0b", 3), other, &e), &e, ERR_INPUT,
		    NULL);
	CHECK_FAILS(password_hash(view_str(""), other, &e), &e, ERR_INPUT,
		    NULL);
	CHECK_FAILS(password_verify(view_str("x"), "*", &right, &e), &e,
		    ERR_INTERNAL, NULL);
	CHECK_FAILS(password_verify(view_str("x"), "$nonsense$", &right, &e),
		    &e, ERR_INTERNAL, NULL);
	CU_ASSERT_FALSE(right);
	/* The longest password is not cut. */
	CHECK_OK(password_hash(view_str(EURO31), hash, &e), &e);
	CHECK_OK(password_verify(view_str(EURO31), hash, &right, &e), &e);
	CU_ASSERT_TRUE(right);
	CHECK_OK(
	    password_verify(view_str(EURO30 "\xe2\x82\xad"), hash, &right, &e),
	    &e);
	CU_ASSERT_FALSE(right);
}

static void *hash_many(void *arg)
{
	char hash[PASSWORD_HASH_SIZE];
	struct error e = ERROR_INIT;
	bool right;

	(void)arg;
	if (password_hash(view_str("p"), hash, &e) < 0)
		return e.kind == ERR_LIMIT ? NULL : (void *)1;
	if (password_verify(view_str("p"), hash, &right, &e) < 0)
		return e.kind == ERR_LIMIT ? NULL : (void *)1;
	return right ? NULL : (void *)1;
}

/* More callers than run and wait: some may be refused, none hangs. */
static void test_many_hashes(void)
{
	enum { THREADS = 40 };
	pthread_t threads[THREADS];
	void *result;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, hash_many, NULL);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		CU_ASSERT_PTR_NULL(result);
	}
}

static void test_delays(void)
{
	static const unsigned rows[][2] = {
		{ 0, 0 },    { 1, 250 },   { 2, 500 },
		{ 3, 1000 }, { 4, 2000 },  { 5, 4000 },
		{ 6, 4000 }, { 60, 4000 }, { 4000000000u, 4000 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT_EQUAL(login_delay_ms(rows[i][0]), rows[i][1]);
}

/* No two names of these tests share a bucket. */
static const uint8_t guard_key[LOGIN_GUARD_KEY_SIZE] = { 1 };

static void test_guard_counts(void)
{
	struct error e = ERROR_INIT;
	struct login_guard *g = login_guard_new(guard_key, &e);
	int64_t t = 1000;

	CHECK_OBJECT(g, &e);
	CU_ASSERT_EQUAL(login_guard_delay(g, "admin", "192.0.2.1", t), 0);
	login_guard_failed(g, "admin", "192.0.2.1", t);
	login_guard_failed(g, "admin", "192.0.2.1", t);
	/* The account from anywhere, the peer with any account. */
	CU_ASSERT_EQUAL(login_guard_delay(g, "admin", "192.0.2.1", t), 500);
	CU_ASSERT_EQUAL(login_guard_delay(g, "admin", "198.51.100.1", t), 500);
	CU_ASSERT_EQUAL(login_guard_delay(g, "bob", "192.0.2.1", t), 500);
	CU_ASSERT_EQUAL(login_guard_delay(g, "bob", "198.51.100.1", t), 0);
	/* Bob's own success does not wash the peer clean. */
	login_guard_passed(g, "bob", "192.0.2.1");
	CU_ASSERT_EQUAL(login_guard_delay(g, "bob", "192.0.2.1", t), 500);
	login_guard_passed(g, "admin", "192.0.2.1");
	CU_ASSERT_EQUAL(login_guard_delay(g, "bob", "192.0.2.1", t), 0);
	/* One /64 is one peer. */
	login_guard_failed(g, "x", "2001:db8::1", t);
	CU_ASSERT_EQUAL(login_guard_delay(g, "y", "2001:db8::ffff:2", t), 250);
	CU_ASSERT_EQUAL(login_guard_delay(g, "y", "2001:db8:0:1::1", t), 0);
	/* Forgotten after a quarter of an hour. */
	t += LOGIN_FORGET_MS;
	CU_ASSERT_EQUAL(login_guard_delay(g, "x", "2001:db8::1", t), 250);
	CU_ASSERT_EQUAL(login_guard_delay(g, "x", "2001:db8::1", t + 1), 0);
	for (int i = 0; i < 70000; i++)
		login_guard_failed(g, "", "", t);
	CU_ASSERT_EQUAL(login_guard_delay(g, "", "", t), LOGIN_DELAY_MAX_MS);
	login_guard_free(g);
}

struct waiter {
	struct login_guard *guard;
	char peer[32];
	int rc;
};

static void *wait_once(void *arg)
{
	struct waiter *w = arg;
	struct error e = ERROR_INIT;

	w->rc = login_guard_wait(w->guard, "admin", w->peer, &e);
	return NULL;
}

/* Starts count waiters from peers of that pattern; gives how many of a further
 * two from other and same were refused at once. */
static void fill_guard(int count, const char *pattern, int want_other,
		       int want_same)
{
	struct error e = ERROR_INIT;
	struct login_guard *g = login_guard_new(guard_key, &e);
	struct waiter waiters[LOGIN_WAITING_MAX], other = { g, "other", 0 };
	pthread_t threads[LOGIN_WAITING_MAX], last;

	CHECK_OBJECT(g, &e);
	for (int i = 0; i < 4; i++)
		login_guard_failed(g, "admin", "", clock_monotonic_ms());
	for (int i = 0; i < count; i++) {
		waiters[i].guard = g;
		snprintf(waiters[i].peer, sizeof(waiters[i].peer), pattern, i);
		pthread_create(&threads[i], NULL, wait_once, &waiters[i]);
	}
	usleep(700000); /* they wait 2 s each */
	if (want_same)
		CHECK_FAILS(login_guard_wait(g, "admin", waiters[0].peer, &e),
			    &e, ERR_AUTH, NULL);
	pthread_create(&last, NULL, wait_once, &other);
	pthread_join(last, NULL);
	CU_ASSERT_EQUAL(other.rc, want_other);
	for (int i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		CU_ASSERT_EQUAL(waiters[i].rc, 0);
	}
	login_guard_free(g);
}

static void test_guard_waiting(void)
{
	fill_guard(LOGIN_WAITING_MAX, "192.0.2.%d", -1, -1);
	fill_guard(LOGIN_WAITING_PER_PEER_MAX, "192.0.2.1", 0, -1);
}

/* Two guessing peers keep four attempts each at the account; its owner comes
 * from elsewhere, with one attempt that has failed nowhere. */
static void test_guard_keeps_places(void)
{
	struct error e = ERROR_INIT;
	struct login_guard *g = login_guard_new(guard_key, &e);
	struct waiter guessers[LOGIN_WAITING_MAX], owner = { g, "owner", -1 };
	pthread_t threads[LOGIN_WAITING_MAX];
	int passed = 0;

	CHECK_OBJECT(g, &e);
	for (int round = 0; round < 2; round++) {
		/* The first round from peers that have not failed yet. */
		for (int i = 0; i < 4; i++)
			login_guard_failed(g, "admin",
					   round && i % 2 ? "192.0.2.1"
					   : round        ? "192.0.2.0"
							  : "",
					   clock_monotonic_ms());
		for (int i = 0; i < LOGIN_WAITING_MAX; i++) {
			guessers[i].guard = g;
			snprintf(guessers[i].peer, sizeof(guessers[i].peer),
				 "192.0.2.%d", i % 2);
			pthread_create(&threads[i], NULL, wait_once,
				       &guessers[i]);
		}
		usleep(700000); /* they wait 2 s at least */
		owner.rc = -1;
		wait_once(&owner);
		CU_ASSERT_EQUAL(owner.rc, 0);
		passed = 0;
		for (int i = 0; i < LOGIN_WAITING_MAX; i++) {
			pthread_join(threads[i], NULL);
			passed += guessers[i].rc == 0;
		}
		CU_ASSERT_EQUAL(passed, LOGIN_WAITING_MAX -
					    LOGIN_WAITING_RESERVED +
					    (round ? 0 : 2));
	}
	login_guard_free(g);
}

static void test_guard_tells_refusals(void)
{
	static const struct {
		int64_t at;
		unsigned told;
	} rows[] = {
		{ 5, 1 },
		{ 6, 0 },
		{ 5 + LOGIN_TELL_MS - 1, 0 },
		{ 5 + LOGIN_TELL_MS, 3 },
		{ 6 + LOGIN_TELL_MS, 0 },
		{ 5 + 3 * LOGIN_TELL_MS, 2 },
	};
	struct error e = ERROR_INIT;
	struct login_guard *g = login_guard_new(guard_key, &e);

	CHECK_OBJECT(g, &e);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT_EQUAL(login_guard_refused(g, rows[i].at),
				rows[i].told);
	login_guard_free(g);
}

static void put_file(const char *path, const char *text, mode_t mode)
{
	FILE *out = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	fputs(text, out);
	fclose(out);
	chmod(path, mode);
}

static void test_initial_password(void)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *words; /* NULL: taken */
	} rows[] = {
		{ "chosen\nby hand\n", 0600, NULL },
		{ EURO31 "\n", 0640, NULL },
		{ "chosen\n", 0644, "others may read" },
		{ "chosen\n", 0660, "others may read or write" },
		{ "", 0600, "no password in it" },
		{ "\nsecond line\n", 0600, "no password in it" },
		{ X31 "2\n", 0600, "more than 31" },
		{ "a\tb\n", 0600, "control characters" },
		{ "\xff\n", 0600, "UTF-8" },
	};
	const char *dir = unit_temp_dir();
	struct error e = ERROR_INIT;
	struct secret s = { 0 }, again = { 0 };
	char path[400], secrets[300];
	struct stat st;

	snprintf(secrets, sizeof(secrets), "%s/secrets", dir);
	snprintf(path, sizeof(path), "%s/admin-password", secrets);
	CHECK_OK(initial_password_get(path, &s, &e), &e);
	CU_ASSERT(s.len >= 16);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
	CU_ASSERT_EQUAL(stat(secrets, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0700);
	CHECK_OK(initial_password_get(path, &again, &e), &e);
	CU_ASSERT(
	    view_equal(view_of(s.ptr, s.len), view_of(again.ptr, again.len)));
	secret_free(&again);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		put_file(path, rows[i].text, rows[i].mode);
		if (!rows[i].words) {
			CHECK_OK(initial_password_get(path, &again, &e), &e);
			secret_free(&again);
			continue;
		}
		CU_ASSERT_EQUAL(initial_password_get(path, &again, &e), -1);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, rows[i].words));
		CU_ASSERT_PTR_NULL(again.ptr);
	}
	unlink(path);
	CU_ASSERT_EQUAL(symlink("/nonexistent", path), 0);
	CHECK_FAILS(initial_password_get(path, &again, &e), &e, ERR_IO, NULL);
	unlink(path);
	chmod(secrets, 0770);
	CHECK_FAILS(initial_password_get(path, &again, &e), &e, ERR_CONFIG,
		    "chmod 0700");
	chmod(secrets, 0700);
	CHECK_FAILS(initial_password_get("/none/none/x", &again, &e), &e,
		    ERR_IO, NULL);
	secret_free(&s);
}

static void test_privileges(void)
{
	enum privilege p;

	for (int i = PRIVILEGE_NONE + 1; i < PRIVILEGE_COUNT; i++) {
		CU_ASSERT_EQUAL(
		    privilege_from_name(privilege_name((enum privilege)i), &p),
		    0);
		CU_ASSERT_EQUAL((int)p, i);
	}
	CU_ASSERT_STRING_EQUAL(privilege_name(PRIVILEGE_CONFERENCE_LIST),
			       "conference list only");
	CU_ASSERT_EQUAL(privilege_from_name("none", &p), -1);
	CU_ASSERT_EQUAL(privilege_from_name("Administrator", &p), -1);
	CU_ASSERT_EQUAL(privilege_from_name("", &p), -1);
	CU_ASSERT_STRING_EQUAL(privilege_name(PRIVILEGE_COUNT), "none");
}

/* --- accounts */

static void test_built_in(void)
{
	struct error e = ERROR_INIT;
	struct user_row admin, guest, after;
	size_t count;

	device_make();
	admin = row_of("admin");
	guest = row_of("guest");
	CU_ASSERT_EQUAL(admin.privilege, PRIVILEGE_ADMINISTRATOR);
	CU_ASSERT(!admin.disabled && !admin.lock_password);
	CU_ASSERT_EQUAL(guest.privilege, PRIVILEGE_CONFERENCE_LIST);
	CU_ASSERT(guest.disabled && guest.lock_password && !guest.force_change);
	CU_ASSERT_STRING_EQUAL(guest.password_hash, "");
	CHECK_OK(login(LOGIN_WEB, "admin", d.password, &e), &e);
	device_close();
	/* A second start changes nothing, even with another file. */
	put_file(d.password_file, "other\n", 0600);
	device_open();
	after = row_of("admin");
	CU_ASSERT_STRING_EQUAL(after.password_hash, admin.password_hash);
	CHECK_FAILS(login(LOGIN_WEB, "admin", "other", &e), &e, ERR_AUTH,
		    "authorization failed");
	device_close();
	/* Killed between the two accounts. */
	tamper(d.dir, "DELETE FROM account WHERE id = 'admin'");
	device_open();
	CHECK_OK(store_user_count(d.store, &count, &e), &e);
	CU_ASSERT_EQUAL(count, 2);
	CHECK_OK(login(LOGIN_WEB, "admin", "other", &e), &e);
	device_close();
}

static const bool yes = true, no = false;
static const enum privilege administrator = PRIVILEGE_ADMINISTRATOR,
			    list_only = PRIVILEGE_CONFERENCE_LIST,
			    nobody = PRIVILEGE_NONE, too_much = PRIVILEGE_COUNT;

static void test_add_refusals(void)
{
	static const struct view long_password = { (const uint8_t *)X31 "2",
						   32 };
	static const struct {
		struct user_change c;
		enum error_kind kind;
		const char *words;
	} rows[] = {
		{ { .id = NULL }, ERR_INPUT, "user ID is missing" },
		{ { .id = "" }, ERR_INPUT, "user ID is empty" },
		{ { .id = " x" }, ERR_INPUT, "space" },
		{ { .id = "x " }, ERR_INPUT, "space" },
		{ { .id = X31 "2" }, ERR_INPUT, "user ID has more than 31" },
		{ { .id = EURO31 "x" }, ERR_INPUT, "more than 31" },
		{ { .id = "a\nb" }, ERR_INPUT, "control" },
		{ { .id = "a\xff" }, ERR_INPUT, "UTF-8" },
		{ { .id = "admin" }, ERR_USER_EXISTS, "reserved" },
		{ { .id = "guest" }, ERR_USER_EXISTS, "reserved" },
		{ { .id = "invalid" }, ERR_USER_EXISTS, "reserved" },
		{ { .id = "system" }, ERR_USER_EXISTS, "reserved" },
		{ { .id = "unknown" }, ERR_USER_EXISTS, "reserved" },
		{ { .id = "taken" }, ERR_USER_EXISTS, "user exists" },
		{ { .id = "x", .name = X31 "2" }, ERR_INPUT, "name" },
		{ { .id = "x", .name = "\x01" }, ERR_INPUT, "name" },
		{ { .id = "x", .e164 = "12a" }, ERR_INPUT, "E.164" },
		{ { .id = "x", .e164 = X31 "2" }, ERR_INPUT, "E.164" },
		{ { .id = "x", .endpoint = X31 "2" }, ERR_INPUT, "endpoint" },
		{ { .id = "x", .privilege = &nobody }, ERR_INPUT, "level" },
		{ { .id = "x", .privilege = &too_much }, ERR_INPUT, "level" },
		{ { .id = "x", .password = &long_password },
		  ERR_PASSWORD_RULES,
		  "31" },
		{ { .id = "x", .lock_password = &yes, .force_change = &yes },
		  ERR_INPUT,
		  "locked" },
		{ { .id = "x",
		    .lock_password = &yes,
		    .privilege = &administrator },
		  ERR_INPUT,
		  "locked" },
	};
	struct error e = ERROR_INIT;
	size_t count;

	device_make();
	add_user("taken", "", PRIVILEGE_CONFERENCE_LIST);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK_FAILS(users_add(d.users, &rows[i].c, NOW, &e), &e,
			    rows[i].kind, rows[i].words);
	CHECK_OK(store_user_count(d.store, &count, &e), &e);
	CU_ASSERT_EQUAL(count, 3);
	device_close();
}

/* What is open to everybody over the API is no more than the guest's. */
static void test_password_is_needed(void)
{
	static const struct view none = { NULL, 0 };
	struct error e = ERROR_INIT;
	char id[16];

	device_make();
	for (int p = PRIVILEGE_CONFERENCE_LIST; p < PRIVILEGE_COUNT; p++) {
		const enum privilege level = (enum privilege)p;
		struct user_change c = { .id = id, .privilege = &level };
		const struct user_change up = { .privilege = &level };
		bool fine = p == PRIVILEGE_CONFERENCE_LIST;

		for (int given = 0; given < 2; given++) {
			snprintf(id, sizeof(id), "u%d%d", p, given);
			c.password = given ? &none : NULL;
			if (fine)
				CHECK_OK(users_add(d.users, &c, NOW, &e), &e);
			else
				CHECK_FAILS(users_add(d.users, &c, NOW, &e), &e,
					    ERR_PASSWORD_RULES,
					    "needs a password");
		}
		if (fine)
			continue;
		CHECK_FAILS(users_modify(d.users, "u10", &up, NOW, &e), &e,
			    ERR_PASSWORD_RULES, "needs a password");
		snprintf(id, sizeof(id), "with%d", p);
		add_user(id, "p", level);
		CHECK_FAILS(
		    users_modify(d.users, id,
				 &(struct user_change){ .password = &none },
				 NOW, &e),
		    &e, ERR_PASSWORD_RULES, "needs a password");
		CHECK_FAILS(users_change_own_password(d.users, id,
						      view_str("p"), none,
						      "::1", NOW, &e),
			    &e, ERR_PASSWORD_RULES, "needs a password");
		CHECK_OK(login(LOGIN_API, id, "p", &e), &e);
	}
	/* One of before this rule. */
	tamper(d.dir, "UPDATE account SET privilege = 7 WHERE id = 'u10'");
	CHECK_FAILS(login(LOGIN_API, "u10", "anything", &e), &e, ERR_AUTH,
		    NULL);
	CHECK_FAILS(login(LOGIN_WEB, "u10", "", &e), &e, ERR_AUTH, NULL);
	device_close();
}

static void test_add_defaults(void)
{
	const struct user_change plain = { .id = "plain" };
	const struct user_change locked = { .id = EURO31,
					    .name = EURO31,
					    .e164 = "+49*#",
					    .endpoint = X31,
					    .lock_password = &yes };
	struct error e = ERROR_INIT;
	struct user_row row;

	device_make();
	CHECK_OK(users_add(d.users, &plain, NOW, &e), &e);
	row = row_of("plain");
	CU_ASSERT_EQUAL(row.privilege, PRIVILEGE_CONFERENCE_LIST);
	CU_ASSERT(!row.disabled && !row.lock_password && row.force_change);
	CU_ASSERT_EQUAL(row.built_in, USER_ORDINARY);
	CU_ASSERT_STRING_EQUAL(row.password_hash, "");
	CU_ASSERT_EQUAL(row.password_set_at, NOW);
	CHECK_OK(users_add(d.users, &locked, NOW, &e), &e);
	row = row_of(EURO31);
	CU_ASSERT(row.lock_password && !row.force_change);
	CU_ASSERT_STRING_EQUAL(row.name, EURO31);
	CU_ASSERT_STRING_EQUAL(row.e164, "+49*#");
	CU_ASSERT_STRING_EQUAL(row.endpoint, X31);
	device_close();
}

static void test_at_most_200(void)
{
	struct error e = ERROR_INIT;
	struct user_change c = { .id = "last" };

	device_make();
	tamper(d.dir,
	       "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n"
	       " WHERE x < 197) INSERT INTO account (id, name, password_hash,"
	       " privilege, built_in, disabled, lock_password, force_change,"
	       " e164, endpoint, password_set_at, last_login_at, failures,"
	       " disabled_until) SELECT 'u' || x, '',"
	       " '', 1, 0, 0, 0, 0, '', '', 0, 0, 0, 0 FROM n");
	CHECK_OK(users_add(d.users, &c, NOW, &e), &e);
	CHECK_FAILS(users_add(d.users, &c, NOW, &e), &e, ERR_USER_EXISTS, NULL);
	c.id = "one-more";
	CHECK_FAILS(users_add(d.users, &c, NOW, &e), &e, ERR_LIMIT, "200");
	CHECK_OK(users_delete(d.users, "last", NULL, &e), &e);
	CHECK_OK(users_add(d.users, &c, NOW, &e), &e);
	device_close();
}

static void test_modify(void)
{
	static const struct view none = { NULL, 0 };
	static const struct {
		const char *id;
		struct user_change c;
		enum error_kind kind; /* ERR_NONE: done */
		const char *words;
		const char *ended; /* sessions */
	} rows[] = {
		{ "nobody", { .name = "x" }, ERR_NO_USER, NULL, "" },
		{ "bob", { .name = X31 "2" }, ERR_INPUT, "name", "" },
		{ "bob", { .id = "admin" }, ERR_USER_EXISTS, "reserved", "" },
		{ "bob", { .id = "system" }, ERR_USER_EXISTS, "reserved", "" },
		{ "bob", { .id = "eve" }, ERR_USER_EXISTS, "exists", "" },
		{ "bob",
		  { .name = "Bob", .e164 = "1", .endpoint = "b" },
		  ERR_NONE,
		  NULL,
		  "" },
		{ "bob", { .force_change = &yes }, ERR_NONE, NULL, "" },
		{ "bob", { .lock_password = &yes }, ERR_NONE, NULL, "" },
		{ "bob", { .force_change = &yes }, ERR_CONFLICT, "locked", "" },
		{ "bob",
		  { .privilege = &administrator },
		  ERR_CONFLICT,
		  "locked",
		  "" },
		{ "bob", { .lock_password = &no }, ERR_NONE, NULL, "" },
		{ "bob",
		  { .privilege = &administrator },
		  ERR_NONE,
		  NULL,
		  "bob " },
		{ "bob", { .privilege = &administrator }, ERR_NONE, NULL, "" },
		{ "bob", { .privilege = &list_only }, ERR_NONE, NULL, "bob " },
		{ "bob", { .disabled = &yes }, ERR_NONE, NULL, "bob " },
		{ "bob", { .disabled = &no }, ERR_NONE, NULL, "" },
		{ "bob", { .password = &none }, ERR_NONE, NULL, "bob " },
		{ "bob", { .id = "robert" }, ERR_NONE, NULL, "bob " },
		{ "bob", { .name = "x" }, ERR_NO_USER, NULL, "" },
		{ "guest", { .id = "visitor" }, ERR_CONFLICT, "renamed", "" },
		{ "guest",
		  { .id = "guest", .disabled = &no },
		  ERR_NONE,
		  NULL,
		  "" },
		{ "admin", { .disabled = &yes }, ERR_CONFLICT, "disabled", "" },
		{ "admin",
		  { .privilege = &list_only },
		  ERR_CONFLICT,
		  "fixed",
		  "" },
		{ "admin",
		  { .lock_password = &yes },
		  ERR_CONFLICT,
		  "locked",
		  "" },
		{ "admin", { .id = "guest" }, ERR_USER_EXISTS, NULL, "" },
		{ "admin",
		  { .id = "unknown" },
		  ERR_USER_EXISTS,
		  "reserved",
		  "" },
		{ "admin", { .id = "root" }, ERR_NONE, NULL, "admin " },
		{ "root", { .id = "admin" }, ERR_NONE, NULL, "root " },
	};
	struct error e = ERROR_INIT;

	device_make();
	add_user("bob", "b", PRIVILEGE_CONFERENCE_LIST);
	add_user("eve", "e", PRIVILEGE_CONFERENCE_LIST);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		d.ended[0] = '\0';
		if (rows[i].kind == ERR_NONE)
			CHECK_OK(users_modify(d.users, rows[i].id, &rows[i].c,
					      NOW, &e),
				 &e);
		else
			CHECK_FAILS(users_modify(d.users, rows[i].id,
						 &rows[i].c, NOW, &e),
				    &e, rows[i].kind, rows[i].words);
		CU_ASSERT_STRING_EQUAL(d.ended, rows[i].ended);
	}
	device_close();
}

static void test_invariants(void)
{
	const struct view password = view_str("p");
	const struct user_change up = { .password = &password,
					.privilege = &administrator,
					.lock_password = &no };
	struct error e = ERROR_INIT;

	device_make();
	/* Nobody below would be left. */
	CHECK_FAILS(users_modify(d.users, "guest", &up, NOW, &e), &e,
		    ERR_CONFLICT, "below");
	add_user("bob", "", PRIVILEGE_CONFERENCE_LIST);
	CHECK_OK(users_modify(d.users, "guest", &up, NOW, &e), &e);
	CHECK_FAILS(users_delete(d.users, "bob", NULL, &e), &e, ERR_CONFLICT,
		    "below");
	CHECK_FAILS(users_delete(d.users, "admin", NULL, &e), &e, ERR_CONFLICT,
		    "built-in");
	CHECK_FAILS(users_delete(d.users, "guest", NULL, &e), &e, ERR_CONFLICT,
		    "built-in");
	CHECK_FAILS(users_delete(d.users, "none", NULL, &e), &e, ERR_NO_USER,
		    NULL);
	add_user("eve", "e", PRIVILEGE_CONFERENCE_DETAIL);
	d.ended[0] = '\0';
	CHECK_OK(users_delete(d.users, "bob", NULL, &e), &e);
	CU_ASSERT_STRING_EQUAL(d.ended, "bob ");
	/* An administrator that only the database could have disabled. */
	tamper(d.dir, "UPDATE account SET disabled = 1 WHERE id = 'admin'");
	CHECK_FAILS(users_modify(d.users, "eve",
				 &(struct user_change){ .name = "x" }, NOW, &e),
		    &e, ERR_CONFLICT, "no enabled administrator");
	device_close();
}

/* --- log in */

static void test_login_rows(void)
{
	static const struct {
		const char *id, *password;
		const char *web, *api; /* refusal, NULL: in */
	} rows[] = {
#define WRONG "authorization failed"
		{ "bob", "right", NULL, NULL },
		{ "bob", "wrong", WRONG, WRONG },
		{ "bob", "", WRONG, WRONG },
		{ "Bob", "right", WRONG, WRONG },
		{ "bob ", "right", WRONG, WRONG },
		{ "", "", WRONG, WRONG },
		{ "nobody", "", WRONG, WRONG },
		{ "nobody", "right", WRONG, WRONG },
		{ "open", "", NULL, NULL },
		{ "open", "anything", WRONG, NULL },
		{ "shut", "s", "account is disabled", "account is disabled" },
		{ "shut", "t", WRONG, WRONG },
		{ "guest", "", "account is disabled", "account is disabled" },
		{ "guest", "x", WRONG, "account is disabled" },
		{ "' OR 1=1 --", "x", WRONG, WRONG },
		{ "a\nb\xff", "x", WRONG, WRONG },
	};
	struct error e = ERROR_INIT;

	device_make();
	add_user("bob", "right", PRIVILEGE_CONFERENCE_LIST);
	add_user("open", "", PRIVILEGE_CONFERENCE_LIST);
	add_user("shut", "s", PRIVILEGE_CONFERENCE_LIST);
	CHECK_OK(users_modify(d.users, "shut",
			      &(struct user_change){ .disabled = &yes }, NOW,
			      &e),
		 &e);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *const want[] = {
			[LOGIN_WEB] = rows[i].web, [LOGIN_API] = rows[i].api
		};

		for (int door = LOGIN_WEB; door <= LOGIN_API; door++) {
			/* Without the delays, which have their own test. */
			users_free(d.users);
			d.users = users_new(d.store, d.settings, d.audit,
					    d.password_file, &e);
			CHECK_OBJECT(d.users, &e);
			if (!want[door]) {
				CHECK_OK(login((enum login_door)door,
					       rows[i].id, rows[i].password,
					       &e),
					 &e);
				continue;
			}
			CHECK_FAILS(login((enum login_door)door, rows[i].id,
					  rows[i].password, &e),
				    &e, ERR_AUTH, want[door]);
			CU_ASSERT_STRING_EQUAL(e.text, want[door]);
		}
	}
	device_close();
}

static void test_login_hostile(void)
{
	struct error e = ERROR_INIT;
	struct identity_of_user who;
	char *big = malloc(1 << 20);

	device_make();
	add_user("open", "", PRIVILEGE_CONFERENCE_LIST);
	memset(big, 'x', 1 << 20);
	CHECK_FAILS(users_login(d.users, LOGIN_WEB, "admin",
				view_of(big, 1 << 20), "", NOW, &who, &e),
		    &e, ERR_AUTH, NULL);
	CHECK_FAILS(users_login(d.users, LOGIN_WEB, "open", view_of("\0", 1),
				"", NOW, &who, &e),
		    &e, ERR_AUTH, NULL);
	big[(1 << 20) - 1] = '\0';
	CHECK_FAILS(users_login(d.users, LOGIN_WEB, big, view_str("x"), big,
				NOW, &who, &e),
		    &e, ERR_AUTH, NULL);
	CU_ASSERT_STRING_EQUAL(who.id, "");
	CU_ASSERT_EQUAL(who.privilege, PRIVILEGE_NONE);
	free(big);
	device_close();
}

static void test_login_result(void)
{
	struct error e = ERROR_INIT;
	struct identity_of_user who;
	const struct user_change force = { .force_change = &yes };
	struct user_row row;

	device_make();
	add_user("bob", "b", PRIVILEGE_CONFERENCE_DETAIL);
	CHECK_OK(users_modify(d.users, "bob", &force, NOW, &e), &e);
	CHECK_OK(users_login(d.users, LOGIN_WEB, "bob", view_str("b"), "::1",
			     NOW + 5, &who, &e),
		 &e);
	CU_ASSERT_STRING_EQUAL(who.id, "bob");
	CU_ASSERT_EQUAL(who.privilege, PRIVILEGE_CONFERENCE_DETAIL);
	CU_ASSERT_TRUE(who.must_change_password);
	row = row_of("bob");
	CU_ASSERT_EQUAL(row.last_login_at, NOW + 5);
	CHECK_OK(users_lookup(d.users, "bob", &who, &e), &e);
	CU_ASSERT_TRUE(who.must_change_password);
	CHECK_OK(users_modify(d.users, "bob",
			      &(struct user_change){ .disabled = &yes }, NOW,
			      &e),
		 &e);
	CHECK_FAILS(users_lookup(d.users, "bob", &who, &e), &e, ERR_NO_USER,
		    NULL);
	CHECK_FAILS(users_lookup(d.users, "none", &who, &e), &e, ERR_NO_USER,
		    NULL);
	device_close();
}

static void test_password_mark(void)
{
	const struct view first = view_str("b"), none = { NULL, 0 };
	const struct user_change same = { .password = &first },
				 empty = { .password = &none },
				 name = { .name = "Bob" };
	struct identity_of_user who, then;
	struct error e = ERROR_INIT;

	device_make();
	add_user("bob", "b", PRIVILEGE_CONFERENCE_LIST);
	CHECK_OK(
	    users_login(d.users, LOGIN_WEB, "bob", first, "::1", NOW, &who, &e),
	    &e);
	CHECK_OK(users_modify(d.users, "bob", &name, NOW, &e), &e);
	CHECK_OK(users_lookup(d.users, "bob", &then, &e), &e);
#define SAME_MARK \
	!memcmp(who.password_mark, then.password_mark, PASSWORD_MARK_SIZE)
	CU_ASSERT(SAME_MARK);
	/* The same words in the same second are another password. */
	CHECK_OK(users_modify(d.users, "bob", &same, NOW, &e), &e);
	CHECK_OK(users_lookup(d.users, "bob", &then, &e), &e);
	CU_ASSERT(!SAME_MARK);
	CHECK_OK(users_modify(d.users, "bob", &empty, NOW, &e), &e);
	CHECK_OK(users_lookup(d.users, "bob", &who, &e), &e);
	CU_ASSERT(!SAME_MARK);
	/* So is that of another account under the old name. */
	CHECK_OK(users_delete(d.users, "bob", NULL, &e), &e);
	add_user("bob", "", PRIVILEGE_CONFERENCE_LIST);
	CHECK_OK(users_lookup(d.users, "bob", &then, &e), &e);
	CU_ASSERT(!SAME_MARK);
#undef SAME_MARK
	device_close();
}

struct trail {
	int failed, passed, unread;
	char last[200];
};

static int note_event(void *arg, const struct audit_record *r, struct error *e)
{
	struct trail *t = arg;

	(void)e;
	t->failed += !strcmp(r->event, "loginFailed");
	t->passed += !strcmp(r->event, "login");
	t->unread += strstr(r->detail, "unread; refused: 1") != NULL;
	snprintf(t->last, sizeof(t->last), "%s|%s|%s|%s|%s", r->module,
		 r->event, r->user_name, r->peer, r->detail);
	return 0;
}

static struct trail read_trail(void)
{
	struct error e = ERROR_INIT;
	struct trail t = { 0 };

	CHECK_OK(audit_each(d.audit, 0, 1000, note_event, &t, &e), &e);
	return t;
}

static void test_failures_are_counted(void)
{
	struct error e = ERROR_INIT;
	int64_t before;
	struct trail t;

	device_make();
	add_user("bob", "b", PRIVILEGE_CONFERENCE_LIST);
	CHECK_FAILS(login(LOGIN_WEB, "bob", "x", &e), &e, ERR_AUTH, NULL);
	CU_ASSERT_EQUAL(row_of("bob").failures, 1);
	t = read_trail();
	CU_ASSERT_STRING_EQUAL(
	    t.last, "Web|loginFailed|bob|192.0.2.1|reason: wrong password");
	before = clock_monotonic_ms();
	CHECK_FAILS(login(LOGIN_API, "bob", "x", &e), &e, ERR_AUTH, NULL);
	CU_ASSERT(clock_monotonic_ms() - before >= 250);
	CU_ASSERT_EQUAL(row_of("bob").failures, 2);
	/* The right password waits too, and wipes the slate. */
	before = clock_monotonic_ms();
	CHECK_OK(login(LOGIN_API, "bob", "b", &e), &e);
	CU_ASSERT(clock_monotonic_ms() - before >= 500);
	CU_ASSERT_EQUAL(row_of("bob").failures, 0);
	t = read_trail();
	CU_ASSERT(t.failed == 2 && t.passed == 1);
	CU_ASSERT_STRING_EQUAL(t.last, "API|login|bob|192.0.2.1|failures: 2");
	CHECK_OK(login(LOGIN_API, "bob", "b", &e), &e);
	CU_ASSERT_EQUAL(read_trail().passed, 1);
	CHECK_OK(login(LOGIN_WEB, "bob", "b", &e), &e);
	CU_ASSERT_EQUAL(read_trail().passed, 2);
	CHECK_FAILS(login(LOGIN_WEB, "nobody", "b", &e), &e, ERR_AUTH, NULL);
	CU_ASSERT_STRING_EQUAL(
	    read_trail().last,
	    "Web|loginFailed|nobody|192.0.2.1|reason: no such account");
	device_close();
}

static void *guess_once(void *arg)
{
	struct error e = ERROR_INIT;

	(void)arg;
	CU_ASSERT_EQUAL(login(LOGIN_API, "nobody", "x", &e), -1);
	return NULL;
}

/* More at once than may wait: one record tells of the refusals. */
static void test_refusals_are_recorded(void)
{
	enum { THREADS = 8 };
	pthread_t threads[THREADS];
	struct error e = ERROR_INIT;
	struct trail t;

	device_make();
	for (int i = 0; i < 2; i++)
		CU_ASSERT_EQUAL(login(LOGIN_API, "nobody", "x", &e), -1);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, guess_once, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	t = read_trail();
	CU_ASSERT_EQUAL(t.unread, 1);
	CU_ASSERT(t.failed >= 2 + 4 + 1 && t.failed < 2 + THREADS);
	device_close();
}

/* A store that cannot be written lets nobody log in, and stops no program. */
static void test_login_without_disk(void)
{
	struct error e = ERROR_INIT;

	device_make();
	tamper(d.dir, "CREATE TRIGGER a BEFORE UPDATE ON account BEGIN"
		      " SELECT RAISE(FAIL, 'full'); END;"
		      "CREATE TRIGGER b BEFORE INSERT ON audit BEGIN"
		      " SELECT RAISE(FAIL, 'full'); END;");
	/* Nobody comes in without a record; calls of programs have none. */
	CHECK_FAILS(login(LOGIN_WEB, "admin", d.password, &e), &e, ERR_IO,
		    "no log-in without its record");
	CHECK_OK(login(LOGIN_API, "admin", d.password, &e), &e);
	CHECK_FAILS(login(LOGIN_WEB, "admin", "x", &e), &e, ERR_AUTH, NULL);
	CU_ASSERT_EQUAL(audit_lost(d.audit), 2);
	tamper(d.dir, "ALTER TABLE account RENAME TO elsewhere");
	CHECK_FAILS(login(LOGIN_WEB, "admin", d.password, &e), &e, ERR_IO,
		    NULL);
	device_close();
}

static void test_own_password(void)
{
	static const struct {
		const char *id, *current, *wanted;
		enum error_kind kind; /* ERR_NONE: done */
		const char *words;
	} rows[] = {
		{ "nobody", "b", "c", ERR_NO_USER, NULL },
		{ "guest", "", "c", ERR_CONFLICT, "guest" },
		{ "locked", "l", "c", ERR_CONFLICT, "locked" },
		{ "shut", "s", "c", ERR_NO_USER, NULL },
		{ "bob", "b", X31 "2", ERR_PASSWORD_RULES, "31" },
		{ "bob", "b", "b", ERR_PASSWORD_RULES, "old one" },
		{ "bob", "x", "c", ERR_AUTH, "current password" },
		{ "bob", "b", "c", ERR_NONE, NULL },
		{ "bob", "c", "c", ERR_NONE, NULL },
		{ "bob", "c", "", ERR_NONE, NULL },
		{ "bob", "x", "d", ERR_AUTH, "current password" },
		{ "bob", "", "d", ERR_NONE, NULL },
	};
	struct error e = ERROR_INIT;

	device_make();
	add_user("bob", "b", PRIVILEGE_CONFERENCE_LIST);
	add_user("locked", "l", PRIVILEGE_CONFERENCE_LIST);
	add_user("shut", "s", PRIVILEGE_CONFERENCE_LIST);
	CHECK_OK(users_modify(d.users, "bob",
			      &(struct user_change){ .force_change = &yes },
			      NOW, &e),
		 &e);
	CHECK_OK(users_modify(d.users, "locked",
			      &(struct user_change){ .lock_password = &yes },
			      NOW, &e),
		 &e);
	CHECK_OK(users_modify(d.users, "shut",
			      &(struct user_change){ .disabled = &yes }, NOW,
			      &e),
		 &e);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int rc;

		d.ended[0] = '\0';
		rc = users_change_own_password(
		    d.users, rows[i].id, view_str(rows[i].current),
		    view_str(rows[i].wanted), "::1", NOW + 9, &e);
		if (rc == 0 || rows[i].kind == ERR_NONE)
			CU_ASSERT_EQUAL(rc, rows[i].kind == ERR_NONE ? 0 : -1);
		if (rows[i].kind != ERR_NONE)
			unit_check_error(&e, rows[i].kind, rows[i].words,
					 __FILE__, __LINE__);
		CU_ASSERT_STRING_EQUAL(d.ended, rc == 0 ? "bob " : "");
		if (rc == 0)
			CU_ASSERT_FALSE(row_of("bob").force_change);
	}
	CU_ASSERT_EQUAL(row_of("bob").password_set_at, NOW + 9);
	CHECK_OK(login(LOGIN_WEB, "bob", "d", &e), &e);
	device_close();
}

/* --- threads */

static atomic_int wrong;

static void *login_on(void *arg)
{
	struct identity_of_user who;
	struct error e = ERROR_INIT;

	(void)arg;
	for (int i = 0; i < 6; i++)
		if (users_login(d.users, i % 2 ? LOGIN_WEB : LOGIN_API, "admin",
				view_str(d.password), "192.0.2.7", NOW + i,
				&who, &e) < 0)
			atomic_fetch_add(&wrong, 1);
	return NULL;
}

static void *fail_on(void *arg)
{
	struct identity_of_user who;
	struct error e = ERROR_INIT;

	(void)arg;
	for (int i = 0; i < 2; i++)
		if (users_login(d.users, LOGIN_WEB, "bob", view_str("x"),
				"192.0.2.8", NOW, &who, &e) == 0 ||
		    e.kind != ERR_AUTH)
			atomic_fetch_add(&wrong, 1);
	return NULL;
}

static void *change_on(void *arg)
{
	struct error e = ERROR_INIT;
	char name[16];
	struct user_change c = { .name = name };

	(void)arg;
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		if (users_modify(d.users, "admin", &c, NOW, &e) < 0 ||
		    users_modify(d.users, "bob", &c, NOW, &e) < 0)
			atomic_fetch_add(&wrong, 1);
	}
	return NULL;
}

static void test_threads(void)
{
	void *(*const work[])(void *) = { login_on, login_on, fail_on, fail_on,
					  change_on };
	pthread_t threads[5];
	struct error e = ERROR_INIT;
	struct audit_verdict v;

	device_make();
	add_user("bob", "b", PRIVILEGE_CONFERENCE_LIST);
	atomic_store(&wrong, 0);
	for (int i = 0; i < 5; i++)
		pthread_create(&threads[i], NULL, work[i], NULL);
	for (int i = 0; i < 5; i++)
		pthread_join(threads[i], NULL);
	CU_ASSERT_EQUAL(atomic_load(&wrong), 0);
	/* No change was lost under the counts of the log-ins. */
	CU_ASSERT_STRING_EQUAL(row_of("admin").name, "n19");
	CU_ASSERT_STRING_EQUAL(row_of("bob").name, "n19");
	CU_ASSERT_EQUAL(row_of("bob").failures, 4);
	CHECK_OK(audit_verify(d.audit, &v, &e), &e);
	CU_ASSERT_TRUE(v.intact);
	device_close();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "password rules", test_password_rules },
		{ "password hashes", test_password_hash },
		{ "many hashes at once", test_many_hashes },
		{ "delays grow", test_delays },
		{ "the guard counts", test_guard_counts },
		{ "few may wait", test_guard_waiting },
		{ "places are kept", test_guard_keeps_places },
		{ "refusals are told", test_guard_tells_refusals },
		{ "initial password", test_initial_password },
		{ "privileges", test_privileges },
		{ "built-in accounts", test_built_in },
		{ "refused accounts", test_add_refusals },
		{ "a password is needed", test_password_is_needed },
		{ "defaults of an account", test_add_defaults },
		{ "at most 200 accounts", test_at_most_200 },
		{ "changes of accounts", test_modify },
		{ "somebody is left", test_invariants },
		{ "log-ins by both doors", test_login_rows },
		{ "hostile log-ins", test_login_hostile },
		{ "what a log-in gives", test_login_result },
		{ "the mark of a password", test_password_mark },
		{ "refusals are recorded", test_refusals_are_recorded },
		{ "failures are counted", test_failures_are_counted },
		{ "log-in without a disk", test_login_without_disk },
		{ "own password", test_own_password },
		{ "threads", test_threads },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "auth", tests, NULL, NULL);
}
