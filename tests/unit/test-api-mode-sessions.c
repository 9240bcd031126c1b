/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Client certificate security: browser sessions. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/modes_fixture.h"

static struct value *members(const char *user, const char *password)
{
	struct value *s = value_new_struct();

	if (user)
		value_put_string(s, "userName", user);
	if (password)
		value_put_string(s, "password", password);
	return s;
}

struct web_session {
	char id[SESSION_ID_SIZE], csrf[SESSION_ID_SIZE];
	char via[16];
};

/* The fault code; 0 fills out. */
static int log_in(struct door d, struct value *with, struct web_session *out)
{
	struct answer a;
	int code;

	call_by(&d, "session.login", with, &a);
	code = a.response.fault_code;
	memcpy(out->id, a.set_session, SESSION_ID_SIZE);
	snprintf(out->csrf, sizeof(out->csrf), "%s", text_of(&a, "csrfToken"));
	answer_free(&a);
	if (code)
		return code;
	d.session_id = out->id;
	d.csrf_token = out->csrf;
	call_by(&d, "session.query", NULL, &a);
	CU_ASSERT_EQUAL(a.response.fault_code, 0);
	snprintf(out->via, sizeof(out->via), "%s", text_of(&a, "via"));
	CU_ASSERT(value_int(value_member(a.response.result,
					 "idleSecondsLeft")) > 1700);
	answer_free(&a);
	return 0;
}

static int use(struct door d, const struct web_session *s)
{
	d.session_id = s->id;
	d.csrf_token = s->csrf;
	return fault_of(&d, "device.query", NULL, NULL);
}

/* By session.login instead of members: the same table, as sessions. */
static char logged_in(const struct door *d)
{
	struct web_session s;
	struct door bare = *d;
	int code;

	bare.user = bare.password = NULL;
	code = log_in(bare, members(d->user, d->password), &s);
	if (code)
		return code == 14 ? '-' : '?';
	CU_ASSERT_EQUAL(use(bare, &s), 0);
	return !strcmp(s.via, "certificate") ? 'a' : 'b';
}

static void test_web_login(void)
{
	reset();
	for (size_t i = 0; i < CALL_ROWS; i++) {
		if (call_rows[i].way != HTTP && call_rows[i].way != HTTPS)
			continue;
		set_mode(call_rows[i].mode);
		for (int b = 0; b < BEARERS; b++)
			check_row(&call_rows[i], b, logged_in);
	}
}

/* Bound to the very certificate. */
static void test_session_bound(void)
{
	struct client_certificate ann = certificate(ANN), other = ann;
	struct client_certificate none = certificate(NONE);
	struct door d = { .certificate = &ann };
	struct web_session s;

	reset();
	set_mode(CERTIFICATE_ALLOWED);
	CU_ASSERT_EQUAL(log_in(d, NULL, &s), 0);
	CU_ASSERT_STRING_EQUAL(s.via, "certificate");
	CU_ASSERT_EQUAL(use(d, &s), 0);
	/* Without one it is refused, and stays: the next connection may have
	 * it again. */
	d.certificate = &none;
	CU_ASSERT_EQUAL(use(d, &s), 14);
	d.certificate = &ann;
	CU_ASSERT_EQUAL(use(d, &s), 0);
	d.plain = true;
	d.certificate = &none;
	CU_ASSERT_EQUAL(use(d, &s), 14);
	d.plain = false;
	d.certificate = &ann;
	CU_ASSERT_EQUAL(use(d, &s), 14);
	/* Another one of the same name. */
	CU_ASSERT_EQUAL(log_in(d, NULL, &s), 0);
	other.sha256[31] ^= 1;
	d.certificate = &other;
	CU_ASSERT_EQUAL(use(d, &s), 14);
	d.certificate = &ann;
	CU_ASSERT_EQUAL(use(d, &s), 14);
	/* A page without its cookie does not go on by the certificate alone. */
	CU_ASSERT_EQUAL(fault_of(&d, "device.query", NULL, NULL), 0);
	d.csrf_token = s.csrf;
	CU_ASSERT_EQUAL(fault_of(&d, "device.query", NULL, "no such session"),
			14);
	d.csrf_token = NULL;
	/* The token of the page is needed all the same. */
	CU_ASSERT_EQUAL(log_in(d, NULL, &s), 0);
	s.csrf[0] ^= 1;
	CU_ASSERT_EQUAL(use(d, &s), 14);
}

/* What becomes of a session when the mode changes: y goes on, - ends. */
static void test_mode_change(void)
{
	static const struct {
		enum certificate_mode before;
		enum doorway way;
		enum bearer bearer;
		const char *after; /* by mode */
	} rows[] = {
		{ CERTIFICATE_NOT_REQUIRED, HTTP, NONE, "yyy-" },
		{ CERTIFICATE_NOT_REQUIRED, HTTPS, STRANGER, "yyy-" },
		{ CERTIFICATE_NOT_REQUIRED, HTTPS, NONE, "y---" },
		{ CERTIFICATE_VERIFY, HTTPS, ANN, "yy--" },
		{ CERTIFICATE_VERIFY, HTTPS, STRANGER, "yyy-" },
		{ CERTIFICATE_ALLOWED, HTTPS, ANN, "--yy" },
		{ CERTIFICATE_ALLOWED, HTTPS, STRANGER, "yyy-" },
		{ CERTIFICATE_REQUIRED, HTTPS, ANN, "--yy" },
	};

	reset();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (int m = 0; m < CERTIFICATE_MODE_COUNT; m++) {
			struct client_certificate c =
			    certificate(rows[i].bearer);
			struct door d = door_for(rows[i].way, NO_MEMBERS, &c);
			struct web_session s;

			set_mode(rows[i].before);
			CU_ASSERT_EQUAL(log_in(d, members("bob", RIGHT), &s),
					0);
			set_mode(m);
			CU_ASSERT_EQUAL(use(d, &s),
					rows[i].after[m] == 'y' ? 0 : 14);
			/* What has ended does not come back; that a connection
			 * lacks a certificate ends nothing. */
			set_mode(rows[i].before);
			if (rows[i].after[m] != 'y' && rows[i].bearer != NONE)
				CU_ASSERT_EQUAL(use(d, &s), 14);
		}
	set_mode(CERTIFICATE_NOT_REQUIRED);
}

static void test_disabled_meanwhile(void)
{
	struct client_certificate ann = certificate(ANN);
	struct door d = { .certificate = &ann };
	struct web_session s;

	reset();
	set_mode(CERTIFICATE_REQUIRED);
	CU_ASSERT_EQUAL(log_in(d, NULL, &s), 0);
	set_disabled("ann", true);
	CU_ASSERT_EQUAL(use(d, &s), 14);
	CU_ASSERT_EQUAL(fault_of(&d, "session.login", NULL, "disabled"), 14);
	set_disabled("ann", false);
	CU_ASSERT_EQUAL(use(d, &s), 14);
	CU_ASSERT_EQUAL(log_in(d, NULL, &s), 0);
}

/* Asking who is logged in does not keep him so. */
static void test_query_is_no_use(void)
{
	struct door d = door_for(HTTPS, NO_MEMBERS, NULL);
	struct web_session s;
	struct answer a;

	reset();
	CU_ASSERT_EQUAL(log_in(d, members("bob", RIGHT), &s), 0);
	d.session_id = s.id;
	clock_set_offset(1000);
	call_by(&d, "session.query", NULL, &a);
	CU_ASSERT(value_int(value_member(a.response.result,
					 "idleSecondsLeft")) <= 800);
	answer_free(&a);
	CU_ASSERT_EQUAL(use(d, &s), 0);
	call_by(&d, "session.query", NULL, &a);
	CU_ASSERT(value_int(value_member(a.response.result,
					 "idleSecondsLeft")) > 1700);
	answer_free(&a);
	clock_set_offset(0);
}

static void test_login_way(void)
{
	static const struct {
		enum certificate_mode mode;
		enum doorway way;
		enum bearer bearer;
		const char *is, *reason, *user;
	} rows[] = {
		{ CERTIFICATE_NOT_REQUIRED, HTTP, NONE, "password", "", "" },
		{ CERTIFICATE_NOT_REQUIRED, HTTPS, ANN, "password", "", "" },
		{ CERTIFICATE_VERIFY, HTTPS, NONE, "none",
		  "no client certificate", "" },
		{ CERTIFICATE_VERIFY, HTTPS, STRANGER, "password", "", "" },
		{ CERTIFICATE_VERIFY, HTTPS, ANN, "password", "", "ann" },
		{ CERTIFICATE_ALLOWED, HTTP, NONE, "password", "", "" },
		{ CERTIFICATE_ALLOWED, HTTPS, STRANGER, "password",
		  "no user is named", "" },
		{ CERTIFICATE_ALLOWED, HTTPS, UNNAMED, "password",
		  "2 common names", "" },
		{ CERTIFICATE_ALLOWED, HTTPS, ANN, "certificate", "", "ann" },
		{ CERTIFICATE_ALLOWED, HTTPS, DISABLED, "none", "disabled",
		  "shut" },
		{ CERTIFICATE_REQUIRED, HTTP, NONE, "none", "plain HTTP", "" },
		{ CERTIFICATE_REQUIRED, HTTPS, STRANGER, "none",
		  "no user is named", "" },
		{ CERTIFICATE_REQUIRED, HTTPS, ANN, "certificate", "", "ann" },
		{ CERTIFICATE_REQUIRED, HTTPS, EXPIRED, "none", "expired", "" },
	};

	reset();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct client_certificate c = certificate(rows[i].bearer);
		struct door d = door_for(rows[i].way, NO_MEMBERS, &c);
		struct answer a;

		set_mode(rows[i].mode);
		call_by(&d, "session.loginWay", NULL, &a);
		CU_ASSERT_EQUAL(a.response.fault_code, 0);
		CU_ASSERT_STRING_EQUAL(text_of(&a, "way"), rows[i].is);
		CU_ASSERT_STRING_EQUAL(text_of(&a, "userName"), rows[i].user);
		CU_ASSERT_STRING_EQUAL(text_of(&a, "clientCertificateMode"),
				       certificate_mode_name(rows[i].mode));
		CU_ASSERT_PTR_NOT_NULL(
		    strstr(text_of(&a, "reason"), rows[i].reason));
		CU_ASSERT_EQUAL(!rows[i].reason[0], !text_of(&a, "reason")[0]);
		answer_free(&a);
	}
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "web log-in", test_web_login },
		{ "session of a certificate", test_session_bound },
		{ "sessions and a change of mode", test_mode_change },
		{ "account disabled meanwhile", test_disabled_meanwhile },
		{ "asking is no use", test_query_is_no_use },
		{ "ways to log in", test_login_way },
		{ 0 },
	};

	return unit_main(argc, argv, "api-mode-sessions", tests,
			 api_device_open, api_device_close);
}
