/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/key_wrap.h"
#include "pkcs11/key_make.h"

/* The other way in: many tokens take private keys wrapped only. The wrapping
 * key is an AES key of our own making that lives for this one import; it comes
 * into the token in the clear where the token allows that for secret keys, else
 * under RSA-OAEP of a key pair that the token makes for the purpose. */

enum { TRANSPORT_BITS = 2048 };

/* RFC 5649 has two names: PKCS#11 2.40 gave CKM_AES_KEY_WRAP_PAD to a mechanism
 * that tokens implement as KWP, 3.0 added CKM_AES_KEY_WRAP_KWP. */
static const CK_MECHANISM_TYPE wrap_mechanisms[] = { 0x210bUL,
						     CKM_AES_KEY_WRAP_PAD };

static const CK_OBJECT_CLASS class_secret = CKO_SECRET_KEY;
static const CK_KEY_TYPE type_aes = CKK_AES;

static void template_kek(struct template *t)
{
	t->n = 0;
	template_add(t, CKA_CLASS, &class_secret, sizeof(class_secret));
	template_add(t, CKA_KEY_TYPE, &type_aes, sizeof(type_aes));
	template_bool(t, CKA_TOKEN, false);
	template_bool(t, CKA_PRIVATE, true);
	template_bool(t, CKA_SENSITIVE, true);
	template_bool(t, CKA_EXTRACTABLE, false);
	template_bool(t, CKA_UNWRAP, true);
}

static CK_RV kek_in_the_clear(struct session *s, const struct secret *kek,
			      CK_OBJECT_HANDLE *out)
{
	struct template t;

	template_kek(&t);
	template_add(&t, CKA_VALUE, kek->ptr, kek->len);
	return CALL_CHANGING(s->c, C_CreateObject, s->h, t.a, t.n, out);
}

/* --- the KEK under RSA-OAEP */

static CK_RV make_transport(struct session *s, CK_OBJECT_HANDLE *pub,
			    CK_OBJECT_HANDLE *priv)
{
	static const uint8_t f4[] = { 1, 0, 1 };
	CK_MECHANISM mech = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };
	CK_ULONG bits = TRANSPORT_BITS;
	struct template a = { .n = 0 }, b = { .n = 0 };

	template_bool(&a, CKA_TOKEN, false);
	template_bool(&a, CKA_WRAP, true);
	template_add(&a, CKA_MODULUS_BITS, &bits, sizeof(bits));
	template_add(&a, CKA_PUBLIC_EXPONENT, f4, sizeof(f4));
	template_bool(&b, CKA_TOKEN, false);
	template_bool(&b, CKA_PRIVATE, true);
	template_bool(&b, CKA_SENSITIVE, true);
	template_bool(&b, CKA_EXTRACTABLE, false);
	template_bool(&b, CKA_UNWRAP, true);
	return CALL_CHANGING(s->c, C_GenerateKeyPair, s->h, &mech, a.a, a.n,
			     b.a, b.n, pub, priv);
}

static int kek_by_transport(struct session *s, const struct secret *kek,
			    CK_OBJECT_HANDLE *out, struct error *e)
{
	CK_RSA_PKCS_OAEP_PARAMS oaep = { CKM_SHA_1, CKG_MGF1_SHA1,
					 CKZ_DATA_SPECIFIED, NULL, 0 };
	CK_MECHANISM mech = { CKM_RSA_PKCS_OAEP, &oaep, sizeof(oaep) };
	uint8_t wrapped[KEY_SIGNATURE_MAX];
	struct public_key pub;
	CK_OBJECT_HANDLE a, b;
	struct template t;
	size_t n;
	bool known;
	int rc = -1;
	CK_RV rv;

	rv = make_transport(s, &a, &b);
	if (rv != CKR_OK)
		return session_fail(s, rv, "C_GenerateKeyPair", e);
	if (key_read_public(s, a, &pub, &known, e) < 0)
		goto out;
	if (!known) {
		error_set(e, ERR_TOKEN, "the transport key cannot be read");
		goto out;
	}
	if (key_wrap_oaep(&pub, view_of(kek->ptr, kek->len), wrapped, &n, e) <
	    0)
		goto out;
	template_kek(&t);
	rv = CALL_CHANGING(s->c, C_UnwrapKey, s->h, &mech, b, wrapped, n, t.a,
			   t.n, out);
	rc = rv == CKR_OK
		 ? 0
		 : session_fail(s, rv, "C_UnwrapKey of the AES key", e);
out:
	CALL_CHANGING(s->c, C_DestroyObject, s->h, a);
	CALL_CHANGING(s->c, C_DestroyObject, s->h, b);
	return rc;
}

/* --- the key under the KEK */

static int unwrap_with(struct session *s, CK_OBJECT_HANDLE kek,
		       const struct secret *wrapped, struct template *priv,
		       CK_OBJECT_HANDLE *out, struct error *e)
{
	CK_RV rv = CKR_MECHANISM_INVALID;

	for (size_t i = 0;
	     i < sizeof(wrap_mechanisms) / sizeof(wrap_mechanisms[0]); i++) {
		CK_MECHANISM mech = { wrap_mechanisms[i], NULL, 0 };

		rv = CALL_CHANGING(s->c, C_UnwrapKey, s->h, &mech, kek,
				   wrapped->ptr, (CK_ULONG)wrapped->len,
				   priv->a, priv->n, out);
		if (rv == CKR_OK)
			return 0;
		if (!rv_is_refusal(rv))
			break;
	}
	return session_fail(s, rv, "C_UnwrapKey", e);
}

int key_unwrap(struct session *s, struct template *priv,
	       const struct key_material *m, CK_OBJECT_HANDLE *out,
	       struct error *e)
{
	struct secret kek = { 0 }, plain = { 0 }, wrapped = { 0 };
	CK_OBJECT_HANDLE k = 0;
	int rc = -1;

	if (secret_alloc(&kek, KEY_WRAP_KEK_SIZE, e) < 0 ||
	    pkcs8_encode(m, &plain, e) < 0)
		goto out;
	random_bytes(kek.ptr, kek.len);
	if (key_wrap_pad(kek.ptr, view_of(plain.ptr, plain.len), &wrapped, e) <
	    0)
		goto out;
	if (kek_in_the_clear(s, &kek, &k) != CKR_OK &&
	    kek_by_transport(s, &kek, &k, e) < 0)
		goto out;
	rc = unwrap_with(s, k, &wrapped, priv, out, e);
	CALL_CHANGING(s->c, C_DestroyObject, s->h, k);
out:
	secret_free(&kek);
	secret_free(&plain);
	secret_free(&wrapped);
	return rc;
}
