/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_XMLRPC_H
#define SB_API_XMLRPC_H

#include "api/value.h"

/* XML-RPC in both directions: the service parses calls and writes responses,
 * the command line tool writes calls and parses responses. Pure, any thread;
 * libxml2 stays behind api/xmlrpc*.c.
 *
 * Taken: int, i4, boolean, string, double, dateTime.iso8601, base64, array,
 * struct, a value without type (string). Refused: nil and every other type, a
 * DOCTYPE, entities but the five of XML, a struct that names a member twice.
 * The XML declaration, which the original demands, may be left out: nothing is
 * ambiguous without it, and several client libraries omit it. Encodings: UTF-8,
 * US-ASCII, ISO-8859-1, by byte order mark, declaration, or the charset of
 * Content-Type, in this order; without any, UTF-8 (of which ASCII is a part).
 *
 * Errors of the parsers: ERR_INPUT naming line and cause; ERR_LIMIT naming the
 * limit; ERR_NOMEM. */

enum {
	XMLRPC_BYTES_MAX = 4 * 1024 * 1024, /* a call */
	XMLRPC_NESTING_MAX = 16,            /* values inside values */
	XMLRPC_ITEMS_MAX = 10000,           /* members and elements in all */
	XMLRPC_METHOD_MAX = 96,             /* bytes of a method's name */
	XMLRPC_NAME_MAX = 128,              /* bytes of a member's name */
	XMLRPC_TAG_MAX = 1024,              /* bytes between < and > */
	XMLRPC_RESPONSE_BYTES_MAX = 16 * 1024 * 1024,
	/* a trust store of 1000 certificates has 27,000 */
	XMLRPC_RESPONSE_ITEMS_MAX = 100000,
};

struct xmlrpc_call {
	char method[XMLRPC_METHOD_MAX + 1];
	struct value *params; /* array: one element a <param> */
	bool declares_utf8;   /* <?xml ... encoding="UTF-8"?> */
};

/* charset: of the Content-Type header, NULL without. On success out is the
 * caller's to free. */
int xmlrpc_parse_call(struct view body, const char *charset,
		      struct xmlrpc_call *out, struct error *e) MUST_CHECK;
void xmlrpc_call_free(struct xmlrpc_call *c);

/* A fault has a NULL result. */
struct xmlrpc_response {
	struct value *result;
	int32_t fault_code;
	char *fault_text;
};

/* As above, with XMLRPC_RESPONSE_BYTES_MAX and XMLRPC_RESPONSE_ITEMS_MAX. */
int xmlrpc_parse_response(struct view body, const char *charset,
			  struct xmlrpc_response *out,
			  struct error *e) MUST_CHECK;
void xmlrpc_response_free(struct xmlrpc_response *r);

/* Append a document to out. utf8 false: ASCII with character references, which
 * every client reads. Characters that XML cannot carry (control characters,
 * broken UTF-8) become U+FFFD. Errors: ERR_LIMIT (out->max), ERR_NOMEM.
 * params: a struct, sent as the only <param>; NULL: none. */
int xmlrpc_write_call(struct buf *out, const char *method,
		      const struct value *params, struct error *e) MUST_CHECK;
int xmlrpc_write_response(struct buf *out, const struct value *result,
			  bool utf8, struct error *e) MUST_CHECK;
int xmlrpc_write_fault(struct buf *out, int32_t code, const char *text,
		       bool utf8, struct error *e) MUST_CHECK;

#endif
