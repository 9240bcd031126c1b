/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/audit_user.h"
#include "api/method.h"

#include <string.h>

#include "auth/account_security.h"
#include "auth/password_rules.h"
#include "base/clock.h"

struct listing {
	struct value *users; /* an array */
	bool advanced;       /* account security mode */
	time_t now;
};

/* What the time and log-ins have made of the account. */
static void put_state(struct value *s, const struct user_row *row,
		      const struct listing *l)
{
	enum account_block block = account_block(row, l->advanced, l->now);
	time_t expires = password_expires_at(row, l->advanced);

	value_put_boolean(s, "disabled", block != ACCOUNT_OPEN);
	value_put_string(s, "disabledReason", account_block_name(block));
	if (block != ACCOUNT_OPEN && !row->disabled && row->disabled_until)
		value_put_time(s, "disabledUntil", (time_t)row->disabled_until);
	value_put_boolean(s, "mustChangePassword",
			  password_must_change(row, l->advanced, l->now));
	value_put_boolean(s, "passwordExpired",
			  password_is_expired(row, l->advanced, l->now));
	if (expires)
		value_put_time(s, "passwordExpires", expires);
	if (row->last_login_at)
		value_put_time(s, "lastLogin", (time_t)row->last_login_at);
}

static int add_user(void *arg, const struct user_row *row, struct error *e)
{
	const struct listing *l = arg;
	struct value *s = value_add_struct(l->users);

	(void)e;
	value_put_string(s, "userName", row->id);
	value_put_string(s, "name", row->name);
	value_put_string(s, "privilege",
			 privilege_name((enum privilege)row->privilege));
	value_put_boolean(s, "lockPassword", row->lock_password);
	value_put_boolean(s, "forceChange", row->force_change);
	value_put_string(s, "e164", row->e164);
	value_put_string(s, "associatedEndpoint", row->endpoint);
	value_put_boolean(s, "builtIn", row->built_in != USER_ORDINARY);
	value_put_boolean(s, "hasPassword", row->password_hash[0] != '\0');
	put_state(s, row, l);
	return 0;
}

static bool is_advanced(const struct call *c)
{
	return settings_bool(c->services->settings, SETTING_ADVANCED_ACCOUNTS);
}

static struct value *enumerate(struct call *c, struct error *e)
{
	struct value *s = value_new_struct();
	struct listing l = { .users = value_put_array(s, "users"),
			     .advanced = is_advanced(c),
			     .now = clock_now() };

	if (users_each(c->services->users, add_user, &l, e) < 0) {
		value_free(s);
		return NULL;
	}
	return s;
}

/* What struct user_change points to. */
struct wanted {
	struct user_change change;
	struct view password;
	enum privilege privilege;
	bool disabled, lock_password, force_change;
};

static const char *text_or_null(const struct value *params, const char *name)
{
	const struct value *v = value_member(params, name);

	return v ? value_string(v) : NULL;
}

static const bool *flag_or_null(const struct value *params, const char *name,
				bool *place)
{
	const struct value *v = value_member(params, name);

	*place = value_boolean(v);
	return v ? place : NULL;
}

static int read_privilege(const struct value *params, struct wanted *w,
			  struct error *e)
{
	const char *name = text_or_null(params, "privilege");

	if (!name)
		return 0;
	if (privilege_from_name(name, &w->privilege) < 0 ||
	    w->privilege == PRIVILEGE_NONE)
		return error_set(e, ERR_INPUT, "privilege: no such level");
	w->change.privilege = &w->privilege;
	return 0;
}

static int read_wanted(const struct value *params, const char *id,
		       struct wanted *w, struct user_effect *effect,
		       struct error *e)
{
	const struct value *password = value_member(params, "password");
	struct user_change *c = &w->change;

	memset(w, 0, sizeof(*w));
	c->id = id;
	c->effect = effect;
	c->name = text_or_null(params, "name");
	if (password) {
		w->password = value_bytes(password);
		c->password = &w->password;
	}
	c->disabled = flag_or_null(params, "disabled", &w->disabled);
	c->lock_password =
	    flag_or_null(params, "lockPassword", &w->lock_password);
	c->force_change = flag_or_null(params, "forceChange", &w->force_change);
	c->e164 = text_or_null(params, "e164");
	c->endpoint = text_or_null(params, "associatedEndpoint");
	return read_privilege(params, w, e);
}

static struct value *add(struct call *c, struct error *e)
{
	const char *id = value_string(value_member(c->params, "userName"));
	struct user_effect effect;
	struct wanted w;

	if (read_wanted(c->params, id, &w, &effect, e) < 0 ||
	    users_add(c->services->users, &w.change, clock_now(), e) < 0)
		return NULL;
	audit_user_added(c, &effect.after);
	return result_ok();
}

static struct value *modify(struct call *c, struct error *e)
{
	const char *id = value_string(value_member(c->params, "userName"));
	struct user_effect effect;
	struct wanted w;

	if (read_wanted(c->params, text_or_null(c->params, "newUserName"), &w,
			&effect, e) < 0 ||
	    users_modify(c->services->users, id, &w.change, clock_now(), e) < 0)
		return NULL;
	audit_user_modified(c, &w.change);
	return result_ok();
}

static struct value *delete_user(struct call *c, struct error *e)
{
	const char *id = value_string(value_member(c->params, "userName"));
	struct user_row gone;

	if (users_delete(c->services->users, id, &gone, e) < 0)
		return NULL;
	audit_user_deleted(c, &gone);
	return result_ok();
}

/* Ends every session of the account, the caller's own too. */
static struct value *change_password(struct call *c, struct error *e)
{
	const struct value *p = c->params;

	if (c->caller.via == VIA_LOCAL) {
		error_set(e, ERR_NO_USER,
			  "the local administrator has no account");
		return NULL;
	}
	if (users_change_own_password(
		c->services->users, c->caller.user.id,
		value_bytes(value_member(p, "currentPassword")),
		value_bytes(value_member(p, "newPassword")),
		c->request->peer.address, clock_now(), e) < 0)
		return NULL;
	call_audit(c, AUDIT(PASSWORD_CHANGED, .user = c->caller.user.id));
	if (c->caller.via == VIA_SESSION) {
		sessions_close(c->services->sessions, c->request->session_id);
		c->reply->clear_session = true;
	}
	return result_ok();
}

/* What holds now, in words. */
static struct value *rules(struct call *c, struct error *e)
{
	const struct password_rule_row *row;
	struct value *s = value_new_struct();
	struct value *list = value_put_array(s, "rules");
	bool advanced = is_advanced(c);

	(void)e;
	value_put_boolean(s, "advanced", advanced);
	for (size_t i = 0; (row = password_rule_row(i)); i++) {
		struct value *rule;

		if (row->advanced && !advanced)
			continue;
		rule = value_add_struct(list);
		value_put_string(rule, "id", row->id);
		value_put_string(rule, "text", row->text);
		value_put_int(rule, "number", row->number);
	}
	return s;
}

#define USER_FIELDS                                                     \
	{ .name = "name", .type = VALUE_STRING },                       \
	    { .name = "password", .type = VALUE_STRING },               \
	    { .name = "privilege",                                      \
	      .type = VALUE_STRING,                                     \
	      .chars = 63,                                              \
	      .help = "Privilege level, e.g. administrator." },         \
	    { .name = "disabled",                                       \
	      .type = VALUE_BOOLEAN,                                    \
	      .help = "Disable user account." },                        \
	    { .name = "lockPassword",                                   \
	      .type = VALUE_BOOLEAN,                                    \
	      .help = "The user cannot change it." },                   \
	    { .name = "forceChange",                                    \
	      .type = VALUE_BOOLEAN,                                    \
	      .help = "Force user to change password on next login." }, \
	    { .name = "e164",                                           \
	      .type = VALUE_STRING,                                     \
	      .help = "E.164 phone number." },                          \
	    { .name = "associatedEndpoint",                             \
	      .type = VALUE_STRING,                                     \
	      .help = "Associated video endpoint." },

static const struct param add_rows[] = {
	{ .name = "userName", .type = VALUE_STRING, .required = true },
	USER_FIELDS{ 0 },
};

static const struct param modify_rows[] = {
	{ .name = "userName", .type = VALUE_STRING, .required = true },
	{ .name = "newUserName",
	  .type = VALUE_STRING,
	  .help = "Another user ID from now on." },
	USER_FIELDS{ 0 },
};

static const struct param delete_rows[] = {
	{ .name = "userName", .type = VALUE_STRING, .required = true },
	{ 0 },
};

static const struct param password_rows[] = {
	{ .name = "currentPassword",
	  .type = VALUE_STRING,
	  .required = true,
	  .chars = SECRET_CHARS_MAX },
	{ .name = "newPassword", .type = VALUE_STRING, .required = true },
	{ 0 },
};

const struct method methods_user[] = {
	{ "user.enumerate", PRIVILEGE_ADMINISTRATOR, 0, NULL, enumerate,
	  "users array of userName, name, privilege, disabled, lockPassword, "
	  "forceChange, e164, associatedEndpoint, builtIn, hasPassword, "
	  "disabledReason (empty, administrator, failures, inactivity, "
	  "expiredPassword), disabledUntil, mustChangePassword, "
	  "passwordExpired, passwordExpires, lastLogin",
	  "All accounts." },
	{ "user.add", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES, add_rows, add,
	  NULL, "Add an account." },
	{ "user.modify", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES, modify_rows,
	  modify, NULL,
	  "Change an account; what is left out stays. A new password ends its "
	  "sessions." },
	{ "user.delete", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES, delete_rows,
	  delete_user, NULL, "Delete an account." },
	{ "user.changePassword", PRIVILEGE_ANY_USER,
	  METHOD_BEFORE_PASSWORD_CHANGE | METHOD_CHANGES, password_rows,
	  change_password, NULL,
	  "Change the caller's own password; all sessions of the account "
	  "end." },
	{ "user.passwordRules", PRIVILEGE_ANY_USER,
	  METHOD_WITHOUT_CSRF | METHOD_BEFORE_PASSWORD_CHANGE, NULL, rules,
	  "advanced boolean; rules array of id, text, number",
	  "What a new password must be, and whether the advanced account "
	  "security mode is on." },
	{ 0 },
};
