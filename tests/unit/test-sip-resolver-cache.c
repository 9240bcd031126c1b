/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "sip/resolver_cache.h"
#include "tests/lib/unit.h"

/* What is remembered, and for how long; the time is whatever we say. */

static struct resolver_answer out;

static struct resolver_cache *cache(size_t limit)
{
	struct error e = ERROR_INIT;
	struct resolver_cache *c = resolver_cache_new(limit, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	return c;
}

static void put(struct resolver_cache *c, enum resolver_type type,
		const char *name, int64_t now, uint32_t ttl, size_t count)
{
	struct resolver_answer a;

	memset(&a, 0, sizeof(a));
	a.type = type;
	a.ttl = ttl;
	a.count = count;
	for (size_t i = 0; i < count; i++) {
		if (type == RESOLVER_SRV)
			a.srv[i].port = (uint16_t)(5000 + i);
		else
			snprintf(a.addresses[i], INET6_ADDRSTRLEN,
				 "192.0.2.%zu", i);
	}
	resolver_cache_put(c, name, now, &a);
}

static bool get(struct resolver_cache *c, const char *name, int64_t now)
{
	return resolver_cache_get(c, RESOLVER_A, name, now, &out);
}

static void keeps_for_a_time(void)
{
	struct resolver_cache *c = cache(10);

	CU_ASSERT_FALSE(get(c, "a", 0));
	put(c, RESOLVER_A, "a", 1000, 60, 3);
	CU_ASSERT_TRUE(get(c, "A", 1000));
	CU_ASSERT_EQUAL(out.type, RESOLVER_A);
	CU_ASSERT_EQUAL(out.count, 3);
	CU_ASSERT_EQUAL(out.ttl, 60);
	CU_ASSERT_STRING_EQUAL(out.addresses[2], "192.0.2.2");
	CU_ASSERT_TRUE(get(c, "a", 60999));
	CU_ASSERT_EQUAL(out.ttl, 0);
	CU_ASSERT_FALSE(get(c, "a", 61000));
	CU_ASSERT_FALSE(get(c, "b", 1000));
	CU_ASSERT_FALSE(get(c, "", 1000));
	CU_ASSERT_FALSE(resolver_cache_get(c, RESOLVER_AAAA, "a", 1000, &out));
	resolver_cache_free(c);
	resolver_cache_free(NULL);
}

static void keeps_all_records(void)
{
	struct resolver_cache *c = cache(10);

	put(c, RESOLVER_SRV, "a", 0, 60, SIP_RECORDS_MAX);
	put(c, RESOLVER_A, "a", 0, 60, SIP_RECORDS_MAX);
	CU_ASSERT_TRUE(resolver_cache_get(c, RESOLVER_SRV, "a", 0, &out));
	CU_ASSERT_EQUAL(out.count, SIP_RECORDS_MAX);
	for (size_t i = 0; i < SIP_RECORDS_MAX; i++)
		CU_ASSERT_EQUAL(out.srv[i].port, 5000 + i);
	CU_ASSERT_TRUE(get(c, "a", 0));
	CU_ASSERT_STRING_EQUAL(out.addresses[31], "192.0.2.31");
	resolver_cache_free(c);
}

static void bounds_the_time(void)
{
	struct resolver_cache *c = cache(10);

	put(c, RESOLVER_A, "long", 0, UINT32_MAX, 1);
	CU_ASSERT_TRUE(get(c, "long", RESOLVER_TTL_MAX * 1000LL - 1));
	CU_ASSERT_FALSE(get(c, "long", RESOLVER_TTL_MAX * 1000LL));
	put(c, RESOLVER_A, "none", 0, UINT32_MAX, 0);
	CU_ASSERT_TRUE(get(c, "none", RESOLVER_NEGATIVE_TTL_MAX * 1000LL - 1));
	CU_ASSERT_EQUAL(out.count, 0);
	CU_ASSERT_FALSE(get(c, "none", RESOLVER_NEGATIVE_TTL_MAX * 1000LL));
	resolver_cache_free(c);
}

static void replaces_and_forgets(void)
{
	struct resolver_cache *c = cache(10);

	put(c, RESOLVER_A, "a", 0, 60, 3);
	put(c, RESOLVER_A, "A", 0, 60, 1);
	CU_ASSERT_EQUAL(resolver_cache_count(c), 1);
	CU_ASSERT_TRUE(get(c, "a", 0));
	CU_ASSERT_EQUAL(out.count, 1);
	put(c, RESOLVER_A, "a", 0, 60, 0);
	CU_ASSERT_TRUE(get(c, "a", 0));
	CU_ASSERT_EQUAL(out.count, 0);
	put(c, RESOLVER_A, "a", 0, 0, 3);
	CU_ASSERT_FALSE(get(c, "a", 0));
	CU_ASSERT_EQUAL(resolver_cache_count(c), 0);
	put(c, RESOLVER_A, "a", 0, 60, 3);
	resolver_cache_clear(c);
	CU_ASSERT_FALSE(get(c, "a", 0));
	CU_ASSERT_EQUAL(resolver_cache_count(c), 0);
	resolver_cache_free(c);
}

static void bounds_the_number(void)
{
	struct resolver_cache *c = cache(3);
	char name[300];

	put(c, RESOLVER_A, "a", 0, 30, 1);
	put(c, RESOLVER_A, "b", 0, 10, 1);
	put(c, RESOLVER_A, "c", 0, 20, 1);
	put(c, RESOLVER_A, "d", 0, 5, 1); /* b has the shortest time left */
	CU_ASSERT_EQUAL(resolver_cache_count(c), 3);
	CU_ASSERT_TRUE(get(c, "a", 0));
	CU_ASSERT_FALSE(get(c, "b", 0));
	CU_ASSERT_TRUE(get(c, "c", 0));
	CU_ASSERT_TRUE(get(c, "d", 0));
	/* Known already: nobody has to go. */
	put(c, RESOLVER_A, "a", 0, 40, 2);
	CU_ASSERT_TRUE(get(c, "d", 0));
	resolver_cache_free(c);

	c = cache(100000);
	for (int i = 0; i < 2 * RESOLVER_CACHE_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		put(c, RESOLVER_A, name, i, 60, i % 3);
		CU_ASSERT_TRUE(get(c, name, i));
	}
	CU_ASSERT_EQUAL(resolver_cache_count(c), RESOLVER_CACHE_MAX);
	CU_ASSERT_FALSE(get(c, "n0", 1000));
	/* A name that is none. */
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	put(c, RESOLVER_A, name, 0, 60, 1);
	CU_ASSERT_FALSE(get(c, name, 0));
	resolver_cache_free(c);
}

static const struct unit_test tests[] = {
	{ "keeps for a time", keeps_for_a_time },
	{ "keeps all records", keeps_all_records },
	{ "bounds the time", bounds_the_time },
	{ "replaces and forgets", replaces_and_forgets },
	{ "bounds the number", bounds_the_number },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "sip-resolver-cache", tests, NULL, NULL);
}
