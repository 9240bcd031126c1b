/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_MEDIA_LATCH_H
#define SB_MEDIA_LATCH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"

/* Where packets of a stream may come from and where ours go: symmetric RTP
 * (RFC 4961), which is what gets through address translation. Pure. */

/* An IPv4 or IPv6 address and a port; zeros: none. */
struct media_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} u;
};

/* "192.0.2.1" or "2001:db8::1", with %scope or without. -1: ERR_INPUT, no such
 * address. */
int media_address_parse(const char *text, uint16_t port,
			struct media_address *out, struct error *e) MUST_CHECK;
bool media_address_is_set(const struct media_address *a);
/* 0.0.0.0 and ::, the way of old to say "nowhere" (RFC 3264 8.4). */
bool media_address_is_any(const struct media_address *a);
/* Multicast or broadcast: many would get what was meant for one. */
bool media_address_is_many(const struct media_address *a);
bool media_address_same_host(const struct media_address *a,
			     const struct media_address *b);
bool media_address_equal(const struct media_address *a,
			 const struct media_address *b);
uint16_t media_address_port(const struct media_address *a);
void media_address_set_port(struct media_address *a, uint16_t port);
socklen_t media_address_size(const struct media_address *a);

enum {
	/* After that another source may take over; the announced one may at any
	 * time. */
	LATCH_SILENCE_MS = 2000,
};

struct latch {
	struct media_address announced; /* by the session description */
	struct media_address source;    /* the first valid packet's */
	bool latched;
	int64_t heard_ms; /* the last valid packet */
};

/* Another address than before lets go of the source. */
void latch_announce(struct latch *l, const struct media_address *a);

enum latch_source {
	LATCH_HOME,  /* the source, or, while there is none, as announced */
	LATCH_OTHER, /* may become the source if its packet is valid */
	LATCH_STRANGER,
};
enum latch_source latch_look(const struct latch *l,
			     const struct media_address *from, int64_t now_ms);
/* A valid packet of one that is no stranger. */
void latch_take(struct latch *l, const struct media_address *from,
		int64_t now_ms);
/* NULL: nowhere, so far. */
const struct media_address *latch_target(const struct latch *l);

#endif
