/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_PKCS11_SET_FIXTURE_H
#define SB_TESTS_UNIT_PKCS11_SET_FIXTURE_H

#include "tests/lib/test_token.h"
#include "tests/lib/unit.h"
#include "tests/unit/pkcs11_helpers.h"
#include "tests/unit/pkcs11_wrapper.h"

/* Sets of objects in a token behind the wrapper. */

#define TRUST "sealbridge trust https"

enum { MEMBERS_MAX = 300 };

extern struct test_token place;
extern struct token_options options;
extern struct token *token;
extern struct wrapper_knobs *knobs;
extern struct fake_certificate rooms[MEMBERS_MAX];
extern struct set_member members[MEMBERS_MAX];

int set_setup(void);
int set_teardown(void);

/* members[0..n) with contents that begin at seed. */
void fill(size_t n, const char *label, unsigned seed);
/* The set of that name becomes members[0..n). */
int replace(struct token *t, const char *name, size_t n, struct error *e);
/* The set has so many members. */
uint64_t generation_of(struct token *t, const char *name, size_t count);

#endif
