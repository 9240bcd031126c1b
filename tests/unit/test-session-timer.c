/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "sip/session_timer.h"
#include "tests/lib/unit.h"

/* Session timers: what the fields say, and what both sides make of it. */

#define START "INVITE sip:a@b SIP/2.0\r\n"

static const struct {
	const char *fields;
	bool ok;
	struct session_words words;
} read_rows[] = {
	{ "", true, { 0 } },
	{ "Session-Expires: 1800\r\n", true, { .expires = 1800 } },
	{ "x: 90;refresher=uac\r\n",
	  true,
	  { .expires = 90, .refresher = REFRESHER_UAC } },
	{ "SESSION-EXPIRES:\r\n 90 ; a=b ; Refresher = UAS;c\r\n",
	  true,
	  { .expires = 90, .refresher = REFRESHER_UAS } },
	{ "x: 90;refresher\r\n", true, { .expires = 90 } },
	{ "x: 90;refresher=them\r\n", true, { .expires = 90 } },
	{ "x: 90;\r\n", true, { .expires = 90 } },
	{ "Min-SE: 120;x=y\r\nSupported: 100rel , Timer\r\n",
	  true,
	  { .least = 120, .supported = true } },
	{ "k: timers\r\nRequire: timer\r\n", true, { .supported = true } },
	{ "k: timers, retimer\r\n", true, { 0 } },
	{ "x: 4294967295\r\n", true, { .expires = 4294967295u } },
	{ "x: 4294967296\r\n", false, { 0 } },
	{ "x: -1\r\n", false, { 0 } },
	{ "x:\r\n", false, { 0 } },
	{ "x: soon\r\n", false, { 0 } },
	{ "x: ;refresher=uac\r\n", false, { 0 } },
	{ "Min-SE: 1 2\r\n", false, { 0 } },
};

static void test_read(void)
{
	for (size_t i = 0; i < sizeof(read_rows) / sizeof(read_rows[0]); i++) {
		struct sip_refusal why = { 0 };
		struct session_words w;
		struct sip_head head;
		char in[512];

		strcpy(in, START);
		strcat(in, read_rows[i].fields);
		strcat(in, "\r\n");
		CU_ASSERT_EQUAL_FATAL(sip_head_split(view_str(in), &head, &why),
				      0);
		CU_ASSERT_EQUAL(session_words_read(&head, &w, &why),
				read_rows[i].ok ? 0 : -1);
		CU_ASSERT_EQUAL(why.status, read_rows[i].ok ? 0 : 400);
		if (!read_rows[i].ok)
			continue;
		if (w.expires != read_rows[i].words.expires ||
		    w.refresher != read_rows[i].words.refresher)
			unit_note("%s", read_rows[i].fields);
		CU_ASSERT_EQUAL(w.expires, read_rows[i].words.expires);
		CU_ASSERT_EQUAL(w.refresher, read_rows[i].words.refresher);
		CU_ASSERT_EQUAL(w.least, read_rows[i].words.least);
		CU_ASSERT_EQUAL(w.supported, read_rows[i].words.supported);
	}
}

#define UAC  .refresher = REFRESHER_UAC
#define UAS  .refresher = REFRESHER_UAS
#define KNOW .supported = true

static const struct {
	struct session_words asked;
	int rc;
	struct session_timer agreed;
} answer_rows[] = {
	{ { 0 }, 0, { 1800, true } },
	{ { KNOW }, 0, { 1800, true } },
	{ { KNOW, UAC }, 0, { 1800, false } },
	{ { KNOW, .expires = 600 }, 0, { 600, true } },
	{ { KNOW, .expires = 600, UAC }, 0, { 600, false } },
	{ { KNOW, .expires = 600, UAS }, 0, { 600, true } },
	{ { KNOW, .expires = 90, UAC }, 0, { 90, false } },
	{ { KNOW, .expires = 7200, UAC }, 0, { 1800, false } },
	{ { KNOW, .expires = 7200, .least = 3600 }, 0, { 3600, true } },
	{ { .expires = 600, UAC }, 0, { 600, true } },
	{ { KNOW, .expires = 89 }, -1, { 0, true } },
	{ { KNOW, .expires = 1, UAC }, -1, { 0, true } },
	{ { .expires = 89 }, 0, { 0, true } },
};

static void test_answer(void)
{
	for (size_t i = 0; i < sizeof(answer_rows) / sizeof(answer_rows[0]);
	     i++) {
		struct session_timer t;

		CU_ASSERT_EQUAL(session_timer_answer(&answer_rows[i].asked,
						     SESSION_SECONDS, &t),
				answer_rows[i].rc);
		if (answer_rows[i].rc < 0)
			continue;
		if (t.seconds != answer_rows[i].agreed.seconds ||
		    t.ours != answer_rows[i].agreed.ours)
			unit_note("row %zu: %u %d", i, t.seconds, t.ours);
		CU_ASSERT_EQUAL(t.seconds, answer_rows[i].agreed.seconds);
		CU_ASSERT_EQUAL(t.ours, answer_rows[i].agreed.ours);
	}
}

static const struct {
	struct session_words answered;
	struct session_timer agreed;
} accept_rows[] = {
	{ { 0 }, { 1800, true } },
	{ { .expires = 600, UAC }, { 600, true } },
	{ { .expires = 600, UAS }, { 600, false } },
	{ { .expires = 600 }, { 600, true } },
	{ { .expires = 90, UAS }, { 90, false } },
	{ { .expires = 1, UAC }, { 90, true } },
	{ { .expires = 1, UAS }, { 90, false } },
};

static void test_accept(void)
{
	for (size_t i = 0; i < sizeof(accept_rows) / sizeof(accept_rows[0]);
	     i++) {
		struct session_timer t;

		session_timer_accept(&accept_rows[i].answered, SESSION_SECONDS,
				     &t);
		CU_ASSERT_EQUAL(t.seconds, accept_rows[i].agreed.seconds);
		CU_ASSERT_EQUAL(t.ours, accept_rows[i].agreed.ours);
	}
}

static void test_times(void)
{
	static const struct {
		struct session_timer t;
		unsigned refresh, end;
	} rows[] = {
		{ { 1800, true }, 900, 1768 }, { { 1800, false }, 0, 1768 },
		{ { 90, true }, 45, 60 },      { { 96, false }, 0, 64 },
		{ { 0, true }, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CU_ASSERT_EQUAL(session_timer_refresh_at(&rows[i].t),
				rows[i].refresh);
		CU_ASSERT_EQUAL(session_timer_ends_at(&rows[i].t), rows[i].end);
	}
}

static const struct unit_test tests[] = {
	{ "fields", test_read },
	{ "answers", test_answer },
	{ "what the caller makes of them", test_accept },
	{ "times", test_times },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "session-timer", tests, NULL, NULL);
}
