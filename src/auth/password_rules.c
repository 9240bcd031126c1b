/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "auth/password_rules.h"

#include "base/utf8.h"

static int refuse(struct error *e, const char *rule)
{
	return error_set(e, ERR_PASSWORD_RULES, "%s", rule);
}

int password_rules_check(struct view password, struct error *e)
{
	long characters = utf8_count(password);

	if (characters < 0)
		return refuse(e, "the password is not valid UTF-8");
	if (!utf8_is_plain(password))
		return refuse(e, "the password has control characters");
	if (characters > PASSWORD_CHARACTERS_MAX)
		return refuse(e, "the password has more than 31 characters");
	return 0;
}
