/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "app/journal_fields.h"
#include "tests/lib/unit.h"

/* The fields as they would be sent, one a line. Line ends inside of one would
 * show as lines too many. */
static const char *joined(const struct journal_entry *entry)
{
	static char text[JOURNAL_BYTES_MAX + JOURNAL_FIELDS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < entry->count; i++) {
		memcpy(text + n, entry->fields[i].iov_base,
		       entry->fields[i].iov_len);
		n += entry->fields[i].iov_len;
		text[n++] = '\n';
	}
	text[n] = '\0';
	return text;
}

static void test_events(void)
{
	static const struct {
		enum log_level level;
		const char *group, *text, *fields;
	} rows[] = {
		{ LOG_LEVEL_INFO, "app", "ready",
		  "MESSAGE=app: ready\nPRIORITY=5\n"
		  "SYSLOG_IDENTIFIER=sealbridged\nSEALBRIDGE_GROUP=app\n"
		  "SEALBRIDGE_LEVEL=info\n" },
		{ LOG_LEVEL_DETAILED_TRACE, "tls", "a=b",
		  "MESSAGE=tls: a=b\nPRIORITY=7\n"
		  "SYSLOG_IDENTIFIER=sealbridged\nSEALBRIDGE_GROUP=tls\n"
		  "SEALBRIDGE_LEVEL=detailedTrace\n" },
		{ LOG_LEVEL_ERROR, "web", "x\nPRIORITY=0\n_UID=0",
		  "MESSAGE=web: x PRIORITY=0 _UID=0\nPRIORITY=3\n"
		  "SYSLOG_IDENTIFIER=sealbridged\nSEALBRIDGE_GROUP=web\n"
		  "SEALBRIDGE_LEVEL=error\n" },
	};
	struct journal_entry entry;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct log_event event = { 0, rows[i].level,
						 rows[i].group, rows[i].text };

		journal_of_event(&entry, &event);
		CU_ASSERT_STRING_EQUAL(joined(&entry), rows[i].fields);
	}
}

static struct audit_record record(const char *severity, const char *user,
				  const char *fields)
{
	return (struct audit_record){ .index = 7,
				      .module = "",
				      .severity = severity,
				      .user_name = user,
				      .peer = "",
				      .via = "",
				      .event = "login",
				      .fields = fields,
				      .detail = "" };
}

static void test_records(void)
{
	const struct audit_record full = {
		.index = 7,
		.module = "Web",
		.severity = "Severe Warning",
		.user_name = "admin",
		.peer = "192.0.2.1",
		.via = "password",
		.event = "loginFailed",
		.fields = "reason=wrong = so\nserialNumber=01\n",
		.detail = "reason: wrong = so; serialNumber: 01",
	};
	const struct {
		struct audit_record record;
		const char *fields;
	} rows[] = {
		{ record("Info", "", ""),
		  "MESSAGE=login\nPRIORITY=5\nSYSLOG_IDENTIFIER=sealbridged\n"
		  "MESSAGE_ID=" JOURNAL_AUDIT_ID
		  "\nSEALBRIDGE_EVENT=login\nSEALBRIDGE_INDEX=7\n"
		  "SEALBRIDGE_SEVERITY=Info\n" },
		{ full,
		  "MESSAGE=loginFailed: reason: wrong = so; serialNumber: 01\n"
		  "PRIORITY=4\nSYSLOG_IDENTIFIER=sealbridged\n"
		  "MESSAGE_ID=" JOURNAL_AUDIT_ID
		  "\nSEALBRIDGE_EVENT=loginFailed\nSEALBRIDGE_INDEX=7\n"
		  "SEALBRIDGE_MODULE=Web\n"
		  "SEALBRIDGE_SEVERITY=Severe Warning\n"
		  "SEALBRIDGE_USER=admin\nSEALBRIDGE_PEER=192.0.2.1\n"
		  "SEALBRIDGE_VIA=password\n"
		  "SEALBRIDGE_FIELD_REASON=wrong = so\n"
		  "SEALBRIDGE_FIELD_SERIAL_NUMBER=01\n" },
		/* Names and texts that nobody should have written. */
		{ record("Error", "eve\n_UID=0\nPRIORITY=7",
			 "a b\xc3\xbc"
			 "9=x\x01y\xff"),
		  "MESSAGE=login\nPRIORITY=3\nSYSLOG_IDENTIFIER=sealbridged\n"
		  "MESSAGE_ID=" JOURNAL_AUDIT_ID
		  "\nSEALBRIDGE_EVENT=login\nSEALBRIDGE_INDEX=7\n"
		  "SEALBRIDGE_SEVERITY=Error\n"
		  "SEALBRIDGE_USER=eve _UID=0 PRIORITY=7\n"
		  "SEALBRIDGE_FIELD_A_B__9=x y?\n" },
	};
	struct journal_entry entry;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		journal_of_record(&entry, &rows[i].record);
		if (strcmp(joined(&entry), rows[i].fields) != 0)
			unit_note("row %zu: %s", i, joined(&entry));
		CU_ASSERT_STRING_EQUAL(joined(&entry), rows[i].fields);
	}
}

/* More and longer ones than there is room for. */
static void test_limits(void)
{
	static char lines[64 * 1024], name[200];
	const struct audit_record long_one = record("Info", "", lines);
	struct journal_entry entry;
	size_t n = 0;

	memset(name, 'n', sizeof(name) - 1);
	for (int i = 0; i < 100; i++)
		n += (size_t)snprintf(lines + n, sizeof(lines) - n,
				      "%s%d=%0400d\n", name, i, i);
	journal_of_record(&entry, &long_one);
	CU_ASSERT(entry.count <= JOURNAL_FIELDS_MAX);
	CU_ASSERT(entry.count > 12);
	for (size_t i = 0; i < entry.count; i++) {
		const char *at = entry.fields[i].iov_base;

		CU_ASSERT(at >= entry.bytes);
		CU_ASSERT(at + entry.fields[i].iov_len <=
			  entry.bytes + sizeof(entry.bytes));
		CU_ASSERT((size_t)(strchr(at, '=') - at) <= 64);
	}
}

static void test_stream(void)
{
	static const struct {
		const char *stream;
		bool is;
	} rows[] = {
		{ "8:4711", true },
		{ NULL, false },
		{ "", false },
		{ ":", false },
		{ "8:", false },
		{ ":4711", false },
		{ "8:4712", false },
		{ "9:4711", false },
		{ "8:4711 ", false },
		{ " 8:4711", false },
		{ "8:-4711", false },
		{ "+8:4711", false },
		{ "8:4711:1", false },
		{ "8 4711", false },
		{ "8:99999999999999999999999", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT_EQUAL(journal_stream_is(rows[i].stream, 8, 4711),
				rows[i].is);
}

static const struct unit_test tests[] = {
	{ "events", test_events },
	{ "records", test_records },
	{ "limits", test_limits },
	{ "is it the journal", test_stream },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "journal", tests, NULL, NULL);
}
