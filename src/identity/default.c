/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "identity/identity_private.h"

enum { DEFAULT_YEARS = 10, DAY_S = 86400, SKEW_S = 3600 };
enum { HOST_NAME_MAX_DNS = 253, LABEL_MAX = 63 };
enum { CN_MAX = 64, ALT_NAME_SIZE = 300, ADDRESSES_MAX = 64 };

#define HOST_NAME_CHARACTERS         \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
#define NAMELESS "sealbridge" /* CN of a device without a usable host name */

/* A key that an interrupted first start has left behind: our label, made in
 * this token and never outside it, of the wanted kind. */
static bool is_abandoned(const struct token_key_info *k, enum key_kind kind)
{
	return k->supported && k->local && !k->extractable &&
	       !strcmp(k->label, KEY_LABEL) &&
	       k->pub.type == key_kind_type(kind) &&
	       k->pub.bits == key_kind_bits(kind);
}

static int find_abandoned(struct identity *id, struct identity_state *s,
			  struct token_key **out, struct error *e)
{
	struct token_key_info *keys;
	size_t count;
	int rc = 0;

	*out = NULL;
	/* Afterwards such a key may be one that waits for a certificate. */
	if (s->exists)
		return 0;
	if (keys_list(id->token, &keys, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count && !*out && rc == 0; i++)
		if (is_abandoned(&keys[i], id->default_key)) {
			*out = token_key_find(id->token, &keys[i].pub, e);
			rc = *out ? 0 : -1;
		}
	free(keys);
	return rc;
}

/* "DNS:host" or "IP:address" for each that can stand in a certificate. */
struct names {
	char text[1 + ADDRESSES_MAX][ALT_NAME_SIZE];
	const char *list[1 + ADDRESSES_MAX];
	size_t count;
};

static void add_name(struct names *n, const char *kind, const char *value)
{
	char *to = n->text[n->count];

	if (n->count == sizeof(n->list) / sizeof(*n->list) ||
	    snprintf(to, ALT_NAME_SIZE, "%s:%s", kind, value) >= ALT_NAME_SIZE)
		return;
	for (size_t i = 0; i < n->count; i++)
		if (!strcmp(n->list[i], to))
			return;
	n->list[n->count++] = to;
}

static bool is_address(const char *s)
{
	uint8_t bytes[16];

	return inet_pton(AF_INET, s, bytes) == 1 ||
	       inet_pton(AF_INET6, s, bytes) == 1;
}

/* Letters, digits, hyphens and underscores in labels of 1 to 63. */
static bool is_host_name(const char *s)
{
	size_t label = 0;

	if (strlen(s) > HOST_NAME_MAX_DNS)
		return false;
	for (; *s; s++) {
		bool dot = *s == '.';

		if (!dot && !strchr(HOST_NAME_CHARACTERS, *s))
			return false;
		if (dot ? label == 0 : ++label > LABEL_MAX)
			return false;
		if (dot)
			label = 0;
	}
	return label > 0;
}

static void collect_names(const struct identity *id, struct names *n)
{
	n->count = 0;
	if (is_address(id->host_name))
		add_name(n, "IP", id->host_name);
	else if (is_host_name(id->host_name))
		add_name(n, "DNS", id->host_name);
	for (size_t i = 0; i < id->address_count; i++)
		if (is_address(id->addresses[i]))
			add_name(n, "IP", id->addresses[i]);
}

/* The host name as CN; one that is too long for it, by its first label. */
static void common_name(const char *host_name, char out[CN_MAX + 1])
{
	size_t n;

	if (!is_host_name(host_name) && !is_address(host_name))
		host_name = NAMELESS;
	n = strlen(host_name);
	if (n > CN_MAX)
		n = strcspn(host_name, ".");
	memcpy(out, host_name, n);
	out[n] = '\0';
}

static struct cert *self_sign(const struct identity *id, struct token_key *key,
			      struct error *e)
{
	struct names *names = malloc(sizeof(*names));
	struct signer signer = token_key_signer(key);
	char cn[CN_MAX + 1];
	struct self_signed_options o = {
		.subject = { .cn = cn },
		.not_before = clock_now() - SKEW_S,
		.not_after = clock_now() + (time_t)DEFAULT_YEARS * 365 * DAY_S,
	};
	struct cert *c;

	if (!names) {
		error_nomem(e);
		return NULL;
	}
	common_name(id->host_name, cn);
	collect_names(id, names);
	o.alt_names = names->list;
	o.alt_name_count = names->count;
	c = cert_self_sign(&o, &signer, e);
	free(names);
	return c;
}

static struct token_key *generate(struct identity *id, struct error *e)
{
	struct token_key *key =
	    token_key_generate(id->token, id->default_key, KEY_LABEL, e);
	struct error ignored = ERROR_INIT;
	struct token_key_info info;

	/* That its id cannot be read is no reason to do without the key. */
	if (key && id->key_made &&
	    token_key_get_info(key, &info, &ignored) == 0)
		id->key_made(id->key_made_arg, &info.id, id->default_key);
	return key;
}

int default_make(struct identity *id, struct identity_state *s, struct error *e)
{
	struct token_key *key;
	struct cert *c = NULL;

	if (find_abandoned(id, s, &key, e) < 0)
		return -1;
	if (!key)
		key = generate(id, e);
	if (key && state_note_key(s, token_key_public(key), KEY_OURS, e) == 0)
		c = self_sign(id, key, e);
	token_key_unref(key);
	if (!c)
		return error_prefix(e, "the device's own certificate");
	cert_unref(s->own);
	s->own = c;
	return 0;
}
