/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_TLS_POLICY_H
#define SB_APP_TLS_POLICY_H

#include "audit/audit.h"
#include "config/settings.h"
#include "front/front.h"
#include "identity/identity.h"
#include "trust/trust.h"

/* What TLS with others is like, from what the administrator decides: the
 * identity in service, the lowest version; for HTTPS the client certificate
 * mode and the HTTPS trust store; for SIP in both directions the verification
 * setting, the SIP trust store, and whether servers that we call are shown our
 * certificate. With each change of one of them new connections get a new
 * context and all session tickets of that kind end; connections that stand keep
 * theirs. One identity is presented everywhere, changed at once: where one of
 * the contexts cannot be made of it, none changes.
 *
 * With a mode that verifies peers, a trust store that was not read yet or is
 * empty lets nobody through. When a context cannot be made after a change, such
 * a mode lets nobody through either; without one the old context stays.
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

/* At start: who gets the contexts of the listeners. */
void tls_policy_set_front(struct tls_policy *p, struct front *f);

/* At start: changed() tells, from any thread, that something of SIP over TLS
 * is different from now on; must not call back. */
void tls_policy_on_sip_change(struct tls_policy *p, void (*changed)(void *arg),
			      void *arg);
/* The context for SIP connections that we open from now on, with a reference;
 * NULL: none can be opened (no identity yet, or the context could not be made).
 * *changes_out: how often anything of SIP over TLS has changed, in either
 * direction. */
struct tls_context *tls_policy_sip_client(struct tls_policy *p,
					  unsigned *changes_out);

/* For front_options.refused; arg is the policy. */
void tls_policy_refused(void *policy, const struct peer *peer, const char *host,
			const struct tls_verdict *why);

/* Now and then: write down how many refusals were only counted, and try again
 * what has failed. */
void tls_policy_housekeeping(struct tls_policy *p);

#endif
