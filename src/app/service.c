/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/service.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <systemd/sd-daemon.h>
#include <uv.h>

#include "api/api.h"
#include "app/end_limit.h"
#include "app/host.h"
#include "app/journal.h"
#include "app/listeners.h"
#include "app/run_mark.h"
#include "app/system_records.h"
#include "app/tls_policy.h"
#include "app/trials.h"
#include "audit/audit_heads.h"
#include "audit/audit_reserve.h"
#include "base/clock.h"
#include "base/log.h"
#include "config.h"
#include "eventlog/eventlog.h"
#include "front/front.h"
#include "notify/syslog.h"
#include "web/web.h"

enum {
	HOUSEKEEPING_MS = 5000, /* retries of listeners and loads */
	TOKEN_WAIT_MS = 5000,   /* a signature waits so long for a session */
	WEB_THREADS = 48
};

struct service {
	struct config *config;
	uv_loop_t loop;
	uv_signal_t on_term, on_int, on_hup;
	uv_timer_t housekeeping;
	uv_async_t wake; /* token state changed, or an end was asked for */
	uv_work_t load;  /* of identity and trust stores, off the loop */
	bool loading, load_again, stopping;
	int (*check)(void *arg, struct error *e);
	void *check_arg;

	atomic_bool token_changed;
	bool token_was_ready;
	bool crashed;          /* the run before did not end by itself */
	atomic_int wanted_end; /* enum service_end + 1, 0 = go on */
	enum service_end end;

	struct store *store;
	struct settings *settings;
	struct audit *audit;
	struct eventlog *eventlog;
	struct users *users;
	struct sessions *sessions;
	struct token *token;
	struct audit_heads *heads;
	struct identity *identity;
	struct trust *trust;
	struct syslog_sender *syslog;
	struct tls_policy *tls;
	struct peer_registry *peers;
	struct api *api;
	struct web *web;
	struct front *front;
	struct listeners *listeners;
	struct trials trials;
	struct host host;
};

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

static void on_token_state(enum token_state state, void *arg)
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

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void on_front_stopped(void *arg)
{
	struct service *s = arg;

	uv_close((uv_handle_t *)&s->on_term, NULL);
	uv_close((uv_handle_t *)&s->on_int, NULL);
	uv_close((uv_handle_t *)&s->on_hup, NULL);
	uv_close((uv_handle_t *)&s->housekeeping, NULL);
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
	front_stop(s->front, on_front_stopped, s);
}

/* With a configuration that cannot be read, the service would end instead of
 * coming back. */
static int may_restart(void *arg, struct error *e)
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
	else if (may_restart(s, &e) == 0)
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

static void on_housekeeping(uv_timer_t *handle)
{
	struct service *s = handle->data;
	struct token_info info;

	log_tell_suppressed(false);
	audit_tell_suppressed(s->audit, false);
	if (s->stopping)
		return;
	tls_policy_housekeeping(s->tls);
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
static void restart_from_api(void *arg, enum restart_kind kind)
{
	struct service *s = arg;

	atomic_store(&s->wanted_end,
		     (kind == RESTART_NOW ? SERVICE_RESTART : SERVICE_ENDED) +
			 1);
	uv_async_send(&s->wake);
}

static bool is_ready(void *arg)
{
	struct service *s = arg;
	struct token_info info;

	token_get_info(s->token, &info);
	return info.state == TOKEN_READY && has_identity(s) &&
	       listeners_complete(s->listeners);
}

static void service_state(void *arg, const char *name,
			  struct service_state *out)
{
	struct service *s = arg;

	listeners_state(s->listeners, name, out);
	if (!out->listening || strcmp(name, "https") != 0 || has_identity(s))
		return;
	out->listening = false;
	snprintf(out->problem, sizeof(out->problem),
		 "there is no certificate in service yet");
}

/* The port of HTTPS when plain HTTP is sent there, else 0. */
static uint16_t redirect(void *arg)
{
	struct service *s = arg;

	if (!settings_bool(s->settings, SETTING_REDIRECT_HTTP))
		return 0;
	return (uint16_t)settings_int(s->settings, SETTING_HTTPS_PORT);
}

/* --- start ---------------------------------------------------------------- */

static int make_state_directory(const char *path, struct error *e)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_errno(e, "%s", path);
	return 0;
}

/* Even reading it needs a few pages of room, for its index. */
static int open_store(struct service *s, struct error *e)
{
	const char *directory = s->config->state_directory;

	s->store = store_open(directory, e);
	if (!s->store && e->kind == ERR_FULL &&
	    audit_reserve_give_up_in(directory)) {
		log_failure(LOG_LEVEL_WARNING, "store", e);
		error_clear(e);
		s->store = store_open(directory, e);
	}
	return s->store ? 0 : -1;
}

/* A full disk keeps nobody from looking at what there is. */
static int mark_run(struct service *s, bool restarted, struct error *e)
{
	if (run_mark_set(s->config->state_directory, restarted, s->store,
			 &s->crashed, e) == 0)
		return 0;
	if (e->kind != ERR_FULL)
		return -1;
	log_failure(LOG_LEVEL_ERROR, "app", e);
	error_clear(e);
	return 0;
}

static int start_audit(struct service *s, struct error *e)
{
	s->audit = audit_new(s->store, e);
	if (!s->audit)
		return -1;
	journal_follow(s->audit);
	return 0;
}

static int start_records(struct service *s, bool restarted, struct error *e)
{
	const struct config *c = s->config;

	if (make_state_directory(c->state_directory, e) < 0 ||
	    !(s->eventlog = eventlog_open(c->state_directory, e)) ||
	    open_store(s, e) < 0 ||
	    !(s->settings = settings_new(c, s->store, e)) ||
	    start_audit(s, e) < 0 ||
	    !(s->users = users_new(s->store, s->settings, s->audit,
				   c->initial_password_file, e)) ||
	    !(s->sessions = sessions_new(s->settings, e)))
		return -1;
	return mark_run(s, restarted, e);
}

static void end_sessions_of(const char *id, void *arg)
{
	struct service *s = arg;

	sessions_close_user(s->sessions, id, NULL);
}

static void apply_log_level(struct service *s)
{
	log_set_level((enum log_level)settings_choice(s->settings,
						      SETTING_EVENTLOG_LEVEL));
}

static void on_settings(uint64_t changed, void *arg)
{
	struct service *s = arg;

	if (changed & setting_bit(SETTING_EVENTLOG_LEVEL))
		apply_log_level(s);
	if (changed & setting_bit(SETTING_ADVANCED_ACCOUNTS))
		users_advanced_mode_enabled(s->users);
}

static int fallback_put(void *arg, const char *name, struct view value,
			struct error *e)
{
	return store_manifest_put(arg, name, value, e);
}

static int fallback_list(void *arg, const char *name,
			 int (*each)(void *, struct view, struct error *),
			 void *each_arg, struct error *e)
{
	return store_manifest_list(arg, name, each, each_arg, e);
}

static int fallback_prune(void *arg, const char *name, struct view keep,
			  struct error *e)
{
	return store_manifest_prune(arg, name, keep, e);
}

static const char *or_null(const char *text)
{
	return text && text[0] ? text : NULL;
}

static int start_token(struct service *s, int *status, struct error *e)
{
	const struct config *c = s->config;
	struct token_options o = {
		.module = c->token_module,
		.uri = c->token_uri,
		.pin_file = c->token_pin_file,
		.state_directory = c->state_directory,
		.lock_file = or_null(c->token_lock_file),
		.softhsm_conf = or_null(c->token_softhsm_conf),
		.max_sessions = c->token_max_sessions,
		.wait_ms = TOKEN_WAIT_MS,
		.fallback = { fallback_put, fallback_list, fallback_prune,
			      s->store },
	};

	s->token = token_new(&o, e);
	if (!s->token) {
		*status = EXIT_CONFIG;
		return -1;
	}
	token_on_state(s->token, on_token_state, s);
	if (token_start(s->token, e) == 0)
		return 0;
	if (c->token_required) {
		*status = EXIT_TOKEN;
		return -1;
	}
	/* Management stays possible without it; HTTPS waits for it. */
	log_failure(LOG_LEVEL_ERROR, "token", e);
	error_clear(e);
	return 0;
}

static int start_heads(struct service *s, struct error *e)
{
	s->heads = audit_heads_new(s->store, s->audit, s->token, e);
	return s->heads ? 0 : -1;
}

static int start_identity(struct service *s, struct error *e)
{
	struct identity_options o = { .token = s->token,
				      .key_made = record_own_key,
				      .key_made_arg = s->audit };

	o.host_name = s->host.name;
	o.addresses = s->host.address_list;
	o.address_count = s->host.address_count;
	if (key_kind_from_name(s->config->token_key_kind, &o.default_key) < 0)
		return error_set(e, ERR_CONFIG, "token.key-type: \"%s\"",
				 s->config->token_key_kind);
	s->identity = identity_new(&o, e);
	return s->identity ? 0 : -1;
}

static int start_trust(struct service *s, struct error *e)
{
	struct trust_options o = { .token = s->token };

	s->trust = trust_new(&o, e);
	return s->trust ? 0 : -1;
}

static int start_tls(struct service *s, struct error *e)
{
	s->tls =
	    tls_policy_new(s->settings, s->identity, s->trust, s->audit, e);
	return s->tls ? 0 : -1;
}

/* What happens before the token is there waits in a queue. */
static int gather_syslog(struct service *s, struct error *e)
{
	const struct syslog_options o = {
		.settings = s->settings,
		.audit = s->audit,
		.host = s->host.name,
		.version = PACKAGE_VERSION,
	};

	s->syslog = syslog_new(&o, e);
	return s->syslog ? 0 : -1;
}

static int start_syslog(struct service *s, struct error *e)
{
	const struct call_policy policy = { s->settings, s->identity,
					    s->trust };

	return syslog_start(s->syslog, &policy, e);
}

static int start_api(struct service *s, struct error *e)
{
	struct api_services services = {
		.store = s->store,
		.config = s->config,
		.settings = s->settings,
		.audit = s->audit,
		.heads = s->heads,
		.eventlog = s->eventlog,
		.users = s->users,
		.sessions = s->sessions,
		.token = s->token,
		.identity = s->identity,
		.trust = s->trust,
		.syslog = s->syslog,
		.may_restart = may_restart,
		.restart = restart_from_api,
		.service_state = service_state,
		.app = s,
		.version = PACKAGE_VERSION,
		.started_at = clock_now(),
	};

	s->api = api_new(&services, e);
	return s->api ? 0 : -1;
}

static int start_web(struct service *s, struct error *e)
{
	struct web_options o = {
		.directory = s->config->web_directory,
		.threads = WEB_THREADS,
		.body_bytes = front_limits_default.body_bytes,
		.rpc = api_handle,
		.system_xml = api_system_xml,
		.ready = is_ready,
		.ready_arg = s,
		.redirect = redirect,
		.redirect_arg = s,
		.redirect_host =
		    s->host.address_count ? s->host.addresses[0] : s->host.name,
	};

	s->peers = peer_registry_new(e);
	if (!s->peers || start_api(s, e) < 0)
		return -1;
	o.peers = s->peers;
	o.rpc_arg = o.system_xml_arg = s->api;
	s->web = web_start(&o, e);
	return s->web ? 0 : -1;
}

static int start_listeners(struct service *s, struct error *e)
{
	struct listeners_options o = {
		.loop = &s->loop,
		.front = s->front,
		.settings = s->settings,
		.config = s->config,
	};

	s->listeners = listeners_new(&o, e);
	return s->listeners ? 0 : -1;
}

static int start_front(struct service *s, struct error *e)
{
	struct front_options o = {
		.loop = &s->loop,
		.limits = front_limits_default,
		.peers = s->peers,
		.backend_port = web_port(s->web),
		.refused = tls_policy_refused,
		.refused_arg = s->tls,
	};

	s->front = front_new(&o, e);
	if (!s->front || start_listeners(s, e) < 0)
		return -1;
	tls_policy_set_front(s->tls, s->front);
	return front_listen_control(s->front, s->config->control_socket, e);
}

static void start_loop(struct service *s)
{
	uv_signal_t *handles[] = { &s->on_term, &s->on_int, &s->on_hup };

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

static int start(struct service *s, bool restarted, int *status,
		 struct error *e)
{
	*status = EXIT_FAILED;
	journal_begin();
	uv_loop_init(&s->loop);
	start_loop(s);
	if (tls_global_init(e) < 0 || start_records(s, restarted, e) < 0)
		return -1;
	host_describe(s->config, &s->host);
	if (gather_syslog(s, e) < 0)
		return -1;
	users_on_invalidate(s->users, end_sessions_of, s);
	sessions_on_end(s->sessions, record_session_end, s->audit);
	apply_log_level(s);
	settings_on_change(s->settings, on_settings, s);
	trials_start(&s->trials, &s->loop, s->settings, s->audit);
	if (start_token(s, status, e) < 0 || start_heads(s, e) < 0 ||
	    start_identity(s, e) < 0 || start_trust(s, e) < 0 ||
	    start_tls(s, e) < 0 || start_syslog(s, e) < 0 ||
	    start_web(s, e) < 0 || start_front(s, e) < 0)
		return -1;
	/* The way in for the administrator stands first, TLS follows as soon as
	 * the token has answered. */
	listeners_apply(s->listeners);
	record_started(s->audit, restarted, s->crashed);
	if (audit_heads_start(s->heads, e) < 0)
		return -1;
	sd_notify(0, "READY=1");
	log_info("app", "sealbridged %s is ready", PACKAGE_VERSION);
	take_over_signals(s);
	return 0;
}

/* --- the whole ------------------------------------------------------------ */

/* From the outside in: nobody comes in, nobody works, nothing is left. */
static void tear_down(struct service *s)
{
	listeners_stop(s->listeners);
	web_stop(s->web);
	front_free(s->front);
	api_free(s->api);
	/* Signs with the key of the identity. */
	syslog_free(s->syslog);
	peer_registry_free(s->peers);
	trust_free(s->trust);
	identity_free(s->identity);
	tls_policy_free(s->tls);
	audit_heads_stop(s->heads);
	audit_heads_free(s->heads);
	token_free(s->token);
	uv_walk(&s->loop, close_handle, NULL);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	uv_loop_close(&s->loop);
	listeners_free(s->listeners);
	sessions_free(s->sessions);
	users_free(s->users);
	audit_free(s->audit);
	settings_free(s->settings);
	store_close(s->store);
	tls_global_cleanup();
	log_tell_suppressed(true);
	eventlog_close(s->eventlog);
	journal_end();
}

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
	if (start(s, restarted, status_out, e) == 0) {
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
	tear_down(s);
	end_limit_clear();
	free(s);
	return end;
}
