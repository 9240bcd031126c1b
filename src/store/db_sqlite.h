/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_STORE_DB_SQLITE_H
#define SB_STORE_DB_SQLITE_H

#include <sqlite3.h>

#include "base/error.h"
#include "store/db.h"

/* Shared by db_sqlite.c and schema_sqlite.c only. */

/* Fill *e from the connection's last failure; a full disk and a damaged file
 * are named as such. Returns -1. */
int sqlite_error(sqlite3 *db, int code, const char *what, struct error *e);
int sqlite_exec(sqlite3 *db, const char *sql, struct error *e) MUST_CHECK;

/* Brings the schema up to date, one transaction a step. ERR_CONFIG: newer. */
int schema_upgrade(sqlite3 *db, enum db_kind kind, struct error *e) MUST_CHECK;

#endif
