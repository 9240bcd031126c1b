/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdint.h>
#include <stdio.h>

#include "store/db_sqlite.h"

/* Step N brings a database of version N to version N + 1. Steps are never
 * changed once released; a change of the schema is a new step at the end. */
static const char *const steps[] = {
	/* 0: the first */
	"CREATE TABLE setting ("
	" name TEXT NOT NULL PRIMARY KEY,"
	" value TEXT NOT NULL) STRICT;"
	"CREATE TABLE manifest ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" name TEXT NOT NULL,"
	" value BLOB NOT NULL) STRICT;"
	"CREATE INDEX manifest_name ON manifest (name, number);"
	"CREATE TABLE restart ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" happened_at INTEGER NOT NULL,"
	" reason TEXT NOT NULL) STRICT;"
	"CREATE TABLE account ("
	" account_key INTEGER PRIMARY KEY AUTOINCREMENT,"
	" id TEXT NOT NULL UNIQUE,"
	" name TEXT NOT NULL,"
	" password_hash TEXT NOT NULL,"
	" privilege INTEGER NOT NULL,"
	" built_in INTEGER NOT NULL,"
	" disabled INTEGER NOT NULL,"
	" lock_password INTEGER NOT NULL,"
	" force_change INTEGER NOT NULL,"
	" e164 TEXT NOT NULL,"
	" endpoint TEXT NOT NULL,"
	" password_set_at INTEGER NOT NULL,"
	" last_login_at INTEGER NOT NULL,"
	" failures INTEGER NOT NULL,"
	" disabled_until INTEGER NOT NULL) STRICT;"
	"CREATE TABLE audit ("
	" number INTEGER PRIMARY KEY,"
	" happened_at INTEGER NOT NULL,"
	" module TEXT NOT NULL,"
	" severity TEXT NOT NULL,"
	" user_name TEXT NOT NULL,"
	" peer TEXT NOT NULL,"
	" event TEXT NOT NULL,"
	" detail TEXT NOT NULL,"
	" hash BLOB NOT NULL) STRICT;"
	/* One row: what was cut off in front and where the end is. */
	"CREATE TABLE audit_chain ("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" first_number INTEGER NOT NULL,"
	" anchor BLOB NOT NULL,"
	" last_number INTEGER NOT NULL,"
	" last_hash BLOB NOT NULL) STRICT;",
	/* 1: advanced account security mode */
	"ALTER TABLE account ADD COLUMN"
	" disabled_reason INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE account ADD COLUMN"
	" active_from INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE account ADD COLUMN"
	" expired_logins INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE account ADD COLUMN"
	" password_expired INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE account ADD COLUMN"
	" own_change_at INTEGER NOT NULL DEFAULT 0;"
	"UPDATE account SET disabled_reason = 1 WHERE disabled <> 0;"
	"CREATE TABLE former_password ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" account_key INTEGER NOT NULL,"
	" password_hash TEXT NOT NULL) STRICT;"
	"CREATE INDEX former_password_account"
	" ON former_password (account_key, number);"
	/* One row: since when the accounts are held to it, 0 for not. */
	"CREATE TABLE advanced_accounts ("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" since INTEGER NOT NULL) STRICT;",
	/* 2: changes of settings on trial, and the values they go back to. */
	"CREATE TABLE trial ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" id TEXT NOT NULL UNIQUE,"
	" user_name TEXT NOT NULL,"
	" peer TEXT NOT NULL,"
	" boot TEXT NOT NULL,"
	" started_at INTEGER NOT NULL,"
	" started_ms INTEGER NOT NULL,"
	" seconds INTEGER NOT NULL) STRICT;"
	"CREATE TABLE trial_value ("
	" id TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" former_value TEXT NOT NULL,"
	" PRIMARY KEY (id, name)) STRICT;",
	/* 3: audit records of format 2 */
	"ALTER TABLE audit ADD COLUMN format INTEGER NOT NULL DEFAULT 1;"
	"ALTER TABLE audit ADD COLUMN via TEXT NOT NULL DEFAULT '';"
	"CREATE INDEX audit_time ON audit (happened_at);",
	/* 4: signed heads of the audit trail, and the key known last. */
	"CREATE TABLE audit_head ("
	" counter INTEGER PRIMARY KEY,"
	" record INTEGER NOT NULL,"
	" value BLOB NOT NULL) STRICT;"
	"CREATE INDEX audit_head_record ON audit_head (record);"
	"CREATE TABLE audit_key ("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" spki BLOB NOT NULL) STRICT;",
	/* 5: more about restarts */
	"ALTER TABLE restart ADD COLUMN detail TEXT NOT NULL DEFAULT '';",
	/* 6: one row, the password for the trunk or registrar */
	"CREATE TABLE sip_password ("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" password TEXT NOT NULL) STRICT;",
	/* 7: call detail records */
	"CREATE TABLE cdr ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" at INTEGER NOT NULL,"
	" kind INTEGER NOT NULL,"
	" conference TEXT NOT NULL,"
	" participant TEXT NOT NULL,"
	" address TEXT NOT NULL,"
	" incoming INTEGER NOT NULL,"
	" transport TEXT NOT NULL,"
	" encryption TEXT NOT NULL,"
	" tls_version TEXT NOT NULL,"
	" cipher TEXT NOT NULL,"
	" peer_identity TEXT NOT NULL,"
	" verified INTEGER NOT NULL,"
	" seconds INTEGER NOT NULL,"
	" reason TEXT NOT NULL) STRICT;",
	/* 8: configured participants */
	"CREATE TABLE participant ("
	" participant_key INTEGER PRIMARY KEY AUTOINCREMENT,"
	" conference TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" address TEXT NOT NULL,"
	" use_registrar INTEGER NOT NULL,"
	" transport INTEGER NOT NULL,"
	" deferred INTEGER NOT NULL,"
	" display_override INTEGER NOT NULL,"
	" display_name TEXT NOT NULL,"
	" UNIQUE (conference, name)) STRICT;",
	/* 9: calls that have joined and not left, and when (monotonic, of this
	 * run) that was last known to be so. */
	"CREATE TABLE cdr_open ("
	" call INTEGER PRIMARY KEY,"
	" since_ms INTEGER NOT NULL,"
	" conference TEXT NOT NULL,"
	" participant TEXT NOT NULL,"
	" address TEXT NOT NULL,"
	" incoming INTEGER NOT NULL,"
	" transport TEXT NOT NULL,"
	" encryption TEXT NOT NULL,"
	" tls_version TEXT NOT NULL,"
	" cipher TEXT NOT NULL,"
	" peer_identity TEXT NOT NULL,"
	" verified INTEGER NOT NULL) STRICT;"
	"CREATE TABLE cdr_alive ("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" ms INTEGER NOT NULL) STRICT;",
	/* 10: one row, the first revision of participants not given away */
	"CREATE TABLE participant_revision ("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" next INTEGER NOT NULL) STRICT;",
};

static const char *const event_steps[] = {
	/* 0: the first. trace: traces are kept apart from the rest. */
	"CREATE TABLE event ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" at_ms INTEGER NOT NULL,"
	" level INTEGER NOT NULL,"
	" trace INTEGER NOT NULL,"
	" origin TEXT NOT NULL,"
	" text TEXT NOT NULL) STRICT;"
	"CREATE INDEX event_trace ON event (trace, number);",
};

static const struct schema {
	const char *const *steps;
	int version;
} schemas[] = {
	[DB_RECORDS] = { steps, sizeof(steps) / sizeof(*steps) },
	[DB_EVENTS] = { event_steps,
			sizeof(event_steps) / sizeof(*event_steps) },
};

static int read_version(sqlite3 *db, int64_t *out, struct error *e)
{
	sqlite3_stmt *st = NULL;
	int code, rc = 0;

	*out = 0;
	code = sqlite3_prepare_v2(db, "SELECT version FROM schema_version", -1,
				  &st, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	if (code == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	else if (code != SQLITE_DONE)
		rc = sqlite_error(db, code, "schema", e);
	sqlite3_finalize(st);
	if (rc == 0 && *out < 0)
		rc = error_set(e, ERR_CONFIG, "schema has no valid version");
	return rc;
}

/* The version is read inside the transaction: another process may have taken
 * the step meanwhile. */
static int take_step(sqlite3 *db, const struct schema *wanted, int64_t *version,
		     struct error *e)
{
	char set[96];

	if (sqlite_exec(db, "BEGIN IMMEDIATE", e) < 0)
		return -1;
	if (sqlite_exec(db,
			"CREATE TABLE IF NOT EXISTS schema_version"
			" (version INTEGER NOT NULL)",
			e) < 0 ||
	    read_version(db, version, e) < 0)
		goto fail;
	if (*version < wanted->version) {
		snprintf(set, sizeof(set),
			 "DELETE FROM schema_version;"
			 "INSERT INTO schema_version VALUES (%lld)",
			 (long long)*version + 1);
		if (sqlite_exec(db, wanted->steps[*version], e) < 0 ||
		    sqlite_exec(db, set, e) < 0)
			goto fail;
		++*version;
	}
	if (sqlite_exec(db, "COMMIT", e) < 0)
		goto fail;
	return 0;
fail:
	if (!sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return error_prefix(e, "schema step");
}

int schema_upgrade(sqlite3 *db, enum db_kind kind, struct error *e)
{
	const struct schema *wanted = &schemas[kind];
	int64_t version = 0;

	do {
		if (take_step(db, wanted, &version, e) < 0)
			return -1;
	} while (version < wanted->version);
	if (version > wanted->version)
		return error_set(e, ERR_CONFIG,
				 "made by a newer release (schema %lld, this "
				 "release knows %d)",
				 (long long)version, wanted->version);
	return 0;
}
