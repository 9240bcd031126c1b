/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notify/syslog_entries.h"
#include "notify/syslog_queue.h"
#include "tests/lib/unit.h"

/* What waits for the server, and what goes into it. */

static struct syslog_queue q;

static uint64_t put(const char *text, size_t n)
{
	struct error e = ERROR_INIT;
	struct buf b;

	buf_init(&b, SYSLOG_QUEUE_BYTES);
	CHECK_OK(buf_add(&b, text, n, &e), &e);
	return syslog_queue_put(&q, &b);
}

static void put_some(int count)
{
	char text[16];

	for (int i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "%d,", i);
		put(text, strlen(text));
	}
}

/* What is handed out, up to the mark. */
static void hand_out(const char *wanted, uint64_t mark)
{
	struct error e = ERROR_INIT;
	struct buf out;
	uint64_t upto;

	buf_init(&out, SYSLOG_BATCH_BYTES);
	CU_ASSERT(syslog_queue_next(&q, &out, &upto, &e) >= 0);
	if (wanted)
		CU_ASSERT_STRING_EQUAL(buf_cstr(&out), wanted);
	syslog_queue_handed_out(&q, upto, mark);
	buf_free(&out);
}

static void check(size_t waiting, size_t unconfirmed, uint64_t sent,
		  uint64_t dropped)
{
	CU_ASSERT_EQUAL(syslog_queue_waiting(&q), waiting);
	CU_ASSERT_EQUAL(syslog_queue_unconfirmed(&q), unconfirmed);
	CU_ASSERT_EQUAL(q.sent, sent);
	CU_ASSERT_EQUAL(q.dropped, dropped);
}

static void test_confirmed(void)
{
	syslog_queue_init(&q);
	hand_out("", 1);
	CU_ASSERT_FALSE(syslog_queue_confirm(&q, 100));
	put_some(3);
	hand_out("0,1,2,", 10);
	hand_out("", 20);
	put_some(2);
	check(5, 3, 0, 0);
	CU_ASSERT_FALSE(syslog_queue_confirm(&q, 9));
	check(5, 3, 0, 0);
	hand_out("0,1,", 20);
	CU_ASSERT_TRUE(syslog_queue_confirm(&q, 19));
	check(2, 2, 3, 0);
	CU_ASSERT_TRUE(syslog_queue_confirm(&q, 20));
	check(0, 0, 5, 0);
	syslog_queue_free(&q);
}

static void test_again(void)
{
	syslog_queue_init(&q);
	put_some(3);
	hand_out("0,1,2,", 10);
	put_some(1);
	syslog_queue_again(&q);
	check(4, 0, 0, 0);
	/* The marks of the connection before count no more. */
	CU_ASSERT_FALSE(syslog_queue_confirm(&q, 1000));
	hand_out("0,1,2,0,", 5);
	CU_ASSERT_TRUE(syslog_queue_confirm(&q, 5));
	check(0, 0, 4, 0);
	put_some(2);
	hand_out(NULL, 10);
	put_some(1);
	syslog_queue_clear(&q);
	check(0, 0, 6, 1);
	syslog_queue_free(&q);
}

static void test_full(void)
{
	const uint64_t more = 5;
	uint64_t first;
	struct error e = ERROR_INIT;
	struct buf out;
	uint64_t upto;

	syslog_queue_init(&q);
	put_some(SYSLOG_QUEUE_FRAMES);
	check(SYSLOG_QUEUE_FRAMES, 0, 0, 0);
	put_some(5);
	check(SYSLOG_QUEUE_FRAMES, 0, 0, more);
	first = q.first;
	/* Handed out while the oldest go: what is gone is not marked. */
	buf_init(&out, SYSLOG_BATCH_BYTES);
	CU_ASSERT(syslog_queue_next(&q, &out, &upto, &e) > 10);
	CU_ASSERT(!memcmp(out.ptr, "5,6,7,", 6));
	put_some(3);
	syslog_queue_handed_out(&q, upto, 1);
	CU_ASSERT_EQUAL(q.first, first + 3);
	check(SYSLOG_QUEUE_FRAMES, (size_t)(upto - first - 3), 0, more + 3);
	/* Those on the wire have most likely arrived. */
	put_some(2);
	check(SYSLOG_QUEUE_FRAMES, (size_t)(upto - first - 5), 2, more + 3);
	syslog_queue_clear(&q);
	CU_ASSERT_EQUAL(q.bytes, 0);
	buf_free(&out);
	syslog_queue_free(&q);
}

/* Long frames fill it by their bytes; each batch has whole ones. */
static void test_bytes(void)
{
	static char longest[SYSLOG_FRAME_MAX];
	struct error e = ERROR_INIT;
	struct buf out;
	uint64_t upto;
	size_t fit = SYSLOG_QUEUE_BYTES / sizeof(longest);

	memset(longest, 'x', sizeof(longest));
	syslog_queue_init(&q);
	for (size_t i = 0; i < fit; i++)
		put(longest, sizeof(longest));
	check(fit, 0, 0, 0);
	put(longest, sizeof(longest));
	check(fit, 0, 0, 1);
	buf_init(&out, SYSLOG_BATCH_BYTES);
	CU_ASSERT_EQUAL(syslog_queue_next(&q, &out, &upto, &e), 1);
	CU_ASSERT_EQUAL(out.len, sizeof(longest));
	buf_free(&out);
	syslog_queue_free(&q);
}

/* --- entries ------------------------------------------------------------- */

static const struct syslog_origin us = { "mcu", "1", 2 };

#define HEAD " mcu sealbridged 2 "
#define OWN                                                         \
	" [meta sequenceId=\"9\"][origin software=\"sealbridged\" " \
	"swVersion=\"1\"]"

static void check_text(const struct buf *b, const char *wanted)
{
	const char *text = strchr(buf_cstr(b), ' ') + 1;

	if (strcmp(text, wanted) != 0)
		unit_note("got    %s\n# wanted %s", text, wanted);
	CU_ASSERT_STRING_EQUAL(text, wanted);
}

static void test_events(void)
{
	static const struct {
		enum log_level level;
		const char *priority;
	} rows[] = {
		{ LOG_LEVEL_ERROR, "<27>" },
		{ LOG_LEVEL_WARNING, "<28>" },
		{ LOG_LEVEL_INFO, "<29>" },
		{ LOG_LEVEL_TRACE, "<30>" },
		{ LOG_LEVEL_DETAILED_TRACE, "<31>" },
	};
	struct error e = ERROR_INIT;
	char wanted[256];
	struct buf b;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct log_event event = { 1790000000123, rows[i].level,
						 "tls", "K\xc3\xb6ln" };

		buf_init(&b, SYSLOG_FRAME_MAX);
		CHECK_OK(syslog_of_event(&us, &event, 9, &b, &e), &e);
		snprintf(wanted, sizeof(wanted),
			 "%s1 2026-09-21T14:13:20.123Z%stls%s "
			 "\xef\xbb\xbfK\xc3\xb6ln",
			 rows[i].priority, HEAD, OWN);
		check_text(&b, wanted);
		buf_free(&b);
	}
}

static void test_records(void)
{
	static const struct {
		const char *severity, *user, *via, *event, *fields, *detail;
		const char *priority, *wanted; /* behind our own elements */
	} rows[] = {
		{ "Info", "admin", "session", "settingChanged",
		  "setting=a.b\nfrom=\"1\"\nto=[2]=\\", "setting: a.b", "<85>",
		  "[audit@32473 index=\"7\" module=\"Web\" severity=\"Info\" "
		  "user=\"admin\" peer=\"192.0.2.1\" via=\"session\"]"
		  "[fields@32473 setting=\"a.b\" from=\"\\\"1\\\"\" "
		  "to=\"[2\\]=\\\\\"] A setting was changed: setting: a.b" },
		{ "Severe Warning", "", "", "rescued", "", "", "<84>",
		  "[audit@32473 index=\"7\" module=\"Web\" "
		  "severity=\"Severe Warning\" peer=\"192.0.2.1\"] The ways in "
		  "were opened again from the control socket" },
		{ "Error", "x", "", "ofTomorrow", "no sense", "d", "<83>",
		  "[audit@32473 index=\"7\" module=\"Web\" severity=\"Error\" "
		  "user=\"x\" peer=\"192.0.2.1\"][fields@32473 -=\"no sense\"] "
		  "ofTomorrow: d" },
		{ "Warning", "a\nb", "", "login", "", "", "<84>",
		  "[audit@32473 index=\"7\" module=\"Web\" "
		  "severity=\"Warning\" user=\"a b\" peer=\"192.0.2.1\"] "
		  "A user logged in" },
		{ "Status Warning", "x", "", "login", "", "", "<84>", NULL },
		{ "?", "x", "", "login", "", "", "<85>", NULL },
	};
	struct error e = ERROR_INIT;
	char wanted[1024];
	struct buf b;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct audit_record r = {
			.index = 7,
			.time = 1790000000,
			.module = "Web",
			.severity = rows[i].severity,
			.user_name = rows[i].user,
			.peer = "192.0.2.1",
			.via = rows[i].via,
			.event = rows[i].event,
			.fields = rows[i].fields,
			.detail = rows[i].detail,
		};

		buf_init(&b, SYSLOG_FRAME_MAX);
		CHECK_OK(syslog_of_record(&us, &r, 9, &b, &e), &e);
		snprintf(wanted, sizeof(wanted),
			 "%s1 2026-09-21T14:13:20.000Z%s%s%s%s",
			 rows[i].priority, HEAD, rows[i].event, OWN,
			 rows[i].wanted ? rows[i].wanted : "");
		if (rows[i].wanted)
			check_text(&b, wanted);
		CU_ASSERT(
		    !strncmp(strchr(buf_cstr(&b), '<'), rows[i].priority, 4));
		buf_free(&b);
	}
}

/* As many fields, as long as they may be, and more. */
static void test_many_fields(void)
{
	static char lines[20000];
	struct audit_record r = { .module = "Web",
				  .severity = "Info",
				  .user_name = "",
				  .peer = "",
				  .via = "",
				  .event = "login",
				  .fields = lines,
				  .detail = "" };
	struct error e = ERROR_INIT;
	struct buf b;

	for (int i = 0; i < 40; i++)
		sprintf(lines + strlen(lines), "%sname%d=%0400d", i ? "\n" : "",
			i, 0);
	buf_init(&b, SYSLOG_FRAME_MAX);
	CHECK_OK(syslog_of_record(&us, &r, 1, &b, &e), &e);
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_cstr(&b), " name0=\"000"));
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_cstr(&b), "0\"] A user logged in"));
	buf_free(&b);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "confirmed frames go", test_confirmed },
		{ "others come again", test_again },
		{ "a full queue drops the oldest", test_full },
		{ "long frames", test_bytes },
		{ "events", test_events },
		{ "audit records", test_records },
		{ "records with many fields", test_many_fields },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "syslog queue", tests, NULL, NULL);
}
