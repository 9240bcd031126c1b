/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/sip_service.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"

struct sip_service {
	struct sip_service_options o;
	struct sip_agent *agent;
	uv_async_t wake;     /* an answer of the DNS, a wish */
	uv_prepare_t before; /* the loop waits */
	uv_timer_t timer;
	int64_t armed; /* when the timer runs out; -1: not set */
	atomic_uint_fast64_t last_id;
};

/* --- time ----------------------------------------------------------------- */

static void tick(struct sip_service *s)
{
	sip_agent_tick(s->agent, clock_monotonic_ms());
}

static void on_timer(uv_timer_t *handle)
{
	struct sip_service *s = handle->data;

	s->armed = -1;
	tick(s);
}

/* Whatever the turn of the loop has brought, the timer fits before it waits. */
static void on_prepare(uv_prepare_t *handle)
{
	struct sip_service *s = handle->data;
	int64_t next = sip_agent_next_ms(s->agent), wait;

	if (next == s->armed)
		return;
	s->armed = next;
	if (next < 0) {
		uv_timer_stop(&s->timer);
		return;
	}
	wait = next - clock_monotonic_ms();
	/* libuv counts from the beginning of the turn. */
	uv_update_time(s->o.loop);
	uv_timer_start(&s->timer, on_timer, wait > 0 ? (uint64_t)wait : 0, 0);
}

static void on_wake(uv_async_t *handle)
{
	struct sip_service *s = handle->data;

	tick(s);
	sip_control_run(s->o.control);
}

/* Any thread. */
static void wake(void *arg)
{
	struct sip_service *s = arg;

	uv_async_send(&s->wake);
}

/* --- what others want ----------------------------------------------------- */

static uint64_t new_id(void *arg)
{
	struct sip_service *s = arg;

	return atomic_fetch_add(&s->last_id, 1) + 1;
}

static const struct sip_control_ops control_ops = { .new_id = new_id,
						    .wake = wake };

/* --- life ----------------------------------------------------------------- */

static void start_handles(struct sip_service *s)
{
	uv_handle_t *handles[] = { (uv_handle_t *)&s->wake,
				   (uv_handle_t *)&s->before,
				   (uv_handle_t *)&s->timer };

	uv_async_init(s->o.loop, &s->wake, on_wake);
	uv_prepare_init(s->o.loop, &s->before);
	uv_timer_init(s->o.loop, &s->timer);
	for (size_t i = 0; i < sizeof(handles) / sizeof(*handles); i++) {
		handles[i]->data = s;
		uv_unref(handles[i]);
	}
}

struct sip_service *sip_service_new(const struct sip_service_options *o,
				    struct error *e)
{
	struct sip_service *s = calloc(1, sizeof(*s));

	if (!s) {
		error_nomem(e);
		return NULL;
	}
	s->o = *o;
	s->armed = -1;
	return s;
}

int sip_service_start(struct sip_service *s, struct error *e)
{
	const struct sip_agent_options agent = { .front = s->o.front,
						 .wake = wake,
						 .wake_arg = s };
	struct sip_control_ops ops = control_ops;

	start_handles(s);
	s->agent = sip_agent_new(&agent, e);
	if (!s->agent)
		return -1;
	ops.arg = s;
	sip_control_attach(s->o.control, &ops);
	uv_prepare_start(&s->before, on_prepare);
	return 0;
}

struct sip_agent *sip_service_agent(struct sip_service *s)
{
	return s->agent;
}

void sip_service_stop(struct sip_service *s)
{
	if (s)
		sip_control_attach(s->o.control, NULL);
}

void sip_service_end(struct sip_service *s)
{
	if (!s || !s->agent)
		return;
	sip_service_stop(s);
	uv_prepare_stop(&s->before);
	uv_timer_stop(&s->timer);
	sip_agent_end(s->agent);
	sip_agent_free(s->agent);
	s->agent = NULL;
}

void sip_service_free(struct sip_service *s)
{
	free(s);
}
