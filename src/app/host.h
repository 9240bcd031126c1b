/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_HOST_H
#define SB_APP_HOST_H

#include <netinet/in.h>
#include <stddef.h>

#include "config/config.h"

/* What this machine calls itself, for the device's own certificate. */

enum { HOST_ADDRESSES_MAX = 16, HOST_NAME_SIZE = 254 };

struct host {
	char name[HOST_NAME_SIZE];
	char addresses[HOST_ADDRESSES_MAX][INET6_ADDRSTRLEN];
	const char *address_list[HOST_ADDRESSES_MAX]; /* into addresses */
	size_t address_count;
};

/* The configured host name, else the system's. Addresses: the configured
 * listening ones; a wildcard stands for those of all interfaces that are up,
 * link-local ones left out. What does not fit is left out too. */
void host_describe(const struct config *c, struct host *out);

#endif
