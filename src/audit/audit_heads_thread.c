/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <time.h>

#include "audit/audit_heads_private.h"
#include "base/clock.h"
#include "base/log.h"

/* How often the end of the trail is looked at: a look is one row. */
enum { LOOK_MS = 1000 };

bool audit_head_due(const struct audit_head_plan *p, uint64_t last,
		    int64_t now_ms)
{
	if (p->failing && now_ms - p->attempt_at_ms < AUDIT_HEAD_RETRY_MS)
		return false;
	if (!p->signed_once)
		return true;
	if (last == p->record)
		return false;
	/* A trail that lost records is attested no sooner for that. */
	return p->failing ||
	       (last > p->record &&
		last - p->record >= AUDIT_HEAD_EVERY_RECORDS) ||
	       now_ms - p->signed_at_ms >= AUDIT_HEAD_EVERY_MS;
}

/* A store that cannot be read says so to those who need it. */
static void look(struct audit_heads *h)
{
	struct error e = ERROR_INIT;
	struct audit_chain chain;
	bool due;

	if (store_audit_chain(h->store, &chain, &e) < 0)
		return;
	pthread_mutex_lock(&h->lock);
	due = audit_head_due(&h->plan, chain.last, clock_monotonic_ms());
	pthread_mutex_unlock(&h->lock);
	/* That it is put off is logged there, once. */
	if (due && audit_heads_sign(h, &e) < 0)
		log_trace("audit", "no head: %s", e.text);
}

/* true: it is over. */
static bool wait_a_moment(struct audit_heads *h)
{
	int64_t until_ms = clock_monotonic_ms() + LOOK_MS;
	struct timespec until = {
		.tv_sec = until_ms / 1000,
		.tv_nsec = until_ms % 1000 * 1000000,
	};
	bool over;

	pthread_mutex_lock(&h->wake_lock);
	if (!h->stopping)
		pthread_cond_timedwait(&h->wake, &h->wake_lock, &until);
	over = h->stopping;
	pthread_mutex_unlock(&h->wake_lock);
	return over;
}

static void *run(void *arg)
{
	struct audit_heads *h = arg;
	struct error e = ERROR_INIT;

	do
		look(h);
	while (!wait_a_moment(h));
	/* What cannot be signed now is signed at the next start. */
	if (audit_heads_sign(h, &e) < 0)
		log_trace("audit", "no last head: %s", e.text);
	return NULL;
}

int audit_heads_start(struct audit_heads *h, struct error *e)
{
	int code = pthread_create(&h->thread, NULL, run, h);

	if (code)
		return error_set_native(e, ERR_NOMEM, code,
					"no thread for the audit log: %s",
					strerror(code));
	h->runs = true;
	return 0;
}

void audit_heads_stop(struct audit_heads *h)
{
	if (!h || !h->runs)
		return;
	pthread_mutex_lock(&h->wake_lock);
	h->stopping = true;
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->wake_lock);
	pthread_join(h->thread, NULL);
	h->runs = false;
}
