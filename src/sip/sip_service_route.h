/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_SERVICE_ROUTE_H
#define SB_SIP_SIP_SERVICE_ROUTE_H

#include <stdbool.h>

#include "base/error.h"

/* Which proxies a registrar wants calls to pass (RFC 3608): read from its
 * answer, and put into requests as their first route. They go to the outbound
 * address all the same, as to any outbound proxy. Pure; any thread. */

struct osip_message;

enum {
	SIP_SERVICE_ROUTES_MAX = 4,
	SIP_SERVICE_ROUTE_SIZE = 1024 /* all of them, the NUL included */
};

/* The routes of a 2xx to REGISTER, each with its line end, in their order; ""
 * without any. False: there are some, and not all of them are of use (sip: or
 * sips: with lr, not too many, not too long); then none is. */
bool sip_service_route_read(const struct osip_message *m,
			    char out[SIP_SERVICE_ROUTE_SIZE]) MUST_CHECK;
/* Into a request, before any other route is there. NULL and "": none.
 * ERR_INPUT, ERR_NOMEM. */
int sip_service_route_add(struct osip_message *request, const char *routes,
			  struct error *e) MUST_CHECK;

#endif
