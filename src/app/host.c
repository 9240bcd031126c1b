/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/host.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void add_address(struct host *h, const char *text)
{
	for (size_t i = 0; i < h->address_count; i++)
		if (!strcmp(h->addresses[i], text))
			return;
	if (h->address_count == HOST_ADDRESSES_MAX)
		return;
	snprintf(h->addresses[h->address_count], INET6_ADDRSTRLEN, "%s", text);
	h->address_list[h->address_count] = h->addresses[h->address_count];
	h->address_count++;
}

static void add_sockaddr(struct host *h, const struct sockaddr *sa)
{
	char text[INET6_ADDRSTRLEN];
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		if (inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text)))
			add_address(h, text);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		if (!IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) &&
		    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text)))
			add_address(h, text);
	}
}

static void add_interfaces(struct host *h, int family)
{
	struct ifaddrs *all, *at;

	if (getifaddrs(&all) < 0)
		return;
	for (at = all; at; at = at->ifa_next)
		if (at->ifa_addr && at->ifa_addr->sa_family == family &&
		    (at->ifa_flags & IFF_UP))
			add_sockaddr(h, at->ifa_addr);
	freeifaddrs(all);
}

void host_describe(const struct config *c, struct host *out)
{
	memset(out, 0, sizeof(*out));
	if (c->host_name && c->host_name[0])
		snprintf(out->name, sizeof(out->name), "%s", c->host_name);
	else if (gethostname(out->name, sizeof(out->name) - 1) < 0 ||
		 !out->name[0])
		snprintf(out->name, sizeof(out->name), "localhost");
	for (size_t i = 0; i < c->address_count; i++) {
		if (!strcmp(c->addresses[i], "0.0.0.0"))
			add_interfaces(out, AF_INET);
		else if (!strcmp(c->addresses[i], "::"))
			add_interfaces(out, AF_INET6);
		else
			add_address(out, c->addresses[i]);
	}
}
