/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_RESOLVER_CHANNEL_H
#define SB_SIP_RESOLVER_CHANNEL_H

#include <poll.h>

#include "sip/resolver_answer.h"

/* Questions put to DNS servers, by c-ares: their identifiers and ports are of
 * chance, an answer that is cut is asked for again by TCP, and a server that is
 * silent or fails has the next one asked. One thread at a time. */

enum {
	RESOLVER_SERVERS_MAX = 4,  /* of the system's, too */
	RESOLVER_QUERIES_MAX = 64, /* under way at once */
	RESOLVER_FDS_MAX = 16      /* what ares_getsock() tells of */
};

struct resolver_channel;

struct resolver_channel_options {
	const char *servers;     /* "ADDRESS[:PORT],..."; NULL: resolv_conf's */
	const char *resolv_conf; /* NULL: /etc/resolv.conf */
	uint16_t port;           /* of servers that have none; 0: 53 */
	int timeout_ms;          /* of the first try; later ones are longer */
	int tries;               /* with each server */
};

/* The texts are copied. ERR_INPUT: servers cannot be read or are too many;
 * ERR_NOMEM, ERR_IO. */
struct resolver_channel *resolver_channel_new(
    const struct resolver_channel_options *o, struct error *e) MUST_CHECK;
/* Whoever still waits is told NULL. */
void resolver_channel_free(struct resolver_channel *c);

/* When nothing is under way and the file with the system's servers is another
 * one than before, it is read again: true. */
bool resolver_channel_refresh(struct resolver_channel *c);

/* a is borrowed while the call lasts, NULL when there was no answer; timed_out:
 * no server said anything. */
typedef void resolver_answered_fn(void *arg, const struct resolver_answer *a,
				  bool timed_out);
/* Called once, perhaps before this returns. False: RESOLVER_QUERIES_MAX are
 * under way, or there is no memory; it is not called. */
bool resolver_channel_ask(struct resolver_channel *c, enum resolver_type type,
			  const char *name, resolver_answered_fn *answered,
			  void *arg);

/* What to poll for, and for how long at most (-1: for ever). */
size_t resolver_channel_fds(struct resolver_channel *c,
			    struct pollfd out[RESOLVER_FDS_MAX]);
int resolver_channel_wait_ms(struct resolver_channel *c);
/* Afterwards: what came, and what has waited too long. */
void resolver_channel_process(struct resolver_channel *c,
			      const struct pollfd *fds, size_t n);

#endif
