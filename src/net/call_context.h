/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_NET_CALL_CONTEXT_H
#define SB_NET_CALL_CONTEXT_H

#include "config/settings.h"
#include "identity/identity.h"
#include "tls/tls.h"
#include "trust/trust.h"

/* What TLS is like on connections that we open, from what the administrator
 * decides: our certificate is the identity in service, the server's is checked
 * as verification.serverCertificate says with the HTTPS trust store, and
 * tls.minimumVersion counts. */

/* All outlive what is made from them. */
struct call_policy {
	struct settings *settings;
	struct identity *identity;
	struct trust *trust;
};

struct call_context {
	struct tls_context *tls; /* NULL: none was made */
	bool checked;            /* the server must be one that we trust */
	/* What it was made from. */
	struct local_identity *identity;
	uint64_t generation; /* of the trust store, 0: not read yet */
	int minimum;
};

/* ERR_CONFLICT: no certificate is in service yet; ERR_TLS, ERR_NOMEM,
 * ERR_INTERNAL. *out is to be ended in any case. Any thread. */
int call_context_make(const struct call_policy *p, struct call_context *out,
		      struct error *e) MUST_CHECK;
/* False once it would be made another way; also of one that could not be made:
 * then it is time to try again. */
bool call_context_is_current(const struct call_policy *p,
			     const struct call_context *c);
void call_context_end(struct call_context *c);

#endif
