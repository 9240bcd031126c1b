/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "tests/lib/unit.h"
#include "tests/unit/xmlrpc_texts.h"

/* How deep, how many and how long. */

static void repeat(struct buf *b, const char *what, size_t n)
{
	struct error e = ERROR_INIT;

	while (n--)
		CHECK_OK(buf_adds(b, what, &e), &e);
}

static void around(struct buf *b, const char *first, const char *repeated,
		   size_t n, const char *last)
{
	buf_init(b, 32 * 1024 * 1024);
	repeat(b, "<methodCall><methodName>a</methodName><params><param>", 1);
	repeat(b, first, 1);
	repeat(b, repeated, n);
	repeat(b, last, 1);
	repeat(b, "</param></params></methodCall>", 1);
}

static void test_limit_nesting(void)
{
	struct error e = ERROR_INIT;
	struct xmlrpc_call c;
	struct buf b;

	for (unsigned depth = 16; depth <= 17; depth++) {
		buf_init(&b, 1 << 20);
		repeat(&b,
		       "<methodCall><methodName>a</methodName><params>"
		       "<param>",
		       1);
		repeat(&b, "<value><array><data>", depth - 1);
		repeat(&b, "<value/>", 1);
		repeat(&b, "</data></array></value>", depth - 1);
		repeat(&b, "</param></params></methodCall>", 1);
		if (depth == 16) {
			CHECK_OK(xmlrpc_parse_call(buf_view(&b), NULL, &c, &e),
				 &e);
			xmlrpc_call_free(&c);
		} else {
			CHECK_FAILS(
			    xmlrpc_parse_call(buf_view(&b), NULL, &c, &e), &e,
			    ERR_LIMIT, "nested too deep");
		}
		buf_free(&b);
	}
	around(&b, "", "<value><array><data>", 100000, "");
	CHECK_FAILS(xmlrpc_parse_call(buf_view(&b), NULL, &c, &e), &e,
		    ERR_LIMIT, "nested too deep");
	buf_free(&b);
	around(&b, "", "<x>", 1000000, "");
	CHECK_FAILS(xmlrpc_parse_call(buf_view(&b), NULL, &c, &e), &e,
		    ERR_INPUT, "unexpected element x");
	buf_free(&b);
}

static void test_limit_items(void)
{
	struct error e = ERROR_INIT;
	struct xmlrpc_call c;
	struct buf b;

	around(&b, "<value><array><data>", "<value/>", 10000,
	       "</data></array></value>");
	CHECK_OK(xmlrpc_parse_call(buf_view(&b), NULL, &c, &e), &e);
	CU_ASSERT_EQUAL(value_count(value_item(c.params, 0)), 10000);
	xmlrpc_call_free(&c);
	buf_free(&b);
	around(&b, "<value><array><data>", "<value/>", 10001,
	       "</data></array></value>");
	CHECK_FAILS(xmlrpc_parse_call(buf_view(&b), NULL, &c, &e), &e,
		    ERR_LIMIT, "too many members");
	buf_free(&b);
	around(&b, "<value><struct>", "<member><name>a</name><value/></member>",
	       10001, "</struct></value>");
	CHECK_FAILS(xmlrpc_parse_call(buf_view(&b), NULL, &c, &e), &e,
		    ERR_LIMIT, "too many members");
	buf_free(&b);
}

/* A response may hold a trust store of a thousand certificates. */
static void test_limit_response_items(void)
{
	static const struct {
		unsigned count;
		bool good;
	} rows[] = { { 30000, true }, { 100000, true }, { 100001, false } };
	struct error e = ERROR_INIT;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct xmlrpc_response r;
		struct buf b;

		buf_init(&b, XMLRPC_RESPONSE_BYTES_MAX);
		CHECK_OK(buf_adds(&b,
				  "<methodResponse><params><param><value>"
				  "<array><data>",
				  &e),
			 &e);
		for (unsigned n = 0; n < rows[i].count; n++)
			CHECK_OK(buf_adds(&b, "<value/>", &e), &e);
		CHECK_OK(buf_adds(&b,
				  "</data></array></value></param></params>"
				  "</methodResponse>",
				  &e),
			 &e);
		if (rows[i].good) {
			CHECK_OK(
			    xmlrpc_parse_response(buf_view(&b), NULL, &r, &e),
			    &e);
			CU_ASSERT_EQUAL(value_count(r.result), rows[i].count);
			xmlrpc_response_free(&r);
		} else {
			CHECK_FAILS(
			    xmlrpc_parse_response(buf_view(&b), NULL, &r, &e),
			    &e, ERR_LIMIT, "too many members");
		}
		buf_free(&b);
	}
}

static void test_limit_sizes(void)
{
	struct error e = ERROR_INIT;
	struct xmlrpc_call c;
	struct buf b;

	around(&b, "<value>", "x", XMLRPC_BYTES_MAX, "</value>");
	CHECK_FAILS(xmlrpc_parse_call(buf_view(&b), NULL, &c, &e), &e,
		    ERR_LIMIT, "4194304 bytes");
	buf_free(&b);
	around(&b, "<value>", "x", XMLRPC_BYTES_MAX - 200, "</value>");
	CHECK_OK(xmlrpc_parse_call(buf_view(&b), NULL, &c, &e), &e);
	CU_ASSERT_EQUAL(value_bytes(value_item(c.params, 0)).len,
			XMLRPC_BYTES_MAX - 200);
	xmlrpc_call_free(&c);
	buf_free(&b);
	/* libxml2 compares each attribute with each. */
	around(&b, "<value", " a='1'", 200000, "/>");
	CHECK_FAILS(xmlrpc_parse_call(buf_view(&b), NULL, &c, &e), &e,
		    ERR_LIMIT, "a tag of more than");
	buf_free(&b);
	around(&b, "<!-- \" --><value b='>'", " a='1'", 200000, "/>");
	CHECK_FAILS(xmlrpc_parse_call(buf_view(&b), NULL, &c, &e), &e,
		    ERR_LIMIT, "a tag of more than");
	buf_free(&b);
	around(&b, "<value><struct><member><name>", "n", 129,
	       "</name><value/></member></struct></value>");
	CHECK_FAILS(xmlrpc_parse_call(buf_view(&b), NULL, &c, &e), &e,
		    ERR_LIMIT, "member name too long");
	buf_free(&b);
	buf_init(&b, 1000);
	repeat(&b, "<methodCall><methodName>", 1);
	repeat(&b, "n", 97);
	repeat(&b, "</methodName></methodCall>", 1);
	CHECK_FAILS(xmlrpc_parse_call(buf_view(&b), NULL, &c, &e), &e,
		    ERR_INPUT, "bad method name");
	buf_free(&b);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "nesting", test_limit_nesting },
		{ "members and elements", test_limit_items },
		{ "elements of a response", test_limit_response_items },
		{ "sizes", test_limit_sizes },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "xmlrpc-limits", tests, NULL, NULL);
}
