/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_FRONT_BRIDGE_H
#define SB_FRONT_BRIDGE_H

#include "front/conn.h"
#include "front/http_request.h"

/* One request and its answer. It belongs to its client's connection; when that
 * goes away while the backend is at work, it belongs to the backend connection
 * until the answer is over, because civetweb's thread is busy until then and
 * must go on seeing the identity it started with. */

enum exchange_state {
	EXCHANGE_REQUEST, /* being collected */
	EXCHANGE_WAITING, /* complete, all backend connections are busy */
	EXCHANGE_SENT     /* with a backend connection */
};

struct backend;

struct exchange {
	struct front *front;
	struct conn *conn; /* NULL: the client is gone */
	enum exchange_state state;
	struct http_request_reader rq;
	size_t charged; /* its share of front->buffered */
	bool control;   /* from the control socket */
	bool keep;      /* the backend connection may be used again */
	bool started;   /* something of the answer is in conn->out */
	bool retried;
	struct backend *backend;
	struct admission_entry *address; /* that it counts for, when sent */
	struct list wait;
};

void exchange_free(struct exchange *x);
/* Give back the body's memory: it will not be sent again. */
void exchange_drop_body(struct exchange *x);

/* It does not count for its address any more. */
void exchange_end_share(struct exchange *x);

/* backend.c: send it as soon as possible. One address gets at most half of the
 * backend connections at a time. */
void backend_submit(struct exchange *x);
/* The client is gone: x->conn is NULL. Takes the exchange. */
void backend_abandon(struct exchange *x);
/* The client takes more again. */
void backend_resume(struct exchange *x);

/* bridge.c, called by backend.c while x->conn is there. */
void bridge_output(struct exchange *x); /* conn->out has grown */
void bridge_paused(struct exchange *x); /* the backend is not read any more */
/* The answer is complete. Takes the exchange. */
void bridge_done(struct exchange *x, bool close);
/* There is no (whole) answer. Takes the exchange. */
void bridge_failed(struct exchange *x, unsigned status, const char *text);

#endif
