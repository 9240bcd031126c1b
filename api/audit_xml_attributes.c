/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/audit_xml_attributes.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"

enum type {
	TYPE_NUMBER,   /* uint64_t, int64_t */
	TYPE_TIME,     /* int64_t */
	TYPE_TEXT,     /* char array */
	TYPE_HEX,      /* that many bytes */
	TYPE_SIGNATURE /* of a struct audit_head */
};

struct row {
	const char *name;
	enum type type;
	size_t offset, size; /* of the member */
};

#define MEMBER(what, member) \
	offsetof(struct what, member), sizeof(((struct what *)NULL)->member)

static const struct row root_rows[] = {
	{ "version", TYPE_NUMBER, MEMBER(audit_xml_root, version) },
	{ "product", TYPE_TEXT, MEMBER(audit_xml_root, product) },
	{ "hostName", TYPE_TEXT, MEMBER(audit_xml_root, host_name) },
	{ "exported", TYPE_TIME, MEMBER(audit_xml_root, exported) },
	{ "first", TYPE_NUMBER, MEMBER(audit_xml_root, first) },
	{ "last", TYPE_NUMBER, MEMBER(audit_xml_root, last) },
	{ "anchor", TYPE_HEX, MEMBER(audit_xml_root, anchor) },
	{ "keyId", TYPE_TEXT, MEMBER(audit_xml_root, key_id) },
	{ 0 },
};

static const struct row record_rows[] = {
	{ "index", TYPE_NUMBER, MEMBER(audit_row, number) },
	{ "time", TYPE_TIME, MEMBER(audit_row, at) },
	{ "format", TYPE_NUMBER, MEMBER(audit_row, format) },
	{ "hash", TYPE_HEX, MEMBER(audit_row, hash) },
	{ 0 },
};

static const struct row head_rows[] = {
	{ "counter", TYPE_NUMBER, MEMBER(audit_head, counter) },
	{ "record", TYPE_NUMBER, MEMBER(audit_head, record) },
	{ "hash", TYPE_HEX, MEMBER(audit_head, hash) },
	{ "first", TYPE_NUMBER, MEMBER(audit_head, first) },
	{ "anchor", TYPE_HEX, MEMBER(audit_head, anchor) },
	{ "time", TYPE_TIME, MEMBER(audit_head, at) },
	{ "keyId", TYPE_HEX, MEMBER(audit_head, key_id) },
	{ "signature", TYPE_SIGNATURE, MEMBER(audit_head, signature) },
	{ 0 },
};

static const struct row field_rows[] = {
	{ "name", TYPE_TEXT, MEMBER(audit_xml_field, name) },
	{ 0 },
};

static const struct row no_rows[] = { { 0 } };

enum { DIGITS_MAX = 19 }; /* what 64 bits always hold */

static const char *take_number(struct view v, void *out)
{
	uint64_t n = 0;

	if (v.len == 0 || v.len > DIGITS_MAX)
		return "is no number";
	for (size_t i = 0; i < v.len; i++) {
		if (v.ptr[i] < '0' || v.ptr[i] > '9')
			return "is no number";
		n = 10 * n + (uint64_t)(v.ptr[i] - '0');
	}
	if (n > INT64_MAX)
		return "is too great a number";
	memcpy(out, &n, sizeof(n));
	return NULL;
}

/* Read, written again and compared: so there is one form of each moment. */
static const char *take_time(struct view v, void *out)
{
	char text[CLOCK_ISO8601_SIZE], again[CLOCK_ISO8601_SIZE];
	struct tm tm = { 0 };
	int64_t at;

	if (v.len >= sizeof(text))
		return "is no time such as 2026-11-22T03:38:11Z";
	memcpy(text, v.ptr, v.len);
	text[v.len] = '\0';
	if (!strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return "is no time such as 2026-11-22T03:38:11Z";
	at = timegm(&tm);
	clock_format_rfc3339((time_t)at, again);
	if (strcmp(text, again) != 0)
		return "is no time such as 2026-11-22T03:38:11Z";
	memcpy(out, &at, sizeof(at));
	return NULL;
}

static const char *take_text(struct view v, char *out, size_t size)
{
	if (v.len >= size)
		return "is too long";
	memcpy(out, v.ptr, v.len);
	out[v.len] = '\0';
	return NULL;
}

static const char *take_hex(struct view v, uint8_t *out, size_t size)
{
	char text[2 * SHA256_SIZE + 1];

	if (v.len != 2 * size || v.len >= sizeof(text))
		return "has not the right number of hex digits";
	memcpy(text, v.ptr, v.len);
	text[v.len] = '\0';
	if (hex_decode(text, out, size) != (int)size)
		return "is not hex";
	return NULL;
}

static const char *take_signature(struct view v, struct audit_head *out)
{
	uint8_t bytes[2 * AUDIT_HEAD_SIGNATURE_MAX];
	size_t bad;

	if (base64_decoded_max(v.len) > sizeof(bytes))
		return "is too long";
	if (base64_decode(v, bytes, &out->signature_len, &bad) < 0)
		return "is not base64";
	if (out->signature_len > sizeof(out->signature))
		return "is too long";
	memcpy(out->signature, bytes, out->signature_len);
	return NULL;
}

static const char *take(const struct row *r, struct view v, void *out)
{
	void *member = (char *)out + r->offset;

	switch (r->type) {
	case TYPE_NUMBER: return take_number(v, member);
	case TYPE_TIME: return take_time(v, member);
	case TYPE_TEXT: return take_text(v, member, r->size);
	case TYPE_HEX: return take_hex(v, member, r->size);
	case TYPE_SIGNATURE: return take_signature(v, out);
	}
	return "is of no type";
}

/* libxml2 refuses an attribute that occurs twice. */
static int take_all(const struct row *rows,
		    const struct audit_xml_attribute *list, size_t count,
		    void *out, struct error *e)
{
	uint32_t seen = 0;

	for (size_t i = 0; i < count; i++) {
		const struct row *r = rows;
		const char *wrong;

		while (r->name && strcmp(r->name, list[i].name) != 0)
			r++;
		if (!r->name)
			return error_set(e, ERR_INPUT,
					 "there is no attribute %.32s here",
					 list[i].name);
		seen |= 1U << (r - rows);
		wrong = take(r, list[i].value, out);
		if (wrong)
			return error_set(e, ERR_INPUT, "attribute %s %s",
					 r->name, wrong);
	}
	for (const struct row *r = rows; r->name; r++)
		if (!(seen >> (r - rows) & 1))
			return error_set(e, ERR_INPUT,
					 "attribute %s is missing", r->name);
	return 0;
}

int audit_xml_take_root(const struct audit_xml_attribute *list, size_t count,
			struct audit_xml_root *out, struct error *e)
{
	return take_all(root_rows, list, count, out, e);
}

int audit_xml_take_record(const struct audit_xml_attribute *list, size_t count,
			  struct audit_row *out, struct error *e)
{
	return take_all(record_rows, list, count, out, e);
}

int audit_xml_take_head(const struct audit_xml_attribute *list, size_t count,
			struct audit_head *out, struct error *e)
{
	return take_all(head_rows, list, count, out, e);
}

int audit_xml_take_field(const struct audit_xml_attribute *list, size_t count,
			 struct audit_xml_field *out, struct error *e)
{
	return take_all(field_rows, list, count, out, e);
}

int audit_xml_take_none(const struct audit_xml_attribute *list, size_t count,
			struct error *e)
{
	return take_all(no_rows, list, count, NULL, e);
}
