/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CALLS_ENUMERATE_FILTER_H
#define SB_CALLS_ENUMERATE_FILTER_H

#include <stdint.h>

#include "base/error.h"

/* The enumerateFilter of enumerate methods: an expression of integers that is
 * looked at for each thing that could be listed; not 0 is true. Numbers
 * (decimal, or hexadecimal behind 0x), names of atoms, brackets, and the
 * operators of C with its precedence: unary - + ! ~, then * / %, + -, << >>,
 * < <= > >=, == !=, &, ^, |, &&, ||. White space is ignored. 64 bits that wrap;
 * a division by 0 gives 0, and so does a shift by less than 0 or more than 63.
 * Pure; any thread. */

enum {
	FILTER_CHARS_MAX = 255,
	FILTER_DEPTH_MAX = 32 /* brackets and unary operators within another */
};

struct filter_atom {
	const char *name;
	int64_t value;
};

/* ERR_INPUT: what is wrong with the text, and at which character. atoms end
 * with an empty row. Every part is read whatever the others give, so whether a
 * text is right does not depend on the values. */
int filter_evaluate(const char *text, const struct filter_atom *atoms,
		    int64_t *out, struct error *e) MUST_CHECK;

#endif
