/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_NET_LOOKUP_H
#define SB_NET_LOOKUP_H

#include <stddef.h>
#include <sys/socket.h>

#include "base/host_name.h"

/* Addresses of a host, by the system's resolver, with a limit that the resolver
 * itself does not have. */

enum {
	NET_ADDRESSES_MAX = 8, /* of a host that are tried */
	NET_LOOKUPS_MAX = 8    /* in the resolver at the same time */
};

struct net_address {
	struct sockaddr_storage address;
	socklen_t length;
};

/* deadline: of clock_monotonic_ms(). cancel: a descriptor that gives up by
 * becoming readable, -1 for none. A question that nobody waits for any more
 * ends by itself later, in a thread of its own; it counts for NET_LOOKUPS_MAX
 * until then. ERR_NOT_FOUND: no such host, or it has no address; ERR_TIMEOUT,
 * ERR_CANCELLED, ERR_LIMIT, ERR_NOMEM. Any thread. */
int net_lookup(const struct host_port *to, int64_t deadline, int cancel,
	       struct net_address out[NET_ADDRESSES_MAX], size_t *count_out,
	       struct error *e) MUST_CHECK;

#endif
