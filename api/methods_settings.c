/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "api/lock_out.h"
#include "api/setting_call.h"
#include "config/trial.h"

/* Groups of settings: the part of a method's name before the dot says which. */
static const struct group {
	const char *name;
	size_t count;
	enum setting_id ids[8];
} groups[] = {
	{ "verification",
	  3,
	  { SETTING_CLIENT_CERTIFICATE, SETTING_SERVER_CERTIFICATE,
	    SETTING_SIP_VERIFICATION } },
	{ "security",
	  6,
	  { SETTING_REDIRECT_HTTP, SETTING_ADVANCED_ACCOUNTS,
	    SETTING_WEB_SESSION_TIMEOUT_MINUTES, SETTING_CONSOLE_REQUIRE_LOGIN,
	    SETTING_CONSOLE_TIMEOUT_MINUTES, SETTING_TLS_MINIMUM_VERSION } },
};

static const struct group *group_of(const struct call *c)
{
	const char *method = c->method->name;
	size_t i = 0;

	while (strncmp(method, groups[i].name, strlen(groups[i].name)) != 0)
		i++;
	return &groups[i];
}

static int gather(const struct call *c, struct setting_wishes *w,
		  struct error *e)
{
	const struct group *g = group_of(c);

	w->count = 0;
	for (size_t i = 0; i < g->count; i++) {
		const struct value *v =
		    value_member(c->params, setting_last_name(g->ids[i]));

		if (v && setting_wish(w, g->ids[i], v, e) < 0)
			return -1;
	}
	if (w->count == 0)
		return error_set(e, ERR_INPUT, "no setting is named");
	return 0;
}

static struct value *query(struct call *c, struct error *e)
{
	struct settings *settings = c->services->settings;
	const struct group *g = group_of(c);
	struct value *s = value_new_struct(), *list;

	(void)e;
	for (size_t i = 0; i < g->count; i++)
		setting_put_value(settings, g->ids[i], s);
	list = value_put_array(s, "settings");
	for (size_t i = 0; i < g->count; i++)
		setting_describe(settings, g->ids[i], list);
	return s;
}

static struct value *configure(struct call *c, struct error *e)
{
	struct setting_wishes w;

	if (gather(c, &w, e) < 0)
		return NULL;
	return setting_call_apply(c, &w, e);
}

static struct value *preview(struct call *c, struct error *e)
{
	struct setting_numbers n;
	struct error why = ERROR_INIT;
	struct setting_wishes w;
	struct value *s;
	uint64_t changed;
	bool out;

	if (gather(c, &w, e) < 0 ||
	    settings_would_be(c->services->settings, w.changes, w.count, &n,
			      &changed, e) < 0)
		return NULL;
	out = lock_out_check_trust(c, &n, changed, &why) < 0 ||
	      lock_out_check(c, &n, changed, &why) < 0;
	if (out && why.kind != ERR_LOCK_OUT && why.kind != ERR_TRUST_EMPTY) {
		*e = why;
		return NULL;
	}
	s = value_new_struct();
	value_put_boolean(s, "wouldLockOut", out);
	value_put_string(s, "reason", why.text);
	value_put_string(s, "session",
			 out ? "On a new connection like this one you would "
			       "not get in any more."
			     : lock_out_describe(c, &n));
	return s;
}

#define VERIFICATION_ROWS                                       \
	{ .name = "clientCertificate",                          \
	  .type = VALUE_STRING,                                 \
	  .help = "notRequired, verify, allowed or required" }, \
	    { .name = "serverCertificate",                      \
	      .type = VALUE_STRING,                             \
	      .help = "none or verify" },                       \
	{                                                       \
		.name = "sip", .type = VALUE_STRING,            \
		.help = "none, outgoing or outgoingAndIncoming" \
	}

static const struct param verification_rows[] = { VERIFICATION_ROWS,
						  SETTING_CALL_ROWS,
						  { 0 } };

static const struct param preview_rows[] = { VERIFICATION_ROWS, { 0 } };

static const struct param security_rows[] = {
	{ .name = "redirectHttp", .type = VALUE_BOOLEAN },
	{ .name = "advancedAccounts", .type = VALUE_BOOLEAN },
	{ .name = "webSessionTimeoutMinutes",
	  .type = VALUE_INT,
	  .least = 1,
	  .most = 60 },
	{ .name = "requireLogin",
	  .type = VALUE_BOOLEAN,
	  .help = "of the console and the shell tool" },
	{ .name = "timeoutMinutes",
	  .type = VALUE_INT,
	  .least = 1,
	  .most = 60,
	  .help = "of the console" },
	{ .name = "minimumVersion",
	  .type = VALUE_STRING,
	  .help = "of TLS: 1.2 or 1.3" },
	SETTING_CALL_ROWS,
	{ 0 },
};

#define DESCRIBED                                                              \
	"settings array of struct (name, label, help, type, default; choices " \
	"array of struct value, label; minimum, maximum; canLockOut, "         \
	"needsRestart boolean)"

const struct method methods_settings[] = {
	{ "verification.query", PRIVILEGE_ADMINISTRATOR, METHOD_WITHOUT_CSRF,
	  NULL, query,
	  "clientCertificate, serverCertificate, sip string; " DESCRIBED,
	  "Which certificates others must present." },
	{ "verification.configure", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES,
	  verification_rows, configure, SETTING_CALL_RESULT,
	  "Change any of these settings. A mode that the caller's own "
	  "connection would not satisfy is refused without "
	  "confirmWithinSeconds or force." },
	{ "verification.preview", PRIVILEGE_ADMINISTRATOR, METHOD_WITHOUT_CSRF,
	  preview_rows, preview, "wouldLockOut boolean; reason, session string",
	  "What these settings would mean for the caller; nothing changes." },
	{ "security.query", PRIVILEGE_ADMINISTRATOR, METHOD_WITHOUT_CSRF, NULL,
	  query,
	  "redirectHttp, advancedAccounts, requireLogin boolean; "
	  "webSessionTimeoutMinutes, timeoutMinutes int; minimumVersion "
	  "string; " DESCRIBED,
	  "The settings of Settings > Security." },
	{ "security.modify", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES,
	  security_rows, configure, SETTING_CALL_RESULT,
	  "Change any of these settings. The redirect needs the services HTTP "
	  "and HTTPS." },
	{ 0 },
};
