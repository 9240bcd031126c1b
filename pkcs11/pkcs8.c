/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "pkcs11/key_make.h"

/* DER written from the end to the front, so that each length is known when its
 * turn comes. */

enum { PKCS8_MAX = 8192 };
enum { DER_INTEGER = 0x02, DER_OCTETS = 0x04, DER_NULL = 0x05 };
enum { DER_SEQUENCE = 0x30, DER_CONTEXT_1 = 0xa1, DER_BITS = 0x03 };

struct der {
	uint8_t *at, *start;
	bool full;
};

static void put(struct der *d, const void *p, size_t n)
{
	if ((size_t)(d->at - d->start) < n) {
		d->full = true;
		return;
	}
	d->at -= n;
	memcpy(d->at, p, n);
}

static void put_byte(struct der *d, unsigned b)
{
	uint8_t byte = (uint8_t)b;

	put(d, &byte, 1);
}

/* Tag and length before what was put since end. */
static void close_tag(struct der *d, unsigned tag, const uint8_t *end)
{
	size_t n = (size_t)(end - d->at);

	if (n < 0x80) {
		put_byte(d, (unsigned)n);
	} else {
		unsigned bytes = 0;

		for (; n; n >>= 8, bytes++)
			put_byte(d, n & 0xff);
		put_byte(d, 0x80 | bytes);
	}
	put_byte(d, tag);
}

static void put_number(struct der *d, const struct secret *s)
{
	const uint8_t *p = s->ptr, *end = d->at;
	size_t n = s->len;

	while (n > 1 && !*p) {
		p++;
		n--;
	}
	put(d, p, n);
	if (n && *p & 0x80)
		put_byte(d, 0);
	close_tag(d, DER_INTEGER, end);
}

static void put_small(struct der *d, unsigned value)
{
	put_byte(d, value);
	put_byte(d, 1);
	put_byte(d, DER_INTEGER);
}

/* RSAPrivateKey (RFC 8017 A.1.2) */
static void put_rsa(struct der *d, const struct key_material *m)
{
	const struct secret *last_first[] = { &m->qi, &m->dq, &m->dp, &m->q,
					      &m->p,  &m->d,  &m->e,  &m->n };
	const uint8_t *end = d->at;

	for (size_t i = 0; i < sizeof(last_first) / sizeof(last_first[0]); i++)
		put_number(d, last_first[i]);
	put_small(d, 0);
	close_tag(d, DER_SEQUENCE, end);
}

/* ECPrivateKey (RFC 5915) without parameters, which the algorithm names. */
static void put_ec(struct der *d, const struct key_material *m)
{
	static const uint8_t zeros[66];
	size_t size = (m->pub.bits + 7) / 8, lead = 0;
	const uint8_t *end = d->at, *inner = d->at;

	put(d, m->point.ptr, m->point.len);
	put_byte(d, 0); /* unused bits */
	close_tag(d, DER_BITS, inner);
	close_tag(d, DER_CONTEXT_1, inner);
	inner = d->at;
	while (m->d.len - lead > size)
		lead++;
	put(d, m->d.ptr + lead, m->d.len - lead);
	if (m->d.len < size)
		put(d, zeros, size - m->d.len);
	close_tag(d, DER_OCTETS, inner);
	put_small(d, 1);
	close_tag(d, DER_SEQUENCE, end);
}

static void put_algorithm(struct der *d, const struct public_key *pub)
{
	static const uint8_t rsa[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
				       0xf7, 0x0d, 0x01, 0x01, 0x01 };
	static const uint8_t ec[] = { 0x06, 0x07, 0x2a, 0x86, 0x48,
				      0xce, 0x3d, 0x02, 0x01 };
	const uint8_t *end = d->at;
	struct template curve = { .n = 0 };

	if (pub->type == KEY_RSA) {
		put_byte(d, 0);
		put_byte(d, DER_NULL);
		put(d, rsa, sizeof(rsa));
	} else {
		template_curve(&curve, pub->bits);
		put(d, curve.a[0].pValue, curve.a[0].ulValueLen);
		put(d, ec, sizeof(ec));
	}
	close_tag(d, DER_SEQUENCE, end);
}

int pkcs8_encode(const struct key_material *m, struct secret *out,
		 struct error *e)
{
	struct secret room = { 0 };
	const uint8_t *end;
	struct der d;
	int rc = -1;

	if (secret_alloc(&room, PKCS8_MAX, e) < 0)
		return -1;
	d = (struct der){ room.ptr + PKCS8_MAX, room.ptr, false };
	end = d.at;
	if (m->pub.type == KEY_RSA)
		put_rsa(&d, m);
	else
		put_ec(&d, m);
	close_tag(&d, DER_OCTETS, end);
	put_algorithm(&d, &m->pub);
	put_small(&d, 0);
	close_tag(&d, DER_SEQUENCE, end);
	if (d.full)
		error_set(e, ERR_KEY, "private key too large");
	else
		rc = secret_copy(out, view_of(d.at, (size_t)(end - d.at)), e);
	secret_free(&room);
	return rc;
}
