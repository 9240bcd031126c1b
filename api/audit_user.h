/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_AUDIT_USER_H
#define SB_API_AUDIT_USER_H

#include "api/method.h"

/* Records of changes of accounts. Nothing of a password but that it changed. */

void audit_user_added(const struct call *c, const struct user_row *added);
/* userModified when anything but the password was to change, passwordChanged
 * when it was. */
void audit_user_modified(const struct call *c,
			 const struct user_change *wanted);
void audit_user_deleted(const struct call *c, const struct user_row *gone);

#endif
