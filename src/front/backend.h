/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_FRONT_BACKEND_H
#define SB_FRONT_BACKEND_H

#include "front/bridge.h"
#include "front/http_response.h"

/* One connection to civetweb, for backend.c (which one serves whom) and
 * backend_io.c (one request and its answer on it). */

enum backend_state {
	BACKEND_IDLE,
	BACKEND_BUSY,
	BACKEND_DRAINING /* waits for civetweb's end */
};

struct backend {
	struct watch watch;
	struct front *front;
	struct list node;
	enum backend_state state;
	uint16_t port;
	struct exchange *x; /* when busy */
	struct http_response_reader rs;
	size_t sent; /* of the request */
	bool reused; /* had another request before */
	bool seen;   /* something of the answer was read */
	bool mute;   /* the request cannot be sent any further */
	bool ended;  /* by its peer; a reset may follow */
	struct deadline deadline;
};

/* backend.c */
/* Unregistered, closed, forgotten. */
void backend_close(struct backend *b);
/* The exchange is over, b->x is NULL afterwards. clean: the answer was framed
 * to its last byte and nothing came behind it. */
void backend_release(struct backend *b, bool clean);
/* On a connection of its own, once a kept one has failed. */
void backend_submit_fresh(struct exchange *x);
/* Something has become free. */
void backend_submit_waiting(struct front *f);

/* backend_io.c */
void backend_ready(struct watch *w, uint32_t events);
/* Send what is left of the request, then wait for the answer. */
void backend_send(struct backend *b);
/* The connection ended or failed in the middle of an exchange. reset: by a
 * reset. */
void backend_fail(struct backend *b, bool reset, const char *text);
/* Wait for input or not, and for room as long as there is something to send. */
void backend_want(struct backend *b, bool input);

#endif
