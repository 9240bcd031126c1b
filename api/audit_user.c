/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/audit_user.h"

#include <string.h>

static const char *yes_no(bool on)
{
	return on ? "yes" : "no";
}

static const char *level(const struct user_row *row)
{
	return privilege_name((enum privilege)row->privilege);
}

void audit_user_added(const struct call *c, const struct user_row *added)
{
	call_audit(
	    c, AUDIT(USER_ADDED, .user = added->id, .privilege = level(added),
		     .enabled = yes_no(!added->disabled), .name = added->name));
}

/* Old and new value of a field; what stayed is in no record. */
static void put_change(const char *before, const char *after, const char **from,
		       const char **to)
{
	if (!strcmp(before, after))
		return;
	*from = before;
	*to = after;
}

static void put_flag(bool before, bool after, const char **from,
		     const char **to)
{
	put_change(yes_no(before), yes_no(after), from, to);
}

static void write_modified(const struct call *c, const struct user_effect *f)
{
	const struct user_row *a = &f->before, *b = &f->after;
	const char *same = NULL;
	struct audit_values_USER_MODIFIED v = { .user = a->id };

	put_change(a->id, b->id, &same, &v.newUser);
	put_change(level(a), level(b), &v.privilegeFrom, &v.privilegeTo);
	put_flag(!a->disabled, !b->disabled, &v.enabledFrom, &v.enabledTo);
	put_flag(a->lock_password, b->lock_password, &v.lockPasswordFrom,
		 &v.lockPasswordTo);
	put_flag(a->force_change, b->force_change, &v.forceChangeFrom,
		 &v.forceChangeTo);
	put_change(a->name, b->name, &v.nameFrom, &v.nameTo);
	put_change(a->e164, b->e164, &v.e164From, &v.e164To);
	put_change(a->endpoint, b->endpoint, &v.endpointFrom, &v.endpointTo);
	call_audit(c, AUDIT_OF(USER_MODIFIED, v));
}

static bool is_only_password(const struct user_change *w)
{
	return w->password && !w->id && !w->name && !w->privilege &&
	       !w->disabled && !w->lock_password && !w->force_change &&
	       !w->e164 && !w->endpoint;
}

void audit_user_modified(const struct call *c, const struct user_change *wanted)
{
	if (!is_only_password(wanted))
		write_modified(c, wanted->effect);
	if (wanted->password)
		call_audit(c, AUDIT(PASSWORD_CHANGED,
				    .user = wanted->effect->after.id));
}

void audit_user_deleted(const struct call *c, const struct user_row *gone)
{
	call_audit(c, AUDIT(USER_DELETED, .user = gone->id,
			    .privilege = level(gone), .name = gone->name));
}
