/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/print.h"

#include <inttypes.h>
#include <string.h>

#include "api/xmlrpc.h"
#include "base/base64.h"
#include "base/clock.h"

enum { INDENT = 2 };

static void put_safe(FILE *out, int c)
{
	fputc((c < 0x20 && c != '\t') || c == 0x7f ? '?' : c, out);
}

void print_line(FILE *out, const char *s)
{
	for (; *s; s++)
		put_safe(out, (unsigned char)*s);
}

void print_time(FILE *out, const struct value *v)
{
	time_t t = value_time(v);
	struct tm tm;
	char text[32];

	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC",
		 gmtime_r(&t, &tm));
	fputs(text, out);
}

static void put_base64(FILE *out, const struct value *v)
{
	struct error e = ERROR_INIT;
	struct buf text;

	buf_init(&text, XMLRPC_BYTES_MAX * 2);
	if (base64_encode(value_bytes(v), &text, &e) == 0)
		fputs(buf_cstr(&text), out);
	buf_free(&text);
}

static void put_scalar(FILE *out, const struct value *v)
{
	switch (value_type(v)) {
	case VALUE_INT: fprintf(out, "%" PRId32, value_int(v)); break;
	case VALUE_BOOLEAN:
		fputs(value_boolean(v) ? "true" : "false", out);
		break;
	case VALUE_DOUBLE: fprintf(out, "%.17g", value_double(v)); break;
	case VALUE_TIME: print_time(out, v); break;
	case VALUE_BASE64: put_base64(out, v); break;
	default: print_line(out, value_string(v)); break;
	}
}

static void put_block(FILE *out, const char *s, int indent)
{
	size_t len;

	for (; *s; s += len + (s[len] == '\n')) {
		len = strcspn(s, "\n");
		fprintf(out, "%*s", indent, "");
		for (size_t i = 0; i < len; i++)
			put_safe(out, (unsigned char)s[i]);
		fputc('\n', out);
	}
}

static void put_text(FILE *out, const struct value *v, int indent);

/* Behind "name:" or "-". */
static void put_member(FILE *out, const struct value *v, int indent)
{
	bool is_container =
	    value_is(v, VALUE_STRUCT) || value_is(v, VALUE_ARRAY);

	if (is_container && value_count(v) == 0) {
		fputs(" (none)\n", out);
	} else if (is_container) {
		fputc('\n', out);
		put_text(out, v, indent + INDENT);
	} else if (strchr(value_string(v), '\n')) {
		fputc('\n', out);
		put_block(out, value_string(v), indent + INDENT);
	} else {
		fputc(' ', out);
		put_scalar(out, v);
		fputc('\n', out);
	}
}

static void put_text(FILE *out, const struct value *v, int indent)
{
	bool is_struct = value_is(v, VALUE_STRUCT);

	for (size_t i = 0; i < value_count(v); i++) {
		fprintf(out, "%*s", indent, "");
		if (is_struct) {
			print_line(out, value_item_name(v, i));
			fputc(':', out);
		} else {
			fputc('-', out);
		}
		put_member(out, value_item(v, i), indent);
	}
}

void print_text(FILE *out, const struct value *v)
{
	if (value_is(v, VALUE_STRUCT) || value_is(v, VALUE_ARRAY)) {
		put_text(out, v, 0);
	} else {
		put_scalar(out, v);
		fputc('\n', out);
	}
}

static void put_json_string(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", out);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

/* In place of an indentation: everything in one line. */
enum { ONE_LINE = -1 };

static void put_json(FILE *out, const struct value *v, int indent);

static void put_break(FILE *out, int indent)
{
	if (indent != ONE_LINE)
		fprintf(out, "\n%*s", indent, "");
}

static void put_json_items(FILE *out, const struct value *v, int indent)
{
	bool is_struct = value_is(v, VALUE_STRUCT);
	int inner = indent == ONE_LINE ? ONE_LINE : indent + INDENT;

	fputc(is_struct ? '{' : '[', out);
	for (size_t i = 0; i < value_count(v); i++) {
		if (i)
			fputs(inner == ONE_LINE ? ", " : ",", out);
		put_break(out, inner);
		if (is_struct) {
			put_json_string(out, value_item_name(v, i));
			fputs(": ", out);
		}
		put_json(out, value_item(v, i), inner);
	}
	if (value_count(v))
		put_break(out, indent);
	fputc(is_struct ? '}' : ']', out);
}

static void put_json(FILE *out, const struct value *v, int indent)
{
	char text[CLOCK_ISO8601_SIZE];

	switch (value_type(v)) {
	case VALUE_ARRAY:
	case VALUE_STRUCT: put_json_items(out, v, indent); break;
	case VALUE_STRING: put_json_string(out, value_string(v)); break;
	case VALUE_TIME:
		clock_format_rfc3339(value_time(v), text);
		put_json_string(out, text);
		break;
	case VALUE_BASE64:
		fputc('"', out);
		put_base64(out, v);
		fputc('"', out);
		break;
	default: put_scalar(out, v); break;
	}
}

void print_json(FILE *out, const struct value *v)
{
	put_json(out, v, 0);
	fputc('\n', out);
}

void print_json_line(FILE *out, const struct value *v)
{
	put_json(out, v, ONE_LINE);
	fputc('\n', out);
}
