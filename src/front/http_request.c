/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "front/http_request.h"

#include <string.h>
#include <strings.h>

/* Room for what is added to a head: lengths, Connection, a new Host. */
enum { HEAD_EXTRA = 512 };
/* Digits of a Content-Length, enough for any that could pass. */
enum { LENGTH_DIGITS_MAX = 15 };

static bool refuse(struct http_request_reader *r, unsigned status,
		   const char *text)
{
	r->refusal.status = status;
	r->refusal.text = text;
	return false;
}

void http_request_init(struct http_request_reader *r, size_t head_bytes,
		       size_t body_bytes)
{
	memset(r, 0, sizeof(*r));
	r->head_bytes = head_bytes;
	r->body_bytes = body_bytes;
	buf_init(&r->head, head_bytes + HEAD_EXTRA);
	/* Uploads of private keys pass here. */
	buf_init_secret(&r->body, body_bytes);
	http_parser_init(&r->parser, HTTP_REQUEST);
	r->parser.data = r;
}

void http_request_free(struct http_request_reader *r)
{
	buf_free(&r->head);
	buf_free(&r->body);
}

static const struct {
	const char *name;
	bool safe, get, head_only;
} methods[] = {
	{ "GET", true, true, false },
	{ "HEAD", true, false, true },
	{ "POST", false, false, false },
	{ "OPTIONS", true, false, false },
};

static bool check_method(struct http_request_reader *r, struct view method)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (!view_is(method, methods[i].name))
			continue;
		r->safe = methods[i].safe;
		r->get = methods[i].get;
		r->head_only = methods[i].head_only;
		return true;
	}
	return refuse(r, 405, "method not allowed");
}

/* Method, target and version, one blank between them and nothing else. */
static bool split_start(struct http_request_reader *r, struct view line,
			struct view *method, struct view *target)
{
	const uint8_t *end = line.ptr + line.len;
	const uint8_t *first = memchr(line.ptr, ' ', line.len);
	const uint8_t *second;
	struct view version;

	if (!first)
		return refuse(r, 400, "bad request line");
	second = memchr(first + 1, ' ', (size_t)(end - first - 1));
	if (!second)
		return refuse(r, 400, "HTTP/0.9 is not spoken here");
	*method = view_of(line.ptr, (size_t)(first - line.ptr));
	*target = view_of(first + 1, (size_t)(second - first - 1));
	version = view_of(second + 1, (size_t)(end - second - 1));
	if (view_is(version, "HTTP/1.1"))
		r->minor = 1;
	else if (view_is(version, "HTTP/1.0"))
		r->minor = 0;
	else if (version.len == 8 && memcmp(version.ptr, "HTTP/", 5) == 0)
		return refuse(r, 505, "only HTTP/1.0 and HTTP/1.1");
	else
		return refuse(r, 400, "bad request line");
	if (target->len == 0)
		return refuse(r, 400, "empty request target");
	for (size_t i = 0; i < target->len; i++) {
		uint8_t c = target->ptr[i];

		if (c <= 0x20 || c >= 0x7f || c == '#')
			return refuse(r, 400, "bad request target");
	}
	return true;
}

static bool check_host(struct http_request_reader *r, struct view host)
{
	for (size_t i = 0; i < host.len; i++) {
		uint8_t c = host.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || strchr("-._~:[]%", c)))
			return refuse(r, 400, "bad Host");
	}
	return true;
}

/* Origin form, "*" for OPTIONS, or absolute form, of which the authority
 * replaces Host (RFC 9112 3.2.2). */
static bool check_target(struct http_request_reader *r, struct view method,
			 struct view *target, struct view *host)
{
	static const char *const schemes[] = { "http://", "https://" };

	if (target->ptr[0] == '/')
		return true;
	if (view_is(*target, "*") && view_is(method, "OPTIONS"))
		return true;
	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(schemes[i]), end = n;

		if (target->len <= n ||
		    strncasecmp((const char *)target->ptr, schemes[i], n) != 0)
			continue;
		while (end < target->len && target->ptr[end] != '/' &&
		       target->ptr[end] != '?')
			end++;
		*host = view_of(target->ptr + n, end - n);
		if (host->len == 0 || end == target->len)
			*target = view_str("/");
		else
			*target = view_of(target->ptr + end, target->len - end);
		if (host->len == 0 || target->ptr[0] != '/')
			return refuse(r, 400, "bad request target");
		return check_host(r, *host);
	}
	return refuse(r, 400, "bad request target");
}

static bool parse_length(struct http_request_reader *r, struct view v)
{
	if (v.len == 0)
		return refuse(r, 400, "bad Content-Length");
	r->length = 0;
	for (size_t i = 0; i < v.len; i++) {
		if (v.ptr[i] < '0' || v.ptr[i] > '9')
			return refuse(r, 400, "bad Content-Length");
		if (i >= LENGTH_DIGITS_MAX)
			return refuse(r, 413, "request body too large");
		r->length = r->length * 10 + (uint64_t)(v.ptr[i] - '0');
	}
	r->length_given = true;
	if (r->length > r->body_bytes)
		return refuse(r, 413, "request body too large");
	return true;
}

/* How long is the body? Anything that could be read in two ways is refused
 * (RFC 9112 6.3). */
static bool check_framing(struct http_request_reader *r,
			  const struct http_head *h)
{
	struct view length = { 0 }, coding = { 0 };
	size_t lengths = http_head_find(h, "Content-Length", &length);
	size_t codings = http_head_find(h, "Transfer-Encoding", &coding);

	if (lengths > 1)
		return refuse(r, 400, "more than one Content-Length");
	if (lengths && codings)
		return refuse(r, 400,
			      "Content-Length beside Transfer-Encoding");
	if (codings) {
		if (codings > 1 || r->minor == 0)
			return refuse(r, 400, "bad Transfer-Encoding");
		if (!http_name_is(coding, "chunked"))
			return refuse(r, 501, "unknown Transfer-Encoding");
		r->chunked = true;
	}
	return !lengths || parse_length(r, length);
}

static bool check_expect(struct http_request_reader *r,
			 const struct http_head *h)
{
	struct view expect;
	size_t n = http_head_find(h, "Expect", &expect);

	if (n == 0)
		return true;
	if (n > 1 || !http_name_is(expect, "100-continue"))
		return refuse(r, 417, "unknown expectation");
	r->expects = r->minor == 1 && (r->chunked || r->length > 0);
	return true;
}

static int add_view(struct buf *b, struct view v, struct error *e)
{
	return buf_add(b, v.ptr, v.len, e);
}

static int add_field(struct buf *b, struct view name, struct view value,
		     struct error *e)
{
	if (add_view(b, name, e) < 0 || buf_adds(b, ": ", e) < 0 ||
	    add_view(b, value, e) < 0)
		return -1;
	return buf_adds(b, "\r\n", e);
}

/* The head as the backend gets it, Host first. */
static int write_head(struct http_request_reader *r, const struct http_head *h,
		      struct view method, struct view target, struct view host,
		      struct error *e)
{
	struct buf *b = &r->head;

	if (add_view(b, method, e) < 0 || buf_adds(b, " ", e) < 0 ||
	    add_view(b, target, e) < 0 || buf_adds(b, " HTTP/1.1\r\n", e) < 0)
		return -1;
	if (host.len > 0 && add_field(b, view_str("Host"), host, e) < 0)
		return -1;
	for (size_t i = 0; i < h->count; i++) {
		struct view name = h->fields[i].name;

		if (http_name_is(name, "Host") ||
		    http_name_is(name, "Content-Length") ||
		    http_name_is(name, "Transfer-Encoding") ||
		    http_field_is_ours(h, name))
			continue;
		if (add_field(b, name, h->fields[i].value, e) < 0)
			return -1;
	}
	return 0;
}

static bool judge_head(struct http_request_reader *r, const struct http_head *h)
{
	struct view method, target, host = { 0 };
	struct error e = ERROR_INIT;
	size_t hosts = http_head_find(h, "Host", &host);

	if (!split_start(r, h->start_line, &method, &target) ||
	    !check_method(r, method))
		return false;
	if (hosts > 1 || (hosts == 0 && r->minor == 1))
		return refuse(r, 400, "exactly one Host is needed");
	if (!check_host(r, host) || !check_target(r, method, &target, &host) ||
	    !check_framing(r, h) || !check_expect(r, h))
		return false;
	if (write_head(r, h, method, target, host, &e) < 0)
		return e.kind == ERR_LIMIT
			   ? refuse(r, 431, "request head too large")
			   : refuse(r, 503, "out of memory");
	return true;
}

static int on_headers_complete(http_parser *p)
{
	struct http_request_reader *r = p->data;

	r->keep_alive = http_should_keep_alive(p) != 0;
	return 0;
}

static int on_body(http_parser *p, const char *at, size_t n)
{
	struct http_request_reader *r = p->data;
	struct error e = ERROR_INIT;

	if (n > r->body_bytes - r->body.len) {
		r->too_large = true;
		return 1;
	}
	if (buf_add(&r->body, at, n, &e) < 0) {
		r->no_memory = true;
		return 1;
	}
	return 0;
}

static int on_complete(http_parser *p)
{
	struct http_request_reader *r = p->data;

	r->complete = true;
	http_parser_pause(p, 1); /* what follows is another request */
	return 0;
}

static bool run_parser(struct http_request_reader *r, struct view data,
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
	if (r->too_large)
		return refuse(r, 413, "request body too large");
	if (r->no_memory)
		return refuse(r, 503, "out of memory");
	if (rc != HPE_OK && !(rc == HPE_PAUSED && r->complete))
		return refuse(r, 400, "malformed request");
	return true;
}

/* The other parser has read the same head: it must have seen the same body. */
static bool parsers_agree(struct http_request_reader *r)
{
	bool has_body = r->chunked || r->length > 0;
	bool chunked = (r->parser.flags & F_CHUNKED) != 0;

	if (r->parser.http_major != 1 || r->parser.http_minor != r->minor ||
	    r->complete == has_body || (has_body && chunked != r->chunked) ||
	    (has_body && !chunked && r->parser.content_length != r->length))
		return refuse(r, 400, "malformed request");
	return true;
}

static bool take_head(struct http_request_reader *r, struct view data,
		      size_t *used_out)
{
	struct http_head head;
	size_t used, n = http_head_length(data, &r->scanned);

	/* Another protocol is told at once. */
	if (data.len > 0 && data.ptr[0] != '\r' &&
	    !http_is_token_char(data.ptr[0]))
		return refuse(r, 400, "this port speaks HTTP");
	if ((n == 0 && data.len >= r->head_bytes) || n > r->head_bytes)
		return refuse(r, 431, "request head too large");
	if (n == 0)
		return true;
	data.len = n;
	if (!http_head_split(data, &head, &r->refusal) ||
	    !judge_head(r, &head) || !run_parser(r, data, &used))
		return false;
	if (used != n)
		return refuse(r, 400, "malformed request");
	*used_out += n;
	r->head_done = true;
	return parsers_agree(r);
}

/* Empty lines before a request are forgiven (RFC 9112 2.2). */
static struct view skip_empty_lines(struct http_request_reader *r,
				    struct view data, size_t *used_out)
{
	while (data.len >= 2 && data.ptr[0] == '\r' && data.ptr[1] == '\n') {
		r->scanned = 0;
		data = view_of(data.ptr + 2, data.len - 2);
		*used_out += 2;
	}
	return data;
}

enum http_step http_request_feed(struct http_request_reader *r,
				 struct view data, size_t *used_out)
{
	size_t used, before;

	*used_out = 0;
	if (!r->head_done) {
		data = skip_empty_lines(r, data, used_out);
		before = *used_out;
		if (!take_head(r, data, used_out))
			return HTTP_REFUSED;
		if (!r->head_done)
			return HTTP_MORE;
		used = *used_out - before;
		data = view_of(data.ptr + used, data.len - used);
		if (r->expects && data.len == 0)
			return HTTP_CONTINUE;
	}
	if (!run_parser(r, data, &used))
		return HTTP_REFUSED;
	*used_out += used;
	return r->complete ? HTTP_DONE : HTTP_MORE;
}

int http_request_close_head(struct http_request_reader *r, bool keep,
			    struct error *e)
{
	if ((r->chunked || r->length_given) &&
	    buf_addf(&r->head, e, "Content-Length: %zu\r\n", r->body.len) < 0)
		return -1;
	return buf_addf(&r->head, e, "Connection: %s\r\n\r\n",
			keep ? "keep-alive" : "close");
}
