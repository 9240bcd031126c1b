/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/sip_service.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "app/sip_calling.h"
#include "base/clock.h"
#include "base/log.h"
#include "sip/sip_registration.h"

struct sip_service {
	struct sip_service_options o;
	struct sip_agent *agent;
	struct sip_calling *calling;
	struct sip_registration *registration;
	atomic_bool settings_changed; /* of the registration */
	uv_async_t wake;              /* an answer of the DNS, a wish */
	uv_prepare_t before;          /* the loop waits */
	uv_timer_t timer;
	int64_t armed; /* when the timer runs out; -1: not set */
	/* At the end, until calls have ended and the registration is taken
	 * back: */
	bool leaving;
	int64_t stop_at;
	void (*stopped)(void *arg); /* NULL: told, or not asked */
	void *stopped_arg;
	unsigned tls_changes; /* of the policy, that are in force here */
};

/* --- time ----------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

static int64_t next_ms(const struct sip_service *s)
{
	int64_t next = earlier(sip_agent_next_ms(s->agent),
			       sip_calling_next_ms(s->calling));

	return s->stopped ? earlier(next, s->stop_at) : next;
}

/* All has ended, or its time to do so. */
static void tell_stopped(struct sip_service *s)
{
	void (*stopped)(void *arg) = s->stopped;

	if (!stopped || ((s->leaving ||
			  sip_calls_count(sip_calling_calls(s->calling)) > 0) &&
			 clock_monotonic_ms() < s->stop_at))
		return;
	s->stopped = NULL;
	stopped(s->stopped_arg);
}

static void tick(struct sip_service *s)
{
	sip_agent_tick(s->agent, clock_monotonic_ms());
	sip_calling_tick(s->calling);
	tell_stopped(s);
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
	int64_t next, wait;

	tell_stopped(s);
	next = next_ms(s);
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

/* Connections that are opened from now on go by the newest policy; those that
 * stand are closed where that is wanted: whoever needs them opens others. */
static void follow_policy(struct sip_service *s)
{
	unsigned changes;
	struct tls_context *client = tls_policy_sip_client(s->o.tls, &changes);

	if (changes != s->tls_changes) {
		sip_agent_set_client(s->agent, client);
		if (s->tls_changes &&
		    settings_bool(s->o.settings, SETTING_SIP_CLOSE_CONNECTIONS))
			sip_agent_close_tls(s->agent);
		s->tls_changes = changes;
		/* What was refused may go now. */
		atomic_store(&s->settings_changed, true);
	}
	tls_context_unref(client);
}

static void follow_settings(struct sip_service *s)
{
	if (!atomic_exchange(&s->settings_changed, false))
		return;
	(void)sip_agent_now(s->agent);
	/* What has failed may go by other settings, or another policy. */
	sip_outages_clear(sip_agent_outages(s->agent));
	sip_registration_settings(s->registration);
}

static void on_wake(uv_async_t *handle)
{
	struct sip_service *s = handle->data;

	if (!s->agent)
		return;
	follow_policy(s);
	tick(s);
	follow_settings(s);
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

	return sip_calls_id(sip_calling_calls(s->calling));
}

static void place_call(void *arg, uint64_t id, const struct sip_dialled *to)
{
	struct sip_service *s = arg;

	(void)sip_agent_now(s->agent);
	sip_calling_place(s->calling, id, to,
			  sip_registration_routes(s->registration));
}

static void end_call(void *arg, uint64_t id)
{
	struct sip_service *s = arg;
	struct error e = ERROR_INIT;

	(void)sip_agent_now(s->agent);
	if (sip_calls_end(sip_calling_calls(s->calling), id, &e) < 0)
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
}

static void register_now(void *arg)
{
	struct sip_service *s = arg;

	(void)sip_agent_now(s->agent);
	sip_registration_now(s->registration);
}

static void password_changed(void *arg)
{
	struct sip_service *s = arg;

	(void)sip_agent_now(s->agent);
	sip_registration_password(s->registration);
}

/* Any thread. */
static void on_settings(uint64_t changed, void *arg)
{
	struct sip_service *s = arg;

	if (!(changed & sip_registration_bits()))
		return;
	atomic_store(&s->settings_changed, true);
	wake(s);
}

static void on_registration(void *arg, const struct sip_registration_facts *f)
{
	struct sip_service *s = arg;

	sip_control_registered(s->o.control, f);
}

static void on_left(void *arg)
{
	struct sip_service *s = arg;

	s->leaving = false;
}

static const struct sip_control_ops control_ops = {
	.new_id = new_id,
	.wake = wake,
	.place = place_call,
	.end = end_call,
	.register_now = register_now,
	.password_changed = password_changed,
};

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

static int start_calling(struct sip_service *s, struct error *e)
{
	const struct sip_calling_options o = {
		.agent = s->agent,
		.control = s->o.control,
		.config = s->o.config,
		.settings = s->o.settings,
		.credentials = s->o.credentials,
		.wake = wake,
		.wake_arg = s,
	};

	s->calling = sip_calling_new(&o, e);
	return s->calling ? 0 : -1;
}

static int start_registration(struct sip_service *s, struct error *e)
{
	const struct sip_registration_options o = {
		.agent = s->agent,
		.settings = s->o.settings,
		.credentials = s->o.credentials,
		.changed = on_registration,
		.arg = s,
	};

	s->registration = sip_registration_new(&o, e);
	return s->registration ? 0 : -1;
}

int sip_service_start(struct sip_service *s, struct error *e)
{
	const char *servers = s->o.config->sip_dns_servers;
	const struct sip_agent_options agent = {
		.front = s->o.front,
		.resolver = { .servers = *servers ? servers : NULL },
		.wake = wake,
		.wake_arg = s,
	};
	struct sip_control_ops ops = control_ops;

	start_handles(s);
	s->agent = sip_agent_new(&agent, e);
	if (!s->agent)
		return -1;
	if (start_calling(s, e) < 0 || start_registration(s, e) < 0)
		return -1;
	ops.arg = s;
	sip_control_attach(s->o.control, &ops);
	uv_prepare_start(&s->before, on_prepare);
	tls_policy_on_sip_change(s->o.tls, wake, s);
	follow_policy(s);
	settings_on_change(s->o.settings, on_settings, s);
	on_settings(sip_registration_bits(), s);
	return 0;
}

struct sip_agent *sip_service_agent(struct sip_service *s)
{
	return s->agent;
}

void sip_service_stop(struct sip_service *s, void (*done)(void *arg), void *arg)
{
	if (!s || !s->registration) {
		done(arg);
		return;
	}
	sip_control_attach(s->o.control, NULL);
	s->stopped = done;
	s->stopped_arg = arg;
	s->stop_at = clock_monotonic_ms() + SIP_SERVICE_STOP_MS;
	(void)sip_agent_now(s->agent);
	s->leaving = sip_registration_leave(s->registration, on_left, s);
	sip_calls_end_all(sip_calling_calls(s->calling));
	tell_stopped(s);
}

void sip_service_end(struct sip_service *s)
{
	if (!s || !s->agent)
		return;
	sip_control_attach(s->o.control, NULL);
	uv_prepare_stop(&s->before);
	uv_timer_stop(&s->timer);
	sip_agent_end(s->agent);
	sip_registration_free(s->registration);
	sip_calling_free(s->calling);
	sip_agent_free(s->agent);
	s->registration = NULL;
	s->calling = NULL;
	s->agent = NULL;
}

void sip_service_free(struct sip_service *s)
{
	free(s);
}
