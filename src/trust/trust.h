/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TRUST_TRUST_H
#define SB_TRUST_TRUST_H

#include "cert/bundle.h"
#include "pkcs11/objects.h"

/* Whom we trust: three stores of certificates that live in the token.
 *
 * Each store is one set of the token (pkcs11/objects.h), "trust https" and so
 * on, whose members are certificates with the label "sealbridge trust https"
 * and the fact "source". A store changes as a whole: an upload replaces it, and
 * killed at any moment the old or the new one is there. Users take a snapshot
 * and keep it as long as they work with it.
 *
 * All functions: any thread. One change of a store at a time; a second one is
 * refused, so that nobody waits for a long upload without knowing. No lock is
 * held over a call of the token that a reader would wait for. Errors of token.h
 * beside those named. */

enum trust_store_id {
	TRUST_HTTPS,
	TRUST_SIP,
	TRUST_CALL_HOME,
	TRUST_STORE_COUNT
};

/* "https", "sip", "callHome": trustStore of trustStore.query. */
const char *trust_store_name(enum trust_store_id id);
/* "HTTPS trust store": the heading of the page, the start of messages. */
const char *trust_store_title(enum trust_store_id id);
/* 0, or -1 when the name is none of them (no error object: a question). */
int trust_store_from_name(const char *name, enum trust_store_id *out);
/* Whether there is a factory content to go back to: Call Home has one. */
bool trust_store_has_factory(enum trust_store_id id);

enum trust_source { TRUST_NONE, TRUST_UPLOADED, TRUST_DEFAULT };

/* "none", "uploaded", "default": source of trustStore.query. */
const char *trust_source_name(enum trust_source source);

enum { TRUST_PROBLEM_MAX = 256 };

/* An immutable counted snapshot of one store. */
struct trust_snapshot {
	enum trust_source source;
	struct cert_list certificates; /* in the order of the upload */
	/* Rises with each change in the life of the process: what was built
	 * from a snapshot of another generation is out of date. */
	uint64_t generation;
	/* "", or why the store in the token cannot be used: somebody has
	 * removed members. It then trusts nobody; an upload, deletion or reset
	 * mends it. */
	char problem[TRUST_PROBLEM_MAX];
};

struct trust_snapshot *trust_snapshot_ref(const struct trust_snapshot *s);
void trust_snapshot_unref(struct trust_snapshot *s); /* NULL is fine */

struct trust;

struct trust_options {
	struct token *token;
	/* A PEM file in place of the factory content; NULL: the certificates of
	 * Debian's ca-certificates that the store's row names. */
	const char *factory_file;
};

/* Strings are copied; the token must outlive the object. */
struct trust *trust_new(const struct trust_options *options,
			struct error *e) MUST_CHECK;
void trust_free(struct trust *t); /* NULL is fine */

/* Read all stores from the token: at start and whenever the token came back. A
 * store with a factory content that was never written gets it. What cannot be
 * read now keeps its snapshot; the first error is returned, the other stores
 * are read nevertheless. */
int trust_load(struct trust *t, struct error *e) MUST_CHECK;
/* Every store has been read at least once. */
bool trust_is_loaded(struct trust *t);

/* A new reference; NULL before the first successful load: trust nobody. */
struct trust_snapshot *trust_snapshot(struct trust *t, enum trust_store_id id);

/* Called after each change of a snapshot, from the thread that made it, with
 * the new one (borrowed); must not change a store. One listener; set before
 * use. */
void trust_on_change(struct trust *t,
		     void (*fn)(enum trust_store_id id,
				const struct trust_snapshot *s, void *arg),
		     void *arg);

/* What an upload does to a store. */
struct trust_difference {
	size_t added, removed, kept;
};

/* Read a bundle and compare it with what is in force; nothing changes. Errors
 * as for a bundle (cert/bundle.h): the text names block and line. *out is the
 * caller's to free; duplicates are in it once. */
int trust_store_examine(struct trust *t, enum trust_store_id id,
			struct view pem, struct cert_list *out,
			struct trust_difference *difference,
			struct error *e) MUST_CHECK;

/* Replace the whole content. The bundle is checked whole before the token is
 * touched; only members that the token does not hold are written. ERR_CONFLICT:
 * a change of this store is under way. On any error the old content stays in
 * force. *count_out: members now, duplicates once. difference may be NULL. */
int trust_store_replace(struct trust *t, enum trust_store_id id,
			struct view pem, size_t *count_out,
			struct trust_difference *difference,
			struct error *e) MUST_CHECK;

/* Leave it empty. ERR_TRUST_EMPTY: it is. *removed_out: how many went. */
int trust_store_delete(struct trust *t, enum trust_store_id id,
		       size_t *removed_out, struct error *e) MUST_CHECK;

/* Back to the factory content. ERR_UNSUPPORTED: the store has none;
 * ERR_NOT_FOUND: its file is not installed. *count_out: members now. */
int trust_store_reset(struct trust *t, enum trust_store_id id,
		      size_t *count_out, struct error *e) MUST_CHECK;

/* How far a running change is. */
struct trust_progress {
	bool running;
	size_t done, total; /* members in place, of all */
};

void trust_get_progress(struct trust *t, enum trust_store_id id,
			struct trust_progress *out);

/* What should be known about a member before one relies on it. */
enum trust_mark {
	TRUST_MARK_EXPIRED,
	TRUST_MARK_NOT_YET_VALID,
	TRUST_MARK_WEAK_KEY,       /* RSA below 2048 bits, DSA, small curve */
	TRUST_MARK_WEAK_SIGNATURE, /* MD5, SHA-1, but not of a root's own */
	TRUST_MARK_NO_AUTHORITY,   /* may not issue: vouches for itself only */
	TRUST_MARK_COUNT
};

/* "expired", "notYetValid", "weakKey", "weakSignature", "notAuthority". */
const char *trust_mark_name(enum trust_mark mark);
/* One bit a mark. Pure. */
unsigned trust_marks(const struct cert *c, time_t now);

#endif
