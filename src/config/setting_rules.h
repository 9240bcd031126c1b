/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CONFIG_SETTING_RULES_H
#define SB_CONFIG_SETTING_RULES_H

#include "config/settings.h"

/* What settings demand of each other. Pure. */

/* The services of settings.def: which settings are theirs. */
struct setting_service {
	const char *name;      /* "sips_tcp" */
	const char *transport; /* "tcp", "udp" */
	enum setting_id enabled, port;
	bool available; /* this release has the service */
};

/* NULL past the end. */
const struct setting_service *setting_service(size_t i);

/* Whether these numbers may stand together, as far as the changed settings
 * matter: what was so before is not this change's fault. ERR_PORT_CONFLICT: two
 * enabled services on one port; ERR_CONFLICT: the redirect without both of
 * HTTP and HTTPS; syslog without a server; a trunk or registrar without an
 * address. */
int setting_rules_check(const struct setting_numbers *n, uint64_t changed,
			struct error *e) MUST_CHECK;
/* The same for who wants to say which settings it is about: those that the
 * broken rule looks at, 0 where none is broken. */
uint64_t setting_rules_broken(const struct setting_numbers *n, uint64_t changed,
			      struct error *e) MUST_CHECK;

#endif
