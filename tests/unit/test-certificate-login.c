/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Client certificate security: the table itself, accounts, and who would lock
 * himself out. */
#include <string.h>

#include "base/clock.h"
#include "tests/unit/modes_fixture.h"

/* A row a mode; none, trusted and matching for each of HTTP, HTTPS, local:
 * p by password, c by certificate, - refused. */
static const char *const table[CERTIFICATE_MODE_COUNT] = {
	[CERTIFICATE_NOT_REQUIRED] = "ppp ppp ppp",
	[CERTIFICATE_VERIFY] = "ppp -pp ppp",
	[CERTIFICATE_ALLOWED] = "ppp -pc ppp",
	[CERTIFICATE_REQUIRED] = "--- --c ---",
};

static void test_table(void)
{
	static const char letters[] = { [LOGIN_REFUSED] = '-',
					[LOGIN_BY_PASSWORD] = 'p',
					[LOGIN_BY_CERTIFICATE] = 'c' };

	for (int m = 0; m < CERTIFICATE_MODE_COUNT; m++)
		for (int d = 0; d < DOOR_COUNT; d++)
			for (int o = 0; o < OFFER_COUNT; o++) {
				const struct certificate_rule *r =
				    certificate_mode_rule(m, d, o);

				CU_ASSERT_EQUAL(letters[r->way],
						table[m][4 * d + o]);
				CU_ASSERT_EQUAL(r->way == LOGIN_REFUSED,
						r->why != NULL);
			}
}

static void test_mode_in_force(void)
{
	struct settings *s = device.services.settings;

	reset();
	CU_ASSERT_EQUAL(certificate_mode_in_force(s), CERTIFICATE_NOT_REQUIRED);
	for (int m = 0; m < CERTIFICATE_MODE_COUNT; m++) {
		set_mode(m);
		CU_ASSERT_EQUAL(certificate_mode_in_force(s), m);
	}
}

/* --- accounts */

static struct user_row row_of(const char *id)
{
	struct error e = ERROR_INIT;
	struct user_row row = { 0 };

	CHECK_OK(store_user_get(device.services.store, id, &row, &e), &e);
	return row;
}

static int by_certificate(const char *name, time_t now,
			  struct identity_of_user *out, struct error *e)
{
	struct client_certificate c = certificate_of(name, 50);

	return users_login_by_certificate(device.services.users, LOGIN_WEB, &c,
					  "192.0.2.9", now, out, e);
}

static void test_names(void)
{
	static const struct {
		const char *name;
		enum error_kind kind;
	} rows[] = {
		{ "ann", ERR_NONE },      { "Ann", ERR_NO_USER },
		{ "ANN", ERR_NO_USER },   { "ann ", ERR_NO_USER },
		{ " ann", ERR_NO_USER },  { "an", ERR_NO_USER },
		{ "anna", ERR_NO_USER },  { "", ERR_NO_USER },
		{ "admin", ERR_NONE },    { "guest", ERR_AUTH },
		{ "shut", ERR_AUTH },     { "ann%", ERR_NO_USER },
		{ "a_n", ERR_NO_USER },   { "'; --", ERR_NO_USER },
		{ "local", ERR_NO_USER },
	};

	reset();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct identity_of_user who;
		struct error e = ERROR_INIT;
		struct client_certificate c = certificate_of(rows[i].name, 50);
		int rc;

		if (!rows[i].name[0])
			strcpy(c.login.reason, "the common name is empty");
		rc = users_login_by_certificate(device.services.users,
						LOGIN_WEB, &c, "192.0.2.9",
						clock_now(), &who, &e);

		CU_ASSERT_EQUAL(rc == 0, rows[i].kind == ERR_NONE);
		CU_ASSERT_EQUAL(e.kind, rows[i].kind);
		CU_ASSERT_STRING_EQUAL(who.id, rc == 0 ? rows[i].name : "");
		CU_ASSERT_EQUAL(e.text[0] != '\0', rc != 0);
	}
}

static void test_use_counts(void)
{
	time_t now = clock_now() + 1000;
	struct identity_of_user who;
	struct error e = ERROR_INIT;
	struct user_row row;
	int64_t set_at;

	reset();
	row = row_of("ann");
	set_at = row.password_set_at;
	row.failures = 2;
	row.force_change = true;
	CHECK_OK(store_user_update(device.services.store, &row, &e), &e);
	CHECK_OK(by_certificate("ann", now, &who, &e), &e);
	CU_ASSERT(!who.must_change_password);
	CU_ASSERT_EQUAL(who.privilege, PRIVILEGE_ADMINISTRATOR);
	row = row_of("ann");
	CU_ASSERT_EQUAL(row.last_login_at, now);
	CU_ASSERT_EQUAL(row.failures, 0);
	CU_ASSERT(row.force_change);
	/* The password is as old as before. */
	CU_ASSERT_EQUAL(row.password_set_at, set_at);
	row.force_change = false;
	CHECK_OK(store_user_update(device.services.store, &row, &e), &e);
}

/* Under the rules of the advanced mode: an old password is no matter, an
 * account that nobody has used is closed. */
static void test_advanced(void)
{
	const time_t day = 24 * 60 * 60;
	time_t now = clock_now();
	struct identity_of_user who;
	struct error e = ERROR_INIT;

	reset();
	CHECK_OK(by_certificate("low", now, &who, &e), &e);
	set(SETTING_ADVANCED_ACCOUNTS, "yes");
	for (int days = 29; days <= 87; days += 29)
		CHECK_OK(by_certificate("low", now + days * day, &who, &e), &e);
	CU_ASSERT(!who.must_change_password);
	CHECK_FAILS(by_certificate("low", now + 120 * day, &who, &e), &e,
		    ERR_AUTH, NULL);
	set(SETTING_ADVANCED_ACCOUNTS, "no");
}

static void test_audit(void)
{
	struct client_certificate c = certificate_of("shut", 60);
	struct users *u = device.services.users;
	size_t logins = count_audit("login", "Web", "ann", "subject: ");
	size_t web = count_audit("loginFailed", "Web", "shut", "disabled");
	size_t refused = count_audit("loginFailed", "API", "shut", "disabled");
	struct identity_of_user who;
	struct error e = ERROR_INIT;

	reset();
	CHECK_OK(by_certificate("ann", clock_now(), &who, &e), &e);
	CU_ASSERT_EQUAL(count_audit("login", "Web", "ann", "subject: "),
			logins + 1);
	/* A program that does not give up fills no log; each certificate
	 * is told of, and each door. */
	for (int i = 0; i < 5; i++) {
		error_clear(&e);
		CHECK_FAILS(users_login_by_certificate(u, LOGIN_API, &c, "x",
						       clock_now(), &who, &e),
			    &e, ERR_AUTH, NULL);
	}
	CU_ASSERT_EQUAL(count_audit("loginFailed", "API", "shut", "disabled"),
			refused + 1);
	c.sha256[5] ^= 1;
	error_clear(&e);
	CHECK_FAILS(users_login_by_certificate(u, LOGIN_API, &c, "x",
					       clock_now(), &who, &e),
		    &e, ERR_AUTH, NULL);
	CU_ASSERT_EQUAL(count_audit("loginFailed", "API", "shut", "disabled"),
			refused + 2);
	users_certificate_refused(u, LOGIN_WEB, &c, "x", "disabled");
	CU_ASSERT_EQUAL(count_audit("loginFailed", "Web", "shut", "disabled"),
			web + 1);
}

/* --- who would lock himself out */

static void test_check_caller(void)
{
	/* By mode: y still gets in, - does not. */
	static const struct {
		enum certificate_door door;
		enum bearer bearer;
		const char *modes;
	} rows[] = {
		{ DOOR_HTTP, NONE, "yyy-" },
		{ DOOR_HTTP, ANN, "yyy-" },
		{ DOOR_HTTPS, NONE, "y---" },
		{ DOOR_HTTPS, STRANGER, "yyy-" },
		{ DOOR_HTTPS, UNNAMED, "yyy-" },
		{ DOOR_HTTPS, ANN, "yyyy" },
		{ DOOR_HTTPS, DISABLED, "yy--" },
		{ DOOR_LOCAL, NONE, "yyy-" },
	};
	struct client_certificate low = certificate_of("low", 70);
	struct users *u = device.services.users;
	struct error e = ERROR_INIT;

	reset();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (int m = 0; m < CERTIFICATE_MODE_COUNT; m++) {
			struct client_certificate c =
			    certificate(rows[i].bearer);

			error_clear(&e);
			if (rows[i].modes[m] == 'y')
				CHECK_OK(certificate_mode_check_caller(
					     u, m, rows[i].door, &c, &e),
					 &e);
			else
				CHECK_FAILS(certificate_mode_check_caller(
						u, m, rows[i].door, &c, &e),
					    &e, ERR_LOCK_OUT, NULL);
		}
	CHECK_FAILS(certificate_mode_check_caller(u, CERTIFICATE_VERIFY,
						  DOOR_HTTPS, NULL, &e),
		    &e, ERR_LOCK_OUT, "no client certificate");
	CHECK_FAILS(certificate_mode_check_caller(u, CERTIFICATE_REQUIRED,
						  DOOR_HTTPS, &low, &e),
		    &e, ERR_LOCK_OUT, "no administrator");
	CHECK_FAILS(certificate_mode_check_caller(u, CERTIFICATE_REQUIRED,
						  DOOR_LOCAL, NULL, &e),
		    &e, ERR_LOCK_OUT, "console");
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "table", test_table },
		{ "mode in force", test_mode_in_force },
		{ "names", test_names },
		{ "use counts", test_use_counts },
		{ "advanced account security", test_advanced },
		{ "audit trail", test_audit },
		{ "who would lock himself out", test_check_caller },
		{ 0 },
	};

	return unit_main(argc, argv, "certificate-login", tests,
			 api_device_open, api_device_close);
}
