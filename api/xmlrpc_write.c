/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/xmlrpc.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/xml_text.h"
#include "base/base64.h"
#include "base/clock.h"

/* Written by hand and not by xmlTextWriter: what XML cannot carry must be
 * replaced and every byte is bounded by the buffer. */

struct writer {
	struct buf *out;
	bool utf8;
	struct error *e;
};

static int write_text(struct writer *w, struct view text)
{
	return xml_add_text(w->out, text, w->utf8, w->e);
}

static int write_double(struct writer *w, double d)
{
	char text[32];

	if (!isfinite(d))
		return error_set(w->e, ERR_INTERNAL,
				 "a double that XML-RPC cannot carry");
	snprintf(text, sizeof(text), "%.17g", d);
	/* The specification has no exponent. */
	if (strchr(text, 'e'))
		return buf_addf(w->out, w->e, "%f", d);
	return buf_adds(w->out, text, w->e);
}

static int write_time(struct writer *w, time_t t)
{
	char text[CLOCK_ISO8601_SIZE];

	clock_format_xmlrpc(t, text);
	return buf_adds(w->out, text, w->e);
}

static int write_value(struct writer *w, const struct value *v, unsigned depth);

static int write_members(struct writer *w, const struct value *v,
			 unsigned depth)
{
	for (size_t i = 0; i < value_count(v); i++)
		if (buf_adds(w->out, "<member><name>", w->e) < 0 ||
		    write_text(w, view_str(value_item_name(v, i))) < 0 ||
		    buf_adds(w->out, "</name>", w->e) < 0 ||
		    write_value(w, value_item(v, i), depth + 1) < 0 ||
		    buf_adds(w->out, "</member>\n", w->e) < 0)
			return -1;
	return 0;
}

static int write_elements(struct writer *w, const struct value *v,
			  unsigned depth)
{
	if (buf_adds(w->out, "<data>", w->e) < 0)
		return -1;
	for (size_t i = 0; i < value_count(v); i++)
		if (write_value(w, value_item(v, i), depth + 1) < 0)
			return -1;
	return buf_adds(w->out, "</data>", w->e);
}

static int write_content(struct writer *w, const struct value *v,
			 unsigned depth)
{
	switch (value_type(v)) {
	case VALUE_INT: return buf_addf(w->out, w->e, "%" PRId32, value_int(v));
	case VALUE_BOOLEAN:
		return buf_adds(w->out, value_boolean(v) ? "1" : "0", w->e);
	case VALUE_STRING: return write_text(w, value_bytes(v));
	case VALUE_DOUBLE: return write_double(w, value_double(v));
	case VALUE_TIME: return write_time(w, value_time(v));
	case VALUE_BASE64: return base64_encode(value_bytes(v), w->out, w->e);
	case VALUE_ARRAY: return write_elements(w, v, depth);
	case VALUE_STRUCT: return write_members(w, v, depth);
	case VALUE_TYPE_COUNT: break;
	}
	return error_set(w->e, ERR_INTERNAL, "a value of no type");
}

static int write_value(struct writer *w, const struct value *v, unsigned depth)
{
	const char *type = value_type_name(value_type(v));

	if (depth > XMLRPC_NESTING_MAX)
		return error_set(w->e, ERR_LIMIT,
				 "more than %d values inside each other",
				 XMLRPC_NESTING_MAX);
	if (buf_addf(w->out, w->e, "<value><%s>", type) < 0 ||
	    write_content(w, v, depth) < 0)
		return -1;
	return buf_addf(w->out, w->e, "</%s></value>", type);
}

static int write_declaration(struct writer *w)
{
	return buf_addf(w->out, w->e, "<?xml version=\"1.0\"%s?>\n",
			w->utf8 ? " encoding=\"UTF-8\"" : "");
}

int xmlrpc_write_call(struct buf *out, const char *method,
		      const struct value *params, struct error *e)
{
	struct writer w = { out, true, e };

	if (params && !value_complete(params))
		return error_nomem(e);
	if (write_declaration(&w) < 0 ||
	    buf_adds(out, "<methodCall><methodName>", e) < 0 ||
	    write_text(&w, view_str(method)) < 0 ||
	    buf_adds(out, "</methodName>\n<params>", e) < 0)
		return -1;
	if (params && (buf_adds(out, "<param>", e) < 0 ||
		       write_value(&w, params, 1) < 0 ||
		       buf_adds(out, "</param>", e) < 0))
		return -1;
	return buf_adds(out, "</params></methodCall>\n", e);
}

int xmlrpc_write_response(struct buf *out, const struct value *result,
			  bool utf8, struct error *e)
{
	struct writer w = { out, utf8, e };

	if (!value_complete(result))
		return error_nomem(e);
	if (write_declaration(&w) < 0 ||
	    buf_adds(out, "<methodResponse><params><param>", e) < 0 ||
	    write_value(&w, result, 1) < 0)
		return -1;
	return buf_adds(out, "</param></params></methodResponse>\n", e);
}

int xmlrpc_write_fault(struct buf *out, int32_t code, const char *text,
		       bool utf8, struct error *e)
{
	struct writer w = { out, utf8, e };
	struct value *fault = value_new_struct();
	int rc = -1;

	value_put_int(fault, "faultCode", code);
	value_put_string(fault, "faultString", text);
	if (!value_complete(fault)) {
		error_nomem(e);
		goto out;
	}
	if (write_declaration(&w) < 0 ||
	    buf_adds(out, "<methodResponse><fault>", e) < 0 ||
	    write_value(&w, fault, 1) < 0)
		goto out;
	rc = buf_adds(out, "</fault></methodResponse>\n", e);
out:
	value_free(fault);
	return rc;
}
