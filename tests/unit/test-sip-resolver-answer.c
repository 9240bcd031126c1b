/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip/resolver_answer.h"
#include "sip/resolver_hosts.h"
#include "tests/lib/unit.h"
#include "tests/unit/dns_fixture.h"

/* Messages of DNS servers, most of them hostile. */

static struct dns_message m;
static struct resolver_answer out;

static bool read_as(enum resolver_type type, const char *name)
{
	/* A copy of just that size: what is read behind it shows. */
	uint8_t *copy = malloc(m.n ? m.n : 1);
	bool good;

	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	memcpy(copy, m.bytes, m.n);
	good = resolver_answer_read(copy, m.n, type, name, &out);
	free(copy);
	return good;
}

static void begin(unsigned type)
{
	dns_begin(&m, 1, 0, "a.example", type);
}

static bool read_a(void)
{
	return read_as(RESOLVER_A, "a.example");
}

static void reads_records(void)
{
	begin(DNS_A);
	dns_add(&m, "A.Example", DNS_A, 100, "192.0.2.1");
	dns_add(&m, "a.example", DNS_A, 50, "192.0.2.2");
	dns_add(&m, "b.example", DNS_A, 10, "192.0.2.3");
	dns_add(&m, "a.example", DNS_AAAA, 10, "2001:db8::1");
	CU_ASSERT_TRUE(read_a());
	CU_ASSERT_EQUAL(out.count, 2);
	CU_ASSERT_EQUAL(out.ttl, 50);
	CU_ASSERT_STRING_EQUAL(out.addresses[0], "192.0.2.1");
	CU_ASSERT_STRING_EQUAL(out.addresses[1], "192.0.2.2");

	begin(DNS_AAAA);
	dns_add(&m, "a.example", DNS_AAAA, 7, "2001:db8::1");
	CU_ASSERT_TRUE(read_as(RESOLVER_AAAA, "a.example"));
	CU_ASSERT_EQUAL(out.count, 1);
	CU_ASSERT_STRING_EQUAL(out.addresses[0], "2001:db8::1");

	begin(DNS_SRV);
	dns_add(&m, "a.example", DNS_SRV, 7, "10 20 5070 t.example");
	CU_ASSERT_TRUE(read_as(RESOLVER_SRV, "a.example"));
	CU_ASSERT_EQUAL(out.count, 1);
	CU_ASSERT_EQUAL(out.srv[0].priority, 10);
	CU_ASSERT_EQUAL(out.srv[0].weight, 20);
	CU_ASSERT_EQUAL(out.srv[0].port, 5070);
	CU_ASSERT_STRING_EQUAL(out.srv[0].target, "t.example");

	begin(DNS_NAPTR);
	dns_add(&m, "a.example", DNS_NAPTR, 7,
		"1 2 s SIPS+D2T - _sips._tcp.example");
	CU_ASSERT_TRUE(read_as(RESOLVER_NAPTR, "a.example"));
	CU_ASSERT_EQUAL(out.count, 1);
	CU_ASSERT_EQUAL(out.naptr[0].order, 1);
	CU_ASSERT_EQUAL(out.naptr[0].preference, 2);
	CU_ASSERT_STRING_EQUAL(out.naptr[0].flags, "s");
	CU_ASSERT_STRING_EQUAL(out.naptr[0].service, "SIPS+D2T");
	CU_ASSERT_STRING_EQUAL(out.naptr[0].replacement, "_sips._tcp.example");
}

/* Records that are there but of no use; the rest of the answer is. */
static void leaves_out_what_is_of_no_use(void)
{
	static const struct {
		enum resolver_type type;
		unsigned code;
		const char *text;
	} rows[] = {
		{ RESOLVER_A, DNS_A, "0.0.0.0" },
		{ RESOLVER_A, DNS_A, "0.1.2.3" },
		{ RESOLVER_A, DNS_A, "224.0.0.1" },
		{ RESOLVER_A, DNS_A, "255.255.255.255" },
		{ RESOLVER_AAAA, DNS_AAAA, "::" },
		{ RESOLVER_AAAA, DNS_AAAA, "ff02::1" },
		{ RESOLVER_SRV, DNS_SRV, "1 2 5060 ." },
		{ RESOLVER_SRV, DNS_SRV, "1 2 0 t.example" },
		{ RESOLVER_SRV, DNS_SRV, "1 2 5060 t<script>.example" },
		{ RESOLVER_SRV, DNS_SRV, "1 2 5060 t\x01.example" },
		{ RESOLVER_SRV, DNS_SRV, "1 2 5060 t\\.example" },
		{ RESOLVER_NAPTR, DNS_NAPTR, "1 2 s SIP+D2U - ." },
		{ RESOLVER_NAPTR, DNS_NAPTR, "1 2 s SIP+D2U !.*!x! t.example" },
		{ RESOLVER_NAPTR, DNS_NAPTR,
		  "1 2 ssssssss SIP+D2U - t.example" },
		{ RESOLVER_NAPTR, DNS_NAPTR, "1 2 s\x7f SIP+D2U - t.example" },
		{ RESOLVER_NAPTR, DNS_NAPTR,
		  "1 2 s 12345678901234567890123456789012 - t.example" },
		{ RESOLVER_NAPTR, DNS_NAPTR, "1 2 s SIP+D2U - t\n.example" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(rows[i].code);
		dns_add(&m, "a.example", rows[i].code, 60, rows[i].text);
		CU_ASSERT_TRUE(read_as(rows[i].type, "a.example"));
		if (out.count)
			unit_note("taken: %s", rows[i].text);
		CU_ASSERT_EQUAL(out.count, 0);
		CU_ASSERT_EQUAL(out.ttl, 0);
	}
}

/* Data of a length that its type does not have. */
static void leaves_out_wrong_lengths(void)
{
	static const enum resolver_type types[] = { RESOLVER_A, RESOLVER_AAAA,
						    RESOLVER_SRV,
						    RESOLVER_NAPTR };
	uint8_t data[64];

	memset(data, 1, sizeof(data));
	for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
		unsigned code = (unsigned)resolver_type_code(types[t]);

		for (size_t n = 0; n <= sizeof(data); n++) {
			if ((code == DNS_A && n == 4) ||
			    (code == DNS_AAAA && n == 16))
				continue;
			begin(code);
			dns_add_raw(&m, "a.example", code, 1, 60, data, n);
			CU_ASSERT_TRUE(read_as(types[t], "a.example"));
			CU_ASSERT_EQUAL(out.count, 0);
		}
	}
	/* Bytes behind the target; another class. */
	begin(DNS_SRV);
	dns_add_raw(&m, "a.example", DNS_SRV, 1, 60,
		    "\0\1\0\1\x13\xc4\1t\0more", 13);
	CU_ASSERT_TRUE(read_as(RESOLVER_SRV, "a.example"));
	CU_ASSERT_EQUAL(out.count, 0);
	begin(DNS_A);
	dns_add_raw(&m, "a.example", DNS_A, 3, 60, "\xc0\0\2\1", 4);
	CU_ASSERT_TRUE(read_a());
	CU_ASSERT_EQUAL(out.count, 0);
}

static void follows_cnames(void)
{
	char from[32], to[32];

	begin(DNS_A);
	dns_add(&m, "c.example", DNS_A, 40, "192.0.2.1");
	dns_add(&m, "b.example", DNS_CNAME, 30, "c.example");
	dns_add(&m, "a.example", DNS_CNAME, 50, "b.example");
	CU_ASSERT_TRUE(read_a());
	CU_ASSERT_EQUAL(out.count, 1);
	CU_ASSERT_EQUAL(out.ttl, 30);
	/* As many as may be, and one more. */
	for (int n = RESOLVER_CNAMES_MAX; n <= RESOLVER_CNAMES_MAX + 1; n++) {
		begin(DNS_A);
		for (int i = 0; i < n; i++) {
			snprintf(from, sizeof(from), i ? "n%d" : "a.example",
				 i);
			snprintf(to, sizeof(to), "n%d", i + 1);
			dns_add(&m, from, DNS_CNAME, 60, to);
		}
		dns_add(&m, to, DNS_A, 60, "192.0.2.1");
		CU_ASSERT_EQUAL(read_a(), n == RESOLVER_CNAMES_MAX);
	}
	/* Loops, and one that leads nowhere. */
	begin(DNS_A);
	dns_add(&m, "a.example", DNS_CNAME, 60, "a.example");
	CU_ASSERT_FALSE(read_a());
	begin(DNS_A);
	dns_add(&m, "a.example", DNS_CNAME, 60, "b.example");
	dns_add(&m, "b.example", DNS_CNAME, 60, "a.example");
	dns_add(&m, "a.example", DNS_A, 60, "192.0.2.1");
	CU_ASSERT_FALSE(read_a());
	begin(DNS_A);
	dns_add(&m, "a.example", DNS_CNAME, 60, "o\x7f-dd");
	CU_ASSERT_FALSE(read_a());
	begin(DNS_A);
	dns_add(&m, "a.example", DNS_CNAME, 60, "b.example");
	dns_add(&m, "", DNS_SOA, 50, "40");
	CU_ASSERT_TRUE(read_a());
	CU_ASSERT_EQUAL(out.count, 0);
	CU_ASSERT_EQUAL(out.ttl, 40);
}

static void knows_how_long_there_is_nothing(void)
{
	static const struct {
		unsigned rcode;
		uint32_t ttl;
		const char *minimum;
		uint32_t wanted;
	} rows[] = {
		{ 0, 100, "60", 60 },     { 3, 100, "60", 60 },
		{ 3, 30, "60", 30 },      { 3, 0, "60", 0 },
		{ 3, 100, "0", 0 },       { 3, 0x80000001, "60", 0 },
		{ 3, 100, "70000", 100 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		dns_begin(&m, 1, rows[i].rcode, "a.example", DNS_A);
		dns_add(&m, "example", DNS_SOA, rows[i].ttl, rows[i].minimum);
		CU_ASSERT_TRUE(read_a());
		CU_ASSERT_EQUAL(out.count, 0);
		CU_ASSERT_EQUAL(out.ttl, rows[i].wanted);
	}
	dns_begin(&m, 1, 3, "a.example", DNS_A);
	CU_ASSERT_TRUE(read_a());
	CU_ASSERT_EQUAL(out.ttl, 0);
	dns_add_raw(&m, "example", DNS_SOA, 1, 60, "short", 5);
	CU_ASSERT_TRUE(read_a());
	CU_ASSERT_EQUAL(out.ttl, 0);
}

static void good_message(void)
{
	begin(DNS_A);
	dns_add(&m, "a.example", DNS_CNAME, 60, "b.example");
	dns_add(&m, "b.example", DNS_A, 60, "192.0.2.1");
	dns_add(&m, "", DNS_SOA, 50, "40");
}

/* Not an answer to what was asked. */
static void refuses_other_answers(void)
{
	static const struct {
		size_t at;
		uint8_t value;
	} changes[] = {
		{ 2, 0x01 },  /* a question */
		{ 2, 0x89 },  /* another opcode */
		{ 3, 0x81 },  /* FORMERR */
		{ 3, 0x82 },  /* SERVFAIL */
		{ 3, 0x85 },  /* REFUSED */
		{ 4, 1 },     /* 257 questions */
		{ 5, 0 },     /* none */
		{ 5, 2 },     /* two */
		{ 13, 'b' },  /* another name */
		{ 12, 0x41 }, /* label of no kind */
		{ 12, 0xc0 }, /* pointers: to the front, */
		{ 12, 0xff }, /* behind the end */
		{ 24, 2 },    /* another type */
		{ 26, 3 },    /* another class */
	};

	good_message();
	CU_ASSERT_TRUE(read_a());
	CU_ASSERT_EQUAL(out.count, 1);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		good_message();
		m.bytes[changes[i].at] = changes[i].value;
		if (read_a())
			unit_note("byte %zu: %#x was taken", changes[i].at,
				  changes[i].value);
		CU_ASSERT_FALSE(read_a());
	}
	good_message();
	CU_ASSERT_FALSE(read_as(RESOLVER_AAAA, "a.example"));
	CU_ASSERT_FALSE(read_as(RESOLVER_A, "b.example"));
	CU_ASSERT_FALSE(read_as(RESOLVER_A, ""));
	CU_ASSERT_FALSE(read_as(RESOLVER_A, "a..example"));
}

/* Every length, and every byte changed in every way that leads anywhere. */
static void survives_damage(void)
{
	size_t n, whole;

	good_message();
	whole = m.n;
	for (n = 0; n < whole; n++) {
		good_message();
		m.n = n;
		/* What is missing of the SOA is not missed. */
		if (read_a())
			CU_ASSERT_EQUAL(out.count, 1);
	}
	for (n = 0; n < whole; n++)
		for (unsigned v = 0; v < 256; v++) {
			good_message();
			m.bytes[n] = (uint8_t)v;
			if (read_a())
				CU_ASSERT(out.count <= 1);
		}
}

static void refuses_loops_of_pointers(void)
{
	static const uint8_t tails[][2] = {
		{ 0xc0, 27 }, /* to itself */
		{ 0xc0, 28 }, /* to the middle of itself */
		{ 0xc0, 40 }, /* forward */
		{ 0xff, 0xff },
	};

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		begin(DNS_A);
		CU_ASSERT_EQUAL_FATAL(m.n, 27);
		m.bytes[7] = 1;
		dns_put(&m, tails[i], 2);
		dns_put(&m, "\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1", 14);
		CU_ASSERT_FALSE(read_a());
	}
	/* The usual one. */
	begin(DNS_A);
	m.bytes[7] = 1;
	dns_put(&m, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1", 16);
	CU_ASSERT_TRUE(read_a());
	CU_ASSERT_EQUAL(out.count, 1);
	/* A label, then back to that label. */
	begin(DNS_A);
	m.bytes[7] = 1;
	dns_put(&m, "\1x\xc0\x1b\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1", 18);
	CU_ASSERT_FALSE(read_a());
}

static void bounds_numbers(void)
{
	begin(DNS_A);
	for (int i = 0; i < 300; i++)
		dns_add(&m, "a.example", DNS_A, 60, "192.0.2.1");
	CU_ASSERT_TRUE(read_a());
	CU_ASSERT_EQUAL(out.count, SIP_RECORDS_MAX);
	/* More promised than there are. */
	begin(DNS_A);
	dns_add(&m, "a.example", DNS_A, 60, "192.0.2.1");
	m.bytes[7] = 2;
	CU_ASSERT_FALSE(read_a());
	/* Names of 253 and of 254 bytes. */
	for (int last = 61; last <= 62; last++) {
		char name[300] = "";

		for (int i = 0; i < 3; i++)
			snprintf(name + strlen(name), 66, "%063d.", 0);
		snprintf(name + strlen(name), 66, "%0*d", last, 0);
		begin(DNS_SRV);
		m.bytes[7] = 1;
		dns_put(&m, "\xc0\x0c\0\x21\0\1\0\0\0\x3c", 10);
		dns_put16(&m, (unsigned)strlen(name) + 8);
		dns_put(&m, "\0\1\0\1\x13\xc4", 6);
		dns_put_name(&m, name);
		CU_ASSERT_TRUE(read_as(RESOLVER_SRV, "a.example"));
		CU_ASSERT_EQUAL(out.count, last == 61);
		CU_ASSERT_EQUAL(resolver_name_is_plain(name), last == 61);
	}
}

static void knows_plain_names(void)
{
	static const char *const good[] = { "a", "a.b", "_sip._udp.a-1.example",
					    "1.2.3", "xn--bcher-kva.example" };
	static const char *const bad[] = { "",       ".",     "a.",    ".a",
					   "a..b",   "a b",   "a\tb",  "a/b",
					   "a\\b",   "b\xc3", "[::1]", "a:1",
					   "a%eth0", "a\n" };
	char label[70];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CU_ASSERT_TRUE(resolver_name_is_plain(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_FALSE(resolver_name_is_plain(bad[i]));
	snprintf(label, sizeof(label), "%063d", 0);
	CU_ASSERT_TRUE(resolver_name_is_plain(label));
	snprintf(label, sizeof(label), "%064d", 0);
	CU_ASSERT_FALSE(resolver_name_is_plain(label));
}

static void reads_hosts(void)
{
	char path[300];
	struct resolver_answer v4, v6;
	FILE *f;

	snprintf(path, sizeof(path), "%s/hosts", unit_temp_dir());
	CU_ASSERT_FALSE(resolver_hosts_find(path, "a.example", &v4, &v6));
	f = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs("# comment a.example\n192.0.2.1 b.example A.Example # more\n"
	      "\t2001:db8::1\ta.example\n192.0.2.2 # a.example\n"
	      "300.0.2.3 a.example\nnonsense\n\n   \n192.0.2.4\n"
	      "192.0.2.5 a.example.org xa.example\n192.0.2.6 ",
	      f);
	for (int i = 0; i < 2000; i++)
		fputs("filler ", f);
	fputs("a.example\n192.0.2.7\ta.example", f);
	fclose(f);
	CU_ASSERT_TRUE(resolver_hosts_find(path, "a.example", &v4, &v6));
	CU_ASSERT_EQUAL(v4.count, 2);
	CU_ASSERT_STRING_EQUAL(v4.addresses[0], "192.0.2.1");
	CU_ASSERT_STRING_EQUAL(v4.addresses[1], "192.0.2.7");
	CU_ASSERT_EQUAL(v6.count, 1);
	CU_ASSERT_STRING_EQUAL(v6.addresses[0], "2001:db8::1");
	CU_ASSERT_EQUAL(v4.ttl, 0);
	CU_ASSERT_FALSE(resolver_hosts_find(path, "filler", &v4, &v6));
	CU_ASSERT_FALSE(resolver_hosts_find(path, "nonsense", &v4, &v6));
	CU_ASSERT_FALSE(resolver_hosts_find("/dev/null", "a", &v4, &v6));
	CU_ASSERT_FALSE(resolver_hosts_find("/", "a", &v4, &v6));
}

static const struct unit_test tests[] = {
	{ "reads records", reads_records },
	{ "leaves out what is of no use", leaves_out_what_is_of_no_use },
	{ "leaves out wrong lengths", leaves_out_wrong_lengths },
	{ "follows CNAMEs", follows_cnames },
	{ "knows how long there is nothing", knows_how_long_there_is_nothing },
	{ "refuses other answers", refuses_other_answers },
	{ "survives damage", survives_damage },
	{ "refuses loops of pointers", refuses_loops_of_pointers },
	{ "bounds numbers", bounds_numbers },
	{ "knows plain names", knows_plain_names },
	{ "reads hosts", reads_hosts },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "sip-resolver-answer", tests, NULL, NULL);
}
