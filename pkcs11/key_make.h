/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_PKCS11_KEY_MAKE_H
#define SB_PKCS11_KEY_MAKE_H

#include "pkcs11/internal.h"

/* Attribute templates of new keys. All that is pointed to is borrowed. */

enum { TEMPLATE_MAX = 32 };

struct template
{
	CK_ATTRIBUTE a[TEMPLATE_MAX];
	CK_ULONG n;
};

void template_add(struct template *t, CK_ATTRIBUTE_TYPE type, const void *p,
		  size_t n);
void template_bool(struct template *t, CK_ATTRIBUTE_TYPE type, bool value);
/* CKA_EC_PARAMS of P-256 or P-384. */
void template_curve(struct template *t, unsigned bits);
/* Start a template: class, type, label, id, attributes. */
void template_private(struct template *t, enum key_type type, const char *label,
		      struct view id);
void template_public(struct template *t, enum key_type type, const char *label,
		     struct view id);

/* A PKCS#8 PrivateKeyInfo (RFC 5208) of the material. ERR_NOMEM. */
int pkcs8_encode(const struct key_material *m, struct secret *out,
		 struct error *e) MUST_CHECK;

/* Make the private key object by C_UnwrapKey under a temporary AES key. */
int key_unwrap(struct session *s, struct template *priv,
	       const struct key_material *m, CK_OBJECT_HANDLE *out,
	       struct error *e) MUST_CHECK;

#endif
