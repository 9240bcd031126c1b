/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "notify/syslog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "notify/syslog_entries.h"
#include "notify/syslog_private.h"

enum { THREAD_STACK = 1024 * 1024 };

_Thread_local bool syslog_own_thread;

const char *syslog_state_name(enum syslog_state state)
{
	static const char *const names[] = { "off", "connecting", "connected",
					     "failed" };

	return names[state];
}

static void signal_fd(int fd)
{
	/* It does not block, and a full counter is readable as well. */
	if (eventfd_write(fd, 1) < 0)
		return;
}

/* --- what is to be sent --------------------------------------------------- */

static bool is_on(struct syslog_sender *s)
{
	return settings_bool(s->settings, SETTING_SYSLOG_ENABLED);
}

/* Locked. Nobody can be told when memory is short: the message counts as
 * dropped. */
static uint64_t put(struct syslog_sender *s, int made, struct buf *frame)
{
	uint64_t number = 0;

	if (made == 0)
		number = syslog_queue_put(&s->queue, frame);
	else
		s->queue.dropped++;
	buf_free(frame);
	signal_fd(s->wake);
	return number;
}

static uint64_t put_event(struct syslog_sender *s,
			  const struct log_event *event)
{
	struct error e = ERROR_INIT;
	struct buf frame;

	buf_init(&frame, SYSLOG_FRAME_MAX);
	return put(
	    s, syslog_of_event(&s->origin, event, ++s->sequence, &frame, &e),
	    &frame);
}

uint64_t syslog_put_own(struct syslog_sender *s, enum log_level level,
			const char *text)
{
	const struct log_event event = { clock_now_ms(), level, "syslog",
					 text };

	return put_event(s, &event);
}

/* A log_sink_fn. */
static void on_event(void *arg, const struct log_event *event)
{
	struct syslog_sender *s = arg;

	if (syslog_own_thread || !is_on(s))
		return;
	pthread_mutex_lock(&s->lock);
	put_event(s, event);
	pthread_mutex_unlock(&s->lock);
}

/* An audit_listener_fn. */
static void on_record(void *arg, const struct audit_record *r)
{
	struct syslog_sender *s = arg;
	struct error e = ERROR_INIT;
	struct buf frame;

	if (!is_on(s) || !settings_bool(s->settings, SETTING_SYSLOG_AUDIT))
		return;
	buf_init(&frame, SYSLOG_FRAME_MAX);
	pthread_mutex_lock(&s->lock);
	put(s, syslog_of_record(&s->origin, r, ++s->sequence, &frame, &e),
	    &frame);
	pthread_mutex_unlock(&s->lock);
}

static void on_settings(uint64_t changed, void *arg)
{
	struct syslog_sender *s = arg;

	if (changed & (setting_bit(SETTING_SYSLOG_ENABLED) |
		       setting_bit(SETTING_SYSLOG_SERVER) |
		       setting_bit(SETTING_SERVER_CERTIFICATE) |
		       setting_bit(SETTING_TLS_MINIMUM_VERSION)))
		signal_fd(s->urgent);
}

/* --- who asks ------------------------------------------------------------- */

void syslog_query(struct syslog_sender *s, struct syslog_status *out)
{
	pthread_mutex_lock(&s->lock);
	out->state = s->state;
	memcpy(out->problem, s->problem, sizeof(out->problem));
	out->sent = s->queue.sent;
	out->waiting = syslog_queue_waiting(&s->queue);
	out->dropped = s->queue.dropped;
	pthread_mutex_unlock(&s->lock);
}

static struct timespec in_ms(unsigned ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	return t;
}

/* Locked. What came of the message with that number. */
static int wait_for(struct syslog_sender *s, uint64_t number, struct error *e)
{
	const struct timespec end = in_ms(SYSLOG_TEST_MS);
	uint64_t failures = s->failures, dropped = s->queue.dropped;

	while (s->queue.first <= number) {
		if (s->failures != failures)
			return error_set(e, ERR_IO, "%s", s->problem);
		if (pthread_cond_timedwait(&s->told, &s->lock, &end) ==
		    ETIMEDOUT)
			return error_set(e, ERR_TIMEOUT,
					 "the server has not acknowledged the "
					 "message yet; it stays in the queue");
	}
	if (s->state == SYSLOG_OFF && s->queue.dropped != dropped)
		return error_set(e, ERR_CONFLICT,
				 "the sending was switched off meanwhile");
	return 0;
}

int syslog_test(struct syslog_sender *s, struct error *e)
{
	uint64_t number;
	int rc;

	if (!is_on(s))
		return error_set(e, ERR_CONFLICT,
				 "the sending to a syslog server is switched "
				 "off (syslog.enabled)");
	pthread_mutex_lock(&s->lock);
	number = syslog_put_own(s, LOG_LEVEL_INFO,
				"This is a test message, sent on request");
	/* Who waits for the next try does so no longer. */
	if (s->state == SYSLOG_FAILED)
		signal_fd(s->urgent);
	rc = number ? wait_for(s, number, e) : error_nomem(e);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* --- the whole ------------------------------------------------------------ */

static void init_locks(struct syslog_sender *s)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->told, &attr);
	pthread_condattr_destroy(&attr);
}

struct syslog_sender *syslog_new(const struct syslog_options *o,
				 struct error *e)
{
	struct syslog_sender *s = calloc(1, sizeof(*s));

	if (!s) {
		error_nomem(e);
		return NULL;
	}
	s->settings = o->settings;
	s->audit = o->audit;
	snprintf(s->host, sizeof(s->host), "%s", o->host);
	snprintf(s->version, sizeof(s->version), "%s", o->version);
	s->origin =
	    (struct syslog_origin){ s->host, s->version, (long)getpid() };
	syslog_queue_init(&s->queue);
	init_locks(s);
	s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->urgent = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake < 0 || s->urgent < 0)
		error_errno(e, "syslog: eventfd");
	else if (log_add_sink(on_event, s) < 0)
		error_set(e, ERR_LIMIT, "syslog: too many sinks of the log");
	else if (audit_add_listener(s->audit, on_record, s) < 0)
		error_set(e, ERR_LIMIT, "syslog: too many listeners of audit");
	else {
		settings_on_change(s->settings, on_settings, s);
		return s;
	}
	syslog_free(s);
	return NULL;
}

int syslog_start(struct syslog_sender *s, const struct call_policy *policy,
		 struct error *e)
{
	pthread_attr_t attr;
	int rc;

	s->policy = *policy;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, THREAD_STACK);
	rc = pthread_create(&s->thread, &attr, syslog_thread, s);
	pthread_attr_destroy(&attr);
	if (rc != 0)
		return error_set_native(e, ERR_IO, rc,
					"the thread of syslog cannot be made: "
					"%s",
					strerror(rc));
	s->started = true;
	return 0;
}

static void stop(struct syslog_sender *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	s->stop_by = clock_monotonic_ms() + SYSLOG_FLUSH_MS;
	pthread_mutex_unlock(&s->lock);
	signal_fd(s->urgent);
	pthread_join(s->thread, NULL);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void syslog_free(struct syslog_sender *s)
{
	if (!s)
		return;
	log_remove_sink(on_event, s);
	audit_remove_listener(s->audit, on_record, s);
	if (s->started)
		stop(s);
	close_fd(s->wake);
	close_fd(s->urgent);
	syslog_queue_free(&s->queue);
	pthread_cond_destroy(&s->told);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
