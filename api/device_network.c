/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/device_info.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORTS = 2, INTERFACES_MAX = 64, DNS_MAX = 8 };

/* One interface as far as the original's struct asks. */
struct port {
	char name[IF_NAMESIZE];
	unsigned index;
	bool up;
	char mac[18];
	char ipv4[INET_ADDRSTRLEN], mask[INET_ADDRSTRLEN];
	char ipv6[INET6_ADDRSTRLEN];
	int ipv6_prefix;
};

struct ports {
	struct port items[INTERFACES_MAX];
	size_t count;
};

static struct port *port_of(struct ports *all, const struct ifaddrs *a)
{
	struct port *p;

	for (size_t i = 0; i < all->count; i++)
		if (!strcmp(all->items[i].name, a->ifa_name))
			return &all->items[i];
	if (all->count == INTERFACES_MAX || (a->ifa_flags & IFF_LOOPBACK) ||
	    strlen(a->ifa_name) >= IF_NAMESIZE)
		return NULL;
	p = &all->items[all->count++];
	memset(p, 0, sizeof(*p));
	strcpy(p->name, a->ifa_name);
	p->index = if_nametoindex(p->name);
	p->up = a->ifa_flags & IFF_UP;
	return p;
}

static int count_bits(const uint8_t *p, size_t n)
{
	int bits = 0;

	for (size_t i = 0; i < n; i++)
		bits += __builtin_popcount(p[i]);
	return bits;
}

static void take_ipv4(struct port *p, const struct ifaddrs *a)
{
	struct sockaddr_in address, mask = { 0 };

	if (p->ipv4[0])
		return;
	memcpy(&address, a->ifa_addr, sizeof(address));
	if (a->ifa_netmask)
		memcpy(&mask, a->ifa_netmask, sizeof(mask));
	inet_ntop(AF_INET, &address.sin_addr, p->ipv4, sizeof(p->ipv4));
	inet_ntop(AF_INET, &mask.sin_addr, p->mask, sizeof(p->mask));
}

/* A global address rather than a link-local one. */
static void take_ipv6(struct port *p, const struct ifaddrs *a)
{
	struct sockaddr_in6 address, mask = { 0 };

	memcpy(&address, a->ifa_addr, sizeof(address));
	if (p->ipv6[0] && IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr))
		return;
	if (a->ifa_netmask)
		memcpy(&mask, a->ifa_netmask, sizeof(mask));
	inet_ntop(AF_INET6, &address.sin6_addr, p->ipv6, sizeof(p->ipv6));
	p->ipv6_prefix =
	    count_bits(mask.sin6_addr.s6_addr, sizeof(mask.sin6_addr));
}

static void take_mac(struct port *p, const struct ifaddrs *a)
{
	struct sockaddr_ll link;

	memcpy(&link, a->ifa_addr, sizeof(link));
	snprintf(p->mac, sizeof(p->mac), "%02X:%02X:%02X:%02X:%02X:%02X",
		 link.sll_addr[0], link.sll_addr[1], link.sll_addr[2],
		 link.sll_addr[3], link.sll_addr[4], link.sll_addr[5]);
}

static int rank(const struct port *p)
{
	return p->up && (p->ipv4[0] || p->ipv6[0]) ? 0 : p->up ? 1 : 2;
}

/* Those that carry something first, then in the kernel's order. */
static int compare_ports(const void *a, const void *b)
{
	const struct port *x = a, *y = b;

	if (rank(x) != rank(y))
		return rank(x) - rank(y);
	return x->index < y->index ? -1 : x->index > y->index;
}

static void read_ports(struct ports *all)
{
	struct ifaddrs *list = NULL;

	all->count = 0;
	if (getifaddrs(&list) < 0)
		return;
	for (const struct ifaddrs *a = list; a; a = a->ifa_next) {
		struct port *p = a->ifa_addr ? port_of(all, a) : NULL;

		if (!p)
			continue;
		if (a->ifa_addr->sa_family == AF_INET)
			take_ipv4(p, a);
		else if (a->ifa_addr->sa_family == AF_INET6)
			take_ipv6(p, a);
		else if (a->ifa_addr->sa_family == AF_PACKET)
			take_mac(p, a);
	}
	freeifaddrs(list);
	qsort(all->items, all->count, sizeof(all->items[0]), compare_ports);
}

/* The gateway of the default route over that interface, "" without. */
static void read_gateway(const char *name, char out[INET_ADDRSTRLEN])
{
	FILE *f = fopen("/proc/net/route", "re");
	char line[256], interface[IF_NAMESIZE];
	unsigned target, gateway;

	out[0] = '\0';
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%15s %x %x", interface, &target, &gateway) ==
			3 &&
		    !target && gateway && !strcmp(interface, name)) {
			struct in_addr a = { .s_addr = gateway };

			inet_ntop(AF_INET, &a, out, INET_ADDRSTRLEN);
			break;
		}
	if (f)
		fclose(f);
}

/* One line below /sys/class/net, "" when the driver does not say. */
static void read_link(const char *name, const char *what, char *out,
		      size_t size)
{
	char path[128];
	FILE *f;

	out[0] = '\0';
	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, what);
	f = fopen(path, "re");
	if (f) {
		if (!fgets(out, (int)size, f))
			out[0] = '\0';
		fclose(f);
	}
	out[strcspn(out, "\n")] = '\0';
}

static void put_link(struct value *s, const char *name)
{
	char text[32];
	int speed;

	read_link(name, "speed", text, sizeof(text));
	speed = atoi(text);
	if (speed > 0)
		value_put_int(s, "speed", speed);
	read_link(name, "duplex", text, sizeof(text));
	if (text[0])
		value_put_boolean(s, "fullDuplex", !strcmp(text, "full"));
}

static void put_port(struct value *out, const char *member,
		     const struct port *p)
{
	struct value *s = value_put_struct(out, member);
	char gateway[INET_ADDRSTRLEN];

	value_put_boolean(s, "enabled", p && p->up);
	if (!p)
		return;
	read_gateway(p->name, gateway);
	value_put_string(s, "interface", p->name);
	value_put_string(s, "macAddress", p->mac);
	value_put_boolean(s, "ipv4Enabled", p->ipv4[0] != '\0');
	value_put_string(s, "ipv4Address", p->ipv4);
	value_put_string(s, "ipv4SubnetMask", p->mask);
	value_put_string(s, "defaultIpv4Gateway", gateway);
	value_put_boolean(s, "ipv6Enabled", p->ipv6[0] != '\0');
	value_put_string(s, "ipv6Address", p->ipv6);
	value_put_int(s, "ipv6PrefixLength", p->ipv6_prefix);
	put_link(s, p->name);
}

static void put_dns(struct value *out)
{
	struct value *list = value_put_array(out, "dns");
	FILE *f = fopen("/etc/resolv.conf", "re");
	char line[256], address[INET6_ADDRSTRLEN];
	int count = 0;

	while (f && count < DNS_MAX && fgets(line, sizeof(line), f))
		if (sscanf(line, " nameserver %45s", address) == 1) {
			value_add_string(list, address);
			count++;
		}
	if (f)
		fclose(f);
}

void device_put_network(struct value *out)
{
	static const char *const members[PORTS] = { "portA", "portB" };
	struct ports all;

	read_ports(&all);
	for (size_t i = 0; i < PORTS; i++)
		put_port(out, members[i], i < all.count ? &all.items[i] : NULL);
	put_dns(out);
}
