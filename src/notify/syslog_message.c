/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "notify/syslog_message.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"

/* Most characters of the fields of a header (RFC 5424 6). */
enum {
	HOST_MAX = 255,
	MESSAGE_ID_MAX = 32,
	NAME_MAX_CHARS = 32, /* SD-NAME */
	VALUE_MAX = 1024,    /* of a parameter, before it is escaped; ours */
	TIME_SIZE = 64
};

static const char byte_order_mark[] = "\xef\xbb\xbf";

/* --- small parts ---------------------------------------------------------- */

/* Printable US-ASCII without space, "-" for nothing (NILVALUE); except: what
 * else is not allowed there. */
static void put_word(const char *text, size_t max, const char *except,
		     char *out)
{
	size_t n = 0;

	for (; text && *text && n < max; text++)
		out[n++] = *text > ' ' && *text < 0x7f && !strchr(except, *text)
			       ? *text
			       : '_';
	if (n == 0)
		out[n++] = '-';
	out[n] = '\0';
}

/* "2026-11-22T03:46:53.848Z"; NILVALUE outside of what RFC 3339 can say. */
static void put_time(int64_t at_ms, char out[TIME_SIZE])
{
	int64_t ms = at_ms % 1000;
	time_t seconds = (time_t)(at_ms / 1000);
	struct tm tm;

	if (at_ms < 0 || !gmtime_r(&seconds, &tm) || tm.tm_year > 9999 - 1900) {
		strcpy(out, "-");
		return;
	}
	snprintf(out, TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
		 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		 tm.tm_min, tm.tm_sec, (int)ms);
}

/* --- structured data ------------------------------------------------------ */

/* ' NAME="VALUE"' with '"', '\' and ']' escaped, or nothing when it is longer
 * than room. */
static int put_param(const struct syslog_param *p, size_t room, struct buf *out,
		     struct error *e)
{
	char name[NAME_MAX_CHARS + 1], value[VALUE_MAX + 1];
	char escaped[2 * VALUE_MAX + 1];
	size_t n = 0;

	if (!p->value)
		return 0;
	put_word(p->name, NAME_MAX_CHARS, "=]\"", name);
	utf8_line(view_str(p->value), value, sizeof(value));
	for (const char *c = value; *c; c++) {
		if (strchr("\"\\]", *c))
			escaped[n++] = '\\';
		escaped[n++] = *c;
	}
	escaped[n] = '\0';
	if (strlen(name) + n + 4 > room)
		return 0;
	return buf_addf(out, e, " %s=\"%s\"", name, escaped);
}

/* An element that cannot have its closing bracket is not begun. */
static int put_element(const struct syslog_element *s, size_t limit,
		       struct buf *out, struct error *e)
{
	char id[NAME_MAX_CHARS + 1];

	put_word(s->id, NAME_MAX_CHARS, "=]\"", id);
	if (out->len + strlen(id) + 2 > limit)
		return 0;
	if (buf_addf(out, e, "[%s", id) < 0)
		return -1;
	for (size_t i = 0; i < s->count; i++)
		if (put_param(&s->params[i], limit - out->len - 1, out, e) < 0)
			return -1;
	return buf_adds(out, "]", e);
}

static int put_own_elements(const struct syslog_origin *from, uint32_t sequence,
			    size_t limit, struct buf *out, struct error *e)
{
	char number[16];
	const struct syslog_param meta[] = { { "sequenceId", number } };
	const struct syslog_param origin[] = {
		{ "software", "sealbridged" },
		{ "swVersion", from->version },
	};
	const struct syslog_element own[] = { { "meta", meta, 1 },
					      { "origin", origin, 2 } };

	snprintf(number, sizeof(number), "%" PRIu32,
		 (sequence - 1) % SYSLOG_SEQUENCE_MAX + 1);
	if (put_element(&own[0], limit, out, e) < 0)
		return -1;
	return put_element(&own[1], limit, out, e);
}

/* --- the message ---------------------------------------------------------- */

static int put_header(const struct syslog_origin *from,
		      const struct syslog_entry *entry, struct buf *out,
		      struct error *e)
{
	char time[TIME_SIZE], host[HOST_MAX + 1], id[MESSAGE_ID_MAX + 1];

	put_time(entry->at_ms, time);
	put_word(from->host, HOST_MAX, "", host);
	put_word(entry->id, MESSAGE_ID_MAX, "", id);
	return buf_addf(out, e, "<%u>1 %s %s sealbridged %ld %s ",
			(unsigned)entry->facility * 8 + (entry->severity & 7),
			time, host, from->pid, id);
}

static bool is_ascii(const char *text)
{
	while (*text && (unsigned char)*text < 0x80)
		text++;
	return !*text;
}

static int put_text(const char *text, size_t limit, struct buf *out,
		    struct error *e)
{
	char line[SYSLOG_MESSAGE_MAX + 1];
	size_t room = limit - out->len;

	if (room > sizeof(byte_order_mark) + 1) {
		/* The space before it, and perhaps the mark. */
		utf8_line(view_str(text), line, room - sizeof(byte_order_mark));
		if (*line &&
		    buf_addf(out, e, " %s%s",
			     is_ascii(line) ? "" : byte_order_mark, line) < 0)
			return -1;
	}
	return 0;
}

static int put_message(const struct syslog_origin *from,
		       const struct syslog_entry *entry, uint32_t sequence,
		       struct buf *out, struct error *e)
{
	const size_t limit = SYSLOG_MESSAGE_MAX - SYSLOG_TEXT_MIN;

	if (put_header(from, entry, out, e) < 0 ||
	    put_own_elements(from, sequence, limit, out, e) < 0)
		return -1;
	for (size_t i = 0; i < entry->element_count; i++)
		if (put_element(&entry->elements[i], limit, out, e) < 0)
			return -1;
	return put_text(entry->text, SYSLOG_MESSAGE_MAX, out, e);
}

int syslog_message(const struct syslog_origin *from,
		   const struct syslog_entry *entry, uint32_t sequence,
		   struct buf *out, struct error *e)
{
	struct buf message;
	int rc;

	buf_init(&message, SYSLOG_MESSAGE_MAX);
	rc = put_message(from, entry, sequence, &message, e);
	if (rc == 0)
		rc =
		    buf_addf(out, e, "%zu %s", message.len, buf_cstr(&message));
	buf_free(&message);
	return rc;
}
