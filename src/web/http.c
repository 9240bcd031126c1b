/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "web/http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"

/* Bodies up to this size leave together with their head: one system call, one
 * segment. On the stack of a thread of civetweb, which has 100 KiB, most of it
 * taken by civetweb itself. */
enum { ONE_WRITE_MAX = 8192 };

/* On every answer. No Strict-Transport-Security: the certificate of a fresh
 * device is self-signed, and a browser that was told to insist would let
 * nobody past its warning any more; plain HTTP is also the documented way back
 * in after a lock-out. No Server: whoever asks need not know. */
#define HEADERS_OF_ALL                                                       \
	"Content-Security-Policy: default-src 'self'; frame-ancestors "      \
	"'none'; base-uri 'none'; form-action 'self'; object-src 'none'\r\n" \
	"X-Content-Type-Options: nosniff\r\n"                                \
	"Referrer-Policy: no-referrer\r\n"                                   \
	"Cross-Origin-Resource-Policy: same-origin\r\n"

/* RFC 9110 5.6.7, the same in every locale. */
static void format_date(char *out, size_t size)
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed",
					 "Thu", "Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr",
					    "May", "Jun", "Jul", "Aug",
					    "Sep", "Oct", "Nov", "Dec" };
	time_t now = clock_now();
	struct tm tm;

	gmtime_r(&now, &tm);
	snprintf(out, size, "%s, %02d %s %d %02d:%02d:%02d GMT",
		 days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
		 tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* What civetweb will do after this request, by the same rules. */
static bool client_closes(struct mg_connection *c)
{
	const struct mg_request_info *ri = mg_get_request_info(c);
	const char *wish = mg_get_header(c, "Connection");

	if (!ri || !ri->http_version)
		return true;
	if (wish)
		return strcasecmp(wish, "keep-alive") != 0;
	return strcmp(ri->http_version, "1.1") != 0;
}

static size_t format_head(char *out, size_t size, const struct http_reply *r,
			  bool close)
{
	char date[40];
	int n;

	format_date(date, sizeof(date));
	n = snprintf(out, size,
		     "HTTP/1.1 %d %s\r\n"
		     "Date: %s\r\n" HEADERS_OF_ALL "%s%s%s%s%s",
		     r->status, http_reason(r->status), date,
		     r->content_type ? "Content-Type: " : "",
		     r->content_type ? r->content_type : "",
		     r->content_type ? "\r\n" : "", r->extra ? r->extra : "",
		     close ? "Connection: close\r\n" : "");
	if (n > 0 && (size_t)n < size && r->status != 304)
		n += snprintf(out + n, size - (size_t)n,
			      "Content-Length: %zu\r\n", r->body.len);
	if (n > 0 && (size_t)n < size)
		n += snprintf(out + n, size - (size_t)n, "\r\n");
	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

int http_send(struct mg_connection *c, const struct http_reply *r)
{
	const struct mg_request_info *ri = mg_get_request_info(c);
	bool head_only =
	    ri && ri->request_method && !strcmp(ri->request_method, "HEAD");
	bool close = r->close || client_closes(c);
	char out[HTTP_HEAD_MAX + ONE_WRITE_MAX];
	size_t n = format_head(out, HTTP_HEAD_MAX, r, close);

	if (close)
		mg_disable_connection_keep_alive(c);
	if (n == 0) /* headers that do not fit: cannot be told in HTTP */
		return 500;
	if (!head_only && r->body.len && r->body.len <= ONE_WRITE_MAX) {
		memcpy(out + n, r->body.ptr, r->body.len);
		n += r->body.len;
	}
	mg_write(c, out, n);
	if (!head_only && r->body.len > ONE_WRITE_MAX)
		mg_write(c, r->body.ptr, r->body.len);
	return r->status;
}

int http_send_status(struct mg_connection *c, int status, const char *extra,
		     bool close)
{
	char text[80];
	struct http_reply r = {
		.status = status,
		.content_type = "text/plain; charset=us-ascii",
		.extra = extra,
		.close = close,
	};

	snprintf(text, sizeof(text), "%d %s\n", status, http_reason(status));
	r.body = view_str(text);
	return http_send(c, &r);
}
