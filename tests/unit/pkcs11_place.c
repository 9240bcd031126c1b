/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/pkcs11_place.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/unit.h"

struct wrapper_knobs *knobs;

int place_setup(void)
{
	knobs = wrapper_load();
	return 0;
}

struct token_options wrapped(struct test_token *place)
{
	struct token_options o;

	memset(knobs, 0, sizeof(*knobs));
	test_token_make(place);
	o = test_token_options(place);
	o.module = wrapper_path();
	return o;
}

struct token *open_with(const struct token_options *o)
{
	struct error e = ERROR_INIT;
	struct token *t = token_new(o, &e);

	CHECK_OBJECT(t, &e);
	CHECK_OK(token_start(t, &e), &e);
	return t;
}

void write_pin(const struct test_token *place, const char *pin)
{
	FILE *f = fopen(place->pin_file, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fprintf(f, "%s\n", pin);
	fclose(f);
}

struct token_key *make_key(struct token *t)
{
	struct error e = ERROR_INIT;
	struct token_key *k =
	    token_key_generate(t, KEY_KIND_EC_P256, "sealbridge local key", &e);

	CHECK_OBJECT(k, &e);
	return k;
}
