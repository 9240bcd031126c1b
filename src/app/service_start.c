/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/service_private.h"

#include <errno.h>
#include <sys/stat.h>

#include <systemd/sd-daemon.h>

#include "app/journal.h"
#include "app/run_mark.h"
#include "app/system_records.h"
#include "audit/audit_reserve.h"
#include "base/clock.h"
#include "base/log.h"
#include "config.h"

enum {
	TOKEN_WAIT_MS = 5000, /* a signature waits so long for a session */
	WEB_THREADS = 48
};

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
	    !(s->cdr = cdr_open(s->store, CDR_ALIVE_MS, e)) ||
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
	token_on_state(s->token, service_token_state, s);
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
		.cdr = s->cdr,
		.participants = s->participants,
		.users = s->users,
		.sessions = s->sessions,
		.token = s->token,
		.identity = s->identity,
		.trust = s->trust,
		.syslog = s->syslog,
		.sip = s->sip_control,
		.credentials = s->credentials,
		.may_restart = service_may_restart,
		.restart = service_restart,
		.service_state = service_listens,
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
		.ready = service_is_ready,
		.ready_arg = s,
		.redirect = service_redirect,
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

/* The door for the methods, before there is anything behind it. */
static int start_sip_control(struct service *s, struct error *e)
{
	const struct sip_control_options o = { .settings = s->settings };

	s->sip_control = sip_control_new(&o, e);
	s->credentials =
	    s->sip_control ? sip_credentials_new(s->store, e) : NULL;
	return s->credentials ? 0 : -1;
}

static int start_participants(struct service *s, struct error *e)
{
	const struct participants_options o = { .store = s->store,
						.control = s->sip_control,
						.cdr = s->cdr };

	s->participants = participants_new(&o, e);
	return s->participants ? 0 : -1;
}

static int start_sip(struct service *s, struct error *e)
{
	const struct sip_service_options o = {
		.loop = &s->loop,
		.front = s->front,
		.control = s->sip_control,
		.credentials = s->credentials,
		.config = s->config,
		.tls = s->tls,
		.settings = s->settings,
	};

	s->sip = sip_service_new(&o, e);
	return s->sip ? sip_service_start(s->sip, e) : -1;
}

static int start_listeners(struct service *s, struct error *e)
{
	struct listeners_options o = {
		.loop = &s->loop,
		.front = s->front,
		.sip = sip_service_agent(s->sip),
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
	if (!s->front)
		return -1;
	/* At once: the loop runs also after a start that failed. */
	tls_policy_set_front(s->tls, s->front);
	if (start_sip(s, e) < 0 || start_listeners(s, e) < 0)
		return -1;
	return front_listen_control(s->front, s->config->control_socket, e);
}

/* Another state than this is told when it comes about. */
static void record_absent_token(struct service *s)
{
	struct token_info info;

	token_get_info(s->token, &info);
	if (info.state == TOKEN_UNAVAILABLE)
		record_token(s->audit, &info, &s->token_was_ready);
}

int service_start(struct service *s, bool restarted, int *status,
		  struct error *e)
{
	*status = EXIT_FAILED;
	journal_begin();
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
	    start_sip_control(s, e) < 0 || start_participants(s, e) < 0 ||
	    start_web(s, e) < 0 || start_front(s, e) < 0)
		return -1;
	/* The way in for the administrator stands first, TLS follows as soon as
	 * the token has answered. */
	listeners_apply(s->listeners);
	record_started(s->audit, restarted, s->crashed);
	record_absent_token(s);
	if (audit_heads_start(s->heads, e) < 0)
		return -1;
	sd_notify(0, "READY=1");
	log_info("app", "sealbridged %s is ready", PACKAGE_VERSION);
	return 0;
}

/* --- the end -------------------------------------------------------------- */

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void service_tear_down(struct service *s)
{
	listeners_stop(s->listeners);
	web_stop(s->web);
	sip_service_end(s->sip);
	front_free(s->front);
	api_free(s->api);
	sip_control_free(s->sip_control);
	participants_free(s->participants);
	sip_credentials_free(s->credentials);
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
	sip_service_free(s->sip);
	sessions_free(s->sessions);
	users_free(s->users);
	audit_free(s->audit);
	settings_free(s->settings);
	cdr_close(s->cdr);
	store_close(s->store);
	tls_global_cleanup();
	log_tell_suppressed(true);
	eventlog_close(s->eventlog);
	journal_end();
}
