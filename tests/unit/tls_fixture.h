/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_TLS_FIXTURE_H
#define SB_TESTS_UNIT_TLS_FIXTURE_H

#include "tests/lib/tls_client.h"
#include "tls/tls.h"

/* A SoftHSM token with one key of each kind and a certificate for each. */

int fixture_open(void);
int fixture_close(void);

/* A server context of the caller's; the test fails when there is none. */
struct tls_context *fixture_context(enum key_kind kind,
				    enum tls_version minimum,
				    struct ticket_keys *tickets);
/* The same, or NULL with the reason. */
struct tls_context *fixture_try_context(enum key_kind kind,
					enum tls_version minimum,
					struct error *e);
/* One that verifies its clients, and its ticket keys for contexts that may have
 * tickets; arg of the verifier is taken over. */
struct tls_context *fixture_verifying(enum key_kind kind,
				      struct tls_verifier verifier,
				      struct ticket_keys *tickets);
/* The same, or NULL with the reason. */
struct tls_context *fixture_try_verifying(enum key_kind kind,
					  struct tls_verifier verifier,
					  struct error *e);
/* A client context, with the identity of that kind (KEY_KIND_COUNT: none). */
struct tls_context *fixture_calling(enum key_kind kind,
				    struct tls_verifier verifier);
/* The certificate of that identity. */
const struct cert *fixture_certificate(enum key_kind kind);
/* Pretend that the token cannot sign with these schemes: a set of
 * 1u << enum sign_scheme. */
void fixture_deny_schemes(unsigned schemes);

/* A second token object, over a p11-kit server in a process of its own, with
 * the P-256 key of the first: a context on it, whose token then goes away. */
struct tls_context *fixture_remote_open(void);
void fixture_remote_kill(void);
void fixture_remote_close(void);

const char *fixture_directory(void);

/* An echo on a port of 127.0.0.1, one connection at a time, in a thread. */
unsigned fixture_serve(struct tls_context *ctx);
void fixture_serve_end(void);

/* --- connections */

/* Send what waits in the output; take what comes, which waits for it. */
bool fixture_flush(struct tls_conn *c, int fd);
bool fixture_feed(struct tls_conn *c, int fd, struct error *e);

struct tls_conn *open_conn(struct tls_context *ctx);
/* Some bytes there and back. */
void check_echo(struct test_client *client, struct tls_conn *server);

/* A TLS 1.3 connection with the P-256 key that stands. */
struct pair {
	struct tls_context *ctx;
	struct tls_conn *server;
	struct test_client *client;
};

struct pair pair_open(struct ticket_keys *tickets);
void pair_close(struct pair *p);

/* Resident memory of this process. */
long fixture_resident_bytes(void);

#endif
