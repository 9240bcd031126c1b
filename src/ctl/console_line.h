/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CTL_CONSOLE_LINE_H
#define SB_CTL_CONSOLE_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Lines of a console: reading them with a limit of idleness, and taking them
 * apart into words. */

enum { CONSOLE_LINE_MAX = 4096, CONSOLE_WORDS_MAX = 64 };

enum console_input {
	CONSOLE_LINE,     /* a line is there, without its end */
	CONSOLE_IDLE,     /* nothing came in time */
	CONSOLE_TOO_LONG, /* a line of more bytes; it was passed over */
	CONSOLE_END       /* end of input, or it failed */
};

/* What was read and not used yet. Zero it before the first use. */
struct console_reader {
	int fd;
	bool ended, skipping;
	size_t have;
	char bytes[CONSOLE_LINE_MAX + 1];
};

/* The next line into out, terminated. idle_ms: how long to wait for the next
 * byte, -1 without limit. What stands before the end of input without a line
 * end counts as a line. */
enum console_input console_read(struct console_reader *r, int idle_ms,
				char out[CONSOLE_LINE_MAX + 1]);

/* Words as a shell separates them: white space parts them; 'as it is', "with \"
 * and \\", and \ before any character keep it in. Nothing is expanded; # at the
 * beginning of a word begins a comment. The words are put into line itself,
 * words[0..*count_out). ERR_INPUT: a quotation has no end; ERR_LIMIT: more than
 * CONSOLE_WORDS_MAX. */
int console_split(char *line, char *words[CONSOLE_WORDS_MAX], int *count_out,
		  struct error *e) MUST_CHECK;

#endif
