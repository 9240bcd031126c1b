/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CTL_PRINT_H
#define SB_CTL_PRINT_H

#include <stdio.h>

#include "api/value.h"

/* Values for people and for programs. Control characters that came from the
 * service are never sent to a terminal as such. */

/* "name: value" lines, containers indented; text of several lines as it is,
 * indented. */
void print_text(FILE *out, const struct value *v);

/* One JSON document and a line end. Times are RFC 3339 in UTC, bytes base64. */
void print_json(FILE *out, const struct value *v);

/* The same in one line. */
void print_json_line(FILE *out, const struct value *v);

/* Printable form of a string: control characters become '?', line ends too. */
void print_line(FILE *out, const char *s);

/* "2026-11-21 09:15:00 UTC" */
void print_time(FILE *out, const struct value *v);

#endif
