/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "identity/identity_private.h"

enum { FIRST_GUESS = 32 };

int keys_list(struct token *t, struct token_key_info **out, size_t *count_out,
	      struct error *e)
{
	size_t cap = FIRST_GUESS;

	for (;;) {
		struct token_key_info *keys = calloc(cap, sizeof(*keys));

		if (!keys)
			return error_nomem(e);
		if (token_key_list(t, keys, cap, count_out, e) < 0) {
			free(keys);
			return -1;
		}
		if (*count_out <= cap || cap == TOKEN_KEYS_MAX) {
			if (*count_out > cap)
				*count_out = cap;
			*out = keys;
			return 0;
		}
		free(keys);
		cap = *count_out < TOKEN_KEYS_MAX ? *count_out : TOKEN_KEYS_MAX;
	}
}

int key_find(struct token *t, const struct cert *leaf, struct token_key **out,
	     struct error *e)
{
	const struct public_key *pub = leaf_key(leaf);

	*out = pub ? token_key_find(t, pub, e) : NULL;
	if (pub && !*out && e->kind != ERR_NOT_FOUND)
		return -1;
	error_clear(e);
	return 0;
}

int key_signs(struct token_key *k, const struct cert *leaf, bool *out,
	      struct error *e)
{
	const struct public_key *pub = token_key_public(k);
	enum sign_scheme scheme = pub->type == KEY_EC ? SIGN_ECDSA
				  : token_key_can(k, SIGN_RSA_PKCS1)
				      ? SIGN_RSA_PKCS1
				      : SIGN_RSA_PSS;
	uint8_t digest[SHA256_SIZE], sig[KEY_SIGNATURE_MAX];
	size_t len = 0;

	random_bytes(digest, sizeof(digest));
	if (token_key_sign(k, scheme, HASH_SHA256, digest, sig, &len, e) < 0)
		return -1;
	*out = cert_key_verifies(leaf, scheme, HASH_SHA256, digest,
				 view_of(sig, len));
	return 0;
}

/* --- removing keys -------------------------------------------------------- */

static bool is_key_of(const struct known_key *k, const struct cert *leaf)
{
	const struct public_key *pub = leaf ? leaf_key(leaf) : NULL;
	uint8_t sha256[SHA256_SIZE];

	if (!pub)
		return false;
	sha256_of(view_of(pub->spki, pub->spki_len), sha256);
	return !memcmp(sha256, k->sha256, sizeof(sha256));
}

static bool is_needed(const struct identity *id, const struct known_key *k)
{
	const struct identity_state *s = &id->state;

	return k->use == KEY_WAITING || is_key_of(k, s->own) ||
	       (s->chain.count && is_key_of(k, s->chain.items[0])) ||
	       (id->in_service && is_key_of(k, id->in_service->chain.items[0]));
}

/* What is in memory is written back, so it must be what the token holds. */
static bool any_unneeded(const struct identity *id)
{
	if (!id->loaded)
		return false;
	for (size_t i = 0; i < id->state.key_count; i++)
		if (!is_needed(id, &id->state.keys[i]))
			return true;
	return false;
}

/* 0: it is gone now. */
static int remove_key(struct identity *id, const struct known_key *k,
		      const struct token_key_info *keys, size_t count,
		      struct error *e)
{
	uint8_t sha256[SHA256_SIZE];

	for (size_t i = 0; i < count; i++) {
		const struct public_key *pub = &keys[i].pub;

		if (!keys[i].supported)
			continue;
		sha256_of(view_of(pub->spki, pub->spki_len), sha256);
		if (memcmp(sha256, k->sha256, sizeof(sha256)))
			continue;
		if (token_key_delete(id->token, pub, e) < 0 &&
		    e->kind != ERR_NOT_FOUND)
			return -1;
	}
	return 0;
}

static int prune_now(struct identity *id, struct error *e)
{
	struct token_key_info *keys;
	struct identity_state *s = &id->state;
	size_t count, kept = 0;
	int rc = 0;

	if (keys_list(id->token, &keys, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < s->key_count; i++) {
		bool keep = is_needed(id, &s->keys[i]);

		if (!keep && remove_key(id, &s->keys[i], keys, count, e) < 0) {
			keep = true;
			rc = -1;
		}
		if (keep)
			s->keys[kept++] = s->keys[i];
	}
	free(keys);
	if (kept == s->key_count)
		return rc;
	/* Forgotten at once: who imports that key by other means later is a
	 * provisioner. */
	s->key_count = kept;
	if (state_write(id->token, s, e) == 0)
		return rc;
	id->loaded = false;
	return -1;
}

static void prune_logged(struct identity *id)
{
	struct error e = ERROR_INIT;

	if (prune_now(id, &e) < 0) {
		error_prefix(&e, "removing keys that are no longer used");
		log_failure(LOG_LEVEL_WARNING, "identity", &e);
	}
}

/* Sleeps until handshakes with the former key have ended. */
static void *reap(void *arg)
{
	struct identity *id = arg;

	pthread_mutex_lock(&id->lock);
	while (!id->stopping) {
		struct timespec until = {
			.tv_sec = id->keep_until_ms / 1000,
			.tv_nsec = id->keep_until_ms % 1000 * 1000000,
		};

		if (!any_unneeded(id))
			pthread_cond_wait(&id->wake, &id->lock);
		else if (clock_monotonic_ms() < id->keep_until_ms)
			pthread_cond_timedwait(&id->wake, &id->lock, &until);
		else {
			prune_logged(id);
			/* What could not be removed waits for the next
			 * change. */
			if (!id->stopping)
				pthread_cond_wait(&id->wake, &id->lock);
		}
	}
	pthread_mutex_unlock(&id->lock);
	return NULL;
}

void keys_prune(struct identity *id)
{
	if (!any_unneeded(id))
		return;
	if (clock_monotonic_ms() >= id->keep_until_ms) {
		prune_logged(id);
		return;
	}
	if (!id->reaper_runs)
		id->reaper_runs =
		    pthread_create(&id->reaper, NULL, reap, id) == 0;
	pthread_cond_signal(&id->wake);
}

void keys_reaper_stop(struct identity *id)
{
	pthread_mutex_lock(&id->lock);
	id->stopping = true;
	pthread_cond_signal(&id->wake);
	pthread_mutex_unlock(&id->lock);
	if (id->reaper_runs)
		pthread_join(id->reaper, NULL);
	id->reaper_runs = false;
}
