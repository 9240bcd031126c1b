/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TLS_TLS_H
#define SB_TLS_TLS_H

#include "base/buf.h"
#include "cert/cert.h"
#include "identity/identity.h"
#include "tls/verify.h"

/* TLS 1.2 and 1.3 on wolfSSL with the key in the token: contexts as immutable
 * counted snapshots, and connections that know no socket. wolfSSL stays behind
 * this folder. */

/* Once in a process, before anything else here; not thread safe. */
int tls_global_init(struct error *e) MUST_CHECK;
void tls_global_cleanup(void);

enum tls_version { TLS_1_2, TLS_1_3 };
const char *tls_version_name(enum tls_version v); /* "TLSv1.2" */

/* Keys of session tickets: one object for the life of the service, shared by
 * successive contexts so that an unchanged policy keeps tickets alive. The key
 * changes every hour and the one before stays good for reading; ticket_keys_
 * rotate() throws all of them away at once. Any thread. */
struct ticket_keys;
struct ticket_keys *ticket_keys_new(struct error *e) MUST_CHECK;
void ticket_keys_free(struct ticket_keys *k);
void ticket_keys_rotate(struct ticket_keys *k);

struct tls_server_options {
	const struct local_identity *identity; /* a reference is taken */
	enum tls_version minimum;
	struct ticket_keys *tickets; /* NULL: no tickets; must outlive ctx */
	unsigned ticket_lifetime_s;
	/* NULL: clients are not asked for a certificate. Else each must have
	 * one that passes, and there are no tickets: a resumed session would
	 * not show its certificate again. Its arg is taken over, also when no
	 * context comes about. */
	const struct tls_verifier *verifier;
};

struct tls_context;

/* A server context: chain from the identity, its public key, sign callbacks
 * into the token; no private key is ever loaded (fact: wolfSSL takes an SPKI
 * for it). SNI is ignored; schemes that the token cannot sign with are not
 * offered. NULL: ERR_TLS. Any thread. */
struct tls_context *tls_server_new(const struct tls_server_options *options,
				   struct error *e) MUST_CHECK;

/* For connections that we open. */
struct tls_client_options {
	/* Shown to servers that ask for a certificate, its key in the token
	 * signs; a reference is taken. NULL: we have none. */
	const struct local_identity *identity;
	enum tls_version minimum;
	/* Needed; its arg is taken over, also when no context comes about. */
	const struct tls_verifier *verifier;
};

/* NULL: ERR_TLS. Any thread. */
struct tls_context *tls_client_new(const struct tls_client_options *options,
				   struct error *e) MUST_CHECK;

struct tls_context *tls_context_ref(struct tls_context *c);
void tls_context_unref(struct tls_context *c);

/* One connection. Ciphertext goes in by tls_conn_feed() and comes out of
 * tls_conn_output(); one thread at a time, whichever (the handshake runs on a
 * pool, the rest on the event loop). */
struct tls_conn;

struct tls_conn *tls_conn_new(struct tls_context *c,
			      struct error *e) MUST_CHECK;
/* The calling side, of a client context: begins with a step of the handshake.
 * host: the name or address that was asked for, without port; the verifier is
 * asked about it, and the server told (SNI) when it is a name. ERR_INPUT: it is
 * neither. */
struct tls_conn *tls_conn_new_to(struct tls_context *c, const char *host,
				 struct error *e) MUST_CHECK;
void tls_conn_free(struct tls_conn *c);

/* Bytes from the peer; ERR_LIMIT when more than four records' worth would wait
 * unread. */
int tls_conn_feed(struct tls_conn *c, const void *p, size_t n,
		  struct error *e) MUST_CHECK;
/* The peer closed its side of the socket. */
void tls_conn_feed_eof(struct tls_conn *c);
/* Bytes for the peer; the caller consumes what it has written. */
struct buf *tls_conn_output(struct tls_conn *c);

enum tls_step {
	TLS_STEP_DONE,      /* handshake complete / bytes moved */
	TLS_STEP_WANT_READ, /* feed more, then again */
	TLS_STEP_CLOSED,    /* close_notify or clean end */
	TLS_STEP_FAILED     /* *e says why; an alert may wait in the output */
};

/* Failures are ERR_TLS with what happened in plain words ("peer sent alert
 * unknown_ca"), ERR_LIMIT when the peer makes the output outgrow its bound, or
 * the error of the token when it did not sign. After one, only the output and
 * tls_conn_free() are of use. */

/* One step of the handshake; may sign, so it may block for as long as the
 * token takes: never on the event loop. */
enum tls_step tls_conn_handshake(struct tls_conn *c, struct error *e);
/* Decrypt into p (at most n bytes). */
enum tls_step tls_conn_read(struct tls_conn *c, void *p, size_t n,
			    size_t *got_out, struct error *e);
/* Encrypt all n bytes into the output (16 KiB at most a call). ERR_LIMIT, with
 * nothing written, while more than 200 KiB wait in the output. */
int tls_conn_write(struct tls_conn *c, const void *p, size_t n,
		   struct error *e) MUST_CHECK;
/* Queue close_notify. */
void tls_conn_close_notify(struct tls_conn *c);
/* Give back the memory that an established connection does not need while
 * nothing moves on it (two thirds of all). It costs some microseconds now and
 * as many at the next use: for those that have been idle for a second. */
void tls_conn_trim(struct tls_conn *c);

/* Facts about an established connection. Strings are static or live as long as
 * the connection. */
struct tls_info {
	enum tls_version version;
	const char *cipher; /* RFC name, e.g. "TLS_AES_128_GCM_SHA256" */
	bool resumed;
};

void tls_conn_info(const struct tls_conn *c, struct tls_info *out);

/* The certificate by which the client was accepted; NULL before the handshake
 * is done (until then the client has not proved that the key is its own) and
 * for contexts that ask for none. Lives as long as the connection. */
const struct client_certificate *tls_conn_client(const struct tls_conn *c);
/* The same of either side: the certificate by which the peer was accepted, also
 * that of a server that we called and verified (it logs nobody in). */
const struct client_certificate *tls_conn_peer(const struct tls_conn *c);
/* Why the handshake failed, if it was for the peer's certificate; else NULL.
 * Lives as long as the connection. */
const struct tls_verdict *tls_conn_refusal(const struct tls_conn *c);

#endif
