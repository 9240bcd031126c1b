/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "identity/identity_private.h"

#define SET_NAME    "identity"
#define FACT_SOURCE "source"
#define CERT_LABEL  "sealbridge local certificate"
#define CHAIN_LABEL "sealbridge local chain"
#define ROLE_LEAF   "leaf"
#define ROLE_CHAIN  "chain"
#define ROLE_OWN    "defaultleaf"
#define ROLE_KEY    "key"

/* Most certificates of a chain that was checked by cert_chain_build(). */
enum { CHAIN_MAX = 32, MEMBERS_MAX = 1 + CHAIN_MAX + KNOWN_KEYS_MAX };

/* How a mentioned key's use stands in the manifest: in the label of the
 * mention, which is no label of an object. */
static const char *const use_labels[] = {
	[KEY_WAITING] = "sealbridge local key, waiting for a certificate",
	[KEY_OURS] = "sealbridge local key, made here",
};

void state_free(struct identity_state *s)
{
	cert_list_free(&s->chain);
	cert_unref(s->own);
	memset(s, 0, sizeof(*s));
}

static int copy_list(const struct cert_list *from, struct cert_list *out,
		     struct error *e)
{
	for (size_t i = 0; i < from->count; i++)
		if (cert_list_add(out, from->items[i], e) < 0)
			return -1;
	return 0;
}

int state_copy(const struct identity_state *from, struct identity_state *out,
	       struct error *e)
{
	*out = *from;
	out->chain = (struct cert_list){ NULL, 0 };
	out->own = from->own ? cert_ref(from->own) : NULL;
	if (copy_list(&from->chain, &out->chain, e) == 0)
		return 0;
	state_free(out);
	return -1;
}

int state_chain(const struct identity_state *s, struct cert_list *out,
		struct error *e)
{
	int rc;

	*out = (struct cert_list){ NULL, 0 };
	rc = s->source == IDENTITY_CUSTOM ? copy_list(&s->chain, out, e)
					  : cert_list_add(out, s->own, e);
	if (rc < 0)
		cert_list_free(out);
	return rc;
}

/* --- keys ---------------------------------------------------------------- */

static void spki_sha256(const struct public_key *pub, uint8_t out[SHA256_SIZE])
{
	sha256_of(view_of(pub->spki, pub->spki_len), out);
}

struct known_key *state_key(struct identity_state *s,
			    const struct public_key *pub)
{
	uint8_t sha256[SHA256_SIZE];

	spki_sha256(pub, sha256);
	for (size_t i = 0; i < s->key_count; i++)
		if (!memcmp(s->keys[i].sha256, sha256, sizeof(sha256)))
			return &s->keys[i];
	return NULL;
}

int state_note_key(struct identity_state *s, const struct public_key *pub,
		   enum key_use use, struct error *e)
{
	struct known_key *k = state_key(s, pub);

	if (!k) {
		if (s->key_count == KNOWN_KEYS_MAX)
			return error_set(e, ERR_LIMIT,
					 "%d keys were made here and wait for "
					 "a certificate: no more are made",
					 KNOWN_KEYS_MAX);
		k = &s->keys[s->key_count++];
		spki_sha256(pub, k->sha256);
		memcpy(k->id, pub->id, sizeof(k->id));
	}
	k->use = use;
	return 0;
}

/* --- reading ------------------------------------------------------------- */

static int read_key(const struct set_member *m, struct identity_state *out)
{
	struct known_key *k = &out->keys[out->key_count];

	if (out->key_count == KNOWN_KEYS_MAX)
		return 0;
	/* An unknown use: not ours to delete. */
	k->use =
	    !strcmp(m->label, use_labels[KEY_OURS]) ? KEY_OURS : KEY_WAITING;
	memcpy(k->sha256, m->sha256, sizeof(k->sha256));
	memcpy(k->id, m->id.bytes,
	       m->id.len < sizeof(k->id) ? m->id.len : sizeof(k->id));
	out->key_count++;
	return 0;
}

static int read_member(const struct set_member *m, bool custom,
		       struct identity_state *out, struct error *e)
{
	struct cert *c;
	int rc = 0;

	if (!strcmp(m->role, ROLE_KEY))
		return read_key(m, out);
	c = cert_from_der(m->der, e);
	if (!c)
		return -1;
	if (!strcmp(m->role, ROLE_OWN) || !custom) {
		cert_unref(out->own);
		out->own = cert_ref(c);
	} else {
		rc = cert_list_add(&out->chain, c, e);
	}
	cert_unref(c);
	return rc;
}

int state_read(struct token *t, struct identity_state *out, struct error *e)
{
	struct object_set set;
	const char *source;
	bool custom;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	if (object_set_read(t, SET_NAME, &set, e) < 0)
		return -1;
	source = object_set_fact(&set, FACT_SOURCE);
	custom =
	    source && !strcmp(source, identity_source_name(IDENTITY_CUSTOM));
	for (size_t i = 0; rc == 0 && i < set.member_count; i++)
		rc = read_member(&set.members[i], custom, out, e);
	out->exists = set.generation != 0;
	out->source =
	    custom && out->chain.count ? IDENTITY_CUSTOM : IDENTITY_DEFAULT;
	object_set_free(&set);
	if (rc < 0) {
		state_free(out);
		if (e->kind != ERR_NOMEM)
			e->kind = ERR_CONFLICT;
		error_prefix(e, "set " SET_NAME " is damaged");
	}
	return rc;
}

/* --- writing ------------------------------------------------------------- */

struct member_list {
	struct set_member items[MEMBERS_MAX];
	size_t count;
};

static struct set_member *next_member(struct member_list *l, const char *role,
				      const char *label)
{
	struct set_member *m = &l->items[l->count++];

	memset(m, 0, sizeof(*m));
	memcpy(m->role, role, strlen(role) + 1);
	m->label = label;
	return m;
}

static void set_id(struct token_id *id, struct view v)
{
	id->len = v.len < sizeof(id->bytes) ? v.len : sizeof(id->bytes);
	memcpy(id->bytes, v.ptr, id->len);
}

static struct set_member *add_cert(struct member_list *l, const char *role,
				   const char *label, const struct cert *c)
{
	struct set_member *m = next_member(l, role, label);

	memcpy(m->sha256, cert_sha256(c), sizeof(m->sha256));
	m->der = cert_der(c);
	m->subject = cert_subject_der(c);
	m->issuer = cert_issuer_der(c);
	m->serial = cert_serial_der(c);
	set_id(&m->id, cert_key_identifier(c));
	return m;
}

/* The CKA_ID of a leaf is that of its key, whatever a provisioner chose. */
static int add_leaf(struct token *t, struct member_list *l, const char *role,
		    const struct cert *c, struct error *e)
{
	struct set_member *m = add_cert(l, role, CERT_LABEL, c);
	const struct public_key *pub = leaf_key(c);
	struct token_key *key = pub ? token_key_find(t, pub, e) : NULL;
	struct token_key_info *info;
	int rc = 0;

	if (!key) {
		/* A key that somebody removed: the certificate still counts. */
		if (pub && e->kind != ERR_NOT_FOUND)
			return -1;
		error_clear(e);
		return 0;
	}
	info = malloc(sizeof(*info));
	if (!info)
		rc = error_nomem(e);
	else if ((rc = token_key_get_info(key, info, e)) == 0 && info->id.len)
		m->id = info->id;
	free(info);
	token_key_unref(key);
	return rc;
}

static void add_keys(struct member_list *l, const struct identity_state *s)
{
	for (size_t i = 0; i < s->key_count; i++) {
		const struct known_key *k = &s->keys[i];
		struct set_member *m =
		    next_member(l, ROLE_KEY, use_labels[k->use]);

		memcpy(m->sha256, k->sha256, sizeof(m->sha256));
		set_id(&m->id, view_of(k->id, sizeof(k->id)));
	}
}

int state_write(struct token *t, const struct identity_state *s,
		struct error *e)
{
	struct set_fact fact = { .name = FACT_SOURCE };
	struct member_list *l = calloc(1, sizeof(*l));
	bool custom = s->source == IDENTITY_CUSTOM;
	int rc = -1;

	if (!l)
		return error_nomem(e);
	if (s->chain.count > CHAIN_MAX) {
		error_set(e, ERR_LIMIT, "chain of more than %d certificates",
			  CHAIN_MAX);
		goto out;
	}
	strcpy(fact.value, identity_source_name(s->source));
	if (custom && add_leaf(t, l, ROLE_LEAF, s->chain.items[0], e) < 0)
		goto out;
	for (size_t i = 1; custom && i < s->chain.count; i++)
		add_cert(l, ROLE_CHAIN, CHAIN_LABEL, s->chain.items[i]);
	if (add_leaf(t, l, custom ? ROLE_OWN : ROLE_LEAF, s->own, e) < 0)
		goto out;
	add_keys(l, s);
	rc = object_set_replace(t, SET_NAME, l->items, l->count, &fact, 1, NULL,
				NULL, e);
out:
	free(l);
	return rc;
}
