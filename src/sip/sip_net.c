/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_net.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { NET_BYTES = 8 };

void sip_net_of(const char *address, char out[INET6_ADDRSTRLEN])
{
	struct in6_addr ip;

	if (inet_pton(AF_INET6, address, &ip) == 1) {
		memset(ip.s6_addr + NET_BYTES, 0,
		       sizeof(ip.s6_addr) - NET_BYTES);
		if (inet_ntop(AF_INET6, &ip, out, INET6_ADDRSTRLEN))
			return;
	}
	snprintf(out, INET6_ADDRSTRLEN, "%s", address);
}
