/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_LIB_TEST_TOKEN_H
#define SB_TESTS_LIB_TEST_TOKEN_H

#include "pkcs11/token.h"

/* A real SoftHSM token of a test's own, in a temporary directory. */

#define TEST_TOKEN_PIN    "4711"
#define TEST_TOKEN_SO_PIN "471100"
#define TEST_TOKEN_MODULE "/usr/lib/softhsm/libsofthsm2.so"

struct test_token {
	const char *dir; /* holds tokens/, softhsm2.conf, pin, state/ */
	char conf[300];  /* also in SOFTHSM2_CONF of this process */
	char pin_file[300];
	char state[300];
	char lock_file[300];
};

/* Makes directory and token "sealbridge" (softhsm2-util) and points
 * SOFTHSM2_CONF at it. Ends the process with a message when it cannot. */
void test_token_make(struct test_token *t);
/* Options for token_new() on it, in process, 8 sessions, 2 s waiting. */
struct token_options test_token_options(const struct test_token *t);
/* token_new() and token_start(), or the end of the process. */
struct token *test_token_open(const struct test_token *t);
/* Run a command line with sh; its exit status. */
int test_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
