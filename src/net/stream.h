/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_NET_STREAM_H
#define SB_NET_STREAM_H

#include <stdint.h>

#include "base/host_name.h"
#include "tls/tls.h"

/* A connection that we open, with TLS or without, for threads that may wait:
 * every call that waits has a limit and can be given up from outside. One
 * thread at a time. */

struct net_stream_options {
	const struct host_port *to;
	struct tls_context *tls; /* of tls_client_new(); NULL: plain TCP */
	unsigned limit_ms; /* look-up, connection and handshake together */
	/* A descriptor that makes every call give up (ERR_CANCELLED) while it
	 * is readable; -1: none. It outlives the stream. */
	int cancel;
};

struct net_stream;

/* NULL: errors of net_dial() and of tls_conn_handshake(); the text names the
 * server. The handshake may sign, which takes as long as the token takes. */
struct net_stream *net_stream_open(const struct net_stream_options *options,
				   struct error *e) MUST_CHECK;
/* Says good-bye, as far as that can be done at once. NULL is fine. */
void net_stream_close(struct net_stream *s);

/* For servers that may refuse our certificate. In TLS 1.3 a connection stands
 * for us before the server has seen it; what is written then is lost when it
 * does not like it. Waits until the server has said anything at all, which it
 * does after that check, but no longer than limit_ms: some say nothing. ERR_TLS
 * (its alert), ERR_IO: the server has ended the connection; ERR_CANCELLED. */
int net_stream_settle(struct net_stream *s, unsigned limit_ms,
		      struct error *e) MUST_CHECK;

/* All n bytes, to the kernel. After a failure (ERR_TIMEOUT, ERR_CANCELLED, too)
 * any number of them may have left: the stream is good for net_stream_close()
 * only. */
int net_stream_write(struct net_stream *s, const void *p, size_t n,
		     unsigned limit_ms, struct error *e) MUST_CHECK;

/* What there is, at most n bytes; waits for the first. *got_out 0: the server
 * has closed its side. ERR_TIMEOUT: nothing came (limit_ms 0 just looks), and
 * the stream goes on; ERR_TLS, ERR_IO, ERR_CANCELLED: it does not. */
int net_stream_read(struct net_stream *s, void *p, size_t n, unsigned limit_ms,
		    size_t *got_out, struct error *e) MUST_CHECK;

/* For poll(2): readable when net_stream_read() may have something to tell. Read
 * until ERR_TIMEOUT first: bytes may wait inside. */
int net_stream_fd(const struct net_stream *s);

/* Bytes on the wire so far, and how many of them the server's kernel has
 * acknowledged: what is not may be lost when the connection ends. */
uint64_t net_stream_sent(const struct net_stream *s);
uint64_t net_stream_acknowledged(const struct net_stream *s);

#endif
