/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"
#include "identity/identity_private.h"

/* From what the token holds to what is stored and in service. All but
 * identity_load() under id->lock. */

/* Write s and make it the state in memory. s stays the caller's. */
int identity_commit(struct identity *id, struct identity_state *s,
		    struct error *e)
{
	struct identity_state copy;

	s->exists = true;
	if (state_copy(s, &copy, e) < 0)
		return -1;
	if (state_write(id->token, s, e) < 0) {
		/* Perhaps it was written after all: look again next time. */
		id->loaded = false;
		state_free(&copy);
		return -1;
	}
	state_free(&id->state);
	id->state = copy;
	return 0;
}

/* A default pair when there is none, or its key has vanished. */
int identity_ensure_default(struct identity *id, struct identity_state *s,
			    bool *made, struct error *e)
{
	struct token_key *key = NULL;

	*made = false;
	if (s->own && key_find(id->token, s->own, &key, e) < 0)
		return -1;
	if (key) {
		token_key_unref(key);
		return 0;
	}
	if (s->own)
		log_warning("identity",
			    "the key of the device's own certificate is no "
			    "longer in the token: a new pair is made");
	*made = true;
	return default_make(id, s, e);
}

/* The default pair as a snapshot, for service while the key of the custom one
 * is missing. */
static struct local_identity *own_snapshot(struct identity *id, struct error *e)
{
	struct cert_list list = { NULL, 0 };
	struct local_identity *l = NULL;

	if (cert_list_add(&list, id->state.own, e) == 0)
		l = local_identity_new(id->token, IDENTITY_DEFAULT, &list, e);
	cert_list_free(&list);
	return l;
}

int identity_start_service(struct identity *id, struct error *e)
{
	struct local_identity *l;
	int rc;

	if (id->in_service)
		return 0;
	if (id->stored->key)
		return identity_put_in_service(id, id->stored, e);
	log_warning("identity",
		    "the private key of the custom certificate is not in the "
		    "token: the device's own certificate is presented");
	l = own_snapshot(id, e);
	if (!l)
		return -1;
	if (!l->key) {
		local_identity_unref(l);
		return error_set(e, ERR_NOT_FOUND,
				 "the token holds no key of the device");
	}
	rc = identity_put_in_service(id, l, e);
	local_identity_unref(l);
	return rc;
}

/* The state s as read becomes the one in memory; default pair mended. */
static int adopt(struct identity *id, struct identity_state *s, struct error *e)
{
	struct local_identity *l = NULL;
	bool made = false;

	/* While all is well this is the only look for a key. */
	if (s->exists && s->own)
		l = identity_snapshot_make(id, s, e);
	if (s->exists && s->own && !l)
		return -1;
	if (!l || !l->key) {
		local_identity_unref(l);
		if (identity_ensure_default(id, s, &made, e) < 0 ||
		    (made && state_write(id->token, s, e) < 0))
			return -1;
		s->exists = true;
		l = identity_snapshot_make(id, s, e);
		if (!l)
			return -1;
	}
	state_free(&id->state);
	if (state_copy(s, &id->state, e) < 0) {
		local_identity_unref(l);
		return -1;
	}
	identity_show_stored(id, l);
	id->loaded = true;
	return 0;
}

static int load(struct identity *id, struct error *e)
{
	struct identity_state s;
	int rc;

	id->loaded = false;
	if (state_read(id->token, &s, e) < 0)
		return -1;
	rc = adopt(id, &s, e);
	state_free(&s);
	return rc < 0 ? -1 : identity_start_service(id, e);
}

static void collect(struct identity *id)
{
	struct error e = ERROR_INIT;
	size_t removed = 0;

	if (!id->collected &&
	    object_collect_leftovers(id->token, &removed, &e) < 0) {
		log_failure(LOG_LEVEL_WARNING, "identity", &e);
		return;
	}
	id->collected = true;
	if (removed)
		log_info("identity",
			 "%zu leftovers of an interrupted change were removed",
			 removed);
}

int identity_load(struct identity *id, struct error *e)
{
	int rc;

	pthread_mutex_lock(&id->lock);
	rc = load(id, e);
	if (rc == 0) {
		collect(id);
		keys_prune(id);
	}
	pthread_mutex_unlock(&id->lock);
	return rc;
}

/* For a change. A set that somebody has damaged can be replaced: the change
 * then starts from a new default pair. */
int identity_ensure_loaded(struct identity *id, struct error *e)
{
	struct identity_state empty = { .exists = false };
	bool made;

	if (id->loaded)
		return 0;
	if (load(id, e) == 0)
		return 0;
	if (e->kind != ERR_CONFLICT)
		return -1;
	log_failure(LOG_LEVEL_WARNING, "identity", e);
	error_clear(e);
	if (identity_ensure_default(id, &empty, &made, e) < 0)
		return -1;
	state_free(&id->state);
	id->state = empty;
	return 0;
}
