/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/method.h"

#include <string.h>

#include "base/clock.h"

static const char *via_name(enum caller_via via)
{
	static const char *const names[] = {
		[VIA_NOBODY] = "",
		[VIA_PASSWORD] = "password",
		[VIA_SESSION] = "session",
		[VIA_LOCAL] = "local",
	};

	return names[via];
}

static struct value *describe(const struct identity_of_user *user,
			      const char *csrf_token)
{
	struct value *s = value_new_struct();

	value_put_string(s, "userName", user->id);
	value_put_string(s, "privilege", privilege_name(user->privilege));
	value_put_boolean(s, "mustChangePassword", user->must_change_password);
	value_put_string(s, "csrfToken", csrf_token);
	return s;
}

static struct value *login(struct call *c, struct error *e)
{
	const struct api_services *sv = c->services;
	struct identity_of_user user;
	struct session_info info;

	if (users_login(sv->users, LOGIN_WEB,
			value_string(value_member(c->params, "userName")),
			value_bytes(value_member(c->params, "password")),
			c->request->peer.address, clock_now(), &user, e) < 0 ||
	    sessions_open(sv->sessions, &user, c->request->peer.address,
			  c->reply->set_session, &info, e) < 0)
		return NULL;
	/* Whoever logs in anew leaves the session that he had. */
	if (c->request->session_id)
		sessions_close(sv->sessions, c->request->session_id);
	return describe(&user, info.csrf_token);
}

static struct value *query(struct call *c, struct error *e)
{
	struct value *s =
	    describe(&c->caller.user, c->caller.session.csrf_token);

	(void)e;
	value_put_string(s, "via", via_name(c->caller.via));
	return s;
}

static struct value *logout(struct call *c, struct error *e)
{
	(void)e;
	if (c->caller.via == VIA_SESSION) {
		sessions_close(c->services->sessions, c->request->session_id);
		c->reply->clear_session = true;
		call_audit(c, AUDIT_LOGOUT, "%s", c->caller.user.id);
	}
	return result_ok();
}

static const struct param login_rows[] = {
	{ .name = "userName",
	  .type = VALUE_STRING,
	  .required = true,
	  .chars = SECRET_CHARS_MAX },
	{ .name = "password",
	  .type = VALUE_STRING,
	  .required = true,
	  .chars = SECRET_CHARS_MAX },
	{ 0 },
};

#define WHO "userName, privilege, csrfToken string; mustChangePassword boolean"

const struct method methods_session[] = {
	{ "session.login", PRIVILEGE_NONE, 0, login_rows, login, WHO,
	  "Begin a browser session: sets the cookie sealbridge_session; calls "
	  "by it carry csrfToken in the header X-CSRF-Token." },
	{ "session.query", PRIVILEGE_ANY_USER,
	  METHOD_WITHOUT_CSRF | METHOD_BEFORE_PASSWORD_CHANGE, NULL, query,
	  WHO "; via string (password, certificate, session, local)",
	  "Who the caller is." },
	{ "session.logout", PRIVILEGE_ANY_USER, METHOD_BEFORE_PASSWORD_CHANGE,
	  NULL, logout, NULL, "End the browser session." },
	{ 0 },
};
