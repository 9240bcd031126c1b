/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "identity/identity_private.h"

/* Keys made for requests, and questions about keys. */

/* --- key status -------------------------------------------------------------
 */

const char *identity_key_status_name(enum identity_key_status s)
{
	static const char *const names[] = {
		[IDENTITY_KEY_MATCHES] = "matches",
		[IDENTITY_KEY_DIFFERS] = "doesNotMatch",
		[IDENTITY_KEY_MISSING] = "missing",
	};

	return names[s];
}

int identity_key_status(struct identity *id, const struct local_identity *l,
			enum identity_key_status *out, struct error *e)
{
	struct token_key *key;
	bool signs = false;
	int rc = 0;

	if (key_find(id->token, l->chain.items[0], &key, e) < 0)
		return -1;
	if (!key) {
		*out = IDENTITY_KEY_MISSING;
		return 0;
	}
	rc = key_signs(key, l->chain.items[0], &signs, e);
	*out = signs ? IDENTITY_KEY_MATCHES : IDENTITY_KEY_DIFFERS;
	token_key_unref(key);
	return rc;
}

/* --- keys for requests -----------------------------------------------------
 */

static size_t count_waiting(const struct identity_state *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->key_count; i++)
		n += s->keys[i].use == KEY_WAITING;
	return n;
}

/* Remember it; else it had better not be there. */
static int remember(struct identity *id, struct token_key *key, struct error *e)
{
	struct error ignored = ERROR_INIT;
	struct identity_state s;
	int rc;

	if (state_copy(&id->state, &s, e) < 0)
		return -1;
	rc = state_note_key(&s, token_key_public(key), KEY_WAITING, e);
	if (rc == 0)
		rc = identity_commit(id, &s, e);
	state_free(&s);
	if (rc < 0)
		(void)!token_key_delete(id->token, token_key_public(key),
					&ignored);
	return rc;
}

static int generate_locked(struct identity *id, enum key_kind kind,
			   struct token_key_info *info, struct error *e)
{
	struct token_key *key;
	int rc;

	if (identity_ensure_loaded(id, e) < 0)
		return -1;
	if (count_waiting(&id->state) >= WAITING_KEYS_MAX)
		return error_set(e, ERR_LIMIT,
				 "%d keys wait for a certificate: no more are "
				 "made",
				 WAITING_KEYS_MAX);
	key = token_key_generate(id->token, kind, KEY_LABEL, e);
	if (!key)
		return -1;
	rc = remember(id, key, e);
	if (rc == 0)
		rc = token_key_get_info(key, info, e);
	token_key_unref(key);
	return rc;
}

int identity_generate_key(struct identity *id, enum key_kind kind,
			  struct token_id *id_out, struct error *e)
{
	struct token_key_info *info = malloc(sizeof(*info));
	int rc;

	if (!info)
		return error_nomem(e);
	pthread_mutex_lock(&id->lock);
	rc = generate_locked(id, kind, info, e);
	pthread_mutex_unlock(&id->lock);
	if (rc == 0)
		*id_out = info->id;
	free(info);
	return rc;
}

static const struct token_key_info *by_id(const struct token_key_info *keys,
					  size_t count,
					  const struct token_id *key_id)
{
	for (size_t i = 0; i < count; i++)
		if (key_id->len &&
		    view_equal(view_of(keys[i].id.bytes, keys[i].id.len),
			       view_of(key_id->bytes, key_id->len)))
			return &keys[i];
	return NULL;
}

int identity_create_request(struct identity *id, const struct token_id *key_id,
			    const struct subject_parts *subject,
			    const char *const *alt_names, size_t alt_name_count,
			    struct buf *pem_out, struct error *e)
{
	const struct token_key_info *info;
	struct token_key_info *keys;
	struct token_key *key = NULL;
	struct signer signer;
	size_t count;
	int rc = -1;

	if (keys_list(id->token, &keys, &count, e) < 0)
		return -1;
	info = by_id(keys, count, key_id);
	if (!info)
		error_set(e, ERR_NOT_FOUND, "no such key in the token");
	else if (!info->supported)
		error_set(e, ERR_KEY_UNSUPPORTED,
			  "the key is of a kind that is not used here");
	else
		key = token_key_find(id->token, &info->pub, e);
	free(keys);
	if (key) {
		signer = token_key_signer(key);
		rc = cert_request_create(subject, alt_names, alt_name_count,
					 &signer, pem_out, e);
	}
	token_key_unref(key);
	return rc;
}

static bool has_key(const struct cert *leaf, const struct public_key *pub)
{
	const struct public_key *own = leaf ? leaf_key(leaf) : NULL;

	return own && public_key_equal(own, pub);
}

static bool is_used(struct identity *id, const struct public_key *pub)
{
	const struct identity_state *s = &id->state;

	return has_key(s->own, pub) ||
	       (s->chain.count && has_key(s->chain.items[0], pub)) ||
	       (id->in_service && has_key(id->in_service->chain.items[0], pub));
}

static bool is_pending(struct identity *id, const struct token_key_info *k)
{
	const struct known_key *known;

	if (!k->supported)
		return false;
	known = state_key(&id->state, &k->pub);
	return (!known || known->use == KEY_WAITING) && !is_used(id, &k->pub);
}

static int pending_locked(struct identity *id, struct token_key_info *out,
			  size_t cap, size_t *count_out, struct error *e)
{
	struct token_key_info *keys;
	size_t count, n = 0;

	if (identity_ensure_loaded(id, e) < 0 ||
	    keys_list(id->token, &keys, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count && n < cap; i++)
		if (is_pending(id, &keys[i]))
			out[n++] = keys[i];
	*count_out = n;
	free(keys);
	return 0;
}

int identity_pending_keys(struct identity *id, struct token_key_info *out,
			  size_t cap, size_t *count_out, struct error *e)
{
	int rc;

	pthread_mutex_lock(&id->lock);
	rc = pending_locked(id, out, cap, count_out, e);
	pthread_mutex_unlock(&id->lock);
	return rc;
}

/* --- removing a key that was never used ----------------------------------- */

static int may_delete(struct identity *id, const struct token_key_info *k,
		      struct error *e)
{
	const struct known_key *known;

	if (!k)
		return error_set(e, ERR_NOT_FOUND, "no such key in the token");
	if (k->supported && is_used(id, &k->pub))
		return error_set(e, ERR_CONFLICT,
				 "the key belongs to the local certificate; "
				 "delete that one instead");
	known = k->supported ? state_key(&id->state, &k->pub) : NULL;
	if (!known)
		return error_set(e, ERR_CONFLICT,
				 "the key was not made here; remove it with "
				 "the tool that put it into the token, for "
				 "example pkcs11-tool");
	return 0;
}

/* Once it is remembered as one of ours that nothing refers to, it goes, here
 * or, after a kill or a failure, at the next start or change. */
static int give_up(struct identity *id, const struct public_key *pub,
		   struct error *e)
{
	struct identity_state s;
	int rc;

	if (state_copy(&id->state, &s, e) < 0)
		return -1;
	rc = state_note_key(&s, pub, KEY_OURS, e);
	if (rc == 0)
		rc = identity_commit(id, &s, e);
	state_free(&s);
	if (rc == 0 && token_key_delete(id->token, pub, e) < 0 &&
	    e->kind != ERR_NOT_FOUND)
		rc = -1;
	if (rc == 0) {
		error_clear(e);
		keys_prune(id);
	}
	return rc;
}

static int delete_locked(struct identity *id, const struct token_id *key_id,
			 struct error *e)
{
	const struct token_key_info *info;
	struct token_key_info *keys;
	size_t count;
	int rc;

	if (identity_ensure_loaded(id, e) < 0 ||
	    keys_list(id->token, &keys, &count, e) < 0)
		return -1;
	info = by_id(keys, count, key_id);
	rc = may_delete(id, info, e);
	if (rc == 0)
		rc = give_up(id, &info->pub, e);
	free(keys);
	return rc;
}

int identity_delete_key(struct identity *id, const struct token_id *key_id,
			struct error *e)
{
	int rc;

	pthread_mutex_lock(&id->lock);
	rc = delete_locked(id, key_id, e);
	pthread_mutex_unlock(&id->lock);
	return rc;
}
