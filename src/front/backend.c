/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "front/backend.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

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

static void on_release(struct watch *w)
{
	struct backend *b = list_owner(w, struct backend, watch);

	http_response_free(&b->rs);
	free(b);
}

/* Unregistered first: afterwards the port may come back. */
void backend_close(struct backend *b)
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

static void on_deadline(struct deadline *d)
{
	struct backend *b = list_owner(d, struct backend, deadline);

	if (b->x)
		backend_fail(b, false,
			     b->ended ? "the web server broke off"
				      : "the web server cannot be reached");
	else
		backend_close(b);
	backend_submit_waiting(b->front);
	front_settle(b->front);
}

/* A socket that is bound, so that its port is known and registered before
 * civetweb can see the connection. */
static int open_socket(uint16_t *port_out)
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
	fd = open_socket(&b->port);
	if (fd < 0) {
		free(b);
		return NULL;
	}
	watch_init(&b->watch, fd, backend_ready, on_release);
	b->front = f;
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
	if (!x->address) {
		x->address = x->conn->admitted;
		admission_begin_request(x->address);
	}
	conn_set_deadline(x->conn, DEADLINE_RESPONSE);
	peer_registry_put(b->front->peers, b->port, &x->conn->peer);
	if (!b->reused && backend_connect(b) < 0)
		b->mute = true;
	backend_send(b);
}

/* Has its address enough at work already? */
static bool has_its_share(const struct exchange *x)
{
	unsigned share = (x->front->limits.backend_connections + 1) / 2;

	return x->conn->admitted && x->conn->admitted->requests >= share;
}

static bool may_open(const struct front *f, const struct exchange *x)
{
	return f->backends.count < f->limits.backend_connections +
				       (x->control ? BACKEND_RESERVED : 0);
}

void backend_submit_fresh(struct exchange *x)
{
	struct backend *b = backend_open(x->front);

	if (!b) {
		log_error("front", "backend: %s", strerror(errno));
		bridge_failed(x, 503, "no connection to the web server");
		return;
	}
	assign(b, x);
}

/* False: it has to wait. */
static bool submit_now(struct exchange *x)
{
	struct backend *b;

	if (has_its_share(x))
		return false;
	b = take_idle(x->front);

	if (b)
		assign(b, x);
	else if (may_open(x->front, x))
		backend_submit_fresh(x);
	else
		return false;
	return true;
}

void backend_submit_waiting(struct front *f)
{
	struct list *head = &f->backends.waiting, *next;

	for (struct list *i = head->next; i != head; i = next) {
		struct exchange *x = list_owner(i, struct exchange, wait);

		next = i->next;
		list_remove(i);
		if (submit_now(x))
			f->backends.waiting_count--;
		else
			list_insert(next, i); /* where it was */
	}
}

void backend_submit(struct exchange *x)
{
	struct backends *all = &x->front->backends;

	/* Those who wait could not go either: there is none to overtake but
	 * of an address that has its share. */
	if (submit_now(x))
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
	backend_want(x->backend, true); /* rule 3: read it to its end */
}

void backend_resume(struct exchange *x)
{
	if (x->backend)
		backend_want(x->backend, true);
}

/* The exchange is over; what becomes of the connection? */
void backend_release(struct backend *b, bool clean)
{
	struct front *f = b->front;
	struct exchange *x = b->x;
	bool all_sent = b->sent == x->rq.head.len + x->rq.body.len;

	peer_registry_remove(f->peers, b->port);
	exchange_end_share(x);
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
	backend_want(b, true);
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
