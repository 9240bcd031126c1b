/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_RESOLVER_HOSTS_H
#define SB_SIP_RESOLVER_HOSTS_H

#include "sip/resolver_answer.h"

/* hosts(5): what the administrator of this machine says of addresses comes
 * before what the DNS says. Any thread. */

enum {
	RESOLVER_HOSTS_LINE_MAX = 1024,    /* longer lines do not count */
	RESOLVER_HOSTS_BYTES_MAX = 4 << 20 /* nor what comes behind this */
};

/* Fills both with what the file says of that name; false: nothing, or there is
 * no such file. ttl is 0: the file is the thing that is asked. */
bool resolver_hosts_find(const char *path, const char *name,
			 struct resolver_answer *v4,
			 struct resolver_answer *v6);

#endif
