/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "web/rpc.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/secret.h"
#include "web/roomy.h"

enum { REPLY_BYTES_MAX = 16 * 1024 * 1024, CHUNK_BYTES = 16384 };
/* Enough of a body to be told from everything else in a head's buffer. */
enum { WIPE_SAMPLE = 16 };

static bool has_word(const char *header, const char *word)
{
	return header && strcasestr(header, word) != NULL;
}

/* Missing is accepted, as the original does; anything but XML is not, so that
 * a form of a foreign page cannot reach the API without the browser asking
 * first. */
static bool type_is_taken(const char *type)
{
	size_t n = type ? strcspn(type, "; \t") : 0;

	return !type || (n == 8 && !strncasecmp(type, "text/xml", n)) ||
	       (n == 15 && !strncasecmp(type, "application/xml", n));
}

/* What browsers say about who made them send this (Fetch Metadata). */
static bool comes_from_foreign_page(struct mg_connection *c)
{
	const char *site = mg_get_header(c, "Sec-Fetch-Site");

	return site && strcmp(site, "same-origin") != 0 &&
	       strcmp(site, "none") != 0;
}

static int read_chunked(struct mg_connection *c, struct buf *body,
			struct error *e)
{
	uint8_t chunk[CHUNK_BYTES];
	int n;

	while ((n = mg_read(c, chunk, sizeof(chunk))) > 0)
		if (buf_add(body, chunk, (size_t)n, e) < 0)
			return -1;
	return n < 0 ? error_set(e, ERR_INPUT, "the body broke off") : 0;
}

static int read_sized(struct mg_connection *c, size_t length, struct buf *body,
		      struct error *e)
{
	if (buf_reserve(body, length, e) < 0)
		return -1;
	while (body->len < length) {
		int n = mg_read(c, body->ptr + body->len, length - body->len);

		if (n <= 0)
			return error_set(e, ERR_INPUT, "the body broke off");
		body->len += (size_t)n;
	}
	if (body->ptr)
		body->ptr[body->len] = '\0';
	return 0;
}

/* civetweb reads heads in portions, so that the beginning of a body comes to
 * lie behind the head, in a buffer that lives as long as the thread. A body may
 * bring a private key: what is found there of it is wiped. The buffer begins
 * with the request line, which has the method first. */
static void wipe_left_behind(struct mg_connection *c, const struct buf *body)
{
	const char *first = mg_get_request_info(c)->request_method;
	uint8_t *buffer = (uint8_t *)(uintptr_t)first;
	uint8_t *end = buffer + WEB_HEAD_BYTES, *at = NULL;
	size_t same = 0;

	if (body->len >= WIPE_SAMPLE)
		at = memmem(buffer, WEB_HEAD_BYTES, body->ptr, WIPE_SAMPLE);
	if (!at)
		return;
	while (at + same < end && same < body->len &&
	       at[same] == body->ptr[same])
		same++;
	secret_wipe(at, same);
}

/* 0, or the HTTP status to refuse with. */
static int read_body(struct mg_connection *c, size_t max, struct buf *body)
{
	const struct mg_request_info *ri = mg_get_request_info(c);
	struct error e = ERROR_INIT;
	int rc;

	if (ri->content_length > (long long)max)
		return 413;
	if (ri->content_length < 0 &&
	    !has_word(mg_get_header(c, "Transfer-Encoding"), "chunked"))
		return 411;
	rc = ri->content_length < 0
		 ? read_chunked(c, body, &e)
		 : read_sized(c, (size_t)ri->content_length, body, &e);
	wipe_left_behind(c, body);
	if (rc == 0)
		return 0;
	log_failure(LOG_LEVEL_TRACE, "web", &e);
	return http_status_of(e.kind);
}

/* The three ways in which clients of the original ask for UTF-8 outside the
 * document. */
static bool wants_utf8(struct mg_connection *c)
{
	return has_word(mg_get_header(c, "Accept-Charset"), "utf-8") ||
	       has_word(mg_get_header(c, "Accept-Encoding"), "utf-8") ||
	       has_word(mg_get_header(c, "Content-Type"), "utf-8");
}

static void format_cookie(const struct web_reply *reply,
			  const struct peer *peer, char *out, size_t size)
{
	const char *attributes = peer->via == PEER_HTTPS
				     ? "; Path=/; HttpOnly; SameSite=Strict; "
				       "Secure"
				     : "; Path=/; HttpOnly; SameSite=Strict";

	out[0] = '\0';
	if (reply->set_session[0])
		snprintf(out, size, "Set-Cookie: " SESSION_COOKIE "=%s%s\r\n",
			 reply->set_session, attributes);
	else if (reply->clear_session)
		snprintf(out, size,
			 "Set-Cookie: " SESSION_COOKIE "=; Max-Age=0%s\r\n",
			 attributes);
}

static int send_reply(struct mg_connection *c, const struct web_reply *reply,
		      const struct peer *peer)
{
	char cookie[200], extra[270];
	struct http_reply r = {
		.status = 200,
		.content_type =
		    reply->utf8 ? "text/xml; charset=utf-8" : "text/xml",
		.body = buf_view(&reply->body),
		.extra = extra,
	};

	format_cookie(reply, peer, cookie, sizeof(cookie));
	/* To the front, which keeps its own connection to us apart from the
	 * client's. */
	snprintf(extra, sizeof(extra), "Cache-Control: no-store\r\n%s%s",
		 reply->close ? "Proxy-Connection: close\r\n" : "", cookie);
	return http_send(c, &r);
}

struct api_call {
	const struct web_options *o;
	const struct web_request *rq;
	struct web_reply *reply;
	struct error *e;
	int rc;
};

static void run_api_call(void *arg)
{
	struct api_call *call = arg;

	call->rc =
	    call->o->rpc(call->o->rpc_arg, call->rq, call->reply, call->e);
}

static int call_api(struct mg_connection *c, const struct web_options *o,
		    const struct peer *peer, struct view body)
{
	char cookie[SESSION_ID_SIZE];
	struct web_request rq = {
		.peer = *peer,
		.body = body,
		.csrf_token = mg_get_header(c, "X-CSRF-Token"),
		.content_type = mg_get_header(c, "Content-Type"),
		.wants_utf8 = wants_utf8(c),
	};
	struct web_reply reply = { 0 };
	struct error e = ERROR_INIT;
	struct api_call call = { o, &rq, &reply, &e, -1 };
	int status;

	if (mg_get_cookie(mg_get_header(c, "Cookie"), SESSION_COOKIE, cookie,
			  sizeof(cookie)) > 0)
		rq.session_id = cookie;
	buf_init_secret(&reply.body, REPLY_BYTES_MAX);
	if (roomy_run(run_api_call, &call, &e) < 0 || call.rc < 0) {
		log_failure(LOG_LEVEL_ERROR, "web", &e);
		status =
		    http_send_status(c, http_status_of(e.kind), NULL, true);
	} else {
		status = send_reply(c, &reply, peer);
	}
	buf_free(&reply.body);
	return status;
}

int rpc_serve(struct mg_connection *c, const struct web_options *o,
	      const struct peer *peer)
{
	struct buf body;
	int status;

	if (comes_from_foreign_page(c))
		return http_send_status(c, 403, NULL, true);
	if (!type_is_taken(mg_get_header(c, "Content-Type")))
		return http_send_status(c, 415, NULL, true);
	buf_init_secret(&body, o->body_bytes);
	status = read_body(c, o->body_bytes, &body);
	if (status)
		status = http_send_status(c, status, NULL, true);
	else
		status = call_api(c, o, peer, buf_view(&body));
	buf_free(&body);
	return status;
}
