/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/method.h"

#include <stdio.h>
#include <string.h>

/* What the methods say about themselves, out of their rows, and several calls
 * in one. Called without a struct these answer in the form of the introspection
 * convention (an array, a string), which libraries expect; with one, in a
 * struct like everything else.
 */

static struct value *list_methods(struct call *c, struct error *e)
{
	struct value *names = value_new_array(), *s;
	const struct method *m;

	(void)e;
	for (size_t i = 0; (m = method_at(i)); i++)
		value_add_string(names, m->name);
	if (c->bare)
		return names;
	s = value_new_struct();
	value_put(s, "methods", names);
	return s;
}

static const struct method *named_method(struct call *c, struct error *e)
{
	const char *name = value_string(value_member(c->params, "methodName"));
	const struct method *m = method_find(name);

	if (!m)
		error_set(e, ERR_INPUT, "methodName: no method %s", name);
	return m;
}

static int describe_param(struct buf *out, const struct param *p,
			  struct error *e)
{
	if (buf_addf(out, e, "\n  %s (%s%s", p->name, value_type_name(p->type),
		     p->required ? "" : ", optional") < 0)
		return -1;
	if (p->type == VALUE_STRING && !p->choices &&
	    buf_addf(out, e, ", at most %u characters",
		     p->chars ? p->chars : PARAM_CHARS_MAX) < 0)
		return -1;
	if (p->choices && buf_addf(out, e, ", %s", p->choices) < 0)
		return -1;
	if (p->least != p->most &&
	    buf_addf(out, e, ", %d to %d", p->least, p->most) < 0)
		return -1;
	return buf_addf(out, e, ")%s%s", p->help ? " " : "",
			p->help ? p->help : "");
}

static int describe(struct buf *out, const struct method *m, struct error *e)
{
	if (buf_addf(out, e, "%s\nPrivilege: %s\nParameters:", m->help,
		     m->privilege == PRIVILEGE_NONE
			 ? "none"
			 : privilege_name(m->privilege)) < 0)
		return -1;
	if (!m->params && buf_adds(out, " none", e) < 0)
		return -1;
	for (const struct param *p = m->params; p && p->name; p++)
		if (describe_param(out, p, e) < 0)
			return -1;
	return buf_addf(out, e, "\nResult: %s",
			m->result ? m->result : "status");
}

static struct value *method_help(struct call *c, struct error *e)
{
	const struct method *m = named_method(c, e);
	struct value *text = NULL, *s;
	struct buf out;

	buf_init(&out, 65536);
	if (m && describe(&out, m, e) == 0)
		text = value_new_string(buf_cstr(&out));
	buf_free(&out);
	if (!text || c->bare)
		return text;
	s = value_new_struct();
	value_put_string(s, "methodName", m->name);
	value_put(s, "help", text);
	return s;
}

static void add_rows(struct value *list, const struct param *rows,
		     const char *prefix);

static void add_row(struct value *list, const struct param *p, const char *path)
{
	struct value *s = value_add_struct(list);
	char inner[160];

	value_put_string(s, "name", path);
	value_put_string(s, "type", value_type_name(p->type));
	value_put_boolean(s, "required", p->required);
	if (p->choices)
		value_put_string(s, "choices", p->choices);
	if (p->help)
		value_put_string(s, "help", p->help);
	if (p->inside && p->type == VALUE_ARRAY) {
		snprintf(inner, sizeof(inner), "%s[]", path);
		add_row(list, p->inside, inner);
	} else if (p->inside) {
		snprintf(inner, sizeof(inner), "%s.", path);
		add_rows(list, p->inside, inner);
	}
}

static void add_rows(struct value *list, const struct param *rows,
		     const char *prefix)
{
	char path[160];

	for (; rows && rows->name; rows++) {
		snprintf(path, sizeof(path), "%s%s", prefix, rows->name);
		add_row(list, rows, path);
	}
}

/* The convention: one or more signatures, each the types of result and
 * parameters. Ours has one: a struct for a struct. */
static struct value *plain_signature(void)
{
	struct value *signatures = value_new_array();
	struct value *signature = value_new_array();

	value_add_string(signature, "struct");
	value_add_string(signature, "struct");
	value_add(signatures, signature);
	return signatures;
}

static struct value *method_signature(struct call *c, struct error *e)
{
	const struct method *m = named_method(c, e);
	struct value *s;

	if (!m)
		return NULL;
	if (c->bare)
		return plain_signature();
	s = value_new_struct();
	value_put_string(s, "methodName", m->name);
	value_put_string(s, "privilege", privilege_name(m->privilege));
	value_put_boolean(s, "changes", (m->flags & METHOD_CHANGES) != 0);
	add_rows(value_put_array(s, "parameters"), m->params, "");
	value_put_string(s, "result", m->result ? m->result : "status");
	return s;
}

/* --- several calls in one --- */

enum { BATCH_CALLS_MAX = 16 };

static struct value *batch(struct call *c, struct error *e)
{
	const struct value *calls = value_member(c->params, "calls");
	struct value *s, *results;

	if (value_count(calls) > BATCH_CALLS_MAX) {
		error_set(e, ERR_INPUT, "calls: more than %d", BATCH_CALLS_MAX);
		return NULL;
	}
	s = value_new_struct();
	results = value_put_array(s, "results");
	for (size_t i = 0; i < value_count(calls); i++) {
		const struct value *one = value_item(calls, i);

		call_inside(c, value_string(value_member(one, "methodName")),
			    value_member(one, "params"),
			    value_add_struct(results));
	}
	return s;
}

static const struct param batch_members[] = {
	{ .name = "methodName",
	  .type = VALUE_STRING,
	  .required = true,
	  .chars = 96 },
	{ .name = "params", .type = VALUE_STRUCT },
	{ 0 },
};

static const struct param batch_row = { .name = "call",
					.type = VALUE_STRUCT,
					.inside = batch_members };

static const struct param batch_rows[] = {
	{ .name = "calls",
	  .type = VALUE_ARRAY,
	  .required = true,
	  .inside = &batch_row,
	  .help = "At most 16, done one after the other; none that is open to "
		  "all." },
	{ 0 },
};

static const struct param name_rows[] = {
	{ .name = "methodName",
	  .type = VALUE_STRING,
	  .required = true,
	  .chars = 96,
	  .help = "Name of a method." },
	{ 0 },
};

const struct method methods_system[] = {
	{ "system.listMethods", PRIVILEGE_NONE, METHOD_TAKES_BARE, NULL,
	  list_methods, "methods array of string", "Names of all methods." },
	{ "system.methodHelp", PRIVILEGE_NONE, METHOD_TAKES_BARE, name_rows,
	  method_help, "methodName, help string",
	  "What a method does, its parameters and its result, as text." },
	{ "system.methodSignature", PRIVILEGE_NONE, METHOD_TAKES_BARE,
	  name_rows, method_signature,
	  "methodName, privilege; changes boolean: leaves a record in the "
	  "audit log, and is not done without; parameters array of name, type, "
	  "required, choices, help; result",
	  "Parameters of a method with their types; members of a struct as "
	  "\"subject.cn\", elements of an array as \"names[]\"." },
	{ "system.batch", PRIVILEGE_ANY_USER, 0, batch_rows, batch,
	  "results array of struct: result struct, or faultCode int and "
	  "faultString string",
	  "Several calls in one request, as one caller. One that fails does "
	  "not keep the others." },
	{ 0 },
};
