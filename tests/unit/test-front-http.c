/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front/http_request.h"
#include "front/sniff.h"
#include "tests/lib/unit.h"

/* Requests on their way to the backend, without sockets: what passes, what does
 * not, and what the backend gets to see. */

enum { HEAD_BYTES = 4096, BODY_BYTES = 1000 };

#define H "Host: h\r\n"

struct request_row {
	const char *in;
	unsigned status;  /* 0: complete; 1: more is wanted; else refused */
	const char *head; /* for the backend, without the closing fields */
	const char *body;
	const char *rest; /* what is left for the next request */
};

static const struct request_row requests[] = {
	/* Accepted, and written anew. */
	{ "GET / HTTP/1.1\r\n" H "\r\n", 0, "GET / HTTP/1.1\r\n" H, "", "" },
	{ "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", 0, "GET / HTTP/1.1\r\n" H, "",
	  "" },
	{ "GET / HTTP/1.0\r\n\r\n", 0, "GET / HTTP/1.1\r\n", "", "" },
	{ "HEAD /x?y=%20 HTTP/1.1\r\nhost:h\r\nA:  b c \t\r\n\r\n", 0,
	  "HEAD /x?y=%20 HTTP/1.1\r\n" H "A: b c\r\n", "", "" },
	{ "OPTIONS * HTTP/1.1\r\n" H "\r\n", 0, "OPTIONS * HTTP/1.1\r\n" H, "",
	  "" },
	{ "GET http://other:80/p?q HTTP/1.1\r\n" H "\r\n", 0,
	  "GET /p?q HTTP/1.1\r\nHost: other:80\r\n", "", "" },
	{ "GET HTTPS://[::1]:443 HTTP/1.1\r\n" H "\r\n", 0,
	  "GET / HTTP/1.1\r\nHost: [::1]:443\r\n", "", "" },
	{ "POST /a HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabcGET /", 0,
	  "POST /a HTTP/1.1\r\n" H, "abc", "GET /" },
	{ "POST /a HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\nPOST", 0,
	  "POST /a HTTP/1.1\r\n" H, "", "POST" },
	{ "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
	  "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\nGET",
	  0, "POST /a HTTP/1.1\r\n" H, "abcde", "GET" },
	{ "POST /a HTTP/1.1\r\n" H "transfer-encoding: CHUNKED\r\n\r\n"
	  "0\r\n\r\n",
	  0, "POST /a HTTP/1.1\r\n" H, "", "" },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nhi", 0,
	  "GET / HTTP/1.1\r\n" H, "hi", "" },

	/* What belongs to the connection, or speaks for it, stays here. */
	{ "GET / HTTP/1.1\r\n" H "Connection: close, X-Hop , x-hop2\r\n"
	  "X-Hop: 1\r\nX-HOP2: 2\r\nX-Hop3: 3\r\nKeep-Alive: 5\r\nTE: "
	  "trailers\r\n"
	  "Proxy-Connection: x\r\nProxy-Authorization: x\r\nVia: 1.1 x\r\n"
	  "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Host: x\r\n"
	  "x-forwarded-proto: https\r\nForwarded: for=1.2.3.4\r\n"
	  "X-Real-IP: 1.2.3.4\r\nTrailer: x\r\nCookie: c=1\r\n\r\n",
	  0, "GET / HTTP/1.1\r\n" H "X-Hop3: 3\r\nCookie: c=1\r\n", "", "" },
	/* An upgrade is refused by going on in HTTP/1.1 (RFC 9110 7.8). */
	{ "GET /ws HTTP/1.1\r\n" H
	  "Connection: Upgrade\r\nUpgrade: websocket\r\n"
	  "Sec-WebSocket-Key: x\r\n\r\nGET",
	  0, "GET /ws HTTP/1.1\r\n" H "Sec-WebSocket-Key: x\r\n", "", "GET" },
	{ "POST /ws HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: h2c\r\n"
	  "Content-Length: 2\r\n\r\nabPRI",
	  0, "POST /ws HTTP/1.1\r\n" H, "ab", "PRI" },

	/* Not complete. */
	{ "", 1, "", "", "" },
	{ "GET / HTTP/1.1\r\n" H, 1, "", "", "" },
	{ "GET / HTTP/1.1\r\n" H "\r", 1, "", "", "" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nab", 1,
	  "POST / HTTP/1.1\r\n" H, "ab", "" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
	  "3\r\nabc\r\n",
	  1, "POST / HTTP/1.1\r\n" H, "abc", "" },

	/* Two ways to read a length. */
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n"
	  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	  400, "", "", "" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
	  "Content-Length: 3\r\n\r\n0\r\n\r\n",
	  400, "", "", "" },
	{ "POST / HTTP/1.1\r\n" H
	  "Content-Length: 3\r\nContent-Length: 3\r\n\r\n",
	  400, "", "", "" },
	{ "POST / HTTP/1.1\r\n" H
	  "Content-Length: 3\r\ncontent-length: 4\r\n\r\n",
	  400, "", "", "" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 3, 3\r\n\r\n", 400, "", "",
	  "" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: +3\r\n\r\n", 400, "", "",
	  "" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", 400, "", "",
	  "" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 0x3\r\n\r\n", 400, "", "",
	  "" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 3 4\r\n\r\n", 400, "", "",
	  "" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 400, "", "", "" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length : 3\r\n\r\nabc", 400, "", "",
	  "" },
	{ "POST / HTTP/1.1\r\n" H
	  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
	  400, "", "", "" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n",
	  501, "", "", "" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", 501,
	  "", "", "" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", 501,
	  "", "", "" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding:\vchunked\r\n\r\n", 400,
	  "", "", "" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding : chunked\r\n\r\n", 400,
	  "", "", "" },
	{ "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n", 400, "",
	  "", "" },

	/* Chunks that are none. */
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
	  400, NULL, "", NULL },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
	  400, NULL, "", NULL },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
	  "2\r\nabcd\r\n",
	  400, NULL, NULL, NULL },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
	  "fffffffffffffffff\r\n",
	  400, NULL, "", NULL },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n2\nab\r\n",
	  400, NULL, NULL, NULL },

	/* Lines. */
	{ "GET / HTTP/1.1\n" H "\r\n", 400, "", "", "" },
	{ "GET / HTTP/1.1\r\nHost: h\n\r\n", 400, "", "", "" },
	{ "GET / HTTP/1.1\nHost: h\n\n", 400, "", "", "" },
	{ "GET / HTTP/1.1\r\nHost: h\r\nA: b\rC: d\r\n\r\n", 400, "", "", "" },
	{ "GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", 400, "", "", "" },
	{ "GET / HTTP/1.1\r\n" H "A: b\r\n\tc\r\n\r\n", 400, "", "", "" },
	{ "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400, "", "", "" },
	{ "GET / HTTP/1.1\r\n" H "A b: c\r\n\r\n", 400, "", "", "" },
	{ "GET / HTTP/1.1\r\n" H "nothing\r\n\r\n", 400, "", "", "" },
	{ "GET / HTTP/1.1\r\n" H ": c\r\n\r\n", 400, "", "", "" },
	{ "GET / HTTP/1.1\r\n" H "A: \001\r\n\r\n", 400, "", "", "" },
	{ "GET / HTTP/1.1\r\n" H "A: \177\r\n\r\n", 400, "", "", "" },
	{ "GET / HTTP/1.1\r\n" H "A\xc3\xa4: b\r\n\r\n", 400, "", "", "" },

	/* Request lines. */
	{ "\x16\x03\x01", 400, "", "", "" },
	{ "\r\n\r\n\x80", 400, "", "", "" },
	{ "\nGET", 400, "", "", "" },
	{ " GET", 400, "", "", "" },
	{ "GET /\r\n\r\n", 400, "", "", "" },
	{ "GET\r\n\r\n", 400, "", "", "" },
	{ "GET  / HTTP/1.1\r\n" H "\r\n", 400, "", "", "" },
	{ "GET / HTTP/1.1 \r\n" H "\r\n", 400, "", "", "" },
	{ "GET / x HTTP/1.1\r\n" H "\r\n", 400, "", "", "" },
	{ "GET /\tx HTTP/1.1\r\n" H "\r\n", 400, "", "", "" },
	{ "GET / http/1.1\r\n" H "\r\n", 400, "", "", "" },
	{ "GET / HTTP/2.0\r\n" H "\r\n", 505, "", "", "" },
	{ "GET / HTTP/1.2\r\n" H "\r\n", 505, "", "", "" },
	{ "GET / HTTP/11.1\r\n" H "\r\n", 400, "", "", "" },
	{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "", "", NULL },
	{ "GET x HTTP/1.1\r\n" H "\r\n", 400, "", "", "" },
	{ "GET * HTTP/1.1\r\n" H "\r\n", 400, "", "", "" },
	{ "GET /#f HTTP/1.1\r\n" H "\r\n", 400, "", "", "" },
	{ "GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n", 400, "", "", "" },
	{ "GET ftp://h/ HTTP/1.1\r\n" H "\r\n", 400, "", "", "" },
	{ "GET http:///x HTTP/1.1\r\n" H "\r\n", 400, "", "", "" },
	{ "GET http://u@h/x HTTP/1.1\r\n" H "\r\n", 400, "", "", "" },
	{ "GET http://h?x HTTP/1.1\r\n" H "\r\n", 400, "", "", "" },
	{ "CONNECT h:443 HTTP/1.1\r\n" H "\r\n", 405, "", "", "" },
	{ "TRACE / HTTP/1.1\r\n" H "\r\n", 405, "", "", "" },
	{ "PUT / HTTP/1.1\r\n" H "\r\n", 405, "", "", "" },
	{ "get / HTTP/1.1\r\n" H "\r\n", 405, "", "", "" },

	/* Host. */
	{ "GET / HTTP/1.1\r\n\r\n", 400, "", "", "" },
	{ "GET / HTTP/1.1\r\n" H H "\r\n", 400, "", "", "" },
	{ "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "", "", "" },
	{ "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "", "", "" },
	{ "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400, "", "", "" },
	{ "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400, "", "", "" },

	/* Expectations and sizes. */
	{ "POST / HTTP/1.1\r\n" H "Expect: tea\r\nContent-Length: 1\r\n\r\n",
	  417, "", "", "" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 1001\r\n\r\n", 413, "", "",
	  "" },
	{ "POST / HTTP/1.1\r\n" H
	  "Content-Length: 99999999999999999999\r\n\r\n",
	  413, "", "", "" },
	{ "POST / HTTP/1.1\r\n" H
	  "Content-Length: 18446744073709551617\r\n\r\n",
	  413, "", "", "" },
};

/* Feed the bytes in parts of that size; what is not taken is fed again. */
static enum http_step feed_request(struct http_request_reader *r,
				   struct view in, size_t part, size_t *left)
{
	enum http_step step = HTTP_MORE;
	size_t from = 0, to = 0, used;

	while (step == HTTP_MORE && to < in.len) {
		to = in.len - to < part ? in.len : to + part;
		step = http_request_feed(r, view_of(in.ptr + from, to - from),
					 &used);
		from += used;
		if (step == HTTP_CONTINUE)
			step = HTTP_MORE;
	}
	*left = in.len - from;
	return step;
}

static void check_request(const struct request_row *row, size_t part)
{
	struct http_request_reader r;
	size_t left, rest = row->rest ? strlen(row->rest) : 0;
	enum http_step step;
	unsigned status;

	http_request_init(&r, HEAD_BYTES, BODY_BYTES);
	step = feed_request(&r, view_str(row->in), part, &left);
	status = step == HTTP_DONE   ? 0
		 : step == HTTP_MORE ? 1
				     : r.refusal.status;
	if (status != row->status)
		unit_note("%zu: \"%s\": %u %s", part, row->in, status,
			  r.refusal.text ? r.refusal.text : "");
	CU_ASSERT_EQUAL(status, row->status);
	if (status == 0 || (status == 1 && row->head[0])) {
		if (strcmp(buf_cstr(&r.head), row->head) != 0)
			unit_note("%s", buf_cstr(&r.head));
		CU_ASSERT_STRING_EQUAL(buf_cstr(&r.head), row->head);
		CU_ASSERT_STRING_EQUAL(buf_cstr(&r.body), row->body);
	}
	if (status == 0 && part > 1) /* all was offered */
		CU_ASSERT_EQUAL(left, rest);
	http_request_free(&r);
}

static void test_requests(void)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		check_request(&requests[i], SIZE_MAX);
		check_request(&requests[i], 1);
	}
}

/* However the bytes are cut, the reading is the same: rows changed at random,
 * whole and in parts. */
static void test_mutated(void)
{
	unsigned seed = 42;

	for (int i = 0; i < 20000; i++) {
		const struct request_row *row =
		    &requests[(size_t)rand_r(&seed) %
			      (sizeof(requests) / sizeof(requests[0]))];
		struct http_request_reader whole, parts;
		size_t n = strlen(row->in), left[2];
		uint8_t bytes[512];
		enum http_step a, b;

		if (n == 0 || n > sizeof(bytes))
			continue;
		memcpy(bytes, row->in, n);
		for (int k = rand_r(&seed) % 4; k >= 0; k--)
			bytes[(size_t)rand_r(&seed) % n] =
			    (uint8_t) "\r\n :,0aA\t\xff;xGHC"[rand_r(&seed) %
							      16];
		http_request_init(&whole, HEAD_BYTES, BODY_BYTES);
		http_request_init(&parts, HEAD_BYTES, BODY_BYTES);
		a = feed_request(&whole, view_of(bytes, n), SIZE_MAX, &left[0]);
		b = feed_request(&parts, view_of(bytes, n),
				 1 + (size_t)rand_r(&seed) % 20, &left[1]);
		if (a != b ||
		    (a == HTTP_DONE && (!view_equal(buf_view(&whole.head),
						    buf_view(&parts.head)) ||
					!view_equal(buf_view(&whole.body),
						    buf_view(&parts.body)))))
			unit_note("%.*s", (int)n, (const char *)bytes);
		CU_ASSERT_EQUAL(a, b);
		CU_ASSERT_TRUE(
		    view_equal(buf_view(&whole.body), buf_view(&parts.body)));
		if (a == HTTP_DONE) {
			CU_ASSERT_TRUE(view_equal(buf_view(&whole.head),
						  buf_view(&parts.head)));
			CU_ASSERT_PTR_NULL(strcasestr(buf_cstr(&whole.head),
						      "\nContent-Length:"));
			CU_ASSERT_PTR_NULL(strcasestr(buf_cstr(&whole.head),
						      "\nTransfer-Encoding:"));
		}
		http_request_free(&whole);
		http_request_free(&parts);
	}
}

static void test_nul(void)
{
	static const char in[] = "GET / HTTP/1.1\r\n" H "A: b\0c\r\n\r\n";
	static const char line[] = "GET /\0 HTTP/1.1\r\n" H "\r\n";
	static const char name[] = "GET / HTTP/1.1\r\n" H "A\0: c\r\n\r\n";
	const struct view rows[] = { view_of(in, sizeof(in) - 1),
				     view_of(line, sizeof(line) - 1),
				     view_of(name, sizeof(name) - 1) };

	for (size_t i = 0; i < 3; i++) {
		struct http_request_reader r;
		size_t used;

		http_request_init(&r, HEAD_BYTES, BODY_BYTES);
		CU_ASSERT_EQUAL(http_request_feed(&r, rows[i], &used),
				HTTP_REFUSED);
		CU_ASSERT_EQUAL(r.refusal.status, 400);
		http_request_free(&r);
	}
}

static unsigned status_of_head(size_t value_len, size_t fields, size_t part)
{
	struct http_request_reader r;
	struct buf b;
	struct error e = ERROR_INIT;
	enum http_step step;
	size_t left;

	buf_init(&b, 1 << 20);
	CHECK_OK(buf_adds(&b, "GET / HTTP/1.1\r\n" H, &e), &e);
	for (size_t i = 0; i < fields; i++) {
		CHECK_OK(buf_adds(&b, "A: ", &e), &e);
		for (size_t j = 0; j < value_len; j++)
			CHECK_OK(buf_adds(&b, "x", &e), &e);
		CHECK_OK(buf_adds(&b, "\r\n", &e), &e);
	}
	CHECK_OK(buf_adds(&b, "\r\n", &e), &e);
	http_request_init(&r, HEAD_BYTES, BODY_BYTES);
	step = feed_request(&r, buf_view(&b), part, &left);
	http_request_free(&r);
	buf_free(&b);
	return step == HTTP_DONE ? 0 : r.refusal.status;
}

static void test_big_heads(void)
{
	for (size_t part = 1; part < 10000; part += 9000) {
		CU_ASSERT_EQUAL(status_of_head(4000, 1, part), 0);
		CU_ASSERT_EQUAL(status_of_head(5000, 1, part), 431);
		CU_ASSERT_EQUAL(status_of_head(100000, 1, part), 431);
		CU_ASSERT_EQUAL(status_of_head(1, 99, part), 0);
		CU_ASSERT_EQUAL(status_of_head(1, 100, part), 431);
		CU_ASSERT_EQUAL(status_of_head(1, 5000, part), 431);
	}
}

/* A body that grows past the limit only while it arrives in chunks. */
static void test_big_chunks(void)
{
	static const char head[] =
	    "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n";
	static const char chunk[] = "1\r\nx\r\n";
	struct http_request_reader r;
	enum http_step step;
	size_t used, n = 0;

	http_request_init(&r, HEAD_BYTES, BODY_BYTES);
	step = http_request_feed(&r, view_str(head), &used);
	while (step == HTTP_MORE && n++ < BODY_BYTES)
		step = http_request_feed(&r, view_str(chunk), &used);
	CU_ASSERT_EQUAL(step, HTTP_MORE);
	CU_ASSERT_EQUAL(r.body.len, BODY_BYTES);
	step = http_request_feed(&r, view_str(chunk), &used);
	CU_ASSERT_EQUAL(step, HTTP_REFUSED);
	CU_ASSERT_EQUAL(r.refusal.status, 413);
	http_request_free(&r);
}

static void test_continue(void)
{
	static const char head[] =
	    "POST / HTTP/1.1\r\n" H "Expect: 100-Continue\r\n"
	    "Content-Length: 2\r\n\r\n";
	struct http_request_reader r;
	struct error e = ERROR_INIT;
	size_t used;

	http_request_init(&r, HEAD_BYTES, BODY_BYTES);
	CU_ASSERT_EQUAL(http_request_feed(&r, view_str(head), &used),
			HTTP_CONTINUE);
	CU_ASSERT_EQUAL(used, strlen(head));
	CU_ASSERT_EQUAL(http_request_feed(&r, view_str("ab"), &used),
			HTTP_DONE);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&r.head), "POST / HTTP/1.1\r\n" H);
	CHECK_OK(http_request_close_head(&r, false, &e), &e);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&r.head),
			       "POST / HTTP/1.1\r\n" H "Content-Length: 2\r\n"
			       "Connection: close\r\n\r\n");
	http_request_free(&r);
}

static void test_keep_alive(void)
{
	static const struct {
		const char *in;
		bool keep;
	} rows[] = {
		{ "GET / HTTP/1.1\r\n" H "\r\n", true },
		{ "GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\n" H "Connection: x, Close\r\n\r\n",
		  false },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_request_reader r;
		size_t used;

		http_request_init(&r, HEAD_BYTES, BODY_BYTES);
		CU_ASSERT_EQUAL(
		    http_request_feed(&r, view_str(rows[i].in), &used),
		    HTTP_DONE);
		CU_ASSERT_EQUAL(r.keep_alive, rows[i].keep);
		http_request_free(&r);
	}
}

static void test_sniff(void)
{
	static const struct {
		const char *in;
		size_t n;
		enum sniff what;
	} rows[] = {
		{ "", 0, SNIFF_MORE },
		{ "\x16", 1, SNIFF_MORE },
		{ "\x16\x03\x01\x00\x02\x01", 6, SNIFF_MORE },
		{ "\x16\x03\x01\x00\x02\x01\x00", 7, SNIFF_HELLO },
		{ "\x16\x03\x03\x00\x01\x01\x00", 7, SNIFF_HELLO },
		{ "\x16\x03\x01\x00\x02\x02\x00", 7, SNIFF_NOISE },
		{ "\x16\x03\x01\x00\x00", 5, SNIFF_NOISE },
		{ "\x16\x03\x01\x41\x00", 5, SNIFF_NOISE },
		{ "\x16\x02", 2, SNIFF_NOISE },
		{ "\x80\x2e\x01", 3, SNIFF_NOISE },
		{ "G", 1, SNIFF_MORE },
		{ "GET", 3, SNIFF_MORE },
		{ "GET ", 4, SNIFF_HTTP },
		{ "POST /", 6, SNIFF_HTTP },
		{ "GETA", 4, SNIFF_NOISE },
		{ "SSH-2.0-x", 9, SNIFF_NOISE },
		{ "\x00", 1, SNIFF_NOISE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CU_ASSERT_EQUAL(
		    sniff_first_bytes(view_of(rows[i].in, rows[i].n)),
		    rows[i].what);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "requests", test_requests },
		{ "requests changed at random", test_mutated },
		{ "NUL in a head", test_nul },
		{ "big heads", test_big_heads },
		{ "big chunked body", test_big_chunks },
		{ "Expect: 100-continue", test_continue },
		{ "keep-alive", test_keep_alive },
		{ "first bytes on a TLS port", test_sniff },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "front-http", tests, NULL, NULL);
}
