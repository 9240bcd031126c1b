/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "pkcs11/internal.h"

enum { MODULUS_MAX = KEY_RSA_BITS_MAX / 8 + 8, EXPONENT_MAX = 64 };
enum { EC_PARAMS_MAX = 64, EC_POINT_MAX = 200 };

static const CK_OBJECT_CLASS class_private = CKO_PRIVATE_KEY;
static const CK_OBJECT_CLASS class_public = CKO_PUBLIC_KEY;

static const struct {
	unsigned bits;
	uint8_t params[10]; /* DER OBJECT IDENTIFIER */
	size_t params_len;
} curves[] = {
	{ 256, { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7 }, 10 },
	{ 384, { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22 }, 7 },
};

static unsigned curve_bits(struct view params)
{
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (view_equal(params,
			       view_of(curves[i].params, curves[i].params_len)))
			return curves[i].bits;
	return 0;
}

int key_read_id(struct session *s, CK_OBJECT_HANDLE o, struct token_id *out,
		struct error *e)
{
	return attr_read(s, o, CKA_ID, out->bytes, sizeof(out->bytes),
			 &out->len, e);
}

int key_find_public(struct session *s, const struct token_id *id,
		    struct handles *out, struct error *e)
{
	CK_ATTRIBUTE tmpl[] = {
		attr_bytes(CKA_CLASS, &class_public, sizeof(class_public)),
		attr_bytes(CKA_ID, id->bytes, id->len),
	};

	return find_objects(s, tmpl, 2, out, e);
}

static int read_rsa(struct session *s, CK_OBJECT_HANDLE o,
		    struct public_key *out, bool *known, struct error *e)
{
	uint8_t n[MODULUS_MAX], x[EXPONENT_MAX];
	struct error ignored = ERROR_INIT;
	size_t n_len, x_len;

	if (attr_read(s, o, CKA_MODULUS, n, sizeof(n), &n_len, e) < 0 ||
	    attr_read(s, o, CKA_PUBLIC_EXPONENT, x, sizeof(x), &x_len, e) < 0)
		return -1;
	*known = n_len && x_len &&
		 public_key_from_rsa(view_of(n, n_len), view_of(x, x_len), out,
				     &ignored) == 0;
	return 0;
}

/* CKA_EC_POINT is the point inside a DER OCTET STRING; some tokens leave the
 * wrapping away. */
static struct view unwrap_point(struct view v, unsigned bits)
{
	size_t plain = 1 + 2 * (size_t)bits / 8;

	if (v.len == plain + 2 && v.ptr[0] == 0x04 && v.ptr[1] == plain)
		return view_of(v.ptr + 2, plain);
	return v;
}

static int read_ec(struct session *s, CK_OBJECT_HANDLE o,
		   struct public_key *out, bool *known, struct error *e)
{
	uint8_t params[EC_PARAMS_MAX], point[EC_POINT_MAX];
	struct error ignored = ERROR_INIT;
	size_t params_len, point_len;
	unsigned bits;

	*known = false;
	if (attr_read(s, o, CKA_EC_PARAMS, params, sizeof(params), &params_len,
		      e) < 0 ||
	    attr_read(s, o, CKA_EC_POINT, point, sizeof(point), &point_len, e) <
		0)
		return -1;
	bits = curve_bits(view_of(params, params_len));
	if (bits && point_len)
		*known =
		    public_key_from_ec(
			bits, unwrap_point(view_of(point, point_len), bits),
			out, &ignored) == 0;
	return 0;
}

static int read_numbers(struct session *s, CK_OBJECT_HANDLE o, CK_KEY_TYPE type,
			struct public_key *out, bool *known, struct error *e)
{
	*known = false;
	if (type == CKK_RSA)
		return read_rsa(s, o, out, known, e);
	if (type == CKK_EC)
		return read_ec(s, o, out, known, e);
	return 0;
}

static int read_type(struct session *s, CK_OBJECT_HANDLE o, CK_KEY_TYPE *out,
		     struct error *e)
{
	size_t n;

	if (attr_read(s, o, CKA_KEY_TYPE, out, sizeof(*out), &n, e) < 0)
		return -1;
	if (n != sizeof(*out))
		*out = CKK_VENDOR_DEFINED;
	return 0;
}

/* The public key object beside a private key: same CKA_ID, same type. */
static int read_from_partner(struct session *s, CK_OBJECT_HANDLE o,
			     CK_KEY_TYPE type, struct public_key *out,
			     bool *known, struct error *e)
{
	struct handles found = { NULL, 0 };
	struct token_id id;
	int rc = 0;

	if (key_read_id(s, o, &id, e) < 0)
		return -1;
	if (!id.len)
		return 0;
	if (key_find_public(s, &id, &found, e) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && !*known && i < found.count; i++) {
		CK_KEY_TYPE its;

		rc = read_type(s, found.h[i], &its, e);
		if (rc == 0 && its == type)
			rc = read_numbers(s, found.h[i], type, out, known, e);
	}
	handles_free(&found);
	return rc;
}

/* An EC private key need not know its point: then CKA_PUBLIC_KEY_INFO
 * (PKCS#11 2.40) or the public key object does. A key that wants its PIN at
 * each use cannot serve handshakes. */
int key_read_public(struct session *s, CK_OBJECT_HANDLE o,
		    struct public_key *out, bool *known_out, struct error *e)
{
	struct error ignored = ERROR_INIT;
	uint8_t spki[KEY_SPKI_MAX];
	bool always_asks;
	CK_KEY_TYPE type;
	size_t n;

	*known_out = false;
	if (attr_bool(s, o, CKA_ALWAYS_AUTHENTICATE, false, &always_asks, e) <
		0 ||
	    read_type(s, o, &type, e) < 0)
		return -1;
	if (always_asks)
		return 0;
	if (read_numbers(s, o, type, out, known_out, e) < 0)
		return -1;
	if (*known_out || (type != CKK_RSA && type != CKK_EC))
		return 0;
	if (attr_read(s, o, CKA_PUBLIC_KEY_INFO, spki, sizeof(spki), &n, e) < 0)
		return -1;
	if (n)
		*known_out =
		    public_key_from_spki(view_of(spki, n), out, &ignored) == 0;
	if (*known_out)
		return 0;
	return read_from_partner(s, o, type, out, known_out, e);
}

/* The first of the objects that has this public half; 0 if none. */
static int pick(struct session *s, const struct handles *l,
		const struct public_key *pub, CK_OBJECT_HANDLE *out,
		struct error *e)
{
	struct public_key *its = malloc(sizeof(*its));
	int rc = its ? 0 : error_nomem(e);

	*out = 0;
	for (size_t i = 0; rc == 0 && !*out && i < l->count; i++) {
		bool known;

		rc = key_read_public(s, l->h[i], its, &known, e);
		if (rc == 0 && known && public_key_equal(its, pub))
			*out = l->h[i];
		/* deleted meanwhile: the others still count */
		if (rc < 0 && e->kind == ERR_NOT_FOUND)
			rc = 0;
	}
	free(its);
	return rc;
}

/* Nearly always the CKA_ID is the key identifier; provisioners may choose
 * another. */
int key_find_private(struct session *s, const struct public_key *pub,
		     CK_OBJECT_HANDLE *out, struct error *e)
{
	CK_ATTRIBUTE tmpl[] = {
		attr_bytes(CKA_CLASS, &class_private, sizeof(class_private)),
		attr_bytes(CKA_TOKEN, &attr_true, sizeof(attr_true)),
		attr_bytes(CKA_ID, pub->id, sizeof(pub->id)),
	};
	struct handles found;
	int rc = 0;

	*out = 0;
	for (CK_ULONG n = 3; rc == 0 && !*out && n >= 2; n--) {
		if (find_objects(s, tmpl, n, &found, e) < 0)
			return -1;
		rc = pick(s, &found, pub, out, e);
		handles_free(&found);
	}
	if (rc < 0)
		return -1;
	return *out ? 0
		    : error_set(e, ERR_NOT_FOUND, "no such key in the token");
}
