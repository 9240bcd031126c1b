/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "notify/syslog_message.h"
#include "tests/lib/unit.h"

/* Messages of RFC 5424, byte by byte. */

#define AT   INT64_C(1790000000123) /* 2026-09-21T14:13:20.123Z */
#define TIME "2026-09-21T14:13:20.123Z"
#define BOM  "\xef\xbb\xbf"
#define OWN                 \
	"[meta sequenceId=" \
	"\"7\"][origin software=\"sealbridged\" swVersion=\"1.2\"]"

static const struct syslog_origin us = { "mcu.example", "1.2", 4711 };

/* Without the length in front, which is checked. */
static void make(const struct syslog_origin *from,
		 const struct syslog_entry *entry, uint32_t sequence,
		 struct buf *out)
{
	struct error e = ERROR_INIT;
	char *space;

	buf_init(out, SYSLOG_FRAME_MAX);
	CHECK_OK(syslog_message(from, entry, sequence, out, &e), &e);
	space = strchr((char *)out->ptr, ' ');
	CU_ASSERT_PTR_NOT_NULL_FATAL(space);
	CU_ASSERT_EQUAL(strtoul((char *)out->ptr, NULL, 10), strlen(space + 1));
	CU_ASSERT_EQUAL(strlen((char *)out->ptr), out->len);
	CU_ASSERT(strlen(space + 1) <= SYSLOG_MESSAGE_MAX);
	buf_consume(out, (size_t)(space + 1 - (char *)out->ptr));
}

static void check(const struct syslog_origin *from,
		  const struct syslog_entry *entry, const char *wanted)
{
	struct buf out;

	make(from, entry, 7, &out);
	if (strcmp((char *)out.ptr, wanted) != 0)
		unit_note("got    %s\n# wanted %s", (char *)out.ptr, wanted);
	CU_ASSERT_STRING_EQUAL((char *)out.ptr, wanted);
	buf_free(&out);
}

static void test_headers(void)
{
	static const struct {
		struct syslog_origin from;
		enum syslog_facility facility;
		unsigned severity;
		int64_t at;
		const char *id, *wanted;
	} rows[] = {
		{ { "mcu.example", "1.2", 4711 },
		  SYSLOG_DAEMON,
		  3,
		  AT,
		  "tls",
		  "<27>1 " TIME " mcu.example sealbridged 4711 tls " OWN },
		{ { "mcu.example", "1.2", 4711 },
		  SYSLOG_AUTHPRIV,
		  7,
		  0,
		  "loginFailed",
		  "<87>1 1970-01-01T00:00:00.000Z mcu.example sealbridged 4711 "
		  "loginFailed " OWN },
		/* What does not fit, is not there, or is not ours to send. */
		{ { "", "1.2", 1 },
		  SYSLOG_DAEMON,
		  5,
		  -1,
		  "",
		  "<29>1 - - sealbridged 1 - " OWN },
		{ { NULL, "1.2", 1 },
		  SYSLOG_DAEMON,
		  5,
		  INT64_MAX,
		  NULL,
		  "<29>1 - - sealbridged 1 - " OWN },
		{ { "a b\nc\x7f\xc3\xa4", "1.2", 1 },
		  SYSLOG_DAEMON,
		  6,
		  AT,
		  "x y\t]\"=",
		  "<30>1 " TIME " a_b_c___ sealbridged 1 x_y_]\"= " OWN },
		{ { "m", "1.2", 1 },
		  SYSLOG_DAEMON,
		  6,
		  AT,
		  "123456789012345678901234567890123",
		  "<30>1 " TIME
		  " m sealbridged 1 12345678901234567890123456789012 " OWN },
		{ { "m", "1.2", 1 },
		  SYSLOG_DAEMON,
		  15, /* none such */
		  AT,
		  "x",
		  "<31>1 " TIME " m sealbridged 1 x " OWN },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct syslog_entry entry = {
			.facility = rows[i].facility,
			.severity = rows[i].severity,
			.at_ms = rows[i].at,
			.id = rows[i].id,
			.text = "",
		};

		check(&rows[i].from, &entry, rows[i].wanted);
	}
}

static void test_texts(void)
{
	static const struct {
		const char *text, *wanted; /* with the space */
	} rows[] = {
		{ "", "" },
		{ "ready", " ready" },
		{ "a \"b\" [c] \\d", " a \"b\" [c] \\d" },
		{ "one\ntwo\r\n<13>1 - forged", " one two  <13>1 - forged" },
		{ "tab\tbell\aescape\x1b[31m", " tab bell escape [31m" },
		{ "K\xc3\xb6ln", " " BOM "K\xc3\xb6ln" },
		{ "\xf0\x9f\x94\x91", " " BOM "\xf0\x9f\x94\x91" },
		/* No UTF-8, overlong, a surrogate, cut short: ASCII then. */
		{ "\xff\xfe", " ??" },
		{ "\xc0\xaf", " ??" },
		{ "\xed\xa0\x80", " ???" },
		{ "x\xe2\x82", " x??" },
		/* C1, line separator. */
		{ "a\xc2\x9b"
		  "b\xe2\x80\xa8"
		  "c",
		  " a b c" },
		/* Somebody's own mark stays what it is: a character. */
		{ BOM "x", " " BOM BOM "x" },
	};
	char wanted[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct syslog_entry entry = { .facility = SYSLOG_DAEMON,
						    .severity = 5,
						    .at_ms = AT,
						    .id = "app",
						    .text = rows[i].text };

		snprintf(wanted, sizeof(wanted),
			 "<29>1 %s mcu.example sealbridged 4711 app %s%s", TIME,
			 OWN, rows[i].wanted);
		check(&us, &entry, wanted);
	}
}

static void test_params(void)
{
	static const struct {
		const char *name, *value, *wanted;
	} rows[] = {
		{ "user", "admin", " user=\"admin\"" },
		{ "user", "", " user=\"\"" },
		{ "user", NULL, "" },
		{ "user", "a\"b", " user=\"a\\\"b\"" },
		{ "user", "a\\b", " user=\"a\\\\b\"" },
		{ "user", "a]b", " user=\"a\\]b\"" },
		{ "user", "\\\"]", " user=\"\\\\\\\"\\]\"" },
		{ "user", "x\"][audit@1 y=\"z",
		  " user=\"x\\\"\\][audit@1 y=\\\"z\"" },
		{ "user", "trailing\\", " user=\"trailing\\\\\"" },
		{ "user", "a\nb", " user=\"a b\"" },
		{ "user", "K\xc3\xb6ln", " user=\"K\xc3\xb6ln\"" },
		{ "user", "\xff]", " user=\"?\\]\"" },
		{ "a b=c]d\"e\n", "v", " a_b_c_d_e_=\"v\"" },
		{ "", "v", " -=\"v\"" },
		{ "n2345678901234567890123456789012345", "v",
		  " n2345678901234567890123456789012=\"v\"" },
	};
	char wanted[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct syslog_param p = { rows[i].name, rows[i].value };
		const struct syslog_element s = { "audit@" SYSLOG_ENTERPRISE,
						  &p, 1 };
		const struct syslog_entry entry = { .facility = SYSLOG_AUTHPRIV,
						    .severity = 5,
						    .at_ms = AT,
						    .id = "login",
						    .elements = &s,
						    .element_count = 1,
						    .text = "x" };

		snprintf(wanted, sizeof(wanted),
			 "<85>1 %s mcu.example sealbridged 4711 login "
			 "%s[audit@32473%s] x",
			 TIME, OWN, rows[i].wanted);
		check(&us, &entry, wanted);
	}
}

/* Ends where the text ends, between characters. */
static void check_long(const char *piece, size_t count, bool ends_whole)
{
	size_t n = strlen(piece);
	char *text = malloc(n * count + 1);
	struct syslog_entry entry = { .facility = SYSLOG_DAEMON,
				      .severity = 5,
				      .at_ms = AT,
				      .id = "app" };
	struct buf out;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	for (size_t i = 0; i < count; i++)
		memcpy(text + i * n, piece, n + 1);
	entry.text = text;
	make(&us, &entry, 1, &out);
	CU_ASSERT(out.len <= SYSLOG_MESSAGE_MAX);
	CU_ASSERT(ends_whole || out.len > SYSLOG_MESSAGE_MAX - 10);
	CU_ASSERT(utf8_count(buf_view(&out)) > 0);
	CU_ASSERT(!memcmp(out.ptr + out.len - n, piece, n));
	buf_free(&out);
	free(text);
}

static void test_cut(void)
{
	check_long("a", 8000, true);
	check_long("a", 8192, false);
	check_long("a", 100000, false);
	check_long("\xc3\xb6", 5000, false);
	check_long("\xe2\x82\xac", 5000, false);
	check_long("\xf0\x9f\x94\x91", 5000, false);
}

/* Whatever the values are, every element that was begun is ended, and the text
 * has its place. */
static void test_too_many(void)
{
	char big[3000];
	struct syslog_param params[40];
	struct syslog_element elements[12];
	struct syslog_entry entry = { .facility = SYSLOG_AUTHPRIV,
				      .severity = 5,
				      .at_ms = AT,
				      .id = "login",
				      .elements = elements,
				      .element_count = 12,
				      .text = big };
	struct buf out;
	size_t depth = 0, most = 0, elements_seen = 0;
	bool quoted = false;

	memset(big, ']', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	for (size_t i = 0; i < 40; i++)
		params[i] = (struct syslog_param){ "p", i % 2 ? big : "small" };
	for (size_t i = 0; i < 12; i++)
		elements[i] = (struct syslog_element){ "e@1", params, 40 };
	make(&us, &entry, 1, &out);
	for (const char *p = strchr((char *)out.ptr, '['); *p; p++) {
		if (quoted && *p == '\\') {
			p++;
			continue;
		}
		if (*p == '"')
			quoted = !quoted;
		if (quoted)
			continue;
		depth += *p == '[';
		elements_seen += *p == '[';
		most = depth > most ? depth : most;
		if (*p == ']' && --depth == 0 && p[1] == ' ')
			break;
	}
	CU_ASSERT_EQUAL(depth, 0);
	CU_ASSERT_EQUAL(most, 1);
	CU_ASSERT(elements_seen > 3);
	CU_ASSERT_EQUAL(out.ptr[out.len - 1], ']'); /* of the text */
	CU_ASSERT(out.len > SYSLOG_MESSAGE_MAX - 10);
	buf_free(&out);
}

static void test_sequence(void)
{
	static const struct {
		uint32_t given;
		const char *wanted;
	} rows[] = {
		{ 1, "sequenceId=\"1\"" },
		{ 2147483647, "sequenceId=\"2147483647\"" },
		{ 2147483648u, "sequenceId=\"1\"" },
	};
	const struct syslog_entry entry = {
		.facility = SYSLOG_DAEMON, .at_ms = AT, .id = "app", .text = "x"
	};
	struct buf out;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		make(&us, &entry, rows[i].given, &out);
		CU_ASSERT_PTR_NOT_NULL(strstr((char *)out.ptr, rows[i].wanted));
		buf_free(&out);
	}
}

/* What does not go in is refused whole. */
static void test_no_room(void)
{
	const struct syslog_entry entry = {
		.facility = SYSLOG_DAEMON, .at_ms = AT, .id = "app", .text = "x"
	};
	struct error e = ERROR_INIT;
	struct buf out;

	buf_init(&out, 20);
	CHECK_FAILS(syslog_message(&us, &entry, 1, &out, &e), &e, ERR_LIMIT,
		    NULL);
	CU_ASSERT_EQUAL(out.len, 0);
	buf_free(&out);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "headers", test_headers },
		{ "texts", test_texts },
		{ "structured data", test_params },
		{ "long texts are cut", test_cut },
		{ "too much structured data", test_too_many },
		{ "sequence numbers", test_sequence },
		{ "no room", test_no_room },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "syslog messages", tests, NULL, NULL);
}
