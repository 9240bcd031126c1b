/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/listeners.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "config/setting_rules.h"

enum { ROWS_MAX = 8, WAIT_S = 10 /* for the loop */ };

/* What opens a service of that name. */
struct opener {
	const char *name;
	bool sip;
	enum peer_via via;       /* HTTP */
	enum sip_transport kind; /* SIP */
};

static const struct opener openers[] = {
	{ .name = "http", .via = PEER_HTTP },
	{ .name = "https", .via = PEER_HTTPS },
	{ .name = "sip_tcp", .sip = true, .kind = SIP_TCP },
	{ .name = "sip_udp", .sip = true, .kind = SIP_UDP },
	{ .name = "sips_tcp", .sip = true, .kind = SIP_TLS },
};

/* One service. */
struct row {
	const struct setting_service *service;
	const struct opener *opener;
	/* Under lock: what is open now, 0 = closed, and why it last was not. */
	uint16_t port;
	char reason[ERROR_TEXT_MAX];
};

/* A change that another thread waits for. */
struct request {
	const struct setting_numbers *wanted;
	uint64_t changed;
	struct error *e;
	int rc;
	bool taken, done;
};

struct listeners {
	struct listeners_options o;
	uv_async_t wake;
	pthread_t loop_thread;
	struct row rows[ROWS_MAX];
	size_t count;
	pthread_mutex_t lock;
	pthread_cond_t answered;
	struct request *pending; /* one: changes of settings are serialised */
	bool stopped;
};

/* --- opening and closing, on the loop ------------------------------------- */

static uint16_t wanted_port(const struct setting_service *s,
			    const struct setting_numbers *n)
{
	return n->of[s->enabled] ? (uint16_t)n->of[s->port] : 0;
}

static void set_state(struct listeners *l, struct row *r, uint16_t port,
		      const char *reason)
{
	pthread_mutex_lock(&l->lock);
	r->port = port;
	snprintf(r->reason, sizeof(r->reason), "%s", reason);
	pthread_mutex_unlock(&l->lock);
}

static void close_row(struct listeners *l, struct row *r)
{
	if (!r->port)
		return;
	if (r->opener->sip)
		sip_agent_unlisten(l->o.sip, r->opener->kind);
	else
		front_unlisten(l->o.front, r->service->name);
	set_state(l, r, 0, "");
	log_info(r->service->name, "not listening any more");
}

static int listen_on(struct listeners *l, const struct row *r, uint16_t port,
		     struct error *e)
{
	const struct config *c = l->o.config;
	const char *const *addresses = (const char *const *)c->addresses;

	if (r->opener->sip)
		return sip_agent_listen(l->o.sip, r->opener->kind, addresses,
					c->address_count, port, e);
	return front_listen_tcp(l->o.front, r->service->name, r->opener->via,
				addresses, c->address_count, port, NULL, e);
}

/* What is open stays open on failure. */
static int open_row(struct listeners *l, struct row *r, uint16_t port,
		    struct error *e)
{
	if (listen_on(l, r, port, e) < 0)
		return -1;
	set_state(l, r, port, "");
	log_info(r->service->name, "listening on port %u", port);
	return 0;
}

static bool same_transport(const struct row *a, const struct row *b)
{
	return !strcmp(a->service->transport, b->service->transport);
}

/* A port that another service is about to leave must be free first. */
static void make_room(struct listeners *l, const struct row *for_row,
		      uint16_t port, const struct setting_numbers *n)
{
	for (size_t i = 0; i < l->count; i++) {
		struct row *r = &l->rows[i];

		if (r != for_row && r->port == port &&
		    same_transport(r, for_row) &&
		    wanted_port(r->service, n) != port)
			close_row(l, r);
	}
}

static int move_row(struct listeners *l, struct row *r,
		    const struct setting_numbers *n, struct error *e)
{
	uint16_t port = wanted_port(r->service, n);

	if (!port || r->port == port)
		return 0;
	make_room(l, r, port, n);
	return open_row(l, r, port, e);
}

static void close_unwanted(struct listeners *l, const struct setting_numbers *n)
{
	for (size_t i = 0; i < l->count; i++)
		if (!wanted_port(l->rows[i].service, n))
			close_row(l, &l->rows[i]);
}

/* The sockets as they were, as far as that can be had. */
static void roll_back(struct listeners *l, const uint16_t former[ROWS_MAX])
{
	struct error e = ERROR_INIT;

	for (size_t i = 0; i < l->count; i++)
		if (l->rows[i].port != former[i] && !former[i])
			close_row(l, &l->rows[i]);
	for (size_t i = 0; i < l->count; i++) {
		struct row *r = &l->rows[i];

		for (size_t k = 0; k < l->count; k++)
			if (k != i && former[i] && r->port != former[i] &&
			    l->rows[k].port == former[i] &&
			    same_transport(r, &l->rows[k]))
				close_row(l, &l->rows[k]);
		if (former[i] && r->port != former[i] &&
		    open_row(l, r, former[i], &e) < 0)
			log_failure(LOG_LEVEL_ERROR, r->service->name, &e);
	}
}

static uint64_t bits_of(const struct row *r)
{
	return setting_bit(r->service->enabled) | setting_bit(r->service->port);
}

/* All services that the change is about, or none of them. */
static int carry_out(struct listeners *l, const struct setting_numbers *n,
		     uint64_t changed, struct error *e)
{
	uint16_t former[ROWS_MAX];
	int rc = 0;

	for (size_t i = 0; i < l->count; i++)
		former[i] = l->rows[i].port;
	for (size_t i = 0; rc == 0 && i < l->count; i++)
		if (changed & bits_of(&l->rows[i]))
			rc = move_row(l, &l->rows[i], n, e);
	if (rc == 0) {
		close_unwanted(l, n);
		return 0;
	}
	roll_back(l, former);
	if (e->kind != ERR_CANCELLED)
		e->kind = ERR_PORT_CONFLICT;
	return -1;
}

void listeners_apply(struct listeners *l)
{
	struct setting_numbers n;

	for (int i = 0; i < SETTING_COUNT; i++)
		n.of[i] = settings_int(l->o.settings, (enum setting_id)i);
	close_unwanted(l, &n);
	for (size_t i = 0; i < l->count; i++) {
		struct row *r = &l->rows[i];
		struct error e = ERROR_INIT;

		if (move_row(l, r, &n, &e) == 0)
			continue;
		if (strcmp(r->reason, e.text) != 0)
			log_failure(LOG_LEVEL_ERROR, r->service->name, &e);
		set_state(l, r, r->port, e.text);
	}
}

/* --- from other threads --------------------------------------------------- */

static struct request *take_request(struct listeners *l)
{
	struct request *rq;

	pthread_mutex_lock(&l->lock);
	rq = l->pending;
	l->pending = NULL;
	if (rq)
		rq->taken = true;
	pthread_mutex_unlock(&l->lock);
	return rq;
}

/* A change to carry out first, else one that is in force already. */
static void on_wake(uv_async_t *handle)
{
	struct listeners *l = handle->data;
	struct request *rq = take_request(l);

	if (!rq) {
		listeners_apply(l);
		return;
	}
	rq->rc = carry_out(l, rq->wanted, rq->changed, rq->e);
	pthread_mutex_lock(&l->lock);
	rq->done = true;
	pthread_cond_broadcast(&l->answered);
	pthread_mutex_unlock(&l->lock);
}

static void deadline_of(struct timespec *out)
{
	clock_gettime(CLOCK_MONOTONIC, out);
	out->tv_sec += WAIT_S;
}

/* Under lock. A request that the loop works on lives until it is done. */
static int wait_for(struct listeners *l, struct request *rq)
{
	struct timespec until;
	int late = 0;

	deadline_of(&until);
	while (!rq->done && !l->stopped && (rq->taken || !late))
		late = pthread_cond_timedwait(&l->answered, &l->lock, &until);
	if (rq->done)
		return rq->rc;
	l->pending = NULL;
	return error_set(rq->e, l->stopped ? ERR_CANCELLED : ERR_TIMEOUT,
			 l->stopped ? "the service is stopping"
				    : "the network services did not answer in "
				      "time");
}

static uint64_t bits_of_all(const struct listeners *l)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < l->count; i++)
		bits |= bits_of(&l->rows[i]);
	return bits;
}

static int before_change(const struct setting_numbers *wanted, uint64_t changed,
			 void *arg, struct error *e)
{
	struct listeners *l = arg;
	struct request rq = { .wanted = wanted, .changed = changed, .e = e };
	int rc;

	if (!(changed & bits_of_all(l)))
		return 0;
	if (pthread_equal(pthread_self(), l->loop_thread))
		return carry_out(l, wanted, changed, e);
	pthread_mutex_lock(&l->lock);
	if (l->stopped) {
		rc = error_set(e, ERR_CANCELLED, "the service is stopping");
	} else {
		l->pending = &rq;
		uv_async_send(&l->wake);
		rc = wait_for(l, &rq);
	}
	pthread_mutex_unlock(&l->lock);
	return rc;
}

/* What could not be done before (a revert cannot be refused) is done as far as
 * it can be. */
static void on_change(uint64_t changed, void *arg)
{
	struct listeners *l = arg;

	if (changed & bits_of_all(l))
		uv_async_send(&l->wake);
}

void listeners_state(struct listeners *l, const char *name,
		     struct service_state *out)
{
	memset(out, 0, sizeof(*out));
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->count; i++) {
		const struct row *r = &l->rows[i];

		if (strcmp(r->service->name, name) != 0)
			continue;
		out->listening = r->port != 0;
		out->port = r->port;
		snprintf(out->problem, sizeof(out->problem), "%s", r->reason);
	}
	pthread_mutex_unlock(&l->lock);
}

bool listeners_complete(struct listeners *l)
{
	bool complete = true;

	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->count; i++) {
		const struct setting_service *s = l->rows[i].service;

		if (settings_bool(l->o.settings, s->enabled) &&
		    l->rows[i].port != settings_int(l->o.settings, s->port))
			complete = false;
	}
	pthread_mutex_unlock(&l->lock);
	return complete;
}

/* --- life ----------------------------------------------------------------- */

static void add_rows(struct listeners *l)
{
	const struct setting_service *s;

	for (size_t i = 0; (s = setting_service(i)); i++)
		for (size_t k = 0; k < sizeof(openers) / sizeof(*openers); k++)
			if (s->available && !strcmp(s->name, openers[k].name) &&
			    l->count < ROWS_MAX)
				l->rows[l->count++] =
				    (struct row){ .service = s,
						  .opener = &openers[k] };
}

struct listeners *listeners_new(const struct listeners_options *o,
				struct error *e)
{
	struct listeners *l = calloc(1, sizeof(*l));
	pthread_condattr_t attr;

	if (!l) {
		error_nomem(e);
		return NULL;
	}
	l->o = *o;
	l->loop_thread = pthread_self();
	add_rows(l);
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->answered, &attr);
	pthread_condattr_destroy(&attr);
	uv_async_init(o->loop, &l->wake, on_wake);
	l->wake.data = l;
	uv_unref((uv_handle_t *)&l->wake);
	settings_before_change(o->settings, before_change, l);
	settings_on_change(o->settings, on_change, l);
	return l;
}

void listeners_stop(struct listeners *l)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->stopped = true;
	pthread_cond_broadcast(&l->answered);
	pthread_mutex_unlock(&l->lock);
}

void listeners_free(struct listeners *l)
{
	if (!l)
		return;
	pthread_cond_destroy(&l->answered);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
