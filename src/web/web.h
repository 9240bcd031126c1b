/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_WEB_WEB_H
#define SB_WEB_WEB_H

#include "front/peer.h"
#include "web/sessions.h"

/* civetweb behind the front: static pages of www/ under a strict
 * Content-Security-Policy, /RPC2 handed to the API, health. It listens on
 * 127.0.0.1 only, on a port the kernel chose, and answers only connections that
 * the front has registered. civetweb stays behind this folder. */

struct web;

/* A request as the API sees it; borrowed for the call. */
struct web_request {
	struct peer peer;
	struct view body;
	const char *session_id;   /* the cookie, NULL without */
	const char *csrf_token;   /* X-CSRF-Token, NULL without */
	const char *content_type; /* NULL without */
	bool wants_utf8;          /* asked for by a header */
};

/* Its answer. */
struct web_reply {
	struct buf body; /* text/xml */
	bool utf8;       /* its encoding, else ASCII */
	/* "": leave the cookie alone; else the session id to set; clear_cookie
	 * takes it away */
	char set_session[SESSION_ID_SIZE];
	bool clear_session;
	bool close; /* end the connection behind it, so that the client must
		     * open another one */
};

/* Handles POST /RPC2; on -1 the client gets the HTTP status of the kind. Called
 * on civetweb's threads, several at once. */
typedef int web_rpc_fn(void *arg, const struct web_request *rq,
		       struct web_reply *reply, struct error *e);

/* Appends a whole document to out; -1 as above. */
typedef int web_document_fn(void *arg, struct buf *out, struct error *e);

struct web_options {
	const char *directory; /* www/ */
	struct peer_registry *peers;
	unsigned threads;  /* civetweb's, 48 */
	size_t body_bytes; /* 4 MiB */
	web_rpc_fn *rpc;
	void *rpc_arg;
	/* XML for everybody at /system.xml; NULL: there is none */
	web_document_fn *system_xml;
	void *system_xml_arg;
	/* Readiness for /health/ready; any thread. */
	bool (*ready)(void *arg);
	void *ready_arg;
	/* Asked with each request over plain HTTP but those of /health: the
	 * port of HTTPS when it shall be sent there (308), else 0; any thread.
	 * NULL: never. redirect_host stands in for a Host header that cannot be
	 * repeated; borrowed for the life of the server. */
	uint16_t (*redirect)(void *arg);
	void *redirect_arg;
	const char *redirect_host;
};

struct web *web_start(const struct web_options *options,
		      struct error *e) MUST_CHECK;
uint16_t web_port(const struct web *w);
/* Ends the requests that run, joins all threads. NULL is fine. */
void web_stop(struct web *w);

#endif
