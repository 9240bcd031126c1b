/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_PKCS11_PLACE_H
#define SB_TESTS_UNIT_PKCS11_PLACE_H

#include "pkcs11/keys.h"
#include "tests/lib/test_token.h"
#include "tests/unit/pkcs11_wrapper.h"

/* A token of a test's own behind the module with knobs. */

extern struct wrapper_knobs *knobs;

int place_setup(void); /* a set-up of CUnit */
/* Makes the token, resets the knobs. */
struct token_options wrapped(struct test_token *place);
/* token_new() and token_start(), as an assertion. */
struct token *open_with(const struct token_options *o);
/* The user PIN that stands in its file. */
void write_pin(const struct test_token *place, const char *pin);
struct token_key *make_key(struct token *t);

#endif
