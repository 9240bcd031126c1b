/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "front/front.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "front/conn.h"

const struct front_limits front_limits_default = {
	.connections = 2000,
	.connections_per_peer = 64,
	.flows = 12000,
	.flows_per_peer = 256,
	.handshakes_waiting = 256,
	.handshake_threads = 4,
	.handshake_ms = 10000,
	.head_ms = 10000,
	.body_ms = 60000,
	.idle_ms = 60000,
	.write_ms = 30000,
	.head_bytes = 16384,
	.body_bytes = 4194304,
	.buffered_bytes = 67108864,
	.backend_connections = 32,
	.drain_ms = 5000,
};

static void on_drained(struct deadline *d);
static void end_if_settled(struct front *f);

static void after_tick(struct deadlines *all)
{
	struct front *f = list_owner(all, struct front, deadlines);

	watcher_reap(&f->watcher);
}

static void take_posted(struct front *f)
{
	for (int via = 0; via < PEER_VIA_COUNT; via++) {
		struct tls_context *c;
		bool set;

		pthread_mutex_lock(&f->posted_lock);
		c = f->posted[via];
		set = f->posted_set[via];
		f->posted[via] = NULL;
		f->posted_set[via] = false;
		pthread_mutex_unlock(&f->posted_lock);
		if (set && !f->stopping)
			front_set_tls(f, (enum peer_via)via, c);
		tls_context_unref(c);
	}
}

void front_later(struct front *f, struct front_later *l,
		 void (*run)(struct front_later *l))
{
	if (l->node.next)
		list_remove(&l->node);
	list_append(&f->later, &l->node);
	l->run = run;
	uv_async_send(&f->async);
}

void front_later_cancel(struct front_later *l)
{
	if (l->node.next)
		list_remove(&l->node);
}

/* What is added meanwhile comes with the next event. */
static void run_later(struct front *f)
{
	struct list now;

	list_init(&now);
	list_move(&f->later, &now);
	while (!list_empty(&now)) {
		struct front_later *l =
		    list_owner(now.next, struct front_later, node);

		list_remove(&l->node);
		l->run(l);
	}
}

static void on_async(uv_async_t *async)
{
	struct front *f = list_owner(async, struct front, async);

	take_posted(f);
	handshake_pool_collect(f);
	run_later(f);
	watcher_reap(&f->watcher);
	end_if_settled(f);
}

static void set_durations(struct front *f)
{
	const struct front_limits *l = &f->limits;
	unsigned *ms = f->deadlines.duration_ms;

	ms[DEADLINE_HANDSHAKE] = l->handshake_ms;
	ms[DEADLINE_CONNECT] = l->handshake_ms;
	ms[DEADLINE_STREAM] = STREAM_LOOK_MS;
	ms[DEADLINE_HEAD] = l->head_ms;
	ms[DEADLINE_BODY] = l->body_ms;
	ms[DEADLINE_IDLE] = l->idle_ms;
	ms[DEADLINE_QUEUE] = QUEUE_MS;
	ms[DEADLINE_RESPONSE] = RESPONSE_MS;
	ms[DEADLINE_WRITE] = l->write_ms;
	ms[DEADLINE_LINGER] = LINGER_MS;
	ms[DEADLINE_TRIM] = TRIM_MS;
	ms[DEADLINE_BACKEND] = BACKEND_IDLE_MS;
	ms[DEADLINE_RESET] = RESET_WAIT_MS;
	ms[DEADLINE_ACCEPT] = ACCEPT_PAUSE_MS;
	ms[DEADLINE_DRAIN] = l->drain_ms;
}

static int check_limits(const struct front_limits *l, struct error *e)
{
	if (!l->connections || !l->flows || !l->handshakes_waiting ||
	    !l->handshake_threads || l->handshake_threads > 16 ||
	    !l->handshake_ms || !l->head_ms || !l->body_ms || !l->idle_ms ||
	    !l->write_ms || l->head_bytes < 256 || !l->backend_connections)
		return error_set(e, ERR_INPUT,
				 "front: a limit is out of range");
	return 0;
}

static void init_lists(struct front *f)
{
	list_init(&f->groups);
	list_init(&f->conns);
	list_init(&f->later);
	list_init(&f->backends.idle);
	list_init(&f->backends.busy);
	list_init(&f->backends.waiting);
	deadline_init(&f->drain, on_drained);
	admission_init(&f->admission);
	admission_init(&f->flows);
}

static void destroy(struct front *f)
{
	for (int via = 0; via < PEER_VIA_COUNT; via++) {
		tls_context_unref(f->posted[via]);
		tls_context_unref(f->tls[via]);
	}
	if (f->spare_fd >= 0)
		close(f->spare_fd);
	pthread_mutex_destroy(&f->posted_lock);
	free(f);
}

static void on_failed(uv_handle_t *handle)
{
	destroy(handle->data);
}

struct front *front_new(const struct front_options *options, struct error *e)
{
	struct front *f;
	int rc;

	if (check_limits(&options->limits, e) < 0)
		return NULL;
	f = calloc(1, sizeof(*f));
	if (!f) {
		error_nomem(e);
		return NULL;
	}
	f->loop = options->loop;
	f->limits = options->limits;
	f->peers = options->peers;
	f->backend_port = options->backend_port;
	f->refused = options->refused;
	f->refused_arg = options->refused_arg;
	init_lists(f);
	set_durations(f);
	pthread_mutex_init(&f->posted_lock, NULL);
	f->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (handshake_pool_start(f, e) < 0)
		goto no_pool;
	rc = uv_async_init(f->loop, &f->async, on_async);
	if (rc < 0) {
		error_set_native(e, ERR_IO, -rc, "front: %s", uv_strerror(rc));
		goto no_async;
	}
	f->async.data = f;
	if (watcher_start(&f->watcher, f->loop, e) < 0)
		goto no_watcher;
	deadlines_start(&f->deadlines, f->loop, after_tick);
	return f;
no_watcher:
	handshake_pool_stop(f);
	uv_close((uv_handle_t *)&f->async, on_failed); /* frees */
	return NULL;
no_async:
	handshake_pool_stop(f);
no_pool:
	destroy(f);
	return NULL;
}

void front_set_tls(struct front *f, enum peer_via via, struct tls_context *c)
{
	struct tls_context *old = f->tls[via];

	f->tls[via] = c ? tls_context_ref(c) : NULL;
	tls_context_unref(old);
	listeners_update(f);
}

void front_post_tls(struct front *f, enum peer_via via, struct tls_context *c)
{
	struct tls_context *old;

	pthread_mutex_lock(&f->posted_lock);
	old = f->posted[via];
	f->posted[via] = c;
	f->posted_set[via] = true;
	pthread_mutex_unlock(&f->posted_lock);
	tls_context_unref(old);
	uv_async_send(&f->async);
}

void front_get_stats(struct front *f, struct front_stats *out)
{
	out->connections = atomic_load(&f->stats.connections);
	out->accepted = atomic_load(&f->stats.accepted);
	out->refused = atomic_load(&f->stats.refused);
	out->handshakes = atomic_load(&f->stats.handshakes);
	out->handshakes_failed = atomic_load(&f->stats.handshakes_failed);
	out->requests = atomic_load(&f->stats.requests);
	out->flows = atomic_load(&f->stats.flows);
	out->datagrams = atomic_load(&f->stats.datagrams);
	out->datagrams_dropped = atomic_load(&f->stats.datagrams_dropped);
}

static void on_closed(uv_handle_t *handle)
{
	struct front *f = handle->data;

	if (--f->closing == 0 && f->done)
		f->done(f->done_arg);
}

void front_settle(struct front *f)
{
	/* What ends here may still be in use by our callers. */
	if (f->stopping)
		uv_async_send(&f->async);
}

static void end_if_settled(struct front *f)
{
	if (!f->stopping || f->stopped || f->conn_count > 0 ||
	    f->backends.count > 0 || !list_empty(&f->later))
		return;
	f->stopped = true;
	deadline_clear(&f->drain);
	handshake_pool_stop(f);
	f->closing = 3;
	f->watcher.poll.data = f->async.data = f->deadlines.timer.data = f;
	watcher_stop(&f->watcher, on_closed);
	deadlines_stop(&f->deadlines, on_closed);
	uv_close((uv_handle_t *)&f->async, on_closed);
}

/* Each connection once, whatever the calls do to the others. */
static void for_each_conn(struct front *f, void (*fn)(struct conn *c))
{
	struct list all;

	list_init(&all);
	list_move(&f->conns, &all);
	while (!list_empty(&all)) {
		struct list *first = all.next;

		list_remove(first);
		list_append(&f->conns, first);
		fn(list_owner(first, struct conn, node));
	}
}

static void end_older_handshake(struct conn *c)
{
	if (c->state == CONN_HANDSHAKE && c->peer.via == PEER_STREAM &&
	    !c->dial && c->context != c->front->tls[PEER_STREAM])
		conn_cancel_handshake(c);
}

void front_end_older_handshakes(struct front *f)
{
	take_posted(f);
	for_each_conn(f, end_older_handshake);
}

static void cut(struct conn *c)
{
	if (c->state != CONN_HANDSHAKE) /* cancelled already */
		conn_close(c);
}

static void on_drained(struct deadline *d)
{
	struct front *f = list_owner(d, struct front, drain);

	for_each_conn(f, cut);
	backends_close_all(f);
	front_settle(f);
}

void front_stop(struct front *f, void (*done)(void *arg), void *arg)
{
	if (f->stopping)
		return;
	f->stopping = true;
	f->done = done;
	f->done_arg = arg;
	listeners_close_all(f);
	backends_close_idle(f);
	uv_update_time(f->loop);
	deadline_set(&f->deadlines, &f->drain, DEADLINE_DRAIN);
	for_each_conn(f, conn_stop);
	front_settle(f);
}

void front_free(struct front *f)
{
	if (f)
		destroy(f);
}
