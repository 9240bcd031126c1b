/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_STORE_STORE_H
#define SB_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"

/* Whatever must last and is no token object. SQLite today (WAL,
 * synchronous=FULL, numbered schema steps); no call of it and no SQL stands
 * outside this folder: each kind of record has its functions here. What a
 * function acknowledged is on disk. Errors: ERR_IO (native = SQLite code),
 * ERR_FULL (no room on the disk), ERR_NOMEM, and those named. Any thread. */

struct store;

enum {
	STORE_NAME_MAX = 128,   /* bytes of a setting's or manifest's name */
	STORE_VALUE_MAX = 4096, /* bytes of a setting's value */
	STORE_MANIFEST_MAX = 1 << 20,
	STORE_RESTARTS_MAX = 1000
};

/* Opens or makes DIRECTORY/sealbridge.db (0600; the directory, when it is
 * missing, 0700) and brings its schema up to date; a database of a newer schema
 * is refused (ERR_CONFIG). A function below that calls back does so without a
 * lock, on rows it has copied: the callback may use the store. Its -1 ends the
 * walk and is returned. Longer input than the limits above is ERR_LIMIT. */
struct store *store_open(const char *directory, struct error *e) MUST_CHECK;
void store_close(struct store *s);

/* Where it lies. */
const char *store_directory(const struct store *s);

/* For a disk that is full. What was written lately lies in a log of up to
 * 4 MiB beside the database: fold it in, and give its room back. Needs room
 * only where the database itself has to grow (ERR_FULL). */
int store_fold_log(struct store *s, struct error *e) MUST_CHECK;
/* Give the room of deleted records back to the file system, in slices that need
 * little room themselves; others use the store in between. A database made by
 * an earlier build is written anew for this when it is opened, where there is
 * room for a copy; else it keeps its size and uses the room again. */
int store_shrink(struct store *s, struct error *e) MUST_CHECK;

/* Settings: name and value as text. */
int store_setting_put(struct store *s, const char *name, const char *value,
		      struct error *e) MUST_CHECK;
int store_setting_each(struct store *s,
		       int (*each)(void *arg, const char *name,
				   const char *value, struct error *e),
		       void *arg, struct error *e) MUST_CHECK;

/* Manifests of tokens without data objects (struct manifest_fallback, which
 * says what they do; list: name NULL means all names). */
int store_manifest_put(struct store *s, const char *name, struct view value,
		       struct error *e) MUST_CHECK;
int store_manifest_list(struct store *s, const char *name,
			int (*each)(void *arg, struct view value,
				    struct error *e),
			void *arg, struct error *e) MUST_CHECK;
int store_manifest_prune(struct store *s, const char *name, struct view keep,
			 struct error *e) MUST_CHECK;

/* Restart log, newest last; the oldest beyond 1000 go. detail: more about the
 * reason, or "". */
int store_restart_add(struct store *s, time_t at, const char *reason,
		      const char *detail, struct error *e) MUST_CHECK;
int store_restart_each(struct store *s,
		       int (*each)(void *arg, time_t at, const char *reason,
				   const char *detail, struct error *e),
		       void *arg, struct error *e) MUST_CHECK;

/* Several settings at once and trials: src/store/trial_rows.h. Users:
 * src/store/user_rows.h. Audit records: src/store/audit_rows.h. A password:
 * src/store/sip_password_row.h. Call detail records: src/store/cdr_rows.h.
 * Participants: src/store/participant_rows.h. */

#endif
