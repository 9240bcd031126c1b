/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_BASE_UTF8_H
#define SB_BASE_UTF8_H

#include "base/buf.h"

/* Text from outside as UTF-8 (RFC 3629: shortest form, no surrogates, at most
 * U+10FFFF). */

/* Length in bytes of the character that begins at s.ptr and its code point; 0
 * when there is none or it is malformed. */
size_t utf8_next(struct view s, uint32_t *code_out);

/* Number of characters, or -1 when a byte of it is malformed. */
long utf8_count(struct view s);

/* True for control characters: C0, DEL and C1, line and paragraph separators;
 * and for U+FFFE and U+FFFF, which are no characters and which XML cannot carry
 * either: a record with one would not be the same in an export. */
bool utf8_is_control(uint32_t code);

/* Valid and without control characters: what a name or password may be. */
bool utf8_is_plain(struct view s);

/* Copy s as one line into out (size >= 1, NUL-terminated), '?' for each
 * malformed byte and a space for each control character, cut between
 * characters. */
void utf8_line(struct view s, char *out, size_t size);

#endif
