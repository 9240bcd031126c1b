/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/command_table.h"
#include "ctl/console_line.h"
#include "tests/lib/unit.h"

enum { WORDS = 4 };

static void test_split(void)
{
	static const struct {
		const char *line;
		const char *words[WORDS];
	} rows[] = {
		{ "", { NULL } },
		{ " \t ", { NULL } },
		{ "# a remark", { NULL } },
		{ "status", { "status" } },
		{ "  token\tshow \r", { "token", "show" } },
		{ "a b # c", { "a", "b" } },
		{ "a#b", { "a#b" } },
		{ "call m a='b c'", { "call", "m", "a=b c" } },
		{ "\"a \\\" b\" 'c \\ d'", { "a \" b", "c \\ d" } },
		{ "\"a\\n\"", { "a\\n" } },
		{ "a\\ b \\'", { "a b", "'" } },
		{ "''", { "" } },
		{ "a\"\"b", { "ab" } },
		{ "a \\", { "a", "\\" } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char line[CONSOLE_LINE_MAX + 1], *words[CONSOLE_WORDS_MAX];
		struct error e = ERROR_INIT;
		int n = -1, wanted = 0;

		snprintf(line, sizeof(line), "%s", rows[i].line);
		CHECK_OK(console_split(line, words, &n, &e), &e);
		while (wanted < WORDS && rows[i].words[wanted])
			wanted++;
		if (n != wanted)
			unit_note("%s: %d words", rows[i].line, n);
		CU_ASSERT_EQUAL(n, wanted);
		for (int w = 0; w < n && w < wanted; w++)
			CU_ASSERT_STRING_EQUAL(words[w], rows[i].words[w]);
	}
}

static void fill_words(char *line, int count)
{
	for (int i = 0; i < count; i++)
		memcpy(line + (size_t)i * 2, "w ", 3);
}

static void test_split_refused(void)
{
	char line[CONSOLE_LINE_MAX + 1], *words[CONSOLE_WORDS_MAX];
	static const char *const rows[] = { "'", "a \"b", "\"a\\\"", "x'y z" };
	struct error e = ERROR_INIT;
	int n;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(line, sizeof(line), "%s", rows[i]);
		CHECK_FAILS(console_split(line, words, &n, &e), &e, ERR_INPUT,
			    "has no end");
	}
	fill_words(line, CONSOLE_WORDS_MAX + 1);
	CHECK_FAILS(console_split(line, words, &n, &e), &e, ERR_LIMIT,
		    "more than");
	fill_words(line, CONSOLE_WORDS_MAX);
	CHECK_OK(console_split(line, words, &n, &e), &e);
	CU_ASSERT_EQUAL(n, CONSOLE_WORDS_MAX);
}

struct pipe {
	struct console_reader reader;
	int in;
};

static void open_pipe(struct pipe *p)
{
	int fds[2] = { -1, -1 };

	memset(p, 0, sizeof(*p));
	CU_ASSERT_EQUAL(pipe(fds), 0);
	p->reader.fd = fds[0];
	p->in = fds[1];
}

static void put(struct pipe *p, const char *bytes, size_t n)
{
	CU_ASSERT_EQUAL(write(p->in, bytes, n), (ssize_t)n);
}

static void test_read(void)
{
	char out[CONSOLE_LINE_MAX + 1];
	struct pipe p;

	open_pipe(&p);
	put(&p, "one\n\ntwo\nthr", 12);
	CU_ASSERT_EQUAL(console_read(&p.reader, 1000, out), CONSOLE_LINE);
	CU_ASSERT_STRING_EQUAL(out, "one");
	CU_ASSERT_EQUAL(console_read(&p.reader, 1000, out), CONSOLE_LINE);
	CU_ASSERT_STRING_EQUAL(out, "");
	CU_ASSERT_EQUAL(console_read(&p.reader, 1000, out), CONSOLE_LINE);
	CU_ASSERT_STRING_EQUAL(out, "two");
	/* What was begun before the pause is not lost. */
	CU_ASSERT_EQUAL(console_read(&p.reader, 10, out), CONSOLE_IDLE);
	put(&p, "ee\nlast", 7);
	CU_ASSERT_EQUAL(console_read(&p.reader, -1, out), CONSOLE_LINE);
	CU_ASSERT_STRING_EQUAL(out, "three");
	close(p.in);
	CU_ASSERT_EQUAL(console_read(&p.reader, -1, out), CONSOLE_LINE);
	CU_ASSERT_STRING_EQUAL(out, "last");
	CU_ASSERT_EQUAL(console_read(&p.reader, -1, out), CONSOLE_END);
	CU_ASSERT_EQUAL(console_read(&p.reader, -1, out), CONSOLE_END);
	close(p.reader.fd);
}

static void test_read_long(void)
{
	static char big[3 * CONSOLE_LINE_MAX];
	char out[CONSOLE_LINE_MAX + 1];
	struct pipe p;

	memset(big, 'x', sizeof(big));
	open_pipe(&p);
	put(&p, big, CONSOLE_LINE_MAX - 1);
	put(&p, "\n", 1);
	CU_ASSERT_EQUAL(console_read(&p.reader, -1, out), CONSOLE_LINE);
	CU_ASSERT_EQUAL(strlen(out), CONSOLE_LINE_MAX - 1);
	put(&p, big, sizeof(big));
	put(&p, "\nnext\n", 6);
	CU_ASSERT_EQUAL(console_read(&p.reader, -1, out), CONSOLE_TOO_LONG);
	CU_ASSERT_EQUAL(console_read(&p.reader, -1, out), CONSOLE_LINE);
	CU_ASSERT_STRING_EQUAL(out, "next");
	put(&p, big, sizeof(big));
	close(p.in);
	CU_ASSERT_EQUAL(console_read(&p.reader, -1, out), CONSOLE_TOO_LONG);
	CU_ASSERT_EQUAL(console_read(&p.reader, -1, out), CONSOLE_END);
	close(p.reader.fd);
}

static void test_find(void)
{
	char token[] = "token", show[] = "show", status[] = "status";
	char stat[] = "stat";
	char *words[] = { token, show, show };
	int n = 0;
	const struct command *c = command_find(3, words, &n);

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_STRING_EQUAL(c->name, "token show");
	CU_ASSERT_EQUAL(n, 2);
	CU_ASSERT_PTR_NULL(command_find(1, words, &n));
	words[0] = status;
	CU_ASSERT_PTR_NOT_NULL(command_find(1, words, &n));
	CU_ASSERT_EQUAL(n, 1);
	words[0] = stat;
	CU_ASSERT_PTR_NULL(command_find(3, words, &n));
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "words", test_split },
		{ "words refused", test_split_refused },
		{ "lines", test_read },
		{ "long lines", test_read_long },
		{ "finding a command", test_find },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "ctl-console", tests, NULL, NULL);
}
