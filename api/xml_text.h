/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_XML_TEXT_H
#define SB_API_XML_TEXT_H

#include "base/buf.h"

/* Append text as the content of an XML element, whatever is in it: markup is
 * escaped; what XML 1.0 cannot carry (control characters, broken UTF-8) becomes
 * U+FFFD. utf8 false: ASCII with character references. ERR_LIMIT, ERR_NOMEM. */
int xml_add_text(struct buf *out, struct view text, bool utf8,
		 struct error *e) MUST_CHECK;

#endif
