/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "sip/sip_hop.h"
#include "tests/lib/unit.h"

/* Over the flow of the call, or to somebody else? */

struct hop_row {
	enum sip_transport transport;
	const char *address; /* of the other end of the flow */
	uint16_t port;
	struct sip_hop_name via, dialled;
	const char *host; /* the next hop */
	uint16_t hop_port;
	bool near;
};

#define NOBODY          \
	{               \
		NULL, 0 \
	}

static void check(const struct hop_row *rows, size_t count, const char *what)
{
	for (size_t i = 0; i < count; i++) {
		const struct hop_row *r = &rows[i];
		struct sip_flow flow = { .transport = r->transport,
					 .peer_port = r->port };
		struct sip_neighbour n = { .flow = &flow,
					   .names = { r->via, r->dialled } };
		struct sip_destination next = { .host = r->host,
						.port = r->hop_port };

		snprintf(flow.peer_address, sizeof(flow.peer_address), "%s",
			 r->address);
		for (int turned = 0; turned < 2; turned++) {
			if (sip_hop_is_near(&next, &n) != r->near)
				unit_note("%s: row %zu: %s:%u", what, i,
					  r->host, (unsigned)r->hop_port);
			CU_ASSERT_EQUAL(sip_hop_is_near(&next, &n), r->near);
			/* Which name is which does not matter. */
			n.names[0] = r->dialled;
			n.names[1] = r->via;
		}
	}
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof((rows)[0]), #rows)

static void test_addresses(void)
{
	static const struct hop_row exact[] = {
		{ SIP_UDP, "203.0.113.7", 5070, NOBODY, NOBODY, "203.0.113.7",
		  5070, true },
		{ SIP_UDP, "203.0.113.7", 5070, NOBODY, NOBODY, "203.0.113.7",
		  5071, false },
		{ SIP_UDP, "203.0.113.7", 5070, NOBODY, NOBODY, "203.0.113.8",
		  5070, false },
		{ SIP_UDP, "203.0.113.7", 5070, NOBODY, NOBODY, "203.0.113.7",
		  0, false },
		{ SIP_UDP, "203.0.113.7", 5060, NOBODY, NOBODY, "203.0.113.7",
		  0, true },
		{ SIP_TLS, "203.0.113.7", 5061, NOBODY, NOBODY, "203.0.113.7",
		  0, true },
		{ SIP_TLS, "203.0.113.7", 5060, NOBODY, NOBODY, "203.0.113.7",
		  0, false },
		/* It came from anywhere, and listens where it says. */
		{ SIP_TCP,
		  "203.0.113.7",
		  41234,
		  { "203.0.113.7", 5070 },
		  NOBODY,
		  "203.0.113.7",
		  5070,
		  true },
		{ SIP_TCP,
		  "203.0.113.7",
		  41234,
		  { "203.0.113.7", 0 },
		  NOBODY,
		  "203.0.113.7",
		  5060,
		  true },
		{ SIP_TCP,
		  "203.0.113.7",
		  41234,
		  { "203.0.113.7", 5070 },
		  NOBODY,
		  "203.0.113.7",
		  5080,
		  false },
	};
	static const struct hop_row spelled[] = {
		{ SIP_UDP, "2001:db8::7", 5070, NOBODY, NOBODY,
		  "2001:DB8:0:0::7", 5070, true },
		{ SIP_UDP, "2001:db8::7", 5070, NOBODY, NOBODY, "[2001:db8::7]",
		  5070, true },
		{ SIP_UDP, "2001:db8::7", 5070, NOBODY, NOBODY, "2001:db8::8",
		  5070, false },
		{ SIP_UDP, "::ffff:203.0.113.7", 5070, NOBODY, NOBODY,
		  "203.0.113.7", 5070, true },
		{ SIP_TCP,
		  "2001:db8::7",
		  41234,
		  { "[2001:db8:1::9]", 5070 },
		  NOBODY,
		  "2001:db8:1::9",
		  5070,
		  true },
		{ SIP_UDP, "203.0.113.7", 5070, NOBODY, NOBODY, "2001:db8::7",
		  5070, false },
	};

	CHECK(exact);
	CHECK(spelled);
}

static void test_dialled(void)
{
	static const struct hop_row dialled[] = {
		{ SIP_TLS,
		  "203.0.113.7",
		  5061,
		  NOBODY,
		  { "pbx.example", 0 },
		  "PBX.example",
		  0,
		  true },
		{ SIP_TLS,
		  "203.0.113.7",
		  5061,
		  NOBODY,
		  { "pbx.example", 0 },
		  "pbx.example.",
		  5061,
		  true },
		{ SIP_TLS,
		  "203.0.113.7",
		  5081,
		  NOBODY,
		  { "pbx.example", 0 },
		  "pbx.example",
		  5081,
		  true },
		{ SIP_TLS,
		  "203.0.113.7",
		  5081,
		  NOBODY,
		  { "pbx.example", 5081 },
		  "pbx.example",
		  0,
		  false },
		{ SIP_TLS,
		  "203.0.113.7",
		  5061,
		  NOBODY,
		  { "pbx.example", 0 },
		  "pbx.example",
		  5071,
		  false },
		{ SIP_TLS,
		  "203.0.113.7",
		  5061,
		  NOBODY,
		  { "pbx.example", 0 },
		  "a.pbx.example",
		  0,
		  false },
		{ SIP_TLS,
		  "203.0.113.7",
		  5061,
		  NOBODY,
		  { "pbx.example", 0 },
		  "pbx.example.net",
		  0,
		  false },
	};

	CHECK(dialled);
}

static void test_topmost_via(void)
{
	static const struct hop_row via[] = {
		{ SIP_TCP,
		  "203.0.113.7",
		  41234,
		  { "phone.example", 5070 },
		  NOBODY,
		  "phone.example",
		  5070,
		  true },
		{ SIP_TCP,
		  "203.0.113.7",
		  41234,
		  { "phone.example", 5070 },
		  NOBODY,
		  "203.0.113.7",
		  5070,
		  true },
		{ SIP_TCP,
		  "203.0.113.7",
		  41234,
		  { "phone.example", 5070 },
		  { "pbx.example", 5080 },
		  "other.example",
		  5070,
		  false },
		{ SIP_TCP,
		  "203.0.113.7",
		  41234,
		  { "", 5070 },
		  NOBODY,
		  "203.0.113.7",
		  5070,
		  false },
		{ SIP_TCP,
		  "203.0.113.7",
		  41234,
		  { "[", 5070 },
		  NOBODY,
		  "[",
		  5070,
		  true },
	};

	CHECK(via);
}

static void test_nat(void)
{
	static const struct hop_row nat[] = {
		/* It calls itself so, and so does its Contact. */
		{ SIP_UDP,
		  "203.0.113.7",
		  61234,
		  { "192.168.1.5", 5060 },
		  NOBODY,
		  "192.168.1.5",
		  0,
		  true },
		/* Only from where it is. */
		{ SIP_UDP, "203.0.113.7", 5060, NOBODY, NOBODY, "10.1.2.3",
		  5060, true },
		{ SIP_UDP, "203.0.113.7", 5060, NOBODY, NOBODY, "172.31.0.1",
		  5060, true },
		{ SIP_UDP, "203.0.113.7", 5060, NOBODY, NOBODY, "172.32.0.1",
		  5060, false },
		{ SIP_UDP, "203.0.113.7", 5060, NOBODY, NOBODY, "100.64.0.1",
		  5060, true },
		{ SIP_UDP, "203.0.113.7", 5060, NOBODY, NOBODY, "100.128.0.1",
		  5060, false },
		{ SIP_UDP, "203.0.113.7", 5060, NOBODY, NOBODY, "169.254.3.4",
		  5060, true },
		{ SIP_TCP, "2001:db8::1", 5060, NOBODY, NOBODY, "fd00::5", 5060,
		  true },
		{ SIP_TCP, "fd00::1", 5060, NOBODY, NOBODY, "fe80::5", 5060,
		  true },
		/* From here, too. */
		{ SIP_UDP, "192.168.1.7", 5060, NOBODY, NOBODY, "192.168.1.5",
		  5060, false },
		{ SIP_UDP, "10.0.0.1", 5060, NOBODY, NOBODY, "192.168.1.5",
		  5060, false },
		{ SIP_UDP, "192.168.1.7", 5060, NOBODY, NOBODY, "203.0.113.5",
		  5060, false },
		{ SIP_UDP, "127.0.0.1", 5060, NOBODY, NOBODY, "127.0.0.2", 5060,
		  false },
		/* That would be us. */
		{ SIP_UDP, "192.168.1.7", 5060, NOBODY, NOBODY, "127.0.0.1",
		  6379, true },
		{ SIP_UDP, "203.0.113.7", 5060, NOBODY, NOBODY, "::1", 6379,
		  true },
		{ SIP_UDP, "203.0.113.7", 5060, NOBODY, NOBODY,
		  "::ffff:127.0.0.1", 6379, true },
		/* Nobody, and everybody. */
		{ SIP_UDP, "203.0.113.7", 5060, NOBODY, NOBODY, "0.0.0.0", 5060,
		  true },
		{ SIP_UDP, "127.0.0.1", 5060, NOBODY, NOBODY, "0.1.2.3", 5060,
		  true },
		{ SIP_UDP, "203.0.113.7", 5060, NOBODY, NOBODY, "::", 5060,
		  true },
		{ SIP_UDP, "203.0.113.7", 5060, NOBODY, NOBODY, "224.0.1.75",
		  5060, true },
		{ SIP_UDP, "203.0.113.7", 5060, NOBODY, NOBODY,
		  "255.255.255.255", 5060, true },
		{ SIP_UDP, "203.0.113.7", 5060, NOBODY, NOBODY, "ff02::1", 5060,
		  true },
		{ SIP_UDP, "203.0.113.7", 5060, NOBODY, NOBODY, "", 5060,
		  true },
		{ SIP_UDP, "203.0.113.7", 5060, NOBODY, NOBODY, ".", 5060,
		  false },
	};
	char longest[SIP_NAME_MAX + 8];
	struct sip_flow flow = { .peer_address = "203.0.113.7" };
	struct sip_neighbour n = { .flow = &flow };
	struct sip_destination next = { .host = longest };

	CHECK(nat);
	/* No name that the DNS could be asked for. */
	memset(longest, 'a', sizeof(longest));
	longest[SIP_NAME_MAX] = '\0';
	CU_ASSERT_TRUE(sip_hop_is_near(&next, &n));
	longest[SIP_NAME_MAX - 1] = '\0';
	CU_ASSERT_FALSE(sip_hop_is_near(&next, &n));
	next.host = NULL;
	CU_ASSERT_TRUE(sip_hop_is_near(&next, &n));
}

int main(int argc, char **argv)
{
	const struct unit_test tests[] = {
		{ "addresses and ports", test_addresses },
		{ "what was dialled", test_dialled },
		{ "topmost Via", test_topmost_via },
		{ "behind a NAT, and nowhere", test_nat },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "sip-hop", tests, NULL, NULL);
}
