/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/xmlrpc_parse.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <stdlib.h>
#include <string.h>

#include "api/xmlrpc_guard.h"
#include "api/xmlrpc_memory.h"
#include "api/xmlrpc_scalar.h"
#include "base/secret.h"

/* A state machine over libxml2's SAX events: no tree of XML is ever built, and
 * only elements that have a row here are met with anything but refusal. */

enum node {
	NODE_DOCUMENT,
	NODE_CALL,
	NODE_RESPONSE,
	NODE_METHOD_NAME,
	NODE_PARAMS,
	NODE_PARAM,
	NODE_FAULT,
	NODE_VALUE,
	NODE_SCALAR,
	NODE_STRUCT,
	NODE_MEMBER,
	NODE_NAME,
	NODE_ARRAY,
	NODE_DATA
};

static const struct rule {
	enum node parent;
	const char *element;
	enum node child;
	unsigned most; /* how many of this kind there; 0: no limit here */
} rules[] = {
	{ NODE_CALL, "methodName", NODE_METHOD_NAME, 1 },
	{ NODE_CALL, "params", NODE_PARAMS, 1 },
	{ NODE_RESPONSE, "params", NODE_PARAMS, 1 },
	{ NODE_RESPONSE, "fault", NODE_FAULT, 1 },
	{ NODE_PARAMS, "param", NODE_PARAM, 0 },
	{ NODE_PARAM, "value", NODE_VALUE, 1 },
	{ NODE_FAULT, "value", NODE_VALUE, 1 },
	{ NODE_VALUE, "int", NODE_SCALAR, 1 },
	{ NODE_VALUE, "i4", NODE_SCALAR, 1 },
	{ NODE_VALUE, "boolean", NODE_SCALAR, 1 },
	{ NODE_VALUE, "string", NODE_SCALAR, 1 },
	{ NODE_VALUE, "double", NODE_SCALAR, 1 },
	{ NODE_VALUE, "dateTime.iso8601", NODE_SCALAR, 1 },
	{ NODE_VALUE, "base64", NODE_SCALAR, 1 },
	{ NODE_VALUE, "struct", NODE_STRUCT, 1 },
	{ NODE_VALUE, "array", NODE_ARRAY, 1 },
	{ NODE_STRUCT, "member", NODE_MEMBER, 0 },
	{ NODE_MEMBER, "name", NODE_NAME, 1 },
	{ NODE_MEMBER, "value", NODE_VALUE, 1 },
	{ NODE_ARRAY, "data", NODE_DATA, 1 },
	{ NODE_DATA, "value", NODE_VALUE, 0 },
};

/* value, struct, member and value, array, data: at most three a level. */
enum { FRAMES_MAX = 3 * XMLRPC_NESTING_MAX + 8 };
enum { RULE_COUNT = sizeof(rules) / sizeof(*rules) };

struct frame {
	enum node node;
	const char *element; /* of the rule */
	uint32_t seen;       /* bit set of rules met inside */
	struct value *value; /* the container, or what a value element holds */
	char *name;          /* of a member */
};

struct parser {
	xmlParserCtxtPtr xml;
	const char *root; /* the only root element taken */
	enum node root_node;
	struct frame stack[FRAMES_MAX];
	unsigned depth; /* frames in use */
	unsigned nesting, items, items_max;
	struct buf text; /* since the last tag */
	struct xmlrpc_document *out;
	bool failed;
	struct error *e;
};

static unsigned line_now(const struct parser *p)
{
	return p->xml->input && p->xml->input->line > 0
		   ? (unsigned)p->xml->input->line
		   : 0;
}

/* The first reason counts; libxml2 is told to stop. */
static void fail(struct parser *p, enum error_kind kind, const char *what,
		 const char *detail)
{
	if (p->failed)
		return;
	p->failed = true;
	error_set(p->e, kind, "line %u: %s%s%s", line_now(p), what,
		  detail ? " " : "", detail ? detail : "");
	xmlStopParser(p->xml);
}

/* The reason is in p->e already. */
static void fail_set(struct parser *p)
{
	if (p->failed)
		return;
	p->failed = true;
	error_prefix(p->e, "line %u", line_now(p));
	xmlStopParser(p->xml);
}

static struct frame *top(struct parser *p)
{
	return &p->stack[p->depth - 1];
}

/* Not buf_clear(), which wipes all it ever allocated: a stranger would choose
 * how often that happens. */
static void text_clear(struct parser *p)
{
	secret_wipe(p->text.ptr, p->text.len);
	p->text.len = 0;
}

static bool text_is_blank(const struct parser *p)
{
	for (size_t i = 0; i < p->text.len; i++)
		if (!strchr(" \t\r\n", p->text.ptr[i]))
			return false;
	return true;
}

static const struct rule *rule_find(enum node parent, const char *element)
{
	for (size_t i = 0; i < RULE_COUNT; i++)
		if (rules[i].parent == parent &&
		    !strcmp(rules[i].element, element))
			return &rules[i];
	return NULL;
}

/* A value element holds one type, a response either params or a fault: there
 * whatever was met excludes the rest. */
static bool is_too_many(const struct frame *f, const struct rule *r)
{
	if (f->node == NODE_VALUE || f->node == NODE_RESPONSE)
		return f->seen != 0;
	return r->most == 1 && (f->seen >> (r - rules) & 1);
}

static void push(struct parser *p, enum node node, const char *element)
{
	if (p->depth == FRAMES_MAX) {
		fail(p, ERR_LIMIT, "too deep", NULL);
		return;
	}
	p->stack[p->depth++] = (struct frame){
		.node = node,
		.element = element,
	};
	if (node == NODE_VALUE && ++p->nesting > XMLRPC_NESTING_MAX)
		fail(p, ERR_LIMIT, "values nested too deep", NULL);
	if (node == NODE_MEMBER ||
	    (node == NODE_VALUE && p->stack[p->depth - 2].node == NODE_DATA))
		if (++p->items > p->items_max)
			fail(p, ERR_LIMIT, "too many members and elements",
			     NULL);
	if (node == NODE_STRUCT || node == NODE_DATA || node == NODE_PARAMS) {
		top(p)->value = node == NODE_STRUCT ? value_new_struct()
						    : value_new_array();
		if (!top(p)->value)
			fail(p, ERR_NOMEM, "out of memory", NULL);
	}
}

static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix,
		     const xmlChar *uri, int ns_count, const xmlChar **ns,
		     int attr_count, int defaulted, const xmlChar **attrs)
{
	struct parser *p = arg;
	const char *element = (const char *)name;
	const struct rule *r;

	(void)uri, (void)ns_count, (void)ns, (void)attr_count;
	(void)defaulted, (void)attrs;
	if (p->failed)
		return;
	if (!text_is_blank(p)) {
		fail(p, ERR_INPUT, "text before", element);
		return;
	}
	text_clear(p);
	if (p->depth == 1 && !prefix && !strcmp(element, p->root)) {
		push(p, p->root_node, p->root);
		return;
	}
	r = prefix ? NULL : rule_find(top(p)->node, element);
	if (!r) {
		fail(p, ERR_INPUT,
		     top(p)->node == NODE_VALUE ? "unknown type"
						: "unexpected element",
		     element);
		return;
	}
	if (is_too_many(top(p), r)) {
		fail(p, ERR_INPUT, "one too many:", element);
		return;
	}
	top(p)->seen |= 1U << (r - rules);
	push(p, r->child, r->element);
}

static void end_method_name(struct parser *p)
{
	struct view name = buf_view(&p->text);

	if (name.len == 0 || name.len > XMLRPC_METHOD_MAX) {
		fail(p, ERR_INPUT, "bad method name", NULL);
		return;
	}
	memcpy(p->out->method, name.ptr, name.len);
	p->out->method[name.len] = '\0';
}

static void end_name(struct parser *p)
{
	struct frame *member = &p->stack[p->depth - 2];

	if (p->text.len > XMLRPC_NAME_MAX) {
		fail(p, ERR_LIMIT, "a member name too long", NULL);
		return;
	}
	member->name = strdup(buf_cstr(&p->text));
	if (!member->name)
		fail(p, ERR_NOMEM, "out of memory", NULL);
}

static void end_scalar(struct parser *p)
{
	struct frame *value = &p->stack[p->depth - 2];

	value->value = xmlrpc_scalar(top(p)->element, buf_view(&p->text), p->e);
	if (!value->value)
		fail_set(p);
}

/* Hand what a value element holds to what it stands in. */
static void end_value(struct parser *p)
{
	struct frame *f = top(p), *parent = f - 1;
	struct value *v = f->value;

	if (!v && f->seen == 0)
		v = value_new_text(buf_view(&p->text));
	if (!v) {
		fail(p, ERR_NOMEM, "out of memory", NULL);
		return;
	}
	f->value = NULL;
	p->nesting--;
	if (parent->node == NODE_DATA)
		value_add(parent->value, v);
	else if (parent->node == NODE_PARAM)
		value_add(parent[-1].value, v);
	else
		parent->value = v; /* member, fault */
}

static void end_member(struct parser *p)
{
	struct frame *f = top(p);

	if (!f->name || !f->value) {
		fail(p, ERR_INPUT, "a member without name or value", NULL);
		return;
	}
	value_put(f[-1].value, f->name, f->value);
	f->value = NULL;
	free(f->name);
	f->name = NULL;
}

/* struct, data: the container moves up into its value element. */
static void end_container(struct parser *p)
{
	struct frame *f = top(p);
	const char *twice = value_duplicate_name(f->value);

	if (twice) {
		fail(p, ERR_INPUT, "a struct has this member twice:", twice);
		return;
	}
	(f->node == NODE_DATA ? f - 2 : f - 1)->value = f->value;
	f->value = NULL;
}

static void end_holder(struct parser *p)
{
	struct frame *f = top(p);

	if (f->seen == 0)
		fail(p, ERR_INPUT, "nothing inside", f->element);
}

static void end_params(struct parser *p)
{
	p->out->params = top(p)->value;
	top(p)->value = NULL;
}

static void end_fault(struct parser *p)
{
	end_holder(p);
	p->out->fault = top(p)->value;
	top(p)->value = NULL;
}

static void (*const ends[])(struct parser *p) = {
	[NODE_METHOD_NAME] = end_method_name,
	[NODE_PARAMS] = end_params,
	[NODE_PARAM] = end_holder,
	[NODE_FAULT] = end_fault,
	[NODE_VALUE] = end_value,
	[NODE_SCALAR] = end_scalar,
	[NODE_STRUCT] = end_container,
	[NODE_MEMBER] = end_member,
	[NODE_NAME] = end_name,
	[NODE_ARRAY] = end_holder,
	[NODE_DATA] = end_container,
};

static bool keeps_text(const struct frame *f)
{
	return f->node == NODE_METHOD_NAME || f->node == NODE_NAME ||
	       f->node == NODE_SCALAR ||
	       (f->node == NODE_VALUE && f->seen == 0);
}

static void on_end(void *arg, const xmlChar *name, const xmlChar *prefix,
		   const xmlChar *uri)
{
	struct parser *p = arg;

	(void)prefix, (void)uri;
	if (p->failed)
		return;
	if (!keeps_text(top(p)) && !text_is_blank(p)) {
		fail(p, ERR_INPUT, "text inside", (const char *)name);
		return;
	}
	if (top(p)->node < sizeof(ends) / sizeof(*ends) && ends[top(p)->node])
		ends[top(p)->node](p);
	if (p->failed)
		return;
	text_clear(p);
	p->depth--;
}

static void on_text(void *arg, const xmlChar *text, int len)
{
	struct parser *p = arg;

	if (!p->failed && buf_add(&p->text, text, (size_t)len, p->e) < 0)
		fail_set(p);
}

static void on_xml_error(void *arg, xmlErrorPtr error)
{
	struct parser *p = arg;
	char text[160];
	size_t n;

	if (error->level < XML_ERR_ERROR)
		return;
	/* One line, without what libxml2 quotes of the document's end. */
	n = strcspn(error->message ? error->message : "bad XML", "\n");
	if (n >= sizeof(text))
		n = sizeof(text) - 1;
	memcpy(text, error->message ? error->message : "bad XML", n);
	text[n] = '\0';
	fail(p, error->code == XML_ERR_NO_MEMORY ? ERR_NOMEM : ERR_INPUT, text,
	     NULL);
}

static void release(struct parser *p)
{
	while (p->depth > 0) {
		p->depth--;
		value_free(p->stack[p->depth].value);
		free(p->stack[p->depth].name);
	}
	buf_free(&p->text);
}

static int open_context(struct parser *p, const struct buf *text)
{
	static const xmlSAXHandler events = {
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.serror = on_xml_error,
	};

	p->xml =
	    xmlCreateMemoryParserCtxt((const char *)text->ptr, (int)text->len);
	if (!p->xml)
		return error_nomem(p->e);
	if (xmlCtxtUseOptions(p->xml, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC))
		return error_set(p->e, ERR_INTERNAL, "libxml2 is too old");
	*p->xml->sax = events;
	p->xml->userData = p;
	return 0;
}

static int parse(struct parser *p, struct view body, const char *charset)
{
	struct buf text;
	int rc = -1;

	buf_init_secret(&text, 2 * (size_t)XMLRPC_RESPONSE_BYTES_MAX);
	if (xmlrpc_guard(body, charset, &text, &p->out->declares_utf8, p->e) <
	    0)
		goto out;
	buf_init_secret(&p->text, text.len);
	p->stack[p->depth++] = (struct frame){ .node = NODE_DOCUMENT };
	if (open_context(p, &text) < 0)
		goto out;
	xmlParseDocument(p->xml);
	if (!p->failed && !p->xml->wellFormed)
		fail(p, ERR_INPUT, "not well-formed XML", NULL);
	rc = p->failed ? -1 : 0;
out:
	if (p->xml)
		xmlFreeParserCtxt(p->xml);
	buf_free(&text);
	return rc;
}

int xmlrpc_parse(struct view body, const char *charset, const char *root,
		 struct xmlrpc_document *out, struct error *e)
{
	struct parser p = {
		.root = root,
		.root_node =
		    !strcmp(root, "methodCall") ? NODE_CALL : NODE_RESPONSE,
		.out = out,
		.e = e,
	};
	int rc;

	p.items_max = p.root_node == NODE_CALL ? XMLRPC_ITEMS_MAX
					       : XMLRPC_RESPONSE_ITEMS_MAX;
	memset(out, 0, sizeof(*out));
	xmlrpc_memory_setup();
	rc = parse(&p, body, charset);
	release(&p);
	if (rc < 0)
		xmlrpc_document_free(out);
	return rc;
}

void xmlrpc_document_free(struct xmlrpc_document *d)
{
	value_free(d->params);
	value_free(d->fault);
	d->params = d->fault = NULL;
}
