/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "media/latch.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

/* --- addresses ------------------------------------------------------------ */

/* "fe80::1%eth0": a link-local address means nothing without its link. */
static bool parse_v6(const char *text, struct sockaddr_in6 *out)
{
	char plain[INET6_ADDRSTRLEN];
	const char *scope = strchr(text, '%');
	size_t n = scope ? (size_t)(scope - text) : strlen(text);

	if (n >= sizeof(plain))
		return false;
	memcpy(plain, text, n);
	plain[n] = '\0';
	if (inet_pton(AF_INET6, plain, &out->sin6_addr) != 1)
		return false;
	if (scope)
		out->sin6_scope_id = if_nametoindex(scope + 1);
	out->sin6_family = AF_INET6;
	return !scope || out->sin6_scope_id;
}

int media_address_parse(const char *text, uint16_t port,
			struct media_address *out, struct error *e)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &out->u.v4.sin_addr) == 1) {
		out->u.v4.sin_family = AF_INET;
	} else if (!parse_v6(text, &out->u.v6)) {
		memset(out, 0, sizeof(*out));
		return error_set(e, ERR_INPUT, "no IP address in figures");
	} else if (IN6_IS_ADDR_V4MAPPED(&out->u.v6.sin6_addr)) {
		memset(out, 0, sizeof(*out));
		return error_set(e, ERR_INPUT, "an IPv4 address in IPv6");
	}
	media_address_set_port(out, port);
	return 0;
}

bool media_address_is_set(const struct media_address *a)
{
	return a->u.any.sa_family == AF_INET || a->u.any.sa_family == AF_INET6;
}

bool media_address_is_any(const struct media_address *a)
{
	if (a->u.any.sa_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&a->u.v6.sin6_addr);
	return a->u.any.sa_family == AF_INET &&
	       a->u.v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

bool media_address_is_many(const struct media_address *a)
{
	if (a->u.any.sa_family == AF_INET6)
		return IN6_IS_ADDR_MULTICAST(&a->u.v6.sin6_addr);
	return a->u.any.sa_family == AF_INET &&
	       (IN_MULTICAST(ntohl(a->u.v4.sin_addr.s_addr)) ||
		a->u.v4.sin_addr.s_addr == htonl(INADDR_BROADCAST));
}

bool media_address_same_host(const struct media_address *a,
			     const struct media_address *b)
{
	if (a->u.any.sa_family != b->u.any.sa_family)
		return false;
	if (a->u.any.sa_family == AF_INET6)
		return IN6_ARE_ADDR_EQUAL(&a->u.v6.sin6_addr,
					  &b->u.v6.sin6_addr);
	return a->u.any.sa_family == AF_INET &&
	       a->u.v4.sin_addr.s_addr == b->u.v4.sin_addr.s_addr;
}

bool media_address_equal(const struct media_address *a,
			 const struct media_address *b)
{
	return media_address_same_host(a, b) &&
	       media_address_port(a) == media_address_port(b);
}

uint16_t media_address_port(const struct media_address *a)
{
	return ntohs(a->u.any.sa_family == AF_INET6 ? a->u.v6.sin6_port
						    : a->u.v4.sin_port);
}

void media_address_set_port(struct media_address *a, uint16_t port)
{
	if (a->u.any.sa_family == AF_INET6)
		a->u.v6.sin6_port = htons(port);
	else
		a->u.v4.sin_port = htons(port);
}

socklen_t media_address_size(const struct media_address *a)
{
	return a->u.any.sa_family == AF_INET6 ? sizeof(a->u.v6)
					      : sizeof(a->u.v4);
}

/* --- the latch ------------------------------------------------------------ */

void latch_announce(struct latch *l, const struct media_address *a)
{
	bool set = media_address_is_set(a);

	if (set == media_address_is_set(&l->announced) &&
	    (!set || media_address_equal(a, &l->announced)))
		return;
	l->announced = *a;
	l->latched = false;
}

enum latch_source latch_look(const struct latch *l,
			     const struct media_address *from, int64_t now_ms)
{
	if (!l->latched)
		return media_address_equal(from, &l->announced) ? LATCH_HOME
								: LATCH_OTHER;
	if (media_address_equal(from, &l->source))
		return LATCH_HOME;
	/* Who was named by the other side itself is not kept out by somebody
	 * who was faster. */
	if (media_address_equal(from, &l->announced))
		return LATCH_OTHER;
	return now_ms - l->heard_ms >= LATCH_SILENCE_MS ? LATCH_OTHER
							: LATCH_STRANGER;
}

void latch_take(struct latch *l, const struct media_address *from,
		int64_t now_ms)
{
	l->source = *from;
	l->latched = true;
	l->heard_ms = now_ms;
}

const struct media_address *latch_target(const struct latch *l)
{
	if (l->latched)
		return &l->source;
	return media_address_is_set(&l->announced) ? &l->announced : NULL;
}
