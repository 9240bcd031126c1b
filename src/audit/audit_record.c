/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audit/audit_record.h"

#include <string.h>

#define LABEL "sealbridge audit 1"
enum { TEXTS = 6 };

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
	const char *const texts[TEXTS] = { row->module,    row->severity,
					   row->user_name, row->peer,
					   row->event,     row->detail };
	uint8_t bytes[AUDIT_RECORD_BYTES_MAX], *p = bytes;

	memcpy(p, LABEL, sizeof(LABEL));
	p += sizeof(LABEL);
	memcpy(p, previous, SHA256_SIZE);
	p += SHA256_SIZE;
	p = put_number(p, row->number, 8);
	p = put_number(p, (uint64_t)row->at, 8);
	for (int i = 0; i < TEXTS; i++) {
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
