/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_XMLRPC_SCALAR_H
#define SB_API_XMLRPC_SCALAR_H

#include "api/value.h"

/* The value that the text of an element such as "i4" stands for. White space
 * around it is passed over, but not in a string. NULL: ERR_INPUT naming the
 * type (never the text, which may be a secret), ERR_NOMEM. */
struct value *xmlrpc_scalar(const char *element, struct view text,
			    struct error *e) MUST_CHECK;

#endif
