/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/config_private.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* inih reads through read_line(), which sees to what it leaves open: line
 * numbers, indentation (inih would take an indented line for the continuation
 * of the one above), '#' behind a value, text behind a section, over-long lines
 * and bytes that are no text. */

enum { LINE_ROOM = 256, LINE_END_ROOM = 3 };

struct source {
	FILE *in;
	const char *path;
	unsigned line;
	char rest[LINE_ROOM]; /* what stood behind a [section] */
	bool failed;
	struct error *e;
	int (*key)(void *arg, unsigned line, const char *section,
		   const char *name, const char *value, struct error *e);
	void *arg;
};

static void place(struct source *s)
{
	s->failed = true;
	error_prefix(s->e, "%s:%u", s->path, s->line);
}

static int fail(struct source *s, const char *text)
{
	error_set(s->e, ERR_CONFIG, "%s", text);
	place(s);
	return -1;
}

/* 1 with a line of at most room - 1 bytes and no line end; 0 at the end. */
static int get_line(struct source *s, char *out, size_t room)
{
	size_t n = 0;
	int c = getc(s->in);

	if (c == EOF && !ferror(s->in))
		return 0;
	s->line++;
	if (s->line > CONFIG_LINES_MAX)
		return fail(s, "too many lines");
	for (; c != EOF && c != '\n'; c = getc(s->in)) {
		if (c == '\0')
			return fail(s, "a NUL byte: this is no text");
		if (n + 1 >= room) {
			error_set(s->e, ERR_CONFIG,
				  "line longer than %zu bytes", room - 1);
			place(s);
			return -1;
		}
		out[n++] = (char)c;
	}
	if (ferror(s->in)) {
		error_errno(s->e, "reading");
		s->e->kind = ERR_CONFIG;
		place(s);
		return -1;
	}
	out[n] = '\0';
	return 1;
}

static void cut_comment(char *line)
{
	for (char *p = line; *p; p++)
		if (*p == '#' && (p == line || isspace((unsigned char)p[-1]))) {
			*p = '\0';
			return;
		}
}

static char *skip_space(char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

/* A section goes to inih alone; what follows it waits in rest. */
static int split_section(struct source *s, char *text)
{
	char *end = strchr(text, ']'), *behind;

	if (!end)
		return fail(s, "a section without \"]\"");
	behind = skip_space(end + 1);
	if (*behind == '[')
		return fail(s, "two sections in one line");
	snprintf(s->rest, sizeof(s->rest), "%s", behind);
	end[1] = '\0';
	return 0;
}

static int prepare(struct source *s, char *line)
{
	char *text = line;

	if (s->line == 1 && !strncmp(text, "\xef\xbb\xbf", 3))
		text += 3;
	cut_comment(text);
	text = skip_space(text);
	if (*text == '[') {
		if (split_section(s, text) < 0)
			return -1;
	} else if (*text && *text != ';' && !strchr(text, '=')) {
		return fail(s, "neither [section] nor key = value");
	}
	memmove(line, text, strlen(text) + 1);
	return 0;
}

static char *read_line(char *out, int size, void *stream)
{
	struct source *s = stream;
	size_t room = (size_t)size - LINE_END_ROOM + 1;

	if (s->failed)
		return NULL;
	if (s->rest[0]) {
		snprintf(out, (size_t)size, "%s", s->rest);
		s->rest[0] = '\0';
		if (*out != ';' && !strchr(out, '=')) {
			fail(s, "neither [section] nor key = value");
			return NULL;
		}
		return out;
	}
	if (room > LINE_ROOM)
		room = LINE_ROOM;
	if (get_line(s, out, room) <= 0 || prepare(s, out) < 0)
		return NULL;
	return out;
}

static int on_key(void *user, const char *section, const char *name,
		  const char *value)
{
	struct source *s = user;

	if (s->failed)
		return 0;
	if (s->key(s->arg, s->line, section, name, value, s->e) == 0)
		return 1;
	place(s);
	return 0;
}

/* A pipe or a directory would block or read as nothing. */
static FILE *open_text(const char *path, struct error *e)
{
	struct stat st;
	FILE *in = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st) < 0) {
		error_errno(e, "%s", path);
		e->kind = ERR_CONFIG;
	} else if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) {
		error_set(e, ERR_CONFIG, "%s: not a regular file", path);
	} else if (!(in = fdopen(fd, "r"))) {
		error_nomem(e);
	}
	if (fd >= 0 && !in)
		close(fd);
	return in;
}

int config_file_read(const char *path,
		     int (*key)(void *arg, unsigned line, const char *section,
				const char *name, const char *value,
				struct error *e),
		     void *arg, struct error *e)
{
	struct source s = { .path = path, .e = e, .key = key, .arg = arg };

	s.in = open_text(path, e);
	if (!s.in)
		return -1;
	if (ini_parse_stream(read_line, &s, on_key, &s) != 0 && !s.failed)
		fail(&s, "not understood");
	fclose(s.in);
	return s.failed ? -1 : 0;
}
