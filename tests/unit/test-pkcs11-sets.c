/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/test_token.h"
#include "tests/lib/unit.h"
#include "tests/unit/pkcs11_helpers.h"

static struct test_token place;
static struct token *token;

static int setup(void)
{
	test_token_make(&place);
	token = test_token_open(&place);
	return 0;
}

static int teardown(void)
{
	token_free(token);
	return 0;
}

static void test_never_written(void)
{
	struct error e = ERROR_INIT;
	struct object_set set;

	CHECK_OK(object_set_read(token, "identity", &set, &e), &e);
	CU_ASSERT_EQUAL(set.generation, 0);
	CU_ASSERT_EQUAL(set.member_count, 0);
	object_set_free(&set);
}

static void test_replace_and_read(void)
{
	struct fake_certificate rooms[3];
	struct set_member members[3];
	struct set_fact fact = { "source", "custom" };
	struct error e = ERROR_INIT;
	struct object_set set;
	size_t removed;

	make_member(&members[0], &rooms[0], "leaf",
		    "sealbridge local certificate", 1);
	make_member(&members[1], &rooms[1], "chain", "sealbridge local chain",
		    2);
	make_member(&members[2], &rooms[2], "key", "sealbridge local key", 3);
	for (unsigned round = 1; round <= 3; round++) {
		CHECK_OK(object_set_replace(token, "identity", members, 3,
					    &fact, 1, NULL, NULL, &e),
			 &e);
		CHECK_OK(object_set_read(token, "identity", &set, &e), &e);
		CU_ASSERT_EQUAL(set.generation, round);
		CU_ASSERT_EQUAL_FATAL(set.member_count, 3);
		for (int i = 0; i < 2; i++)
			CU_ASSERT(
			    view_equal(set.members[i].der, members[i].der));
		CU_ASSERT_EQUAL(set.members[2].der.len, 0);
		CU_ASSERT_STRING_EQUAL(set.members[1].label,
				       "sealbridge local chain");
		CU_ASSERT_STRING_EQUAL(object_set_fact(&set, "source"),
				       "custom");
		object_set_free(&set);
		CHECK_OK(object_collect_leftovers(token, &removed, &e), &e);
		CU_ASSERT_EQUAL(removed, 0);
	}
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "never-written", test_never_written },
		{ "replace-and-read", test_replace_and_read },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "pkcs11-sets", tests, setup, teardown);
}
