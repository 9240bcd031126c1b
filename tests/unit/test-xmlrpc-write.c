/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/unit.h"
#include "tests/unit/xmlrpc_texts.h"

/* What the codec writes, and reads again. */

static struct value *sample(void)
{
	struct value *s = value_new_struct(), *a, *in;

	value_put_int(s, "int", -5);
	value_put_boolean(s, "bool", true);
	value_put_string(s, "text", "a<b>&\"c\r\n\xC3\xA4 \xF0\x9F\x98\x80");
	value_put(s, "double", value_new_double(0.1));
	value_put_time(s, "time", 1295445162);
	value_put(s, "bytes", value_new_base64(view_of("\0\1\2\3", 4)));
	a = value_put_array(s, "list");
	value_add_string(a, "one");
	value_add(a, value_new_int(2));
	in = value_add_struct(a);
	value_put_string(in, "deep", "");
	return s;
}

static void check_sample(const struct value *s)
{
	const struct value *a = value_member(s, "list");

	CU_ASSERT_EQUAL(value_int(value_member(s, "int")), -5);
	CU_ASSERT(value_boolean(value_member(s, "bool")));
	CU_ASSERT_STRING_EQUAL(value_string(value_member(s, "text")),
			       "a<b>&\"c\r\n\xC3\xA4 \xF0\x9F\x98\x80");
	CU_ASSERT_EQUAL(value_double(value_member(s, "double")), 0.1);
	CU_ASSERT_EQUAL(value_time(value_member(s, "time")), 1295445162);
	CU_ASSERT(view_equal(value_bytes(value_member(s, "bytes")),
			     view_of("\0\1\2\3", 4)));
	CU_ASSERT_EQUAL(value_count(a), 3);
	CU_ASSERT_STRING_EQUAL(value_string(value_item(a, 0)), "one");
	CU_ASSERT_EQUAL(value_int(value_item(a, 1)), 2);
	CU_ASSERT_PTR_NOT_NULL(value_member(value_item(a, 2), "deep"));
}

static void test_round_trip(void)
{
	struct error e = ERROR_INIT;
	struct value *s = sample();
	struct xmlrpc_response r;
	struct xmlrpc_call c;
	struct buf b;

	CU_ASSERT(value_complete(s));
	for (int utf8 = 0; utf8 < 2; utf8++) {
		buf_init(&b, 1 << 20);
		CHECK_OK(xmlrpc_write_response(&b, s, utf8, &e), &e);
		for (size_t i = 0; !utf8 && i < b.len; i++)
			CU_ASSERT(b.ptr[i] < 0x80);
		CU_ASSERT_EQUAL(strstr(buf_cstr(&b), "\xC3\xA4") != NULL, utf8);
		CU_ASSERT_EQUAL(strstr(buf_cstr(&b), "&#228;") != NULL, !utf8);
		CU_ASSERT_PTR_NOT_NULL(strstr(buf_cstr(&b), "&#13;"));
		CHECK_OK(xmlrpc_parse_response(buf_view(&b), NULL, &r, &e), &e);
		CU_ASSERT_PTR_NULL(r.fault_text);
		check_sample(r.result);
		xmlrpc_response_free(&r);
		buf_free(&b);
	}
	buf_init(&b, 1 << 20);
	CHECK_OK(xmlrpc_write_call(&b, "x.y", s, &e), &e);
	CHECK_OK(xmlrpc_parse_call(buf_view(&b), NULL, &c, &e), &e);
	CU_ASSERT_STRING_EQUAL(c.method, "x.y");
	CU_ASSERT(c.declares_utf8);
	check_sample(value_item(c.params, 0));
	xmlrpc_call_free(&c);
	buf_free(&b);
	value_free(s);
}

static void test_faults(void)
{
	struct error e = ERROR_INIT;
	struct xmlrpc_response r;
	struct buf b;

	buf_init(&b, 1 << 16);
	CHECK_OK(
	    xmlrpc_write_fault(&b, 101, "missing <x> - \xC3\xA4", false, &e),
	    &e);
	CHECK_OK(xmlrpc_parse_response(buf_view(&b), NULL, &r, &e), &e);
	CU_ASSERT_EQUAL(r.fault_code, 101);
	CU_ASSERT_STRING_EQUAL(r.fault_text, "missing <x> - \xC3\xA4");
	CU_ASSERT_PTR_NULL(r.result);
	xmlrpc_response_free(&r);
	buf_free(&b);
}

static void test_responses_refused(void)
{
	static const char *const rows[] = {
		"<methodResponse/>",
		"<methodResponse><params/></methodResponse>",
		"<methodResponse><params/><fault/></methodResponse>",
		"<methodResponse><fault/></methodResponse>",
		"<methodResponse><params><param/></params></methodResponse>",
		"<html><body>502</body></html>",
		"<methodCall><methodName>a</methodName></methodCall>",
		"",
	};
	struct error e = ERROR_INIT;
	struct xmlrpc_response r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK_FAILS(
		    xmlrpc_parse_response(view_str(rows[i]), NULL, &r, &e), &e,
		    ERR_INPUT, NULL);
}

static void test_unwritable_replaced(void)
{
	static const struct {
		const char *text, *ascii, *utf8;
	} rows[] = {
		{ "a\x01z", "a&#65533;z", "a\xEF\xBF\xBDz" },
		{ "a\xFFz", "a&#65533;z", "a\xEF\xBF\xBDz" },
		{ "a\xC3", "a&#65533;<", "a\xEF\xBF\xBD<" },
		{ "a\xED\xA0\x80z", "z", "z" },
		{ "a\xC0\x80z", "z", "z" },
		{ "a\xF4\x90\x80\x80z", "z", "z" },
		{ "\xEF\xBF\xBFz", "&#65533;z", "\xEF\xBF\xBDz" },
		{ "]]>", "]]&gt;", "]]&gt;" },
	};
	struct error e = ERROR_INIT;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (int utf8 = 0; utf8 < 2; utf8++) {
			struct value *v = value_new_string(rows[i].text);
			struct xmlrpc_response r;
			struct buf b;

			buf_init(&b, 4096);
			CHECK_OK(xmlrpc_write_response(&b, v, utf8, &e), &e);
			CU_ASSERT_PTR_NOT_NULL(strstr(
			    buf_cstr(&b), utf8 ? rows[i].utf8 : rows[i].ascii));
			CHECK_OK(
			    xmlrpc_parse_response(buf_view(&b), NULL, &r, &e),
			    &e);
			xmlrpc_response_free(&r);
			buf_free(&b);
			value_free(v);
		}
}

static void test_writer_refuses(void)
{
	struct error e = ERROR_INIT;
	struct value *s = value_new_struct(), *deep = s;
	struct buf b;

	buf_init(&b, 64);
	value_put_string(s, "a", "0123456789012345678901234567890123456789");
	CHECK_FAILS(xmlrpc_write_response(&b, s, true, &e), &e, ERR_LIMIT,
		    "64 bytes");
	buf_free(&b);
	buf_init(&b, 1 << 16);
	for (int i = 0; i < 16; i++)
		deep = value_put_struct(deep, "b");
	CHECK_FAILS(xmlrpc_write_response(&b, s, true, &e), &e, ERR_LIMIT,
		    "inside each other");
	/* Something that was lost while building shows at the end. */
	value_put(s, "lost", NULL);
	CU_ASSERT(!value_complete(s));
	CHECK_FAILS(xmlrpc_write_response(&b, s, true, &e), &e, ERR_NOMEM,
		    NULL);
	CHECK_FAILS(xmlrpc_write_response(&b, NULL, true, &e), &e, ERR_NOMEM,
		    NULL);
	value_free(s);
	s = value_new_double(1.0 / 0.0 * 1.0);
	CHECK_FAILS(xmlrpc_write_response(&b, s, true, &e), &e, ERR_INTERNAL,
		    "double");
	value_free(s);
	buf_free(&b);
}

static void test_values_of_the_wrong_type(void)
{
	struct value *i = value_new_int(1), *a = value_new_array();

	CU_ASSERT_STRING_EQUAL(value_string(i), "");
	CU_ASSERT_EQUAL(value_bytes(i).len, 0);
	CU_ASSERT_EQUAL(value_count(i), 0);
	CU_ASSERT_PTR_NULL(value_item(i, 0));
	CU_ASSERT_PTR_NULL(value_member(a, "x"));
	CU_ASSERT_EQUAL(value_int(NULL), 0);
	CU_ASSERT(!value_boolean(i));
	CU_ASSERT_PTR_NULL(value_take_item(a, 0));
	CU_ASSERT_PTR_NULL(value_duplicate_name(a));
	value_put_int(a, "x", 1); /* an array has no names */
	CU_ASSERT(!value_complete(a));
	value_free(i);
	value_free(a);
	value_free(NULL);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "round trip", test_round_trip },
		{ "faults", test_faults },
		{ "responses refused", test_responses_refused },
		{ "unwritable text replaced", test_unwritable_replaced },
		{ "writer refuses", test_writer_refuses },
		{ "values of the wrong type", test_values_of_the_wrong_type },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "xmlrpc-write", tests, NULL, NULL);
}
