/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_hop.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

/* From where an address can be reached: the wider, the larger. */
enum scope { SCOPE_NOBODY, SCOPE_HOST, SCOPE_LINK, SCOPE_SITE, SCOPE_WORLD };

struct range {
	uint8_t prefix[16];
	unsigned bits;
	enum scope scope;
};

static const struct range ranges4[] = {
	{ { 0 }, 8, SCOPE_NOBODY },       { { 127 }, 8, SCOPE_HOST },
	{ { 169, 254 }, 16, SCOPE_LINK }, { { 10 }, 8, SCOPE_SITE },
	{ { 172, 16 }, 12, SCOPE_SITE },  { { 192, 168 }, 16, SCOPE_SITE },
	{ { 100, 64 }, 10, SCOPE_SITE }, /* RFC 6598 */
	{ { 224 }, 3, SCOPE_NOBODY },    /* many, or reserved */
};

static const struct range ranges6[] = {
	{ { 0 }, 128, SCOPE_NOBODY },       { { [15] = 1 }, 128, SCOPE_HOST },
	{ { 0xfe, 0x80 }, 10, SCOPE_LINK }, { { 0xfc }, 7, SCOPE_SITE },
	{ { 0xff }, 8, SCOPE_NOBODY },
};

struct address {
	int family; /* 0: it is a name */
	uint8_t bytes[16];
};

/* ::ffff:192.0.2.1 is 192.0.2.1. */
static void unmap(struct address *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (memcmp(a->bytes, mapped, sizeof(mapped)) != 0)
		return;
	a->family = AF_INET;
	memmove(a->bytes, a->bytes + 12, 4);
	memset(a->bytes + 4, 0, 12);
}

/* Without [] and the dot at the end, which are no part of a name. */
static bool bare(const char *text, char out[SIP_NAME_MAX])
{
	size_t n = text ? strnlen(text, SIP_NAME_MAX) : 0;

	if (n > 1 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	} else if (n > 1 && text[n - 1] == '.') {
		n--;
	}
	if (n == 0 || n >= SIP_NAME_MAX)
		return false;
	memcpy(out, text, n);
	out[n] = '\0';
	return true;
}

static struct address address_of(const char *text)
{
	struct address a = { 0 };

	if (inet_pton(AF_INET, text, a.bytes) == 1)
		a.family = AF_INET;
	else if (inet_pton(AF_INET6, text, a.bytes) == 1)
		a.family = AF_INET6;
	if (a.family == AF_INET6)
		unmap(&a);
	return a;
}

static bool in_range(const uint8_t *bytes, const struct range *r)
{
	unsigned whole = r->bits / 8, rest = r->bits % 8;
	uint8_t mask = (uint8_t)(0xff << (8 - rest));

	return memcmp(bytes, r->prefix, whole) == 0 &&
	       (rest == 0 || ((bytes[whole] ^ r->prefix[whole]) & mask) == 0);
}

static enum scope scope_of(const struct address *a)
{
	bool v4 = a->family == AF_INET;
	const struct range *rows = v4 ? ranges4 : ranges6;
	size_t count = v4 ? sizeof(ranges4) / sizeof(ranges4[0])
			  : sizeof(ranges6) / sizeof(ranges6[0]);

	for (size_t i = 0; i < count; i++)
		if (in_range(a->bytes, &rows[i]))
			return rows[i].scope;
	return SCOPE_WORLD;
}

static bool same_host(const char *a, const char *b)
{
	char left[SIP_NAME_MAX], right[SIP_NAME_MAX];
	struct address x, y;

	if (!bare(a, left) || !bare(b, right))
		return false;
	x = address_of(left);
	y = address_of(right);
	if (x.family || y.family)
		return x.family == y.family &&
		       memcmp(x.bytes, y.bytes, sizeof(x.bytes)) == 0;
	return strcasecmp(left, right) == 0;
}

/* A port that was not said is the usual one (RFC 3261 19.1.2). */
static uint16_t port_of(const struct sip_neighbour *n, uint16_t said)
{
	if (said)
		return said;
	return n->flow->transport == SIP_TLS ? 5061 : 5060;
}

static bool is_its_host(const struct sip_destination *next,
			const struct sip_neighbour *n)
{
	if (same_host(next->host, n->flow->peer_address))
		return true;
	for (size_t i = 0; i < SIP_HOP_NAMES; i++)
		if (same_host(next->host, n->names[i].host))
			return true;
	return false;
}

static bool is_its_port(const struct sip_destination *next,
			const struct sip_neighbour *n)
{
	uint16_t port = port_of(n, next->port);

	if (port == n->flow->peer_port)
		return true;
	for (size_t i = 0; i < SIP_HOP_NAMES; i++)
		if (n->names[i].host && *n->names[i].host &&
		    port == port_of(n, n->names[i].port))
			return true;
	return false;
}

bool sip_hop_is_common(const char *host, const char *named_by)
{
	struct address there, peer = address_of(named_by);
	char plain[SIP_NAME_MAX];
	enum scope scope;

	if (!bare(host, plain))
		return false;
	there = address_of(plain);
	if (!there.family)
		return true;
	scope = scope_of(&there);
	return scope != SCOPE_NOBODY &&
	       (!peer.family || scope >= scope_of(&peer));
}

bool sip_hop_is_near(const struct sip_destination *next,
		     const struct sip_neighbour *n)
{
	return !sip_hop_is_common(next->host, n->flow->peer_address) ||
	       (is_its_host(next, n) && is_its_port(next, n));
}
