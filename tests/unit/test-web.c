/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/lib/unit.h"
#include "web/assets.h"
#include "web/http.h"
#include "web/redirect.h"
#include "web/web.h"

enum { BODY_MAX = 65536, REPLY_MAX = 4 * 1024 * 1024 };

static struct peer_registry *peers;
static struct web *web;
static bool ready = true;
static const char *www;

/* What the handler saw last, and what it shall answer. */
static struct {
	unsigned calls;
	size_t body_len;
	uint8_t body_sum;
	char session[100], csrf[100], type[100];
	bool utf8;
	enum peer_via via;
	enum error_kind fail;
	const char *set_session;
	bool clear_session, reply_utf8;
	size_t reply_len; /* 0: a short text */
} seen;

/* As deep as libraries may go; civetweb's own threads have a fifth of that. */
static void use_stack(void)
{
	volatile uint8_t deep[512 * 1024];

	for (size_t i = 0; i < sizeof(deep); i += 1024)
		deep[i] = 1;
}

static int on_rpc(void *arg, const struct web_request *rq,
		  struct web_reply *reply, struct error *e)
{
	(void)arg;
	use_stack();
	seen.calls++;
	seen.body_len = rq->body.len;
	seen.body_sum = 0;
	for (size_t i = 0; i < rq->body.len; i++)
		seen.body_sum = (uint8_t)(seen.body_sum + rq->body.ptr[i]);
	snprintf(seen.session, sizeof(seen.session), "%s",
		 rq->session_id ? rq->session_id : "-");
	snprintf(seen.csrf, sizeof(seen.csrf), "%s",
		 rq->csrf_token ? rq->csrf_token : "-");
	snprintf(seen.type, sizeof(seen.type), "%s",
		 rq->content_type ? rq->content_type : "-");
	seen.utf8 = rq->wants_utf8;
	seen.via = rq->peer.via;
	if (seen.fail)
		return error_set(e, seen.fail, "as wanted");
	if (seen.set_session)
		strcpy(reply->set_session, seen.set_session);
	reply->clear_session = seen.clear_session;
	reply->utf8 = seen.reply_utf8;
	for (size_t i = 0; i < seen.reply_len; i++)
		if (buf_add(&reply->body, "y", 1, e) < 0)
			return -1;
	return seen.reply_len ? 0 : buf_adds(&reply->body, "<answer/>", e);
}

static enum error_kind system_fails;

static int on_system_xml(void *arg, struct buf *out, struct error *e)
{
	(void)arg;
	if (system_fails)
		return error_set(e, system_fails, "as wanted");
	return buf_adds(out, "<system/>", e);
}

static bool is_ready(void *arg)
{
	(void)arg;
	return ready;
}

static void write_file(const char *name, const char *text, size_t n)
{
	char path[600];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", www, name);
	f = fopen(path, "we");
	if (!f || fwrite(text, 1, n, f) != n || fclose(f) != 0)
		abort();
}

static void make_www(void)
{
	static char large[100000];
	char path[600];

	www = unit_temp_dir();
	snprintf(path, sizeof(path), "%s/users", www);
	if (mkdir(path, 0700))
		abort();
	memset(large, 'L', sizeof(large));
	write_file("index.html", "<p>home</p>", 11);
	write_file("users/index.html", "<p>users</p>", 12);
	write_file("users/users.html", "u", 1);
	write_file("large.js", large, sizeof(large));
	write_file("style.css", "p{}", 3);
	write_file("icon.svg", "<svg/>", 6);
	write_file("other.bin", "\0\1", 2);
	write_file("empty.txt", "", 0);
	write_file(".hidden", "secret", 6);
	write_file("www.am", "secret", 6);
	snprintf(path, sizeof(path), "%s/link.html", www);
	if (symlink("/etc/passwd", path))
		abort();
}

static int set_up(void)
{
	struct error e = ERROR_INIT;
	struct web_options o = {
		.threads = 4,
		.body_bytes = BODY_MAX,
		.rpc = on_rpc,
		.system_xml = on_system_xml,
		.ready = is_ready,
	};

	make_www();
	peers = peer_registry_new(&e);
	o.directory = www;
	o.peers = peers;
	web = peers ? web_start(&o, &e) : NULL;
	if (!web)
		unit_note("%s", e.text);
	return !web;
}

static int tear_down(void)
{
	web_stop(web);
	peer_registry_free(peers);
	return 0;
}

/* A connection from a port that is registered, or not. */
static int connect_to_web(bool registered, enum peer_via via, uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct timeval tv = { .tv_sec = 60 };
	socklen_t len = sizeof(a);
	struct peer p = { .via = via, .address = "192.0.2.7", .connection = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
	    getsockname(fd, (struct sockaddr *)&a, &len))
		abort();
	*port = ntohs(a.sin_port);
	peer_registry_remove(peers, *port);
	if (registered)
		peer_registry_put(peers, *port, &p);
	a.sin_port = htons(web_port(web));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)))
		abort();
	return fd;
}

static char reply[REPLY_MAX];

/* Send, and read until the end of the connection, or until the whole of one
 * answer with a Content-Length is there. */
static void exchange_on(int fd, const char *request, size_t n, bool until_end)
{
	size_t got = 0;
	ssize_t r;

	if (n && send(fd, request, n, MSG_NOSIGNAL) != (ssize_t)n)
		unit_note("send: %s", strerror(errno));
	for (;;) {
		char *end, *length;

		reply[got] = '\0';
		end = strstr(reply, "\r\n\r\n");
		length = strstr(reply, "Content-Length: ");
		if (!until_end && end &&
		    (!length || got >= (size_t)(end + 4 - reply) +
					   strtoul(length + 16, NULL, 10)))
			return;
		r = recv(fd, reply + got, sizeof(reply) - got - 1, 0);
		if (r <= 0)
			break;
		got += (size_t)r;
	}
	reply[got] = '\0';
	CU_ASSERT(!until_end || r == 0);
}

static int exchange_n(const char *request, size_t n, bool registered)
{
	uint16_t port;
	int fd = connect_to_web(registered, PEER_HTTPS, &port), status = 0;

	exchange_on(fd, request, n, true);
	close(fd);
	peer_registry_remove(peers, port);
	if (sscanf(reply, "HTTP/1.1 %d", &status) != 1)
		status = 0;
	return status;
}

static int exchange(const char *request)
{
	return exchange_n(request, strlen(request), true);
}

#define END "Connection: close\r\nHost: x\r\n\r\n"

static bool has(const char *text)
{
	return strstr(reply, text) != NULL;
}

static void test_pages(void)
{
	static const struct {
		const char *target;
		int status;
		const char *type, *body;
	} rows[] = {
		{ "/", 200, "text/html; charset=utf-8", "<p>home</p>" },
		{ "/index.html", 200, "text/html", "<p>home</p>" },
		{ "/index.html?x=1", 200, "text/html", "<p>home</p>" },
		{ "/users/", 200, "text/html", "<p>users</p>" },
		{ "/users/users.html", 200, "text/html", "u" },
		{ "/users/../index.html", 200, "text/html", "home" },
		{ "/style.css", 200, "text/css", "p{}" },
		{ "/icon.svg", 200, "image/svg+xml", "<svg/>" },
		{ "/large.js", 200, "text/javascript; charset=utf-8", "LLLL" },
		{ "/other.bin", 200, "application/octet-stream", NULL },
		{ "/empty.txt", 200, "text/plain", NULL },
		{ "/health/live", 200, "text/plain", "ok\n" },
		{ "/health/ready", 200, "text/plain", "ok\n" },
		{ "/system.xml", 200, "text/xml", "<system/>" },
		{ "/system.xml?x=1", 200, "text/xml", "<system/>" },
		{ "/System.xml", 404, NULL, NULL },
		{ "/system.xml/", 404, NULL, NULL },
		{ "/users", 404, "text/plain", "404 Not Found\n" },
		{ "/nothing", 404, "text/plain", "404 Not Found\n" },
		{ "/.hidden", 404, NULL, NULL },
		{ "/www.am", 404, NULL, NULL },
		{ "/link.html", 404, NULL, NULL },
		{ "/../../../../etc/passwd", 404, NULL, NULL },
		{ "/%2e%2e/%2e%2e/etc/passwd", 404, NULL, NULL },
		{ "//etc/passwd", 404, NULL, NULL },
		{ "/index.html%00.js", 404, NULL, NULL },
		{ "/index%2Ehtml", 404, NULL, NULL },
		{ "/users%2fusers.html", 404, NULL, NULL },
		{ "/RPC2", 405, NULL, NULL },
	};
	char request[300];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int status;

		snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" END,
			 rows[i].target);
		status = exchange(request);
		if (status != rows[i].status)
			unit_note("%s: %.60s", rows[i].target, reply);
		CU_ASSERT_EQUAL(status, rows[i].status);
		CU_ASSERT(!rows[i].type || has(rows[i].type));
		CU_ASSERT(!rows[i].body || has(rows[i].body));
		CU_ASSERT(!has("root:") && !has("secret"));
		CU_ASSERT(has("Content-Security-Policy: default-src 'self'"));
		CU_ASSERT(has("X-Content-Type-Options: nosniff"));
		CU_ASSERT(!has("Server:") && !has("ivet"));
		CU_ASSERT(!has("Access-Control"));
		CU_ASSERT(!has("Strict-Transport-Security"));
	}
}

static void test_large_page_is_whole(void)
{
	char *body;

	CU_ASSERT_EQUAL(exchange("GET /large.js HTTP/1.1\r\n" END), 200);
	body = strstr(reply, "\r\n\r\n") + 4;
	CU_ASSERT_EQUAL(strlen(body), 100000);
	CU_ASSERT_EQUAL(strspn(body, "L"), 100000);
}

static void test_etag(void)
{
	char request[400], etag[64], *p;

	CU_ASSERT_EQUAL(exchange("GET /index.html HTTP/1.1\r\n" END), 200);
	CU_ASSERT(has("Cache-Control: no-cache"));
	p = strstr(reply, "ETag: ");
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(sscanf(p, "ETag: %63s", etag), 1);
	snprintf(request, sizeof(request),
		 "GET / HTTP/1.1\r\nIf-None-Match: \"x\", %s\r\n" END, etag);
	CU_ASSERT_EQUAL(exchange(request), 304);
	CU_ASSERT(has(etag) && !has("home") && !has("Content-Length"));
	CU_ASSERT_EQUAL(
	    exchange("GET / HTTP/1.1\r\nIf-None-Match: \"x\"\r\n" END), 200);
}

static void test_head(void)
{
	CU_ASSERT_EQUAL(exchange("HEAD /index.html HTTP/1.1\r\n" END), 200);
	CU_ASSERT(has("Content-Length: 11\r\n") && !has("home"));
	CU_ASSERT_EQUAL(exchange("HEAD /nothing HTTP/1.1\r\n" END), 404);
	CU_ASSERT_EQUAL(exchange("HEAD /health/live HTTP/1.1\r\n" END), 200);
	CU_ASSERT(!has("ok\n"));
	CU_ASSERT_EQUAL(exchange("HEAD /system.xml HTTP/1.1\r\n" END), 200);
	CU_ASSERT(has("Content-Length: 9\r\n") && !has("<system"));
}

static void test_system_xml_fails(void)
{
	system_fails = ERR_LIMIT;
	CU_ASSERT_EQUAL(exchange("GET /system.xml HTTP/1.1\r\n" END),
			http_status_of(ERR_LIMIT));
	CU_ASSERT(!has("<system") && !has("as wanted"));
	system_fails = ERR_NONE;
	CU_ASSERT_EQUAL(exchange("GET /system.xml HTTP/1.1\r\n" END), 200);
	CU_ASSERT(has("Cache-Control: no-store") && !has("Set-Cookie"));
}

static void test_methods_refused(void)
{
	static const char *const methods[] = { "POST",  "PUT",      "DELETE",
					       "PATCH", "OPTIONS",  "TRACE",
					       "MKCOL", "PROPFIND", "CONNECT" };
	static const char *const targets[] = { "/index.html", "/RPC2",
					       "/health/live", "/system.xml" };
	char request[300];

	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		for (size_t k = 0; k < 4; k++) {
			int status;

			if (i == 0 && k == 1)
				continue;
			snprintf(request, sizeof(request),
				 "%s %s HTTP/1.1\r\nOrigin: http://evil\r\n"
				 "Access-Control-Request-Method: POST\r\n"
				 "Content-Length: 0\r\n" END,
				 methods[i], targets[k]);
			status = exchange(request);
			/* civetweb does not know TRACE */
			if (status != 405 && status != 400)
				unit_note("%s %s: %.80s", methods[i],
					  targets[k], reply);
			CU_ASSERT(status == 405 || status == 400);
			CU_ASSERT(status != 405 || has("Allow: "));
			CU_ASSERT(!has("Access-Control"));
		}
}

static void test_unregistered_refused(void)
{
	static const char *const rows[] = {
		"GET /index.html HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx",
		"POST /RPC2 HTTP/1.1\r\nHost: x\r\n"
		"Content-Length: 4000000000\r\n\r\nx",
	};
	unsigned before = seen.calls;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		/* closed by the server although keep-alive was offered */
		CU_ASSERT_EQUAL(exchange_n(rows[i], strlen(rows[i]), false),
				403);
		CU_ASSERT(!has("home") && !has("ok\n") && !has("answer"));
	}
	CU_ASSERT_EQUAL(seen.calls, before);
}

static void test_malformed(void)
{
	static const char *const rows[] = {
		"\r\n\r\n",
		"nonsense\r\n\r\n",
		"GET\r\n\r\n",
		"GET /\r\n\r\n",
		"GET / HTTP/9.9\r\n\r\n",
		"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET http://x.example/index.html HTTP/1.1\r\nHost: x\r\n"
		"\r\n",
		"GET / HTTP/1.1 x\r\n\r\n",
		"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
		"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n",
		"\x80\x01\x02\x03\r\n\r\n",
	};
	unsigned before = seen.calls;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint16_t port;
		int fd = connect_to_web(true, PEER_HTTP, &port);

		send(fd, rows[i], strlen(rows[i]), MSG_NOSIGNAL);
		shutdown(fd, SHUT_WR);
		exchange_on(fd, "", 0, true);
		close(fd);
		if (reply[0])
			CU_ASSERT(strncmp(reply, "HTTP/1.1 4", 10) == 0 ||
				  strncmp(reply, "HTTP/1.1 505", 12) == 0);
		CU_ASSERT(!has("ivet"));
	}
	CU_ASSERT_EQUAL(seen.calls, before);
	CU_ASSERT_EQUAL(exchange("GET / HTTP/1.1\r\n" END), 200);
}

static void test_rpc(void)
{
	memset(&seen, 0, sizeof(seen));
	CU_ASSERT_EQUAL(exchange("POST /RPC2 HTTP/1.1\r\n"
				 "Content-Type: text/xml; charset=utf-8\r\n"
				 "Cookie: a=b; sealbridge_session=SESSION; c=d"
				 "\r\nX-CSRF-Token: TOKEN\r\n"
				 "Content-Length: 5\r\n" END "hello"),
			200);
	CU_ASSERT(has("<answer/>") && has("Content-Type: text/xml\r\n"));
	CU_ASSERT(has("Cache-Control: no-store"));
	CU_ASSERT(!has("Set-Cookie"));
	CU_ASSERT_EQUAL(seen.calls, 1);
	CU_ASSERT_EQUAL(seen.body_len, 5);
	CU_ASSERT_STRING_EQUAL(seen.session, "SESSION");
	CU_ASSERT_STRING_EQUAL(seen.csrf, "TOKEN");
	CU_ASSERT_STRING_EQUAL(seen.type, "text/xml; charset=utf-8");
	CU_ASSERT(seen.utf8);
	CU_ASSERT_EQUAL(seen.via, PEER_HTTPS);
	/* Nothing of it is needed. */
	CU_ASSERT_EQUAL(
	    exchange("POST /RPC2 HTTP/1.1\r\nContent-Length: 0\r\n" END), 200);
	CU_ASSERT_STRING_EQUAL(seen.session, "-");
	CU_ASSERT_STRING_EQUAL(seen.csrf, "-");
	CU_ASSERT(!seen.utf8);
	CU_ASSERT_EQUAL(seen.body_len, 0);
	/* Chunked. */
	CU_ASSERT_EQUAL(exchange("POST /RPC2 HTTP/1.1\r\n"
				 "Transfer-Encoding: chunked\r\n"
				 "Accept-Charset: utf-8\r\n" END
				 "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
			200);
	CU_ASSERT_EQUAL(seen.body_len, 5);
	CU_ASSERT(seen.utf8);
}

static void test_rpc_refused(void)
{
	static const struct {
		const char *headers;
		int status;
	} rows[] = {
		{ "", 411 },
		{ "Content-Length: 65537\r\n", 413 },
		{ "Content-Length: 99999999999\r\n", 413 },
		{ "Content-Length: 1\r\nContent-Type: text/plain\r\n", 415 },
		{ "Content-Length: 1\r\n"
		  "Content-Type: application/x-www-form-urlencoded\r\n",
		  415 },
		{ "Content-Length: 1\r\nContent-Type: text/xmlx\r\n", 415 },
		{ "Content-Length: 1\r\n"
		  "Content-Type: multipart/form-data; boundary=text/xml\r\n",
		  415 },
		{ "Content-Length: 1\r\nSec-Fetch-Site: cross-site\r\n", 403 },
		{ "Content-Length: 1\r\nSec-Fetch-Site: same-site\r\n", 403 },
		{ "Content-Length: 1\r\nContent-Type: application/xml\r\n"
		  "Sec-Fetch-Site: same-origin\r\n",
		  200 },
		{ "Content-Length: 1\r\nContent-Type: TEXT/XML;x\r\n"
		  "Sec-Fetch-Site: none\r\n",
		  200 },
	};
	char request[400];

	memset(&seen, 0, sizeof(seen));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int status;

		snprintf(request, sizeof(request),
			 "POST /RPC2 HTTP/1.1\r\n%s" END "x", rows[i].headers);
		status = exchange(request);
		if (status != rows[i].status)
			unit_note("%s: %d", rows[i].headers, status);
		CU_ASSERT_EQUAL(status, rows[i].status);
	}
	CU_ASSERT_EQUAL(seen.calls, 2);
}

static void test_rpc_body_sizes(void)
{
	static char request[BODY_MAX + 300];
	int n;

	memset(&seen, 0, sizeof(seen));
	n = snprintf(request, sizeof(request),
		     "POST /RPC2 HTTP/1.1\r\nContent-Length: %d\r\n" END,
		     BODY_MAX);
	memset(request + n, 1, BODY_MAX);
	CU_ASSERT_EQUAL(exchange_n(request, (size_t)n + BODY_MAX, true), 200);
	CU_ASSERT_EQUAL(seen.body_len, BODY_MAX);
	CU_ASSERT_EQUAL(seen.body_sum, (uint8_t)BODY_MAX);
	/* One byte more, in one chunk. */
	n = snprintf(request, sizeof(request),
		     "POST /RPC2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END
		     "%x\r\n",
		     BODY_MAX + 1);
	memset(request + n, 1, BODY_MAX + 1);
	strcpy(request + n + BODY_MAX + 1, "\r\n0\r\n\r\n");
	CU_ASSERT_EQUAL(exchange_n(request, (size_t)n + BODY_MAX + 1 + 7, true),
			413);
	CU_ASSERT_EQUAL(seen.calls, 1);
}

static void test_rpc_broken_body(void)
{
	uint16_t port;
	int fd = connect_to_web(true, PEER_HTTP, &port);

	memset(&seen, 0, sizeof(seen));
	send(fd, "POST /RPC2 HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc", 46,
	     MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	exchange_on(fd, "", 0, true);
	close(fd);
	CU_ASSERT(reply[0] == '\0' || has(" 400 "));
	CU_ASSERT_EQUAL(seen.calls, 0);
}

static void test_rpc_replies(void)
{
	static const struct {
		enum error_kind kind;
		int status;
	} rows[] = {
		{ ERR_NOMEM, 503 },
		{ ERR_INTERNAL, 500 },
		{ ERR_LIMIT, 413 },
		{ ERR_TOKEN, 500 },
	};
	static const char call[] =
	    "POST /RPC2 HTTP/1.1\r\nContent-Length: 0\r\n" END;

	memset(&seen, 0, sizeof(seen));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		seen.fail = rows[i].kind;
		CU_ASSERT_EQUAL(exchange(call), rows[i].status);
		CU_ASSERT(!has("as wanted"));
	}
	seen.fail = ERR_NONE;
	seen.set_session = "0123456789012345678901234567890123456789012";
	seen.reply_utf8 = true;
	CU_ASSERT_EQUAL(exchange(call), 200);
	CU_ASSERT(has("Set-Cookie: sealbridge_session="
		      "0123456789012345678901234567890123456789012; Path=/; "
		      "HttpOnly; SameSite=Strict; Secure\r\n"));
	CU_ASSERT(has("Content-Type: text/xml; charset=utf-8\r\n"));
	seen.set_session = NULL;
	seen.clear_session = true;
	CU_ASSERT_EQUAL(exchange(call), 200);
	CU_ASSERT(has("Set-Cookie: sealbridge_session=; Max-Age=0; Path=/"));
	seen.clear_session = false;
	seen.reply_len = 1000000;
	CU_ASSERT_EQUAL(exchange(call), 200);
	CU_ASSERT_EQUAL(strlen(strstr(reply, "\r\n\r\n") + 4), 1000000);
	memset(&seen, 0, sizeof(seen));
}

static void test_cookie_over_http(void)
{
	static const char call[] =
	    "POST /RPC2 HTTP/1.1\r\nContent-Length: 0\r\n" END;
	uint16_t port;
	int fd = connect_to_web(true, PEER_HTTP, &port);

	memset(&seen, 0, sizeof(seen));
	seen.set_session = "abc";
	exchange_on(fd, call, strlen(call), true);
	close(fd);
	CU_ASSERT(has("Set-Cookie: sealbridge_session=abc; Path=/; HttpOnly; "
		      "SameSite=Strict\r\n"));
	memset(&seen, 0, sizeof(seen));
}

static void test_ready(void)
{
	ready = false;
	CU_ASSERT_EQUAL(exchange("GET /health/ready HTTP/1.1\r\n" END), 503);
	CU_ASSERT_EQUAL(exchange("GET /health/live HTTP/1.1\r\n" END), 200);
	ready = true;
}

/* Many requests on one connection, errors that keep it among them. */
static void test_keep_alive(void)
{
	static const char *const rows[] = {
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n",
		"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: "
		"3\r\n\r\nabc",
		"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
	};
	uint16_t port;
	int fd = connect_to_web(true, PEER_HTTPS, &port);

	memset(&seen, 0, sizeof(seen));
	for (size_t i = 0; i < 20; i++) {
		const char *request = rows[i % 5];

		if (i % 5 == 2) { /* no body behind the length of a HEAD */
			send(fd, request, strlen(request), MSG_NOSIGNAL);
			CU_ASSERT(recv(fd, reply, sizeof(reply), 0) > 0);
			continue;
		}
		exchange_on(fd, request, strlen(request), false);
		CU_ASSERT(!strncmp(reply, "HTTP/1.1 ", 9));
		CU_ASSERT(!has("Connection: close"));
	}
	CU_ASSERT_EQUAL(seen.calls, 4);
	/* Taken out of the registry in between: nothing any more. */
	peer_registry_remove(peers, port);
	exchange_on(fd, rows[0], strlen(rows[0]), true);
	CU_ASSERT(has(" 403 "));
	close(fd);
}

static void *hammer(void *arg)
{
	static const char request[] = "GET /style.css HTTP/1.1\r\nHost: x\r\n"
				      "\r\n";
	size_t *good = arg;
	uint16_t port;
	int fd = connect_to_web(true, PEER_HTTPS, &port);
	char text[2048];

	for (int i = 0; i < 200; i++) {
		ssize_t n = send(fd, request, strlen(request), MSG_NOSIGNAL);

		n = n > 0 ? recv(fd, text, sizeof(text) - 1, 0) : 0;
		text[n > 0 ? n : 0] = '\0';
		*good += strstr(text, "p{}") != NULL;
	}
	close(fd);
	return NULL;
}

static void test_threads(void)
{
	pthread_t threads[4];
	size_t good[4] = { 0 };

	for (int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL_FATAL(
		    pthread_create(&threads[i], NULL, hammer, &good[i]), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		CU_ASSERT_EQUAL(good[i], 200);
	}
}

static void test_start_fails(void)
{
	struct error e = ERROR_INIT;
	struct web_options o = {
		.directory = "/nowhere/at/all",
		.peers = peers,
		.threads = 1,
		.rpc = on_rpc,
	};

	CU_ASSERT_PTR_NULL(web_start(&o, &e));
	CU_ASSERT_EQUAL(e.kind, ERR_IO);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/nowhere/at/all"));
	web_stop(NULL);
}

static void test_assets_limits(void)
{
	struct error e = ERROR_INIT;
	struct assets *a;
	char path[600];
	int fd;

	www = unit_temp_dir();
	snprintf(path, sizeof(path), "%s/big.js", www);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CU_ASSERT_EQUAL(ftruncate(fd, ASSET_BYTES_MAX + 1), 0);
	a = assets_load(www, &e);
	CU_ASSERT_PTR_NULL(a);
	CU_ASSERT_EQUAL(e.kind, ERR_LIMIT);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/big.js"));
	CU_ASSERT_EQUAL(ftruncate(fd, ASSET_BYTES_MAX), 0);
	a = assets_load(www, &e);
	CHECK_OBJECT(a, &e);
	CU_ASSERT_PTR_NOT_NULL(assets_find(a, "/big.js"));
	CU_ASSERT_PTR_NULL(assets_find(a, ""));
	CU_ASSERT_PTR_NULL(assets_find(a, "/"));
	CU_ASSERT_PTR_NULL(assets_find(a, path));
	assets_free(a);
	assets_free(NULL);
	close(fd);
}

static void test_status_table(void)
{
	for (int k = 0; k < ERR_KIND_COUNT; k++) {
		int status = http_status_of((enum error_kind)k);

		CU_ASSERT(status >= 400 && status < 600);
		CU_ASSERT_STRING_NOT_EQUAL(http_reason(status), "Error");
	}
	CU_ASSERT_STRING_EQUAL(http_reason(999), "Error");
}

static void test_redirect_location(void)
{
	static char name_255[] =
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	static const struct {
		const char *host, *path, *query;
		uint16_t port;
		const char *want;
	} rows[] = {
		{ "a.example", "/", NULL, 443, "https://a.example/" },
		{ "a.example:80", "/x", "y=1", 443, "https://a.example/x?y=1" },
		{ "a.example", "/", NULL, 8443, "https://a.example:8443/" },
		{ "192.0.2.1:8080", "/", "", 443, "https://192.0.2.1/?" },
		{ "[2001:db8::1]", "/", NULL, 8443,
		  "https://[2001:db8::1]:8443/" },
		{ "[::1]:80", "/", NULL, 443, "https://[::1]/" },
		{ "a_b-c.example.", "/", NULL, 443, "https://a_b-c.example./" },
		/* not repeated */
		{ NULL, "/", NULL, 443, "https://[2001:db8::2]/" },
		{ "", "/", NULL, 443, "https://[2001:db8::2]/" },
		{ ":80", "/", NULL, 443, "https://[2001:db8::2]/" },
		{ "a b", "/", NULL, 443, "https://[2001:db8::2]/" },
		{ "a/b", "/", NULL, 443, "https://[2001:db8::2]/" },
		{ "a@b", "/", NULL, 443, "https://[2001:db8::2]/" },
		{ "a\r\nX: y", "/", NULL, 443, "https://[2001:db8::2]/" },
		{ "a:80:80", "/", NULL, 443, "https://[2001:db8::2]/" },
		{ "a:x", "/", NULL, 443, "https://[2001:db8::2]/" },
		{ "a:123456", "/", NULL, 443, "https://[2001:db8::2]/" },
		{ "[::1", "/", NULL, 443, "https://[2001:db8::2]/" },
		{ "[::1]x", "/", NULL, 443, "https://[2001:db8::2]/" },
		{ "[a.example]", "/", NULL, 443, "https://[2001:db8::2]/" },
		{ "[]", "/", NULL, 443, "https://[2001:db8::2]/" },
		{ "\xc3\xa9.example", "/", NULL, 443,
		  "https://[2001:db8::2]/" },
		{ name_255, "/", NULL, 443, "https://[2001:db8::2]/" },
		/* targets */
		{ "a", NULL, NULL, 443, "https://a/" },
		{ "a", "*", NULL, 443, "https://a/" },
		{ "a", "x", NULL, 443, "https://a/" },
		{ "a", "/a\r\nX: y", NULL, 443, "https://a/" },
		{ "a", "/", "a\nb", 443, "https://a/" },
		{ "a", "/<script>", NULL, 443, "https://a/" },
		{ "a", "//b.example/", NULL, 443, "https://a//b.example/" },
		{ "a", "/%0d%0a", NULL, 443, "https://a/%0d%0a" },
	};
	char out[REDIRECT_HOST_MAX + REDIRECT_TARGET_MAX + 32], target[600];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		redirect_location(rows[i].host, "2001:db8::2", rows[i].port,
				  rows[i].path, rows[i].query, out,
				  sizeof(out));
		CU_ASSERT_STRING_EQUAL(out, rows[i].want);
	}
	memset(target, 'x', sizeof(target));
	target[0] = '/';
	target[REDIRECT_TARGET_MAX] = '\0';
	redirect_location("a", "b", 443, target, NULL, out, sizeof(out));
	CU_ASSERT_EQUAL(strlen(out), strlen("https://a") + strlen(target));
	redirect_location("a", "b", 443, target, "", out, sizeof(out));
	CU_ASSERT_STRING_EQUAL(out, "https://a/");
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "pages", test_pages },
		{ "a large page is whole", test_large_page_is_whole },
		{ "ETag", test_etag },
		{ "HEAD", test_head },
		{ "system.xml fails", test_system_xml_fails },
		{ "methods refused", test_methods_refused },
		{ "unregistered connections refused",
		  test_unregistered_refused },
		{ "malformed requests", test_malformed },
		{ "calls", test_rpc },
		{ "calls refused", test_rpc_refused },
		{ "sizes of bodies", test_rpc_body_sizes },
		{ "a broken body", test_rpc_broken_body },
		{ "answers of calls", test_rpc_replies },
		{ "cookie over HTTP", test_cookie_over_http },
		{ "readiness", test_ready },
		{ "keep-alive", test_keep_alive },
		{ "where a redirect leads", test_redirect_location },
		{ "threads", test_threads },
		{ "start fails", test_start_fails },
		{ "limits of the static files", test_assets_limits },
		{ "table of statuses", test_status_table },
		{ 0 },
	};

	return unit_main(argc, argv, "web", tests, set_up, tear_down);
}
