/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/xmlrpc_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

/* Longest text of a number or time. */
enum { NUMBER_TEXT_MAX = 350 };

/* Each gives NULL without an error for text that is not of the type. */
typedef struct value *scalar_fn(struct view text, struct error *e);

static struct value *scalar_int(struct view text, struct error *e)
{
	const char *s = (const char *)text.ptr;
	char *end;
	long long i;

	(void)e;
	if (strspn(s, "+-0123456789") != text.len)
		return NULL;
	errno = 0;
	i = strtoll(s, &end, 10);
	if (errno || *end || i < INT32_MIN || i > INT32_MAX)
		return NULL;
	return value_new_int((int32_t)i);
}

static struct value *scalar_boolean(struct view text, struct error *e)
{
	(void)e;
	if (!view_is(text, "0") && !view_is(text, "1"))
		return NULL;
	return value_new_boolean(text.ptr[0] == '1');
}

static struct value *scalar_double(struct view text, struct error *e)
{
	const char *s = (const char *)text.ptr;
	char *end;
	double d;

	(void)e;
	if (strspn(s, "+-.eE0123456789") != text.len)
		return NULL;
	d = strtod(s, &end);
	return *end || !isfinite(d) ? NULL : value_new_double(d);
}

/* n digits as a number, -1 when one is none. */
static int digits(const char **s, unsigned n)
{
	int i = 0;

	while (n--) {
		if (**s < '0' || **s > '9')
			return -1;
		i = 10 * i + (*(*s)++ - '0');
	}
	return i;
}

static bool skip(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

static bool is_in(int i, int least, int most)
{
	return i >= least && i <= most;
}

/* "20110119T13:52:42" as the original writes it; also with dashes in the date
 * and a Z behind, as several clients do. Always UTC. */
static struct value *scalar_time(struct view text, struct error *e)
{
	const char *s = (const char *)text.ptr;
	struct tm tm = { 0 }, given;
	bool dashes;
	time_t t;

	(void)e;
	tm.tm_year = digits(&s, 4) - 1900;
	dashes = skip(&s, '-');
	tm.tm_mon = digits(&s, 2) - 1;
	if (dashes && !skip(&s, '-'))
		return NULL;
	tm.tm_mday = digits(&s, 2);
	if (!skip(&s, 'T'))
		return NULL;
	tm.tm_hour = digits(&s, 2);
	if (!skip(&s, ':'))
		return NULL;
	tm.tm_min = digits(&s, 2);
	if (!skip(&s, ':'))
		return NULL;
	tm.tm_sec = digits(&s, 2);
	skip(&s, 'Z');
	if (*s || !is_in(tm.tm_year, -1900, 9999) || !is_in(tm.tm_mon, 0, 11) ||
	    !is_in(tm.tm_mday, 1, 31) || !is_in(tm.tm_hour, 0, 23) ||
	    !is_in(tm.tm_min, 0, 59) || !is_in(tm.tm_sec, 0, 59))
		return NULL;
	given = tm;
	t = timegm(&tm);
	/* 31 February has become March. */
	return tm.tm_mday == given.tm_mday ? value_new_time(t) : NULL;
}

static struct value *scalar_base64(struct view text, struct error *e)
{
	struct value *v = NULL;
	struct buf bytes;
	size_t bad;

	buf_init_secret(&bytes, base64_decoded_max(text.len));
	if (buf_reserve(&bytes, bytes.max, e) == 0 &&
	    base64_decode(text, bytes.ptr, &bytes.len, &bad) == 0)
		v = value_new_base64(buf_view(&bytes));
	buf_free(&bytes);
	return v;
}

static const struct {
	const char *element;
	enum value_type type;
	scalar_fn *parse;
} rows[] = {
	{ "int", VALUE_INT, scalar_int },
	{ "i4", VALUE_INT, scalar_int },
	{ "boolean", VALUE_BOOLEAN, scalar_boolean },
	{ "double", VALUE_DOUBLE, scalar_double },
	{ "dateTime.iso8601", VALUE_TIME, scalar_time },
	{ "base64", VALUE_BASE64, scalar_base64 },
};

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct view trim(struct view v)
{
	while (v.len && is_space(v.ptr[v.len - 1]))
		v.len--;
	while (v.len && is_space(v.ptr[0])) {
		v.ptr++;
		v.len--;
	}
	return v;
}

static struct value *parse_number(scalar_fn *parse, struct view text,
				  struct error *e)
{
	char copy[NUMBER_TEXT_MAX + 1];

	if (text.len == 0 || text.len > NUMBER_TEXT_MAX)
		return NULL;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return parse(view_of(copy, text.len), e);
}

struct value *xmlrpc_scalar(const char *element, struct view text,
			    struct error *e)
{
	struct value *v = NULL;

	if (!strcmp(element, "string")) {
		v = value_new_text(text);
		if (!v)
			error_nomem(e);
		return v;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strcmp(rows[i].element, element) != 0)
			continue;
		v = rows[i].type == VALUE_BASE64
			? rows[i].parse(text, e)
			: parse_number(rows[i].parse, trim(text), e);
	}
	if (!v)
		error_set(e, ERR_INPUT, "not a valid %s", element);
	return v;
}
