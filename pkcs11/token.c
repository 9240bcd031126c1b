/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pkcs11/internal.h"

static const char *const state_names[TOKEN_STATE_COUNT] = {
	[TOKEN_READY] = "ready",
	[TOKEN_UNAVAILABLE] = "unavailable",
	[TOKEN_PIN_REFUSED] = "pinRefused",
};

const char *token_state_name(enum token_state state)
{
	return (unsigned)state < TOKEN_STATE_COUNT ? state_names[state]
						   : "unknown";
}

/* --- making */

static int check_options(const struct token_options *o, struct error *e)
{
	struct stat st;

	if (!o->module || o->module[0] != '/')
		return error_set(e, ERR_CONFIG,
				 "token module %s: not an absolute path",
				 o->module ? o->module : "");
	if (stat(o->module, &st) < 0 || !S_ISREG(st.st_mode))
		return error_set(e, ERR_CONFIG, "token module %s: no such file",
				 o->module);
	if (!o->uri || !o->pin_file || !o->state_directory)
		return error_set(e, ERR_CONFIG,
				 "token: uri, PIN file and state directory "
				 "must be given");
	if (o->max_sessions < 1 || o->max_sessions > SESSIONS_MAX)
		return error_set(e, ERR_CONFIG,
				 "token: max-sessions %u is not 1 to %d",
				 o->max_sessions, (int)SESSIONS_MAX);
	return 0;
}

/* The copy of an optional string; NULL stays NULL. */
static int copy_text(char **out, const char *from, struct error *e)
{
	*out = from && from[0] ? strdup(from) : NULL;
	return from && from[0] && !*out ? error_nomem(e) : 0;
}

static int copy_options(struct token *t, const struct token_options *o,
			struct error *e)
{
	if (copy_text(&t->module, o->module, e) < 0 ||
	    copy_text(&t->uri_text, o->uri, e) < 0 ||
	    copy_text(&t->pin_file, o->pin_file, e) < 0 ||
	    copy_text(&t->state_directory, o->state_directory, e) < 0 ||
	    copy_text(&t->lock_file, o->lock_file, e) < 0 ||
	    copy_text(&t->softhsm_conf, o->softhsm_conf, e) < 0)
		return -1;
	t->max_sessions = o->max_sessions;
	t->wait_ms = o->wait_ms;
	t->fallback = o->fallback;
	return 0;
}

/* One connection, or for p11-kit-client.so two for each core, so that one works
 * while the other's answer is on its way (measured: half as much again as with
 * one); each with a keeper, if that leaves one session at least for the pool.
 */
static void lay_out_connections(struct token *t)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = 1, pool;

	if (module_is_remote(t->module)) {
		n = cores < 1 ? 1 : 2 * (unsigned)cores;
		if (n > CONNECTIONS_MAX)
			n = CONNECTIONS_MAX;
		if (n > t->max_sessions / 2)
			n = t->max_sessions / 2;
		if (n < 1)
			n = 1;
	}
	t->connection_count = n;
	t->keepers = t->max_sessions >= 2 * n;
	pool = t->max_sessions - (t->keepers ? n : 0);
	for (unsigned i = 0; i < n; i++) {
		struct connection *c = &t->connections[i];

		c->index = i;
		c->copy_fd = -1;
		c->wanted = pool / n + (i < pool % n ? 1 : 0);
		pthread_mutex_init(&c->keeper_lock, NULL);
		pthread_mutex_init(&c->call_lock, NULL);
		c->serial = module_is_remote(t->module);
	}
}

static void init_locks(struct token *t)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&t->lock, NULL);
	pthread_mutex_init(&t->notify_lock, NULL);
	pthread_mutex_init(&t->keys_lock, NULL);
	pthread_mutex_init(&t->sets_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->work, &attr);
	pthread_condattr_destroy(&attr);
}

struct token *token_new(const struct token_options *options, struct error *e)
{
	struct token *t;

	if (check_options(options, e) < 0)
		return NULL;
	t = calloc(1, sizeof(*t));
	if (!t) {
		error_nomem(e);
		return NULL;
	}
	init_locks(t);
	t->waiters_end = &t->waiters;
	t->state = t->notified = TOKEN_UNAVAILABLE;
	if (copy_options(t, options, e) < 0 ||
	    !(t->uri = slot_uri_parse(options->uri, e))) {
		token_free(t);
		return NULL;
	}
	lay_out_connections(t);
	return t;
}

/* --- life */

/* A p11-kit server that dies would otherwise take us with it. */
static void ignore_sigpipe(void)
{
	struct sigaction now;

	if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
		now.sa_handler = SIG_IGN;
		sigaction(SIGPIPE, &now, NULL);
	}
}

int token_start(struct token *t, struct error *e)
{
	ignore_sigpipe();
	return recovery_start(t, e);
}

static void stop_thread(struct token *t)
{
	pthread_mutex_lock(&t->lock);
	t->stopping = true;
	pool_wake_hopeless(t);
	pthread_cond_signal(&t->work);
	pthread_mutex_unlock(&t->lock);
	if (t->started)
		pthread_join(t->thread, NULL);
}

void token_free(struct token *t)
{
	if (!t)
		return;
	stop_thread(t);
	for (unsigned i = 0; i < t->connection_count; i++) {
		connection_close(&t->connections[i]);
		module_unload(&t->connections[i]);
		pthread_mutex_destroy(&t->connections[i].keeper_lock);
		pthread_mutex_destroy(&t->connections[i].call_lock);
	}
	if (t->uri)
		p11_kit_uri_free(t->uri);
	pthread_cond_destroy(&t->work);
	pthread_mutex_destroy(&t->lock);
	pthread_mutex_destroy(&t->notify_lock);
	pthread_mutex_destroy(&t->keys_lock);
	pthread_mutex_destroy(&t->sets_lock);
	free(t->module);
	free(t->uri_text);
	free(t->pin_file);
	free(t->state_directory);
	free(t->lock_file);
	free(t->softhsm_conf);
	free(t);
}

/* --- questions */

void token_on_state(struct token *t,
		    void (*fn)(enum token_state state, void *arg), void *arg)
{
	t->on_state = fn;
	t->on_state_arg = arg;
}

void token_get_info(struct token *t, struct token_info *out)
{
	memset(out, 0, sizeof(*out));
	out->signatures = atomic_load(&t->signatures);
	out->data_objects = atomic_load(&t->data_objects);
	out->sessions_max = t->max_sessions;
	pthread_mutex_lock(&t->lock);
	out->state = t->state;
	memcpy(out->reason, t->reason, sizeof(out->reason));
	memcpy(out->label, t->label, sizeof(out->label));
	memcpy(out->manufacturer, t->manufacturer, sizeof(out->manufacturer));
	memcpy(out->model, t->model, sizeof(out->model));
	memcpy(out->serial, t->serial, sizeof(out->serial));
	out->generation = t->generation;
	for (unsigned i = 0; i < t->connection_count; i++)
		if (t->connections[i].phase == CONNECTION_UP)
			out->sessions_open +=
			    t->connections[i].open + (t->keepers ? 1 : 0);
	pthread_mutex_unlock(&t->lock);
}

void token_serial(struct token *t, char out[17])
{
	pthread_mutex_lock(&t->lock);
	memcpy(out, t->serial, sizeof(t->serial));
	pthread_mutex_unlock(&t->lock);
}

static int list_mechanisms(struct token *t, struct session *s, void *arg,
			   struct error *e)
{
	bool *present = arg;

	(void)t;
	(void)e;
	for (int i = 0; i < MECH_COUNT; i++)
		present[i] = s->c->mechs[i].present;
	return 0;
}

int token_mechanisms(struct token *t, const char *names_out[], size_t cap,
		     struct error *e)
{
	static const char *const names[MECH_COUNT] = {
		[MECH_RSA_PKCS] = "CKM_RSA_PKCS",
		[MECH_RSA_PSS] = "CKM_RSA_PKCS_PSS",
		[MECH_ECDSA] = "CKM_ECDSA",
	};
	bool present[MECH_COUNT];
	size_t n = 0;

	if (cap)
		names_out[0] = NULL;
	if (session_run(t, list_mechanisms, present, e) < 0)
		return -1;
	for (int i = 0; i < MECH_COUNT; i++)
		if (present[i] && names[i] && n + 1 < cap)
			names_out[n++] = names[i];
	if (cap)
		names_out[n] = NULL;
	return 0;
}
