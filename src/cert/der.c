/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/der.h"

#include <limits.h>

#include <openssl/asn1.h>
#include <openssl/err.h>

int der_take(struct view *in, int tag, struct view *out)
{
	const unsigned char *p = in->ptr;
	long len;
	int found, class, flags;

	if (!der_next_is(*in, tag) || in->len > LONG_MAX)
		return -1;
	flags = ASN1_get_object(&p, &len, &found, &class, (long)in->len);
	/* 0x80: damaged or past the end; 1: indefinite length, not DER. */
	if (flags & 0x81) {
		ERR_clear_error();
		return -1;
	}
	if (out)
		*out = view_of(p, (size_t)len);
	*in = view_of(p + len, in->len - (size_t)(p - in->ptr) - (size_t)len);
	return 0;
}

bool der_next_is(struct view in, int tag)
{
	return in.len > 0 && in.ptr[0] == tag;
}

int der_take_unsigned(struct view *in, struct view *out)
{
	if (der_take(in, DER_INTEGER, out) < 0 || out->len == 0 ||
	    (out->ptr[0] & 0x80))
		return -1;
	while (out->len > 1 && out->ptr[0] == 0)
		*out = view_of(out->ptr + 1, out->len - 1);
	return 0;
}

int der_take_small(struct view *in, unsigned long *out)
{
	struct view v;

	if (der_take_unsigned(in, &v) < 0 || v.len > sizeof(*out))
		return -1;
	*out = 0;
	for (size_t i = 0; i < v.len; i++)
		*out = *out << 8 | v.ptr[i];
	return 0;
}
