/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_BENCH_CLIENT_H
#define SB_TESTS_BENCH_CLIENT_H

#include <stdbool.h>

#include <openssl/ssl.h>

/* What the load generators connect with: TLS 1.3 of OpenSSL, sessions never
 * resumed, nothing verified. Clients come from 127.0.0.2 and up: one address
 * has too few ports for all that close within a minute, and servers limit what
 * one address may open. */

extern SSL_CTX *client_context;

/* To that port of 127.0.0.1; once. */
bool client_set_up(const char *port);
/* Connected and shaken hands with, from 127.0.0.2 + number; NULL: it failed. */
SSL *client_open(unsigned number);
void client_close(SSL *ssl);
/* Seconds of a monotonic clock. */
double client_now(void);

#endif
