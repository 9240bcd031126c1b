/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/log.h"
#include "pkcs11/internal.h"
#include "pkcs11/key_make.h"

static const CK_OBJECT_CLASS class_private = CKO_PRIVATE_KEY;
static const CK_OBJECT_CLASS class_public = CKO_PUBLIC_KEY;
static const CK_KEY_TYPE type_rsa = CKK_RSA;
static const CK_KEY_TYPE type_ec = CKK_EC;
static const uint8_t exponent_f4[] = { 0x01, 0x00, 0x01 };
static const uint8_t curve_p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48,
				      0xce, 0x3d, 0x03, 0x01, 0x07 };
static const uint8_t curve_p384[] = {
	0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22
};

void template_add(struct template *t, CK_ATTRIBUTE_TYPE type, const void *p,
		  size_t n)
{
	if (t->n < TEMPLATE_MAX)
		t->a[t->n++] = attr_bytes(type, p, n);
}

void template_bool(struct template *t, CK_ATTRIBUTE_TYPE type, bool value)
{
	template_add(t, type, value ? &attr_true : &attr_false,
		     sizeof(CK_BBOOL));
}

void template_curve(struct template *t, unsigned bits)
{
	if (bits == 256)
		template_add(t, CKA_EC_PARAMS, curve_p256, sizeof(curve_p256));
	else
		template_add(t, CKA_EC_PARAMS, curve_p384, sizeof(curve_p384));
}

static void template_head(struct template *t, const CK_OBJECT_CLASS *class,
			  enum key_type type, const char *label, struct view id)
{
	const CK_KEY_TYPE *ck = type == KEY_RSA ? &type_rsa : &type_ec;

	t->n = 0;
	template_add(t, CKA_CLASS, class, sizeof(*class));
	template_add(t, CKA_KEY_TYPE, ck, sizeof(*ck));
	template_bool(t, CKA_TOKEN, true);
	template_add(t, CKA_LABEL, label, strlen(label));
	template_add(t, CKA_ID, id.ptr, id.len);
}

/* Signs, and nothing else. */
void template_private(struct template *t, enum key_type type, const char *label,
		      struct view id)
{
	template_head(t, &class_private, type, label, id);
	template_bool(t, CKA_PRIVATE, true);
	template_bool(t, CKA_SENSITIVE, true);
	template_bool(t, CKA_EXTRACTABLE, false);
	template_bool(t, CKA_SIGN, true);
	template_bool(t, CKA_DECRYPT, false);
	template_bool(t, CKA_UNWRAP, false);
	template_bool(t, CKA_SIGN_RECOVER, false);
	template_bool(t, CKA_DERIVE, false);
}

void template_public(struct template *t, enum key_type type, const char *label,
		     struct view id)
{
	template_head(t, &class_public, type, label, id);
	template_bool(t, CKA_PRIVATE, false);
	template_bool(t, CKA_VERIFY, true);
	template_bool(t, CKA_ENCRYPT, false);
	template_bool(t, CKA_WRAP, false);
}

/* --- generating */

struct generated {
	CK_OBJECT_HANDLE pub, priv;
};

static int generate_pair(struct session *s, enum key_kind kind,
			 const char *label, struct generated *out,
			 struct error *e)
{
	enum key_type type = key_kind_type(kind);
	enum mech_id id =
	    type == KEY_RSA ? MECH_RSA_GENERATE : MECH_EC_GENERATE;
	CK_MECHANISM mech = { type == KEY_RSA ? CKM_RSA_PKCS_KEY_PAIR_GEN
					      : CKM_ECDSA_KEY_PAIR_GEN,
			      NULL, 0 };
	CK_ULONG bits = key_kind_bits(kind);
	struct template pub, priv;
	uint8_t temporary[SHA1_SIZE];
	CK_RV rv;

	if (!s->c->mechs[id].present || bits < s->c->mechs[id].min_bits ||
	    bits > s->c->mechs[id].max_bits)
		return error_set(e, ERR_KEY_UNSUPPORTED,
				 "the token does not generate %s keys",
				 key_kind_name(kind));
	/* The true CKA_ID is known afterwards only; until then the halves are
	 * tied by one that nothing else has. */
	random_bytes(temporary, sizeof(temporary));
	template_public(&pub, type, label,
			view_of(temporary, sizeof(temporary)));
	template_private(&priv, type, label,
			 view_of(temporary, sizeof(temporary)));
	if (type == KEY_RSA) {
		template_add(&pub, CKA_MODULUS_BITS, &bits, sizeof(bits));
		template_add(&pub, CKA_PUBLIC_EXPONENT, exponent_f4,
			     sizeof(exponent_f4));
	} else {
		template_curve(&pub, (unsigned)bits);
	}
	/* The key type is said by the mechanism. */
	rv = CALL_CHANGING(s->c, C_GenerateKeyPair, s->h, &mech, pub.a, pub.n,
			   priv.a, priv.n, &out->pub, &out->priv);
	if (rv == CKR_OK)
		return 0;
	return session_fail(s, rv, "C_GenerateKeyPair", e);
}

/* Both halves get the key identifier as CKA_ID. A token that does not let it
 * change keeps the temporary one, which is as good a name. */
static void set_id(struct session *s, const struct generated *g,
		   const struct public_key *pub)
{
	CK_ATTRIBUTE id = attr_bytes(CKA_ID, pub->id, sizeof(pub->id));

	if (CALL_CHANGING(s->c, C_SetAttributeValue, s->h, g->pub, &id, 1) !=
		CKR_OK ||
	    CALL_CHANGING(s->c, C_SetAttributeValue, s->h, g->priv, &id, 1) !=
		CKR_OK)
		log_warning("token", "the token keeps a CKA_ID of its own");
}

static struct token_key *adopt(struct token *t, struct session *s,
			       const struct generated *g, struct error *e)
{
	struct token_key *k = NULL;
	struct public_key pub;
	bool known;

	if (key_read_public(s, g->priv, &pub, &known, e) < 0)
		return NULL;
	if (!known)
		error_set(e, ERR_TOKEN,
			  "the token generated a key without a public half");
	else if (sign_trial(s, g->priv, &pub, e) == 0) {
		set_id(s, g, &pub);
		k = key_object_get(t, s, g->priv, &pub, e);
	}
	return k;
}

struct token_key *token_key_generate(struct token *t, enum key_kind kind,
				     const char *label, struct error *e)
{
	struct token_key *k = NULL;
	struct generated g;
	struct session s;

	if (pool_take(t, &s, e) < 0)
		return NULL;
	if (generate_pair(&s, kind, label, &g, e) == 0) {
		k = adopt(t, &s, &g, e);
		if (!k) {
			CALL_CHANGING(s.c, C_DestroyObject, s.h, g.priv);
			CALL_CHANGING(s.c, C_DestroyObject, s.h, g.pub);
		}
	}
	pool_give(t, &s);
	return k;
}
