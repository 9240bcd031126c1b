/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CONFIG_SETTING_VALUES_H
#define SB_CONFIG_SETTING_VALUES_H

#include "config/settings.h"

/* Values as text and as numbers. Pure functions. */

/* yes true on, no false off; case is ignored. -1: none of them. */
int bool_from_word(const char *word, bool *out);
/* A decimal number and nothing else. -1: it is not, or does not fit. */
int integer_from_text(const char *text, int64_t *out);

enum { SETTING_VALUE_MAX = 1024 };

struct setting_value {
	int64_t number;               /* as enum setting_type says: 0 and 1, the
				       * number, the position, the port */
	char text[SETTING_VALUE_MAX]; /* "yes", "443", "verify" */
};

/* ERR_INPUT naming setting, value and what is allowed. */
int setting_value_check(const struct setting_row *row, const char *text,
			struct setting_value *out, struct error *e) MUST_CHECK;

#endif
