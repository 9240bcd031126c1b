/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "pkcs11/manifest.h"
#include "tests/unit/pkcs11_set_fixture.h"

/* A token without data objects: manifests are rows of the store. */

enum { ROWS_MAX = 8 };

static struct row {
	char name[64];
	struct buf value;
} rows[ROWS_MAX];
static size_t row_count;
static bool put_fails;

static int row_put(void *arg, const char *name, struct view value,
		   struct error *e)
{
	struct row *r = &rows[row_count];

	CU_ASSERT_PTR_EQUAL(arg, rows);
	if (put_fails || row_count == ROWS_MAX)
		return error_set(e, ERR_IO, "the disk is full");
	snprintf(r->name, sizeof(r->name), "%s", name);
	buf_init(&r->value, MANIFEST_TEXT_MAX);
	CHECK_OK(buf_add(&r->value, value.ptr, value.len, e), e);
	row_count++;
	return 0;
}

static int row_list(void *arg, const char *name,
		    int (*each)(void *each_arg, struct view value,
				struct error *e),
		    void *each_arg, struct error *e)
{
	(void)arg;
	for (size_t i = 0; i < row_count; i++)
		if ((!name || !strcmp(rows[i].name, name)) &&
		    each(each_arg, buf_view(&rows[i].value), e) < 0)
			return -1;
	return 0;
}

static int row_prune(void *arg, const char *name, struct view keep,
		     struct error *e)
{
	size_t kept = 0;

	(void)arg;
	(void)e;
	for (size_t i = 0; i < row_count; i++)
		if (strcmp(rows[i].name, name) != 0 ||
		    view_equal(buf_view(&rows[i].value), keep))
			rows[kept++] = rows[i];
		else
			buf_free(&rows[i].value);
	row_count = kept;
	return 0;
}

static struct token *open_with_fallback(void)
{
	struct token_options o = options;
	struct error e = ERROR_INIT;
	struct token *t;

	o.fallback =
	    (struct manifest_fallback){ row_put, row_list, row_prune, rows };
	t = token_new(&o, &e);
	CHECK_OBJECT(t, &e);
	CHECK_OK(token_start(t, &e), &e);
	return t;
}

static void test_fallback(void)
{
	struct error e = ERROR_INIT;
	struct token_info info;
	struct token *t;
	size_t removed;

	token_free(token);
	atomic_store(&knobs->refuse_data, 1);
	t = open_with_fallback();
	token_get_info(t, &info);
	CU_ASSERT(!info.data_objects);
	fill(3, TRUST, 800);
	CHECK_OK(replace(t, "a", 3, &e), &e);
	fill(2, TRUST, 810);
	CHECK_OK(replace(t, "b", 2, &e), &e);
	fill(2, TRUST, 820);
	CHECK_OK(replace(t, "a", 2, &e), &e);
	CU_ASSERT_EQUAL(row_count, 2);
	CU_ASSERT_EQUAL(generation_of(t, "a", 2), 2);
	CU_ASSERT_EQUAL(generation_of(t, "b", 2), 1);
	CHECK_OK(object_collect_leftovers(t, &removed, &e), &e);
	CU_ASSERT_EQUAL(removed, 0);
	/* a failing store: the old set stays, nothing is left over */
	put_fails = true;
	fill(4, TRUST, 830);
	CHECK_FAILS(replace(t, "a", 4, &e), &e, ERR_IO, "disk is full");
	put_fails = false;
	CU_ASSERT_EQUAL(generation_of(t, "a", 2), 2);
	CHECK_OK(object_collect_leftovers(t, &removed, &e), &e);
	CU_ASSERT_EQUAL(removed, 0);
	token_free(t);
	/* the token learns data objects: the next change moves there */
	atomic_store(&knobs->refuse_data, 0);
	t = open_with_fallback();
	CU_ASSERT_EQUAL(generation_of(t, "a", 2), 2);
	fill(1, TRUST, 840);
	CHECK_OK(replace(t, "a", 1, &e), &e);
	CU_ASSERT_EQUAL(generation_of(t, "a", 1), 3);
	CU_ASSERT_EQUAL(row_count, 1);
	/* and forgets them between two starts */
	atomic_store(&knobs->refuse_data, 1);
	fill(2, TRUST, 850);
	CHECK_OK(replace(t, "a", 2, &e), &e);
	CU_ASSERT_EQUAL(generation_of(t, "a", 2), 4);
	CU_ASSERT_EQUAL(row_count, 2);
	token_free(t);
	atomic_store(&knobs->refuse_data, 0);
	while (row_count)
		buf_free(&rows[--row_count].value);
	token = token_new(&options, &e);
	CHECK_OBJECT(token, &e);
	CHECK_OK(token_start(token, &e), &e);
}

static void test_no_place_for_manifest(void)
{
	struct error e = ERROR_INIT;
	int before = listed("Certificate Object");

	atomic_store(&knobs->refuse_data, 1);
	fill(2, TRUST, 900);
	CU_ASSERT_EQUAL(replace(token, "nowhere", 2, &e), -1);
	atomic_store(&knobs->refuse_data, 0);
	CU_ASSERT_EQUAL(listed("Certificate Object"), before);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "fallback", test_fallback },
		{ "no-place-for-manifest", test_no_place_for_manifest },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "pkcs11-sets-fallback", tests, set_setup,
			 set_teardown);
}
