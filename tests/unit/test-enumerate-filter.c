/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "calls/enumerate_filter.h"
#include "tests/lib/unit.h"

/* a is 1, b is 0, n is -7, big is the greatest. */
static const struct filter_atom atoms[] = {
	{ "a", 1 }, { "b", 0 }, { "n", -7 }, { "big", INT64_MAX }, { NULL, 0 },
};

static const struct {
	const char *text;
	int64_t wanted;
} right[] = {
	{ "a", 1 },
	{ " \t a\r\n", 1 },
	{ "b", 0 },
	{ "42", 42 },
	{ "007", 7 },
	{ "0x1F", 31 },
	{ "0XfF", 255 },
	{ "9223372036854775807", INT64_MAX },
	{ "a&&b", 0 },
	{ "a && !b", 1 },
	{ "b||a", 1 },
	{ "(a || b) && b", 0 },
	{ "a || b && b", 1 },
	{ "!a", 0 },
	{ "!!5", 1 },
	{ "-a", -1 },
	{ "- - a", 1 },
	{ "+3", 3 },
	{ "~0", -1 },
	{ "-2*3", -6 },
	{ "2+3*4", 14 },
	{ "(2+3)*4", 20 },
	{ "10-4-3", 3 },
	{ "100/10/2", 5 },
	{ "17%5", 2 },
	{ "n%4", -3 },
	{ "n/2", -3 },
	{ "1/0", 0 },
	{ "1%0", 0 },
	{ "(0-big-1)/-1", INT64_MIN },
	{ "(0-big-1)%-1", 0 },
	{ "big+1", INT64_MIN },
	{ "big*big", 1 },
	{ "-(0-big-1)", INT64_MIN },
	{ "1<<4", 16 },
	{ "1<<63>>63", -1 },
	{ "1<<64", 0 },
	{ "1>>-1", 0 },
	{ "n>>1", -4 },
	{ "16>>2", 4 },
	{ "6&3", 2 },
	{ "6|3", 7 },
	{ "6^3", 5 },
	{ "1|2^3&4", 3 },
	{ "a==1", 1 },
	{ "a==2", 0 },
	{ "a!=b", 1 },
	{ "1<2", 1 },
	{ "2<1", 0 },
	{ "2<=2", 1 },
	{ "3>2", 1 },
	{ "2>=3", 0 },
	{ "1<2==1", 1 },
	{ "1+1<3&&2>1", 1 },
	{ "1<<2<5", 1 },
	{ "a&b==0", 1 },
	{ "((((a))))", 1 },
	{ "!(a&&!b)||(b)", 0 },
};

static void test_right_ones(void)
{
	struct error e = ERROR_INIT;
	int64_t got;

	for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++) {
		if (filter_evaluate(right[i].text, atoms, &got, &e) < 0 ||
		    got != right[i].wanted) {
			unit_note("%s: %lld, %s", right[i].text, (long long)got,
				  e.text);
			CU_FAIL("another value");
		}
		error_clear(&e);
	}
}

static const struct {
	const char *text, *words;
} wrong[] = {
	{ "", "expected at character 1" },
	{ "   ", "expected at character 4" },
	{ "c", "no such name at character 1" },
	{ "A", "no such name" },
	{ "aa", "no such name" },
	{ "a b", "operator is expected at character 3" },
	{ "a &&", "expected at character 5" },
	{ "&& a", "expected at character 1" },
	{ "a && && b", "expected" },
	{ "(a", "\")\" is expected" },
	{ "a)", "operator is expected" },
	{ "()", "expected" },
	{ "a = b", "operator is expected" },
	{ "a ! b", "operator is expected" },
	{ "1a", "expected to end" },
	{ "0x", "number is expected" },
	{ "0xg", "number is expected" },
	{ "9223372036854775808", "too large" },
	{ "99999999999999999999999", "too large" },
	{ "f(a, b)", "no such name" },
	{ "a(b)", "operator is expected" },
	{ "1.5", "operator is expected" },
	{ "\"a\"", "expected" },
	{ "a; b", "operator is expected" },
	{ "\xc3\xa4", "expected" },
	{ "\xff", "expected" },
	{ "a ? 1 : 2", "operator is expected" },
	/* Also where nothing hangs on it. */
	{ "b && c", "no such name" },
	{ "a || c", "no such name" },
};

static void test_wrong_ones(void)
{
	struct error e = ERROR_INIT;
	int64_t got;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		CHECK_FAILS(filter_evaluate(wrong[i].text, atoms, &got, &e), &e,
			    ERR_INPUT, wrong[i].words);
		error_clear(&e);
	}
}

static void nest(char *out, const char *open, int depth, const char *close)
{
	*out = '\0';
	for (int i = 0; i < depth; i++)
		strcat(out, open);
	strcat(out, "a");
	for (int i = 0; i < depth; i++)
		strcat(out, close);
}

static void test_limits(void)
{
	struct error e = ERROR_INIT;
	char text[1024];
	int64_t got;

	nest(text, "(", FILTER_DEPTH_MAX - 1, ")");
	CHECK_OK(filter_evaluate(text, atoms, &got, &e), &e);
	nest(text, "(", FILTER_DEPTH_MAX, ")");
	CHECK_FAILS(filter_evaluate(text, atoms, &got, &e), &e, ERR_INPUT,
		    "too much within another");
	nest(text, "!", FILTER_DEPTH_MAX - 1, "");
	CHECK_OK(filter_evaluate(text, atoms, &got, &e), &e);
	nest(text, "-", FILTER_DEPTH_MAX, "");
	error_clear(&e);
	CHECK_FAILS(filter_evaluate(text, atoms, &got, &e), &e, ERR_INPUT,
		    "too much within another");
	/* Beside each other is not within. */
	nest(text, "a+", 100, "");
	CHECK_OK(filter_evaluate(text, atoms, &got, &e), &e);
	CU_ASSERT_EQUAL(got, 101);
	memset(text, ' ', sizeof(text));
	text[FILTER_CHARS_MAX - 1] = 'a';
	text[FILTER_CHARS_MAX] = '\0';
	CHECK_OK(filter_evaluate(text, atoms, &got, &e), &e);
	text[FILTER_CHARS_MAX] = ' ';
	text[FILTER_CHARS_MAX + 1] = '\0';
	error_clear(&e);
	CHECK_FAILS(filter_evaluate(text, atoms, &got, &e), &e, ERR_INPUT,
		    "more than 255 characters");
}

/* Whatever is thrown at it: an answer, nothing else. */
static void test_rubbish(void)
{
	static const char *const pieces[] = { "a",  "b",  "n", "big", "1", "0",
					      "0x", "99", "(", ")",   "!", "~",
					      "-",  "+",  "*", "/",   "%", "<",
					      ">",  "=",  "&", "|",   "^", " ",
					      "<<", ">>", ",", "\x80" };
	enum { PIECES = sizeof(pieces) / sizeof(*pieces), TRIES = 20000 };
	unsigned good = 0;

	srandom(1);
	for (int i = 0; i < TRIES; i++) {
		struct error e = ERROR_INIT;
		char text[300] = "";
		int64_t got;

		for (long n = random() % 12; n >= 0; n--)
			strcat(text, pieces[random() % PIECES]);
		if (filter_evaluate(text, atoms, &got, &e) == 0)
			good++;
		else
			CU_ASSERT_EQUAL(e.kind, ERR_INPUT);
	}
	CU_ASSERT(good > 100 && good < TRIES / 2);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "what they say", test_right_ones },
		{ "what is none", test_wrong_ones },
		{ "limits", test_limits },
		{ "rubbish", test_rubbish },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "enumerate filter", tests, NULL, NULL);
}
