/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_FRONT_ADMISSION_H
#define SB_FRONT_ADMISSION_H

#include <stdint.h>
#include <sys/socket.h>

#include "front/list.h"

/* How many connections and requests each outside address has: IPv4 by address,
 * IPv6 by /64, because whoever has one address of such a net has all of them.
 * On the loop. */

enum { ADMISSION_BUCKETS = 1024, ADMISSION_KEY = 9 };

struct admission {
	uint64_t seed;
	struct list buckets[ADMISSION_BUCKETS];
};

struct admission_entry {
	struct list node;
	uint8_t key[ADMISSION_KEY];
	unsigned connections;
	unsigned requests; /* with the backend, also when the client is gone */
	unsigned handshakes; /* with the pool */
};

void admission_init(struct admission *a);
/* One more connection of that address. NULL: it has limit already (0: no
 * limit), or there is no memory. */
struct admission_entry *admission_enter(struct admission *a,
					const struct sockaddr *sa,
					unsigned limit);
/* NULL is fine in all of these. */
void admission_leave(struct admission_entry *entry);
void admission_begin_request(struct admission_entry *entry);
void admission_end_request(struct admission_entry *entry);

#endif
