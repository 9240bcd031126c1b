/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "pkcs11/internal.h"

/* So many doubtful answers in a row, from sessions that look sound, mean that
 * the connection is not. */
enum { DOUBTS_MAX = 5 };

/* Somebody who waits for a session, on the waiter's own stack. They are served
 * in the order of their coming. */
struct waiter {
	struct waiter *next;
	pthread_cond_t cond;
	struct connection *c; /* set: this connection's session h is yours */
	CK_SESSION_HANDLE h;
	bool hopeless;
};

static void waiter_add(struct token *t, struct waiter *w)
{
	pthread_condattr_t attr;

	memset(w, 0, sizeof(*w));
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->cond, &attr);
	pthread_condattr_destroy(&attr);
	*t->waiters_end = w;
	t->waiters_end = &w->next;
}

static void waiter_remove(struct token *t, struct waiter *w)
{
	struct waiter **at = &t->waiters;

	while (*at && *at != w)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = w->next;
	if (t->waiters_end == &w->next)
		t->waiters_end = at;
}

static struct waiter *waiter_pop(struct token *t)
{
	struct waiter *w = t->waiters;

	if (w)
		waiter_remove(t, w);
	return w;
}

/* The connection with the fewest calls under way: a connection may answer one
 * at a time only. */
static struct connection *least_busy(struct token *t)
{
	struct connection *best = NULL;

	for (unsigned i = 0; i < t->connection_count; i++) {
		struct connection *c = &t->connections[i];

		if (c->phase == CONNECTION_UP && c->free_count &&
		    (!best || c->in_use < best->in_use))
			best = c;
	}
	return best;
}

static bool may_come(const struct token *t)
{
	for (unsigned i = 0; i < t->connection_count; i++)
		if (t->connections[i].phase == CONNECTION_UP)
			return true;
	return t->hopeful;
}

static int unavailable(struct token *t, struct error *e)
{
	if (t->stopping)
		return error_set(e, ERR_CANCELLED, "the token is being closed");
	return error_set_native(
	    e, t->state == TOKEN_PIN_REFUSED ? ERR_TOKEN_PIN : ERR_TOKEN,
	    t->state == TOKEN_PIN_REFUSED ? (long)CKR_PIN_INCORRECT
					  : (long)CKR_TOKEN_NOT_PRESENT,
	    "token unavailable: %s", t->reason[0] ? t->reason : "not started");
}

static struct timespec deadline_in(unsigned ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += (long)(ms % 1000) * 1000000L;
	if (at.tv_nsec >= 1000000000L) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000L;
	}
	return at;
}

/* Under t->lock. */
static int wait_for_session(struct token *t, struct session *s, struct error *e)
{
	struct timespec deadline = deadline_in(t->wait_ms);
	struct waiter w;
	int rc = 0;

	waiter_add(t, &w);
	while (!w.c && !w.hopeless && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&w.cond, &t->lock, &deadline);
	if (!w.c && !w.hopeless)
		waiter_remove(t, &w);
	pthread_cond_destroy(&w.cond);
	if (w.c) {
		s->c = w.c;
		s->h = w.h;
		return 0;
	}
	if (w.hopeless)
		return unavailable(t, e);
	return error_set(e, ERR_TIMEOUT,
			 "no token session became free within %u ms",
			 t->wait_ms);
}

int pool_take(struct token *t, struct session *s, struct error *e)
{
	struct connection *c;
	int rc = 0;

	s->rv = CKR_OK;
	pthread_mutex_lock(&t->lock);
	c = least_busy(t);
	if (c && !t->stopping) {
		s->c = c;
		s->h = c->free[--c->free_count];
		c->in_use++;
	} else if (t->stopping || !may_come(t)) {
		rc = unavailable(t, e);
	} else {
		rc = wait_for_session(t, s, e);
	}
	pthread_mutex_unlock(&t->lock);
	return rc;
}

/* Under t->lock: a session that is neither free nor counted as taken. */
static void place(struct token *t, struct connection *c, CK_SESSION_HANDLE h)
{
	struct waiter *w = waiter_pop(t);

	if (!w) {
		c->free[c->free_count++] = h;
		return;
	}
	w->c = c;
	w->h = h;
	c->in_use++;
	pthread_cond_signal(&w->cond);
}

void pool_deal(struct token *t, struct connection *c)
{
	CK_SESSION_HANDLE fresh[SESSIONS_MAX];
	unsigned n = c->free_count;

	memcpy(fresh, c->free, n * sizeof(fresh[0]));
	c->free_count = 0;
	for (unsigned i = 0; i < n; i++)
		place(t, c, fresh[i]);
}

void pool_wake_hopeless(struct token *t)
{
	struct waiter *w;

	if (!t->stopping && may_come(t))
		return;
	while ((w = waiter_pop(t)) != NULL) {
		w->hopeless = true;
		pthread_cond_signal(&w->cond);
	}
}

/* The log line is written under the lock, for once: it belongs to the one
 * thread that takes the connection down. */
void pool_lose(struct token *t, struct connection *c, const char *reason)
{
	struct error why = ERROR_INIT;

	if (c->phase != CONNECTION_UP)
		return;
	c->phase = CONNECTION_LOST;
	log_warning("token", "connection %u lost: %s", c->index, reason);
	c->open = c->free_count = 0;
	c->retry_at_ms = 0;
	c->backoff_ms = 0;
	error_set(&why, ERR_TOKEN, "%s", reason);
	t->hopeful = true;
	token_settle_state(t, &why);
	pthread_cond_signal(&t->work);
}

/* What a spent or doubtful session is worth, asked without locks. */
static enum rv_class judge(struct session *s)
{
	enum rv_class class = rv_classify(s->rv);
	CK_SESSION_INFO info;
	CK_RV rv;

	if (class != RV_DOUBT)
		return class;
	rv = CALL(s->c, C_GetSessionInfo, s->h, &info);
	if (rv == CKR_OK)
		return connection_state_fits(s->c, info.state) ? RV_DOUBT
							       : RV_LOST;
	return rv_classify(rv) == RV_SESSION ? RV_SESSION : RV_LOST;
}

/* Under t->lock. */
static void settle_session(struct token *t, struct session *s,
			   enum rv_class class, const char *reason)
{
	struct connection *c = s->c;

	c->in_use--;
	if (class == RV_DOUBT && ++c->doubts >= DOUBTS_MAX)
		class = RV_LOST;
	else if (class == RV_CALLER)
		c->doubts = 0;
	if (c->phase == CONNECTION_UP && class == RV_LOST)
		pool_lose(t, c, reason);
	if (c->phase != CONNECTION_UP) {
		if (!c->in_use)
			pthread_cond_signal(&t->work);
		return;
	}
	if (class == RV_SESSION) {
		c->open--;
		pthread_cond_signal(&t->work);
		return;
	}
	place(t, c, s->h);
}

void pool_give(struct token *t, struct session *s)
{
	enum rv_class class = RV_CALLER;
	const char *reason = "";

	if (s->rv != CKR_OK) {
		class = judge(s);
		reason = p11_kit_strerror(s->rv);
		if (class == RV_SESSION)
			CALL(s->c, C_CloseSession, s->h);
	}
	pthread_mutex_lock(&t->lock);
	settle_session(t, s, class, reason);
	pthread_mutex_unlock(&t->lock);
	if (class != RV_CALLER)
		token_notify(t);
}

bool pool_pin(struct token *t, struct connection *c)
{
	bool up;

	pthread_mutex_lock(&t->lock);
	up = c->phase == CONNECTION_UP && !t->stopping;
	if (up)
		c->in_use++;
	pthread_mutex_unlock(&t->lock);
	return up;
}

void pool_unpin(struct token *t, struct connection *c)
{
	pthread_mutex_lock(&t->lock);
	c->in_use--;
	if (c->phase != CONNECTION_UP && !c->in_use)
		pthread_cond_signal(&t->work);
	pthread_mutex_unlock(&t->lock);
}

int session_fail(struct session *s, CK_RV rv, const char *what, struct error *e)
{
	if (rv_classify(rv) >= rv_classify(s->rv))
		s->rv = rv;
	return rv_error(e, rv, what);
}

bool session_is_spent(const struct session *s)
{
	return rv_classify(s->rv) != RV_CALLER;
}

bool pool_try_again(const struct token *t, const struct session *s,
		    unsigned attempt)
{
	return session_is_spent(s) && attempt <= t->connection_count + 1;
}

int session_run(struct token *t,
		int (*fn)(struct token *t, struct session *s, void *arg,
			  struct error *e),
		void *arg, struct error *e)
{
	struct session s;
	int rc;

	for (unsigned attempt = 1;; attempt++) {
		bool again;

		if (pool_take(t, &s, e) < 0)
			return -1;
		rc = fn(t, &s, arg, e);
		again = rc < 0 && pool_try_again(t, &s, attempt);
		pool_give(t, &s);
		if (!again)
			return rc;
	}
}
