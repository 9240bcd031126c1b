/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUTH_PASSWORD_RULES_H
#define SB_AUTH_PASSWORD_RULES_H

#include "base/buf.h"

/* Which passwords may be set: one row a rule, in words, and pure functions. */

enum {
	PASSWORD_CHARACTERS_MAX = 31,
	PASSWORD_BYTES_MAX = 4 * 31,
	ADVANCED_PASSWORD_CHARACTERS = 15, /* at least */
	ADVANCED_PASSWORD_OF_EACH = 2,     /* capital, small, digit, other */
	ADVANCED_PASSWORD_REPEATS = 2,     /* of a character in a row */
	ADVANCED_PASSWORD_HISTORY = 10     /* the present one among them */
};

/* All but the first hold in the advanced account security mode only. */
enum password_rule {
	PASSWORD_RULE_MAXIMUM,
	PASSWORD_RULE_MINIMUM,
	PASSWORD_RULE_CAPITALS,
	PASSWORD_RULE_SMALL,
	PASSWORD_RULE_DIGITS,
	PASSWORD_RULE_OTHERS,
	PASSWORD_RULE_REPEATS,
	PASSWORD_RULE_HISTORY, /* these are no matter of the characters */
	PASSWORD_RULE_FREQUENCY,
	PASSWORD_RULE_AGE,
	PASSWORD_RULE_COUNT
};

struct password_rule_row {
	const char *id;   /* "minimum" */
	const char *text; /* "at least 15 characters" */
	bool advanced;    /* holds in the advanced mode only */
	int number;       /* the one in the text */
};

/* NULL past the end. */
const struct password_rule_row *password_rule_row(size_t i);

/* Rules that the characters of a password break, a bit for each (1u << rule).
 * Letters and digits are those of ASCII; other characters count for the length
 * only, since what is a letter elsewhere depends on the reader. */
unsigned password_rules_broken(struct view password, bool advanced);

/* ERR_PASSWORD_RULES naming every rule of the bits; returns -1. 0 without
 * bits. */
int password_rules_refuse(unsigned broken, struct error *e) MUST_CHECK;

/* Whether the text can be a password at all. Empty: the account has none.
 * ERR_PASSWORD_RULES. */
int password_text_check(struct view password, struct error *e) MUST_CHECK;

/* All that its characters must be. Without the advanced mode empty is allowed.
 * ERR_PASSWORD_RULES says which rules; the text never holds the password. */
int password_rules_check(struct view password, bool advanced,
			 struct error *e) MUST_CHECK;

#endif
