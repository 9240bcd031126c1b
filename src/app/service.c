/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/service.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "app/end_limit.h"
#include "app/run_mark.h"
#include "app/service_private.h"
#include "app/system_records.h"
#include "base/clock.h"
#include "base/log.h"
#include "sip/sip_own_certificate.h"

enum { HOUSEKEEPING_MS = 5000 }; /* retries of listeners and loads */

/* --- identity and trust ----------------------------------------------------
 */

static void load_work(uv_work_t *work)
{
	struct service *s = work->data;
	struct error e = ERROR_INIT;

	if (identity_load(s->identity, &e) < 0)
		log_failure(LOG_LEVEL_ERROR, "identity", &e);
	error_clear(&e);
	if (trust_load(s->trust, &e) < 0)
		log_failure(LOG_LEVEL_ERROR, "trust", &e);
}

static void load_soon(struct service *s);

static void load_done(uv_work_t *work, int status)
{
	struct service *s = work->data;

	(void)status;
	s->loading = false;
	if (s->load_again)
		load_soon(s);
}

/* The token is there again: what is stored may have changed with it. */
static void load_soon(struct service *s)
{
	if (s->loading) {
		s->load_again = true;
		return;
	}
	s->load_again = false;
	s->load.data = s;
	s->loading =
	    uv_queue_work(&s->loop, &s->load, load_work, load_done) == 0;
}

static bool has_identity(struct service *s)
{
	struct local_identity *l = identity_in_service(s->identity);
	bool has = l != NULL;

	local_identity_unref(l);
	return has;
}

void service_token_state(enum token_state state, void *arg)
{
	struct service *s = arg;

	(void)state;
	atomic_store(&s->token_changed, true);
	uv_async_send(&s->wake);
}

static void token_changed(struct service *s)
{
	struct token_info info;
	char text[384];

	token_get_info(s->token, &info);
	snprintf(text, sizeof(text), "%s%s%s", token_state_name(info.state),
		 info.reason[0] ? ": " : "", info.reason);
	log_info("token", "%s", text);
	record_token(s->audit, &info, &s->token_was_ready);
	if (info.state == TOKEN_READY)
		load_soon(s);
}

/* --- ends ----------------------------------------------------------------- */

static void on_front_stopped(void *arg)
{
	struct service *s = arg;

	uv_close((uv_handle_t *)&s->on_term, NULL);
	uv_close((uv_handle_t *)&s->on_int, NULL);
	uv_close((uv_handle_t *)&s->on_hup, NULL);
	uv_close((uv_handle_t *)&s->housekeeping, NULL);
}

static void on_sip_stopped(void *arg)
{
	struct service *s = arg;

	front_stop(s->front, on_front_stopped, s);
}

static void stop(struct service *s, enum service_end end)
{
	/* A restart that is under way can still become an end. */
	if (s->stopping && end == SERVICE_ENDED && s->end == SERVICE_RESTART)
		s->end = end;
	if (s->stopping)
		return;
	s->stopping = true;
	s->end = end;
	end_limit_start();
	if (s->listeners)
		trials_stop(&s->trials);
	sd_notify(0, end == SERVICE_RESTART ? "RELOADING=1" : "STOPPING=1");
	log_info("app", "%s", end == SERVICE_RESTART ? "restarting" : "ending");
	sip_service_stop(s->sip, on_sip_stopped, s);
}

/* With a configuration that cannot be read, the service would end instead of
 * coming back. */
int service_may_restart(void *arg, struct error *e)
{
	struct service *s = arg;

	if (s->check(s->check_arg, e) == 0)
		return 0;
	return error_prefix(e, "no restart, the service goes on as it is");
}

/* Goes on without its line in the restart log when there is no room for it. */
static void restart_by_signal(struct service *s)
{
	struct error e = ERROR_INIT;

	if (!s->stopping &&
	    store_restart_add(s->store, clock_now(),
			      "User requested reboot from console",
			      "by the signal HUP", &e) < 0)
		log_failure(LOG_LEVEL_ERROR, "app", &e);
	stop(s, SERVICE_RESTART);
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct service *s = handle->data;
	struct error e = ERROR_INIT;

	if (signum != SIGHUP)
		stop(s, SERVICE_ENDED);
	else if (service_may_restart(s, &e) == 0)
		restart_by_signal(s);
	else
		log_failure(LOG_LEVEL_ERROR, "app", &e);
}

static void on_wake(uv_async_t *handle)
{
	struct service *s = handle->data;
	int wanted = atomic_load(&s->wanted_end);

	if (atomic_exchange(&s->token_changed, false))
		token_changed(s);
	if (wanted)
		stop(s, (enum service_end)(wanted - 1));
}

/* Once for each change. */
static void tell_certificate_problem(struct service *s)
{
	char text[SIP_OWN_NAMES_TEXT];

	sip_own_certificate_problem(s->identity, s->settings, text);
	if (strcmp(text, s->certificate_problem) == 0)
		return;
	memcpy(s->certificate_problem, text, sizeof(text));
	if (*text)
		log_warning("sip", "%s", text);
}

static void on_housekeeping(uv_timer_t *handle)
{
	struct service *s = handle->data;
	struct token_info info;

	log_tell_suppressed(false);
	audit_tell_suppressed(s->audit, false);
	if (s->stopping)
		return;
	tls_policy_housekeeping(s->tls);
	tell_certificate_problem(s);
	sessions_end_idle(s->sessions);
	listeners_apply(s->listeners);
	audit_keep_reserve(s->audit);
	token_get_info(s->token, &info);
	if (info.state == TOKEN_READY &&
	    (!has_identity(s) || !trust_is_loaded(s->trust)))
		load_soon(s);
}

/* A method asked for it; the reply is still on its way, which front_stop()
 * waits for. */
void service_restart(void *arg, enum restart_kind kind)
{
	struct service *s = arg;

	atomic_store(&s->wanted_end,
		     (kind == RESTART_NOW ? SERVICE_RESTART : SERVICE_ENDED) +
			 1);
	uv_async_send(&s->wake);
}

bool service_is_ready(void *arg)
{
	struct service *s = arg;
	struct token_info info;

	token_get_info(s->token, &info);
	return info.state == TOKEN_READY && has_identity(s) &&
	       listeners_complete(s->listeners);
}

void service_listens(void *arg, const char *name, struct service_state *out)
{
	struct service *s = arg;

	listeners_state(s->listeners, name, out);
	if (!out->listening ||
	    (strcmp(name, "https") != 0 && strcmp(name, "sips_tcp") != 0) ||
	    has_identity(s))
		return;
	out->listening = false;
	snprintf(out->problem, sizeof(out->problem),
		 "there is no certificate in service yet");
}

uint16_t service_redirect(void *arg)
{
	struct service *s = arg;

	if (!settings_bool(s->settings, SETTING_REDIRECT_HTTP))
		return 0;
	return (uint16_t)settings_int(s->settings, SETTING_HTTPS_PORT);
}

/* --- the loop --------------------------------------------------------------
 */

static void start_loop(struct service *s)
{
	uv_signal_t *handles[] = { &s->on_term, &s->on_int, &s->on_hup };

	uv_loop_init(&s->loop);
	for (size_t i = 0; i < sizeof(handles) / sizeof(*handles); i++) {
		uv_signal_init(&s->loop, handles[i]);
		handles[i]->data = s;
	}
	uv_signal_start(&s->on_hup, on_signal, SIGHUP);
	uv_timer_init(&s->loop, &s->housekeeping);
	s->housekeeping.data = s;
	uv_timer_start(&s->housekeeping, on_housekeeping, HOUSEKEEPING_MS,
		       HOUSEKEEPING_MS);
	uv_async_init(&s->loop, &s->wake, on_wake);
	s->wake.data = s;
	/* Other threads may wake the loop for as long as they live, which is
	 * longer than the loop runs: this handle does not keep it going. */
	uv_unref((uv_handle_t *)&s->wake);
}

/* From here on the loop hears of them; before, only the limit of the end did.
 */
static void take_over_signals(struct service *s)
{
	uv_signal_start(&s->on_term, on_signal, SIGTERM);
	uv_signal_start(&s->on_int, on_signal, SIGINT);
	if (end_limit_early())
		stop(s, SERVICE_ENDED);
}

/* --- the whole ------------------------------------------------------------ */

enum service_end service_run(struct config *config, bool restarted,
			     int (*check)(void *arg, struct error *e),
			     void *check_arg, int *status_out, struct error *e)
{
	struct service *s = calloc(1, sizeof(*s));
	enum service_end end = SERVICE_FAILED;

	*status_out = EXIT_FAILED;
	if (!s) {
		error_nomem(e);
		return end;
	}
	s->config = config;
	s->check = check;
	s->check_arg = check_arg;
	end_limit_prepare();
	start_loop(s);
	if (service_start(s, restarted, status_out, e) == 0) {
		take_over_signals(s);
		uv_run(&s->loop, UV_RUN_DEFAULT);
		end = s->end;
		audit_tell_suppressed(s->audit, true);
		record_stopped(s->audit, end == SERVICE_RESTART);
		run_mark_clear(config->state_directory);
		*status_out = EXIT_OK;
	} else if (s->front) {
		stop(s, SERVICE_FAILED);
		uv_run(&s->loop, UV_RUN_DEFAULT);
	}
	end_limit_start();
	service_tear_down(s);
	end_limit_clear();
	free(s);
	return end;
}
