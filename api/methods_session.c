/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/authenticate.h"
#include "base/clock.h"

/* A session counts as what opened it, as far as that was a certificate. */
static const char *via_name(const struct caller *caller)
{
	static const char *const names[] = {
		[VIA_NOBODY] = "",
		[VIA_PASSWORD] = "password",
		[VIA_CERTIFICATE] = "certificate",
		[VIA_SESSION] = "session",
		[VIA_LOCAL] = "local",
	};

	return caller->via == VIA_SESSION && caller->session.by_certificate
		   ? names[VIA_CERTIFICATE]
		   : names[caller->via];
}

/* Of the connection; "" where the mode ignores it. */
static const char *certificate_subject(const struct call *c)
{
	return c->entry.found.offer == OFFER_NONE
		   ? ""
		   : c->request->peer.certificate.names.subject;
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

static int check_password(struct call *c, struct identity_of_user *user,
			  struct error *e)
{
	const struct value *name = value_member(c->params, "userName");
	const struct value *password = value_member(c->params, "password");

	if (!name || !password)
		return error_set(e, ERR_AUTH,
				 "a user name and a password are needed");
	return users_login(c->services->users, LOGIN_WEB, value_string(name),
			   value_bytes(password), c->request->peer.address,
			   clock_now(), user, e);
}

static int check_certificate(struct call *c, struct identity_of_user *user,
			     struct error *e)
{
	const struct peer *peer = &c->request->peer;

	if (users_login_by_certificate(c->services->users, LOGIN_WEB,
				       &peer->certificate, peer->address,
				       clock_now(), user, e) == 0)
		return 0;
	/* The account went meanwhile. */
	if (e->kind == ERR_NO_USER)
		e->kind = ERR_AUTH;
	return -1;
}

static struct value *login(struct call *c, struct error *e)
{
	const struct api_services *sv = c->services;
	enum login_way way =
	    c->entry.open ? LOGIN_BY_PASSWORD : c->entry.rule->way;
	const struct client_certificate *certificate =
	    way == LOGIN_BY_CERTIFICATE ? &c->request->peer.certificate : NULL;
	struct identity_of_user user;
	struct session_info info;

	if (way == LOGIN_REFUSED) {
		entry_refuse(c, LOGIN_WEB, e);
		return NULL;
	}
	if ((certificate ? check_certificate(c, &user, e)
			 : check_password(c, &user, e)) < 0)
		return NULL;
	if (sessions_open(sv->sessions, &user, c->request->peer.address,
			  certificate ? certificate->sha256 : NULL,
			  c->reply->set_session, &info, e) < 0)
		return NULL;
	/* Whoever logs in anew leaves the session that he had. */
	if (c->request->session_id)
		sessions_close(sv->sessions, c->request->session_id);
	return describe(&user, info.csrf_token);
}

static struct value *describe_way(const struct call *c, const char *way,
				  const char *reason)
{
	struct value *s = value_new_struct();

	value_put_string(s, "way", way);
	value_put_string(s, "reason", reason);
	value_put_string(s, "userName", c->entry.found.user.id);
	value_put_string(s, "certificateSubject", certificate_subject(c));
	value_put_string(s, "clientCertificateMode",
			 certificate_mode_name(c->entry.mode));
	return s;
}

static struct value *login_way(struct call *c, struct error *e)
{
	const struct entry *entry = &c->entry;
	enum login_way way = entry->open ? LOGIN_BY_PASSWORD : entry->rule->way;
	struct error why = ERROR_INIT;

	(void)e;
	if (way == LOGIN_REFUSED) {
		entry_refuse(c, LOGIN_WEB, &why);
		return describe_way(c, "none", why.text);
	}
	if (way == LOGIN_BY_PASSWORD)
		return describe_way(
		    c, "password",
		    entry->mode == CERTIFICATE_ALLOWED ? entry->found.why : "");
	return describe_way(c, entry->found.usable ? "certificate" : "none",
			    entry->found.why);
}

static struct value *query(struct call *c, struct error *e)
{
	const struct caller *caller = &c->caller;
	struct value *s = describe(&caller->user, caller->session.csrf_token);

	(void)e;
	value_put_string(s, "via", via_name(caller));
	value_put_string(s, "certificateSubject", certificate_subject(c));
	value_put_string(s, "clientCertificateMode",
			 certificate_mode_name(c->entry.mode));
	if (caller->via == VIA_SESSION)
		value_put_int(s, "idleSecondsLeft",
			      (int32_t)caller->session.idle_seconds_left);
	return s;
}

static struct value *logout(struct call *c, struct error *e)
{
	(void)e;
	if (c->caller.via == VIA_SESSION) {
		sessions_close(c->services->sessions, c->request->session_id);
		c->reply->clear_session = true;
		call_audit(c, AUDIT(LOGOUT, .reason = "request"));
	}
	return result_ok();
}

static const struct param login_rows[] = {
	{ .name = "userName", .type = VALUE_STRING, .chars = SECRET_CHARS_MAX },
	{ .name = "password", .type = VALUE_STRING, .chars = SECRET_CHARS_MAX },
	{ 0 },
};

#define WHO         "userName, privilege, csrfToken string; mustChangePassword boolean"
#define CERTIFICATE "certificateSubject, clientCertificateMode string"

const struct method methods_session[] = {
	{ "session.login", PRIVILEGE_NONE, METHOD_ANY_DOOR, login_rows, login,
	  WHO,
	  "Begin a browser session: sets the cookie sealbridge_session; calls "
	  "by it carry csrfToken in the header X-CSRF-Token. On a connection "
	  "whose client certificate logs somebody in, userName and password "
	  "are ignored and may be left out." },
	{ "session.loginWay", PRIVILEGE_NONE, METHOD_ANY_DOOR, NULL, login_way,
	  "way (password, certificate, none), reason, userName "
	  "string; " CERTIFICATE,
	  "How somebody can log in over this connection: with a password, as "
	  "userName by its client certificate, or not at all, and why." },
	{ "session.query", PRIVILEGE_ANY_USER,
	  METHOD_WITHOUT_CSRF | METHOD_BEFORE_PASSWORD_CHANGE |
	      METHOD_WITHOUT_TOUCH,
	  NULL, query,
	  WHO
	  "; via string (password, certificate, session, local); " CERTIFICATE
	  "; idleSecondsLeft int (sessions)",
	  "Who the caller is. Does not count as use of a session." },
	{ "session.logout", PRIVILEGE_ANY_USER, METHOD_BEFORE_PASSWORD_CHANGE,
	  NULL, logout, NULL, "End the browser session." },
	{ 0 },
};
