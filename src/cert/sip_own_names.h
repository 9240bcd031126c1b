/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CERT_SIP_OWN_NAMES_H
#define SB_CERT_SIP_OWN_NAMES_H

#include "cert/cert.h"

/* Whether SIP peers that verify whom they call would take our certificate for
 * us: by the domain that we are known by, else by our host name or one of our
 * addresses. By the rules of cert/sip_identity.h. Pure; any thread. */

struct sip_own_names {
	const char *domain;           /* NULL, "": none */
	const char *host_name;        /* NULL, "": none */
	const char *const *addresses; /* numeric */
	size_t address_count;
};

enum { SIP_OWN_NAMES_TEXT = 512 };

/* False when it would not: text says what is missing. */
bool sip_own_names_fit(const struct cert *leaf, const struct sip_own_names *n,
		       char text[SIP_OWN_NAMES_TEXT]);

#endif
