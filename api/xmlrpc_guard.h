/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_XMLRPC_GUARD_H
#define SB_API_XMLRPC_GUARD_H

#include "base/buf.h"

/* What happens before libxml2 sees a document, in one cheap pass: the text is
 * appended to out as UTF-8 without byte order mark. *utf8_out: the document
 * declares UTF-8.
 *
 * Refused (ERR_INPUT, line named): NUL bytes, which covers UTF-16 and UTF-32;
 * an encoding that is not taken; any "<!" but comments and CDATA, so that
 * libxml2 never meets a DOCTYPE; and (ERR_LIMIT) a tag longer than
 * XMLRPC_TAG_MAX, because libxml2 compares the attributes of a tag each with
 * each. */
int xmlrpc_guard(struct view body, const char *charset, struct buf *out,
		 bool *utf8_out, struct error *e) MUST_CHECK;

#endif
