/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_FRONT_WATCH_H
#define SB_FRONT_WATCH_H

#include <stdint.h>
#include <sys/epoll.h>
#include <uv.h>

#include "base/error.h"
#include "front/list.h"

/* Readiness of the front's sockets: one epoll set that the libuv loop watches
 * as a single descriptor. A uv_poll_t each would cost five system calls a
 * connection and a close that completes later; here closing is immediate, and
 * the memory lives until the round of events is over. All on the loop. */

struct watch {
	int fd; /* -1: closed */
	bool added;
	uint32_t interest; /* EPOLLIN, EPOLLOUT; ERR and HUP always come */
	void (*ready)(struct watch *w, uint32_t events);
	void (*release)(struct watch *w); /* frees the owner */
	struct list grave;
};

struct watcher {
	int epoll_fd;
	uv_poll_t poll;
	struct list graves;
};

int watcher_start(struct watcher *r, uv_loop_t *loop,
		  struct error *e) MUST_CHECK;
/* Nothing may be watched any more; closed is called when libuv is done. */
void watcher_stop(struct watcher *r, uv_close_cb closed);

/* The watch owns fd from now on. */
void watch_init(struct watch *w, int fd,
		void (*ready)(struct watch *w, uint32_t events),
		void (*release)(struct watch *w));
/* 0, or -1 with errno. */
int watch_set(struct watcher *r, struct watch *w, uint32_t interest);
/* Leave the set, so that another thread may have the descriptor. */
void watch_forget(struct watcher *r, struct watch *w);
/* Close the descriptor; release() is called once this round is over. */
void watch_close(struct watcher *r, struct watch *w);
/* Release what was closed. At the end of each callback from libuv. */
void watcher_reap(struct watcher *r);

#endif
