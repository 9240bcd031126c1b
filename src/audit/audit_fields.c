/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audit/audit_fields.h"

#include <string.h>

#include "base/utf8.h"

enum { UTF8_BYTES_MAX = 4 }; /* of a character */

/* One line into out; its length, 0 where there is no room for all of it. */
static size_t write_line(const char *name, const char *raw, char *out,
			 size_t size)
{
	char value[AUDIT_VALUE_MAX + 1];
	size_t n = strlen(name), length;

	utf8_line(view_str(raw), value, sizeof(value));
	length = strlen(value);
	if (length == 0 || n + 1 + length >= size)
		return 0;
	memcpy(out, name, n);
	out[n] = '=';
	memcpy(out + n + 1, value, length + 1);
	return n + 1 + length;
}

void audit_fields_write(struct audit_what what, char out[AUDIT_FIELDS_SIZE])
{
	const char *const *names = audit_event_fields(what.event);
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; names[i]; i++) {
		size_t lf = used ? 1 : 0, n;

		if (!what.values[i] || used + lf + 1 >= AUDIT_FIELDS_SIZE)
			continue;
		n = write_line(names[i], what.values[i], out + used + lf,
			       AUDIT_FIELDS_SIZE - used - lf);
		if (n == 0)
			continue;
		if (lf)
			out[used] = '\n';
		used += lf + n;
	}
}

bool audit_fields_next(const char **lines, struct view *name,
		       struct view *value)
{
	const char *line = *lines, *equals;
	size_t n = strcspn(line, "\n");

	if (!*line)
		return false;
	*lines = line + n + (line[n] == '\n');
	equals = memchr(line, '=', n);
	*name = view_of(line, equals ? (size_t)(equals - line) : 0);
	if (equals) {
		n -= name->len + 1;
		line = equals + 1;
	}
	*value = view_of(line, n);
	return true;
}

/* As much of it as fits. Where a character had no room, or might have had none,
 * nothing follows. */
static void put(struct view text, char *out, size_t size, size_t *used)
{
	if (size - *used <= UTF8_BYTES_MAX)
		return;
	utf8_line(text, out + *used, size - *used);
	*used += strlen(out + *used);
}

void audit_fields_render(const char *lines, char *out, size_t size)
{
	struct view name, value;
	size_t used = 0;

	out[0] = '\0';
	while (audit_fields_next(&lines, &name, &value)) {
		if (used)
			put(view_str("; "), out, size, &used);
		put(name, out, size, &used);
		if (name.len)
			put(view_str(": "), out, size, &used);
		put(value, out, size, &used);
	}
}
