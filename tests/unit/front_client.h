/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_FRONT_CLIENT_H
#define SB_TESTS_UNIT_FRONT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A TLS client on a blocking socket (wolfSSL's client side), which verifies
 * nothing. */
struct tls_caller;

/* caller_new() and caller_handshake(); NULL when it fails. */
struct tls_caller *caller_open(uint16_t port, bool tls12);
/* Connected, nothing sent. */
struct tls_caller *caller_new(uint16_t port, bool tls12);
bool caller_handshake(struct tls_caller *c);
/* Before the handshake: PEM of a certificate with its chain, and of its key. */
void caller_identify(struct tls_caller *c, const char *chain, const char *key);
/* Only the ClientHello goes out. */
void caller_hello(struct tls_caller *c);
/* Before the handshake (TLS 1.2): offers RSA certificates only. */
void caller_only_rsa(struct tls_caller *c);
/* From now on each byte travels alone. */
void caller_bytewise(struct tls_caller *c);
int caller_fd(const struct tls_caller *c);
bool caller_write(struct tls_caller *c, const void *p, size_t n);
/* > 0, 0 at the end, -1 for a failure. */
int caller_read(struct tls_caller *c, void *p, size_t n);
bool caller_ended_cleanly(const struct tls_caller *c);
/* All until the end; free() it. */
char *caller_all(struct tls_caller *c, size_t *len_out);
/* The last fatal alert received, -1 for none. */
int caller_alert(struct tls_caller *c);
/* CN of the server's certificate. */
void caller_server_name(struct tls_caller *c, char *out, size_t size);
void caller_close_notify(struct tls_caller *c);
void caller_free(struct tls_caller *c); /* closes */

#endif
