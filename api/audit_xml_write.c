/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/audit_xml.h"

#include <inttypes.h>
#include <string.h>

#include "api/xml_text.h"
#include "audit/audit_fields.h"
#include "audit/audit_record.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/utf8.h"

/* The last second that has four digits of a year. */
static const int64_t time_last = 253402300799;

static void format_time(int64_t at, char out[CLOCK_ISO8601_SIZE])
{
	at = at < 0 ? 0 : at > time_last ? time_last : at;
	clock_format_rfc3339((time_t)at, out);
}

/* A text in quotes, with white space that attributes keep. */
static int add_attribute(struct buf *out, const char *name, struct view text,
			 struct error *e)
{
	char line[AUDIT_XML_HOST_MAX + 1];
	const char *quote;

	utf8_line(text, line, sizeof(line));
	if (buf_addf(out, e, " %s=\"", name) < 0)
		return -1;
	text = view_str(line);
	while ((quote = memchr(text.ptr, '"', text.len)) != NULL) {
		size_t n = (size_t)((const uint8_t *)quote - text.ptr);

		if (xml_add_text(out, view_of(text.ptr, n), true, e) < 0 ||
		    buf_adds(out, "&quot;", e) < 0)
			return -1;
		text = view_of(text.ptr + n + 1, text.len - n - 1);
	}
	if (xml_add_text(out, text, true, e) < 0)
		return -1;
	return buf_adds(out, "\"", e);
}

static int add_hex(struct buf *out, const char *name, const uint8_t *bytes,
		   size_t count, struct error *e)
{
	char hex[2 * SHA256_SIZE + 1];

	hex_encode(bytes, count, hex);
	return buf_addf(out, e, " %s=\"%s\"", name, hex);
}

int audit_xml_begin(struct buf *out, const struct audit_document *d,
		    struct error *e)
{
	char exported[CLOCK_ISO8601_SIZE];

	format_time(d->exported, exported);
	if (buf_addf(out, e,
		     "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		     "<auditLog version=\"%d\" product=\"Sealbridge\"",
		     AUDIT_XML_VERSION) < 0 ||
	    add_attribute(out, "hostName", view_str(d->host_name), e) < 0 ||
	    buf_addf(out, e,
		     " exported=\"%s\" first=\"%" PRIu64 "\" last=\"%" PRIu64
		     "\"",
		     exported, d->first, d->last) < 0 ||
	    add_hex(out, "anchor", d->anchor, sizeof(d->anchor), e) < 0 ||
	    add_hex(out, "keyId", d->key_id, d->has_key ? sizeof(d->key_id) : 0,
		    e) < 0 ||
	    buf_adds(out, ">\n<publicKey>", e) < 0 ||
	    xml_add_text(out, view_str(d->public_key), true, e) < 0)
		return -1;
	return buf_adds(out, "</publicKey>\n", e);
}

/* What is longer cannot be of ours, and must not become endless. */
static struct view cut(struct view text)
{
	if (text.len > AUDIT_RECORD_BYTES_MAX)
		text.len = AUDIT_RECORD_BYTES_MAX;
	return text;
}

static int add_element(struct buf *out, const char *name, const char *text,
		       struct error *e)
{
	if (buf_addf(out, e, "<%s>", name) < 0 ||
	    xml_add_text(out, cut(view_str(text)), true, e) < 0)
		return -1;
	return buf_addf(out, e, "</%s>", name);
}

static int add_fields(struct buf *out, const char *lines, struct error *e)
{
	struct view name, value;

	for (int i = 0; i < AUDIT_XML_FIELDS_MAX &&
			audit_fields_next(&lines, &name, &value);
	     i++)
		if (buf_adds(out, "<field", e) < 0 ||
		    add_attribute(out, "name", name, e) < 0 ||
		    buf_adds(out, ">", e) < 0 ||
		    xml_add_text(out, cut(value), true, e) < 0 ||
		    buf_adds(out, "</field>", e) < 0)
			return -1;
	return 0;
}

int audit_xml_record(struct buf *out, const struct audit_record *r,
		     struct error *e)
{
	char at[CLOCK_ISO8601_SIZE];

	format_time(r->time, at);
	if (buf_addf(out, e,
		     "<record index=\"%" PRIu64 "\" time=\"%s\" format=\"%d\"",
		     r->index, at,
		     r->format == AUDIT_FORMAT_FIELDS
			 ? AUDIT_FORMAT_FIELDS
			 : AUDIT_FORMAT_TEXT) < 0 ||
	    add_hex(out, "hash", r->hash, SHA256_SIZE, e) < 0 ||
	    buf_adds(out, ">", e) < 0 ||
	    add_element(out, "module", r->module, e) < 0 ||
	    add_element(out, "severity", r->severity, e) < 0 ||
	    add_element(out, "userName", r->user_name, e) < 0 ||
	    add_element(out, "peer", r->peer, e) < 0 ||
	    add_element(out, "via", r->via, e) < 0 ||
	    add_element(out, "event", r->event, e) < 0)
		return -1;
	if (r->format == AUDIT_FORMAT_FIELDS
		? add_fields(out, r->fields, e) < 0
		: add_element(out, "detail", r->detail, e) < 0)
		return -1;
	return buf_adds(out, "</record>\n", e);
}

int audit_xml_head(struct buf *out, const struct audit_head *h, struct error *e)
{
	char at[CLOCK_ISO8601_SIZE];

	format_time(h->at, at);
	if (buf_addf(out, e,
		     "<head counter=\"%" PRIu64 "\" record=\"%" PRIu64 "\"",
		     h->counter, h->record) < 0 ||
	    add_hex(out, "hash", h->hash, sizeof(h->hash), e) < 0 ||
	    buf_addf(out, e, " first=\"%" PRIu64 "\"", h->first) < 0 ||
	    add_hex(out, "anchor", h->anchor, sizeof(h->anchor), e) < 0 ||
	    buf_addf(out, e, " time=\"%s\"", at) < 0 ||
	    add_hex(out, "keyId", h->key_id, sizeof(h->key_id), e) < 0 ||
	    buf_adds(out, " signature=\"", e) < 0 ||
	    base64_encode(view_of(h->signature, h->signature_len), out, e) < 0)
		return -1;
	return buf_adds(out, "\"/>\n", e);
}

int audit_xml_end(struct buf *out, struct error *e)
{
	return buf_adds(out, "</auditLog>\n", e);
}
