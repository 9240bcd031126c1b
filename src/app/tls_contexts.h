/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_TLS_CONTEXTS_H
#define SB_APP_TLS_CONTEXTS_H

#include "config/settings.h"
#include "tls/tls.h"
#include "trust/trust.h"

/* Makes the TLS contexts that peers meet, each from what the administrator
 * decided for its use. One row a use; whoever owns the object locks. */

enum tls_use {
	TLS_FOR_HTTPS,
	TLS_FOR_SIP_IN,  /* SIP peers that call us */
	TLS_FOR_SIP_OUT, /* SIP peers that we call */
	TLS_USE_COUNT
};

enum {
	TLS_ALL_USES = (1u << TLS_USE_COUNT) - 1,
	TLS_SIP_USES = (1u << TLS_FOR_SIP_IN) | (1u << TLS_FOR_SIP_OUT)
};

struct tls_contexts;

/* The objects must outlive it. NULL: ERR_NOMEM. */
struct tls_contexts *tls_contexts_new(struct settings *settings,
				      struct trust *trust,
				      struct error *e) MUST_CHECK;
/* Once no context of it is left. NULL is fine. */
void tls_contexts_free(struct tls_contexts *c);

/* Whether nobody gets through without a certificate that passes. */
bool tls_contexts_verifies(struct tls_contexts *c, enum tls_use use);

/* Of the newest state. A store that was not read yet, or is empty, trusts
 * nobody. NULL: errors of tls_server_new(), judge_store_new(). */
struct tls_context *tls_contexts_make(struct tls_contexts *c, enum tls_use use,
				      const struct local_identity *l,
				      struct error *e) MUST_CHECK;
/* Nobody resumes into what was before. */
void tls_contexts_end_tickets(struct tls_contexts *c, enum tls_use use);

/* For which uses a change matters: a bit each (1u << use). */
unsigned tls_contexts_by_settings(uint64_t changed);
unsigned tls_contexts_by_trust(struct tls_contexts *c, enum trust_store_id id);
/* SIP peers are verified, by a store that trusts nobody. */
bool tls_contexts_sip_is_shut(struct tls_contexts *c);

#endif
