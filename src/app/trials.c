/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/trials.h"

#include <stdio.h>

#include "base/log.h"

/* How often it is looked whether a time is over. */
enum { TICK_MS = 500, DETAIL_MAX = 1000 };

static void write_down(struct trials *t, const struct trial *over)
{
	static const struct audit_actor system = { "System", "", "", "" };
	struct error e = ERROR_INIT;
	char detail[DETAIL_MAX], reason[120];

	trial_describe(over, detail, sizeof(detail));
	log_warning("settings", "not confirmed in time, taken back: %s",
		    detail);
	snprintf(reason, sizeof(reason), "not confirmed within %d s%s",
		 (int)over->row.seconds,
		 t->started ? ""
			    : ", which ended while the service did not run");
	if (audit_append(t->audit,
			 AUDIT(TRIAL_REVERTED, .changeId = over->row.id,
			       .reason = reason, .change = detail),
			 &system, &e) < 0)
		log_failure(LOG_LEVEL_ERROR, "audit", &e);
}

/* A failure leaves the former values in force and the trial in the list: the
 * next look tries again to store it. */
static void revert_all_due(struct trials *t)
{
	struct error e = ERROR_INIT;
	struct trial over;
	int rc;

	while ((rc = settings_revert_due(t->settings, &over, &e)) == 1) {
		write_down(t, &over);
		trial_clear(&over);
	}
	if (rc < 0 && !t->failed)
		log_failure(LOG_LEVEL_ERROR, "settings", &e);
	t->failed = rc < 0;
}

static void revert_work(uv_work_t *work)
{
	revert_all_due(work->data);
}

static void revert_done(uv_work_t *work, int status)
{
	struct trials *t = work->data;

	(void)status;
	t->busy = false;
}

/* Off the loop: it waits for the disk, and for the loop to move listeners. */
static void on_timer(uv_timer_t *timer)
{
	struct trials *t = timer->data;

	if (t->busy || !settings_has_trials(t->settings))
		return;
	t->busy =
	    uv_queue_work(timer->loop, &t->work, revert_work, revert_done) == 0;
}

void trials_start(struct trials *t, uv_loop_t *loop, struct settings *settings,
		  struct audit *audit)
{
	t->settings = settings;
	t->audit = audit;
	t->work.data = t;
	revert_all_due(t);
	t->started = true;
	uv_timer_init(loop, &t->timer);
	t->timer.data = t;
	uv_timer_start(&t->timer, on_timer, TICK_MS, TICK_MS);
	uv_unref((uv_handle_t *)&t->timer);
}

void trials_stop(struct trials *t)
{
	uv_timer_stop(&t->timer);
}
