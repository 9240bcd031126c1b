/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_PKCS11_INTERNAL_H
#define SB_PKCS11_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <time.h>

#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

/* Helper macros that the header forgets to take back. */
#undef hash_alg
#undef s_len
#undef source_data
#undef source_data_len

#include "pkcs11/keys.h"
#include "pkcs11/objects.h"
#include "pkcs11/token.h"

/* What the files of this folder share. The shape:
 *
 * token       one per process; owns the options, the connections, the pool
 * connection  one loaded copy of the module with its C_Initialize, its login,
 *             its sessions; all but one exist only for p11-kit-client.so
 * session     a PKCS#11 session taken out of the pool for a few calls
 *
 * Locks, in the order in which they are taken: sets_lock, keys_lock, key.lock,
 * keeper_lock, call_lock, lock (the pool). No lock is held across a token call,
 * save sets_lock (changes of sets), key.lock (one thread looks a key up, the
 * others wait for it), keeper_lock and call_lock. A connection is finalised
 * only when none of its sessions is taken. */

enum { CONNECTIONS_MAX = 4, SESSIONS_MAX = 256, PIN_MAX = 255 };
enum { LOCK_WAIT_MS = 10000 };

/* --- CK_RV (rv.c) */

enum rv_class {
	RV_CALLER,  /* the session is as good as before */
	RV_DOUBT,   /* may mean anything: ask for the session's state */
	RV_SESSION, /* this session is spent */
	RV_LOST     /* the connection to the token is gone */
};

enum rv_class rv_classify(CK_RV rv);
bool rv_is_pin_refusal(CK_RV rv);
/* The token cannot do this at all, rather than not now. */
bool rv_is_refusal(CK_RV rv);
/* "what: text (0x..)" with the kind that fits. Returns -1. */
int rv_error(struct error *e, CK_RV rv, const char *what);

/* --- structures */

/* What the mechanism list of a connection says; filled once at connecting. */
enum mech_id {
	MECH_RSA_PKCS,
	MECH_RSA_PSS,
	MECH_ECDSA,
	MECH_RSA_GENERATE,
	MECH_EC_GENERATE,
	MECH_COUNT
};

struct mech {
	bool present;
	CK_ULONG min_bits, max_bits;
};

enum connection_phase { CONNECTION_DOWN, CONNECTION_UP, CONNECTION_LOST };

struct connection {
	unsigned index;
	CK_FUNCTION_LIST *f; /* NULL: module not loaded */
	int copy_fd;         /* private copy of the module, -1: none */
	/* Held during each call when serial is set: p11-kit-client.so lets
	 * several threads share a socket, but when it breaks one closes it
	 * while the others still wait for its number, which by then may be
	 * another file (0.24.1: rpc-transport.c); and its way of waiting
	 * breaks for numbers past FD_SETSIZE. */
	bool serial;
	pthread_mutex_t call_lock;
	bool initialized;
	bool shared;  /* C_Initialize was somebody else's: so is C_Finalize */
	bool logs_in; /* the token wants a login */
	CK_SLOT_ID slot;
	struct mech mechs[MECH_COUNT];
	unsigned wanted; /* sessions for the pool */
	/* Changes with each connecting; steady while a session is taken. */
	uint64_t epoch;

	/* The session that owns the session copies of keys. 0: none. */
	pthread_mutex_t keeper_lock;
	CK_SESSION_HANDLE keeper;

	/* below: token.lock */
	enum connection_phase phase;
	unsigned in_use; /* sessions taken, and pins */
	unsigned open;   /* sessions of the pool that exist */
	unsigned doubts; /* doubtful answers in a row */
	unsigned free_count;
	CK_SESSION_HANDLE free[SESSIONS_MAX];
	int64_t retry_at_ms;
	unsigned backoff_ms;
};

/* Which file a PIN was read from: shows cheaply that it may be another PIN. */
struct pin_identity {
	dev_t dev;
	ino_t ino;
	struct timespec mtime;
	off_t size;
};

/* A refused PIN, recognisable but not readable. */
struct pin_mark {
	char token[2 * SHA256_SIZE + 1]; /* who refused it, hashed */
	uint8_t salt[HASH_SALT_SIZE], digest[SHA256_SIZE];
};

struct waiter; /* pool.c */

struct token {
	/* options, owned; set once */
	char *module, *uri_text, *pin_file, *state_directory, *lock_file;
	char *softhsm_conf;
	unsigned max_sessions, wait_ms;
	struct manifest_fallback fallback;
	P11KitUri *uri;
	void (*on_state)(enum token_state state, void *arg);
	void *on_state_arg;

	struct connection connections[CONNECTIONS_MAX];
	unsigned connection_count;
	bool keepers; /* enough sessions to spend one on each connection */

	pthread_mutex_t lock;
	pthread_cond_t work; /* for the recovery thread */
	struct waiter *waiters, **waiters_end;
	bool started, stopping;
	bool hopeful; /* the first attempt after a loss is still to come */
	enum token_state state;
	char reason[256];
	char label[33], manufacturer[33], model[17], serial[17];
	uint64_t generation;
	bool pin_refused;
	struct pin_identity refused_pin; /* the file it was last seen in */
	struct pin_mark refused_mark;    /* no token: nothing was tried */

	pthread_mutex_t notify_lock;
	enum token_state notified;

	pthread_t thread;
	_Atomic uint64_t signatures;
	_Atomic bool data_objects;

	pthread_mutex_t keys_lock;
	struct token_key *keys;
	pthread_mutex_t sets_lock;
};

/* A session taken out of the pool. rv is the worst answer it got. */
struct session {
	struct connection *c;
	CK_SESSION_HANDLE h;
	CK_RV rv;
};

/* --- module.c */

/* Load the module; a private copy of it when there are several connections. */
int module_load(struct connection *c, const char *path, bool copy,
		struct error *e) MUST_CHECK;
void module_unload(struct connection *c);
int module_initialize(struct connection *c, struct error *e) MUST_CHECK;
void module_finalize(struct connection *c);
/* Does the path name the client of p11-kit's remoting? */
bool module_is_remote(const char *path);

/* --- slot.c */

P11KitUri *slot_uri_parse(const char *text, struct error *e) MUST_CHECK;
/* The one slot whose token fits; fills info. */
int slot_find(struct connection *c, P11KitUri *uri, CK_TOKEN_INFO *info,
	      struct error *e) MUST_CHECK;
/* Text of a blank-padded field. */
void slot_text(const CK_UTF8CHAR *field, size_t n, char *out);
int slot_mechanisms(struct connection *c, struct error *e) MUST_CHECK;

/* --- file_lock.c */

/* flock(2) the file, made when missing, waiting at most wait_ms. Path NULL:
 * *fd_out is -1. ERR_TIMEOUT, ERR_IO. */
int file_lock_take(const char *path, unsigned wait_ms, int *fd_out,
		   struct error *e) MUST_CHECK;
void file_lock_release(int fd);

/* --- softhsm_guard.c; the caller holds the file lock */

/* Put back each token.object that a kill has damaged, and back up each good
 * one. Failures are logged: a guard that cannot work must not keep a token
 * from being used. conf NULL: nothing. Returns how many damaged files are
 * left. */
unsigned softhsm_guard_run(const char *conf, const char *state_directory);
/* Is this the content of a whole token.object? */
bool softhsm_token_object_valid(struct view content);
/* The value of directories.tokendir. */
int softhsm_token_directory(const char *conf, char *out, size_t cap,
			    struct error *e) MUST_CHECK;

/* --- softhsm_sync.c */

/* Make durable what SoftHSM wrote since then (by the system's clock): it never
 * syncs. conf NULL: nothing. */
int softhsm_sync(const char *conf, time_t since, struct error *e) MUST_CHECK;

/* --- pin_mark.c */

int pin_identity_of(const char *path, struct pin_identity *out,
		    struct error *e) MUST_CHECK;
bool pin_identity_equal(const struct pin_identity *a,
			const struct pin_identity *b);
/* The mark of this PIN at this token (by serial and label). ERR_NOMEM. */
int pin_mark_make(const char *token, struct view pin, struct pin_mark *out,
		  struct error *e) MUST_CHECK;
/* Is it the mark of this PIN at this token? ERR_NOMEM. */
int pin_mark_fits(const struct pin_mark *m, const char *token, struct view pin,
		  bool *fits, struct error *e) MUST_CHECK;
/* The mark in the state directory. false: none, or (logged) none that can be
 * read. */
bool pin_mark_read(const char *directory, struct pin_mark *out);
int pin_mark_write(const char *directory, const struct pin_mark *m,
		   struct error *e) MUST_CHECK;
void pin_mark_remove(const char *directory);

/* --- login.c */

/* Log the session in unless it is already. ERR_TOKEN_PIN: refused now or
 * before; t->pin_refused and the mark say so. The caller holds the file lock.
 */
int login_session(struct token *t, struct connection *c, CK_SESSION_HANDLE h,
		  const CK_TOKEN_INFO *info, struct error *e) MUST_CHECK;

/* --- connection.c */

/* The only way to call the module: rv = CALL(c, C_Sign, h, ...). */
CK_FUNCTION_LIST *connection_enter(struct connection *c);
CK_RV connection_leave(struct connection *c, CK_RV rv);
#define CALL(c, fn, ...) \
	connection_leave((c), connection_enter(c)->fn(__VA_ARGS__))

/* For calls that look at stored objects, and for those that make, change or
 * remove them: SoftHSM shows a searching thread the file that another thread is
 * writing, which then fails for both ("Internal error", "Invalid value for
 * field"). So a change has the objects for itself, for one call each; signing
 * goes on meanwhile. */
CK_FUNCTION_LIST *objects_enter(struct connection *c, bool changing);
CK_RV objects_leave(struct connection *c, CK_RV rv);
#define CALL_READING(c, fn, ...) \
	objects_leave((c), objects_enter((c), false)->fn(__VA_ARGS__))
#define CALL_CHANGING(c, fn, ...) \
	objects_leave((c), objects_enter((c), true)->fn(__VA_ARGS__))

/* Initialise, find, log in, open the sessions. Caller: nobody uses c, and the
 * file lock is held. On success the pool's sessions are in c->free. */
int connection_open(struct token *t, struct connection *c,
		    struct error *e) MUST_CHECK;
/* Close everything and C_Finalize; the module stays loaded. */
void connection_close(struct connection *c);
int connection_open_session(struct connection *c, CK_SESSION_HANDLE *out,
			    struct error *e) MUST_CHECK;
/* Is a session in that state one that we can use? */
bool connection_state_fits(const struct connection *c, CK_STATE state);

/* --- pool.c */

/* Wait at most wait_ms for a session. ERR_TIMEOUT; ERR_TOKEN and ERR_TOKEN_PIN
 * at once when none can come. */
int pool_take(struct token *t, struct session *s, struct error *e) MUST_CHECK;
/* Give it back; s->rv decides what becomes of it. */
void pool_give(struct token *t, struct session *s);
/* Keep c from being finalised. false: it is not up. */
bool pool_pin(struct token *t, struct connection *c);
void pool_unpin(struct token *t, struct connection *c);
/* Under t->lock: hand the sessions of c, just opened, to waiters. */
void pool_deal(struct token *t, struct connection *c);
/* Under t->lock: let every waiter fail that nothing can come for. */
void pool_wake_hopeless(struct token *t);
/* Under t->lock: the connection is gone. */
void pool_lose(struct token *t, struct connection *c, const char *reason);

/* Note an answer of the token: worst one wins. Returns -1 with *e filled. */
int session_fail(struct session *s, CK_RV rv, const char *what,
		 struct error *e);
/* Is the failure one that another session may not have? */
bool session_is_spent(const struct session *s);
/* Is another session worth a try after so many attempts? All connections may
 * have broken at once, and each tells only when it is used. */
bool pool_try_again(const struct token *t, const struct session *s,
		    unsigned attempt);
/* Take, fn, give; again with another session when the first was spent. */
int session_run(struct token *t,
		int (*fn)(struct token *t, struct session *s, void *arg,
			  struct error *e),
		void *arg, struct error *e) MUST_CHECK;

/* --- token.c */

/* The serial number of the token last seen. */
void token_serial(struct token *t, char out[17]);

/* --- recovery.c */

int recovery_start(struct token *t, struct error *e) MUST_CHECK;
/* Under t->lock: recompute state from the connections. */
void token_settle_state(struct token *t, const struct error *why);
/* Without locks: tell the listener when the state is another one. */
void token_notify(struct token *t);

/* --- attrs.c */

enum { FIND_MAX = 20000 };

struct handles {
	CK_OBJECT_HANDLE *h;
	size_t count;
};

int find_objects(struct session *s, CK_ATTRIBUTE *tmpl, CK_ULONG n,
		 struct handles *out, struct error *e) MUST_CHECK;
void handles_free(struct handles *l);
/* One attribute; *len_out is 0 when the object has none or it does not fit.
 * -1 only when the token failed. */
int attr_read(struct session *s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type,
	      void *out, size_t cap, size_t *len_out,
	      struct error *e) MUST_CHECK;
/* CK_BBOOL or fallback. */
int attr_bool(struct session *s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type,
	      bool fallback, bool *out, struct error *e) MUST_CHECK;
/* As text with a NUL, cut to cap. */
int attr_text(struct session *s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type,
	      char *out, size_t cap, struct error *e) MUST_CHECK;
/* Cryptoki takes pointers to non-const even for what it only reads. */
CK_ATTRIBUTE attr_bytes(CK_ATTRIBUTE_TYPE type, const void *p, size_t n);

extern const CK_BBOOL attr_true, attr_false;

/* --- key_find.c */

/* Read a private key's public half; *known_out false: not a key we can use. */
int key_read_public(struct session *s, CK_OBJECT_HANDLE o,
		    struct public_key *out, bool *known_out,
		    struct error *e) MUST_CHECK;
/* The private key with that public half. ERR_NOT_FOUND. */
int key_find_private(struct session *s, const struct public_key *pub,
		     CK_OBJECT_HANDLE *out, struct error *e) MUST_CHECK;
/* All public key objects with the CKA_ID. */
int key_find_public(struct session *s, const struct token_id *id,
		    struct handles *out, struct error *e) MUST_CHECK;
int key_read_id(struct session *s, CK_OBJECT_HANDLE o, struct token_id *out,
		struct error *e) MUST_CHECK;

/* --- audit_key.c */

/* Does the object carry the label of the audit key? */
int key_is_for_audit(struct session *s, CK_OBJECT_HANDLE o, bool *out,
		     struct error *e) MUST_CHECK;

/* --- keys.c */

struct key_slot {
	_Atomic uint64_t epoch; /* of the connection; 0: to be looked up */
	_Atomic CK_OBJECT_HANDLE handle;
	CK_OBJECT_HANDLE copy; /* session copy, 0: none; under key.lock */
};

struct token_key {
	struct token *t;
	struct token_key *next; /* t->keys */
	unsigned refs;          /* t->keys_lock */
	struct public_key pub;
	unsigned can; /* bit per enum sign_scheme */
	pthread_mutex_t lock;
	struct key_slot slots[CONNECTIONS_MAX];
};

/* The key of that public half, whose object was just seen at o. */
struct token_key *key_object_get(struct token *t, struct session *s,
				 CK_OBJECT_HANDLE o,
				 const struct public_key *pub, struct error *e);
/* The handle to sign with on the connection of s. */
int key_handle(struct token_key *k, struct session *s, CK_OBJECT_HANDLE *out,
	       struct error *e) MUST_CHECK;
void key_forget(struct token_key *k, struct session *s);

/* --- sign.c */

/* One signature with an object. */
int sign_with(struct session *s, CK_OBJECT_HANDLE o, enum sign_scheme scheme,
	      unsigned bits, enum hash_alg alg, const uint8_t *digest,
	      uint8_t sig[KEY_SIGNATURE_MAX], size_t *sig_len,
	      struct error *e) MUST_CHECK;
/* Which schemes work with the object, tried out: a bit per scheme. */
int sign_probe(struct session *s, CK_OBJECT_HANDLE o,
	       const struct public_key *pub, unsigned *can_out,
	       struct error *e) MUST_CHECK;
/* Sign something random and check it against pub. ERR_KEY_MISMATCH. */
int sign_trial(struct session *s, CK_OBJECT_HANDLE o,
	       const struct public_key *pub, struct error *e) MUST_CHECK;

#endif
