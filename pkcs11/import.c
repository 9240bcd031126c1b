/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/log.h"
#include "pkcs11/key_make.h"

enum { POINT_MAX = 2 + 1 + 2 * 48 };

static void add_secret(struct template *t, CK_ATTRIBUTE_TYPE type,
		       const struct secret *s)
{
	template_add(t, type, s->ptr, s->len);
}

/* --- the public half
 *
 * It is made first: without it an EC private key cannot be told, and a kill in
 * between would leave one that nobody finds. */

static int has_public(struct session *s, const struct key_material *m,
		      const struct token_id *id, bool *out, struct error *e)
{
	struct handles found;
	struct public_key its;
	int rc = 0;

	*out = false;
	if (key_find_public(s, id, &found, e) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && !*out && i < found.count; i++) {
		bool known;

		rc = key_read_public(s, found.h[i], &its, &known, e);
		*out = rc == 0 && known && public_key_equal(&its, &m->pub);
	}
	handles_free(&found);
	return rc;
}

static int make_public(struct session *s, const struct key_material *m,
		       const char *label, CK_OBJECT_HANDLE *out,
		       struct error *e)
{
	uint8_t point[POINT_MAX];
	struct token_id id;
	struct template t;
	bool there;
	CK_RV rv;

	*out = 0;
	memcpy(id.bytes, m->pub.id, sizeof(m->pub.id));
	id.len = sizeof(m->pub.id);
	if (has_public(s, m, &id, &there, e) < 0)
		return -1;
	if (there)
		return 0;
	template_public(&t, m->pub.type, label, view_of(id.bytes, id.len));
	if (m->pub.type == KEY_RSA) {
		add_secret(&t, CKA_MODULUS, &m->n);
		add_secret(&t, CKA_PUBLIC_EXPONENT, &m->e);
	} else {
		if (m->point.len + 2 > sizeof(point))
			return error_set(e, ERR_KEY, "EC point too long");
		point[0] = 0x04; /* OCTET STRING */
		point[1] = (uint8_t)m->point.len;
		memcpy(point + 2, m->point.ptr, m->point.len);
		template_curve(&t, m->pub.bits);
		template_add(&t, CKA_EC_POINT, point, m->point.len + 2);
	}
	rv = CALL_CHANGING(s->c, C_CreateObject, s->h, t.a, t.n, out);
	return rv == CKR_OK
		   ? 0
		   : session_fail(s, rv, "C_CreateObject (public key)", e);
}

/* --- the private half */

static int create_private(struct session *s, const struct key_material *m,
			  const char *label, CK_OBJECT_HANDLE *out,
			  struct error *e)
{
	struct template t, bare;
	CK_RV rv;

	template_private(&t, m->pub.type, label,
			 view_of(m->pub.id, sizeof(m->pub.id)));
	bare = t;
	if (m->pub.type == KEY_RSA) {
		add_secret(&t, CKA_MODULUS, &m->n);
		add_secret(&t, CKA_PUBLIC_EXPONENT, &m->e);
		add_secret(&t, CKA_PRIVATE_EXPONENT, &m->d);
		add_secret(&t, CKA_PRIME_1, &m->p);
		add_secret(&t, CKA_PRIME_2, &m->q);
		add_secret(&t, CKA_EXPONENT_1, &m->dp);
		add_secret(&t, CKA_EXPONENT_2, &m->dq);
		add_secret(&t, CKA_COEFFICIENT, &m->qi);
	} else {
		template_curve(&t, m->pub.bits);
		add_secret(&t, CKA_VALUE, &m->d);
	}
	rv = CALL_CHANGING(s->c, C_CreateObject, s->h, t.a, t.n, out);
	if (rv == CKR_OK)
		return 0;
	if (rv_is_refusal(rv) && key_unwrap(s, &bare, m, out, e) == 0)
		return 0;
	if (rv_is_refusal(rv))
		return error_prefix(e, "C_CreateObject refused the key (%s)",
				    p11_kit_strerror(rv));
	return session_fail(s, rv, "C_CreateObject (private key)", e);
}

/* The promise of the header, asked of the token itself. */
static int check_protected(struct session *s, CK_OBJECT_HANDLE o,
			   struct error *e)
{
	bool sensitive, extractable;

	if (attr_bool(s, o, CKA_SENSITIVE, false, &sensitive, e) < 0 ||
	    attr_bool(s, o, CKA_EXTRACTABLE, true, &extractable, e) < 0)
		return -1;
	if (!sensitive || extractable)
		return error_set(e, ERR_UNSUPPORTED,
				 "the token does not keep the key sensitive "
				 "and not extractable");
	return 0;
}

/* A key that is there and signs is not doubled; one that a kill left damaged is
 * replaced. *out stays 0 when there is none. */
static int find_sound(struct session *s, const struct key_material *m,
		      CK_OBJECT_HANDLE *out, struct error *e)
{
	*out = 0;
	if (key_find_private(s, &m->pub, out, e) < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : -1;
	if (sign_trial(s, *out, &m->pub, e) == 0)
		return 0;
	if (session_is_spent(s))
		return -1;
	log_warning("token", "a damaged copy of the key is replaced");
	CALL_CHANGING(s->c, C_DestroyObject, s->h, *out);
	*out = 0;
	return 0;
}

static int do_import(struct token *t, struct session *s,
		     const struct key_material *m, const char *label,
		     struct token_key **key_out, bool *created, struct error *e)
{
	CK_OBJECT_HANDLE pub = 0, priv = 0;

	if (find_sound(s, m, &priv, e) < 0)
		return -1;
	*created = !priv;
	if (!priv && (make_public(s, m, label, &pub, e) < 0 ||
		      create_private(s, m, label, &priv, e) < 0 ||
		      check_protected(s, priv, e) < 0 ||
		      sign_trial(s, priv, &m->pub, e) < 0))
		goto undo;
	*key_out = key_object_get(t, s, priv, &m->pub, e);
	if (*key_out)
		return 0;
undo:
	if (*created && priv)
		CALL_CHANGING(s->c, C_DestroyObject, s->h, priv);
	if (pub)
		CALL_CHANGING(s->c, C_DestroyObject, s->h, pub);
	return error_prefix(e, "importing the key");
}

struct token_key *token_key_import(struct token *t,
				   const struct key_material *m,
				   const char *label, bool *created_out,
				   struct error *e)
{
	struct token_key *k = NULL;
	bool created = false;
	struct session s;

	if (pool_take(t, &s, e) < 0)
		return NULL;
	if (do_import(t, &s, m, label, &k, &created, e) < 0)
		k = NULL;
	pool_give(t, &s);
	if (created_out)
		*created_out = k && created;
	return k;
}
