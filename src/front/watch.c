/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "front/watch.h"

#include <unistd.h>

/* Events taken from the kernel at a time. */
enum { ROUND_MAX = 64 };

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watcher *r = list_owner(poll, struct watcher, poll);
	struct epoll_event round[ROUND_MAX];
	int n = epoll_wait(r->epoll_fd, round, ROUND_MAX, 0);

	(void)status;
	(void)events;
	for (int i = 0; i < n; i++) {
		struct watch *w = round[i].data.ptr;

		if (w->fd >= 0) /* not closed by one before it */
			w->ready(w, round[i].events);
	}
	watcher_reap(r);
}

int watcher_start(struct watcher *r, uv_loop_t *loop, struct error *e)
{
	int rc;

	list_init(&r->graves);
	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll_fd < 0)
		return error_errno(e, "front: epoll");
	rc = uv_poll_init(loop, &r->poll, r->epoll_fd);
	if (rc < 0) {
		close(r->epoll_fd);
		return error_set_native(e, ERR_IO, -rc, "front: %s",
					uv_strerror(rc));
	}
	uv_poll_start(&r->poll, UV_READABLE, on_poll);
	return 0;
}

void watcher_stop(struct watcher *r, uv_close_cb closed)
{
	watcher_reap(r);
	uv_poll_stop(&r->poll);
	close(r->epoll_fd);
	uv_close((uv_handle_t *)&r->poll, closed);
}

void watch_init(struct watch *w, int fd,
		void (*ready)(struct watch *w, uint32_t events),
		void (*release)(struct watch *w))
{
	w->fd = fd;
	w->added = false;
	w->interest = 0;
	w->ready = ready;
	w->release = release;
	list_init(&w->grave);
}

int watch_set(struct watcher *r, struct watch *w, uint32_t interest)
{
	struct epoll_event ev = { .events = interest, .data.ptr = w };

	if (w->interest == interest || w->fd < 0)
		return 0;
	if (epoll_ctl(r->epoll_fd, w->added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
		      w->fd, &ev) < 0)
		return -1;
	w->added = true;
	w->interest = interest;
	return 0;
}

void watch_forget(struct watcher *r, struct watch *w)
{
	if (w->added)
		epoll_ctl(r->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	w->added = false;
	w->interest = 0;
}

void watch_close(struct watcher *r, struct watch *w)
{
	if (w->fd < 0)
		return;
	/* The kernel takes a closed descriptor out of the set by itself. */
	close(w->fd);
	w->fd = -1;
	list_append(&r->graves, &w->grave);
}

void watcher_reap(struct watcher *r)
{
	while (!list_empty(&r->graves)) {
		struct watch *w =
		    list_owner(r->graves.next, struct watch, grave);

		list_remove(&w->grave);
		w->release(w);
	}
}
