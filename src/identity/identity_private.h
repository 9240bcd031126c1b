/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_IDENTITY_IDENTITY_PRIVATE_H
#define SB_IDENTITY_IDENTITY_PRIVATE_H

#include <pthread.h>

#include "identity/identity.h"

/* Private to src/identity. */

#define KEY_LABEL "sealbridge local key" /* as pkcs11-tool shows it */

/* Keys of the token that this device has put there and remembers, and keys of
 * the token that it looks at. */
enum { KNOWN_KEYS_MAX = 64, TOKEN_KEYS_MAX = 1024 };
enum { WAITING_KEYS_MAX = 48 }; /* the rest is for keys with a certificate */

/* --- what is stored (state.c) -------------------------------------------- */

enum key_use {
	KEY_WAITING, /* generated for a request: kept until used */
	KEY_OURS     /* generated or imported for a certificate: goes when
		      * nothing refers to it any more */
};

struct known_key {
	enum key_use use;
	uint8_t sha256[SHA256_SIZE]; /* of the SubjectPublicKeyInfo */
	uint8_t id[SHA1_SIZE];
};

/* The set "identity" of the token as values. */
struct identity_state {
	bool exists; /* there is a manifest */
	enum identity_source source;
	struct cert_list chain; /* of the custom pair; empty when default */
	struct cert *own;       /* the default certificate */
	struct known_key keys[KNOWN_KEYS_MAX];
	size_t key_count;
};

/* ERR_CONFLICT: somebody removed certificates; *out is empty then. */
int state_read(struct token *t, struct identity_state *out,
	       struct error *e) MUST_CHECK;
int state_write(struct token *t, const struct identity_state *s,
		struct error *e) MUST_CHECK;
int state_copy(const struct identity_state *from, struct identity_state *out,
	       struct error *e) MUST_CHECK;
void state_free(struct identity_state *s);
/* The certificates in force: the custom chain, or the default one alone. */
int state_chain(const struct identity_state *s, struct cert_list *out,
		struct error *e) MUST_CHECK;

struct known_key *state_key(struct identity_state *s,
			    const struct public_key *pub);
/* Remember it, or change its use. ERR_LIMIT. */
int state_note_key(struct identity_state *s, const struct public_key *pub,
		   enum key_use use, struct error *e) MUST_CHECK;

/* --- snapshots (snapshot.c) ----------------------------------------------- */

/* Looks its key up in the token; without one there, key is NULL. */
struct local_identity *local_identity_new(struct token *t,
					  enum identity_source source,
					  const struct cert_list *chain,
					  struct error *e) MUST_CHECK;
/* Same certificates. */
bool local_identity_equal(const struct local_identity *a,
			  const struct local_identity *b);
const struct public_key *leaf_key(const struct cert *leaf);

/* --- the object ----------------------------------------------------------- */

struct identity {
	struct token *token;
	char *host_name;
	char **addresses;
	size_t address_count;
	enum key_kind default_key;
	int64_t key_grace_ms;
	struct identity_presenter presenter;
	void (*key_made)(void *arg, const struct token_id *id,
			 enum key_kind kind);
	void *key_made_arg;

	/* Held through a change, over calls of the token. */
	pthread_mutex_t lock;
	struct identity_state state;
	bool loaded;           /* state is what the token holds */
	bool collected;        /* leftovers were looked for in this process */
	int64_t keep_until_ms; /* no key is removed before (monotonic) */
	pthread_cond_t wake;   /* of the reaper */
	pthread_t reaper;
	bool reaper_runs, stopping;

	/* Guards the two pointers only, never held over a call. */
	pthread_mutex_t snapshot_lock;
	struct local_identity *in_service, *stored;
};

/* Under id->lock. What l says becomes visible to everybody. */
struct local_identity *identity_snapshot_make(struct identity *id,
					      const struct identity_state *s,
					      struct error *e) MUST_CHECK;
/* On -1 it is not presented, and what was in service stays. */
int identity_put_in_service(struct identity *id, struct local_identity *l,
			    struct error *e) MUST_CHECK;
/* Takes over the reference. */
void identity_show_stored(struct identity *id, struct local_identity *l);

/* --- loading (load.c), under id->lock --------------------------------------
 */

/* Write s and make it the state in memory; s stays the caller's. */
int identity_commit(struct identity *id, struct identity_state *s,
		    struct error *e) MUST_CHECK;
/* For a change: load, unless that was done. */
int identity_ensure_loaded(struct identity *id, struct error *e) MUST_CHECK;
/* Give s a default pair when it has none or its key has vanished. */
int identity_ensure_default(struct identity *id, struct identity_state *s,
			    bool *made, struct error *e) MUST_CHECK;
/* Put what is stored in service when nothing is. */
int identity_start_service(struct identity *id, struct error *e) MUST_CHECK;

/* --- the device's own pair (default.c) ------------------------------------ */

/* Key and certificate; the key is remembered in s, the certificate becomes
 * s->own. Not yet written. */
int default_make(struct identity *id, struct identity_state *s,
		 struct error *e) MUST_CHECK;

/* --- keys (keys.c) -------------------------------------------------------- */

/* All keys of the token, free() them. */
int keys_list(struct token *t, struct token_key_info **out, size_t *count_out,
	      struct error *e) MUST_CHECK;
/* The key of the leaf; *out is NULL when the token has none. */
int key_find(struct token *t, const struct cert *leaf, struct token_key **out,
	     struct error *e) MUST_CHECK;
/* Whether the key really signs for the certificate. */
int key_signs(struct token_key *k, const struct cert *leaf, bool *out,
	      struct error *e) MUST_CHECK;
/* Remove keys of ours that nothing refers to, now or, while handshakes may
 * still use them, later. What fails is logged and tried again at the next
 * change. Under id->lock. */
void keys_prune(struct identity *id);
void keys_reaper_stop(struct identity *id);

/* --- uploads (examine.c) -------------------------------------------------- */

/* An upload, checked as far as it can be without the token. */
struct upload {
	struct cert_chain chain;
	bool has_key;
	struct key_material key;
};

int upload_read(const struct identity *id, struct view certificates,
		struct view private_key, struct view password, time_t now,
		struct upload *out, struct identity_warnings *warnings,
		struct error *e) MUST_CHECK;
/* The token does not hold the key of the leaf, and none was given. */
void upload_warn_no_key(const struct cert *leaf, struct identity_warnings *w);
void upload_free(struct upload *u);

#endif
