/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/audit_xml.h"
#include "audit/audit_record.h"
#include "tests/lib/unit.h"

/* The exported audit trail as XML: written, read again, and everything that
 * strangers could give to the reader. */

enum { DOCUMENT_MAX = 16 * 1024 * 1024 };

static const struct audit_document document = {
	.host_name = "bridge \"one\" <&>",
	.exported = 1795318691,
	.first = 1,
	.last = 3,
	.has_key = true,
	.key_id = { 0xab, 1 },
	.public_key =
	    "-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n",
};

static const uint8_t hash[SHA256_SIZE] = { 0xfe, 0xdc };

#define RECORD(number, form, f, d)                                         \
	{                                                                  \
		.index = number, .time = 1795318000 + (number) % 1000,     \
		.module = "Web", .severity = "Info", .user_name = "alice", \
		.peer = "192.0.2.5", .via = "password",                    \
		.event = "keyGenerated", .fields = f, .detail = d,         \
		.format = form, .hash = hash                               \
	}

static const struct audit_record records[] = {
	RECORD(1, 1, "", "<b>&amp;</b> \"'> \xe2\x82\xac ]]>"),
	RECORD(2, 2, "from=a=b\nto=<c> & d", "from: a=b; to: <c> & d"),
	RECORD(3, 2, "", ""),
};

static const struct audit_head head = {
	.counter = 7,
	.record = 3,
	.hash = { 1, 2, 3 },
	.first = 1,
	.at = 1795318690,
	.signature = { 0x30, 0x06, 2, 1, 1, 2, 1, 1 },
	.signature_len = 8,
};

/* The document with those records and one head behind them. */
static void write_document(struct buf *out)
{
	struct error e = ERROR_INIT;

	buf_init(out, DOCUMENT_MAX);
	CHECK_OK(audit_xml_begin(out, &document, &e), &e);
	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++)
		CHECK_OK(audit_xml_record(out, &records[i], &e), &e);
	CHECK_OK(audit_xml_head(out, &head, &e), &e);
	CHECK_OK(audit_xml_end(out, &e), &e);
}

struct seen {
	size_t documents, records, heads, damaged;
	uint64_t index;
	char host_name[300], detail[3][AUDIT_RECORD_BYTES_MAX + 1];
	struct audit_head head;
	bool refuse;
};

static int on_document(void *arg, const struct audit_document *d,
		       struct error *e)
{
	struct seen *s = arg;

	(void)e;
	s->documents++;
	snprintf(s->host_name, sizeof(s->host_name), "%s", d->host_name);
	return 0;
}

static int on_record(void *arg, const struct audit_row *r, struct error *e)
{
	struct seen *s = arg;

	if (s->refuse)
		return error_set(e, ERR_CONFLICT, "enough");
	s->index = r->number;
	s->damaged += r->damaged;
	if (s->records < 3)
		snprintf(s->detail[s->records], sizeof(s->detail[0]), "%s",
			 r->detail);
	s->records++;
	return 0;
}

static int on_head(void *arg, const struct audit_head *h, struct error *e)
{
	struct seen *s = arg;

	(void)e;
	s->heads++;
	s->head = *h;
	return 0;
}

static int read_text(struct view text, struct seen *s, struct error *e)
{
	const struct audit_xml_events events = { on_document, on_record,
						 on_head, s };
	FILE *in = fmemopen((void *)(uintptr_t)text.ptr, text.len, "r");
	int rc;

	CU_ASSERT_PTR_NOT_NULL_FATAL(in);
	rc = audit_xml_read(in, &events, e);
	fclose(in);
	return rc;
}

static void test_round_trip(void)
{
	struct error e = ERROR_INIT;
	struct seen s = { 0 };
	struct buf text;

	write_document(&text);
	CHECK_OK(read_text(buf_view(&text), &s, &e), &e);
	CU_ASSERT(s.documents == 1 && s.records == 3 && s.heads == 1);
	CU_ASSERT_EQUAL(s.damaged, 0);
	CU_ASSERT_STRING_EQUAL(s.host_name, document.host_name);
	CU_ASSERT_STRING_EQUAL(s.detail[0], records[0].detail);
	CU_ASSERT_STRING_EQUAL(s.detail[1], records[1].fields);
	CU_ASSERT_STRING_EQUAL(s.detail[2], "");
	CU_ASSERT_EQUAL(s.head.counter, head.counter);
	CU_ASSERT_EQUAL(s.head.record, head.record);
	CU_ASSERT_EQUAL(s.head.at, head.at);
	CU_ASSERT_EQUAL(s.head.signature_len, head.signature_len);
	CU_ASSERT(memcmp(s.head.signature, head.signature, 8) == 0);
	CU_ASSERT(memcmp(s.head.hash, head.hash, SHA256_SIZE) == 0);
	buf_free(&text);
}

/* What was written into the database by others: it can be exported, and never
 * reads as what it was. */
static void test_hostile_records(void)
{
	static const struct {
		const char *fields;
		const char *read;
		bool damaged;
	} rows[] = {
		{ "a=x\x01y", "a=x\xef\xbf\xbdy", false },
		{ "a=\xff", "a=\xef\xbf\xbd", false },
		{ "a=\xef\xbf\xbe", "a=\xef\xbf\xbd", false },
		{ "no name", "=no name", false },
		{ "a=1\n\nb=2", NULL, false },
		{ "<x>=1", "<x>=1", false },
		{ "a=\r", "a=\r", true },
		{ "a=\t", "a=\t", true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct audit_record r = RECORD(9, 2, rows[i].fields, "");
		struct error e = ERROR_INIT;
		struct seen s = { 0 };
		struct buf text;

		buf_init(&text, DOCUMENT_MAX);
		CHECK_OK(audit_xml_begin(&text, &document, &e), &e);
		CHECK_OK(audit_xml_record(&text, &r, &e), &e);
		CHECK_OK(audit_xml_end(&text, &e), &e);
		CHECK_OK(read_text(buf_view(&text), &s, &e), &e);
		CU_ASSERT_EQUAL(s.records, 1);
		CU_ASSERT_EQUAL(s.damaged, rows[i].damaged);
		if (rows[i].read)
			CU_ASSERT_STRING_EQUAL(s.detail[0], rows[i].read);
		buf_free(&text);
	}
}

/* Longer than any record: the document stays readable, the record is wrong. */
static void test_long_record(void)
{
	static char longer[3 * AUDIT_RECORD_BYTES_MAX];
	struct audit_record r = RECORD(INT64_MAX, 1, "", longer);
	struct error e = ERROR_INIT;
	struct seen s = { 0 };
	struct buf text;

	memset(longer, '&', sizeof(longer) - 1);
	r.time = INT64_MAX;
	r.user_name = r.module = longer;
	buf_init(&text, DOCUMENT_MAX);
	CHECK_OK(audit_xml_begin(&text, &document, &e), &e);
	CHECK_OK(audit_xml_record(&text, &r, &e), &e);
	CHECK_OK(audit_xml_end(&text, &e), &e);
	CHECK_OK(read_text(buf_view(&text), &s, &e), &e);
	CU_ASSERT_EQUAL(s.index, INT64_MAX);
	buf_free(&text);
}

/* out: the good document with the first `old` in it replaced. */
static void replace(struct buf *out, const char *old, const char *new)
{
	struct error e = ERROR_INIT;
	struct buf text;
	const char *at;

	write_document(&text);
	at = strstr(buf_cstr(&text), old);
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	buf_init(out, DOCUMENT_MAX);
	CHECK_OK(buf_add(out, text.ptr, (size_t)(at - buf_cstr(&text)), &e),
		 &e);
	CHECK_OK(buf_adds(out, new, &e), &e);
	CHECK_OK(buf_adds(out, at + strlen(old), &e), &e);
	buf_free(&text);
}

static void check_refused(struct view text, enum error_kind kind,
			  const char *words)
{
	struct error e = ERROR_INIT;
	struct seen s = { 0 };

	CU_ASSERT(read_text(text, &s, &e) < 0);
	if (e.kind != kind || !strstr(e.text, words)) {
		unit_note("%s: \"%s\", wanted \"%s\"", error_kind_name(e.kind),
			  e.text, words);
		CU_FAIL("error");
	}
}

static const struct {
	const char *old, *new;
	enum error_kind kind;
	const char *words;
} refused_rows[] = {
	/* attributes */
	{ " index=\"2\"", "", ERR_INPUT, "attribute index is missing" },
	{ " index=\"2\"", " index=\"2\" index=\"2\"", ERR_INPUT, "line 8" },
	{ " index=\"2\"", " index=\"2\" colour=\"red\"", ERR_INPUT,
	  "no attribute colour" },
	{ " index=\"2\"", " index=\"2\" xml:index=\"2\"", ERR_INPUT,
	  "no attribute xml:index" },
	{ " index=\"2\"", " index=\"-2\"", ERR_INPUT, "index is no" },
	{ " index=\"2\"", " index=\"\"", ERR_INPUT, "index is no" },
	{ " index=\"2\"", " index=\"0x2\"", ERR_INPUT, "index is no" },
	{ " index=\"2\"", " index=\"9223372036854775808\"", ERR_INPUT,
	  "too great" },
	{ " index=\"2\"", " index=\"22222222222222222222\"", ERR_INPUT,
	  "index is no" },
	{ "Z\" format", "\" format", ERR_INPUT, "time is no time" },
	{ "Z\" format", "Z \" format", ERR_INPUT, "time is no time" },
	{ "time=\"2026-11", "time=\"2026-02", ERR_NONE, "" },
	{ "time=\"2026-11", "time=\"2026-13", ERR_INPUT, "time is no time" },
	{ "time=\"2026-", "time=\"02026-", ERR_INPUT, "time is no time" },
	{ "hash=\"fe", "hash=\"zz", ERR_INPUT, "hash is not hex" },
	{ "hash=\"fe", "hash=\"f", ERR_INPUT, "hash has not" },
	{ "anchor=\"00", "anchor=\"", ERR_INPUT, "anchor has not" },
	{ "keyId=\"ab01", "keyId=\"xx01", ERR_INPUT, "keyId" },
	{ "keyId=\"ab01", "keyId=\"ab0", ERR_INPUT, "keyId" },
	{ "signature=\"", "signature=\"*", ERR_INPUT,
	  "signature is not base64" },
	{ "signature=\"", "signature=\"AAAA", ERR_NONE, "" },
	{ " counter=\"7\"", "", ERR_INPUT, "counter is missing" },
	{ "version=\"1\"", "version=\"2\"", ERR_UNSUPPORTED, "version 2" },
	{ "product=\"Sealbridge\"", "product=\"Other\"", ERR_INPUT, "product" },
	{ "<module>", "<module a=\"b\">", ERR_INPUT, "no attribute a" },
	{ "<field name=\"from\">", "<field>", ERR_INPUT,
	  "record 2: field: attribute name is missing" },
	/* elements */
	{ "<auditLog", "<log", ERR_INPUT, "unexpected element log" },
	{ "<publicKey>", "<publicKey><b/>", ERR_INPUT, "unexpected element b" },
	{ "</publicKey>\n", "</publicKey><publicKey/>", ERR_INPUT,
	  "second publicKey" },
	{ "</publicKey>\n", "</publicKey><record/>", ERR_INPUT,
	  "index is missing" },
	{ "<severity>Info</severity>", "", ERR_INPUT,
	  "line 7, record 1: userName: userName where severity" },
	{ "<severity>", "<severity>x</severity><severity>", ERR_INPUT,
	  "severity where userName" },
	{ "<via>password</via>", "<via><b>password</b></via>", ERR_INPUT,
	  "unexpected element b" },
	{ "</event>", "</event><detail/>", ERR_INPUT,
	  "detail where the end of the record" },
	{ "</event><field", "</event><detail/><field", ERR_INPUT,
	  "detail where a field" },
	{ "<detail>", "<field name=\"a\"/><detail>", ERR_INPUT,
	  "field where detail" },
	{ "</event></record>", "</event></record><record>", ERR_INPUT,
	  "index is missing" },
	{ "<event>keyGenerated</event></record>", "</record>", ERR_INPUT,
	  "record 3: event is missing" },
	{ "<record", "x<record", ERR_INPUT, "text where none" },
	{ "<module>", "x<module>", ERR_INPUT, "text where none" },
	{ "<module>", "<m:module>", ERR_INPUT, "module" },
	{ "<record", "<record xmlns=\"a\"", ERR_INPUT, "record" },
	{ "<head", "<head><record/>", ERR_INPUT, "line 10" },
	{ "</auditLog>", "</auditLog><auditLog/>", ERR_INPUT, "" },
	{ "</auditLog>", "</auditLog>x", ERR_INPUT, "" },
	{ "</auditLog>", "", ERR_INPUT, "" },
	/* what XML has and this document has not */
	{ "<auditLog", "<!DOCTYPE auditLog><auditLog", ERR_INPUT, "DOCTYPE" },
	{ "<auditLog",
	  "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]>"
	  "<auditLog",
	  ERR_INPUT, "line 2: \"<!\"" },
	{ "<auditLog", "<!-- --><auditLog", ERR_INPUT, "comment" },
	{ "<module>", "<module><![CDATA[x]]>", ERR_INPUT, "CDATA" },
	{ "<record", "<?php?><record", ERR_INPUT, "processing" },
	{ "Web", "&nbsp;", ERR_INPUT, "" },
	{ "Web", "&xxe;", ERR_INPUT, "" },
	{ "Web", "&#0;", ERR_INPUT, "" },
	{ "Web", "&#xFFFE;", ERR_INPUT, "" },
	{ "Web", "\x01", ERR_INPUT, "" },
	{ "Web", "\xff", ERR_INPUT, "" },
	{ "Web", "\xc0\x80", ERR_INPUT, "" },
	{ "encoding=\"UTF-8\"", "encoding=\"UTF-16\"", ERR_NONE, "" },
	{ "<?xml", "\n<?xml", ERR_INPUT, "not an XML document" },
	{ "<?xml", "\xef\xbb\xbf<?xml", ERR_INPUT, "not an XML" },
};

static void test_refused(void)
{
	for (size_t i = 0; i < sizeof(refused_rows) / sizeof(*refused_rows);
	     i++) {
		struct error e = ERROR_INIT;
		struct seen s = { 0 };
		struct buf text;

		replace(&text, refused_rows[i].old, refused_rows[i].new);
		if (refused_rows[i].kind == ERR_NONE)
			CHECK_OK(read_text(buf_view(&text), &s, &e), &e);
		else
			check_refused(buf_view(&text), refused_rows[i].kind,
				      refused_rows[i].words);
		buf_free(&text);
	}
}

/* `old` of the good document replaced by so many bytes that say nothing. */
static void check_flood(const char *old, const char *begin, const char *unit,
			size_t count, enum error_kind kind, const char *words)
{
	struct error e = ERROR_INIT;
	struct buf flood, text;

	buf_init(&flood, DOCUMENT_MAX);
	CHECK_OK(buf_adds(&flood, begin, &e), &e);
	for (size_t i = 0; i < count; i++)
		CHECK_OK(buf_adds(&flood, unit, &e), &e);
	replace(&text, old, buf_cstr(&flood));
	check_refused(buf_view(&text), kind, words);
	buf_free(&flood);
	buf_free(&text);
}

static void test_floods(void)
{
	check_flood("Web", "", "x", AUDIT_XML_SPAN_MAX, ERR_LIMIT, "bytes");
	check_flood("<module>", "<module", " a='>'", 200000, ERR_LIMIT,
		    "bytes");
	check_flood("<module>", "", "<a>", 500000, ERR_INPUT, "line 7");
	check_flood("</auditLog>", "", "\n", 300000, ERR_LIMIT, "bytes");
	check_flood("-----BEGIN", "", "A", AUDIT_XML_KEY_MAX + 1, ERR_LIMIT,
		    "line 6");
	check_flood("<field", "", "<field name=\"a\"></field>",
		    AUDIT_XML_FIELDS_MAX + 1, ERR_LIMIT, "fields");
	check_flood("hostName=\"", "hostName=\"", "x", AUDIT_XML_HOST_MAX + 1,
		    ERR_INPUT, "hostName is too long");
	check_flood("name=\"from", "name=\"", "x", AUDIT_XML_HOST_MAX + 1,
		    ERR_INPUT, "name is too long");
	check_flood("signature=\"", "signature=\"", "AAAA", 1000, ERR_INPUT,
		    "signature is too long");
}

/* Cut anywhere, or one byte changed: never more than an error. */
static void test_broken_anywhere(void)
{
	static const char bytes[] = { '<', '>', '"', '&', ' ', '\0', '\xff' };
	struct error e = ERROR_INIT;
	struct seen s = { 0 };
	struct buf text;

	write_document(&text);
	for (size_t n = 1; n < text.len - 1; n++)
		check_refused(view_of(text.ptr, n), ERR_INPUT, "");
	for (size_t n = 0; n < text.len; n++)
		for (size_t k = 0; k < sizeof(bytes); k++) {
			uint8_t before = text.ptr[n];

			text.ptr[n] = (uint8_t)bytes[k];
			memset(&s, 0, sizeof(s));
			error_clear(&e);
			if (read_text(buf_view(&text), &s, &e) < 0)
				CU_ASSERT_NOT_EQUAL(e.kind, ERR_NONE);
			text.ptr[n] = before;
		}
	buf_free(&text);
}

/* A callback's error ends the reading and is what comes back. */
static void test_callback(void)
{
	struct seen s = { .refuse = true };
	struct error e = ERROR_INIT;
	struct buf text;

	write_document(&text);
	CU_ASSERT(read_text(buf_view(&text), &s, &e) < 0);
	CU_ASSERT_EQUAL(e.kind, ERR_CONFLICT);
	CU_ASSERT_STRING_EQUAL(e.text, "enough");
	CU_ASSERT_EQUAL(s.heads, 0);
	buf_free(&text);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "round trip", test_round_trip },
		{ "hostile records", test_hostile_records },
		{ "a long record", test_long_record },
		{ "refused", test_refused },
		{ "floods", test_floods },
		{ "broken anywhere", test_broken_anywhere },
		{ "callback", test_callback },
		{ 0 },
	};

	return unit_main(argc, argv, "audit trail as XML", tests, NULL, NULL);
}
