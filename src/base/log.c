/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2048 };

static atomic_int threshold = LOG_LEVEL_INFO;

static const struct {
	const char *name;
	int priority; /* syslog(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", 3 },
	[LOG_LEVEL_WARNING] = { "warning", 4 },
	[LOG_LEVEL_INFO] = { "info", 6 },
	[LOG_LEVEL_TRACE] = { "trace", 7 },
};

void log_set_level(enum log_level level)
{
	atomic_store(&threshold, (int)level);
}

enum log_level log_level(void)
{
	return (enum log_level)atomic_load(&threshold);
}

/* Copy text with control characters made visible; returns the new length. */
static size_t put_visible(char *out, size_t cap, const char *text)
{
	size_t n = 0;

	for (; *text && n + 5 < cap; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c != 0x7f)
			out[n++] = (char)c;
		else
			n += (size_t)snprintf(out + n, cap - n, "\\x%02x", c);
	}
	return n;
}

static size_t put_head(char *out, size_t cap, enum log_level level)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	if (getenv("JOURNAL_STREAM"))
		return (size_t)snprintf(out, cap, "<%d>",
					levels[level].priority);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(out, cap, "%Y-%m-%dT%H:%M:%S", &tm);
	return n + (size_t)snprintf(out + n, cap - n, ".%03ldZ %s ",
				    now.tv_nsec / 1000000, levels[level].name);
}

void log_at(enum log_level level, const char *group, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES + 128];
	int saved = errno;
	va_list ap;
	size_t n;

	if ((int)level > atomic_load(&threshold))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = put_head(line, sizeof(line), level);
	n += (size_t)snprintf(line + n, sizeof(line) - n, "%s: ", group);
	n += put_visible(line + n, sizeof(line) - n - 1, text);
	line[n++] = '\n';
	/* One write keeps lines of several threads apart. */
	if (write(STDERR_FILENO, line, n) < 0)
		errno = saved; /* nowhere left to say so */
	errno = saved;
}

void log_failure(enum log_level level, const char *group, const struct error *e)
{
	if (e->native)
		log_at(level, group, "%s [%s %#lx]", e->text,
		       error_kind_name(e->kind), (unsigned long)e->native);
	else
		log_at(level, group, "%s [%s]", e->text,
		       error_kind_name(e->kind));
}
