/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "auth/certificate_mode.h"

#include "base/clock.h"

#define WHY_NONE                                                          \
	"this connection brought no client certificate that is trusted; " \
	"connect again with one that chains to the HTTPS trust store"
#define WHY_NO_USER                                                          \
	"the client certificate stands for no user, and the device accepts " \
	"nothing else (Certificate-based authentication required)"
#define WHY_HTTP                                                         \
	"log-ins over plain HTTP are blocked, since the device accepts " \
	"client certificates only (Certificate-based authentication "    \
	"required); connect over HTTPS with a certificate"
#define WHY_LOCAL                                                       \
	"the console asks for a log-in, and the device accepts client " \
	"certificates only, which a console cannot bring (Certificate-" \
	"based authentication required); root can use \"sealbridgectl " \
	"rescue\""

#define PASSWORD                        \
	{                               \
		LOGIN_BY_PASSWORD, NULL \
	}
#define CERTIFICATE                        \
	{                                  \
		LOGIN_BY_CERTIFICATE, NULL \
	}
#define REFUSED(why)               \
	{                          \
		LOGIN_REFUSED, why \
	}

/* By the way in and by what certificate came: none, a trusted one, one whose
 * common name is a user. */
static const struct certificate_rule rules[CERTIFICATE_MODE_COUNT][DOOR_COUNT]
					  [OFFER_COUNT] = {
	[CERTIFICATE_NOT_REQUIRED] = {
		[DOOR_HTTP] = { PASSWORD, PASSWORD, PASSWORD },
		[DOOR_HTTPS] = { PASSWORD, PASSWORD, PASSWORD },
		[DOOR_LOCAL] = { PASSWORD, PASSWORD, PASSWORD },
	},
	[CERTIFICATE_VERIFY] = {
		[DOOR_HTTP] = { PASSWORD, PASSWORD, PASSWORD },
		[DOOR_HTTPS] = { REFUSED(WHY_NONE), PASSWORD, PASSWORD },
		[DOOR_LOCAL] = { PASSWORD, PASSWORD, PASSWORD },
	},
	[CERTIFICATE_ALLOWED] = {
		[DOOR_HTTP] = { PASSWORD, PASSWORD, PASSWORD },
		[DOOR_HTTPS] = { REFUSED(WHY_NONE), PASSWORD, CERTIFICATE },
		[DOOR_LOCAL] = { PASSWORD, PASSWORD, PASSWORD },
	},
	[CERTIFICATE_REQUIRED] = {
		[DOOR_HTTP] = { REFUSED(WHY_HTTP), REFUSED(WHY_HTTP),
				REFUSED(WHY_HTTP) },
		[DOOR_HTTPS] = { REFUSED(WHY_NONE), REFUSED(WHY_NO_USER),
				 CERTIFICATE },
		[DOOR_LOCAL] = { REFUSED(WHY_LOCAL), REFUSED(WHY_LOCAL),
				 REFUSED(WHY_LOCAL) },
	},
};

enum certificate_mode certificate_mode_in_force(struct settings *s)
{
	return (enum certificate_mode)settings_choice(
	    s, SETTING_CLIENT_CERTIFICATE);
}

const char *certificate_mode_name(enum certificate_mode mode)
{
	static const char *const names[CERTIFICATE_MODE_COUNT] = {
		"notRequired", "verify", "allowed", "required"
	};

	return names[mode];
}

const struct certificate_rule *certificate_mode_rule(
    enum certificate_mode mode, enum certificate_door door,
    enum certificate_offer offer)
{
	return &rules[mode][door][offer];
}

static int check_account(const struct certificate_user *found, struct error *e)
{
	if (!found->usable)
		return error_set(e, ERR_LOCK_OUT,
				 "the client certificate logs in \"%s\": %s",
				 found->user.id, found->why);
	if (found->user.privilege >= PRIVILEGE_ADMINISTRATOR)
		return 0;
	return error_set(e, ERR_LOCK_OUT,
			 "the client certificate logs in \"%s\", who is no "
			 "administrator",
			 found->user.id);
}

int certificate_mode_check_caller(struct users *u, enum certificate_mode wanted,
				  enum certificate_door door,
				  const struct client_certificate *c,
				  struct error *e)
{
	static const struct client_certificate none;
	const struct certificate_rule *rule;
	struct certificate_user found;

	if (users_find_by_certificate(u, door == DOOR_HTTPS && c ? c : &none,
				      clock_now(), &found, e) < 0)
		return -1;
	rule = certificate_mode_rule(wanted, door, found.offer);
	switch (rule->way) {
	case LOGIN_BY_PASSWORD: return 0;
	case LOGIN_BY_CERTIFICATE: return check_account(&found, e);
	case LOGIN_REFUSED: break;
	}
	return error_set(e, ERR_LOCK_OUT, "%s%s%s", rule->why,
			 found.offer == OFFER_TRUSTED ? ": " : "",
			 found.offer == OFFER_TRUSTED ? found.why : "");
}
