/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "cert/sip_identity.h"
#include "cert/sip_own_names.h"
#include "tests/lib/unit.h"
#include "tests/unit/judge_fixture.h"

/* Which hosts a SIP peer's certificate is for (RFC 5922). */

#define BYTES(s) s, sizeof(s) - 1

enum { UTF8 = 12, TELETEX = 20, BMP = 30 }; /* universal tags of ASN.1 */

struct row {
	const char *host;
	const char *alt;     /* openssl syntax; NULL: no extension */
	const char *subject; /* NULL: "/O=x" */
};

static void check(const struct row *row, bool expected)
{
	struct part parts[PARTS_MAX] = {
		{ 'D', .subject = row->subject ? row->subject : "/O=x",
		  .alt = row->alt },
	};
	struct error e = ERROR_INIT;
	struct world w = { .changes = parts };
	struct host h;
	bool is;

	CHECK_OK(host_parse(row->host, &h, &e), &e);
	is = sip_host_is_named_by(&h, world_cert(&w, 'D'));
	if (is != expected)
		unit_note("%s by %s, %s", row->host,
			  row->alt ? row->alt : "no subjectAltName",
			  row->subject ? row->subject : "no common name");
	CU_ASSERT_EQUAL(is, expected);
	world_end(&w);
}

static void test_named(void)
{
	static const struct row rows[] = {
		{ "a.example", "URI:sip:a.example", NULL },
		{ "a.example", "URI:sips:a.example", NULL },
		{ "a.example", "URI:SIP:A.Example", NULL },
		{ "a.example", "URI:sIpS:a.example", NULL },
		{ "A.EXAMPLE", "URI:sip:a.example", NULL },
		{ "a.example", "URI:sip:a.example:5061", NULL },
		{ "a.example", "URI:sip:a.example;transport=tls", NULL },
		{ "a.example", "URI:sip:a.example:5061;transport=tls;lr",
		  NULL },
		{ "a.example", "URI:sip:a.example?subject=x", NULL },
		{ "a.example", "URI:sip:a.example.", NULL },
		{ "a.example.", "URI:sip:a.example", NULL },
		{ "192.0.2.7", "URI:sip:192.0.2.7", NULL },
		{ "192.0.2.7", "URI:sip:192.0.2.7:5061", NULL },
		{ "2001:db8::7", "URI:sip:[2001:db8::7]", NULL },
		{ "2001:db8::7", "URI:sip:[2001:DB8:0:0::7]:5061;lr", NULL },
		{ "[2001:db8::7]", "URI:sip:[2001:db8::7]", NULL },
		{ "a.example", "DNS:a.example", NULL },
		{ "a.example", "DNS:A.eXample", NULL },
		{ "a.example", "DNS:a.example.", NULL },
		{ "host", "DNS:host", NULL },
		{ "xn--bcher-kva.example", "DNS:XN--bcher-kva.example", NULL },
		{ "192.0.2.7", "DNS:192.0.2.7", NULL },
		{ "2001:db8::7", "DNS:2001:db8::7", NULL },
		{ "192.0.2.7", "IP:192.0.2.7", NULL },
		{ "2001:db8::7", "IP:2001:db8:0:0:0:0:0:7", NULL },
		/* Any of several. */
		{ "a.example", "DNS:b.example,DNS:a.example", NULL },
		{ "a.example", "URI:sip:b.example,URI:sip:a.example", NULL },
		{ "a.example", "URI:sip:b.example,DNS:a.example", NULL },
		{ "192.0.2.7", "URI:sip:b.example,DNS:b.example,IP:192.0.2.7",
		  "/CN=b.example" },
		{ "a.example", "URI:sip:bob@a.example,DNS:a.example", NULL },
		/* The common name, when there is nothing else. */
		{ "a.example", NULL, "/CN=a.example" },
		{ "a.example", NULL, "/C=GB/O=x/CN=A.example" },
		{ "192.0.2.7", NULL, "/CN=192.0.2.7" },
		{ "2001:db8::7", NULL, "/CN=2001:db8::7" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check(&rows[i], true);
}

static void test_not_named(void)
{
	static const struct row rows[] = {
		/* Another one. */
		{ "a.example", "URI:sip:b.example", NULL },
		{ "a.example", "URI:sip:a.example.org", NULL },
		{ "a.example", "URI:sip:x.a.example", NULL },
		{ "x.a.example", "URI:sip:a.example", NULL },
		{ "a.example", "DNS:b.example", NULL },
		{ "x.a.example", "DNS:a.example", NULL },
		{ "192.0.2.7", "IP:192.0.2.8", NULL },
		{ "192.0.2.7", "DNS:192.0.2.70", NULL },
		{ "192.0.2.7", "IP:::ffff:192.0.2.7", NULL },
		{ "2001:db8::7", "IP:2001:db8::8", NULL },
		{ "2001:db8::7", "URI:sip:[2001:db8::8]", NULL },
		/* Not the host's. */
		{ "a.example", "URI:sip:bob@a.example", NULL },
		{ "a.example", "URI:sip:bob:secret@a.example", NULL },
		{ "a.example", "URI:sip:@a.example", NULL },
		{ "a.example", "URI:sip:a.example@b.example", NULL },
		{ "b.example", "URI:sip:a.example@b.example", NULL },
		{ "a.example", "URI:sip:a.example;x=@b.example", NULL },
		{ "a.example", "URI:sip:bob%40a.example", NULL },
		/* Other schemes. */
		{ "a.example", "URI:https://a.example/", NULL },
		{ "a.example", "URI:sip://a.example", NULL },
		{ "a.example", "URI:im:a.example", NULL },
		{ "a.example", "URI:tel:a.example", NULL },
		{ "a.example", "URI:sipx:a.example", NULL },
		{ "a.example", "URI:a.example", NULL },
		{ "a.example", "email:bob@a.example", NULL },
		{ "a.example", "RID:1.2.3.4", NULL },
		/* Broken. */
		{ "a.example", "URI:sip:", NULL },
		{ "a.example", "URI:sip:a.example:", NULL },
		{ "a.example", "URI:sip:a.example:x", NULL },
		{ "a.example", "URI:sip:a.example:0", NULL },
		{ "a.example", "URI:sip:a.example:65536", NULL },
		{ "a.example", "URI:sip:a.example:4294972357", NULL },
		{ "a.example", "URI:sip:a.example:5061:5061", NULL },
		{ "a.example", "URI:sip:a.example/", NULL },
		{ "a.example", "URI:sip:a.example b.example", NULL },
		{ "a.example", "URI:sip:a..example", NULL },
		{ "a.example", "URI:sip:.a.example", NULL },
		{ "a.example", "URI:sip:%61.example", NULL },
		{ "2001:db8::7", "URI:sip:2001:db8::7", NULL },
		{ "2001:db8::7", "URI:sip:[2001:db8::7", NULL },
		{ "2001:db8::7", "URI:sip:[2001:db8::7]5061", NULL },
		{ "192.0.2.7", "URI:sip:[192.0.2.7]", NULL },
		{ "a.example", "URI:sip:[a.example]", NULL },
		/* Wildcards. */
		{ "a.example", "DNS:*.example", NULL },
		{ "a.b.example", "DNS:*.b.example", NULL },
		{ "a.example", "URI:sip:*.example", NULL },
		{ "a.example", "DNS:*", NULL },
		{ "a.example", "DNS:?.example", NULL },
		{ "a.example", "DNS:.example", NULL },
		{ "a.example", NULL, "/CN=*.example" },
		/* The common name with any subjectAltName beside it. */
		{ "a.example", "DNS:b.example", "/CN=a.example" },
		{ "a.example", "URI:sip:b.example", "/CN=a.example" },
		{ "a.example", "IP:192.0.2.7", "/CN=a.example" },
		{ "a.example", "email:bob@a.example", "/CN=a.example" },
		{ "192.0.2.7", "DNS:b.example", "/CN=192.0.2.7" },
		/* Which of two? None at all? */
		{ "a.example", NULL, "/CN=a.example/CN=b.example" },
		{ "a.example", NULL, "/CN=b.example/CN=a.example" },
		{ "a.example", NULL, "/CN=sip:a.example" },
		{ "a.example", NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check(&rows[i], false);
}

/* Entries as no tool writes them, byte by byte; and common names. */
static void check_bytes(const char *extensions,
			const struct test_common_name *cn, bool expected)
{
	const struct part parts[PARTS_MAX] = {
		{ 'D', .subject = "/O=x", .extensions = extensions,
		  .common_names = cn, .common_name_count = cn ? 1 : 0 },
	};
	struct error e = ERROR_INIT;
	struct world w = { .changes = parts };
	struct host h;
	bool is;

	CHECK_OK(host_parse("a.example", &h, &e), &e);
	is = sip_host_is_named_by(&h, world_cert(&w, 'D'));
	if (is != expected)
		unit_note("%s", extensions ? extensions : cn->bytes);
	CU_ASSERT_EQUAL(is, expected);
	world_end(&w);
}

static void test_bytes(void)
{
	static const struct {
		const char *extensions;
		bool named;
	} rows[] = {
		/* dNSName "a.example", so that the others can be believed */
		{ "2.5.29.17=DER:30:0b:82:09:61:2e:65:78:61:6d:70:6c:65",
		  true },
		/* uniformResourceIdentifier "sip:a.example" */
		{ "2.5.29.17=DER:30:0f:86:0d:73:69:70:3a:61:2e:65:78:61:6d:70:"
		  "6c:65",
		  true },
		/* dNSName "a.example\0x" */
		{ "2.5.29.17=DER:30:0d:82:0b:61:2e:65:78:61:6d:70:6c:65:00:78",
		  false },
		/* dNSName "a.example\0" */
		{ "2.5.29.17=DER:30:0c:82:0a:61:2e:65:78:61:6d:70:6c:65:00",
		  false },
		/* URI "sip:a.example\0" and "sip:a.example\0@x" */
		{ "2.5.29.17=DER:30:10:86:0e:73:69:70:3a:61:2e:65:78:61:6d:70:"
		  "6c:65:00",
		  false },
		{ "2.5.29.17=DER:30:12:86:10:73:69:70:3a:61:2e:65:78:61:6d:70:"
		  "6c:65:00:40:78",
		  false },
		/* dNSName, URI of no bytes; an address of five */
		{ "2.5.29.17=DER:30:02:82:00", false },
		{ "2.5.29.17=DER:30:02:86:00", false },
		{ "2.5.29.17=DER:30:07:87:05:c0:00:02:07:00", false },
		/* dNSName with a byte beyond ASCII */
		{ "2.5.29.17=DER:30:0b:82:09:e1:2e:65:78:61:6d:70:6c:65",
		  false },
		/* registeredID, and a rfc822Name that reads as a host */
		{ "2.5.29.17=DER:30:0b:81:09:61:2e:65:78:61:6d:70:6c:65",
		  false },
	};
	static const struct {
		struct test_common_name cn;
		bool named;
	} names[] = {
		{ { UTF8, BYTES("a.example") }, true },
		{ { TELETEX, BYTES("a.example") }, true },
		{ { BMP, BYTES("\0a\0.\0e\0x\0a\0m\0p\0l\0e") }, true },
		{ { UTF8, BYTES("a.example\0x") }, false },
		{ { UTF8, BYTES("a.example\0") }, false },
		{ { UTF8, BYTES("\xc3\xa4.example") }, false },
		{ { UTF8, BYTES(" a.example") }, false },
		{ { UTF8, BYTES("a.example ") }, false },
		{ { UTF8, BYTES("a.ex\xef\xbd\x81mple") }, false },
		{ { UTF8, BYTES("") }, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check_bytes(rows[i].extensions, NULL, rows[i].named);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		check_bytes(NULL, &names[i].cn, names[i].named);
}

/* An extension that is there, but empty, is there. (One that cannot be read
 * makes no certificate.) */
static void test_no_way_round(void)
{
	static const struct test_common_name cn = { UTF8, BYTES("a.example") };

	check_bytes("2.5.29.17=DER:30:00", &cn, false);
	check_bytes(NULL, &cn, true);
}

static void test_long(void)
{
	char uri[600] = "sip:";
	struct host h;

	memset(uri + 4, 'a', sizeof(uri) - 4);
	CU_ASSERT_EQUAL(sip_identity_of_uri(uri, sizeof(uri), &h), -1);
	for (size_t i = 50; i < sizeof(uri); i += 50)
		uri[i] = '.';
	CU_ASSERT_EQUAL(sip_identity_of_uri(uri, 4 + 253, &h), 0);
	CU_ASSERT_EQUAL(sip_identity_of_uri(uri, 4 + 254, &h), -1);
	CU_ASSERT_EQUAL(sip_identity_of_uri(uri, sizeof(uri), &h), -1);
	for (size_t n = 0; n < 5; n++)
		CU_ASSERT_EQUAL(sip_identity_of_uri("sips:", n, &h), -1);
}

/* --- the judge's word about SIP peers */

static const struct judge_row judged_good[] = {
	{ "no extendedKeyUsage",
	  { { 'L', .alt = "DNS:a.example" } },
	  .store = "R",
	  .sent = "LI",
	  .role = JUDGE_SIP,
	  .host = "a.example" },
	{ "servers",
	  { { 'L', .extended = "serverAuth" } },
	  .store = "R",
	  .sent = "LI",
	  .role = JUDGE_SIP },
	{ "clients",
	  { { 'L', .extended = "clientAuth" } },
	  .store = "R",
	  .sent = "LI",
	  .role = JUDGE_SIP },
	{ "SIP domains (RFC 5924)",
	  { { 'L', .extended = "1.3.6.1.5.5.7.3.20" } },
	  .store = "R",
	  .sent = "LI",
	  .role = JUDGE_SIP },
	{ "any use",
	  { { 'L', .extended = "2.5.29.37.0" } },
	  .store = "R",
	  .sent = "LI",
	  .role = JUDGE_SIP },
	{ "SIP domains among others",
	  { { 'L', .extended = "emailProtection,1.3.6.1.5.5.7.3.20" } },
	  .store = "R",
	  .sent = "LI",
	  .role = JUDGE_SIP },
	{ "an authority for servers, a leaf for SIP domains",
	  { { 'I', .extended = "serverAuth" },
	    { 'L', .extended = "1.3.6.1.5.5.7.3.20" } },
	  .store = "R",
	  .sent = "LI",
	  .role = JUDGE_SIP },
	{ "the URI, and a common name that is another",
	  { { 'L', .alt = "URI:sip:a.example" } },
	  .store = "R",
	  .sent = "LI",
	  .role = JUDGE_SIP,
	  .host = "a.example" },
	{ "the common name",
	  { { 'L', .subject = "/CN=a.example" } },
	  .store = "R",
	  .sent = "LI",
	  .role = JUDGE_SIP,
	  .host = "a.example" },
	{ "self-signed and a member itself",
	  { { 'D', .alt = "IP:192.0.2.7" } },
	  .store = "D",
	  .sent = "D",
	  .role = JUDGE_SIP,
	  .host = "192.0.2.7" },
	{ "whoever it is",
	  { { 'L', .alt = "DNS:*.example" } },
	  .store = "R",
	  .sent = "LI",
	  .role = JUDGE_SIP },
};

static const struct judge_row judged_bad[] = {
	{ "for mail",
	  { { 'L', .extended = "emailProtection" } },
	  .store = "R",
	  .sent = "LI",
	  .role = JUDGE_SIP,
	  .reason = JUDGE_WRONG_USE,
	  .words = "not for SIP peers" },
	{ "a number that only begins like SIP domains",
	  { { 'L', .extended = "1.3.6.1.5.5.7.3.20.1" } },
	  .store = "R",
	  .sent = "LI",
	  .role = JUDGE_SIP,
	  .reason = JUDGE_WRONG_USE,
	  .words = "not for SIP peers" },
	{ "an authority for mail",
	  { { 'I', .extended = "emailProtection" } },
	  .store = "R",
	  .sent = "LI",
	  .role = JUDGE_SIP,
	  .reason = JUDGE_WRONG_USE,
	  .words = "not allowed to issue for SIP peers" },
	{ "SIP domains is nothing for web servers",
	  { { 'L', .extended = "1.3.6.1.5.5.7.3.20" } },
	  .store = "R",
	  .sent = "LI",
	  .role = JUDGE_SERVER,
	  .reason = JUDGE_WRONG_USE,
	  .words = "not for TLS servers" },
	{ "a wildcard",
	  { { 'L', .alt = "DNS:*.example" } },
	  .store = "R",
	  .sent = "LI",
	  .role = JUDGE_SIP,
	  .host = "a.example",
	  .reason = JUDGE_WRONG_HOST,
	  .words = "is not for a.example" },
	{ "the right common name, another subjectAltName",
	  { { 'L', .subject = "/CN=a.example", .alt = "DNS:b.example" } },
	  .store = "R",
	  .sent = "LI",
	  .role = JUDGE_SIP,
	  .host = "a.example",
	  .reason = JUDGE_WRONG_HOST,
	  .words = "DNS:b.example" },
	{ "the right name, made by nobody we know",
	  { { 'L', .alt = "DNS:a.example" } },
	  .store = "O",
	  .sent = "LI",
	  .role = JUDGE_SIP,
	  .host = "a.example",
	  .reason = JUDGE_UNKNOWN_AUTHORITY },
	{ "nothing sent",
	  { { 0 } },
	  .store = "R",
	  .sent = "",
	  .role = JUDGE_SIP,
	  .reason = JUDGE_NOTHING_SENT },
};

static void test_judge(void)
{
	JUDGE_ROWS(judged_good, true);
	JUDGE_ROWS(judged_bad, false);
}

/* --- our own */

static void test_own(void)
{
	static const char *const addresses[] = { "192.0.2.7", "2001:db8::7",
						 "192.0.2.8", "192.0.2.9" };
	static const struct {
		const char *alt, *subject, *domain, *host;
		size_t addresses;
		const char *missing; /* NULL: fits */
	} rows[] = {
		{ "DNS:a.example", NULL, "a.example", "dev", 4, NULL },
		{ "URI:sip:a.example", NULL, "A.example", "dev", 4, NULL },
		{ "DNS:dev,IP:192.0.2.7", NULL, "a.example", "dev", 4,
		  "outbound domain a.example" },
		{ "DNS:*.example", NULL, "a.example", "dev", 4,
		  "outbound domain a.example" },
		{ NULL, "/CN=a.example", "a.example", "dev", 4, NULL },
		{ "DNS:dev", NULL, "", "dev", 4, NULL },
		{ "DNS:dev", NULL, NULL, "dev", 0, NULL },
		{ "IP:192.0.2.9", NULL, "", "dev", 4, NULL },
		{ "DNS:2001:db8::7", NULL, "", "dev", 4, NULL },
		{ "DNS:b.example", "/CN=dev", "", "dev", 4,
		  "host name dev nor an address of this device (192.0.2.7, "
		  "2001:db8::7, 192.0.2.8, ...)" },
		{ "DNS:b.example", NULL, "", "dev", 1, "(192.0.2.7)" },
		{ "DNS:b.example", NULL, "", "dev", 0,
		  "an address of this device: SIP" },
		{ NULL, NULL, "not a domain", NULL, 0,
		  "outbound domain not a domain" },
		{ "IP:192.0.2.9", NULL, "", "dev", 3, "neither" },
	};
	char text[SIP_OWN_NAMES_TEXT];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct part parts[PARTS_MAX] = {
			{ 'D', .alt = rows[i].alt,
			  .subject =
			      rows[i].subject ? rows[i].subject : "/O=x" },
		};
		const struct sip_own_names n = { rows[i].domain, rows[i].host,
						 addresses, rows[i].addresses };
		struct world w = { .changes = parts };
		bool fits = sip_own_names_fit(world_cert(&w, 'D'), &n, text);

		CU_ASSERT_EQUAL(fits, rows[i].missing == NULL);
		if (fits ? *text : !strstr(text, rows[i].missing)) {
			unit_note("row %zu: %s", i, text);
			CU_FAIL("text");
		}
		world_end(&w);
	}
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "named", test_named }, { "not named", test_not_named },
		{ "bytes", test_bytes }, { "no way round", test_no_way_round },
		{ "long", test_long },   { "judge", test_judge },
		{ "own", test_own },     { NULL, NULL },
	};

	return unit_main(argc, argv, "sip-identity", tests, NULL, NULL);
}
