/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "auth/password_rules.h"

#include <string.h>

#include "base/utf8.h"

static const struct password_rule_row rows[PASSWORD_RULE_COUNT] = {
	[PASSWORD_RULE_MAXIMUM] = { "maximum", "at most 31 characters", false,
				    PASSWORD_CHARACTERS_MAX },
	[PASSWORD_RULE_MINIMUM] = { "minimum", "at least 15 characters", true,
				    ADVANCED_PASSWORD_CHARACTERS },
	[PASSWORD_RULE_CAPITALS] = { "capitals",
				     "at least 2 capital letters (A to Z)",
				     true, ADVANCED_PASSWORD_OF_EACH },
	[PASSWORD_RULE_SMALL] = { "small", "at least 2 small letters (a to z)",
				  true, ADVANCED_PASSWORD_OF_EACH },
	[PASSWORD_RULE_DIGITS] = { "digits", "at least 2 digits (0 to 9)", true,
				   ADVANCED_PASSWORD_OF_EACH },
	[PASSWORD_RULE_OTHERS] = { "others",
				   "at least 2 other characters, such as "
				   "punctuation marks",
				   true, ADVANCED_PASSWORD_OF_EACH },
	[PASSWORD_RULE_REPEATS] = { "repeats",
				    "no character more than 2 times in a row",
				    true, ADVANCED_PASSWORD_REPEATS },
	[PASSWORD_RULE_HISTORY] = { "history",
				    "another value than the account's last 10 "
				    "passwords",
				    true, ADVANCED_PASSWORD_HISTORY },
	[PASSWORD_RULE_FREQUENCY] = { "frequency",
				      "at least 24 hours since the user's own "
				      "last change, except for administrators",
				      true, 24 },
	[PASSWORD_RULE_AGE] = { "age", "a change every 60 days", true, 60 },
};

const struct password_rule_row *password_rule_row(size_t i)
{
	return i < PASSWORD_RULE_COUNT ? &rows[i] : NULL;
}

/* What a password is made of. */
struct census {
	int characters, capitals, small, digits, others, longest_run;
};

static void count_ascii(struct census *c, uint32_t code)
{
	if (code >= 'A' && code <= 'Z')
		c->capitals++;
	else if (code >= 'a' && code <= 'z')
		c->small++;
	else if (code >= '0' && code <= '9')
		c->digits++;
	else if (code < 0x80)
		c->others++;
}

/* Up to a malformed byte, which no password that is set has. */
static struct census count(struct view password)
{
	uint32_t code, before = UINT32_MAX;
	struct census c = { 0 };
	size_t length;
	int run = 0;

	while ((length = utf8_next(password, &code))) {
		run = code == before ? run + 1 : 1;
		if (run > c.longest_run)
			c.longest_run = run;
		c.characters++;
		count_ascii(&c, code);
		before = code;
		password.ptr += length;
		password.len -= length;
	}
	return c;
}

unsigned password_rules_broken(struct view password, bool advanced)
{
	const struct census c = count(password);
	const bool broken[PASSWORD_RULE_COUNT] = {
		[PASSWORD_RULE_MAXIMUM] =
		    c.characters > PASSWORD_CHARACTERS_MAX,
		[PASSWORD_RULE_MINIMUM] =
		    c.characters < ADVANCED_PASSWORD_CHARACTERS,
		[PASSWORD_RULE_CAPITALS] =
		    c.capitals < ADVANCED_PASSWORD_OF_EACH,
		[PASSWORD_RULE_SMALL] = c.small < ADVANCED_PASSWORD_OF_EACH,
		[PASSWORD_RULE_DIGITS] = c.digits < ADVANCED_PASSWORD_OF_EACH,
		[PASSWORD_RULE_OTHERS] = c.others<
		    ADVANCED_PASSWORD_OF_EACH, [PASSWORD_RULE_REPEATS] =
						   c.longest_run>
					     ADVANCED_PASSWORD_REPEATS,
	};
	unsigned bits = 0;

	for (size_t i = 0; i < PASSWORD_RULE_COUNT; i++)
		if (broken[i] && (advanced || !rows[i].advanced))
			bits |= 1u << i;
	return bits;
}

int password_rules_refuse(unsigned broken, struct error *e)
{
	char list[ERROR_TEXT_MAX] = "";
	size_t n = 0;

	if (!broken)
		return 0;
	for (size_t i = 0; i < PASSWORD_RULE_COUNT; i++) {
		const char *comma = n ? ", " : "";

		if (!(broken & 1u << i) ||
		    n + strlen(comma) + strlen(rows[i].text) >= sizeof(list))
			continue;
		n = (size_t)(stpcpy(stpcpy(list + n, comma), rows[i].text) -
			     list);
	}
	return error_set(e, ERR_PASSWORD_RULES, "it needs %s", list);
}

static int refuse(struct error *e, const char *rule)
{
	return error_set(e, ERR_PASSWORD_RULES, "%s", rule);
}

int password_text_check(struct view password, struct error *e)
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

int password_rules_check(struct view password, bool advanced, struct error *e)
{
	if (password_text_check(password, e) < 0)
		return -1;
	return password_rules_refuse(password_rules_broken(password, advanced),
				     e);
}
