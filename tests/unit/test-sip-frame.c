/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip/sip_frame.h"
#include "tests/lib/unit.h"

/* Framing of SIP over streams: the same steps whether the bytes come at once
 * or one by one. */

enum { STORY_MAX = 256 };

#define START "OPTIONS sip:a@b SIP/2.0\r\n"
#define VIA   "Via: SIP/2.0/TLS h;branch=z9hG4bK1\r\n"

struct row {
	const char *in;
	/* ping, blank, message:bytes or refused:status for each step, and +n
	 * for n bytes that no step took */
	const char *story;
	const char *why; /* of a refusal: a word of it */
};

static const struct row rows[] = {
	/* Messages. */
	{ START VIA "Content-Length: 0\r\n\r\n", "message:82 +0", NULL },
	{ START "Content-Length: 3\r\n\r\nabc", "message:49 +0", NULL },
	{ START "Content-Length: 3\r\n\r\nabcOPT", "message:49 +3", NULL },
	{ START "l: 2\r\n\r\nab" START "L:1\r\n\r\nc",
	  "message:35 message:33 +0", NULL },
	{ START "content-LENGTH \t:\t 2 \r\n\r\nab", "message:52 +0", NULL },
	{ START "Content-Length:\r\n 2\r\n\r\nab", "message:50 +0", NULL },
	{ START "Content-Length:\r\n\t\r\n 2\r\n\r\nab", "message:53 +0",
	  NULL },
	{ START "Content-Length: 0000002\r\n\r\nab", "message:54 +0", NULL },
	{ "SIP/2.0 200 OK\r\nl:0\r\n\r\n", "message:23 +0", NULL },
	/* The name within another field is no field. */
	{ START "Subject: a\r\n Content-Length: 9\r\nl: 1\r\n\r\nx",
	  "message:66 +0", NULL },
	{ START "X-Content-Length: 9\r\nl: 1\r\n\r\nx", "message:55 +0", NULL },
	{ START "no colon\r\nl: 1\r\n\r\nx", "message:44 +0", NULL },
	/* An empty line in a body ends nothing. */
	{ START "l: 6\r\n\r\n\r\n\r\nxy", "message:39 +0", NULL },

	/* Keep-alives and blank lines (RFC 5626 4.4.1, RFC 3261 7.5). */
	{ "\r\n\r\n", "ping +0", NULL },
	{ "\r\n\r\n\r\n\r\n", "ping ping +0", NULL },
	{ "\r\n" START "l: 0\r\n\r\n", "blank message:33 +0", NULL },
	{ "\r\n\r\n\r\n" START "l: 0\r\n\r\n", "ping blank message:33 +0",
	  NULL },
	{ START "l: 0\r\n\r\n\r\n\r\n", "message:33 ping +0", NULL },

	/* Not complete. */
	{ "", "+0", NULL },
	{ "\r", "+1", NULL },
	{ "\r\n", "+2", NULL },
	{ "\r\n\r", "+3", NULL },
	{ START "l: 0\r\n\r", "+32", NULL },
	{ START "l: 3\r\n\r\nab", "+35", NULL },

	/* Refused. */
	{ START VIA "\r\n", "refused:400 +63", "no Content-Length" },
	{ START "l:\r\n\r\n", "refused:400 +31", "not a number" },
	{ START "l: -1\r\n\r\n", "refused:400 +34", "not a number" },
	{ START "l: +1\r\n\r\nx", "refused:400 +35", "not a number" },
	{ START "l: 0x1\r\n\r\nx", "refused:400 +36", "not a number" },
	{ START "l: 1 1\r\n\r\nx", "refused:400 +36", "not a number" },
	{ START "l: 1, 1\r\n\r\nx", "refused:400 +37", "not a number" },
	{ START "l: 1;a\r\n\r\nx", "refused:400 +36", "not a number" },
	{ START "l: 1\r\nContent-Length: 1\r\n\r\nx", "refused:400 +53",
	  "more than one" },
	{ START "l: 1\r\nl: 2\r\n\r\nx", "refused:400 +40", "more than one" },
	{ START "l: 65537\r\n\r\n", "refused:513 +37", "body" },
	{ START "l: 4294967297\r\n\r\nx", "refused:513 +43", "body" },
	{ START "l: 99999999999999999999\r\n\r\n", "refused:513 +52", "body" },
	{ "\rX", "refused:400 +2", "CR without LF" },
	{ "\r\n\rX", "blank refused:400 +2", "CR without LF" },
	{ START "A: b\rc\r\nl: 0\r\n\r\n", "refused:400 +41", "CR without LF" },
	{ START "A: b\nl: 0\r\n\r\n", "refused:400 +38", "LF without CR" },
	{ "GET / HTTP/1.1\r\nl: 0\r\n\r\n", "refused:400 +24", "not SIP" },
	{ "POST /x HTTP/1.1\r\nX: SIP/2.0\r\nl: 1\r\n\r\nx", "refused:400 +39",
	  "not SIP" },
	{ "OPTIONS sip:a@b\r\nl: 0\r\n\r\n", "refused:400 +25", "not SIP" },
	{ "OPTIONS sip:a@b sip/2.0\r\nl: 0\r\n\r\n", "message:33 +0", NULL },
	{ START "A: b\n\nl: 0\r\n\r\n", "refused:400 +39", "LF without CR" },
};

/* Follows the stream as a transport does; at most given bytes are there. */
struct reader {
	struct view in;
	struct sip_framer framer;
	size_t at;
	char story[STORY_MAX];
	const char *why;
	bool refused;
};

static void tell(struct reader *r, const char *step, size_t number)
{
	size_t n = strlen(r->story);

	snprintf(r->story + n, sizeof(r->story) - n,
		 number == SIZE_MAX ? "%s " : "%s:%zu ", step, number);
}

static void read_steps(struct reader *r, size_t given)
{
	struct sip_frame f;

	while (!r->refused) {
		struct view left = view_of(r->in.ptr + r->at, given - r->at);

		switch (sip_framer_next(&r->framer, left, &f)) {
		case SIP_FRAME_MORE: CU_ASSERT_EQUAL(f.length, 0); return;
		case SIP_FRAME_MESSAGE: tell(r, "message", f.length); break;
		case SIP_FRAME_PING: tell(r, "ping", SIZE_MAX); break;
		case SIP_FRAME_BLANK: tell(r, "blank", SIZE_MAX); break;
		case SIP_FRAME_REFUSED:
			tell(r, "refused", f.status);
			r->why = f.why;
			r->refused = true;
			CU_ASSERT_EQUAL(f.length, 0);
			break;
		}
		CU_ASSERT_FATAL(f.length <= left.len);
		CU_ASSERT_FATAL(r->refused || f.length > 0);
		r->at += f.length;
	}
}

/* In pieces of that many bytes, each handed over in memory of its own length,
 * so that the sanitizer sees every byte too far. */
static void follow(struct reader *r, struct view in, size_t piece)
{
	size_t given = 0;

	memset(r, 0, sizeof(*r));
	while (given < in.len && !r->refused) {
		uint8_t *copy;

		given = in.len - given < piece ? in.len : given + piece;
		copy = malloc(given);
		CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
		memcpy(copy, in.ptr, given);
		r->in = view_of(copy, given);
		read_steps(r, given);
		free(copy);
	}
}

static void check_row(const struct row *row, size_t piece)
{
	struct view in = view_str(row->in);
	char rest[32];
	struct reader r;

	follow(&r, in, piece);
	snprintf(rest, sizeof(rest), "+%zu", in.len - r.at);
	if (strlen(r.story) + strlen(rest) < sizeof(r.story))
		strcat(r.story, rest);
	if (strcmp(r.story, row->story) != 0)
		unit_note("%s: pieces of %zu: \"%s\", not \"%s\"", row->in,
			  piece, r.story, row->story);
	CU_ASSERT_STRING_EQUAL(r.story, row->story);
	CU_ASSERT_EQUAL(r.why != NULL, row->why != NULL);
	if (r.why && row->why)
		CU_ASSERT_PTR_NOT_NULL(strstr(r.why, row->why));
}

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_row(&rows[i], SIZE_MAX / 2);
		check_row(&rows[i], 1);
		check_row(&rows[i], 7);
	}
}

static void test_nul(void)
{
	static const char in[] = START "A: \0b\r\nl: 0\r\n\r\n";
	struct reader r;

	follow(&r, view_of(in, sizeof(in) - 1), SIZE_MAX / 2);
	CU_ASSERT_STRING_EQUAL(r.story, "refused:400 ");
	CU_ASSERT_STRING_EQUAL(r.why, "NUL in the head");
}

/* A head that fits to the byte, one that does not, and one without end. */
static void test_big_heads(void)
{
	static const char tail[] = "\r\nl: 0\r\n\r\n";
	static const struct {
		size_t length;
		bool ends;
		const char *story;
	} sizes[] = {
		{ SIP_HEAD_MAX, true, "message:16384 " },
		{ SIP_HEAD_MAX + 1, true, "refused:513 " },
		{ SIP_HEAD_MAX, false, "" },
		{ SIP_HEAD_MAX + 1, false, "refused:513 " },
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t n = sizes[i].length;
		char *in = malloc(n);
		struct reader r;

		CU_ASSERT_PTR_NOT_NULL_FATAL(in);
		memset(in, 'x', n);
		memcpy(in, START "A: ", strlen(START "A: "));
		if (sizes[i].ends)
			memcpy(in + n - strlen(tail), tail, strlen(tail));
		follow(&r, view_of(in, n), 4096);
		CU_ASSERT_STRING_EQUAL(r.story, sizes[i].story);
		free(in);
	}
}

static void test_biggest_body(void)
{
	static const char head[] = START "l: 65536\r\n\r\n";
	size_t n = strlen(head) + SIP_BODY_MAX;
	char *in = malloc(n);
	struct reader r;

	CU_ASSERT_PTR_NOT_NULL_FATAL(in);
	memset(in, '\r', n);
	memcpy(in, head, strlen(head));
	follow(&r, view_of(in, n), 10000);
	CU_ASSERT_STRING_EQUAL(r.story, "message:65573 ");
	free(in);
}

/* Whatever comes, steps go on, and the same in one piece as byte by byte. */
static void test_mutated(void)
{
	static const char base[] =
	    "\r\n" START VIA "Content-Length: 4\r\n\r\nab"
	    "cd\r\n\r\n" START "l: 1\r\n\r\nx";
	static const char bytes[] = "\r\n: \tlL019-\0x";
	unsigned seed = 4475;

	for (int round = 0; round < 2000; round++) {
		char in[sizeof(base) - 1];
		struct reader one, many;

		memcpy(in, base, sizeof(in));
		for (int i = 0; i < 4; i++)
			in[(size_t)rand_r(&seed) % sizeof(in)] =
			    bytes[(size_t)rand_r(&seed) % (sizeof(bytes) - 1)];
		follow(&one, view_of(in, sizeof(in)), SIZE_MAX / 2);
		follow(&many, view_of(in, sizeof(in)), 1);
		CU_ASSERT_STRING_EQUAL(one.story, many.story);
		CU_ASSERT_EQUAL(one.at, many.at);
	}
}

/* Content-Length behind more fields than are read. */
static void test_many_fields(void)
{
	for (unsigned more = 0; more < 2; more++) {
		struct sip_framer framer = { 0 };
		struct sip_frame f;
		char in[8192];
		size_t n = (size_t)snprintf(in, sizeof(in), START);

		for (unsigned i = 0; i < SIP_FIELDS_MAX - 1 + more; i++)
			n += (size_t)snprintf(in + n, sizeof(in) - n,
					      "X: y\r\n");
		snprintf(in + n, sizeof(in) - n, "l: 0\r\n\r\n");
		CU_ASSERT_EQUAL(sip_framer_next(&framer, view_str(in), &f),
				more ? SIP_FRAME_REFUSED : SIP_FRAME_MESSAGE);
		CU_ASSERT_EQUAL(f.status, more ? 513 : 0);
	}
}

static const struct unit_test tests[] = {
	{ "streams", test_rows },
	{ "NUL in a head", test_nul },
	{ "big heads", test_big_heads },
	{ "the biggest body", test_biggest_body },
	{ "streams changed at random", test_mutated },
	{ "many fields", test_many_fields },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "sip-frame", tests, NULL, NULL);
}
