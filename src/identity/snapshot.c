/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "identity/identity_private.h"

struct snapshot {
	struct local_identity l; /* first */
	atomic_uint refs;
};

static struct snapshot *snapshot_of(const struct local_identity *l)
{
	return (struct snapshot *)(uintptr_t)l;
}

const char *identity_source_name(enum identity_source source)
{
	return source == IDENTITY_CUSTOM ? "custom" : "default";
}

const struct public_key *leaf_key(const struct cert *leaf)
{
	struct error ignored = ERROR_INIT;

	return cert_public_key(leaf, &ignored);
}

struct local_identity *local_identity_new(struct token *t,
					  enum identity_source source,
					  const struct cert_list *chain,
					  struct error *e)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (!s) {
		error_nomem(e);
		return NULL;
	}
	atomic_init(&s->refs, 1);
	s->l.source = source;
	for (size_t i = 0; i < chain->count; i++)
		if (cert_list_add(&s->l.chain, chain->items[i], e) < 0)
			goto fail;
	if (key_find(t, chain->items[0], &s->l.key, e) < 0)
		goto fail;
	return &s->l;
fail:
	local_identity_unref(&s->l);
	return NULL;
}

struct local_identity *local_identity_ref(const struct local_identity *l)
{
	struct snapshot *s = snapshot_of(l);

	atomic_fetch_add(&s->refs, 1);
	return &s->l;
}

void local_identity_unref(struct local_identity *l)
{
	struct snapshot *s = snapshot_of(l);

	if (!l || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	cert_list_free(&l->chain);
	token_key_unref(l->key);
	free(s);
}

bool local_identity_equal(const struct local_identity *a,
			  const struct local_identity *b)
{
	if (a == b)
		return true;
	if (a->source != b->source || a->chain.count != b->chain.count)
		return false;
	for (size_t i = 0; i < a->chain.count; i++)
		if (!cert_equal(a->chain.items[i], b->chain.items[i]))
			return false;
	return true;
}
