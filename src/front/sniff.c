/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "front/sniff.h"

#include <string.h>

/* Record header (RFC 8446 5.1) and the type of the message behind it. */
enum { RECORD_HEADER = 5, TYPE_HANDSHAKE = 0x16, MESSAGE_CLIENT_HELLO = 1 };

static enum sniff sniff_record(struct view d)
{
	size_t length;

	if (d.len > 1 && d.ptr[1] != 3)
		return SNIFF_NOISE;
	if (d.len < RECORD_HEADER)
		return SNIFF_MORE;
	length = (size_t)d.ptr[3] << 8 | d.ptr[4];
	if (length == 0 || RECORD_HEADER + length > SNIFF_RECORD_MAX)
		return SNIFF_NOISE;
	if (d.len > RECORD_HEADER &&
	    d.ptr[RECORD_HEADER] != MESSAGE_CLIENT_HELLO)
		return SNIFF_NOISE;
	return d.len < RECORD_HEADER + length ? SNIFF_MORE : SNIFF_HELLO;
}

static enum sniff sniff_method(struct view d)
{
	static const char *const methods[] = { "GET ",     "HEAD ",  "POST ",
					       "OPTIONS ", "PUT ",   "DELETE ",
					       "CONNECT ", "TRACE ", "PATCH " };

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		size_t n = strlen(methods[i]);

		if (memcmp(d.ptr, methods[i], d.len < n ? d.len : n) == 0)
			return d.len < n ? SNIFF_MORE : SNIFF_HTTP;
	}
	return SNIFF_NOISE;
}

enum sniff sniff_first_bytes(struct view data)
{
	if (data.len == 0)
		return SNIFF_MORE;
	return data.ptr[0] == TYPE_HANDSHAKE ? sniff_record(data)
					     : sniff_method(data);
}
