/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_XMLRPC_TEXTS_H
#define SB_TESTS_UNIT_XMLRPC_TEXTS_H

#include "api/xmlrpc.h"

/* Calls as texts. */

#define CALL(params)                                                       \
	"<?xml "                                                           \
	"version='1.0'?>\n<methodCall><methodName>a.b</methodName>" params \
	"</methodCall>"
#define ONE(value) CALL("<params><param>" value "</param></params>")
#define MEMBER(value)                                     \
	ONE("<value><struct><member><name>m</name>" value \
	    "</member></struct></value>")

static inline int parse(const char *text, struct xmlrpc_call *c,
			struct error *e)
{
	return xmlrpc_parse_call(view_str(text), NULL, c, e);
}

#endif
