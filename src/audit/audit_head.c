/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audit/audit_head.h"

#include <string.h>

static const char label[] = "sealbridge audit head 1";

static uint8_t *put_bytes(uint8_t *p, const void *from, size_t n)
{
	memcpy(p, from, n);
	return p + n;
}

static uint8_t *put_number(uint8_t *p, uint64_t n)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		*p++ = (uint8_t)(n >> shift);
	return p;
}

static const uint8_t *take_bytes(const uint8_t *p, void *to, size_t n)
{
	memcpy(to, p, n);
	return p + n;
}

static const uint8_t *take_number(const uint8_t *p, uint64_t *out)
{
	*out = 0;
	for (int i = 0; i < 8; i++)
		*out = *out << 8 | *p++;
	return p;
}

void audit_head_signed_bytes(const struct audit_head *h,
			     uint8_t out[AUDIT_HEAD_SIGNED_SIZE])
{
	uint8_t *p = put_bytes(out, label, sizeof(label));

	_Static_assert(AUDIT_HEAD_SIGNED_SIZE ==
			   sizeof(label) + 32 + 2 * SHA256_SIZE + SHA1_SIZE,
		       "what is signed");
	p = put_number(p, h->counter);
	p = put_number(p, h->record);
	p = put_bytes(p, h->hash, sizeof(h->hash));
	p = put_number(p, h->first);
	p = put_bytes(p, h->anchor, sizeof(h->anchor));
	p = put_number(p, (uint64_t)h->at);
	put_bytes(p, h->key_id, sizeof(h->key_id));
}

void audit_head_digest(const struct audit_head *h, uint8_t out[SHA256_SIZE])
{
	uint8_t bytes[AUDIT_HEAD_SIGNED_SIZE];

	audit_head_signed_bytes(h, bytes);
	sha256_of(view_of(bytes, sizeof(bytes)), out);
}

static int fits_key(const struct audit_head *h, const struct public_key *key,
		    struct error *e)
{
	if (key->type != KEY_EC || key->bits != 256)
		return error_set(e, ERR_KEY_MISMATCH,
				 "the key is no EC P-256 key");
	if (memcmp(h->key_id, key->id, sizeof(h->key_id)) != 0)
		return error_set(e, ERR_KEY_MISMATCH,
				 "signed by another key than this");
	return 0;
}

int audit_head_check_with(const struct audit_head *h, const struct key_check *c,
			  struct error *e)
{
	uint8_t digest[SHA256_SIZE];

	if (fits_key(h, key_check_key(c), e) < 0)
		return -1;
	audit_head_digest(h, digest);
	return key_check_signature(c, SIGN_ECDSA, HASH_SHA256, digest,
				   view_of(h->signature, h->signature_len), e);
}

int audit_head_check(const struct audit_head *h, const struct public_key *key,
		     struct error *e)
{
	struct key_check *c;
	int rc;

	if (fits_key(h, key, e) < 0)
		return -1;
	c = key_check_new(key, e);
	rc = c ? audit_head_check_with(h, c, e) : -1;
	key_check_free(c);
	return rc;
}

size_t audit_head_encode(const struct audit_head *h,
			 uint8_t out[AUDIT_HEAD_ENCODED_MAX])
{
	audit_head_signed_bytes(h, out);
	memcpy(out + AUDIT_HEAD_SIGNED_SIZE, h->signature, h->signature_len);
	return AUDIT_HEAD_SIGNED_SIZE + h->signature_len;
}

int audit_head_decode(struct view bytes, struct audit_head *out,
		      struct error *e)
{
	const uint8_t *p = bytes.ptr;
	uint64_t at;

	memset(out, 0, sizeof(*out));
	if (bytes.len <= AUDIT_HEAD_SIGNED_SIZE ||
	    bytes.len > AUDIT_HEAD_ENCODED_MAX ||
	    memcmp(p, label, sizeof(label)) != 0)
		return error_set(e, ERR_INPUT, "not a head of an audit trail");
	p = take_number(p + sizeof(label), &out->counter);
	p = take_number(p, &out->record);
	p = take_bytes(p, out->hash, sizeof(out->hash));
	p = take_number(p, &out->first);
	p = take_bytes(p, out->anchor, sizeof(out->anchor));
	p = take_number(p, &at);
	p = take_bytes(p, out->key_id, sizeof(out->key_id));
	if (!out->counter || out->counter > INT64_MAX || !out->record ||
	    out->record > INT64_MAX)
		return error_set(e, ERR_INPUT,
				 "a head with an impossible number");
	out->at = (int64_t)at;
	out->signature_len = bytes.len - AUDIT_HEAD_SIGNED_SIZE;
	memcpy(out->signature, p, out->signature_len);
	return 0;
}
