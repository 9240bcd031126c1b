/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/clock.h"
#include "identity/identity_private.h"

/* Upload, activation, deletion. */

/* --- upload ----------------------------------------------------------------
 */

static int no_key_there(const struct cert *leaf, struct error *e)
{
	return error_set(e, ERR_KEY_MISMATCH,
			 "no private key was uploaded, and the token holds "
			 "none for this certificate (%s)",
			 cert_key_text(leaf));
}

static int prove_key(struct token_key *key, const struct cert *leaf,
		     struct error *e)
{
	bool signs = false;

	if (key_signs(key, leaf, &signs, e) < 0)
		return error_prefix(e, "trial signature");
	if (signs)
		return 0;
	return error_set(e, ERR_KEY_MISMATCH,
			 "the token's key does not sign for the certificate");
}

/* The key first stands in the manifest as ours, then in the token: killed in
 * between, the next start knows what to remove. */
static struct token_key *import_key(struct identity *id, const struct upload *u,
				    struct error *e)
{
	struct identity_state s;
	int rc;

	if (state_copy(&id->state, &s, e) < 0)
		return NULL;
	rc = state_note_key(&s, &u->key.pub, KEY_OURS, e);
	if (rc == 0)
		rc = identity_commit(id, &s, e);
	state_free(&s);
	if (rc < 0)
		return NULL;
	return token_key_import(id->token, &u->key, KEY_LABEL, NULL, e);
}

static struct token_key *obtain_key(struct identity *id, const struct upload *u,
				    struct error *e)
{
	const struct cert *leaf = u->chain.chain.items[0];
	struct token_key *key;

	if (key_find(id->token, leaf, &key, e) < 0)
		return NULL;
	if (!key && !u->has_key) {
		no_key_there(leaf, e);
		return NULL;
	}
	if (!key)
		key = import_key(id, u, e);
	if (key && prove_key(key, leaf, e) < 0) {
		token_key_unref(key);
		key = NULL;
	}
	return key;
}

/* The next state: the chain of the upload, whose key, if it waited for it, now
 * goes when the certificate goes. */
static int next_state(const struct identity *id, const struct upload *u,
		      struct identity_state *out, struct error *e)
{
	const struct cert_list *chain = &u->chain.chain;
	struct known_key *known;
	int rc = 0;

	if (state_copy(&id->state, out, e) < 0)
		return -1;
	cert_list_free(&out->chain);
	known = state_key(out, leaf_key(chain->items[0]));
	if (known)
		known->use = KEY_OURS;
	out->source = cert_equal(chain->items[0], out->own) ? IDENTITY_DEFAULT
							    : IDENTITY_CUSTOM;
	for (size_t i = 0;
	     rc == 0 && i < chain->count && out->source == IDENTITY_CUSTOM; i++)
		rc = cert_list_add(&out->chain, chain->items[i], e);
	if (rc < 0)
		state_free(out);
	return rc;
}

/* Commit s and show it. */
static int store(struct identity *id, struct identity_state *s, struct error *e)
{
	struct local_identity *l = identity_snapshot_make(id, s, e);
	const struct identity_presenter *p = &id->presenter;

	if (!l)
		return -1;
	if ((p->check && l->key && p->check(l, p->arg, e) < 0) ||
	    identity_commit(id, s, e) < 0) {
		local_identity_unref(l);
		return -1;
	}
	id->loaded = true;
	identity_show_stored(id, l);
	return identity_start_service(id, e);
}

static int upload_locked(struct identity *id, const struct upload *u,
			 struct error *e)
{
	struct identity_state s;
	struct token_key *key;
	int rc;

	if (identity_ensure_loaded(id, e) < 0)
		return -1;
	key = obtain_key(id, u, e);
	if (!key) {
		/* A key that did not come in need not be remembered. */
		if (id->loaded)
			keys_prune(id);
		return -1;
	}
	rc = next_state(id, u, &s, e);
	if (rc == 0) {
		rc = store(id, &s, e);
		state_free(&s);
	}
	if (id->loaded)
		keys_prune(id);
	/* Not before: the snapshot found the key by this reference. */
	token_key_unref(key);
	return rc;
}

int identity_upload(struct identity *id, struct view certificates,
		    struct view private_key, struct view password, time_t now,
		    struct identity_warnings *warnings, struct error *e)
{
	struct upload u;
	int rc;

	if (upload_read(id, certificates, private_key, password, now, &u,
			warnings, e) < 0)
		return -1;
	pthread_mutex_lock(&id->lock);
	rc = upload_locked(id, &u, e);
	pthread_mutex_unlock(&id->lock);
	upload_free(&u);
	return rc;
}

int identity_examine(struct identity *id, struct view certificates,
		     struct view private_key, struct view password, time_t now,
		     struct cert_chain *out, struct identity_warnings *warnings,
		     struct error *e)
{
	struct token_key *key = NULL;
	struct upload u;
	int rc;

	memset(out, 0, sizeof(*out));
	if (upload_read(id, certificates, private_key, password, now, &u,
			warnings, e) < 0)
		return -1;
	rc = u.has_key ? 0
		       : key_find(id->token, u.chain.chain.items[0], &key, e);
	if (rc == 0 && !u.has_key && !key)
		upload_warn_no_key(u.chain.chain.items[0], warnings);
	token_key_unref(key);
	if (rc == 0) {
		*out = u.chain;
		memset(&u.chain, 0, sizeof(u.chain));
	}
	upload_free(&u);
	return rc;
}

/* --- activate, delete ------------------------------------------------------
 */

static int activate_locked(struct identity *id, struct error *e)
{
	bool leaves;

	if (!id->stored)
		return error_set(e, ERR_CONFLICT, "the token was not read yet");
	if (id->in_service && local_identity_equal(id->stored, id->in_service))
		return error_set(e, ERR_CONFLICT,
				 "the stored certificate is in service");
	if (!id->stored->key)
		return error_set(e, ERR_KEY_MISMATCH,
				 "the certificate's private key is not in the "
				 "token");
	if (prove_key(id->stored->key, id->stored->chain.items[0], e) < 0)
		return -1;
	leaves = id->in_service != NULL;
	if (identity_put_in_service(id, id->stored, e) < 0)
		return -1;
	/* Handshakes that have begun still sign with the former key. */
	if (leaves)
		id->keep_until_ms = clock_monotonic_ms() + id->key_grace_ms;
	keys_prune(id);
	return 0;
}

int identity_activate(struct identity *id, struct error *e)
{
	int rc;

	pthread_mutex_lock(&id->lock);
	rc = activate_locked(id, e);
	pthread_mutex_unlock(&id->lock);
	return rc;
}

static int delete_locked(struct identity *id, struct error *e)
{
	struct identity_state s;
	bool made;
	int rc;

	if (identity_ensure_loaded(id, e) < 0)
		return -1;
	if (id->state.exists && id->state.source == IDENTITY_DEFAULT)
		return error_set(e, ERR_CONFLICT,
				 "the device's own certificate is stored");
	if (state_copy(&id->state, &s, e) < 0)
		return -1;
	cert_list_free(&s.chain);
	s.source = IDENTITY_DEFAULT;
	rc = identity_ensure_default(id, &s, &made, e);
	if (rc == 0)
		rc = store(id, &s, e);
	state_free(&s);
	if (rc == 0)
		keys_prune(id);
	return rc;
}

int identity_delete(struct identity *id, struct error *e)
{
	int rc;

	pthread_mutex_lock(&id->lock);
	rc = delete_locked(id, e);
	pthread_mutex_unlock(&id->lock);
	return rc;
}
