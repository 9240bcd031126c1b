/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_VALUE_H
#define SB_API_VALUE_H

#include <time.h>

#include "base/buf.h"

/* Values of XML-RPC as a tree: what calls bring and replies carry. One owner;
 * a container owns its members. Every string and every run of bytes is wiped
 * when freed, since calls bring passwords and keys.
 *
 * Building cannot fail in the middle: the makers give NULL when memory is
 * short, everything that takes a value accepts NULL, and a container that
 * missed something is marked; value_complete() tells, and the writers of
 * xmlrpc.h refuse such a tree with ERR_NOMEM. */

enum value_type {
	VALUE_INT,     /* int, i4: 32 bits */
	VALUE_BOOLEAN, /* boolean */
	VALUE_STRING,  /* string, or none: UTF-8 without NUL */
	VALUE_DOUBLE,  /* double: finite */
	VALUE_TIME,    /* dateTime.iso8601, in UTC */
	VALUE_BASE64,  /* base64: bytes */
	VALUE_ARRAY,   /* array */
	VALUE_STRUCT,  /* struct: names are unique */
	VALUE_TYPE_COUNT
};

/* The element's name: "int" ... "struct". */
const char *value_type_name(enum value_type t);

struct value;

void value_free(struct value *v); /* NULL is fine */
/* False when v is NULL or something inside was lost. */
bool value_complete(const struct value *v);

/* Making. Bytes are copied. */
struct value *value_new_int(int32_t i);
struct value *value_new_boolean(bool b);
struct value *value_new_string(const char *s); /* NULL counts as "" */
struct value *value_new_text(struct view s);   /* UTF-8 without NUL */
struct value *value_new_double(double d);
struct value *value_new_time(time_t t);
struct value *value_new_base64(struct view bytes);
struct value *value_new_array(void);
struct value *value_new_struct(void);

/* Growing: v is taken over in any case. A struct's name must be new to it. */
void value_add(struct value *array, struct value *v);
void value_put(struct value *structure, const char *name, struct value *v);

/* An element of an array moves to the caller, the rest closes up. NULL when
 * there is none. */
struct value *value_take_item(struct value *array, size_t i);

/* The same in one step for the common types. */
void value_put_int(struct value *structure, const char *name, int32_t i);
void value_put_boolean(struct value *structure, const char *name, bool b);
void value_put_string(struct value *structure, const char *name, const char *s);
void value_put_time(struct value *structure, const char *name, time_t t);
/* A new empty container inside, borrowed from its parent. */
struct value *value_put_array(struct value *structure, const char *name);
struct value *value_put_struct(struct value *structure, const char *name);
void value_add_string(struct value *array, const char *s);
struct value *value_add_struct(struct value *array);

/* Reading. What is asked of a value of another type (or NULL) is 0, false or
 * empty; views and strings live as long as the value. */
enum value_type value_type(const struct value *v);
bool value_is(const struct value *v, enum value_type t); /* false for NULL */
int32_t value_int(const struct value *v);
bool value_boolean(const struct value *v);
double value_double(const struct value *v);
time_t value_time(const struct value *v);
const char *value_string(const struct value *v); /* VALUE_STRING, else "" */
struct view value_bytes(const struct value *v);  /* string or base64 */
size_t value_count(const struct value *v);       /* array, struct */
const struct value *value_item(const struct value *v, size_t i);
const char *value_item_name(const struct value *structure, size_t i);
/* NULL when there is none. */
const struct value *value_member(const struct value *structure,
				 const char *name);

/* The name that occurs twice in a struct, NULL when all are unique. */
const char *value_duplicate_name(const struct value *structure);

#endif
