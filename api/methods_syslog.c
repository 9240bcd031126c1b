/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "api/setting_call.h"
#include "config/trial.h"
#include "notify/syslog.h"

/* The syslog server: settings, state, a test. */

static const enum setting_id ids[] = { SETTING_SYSLOG_ENABLED,
				       SETTING_SYSLOG_SERVER,
				       SETTING_SYSLOG_AUDIT };
enum { IDS = sizeof(ids) / sizeof(*ids) };

static int32_t as_int(uint64_t n)
{
	return n > INT32_MAX ? INT32_MAX : (int32_t)n;
}

static struct value *query(struct call *c, struct error *e)
{
	struct value *s = value_new_struct(), *list;
	struct syslog_status status;

	(void)e;
	for (size_t i = 0; i < IDS; i++)
		setting_put_value(c->services->settings, ids[i], s);
	syslog_query(c->services->syslog, &status);
	value_put_string(s, "state", syslog_state_name(status.state));
	value_put_string(s, "problem", status.problem);
	value_put_int(s, "sent", as_int(status.sent));
	value_put_int(s, "waiting", as_int(status.waiting));
	value_put_int(s, "dropped", as_int(status.dropped));
	list = value_put_array(s, "settings");
	for (size_t i = 0; i < IDS; i++)
		setting_describe(c->services->settings, ids[i], list);
	return s;
}

static struct value *configure(struct call *c, struct error *e)
{
	struct setting_wishes w = { .count = 0 };

	for (size_t i = 0; i < IDS; i++) {
		const struct value *v =
		    value_member(c->params, setting_last_name(ids[i]));

		if (v && setting_wish(&w, ids[i], v, e) < 0)
			return NULL;
	}
	if (w.count == 0) {
		error_set(e, ERR_INPUT, "no setting is named");
		return NULL;
	}
	return setting_call_apply(c, &w, e);
}

static void write_down(const struct call *c, const struct error *why)
{
	char *server =
	    settings_text(c->services->settings, SETTING_SYSLOG_SERVER);

	call_audit(c, AUDIT(SYSLOG_TESTED, .server = server,
			    .result = why->kind == ERR_NONE ? "acknowledged"
							    : why->text));
	free(server);
}

/* That it does not arrive is an answer. */
static struct value *test(struct call *c, struct error *e)
{
	struct error why = ERROR_INIT;
	struct value *s;

	if (syslog_test(c->services->syslog, &why) < 0 &&
	    why.kind == ERR_CONFLICT) {
		*e = why;
		return NULL;
	}
	write_down(c, &why);
	s = value_new_struct();
	value_put_boolean(s, "sent", why.kind == ERR_NONE);
	value_put_string(s, "problem", why.text);
	return s;
}

static const struct param configure_rows[] = {
	{ .name = "enabled", .type = VALUE_BOOLEAN },
	{ .name = "server",
	  .type = VALUE_STRING,
	  .chars = 263,
	  .help = "HOST or HOST:PORT, an IPv6 address in brackets; port 6514 "
		  "where none is named" },
	{ .name = "audit",
	  .type = VALUE_BOOLEAN,
	  .help = "records of the audit log, too" },
	SETTING_CALL_ROWS,
	{ 0 },
};

const struct method methods_syslog[] = {
	{ "syslog.query", PRIVILEGE_ADMINISTRATOR, METHOD_WITHOUT_CSRF, NULL,
	  query,
	  "enabled, audit boolean; server string; state string (off, "
	  "connecting, connected, failed); problem string; sent, waiting, "
	  "dropped int: messages since the start; settings array as in "
	  "verification.query",
	  "The syslog server that events are sent to, and how that goes." },
	{ "syslog.configure", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES,
	  configure_rows, configure, SETTING_CALL_RESULT,
	  "Change any of these settings; the connection is made anew." },
	{ "syslog.test", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES, NULL, test,
	  "sent boolean: the server's host has acknowledged the message; "
	  "problem string: why not",
	  "Send a test message and wait, 20 seconds at most, for what comes "
	  "of it." },
	{ 0 },
};
