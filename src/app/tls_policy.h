/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_TLS_POLICY_H
#define SB_APP_TLS_POLICY_H

#include "audit/audit.h"
#include "auth/certificate_mode.h"
#include "front/front.h"
#include "identity/identity.h"
#include "trust/trust.h"

/* What TLS from outside is like, from what the administrator decides: the
 * identity in service, the client certificate mode, the HTTPS trust store and
 * the lowest version. With each change of one of them new connections get a new
 * context and all session tickets end; connections that stand keep theirs.
 *
 * With a mode that verifies clients, a trust store that was not read yet or is
 * empty lets nobody in over HTTPS. When a context cannot be made after a
 * change, such a mode lets nobody in either; without one the old context stays.
 *
 * Any thread, except where it says start. */
struct tls_policy;

/* The objects must outlive it. At start. Becomes the presenter of the identity
 * and a listener of settings and trust stores. */
struct tls_policy *tls_policy_new(struct settings *settings,
				  struct identity *identity,
				  struct trust *trust, struct audit *audit,
				  struct error *e) MUST_CHECK;
/* When nobody calls it or its front any more. NULL is fine. */
void tls_policy_free(struct tls_policy *p);

/* At start: who gets the contexts. */
void tls_policy_set_front(struct tls_policy *p, struct front *f);

/* For front_options.refused; arg is the policy. At most REFUSALS_PER_MINUTE
 * records; the rest is counted. */
void tls_policy_refused(void *policy, const struct peer *peer,
			const struct tls_verdict *why);

/* Now and then: write down how many refusals were only counted, and try again
 * what has failed. */
void tls_policy_housekeeping(struct tls_policy *p);

#endif
