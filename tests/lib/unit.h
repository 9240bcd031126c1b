/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_LIB_UNIT_H
#define SB_TESTS_LIB_UNIT_H

#include <CUnit/CUnit.h>

#include "base/error.h"

/* A CUnit suite as a program that speaks TAP: one line a test function, every
 * failed assertion as a "#" line above it. */

struct unit_test {
	const char *name;
	void (*fn)(void);
};

/* Runs the tests in order (the array ends with an empty row); setup and
 * teardown (may be NULL) run once around the suite. Arguments of main choose
 * tests by name. Returns the exit status. */
int unit_main(int argc, char **argv, const char *suite,
	      const struct unit_test *tests, int (*setup)(void),
	      int (*teardown)(void));

/* Assert that a call gave 0 (or non-NULL); prints the error's text if not. */
#define CHECK_OK(call, e)                                                     \
	do {                                                                  \
		int check_ok_ = (call);                                       \
		if (check_ok_ != 0)                                           \
			unit_note("%s:%d: %s: %s", __FILE__, __LINE__, #call, \
				  (e)->text);                                 \
		CU_ASSERT_EQUAL_FATAL(check_ok_, 0);                          \
	} while (0)
#define CHECK_OBJECT(object, e)                                        \
	do {                                                           \
		if (!(object))                                         \
			unit_note("%s:%d: %s: %s", __FILE__, __LINE__, \
				  #object, (e)->text);                 \
		CU_ASSERT_PTR_NOT_NULL_FATAL(object);                  \
	} while (0)
/* Assert that a call failed with that kind and a text that holds the words. */
#define CHECK_FAILS(call, e, wanted, words)                                   \
	do {                                                                  \
		int check_rc_ = (call);                                       \
		CU_ASSERT_EQUAL(check_rc_, -1);                               \
		unit_check_error((e), (wanted), (words), __FILE__, __LINE__); \
	} while (0)

void unit_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void unit_check_error(const struct error *e, enum error_kind wanted,
		      const char *words, const char *file, int line);

/* A fresh directory below $TMPDIR that unit_main removes at the end. The path
 * lives as long as the process. */
const char *unit_temp_dir(void);

#endif
