/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "audit/audit_fields.h"
#include "base/utf8.h"
#include "tests/lib/unit.h"

#define E100                                                 \
	"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee" \
	"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define E399                                                                \
	E100 E100 E100 "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee" \
		       "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"

static void test_write(void)
{
	static const struct {
		const char *setting, *from, *to, *lines;
	} rows[] = {
		{ "a.b", "x", "y", "setting=a.b\nfrom=x\nto=y" },
		{ "a.b", "", "y", "setting=a.b\nto=y" },
		{ "a.b", NULL, NULL, "setting=a.b" },
		{ NULL, NULL, "y", "to=y" },
		{ NULL, "", NULL, "" },
		/* No value can begin a line or another field. */
		{ "a", "x\nto=evil", "y", "setting=a\nfrom=x to=evil\nto=y" },
		{ "a", "\r\n\t\x7f", "=", "setting=a\nfrom=    \nto==" },
		{ "a=b=", "from=1", "; to: 2",
		  "setting=a=b=\nfrom=from=1\nto=; to: 2" },
		{ "\xc2\x85\xe2\x80\xa8|", "\xff\xc0\xaf", "\xe2\x82",
		  "setting=  |\nfrom=???\nto=??" },
		{ "\xef\xbf\xbe\xef\xbf\xbf|", "\xef\xbf\xbd", "y",
		  "setting=  |\nfrom=\xef\xbf\xbd\nto=y" },
		{ "\x1b[2J", "%s%n", "<b>", "setting= [2J\nfrom=%s%n\nto=<b>" },
		{ E399 "e", "b", "c", "setting=" E399 "e\nfrom=b\nto=c" },
		{ E399 "eeee", "b", "c", "setting=" E399 "e\nfrom=b\nto=c" },
		{ E399 "\xe2\x82\xac", "b", "c",
		  "setting=" E399 "\nfrom=b\nto=c" },
	};
	char out[AUDIT_FIELDS_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		audit_fields_write(
		    AUDIT(SETTING_CHANGED, .setting = rows[i].setting,
			  .from = rows[i].from, .to = rows[i].to),
		    out);
		CU_ASSERT_STRING_EQUAL(out, rows[i].lines);
	}
}

/* All fields of all events have room when their values are of use, and values
 * of any length stay within it. */
static void test_room(void)
{
	char *huge = malloc(100001), out[AUDIT_FIELDS_SIZE];

	memset(huge, 'x', 100000);
	huge[100000] = '\0';
	for (int id = 0; id < AUDIT_EVENT_COUNT; id++) {
		const char *values[64];
		struct view name, value;
		const char *const *names =
		    audit_event_fields((enum audit_event)id);
		const char *next = out;
		size_t count = 0, seen = 0;

		CU_ASSERT_PTR_NOT_NULL(names[0]);
		while (names[count])
			values[count++] = huge;
		CU_ASSERT_FATAL(count < 64);
		memset(out, '#', sizeof(out));
		audit_fields_write(
		    (struct audit_what){ (enum audit_event)id, values }, out);
		CU_ASSERT_PTR_NOT_NULL_FATAL(memchr(out, 0, sizeof(out)));
		while (audit_fields_next(&next, &name, &value)) {
			CU_ASSERT(view_equal(name, view_str(names[seen])));
			CU_ASSERT_EQUAL(value.len, AUDIT_VALUE_MAX);
			seen++;
		}
		CU_ASSERT(seen == count || strlen(out) > 3600);
	}
	free(huge);
}

static void test_names(void)
{
	for (int id = 0; id < AUDIT_EVENT_COUNT; id++) {
		const char *const *names =
		    audit_event_fields((enum audit_event)id);

		for (size_t i = 0; names[i]; i++) {
			CU_ASSERT(names[i][0] >= 'a' && names[i][0] <= 'z');
			CU_ASSERT_EQUAL(
			    names[i]
				 [strspn(names[i], "abcdefghijklmnopqrstuvwxyz"
						   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
						   "0123456789")],
			    '\0');
			for (size_t k = 0; k < i; k++)
				CU_ASSERT_STRING_NOT_EQUAL(names[i], names[k]);
		}
	}
}

/* Also of what was never written by us. */
static void test_next(void)
{
	static const struct {
		const char *lines, *seen; /* each as [name|value] */
	} rows[] = {
		{ "", "" },
		{ "a=b", "[a|b]" },
		{ "a=b\nc=d=e", "[a|b][c|d=e]" },
		{ "a=", "[a|]" },
		{ "=b", "[|b]" },
		{ "text", "[|text]" },
		{ "\n", "[|]" },
		{ "a=b\n", "[a|b]" },
		{ "\n\na=b", "[|][|][a|b]" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *next = rows[i].lines;
		struct view name, value;
		char seen[200] = "";

		while (audit_fields_next(&next, &name, &value)) {
			strcat(seen, "[");
			strncat(seen, (const char *)name.ptr, name.len);
			strcat(seen, "|");
			strncat(seen, (const char *)value.ptr, value.len);
			strcat(seen, "]");
		}
		CU_ASSERT_STRING_EQUAL(seen, rows[i].seen);
	}
}

static void test_render(void)
{
	static const struct {
		const char *lines;
		size_t size;
		const char *text;
	} rows[] = {
		{ "", 100, "" },
		{ "setting=x\nfrom=a\nto=b", 100,
		  "setting: x; from: a; to: b" },
		{ "setting=x\nfrom=a\nto=b", 30, "setting: x; from: a; to: b" },
		{ "setting=x\nfrom=a\nto=b", 29, "setting: x; from: a; to: " },
		{ "setting=x\nfrom=a\nto=b", 13, "setting: " },
		{ "setting=x\nfrom=a\nto=b", 1, "" },
		{ "a=\xe2\x82\xac\nb=c", 6, "a: " },
		{ "no name", 100, "no name" },
		{ "a=1\r\x1b", 100, "a: 1  " },
	};
	char out[100];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		memset(out, '#', sizeof(out));
		audit_fields_render(rows[i].lines, out, rows[i].size);
		CU_ASSERT_STRING_EQUAL(out, rows[i].text);
	}
}

static void test_numbers(void)
{
	CU_ASSERT_STRING_EQUAL(AUDIT_NUMBER(0), "0");
	CU_ASSERT_STRING_EQUAL(AUDIT_NUMBER(INT64_MIN), "-9223372036854775808");
	CU_ASSERT_STRING_EQUAL(AUDIT_NUMBER(INT64_MAX), "9223372036854775807");
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "values become lines", test_write },
		{ "room for all", test_room },
		{ "names of fields", test_names },
		{ "lines one by one", test_next },
		{ "text for people", test_render },
		{ "numbers", test_numbers },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "audit-fields", tests, NULL, NULL);
}
