/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_WEB_HTTP_H
#define SB_WEB_HTTP_H

#include <civetweb.h>

#include "base/buf.h"

/* How this folder answers a request: status line, the headers that every answer
 * carries, Content-Length, body; one write for small ones. */

/* Longest headers of one answer; civetweb's buffer for the head of a request.
 */
enum { HTTP_HEAD_MAX = 1536, WEB_HEAD_BYTES = 32768 };

struct http_reply {
	int status;
	const char *content_type; /* NULL without body */
	struct view body;
	const char *extra; /* more header lines, each with CRLF; NULL: none */
	bool close;        /* end the connection behind it */
};

/* Returns the status, which is what civetweb's callbacks return. A HEAD request
 * gets the head alone. A peer that is gone is no error here. */
int http_send(struct mg_connection *c, const struct http_reply *r);
/* A short page of our own, "404 Not Found". extra as above. */
int http_send_status(struct mg_connection *c, int status, const char *extra,
		     bool close);

/* "Not Found"; never NULL. */
const char *http_reason(int status);
/* The one table of error kinds and HTTP statuses. */
int http_status_of(enum error_kind kind);

#endif
