/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_STORE_STORE_PRIVATE_H
#define SB_STORE_STORE_PRIVATE_H

#include "store/db.h"
#include "store/store.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(*(array)))

/* One statement under the lock. changed may be NULL. */
int store_run(struct store *s, enum statement id, const struct db_value *values,
	      size_t count, int64_t *changed, struct error *e) MUST_CHECK;
/* Its rows, copied, so that callbacks run without the lock. rows is
 * initialised here and always freed by the caller. */
int store_rows(struct store *s, enum statement id,
	       const struct db_value *values, size_t count,
	       struct db_rows *rows, struct error *e) MUST_CHECK;

/* The same of a statement without values; the copy is wiped when freed. */
int store_secret_rows(struct store *s, enum statement id, struct db_rows *rows,
		      struct error *e) MUST_CHECK;

/* Where the chain of audit records begins and ends (audit_rows.c). */
struct audit_chain;
int audit_chain_read(struct db *db, struct audit_chain *out,
		     struct error *e) MUST_CHECK;

/* Several statements: lock and begin; commit (rc 0) or roll back, unlock. */
struct db *store_begin(struct store *s, struct error *e) MUST_CHECK;
int store_end(struct store *s, int rc, struct error *e) MUST_CHECK;

#endif
