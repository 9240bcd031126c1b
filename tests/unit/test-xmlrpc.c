/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/unit.h"
#include "tests/unit/xmlrpc_texts.h"

/* The codec: what it takes and what it refuses. */

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

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "scalars taken", test_scalars_taken },
		{ "scalars refused", test_scalars_refused },
		{ "documents taken", test_documents_taken },
		{ "documents refused", test_documents_refused },
		{ "NUL bytes refused", test_nul_bytes_refused },
		{ "charsets", test_charsets },
		{ "truncated calls", test_truncated },
		{ "mutated calls", test_mutated },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "xmlrpc", tests, NULL, NULL);
}
