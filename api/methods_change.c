/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/method.h"

#include "api/setting_call.h"
#include "config/trial.h"

/* Changes on trial: look, confirm, revert; and the way back from a lock-out. */

enum { DETAIL_MAX = 1000 };

struct listing {
	struct value *list;
	int64_t opened_ms;
	bool too_old; /* to confirm one of them */
};

static int add_trial(void *arg, const struct trial *t,
		     const struct trial_clock *now, struct error *e)
{
	struct listing *l = arg;
	bool can = trial_may_confirm(t, now, l->opened_ms);
	struct value *s = value_add_struct(l->list), *values;

	(void)e;
	value_put_string(s, "changeId", t->row.id);
	value_put_string(s, "userName", t->row.user_name);
	value_put_string(s, "peer", t->row.peer);
	value_put_time(s, "startedAt", (time_t)t->row.started_at);
	/* Rounded up: 0 is over. */
	value_put_int(s, "secondsLeft",
		      (int32_t)((trial_ms_left(&t->row, now) + 999) / 1000));
	value_put_boolean(s, "canConfirm", can);
	l->too_old |= !can;
	values = value_put_array(s, "settings");
	for (size_t i = 0; i < t->count; i++) {
		const struct setting_row *row = setting_row(t->values[i].id);
		struct value *v = value_add_struct(values);

		value_put_string(v, "name", row->name);
		value_put_string(v, "label", row->label);
		value_put_string(v, "from", t->values[i].from);
		value_put_string(v, "to", t->values[i].to);
		value_put(v, "fromText",
			  setting_words(t->values[i].id, t->values[i].from));
		value_put(v, "toText",
			  setting_words(t->values[i].id, t->values[i].to));
	}
	return 0;
}

static struct value *query(struct call *c, struct error *e)
{
	struct value *s = value_new_struct();
	struct listing l = { .list = value_put_array(s, "changes"),
			     .opened_ms = c->request->peer.opened_ms };

	if (settings_trial_each(c->services->settings, add_trial, &l, e) == 0) {
		/* A page that looks on and on comes to a new one by itself. */
		c->reply->close = l.too_old;
		return s;
	}
	value_free(s);
	return NULL;
}

static const char *change_id(const struct call *c)
{
	return value_string(value_member(c->params, "changeId"));
}

static struct value *ended(const struct call *c, enum audit_event event,
			   struct trial *t)
{
	char detail[DETAIL_MAX];

	trial_describe(t, detail, sizeof(detail));
	if (event == AUDIT_TRIAL_CONFIRMED)
		call_audit(c, AUDIT(TRIAL_CONFIRMED, .changeId = t->row.id,
				    .change = detail));
	else
		call_audit(c, AUDIT(TRIAL_REVERTED, .changeId = t->row.id,
				    .reason = "by request", .change = detail));
	trial_clear(t);
	return result_ok();
}

static struct value *confirm(struct call *c, struct error *e)
{
	struct trial t;

	if (settings_confirm(c->services->settings, change_id(c),
			     c->request->peer.opened_ms, &t, e) < 0) {
		/* The next try comes on another connection. */
		c->reply->close = e->kind == ERR_CONFLICT;
		return NULL;
	}
	return ended(c, AUDIT_TRIAL_CONFIRMED, &t);
}

static struct value *revert(struct call *c, struct error *e)
{
	struct trial t;

	if (settings_revert(c->services->settings, change_id(c), &t, e) < 0)
		return NULL;
	return ended(c, AUDIT_TRIAL_REVERTED, &t);
}

/* Two services that a rescue would bring to one port get their defaults. */
static size_t put_ports(struct settings *s, struct setting_change *out)
{
	if (settings_int(s, SETTING_HTTP_PORT) !=
	    settings_int(s, SETTING_HTTPS_PORT))
		return 0;
	out[0] =
	    (struct setting_change){ SETTING_HTTP_PORT,
				     settings_default(s, SETTING_HTTP_PORT) };
	out[1] =
	    (struct setting_change){ SETTING_HTTPS_PORT,
				     settings_default(s, SETTING_HTTPS_PORT) };
	return 2;
}

static struct value *rescue(struct call *c, struct error *e)
{
	struct setting_change back[6] = {
		{ SETTING_CLIENT_CERTIFICATE, "notRequired" },
		{ SETTING_HTTP_ENABLED, "yes" },
		{ SETTING_HTTPS_ENABLED, "yes" },
		{ SETTING_REDIRECT_HTTP, "no" },
	};
	struct settings *settings = c->services->settings;
	size_t reverted;
	struct value *s;

	if (settings_rescue(settings, back, 4 + put_ports(settings, back + 4),
			    &reverted, e) < 0)
		return NULL;
	call_audit(c, AUDIT(RESCUED, .reverted = AUDIT_NUMBER(reverted),
			    .result = "client certificate security not "
				      "required, HTTP and HTTPS on, redirect "
				      "off"));
	s = result_ok();
	value_put_int(s, "reverted", (int32_t)reverted);
	return s;
}

static const struct param id_rows[] = {
	{ .name = "changeId", .type = VALUE_STRING, .required = true },
	{ 0 },
};

const struct method methods_change[] = {
	{ "change.query", PRIVILEGE_ADMINISTRATOR,
	  METHOD_WITHOUT_CSRF | METHOD_WITHOUT_TOUCH, NULL, query,
	  "changes array of struct (changeId, userName, peer string; startedAt "
	  "time; secondsLeft int; settings array of struct name, label, from, "
	  "to, fromText, toText; canConfirm boolean: this connection was "
	  "opened after it)",
	  "The changes on trial." },
	{ "change.confirm", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES, id_rows,
	  confirm, NULL,
	  "A change on trial stays. Only on a connection that was opened after "
	  "the change." },
	{ "change.revert", PRIVILEGE_ADMINISTRATOR,
	  METHOD_CHANGES | METHOD_WITHOUT_ROOM, id_rows, revert, NULL,
	  "A change on trial is taken back now." },
	{ "change.rescue", PRIVILEGE_ADMINISTRATOR,
	  METHOD_LOCAL_ROOT | METHOD_CHANGES, NULL, rescue,
	  "status; reverted int",
	  "Root only, over the control socket: client certificate security "
	  "back to not required, HTTP and HTTPS on, redirect off, all changes "
	  "on trial reverted." },
	{ 0 },
};
