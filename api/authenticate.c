/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/authenticate.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/params.h"
#include "base/clock.h"

enum { GROUPS_MAX = 256, PASSWD_BUFFER = 16384 };

#define LOCAL_USER "local"

static const struct param member_rows[] = {
	{ .name = "authenticationUser",
	  .type = VALUE_STRING,
	  .required = true,
	  .chars = SECRET_CHARS_MAX },
	{ .name = "authenticationPassword",
	  .type = VALUE_STRING,
	  .required = true,
	  .chars = SECRET_CHARS_MAX },
	{ 0 },
};

static int by_members(struct call *c, enum fault_code *fault_out,
		      struct error *e)
{
	const struct value *p = c->params;

	if (params_check(member_rows, p, fault_out, e) < 0)
		return -1;
	if (users_login(c->services->users, LOGIN_API,
			value_string(value_member(p, "authenticationUser")),
			value_bytes(value_member(p, "authenticationPassword")),
			c->request->peer.address, clock_now(), &c->caller.user,
			e) < 0)
		return -1;
	c->caller.via = VIA_PASSWORD;
	return 0;
}

/* The kernel tells the peer's first group only. */
static bool is_in_group(uid_t uid, gid_t first, gid_t wanted)
{
	char buffer[PASSWD_BUFFER];
	struct passwd entry, *found = NULL;
	gid_t groups[GROUPS_MAX];
	int count = GROUPS_MAX;

	if (first == wanted)
		return true;
	if (getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found) != 0 ||
	    !found)
		return false;
	if (getgrouplist(found->pw_name, found->pw_gid, groups, &count) < 0)
		return false;
	for (int i = 0; i < count; i++)
		if (groups[i] == wanted)
			return true;
	return false;
}

bool control_peer_is_trusted(const struct peer *p)
{
	return p->via == PEER_CONTROL &&
	       (p->uid == 0 || p->uid == geteuid() ||
		is_in_group(p->uid, p->gid, getegid()));
}

bool control_peer_is_root(const struct peer *p)
{
	return p->via == PEER_CONTROL && p->uid == 0;
}

static void as_local(struct call *c)
{
	strcpy(c->caller.user.id, LOCAL_USER);
	c->caller.user.privilege = PRIVILEGE_ADMINISTRATOR;
	c->caller.via = VIA_LOCAL;
}

static bool same_text(const char *a, const char *b)
{
	size_t n = strlen(a);
	unsigned differs = n != strlen(b);

	for (size_t i = 0; !differs && i < n; i++)
		differs |= (unsigned char)(a[i] ^ b[i]);
	return !differs;
}

static bool is_by(const struct session_info *s,
		  const struct client_certificate *c)
{
	return s->by_certificate &&
	       !memcmp(s->certificate, c->sha256, SHA256_SIZE);
}

/* Whether the mode still lets the session in, on this connection. */
static bool session_is_allowed(const struct call *c,
			       const struct session_info *s)
{
	if (c->entry.open || c->entry.rule->way == LOGIN_BY_PASSWORD)
		return !s->by_certificate;
	return c->entry.found.usable && is_by(s, &c->request->peer.certificate);
}

/* By the user of the session, who has not got in. */
static void record_session(struct call *c, struct audit_what what)
{
	struct caller *caller = &c->caller;

	snprintf(caller->user.id, sizeof(caller->user.id), "%s",
		 caller->session.user_id);
	caller->via = VIA_SESSION;
	call_audit(c, what);
	caller->via = VIA_NOBODY;
}

static int end_session(struct call *c, struct error *e, const char *why)
{
	sessions_close(c->services->sessions, c->request->session_id);
	record_session(c, AUDIT(SESSION_ENDED, .reason = why));
	return error_set(e, ERR_AUTH, "%s", why);
}

static int refuse_token(struct call *c, struct error *e)
{
	static const char why[] = "no valid X-CSRF-Token";

	record_session(
	    c, AUDIT(ACCESS_DENIED, .method = c->method->name, .reason = why));
	return error_set(e, ERR_AUTH, "%s", why);
}

static int by_session(struct call *c, struct error *e)
{
	const struct web_request *rq = c->request;
	struct caller *caller = &c->caller;

	if (!rq->session_id)
		return error_set(e, ERR_AUTH, "no such session");
	if (sessions_find(c->services->sessions, rq->session_id,
			  rq->peer.address,
			  !(c->method->flags & METHOD_WITHOUT_TOUCH),
			  &caller->session, e) < 0)
		return -1;
	if (!session_is_allowed(c, &caller->session))
		return end_session(c, e,
				   "the session was opened in a way that is "
				   "not allowed on this connection (Client "
				   "certificate security)");
	if (!(c->method->flags & METHOD_WITHOUT_CSRF) &&
	    (!rq->csrf_token ||
	     !same_text(caller->session.csrf_token, rq->csrf_token)))
		return refuse_token(c, e);
	if (users_lookup(c->services->users, caller->session.user_id,
			 &caller->user, e) < 0)
		return end_session(c, e, "the account is gone");
	if (memcmp(caller->user.password_mark, caller->session.password_mark,
		   PASSWORD_MARK_SIZE) != 0)
		return end_session(c, e, "the password was changed");
	caller->user.must_change_password =
	    caller->session.must_change_password;
	caller->via = VIA_SESSION;
	return 0;
}

/* A browser sends its certificate with whatever a foreign page makes it send;
 * without asking first, that has no content type of XML. */
static int by_certificate(struct call *c, struct error *e)
{
	const struct web_request *rq = c->request;

	if (!rq->content_type)
		return error_set(e, ERR_AUTH,
				 "a call by client certificate needs the "
				 "header \"Content-Type: text/xml\"");
	if (users_login_by_certificate(c->services->users, LOGIN_API,
				       &rq->peer.certificate, rq->peer.address,
				       clock_now(), &c->caller.user, e) < 0) {
		if (e->kind == ERR_NO_USER)
			e->kind = ERR_AUTH;
		return -1;
	}
	c->caller.via = VIA_CERTIFICATE;
	return 0;
}

/* Nothing was offered; where people could not guess what is missing, say it. */
static int by_nothing(const struct call *c, struct error *e)
{
	const struct entry *entry = &c->entry;

	if (entry->door == DOOR_LOCAL && !entry->open)
		return error_set(e, ERR_AUTH,
				 "a user name and a password are needed here "
				 "(Require administrator login)");
	if (entry->mode == CERTIFICATE_ALLOWED &&
	    entry->found.offer == OFFER_TRUSTED)
		return error_set(e, ERR_AUTH,
				 "the client certificate logs nobody in (%s): "
				 "a user name and a password are needed",
				 entry->found.why);
	return 0;
}

static enum certificate_door door_of(const struct peer *p)
{
	static const enum certificate_door doors[] = {
		[PEER_HTTP] = DOOR_HTTP,       [PEER_HTTPS] = DOOR_HTTPS,
		[PEER_CONTROL] = DOOR_LOCAL,   [PEER_STREAM] = DOOR_HTTPS,
		[PEER_STREAM_TCP] = DOOR_HTTP,
	};

	return doors[p->via];
}

int entry_find(struct call *c, struct error *e)
{
	const struct client_certificate *certificate =
	    &c->request->peer.certificate;
	struct entry *entry = &c->entry;
	time_t now = clock_now();

	entry->mode = certificate_mode_in_force(c->services->settings);
	entry->door = door_of(&c->request->peer);
	entry->open = entry->door == DOOR_LOCAL &&
		      !settings_bool(c->services->settings,
				     SETTING_CONSOLE_REQUIRE_LOGIN);
	if (entry->mode != CERTIFICATE_NOT_REQUIRED &&
	    entry->door == DOOR_HTTPS && certificate->present) {
		entry->expired = now > certificate->expires;
		if (!entry->expired &&
		    users_find_by_certificate(c->services->users, certificate,
					      now, &entry->found, e) < 0)
			return -1;
	}
	entry->rule =
	    certificate_mode_rule(entry->mode, entry->door, entry->found.offer);
	return 0;
}

/* Whoever offered a password at a door that asks for none. */
static void record_password(const struct call *c, enum login_door door)
{
	const char *member =
	    door == LOGIN_WEB ? "userName" : "authenticationUser";
	const struct value *user = value_member(c->params, member);
	const struct audit_actor actor = {
		.module = door == LOGIN_WEB ? "Web" : "API",
		.user_name = value_string(user),
		.peer = c->request->peer.address,
		.via = "password",
	};
	struct error e = ERROR_INIT;

	/* Counted and logged there; he is refused all the same. */
	if (user)
		(void)audit_append(
		    c->services->audit,
		    AUDIT(LOGIN_FAILED, .reason = c->entry.rule->why), &actor,
		    &e);
}

int entry_refuse(const struct call *c, enum login_door door, struct error *e)
{
	const struct entry *entry = &c->entry;
	const struct peer *peer = &c->request->peer;
	static const char expired[] = "the client certificate of this "
				      "connection has expired; connect again "
				      "with another one";

	if (entry->door == DOOR_HTTPS && entry->found.offer == OFFER_NONE)
		c->reply->close = true;
	if (entry->expired) {
		users_certificate_refused(c->services->users, door,
					  &peer->certificate, peer->address,
					  expired);
		return error_set(e, ERR_AUTH, "%s", expired);
	}
	if (entry->found.offer != OFFER_TRUSTED) {
		record_password(c, door);
		return error_set(e, ERR_AUTH, "%s", entry->rule->why);
	}
	users_certificate_refused(c->services->users, door, &peer->certificate,
				  peer->address, entry->found.why);
	return error_set(e, ERR_AUTH, "%s: %s", entry->rule->why,
			 entry->found.why);
}

/* A connection that lacks a certificate says nothing of the session. */
static int refuse(const struct call *c, struct error *e)
{
	if (c->request->session_id && !(c->entry.door == DOOR_HTTPS &&
					c->entry.found.offer == OFFER_NONE))
		sessions_close(c->services->sessions, c->request->session_id);
	return entry_refuse(c, LOGIN_API, e);
}

static bool has_members(const struct call *c)
{
	return value_member(c->params, "authenticationUser") ||
	       value_member(c->params, "authenticationPassword");
}

int authenticate(struct call *c, enum fault_code *fault_out, struct error *e)
{
	const struct peer *peer = &c->request->peer;
	bool by_password = c->entry.rule->way == LOGIN_BY_PASSWORD;

	if ((c->method->flags & METHOD_LOCAL_ROOT) &&
	    control_peer_is_root(peer)) {
		as_local(c);
		return 0;
	}
	if (!c->entry.open && c->entry.rule->way == LOGIN_REFUSED)
		return refuse(c, e);
	if ((c->entry.open || by_password) && has_members(c))
		return by_members(c, fault_out, e);
	if (c->entry.open && control_peer_is_trusted(peer)) {
		as_local(c);
		return 0;
	}
	/* A page that has lost its session does not go on without one. */
	if (c->request->session_id || c->request->csrf_token)
		return by_session(c, e);
	if (c->entry.rule->way == LOGIN_BY_CERTIFICATE)
		return by_certificate(c, e);
	return by_nothing(c, e);
}
