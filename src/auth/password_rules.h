/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUTH_PASSWORD_RULES_H
#define SB_AUTH_PASSWORD_RULES_H

#include "base/buf.h"

enum { PASSWORD_CHARACTERS_MAX = 31, PASSWORD_BYTES_MAX = 4 * 31 };

/* Whether a password may be set (facts 4.1 and 5). Empty: the account has none,
 * which is allowed. A pure function. ERR_PASSWORD_RULES says which rule; the
 * text never holds the password. */
int password_rules_check(struct view password, struct error *e) MUST_CHECK;

#endif
