/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "front/http_response.h"

#include <string.h>

/* What may come behind the head in the same read. */
enum { READ_MAX = 65536 };

void http_response_init(struct http_response_reader *r)
{
	memset(r, 0, sizeof(*r));
	buf_init(&r->head, HTTP_RESPONSE_HEAD_MAX + READ_MAX);
	http_parser_init(&r->parser, HTTP_RESPONSE);
	r->parser.data = r;
}

void http_response_free(struct http_response_reader *r)
{
	buf_free(&r->head);
}

static bool refuse(struct http_response_reader *r, const char *text)
{
	r->refusal.status = 502;
	r->refusal.text = text;
	return false;
}

static int on_headers_complete(http_parser *p)
{
	struct http_response_reader *r = p->data;

	r->backend_keeps = !r->by_end && http_should_keep_alive(p);
	return r->bodiless ? 1 : 0;
}

static int on_body(http_parser *p, const char *at, size_t n)
{
	struct http_response_reader *r = p->data;
	struct error e = ERROR_INIT;

	r->body_begun = true;
	if (r->unchunk && r->out && buf_add(r->out, at, n, &e) < 0) {
		r->no_memory = true;
		return 1;
	}
	return 0;
}

static int on_complete(http_parser *p)
{
	struct http_response_reader *r = p->data;

	r->complete = true;
	http_parser_pause(p, 1);
	return 0;
}

static bool run_parser(struct http_response_reader *r, struct view data,
		       size_t *used_out)
{
	static const http_parser_settings settings = {
		.on_headers_complete = on_headers_complete,
		.on_body = on_body,
		.on_message_complete = on_complete,
	};
	enum http_errno rc;

	*used_out = 0;
	if (data.len == 0 || r->complete)
		return true;
	*used_out = http_parser_execute(&r->parser, &settings,
					(const char *)data.ptr, data.len);
	rc = HTTP_PARSER_ERRNO(&r->parser);
	if (r->no_memory)
		return refuse(r, "out of memory");
	if (rc != HPE_OK && !(rc == HPE_PAUSED && r->complete))
		return refuse(r, "malformed answer");
	return true;
}

/* "HTTP/1.x NNN ..." */
static bool check_start(struct http_response_reader *r, struct view line)
{
	const uint8_t *p = line.ptr;

	if (line.len < 12 || memcmp(p, "HTTP/1.", 7) != 0 ||
	    (p[7] != '0' && p[7] != '1') || p[8] != ' ' ||
	    (line.len > 12 && p[12] != ' '))
		return refuse(r, "malformed status line");
	r->status = 0;
	for (int i = 9; i < 12; i++) {
		if (p[i] < '0' || p[i] > '9')
			return refuse(r, "malformed status line");
		r->status = r->status * 10 + (unsigned)(p[i] - '0');
	}
	if (r->status < 100 || r->status == 101)
		return refuse(r, "unexpected status");
	return true;
}

static bool check_framing(struct http_response_reader *r,
			  const struct http_head *h)
{
	struct view coding = { 0 }, wish = { 0 };
	size_t lengths = http_head_find(h, "Content-Length", NULL);
	size_t codings = http_head_find(h, "Transfer-Encoding", &coding);

	if (lengths > 1 || codings > 1 || (lengths && codings) ||
	    (codings && !http_name_is(coding, "chunked")))
		return refuse(r, "answer without a clear length");
	r->bodiless = r->head_only || r->status < 200 || r->status == 204 ||
		      r->status == 304;
	r->chunked = codings > 0;
	r->by_end = !r->bodiless && !lengths && !codings;
	r->unchunk = r->chunked && r->client_minor == 0;
	/* Said by the backend to us, and not passed on: what the client does
	 * next shall come on a new connection. */
	http_head_find(h, "Proxy-Connection", &wish);
	r->client_closes = !r->client_keep_alive || r->by_end || r->unchunk ||
			   http_name_is(wish, "close");
	return true;
}

static int write_fields(struct http_response_reader *r,
			const struct http_head *h, struct error *e)
{
	struct buf *b = r->out;

	if (buf_add(b, "HTTP/1.1", 8, e) < 0 ||
	    buf_add(b, h->start_line.ptr + 8, h->start_line.len - 8, e) < 0 ||
	    buf_adds(b, "\r\n", e) < 0)
		return -1;
	for (size_t i = 0; i < h->count; i++) {
		const struct http_field *f = &h->fields[i];

		if (http_field_is_ours(h, f->name) ||
		    (r->unchunk && http_name_is(f->name, "Transfer-Encoding")))
			continue;
		if (buf_add(b, f->name.ptr, f->name.len, e) < 0 ||
		    buf_adds(b, ": ", e) < 0 ||
		    buf_add(b, f->value.ptr, f->value.len, e) < 0 ||
		    buf_adds(b, "\r\n", e) < 0)
			return -1;
	}
	if (r->client_closes)
		return buf_adds(b, "Connection: close\r\n\r\n", e);
	if (r->client_minor == 0)
		return buf_adds(b, "Connection: keep-alive\r\n\r\n", e);
	return buf_adds(b, "\r\n", e);
}

/* One head out of r->head; interim answers (1xx) are dropped. */
static bool take_head(struct http_response_reader *r)
{
	struct http_head head;
	struct error e = ERROR_INIT;
	struct view data = buf_view(&r->head);
	size_t used, n = http_head_length(data, &r->scanned);

	if ((n == 0 && data.len >= HTTP_RESPONSE_HEAD_MAX) ||
	    n > HTTP_RESPONSE_HEAD_MAX)
		return refuse(r, "head of the answer too large");
	if (n == 0)
		return true;
	data.len = n;
	if (!http_head_split(data, &head, &r->refusal))
		return refuse(r, r->refusal.text);
	if (!check_start(r, head.start_line) || !check_framing(r, &head) ||
	    !run_parser(r, data, &used))
		return false;
	if (used != n)
		return refuse(r, "malformed answer");
	if (r->status >= 200 && r->out && write_fields(r, &head, &e) < 0)
		return refuse(r, "out of memory");
	r->head_done = r->status >= 200;
	r->scanned = 0;
	buf_consume(&r->head, n);
	return true;
}

static bool take_body(struct http_response_reader *r, struct view data,
		      size_t *used_out)
{
	struct error e = ERROR_INIT;

	if (!run_parser(r, data, used_out))
		return false;
	if (!r->unchunk && r->out &&
	    buf_add(r->out, data.ptr, *used_out, &e) < 0)
		return refuse(r, "out of memory");
	return true;
}

static bool begin(struct http_response_reader *r, struct view data)
{
	struct error e = ERROR_INIT;

	if (buf_add(&r->head, data.ptr, data.len, &e) < 0)
		return refuse(r, "head of the answer too large");
	for (;;) {
		size_t before = r->head.len;

		if (!take_head(r))
			return false;
		if (r->head_done || r->head.len == before)
			return true;
		/* An interim answer is over: the next one starts anew. */
		http_parser_init(&r->parser, HTTP_RESPONSE);
		r->complete = false;
	}
}

enum http_step http_response_feed(struct http_response_reader *r,
				  struct view data, size_t *used_out,
				  struct buf *out)
{
	size_t used = 0, rest;

	r->out = out;
	*used_out = 0;
	if (r->head_done) {
		if (!take_body(r, data, used_out))
			return HTTP_REFUSED;
		return r->complete ? HTTP_DONE : HTTP_MORE;
	}
	if (!begin(r, data))
		return HTTP_REFUSED;
	*used_out = data.len;
	if (!r->head_done)
		return HTTP_MORE;
	rest = r->head.len;
	if (!take_body(r, buf_view(&r->head), &used))
		return HTTP_REFUSED;
	*used_out = data.len - (rest - used);
	buf_free(&r->head);
	return r->complete ? HTTP_DONE : HTTP_MORE;
}

enum http_step http_response_end(struct http_response_reader *r)
{
	if (r->head_done && r->by_end)
		return HTTP_DONE;
	if (r->complete)
		return HTTP_DONE;
	refuse(r, "the answer broke off");
	return HTTP_REFUSED;
}
