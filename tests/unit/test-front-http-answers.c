/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "front/http_response.h"
#include "tests/lib/unit.h"

/* The answers of the backend on their way back, without sockets. */

struct response_row {
	const char *in, *out;
	bool head_only, http10, close;
	enum http_step step, at_end;
	bool keeps, closes;
};

static const struct response_row responses[] = {
	{ .in = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: b\r\n\r\nok",
	  .out = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: b\r\n\r\nok",
	  .step = HTTP_DONE,
	  .keeps = true },
	{ .in = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	  .out = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
		 "Connection: close\r\n\r\nok",
	  .close = true,
	  .step = HTTP_DONE,
	  .keeps = true,
	  .closes = true },
	{ .in = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
		"Proxy-Connection: close\r\n\r\nok",
	  .out = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
		 "Connection: close\r\n\r\nok",
	  .step = HTTP_DONE,
	  .closes = true },
	{ .in = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	  .out = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
		 "Connection: keep-alive\r\n\r\nok",
	  .http10 = true,
	  .step = HTTP_DONE,
	  .keeps = true },
	{ .in = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
	  .out = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	  .step = HTTP_DONE },
	{ .in = "HTTP/1.1 200 OK\r\nConnection: close, X\r\nX: 1\r\n"
		"Content-Length: 0\r\n\r\n",
	  .out = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	  .step = HTTP_DONE },
	{ .in = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		"2\r\nok\r\n0\r\n\r\n",
	  .out = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "2\r\nok\r\n0\r\n\r\n",
	  .step = HTTP_DONE,
	  .keeps = true },
	{ .in = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		"1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
	  .out = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok",
	  .http10 = true,
	  .step = HTTP_DONE,
	  .keeps = true,
	  .closes = true },
	{ .in = "HTTP/1.1 200 OK\r\n\r\nall of it",
	  .out = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it",
	  .step = HTTP_MORE,
	  .at_end = HTTP_DONE,
	  .closes = true },
	{ .in = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
	  .out = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
	  .head_only = true,
	  .step = HTTP_DONE,
	  .keeps = true },
	{ .in = "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
	  .out = "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
	  .step = HTTP_DONE,
	  .keeps = true },
	{ .in = "HTTP/1.1 204 No Content\r\n\r\n",
	  .out = "HTTP/1.1 204 No Content\r\n\r\n",
	  .step = HTTP_DONE,
	  .keeps = true },
	{ .in =
	      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\n"
	      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
	  .out = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
	  .step = HTTP_DONE,
	  .keeps = true },
	{ .in = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
	  .out = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
	  .step = HTTP_MORE,
	  .at_end = HTTP_REFUSED,
	  .keeps = true },
	{ .in = "HTTP/1.1 200 OK\r\nConte",
	  .out = "",
	  .step = HTTP_MORE,
	  .at_end = HTTP_REFUSED },
	{ .in = "", .out = "", .step = HTTP_MORE, .at_end = HTTP_REFUSED },

	{ .in = "HTTP/1.1 101 Switching\r\n\r\n", .step = HTTP_REFUSED },
	{ .in = "HTTP/1.1 99 x\r\n\r\n", .step = HTTP_REFUSED },
	{ .in = "HTTP/2.0 200 OK\r\n\r\n", .step = HTTP_REFUSED },
	{ .in = "HTTP/1.1 200OK\r\n\r\n", .step = HTTP_REFUSED },
	{ .in = "HTTP/1.1 2x0 OK\r\n\r\n", .step = HTTP_REFUSED },
	{ .in = "nonsense\r\n\r\n", .step = HTTP_REFUSED },
	{ .in = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
		"Content-Length: 1\r\n\r\nx",
	  .step = HTTP_REFUSED },
	{ .in = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	  .step = HTTP_REFUSED },
	{ .in = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
	  .step = HTTP_REFUSED },
	{ .in = "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
	  .step = HTTP_REFUSED },
	{ .in = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nq\r\n",
	  .step = HTTP_REFUSED },
	{ .in = "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
	  .step = HTTP_REFUSED },
	{ .in = "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", .step = HTTP_REFUSED },
};

static enum http_step feed_response(struct http_response_reader *r,
				    struct view in, size_t part,
				    struct buf *out, size_t *left)
{
	enum http_step step = HTTP_MORE;
	size_t at = 0, used;

	while (step == HTTP_MORE && at < in.len) {
		size_t n = in.len - at < part ? in.len - at : part;

		step =
		    http_response_feed(r, view_of(in.ptr + at, n), &used, out);
		at += used;
	}
	*left = in.len - at;
	return step;
}

static void check_response(const struct response_row *row, size_t part)
{
	struct http_response_reader r;
	struct buf out;
	size_t left;
	enum http_step step;

	buf_init(&out, 1 << 20);
	http_response_init(&r);
	r.head_only = row->head_only;
	r.client_minor = row->http10 ? 0 : 1;
	r.client_keep_alive = !row->close;
	step = feed_response(&r, view_str(row->in), part, &out, &left);
	if (step != row->step)
		unit_note("%zu: \"%s\": %d", part, row->in, step);
	CU_ASSERT_EQUAL(step, row->step);
	if (step == HTTP_MORE)
		CU_ASSERT_EQUAL(http_response_end(&r), row->at_end);
	if (step != HTTP_REFUSED) {
		CU_ASSERT_STRING_EQUAL(buf_cstr(&out), row->out);
		CU_ASSERT_EQUAL(r.backend_keeps, row->keeps);
		CU_ASSERT_EQUAL(r.client_closes, row->closes);
	} else {
		CU_ASSERT_EQUAL(r.refusal.status, 502);
	}
	http_response_free(&r);
	buf_free(&out);
}

static void test_responses(void)
{
	for (size_t i = 0; i < sizeof(responses) / sizeof(responses[0]); i++) {
		check_response(&responses[i], SIZE_MAX);
		check_response(&responses[i], 1);
	}
}

static const char *answer_end(const struct buf *out)
{
	const char *end = strstr(buf_cstr(out), "\r\n\r\n");

	return end ? end + 4 : "";
}

/* What comes behind an answer is not taken, nor passed on. */
static void test_response_leftover(void)
{
	static const char in[] =
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n";
	static const size_t parts[] = { SIZE_MAX, 1, 40 };

	for (size_t i = 0; i < 3; i++) {
		struct http_response_reader r;
		struct buf out;
		size_t left;

		buf_init(&out, 4096);
		http_response_init(&r);
		r.client_minor = 1;
		r.client_keep_alive = true;
		CU_ASSERT_EQUAL(
		    feed_response(&r, view_str(in), parts[i], &out, &left),
		    HTTP_DONE);
		CU_ASSERT_EQUAL(left, strlen("HTTP/1.1 200 OK\r\n"));
		CU_ASSERT_STRING_EQUAL(answer_end(&out), "ok");
		http_response_free(&r);
		buf_free(&out);
	}
}

static void test_response_dropped(void)
{
	struct http_response_reader r;
	size_t left;

	http_response_init(&r);
	CU_ASSERT_EQUAL(feed_response(&r,
				      view_str("HTTP/1.1 200 OK\r\n"
					       "Content-Length: 2\r\n\r\nok"),
				      1, NULL, &left),
			HTTP_DONE);
	http_response_free(&r);
}

static void test_response_big_head(void)
{
	struct http_response_reader r;
	struct buf in, out;
	struct error e = ERROR_INIT;
	size_t left;

	buf_init(&in, 1 << 20);
	buf_init(&out, 1 << 20);
	CHECK_OK(buf_adds(&in, "HTTP/1.1 200 OK\r\nA: ", &e), &e);
	for (int i = 0; i < 40000; i++)
		CHECK_OK(buf_adds(&in, "x", &e), &e);
	for (size_t part = 1000; part < 70000; part += 60000) {
		http_response_init(&r);
		CU_ASSERT_EQUAL(
		    feed_response(&r, buf_view(&in), part, &out, &left),
		    HTTP_REFUSED);
		http_response_free(&r);
	}
	buf_free(&in);
	buf_free(&out);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "answers", test_responses },
		{ "bytes behind an answer", test_response_leftover },
		{ "an answer for nobody", test_response_dropped },
		{ "big head of an answer", test_response_big_head },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "front-http-answers", tests, NULL, NULL);
}
