/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "net/dial.h"
#include "net/stream.h"
#include "notify/syslog_private.h"

/* The thread that sends: one connection after the other. */

enum {
	OPEN_MS = 15000,  /* look-up, connection and handshake */
	SETTLE_MS = 1000, /* for a server that may refuse our certificate */
	WRITE_MS = 30000, /* a server that takes nothing for so long is gone */
	LOOK_MS = 1000,   /* how often certificate and trust are looked at */
	CONFIRM_MS = 20,  /* how often, while something is not confirmed */
	RETRY_MIN_MS = 1000,
	RETRY_MAX_MS = 60000,
	READS_MAX = 16, /* of what a server says, before it is our turn again */
	STOOD_MS = 10000 /* a connection that stood so long was a good one */
};

struct session {
	struct syslog_sender *sender;
	struct host_port server;
	struct call_context context;
	struct net_stream *stream;
	struct buf batch;
	char said[ERROR_TEXT_MAX]; /* the failure that was logged last */
};

/* Why a connection ended. */
enum ending { END_ANEW, END_FAILED, END_STOP };

/* --- state ---------------------------------------------------------------- */

static void set_state(struct syslog_sender *s, enum syslog_state state,
		      const char *problem)
{
	pthread_mutex_lock(&s->lock);
	s->state = state;
	snprintf(s->problem, sizeof(s->problem), "%s", problem);
	s->failures += state == SYSLOG_FAILED;
	pthread_cond_broadcast(&s->told);
	pthread_mutex_unlock(&s->lock);
}

/* Milliseconds that are left for what waits, -1: we go on. */
static int64_t time_to_stop(struct syslog_sender *s)
{
	int64_t left = -1;

	pthread_mutex_lock(&s->lock);
	if (s->stopping)
		left = s->stop_by - clock_monotonic_ms();
	if (s->stopping && left < 0)
		left = 0;
	pthread_mutex_unlock(&s->lock);
	return left;
}

/* False: nothing is to be sent. */
static bool read_server(struct syslog_sender *s, struct host_port *out)
{
	char *text = settings_text(s->settings, SETTING_SYSLOG_SERVER);
	struct error e = ERROR_INIT;
	bool on = settings_bool(s->settings, SETTING_SYSLOG_ENABLED) && text &&
		  host_port_parse(
		      text, (uint16_t)setting_row(SETTING_SYSLOG_SERVER)->min,
		      out, &e) == 0;

	free(text);
	return on;
}

static bool is_same_server(struct session *x)
{
	struct host_port now;

	return read_server(x->sender, &now) && now.port == x->server.port &&
	       !strcmp(now.host, x->server.host);
}

static void drain(int fd)
{
	eventfd_t n;

	if (eventfd_read(fd, &n) < 0)
		return;
}

/* True: something urgent is to be looked at. */
static bool rest(struct syslog_sender *s, int ms)
{
	struct pollfd fd = { .fd = s->urgent, .events = POLLIN };
	bool urgent = poll(&fd, 1, ms) > 0;

	drain(s->urgent);
	return urgent;
}

/* --- a connection --------------------------------------------------------- */

static void tell_success(struct session *x)
{
	struct syslog_sender *s = x->sender;
	char text[128] = "";
	uint64_t lost;

	set_state(s, SYSLOG_CONNECTED,
		  x->context.checked
		      ? ""
		      : "The certificate of the server is not checked, as "
			"\"Server certificate security\" is \"No "
			"verification\".");
	pthread_mutex_lock(&s->lock);
	lost = s->queue.dropped - s->dropped_reported;
	s->dropped_reported = s->queue.dropped;
	if (lost) {
		snprintf(text, sizeof(text),
			 "%" PRIu64 " messages were dropped while the syslog "
			 "server did not take them",
			 lost);
		syslog_put_own(s, LOG_LEVEL_WARNING, text);
	}
	pthread_mutex_unlock(&s->lock);
	log_info("syslog", "connected to %s port %u", x->server.host,
		 x->server.port);
	if (lost)
		log_warning("syslog", "%s", text);
	x->said[0] = '\0';
}

/* The same failure is logged once, however often it is tried again. */
static void tell_failure(struct session *x, const struct error *e)
{
	set_state(x->sender, SYSLOG_FAILED, e->text);
	if (!strcmp(x->said, e->text))
		return;
	snprintf(x->said, sizeof(x->said), "%s", e->text);
	log_failure(LOG_LEVEL_WARNING, "syslog", e);
}

static int connect_session(struct session *x, struct error *e)
{
	struct net_stream_options o = {
		.to = &x->server,
		.limit_ms = OPEN_MS,
		.cancel = x->sender->urgent,
	};

	call_context_end(&x->context);
	if (call_context_make(&x->sender->policy, &x->context, e) < 0)
		return -1;
	o.tls = x->context.tls;
	x->stream = net_stream_open(&o, e);
	if (!x->stream)
		return -1;
	return net_stream_settle(x->stream, SETTLE_MS, e);
}

/* What the server says is passed over; its end is noticed. */
static int listen_to_server(struct session *x, struct error *e)
{
	char ignored[1024];
	size_t got;

	for (int i = 0; i < READS_MAX; i++) {
		if (net_stream_read(x->stream, ignored, sizeof(ignored), 0,
				    &got, e) == 0) {
			if (got == 0)
				return error_set(e, ERR_IO,
						 "the server closed the "
						 "connection");
			continue;
		}
		if (e->kind != ERR_TIMEOUT)
			return -1;
		error_clear(e);
		break;
	}
	return 0;
}

static void confirm(struct session *x)
{
	struct syslog_sender *s = x->sender;
	uint64_t acknowledged = net_stream_acknowledged(x->stream);

	pthread_mutex_lock(&s->lock);
	if (syslog_queue_confirm(&s->queue, acknowledged))
		pthread_cond_broadcast(&s->told);
	pthread_mutex_unlock(&s->lock);
}

/* Write what comes next; *any_out: there was something. */
static int send_batch(struct session *x, bool *any_out, struct error *e)
{
	struct syslog_sender *s = x->sender;
	uint64_t upto;
	int64_t left;
	int count;

	buf_clear(&x->batch);
	pthread_mutex_lock(&s->lock);
	count = syslog_queue_next(&s->queue, &x->batch, &upto, e);
	pthread_mutex_unlock(&s->lock);
	*any_out = count > 0;
	if (count <= 0)
		return count;
	left = time_to_stop(s);
	if (net_stream_write(x->stream, x->batch.ptr, x->batch.len,
			     left < 0 ? WRITE_MS : (unsigned)left, e) < 0)
		return e->kind == ERR_TIMEOUT
			   ? error_set(e, ERR_TIMEOUT,
				       "the server takes no messages")
			   : -1;
	pthread_mutex_lock(&s->lock);
	syslog_queue_handed_out(&s->queue, upto, net_stream_sent(x->stream));
	pthread_mutex_unlock(&s->lock);
	return 0;
}

static size_t count_waiting(struct syslog_sender *s, size_t *unconfirmed)
{
	size_t waiting;

	pthread_mutex_lock(&s->lock);
	waiting = syslog_queue_waiting(&s->queue);
	*unconfirmed = syslog_queue_unconfirmed(&s->queue);
	pthread_mutex_unlock(&s->lock);
	return waiting;
}

/* Until there is something to do. */
static void await(struct session *x)
{
	struct syslog_sender *s = x->sender;
	struct pollfd fds[] = {
		{ .fd = s->wake, .events = POLLIN },
		{ .fd = s->urgent, .events = POLLIN },
		{ .fd = net_stream_fd(x->stream), .events = POLLIN },
	};
	size_t unconfirmed;

	(void)count_waiting(s, &unconfirmed);
	if (poll(fds, 3, unconfirmed ? CONFIRM_MS : LOOK_MS) > 0)
		drain(s->wake);
}

/* May the connection stay? */
static bool is_wanted(struct session *x, enum ending *why)
{
	size_t unconfirmed;
	int64_t left = time_to_stop(x->sender);

	*why = left >= 0 ? END_STOP : END_ANEW;
	if (left >= 0)
		return left > 0 && count_waiting(x->sender, &unconfirmed) > 0;
	return is_same_server(x) &&
	       call_context_is_current(&x->sender->policy, &x->context);
}

/* A connection that stands, to its end. */
static enum ending serve(struct session *x, struct error *e)
{
	enum ending why;
	bool any;

	for (;;) {
		drain(x->sender->urgent);
		if (!is_wanted(x, &why))
			return why;
		if (listen_to_server(x, e) < 0 || send_batch(x, &any, e) < 0)
			break;
		confirm(x);
		if (!any)
			await(x);
	}
	return e->kind == ERR_CANCELLED ? END_ANEW : END_FAILED;
}

static void end_session(struct session *x)
{
	struct syslog_sender *s = x->sender;

	if (x->stream)
		confirm(x);
	net_stream_close(x->stream);
	x->stream = NULL;
	pthread_mutex_lock(&s->lock);
	syslog_queue_again(&s->queue);
	pthread_mutex_unlock(&s->lock);
}

/* One try; *stood_out: how long the connection stood. */
static enum ending run_session(struct session *x, int64_t *stood_out)
{
	struct error e = ERROR_INIT;
	enum ending why = END_FAILED;
	int64_t since;

	*stood_out = 0;
	set_state(x->sender, SYSLOG_CONNECTING, "");
	if (connect_session(x, &e) == 0) {
		tell_success(x);
		since = clock_monotonic_ms();
		why = serve(x, &e);
		*stood_out = clock_monotonic_ms() - since;
	} else if (e.kind == ERR_CANCELLED) {
		why = END_ANEW;
	}
	end_session(x);
	if (why == END_FAILED)
		tell_failure(x, &e);
	return why;
}

/* --- all of them ---------------------------------------------------------- */

/* Until the next try: the time is over, or what failed may do now. */
static void back_off(struct session *x, int ms)
{
	int64_t end = clock_monotonic_ms() + ms;

	while (clock_monotonic_ms() < end) {
		int64_t left = end - clock_monotonic_ms();

		if (rest(x->sender, left < LOOK_MS ? (int)left : LOOK_MS) ||
		    !call_context_is_current(&x->sender->policy, &x->context))
			return;
	}
}

static int next_delay(int delay, int64_t stood)
{
	if (stood >= STOOD_MS || delay == 0)
		return RETRY_MIN_MS;
	return delay > RETRY_MAX_MS / 2 ? RETRY_MAX_MS : 2 * delay;
}

static void be_off(struct syslog_sender *s)
{
	pthread_mutex_lock(&s->lock);
	syslog_queue_clear(&s->queue);
	s->dropped_reported = s->queue.dropped;
	pthread_mutex_unlock(&s->lock);
	set_state(s, SYSLOG_OFF, "");
	rest(s, -1);
}

void *syslog_thread(void *arg)
{
	struct session x = { .sender = arg };
	int64_t stood;
	int delay = 0;

	syslog_own_thread = true;
	buf_init(&x.batch, SYSLOG_BATCH_BYTES);
	for (;;) {
		/* First: what is signalled from here on is not missed. */
		drain(x.sender->urgent);
		if (time_to_stop(x.sender) >= 0)
			break;
		if (!read_server(x.sender, &x.server)) {
			delay = 0;
			be_off(x.sender);
		} else if (run_session(&x, &stood) == END_FAILED) {
			delay = next_delay(delay, stood);
			back_off(&x, delay);
		} else {
			delay = 0;
		}
	}
	call_context_end(&x.context);
	buf_free(&x.batch);
	return NULL;
}
