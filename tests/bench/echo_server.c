/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The front and TLS with the key in a token, and nothing behind them: sends
 * back what it gets, as a SIP stack would answer on the same connection.
 *
 *	echo-server DIR rsa2048|ecP256 PORT [BUNDLE]
 *
 * DIR is what provision-token made, with the SoftHSM module in this process.
 * With BUNDLE clients need a certificate that chains to one in that file. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/log.h"
#include "cert/bundle.h"
#include "front/front.h"
#include "identity/identity.h"

enum { SESSIONS = 16, TOKEN_WAIT_MS = 5000, TICKET_LIFETIME_S = 3600 };

struct echo {
	uv_loop_t loop;
	uv_signal_t on_term;
	struct token *token;
	struct identity *identity;
	struct ticket_keys *tickets;
	struct tls_context *context;
	struct peer_registry *peers;
	struct front *front;
};

static int stream_open(struct front_stream *s, const struct peer *p, void *arg,
		       void **user)
{
	(void)s;
	(void)p;
	(void)arg;
	*user = NULL;
	return 0;
}

static size_t stream_data(struct front_stream *s, void *user, const uint8_t *p,
			  size_t n)
{
	(void)user;
	(void)front_stream_write(s, p, n);
	return n;
}

static const struct front_stream_ops stream_ops = {
	.open = stream_open,
	.data = stream_data,
};

static int open_token(struct echo *s, const char *dir, struct error *e)
{
	char pin[512], lock[512], conf[512];
	const struct token_options o = {
		.module = "/usr/lib/softhsm/libsofthsm2.so",
		.uri = "pkcs11:token=sealbridge",
		.pin_file = pin,
		.state_directory = dir,
		.lock_file = lock,
		.softhsm_conf = conf,
		.max_sessions = SESSIONS,
		.wait_ms = TOKEN_WAIT_MS,
	};

	snprintf(pin, sizeof(pin), "%s/secrets/token.pin", dir);
	snprintf(lock, sizeof(lock), "%s/token.lock", dir);
	snprintf(conf, sizeof(conf), "%s/softhsm2.conf", dir);
	setenv("SOFTHSM2_CONF", conf, 1);
	s->token = token_new(&o, e);
	return s->token ? token_start(s->token, e) : -1;
}

static int read_bundle(const char *path, struct buf *out, struct error *e)
{
	FILE *f = fopen(path, "re");
	char part[4096];
	size_t n;
	int rc = 0;

	if (!f)
		return error_errno(e, "%s", path);
	while (rc == 0 && (n = fread(part, 1, sizeof(part), f)) > 0)
		rc = buf_add(out, part, n, e);
	fclose(f);
	return rc;
}

static int open_verifier(const char *path, struct tls_verifier *out,
			 struct error *e)
{
	struct cert_list anchors = { 0 };
	struct judge_store *store = NULL;
	struct buf pem;

	buf_init(&pem, BUNDLE_BYTES_MAX);
	if (read_bundle(path, &pem, e) == 0 &&
	    cert_bundle_parse(view_of(pem.ptr, pem.len), &anchors, e) == 0)
		store = judge_store_new(&anchors, e);
	if (store)
		*out = tls_client_verifier(store);
	judge_store_unref(store);
	cert_list_free(&anchors);
	buf_free(&pem);
	return store ? 0 : -1;
}

static int open_context(struct echo *s, const char *kind, const char *bundle,
			struct error *e)
{
	struct tls_verifier verifier;
	struct identity_options o = { .token = s->token,
				      .host_name = "localhost" };
	struct tls_server_options t = { .minimum = TLS_1_2,
					.ticket_lifetime_s =
					    TICKET_LIFETIME_S };
	struct local_identity *l;

	if (bundle && open_verifier(bundle, &verifier, e) < 0)
		return -1;
	if (bundle)
		t.verifier = &verifier;
	if (key_kind_from_name(kind, &o.default_key) < 0)
		return error_set(e, ERR_INPUT, "no such key type: %s", kind);
	s->identity = identity_new(&o, e);
	s->tickets = ticket_keys_new(e);
	if (!s->identity || !s->tickets || identity_load(s->identity, e) < 0)
		return -1;
	l = identity_in_service(s->identity);
	t.identity = l;
	t.tickets = s->tickets;
	s->context = tls_server_new(&t, e);
	local_identity_unref(l);
	return s->context ? 0 : -1;
}

static int open_front(struct echo *s, uint16_t port, struct error *e)
{
	static const char *const addresses[] = { "127.0.0.1" };
	struct front_options o = { .loop = &s->loop,
				   .limits = front_limits_default };

	s->peers = peer_registry_new(e);
	if (!s->peers)
		return -1;
	o.peers = s->peers;
	s->front = front_new(&o, e);
	if (!s->front)
		return -1;
	front_set_tls(s->front, PEER_STREAM, s->context);
	return front_listen_tcp(s->front, "echo", PEER_STREAM, addresses, 1,
				port, &stream_ops, e);
}

static void on_stopped(void *arg)
{
	(void)arg;
}

static void on_term(uv_signal_t *handle, int signum)
{
	struct echo *s = handle->data;

	(void)signum;
	uv_close((uv_handle_t *)handle, NULL);
	front_stop(s->front, on_stopped, NULL);
}

static void close_all(struct echo *s)
{
	front_free(s->front);
	peer_registry_free(s->peers);
	tls_context_unref(s->context);
	ticket_keys_free(s->tickets);
	identity_free(s->identity);
	token_free(s->token);
	tls_global_cleanup();
	uv_loop_close(&s->loop);
}

int main(int argc, char **argv)
{
	struct error e = ERROR_INIT;
	static struct echo s;

	if (argc < 4 || argc > 5 || atoi(argv[3]) < 1 ||
	    atoi(argv[3]) > 65535) {
		fprintf(stderr, "usage: echo-server DIR KEY PORT "
				"[BUNDLE]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&s.loop);
	if (tls_global_init(&e) < 0 || open_token(&s, argv[1], &e) < 0 ||
	    open_context(&s, argv[2], argv[4], &e) < 0 ||
	    open_front(&s, (uint16_t)atoi(argv[3]), &e) < 0) {
		log_failure(LOG_LEVEL_ERROR, "echo", &e);
		return 1;
	}
	uv_signal_init(&s.loop, &s.on_term);
	s.on_term.data = &s;
	uv_signal_start(&s.on_term, on_term, SIGTERM);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	close_all(&s);
	return 0;
}
