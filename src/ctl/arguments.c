/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/arguments.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/xmlrpc.h"
#include "base/secret.h"

enum { ELEMENTS_MAX = 1000 };

/* A struct (named children), an array (unnamed ones) or a leaf. struct value
 * cannot grow in the middle, so that the tree is collected here first. */
struct node {
	char *name;
	struct value *leaf;
	bool is_array;
	struct node *first, *next;
};

struct parse {
	const char *whole; /* the argument, for messages up to its '=' */
	char path[XMLRPC_NAME_MAX * 2]; /* indices left out */
	argument_type_fn *type_of;
	void *type_arg;
	struct error *e;
};

static void node_free(struct node *n)
{
	struct node *child, *next;

	if (!n)
		return;
	for (child = n->first; child; child = next) {
		next = child->next;
		node_free(child);
	}
	value_free(n->leaf);
	free(n->name);
	free(n);
}

static int wrong(struct parse *p, const char *why)
{
	return error_set(p->e, ERR_INPUT, "%.*s: %s",
			 (int)strcspn(p->whole, "="), p->whole, why);
}

static struct node *add_child(struct node *parent, const char *name, size_t len,
			      struct parse *p)
{
	struct node **at = &parent->first;
	struct node *n = calloc(1, sizeof(*n));

	if (!n || (name && !(n->name = strndup(name, len)))) {
		error_nomem(p->e);
		node_free(n);
		return NULL;
	}
	while (*at)
		at = &(*at)->next;
	*at = n;
	return n;
}

static struct node *named_child(struct node *parent, const char *name,
				size_t len, struct parse *p)
{
	if (parent->leaf || parent->is_array) {
		wrong(p, "is given as a struct and as something else");
		return NULL;
	}
	for (struct node *n = parent->first; n; n = n->next)
		if (strlen(n->name) == len && !memcmp(n->name, name, len))
			return n;
	return add_child(parent, name, len, p);
}

/* text stands behind the '[': digits or nothing, then ']'. */
static struct node *element(struct node *array, const char *text,
			    const char **end_out, struct parse *p)
{
	unsigned long wanted = ELEMENTS_MAX, at = 0;
	struct node *n;
	char *end;

	if (array->leaf || (array->first && !array->is_array)) {
		wrong(p, "is given as an array and as something else");
		return NULL;
	}
	array->is_array = true;
	if (isdigit((unsigned char)*text)) {
		wanted = strtoul(text, &end, 10);
		text = end;
	}
	if (*text != ']') {
		wrong(p, "an index is a number in brackets");
		return NULL;
	}
	*end_out = text + 1;
	for (n = array->first; n; n = n->next)
		if (at++ == wanted)
			return n;
	if (wanted != ELEMENTS_MAX && at != wanted) {
		wrong(p, "the elements before this one are missing");
		return NULL;
	}
	if (at == ELEMENTS_MAX) {
		wrong(p, "too many elements");
		return NULL;
	}
	return add_child(array, NULL, 0, p);
}

/* Follow (and make) the path up to ':' or '='; *end_out is left there. */
static struct node *walk(struct node *root, const char *text,
			 const char **end_out, struct parse *p)
{
	unsigned depth = 0;
	size_t len, used = 0;

	for (;; text++) {
		len = strcspn(text, ".[:=");
		if (len == 0) {
			wrong(p, "a name is missing");
			return NULL;
		}
		if (++depth > ARGUMENT_NESTING_MAX ||
		    used + len + 2 > sizeof(p->path)) {
			wrong(p, "too deep or too long");
			return NULL;
		}
		used +=
		    (size_t)snprintf(p->path + used, sizeof(p->path) - used,
				     "%s%.*s", used ? "." : "", (int)len, text);
		root = named_child(root, text, len, p);
		text += len;
		while (root && *text == '[') {
			root = element(root, text + 1, &text, p);
			used += (size_t)snprintf(p->path + used,
						 sizeof(p->path) - used, "[]");
			if (++depth > ARGUMENT_NESTING_MAX ||
			    used + 1 > sizeof(p->path)) {
				wrong(p, "too deep or too long");
				return NULL;
			}
		}
		if (!root)
			return NULL;
		if (*text != '.')
			break;
	}
	*end_out = text;
	return root;
}

static enum value_type type_from_name(const char *name, size_t len)
{
	for (int t = 0; t < VALUE_TYPE_COUNT; t++) {
		const char *known = value_type_name((enum value_type)t);

		if (strlen(known) == len && !memcmp(known, name, len) &&
		    t != VALUE_ARRAY && t != VALUE_STRUCT)
			return (enum value_type)t;
	}
	return VALUE_TYPE_COUNT;
}

static struct value *make_int(const char *text, struct parse *p)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (end == text || *end || errno || n < INT32_MIN || n > INT32_MAX) {
		wrong(p, "not an integer");
		return NULL;
	}
	return value_new_int((int32_t)n);
}

static struct value *make_boolean(const char *text, struct parse *p)
{
	static const char *const words[] = { "false", "true", "no", "yes",
					     "off",   "on",   "0",  "1" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(text, words[i]))
			return value_new_boolean(i % 2);
	wrong(p, "not a boolean (true or false)");
	return NULL;
}

static struct value *make_double(const char *text, struct parse *p)
{
	char *end;
	double d = strtod(text, &end);

	if (end == text || *end || !isfinite(d)) {
		wrong(p, "not a number");
		return NULL;
	}
	return value_new_double(d);
}

bool argument_time(const char *text, time_t *out)
{
	static const char *const forms[] = { "%Y%m%dT%H:%M:%S",
					     "%Y-%m-%dT%H:%M:%SZ",
					     "%Y-%m-%dT%H:%M:%S" };

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct tm tm = { 0 };
		const char *end = strptime(text, forms[i], &tm);

		if (end && !*end) {
			*out = timegm(&tm);
			return true;
		}
	}
	return false;
}

static struct value *make_time(const char *text, struct parse *p)
{
	time_t t;

	if (argument_time(text, &t))
		return value_new_time(t);
	wrong(p, "not a time like 20261121T09:15:00");
	return NULL;
}

static struct value *make_leaf(enum value_type type, struct view bytes,
			       struct parse *p)
{
	const char *text = (const char *)bytes.ptr;

	if (type == VALUE_BASE64)
		return value_new_base64(bytes);
	if (memchr(bytes.ptr, 0, bytes.len)) {
		wrong(p, "holds a NUL character, which no text can");
		return NULL;
	}
	switch (type) {
	case VALUE_INT: return make_int(text, p);
	case VALUE_BOOLEAN: return make_boolean(text, p);
	case VALUE_DOUBLE: return make_double(text, p);
	case VALUE_TIME: return make_time(text, p);
	case VALUE_ARRAY: wrong(p, "is an array: write name[]=value"); break;
	case VALUE_STRUCT:
		wrong(p, "is a struct: write name.member=value");
		break;
	default: return value_new_text(bytes);
	}
	return NULL;
}

static int read_all(int fd, const char *path, struct buf *out, struct error *e)
{
	char bytes[4096];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(e, "%s", path);
		if (buf_add(out, bytes, (size_t)n, e) < 0)
			return error_prefix(e, "%s", path);
	}
	secret_wipe(bytes, sizeof(bytes));
	return 0;
}

int argument_read_file(const char *path, struct buf *out, struct error *e)
{
	int fd, rc;

	if (!strcmp(path, "-"))
		return read_all(STDIN_FILENO, "standard input", out, e);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(e, "%s", path);
	rc = read_all(fd, path, out, e);
	close(fd);
	return rc;
}

/* The text behind '=' into out. */
static int take_value(const char *text, enum value_type type, struct buf *out,
		      struct parse *p)
{
	if (text[0] != '@' || text[1] == '@')
		return buf_adds(out, text + (text[0] == '@'), p->e);
	if (argument_read_file(text + 1, out, p->e) < 0)
		return -1;
	if (type != VALUE_BASE64 && out->len && out->ptr[out->len - 1] == '\n')
		out->ptr[--out->len] = '\0';
	if (type != VALUE_BASE64 && out->len && out->ptr[out->len - 1] == '\r')
		out->ptr[--out->len] = '\0';
	return 0;
}

static int add_argument(struct node *root, struct parse *p)
{
	enum value_type type = VALUE_TYPE_COUNT;
	struct buf bytes;
	const char *at;
	struct node *n;
	int rc = -1;

	n = walk(root, p->whole, &at, p);
	if (!n)
		return -1;
	if (n->leaf || n->first)
		return wrong(p, "is given twice");
	if (*at == ':') {
		size_t len = strcspn(++at, "=");

		type = type_from_name(at, len);
		if (type == VALUE_TYPE_COUNT)
			return wrong(p, "unknown type");
		at += len;
	} else if (p->type_of) {
		type = p->type_of(p->type_arg, p->path);
	}
	if (*at != '=')
		return wrong(p, "has no =");
	buf_init_secret(&bytes, ARGUMENT_FILE_MAX);
	if (take_value(at + 1, type, &bytes, p) == 0) {
		error_clear(p->e);
		n->leaf =
		    make_leaf(type, view_of(buf_cstr(&bytes), bytes.len), p);
		if (n->leaf)
			rc = 0;
		else if (p->e->kind == ERR_NONE)
			error_nomem(p->e);
	}
	buf_free(&bytes);
	return rc;
}

static struct value *to_value(struct node *n)
{
	struct value *v;

	if (n->leaf) {
		v = n->leaf;
		n->leaf = NULL;
		return v;
	}
	v = n->is_array ? value_new_array() : value_new_struct();
	for (struct node *child = n->first; v && child; child = child->next) {
		if (n->is_array)
			value_add(v, to_value(child));
		else
			value_put(v, child->name, to_value(child));
	}
	return v;
}

struct value *arguments_to_struct(char *const *args, size_t count,
				  argument_type_fn *type_of, void *type_arg,
				  struct error *e)
{
	struct node *root = calloc(1, sizeof(*root));
	struct value *v = NULL;

	if (!root) {
		error_nomem(e);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		struct parse p = { .whole = args[i],
				   .type_of = type_of,
				   .type_arg = type_arg,
				   .e = e };

		if (add_argument(root, &p) < 0)
			goto out;
	}
	v = to_value(root);
	if (!value_complete(v)) {
		value_free(v);
		v = NULL;
		error_nomem(e);
	}
out:
	node_free(root);
	return v;
}
