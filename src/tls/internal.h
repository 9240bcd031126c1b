/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TLS_INTERNAL_H
#define SB_TLS_INTERNAL_H

/* Shared by the files of this folder only: the one place that includes wolfSSL,
 * whose headers must not meet OpenSSL's in one translation unit. */

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include "tls/tls.h"

struct tls_context {
	WOLFSSL_CTX *ctx;
	bool outgoing;
	struct local_identity *identity; /* NULL: outgoing, without one */
	struct tls_verifier verifier;    /* verify NULL: peers are not asked */
	int refs;                        /* atomic */
};

enum { TLS_RECORD_HEADER = 5 };
/* The largest record on the wire: RFC 5246 6.2.3, 2^14 + 2048 and a header. */
enum { TLS_RECORD_MAX = TLS_RECORD_HEADER + 16384 + 2048 };
/* Ciphertext that may wait unread, and unsent, on one connection. */
enum { TLS_INPUT_MAX = 4 * TLS_RECORD_MAX, TLS_OUTPUT_MAX = 256 * 1024 };

struct tls_conn {
	WOLFSSL *ssl;
	struct tls_context *context;
	struct buf in, out;
	size_t in_pos; /* bytes of in that wolfSSL has taken */
	uint8_t tail[TLS_RECORD_HEADER]; /* the last bytes it took */
	bool in_any;                     /* anything ever came */
	bool out_any;                    /* anything was ever said */
	bool in_eof;
	bool eof_seen;      /* wolfSSL met the end of the input ... */
	bool eof_in_record; /* ... in the middle of a record */
	bool established;
	struct error failure; /* of a callback: signature, output, verdict */
	char *host;           /* outgoing: whom we call */
	bool accepted;        /* the peer's certificate, not proved yet */
	struct client_certificate *certificate; /* of an accepted peer */
	struct tls_verdict *refusal;
	bool muted; /* refused: what wolfSSL says from now on is not sent */
	struct tls_info info;
	void *roomy; /* wolfSSL's large block; see global.c */
	size_t roomy_size;
};

/* global.c: memory of one wolfSSL object that is worth giving back. Between
 * _begin and _end the first large allocation of this thread is noted. */
void tls_roomy_begin(void);
void *tls_roomy_end(size_t *size_out);
/* Return the pages of a block that hold nothing but zeros. */
void tls_roomy_release(void *block, size_t size);
/* To be called by each thread before wolfSSL computes in it. */
void tls_thread_enter(void);

/* conn.c: the callbacks that move bytes. */
void tls_conn_set_context(WOLFSSL_CTX *ctx);

/* peer.c: the judgement of the peer's certificate. */
void tls_peer_set_context(const struct tls_context *c);
void tls_peer_set_conn(WOLFSSL *ssl, struct tls_conn *c);
/* wolfSSL is content. -1: we are not, and c->refusal says why. */
int tls_peer_complete(struct tls_conn *c);
/* wolfSSL gave up; was it because of the certificate? */
void tls_peer_note_failure(struct tls_conn *c, int native);

/* alert.c: alerts that wolfSSL does not send. */
/* The token did not sign. */
void tls_alert_unsigned(struct tls_conn *c);
/* The peer's certificate was refused; unless wolfSSL has said so. */
void tls_alert_refused(struct tls_conn *c);

/* sign.c */
void tls_sign_set_context(WOLFSSL_CTX *ctx);
void tls_sign_set_conn(WOLFSSL *ssl, struct tls_conn *c);

/* tickets.c */
void tls_tickets_set_context(WOLFSSL_CTX *ctx, struct ticket_keys *k,
			     unsigned lifetime_s);

/* suites.c */
/* Colon-separated wolfSSL names of what is offered, in order of preference. */
const char *tls_suite_list(enum key_type type, bool tls12, bool tls13);
/* The same for clients, who take servers with any key. */
const char *tls_suite_list_client(bool tls12, bool tls13);
/* RFC name of a suite number; "unknown" for one that is not offered. */
const char *tls_suite_name(int suite);

/* failure.c */
/* ERR_TLS for what wolfSSL said about a connection, in plain words. */
int tls_failure(struct tls_conn *c, int native, struct error *e);
/* "unknown_ca" for 48, and so on; NULL for one that is not assigned. */
const char *tls_alert_name(int code);

#endif
