/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "front/address.h"

#include <arpa/inet.h>
#include <string.h>

int address_parse(const char *text, uint16_t port, struct sockaddr_storage *out,
		  struct error *e)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(port) };

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		memcpy(out, &in, sizeof(in));
	else if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
		memcpy(out, &in6, sizeof(in6));
	else
		return error_set(e, ERR_INPUT, "not a numeric address: %s",
				 text);
	return 0;
}

socklen_t address_length(const struct sockaddr_storage *sa)
{
	return sa->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					 : sizeof(struct sockaddr_in);
}

uint16_t address_port(const struct sockaddr_storage *sa)
{
	struct sockaddr_in in; /* the port is in the same place in IPv6's */

	memcpy(&in, sa, sizeof(in));
	return ntohs(in.sin_port);
}

void address_set_port(struct sockaddr_storage *sa, uint16_t port)
{
	struct sockaddr_in in;

	memcpy(&in, sa, sizeof(in));
	in.sin_port = htons(port);
	memcpy(sa, &in, sizeof(in));
}

/* The bytes of the address, and how many. */
static const void *host_bytes(const struct sockaddr_storage *sa, size_t *len)
{
	const char *p = (const char *)sa;

	if (sa->ss_family == AF_INET6) {
		*len = sizeof(struct in6_addr);
		return p + offsetof(struct sockaddr_in6, sin6_addr);
	}
	*len = sizeof(struct in_addr);
	return p + offsetof(struct sockaddr_in, sin_addr);
}

bool address_text(const struct sockaddr_storage *sa, char out[INET6_ADDRSTRLEN],
		  uint16_t *port_out)
{
	size_t len;

	*port_out = address_port(sa);
	return inet_ntop(sa->ss_family, host_bytes(sa, &len), out,
			 INET6_ADDRSTRLEN) != NULL;
}

bool address_local(int fd, char out[INET6_ADDRSTRLEN], uint16_t *port_out)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	return getsockname(fd, (struct sockaddr *)&sa, &len) == 0 &&
	       address_text(&sa, out, port_out);
}

bool address_is_wildcard(const struct sockaddr_storage *sa)
{
	static const uint8_t zeros[sizeof(struct in6_addr)];
	size_t len;
	const void *p = host_bytes(sa, &len);

	return memcmp(p, zeros, len) == 0;
}

bool address_same_host(const struct sockaddr_storage *a,
		       const struct sockaddr_storage *b)
{
	size_t len, other;
	const void *p = host_bytes(a, &len), *q = host_bytes(b, &other);

	return a->ss_family == b->ss_family && memcmp(p, q, len) == 0;
}
