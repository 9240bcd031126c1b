/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CTL_ARGUMENTS_H
#define SB_CTL_ARGUMENTS_H

#include "api/value.h"

/* PATH=TEXT and PATH=@FILE arguments made into the struct that a method takes.
 *
 *   name=value        a member
 *   name.sub=value    a member of the struct that is the member
 *   name[]=value      one more element of the array that is the member
 *   name[0].sub=value element 0 (the next one is made when it is not there)
 *   name:type=value   type is int, boolean, string, double, dateTime.iso8601
 *                     or base64, when the type that the method declares is not
 *                     wanted, or not known
 *   name=@file        the content of the file, without one line end at its
 *                     end when it is text; @- is standard input
 *   name=@@value      a value that begins with an @
 *
 * boolean: true false yes no on off 1 0. dateTime.iso8601: 20261121T09:15:00,
 * or with dashes and a Z as in RFC 3339. */

enum { ARGUMENT_NESTING_MAX = 8, ARGUMENT_FILE_MAX = 3 * 1024 * 1024 };

/* The declared type of the value at a path whose indices are left out
 * ("subject.cn", "names[]", "ports[].port"), VALUE_TYPE_COUNT when not known.
 */
typedef enum value_type argument_type_fn(void *arg, const char *path);

/* A struct, owned by the caller. NULL: ERR_INPUT naming the argument (never its
 * value), ERR_IO, ERR_LIMIT, ERR_NOMEM. */
struct value *arguments_to_struct(char *const *args, size_t count,
				  argument_type_fn *type_of, void *type_arg,
				  struct error *e) MUST_CHECK;

/* A time as in dateTime.iso8601 above; false when text is none. */
bool argument_time(const char *text, time_t *out);

/* The content of a file, "-" for standard input. out is a secret buffer. */
int argument_read_file(const char *path, struct buf *out,
		       struct error *e) MUST_CHECK;

#endif
