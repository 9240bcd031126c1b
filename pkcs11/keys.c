/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "pkcs11/internal.h"

static const CK_OBJECT_CLASS class_private = CKO_PRIVATE_KEY;

/* --- handles
 *
 * A slot per connection holds the handle that signs: of a session copy where
 * the token makes one that is as protected as the original, since SoftHSM
 * reads two files for each signature with a token object (fact: P-256 +51 %),
 * else of the token object. */

/* Is the copy sensitive and not extractable? */
static bool copy_is_protected(struct connection *c, CK_OBJECT_HANDLE copy)
{
	CK_BBOOL sensitive = CK_FALSE, extractable = CK_TRUE;
	CK_BBOOL private = CK_FALSE, token = CK_TRUE;
	CK_ATTRIBUTE a[] = {
		{ CKA_SENSITIVE, &sensitive, sizeof(sensitive) },
		{ CKA_EXTRACTABLE, &extractable, sizeof(extractable) },
		{ CKA_PRIVATE, &private, sizeof(private) },
		{ CKA_TOKEN, &token, sizeof(token) },
	};

	return CALL_READING(c, C_GetAttributeValue, c->keeper, copy, a, 4) ==
		   CKR_OK &&
	       sensitive && private && !extractable && !token;
}

/* A session copy in the keeper's session; 0: none can be had. It inherits all
 * else: SoftHSM refuses a template that says CKA_EXTRACTABLE is false when it
 * is false already (CKR_ATTRIBUTE_READ_ONLY). */
static CK_OBJECT_HANDLE make_copy(struct connection *c, CK_OBJECT_HANDLE o)
{
	CK_ATTRIBUTE tmpl =
	    attr_bytes(CKA_TOKEN, &attr_false, sizeof(attr_false));
	CK_OBJECT_HANDLE copy = 0;

	pthread_mutex_lock(&c->keeper_lock);
	if (c->keeper &&
	    CALL_CHANGING(c, C_CopyObject, c->keeper, o, &tmpl, 1, &copy) ==
		CKR_OK &&
	    !copy_is_protected(c, copy)) {
		CALL_CHANGING(c, C_DestroyObject, c->keeper, copy);
		copy = 0;
	}
	pthread_mutex_unlock(&c->keeper_lock);
	return copy;
}

static void drop_copy(struct connection *c, CK_OBJECT_HANDLE copy)
{
	pthread_mutex_lock(&c->keeper_lock);
	if (c->keeper)
		CALL_CHANGING(c, C_DestroyObject, c->keeper, copy);
	pthread_mutex_unlock(&c->keeper_lock);
}

/* Under k->lock, c kept from being finalised: forget what the slot holds. */
static void clear_slot(struct token_key *k, struct connection *c)
{
	struct key_slot *slot = &k->slots[c->index];

	if (slot->copy && atomic_load(&slot->epoch) == c->epoch)
		drop_copy(c, slot->copy);
	slot->copy = 0;
	atomic_store(&slot->epoch, 0);
}

static int look_up(struct token_key *k, struct session *s, struct error *e)
{
	struct key_slot *slot = &k->slots[s->c->index];
	CK_OBJECT_HANDLE o;

	clear_slot(k, s->c);
	if (key_find_private(s, &k->pub, &o, e) < 0)
		return -1;
	slot->copy = make_copy(s->c, o);
	atomic_store(&slot->handle, slot->copy ? slot->copy : o);
	atomic_store(&slot->epoch, s->c->epoch);
	return 0;
}

int key_handle(struct token_key *k, struct session *s, CK_OBJECT_HANDLE *out,
	       struct error *e)
{
	struct key_slot *slot = &k->slots[s->c->index];
	int rc = 0;

	if (atomic_load_explicit(&slot->epoch, memory_order_acquire) !=
	    s->c->epoch) {
		pthread_mutex_lock(&k->lock);
		if (atomic_load(&slot->epoch) != s->c->epoch)
			rc = look_up(k, s, e);
		pthread_mutex_unlock(&k->lock);
	}
	*out = atomic_load_explicit(&slot->handle, memory_order_acquire);
	return rc;
}

void key_forget(struct token_key *k, struct session *s)
{
	pthread_mutex_lock(&k->lock);
	clear_slot(k, s->c);
	pthread_mutex_unlock(&k->lock);
}

/* On every connection that is up. */
static void forget_everywhere(struct token_key *k)
{
	struct token *t = k->t;

	pthread_mutex_lock(&k->lock);
	for (unsigned i = 0; i < t->connection_count; i++)
		if (pool_pin(t, &t->connections[i])) {
			clear_slot(k, &t->connections[i]);
			pool_unpin(t, &t->connections[i]);
		}
	pthread_mutex_unlock(&k->lock);
}

/* --- references */

/* Under keys_lock. */
static struct token_key *find_known(struct token *t,
				    const struct public_key *pub)
{
	struct token_key *k = t->keys;

	while (k && !public_key_equal(&k->pub, pub))
		k = k->next;
	if (k)
		k->refs++;
	return k;
}

static struct token_key *known_key(struct token *t,
				   const struct public_key *pub)
{
	struct token_key *k;

	pthread_mutex_lock(&t->keys_lock);
	k = find_known(t, pub);
	pthread_mutex_unlock(&t->keys_lock);
	return k;
}

struct token_key *key_object_get(struct token *t, struct session *s,
				 CK_OBJECT_HANDLE o,
				 const struct public_key *pub, struct error *e)
{
	struct token_key *k = known_key(t, pub), *fresh;

	if (k)
		return k;
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh) {
		error_nomem(e);
		return NULL;
	}
	fresh->t = t;
	fresh->refs = 1;
	fresh->pub = *pub;
	if (sign_probe(s, o, pub, &fresh->can, e) < 0) {
		free(fresh);
		return NULL;
	}
	pthread_mutex_init(&fresh->lock, NULL);
	pthread_mutex_lock(&t->keys_lock);
	k = find_known(t, pub);
	if (!k) {
		fresh->next = t->keys;
		t->keys = fresh;
	}
	pthread_mutex_unlock(&t->keys_lock);
	if (!k)
		return fresh;
	pthread_mutex_destroy(&fresh->lock);
	free(fresh);
	return k;
}

struct token_key *token_key_ref(struct token_key *k)
{
	pthread_mutex_lock(&k->t->keys_lock);
	k->refs++;
	pthread_mutex_unlock(&k->t->keys_lock);
	return k;
}

void token_key_unref(struct token_key *k)
{
	struct token_key **at;
	bool last;

	if (!k)
		return;
	pthread_mutex_lock(&k->t->keys_lock);
	last = --k->refs == 0;
	if (last) {
		for (at = &k->t->keys; *at != k;)
			at = &(*at)->next;
		*at = k->next;
	}
	pthread_mutex_unlock(&k->t->keys_lock);
	if (!last)
		return;
	forget_everywhere(k);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

const struct public_key *token_key_public(const struct token_key *k)
{
	return &k->pub;
}

bool token_key_can(struct token_key *k, enum sign_scheme scheme)
{
	return (unsigned)scheme < 8 * sizeof(k->can) && (k->can & 1U << scheme);
}

/* --- finding */

struct find_job {
	const struct public_key *pub;
	struct token_key *key;
};

static int do_find(struct token *t, struct session *s, void *arg,
		   struct error *e)
{
	struct find_job *job = arg;
	CK_OBJECT_HANDLE o;
	bool audit;

	if (key_find_private(s, job->pub, &o, e) < 0 ||
	    key_is_for_audit(s, o, &audit, e) < 0)
		return -1;
	if (audit)
		return error_set(e, ERR_NOT_FOUND,
				 "that key is for the audit log alone");
	job->key = key_object_get(t, s, o, job->pub, e);
	return job->key ? 0 : -1;
}

struct token_key *token_key_find(struct token *t, const struct public_key *pub,
				 struct error *e)
{
	struct find_job job = { pub, NULL };

	return session_run(t, do_find, &job, e) < 0 ? NULL : job.key;
}

/* --- attributes */

static int read_info(struct session *s, CK_OBJECT_HANDLE o,
		     struct token_key_info *out, struct error *e)
{
	memset(out, 0, sizeof(*out));
	if (key_read_id(s, o, &out->id, e) < 0 ||
	    attr_text(s, o, CKA_LABEL, out->label, sizeof(out->label), e) < 0 ||
	    attr_bool(s, o, CKA_SENSITIVE, false, &out->sensitive, e) < 0 ||
	    attr_bool(s, o, CKA_ALWAYS_SENSITIVE, false, &out->always_sensitive,
		      e) < 0 ||
	    attr_bool(s, o, CKA_EXTRACTABLE, true, &out->extractable, e) < 0 ||
	    attr_bool(s, o, CKA_NEVER_EXTRACTABLE, false,
		      &out->never_extractable, e) < 0 ||
	    attr_bool(s, o, CKA_LOCAL, false, &out->local, e) < 0)
		return -1;
	return key_read_public(s, o, &out->pub, &out->supported, e);
}

struct info_job {
	struct token_key *key;
	struct token_key_info *out;
};

static int do_info(struct token *t, struct session *s, void *arg,
		   struct error *e)
{
	struct info_job *job = arg;
	CK_OBJECT_HANDLE o;

	(void)t;
	if (key_find_private(s, &job->key->pub, &o, e) < 0)
		return -1;
	return read_info(s, o, job->out, e);
}

int token_key_get_info(struct token_key *k, struct token_key_info *out,
		       struct error *e)
{
	struct info_job job = { k, out };

	return session_run(k->t, do_info, &job, e);
}

struct list_job {
	struct token_key_info *out;
	size_t cap, count;
};

static int do_list(struct token *t, struct session *s, void *arg,
		   struct error *e)
{
	CK_ATTRIBUTE tmpl[] = {
		attr_bytes(CKA_CLASS, &class_private, sizeof(class_private)),
		attr_bytes(CKA_TOKEN, &attr_true, sizeof(attr_true)),
	};
	struct list_job *job = arg;
	struct handles found;
	bool audit = false;
	int rc = 0;

	(void)t;
	job->count = 0;
	if (find_objects(s, tmpl, 2, &found, e) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < found.count; i++) {
		rc = key_is_for_audit(s, found.h[i], &audit, e);
		if (rc == 0 && !audit && job->count < job->cap)
			rc = read_info(s, found.h[i], &job->out[job->count], e);
		/* A key deleted since the search is no key of the token. */
		if (rc < 0 && e->kind == ERR_NOT_FOUND)
			rc = 0;
		else if (!audit)
			job->count++;
	}
	handles_free(&found);
	return rc;
}

int token_key_list(struct token *t, struct token_key_info *out, size_t cap,
		   size_t *count_out, struct error *e)
{
	struct list_job job = { out, cap, 0 };

	if (session_run(t, do_list, &job, e) < 0)
		return -1;
	*count_out = job.count;
	return 0;
}

/* --- deleting */

/* Others may have given the same CKA_ID to another key. */
static void delete_partner(struct session *s, CK_OBJECT_HANDLE o,
			   const struct public_key *pub)
{
	struct error e = ERROR_INIT;
	struct public_key its;
	bool known;

	if (key_read_public(s, o, &its, &known, &e) < 0 || !known ||
	    !public_key_equal(&its, pub))
		return;
	if (CALL_CHANGING(s->c, C_DestroyObject, s->h, o) != CKR_OK)
		log_warning("token", "a public key object stayed behind");
}

/* The private half first: a public half alone is of no consequence, a private
 * one alone cannot be told any more. */
static int do_delete(struct token *t, struct session *s, void *arg,
		     struct error *e)
{
	const struct public_key *pub = arg;
	struct handles partners;
	struct token_id id;
	CK_OBJECT_HANDLE o;
	CK_RV rv;

	(void)t;
	if (key_find_private(s, pub, &o, e) < 0 ||
	    key_read_id(s, o, &id, e) < 0)
		return -1;
	rv = CALL_CHANGING(s->c, C_DestroyObject, s->h, o);
	if (rv != CKR_OK)
		return session_fail(s, rv, "C_DestroyObject", e);
	if (!id.len)
		return 0;
	if (key_find_public(s, &id, &partners, e) < 0)
		return -1;
	for (size_t i = 0; i < partners.count; i++)
		delete_partner(s, partners.h[i], pub);
	handles_free(&partners);
	return 0;
}

int token_key_delete(struct token *t, const struct public_key *pub,
		     struct error *e)
{
	struct token_key *k;

	if (session_run(t, do_delete, (void *)(uintptr_t)pub, e) < 0)
		return -1;
	k = known_key(t, pub);
	if (k) {
		forget_everywhere(k);
		token_key_unref(k);
	}
	return 0;
}
