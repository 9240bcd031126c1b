/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "pkcs11/internal.h"

enum { SLOTS_MAX = 256, MECHANISMS_MAX = 1024 };

P11KitUri *slot_uri_parse(const char *text, struct error *e)
{
	P11KitUri *uri = p11_kit_uri_new();
	int rc;

	if (!uri) {
		error_nomem(e);
		return NULL;
	}
	rc = p11_kit_uri_parse(text,
			       P11_KIT_URI_FOR_TOKEN | P11_KIT_URI_FOR_SLOT |
				   P11_KIT_URI_FOR_MODULE,
			       uri);
	if (rc != P11_KIT_URI_OK)
		error_set(e, ERR_CONFIG, "token uri %s: %s", text,
			  p11_kit_uri_message(rc));
	else if (p11_kit_uri_any_unrecognized(uri))
		error_set(e, ERR_CONFIG, "token uri %s: unknown part", text);
	else if (p11_kit_uri_get_slot_id(uri) != (CK_SLOT_ID)-1)
		error_set(e, ERR_CONFIG,
			  "token uri %s: slot numbers change; name the token",
			  text);
	else if (p11_kit_uri_get_pin_value(uri))
		error_set(e, ERR_CONFIG,
			  "token uri: a PIN belongs into the PIN file");
	else
		return uri;
	p11_kit_uri_free(uri);
	return NULL;
}

void slot_text(const CK_UTF8CHAR *field, size_t n, char *out)
{
	while (n && (field[n - 1] == ' ' || field[n - 1] == '\0'))
		n--;
	memcpy(out, field, n);
	out[n] = '\0';
}

static bool slot_fits(struct connection *c, P11KitUri *uri, CK_SLOT_ID slot,
		      CK_TOKEN_INFO *info)
{
	CK_SLOT_INFO slot_info;

	return CALL(c, C_GetSlotInfo, slot, &slot_info) == CKR_OK &&
	       p11_kit_uri_match_slot_info(uri, &slot_info) &&
	       CALL(c, C_GetTokenInfo, slot, info) == CKR_OK &&
	       (info->flags & CKF_TOKEN_INITIALIZED) &&
	       p11_kit_uri_match_token_info(uri, info);
}

int slot_find(struct connection *c, P11KitUri *uri, CK_TOKEN_INFO *info,
	      struct error *e)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG count = SLOTS_MAX;
	unsigned found = 0;
	CK_TOKEN_INFO seen;
	CK_INFO module;
	CK_RV rv;

	if ((rv = CALL(c, C_GetInfo, &module)) != CKR_OK)
		return rv_error(e, rv, "C_GetInfo");
	if (!p11_kit_uri_match_module_info(uri, &module))
		return error_set(e, ERR_TOKEN,
				 "the module is not the one of the token uri");
	if ((rv = CALL(c, C_GetSlotList, CK_TRUE, slots, &count)) != CKR_OK)
		return rv_error(e, rv, "C_GetSlotList");
	for (CK_ULONG i = 0; i < count; i++)
		if (slot_fits(c, uri, slots[i], &seen)) {
			c->slot = slots[i];
			*info = seen;
			found++;
		}
	if (found == 1)
		return 0;
	if (found)
		return error_set(
		    e, ERR_TOKEN,
		    "%u tokens fit the token uri; add serial=", found);
	return error_set_native(e, ERR_TOKEN, (long)CKR_TOKEN_NOT_PRESENT,
				count ? "no token fits the token uri "
					"(%lu others are there)"
				      : "the module shows no token",
				count);
}

static const struct {
	CK_MECHANISM_TYPE type;
	CK_FLAGS flag;
} mech_rows[MECH_COUNT] = {
	[MECH_RSA_PKCS] = { CKM_RSA_PKCS, CKF_SIGN },
	[MECH_RSA_PSS] = { CKM_RSA_PKCS_PSS, CKF_SIGN },
	[MECH_ECDSA] = { CKM_ECDSA, CKF_SIGN },
	[MECH_RSA_GENERATE] = { CKM_RSA_PKCS_KEY_PAIR_GEN,
				CKF_GENERATE_KEY_PAIR },
	[MECH_EC_GENERATE] = { CKM_ECDSA_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR },
};

static void take_sizes(struct mech *m, const CK_MECHANISM_INFO *info)
{
	m->present = true;
	m->min_bits = info->ulMinKeySize;
	m->max_bits = info->ulMaxKeySize;
	if (!m->max_bits)
		m->max_bits = (CK_ULONG)-1;
}

int slot_mechanisms(struct connection *c, struct error *e)
{
	CK_MECHANISM_INFO info;
	CK_RV rv;

	memset(c->mechs, 0, sizeof(c->mechs));
	for (int i = 0; i < MECH_COUNT; i++) {
		rv = CALL(c, C_GetMechanismInfo, c->slot, mech_rows[i].type,
			  &info);
		if (rv == CKR_OK && (info.flags & mech_rows[i].flag))
			take_sizes(&c->mechs[i], &info);
		else if (rv != CKR_OK && rv_classify(rv) == RV_LOST)
			return rv_error(e, rv, "C_GetMechanismInfo");
	}
	return 0;
}
