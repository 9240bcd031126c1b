/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/xmlrpc.h"
#include "tests/lib/unit.h"

/* The codec: what it takes and what it refuses. */

#define CALL(params)                                                       \
	"<?xml "                                                           \
	"version='1.0'?>\n<methodCall><methodName>a.b</methodName>" params \
	"</methodCall>"
#define ONE(value) CALL("<params><param>" value "</param></params>")
#define MEMBER(value)                                     \
	ONE("<value><struct><member><name>m</name>" value \
	    "</member></struct></value>")

static int parse(const char *text, struct xmlrpc_call *c, struct error *e)
{
	return xmlrpc_parse_call(view_str(text), NULL, c, e);
}

static void test_scalars_taken(void)
{
	static const struct {
		const char *xml;
		enum value_type type;
		long number;
		const char *text;
	} rows[] = {
		{ "<int>42</int>", VALUE_INT, 42, NULL },
		{ "<i4> -7\n</i4>", VALUE_INT, -7, NULL },
		{ "<i4>+7</i4>", VALUE_INT, 7, NULL },
		{ "<int>-2147483648</int>", VALUE_INT, INT32_MIN, NULL },
		{ "<boolean>1</boolean>", VALUE_BOOLEAN, 1, NULL },
		{ "<boolean>0</boolean>", VALUE_BOOLEAN, 0, NULL },
		{ "<double>-2.5</double>", VALUE_DOUBLE, -25, NULL },
		{ "<double>2.5e1</double>", VALUE_DOUBLE, 250, NULL },
		{ "<dateTime.iso8601>20110119T13:52:42</dateTime.iso8601>",
		  VALUE_TIME, 1295445162, NULL },
		{ "<dateTime.iso8601>2011-01-19T13:52:42Z</dateTime.iso8601>",
		  VALUE_TIME, 1295445162, NULL },
		{ "<dateTime.iso8601>20240229T00:00:00</dateTime.iso8601>",
		  VALUE_TIME, 1709164800, NULL },
		{ "<base64>aGV s\nbG8=</base64>", VALUE_BASE64, 0, "hello" },
		{ "<base64/>", VALUE_BASE64, 0, "" },
		{ "<string>x &lt;&#65;&amp;&quot;&apos;&gt;</string>",
		  VALUE_STRING, 0, "x <A&\"'>" },
		{ "<string/>", VALUE_STRING, 0, "" },
		{ "<string> a </string>", VALUE_STRING, 0, " a " },
		{ "<string><![CDATA[<&]]>b</string>", VALUE_STRING, 0, "<&b" },
		{ "<string>a<!-- c -->b<?pi?></string>", VALUE_STRING, 0,
		  "ab" },
		{ "bare", VALUE_STRING, 0, "bare" },
		{ " \n bare ", VALUE_STRING, 0, " \n bare " },
		{ "", VALUE_STRING, 0, "" },
		{ "\n <string>in</string> \n", VALUE_STRING, 0, "in" },
		{ "<string>\xC3\xA4\xE2\x82\xAC</string>", VALUE_STRING, 0,
		  "\xC3\xA4\xE2\x82\xAC" },
		{ "<string xmlns:x='urn:x' a='>'>s</string>", VALUE_STRING, 0,
		  "s" },
	};
	struct error e = ERROR_INIT;
	struct xmlrpc_call c;
	char text[600];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct value *v;

		snprintf(text, sizeof(text), MEMBER("<value>%s</value>"),
			 rows[i].xml);
		CHECK_OK(parse(text, &c, &e), &e);
		v = value_member(value_item(c.params, 0), "m");
		CU_ASSERT_PTR_NOT_NULL_FATAL(v);
		CU_ASSERT_EQUAL(value_type(v), rows[i].type);
		if (value_is(v, VALUE_DOUBLE))
			CU_ASSERT_EQUAL(value_double(v) * 10, rows[i].number);
		CU_ASSERT_EQUAL((long)value_int(v) + value_boolean(v) +
				    (long)value_time(v),
				value_is(v, VALUE_DOUBLE) ? 0 : rows[i].number);
		if (rows[i].text)
			CU_ASSERT(view_is(value_bytes(v), rows[i].text));
		xmlrpc_call_free(&c);
	}
}

static void test_scalars_refused(void)
{
	static const struct {
		const char *xml, *words;
	} rows[] = {
		{ "<int>2147483648</int>", "not a valid int" },
		{ "<int>-2147483649</int>", "not a valid int" },
		{ "<int>99999999999999999999</int>", "not a valid int" },
		{ "<int></int>", "not a valid int" },
		{ "<int>0x10</int>", "not a valid int" },
		{ "<int>1 2</int>", "not a valid int" },
		{ "<int>-</int>", "not a valid int" },
		{ "<i4>1.0</i4>", "not a valid i4" },
		{ "<boolean>2</boolean>", "not a valid boolean" },
		{ "<boolean>true</boolean>", "not a valid boolean" },
		{ "<boolean/>", "not a valid boolean" },
		{ "<double>nan</double>", "not a valid double" },
		{ "<double>inf</double>", "not a valid double" },
		{ "<double>1e999</double>", "not a valid double" },
		{ "<double>1,5</double>", "not a valid double" },
		{ "<double>0x1p3</double>", "not a valid double" },
		{ "<dateTime.iso8601>20110230T00:00:00</dateTime.iso8601>",
		  "not a valid dateTime" },
		{ "<dateTime.iso8601>20111301T00:00:00</dateTime.iso8601>",
		  "not a valid dateTime" },
		{ "<dateTime.iso8601>20110101T24:00:00</dateTime.iso8601>",
		  "not a valid dateTime" },
		{ "<dateTime.iso8601>20110101</dateTime.iso8601>",
		  "not a valid dateTime" },
		{ "<dateTime.iso8601>2011-0101T00:00:00</dateTime.iso8601>",
		  "not a valid dateTime" },
		{ "<dateTime.iso8601>20110101T00:00:00+01</dateTime.iso8601>",
		  "not a valid dateTime" },
		{ "<base64>a</base64>", "not a valid base64" },
		{ "<base64>aGVs*G8=</base64>", "not a valid base64" },
		{ "<base64>aGVsbG8=a</base64>", "not a valid base64" },
		{ "<base64>=</base64>", "not a valid base64" },
		{ "<base64>aGVsbG8</base64>", "not a valid base64" },
		{ "<base64>aGVsbG8==</base64>", "not a valid base64" },
		{ "<nil/>", "unknown type nil" },
		{ "<ex:nil xmlns:ex='urn:x'/>", "unknown type nil" },
		{ "<i8>1</i8>", "unknown type i8" },
		{ "<STRING>x</STRING>", "unknown type STRING" },
		{ "<string>a</string><string>b</string>", "one too many" },
		{ "text<string>a</string>", "text before string" },
		{ "<string>a</string>text", "text inside value" },
		{ "<string><b>x</b></string>", "unexpected element b" },
		{ "<array/>", "nothing inside array" },
		{ "<array><data/><data/></array>", "one too many" },
		{ "<array><value/></array>", "unexpected element value" },
		{ "<struct><name>x</name></struct>", "unexpected element" },
		{ "<struct><member><name>x</name></member></struct>",
		  "without name or value" },
		{ "<struct><member><value/></member></struct>",
		  "without name or value" },
		{ "<struct>x</struct>", "text inside struct" },
		{ "<string>&xxe;</string>", "xxe" },
		{ "<string>&#0;</string>", "" },
		{ "<string>&#1;</string>", "" },
		{ "<string>&#xD800;</string>", "" },
		{ "<string>\x01</string>", "" },
		{ "<string>\xC3(</string>", "" },
		{ "<string>\xFF</string>", "" },
		{ "<string>\xC0\x80</string>", "" },
		{ "<string>\xED\xA0\x80</string>", "" },
		{ "<string>&amp</string>", "" },
		{ "<string>x</value>", "" },
		{ "<string a='1' a='2'>x</string>", "" },
		{ "<string a=<>x</string>", "" },
		{ "<string><!-- a -- b --></string>", "" },
	};
	struct error e = ERROR_INIT;
	struct xmlrpc_call c;
	char text[600];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(text, sizeof(text), MEMBER("<value>%s</value>"),
			 rows[i].xml);
		CHECK_FAILS(parse(text, &c, &e), &e, ERR_INPUT, rows[i].words);
		CHECK_FAILS(parse(text, &c, &e), &e, ERR_INPUT, "line 2: ");
	}
}

static void test_documents_taken(void)
{
	static const char *const rows[] = {
		CALL(""),
		CALL("<params/>"),
		CALL("<params></params>"),
		"<methodCall><methodName>a.b</methodName></methodCall>",
		"\xEF\xBB\xBF<methodCall><methodName>a.b</methodName>"
		"</methodCall>",
		"<?xml version=\"1.0\" encoding=\"utf-8\" "
		"standalone=\"yes\"?><methodCall>\r\n <methodName>a.b"
		"</methodName>\r\n</methodCall>\r\n<!-- end -->",
		CALL("<params><param><value/></param><param><value/></param>"
		     "</params>"),
	};
	struct error e = ERROR_INIT;
	struct xmlrpc_call c;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_OK(parse(rows[i], &c, &e), &e);
		CU_ASSERT_STRING_EQUAL(c.method, "a.b");
		CU_ASSERT_EQUAL(value_count(c.params), i == 6 ? 2 : 0);
		CU_ASSERT_EQUAL(c.declares_utf8, i == 5);
		xmlrpc_call_free(&c);
	}
}

static void test_documents_refused(void)
{
	static const char laughs[] =
	    "<?xml version='1.0'?><!DOCTYPE l [<!ENTITY a 'ha'>"
	    "<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>"
	    "<methodCall><methodName>&b;</methodName></methodCall>";
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "", "empty" },
		{ "\xEF\xBB\xBF", "empty" },
		{ " ", "" },
		{ "hello", "" },
		{ "<", "" },
		{ "<a", "" },
		{ "<methodCall>", "" },
		{ "<methodCall/>", "without methodName" },
		{ CALL("") "<x/>", "" },
		{ CALL("") "x", "" },
		{ "<methodCall><methodName/></methodCall>", "method name" },
		{ "<methodResponse><params/></methodResponse>",
		  "unexpected element methodResponse" },
		{ "<x:methodCall xmlns:x='u'><methodName>a</methodName>"
		  "</x:methodCall>",
		  "unexpected element" },
		{ CALL("<params/><params/>"), "one too many" },
		{ CALL("<methodName>c</methodName>"), "one too many" },
		{ CALL("<params><param/></params>"), "nothing inside param" },
		{ CALL("<params><value/></params>"), "unexpected element" },
		{ CALL("<params>x</params>"), "text inside params" },
		{ CALL("<other/>"), "unexpected element other" },
		{ ONE("<value><struct><member><name>a</name><value/></member>"
		      "<member><name>a</name><value/></member></struct>"
		      "</value>"),
		  "this member twice: a" },
		{ laughs, "line 1: a document type" },
		{ "<!DOCTYPE x SYSTEM 'file:///etc/passwd'><methodCall/>",
		  "a document type" },
		{ "\n\n<!ELEMENT x ANY>", "line 3: a document type" },
		{ "<?xml version='1.0' encoding='UTF-16'?><methodCall/>",
		  "encoding UTF-16" },
		{ "<?xml version='1.0' encoding='UTF-7'?><methodCall/>",
		  "encoding UTF-7" },
		{ "<?xml version='1.0' encoding='EBCDIC-CP-US'?><methodCall/>",
		  "encoding EBCDIC" },
		{ "\xEF\xBB\xBF<?xml version='1.0' encoding='latin1'?><a/>",
		  "encoding latin1" },
		{ CALL("<xi:include xmlns:xi='http://www.w3.org/2001/XInclude'"
		       " href='/etc/passwd'/>"),
		  "unexpected element include" },
	};
	struct error e = ERROR_INIT;
	struct xmlrpc_call c;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK_FAILS(parse(rows[i].text, &c, &e), &e, ERR_INPUT,
			    rows[i].words);
}

static void test_nul_bytes_refused(void)
{
	static const char nul[] = CALL("<params/>\0");
	static const char utf16[] = "\xFF\xFE<\0m\0";
	struct error e = ERROR_INIT;
	struct xmlrpc_call c;

	CHECK_FAILS(
	    xmlrpc_parse_call(view_of(nul, sizeof(nul) - 1), NULL, &c, &e), &e,
	    ERR_INPUT, "line 2: a NUL byte");
	CHECK_FAILS(
	    xmlrpc_parse_call(view_of(utf16, sizeof(utf16) - 1), NULL, &c, &e),
	    &e, ERR_INPUT, "a NUL byte");
}

static void test_charsets(void)
{
	static const struct {
		const char *prolog, *charset, *text, *want; /* NULL: refused */
	} rows[] = {
		{ "", NULL, "\xC3\xA4", "\xC3\xA4" },
		{ "", "utf-8", "\xC3\xA4", "\xC3\xA4" },
		{ "", "ISO-8859-1", "\xE4", "\xC3\xA4" },
		{ "<?xml version='1.0' encoding=\"iso-8859-1\"?>", NULL, "\xE4",
		  "\xC3\xA4" },
		{ "<?xml version='1.0' encoding='UTF-8'?>", "iso-8859-1",
		  "\xC3\xA4", "\xC3\xA4" },
		{ "<?xml version='1.0' encoding='US-ASCII'?>", NULL, "&#228;",
		  "\xC3\xA4" },
		{ "", "utf-16", "x", NULL },
		{ "", "utf-8", "\xE4", NULL },
		{ "", "", "x", "x" },
	};
	struct error e = ERROR_INIT;
	struct xmlrpc_call c;
	char text[400];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int rc;

		snprintf(text, sizeof(text),
			 "%s<methodCall><methodName>a</methodName><params>"
			 "<param><value>%s</value></param></params>"
			 "</methodCall>",
			 rows[i].prolog, rows[i].text);
		rc = xmlrpc_parse_call(view_str(text), rows[i].charset, &c, &e);
		CU_ASSERT_EQUAL(rc, rows[i].want ? 0 : -1);
		if (rc < 0)
			continue;
		CU_ASSERT_STRING_EQUAL(value_string(value_item(c.params, 0)),
				       rows[i].want);
		xmlrpc_call_free(&c);
	}
}

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

/* Every prefix of a rich call is refused, and nothing leaks or crashes. */
static void test_truncated(void)
{
	static const char whole[] =
	    ONE("<value><struct><member><name>a</name><value><array><data>"
		"<value><int>1</int></value><value>t</value></data></array>"
		"</value></member><member><name>b</name><value><base64>QQ=="
		"</base64></value></member></struct></value>");
	struct error e = ERROR_INIT;
	struct xmlrpc_call c;

	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		char *copy = malloc(n ? n : 1); /* no NUL behind */

		memcpy(copy, whole, n);
		CU_ASSERT_EQUAL(
		    xmlrpc_parse_call(view_of(copy, n), NULL, &c, &e), -1);
		free(copy);
	}
	CHECK_OK(parse(whole, &c, &e), &e);
	xmlrpc_call_free(&c);
}

/* Every byte of a call replaced by hostile ones: no crash, no leak, and a
 * refusal always says why. */
static void test_mutated(void)
{
	static const char whole[] =
	    ONE("<value><struct><member><name>a</name><value><i4>1</i4></value>"
		"</member></struct></value>");
	static const char bytes[] = "<>&\"'/!?[] \xC3\x80\n\x7F";
	struct error e = ERROR_INIT;
	struct xmlrpc_call c;
	char copy[sizeof(whole)];

	for (size_t i = 0; i < sizeof(whole) - 1; i++)
		for (size_t k = 0; k < sizeof(bytes); k++) {
			memcpy(copy, whole, sizeof(whole));
			copy[i] = bytes[k];
			error_clear(&e);
			if (xmlrpc_parse_call(view_of(copy, sizeof(whole) - 1),
					      NULL, &c, &e) == 0)
				xmlrpc_call_free(&c);
			else
				CU_ASSERT(e.kind != ERR_NONE && e.text[0]);
		}
}

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
		{ "scalars taken", test_scalars_taken },
		{ "scalars refused", test_scalars_refused },
		{ "documents taken", test_documents_taken },
		{ "documents refused", test_documents_refused },
		{ "NUL bytes refused", test_nul_bytes_refused },
		{ "charsets", test_charsets },
		{ "limit on nesting", test_limit_nesting },
		{ "limit on members and elements", test_limit_items },
		{ "limit on elements of a response",
		  test_limit_response_items },
		{ "limits on sizes", test_limit_sizes },
		{ "truncated calls", test_truncated },
		{ "mutated calls", test_mutated },
		{ "round trip", test_round_trip },
		{ "faults", test_faults },
		{ "responses refused", test_responses_refused },
		{ "unwritable text replaced", test_unwritable_replaced },
		{ "writer refuses", test_writer_refuses },
		{ "values of the wrong type", test_values_of_the_wrong_type },
		{ 0 },
	};

	return unit_main(argc, argv, "xmlrpc", tests, NULL, NULL);
}
