/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "tests/lib/unit.h"
#include "tests/unit/judge_fixture.h"

enum { MUTATIONS = 2000, JUDGES = 4, ROUNDS = 100 };

/* A generator of our own, so that a failure comes again. */
static uint32_t state = 1;

static uint32_t draw(uint32_t below)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % below;
}

/* What the judge says about sent; the text is kept for words. */
static enum judge_reason ask(const struct judge_store *store,
			     const struct cert_list *sent, char *text_out)
{
	struct error e = ERROR_INIT;
	struct judge_question q = {
		.store = store, .sent = sent, .role = JUDGE_CLIENT, .now = NOW
	};
	enum judge_reason r;
	struct judgement j;

	CHECK_OK(judge(&q, &j, &e), &e);
	CU_ASSERT_EQUAL(j.accepted, j.reason == JUDGE_ACCEPTED);
	if (text_out)
		snprintf(text_out, JUDGE_TEXT_SIZE, "%s", j.text);
	r = j.reason;
	judgement_free(&j);
	return r;
}

/* One random change of n bytes in place, which have room for 8 more. */
static size_t mutate(uint8_t *p, size_t n)
{
	size_t at = draw((uint32_t)n), to = draw((uint32_t)n), k;

	switch (draw(7)) {
	case 0: p[at] ^= (uint8_t)(1u << draw(8)); break;
	case 1: p[at] = (uint8_t)draw(256); break;
	case 2: p[at] = 0xff; break;
	case 3: /* shorter */
		memmove(p + at, p + at + 1, n - at - 1);
		return n - 1;
	case 4: /* longer */ memmove(p + at + 1, p + at, n - at); return n + 1;
	case 5: /* cut */ return at;
	default: /* some bytes over others */
		k = draw(16);
		if (at + k > n || to + k > n)
			k = 0;
		memmove(p + at, p + to, k);
	}
	return n;
}

/* Put changed forms of the i-th certificate sent into its place. */
static void check_mutations(const char *letters, size_t i)
{
	struct error e = ERROR_INIT;
	struct world w = { 0 };
	struct judge_store *store = world_store(&w, "R");
	unsigned readable = 0, accepted = 0;
	struct cert_list sent;
	struct cert *original;

	world_list(&w, letters, &sent);
	original = sent.items[i];
	for (int round = 0; round < MUTATIONS; round++) {
		struct view der = cert_der(original);
		uint8_t *p = malloc(der.len + 8);
		struct cert *c;
		size_t n;

		memcpy(p, der.ptr, der.len);
		n = mutate(p, der.len);
		if (draw(4) == 0 && n)
			n = mutate(p, n);
		c = cert_from_der(view_of(p, n), &e);
		free(p);
		if (!c)
			continue;
		readable++;
		sent.items[i] = c;
		if (ask(store, &sent, NULL) == JUDGE_ACCEPTED) {
			accepted++;
			CU_ASSERT(cert_equal(c, original));
		}
		cert_unref(c);
	}
	sent.items[i] = original;
	printf("# %d mutations of %c: %u readable, %u identical\n", MUTATIONS,
	       letters[i], readable, accepted);
	CU_ASSERT(readable > 100);
	CU_ASSERT_EQUAL(ask(store, &sent, NULL), JUDGE_ACCEPTED);
	cert_list_free(&sent);
	judge_store_unref(store);
	world_end(&w);
}

static void test_mutations(void)
{
	check_mutations("LI", 0);
	check_mutations("LI", 1);
}

/* The same certificate written otherwise, around its signed part. */
static void test_encodings(void)
{
	struct error e = ERROR_INIT;
	struct world w = { 0 };
	struct judge_store *store = world_store(&w, "I");
	struct cert *leaf = world_cert(&w, 'L'), *c;
	struct view der = cert_der(leaf);
	struct cert_list sent = { 0 };
	uint8_t long_form[4096];
	char text[JUDGE_TEXT_SIZE];

	CU_ASSERT_EQUAL_FATAL(der.ptr[0], 0x30);
	CU_ASSERT_EQUAL_FATAL(der.ptr[1], 0x82);
	memcpy(long_form, "\x30\x83\0", 3);
	memcpy(long_form + 3, der.ptr + 2, der.len - 2);
	c = cert_from_der(view_of(long_form, der.len + 1), &e);
	CHECK_OBJECT(c, &e);
	CHECK_OK(cert_list_add(&sent, c, &e), &e);
	CU_ASSERT_EQUAL(ask(store, &sent, text), JUDGE_MALFORMED);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "not in DER"));
	cert_unref(c);
	cert_list_free(&sent);

	/* The last byte of the signature. */
	memcpy(long_form, der.ptr, der.len);
	long_form[der.len - 1] ^= 1;
	c = cert_from_der(view_of(long_form, der.len), &e);
	CHECK_OBJECT(c, &e);
	CHECK_OK(cert_list_add(&sent, c, &e), &e);
	CU_ASSERT_EQUAL(ask(store, &sent, text), JUDGE_BAD_SIGNATURE);
	cert_unref(c);
	cert_list_free(&sent);
	judge_store_unref(store);
	world_end(&w);
}

/* An authority by number: "CN=a7", issued by another one. */
static struct cert *make_numbered(unsigned n, unsigned by, bool ca)
{
	char subject[32], issuer[32];
	struct test_cert_options o = {
		.subject = subject,
		.issuer = issuer,
		.key = test_key("ecP256", n % 40),
		.issuer_key = test_key("ecP256", by % 40),
		.not_before = NOW - YEAR,
		.not_after = NOW + YEAR,
		.ca = ca,
		.authority = test_key("ecP256", by % 40),
	};

	snprintf(subject, sizeof(subject), "/CN=a%u", n);
	snprintf(issuer, sizeof(issuer), "/CN=a%u", by);
	return cert_take_pem(test_cert_pem(&o));
}

static void add(struct cert_list *l, struct cert *c)
{
	struct error e = ERROR_INIT;

	CHECK_OK(cert_list_add(l, c, &e), &e);
	cert_unref(c);
}

static struct judge_store *store_of(struct cert_list *anchors)
{
	struct error e = ERROR_INIT;
	struct judge_store *s = judge_store_new(anchors, &e);

	CHECK_OBJECT(s, &e);
	cert_list_free(anchors);
	return s;
}

/* A chain as long as is allowed, and one more. */
static void test_long_chains(void)
{
	struct cert_list anchors = { 0 }, sent = { 0 };
	struct judge_store *store;
	char text[JUDGE_TEXT_SIZE];

	add(&anchors, make_numbered(0, 0, true));
	store = store_of(&anchors);
	add(&sent, make_numbered(JUDGE_SENT_MAX, JUDGE_SENT_MAX - 1, false));
	for (unsigned n = 1; n < JUDGE_SENT_MAX; n++)
		add(&sent, make_numbered(n, n - 1, true));
	CU_ASSERT_EQUAL(sent.count, JUDGE_SENT_MAX);
	CU_ASSERT_EQUAL(ask(store, &sent, NULL), JUDGE_ACCEPTED);
	add(&sent, make_numbered(99, 99, true));
	CU_ASSERT_EQUAL(ask(store, &sent, text), JUDGE_TOO_MANY);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "17 certificates were sent"));
	cert_list_free(&sent);
	judge_store_unref(store);
}

/* Every authority signed by every other one: more paths than anybody can walk,
 * none of which ends. */
static void test_cliques(void)
{
	struct cert_list anchors = { 0 }, sent = { 0 };
	struct judge_store *store;
	int64_t start;

	add(&anchors, make_numbered(30, 30, true));
	store = store_of(&anchors);
	add(&sent, make_numbered(9, 1, false));
	for (unsigned n = 1; n <= 4; n++)
		for (unsigned by = 1; by <= 4; by++)
			if (n != by)
				add(&sent, make_numbered(n, by, true));
	start = clock_monotonic_ms();
	CU_ASSERT_NOT_EQUAL(ask(store, &sent, NULL), JUDGE_ACCEPTED);
	printf("# four authorities signed crosswise: %lld ms\n",
	       (long long)(clock_monotonic_ms() - start));
	/* With a way out at the end of the list it is found. */
	add(&sent, make_numbered(4, 30, true));
	CU_ASSERT_EQUAL(ask(store, &sent, NULL), JUDGE_ACCEPTED);
	cert_list_free(&sent);
	judge_store_unref(store);
}

/* An authority of a name that all share, with a key of its own. */
static struct cert *make_namesake(unsigned n, unsigned by)
{
	struct test_cert_options o = {
		.subject = "/CN=all",
		.key = test_key("ecP256", n),
		.issuer = "/CN=all",
		.issuer_key = test_key("ecP256", by),
		.not_before = NOW - YEAR,
		.not_after = NOW + YEAR,
		.ca = true,
		.authority = test_key("ecP256", by),
	};

	return cert_take_pem(test_cert_pem(&o));
}

/* Authorities of one name: told apart by their keys, within limits. */
static void test_namesakes(void)
{
	struct test_cert_options leaf = {
		.subject = "/CN=alice",
		.key = test_key("ecP256", 39),
		.issuer = "/CN=all",
		.not_before = NOW - YEAR,
		.not_after = NOW + YEAR,
	};
	struct cert_list anchors = { 0 }, sent = { 0 };
	struct judge_store *store;
	int64_t start;

	for (unsigned n = 0; n < 38; n++)
		add(&anchors, make_namesake(n, n));
	store = store_of(&anchors);
	leaf.issuer_key = test_key("ecP256", 37);
	add(&sent, cert_take_pem(test_cert_pem(&leaf)));
	CU_ASSERT_EQUAL(ask(store, &sent, NULL), JUDGE_ACCEPTED);
	cert_list_free(&sent);
	judge_store_unref(store);

	/* Fifteen namesakes that signed one another, and no anchor. */
	add(&anchors, make_numbered(30, 30, true));
	store = store_of(&anchors);
	leaf.issuer_key = test_key("ecP256", 1);
	add(&sent, cert_take_pem(test_cert_pem(&leaf)));
	for (unsigned n = 1; n < JUDGE_SENT_MAX; n++)
		add(&sent, make_namesake(n, n % 15 + 1));
	start = clock_monotonic_ms();
	CU_ASSERT_NOT_EQUAL(ask(store, &sent, NULL), JUDGE_ACCEPTED);
	printf("# fifteen namesakes in a ring: %lld ms\n",
	       (long long)(clock_monotonic_ms() - start));
	cert_list_free(&sent);
	judge_store_unref(store);
}

/* Every path ends, and in an anchor, but there are too many that do not pass.
 */
static void test_too_many_paths(void)
{
	struct test_cert_options o = {
		.subject = "/CN=Issuing",
		.key = test_key("ecP256", 1),
		.issuer = "/CN=Root",
		.issuer_key = test_key("ecP256", 0),
		.not_before = NOW - YEAR,
		.not_after = NOW - DAY,
		.ca = true,
	};
	struct world w = { .changes = (const struct part[PARTS_MAX]){
			       { 'T', "/CN=Root", "ecP256:0", 'T',
				 .constraints = "critical,CA:TRUE" } } };
	struct judge_store *store = world_store(&w, "RT");
	struct cert_list sent = { 0 };
	char text[JUDGE_TEXT_SIZE];

	world_list(&w, "L", &sent);
	for (int i = 1; i < 8; i++)
		add(&sent, cert_take_pem(test_cert_pem(&o)));
	CU_ASSERT_EQUAL(ask(store, &sent, text), JUDGE_EXPIRED);
	for (int i = 8; i < JUDGE_SENT_MAX; i++)
		add(&sent, cert_take_pem(test_cert_pem(&o)));
	CU_ASSERT_EQUAL(ask(store, &sent, text), JUDGE_TOO_COMPLEX);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "too many ways"));
	cert_list_free(&sent);
	judge_store_unref(store);
	world_end(&w);
}

static void test_many_extensions(void)
{
	struct error e = ERROR_INIT;
	static char lines[4096];
	static const struct part parts[PARTS_MAX] = {
		{ 'L', .extensions = lines },
	};
	struct world w = { .changes = parts };
	struct judge_store *store;
	struct cert_list sent = { 0 };
	char text[JUDGE_TEXT_SIZE];
	size_t used = 0;

	for (int i = 0; i < 70; i++)
		used += (size_t)snprintf(lines + used, sizeof(lines) - used,
					 "1.2.3.%d=ASN1:NULL\n", i);
	store = world_store(&w, "R");
	CHECK_OK(cert_list_add(&sent, world_cert(&w, 'L'), &e), &e);
	CHECK_OK(cert_list_add(&sent, world_cert(&w, 'I'), &e), &e);
	CU_ASSERT_EQUAL(ask(store, &sent, text), JUDGE_MALFORMED);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "too many extensions"));
	cert_list_free(&sent);
	judge_store_unref(store);
	world_end(&w);
}

/* Subjects that are long, and such that would break a line of a log. */
static void test_texts(void)
{
	static char long_name[20000];
	static const struct test_common_name names[] = {
		{ 12, long_name, sizeof(long_name) },
		{ 12, "a\r\nb\0\x1b[2J", 9 },
	};
	struct cert_list sent = { 0 };
	char text[JUDGE_TEXT_SIZE];

	memset(long_name, 'a', sizeof(long_name));
	for (size_t i = 0; i < 2; i++) {
		struct part parts[PARTS_MAX] = {
			{ 'L', .subject = "/O=x", .common_names = &names[i],
			  .common_name_count = 1 },
		};
		struct world w = { .changes = parts };
		struct judge_store *store = world_store(&w, "R");

		world_list(&w, "L", &sent);
		CU_ASSERT_EQUAL(ask(store, &sent, text),
				JUDGE_UNKNOWN_AUTHORITY);
		CU_ASSERT(strlen(text) < 400);
		for (const char *p = text; *p; p++)
			CU_ASSERT(*p >= ' ');
		cert_list_free(&sent);
		judge_store_unref(store);
		world_end(&w);
	}
}

struct bench {
	struct judge_store *store;
	struct cert_list sent;
	unsigned accepted;
};

static void *run_bench(void *arg)
{
	struct bench *b = arg;

	for (int i = 0; i < ROUNDS; i++)
		b->accepted += ask(b->store, &b->sent, NULL) == JUDGE_ACCEPTED;
	return NULL;
}

/* Processor time in microseconds. */
static double cpu_us(void)
{
	return (double)clock() * 1e6 / CLOCKS_PER_SEC;
}

static void bench_open(struct bench *b, unsigned count)
{
	struct cert_list anchors = { 0 };
	double start;

	for (unsigned n = 0; n < count; n++)
		add(&anchors, make_numbered(2000 + n, 2000 + n, true));
	add(&b->sent, make_numbered(7, 5, false));
	add(&b->sent, make_numbered(5, 2000 + count / 2, true));
	start = cpu_us();
	b->store = store_of(&anchors);
	printf("# %u anchors made ready in %.0f us\n", count, cpu_us() - start);
}

/* Printed, not asserted. The judged chain's anchor is one among so many. */
static void test_many_anchors(void)
{
	static const unsigned counts[] = { 1, 150, 1000 };
	enum { COUNTS = 3, TURNS = 5 };
	struct bench b[COUNTS] = { 0 };
	double best[COUNTS] = { 0 }, start, took;

	for (size_t k = 0; k < COUNTS; k++)
		bench_open(&b[k], counts[k]);
	for (size_t turn = 0; turn < TURNS * COUNTS; turn++) {
		size_t k = turn % COUNTS;

		start = cpu_us();
		run_bench(&b[k]);
		took = (cpu_us() - start) / ROUNDS;
		best[k] = turn < COUNTS || took < best[k] ? took : best[k];
	}
	for (size_t k = 0; k < COUNTS; k++) {
		CU_ASSERT_EQUAL(b[k].accepted, ROUNDS * TURNS);
		printf("# a judgement with %u anchors takes %.0f us\n",
		       counts[k], best[k]);
		cert_list_free(&b[k].sent);
		judge_store_unref(b[k].store);
	}
}

static void test_threads(void)
{
	struct world w = { 0 };
	struct bench b[JUDGES] = { 0 };
	struct judge_store *store = world_store(&w, "RSO");
	pthread_t threads[JUDGES];

	for (int i = 0; i < JUDGES; i++) {
		b[i].store = judge_store_ref(store);
		world_list(&w, "LKIX", &b[i].sent);
		CU_ASSERT_EQUAL_FATAL(
		    pthread_create(&threads[i], NULL, run_bench, &b[i]), 0);
	}
	judge_store_unref(store);
	for (int i = 0; i < JUDGES; i++) {
		pthread_join(threads[i], NULL);
		CU_ASSERT_EQUAL(b[i].accepted, ROUNDS);
		cert_list_free(&b[i].sent);
		judge_store_unref(b[i].store);
	}
	world_end(&w);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "mutations", test_mutations },
		{ "encodings", test_encodings },
		{ "long_chains", test_long_chains },
		{ "cliques", test_cliques },
		{ "namesakes", test_namesakes },
		{ "too_many_paths", test_too_many_paths },
		{ "many_extensions", test_many_extensions },
		{ "texts", test_texts },
		{ "many_anchors", test_many_anchors },
		{ "threads", test_threads },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "judge-hostile", tests, NULL, NULL);
}
