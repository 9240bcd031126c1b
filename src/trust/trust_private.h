/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TRUST_TRUST_PRIVATE_H
#define SB_TRUST_TRUST_PRIVATE_H

#include <pthread.h>

#include "trust/trust.h"

/* Private to src/trust. */

/* --- the stores (trust_stores.c) ------------------------------------------ */

struct trust_row {
	const char *name;     /* in the API */
	const char *title;    /* on pages */
	const char *set_name; /* in the token */
	const char *label;    /* CKA_LABEL of its members */
	/* Files that hold the factory content, the first one that is there
	 * counts; NULL: none */
	const char *const *factory_files;
};

extern const struct trust_row trust_rows[TRUST_STORE_COUNT];

/* --- the object ----------------------------------------------------------- */

struct trust_state {
	/* Held through a change or a load, over calls of the token. */
	pthread_mutex_t change;
	/* The rest under trust.lock. */
	struct trust_snapshot *snapshot;
	uint64_t generation;
	struct trust_progress progress;
};

struct trust {
	struct token *token;
	char *factory_file;
	void (*on_change)(enum trust_store_id id,
			  const struct trust_snapshot *s, void *arg);
	void *on_change_arg;
	pthread_mutex_t lock; /* never held over a call */
	struct trust_state stores[TRUST_STORE_COUNT];
};

/* --- snapshots (snapshot.c) ----------------------------------------------- */

/* Takes the list over, whatever happens. problem may be NULL. */
struct trust_snapshot *trust_snapshot_new(enum trust_source source,
					  struct cert_list *certificates,
					  const char *problem,
					  struct error *e) MUST_CHECK;
/* Same source, certificates, order and problem. */
bool trust_snapshot_same(const struct trust_snapshot *a,
			 const struct trust_snapshot *b);
/* s may be NULL: an empty store. */
int trust_compare(const struct trust_snapshot *s, const struct cert_list *l,
		  struct trust_difference *out, struct error *e) MUST_CHECK;
/* Put it in force, unless it says what is in force already. Takes over the
 * reference. The caller holds the store's change lock. */
void trust_publish(struct trust *t, enum trust_store_id id,
		   struct trust_snapshot *s);

/* --- in the token (trust_set.c) ------------------------------------------- */

/* NULL: ERR_CONFLICT for a damaged set. *written_out: there is a manifest. */
struct trust_snapshot *trust_set_read(struct token *t, enum trust_store_id id,
				      bool *written_out,
				      struct error *e) MUST_CHECK;
int trust_set_write(struct token *t, enum trust_store_id id,
		    const struct cert_list *certificates,
		    enum trust_source source, object_set_progress_fn *progress,
		    void *progress_arg, struct error *e) MUST_CHECK;

/* --- factory content (factory.c) ------------------------------------------ */

/* ERR_UNSUPPORTED: the store has none; ERR_NOT_FOUND: not installed. */
int trust_factory_read(const struct trust *t, enum trust_store_id id,
		       struct cert_list *out, struct error *e) MUST_CHECK;

#endif
