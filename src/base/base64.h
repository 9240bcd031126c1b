/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_BASE_BASE64_H
#define SB_BASE_BASE64_H

#include "base/buf.h"

/* Base64 of RFC 4648 with padding: XML-RPC values and PEM blocks. Pure; what is
 * decoded may be a key, so nothing of it stays behind on the way. */

/* Append the text, in one line. ERR_LIMIT, ERR_NOMEM. */
int base64_encode(struct view bytes, struct buf *out,
		  struct error *e) MUST_CHECK;

/* Bytes that decoding so many characters can need at most. */
size_t base64_decoded_max(size_t chars);
/* Decode into out, which has base64_decoded_max() bytes. White space is passed
 * over, nothing else; no text is no bytes. -1: not base64, *bad_out is the
 * offset of the wrong character, or of the end when it is cut short. */
int base64_decode(struct view text, uint8_t *out, size_t *len_out,
		  size_t *bad_out) MUST_CHECK;

#endif
