/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/params.h"

#include <stdio.h>
#include <string.h>

enum { PATH_MAX_CHARS = 160 };

struct check {
	enum fault_code *fault;
	struct error *e;
};

static int refuse(const struct check *k, enum fault_code fault,
		  const char *path, const char *why)
{
	*k->fault = fault;
	return error_set(k->e, ERR_INPUT, "%s%s%s", path, why ? ": " : "",
			 why ? why : "");
}

static size_t count_chars(struct view text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += (text.ptr[i] & 0xC0) != 0x80;
	return n;
}

/* Whether text is one of "a|b|c". */
static bool is_choice(const char *choices, const char *text)
{
	size_t n = strlen(text);

	for (const char *p = choices; p; p = strchr(p, '|')) {
		p += *p == '|';
		if (!strncmp(p, text, n) && (p[n] == '|' || p[n] == '\0'))
			return true;
	}
	return false;
}

static int check_string(const struct check *k, const struct param *row,
			const struct value *v, const char *path)
{
	unsigned most = row->chars ? row->chars : PARAM_CHARS_MAX;
	char why[ERROR_TEXT_MAX];

	if (row->choices && !is_choice(row->choices, value_string(v))) {
		snprintf(why, sizeof(why), "none of %s", row->choices);
		return refuse(k, FAULT_INVALID_PARAMETER, path, why);
	}
	if (count_chars(value_bytes(v)) > most) {
		snprintf(why, sizeof(why), "more than %u characters", most);
		return refuse(k, FAULT_INVALID_PARAMETER, path, why);
	}
	return 0;
}

static int check_int(const struct check *k, const struct param *row,
		     const struct value *v, const char *path)
{
	char why[80];

	if (row->least == row->most ||
	    (value_int(v) >= row->least && value_int(v) <= row->most))
		return 0;
	snprintf(why, sizeof(why), "not from %d to %d", row->least, row->most);
	return refuse(k, FAULT_INVALID_PARAMETER, path, why);
}

static int check_members(const struct check *k, const struct param *rows,
			 const struct value *v, const char *prefix);

static int check_value(const struct check *k, const struct param *row,
		       const struct value *v, const char *path)
{
	char inner[PATH_MAX_CHARS];

	if (!value_is(v, row->type))
		return refuse(k, FAULT_MALFORMED_PARAMETER, path, NULL);
	switch (row->type) {
	case VALUE_STRING: return check_string(k, row, v, path);
	case VALUE_INT: return check_int(k, row, v, path);
	case VALUE_STRUCT:
		snprintf(inner, sizeof(inner), "%s.", path);
		return row->inside ? check_members(k, row->inside, v, inner)
				   : 0;
	case VALUE_ARRAY:
		for (size_t i = 0; row->inside && i < value_count(v); i++) {
			snprintf(inner, sizeof(inner), "%s[%zu]", path, i);
			if (check_value(k, row->inside, value_item(v, i),
					inner) < 0)
				return -1;
		}
		return 0;
	default: return 0;
	}
}

static int check_members(const struct check *k, const struct param *rows,
			 const struct value *v, const char *prefix)
{
	for (; rows->name; rows++) {
		const struct value *member = value_member(v, rows->name);
		char path[PATH_MAX_CHARS];

		snprintf(path, sizeof(path), "%s%s", prefix, rows->name);
		if (!member && rows->required)
			return refuse(k, FAULT_MISSING_PARAMETER, path, NULL);
		if (member && check_value(k, rows, member, path) < 0)
			return -1;
	}
	return 0;
}

int params_check(const struct param *rows, const struct value *params,
		 enum fault_code *fault_out, struct error *e)
{
	struct check k = { fault_out, e };

	return rows ? check_members(&k, rows, params, "") : 0;
}

int params_check_names(const struct param *rows, const struct value *s,
		       const char *where, struct error *e)
{
	for (size_t i = 0; i < value_count(s); i++) {
		const char *name = value_item_name(s, i);
		const struct param *row = rows;

		while (row->name && strcmp(row->name, name) != 0)
			row++;
		if (!row->name)
			return error_set(e, ERR_INPUT,
					 "%s: there is no member \"%.64s\"",
					 where, name);
	}
	return 0;
}
