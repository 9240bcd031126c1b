/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/tls_fixture.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/lib/test_token.h"
#include "tests/lib/unit.h"

static struct test_token home;
static struct token *token;
/* One of each kind, and the remote one. */
enum { REMOTE = KEY_KIND_COUNT };
static struct local_identity identities[KEY_KIND_COUNT + 1];

/* Identities made by hand, which live as long as the suite. */
struct local_identity *local_identity_ref(const struct local_identity *l)
{
	return &identities[l - identities];
}

void local_identity_unref(struct local_identity *l)
{
	(void)l;
}

static int make_identity(enum key_kind kind, struct error *e)
{
	static const char *const names[] = { "DNS:localhost" };
	const struct self_signed_options o = {
		.subject = { .cn = "tls test" },
		.alt_names = names,
		.alt_name_count = 1,
		.not_before = clock_now() - 60,
		.not_after = clock_now() + 86400,
	};
	struct local_identity *l = &identities[kind];
	struct signer signer;
	struct cert *cert;
	int rc;

	l->key = token_key_generate(token, kind, key_kind_name(kind), e);
	if (!l->key)
		return -1;
	signer = token_key_signer(l->key);
	cert = cert_self_sign(&o, &signer, e);
	if (!cert)
		return -1;
	rc = cert_list_add(&l->chain, cert, e);
	cert_unref(cert);
	return rc;
}

int fixture_open(void)
{
	static const enum key_kind kinds[] = { KEY_KIND_RSA2048,
					       KEY_KIND_EC_P256,
					       KEY_KIND_EC_P384 };
	struct error e = ERROR_INIT;

	test_token_make(&home);
	token = test_token_open(&home);
	if (tls_global_init(&e) < 0)
		return 1;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (make_identity(kinds[i], &e) < 0) {
			unit_note("%s: %s", key_kind_name(kinds[i]), e.text);
			return 1;
		}
	return 0;
}

int fixture_close(void)
{
	for (int i = 0; i < KEY_KIND_COUNT; i++) {
		cert_list_free(&identities[i].chain);
		token_key_unref(identities[i].key);
	}
	token_free(token);
	tls_global_cleanup();
	return 0;
}

/* --- contexts */

static unsigned denied;

bool __real_token_key_can(struct token_key *k, enum sign_scheme scheme);
bool __wrap_token_key_can(struct token_key *k, enum sign_scheme scheme);

bool __wrap_token_key_can(struct token_key *k, enum sign_scheme scheme)
{
	return !(denied & 1u << scheme) && __real_token_key_can(k, scheme);
}

void fixture_deny_schemes(unsigned schemes)
{
	denied = schemes;
}

static struct tls_context *context_of(const struct local_identity *l,
				      enum tls_version minimum,
				      struct ticket_keys *tickets,
				      const struct tls_verifier *verifier,
				      struct error *e)
{
	const struct tls_server_options o = {
		.identity = l,
		.minimum = minimum,
		.tickets = tickets,
		.ticket_lifetime_s = 7200,
		.verifier = verifier,
	};

	return tls_server_new(&o, e);
}

struct tls_context *fixture_try_context(enum key_kind kind,
					enum tls_version minimum,
					struct error *e)
{
	return context_of(&identities[kind], minimum, NULL, NULL, e);
}

struct tls_context *fixture_context(enum key_kind kind,
				    enum tls_version minimum,
				    struct ticket_keys *tickets)
{
	struct error e = ERROR_INIT;
	struct tls_context *ctx =
	    context_of(&identities[kind], minimum, tickets, NULL, &e);

	CHECK_OBJECT(ctx, &e);
	return ctx;
}

struct tls_context *fixture_verifying(enum key_kind kind,
				      struct tls_verifier verifier,
				      struct ticket_keys *tickets)
{
	struct error e = ERROR_INIT;
	struct tls_context *ctx =
	    context_of(&identities[kind], TLS_1_2, tickets, &verifier, &e);

	CHECK_OBJECT(ctx, &e);
	return ctx;
}

struct tls_context *fixture_try_verifying(enum key_kind kind,
					  struct tls_verifier verifier,
					  struct error *e)
{
	return context_of(&identities[kind], TLS_1_2, NULL, &verifier, e);
}

struct tls_context *fixture_calling(enum key_kind kind,
				    struct tls_verifier verifier)
{
	const struct tls_client_options o = {
		.identity = kind == KEY_KIND_COUNT ? NULL : &identities[kind],
		.minimum = TLS_1_2,
		.verifier = &verifier,
	};
	struct error e = ERROR_INIT;
	struct tls_context *ctx = tls_client_new(&o, &e);

	CHECK_OBJECT(ctx, &e);
	return ctx;
}

const struct cert *fixture_certificate(enum key_kind kind)
{
	return identities[kind].chain.items[0];
}

long fixture_resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long total = 0, resident = 0;

	if (!f || fscanf(f, "%ld %ld", &total, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return resident * sysconf(_SC_PAGESIZE);
}

const char *fixture_directory(void)
{
	return home.dir;
}

/* --- connections */

struct tls_conn *open_conn(struct tls_context *ctx)
{
	struct error e = ERROR_INIT;
	struct tls_conn *c = tls_conn_new(ctx, &e);

	CHECK_OBJECT(c, &e);
	return c;
}

void check_echo(struct test_client *client, struct tls_conn *server)
{
	struct error e = ERROR_INIT;
	char got[64];
	size_t n = 0;

	CU_ASSERT_EQUAL(test_client_write(client, "to server", 9), 9);
	CU_ASSERT_EQUAL(tls_conn_read(server, got, sizeof(got), &n, &e),
			TLS_STEP_DONE);
	CU_ASSERT(n == 9 && !memcmp(got, "to server", 9));
	CHECK_OK(tls_conn_write(server, "to client", 9, &e), &e);
	CU_ASSERT_EQUAL(test_client_read(client, got, sizeof(got)), 9);
	CU_ASSERT(!memcmp(got, "to client", 9));
}

struct pair pair_open(struct ticket_keys *tickets)
{
	const struct test_client_options o = { .tls13 = true };
	struct error e = ERROR_INIT;
	struct pair p;

	p.ctx = fixture_context(KEY_KIND_EC_P256, TLS_1_2, tickets);
	p.server = open_conn(p.ctx);
	p.client = test_client_new(&o, p.server);
	CU_ASSERT_EQUAL_FATAL(test_client_meet(p.client, p.server, &e),
			      TLS_STEP_DONE);
	return p;
}

void pair_close(struct pair *p)
{
	test_client_free(p->client);
	tls_conn_free(p->server);
	tls_context_unref(p->ctx);
}

/* --- a token in a process of its own */

static struct {
	pid_t server; /* its process group too */
	struct token *token;
} remote;

static void server_start(const char *socket_path)
{
	remote.server = fork();
	if (remote.server == 0) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
		execlp("p11-kit", "p11-kit", "server", "-f", "-n", socket_path,
		       "--provider", TEST_TOKEN_MODULE,
		       "pkcs11:", (char *)NULL);
		_exit(127);
	}
	setpgid(remote.server, remote.server);
	for (int i = 0; i < 3000 && access(socket_path, F_OK) != 0; i++)
		usleep(10000);
}

struct tls_context *fixture_remote_open(void)
{
	struct local_identity *l = &identities[REMOTE];
	const struct local_identity *from = &identities[KEY_KIND_EC_P256];
	struct token_options o = test_token_options(&home);
	struct error e = ERROR_INIT;
	struct tls_context *ctx;
	char path[300], address[320];

	snprintf(path, sizeof(path), "%s/p11-kit.sock", home.dir);
	snprintf(address, sizeof(address), "unix:path=%s", path);
	setenv("P11_KIT_SERVER_ADDRESS", address, 1);
	signal(SIGPIPE, SIG_IGN);
	server_start(path);
	o.module = TEST_P11_KIT_CLIENT;
	o.max_sessions = 2;
	remote.token = token_new(&o, &e);
	CHECK_OBJECT(remote.token, &e);
	CHECK_OK(token_start(remote.token, &e), &e);
	l->key = token_key_find(remote.token, token_key_public(from->key), &e);
	CHECK_OBJECT(l->key, &e);
	CHECK_OK(cert_list_add(&l->chain, from->chain.items[0], &e), &e);
	ctx = context_of(l, TLS_1_2, NULL, NULL, &e);
	CHECK_OBJECT(ctx, &e);
	return ctx;
}

void fixture_remote_kill(void)
{
	/* The server has a child for each connection. */
	kill(-remote.server, SIGKILL);
	waitpid(remote.server, NULL, 0);
}

void fixture_remote_close(void)
{
	cert_list_free(&identities[REMOTE].chain);
	token_key_unref(identities[REMOTE].key);
	token_free(remote.token);
}

/* --- a server on the loopback */

static struct {
	int fd;
	struct tls_context *ctx;
	pthread_t thread;
} echo;

bool fixture_flush(struct tls_conn *c, int fd)
{
	struct buf *out = tls_conn_output(c);

	while (out->len) {
		ssize_t n = send(fd, out->ptr, out->len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		buf_consume(out, (size_t)n);
	}
	return true;
}

bool fixture_feed(struct tls_conn *c, int fd, struct error *e)
{
	uint8_t bytes[4096];
	ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

	if (n > 0)
		return tls_conn_feed(c, bytes, (size_t)n, e) == 0;
	tls_conn_feed_eof(c);
	return true;
}

static enum tls_step echo_step(struct tls_conn *c, struct error *e)
{
	char line[256];
	size_t n;
	enum tls_step step = tls_conn_read(c, line, sizeof(line), &n, e);

	if (step == TLS_STEP_DONE && tls_conn_write(c, line, n, e) < 0)
		return TLS_STEP_FAILED;
	return step;
}

static void echo_serve(int fd)
{
	struct error e = ERROR_INIT;
	struct tls_conn *c = tls_conn_new(echo.ctx, &e);
	bool greeted = false;
	enum tls_step step;

	if (!c)
		return;
	do {
		step = greeted ? echo_step(c, &e) : tls_conn_handshake(c, &e);
		greeted = greeted || step == TLS_STEP_DONE;
		if (!fixture_flush(c, fd) ||
		    (step == TLS_STEP_WANT_READ && !fixture_feed(c, fd, &e)))
			break;
	} while (step == TLS_STEP_DONE || step == TLS_STEP_WANT_READ);
	tls_conn_free(c);
}

static void *echo_run(void *unused)
{
	int fd;

	(void)unused;
	while ((fd = accept(echo.fd, NULL, NULL)) >= 0) {
		echo_serve(fd);
		close(fd);
	}
	return NULL;
}

unsigned fixture_serve(struct tls_context *ctx)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);

	echo.ctx = ctx;
	echo.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (echo.fd < 0 || bind(echo.fd, (struct sockaddr *)&a, size) < 0 ||
	    listen(echo.fd, 8) < 0 ||
	    getsockname(echo.fd, (struct sockaddr *)&a, &size) < 0 ||
	    pthread_create(&echo.thread, NULL, echo_run, NULL) != 0) {
		perror("echo server");
		exit(99);
	}
	return ntohs(a.sin_port);
}

void fixture_serve_end(void)
{
	shutdown(echo.fd, SHUT_RDWR);
	pthread_join(echo.thread, NULL);
	close(echo.fd);
}
