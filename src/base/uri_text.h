/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_BASE_URI_TEXT_H
#define SB_BASE_URI_TEXT_H

#include <stdbool.h>

/* What parts of a SIP URI may consist of (RFC 3261 25.1). Nothing of it ends a
 * line, a string or the part that it stands in. Pure; any thread. */

#define URI_UNRESERVED               \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789-_.!~*'()"

/* Nothing but these characters, and whole escapes ("%20") of anything but a
 * NUL; not empty. */
bool uri_is_made_of(const char *text, const char *characters);

/* What stands before the "@", without a password. */
bool uri_is_user(const char *text);

#endif
