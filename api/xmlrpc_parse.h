/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_XMLRPC_PARSE_H
#define SB_API_XMLRPC_PARSE_H

#include "api/xmlrpc.h"

/* A call or a response as it was read; what is missing is NULL or "". */
struct xmlrpc_document {
	char method[XMLRPC_METHOD_MAX + 1];
	struct value *params; /* array */
	struct value *fault;
	bool declares_utf8;
};

/* root: "methodCall" or "methodResponse". On success out is the caller's to
 * free; errors as in xmlrpc.h. */
int xmlrpc_parse(struct view body, const char *charset, const char *root,
		 struct xmlrpc_document *out, struct error *e) MUST_CHECK;
void xmlrpc_document_free(struct xmlrpc_document *d);

#endif
