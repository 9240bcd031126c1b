/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/authenticate.h"

#include <grp.h>
#include <pwd.h>
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

static int by_session(struct call *c, struct error *e)
{
	const struct web_request *rq = c->request;
	struct caller *caller = &c->caller;

	if (sessions_find(c->services->sessions, rq->session_id,
			  rq->peer.address, true, &caller->session, e) < 0)
		return -1;
	if (!(c->method->flags & METHOD_WITHOUT_CSRF) &&
	    (!rq->csrf_token ||
	     !same_text(caller->session.csrf_token, rq->csrf_token)))
		return error_set(e, ERR_AUTH, "no valid X-CSRF-Token");
	if (users_lookup(c->services->users, caller->session.user_id,
			 &caller->user, e) < 0) {
		sessions_close(c->services->sessions, rq->session_id);
		return error_set(e, ERR_AUTH, "the account is gone");
	}
	if (memcmp(caller->user.password_mark, caller->session.password_mark,
		   PASSWORD_MARK_SIZE) != 0) {
		sessions_close(c->services->sessions, rq->session_id);
		return error_set(e, ERR_AUTH, "the password was changed");
	}
	caller->user.must_change_password =
	    caller->session.must_change_password;
	caller->via = VIA_SESSION;
	return 0;
}

int authenticate(struct call *c, enum fault_code *fault_out, struct error *e)
{
	if (value_member(c->params, "authenticationUser") ||
	    value_member(c->params, "authenticationPassword"))
		return by_members(c, fault_out, e);
	if (control_peer_is_trusted(&c->request->peer)) {
		as_local(c);
		return 0;
	}
	return c->request->session_id ? by_session(c, e) : 0;
}
