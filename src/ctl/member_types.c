/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/member_types.h"

#include <stdlib.h>
#include <string.h>

struct member_types {
	struct xmlrpc_response reply;
};

struct member_types *member_types_query(struct client *c, const char *method)
{
	struct member_types *t = calloc(1, sizeof(*t));
	struct value *params = value_new_struct();
	struct error e = ERROR_INIT;

	value_put_string(params, "methodName", method);
	/* An unknown method is complained about when it is called itself. */
	if (t && client_call(c, "system.methodSignature", params, &t->reply,
			     &e) < 0) {
		free(t);
		t = NULL;
	}
	value_free(params);
	return t;
}

void member_types_free(struct member_types *t)
{
	if (t)
		xmlrpc_response_free(&t->reply);
	free(t);
}

static enum value_type type_of(const char *name)
{
	for (int t = 0; t < VALUE_TYPE_COUNT; t++)
		if (!strcmp(value_type_name((enum value_type)t), name))
			return (enum value_type)t;
	return VALUE_TYPE_COUNT;
}

enum value_type member_types_find(void *arg, const char *path)
{
	const struct member_types *t = arg;
	const struct value *rows =
	    t ? value_member(t->reply.result, "parameters") : NULL;

	for (size_t i = 0; i < value_count(rows); i++) {
		const struct value *row = value_item(rows, i);

		if (!strcmp(value_string(value_member(row, "name")), path))
			return type_of(value_string(value_member(row, "type")));
	}
	return VALUE_TYPE_COUNT;
}
