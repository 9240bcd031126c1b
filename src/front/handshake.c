/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "front/connect.h"

/* The pool that carries out handshakes. Its queue is an epoll set of its own:
 * a connection is armed for one event, whichever thread is free takes it,
 * carries out one step (which may sign, so block for as long as the token
 * takes), sends the flight itself and arms it again for the peer's answer. The
 * loop is not woken in between; it gets the connection back when the handshake
 * is over, with the first request already decrypted. A step never waits for a
 * peer. */

enum { READ_MAX = 16384 + 512, FEW = 4 /* of one address */ };

static void give_back(struct conn *c, bool established)
{
	struct front *f = c->front;
	struct handshake_pool *pool = &f->pool;

	c->established = established;
	pthread_mutex_lock(&pool->lock);
	list_append(&pool->done, &c->done);
	pthread_mutex_unlock(&pool->lock);
	uv_async_send(&f->async);
}

/* Afterwards another thread may have it, which waits until we have let go: the
 * event can be there before epoll_ctl() has returned. */
static bool arm(struct conn *c, int op, uint32_t events)
{
	struct epoll_event ev = { .events = events | EPOLLONESHOT,
				  .data.ptr = c };
	int rc;

	atomic_store(&c->arming, true);
	rc = epoll_ctl(c->front->pool.epoll_fd, op, c->watch.fd, &ev);
	atomic_store(&c->arming, false);
	return rc == 0;
}

static struct conn *take(void *from_event)
{
	struct conn *c = from_event;

	while (atomic_load(&c->arming))
		sched_yield();
	return c;
}

/* The last quarter is kept for those who have few with the pool, so that nobody
 * fills the queue alone. */
static bool has_place(const struct conn *c)
{
	unsigned most = c->front->limits.handshakes_waiting;

	if (c->admitted->handshakes >= FEW)
		most -= most / 4;
	return atomic_load(&c->front->pool.waiting) < most;
}

bool handshake_submit(struct conn *c)
{
	struct handshake_pool *pool = &c->front->pool;

	if (!has_place(c))
		return false;
	c->admitted->handshakes++;
	atomic_fetch_add(&pool->waiting, 1);
	/* Writable is what it is: a thread takes it as soon as one is free. */
	if (arm(c, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT))
		return true;
	c->admitted->handshakes--;
	atomic_fetch_sub(&pool->waiting, 1);
	return false;
}

/* Peers that fail are everyday life; our own side is worth a line, and so is a
 * certificate that does not do: somebody will ask why. Under a name of its own,
 * so that peers that fail in masses drown only each other. */
static void log_failed(const struct conn *c, const struct error *e,
		       const struct tls_verdict *refusal)
{
	bool ours = e->kind != ERR_TLS && e->kind != ERR_NONE;
	enum log_level level = LOG_LEVEL_TRACE;

	if (ours)
		level = LOG_LEVEL_WARNING;
	else if (refusal)
		level = LOG_LEVEL_INFO;
	log_at(level, "handshake", "%s: %s", c->peer.address, e->text);
}

static void note_failed(const struct conn *c, const struct error *e)
{
	struct front *f = c->front;
	const struct tls_verdict *refusal =
	    c->tls ? tls_conn_refusal(c->tls) : NULL;

	if (refusal && f->refused)
		f->refused(f->refused_arg, &c->peer,
			   c->dial ? c->dial->host : NULL, refusal);
	/* Of one that we open its handler hears, who knows what to say. */
	if (c->dial)
		c->dial->why = *e;
	else
		log_failed(c, e, refusal);
}

static bool greet(struct conn *c, struct error *e)
{
	c->greeted = true;
	/* The calling side speaks first. */
	if (c->dial) {
		c->tls = tls_conn_new_to(c->context, c->dial->host, e);
		return c->tls != NULL;
	}
	c->tls = tls_conn_new(c->context, e);
	if (!c->tls || tls_conn_feed(c->tls, c->in.ptr, c->in.len, e) < 0)
		return false;
	buf_free(&c->in);
	return true;
}

/* First the bytes the loop has read, later one read from the socket. */
static bool take_input(struct conn *c, struct error *e)
{
	uint8_t bytes[READ_MAX];
	ssize_t n;

	if (!c->greeted)
		return greet(c, e);
	n = recv(c->watch.fd, bytes, sizeof(bytes), 0);
	if (n > 0)
		return tls_conn_feed(c->tls, bytes, (size_t)n, e) == 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	c->eof = true;
	tls_conn_feed_eof(c->tls);
	return true;
}

static void send_output(struct conn *c)
{
	struct buf *o = tls_conn_output(c->tls);

	while (o->len > 0) {
		ssize_t n = send(c->watch.fd, o->ptr, o->len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			c->broken = true;
		if (n <= 0)
			return;
		buf_consume(o, (size_t)n);
	}
}

/* What came with the end of the handshake: usually the first request. */
static void read_early(struct conn *c)
{
	struct error e = ERROR_INIT;
	uint8_t plain[READ_MAX];
	size_t got;

	while (c->in.len + sizeof(plain) <= c->in.max) {
		switch (tls_conn_read(c->tls, plain, sizeof(plain), &got, &e)) {
		case TLS_STEP_DONE:
			if (buf_add(&c->in, plain, got, &e) < 0)
				c->broken = true;
			secret_wipe(plain, got);
			break;
		case TLS_STEP_WANT_READ: return;
		case TLS_STEP_CLOSED: c->eof = true; return;
		case TLS_STEP_FAILED: c->broken = true; return;
		}
		if (c->broken)
			return;
	}
	c->more = true;
}

static void finish(struct conn *c)
{
	read_early(c);
	/* Session tickets can travel with the answer to a request that is here
	 * already; anything else the peer may be waiting for. */
	if (c->in.len == 0)
		send_output(c);
	give_back(c, true);
}

static void step(struct conn *c)
{
	struct error e = ERROR_INIT;
	enum tls_step s = TLS_STEP_FAILED;

	if (!c->greeted)
		atomic_fetch_sub(&c->front->pool.waiting, 1);
	if (!atomic_load(&c->cancelled) && take_input(c, &e))
		s = tls_conn_handshake(c->tls, &e);
	if (s == TLS_STEP_DONE) {
		finish(c);
		return;
	}
	if (c->tls)
		send_output(c);
	if (s == TLS_STEP_WANT_READ && !c->eof && !c->broken &&
	    arm(c, EPOLL_CTL_MOD,
		tls_conn_output(c->tls)->len > 0 ? EPOLLIN | EPOLLOUT
						 : EPOLLIN))
		return;
	note_failed(c, &e);
	give_back(c, false);
}

static void *work(void *arg)
{
	struct handshake_pool *pool = arg;

	pthread_setname_np(pthread_self(), "handshake");
	for (;;) {
		struct epoll_event ev;
		int n = epoll_wait(pool->epoll_fd, &ev, 1, -1);

		if (n == 1 && !ev.data.ptr)
			return NULL; /* the stop descriptor, for everybody */
		if (n == 1)
			step(take(ev.data.ptr));
	}
}

static int start_threads(struct handshake_pool *pool, unsigned wanted,
			 struct error *e)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };

	if (epoll_ctl(pool->epoll_fd, EPOLL_CTL_ADD, pool->stop_fd, &ev) < 0)
		return error_errno(e, "front: handshake pool");
	while (pool->count < wanted) {
		int rc = pthread_create(&pool->threads[pool->count], NULL, work,
					pool);

		if (rc != 0)
			return error_set_native(e, ERR_INTERNAL, rc,
						"front: handshake thread: %s",
						strerror(rc));
		pool->count++;
	}
	return 0;
}

int handshake_pool_start(struct front *f, struct error *e)
{
	struct handshake_pool *pool = &f->pool;

	list_init(&pool->done);
	pthread_mutex_init(&pool->lock, NULL);
	pool->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	pool->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pool->epoll_fd < 0 || pool->stop_fd < 0)
		error_errno(e, "front: handshake pool");
	else if (start_threads(pool, f->limits.handshake_threads, e) == 0)
		return 0;
	handshake_pool_stop(f);
	return -1;
}

void handshake_pool_stop(struct front *f)
{
	struct handshake_pool *pool = &f->pool;
	uint64_t one = 1;

	if (pool->stop_fd >= 0 &&
	    write(pool->stop_fd, &one, sizeof(one)) != sizeof(one))
		log_error("front", "handshake pool: cannot stop");
	for (unsigned i = 0; i < pool->count; i++)
		pthread_join(pool->threads[i], NULL);
	pool->count = 0;
	if (pool->epoll_fd >= 0)
		close(pool->epoll_fd);
	if (pool->stop_fd >= 0)
		close(pool->stop_fd);
	pthread_mutex_destroy(&pool->lock);
}

void handshake_pool_collect(struct front *f)
{
	struct list done;

	list_init(&done);
	pthread_mutex_lock(&f->pool.lock);
	list_move(&f->pool.done, &done);
	pthread_mutex_unlock(&f->pool.lock);
	while (!list_empty(&done)) {
		struct conn *c = list_owner(done.next, struct conn, done);

		list_remove(&c->done);
		c->admitted->handshakes--;
		conn_adopt(c);
	}
}
