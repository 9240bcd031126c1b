/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip/sip_locate.h"
#include "tests/lib/unit.h"

/* Where requests go, against zones written here: "name TYPE values", one a
 * row. */

struct record {
	const char *name;
	enum sip_query_type type;
	struct sip_naptr naptr;
	struct sip_srv srv;
	const char *address;
};

#define NAPTR(n, order, pref, service, to)                     \
	{                                                      \
		.name = n, .type = SIP_QUERY_NAPTR, .naptr = { \
			order,                                 \
			pref,                                  \
			"s",                                   \
			service,                               \
			to                                     \
		}                                              \
	}
#define SRV(n, priority, weight, port, to)        \
	{                                         \
		.name = n, .type = SIP_QUERY_SRV, \
		.srv = { priority,                \
			 weight,                  \
			 port,                    \
			 to }                     \
	}
#define HOST(n, a)                                                 \
	{                                                          \
		.name = n, .type = SIP_QUERY_ADDRESS, .address = a \
	}

static const struct record zone[] = {
	/* Everything there is, TLS best. */
	NAPTR("full", 20, 10, "SIP+D2U", "_sip._udp.full."),
	NAPTR("full", 10, 20, "SIP+D2T", "_sip._tcp.full"),
	NAPTR("full", 10, 10, "SIPS+D2T", "_sips._tcp.full"),
	NAPTR("full", 1, 1, "E2U+sip", "other"),
	SRV("_sips._tcp.full", 1, 0, 5061, "a.full."),
	SRV("_sip._tcp.full", 1, 0, 5070, "b.full"),
	SRV("_sip._udp.full", 1, 0, 5080, "c.full"),
	HOST("a.full", "192.0.2.1"),
	HOST("a.full", "2001:db8::1"),
	HOST("b.full", "192.0.2.2"),
	HOST("c.full", "192.0.2.3"),
	HOST("full", "192.0.2.99"),
	/* SRV alone, three priorities. */
	SRV("_sip._tcp.srv", 30, 0, 1, "z.srv"),
	SRV("_sip._tcp.srv", 10, 0, 2, "x.srv"),
	SRV("_sip._tcp.srv", 20, 0, 3, "192.0.2.20"),
	HOST("x.srv", "192.0.2.10"),
	HOST("z.srv", "192.0.2.30"),
	/* Addresses alone. */
	HOST("plain", "192.0.2.40"),
	HOST("plain", "not an address"),
	/* "There is no such service" (RFC 2782), and a name that leads on. */
	SRV("_sips._tcp.none", 0, 0, 0, "."),
	HOST("none", "192.0.2.50"),
	NAPTR("lost", 1, 1, "SIPS+D2T", "nowhere"),
	HOST("lost", "192.0.2.60"),
};

/* Answers from the zone. */
static void look_up(struct sip_locator *l, const struct sip_query *q)
{
	struct sip_naptr naptr[SIP_RECORDS_MAX];
	struct sip_srv srv[SIP_RECORDS_MAX];
	char addresses[SIP_RECORDS_MAX][INET6_ADDRSTRLEN];
	struct sip_records r = { naptr, srv,
				 (const char(*)[INET6_ADDRSTRLEN])addresses,
				 0 };

	for (size_t i = 0; i < sizeof(zone) / sizeof(zone[0]); i++) {
		if (zone[i].type != q->type || strcmp(zone[i].name, q->name))
			continue;
		naptr[r.count] = zone[i].naptr;
		srv[r.count] = zone[i].srv;
		snprintf(addresses[r.count], sizeof(addresses[0]), "%s",
			 zone[i].address ? zone[i].address : "");
		r.count++;
	}
	sip_locator_answer(l, &r);
}

static uint32_t no_chance(void *arg)
{
	(void)arg;
	return 0;
}

struct row {
	struct sip_destination d;
	const char *asked;   /* the questions in order */
	const char *targets; /* transport:address:port in order */
};

#define SIP(h, p)                    \
	{                            \
		.host = h, .port = p \
	}
#define SIPS(h, p)                                   \
	{                                            \
		.host = h, .port = p, .secure = true \
	}
#define BY(t, s, h)                                                           \
	{                                                                     \
		.host = h, .secure = s, .has_transport = true, .transport = t \
	}

#define LIKELY(t, s, h)                                \
	{                                              \
		.host = h, .secure = s, .transport = t \
	}

static const struct row rows[] = {
	/* Nothing to ask. */
	{ SIP("192.0.2.9", 0), "", "udp:192.0.2.9:5060" },
	{ SIP("2001:db8::9", 5070), "", "udp:2001:db8::9:5070" },
	{ SIPS("192.0.2.9", 0), "", "tls:192.0.2.9:5061" },
	{ BY(SIP_TCP, false, "192.0.2.9"), "", "tcp:192.0.2.9:5060" },
	{ BY(SIP_TLS, false, "192.0.2.9"), "", "tls:192.0.2.9:5061" },
	{ BY(SIP_TLS, true, "192.0.2.9"), "", "tls:192.0.2.9:5061" },
	/* A port: addresses only. */
	{ SIP("full", 5999), "A full", "udp:192.0.2.99:5999" },
	{ SIPS("full.", 5999), "A full", "tls:192.0.2.99:5999" },
	/* A transport: no NAPTR. */
	{ BY(SIP_TCP, false, "full"), "SRV _sip._tcp.full, A b.full",
	  "tcp:192.0.2.2:5070" },
	{ BY(SIP_TLS, false, "plain"), "SRV _sips._tcp.plain, A plain",
	  "tls:192.0.2.40:5061" },
	/* NAPTR: what the other side likes best comes first. */
	{ SIP("full", 0),
	  "NAPTR full, SRV _sips._tcp.full, SRV _sip._tcp.full, "
	  "SRV _sip._udp.full, A a.full, A b.full, A c.full",
	  "tls:192.0.2.1:5061 tls:2001:db8::1:5061 tcp:192.0.2.2:5070 "
	  "udp:192.0.2.3:5080" },
	{ SIPS("full", 0), "NAPTR full, SRV _sips._tcp.full, A a.full",
	  "tls:192.0.2.1:5061 tls:2001:db8::1:5061" },
	/* No NAPTR: what we like best. */
	{ SIP("srv", 0),
	  "NAPTR srv, SRV _sips._tcp.srv, SRV _sip._tcp.srv, "
	  "SRV _sip._udp.srv, A x.srv, A z.srv",
	  "tcp:192.0.2.10:2 tcp:192.0.2.20:3 tcp:192.0.2.30:1" },
	/* Neither. */
	{ SIP("plain", 0),
	  "NAPTR plain, SRV _sips._tcp.plain, SRV _sip._tcp.plain, "
	  "SRV _sip._udp.plain, A plain",
	  "udp:192.0.2.40:5060" },
	{ SIPS("none", 0), "NAPTR none, SRV _sips._tcp.none, A none",
	  "tls:192.0.2.50:5061" },
	{ SIPS("lost", 0), "NAPTR lost, SRV nowhere, A lost",
	  "tls:192.0.2.60:5061" },
	/* Nothing but addresses: what was guessed, but TLS for sips:. */
	{ LIKELY(SIP_TCP, false, "plain"),
	  "NAPTR plain, SRV _sips._tcp.plain, SRV _sip._tcp.plain, "
	  "SRV _sip._udp.plain, A plain",
	  "tcp:192.0.2.40:5060" },
	{ LIKELY(SIP_TCP, false, "192.0.2.9"), "", "tcp:192.0.2.9:5060" },
	{ LIKELY(SIP_TCP, true, "192.0.2.9"), "", "tls:192.0.2.9:5061" },
	{ LIKELY(SIP_UDP, false, "srv"),
	  "NAPTR srv, SRV _sips._tcp.srv, SRV _sip._tcp.srv, "
	  "SRV _sip._udp.srv, A x.srv, A z.srv",
	  "tcp:192.0.2.10:2 tcp:192.0.2.20:3 tcp:192.0.2.30:1" },
	/* Nobody. */
	{ BY(SIP_UDP, false, "nobody"), "SRV _sip._udp.nobody, A nobody", "" },
};

static void add_text(char *out, size_t size, const char *comma,
		     const char *text)
{
	size_t n = strlen(out);

	snprintf(out + n, size - n, "%s%s", n ? comma : "", text);
}

static void run(const struct sip_destination *d, uint32_t (*chance)(void *),
		void *arg, char *asked, char *targets, size_t size)
{
	static const char *const types[] = { "NAPTR", "SRV", "A" };
	static const char *const transports[] = { "udp", "tcp", "tls" };
	struct error e = ERROR_INIT;
	struct sip_locator *l = sip_locator_new(d, chance, arg, &e);
	const struct sip_target *t;
	struct sip_query q;
	char text[SIP_NAME_MAX + 16];
	size_t n;

	CHECK_OBJECT(l, &e);
	asked[0] = targets[0] = '\0';
	while (sip_locator_next(l, &q)) {
		snprintf(text, sizeof(text), "%s %s", types[q.type], q.name);
		add_text(asked, size, ", ", text);
		look_up(l, &q);
	}
	n = sip_locator_targets(l, &t);
	for (size_t i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%s:%s:%u",
			 transports[t[i].transport], t[i].address,
			 (unsigned)t[i].port);
		add_text(targets, size, " ", text);
	}
	sip_locator_free(l);
}

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char asked[1024], targets[1024];

		run(&rows[i].d, no_chance, NULL, asked, targets, sizeof(asked));
		if (strcmp(asked, rows[i].asked) != 0 ||
		    strcmp(targets, rows[i].targets) != 0)
			unit_note("%s: asked %s; to %s", rows[i].d.host, asked,
				  targets);
		CU_ASSERT_STRING_EQUAL(asked, rows[i].asked);
		CU_ASSERT_STRING_EQUAL(targets, rows[i].targets);
	}
}

static void test_refused(void)
{
	static char longest[SIP_NAME_MAX + 1];
	const struct sip_destination bad[] = {
		SIP("", 0),
		SIP(".", 0),
		SIP(longest, 0),
		BY(SIP_TCP, true, "host"),
		BY(SIP_UDP, true, "192.0.2.1"),
	};

	memset(longest, 'a', SIP_NAME_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error e = ERROR_INIT;

		CU_ASSERT_PTR_NULL(
		    sip_locator_new(&bad[i], no_chance, NULL, &e));
		CU_ASSERT_EQUAL(e.kind, ERR_INPUT);
	}
}

static uint32_t any(void *arg)
{
	return (uint32_t)rand_r(arg) << 8 ^ (uint32_t)rand_r(arg);
}

/* RFC 2782: three in four for the weight of 30 beside one of 10, and all come
 * at some time. */
static void test_weights(void)
{
	static const struct sip_srv srv[] = {
		{ 1, 10, 1, "192.0.2.1" },
		{ 1, 30, 2, "192.0.2.2" },
		{ 1, 0, 3, "192.0.2.3" },
		{ 0, 0, 4, "192.0.2.4" },
	};
	const struct sip_destination d = BY(SIP_TCP, false, "w");
	unsigned second[5] = { 0 }, seed = 2782;

	for (int i = 0; i < 4000; i++) {
		const struct sip_records r = { .srv = srv, .count = 4 };
		struct error e = ERROR_INIT;
		struct sip_locator *l = sip_locator_new(&d, any, &seed, &e);
		const struct sip_target *t;
		struct sip_query q;

		CHECK_OBJECT(l, &e);
		CU_ASSERT_TRUE(sip_locator_next(l, &q));
		sip_locator_answer(l, &r);
		CU_ASSERT_FALSE(sip_locator_next(l, &q));
		CU_ASSERT_EQUAL_FATAL(sip_locator_targets(l, &t), 4);
		CU_ASSERT_EQUAL(t[0].port, 4);
		second[t[1].port]++;
		sip_locator_free(l);
	}
	CU_ASSERT_TRUE(second[2] > 2600 && second[2] < 3300);
	CU_ASSERT_TRUE(second[1] > 700 && second[1] < 1300);
	CU_ASSERT_TRUE(second[3] > 0 && second[3] < 300);
}

/* A zone that leads on and on comes to an end, with no more than the limit. */
static void test_endless(void)
{
	struct sip_srv srv[SIP_RECORDS_MAX + 8];
	struct sip_naptr naptr[SIP_RECORDS_MAX + 8];
	char addresses[SIP_RECORDS_MAX + 8][INET6_ADDRSTRLEN];
	const struct sip_records r = {
		naptr, srv, (const char(*)[INET6_ADDRSTRLEN])addresses,
		SIP_RECORDS_MAX + 8
	};
	const struct sip_destination d = SIP("endless", 0);
	struct error e = ERROR_INIT;
	struct sip_locator *l = sip_locator_new(&d, no_chance, NULL, &e);
	const struct sip_target *t;
	struct sip_query q;
	unsigned asked = 0;

	CHECK_OBJECT(l, &e);
	for (unsigned i = 0; i < SIP_RECORDS_MAX + 8; i++) {
		naptr[i] =
		    (struct sip_naptr){ 1, (uint16_t)i, "S", "sips+d2t", "" };
		srv[i] = (struct sip_srv){ (uint16_t)i, 65535, 5061, "" };
		snprintf(naptr[i].replacement, SIP_NAME_MAX, "n%u", i);
		snprintf(srv[i].target, SIP_NAME_MAX, "h%u", i);
		snprintf(addresses[i], INET6_ADDRSTRLEN, "192.0.2.%u", i);
	}
	while (sip_locator_next(l, &q)) {
		CU_ASSERT_FATAL(++asked <= SIP_QUERIES_MAX);
		sip_locator_answer(l, &r);
	}
	CU_ASSERT_EQUAL(sip_locator_targets(l, &t), SIP_TARGETS_MAX);
	sip_locator_free(l);
}

static const struct unit_test tests[] = {
	{ "where requests go", test_rows },
	{ "refused", test_refused },
	{ "weights", test_weights },
	{ "a zone without end", test_endless },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "sip-locate", tests, NULL, NULL);
}
