/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "api/system_xml.h"
#include "tests/lib/unit.h"

/* What /system.xml says, whatever the facts hold. */

enum { BYTES_MAX = 4096 };

static struct buf out;

static void write_with(const char *host_name, int64_t uptime)
{
	const struct system_facts f = {
		.model = "Sealbridge",
		.serial = "0123456789AB",
		.software_version = "1.2.3",
		.build_version = "1.2.3-4",
		.host_name = host_name,
		.uptime_seconds = uptime,
	};
	struct error e = ERROR_INIT;

	buf_free(&out);
	buf_init(&out, BYTES_MAX);
	CHECK_OK(system_xml_write(&f, &out, &e), &e);
}

static void test_whole(void)
{
	write_with("host.example", 77);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&out),
			       "<?xml version=\"1.0\"?>\n"
			       "<system>\n"
			       "<manufacturer>Sealbridge</manufacturer>\n"
			       "<model>Sealbridge</model>\n"
			       "<serial>0123456789AB</serial>\n"
			       "<softwareVersion>1.2.3</softwareVersion>\n"
			       "<buildVersion>1.2.3-4</buildVersion>\n"
			       "<hostName>host.example</hostName>\n"
			       "<totalVideoPorts>0</totalVideoPorts>\n"
			       "<portReservationMode>disabled"
			       "</portReservationMode>\n"
			       "<maxVideoResolution>max</maxVideoResolution>\n"
			       "<uptimeSeconds>77</uptimeSeconds>\n"
			       "<clusterType>unclustered</clusterType>\n"
			       "</system>\n");
}

static void test_hostile(void)
{
	static const struct {
		const char *host_name, *written;
	} rows[] = {
		{ "", "" },
		{ "a<b>&c", "a&lt;b&gt;&amp;c" },
		{ "</hostName><x/>", "&lt;/hostName&gt;&lt;x/&gt;" },
		{ "]]>", "]]&gt;" },
		{ "<!ENTITY x \"y\">", "&lt;!ENTITY x \"y\"&gt;" },
		{ "&#1;", "&amp;#1;" },
		{ "a\x01\x1b[2Jb", "a&#65533;&#65533;[2Jb" },
		{ "m\xc3\xbcnchen", "m&#252;nchen" },
		{ "bad\xff\xc3", "bad&#65533;&#65533;" },
		{ "\xf0\x9f\x94\x92", "&#128274;" },
		{ "\xef\xbf\xbe", "&#65533;" },
		{ "two\r\nlines", "two&#13;&#10;lines" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *from, *to;

		write_with(rows[i].host_name, 1);
		from = strstr(buf_cstr(&out), "<hostName>");
		to = strstr(buf_cstr(&out), "</hostName>");
		CU_ASSERT_PTR_NOT_NULL_FATAL(from);
		CU_ASSERT_PTR_NOT_NULL_FATAL(to);
		from += strlen("<hostName>");
		if (!view_is(view_of(from, (size_t)(to - from)),
			     rows[i].written))
			unit_note("row %zu: %.*s", i, (int)(to - from), from);
		CU_ASSERT(view_is(view_of(from, (size_t)(to - from)),
				  rows[i].written));
		for (size_t k = 0; k < out.len; k++)
			CU_ASSERT(out.ptr[k] < 0x80);
	}
}

/* A clock that was set back does not make the uptime negative. */
static void test_uptime(void)
{
	write_with("h", -5);
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(buf_cstr(&out), "<uptimeSeconds>0</uptimeSeconds>"));
	write_with("h", INT64_MAX);
	CU_ASSERT_PTR_NOT_NULL(strstr(
	    buf_cstr(&out), "<uptimeSeconds>9223372036854775807</uptime"));
}

static void test_limit(void)
{
	const struct system_facts f = { "", "", "", "", "", 0 };
	struct error e = ERROR_INIT;

	for (size_t max = 0; max < 300; max += 20) {
		buf_free(&out);
		buf_init(&out, max);
		CHECK_FAILS(system_xml_write(&f, &out, &e), &e, ERR_LIMIT, "");
		error_clear(&e);
	}
	buf_free(&out);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "whole", test_whole },
		{ "hostile facts", test_hostile },
		{ "uptime", test_uptime },
		{ "limit", test_limit },
		{ 0 },
	};

	return unit_main(argc, argv, "system.xml", tests, NULL, NULL);
}
