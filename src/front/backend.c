/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "front/bridge.h"
#include "front/http_response.h"

/* Connections to civetweb, kept alive and used for one request after another
 * of whichever peers there are. The request handler learns who asks from the
 * source port, so these rules hold:
 *
 * 1. The port is registered for a peer before the first byte of its request
 *    passes, and unregistered when its answer is complete. An idle connection
 *    is registered for nobody.
 * 2. A connection is used again only when the request had no body, the answer
 *    was framed by a length to its last byte, nothing came behind it, and
 *    nothing is there to read when the next request begins.
 * 3. A connection that may not be used again stays open until civetweb has
 *    closed its end: so its port cannot come back for another peer while a
 *    thread of civetweb still works for the old one. The same holds when the
 *    client is gone or the deadline passed. */

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
	struct deadline deadline;
};

static void on_release(struct watch *w)
{
	struct backend *b = list_owner(w, struct backend, watch);

	http_response_free(&b->rs);
	free(b);
}

/* Unregistered first: afterwards the port may come back. */
static void backend_close(struct backend *b)
{
	struct front *f = b->front;

	if (b->watch.fd < 0)
		return;
	peer_registry_remove(f->peers, b->port);
	deadline_clear(&b->deadline);
	list_remove(&b->node);
	f->backends.count--;
	watch_close(&f->watcher, &b->watch);
}

static void submit_waiting(struct front *f);

static void on_deadline(struct deadline *d)
{
	struct backend *b = list_owner(d, struct backend, deadline);

	backend_close(b);
	submit_waiting(b->front);
	front_settle(b->front);
}

static void on_ready(struct watch *w, uint32_t events);

/* A socket that is bound, so that its port is known and registered before
 * civetweb can see the connection. */
static int open_socket(struct front *f, uint16_t *port_out)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(to);
	int one = 1, fd;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&to, &len) < 0)
		goto failed;
	*port_out = ntohs(to.sin_port);
	to.sin_port = htons(f->backend_port);
	return fd;
failed:
	close(fd);
	return -1;
}

static struct backend *backend_open(struct front *f)
{
	struct backend *b = calloc(1, sizeof(*b));
	int fd;

	if (!b)
		return NULL;
	fd = open_socket(f, &b->port);
	if (fd < 0) {
		free(b);
		return NULL;
	}
	watch_init(&b->watch, fd, on_ready, on_release);
	b->front = f;
	b->state = BACKEND_IDLE;
	http_response_init(&b->rs);
	deadline_init(&b->deadline, on_deadline);
	list_append(&f->backends.busy, &b->node);
	f->backends.count++;
	return b;
}

static int backend_connect(struct backend *b)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(b->front->backend_port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	if (connect(b->watch.fd, (struct sockaddr *)&to, sizeof(to)) < 0 &&
	    errno != EINPROGRESS)
		return -1;
	return 0;
}

/* Rule 2: nothing to read, not even the end. */
static bool is_quiet(const struct backend *b)
{
	char c;

	return recv(b->watch.fd, &c, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

static struct backend *take_idle(struct front *f)
{
	while (!list_empty(&f->backends.idle)) {
		struct backend *b =
		    list_owner(f->backends.idle.next, struct backend, node);

		if (is_quiet(b)) {
			deadline_clear(&b->deadline);
			list_remove(&b->node);
			list_append(&f->backends.busy, &b->node);
			b->reused = true;
			return b;
		}
		backend_close(b);
	}
	return NULL;
}

static void want(struct backend *b, bool input)
{
	const struct exchange *x = b->x;
	uint32_t events = input ? EPOLLIN : 0;

	if (x && !b->mute && b->sent < x->rq.head.len + x->rq.body.len)
		events |= EPOLLOUT;
	if (watch_set(&b->front->watcher, &b->watch, events) < 0)
		log_error("front", "backend: %s", strerror(errno));
}

static void send_request(struct backend *b)
{
	struct buf *head = &b->x->rq.head, *body = &b->x->rq.body;

	while (!b->mute && b->sent < head->len + body->len) {
		size_t at = b->sent < head->len ? 0 : b->sent - head->len;
		struct iovec v[2] = {
			{ head->ptr + b->sent, head->len - b->sent },
			{ body->ptr + at, body->len - at },
		};
		bool in_body = b->sent >= head->len;
		ssize_t n = writev(b->watch.fd, in_body ? v + 1 : v,
				   in_body || body->len == 0 ? 1 : 2);

		if (n < 0 && errno == EINTR)
			continue;
		/* An answer may be there all the same: reading decides. */
		if (n < 0 && errno != EAGAIN && errno != ENOTCONN)
			b->mute = true;
		if (n < 0)
			break;
		b->sent += (size_t)n;
	}
	want(b, true);
}

/* Rule 1 is here. */
static void assign(struct backend *b, struct exchange *x)
{
	b->x = x;
	b->state = BACKEND_BUSY;
	b->sent = 0;
	b->seen = b->mute = false;
	http_response_free(&b->rs);
	http_response_init(&b->rs);
	b->rs.head_only = x->rq.head_only;
	b->rs.client_minor = x->rq.minor;
	b->rs.client_keep_alive = x->rq.keep_alive && !b->front->stopping;
	x->backend = b;
	x->state = EXCHANGE_SENT;
	conn_set_deadline(x->conn, DEADLINE_RESPONSE);
	peer_registry_put(b->front->peers, b->port, &x->conn->peer);
	if (!b->reused && backend_connect(b) < 0)
		b->mute = true;
	send_request(b);
}

static bool may_open(const struct front *f, const struct exchange *x)
{
	return f->backends.count < f->limits.backend_connections +
				       (x->control ? BACKEND_RESERVED : 0);
}

static void submit_fresh(struct exchange *x)
{
	struct backend *b = backend_open(x->front);

	if (!b) {
		log_error("front", "backend: %s", strerror(errno));
		bridge_failed(x, 503, "no connection to the web server");
		return;
	}
	assign(b, x);
}

static bool submit_now(struct exchange *x)
{
	struct backend *b = take_idle(x->front);

	if (b)
		assign(b, x);
	else if (may_open(x->front, x))
		submit_fresh(x);
	else
		return false;
	return true;
}

static void submit_waiting(struct front *f)
{
	struct backends *all = &f->backends;

	while (!list_empty(&all->waiting)) {
		struct exchange *x =
		    list_owner(all->waiting.next, struct exchange, wait);

		list_remove(&x->wait);
		if (!submit_now(x)) {
			list_prepend(&all->waiting, &x->wait);
			return;
		}
		all->waiting_count--;
	}
}

void backend_submit(struct exchange *x)
{
	struct backends *all = &x->front->backends;

	if ((x->control || list_empty(&all->waiting)) && submit_now(x))
		return;
	if (all->waiting_count >= QUEUE_MAX && !x->control) {
		bridge_failed(x, 503, "too many requests");
		return;
	}
	x->state = EXCHANGE_WAITING;
	conn_set_deadline(x->conn, DEADLINE_QUEUE);
	all->waiting_count++;
	if (x->control)
		list_prepend(&all->waiting, &x->wait);
	else
		list_append(&all->waiting, &x->wait);
}

void backend_abandon(struct exchange *x)
{
	if (x->state == EXCHANGE_WAITING) {
		list_remove(&x->wait);
		x->front->backends.waiting_count--;
		exchange_free(x);
		return;
	}
	want(x->backend, true); /* rule 3: read it to its end */
}

void backend_resume(struct exchange *x)
{
	if (x->backend)
		want(x->backend, true);
}

/* The exchange is over; what becomes of the connection? */
static void release(struct backend *b, bool clean)
{
	struct front *f = b->front;
	struct exchange *x = b->x;
	bool all_sent = b->sent == x->rq.head.len + x->rq.body.len;

	peer_registry_remove(f->peers, b->port);
	x->backend = NULL;
	b->x = NULL;
	list_remove(&b->node);
	if (clean && x->keep && b->rs.backend_keeps && all_sent && !b->mute &&
	    !f->stopping) {
		b->state = BACKEND_IDLE;
		list_prepend(&f->backends.idle, &b->node);
	} else {
		b->state = BACKEND_DRAINING;
		list_append(&f->backends.busy, &b->node);
		if (x->keep) /* civetweb expects another request */
			shutdown(b->watch.fd, SHUT_WR);
	}
	deadline_set(&f->deadlines, &b->deadline, DEADLINE_BACKEND);
	want(b, true);
}

static void complete(struct backend *b, bool clean)
{
	struct front *f = b->front;
	struct exchange *x = b->x;
	bool close = b->rs.client_closes;

	exchange_drop_body(x);
	release(b, clean);
	submit_waiting(f);
	if (x->conn)
		bridge_done(x, close);
	else
		exchange_free(x);
	front_settle(f);
}

/* A kept connection that civetweb closed just then is no fault of the
 * request: once, it may have another one. Requests that change something only
 * when the kernel says that they were not read whole. */
static bool may_retry(const struct backend *b, bool reset)
{
	const struct exchange *x = b->x;
	int error = 0;
	socklen_t len = sizeof(error);

	if (!x->conn || !b->reused || b->seen || x->retried)
		return false;
	if (x->rq.safe || reset || b->mute)
		return true;
	return getsockopt(b->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len) ==
		   0 &&
	       error != 0;
}

/* The connection ended or failed in the middle of an exchange. */
static void fail(struct backend *b, bool reset, const char *text)
{
	struct front *f = b->front;
	struct exchange *x = b->x;
	bool retry = may_retry(b, reset);

	b->x = NULL;
	x->backend = NULL;
	backend_close(b);
	if (retry) {
		x->retried = true;
		submit_fresh(x);
	} else if (x->conn) {
		log_warning("front", "backend: %s", text);
		bridge_failed(x, 502, text);
	} else {
		exchange_free(x);
	}
	submit_waiting(f);
	front_settle(f);
}

static void on_end(struct backend *b, bool reset)
{
	if (b->state != BACKEND_BUSY) {
		backend_close(b);
		submit_waiting(b->front);
		front_settle(b->front);
	} else if (!reset && http_response_end(&b->rs) == HTTP_DONE) {
		complete(b, false);
	} else {
		fail(b, reset, "the web server broke off");
	}
}

/* An answer that cannot be passed on: its connection is drained like one whose
 * client is gone. */
static void on_bad_answer(struct backend *b)
{
	struct exchange *x = b->x;
	const char *text = b->rs.refusal.text;

	log_warning("front", "backend: %s", text);
	exchange_drop_body(x);
	release(b, false);
	if (x->conn)
		bridge_failed(x, 502, text);
	else
		exchange_free(x);
	front_settle(b->front);
}

static void on_answer(struct backend *b, struct view data)
{
	struct exchange *x = b->x;
	struct conn *c = x->conn;
	size_t used, before = c ? c->out.len : 0;
	enum http_step step;

	if (!b->seen) {
		b->seen = true;
		if (b->sent == x->rq.head.len + x->rq.body.len)
			exchange_drop_body(x);
	}
	step = http_response_feed(&b->rs, data, &used, c ? &c->out : NULL);
	if (c && step == HTTP_REFUSED && !x->started)
		c->out.len = before; /* nothing was sent of it yet */
	if (c && c->out.len > before) {
		b->front->outgoing += c->out.len - before;
		x->started = true;
	}
	if (step == HTTP_REFUSED) {
		on_bad_answer(b);
	} else if (step == HTTP_DONE) {
		if (used < data.len)
			log_warning("front", "backend: %zu bytes too many",
				    data.len - used);
		complete(b, used == data.len);
	} else if (c && b->rs.body_begun) {
		/* A head alone waits for the first bytes of its body. */
		bridge_output(x);
	}
}

static void pause_reading(struct backend *b, uint32_t events)
{
	bridge_paused(b->x);
	if (events & (EPOLLERR | EPOLLHUP)) /* would be told for ever */
		watch_forget(&b->front->watcher, &b->watch);
	else
		want(b, false);
}

static void receive(struct backend *b, uint32_t events)
{
	struct front *f = b->front;
	ssize_t n;

	if (b->x && b->x->conn && conn_is_behind(b->x->conn)) {
		pause_reading(b, events);
		return;
	}
	n = recv(b->watch.fd, f->scratch, SCRATCH, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		on_end(b, n < 0);
	} else if (b->state == BACKEND_BUSY) {
		on_answer(b, view_of(f->scratch, (size_t)n));
	} else if (b->state == BACKEND_IDLE) {
		log_warning("front", "backend: unexpected bytes");
		backend_close(b);
	}
}

static void on_ready(struct watch *w, uint32_t events)
{
	struct backend *b = list_owner(w, struct backend, watch);

	if ((events & EPOLLOUT) && b->x)
		send_request(b);
	if (events & ~(uint32_t)EPOLLOUT)
		receive(b, events);
}

void backends_close_idle(struct front *f)
{
	while (!list_empty(&f->backends.idle))
		backend_close(
		    list_owner(f->backends.idle.next, struct backend, node));
}

void backends_close_all(struct front *f)
{
	backends_close_idle(f);
	while (!list_empty(&f->backends.busy)) {
		struct backend *b =
		    list_owner(f->backends.busy.next, struct backend, node);
		struct exchange *x = b->x;

		b->x = NULL;
		backend_close(b);
		if (x && x->conn) {
			x->backend = NULL;
			bridge_failed(x, 503, "the service is stopping");
		} else {
			exchange_free(x);
		}
	}
}
