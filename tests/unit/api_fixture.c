/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/api_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"
#include "sip/sip_credentials.h"

struct api_device device;

const struct door door_local = { .via = PEER_CONTROL, .address = "local" };

static int may_restart(void *arg, struct error *e)
{
	struct api_device *d = arg;

	return d->bad_config ? error_set(e, ERR_CONFIG, "a.conf:3: no such key")
			     : 0;
}

static void on_restart(void *arg, enum restart_kind kind)
{
	struct api_device *d = arg;

	d->restarts++;
	d->restart_kind = kind;
}

static void service_state(void *arg, const char *name,
			  struct service_state *out)
{
	struct api_device *d = arg;

	(void)name;
	*out = d->service_state;
}

static void on_invalidate(const char *id, void *arg)
{
	(void)arg;
	sessions_close_user(device.services.sessions, id, NULL);
}

/* Assertions of CUnit hold in tests only. */
static void must(bool good, const struct error *e)
{
	if (good)
		return;
	fprintf(stderr, "set-up: %s\n", e->text);
	exit(99);
}

static void open_calls(struct api_services *sv)
{
	struct participants_options o = { .store = sv->store };
	struct error e = ERROR_INIT;

	sv->cdr = cdr_open(sv->store, CDR_ALIVE_MS, &e);
	must(sv->cdr != NULL, &e);
	control_open(&device.calls, sv->settings);
	sv->sip = device.calls.control;
	o.control = sv->sip;
	o.cdr = sv->cdr;
	sv->participants = participants_new(&o, &e);
	must(sv->participants != NULL, &e);
}

static void close_calls(struct api_services *sv)
{
	control_close(&device.calls);
	participants_free(sv->participants);
	cdr_close(sv->cdr);
}

static void open_users(struct api_services *sv)
{
	struct error e = ERROR_INIT;
	struct secret s = { 0 };
	char path[400];

	snprintf(path, sizeof(path), "%s/admin-password", device.place.state);
	sv->users = users_new(sv->store, sv->settings, sv->audit, path, &e);
	must(sv->users != NULL, &e);
	must(secret_read_file(&s, path, 60, &e) == 0, &e);
	snprintf(device.admin_password, sizeof(device.admin_password), "%s",
		 (char *)s.ptr);
	secret_free(&s);
	sv->sessions = sessions_new(sv->settings, &e);
	must(sv->sessions != NULL, &e);
	users_on_invalidate(sv->users, on_invalidate, NULL);
}

static struct token *open_token(void)
{
	struct token_options o = test_token_options(&device.place);
	struct error e = ERROR_INIT;
	struct token *t;

	if (device.alter_token)
		device.alter_token(&o);
	t = token_new(&o, &e);
	must(t && token_start(t, &e) == 0, &e);
	return t;
}

static void open_identity(struct api_services *sv)
{
	static const char *const addresses[] = { "192.0.2.10" };
	struct identity_options o = {
		.host_name = "bridge.example.com",
		.addresses = addresses,
		.address_count = 1,
		.default_key = KEY_KIND_EC_P256,
	};
	struct error e = ERROR_INIT;

	sv->token = open_token();
	sv->heads = audit_heads_new(sv->store, sv->audit, sv->token, &e);
	must(sv->heads != NULL, &e);
	o.token = sv->token;
	sv->identity = identity_new(&o, &e);
	must(sv->identity != NULL, &e);
	must(identity_load(sv->identity, &e) == 0, &e);
}

static void open_trust(struct api_services *sv)
{
	struct trust_options o = { .token = sv->token };
	struct error e = ERROR_INIT;

	sv->trust = trust_new(&o, &e);
	must(sv->trust != NULL, &e);
	must(trust_load(sv->trust, &e) == 0, &e);
}

static void open_syslog(struct api_services *sv)
{
	const struct syslog_options o = { sv->settings, sv->audit,
					  "bridge.example.com", "9.8.7" };
	const struct call_policy policy = { sv->settings, sv->identity,
					    sv->trust };
	struct error e = ERROR_INIT;

	must(tls_global_init(&e) == 0, &e);
	sv->syslog = syslog_new(&o, &e);
	must(sv->syslog != NULL, &e);
	must(syslog_start(sv->syslog, &policy, &e) == 0, &e);
}

static void open_sip(struct api_services *sv)
{
	struct error e = ERROR_INIT;

	sv->credentials = sip_credentials_new(sv->store, &e);
	must(sv->credentials != NULL, &e);
}

int api_device_open(void)
{
	struct api_services *sv = &device.services;
	struct error e = ERROR_INIT;

	test_token_make(&device.place);
	device.config = config_load("/dev/null", NULL, 0, &e);
	must(device.config != NULL, &e);
	sv->config = device.config;
	sv->store = store_open(device.place.state, &e);
	must(sv->store != NULL, &e);
	sv->settings = settings_new(device.config, sv->store, &e);
	must(sv->settings != NULL, &e);
	sv->audit = audit_new(sv->store, &e);
	must(sv->audit != NULL, &e);
	sv->eventlog = eventlog_open(device.place.state, &e);
	must(sv->eventlog != NULL, &e);
	open_calls(sv);
	open_users(sv);
	open_identity(sv);
	open_trust(sv);
	open_syslog(sv);
	open_sip(sv);
	sv->may_restart = may_restart;
	sv->restart = on_restart;
	sv->service_state = service_state;
	sv->app = &device;
	sv->version = "9.8.7";
	sv->started_at = clock_now();
	device.api = api_new(sv, &e);
	must(device.api != NULL, &e);
	return 0;
}

int api_device_close(void)
{
	struct api_services *sv = &device.services;

	api_free(device.api);
	sip_credentials_free(sv->credentials);
	syslog_free(sv->syslog);
	tls_global_cleanup();
	trust_free(sv->trust);
	identity_free(sv->identity);
	audit_heads_free(sv->heads);
	token_free(sv->token);
	sessions_free(sv->sessions);
	users_free(sv->users);
	eventlog_close(sv->eventlog);
	audit_free(sv->audit);
	close_calls(sv);
	settings_free(sv->settings);
	store_close(sv->store);
	config_free(device.config);
	return 0;
}

void call_raw(const struct door *d, struct view body, struct answer *out)
{
	struct web_request rq = {
		.peer = { .via = d->via, .uid = d->uid, .gid = d->gid },
		.body = body,
		.session_id = d->session_id,
		.csrf_token = d->csrf_token,
		.content_type = d->without_type ? NULL : "text/xml",
	};
	struct web_reply reply = { .utf8 = false };
	struct error e = ERROR_INIT;

	memset(out, 0, sizeof(*out));
	rq.peer.opened_ms = d->opened_ms;
	rq.peer.tls_version = d->tls_version;
	if (d->via == 0 && !d->plain)
		rq.peer.via = PEER_HTTPS;
	if (d->certificate)
		rq.peer.certificate = *d->certificate;
	snprintf(rq.peer.address, sizeof(rq.peer.address), "%s",
		 d->address ? d->address : "192.0.2.1");
	buf_init(&reply.body, 16 * 1024 * 1024);
	CHECK_OK(api_handle(device.api, &rq, &reply, &e), &e);
	CHECK_OK(xmlrpc_parse_response(buf_view(&reply.body), NULL,
				       &out->response, &e),
		 &e);
	memcpy(out->set_session, reply.set_session, SESSION_ID_SIZE);
	out->clear_session = reply.clear_session;
	out->utf8 = reply.utf8;
	out->close = reply.close;
	buf_free(&reply.body);
}

void call_by(const struct door *d, const char *method, struct value *params,
	     struct answer *out)
{
	struct error e = ERROR_INIT;
	struct buf body;

	if (!params)
		params = value_new_struct();
	if (d->user)
		value_put_string(params, "authenticationUser", d->user);
	if (d->password)
		value_put_string(params, "authenticationPassword", d->password);
	buf_init(&body, XMLRPC_BYTES_MAX);
	CHECK_OK(xmlrpc_write_call(&body, method, params, &e), &e);
	value_free(params);
	call_raw(d, buf_view(&body), out);
	buf_free(&body);
}

void answer_free(struct answer *a)
{
	xmlrpc_response_free(&a->response);
}

int fault_of(const struct door *d, const char *method, struct value *params,
	     const char *words)
{
	struct answer a;
	int code;

	call_by(d, method, params, &a);
	code = a.response.fault_code;
	if (words &&
	    (!a.response.fault_text || !strstr(a.response.fault_text, words))) {
		unit_note("%s: %d \"%s\", wanted \"%s\"", method, code,
			  a.response.fault_text ? a.response.fault_text : "",
			  words);
		CU_FAIL("fault text");
	}
	answer_free(&a);
	return code;
}

const char *text_of(const struct answer *a, const char *name)
{
	return value_string(value_member(a->response.result, name));
}

void make_user(const char *id, enum privilege privilege)
{
	struct view password = view_str("Right pass 1");
	bool no = false;
	struct user_change c = {
		.id = id,
		.name = id,
		.password = &password,
		.privilege = &privilege,
		.force_change = &no,
	};
	struct error e = ERROR_INIT;

	CHECK_OK(users_add(device.services.users, &c, clock_now(), &e), &e);
}

void open_session(const char *id, enum privilege privilege, bool must_change,
		  char session_id[SESSION_ID_SIZE],
		  char csrf_token[SESSION_ID_SIZE])
{
	struct identity_of_user u;
	struct session_info info;
	struct error e = ERROR_INIT;

	if (users_lookup(device.services.users, id, &u, &e) < 0)
		error_clear(&e);
	u.privilege = privilege;
	u.must_change_password = must_change;
	snprintf(u.id, sizeof(u.id), "%s", id);
	CHECK_OK(sessions_open(device.services.sessions, &u, "192.0.2.1", NULL,
			       session_id, &info, &e),
		 &e);
	memcpy(csrf_token, info.csrf_token, SESSION_ID_SIZE);
}

struct audit_search {
	const char *event, *module, *user, *words;
	size_t count;
};

static int look(void *arg, const struct audit_record *r, struct error *e)
{
	struct audit_search *s = arg;

	(void)e;
	s->count += !strcmp(r->event, s->event) &&
		    !strcmp(r->module, s->module) &&
		    !strcmp(r->user_name, s->user) &&
		    strstr(r->detail, s->words) != NULL;
	return 0;
}

size_t count_audit(const char *event, const char *module, const char *user,
		   const char *words)
{
	struct audit_search s = { event, module, user, words, 0 };
	struct error e = ERROR_INIT;

	CHECK_OK(audit_each(device.services.audit, 0, 100000, look, &s, &e),
		 &e);
	return s.count;
}
