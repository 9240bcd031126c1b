/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/key_value.h"
#include "api/method.h"

#include <stdlib.h>

enum { KEYS_MAX = 256, MECHANISMS_MAX = 32 };

static void put_info(struct value *s, const struct token_info *info)
{
	value_put_string(s, "state", token_state_name(info->state));
	value_put_string(s, "reason", info->reason);
	value_put_string(s, "label", info->label);
	value_put_string(s, "manufacturer", info->manufacturer);
	value_put_string(s, "model", info->model);
	value_put_string(s, "serial", info->serial);
	value_put_int(s, "sessionsOpen", (int32_t)info->sessions_open);
	value_put_int(s, "sessionsMax", (int32_t)info->sessions_max);
	/* An int of XML-RPC has 32 bits. */
	value_put_int(s, "signatures",
		      info->signatures > INT32_MAX ? INT32_MAX
						   : (int32_t)info->signatures);
}

static int put_keys(struct value *list, struct token *t, struct error *e)
{
	struct token_key_info *keys = calloc(KEYS_MAX, sizeof(*keys));
	size_t count = 0;
	int rc;

	if (!keys)
		return error_nomem(e);
	rc = token_key_list(t, keys, KEYS_MAX, &count, e);
	for (size_t i = 0; rc == 0 && i < count && i < KEYS_MAX; i++)
		key_to_value(&keys[i], value_add_struct(list));
	free(keys);
	return rc;
}

static int put_mechanisms(struct value *list, struct token *t, struct error *e)
{
	const char *names[MECHANISMS_MAX] = { NULL };

	if (token_mechanisms(t, names, MECHANISMS_MAX, e) < 0)
		return -1;
	for (size_t i = 0; i < MECHANISMS_MAX && names[i]; i++)
		value_add_string(list, names[i]);
	return 0;
}

/* A token that cannot be asked is an answer, not a fault. */
static struct value *query(struct call *c, struct error *e)
{
	struct token *t = c->services->token;
	struct value *s = value_new_struct(), *keys, *mechanisms;
	struct token_info info;

	token_get_info(t, &info);
	put_info(s, &info);
	keys = value_put_array(s, "keys");
	mechanisms = value_put_array(s, "mechanisms");
	if (info.state == TOKEN_READY &&
	    (put_keys(keys, t, e) < 0 ||
	     put_mechanisms(mechanisms, t, e) < 0) &&
	    e->kind != ERR_TOKEN && e->kind != ERR_TIMEOUT) {
		value_free(s);
		return NULL;
	}
	return s;
}

const struct method methods_token[] = {
	{ "token.query", PRIVILEGE_ADMINISTRATOR, 0, NULL, query,
	  "state string (ready, unavailable, pinRefused); reason, label, "
	  "manufacturer, model, serial string; sessionsOpen, sessionsMax, "
	  "signatures int; keys array of keyId, label, keyType, sensitive, "
	  "alwaysSensitive, extractable, neverExtractable, local; mechanisms "
	  "array of string",
	  "State of the token and the keys in it." },
	{ 0 },
};
