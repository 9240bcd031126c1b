/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audit/audit_record.h"

#include <string.h>

#define LABEL_TEXT   "sealbridge audit 1"
#define LABEL_FIELDS "sealbridge audit 2"
enum { LABEL_SIZE = sizeof(LABEL_FIELDS), TEXTS_MAX = 7 };

/* In the order in which they are hashed; how many, 0 for a format that is not
 * known. */
static size_t texts_of(const struct audit_row *row, const char *out[TEXTS_MAX])
{
	size_t n = 0;

	if (row->format != AUDIT_FORMAT_TEXT &&
	    row->format != AUDIT_FORMAT_FIELDS)
		return 0;
	out[n++] = row->module;
	out[n++] = row->severity;
	out[n++] = row->user_name;
	out[n++] = row->peer;
	/* Format 1 has none: one that came in later must not fit. */
	if (row->format == AUDIT_FORMAT_FIELDS || row->via[0])
		out[n++] = row->via;
	out[n++] = row->event;
	out[n++] = row->detail;
	return n;
}

static uint8_t *put_number(uint8_t *p, uint64_t n, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--)
		*p++ = (uint8_t)(n >> 8 * i);
	return p;
}

bool audit_record_hash(const struct audit_row *row,
		       const uint8_t previous[SHA256_SIZE],
		       uint8_t out[SHA256_SIZE])
{
	uint8_t bytes[AUDIT_RECORD_BYTES_MAX], *p = bytes;
	const char *texts[TEXTS_MAX];
	size_t count = texts_of(row, texts);

	if (count == 0)
		return false;
	memcpy(p,
	       row->format == AUDIT_FORMAT_FIELDS ? LABEL_FIELDS : LABEL_TEXT,
	       LABEL_SIZE);
	p += LABEL_SIZE;
	memcpy(p, previous, SHA256_SIZE);
	p += SHA256_SIZE;
	p = put_number(p, row->number, 8);
	p = put_number(p, (uint64_t)row->at, 8);
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(texts[i]);

		if (n + 4 > (size_t)(bytes + sizeof(bytes) - p))
			return false;
		p = put_number(p, n, 4);
		memcpy(p, texts[i], n);
		p += n;
	}
	sha256_of(view_of(bytes, (size_t)(p - bytes)), out);
	return true;
}
