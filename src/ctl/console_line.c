/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/console_line.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* Whether a whole line is among the bytes that are there. */
static bool take_line(struct console_reader *r, enum console_input *what,
		      char *out)
{
	char *end = memchr(r->bytes, '\n', r->have);
	size_t n;

	if (!end && r->have > CONSOLE_LINE_MAX - 1) {
		r->skipping = true;
		r->have = 0;
	}
	if (!end && !(r->ended && r->have > 0))
		return false;
	n = end ? (size_t)(end - r->bytes) : r->have;
	memcpy(out, r->bytes, n);
	out[n] = '\0';
	r->have -= end ? n + 1 : n;
	memmove(r->bytes, r->bytes + n + 1, r->have);
	*what = r->skipping ? CONSOLE_TOO_LONG : CONSOLE_LINE;
	r->skipping = false;
	return true;
}

static bool wait_for_input(int fd, int idle_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int rc;

	do
		rc = poll(&p, 1, idle_ms);
	while (rc < 0 && errno == EINTR);
	return rc != 0;
}

enum console_input console_read(struct console_reader *r, int idle_ms,
				char out[CONSOLE_LINE_MAX + 1])
{
	enum console_input what;
	ssize_t n;

	for (;;) {
		if (take_line(r, &what, out))
			return what;
		if (r->ended) {
			what = r->skipping ? CONSOLE_TOO_LONG : CONSOLE_END;
			r->skipping = false;
			return what;
		}
		if (!wait_for_input(r->fd, idle_ms))
			return CONSOLE_IDLE;
		n = read(r->fd, r->bytes + r->have, CONSOLE_LINE_MAX - r->have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			r->ended = true;
		else
			r->have += (size_t)n;
	}
}

/* One word from *from on, written at *to; both move behind it. */
static int take_word(char **from, char **to, struct error *e)
{
	char quote = '\0';
	char *p = *from, *w = *to;

	for (; *p && (quote || !strchr(" \t\r", *p)); p++) {
		bool escape = *p == '\\' && p[1] && quote != '\'' &&
			      (!quote || strchr("\"\\", p[1]));

		if (escape)
			*w++ = *++p;
		else if (quote ? *p == quote : strchr("'\"", *p) != NULL)
			quote = quote ? '\0' : *p;
		else
			*w++ = *p;
	}
	if (quote)
		return error_set(e, ERR_INPUT, "%c has no end", quote);
	*from = *p ? p + 1 : p;
	*w = '\0';
	*to = w + 1;
	return 0;
}

int console_split(char *line, char *words[CONSOLE_WORDS_MAX], int *count_out,
		  struct error *e)
{
	char *from = line, *to = line;
	int n = 0;

	for (;;) {
		from += strspn(from, " \t\r");
		if (!*from || *from == '#')
			break;
		if (n == CONSOLE_WORDS_MAX)
			return error_set(e, ERR_LIMIT, "more than %d words",
					 CONSOLE_WORDS_MAX);
		words[n++] = to;
		if (take_word(&from, &to, e) < 0)
			return -1;
	}
	*count_out = n;
	return 0;
}
