/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <libxml/parser.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "api/audit_xml_attributes.h"
#include "api/xmlrpc_memory.h"
#include "audit/audit_record.h"
#include "base/utf8.h"

/* A state machine over libxml2's SAX events, which are fed piece by piece: of
 * the document nothing is kept but the record in hand. */

enum node {
	NODE_DOCUMENT,
	NODE_ROOT,
	NODE_KEY,
	NODE_RECORD,
	NODE_TEXT, /* of a record */
	NODE_HEAD
};

/* The texts of a record in their order; the last is detail, or fields. */
static const char *const texts[] = { "module", "severity", "userName", "peer",
				     "via",    "event",    "detail" };
enum { TEXTS = sizeof(texts) / sizeof(*texts), DETAIL = TEXTS - 1 };

enum { PIECE = 64 * 1024, ATTRIBUTES_MAX = 16 };

struct reader {
	const struct audit_xml_events *events;
	struct error *e;
	bool failed;
	xmlParserCtxtPtr xml;

	enum node node;
	struct audit_xml_root root;
	struct buf key; /* PEM */
	bool has_key_element;

	struct audit_row row;
	struct buf text[TEXTS];
	unsigned step; /* texts of the record met */
	size_t fields; /* of them */
	uint64_t records;

	/* What is seen before libxml2 sees it. */
	uint64_t offset, line;
	size_t span;
	uint8_t previous;
};

/* --- errors --- */

static void name_place(struct reader *r, uint64_t line)
{
	if (r->node == NODE_RECORD || r->node == NODE_TEXT)
		error_prefix(r->e, "line %" PRIu64 ", record %" PRIu64, line,
			     r->row.number);
	else if (r->records)
		error_prefix(r->e, "line %" PRIu64 ", behind record %" PRIu64,
			     line, r->row.number);
	else
		error_prefix(r->e, "line %" PRIu64, line);
}

/* The first reason counts; libxml2 is told to stop. Without a place: it is the
 * error of a callback. */
static void stop(struct reader *r, bool place)
{
	xmlParserCtxtPtr xml = r->xml;

	if (r->failed)
		return;
	r->failed = true;
	if (place)
		name_place(r, xml->input && xml->input->line > 0
				  ? (uint64_t)xml->input->line
				  : r->line);
	xmlStopParser(xml);
}

static void fail(struct reader *r, enum error_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void fail(struct reader *r, enum error_kind kind, const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list ap;

	if (r->failed)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	error_set(r->e, kind, "%s", text);
	stop(r, true);
}

static void on_xml_error(void *arg, xmlErrorPtr error)
{
	const char *text = error->message ? error->message : "bad XML";

	if (error->level >= XML_ERR_ERROR)
		fail(arg,
		     error->code == XML_ERR_NO_MEMORY ? ERR_NOMEM : ERR_INPUT,
		     "%.*s", (int)strcspn(text, "\n"), text);
}

/* --- elements begin --- */

struct start {
	struct reader *r;
	const char *element;
	struct audit_xml_attribute list[ATTRIBUTES_MAX];
	size_t count;
};

static int start_root(struct start *s)
{
	struct audit_xml_root *root = &s->r->root;

	if (audit_xml_take_root(s->list, s->count, root, s->r->e) < 0)
		return -1;
	if (root->version != AUDIT_XML_VERSION)
		return error_set(s->r->e, ERR_UNSUPPORTED,
				 "the document is of version %" PRIu64
				 ", known is version %d",
				 root->version, AUDIT_XML_VERSION);
	if (strcmp(root->product, "Sealbridge") != 0)
		return error_set(s->r->e, ERR_INPUT,
				 "attribute product is not Sealbridge");
	s->r->node = NODE_ROOT;
	return 0;
}

static int start_key(struct start *s)
{
	if (s->r->has_key_element)
		return error_set(s->r->e, ERR_INPUT, "a second publicKey");
	s->r->has_key_element = true;
	s->r->node = NODE_KEY;
	return audit_xml_take_none(s->list, s->count, s->r->e);
}

static int need_key(const struct reader *r)
{
	return r->has_key_element
		   ? 0
		   : error_set(r->e, ERR_INPUT, "publicKey is missing");
}

static int start_record(struct start *s)
{
	struct reader *r = s->r;

	if (need_key(r) < 0 ||
	    audit_xml_take_record(s->list, s->count, &r->row, r->e) < 0)
		return -1;
	r->row.damaged = false;
	r->step = 0;
	r->fields = 0;
	for (int i = 0; i < TEXTS; i++)
		buf_clear(&r->text[i]);
	r->node = NODE_RECORD;
	return 0;
}

static int start_head(struct start *s)
{
	struct audit_head head = { 0 };

	s->r->node = NODE_HEAD;
	if (need_key(s->r) < 0 ||
	    audit_xml_take_head(s->list, s->count, &head, s->r->e) < 0)
		return -1;
	if (s->r->events->head(s->r->events->arg, &head, s->r->e) == 0)
		return 0;
	stop(s->r, false);
	return -1;
}

/* More than any record has makes the record wrong, not the document. */
static int add_text(struct reader *r, struct view v)
{
	struct buf *b = &r->text[r->step];

	if (v.len <= b->max - b->len)
		return buf_add(b, v.ptr, v.len, r->e);
	r->row.damaged = true;
	return 0;
}

static int start_field(struct start *s)
{
	struct audit_xml_field field = { "" };
	struct reader *r = s->r;

	if (audit_xml_take_field(s->list, s->count, &field, r->e) < 0)
		return -1;
	if (++r->fields > AUDIT_XML_FIELDS_MAX)
		return error_set(r->e, ERR_LIMIT, "more than %d fields",
				 AUDIT_XML_FIELDS_MAX);
	/* Else one field could be read as two. */
	if (strpbrk(field.name, "=\n") != NULL)
		r->row.damaged = true;
	r->node = NODE_TEXT;
	if ((r->fields > 1 && add_text(r, view_str("\n")) < 0) ||
	    add_text(r, view_str(field.name)) < 0)
		return -1;
	return add_text(r, view_str("="));
}

static int start_text(struct start *s)
{
	struct reader *r = s->r;
	bool fields = r->row.format == AUDIT_FORMAT_FIELDS;

	if (r->step == DETAIL && fields && !strcmp(s->element, "field"))
		return start_field(s);
	if (r->step == TEXTS || (r->step == DETAIL && fields) ||
	    strcmp(s->element, texts[r->step]) != 0)
		return error_set(
		    r->e, ERR_INPUT, "%.32s where %s belongs", s->element,
		    r->step == TEXTS              ? "the end of the record"
		    : r->step == DETAIL && fields ? "a field"
						  : texts[r->step]);
	r->node = NODE_TEXT;
	return audit_xml_take_none(s->list, s->count, r->e);
}

static const struct {
	enum node parent;
	const char *element; /* NULL: any */
	int (*start)(struct start *s);
} rules[] = {
	{ NODE_DOCUMENT, "auditLog", start_root },
	{ NODE_ROOT, "publicKey", start_key },
	{ NODE_ROOT, "record", start_record },
	{ NODE_ROOT, "head", start_head },
	{ NODE_RECORD, NULL, start_text },
};

/* Five pointers an attribute: name, prefix, URI, value, end of the value. */
static int collect(struct start *s, int count, const xmlChar **attributes)
{
	if (count > ATTRIBUTES_MAX)
		return error_set(s->r->e, ERR_LIMIT, "too many attributes");
	for (int i = 0; i < count; i++, attributes += 5) {
		if (attributes[1])
			return error_set(s->r->e, ERR_INPUT,
					 "there is no attribute %.32s:%.32s "
					 "here",
					 (const char *)attributes[1],
					 (const char *)attributes[0]);
		s->list[s->count++] = (struct audit_xml_attribute){
			(const char *)attributes[0],
			view_of(attributes[3],
				(size_t)(attributes[4] - attributes[3]))
		};
	}
	return 0;
}

static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix,
		     const xmlChar *uri, int ns_count, const xmlChar **ns,
		     int count, int defaulted, const xmlChar **attributes)
{
	struct reader *r = arg;
	struct start s = { .r = r, .element = (const char *)name };

	(void)uri, (void)ns, (void)defaulted;
	if (r->failed)
		return;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		if (prefix || ns_count || rules[i].parent != r->node ||
		    (rules[i].element &&
		     strcmp(rules[i].element, s.element) != 0))
			continue;
		if (collect(&s, count, attributes) < 0 ||
		    rules[i].start(&s) < 0) {
			error_prefix(r->e, "%.32s", s.element);
			stop(r, true);
		}
		return;
	}
	fail(r, ERR_INPUT, "unexpected element %.32s", s.element);
}

/* --- text, and elements end --- */

static bool is_blank(struct view v)
{
	for (size_t i = 0; i < v.len; i++)
		if (!memchr(" \t\r\n", v.ptr[i], 4))
			return false;
	return true;
}

static void on_text(void *arg, const xmlChar *text, int len)
{
	struct reader *r = arg;
	struct view v = view_of(text, (size_t)len);

	if (r->failed)
		return;
	if (r->node == NODE_TEXT) {
		/* No record of ours has any; a line end could make one field
		 * look like two. */
		if (!utf8_is_plain(v))
			r->row.damaged = true;
		if (add_text(r, v) < 0)
			stop(r, true);
	} else if (r->node == NODE_KEY) {
		if (buf_add(&r->key, v.ptr, v.len, r->e) < 0)
			stop(r, true);
	} else if (!is_blank(v)) {
		fail(r, ERR_INPUT, "text where none belongs");
	}
}

static void end_key(struct reader *r)
{
	struct audit_document d = {
		.host_name = r->root.host_name,
		.exported = r->root.exported,
		.first = r->root.first,
		.last = r->root.last,
		.public_key = buf_cstr(&r->key),
	};
	size_t digits = strlen(r->root.key_id);

	memcpy(d.anchor, r->root.anchor, sizeof(d.anchor));
	d.has_key = digits > 0;
	r->node = NODE_ROOT;
	if (d.has_key && hex_decode(r->root.key_id, d.key_id,
				    sizeof(d.key_id)) != (int)sizeof(d.key_id))
		fail(r, ERR_INPUT, "attribute keyId is not %zu hex digits",
		     2 * sizeof(d.key_id));
	else if (r->events->document(r->events->arg, &d, r->e) < 0)
		stop(r, false);
}

static void end_text(struct reader *r)
{
	r->node = NODE_RECORD;
	if (r->fields == 0)
		r->step++;
}

static void end_record(struct reader *r)
{
	struct audit_row *row = &r->row;

	if (r->step < DETAIL ||
	    (r->step == DETAIL && row->format != AUDIT_FORMAT_FIELDS)) {
		fail(r, ERR_INPUT, "%s is missing", texts[r->step]);
		return;
	}
	row->module = buf_cstr(&r->text[0]);
	row->severity = buf_cstr(&r->text[1]);
	row->user_name = buf_cstr(&r->text[2]);
	row->peer = buf_cstr(&r->text[3]);
	row->via = buf_cstr(&r->text[4]);
	row->event = buf_cstr(&r->text[5]);
	row->detail = buf_cstr(&r->text[DETAIL]);
	r->records++;
	r->node = NODE_ROOT;
	if (r->events->record(r->events->arg, row, r->e) < 0)
		stop(r, false);
}

static void on_end(void *arg, const xmlChar *name, const xmlChar *prefix,
		   const xmlChar *uri)
{
	struct reader *r = arg;

	(void)name, (void)prefix, (void)uri;
	if (r->failed)
		return;
	switch (r->node) {
	case NODE_KEY: end_key(r); break;
	case NODE_TEXT: end_text(r); break;
	case NODE_RECORD: end_record(r); break;
	case NODE_HEAD: r->node = NODE_ROOT; break;
	case NODE_ROOT:
		if (need_key(r) < 0)
			stop(r, true);
		r->node = NODE_DOCUMENT;
		break;
	case NODE_DOCUMENT: break;
	}
}

/* --- before libxml2 --- */

/* Between two "<" there is never much, so that libxml2 has little in hand at a
 * time; and none of them begins anything but a tag. */
static int guard_byte(struct reader *r, uint8_t c)
{
	if (c == '\0')
		return error_set(r->e, ERR_INPUT, "a NUL byte: not UTF-8");
	if (r->previous == '<' && (c == '!' || (c == '?' && r->offset > 1)))
		return error_set(r->e, ERR_INPUT,
				 "\"<%c\": a DOCTYPE, comment, CDATA or "
				 "processing instruction is not taken",
				 c);
	if (c == '<')
		r->span = 0;
	else if (++r->span > AUDIT_XML_SPAN_MAX)
		return error_set(r->e, ERR_LIMIT,
				 "more than %d bytes from one tag to the next",
				 AUDIT_XML_SPAN_MAX);
	if (c == '\n')
		r->line++;
	r->previous = c;
	r->offset++;
	return 0;
}

static int guard(struct reader *r, struct view piece)
{
	if (r->offset == 0 && piece.len && piece.ptr[0] != '<')
		return error_set(r->e, ERR_INPUT, "not an XML document");
	for (size_t i = 0; i < piece.len; i++)
		if (guard_byte(r, piece.ptr[i]) < 0) {
			r->failed = true;
			name_place(r, r->line);
			return -1;
		}
	return 0;
}

static int feed(struct reader *r, FILE *in, char *piece)
{
	size_t n;

	do {
		n = fread(piece, 1, PIECE, in);
		if (ferror(in))
			return error_errno(r->e, "reading");
		if (guard(r, view_of(piece, n)) < 0)
			return -1;
		xmlParseChunk(r->xml, piece, (int)n, n == 0);
	} while (n && !r->failed);
	if (!r->failed && !r->xml->wellFormed)
		fail(r, ERR_INPUT, "not well-formed XML");
	return r->failed ? -1 : 0;
}

static int open_context(struct reader *r)
{
	static xmlSAXHandler handlers = {
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.serror = on_xml_error,
	};

	r->xml = xmlCreatePushParserCtxt(&handlers, r, NULL, 0, NULL);
	if (!r->xml)
		return error_nomem(r->e);
	/* NOENT: attributes come with their "&amp;" resolved. Without a DOCTYPE
	 * there are no entities but the five of XML. */
	if (xmlCtxtUseOptions(r->xml, XML_PARSE_NONET | XML_PARSE_NOENT |
					  XML_PARSE_IGNORE_ENC))
		return error_set(r->e, ERR_INTERNAL, "libxml2 is too old");
	return 0;
}

int audit_xml_read(FILE *in, const struct audit_xml_events *events,
		   struct error *e)
{
	struct reader r = { .events = events, .e = e, .line = 1 };
	char *piece = malloc(PIECE);
	int rc = piece ? 0 : error_nomem(e);

	xmlrpc_memory_setup();
	buf_init(&r.key, AUDIT_XML_KEY_MAX);
	for (int i = 0; i < TEXTS; i++)
		buf_init(&r.text[i], AUDIT_RECORD_BYTES_MAX);
	if (rc == 0)
		rc = open_context(&r);
	if (rc == 0)
		rc = feed(&r, in, piece);
	xmlFreeParserCtxt(r.xml);
	for (int i = 0; i < TEXTS; i++)
		buf_free(&r.text[i]);
	buf_free(&r.key);
	free(piece);
	return rc;
}
