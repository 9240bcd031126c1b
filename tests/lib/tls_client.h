/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_LIB_TLS_CLIENT_H
#define SB_TESTS_LIB_TLS_CLIENT_H

#include "tls/tls.h"

/* A TLS client of its own (wolfSSL's client side) that talks to a tls_conn
 * through memory, without sockets and threads. It verifies nothing. */

struct tls_client;

struct tls_client_options {
	bool tls11, tls12, tls13; /* versions offered; one run of them */
	const char *suites;       /* wolfSSL names; NULL: its defaults */
	const char *groups;       /* "P-256"; NULL: its defaults */
	const char *signatures;   /* "RSA+SHA256"; NULL: its defaults */
	bool trust_nobody;        /* refuse every certificate */
	const char *certificate;  /* PEM, the leaf first; NULL: it has none */
	const char *key;          /* PEM; need not match */
};

/* Talks to server from now on. */
struct tls_client *tls_client_new(const struct tls_client_options *options,
				  struct tls_conn *server);
void tls_client_free(struct tls_client *c);

/* What the client says from now on is kept in b instead of reaching the server;
 * NULL: reaches it again. */
void tls_client_capture(struct tls_client *c, struct buf *b);
/* Offer the session that another client got. */
void tls_client_resume(struct tls_client *c, struct tls_client *from);

/* One step of the client: > 0 done, 0 waits for the server, < 0 failed. */
int tls_client_handshake(struct tls_client *c);
/* Bytes decrypted, 0 waits for the server, < 0 closed or failed. */
int tls_client_read(struct tls_client *c, void *p, size_t n);
int tls_client_write(struct tls_client *c, const void *p, size_t n);
void tls_client_close_notify(struct tls_client *c);
/* The last fatal alert that the server sent, -1 for none. */
int tls_client_alert(struct tls_client *c);
bool tls_client_resumed(struct tls_client *c);
const char *tls_client_version(struct tls_client *c);

/* Both sides until both are done or one fails; the server's last step. A server
 * that fails gets its alert delivered. */
enum tls_step tls_client_meet(struct tls_client *c, struct tls_conn *server,
			      struct error *e);

#endif
