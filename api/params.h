/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_PARAMS_H
#define SB_API_PARAMS_H

#include "api/method.h"

/* Check a struct against the rows of a method. -1: *fault_out is 101, 102 or
 * 103 and *e names the parameter ("subject.cn") and what is wrong. Members
 * without a row are passed over, as clients of other versions send them. Pure.
 */
int params_check(const struct param *rows, const struct value *params,
		 enum fault_code *fault_out, struct error *e) MUST_CHECK;

/* For structs in which a misspelt member would change the meaning: ERR_INPUT
 * when s (NULL: none) has a member that is in no row. where: its name. */
int params_check_names(const struct param *rows, const struct value *s,
		       const char *where, struct error *e) MUST_CHECK;

#endif
