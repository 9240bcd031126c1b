/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "web/web.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "web/assets.h"
#include "web/http.h"
#include "web/redirect.h"
#include "web/rpc.h"

/* civetweb reads requests, keeps connections alive and lends its threads; every
 * answer is ours: begin_request serves them all, so none of its own handlers
 * (files, directory listings, CGI, WebDAV, ...) is ever reached. */

/* Longer than the front keeps idle connections, so that it closes first and
 * never writes into a connection that has just been closed. */
#define IDLE_MS "90000"
/* Between two reads of one request: the front sends only whole bodies. */
#define REQUEST_MS "90000"

/* Between two wake-ups of civetweb's accepting thread at the end, and how many
 * there are at most: it looks up by itself after 2 s. */
enum { WAKE_MS = 20, WAKES_MAX = 150 };

enum { SYSTEM_XML_BYTES_MAX = 16 * 1024 };

struct web {
	struct web_options options;
	struct assets *assets;
	struct mg_context *civetweb;
	uint16_t port;
};

typedef int route_fn(struct mg_connection *c, const struct web *w,
		     const struct peer *peer);

static bool is_method(const struct mg_connection *c, const char *method)
{
	return !strcmp(mg_get_request_info(c)->request_method, method);
}

static int refuse_method(struct mg_connection *c, const char *allow)
{
	return http_send_status(c, 405, allow, true);
}

static int serve_rpc(struct mg_connection *c, const struct web *w,
		     const struct peer *peer)
{
	if (!is_method(c, "POST"))
		return refuse_method(c, "Allow: POST\r\n");
	return rpc_serve(c, &w->options, peer);
}

static int serve_health(struct mg_connection *c, bool good)
{
	struct http_reply r = {
		.status = good ? 200 : 503,
		.content_type = "text/plain; charset=us-ascii",
		.body = view_str(good ? "ok\n" : "not ready\n"),
		.extra = "Cache-Control: no-store\r\n",
	};

	if (!is_method(c, "GET") && !is_method(c, "HEAD"))
		return refuse_method(c, "Allow: GET, HEAD\r\n");
	return http_send(c, &r);
}

/* Asked for before anybody logs in, as from the original: it tells what the
 * device is, and nothing of its users or keys. */
static int serve_system_xml(struct mg_connection *c, const struct web *w,
			    const struct peer *peer)
{
	struct http_reply r = {
		.status = 200,
		.content_type = "text/xml",
		.extra = "Cache-Control: no-store\r\n",
	};
	struct error e = ERROR_INIT;
	struct buf body;
	int status;

	(void)peer;
	if (!w->options.system_xml)
		return http_send_status(c, 404, NULL, false);
	if (!is_method(c, "GET") && !is_method(c, "HEAD"))
		return refuse_method(c, "Allow: GET, HEAD\r\n");
	buf_init(&body, SYSTEM_XML_BYTES_MAX);
	if (w->options.system_xml(w->options.system_xml_arg, &body, &e) < 0) {
		log_failure(LOG_LEVEL_ERROR, "web", &e);
		status =
		    http_send_status(c, http_status_of(e.kind), NULL, true);
	} else {
		r.body = buf_view(&body);
		status = http_send(c, &r);
	}
	buf_free(&body);
	return status;
}

static int serve_live(struct mg_connection *c, const struct web *w,
		      const struct peer *peer)
{
	(void)w, (void)peer;
	return serve_health(c, true);
}

static int serve_ready(struct mg_connection *c, const struct web *w,
		       const struct peer *peer)
{
	(void)peer;
	return serve_health(c, !w->options.ready ||
				   w->options.ready(w->options.ready_arg));
}

/* Pages hold no data: what a visitor may see is decided by the API, and which
 * pages ask for a login by the pages' own code. no-cache: asked again each
 * time, answered with 304 as long as the file is the same, so that a page never
 * runs with modules of another version. */
static int serve_asset(struct mg_connection *c, const struct web *w,
		       const struct peer *peer)
{
	const struct asset *a =
	    assets_find(w->assets, mg_get_request_info(c)->local_uri);
	const char *known = mg_get_header(c, "If-None-Match");
	char extra[80];
	struct http_reply r = { .status = 200, .extra = extra };

	(void)peer;
	if (!a)
		return http_send_status(c, 404, NULL, false);
	if (!is_method(c, "GET") && !is_method(c, "HEAD"))
		return refuse_method(c, "Allow: GET, HEAD\r\n");
	snprintf(extra, sizeof(extra),
		 "Cache-Control: no-cache\r\nETag: %s\r\n", a->etag);
	if (known && strstr(known, a->etag)) {
		r.status = 304;
		return http_send(c, &r);
	}
	r.content_type = a->type;
	r.body = a->body;
	return http_send(c, &r);
}

static const struct {
	const char *path; /* NULL: whatever is left */
	route_fn *serve;
	bool over_http; /* also when HTTP is sent to HTTPS */
} routes[] = {
	{ "/RPC2", serve_rpc, false },
	{ "/system.xml", serve_system_xml, false },
	{ "/health/live", serve_live, true },
	{ "/health/ready", serve_ready, true },
	{ NULL, serve_asset, false },
};

/* No page of our own and no cookie: what was sent in the clear is not looked
 * at. Not to be kept by browsers, since the setting can be taken back. A
 * function of its own, so that other requests do not pay with their stack. */
__attribute__((noinline)) static int send_to_https(struct mg_connection *c,
						   const struct web *w,
						   uint16_t port)
{
	const struct mg_request_info *ri = mg_get_request_info(c);
	char location[REDIRECT_HOST_MAX + REDIRECT_TARGET_MAX + 32];
	char extra[sizeof(location) + 64];

	redirect_location(mg_get_header(c, "Host"), w->options.redirect_host,
			  port, ri->request_uri, ri->query_string, location,
			  sizeof(location));
	snprintf(extra, sizeof(extra),
		 "Location: %s\r\nCache-Control: no-store\r\n", location);
	return http_send_status(c, 308, extra, true);
}

static uint16_t redirect_port(const struct web *w, const struct peer *peer)
{
	if (peer->via != PEER_HTTP || !w->options.redirect)
		return 0;
	return w->options.redirect(w->options.redirect_arg);
}

static int begin_request(struct mg_connection *c)
{
	const struct mg_request_info *ri = mg_get_request_info(c);
	const struct web *w = ri->user_data;
	struct peer peer;
	uint16_t port;
	size_t i = 0;

	if (!peer_registry_get(w->options.peers, (uint16_t)ri->remote_port,
			       &peer))
		return http_send_status(c, 403, NULL, true);
	/* Unset for a request target that is no path (RFC 9112 3.2). */
	if (!ri->local_uri)
		return http_send_status(c, 400, NULL, true);
	while (routes[i].path && strcmp(routes[i].path, ri->local_uri) != 0)
		i++;
	port = routes[i].over_http ? 0 : redirect_port(w, &peer);
	if (port)
		return send_to_https(c, w, port);
	return routes[i].serve(c, w, &peer);
}

/* What civetweb refuses before it asks us. */
static int on_http_error(struct mg_connection *c, int status, const char *text)
{
	log_trace("web", "request refused: %d %s", status, text ? text : "");
	http_send_status(c, status, NULL, true);
	return 0;
}

static int on_log_message(const struct mg_connection *c, const char *message)
{
	(void)c;
	log_trace("web", "civetweb: %s", message);
	return 1;
}

static int start_civetweb(struct web *w, struct error *e)
{
	static const struct mg_callbacks callbacks = {
		.begin_request = begin_request,
		.http_error = on_http_error,
		.log_message = on_log_message,
	};
	struct mg_server_port port;
	char threads[16], head_bytes[16];
	const char *options[] = {
		"listening_ports", "127.0.0.1:0", "num_threads", threads,
		"enable_keep_alive", "yes", "keep_alive_timeout_ms", IDLE_MS,
		"request_timeout_ms", REQUEST_MS, "max_request_size",
		head_bytes, "tcp_nodelay", "1", "enable_directory_listing",
		"no", "enable_auth_domain_check", "no",
		/* our paths need no escapes, and %00
		 * would end a string */
		"decode_url", "no", "access_control_allow_origin", "", NULL
	};

	snprintf(threads, sizeof(threads), "%u", w->options.threads);
	snprintf(head_bytes, sizeof(head_bytes), "%d", WEB_HEAD_BYTES);
	mg_init_library(0);
	w->civetweb = mg_start(&callbacks, w, options);
	if (!w->civetweb)
		return error_set(e, ERR_IO,
				 "the web server on 127.0.0.1 did not start");
	if (mg_get_server_ports(w->civetweb, 1, &port) != 1 || port.port <= 0)
		return error_set(e, ERR_INTERNAL, "the web server has no port");
	w->port = (uint16_t)port.port;
	return 0;
}

struct web *web_start(const struct web_options *options, struct error *e)
{
	struct web *w = calloc(1, sizeof(*w));

	if (!w) {
		error_nomem(e);
		return NULL;
	}
	w->options = *options;
	w->assets = assets_load(options->directory, e);
	if (!w->assets || start_civetweb(w, e) < 0) {
		web_stop(w);
		return NULL;
	}
	log_trace("web", "web server on 127.0.0.1 port %u", w->port);
	return w;
}

uint16_t web_port(const struct web *w)
{
	return w->port;
}

struct waker {
	uint16_t port;
	atomic_bool done;
};

/* False: nobody accepts there any more. */
static bool knock(uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool refused;

	if (fd < 0)
		return true; /* out of descriptors for a moment */
	refused = connect(fd, (struct sockaddr *)&in, sizeof(in)) < 0 &&
		  errno == ECONNREFUSED;
	close(fd);
	return !refused;
}

static void *wake_accept(void *arg)
{
	const struct timespec pause = { .tv_nsec = WAKE_MS * 1000000L };
	struct waker *k = arg;

	for (int i = 0; i < WAKES_MAX && !k->done && knock(k->port); i++)
		nanosleep(&pause, NULL);
	return NULL;
}

/* The thread that accepts asks whether to end only when its poll() returns: at
 * the next connection, or after 2 s, for which a restart would leave nobody
 * listening. Knocked more than once, since the first time may be before
 * mg_stop() has said that it is the end. */
static void stop_civetweb(struct web *w)
{
	struct waker k = { .port = w->port };
	pthread_t thread;
	bool waking =
	    w->port && pthread_create(&thread, NULL, wake_accept, &k) == 0;

	mg_stop(w->civetweb);
	k.done = true;
	if (waking)
		pthread_join(thread, NULL);
}

void web_stop(struct web *w)
{
	if (!w)
		return;
	if (w->civetweb)
		stop_civetweb(w);
	assets_free(w->assets);
	free(w);
}
