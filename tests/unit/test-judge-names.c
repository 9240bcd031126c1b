/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "cert/host_identity.h"
#include "tests/lib/unit.h"
#include "tests/unit/judge_fixture.h"

/* Universal tags of ASN.1. */
enum {
	UTF8 = 12,
	PRINTABLE = 19,
	TELETEX = 20,
	IA5 = 22,
	UNIVERSAL = 28,
	BMP = 30
};

#define BYTES(s) s, sizeof(s) - 1

static void test_host_parse(void)
{
	static const struct {
		const char *text, *name;
		size_t ip_len;
		const char *ip;
	} good[] = {
		{ "host.example", "host.example", 0, NULL },
		{ "host.example.", "host.example", 0, NULL },
		{ "Host", "Host", 0, NULL },
		{ "a-b_c.x1", "a-b_c.x1", 0, NULL },
		{ "xn--bcher-kva.example", "xn--bcher-kva.example", 0, NULL },
		{ "192.0.2.1", "", 4, "\xc0\0\2\1" },
		{ "2001:db8::1", "", 16,
		  "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1" },
		{ "[::1]", "", 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1" },
	};
	static const char *const bad[] = {
		"",
		".",
		".example",
		"a..b",
		"a.b..",
		"*.example",
		"a b",
		"a/b",
		"a:443",
		"192.0.2",
		"192.0.2.1.",
		"192.0.2.256",
		"[192.0.2.1]",
		"[::1",
		"fe80::1%eth0",
		"h\xc3\xb6st.example",
		"a\nb",
		"a123456789a123456789a123456789a123456789a123456789a123456789a"
		"1234.example",
	};
	struct error e = ERROR_INIT;
	char name[300];
	struct host h;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		CHECK_OK(host_parse(good[i].text, &h, &e), &e);
		CU_ASSERT_STRING_EQUAL(h.name, good[i].name);
		CU_ASSERT_EQUAL(h.ip_len, good[i].ip_len);
		CU_ASSERT(!h.ip_len || !memcmp(h.ip, good[i].ip, h.ip_len));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_FAILS(host_parse(bad[i], &h, &e), &e, ERR_INPUT,
			    "neither a host name nor an address");
	for (size_t n = 253; n <= 256; n++) {
		memset(name, 'a', n);
		for (size_t i = 50; i < n - 1; i += 50)
			name[i] = '.';
		name[n] = '\0';
		CU_ASSERT_EQUAL(host_parse(name, &h, &e), n == 253 ? 0 : -1);
	}
}

static void test_host_port(void)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
	} good[] = {
		{ "log.example", "log.example", 6514 },
		{ "log.example:1", "log.example", 1 },
		{ "log.example.:65535", "log.example.", 65535 },
		{ "192.0.2.1", "192.0.2.1", 6514 },
		{ "192.0.2.1:0514", "192.0.2.1", 514 },
		{ "[2001:db8::1]", "2001:db8::1", 6514 },
		{ "[::1]:10514", "::1", 10514 },
		{ "[::ffff:192.0.2.1]:7", "::ffff:192.0.2.1", 7 },
	};
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "", "neither a host name" },
		{ ":", "neither a host name" },
		{ ":514", "neither a host name" },
		{ "log.example:", "1 to 65535" },
		{ "log.example:0", "1 to 65535" },
		{ "log.example:65536", "1 to 65535" },
		{ "log.example:4294967297", "1 to 65535" },
		{ "log.example:-1", "1 to 65535" },
		{ "log.example:+1", "1 to 65535" },
		{ "log.example: 1", "1 to 65535" },
		{ "log.example:1 ", "1 to 65535" },
		{ "log.example:0x1", "1 to 65535" },
		{ "log.example:syslog", "1 to 65535" },
		{ "log.example:000514", "1 to 65535" },
		{ "log.example:1:2", "stands in brackets" },
		{ "2001:db8::1", "stands in brackets" },
		{ "::1", "stands in brackets" },
		{ "[::1", "stands in brackets" },
		{ "[::1]514", "stands in brackets" },
		{ "[::1]]:514", "stands in brackets" },
		{ "[]", "neither a host name" },
		{ "[[::1]]", "stands in brackets" },
		{ "[[::1]:514", "neither a host name" },
		{ "[192.0.2.1]:514", "brackets are for" },
		{ "[log.example]:514", "brackets are for" },
		{ "[fe80::1%eth0]:514", "neither a host name" },
		{ "https://log.example", "1 to 65535" },
		{ "log.example/x", "neither a host name" },
		{ "user@log.example", "neither a host name" },
		{ " log.example", "neither a host name" },
		{ "log.exa\nmple", "neither a host name" },
		{ "l\xc3\xb6g.example", "neither a host name" },
		{ "l\xffg.example", "neither a host name" },
	};
	struct error e = ERROR_INIT;
	char text[2000];
	struct host_port h;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		CHECK_OK(host_port_parse(good[i].text, 6514, &h, &e), &e);
		CU_ASSERT_STRING_EQUAL(h.host, good[i].host);
		CU_ASSERT_EQUAL(h.port, good[i].port);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_FAILS(host_port_parse(bad[i].text, 6514, &h, &e), &e,
			    ERR_INPUT, bad[i].words);
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	CHECK_FAILS(host_port_parse(text, 6514, &h, &e), &e, ERR_INPUT,
		    "too long");
	text[0] = '[';
	text[sizeof(text) - 2] = ']';
	CHECK_FAILS(host_port_parse(text, 6514, &h, &e), &e, ERR_INPUT,
		    "too long");
}

struct host_row {
	const char *host, *alt, *subject;
};

static void check_host(const struct host_row *row, bool wanted)
{
	struct error e = ERROR_INIT;
	struct part parts[PARTS_MAX] = {
		{ 'L', .alt = row->alt,
		  .subject = row->subject ? row->subject : "/O=x" },
	};
	struct world w = { .changes = parts };
	struct host h;
	bool found;

	CHECK_OK(host_parse(row->host, &h, &e), &e);
	found = host_is_named_by(&h, world_cert(&w, 'L'));
	if (found != wanted)
		unit_note("host %s, %s, %s", row->host,
			  row->alt ? row->alt : "-",
			  row->subject ? row->subject : "-");
	CU_ASSERT_EQUAL(found, wanted);
	world_end(&w);
}

static void test_host_matches(void)
{
	static const struct host_row rows[] = {
		{ "a.example", "DNS:a.example", NULL },
		{ "A.EXAMPLE.", "DNS:a.example", NULL },
		{ "a.example", "DNS:b.example,DNS:A.example", NULL },
		{ "a.b.example", "DNS:*.b.example", NULL },
		{ "xn--bcher-kva.b.example", "DNS:*.b.example", NULL },
		{ "host", "DNS:host", NULL },
		{ "192.0.2.7", "IP:192.0.2.7", NULL },
		{ "2001:db8:0:0::7", "IP:2001:db8::7", NULL },
		{ "[2001:db8::7]", "DNS:x,IP:2001:db8::7", NULL },
		{ "a.example", NULL, "/O=x/CN=a.example" },
		{ "A.example", NULL, "/CN=a.example" },
		{ "a.b.example", NULL, "/CN=*.b.example" },
		{ "a.example", "URI:sip:x.example,email:a@b.example",
		  "/CN=a.example" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check_host(&rows[i], true);
}

static void test_host_differs(void)
{
	static const struct host_row rows[] = {
		{ "a.example", "DNS:b.example", NULL },
		{ "a.example", "DNS:a.example.org", NULL },
		{ "a.example", "DNS:.example", NULL },
		{ "example", "DNS:*.example", NULL },
		{ "b.example", "DNS:*.b.example", NULL },
		{ "a.c.b.example", "DNS:*.b.example", NULL },
		{ "a.com", "DNS:*.com", NULL },
		{ "host", "DNS:*", NULL },
		{ "abc.b.example", "DNS:a*.b.example", NULL },
		{ "abc.b.example", "DNS:*c.b.example", NULL },
		{ "abc.b.example", "DNS:a*c.b.example", NULL },
		{ "a.b.c.example", "DNS:a.*.c.example", NULL },
		{ "a.b.c.example", "DNS:*.*.c.example", NULL },
		{ "a.example", "DNS:b.example", "/CN=a.example" },
		{ "a.example", "IP:192.0.2.7", "/CN=a.example" },
		{ "a.example", NULL, "/CN=a.example/CN=b.example" },
		{ "a.example", NULL, NULL },
		{ "a.example", "email:x@a.example", NULL },
		{ "a.example", "URI:https://a.example/", NULL },
		{ "192.0.2.7", "IP:192.0.2.8", NULL },
		{ "192.0.2.7", "DNS:192.0.2.7", NULL },
		{ "192.0.2.7", NULL, "/CN=192.0.2.7" },
		{ "192.0.2.7", "IP:::ffff:192.0.2.7", NULL },
		{ "2001:db8::7", "IP:2001:db8::8", NULL },
		{ "2001:db8::7", NULL, "/CN=2001:db8::7" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check_host(&rows[i], false);
}

/* Names cut short by a NUL, as they were once issued. */
static void test_host_nul(void)
{
	static const struct test_common_name cut = {
		UTF8, BYTES("a.example\0.evil.example")
	};
	static const struct part parts[PARTS_MAX] = {
		{ 'L', .subject = "/O=x", .common_names = &cut,
		  .common_name_count = 1 },
		{ 'D', .extensions = "2.5.29.17=DER:30:15:82:13:61:2e:65:78:61:"
				     "6d:70:6c:65:00:65:76:69:6c:2e:63:6f:6d:"
				     "70" },
	};
	struct error e = ERROR_INIT;
	struct world w = { .changes = parts };
	struct host h;

	CHECK_OK(host_parse("a.example", &h, &e), &e);
	CU_ASSERT_EQUAL(cert_alt_name_count(world_cert(&w, 'D')), 1);
	CU_ASSERT_FALSE(host_is_named_by(&h, world_cert(&w, 'L')));
	CU_ASSERT_FALSE(host_is_named_by(&h, world_cert(&w, 'D')));
	world_end(&w);
}

static void check_login(const struct test_common_name *names, size_t count,
			const char *subject, const char *name,
			const char *reason)
{
	struct part parts[PARTS_MAX] = {
		{ 'L', .subject = subject, .common_names = names,
		  .common_name_count = count },
	};
	struct world w = { .changes = parts };
	struct login_name n;
	bool found = login_name_of(world_cert(&w, 'L'), &n), right;

	right = found == (name != NULL) && !strcmp(n.name, name ? name : "") &&
		(name ? !*n.reason : strstr(n.reason, reason) != NULL);
	if (!right)
		unit_note("\"%s\" instead of \"%s\" (%s)", n.name,
			  name ? name : "", n.reason);
	CU_ASSERT(right);
	world_end(&w);
}

static void test_login_names(void)
{
	static const struct test_common_name good[] = {
		{ UTF8, BYTES("alice") },
		{ PRINTABLE, BYTES("alice") },
		{ UTF8, BYTES("Alice Smith") },
		{ UTF8, BYTES("a") },
		{ UTF8, BYTES("J\xc3\xb6rg \xe6\x9d\x8e") },
		{ UTF8, BYTES("alice, bob") },
		{ UTF8, BYTES("a\\00") },
		{ PRINTABLE, BYTES("alice@example") },
		{ UTF8, BYTES("1234567890123456789012345678901") },
		{ UTF8, BYTES("\xf0\x9d\x84\x9e\xf0\x9d\x84\x9e"
			      "\xf0\x9d\x84\x9e\xf0\x9d\x84\x9e"
			      "\xf0\x9d\x84\x9e\xf0\x9d\x84\x9e"
			      "\xf0\x9d\x84\x9e\xf0\x9d\x84\x9e"
			      "\xf0\x9d\x84\x9e\xf0\x9d\x84\x9e"
			      "\xf0\x9d\x84\x9e\xf0\x9d\x84\x9e"
			      "\xf0\x9d\x84\x9e\xf0\x9d\x84\x9e"
			      "\xf0\x9d\x84\x9e\xf0\x9d\x84\x9e"
			      "\xf0\x9d\x84\x9e\xf0\x9d\x84\x9e"
			      "\xf0\x9d\x84\x9e\xf0\x9d\x84\x9e"
			      "\xf0\x9d\x84\x9e\xf0\x9d\x84\x9e"
			      "\xf0\x9d\x84\x9e\xf0\x9d\x84\x9e"
			      "\xf0\x9d\x84\x9e\xf0\x9d\x84\x9e"
			      "\xf0\x9d\x84\x9e\xf0\x9d\x84\x9e"
			      "\xf0\x9d\x84\x9e\xf0\x9d\x84\x9e"
			      "\xf0\x9d\x84\x9e") },
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		check_login(&good[i], 1, "/O=x", good[i].bytes, NULL);
	check_login(NULL, 0, "/C=GB/O=x/CN=alice/emailAddress=a@b.example",
		    "alice", NULL);
}

static void test_no_login_name(void)
{
	static const struct {
		struct test_common_name name;
		const char *reason;
	} bad[] = {
		{ { UTF8, BYTES("") }, "empty" },
		{ { PRINTABLE, BYTES("") }, "empty" },
		{ { BMP, BYTES("\0a\0l") }, "neither a UTF8String" },
		{ { UNIVERSAL, BYTES("\0\0\0a") }, "neither a UTF8String" },
		{ { TELETEX, BYTES("alice") }, "neither a UTF8String" },
		{ { IA5, BYTES("alice") }, "neither a UTF8String" },
		{ { UTF8, BYTES("alice\0") }, "control" },
		{ { UTF8, BYTES("admin\0.evil") }, "control" },
		{ { PRINTABLE, BYTES("admin\0x") }, "control" },
		{ { UTF8, BYTES("\0") }, "control" },
		{ { UTF8, BYTES("ali\nce") }, "control" },
		{ { UTF8, BYTES("alice\x7f") }, "control" },
		{ { UTF8, BYTES("alice\xc2\x85") }, "control" },
		{ { UTF8, BYTES("\xe2\x80\xae"
				"alice") },
		  "invisible" },
		{ { UTF8, BYTES("ali\xe2\x80\x8b"
				"ce") },
		  "invisible" },
		{ { PRINTABLE, BYTES("J\xf6rg") }, "what its type says" },
		{ { PRINTABLE, BYTES("J\xc3\xb6rg") }, "what its type says" },
		{ { UTF8, BYTES("12345678901234567890123456789012") },
		  "more than 31 characters" },
	};
	static const struct test_common_name two[] = {
		{ UTF8, BYTES("alice") }, { PRINTABLE, BYTES("alice") }
	};
	static char huge[20000];
	struct test_common_name long_one = { UTF8, huge, sizeof(huge) };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		check_login(&bad[i].name, 1, "/O=x", NULL, bad[i].reason);
	check_login(two, 2, "/O=x", NULL, "2 common names");
	check_login(two, 1, "/CN=admin/O=x", NULL, "2 common names");
	check_login(NULL, 0, "/O=alice", NULL, "no common name");
	check_login(NULL, 0, "", NULL, "no common name");
	memset(huge, 'a', sizeof(huge));
	check_login(&long_one, 1, "/O=x", NULL, "more than 31");
}

/* Broken UTF-8 cannot be put there by libcrypto; by hand it can. Such a
 * certificate is refused as a whole, or gives no user. */
static void test_broken_login_name(void)
{
	static const char *const broken[] = { "ali\xff\xff", "ali\xc3\x28",
					      "ali\xc0\x80",
					      "a\xed\xa0\x80"
					      "e" };
	static const struct test_common_name good = { UTF8, BYTES("alice") };
	static const struct part parts[PARTS_MAX] = {
		{ 'L', .subject = "/O=x", .common_names = &good,
		  .common_name_count = 1 },
	};
	struct error e = ERROR_INIT;
	struct world w = { .changes = parts };
	struct view der = cert_der(world_cert(&w, 'L'));
	uint8_t copy[4096], *at;
	struct login_name n;
	struct cert *c;

	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		memcpy(copy, der.ptr, der.len);
		at = memmem(copy, der.len, "alice", 5);
		CU_ASSERT_PTR_NOT_NULL_FATAL(at);
		memcpy(at, broken[i], 5);
		c = cert_from_der(view_of(copy, der.len), &e);
		CU_ASSERT(!c || !login_name_of(c, &n));
		cert_unref(c);
	}
	world_end(&w);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "host_parse", test_host_parse },
		{ "host_port_parse", test_host_port },
		{ "host_matches", test_host_matches },
		{ "host_differs", test_host_differs },
		{ "host_nul", test_host_nul },
		{ "login_names", test_login_names },
		{ "no_login_name", test_no_login_name },
		{ "broken_login_name", test_broken_login_name },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "judge-names", tests, NULL, NULL);
}
