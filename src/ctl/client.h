/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CTL_CLIENT_H
#define SB_CTL_CLIENT_H

#include "api/xmlrpc.h"
#include "base/secret.h"

/* Calls of the API over the control socket, one connection each: HTTP/1.1,
 * framed by http_parser. */

enum {
	CLIENT_WAIT_S = 300, /* a trust store of 1000 certificates takes 31 s */
	CLIENT_REPLY_MAX = 64 * 1024 * 1024
};

struct client {
	const char *socket_path; /* borrowed */
	/* Who calls, where the service asks (console.requireLogin); NULL:
	 * whoever the socket says. Borrowed. */
	const char *user;
	const struct secret *password;
	bool unreachable; /* set when nobody could be connected to */
};

/* params: a struct, borrowed, which gets the members of the log-in when they
 * are not there yet; NULL: none. On 0, out is a result or a fault and the
 * caller's to free. -1: ERR_IO, ERR_TIMEOUT, ERR_LIMIT, ERR_INPUT (no XML-RPC
 * came back). */
int client_call(struct client *c, const char *method, struct value *params,
		struct xmlrpc_response *out, struct error *e) MUST_CHECK;

/* As client_call(), for callers to whom a fault is a failure: prints it and
 * any error to standard error. The result, owned by the caller, or NULL. */
struct value *client_result(struct client *c, const char *method,
			    struct value *params);

#endif
