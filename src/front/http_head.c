/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "front/http_head.h"

#include <string.h>
#include <strings.h>

size_t http_head_length(struct view data, size_t *scanned)
{
	size_t at = *scanned;

	while (at < data.len) {
		const uint8_t *lf = memchr(data.ptr + at, '\n', data.len - at);
		size_t next;

		if (!lf) {
			*scanned = data.len;
			return 0;
		}
		next = (size_t)(lf - data.ptr) + 1;
		if (next < data.len && data.ptr[next] == '\n')
			return next + 1;
		if (next + 1 < data.len && data.ptr[next] == '\r' &&
		    data.ptr[next + 1] == '\n')
			return next + 2;
		if (next + 1 >= data.len) {
			*scanned = next - 1; /* look at this LF again */
			return 0;
		}
		at = next;
	}
	*scanned = data.len;
	return 0;
}

bool http_is_token_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') ||
	       (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* Cut the next line off *rest. NULL: the line may not stand in a head. */
static const char *take_line(struct view *rest, struct view *line)
{
	size_t i;

	for (i = 0; i < rest->len; i++) {
		uint8_t c = rest->ptr[i];

		if (c == '\r')
			break;
		if (c == '\n')
			return "line end without carriage return";
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return "control character in the head";
	}
	if (i + 1 >= rest->len || rest->ptr[i + 1] != '\n')
		return "carriage return without line feed";
	*line = view_of(rest->ptr, i);
	*rest = view_of(rest->ptr + i + 2, rest->len - i - 2);
	return NULL;
}

static const char *split_field(struct view line, struct http_field *f)
{
	size_t i = 0, end = line.len;

	if (is_blank(line.ptr[0]))
		return "folded header line";
	while (i < line.len && http_is_token_char(line.ptr[i]))
		i++;
	if (i == 0 || i == line.len || line.ptr[i] != ':')
		return "bad header name";
	f->name = view_of(line.ptr, i);
	i++;
	while (i < end && is_blank(line.ptr[i]))
		i++;
	while (end > i && is_blank(line.ptr[end - 1]))
		end--;
	f->value = view_of(line.ptr + i, end - i);
	return NULL;
}

bool http_head_split(struct view head, struct http_head *out,
		     struct http_refusal *why)
{
	struct view rest = head, line;
	const char *wrong;

	out->count = 0;
	why->status = 400;
	wrong = take_line(&rest, &out->start_line);
	while (!wrong) {
		wrong = take_line(&rest, &line);
		if (wrong || line.len == 0)
			break;
		if (out->count == HTTP_FIELDS_MAX) {
			why->status = 431;
			wrong = "too many header fields";
			break;
		}
		wrong = split_field(line, &out->fields[out->count++]);
	}
	why->text = wrong;
	return wrong == NULL;
}

bool http_name_is(struct view name, const char *wanted)
{
	size_t n = strlen(wanted);

	return name.len == n &&
	       strncasecmp((const char *)name.ptr, wanted, n) == 0;
}

size_t http_head_find(const struct http_head *h, const char *name,
		      struct view *first)
{
	size_t found = 0;

	for (size_t i = 0; i < h->count; i++) {
		if (!http_name_is(h->fields[i].name, name))
			continue;
		if (found++ == 0 && first)
			*first = h->fields[i].value;
	}
	return found;
}

/* Is name an element of the comma separated list? */
static bool list_has(struct view list, struct view name)
{
	size_t at = 0;

	while (at < list.len) {
		size_t end, next;

		while (at < list.len &&
		       (is_blank(list.ptr[at]) || list.ptr[at] == ','))
			at++;
		next = at;
		while (next < list.len && list.ptr[next] != ',')
			next++;
		end = next;
		while (end > at && is_blank(list.ptr[end - 1]))
			end--;
		if (end - at == name.len && name.len > 0 &&
		    strncasecmp((const char *)list.ptr + at,
				(const char *)name.ptr, name.len) == 0)
			return true;
		at = next;
	}
	return false;
}

bool http_field_is_ours(const struct http_head *h, struct view name)
{
	static const char *const ours[] = {
		"Connection",
		"Keep-Alive",
		"Proxy-Connection",
		"Proxy-Authenticate",
		"Proxy-Authorization",
		"TE",
		"Trailer",
		"Upgrade",
		"HTTP2-Settings",
		"Expect",
		"Forwarded",
		"Via",
		"X-Real-IP",
	};
	static const char forwarded[] = "X-Forwarded-";

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (http_name_is(name, ours[i]))
			return true;
	}
	if (name.len >= sizeof(forwarded) - 1 &&
	    strncasecmp((const char *)name.ptr, forwarded,
			sizeof(forwarded) - 1) == 0)
		return true;
	for (size_t i = 0; i < h->count; i++) {
		if (http_name_is(h->fields[i].name, "Connection") &&
		    list_has(h->fields[i].value, name))
			return true;
	}
	return false;
}
