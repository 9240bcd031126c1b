/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_FRONT_PEER_H
#define SB_FRONT_PEER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "tls/client_certificate.h"
#include "tls/tls.h"

/* Who is at the other end of an admitted connection, and how the request
 * handler behind the loopback port learns it. */

enum peer_via {
	PEER_HTTP,    /* plain HTTP over TCP */
	PEER_HTTPS,   /* TLS */
	PEER_CONTROL, /* the control socket: uid and gid are the kernel's word
		       */
	PEER_STREAM,  /* TLS without HTTP (SIP) */
	PEER_STREAM_TCP, /* TCP without HTTP (SIP) */
	PEER_VIA_COUNT
};

/* A plain value. */
struct peer {
	uint64_t connection; /* unique in the life of the process */
	int64_t opened_ms;   /* clock_monotonic_ms() at accept */
	enum peer_via via;
	char address[INET6_ADDRSTRLEN]; /* numeric; "local" for the control
					 * socket; IPv4 never as ::ffff: */
	uint16_t port;
	char local_address[INET6_ADDRSTRLEN]; /* our end; "" for control */
	uint16_t local_port;
	bool called; /* we opened it */
	uid_t uid;   /* PEER_CONTROL only */
	gid_t gid;
	enum tls_version tls_version; /* PEER_HTTPS, PEER_STREAM */
	char tls_cipher[48];
	/* PEER_HTTPS, PEER_STREAM: by which the peer was accepted; present is
	 * false when nobody judged it */
	struct client_certificate certificate;
};

/* Which source port on the loopback belongs to which peer. Written by the front
 * before the first byte of a request passes, read by the request handler, which
 * refuses every port that is not here. A port belongs to one peer for one
 * request and to another one for the next: the handler asks once, at the start
 * of each request. Any thread. */
struct peer_registry;

struct peer_registry *peer_registry_new(struct error *e) MUST_CHECK;
void peer_registry_free(struct peer_registry *r);
void peer_registry_put(struct peer_registry *r, uint16_t source_port,
		       const struct peer *p);
void peer_registry_remove(struct peer_registry *r, uint16_t source_port);
bool peer_registry_get(struct peer_registry *r, uint16_t source_port,
		       struct peer *out);

#endif
