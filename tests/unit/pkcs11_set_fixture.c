/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/pkcs11_set_fixture.h"

#include <stdio.h>

struct test_token place;
struct token_options options;
struct token *token;
struct wrapper_knobs *knobs;
struct set_member members[MEMBERS_MAX];

struct fake_certificate rooms[MEMBERS_MAX];

int set_setup(void)
{
	struct error e = ERROR_INIT;

	knobs = wrapper_load();
	test_token_make(&place);
	options = test_token_options(&place);
	options.module = wrapper_path();
	token = token_new(&options, &e);
	if (token && token_start(token, &e) == 0)
		return 0;
	fprintf(stderr, "%s\n", e.text);
	return -1;
}

int set_teardown(void)
{
	token_free(token);
	return 0;
}

void fill(size_t n, const char *label, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		make_member(&members[i], &rooms[i], "anchor", label,
			    seed + (unsigned)i);
}

int replace(struct token *t, const char *name, size_t n, struct error *e)
{
	return object_set_replace(t, name, members, n, NULL, 0, NULL, NULL, e);
}

uint64_t generation_of(struct token *t, const char *name, size_t count)
{
	struct error e = ERROR_INIT;
	struct object_set set;
	uint64_t generation;

	CHECK_OK(object_set_read(t, name, &set, &e), &e);
	CU_ASSERT_EQUAL(set.member_count, count);
	generation = set.generation;
	object_set_free(&set);
	return generation;
}
