/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_TLS_REFUSALS_H
#define SB_APP_TLS_REFUSALS_H

#include <pthread.h>

#include "app/refusal_meter.h"
#include "app/tls_contexts.h"
#include "audit/audit.h"

/* Peers that got no connection because of their certificate, in the audit
 * trail: at most REFUSALS_PER_MINUTE records for each use, the rest is counted.
 * Any thread. */

struct tls_refusals {
	struct audit *audit; /* must outlive it */
	pthread_mutex_t lock;
	struct refusal_meter meters[TLS_USE_COUNT];
};

void tls_refusals_init(struct tls_refusals *r, struct audit *audit);
void tls_refusals_end(struct tls_refusals *r);

/* address: of the peer; host: what was dialled, NULL when the peer called. */
void tls_refusals_note(struct tls_refusals *r, enum tls_use use,
		       const char *address, const char *host,
		       const struct tls_verdict *why);
/* Now and then: write down how many were only counted. */
void tls_refusals_settle(struct tls_refusals *r);

#endif
