/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Client certificate security: every cell of facts 1.6, from the pure table up
 * to calls. */
#include <stdio.h>
#include <string.h>

#include "api/authenticate.h"
#include "base/clock.h"
#include "tests/unit/api_fixture.h"

#define RIGHT "Right pass 1"

/* --- certificates of connections */

enum bearer { NONE, STRANGER, ANN, DISABLED, UNNAMED, EXPIRED, BEARERS };

static struct client_certificate certificate_of(const char *name, uint8_t mark)
{
	struct client_certificate c = { .present = true,
					.expires = clock_now() + 86400 };

	snprintf(c.login.name, sizeof(c.login.name), "%s", name);
	snprintf(c.subject, sizeof(c.subject), "CN=%s,O=Test", name);
	memset(c.sha256, mark, sizeof(c.sha256));
	return c;
}

static struct client_certificate certificate(enum bearer b)
{
	static const char *const names[BEARERS] = { "",     "stranger", "ann",
						    "shut", "",         "ann" };
	struct client_certificate c =
	    certificate_of(names[b], (uint8_t)(b + 1));

	if (b == NONE)
		memset(&c, 0, sizeof(c));
	if (b == UNNAMED)
		strcpy(c.login.reason, "the subject has 2 common names");
	if (b == EXPIRED)
		c.expires = clock_now() - 1;
	return c;
}

/* --- the device under test */

static void set(enum setting_id id, const char *value)
{
	struct error e = ERROR_INIT;

	CHECK_OK(settings_set(device.services.settings, id, value, &e), &e);
}

static void set_mode(enum certificate_mode mode)
{
	set(SETTING_CLIENT_CERTIFICATE, certificate_mode_name(mode));
}

static void modify(const char *id, const struct user_change *c)
{
	struct error e = ERROR_INIT;

	CHECK_OK(users_modify(device.services.users, id, c, clock_now(), &e),
		 &e);
}

static void set_disabled(const char *id, bool disabled)
{
	const struct user_change c = { .disabled = &disabled };

	modify(id, &c);
}

/* As they were before each test: ann is an administrator, bob has a password
 * that he types, shut is disabled. */
static void reset(void)
{
	static bool made;

	set_mode(CERTIFICATE_NOT_REQUIRED);
	set(SETTING_CONSOLE_REQUIRE_LOGIN, "no");
	set(SETTING_ADVANCED_ACCOUNTS, "no");
	if (made)
		return;
	make_user("ann", PRIVILEGE_ADMINISTRATOR);
	make_user("bob", PRIVILEGE_ADMINISTRATOR);
	make_user("low", PRIVILEGE_CONFERENCE_DETAIL);
	make_user("shut", PRIVILEGE_ADMINISTRATOR);
	set_disabled("shut", true);
	made = true;
}

/* --- the table */

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

/* --- calls */

enum doorway { HTTP, HTTPS, LOCAL, LOCAL_LOGIN, DOORWAYS };
enum members { NO_MEMBERS, RIGHT_MEMBERS, WRONG_MEMBERS, MEMBERS };

/* A wrong password comes from somewhere else each time, for somebody else:
 * none has to wait for those before it. */
static struct door door_for(enum doorway way, enum members members,
			    const struct client_certificate *c)
{
	static const enum peer_via vias[DOORWAYS] = { PEER_HTTP, PEER_HTTPS,
						      PEER_CONTROL,
						      PEER_CONTROL };
	struct door d = { .via = vias[way],
			  .certificate = c,
			  .plain = way == HTTP,
			  .address = way < LOCAL ? NULL : "local" };
	static char address[32], user[32];
	static int attempts;

	if (members == RIGHT_MEMBERS) {
		d.user = "bob";
		d.password = RIGHT;
	}
	if (members == WRONG_MEMBERS) {
		attempts++;
		snprintf(address, sizeof(address), "192.0.2.%d", attempts);
		snprintf(user, sizeof(user), "bob%d", attempts);
		d.address = address;
		d.user = user;
		d.password = RIGHT;
	}
	set(SETTING_CONSOLE_REQUIRE_LOGIN, way == LOCAL_LOGIN ? "yes" : "no");
	return d;
}

/* Who the service takes the caller for: a by certificate, b by password, l the
 * local administrator, - refused (fault 14). */
static char caller_of(const struct door *d)
{
	struct answer a;
	char who = '?';

	call_by(d, "session.query", NULL, &a);
	if (a.response.fault_code == 14)
		who = '-';
	else if (a.response.fault_code == 0)
		who = text_of(&a, "userName")[0];
	if (who == 'a')
		CU_ASSERT_STRING_EQUAL(text_of(&a, "via"), "certificate");
	if (who == 'b')
		CU_ASSERT_STRING_EQUAL(text_of(&a, "via"), "password");
	answer_free(&a);
	return who;
}

/* Each cell: without members, with right ones, with wrong ones. */
static const struct call_row {
	enum certificate_mode mode;
	enum doorway way;
	const char *cells[BEARERS];
} call_rows[] = {
	{ CERTIFICATE_NOT_REQUIRED,
	  HTTP,
	  { "-b-", "-b-", "-b-", "-b-", "-b-", "-b-" } },
	{ CERTIFICATE_NOT_REQUIRED,
	  HTTPS,
	  { "-b-", "-b-", "-b-", "-b-", "-b-", "-b-" } },
	{ CERTIFICATE_NOT_REQUIRED,
	  LOCAL,
	  { "lb-", "lb-", "lb-", "lb-", "lb-", "lb-" } },
	{ CERTIFICATE_NOT_REQUIRED,
	  LOCAL_LOGIN,
	  { "-b-", "-b-", "-b-", "-b-", "-b-", "-b-" } },
	{ CERTIFICATE_VERIFY,
	  HTTP,
	  { "-b-", "-b-", "-b-", "-b-", "-b-", "-b-" } },
	{ CERTIFICATE_VERIFY,
	  HTTPS,
	  { "---", "-b-", "-b-", "-b-", "-b-", "---" } },
	{ CERTIFICATE_VERIFY,
	  LOCAL,
	  { "lb-", "lb-", "lb-", "lb-", "lb-", "lb-" } },
	{ CERTIFICATE_VERIFY,
	  LOCAL_LOGIN,
	  { "-b-", "-b-", "-b-", "-b-", "-b-", "-b-" } },
	{ CERTIFICATE_ALLOWED,
	  HTTP,
	  { "-b-", "-b-", "-b-", "-b-", "-b-", "-b-" } },
	{ CERTIFICATE_ALLOWED,
	  HTTPS,
	  { "---", "-b-", "aaa", "---", "-b-", "---" } },
	{ CERTIFICATE_ALLOWED,
	  LOCAL,
	  { "lb-", "lb-", "lb-", "lb-", "lb-", "lb-" } },
	{ CERTIFICATE_ALLOWED,
	  LOCAL_LOGIN,
	  { "-b-", "-b-", "-b-", "-b-", "-b-", "-b-" } },
	{ CERTIFICATE_REQUIRED,
	  HTTP,
	  { "---", "---", "---", "---", "---", "---" } },
	{ CERTIFICATE_REQUIRED,
	  HTTPS,
	  { "---", "---", "aaa", "---", "---", "---" } },
	{ CERTIFICATE_REQUIRED,
	  LOCAL,
	  { "lb-", "lb-", "lb-", "lb-", "lb-", "lb-" } },
	{ CERTIFICATE_REQUIRED,
	  LOCAL_LOGIN,
	  { "---", "---", "---", "---", "---", "---" } },
};

enum { CALL_ROWS = sizeof(call_rows) / sizeof(*call_rows) };

static void check_row(const struct call_row *row, enum bearer b,
		      char (*who_of)(const struct door *d))
{
	struct client_certificate c = certificate(b);
	char got[MEMBERS + 1] = "";

	for (int m = 0; m < MEMBERS; m++) {
		struct door d = door_for(row->way, m, &c);

		got[m] = who_of(&d);
	}
	if (strcmp(got, row->cells[b]) != 0)
		unit_note("mode %d, door %d, bearer %d: %s, wanted %s",
			  row->mode, row->way, b, got, row->cells[b]);
	CU_ASSERT_STRING_EQUAL(got, row->cells[b]);
}

static void test_calls(void)
{
	CU_ASSERT_EQUAL(CALL_ROWS, CERTIFICATE_MODE_COUNT * DOORWAYS);
	reset();
	for (size_t i = 0; i < CALL_ROWS; i++) {
		set_mode(call_rows[i].mode);
		for (int b = 0; b < BEARERS; b++)
			check_row(&call_rows[i], b, caller_of);
	}
}

/* Methods that need no log-in: everywhere but where nobody gets in; the
 * control socket serves them always. */
static char answers(const struct door *d)
{
	return fault_of(d, "system.listMethods", NULL, NULL) == 0 ? 'y' : '-';
}

static void test_open_methods(void)
{
	static const struct call_row rows[] = {
		{ CERTIFICATE_NOT_REQUIRED,
		  HTTP,
		  { "yyy", "yyy", "yyy", "yyy", "yyy", "yyy" } },
		{ CERTIFICATE_NOT_REQUIRED,
		  HTTPS,
		  { "yyy", "yyy", "yyy", "yyy", "yyy", "yyy" } },
		{ CERTIFICATE_VERIFY,
		  HTTPS,
		  { "---", "yyy", "yyy", "yyy", "yyy", "---" } },
		{ CERTIFICATE_ALLOWED,
		  HTTP,
		  { "yyy", "yyy", "yyy", "yyy", "yyy", "yyy" } },
		{ CERTIFICATE_ALLOWED,
		  HTTPS,
		  { "---", "yyy", "yyy", "yyy", "yyy", "---" } },
		{ CERTIFICATE_REQUIRED,
		  HTTP,
		  { "---", "---", "---", "---", "---", "---" } },
		{ CERTIFICATE_REQUIRED,
		  HTTPS,
		  { "---", "---", "yyy", "yyy", "---", "---" } },
		{ CERTIFICATE_REQUIRED,
		  LOCAL_LOGIN,
		  { "yyy", "yyy", "yyy", "yyy", "yyy", "yyy" } },
	};

	reset();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		set_mode(rows[i].mode);
		for (int b = 0; b < BEARERS; b++)
			check_row(&rows[i], b, answers);
	}
}

static void test_texts(void)
{
	static const struct {
		enum certificate_mode mode;
		enum doorway way;
		enum bearer bearer;
		const char *words;
		bool closes;
	} rows[] = {
		{ CERTIFICATE_VERIFY, HTTPS, NONE, "no client certificate",
		  true },
		{ CERTIFICATE_ALLOWED, HTTPS, NONE, "no client certificate",
		  true },
		{ CERTIFICATE_REQUIRED, HTTPS, NONE, "no client certificate",
		  true },
		{ CERTIFICATE_VERIFY, HTTPS, EXPIRED, "has expired", true },
		{ CERTIFICATE_REQUIRED, HTTP, NONE, "plain HTTP are blocked",
		  false },
		{ CERTIFICATE_REQUIRED, HTTPS, STRANGER,
		  "no user is named \"stranger\"", false },
		{ CERTIFICATE_REQUIRED, HTTPS, UNNAMED, "2 common names",
		  false },
		{ CERTIFICATE_REQUIRED, HTTPS, DISABLED, "disabled", false },
		{ CERTIFICATE_ALLOWED, HTTPS, STRANGER,
		  "user name and a password are needed", false },
		{ CERTIFICATE_ALLOWED, HTTPS, UNNAMED, "2 common names",
		  false },
		{ CERTIFICATE_ALLOWED, HTTPS, DISABLED, "disabled", false },
		{ CERTIFICATE_VERIFY, HTTPS, STRANGER, "authorization failed",
		  false },
		{ CERTIFICATE_VERIFY, LOCAL_LOGIN, NONE,
		  "Require administrator login", false },
		{ CERTIFICATE_REQUIRED, LOCAL_LOGIN, NONE, "rescue", false },
	};

	reset();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct client_certificate c = certificate(rows[i].bearer);
		struct door d = door_for(rows[i].way, NO_MEMBERS, &c);
		struct answer a;

		set_mode(rows[i].mode);
		CU_ASSERT_EQUAL(
		    fault_of(&d, "device.query", NULL, rows[i].words), 14);
		call_by(&d, "device.query", NULL, &a);
		CU_ASSERT_EQUAL(a.close, rows[i].closes);
		answer_free(&a);
	}
}

/* A foreign page can make a browser send its certificate along, but not with
 * the content type of XML. */
static void test_needs_content_type(void)
{
	struct client_certificate c = certificate(ANN);
	struct door d = { .certificate = &c, .without_type = true };

	reset();
	set_mode(CERTIFICATE_ALLOWED);
	CU_ASSERT_EQUAL(fault_of(&d, "device.query", NULL, "Content-Type"), 14);
	set_mode(CERTIFICATE_NOT_REQUIRED);
	d.user = "bob";
	d.password = RIGHT;
	CU_ASSERT_EQUAL(fault_of(&d, "device.query", NULL, NULL), 0);
}

/* The account decides what its bearer may do, and a password that must be
 * changed is no matter. */
static void test_rights(void)
{
	struct client_certificate ann = certificate(ANN);
	struct client_certificate low = certificate_of("low", 40);
	struct door d = { .certificate = &ann };
	const bool yes = true, no = false;
	const struct user_change force = { .force_change = &yes };
	const struct user_change unforce = { .force_change = &no };

	reset();
	set_mode(CERTIFICATE_REQUIRED);
	CU_ASSERT_EQUAL(fault_of(&d, "user.enumerate", NULL, NULL), 0);
	modify("ann", &force);
	CU_ASSERT_EQUAL(fault_of(&d, "user.enumerate", NULL, NULL), 0);
	modify("ann", &unforce);
	d.certificate = &low;
	CU_ASSERT_EQUAL(
	    fault_of(&d, "user.enumerate", NULL, "insufficient privileges"),
	    15);
	CU_ASSERT_EQUAL(count_audit("accessDenied", "API", "low", ""), 1);
}

/* Root's own methods, whatever is asked of others. */
static void test_local_root(void)
{
	static const struct method row = {
		.name = "x",
		.privilege = PRIVILEGE_ADMINISTRATOR,
		.flags = METHOD_LOCAL_ROOT,
	};
	struct web_request rq = { .peer = { .via = PEER_CONTROL } };
	struct value *none = value_new_struct();
	struct web_reply reply = { 0 };
	struct call c = { .services = &device.services,
			  .request = &rq,
			  .reply = &reply,
			  .method = &row,
			  .params = none };
	enum fault_code code = 0;
	struct error e = ERROR_INIT;

	reset();
	set(SETTING_CONSOLE_REQUIRE_LOGIN, "yes");
	set_mode(CERTIFICATE_REQUIRED);
	CHECK_OK(entry_find(&c, &e), &e);
	CHECK_OK(authenticate(&c, &code, &e), &e);
	CU_ASSERT_EQUAL(c.caller.via, VIA_LOCAL);
	rq.peer.uid = 1;
	CHECK_FAILS(authenticate(&c, &code, &e), &e, ERR_AUTH, NULL);
	rq.peer.uid = 0;
	rq.peer.via = PEER_HTTPS;
	CHECK_OK(entry_find(&c, &e), &e);
	CHECK_FAILS(authenticate(&c, &code, &e), &e, ERR_AUTH, NULL);
	value_free(none);
}

/* --- sessions */

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
	size_t logins = count_audit("login", "Web", "ann", "by certificate");
	size_t web = count_audit("loginFailed", "Web", "shut", "disabled");
	size_t refused = count_audit("loginFailed", "API", "shut", "disabled");
	struct identity_of_user who;
	struct error e = ERROR_INIT;

	reset();
	CHECK_OK(by_certificate("ann", clock_now(), &who, &e), &e);
	CU_ASSERT_EQUAL(count_audit("login", "Web", "ann", "by certificate"),
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
		{ "calls", test_calls },
		{ "methods that need no log-in", test_open_methods },
		{ "texts", test_texts },
		{ "content type", test_needs_content_type },
		{ "rights", test_rights },
		{ "root's own methods", test_local_root },
		{ "web log-in", test_web_login },
		{ "session of a certificate", test_session_bound },
		{ "sessions and a change of mode", test_mode_change },
		{ "account disabled meanwhile", test_disabled_meanwhile },
		{ "asking is no use", test_query_is_no_use },
		{ "ways to log in", test_login_way },
		{ "names", test_names },
		{ "use counts", test_use_counts },
		{ "advanced account security", test_advanced },
		{ "audit trail", test_audit },
		{ "who would lock himself out", test_check_caller },
		{ 0 },
	};

	return unit_main(argc, argv, "api-modes", tests, api_device_open,
			 api_device_close);
}
