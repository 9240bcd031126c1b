/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/key_value.h"

#include <stdio.h>
#include <string.h>

enum { PEM_MAX = 1024 * 1024 };

/* "ecP256" for the kinds that have a name, else "RSA 2560". */
static void put_key_type(struct value *out, const struct public_key *k)
{
	char text[16];

	for (int i = 0; i < KEY_KIND_COUNT; i++)
		if (key_kind_type((enum key_kind)i) == k->type &&
		    key_kind_bits((enum key_kind)i) == k->bits) {
			value_put_string(out, "keyType",
					 key_kind_name((enum key_kind)i));
			return;
		}
	public_key_describe(k, text);
	value_put_string(out, "keyType", text);
}

void key_id_to_text(const struct token_id *id, char out[2 * TOKEN_ID_MAX + 1])
{
	hex_encode(id->bytes, id->len, out);
}

int key_id_from_text(const char *hex, struct token_id *out, struct error *e)
{
	int n = hex_decode(hex, out->bytes, sizeof(out->bytes));

	if (n <= 0)
		return error_set(e, ERR_INPUT, "keyId: not hex of a CKA_ID");
	out->len = (size_t)n;
	return 0;
}

void key_to_value(const struct token_key_info *key, struct value *out)
{
	char id[2 * TOKEN_ID_MAX + 1];

	key_id_to_text(&key->id, id);
	value_put_string(out, "keyId", id);
	value_put_string(out, "label", key->label);
	if (key->supported)
		put_key_type(out, &key->pub);
	else
		value_put_string(out, "keyType", "unsupported");
	value_put_boolean(out, "sensitive", key->sensitive);
	value_put_boolean(out, "alwaysSensitive", key->always_sensitive);
	value_put_boolean(out, "extractable", key->extractable);
	value_put_boolean(out, "neverExtractable", key->never_extractable);
	value_put_boolean(out, "local", key->local);
}

static void put_name(struct value *out, const char *member,
		     const struct cert_name *n)
{
	struct value *s = value_put_struct(out, member);

	value_put_string(s, "c", n->c);
	value_put_string(s, "st", n->st);
	value_put_string(s, "l", n->l);
	value_put_string(s, "o", n->o);
	value_put_string(s, "ou", n->ou);
	value_put_string(s, "cn", n->cn);
	value_put_string(s, "text", n->text);
}

int cert_to_value(const struct cert *c, struct value *out, struct error *e)
{
	char fingerprint[2 * SHA256_SIZE + 1];
	struct value *names;
	struct buf pem;
	int rc;

	put_name(out, "subject", cert_subject(c));
	put_name(out, "issuer", cert_issuer(c));
	value_put_time(out, "issued", cert_not_before(c));
	value_put_time(out, "expires", cert_not_after(c));
	value_put_string(out, "serialNumber", cert_serial_text(c));
	hex_encode(cert_sha256(c), SHA256_SIZE, fingerprint);
	value_put_string(out, "sha256Fingerprint", fingerprint);
	value_put_string(out, "keyType", cert_key_text(c));
	names = value_put_array(out, "subjectAltNames");
	for (size_t i = 0; i < cert_alt_name_count(c); i++)
		value_add_string(names, cert_alt_name(c, i));
	buf_init(&pem, PEM_MAX);
	rc = cert_to_pem(c, &pem, e);
	if (rc == 0)
		value_put_string(out, "pem", buf_cstr(&pem));
	buf_free(&pem);
	return rc;
}

int cert_list_to_value(const struct cert_list *certs, struct value *list,
		       struct error *e)
{
	for (size_t i = 0; i < certs->count; i++)
		if (cert_to_value(certs->items[i], value_add_struct(list), e) <
		    0)
			return -1;
	return 0;
}
