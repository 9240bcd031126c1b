/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/lib/unit.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <CUnit/TestDB.h>
#include <CUnit/TestRun.h>

enum { TEMP_DIRS_MAX = 64 };

static unsigned done;
static char temp_dirs[TEMP_DIRS_MAX][256];
static int temp_count;

void unit_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
}

void unit_check_error(const struct error *e, enum error_kind wanted,
		      const char *words, const char *file, int line)
{
	if (e->kind != wanted || (words && !strstr(e->text, words)))
		unit_note("%s:%d: wanted %s \"%s\", got %s \"%s\"", file, line,
			  error_kind_name(wanted), words ? words : "",
			  error_kind_name(e->kind), e->text);
	CU_ASSERT_EQUAL(e->kind, wanted);
	CU_ASSERT(!words || strstr(e->text, words) != NULL);
}

static void on_test_done(const CU_pTest test, const CU_pSuite suite,
			 const CU_pFailureRecord failure)
{
	(void)suite;
	for (CU_pFailureRecord f = failure; f; f = f->pNext)
		printf("# %s:%u: %s\n", f->strFileName ? f->strFileName : "?",
		       f->uiLineNumber, f->strCondition ? f->strCondition : "");
	printf("%s %u - %s\n", failure ? "not ok" : "ok", ++done, test->pName);
	fflush(stdout);
}

static int remove_entry(const char *path, const struct stat *st, int flag,
			struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void remove_temp_dirs(void)
{
	while (temp_count > 0)
		nftw(temp_dirs[--temp_count], remove_entry, 16,
		     FTW_DEPTH | FTW_PHYS);
}

const char *unit_temp_dir(void)
{
	const char *base = getenv("TMPDIR");
	char *dir = temp_dirs[temp_count];

	snprintf(dir, sizeof(temp_dirs[0]), "%s/sb-unit-XXXXXX",
		 base ? base : "/tmp");
	if (temp_count >= TEMP_DIRS_MAX || !mkdtemp(dir)) {
		perror(dir);
		abort();
	}
	temp_count++;
	return dir;
}

static int chosen(int argc, char **argv, const char *name)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return 1;
	return argc < 2;
}

int unit_main(int argc, char **argv, const char *suite,
	      const struct unit_test *tests, int (*setup)(void),
	      int (*teardown)(void))
{
	CU_pSuite s;
	unsigned planned = 0, failed;

	if (CU_initialize_registry() != CUE_SUCCESS ||
	    !(s = CU_add_suite(suite, setup, teardown)))
		return 99;
	for (; tests->name; tests++)
		if (chosen(argc, argv, tests->name)) {
			CU_add_test(s, tests->name, tests->fn);
			planned++;
		}
	printf("1..%u\n", planned);
	fflush(stdout);
	CU_set_test_complete_handler(on_test_done);
	CU_run_all_tests();
	failed =
	    CU_get_number_of_tests_failed() + CU_get_number_of_suites_failed();
	if (CU_get_number_of_suites_failed())
		printf("Bail out! setup or teardown failed\n");
	CU_cleanup_registry();
	remove_temp_dirs();
	return failed ? 1 : 0;
}
