/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/xmlrpc.h"

#include <stdlib.h>
#include <string.h>

#include "api/xmlrpc_parse.h"

int xmlrpc_parse_call(struct view body, const char *charset,
		      struct xmlrpc_call *out, struct error *e)
{
	struct xmlrpc_document d;
	int rc = -1;

	memset(out, 0, sizeof(*out));
	if (body.len > XMLRPC_BYTES_MAX)
		return error_set(e, ERR_LIMIT, "a call of more than %d bytes",
				 XMLRPC_BYTES_MAX);
	if (xmlrpc_parse(body, charset, "methodCall", &d, e) < 0)
		return -1;
	if (!d.method[0]) {
		error_set(e, ERR_INPUT, "a call without methodName");
		goto out;
	}
	memcpy(out->method, d.method, sizeof(out->method));
	out->declares_utf8 = d.declares_utf8;
	out->params = d.params ? d.params : value_new_array();
	d.params = NULL;
	rc = out->params ? 0 : error_nomem(e);
out:
	xmlrpc_document_free(&d);
	return rc;
}

void xmlrpc_call_free(struct xmlrpc_call *c)
{
	value_free(c->params);
	c->params = NULL;
}

static int take_fault(const struct value *fault, struct xmlrpc_response *out,
		      struct error *e)
{
	out->fault_code = value_int(value_member(fault, "faultCode"));
	out->fault_text =
	    strdup(value_string(value_member(fault, "faultString")));
	return out->fault_text ? 0 : error_nomem(e);
}

int xmlrpc_parse_response(struct view body, const char *charset,
			  struct xmlrpc_response *out, struct error *e)
{
	struct xmlrpc_document d;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	if (body.len > XMLRPC_RESPONSE_BYTES_MAX)
		return error_set(e, ERR_LIMIT,
				 "a response of more than %d bytes",
				 XMLRPC_RESPONSE_BYTES_MAX);
	if (xmlrpc_parse(body, charset, "methodResponse", &d, e) < 0)
		return -1;
	if (d.fault)
		rc = take_fault(d.fault, out, e);
	else if (!(out->result = value_take_item(d.params, 0)))
		rc = error_set(e, ERR_INPUT, "a response without result");
	xmlrpc_document_free(&d);
	return rc;
}

void xmlrpc_response_free(struct xmlrpc_response *r)
{
	value_free(r->result);
	free(r->fault_text);
	memset(r, 0, sizeof(*r));
}
