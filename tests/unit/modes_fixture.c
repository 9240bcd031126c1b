/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/modes_fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

struct client_certificate certificate_of(const char *name, uint8_t mark)
{
	struct client_certificate c = { .present = true,
					.expires = clock_now() + 86400 };

	snprintf(c.login.name, sizeof(c.login.name), "%s", name);
	snprintf(c.names.subject, sizeof(c.names.subject), "CN=%s,O=Test",
		 name);
	memset(c.sha256, mark, sizeof(c.sha256));
	return c;
}

struct client_certificate certificate(enum bearer b)
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

void set(enum setting_id id, const char *value)
{
	struct error e = ERROR_INIT;

	CHECK_OK(settings_set(device.services.settings, id, value, &e), &e);
}

void set_mode(enum certificate_mode mode)
{
	set(SETTING_CLIENT_CERTIFICATE, certificate_mode_name(mode));
}

void modify(const char *id, const struct user_change *c)
{
	struct error e = ERROR_INIT;

	CHECK_OK(users_modify(device.services.users, id, c, clock_now(), &e),
		 &e);
}

void set_disabled(const char *id, bool disabled)
{
	const struct user_change c = { .disabled = &disabled };

	modify(id, &c);
}

/* As they were before each test: ann is an administrator, bob has a password
 * that he types, shut is disabled. */
void reset(void)
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

/* A wrong password comes from somewhere else each time, for somebody else:
 * none has to wait for those before it. */
struct door door_for(enum doorway way, enum members members,
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

const struct call_row call_rows[] = {
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

_Static_assert(sizeof(call_rows) / sizeof(*call_rows) == CALL_ROWS,
	       "a row for each mode and way");

void check_row(const struct call_row *row, enum bearer b,
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
