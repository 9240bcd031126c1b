/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUDIT_AUDIT_FIELDS_H
#define SB_AUDIT_AUDIT_FIELDS_H

#include "audit/audit.h"

/* The fields of a record as they are stored and hashed: "name=value" lines
 * joined by LF, in the order of events.def; what has no value is left out. Pure
 * functions. */

/* Room for the lines of any event, with the NUL. */
enum { AUDIT_FIELDS_SIZE = 4096 };

/* Values are cut at AUDIT_VALUE_MAX between characters, control characters
 * become spaces and bytes that are no UTF-8 '?', so that a line is a line. A
 * line that has no room is left out. */
void audit_fields_write(struct audit_what what, char out[AUDIT_FIELDS_SIZE]);

/* The next line at *lines, which moves behind it; false at the end. A line
 * without "=" (not written by us) is a value without a name. */
bool audit_fields_next(const char **lines, struct view *name,
		       struct view *value);

/* For people: "setting: x; from: a; to: b", cut between characters to fit size
 * (at least 1). */
void audit_fields_render(const char *lines, char *out, size_t size);

#endif
