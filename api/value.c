/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/value.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

struct value {
	enum value_type type;
	bool lost; /* memory was short while it grew */
	union {
		int32_t i;
		bool b;
		double d;
		time_t t;
		struct {
			uint8_t *ptr; /* NUL behind len */
			size_t len;
		} bytes;
		struct {
			struct value **items;
			char **names; /* struct only */
			size_t count, cap;
		} list;
	};
};

static const char *const type_names[VALUE_TYPE_COUNT] = {
	[VALUE_INT] = "int",
	[VALUE_BOOLEAN] = "boolean",
	[VALUE_STRING] = "string",
	[VALUE_DOUBLE] = "double",
	[VALUE_TIME] = "dateTime.iso8601",
	[VALUE_BASE64] = "base64",
	[VALUE_ARRAY] = "array",
	[VALUE_STRUCT] = "struct",
};

const char *value_type_name(enum value_type t)
{
	return t >= 0 && t < VALUE_TYPE_COUNT ? type_names[t] : "unknown";
}

static bool is_list(const struct value *v)
{
	return v && (v->type == VALUE_ARRAY || v->type == VALUE_STRUCT);
}

static bool is_bytes(const struct value *v)
{
	return v && (v->type == VALUE_STRING || v->type == VALUE_BASE64);
}

void value_free(struct value *v)
{
	if (!v)
		return;
	if (is_bytes(v)) {
		secret_wipe(v->bytes.ptr, v->bytes.len);
		free(v->bytes.ptr);
	}
	if (is_list(v)) {
		for (size_t i = 0; i < v->list.count; i++) {
			value_free(v->list.items[i]);
			if (v->list.names)
				free(v->list.names[i]);
		}
		free(v->list.items);
		free(v->list.names);
	}
	free(v);
}

bool value_complete(const struct value *v)
{
	if (!v || v->lost)
		return false;
	for (size_t i = 0; i < value_count(v); i++)
		if (!value_complete(v->list.items[i]))
			return false;
	return true;
}

static struct value *value_new(enum value_type type)
{
	struct value *v = calloc(1, sizeof(*v));

	if (v)
		v->type = type;
	return v;
}

static struct value *new_bytes(enum value_type type, struct view from)
{
	struct value *v = value_new(type);

	if (!v)
		return NULL;
	v->bytes.ptr = malloc(from.len + 1);
	if (!v->bytes.ptr) {
		free(v);
		return NULL;
	}
	if (from.len)
		memcpy(v->bytes.ptr, from.ptr, from.len);
	v->bytes.ptr[from.len] = '\0';
	v->bytes.len = from.len;
	return v;
}

struct value *value_new_int(int32_t i)
{
	struct value *v = value_new(VALUE_INT);

	if (v)
		v->i = i;
	return v;
}

struct value *value_new_boolean(bool b)
{
	struct value *v = value_new(VALUE_BOOLEAN);

	if (v)
		v->b = b;
	return v;
}

struct value *value_new_string(const char *s)
{
	return new_bytes(VALUE_STRING, view_str(s));
}

struct value *value_new_text(struct view s)
{
	return new_bytes(VALUE_STRING, s);
}

struct value *value_new_double(double d)
{
	struct value *v = value_new(VALUE_DOUBLE);

	if (v)
		v->d = d;
	return v;
}

struct value *value_new_time(time_t t)
{
	struct value *v = value_new(VALUE_TIME);

	if (v)
		v->t = t;
	return v;
}

struct value *value_new_base64(struct view bytes)
{
	return new_bytes(VALUE_BASE64, bytes);
}

struct value *value_new_array(void)
{
	return value_new(VALUE_ARRAY);
}

struct value *value_new_struct(void)
{
	return value_new(VALUE_STRUCT);
}

static bool list_reserve(struct value *v)
{
	size_t cap = v->list.cap ? v->list.cap * 2 : 8;
	struct value **items;
	char **names;

	if (v->list.count < v->list.cap)
		return true;
	items = realloc(v->list.items, cap * sizeof(*items));
	if (!items)
		return false;
	v->list.items = items;
	if (v->type == VALUE_STRUCT) {
		names = realloc(v->list.names, cap * sizeof(*names));
		if (!names)
			return false;
		v->list.names = names;
	}
	v->list.cap = cap;
	return true;
}

static void list_append(struct value *list, char *name, struct value *v)
{
	if (!list_reserve(list)) {
		list->lost = true;
		free(name);
		value_free(v);
		return;
	}
	if (list->type == VALUE_STRUCT)
		list->list.names[list->list.count] = name;
	list->list.items[list->list.count++] = v;
}

void value_add(struct value *array, struct value *v)
{
	if (!value_is(array, VALUE_ARRAY) || !v) {
		if (array)
			array->lost = true;
		value_free(v);
		return;
	}
	list_append(array, NULL, v);
}

void value_put(struct value *structure, const char *name, struct value *v)
{
	char *copy = v ? strdup(name) : NULL;

	if (!value_is(structure, VALUE_STRUCT) || !copy) {
		if (structure)
			structure->lost = true;
		free(copy);
		value_free(v);
		return;
	}
	list_append(structure, copy, v);
}

struct value *value_take_item(struct value *array, size_t i)
{
	struct value *v;

	if (!value_is(array, VALUE_ARRAY) || i >= array->list.count)
		return NULL;
	v = array->list.items[i];
	array->list.count--;
	memmove(array->list.items + i, array->list.items + i + 1,
		(array->list.count - i) * sizeof(v));
	return v;
}

void value_put_int(struct value *structure, const char *name, int32_t i)
{
	value_put(structure, name, value_new_int(i));
}

void value_put_boolean(struct value *structure, const char *name, bool b)
{
	value_put(structure, name, value_new_boolean(b));
}

void value_put_string(struct value *structure, const char *name, const char *s)
{
	value_put(structure, name, value_new_string(s));
}

void value_put_time(struct value *structure, const char *name, time_t t)
{
	value_put(structure, name, value_new_time(t));
}

/* The last item, unless it was lost on the way in. */
static struct value *last_item(struct value *list)
{
	return list && !list->lost ? list->list.items[list->list.count - 1]
				   : NULL;
}

struct value *value_put_array(struct value *structure, const char *name)
{
	value_put(structure, name, value_new_array());
	return last_item(structure);
}

struct value *value_put_struct(struct value *structure, const char *name)
{
	value_put(structure, name, value_new_struct());
	return last_item(structure);
}

void value_add_string(struct value *array, const char *s)
{
	value_add(array, value_new_string(s));
}

struct value *value_add_struct(struct value *array)
{
	value_add(array, value_new_struct());
	return last_item(array);
}

enum value_type value_type(const struct value *v)
{
	return v->type;
}

bool value_is(const struct value *v, enum value_type t)
{
	return v && v->type == t;
}

int32_t value_int(const struct value *v)
{
	return value_is(v, VALUE_INT) ? v->i : 0;
}

bool value_boolean(const struct value *v)
{
	return value_is(v, VALUE_BOOLEAN) && v->b;
}

double value_double(const struct value *v)
{
	return value_is(v, VALUE_DOUBLE) ? v->d : 0;
}

time_t value_time(const struct value *v)
{
	return value_is(v, VALUE_TIME) ? v->t : 0;
}

const char *value_string(const struct value *v)
{
	return value_is(v, VALUE_STRING) ? (const char *)v->bytes.ptr : "";
}

struct view value_bytes(const struct value *v)
{
	return is_bytes(v) ? view_of(v->bytes.ptr, v->bytes.len)
			   : view_of(NULL, 0);
}

size_t value_count(const struct value *v)
{
	return is_list(v) ? v->list.count : 0;
}

const struct value *value_item(const struct value *v, size_t i)
{
	return i < value_count(v) ? v->list.items[i] : NULL;
}

const char *value_item_name(const struct value *structure, size_t i)
{
	return value_is(structure, VALUE_STRUCT) && i < structure->list.count
		   ? structure->list.names[i]
		   : "";
}

const struct value *value_member(const struct value *structure,
				 const char *name)
{
	if (!value_is(structure, VALUE_STRUCT))
		return NULL;
	for (size_t i = 0; i < structure->list.count; i++)
		if (!strcmp(structure->list.names[i], name))
			return structure->list.items[i];
	return NULL;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, since a stranger chooses how many there are. */
const char *value_duplicate_name(const struct value *structure)
{
	size_t n =
	    value_is(structure, VALUE_STRUCT) ? structure->list.count : 0;
	const char *found = NULL;
	const char **names;

	if (n < 2)
		return NULL;
	names = malloc(n * sizeof(*names));
	if (!names)
		return structure->list.names[0]; /* cannot tell: refuse */
	for (size_t i = 0; i < n; i++)
		names[i] = structure->list.names[i];
	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 1; i < n && !found; i++)
		if (!strcmp(names[i - 1], names[i]))
			found = names[i];
	free(names);
	return found;
}
