/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "calls/enumerate_filter.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct reader {
	const char *text, *at;
	const struct filter_atom *atoms;
	unsigned depth;
	struct error *e;
};

static int refuse(const struct reader *r, const char *what)
{
	return error_set(r->e, ERR_INPUT, "%s at character %zu", what,
			 (size_t)(r->at - r->text) + 1);
}

static void skip_space(struct reader *r)
{
	r->at += strspn(r->at, " \t\r\n");
}

/* --- what operators do ---------------------------------------------------- */

enum operator{
	OP_OR,
	OP_AND,
	OP_BIT_OR,
	OP_BIT_XOR,
	OP_BIT_AND,
	OP_EQUAL,
	OP_UNEQUAL,
	OP_AT_MOST,
	OP_AT_LEAST,
	OP_LEFT,
	OP_RIGHT,
	OP_LESS,
	OP_MORE,
	OP_PLUS,
	OP_MINUS,
	OP_TIMES,
	OP_DIVIDE,
	OP_REST
};

/* Longer ones before those that they begin with. level: what binds tighter has
 * the greater one. */
static const struct row {
	const char *text;
	enum operator op;
	int level;
} operators[] = {
	{ "||", OP_OR, 1 },       { "&&", OP_AND, 2 },
	{ "|", OP_BIT_OR, 3 },    { "^", OP_BIT_XOR, 4 },
	{ "&", OP_BIT_AND, 5 },   { "==", OP_EQUAL, 6 },
	{ "!=", OP_UNEQUAL, 6 },  { "<=", OP_AT_MOST, 7 },
	{ ">=", OP_AT_LEAST, 7 }, { "<<", OP_LEFT, 8 },
	{ ">>", OP_RIGHT, 8 },    { "<", OP_LESS, 7 },
	{ ">", OP_MORE, 7 },      { "+", OP_PLUS, 9 },
	{ "-", OP_MINUS, 9 },     { "*", OP_TIMES, 10 },
	{ "/", OP_DIVIDE, 10 },   { "%", OP_REST, 10 },
};

static int64_t divide(int64_t a, int64_t b, bool rest)
{
	if (b == 0)
		return 0;
	/* The one quotient that does not fit. */
	if (b == -1)
		return rest ? 0 : (int64_t)(0 - (uint64_t)a);
	return rest ? a % b : a / b;
}

static int64_t shift(int64_t a, int64_t by, bool left)
{
	if (by < 0 || by > 63)
		return 0;
	if (left)
		return (int64_t)((uint64_t)a << by);
	return a < 0 ? ~(~a >> by) : a >> by;
}

static int64_t apply(enum operator op, int64_t a, int64_t b)
{
	const uint64_t ua = (uint64_t)a, ub = (uint64_t)b;

	switch (op) {
	case OP_OR: return a || b;
	case OP_AND: return a && b;
	case OP_BIT_OR: return (int64_t)(ua | ub);
	case OP_BIT_XOR: return (int64_t)(ua ^ ub);
	case OP_BIT_AND: return (int64_t)(ua & ub);
	case OP_EQUAL: return a == b;
	case OP_UNEQUAL: return a != b;
	case OP_AT_MOST: return a <= b;
	case OP_AT_LEAST: return a >= b;
	case OP_LEFT: return shift(a, b, true);
	case OP_RIGHT: return shift(a, b, false);
	case OP_LESS: return a < b;
	case OP_MORE: return a > b;
	case OP_PLUS: return (int64_t)(ua + ub);
	case OP_MINUS: return (int64_t)(ua - ub);
	case OP_TIMES: return (int64_t)(ua * ub);
	case OP_DIVIDE: return divide(a, b, false);
	case OP_REST: return divide(a, b, true);
	}
	return 0;
}

/* --- reading -------------------------------------------------------------- */

static int read_binary(struct reader *r, int level, int64_t *out);

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int digit(char c, unsigned base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (base == 16 && c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (base == 16 && c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int read_number(struct reader *r, int64_t *out)
{
	unsigned base = 10;
	uint64_t n = 0;

	if (r->at[0] == '0' && (r->at[1] == 'x' || r->at[1] == 'X')) {
		base = 16;
		r->at += 2;
		if (digit(*r->at, base) < 0)
			return refuse(r, "a number is expected");
	}
	for (int d; (d = digit(*r->at, base)) >= 0; r->at++) {
		if (n > ((uint64_t)INT64_MAX - (unsigned)d) / base)
			return refuse(r, "the number is too large");
		n = n * base + (unsigned)d;
	}
	if (is_letter(*r->at))
		return refuse(r, "a number is expected to end");
	*out = (int64_t)n;
	return 0;
}

static int read_atom(struct reader *r, int64_t *out)
{
	size_t n = 0;

	while (is_letter(r->at[n]) || digit(r->at[n], 10) >= 0)
		n++;
	for (const struct filter_atom *a = r->atoms; a->name; a++) {
		if (strlen(a->name) != n || strncmp(a->name, r->at, n) != 0)
			continue;
		r->at += n;
		*out = a->value;
		return 0;
	}
	return refuse(r, "there is no such name");
}

static int read_brackets(struct reader *r, int64_t *out)
{
	r->at++;
	if (read_binary(r, 1, out) < 0)
		return -1;
	skip_space(r);
	if (*r->at != ')')
		return refuse(r, "\")\" is expected");
	r->at++;
	return 0;
}

static int read_operand(struct reader *r, int64_t *out)
{
	if (*r->at == '(')
		return read_brackets(r, out);
	if (digit(*r->at, 10) >= 0)
		return read_number(r, out);
	if (is_letter(*r->at))
		return read_atom(r, out);
	return refuse(r, "a name, a number or \"(\" is expected");
}

static int64_t apply_unary(char op, int64_t v)
{
	switch (op) {
	case '-': return (int64_t)(0 - (uint64_t)v);
	case '!': return !v;
	case '~': return ~v;
	default: return v;
	}
}

static int read_unary(struct reader *r, int64_t *out)
{
	int rc;
	char op;

	skip_space(r);
	if (++r->depth > FILTER_DEPTH_MAX)
		return refuse(r, "too much within another");
	op = *r->at;
	if (op && strchr("-+!~", op)) {
		r->at++;
		rc = read_unary(r, out);
		if (rc == 0)
			*out = apply_unary(op, *out);
	} else {
		rc = read_operand(r, out);
	}
	r->depth--;
	return rc;
}

/* The operator that comes next, if it binds at least so tightly. */
static const struct row *next_operator(struct reader *r, int level)
{
	skip_space(r);
	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
		const struct row *row = &operators[i];
		size_t n = strlen(row->text);

		if (strncmp(r->at, row->text, n) != 0)
			continue;
		if (row->level < level)
			return NULL;
		r->at += n;
		return row;
	}
	return NULL;
}

static int read_binary(struct reader *r, int level, int64_t *out)
{
	const struct row *row;
	int64_t right;

	if (read_unary(r, out) < 0)
		return -1;
	while ((row = next_operator(r, level))) {
		if (read_binary(r, row->level + 1, &right) < 0)
			return -1;
		*out = apply(row->op, *out, right);
	}
	return 0;
}

int filter_evaluate(const char *text, const struct filter_atom *atoms,
		    int64_t *out, struct error *e)
{
	struct reader r = { text, text, atoms, 0, e };

	*out = 0;
	if (strlen(text) > FILTER_CHARS_MAX)
		return error_set(e, ERR_INPUT, "more than %d characters",
				 FILTER_CHARS_MAX);
	if (read_binary(&r, 1, out) < 0)
		return -1;
	skip_space(&r);
	return *r.at ? refuse(&r, "an operator is expected") : 0;
}
