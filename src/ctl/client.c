/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/client.h"

#include <errno.h>
#include <http_parser.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_BYTES = 16384 };

/* A response on its way in. */
struct reply {
	struct buf body;
	struct error *e;
	bool failed, complete;
};

static int on_body(http_parser *p, const char *at, size_t length)
{
	struct reply *r = p->data;

	if (buf_add(&r->body, at, length, r->e) < 0)
		r->failed = true;
	return r->failed;
}

static int on_complete(http_parser *p)
{
	struct reply *r = p->data;

	r->complete = true;
	return 0;
}

static int connect_to(const char *path, struct error *e)
{
	struct timeval wait = { .tv_sec = CLIENT_WAIT_S };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sa.sun_path))
		return error_set(e, ERR_INPUT,
				 "%s: too long for the name of a socket", path);
	memcpy(sa.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_errno(e, "socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0) {
		error_errno(e, "%s", path);
		close(fd);
		return -1;
	}
	return fd;
}

static int io_error(struct error *e, const char *what)
{
	if (errno == EAGAIN)
		return error_set(e, ERR_TIMEOUT, "no answer within %d seconds",
				 CLIENT_WAIT_S);
	return error_errno(e, "%s", what);
}

/* A service that refuses the body early has its answer on the way: a failure to
 * send is told only if no answer can be read. */
static void send_all(int fd, const struct buf *b)
{
	size_t sent = 0;
	ssize_t n;

	while (sent < b->len) {
		n = send(fd, b->ptr + sent, b->len - sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return;
		sent += (size_t)n;
	}
}

static int receive_all(int fd, http_parser *parser, struct reply *r)
{
	static const http_parser_settings settings = { .on_body = on_body,
						       .on_message_complete =
							   on_complete };
	char bytes[READ_BYTES];
	ssize_t n;

	do {
		n = recv(fd, bytes, sizeof(bytes), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return io_error(r->e, "reading the answer");
		http_parser_execute(parser, &settings, bytes, (size_t)n);
		secret_wipe(bytes, (size_t)n);
		if (r->failed)
			return -1;
		if (n > 0 && HTTP_PARSER_ERRNO(parser) != HPE_OK)
			return error_set(
			    r->e, ERR_INPUT, "the answer is not HTTP: %s",
			    http_errno_description(HTTP_PARSER_ERRNO(parser)));
	} while (n != 0 && !r->complete);
	if (!r->complete)
		return error_set(r->e, ERR_IO,
				 "the service closed the connection");
	if (parser->status_code != 200)
		return error_set(
		    r->e, ERR_INPUT, "the service answered %u %s",
		    (unsigned)parser->status_code,
		    http_status_str((enum http_status)parser->status_code));
	return 0;
}

static int write_request(struct buf *out, const char *method,
			 const struct value *params, struct error *e)
{
	struct buf body;
	int rc = -1;

	buf_init_secret(&body, CLIENT_REPLY_MAX);
	if (xmlrpc_write_call(&body, method, params, e) < 0 ||
	    buf_addf(out, e,
		     "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\n"
		     "Content-Type: text/xml\r\nContent-Length: %zu\r\n"
		     "Accept-Charset: utf-8\r\nConnection: close\r\n\r\n",
		     body.len) < 0)
		goto out;
	rc = buf_add(out, body.ptr, body.len, e);
out:
	buf_free(&body);
	return rc;
}

static void put_login(const struct client *c, struct value *params)
{
	if (!c->user || value_member(params, "authenticationUser") ||
	    value_member(params, "authenticationPassword"))
		return;
	value_put_string(params, "authenticationUser", c->user);
	value_put(params, "authenticationPassword",
		  value_new_text(view_of(c->password->ptr, c->password->len)));
}

int client_call(struct client *c, const char *method, struct value *params,
		struct xmlrpc_response *out, struct error *e)
{
	struct value *own = NULL;
	struct reply reply = { .e = e };
	http_parser parser;
	struct buf request;
	int fd = -1, rc = -1;

	buf_init_secret(&request, CLIENT_REPLY_MAX);
	buf_init_secret(&reply.body, CLIENT_REPLY_MAX);
	if (!params && c->user)
		params = own = value_new_struct();
	put_login(c, params);
	if (write_request(&request, method, params, e) < 0)
		goto out;
	fd = connect_to(c->socket_path, e);
	if (fd < 0) {
		c->unreachable = true;
		goto out;
	}
	http_parser_init(&parser, HTTP_RESPONSE);
	parser.data = &reply;
	send_all(fd, &request);
	if (receive_all(fd, &parser, &reply) < 0)
		goto out;
	rc = xmlrpc_parse_response(buf_view(&reply.body), NULL, out, e);
out:
	if (fd >= 0)
		close(fd);
	value_free(own);
	buf_free(&request);
	buf_free(&reply.body);
	return rc;
}

struct value *client_result(struct client *c, const char *method,
			    struct value *params)
{
	struct xmlrpc_response r = { 0 };
	struct error e = ERROR_INIT;
	struct value *result;

	if (client_call(c, method, params, &r, &e) < 0) {
		fprintf(stderr, "sealbridgectl: %s\n", e.text);
		return NULL;
	}
	if (!r.result)
		fprintf(stderr, "%s: fault %d: %s\n", method, r.fault_code,
			r.fault_text);
	result = r.result;
	r.result = NULL;
	xmlrpc_response_free(&r);
	return result;
}
