/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_FRONT_DEADLINE_H
#define SB_FRONT_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "front/list.h"

/* Deadlines of a few kinds, each kind with one duration: then the order of
 * setting is the order of expiry, a list per kind is sorted by itself, and one
 * libuv timer looks at the heads. Setting and clearing are a few pointer
 * writes. Coarse: an expiry comes up to DEADLINE_TICK_MS late. On the loop. */

enum deadline_kind {
	DEADLINE_HANDSHAKE, /* accept to finished handshake */
	DEADLINE_CONNECT,   /* outgoing: as its caller wants */
	DEADLINE_STREAM,    /* next look whether a stream is idle */
	DEADLINE_HEAD,      /* first byte to end of the request's head */
	DEADLINE_BODY,      /* the request's body */
	DEADLINE_IDLE,      /* between requests */
	DEADLINE_QUEUE,     /* a request that waits for a backend connection */
	DEADLINE_RESPONSE,  /* the backend's answer */
	DEADLINE_WRITE,     /* a peer that takes nothing */
	DEADLINE_LINGER,    /* after our last byte, until the peer closes */
	DEADLINE_TRIM,      /* quiet for so long: give memory back */
	DEADLINE_BACKEND,   /* an idle backend connection */
	DEADLINE_RESET,     /* the reset that may follow a backend's end */
	DEADLINE_ACCEPT,    /* a listener that pauses */
	DEADLINE_DRAIN,     /* open requests when stopping */
	DEADLINE_KINDS
};

enum { DEADLINE_TICK_MS = 50 };

struct deadline {
	struct list node;
	uint64_t due_ms;
	enum deadline_kind kind;
	void (*expired)(struct deadline *d);
};

struct deadlines {
	uv_timer_t timer;
	uint64_t armed_ms; /* when the timer fires; UINT64_MAX: it rests */
	unsigned duration_ms[DEADLINE_KINDS];
	struct list kinds[DEADLINE_KINDS];
	void (*after)(struct deadlines *all); /* at the end of each tick */
};

/* duration_ms is filled in by the caller. */
void deadlines_start(struct deadlines *all, uv_loop_t *loop,
		     void (*after)(struct deadlines *all));
void deadlines_stop(struct deadlines *all, uv_close_cb closed);

void deadline_init(struct deadline *d, void (*expired)(struct deadline *d));
/* (Re)start; one that runs already is forgotten first. */
void deadline_set(struct deadlines *all, struct deadline *d,
		  enum deadline_kind kind);
/* The same with a duration of its own, for kinds of which few run at a time: it
 * is put in its place among them. */
void deadline_set_in(struct deadlines *all, struct deadline *d,
		     enum deadline_kind kind, unsigned ms);
void deadline_clear(struct deadline *d);
bool deadline_runs(const struct deadline *d);

#endif
