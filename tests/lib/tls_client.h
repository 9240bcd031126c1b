/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_LIB_TLS_CLIENT_H
#define SB_TESTS_LIB_TLS_CLIENT_H

#include "tls/tls.h"

/* A TLS client of its own (wolfSSL's client side) that talks to a tls_conn
 * through memory, without sockets and threads. It verifies nothing. */

struct test_client;

struct test_client_options {
	bool tls11, tls12, tls13; /* versions offered; one run of them */
	const char *suites;       /* wolfSSL names; NULL: its defaults */
	const char *groups;       /* "P-256"; NULL: its defaults */
	const char *signatures;   /* "RSA+SHA256"; NULL: its defaults */
	bool trust_nobody;        /* refuse every certificate */
	const char *certificate;  /* PEM, the leaf first; NULL: it has none */
	const char *key;          /* PEM; need not match */
};

/* Talks to server from now on. */
struct test_client *test_client_new(const struct test_client_options *options,
				    struct tls_conn *server);
void test_client_free(struct test_client *c);

/* What the client says from now on is kept in b instead of reaching the server;
 * NULL: reaches it again. */
void test_client_capture(struct test_client *c, struct buf *b);
/* Offer the session that another client got. */
void test_client_resume(struct test_client *c, struct test_client *from);

/* One step of the client: > 0 done, 0 waits for the server, < 0 failed. */
int test_client_handshake(struct test_client *c);
/* Bytes decrypted, 0 waits for the server, < 0 closed or failed. */
int test_client_read(struct test_client *c, void *p, size_t n);
int test_client_write(struct test_client *c, const void *p, size_t n);
void test_client_close_notify(struct test_client *c);
/* The last fatal alert that the server sent, -1 for none. */
int test_client_alert(struct test_client *c);
bool test_client_resumed(struct test_client *c);
const char *test_client_version(struct test_client *c);

/* Both sides until both are done or one fails; the server's last step. A server
 * that fails gets its alert delivered. */
enum tls_step test_client_meet(struct test_client *c, struct tls_conn *server,
			       struct error *e);

#endif
