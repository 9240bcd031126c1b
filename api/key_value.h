/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_KEY_VALUE_H
#define SB_API_KEY_VALUE_H

#include "api/value.h"
#include "cert/cert.h"
#include "pkcs11/keys.h"

/* Keys and certificates as structs of the API. Pure. */

/* keyId, label, keyType and the attributes, put into out. */
void key_to_value(const struct token_key_info *key, struct value *out);
/* A certificate struct, put into out. */
int cert_to_value(const struct cert *c, struct value *out,
		  struct error *e) MUST_CHECK;
/* One struct each, added to list. */
int cert_list_to_value(const struct cert_list *certs, struct value *list,
		       struct error *e) MUST_CHECK;
/* A CKA_ID from its hex form. ERR_INPUT. */
int key_id_from_text(const char *hex, struct token_id *out,
		     struct error *e) MUST_CHECK;
/* Its hex form. */
void key_id_to_text(const struct token_id *id, char out[2 * TOKEN_ID_MAX + 1]);

#endif
