/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "pkcs11/internal.h"

/* One thread brings connections back and replaces spent sessions. */

enum { BACKOFF_FIRST_MS = 250, BACKOFF_MAX_MS = 30000 };
/* How often a refused PIN's file is looked at; no token call is made. */
enum { PIN_WATCH_MS = 1000 };

void token_settle_state(struct token *t, const struct error *why)
{
	bool up = false;

	for (unsigned i = 0; i < t->connection_count; i++)
		up |= t->connections[i].phase == CONNECTION_UP;
	if (up) {
		t->state = TOKEN_READY;
		t->reason[0] = '\0';
		return;
	}
	t->state = t->pin_refused ? TOKEN_PIN_REFUSED : TOKEN_UNAVAILABLE;
	if (why)
		snprintf(t->reason, sizeof(t->reason), "%.*s",
			 (int)sizeof(t->reason) - 1, why->text);
}

void token_notify(struct token *t)
{
	enum token_state now;

	/* Several threads may notice changes at once; asking for the state
	 * inside this lock keeps the last call the true one. */
	pthread_mutex_lock(&t->notify_lock);
	pthread_mutex_lock(&t->lock);
	now = t->state;
	pthread_mutex_unlock(&t->lock);
	if (now != t->notified) {
		t->notified = now;
		if (t->on_state)
			t->on_state(now, t->on_state_arg);
	}
	pthread_mutex_unlock(&t->notify_lock);
}

/* --- connections */

/* May the PIN be tried? Only a refused one must not. */
static bool pin_is_new(struct token *t)
{
	struct error e = ERROR_INIT;
	struct pin_identity now;

	return !t->pin_refused ||
	       (pin_identity_of(t->pin_file, &now, &e) == 0 &&
		!pin_identity_equal(&now, &t->refused_pin));
}

static int open_locked(struct token *t, struct connection *c, struct error *e)
{
	int fd, rc;

	if (file_lock_take(t->lock_file, LOCK_WAIT_MS, &fd, e) < 0)
		return -1;
	softhsm_guard_run(t->softhsm_conf, t->state_directory);
	rc = connection_open(t, c, e);
	if (rc == 0)
		softhsm_guard_run(t->softhsm_conf, t->state_directory);
	file_lock_release(fd);
	return rc;
}

/* Under t->lock. */
static void come_up(struct token *t, struct connection *c)
{
	c->phase = CONNECTION_UP;
	c->open = c->free_count;
	c->doubts = 0;
	c->backoff_ms = 0;
	c->epoch = ++t->generation;
	t->hopeful = false;
	token_settle_state(t, NULL);
	pool_deal(t, c);
}

/* Under t->lock. */
static void stay_down(struct token *t, struct connection *c,
		      const struct error *why)
{
	c->phase = CONNECTION_DOWN;
	c->backoff_ms = c->backoff_ms ? c->backoff_ms * 2 : BACKOFF_FIRST_MS;
	if (c->backoff_ms > BACKOFF_MAX_MS)
		c->backoff_ms = BACKOFF_MAX_MS;
	c->retry_at_ms = clock_monotonic_ms() + c->backoff_ms;
	t->hopeful = false;
	token_settle_state(t, why);
	pool_wake_hopeless(t);
}

/* Under t->lock, which is let go for the token calls. */
static void revive(struct token *t, struct connection *c)
{
	bool first = c->backoff_ms == 0;
	struct error e = ERROR_INIT;
	int rc;

	pthread_mutex_unlock(&t->lock);
	connection_close(c);
	rc = open_locked(t, c, &e);
	pthread_mutex_lock(&t->lock);
	if (rc == 0)
		come_up(t, c);
	else
		stay_down(t, c, &e);
	pthread_mutex_unlock(&t->lock);
	/* One line for an outage, not one for each attempt. */
	if (rc == 0)
		log_info("token", "connection %u is up again", c->index);
	else if (first)
		log_failure(LOG_LEVEL_WARNING, "token", &e);
	token_notify(t);
	pthread_mutex_lock(&t->lock);
}

/* Under t->lock, which is let go for the token calls. */
static void refill(struct token *t, struct connection *c)
{
	struct error e = ERROR_INIT;
	CK_SESSION_HANDLE h;
	int rc;

	c->in_use++;
	pthread_mutex_unlock(&t->lock);
	rc = connection_open_session(c, &h, &e);
	pthread_mutex_lock(&t->lock);
	c->in_use--;
	if (c->phase != CONNECTION_UP)
		return;
	if (rc == 0) {
		c->open++;
		c->free[c->free_count++] = h;
		pool_deal(t, c);
	} else if ((CK_RV)e.native == CKR_SESSION_COUNT && c->open) {
		c->wanted = c->open;
	} else {
		pool_lose(t, c, e.text);
	}
}

/* --- the thread */

/* Under t->lock: one piece of work, or how long there is none. Returns false
 * when something was done, so that all is looked at again. */
static bool nothing_to_do(struct token *t, int64_t *next_ms)
{
	int64_t now = clock_monotonic_ms();

	*next_ms = INT64_MAX;
	for (unsigned i = 0; i < t->connection_count; i++) {
		struct connection *c = &t->connections[i];

		if (c->phase == CONNECTION_UP && c->open < c->wanted) {
			refill(t, c);
			return false;
		}
		if (c->phase == CONNECTION_UP || c->in_use)
			continue;
		if (!pin_is_new(t)) {
			if (*next_ms > now + PIN_WATCH_MS)
				*next_ms = now + PIN_WATCH_MS;
		} else if (c->retry_at_ms <= now) {
			revive(t, c);
			return false;
		} else if (*next_ms > c->retry_at_ms) {
			*next_ms = c->retry_at_ms;
		}
	}
	return true;
}

static void wait_until(struct token *t, int64_t at_ms)
{
	struct timespec at = { at_ms / 1000, (long)(at_ms % 1000) * 1000000L };

	if (at_ms == INT64_MAX)
		pthread_cond_wait(&t->work, &t->lock);
	else
		pthread_cond_timedwait(&t->work, &t->lock, &at);
}

static void *run(void *arg)
{
	struct token *t = arg;
	int64_t next_ms;

	pthread_mutex_lock(&t->lock);
	while (!t->stopping)
		if (nothing_to_do(t, &next_ms))
			wait_until(t, next_ms);
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

/* The first attempt, in the caller's thread, all connections under one lock. */
static int connect_all(struct token *t, struct error *e)
{
	int fd, rc = 0;

	if (file_lock_take(t->lock_file, LOCK_WAIT_MS, &fd, e) < 0) {
		rc = -1;
	} else {
		softhsm_guard_run(t->softhsm_conf, t->state_directory);
		for (unsigned i = 0; rc == 0 && i < t->connection_count; i++)
			rc = connection_open(t, &t->connections[i], e);
		if (rc == 0)
			softhsm_guard_run(t->softhsm_conf, t->state_directory);
		file_lock_release(fd);
	}
	pthread_mutex_lock(&t->lock);
	for (unsigned i = 0; i < t->connection_count; i++)
		if (t->connections[i].initialized)
			come_up(t, &t->connections[i]);
		else
			stay_down(t, &t->connections[i], e);
	pthread_mutex_unlock(&t->lock);
	return rc;
}

/* Signals are for the threads that know what to do with them. */
static int start_thread(struct token *t)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&t->thread, NULL, run, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

int recovery_start(struct token *t, struct error *e)
{
	int rc = connect_all(t, e);
	bool up = false;

	for (unsigned i = 0; i < t->connection_count; i++)
		up |= t->connections[i].initialized;
	/* Some connections are enough to work; the thread gets the others. */
	if (rc < 0 && up) {
		log_failure(LOG_LEVEL_WARNING, "token", e);
		rc = 0;
	}
	if (start_thread(t) != 0)
		return error_set(e, ERR_NOMEM, "no thread for the token");
	t->started = true;
	token_notify(t);
	return rc;
}
